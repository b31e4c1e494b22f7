/*
 * File systems that block, several in one server: blocking PATH...  With
 * "slow" in its path it is one whose operations all block, and end the
 * program if they are called on a thread that is not its own; the others are
 * memory.
 */
#include <pinefs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/memfs.h"

enum { ROOT = 100, FILE_ID = 101 };

static const char text[] = "slow\n";
static _Thread_local const void *on;	/* whose thread this is */

static void
begin(void *arg)
{
	on = arg;
}

static void
end(void *arg)
{
	(void)arg;
	on = NULL;
}

static void
check(const struct pinefs_call *call, const char *op)
{
	if (on == pinefs_arg(pinefs_call_fs(call)))
		return;
	fprintf(stderr, "%s on a thread of somebody else\n", op);
	abort();
}

static int
slow_lookup(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_ident *id)
{
	(void)node;
	check(call, "lookup");
	if (name.len != 4 || memcmp(name.base, "file", 4) != 0)
		return ENOENT;
	*id = (struct pinefs_ident){ .fileid = FILE_ID };
	return 0;
}

static int
slow_getattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t want, struct pinefs_attr *a)
{
	struct pinefs_ident id;

	(void)want;
	check(call, "getattr");
	pinefs_node_ident(node, &id);
	a->have = PINEFS_TYPE | PINEFS_CHANGE | PINEFS_SIZE;
	a->type = id.fileid == ROOT ? PINEFS_DIR : PINEFS_REG;
	a->change = 5;
	a->size = sizeof text - 1;
	return 0;
}

static int
slow_readdir(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, struct pinefs_emit *emit)
{
	static const struct pinefs_ident id = { .fileid = FILE_ID };
	static const struct pinefs_name name = { "file", 4 };

	(void)node;
	check(call, "readdir");
	if (after == 0)
		pinefs_emit(emit, name, &id, 1, NULL);
	return 0;
}

static int
slow_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	(void)node;
	check(call, "read");
	return pinefs_out_slice(out, text, sizeof text - 1, off, count);
}

static struct pinefs *
slow_new(void *arg, struct pinefs_executor *x)
{
	static const struct pinefs_ident root = { .fileid = ROOT };
	struct pinefs_ops ops = { .flags = PINEFS_STABLE_IDS,
	    .blocking = ~UINT64_C(0), .lookup = slow_lookup,
	    .getattr = slow_getattr, .readdir = slow_readdir,
	    .read = slow_read, .executor = x };
	struct pinefs *fs;

	*x = (struct pinefs_executor){ .threads = 1, .begin = begin,
	    .end = end, .arg = arg };
	fs = pinefs_new(&ops, arg);
	if (fs != NULL)
		pinefs_set_root(fs, &root);
	return fs;
}

int
main(int argc, char **argv)
{
	static struct pinefs_executor executors[16];
	static const char *const options[][2] = { { "port", "2049" },
	    { "mount-port", "0" }, { "portmap", "no" }, { "tcp-only", "yes" },
	    { "state-dir", "/tmp/state" } };
	struct pinefs_server *s;
	struct pinefs *fs;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (argc > 16 || pinefs_server_new(&s) != 0)
		return 1;
	for (int i = 0; i < 5; i++)
		if (pinefs_set(s, options[i][0], options[i][1]) != 0)
			return 1;
	for (int i = 1; i < argc; i++) {
		fs = strstr(argv[i], "slow") != NULL ? slow_new(argv[i],
		    &executors[i]) : memfs_new(16 << 20, 0);
		if (fs == NULL || pinefs_export(s, argv[i], fs) != 0)
			return 1;
	}
	if (pinefs_start(s) != 0)
		return 1;
	sigwait(&set, &sig);
	return pinefs_stop(s, 1000) != 0;
}
