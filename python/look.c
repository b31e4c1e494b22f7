/* SPDX-License-Identifier: MIT */
/*
 * Calls about views, answered by workers: the look is copied, the call waits
 * (PINEFS_LATER), and the result is delivered when the worker has it.  A look
 * that is given up goes on, and what it finds is thrown away.
 */
#include "pyfs.h"

#include <stdlib.h>

struct entry {
	struct pinefs_ident	 id;
	uint64_t		 cookie;
	size_t			 at;		/* of the name in `names` */
	uint32_t		 len;
	uint8_t			 own[OWN_MAX];
	struct pinefs_attr	 attr;
};

/* A look that waits for a worker. */
struct look {
	struct job		 job;
	enum view_look		 what;
	struct pinefs_call	*call;
	char			 client[64];	/* who asks */
	struct node		*n;		/* pinned */
	struct pinefs_name	 name;
	char			 name_bytes[NAME_LEN_MAX];
	uint64_t		 off;
	uint32_t		 count;
	/* Results, and where they go: */
	struct entry		*entries;
	size_t			 nentries;
	struct sbuf		 bytes;		/* text; names of entries */
	struct pinefs_attr	 attr;
	struct pinefs_ident	 id;
	uint8_t			 own[OWN_MAX];
	bool			 eof;
	struct view_to		 to;
};

static void
look_fini(struct job *job)
{
	struct look *l = (struct look *)job;

	sbuf_fini(&l->bytes);
	free(l->entries);
}

static int
look_lookup(struct hold *h, struct look *l)
{
	struct node *child;
	int err;

	if ((err = view_find(h, l->n, l->name, &child)) == 0)
		ident_of(child, &l->id, l->own);
	return err;
}

static int
look_read(struct hold *h, struct look *l)
{
	struct text t = { 0 };
	size_t n = 0;
	int err;

	if ((err = view_text_from(h, l->n, l->off, &t)) != 0)
		return err;
	if (l->off < t.len) {
		n = t.len - (size_t)l->off;
		n = n < l->count ? n : l->count;
		err = sbuf_add(&l->bytes, t.base + l->off, n);
	}
	l->eof = l->off + n >= t.len;
	text_fini(&t);
	return err;
}

static int
add_entry(struct hold *h, struct look *l, PyObject *pair)
{
	PyObject *key, *kind;
	struct entry *e = &l->entries[l->nentries];
	struct pinefs_name name;
	bool scan = false;
	struct node *n;
	size_t at = l->bytes.len;
	int err;

	if (!PyTuple_CheckExact(pair) || PyTuple_Size(pair) != 2)
		return EIO;
	key = PyTuple_GetItem(pair, 0);
	kind = PyTuple_GetItem(pair, 1);
	if (!PyUnicode_CheckExact(kind) || kit.utf8(kind, NULL) == NULL)
		return EIO;
	if ((err = name_of_key(&l->bytes, NULL, key, &scan)) != 0)
		return err;
	name = (struct pinefs_name){ l->bytes.base + at,
	    (uint32_t)(l->bytes.len - at) };
	if (home_hides_made(h->pf, l->n, name) ||
	    node_beside(l->n, name) != NULL)
		return 0;
	n = view_node(h, l->n, name, kit.utf8(kind, NULL));
	if (n == NULL)
		return ENOMEM;
	ident_of(n, &e->id, e->own);
	e->at = at;
	e->len = name.len;
	e->cookie = cookie_of(name, SHAPE_DICT);
	view_entry_attr(h, n, &e->attr);
	l->nentries++;
	return 0;
}

/* What editors keep beside the files of a mapper. */
static int
add_shadows(struct hold *h, struct look *l)
{
	struct entry *e;
	struct node *n;
	size_t count = l->nentries;
	int err = 0;

	for (n = l->n->beside; n != NULL; n = n->beside_next)
		count++;
	if (count == l->nentries)
		return 0;
	e = realloc(l->entries, count * sizeof *e);
	if (e == NULL)
		return ENOMEM;
	l->entries = e;
	e += l->nentries;
	for (n = l->n->beside; n != NULL && err == 0; n = n->beside_next) {
		*e = (struct entry){ .at = l->bytes.len, .len = n->name_len };
		err = sbuf_add(&l->bytes, n->name, n->name_len);
		e->cookie = cookie_of((struct pinefs_name){ n->name,
		    n->name_len }, SHAPE_DICT);
		ident_of(n, &e->id, e->own);
		if (err == 0)
			err = node_attr(h, n, NULL, SHAPE_NONE, &e->attr);
		l->nentries++;
		e++;
	}
	return err;
}

static int
by_cookie(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

static int
look_readdir(struct hold *h, struct look *l)
{
	PyObject *answer;
	Py_ssize_t i, n;
	size_t j;
	int err;

	if ((answer = view_list(h, l->n, &err)) == NULL)
		return err;
	n = PyList_CheckExact(answer) ? PyList_Size(answer) : 0;
	l->entries = calloc((size_t)n + 1, sizeof l->entries[0]);
	err = l->entries != NULL ? 0 : ENOMEM;
	for (i = 0; i < n && err == 0; i++)
		err = add_entry(h, l, PyList_GetItem(answer, i));
	Py_DECREF(answer);
	if (err == 0)
		err = add_shadows(h, l);
	if (err != 0)
		return err;
	qsort(l->entries, l->nentries, sizeof l->entries[0], by_cookie);
	for (j = 1; j < l->nentries; j++)
		if (l->entries[j].cookie <= l->entries[j - 1].cookie)
			l->entries[j].cookie = l->entries[j - 1].cookie + 1;
	return 0;
}

/* `name` is that of a view beside or in a directory. */
static int
look_getxattr(struct hold *h, struct look *l)
{
	struct text t = { 0 };
	struct node *n;
	int err;

	if ((err = view_find(h, l->n, l->name, &n)) != 0)
		return err == ENOENT ? ENODATA : err;
	if (n->kind == PINEFS_DIR)
		return ENODATA;
	node_pin(n);
	if ((err = view_text(h, n, &t)) == 0)
		err = sbuf_add(&l->bytes, t.base, t.len);
	text_fini(&t);
	node_unpin(&h->pf->nodes, n);
	return err == ESTALE ? ENODATA : err;
}

static int
look_setxattr(struct hold *h, struct look *l)
{
	struct node *n;
	int err;

	if ((err = view_find(h, l->n, l->name, &n)) != 0)
		return err == ENOENT ? ENODATA : err;
	if (!(n->flags & NODE_WRITABLE))
		return EACCES;
	node_pin(n);
	err = view_write(h, n, l->bytes.base, l->bytes.len);
	if (err == 0)
		h->pf->changes++;
	else
		error_add(h->pf, n, (struct pinefs_name){ 0 }, "setxattr",
		    err);
	node_unpin(&h->pf->nodes, n);
	return err;
}

static int
look_run(struct job *job, struct hold *h)
{
	struct look *l = (struct look *)job;
	int err = EIO;

	error_forget();
	h->client = l->client;
	switch (l->what) {
	case VIEW_LOOKUP:
		err = look_lookup(h, l);
		break;
	case VIEW_GETATTR:
		err = node_attr(h, l->n, NULL, SHAPE_NONE, &l->attr);
		break;
	case VIEW_READ:
		err = look_read(h, l);
		break;
	case VIEW_READDIR:
		err = look_readdir(h, l);
		break;
	case VIEW_GETXATTR:
		err = look_getxattr(h, l);
		break;
	case VIEW_SETXATTR:
		err = look_setxattr(h, l);
		break;
	}
	node_unpin(&h->pf->nodes, l->n);
	return err;
}

static void
emit_entries(struct look *l)
{
	struct entry *e;

	for (e = l->entries; e < l->entries + l->nentries; e++) {
		if (e->cookie <= l->off)
			continue;
		e->id.own = e->own;
		if (pinefs_emit(l->to.emit, (struct pinefs_name){
		    l->bytes.base + e->at, e->len }, &e->id, e->cookie,
		    &e->attr) != 0)
			break;
	}
}

static void
look_done(struct job *job, int err)
{
	struct look *l = (struct look *)job;

	if (err == 0 && l->what == VIEW_LOOKUP) {
		ident_give(l->call, &l->id, l->own);
		*l->to.id = l->id;
	}
	if (err == 0 && l->what == VIEW_GETATTR)
		*l->to.attr = l->attr;
	if (err == 0 && l->what == VIEW_READDIR)
		emit_entries(l);
	if (err == 0 && l->what == VIEW_GETXATTR)
		err = pinefs_out_copy(l->to.out, l->bytes.base,
		    l->bytes.len);
	if (err == 0 && l->what == VIEW_READ) {
		err = pinefs_out_copy(l->to.out, l->bytes.base,
		    l->bytes.len);
		if (l->eof)
			pinefs_out_eof(l->to.out);
	}
	pinefs_complete(l->call, err);
}

/* What the client wants to be written: the call may end before the work. */
static int
copy_in(struct look *l, struct pinefs_in *in)
{
	const struct iovec *iov;
	unsigned n, i;
	int err = 0;

	if (in == NULL)
		return 0;
	iov = pinefs_in_iov(in, &n);
	for (i = 0; i < n && err == 0; i++)
		err = sbuf_add(&l->bytes, iov[i].iov_base, iov[i].iov_len);
	return err;
}

int
view_look(struct op *op, struct pinefs_call *call, enum view_look what,
    struct pinefs_name name, uint64_t off, uint32_t count,
    const struct view_to *to)
{
	const char *client = pinefs_call_cred(call)->client;
	struct pyfs *pf = op->h.pf;
	struct look *l = calloc(1, sizeof *l);
	int err;

	if (l == NULL)
		return ENOMEM;
	(void)PyOS_snprintf(l->client, sizeof l->client, "%s",
	    client != NULL ? client : "");
	l->what = what;
	l->call = call;
	l->n = op->n;
	l->off = off;
	l->count = count;
	l->to = *to;
	if (name.len > 0)
		memcpy(l->name_bytes, name.base, name.len);
	l->name = (struct pinefs_name){ l->name_bytes, name.len };
	if ((err = copy_in(l, to->in)) != 0) {
		look_fini(&l->job);
		free(l);
		return err;
	}
	l->job = (struct job){ .pf = pf, .run = look_run, .done = look_done,
	    .fini = look_fini,
	    .time_box = (int64_t)pf->config.time_box * 1000000 };
	node_pin(l->n);
	if ((err = worker_do(&l->job)) == 0)
		return PINEFS_LATER;
	node_unpin(&pf->nodes, op->n);
	look_fini(&l->job);
	free(l);
	return err;
}
