/*
 * Traces by the control socket: one line a call, for each reader what he asked
 * for.
 *
 * Loops write lines into memory of each reader, up to a limit, and wake the
 * control socket's thread, which takes them when the socket has taken those
 * before.  A reader that is slower than the calls misses some, and is told how
 * many: no loop waits for him.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <pinefs/xdr_type.h>

#include "base/clock.h"
#include "rpc/call.h"
#include "rpc/peer.h"
#include "server/control_in.h"

enum { VALUE = 2048, BEHIND_MAX = 512 << 10 };

/* ------------------------------------------------------------- matching -- */

/* "127.0.0.1" and "127.0.0.1:1012" are both of the peer 127.0.0.1:1012, and
 * "[::1]" of [::1]:1012. */
static bool
is_client(const char *want, const char *name)
{
	size_t n = strlen(want);

	return n == 0 || (strncmp(name, want, n) == 0 &&
	    (name[n] == '\0' || name[n] == ':'));
}

static bool
is_procedure(const char *want, const char *name)
{
	return want[0] == '\0' || strcasecmp(want, name) == 0;
}

/* Bits of the readers that want it, by what is cheap to tell. */
static uint32_t
who_wants(struct control *c, const char *client, const char *proc)
{
	const struct control_tracer *t = c->tracer;
	uint32_t mask = 0;
	unsigned i;

	pthread_mutex_lock(&c->trace_lock);
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (t[i].on && is_client(t[i].client, client) &&
		    is_procedure(t[i].proc, proc))
			mask |= 1u << i;
	pthread_mutex_unlock(&c->trace_lock);
	return mask;
}

/* -------------------------------------------------------------- writing -- */

/* Of one call. */
struct shown {
	const struct rpc_call	*call;
	struct stats_row	 row;		/* what it is counted as */
	uint64_t		 us;
	char			 path[1024];	/* "" : not known */
	char			 args[VALUE], results[VALUE];
};

static void
print(char *to, const struct xdr_type *type, const void *value)
{
	to[0] = '\0';
	if (type != NULL && value != NULL)
		xdr_print(to, VALUE, type, value);
}

static void
put_call(const struct shown *s, struct json *j)
{
	const struct rpc_call *call = s->call;
	char status[16];

	json_begin(j);
	json_string(j, "type", "call");
	json_uint(j, "time_us", clock_wall_ns() / 1000);
	json_string(j, "client", call->peer->name);
	if (call->cred.flavor == RPC_AUTH_SYS)
		json_uint(j, "uid", call->cred.uid);
	json_uint(j, "xid", call->h.xid);
	json_string(j, "program", s->row.program->service->name);
	json_string(j, "procedure", stats_name(&s->row));
	json_string(j, "path", s->path);
	json_string(j, "args", s->args);
	json_string(j, "status", stats_status(&s->row, status,
	    sizeof status));
	json_string(j, "results", s->results);
	json_uint(j, "us", s->us);
	json_end(j);
}

/* Those of `mask` that want it after all; still there, and not behind. */
static bool
hand_out(struct control *c, uint32_t mask, const struct shown *s,
    const struct json *line)
{
	struct control_tracer *t = c->tracer;
	bool wake = false;
	unsigned i;

	pthread_mutex_lock(&c->trace_lock);
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (!(mask & 1u << i) || !t[i].on || (t[i].path[0] != '\0' &&
		    strstr(s->path, t[i].path) == NULL &&
		    strstr(s->args, t[i].path) == NULL))
			continue;
		wake = wake || t[i].lines.len == 0;
		if (t[i].lines.len > BEHIND_MAX)
			t[i].missed++;
		else
			json_append(&t[i].lines, line->text, line->len);
	}
	pthread_mutex_unlock(&c->trace_lock);
	return wake;
}

/* On the loop's thread: a reply is ready. */
static void
trace(void *arg, const struct rpc_call *call, const struct stats_row *row,
    uint64_t ns)
{
	struct shown s = { .call = call, .row = *row, .us = ns / 1000 };
	struct control *c = arg;
	struct json j = { 0 };
	uint64_t one = 1;
	uint32_t mask;

	mask = who_wants(c, call->peer->name, stats_name(row));
	if (mask == 0)
		return;
	if (row->status != STATS_REFUSED + RPC_GARBAGE_ARGS)
		print(s.args, call->proc->args_type, call->args);
	if (row->status < STATS_REFUSED)
		print(s.results, call->proc->res_type, call->res);
	if (row->program->object != NULL && call->state != NULL)
		row->program->object(call->state, s.path, sizeof s.path);
	put_call(&s, &j);
	if (!j.bad && hand_out(c, mask, &s, &j) &&
	    write(c->wake, &one, sizeof one) == -1) {
		/* It is awake. */
	}
	json_free(&j);
}

/* -------------------------------------------------------------- readers -- */

static void
take_text(const char *args, const char *key, char *to, size_t size)
{
	if (!json_get_text(json_find(args, key), to, size))
		to[0] = '\0';
}

/* "::1" as peers are named: "[::1]"; EINVAL. */
static int
name_address(const char *text, char *to, size_t size)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int err = peer_parse(text, 0, &ss, &len);

	if (err != 0)
		return err;
	peer_name(&ss, to, size);
	*strrchr(to, ':') = '\0';
	return 0;
}

/* With a port, perhaps; brackets, perhaps, where there is none; or "". */
static int
take_client(const char *args, char to[CLIENT_NAME])
{
	char text[CLIENT_NAME], *host = text, *end;
	size_t n;

	take_text(args, "client", text, sizeof text);
	to[0] = '\0';
	if (text[0] == '\0' || name_address(text, to, CLIENT_NAME) == 0)
		return 0;
	if (text[0] == '[') {
		host++;
		end = strchr(text, ']');
	} else {
		end = strrchr(text, ':');
	}
	if (end == NULL)
		return EINVAL;
	if (*end == ']')
		*end++ = '\0';
	if (*end != ':' && *end != '\0')
		return EINVAL;
	if (*end == ':')
		*end++ = '\0';
	if (name_address(host, to, CLIENT_NAME) != 0 ||
	    end[strspn(end, "0123456789")] != '\0')
		return EINVAL;
	n = strlen(to);
	if (*end != '\0')
		snprintf(to + n, CLIENT_NAME - n, ":%s", end);
	return 0;
}

void
trace_begin(struct control *c, struct control_client *cl, const char *args)
{
	struct control_tracer *t = &c->tracer[cl - c->client];
	char client[CLIENT_NAME];

	if (take_client(args, client) != 0) {
		control_refuse(&cl->out, "the client is no address like "
		    "127.0.0.1, ::1 or 127.0.0.1:1012");
		return;
	}
	pthread_mutex_lock(&c->trace_lock);
	*t = (struct control_tracer){ .on = true };
	strcpy(t->client, client);
	take_text(args, "procedure", t->proc, sizeof t->proc);
	take_text(args, "path", t->path, sizeof t->path);
	pthread_mutex_unlock(&c->trace_lock);
	cl->phase = CLIENT_TRACES;
	stats_trace(c->server->rpc, trace, c);
	report_watch(c->server, true);	/* for names of files */
	control_put_server(c, &cl->out);	/* it has begun */
}

void
trace_end(struct control *c, struct control_client *cl)
{
	struct control_tracer *t = &c->tracer[cl - c->client];

	report_watch(c->server, false);
	stats_trace(c->server->rpc, NULL, NULL);
	pthread_mutex_lock(&c->trace_lock);
	json_free(&t->lines);
	t->on = false;
	pthread_mutex_unlock(&c->trace_lock);
}

void
trace_take(struct control *c, struct control_client *cl)
{
	struct control_tracer *t = &c->tracer[cl - c->client];

	pthread_mutex_lock(&c->trace_lock);
	if (t->lines.len > 0) {
		json_free(&cl->out);
		cl->out = t->lines;
		cl->sent = 0;
		cl->since_ms = clock_boot_ms();
		t->lines = (struct json){ 0 };
		if (t->missed > 0) {
			json_begin(&cl->out);
			json_string(&cl->out, "type", "missed");
			json_uint(&cl->out, "calls", t->missed);
			json_end(&cl->out);
		}
		t->missed = 0;
	}
	pthread_mutex_unlock(&c->trace_lock);
}
