/* The table of commands.  See commands.h. */
#include "pinefs/commands.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

const struct command *const commands[] = {
	&cmd_serve,
	&cmd_mount,
	&cmd_umount,
	&cmd_ls,
	&cmd_stop,
	&cmd_stat,
	&cmd_top,
	&cmd_trace,
	&cmd_ping,
	&cmd_doctor,
	&cmd_help,
	&cmd_version,
	&cmd_completion,
	NULL
};

/* Of a command that is no server: those have one among theirs. */
static const struct cli_row help_rows[] = {
	{ 'h', "help", NULL, NULL, NULL, "this" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

const struct command *
command_find(const char *name)
{
	unsigned i;

	for (i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static struct cli_syntax
syntax_of(const struct command *cmd)
{
	return (struct cli_syntax){ .own = cmd->rows, .more = cmd->more_rows,
	    .serve = cmd->serve_rows != NULL ? cmd->serve_rows : help_rows,
	    .anywhere = true };
}

const struct cli_row *
command_row(const struct command *cmd, unsigned i)
{
	const struct cli_syntax syntax = syntax_of(cmd);

	return cli_row_at(&syntax, i);
}

void
command_help(const struct command *cmd)
{
	const struct cli_syntax syntax = syntax_of(cmd);

	printf("usage: pinefs %s%s%s [options]\n%c%s.\n",
	    cmd == commands[0] ? "[serve]" : cmd->name,
	    *cmd->operands == '\0' ? "" : " ", cmd->operands,
	    toupper((uint8_t)cmd->summary[0]), cmd->summary + 1);
	cli_help("\n", &syntax);
	if (cmd->more != NULL)
		printf("\n%s", cmd->more);
	if (cmd->more_lines != NULL)
		cmd->more_lines();
}

void
command_help_all(void)
{
	unsigned i;

	fputs("usage: pinefs [serve] [-f py|mem|tar|dir[:NAME]]... [options] "
	    "[SCRIPT ARG... |\n"
	    "              ARCHIVE | DIR]\n"
	    "       pinefs COMMAND ...\n"
	    "Serve a running Python program, memory, archives or a directory "
	    "over NFS.\n\n", stdout);
	for (i = 0; commands[i] != NULL; i++)
		printf("  %-11s %s\n", commands[i]->name,
		    commands[i]->summary);
	fputs("\npinefs help COMMAND, or COMMAND --help, has its options. "
	    "A script or an archive\nthat is named like a command is "
	    "./NAME.\n",
	    stdout);
}

/* ---------------------------------------------------------------- parsing -- */

int
command_flag(void *ctx, const struct cli_row *row, const char *arg)
{
	(void)row, (void)arg;
	*(bool *)ctx = true;
	return 0;
}

struct parsing {
	const struct command	*cmd;
	cli_option_fn		*fn;
	void			*ctx;
};

static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	struct parsing *p = ctx;

	if (strcmp(row->name, "help") != 0)
		return p->fn(p->ctx, row, arg);
	command_help(p->cmd);
	exit(0);
}

int
command_environment(const struct command *cmd, cli_option_fn *fn, void *ctx)
{
	struct cli_syntax syntax = syntax_of(cmd);

	syntax.fn = fn;
	syntax.ctx = ctx;
	return cli_environment(&syntax);
}

int
command_operands(const struct command *cmd, int argc, char **argv,
    cli_option_fn *fn, void *ctx, int *rest)
{
	struct parsing p = { cmd, fn, ctx };
	struct cli_syntax syntax = syntax_of(cmd);

	syntax.fn = take;
	syntax.ctx = &p;
	return cli_parse(&syntax, argc, argv, rest);
}

int
command_parse(const struct command *cmd, int argc, char **argv,
    cli_option_fn *fn, void *ctx, int *rest)
{
	int status = command_environment(cmd, fn, ctx);

	return status != 0 ? status :
	    command_operands(cmd, argc, argv, fn, ctx, rest);
}
