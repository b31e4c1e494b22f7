/*
 * Exports at paths of any depth, with rules by client: what a file of exports
 * says.  They come in the way of exports that nobody knew before (more.c),
 * which has directories on the way to them and remembers their ids; but they
 * are there from the beginning, so that they are listed.
 *
 * One that is named stays until the server ends; where nobody is its client
 * any more its handles are refused to all, and it has no name: so another may
 * be at its path, above it or below.
 */
#include <stdlib.h>

#include "server/server.h"

struct named_export {
	struct named_export	*next;
	struct pinefs		*fs;
	struct vfs_rules	*rules;
	char			 path[];
};

struct named {
	pthread_mutex_t		 lock;		/* of the list */
	struct named_export	*first;
};

/* ---------------------------------------------------------- the list -- */

static struct named_export *
find(const struct named *t, const struct pinefs *fs)
{
	struct named_export *x = t->first;

	while (x != NULL && x->fs != fs)
		x = x->next;
	return x;
}

/*
 * Is `path` that of `above`, or one below it?  What lies below "/" is found
 * there by whoever looks, and asked for here only where it is not.
 */
static bool
is_below(const char *path, const char *above)
{
	size_t n = strlen(above);

	return strncmp(path, above, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0');
}

/* pinefs_mount_fn: the one that the path is, or lies in. */
static int
find_mount(void *arg, struct pinefs_mount *m)
{
	struct pinefs_server *s = arg;
	const struct named_export *x;
	int err = ENOENT;

	pthread_mutex_lock(&s->named->lock);
	for (x = s->named->first; x != NULL && err != 0; x = x->next) {
		if (vfs_rules_is_empty(x->rules))
			continue;
		if (is_below(m->path, x->path)) {
			m->fs = x->fs;
			m->name = x->path;
			m->used = strlen(x->path);
			err = 0;
		} else if (strcmp(m->path, "/") == 0 ||
		    is_below(x->path, m->path)) {
			err = EISDIR;
		}
	}
	pthread_mutex_unlock(&s->named->lock);
	return err;
}

struct vfs_rules *
named_rules(const struct pinefs_server *s, const struct pinefs *fs)
{
	const struct named_export *x = NULL;

	if (s->named == NULL)
		return NULL;
	pthread_mutex_lock(&s->named->lock);
	x = find(s->named, fs);
	pthread_mutex_unlock(&s->named->lock);
	return x == NULL ? NULL : x->rules;
}

/* ------------------------------------------------------------- naming -- */

static int
begin(struct pinefs_server *s)
{
	int err;

	if (s->named != NULL)
		return 0;
	if ((err = pinefs_on_mount(s, find_mount, s)) != 0)
		return err;
	if ((s->named = calloc(1, sizeof *s->named)) == NULL)
		return ENOMEM;
	pthread_mutex_init(&s->named->lock, NULL);
	return 0;
}

static struct named_export *
insert(struct named *t, const char *path, struct pinefs *fs)
{
	struct named_export *x, **last;
	size_t n = strlen(path) + 1;

	if ((x = calloc(1, sizeof *x + n)) == NULL ||
	    (x->rules = vfs_rules_new()) == NULL) {
		free(x);
		return NULL;
	}
	memcpy(x->path, path, n);
	x->fs = fs;
	pthread_mutex_lock(&t->lock);
	/* In the order they came, which is how clients see them listed. */
	for (last = &t->first; *last != NULL; )
		last = &(*last)->next;
	*last = x;
	pthread_mutex_unlock(&t->lock);
	return x;
}

static int
serve(struct pinefs_server *s, const struct named_export *x)
{
	const struct pinefs_mount m = { .path = x->path, .fs = x->fs,
	    .name = x->path };

	return more_add(s, &m);
}

int
server_name(struct pinefs_server *s, const char *path, struct pinefs *fs,
    const struct vfs_rule *rule, unsigned n)
{
	struct named_export *x;
	bool is_new;
	int err;

	if ((err = begin(s)) != 0)
		return err;
	is_new = (x = find(s->named, fs)) == NULL;
	if (is_new && (x = insert(s->named, path, fs)) == NULL)
		return ENOMEM;
	err = vfs_rules_set(x->rules, rule, n);
	s->exports.changes++;
	return err != 0 || !is_new || !s->started ? err : serve(s, x);
}

int
named_begin(struct pinefs_server *s)
{
	const struct named_export *x;
	int err = 0;

	for (x = s->named == NULL ? NULL : s->named->first;
	    x != NULL && err == 0; x = x->next)
		err = serve(s, x);
	return err;
}

void
named_free(struct pinefs_server *s)
{
	struct named_export *x;

	if (s->named == NULL)
		return;
	while ((x = s->named->first) != NULL) {
		s->named->first = x->next;
		vfs_rules_free(x->rules);
		free(x);
	}
	pthread_mutex_destroy(&s->named->lock);
	free(s->named);
	s->named = NULL;
}
