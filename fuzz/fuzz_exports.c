/*
 * A file of exports(5) of any bytes.  What is taken is within the limits of
 * exports_parse.h, in order, and each directory and client is there once; what
 * is not is said, in lines of the file.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "pinefs/exports_parse.h"

struct said {
	unsigned	n, last;	/* the line behind the last one */
};

static void
say(void *arg, unsigned line, const char *what)
{
	struct said *said = arg;

	assert(line > 0 && line <= said->last && *what != '\0');
	said->n++;
}

/* Of a host: nothing that is wrong with the file. */
static void
warn(void *arg, unsigned line, const char *what)
{
	const struct said *said = arg;

	assert(line > 0 && line <= said->last && *what != '\0');
}

/* As many addresses as the name is long, of its own letters. */
static unsigned
resolve(void *arg, const char *host, uint8_t (*addr)[16], unsigned max,
    const char **why)
{
	unsigned n = (unsigned)strlen(host) % (max + 1), i;

	(void)arg;
	*why = "no such host";
	for (i = 0; i < n; i++) {
		memset(addr[i], host[i % strlen(host)], 16);
		addr[i][15] = (uint8_t)i;
	}
	return n;
}

static void
check_dir(const struct exports_dir *dir)
{
	const struct exports_client *a, *b;
	unsigned i, j;

	assert(dir->path[0] == '/' && dir->n <= EXPORTS_CLIENTS);
	assert(strstr(dir->path, "//") == NULL);
	assert(strcmp(dir->path, "/") == 0 ||
	    dir->path[strlen(dir->path) - 1] != '/');
	for (i = 0; i < dir->n; i++) {
		a = &dir->client[i];
		assert(a->bits <= 128 && a->text != NULL &&
		    a->rules.squash != NULL && a->rules.async == dir->async);
		if (i == 0)
			continue;
		b = &dir->client[i - 1];
		/* Hosts, networks, everybody. */
		assert(b->bits == 128 || (a->bits < 128 && b->bits > 0));
		for (j = 0; j < i && i < 64; j++)
			assert(dir->client[j].bits != a->bits ||
			    memcmp(dir->client[j].addr, a->addr, 16) != 0);
	}
}

static void
check(const struct exports_text *t)
{
	unsigned i, j;

	assert(t->n <= EXPORTS_DIRS);
	for (i = 0; i < t->n; i++) {
		check_dir(&t->dir[i]);
		for (j = 0; j < i; j++)
			assert(strcmp(t->dir[i].path, t->dir[j].path) != 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct exports_text t;
	struct said said = { .last = 1 };
	const struct exports_help help = { resolve, say, warn, &said };
	size_t i;
	int err;

	for (i = 0; i < size; i++)
		said.last += data[i] == '\n';
	err = exports_parse(&t, (const char *)data, size, &help);
	assert((err == EINVAL) == (said.n > 0));
	if (err == 0)
		check(&t);
	exports_text_fini(&t);
	return 0;
}
