/*
 * Who holds a port that is busy: the inode of the listening socket from
 * /proc/net/tcp, then the process that has it open.  For one error line.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/server.h"

enum { STATE_LISTEN = 10 };	/* TCP_LISTEN of the kernel */

static unsigned long
listener_inode(const char *table, uint16_t port)
{
	unsigned long inode, found = 0;
	unsigned state, p;
	char line[512];
	FILE *f = fopen(table, "re");

	if (f == NULL)
		return 0;
	while (found == 0 && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, " %*u: %*[^:]:%x %*s %x %*s %*s %*s %*u %*u "
		    "%lu", &p, &state, &inode) == 3 && p == port &&
		    state == STATE_LISTEN)
			found = inode;
	fclose(f);
	return found;
}

/* Has this process ("4711") the socket open? */
static bool
has_open(const char *pid, const char *socket)
{
	char path[300], link[64];
	struct dirent *e;
	bool found = false;
	ssize_t n;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%s/fd", pid);
	if ((d = opendir(path)) == NULL)
		return false;
	while (!found && (e = readdir(d)) != NULL) {
		n = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);
		if (n > 0) {
			link[n] = '\0';
			found = strcmp(link, socket) == 0;
		}
	}
	closedir(d);
	return found;
}

static void
name_of(const char *pid, char *who, size_t size)
{
	char path[300], comm[64] = "?";
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%s/comm", pid);
	if ((f = fopen(path, "re")) != NULL) {
		n = fread(comm, 1, sizeof comm - 1, f);
		comm[n > 0 ? n - 1 : 0] = '\0';
		fclose(f);
	}
	snprintf(who, size, " by %.63s (pid %.16s)", comm,
	    pid);
}

bool
server_port_holder(uint16_t port, char *who, size_t size)
{
	unsigned long inode = listener_inode("/proc/net/tcp", port);
	struct dirent *e;
	char socket[64];
	DIR *d;

	*who = '\0';
	if (inode == 0)
		inode = listener_inode("/proc/net/tcp6", port);
	if (inode == 0)
		return false;
	if ((d = opendir("/proc")) == NULL)
		return true;
	snprintf(socket, sizeof socket, "socket:[%lu]", inode);
	while (*who == '\0' && (e = readdir(d)) != NULL)
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' &&
		    has_open(e->d_name, socket))
			name_of(e->d_name, who, size);
	closedir(d);
	if (*who == '\0' && geteuid() == 0)
		snprintf(who, size, " by the kernel");
	return true;
}

void
server_cannot_listen(const char *addr, uint16_t port, int err)
{
	char who[128], stop[64] = "";
	long pid;

	switch (err) {
	case EADDRINUSE:
		server_port_holder(port, who, sizeof who);
		if (sscanf(who, " by pinefs (pid %ld)", &pid) == 1)
			snprintf(stop, sizeof stop, ", or pinefs stop %ld",
			    pid);
		log_error("cannot listen on %s port %u: in use%s; try "
		    "--port 0%s", addr, port, who, stop);
		break;
	case EACCES:
		log_error("cannot listen on %s port %u: not permitted; try a "
		    "port above 1023, or --port 0", addr, port);
		break;
	case EINVAL:
		log_error("cannot listen on '%s': not an IPv4 or IPv6 address",
		    addr);
		break;
	default:
		log_error("cannot listen on %s port %u: %s; try another "
		    "--addr", addr, port, strerror(err));
		break;
	}
}
