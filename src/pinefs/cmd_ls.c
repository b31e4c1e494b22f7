/* pinefs ls [--json]: the servers of this user, and what is left of others. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "pinefs/asking.h"
#include "pinefs/commands.h"
#include "pinefs/mount.h"

enum { CELL = 256 };

static const struct cli_row rows[] = {
	{ 0, "json", NULL, NULL, NULL,
	    "an object a line, for programs: pinefs-json(5)" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

/* Its record, with whether it runs. */
static void
print_json(const struct control_record *r)
{
	size_t len = strcspn(r->json, "\n");

	while (len > 0 && r->json[len - 1] != '}')
		len--;
	printf("%.*s,\"alive\":%s}\n", (int)len - 1, r->json,
	    r->alive ? "true" : "false");
}

/* "/a, /b", escaped. */
static void
join_mounts(const char *json, char *to, size_t size)
{
	const char *m = json_first(json_find(json, "mounts"));
	char dir[PATH_MAX], shown[CELL];
	size_t n = 0;

	to[0] = '\0';
	for (; m != NULL && n + 2 < size; m = json_next(m)) {
		if (!json_get_text(m, dir, sizeof dir))
			continue;
		log_escape(shown, sizeof shown, dir, strlen(dir));
		snprintf(to + n, size - n, "%s%s", n == 0 ? "" : ", ", shown);
		n = strlen(to);
	}
}

static void
print_row(const struct control_record *r)
{
	char what[CELL], mounts[4 * CELL], addr[CELL], where[2 * CELL];

	join_mounts(r->json, mounts, sizeof mounts);
	asking_text(r->json, "addr", addr, sizeof addr);
	snprintf(where, sizeof where, strchr(addr, ':') != NULL ?
	    "[%s]:%" PRIu64 : "%s:%" PRIu64, addr,
	    asking_uint(r->json, "port"));
	printf("%-8" PRIu64 " %-22s %-20s %s%s\n",
	    asking_uint(r->json, "pid"), where,
	    asking_text(r->json, "what", what, sizeof what),
	    r->alive ? "" : "killed ", mounts);
}

static int
ls_main(int argc, char **argv)
{
	struct control_record *list;
	bool json = false;
	int status, rest, err;
	unsigned n, i;

	status = command_parse(&cmd_ls, argc, argv, command_flag, &json,
	    &rest);
	if (status == 0 && rest < argc) {
		log_error("'%s' is not understood; try pinefs help ls",
		    argv[rest]);
		status = EXIT_USAGE;
	}
	if (status != 0)
		return status;
	left_name();
	if ((err = control_list(&list, &n)) != 0)
		return mount_no_run_directory(err);
	if (!json)
		printf("%-8s %-22s %-20s %s\n", "ID", "ADDRESS", "SERVES",
		    "MOUNTED ON");
	for (i = 0; i < n; i++) {
		if (json)
			print_json(&list[i]);
		else
			print_row(&list[i]);
	}
	control_list_free(list, n);
	return 0;
}

const struct command cmd_ls = {
	.name = "ls",
	.operands = "",
	.summary = "your servers that run, where, and on what they are mounted",
	.rows = rows,
	.main = ls_main,
};
