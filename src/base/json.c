/* JSON of one line.  See json.h. */
#include "base/json.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 32 };

/* ---------------------------------------------------------------- UTF-8 -- */

/* The character at s: how many of the n bytes there it has; 0: it is none. */
static size_t
utf8_get(const uint8_t *s, size_t n, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	size_t i;

	if (len > n || (s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4)
		return 0;
	*c = len == 1 ? s[0] : s[0] & (0xffu >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	return *c < least[len] || *c > 0x10ffff ||
	    (*c >= 0xd800 && *c < 0xe000) ? 0 : len;
}

static size_t
utf8_put(uint32_t c, char *to)
{
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;

	for (i = len; i > 1; i--, c >>= 6)
		to[i - 1] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)(len == 1 ? c : (0xf00u >> len & 0xff) | c);
	return len;
}

/* -------------------------------------------------------------- writing -- */

void
json_free(struct json *j)
{
	free(j->text);
	*j = (struct json){ 0 };
}

static void
put(struct json *j, const char *s, size_t n)
{
	size_t size = j->size == 0 ? 256 : j->size;
	char *text;

	if (j->bad)
		return;
	while (size - j->len <= n)
		size *= 2;
	if (size != j->size) {
		if ((text = realloc(j->text, size)) == NULL) {
			j->bad = true;
			return;
		}
		j->text = text;
		j->size = size;
	}
	memcpy(j->text + j->len, s, n);
	j->len += n;
	j->text[j->len] = '\0';
}

static void
put_text(struct json *j, const char *s)
{
	put(j, s, strlen(s));
}

static void
put_unit(struct json *j, unsigned unit)
{
	char text[8];

	put(j, text, (size_t)snprintf(text, sizeof text, "\\u%04x",
	    unit & 0xffff));
}

static void
put_code(struct json *j, uint32_t c)
{
	char byte = (char)c;

	if (c == '"' || c == '\\')
		put(j, "\\", 1);
	if (c >= 0x20 && c < 0x7f) {
		put(j, &byte, 1);
	} else if (c < 0x10000) {
		put_unit(j, c);
	} else {
		put_unit(j, 0xd800 + ((c - 0x10000) >> 10));
		put_unit(j, 0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}

static void
put_string(struct json *j, const void *bytes, size_t len)
{
	const uint8_t *s = bytes;
	size_t i = 0, n;
	uint32_t c;

	put(j, "\"", 1);
	while (i < len) {
		n = utf8_get(s + i, len - i, &c);
		put_code(j, n == 0 ? 0xfffd : c);
		i += n == 0 ? 1 : n;
	}
	put(j, "\"", 1);
}

static void
put_key(struct json *j, const char *key)
{
	if (j->comma)
		put(j, ",", 1);
	j->comma = true;
	if (key != NULL) {
		put_string(j, key, strlen(key));
		put(j, ":", 1);
	}
}

void
json_begin(struct json *j)
{
	put(j, "{", 1);
	j->comma = false;
}

void
json_end(struct json *j)
{
	put(j, "}\n", 2);
	j->comma = false;
}

void
json_object(struct json *j, const char *key)
{
	put_key(j, key);
	json_begin(j);
}

void
json_object_end(struct json *j)
{
	put(j, "}", 1);
	j->comma = true;
}

void
json_list(struct json *j, const char *key)
{
	put_key(j, key);
	put(j, "[", 1);
	j->comma = false;
}

void
json_list_end(struct json *j)
{
	put(j, "]", 1);
	j->comma = true;
}

void
json_bytes(struct json *j, const char *key, const void *bytes, size_t len)
{
	put_key(j, key);
	put_string(j, bytes, len);
}

void
json_string(struct json *j, const char *key, const char *value)
{
	json_bytes(j, key, value, strlen(value));
}

void
json_uint(struct json *j, const char *key, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof text, "%" PRIu64, value);
	json_raw(j, key, text);
}

void
json_point(char *number)
{
	char *to = number;
	const char *p;
	size_t n;

	for (p = number; *p != '\0'; p += n) {
		if ((n = strspn(p, "0123456789+-e")) > 0) {
			memmove(to, p, n);
			to += n;
		} else {
			n = strcspn(p, "0123456789+-e");
			*to++ = '.';
		}
	}
	*to = '\0';
}

void
json_real(struct json *j, const char *key, double value)
{
	char text[64];

	snprintf(text, sizeof text, "%.6g", isfinite(value) ? value : 0.0);
	json_point(text);
	json_raw(j, key, text);
}

void
json_bool(struct json *j, const char *key, bool value)
{
	json_raw(j, key, value ? "true" : "false");
}

void
json_append(struct json *j, const char *lines, size_t len)
{
	put(j, lines, len);
}

void
json_raw(struct json *j, const char *key, const char *value)
{
	put_key(j, key);
	put_text(j, value);
}

/* -------------------------------------------------------------- reading -- */

static const char *
space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* Behind the string that begins at p; NULL: it is none. */
static const char *
skip_string(const char *p)
{
	if (*p != '"')
		return NULL;
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p == '\0')
			return NULL;
	}
	return p + 1;
}

static const char	*skip_value(const char *, unsigned depth);

/* Behind a list or an object: members up to `end`. */
static const char *
skip_members(const char *p, char end, unsigned depth)
{
	p = space(p + 1);
	if (*p == end)
		return p + 1;
	while (p != NULL) {
		if (end == '}') {
			if ((p = skip_string(space(p))) == NULL ||
			    *(p = space(p)) != ':')
				return NULL;
			p++;
		}
		if ((p = skip_value(space(p), depth)) == NULL)
			return NULL;
		p = space(p);
		if (*p == end)
			return p + 1;
		p = *p == ',' ? p + 1 : NULL;
	}
	return NULL;
}

static const char *
skip_value(const char *p, unsigned depth)
{
	size_t n;

	if (*p == '"')
		return skip_string(p);
	if (*p == '{' || *p == '[')
		return depth == 0 ? NULL :
		    skip_members(p, *p == '{' ? '}' : ']', depth - 1);
	n = strspn(p, "+-.0123456789abcdefghijklmnopqrstuvwxyzE");
	return n == 0 ? NULL : p + n;
}

bool
json_is_object(const char *text)
{
	const char *p = space(text);

	return *p == '{' && (p = skip_value(p, DEPTH)) != NULL &&
	    *space(p) == '\0';
}

/* The member at p, which is a key: its value. */
static const char *
value_of(const char *p)
{
	p = skip_string(p);
	if (p == NULL || *(p = space(p)) != ':')
		return NULL;
	return space(p + 1);
}

const char *
json_find(const char *text, const char *key)
{
	const char *p = space(text), *value;
	size_t n = strlen(key);

	if (*p != '{')
		return NULL;
	for (p = space(p + 1); (value = value_of(p)) != NULL;
	    p = space(p + 1)) {
		/* Our own keys have nothing in them to be escaped. */
		if (strncmp(p + 1, key, n) == 0 && p[1 + n] == '"')
			return skip_value(value, DEPTH) == NULL ? NULL :
			    value;
		if ((p = skip_value(value, DEPTH)) == NULL ||
		    *(p = space(p)) != ',')
			return NULL;
	}
	return NULL;
}

static bool
get_unit(const char *p, uint32_t *unit)
{
	unsigned i, digit;

	*unit = 0;
	for (i = 0; i < 4; i++) {
		digit = p[i] >= '0' && p[i] <= '9' ? p[i] - '0' :
		    p[i] >= 'a' && p[i] <= 'f' ? p[i] - 'a' + 10 :
		    p[i] >= 'A' && p[i] <= 'F' ? p[i] - 'A' + 10 : 16;
		if (digit == 16)
			return false;
		*unit = *unit << 4 | digit;
	}
	return true;
}

/* What stands behind a backslash; NULL: nothing that may. */
static const char *
get_escape(const char *p, uint32_t *c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at = *p == '\0' ? NULL : strchr(from, *p);
	uint32_t low;

	if (at != NULL) {
		*c = (uint8_t)to[at - from];
		return p + 1;
	}
	if (*p != 'u' || !get_unit(p + 1, c))
		return NULL;
	p += 5;
	if (*c >= 0xd800 && *c < 0xdc00 && p[0] == '\\' && p[1] == 'u' &&
	    get_unit(p + 2, &low) && low >= 0xdc00 && low < 0xe000) {
		*c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	}
	if (*c == 0 || (*c >= 0xd800 && *c < 0xe000))
		*c = 0xfffd;
	return p;
}

bool
json_get_text(const char *value, char *to, size_t size)
{
	const char *p = value, *end;
	size_t n = 0, len;
	char code[4];
	uint32_t c;

	if (p == NULL || size == 0 || (end = skip_string(p)) == NULL)
		return false;
	for (p++; p < end - 1; ) {
		len = 1;
		code[0] = *p;
		if (*p != '\\') {
			p++;
		} else {
			if ((p = get_escape(p + 1, &c)) == NULL)
				return false;
			len = utf8_put(c, code);
		}
		if (n + len >= size)
			break;
		memcpy(to + n, code, len);
		n += len;
	}
	to[n] = '\0';
	return true;
}

uint64_t
json_get_uint(const char *value)
{
	return value == NULL || *value < '0' || *value > '9' ? 0 :
	    strtoull(value, NULL, 10);
}

double
json_get_real(const char *value)
{
	locale_t c;
	double v;

	if (value == NULL || *value == '"' ||
	    (c = newlocale(LC_ALL_MASK, "C", (locale_t)0)) == (locale_t)0)
		return 0;
	v = strtod_l(value, NULL, c);
	freelocale(c);
	return v;
}

bool
json_get_bool(const char *value)
{
	return value != NULL && strncmp(value, "true", 4) == 0;
}

const char *
json_first(const char *list)
{
	if (list == NULL || *list != '[' ||
	    skip_value(list, DEPTH) == NULL)
		return NULL;
	list = space(list + 1);
	return *list == ']' ? NULL : list;
}

const char *
json_next(const char *value)
{
	const char *p = skip_value(value, DEPTH);

	return p == NULL || *(p = space(p)) != ',' ? NULL : space(p + 1);
}
