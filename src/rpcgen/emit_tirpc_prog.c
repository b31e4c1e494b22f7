/* SPDX-License-Identifier: MIT */
/*
 * --lang=tirpc: clients and servers, called as Sun's rpcgen calls them.
 *
 *	res *notes_get_1(arg *, CLIENT *);		a call, in STEM_clnt.c
 *	void notes_prog_1(struct svc_req *, SVCXPRT *);	all calls, in STEM_svc.c
 *	res *notes_get_1_svc(arg *, struct svc_req *);	its user's to write
 *
 * The main function that makes transports, registers notes_prog_1 and calls
 * svc_run is the user's, as with Sun's -m.
 */
#include "emit_c.h"

#include <string.h>

static const char *
lower(struct emit *e, const char *name)
{
	char *p = mem_strndup(e->mem, name, strlen(name)), *c;

	for (c = p; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return p;
}

/* notes_get_1, notes_prog_1 */
static const char *
numbered(struct emit *e, const char *name, const struct version *v)
{
	return mem_printf(e->mem, "%s_%u", lower(e, name),
	    (unsigned)v->number);
}

/* Nothing, or a typedef of nothing, which is not printed. */
static bool
is_void(const struct type *t)
{
	return t->kind == TYPE_VOID || c_is_absent(t);
}

/* What points at an argument or a result. */
static const char *
pointer(struct emit *e, const struct type *t)
{
	const struct type *real = t;

	if (is_void(t))
		return "void *";
	if (t->kind == TYPE_STRING)
		return "char **";
	if (!c_is_array(t))
		return mem_printf(e->mem, "%s *", tirpc_type(e, t));
	while (real->kind == TYPE_ALIAS)
		real = real->elem;
	return real->kind == TYPE_OPAQUE ? "char *" :
	    mem_printf(e->mem, "%s *", tirpc_type(e, real->elem));
}

/* A declaration of one. */
static const char *
declare(struct emit *e, const struct type *t, const char *name)
{
	return mem_printf(e->mem, "%s%s", t->kind == TYPE_STRING ? "char *" :
	    mem_printf(e->mem, "%s ", is_void(t) ? "char" :
	    tirpc_type(e, t)), name);
}

static const char *
function(struct emit *e, const struct type *t)
{
	return t->kind == TYPE_STRING ? "xdr_wrapstring" :
	    is_void(t) ? "xdr_void" : tirpc_function(e, t);
}

void
tirpc_program_header(struct emit *e, const struct program *p)
{
	const struct procedure *r;
	const struct version *v;

	for (v = p->versions; v != NULL; v = v->next) {
		text_put(e->out, "\n");
		for (r = v->procs; r != NULL; r = r->next) {
			c_top(e, "extern %s%s(%s, CLIENT *);",
			    pointer(e, r->res), numbered(e, r->name, v),
			    pointer(e, r->args));
			c_top(e, "extern %s%s_svc(%s, struct svc_req *);",
			    pointer(e, r->res), numbered(e, r->name, v),
			    pointer(e, r->args));
		}
		c_top(e, "extern void %s(struct svc_req *, SVCXPRT *);",
		    numbered(e, p->name, v));
	}
}

/* -------------------------------------------------------------- client -- */

static void
client_call(struct emit *e, const struct procedure *r,
    const struct version *v)
{
	const char *res = c_local(e, "clnt_res");
	const char *address = c_is_array(r->res) && !is_void(r->res) ? res :
	    mem_printf(e->mem, "&%s", res);

	c_begin(e);
	e->extra_locals = mem_printf(e->mem, "\tstatic %s;\n",
	    declare(e, r->res, res));
	c_line(e, "memset(%s, 0, sizeof %s);", address, res);
	c_line(e, "if (clnt_call($clnt, %s, (xdrproc_t)%s, (caddr_t)$argp, "
	    "(xdrproc_t)%s, (caddr_t)%s, TIMEOUT) != RPC_SUCCESS)",
	    c_number_name(e, r->name), function(e, r->args),
	    function(e, r->res), address);
	c_line(e, "\treturn NULL;");
	c_line(e, "return %s;", address);
	e->ended = true;
	c_end(e, pointer(e, r->res), c_printf(e, "%s(%s$argp, CLIENT *$clnt)",
	    numbered(e, r->name, v), pointer(e, r->args)));
}

void
tirpc_program_clnt(struct emit *e, const struct program *p)
{
	const struct procedure *r;
	const struct version *v;

	for (v = p->versions; v != NULL; v = v->next)
		for (r = v->procs; r != NULL; r = r->next)
			client_call(e, r, v);
}

/* -------------------------------------------------------------- server -- */

static const char *
arguments(struct emit *e, const struct version *v)
{
	const char *fields = "\t\tchar none_;\n";
	const struct procedure *r;

	for (r = v->procs; r != NULL; r = r->next)
		if (!is_void(r->args))
			fields = mem_printf(e->mem, "%s\t\t%s;\n", fields,
			    declare(e, r->args, mem_printf(e->mem, "%s_arg",
			    numbered(e, r->name, v))));
	return fields;
}

static void
dispatch(struct emit *e, const struct program *p, const struct version *v)
{
	const struct procedure *r;

	c_begin(e);
	e->extra_locals = c_printf(e, "\tunion {\n%s\t} $argument;\n"
	    "\tchar *(*$local)(char *, struct svc_req *), *$result;\n"
	    "\txdrproc_t $xdrargument, $xdrresult;\n", arguments(e, v));
	c_line(e, "switch ($rqstp->rq_proc) {");
	for (r = v->procs; r != NULL; r = r->next) {
		c_line(e, "case %s:", c_number_name(e, r->name));
		e->indent++;
		c_line(e, "$xdrargument = (xdrproc_t)%s;",
		    function(e, r->args));
		c_line(e, "$xdrresult = (xdrproc_t)%s;", function(e, r->res));
		c_line(e, "$local = (char *(*)(char *, struct svc_req *))"
		    "%s_svc;", numbered(e, r->name, v));
		c_line(e, "break;");
		e->indent--;
	}
	c_line(e, "default:");
	c_line(e, "\tsvcerr_noproc($transp);");
	c_line(e, "\treturn;");
	c_line(e, "}");
	c_line(e, "memset(&$argument, 0, sizeof $argument);");
	c_line(e, "if (!svc_getargs($transp, $xdrargument, "
	    "(caddr_t)&$argument)) {");
	/* What was decoded before it failed is not given back, as there. */
	c_line(e, "\tsvcerr_decode($transp);");
	c_line(e, "\treturn;");
	c_line(e, "}");
	c_line(e, "$result = $local((char *)&$argument, $rqstp);");
	c_line(e, "if ($result != NULL && !svc_sendreply($transp, $xdrresult, "
	    "$result))");
	c_line(e, "\tsvcerr_systemerr($transp);");
	c_line(e, "(void)svc_freeargs($transp, $xdrargument, "
	    "(caddr_t)&$argument);");
	e->ended = true;
	c_end(e, "void", c_printf(e, "%s(struct svc_req *$rqstp, "
	    "SVCXPRT *$transp)", numbered(e, p->name, v)));
}

void
tirpc_program_svc(struct emit *e, const struct program *p)
{
	const struct version *v;

	for (v = p->versions; v != NULL; v = v->next)
		dispatch(e, p, v);
}
