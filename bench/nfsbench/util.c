/* Memory, time, random numbers, and the bytes of files. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "nfsbench.h"

/*
 * The file byte at offset o is pattern[o % PAT_PERIOD]: any range can be sent
 * and compared where it lies.  The period is no multiple of a block's size, so
 * that a block at the wrong place is noticed.
 */
static uint8_t *pattern;

void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("nfsbench: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(2);
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		die("out of memory");
	return p;
}

uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t
rng_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void
pattern_init(void)
{
	uint64_t r = cf.seed, v;

	pattern = xcalloc(1, PAT_PERIOD + SIZE_MAX_IO);
	for (size_t i = 0; i + 8 <= PAT_PERIOD; i += 8) {
		v = rng_next(&r) | 1u;
		memcpy(pattern + i, &v, 8);
	}
	for (size_t i = 0; i < SIZE_MAX_IO; i++)
		pattern[PAT_PERIOD + i] = pattern[i % PAT_PERIOD];
}

const uint8_t *
pat_at(uint64_t off)
{
	return pattern + off % PAT_PERIOD;
}

void
name_of(char *buf, size_t size, const char *prefix, uint64_t n)
{
	snprintf(buf, size, "%s%07" PRIu64, prefix, n);
}
