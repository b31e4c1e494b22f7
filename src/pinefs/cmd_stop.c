/* pinefs stop [ID]: unmount what a server is mounted on, and end it. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "pinefs/commands.h"
#include "pinefs/mount.h"

static const struct cli_row rows[] = {
	{ 'l', "lazy", NULL, NULL, NULL,
	    "also if its mounts are in use" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

/* The mounts that it knows of, and that are still its own. */
static int
unmount_all(const struct control_record *r, bool lazy)
{
	const char *v = json_first(json_find(r->json, "mounts"));
	uint16_t port = (uint16_t)json_get_uint(json_find(r->json, "port"));
	enum mounts_place place;
	struct mount_entry m;
	char dir[PATH_MAX];
	int status = 0;

	for (; v != NULL && status == 0; v = json_next(v)) {
		if (!json_get_text(v, dir, sizeof dir) || (place =
		    mounts_place(dir, NULL, port, &m)) == MOUNTS_NOT)
			continue;
		if (place == MOUNTS_BENEATH) {
			log_error("something else is mounted over %s\n"
			    "try: umount %s, then the same again", dir, dir);
			return EXIT_UNAVAILABLE;
		}
		status = unmount_patiently(dir, lazy);
		if (status == 0 && !lazy)
			(void)server_is_left(r);
	}
	return status;
}

static int
stop_main(int argc, char **argv)
{
	struct control_record r;
	bool lazy = false;
	int status, rest;

	status = command_parse(&cmd_stop, argc, argv, command_flag, &lazy,
	    &rest);
	if (status == 0 && argc - rest > 1) {
		log_error("stop which one? One ID\ntry: pinefs ls");
		status = EXIT_USAGE;
	}
	if (status != 0)
		return status;
	if ((status = control_find(rest < argc ? argv[rest] : NULL, &r)) != 0)
		return status;
	status = unmount_all(&r, lazy);
	if (status == 0 && !server_stop(&r)) {
		log_error("server %ld does not end\ntry: kill -9 %ld",
		    (long)r.pid, (long)r.pid);
		status = EXIT_UNAVAILABLE;
	}
	free(r.json);
	return status;
}

const struct command cmd_stop = {
	.name = "stop",
	.operands = "[ID]",
	.summary = "unmount what a server is mounted on, and end it",
	.rows = rows,
	.more = "ID is as pinefs ls shows it, :PORT, or a directory it is "
	    "mounted on; without,\nit is the only server that runs.\n",
	.main = stop_main,
};
