/*
 * The command line: one table of options drives parsing and --help, here and
 * in every program that calls pinefs_main.
 */
#ifndef SERVER_CLI_H
#define SERVER_CLI_H

#include <pinefs.h>

/* sysexits(3), as pinefs(1) promises them. */
enum { EXIT_USAGE = 64, EXIT_DATA = 65, EXIT_NOINPUT = 66,
    EXIT_UNAVAILABLE = 69, EXIT_OSERR = 71, EXIT_IOERR = 74,
    EXIT_NOPERM = 77 };

struct cli_row {
	int		 letter;	/* 0: only a long name */
	const char	*name;
	const char	*arg;		/* of its argument; NULL: none */
	const char	*option;	/* pinefs_set's name for it, or NULL */
	const char	*value;		/* without argument: set to this */
	const char	*help;
};

/* Options of every server, for pinefs_set; ends with a row without name. */
extern const struct cli_row cli_serve_rows[];

/*
 * Walk the options of argv by two tables (either may be NULL); `fn` takes
 * each with its argument and returns 0 or an exit status.  Stops at the
 * first word that is no option: *rest is its index.  0, or an exit status
 * after one line that says what is wrong.
 */
typedef int cli_option_fn(void *ctx, const struct cli_row *row,
	    const char *arg);
int	cli_parse(const struct cli_row *own, const struct cli_row *serve,
	    int argc, char **argv, cli_option_fn *fn, void *ctx, int *rest);
/* Usage lines, then each option, on stdout. */
void	cli_help(const char *usage, const struct cli_row *own,
	    const struct cli_row *serve);

/* A small number that is an option's argument; 0 or an exit status. */
int	cli_number(const char *name, const char *text, int *n);

/*
 * Start the server, say that it serves `what` (one block on stderr, and a
 * newline to ready_fd unless -1), wait for SIGTERM or SIGINT, stop.
 * The exit status.
 */
int	cli_serve(struct pinefs_server *, const char *what,
	    const char *addr, int ready_fd);

#endif
