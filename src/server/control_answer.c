/* What is asked by the control socket, and answered.  See control.h. */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "rpc/stats.h"
#include "server/control_in.h"

static void
refuse(struct json *j, const char *why)
{
	json_begin(j);
	json_string(j, "type", "error");
	json_string(j, "message", why);
	json_end(j);
}

/* ----------------------------------------------------------------- stat -- */

static void
put_counters(const struct pinefs_server *s, struct json *j)
{
	struct rpc_counts counts;
	unsigned i;

	stats_counts(s->rpc, &counts);
	json_begin(j);
	json_string(j, "type", "counters");
	for (i = 0; i < LOOP_COUNTERS; i++)
		json_uint(j, stats_counter_name(i), counts.count[i]);
	json_uint(j, "connections", counts.connections);
	json_uint(j, "in_flight", counts.in_flight);
	json_uint(j, "memory", counts.memory);
	json_uint(j, "loops", counts.loops);
	json_end(j);
}

static void
answer_stat(struct control *c, struct json *j, const char *args)
{
	(void)args;
	json_begin(j);
	json_string(j, "type", "server");
	record_put(c, j);
	json_end(j);
	put_counters(c->server, j);
}

/* ------------------------------------------------------------- the rest -- */

static void
answer_info(struct control *c, struct json *j, const char *args)
{
	(void)args;
	json_begin(j);
	record_put(c, j);
	json_end(j);
}

static void
done(struct json *j, int err)
{
	if (err != 0) {
		refuse(j, strerror(err));
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
		refuse(j, "no dir that begins with a slash");
	else
		done(j, control_mounted(c->server, dir, on));
}

static void
answer_mounted(struct control *c, struct json *j, const char *args)
{
	set_mounted(c, j, args, true);
}

static void
answer_unmounted(struct control *c, struct json *j, const char *args)
{
	set_mounted(c, j, args, false);
}

static void
answer_source(struct control *c, struct json *j, const char *args)
{
	char source[PATH_MAX + 16];

	if (!json_get_text(json_find(args, "source"), source, sizeof source))
		refuse(j, "no source");
	else
		done(j, control_set_source(c->server, source));
}

static void
answer_stop(struct control *c, struct json *j, const char *args)
{
	(void)c, (void)args;
	done(j, kill(getpid(), SIGTERM) == 0 ? 0 : errno);
}

static const struct row {
	const char	*word;
	void		(*answer)(struct control *, struct json *,
			    const char *args);
} rows[] = {
	{ "info", answer_info },
	{ "stat", answer_stat },
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

	cl->answered = true;
	if (!json_is_object(args)) {
		refuse(&cl->out, "what follows the word is no JSON object");
		return;
	}
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strlen(rows[i].word) == n &&
		    memcmp(rows[i].word, request, n) == 0)
			break;
	if (i < sizeof rows / sizeof rows[0])
		rows[i].answer(c, &cl->out, args);
	else
		refuse(&cl->out, "no such request");
}
