/*
 * What a killed server leaves behind: its record, which names its mounts.
 * Whoever touches one of those waits for ever, so they go lazily; there is
 * nobody any more to write back to.
 */
#include "base/json.h"
#include "base/log.h"
#include "pinefs/mount.h"

enum { LINE = 4 * PATH_MAX };

/* What is left of a mount. */
enum left { GONE, SERVED, DEAD, DEAD_BENEATH };

/*
 * Its mount, and not another one of later at the same place?  SERVED: the
 * kernel's client has not noticed, somebody serves the port again.
 */
static enum left
look(const struct control_record *r, const char *dir, struct mount_entry *m)
{
	enum mounts_place place = mounts_place(dir, NULL,
	    (uint16_t)json_get_uint(json_find(r->json, "port")), m);

	return place == MOUNTS_NOT ? GONE : !mounts_is_dead(m) ? SERVED :
	    place == MOUNTS_TOP ? DEAD : DEAD_BENEATH;
}

static void
say_dead(const struct control_record *r, const char *dir, enum left left)
{
	if (left == DEAD)
		log_warning("server %ld was killed, and is still mounted on "
		    "%s\ntry: pinefs umount %s", (long)r->pid, dir, dir);
	else
		log_warning("server %ld was killed, and is still mounted on "
		    "%s, beneath something else\ntry: umount %s, then pinefs "
		    "umount %s", (long)r->pid, dir, dir, dir);
}

/* Whether nothing is left that this record is needed for. */
static bool
clear_mount(const struct control_record *r, const char *dir)
{
	struct mount_entry m;
	enum left left = look(r, dir, &m);
	char line[LINE];
	int err;

	if (left == DEAD_BENEATH)
		say_dead(r, dir, left);
	if (left != DEAD)
		return left == GONE;
	err = unmount_dead(dir, m.addr, m.port);
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
	struct mount_entry entry;
	char dir[PATH_MAX];
	enum left left;
	bool any = false;

	for (; m != NULL; m = json_next(m)) {
		if (!json_get_text(m, dir, sizeof dir) ||
		    (left = look(r, dir, &entry)) == GONE)
			continue;
		any = true;
		if (left != SERVED)
			say_dead(r, dir, left);
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
