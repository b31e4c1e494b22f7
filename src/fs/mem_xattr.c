/* Extended attributes.  See mem_xattr.h. */
#include "mem_xattr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct mem_xattr {
	struct mem_xattr	*next;
	uint64_t		 cookie;
	uint32_t		 name_len, len;
	char			 bytes[];	/* the name, then the value */
};

/* Where it hangs, or where the list ends. */
static struct mem_xattr **
find(const struct mem_xattrs *x, struct pinefs_name name)
{
	struct mem_xattr *const *p = &x->first;

	while (*p != NULL && ((*p)->name_len != name.len ||
	    memcmp((*p)->bytes, name.base, name.len) != 0))
		p = &(*p)->next;
	return (struct mem_xattr **)(uintptr_t)p;
}

static uint64_t
space_of(const struct mem_xattr *a)
{
	return sizeof *a + a->name_len + a->len;
}

static void
drop(struct mem_xattr *a, struct mem_space *space)
{
	mem_space_give(space, space_of(a));
	free(a);
}

void
mem_xattrs_fini(struct mem_xattrs *x, struct mem_space *space)
{
	struct mem_xattr *a;

	while ((a = x->first) != NULL) {
		x->first = a->next;
		drop(a, space);
	}
}

int
mem_xattr_get(const struct mem_xattrs *x, struct pinefs_name name,
    struct pinefs_out *out)
{
	const struct mem_xattr *a = *find(x, name);

	if (a == NULL)
		return ENODATA;
	return pinefs_out_copy(out, a->bytes + a->name_len, a->len);
}

/* With its space taken, the value to be filled in; 0, ENOSPC, ENOMEM. */
static int
make(struct mem_space *space, struct pinefs_name name, uint32_t len,
    struct mem_xattr **to)
{
	struct mem_xattr *a = malloc(sizeof *a + name.len + len);

	if (a == NULL)
		return ENOMEM;
	a->next = NULL;
	a->name_len = name.len;
	a->len = len;
	memcpy(a->bytes, name.base, name.len);
	if (!mem_space_take(space, space_of(a))) {
		free(a);
		return ENOSPC;
	}
	*to = a;
	return 0;
}

static uint64_t
length(struct pinefs_in *in)
{
	const struct iovec *iov;
	unsigned i, n;
	uint64_t len = 0;

	iov = pinefs_in_iov(in, &n);
	for (i = 0; i < n; i++)
		len += iov[i].iov_len;
	return len;
}

int
mem_xattr_set(struct mem_xattrs *x, struct mem_space *space,
    struct pinefs_name name, struct pinefs_in *in, int how)
{
	struct mem_xattr **p = find(x, name), *old = *p, *a;
	uint64_t len = length(in);
	int err;

	if (old != NULL && how == PINEFS_XATTR_CREATE)
		return EEXIST;
	if (old == NULL && how == PINEFS_XATTR_REPLACE)
		return ENODATA;
	if (len > MEM_XATTR_MAX)
		return E2BIG;
	if (old == NULL && x->n == MEM_XATTRS_MAX)
		return ENOSPC;
	if ((err = make(space, name, (uint32_t)len, &a)) != 0)
		return err;
	pinefs_in_copy(in, a->bytes + name.len);
	if (old == NULL) {
		a->cookie = ++x->cookie;
		x->n++;
	} else {
		a->cookie = old->cookie;
		a->next = old->next;
		drop(old, space);
	}
	*p = a;
	return 0;
}

int
mem_xattr_add(struct mem_xattrs *x, struct mem_space *space,
    struct pinefs_name name, const void *value, uint32_t len,
    uint64_t cookie)
{
	struct mem_xattr **p = &x->first, *a;
	int err;

	if ((err = make(space, name, len, &a)) != 0)
		return err;
	memcpy(a->bytes + name.len, value, len);
	while (*p != NULL)
		p = &(*p)->next;
	a->cookie = x->cookie = cookie;
	x->n++;
	*p = a;
	return 0;
}

int
mem_xattr_remove(struct mem_xattrs *x, struct mem_space *space,
    struct pinefs_name name)
{
	struct mem_xattr **p = find(x, name), *a = *p;

	if (a == NULL)
		return ENODATA;
	*p = a->next;
	x->n--;
	drop(a, space);
	return 0;
}

void
mem_xattr_list(const struct mem_xattrs *x, uint64_t after,
    struct pinefs_emit *emit)
{
	const struct mem_xattr *a;
	struct pinefs_name name;

	for (a = x->first; a != NULL; a = a->next) {
		name.base = a->bytes;
		name.len = a->name_len;
		if (a->cookie > after &&
		    pinefs_emit(emit, name, NULL, a->cookie, NULL) != 0)
			break;
	}
}
