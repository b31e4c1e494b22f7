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
	const char	*help;		/* NULL: that of the next row */
};

/* Options of every server, for pinefs_set; ends with a row without name. */
extern const struct cli_row cli_serve_rows[];

/*
 * Walk the options of argv by two tables (either may be NULL); `fn` takes
 * each with its argument and returns 0 or an exit status, or CLI_REST: what
 * follows is somebody else's.  Stops there and at the first word that is no
 * option: *rest is its index.  0, or an exit status after one line that says
 * what is wrong.
 */
enum { CLI_REST = -1 };
typedef int cli_option_fn(void *ctx, const struct cli_row *row,
	    const char *arg);
int	cli_parse(const struct cli_row *own, const struct cli_row *serve,
	    int argc, char **argv, cli_option_fn *fn, void *ctx, int *rest);
/* Usage lines, then each option, on stdout. */
void	cli_help(const char *usage, const struct cli_row *own,
	    const struct cli_row *serve);

/* A small number that is an option's argument; 0 or an exit status. */
int	cli_number(const char *name, const char *text, int *n);

/* What is said when it serves. */
struct cli_ready {
	const char	*what;		/* "mem" */
	const char	*addr;		/* it listens on; the first of them */
	const char	*path;		/* of an export, for a mount line */
	bool		 several;	/* and there are others */
	int		 fd;		/* for a newline; -1: none */
};

/*
 * Start the server, say so (one block on stderr, and a newline to the
 * descriptor), wait for SIGTERM or SIGINT, stop.  The exit status.
 */
int	cli_serve(struct pinefs_server *, const struct cli_ready *);

#endif
