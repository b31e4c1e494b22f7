/* pinefs stat [ID] [--json]: what a running server has done so far. */
#include "pinefs/asking.h"
#include "pinefs/commands.h"
#include "pinefs/show.h"

static const struct cli_row rows[] = {
	{ 0, "json", NULL, NULL, NULL,
	    "an object a line, for programs: pinefs-json(5)" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

static int
print(void *ctx, const char *line)
{
	int status = asking_print(ctx, line);

	return status == 0 && asking_is(line, "end") ? ASKING_ENOUGH : status;
}

static int
stat_main(int argc, char **argv)
{
	struct asking a = { .id = NULL };
	struct show show = { .most = 1 };
	int status, rest;

	status = command_parse(&cmd_stat, argc, argv, command_flag, &a.json,
	    &rest);
	if (status == 0)
		status = asking_id(&a, argc, argv, rest);
	if (status != 0)
		return status;
	if (a.json)
		return asking_run(a.id, "stat", print, NULL);
	status = asking_run(a.id, "stat", show_line, &show);
	show_fini(&show);
	return status;
}

const struct command cmd_stat = {
	.name = "stat",
	.operands = "[ID]",
	.summary = "what a running server has done so far",
	.rows = rows,
	.main = stat_main,
};
