/*
 * The members of a zip, from its directory, in the order of their local
 * headers; who lies over another one is refused, so that no byte of the file
 * is served twice.
 */
#ifndef FS_TAR_ZIP_SCAN_H
#define FS_TAR_ZIP_SCAN_H

#include "scan.h"

struct zip_scan;

/* Of a source of tar_source_zip(), which is borrowed; `note` may be NULL.
 * NULL: no memory. */
struct zip_scan *zip_scan_new(struct tar_source *, tar_note_fn *note,
	    void *arg);
void	zip_scan_free(struct zip_scan *);
/* The next member.  ENOENT: there is none any more; EIO, ENOMEM,
 * ECANCELED. */
int	zip_scan_next(struct zip_scan *, struct tar_member *);

#endif
