/*
 * The IDL compiler: any text as a .x file, with any options, through every
 * printer.
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

/* As the program would be asked to; see parse_options() in main.c. */
static void
print_all(struct mem *mem, struct model *model,
    const struct check_options *options)
{
	static void (*const printers[])(struct text *, struct model *) = {
		emit_c_header, emit_c_xdr, emit_c_svc, emit_c_clnt,
		emit_c_sample_server, emit_c_sample_client,
		emit_c_sample_make, dump_json, emit_tirpc_header,
		emit_tirpc_xdr, emit_tirpc_svc, emit_tirpc_clnt
	};
	size_t i, n = sizeof printers / sizeof printers[0];
	struct text t;

	text_init(&t, mem);
	if (options->whole) {
		emit_py(&t, model);
		return;
	}
	if (tirpc_lacks(model) != NULL)
		n -= 4;
	for (i = 0; i < n; i++) {
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

/* ------------------------------------------------------------- options -- */

/*
 * Options vary with the text: each input has its own, and always the same.
 * FNV-1a.
 */
static uint32_t
hash(const char *text, size_t len)
{
	uint32_t h = 2166136261;
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * 16777619;
	return h ^ h >> 15;
}

/* What --hot, --open-enum, --lazy and --bulk name; each a list of one. */
struct names {
	const char *hot[2], *open_enum[2], *lazy[2], *bulk[2];
};

/* Some member of the struct, by its place. */
static const char *
member_name(struct mem *mem, const struct type *t, enum type_kind kind)
{
	const struct member *m, *found = NULL;

	for (m = t->members; m != NULL; m = m->next)
		if (m->name != NULL && (found == NULL ||
		    type_real(m->type)->kind == kind))
			found = m;
	return found == NULL ? t->name : mem_printf(mem, "%s.%s", t->name,
	    found->name);
}

/*
 * Names that the options can have: those of types that are there, mostly of
 * the right kind, for others are just refused.
 */
static void
choose_names(struct mem *mem, struct model *model, uint32_t h,
    struct names *names)
{
	const struct item *i;
	unsigned n = 0;

	for (i = model->items; i != NULL; i = i->next) {
		if (i->kind != ITEM_TYPE || (h >> n++ % 29 & 1) == 0)
			continue;
		if ((h & 1 << 9) != 0)
			names->hot[0] = i->type->name;
		if ((h & 1 << 10) != 0 && (i->type->kind == TYPE_ENUM ||
		    (h & 7 << 20) == 0))
			names->open_enum[0] = i->type->name;
		if (i->type->kind != TYPE_STRUCT && (h & 7 << 20) != 0)
			continue;
		if ((h & 1 << 11) != 0)
			names->lazy[0] = member_name(mem, i->type,
			    TYPE_VECTOR);
		if ((h & 1 << 12) != 0)
			names->bulk[0] = member_name(mem, i->type,
			    TYPE_BYTES);
	}
}

static void
dump_both(struct mem *mem, struct diag *diag, const char *text, size_t len,
    const struct cpp_options *cpp)
{
	struct tree_def *tree;
	struct source *src;
	struct text t;

	text_init(&t, mem);
	tree = front_tree(mem, diag, "fuzz.x", text, len, cpp, &src);
	if (tree != NULL)
		dump_tree(&t, tree);
	if (src != NULL)
		dump_tokens(&t, lex(mem, src));
}

static void
run(struct mem *mem, struct diag *diag, const char *text, size_t len)
{
	static const char *const defines[] = { "RPC_XDR", "MAX=8", NULL };
	uint32_t h = hash(text, len);
	struct names names = { { NULL }, { NULL }, { NULL }, { NULL } };
	struct check_options options = {
		.max_depth = (h & 1 << 13) != 0 ? 64 : 1 + (h >> 14 & 31),
		.external = (h & 4) != 0, .strict_pad = (h & 16) != 0
	};
	bool by_output = false;
	const struct cpp_options cpp = {
		.follow = (h & 1) != 0, .read = read_other,
		.defines = (h & 2) != 0 ? defines : NULL,
		.by_output = &by_output
	};
	struct model *model;

	if ((h & 15 << 24) == 0) {
		dump_both(mem, diag, text, len, &cpp);
		return;
	}
	model = front(mem, diag, "fuzz.x", text, len, &cpp, &options);
	if (model == NULL)
		return;
	print_all(mem, model, &options);
	choose_names(mem, model, h, &names);
	options.compact = (h & 8) != 0;
	options.whole = (h & 32) != 0 && !options.external;
	options.hot = names.hot;
	options.open_enums = names.open_enum;
	options.lazy = names.lazy;
	options.bulk = names.bulk;
	model = front(mem, diag, "fuzz.x", text, len, &cpp, &options);
	if (model != NULL)
		print_all(mem, model, &options);
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
