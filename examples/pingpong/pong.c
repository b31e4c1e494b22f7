/* pong [PORT]: a server of pingpong.x, over TCP and UDP. */
#include "pingpong.h"

#include <pinefs/rpc.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEPT = 16 };

struct table {
	pthread_mutex_t lock;	/* a server answers on several threads */
	uint32_t hits[KEPT];
	uint32_t count;
};

/* What an answer needs beside *res comes from the call's arena. */
static int
backwards(struct rpc_call *call, const struct xdr_view *from,
    struct xdr_view *to)
{
	const char *s = from->data;
	char *p = xdr_arena_alloc(rpc_call_arena(call), from->len);
	uint32_t i;

	if (p == NULL)
		return ENOMEM;
	for (i = 0; i < from->len; i++)
		p[i] = s[from->len - 1 - i];
	*to = xdr_view(p, from->len);
	return 0;
}

static int
ping_it(void *self, struct rpc_call *call, const ping *args, pong *res)
{
	struct table *table = self;

	pthread_mutex_lock(&table->lock);
	table->hits[table->count++ % KEPT] = args->n;
	pthread_mutex_unlock(&table->lock);
	res->n = args->n + 1;
	return backwards(call, &args->greeting, &res->greeting);
}

static int
last_hits(void *self, struct rpc_call *call, const uint32_t *args,
    PINGPONG_HITS_res *res)
{
	struct table *table = self;
	hit **tail = res;
	uint32_t i, most = *args < KEPT ? *args : KEPT;
	int err = 0;

	*res = NULL;
	pthread_mutex_lock(&table->lock);
	for (i = 0; i < most && i < table->count; i++) {
		*tail = xdr_arena_zalloc(rpc_call_arena(call), sizeof **tail);
		if (*tail == NULL) {
			err = ENOMEM;
			break;
		}
		(*tail)->n = table->hits[(table->count - 1 - i) % KEPT];
		tail = &(*tail)->next;
	}
	pthread_mutex_unlock(&table->lock);
	return err;
}

static const struct pingpong_v1_server handlers = {
	.ping = ping_it, .hits = last_hits
};

int
main(int argc, char **argv)
{
	static struct table table = { .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct rpc_server_config config = {
		.port = (uint16_t)(argc > 1 ? atoi(argv[1]) : 0)
	};
	const struct rpc_program program = {
		.service = &pingpong_v1_service, .handlers = &handlers,
		.self = &table
	};
	struct rpc_server *server = NULL;
	sigset_t ends;
	int sig, err;

	/* Blocked before threads are started, so that only we are told. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);

	if ((err = rpc_server_new(&server, &config)) != 0 ||
	    (err = rpc_server_add(server, &program)) != 0 ||
	    (err = rpc_server_start(server)) != 0) {
		fprintf(stderr, "pong: %s\n", strerror(err));
		rpc_server_free(server);
		return 1;
	}
	printf("%u\n", rpc_server_port(server));
	fflush(stdout);
	sigwait(&ends, &sig);
	(void)rpc_server_stop(server, 1000);
	rpc_server_free(server);
	return 0;
}
