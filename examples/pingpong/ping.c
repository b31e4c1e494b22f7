/* ping [-u] PORT [GREETING]: a client of pingpong.x, over TCP or UDP (-u). */
#include "pingpong.h"

#include <pinefs/rpc.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

/* A ball that is sent without waiting for its return. */
static void
returned(void *ctx, int err, void *res)
{
	const pong *p = res;
	int *state = ctx;

	*state = err;
	if (err == 0)
		printf("later: %u\n", p->n);
}

static int
play(struct rpc_client *client, const char *greeting,
    struct xdr_arena *arena)
{
	ping args = { .n = 1, .greeting = xdr_view(greeting,
	    (uint32_t)strlen(greeting)) };
	PINGPONG_HITS_res hits;
	const uint32_t most = 5;
	int err, state = EINPROGRESS;
	pong res;
	hit *h;

	while (args.n < 6) {
		if ((err = pingpong_v1_ping(client, &args, &res, arena)) != 0)
			return err;
		printf("%u %.*s\n", res.n, (int)res.greeting.len,
		    (const char *)res.greeting.data);
		args.n = res.n + 1;
	}
	if ((err = pingpong_v1_ping_start(client, &args, returned,
	    &state)) != 0)
		return err;
	while (state == EINPROGRESS)
		if ((err = rpc_client_poll(client, 5000)) != 0)
			return err;
	if (state != 0 ||
	    (err = pingpong_v1_hits(client, &most, &hits, arena)) != 0)
		return state != 0 ? state : err;
	printf("hits:");
	for (h = hits; h != NULL; h = h->next)
		printf(" %u", h->n);
	printf("\n");
	return 0;
}

int
main(int argc, char **argv)
{
	bool udp = argc > 1 && strcmp(argv[1], "-u") == 0;
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct rpc_client *client = NULL;
	struct xdr_arena arena;
	int err;

	argv += udp;
	if (argc - udp < 2) {
		fprintf(stderr, "usage: ping [-u] PORT [GREETING]\n");
		return 64;
	}
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)atoi(argv[1]));
	xdr_arena_init(&arena, NULL, 0, 65536);
	err = rpc_client_new(&client, (struct sockaddr *)&to, sizeof to, udp,
	    PINGPONG, PINGPONG_V1, 5000);
	if (err == 0)
		err = play(client, argc - udp > 2 ? argv[2] : "hello", &arena);
	if (err != 0)
		fprintf(stderr, "ping: %s\n", strerror(err));
	rpc_client_free(client);
	xdr_arena_reset(&arena);
	return err != 0;
}
