/*
 * What is mounted: /proc/self/mountinfo (proc(5)), whose lines are
 *
 *	36 35 98:0 /root /dir opts [optional]... - type device super-opts
 *
 * with blanks and backslashes as \ooo.  Nothing here touches a mount, as the
 * server of one may be gone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pinefs/mount.h"
#include "rpc/server.h"

/* "\040" is a blank; in place. */
static void
unescape(char *text)
{
	char *from = text, *to = text;

	while (*from != '\0') {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' &&
		    from[2] >= '0' && from[2] <= '7' && from[3] >= '0' &&
		    from[3] <= '7') {
			*to++ = (char)((from[1] - '0') << 6 |
			    (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* The value of "name=" in a list with commas, cut to size; false: none. */
static bool
option(const char *list, const char *name, char *to, size_t size)
{
	size_t n = strlen(name);
	const char *p = list;

	for (; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, name, n) == 0 && p[n] == '=') {
			p += n + 1;
			snprintf(to, size, "%.*s", (int)strcspn(p, ","), p);
			return true;
		}
	}
	return false;
}

static bool
parse(char *line, struct mount_entry *m)
{
	char *rest, *save = NULL, *word, port[16];
	int i;

	*m = (struct mount_entry){ .port = 2049 };
	line[strcspn(line, "\n")] = '\0';
	if ((rest = strstr(line, " - ")) == NULL)
		return false;
	*rest = '\0';
	rest += 3;
	word = strtok_r(line, " ", &save);
	for (i = 0; word != NULL && i < 4; i++) {
		if (i == 0)
			m->id = (unsigned)strtoul(word, NULL, 10);
		word = strtok_r(NULL, " ", &save);
	}
	if (word == NULL)
		return false;
	unescape(word);
	snprintf(m->dir, sizeof m->dir, "%s", word);
	snprintf(m->type, sizeof m->type, "%.*s", (int)strcspn(rest, " "),
	    rest);
	if ((word = strrchr(rest, ' ')) != NULL && mounts_is_nfs(m)) {
		(void)option(word + 1, "addr", m->addr, sizeof m->addr);
		if (option(word + 1, "port", port, sizeof port))
			m->port = (uint16_t)strtoul(port, NULL, 10);
	}
	return true;
}

int
mounts_each(mounts_fn *fn, void *ctx)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	struct mount_entry m;
	char *line = NULL;
	size_t size = 0;

	if (f == NULL)
		return errno;
	while (getline(&line, &size, f) != -1)
		if (parse(line, &m) && !fn(ctx, &m))
			break;
	free(line);
	fclose(f);
	return 0;
}

struct search {
	const char		*dir;
	struct mount_entry	*found;
	bool			 any;
};

static bool
look(void *ctx, const struct mount_entry *m)
{
	struct search *s = ctx;

	if (strcmp(m->dir, s->dir) == 0) {
		*s->found = *m;
		s->any = true;
	}
	return true;
}

bool
mounts_find(const char *dir, struct mount_entry *m)
{
	struct search s = { dir, m, false };

	return mounts_each(look, &s) == 0 && s.any;
}

struct place_search {
	const char		*dir, *addr;
	uint16_t		 port;
	struct mount_entry	*found;
	enum mounts_place	 place;
};

static bool
look_place(void *ctx, const struct mount_entry *m)
{
	struct place_search *s = ctx;

	if (strcmp(m->dir, s->dir) != 0)
		return true;
	if (mounts_is_nfs(m) && m->port == s->port && (s->addr == NULL ?
	    mounts_is_local(m) : strcmp(m->addr, s->addr) == 0)) {
		*s->found = *m;
		s->place = MOUNTS_TOP;
	} else if (s->place == MOUNTS_TOP) {
		s->place = MOUNTS_BENEATH;
	}
	return true;
}

enum mounts_place
mounts_place(const char *dir, const char *addr, uint16_t port,
    struct mount_entry *m)
{
	struct place_search s = { dir, addr, port, m, MOUNTS_NOT };

	return mounts_each(look_place, &s) == 0 ? s.place : MOUNTS_NOT;
}

bool
mounts_is_nfs(const struct mount_entry *m)
{
	return strcmp(m->type, "nfs") == 0 || strcmp(m->type, "nfs4") == 0;
}

bool
mounts_is_local(const struct mount_entry *m)
{
	return mounts_is_nfs(m) && (strncmp(m->addr, "127.", 4) == 0 ||
	    strcmp(m->addr, "::1") == 0);
}

/* Looked up, and not tried: a server says who has come and said nothing. */
bool
mounts_is_dead(const struct mount_entry *m)
{
	char who[128];

	return mounts_is_local(m) &&
	    !server_port_holder(m->port, who, sizeof who);
}

int
mounts_path(const char *dir, char path[PATH_MAX])
{
	char text[2 * PATH_MAX], *word, *save = NULL, *slash;
	size_t n = 0;

	if (strlen(dir) >= PATH_MAX)
		return ENAMETOOLONG;
	text[0] = '\0';
	if (*dir != '/') {
		if (getcwd(text, PATH_MAX) == NULL)
			return errno;
		strcat(text, "/");
	}
	strcat(text, dir);
	path[0] = '\0';
	for (word = strtok_r(text, "/", &save); word != NULL;
	    word = strtok_r(NULL, "/", &save)) {
		if (strcmp(word, ".") == 0)
			continue;
		if (strcmp(word, "..") == 0) {
			slash = strrchr(path, '/');
			n = slash == NULL ? 0 : (size_t)(slash - path);
			path[n] = '\0';
			continue;
		}
		if (n + strlen(word) + 2 > PATH_MAX)
			return ENAMETOOLONG;
		n += (size_t)sprintf(path + n, "/%s", word);
	}
	if (n == 0)
		strcpy(path, "/");
	return 0;
}
