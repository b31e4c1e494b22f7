/*
 * pinefs mount SRC DIR: serve it, mount it, and unmount it at the end.  The
 * parts are told in mount.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "pinefs/commands.h"
#include "pinefs/mount.h"

enum { MAX_ARGS = 4096 };

struct args {
	char		*v[MAX_ARGS + 1];
	unsigned	 n;
};

struct mounting {
	bool		 background;
	const char	*options;	/* -o */
	/* Options of serve, as they were said; its script's arguments. */
	struct args	 said;
	bool		 environment;	/* it is read now */
	bool		 has_port, has_mount_port, has_state_dir;
	char		**script_args;

	struct mount_source source;
	struct mount_target target;
	struct mount_server server;
	bool		 has_server;
	char		 dir[PATH_MAX], host[MOUNT_HOST];
	int		 ready;		/* to who waits for -d; -1: nobody */
};

/* Those without help are serve's, and mean nothing here. */
static const struct cli_row rows[] = {
	{ 'd', "background", NULL, NULL, NULL,
	    "return when it is mounted; pinefs umount ends it" },
	{ 'o', "options", "LIST", NULL, NULL,
	    "of the mount, as in nfs(5): ro, soft, vers=3" },
	{ 'f', "fs", "TYPE", NULL, NULL, NULL },
	{ 'm', "module", "MOD", NULL, NULL, NULL },
	{ 0, "root", "DIR", NULL, NULL, NULL },
	{ 0, "no-loop", NULL, NULL, NULL, NULL },
	{ 'q', "quiet", NULL, NULL, NULL, NULL },
	{ 0, "no-control", NULL, NULL, NULL, NULL },
	{ 0, "no-portmap", NULL, NULL, NULL, NULL },
	{ 't', "tcp", NULL, NULL, NULL, NULL },
	{ 0, "ready-fd", "FD", NULL, NULL, NULL },
	{ 'V', "version", NULL, NULL, NULL, NULL },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

/* ------------------------------------------------------------ command line */

static int
add(struct args *args, const char *text)
{
	if (args->n == MAX_ARGS) {
		log_error("more than %d arguments\ntry: fewer", MAX_ARGS);
		return EXIT_USAGE;
	}
	args->v[args->n++] = (char *)(uintptr_t)text;	/* exec takes it so */
	return 0;
}

/* An option of serve; the server has our environment, and reads it itself. */
static int
take_serve(struct mounting *m, const struct cli_row *row, const char *arg)
{
	char *name;
	int status;

	m->has_port |= strcmp(row->name, "port") == 0;
	m->has_mount_port |= strcmp(row->name, "mount-port") == 0;
	m->has_state_dir |= strcmp(row->name, "state-dir") == 0;
	if (m->environment)
		return 0;
	if (asprintf(&name, "--%s", row->name) == -1)
		return EXIT_OSERR;
	status = add(&m->said, name);
	return status != 0 || arg == NULL ? status : add(&m->said, arg);
}

/* PINEFS_OPTIONS is serve's: what an export may be used for. */
static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	struct mounting *m = ctx;

	if (strcmp(row->name, "background") == 0)
		m->background = true;
	else if (strcmp(row->name, "options") != 0)
		return take_serve(m, row, arg);
	else if (!m->environment)
		m->options = arg;
	return 0;
}

static int
parse(struct mounting *m, int argc, char **argv, const char **src,
    const char **dir)
{
	int status, rest;

	m->environment = true;
	status = command_environment(&cmd_mount, take, m);
	m->environment = false;
	if (status == 0)
		status = command_operands(&cmd_mount, argc, argv, take, m,
		    &rest);
	if (status != 0)
		return status;
	if (argc - rest < 2) {
		log_error("mount what, and where? As in pinefs mount mem: "
		    "DIR\ntry: pinefs help mount");
		return EXIT_USAGE;
	}
	*src = argv[rest];
	*dir = argv[rest + 1];
	m->script_args = argv + rest + 2;
	return 0;
}

/* ------------------------------------------------------------------ checks */

/* A dead mount must not be touched: left_clear has named it. */
static int
check_dir(struct mounting *m, const char *dir)
{
	struct mount_entry e;
	char path[PATH_MAX];
	struct stat st;
	int err = mounts_path(dir, path);

	if (err == 0 && mounts_find(path, &e) && mounts_is_nfs(&e)) {
		log_error("%s is mounted already, from port %u of %s\n"
		    "try: pinefs umount %s", path, (unsigned)e.port, e.addr,
		    path);
		return EXIT_UNAVAILABLE;
	}
	if (err == 0 && (realpath(dir, m->dir) == NULL ||
	    stat(m->dir, &st) == -1))
		err = errno;
	if (err == 0 && !S_ISDIR(st.st_mode))
		err = ENOTDIR;
	if (err == 0)
		return 0;
	log_error("%s: %s\ntry: %s", dir, strerror(err), err == ENOENT ?
	    "mkdir -p, and mount there" : "another directory");
	return err == EACCES ? EXIT_NOPERM : EXIT_NOINPUT;
}

/* What was said to a server that is not started here is not to get lost. */
static int
check_said(const struct mounting *m, const char *who, const char *instead)
{
	if (m->said.n == 0 && *m->script_args == NULL)
		return 0;
	log_error("%s: '%s' is for a server that is started here\ntry: %s",
	    who, m->said.n > 0 ? m->said.v[0] : *m->script_args, instead);
	return EXIT_USAGE;
}

static int
check_source(const struct mounting *m)
{
	const struct mount_source *s = &m->source;
	bool script = strcmp(s->type, "py") == 0 && s->path[0] != '\0';

	if (*m->script_args != NULL && !script) {
		log_error("'%s' is not understood: only a script has "
		    "arguments\ntry: pinefs help mount", *m->script_args);
		return EXIT_USAGE;
	}
	if (strcmp(s->type, "nfs") == 0 && check_said(m, s->host,
	    "without it; -o is for the mount") != 0)
		return EXIT_USAGE;
	if (m->background && strcmp(s->fs, "py") == 0 && !script &&
	    s->pid == 0) {
		log_error("py: has a prompt, and cannot be in the "
		    "background\ntry: pinefs mount py:SCRIPT DIR -d");
		return EXIT_USAGE;
	}
	if (m->options != NULL && strlen(m->options) > 1024) {
		log_error("-o: too long\ntry: pinefs help mount");
		return EXIT_USAGE;
	}
	return 0;
}

/* ------------------------------------------------------------------ server */

static bool
has_prompt(const struct mounting *m)
{
	return strcmp(m->source.type, "py") == 0 &&
	    m->source.path[0] == '\0' && m->source.pid == 0 &&
	    isatty(STDIN_FILENO);
}

static int
add_all(struct args *args, const char *const *words)
{
	int status = 0;

	while (status == 0 && *words != NULL)
		status = add(args, *words++);
	return status;
}

/* What every server of ours is told; handles need not outlive a mount. */
static int
add_ours(const struct mounting *m, struct args *args, const char *ready)
{
	const char *const first[] = { "pinefs", "serve", "--ready-fd", ready,
	    "--quiet", "--tcp", "--no-portmap", "-f", m->source.fs, NULL };
	static const char *const port[] = { "--port", "0", NULL };
	static const char *const mount_port[] = { "--mount-port", "0", NULL };
	static const char *const state_dir[] = { "--state-dir", "none", NULL };
	int status = add_all(args, first);

	if (status == 0 && !m->has_port)
		status = add_all(args, port);
	if (status == 0 && !m->has_mount_port)
		status = add_all(args, mount_port);
	if (status == 0 && !m->has_state_dir)
		status = add_all(args, state_dir);
	if (status == 0 && strcmp(m->source.type, "py") == 0 &&
	    m->source.path[0] == '\0' && !has_prompt(m))
		status = add(args, "--no-loop");
	return status;
}

/* Ours, then the user's, then what is served, and a script's own. */
static int
serve_args(const struct mounting *m, struct args *args, const char *ready)
{
	int status = add_ours(m, args, ready);

	if (status == 0)
		status = add_all(args, (const char *const *)m->said.v);
	if (status == 0 && m->source.path[0] != '\0')
		status = add(args, "--");
	if (status == 0 && m->source.path[0] != '\0')
		status = add(args, m->source.path);
	return status != 0 ? status : add_all(args,
	    (const char *const *)m->script_args);
}

/* One that runs, as it is. */
static int
join(const struct mounting *m)
{
	char what[128], who[64], instead[128];
	long pid = (long)m->server.record.pid;

	sprintf(who, "server %ld runs already", pid);
	sprintf(instead, "without it, or pinefs stop %ld first", pid);
	if (check_said(m, who, instead) != 0)
		return EXIT_USAGE;
	if (!json_get_text(json_find(m->server.record.json, "what"), what,
	    sizeof what))
		what[0] = '\0';
	log_info("server %ld serves %s already: it is mounted", pid, what);
	return 0;
}

static int
find_or_start(struct mounting *m)
{
	static char ready[SERVE_READY_ROOM];
	static struct args args;
	bool found;
	int status = server_find(&m->source, &m->server, &found);

	if (status != 0)
		return status;
	m->has_server = true;
	if (found)
		return join(m);
	(void)unsetenv("PINEFS_NO_CONTROL");
	status = serve_args(m, &args, ready);
	return status != 0 ? status :
	    server_start(&m->source, args.v, has_prompt(m), &m->server);
}

/* Where the kernel is to connect: an address, as it knows no names. */
static int
resolve(struct mounting *m)
{
	struct addrinfo *list, hints = { .ai_socktype = SOCK_STREAM };
	int err = getaddrinfo(m->source.host, NULL, &hints, &list);

	if (err != 0) {
		log_error("%s: %s\ntry: nfs://ADDRESS/PATH", m->source.host,
		    gai_strerror(err));
		return EXIT_UNAVAILABLE;
	}
	err = getnameinfo(list->ai_addr, list->ai_addrlen, m->host,
	    sizeof m->host, NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(list);
	return err == 0 ? 0 : EXIT_OSERR;
}

static void
aim(struct mounting *m)
{
	const char *json = m->server.record.json;

	if (m->has_server) {
		if (!json_get_text(json_find(json, "addr"), m->host,
		    sizeof m->host))
			strcpy(m->host, "127.0.0.1");
		m->source.port = (uint16_t)json_get_uint(json_find(json,
		    "port"));
		/* One that listens everywhere does so on loopback. */
		if (strcmp(m->host, "0.0.0.0") == 0)
			strcpy(m->host, "127.0.0.1");
		if (strcmp(m->host, "::") == 0)
			strcpy(m->host, "::1");
	}
	m->target = (struct mount_target){ .host = m->host,
	    .export = m->source.export, .dir = m->dir,
	    .port = m->source.port, .options = m->options,
	    /* The shell does not look at what close says, and that is where
	     * a value that is none is refused. */
	    .sync = strcmp(m->source.type, "py") == 0 };
}

/* ------------------------------------------------------------------- until */

/* Standard error goes on if it is a file: a log. */
static void
detach(void)
{
	int null = open("/dev/null", O_RDWR);
	struct stat st;

	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, 0);
	if (null == -1)
		return;
	(void)dup2(null, 0);
	(void)dup2(null, 1);
	if (fstat(2, &st) == -1 || !S_ISREG(st.st_mode))
		(void)dup2(null, 2);
	close(null);
}

static void
on_mounted(void *ctx)
{
	struct mounting *m = ctx;

	if (m->has_server)
		server_tell(&m->server.record, "mounted", "dir", m->dir);
	if (m->ready != -1) {
		detach();
		if (write(m->ready, "\n", 1) == -1) {
			/* Who waited is gone. */
		}
		close(m->ready);
		m->ready = -1;
	} else if (isatty(STDERR_FILENO)) {
		log_info("%s", has_prompt(m) ? "exit() unmounts it" :
		    "Ctrl-C unmounts it");
	}
}

/* The prompt comes back; what is left is done by a child. */
static void
on_behind(void *ctx)
{
	pid_t pid;

	(void)ctx;
	if ((pid = fork()) > 0)
		_exit(0);
	if (pid == 0)
		detach();
}

/*
 * Our server ends with its last mount, whoever made that.  `stays`: ours is
 * still there.
 */
static void
end(struct mounting *m, bool stays)
{
	const struct control_record *r = &m->server.record;

	if (!m->has_server)
		return;
	if (!stays && r->json != NULL && server_unmounted(r, m->dir) &&
	    !server_stop(r))
		log_warning("server %ld does not end\ntry: kill -9 %ld",
		    (long)r->pid, (long)r->pid);
	server_reap(&m->server);
	server_fini(&m->server);
}

static int
run(struct mounting *m)
{
	struct watch w = { .target = &m->target, .ready = on_mounted,
	    .behind = on_behind, .ctx = m, .prompt = has_prompt(m) };
	enum mount_way way;
	int status;

	close(mount_signals());		/* from here on they are blocked */
	status = strcmp(m->source.type, "nfs") == 0 ? resolve(m) :
	    find_or_start(m);
	if (status != 0)
		return status;
	aim(m);
	w.server = m->has_server ? &m->server : NULL;
	status = mount_it(&m->target, &way);
	if (status == 0) {
		w.waiting = way == MOUNT_BY_HAND;
		status = watch_mount(&w);
	}
	end(m, w.stays);
	return status;
}

/* The child goes on; we wait until it has mounted, or its end. */
static int
run_behind(struct mounting *m)
{
	int fds[2], status;
	pid_t pid;
	char c;

	if (pipe2(fds, O_CLOEXEC) == -1 || (pid = fork()) == -1) {
		log_error("fork: %s\ntry: without -d", strerror(errno));
		return EXIT_OSERR;
	}
	if (pid == 0) {
		close(fds[0]);
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		m->ready = fds[1];
		_exit(run(m));
	}
	close(fds[1]);
	(void)signal(SIGINT, SIG_IGN);		/* the child's, too */
	if (read(fds[0], &c, 1) == 1)
		return 0;
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_OSERR;
}

static int
mount_main(int argc, char **argv)
{
	static struct mounting m = { .ready = -1 };
	const char *src, *dir;
	int status;

	if ((status = parse(&m, argc, argv, &src, &dir)) != 0 ||
	    (status = source_parse(&m.source, src)) != 0 ||
	    (status = check_source(&m)) != 0)
		return status;
	left_clear();
	if ((status = check_dir(&m, dir)) != 0)
		return status;
	return m.background ? run_behind(&m) : run(&m);
}

const struct command cmd_mount = {
	.name = "mount",
	.operands = "SRC DIR [-- SCRIPT-ARG...]",
	.summary = "serve SRC, mount it on DIR, and unmount it on Ctrl-C",
	.rows = rows,
	.more_rows = cmd_serve_rows,
	.serve_rows = cli_serve_rows,
	.more_lines = mount_help,
	.main = mount_main,
};
