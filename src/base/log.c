/* Lines for a person.  See log.h. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 1024, LIMIT_MS = 10000 };

static atomic_int level = LOG_LEVEL_INFO;

void
log_set_level(enum log_level l)
{
	atomic_store(&level, (int)l);
}

int
log_level_parse(const char *name)
{
	static const char *const names[] = { "error", "warning", "info",
	    "debug" };
	int i;

	for (i = 0; i < 4; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

static void
line(const char *what, const char *fmt, va_list ap)
{
	int saved = errno;
	char buf[LINE];
	size_t n;

	n = (size_t)snprintf(buf, sizeof buf, "pinefs: %s", what);
	n += (size_t)vsnprintf(buf + n, sizeof buf - n, fmt, ap);
	if (n > sizeof buf - 2)
		n = sizeof buf - 2;
	buf[n++] = '\n';
	if (write(STDERR_FILENO, buf, n) == -1) {
		/* Nobody listens: there is nobody to tell. */
	}
	errno = saved;
}

#define LOG_FUNCTION(name, lev, what)					\
void									\
name(const char *fmt, ...)						\
{									\
	va_list ap;							\
									\
	if (atomic_load_explicit(&level, memory_order_relaxed) < (lev)) \
		return;							\
	va_start(ap, fmt);						\
	line(what, fmt, ap);						\
	va_end(ap);							\
}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR, "")
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING, "warning: ")
LOG_FUNCTION(log_info, LOG_LEVEL_INFO, "")
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG, "debug: ")

void
log_limited(struct log_limit *limit, const char *fmt, ...)
{
	uint_fast64_t last = atomic_load(&limit->last_ms), now;
	char what[64] = "";
	struct timespec ts;
	unsigned missed;
	va_list ap;

	if (atomic_load_explicit(&level, memory_order_relaxed) <
	    LOG_LEVEL_WARNING)
		return;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000 + 1;
	if ((last != 0 && now - last < LIMIT_MS) ||
	    !atomic_compare_exchange_strong(&limit->last_ms, &last, now)) {
		atomic_fetch_add(&limit->missed, 1);
		return;
	}
	if ((missed = atomic_exchange(&limit->missed, 0)) > 0)
		snprintf(what, sizeof what, "(%u more like this before) ",
		    missed);
	va_start(ap, fmt);
	line(what, fmt, ap);
	va_end(ap);
}

char *
log_escape(char *to, size_t size, const void *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = text;
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		if (n + 8 > size) {
			memcpy(to + n, "...", 4);
			return to;
		}
		if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\') {
			to[n++] = (char)p[i];
			continue;
		}
		to[n++] = '\\';
		to[n++] = 'x';
		to[n++] = hex[p[i] >> 4];
		to[n++] = hex[p[i] & 15];
	}
	to[n] = '\0';
	return to;
}
