/*
 * The life of a mount.
 *
 *	WAITING --- it appears ---> MOUNTED --- signal ---> LEAVING
 *	   |                         |    |                    |
 *	   |          its server has |    | somebody has       | we have; or a
 *	 signal                ended |    | unmounted it       | second signal:
 *	   |                         |    v                    v lazily
 *	   |                         |   LEFT <-----------------
 *	   v                         v    |
 *	  the end <------------------------ nobody is connected any more
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "pinefs/mount.h"
#include "server/cli.h"

enum { LEFT_MS = 100, SOON_MS = 10, BUSY_MS = 5000, LINE = 4 * PATH_MAX };

enum state { WAITING, MOUNTED, LEAVING, LEFT, ENDED };

struct life {
	struct watch	*w;
	enum state	 state;
	uint64_t	 since_ms;	/* LEAVING, LEFT */
	bool		 told;		/* who keeps it busy, or what to type */
	bool		 lazily;
	int		 status;
};

static enum mounts_place
place_of(const struct mount_target *t)
{
	struct mount_entry m;

	return mounts_place(t->dir, t->host, t->port, &m);
}

static bool
is_mounted(const struct mount_target *t)
{
	return place_of(t) != MOUNTS_NOT;
}

int
mount_signals(void)
{
	sigset_t ends;

	mount_signal_set(&ends);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	return signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
go(struct life *l, enum state state)
{
	l->state = state;
	l->since_ms = clock_boot_ms();
	l->told = false;
}

/* ------------------------------------------------------------------ leaving */

static void
say_busy(struct life *l)
{
	holders_say(l->w->target->dir);
	log_info("it is unmounted when they are done; Ctrl-C again unmounts "
	    "it lazily: they keep what they have");
}

static void
say_by_hand(struct life *l)
{
	char line[LINE];

	unmount_line(l->w->target->dir, UNMOUNT, line, sizeof line);
	log_info("only root may unmount; it ends as soon as it is unmounted\n"
	    "try: %s", line);
}

static void
say_beneath(struct life *l)
{
	const char *dir = l->w->target->dir;

	log_info("something else is mounted over it; it is unmounted when "
	    "that is gone\ntry: umount %s", dir);
}

static void
try_to_leave(struct life *l)
{
	const struct mount_target *t = l->w->target;
	const struct mount_peer peer = { t->host, t->port,
	    l->w->server == NULL ? -1 : l->w->server->pidfd };
	int err = unmount_it(t->dir, UNMOUNT, &peer);

	if (err == 0 || !is_mounted(l->w->target)) {
		go(l, LEFT);
	} else if (err == EPERM) {
		if (!l->told)
			say_by_hand(l);
		l->told = true;
	} else if (err == EBUSY) {
		if (!l->told && clock_boot_ms() - l->since_ms >= BUSY_MS) {
			say_busy(l);
			l->told = true;
		}
	} else if (!l->told) {
		log_error("%s: %s\ntry: Ctrl-C again, which unmounts it "
		    "lazily", t->dir, strerror(err));
		l->told = true;
	}
}

static void
leave(struct life *l)
{
	switch (place_of(l->w->target)) {
	case MOUNTS_NOT:
		go(l, LEFT);
		break;
	case MOUNTS_BENEATH:
		if (!l->told)
			say_beneath(l);
		l->told = true;
		break;
	case MOUNTS_TOP:
		try_to_leave(l);
		break;
	}
}

/* It cannot be taken from beneath: it is as if only we had been killed. */
static void
stay_beneath(struct life *l)
{
	const char *dir = l->w->target->dir;

	log_error("%s stays mounted and served, as something else is mounted "
	    "over it\ntry: umount %s, then pinefs umount %s", dir, dir, dir);
	l->w->stays = true;
	l->state = ENDED;
	l->status = EXIT_UNAVAILABLE;
}

static void
leave_lazily(struct life *l)
{
	const char *dir = l->w->target->dir;
	enum mounts_place place = place_of(l->w->target);
	char line[LINE];

	if (place == MOUNTS_BENEATH) {
		stay_beneath(l);
		return;
	}
	go(l, LEFT);
	l->lazily = true;
	mount_signals_heeded();
	if (place == MOUNTS_NOT || unmount_it(dir, UNMOUNT_LAZY, NULL) == 0 ||
	    !is_mounted(l->w->target))
		return;
	l->state = ENDED;
	unmount_line(dir, UNMOUNT_DEAD, line, sizeof line);
	log_error("%s stays mounted, and nobody serves it\ntry: %s", dir,
	    line);
	l->status = EXIT_NOPERM;
}

/* It is for others that the server goes on: not before somebody's eyes. */
static void
wait_behind(struct life *l)
{
	long pid = (long)l->w->server->record.pid;

	l->told = true;
	log_info("server %ld goes on, for files that are open; pinefs stop "
	    "%ld ends it", pid, pid);
	if (l->lazily)
		l->w->behind(l->w->ctx);
}

/* The kernel's client takes its leave, or somebody has files open. */
static void
look_who_is_left(struct life *l)
{
	const struct mount_server *s = l->w->server;
	uint64_t ms = clock_boot_ms() - l->since_ms;

	if (s == NULL || !server_unmounted(&s->record, l->w->target->dir) ||
	    server_connections(&s->record) == 0)
		l->state = ENDED;
	else if (!l->told && ms >= (l->lazily ? 1000 : BUSY_MS))
		wait_behind(l);
}

/* ------------------------------------------------------------------- events */

static void
on_signal(struct life *l, int fd)
{
	struct signalfd_siginfo s;

	if (read(fd, &s, sizeof s) != sizeof s ||
	    (s.ssi_signo == SIGINT && l->w->prompt))
		return;
	if (l->state == LEAVING) {
		leave_lazily(l);
	} else if (l->state == MOUNTED) {
		go(l, LEAVING);
	} else {
		l->state = ENDED;
	}
}

static void
on_change(struct life *l)
{
	bool mounted = is_mounted(l->w->target);

	if (l->state == WAITING && mounted) {
		log_info("mounted on %s", l->w->target->dir);
		l->state = MOUNTED;
		l->w->ready(l->w->ctx);
	} else if ((l->state == MOUNTED || l->state == LEAVING) &&
	    !mounted) {
		go(l, LEFT);
	}
}

/* Its own exit status, where it is our child. */
static int
status_of_server(struct mount_server *s)
{
	int status;

	if (s->child == 0)
		return EXIT_UNAVAILABLE;
	while (waitpid(s->child, &status, 0) == -1)
		if (errno != EINTR)
			return EXIT_OSERR;
	s->child = 0;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	log_error("the server was ended by signal %d\ntry: the same again; "
	    "pinefs serve shows what it says", WTERMSIG(status));
	return EXIT_OSERR;
}

static void
on_server_end(struct life *l)
{
	const char *dir = l->w->target->dir;
	enum mounts_place place = place_of(l->w->target);
	char line[LINE];
	int err;

	l->status = status_of_server(l->w->server);
	l->state = ENDED;
	if (place == MOUNTS_NOT)
		return;
	if (place == MOUNTS_BENEATH) {
		log_error("the server has ended, and %s stays mounted, beneath "
		    "something else\ntry: umount %s, then pinefs umount %s",
		    dir, dir, dir);
		return;
	}
	err = unmount_dead(dir, l->w->target->host, l->w->target->port);
	if (err == 0) {
		log_info("the server has ended: %s is unmounted", dir);
		return;
	}
	unmount_line(dir, UNMOUNT_DEAD, line, sizeof line);
	log_error("the server has ended, and %s stays mounted: %s\ntry: %s",
	    dir, err == EPERM ? "you are not root" : strerror(err), line);
}

/* --------------------------------------------------------------------- life */

/* How long to wait for an event. */
static int
patience(const struct life *l)
{
	if (l->state == LEFT && clock_boot_ms() - l->since_ms < 1000)
		return SOON_MS;
	return l->state == LEFT ? LEFT_MS : l->state == LEAVING ?
	    unmount_again_ms() : -1;
}

static void
step(struct life *l, struct pollfd p[3])
{
	if (l->state == LEAVING)
		leave(l);
	if (l->state == LEFT)
		look_who_is_left(l);
	if (l->state == ENDED ||
	    (poll(p, 3, patience(l)) == -1 && errno != EINTR))
		l->state = ENDED;
	else if (p[2].revents != 0)
		on_server_end(l);
	else if (p[0].revents != 0)
		on_signal(l, p[0].fd);
	else if (p[1].revents != 0)
		on_change(l);
}

int
watch_mount(struct watch *w)
{
	struct life l = { .w = w, .state = w->waiting ? WAITING : MOUNTED };
	struct pollfd p[3] = {
		{ mount_signals(), POLLIN, 0 },
		{ open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC),
		    POLLPRI, 0 },
		{ w->server == NULL ? -1 : w->server->pidfd, POLLIN, 0 },
	};

	if (!w->waiting)
		w->ready(w->ctx);
	on_change(&l);		/* what was before the first poll */
	while (l.state != ENDED)
		step(&l, p);
	close(p[0].fd);
	close(p[1].fd);
	return l.status;
}
