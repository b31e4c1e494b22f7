/* pinefs trace [ID]: the calls that a running server answers, one line each. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "pinefs/asking.h"
#include "pinefs/commands.h"
#include "pinefs/show.h"

struct trace {
	struct asking	 asking;
	const char	*client, *procedure, *path;
	int		 most;		/* calls; 0: for ever */
	int		 n;
};

static const struct cli_row rows[] = {
	{ 0, "client", "ADDR[:PORT]", NULL, NULL, "only calls from there" },
	{ 0, "procedure", "NAME", NULL, NULL,
	    "only these: READ, COMPOUND, MNT" },
	{ 0, "path", "TEXT", NULL, NULL,
	    "only where it is part of a path or a name" },
	{ 'n', "count", "N", NULL, NULL, "end after so many calls; never" },
	{ 0, "json", NULL, NULL, NULL,
	    "an object a line, for programs: pinefs-json(5)" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	struct trace *t = ctx;

	if (strcmp(row->name, "json") == 0)
		t->asking.json = true;
	else if (strcmp(row->name, "client") == 0)
		t->client = arg;
	else if (strcmp(row->name, "procedure") == 0)
		t->procedure = arg;
	else if (strcmp(row->name, "path") == 0)
		t->path = arg;
	else
		return cli_number(row->name, arg, &t->most);
	return 0;
}

/* Decoded values are text already; nothing else reaches a terminal. */
static void
print_values(const char *line, const char *key)
{
	char text[4096], *p;

	if (!json_get_text(json_find(line, key), text, sizeof text))
		return;
	for (p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	fputs(text, stdout);
}

static void
print_time(uint64_t us)
{
	time_t s = (time_t)(us / 1000000);
	char text[32] = "";
	struct tm tm;

	if (localtime_r(&s, &tm) != NULL)
		strftime(text, sizeof text, "%H:%M:%S", &tm);
	printf("%s.%06u", text, (unsigned)(us % 1000000));
}

static void
print_call(const char *line)
{
	char client[128], program[64], name[64], path[2048], status[64];

	print_time(asking_uint(line, "time_us"));
	printf(" %s", asking_text(line, "client", client, sizeof client));
	if (asking_has(line, "uid"))
		printf(" uid %" PRIu64, asking_uint(line, "uid"));
	printf(" %s %s", asking_text(line, "program", program,
	    sizeof program), asking_text(line, "procedure", name,
	    sizeof name));
	asking_text(line, "path", path, sizeof path);
	printf("%s%s (", path[0] == '\0' ? "" : " ", path);
	print_values(line, "args");
	printf(") -> %s ", asking_text(line, "status", status,
	    sizeof status));
	print_values(line, "results");
	printf(" %" PRIu64 " us\n", asking_uint(line, "us"));
}

static int
show(void *ctx, const char *line)
{
	struct trace *t = ctx;

	if (t->asking.json)
		puts(line);
	else if (asking_is(line, "call"))
		print_call(line);
	else if (asking_is(line, "missed"))
		printf("(%" PRIu64 " calls more, faster than this)\n",
		    asking_uint(line, "calls"));
	if (fflush(stdout) != 0)
		return EXIT_IOERR;
	return asking_is(line, "call") && ++t->n == t->most ? ASKING_ENOUGH : 0;
}

static int
run(struct trace *t)
{
	struct json j = { 0 };
	int status;

	json_append(&j, "trace ", 6);
	json_begin(&j);
	json_string(&j, "client", t->client == NULL ? "" : t->client);
	json_string(&j, "procedure", t->procedure == NULL ? "" :
	    t->procedure);
	json_string(&j, "path", t->path == NULL ? "" : t->path);
	json_object_end(&j);
	if (j.bad)
		return EXIT_OSERR;
	status = asking_run(t->asking.id, j.text, show, t);
	json_free(&j);
	return status;
}

static int
trace_main(int argc, char **argv)
{
	struct trace t = { .most = 0 };
	int status, rest;

	status = command_parse(&cmd_trace, argc, argv, take, &t, &rest);
	if (status == 0)
		status = asking_id(&t.asking, argc, argv, rest);
	return status != 0 ? status : run(&t);
}

const struct command cmd_trace = {
	.name = "trace",
	.operands = "[ID]",
	.summary = "the calls a running server answers, one line each",
	.rows = rows,
	.main = trace_main,
};
