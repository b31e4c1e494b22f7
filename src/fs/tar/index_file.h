/*
 * An index in a file, so that an archive is there at once when it is served
 * again.  The file is mapped and used as it is: no page of it is read before
 * somebody asks for what is there, and none of it is memory of ours.
 *
 *	header		what it is, whose, and where the sections are; its sum
 *	sections	records, names, texts, extensions, segments, slots,
 *			and what the source wants to keep; a sum of each
 *
 * It is only ever replaced as a whole, by rename.  The header is checked when
 * it is opened; the sums of the sections by tar_index_file_check, when there
 * is time; every number when it is used (index.h).
 */
#ifndef FS_TAR_INDEX_FILE_H
#define FS_TAR_INDEX_FILE_H

#include <sys/stat.h>

#include "index.h"

/* Which bytes an archive's file has, as far as one can tell without reading
 * them all.  No padding: it is compared as it lies there. */
struct tar_key {
	uint64_t	dev, ino, size;
	int64_t		mtime, mtime_ns, ctime, ctime_ns;
	uint64_t	head, tail;	/* hashes of the first and last 64 KiB */
};

/* Of `len` bytes at `off` of a file, at most 64 KiB.  EIO: not all there. */
int	tar_key_hash(int fd, uint64_t off, uint64_t len, uint64_t *hash);
/* What stat says, without the hashes. */
void	tar_key_stat(struct tar_key *, const struct stat *);
/* All of it.  errno. */
int	tar_key_of(struct tar_key *, int fd);

/* Bytes of a source, kept with the index; mapped apart from it, for they are
 * needed for as long as the source is. */
struct tar_extra {
	void	*base;
	size_t	 len;
	void	*mapped;
	size_t	 mapped_len;
};
void	tar_extra_fini(struct tar_extra *);

/*
 * Write it into a new, empty file; `fd` stays the caller's.  errno.
 */
int	tar_index_file_write(int fd, const struct tar_index *,
	    const struct tar_key *, const struct tar_extra *);
/*
 * An index that lies in that file, which may be closed; it cannot be added
 * to (tar_index_copy); and what is kept, to be finished.  ESTALE: of other bytes; EBADMSG:
 * not a file of this program as it is; errno.
 */
int	tar_index_file_open(int fd, const struct tar_key *,
	    struct tar_index *, struct tar_extra *);
/* Is every byte as it was written?  *stop ends it.  EBADMSG; ECANCELED. */
int	tar_index_file_check(int fd, const atomic_bool *stop);
/* For tests, which damage files: make the header's sum right. */
void	tar_index_file_sign(void *header);
enum { TAR_INDEX_HEADER = 512 };

#endif
