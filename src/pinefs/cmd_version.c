/* pinefs version [--features]: what is built in. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "pinefs/commands.h"
#include "pinefs/features.h"

static const struct cli_row rows[] = {
	{ 0, "features", NULL, NULL, NULL,
	    "what is built in, and what is missing" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

static int
take(void *ctx, const struct cli_row *row, const char *arg)
{
	bool *show = ctx;

	(void)row, (void)arg;
	*show = true;
	return 0;
}

/* "name: yes, what for", a line each. */
static void
print_features(void)
{
	const struct feature *f;

	for (f = features(); f->name != NULL; f++)
		printf("%-10s %-4s %s\n", f->name, f->built ? "yes" : "no",
		    f->what);
}

static int
version_main(int argc, char **argv)
{
	bool show = false;
	int status, rest;

	status = command_parse(&cmd_version, argc, argv, take, &show, &rest);
	if (status != 0)
		return status;
	if (rest < argc) {
		log_error("'%s' is not understood; try pinefs help version",
		    argv[rest]);
		return EXIT_USAGE;
	}
	printf("pinefs %s\n", pinefs_version());
	if (show)
		print_features();
	return 0;
}

const struct command cmd_version = {
	.name = "version",
	.operands = "",
	.summary = "the version; --features: what is built in",
	.rows = rows,
	.main = version_main,
};
