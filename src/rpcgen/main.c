/* SPDX-License-Identifier: MIT */
/*
 * pinefs-rpcgen: ONC RPC interface descriptions (.x files) to code.
 *
 *	main.c		the command line; writes files only after success
 *	mem.c		memory of a run, tables of names
 *	text.c		output under way
 *	diag.c		messages: place, source line, caret, hint
 *	lex.c		text to tokens
 *	cpp.c		#if, #define and so on
 *	parse.c		tokens to a tree (tree.h)
 *	check.c		tree to the model (model.h): names and constants,
 *	check_type.c	types and unions,
 *	check_prog.c	programs,
 *	shape.c		recursion, lists, sizes, runs, order
 *	front.c		all of these in one call
 *	emit_c*.c	model to C
 *	emit_tirpc*.c	model to C in the shape of Sun's rpcgen
 *	emit_py*.c	model to Python
 *	dump*.c		tokens, tree and model as text, for tests
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "emit.h"
#include "front.h"

#ifndef PINEFS_VERSION
#define PINEFS_VERSION "unknown"
#endif

enum { MAX_LIST = 500 };		/* of one option, repeated */
enum { BUDGET_MIB = 2048 };	/* of memory for one run */

enum language { LANG_C, LANG_PYTHON, LANG_TIRPC };
enum dump { DUMP_NONE, DUMP_TOKENS, DUMP_TREE, DUMP_JSON };

struct list {
	const char *v[MAX_LIST + 1];
	unsigned n;
};

struct options {
	enum language lang;
	enum dump dump;
	const char *out;	/* a file, or a directory with its slash */
	const char *file;
	char one;		/* an output's letter: only this one */
	bool all;		/* -a: samples, too */
	bool depend;		/* -MD */
	bool follow;
	struct list lazy, bulk, open_enums, hot, include, defines;
	struct check_options check;
};

static const char usage_text[] =
"usage: pinefs-rpcgen [options] FILE.x\n"
"Turn an ONC RPC interface description into C or Python; FILE may be -.\n"
"\n"
"  --lang=c|python|tirpc\n"
"                     what to write (default: c); tirpc: as Sun's rpcgen has\n"
"                     it, over libtirpc\n"
"  -o DIR/            write FILE.h, FILE_xdr.c, FILE_svc.c, FILE_clnt.c there\n"
"  -h -c -l -m        only the header, codecs, client or server;\n"
"                     to standard output, or to -o FILE\n"
"  -Ss -Sc -Sm        a sample of a server, a client or a Makefile\n"
"  -a                 everything, and the samples that are not there yet\n"
"  -I DIR             where included files are looked for\n"
"  -D NAME[=VALUE]    define a macro\n"
"  --follow           where a % line includes a.h, take the names of a.x\n"
"  --extern           take unknown types for those of a header of C\n"
"  --compact          smaller codecs, by tables, which are slower;\n"
"  --hot T            but not that of T\n"
"  --lazy T.M         decode array M of T one by one, by an iterator\n"
"  --bulk T.M         tell where opaque M of T lies in a record\n"
"  --open-enum T      let enum T hold values it does not list\n"
"  --strict-pad       refuse padding that is not zero\n"
"  --max-depth N      of recursive types (default: 64)\n"
"  -MD                write FILE.d, for make and ninja\n"
"  --dump=tokens|ast|json\n"
"                     what was understood, instead of code\n"
"  --help, --version\n";

static void
usage(const char *fmt, const char *what)
{
	fputs("pinefs-rpcgen: ", stderr);
	fprintf(stderr, fmt, what);
	fputs("; --help tells what there is\n", stderr);
	exit(EX_USAGE);
}

/* ------------------------------------------------------- command line -- */

static void
list_add(struct list *l, const char *what, const char *value)
{
	if (l->n == MAX_LIST)
		usage("too many %s", what);
	l->v[l->n++] = value;
}

/* `--name=value` or `--name value`; NULL if it is another option. */
static const char *
long_value(const char *name, char **argv, int *i)
{
	const char *arg = argv[*i];
	size_t len = strlen(name);

	if (strncmp(arg, name, len) != 0 ||
	    (arg[len] != '\0' && arg[len] != '='))
		return NULL;
	if (arg[len] == '=')
		return arg + len + 1;
	if (argv[*i + 1] == NULL)
		usage("%s needs a value", name);
	return argv[++*i];
}

static unsigned
depth(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n < 1 || n > 10000)
		usage("--max-depth %s: not between 1 and 10000", text);
	return (unsigned)n;
}

static bool
long_option(struct options *o, char **argv, int *i)
{
	const char *v;

	if ((v = long_value("--lang", argv, i)) != NULL) {
		if (strcmp(v, "python") == 0)
			o->lang = LANG_PYTHON;
		else if (strcmp(v, "tirpc") == 0)
			o->lang = LANG_TIRPC;
		else if (strcmp(v, "c") != 0)
			usage("--lang=%s: not c, python or tirpc", v);
	} else if ((v = long_value("--lazy", argv, i)) != NULL) {
		list_add(&o->lazy, "--lazy", v);
	} else if ((v = long_value("--bulk", argv, i)) != NULL) {
		list_add(&o->bulk, "--bulk", v);
	} else if ((v = long_value("--open-enum", argv, i)) != NULL) {
		list_add(&o->open_enums, "--open-enum", v);
	} else if ((v = long_value("--max-depth", argv, i)) != NULL) {
		o->check.max_depth = depth(v);
	} else if ((v = long_value("--dump", argv, i)) != NULL) {
		if (strcmp(v, "tokens") == 0)
			o->dump = DUMP_TOKENS;
		else if (strcmp(v, "ast") == 0)
			o->dump = DUMP_TREE;
		else if (strcmp(v, "json") == 0)
			o->dump = DUMP_JSON;
		else
			usage("--dump=%s: not tokens, ast or json", v);
	} else if (strcmp(argv[*i], "--strict-pad") == 0) {
		o->check.strict_pad = true;
	} else if (strcmp(argv[*i], "--compact") == 0) {
		o->check.compact = true;
	} else if ((v = long_value("--hot", argv, i)) != NULL) {
		list_add(&o->hot, "--hot", v);
	} else if (strcmp(argv[*i], "--extern") == 0) {
		o->check.external = true;
	} else if (strcmp(argv[*i], "--follow") == 0) {
		o->follow = true;
	} else {
		return false;
	}
	return true;
}

/* Sun's options that mean something else here, or nothing any more. */
static void
refuse(const char *arg)
{
	static const struct {
		const char *option, *instead;
	} table[] = {
		{ "-K", "servers here do not exit when idle" },
		{ "-s", "transports are chosen when the server starts" },
		{ "-n", "transports are chosen when the server starts" },
		{ "-T", "dispatch tables are always made" },
		{ "-t", "dispatch tables are always made" },
		{ "-L", "the server logs by itself" },
		{ "-b", "the output uses the runtime of Pinefs" },
		{ "-5", "the output uses the runtime of Pinefs" },
		{ "-Y", "no preprocessor is run" },
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof *table; i++)
		if (strncmp(arg, table[i].option, 2) == 0) {
			fprintf(stderr, "pinefs-rpcgen: %s is not taken: "
			    "%s\n", arg, table[i].instead);
			exit(EX_USAGE);
		}
	usage("unknown option %s", arg);
}

/* The value of -o, -I, -D: behind it, or the next word. */
static const char *
short_value(char **argv, int *i)
{
	if (argv[*i][2] != '\0')
		return argv[*i] + 2;
	if (argv[*i + 1] == NULL)
		usage("%s needs a value", argv[*i]);
	return argv[++*i];
}

static void
short_option(struct options *o, char **argv, int *i)
{
	const char *arg = argv[*i];

	if (strcmp(arg, "-MD") == 0)
		o->depend = true;
	else if (arg[1] == 'o')
		o->out = short_value(argv, i);
	else if (arg[1] == 'I')
		list_add(&o->include, "-I", short_value(argv, i));
	else if (arg[1] == 'D')
		list_add(&o->defines, "-D", short_value(argv, i));
	else if (strlen(arg) == 2 && strchr("hclm", arg[1]) != NULL)
		o->one = arg[1];
	else if (strcmp(arg, "-a") == 0)
		o->all = true;
	else if (strlen(arg) == 3 && arg[1] == 'S' &&
	    strchr("scm", arg[2]) != NULL)
		o->one = (char)(arg[2] - 'a' + 'A');
	else if (strcmp(arg, "-i") == 0)
		(void)short_value(argv, i);	/* of Sun's, and ignored */
	else if (!(strlen(arg) == 2 && strchr("CNM", arg[1]) != NULL))
		refuse(arg);
}

static void
parse_options(struct options *o, char **argv)
{
	bool only_files = false;
	int i;

	for (i = 1; argv[i] != NULL; i++) {
		if (only_files || argv[i][0] != '-' || argv[i][1] == '\0') {
			if (o->file != NULL)
				usage("one file at a time, not also %s",
				    argv[i]);
			o->file = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			only_files = true;
		} else if (strcmp(argv[i], "--help") == 0) {
			fputs(usage_text, stdout);
			exit(0);
		} else if (strcmp(argv[i], "--version") == 0) {
			puts("pinefs-rpcgen " PINEFS_VERSION);
			exit(0);
		} else if (argv[i][1] == '-') {
			if (!long_option(o, argv, &i))
				usage("unknown option %s", argv[i]);
		} else {
			short_option(o, argv, &i);
		}
	}
	if (o->file == NULL)
		usage("%s", "no file is named");
	o->check.whole = o->lang == LANG_PYTHON;
	if (o->check.external && o->lang == LANG_PYTHON)
		usage("%s", "--extern is for C, where a header says the rest");
	if (o->lang == LANG_TIRPC && (o->all || (o->one >= 'A' &&
	    o->one <= 'Z')))
		usage("%s", "--lang=tirpc makes no samples");
	o->check.hot = o->hot.v;
	o->check.lazy = o->lazy.v;
	o->check.bulk = o->bulk.v;
	o->check.open_enums = o->open_enums.v;
}

/* -------------------------------------------------------------- files -- */

/* One run of the compiler. */
struct job {
	struct mem *mem;
	struct diag *diag;
	const struct options *o;
	const char *name;	/* of the file, for messages */
	const char *text;
	size_t len;
	struct map files;	/* included ones, for -MD */
	struct model *model;	/* as last read */
	bool by_output;		/* ... which is not so for other outputs */
};

/* All of a file; a NUL follows it.  NULL, with errno: it cannot be read. */
static char *
read_stream(struct mem *mem, FILE *f, size_t *len)
{
	size_t size = 64 * 1024, n;
	char *p = mem_alloc(mem, size);

	*len = 0;
	while ((n = fread(p + *len, 1, size - 1 - *len, f)) > 0) {
		*len += n;
		if (*len == size - 1) {
			p = mem_grow(mem, p, *len, size * 2, 1);
			size *= 2;
		}
	}
	p[*len] = '\0';
	return ferror(f) ? NULL : p;
}

static char *
read_file(struct mem *mem, const char *name, size_t *len)
{
	FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
	char *text = f == NULL ? NULL : read_stream(mem, f, len);

	if (text == NULL) {
		fprintf(stderr, "pinefs-rpcgen: %s: %s\n", name,
		    strerror(errno));
		exit(EX_NOINPUT);
	}
	if (f != stdin)
		fclose(f);
	return text;
}

/* #include: beside the file that says so, then where -I says. */
static const char *
read_included(void *ctx, const char *name, const char *from,
    const char **path, size_t *len)
{
	struct job *job = ctx;
	const char *slash = strrchr(from, '/');
	char *text = NULL;
	FILE *f = NULL;
	unsigned i;

	*path = slash == NULL || *name == '/' ? name : mem_printf(job->mem,
	    "%.*s%s", (int)(slash - from) + 1, from, name);
	f = fopen(*path, "rb");
	for (i = 0; f == NULL && i < job->o->include.n; i++) {
		*path = mem_printf(job->mem, "%s/%s", job->o->include.v[i],
		    name);
		f = fopen(*path, "rb");
	}
	if (f == NULL)
		return NULL;
	text = read_stream(job->mem, f, len);
	fclose(f);
	map_put(&job->files, *path, job);
	return text;
}

/*
 * The file as it is for one kind of output, whose macro (as Sun's compiler
 * has it) is defined.  Few files ask for it; others are read once.
 */
static struct model *
read_model(struct job *job, const char *output)
{
	struct list defines = job->o->defines;
	struct cpp_options cpp = {
		.defines = defines.v, .read = read_included, .ctx = job,
		.follow = job->o->follow, .by_output = &job->by_output
	};

	if (job->model != NULL && !job->by_output)
		return job->model;
	list_add(&defines, "-D", output);
	job->model = front(job->mem, job->diag, job->name, job->text,
	    job->len, &cpp, &job->o->check);
	return job->model;
}

/* /dev/null, a pipe: what rename(2) would put a file in the place of. */
static bool
is_special(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 && !S_ISREG(st.st_mode) &&
	    !S_ISDIR(st.st_mode);
}

/*
 * Write beside the place and rename, so that nobody ever sees half a file,
 * and an old one stays if the disk is full.
 */
static void
write_file(struct mem *mem, const char *name, const struct text *t)
{
	bool special = is_special(name), ok;
	const char *part = special ? name : mem_printf(mem, "%s.part", name);
	FILE *f = fopen(part, "wb");

	ok = f != NULL && fwrite(t->base, 1, t->len, f) == t->len;
	if (f != NULL && fclose(f) != 0)
		ok = false;
	if (ok && (special || rename(part, name) == 0))
		return;
	fprintf(stderr, "pinefs-rpcgen: %s: %s\n", name, strerror(errno));
	if (f != NULL && !special)
		(void)remove(part);
	exit(EX_CANTCREAT);
}

static void
write_stdout(const struct text *t)
{
	if (fwrite(t->base, 1, t->len, stdout) == t->len &&
	    fflush(stdout) == 0)
		return;
	fprintf(stderr, "pinefs-rpcgen: standard output: %s\n",
	    strerror(errno));
	exit(EX_IOERR);
}

/* ------------------------------------------------------------- output -- */

struct output {
	char option;		/* small: -h; large: -Ss, a sample */
	const char *name;	/* with %s for the file's */
	const char *macro;	/* defined while it is made */
	void (*emit)(struct text *, struct model *);
	bool programs;		/* only if there is one */
};

static const struct output c_outputs[] = {
	{ 'h', "%s.h", "RPC_HDR", emit_c_header, false },
	{ 'c', "%s_xdr.c", "RPC_XDR", emit_c_xdr, false },
	{ 'm', "%s_svc.c", "RPC_SVC", emit_c_svc, true },
	{ 'l', "%s_clnt.c", "RPC_CLNT", emit_c_clnt, true },
	{ 'S', "%s_server.c", "RPC_SERVER", emit_c_sample_server, true },
	{ 'C', "%s_client.c", "RPC_CLIENT", emit_c_sample_client, true },
	{ 'M', "Makefile.%s", "RPC_MAKE", emit_c_sample_make, true },
};
enum { OUTPUTS = sizeof c_outputs / sizeof c_outputs[0] };

static const struct output tirpc_outputs[] = {
	{ 'h', "%s.h", "RPC_HDR", emit_tirpc_header, false },
	{ 'c', "%s_xdr.c", "RPC_XDR", emit_tirpc_xdr, false },
	{ 'm', "%s_svc.c", "RPC_SVC", emit_tirpc_svc, true },
	{ 'l', "%s_clnt.c", "RPC_CLNT", emit_tirpc_clnt, true },
};
enum { TIRPC_OUTPUTS = sizeof tirpc_outputs / sizeof tirpc_outputs[0] };

static bool
is_sample(const struct output *out)
{
	return out->option >= 'A' && out->option <= 'Z';
}

static const char *
output_path(struct job *job, const char *dir, const struct model *model,
    const struct output *out)
{
	const char *mark = strstr(out->name, "%s");

	return mem_printf(job->mem, "%s%.*s%s%s", dir,
	    (int)(mark - out->name), out->name, model->stem, mark + 2);
}

/* Of -a: what somebody may have changed since is left alone. */
static bool
is_there(const char *path)
{
	FILE *f = fopen(path, "rb");

	if (f != NULL)
		fclose(f);
	return f != NULL;
}

/* One letter: that; none: what is not a sample; -a: all. */
static bool
is_wanted(const struct options *o, const struct output *out)
{
	if (o->one != '\0')
		return o->one == out->option;
	return o->all || !is_sample(out);
}

static bool
has_programs(const struct model *model)
{
	const struct item *i;

	for (i = model->items; i != NULL; i = i->next)
		if (i->kind == ITEM_PROGRAM)
			return true;
	return false;
}

static bool
is_directory(const char *out)
{
	return out == NULL || out[0] == '\0' || out[strlen(out) - 1] == '/';
}

/* What was read, for make: outputs, then inputs. */
static void
write_depend(struct job *job, const char *dir, const struct model *model,
    struct text *depend)
{
	const struct map_entry *e;

	text_printf(depend, ": %s", job->o->file);
	for (e = job->files.first; e != NULL; e = e->next)
		text_printf(depend, " %s", e->key);
	text_put(depend, "\n");
	write_file(job->mem, mem_printf(job->mem, "%s%s.d",
	    is_directory(dir) ? dir : "", model->stem), depend);
}

static void
write_output(struct job *job, const char *dir, const struct model *model,
    const struct output *out, const struct text *t)
{
	const struct options *o = job->o;

	if (o->one != '\0' && o->out == NULL)
		write_stdout(t);
	else if (o->one != '\0' && !is_directory(o->out))
		write_file(job->mem, o->out, t);
	else
		write_file(job->mem, output_path(job, dir, model, out), t);
}

static int
write_c(struct job *job)
{
	const struct options *o = job->o;
	const char *dir = o->out != NULL ? o->out : "";
	bool tirpc = o->lang == LANG_TIRPC;
	const struct output *outputs = tirpc ? tirpc_outputs : c_outputs, *out;
	size_t i, n = tirpc ? TIRPC_OUTPUTS : OUTPUTS;
	struct model *model = NULL;
	struct text t[OUTPUTS], depend;

	/* Everything is made before anything is written. */
	text_init(&depend, job->mem);
	for (i = 0; i < n; i++) {
		out = &outputs[i];
		text_init(&t[i], job->mem);
		if (!is_wanted(o, out))
			continue;
		if ((model = read_model(job, out->macro)) == NULL)
			return 1;
		if (tirpc && tirpc_lacks(model) != NULL) {
			diag_error(job->diag, (struct span){ 0 }, NULL,
			    "libtirpc has neither quadruples nor opaque data "
			    "without a type's name, which '%s' needs",
			    tirpc_lacks(model));
			return 1;
		}
		if (!out->programs || has_programs(model))
			out->emit(&t[i], model);
	}
	for (i = 0; i < n; i++) {
		out = &outputs[i];
		if (t[i].len == 0 || (o->one == '\0' && is_sample(out) &&
		    is_there(output_path(job, dir, model, out))))
			continue;
		write_output(job, dir, model, out, &t[i]);
		if (!is_sample(out))
			text_printf(&depend, "%s ", output_path(job, dir,
			    model, out));
	}
	if (o->depend)
		write_depend(job, dir, model, &depend);
	return 0;
}

static void
write_one(struct mem *mem, const struct options *o, const char *ending,
    const struct model *model, const struct text *t)
{
	if (o->out == NULL)
		write_stdout(t);
	else if (is_directory(o->out))
		write_file(mem, mem_printf(mem, "%s%s%s", o->out, model->stem,
		    ending), t);
	else
		write_file(mem, o->out, t);
}

static int
show_tokens(struct job *job)
{
	struct source src;
	struct text t;

	if (source_init(&src, job->mem, job->name, job->text, job->len) != 0)
		return EX_DATAERR;
	text_init(&t, job->mem);
	dump_tokens(&t, lex(job->mem, &src));
	write_stdout(&t);
	return 0;
}

static int
show_tree(struct job *job)
{
	const struct cpp_options cpp = {
		.defines = job->o->defines.v, .read = read_included,
		.ctx = job, .follow = job->o->follow
	};
	struct tree_def *tree;
	struct source *src;
	struct text t;

	tree = front_tree(job->mem, job->diag, job->name, job->text, job->len,
	    &cpp, &src);
	if (job->diag->errors > 0)
		return 1;
	text_init(&t, job->mem);
	dump_tree(&t, tree);
	write_stdout(&t);
	return 0;
}

/* Python, or the model itself. */
static int
write_single(struct job *job)
{
	struct model *model = read_model(job, "RPC_XDR");
	struct text t;

	if (model == NULL)
		return 1;
	text_init(&t, job->mem);
	if (job->o->dump == DUMP_JSON) {
		dump_json(&t, model);
		write_one(job->mem, job->o, ".json", model, &t);
	} else {
		emit_py(&t, model);
		write_one(job->mem, job->o, ".py", model, &t);
	}
	return 0;
}

static int
run(struct mem *mem, struct diag *diag, const struct options *o)
{
	struct job job = { .mem = mem, .diag = diag, .o = o };
	int status;

	job.name = strcmp(o->file, "-") == 0 ? "stdin" : o->file;
	job.text = read_file(mem, o->file, &job.len);
	map_init(&job.files, mem);
	if (o->dump == DUMP_TOKENS)
		status = show_tokens(&job);
	else if (o->dump == DUMP_TREE)
		status = show_tree(&job);
	else if (o->dump == DUMP_JSON || o->lang == LANG_PYTHON)
		status = write_single(&job);
	else
		status = write_c(&job);
	diag_show(diag, stderr);
	return status;
}

/* By a link of that name, say. */
static bool
is_called(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash != NULL ? slash + 1 : path, name) == 0;
}

int
main(int argc, char **argv)
{
	static struct options o;
	static struct mem mem;
	static struct diag diag;
	jmp_buf give_up;

	o.check.max_depth = 64;
	if (argc > 0 && is_called(argv[0], "rpcgen.py"))
		o.lang = LANG_PYTHON;
	parse_options(&o, argv);
	switch (setjmp(give_up)) {
	case 0:
		break;
	case 1:		/* errors enough */
		diag_show(&diag, stderr);
		return 1;
	default:
		fprintf(stderr, "pinefs-rpcgen: %s: out of memory\n", o.file);
		return EX_OSERR;
	}
	mem_init(&mem, (size_t)BUDGET_MIB << 20, &give_up);
	diag_init(&diag, &mem, &give_up);
	return run(&mem, &diag, &o);
}
