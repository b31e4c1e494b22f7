/* SPDX-License-Identifier: MIT */
/*
 * The printers.  Each reads a model and adds to a text; none of them fails.
 * They depend on nothing but the model: no dates, no paths.
 */
#ifndef RPCGEN_EMIT_H
#define RPCGEN_EMIT_H

#include "model.h"
#include "text.h"

/* emit_c*.c: STEM.h, STEM_xdr.c, STEM_svc.c, STEM_clnt.c */
void	emit_c_header(struct text *, struct model *);
void	emit_c_xdr(struct text *, struct model *);
void	emit_c_svc(struct text *, struct model *);
void	emit_c_clnt(struct text *, struct model *);

/* emit_c_sample.c: STEM_server.c, STEM_client.c, Makefile.STEM */
void	emit_c_sample_server(struct text *, struct model *);
void	emit_c_sample_client(struct text *, struct model *);
void	emit_c_sample_make(struct text *, struct model *);

/* emit_tirpc*.c: the same four files in the shape of Sun's rpcgen */
void	emit_tirpc_header(struct text *, struct model *);
void	emit_tirpc_xdr(struct text *, struct model *);
void	emit_tirpc_svc(struct text *, struct model *);
void	emit_tirpc_clnt(struct text *, struct model *);
/* The name of a type or procedure that libtirpc cannot have, or NULL. */
const char *tirpc_lacks(const struct model *);

/* emit_py*.c: STEM.py */
void	emit_py(struct text *, struct model *);

/* dump.c: what the front end made of it, for people and for tests. */
void	dump_tokens(struct text *, const struct token *);
void	dump_json(struct text *, struct model *);
/* dump_tree.c */
struct tree_def;
void	dump_tree(struct text *, const struct tree_def *);

#endif
