/*
 * Numbers as archives write them.  Each says false where there is none, or
 * one too large, and leaves *v alone.
 */
#ifndef FS_TAR_NUMBER_H
#define FS_TAR_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * A field of a header: octal digits between spaces, ended by a space, a NUL
 * or the field's end; or, when its first byte has the highest bit set, a
 * big-endian two's complement number (base-256).  Only blanks: 0.
 */
bool	tar_number(const void *field, size_t len, int64_t *v);
/* Decimal digits, maybe after a '-', and nothing else; at most 64 bytes. */
bool	tar_decimal(const char *text, size_t len, int64_t *v);
/* Decimal seconds with a fraction: "-1.25" is -2 s and 750000000 ns. */
bool	tar_time(const char *text, size_t len, struct timespec *t);

#endif
