/*
 * One file system, answering three ways: at once; at once, but on threads of
 * an executor; and later, from another thread, in any order.  What clients
 * see must be the same, and each operation must be asked once.
 */
#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "vfs_rig.h"

enum way { INLINE, EXECUTOR, LATER };

static enum way way;

/* ------------------------------------------------------ the file system -- */

enum { OBJECTS = 256, NAMES = 512, DATA = 256, ROOT = 100 };

static struct object {
	bool		there;
	uint32_t	type, mode, nlink;
	uint64_t	size, change;
	char		data[DATA];
	uint8_t		verf[8];
	uint64_t	cookie;		/* the last one, of a directory */
} object[OBJECTS];	/* by fileid - ROOT */

static struct entry {
	uint64_t	dir, object, cookie;	/* dir 0: free */
	char		name[16];
} entry[NAMES];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint asked;	/* operations, all together */

/* An operation, and what it was given. */
struct job {
	struct job			*next;
	int				(*fn)(const struct job *);
	struct pinefs_call		*call;
	struct pinefs_node		*node, *other;
	struct pinefs_name		 name;
	struct pinefs_ident		*id;
	struct pinefs_attr		*attr;
	struct pinefs_emit		*emit;
	struct pinefs_out		*out;
	struct pinefs_write		*w;
	const struct pinefs_set		*set;
	const struct pinefs_create	*how;
	struct pinefs_made		*made;
	struct pinefs_change		*chg;
	struct pinefs_rename		*r;
	uint64_t			 off;
	uint32_t			 count;
	int				 kind;
};

static struct job *queue;
static unsigned queued;
static bool stopping;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_cond = PTHREAD_COND_INITIALIZER;
static unsigned seed;

static unsigned
any(unsigned n)
{
	return (unsigned)rand_r(&seed) / 7 % n;
}

/* Answer as the way is. */
static int
answer(struct job job)
{
	struct job *j;
	bool early;

	atomic_fetch_add(&asked, 1);
	if (way != LATER)
		return job.fn(&job);
	pthread_mutex_lock(&queue_lock);
	early = any(5) == 0;
	if (!early) {
		j = malloc(sizeof *j);
		*j = job;
		j->next = queue;
		queue = j;
		queued++;
		pthread_cond_signal(&queue_cond);
	}
	pthread_mutex_unlock(&queue_lock);
	if (early)
		pinefs_complete(job.call, job.fn(&job));
	return PINEFS_LATER;
}

static void *
worker(void *arg)
{
	struct job *j, **p;
	unsigned i;

	pthread_mutex_lock(&queue_lock);
	while (!stopping || queued > 0) {
		if (queued == 0) {
			pthread_cond_wait(&queue_cond, &queue_lock);
			continue;
		}
		for (p = &queue, i = any(queued); i > 0; i--)
			p = &(*p)->next;
		j = *p;
		*p = j->next;
		queued--;
		pthread_mutex_unlock(&queue_lock);
		pinefs_complete(j->call, j->fn(j));
		free(j);
		pthread_mutex_lock(&queue_lock);
	}
	pthread_mutex_unlock(&queue_lock);
	return arg;
}

static uint64_t
id_of(const struct pinefs_node *node)
{
	struct pinefs_ident id;

	pinefs_node_ident(node, &id);
	return id.fileid;
}

static struct object *
object_of(const struct pinefs_node *node)
{
	struct object *o = &object[id_of(node) - ROOT];

	return o->there ? o : NULL;
}

static struct entry *
entry_of(uint64_t dir, struct pinefs_name name)
{
	for (int i = 0; i < NAMES; i++)
		if (entry[i].dir == dir && strlen(entry[i].name) == name.len &&
		    memcmp(entry[i].name, name.base, name.len) == 0)
			return &entry[i];
	return NULL;
}

static void
stamp(struct pinefs_stamp *s, const struct object *o)
{
	s->change = o->change;
	s->size = o->size;
}

static void
fill(struct pinefs_attr *a, const struct object *o)
{
	a->have = PINEFS_ALL & ~(PINEFS_BTIME | PINEFS_RDEV);
	a->uid = a->gid = 0;
	a->mtime.tv_sec = a->ctime.tv_sec = a->atime.tv_sec =
	    (time_t)o->change;
	a->used = o->size;
	a->generation = 0;
	a->type = o->type;
	a->change = o->change;
	a->size = o->size;
	a->mode = o->mode;
	a->nlink = o->nlink;
}

static int
do_lookup(const struct job *j)
{
	struct entry *e;

	pthread_mutex_lock(&lock);
	if ((e = entry_of(id_of(j->node), j->name)) != NULL)
		j->id->fileid = e->object;
	pthread_mutex_unlock(&lock);
	return e == NULL ? ENOENT : 0;
}

static int
do_getattr(const struct job *j)
{
	struct object *o;

	pthread_mutex_lock(&lock);
	if ((o = object_of(j->node)) != NULL)
		fill(j->attr, o);
	pthread_mutex_unlock(&lock);
	return o == NULL ? ESTALE : 0;
}

static int
do_readdir(const struct job *j)
{
	uint64_t dir = id_of(j->node), after = j->off;
	struct pinefs_ident id = { 0 };
	struct pinefs_attr a;
	struct entry *e;
	int i, err = 0;

	pthread_mutex_lock(&lock);
	for (;;) {
		e = NULL;
		for (i = 0; i < NAMES; i++)
			if (entry[i].dir == dir && entry[i].cookie > after &&
			    (e == NULL || entry[i].cookie < e->cookie))
				e = &entry[i];
		if (e == NULL)
			break;
		after = e->cookie;
		id.fileid = e->object;
		fill(&a, &object[e->object - ROOT]);
		/* Attributes of every other one are left to be asked for. */
		if (pinefs_emit(j->emit, rig_name(e->name), &id, e->cookie,
		    e->cookie % 2 ? &a : NULL) != 0)
			break;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

static int
do_read(const struct job *j)
{
	struct object *o;
	int err = ESTALE;

	pthread_mutex_lock(&lock);
	if ((o = object_of(j->node)) != NULL)
		err = pinefs_out_slice(j->out, o->data, o->size, j->off,
		    j->count);
	pthread_mutex_unlock(&lock);
	return err;
}

static int
do_write(const struct job *j)
{
	struct object *o;
	int err = 0;

	pthread_mutex_lock(&lock);
	if ((o = object_of(j->node)) == NULL) {
		err = ESTALE;
	} else if (j->w->off + j->w->count > DATA) {
		err = EFBIG;
	} else {
		stamp(&j->w->change.before, o);
		j->w->written = pinefs_in_copy(j->w->in, o->data + j->w->off);
		if (o->size < j->w->off + j->w->count)
			o->size = j->w->off + j->w->count;
		o->change++;
		stamp(&j->w->change.after, o);
		j->w->change.atomic = true;
		j->w->committed = PINEFS_FILE_SYNC;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

static int
do_setattr(const struct job *j)
{
	struct object *o;
	int err = 0;

	pthread_mutex_lock(&lock);
	if ((o = object_of(j->node)) == NULL) {
		err = ESTALE;
	} else if (j->set->attr.have & PINEFS_SIZE &&
	    j->set->attr.size > DATA) {
		err = EFBIG;
	} else {
		stamp(&j->chg->before, o);
		if (j->set->attr.have & PINEFS_SIZE) {
			o->size = j->set->attr.size;
			memset(o->data + o->size, 0, DATA - o->size);
		}
		if (j->set->attr.have & PINEFS_MODE)
			o->mode = j->set->attr.mode;
		o->change++;
		stamp(&j->chg->after, o);
		j->chg->atomic = true;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

static void
add_entry(uint64_t dir, struct pinefs_name name, uint64_t id)
{
	int i = 0;

	while (entry[i].dir != 0)
		i++;
	memset(&entry[i], 0, sizeof entry[i]);
	entry[i].dir = dir;
	entry[i].object = id;
	entry[i].cookie = ++object[dir - ROOT].cookie;
	memcpy(entry[i].name, name.base, name.len);
}

static int
do_create(const struct job *j)
{
	struct object *dir, *o;
	struct entry *e;
	uint64_t i;
	int err = 0;

	pthread_mutex_lock(&lock);
	if ((dir = object_of(j->node)) == NULL) {
		err = ESTALE;
		goto out;
	}
	stamp(&j->made->dir.before, dir);
	if ((e = entry_of(id_of(j->node), j->name)) != NULL) {
		o = &object[e->object - ROOT];
		if (j->how->exclusive == PINEFS_GUARDED ||
		    (j->how->exclusive == PINEFS_EXCLUSIVE &&
		    memcmp(o->verf, j->how->verf, 8) != 0)) {
			err = EEXIST;
			goto out;
		}
		j->made->existed = true;
		j->made->id.fileid = e->object;
	} else {
		for (i = 0; object[i].there; i++)
			;
		o = &object[i];
		memset(o, 0, sizeof *o);
		o->there = true;
		o->type = j->how->type;
		o->mode = j->how->set.attr.mode;
		o->nlink = 1;
		o->change = 1;
		memcpy(o->verf, j->how->verf, 8);
		j->made->id.fileid = ROOT + i;
		add_entry(id_of(j->node), j->name, ROOT + i);
		dir->change++;
	}
	if (j->how->type == PINEFS_DIR)
		fill(&j->made->attr, o);	/* a file's are asked for */
	stamp(&j->made->dir.after, dir);
	j->made->dir.atomic = true;
out:
	pthread_mutex_unlock(&lock);
	return err;
}

static void
drop_entry(struct entry *e)
{
	struct object *o = &object[e->object - ROOT];

	e->dir = 0;
	if (--o->nlink == 0)
		o->there = false;
}

static bool
has_entries(uint64_t dir)
{
	for (int i = 0; i < NAMES; i++)
		if (entry[i].dir == dir)
			return true;
	return false;
}

static int
do_remove(const struct job *j)
{
	struct object *dir;
	struct entry *e;
	int err = 0;

	pthread_mutex_lock(&lock);
	if ((dir = object_of(j->node)) == NULL)
		err = ESTALE;
	else if ((e = entry_of(id_of(j->node), j->name)) == NULL)
		err = ENOENT;
	else if (object[e->object - ROOT].type == PINEFS_DIR &&
	    !(j->kind & PINEFS_REMOVE_DIR))
		err = EISDIR;
	else if (object[e->object - ROOT].type != PINEFS_DIR &&
	    !(j->kind & PINEFS_REMOVE_FILE))
		err = ENOTDIR;
	else if (has_entries(e->object))
		err = ENOTEMPTY;
	if (err == 0) {
		stamp(&j->chg->before, dir);
		drop_entry(e);
		dir->change++;
		stamp(&j->chg->after, dir);
		j->chg->atomic = true;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

static int
do_rename(const struct job *j)
{
	struct pinefs_rename *r = j->r;
	struct object *from, *to;
	struct entry *e, *old;
	uint64_t id;
	int err = 0;

	pthread_mutex_lock(&lock);
	from = object_of(r->from);
	to = object_of(r->to);
	e = entry_of(id_of(r->from), r->old_name);
	if (from == NULL || to == NULL)
		err = ESTALE;
	else if (e == NULL)
		err = ENOENT;
	if (err == 0) {
		stamp(&r->from_change.before, from);
		stamp(&r->to_change.before, to);
		id = e->object;
		old = entry_of(id_of(r->to), r->new_name);
		if (old == NULL || old->object != id) {
			if (old != NULL)
				drop_entry(old);
			e->dir = 0;
			add_entry(id_of(r->to), r->new_name, id);
			from->change++;
			if (to != from)
				to->change++;
		}
		stamp(&r->from_change.after, from);
		stamp(&r->to_change.after, to);
		r->from_change.atomic = r->to_change.atomic = true;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

static int
do_link(const struct job *j)
{
	struct object *o, *dir;
	int err = 0;

	pthread_mutex_lock(&lock);
	o = object_of(j->node);
	dir = object_of(j->other);
	if (o == NULL || dir == NULL)
		err = ESTALE;
	else if (entry_of(id_of(j->other), j->name) != NULL)
		err = EEXIST;
	if (err == 0) {
		stamp(&j->chg->before, dir);
		add_entry(id_of(j->other), j->name, id_of(j->node));
		o->nlink++;
		dir->change++;
		stamp(&j->chg->after, dir);
		j->chg->atomic = true;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

/* The table: each operation hands over what it was given. */
#define C struct pinefs_call *call
#define N struct pinefs_node *node
static int op_lookup(C, N, struct pinefs_name name, struct pinefs_ident *id)
{ return answer((struct job){ .fn = do_lookup, .call = call, .node = node,
    .name = name, .id = id }); }
static int op_getattr(C, N, uint64_t want, struct pinefs_attr *attr)
{ return answer((struct job){ .fn = do_getattr, .call = call, .node = node,
    .attr = attr, .off = want }); }
static int op_readdir(C, N, uint64_t after, struct pinefs_emit *emit)
{ return answer((struct job){ .fn = do_readdir, .call = call, .node = node,
    .off = after, .emit = emit }); }
static int op_read(C, N, uint64_t off, uint32_t count, struct pinefs_out *out)
{ return answer((struct job){ .fn = do_read, .call = call, .node = node,
    .off = off, .count = count, .out = out }); }
static int op_write(C, N, struct pinefs_write *w)
{ return answer((struct job){ .fn = do_write, .call = call, .node = node,
    .w = w }); }
static int op_setattr(C, N, const struct pinefs_set *set,
    struct pinefs_change *chg)
{ return answer((struct job){ .fn = do_setattr, .call = call, .node = node,
    .set = set, .chg = chg }); }
static int op_create(C, N, struct pinefs_name name,
    const struct pinefs_create *how, struct pinefs_made *made)
{ return answer((struct job){ .fn = do_create, .call = call, .node = node,
    .name = name, .how = how, .made = made }); }
static int op_remove(C, N, struct pinefs_name name, int kind,
    struct pinefs_change *chg)
{ return answer((struct job){ .fn = do_remove, .call = call, .node = node,
    .name = name, .kind = kind, .chg = chg }); }
static int op_rename(C, struct pinefs_rename *r)
{ return answer((struct job){ .fn = do_rename, .call = call, .r = r }); }
static int op_link(C, N, struct pinefs_node *dir, struct pinefs_name name,
    struct pinefs_change *chg)
{ return answer((struct job){ .fn = do_link, .call = call, .node = node,
    .other = dir, .name = name, .chg = chg }); }
#undef C
#undef N

static const struct pinefs_ops table = { .flags = PINEFS_STABLE_IDS,
    .lookup = op_lookup, .getattr = op_getattr, .readdir = op_readdir,
    .read = op_read, .write = op_write, .setattr = op_setattr,
    .create = op_create, .remove = op_remove, .rename = op_rename,
    .link = op_link };

/* ------------------------------------------------------------- clients -- */

static struct vfs_export x;

/* One client: works below a directory of its own, and writes all down. */
struct client {
	pthread_t	 thread;
	unsigned	 number;
	char		 home[16];
	char		*log;
	size_t		 len, room;
	unsigned	 runs;
};

/* One request: two names with their directories, below the client's home. */
struct request {
	struct client	*client;
	int		 what;
	const char	*dir, *name, *dir2, *name2;
	uint64_t	 off;
	const char	*data;
	char		 result[2000];
};

enum { DO_CREATE, DO_MKDIR, DO_LOOKUP, DO_WRITE, DO_READ, DO_SIZE, DO_REMOVE,
    DO_RMDIR, DO_RENAME, DO_LINK, DO_LIST, DO_PLUS };

static int
walk(struct pinefs_call *call, struct client *c, const char *dir,
    struct pinefs_node **node)
{
	int err;

	if ((err = vfs_node_root(call, node)) != 0 ||
	    (err = vfs_lookup(call, *node, rig_name(c->home), node)) != 0)
		return err;
	return *dir == '\0' ? 0 : vfs_lookup(call, *node, rig_name(dir),
	    node);
}

static int
list_add(void *arg, const struct vfs_entry *e)
{
	char *to = arg;

	to += strlen(to);
	to += sprintf(to, " %.*s", (int)e->name.len, e->name.base);
	if (e->attr != NULL)
		sprintf(to, "=%u/%u/%llu", e->attr->type, e->attr->nlink,
		    (unsigned long long)e->attr->size);
	return strlen(arg) > 120;
}

static int
do_list(struct pinefs_call *call, struct pinefs_node *dir, uint64_t want,
    char *to)
{
	struct vfs_readdir rd = { .dots = true, .want = want,
	    .add = list_add, .add_arg = to };
	int err;

	*to = '\0';
	err = vfs_readdir(call, dir, &rd);
	if (err == 0)
		sprintf(to + strlen(to), " eof=%d", rd.eof);
	return err;
}

/* As a procedure of NFS does: steps one after the other, wcc at the end. */
static int
request_proc(struct pinefs_call *call, void *arg)
{
	struct request *q = arg;
	struct pinefs_create how = { .type = PINEFS_REG };
	struct pinefs_set set = { .attr = { .have = PINEFS_SIZE,
	    .size = q->off } };
	struct pinefs_node *dir, *node, *to;
	struct vfs_wcc a = { 0 }, b = { 0 };
	struct vfs_write w = { .off = q->off };
	struct vfs_data data;
	struct pinefs_attr attr = { 0 };
	int err, n = 0;
	char bytes[DATA];

	if ((err = walk(call, q->client, q->dir, &dir)) != 0)
		return err;
	switch (q->what) {
	case DO_MKDIR:
		how.type = PINEFS_DIR;
		how.exclusive = PINEFS_GUARDED;
		how.set.attr.have = PINEFS_MODE;
		how.set.attr.mode = 0755;
		__attribute__((fallthrough));
	case DO_CREATE:
		err = vfs_create(call, dir, rig_name(q->name), &how, &node,
		    &a);
		if (err == 0)
			err = vfs_getattr(call, node, &attr);
		break;
	case DO_LOOKUP:
		err = vfs_lookup(call, dir, rig_name(q->name), &node);
		if (err == 0)
			err = vfs_getattr(call, node, &attr);
		break;
	case DO_WRITE:
		w.data = xdr_view(q->data, (uint32_t)strlen(q->data));
		if ((err = vfs_lookup(call, dir, rig_name(q->name),
		    &node)) == 0)
			err = vfs_write(call, node, &w);
		a = w.wcc;
		n = (int)w.written;
		break;
	case DO_READ:
		if ((err = vfs_lookup(call, dir, rig_name(q->name),
		    &node)) != 0 ||
		    (err = vfs_read(call, node, q->off, 50, &data)) != 0 ||
		    (err = vfs_getattr(call, node, &attr)) != 0)
			return err;
		n = (int)rig_bytes(&data.bytes, bytes, sizeof bytes);
		sprintf(q->result, "'%.*s' eof=%d", n, bytes, data.eof);
		return 0;
	case DO_SIZE:
		if ((err = vfs_lookup(call, dir, rig_name(q->name),
		    &node)) == 0)
			err = vfs_setattr(call, node, &set, &a);
		break;
	case DO_REMOVE:
	case DO_RMDIR:
		err = vfs_remove(call, dir, rig_name(q->name),
		    q->what == DO_RMDIR ? PINEFS_REMOVE_DIR :
		    PINEFS_REMOVE_FILE, &a);
		break;
	case DO_RENAME:
		if ((err = walk(call, q->client, q->dir2, &to)) == 0)
			err = vfs_rename(call, dir, rig_name(q->name), to,
			    rig_name(q->name2), &a, &b);
		break;
	case DO_LINK:
		if ((err = vfs_lookup(call, dir, rig_name(q->name),
		    &node)) == 0 &&
		    (err = walk(call, q->client, q->dir2, &to)) == 0)
			err = vfs_link(call, node, to, rig_name(q->name2),
			    &b);
		break;
	case DO_LIST:
	case DO_PLUS:
		return do_list(call, dir, q->what == DO_PLUS ? PINEFS_ALL : 0,
		    q->result);
	}
	if (err == PINEFS_LATER)
		return err;
	sprintf(q->result, "n=%d attr=%u/%u/%llu wcc=%d+%d+%llu %d+%d+%llu",
	    n, attr.type, attr.nlink, (unsigned long long)attr.size,
	    a.has_before, a.has_after, (unsigned long long)(a.has_before ?
	    a.after.change - a.change_before : 0), b.has_before, b.has_after,
	    (unsigned long long)(b.has_before ?
	    b.after.change - b.change_before : 0));
	return err;
}

static void
note(struct client *c, const struct request *q, int err)
{
	if (c->len + 2200 > c->room)
		c->log = realloc(c->log, c->room += 100000);
	c->len += (size_t)sprintf(c->log + c->len,
	    "%d %s/%s %s/%s %llu: %d %s\n", q->what, q->dir, q->name, q->dir2,
	    q->name2, (unsigned long long)q->off, err, q->result);
}

/* Random requests, the same ones for a number whatever the way is. */
static void *
client_work(void *arg)
{
	static const char *const dirs[] = { "", "", "a", "b" };
	static const char *const names[] = { "a", "b", "c", "d", "e", "f",
	    "g", "h" };
	static struct rig_call calls[8];
	struct client *c = arg;
	struct rig_call *r = &calls[c->number];
	unsigned s = c->number * 7919 + 1;
	struct request q;
	int i, err;

	for (i = 0; i < 600; i++) {
		memset(&q, 0, sizeof q);
		q.client = c;
		q.what = i < 2 ? DO_MKDIR : (int)((unsigned)rand_r(&s) % 12);
		q.dir = i < 2 ? "" : dirs[(unsigned)rand_r(&s) % 4];
		q.dir2 = dirs[(unsigned)rand_r(&s) % 4];
		q.name = i < 2 ? names[i] : names[(unsigned)rand_r(&s) % 8];
		q.name2 = names[(unsigned)rand_r(&s) % 8];
		q.off = (unsigned)rand_r(&s) % 300;
		q.data = "some bytes to be written there";
		/* Renaming directories is another test's business. */
		if (q.what == DO_RENAME && (q.name[0] < 'c' ||
		    q.name2[0] < 'c'))
			continue;
		if (q.what == DO_LINK && q.name[0] < 'c')
			continue;
		rig_begin(r, &x);
		err = rig_run(r, request_proc, &q);
		c->runs += r->runs;
		rig_end(r);
		note(c, &q, err);
	}
	return NULL;
}

/* What all clients saw, and how often the file system was asked. */
static char *
run_all(enum way how, unsigned clients, unsigned *ops, unsigned *runs)
{
	struct pinefs_ident root = { .fileid = ROOT };
	struct client c[8];
	pthread_t workers[2];
	char *all = calloc(1, 1);
	unsigned i;

	way = how;
	memset(object, 0, sizeof object);
	memset(entry, 0, sizeof entry);
	object[0] = (struct object){ .there = true, .type = PINEFS_DIR,
	    .mode = 0755, .nlink = 2, .change = 1 };
	seed = 42;
	stopping = false;
	rig_export(&x, pinefs_new(&table, NULL));
	CHECK(pinefs_set_root(x.fs, &root) == 0);
	memset(c, 0, sizeof c);
	for (i = 0; i < clients; i++) {
		c[i].number = i;
		sprintf(c[i].home, "home%u", i);
		object[i + 1] = object[0];
		add_entry(ROOT, rig_name(c[i].home), ROOT + 1 + i);
	}
	atomic_store(&asked, 0);
	for (i = 0; i < 2; i++)
		pthread_create(&workers[i], NULL, worker, NULL);
	/* An executor runs calls whole, on threads of its own. */
	for (i = 0; i < clients; i++) {
		if (how == INLINE)
			client_work(&c[i]);
		else
			pthread_create(&c[i].thread, NULL, client_work,
			    &c[i]);
	}
	*runs = 0;
	for (i = 0; i < clients; i++) {
		if (how != INLINE)
			pthread_join(c[i].thread, NULL);
		all = realloc(all, strlen(all) + c[i].len + 1);
		strcat(all, c[i].log);
		*runs += c[i].runs;
		free(c[i].log);
	}
	pthread_mutex_lock(&queue_lock);
	stopping = true;
	pthread_cond_broadcast(&queue_cond);
	pthread_mutex_unlock(&queue_lock);
	for (i = 0; i < 2; i++)
		pthread_join(workers[i], NULL);
	*ops = atomic_load(&asked);
	pinefs_free(x.fs);
	return all;
}

static void
compare(const char *a, const char *b)
{
	const char *p = a, *q = b, *line = a;

	while (*p != '\0' && *p == *q) {
		if (*p == '\n')
			line = p + 1;
		p++;
		q++;
	}
	if (*p != *q)
		print_error("first: %.200s\nsecond: %.200s\n", line,
		    b + (line - a));
	CHECK(*p == *q);
}

static void
test_a_file_system_may_answer_in_three_ways(void)
{
	unsigned ops[3], runs[3];
	char *log[3];

	log[INLINE] = run_all(INLINE, 4, &ops[INLINE], &runs[INLINE]);
	log[EXECUTOR] = run_all(EXECUTOR, 4, &ops[EXECUTOR],
	    &runs[EXECUTOR]);
	log[LATER] = run_all(LATER, 4, &ops[LATER], &runs[LATER]);
	CHECK(strlen(log[INLINE]) > 10000);
	compare(log[INLINE], log[EXECUTOR]);
	compare(log[INLINE], log[LATER]);
	/* Each operation once, however often the procedure ran. */
	assert_int_equal(ops[INLINE], ops[EXECUTOR]);
	assert_int_equal(ops[INLINE], ops[LATER]);
	CHECK(runs[LATER] > runs[INLINE] * 2);
	for (int i = 0; i < 3; i++)
		free(log[i]);
}

static void
test_a_rename_waits_in_each_of_its_steps(void)
{
	struct pinefs_ident root = { .fileid = ROOT };
	struct client c = { .home = "home" };
	struct request q = { .client = &c, .what = DO_RENAME, .dir = "a",
	    .name = "x", .dir2 = "b", .name2 = "y" };
	pthread_t w;
	static struct rig_call r;
	unsigned once, i;

	for (i = 0; i < 2; i++) {
		memset(object, 0, sizeof object);
		memset(entry, 0, sizeof entry);
		for (int k = 0; k < 4; k++)
			object[k] = (struct object){ .there = true,
			    .type = PINEFS_DIR, .mode = 0755, .nlink = 1,
			    .change = 1 };
		object[4] = (struct object){ .there = true, .nlink = 1,
		    .type = PINEFS_REG, .mode = 0644, .change = 1 };
		add_entry(ROOT, rig_name("home"), ROOT + 1);
		add_entry(ROOT + 1, rig_name("a"), ROOT + 2);
		add_entry(ROOT + 1, rig_name("b"), ROOT + 3);
		add_entry(ROOT + 2, rig_name("x"), ROOT + 4);
		way = i == 0 ? INLINE : LATER;
		stopping = false;
		atomic_store(&asked, 0);
		pthread_create(&w, NULL, worker, NULL);
		rig_export(&x, pinefs_new(&table, NULL));
		CHECK(pinefs_set_root(x.fs, &root) == 0);
		rig_begin(&r, &x);
		CHECK(rig_run(&r, request_proc, &q) == 0);
		CHECK(strcmp(q.result,
		    "n=0 attr=0/0/0 wcc=1+1+1 1+1+1") == 0);
		CHECK(entry_of(ROOT + 3, rig_name("y")) != NULL);
		CHECK(entry_of(ROOT + 2, rig_name("x")) == NULL);
		rig_end(&r);
		pinefs_free(x.fs);
		pthread_mutex_lock(&queue_lock);
		stopping = true;
		pthread_cond_broadcast(&queue_cond);
		pthread_mutex_unlock(&queue_lock);
		pthread_join(w, NULL);
		if (i == 0)
			once = atomic_load(&asked);
		else
			assert_int_equal(atomic_load(&asked), once);
	}
}

/* ------------------------------------------- door 1, answering later too -- */

static struct pinefs_call *held[4];
static unsigned holds, writes_in, most_in;

static int
hold(struct pinefs_call *call)
{
	held[holds++] = call;
	return PINEFS_LATER;
}

static int
slow_write(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_write *w)
{
	(void)node;
	w->written = w->count;
	if (++writes_in > most_in)
		most_in = writes_in;
	return hold(call);
}

static int
slow_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	(void)node, (void)off;
	memset(pinefs_out_space(out, count), 'r', count);
	return hold(call);
}

static int
slow_truncate(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t size)
{
	(void)node, (void)size;
	return hold(call);
}

static int
slow_create(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, const struct pinefs_create *how,
    struct pinefs_made *made)
{
	(void)dir, (void)name, (void)how;
	CHECK(made->node != NULL);
	return hold(call);
}

static int
slow_remove(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, int kind, struct pinefs_change *chg)
{
	(void)dir, (void)name, (void)kind;
	CHECK(chg == NULL);
	return hold(call);
}

static int
slow_setattr(struct pinefs_call *call, struct pinefs_node *node,
    const struct pinefs_set *set, struct pinefs_change *chg)
{
	(void)node, (void)set;
	CHECK(chg == NULL);
	return hold(call);
}

static int
slow_rename(struct pinefs_call *call, struct pinefs_rename *r)
{
	CHECK(r->from != NULL && r->to != NULL);
	return hold(call);
}

static const struct pinefs_ops slow = { .read = slow_read,
    .write = slow_write, .truncate = slow_truncate, .create = slow_create,
    .remove = slow_remove, .setattr = slow_setattr, .rename = slow_rename };

/* Let the operation go that waits, with this answer. */
static void
let_go(int err)
{
	struct pinefs_call *call = held[--holds];

	CHECK(holds == 0);
	pinefs_complete(call, err);
}

struct slow_args {
	int		what;
	const char	*name;
	struct vfs_wcc	wcc;
	uint64_t	size;
};

static int
slow_proc(struct pinefs_call *call, void *arg)
{
	struct slow_args *a = arg;
	struct pinefs_create how = { .type = PINEFS_REG };
	struct pinefs_set set = { .attr = { .have = PINEFS_SIZE,
	    .size = 3 } };
	struct vfs_write w = { .data = xdr_view("12345", 5) };
	struct pinefs_node *root, *n;
	struct vfs_data data;
	struct vfs_wcc other;
	int err;

	if ((err = vfs_node_root(call, &root)) != 0)
		return err;
	if (a->what == DO_CREATE)
		return vfs_create(call, root, rig_name(a->name), &how, &n,
		    &a->wcc);
	if (a->what == DO_REMOVE)
		return vfs_remove(call, root, rig_name(a->name),
		    PINEFS_REMOVE_FILE, &a->wcc);
	if (a->what == DO_RENAME)
		return vfs_rename(call, root, rig_name(a->name), root,
		    rig_name("new"), &a->wcc, &other);
	if ((err = vfs_lookup(call, root, rig_name(a->name), &n)) != 0)
		return err;
	if (a->what == DO_WRITE) {
		err = vfs_write(call, n, &w);
		a->wcc = w.wcc;
		return err;
	}
	if (a->what == DO_SIZE)
		return vfs_setattr(call, n, &set, &a->wcc);
	err = vfs_read(call, n, 0, 100, &data);
	a->size = data.bytes.len;
	return err;
}

static struct rig_call one, two;

/* Run it up to `waits` waits, each completed with 0, the last with `err`. */
static int
slow_run(struct slow_args *a, unsigned waits, int err)
{
	int got;

	rig_begin(&one, &x);
	while ((got = slow_proc(&one.call, a)) == PINEFS_LATER) {
		CHECK(waits > 0);
		let_go(--waits == 0 ? err : 0);
		rig_wait(&one);
		vfs_call_restart(&one.call);
		vfs_call_enter(&one.call, &x);
	}
	CHECK(waits == 0);
	rig_end(&one);
	return got;
}

static void
test_a_tree_whose_file_system_answers_later(void)
{
	struct slow_args a = { .what = DO_CREATE, .name = "f" };

	rig_export(&x, pinefs_new(&slow, NULL));
	CHECK(slow_run(&a, 1, EDQUOT) == EDQUOT);	/* it refuses */
	CHECK(slow_run(&a, 1, 0) == 0);
	CHECK(a.wcc.has_before &&
	    a.wcc.change_before + 1 == a.wcc.after.change);
	a.what = DO_WRITE;
	CHECK(slow_run(&a, 1, 0) == 0);
	CHECK(a.wcc.before.size == 0 && a.wcc.after.size == 5);
	writes_in = 0;
	a.what = DO_READ;
	CHECK(slow_run(&a, 1, 0) == 0 && a.size == 5);
	a.what = DO_SIZE;
	CHECK(slow_run(&a, 2, 0) == 0);		/* setattr, truncate */
	CHECK(a.wcc.before.size == 5 && a.wcc.after.size == 3);
	CHECK(slow_run(&a, 1, EPERM) == EPERM);
	a.what = DO_RENAME;
	CHECK(slow_run(&a, 1, 0) == 0);
	a.name = "new";
	a.what = DO_REMOVE;
	CHECK(slow_run(&a, 1, EBUSY) == EBUSY);
	CHECK(slow_run(&a, 1, 0) == 0);
	CHECK(slow_run(&a, 1, 0) == ENOENT);
	pinefs_free(x.fs);
}

static void
test_writes_of_one_node_take_turns(void)
{
	struct slow_args a = { .what = DO_CREATE, .name = "f" }, b;

	rig_export(&x, pinefs_new(&slow, NULL));
	CHECK(slow_run(&a, 1, 0) == 0);
	writes_in = most_in = 0;
	a.what = DO_WRITE;
	b = a;
	rig_begin(&one, &x);
	rig_begin(&two, &x);
	CHECK(slow_proc(&one.call, &a) == PINEFS_LATER);
	CHECK(slow_proc(&two.call, &b) == PINEFS_LATER);
	CHECK(writes_in == 1 && two.resumed == 0);
	writes_in = 0;
	let_go(0);
	/* The turn ends when the attributes are set, not before. */
	CHECK(one.resumed == 1 && two.resumed == 0);
	rig_wait(&one);
	vfs_call_restart(&one.call);
	vfs_call_enter(&one.call, &x);
	CHECK(slow_proc(&one.call, &a) == 0);
	CHECK(two.resumed == 1);
	rig_wait(&two);
	vfs_call_restart(&two.call);
	vfs_call_enter(&two.call, &x);
	CHECK(slow_proc(&two.call, &b) == PINEFS_LATER);
	CHECK(writes_in == 1);
	let_go(0);
	rig_wait(&two);
	vfs_call_restart(&two.call);
	vfs_call_enter(&two.call, &x);
	CHECK(slow_proc(&two.call, &b) == 0);
	CHECK(b.wcc.change_before == a.wcc.after.change);
	rig_end(&one);
	rig_end(&two);
	pinefs_free(x.fs);
}

CHECK_MAIN(
	CHECK_TEST(test_a_file_system_may_answer_in_three_ways),
	CHECK_TEST(test_a_rename_waits_in_each_of_its_steps),
	CHECK_TEST(test_a_tree_whose_file_system_answers_later),
	CHECK_TEST(test_writes_of_one_node_take_turns),
)
