/*
 * The other end of a control socket: the servers of this user that run, or
 * ran and left their record behind; asking one.
 */
#ifndef SERVER_CONTROL_CLIENT_H
#define SERVER_CONTROL_CLIENT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* One server. */
struct control_record {
	pid_t	 pid;
	bool	 alive;		/* else a leftover: it was killed */
	char	*json;		/* its record, for json_find */
	char	 dir[64];	/* where; "": in our own run directory */
};

/*
 * All of them by pid; to be freed.  0 and none where there is no run
 * directory; EPERM: it is not safe to use; ENOMEM, EIO.
 */
int	control_list(struct control_record **, unsigned *n);
void	control_list_free(struct control_record *, unsigned n);
/*
 * The one that `id` names, by its id, by ":PORT", or by a directory that it
 * is mounted on; NULL: the only one.  0, or an exit status after lines that
 * say what is wrong and what to do.  record->json is to be freed.
 */
int	control_find(const char *id, struct control_record *);
/*
 * Or, for root, the one with this number that another user runs, or a service
 * manager.  What it says of itself is that user's word: for asking it.
 */
int	control_find_any(const char *id, struct control_record *);

/*
 * Connect and ask; the answer is lines.  NULL and errno; ECONNREFUSED: it is
 * gone; EPERM: whoever answers there is not this process; EAGAIN: it is
 * stopped, or too many ask.  To be closed with fclose.
 */
FILE	*control_ask(const struct control_record *, const char *request);
/* Without this, reading it ends with EAGAIN after 10 seconds of silence. */
void	control_wait_on(FILE *);
/* The record and the socket of a server that is gone. */
void	control_forget(const struct control_record *);

#endif
