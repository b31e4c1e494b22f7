/* What is asked by the control socket, and answered.  See control.h. */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/control_in.h"

void
control_refuse(struct json *j, const char *why)
{
	json_begin(j);
	json_string(j, "type", "error");
	json_string(j, "message", why);
	json_end(j);
}

/* -------------------------------------------------------------- reports -- */

enum { EVERY_MS = 1000, LEAST_MS = 50, MOST_MS = 3600000, LATE_MS = 200,
    LOOK_MS = 2 };

static void
answer_stat(struct control *c, struct control_client *cl, const char *args)
{
	(void)c, (void)args;
	cl->phase = CLIENT_WAITS;
}

static void
answer_top(struct control *c, struct control_client *cl, const char *args)
{
	uint64_t ms = json_get_uint(json_find(args, "interval_ms"));

	cl->phase = CLIENT_WATCHES;
	cl->every_ms = ms == 0 ? EVERY_MS : ms < LEAST_MS ? LEAST_MS :
	    ms > MOST_MS ? MOST_MS : (unsigned)ms;
	report_watch(c->server, true);
}

void
control_put_server(struct control *c, struct json *j)
{
	json_begin(j);
	record_put(c, j);
	json_end(j);
}

/* Has it a report to get?  A slow reader goes without, and loses nothing. */
static bool
is_due(const struct control_client *cl, uint64_t now)
{
	return cl->fd != -1 && (cl->phase == CLIENT_WAITS ||
	    (cl->phase == CLIENT_WATCHES && cl->next_ms <= now &&
	    cl->out.len == cl->sent));
}

/* The first one of who watches is what the others are compared with. */
static void
give(struct control *c, struct control_client *cl, uint64_t now)
{
	struct report r;

	report_take(c->server, c->asked, &r);
	cl->since_ms = now;
	if (cl->phase == CLIENT_WAITS) {
		cl->phase = CLIENT_ANSWERED;
		control_put_server(c, &cl->out);
		report_put(c->server, &r, &cl->out);
		json_begin(&cl->out);
		json_string(&cl->out, "type", "end");
		json_end(&cl->out);
		report_free(&r);
		return;
	}
	if (cl->next_ms == 0)
		control_put_server(c, &cl->out);
	else
		report_put_between(c->server, &cl->before, &r, &cl->out);
	report_free(&cl->before);
	cl->before = r;
	cl->next_ms = now + cl->every_ms;
}

uint64_t
control_tick(struct control *c, uint64_t now)
{
	struct control_client *cl = c->client, *end = cl + CONTROL_MAX_CLIENTS;
	uint64_t next = UINT64_MAX;
	bool due = false;

	for (; cl < end; cl++) {
		if (cl->fd != -1 && cl->phase == CLIENT_TRACES &&
		    cl->out.len == cl->sent)
			trace_take(c, cl);
		due = due || is_due(cl, now);
		if (cl->fd != -1 && cl->phase == CLIENT_WATCHES &&
		    cl->next_ms > now && cl->next_ms < next)
			next = cl->next_ms;
	}
	if (!due) {
		/* Who waited for it has gone; later it would be old. */
		stats_clients_put(c->asked);
		c->asked = NULL;
		return next;
	}
	if (c->asked == NULL) {
		if (stats_clients_ask(c->server->rpc, &c->asked) != 0)
			c->asked = NULL;
		c->asked_ms = now;
	}
	if (c->asked != NULL && !stats_clients_ready(c->asked) &&
	    now - c->asked_ms < LATE_MS)
		return now + LOOK_MS;
	for (cl = c->client; cl < end; cl++)
		if (is_due(cl, now))
			give(c, cl, now);
	stats_clients_put(c->asked);
	c->asked = NULL;
	return now;
}

void
control_forget_client(struct control *c, struct control_client *cl)
{
	if (cl->phase == CLIENT_WATCHES)
		report_watch(c->server, false);
	else if (cl->phase == CLIENT_TRACES)
		trace_end(c, cl);
	report_free(&cl->before);
}

/* ------------------------------------------------------------- the rest -- */

static void
answer_info(struct control *c, struct control_client *cl, const char *args)
{
	(void)args;
	json_begin(&cl->out);
	record_put(c, &cl->out);
	json_end(&cl->out);
}

static void
done(struct json *j, int err)
{
	if (err != 0) {
		control_refuse(j, strerror(err));
		return;
	}
	json_begin(j);
	json_string(j, "type", "done");
	json_end(j);
}

static void
set_mounted(struct control *c, struct json *j, const char *args, bool on)
{
	char dir[PATH_MAX];

	if (!json_get_text(json_find(args, "dir"), dir, sizeof dir) ||
	    dir[0] != '/')
		control_refuse(j, "no dir that begins with a slash");
	else
		done(j, control_mounted(c->server, dir, on));
}

static void
answer_mounted(struct control *c, struct control_client *cl, const char *args)
{
	set_mounted(c, &cl->out, args, true);
}

static void
answer_unmounted(struct control *c, struct control_client *cl, const char *args)
{
	set_mounted(c, &cl->out, args, false);
}

static void
answer_source(struct control *c, struct control_client *cl, const char *args)
{
	char source[PATH_MAX + 16];

	if (!json_get_text(json_find(args, "source"), source, sizeof source))
		control_refuse(&cl->out, "no source");
	else
		done(&cl->out, control_set_source(c->server, source));
}

static void
answer_stop(struct control *c, struct control_client *cl, const char *args)
{
	(void)c, (void)args;
	done(&cl->out, kill(getpid(), SIGTERM) == 0 ? 0 : errno);
}

static const struct row {
	const char	*word;
	void		(*answer)(struct control *,
			    struct control_client *, const char *args);
} rows[] = {
	{ "info", answer_info },
	{ "stat", answer_stat },
	{ "top", answer_top },
	{ "trace", trace_begin },
	{ "mounted", answer_mounted },
	{ "unmounted", answer_unmounted },
	{ "source", answer_source },
	{ "stop", answer_stop },
};

void
control_answer(struct control *c, struct control_client *cl,
    const char *request)
{
	size_t n = strcspn(request, " "), i;
	const char *args = request[n] == '\0' ? "{}" : request + n + 1;

	cl->phase = CLIENT_ANSWERED;
	if (!json_is_object(args)) {
		control_refuse(&cl->out, "what follows the word is no JSON object");
		return;
	}
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strlen(rows[i].word) == n &&
		    memcmp(rows[i].word, request, n) == 0)
			break;
	if (i < sizeof rows / sizeof rows[0])
		rows[i].answer(c, cl, args);
	else
		control_refuse(&cl->out, "no such request");
}
