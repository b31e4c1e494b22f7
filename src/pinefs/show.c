/* Lines as tables.  See show.h. */
#include "pinefs/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pinefs/asking.h"
#include "server/cli.h"

enum { LINES = 24, NONE = 1 << 20 };

static void	print_procedure(const char *), print_operation(const char *),
		print_client(const char *), print_file(const char *);

/* On a terminal, of what is left of its lines: at most one in `share`. */
static const struct kind {
	const char	*type, *head;
	unsigned	 share;
	void		(*print)(const char *line);
} kinds[SHOW_KINDS] = {
	{ "procedure", "PROCEDURE                STATUS                   "
	    "CALLS      /s   p50 us   p99 us", 2, print_procedure },
	{ "operation", "OPERATION                STATUS                   "
	    "CALLS      /s", 2, print_operation },
	{ "client", "CLIENT                   UID                      "
	    "CALLS      /s       in      out", 2, print_client },
	{ "file", "FILE                                              "
	    "CALLS      /s", 1, print_file },
};

/* -------------------------------------------------------------- printing -- */

/* "12.3k": five characters at most. */
static const char *
short_number(double n, char to[16])
{
	static const char units[] = " kMGTPE";
	unsigned i = 0;

	while (n >= 9999.5 && i < sizeof units - 2) {
		n /= 1000;
		i++;
	}
	snprintf(to, 16, n < 99.95 && (i > 0 || n < 9.95) && n > 0 ?
	    "%.1f%.1s" : "%.0f%.1s", n, i == 0 ? "" : units + i);
	return to;
}

static void
print_count(const char *line, const char *key, int width)
{
	char text[16];

	printf(" %*s", width, short_number(asking_real(line, key), text));
}

/* Of an interval only. */
static void
print_rate(const char *line)
{
	if (asking_has(line, "per_s"))
		print_count(line, "per_s", 7);
	else
		printf("%8s", "");
}

static void
print_status(const char *line, const char *name_key)
{
	char program[64], name[64], status[64];
	int n;

	n = printf("%s %s", asking_text(line, "program", program,
	    sizeof program), asking_text(line, name_key, name, sizeof name));
	printf("%*s%-20s", n < 24 ? 25 - n : 1, "",
	    asking_text(line, "status", status, sizeof status));
	print_count(line, "calls", 9);
	print_rate(line);
}

static void
print_procedure(const char *line)
{
	print_status(line, "procedure");
	if (asking_uint(line, "timed") > 0) {
		print_count(line, "p50_us", 8);
		print_count(line, "p99_us", 8);
	}
}

static void
print_operation(const char *line)
{
	print_status(line, "operation");
}

static void
print_client(const char *line)
{
	char client[128], uid[32] = "-";

	if (asking_has(line, "uid"))
		snprintf(uid, sizeof uid, "%" PRIu64,
		    asking_uint(line, "uid"));
	printf("%-24s %-20s", asking_text(line, "client", client,
	    sizeof client), uid);
	print_count(line, "calls", 9);
	print_rate(line);
	print_count(line, "received", 8);
	print_count(line, "sent", 8);
}

/* The end of a long path says more than its beginning. */
static void
print_file(const char *line)
{
	char export[512], path[1600], whole[2200];
	size_t n;

	asking_text(line, "export", export, sizeof export);
	asking_text(line, "path", path, sizeof path);
	if (path[0] == '\0')
		snprintf(path, sizeof path, "fileid %" PRIu64,
		    asking_uint(line, "fileid"));
	n = (size_t)snprintf(whole, sizeof whole, "%s%s%s",
	    strcmp(export, "/") == 0 ? "" : export,
	    path[0] == '/' ? "" : strcmp(export, "/") == 0 ? "" : ": ", path);
	printf("%s%-*s", n > 44 ? "..." : "", n > 44 ? 42 : 45,
	    n > 44 ? whole + n - 41 : whole);
	print_count(line, "calls", 9);
	print_rate(line);
}

/* ---------------------------------------------------------------- sorting -- */

static int
more_calls(const void *a, const void *b)
{
	uint64_t x = asking_uint(*(char *const *)a, "calls");
	uint64_t y = asking_uint(*(char *const *)b, "calls");

	return x < y ? 1 : x > y ? -1 : strcmp(*(char *const *)a,
	    *(char *const *)b);
}

static unsigned
lines_left(const struct show *s)
{
	struct winsize w;

	if (!s->screen)
		return NONE;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == -1 || w.ws_row < 8)
		return LINES - 4;
	return w.ws_row - 4u;
}

static void
print_table(struct show *s, unsigned k, unsigned *left)
{
	unsigned most = *left / kinds[k].share, i;

	if (s->n[k] == 0 || most < 3)
		return;
	qsort(s->rows[k], s->n[k], sizeof s->rows[k][0], more_calls);
	printf("\n%s\n", kinds[k].head);
	*left -= 2;
	for (i = 0; i < s->n[k] && i < most - 2; i++, --*left) {
		kinds[k].print(s->rows[k][i]);
		putchar('\n');
	}
}

static void
forget_rows(struct show *s)
{
	unsigned k, i;

	for (k = 0; k < SHOW_KINDS; k++) {
		for (i = 0; i < s->n[k]; i++)
			free(s->rows[k][i]);
		free(s->rows[k]);
		s->rows[k] = NULL;
		s->n[k] = 0;
	}
}

static int
print_page(struct show *s)
{
	unsigned left = lines_left(s), k;

	for (k = 0; k < SHOW_KINDS; k++)
		print_table(s, k, &left);
	forget_rows(s);
	return fflush(stdout) == 0 ? 0 : EXIT_IOERR;
}

void
show_fini(struct show *s)
{
	forget_rows(s);
	free(s->server);
}

/* ------------------------------------------------------------------ lines -- */

static void
print_server(const struct show *s)
{
	char what[256];

	if (s->server != NULL)
		printf("server %" PRIu64 ": %s, port %" PRIu64 "\n",
		    asking_uint(s->server, "pid"), asking_text(s->server,
		    "what", what, sizeof what),
		    asking_uint(s->server, "port"));
}

/* What is 0 is left out, but for the first: that is the number of calls. */
static void
print_counters(const char *line)
{
	static const char *const keys[] = { "calls", "connections",
	    "in_flight", "accepted", "udp", "replays", "bad_records",
	    "bad_calls", "bad_args", "auth_refused", "peer_refused",
	    "timeouts", "pauses", "system_err" };
	uint64_t n;
	unsigned i;

	for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		n = asking_uint(line, keys[i]);
		if (i == 0 || n > 0)
			printf("%s%s %" PRIu64, i == 0 ? "" : ", ", keys[i],
			    n);
	}
	putchar('\n');
}

static void
begin_page(const struct show *s, const char *line)
{
	char calls[16];

	fputs(s->screen ? "\033[H\033[J" : s->pages > 0 ? "\n" : "", stdout);
	print_server(s);
	printf("%s calls/s, %" PRIu64 " connections, %" PRIu64
	    " in flight\n", short_number(asking_real(line, "per_s"), calls),
	    asking_uint(line, "connections"), asking_uint(line, "in_flight"));
}

static int
keep(struct show *s, unsigned k, const char *line)
{
	char **more = realloc(s->rows[k], (s->n[k] + 1) * sizeof *more);

	if (more == NULL)
		return EXIT_OSERR;
	s->rows[k] = more;
	if ((more[s->n[k]] = strdup(line)) == NULL)
		return EXIT_OSERR;
	s->n[k]++;
	return 0;
}

int
show_line(void *ctx, const char *line)
{
	struct show *s = ctx;
	int status = 0;
	unsigned k;

	for (k = 0; k < SHOW_KINDS; k++)
		if (asking_is(line, kinds[k].type))
			return keep(s, k, line);
	if (asking_is(line, "server")) {
		free(s->server);
		s->server = strdup(line);
	} else if (asking_is(line, "counters")) {
		print_server(s);
		print_counters(line);
	} else if (asking_is(line, "interval")) {
		begin_page(s, line);
	} else if (asking_is(line, "end")) {
		if ((status = print_page(s)) == 0 && ++s->pages == s->most)
			status = ASKING_ENOUGH;
	}
	return status;
}
