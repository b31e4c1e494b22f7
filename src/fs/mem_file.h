/*
 * The content of one file of memfs, or of tarfs's overlay.  Everything is
 * called under the node's lock (PINEFS_PROMPT), or that of the overlay;
 * nothing here knows the file's size.
 *
 * Received payloads that the file system may keep become extents as they
 * are.  Everything else is copied: into bytes that are there, if nobody else
 * holds them; into the room behind the extent before it, so that a file
 * written in small pieces has few extents; or into a new block.  Extents of
 * far blocks are written over as holes are: nothing of them is copied.
 */
#ifndef FS_MEM_FILE_H
#define FS_MEM_FILE_H

#include <pinefs.h>

#include "mem_block.h"
#include "mem_map.h"
#include "mem_xattr.h"

struct mem_file {
	struct mem_map		 map;
	struct mem_space	*space;
	struct mem_xattrs	 xattrs;	/* all a directory has */
};

struct mem_file	*mem_file_new(struct mem_space *);
void	mem_file_free(struct mem_file *);
/* For one that is a part of something. */
void	mem_file_init(struct mem_file *, struct mem_space *);
void	mem_file_fini(struct mem_file *);

/* Holes read as zeros, so `count` bytes are always given; none of them is
 * far. */
int	mem_file_read(struct mem_file *, uint64_t off, uint32_t count,
	    struct pinefs_out *);
/* w->written may be less than asked: then there is no more space. */
int	mem_file_write(struct mem_file *, struct pinefs_write *);
/* What lies behind `size` is gone. */
void	mem_file_truncate(struct mem_file *, uint64_t size);
/* Give every byte of the range space, or none: ENOSPC.  Far ones stay as they
 * are. */
int	mem_file_reserve(struct mem_file *, uint64_t off, uint64_t len);
int	mem_file_punch(struct mem_file *, uint64_t off, uint64_t len);
/* As pinefs_ops.seek; but the end of the file is the caller's to know. */
int	mem_file_seek(const struct mem_file *, int what, uint64_t off,
	    uint64_t *found);
/* Both files' locks are held; the ranges of one file do not overlap. */
int	mem_file_clone(struct mem_file *from, uint64_t from_off,
	    struct mem_file *to, uint64_t to_off, uint64_t len);

#endif
