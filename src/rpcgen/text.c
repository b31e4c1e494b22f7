/* SPDX-License-Identifier: MIT */
/* Output under way. */
#include "text.h"

#include <string.h>

void
text_init(struct text *t, struct mem *mem)
{
	*t = (struct text){ .mem = mem };
}

enum { LARGE = 16 << 10 };

/* Short ones are many; a long one is a file. */
static void
grow(struct text *t, size_t len)
{
	size_t size = 2 * t->size + len + 64;

	if (t->size >= LARGE) {
		t->base = mem_block(t->mem, t->base, t->size, size);
	} else if (size >= LARGE) {
		t->base = memcpy(mem_block(t->mem, NULL, 0, size),
		    t->len > 0 ? t->base : "", t->len);
	} else {
		t->base = mem_grow(t->mem, t->base, t->len, size, 1);
	}
	t->size = size;
}

void
text_add(struct text *t, const char *s, size_t len)
{
	if (len > t->size - t->len)
		grow(t, len);
	if (len > 0)
		memcpy(t->base + t->len, s, len);
	t->len += len;
}

void
text_put(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void
text_printf(struct text *t, const char *fmt, ...)
{
	char small[256];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = mem_format(small, sizeof small, fmt, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len < sizeof small) {
		text_add(t, small, (size_t)len);
		return;
	}
	va_start(ap, fmt);
	text_put(t, mem_vprintf(t->mem, fmt, ap));
	va_end(ap);
}

size_t
text_column(const struct text *t)
{
	size_t i = t->len, column = 0;

	while (i > 0 && t->base[i - 1] != '\n')
		i--;
	for (; i < t->len; i++)
		column = t->base[i] == '\t' ? (column | 7) + 1 : column + 1;
	return column;
}
