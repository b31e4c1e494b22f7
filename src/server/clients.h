/* The clients that may reclaim their state after a restart. */
#ifndef SERVER_CLIENTS_H
#define SERVER_CLIENTS_H

#include "nfs/nfs4_state.h"
#include "server/state.h"

struct clients;

/* Fills `records` for nfs4_new; `state` is borrowed.  NULL: no memory. */
struct clients	*clients_new(struct state *, struct nfs4_records *);
void		 clients_free(struct clients *);

#endif
