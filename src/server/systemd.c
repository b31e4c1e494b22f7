/* Sockets from, and words to, a service manager.  See systemd.h. */
#include "server/systemd.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

enum { FIRST_FD = 3, NAME_SIZE = 64, MESSAGE_SIZE = 512 };

/* ----------------------------------------------------------- LISTEN_FDS -- */

/* A variable that is a small number; -1: it is not there, or none. */
static long
number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long n;

	if (text == NULL || *text < '0' || *text > '9')
		return -1;
	n = strtol(text, &end, 10);
	return *end == '\0' ? n : -1;
}

/* The i-th of the names between colons; "" where there are fewer. */
static void
name_of(const char *names, unsigned i, char to[NAME_SIZE])
{
	size_t len;

	for (; names != NULL && i > 0; i--)
		if ((names = strchr(names, ':')) != NULL)
			names++;
	len = names == NULL ? 0 : strcspn(names, ":");
	log_escape(to, NAME_SIZE, names, len);
}

static int
option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value;

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) == -1 ? -1 :
	    value;
}

/* NULL: it can be served on; else what is wrong. */
static const char *
check(struct rpc_socket *s)
{
	socklen_t len = sizeof s->addr;
	int type = option(s->fd, SO_TYPE);

	if (type == -1)
		return "is no socket";
	if (getsockname(s->fd, (struct sockaddr *)&s->addr, &len) == -1 ||
	    (s->addr.ss_family != AF_INET && s->addr.ss_family != AF_INET6))
		return "is neither of IPv4 nor of IPv6";
	if (type != SOCK_STREAM && type != SOCK_DGRAM)
		return "is neither of TCP nor of UDP";
	s->udp = type == SOCK_DGRAM;
	if (!s->udp && option(s->fd, SO_ACCEPTCONN) != 1)
		return "does not listen: say Accept=no, which is the default";
	if (fcntl(s->fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(s->fd, F_SETFL, O_NONBLOCK) == -1)
		return strerror(errno);
	return NULL;
}

static int
take(struct rpc_socket *to, unsigned n, const char *names)
{
	unsigned i, streams = 0;
	char name[NAME_SIZE];
	const char *wrong;

	for (i = 0; i < n; i++) {
		to[i] = (struct rpc_socket){ .fd = FIRST_FD + (int)i };
		name_of(names, i, name);
		to[i].second = strcmp(name, "mount") == 0;
		if ((wrong = check(&to[i])) != NULL) {
			log_error("LISTEN_FDS: descriptor %d%s%s %s", to[i].fd,
			    *name == '\0' ? "" : ", ", name, wrong);
			return EINVAL;
		}
		streams += !to[i].udp && !to[i].second;
	}
	if (streams > 0)
		return 0;
	log_error("LISTEN_FDS: no socket for NFS over TCP among %u: "
	    "say ListenStream=127.0.0.1:2049", n);
	return EINVAL;
}

int
systemd_sockets(struct rpc_socket *to, unsigned max, unsigned *n)
{
	long fds = number("LISTEN_FDS"), i;
	int err;

	*n = 0;
	if (fds <= 0 || number("LISTEN_PID") != (long)getpid())
		return 0;
	if (fds > (long)max) {
		log_error("LISTEN_FDS=%ld: at most %u", fds, max);
		return EINVAL;
	}
	err = take(to, (unsigned)fds, getenv("LISTEN_FDNAMES"));
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
	for (i = 0; err != 0 && i < fds; i++)
		close(FIRST_FD + (int)i);
	if (err == 0)
		*n = (unsigned)fds;
	return err;
}

/* -------------------------------------------------------- NOTIFY_SOCKET -- */

/* A path, or with '@' a name in the abstract name space; 0: neither. */
static socklen_t
address(struct sockaddr_un *sun, const char *name)
{
	size_t len = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || len < 2 ||
	    len >= sizeof sun->sun_path)
		return 0;
	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(sun->sun_path, name, len);
	if (name[0] == '@')
		sun->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
	    (name[0] == '/'));
}

void
systemd_notify(const char *fmt, ...)
{
	const char *name = getenv("NOTIFY_SOCKET");
	char text[MESSAGE_SIZE];
	struct sockaddr_un sun;
	socklen_t len;
	va_list ap;
	int fd;

	if (name == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if ((len = address(&sun, name)) == 0) {
		log_warning("NOTIFY_SOCKET=%s: not the name of a socket", name);
		return;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || sendto(fd, text, strlen(text), MSG_NOSIGNAL,
	    (struct sockaddr *)&sun, len) == -1)
		log_warning("NOTIFY_SOCKET=%s: %s", name, strerror(errno));
	if (fd != -1)
		close(fd);
}
