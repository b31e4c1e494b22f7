/* One block that may be a header: the fields that all formats share. */
#ifndef FS_TAR_HEADER_H
#define FS_TAR_HEADER_H

#include <pinefs.h>

#include "sparse.h"

/* As it lies in the archive (POSIX.1-2001 pax, ustar interchange format). */
struct tar_header {
	char	name[100], mode[8], uid[8], gid[8], size[12], mtime[12];
	char	chksum[8], typeflag, linkname[100], magic[6], version[2];
	char	uname[32], gname[32], devmajor[8], devminor[8];
	char	prefix[155], pad[12];
};
_Static_assert(sizeof(struct tar_header) == 512, "a block");

enum tar_format { TAR_V7, TAR_USTAR, TAR_GNU, TAR_STAR };

bool	tar_header_is_zero(const struct tar_header *);
/* Signed and unsigned sums were both written. */
bool	tar_header_sum_ok(const struct tar_header *);
enum tar_format tar_header_format(const struct tar_header *);
/* What tells one header from another at the same place; never 0. */
uint32_t tar_header_hash(const struct tar_header *);
/* The prefix before the name, or len 0. */
struct pinefs_name tar_header_prefix(const struct tar_header *);
/* Up to the NUL, or all of the field. */
struct pinefs_name tar_header_text(const char *field, size_t size);

/*
 * Sparse maps of old GNU tar and star: four segments in the header, then 21
 * in each block that follows while `more` says so.
 */
int	tar_header_map(const struct tar_header *, struct tar_sparse *,
	    bool *more, uint64_t *size);
int	tar_header_map_more(const void *block, struct tar_sparse *,
	    bool *more);

#endif
