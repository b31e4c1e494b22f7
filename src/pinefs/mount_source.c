/*
 * SRC of pinefs mount: mem:[NAME], tar:FILE, dir:PATH, py:[SCRIPT], py:PID,
 * nfs://HOST[:PORT]/PATH; or a path, whose content tells.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "pinefs/mount.h"
#include "server/cli.h"

/* ---------------------------------------------------------------- content -- */

enum { HEAD = 512 };

static const struct {
	const char	*bytes;
	size_t		 at, len;
} magics[] = {
	{ "ustar", 257, 5 },
	{ "\x1f\x8b", 0, 2 },			/* gzip */
	{ "BZh", 0, 3 },
	{ "\xfd" "7zXZ", 0, 5 },
	{ "\x5d\0\0", 0, 3 },			/* lzma */
	{ "\x28\xb5\x2f\xfd", 0, 4 },		/* zstd */
	{ "\x04\x22\x4d\x18", 0, 4 },		/* lz4 */
	{ "PK\x03\x04", 0, 4 },
	{ "PK\x05\x06", 0, 4 },			/* an empty zip */
};

static bool
ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

/* "#!/usr/bin/env python3", or the name says so. */
static bool
is_script(const char *path, const char *head)
{
	const char *end = memchr(head, '\n', HEAD);

	if (ends_in(path, ".py"))
		return true;
	return strncmp(head, "#!", 2) == 0 && end != NULL &&
	    memmem(head, (size_t)(end - head), "python", 6) != NULL;
}

static bool
is_archive(const char *path, const char *head)
{
	size_t i;

	for (i = 0; i < sizeof magics / sizeof magics[0]; i++)
		if (memcmp(head + magics[i].at, magics[i].bytes,
		    magics[i].len) == 0)
			return true;
	/* Tar of before POSIX has no magic. */
	return ends_in(path, ".tar");
}

/* What it is, or NULL with a status, after lines. */
static const char *
judge(const char *path, int *status)
{
	char head[HEAD + 1] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n = 0;

	*status = errno == EACCES ? EXIT_NOPERM : EXIT_NOINPUT;
	if (fd == -1 || fstat(fd, &st) == -1 ||
	    (!S_ISDIR(st.st_mode) && (n = read(fd, head, HEAD)) == -1)) {
		log_error("%s: %s\ntry: pinefs help mount, for what can be "
		    "mounted", path, strerror(errno));
		if (fd != -1)
			close(fd);
		return NULL;
	}
	close(fd);
	if (S_ISDIR(st.st_mode))
		return "dir";
	if (is_script(path, head))
		return "py";
	if (is_archive(path, head))
		return "tar";
	*status = EXIT_DATA;
	log_error("%s: neither a directory, an archive nor a Python script\n"
	    "try: tar:%s or py:%s, if it is one", path, path, path);
	return NULL;
}

/* ------------------------------------------------------------------- parts -- */

static int
too_long(const char *text)
{
	log_error("%.40s...: too long", text);
	return EXIT_USAGE;
}

/* The file or directory that is served, as whoever else names it. */
static int
set_path(struct mount_source *s, const char *path)
{
	char real[PATH_MAX];

	if (realpath(path, real) == NULL) {
		log_error("%s: %s\ntry: a %s that there is", path,
		    strerror(errno), strcmp(s->type, "dir") == 0 ?
		    "directory" : "file");
		return errno == EACCES ? EXIT_NOPERM : EXIT_NOINPUT;
	}
	snprintf(s->path, sizeof s->path, "%s", real);
	snprintf(s->name, sizeof s->name, "%s:%s", s->type, real);
	return 0;
}

/* py:, py:PID, py:SCRIPT. */
static int
set_py(struct mount_source *s, const char *rest)
{
	char *end;
	long pid = strtol(rest, &end, 10);

	if (*rest == '\0')
		return 0;
	if (isdigit((unsigned char)*rest) && *end == '\0' && pid > 0 &&
	    pid <= INT_MAX) {
		s->pid = (pid_t)pid;
		return 0;
	}
	return set_path(s, rest);
}

/* HOST[:PORT]/PATH, or [V6]:PORT/PATH. */
static int
set_url(struct mount_source *s, const char *rest)
{
	const char *p = rest, *host = rest, *end;
	unsigned long port = 2049;
	size_t len;
	char *stop;

	if (*p == '[') {
		host = p + 1;
		len = strcspn(host, "]");
		p = host + len;
		if (*p++ != ']')
			len = 0;
	} else {
		len = strcspn(p, ":/");
		p += len;
	}
	if (len > 0 && *p == ':') {
		port = strtoul(p + 1, &stop, 10);
		p = stop;
	}
	end = len == 0 || *p == '\0' ? "/" : p;
	if (len == 0 || len >= sizeof s->host || *end != '/' || port == 0 ||
	    port > 65535 || strlen(end) >= sizeof s->export) {
		log_error("nfs://%s: not a server and a path\n"
		    "try: nfs://HOST/PATH or nfs://HOST:PORT/PATH", rest);
		return EXIT_USAGE;
	}
	snprintf(s->host, sizeof s->host, "%.*s", (int)len, host);
	s->port = (uint16_t)port;
	strcpy(s->export, end);
	return 0;
}

/* mem: is new memory each time; mem:NAME is one that can be found again. */
static int
set_mem(struct mount_source *s, const char *rest)
{
	if (*rest == '\0')
		return 0;
	if (strlen(rest) + sizeof "mem:" > sizeof s->fs)
		return too_long(rest);
	snprintf(s->name, sizeof s->name, "mem:%s", rest);
	return 0;
}

/* -------------------------------------------------------------------- all -- */

static const struct {
	const char	*prefix, *type;
	int		(*set)(struct mount_source *, const char *rest);
} kinds[] = {
	{ "mem:", "mem", set_mem },
	{ "tar:", "tar", set_path },
	{ "dir:", "dir", set_path },
	{ "py:", "py", set_py },
	{ "nfs://", "nfs", set_url },
};

static int
set_kind(struct mount_source *s, size_t i, const char *rest)
{
	s->type = kinds[i].type;
	snprintf(s->fs, sizeof s->fs, "%s", s->type);
	strcpy(s->host, "127.0.0.1");
	strcpy(s->export, "/");
	return kinds[i].set(s, rest);
}

int
source_parse(struct mount_source *s, const char *text)
{
	const char *type;
	size_t i, n = sizeof kinds / sizeof kinds[0];
	int status;

	*s = (struct mount_source){ .type = NULL };
	if (strlen(text) >= PATH_MAX)
		return too_long(text);
	for (i = 0; i < n; i++)
		if (strncmp(text, kinds[i].prefix,
		    strlen(kinds[i].prefix)) == 0)
			return set_kind(s, i, text + strlen(kinds[i].prefix));
	if ((type = judge(text, &status)) == NULL)
		return status;
	log_info("%s is %s: %s:%s", text, strcmp(type, "dir") == 0 ?
	    "a directory" : strcmp(type, "tar") == 0 ? "an archive" :
	    "a Python script", type, text);
	for (i = 0; strcmp(kinds[i].type, type) != 0; i++)
		;
	return set_kind(s, i, text);
}
