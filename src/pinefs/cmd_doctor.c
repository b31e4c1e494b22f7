/*
 * pinefs doctor: what works here, and what to do about the rest; and where the
 * values of options come from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "pinefs/checks.h"
#include "pinefs/commands.h"
#include "pinefs/features.h"

extern char **environ;

struct doctor {
	bool	json;
};

static const struct cli_row rows[] = {
	{ 0, "json", NULL, NULL, NULL,
	    "an object a line, for programs: pinefs-json(5)" },
	{ 0, NULL, NULL, NULL, NULL, NULL }
};

/* --------------------------------------------------------------- printing -- */

static const char *const words[] = { "ok", "note", "missing" };

static void
print_json(struct json *j)
{
	json_end(j);
	if (!j->bad)
		fputs(j->text, stdout);
	json_free(j);
}

static void
print_check(const struct doctor *d, const struct check *c)
{
	struct json j = { 0 };
	char shown[4 * sizeof c->found];

	if (!d->json) {
		printf("%-8s %-13s %s\n", words[c->status], c->name,
		    log_escape(shown, sizeof shown, c->found,
		    strlen(c->found)));
		if (c->advice[0] != '\0')
			printf("%-22s try: %s\n", "", c->advice);
		return;
	}
	json_begin(&j);
	json_string(&j, "type", "check");
	json_string(&j, "name", c->name);
	json_string(&j, "status", words[c->status]);
	json_string(&j, "found", c->found);
	json_string(&j, "advice", c->advice);
	print_json(&j);
}

static void
print_feature(const struct doctor *d, const struct feature *f)
{
	struct json j = { 0 };

	if (!d->json) {
		printf("%-8s %-13s %s\n", f->built ? "built" : "not built",
		    f->name, f->what);
		return;
	}
	json_begin(&j);
	json_string(&j, "type", "feature");
	json_string(&j, "name", f->name);
	json_bool(&j, "built", f->built);
	json_string(&j, "for", f->what);
	print_json(&j);
}

/* `name` NULL: no option has this variable. */
static void
print_option(const struct doctor *d, const char *name, const char *variable,
    const char *value)
{
	struct json j = { 0 };
	char shown[256];

	if (!d->json) {
		log_escape(shown, sizeof shown, value, strlen(value));
		if (name != NULL)
			printf("option   --%s %s, by %s\n", name, shown,
			    variable);
		else
			printf("note     %s=%s: no option has this name\n",
			    variable, shown);
		return;
	}
	json_begin(&j);
	json_string(&j, "type", "option");
	json_string(&j, "name", name == NULL ? "" : name);
	json_string(&j, "value", value);
	json_string(&j, "from", "environment");
	json_string(&j, "variable", variable);
	print_json(&j);
}

/* ---------------------------------------------------------------- looking -- */

static void
look_at_machine(const struct doctor *d)
{
	static const struct {
		const char	*name;
		void		(*fn)(struct check *);
	} checks[] = {
		{ "nfs-client", check_nfs_client },
		{ "mount-rights", check_mount_rights },
		{ "mount-helper", check_mount_helper },
		{ "python", check_python },
		{ "portmapper", check_portmapper },
		{ "state-dir", check_state_dir },
		{ "run-dir", check_run_dir },
		{ "fuse", check_fuse },
		{ "io_uring", check_io_uring },
	};
	struct check c;
	unsigned i;

	for (i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		c = (struct check){ .name = checks[i].name };
		checks[i].fn(&c);
		print_check(d, &c);
	}
	c = (struct check){ .name = "port" };
	check_port(&c, 2049, "--port");
	print_check(d, &c);
	c = (struct check){ .name = "mount-port" };
	check_port(&c, 5555, "--mount-port");
	print_check(d, &c);
}

/* The option of a server that this is the variable of; or NULL. */
static const struct cli_row *
row_of(const char *variable, size_t len)
{
	const struct cli_row *row;
	char name[64];
	unsigned i;

	for (i = 0; (row = command_row(&cmd_serve, i)) != NULL; i++)
		if (cli_variable(row, name, sizeof name) != NULL &&
		    strlen(name) == len && memcmp(name, variable, len) == 0)
			return row;
	return NULL;
}

static void
look_at_environment(const struct doctor *d)
{
	const struct cli_row *row;
	char variable[128];
	char **e;
	size_t n;

	for (e = environ; *e != NULL; e++) {
		n = strcspn(*e, "=");
		if (strncmp(*e, "PINEFS_", 7) != 0 || (*e)[n] == '\0' ||
		    n >= sizeof variable)
			continue;
		memcpy(variable, *e, n);
		variable[n] = '\0';
		if (strcmp(variable, "PINEFS_PYTHON") == 0)
			continue;	/* check_python has said it */
		row = row_of(*e, n);
		print_option(d, row == NULL ? NULL : row->name, variable,
		    *e + n + 1);
	}
}

static int
doctor_main(int argc, char **argv)
{
	struct doctor d = { .json = false };
	const struct feature *f;
	int status, rest;

	status = command_parse(&cmd_doctor, argc, argv, command_flag, &d.json,
	    &rest);
	if (status != 0)
		return status;
	if (rest < argc) {
		log_error("'%s' is not understood; try pinefs help doctor",
		    argv[rest]);
		return EXIT_USAGE;
	}
	look_at_machine(&d);
	for (f = features(); f->name != NULL; f++)
		print_feature(&d, f);
	look_at_environment(&d);
	return 0;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "what works here, and what to do about the rest",
	.rows = rows,
	.more = "Options that no PINEFS_ variable sets have the defaults of "
	    "pinefs help serve.\n",
	.main = doctor_main,
};
