/* SPDX-License-Identifier: MIT */
/*
 * Samples to begin with (-a, -Ss, -Sc, -Sm): a server whose handlers are yet
 * to be filled in, a client that calls everything once, and a Makefile.
 * They are the user's from then on, so they are made once and never again.
 */
#include "emit_c.h"

#include <string.h>

static const struct item *
next_program(const struct item *i)
{
	while (i != NULL && i->kind != ITEM_PROGRAM)
		i = i->next;
	return i;
}

#define FOR_VERSIONS(e, i, p, v) \
	for (i = next_program((e)->model->items); i != NULL; \
	    i = next_program(i->next)) \
		for (p = i->program, v = p->versions; v != NULL; v = v->next)

static void
begin(struct emit *e, struct text *out, struct model *model,
    const char *what)
{
	c_names(e, out, model);
	text_printf(out, "/* %s for %s: a sample, to be changed. */\n"
	    "#include \"%s.h\"\n\n#include <pinefs/rpc.h>\n", what,
	    model->file, model->stem);
}

/* -------------------------------------------------------------- server -- */

static void
handler(struct emit *e, const struct program *p, const struct version *v,
    const struct procedure *r)
{
	bool args = r->args->kind != TYPE_VOID, res = r->res->kind != TYPE_VOID;

	c_begin(e);
	c_line(e, "(void)$self, (void)$call%s%s;", args ? ", (void)$args" : "",
	    res ? ", (void)$res" : "");
	c_line(e, "return ENOSYS;\t/* yours: %s0 when it is done */", res ?
	    "fill *$res, and return " : "");
	e->ended = true;
	c_end(e, "static int", c_printf(e, "do_%s_%s(void *$self, struct "
	    "rpc_call *$call%s)", c_version(e, p, v), r->member,
	    c_params(e, r)));
}

static void
server_main(struct emit *e)
{
	const struct program *p;
	const struct version *v;
	const struct item *i;

	text_put(e->out, "\nint\nmain(int argc, char **argv)\n{\n"
	    "\tconst struct rpc_program programs[] = {\n");
	FOR_VERSIONS(e, i, p, v)
		text_printf(e->out, "\t\t{ .service = &%s_service,\n"
		    "\t\t  .handlers = &%s_handlers },\n", c_version(e, p, v),
		    c_version(e, p, v));
	text_put(e->out, "\t};\n"
	    "\tconst struct rpc_server_config config = {\n"
	    "\t\t.port = (uint16_t)(argc > 1 ? atoi(argv[1]) : 0)\n"
	    "\t};\n"
	    "\tstruct rpc_server *server = NULL;\n"
	    "\tsigset_t ends;\n"
	    "\tsize_t i;\n"
	    "\tint sig, err;\n\n"
	    "\tsigemptyset(&ends);\n"
	    "\tsigaddset(&ends, SIGTERM);\n"
	    "\tsigaddset(&ends, SIGINT);\n"
	    "\tpthread_sigmask(SIG_BLOCK, &ends, NULL);\n"
	    "\terr = rpc_server_new(&server, &config);\n"
	    "\tfor (i = 0; err == 0 && i < sizeof programs / "
	    "sizeof programs[0]; i++)\n"
	    "\t\terr = rpc_server_add(server, &programs[i]);\n"
	    "\tif (err == 0)\n"
	    "\t\terr = rpc_server_start(server);\n"
	    "\tif (err == 0) {\n"
	    "\t\tprintf(\"port %u\\n\", rpc_server_port(server));\n"
	    "\t\tfflush(stdout);\n"
	    "\t\tsigwait(&ends, &sig);\n"
	    "\t\t(void)rpc_server_stop(server, 1000);\n"
	    "\t} else {\n"
	    "\t\tfprintf(stderr, \"%s: %s\\n\", argv[0], strerror(err));\n"
	    "\t}\n"
	    "\trpc_server_free(server);\n"
	    "\treturn err != 0;\n}\n");
}

void
emit_c_sample_server(struct text *t, struct model *model)
{
	const struct procedure *r;
	const struct program *p;
	const struct version *v;
	const struct item *i;
	struct emit e;

	begin(&e, t, model, "A server");
	text_put(t, "\n#include <pthread.h>\n#include <signal.h>\n"
	    "#include <stdio.h>\n#include <stdlib.h>\n");
	FOR_VERSIONS(&e, i, p, v) {
		for (r = v->procs; r != NULL; r = r->next)
			handler(&e, p, v, r);
		text_printf(t, "\nstatic const struct %s_server %s_handlers = "
		    "{\n", c_version(&e, p, v), c_version(&e, p, v));
		for (r = v->procs; r != NULL; r = r->next)
			text_printf(t, "\t.%s = do_%s_%s,\n", c_escape(&e,
			    r->member), c_version(&e, p, v), r->member);
		text_put(t, "};\n");
	}
	server_main(&e);
}

/* -------------------------------------------------------------- client -- */

/* A static, so that large values need no stack. */
static void
value(struct emit *e, const struct type *t, const char *name)
{
	if (t->kind != TYPE_VOID)
		c_line(e, "static %s;", c_declare(e, t, name));
}

static const char *
address(struct emit *e, const struct type *t, const char *name)
{
	if (t->kind == TYPE_VOID)
		return "";
	return c_printf(e, ", %s%s", c_is_array(t) ? "" : "&", name);
}

static void
print_result(struct emit *e, const char *version, const struct procedure *r)
{
	if (r->res->kind == TYPE_VOID) {
		c_line(e, "printf(\"%s: done\\n\");", r->name);
		return;
	}
	c_line(e, "xdr_print($line, sizeof $line, %s, %s$res);", c_table(e,
	    r->res, c_printf(e, "sample_%s_%s", version, r->member)),
	    c_is_array(r->res) ? "" : "&");
	c_line(e, "printf(\"%s: %%s\\n\", $line);", r->name);
}

static void
call_once(struct emit *e, const struct program *p, const struct version *v,
    const struct procedure *r)
{
	c_line(e, "if ($err == 0) {");
	e->indent++;
	value(e, r->args, "$args");
	value(e, r->res, "$res");
	text_put(&e->body, "\n");
	c_line(e, "if (($err = %s_%s($client%s%s, &$arena)) == 0) {",
	    c_version(e, p, v), r->member, address(e, r->args, "$args"),
	    address(e, r->res, "$res"));
	e->indent++;
	print_result(e, c_version(e, p, v), r);
	e->indent--;
	c_line(e, "} else {");
	c_line(e, "\tprintf(\"%s: %%s\\n\", strerror($err));", r->name);
	c_line(e, "}");
	c_line(e, "xdr_arena_reset(&$arena);");
	c_line(e, "$err = 0;");
	e->indent--;
	c_line(e, "}");
}

static void
call_version(struct emit *e, const struct program *p,
    const struct version *v)
{
	const struct procedure *r;

	c_begin(e);
	e->extra_locals = c_printf(e, "\tstruct rpc_client *$client = NULL;\n"
	    "\tstruct xdr_arena $arena;\n\tchar $line[1000];\n"
	    "\tint $err;\n");
	c_line(e, "xdr_arena_init(&$arena, NULL, 0, 1 << 20);");
	c_line(e, "$err = rpc_client_new(&$client, $to, sizeof(struct "
	    "sockaddr_in), false, %s, %s, 5000);", c_number_name(e, p->name),
	    c_number_name(e, v->name));
	for (r = v->procs; r != NULL; r = r->next)
		call_once(e, p, v, r);
	c_line(e, "(void)$line;");
	c_line(e, "rpc_client_free($client);");
	c_line(e, "return $err;");
	e->ended = true;
	c_end(e, "static int", c_printf(e,
	    "call_%s(const struct sockaddr *$to)", c_version(e, p, v)));
}

void
emit_c_sample_client(struct text *t, struct model *model)
{
	const struct program *p;
	const struct version *v;
	const struct item *i;
	struct emit e;

	begin(&e, t, model, "A client");
	text_put(t, "#include <pinefs/xdr_type.h>\n\n#include <arpa/inet.h>\n"
	    "#include <stdio.h>\n#include <stdlib.h>\n");
	FOR_VERSIONS(&e, i, p, v)
		call_version(&e, p, v);
	text_put(t, "\nint\nmain(int argc, char **argv)\n{\n"
	    "\tstruct sockaddr_in to = { .sin_family = AF_INET };\n"
	    "\tint err = 0;\n\n"
	    "\tif (argc != 3 || inet_pton(AF_INET, argv[1], &to.sin_addr) "
	    "!= 1) {\n"
	    "\t\tfprintf(stderr, \"usage: %s ADDRESS PORT\\n\", argv[0]);\n"
	    "\t\treturn 64;\n\t}\n"
	    "\tto.sin_port = htons((uint16_t)atoi(argv[2]));\n");
	FOR_VERSIONS(&e, i, p, v)
		text_printf(t, "\tif (err == 0)\n\t\terr = call_%s((struct "
		    "sockaddr *)&to);\n", c_version(&e, p, v));
	text_put(t, "\tif (err != 0)\n"
	    "\t\tfprintf(stderr, \"%s: %s\\n\", argv[0], strerror(err));\n"
	    "\treturn err != 0;\n}\n");
}

/* ------------------------------------------------------------ Makefile -- */

void
emit_c_sample_make(struct text *t, struct model *model)
{
	const char *s = model->stem;

	text_printf(t, "# For %s: a sample, to be changed.\n"
	    "CFLAGS += -std=gnu17 -Wall $(shell pkg-config --cflags pinefs)\n"
	    "LDLIBS += $(shell pkg-config --libs pinefs) -pthread\n\n"
	    "all: %s_server %s_client\n\n"
	    "%s.h %s_xdr.c %s_svc.c %s_clnt.c &: %s\n"
	    "\tpinefs-rpcgen $<\n\n"
	    "%s_server: %s_server.o %s_svc.o %s_xdr.o\n"
	    "%s_client: %s_client.o %s_clnt.o %s_xdr.o\n"
	    "%s_server.o %s_client.o %s_svc.o %s_clnt.o %s_xdr.o: %s.h\n\n"
	    "clean:\n"
	    "\trm -f %s_server %s_client *.o %s.h %s_xdr.c %s_svc.c "
	    "%s_clnt.c\n", model->file, s, s, s, s, s, s, model->file, s, s,
	    s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s);
}
