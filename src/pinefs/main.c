/*
 * pinefs: the program.  The files of this room:
 *
 *	main.c	what to serve, and with which options (this one)
 *	py.c	-f py: run the user's own python3 with the module
 *
 * Options of every server are in server/cli.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "fs/memfs.h"
#include "pinefs/py.h"
#include "server/cli.h"

enum { MAX_SETTINGS = 128 };

/* The command line, taken apart. */
struct command {
	const char		*type;		/* -f */
	const char		*size;
	struct py_command	 py;
	struct py_setting	 setting[MAX_SETTINGS];	/* for pinefs_set */
	unsigned		 n;
	int			 ready_fd;
	bool			 done;		/* --help, --version */
};

static const struct cli_row rows[] = {
	{ 'f', "fs", "TYPE", NULL, NULL, "py (default) or mem" },
	{ 0, "size", "N", NULL, NULL,
	    "mem: limit in bytes, or 512M, 4G; half of the memory" },
	{ 'm', "module", "MOD", NULL, NULL, "py: run MOD as python3 -m does" },
	{ 0, "no-loop", NULL, NULL, NULL,
	    "py: no prompt; serve until a signal" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

static const char usage[] =
    "usage: pinefs [-f py] [options] [SCRIPT ARG... | -m MOD ARG...]\n"
    "       pinefs -f mem [options]\n"
    "Serve a running Python program, or memory, as a file system over NFS.\n";

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
take_option(struct command *cmd, const char *list)
{
	if (strcmp(list, "ro") == 0 || strcmp(list, "rw") == 0)
		return keep(cmd, "ro", list[1] == 'o' ? "yes" : "no");
	log_error("-o %s: only ro and rw are known", list);
	return EXIT_USAGE;
}

static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	struct command *cmd = ctx;

	if (row->option != NULL)
		return keep(cmd, row->option, row->value != NULL ?
		    row->value : arg);
	if (strcmp(row->name, "fs") == 0) {
		cmd->type = arg;
	} else if (strcmp(row->name, "size") == 0) {
		cmd->size = arg;
	} else if (strcmp(row->name, "module") == 0) {
		cmd->py.module = arg;
	} else if (strcmp(row->name, "no-loop") == 0) {
		cmd->py.no_loop = true;
	} else if (strcmp(row->name, "options") == 0) {
		return take_option(cmd, arg);
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

/* ------------------------------------------------------------------- mem -- */

/* "4G" in bytes; 0 when it is none. */
static uint64_t
bytes(const char *text)
{
	static const char units[] = "KMGT";
	const char *unit;
	unsigned long long n;
	char *end;
	unsigned shift = 0;

	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9')
		return 0;
	if (*end != '\0') {
		unit = strchr(units, *end);
		if (unit == NULL || end[1] != '\0')
			return 0;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	return n > UINT64_MAX >> shift ? 0 : (uint64_t)n << shift;
}

static uint64_t
half_of_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages <= 0 || size <= 0 ? (uint64_t)1 << 30 :
	    (uint64_t)pages * (uint64_t)size / 2;
}

static int
serve_memory(const struct command *cmd)
{
	uint64_t size = cmd->size == NULL ? half_of_memory() :
	    bytes(cmd->size);
	const char *addr = "127.0.0.1";
	struct pinefs_server *server;
	struct pinefs *fs;
	int status = 0;
	unsigned i;

	if (size == 0) {
		log_error("--size %s: not a number of bytes like 512M",
		    cmd->size);
		return EXIT_USAGE;
	}
	if (pinefs_server_new(&server) != 0)
		return EXIT_OSERR;
	pinefs_set(server, "instance", "mem");
	for (i = 0; i < cmd->n && status == 0; i++) {
		if (strcmp(cmd->setting[i].name, "addr") == 0)
			addr = cmd->setting[i].value;
		if (pinefs_set(server, cmd->setting[i].name,
		    cmd->setting[i].value) != 0)
			status = EXIT_USAGE;
	}
	fs = memfs_new(size, 0);
	if (status == 0 && (fs == NULL || pinefs_export(server, "/", fs) != 0))
		status = EXIT_OSERR;
	if (status == 0)
		status = cli_serve(server, "mem", addr, cmd->ready_fd);
	pinefs_server_free(server);
	pinefs_free(fs);
	return status;
}

/* ------------------------------------------------------------------ main -- */

int
main(int argc, char **argv)
{
	struct command cmd = { .type = "py", .ready_fd = -1 };
	int rest, status;

	status = cli_parse(rows, cli_serve_rows, argc, argv, take, &cmd,
	    &rest);
	if (status != 0 || cmd.done)
		return status;
	if (strcmp(cmd.type, "py") == 0) {
		cmd.py.setting = cmd.setting;
		cmd.py.nsettings = cmd.n;
		cmd.py.ready_fd = cmd.ready_fd;
		cmd.py.args = argv + rest;
		return py_main(&cmd.py);
	}
	if (strcmp(cmd.type, "mem") != 0) {
		log_error("-f %s: not a file system of ours; py or mem",
		    cmd.type);
		return EXIT_USAGE;
	}
	if (rest < argc) {
		log_error("'%s' is not understood; try --help", argv[rest]);
		return EXIT_USAGE;
	}
	return serve_memory(&cmd);
}
