/*
 * The overlay of an archive, by many threads at once (the thread sanitizer
 * looks on), and what is left of it in the end.
 */
#include <errno.h>
#include <stdatomic.h>

#include "base/log.h"
#include "overlay_rig.h"

enum { THREADS = 4, STEPS = 1500, LEN = 7 };

/* What one thread does at a time. */
struct doing {
	unsigned	seed;
	char		letter;
	const char	*dir, *to;
	char		name[16], new_name[16];
	unsigned	step;
};

static int
find(struct pinefs_call *call, const char *dir, const char *name,
    struct pinefs_node **d, struct pinefs_node **n)
{
	int err = vfs_lookup(call, root, rig_name(dir), d);

	return err != 0 || n == NULL ? err :
	    vfs_lookup(call, *d, rig_name(name), n);
}

static int
do_create(struct pinefs_call *call, struct doing *w)
{
	struct pinefs_create how = { .type = PINEFS_REG,
	    .exclusive = PINEFS_GUARDED };
	struct pinefs_node *d, *n;
	struct vfs_wcc wcc;
	int err = find(call, w->dir, NULL, &d, NULL);

	return err != 0 ? err : vfs_create(call, d, rig_name(w->name), &how,
	    &n, &wcc);
}

static int
do_remove(struct pinefs_call *call, struct doing *w)
{
	struct pinefs_node *d;
	struct vfs_wcc wcc;
	int err = find(call, w->dir, NULL, &d, NULL);

	return err != 0 ? err : vfs_remove(call, d, rig_name(w->name),
	    PINEFS_REMOVE_FILE, &wcc);
}

static int
do_rename(struct pinefs_call *call, struct doing *w)
{
	struct pinefs_node *d, *to;
	struct vfs_wcc a, b;
	int err = find(call, w->dir, NULL, &d, NULL);

	if (err == 0)
		err = find(call, w->to, NULL, &to, NULL);
	return err != 0 ? err : vfs_rename(call, d, rig_name(w->name), to,
	    rig_name(w->new_name), &a, &b);
}

static int
do_link(struct pinefs_call *call, struct doing *w)
{
	struct pinefs_node *d, *n, *to;
	struct vfs_wcc wcc;
	int err = find(call, w->dir, w->name, &d, &n);

	if (err == 0)
		err = find(call, w->to, NULL, &to, NULL);
	return err != 0 ? err : vfs_link(call, n, to, rig_name(w->new_name),
	    &wcc);
}

static int
do_write(struct pinefs_call *call, struct doing *w)
{
	char bytes[LEN];
	struct vfs_write vw = { .data = xdr_view(bytes, sizeof bytes) };
	struct pinefs_node *d, *n;
	int err = find(call, w->dir, w->name, &d, &n);

	memset(bytes, w->letter, sizeof bytes);
	return err != 0 ? err : vfs_write(call, n, &vw);
}

/* Whole writes are seen, or what the archive has, or nothing yet. */
static int
do_read(struct pinefs_call *call, struct doing *w)
{
	struct pinefs_node *d, *n;
	struct vfs_data data;
	char got[64];
	size_t i, len;
	int err = find(call, w->dir, w->name, &d, &n);

	if (err != 0 || (err = vfs_read(call, n, 0, sizeof got, &data)) != 0)
		return err;
	len = rig_flat(&data.bytes, got, sizeof got);
	CHECK(len == 0 || len == LEN);
	if (len > 0 && memcmp(got, "archive", LEN) != 0)
		for (i = 1; i < len; i++)
			CHECK(got[i] == got[0]);
	return 0;
}

static int
do_truncate(struct pinefs_call *call, struct doing *w)
{
	struct pinefs_set set = { .attr = { .have = PINEFS_SIZE } };
	struct pinefs_node *d, *n;
	struct vfs_wcc wcc;
	int err = find(call, w->dir, w->name, &d, &n);

	return err != 0 ? err : vfs_setattr(call, n, &set, &wcc);
}

static int
count_one(void *arg, const struct vfs_entry *e)
{
	CHECK(e->attr != NULL && e->attr->nlink > 0);
	++*(unsigned *)arg;
	return 0;
}

static int
do_list(struct pinefs_call *call, struct doing *w)
{
	unsigned n = 0;
	struct vfs_readdir rd = { .want = PINEFS_ALL, .add = count_one,
	    .add_arg = &n };
	struct pinefs_node *d;
	int err = find(call, w->dir, NULL, &d, NULL);

	return err != 0 ? err : vfs_readdir(call, d, &rd);
}

static int
step(struct pinefs_call *call, void *arg)
{
	static int (*const steps[])(struct pinefs_call *, struct doing *) = {
		do_create, do_create, do_remove, do_rename, do_link,
		do_write, do_write, do_read, do_read, do_truncate, do_list };
	struct doing *w = arg;

	return steps[w->step % (sizeof steps / sizeof steps[0])](call, w);
}

static void *
work(void *arg)
{
	struct rig_call *r = calloc(1, sizeof *r);
	struct doing *w = arg;
	int i, err;

	for (i = 0; i < STEPS; i++) {
		w->dir = rand_r(&w->seed) % 2 ? "d" : "e";
		w->to = rand_r(&w->seed) % 2 ? "d" : "e";
		sprintf(w->name, "name%d", rand_r(&w->seed) % (OLD_NAMES + 4));
		sprintf(w->new_name, "name%d",
		    rand_r(&w->seed) % (OLD_NAMES + 4));
		w->step = (unsigned)rand_r(&w->seed);
		rig_begin(r, &x);
		err = rig_run(r, step, w);
		CHECK(err == 0 || err == ENOENT || err == EEXIST ||
		    err == ESTALE);
		rig_end_call(r);
	}
	free(r);
	return NULL;
}

/* -------------------------------------------------------------- the end -- */

static struct {
	uint64_t	fileid;
	uint32_t	nlink, names;
} seen[4 * OLD_NAMES];

static int
note_one(void *arg, const struct vfs_entry *e)
{
	unsigned i = 0;

	(void)arg;
	while (seen[i].fileid != 0 && seen[i].fileid != e->id.fileid)
		i++;
	seen[i].fileid = e->id.fileid;
	seen[i].nlink = e->attr->nlink;
	seen[i].names++;
	return 0;
}

static int
note_all(struct pinefs_call *call, void *arg)
{
	struct vfs_readdir rd = { .want = PINEFS_ALL, .add = note_one };
	struct pinefs_node *d;
	int err = find(call, arg, NULL, &d, NULL);

	return err != 0 ? err : vfs_readdir(call, d, &rd);
}

static void
test_threads_on_the_same_names_leave_a_tree(void)
{
	struct doing w[THREADS] = { { 0 } };
	char dirs[2][2] = { "d", "e" };
	pthread_t thread[THREADS];
	struct rig_call r;
	int i;

	log_set_level(LOG_LEVEL_ERROR);
	overlay_begin(64 << 20);
	for (i = 0; i < THREADS; i++) {
		w[i].seed = (unsigned)i + 1;
		w[i].letter = (char)('A' + i);
		CHECK(pthread_create(&thread[i], NULL, work, &w[i]) == 0);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < 2; i++) {
		rig_begin(&r, &x);
		CHECK(rig_run(&r, note_all, dirs[i]) == 0);
		rig_end_call(&r);
	}
	for (i = 0; seen[i].fileid != 0; i++)
		CHECK(seen[i].nlink == seen[i].names);
	CHECK(i > 0);
	overlay_end();
}

CHECK_MAIN(
	CHECK_TEST(test_threads_on_the_same_names_leave_a_tree),
)
