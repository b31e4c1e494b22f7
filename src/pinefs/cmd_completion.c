/*
 * pinefs completion bash|zsh|fish: what a shell needs to complete our command
 * line, made of the tables of commands and options.
 *
 * All three say the same: the first word is a command, or a file (of serve);
 * each command has its options; what an option's argument is, and what the
 * operands are, its name tells: DIR and FILE are paths, a|b|c a choice.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "pinefs/commands.h"

/* What completes a word. */
enum kind { KIND_NONE, KIND_DIR, KIND_FILE, KIND_WORDS };

/* "a|b" in lower case is a choice; anything else is what its name says. */
static enum kind
kind_of(const char *arg)
{
	if (strncmp(arg, "TYPE", 4) == 0 || strstr(arg, "COMMAND") != NULL)
		return KIND_WORDS;
	if (strchr(arg, '|') != NULL && strpbrk(arg, "ABCDEFGHIJKLMNOPQRSTUVWX"
	    "YZ[ ") == NULL)
		return KIND_WORDS;
	if (strstr(arg, "FILE") != NULL || strstr(arg, "SCRIPT") != NULL ||
	    strstr(arg, "SRC") != NULL)
		return KIND_FILE;
	return strstr(arg, "DIR") != NULL ? KIND_DIR : KIND_NONE;
}

/* The words of KIND_WORDS, with blanks between. */
static void
print_words(const char *arg)
{
	unsigned i;

	if (strncmp(arg, "TYPE", 4) == 0)
		fputs("py mem tar dir", stdout);
	else if (strstr(arg, "COMMAND") != NULL)
		for (i = 0; commands[i] != NULL; i++)
			printf("%s%s", i == 0 ? "" : " ", commands[i]->name);
	else
		for (; *arg != '\0'; arg++)
			putchar(*arg == '|' ? ' ' : *arg);
}

/* How a shell is told. */
struct shell {
	const char	*name;
	void		(*print)(void);
};

/* ------------------------------------------------------------------- bash -- */

static void
bash_kind(const char *arg)
{
	switch (kind_of(arg)) {
	case KIND_NONE:
		putchar(':');
		break;
	case KIND_DIR:
		fputs("_pinefs_reply -o filenames -d", stdout);
		break;
	case KIND_FILE:
		fputs("_pinefs_reply -o filenames -f", stdout);
		break;
	case KIND_WORDS:
		fputs("_pinefs_reply -W '", stdout);
		print_words(arg);
		putchar('\'');
	}
	puts(";;");
}

static void
bash_command(const struct command *cmd)
{
	const struct cli_row *row;
	unsigned i;

	for (i = 0; (row = command_row(cmd, i)) != NULL; i++) {
		if (row->arg == NULL)
			continue;
		printf("\t%s:--%s", cmd->name, row->name);
		if (row->letter != 0)
			printf("|%s:-%c", cmd->name, row->letter);
		fputs(") ", stdout);
		bash_kind(row->arg);
	}
	printf("\t%s:*)\n\t\tcase $cur in\n\t\t-*) _pinefs_reply -W '",
	    cmd->name);
	for (i = 0; (row = command_row(cmd, i)) != NULL; i++)
		printf("%s--%s", i == 0 ? "" : " ", row->name);
	fputs("';;\n\t\t*) ", stdout);
	bash_kind(cmd->operands);
	puts("\t\tesac;;");
}

static void
bash(void)
{
	unsigned i;

	fputs("# bash completion of pinefs; made by pinefs completion bash\n"
	    "_pinefs_reply() {\n"
	    "\tif [ \"$1\" = -o ]; then compopt -o \"$2\"; shift 2; fi\n"
	    "\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY "
	    "< <(compgen \"$@\" -- \"$cur\")\n"
	    "}\n\n"
	    "_pinefs() {\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} cmd=serve\n"
	    "\tlocal prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	    "\tCOMPREPLY=()\n"
	    "\tif [ \"$COMP_CWORD\" = 1 ]; then\n"
	    "\t\t_pinefs_reply -W '", stdout);
	print_words("COMMAND");
	fputs("'\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n\t\t", stdout);
	for (i = 0; commands[i] != NULL; i++)
		printf("%s%s", i == 0 ? "" : "|", commands[i]->name);
	fputs(") cmd=${COMP_WORDS[1]};;\n\t\tesac\n\tfi\n"
	    "\tcase $cmd:$prev in\n", stdout);
	for (i = 0; commands[i] != NULL; i++)
		bash_command(commands[i]);
	puts("\tesac\n}\n\ncomplete -F _pinefs pinefs");
}

/* -------------------------------------------------------------------- zsh -- */

/* In single quotes, in a place where [ ] : mean something. */
static void
zsh_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\'", stdout);
		else if (strchr("[]:\\", *text) != NULL)
			putchar('\\');
		putchar(*text);
	}
}

static void
zsh_kind(const char *arg)
{
	putchar(':');
	zsh_text(arg);
	switch (kind_of(arg)) {
	case KIND_NONE:
		fputs(": ", stdout);
		break;
	case KIND_DIR:
		fputs(":_files -/", stdout);
		break;
	case KIND_FILE:
		fputs(":_files", stdout);
		break;
	case KIND_WORDS:
		fputs(":(", stdout);
		print_words(arg);
		putchar(')');
	}
}

/* '*-p+[help]:N: ' '*--port=[help]:N: ': each may be given again. */
static void
zsh_option(const struct cli_row *row, bool letter)
{
	if (letter)
		printf(" \\\n\t    '*-%c%s", row->letter,
		    row->arg == NULL ? "" : "+");
	else
		printf(" \\\n\t    '*--%s%s", row->name,
		    row->arg == NULL ? "" : "=");
	putchar('[');
	zsh_text(row->help);
	putchar(']');
	if (row->arg != NULL)
		zsh_kind(row->arg);
	putchar('\'');
}

static void
zsh_command(const struct command *cmd)
{
	const struct cli_row *row;
	unsigned i;

	printf("_pinefs_%s() {\n\t_arguments -s", cmd->name);
	for (i = 0; (row = command_row(cmd, i)) != NULL; i++) {
		if (row->letter != 0)
			zsh_option(row, true);
		zsh_option(row, false);
	}
	if (*cmd->operands != '\0') {
		fputs(" \\\n\t    '*", stdout);
		zsh_kind(cmd->operands);
		putchar('\'');
	}
	puts("\n}\n");
}

static void
zsh(void)
{
	unsigned i;

	puts("#compdef pinefs\n# made by pinefs completion zsh\n");
	for (i = 0; commands[i] != NULL; i++)
		zsh_command(commands[i]);
	puts("_pinefs() {\n\tlocal -a commands\n\tcommands=(");
	for (i = 0; commands[i] != NULL; i++) {
		printf("\t    '%s:", commands[i]->name);
		zsh_text(commands[i]->summary);
		puts("'");
	}
	puts("\t)\n"
	    "\tif (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
	    "\t\t_describe command commands\n"
	    "\t\t_files\n"
	    "\telif (( $+functions[_pinefs_$words[2]] )); then\n"
	    "\t\tlocal command=$words[2]\n"
	    "\t\tshift words\n"
	    "\t\t(( CURRENT-- ))\n"
	    "\t\t_pinefs_$command\n"
	    "\telse\n"
	    "\t\t_pinefs_serve\n"
	    "\tfi\n"
	    "}\n\n"
	    "if [ \"$funcstack[1]\" = _pinefs ]; then\n"
	    "\t_pinefs \"$@\"\n"
	    "else\n"
	    "\tcompdef _pinefs pinefs\n"
	    "fi");
}

/* ------------------------------------------------------------------- fish -- */

/* In single quotes. */
static void
fish_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

static void
fish_kind(const char *arg)
{
	switch (kind_of(arg)) {
	case KIND_NONE:
		fputs(" -x", stdout);
		break;
	case KIND_DIR:
		fputs(" -x -a '(__fish_complete_directories)'", stdout);
		break;
	case KIND_FILE:
		fputs(" -r -F", stdout);
		break;
	case KIND_WORDS:
		fputs(" -x -a '", stdout);
		print_words(arg);
		putchar('\'');
	}
}

/* Where its options and operands are looked for. */
static void
fish_where(const struct command *cmd)
{
	unsigned i;

	fputs("complete -c pinefs -n '", stdout);
	if (cmd != commands[0]) {
		printf("__fish_seen_subcommand_from %s'", cmd->name);
		return;
	}
	fputs("not __fish_seen_subcommand_from", stdout);
	for (i = 1; commands[i] != NULL; i++)
		printf(" %s", commands[i]->name);
	putchar('\'');
}

static void
fish_command(const struct command *cmd)
{
	const struct cli_row *row;
	unsigned i;

	for (i = 0; (row = command_row(cmd, i)) != NULL; i++) {
		fish_where(cmd);
		if (row->letter != 0)
			printf(" -s %c", row->letter);
		printf(" -l %s -d '", row->name);
		fish_text(row->help);
		putchar('\'');
		if (row->arg != NULL)
			fish_kind(row->arg);
		putchar('\n');
	}
	if (kind_of(cmd->operands) != KIND_FILE) {
		fish_where(cmd);
		fputs(" -f", stdout);
		if (kind_of(cmd->operands) != KIND_NONE)
			fish_kind(cmd->operands);
		putchar('\n');
	}
}

static void
fish(void)
{
	unsigned i;

	puts("# made by pinefs completion fish");
	for (i = 0; commands[i] != NULL; i++) {
		printf("complete -c pinefs -n __fish_use_subcommand -a %s "
		    "-d '", commands[i]->name);
		fish_text(commands[i]->summary);
		puts("'");
		fish_command(commands[i]);
	}
}

/* ------------------------------------------------------------------- main -- */

static const struct shell shells[] = {
	{ "bash", bash }, { "zsh", zsh }, { "fish", fish }
};

static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	(void)ctx, (void)row, (void)arg;
	return 0;
}

static int
completion_main(int argc, char **argv)
{
	unsigned i;
	int status, rest;

	status = command_parse(&cmd_completion, argc, argv, take, NULL, &rest);
	if (status != 0)
		return status;
	for (i = 0; rest + 1 == argc && i < 3; i++) {
		if (strcmp(argv[rest], shells[i].name) == 0) {
			shells[i].print();
			return 0;
		}
	}
	log_error("completion: for which shell? bash, zsh or fish");
	return EXIT_USAGE;
}

const struct command cmd_completion = {
	.name = "completion",
	.operands = "bash|zsh|fish",
	.summary = "what that shell needs to complete these",
	.main = completion_main,
};
