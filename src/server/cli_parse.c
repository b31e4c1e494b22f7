/*
 * Tables of options: what the command line says by them, and the environment,
 * and the help that they make.  See cli.h.
 */
#include "server/cli.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { MAX_ROWS = 96, LONG_ONLY = 256 };

struct tables {
	const struct cli_row	*row[MAX_ROWS];
	struct option		 longs[MAX_ROWS + 1];
	char			 shorts[3 * MAX_ROWS + 3];
	unsigned		 n;
};

/* Does an earlier table have the name? */
static bool
is_hidden(const struct cli_row *const table[3], unsigned which,
    const struct cli_row *row)
{
	const struct cli_row *r;
	unsigned i;

	if (row->help == NULL)
		return true;
	for (i = 0; i < which; i++)
		for (r = table[i]; r != NULL && r->name != NULL; r++)
			if (strcmp(r->name, row->name) == 0)
				return true;
	return false;
}

const struct cli_row *
cli_row_at(const struct cli_syntax *s, unsigned i)
{
	const struct cli_row *const table[3] = { s->own, s->more, s->serve };
	const struct cli_row *row;
	unsigned which;

	for (which = 0; which < 3; which++)
		for (row = table[which]; row != NULL && row->name != NULL;
		    row++)
			if (!is_hidden(table, which, row) && i-- == 0)
				return row;
	return NULL;
}

static void
add_rows(struct tables *t, const struct cli_syntax *syntax)
{
	char *p = t->shorts + strlen(t->shorts);
	const struct cli_row *row;

	while (t->n < MAX_ROWS && (row = cli_row_at(syntax, t->n)) != NULL) {
		t->longs[t->n] = (struct option){ row->name,
		    row->arg == NULL ? no_argument : required_argument, NULL,
		    LONG_ONLY + (int)t->n };
		t->row[t->n++] = row;
		if (row->letter != 0) {
			*p++ = (char)row->letter;
			if (row->arg != NULL)
				*p++ = ':';
		}
	}
	*p = '\0';
}

static const struct cli_row *
find_row(const struct tables *t, int c)
{
	unsigned i;

	if (c >= LONG_ONLY)
		return t->row[c - LONG_ONLY];
	for (i = 0; i < t->n; i++)
		if (t->row[i]->letter == c)
			return t->row[i];
	return NULL;
}

int
cli_parse(const struct cli_syntax *syntax, int argc, char **argv, int *rest)
{
	struct tables t = { .n = 0 };
	int c, status;

	/* '+': stop at the first operand; ':': we complain. */
	strcpy(t.shorts, syntax->anywhere ? ":" : "+:");
	add_rows(&t, syntax);
	optind = 0;
	while ((c = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1) {
		if (c == '?' || c == ':') {
			log_error(c == ':' ? "option %s needs an argument; try "
			    "--help" : "unknown option %s; try --help",
			    argv[optind - 1]);
			return EXIT_USAGE;
		}
		status = syntax->fn(syntax->ctx, find_row(&t, c), optarg);
		if (status == CLI_REST)
			break;
		if (status != 0)
			return status;
	}
	*rest = optind;
	return 0;
}

int
cli_number(const char *name, const char *text, int *n)
{
	char *end;
	long v = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || v > 1 << 20) {
		log_error("--%s %s: not a number", name, text);
		return EXIT_USAGE;
	}
	*n = (int)v;
	return 0;
}

/* ------------------------------------------------------------ environment -- */

const char *
cli_variable(const struct cli_row *row, char *to, size_t size)
{
	static const char *const never[] = { "help", "version", "module",
	    "ready-fd" };
	size_t i;

	for (i = 0; i < sizeof never / sizeof never[0]; i++)
		if (strcmp(row->name, never[i]) == 0)
			return NULL;
	snprintf(to, size, "PINEFS_%s", row->name);
	for (i = 0; to[i] != '\0'; i++)
		to[i] = to[i] == '-' ? '_' : (char)toupper((uint8_t)to[i]);
	return to;
}

bool
cli_yes_or_no(const char *value, bool *yes)
{
	static const char *const words[] = { "no", "yes", "off", "on",
	    "false", "true", "0", "1" };
	unsigned i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(value, words[i]) == 0) {
			*yes = i % 2 == 1;
			return true;
		}
	}
	return false;
}

/* An option without argument: PINEFS_TCP=yes gives it, =no does not. */
static int
is_given(const char *variable, const char *value, bool *given)
{
	if (cli_yes_or_no(value, given))
		return 0;
	log_error("%s=%s: say yes or no", variable, value);
	return EXIT_USAGE;
}

/*
 * Kubernetes sets PINEFS_PORT=tcp://10.0.0.1:2049 where a service has the name
 * pinefs.
 */
static bool
is_ours(const char *variable, const char *value)
{
	if (strstr(value, "://") == NULL || strcmp(variable, "PINEFS_PORT") != 0)
		return true;
	log_warning("%s=%s is not for pinefs, and ignored", variable, value);
	return false;
}

static void
blame(const struct cli_row *row)
{
	char name[64];

	if (cli_variable(row, name, sizeof name) != NULL)
		log_error("that is what %s in the environment says: unset it, "
		    "or give --%s", name, row->name);
}

void
cli_blame(const struct cli_setting *setting)
{
	const struct cli_row *row;

	if (!setting->environment)
		return;
	for (row = cli_serve_rows; row->name != NULL; row++)
		if (row->option != NULL &&
		    strcmp(row->option, setting->name) == 0)
			blame(row);
}

static int
take_variable(const struct cli_syntax *syntax, const struct cli_row *row)
{
	char name[64];
	const char *value;
	bool given = true;
	int status = 0;

	if (cli_variable(row, name, sizeof name) == NULL ||
	    (value = getenv(name)) == NULL || *value == '\0' ||
	    !is_ours(name, value))
		return 0;
	if (row->arg == NULL)
		status = is_given(name, value, &given);
	if (status != 0 || !given)
		return status;
	status = syntax->fn(syntax->ctx, row, row->arg == NULL ? NULL : value);
	if (status != 0)
		blame(row);
	return status;
}

int
cli_environment(const struct cli_syntax *syntax)
{
	const struct cli_row *row;
	int status = 0;
	unsigned i;

	for (i = 0; status == 0 && (row = cli_row_at(syntax, i)) != NULL; i++)
		status = take_variable(syntax, row);
	return status;
}

/* --------------------------------------------------------------- settings -- */

/* What the environment said of it goes. */
static void
forget(struct cli_settings *s, const char *name)
{
	unsigned i, n = 0;

	for (i = 0; i < s->n; i++)
		if (!s->v[i].environment || strcmp(s->v[i].name, name) != 0)
			s->v[n++] = s->v[i];
	s->n = n;
}

int
cli_keep(struct cli_settings *s, const char *name, const char *value,
    bool environment)
{
	if (!environment)
		forget(s, name);
	if (s->n == CLI_MAX_SETTINGS) {
		log_error("too many options");
		return EXIT_USAGE;
	}
	s->v[s->n++] = (struct cli_setting){ name, value, environment };
	return 0;
}

const char *
cli_setting(const struct cli_settings *s, const char *name)
{
	unsigned i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->v[i].name, name) == 0)
			return s->v[i].value;
	return NULL;
}

/* ------------------------------------------------------------------- help -- */

enum { HELP_COLUMN = 26 };

void
cli_help_line(const char *what, const char *help)
{
	if (strlen(what) > HELP_COLUMN - 3)
		printf("  %s\n%*s%s\n", what, HELP_COLUMN, "", help);
	else
		printf("  %-*s%s\n", HELP_COLUMN - 2, what, help);
}

static void
print_row(const struct cli_row *row)
{
	char letter[8], what[80];

	snprintf(letter, sizeof letter, row->letter != 0 ? "-%c, " : "    ",
	    row->letter);
	snprintf(what, sizeof what, "%s--%s%s%s", letter, row->name,
	    row->arg == NULL ? "" : " ", row->arg == NULL ? "" : row->arg);
	cli_help_line(what, row->help);
}

void
cli_help(const char *usage, const struct cli_syntax *syntax)
{
	const struct cli_row *row;
	unsigned i;

	fputs(usage, stdout);
	for (i = 0; (row = cli_row_at(syntax, i)) != NULL; i++)
		print_row(row);
}
