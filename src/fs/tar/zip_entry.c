/* Entries of a zip's directory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "zip_dir.h"

/* --------------------------------------------------------------- window -- */

enum { AHEAD = 64 << 10, ALONE = 1024, TEXT_MAX = 3 * 65535 };

void
zip_window_init(struct zip_window *w, struct tar_source *file)
{
	*w = (struct zip_window){ .file = file };
}

void
zip_window_fini(struct zip_window *w)
{
	free(w->base);
	free(w->text);
	*w = (struct zip_window){ .file = NULL };
}

static int
grow(struct zip_window *w, size_t len)
{
	uint8_t *base;

	if (len <= w->cap)
		return 0;
	if ((base = realloc(w->base, len)) == NULL)
		return ENOMEM;
	w->base = base;
	w->cap = len;
	return 0;
}

int
zip_window_get(struct zip_window *w, uint64_t off, size_t len,
    const uint8_t **to)
{
	bool in_order = off >= w->off && off <= w->off + w->have;
	size_t more = len + (in_order ? AHEAD : ALONE);
	int err;

	if (off < w->off || off + len > w->off + w->have) {
		w->off = off;
		w->have = 0;
		if ((err = grow(w, more)) != 0 ||
		    (err = tar_source_read(w->file, off, w->base, more,
		    &w->have)) != 0)
			return err;
		if (w->have < len)
			return EBADMSG;
	}
	*to = w->base + (off - w->off);
	return 0;
}

/* --------------------------------------------------------------- fields -- */

enum host { HOST_DOS = 0, HOST_UNIX = 3, HOST_OS2 = 6, HOST_NTFS = 10,
    HOST_WIN = 11, HOST_VFAT = 14, HOST_BEOS = 16, HOST_DARWIN = 19 };

static bool
is_unix(unsigned host)
{
	return host == HOST_UNIX || host == HOST_BEOS || host == HOST_DARWIN;
}

/* Whose programs wrote \ between components. */
static bool
is_dos(unsigned host)
{
	return host == HOST_DOS || host == HOST_OS2 || host == HOST_NTFS ||
	    host == HOST_WIN || host == HOST_VFAT;
}

struct extra {
	const uint8_t	*p, *end;
	uint16_t	 id, len;	/* of the field at p */
};

/* The next extra field; false: there is none. */
static bool
next_extra(struct extra *x)
{
	x->p += x->len;
	x->len = 0;
	if (x->end - x->p < 4)
		return false;
	x->id = zip_u16(x->p);
	x->len = zip_u16(x->p + 2);
	x->p += 4;
	return x->len <= x->end - x->p;
}

/* 0x0001: what did not fit, in this order.  False: something is missing. */
static bool
get64(struct zip_entry *e, const struct extra *x)
{
	const uint8_t *p = x->p, *end = p + x->len;
	uint64_t *const field[] = { &e->size, &e->packed, &e->header };
	unsigned i;

	for (i = 0; i < 3; i++) {
		if (*field[i] != UINT32_MAX)
			continue;
		if (end - p < 8)
			return false;
		*field[i] = zip_u64(p);
		p += 8;
	}
	if (e->disk == 0xffff && end - p >= 4)
		e->disk = zip_u32(p);
	return true;
}

/* 0x7875: a version, and two numbers of any length. */
static void
get_ids(struct zip_entry *e, const struct extra *x)
{
	const uint8_t *p = x->p, *end = p + x->len;
	uint32_t id[2];
	unsigned i, k, n;

	if (end - p < 1 || *p++ != 1)
		return;
	for (i = 0; i < 2; i++) {
		if (end - p < 1 || *p > end - p - 1 || *p > 8)
			return;
		n = *p++;
		for (id[i] = 0, k = 0; k < n; k++)
			if (k < 4)
				id[i] |= (uint32_t)p[k] << 8 * k;
			else if (p[k] != 0)
				id[i] = UINT32_MAX - 1;
		p += n;
	}
	e->has_ids = true;
	e->uid = id[0];
	e->gid = id[1];
}

/* --------------------------------------------------------------- times -- */

/* The finer a time the more it counts. */
enum { TIME_DOS, TIME_UNIX, TIME_NTFS };

/* 2 s steps of a clock on a wall, wherever that was: here, say all. */
static struct timespec
dos_time(uint16_t date, uint16_t clock)
{
	struct tm tm = { .tm_year = 80 + (date >> 9),
	    .tm_mon = (date >> 5 & 15) - 1, .tm_mday = date & 31,
	    .tm_hour = clock >> 11, .tm_min = clock >> 5 & 63,
	    .tm_sec = 2 * (clock & 31), .tm_isdst = -1 };

	if (tm.tm_mon < 0)
		tm.tm_mon = 0;
	if (tm.tm_mday == 0)
		tm.tm_mday = 1;
	return (struct timespec){ .tv_sec = mktime(&tm) };
}

/* 0x000a: 100 ns since 1601, in the attribute with tag 1. */
static bool
ntfs_time(const struct extra *x, struct timespec *t)
{
	const uint8_t *p = x->p + 4, *end = x->p + x->len;
	uint64_t v;
	uint16_t n;

	if (x->len < 4)
		return false;
	for (; end - p >= 4; p += n) {
		n = zip_u16(p + 2);
		p += 4;
		if (n > end - p)
			return false;
		if (zip_u16(p - 4) != 1 || n < 8)
			continue;
		v = zip_u64(p);
		t->tv_sec = (time_t)(v / 10000000) - INT64_C(11644473600);
		t->tv_nsec = (long)(v % 10000000) * 100;
		return v != 0;
	}
	return false;
}

static void
set_time(struct timespec *t, const uint8_t *p)
{
	*t = (struct timespec){ .tv_sec = (int32_t)zip_u32(p) };
}

static void
get_time(struct zip_entry *e, const struct extra *x, int *best)
{
	struct timespec t;

	if (x->id == 0x000a && ntfs_time(x, &t)) {
		e->mtime = t;
		*best = TIME_NTFS;
	}
	if (*best == TIME_NTFS)
		return;
	/* Flags, and of the directory's times only that of the last change. */
	if (x->id == 0x5455 && x->len >= 5 && x->p[0] & 1)
		set_time(&e->mtime, x->p + 1);
	/* Older ones: of the last access, of the last change. */
	else if ((x->id == 0x5855 || x->id == 0x000d) && x->len >= 8)
		set_time(&e->mtime, x->p + 4);
	else
		return;
	*best = TIME_UNIX;
}

/* --------------------------------------------------------------- names -- */

/* The upper half of code page 437, which names are in if nothing is said. */
static const uint16_t cp437[128] = {
	0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7,
	0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5,
	0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9,
	0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192,
	0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba,
	0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
	0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556,
	0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510,
	0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f,
	0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567,
	0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b,
	0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580,
	0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
	0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229,
	0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248,
	0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
};

static struct pinefs_name
from_cp437(struct pinefs_name name, char *to)
{
	char *start = to;
	uint16_t c;
	uint32_t i;

	for (i = 0; i < name.len; i++) {
		c = (uint8_t)name.base[i];
		if (c >= 128)
			c = cp437[c - 128];
		if (c < 0x80) {
			*to++ = (char)c;
		} else if (c < 0x800) {
			*to++ = (char)(0xc0 | c >> 6);
			*to++ = (char)(0x80 | (c & 63));
		} else {
			*to++ = (char)(0xe0 | c >> 12);
			*to++ = (char)(0x80 | (c >> 6 & 63));
			*to++ = (char)(0x80 | (c & 63));
		}
	}
	return (struct pinefs_name){ start, (uint32_t)(to - start) };
}

/* 0x7075: the name as UTF-8, if it is still the one that it was made of. */
static bool
unicode_name(const struct extra *x, struct pinefs_name *name)
{
	if (x->len < 5 || x->p[0] != 1 ||
	    zip_u32(x->p + 1) != zip_crc(0, name->base, name->len))
		return false;
	*name = (struct pinefs_name){ (const char *)x->p + 5, x->len - 5u };
	return true;
}

static int
set_name(struct zip_window *w, struct zip_entry *e, unsigned host,
    bool unicode)
{
	uint32_t i;

	if (is_unix(host))
		return 0;
	if (w->text == NULL && (w->text = malloc(TEXT_MAX)) == NULL)
		return ENOMEM;
	if (!unicode && (e->flags & ZIP_FLAG_UTF8) == 0)
		e->name = from_cp437(e->name, w->text);
	if (!is_dos(host) ||
	    memchr(e->name.base, '\\', e->name.len) == NULL)
		return 0;
	memmove(w->text, e->name.base, e->name.len);
	for (i = 0; i < e->name.len; i++)
		if (w->text[i] == '\\')
			w->text[i] = '/';
	e->name.base = w->text;
	return 0;
}

/* --------------------------------------------------------------- types -- */

enum { DOS_READONLY = 1, DOS_DIRECTORY = 16 };

/*
 * The upper half of the attributes is a mode if Unix wrote them; others leave
 * it empty, or write one all the same.
 */
static void
set_type(struct zip_entry *e, unsigned host, uint32_t attr)
{
	uint32_t mode = attr >> 16;
	bool dir = e->name.len > 0 && e->name.base[e->name.len - 1] == '/';

	if (!is_unix(host) && !S_ISREG(mode) && !S_ISDIR(mode) &&
	    !S_ISLNK(mode))
		mode = 0;
	e->mode = mode & 07777;
	dir = dir || S_ISDIR(mode) || (mode == 0 && attr & DOS_DIRECTORY);
	if (mode == 0)
		e->mode = (dir ? 0755 : 0644) &
		    (attr & DOS_READONLY ? 0555 : 0777);
	e->odd = !dir && (S_ISBLK(mode) || S_ISCHR(mode) || S_ISSOCK(mode));
	e->type = dir ? TAR_DIR : S_ISLNK(mode) ? TAR_LNK :
	    S_ISFIFO(mode) ? TAR_FIFO : TAR_REG;
}

/* --------------------------------------------------------------- entries -- */

/* FNV-1a, as identity takes it: the same whenever it is read again. */
static uint32_t
hash(const uint8_t *p, size_t len)
{
	uint32_t h = 2166136261u;

	while (len-- > 0)
		h = (h ^ *p++) * 16777619u;
	return h == 0 ? 1 : h;
}

/* Those of the entry `p`, which lie behind its name. */
static void
get_extras(struct zip_entry *e, const uint8_t *p, bool *unicode, bool *whole)
{
	const uint8_t *first = p + ZIP_ENTRY_SIZE + e->name.len;
	struct extra x = { .p = first, .end = first + zip_u16(p + 30) };
	int best = TIME_DOS;
	bool seen64 = false;

	*unicode = false;
	*whole = e->size != UINT32_MAX && e->packed != UINT32_MAX &&
	    e->header != UINT32_MAX;
	while (next_extra(&x)) {
		if (x.id == 0x0001 && !seen64) {
			*whole = get64(e, &x);
			seen64 = true;
		} else if (x.id == 0x7875) {
			get_ids(e, &x);
		} else if (x.id == 0x7075 && !*unicode) {
			*unicode = unicode_name(&x, &e->name);
		} else {
			get_time(e, &x, &best);
		}
	}
	if (best == TIME_DOS)
		e->mtime = dos_time(zip_u16(p + 14), zip_u16(p + 12));
}

int
zip_entry_get(struct zip_window *w, uint64_t at, uint64_t limit,
    struct zip_entry *e)
{
	bool unicode, whole;
	const uint8_t *p;
	int err;

	if (at > limit || limit - at < ZIP_ENTRY_SIZE)
		return EBADMSG;
	if ((err = zip_window_get(w, at, ZIP_ENTRY_SIZE, &p)) != 0)
		return err;
	*e = (struct zip_entry){ .name.len = zip_u16(p + 28) };
	e->len = ZIP_ENTRY_SIZE + e->name.len + zip_u16(p + 30) +
	    zip_u16(p + 32);
	if (memcmp(p, "PK\1\2", 4) != 0 || e->len > limit - at)
		return EBADMSG;
	if ((err = zip_window_get(w, at, e->len, &p)) != 0)
		return err;
	e->flags = zip_u16(p + 8);
	e->method = zip_u16(p + 10);
	e->crc = zip_u32(p + 16);
	e->packed = zip_u32(p + 20);
	e->size = zip_u32(p + 24);
	e->disk = zip_u16(p + 34);
	e->header = zip_u32(p + 42);
	/* All but where it is, which something before the zip moves. */
	e->sum = hash(p, 42) ^ hash(p + ZIP_ENTRY_SIZE, e->name.len);
	e->name.base = (const char *)p + ZIP_ENTRY_SIZE;
	get_extras(e, p, &unicode, &whole);
	if (!whole)
		e->header = UINT64_MAX;		/* nowhere */
	if ((err = set_name(w, e, p[5], unicode)) == 0)
		set_type(e, p[5], zip_u32(p + 38));
	return err;
}
