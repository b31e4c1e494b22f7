/*
 * What an object is known by, in a handle.  Its number, which the kernel uses
 * again for another object once it is gone, and with it what the kernel's own
 * handles have (name_to_handle_at(2)), that tells the two apart.  Where there
 * are no such handles, the moment it was made.
 *
 *	the root	its number, and nothing: a mount goes on whatever
 *			became of the directory
 *	most others	a generation that has the rest of the handle
 *	some		`own`: the handle's type, then its bytes
 */
#ifndef FS_DIR_KEY_H
#define FS_DIR_KEY_H

#include <pinefs.h>

#include <sys/stat.h>

enum { DIR_OWN_MAX = 40 };		/* what version 3 has room for */

struct dir_key {
	uint64_t	fileid, generation;
	uint8_t		own_len;
	uint8_t		own[DIR_OWN_MAX];
};

/* One file system of the host, as one mount of it. */
struct dir_dev {
	uint32_t	major, minor;
	uint64_t	mount;		/* 0: this kernel does not tell */
};

/* What statx(2) is asked for. */
#define DIR_STATX	(STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID)

static inline struct dir_dev
dir_dev_of(const struct statx *st)
{
	return (struct dir_dev){ st->stx_dev_major, st->stx_dev_minor,
	    st->stx_mask & STATX_MNT_ID ? st->stx_mnt_id : 0 };
}

static inline bool
dir_dev_equal(const struct dir_dev *a, const struct dir_dev *b)
{
	return a->major == b->major && a->minor == b->minor &&
	    a->mount == b->mount;
}

/*
 * The key of `name` in `dir`, or of what `dir` has open if that is "".
 * `st` is what statx(2) says of it.
 */
void	dir_key_make(struct dir_key *, int dir, const char *name,
	    const struct statx *st);
bool	dir_key_equal(const struct dir_key *, const struct dir_key *);
/* Does the kernel give handles here that it opens again? */
bool	dir_key_test(int root, const struct statx *);
/* Opens it (O_PATH); `root` is anything on that file system.  -1 with
 * errno: ESTALE. */
int	dir_key_open(const struct dir_key *, int root);

void	dir_key_of_node(struct dir_key *, const struct pinefs_node *);
/* The bytes that it borrows are the call's.  ENOMEM. */
int	dir_key_ident(const struct dir_key *, struct pinefs_call *,
	    struct pinefs_ident *);

#endif
