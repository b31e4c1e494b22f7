/*
 * The control socket: what a running server tells its user, and root, and
 * nobody else.
 *
 * A thread of its own serves it, so that no loop ever waits for who asks: it
 * reads the counters of the loops, which only they write, and what a loop
 * must look up itself is asked of it and comes back when it has a moment.
 * What a reader does not take is kept up to a limit; then he misses calls,
 * which are counted, or an interval that is longer.  He may take his time,
 * unless all places are taken: who has waited longest makes room.
 *
 * A request is one line, WORD or WORD {JSON}; the answer is lines of JSON,
 * then the end; a stream goes on until the client closes.
 *
 *	info		the record of this server, as in its file
 *	stat		what has been counted since the start, once
 *	top {"interval_ms":1000}
 *			what came in each interval; a stream
 *	trace {"client":"127.0.0.1","procedure":"READ","path":"/a"}
 *			a line a call, of those that have all these; a stream
 *	mounted {"dir":"/mnt"}, unmounted {"dir":"/mnt"}
 *			for the record: `pinefs mount` has made a mount
 *	source {"source":"mem:"}
 *			for the record: of what `pinefs mount` has made it
 *	stop		as SIGTERM does
 */
#ifndef SERVER_CONTROL_H
#define SERVER_CONTROL_H

#include "server/server.h"

enum { CONTROL_MAX_REQUEST = 8192, CONTROL_MAX_CLIENTS = 16,
    CONTROL_MAX_MOUNTS = 64 };

/*
 * Once it listens, if the option `control` is on: the record, the socket, the
 * thread.  A run directory that cannot be used is a warning, and no failure;
 * so is another server of this process, as both are named by its number.
 */
void	control_start(struct pinefs_server *);
/* The files go, and the thread. */
void	control_stop(struct pinefs_server *);
/* When no loop runs any more. */
void	control_free(struct pinefs_server *);
/* Whether the run directory is still there, which is seen to each minute, is
 * looked at now. */
void	control_look(struct pinefs_server *);
/* In the child of a fork: the parent's files stay. */
void	control_fork_child(struct pinefs_server *);

/*
 * As the requests of that name.  ENOENT: there is no control socket; ENOSPC,
 * ENOMEM.
 */
int	control_mounted(struct pinefs_server *, const char *dir, bool on);
int	control_set_source(struct pinefs_server *, const char *source);

#endif
