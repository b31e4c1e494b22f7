/* SPDX-License-Identifier: MIT */
#include "emit.h"
void emit_c_header(struct text *t, struct model *m){(void)t;(void)m;}
void emit_c_xdr(struct text *t, struct model *m){(void)t;(void)m;}
void emit_c_svc(struct text *t, struct model *m){(void)t;(void)m;}
void emit_c_clnt(struct text *t, struct model *m){(void)t;(void)m;}
