/*
 * Options of every server, and the life of a program that is one.  See cli.h;
 * cli_parse.c reads the command line.
 */
#include "server/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "server/control.h"
#include "server/report.h"
#include "server/server.h"
#include "server/systemd.h"

enum { DRAIN_MS = 5000 };

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
	{ 0, "no-control", NULL, "control", "no",
	    "pinefs ls, stat, top and stop do not see it" },
	{ 0, "metrics", "WHERE", "metrics", NULL,
	    "OpenMetrics at 127.0.0.1:PORT or /PATH" },
	{ 0, "allow", "NET", "allow", NULL,
	    "who may come from elsewhere: 10.0.0.0/8 (again)" },
	{ 0, "local-auth", "peer|none", "local-auth", NULL,
	    "peer: ask who owns a local client's socket" },
	{ 0, "squash", "none|root|all", "squash", NULL,
	    "these become the anonymous user; root" },
	{ 0, "no-delegations", NULL, "delegations", "no",
	    "promise v4 clients nothing about files" },
	{ 0, "lease", "SECONDS", "lease", NULL,
	    "silence of a v4 client; 60" },
	{ 0, "threads", "N", "threads", NULL,
	    "event loops; one per core" },
	{ 0, "state-dir", "DIR", "state-dir", NULL,
	    "where the key of handles is kept; none: nowhere" },
	{ 'o', "options", "LIST", NULL, NULL,
	    "words of exports(5): ro, rw, all_squash, ..." },
	{ 0, "log", "error|warning|info|debug", "log", NULL,
	    "how much is said; info" },
	{ 0, "log-format", "text|json|journal", "log-format", NULL,
	    "how it is said; journal: to systemd's" },
	{ 0, "color", "auto|always|never", "color", NULL,
	    "auto: on a terminal, unless $NO_COLOR" },
	{ 'q', "quiet", NULL, NULL, NULL,
	    "do not say what is served, and how to mount it" },
	{ 0, "ready-fd", "FD", NULL, NULL,
	    "write a newline there when it serves" },
	{ 'h', "help", NULL, NULL, NULL, "this" },
	{ 'V', "version", NULL, NULL, NULL, "the version" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

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

int
cli_ready_fd(const char *text, int *fd)
{
	int n, status = cli_number("ready-fd", text, &n);

	if (status != 0)
		return status;
	if (fcntl(n, F_SETFD, FD_CLOEXEC) == -1) {
		log_error("--ready-fd %d: %s", n, strerror(errno));
		return EXIT_USAGE;
	}
	*fd = n;
	return 0;
}

void
cli_standard_files(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) != -1)
		if (fd > STDERR_FILENO) {
			close(fd);
			return;
		}
}

/* The block for a person who has just started it. */
static void
say_how_to_mount(const struct pinefs_server *s, const struct cli_ready *ready)
{
	/* The first of those it listens on, which may have come to it. */
	const char *addr = s->opt.naddr > 0 ? s->opt.addr[0] : ready->addr;
	bool v6 = strchr(addr, ':') != NULL;
	int port = pinefs_port(s);
	char options[32] = "", host[64];

	snprintf(host, sizeof host, "%s%s%s", v6 ? "[" : "", addr,
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
}

static void
say_ready(const struct pinefs_server *s, const struct cli_ready *ready)
{
	if (!ready->quiet && log_is_text())
		say_how_to_mount(s, ready);
	if (ready->fd != -1) {
		if (write(ready->fd, "\n", 1) == -1)
			log_warning("--ready-fd %d: %s", ready->fd,
			    strerror(errno));
		close(ready->fd);
		cli_standard_files();	/* if it was one of them */
	}
}

/* By nohup(1): it would come all the same to who waits for it. */
static bool
is_ignored(int sig)
{
	struct sigaction a;

	return sigaction(sig, NULL, &a) == 0 && a.sa_handler == SIG_IGN;
}

/* With what a manager wants to hear around it, see sd_notify(3). */
static void
reread(const struct cli_ready *ready)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	systemd_notify("RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)ts.tv_sec * 1000000 +
	    (unsigned long long)ts.tv_nsec / 1000);
	ready->reread(ready->reread_arg);
	systemd_notify("READY=1");
}

/* False: it is one that ends us. */
static bool
heed(struct pinefs_server *s, const struct cli_ready *ready, int sig)
{
	if (sig == SIGUSR1) {
		report_log(s);
		control_look(s);
	} else if (sig == SIGHUP && ready->reread != NULL) {
		reread(ready);
	} else {
		return false;
	}
	return true;
}

int
cli_serve(struct pinefs_server *s, const struct cli_ready *ready)
{
	sigset_t ends;
	int err, sig = 0;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	if (ready->reread != NULL || !is_ignored(SIGHUP))
		sigaddset(&ends, SIGHUP);
	sigaddset(&ends, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	pinefs_set(s, "systemd", "yes");
	if ((err = pinefs_start(s)) != 0)
		return status_of(err);
	say_ready(s, ready);
	while (sigwait(&ends, &sig) == 0 && heed(s, ready, sig))
		;
	pinefs_stop(s, DRAIN_MS);
	return 0;
}

/* ----------------------------------------------------------- pinefs_main -- */

struct run {
	struct cli_settings	 settings;
	struct cli_ready	 ready;
	const char		*options;	/* -o */
	bool			 options_variable;	/* is of the environment */
	bool			 environment;	/* it is read now */
	bool			 done;		/* --help, --version */
};

static int
set_mount_options(struct pinefs_server *s, const char *list,
    bool environment)
{
	if (strcmp(list, "ro") == 0)
		return pinefs_set(s, "ro", "yes");
	if (strcmp(list, "rw") == 0)
		return pinefs_set(s, "ro", "no");
	if (environment)
		return 0;	/* meant for pinefs(1), and nothing here */
	log_error("-o %s: only ro and rw are known", list);
	return EINVAL;
}

static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	struct run *run = ctx;

	if (strcmp(row->name, "help") == 0) {
		cli_help("usage: this program [options]\n",
		    &(struct cli_syntax){ .serve = cli_serve_rows });
		run->done = true;
	} else if (strcmp(row->name, "version") == 0) {
		printf("pinefs %s\n", pinefs_version());
		run->done = true;
	} else if (strcmp(row->name, "ready-fd") == 0) {
		return cli_ready_fd(arg, &run->ready.fd);
	} else if (strcmp(row->name, "quiet") == 0) {
		run->ready.quiet = true;
	} else if (row->option == NULL) {
		run->options = arg;
		run->options_variable = run->environment;
	} else {
		return cli_keep(&run->settings, row->option,
		    row->value != NULL ? row->value : arg, run->environment);
	}
	return 0;
}

static int
parse_main(struct run *run, int argc, char **argv)
{
	const struct cli_syntax syntax = { .serve = cli_serve_rows,
	    .fn = take, .ctx = run };
	int status, rest = 0;

	run->environment = true;
	status = cli_environment(&syntax);
	run->environment = false;
	if (status == 0)
		status = cli_parse(&syntax, argc, argv, &rest);
	if (status == 0 && !run->done && rest < argc) {
		log_error("'%s' is not understood; try --help", argv[rest]);
		status = EXIT_USAGE;
	}
	return status;
}

static int
serve_main(struct pinefs_server *server, struct pinefs *fs, struct run *run)
{
	unsigned i;

	for (i = 0; i < run->settings.n; i++)
		if (pinefs_set(server, run->settings.v[i].name,
		    run->settings.v[i].value) != 0) {
			cli_blame(&run->settings.v[i]);
			return EXIT_USAGE;
		}
	if (run->options != NULL &&
	    set_mount_options(server, run->options,
	    run->options_variable) != 0)
		return EXIT_USAGE;
	run->ready.addr = cli_setting(&run->settings, "addr");
	if (run->ready.addr == NULL)
		run->ready.addr = "127.0.0.1";
	return pinefs_export(server, "/", fs) != 0 ? EXIT_OSERR :
	    cli_serve(server, &run->ready);
}

int
pinefs_main(struct pinefs *fs, int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash == NULL ? argv[0] : slash + 1;
	struct run run = { .ready = { .what = name, .path = "/", .fd = -1 } };
	struct pinefs_server *server;
	int status;

	cli_standard_files();
	if (pinefs_server_new(&server) != 0)
		return EXIT_OSERR;
	pinefs_set(server, "instance", name);
	pinefs_set(server, "control", "yes");
	status = parse_main(&run, argc, argv);
	if (status == 0 && !run.done)
		status = serve_main(server, fs, &run);
	if (pinefs_stop(server, 0) == 0)
		pinefs_free(fs);	/* else a call may still be in it */
	pinefs_server_free(server);
	return status;
}
