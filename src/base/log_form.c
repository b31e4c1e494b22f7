/* What a log record looks like.  See log_form.h. */
#include "base/log_form.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A byte of the text can become six, and what stands around it is short. */
enum { WIDEST = 6, AROUND = 512 };

static const char try_word[] = "\ntry: ";

size_t
log_form_room(const struct log_record *r)
{
	return r->len * WIDEST + AROUND;
}

/* --------------------------------------------------------------- writing -- */

/* Counts on when it is full. */
struct out {
	char	*to;
	size_t	 size, n;
};

static void
put(struct out *o, const void *bytes, size_t len)
{
	if (o->n < o->size)
		memcpy(o->to + o->n, bytes,
		    len < o->size - o->n ? len : o->size - o->n);
	o->n += len;
}

static void
put_string(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

static void __attribute__((format(printf, 2, 3)))
put_format(struct out *o, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	put_string(o, text);
}

/* ------------------------------------------------------------------ text -- */

/*
 * How many bytes of p are one printable character of UTF-8; 0: none.  Not
 * printable are the controls, those of U+0080 to U+009F among them, which
 * some terminals obey.
 */
static size_t
printable(const unsigned char *p, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 :
	    *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0, i;
	uint32_t c;

	if (n == 0 || n > len)
		return 0;
	if (n == 1)
		return *p >= 0x20 && *p != 0x7f;
	c = *p & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[n] || c < 0xa0 || c > 0x10ffff ||
	    (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

/* `json`: inside of a JSON string, where two more need an escape. */
static void
put_text(struct out *o, const char *text, size_t len, bool json)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;
	size_t n;

	for (; p < end; p += n) {
		if ((n = printable(p, (size_t)(end - p))) == 0) {
			put_format(o, json ? "\\\\x%02x" : "\\x%02x", *p);
			n = 1;
			continue;
		}
		if (json && (*p == '"' || *p == '\\'))
			put(o, "\\", 1);
		put(o, p, n);
	}
}

/* Where the second line begins, or the end. */
static const char *
hint(const struct log_record *r)
{
	const char *at = memmem(r->text, r->len, try_word,
	    sizeof try_word - 1);

	return at == NULL ? r->text + r->len : at;
}

static const char *const names[] = { "error", "warning", "info", "debug" };

static size_t
end_of_hint(const struct log_record *r, const char *at)
{
	return (size_t)(r->text + r->len - at) - (sizeof try_word - 1);
}

size_t
log_form_text(char *to, size_t size, const struct log_record *r, bool colour)
{
	static const char *const colours[] = { "\033[1;31m", "\033[1;33m",
	    "", "\033[2m" };
	static const char *const words[] = { "", "warning: ", "", "debug: " };
	const char *on = colour ? colours[r->level] : "";
	const char *off = *on != '\0' ? "\033[0m" : "", *at = hint(r);
	struct out o = { to, size, 0 };

	put_string(&o, on);
	put_string(&o, "pinefs: ");
	put_string(&o, words[r->level]);
	put_string(&o, off);
	put_text(&o, r->text, (size_t)(at - r->text), false);
	if (r->missed > 0)
		put_format(&o, " ... %u more in %u s", r->missed, r->seconds);
	if (at < r->text + r->len) {
		put_string(&o, try_word);
		put_text(&o, at + sizeof try_word - 1, end_of_hint(r, at),
		    false);
	}
	put(&o, "\n", 1);
	return o.n;
}

/* ------------------------------------------------------------------ JSON -- */

size_t
log_form_json(char *to, size_t size, const struct log_record *r)
{
	const char *at = hint(r);
	struct out o = { to, size, 0 };
	struct tm tm;

	gmtime_r(&r->time.tv_sec, &tm);
	put_format(&o, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ\",",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, r->time.tv_nsec / 1000);
	put_format(&o, "\"level\":\"%s\",\"pid\":%d,\"message\":\"",
	    names[r->level], r->pid);
	put_text(&o, r->text, (size_t)(at - r->text), true);
	put_string(&o, "\"");
	if (r->missed > 0)
		put_format(&o, ",\"more\":%u,\"seconds\":%u", r->missed,
		    r->seconds);
	if (at < r->text + r->len) {
		put_string(&o, ",\"try\":\"");
		put_text(&o, at + sizeof try_word - 1, end_of_hint(r, at),
		    true);
		put_string(&o, "\"");
	}
	put_string(&o, "}\n");
	return o.n;
}

/* --------------------------------------------------------------- journal -- */

/*
 * systemd's native protocol: NAME=value lines, or for a value with new lines
 * in it: NAME, a new line, its length in eight bytes, the value, a new line.
 */
size_t
log_form_journal(char *to, size_t size, const struct log_record *r)
{
	static const int priority[] = { 3, 4, 6, 7 };	/* of syslog */
	struct out o = { to, size, 0 };
	size_t at, length_at;
	uint64_t len;
	unsigned i;

	put_format(&o, "PRIORITY=%d\nSYSLOG_IDENTIFIER=pinefs\n"
	    "SYSLOG_PID=%d\n", priority[r->level], r->pid);
	if (r->missed > 0)
		put_format(&o, "PINEFS_MORE=%u\nPINEFS_SECONDS=%u\n",
		    r->missed, r->seconds);
	put_string(&o, "MESSAGE\n");
	length_at = o.n;
	put(&o, "\0\0\0\0\0\0\0", 8);
	at = o.n;
	put_text(&o, r->text, (size_t)(hint(r) - r->text), false);
	if (r->missed > 0)
		put_format(&o, " ... %u more in %u s", r->missed, r->seconds);
	if (hint(r) < r->text + r->len) {
		put_string(&o, try_word);
		put_text(&o, hint(r) + sizeof try_word - 1,
		    end_of_hint(r, hint(r)), false);
	}
	len = o.n - at;
	put(&o, "\n", 1);
	for (i = 0; i < 8 && length_at + i < size; i++)
		to[length_at + i] = (char)(len >> 8 * i);
	return o.n;
}
