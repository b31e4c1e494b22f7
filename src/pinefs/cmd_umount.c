/* pinefs umount DIR: unmount it; a server that was made for it ends. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "pinefs/commands.h"
#include "pinefs/mount.h"

static const struct cli_row rows[] = {
	{ 'l', "lazy", NULL, NULL, NULL,
	    "also if it is in use: who uses it keeps what is open" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

/* Our servers know what they are mounted on; others are none of ours. */
static int
check(const char *dir, char path[PATH_MAX], struct mount_entry *m)
{
	if (mounts_path(dir, path) != 0 ||
	    !mounts_find(path, m)) {
		log_error("nothing is mounted on %s\ntry: pinefs ls", dir);
		return EXIT_NOINPUT;
	}
	if (mounts_is_nfs(m))
		return 0;
	log_error("%s is a mount of %s, not of pinefs\ntry: umount %s", path,
	    m->type, path);
	return EXIT_USAGE;
}

static bool
is_of(const struct control_record *r, const struct mount_entry *m)
{
	return mounts_is_local(m) &&
	    json_get_uint(json_find(r->json, "port")) == m->port;
}

/* Tell the server, and end it if that was what it was there for. */
static void
tell(const struct control_record *r, const char *dir)
{
	if (!r->alive)
		control_forget(r);
	else if (!server_unmounted(r, dir))
		return;
	else if (server_is_left(r))
		(void)server_stop(r);
	else
		log_info("server %ld goes on, for files that are open; "
		    "pinefs stop %ld ends it", (long)r->pid, (long)r->pid);
}

static void
tell_server(const struct mount_entry *m)
{
	struct control_record *list;
	unsigned n, i;

	if (control_list(&list, &n) != 0)
		return;
	for (i = 0; i < n; i++)
		if (is_of(&list[i], m))
			tell(&list[i], m->dir);
	control_list_free(list, n);
}

/* Nobody serves it any more, or somebody does. */
static int
unmount(const struct mount_entry *m, bool lazy)
{
	int err;

	if (!mounts_is_dead(m))
		return unmount_patiently(m->dir, lazy);
	err = unmount_dead(m->dir, m->addr, m->port);
	return err == 0 ? 0 : unmount_say(m->dir, UNMOUNT_DEAD, err);
}

static int
umount_main(int argc, char **argv)
{
	char path[PATH_MAX];
	struct mount_entry m;
	bool lazy = false;
	int status, rest;

	status = command_parse(&cmd_umount, argc, argv, command_flag, &lazy,
	    &rest);
	if (status != 0)
		return status;
	if (rest + 1 != argc) {
		log_error("umount what? One directory\ntry: pinefs ls");
		return EXIT_USAGE;
	}
	if ((status = check(argv[rest], path, &m)) != 0)
		return status;
	if ((status = unmount(&m, lazy)) == 0)
		tell_server(&m);
	return status;
}

const struct command cmd_umount = {
	.name = "umount",
	.operands = "DIR",
	.summary = "unmount it; a server that was made for it ends",
	.rows = rows,
	.main = umount_main,
};
