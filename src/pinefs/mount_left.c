/*
 * What a killed server leaves behind: its record, which names its mounts.
 * Whoever touches one of those waits for ever, so they go lazily; there is
 * nobody any more to write back to.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "pinefs/mount.h"

enum { LINE = 4 * PATH_MAX };

/* Its mount, and not another one of later at the same place? */
static bool
is_its(const struct control_record *r, const char *dir)
{
	struct mount_entry m;

	return mounts_find(dir, &m) && mounts_is_local(&m) &&
	    m.port == json_get_uint(json_find(r->json, "port"));
}

/* Whether it is gone. */
static bool
clear_mount(const struct control_record *r, const char *dir)
{
	char line[LINE], addr[MOUNT_HOST];
	int err;

	if (!is_its(r, dir))
		return true;
	if (!json_get_text(json_find(r->json, "addr"), addr, sizeof addr))
		strcpy(addr, "127.0.0.1");
	err = unmount_dead(dir, addr,
	    (uint16_t)json_get_uint(json_find(r->json, "port")));
	if (err == 0) {
		log_info("server %ld was killed: its mount on %s is cleared",
		    (long)r->pid, dir);
		return true;
	}
	unmount_line(dir, UNMOUNT_DEAD, line, sizeof line);
	log_warning("server %ld was killed, and is still mounted on %s\n"
	    "try: %s", (long)r->pid, dir, line);
	return false;
}

static void
clear_record(const struct control_record *r)
{
	const char *m = json_first(json_find(r->json, "mounts"));
	char dir[PATH_MAX];
	bool all = true;

	for (; m != NULL; m = json_next(m))
		if (json_get_text(m, dir, sizeof dir) && !clear_mount(r, dir))
			all = false;
	if (all)
		control_forget(r);
}

/* Mounts of servers that nobody knows of; they are not for us to clear. */
static bool
name_dead(void *ctx, const struct mount_entry *m)
{
	(void)ctx;
	if (mounts_is_dead(m))
		log_warning("%s is mounted from port %u of this machine, "
		    "where nobody serves any more\ntry: pinefs umount %s",
		    m->dir, (unsigned)m->port, m->dir);
	return true;
}

static bool
name_mounts(const struct control_record *r)
{
	const char *m = json_first(json_find(r->json, "mounts"));
	char dir[PATH_MAX];
	bool any = false;

	for (; m != NULL; m = json_next(m)) {
		if (!json_get_text(m, dir, sizeof dir) || !is_its(r, dir))
			continue;
		any = true;
		log_warning("server %ld was killed, and is still mounted on "
		    "%s\ntry: pinefs umount %s", (long)r->pid, dir, dir);
	}
	return any;
}

void
left_name(void)
{
	struct control_record *list;
	unsigned n, i;

	if (control_list(&list, &n) != 0)
		return;
	for (i = 0; i < n; i++)
		if (!list[i].alive && !name_mounts(&list[i]))
			control_forget(&list[i]);
	control_list_free(list, n);
	(void)mounts_each(name_dead, NULL);
}

void
left_clear(void)
{
	struct control_record *list;
	unsigned n, i;

	if (control_list(&list, &n) != 0)
		return;		/* who needs the directory says so */
	for (i = 0; i < n; i++)
		if (!list[i].alive)
			clear_record(&list[i]);
	control_list_free(list, n);
	(void)mounts_each(name_dead, NULL);
}
