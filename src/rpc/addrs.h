/*
 * How many connections each remote address has, exactly, whichever loops
 * they are on.
 */
#ifndef RPC_ADDRS_H
#define RPC_ADDRS_H

#include <pinefs/rpc.h>

struct addrs;

struct addrs	*addrs_new(void);	/* NULL: no memory */
void		 addrs_free(struct addrs *);
/*
 * One more of this address, unless it has `most` already, or there is no
 * memory to count it: false.  And one less.  From any thread.
 */
bool		 addrs_add(struct addrs *, const struct sockaddr_storage *,
		    unsigned most);
void		 addrs_remove(struct addrs *, const struct sockaddr_storage *);

#endif
