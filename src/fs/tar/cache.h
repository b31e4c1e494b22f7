/*
 * The cache directory: an index file for each archive whose index took time,
 * named after the archive's inode.  What was not used for longest goes when
 * there is more than is allowed.  All of it may be lost at any time.
 *
 * What lies there is believed to be ours: the directory must belong to us and
 * be writable by nobody else, and so must each file.  That is not enough for
 * states of decoders, which a library believes: these are under a key, which
 * lies there, too, so that all servers of this user have it.
 */
#ifndef FS_TAR_CACHE_H
#define FS_TAR_CACHE_H

#include "index_file.h"

struct tar_cache;

/* `dir`: as named, or NULL: the user's; at most so many bytes in it.  A line
 * if it cannot be used.  NULL: no memory. */
struct tar_cache *tar_cache_new(const char *dir, uint64_t most);
void	tar_cache_free(struct tar_cache *);
/* NULL: there is none. */
const char *tar_cache_dir(const struct tar_cache *);

/* 16 bytes; without a directory, of this process. */
const uint8_t *tar_cache_secret(const struct tar_cache *);

/* 0, or an errno: there is none, or none that can be used.  A damaged one is
 * removed. */
int	tar_cache_load(struct tar_cache *, const struct tar_key *,
	    struct tar_index *, struct tar_extra *);
/* For whoever comes with this key.  errno. */
int	tar_cache_save(struct tar_cache *, const struct tar_key *,
	    const struct tar_index *, const struct tar_extra *);
/* Of another file beside it, of one of the kinds that cache.c knows; to be
 * freed.  NULL: no memory, or no directory. */
char	*tar_cache_path(const struct tar_cache *, const struct tar_key *,
	    const char *kind);
/* tar_index_file_check of it; a damaged one is removed.  ENOENT. */
int	tar_cache_check(struct tar_cache *, const struct tar_key *,
	    const atomic_bool *stop);

#endif
