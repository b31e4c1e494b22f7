/*
 * Who keeps a mount busy: processes with their root, their current directory,
 * an open file or a mapping there.  Their links in /proc are read and never
 * followed, as that would ask a server which may be gone.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "pinefs/mount.h"

enum { MOST_SHOWN = 10 };

static bool
is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0' || path[n] == ' ');
}

static bool
link_is_below(const char *link, const char *dir)
{
	char to[PATH_MAX];
	ssize_t n = readlink(link, to, sizeof to - 1);

	if (n <= 0)
		return false;
	to[n] = '\0';
	return is_below(to, dir);
}

/* Any of the links in /proc/PID/fd or map_files. */
static bool
any_link_is_below(const char *place, const char *dir)
{
	char path[PATH_MAX];
	struct dirent *e;
	bool found = false;
	DIR *d = opendir(place);

	if (d == NULL)
		return false;
	while (!found && (e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", place, e->d_name);
		found = link_is_below(path, dir);
	}
	closedir(d);
	return found;
}

/* /proc/PID/maps, whose lines end in the path. */
static bool
maps_it(const char *maps, const char *dir)
{
	FILE *f = fopen(maps, "re");
	char *line = NULL, *path;
	size_t size = 0;
	bool found = false;

	if (f == NULL)
		return false;
	while (!found && getline(&line, &size, f) != -1)
		found = (path = strchr(line, '/')) != NULL &&
		    is_below(path, dir);
	free(line);
	fclose(f);
	return found;
}

static const char *
use_of(const char *pid, const char *dir)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%.20s/cwd", pid);
	if (link_is_below(path, dir))
		return "is in a directory there";
	snprintf(path, sizeof path, "/proc/%.20s/root", pid);
	if (link_is_below(path, dir))
		return "has its root there";
	snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
	if (any_link_is_below(path, dir))
		return "has a file open there";
	snprintf(path, sizeof path, "/proc/%.20s/maps", pid);
	return maps_it(path, dir) ? "has a file mapped there" : NULL;
}

static void
name_of(const char *pid, char *name, size_t size)
{
	char path[64], text[64];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
	snprintf(name, size, "?");
	if ((f = fopen(path, "re")) == NULL)
		return;
	if (fgets(text, sizeof text, f) != NULL)
		log_escape(name, size, text, strcspn(text, "\n"));
	fclose(f);
}

void
holders_say(const char *dir)
{
	char name[80];
	const char *use;
	struct dirent *e;
	unsigned n = 0;
	DIR *d = opendir("/proc");

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)e->d_name[0]) ||
		    (use = use_of(e->d_name, dir)) == NULL)
			continue;
		name_of(e->d_name, name, sizeof name);
		if (n++ < MOST_SHOWN)
			log_warning("%s is in use: %s, process %s, %s", dir,
			    name, e->d_name, use);
	}
	if (d != NULL)
		closedir(d);
	if (n > MOST_SHOWN)
		log_warning("%s is in use by %u more", dir, n - MOST_SHOWN);
	if (n == 0)
		log_warning("%s is in use, by whom is not to be seen%s", dir,
		    geteuid() == 0 ? ": a mount below it, or the kernel" :
		    " but by root");
}
