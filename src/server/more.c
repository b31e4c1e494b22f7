/*
 * Exports that come while the server serves: pinefs_on_mount.  They are
 * appended to the list of all, which others walk meanwhile, and stay there
 * until the server is freed.  Their names are recorded with their ids, so a
 * handle of an earlier run brings its export back.
 *
 * Whoever is asked for one may take long.  That is done on threads of its
 * own, and no lock is held meanwhile: only those of these threads that wait
 * are lost to others, and no loop ever waits.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "server/server.h"

enum { MORE_MAX = 1 << 20, WAYS_MAX = 1 << 16, WAY_BUCKETS = 1024,
    FINDERS = 8 };

struct one {
	struct one		*next;
	struct vfs_export	 export;
	struct rpc_executor	*executor;	/* its own, or NULL */
};

struct more {
	pinefs_mount_fn		*fn;
	void			*arg;
	struct rpc_executor	*finder;	/* where fn is called */
	pthread_mutex_t		 lock;		/* of these, and of ids */
	unsigned		 n;
	struct one		*first;
	struct vfs_export	*last;		/* of all exports */
	pthread_mutex_t		 ways_lock;
	const struct vfs_way	*ways[WAY_BUCKETS];
	unsigned		 nways;
	_Atomic(struct vfs_export *) by_id[VFS_EXPORT_BUCKETS];
};

int
pinefs_on_mount(struct pinefs_server *s, pinefs_mount_fn *fn, void *arg)
{
	struct more *m;

	if (s->started || s->more != NULL)
		return EBUSY;
	if ((m = calloc(1, sizeof *m)) == NULL)
		return ENOMEM;
	m->fn = fn;
	m->arg = arg;
	pthread_mutex_init(&m->lock, NULL);
	pthread_mutex_init(&m->ways_lock, NULL);
	s->more = m;
	return 0;
}

/* ---------------------------------------------------------- one of them -- */

/* Every field but `next`: nobody sees it yet. */
static int
prepare(struct pinefs_server *s, const struct pinefs_mount *m, struct one *o)
{
	uint32_t *taken = calloc(s->exports.n + 1, sizeof *taken);
	const struct vfs_export *x;
	unsigned n = 0;
	int err;

	o->export.fs = m->fs;
	o->export.rules = named_rules(s, m->fs);
	if (taken == NULL || (o->export.path = strdup(m->name)) == NULL) {
		free(taken);
		return ENOMEM;
	}
	for (x = s->exports.first; x != NULL; x = x->next)
		taken[n++] = x->id;
	err = server_finish_export(s, &o->export, taken, n);
	free(taken);
	return err != 0 ? err : server_make_executor(m->fs, &o->executor);
}

static void
free_one(struct one *o)
{
	if (o->executor != NULL)
		rpc_executor_free(o->executor);
	free(o->export.path);
	free(o);
}

/* Others look while it is done. */
static void
append(struct pinefs_server *s, struct vfs_export *x)
{
	struct more *m = s->more;
	struct vfs_export *last = m->last != NULL ? m->last :
	    s->exports.first;

	while (last != NULL && last->next != NULL)
		last = last->next;
	x->id_next = m->by_id[x->id % VFS_EXPORT_BUCKETS];
	m->by_id[x->id % VFS_EXPORT_BUCKETS] = x;
	if (last == NULL)
		s->exports.first = x;
	else
		last->next = x;
	m->last = x;
	s->exports.n++;
	s->exports.changes++;
}

static struct vfs_export *
add(struct pinefs_server *s, const struct pinefs_mount *m)
{
	char shown[1024];
	struct one *o;

	log_escape(shown, sizeof shown, m->name, strlen(m->name));
	if (s->more->n == MORE_MAX) {
		log_error("%s: more than %d exports", shown, MORE_MAX);
		return NULL;
	}
	if ((o = calloc(1, sizeof *o)) == NULL)
		return NULL;
	if (prepare(s, m, o) != 0) {
		free_one(o);
		return NULL;
	}
	o->next = s->more->first;
	s->more->first = o;
	s->more->n++;
	append(s, &o->export);
	log_info("%s is served", shown);
	return &o->export;
}

static struct vfs_export *
find(const struct pinefs_server *s, const struct pinefs *fs)
{
	struct vfs_export *x;

	for (x = s->exports.first; x != NULL && x->fs != fs; )
		x = x->next;
	return x;
}

/* ---------------------------------------------------------------- paths -- */

/* The path that an id of an earlier run stands for. */
static char *
path_of(const struct pinefs_server *s, uint32_t id)
{
	const char *instance = s->opt.instance == NULL ? "" : s->opt.instance;
	char *name = state_export_name(&s->state, id), *path = NULL;
	size_t n = strlen(instance);

	if (name != NULL && strncmp(name, instance, n) == 0)
		path = strdup(name + n);
	free(name);
	return path;
}

static char *
path_with_slash(const char *path, size_t len)
{
	char *p = NULL;

	if (memchr(path, '\0', len) != NULL ||
	    asprintf(&p, "%s%.*s", len > 0 && path[0] == '/' ? "" : "/",
	    (int)len, path) == -1)
		return NULL;
	return p;
}

/* ------------------------------------------------- directories above -- */

static uint64_t
way_id(const char *path, size_t len)
{
	static const uint8_t fixed[16] = "ways to exports";

	/* Beside those of export roots and of the pseudo-root itself. */
	return siphash24(fixed, path, len) | UINT64_C(1) << 63 | 1;
}

/* NULL without memory, and when there are too many. */
static const struct vfs_way *
find_way(struct more *m, const char *path, size_t len)
{
	uint64_t id = way_id(path, len);
	const struct vfs_way **at = &m->ways[id / 2 % WAY_BUCKETS], *known;
	struct vfs_way *w;
	size_t n = len;

	for (known = *at; known != NULL; known = known->next)
		if (known->len == len && memcmp(known->path, path, len) == 0)
			return known;
	if (m->nways == WAYS_MAX ||
	    (w = calloc(1, sizeof *w + len + 1)) == NULL)
		return NULL;
	memcpy(w->path, path, len);
	w->len = len;
	w->fileid = id;
	while (n > 0 && path[n - 1] != '/')
		n--;
	w->up = n <= 1 ? NULL : find_way(m, path, n - 1);
	w->next = *at;
	*at = w;
	m->nways++;
	return w;
}

static const struct vfs_way *
way(void *arg, uint64_t fileid)
{
	struct more *m = ((struct pinefs_server *)arg)->more;
	const struct vfs_way *w;

	pthread_mutex_lock(&m->ways_lock);
	for (w = m->ways[fileid / 2 % WAY_BUCKETS];
	    w != NULL && w->fileid != fileid; )
		w = w->next;
	pthread_mutex_unlock(&m->ways_lock);
	return w;
}

static const struct vfs_way *
known_way(void *arg, const char *path, size_t len)
{
	struct more *m = ((struct pinefs_server *)arg)->more;
	const struct vfs_way *w;

	pthread_mutex_lock(&m->ways_lock);
	w = find_way(m, path, len);
	pthread_mutex_unlock(&m->ways_lock);
	return w;
}

/*
 * Only for those who go on from there, component by component: so there are
 * no more of them than directories on this machine.
 */
static int
find_wanted_way(struct pinefs_server *s, const char *path,
    struct vfs_found *found)
{
	if (found->wants_way)
		found->way = known_way(s, path, strlen(path));
	return found->way == NULL ? ENOENT : EISDIR;
}

/* --------------------------------------------------------------- asking -- */

/* Found by fn: the export of it, which may be new. */
static int
export_of(struct pinefs_server *s, const struct pinefs_mount *m, uint32_t id,
    struct vfs_found *found)
{
	pthread_mutex_lock(&s->more->lock);
	if ((found->export = find(s, m->fs)) == NULL)
		found->export = add(s, m);
	pthread_mutex_unlock(&s->more->lock);
	if (found->export == NULL)
		return ENOMEM;
	/* By id: its name has got another one, now that the state was lost. */
	return id != 0 && found->export->id != id ? ENOENT : 0;
}

int
more_add(struct pinefs_server *s, const struct pinefs_mount *m)
{
	struct vfs_found found = { 0 };
	const char *slash = strrchr(m->path, '/');

	/* Handles of these are known after a restart, too. */
	if (slash != NULL && slash > m->path &&
	    known_way(s, m->path, (size_t)(slash - m->path)) == NULL)
		return ENOMEM;
	return export_of(s, m, 0, &found);
}

static int
ask(struct pinefs_server *s, const char *path, uint32_t id,
    struct vfs_found *found, size_t *used)
{
	struct pinefs_mount m = { .path = path };
	int err = s->more->fn(s->more->arg, &m);

	if (err == EISDIR)
		return find_wanted_way(s, path, found);
	if (err != 0 || m.fs == NULL)
		return err != 0 ? err : ENOENT;
	*used = m.used;
	return export_of(s, &m, id, found);
}

static int
more(void *arg, const char *text, size_t len, uint32_t id,
    struct vfs_found *found)
{
	struct pinefs_server *s = arg;
	size_t used;
	char *path;
	int err;

	pthread_mutex_lock(&s->more->lock);
	path = text != NULL ? path_with_slash(text, len) : path_of(s, id);
	pthread_mutex_unlock(&s->more->lock);
	err = path == NULL ? ENOENT : ask(s, path, id, found, &used);
	if (err == 0 && text != NULL) {
		/* A slash may stand before it that the text has not. */
		used -= strlen(path) - len;
		found->rest = (struct pinefs_name){ text + used,
		    (uint32_t)(len - used) };
	}
	free(path);
	return err;
}

/* -------------------------------------------------------- begin and end -- */

int
more_begin(struct pinefs_server *s)
{
	int err;

	if (s->more == NULL)
		return 0;
	err = rpc_executor_new(&s->more->finder, FINDERS, NULL, NULL, NULL);
	if (err == 0) {
		s->exports.named = s->nexports;
		s->exports.by_id = s->more->by_id;
		s->exports.more = more;
		s->exports.way = way;
		s->exports.known_way = known_way;
		s->exports.more_arg = s;
		s->exports.executor = s->more->finder;
		err = named_begin(s);
	}
	return err;
}

void
more_end(struct pinefs_server *s)
{
	struct one *o;

	if (s->more == NULL || s->more->finder == NULL)
		return;
	s->exports.executor = NULL;
	rpc_executor_free(s->more->finder);
	s->more->finder = NULL;
	for (o = s->more->first; o != NULL; o = o->next) {
		vfs_fs_set_executor(o->export.fs, NULL);
		if (o->executor != NULL)
			rpc_executor_free(o->executor);
		o->executor = NULL;
	}
}

void
more_free(struct pinefs_server *s)
{
	const struct vfs_way *w;
	struct one *o;
	unsigned i;

	if (s->more == NULL)
		return;
	while ((o = s->more->first) != NULL) {
		s->more->first = o->next;
		free_one(o);
	}
	for (i = 0; i < WAY_BUCKETS; i++)
		while ((w = s->more->ways[i]) != NULL) {
			s->more->ways[i] = w->next;
			free((void *)(uintptr_t)w);
		}
	pthread_mutex_destroy(&s->more->ways_lock);
	pthread_mutex_destroy(&s->more->lock);
	free(s->more);
	s->more = NULL;
}
