/* Slabs.  See slab.h. */
#include "base/slab.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/spin.h"

enum {
	SLAB = 2 << 20,		/* a huge page, where the system has them */
	LEAST = 12, MOST = 20,	/* log2 of the classes' sizes */
	CLASSES = MOST - LEAST + 1,
	SPARE = 4		/* free slabs of a class that are kept */
};

/* Free pieces by number, as a stack; what was used last is used first. */
struct slab {
	struct slab	*next, **prev;	/* of those with a free piece */
	uint8_t		*base;
	unsigned	 class, pieces, nfree;
	uint16_t	 free[];
};

static struct class {
	struct spin	 lock;
	struct slab	*partial;	/* some or all pieces free */
	unsigned	 spare;		/* ... all of them */
} classes[CLASSES];

/* -------------------------------------------------------------- memory -- */

static void *
map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Aligned to its size, so that it can be a huge page. */
static uint8_t *
map_slab(void)
{
	uint8_t *p = map(2 * (size_t)SLAB), *base;
	size_t before;

	if (p == NULL)
		return NULL;
	base = (uint8_t *)(((uintptr_t)p + SLAB - 1) & ~(uintptr_t)(SLAB - 1));
	before = (size_t)(base - p);
	if (before > 0)
		munmap(p, before);
	munmap(base + SLAB, (size_t)SLAB - before);
	return base;
}

/* -------------------------------------------------------------- slabs -- */

static unsigned
class_of(size_t size)
{
	unsigned c = 0;

	while (((size_t)1 << (LEAST + c)) < size)
		c++;
	return c;
}

size_t
slab_room(size_t size)
{
	unsigned class = class_of(size);

	if (class < CLASSES)
		return (size_t)1 << (LEAST + class);
	return (size + ((size_t)1 << LEAST) - 1) & ~(((size_t)1 << LEAST) - 1);
}

static struct slab *
slab_new(unsigned class)
{
	unsigned n = SLAB >> (LEAST + class), i;
	struct slab *s = malloc(sizeof *s + n * sizeof s->free[0]);

	if (s == NULL)
		return NULL;
	if ((s->base = map_slab()) == NULL) {
		free(s);
		return NULL;
	}
	s->class = class;
	s->pieces = s->nfree = n;
	for (i = 0; i < n; i++)
		s->free[i] = (uint16_t)(n - 1 - i);
	return s;
}

static void
slab_delete(struct slab *s)
{
	munmap(s->base, SLAB);
	free(s);
}

static void
list(struct class *c, struct slab *s)
{
	s->next = c->partial;
	s->prev = &c->partial;
	if (s->next != NULL)
		s->next->prev = &s->next;
	c->partial = s;
}

static void
unlist(struct slab *s)
{
	*s->prev = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
}

/* With the lock held; NULL: no slab of this class has a free piece. */
static void *
take(struct class *c, struct slab **slab)
{
	struct slab *s = c->partial;

	if (s == NULL)
		return NULL;
	if (s->nfree == s->pieces)
		c->spare--;
	if (--s->nfree == 0)
		unlist(s);
	*slab = s;
	return s->base + ((size_t)s->free[s->nfree] << (LEAST + s->class));
}

void *
slab_alloc(size_t size, struct slab **slab)
{
	unsigned class = class_of(size);
	struct class *c = &classes[class];
	struct slab *fresh;
	void *p;

	*slab = NULL;
	if (class >= CLASSES)
		return map(size);
	spin_lock(&c->lock);
	p = take(c, slab);
	spin_unlock(&c->lock);
	if (p != NULL || (fresh = slab_new(class)) == NULL)
		return p;
	spin_lock(&c->lock);
	list(c, fresh);
	c->spare++;
	p = take(c, slab);
	spin_unlock(&c->lock);
	return p;
}

void
slab_free(void *base, size_t size, struct slab *s)
{
	struct class *c;
	bool gone = false;

	if (s == NULL) {
		munmap(base, size);
		return;
	}
	c = &classes[s->class];
	spin_lock(&c->lock);
	s->free[s->nfree] = (uint16_t)((size_t)((uint8_t *)base - s->base) >>
	    (LEAST + s->class));
	if (s->nfree++ == 0)
		list(c, s);
	if (s->nfree == s->pieces) {
		if ((gone = c->spare == SPARE))
			unlist(s);
		else
			c->spare++;
	}
	spin_unlock(&c->lock);
	if (gone)
		slab_delete(s);
}
