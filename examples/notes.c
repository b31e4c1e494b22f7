/* notes: small files that clients make, write, move and remove. */
#include <pinefs.h>
#include <stdlib.h>
#include <string.h>
#define MAX 65536

static int
note_create(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, const struct pinefs_create *how,
    struct pinefs_made *made)
{
	(void)call, (void)dir, (void)name, (void)how;
	pinefs_node_set_data(made->node, calloc(1, MAX));
	return pinefs_node_data(made->node) == NULL ? ENOMEM : 0;
}

static int
note_read(struct pinefs_call *call, struct pinefs_node *node, uint64_t off,
    uint32_t count, struct pinefs_out *out)
{
	(void)call;
	return pinefs_out_slice(out, pinefs_node_data(node), MAX, off, count);
}

static int
note_write(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_write *w)
{
	if ((void)call, w->off + w->count > MAX)
		return EFBIG;
	w->written = pinefs_in_copy(w->in,
	    (char *)pinefs_node_data(node) + w->off);
	return 0;
}

static int
note_truncate(struct pinefs_call *call, struct pinefs_node *node, uint64_t n)
{
	if ((void)call, n > MAX)
		return EFBIG;
	memset((char *)pinefs_node_data(node) + n, 0, MAX - n);
	return 0;
}

static void
note_release(struct pinefs_node *node)
{
	free(pinefs_node_data(node));
}

int
main(int argc, char **argv)
{
	static const struct pinefs_ops ops = { .flags = PINEFS_PROMPT,
	    .create = note_create, .read = note_read, .write = note_write,
	    .truncate = note_truncate, .release = note_release };
	struct pinefs *fs = pinefs_new(&ops, NULL);

	return fs == NULL ? 1 : pinefs_main(fs, argc, argv);
}
