/* pinefs help [TOPIC]: all commands, one of them, or something to know. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "pinefs/commands.h"

static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	(void)ctx, (void)row, (void)arg;
	return 0;
}

static int
help_main(int argc, char **argv)
{
	const struct command *cmd;
	int status, rest;

	status = command_parse(&cmd_help, argc, argv, take, NULL, &rest);
	if (status != 0)
		return status;
	if (rest == argc) {
		command_help_all();
		return 0;
	}
	if (rest + 1 < argc || (cmd = command_find(argv[rest])) == NULL) {
		log_error("help %s: no such topic; try pinefs help",
		    argv[rest]);
		return EXIT_USAGE;
	}
	command_help(cmd);
	return 0;
}

const struct command cmd_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.summary = "this, or a command's options",
	.main = help_main,
};
