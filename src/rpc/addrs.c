/* Connections of each address.  See addrs.h. */
#include "rpc/addrs.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/random.h"
#include "rpc/peer.h"

enum { BUCKETS = 256 };

struct addr {
	struct addr	*next;
	uint8_t		 bytes[16];
	unsigned	 n;
};

struct addrs {
	pthread_mutex_t	 lock;
	uint8_t		 key[16];
	struct addr	*bucket[BUCKETS];
};

struct addrs *
addrs_new(void)
{
	struct addrs *all = calloc(1, sizeof *all);

	if (all == NULL)
		return NULL;
	pthread_mutex_init(&all->lock, NULL);
	random_fill(all->key, sizeof all->key);
	return all;
}

void
addrs_free(struct addrs *all)
{
	struct addr *a;
	int i;

	if (all == NULL)
		return;
	for (i = 0; i < BUCKETS; i++) {
		while ((a = all->bucket[i]) != NULL) {
			all->bucket[i] = a->next;
			free(a);
		}
	}
	pthread_mutex_destroy(&all->lock);
	free(all);
}

/* Where it is, or would be. */
static struct addr **
find(struct addrs *all, const uint8_t *bytes)
{
	struct addr **at = &all->bucket[siphash13(all->key, bytes, 16) %
	    BUCKETS];

	while (*at != NULL && memcmp((*at)->bytes, bytes, 16) != 0)
		at = &(*at)->next;
	return at;
}

bool
addrs_add(struct addrs *all, const struct sockaddr_storage *ss, unsigned most)
{
	struct addr **at, *a;
	uint8_t bytes[16];
	bool ok;

	peer_addr_bytes(ss, bytes);
	pthread_mutex_lock(&all->lock);
	at = find(all, bytes);
	if ((a = *at) == NULL && (a = calloc(1, sizeof *a)) != NULL) {
		memcpy(a->bytes, bytes, sizeof a->bytes);
		*at = a;
	}
	if ((ok = a != NULL && a->n < most))
		a->n++;
	pthread_mutex_unlock(&all->lock);
	return ok;
}

void
addrs_remove(struct addrs *all, const struct sockaddr_storage *ss)
{
	struct addr **at, *a;
	uint8_t bytes[16];

	peer_addr_bytes(ss, bytes);
	pthread_mutex_lock(&all->lock);
	at = find(all, bytes);
	if ((a = *at) != NULL && --a->n == 0) {
		*at = a->next;
		free(a);
	}
	pthread_mutex_unlock(&all->lock);
}
