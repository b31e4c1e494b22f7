/* The command line.  See cli.h. */
#include "server/cli.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { MAX_ROWS = 64, LONG_ONLY = 256, DRAIN_MS = 5000 };

const struct cli_row cli_serve_rows[] = {
	{ 't', "tcp", NULL, "tcp-only", "yes", "TCP only, no UDP" },
	{ 0, "addr", "A", "addr", NULL,
	    "listen there (again for more); 127.0.0.1, ::1" },
	{ 'p', "port", "N", "port", NULL,
	    "NFS and MOUNT; 2049; 0: any free one, printed" },
	{ 0, "mount-port", "N", "mount-port", NULL,
	    "MOUNT also here; 5555; 0: not" },
	{ 0, "no-portmap", NULL, "portmap", "no",
	    "do not tell the portmapper" },
	{ 0, "allow", "NET", "allow", NULL,
	    "who may come from elsewhere: 10.0.0.0/8 (again)" },
	{ 0, "local-auth", "HOW", "local-auth", NULL,
	    "peer: ask who owns a local client's socket; none" },
	{ 0, "squash", "WHOM", "squash", NULL,
	    "none, root or all become the anonymous user; root" },
	{ 0, "no-delegations", NULL, "delegations", "no",
	    "promise v4 clients nothing about files" },
	{ 0, "lease", "SECONDS", "lease", NULL, NULL },
	{ 0, "threads", "N", "threads", NULL,
	    "silence of clients, 60; loops, one per core" },
	{ 0, "state-dir", "DIR", "state-dir", NULL,
	    "where the key of handles is kept" },
	{ 'o', "options", "ro", NULL, NULL, "ro: read-only; rw" },
	{ 0, "log", "LEVEL", "log", NULL,
	    "error, warning, info or debug; info" },
	{ 0, "ready-fd", "FD", NULL, NULL,
	    "write a newline there when it serves" },
	{ 'h', "help", NULL, NULL, NULL, NULL },
	{ 'V', "version", NULL, NULL, NULL, "this; the version" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

/* --------------------------------------------------------------- parsing -- */

struct tables {
	const struct cli_row	*row[MAX_ROWS];
	struct option		 longs[MAX_ROWS + 1];
	char			 shorts[3 * MAX_ROWS + 3];
	unsigned		 n;
};

static void
add_rows(struct tables *t, const struct cli_row *row)
{
	char *p = t->shorts + strlen(t->shorts);

	for (; row != NULL && row->name != NULL && t->n < MAX_ROWS; row++) {
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
cli_parse(const struct cli_row *own, const struct cli_row *serve, int argc,
    char **argv, cli_option_fn *fn, void *ctx, int *rest)
{
	struct tables t = { .n = 0 };
	int c, status;

	/* '+': what follows the first word is not ours; ':': we complain. */
	strcpy(t.shorts, "+:");
	add_rows(&t, own);
	add_rows(&t, serve);
	optind = 0;
	while ((c = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1) {
		if (c == '?' || c == ':') {
			log_error(c == ':' ? "option %s needs an argument; try "
			    "--help" : "unknown option %s; try --help",
			    argv[optind - 1]);
			return EXIT_USAGE;
		}
		status = fn(ctx, find_row(&t, c), optarg);
		if (status == CLI_REST)
			break;
		if (status != 0)
			return status;
	}
	*rest = optind;
	return 0;
}

/* "-p, --port N"; one without a letter is indented, where a line begins. */
static size_t
put_option(const struct cli_row *row, bool first, char *to, size_t size)
{
	char letter[8] = "";
	int n;

	if (row->letter != 0)
		snprintf(letter, sizeof letter, "-%c, ", row->letter);
	n = snprintf(to, size, "%s%s--%s%s%s", first ? "" : ", ",
	    first && row->letter == 0 ? "    " : letter, row->name,
	    row->arg == NULL ? "" : " ", row->arg == NULL ? "" : row->arg);
	return n < 0 || (size_t)n >= size ? size - 1 : (size_t)n;
}

/* A row without help shares the line, and the help, of the one behind it. */
static void
print_rows(const struct cli_row *row)
{
	char left[64] = "";
	size_t n = 0;

	for (; row != NULL && row->name != NULL; row++) {
		n += put_option(row, n == 0, left + n, sizeof left - n);
		if (row->help == NULL)
			continue;
		printf("  %-22s %s\n", left, row->help);
		n = 0;
	}
}

void
cli_help(const char *usage, const struct cli_row *own,
    const struct cli_row *serve)
{
	fputs(usage, stdout);
	print_rows(own);
	print_rows(serve);
}

/* --------------------------------------------------------------- serving -- */

static int
status_of(int err)
{
	switch (err) {
	case 0:
		return 0;
	case EINVAL:
		return EXIT_USAGE;
	case EPERM:
	case EACCES:
		return EXIT_NOPERM;
	case EADDRINUSE:
	case EADDRNOTAVAIL:
		return EXIT_UNAVAILABLE;
	}
	return EXIT_OSERR;
}

static void
say_ready(const struct pinefs_server *s, const struct cli_ready *ready)
{
	bool v6 = strchr(ready->addr, ':') != NULL;
	int port = pinefs_port(s);
	char options[32] = "", host[64];

	snprintf(host, sizeof host, "%s%s%s", v6 ? "[" : "", ready->addr,
	    v6 ? "]" : "");
	/* On the usual port the usual line does. */
	if (port != 2049)
		snprintf(options, sizeof options, "-o vers=4.2,port=%d ",
		    port);
	fprintf(stderr, "pinefs: serving %s on %s:%d (NFS 2 3 4.0 4.1 4.2)\n"
	    "mount it:  sudo mount -t nfs %s%s:%s /mnt\n", ready->what, host,
	    port, options, host, ready->several ? "/" : ready->path);
	if (ready->several)
		fprintf(stderr, "or one:    sudo mount -t nfs %s%s:%s /mnt\n",
		    options, host, ready->path);
	fprintf(stderr, "           macOS, not verified: mount_nfs "
	    "-o vers=3,tcp,port=%d,mountport=%d,locallocks %s:%s DIR\n",
	    port, port, host, ready->path);
	fflush(stderr);
	if (ready->fd != -1) {
		if (write(ready->fd, "\n", 1) == -1)
			log_warning("--ready-fd %d: %s", ready->fd,
			    strerror(errno));
		close(ready->fd);
	}
}

int
cli_serve(struct pinefs_server *s, const struct cli_ready *ready)
{
	sigset_t ends;
	int err, sig;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	if ((err = pinefs_start(s)) != 0)
		return status_of(err);
	say_ready(s, ready);
	sigwait(&ends, &sig);
	pinefs_stop(s, DRAIN_MS);
	return 0;
}

/* ----------------------------------------------------------- pinefs_main -- */

struct run {
	struct pinefs_server	*server;
	struct cli_ready	 ready;
	bool			 done;		/* --help, --version */
};

static int
set_mount_options(struct pinefs_server *s, const char *list)
{
	if (strcmp(list, "ro") == 0)
		return pinefs_set(s, "ro", "yes");
	if (strcmp(list, "rw") == 0)
		return pinefs_set(s, "ro", "no");
	log_error("-o %s: only ro and rw are known", list);
	return EINVAL;
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

static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	struct run *run = ctx;

	if (strcmp(row->name, "help") == 0) {
		cli_help("usage: this program [options]\n", NULL,
		    cli_serve_rows);
		run->done = true;
	} else if (strcmp(row->name, "version") == 0) {
		printf("pinefs %s\n", pinefs_version());
		run->done = true;
	} else if (strcmp(row->name, "ready-fd") == 0) {
		return cli_number(row->name, arg, &run->ready.fd);
	} else if (row->option == NULL) {
		return set_mount_options(run->server, arg) == 0 ? 0 :
		    EXIT_USAGE;
	} else {
		if (strcmp(row->name, "addr") == 0 && run->ready.addr == NULL)
			run->ready.addr = arg;
		return pinefs_set(run->server, row->option,
		    row->value != NULL ? row->value : arg) == 0 ? 0 :
		    EXIT_USAGE;
	}
	return 0;
}

int
pinefs_main(struct pinefs *fs, int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash == NULL ? argv[0] : slash + 1;
	struct run run = { .ready = { .what = name, .path = "/", .fd = -1 } };
	int status, rest;

	if (pinefs_server_new(&run.server) != 0)
		return EXIT_OSERR;
	pinefs_set(run.server, "instance", name);
	status = cli_parse(NULL, cli_serve_rows, argc, argv, take, &run,
	    &rest);
	if (status == 0 && !run.done && rest < argc) {
		log_error("'%s' is not understood; try --help", argv[rest]);
		status = EXIT_USAGE;
	}
	if (status == 0 && !run.done) {
		if (run.ready.addr == NULL)
			run.ready.addr = "127.0.0.1";
		if (pinefs_export(run.server, "/", fs) != 0)
			status = EXIT_OSERR;
		else
			status = cli_serve(run.server, &run.ready);
	}
	if (pinefs_stop(run.server, 0) == 0)
		pinefs_free(fs);	/* else a call may still be in it */
	pinefs_server_free(run.server);
	return status;
}
