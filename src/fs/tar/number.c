/* Numbers in archives.  See number.h. */
#include "number.h"

/* Two's complement, big-endian; the highest bit only marks it. */
static bool
base256(const uint8_t *p, size_t len, int64_t *v)
{
	bool negative = (p[0] & 0x40) != 0;
	uint64_t n = negative ? UINT64_MAX << 6 | (p[0] & 0x3f) : p[0] & 0x3f;
	size_t i;

	for (i = 1; i < len; i++) {
		/* What is shifted out, and the sign, must be all sign. */
		if (n >> 55 != (negative ? 0x1ff : 0))
			return false;
		n = n << 8 | p[i];
	}
	*v = (int64_t)n;
	return true;
}

bool
tar_number(const void *field, size_t len, int64_t *v)
{
	const uint8_t *p = field, *end = p + len;
	uint64_t n = 0;

	if (len > 0 && (p[0] & 0x80) != 0)
		return base256(p, len, v);
	while (p < end && *p == ' ')
		p++;
	for (; p < end && *p >= '0' && *p <= '7'; p++) {
		if (n >> 60 != 0)
			return false;
		n = n << 3 | (uint64_t)(*p - '0');
	}
	if (p < end && *p != ' ' && *p != '\0')
		return false;
	*v = (int64_t)n;
	return true;
}

/* Of a global header it is read again for each member. */
enum { LONGEST = 64 };

/* Digits from *p on; false where there are none, or too many. */
static bool
digits(const char **p, const char *end, uint64_t *n)
{
	const char *begin = *p;
	uint64_t v = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; ++*p) {
		if (v > (INT64_MAX - (uint64_t)(**p - '0')) / 10)
			return false;
		v = v * 10 + (uint64_t)(**p - '0');
	}
	*n = v;
	return *p > begin;
}

bool
tar_decimal(const char *text, size_t len, int64_t *v)
{
	const char *p = text, *end = text + len;
	bool negative = len > 0 && *p == '-';
	uint64_t n;

	if (len > LONGEST)
		return false;
	if (negative)
		p++;
	if (!digits(&p, end, &n) || p != end)
		return false;
	*v = negative ? -(int64_t)n : (int64_t)n;
	return true;
}

bool
tar_time(const char *text, size_t len, struct timespec *t)
{
	const char *p = text, *end = text + len;
	bool negative = len > 0 && *p == '-';
	long ns = 0, unit = 100000000;
	uint64_t s;

	if (len > LONGEST)
		return false;
	if (negative)
		p++;
	if (!digits(&p, end, &s))
		return false;
	if (p < end && *p == '.')
		for (p++; p < end && *p >= '0' && *p <= '9'; p++) {
			ns += (*p - '0') * unit;
			unit /= 10;
		}
	if (p != end)
		return false;
	t->tv_sec = negative ? -(time_t)s : (time_t)s;
	t->tv_nsec = ns;
	if (negative && ns != 0) {
		t->tv_sec--;
		t->tv_nsec = 1000000000 - ns;
	}
	return true;
}
