/*
 * An allocator that fails when it is told to: glibc's, with a count before
 * it.  A sanitizer has one of its own, and no such test (tests/meson.build).
 */
#ifndef TESTS_UNIT_NOMEM_H
#define TESTS_UNIT_NOMEM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* So many allocations go well, then one fails; < 0: none.  `live`: what is
 * allocated now; `failed`: one did.  Other threads may allocate, too. */
static _Atomic long countdown = -1, live;
static _Atomic bool failed;

void	*__libc_malloc(size_t), *__libc_calloc(size_t, size_t),
	*__libc_realloc(void *, size_t);
void	 __libc_free(void *);

static bool
fails(void)
{
	if (countdown < 0 || countdown-- > 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t n)
{
	void *p = fails() ? NULL : __libc_malloc(n);

	live += p != NULL;
	return p;
}

void *
calloc(size_t n, size_t size)
{
	void *p = fails() ? NULL : __libc_calloc(n, size);

	live += p != NULL;
	return p;
}

void *
realloc(void *old, size_t n)
{
	void *p = fails() ? NULL : __libc_realloc(old, n);

	live += p != NULL && old == NULL;
	return p;
}

void
free(void *p)
{
	live -= p != NULL;
	__libc_free(p);
}

#endif
