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
	/* What its argument is called; NULL: it has none.  "a|b": one of these;
	 * FILE and DIR are completed by shells as such. */
	const char	*arg;
	const char	*option;	/* pinefs_set's name for it, or NULL */
	const char	*value;		/* without argument: set to this */
	/* NULL: the command has no such option, though a later table has. */
	const char	*help;
};

/* Options of every server, for pinefs_set; ends with a row without name. */
extern const struct cli_row cli_serve_rows[];

/*
 * What takes the options of a command line: tables (each may be NULL; an
 * earlier one hides options of the same name of a later one), and a function that gets each with its argument, and returns 0 or an exit
 * status, or CLI_REST: what follows is somebody else's.
 */
enum { CLI_REST = -1 };
typedef int cli_option_fn(void *ctx, const struct cli_row *row,
	    const char *arg);
struct cli_syntax {
	const struct cli_row	*own, *more, *serve;
	cli_option_fn		*fn;
	void			*ctx;
	/* Options may stand behind operands, up to "--".  argv is reordered
	 * then: operands last. */
	bool			 anywhere;
};
/* The i-th option of its tables; NULL: there are no more. */
const struct cli_row *cli_row_at(const struct cli_syntax *, unsigned i);
/*
 * Walk the options of argv.  Stops at the first operand, and at CLI_REST:
 * *rest is its index.  0, or an exit status after one line that says what is
 * wrong.
 */
int	cli_parse(const struct cli_syntax *, int argc, char **argv, int *rest);
/*
 * What the environment says instead: PINEFS_MOUNT_PORT is --mount-port, and
 * PINEFS_TCP=yes is --tcp.  To be called before cli_parse, so that the command
 * line has the last word.  As cli_parse.
 */
int	cli_environment(const struct cli_syntax *);
/*
 * "PINEFS_MOUNT_PORT"; NULL: the environment has no say, as in --help,
 * --version, what is an operand rather than an option (--module), and what
 * means another thing in each process (--ready-fd).
 */
const char *cli_variable(const struct cli_row *row, char *to, size_t size);

/* Usage lines, then each option, on stdout. */
void	cli_help(const char *usage, const struct cli_syntax *);
/* A line of such a table: what, and what it means, aligned or below. */
void	cli_help_line(const char *what, const char *help);

/* An option of the server, kept until there is one. */
enum { CLI_MAX_SETTINGS = 128 };
struct cli_setting {
	const char	*name, *value;		/* for pinefs_set */
	bool		 environment;		/* it came from there */
};
struct cli_settings {
	struct cli_setting	 v[CLI_MAX_SETTINGS];
	unsigned		 n;
};
/* A name given on the command line replaces what the environment said. */
int	cli_keep(struct cli_settings *, const char *name, const char *value,
	    bool environment);
/* It was refused, which has been said: say so if a variable is to blame. */
void	cli_blame(const struct cli_setting *);
/* The first value that `name` has, or NULL. */
const char *cli_setting(const struct cli_settings *, const char *name);

/* A small number that is an option's argument; 0 or an exit status. */
int	cli_number(const char *name, const char *text, int *n);
/* yes, on, true, 1, or no, off, false, 0; false: neither. */
bool	cli_yes_or_no(const char *value, bool *yes);

/*
 * The argument of --ready-fd, which must be open: a number that is not would
 * be that of a file of ours by the time it serves.  It is closed on exec from
 * now on.  0 or an exit status.
 */
int	cli_ready_fd(const char *text, int *fd);

/* First of all in a program: what is opened later gets no number of standard
 * input, output or error, though it was started without. */
void	cli_standard_files(void);

/* What is said when it serves. */
struct cli_ready {
	const char	*what;		/* "mem" */
	const char	*addr;		/* it listens on; the first of them */
	const char	*path;		/* of an export, for a mount line */
	bool		 several;	/* and there are others */
	bool		 quiet;		/* but for the newline */
	int		 fd;		/* for a newline; -1: none */
	void		(*reread)(void *arg);	/* on SIGHUP; NULL: it ends */
	void		*reread_arg;
};

/*
 * Start the server, say so (one block on stderr, and a newline to the
 * descriptor), wait for SIGTERM or SIGINT, stop.  The exit status.
 */
int	cli_serve(struct pinefs_server *, const struct cli_ready *);

#endif
