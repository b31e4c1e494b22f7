/* Text into a place of fixed size, and how long all of it would have been. */
#ifndef XDR_PRINT_H
#define XDR_PRINT_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <pinefs/xdr_type.h>

struct printer {
	char *to;
	size_t size, len;	/* there is room for; wanted so far */
	unsigned depth;
};

static inline void
print_bytes(struct printer *p, const char *s, size_t n)
{
	if (p->len < p->size)
		memcpy(p->to + p->len, s, n < p->size - p->len ? n :
		    p->size - p->len);
	p->len += n;
}

static inline void
print_text(struct printer *p, const char *s)
{
	print_bytes(p, s, strlen(s));
}

/* At most 63 bytes of it. */
static inline void __attribute__((format(printf, 2, 3)))
print_format(struct printer *p, const char *fmt, ...)
{
	char text[64];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n > 0)
		print_bytes(p, text, (size_t)n < sizeof text ? (size_t)n :
		    sizeof text - 1);
}

/* A value of one of the four kinds of integers; false: it is another. */
static inline bool
print_integer(struct printer *p, const struct xdr_type *t,
    const uint8_t *value)
{
	uint64_t wide;
	uint32_t narrow;

	switch (t->kind) {
	case XDR_KIND_INT:
	case XDR_KIND_UINT:
		memcpy(&narrow, value, sizeof narrow);
		if (t->kind == XDR_KIND_INT)
			print_format(p, "%" PRId32, (int32_t)narrow);
		else
			print_format(p, "%" PRIu32, narrow);
		return true;
	case XDR_KIND_HYPER:
	case XDR_KIND_UHYPER:
		memcpy(&wide, value, sizeof wide);
		if (t->kind == XDR_KIND_HYPER)
			print_format(p, "%" PRId64, (int64_t)wide);
		else
			print_format(p, "%" PRIu64, wide);
		return true;
	default:
		return false;
	}
}

static inline void
print_hex(struct printer *p, const uint8_t *b, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char two[2];
	size_t i;

	for (i = 0; i < n; i++) {
		two[0] = digits[b[i] >> 4];
		two[1] = digits[b[i] & 15];
		print_bytes(p, two, 2);
	}
}

/* The NUL behind it, and what was wanted. */
static inline size_t
print_end(struct printer *p, char *to, size_t size)
{
	if (size > 0)
		to[p->len < p->size ? p->len : p->size] = '\0';
	return p->len;
}

#endif
