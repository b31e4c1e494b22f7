/*
 * A server behind pinefs.h: joins rpc, nfs and vfs.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <pinefs.h>
#include <pinefs/rpc.h>

#include "nfs/nfs.h"
#include "server/clients.h"
#include "server/owners.h"
#include "server/state.h"

enum { SERVER_MAX_ADDRS = 16, SERVER_MAX_NETS = 32, SERVER_MAX_UIDS = 64,
    SERVER_MAX_EXPORTS = 64, SERVER_MAX_NAME = 255, SERVER_MAX_SOCKETS = 32 };

/* What pinefs_set sets. */
struct options {
	char		*addr[SERVER_MAX_ADDRS + 1];	/* NULL-terminated */
	unsigned	 naddr;
	char		*allow[SERVER_MAX_NETS + 1];
	unsigned	 nallow;
	uint32_t	 uids[SERVER_MAX_UIDS];
	unsigned	 nuids;
	bool		 limit_uids;
	uint16_t	 port, mount_port;
	bool		 tcp_only, no_portmap, local_auth_none, read_only;
	bool		 no_delegations;
	bool		 udp_changes_reserved;
	bool		 systemd;	/* LISTEN_FDS, NOTIFY_SOCKET */
	unsigned	 threads;
	unsigned	 lease;		/* s; 0: the default */
	char		*state_dir, *instance, *what;
	bool		 control;	/* the socket of control.h */
	char		*metrics;	/* of metrics.h: where, or NULL */
	enum vfs_squash	 squash;
	uint32_t	 anon_uid, anon_gid;
};

/* What pinefs_export_set sets. */
struct export_options {
	bool		 has_read_only, read_only;
	bool		 has_squash, has_anon_uid, has_anon_gid;
	enum vfs_squash	 squash;
	uint32_t	 anon_uid, anon_gid;
};

struct pinefs_server {
	struct options		 opt;
	struct state		 state;
	bool			 has_state;
	struct vfs_export	 export[SERVER_MAX_EXPORTS];
	struct export_options	 own[SERVER_MAX_EXPORTS];
	unsigned		 nexports;	/* named before the start */
	struct vfs_exports	 exports;
	struct rpc_executor	*executor[SERVER_MAX_EXPORTS];
	struct nfs		 nfs;
	struct clients		*clients;
	struct owners		*owners;
	struct rpc_program	 program[NFS_PROGRAMS];
	unsigned		 nprograms;
	struct rpc_server	*rpc;
	struct rpc_socket	 socket[SERVER_MAX_SOCKETS];
	unsigned		 nsockets;	/* that we were given */
	bool			 started, registered;
	bool			 busy;	/* a call was in it when it stopped */
	struct control		*control;	/* control.h, or NULL */
	int			 watchers;	/* report_watch */
	struct more		*more;		/* pinefs_on_mount, or NULL */
	struct named		*named;		/* server_name, or NULL */
};

/*
 * The options hold for an export, and it gets its id; `taken` of n are in
 * use.  ENOMEM.
 */
int	server_finish_export(struct pinefs_server *, struct vfs_export *,
	    const uint32_t *taken, unsigned n);
/* Threads for what a file system says may block; none where nothing may. */
int	server_make_executor(struct pinefs *, struct rpc_executor **);

/* more.c: exports that come while it serves.  Begin: once s->exports is
 * whole.  End: when no call runs any more; then free. */
int	more_begin(struct pinefs_server *);
void	more_end(struct pinefs_server *);
void	more_free(struct pinefs_server *);
/* One that somebody named, now.  ENOMEM. */
int	more_add(struct pinefs_server *, const struct pinefs_mount *);

/*
 * named.c: an export at a path of any depth ("/srv/files"), for these clients
 * from the next call on, whether or not it serves already; the same `fs`
 * again: other clients.  No rules: nobody may, and its path is free for
 * another; that fails for none that was named.  `fs` stays the caller's until
 * the server is freed.  Of those with rules no path may be another's or lie
 * below it.  EBUSY: there is a pinefs_on_mount; ENOMEM.
 */
int	server_name(struct pinefs_server *, const char *path, struct pinefs *,
	    const struct vfs_rule *, unsigned n);
/* Those that were named before the start. */
int	named_begin(struct pinefs_server *);
void	named_free(struct pinefs_server *);
/* The rules of one that was named; NULL: it was not. */
struct vfs_rules *named_rules(const struct pinefs_server *,
	    const struct pinefs *);

/* options.c */
void	options_init(struct options *);
void	options_fini(struct options *);
void	options_forget_addrs(struct options *);
/* EINVAL, and one line said what is wrong. */
int	options_set(struct options *, const char *name, const char *value);
/* Those that were set. */
void	options_to_export(const struct export_options *,
	    struct vfs_export *);
int	options_set_export(struct export_options *, const char *name,
	    const char *value);

/*
 * register.c: tell the portmapper about programs and ports; and withdraw.
 * It is only advice: any local user may do the same (SECURITY 2).
 */
struct register_row {
	uint32_t	prog, vers;
	uint16_t	port;
	bool		udp;
};
/*
 * `host4`, `host6`: an address we listen on, or NULL.  ENOENT: there is no
 * portmapper, or none that answers; EEXIST: it has other servers for some of
 * these and keeps them.  Withdrawing leaves those alone.  `fds`: of whom the
 * sockets are meanwhile.
 */
int	register_rows(const struct register_row *, unsigned n,
	    const char *host4, const char *host6, bool on, struct fds *fds);

#endif
