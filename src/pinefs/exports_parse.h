/*
 * A file of exports(5), as it is written: a line for each directory, with its
 * clients.
 *
 *	/srv/files	10.0.0.0/8(rw) backup.example(ro,no_root_squash) *(ro)
 *
 * Of the clients of a directory the first that fits counts; they are put into
 * the order that exports(5) says: hosts, networks, everybody.
 */
#ifndef PINEFS_EXPORTS_PARSE_H
#define PINEFS_EXPORTS_PARSE_H

#include "pinefs/rules.h"

enum { EXPORTS_DIRS = 64, EXPORTS_CLIENTS = 4096, EXPORTS_ADDRS = 16,
    EXPORTS_FILE_MAX = 1 << 20 };

/* A host, a network, or (no bits) everybody. */
struct exports_client {
	uint8_t		 addr[16];	/* IPv4: as v4-mapped IPv6 */
	unsigned	 bits;
	char		*text;		/* as it was written */
	struct rules	 rules;		/* ro and root_squash if not said */
};

struct exports_dir {
	char		*path;		/* "/srv/files": no end in a slash */
	unsigned	 line;		/* where it was first */
	bool		 async;
	struct exports_client *client;
	unsigned	 n, cap;
};

struct exports_text {
	struct exports_dir dir[EXPORTS_DIRS];
	unsigned	 n;
};

/* What the parser asks for, so that it needs neither network nor log. */
struct exports_help {
	/* The addresses of a host: how many, at most `max`; or 0, and *why. */
	unsigned	(*resolve)(void *arg, const char *host,
			    uint8_t (*addr)[16], unsigned max,
			    const char **why);
	/* A mistake: one line for a person, without the name of the file. */
	void		(*say)(void *arg, unsigned line, const char *what);
	/* A host without addresses: it is left out.  Likewise. */
	void		(*warn)(void *arg, unsigned line, const char *what);
	void		*arg;
};

/*
 * 0; EINVAL: every mistake was said; ENOMEM.  What is in *to is to be given
 * back by exports_text_fini in any case.
 */
int	exports_parse(struct exports_text *to, const char *text, size_t len,
	    const struct exports_help *);
void	exports_text_fini(struct exports_text *);

#endif
