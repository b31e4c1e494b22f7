/*
 * Metrics for who scrapes them: OpenMetrics 1.0 over HTTP, on loopback or a
 * unix socket of this user's own.  No names of files or clients are in it: on
 * loopback every user of this machine can read it.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "base/json.h"
#include "server/server.h"

/*
 * Listen on "127.0.0.1:9100", "[::1]:9100" or "/path": non-blocking.  EINVAL:
 * it is none of these; EPERM: not loopback; what bind says.
 */
int	metrics_listen(const char *where, struct fds *, int *fd);
/* "EINVAL", as advice for a person. */
const char *metrics_why(int err);
/* The socket file goes. */
void	metrics_unlink(const char *where);

/*
 * Answer a request, whose head has come whole; the answer is text, whatever
 * it is kept in.
 */
void	metrics_answer(struct pinefs_server *, const char *request,
	    struct json *answer);

#endif
