/*
 * The index: an archive's tree, flat, in the order of its headers.
 *
 *	records		one per name, implied directories among them; a
 *			record's number never changes
 *	names, texts	components; targets of links, extended attributes
 *	slots		open addressing: (directory, name) to record
 *
 * A name is a binding; unless it is a hard link, its record is the inode
 * too.  What is replaced by a later member stays as a record (who holds its
 * handle reads on), but is bound no more.
 *
 * Identity comes from where a header lies, so it outlives process, index and
 * cache.  Records lie in the order of their ids' places, so an id is found by
 * binary search.
 *
 * One thread adds; others read under the lock of whoever owns the index.
 *
 * It may lie in a file (index_file.h), which may be damaged: whoever reads
 * goes by the functions here, which check every number before they follow
 * it.  What comes out is then wrong, but never a crash, nor without an end.
 */
#ifndef FS_TAR_INDEX_H
#define FS_TAR_INDEX_H

#include <pinefs.h>

#include "scan.h"

enum { TAR_ROOT = 0, TAR_ROOT_ID = 17, TAR_DEPTH_MAX = 4095 };
#define TAR_NONE	UINT32_MAX
#define TAR_MEMBERS_MAX	20000000u
#define TAR_INDEX_BYTES	(UINT64_C(2) << 30)	/* without records and slots */

enum { TAR_REC_DEAD = 1,	/* replaced, or a link to nothing */
    TAR_REC_SPARSE = 2 };

struct tar_rec {
	uint64_t	header;		/* implied: of the first member below */
	uint64_t	size;		/* directory: how often it changed */
	int64_t		mtime;
	uint32_t	mtime_ns;
	uint32_t	parent;		/* a record */
	uint32_t	name;		/* where in names */
	uint32_t	next;		/* in the directory, or TAR_NONE */
	uint32_t	a, b;		/* DIR: first and last; HARD: the inode;
					   LNK: text and its length;
					   CHR, BLK: major, minor;
					   REG: tar_index_data */
	uint32_t	ext;		/* a tar_ext, or TAR_NONE */
	uint32_t	uid, gid;
	uint32_t	nlink;
	uint32_t	names;		/* that a directory has now */
	uint32_t	sum;		/* the generation */
	uint16_t	mode;
	uint8_t		type;		/* enum tar_type */
	uint8_t		name_len;
	uint16_t	implied;	/* depth below the root, or 0 */
	uint16_t	flags;
};
_Static_assert(sizeof(struct tar_rec) == 80, "what the index costs");

/* Of members with a sparse map or extended attributes. */
struct tar_ext {
	uint32_t	seg, nseg;	/* of segments */
	uint32_t	xattr, nxattrs;	/* in texts: tar_index_xattr */
};

struct tar_array {
	void	*base;
	size_t	 n, cap;		/* elements */
};

struct tar_index {
	struct tar_array	 recs, names, texts, exts, segs;
	struct tar_array	 later;		/* links to what may come */
	uint32_t		*slot;		/* 0: free; see index.c */
	uint32_t		 nslots, used;
	uint8_t			 key[16];	/* of the hash */
	uint64_t		 most;		/* TAR_INDEX_BYTES */
	uint32_t		 unit;		/* headers begin at multiples of it;
						   TAR_BLOCK, or as it is set */
	uint32_t		 shape;		/* whoever made it knows by what */
	/* Where a header that is appended would lie; 0: who knows. */
	uint64_t		 end;
	void			*mapped;	/* a file has it all, or NULL */
	size_t			 mapped_len;
	/* Where the member before went. */
	char			*dir_text;
	size_t			 dir_len, dir_cap;
	uint32_t		 dir;
};

int	tar_index_init(struct tar_index *);
void	tar_index_fini(struct tar_index *);
/* One of its own, to go on with.  ENOMEM. */
int	tar_index_copy(struct tar_index *, const struct tar_index *from);
/*
 * EBADMSG: refused, *why says it; ENOSPC: the index is full; ENOMEM.
 */
int	tar_index_add(struct tar_index *, const struct tar_member *,
	    enum tar_note *why);
/*
 * All members were added: bind links to members behind them.  `note` hears
 * of those that link to nothing.  ENOMEM.
 */
int	tar_index_finish(struct tar_index *, tar_note_fn *note, void *arg);

static inline uint32_t
tar_index_count(const struct tar_index *ix)
{
	return (uint32_t)ix->recs.n;
}

/* What it takes up in memory. */
uint64_t tar_index_bytes(const struct tar_index *);

/* NULL: no such record. */
static inline struct tar_rec *
tar_index_rec(const struct tar_index *ix, uint32_t i)
{
	return i < ix->recs.n ? (struct tar_rec *)ix->recs.base + i : NULL;
}

/* Where the bytes of a regular file lie in the source. */
static inline uint64_t
tar_index_data(const struct tar_rec *r)
{
	return (uint64_t)r->b << 32 | r->a;
}

/* The record that is the inode of a name. */
uint32_t tar_index_inode(const struct tar_index *, uint32_t i);
/* The directory that record is in. */
uint32_t tar_index_parent(const struct tar_index *, uint32_t i);
/* The record behind `after` (0: the first) in a directory, dead ones among
 * them, or TAR_NONE. */
uint32_t tar_index_after(const struct tar_index *, uint32_t dir,
	    uint64_t after);
uint32_t tar_index_find(const struct tar_index *, uint32_t dir,
	    struct pinefs_name);
struct pinefs_name tar_index_name(const struct tar_index *,
	    const struct tar_rec *);
/* Of a symbolic link. */
struct pinefs_name tar_index_target(const struct tar_index *,
	    const struct tar_rec *);
uint64_t tar_index_id(const struct tar_index *, uint32_t i);
uint32_t tar_index_by_id(const struct tar_index *, uint64_t id);
/* Its segments, or NULL. */
const struct tar_segment *tar_index_map(const struct tar_index *,
	    const struct tar_rec *, uint32_t *n);
/* What is stored of [off, end) of a sparse file next; false: no more. */
struct tar_stored {
	uint64_t	off, at, len;	/* at: from where its data begin */
};
bool	tar_index_stored(const struct tar_index *, const struct tar_rec *,
	    uint64_t off, uint64_t end, struct tar_stored *);
/* The i-th extended attribute; false: no more. */
bool	tar_index_xattr(const struct tar_index *, const struct tar_rec *,
	    uint32_t i, struct tar_xattr *);

#endif
