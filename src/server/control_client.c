/* The other end of a control socket.  See control_client.h. */
#include "server/control_client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "server/cli.h"
#include "server/rundir.h"

enum { RECORD_MAX = 1 << 20, ANSWER_S = 10 };

/* -------------------------------------------------------------- records -- */

static char *
read_record(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK);
	char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size <= RECORD_MAX &&
	    (text = malloc((size_t)st.st_size + 1)) != NULL) {
		n = read(fd, text, (size_t)st.st_size);
		text[n < 0 ? 0 : n] = '\0';
		if (!json_is_object(text)) {
			free(text);
			text = NULL;
		}
	}
	close(fd);
	return text;
}

/*
 * Is it the process that answers there?  Its socket, or an errno; EAGAIN, and
 * no waiting: it is stopped, and has a full backlog.
 */
static int
open_socket(int dir, pid_t pid, int *to)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0), err = 0;
	char name[RUNDIR_NAME];
	struct sockaddr_un sun;
	struct ucred who;
	socklen_t len;

	if (fd == -1)
		return errno;
	rundir_name(name, pid, ".sock");
	len = rundir_addr(dir, name, &sun);
	if (connect(fd, (struct sockaddr *)&sun, len) == -1)
		err = errno;
	len = sizeof who;
	if (err == 0 && (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who,
	    &len) == -1 || who.pid != pid))
		err = EPERM;
	if (err == 0 && fcntl(fd, F_SETFL, 0) == -1)
		err = errno;
	if (err != 0) {
		close(fd);
		return err;
	}
	*to = fd;
	return 0;
}

/* A full backlog is alive, too, and so is one in another PID namespace. */
static bool
is_alive(int dir, pid_t pid)
{
	int fd, err = open_socket(dir, pid, &fd);

	if (err == 0)
		close(fd);
	return err != ECONNREFUSED && err != ENOENT;
}

/* "4711.json": 4711, else 0. */
static pid_t
pid_of(const char *name)
{
	char *end;
	long pid = strtol(name, &end, 10);

	return *name >= '1' && *name <= '9' && strcmp(end, ".json") == 0 &&
	    pid <= INT_MAX ? (pid_t)pid : 0;
}

static int
add(struct control_record **list, unsigned *n, int dir, const char *name)
{
	struct control_record *more, r = { .pid = pid_of(name) };

	if (r.pid == 0 || (r.json = read_record(dir, name)) == NULL)
		return 0;
	more = realloc(*list, (*n + 1) * sizeof *more);
	if (more == NULL) {
		free(r.json);
		return ENOMEM;
	}
	r.alive = is_alive(dir, r.pid);
	*list = more;
	more[(*n)++] = r;
	return 0;
}

static int
by_pid(const void *a, const void *b)
{
	const struct control_record *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int
control_list(struct control_record **list, unsigned *n)
{
	struct dirent *e;
	int fd, err;
	DIR *d;

	*list = NULL;
	*n = 0;
	if ((err = rundir_open(false, NULL, &fd)) != 0)
		return err == ENOENT ? 0 : err;
	if ((d = fdopendir(fd)) == NULL) {
		err = errno;
		close(fd);
		return err;
	}
	while (err == 0 && (e = readdir(d)) != NULL)
		err = add(list, n, fd, e->d_name);
	closedir(d);
	if (err != 0) {
		control_list_free(*list, *n);
		*list = NULL;
		*n = 0;
	} else if (*n > 1) {
		qsort(*list, *n, sizeof **list, by_pid);
	}
	return err;
}

void
control_list_free(struct control_record *list, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		free(list[i].json);
	free(list);
}

void
control_forget(const struct control_record *r)
{
	char name[RUNDIR_NAME];
	int dir;

	if (rundir_open(false, NULL, &dir) != 0)
		return;
	if (is_alive(dir, r->pid)) {	/* another, of the same number */
		close(dir);
		return;
	}
	rundir_name(name, r->pid, ".sock");
	(void)unlinkat(dir, name, 0);
	rundir_name(name, r->pid, ".json");
	(void)unlinkat(dir, name, 0);
	close(dir);
}

/* -------------------------------------------------------------- finding -- */

static bool
has_mount(const char *json, const char *dir)
{
	const char *m = json_first(json_find(json, "mounts"));
	char text[PATH_MAX];

	for (; m != NULL; m = json_next(m))
		if (json_get_text(m, text, sizeof text) &&
		    strcmp(text, dir) == 0)
			return true;
	return false;
}

static bool
is_named(const struct control_record *r, const char *id)
{
	char text[64];

	if (id == NULL)
		return true;
	if (id[0] == ':')
		return json_get_uint(json_find(r->json, "port")) ==
		    strtoul(id + 1, NULL, 10);
	return (json_get_text(json_find(r->json, "id"), text, sizeof text) &&
	    strcmp(text, id) == 0) || has_mount(r->json, id);
}

static void
say_several(const struct control_record *list, unsigned n)
{
	char what[128], shown[256];
	unsigned i;

	log_error("several servers run: say which one by its id");
	for (i = 0; i < n; i++) {
		if (!list[i].alive || !json_get_text(json_find(list[i].json,
		    "what"), what, sizeof what))
			continue;
		log_error("  %ld: %s on port %u", (long)list[i].pid,
		    log_escape(shown, sizeof shown, what, strlen(what)),
		    (unsigned)json_get_uint(json_find(list[i].json, "port")));
	}
}

static int
say_none(const char *id)
{
	char path[PATH_MAX], shown[256];

	if (rundir_path(path) != 0)
		strcpy(path, "the run directory");
	if (id != NULL)
		log_error("no server of yours is named '%s'; pinefs ls "
		    "lists those that run", log_escape(shown, sizeof shown,
		    id, strlen(id)));
	else
		log_error("no server of yours runs (none is in %s); start "
		    "one with pinefs -f TYPE", path);
	return EXIT_UNAVAILABLE;
}

int
control_find(const char *id, struct control_record *found)
{
	struct control_record *list;
	unsigned n, i, at = 0, fit = 0;
	char path[PATH_MAX];
	int err;

	if ((err = control_list(&list, &n)) != 0) {
		(void)rundir_path(path);
		log_error("%s cannot be used: %s; it must be yours alone, "
		    "or set XDG_RUNTIME_DIR", path, strerror(err));
		return err == EPERM || err == EACCES ? EXIT_NOPERM :
		    EXIT_OSERR;
	}
	for (i = 0; i < n; i++) {
		if (!list[i].alive || !is_named(&list[i], id))
			continue;
		at = i;
		fit++;
	}
	if (fit == 1) {
		*found = list[at];
		list[at].json = NULL;
	} else if (fit > 1) {
		say_several(list, n);
	}
	control_list_free(list, n);
	return fit == 1 ? 0 : fit > 1 ? EXIT_USAGE : say_none(id);
}

/* Is it there, in a directory of another user? */
static bool
look_in(const char *path, pid_t pid, struct control_record *r)
{
	char name[RUNDIR_NAME];
	int dir;

	*r = (struct control_record){ .pid = pid };
	if (strlen(path) >= sizeof r->dir ||
	    rundir_open_other(path, &dir) != 0)
		return false;
	strcpy(r->dir, path);
	rundir_name(name, pid, ".json");
	r->alive = is_alive(dir, pid);
	r->json = r->alive ? read_record(dir, name) : NULL;
	close(dir);
	return r->json != NULL;
}

/* Only by its number, which is one server's in all of them. */
static bool
find_other(const char *id, struct control_record *found)
{
	static const char *const patterns[] = { "/run/user/*/pinefs",
	    "/run/pinefs-*/pinefs" };
	char name[RUNDIR_NAME];
	bool done = false;
	size_t i, k;
	glob_t g;

	snprintf(name, sizeof name, "%.16s.json", id);
	for (i = 0; i < sizeof patterns / sizeof patterns[0] && !done; i++) {
		if (glob(patterns[i], GLOB_NOSORT, NULL, &g) != 0)
			continue;
		for (k = 0; k < g.gl_pathc && !done; k++)
			done = look_in(g.gl_pathv[k], pid_of(name), found);
		globfree(&g);
	}
	return done;
}

/* Have we one of this number? */
static bool
is_our_own(const char *id)
{
	struct control_record *list;
	bool found = false;
	unsigned n, i;

	if (control_list(&list, &n) != 0)
		return false;
	for (i = 0; i < n; i++)
		found = found || (list[i].alive && is_named(&list[i], id));
	control_list_free(list, n);
	return found;
}

int
control_find_any(const char *id, struct control_record *found)
{
	char *end;

	if (id != NULL && geteuid() == 0 && strtol(id, &end, 10) > 0 &&
	    *end == '\0' && !is_our_own(id) && find_other(id, found))
		return 0;
	return control_find(id, found);
}

/* --------------------------------------------------------------- asking -- */

static int
send_line(int fd, const char *request)
{
	struct iovec iov[2] = {
		{ (void *)(uintptr_t)request, strlen(request) },
		{ (void *)(uintptr_t)"\n", 1 },
	};
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n = sendmsg(fd, &m, MSG_NOSIGNAL);

	/* Who has hung up may have said why. */
	if (n == -1 && errno == EPIPE)
		return 0;
	/* It is far shorter than what a new socket takes. */
	return n == -1 ? errno : (size_t)n < iov[0].iov_len + 1 ? EIO : 0;
}

static int
set_patience(int fd, time_t seconds)
{
	struct timeval most = { .tv_sec = seconds };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most)
	    == -1 ? errno : 0;
}

void
control_wait_on(FILE *f)
{
	(void)set_patience(fileno(f), 0);
}

FILE *
control_ask(const struct control_record *r, const char *request)
{
	int dir, fd, err;
	FILE *f;

	err = r->dir[0] == '\0' ? rundir_open(false, NULL, &dir) :
	    rundir_open_other(r->dir, &dir);
	if (err != 0) {
		errno = err;
		return NULL;
	}
	err = open_socket(dir, r->pid, &fd);
	close(dir);
	if (err == 0 && ((err = send_line(fd, request)) != 0 ||
	    (err = set_patience(fd, ANSWER_S)) != 0))
		close(fd);
	if (err != 0) {
		errno = err;
		return NULL;
	}
	if ((f = fdopen(fd, "r")) == NULL)
		close(fd);
	return f;
}
