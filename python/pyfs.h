/* SPDX-License-Identifier: MIT */
/*
 * pyfs: a running Python program as a file system.  What its files share.
 *
 *	module.c	what Python sees: start, stop, the trace switch
 *	serve.c		one server: options, life, fork, end
 *	ops.c		looking: lookup, getattr, readdir, read
 *	change.c	changing: create, remove, setattr, write
 *	rename.c	changing: rename, link
 *	mapped.c	changing what is in directories by mappers
 *	node.c		the table of paths that clients know
 *	home.c		from a path to the object bound there, and back
 *	shape.c		which Python type is which kind of file
 *	list.c		the names in a directory
 *	name.c		keys as file names, reversibly
 *	value.c		values as bytes;  parse.c: bytes as values
 *	source.c	functions as their source
 *	mounts.c	files that cannot be read, since we serve them
 *	bind.c		assigning, deleting;  watch.c: who is asked before
 *	fill.c		exchanging what is in an object
 *	stage.c		writes that Python does not see yet
 *	glow.c		what the reply to a write says of the file
 *	gil.c		the interpreter lock: nowhere else is it taken
 *	probe.c		which way to take it is a good one
 *	worker.c	threads for code of the user
 *	xattr.c		views as extended attributes
 *	view.c		views and the control directory: what Python makes up
 *	look.c		calls about these, answered by workers
 *	error.c		the last failures
 *	stats.c		what was counted
 *	kit.c		types and functions of Python, fetched once
 *
 * Three ideas carry it.  A node is a path, not an object: no reference to a
 * Python object is kept between two requests.  A container has one home path
 * and is a symbolic link everywhere else, so the tree ends.  Looking runs no
 * code of the user: only slots of base types are called.
 *
 * Everything here is guarded by the interpreter lock, unless it says
 * otherwise.  Code between two calls that may run Python code is atomic.
 */
#ifndef PYFS_H
#define PYFS_H

/* Our floor, whatever the headers are of. */
#define Py_LIMITED_API	0x03080000
#include <Python.h>

#include <errno.h>
#include <pinefs.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

struct gil;

/* A function answered that it would have to run code of the user. */
#define PYFS_WORKER	(-2)

enum {
	NAME_LEN_MAX = 255,
	DEPTH_MAX = 200,	/* deeper containers are shown as files */
	OWN_MAX = 104,		/* of a handle, in v4 */
	PATH_LEN_MAX = 4096
};

/* ---------------------------------------------------------------- hash -- */

/* The same on every host and in every run: fileids are made of these. */
static inline uint64_t
mix64(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

uint64_t hash64(uint64_t seed, const void *base, size_t len);

/* ---------------------------------------------------------------- text -- */

/*
 * Bytes that are seen for the length of an operation: borrowed from a Python
 * object that `owner` keeps, or in `heap`, or in `small`.
 */
struct text {
	const char	*base;
	size_t		 len;
	PyObject	*owner;
	char		*heap;
	char		 small[88];
};

void	text_fini(struct text *);
/* Format into *t; 0 or ENOMEM. */
int	text_printf(struct text *t, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
/* The bytes of a bytes object, which is taken over. */
int	text_take(struct text *t, PyObject *bytes);

/* -------------------------------------------------------------- shapes -- */

/* What a Python type is as a file; decided by the type alone. */
enum shape {
	SHAPE_NONE,		/* nothing is bound there */
	/* Files, */
	SHAPE_STR, SHAPE_BYTES, SHAPE_BYTEARRAY, SHAPE_BOOL, SHAPE_INT,
	SHAPE_FLOAT, SHAPE_COMPLEX, SHAPE_NIL, SHAPE_RANGE, SHAPE_SLICE,
	SHAPE_ELLIPSIS, SHAPE_STD, SHAPE_ENUM, SHAPE_FUNC, SHAPE_REPR,
	SHAPE_FLAT,		/* a sequence or set, with sequences="file" */
	SHAPE_OPAQUE,
	SHAPE_MAPPED,		/* has a mapper, which says what it is */
	/* symbolic links, */
	SHAPE_SYMLINK,
	/* and directories. */
	SHAPE_MODULE, SHAPE_CLASS, SHAPE_INSTANCE, SHAPE_DICT, SHAPE_PROXY,
	SHAPE_LIST, SHAPE_TUPLE, SHAPE_NAMED, SHAPE_SET, SHAPE_FROZENSET,
	SHAPE_DEQUE
};

static inline bool
shape_is_dir(enum shape s)
{
	return s >= SHAPE_MODULE;
}

/* A namespace: names are identifiers, bound by setattr. */
static inline bool
shape_is_space(enum shape s)
{
	return s == SHAPE_MODULE || s == SHAPE_CLASS || s == SHAPE_INSTANCE;
}

static inline bool
shape_is_sequence(enum shape s)
{
	return s == SHAPE_LIST || s == SHAPE_TUPLE || s == SHAPE_DEQUE;
}

static inline bool
shape_is_mapped(enum shape s)
{
	return s == SHAPE_MAPPED;
}

struct pyfs;

/* Types that have mappers: "f", "w" (a file that can be written) or "d". */
void	shape_set_mappers(PyObject *dict);
const char *shape_mapped_kind(PyObject *o);
enum shape shape_of(const struct pyfs *, PyObject *o);
/* What is known of types is old: code of the user may have run. */
void	shape_forget(void);
/* Counts that: the same number, and nobody else has had the lock. */
uint64_t shape_epoch(void);
/* Something can be bound in it, or (a file) its text can be parsed. */
bool	shape_is_writable(enum shape s, PyObject *o);
/* The dict behind a module, class, mappingproxy, instance or dict; a new
 * reference, or NULL without an exception. */
PyObject *shape_dict(enum shape s, PyObject *o);
/* `name` in the dicts of the bases of `type`; new reference or NULL. */
PyObject *shape_of_class(PyObject *type, PyObject *name);
/* The value of a slot, or NULL without an exception. */
PyObject *shape_slot(PyObject *o, PyObject *name);
/* Calls fn for each class of the mro of `type` with its dict. */
int	shape_mro(PyObject *type,
	    int (*fn)(PyObject *cls, PyObject *dict, void *arg), void *arg);
/* The names of the slots of o's classes, as a new list; NULL: none. */
PyObject *shape_slots(PyObject *o);

/* --------------------------------------------------------------- nodes -- */

enum {
	NODE_SEEN = 0x01,	/* `seen` is the hash of a content */
	NODE_MOVED = 0x02,	/* `id` is not the hash of the path */
	NODE_MODE = 0x04,	/* `mode` was set by a client */
	NODE_SHADOW = 0x08,	/* exists beside Python: seen by NFS only */
	NODE_FRESH = 0x10,	/* made by a client; no content bound yet */
	NODE_DEAD = 0x20,	/* the name was removed */
	NODE_WALKING = 0x40,	/* its object is being looked for */
	NODE_USED = 0x80,	/* since the clock's hand came by */
	NODE_VERF = 0x100,	/* `verf` of an exclusive create */
	NODE_TIMES = 0x200,	/* mtime was set by a client */
	NODE_MADE = 0x400,	/* by a client: its type says nothing */
	NODE_AWAY = 0x800,	/* renamed to a backup; Python has it still */
	NODE_VIEW = 0x4000,	/* made up by the package */
	NODE_WRITABLE = 0x8000	/* ... and can be written */
};

struct stage;
struct view;

/* A path: a name in a directory. */
struct node {
	/* What a look-up compares is together, and close to the name. */
	struct node	*id_next;	/* chains of the three indexes */
	struct node	*at_next;
	struct node	*home_next;
	struct node	*parent;	/* NULL: the root */
	uint64_t	 id;		/* fileid */
	const void	*home;		/* address of the object at home here */
	char		*name;
	uint16_t	 flags, name_len;
	uint8_t		 kind;		/* PINEFS_REG, _DIR or _LNK */
	uint8_t		 own_len;
	uint16_t	 mode;
	struct node	*leader;	/* of a group of hard links, or NULL */
	struct node	*link_next;	/* ring of that group, or NULL */
	struct node	*beside_next;	/* of the parent's shadows */
	struct node	*beside;	/* shadows in this directory */
	struct stage	*stage;
	struct view	*view;		/* NODE_VIEW: the text made last */
	PyObject	*memo;		/* what is bound there, in this hold */
	struct node	*memo_next;
	uint8_t		*own;		/* handle bytes it was born with */
	uint64_t	 path_hash;
	uint64_t	 seen;		/* hash of the content seen last */
	uint64_t	 meta;		/* counts chmod and utimes */
	uint64_t	 away;		/* counts names that go or return */
	uint64_t	 sum, sum_at;	/* hash of a directory, in a hold */
	int64_t		 mtime, ctime;	/* ns */
	uint8_t		 verf[8];
	uint32_t	 children;	/* nodes whose parent this is */
	uint32_t	 pins;
	uint16_t	 opens;		/* of version 4, not yet seen to close */
	uint16_t	 binding;	/* values that come to the group it leads */
	char		 inline_name[];
};

struct nodes {
	struct node	**by_id, **by_at, **by_home;
	size_t		 size;		/* buckets in each: a power of two */
	size_t		 n, max;
	size_t		 hand;		/* of the clock */
	struct node	*root;
};

int	nodes_init(struct nodes *, size_t max);
void	nodes_fini(struct nodes *);

struct node *node_by_id(const struct nodes *, uint64_t id);
struct node *node_at(const struct nodes *, const struct node *parent,
	    struct pinefs_name name, int kind);
/* The node, made if there was none; NULL without memory. */
struct node *node_make(struct nodes *, struct node *parent,
	    struct pinefs_name name, int kind);
struct node *node_by_home(const struct nodes *, const void *object);
void	node_set_home(struct nodes *, struct node *, const void *object);
/* While pinned a node is not freed. */
void	node_pin(struct node *);
void	node_unpin(struct nodes *, struct node *);
void	node_reap(struct nodes *, struct node *);
/* The name is gone: forget it, at once or when it is no longer pinned. */
void	node_remove(struct nodes *, struct node *);
/* It has another name now, and keeps its id and handle. */
int	node_move(struct nodes *, struct node *, struct node *parent,
	    struct pinefs_name name);
/* Another name for the same object. */
int	node_link(struct nodes *, struct node *, struct node *member);
/* Its value is another now: it leaves the group. */
void	node_unlink(struct node *);
unsigned node_nlink(const struct node *);
/* The leader of its group: whose id, times and stage count. */
static inline struct node *
node_lead(struct node *n)
{
	return n->leader != NULL ? n->leader : n;
}

unsigned node_depth(const struct node *);
bool	node_is_below(const struct node *, const struct node *top);
/* "/a/b" into buf, cut at size; the full length ("" is the root). */
size_t	node_path(const struct node *, char *buf, size_t size);
/* The bytes for handles; 0: none, the path is too long. */
size_t	node_own(const struct node *, uint8_t buf[OWN_MAX]);
uint32_t node_module_hash(struct pinefs_name name);

/* Shadows of a directory. */
struct node *node_beside(const struct node *dir, struct pinefs_name name);
void	node_beside_add(struct node *);
void	node_beside_drop(struct node *);

/* -------------------------------------------------------------- options -- */

struct pyfs_config {
	PyObject	*root;		/* NULL: sys.modules */
	PyObject	*symlink;	/* the class pinefs.Symlink */
	PyObject	*switches;	/* dicts that hold trace_rpc */
	PyObject	*ask;		/* pinefs._views, for this server */
	PyObject	*swap;		/* gives a function another code */
	PyObject	*watchers;	/* a list; `tell` calls each of it */
	PyObject	*tell;
	/* NULL at the end: */
	char		**include, **exclude, **protect, **shadow;
	bool		 readonly, hide_private, exact_newline;
	bool		 polite;	/* gil="polite" */
	int		 signal;	/* gil="signal": which; 0: none */
	bool		 flat;		/* sequences="file" */
	bool		 code;		/* functions can be written */
	bool		 control;	/* there is a .pyfs */
	bool		 views;		/* there are views */
	uint32_t	 mode_mask;
	size_t		 max_nodes, max_file;
	unsigned	 time_box;	/* ms */
	unsigned	 patience;	/* ms, for the interpreter lock */
};

enum { ERRORS_KEPT = 100 };

struct error {
	time_t		 at;
	int		 err;
	const char	*what;		/* operation */
	char		 path[160], why[200];
};

enum { GLOWS = 32 };		/* files just written, at one time */

struct glow {
	const struct pinefs_call *call;
	uint64_t		  client;	/* hash of its address */
	uint64_t		  id;		/* of the node; 0: none */
	int64_t			  until;
	bool			  open;		/* until it is closed */
	struct pinefs_attr	  attr;
};

struct glows {
	pthread_mutex_t		  lock;
	struct glow		  glow[GLOWS];
	unsigned		  next;
};

struct pyfs {
	struct pyfs		*next;		/* of all in this process */
	struct pinefs		*fs;
	struct pinefs_server	*server;
	struct gil		*gil;
	struct pinefs_executor	 executor;
	struct pyfs_config	 config;
	struct nodes		 nodes;
	struct node		*memos;		/* nodes with a memo */
	struct stage		*stages;	/* that wait for their commit */
	struct listing_cache	*lists;
	struct glows		 glows;
	_Atomic uint64_t	 closes;	/* of version 4, counted */
	uint32_t		 uid, gid;
	int64_t			 started;	/* ns */
	int64_t			 last_time;	/* none is given out twice */
	uint64_t		 hold;		/* counts; and changes in it */
	uint64_t		 calls;		/* operations */
	uint64_t		 changes;	/* by clients */
	struct error		 errors[ERRORS_KEPT];
	unsigned		 nerrors;	/* since the start */
	unsigned		 jobs;		/* the workers': of this one */
	struct pinefs		**beside;	/* in memory: beside.c */
	size_t			 nbeside;
	bool			 serving, stopping;
};

/* Who is at work: the broker keeps memos and may run no code of the user. */
struct hold {
	struct pyfs	*pf;
	bool		 broker;
	uint64_t	 glow_id;	/* what the last commit was of; or 0 */
	struct pinefs_attr glow;	/* as it was written */
	const char	*client;	/* who asks, or NULL */
	bool		 told;		/* who is to be asked was asked */
};

/* All servers of this process. */
extern struct pyfs *pyfs_all;

/*
 * With the lock, which they let go of while they wait.  `path` is where the
 * program is exported, `beside` a list of what beside_export takes.
 */
int	pyfs_start(struct pyfs *, PyObject *settings, const char *path,
	    PyObject *beside);
void	pyfs_stop(struct pyfs *);
void	pyfs_free(struct pyfs *);
void	pyfs_free_config(struct pyfs *);
void	pyfs_fork_child(void);
/* The switch trace_rpc; and a look whether it was written to its modules'
 * dicts behind their backs. */
void	switch_set(long value);
void	switch_look(struct pyfs *);

/*
 * File systems in memory, exported by the same server: tuples (path, bytes,
 * readonly).  One that cannot be made is logged, and harms no other.
 */
int	beside_export(struct pyfs *, PyObject *list);
void	beside_free(struct pyfs *);

int64_t	pyfs_now(struct pyfs *);	/* ns, later than the last one */
void	pyfs_log(const char *format, ...)
	    __attribute__((format(printf, 1, 2)));

/* --------------------------------------------------------------- names -- */

/* Text that grows; names of a listing. */
struct sbuf {
	char	*base;
	size_t	 len, cap;
};

int	sbuf_add(struct sbuf *, const void *base, size_t len);
void	sbuf_fini(struct sbuf *);

/*
 * Append the name of `key` to *b.  `dict` (or NULL) decides whether an int
 * needs its prefix.  *scan: the key is found again only by looking through
 * all names.  0 or an errno.
 */
int	name_of_key(struct sbuf *b, PyObject *dict, PyObject *key, bool *scan);
/*
 * The key that has this name: a new reference, or NULL with *err 0 when it
 * can only be found by looking through all names, or ENOENT.
 */
PyObject *name_to_key(struct pinefs_name name, int *err);
/*
 * name_of_key makes this name of it, and not another.  name_to_key leaves it
 * to its caller to ask that of an int, since it depends on the dict.
 */
bool	name_is_of(struct pinefs_name name, PyObject *dict, PyObject *key);
/* The int that a decimal name stands for, or NULL. */
PyObject *name_to_number(struct pinefs_name name);
/* The text of a name as a str key. */
PyObject *name_to_str(struct pinefs_name name);
/* An index: digits only, no leading zero; -1 else. */
Py_ssize_t name_to_index(struct pinefs_name name);
bool	name_is_identifier(struct pinefs_name name);
bool	name_equal(struct pinefs_name a, const char *base, size_t len);

/* ------------------------------------------------------------- listing -- */

struct item {
	uint64_t	 cookie;
	size_t		 at;		/* of the name in the text */
	uint32_t	 len;
	PyObject	*value;		/* owned, or NULL: look it up */
	PyObject	*key;		/* owned; where names say too little */
	struct node	*shadow;	/* exists beside Python */
};

struct listing {
	struct item	*items;
	size_t		 n, cap;
	struct sbuf	 names;
	bool		 scan;		/* some names say too little */
	bool		 may_pause;	/* it is of a directory, by READDIR */
};

/*
 * Every name, in the order of the cookies; `dir` (or NULL) for shadows.  Of a
 * long dict with pauses, if `dir` is given: what is neither owned nor pinned
 * is to be looked up again.  listing_fini also after a failure.
 */
int	listing_make(struct hold *, struct node *dir, PyObject *o,
	    enum shape, struct listing *);
void	listing_fini(struct hold *, struct listing *);
/* To be kept beyond the hold. */
void	listing_drop_values(struct hold *, struct listing *);
/* Nothing is bound in it. */
bool	listing_is_empty(PyObject *o, enum shape);
/* What is bound to `name`: a new reference, or NULL: ENOENT. */
PyObject *child_get(struct hold *, PyObject *o, enum shape,
	    struct pinefs_name name);
PyObject *child_search(struct hold *, PyObject *o, enum shape,
	    struct pinefs_name name, PyObject **key);
/* Changes whenever a name comes or goes, or a container is exchanged.  Of a
 * long dict with pauses. */
uint64_t listing_hash(struct hold *, PyObject *o, enum shape);
uint64_t cookie_of(struct pinefs_name name, enum shape);

/* --------------------------------------------------------------- homes -- */

/*
 * What is bound at the node's path, if it is of the node's kind: a new
 * reference, or NULL (ESTALE).
 */
PyObject *home_walk(struct hold *, struct node *);
/*
 * The node for what is bound to `name` in `parent`: the home of a container,
 * a link to it, or a file.  NULL without memory.
 */
struct node *home_child(struct hold *, struct node *parent,
	    struct pinefs_name name, PyObject *o, enum shape);
/* The node where a container is at home now, or NULL. */
struct node *home_find(struct hold *, PyObject *o, enum shape);
/* The text of the symbolic link `n` to what is bound there. */
int	home_link_text(struct hold *, struct node *n, PyObject *o,
	    enum shape, struct text *);
/* What the text of a link in `dir` leads to: a new reference, or NULL. */
PyObject *home_follow(struct hold *, struct node *dir,
	    struct pinefs_name target);
/* The node of a handle, from the table or by the path in it; or NULL. */
struct node *home_node(struct hold *, const struct pinefs_ident *id);
/* Forget what was found in this hold: bindings have changed. */
void	home_forget(struct hold *);
/* Options say that this name is not served. */
bool	home_hides(const struct pyfs *, const struct node *parent,
	    struct pinefs_name name);
/* The same in a directory that is made up: a view, or in .pyfs. */
bool	home_hides_made(const struct pyfs *, const struct node *dir,
	    struct pinefs_name name);
/*
 * A pattern of `exclude` is for a path in the directory `dir`, and would not be
 * if that had this name: what is hidden there would be seen.
 */
bool	home_would_show(const struct pyfs *, const struct node *dir,
	    const struct node *parent, struct pinefs_name name);
/* By `exclude` and `private` alone. */
bool	home_excludes(const struct pyfs *, const struct node *parent,
	    struct pinefs_name name);
/* `path`, dotted or with slashes, matches one of the patterns. */
bool	home_match(char *const *patterns, const struct node *parent,
	    struct pinefs_name name, char slash);

/* --------------------------------------------------------------- values -- */

int	value_render(struct pyfs *, PyObject *o, enum shape, struct text *);
/* Constants in lists, tuples, sets and dicts: repr() runs no foreign code. */
bool	value_is_plain(PyObject *o);
int	source_render(PyObject *o, struct text *);
/* The file is on a mount of a server of this process. */
bool	mounts_is_ours(const char *path);
void	mounts_fork_child(void);
/* There is a Python function in it, whose code can be exchanged. */
bool	source_can_be_written(PyObject *o);
/* Load the file that a function is in, if it is not, in a pause. */
void	source_prepare(struct hold *, PyObject *o);
/*
 * The value that `bytes` stand for where `old` (of shape `s`; NULL: nothing)
 * is bound now.  A new reference; or NULL with *err EINVAL, EACCES, ENOMEM,
 * or PYFS_WORKER.
 */
PyObject *value_parse(struct hold *, PyObject *old, enum shape s,
	    const char *base, size_t len, bool replacing, int *err);

/* -------------------------------------------------------------- errors -- */

/* Remember, for this thread, what the exception that is set says; or that
 * there was none. */
void	error_why(void);
void	error_forget(void);
const char *error_said(void);
/* An operation failed; of a directory's `name`, if there is one. */
void	error_add(struct pyfs *, const struct node *, struct pinefs_name name,
	    const char *what, int err);
PyObject *error_list(const struct pyfs *);
void	error_clear(struct pyfs *);

/* -------------------------------------------------------------- binding -- */

/* Bind, delete in `dir`, which is at `at`: 0, an errno, or PYFS_WORKER. */
int	bind_set(struct hold *, struct node *at, PyObject *dir, enum shape,
	    struct pinefs_name,
	    PyObject *value);
int	bind_delete(struct hold *, struct node *at, PyObject *dir, enum shape,
	    struct pinefs_name);
/* Tell who wants to know that `name` will be bound to `value`, or deleted
 * (NULL); 0, EPERM: somebody refuses, or PYFS_WORKER. */
int	watch_change(struct hold *, const struct node *at,
	    struct pinefs_name name, PyObject *old, PyObject *value);
/* The same of what is `within` (a str; or NULL) the object of that name. */
int	watch_within(struct hold *, const struct node *at,
	    struct pinefs_name name, PyObject *within, PyObject *old,
	    PyObject *value);
/*
 * The same for text that will become a value by changing what is bound there
 * in place (the source of a function, say); nothing of other shapes.
 */
int	watch_in_place(struct hold *, const struct node *at,
	    struct pinefs_name name, PyObject *old, enum shape,
	    const char *base, size_t len);
/*
 * A dict, list, set or bytearray (or of a subclass) has the contents of
 * `value`, of the very type: 0, or -1 with an exception and the old contents.
 */
int	fill_container(PyObject *o, PyObject *value);
/* A function has another __code__, __defaults__, __kwdefaults__, __doc__: 0,
 * or -1 with an exception, and it has the old ones. */
enum { FUNCTION_PARTS = 4 };
int	fill_function(PyObject *function,
	    PyObject *const parts[FUNCTION_PARTS]);
/* The length of a list or deque, without asking a subclass; -1: an error. */
Py_ssize_t sequence_size(PyObject *o, enum shape);
/* Let go of a value whose end may run code of the user. */
void	bind_drop(struct hold *, PyObject *o);
/* The errno of the Python exception that is set, which is cleared. */
int	py_errno(void);
int	py_errno_bind(void);

/* --------------------------------------------------------------- stages -- */

struct stage {
	struct stage	*next, **prev;
	struct node	*node;		/* pinned */
	struct nodes	*nodes;
	char		*base;
	size_t		 len, cap;
	uint64_t	 version;	/* counts changes */
	uint64_t	 closes;	/* of pyfs, at the last change */
	uint64_t	 hash;		/* of the bytes, at hash_version */
	uint64_t	 hash_version;
	uint64_t	 base_hash;	/* of the value it was begun over */
	int64_t		 due;		/* by pyfs_clock: commit; 0: never */
	bool		 replacing;	/* begun by cutting to nothing */
	bool		 written;	/* not only cut */
};

enum { STAGE_AFTER_WRITE = 200, STAGE_AFTER_CUT = 1000 };	/* ms */

/*
 * The stage of a node; begun with the first `keep` bytes of what is there.
 * `o` may be NULL.
 */
int	stage_begin(struct pyfs *, struct node *, PyObject *o, enum shape,
	    size_t keep);
int	stage_resize(struct pyfs *, struct node *, uint64_t size);
int	stage_write(struct pyfs *, struct node *, uint64_t off,
	    const struct iovec *, unsigned n);
uint64_t stage_hash(struct stage *);
/*
 * The name is gone for clients, and for Python a second later, unless a
 * client makes it again: then its type is that of what Python still has.
 */
int	stage_away(struct pyfs *, struct node *, PyObject *o);
int	stage_return(struct pyfs *, struct node *, PyObject *o);
/* Delete what is away in a directory now. */
int	stage_go_away(struct hold *, struct node *dir);
/* Commit by itself in `ms` from now. */
void	stage_due(struct node *, unsigned ms);
void	stage_drop(struct node *);
/* Parse, bind, drop: 0, an errno (the stage stays), or PYFS_WORKER. */
int	stage_commit(struct hold *, struct node *);
/* It cannot be bound: the old value shows again, what is new is gone. */
void	stage_fail(struct pyfs *, struct node *);
/* The same for one whose failure nobody waits for: it is logged. */
int	stage_commit_alone(struct hold *, struct node *);
/* Those whose time has come, or all. */
void	stage_commit_due(struct hold *, bool all);

/* ---------------------------------------------------------------- glow -- */

int	glow_init(struct glows *);
void	glow_fini(struct glows *);
uint64_t glow_client(const struct pinefs_call *);
/*
 * What was written, for the reply to `call`, or while `client` has the file
 * open.  The call may be over: it is compared, and not looked into.
 */
void	glow_keep(struct glows *, const struct pinefs_call *,
	    uint64_t client, uint64_t id, const struct pinefs_attr *,
	    bool open);
bool	glow_find(struct glows *, const struct pinefs_call *, uint64_t id,
	    struct pinefs_attr *);
void	glow_close(struct glows *, uint64_t id);
void	glow_forget(struct glows *, uint64_t id);

/* ---------------------------------------------------------------- lock -- */

/*
 * `signal` (or 0) goes to the thread that calls this, to make it listen.  Code
 * of the user may run for time_box ms in a hold.
 */
struct gil *gil_new(bool polite, int signal, unsigned time_box);
void	gil_free(struct gil *);
/* By the one thread of the broker, around each batch. */
void	gil_take(struct gil *);
void	gil_drop(struct gil *);
/* By this thread, a broker's. */
bool	gil_is_held(void);
/*
 * By the watch, when worker_box_at says: interrupts what has run for too long;
 * how many.  *kept: as for gil_enter.
 */
unsigned gil_interrupt_late(PyThreadState **kept);
/* In the middle of a batch: the program has the lock for a moment. */
void	gil_pause(struct gil *);
/* Waits for the lock: how many, and of them in each class: eight classes to a
 * power of two of ns, the last without end. */
enum { GIL_CLASSES = 8 * 38 };
struct gil_count {
	uint64_t	 holds;
	uint64_t	 waits[GIL_CLASSES];
	int64_t		 longest;	/* hold, ns */
};
int64_t	gil_class_end(unsigned);	/* ns: waits of the class are shorter */
/* To try it: one take, with the lock for nothing; the wait, ns. */
int64_t	gil_try(struct gil *, bool handoff, int signal);
/* The switch interval is that of a burst, or again what it was. */
void	gil_try_burst(struct gil *, bool on);
/* The least waits that were seen at the start, ns; 0: not tried. */
enum { GIL_GOOD = 1000000 };	/* less: a way that works */
struct gil_test {
	int64_t		 handoff, signal, burst;
};
const struct gil_test *gil_tested(void);
/* From the main thread, which runs bytecode until probe_is_done: whether
 * anything is to be tried.  probe_end in any case. */
bool	probe_begin(bool polite, int signal);
bool	probe_is_done(void);
void	probe_end(void);
void	probe_fork_child(void);
const struct gil_count *gil_counted(const struct gil *);
const char *gil_way(const struct gil *);
/* By other threads of ours, which keep their state. */
void	gil_enter(PyThreadState **kept);
void	gil_leave(PyThreadState **kept);
/* The thread ends. */
void	gil_bye(PyThreadState **kept);
/* With the lock: no requests for a while; never again. */
void	gil_idle(void);
void	gil_restore(void);
/*
 * The program ends, and Python with it: 3.8 dies of a pending call that
 * another thread adds from then on.
 */
void	gil_hand_over_no_more(void);
/* In the child of a fork: for each server, then whether there is one or not. */
void	gil_fork_child_of(struct gil *);
void	gil_fork_child(void);
/* With the lock: no finalizers run in between.  Whether it was on. */
bool	gil_collector_off(void);
void	gil_collector_on(bool was);
int64_t	pyfs_clock(void);		/* ns, monotonic */

/* -------------------------------------------------------------- workers -- */

/*
 * Work for a thread that may run code of the user.  `run` is called with the
 * interpreter lock, `done` without it and exactly once: with the result, or
 * with EIO when the work was given up, while `run` goes on.  Then freed.
 */
struct job {
	struct job	*next;
	struct pyfs	*pf;
	int		(*run)(struct job *, struct hold *);
	void		(*done)(struct job *, int err);
	void		(*fini)(struct job *);	/* or NULL: before free */
	int64_t		 time_box;	/* ns; then it is interrupted */
	/* The workers' own: */
	int64_t		 started;
	int		 refs;
	bool		 given_up, interrupted;
};

int	workers_start(void);
/* Without the interpreter lock: no work of this server is under way. */
bool	workers_are_done_with(const struct pyfs *, unsigned ms);
/* What is queued is done first.  Without the interpreter lock. */
void	workers_stop(unsigned ms);
void	workers_fork_child(void);
/* Takes the job over; EBUSY: too many were given up. */
int	worker_do(struct job *);
/* Drop a reference there.  With the interpreter lock. */
void	worker_drop(PyObject *o);
struct worker_count {
	uint64_t	 jobs, interrupted, given_up;
};
void	workers_counted(struct worker_count *);
/* Bind what is staged, of a server that ends: 0, or no worker will. */
int	worker_commit_rest(struct pyfs *);
/* Stages are due, the program is left alone: then, or earlier. */
void	worker_commit_at(int64_t when);
void	worker_idle_at(int64_t when);
/* A broker may be in a hold for too long then. */
void	worker_box_at(int64_t when);

/* ------------------------------------------------------------------ kit -- */

/* Types and functions of Python, fetched once at import. */
struct kit {
	PyObject *function, *method, *property, *staticmethod, *classmethod,
	    *cached_property, *getset, *member, *proxy, *code, *deque,
	    *ellipsis, *builtin, *method_descriptor, *wrapper_descriptor,
	    *method_wrapper, *generator, *coroutine, *cell, *frame,
	    *classmethod_descriptor, *async_generator, *notimplemented;
	PyObject *type_dict, *type_mro, *type_module, *type_qualname;
	PyObject *property_get, *staticmethod_func, *classmethod_func;
	PyObject *int_repr, *float_repr, *complex_repr, *range_repr,
	    *slice_repr, *type_repr;
	PyObject *set_iter, *frozenset_iter, *deque_iter, *deque_len,
	    *set_len, *frozenset_len, *list_len;
	PyObject *set_has, *frozenset_has, *referents, *referrers,
	    *literal_eval, *audit;
	PyObject *deque_append, *deque_pop, *set_add, *set_discard,
	    *set_update;
	PyObject *s_dict, *s_get, *s_slots, *s_class, *s_name, *s_module,
	    *s_qualname, *s_fields, *s_code, *s_doc, *s_func, *s_fget,
	    *s_filename, *s_firstlineno, *s_enum_name, *s_trace_rpc, *s_set,
	    *s_enum_value, *s_pinefs,
	    *s_members, *s_varnames, *s_argcount;
	/* Not in the headers of our floor; the first two are in all. */
	const char *(*utf8)(PyObject *, Py_ssize_t *);
	void	(*delete_current)(void);
	int	(*gc_disable)(void);
	int	(*gc_enable)(void);
};

extern struct kit kit;

int	kit_init(void);
/* A function of a later Python than our floor; NULL: not here. */
void	kit_newer(const char *name, void *function);
/* A type of an imported module of the standard library, borrowed or NULL. */
PyObject *kit_std(const char *module, const char *name);
#define IS_A(o, FLAG) \
	((PyType_GetFlags(Py_TYPE(o)) & Py_TPFLAGS_##FLAG##_SUBCLASS) != 0)
#define IS_EXACTLY(o, type)	((PyObject *)Py_TYPE(o) == (type))
#define TYPE_OF(o)		((PyObject *)Py_TYPE(o))

/* ----------------------------------------------------------- operations -- */

/* One operation's look at its object. */
struct op {
	struct hold	 h;
	struct node	*n;
	PyObject	*o;		/* NULL: a shadow */
	enum shape	 s;
};

/*
 * The broker lets go of the lock for a moment, and forgets what it found in
 * this hold.  What is not owned or pinned may be gone afterwards.
 */
void	hold_pause(struct hold *);
/* 0, ESTALE, or EAGAIN without the lock; op_end also after a failure. */
int	op_begin(struct op *, struct pinefs_call *, struct pinefs_node *);
void	op_end(struct op *);
/* The attributes of a node; `o` is what is bound there. */
int	node_attr(struct hold *, struct node *, PyObject *o, enum shape,
	    struct pinefs_attr *);
static inline struct timespec
ns_time(int64_t ns)
{
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

static inline struct pinefs_stamp
stamp_of(const struct pinefs_attr *a)
{
	return (struct pinefs_stamp){ a->change, a->size, a->mtime, a->ctime };
}

/* The same for before and after. */
void	node_stamp(struct hold *, struct node *, struct pinefs_stamp *);
void	node_ident(struct pinefs_call *, struct node *,
	    struct pinefs_ident *);
/*
 * The same in two halves, for workers, whose call may be over: what it is,
 * its handle's bytes in `own`; and these as bytes of the call.
 */
void	ident_of(struct node *, struct pinefs_ident *,
	    uint8_t own[OWN_MAX]);
void	ident_give(struct pinefs_call *, struct pinefs_ident *,
	    const uint8_t own[OWN_MAX]);
/* The text of a file, or of its stage. */
int	node_text(struct hold *, struct node *, PyObject *o, enum shape,
	    struct text *);
/* May what is bound there be exchanged? */
bool	node_is_writable(struct hold *, struct node *, PyObject *o,
	    enum shape);
/* The same, or it must be tried, which runs code of the user. */
bool	node_can_be_tried(struct hold *, struct node *, PyObject *o,
	    enum shape);

/* --------------------------------------------------------------- views -- */

/* `name` in directory `o` could be a view, or the control directory. */
bool	view_is_name(struct hold *, struct node *dir, PyObject *o,
	    enum shape, struct pinefs_name name);
/* The node of a view, or in one: 0, ENOENT, an errno, or PYFS_WORKER. */
int	view_find(struct hold *, struct node *dir, struct pinefs_name name,
	    struct node **found);
/* The same for a handle; whether it is still there, reading will tell. */
struct node *view_revive(struct hold *, struct node *dir,
	    struct pinefs_name name, int kind);
/* The control directory, if this is its name's hash. */
struct node *view_control(struct hold *, uint32_t hash);
/* A node of a kind as ask("look") says it: f, w, d or l. */
struct node *view_node(struct hold *, struct node *dir,
	    struct pinefs_name name, const char *kind);
/* The node of what has a mapper; and the value that bytes stand for there,
 * as value_parse has it. */
struct node *view_mapped(struct hold *, struct node *dir,
	    struct pinefs_name name, PyObject *o);
PyObject *view_parse(struct hold *, PyObject *o, const char *base,
	    size_t len, int *err);
/* On a worker: pairs of names and kinds; have what was written taken. */
PyObject *view_list(struct hold *, struct node *, int *err);
int	view_write(struct hold *, struct node *, const char *base,
	    size_t len);
/* For a listing: its size is not known before somebody looks at it. */
void	view_entry_attr(struct hold *, struct node *,
	    struct pinefs_attr *);
/* What it reads as, made anew if it is old: 0, an errno, or PYFS_WORKER. */
int	view_text(struct hold *, struct node *, struct text *);
/* The same; what lies behind `off` 0 is of the text that was read there. */
int	view_text_from(struct hold *, struct node *, uint64_t off,
	    struct text *);
/* What it read as last. */
void	view_kept(const struct node *, struct text *);
/* Have a change in directory `n` made: what, and with what. */
int	view_change(struct hold *, struct node *n, const char *what,
	    PyObject *argument);
/* Made in a directory by a mapper, which does not know it yet; or NULL. */
struct node *mapped_pending(const struct hold *, const struct node *dir,
	    struct pinefs_name name);
/* Hand over what is staged: 0, an errno (the stage stays), PYFS_WORKER. */
int	view_commit(struct hold *, struct node *);
void	view_free(struct node *);
bool	view_is_trash(const struct node *);

enum view_look { VIEW_LOOKUP, VIEW_GETATTR, VIEW_READ, VIEW_READDIR,
    VIEW_GETXATTR, VIEW_SETXATTR };

/* Where a result goes, but one is NULL; or what is written. */
struct view_to {
	struct pinefs_attr	*attr;
	struct pinefs_ident	*id;
	struct pinefs_emit	*emit;
	struct pinefs_out	*out;
	struct pinefs_in	*in;
};

/* Have op's call answered by a worker: PINEFS_LATER or an errno. */
int	view_look(struct op *op, struct pinefs_call *call,
	    enum view_look what, struct pinefs_name name, uint64_t off,
	    uint32_t count, const struct view_to *to);

int	op_setattr(struct pinefs_call *, struct pinefs_node *,
	    const struct pinefs_set *, struct pinefs_change *);
int	op_write(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_write *);
int	op_commit(struct pinefs_call *, struct pinefs_node *, uint64_t off,
	    uint64_t len);
int	op_create(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, const struct pinefs_create *,
	    struct pinefs_made *);
int	op_remove(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, int kind, struct pinefs_change *);
int	op_rename(struct pinefs_call *, struct pinefs_rename *);
int	op_link(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_node *, struct pinefs_name, struct pinefs_change *);
int	op_open(struct pinefs_call *, struct pinefs_node *, uint32_t access);
void	op_close(struct pinefs_node *);
int	op_getxattr(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, struct pinefs_out *);
int	op_setxattr(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name, struct pinefs_in *, int how);
int	op_removexattr(struct pinefs_call *, struct pinefs_node *,
	    struct pinefs_name);
int	op_listxattr(struct pinefs_call *, struct pinefs_node *,
	    uint64_t after, struct pinefs_emit *);
void	op_written(struct pinefs_node *);

/* What was counted, as a dict. */
PyObject *stats_of(const struct pyfs *);

extern const struct pinefs_ops pyfs_ops;
void	pyfs_executor(struct pyfs *, struct pinefs_executor *);
void	ops_forget_listing(struct hold *);

#endif
