/* The list of what is mounted. */
#include "nfs/mounts.h"

#include <string.h>

/* `m` as it would stand in the list: the path cut, ended by a NUL. */
static void
fill(struct nfs_mounted *m, const char *host, const void *path, size_t len)
{
	memset(m, 0, sizeof *m);
	strncpy(m->host, host, sizeof m->host - 1);
	if (len > sizeof m->path - 1)
		len = sizeof m->path - 1;
	memcpy(m->path, path, len);
}

/* Linear: 256 at most, and mounting is rare. */
static unsigned
find(const struct nfs_mounts *l, const struct nfs_mounted *m)
{
	unsigned i;

	for (i = 0; i < l->n; i++)
		if (memcmp(&l->list[i], m, sizeof *m) == 0)
			break;
	return i;
}

static void
take_out(struct nfs_mounts *l, unsigned i)
{
	l->n--;
	memmove(&l->list[i], &l->list[i + 1],
	    (l->n - i) * sizeof l->list[0]);
}

void
nfs_mounts_add(struct nfs_mounts *l, const char *host, const void *path,
    size_t len)
{
	struct nfs_mounted m;

	fill(&m, host, path, len);
	pthread_mutex_lock(&l->lock);
	if (find(l, &m) == l->n) {
		if (l->n == NFS_MOUNTS)
			take_out(l, 0);
		l->list[l->n++] = m;
	}
	pthread_mutex_unlock(&l->lock);
}

void
nfs_mounts_remove(struct nfs_mounts *l, const char *host, const void *path,
    size_t len)
{
	struct nfs_mounted m;
	unsigned i;

	fill(&m, host, path, len);
	pthread_mutex_lock(&l->lock);
	if ((i = find(l, &m)) < l->n)
		take_out(l, i);
	pthread_mutex_unlock(&l->lock);
}

void
nfs_mounts_remove_all(struct nfs_mounts *l, const char *host)
{
	unsigned i = 0;

	pthread_mutex_lock(&l->lock);
	while (i < l->n) {
		if (strcmp(l->list[i].host, host) == 0)
			take_out(l, i);
		else
			i++;
	}
	pthread_mutex_unlock(&l->lock);
}

void
nfs_mounts_walk(struct nfs_mounts *l,
    int (*fn)(void *arg, const struct nfs_mounted *), void *arg)
{
	unsigned i;

	pthread_mutex_lock(&l->lock);
	for (i = 0; i < l->n; i++)
		if (fn(arg, &l->list[i]) != 0)
			break;
	pthread_mutex_unlock(&l->lock);
}
