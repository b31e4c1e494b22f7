/*
 * Extended headers of pax (POSIX.1-2001): records "LENGTH KEY=VALUE\n".  A
 * block of them is kept as it came; values point into it.
 */
#ifndef FS_TAR_PAX_H
#define FS_TAR_PAX_H

#include <pinefs.h>

#include "sparse.h"

enum { TAR_PAX_MAX = 16 << 20 };	/* bytes of records kept at once */

enum tar_pax_key {
	PAX_PATH, PAX_LINKPATH, PAX_SIZE, PAX_UID, PAX_GID, PAX_MTIME,
	PAX_ATIME, PAX_DEVMAJOR, PAX_DEVMINOR, PAX_SPARSE_NAME,
	PAX_SPARSE_MAJOR, PAX_SPARSE_SIZE, PAX_REALSIZE,
	PAX_KEYS
};

struct tar_pax_value {
	bool		set;
	uint32_t	off, len;	/* of `text`; len 0: header's holds */
};

struct tar_pax_xattr {
	bool		encoded;	/* name by %XX, value in base64 */
	uint32_t	name, name_len, value, value_len;
};

struct tar_pax {
	char			*text;
	size_t			 len, cap;
	struct tar_pax_value	 value[PAX_KEYS];
	struct tar_pax_xattr	*xattr;
	uint32_t		 nxattrs, xattrs_cap;
	struct tar_sparse	*map;	/* where GNU's old maps go, or NULL */
	bool			 any;	/* a block was read */
};

void	tar_pax_clear(struct tar_pax *);	/* empty, memory kept */
void	tar_pax_fini(struct tar_pax *);
/* Room for `len` more bytes of text at its end; NULL: no memory. */
char	*tar_pax_room(struct tar_pax *, size_t len);
/*
 * The `len` bytes put there are records.  *whole false: one was broken, and
 * what follows it is ignored.  ENOMEM.
 */
int	tar_pax_parse(struct tar_pax *, size_t len, bool *whole);
/* The value that counts for a member, false: its header's does. */
bool	tar_pax_get(const struct tar_pax *local, const struct tar_pax *global,
	    enum tar_pax_key, struct pinefs_name *value);

#endif
