/*
 * A counted, page-aligned stretch of memory that holds one received payload
 * and nothing else, so that a file system can keep it as its own.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct pinefs_buf {
	uint8_t		*base;
	size_t		 len;		/* bytes received */
	size_t		 size;		/* allocated: a multiple of 4096 */
	atomic_uint	 refs;
	struct slab	*slab;		/* where it is cut from */
};

/* With one reference; NULL without memory. */
struct pinefs_buf *buf_new(size_t len);

/* These are public: see pinefs.h. */
void	*pinefs_buf_alloc(size_t len, void **base);
size_t	pinefs_buf_room(size_t len);
void	pinefs_buf_get(void *owner);
void	pinefs_buf_put(void *owner);

#endif
