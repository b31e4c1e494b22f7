/*
 * pinefs: the program.  The files of this room:
 *
 *	main.c		the command line, and serving it (this one)
 *	exports.c	what -f says is to be served
 *	py.c		-f py: run the user's own python3 with the module
 *
 * Options of every server are in server/cli.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "pinefs/exports.h"
#include "pinefs/py.h"
#include "server/cli.h"

enum { MAX_SETTINGS = 128 };

/* The command line, taken apart. */
struct command {
	struct exports		 exports;	/* -f, --size, -o */
	struct py_command	 py;
	struct py_setting	 setting[MAX_SETTINGS];	/* for pinefs_set */
	unsigned		 n;
	int			 ready_fd;
	bool			 beside_py;	/* which may have failed */
	bool			 done;		/* --help, --version */
};

static const struct cli_row rows[] = {
	{ 'f', "fs", "TYPE[:NAME]", NULL, NULL,
	    "py (default), mem, tar or dir, as / or /NAME; again" },
	{ 0, "size", "N", NULL, NULL,
	    "mem, tar: bytes, 512M, 4G; like -o of the -f before" },
	{ 'm', "module", "MOD", NULL, NULL,
	    "py: run MOD as python3 -m does; the rest is its" },
	{ 0, "root", "DIR", NULL, NULL, NULL },
	{ 0, "cache-dir", "DIR", NULL, NULL, NULL },
	{ 0, "cache-max", "N", NULL, NULL,
	    "tar: mount below; keep there" },
	{ 0, "keep-open", NULL, NULL, NULL, NULL },
	{ 0, "dev", NULL, NULL, NULL, NULL },
	{ 0, "suid", NULL, NULL, NULL, NULL },
	{ 0, "ignore-zeros", NULL, NULL, NULL,
	    "tar: see pinefs(1)" },
	{ 0, "no-loop", NULL, NULL, NULL, NULL },
	{ 0, "code", NULL, "code", "yes",
	    "py: no prompt, until a signal; code can be written" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

static const char usage[] =
    "usage: pinefs [-f TYPE[:NAME] [--size N] [-o ro]]... [options]\n"
    "              [SCRIPT ARG... | -m MOD ARG... | ARCHIVE]\n"
    "Serve a running Python program, memory and archives as file systems over "
    "NFS.\n";

static int
keep(struct command *cmd, const char *name, const char *value)
{
	if (cmd->n == MAX_SETTINGS) {
		log_error("too many options");
		return EXIT_USAGE;
	}
	cmd->setting[cmd->n++] = (struct py_setting){ name, value };
	return 0;
}

static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	struct command *cmd = ctx;

	if (row->option != NULL)
		return keep(cmd, row->option, row->value != NULL ?
		    row->value : arg);
	if (strcmp(row->name, "fs") == 0) {
		return exports_add(&cmd->exports, arg);
	} else if (strcmp(row->name, "size") == 0) {
		return exports_size(&cmd->exports, arg);
	} else if (strcmp(row->name, "root") == 0) {
		return exports_root(&cmd->exports, arg);
	} else if (strcmp(row->name, "cache-dir") == 0) {
		cmd->exports.tar_config.cache_dir = arg;
	} else if (strcmp(row->name, "ignore-zeros") == 0) {
		cmd->exports.tar_config.ignore_zeros = true;
	} else if (strcmp(row->name, "cache-max") == 0) {
		return exports_cache_max(&cmd->exports, arg);
	} else if (strcmp(row->name, "keep-open") == 0) {
		cmd->exports.tar_config.keep_open = true;
	} else if (strcmp(row->name, "dev") == 0) {
		cmd->exports.tar_config.devices = true;
	} else if (strcmp(row->name, "suid") == 0) {
		cmd->exports.tar_config.setuid = true;
	} else if (strcmp(row->name, "module") == 0) {
		cmd->py.module = arg;
		return CLI_REST;
	} else if (strcmp(row->name, "no-loop") == 0) {
		cmd->py.no_loop = true;
	} else if (strcmp(row->name, "options") == 0) {
		return exports_option(&cmd->exports, arg);
	} else if (strcmp(row->name, "ready-fd") == 0) {
		return cli_number(row->name, arg, &cmd->ready_fd);
	} else if (strcmp(row->name, "help") == 0) {
		cli_help(usage, rows, cli_serve_rows);
		cmd->done = true;
	} else {
		printf("pinefs %s\n", pinefs_version());
		cmd->done = true;
	}
	return 0;
}

/* --------------------------------------------------------------- serving -- */

/*
 * Every option but those of single exports.  Whoever may not come to py may
 * not come to what was to be beside it.
 */
static int
set_options(const struct command *cmd, struct pinefs_server *server,
    const char **addr)
{
	char uids[32];
	unsigned i;

	for (i = 0; i < cmd->n; i++) {
		if (strcmp(cmd->setting[i].name, "addr") == 0 &&
		    *addr == NULL)
			*addr = cmd->setting[i].value;
		if (pinefs_set(server, cmd->setting[i].name,
		    cmd->setting[i].value) != 0)
			return EXIT_USAGE;
	}
	if (*addr == NULL)
		*addr = "127.0.0.1";
	if (!cmd->beside_py && !exports_are_private(&cmd->exports))
		return 0;
	snprintf(uids, sizeof uids, "0,%u", (unsigned)geteuid());
	return pinefs_set(server, "uids", uids) == 0 && (!cmd->beside_py ||
	    pinefs_set(server, "udp-changes-reserved", "yes") == 0) ? 0 :
	    EXIT_OSERR;
}

/* One with a name is an example of them all. */
static const char *
path_to_mount(const struct exports *xs)
{
	unsigned i;

	for (i = 0; i < xs->n; i++)
		if (xs->x[i].path[1] != '\0')
			return xs->x[i].path;
	return exports_tar(xs) != NULL && xs->archive == NULL && xs->n == 1 ?
	    "/ARCHIVE" : xs->x[0].path;
}

/* Without py. */
static int
serve(struct command *cmd)
{
	struct exports *xs = &cmd->exports;
	struct pinefs *fs[SERVER_MAX_EXPORTS];
	struct cli_ready ready = { .fd = cmd->ready_fd };
	struct pinefs_server *server;
	char *instance = exports_instance(xs), *what = NULL;
	unsigned n = 0, i;
	int status;

	if (pinefs_server_new(&server) != 0)
		return EXIT_OSERR;
	status = instance == NULL ||
	    pinefs_set(server, "instance", instance) != 0 ? EXIT_OSERR :
	    set_options(cmd, server, &ready.addr);
	if (status == 0 && ((n = exports_make(xs, server, fs)) == 0 ||
	    (what = exports_text(xs)) == NULL))
		status = EXIT_OSERR;
	if (status == 0) {
		ready.what = what;
		ready.path = path_to_mount(xs);
		ready.several = n > 1;
		status = cli_serve(server, &ready);
	}
	if (pinefs_stop(server, 0) != 0) {
		/* A call may still be in them: they go with the process. */
		xs->tar = NULL;
		n = 0;
	}
	pinefs_server_free(server);
	for (i = 0; i < n; i++)
		pinefs_free(fs[i]);
	free(instance);
	free(what);
	return status;
}

/* ------------------------------------------------------------------ main -- */

/* Become python3; returns if that fails. */
static int
run_python(struct command *cmd, char **args)
{
	cmd->py.setting = cmd->setting;
	cmd->py.nsettings = cmd->n;
	cmd->py.exports = &cmd->exports;
	cmd->py.ready_fd = cmd->ready_fd;
	cmd->py.args = args;
	return py_main(&cmd->py);
}

static int
run(struct command *cmd, char **args)
{
	const struct export *py = exports_py(&cmd->exports);
	int status;

	if (py == NULL && *args != NULL) {
		log_error("'%s' is not understood; try --help", *args);
		return EXIT_USAGE;
	}
	if (py == NULL && cmd->py.module != NULL) {
		log_error("-m %s: nothing here runs it; that is for -f py",
		    cmd->py.module);
		return EXIT_USAGE;
	}
	if (py != NULL) {
		status = run_python(cmd, args);
		if (status == EXIT_USAGE || cmd->exports.n == 1)
			return status;
		log_error("py at %s is not served; what else there is, is",
		    py->path);
		cmd->beside_py = true;
		exports_drop(&cmd->exports, py);
	}
	return serve(cmd);
}

/*
 * ARCHIVE may stand before options of ours; what follows a script or a module
 * is its own, and left in `rest`.
 */
static int
parse(struct command *cmd, int argc, char **argv, char ***rest)
{
	int status, n;

	do {
		status = cli_parse(rows, cli_serve_rows, argc, argv, take, cmd,
		    &n);
		argc -= n;
		argv += n;
	} while (status == 0 && *argv != NULL &&
	    exports_word(&cmd->exports, *argv));
	*rest = argv;
	return status;
}

int
main(int argc, char **argv)
{
	static struct command cmd = { .ready_fd = -1 };
	char **rest;
	int status;

	status = parse(&cmd, argc, argv, &rest);
	if (status == 0 && !cmd.done)
		status = exports_finish(&cmd.exports);
	if (status == 0 && !cmd.done)
		status = run(&cmd, rest);
	exports_fini(&cmd.exports);
	return status;
}
