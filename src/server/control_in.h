/* Inside of the control socket: what its files share. */
#ifndef SERVER_CONTROL_IN_H
#define SERVER_CONTROL_IN_H

#include "base/fds.h"
#include "base/json.h"
#include "server/control.h"
#include "server/report.h"

/* Of one reader. */
struct control_client {
	int		 fd;		/* -1: free */
	char		 request[CONTROL_MAX_REQUEST + 1];
	size_t		 have;
	bool		 http;		/* asks for metrics */
	bool		 eof;		/* has nothing more to say */
	enum { CLIENT_ASKS,
	    CLIENT_ANSWERED,		/* close when all is sent */
	    CLIENT_WAITS,		/* for one report */
	    CLIENT_WATCHES,		/* for one every `every_ms` */
	    CLIENT_TRACES
	}		 phase;
	unsigned	 every_ms;
	uint64_t	 next_ms;
	struct report	 before;	/* the last one */
	struct json	 out;
	size_t		 sent;		/* of out */
	uint64_t	 since_ms;	/* came, or took the last byte */
};

/* Of the client of the same place, while it traces. */
enum { CLIENT_NAME = 96 };
struct control_tracer {
	bool		 on;
	char		 client[CLIENT_NAME], proc[64], path[512];	/* "": all */
	struct json	 lines;		/* not taken yet */
	uint64_t	 missed;
};

struct control {
	struct pinefs_server	*server;
	struct fds		 fds;		/* all that are open */
	pthread_t		 thread;
	int			 dir, listener, wake;	/* -1: none */
	int			 metrics;		/* a listener, too */
	bool			 watched;		/* for metrics */
	bool			 owner;		/* of the process's name there */
	bool			 bound;		/* the files are ours */
	uint64_t		 pause_until;	/* nobody comes in */
	atomic_uint_fast64_t	 look_ms;	/* when: is the directory there? */
	atomic_bool		 stop;
	uint32_t		 uid;
	time_t			 started;
	struct control_client	 client[CONTROL_MAX_CLIENTS];
	struct stats_clients	*asked;		/* loops are, or NULL */
	uint64_t		 asked_ms;
	pthread_mutex_t		 trace_lock;	/* of these */
	struct control_tracer	 tracer[CONTROL_MAX_CLIENTS];
	pthread_mutex_t		 lock;		/* of these, and the file */
	char			*mounts[CONTROL_MAX_MOUNTS];
	unsigned		 nmounts;
	char			*source;
};

/* control_record.c: the run directory, the record. */
int	record_open(struct control *);		/* dir */
void	record_put(struct control *, struct json *);
int	record_write(struct control *);
/* Has it vanished, with our files?  Then it is another from now on. */
bool	record_moved(struct control *);
void	record_remove(struct control *);

/* control_answer.c: a line that says why not. */
void	control_refuse(struct json *, const char *why);
/* A whole request has come. */
void	control_answer(struct control *, struct control_client *,
	    const char *request);

/* control_trace.c: a client traces from now on; no more; gets what is there. */
void	trace_begin(struct control *, struct control_client *,
	    const char *args);
void	trace_end(struct control *, struct control_client *);
void	trace_take(struct control *, struct control_client *);

/* A line about this server. */
void	control_put_server(struct control *, struct json *);

/* What comes of it in time: reports.  When it wants to be called again. */
uint64_t control_tick(struct control *, uint64_t now);
/* The client goes. */
void	control_forget_client(struct control *, struct control_client *);

#endif
