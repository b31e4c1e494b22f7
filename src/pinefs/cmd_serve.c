/*
 * pinefs serve: what is to be served, by exports.c, or by python3 (py.c).
 * Options of every server are in server/cli.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "pinefs/commands.h"
#include "pinefs/exports.h"
#include "pinefs/py.h"
#include "server/cli.h"

/* The command line, taken apart. */
struct serving {
	struct exports		 exports;	/* -f, --size, -o */
	struct py_command	 py;
	struct cli_settings	 settings;	/* for pinefs_set */
	int			 ready_fd;
	/* What the environment says: it is read now; -f; --root. */
	bool			 environment;
	const char		*fs_variable;
	bool			 root_variable;
	bool			 quiet;
	bool			 beside_py;	/* which may have failed */
	bool			 done;		/* --help, --version */
};

const struct cli_row cmd_serve_rows[] = {
	{ 'f', "fs", "TYPE[:NAME]", NULL, NULL,
	    "py (default), mem, tar or dir, as / or /NAME; again" },
	{ 0, "exports", "FILE", NULL, NULL,
	    "directories and their clients, as in exports(5)" },
	{ 0, "size", "N", NULL, NULL,
	    "mem, tar: bytes, 512M, 4G; like -o of the -f before" },
	{ 'm', "module", "MOD", NULL, NULL,
	    "py: run MOD as python3 -m does; the rest is its" },
	{ 0, "root", "DIR", NULL, NULL,
	    "tar: archives below it may be mounted (again); ." },
	{ 0, "cache-dir", "DIR", NULL, NULL,
	    "tar: where indexes and decoded archives are kept" },
	{ 0, "cache-max", "N", NULL, NULL, "tar: bytes there; 8G" },
	{ 0, "keep-open", NULL, NULL, NULL,
	    "tar: serve on what was replaced by another file" },
	{ 0, "dev", NULL, NULL, NULL, "tar: show device nodes" },
	{ 0, "suid", NULL, NULL, NULL, "tar: show set-user-id bits" },
	{ 0, "ignore-zeros", NULL, NULL, NULL,
	    "tar: go on behind the end of an archive" },
	{ 0, "no-loop", NULL, NULL, NULL,
	    "py: no prompt, until a signal" },
	{ 0, "code", NULL, "code", "yes", "py: code can be written" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

/* What the environment said goes when the command line says it. */
static int
take_fs(struct serving *cmd, const char *arg)
{
	if (cmd->environment) {
		cmd->fs_variable = arg;
		return 0;
	}
	if (cmd->fs_variable != NULL) {
		exports_drop(&cmd->exports, &cmd->exports.x[0]);
		cmd->fs_variable = NULL;
	}
	return exports_add(&cmd->exports, arg);
}

static int
take_root(struct serving *cmd, const char *arg)
{
	if (!cmd->environment && cmd->root_variable)
		cmd->exports.nroots = 0;
	cmd->root_variable = cmd->environment;
	return exports_root(&cmd->exports, arg);
}

static int
take_size(struct serving *cmd, const char *arg)
{
	int status = exports_size(&cmd->exports, arg);

	/* It is for whatever has a size: py, which has none, may be served. */
	if (cmd->environment)
		cmd->exports.all.size_text = NULL;
	return status;
}

static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	struct serving *cmd = ctx;

	if (row->option != NULL)
		return cli_keep(&cmd->settings, row->option,
		    row->value != NULL ? row->value : arg, cmd->environment);
	if (strcmp(row->name, "fs") == 0) {
		return take_fs(cmd, arg);
	} else if (strcmp(row->name, "exports") == 0) {
		cmd->exports.file_name = arg;
	} else if (strcmp(row->name, "size") == 0) {
		return take_size(cmd, arg);
	} else if (strcmp(row->name, "root") == 0) {
		return take_root(cmd, arg);
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
		return cli_ready_fd(arg, &cmd->ready_fd);
	} else if (strcmp(row->name, "quiet") == 0) {
		cmd->quiet = cmd->py.quiet = true;
	} else if (strcmp(row->name, "help") == 0) {
		command_help(&cmd_serve);
		cmd->done = true;
	} else {
		printf("pinefs %s\n", pinefs_version());
		cmd->done = true;
	}
	return 0;
}

/* --------------------------------------------------------------- serving -- */

/* One that was for py, in the environment of whatever is served. */
static bool
is_for_py(const struct cli_setting *setting)
{
	return setting->environment && strcmp(setting->name, "code") == 0;
}

/*
 * Every option but those of single exports.  Whoever may not come to py may
 * not come to what was to be beside it.
 */
static int
set_options(const struct serving *cmd, struct pinefs_server *server,
    const char **addr)
{
	const struct cli_setting *v = cmd->settings.v;
	char uids[32];
	unsigned i;

	pinefs_set(server, "control", "yes");
	*addr = cli_setting(&cmd->settings, "addr");
	if (*addr == NULL)
		*addr = "127.0.0.1";
	for (i = 0; i < cmd->settings.n; i++)
		if (!is_for_py(&v[i]) &&
		    pinefs_set(server, v[i].name, v[i].value) != 0) {
			cli_blame(&v[i]);
			return EXIT_USAGE;
		}
	if (exports_say_who_may(&cmd->exports) &&
	    cli_setting(&cmd->settings, "allow") == NULL &&
	    (pinefs_set(server, "allow", "0.0.0.0/0") != 0 ||
	    pinefs_set(server, "allow", "::/0") != 0))
		return EXIT_OSERR;
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
	if (xs->n == 0)
		return exports_file_path(xs->file);
	return exports_tar(xs) != NULL && xs->archive == NULL && xs->n == 1 ?
	    "/ARCHIVE" : xs->x[0].path;
}

/* SIGHUP. */
static void
reread(void *arg)
{
	const struct exports *xs = arg;

	exports_file_reread(xs->file);
}

/* Without py. */
static int
serve(struct serving *cmd)
{
	struct exports *xs = &cmd->exports;
	struct pinefs *fs[SERVER_MAX_EXPORTS];
	struct cli_ready ready = { .fd = cmd->ready_fd,
	    .quiet = cmd->quiet };
	struct pinefs_server *server;
	char *instance = exports_instance(xs), *what = NULL;
	unsigned n = 0, i;
	int status;

	if (pinefs_server_new(&server) != 0)
		return EXIT_OSERR;
	status = instance == NULL ||
	    pinefs_set(server, "instance", instance) != 0 ? EXIT_OSERR :
	    set_options(cmd, server, &ready.addr);
	if (status == 0 && (((n = exports_make(xs, server, fs)) == 0 &&
	    xs->file == NULL) || (what = exports_text(xs)) == NULL))
		status = EXIT_OSERR;
	if (status == 0 && xs->file != NULL) {
		status = exports_file_serve(xs->file, server);
		ready.reread = reread;
		ready.reread_arg = xs;
	}
	if (status == 0) {
		pinefs_set(server, "what", what);
		ready.what = what;
		ready.path = path_to_mount(xs);
		ready.several = n > 1;
		status = cli_serve(server, &ready);
	}
	if (pinefs_stop(server, 0) != 0) {
		/* A call may still be in them: they go with the process. */
		xs->tar = NULL;
		if (xs->file != NULL)
			exports_file_abandon(xs->file);
		xs->file = NULL;
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
run_python(struct serving *cmd, char **args)
{
	cmd->py.settings = &cmd->settings;
	cmd->py.exports = &cmd->exports;
	cmd->py.ready_fd = cmd->ready_fd;
	cmd->py.args = args;
	return py_main(&cmd->py);
}

static int
run(struct serving *cmd, char **args)
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
parse(struct serving *cmd, int argc, char **argv, char ***rest)
{
	const struct cli_syntax syntax = { .own = cmd_serve_rows,
	    .serve = cli_serve_rows, .fn = take, .ctx = cmd };
	int status, n;

	cmd->environment = true;
	status = cli_environment(&syntax);
	cmd->environment = false;
	if (status == 0 && cmd->fs_variable != NULL &&
	    (status = exports_add(&cmd->exports, cmd->fs_variable)) != 0)
		log_error("that is what PINEFS_FS in the environment says: "
		    "unset it");
	*rest = argv;
	if (status != 0)
		return status;
	do {
		status = cli_parse(&syntax, argc, argv, &n);
		argc -= n;
		argv += n;
	} while (status == 0 && *argv != NULL &&
	    exports_word(&cmd->exports, *argv));
	*rest = argv;
	return status;
}

static int
serve_main(int argc, char **argv)
{
	static struct serving cmd = { .ready_fd = -1 };
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

const struct command cmd_serve = {
	.name = "serve",
	.operands = "[SCRIPT ARG... | -m MOD ARG... | ARCHIVE | DIR]",
	.summary = "serve it, until a signal (what pinefs does without a "
	    "command)",
	.rows = cmd_serve_rows,
	.serve_rows = cli_serve_rows,
	.more = "A script or an archive that is named like a command of "
	    "pinefs is ./NAME.\n"
	    "Each option is a variable as well: PINEFS_SIZE=1G. The command "
	    "line goes before.\n",
	.main = serve_main,
};
