/* SPDX-License-Identifier: MIT */
/* Output under way: kept in memory until nothing can go wrong any more. */
#ifndef RPCGEN_TEXT_H
#define RPCGEN_TEXT_H

#include "mem.h"

struct text {
	struct mem *mem;
	char *base;
	size_t len, size;
};

void	text_init(struct text *, struct mem *);
void	text_add(struct text *, const char *s, size_t len);
void	text_put(struct text *, const char *s);
void	text_printf(struct text *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* Where the line under way has got to, tabs being eight wide. */
size_t	text_column(const struct text *);

#endif
