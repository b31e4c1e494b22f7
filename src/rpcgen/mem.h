/* SPDX-License-Identifier: MIT */
/*
 * Memory of one run of the compiler, and the tables of names in it.
 *
 * A run allocates as it pleases and frees nothing; whoever started the run
 * gives all of it back at once.  The program does so at its end, the fuzz
 * target after each input.
 */
#ifndef RPCGEN_MEM_H
#define RPCGEN_MEM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem_piece;

struct mem {
	struct mem_piece *pieces;
	char *pos, *end;	/* what is left of the newest block */
	size_t block;		/* how large the next one is to be */
	size_t left;		/* the run's budget */
	jmp_buf *give_up;	/* where to go when it is spent */
};

/*
 * Begin a run that may use `budget` bytes.  When they are spent, or the
 * system has none left, *give_up is jumped to with the value ENOMEM.
 */
void	mem_init(struct mem *, size_t budget, jmp_buf *give_up);
void	mem_fini(struct mem *);

/* Zeroed memory, aligned for anything.  Never NULL. */
void	*mem_alloc(struct mem *, size_t size);

/* A new array of `n` elements that begins with the `old_n` of `old`. */
void	*mem_grow(struct mem *, const void *old, size_t old_n, size_t n,
	    size_t size);

/*
 * A block of its own, not zeroed: a new one, or `old` made larger, which may
 * move.  For what grows to many KiB, of which mem_grow would leave copies.
 */
void	*mem_block(struct mem *, void *old, size_t old_size, size_t size);

char	*mem_strndup(struct mem *, const char *s, size_t len);
char	*mem_printf(struct mem *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
char	*mem_vprintf(struct mem *, const char *fmt, va_list ap)
	    __attribute__((format(printf, 2, 0)));

/* What vsnprintf does, in a fraction of its time where it is just %s and %u. */
int	 mem_format(char *to, size_t room, const char *fmt, va_list ap)
	    __attribute__((format(printf, 3, 0)));

#define MEM_NEW(mem, type) ((type *)mem_alloc((mem), sizeof(type)))

/*
 * A table from names to pointers.  Keys are kept by reference.  Walking
 * `first`..`next` visits them in the order in which they were added, so
 * that nothing printed ever depends on a hash.
 */
struct map_entry {
	const char *key;
	uint64_t hash;		/* of the key */
	void *value;
	struct map_entry *next;
};

struct map {
	struct mem *mem;
	struct map_entry *first, **last;
	struct map_entry **slots;
	size_t size, used;
};

void	map_init(struct map *, struct mem *);
void	*map_get(const struct map *, const char *key);

/* Add a key or replace its value. */
void	map_put(struct map *, const char *key, void *value);

/* The key most like `name`, near enough to be a slip of the hand, or NULL. */
const struct map_entry *map_nearest(const struct map *, const char *name);

#endif
