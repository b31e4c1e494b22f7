/*
 * The commands of pinefs(1).  Each is one file, cmd_NAME.c, that defines
 * `cmd_NAME`, and a row in commands.c; dispatch, help, completion and the test
 * of the pages read these.
 */
#ifndef PINEFS_COMMANDS_H
#define PINEFS_COMMANDS_H

#include "server/cli.h"

struct command {
	const char	*name;
	/* Its operands, as usage shows them and shells complete them: words
	 * in capitals, and a|b for a choice. */
	const char	*operands;
	const char	*summary;	/* half a line, for pinefs --help */
	/* Its own options; and those of pinefs serve, of every server; or
	 * NULL. */
	const struct cli_row	*rows, *more_rows, *serve_rows;
	const char	*more;		/* text under the help; or NULL */
	void		(*more_lines)(void);	/* what writes more; or NULL */
	/* argv[0] is the name; the exit status. */
	int		(*main)(int argc, char **argv);
};

/* In the order of help; ends with NULL.  The first is the default. */
extern const struct command *const commands[];
const struct command *command_find(const char *name);

/*
 * What environment and command line say of its options; `fn` as for
 * cli_parse.  --help is dealt with, and ends the program.  Where the operands
 * begin, after the options, is *rest.  0 or an exit status.
 */
int	command_parse(const struct command *, int argc, char **argv,
	    cli_option_fn *fn, void *ctx, int *rest);
/* The one, then the other. */
int	command_environment(const struct command *, cli_option_fn *fn,
	    void *ctx);
int	command_operands(const struct command *, int argc, char **argv,
	    cli_option_fn *fn, void *ctx, int *rest);
/* A cli_option_fn for a command of one option without argument: its bool. */
int	command_flag(void *ctx, const struct cli_row *row, const char *arg);
/* The i-th of its options, --help among them; NULL: there are no more. */
const struct cli_row *command_row(const struct command *, unsigned i);
/* Its usage and options, on stdout. */
void	command_help(const struct command *);
/* All of them, in the 24 lines of pinefs --help. */
void	command_help_all(void);

extern const struct command cmd_stat, cmd_top, cmd_trace, cmd_ping, cmd_doctor;
extern const struct command cmd_serve, cmd_help, cmd_version, cmd_completion;
extern const struct command cmd_mount, cmd_umount, cmd_ls, cmd_stop;

/* Options of pinefs serve, besides those of every server. */
extern const struct cli_row cmd_serve_rows[];

#endif
