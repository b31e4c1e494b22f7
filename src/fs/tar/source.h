/*
 * A source: the bytes of an archive as they are once decoded, by offset.
 */
#ifndef FS_TAR_SOURCE_H
#define FS_TAR_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tar_source;

/* Takes bytes, one behind the other.  0, or an errno that ends it. */
typedef int tar_sink_fn(void *arg, const void *base, size_t len);

struct tar_source_ops {
	int	(*read)(struct tar_source *, uint64_t off, void *to,
		    size_t len, size_t *got);
	int	(*try_read)(struct tar_source *, uint64_t off, void *to,
		    size_t len, size_t *got);
	uint64_t (*size)(struct tar_source *);
	void	(*free)(struct tar_source *);
	/* NULL: as read. */
	int	(*step)(struct tar_source *, uint64_t off, void *to,
		    size_t len, size_t *got);
	/* NULL: it has not got that. */
	bool	(*hold)(struct tar_source *, uint64_t off);
	void	(*ahead)(struct tar_source *, uint64_t off);
	/* NULL: there is nothing to be saved, or freed. */
	int	(*save)(struct tar_source *, tar_sink_fn *, void *arg);
	void	(*rest)(struct tar_source *);
};

/* The first member of what each kind of source is. */
struct tar_source {
	const struct tar_source_ops	*ops;
	atomic_uint			 more;	/* who holds it, but one */
	/* For who opened it: called when it is gone, or NULL. */
	void				(*gone)(void *);
	void				*gone_arg;
};

/*
 * Read at `off`, from any thread; may wait.  *got < len only where the bytes
 * end.  EIO, ENOMEM.
 */
static inline int
tar_source_read(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	return s->ops->read(s, off, to, len, got);
}

/* The same of what is at hand, without waiting; else EAGAIN. */
static inline int
tar_source_try(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	return s->ops->try_read(s, off, to, len, got);
}

/*
 * For a thread that others need, too: the same as read, but what would take
 * long is done by a part, and EAGAIN says to come again.
 */
static inline int
tar_source_step(struct tar_source *s, uint64_t off, void *to, size_t len,
    size_t *got)
{
	return (s->ops->step != NULL ? s->ops->step : s->ops->read)(s, off,
	    to, len, got);
}

/*
 * Behind a read up to `off`: does it pay to read ahead?  Then the source is
 * held, and not freed, until tar_source_ahead() has done so.
 */
static inline bool
tar_source_hold(struct tar_source *s, uint64_t off)
{
	return s->ops->hold != NULL && s->ops->hold(s, off);
}

static inline void
tar_source_ahead(struct tar_source *s, uint64_t off)
{
	s->ops->ahead(s, off);
}

/* Where they end; UINT64_MAX: that is not known yet. */
static inline uint64_t
tar_source_size(struct tar_source *s)
{
	return s->ops->size(s);
}

/*
 * What spares the next process the work of this one, as opaque bytes for
 * that which opens the same file (packed.h); none at all: there is nothing
 * worth it.  Only when all was read once, else EAGAIN.  May write a file, and
 * wait.  An errno: what came is worth nothing.
 */
static inline int
tar_source_save(struct tar_source *s, tar_sink_fn *sink, void *arg)
{
	return s->ops->save == NULL ? 0 : s->ops->save(s, sink, arg);
}

/* From time to time: what was not used since the last one, and can be had
 * again, is freed. */
static inline void
tar_source_rest(struct tar_source *s)
{
	if (s->ops->rest != NULL)
		s->ops->rest(s);
}

/* Somebody else holds it, too. */
static inline struct tar_source *
tar_source_get(struct tar_source *s)
{
	atomic_fetch_add(&s->more, 1);
	return s;
}

/* It goes with the last who does. */
static inline void
tar_source_free(struct tar_source *s)
{
	void (*gone)(void *), *arg;

	if (s == NULL || atomic_fetch_sub(&s->more, 1) != 0)
		return;
	gone = s->gone;
	arg = s->gone_arg;
	s->ops->free(s);
	if (gone != NULL)
		gone(arg);
}

/* The file itself, of that size; takes `fd` over.  NULL: no memory (fd is
 * closed). */
struct tar_source *tar_source_file(int fd, uint64_t size);
/* Bytes in memory, borrowed. */
struct tar_source *tar_source_memory(const void *base, size_t len);

#endif
