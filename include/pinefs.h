/*
 * Pinefs: write a file system, serve it over NFS.
 *
 * A file system is a table of functions.  The smallest one:
 *
 *	static const char text[] = "hello from Pinefs\n";
 *
 *	static int
 *	hello_read(struct pinefs_call *call, struct pinefs_node *node,
 *	    uint64_t off, uint32_t count, struct pinefs_out *out)
 *	{
 *		(void)call, (void)node;
 *		return pinefs_out_slice(out, text, sizeof text - 1, off, count);
 *	}
 *
 *	static const struct pinefs_ops hello_ops = { .read = hello_read };
 *
 *	int
 *	main(int argc, char **argv)
 *	{
 *		struct pinefs *fs = pinefs_new(&hello_ops, NULL);
 *
 *		if (fs == NULL || pinefs_add_file(fs, pinefs_root(fs), "hello",
 *		    0444, sizeof text - 1) == NULL)
 *			return 1;
 *		return pinefs_main(fs, argc, argv);
 *	}
 *
 * There are two doors.  Without lookup, getattr and readdir in the table the
 * library keeps the tree (door 1): names, ids, attributes, cookies, change
 * counters, link counts; you give bytes.  With all three, you keep it
 * (door 2), and the library keeps handles, references and the packing of
 * replies.  Some but not all three: pinefs_new fails with EINVAL.
 *
 * An operation returns 0, a positive errno, or PINEFS_LATER.  Results go
 * through pointers and are ignored on failure.  ENOENT from an operation
 * without a name, and ESTALE, mean "this object is gone" and nothing else.
 */
#ifndef PINEFS_H
#define PINEFS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PINEFS_ABI	1
#define PINEFS_LATER	(-1)	/* "I will complete this call"; no errno */

struct pinefs;			/* one file system */
struct pinefs_call;		/* one step of one request */
struct pinefs_node;		/* one object: file, directory, ... */
struct pinefs_in;		/* bytes a client sent */
struct pinefs_out;		/* bytes a client will get */
struct pinefs_emit;		/* a listing under way */
struct pinefs_server;

/* --------------------------------------------------------------- words -- */

/* 1 to 255 bytes, no slash, no NUL, not "." or ".."; not NUL-terminated. */
struct pinefs_name {
	const char	*base;
	uint32_t	 len;
};

/*
 * Which object.  `fileid` is never 0, names one object for its life, and is
 * not used again with the same `generation`.  `own` (at most 40 bytes to be
 * reachable in v3, 104 in v4) takes the generation's place in the handle.
 */
struct pinefs_ident {
	uint64_t	 fileid;
	uint64_t	 generation;
	const void	*own;
	uint32_t	 own_len;
};

/* The state of one object at one moment. */
struct pinefs_stamp {
	uint64_t	change;
	uint64_t	size;
	struct timespec	mtime, ctime;
};

/*
 * What an operation did to one object: take `before`, do it, take `after`,
 * all under one lock, then set `atomic`.  False where you cannot: it costs
 * clients look-ups.
 */
struct pinefs_change {
	struct pinefs_stamp	before, after;
	bool			atomic;
};

enum pinefs_type {
	PINEFS_REG = 1, PINEFS_DIR = 2, PINEFS_BLK = 3, PINEFS_CHR = 4,
	PINEFS_LNK = 5, PINEFS_SOCK = 6, PINEFS_FIFO = 7
};

/* Bits of `have`, `want` and `now`: one per member of pinefs_attr. */
#define PINEFS_TYPE		0x0001u
#define PINEFS_MODE		0x0002u
#define PINEFS_NLINK		0x0004u
#define PINEFS_UID		0x0008u
#define PINEFS_GID		0x0010u
#define PINEFS_RDEV		0x0020u
#define PINEFS_SIZE		0x0040u
#define PINEFS_USED		0x0080u
#define PINEFS_CHANGE		0x0100u
#define PINEFS_GENERATION	0x0200u
#define PINEFS_ATIME		0x0400u
#define PINEFS_MTIME		0x0800u
#define PINEFS_CTIME		0x1000u
#define PINEFS_BTIME		0x2000u
#define PINEFS_ALL		0x3fffu

struct pinefs_attr {
	uint64_t	have;		/* which members count */
	uint32_t	type;		/* enum pinefs_type */
	uint32_t	mode;		/* the lower 12 bits */
	uint32_t	nlink, uid, gid;
	uint32_t	rdev_major, rdev_minor;
	uint64_t	size, used;	/* bytes */
	uint64_t	change;
	uint64_t	generation;
	struct timespec	atime, mtime, ctime, btime;
};

/* A change of attributes asked for: MODE UID GID SIZE ATIME MTIME BTIME. */
struct pinefs_set {
	struct pinefs_attr	 attr;	/* attr.have: what to set */
	uint64_t		 now;	/* of these, set to this moment */
	const struct timespec	*if_ctime; /* else ECANCELED; NULL: always */
};

/* How an object is to be made. */
enum pinefs_exclusive {
	PINEFS_UNCHECKED,	/* a file of that name is opened instead */
	PINEFS_GUARDED,		/* EEXIST if there is one */
	PINEFS_EXCLUSIVE	/* the same, unless it was made with `verf` */
};

struct pinefs_create {
	struct pinefs_set	set;		/* attributes of the new one */
	uint32_t		type;		/* enum pinefs_type */
	uint32_t		exclusive;	/* enum pinefs_exclusive */
	uint8_t			verf[8];	/* PINEFS_EXCLUSIVE: keep it */
	struct pinefs_name	target;		/* PINEFS_LNK; any length */
};

struct pinefs_made {
	struct pinefs_ident	 id;		/* door 2 */
	struct pinefs_attr	 attr;		/* door 2 */
	struct pinefs_change	 dir;		/* door 2 */
	bool			 existed;	/* door 2: nothing was made */
	struct pinefs_node	*node;		/* door 1: attach data here */
};

struct pinefs_rename {
	struct pinefs_node	*from, *to;	/* directories; maybe one */
	struct pinefs_name	 old_name, new_name;
	struct pinefs_change	 from_change, to_change;
};

enum { PINEFS_UNSTABLE = 0, PINEFS_DATA_SYNC = 1, PINEFS_FILE_SYNC = 2 };

struct pinefs_write {
	uint64_t		 off;
	uint32_t		 count;		/* bytes in `in` */
	int			 stable;	/* asked for */
	struct pinefs_in	*in;
	/* Results: */
	uint32_t		 written;	/* short is fine, 0 is an error */
	int			 committed;	/* >= stable, and true */
	struct pinefs_change	 change;	/* door 2: of the file */
};

struct pinefs_statfs {
	uint64_t	bytes, bytes_free, bytes_avail;
	uint64_t	files, files_free, files_avail;
	uint32_t	invarsec;	/* seconds this stays true */
	uint32_t	name_max;	/* 0: 255 */
	uint32_t	link_max;	/* 0: 32000 */
	uint64_t	size_max;	/* 0: 2^63 - 1 */
};

struct pinefs_range {
	uint64_t		from_off, to_off, len;
	struct pinefs_change	change;		/* result: of `to` */
	bool			may_copy;	/* see `clone` */
};

/* Who asks, after squashing.  Constant, valid for the call. */
struct pinefs_cred {
	uint32_t	 flavor;	/* 0 none, 1 AUTH_SYS */
	uint32_t	 uid, gid;
	uint32_t	 ngids;
	const uint32_t	*gids;
	const char	*principal;	/* NULL without krb5 or TLS */
	const char	*client;	/* "127.0.0.1:1012" */
	uint32_t	 export_id;
	bool		 proven;	/* the peer's socket owner is known */
	uint32_t	 peer_uid;	/* ... and is this */
};

enum { PINEFS_REMOVE_FILE = 1, PINEFS_REMOVE_DIR = 2,
    PINEFS_REMOVE_ANY = 3 };		/* `kind` of remove */
enum { PINEFS_SEEK_DATA = 0, PINEFS_SEEK_HOLE = 1 };
enum { PINEFS_XATTR_EITHER = 0, PINEFS_XATTR_CREATE = 1,
    PINEFS_XATTR_REPLACE = 2 };

/* Bits of access(); those of NFS ACCESS (RFC 1813 3.3.4). */
#define PINEFS_ACCESS_READ	0x01u
#define PINEFS_ACCESS_LOOKUP	0x02u
#define PINEFS_ACCESS_MODIFY	0x04u
#define PINEFS_ACCESS_EXTEND	0x08u
#define PINEFS_ACCESS_DELETE	0x10u
#define PINEFS_ACCESS_EXECUTE	0x20u
/*
 * In `asked` only: READ or MODIFY is for a file that a program of the client's
 * may have opened before (versions 2 and 3 do not say): its owner may read and
 * write it whatever the mode is by now, and who may execute it may read it.
 */
#define PINEFS_ACCESS_OPENED	0x0100u

/* --------------------------------------------------------------- flags -- */

#define PINEFS_STABLE_IDS	0x0001u	/* ids outlive the process */
#define PINEFS_CHANGE_UNORDERED	0x0002u	/* change is a hash, no counter */
#define PINEFS_WIDE_COOKIES	0x0004u	/* cookies use all their bits */
#define PINEFS_SERIAL		0x0008u	/* never two operations at once, but
					   for close and written, which may
					   come beside */
#define PINEFS_SERIAL_DIR	0x0010u	/* nor two changes of a directory */
/* access() decides; what goes with it is its own, too: that a write by who is
 * not root clears setuid and setgid bits, that a setattr is its owner's. */
#define PINEFS_OWN_ACCESS	0x0020u
/* Clients are told so, and no more: lookup finds names as you compare them,
 * and in door 1, where the library compares, case matters all the same. */
#define PINEFS_CASE_INSENSITIVE	0x0080u
/*
 * Door 1: read, write, truncate, seek, allocate, clone and the operations on
 * extended attributes neither block nor answer LATER; the library holds the
 * node's lock around them (both nodes' around clone), so they need none of
 * their own for what belongs to one node.  They may call what concerns data,
 * in, out, buf and emit, but nothing that asks for the attributes of a node:
 * that takes the same lock.
 */
#define PINEFS_PROMPT		0x0100u
/*
 * Files change only by the operations of this table and the functions of
 * this header, or pinefs_changed says so.  Then a client may be promised to
 * hear of a change before it is made (a read delegation of NFS version 4),
 * and need not ask whether there was one.  Without effect together with
 * PINEFS_SERIAL.
 */
#define PINEFS_DELEGATION	0x0200u

/* Bits of `blocking`: one per operation, in the table's order. */
enum {
	PINEFS_OP_LOOKUP = 1 << 0, PINEFS_OP_GETATTR = 1 << 1,
	PINEFS_OP_READDIR = 1 << 2, PINEFS_OP_RESOLVE = 1 << 3,
	PINEFS_OP_PARENT = 1 << 4, PINEFS_OP_READ = 1 << 5,
	PINEFS_OP_WRITE = 1 << 6, PINEFS_OP_COMMIT = 1 << 7,
	PINEFS_OP_TRUNCATE = 1 << 8, PINEFS_OP_SETATTR = 1 << 9,
	PINEFS_OP_CREATE = 1 << 10, PINEFS_OP_REMOVE = 1 << 11,
	PINEFS_OP_RENAME = 1 << 12, PINEFS_OP_LINK = 1 << 13,
	PINEFS_OP_READLINK = 1 << 14, PINEFS_OP_STATFS = 1 << 15,
	PINEFS_OP_ACCESS = 1 << 16, PINEFS_OP_OPEN = 1 << 17,
	PINEFS_OP_CLOSE = 1 << 18, PINEFS_OP_SEEK = 1 << 19,
	PINEFS_OP_ALLOCATE = 1 << 20, PINEFS_OP_CLONE = 1 << 21,
	PINEFS_OP_GETXATTR = 1 << 22, PINEFS_OP_SETXATTR = 1 << 23,
	PINEFS_OP_LISTXATTR = 1 << 24, PINEFS_OP_REMOVEXATTR = 1 << 25
};

/*
 * Threads for the calls named in `blocking`: each such call is handed over
 * whole, before its first step, in batches of one turn of a loop.  `begin`
 * and `end` are called by the thread around each batch.  With one thread and
 * `patience`: when `begin` takes longer, the calls that wait are run outside
 * of begin and end, on another thread, and must answer EAGAIN.
 */
struct pinefs_executor {
	unsigned	 threads;	/* 0: two per core */
	void		(*begin)(void *arg);
	void		(*end)(void *arg);
	void		*arg;
	unsigned	 patience;	/* ms; 0: for ever */
};

/* --------------------------------------------------------- the table -- */

/*
 * What is NULL has a default, said with each.  `call`, `node`, names and
 * pointers are borrowed: valid until the operation returns, or, after
 * PINEFS_LATER, until pinefs_complete.  Operations run on several threads at
 * once: lock your data, or set PINEFS_SERIAL.
 */
struct pinefs_ops {
	uint64_t	flags;		/* PINEFS_STABLE_IDS | ... */
	/* PINEFS_OP_READ | ...: these may block; ~0: all.  One that is not
	 * named and takes more than 10 ms is logged, once a minute. */
	uint64_t	blocking;

	/*
	 * Door 2.  The object `name` in directory `node`.  id->own may point
	 * into memory of yours that stays until the call ends.
	 *
	 * Errors: ENOENT, ESTALE, EIO.
	 */
	int (*lookup)(struct pinefs_call *call, struct pinefs_node *node,
	    struct pinefs_name name, struct pinefs_ident *id);

	/*
	 * Door 2.  Fill what is in `want` (and anything that is free), and
	 * say so in attr->have; what is wanted and missing gets the default
	 * (mode 0444 or 0555, nlink 1, the server's uid and gid, used =
	 * size, btime = start of the file system, the other times moving
	 * with the change counter, unless that is a hash: v2 and v3 see
	 * changes by times alone).  TYPE and CHANGE are
	 * mandatory: without them the client gets EIO and one line is
	 * logged.  Changes nothing; the same answer everywhere.
	 */
	int (*getattr)(struct pinefs_call *call, struct pinefs_node *node,
	    uint64_t want, struct pinefs_attr *attr);

	/*
	 * Door 2.  List: pinefs_emit for each entry whose cookie is greater
	 * than `after`, in ascending order; stop when it says full.
	 * Return 0 after the last entry: that is the end.  Cookies are
	 * 1 to PINEFS_COOKIE_MAX, unique in the directory and unchanged
	 * while the entry lives; `after` is 0 or one that was emitted once.
	 */
	int (*readdir)(struct pinefs_call *call, struct pinefs_node *node,
	    uint64_t after, struct pinefs_emit *emit);

	/*
	 * Door 2.  A handle came whose node is not in memory: confirm it
	 * (pinefs_node_ident tells which), attach data, or ENOENT.
	 * Default: getattr of TYPE and GENERATION, which must match.
	 */
	int (*resolve)(struct pinefs_call *call, struct pinefs_node *node);

	/* Door 2.  The directory above.  Default: that of the last lookup,
	 * else the root. */
	int (*parent)(struct pinefs_call *call, struct pinefs_node *node,
	    struct pinefs_ident *id);

	/*
	 * Read up to `count` bytes at `off` into *out; giving fewer is
	 * allowed, giving none means end of file.  pinefs_out_eof iff the
	 * bytes reach the end.
	 *
	 * Called for regular files only, after the permission check.
	 * `node` is borrowed.
	 *
	 * Errors: EIO, ESTALE, ENOMEM; PINEFS_LATER to answer from elsewhere.
	 * Default: EACCES for files without bytes of their own.
	 */
	int (*read)(struct pinefs_call *call, struct pinefs_node *node,
	    uint64_t off, uint32_t count, struct pinefs_out *out);

	/*
	 * Write w->count bytes from w->in at w->off; fill in the results.
	 * off + count <= 2^63 - 1.  In door 1 the library sets size, times
	 * and change, and calls this for one write of a node at a time.
	 *
	 * Errors: ENOSPC, EFBIG, EIO, EINVAL, EAGAIN.
	 * Default, where nothing changes at all: EROFS.
	 */
	int (*write)(struct pinefs_call *call, struct pinefs_node *node,
	    struct pinefs_write *w);

	/*
	 * Make a range durable; len 0: to the end.
	 * Default: every write counts as durable when it returns.
	 */
	int (*commit)(struct pinefs_call *call, struct pinefs_node *node,
	    uint64_t off, uint64_t len);

	/* Door 1.  Cut or extend to `size`; the library sets the size.  What
	 * comes back after a cut reads as zeros.  Default: nothing to do. */
	int (*truncate)(struct pinefs_call *call, struct pinefs_node *node,
	    uint64_t size);

	/*
	 * Change attributes, the size among them.  Door 1: asked first; the
	 * library does it (`chg` is NULL there).  With set->if_ctime and
	 * another ctime: ECANCELED.
	 */
	int (*setattr)(struct pinefs_call *call, struct pinefs_node *node,
	    const struct pinefs_set *set, struct pinefs_change *chg);

	/*
	 * Make an object of any type in directory `node`.  Door 1: asked
	 * before the name appears, made->node is the new object: attach data
	 * or refuse.  Door 2: do it, and fill *made.
	 */
	int (*create)(struct pinefs_call *call, struct pinefs_node *node,
	    struct pinefs_name name, const struct pinefs_create *how,
	    struct pinefs_made *made);

	/*
	 * Remove a name.  `kind`: PINEFS_REMOVE_FILE (EISDIR for directories),
	 * _DIR (ENOTDIR for others, ENOTEMPTY) or _ANY.  The object stays
	 * readable while it is open or used by a call: free storage in
	 * release.  Door 1: asked first (`chg` NULL).
	 */
	int (*remove)(struct pinefs_call *call, struct pinefs_node *node,
	    struct pinefs_name name, int kind, struct pinefs_change *chg);

	/* Replace as rename(2) does.  Door 1: asked first. */
	int (*rename)(struct pinefs_call *call, struct pinefs_rename *r);

	/* Another name for a node.  Door 1: asked first (`chg` NULL). */
	int (*link)(struct pinefs_call *call, struct pinefs_node *node,
	    struct pinefs_node *dir, struct pinefs_name name,
	    struct pinefs_change *chg);

	/* Door 2.  The text of a symbolic link. */
	int (*readlink)(struct pinefs_call *call, struct pinefs_node *node,
	    struct pinefs_out *out);

	/* Default: generous constants. */
	int (*statfs)(struct pinefs_call *call, struct pinefs_node *node,
	    struct pinefs_statfs *st);

	/* With PINEFS_OWN_ACCESS: which of the bits `asked` are allowed. */
	int (*access)(struct pinefs_call *call, struct pinefs_node *node,
	    uint32_t asked, uint32_t *granted);

	/*
	 * The first v4 state on a node, and after the last: always in turns,
	 * never two at once for a node.  v2 and v3 have neither.  `written`:
	 * the last open that may write went (CLOSE, OPEN_DOWNGRADE) while
	 * others are left: what was written may be taken over now.
	 */
	int (*open)(struct pinefs_call *call, struct pinefs_node *node,
	    uint32_t access);
	void (*close)(struct pinefs_node *node);
	void (*written)(struct pinefs_node *node);

	/* Next data or hole at or after `off`; ENXIO beyond the end.
	 * Default: all data, one hole at the end. */
	int (*seek)(struct pinefs_call *call, struct pinefs_node *node,
	    int what, uint64_t off, uint64_t *found);

	/* Reserve space, or punch a hole. */
	int (*allocate)(struct pinefs_call *call, struct pinefs_node *node,
	    uint64_t off, uint64_t len, int punch);

	/*
	 * Let a range of `to` share what is in one of `node`: all of it, or
	 * ENOTSUP.  Door 2, with r->may_copy: its bytes may be copied where
	 * they cannot be shared, and only the first r->len of them, changed
	 * to that.
	 */
	int (*clone)(struct pinefs_call *call, struct pinefs_node *node,
	    struct pinefs_node *to, struct pinefs_range *r);

	/*
	 * Extended attributes of regular files and directories: ENODATA,
	 * EEXIST, E2BIG.  `how`: PINEFS_XATTR_*.  Names are listed as in
	 * readdir, with `id` NULL.  Door 1: the library bumps change and
	 * ctime.
	 */
	int (*getxattr)(struct pinefs_call *call, struct pinefs_node *node,
	    struct pinefs_name name, struct pinefs_out *out);
	int (*setxattr)(struct pinefs_call *call, struct pinefs_node *node,
	    struct pinefs_name name, struct pinefs_in *in, int how);
	int (*listxattr)(struct pinefs_call *call, struct pinefs_node *node,
	    uint64_t after, struct pinefs_emit *emit);
	int (*removexattr)(struct pinefs_call *call, struct pinefs_node *node,
	    struct pinefs_name name);

	/* The library lets go of the node; free what you attached.  Once,
	 * after the last reference. */
	void (*release)(struct pinefs_node *node);

	const struct pinefs_executor *executor;	/* for `blocking` */

	/* pinefs_free, after the last release: free what `arg` is. */
	void (*fini)(void *arg);
};

/* -------------------------------------------------------- file systems -- */

/* `ops_size`, `abi`: as the caller was compiled. */
struct pinefs	*pinefs_new_abi(const struct pinefs_ops *ops,
		    size_t ops_size, int abi, void *arg);

/*
 * A file system with these operations; `arg` is yours (pinefs_arg).  The
 * table is copied.  NULL with errno: EINVAL (lookup, getattr, readdir not
 * all or none; PINEFS_OWN_ACCESS without access), ENOSYS (the table has
 * operations that this library does not know), ENOMEM.
 */
static inline struct pinefs *
pinefs_new(const struct pinefs_ops *ops, void *arg)
{
	return pinefs_new_abi(ops, sizeof *ops, PINEFS_ABI, arg);
}

/* After the server was stopped; releases every node. */
void	 pinefs_free(struct pinefs *fs);
void	*pinefs_arg(const struct pinefs *fs);

/*
 * The root.  Door 1: made by pinefs_new.  Door 2: say its ident first; and
 * again, also while it is served, when another object is the root from then
 * on (from one thread at a time).
 */
struct pinefs_node *pinefs_root(struct pinefs *fs);
int	 pinefs_set_root(struct pinefs *fs, const struct pinefs_ident *id);

/* Unstable data was lost: the write verifier changes, clients write again. */
void	 pinefs_data_lost(struct pinefs *fs);

/* --------------------------------------------------- door 1: the tree -- */

/*
 * All are safe while serving.  Constructors return NULL with errno (EEXIST,
 * ENOTDIR, EINVAL, ENAMETOOLONG, ENOMEM); the node is borrowed and lives as
 * long as it has a name, or until you put a reference you got.
 */
struct pinefs_node *pinefs_add_dir(struct pinefs *, struct pinefs_node *dir,
	    const char *name, uint32_t mode);
/* A file whose bytes come from read(). */
struct pinefs_node *pinefs_add_file(struct pinefs *, struct pinefs_node *dir,
	    const char *name, uint32_t mode, uint64_t size);
/* A file of these bytes, which are borrowed for the file's life. */
struct pinefs_node *pinefs_add_bytes(struct pinefs *, struct pinefs_node *dir,
	    const char *name, uint32_t mode, const void *base, size_t len);
struct pinefs_node *pinefs_add_symlink(struct pinefs *,
	    struct pinefs_node *dir, const char *name, const char *target);
/* Another name for `node`, which is returned. */
struct pinefs_node *pinefs_add_link(struct pinefs *, struct pinefs_node *dir,
	    const char *name, struct pinefs_node *node);
int	 pinefs_unlink(struct pinefs *, struct pinefs_node *dir,
	    const char *name);
int	 pinefs_move(struct pinefs *, struct pinefs_node *from,
	    const char *old_name, struct pinefs_node *to,
	    const char *new_name);
/* The content is another now: bumps change and mtime, sets the size. */
void	 pinefs_touch(struct pinefs_node *node, uint64_t new_size);
/* As it is now: of a node of a door 1 file system. */
void	 pinefs_node_attr(struct pinefs_node *node, struct pinefs_attr *attr);
/* What a file takes up, where that is not its size (a sparse one, say). */
void	 pinefs_node_set_used(struct pinefs_node *node, uint64_t bytes);

/* --------------------------------------------------------------- nodes -- */

void	 pinefs_node_get(struct pinefs_node *node);
void	 pinefs_node_put(struct pinefs_node *node);
void	 pinefs_node_ident(const struct pinefs_node *node,
	    struct pinefs_ident *id);
/* One pointer of yours, freed in release. */
void	 pinefs_node_set_data(struct pinefs_node *node, void *data);
void	*pinefs_node_data(const struct pinefs_node *node);
struct pinefs *pinefs_node_fs(const struct pinefs_node *node);

/* The node changed by itself: delegations are recalled.  Hold no lock that
 * an operation takes. */
void	 pinefs_changed(struct pinefs_node *node);

/* The next value of a change counter: greater, and never one of a run of
 * this program before. */
uint64_t pinefs_change_next(uint64_t *change);

/* --------------------------------------------------------------- calls -- */

/*
 * End a call that answered PINEFS_LATER; from any thread, also before the
 * operation itself has returned.  Exactly once.  Waits for a cancel function
 * of this call that is running on another thread, so its `arg` may be freed
 * afterwards; hold no lock that it takes.
 */
void	 pinefs_complete(struct pinefs_call *call, int err);

/*
 * The connection went, or the client expired: `fn` is called at most once,
 * here and now if that happened already.  The call must still be completed.
 */
void	 pinefs_call_on_cancel(struct pinefs_call *call, void (*fn)(void *),
	    void *arg);

const struct pinefs_cred *pinefs_call_cred(const struct pinefs_call *call);
struct pinefs *pinefs_call_fs(const struct pinefs_call *call);
/* Memory that goes with the call; NULL at its limit. */
void	*pinefs_call_alloc(struct pinefs_call *call, size_t len);

/* ------------------------------------------------------------- listing -- */

/* What is above is the library's own, for exports in the directory. */
#define PINEFS_COOKIE_MAX	((UINT64_C(1) << 63) - 259)

/*
 * One entry.  Non-zero: full, return 0 now.  `attr` may be NULL: the library
 * calls getattr where a client wants attributes.  Everything is copied.
 */
int	 pinefs_emit(struct pinefs_emit *emit, struct pinefs_name name,
	    const struct pinefs_ident *id, uint64_t cookie,
	    const struct pinefs_attr *attr);
/* PINEFS_TYPE | ... that the client asks of each entry; 0: names alone. */
uint64_t pinefs_emit_want(const struct pinefs_emit *emit);

/* ---------------------------------------------------------------- data -- */

/* Gives back what was borrowed; `owner` as it was handed in. */
typedef void pinefs_release_fn(void *owner);

/* A copy of what was asked for, out of `size` bytes at `base`; sets the end.
 * Much that stays where it is goes cheaper by pinefs_out_borrow. */
int	 pinefs_out_slice(struct pinefs_out *out, const void *base,
	    size_t size, uint64_t off, uint32_t count);
/* Append a copy. */
int	 pinefs_out_copy(struct pinefs_out *out, const void *base, size_t len);
/* Append memory of the call, for you to fill; NULL without memory. */
void	*pinefs_out_space(struct pinefs_out *out, size_t len);
/*
 * Append bytes that do not change until `release`, which is called exactly
 * once, on any thread of the library, also when the call fails (or this
 * function does).
 */
int	 pinefs_out_borrow(struct pinefs_out *out, const void *base,
	    size_t len, pinefs_release_fn *release, void *owner);
/* Append what lies in a file; the library reads it. */
int	 pinefs_out_fd(struct pinefs_out *out, int fd, uint64_t off,
	    size_t len, pinefs_release_fn *release, void *owner);
/*
 * A large file of the host that is read again and again, to be sent from the
 * kernel's own copy of it.  `size` is how long it is; `fd` is duplicated.
 * NULL: it has to be pinefs_out_fd.  ENOTSUP: always, on a file system whose
 * pages do not stay, or of a file too large; EAGAIN: much is mapped already;
 * else as mmap(2).  pinefs_map_put gives it back; bytes of it that are on
 * their way keep it.
 */
struct pinefs_map *pinefs_map_new(int fd, uint64_t size);
void	 pinefs_map_put(struct pinefs_map *map);
/*
 * As pinefs_out_fd, of bytes that the file has by now; for `read`.  Those that
 * were read a moment ago, and are 32 KiB or more, are not copied: a change of
 * the file before they have left may be seen in them, but none by the same
 * call, and what is cut off until then is zeros.
 */
int	 pinefs_out_map(struct pinefs_out *out, struct pinefs_map *map,
	    uint64_t off, size_t len);
/* These bytes reach the end of the file. */
void	 pinefs_out_eof(struct pinefs_out *out);

/* What the client sent, in *n stretches; borrowed. */
const struct iovec *pinefs_in_iov(const struct pinefs_in *in, unsigned *n);
/* Copy all of it; the number of bytes. */
uint32_t pinefs_in_copy(const struct pinefs_in *in, void *to);
/*
 * Take over the memory of stretch `seg`.  The result is its owner, for
 * pinefs_buf_get and pinefs_buf_put; NULL where it cannot be kept (small
 * payloads lie in the receive buffer: copy those).
 */
void	*pinefs_in_keep(struct pinefs_in *in, unsigned seg);
void	 pinefs_buf_get(void *owner);
void	 pinefs_buf_put(void *owner);	/* a pinefs_release_fn */
/*
 * Memory of the same kind, page-aligned, `len` bytes at *base, not cleared;
 * for what is to be lent by pinefs_out_borrow.  NULL without memory.
 */
void	*pinefs_buf_alloc(size_t len, void **base);
/* What memory of `len` bytes, allocated or received, takes up: for who
 * counts it. */
size_t	 pinefs_buf_room(size_t len);

/* ------------------------------------------------------------- serving -- */

/* Serve one file system as "/" with the options of pinefs(1); returns the
 * exit status. */
int	 pinefs_main(struct pinefs *fs, int argc, char **argv);

int	 pinefs_server_new(struct pinefs_server **server);
/*
 * Options by name: addr (repeatable), port, mount-port, tcp-only, portmap,
 * allow (repeatable), local-auth, threads, state-dir, ro, log, log-format,
 * color, uids, squash, anonuid, anongid; systemd: take the sockets of
 * $LISTEN_FDS instead of own ones, and tell $NOTIFY_SOCKET; control: a socket
 * for pinefs ls, stat, top and stop, and what: they say is served; metrics:
 * where, as in pinefs(1).  EINVAL, and one line logged.
 */
int	 pinefs_set(struct pinefs_server *server, const char *option,
	    const char *value);
/*
 * Before start.  The file system is borrowed; `path` is "/" or "/NAME", at
 * most 64 of them.  Version 4 shows those with a name as directories of the
 * root; 2 and 3 mount each by its path.  EINVAL, ENAMETOOLONG: no such path
 * can be; EEXIST: there is one; ENOSPC: too many.
 */
int	 pinefs_export(struct pinefs_server *server, const char *path,
	    struct pinefs *fs);
/* An option of one export, instead of the server's: ro, squash, anonuid,
 * anongid.  ENOENT: no such export; EINVAL, and one line logged. */
int	 pinefs_export_set(struct pinefs_server *server, const char *path,
	    const char *option, const char *value);

/*
 * Exports that come when somebody asks for them.  `fn` is called with a path
 * that a client wants to mount and that no export has, or with the name of an
 * export that came in an earlier run of this server and whose handle came
 * now.  0: the fields below `path` are filled in.  EISDIR: there may be some
 * below that path (version 4 looks for each component by itself).  Else
 * ENOENT, EACCES, EIO.
 *
 * It runs on threads that may wait, several calls at a time.  The same file
 * system may be answered again: it is one export.  It is borrowed until the
 * server is freed.
 */
struct pinefs_mount {
	const char	*path;		/* "/...": borrowed */
	struct pinefs	*fs;
	const char	*name;		/* of the export; copied */
	size_t		 used;		/* bytes of path that name it */
};
typedef int pinefs_mount_fn(void *arg, struct pinefs_mount *mount);
/* Before start, once. */
int	 pinefs_on_mount(struct pinefs_server *server, pinefs_mount_fn *fn,
	    void *arg);

/*
 * The directory of what outlives this server, which is ours alone for as long
 * as it lives; after all of pinefs_set.  NULL: nothing is kept (a line was
 * logged).  Names other than our own, key*, exports and clients*, are free.
 */
const char *pinefs_state_dir(struct pinefs_server *server);

/* Own threads; returns once it listens.  0 or an errno; a line was logged. */
int	 pinefs_start(struct pinefs_server *server);
int	 pinefs_port(const struct pinefs_server *server);
/* Instead of start, for a host with its own loop: readable = poll. */
int	 pinefs_poll_fd(struct pinefs_server *server);
int	 pinefs_poll(struct pinefs_server *server, int timeout_ms);
/*
 * No callback runs after it returned 0.  EBUSY: a file system still holds a
 * call, now and whenever this is asked again; what it uses must stay.
 */
int	 pinefs_stop(struct pinefs_server *server, int drain_ms);
void	 pinefs_server_free(struct pinefs_server *server);

/* Run fn(arg) once on a thread of the server, in `ms` milliseconds. */
int	 pinefs_after(struct pinefs_server *server, unsigned ms,
	    void (*fn)(void *), void *arg);

/*
 * After fork, in the child: close what is inherited, forget the threads,
 * join nothing.  Nothing else of ours may be called there.
 */
void	 pinefs_fork_child(struct pinefs_server *server);

/*
 * A keyed hash (SipHash-1-3), for tables of names that strangers choose: who
 * does not know the key, 16 random bytes, cannot make many share one slot.
 */
uint64_t pinefs_hash(const uint8_t key[16], const void *data, size_t len);

/* A line for a person, on fd 2, as `log` (pinefs_set) lets it through. */
enum { PINEFS_LOG_ERROR, PINEFS_LOG_WARNING, PINEFS_LOG_INFO,
    PINEFS_LOG_DEBUG };
void	 pinefs_log(int level, const char *fmt, ...)
#ifdef __GNUC__
	    __attribute__((format(printf, 2, 3)))
#endif
	    ;

/* While not 0, calls are printed on fd 2; read when a reply is ready. */
int	*pinefs_trace(void);

/* "0.1.0" */
const char *pinefs_version(void);

#ifdef __cplusplus
}
#endif

#endif
