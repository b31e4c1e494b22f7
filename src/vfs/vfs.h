/*
 * The rules of a file system that every protocol version shares: type,
 * rights, limits, names; nodes and exports; how a call waits.  Below it are
 * file systems (pinefs.h), above it protocols (src/nfs).  Knows no XDR and
 * no nfsstat: errors are errno values.
 *
 * How a call waits.  Protocol procedures read straight down and never block.
 * Each step that a procedure takes through this header is recorded, with its
 * result, in the call's memory.  When a file system answers PINEFS_LATER the
 * function here returns PINEFS_LATER, and so does the procedure.  When
 * the step is completed, the procedure is run again from its start (vfs_call
 * rewound by vfs_call_restart), and every step already done returns what is
 * recorded, without reaching the file system again.  So every function below
 * may return PINEFS_LATER; a procedure then returns it at once.
 */
#ifndef VFS_VFS_H
#define VFS_VFS_H

#include <pinefs.h>
#include <pinefs/memory.h>

#include <stdatomic.h>

#include "base/buf.h"
#include "base/spin.h"

struct vfs_cancel;
struct vfs_step;

/* ------------------------------------------------------------- exports -- */

/* Squash: one pure function, vfs_squash, used by every version. */
enum vfs_squash { VFS_SQUASH_NONE, VFS_SQUASH_ROOT, VFS_SQUASH_ALL };

/* What a client may do in an export, and who its users are there. */
struct vfs_rights {
	bool			 read_only;
	bool			 any_uid;	/* whatever export.uids says */
	enum vfs_squash		 squash;	/* of peers not proven root */
	uint32_t		 anon_uid, anon_gid;
};

enum { VFS_CLIENT_MAX = 256 };

/* The rights of a host, of a network, or (no bits) of everybody. */
struct vfs_rule {
	uint8_t			 addr[16];	/* IPv4: as v4-mapped IPv6 */
	unsigned		 bits;		/* of it, that count */
	struct vfs_rights	 rights;
	char			 client[VFS_CLIENT_MAX];	/* as in a list */
};

/* Rules that may change at any time, while calls ask for them. */
struct vfs_rules;
struct vfs_rules *vfs_rules_new(void);		/* none: nobody may */
void	vfs_rules_free(struct vfs_rules *);
/* From the next call on: these, of which the first that fits counts.  Copied;
 * ENOMEM, but not if there are none: nobody may, then. */
int	vfs_rules_set(struct vfs_rules *, const struct vfs_rule *, unsigned n);
/* False: there is none for this address. */
bool	vfs_rules_find(struct vfs_rules *, const uint8_t addr[16],
	    struct vfs_rights *);
bool	vfs_rules_is_empty(struct vfs_rules *);
/* Each in turn, until `fn` gives something else than 0. */
void	vfs_rules_walk(struct vfs_rules *,
	    int (*fn)(void *arg, const struct vfs_rule *), void *arg);

/* A file system under a path, with the rules for who may do what there. */
struct vfs_export {
	_Atomic(struct vfs_export *) next;
	_Atomic(struct vfs_export *) id_next;	/* in a bucket */
	char			*path;		/* "/" or "/NAME" */
	uint32_t		 id;		/* in handles */
	struct pinefs		*fs;
	bool			 read_only;
	enum vfs_squash		 squash;	/* of peers not proven root */
	uint32_t		 anon_uid, anon_gid;
	const uint32_t		*uids;		/* who may at all; NULL: all */
	unsigned		 nuids;
	struct vfs_rules	*rules;		/* by client, or NULL */
};

/* A directory that is nothing but the way to exports below it, of which some
 * may not be known yet. */
struct vfs_way {
	const struct vfs_way	*next;		/* of all */
	const struct vfs_way	*up;		/* NULL: the root */
	uint64_t		 fileid;
	size_t			 len;
	char			 path[];	/* "/a/b" */
};

struct vfs_found {
	struct vfs_export	*export;
	struct pinefs_name	 rest;		/* of the path, below it */
	bool			 wants_way;	/* who asks */
	const struct vfs_way	*way;		/* with EISDIR, if wanted */
};

enum { VFS_EXPORT_BUCKETS = 4096 };

/*
 * The exports of a server: few.  Others may come while it serves, at the
 * end of the list; none ever goes.  There may be very many of those, so they
 * are in `by_id`, too, which is NULL where none can come.
 */
struct vfs_exports {
	_Atomic(struct vfs_export *) first;
	atomic_uint		 n;
	atomic_uint		 changes;	/* of what there is, for whom */
	unsigned		 named;		/* the first ones: not in by_id */
	_Atomic(struct vfs_export *) *by_id;	/* VFS_EXPORT_BUCKETS */
	/*
	 * An export that is not known yet, by a path to be mounted or else
	 * (path NULL) by its id.  EISDIR: not one, but there may be some
	 * below.  It may wait, so it is for calls that run on `executor`.
	 * *found has `wants_way` set, or is zeroed.
	 */
	int			(*more)(void *arg, const char *path,
				    size_t len, uint32_t id,
				    struct vfs_found *found);
	/* A directory that was found so; NULL: none. */
	const struct vfs_way	*(*way)(void *arg, uint64_t fileid);
	/* One that is on the way to an export which is known; NULL without
	 * memory. */
	const struct vfs_way	*(*known_way)(void *arg, const char *path,
				    size_t len);
	void			*more_arg;
	void			*executor;	/* NULL: nothing comes */
};

/* It has clients no more, so its name is another's: handles alone lead to it. */
bool	vfs_export_is_closed(const struct vfs_export *);
struct vfs_export *vfs_export_by_id(const struct vfs_exports *, uint32_t id);
/* The same, and one that comes now. */
struct vfs_export *vfs_export_for_id(const struct vfs_exports *, uint32_t id);
/* "/NAME/", "NAME" and "/NAME" are one; a path below is *rest. */
struct vfs_export *vfs_export_by_path(const struct vfs_exports *,
	    const char *path, size_t len, struct pinefs_name *rest);
/* The same, and one that comes now, before what "/" has of that name. */
struct vfs_export *vfs_export_for_path(const struct vfs_exports *,
	    const char *path, size_t len, struct pinefs_name *rest);

/* --------------------------------------------------------------- calls -- */

enum { VFS_MAX_GIDS = 32 };

/*
 * One request's walk through the file system.  Lives in the memory of the
 * RPC call and goes with it; zeroed, then vfs_call_init.
 */
struct pinefs_call {
	struct xdr_arena	*arena;
	const struct vfs_export	*export;	/* set by vfs_call_enter */
	struct pinefs_cred	 cred;		/* squashed, for that export */
	struct pinefs_cred	 given;		/* as the client said */
	uint32_t		 gids[VFS_MAX_GIDS];
	bool			 peer_root;	/* proven: no root squash */
	struct pinefs		*last_fs;	/* of the last handle found */
	uint64_t		 last_fileid;
	bool			 read_only;	/* the export is, for it */
	uint8_t			 from[16];	/* the client's address */
	struct vfs_step		*steps, **next;	/* recorded; where we are */
	struct vfs_step		*parked;	/* waits for completion */
	struct vfs_step		*attr;		/* getattrs that still hold */
	struct vfs_step		*kept;		/* by vfs_call_next */
	bool			 opened;	/* see vfs_call_opened */
	bool			 found;		/* see vfs_create */
	uint64_t		 who;		/* see vfs_call_by */
	bool			 patient;	/* it has no word for EAGAIN */
	bool			 may_lend;	/* nothing of it comes after a
						   READ's bytes: those of a file
						   may be taken as they leave */
	void			(*resume)(void *arg);	/* run it again */
	void			*resume_arg;
	struct spin		 lock;		/* of the next five */
	bool			 cancelled;
	bool			 hooked;	/* `cancel` is this step's */
	void			(*cancel)(void *);
	void			*cancel_arg;
	struct vfs_cancel	*cancelling;	/* it is being called */
	bool			 told;		/* the 30 s line was logged */
	struct pinefs_call	*wait_next, **wait_prev;
	struct pinefs_call	*gate_next;	/* waits for its turn */
	uint64_t		 started;	/* ms, for the 30 s log line */
};

/*
 * `resume(arg)` is called from any thread when a parked step is complete;
 * maybe before the procedure has returned its PINEFS_LATER.
 */
void	vfs_call_init(struct pinefs_call *, struct xdr_arena *,
	    const struct pinefs_cred *given, bool peer_root,
	    void (*resume)(void *), void *arg);
/* Before the procedure is run again: back to the first recorded step. */
void	vfs_call_restart(struct pinefs_call *);
/*
 * For calls of several operations (v4): one has ended.  The next begins with
 * no steps, and vfs_call_restart goes back to where it begins.  Nodes and
 * bytes of the operations before stay the call's until vfs_call_fini, for
 * the reply may point into them.
 */
void	vfs_call_next(struct pinefs_call *);
/*
 * READ, WRITE and the size of SETATTR under an OPEN that has checked the
 * rights: do not ask again.  Until vfs_call_next or vfs_call_restart.
 */
static inline void
vfs_call_opened(struct pinefs_call *call)
{
	call->opened = true;
}
/*
 * By whom the call is, where the protocol knows: his own promises do not
 * stand in his way.  0: nobody in particular.
 */
static inline void
vfs_call_by(struct pinefs_call *call, uint64_t who)
{
	call->who = who;
}
/*
 * Before something is asked that may be asked no more when the procedure runs
 * again, because its answer was kept: *place (zeroed at first) is where its
 * steps begin, and the call goes there.  ENOMEM.
 */
struct vfs_place {
	struct vfs_step	**at;
};
int	vfs_call_go(struct pinefs_call *, struct vfs_place *);
/* Is what is asked next new?  Else it answers from memory. */
static inline bool
vfs_call_is_at_end(const struct pinefs_call *call)
{
	return *call->next == NULL;
}
/* Put every node reference and unsent piece; the arena is not touched. */
void	vfs_call_fini(struct pinefs_call *);
/* The caller is gone. */
void	vfs_call_cancel(struct pinefs_call *);

/*
 * Enter an export: squash the credential for it, by the rules of this moment.
 * EACCES if the export does not admit this caller.  Idempotent; entering another one switches.
 */
int	vfs_call_enter(struct pinefs_call *, const struct vfs_export *);

/* --------------------------------------------------------------- nodes -- */

/* Reads of `type` and the ident are free; all else goes through functions. */
enum pinefs_type vfs_node_type(const struct pinefs_node *);

/*
 * The node a handle names, owned by the call.  ESTALE: no such object, or
 * another generation.  May reach `resolve`, so may be PINEFS_LATER.
 */
int	vfs_node_find(struct pinefs_call *, const struct vfs_export *,
	    const struct pinefs_ident *, struct pinefs_node **);
/* The root of the call's export, owned by the call. */
int	vfs_node_root(struct pinefs_call *, struct pinefs_node **);
/*
 * What goes into a handle.  For a file system without PINEFS_STABLE_IDS the
 * generation carries the instance's random part, but for the root.
 */
void	vfs_node_handle_ident(const struct pinefs_node *,
	    struct pinefs_ident *);

/* ----------------------------------------------------- the operations -- */

/* Attributes of one object before and after; `before` only if atomic. */
struct vfs_wcc {
	bool			has_before, has_after;
	struct pinefs_stamp	before;
	struct pinefs_attr	after;
	uint64_t		change_before;	/* valid with has_before */
};

/* All of PINEFS_ALL filled, defaults included. */
int	vfs_getattr(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_attr *);

/* Of `asked` (PINEFS_ACCESS_*), what the credential may do. */
int	vfs_access(struct pinefs_call *, struct pinefs_node *,
	    uint32_t asked, uint32_t *granted, struct pinefs_attr *);

/* `.` and `..` are allowed here (v2, v3); rights: search of dir. */
int	vfs_lookup(struct pinefs_call *, struct pinefs_node *dir,
	    struct pinefs_name, struct pinefs_node **);
/* The directory above (v4 LOOKUPP); ENOENT at an export's root. */
int	vfs_lookup_parent(struct pinefs_call *, struct pinefs_node *dir,
	    struct pinefs_node **);

int	vfs_readlink(struct pinefs_call *, struct pinefs_node *,
	    struct xdr_view *text);

struct vfs_data {
	struct xdr_view	bytes;	/* pieces, or the call's memory */
	bool		eof;	/* exact */
};
/* Rights: read, or execute, or ownership (v2 and v3 have no open). */
int	vfs_read(struct pinefs_call *, struct pinefs_node *, uint64_t off,
	    uint32_t count, struct vfs_data *);

struct vfs_write {
	uint64_t		 off;
	struct xdr_view		 data;
	struct pinefs_buf	*buf;		/* `data` lies in it, or NULL */
	int			 stable;	/* PINEFS_UNSTABLE ... */
	/* Results: */
	uint32_t		 written;
	int			 committed;
	struct vfs_wcc		 wcc;		/* also on failure */
};
int	vfs_write(struct pinefs_call *, struct pinefs_node *,
	    struct vfs_write *);
int	vfs_commit(struct pinefs_call *, struct pinefs_node *, uint64_t off,
	    uint64_t len, struct vfs_wcc *);
/* 8 bytes; changes with every start and with pinefs_data_lost. */
void	vfs_write_verifier(const struct pinefs *, uint8_t verf[8]);

/* Owner rules of POSIX chmod, chown, utimes; size as truncate. */
int	vfs_setattr(struct pinefs_call *, struct pinefs_node *,
	    const struct pinefs_set *, struct vfs_wcc *);

/*
 * Make an object.  UNCHECKED with an existing regular file: that one, with
 * set.size applied if 0, and call->found is true: nobody has asked yet what
 * the caller may do with it.  The new node is owned by the call.
 */
int	vfs_create(struct pinefs_call *, struct pinefs_node *dir,
	    struct pinefs_name, const struct pinefs_create *,
	    struct pinefs_node **, struct vfs_wcc *dir_wcc);
int	vfs_remove(struct pinefs_call *, struct pinefs_node *dir,
	    struct pinefs_name, int kind, struct vfs_wcc *dir_wcc);
int	vfs_rename(struct pinefs_call *, struct pinefs_node *from,
	    struct pinefs_name old_name, struct pinefs_node *to,
	    struct pinefs_name new_name, struct vfs_wcc *from_wcc,
	    struct vfs_wcc *to_wcc);
int	vfs_link(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_node *dir, struct pinefs_name,
	    struct vfs_wcc *dir_wcc);
/*
 * Next data or hole at or after `off`; a file ends with a hole.  ENXIO: off
 * is not before the end, or there is no data any more.  EINVAL: `what`.
 */
int	vfs_seek(struct pinefs_call *, struct pinefs_node *, int what,
	    uint64_t off, uint64_t *found);
/* Give a range space (the file grows to hold it), or punch a hole. */
int	vfs_allocate(struct pinefs_call *, struct pinefs_node *,
	    uint64_t off, uint64_t len, bool punch, struct vfs_wcc *);
/*
 * Let a range of `to` share what is in one of `from`; len 0: to the end.
 * EXDEV, EINVAL (beyond the end; ranges of one file overlap), ENOTSUP.
 */
int	vfs_clone(struct pinefs_call *, struct pinefs_node *from,
	    uint64_t from_off, struct pinefs_node *to, uint64_t to_off,
	    uint64_t len, struct vfs_wcc *);
/*
 * The same, by whatever way the file system has to copy by itself: of *len
 * bytes, not 0, maybe only the first, as many as *len is then.
 */
int	vfs_copy(struct pinefs_call *, struct pinefs_node *from,
	    uint64_t from_off, struct pinefs_node *to, uint64_t to_off,
	    uint64_t *len, struct vfs_wcc *);
/*
 * Extended attributes.  ENODATA: none of that name; EEXIST; E2BIG, ERANGE:
 * too large; ENOTSUP; EPERM: not of files and directories.  `how`:
 * PINEFS_XATTR_*.  Listing calls `add` for names behind the cookie `after`,
 * 0 at first, until it says that one does not fit.
 */
bool	vfs_can_xattr(const struct pinefs *);
int	vfs_getxattr(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, struct xdr_view *value);
int	vfs_setxattr(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, struct xdr_view value, int how,
	    struct vfs_wcc *);
int	vfs_removexattr(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, struct vfs_wcc *);
struct vfs_entry;
int	vfs_listxattr(struct pinefs_call *, struct pinefs_node *,
	    uint64_t after, int (*add)(void *, const struct vfs_entry *),
	    void *add_arg, bool *eof);
/*
 * The first v4 state on a node comes; the last went; none writes any more.
 * The caller sees to it that they come in turns.
 */
int	vfs_open(struct pinefs_call *, struct pinefs_node *,
	    uint32_t access);
void	vfs_close(struct pinefs_node *);
void	vfs_written(struct pinefs_node *);
/*
 * `after` of an object, whatever happened before: for failure replies.  0,
 * also where there are no attributes, or PINEFS_LATER.
 */
int	vfs_wcc_after(struct pinefs_call *, struct pinefs_node *,
	    struct vfs_wcc *);

struct vfs_limits {		/* FSINFO, PATHCONF, FSSTAT, STATFS */
	struct pinefs_statfs	st;
	bool			can_link, can_symlink, can_settime;
	bool			case_insensitive, homogeneous;
	bool			read_only;
	bool			can_allocate, can_clone;	/* v4.2 */
};
int	vfs_limits(struct pinefs_call *, struct pinefs_node *,
	    struct vfs_limits *);

/* ------------------------------------------------------------ promises -- */

/*
 * A protocol promises its clients to tell them before a file changes (see
 * guard.h).  `fn` is asked, before a change of a promised node, whether it
 * may be made: 0; EAGAIN, later; PINEFS_LATER: pinefs_complete will say which.
 * `call->who` says who wants it.  It must not block.
 */
typedef int vfs_guard_fn(void *arg, struct pinefs_call *,
	    struct pinefs_node *);
void	 vfs_fs_set_guard(struct pinefs *, vfs_guard_fn *, void *arg);
/*
 * May promises be given for files of this file system by who gave it that
 * `arg`?  Of several servers of one file system only the first may, until it
 * sets NULL.
 */
bool	 vfs_fs_can_promise(const struct pinefs *, const void *arg);
/* False: a change is under way.  Again for a node that has one is harmless. */
bool	 vfs_node_promise(struct pinefs_node *);
void	 vfs_node_promise_end(struct pinefs_node *);
/*
 * A change that is about to be made by other means than the operations above
 * (which announce theirs): 0, EAGAIN, ENOMEM, PINEFS_LATER.  On 0 no promise
 * is given until vfs_guard_end, which takes NULL, too.
 */
struct vfs_guard;
int	 vfs_guard_begin(struct pinefs_call *, struct pinefs_node *,
	    struct vfs_guard **);
void	 vfs_guard_end(struct vfs_guard *);

/* ------------------------------------------------------------- readdir -- */

/*
 * One entry on its way to a protocol.  Cookies are those of the wire: the
 * file system's + 2; 1 and 2 are `.` and `..`.
 */
struct vfs_entry {
	struct pinefs_name	 name;		/* copied to the call's arena */
	struct pinefs_ident	 id;		/* handle ident, as above */
	uint64_t		 cookie;
	const struct pinefs_attr *attr;		/* NULL: not wanted, or failed;
						   valid during add only */
	int			 err;		/* why attr is NULL */
	/*
	 * narrow: bytes of NFSv2 entries (16 and the padded name each) that
	 * must fit behind this one, or this one does not fit either: they
	 * have the same cookie, and cannot be parted.
	 */
	uint32_t		 reserve;
};

struct vfs_readdir {
	uint64_t	cookie;		/* of the wire; 0: from the start */
	bool		dots;		/* list `.` and `..` (v2, v3) */
	bool		narrow;		/* v2: 32-bit cookies */
	uint64_t	want;		/* attributes; 0: names alone */
	uint32_t	room;		/* of a page, about; 0: not known */
	/*
	 * Take an entry; non-zero: it does not fit, stop before it.
	 * `add_arg` is the packer of the protocol.
	 */
	int		(*add)(void *add_arg, const struct vfs_entry *);
	void		*add_arg;
	bool		eof;		/* result: exact */
};

/*
 * Calls rd->add for each entry behind rd->cookie.  After PINEFS_LATER the
 * procedure starts over with an empty packer.  Rights: read of dir.
 */
int	vfs_readdir(struct pinefs_call *, struct pinefs_node *dir,
	    struct vfs_readdir *);

/* ------------------------------------------------------ where to run it -- */

/*
 * The executor for a call whose main operation is `op` (PINEFS_OP_*) on a
 * file system, or NULL: here and now.  The pointer was given to
 * vfs_fs_set_executor by the server; vfs does not look into it.
 */
void	*vfs_fs_executor(const struct pinefs *, uint64_t op);
void	 vfs_fs_set_executor(struct pinefs *, void *executor);
/* The table as the file system gave it: blocking, executor, flags. */
const struct pinefs_ops *vfs_fs_ops(const struct pinefs *);
/*
 * Log calls that wait for this file system for more than 30 s, once each.
 * For a timer of the server; `now_ms` is clock_boot_ms().
 */
void	 vfs_fs_check_waits(struct pinefs *, uint64_t now_ms);
/* Tell `fn` of promised nodes (below) that changed by themselves; it must not
 * block. */
void	 vfs_fs_set_watch(struct pinefs *,
	    void (*fn)(void *, struct pinefs_node *), void *arg);

/* -------------------------------------------------------------- squash -- */

/*
 * Squash one credential: uid, gid and every supplementary gid, each for
 * itself.  `gids` has room for VFS_MAX_GIDS.
 */
void	vfs_squash(const struct pinefs_cred *given, enum vfs_squash,
	    uint32_t anon_uid, uint32_t anon_gid, struct pinefs_cred *out,
	    uint32_t *gids);

#endif
