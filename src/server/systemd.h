/*
 * What a service manager hands over, by its two small protocols:
 * sd_listen_fds(3), sockets that it opened, and sd_notify(3), a place to tell
 * how we are.  Ours, because they are smaller than their library.
 */
#ifndef SERVER_SYSTEMD_H
#define SERVER_SYSTEMD_H

#include <pinefs/rpc.h>

/*
 * The sockets of $LISTEN_FDS, if $LISTEN_PID is this process: TCP ones that
 * listen and UDP ones, for MOUNT only where $LISTEN_FDNAMES says "mount".
 * They are the caller's, and not inherited further; the variables are gone.
 * *n is 0 where there are none.  EINVAL, with a line: one of them is no such
 * socket, or none of them is for NFS over TCP; all are closed then.
 */
int	systemd_sockets(struct rpc_socket *to, unsigned max, unsigned *n);

/* Tell $NOTIFY_SOCKET, if there is one: "READY=1\nSTATUS=..." */
void	systemd_notify(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));

#endif
