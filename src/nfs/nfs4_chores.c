/*
 * What is done when nfs4->lock is free again.  File systems are told of files
 * that are closed, and nodes are let go (a file system's release() may be
 * the end of it); records of clients are written to disk; calls that waited
 * go on.  All of this may block or come back here, so whoever finds it to be
 * done, under the lock, puts it on a list, and nfs4_unlock does it.
 *
 * Each does his own before he answers: what a reply depends on, has happened.
 * Records are an exception: they are written in the order they were asked
 * for, whoever asked, so there one waits for the others.
 */
#include "nfs/nfs4_opens.h"

enum { AT_ONCE = 16 };		/* nodes let go in one turn */

/* What one turn of nfs4_unlock_and_do does. */
struct chores {
	struct pinefs_node	*node[AT_ONCE];
	unsigned		 nnodes;
	struct nfs4_file	*file;		/* to tell about */
	struct nfs4_call	*calls;		/* that go on */
	bool			 records;
};

/* ----------------------------------------------------------------- nodes -- */

struct nfs4_held *
nfs4_hold(struct nfs4 *n, struct pinefs_node *node)
{
	struct nfs4_held *h = pool_take(&n->held);

	if (h == NULL)
		return NULL;
	pinefs_node_get(node);
	h->node = node;
	return h;
}

void
nfs4_let_go(struct nfs4 *n, struct nfs4_held *h)
{
	if (h == NULL)
		return;
	h->next = n->let_go;
	n->let_go = h;
	n->chores = true;
}

/* --------------------------------------------------------------- records -- */

static bool
queue(struct nfs4 *n, enum nfs4_record_what what, struct nfs4_client *c)
{
	struct nfs4_record *r = pool_take(&n->record_pool);

	if (r == NULL)
		return false;
	r->what = what;
	if (c != NULL) {
		r->owner = c->owner;
		r->owner->refs++;
	}
	if (what == RECORD_ADD) {
		c->refs++;
		r->client = c;
	}
	*n->record_last = r;
	n->record_last = &r->next;
	n->chores = true;
	return true;
}

void
nfs4_client_record(struct nfs4 *n, struct nfs4_client *c)
{
	if (n->records.add == NULL || c->recorded == RECORDED)
		return;
	if (c->recorded == NOT_RECORDED) {
		if (!queue(n, RECORD_ADD, c))
			return;
		c->recorded = RECORD_PENDING;
	}
	/* Maybe by another call: then this one waits for it. */
	n->await_records = n->chores = true;
}

void
nfs4_client_forget(struct nfs4 *n, struct nfs4_client *c)
{
	/* Without memory a record stays behind, which does no harm. */
	if (c->recorded != NOT_RECORDED)
		queue(n, RECORD_REMOVE, c);
	c->recorded = NOT_RECORDED;
}

void
nfs4_records_end(struct nfs4 *n)
{
	if (n->records.end != NULL)
		queue(n, RECORDS_END, NULL);
}

/* In the record keeper's memory; `failed` is the error of an `add`. */
static void
tell_keeper(const struct nfs4_records *to, struct nfs4_record *r)
{
	switch (r->what) {
	case RECORD_ADD:
		r->failed = to->add(to->arg, r->owner->data,
		    (uint32_t)r->owner->len);
		break;
	case RECORD_REMOVE:
		to->remove(to->arg, r->owner->data, (uint32_t)r->owner->len);
		break;
	case RECORDS_END:
		to->end(to->arg);
		break;
	}
}

/* It is on the disk, or failed. */
static void
recorded(struct nfs4 *n, struct nfs4_record *r, int err)
{
	struct nfs4_client *c = r->client;

	if (c != NULL && c->recorded == RECORD_PENDING)
		c->recorded = err == 0 && r->failed == 0 ? RECORDED :
		    NOT_RECORDED;
	if (c != NULL)
		nfs4_client_release(n, c);
	pool_bytes_put(r->owner);
	pool_give(&n->record_pool, r);
}

/* One write for all that has come together. */
static void
write_records(struct nfs4 *n)
{
	struct nfs4_record *list, *r;
	int err;

	pthread_mutex_lock(&n->records_lock);
	pthread_mutex_lock(&n->lock);
	list = n->record_first;
	n->record_first = NULL;
	n->record_last = &n->record_first;
	pthread_mutex_unlock(&n->lock);
	if (list != NULL) {
		for (r = list; r != NULL; r = r->next)
			tell_keeper(&n->records, r);
		err = n->records.sync(n->records.arg);
		pthread_mutex_lock(&n->lock);
		while ((r = list) != NULL) {
			list = r->next;
			recorded(n, r, err);
		}
		pthread_mutex_unlock(&n->lock);
	}
	pthread_mutex_unlock(&n->records_lock);
}

/* ---------------------------------------------------------------- doing -- */

static void
take(struct nfs4 *n, struct chores *todo)
{
	struct nfs4_held *h;

	todo->nnodes = 0;
	while ((h = n->let_go) != NULL && todo->nnodes < AT_ONCE) {
		n->let_go = h->next;
		todo->node[todo->nnodes++] = h->node;
		pool_give(&n->held, h);
	}
	if ((todo->file = n->to_tell) != NULL)
		n->to_tell = todo->file->tell_next;
	todo->calls = n->to_wake;
	n->to_wake = NULL;
	todo->records = n->await_records || n->record_first != NULL;
	n->await_records = false;
	n->chores = n->let_go != NULL || n->to_tell != NULL;
}

static void
wake(struct nfs4_call *c)
{
	struct nfs4_call *next;

	for (; c != NULL; c = next) {
		next = c->wait_next;
		rpc_call_resume(c->nfs.rpc);
	}
}

void
nfs4_unlock_and_do(struct nfs4 *n)
{
	struct chores todo;
	bool more;

	do {
		take(n, &todo);
		more = n->chores || todo.file != NULL;
		pthread_mutex_unlock(&n->lock);
		if (todo.records)
			write_records(n);
		if (todo.file != NULL)
			nfs4_file_tell(todo.file);
		for (unsigned i = 0; i < todo.nnodes; i++)
			pinefs_node_put(todo.node[i]);
		wake(todo.calls);
		if (!more)
			return;
		pthread_mutex_lock(&n->lock);
		if (todo.file != NULL)
			nfs4_file_told(n, todo.file);
	} while (n->chores);
	pthread_mutex_unlock(&n->lock);
}
