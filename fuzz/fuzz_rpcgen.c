/*
 * The IDL compiler: any text as a .x file, through every printer.
 *
 * A run ends with errors, with output, or at its budget of memory; nothing
 * else may happen.
 */
#include <stdlib.h>
#include <string.h>

#include "rpcgen/emit.h"
#include "rpcgen/front.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { BUDGET = 256 << 20 };

static void
print_all(struct mem *mem, struct model *model)
{
	static void (*const printers[])(struct text *, struct model *) = {
		emit_c_header, emit_c_xdr, emit_c_svc, emit_c_clnt,
		emit_c_sample_server, emit_c_sample_client,
		emit_c_sample_make, emit_py, dump_json
	};
	struct text t;
	size_t i;

	for (i = 0; i < sizeof printers / sizeof printers[0]; i++) {
		text_init(&t, mem);
		printers[i](&t, model);
	}
}

/* What every file that is followed or included has. */
static const char *
read_other(void *ctx, const char *name, const char *from, const char **path,
    size_t *len)
{
	static const char other[] = "struct other { int a; other *next; };\n"
	    "enum kind { KIND_A, KIND_B = 7 };\nconst OTHER_MAX = 3;\n"
	    "%#include \"again.h\"\ntypedef opaque token[8];\n"
	    "struct both { kind k; token t; other o<>; both *left; };\n";

	(void)ctx, (void)from;
	*path = name;
	*len = sizeof other - 1;
	return strstr(name, ".x") != NULL ? other : NULL;
}

/* Which options there are, the length says. */
static void
run(struct mem *mem, struct diag *diag, const char *text, size_t len)
{
	const struct check_options options = {
		.max_depth = 64, .external = (len & 1) != 0,
		.compact = (len & 2) != 0, .strict_pad = (len & 8) != 0
	};
	const struct cpp_options cpp = {
		.follow = (len & 4) != 0, .read = read_other
	};
	struct model *model;

	model = front(mem, diag, "fuzz.x", text, len, &cpp, &options);
	if (model != NULL)
		print_all(mem, model);
}

/* Messages are made too: their carets count columns of strange texts. */
static void
show(struct diag *diag)
{
	static FILE *null;

	if (null == NULL && (null = fopen("/dev/null", "w")) == NULL)
		abort();
	diag_show(diag, null);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct mem mem;
	static struct diag diag;
	static jmp_buf give_up;
	char *volatile text = malloc(len + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	mem_init(&mem, BUDGET, &give_up);
	diag_init(&diag, &mem, &give_up);
	switch (setjmp(give_up)) {
	case 0:
		run(&mem, &diag, text, len);
		__attribute__((fallthrough));
	case 1:
		show(&diag);
		break;
	default:		/* the budget is spent */
		break;
	}
	mem_fini(&mem);
	free(text);
	return 0;
}
