/* pinefs stat [ID] [--json]: what a running server has done so far. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "pinefs/asking.h"
#include "pinefs/commands.h"

static const struct cli_row rows[] = {
	{ 0, "json", NULL, NULL, NULL,
	    "an object a line, for programs: pinefs-json(5)" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	(void)row, (void)arg;
	((struct asking *)ctx)->json = true;
	return 0;
}

static void
show_server(const char *line)
{
	char what[256];

	printf("server %" PRIu64 ": %s, port %" PRIu64 "\n",
	    asking_uint(line, "pid"), asking_text(line, "what", what,
	    sizeof what), asking_uint(line, "port"));
}

/* What is 0 is left out, but for the first: that is the number of calls. */
static void
show_counters(const char *line)
{
	static const char *const keys[] = { "calls", "connections",
	    "in_flight", "accepted", "udp", "replays", "bad_records",
	    "bad_calls", "bad_args", "auth_refused", "peer_refused",
	    "timeouts", "pauses", "system_err" };
	uint64_t n;
	unsigned i;

	for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		n = asking_uint(line, keys[i]);
		if (i == 0 || n > 0)
			printf("  %-14s %" PRIu64 "\n", keys[i], n);
	}
}

static int
show(void *ctx, const char *line)
{
	(void)ctx;
	if (asking_is(line, "server"))
		show_server(line);
	else if (asking_is(line, "counters"))
		show_counters(line);
	return 0;
}

static int
stat_main(int argc, char **argv)
{
	struct asking a = { .id = NULL };
	int status, rest;

	status = command_parse(&cmd_stat, argc, argv, take, &a, &rest);
	if (status != 0)
		return status;
	if (rest < argc)
		a.id = argv[rest++];
	if (rest < argc) {
		log_error("'%s' is not understood; try pinefs help stat",
		    argv[rest]);
		return EXIT_USAGE;
	}
	return asking_run(a.id, "stat", a.json ? asking_print : show, &a);
}

const struct command cmd_stat = {
	.name = "stat",
	.operands = "[ID]",
	.summary = "what a running server has done so far",
	.rows = rows,
	.main = stat_main,
};
