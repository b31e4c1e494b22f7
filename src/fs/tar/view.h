/* What view.c does for the overlay: objects as the archive has them, and
 * reads. */
#ifndef FS_TAR_VIEW_H
#define FS_TAR_VIEW_H

#include "archive.h"

/* With the archive's lock. */
struct pinefs_ident tar_view_ident(const struct tar_archive *, uint32_t rec);
void	tar_view_attr(const struct tar_archive *, uint32_t rec,
	    struct pinefs_attr *);
/* Is this record's name to be seen? */
bool	tar_view_shows(const struct tar_archive *, const struct tar_rec *);
/* The i-th extended attribute of users, which have no prefix here; false: no
 * more.  *i counts on behind it. */
bool	tar_view_xattr(const struct tar_archive *, uint32_t rec, uint32_t *i,
	    struct tar_xattr *);

enum { TAR_PIECES_MAX = 64 };

/* Part of a read that lies together in the archive. */
struct tar_piece {
	uint64_t	at;
	uint32_t	len, to;
};

/* In the call's memory, should a worker have to do it. */
struct tar_reading {
	struct tar_job		 job;
	struct tar_archive	*ar;
	struct tar_source	*source;	/* held */
	struct pinefs_call	*call;
	char			*to;
	time_t			 until;		/* then the client asks again */
	unsigned		 n;
	struct tar_piece	 piece[TAR_PIECES_MAX];
};

/*
 * What the archive was cut of cannot be read: *len shrinks to what is there.
 * EIO: nothing is.
 */
int	tar_reading_add(struct tar_reading *, uint64_t at, uint64_t piece,
	    uint32_t to, uint64_t *len);

#endif
