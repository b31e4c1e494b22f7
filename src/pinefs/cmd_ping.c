/* pinefs ping HOST[:PORT]: is each version of NFS and MOUNT answered there? */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <pinefs/rpc.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "pinefs/commands.h"

enum { TIMES = 5, MOST_TIMES = 1000, TIMEOUT_MS = 5000 };

struct ping {
	bool			 json, udp;
	int			 times;
	struct sockaddr_storage	 to;
	socklen_t		 len;
};

/* What came of one version. */
struct pong {
	const char	*program;
	uint32_t	 vers;
	int		 err;
	double		 connect_us, least_us, mean_us;
};

static const struct cli_row rows[] = {
	{ 'n', "count", "N", NULL, NULL, "calls of each version; 5" },
	{ 'u', "udp", NULL, NULL, NULL, "over UDP" },
	{ 0, "json", NULL, NULL, NULL,
	    "an object a line, for programs: pinefs-json(5)" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	struct ping *p = ctx;
	int status = 0;

	if (strcmp(row->name, "json") == 0)
		p->json = true;
	else if (strcmp(row->name, "udp") == 0)
		p->udp = true;
	else
		status = cli_number(row->name, arg, &p->times);
	if (status == 0 && (p->times < 1 || p->times > MOST_TIMES)) {
		log_error("--count %s: not a number from 1 to %d", arg,
		    MOST_TIMES);
		status = EXIT_USAGE;
	}
	return status;
}

/* "host", "host:2049", "[::1]:2049", "::1". */
static int
resolve(const char *text, struct ping *p)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	const char *colon = strrchr(text, ':'), *port = "2049";
	char host[256];
	int err;

	snprintf(host, sizeof host, "%s", text);
	if (colon != NULL && (strchr(text, ':') == colon ||
	    (text[0] == '[' && colon[-1] == ']'))) {
		port = colon + 1;
		if ((size_t)(colon - text) < sizeof host)
			host[colon - text] = '\0';
	}
	if (host[0] == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		memmove(host, host + 1, strlen(host));
	}
	if ((err = getaddrinfo(host, port, &hints, &found)) != 0) {
		log_error("%s: %s; say HOST or HOST:PORT", text,
		    gai_strerror(err));
		return EXIT_NOINPUT;
	}
	memcpy(&p->to, found->ai_addr, found->ai_addrlen);
	p->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static double
us_since(uint64_t ns)
{
	return (double)(clock_boot_ns() - ns) / 1000;
}

/* NULL, RFC 5531: no arguments, no results; in a client's row. */
static int
call_null(struct rpc_client *c, double *us)
{
	static const struct rpc_procedure null = { .name = "NULL" };
	uint64_t before = clock_boot_ns();
	int err = rpc_client_call(c, &null, 0, NULL, NULL, NULL);

	*us = us_since(before);
	return err;
}

static void
ping(const struct ping *p, uint32_t prog, struct pong *to)
{
	uint64_t before = clock_boot_ns();
	struct rpc_client *c;
	double us, sum = 0;
	int i;

	to->err = rpc_client_new(&c, (const struct sockaddr *)&p->to, p->len,
	    p->udp, prog, to->vers, TIMEOUT_MS);
	if (to->err != 0)
		return;
	to->connect_us = us_since(before);
	for (i = 0; i < p->times && to->err == 0; i++) {
		to->err = call_null(c, &us);
		if (i == 0 || us < to->least_us)
			to->least_us = us;
		sum += us;
	}
	to->mean_us = sum / p->times;
	rpc_client_free(c);
}

static const char *
why(int err)
{
	return err == EPROTONOSUPPORT ? "not served there" : strerror(err);
}

static void
print_pong(const struct ping *p, const struct pong *r)
{
	struct json j = { 0 };

	if (!p->json) {
		printf("%-5s %u  ", r->program, r->vers);
		if (r->err != 0)
			printf("%s\n", why(r->err));
		else
			printf("%.0f us, least %.0f us\n", r->mean_us,
			    r->least_us);
		return;
	}
	json_begin(&j);
	json_string(&j, "type", "ping");
	json_string(&j, "program", r->program);
	json_uint(&j, "version", r->vers);
	json_string(&j, "transport", p->udp ? "udp" : "tcp");
	json_bool(&j, "answered", r->err == 0);
	if (r->err != 0) {
		json_string(&j, "error", why(r->err));
	} else {
		json_real(&j, "connect_us", r->connect_us);
		json_real(&j, "mean_us", r->mean_us);
		json_real(&j, "least_us", r->least_us);
	}
	json_end(&j);
	if (!j.bad)
		fputs(j.text, stdout);
	json_free(&j);
}

static int
ping_all(const struct ping *p, const char *text)
{
	static const struct {
		const char	*name;
		uint32_t	 prog, vers;
	} all[] = {
		{ "NFS", 100003, 2 }, { "NFS", 100003, 3 },
		{ "NFS", 100003, 4 }, { "MOUNT", 100005, 1 },
		{ "MOUNT", 100005, 3 },
	};
	unsigned i, answered = 0;
	struct pong r;

	for (i = 0; i < sizeof all / sizeof all[0]; i++) {
		r = (struct pong){ .program = all[i].name,
		    .vers = all[i].vers };
		ping(p, all[i].prog, &r);
		print_pong(p, &r);
		fflush(stdout);
		answered += r.err == 0;
		if (r.err == ECONNREFUSED || r.err == EHOSTUNREACH ||
		    r.err == ENETUNREACH)
			break;
	}
	if (answered > 0)
		return 0;
	log_error("nobody answers at %s; is its port given? pinefs ls, and "
	    "rpcinfo -p HOST, list ports", text);
	return EXIT_UNAVAILABLE;
}

static int
ping_main(int argc, char **argv)
{
	struct ping p = { .times = TIMES };
	int status, rest;

	status = command_parse(&cmd_ping, argc, argv, take, &p, &rest);
	if (status != 0)
		return status;
	if (rest != argc - 1) {
		log_error("ping wants one HOST[:PORT]; try pinefs help ping");
		return EXIT_USAGE;
	}
	status = resolve(argv[rest], &p);
	return status != 0 ? status : ping_all(&p, argv[rest]);
}

const struct command cmd_ping = {
	.name = "ping",
	.operands = "HOST[:PORT]",
	.summary = "is each version of NFS answered there, and how fast",
	.rows = rows,
	.main = ping_main,
};
