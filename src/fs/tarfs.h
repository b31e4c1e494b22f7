/*
 * tarfs: archives as file systems.  A user of pinefs.h, and of nothing else
 * of ours.
 *
 *	tarfs.c		which archives may be served, and which are (this)
 *	tar/source.c	their bytes; those of compressed ones: packed.c, with
 *			codec*.c, store.c, blocks.c
 *	tar/scan.c	their members: header.c, number.c, pax.c, sparse.c
 *	tar/zip_scan.c	those of zips, by zip_end.c, zip_entry.c; their bytes:
 *			zip_source.c, with zip_points.c, zip_inflate.c
 *	tar/index.c	the tree these make; in a file: index_file.c, cache.c
 *	tar/archive.c	one archive, and what becomes of its file; below.c
 *	tar/build.c	its index is made while it is served
 *	tar/known.c	which contents archives had, for their handles
 *	tar/overlay.c	what clients change of it: names.c, overlay_name.c,
 *			overlay_data.c, with memfs's blocks and extents
 *	tar/view.c	the operations of its file system
 *	tar/pool.c	threads for what would block a loop
 */
#ifndef FS_TARFS_H
#define FS_TARFS_H

#include <pinefs.h>

struct tarfs_config {
	bool		devices;	/* show block and character devices */
	bool		setuid;		/* show the bits */
	bool		ignore_zeros;	/* go on behind the end mark */
	/* A file replaced by another of its name is served on. */
	bool		keep_open;
	/* Where indexes, and decoded archives, are kept; NULL: the user's
	 * cache directory. */
	const char	*cache_dir;
	uint64_t	cache_max;	/* bytes there; 0: 8G */
	/* The server's state directory; NULL: handles end with it. */
	const char	*state_dir;
	size_t		block_cache;	/* bytes of decoded blocks; 0: 256M */
	bool		readonly;
	/* Bytes that changes of all archives may take; 0: a quarter of
	 * memory. */
	uint64_t	overlay_size;
};

struct tarfs;

/* NULL with errno. */
struct tarfs *tarfs_new(const struct tarfs_config *);
/* After the server is freed.  Frees the file systems it has made. */
void	tarfs_free(struct tarfs *);
/*
 * Archives below this directory may be mounted.  0 or errno.
 */
int	tarfs_add_root(struct tarfs *, const char *dir);
/*
 * The file system of an archive that the command line names, wherever it
 * is; it stays tarfs's.  0, or an errno after one line that says why.
 */
int	tarfs_open(struct tarfs *, const char *path, struct pinefs **);
/* The same for a path that a client names; a pinefs_mount_fn, whose arg is a
 * struct tarfs. */
int	tarfs_mount(void *arg, struct pinefs_mount *);

#endif
