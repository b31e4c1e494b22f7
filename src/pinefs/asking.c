/* Asking a running server.  See asking.h. */
#include "pinefs/asking.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "server/cli.h"
#include "server/control_client.h"

uint64_t
asking_uint(const char *line, const char *key)
{
	return json_get_uint(json_find(line, key));
}

double
asking_real(const char *line, const char *key)
{
	return json_get_real(json_find(line, key));
}

const char *
asking_text(const char *line, const char *key, char *to, size_t size)
{
	char text[1024];

	if (!json_get_text(json_find(line, key), text, sizeof text))
		text[0] = '\0';
	return log_escape(to, size, text, strlen(text));
}

bool
asking_has(const char *line, const char *key)
{
	return json_find(line, key) != NULL;
}

bool
asking_is(const char *line, const char *type)
{
	char text[32];

	return strcmp(asking_text(line, "type", text, sizeof text), type)
	    == 0;
}

int
asking_print(void *ctx, const char *line)
{
	(void)ctx;
	puts(line);
	return fflush(stdout) == 0 ? 0 : EXIT_IOERR;
}

int
asking_id(struct asking *a, int argc, char **argv, int first)
{
	if (first < argc)
		a->id = argv[first++];
	if (first == argc)
		return 0;
	log_error("'%s' is not understood; try pinefs help %s", argv[first],
	    argv[0]);
	return EXIT_USAGE;
}

static int
say_silent(long pid, int err)
{
	log_error("server %ld does not answer: %s; pinefs ls lists those that "
	    "run", pid, err == EAGAIN ? "it is stopped, or busy" :
	    strerror(err));
	return EXIT_UNAVAILABLE;
}

/* One in which fn has not seen the end has none, but for a server that ended. */
static int
each_line(FILE *f, long pid, asking_fn *fn, void *ctx)
{
	char *line = NULL, why[256];
	size_t size = 0;
	int status = 0;
	ssize_t n;

	errno = 0;
	while (status == 0 && (n = getline(&line, &size, f)) > 0) {
		control_wait_on(f);
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (!asking_is(line, "error")) {
			status = fn(ctx, line);
			continue;
		}
		log_error("the server says: %s",
		    asking_text(line, "message", why, sizeof why));
		status = EXIT_UNAVAILABLE;
	}
	free(line);
	if (status == 0 && errno == EAGAIN)
		return say_silent(pid, EAGAIN);
	if (status == 0) {
		log_error("server %ld has ended, or closed the connection",
		    pid);
		return EXIT_IOERR;
	}
	return status == ASKING_ENOUGH ? 0 : status;
}

int
asking_run(const char *id, const char *request, asking_fn *fn, void *ctx)
{
	struct control_record r;
	int status = control_find_any(id, &r);
	FILE *f;

	if (status != 0)
		return status;
	if ((f = control_ask(&r, request)) == NULL) {
		status = say_silent((long)r.pid, errno);
	} else {
		status = each_line(f, (long)r.pid, fn, ctx);
		fclose(f);
	}
	free(r.json);
	return status;
}
