/* The control socket: its thread, and who is connected.  See control.h. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/control_in.h"
#include "server/metrics.h"
#include "server/rundir.h"

enum { BACKLOG = 128, PATIENCE_MS = 10000, CHECK_MS = 2000, PAUSE_MS = 1000,
    ROOM_MS = 1000, LOOK_MS = 60000,
    OTHERS = 3,		/* polled beside clients */
    MAX_HTTP = 8 };

/* -------------------------------------------------------------- clients -- */

static void
client_close(struct control *c, struct control_client *cl)
{
	control_forget_client(c, cl);
	fds_close(&c->fds, cl->fd);
	json_free(&cl->out);
	cl->fd = -1;
}

/* Root, and who runs this server: the directory says so, too. */
static bool
may_ask(const struct control *c, int fd)
{
	struct ucred who;
	socklen_t len = sizeof who;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	    (who.uid == 0 || who.uid == c->uid);
}

static struct control_client *
free_client(struct control *c)
{
	unsigned i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (c->client[i].fd == -1)
			return &c->client[i];
	return NULL;
}

/* Whoever may read metrics may not keep others from the control socket. */
static bool
is_crowd(const struct control *c)
{
	unsigned i, n = 0;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		n += c->client[i].fd != -1 && c->client[i].http;
	return n >= MAX_HTTP;
}

/* It is somebody else's turn: to ask, or to take what there is for him. */
static bool
is_waited_for(const struct control_client *cl)
{
	return cl->fd != -1 && (cl->phase == CLIENT_ASKS ||
	    cl->out.len > cl->sent);
}

/* Who was waited for longest goes, if that is long; or NULL. */
static struct control_client *
make_room(struct control *c)
{
	struct control_client *cl = c->client, *oldest = NULL;

	for (; cl < c->client + CONTROL_MAX_CLIENTS; cl++)
		if (is_waited_for(cl) &&
		    (oldest == NULL || cl->since_ms < oldest->since_ms))
			oldest = cl;
	if (oldest == NULL || clock_boot_ms() - oldest->since_ms < ROOM_MS)
		return NULL;
	client_close(c, oldest);
	return oldest;
}

static void
say_busy(int fd)
{
	static const char busy[] = "{\"type\":\"error\",\"message\":"
	    "\"too many ask it already\"}\n";

	if (send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL) == -1) {
		/* Then he has gone. */
	}
}

/* NULL: it is none of ours, or there is no room. */
static struct control_client *
place_for(struct control *c, int listener, int fd)
{
	struct control_client *cl;

	if (listener == c->listener ? !may_ask(c, fd) : is_crowd(c))
		return NULL;
	if ((cl = free_client(c)) == NULL &&
	    listener == c->listener && (cl = make_room(c)) == NULL)
		say_busy(fd);
	return cl;
}

static void
come_in(struct control *c, int listener)
{
	struct control_client *cl;
	int fd;

	fds_begin();
	fd = fds_end(&c->fds, accept4(listener, NULL, NULL,
	    SOCK_CLOEXEC | SOCK_NONBLOCK));
	if (fd == -1) {
		/* Without a descriptor he would be there again at once. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			c->pause_until = clock_boot_ms() + PAUSE_MS;
		return;
	}
	if ((cl = place_for(c, listener, fd)) == NULL) {
		fds_close(&c->fds, fd);
		return;
	}
	*cl = (struct control_client){ .fd = fd,
	    .http = listener == c->metrics, .since_ms = clock_boot_ms() };
}

/* The head of an HTTP request ends with an empty line. */
static bool
is_whole(const char *request)
{
	return strstr(request, "\r\n\r\n") != NULL ||
	    strstr(request, "\n\n") != NULL;
}

/* Of who waits only the end is looked for; it may still read. */
static void
client_read(struct control *c, struct control_client *cl)
{
	char *end;
	ssize_t n;

	n = read(cl->fd, cl->request + cl->have,
	    CONTROL_MAX_REQUEST - cl->have);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0 && cl->phase != CLIENT_ASKS) {
		cl->eof = true;
		return;
	}
	if (n <= 0) {
		client_close(c, cl);
		return;
	}
	if (cl->phase != CLIENT_ASKS)
		return;
	cl->have += (size_t)n;
	cl->request[cl->have] = '\0';
	end = memchr(cl->request, '\n', cl->have);
	if (cl->http && is_whole(cl->request)) {
		metrics_answer(c->server, cl->request, &cl->out);
		cl->phase = CLIENT_ANSWERED;
	} else if (cl->http) {
		if (cl->have == CONTROL_MAX_REQUEST)
			client_close(c, cl);
	} else if (end != NULL && !memchr(cl->request, '\0', cl->have)) {
		*end = '\0';
		control_answer(c, cl, cl->request);
		cl->have = 0;
	} else if (end != NULL || cl->have == CONTROL_MAX_REQUEST) {
		client_close(c, cl);
	}
}

static void
client_write(struct control *c, struct control_client *cl)
{
	ssize_t n;

	while (cl->sent < cl->out.len) {
		n = send(cl->fd, cl->out.text + cl->sent,
		    cl->out.len - cl->sent, MSG_NOSIGNAL);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n == -1) {
			client_close(c, cl);
			return;
		}
		cl->sent += (size_t)n;
		cl->since_ms = clock_boot_ms();
	}
	cl->out.len = cl->sent = 0;
	if (cl->phase == CLIENT_ANSWERED)
		client_close(c, cl);
}

/* A stream may stand still: somebody reads it on a terminal. */
static bool
is_slow(const struct control_client *cl, uint64_t now)
{
	return now - cl->since_ms > PATIENCE_MS && is_waited_for(cl) &&
	    cl->phase != CLIENT_WATCHES && cl->phase != CLIENT_TRACES;
}

/* ----------------------------------------------------------- the socket -- */

/* Of a process that had our number and was killed; or of one that lives, in
 * another namespace of processes, which keeps it. */
static void
remove_leftover(struct control *c, const char *name)
{
	struct sockaddr_un sun;
	socklen_t len = rundir_addr(c->dir, name, &sun);
	int fd;

	fds_begin();
	fd = fds_end(&c->fds, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0));
	if (fd == -1)
		return;
	if (connect(fd, (struct sockaddr *)&sun, len) == -1 &&
	    errno == ECONNREFUSED)
		(void)unlinkat(c->dir, name, 0);
	fds_close(&c->fds, fd);
}

static int
listen_there(struct control *c)
{
	char name[RUNDIR_NAME];
	struct sockaddr_un sun;
	socklen_t len;

	rundir_name(name, getpid(), ".sock");
	remove_leftover(c, name);
	len = rundir_addr(c->dir, name, &sun);
	fds_begin();
	c->listener = fds_end(&c->fds, socket(AF_UNIX, SOCK_STREAM |
	    SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (c->listener == -1 ||
	    bind(c->listener, (struct sockaddr *)&sun, len) == -1)
		return errno;
	c->bound = true;
	return listen(c->listener, BACKLOG) == -1 ? errno : 0;
}

static void
stop_listening(struct control *c)
{
	if (c->bound)
		record_remove(c);
	c->bound = false;
	if (c->listener != -1)
		fds_close(&c->fds, c->listener);
	c->listener = -1;
}

/* Both files, or none. */
static int
bind_there(struct control *c)
{
	int err;

	if ((err = listen_there(c)) == 0)
		err = record_write(c);
	if (err != 0)
		stop_listening(c);
	return err;
}

/*
 * What is in /tmp is cleaned away after some days, and what is of a session
 * when it ends.
 */
static void
look_again(struct control *c)
{
	bool was = c->bound;
	int err;

	atomic_store(&c->look_ms, clock_boot_ms() + LOOK_MS);
	if (was && !record_moved(c))
		return;
	stop_listening(c);
	if ((err = bind_there(c)) != 0 && was)
		log_warning("no control socket any more: %s", strerror(err));
}

/* ----------------------------------------------------------- the thread -- */

static void
serve_client(struct control *c, struct control_client *cl, short events)
{
	if (cl->out.bad || ((events & (POLLERR | POLLHUP)) != 0 &&
	    (events & POLLIN) == 0)) {
		client_close(c, cl);
		return;
	}
	if ((events & POLLIN) != 0 && cl->out.len == cl->sent)
		client_read(c, cl);
	if (cl->fd != -1 && cl->out.len > cl->sent)
		client_write(c, cl);
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ms until there is something to do; -1: until somebody comes. */
static int
how_long(struct control *c, uint64_t now)
{
	uint64_t at = control_tick(c, now);
	unsigned i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (is_waited_for(&c->client[i]))
			at = sooner(at, now + CHECK_MS);
	if (c->pause_until > now)
		at = sooner(at, c->pause_until);
	if (c->dir != -1)
		at = sooner(at, atomic_load(&c->look_ms));
	return at == UINT64_MAX ? -1 : at <= now ? 0 : (int)(at - now);
}

static void
turn(struct control *c)
{
	struct pollfd p[OTHERS + CONTROL_MAX_CLIENTS];
	struct control_client *cl = c->client;
	uint64_t wakes, now = clock_boot_ms();
	int wait = how_long(c, now);
	bool paused = c->pause_until > now;
	unsigned i;

	p[0] = (struct pollfd){ c->wake, POLLIN, 0 };
	p[1] = (struct pollfd){ paused ? -1 : c->listener, POLLIN, 0 };
	p[2] = (struct pollfd){ paused ? -1 : c->metrics, POLLIN, 0 };
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		p[OTHERS + i] = (struct pollfd){ cl[i].fd,
		    cl[i].out.len > cl[i].sent ? POLLOUT : cl[i].eof ? 0 :
		    POLLIN, 0 };
	if (poll(p, OTHERS + CONTROL_MAX_CLIENTS, wait) == -1) {
		if (errno != EINTR)	/* no memory, or a limit of files */
			sleep(1);
		return;
	}
	if (p[0].revents != 0 && read(c->wake, &wakes, sizeof wakes) == -1) {
		/* It is only to wake us. */
	}
	now = clock_boot_ms();
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (cl[i].fd == -1)
			continue;
		if (p[OTHERS + i].revents != 0)
			serve_client(c, &cl[i], p[OTHERS + i].revents);
		else if (is_slow(&cl[i], now))
			client_close(c, &cl[i]);
	}
	if (p[1].revents != 0)
		come_in(c, c->listener);
	if (p[2].revents != 0)
		come_in(c, c->metrics);
	if (c->dir != -1 && now >= atomic_load(&c->look_ms))
		look_again(c);
}

static void *
control_thread(void *arg)
{
	struct control *c = arg;

	while (!atomic_load(&c->stop))
		turn(c);
	return NULL;
}

/* Signals are the program's, never ours. */
static int
create_thread(struct control *c)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&c->thread, NULL, control_thread, c);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

/* ------------------------------------------------------- start and stop -- */

/* The servers of a process have one number. */
static atomic_flag owned = ATOMIC_FLAG_INIT;

/* Without its thread.  `wake` stays: a loop may be about to write there. */
static void
close_all(struct control *c)
{
	unsigned i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (c->client[i].fd != -1)
			client_close(c, &c->client[i]);
	stop_listening(c);
	if (c->metrics != -1) {
		metrics_unlink(c->server->opt.metrics);
		fds_close(&c->fds, c->metrics);
	}
	if (c->dir != -1)
		fds_close(&c->fds, c->dir);
	c->dir = c->metrics = -1;
	if (c->owner)
		atomic_flag_clear(&owned);
	c->owner = false;
}

static struct control *
control_new(struct pinefs_server *s)
{
	struct control *c = calloc(1, sizeof *c);
	unsigned i;

	if (c == NULL)
		return NULL;
	c->server = s;
	c->dir = c->listener = c->wake = c->metrics = -1;
	c->uid = geteuid();
	c->started = (time_t)(clock_wall_ns() / 1000000000);
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		c->client[i].fd = -1;
	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->trace_lock, NULL);
	return c;
}

static void
give_up(struct control *c)
{
	unsigned i;

	close_all(c);
	if (c->wake != -1)
		fds_close(&c->fds, c->wake);
	stats_clients_put(c->asked);
	fds_fini(&c->fds);
	for (i = 0; i < c->nmounts; i++)
		free(c->mounts[i]);
	free(c->source);
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->trace_lock);
	free(c);
}

/* The record, and the socket.  A failure was said. */
static void
open_control(struct control *c)
{
	int err;

	if (atomic_flag_test_and_set(&owned)) {
		log_warning("no control socket: another server of this "
		    "process has one");
		return;
	}
	c->owner = true;
	atomic_store(&c->look_ms, clock_boot_ms() + LOOK_MS);
	if (record_open(c) == 0 && (err = bind_there(c)) != 0)
		log_warning("no control socket: %s; pinefs ls, stat, top and "
		    "stop will not find this server", strerror(err));
}

static void
open_metrics(struct control *c, const char *where)
{
	int err = metrics_listen(where, &c->fds, &c->metrics);

	if (err != 0) {
		log_warning("no metrics at %s: %s", where, metrics_why(err));
		return;
	}
	c->watched = true;
	stats_watch(c->server->rpc, true);
}

static int
start_thread(struct control *c)
{
	fds_begin();
	c->wake = fds_end(&c->fds, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	return c->wake == -1 ? errno : create_thread(c);
}

void
control_start(struct pinefs_server *s)
{
	struct control *c;
	int err;

	if ((!s->opt.control && s->opt.metrics == NULL) ||
	    (c = control_new(s)) == NULL)
		return;
	s->control = c;
	if (s->opt.control)
		open_control(c);
	if (s->opt.metrics != NULL)
		open_metrics(c, s->opt.metrics);
	if (c->listener == -1 && c->metrics == -1)
		control_free(s);
	else if ((err = start_thread(c)) != 0) {
		log_warning("no thread for the control socket: %s",
		    strerror(err));
		control_free(s);
	}
}

static void
wake(struct control *c)
{
	uint64_t one = 1;

	if (write(c->wake, &one, sizeof one) == -1) {
		/* It is awake then. */
	}
}

void
control_look(struct pinefs_server *s)
{
	if (s->control == NULL || atomic_load(&s->control->stop))
		return;
	atomic_store(&s->control->look_ms, 0);
	wake(s->control);
}

void
control_stop(struct pinefs_server *s)
{
	struct control *c = s->control;

	if (c == NULL || atomic_load(&c->stop))
		return;
	atomic_store(&c->stop, true);
	wake(c);
	pthread_join(c->thread, NULL);
	close_all(c);
	if (c->watched)
		stats_watch(s->rpc, false);
}

void
control_free(struct pinefs_server *s)
{
	if (s->control != NULL)
		give_up(s->control);
	s->control = NULL;
}

void
control_fork_child(struct pinefs_server *s)
{
	struct control *c = s->control;
	unsigned i;

	if (c == NULL)
		return;
	atomic_store(&c->stop, true);	/* its thread is not here */
	fds_fork_child(&c->fds);
	c->bound = false;
	c->dir = c->listener = c->wake = c->metrics = -1;
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		c->client[i].fd = -1;
	if (c->owner)
		atomic_flag_clear(&owned);
	c->owner = false;
}

/* -------------------------------------------------- what the record says -- */

/* The list is ours. */
static int
set_mount(struct control *c, const char *dir, bool on)
{
	unsigned i = 0;

	while (i < c->nmounts && strcmp(c->mounts[i], dir) != 0)
		i++;
	if (!on && i < c->nmounts) {
		free(c->mounts[i]);
		c->mounts[i] = c->mounts[--c->nmounts];
	}
	if (!on || i < c->nmounts)
		return 0;
	if (c->nmounts == CONTROL_MAX_MOUNTS)
		return ENOSPC;
	if ((c->mounts[i] = strdup(dir)) == NULL)
		return ENOMEM;
	c->nmounts++;
	return 0;
}

int
control_mounted(struct pinefs_server *s, const char *dir, bool on)
{
	struct control *c = s->control;
	int err;

	if (c == NULL || c->dir == -1)
		return ENOENT;
	pthread_mutex_lock(&c->lock);
	err = set_mount(c, dir, on);
	pthread_mutex_unlock(&c->lock);
	return err != 0 ? err : record_write(c);
}

int
control_set_source(struct pinefs_server *s, const char *source)
{
	struct control *c = s->control;
	char *copy;

	if (c == NULL || c->dir == -1)
		return ENOENT;
	if ((copy = strdup(source)) == NULL)
		return ENOMEM;
	pthread_mutex_lock(&c->lock);
	free(c->source);
	c->source = copy;
	pthread_mutex_unlock(&c->lock);
	return record_write(c);
}
