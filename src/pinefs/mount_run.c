/*
 * What may take long, or is another program's, is done by a child: whoever
 * presses Ctrl-C gets the terminal back.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pinefs/mount.h"

const char *
mount_program(const char *name, char path[PATH_MAX])
{
	static const char *const dirs[] = { "/sbin", "/usr/sbin",
	    "/usr/local/sbin", "/bin", "/usr/bin", "/usr/local/bin" };
	size_t i;

	for (i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
		snprintf(path, PATH_MAX, "%s/%s", dirs[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

void
mount_quote(const char *text, char *to, size_t size)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO"
	    "PQRSTUVWXYZ0123456789_-+=:,./@%";
	size_t n = 0;

	if (strspn(text, plain) == strlen(text)) {
		snprintf(to, size, "%s", text);
		return;
	}
	to[n++] = '\'';
	for (; *text != '\0' && n + 6 < size; text++) {
		if (*text == '\'') {
			memcpy(to + n, "'\\'", 3);
			n += 3;
		}
		to[n++] = *text;
	}
	to[n++] = '\'';
	to[n] = '\0';
}

/* ---------------------------------------------------------------- children */

/* SIGINT also where a shell ignores it for its background; nohup is meant. */
void
mount_signal_set(sigset_t *set)
{
	struct sigaction hup;

	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	if (sigaction(SIGHUP, NULL, &hup) == -1 || hup.sa_handler != SIG_IGN)
		sigaddset(set, SIGHUP);
}

void
mount_signals_heeded(void)
{
	const struct timespec now = { 0 };
	sigset_t ends;

	mount_signal_set(&ends);
	while (sigtimedwait(&ends, NULL, &now) != -1 || errno == EINTR)
		;
}

/* Until the child ends; a signal ends it.  False: the peer has ended. */
static bool
await(pid_t pid, int pidfd, int peer)
{
	sigset_t ends;
	struct pollfd p[3];

	mount_signal_set(&ends);
	p[0] = (struct pollfd){ signalfd(-1, &ends, SFD_CLOEXEC), POLLIN, 0 };
	p[1] = (struct pollfd){ pidfd, POLLIN, 0 };
	p[2] = (struct pollfd){ peer, POLLIN, 0 };
	while (poll(p, 3, -1) == -1 && errno == EINTR)
		;
	close(p[0].fd);
	if (p[1].revents == 0 && p[2].revents == 0) {
		(void)kill(pid, SIGKILL);
		while (poll(p + 1, 2, -1) == -1 && errno == EINTR)
			;	/* what it waits for may be uninterruptible */
	}
	return p[1].revents != 0;
}

/* Who ended the peer may have ended us as well: that is heeded here. */
static pid_t
stand_in_for(const struct mount_peer *peer)
{
	mount_signals_heeded();
	return server_stand_in(peer->addr, peer->port);
}

int
mount_child(mount_child_fn *fn, const void *arg,
    const struct mount_peer *peer)
{
	pid_t pid, stand_in = 0;
	int status, pidfd;
	sigset_t none;

	if ((pid = fork()) == -1)
		return errno;
	if (pid == 0) {
		sigemptyset(&none);
		(void)setpgid(0, 0);	/* Ctrl-C is ours to hand on */
		sigprocmask(SIG_SETMASK, &none, NULL);
		_exit(fn(arg));
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd != -1) {
		if (!await(pid, pidfd, peer == NULL ? -1 : peer->pidfd)) {
			stand_in = stand_in_for(peer);
			(void)await(pid, pidfd, -1);
		}
		close(pidfd);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	server_stand_down(stand_in);
	return WIFEXITED(status) ? WEXITSTATUS(status) : MOUNT_INTERRUPTED;
}

int
mount_run(const void *arg)
{
	char *const *argv = arg;
	int null = open("/dev/null", O_RDWR);

	if (null != -1) {
		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)dup2(null, 2);
	}
	(void)execv(argv[0], argv);
	return 127;
}
