/*
 * Threads for what would block a loop: reads that wait for a disk or a
 * decoder.  What takes long is to be done in parts, each added anew, so that
 * others come in between; should all threads hang in a dead disk, there come
 * some more.
 */
#ifndef FS_TAR_POOL_H
#define FS_TAR_POOL_H

struct tar_job {
	struct tar_job	*next;
	void		(*run)(struct tar_job *);
};

struct tar_pool;

/* NULL: no memory, or no threads.  `tick` is called about once a second, by a
 * thread that does nothing else. */
struct tar_pool *tar_pool_new(unsigned threads, void (*tick)(void *),
	    void *arg);
void	tar_pool_free(struct tar_pool *);	/* runs what is queued */
/* Borrowed until it has run. */
void	tar_pool_add(struct tar_pool *, struct tar_job *);

#endif
