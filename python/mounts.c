/* SPDX-License-Identifier: MIT */
/*
 * Is a file on a mount of this very process?  To read it the kernel would ask
 * our broker, which waits for the file: for ever, on a hard mount.  A program
 * that has imported a module from its own mount would have that with each
 * look at a function.
 *
 * The mount table says where NFS is mounted from a loopback address, and from
 * which port.  The path is taken as it is written: to follow its links would
 * be to look into the mount.  The table is read again when the kernel says
 * that it has changed.
 *
 * Guarded by the interpreter lock.
 */
#include "pyfs.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOUNTS_MAX = 64, NFS_PORT = 2049 };

static struct {
	char	*dir;
	int	 port;
} mounts[MOUNTS_MAX];
static size_t nmounts;

static FILE *table;

/* A blank, tab, newline or backslash in a name is three octal digits. */
static void
unescape(char *s)
{
	char *to = s;

	for (; *s != '\0'; to++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
		    s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
			    (s[3] - '0'));
			s += 4;
		} else {
			*to = *s++;
		}
	}
	*to = '\0';
}

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* The port of a server at a loopback address; 0: another one. */
static int
port_of(char *options)
{
	char *save = NULL, *o;
	int port = NFS_PORT;
	bool loopback = false;

	for (o = strtok_r(options, ",\n", &save); o != NULL;
	    o = strtok_r(NULL, ",\n", &save)) {
		if (begins(o, "port="))
			port = atoi(o + 5);
		if (begins(o, "addr=127.") || strcmp(o, "addr=::1") == 0)
			loopback = true;
	}
	return loopback ? port : 0;
}

/* id parent device root WHERE options ... - TYPE source OPTIONS */
static void
take_line(char *line)
{
	char *field[5], *rest = strstr(line, " - "), *save = NULL, *type;
	int i, port;

	if (rest == NULL || nmounts == MOUNTS_MAX)
		return;
	*rest = '\0';
	for (i = 0; i < 5; i++)
		if ((field[i] = strtok_r(i == 0 ? line : NULL, " ",
		    &save)) == NULL)
			return;
	type = strtok_r(rest + 3, " ", &save);
	if (type == NULL || !begins(type, "nfs") ||
	    strtok_r(NULL, " ", &save) == NULL ||
	    (rest = strtok_r(NULL, " ", &save)) == NULL ||
	    (port = port_of(rest)) == 0)
		return;
	unescape(field[4]);
	if ((mounts[nmounts].dir = strdup(field[4])) != NULL)
		mounts[nmounts++].port = port;
}

static void
read_table(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (nmounts > 0)
		free(mounts[--nmounts].dir);
	rewind(table);
	while (getline(&line, &cap, table) > 0)
		take_line(line);
	free(line);
}

/* Without a table nothing is known. */
static void
look(void)
{
	struct pollfd p = { .events = POLLPRI };
	static uint64_t looked;

	if (looked == shape_epoch())
		return;
	looked = shape_epoch();
	if (table == NULL) {
		table = fopen("/proc/self/mountinfo", "re");
		if (table != NULL)
			read_table();
		return;
	}
	p.fd = fileno(table);
	if (poll(&p, 1, 0) > 0)
		read_table();
}

static bool
is_served(int port)
{
	const struct pyfs *pf;

	for (pf = pyfs_all; pf != NULL; pf = pf->next)
		if (pf->serving && pinefs_port(pf->server) == port)
			return true;
	return false;
}

static bool
is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 &&
	    (path[len] == '/' || path[len] == '\0' || len == 1);
}

/* As it is written, from the root, without `.`, `..` and double slashes. */
static bool
plain(const char *path, char to[PATH_LEN_MAX])
{
	size_t len = 0, part;

	if (*path != '/') {
		if (getcwd(to, PATH_LEN_MAX) == NULL)
			return false;
		len = strlen(to);
		len -= len == 1;
	}
	for (; *path != '\0'; path += part) {
		path += strspn(path, "/");
		part = strcspn(path, "/");
		if (part == 0 || (part == 1 && path[0] == '.'))
			continue;
		if (part == 2 && path[0] == '.' && path[1] == '.') {
			while (len > 0 && to[--len] != '/')
				continue;
			continue;
		}
		if (len + 1 + part >= PATH_LEN_MAX)
			return false;
		to[len++] = '/';
		memcpy(to + len, path, part);
		len += part;
	}
	to[len] = '\0';
	return true;
}

bool
mounts_is_ours(const char *path)
{
	char whole[PATH_LEN_MAX];
	bool known = false;
	size_t i;

	look();
	for (i = 0; i < nmounts; i++)
		if (is_served(mounts[i].port) &&
		    (known || (known = plain(path, whole))) &&
		    is_below(whole, mounts[i].dir))
			return true;
	return false;
}

/* What the kernel says of a change it says once: to the parent. */
void
mounts_fork_child(void)
{
	if (table != NULL)
		(void)fclose(table);
	table = NULL;
}
