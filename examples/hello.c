#include <pinefs.h>

static const char text[] = "hello from Pinefs\n";

static int
hello_read(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t off, uint32_t count, struct pinefs_out *out)
{
	(void)call, (void)node;
	return pinefs_out_slice(out, text, sizeof text - 1, off, count);
}

static const struct pinefs_ops hello_ops = { .read = hello_read };

int
main(int argc, char **argv)
{
	struct pinefs *fs = pinefs_new(&hello_ops, NULL);

	if (fs == NULL || pinefs_add_file(fs, pinefs_root(fs), "hello",
	    0444, sizeof text - 1) == NULL)
		return 1;
	return pinefs_main(fs, argc, argv);
}
