/*
 * pinefs top [ID]: what a running server does, again and again: calls and how
 * long they take, by procedure; clients; files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "pinefs/asking.h"
#include "pinefs/commands.h"
#include "pinefs/show.h"

struct top {
	struct asking	asking;
	double		seconds;
	int		pages;
	struct show	show;
};

static const struct cli_row rows[] = {
	{ 'i', "interval", "SECONDS", NULL, NULL, "1" },
	{ 'n', "count", "N", NULL, NULL,
	    "end after so many intervals; never" },
	{ 0, "json", NULL, NULL, NULL,
	    "an object a line, for programs: pinefs-json(5)" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

static int
take_seconds(struct top *t, const char *arg)
{
	char *end;

	t->seconds = strtod(arg, &end);
	if (end != arg && *end == '\0' && t->seconds >= 0.05 &&
	    t->seconds <= 3600)
		return 0;
	log_error("--interval %s: not a number from 0.05 to 3600", arg);
	return EXIT_USAGE;
}

static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	struct top *t = ctx;

	if (strcmp(row->name, "json") == 0)
		t->asking.json = true;
	else if (strcmp(row->name, "interval") == 0)
		return take_seconds(t, arg);
	else
		return cli_number(row->name, arg, &t->pages);
	return 0;
}

static int
print_pages(void *ctx, const char *line)
{
	struct top *t = ctx;
	int status = asking_print(NULL, line);

	if (status == 0 && asking_is(line, "end") &&
	    ++t->show.pages == t->show.most)
		return ASKING_ENOUGH;
	return status;
}

static int
top_main(int argc, char **argv)
{
	struct top t = { .seconds = 1 };
	char request[64];
	int status, rest;

	status = command_parse(&cmd_top, argc, argv, take, &t, &rest);
	if (status == 0)
		status = asking_id(&t.asking, argc, argv, rest);
	if (status != 0)
		return status;
	t.show.most = (unsigned)t.pages;
	t.show.screen = isatty(STDOUT_FILENO) != 0;
	snprintf(request, sizeof request, "top {\"interval_ms\":%.0f}",
	    t.seconds * 1000);
	status = t.asking.json ?
	    asking_run(t.asking.id, request, print_pages, &t) :
	    asking_run(t.asking.id, request, show_line, &t.show);
	show_fini(&t.show);
	return status;
}

const struct command cmd_top = {
	.name = "top",
	.operands = "[ID]",
	.summary = "what a running server does now, again and again",
	.rows = rows,
	.main = top_main,
};
