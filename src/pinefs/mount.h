/*
 * What mount, umount, ls and stop share: what SRC means, what is mounted, how
 * to mount and unmount, and what killed servers have left behind.
 *
 *	mount_source.c	SRC
 *	mount_table.c	/proc/self/mountinfo
 *	mount_how.c	mount(2), sudo, or the line to type
 *	mount_off.c	unmounting, likewise
 *	mount_run.c	what is done by a child
 *	mount_holders.c	which processes keep a mount busy
 *	mount_server.c	the server: one that runs, or a child of ours
 *	mount_watch.c	the life of a mount, until it is unmounted
 *	mount_left.c	records and mounts of servers that were killed
 *	mount_help.c	the lines of pinefs help mount
 *
 * Each function that returns a status has said in lines what is wrong.
 */
#ifndef PINEFS_MOUNT_H
#define PINEFS_MOUNT_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "server/control_client.h"

enum { MOUNT_HOST = 256 };

/* ---------------------------------------------------------------- source -- */

struct mount_source {
	/* How a server is found again: "tar:/srv/x.tar"; "": it is not. */
	char		 name[PATH_MAX + 32];
	const char	*type;		/* "mem", "tar", "dir", "py", "nfs" */
	char		 fs[300];	/* for -f */
	char		 path[PATH_MAX];	/* its file; "": none */
	pid_t		 pid;		/* of py:PID, or 0 */
	/* nfs://HOST[:PORT]/PATH; of ours, where it listens. */
	char		 host[MOUNT_HOST], export[PATH_MAX];
	uint16_t	 port;
};
/* A bare path is judged by its content, which is said.  A status. */
int	source_parse(struct mount_source *, const char *text);

/* ----------------------------------------------------------------- table -- */

struct mount_entry {
	unsigned	 id;
	char		 dir[PATH_MAX], type[32];
	char		 addr[MOUNT_HOST];	/* NFS: of the server */
	uint16_t	 port;
};
/* Each mount that we see, later ones on top; stops when fn returns false. */
typedef bool mounts_fn(void *ctx, const struct mount_entry *);
int	mounts_each(mounts_fn *, void *ctx);
/* The topmost one on this directory. */
bool	mounts_find(const char *dir, struct mount_entry *);
/*
 * Is this server, or NULL: one on this machine, mounted on this directory?
 * BENEATH: and something else over it, which umount2(2) would take away.  *m
 * is its entry, if it is.
 */
enum mounts_place { MOUNTS_NOT, MOUNTS_BENEATH, MOUNTS_TOP };
enum mounts_place mounts_place(const char *dir, const char *addr,
	    uint16_t port, struct mount_entry *m);
bool	mounts_is_nfs(const struct mount_entry *);
/* Of a server on this machine. */
bool	mounts_is_local(const struct mount_entry *);
/* Nobody listens there any more: whoever touches the mount waits for ever. */
bool	mounts_is_dead(const struct mount_entry *);
/*
 * An absolute path of `dir` without touching it, as it may be a dead mount:
 * "." and ".." are resolved by text, links are not.  ENAMETOOLONG.
 */
int	mounts_path(const char *dir, char path[PATH_MAX]);

/* ------------------------------------------------------------------- how -- */

struct mount_target {
	const char	*host, *export, *dir;
	uint16_t	 port;
	const char	*options;	/* -o; or NULL */
	bool		 sync;		/* errors of close must be heard */
};
enum mount_way { MOUNT_BY_SYSCALL, MOUNT_BY_SUDO, MOUNT_BY_HAND };

/*
 * As root by mount(2), else by sudo: which way and which version it was is
 * said.  MOUNT_BY_HAND: neither works, and the line to type was said.  A
 * signal interrupts: EXIT_UNAVAILABLE.  A status.
 */
int	mount_it(const struct mount_target *, enum mount_way *);
/* The line that a person types, quoted for a shell. */
void	mount_line(const struct mount_target *, char *to, size_t size);

/* ------------------------------------------------------------------- off -- */

/* DEAD: nobody is there to write back to. */
enum unmount_how { UNMOUNT, UNMOUNT_LAZY, UNMOUNT_DEAD };
/*
 * EBUSY, also if a signal came; EPERM: not root, and sudo asks for a password.
 * The peer, or NULL, is the server: it may end meanwhile.  Whatever is topmost
 * is unmounted, so mounts_place first.
 */
struct mount_peer;
int	unmount_it(const char *dir, enum unmount_how,
	    const struct mount_peer *);
/* What to type instead, for EPERM. */
void	unmount_line(const char *dir, enum unmount_how, char *to, size_t size);
/* How soon to try again. */
int	unmount_again_ms(void);
/*
 * Unmount, with 5 s of patience; then those who keep it busy are named.  `dir`
 * may be in use on and on: 69.  A status.
 */
int	unmount_patiently(const char *dir, bool lazy);
/* What an errno of these means, and what to type.  A status. */
int	unmount_say(const char *dir, enum unmount_how, int err);
/* One whose server, which was there, is gone.  As unmount_it, but that the
 * first signal does not end it: who ended the server may end us as well. */
int	unmount_dead(const char *dir, const char *addr, uint16_t port);

/* ------------------------------------------------------------------- run -- */

/* Where it is, in the directories of root as well; or NULL. */
const char *mount_program(const char *name, char path[PATH_MAX]);
/* In single quotes, if a shell would take it for anything but itself. */
void	mount_quote(const char *text, char *to, size_t size);
/*
 * Do it in a child, and return what it returns; MOUNT_INTERRUPTED: a signal
 * came, which is still to be read, and the child was ended.  Signals are
 * blocked here, and not there.  When the peer ends, another stands in for it
 * until the child has ended: it may wait for an answer.
 */
struct mount_peer {
	const char	*addr;
	uint16_t	 port;
	int		 pidfd;
};
typedef int mount_child_fn(const void *arg);
enum { MOUNT_INTERRUPTED = 250 };
int	mount_child(mount_child_fn *, const void *arg,
	    const struct mount_peer *);
/* A child_fn: become this program (an argv), which says nothing.  mount(8)
 * and umount(8) end with FAILED when it is not for want of permission. */
int	mount_run(const void *argv);
enum { MOUNT_FAILED = 32 };
/* SIGINT, SIGTERM, and SIGHUP unless it is ignored. */
void	mount_signal_set(sigset_t *);
/*
 * Those that are pending have been heeded.  Until then every child is ended
 * at once, those that clean up as well.
 */
void	mount_signals_heeded(void);

/* --------------------------------------------------------------- holders -- */

/* Lines with processes that have a file or a directory there in use. */
void	holders_say(const char *dir);

/* ---------------------------------------------------------------- server -- */

/* Why records cannot be read or written.  A status. */
int	mount_no_run_directory(int err);

struct mount_server {
	struct control_record	 record;
	pid_t			 child;		/* ours, or 0 */
	int			 pidfd;		/* of the process, or -1 */
};
/* The one of this source that runs.  A status; *found. */
int	server_find(const struct mount_source *, struct mount_server *,
	    bool *found);
/*
 * Start one: argv is `pinefs serve --ready-fd`, room for a number, and the
 * rest.  `prompt`: it has our terminal.  A status.
 */
enum { SERVE_READY_FD = 3, SERVE_READY_ROOM = 16 };
int	server_start(const struct mount_source *, char **argv, bool prompt,
	    struct mount_server *);
/* "mounted", "unmounted" or "source" with what it is told. */
void	server_tell(const struct control_record *, const char *word,
	    const char *key, const char *value);
/*
 * `dir` was unmounted: one that was made for mounts, and has no other, ends.
 * Whether it does.
 */
bool	server_unmounted(const struct control_record *, const char *dir);
/*
 * How many connections it has.  A kernel takes its leave of a server after the
 * mount is gone from the table, and waits minutes for one that ended before;
 * and after a lazy unmount files may be open.  Left: there are none, within
 * 5 s.
 */
unsigned server_connections(const struct control_record *);
bool	server_is_left(const struct control_record *);
/* Ask it to end, and wait.  False: it still runs after 10 s. */
bool	server_stop(const struct control_record *);
/* A child that ends is waited for. */
void	server_reap(struct mount_server *);
/*
 * In the place of a server that was killed: whoever waits for it is told that
 * nothing is there any more, and the kernel's client comes to its end at once
 * and not after minutes.  0: the port is somebody else's.
 */
pid_t	server_stand_in(const char *addr, uint16_t port);
void	server_stand_down(pid_t);
void	server_fini(struct mount_server *);

/* ----------------------------------------------------------------- watch -- */

/* What ends a mount: blocked from here on, and to be read from this. */
int	mount_signals(void);

/*
 * Until it is unmounted by us (SIGINT, SIGTERM; they are blocked), by somebody
 * else, or its server ends.  `waiting`: it is not mounted yet, somebody types
 * the line.  `ready` is called when it is.  The exit status.
 */
struct watch {
	const struct mount_target *target;
	struct mount_server	*server;	/* NULL: somebody else's */
	bool			 waiting;
	/* Ctrl-C is for the prompt that shares our terminal. */
	bool			 prompt;
	void			(*ready)(void *ctx);
	/* Called when only others wait for the end. */
	void			(*behind)(void *ctx);
	/* Set: it stays mounted, and its server is to go on. */
	bool			 stays;
	void			*ctx;
};
int	watch_mount(struct watch *);

/* ------------------------------------------------------------------ left -- */

/*
 * Records of servers that were killed, and their mounts: cleared as far as we
 * may, each in a line; the rest is said with what to type.
 */
void	left_clear(void);

/* Nothing is cleared; what pinefs umount would clear is named. */
void	left_name(void);

/* Of pinefs help mount, on stdout. */
void	mount_help(void);

#endif
