/*
 * Rules by client.  They are asked for at every call of an export that has
 * some, and change when somebody rereads a file of them: so what is found is
 * copied out under a lock, and belongs to the call.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "vfs/vfs.h"

struct vfs_rules {
	pthread_rwlock_t	 lock;
	struct vfs_rule		*rule;
	unsigned		 n;
};

struct vfs_rules *
vfs_rules_new(void)
{
	struct vfs_rules *t = calloc(1, sizeof *t);

	if (t != NULL)
		pthread_rwlock_init(&t->lock, NULL);
	return t;
}

void
vfs_rules_free(struct vfs_rules *t)
{
	if (t == NULL)
		return;
	pthread_rwlock_destroy(&t->lock);
	free(t->rule);
	free(t);
}

int
vfs_rules_set(struct vfs_rules *t, const struct vfs_rule *rule, unsigned n)
{
	struct vfs_rule *copy = NULL, *old;

	/* To take rights away needs no memory: that never fails. */
	if (n > 0) {
		if ((copy = calloc(n, sizeof *copy)) == NULL)
			return ENOMEM;
		memcpy(copy, rule, n * sizeof *copy);
	}
	pthread_rwlock_wrlock(&t->lock);
	old = t->rule;
	t->rule = copy;
	t->n = n;
	pthread_rwlock_unlock(&t->lock);
	free(old);
	return 0;
}

static bool
fits(const struct vfs_rule *r, const uint8_t addr[16])
{
	unsigned whole = r->bits / 8, rest = r->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	return memcmp(r->addr, addr, whole) == 0 && (rest == 0 ||
	    ((r->addr[whole] ^ addr[whole]) & mask) == 0);
}

bool
vfs_rules_find(struct vfs_rules *t, const uint8_t addr[16],
    struct vfs_rights *to)
{
	bool found = false;
	unsigned i;

	pthread_rwlock_rdlock(&t->lock);
	/* Linear: they are as many as somebody writes down.  A table by the
	 * number of bits when there are files of thousands of hosts. */
	for (i = 0; i < t->n && !found; i++) {
		found = fits(&t->rule[i], addr);
		if (found)
			*to = t->rule[i].rights;
	}
	pthread_rwlock_unlock(&t->lock);
	return found;
}

bool
vfs_rules_is_empty(struct vfs_rules *t)
{
	bool is_empty;

	pthread_rwlock_rdlock(&t->lock);
	is_empty = t->n == 0;
	pthread_rwlock_unlock(&t->lock);
	return is_empty;
}

void
vfs_rules_walk(struct vfs_rules *t,
    int (*fn)(void *arg, const struct vfs_rule *), void *arg)
{
	unsigned i;

	pthread_rwlock_rdlock(&t->lock);
	for (i = 0; i < t->n; i++)
		if (fn(arg, &t->rule[i]) != 0)
			break;
	pthread_rwlock_unlock(&t->lock);
}
