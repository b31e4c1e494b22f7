/*
 * Exports that come while the server serves: pinefs_on_mount.  They are
 * appended to the list of all, which others walk meanwhile, and stay there
 * until the server is freed.  Their names are recorded with their ids, so a
 * handle of an earlier run brings its export back.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "server/server.h"

enum { MORE_MAX = 1024, WAYS_MAX = 4096 };

struct one {
	struct vfs_export	 export;
	struct rpc_executor	*executor;	/* its own, or NULL */
};

struct more {
	pinefs_mount_fn		*fn;
	void			*arg;
	struct rpc_executor	*finder;	/* where fn is called */
	pthread_mutex_t		 lock;
	unsigned		 n;
	struct one		*one[MORE_MAX];
	const struct vfs_way	*ways;
	unsigned		 nways;
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
	s->more = m;
	return 0;
}

/* ---------------------------------------------------------- one of them -- */

/* Every field but `next`: nobody sees it yet. */
static int
prepare(struct pinefs_server *s, const struct pinefs_mount *m, struct one *o)
{
	uint32_t taken[SERVER_MAX_EXPORTS + MORE_MAX];
	const struct vfs_export *x;
	unsigned n = 0;
	int err;

	o->export.fs = m->fs;
	if ((o->export.path = strdup(m->name)) == NULL)
		return ENOMEM;
	for (x = s->exports.first; x != NULL; x = x->next)
		taken[n++] = x->id;
	err = server_finish_export(s, &o->export, taken, n);
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

static struct vfs_export *
add(struct pinefs_server *s, const struct pinefs_mount *m)
{
	struct vfs_export *last;
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
	s->more->one[s->more->n++] = o;
	last = s->exports.first;
	while (last != NULL && last->next != NULL)
		last = last->next;
	if (last == NULL)
		s->exports.first = &o->export;
	else
		last->next = &o->export;
	s->exports.n++;
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

/* NULL without memory, and when there are too many. */
static const struct vfs_way *
find_way(struct more *m, const char *path, size_t len)
{
	static const uint8_t fixed[16] = "ways to exports";
	const struct vfs_way *known;
	struct vfs_way *w;
	size_t n = len;

	for (known = m->ways; known != NULL; known = known->next)
		if (known->len == len && memcmp(known->path, path, len) == 0)
			return known;
	if (m->nways == WAYS_MAX ||
	    (w = calloc(1, sizeof *w + len + 1)) == NULL)
		return NULL;
	memcpy(w->path, path, len);
	w->len = len;
	/* Beside those of export roots and of the pseudo-root itself. */
	w->fileid = siphash24(fixed, path, len) | UINT64_C(1) << 63 | 1;
	while (n > 0 && path[n - 1] != '/')
		n--;
	w->up = n <= 1 ? NULL : find_way(m, path, n - 1);
	w->next = m->ways;
	m->ways = w;
	m->nways++;
	return w;
}

static const struct vfs_way *
way(void *arg, uint64_t fileid)
{
	struct more *m = ((struct pinefs_server *)arg)->more;
	const struct vfs_way *w;

	pthread_mutex_lock(&m->lock);
	for (w = m->ways; w != NULL && w->fileid != fileid; )
		w = w->next;
	pthread_mutex_unlock(&m->lock);
	return w;
}

/* --------------------------------------------------------------- asking -- */

static int
ask(struct pinefs_server *s, const char *path, uint32_t id,
    struct vfs_found *found, size_t *used)
{
	struct pinefs_mount m = { .path = path };
	int err = s->more->fn(s->more->arg, &m);

	*found = (struct vfs_found){ 0 };
	if (err == EISDIR) {
		found->way = find_way(s->more, path, strlen(path));
		return found->way == NULL ? ENOENT : EISDIR;
	}
	if (err != 0 || m.fs == NULL)
		return err != 0 ? err : ENOENT;
	if ((found->export = find(s, m.fs)) == NULL)
		found->export = add(s, &m);
	*used = m.used;
	/* By id: its name has got another one, now that the state was lost. */
	return found->export == NULL ? ENOMEM :
	    id != 0 && found->export->id != id ? ENOENT : 0;
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
	err = path == NULL ? ENOENT : ask(s, path, id, found, &used);
	if (err == 0 && text != NULL) {
		/* A slash may stand before it that the text has not. */
		used -= strlen(path) - len;
		found->rest = (struct pinefs_name){ text + used,
		    (uint32_t)(len - used) };
	}
	free(path);
	pthread_mutex_unlock(&s->more->lock);
	return err;
}

/* -------------------------------------------------------- begin and end -- */

int
more_begin(struct pinefs_server *s)
{
	int err;

	if (s->more == NULL)
		return 0;
	err = rpc_executor_new(&s->more->finder, 1, NULL, NULL, NULL);
	if (err == 0) {
		s->exports.more = more;
		s->exports.way = way;
		s->exports.more_arg = s;
		s->exports.executor = s->more->finder;
	}
	return err;
}

void
more_end(struct pinefs_server *s)
{
	struct one *o;
	unsigned i;

	if (s->more == NULL || s->more->finder == NULL)
		return;
	s->exports.executor = NULL;
	rpc_executor_free(s->more->finder);
	s->more->finder = NULL;
	for (i = 0; i < s->more->n; i++) {
		o = s->more->one[i];
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
	unsigned i;

	if (s->more == NULL)
		return;
	for (i = 0; i < s->more->n; i++)
		free_one(s->more->one[i]);
	while ((w = s->more->ways) != NULL) {
		s->more->ways = w->next;
		free((void *)(uintptr_t)w);
	}
	pthread_mutex_destroy(&s->more->lock);
	free(s->more);
	s->more = NULL;
}
