/*
 * The server behind a mount: one that runs already, or a child that is
 * `pinefs serve` on a free port.  A child is in a process group of its own, so
 * that Ctrl-C comes to us, who unmount first.  It is not told to end with us:
 * if we are killed its mounts go on, and pinefs umount ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "pinefs/mount.h"
#include "server/cli.h"
#include "server/rundir.h"

enum { END_MS = 10000, LEFT_MS = 10, LEFT_TRIES = 500 };

static char *
word(const char *text)
{
	return (char *)(uintptr_t)text;		/* exec takes it so */
}

void
server_fini(struct mount_server *s)
{
	free(s->record.json);
	s->record.json = NULL;
	if (s->pidfd != -1)
		close(s->pidfd);
	s->pidfd = -1;
}

void
server_reap(struct mount_server *s)
{
	struct pollfd p = { s->pidfd, POLLIN, 0 };

	if (s->child == 0 || poll(&p, 1, 0) != 1)
		return;		/* it goes on, for another mount */
	while (waitpid(s->child, NULL, 0) == -1 && errno == EINTR)
		;
	s->child = 0;
}

/* ----------------------------------------------------------------- finding */

int
mount_no_run_directory(int err)
{
	char path[PATH_MAX];

	if (rundir_path(path) != 0)
		strcpy(path, "the run directory");
	log_error("%s cannot be used: %s\ntry: XDG_RUNTIME_DIR=DIR, of a "
	    "directory that is yours alone", path, err == EPERM ?
	    "it is not yours alone" : strerror(err));
	return err == EPERM || err == EACCES ? EXIT_NOPERM : EXIT_OSERR;
}

typedef bool record_fn(const struct control_record *, const void *arg);

/* The first one that runs and that `fn` likes; its json is the caller's. */
static int
search(record_fn *fn, const void *arg, struct control_record *to, bool *found)
{
	struct control_record *list;
	unsigned n, i;
	int err = control_list(&list, &n);

	*found = false;
	if (err != 0)
		return mount_no_run_directory(err);
	for (i = 0; i < n && !*found; i++) {
		if (!list[i].alive || !fn(&list[i], arg))
			continue;
		*to = list[i];
		list[i].json = NULL;
		*found = true;
	}
	control_list_free(list, n);
	return 0;
}

static bool
is_process(const struct control_record *r, const void *arg)
{
	return r->pid == *(const pid_t *)arg;
}

static bool
is_source(const struct control_record *r, const void *arg)
{
	char text[sizeof ((struct mount_source *)0)->name];

	return json_get_text(json_find(r->json, "source"), text,
	    sizeof text) && strcmp(text, arg) == 0;
}

int
server_find(const struct mount_source *source, struct mount_server *s,
    bool *found)
{
	int status = 0;

	*s = (struct mount_server){ .pidfd = -1 };
	*found = false;
	if (source->pid != 0)
		status = search(is_process, &source->pid, &s->record, found);
	else if (source->name[0] != '\0')
		status = search(is_source, source->name, &s->record, found);
	if (status == 0 && source->pid != 0 && !*found) {
		log_error("process %ld serves nothing that is yours\n"
		    "try: pinefs ls; or pinefs.serve() in that program",
		    (long)source->pid);
		status = EXIT_UNAVAILABLE;
	}
	if (*found)
		s->pidfd = (int)syscall(SYS_pidfd_open, s->record.pid, 0);
	return status;
}

/* ---------------------------------------------------------------- starting */

/* In the child; argv has room for what is said here at its end. */
static void
become_server(char **argv, int ready, bool prompt)
{
	sigset_t none;
	int null;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGINT, SIG_DFL);
	if (!prompt) {
		(void)setpgid(0, 0);
		if ((null = open("/dev/null", O_RDWR)) != -1)
			(void)dup2(null, 0);
	}
	(void)fcntl(ready, F_SETFD, 0);
	(void)execv("/proc/self/exe", argv);
	log_error("/proc/self/exe: %s\ntry: mount /proc", strerror(errno));
	_exit(EXIT_OSERR);
}

/* A newline, or the end: a status. */
static int
await_ready(int fd, struct mount_server *s)
{
	int signals = mount_signals(), status;
	struct pollfd p[2] = { { fd, POLLIN, 0 }, { signals, POLLIN, 0 } };
	char c = '\0';

	while (poll(p, 2, -1) == -1 && errno == EINTR)
		;
	close(signals);
	if (p[0].revents != 0 && read(fd, &c, 1) == 1 && c == '\n')
		return 0;
	if (p[0].revents == 0)
		(void)kill(s->child, SIGTERM);
	while (waitpid(s->child, &status, 0) == -1 && errno == EINTR)
		;
	s->child = 0;
	if (p[0].revents == 0)
		return EXIT_UNAVAILABLE;
	/* It has said why. */
	return WIFEXITED(status) && WEXITSTATUS(status) != 0 ?
	    WEXITSTATUS(status) : EXIT_OSERR;
}

static int
take_record(const struct mount_source *source, struct mount_server *s)
{
	bool found = false;
	int status = search(is_process, &s->child, &s->record, &found);

	if (status == 0 && !found)
		status = mount_no_run_directory(ENOENT);
	if (status != 0) {
		(void)kill(s->child, SIGTERM);
		while (waitpid(s->child, NULL, 0) == -1 && errno == EINTR)
			;
		s->child = 0;
		return status;
	}
	if (source->name[0] != '\0')
		server_tell(&s->record, "source", "source", source->name);
	else
		server_tell(&s->record, "source", "source", source->fs);
	return 0;
}

int
server_start(const struct mount_source *source, char **argv, bool prompt,
    struct mount_server *s)
{
	int ready[2], dir, status, err;

	*s = (struct mount_server){ .pidfd = -1 };
	if ((err = rundir_open(true, NULL, &dir)) != 0)
		return mount_no_run_directory(err);
	close(dir);
	if (pipe2(ready, O_CLOEXEC) == -1)
		return EXIT_OSERR;
	/* Where serve_argv has left room for it. */
	sprintf(argv[SERVE_READY_FD], "%d", ready[1]);
	if ((s->child = fork()) == 0)
		become_server(argv, ready[1], prompt);
	close(ready[1]);
	if (s->child == -1) {
		log_error("fork: %s\ntry: later, or fewer processes",
		    strerror(errno));
		close(ready[0]);
		return EXIT_OSERR;
	}
	s->pidfd = (int)syscall(SYS_pidfd_open, s->child, 0);
	status = await_ready(ready[0], s);
	close(ready[0]);
	return status != 0 ? status : take_record(source, s);
}

/* ----------------------------------------------------------------- talking */

void
server_tell(const struct control_record *r, const char *request,
    const char *key, const char *value)
{
	struct json j = { 0 };
	char *line = NULL;
	FILE *f;

	json_begin(&j);
	json_string(&j, key, value);
	json_end(&j);
	if (!j.bad && asprintf(&line, "%s %.*s", request, (int)j.len - 1,
	    j.text) != -1 && (f = control_ask(r, line)) != NULL) {
		while (getc(f) != EOF)	/* it is done when it has answered */
			;
		fclose(f);
	}
	free(line);
	json_free(&j);
}

static bool
has_text(const char *json, const char *key)
{
	char text[8];

	return json_get_text(json_find(json, key), text, sizeof text) &&
	    text[0] != '\0';
}

bool
server_unmounted(const struct control_record *r, const char *dir)
{
	struct control_record now;
	bool found, ends;

	server_tell(r, "unmounted", "dir", dir);
	if (search(is_process, &r->pid, &now, &found) != 0 || !found)
		return false;
	ends = has_text(now.json, "source") &&
	    json_first(json_find(now.json, "mounts")) == NULL;
	free(now.json);
	return ends;
}

unsigned
server_connections(const struct control_record *r)
{
	FILE *f = control_ask(r, "stat");
	char *line = NULL, type[16];
	size_t size = 0;
	unsigned n = 0;

	if (f == NULL)
		return 0;
	while (getline(&line, &size, f) != -1)
		if (json_get_text(json_find(line, "type"), type,
		    sizeof type) && strcmp(type, "counters") == 0)
			n = (unsigned)json_get_uint(json_find(line,
			    "connections"));
	free(line);
	fclose(f);
	return n;
}

bool
server_is_left(const struct control_record *r)
{
	unsigned i;

	for (i = 0; i < LEFT_TRIES; i++) {
		if (server_connections(r) == 0)
			return true;
		(void)poll(NULL, 0, LEFT_MS);
	}
	return false;
}

bool
server_stop(const struct control_record *r)
{
	int pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	struct pollfd p = { pidfd, POLLIN, 0 };
	FILE *f = control_ask(r, "stop");
	bool gone;

	if (f != NULL) {
		while (getc(f) != EOF)
			;
		fclose(f);
	}
	gone = pidfd == -1 || poll(&p, 1, END_MS) == 1;
	if (pidfd != -1)
		close(pidfd);
	return gone;
}

/* ----------------------------------------------------------- in its place */

static void
become_stand_in(const char *addr, uint16_t port, int ready)
{
	char fd[SERVE_READY_ROOM], number[8];
	char *argv[] = { word("pinefs"), word("serve"), word("--ready-fd"), fd,
	    word("-f"), word("mem"), word("--size"), word("1M"),
	    word("--addr"), word(addr), word("--port"), number,
	    word("--mount-port"), word("0"), word("--no-portmap"),
	    word("--no-control"), word("--state-dir"), word("none"),
	    word("--tcp"), word("--quiet"), NULL };
	int null = open("/dev/null", O_RDWR);

	sprintf(fd, "%d", ready);
	sprintf(number, "%u", (unsigned)port);
	if (null != -1)
		(void)dup2(null, 2);	/* a busy port is no news here */
	become_server(argv, ready, false);
}

pid_t
server_stand_in(const char *addr, uint16_t port)
{
	struct mount_server s = { .pidfd = -1 };
	int ready[2];

	if (pipe2(ready, O_CLOEXEC) == -1)
		return 0;
	if ((s.child = fork()) == 0)
		become_stand_in(addr, port, ready[1]);
	close(ready[1]);
	if (s.child == -1 || await_ready(ready[0], &s) != 0)
		s.child = 0;
	close(ready[0]);
	return s.child;
}

void
server_stand_down(pid_t pid)
{
	if (pid == 0)
		return;
	(void)kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}
