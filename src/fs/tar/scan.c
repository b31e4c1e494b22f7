/*
 * The scanner.  See scan.h.
 *
 *	[x: pax records] [L: long name] header [sparse blocks] data ... header
 *	 \__ for the next header only __/ ^ a member is known by this place
 *
 * Blocks come through a window on the source, small after a jump and large
 * where headers lie close together.
 */
#include "scan.h"

#include <stdlib.h>
#include <string.h>

#include "header.h"
#include "number.h"
#include "pax.h"
#include "zip_scan.h"
#include "zip_source.h"

/* What is longer no client could ask for; each is copied per member. */
enum { NAME_LONGEST = 65536, TARGET_LONGEST = 4096, VALUE_LONGEST = 65536 };
enum { WINDOW = 65536, AFTER_JUMP = 4096, XATTRS_MAX = 256, NOBODY = 65534 };

/* Text that is kept while other blocks are read. */
struct text {
	char	*base;
	size_t	 len, cap;
	bool	 set;
};

struct tar_scan {
	struct tar_source	*source;
	struct zip_scan		*zip;		/* does it all, or NULL */
	bool			 ignore_zeros;
	const atomic_bool	*stop;		/* or NULL */
	tar_note_fn		*note;
	void			*note_arg;
	uint64_t		 pos;		/* of the next header */
	uint64_t		 before;	/* of the one before, */
	uint64_t		 data_end;	/* and the end of its data */
	bool			 found;		/* a header, or the end mark */
	bool			 ended;
	bool			 goes_on;	/* with what is appended */
	/* For the next header: */
	struct tar_pax		 local;
	struct text		 long_name, long_link;
	bool			 refuse;
	bool			 extended;	/* any of it */

	struct tar_pax		 global;
	struct tar_sparse	 pax_map;	/* as records give it */
	struct tar_sparse	 map;		/* as headers and data do */
	struct text		 name, link;	/* of the member told last */
	struct text		 decoded;	/* its xattrs in base64 */
	struct tar_xattr	 xattr[XATTRS_MAX];
	uint8_t			*window;
	uint64_t		 window_off;
	size_t			 window_len;
};

static const char *const notes[TAR_NOTES] = {
	[TAR_NOTE_CUT] = "the archive ends inside it: what is whole is served",
	[TAR_NOTE_CHECKSUM] =
	    "no header where one must be: nothing behind it is served",
	[TAR_NOTE_SIZE] = "a size that cannot be: nothing behind it is served",
	[TAR_NOTE_PAX] = "broken pax records are ignored",
	[TAR_NOTE_LONG] = "a long name too long, or without a member: refused",
	[TAR_NOTE_SPARSE] = "a sparse map that cannot be: refused",
	[TAR_NOTE_TYPE] = "of an unknown type: taken as a regular file",
	[TAR_NOTE_VOLUME] = "continues another volume: not served",
	[TAR_NOTE_OLD_NAMES] = "a list of old names is ignored",
	[TAR_NOTE_NUMBER] = "a field is no number, or too large",
	[TAR_NOTE_DIRECTORY] = "the directory of the zip is broken here: "
	    "nothing behind it is served",
	[TAR_NOTE_PLACE] =
	    "lies over another member, or outside of the zip: refused",
	[TAR_NOTE_ENCRYPTED] = "encrypted: it cannot be read",
	[TAR_NOTE_METHOD] =
	    "compressed by a method that this build cannot read",
	[TAR_NOTE_LENGTHS] = "sizes that cannot be: it cannot be read",
	[TAR_NOTE_BOMB] = "says to be more than 1000 times its size in the "
	    "zip: it cannot be read",
	[TAR_NOTE_TARGET] =
	    "a symbolic link whose target cannot be read: refused",
	[TAR_NOTE_NAME] = "a name with '..' or NUL, too long or too deep: refused",
	[TAR_NOTE_LINK] = "a hard link to nothing that can be linked: left out",
	[TAR_NOTE_PARENT] = "lies below what is no directory: refused",
	[TAR_NOTE_REPLACE] =
	    "would replace a directory that is not empty: refused",
};

const char *
tar_note_text(enum tar_note note)
{
	return notes[note];
}

/* ---------------------------------------------------------------- blocks -- */

/*
 * `len` bytes at `off`, at most WINDOW; NULL with *err 0 where they end
 * before.
 */
static const void *
window(struct tar_scan *s, uint64_t off, size_t len, int *err)
{
	bool near = off >= s->window_off &&
	    off - s->window_off <= s->window_len;
	size_t at = near ? (size_t)(off - s->window_off) : 0;

	*err = 0;
	if (near && len <= s->window_len - at)
		return s->window + at;
	if (s->stop != NULL && atomic_load(s->stop)) {
		*err = ECANCELED;
		return NULL;
	}
	s->window_len = 0;
	s->window_off = off;
	*err = tar_source_read(s->source, off, s->window,
	    near || len > AFTER_JUMP ? WINDOW : AFTER_JUMP, &s->window_len);
	return *err == 0 && len <= s->window_len ? s->window : NULL;
}

static void
note(struct tar_scan *s, enum tar_note what)
{
	struct pinefs_name name = { s->name.base, (uint32_t)s->name.len };

	if (s->note != NULL)
		s->note(s->note_arg, what, s->pos, &name);
}

/* What lies behind data of that size, or INT64_MAX: nothing can. */
static uint64_t
behind(uint64_t data, uint64_t size)
{
	if (size > INT64_MAX - TAR_BLOCK || data > INT64_MAX - TAR_BLOCK -
	    size)
		return INT64_MAX;
	return data + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

/* On to the next header. */
static void
go_behind(struct tar_scan *s, uint64_t data, uint64_t size)
{
	s->before = s->pos;
	s->pos = behind(data, size);
	s->data_end = s->pos == INT64_MAX ? INT64_MAX : data + size;
}

static int
set_text(struct text *t, const char *base, size_t len)
{
	char *to;

	if (len > t->cap || t->base == NULL) {
		if ((to = realloc(t->base, len + 1)) == NULL)
			return ENOMEM;
		t->base = to;
		t->cap = len;
	}
	memcpy(t->base, base, len);
	t->len = len;
	t->set = true;
	return 0;
}

static struct pinefs_name
slice(const struct text *t)
{
	return (struct pinefs_name){ t->base, (uint32_t)t->len };
}

/* ------------------------------------------------------ for what follows -- */

static void
forget(struct tar_scan *s)
{
	tar_pax_clear(&s->local);
	s->long_name.set = s->long_link.set = false;
	s->refuse = s->extended = false;
}

/* Copy data of the archive; ENODATA: they end before. */
static int
copy(struct tar_scan *s, uint64_t off, char *to, size_t len)
{
	const void *p;
	size_t n;
	int err;

	for (; len > 0; len -= n, off += n, to += n) {
		n = len < WINDOW ? len : WINDOW;
		if ((p = window(s, off, n, &err)) == NULL)
			return err != 0 ? err : ENODATA;
		memcpy(to, p, n);
	}
	return 0;
}

/* Is there a byte at `off`?  Before memory is taken for what lies before. */
static int
reaches(struct tar_scan *s, uint64_t off)
{
	size_t got;
	char c;
	int err = tar_source_read(s->source, off, &c, 1, &got);

	return err != 0 ? err : got == 1 ? 0 : ENODATA;
}

/* `L` and `K`: a name up to its NUL. */
static int
read_long(struct tar_scan *s, struct text *t, uint64_t size)
{
	char *base;
	int err;

	if (size == 0)
		return 0;
	if (size > NAME_LONGEST) {
		s->refuse = true;
		return 0;
	}
	if ((base = malloc(size)) == NULL)
		return ENOMEM;
	err = copy(s, s->pos + TAR_BLOCK, base, size);
	if (err == 0)
		err = set_text(t, base, strnlen(base, size));
	free(base);
	return err;
}

static int
read_pax(struct tar_scan *s, struct tar_pax *p, uint64_t size)
{
	bool whole;
	char *to;
	int err;

	if (size == 0)
		return 0;
	if (size > TAR_PAX_MAX || p->len + size > TAR_PAX_MAX) {
		note(s, TAR_NOTE_PAX);
		return 0;
	}
	if ((err = reaches(s, s->pos + TAR_BLOCK + size - 1)) != 0)
		return err;
	if ((to = tar_pax_room(p, size)) == NULL)
		return ENOMEM;
	err = copy(s, s->pos + TAR_BLOCK, to, size);
	if (err == 0)
		err = tar_pax_parse(p, size, &whole);
	if (err == 0 && !whole)
		note(s, TAR_NOTE_PAX);
	return err;
}

/*
 * What names one member is not believed of all: each would be given it, at no
 * cost to who wrote the archive.
 */
static int
read_global(struct tar_scan *s, uint64_t size)
{
	struct tar_pax *g = &s->global;
	int err = read_pax(s, g, size);

	s->goes_on = false;
	g->value[PAX_PATH].set = g->value[PAX_LINKPATH].set = false;
	g->value[PAX_SPARSE_NAME].set = false;
	g->nxattrs = 0;
	return err;
}

/* X is Solaris's x. */
static bool
is_extension(const struct tar_header *h)
{
	return h->typeflag != '\0' && strchr("LKxXg", h->typeflag) != NULL;
}

/* A header that only says something; *is false: it is none of these. */
static int
read_extension(struct tar_scan *s, const struct tar_header *h, uint64_t size,
    bool *is)
{
	*is = is_extension(h);
	if (!*is)
		return 0;
	if (h->typeflag == 'g')
		return read_global(s, size);
	s->extended = true;
	if (h->typeflag == 'L')
		return read_long(s, &s->long_name, size);
	if (h->typeflag == 'K')
		return read_long(s, &s->long_link, size);
	return read_pax(s, &s->local, size);
}

/* ------------------------------------------------------ fields of members -- */

static int64_t
number(struct tar_scan *s, const char *field, size_t len)
{
	int64_t v = 0;

	if (!tar_number(field, len, &v))
		note(s, TAR_NOTE_NUMBER);
	return v;
}

/* A number that pax may have given. */
static int64_t
number_or(struct tar_scan *s, enum tar_pax_key key, const char *field,
    size_t len)
{
	struct pinefs_name text;
	int64_t v;

	if (tar_pax_get(&s->local, &s->global, key, &text)) {
		if (tar_decimal(text.base, text.len, &v))
			return v;
		note(s, TAR_NOTE_NUMBER);
	}
	return number(s, field, len);
}

/* -2 was written as 32 bits, too. */
static uint32_t
id_of(struct tar_scan *s, int64_t v)
{
	if (v >= INT32_MIN && v <= UINT32_MAX)
		return (uint32_t)v;
	note(s, TAR_NOTE_NUMBER);
	return NOBODY;
}

static void
set_mtime(struct tar_scan *s, const struct tar_header *h,
    struct tar_member *m)
{
	struct pinefs_name text;

	if (tar_pax_get(&s->local, &s->global, PAX_MTIME, &text)) {
		if (tar_time(text.base, text.len, &m->mtime))
			return;
		note(s, TAR_NOTE_NUMBER);
	}
	m->mtime.tv_sec = (time_t)number(s, h->mtime, sizeof h->mtime);
}

static int
set_name(struct tar_scan *s, const struct tar_header *h)
{
	struct pinefs_name name, prefix = tar_header_prefix(h);
	char joined[sizeof h->prefix + 1 + sizeof h->name];

	if (tar_pax_get(&s->local, &s->global, PAX_SPARSE_NAME, &name) ||
	    tar_pax_get(&s->local, &s->global, PAX_PATH, &name)) {
		s->refuse |= name.len > NAME_LONGEST;
		return set_text(&s->name, name.base, s->refuse ? 0 : name.len);
	}
	if (s->long_name.set)
		return set_text(&s->name, s->long_name.base,
		    s->long_name.len);
	name = tar_header_text(h->name, sizeof h->name);
	if (prefix.len == 0)
		return set_text(&s->name, name.base, name.len);
	memcpy(joined, prefix.base, prefix.len);
	joined[prefix.len] = '/';
	memcpy(joined + prefix.len + 1, name.base, name.len);
	return set_text(&s->name, joined, prefix.len + 1 + name.len);
}

static int
set_link(struct tar_scan *s, const struct tar_header *h)
{
	struct pinefs_name link;

	if (!tar_pax_get(&s->local, &s->global, PAX_LINKPATH, &link))
		link = s->long_link.set ? slice(&s->long_link) :
		    tar_header_text(h->linkname, sizeof h->linkname);
	if (link.len > (h->typeflag == '2' ? TARGET_LONGEST : NAME_LONGEST)) {
		s->refuse = true;
		link.len = 0;
	}
	return set_text(&s->link, link.base, link.len);
}

static bool
ends_in_slash(const struct text *t)
{
	return t->len > 0 && t->base[t->len - 1] == '/';
}

static void
set_type(struct tar_scan *s, const struct tar_header *h,
    struct tar_member *m)
{
	switch (h->typeflag) {
	case '1': m->type = TAR_HARD; return;
	case '2': m->type = TAR_LNK; return;
	case '3': m->type = TAR_CHR; return;
	case '4': m->type = TAR_BLK; return;
	case '5':
	case 'D': m->type = TAR_DIR; return;
	case '6': m->type = TAR_FIFO; return;
	}
	m->type = TAR_REG;
	switch (h->typeflag) {
	case '\0':
	case '0':
		if (ends_in_slash(&s->name))
			m->type = TAR_DIR;
		return;
	case '7':
	case 'S':
		return;
	}
	note(s, TAR_NOTE_TYPE);
}

/* --------------------------------------------------------------- xattrs -- */

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ?
	    c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static struct pinefs_name
decode_name(struct pinefs_name from, char *to)
{
	struct pinefs_name name = { to, 0 };
	uint32_t i;

	for (i = 0; i < from.len; i++) {
		if (from.base[i] == '%' && from.len - i > 2 &&
		    hex(from.base[i + 1]) >= 0 && hex(from.base[i + 2]) >= 0) {
			to[name.len++] = (char)(hex(from.base[i + 1]) << 4 |
			    hex(from.base[i + 2]));
			i += 2;
		} else {
			to[name.len++] = from.base[i];
		}
	}
	return name;
}

static int
base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c == '\0' ? NULL : strchr(digits, c);

	return p == NULL ? -1 : (int)(p - digits);
}

/* Stops at what is no digit; padding is such. */
static struct pinefs_name
decode_value(struct pinefs_name from, char *to)
{
	struct pinefs_name value = { to, 0 };
	unsigned bits = 0, have = 0;
	uint32_t i;
	int d;

	for (i = 0; i < from.len && (d = base64_digit(from.base[i])) >= 0;
	    i++) {
		bits = (bits << 6 | (unsigned)d) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			to[value.len++] = (char)(bits >> have);
		}
	}
	return value;
}

/* Later ones win, and those as they are over encoded ones. */
static void
put_xattr(struct tar_scan *s, struct tar_member *m, struct tar_xattr x,
    bool encoded)
{
	uint32_t i;

	for (i = 0; i < m->nxattrs; i++)
		if (s->xattr[i].name.len == x.name.len &&
		    memcmp(s->xattr[i].name.base, x.name.base,
		    x.name.len) == 0)
			break;
	if (i == XATTRS_MAX || (i < m->nxattrs && encoded))
		return;
	if (i == m->nxattrs)
		m->nxattrs++;
	s->xattr[i] = x;
}

static void
put_xattrs(struct tar_scan *s, struct tar_member *m, bool encoded, char *to)
{
	const struct tar_pax *p = &s->local;
	const struct tar_pax_xattr *x = p->xattr;
	struct tar_xattr out;
	uint32_t left;

	for (left = p->nxattrs; left > 0; left--, x++) {
		if (x->encoded != encoded)
			continue;
		out.name = (struct pinefs_name){ p->text + x->name,
		    x->name_len };
		out.value = (struct pinefs_name){ p->text + x->value,
		    x->value_len };
		if (encoded) {
			out.name = decode_name(out.name, to);
			to += out.name.len;
			out.value = decode_value(out.value, to);
			to += out.value.len;
		}
		if (out.name.len > 0 && out.name.len <= 255 &&
		    out.value.len <= VALUE_LONGEST)
			put_xattr(s, m, out, encoded);
	}
}

static int
set_xattrs(struct tar_scan *s, struct tar_member *m)
{
	size_t most = s->local.len;
	char *to;

	m->xattr = s->xattr;
	if (s->local.nxattrs == 0)
		return 0;
	if (most > s->decoded.cap) {
		if ((to = realloc(s->decoded.base, most)) == NULL)
			return ENOMEM;
		s->decoded.base = to;
		s->decoded.cap = most;
	}
	put_xattrs(s, m, false, s->decoded.base);
	put_xattrs(s, m, true, s->decoded.base);
	return 0;
}

/* --------------------------------------------------------------- sparse -- */

/* A byte at a time, through the window. */
struct reader {
	struct tar_scan	*scan;
	uint64_t	 off, end;
	const char	*p;
	size_t		 left;
};

static int
next_byte(struct reader *r, char *c)
{
	size_t len;
	int err;

	if (r->left == 0) {
		len = r->end - r->off < TAR_BLOCK ?
		    (size_t)(r->end - r->off) : TAR_BLOCK;
		if (len == 0)
			return EBADMSG;
		if ((r->p = window(r->scan, r->off, len, &err)) == NULL)
			return err != 0 ? err : EBADMSG;
		r->off += len;
		r->left = len;
	}
	*c = *r->p++;
	r->left--;
	return 0;
}

/* A decimal number on a line of its own. */
static int
next_line(struct reader *r, int64_t *v)
{
	char text[24], c;
	size_t n = 0;
	int err;

	while ((err = next_byte(r, &c)) == 0 && c != '\n') {
		if (n == sizeof text)
			return EBADMSG;
		text[n++] = c;
	}
	return err != 0 ? err : tar_decimal(text, n, v) ? 0 : EBADMSG;
}

/* pax 1.0: the map is the beginning of the data. */
static int
map_in_data(struct tar_scan *s, struct tar_member *m)
{
	struct reader r = { s, m->data, m->data + m->stored, NULL, 0 };
	int64_t count, v;
	uint64_t used;
	int err;

	if (m->stored > INT64_MAX - m->data)
		r.end = INT64_MAX;
	err = next_line(&r, &count);
	if (err == 0 && (count < 0 || count > TAR_SEGMENTS_MAX))
		err = EBADMSG;
	for (v = 0; err == 0 && count > 0; count--) {
		if ((err = next_line(&r, &v)) == 0 &&
		    (err = tar_sparse_number(&s->map, v)) == 0 &&
		    (err = next_line(&r, &v)) == 0)
			err = tar_sparse_number(&s->map, v);
	}
	if (err != 0) {
		s->map.bad = true;
		return err == EBADMSG ? 0 : err;
	}
	used = behind(0, r.off - m->data - r.left);
	if (used > m->stored)
		used = m->stored;
	m->data += used;
	m->stored -= used;
	return 0;
}

/* Old GNU and star: in the header and in blocks behind it. */
static int
map_in_headers(struct tar_scan *s, const struct tar_header *h,
    struct tar_member *m)
{
	const void *block;
	bool more;
	int err;

	err = tar_header_map(h, &s->map, &more, &m->size);
	while (err == 0 && more) {
		if ((block = window(s, m->data, TAR_BLOCK, &err)) == NULL)
			return err != 0 ? err : ENODATA;
		err = tar_header_map_more(block, &s->map, &more);
		m->data += TAR_BLOCK;
	}
	return err;
}

/* Where the bytes of a member belong.  ENODATA: it is cut there. */
static int
set_sparse(struct tar_scan *s, const struct tar_header *h,
    struct tar_member *m)
{
	struct pinefs_name text;
	int64_t size = 0;

	tar_sparse_clear(&s->map);
	m->map = &s->map;
	if (m->type != TAR_REG)
		return 0;
	if (h->typeflag == 'S') {
		m->sparse = true;
		return map_in_headers(s, h, m);
	}
	if (!tar_pax_get(&s->local, &s->global, PAX_SPARSE_SIZE, &text))
		return 0;
	m->sparse = true;
	if (!tar_decimal(text.base, text.len, &size) || size < 0)
		s->map.bad = true;
	m->size = (uint64_t)size;
	if (!tar_pax_get(&s->local, &s->global, PAX_SPARSE_MAJOR, &text) ||
	    text.base[0] == '0') {
		m->map = &s->pax_map;
		s->pax_map.bad |= s->map.bad;
		return 0;
	}
	if (text.len != 1 || text.base[0] != '1')
		s->map.bad = true;
	return s->map.bad ? 0 : map_in_data(s, m);
}

/* -------------------------------------------------------------- members -- */

/*
 * Do data follow a hard link of that size?  pax writes them, old tars only
 * copied the size: then what follows is another header.
 */
static int
link_has_data(struct tar_scan *s, bool *has)
{
	const struct tar_header *next;
	int err;

	*has = s->local.any;
	if (*has)
		return 0;
	next = window(s, s->pos + TAR_BLOCK, TAR_BLOCK, &err);
	*has = next != NULL && !tar_header_is_zero(next) &&
	    !tar_header_sum_ok(next);
	return err;
}

/* Symbolic links, devices, directories and FIFOs have none, whatever they
 * say. */
static int
stored_size(struct tar_scan *s, char type, uint64_t size, uint64_t *stored)
{
	bool has = type < '1' || type > '6';
	int err = 0;

	if (type == '1' && size > 0)
		err = link_has_data(s, &has);
	*stored = has ? size : 0;
	return err;
}

/* EBADMSG: this one is refused. */
static int
member(struct tar_scan *s, const struct tar_header *block, uint64_t size,
    struct tar_member *m)
{
	struct tar_header h = *block;	/* the window moves on */
	bool bad;
	int err;

	*m = (struct tar_member){ .header = s->pos, .size = size,
	    .data = s->pos + TAR_BLOCK, .sum = tar_header_hash(&h) };
	if ((err = set_name(s, &h)) != 0 || (err = set_link(s, &h)) != 0)
		return err;
	m->name = slice(&s->name);
	m->link = slice(&s->link);
	set_type(s, &h, m);
	m->mode = (uint32_t)number(s, h.mode, sizeof h.mode) & 07777;
	m->uid = id_of(s, number_or(s, PAX_UID, h.uid, sizeof h.uid));
	m->gid = id_of(s, number_or(s, PAX_GID, h.gid, sizeof h.gid));
	set_mtime(s, &h, m);
	if (m->type == TAR_CHR || m->type == TAR_BLK) {
		m->major = (uint32_t)number_or(s, PAX_DEVMAJOR, h.devmajor,
		    sizeof h.devmajor);
		m->minor = (uint32_t)number_or(s, PAX_DEVMINOR, h.devminor,
		    sizeof h.devminor);
	}
	if ((err = stored_size(s, h.typeflag, size, &m->stored)) != 0 ||
	    (err = set_xattrs(s, m)) != 0 ||
	    (err = set_sparse(s, &h, m)) != 0)
		return err;
	bad = m->sparse && !tar_sparse_check(m->map, m->size, m->stored);
	if (bad || s->refuse)
		note(s, bad ? TAR_NOTE_SPARSE : TAR_NOTE_LONG);
	go_behind(s, m->data, m->stored);
	return bad || s->refuse ? EBADMSG : 0;
}

/* Headers that are no members and say nothing of the next one either. */
static bool
is_skipped(struct tar_scan *s, char type)
{
	if (type == 'M')
		note(s, TAR_NOTE_VOLUME);
	if (type == 'N')
		note(s, TAR_NOTE_OLD_NAMES);
	/* A volume's label, a list of old names, Solaris's access list. */
	return type == 'M' || type == 'V' || type == 'N' || type == 'A';
}

/* Of what follows the header.  EBADMSG: that cannot be. */
static int
size_of(struct tar_scan *s, const struct tar_header *h, uint64_t *size)
{
	struct pinefs_name text;
	int64_t v;

	if (!is_extension(h) &&
	    tar_pax_get(&s->local, &s->global, PAX_SIZE, &text)) {
		if (tar_decimal(text.base, text.len, &v) && v >= 0) {
			*size = (uint64_t)v;
			return 0;
		}
		note(s, TAR_NOTE_NUMBER);
	}
	if (!tar_number(h->size, sizeof h->size, &v) || v < 0)
		return EBADMSG;
	*size = (uint64_t)v;
	return 0;
}

/* ------------------------------------------------------------------ next -- */

static int
end(struct tar_scan *s)
{
	s->ended = true;
	return s->found ? ENOENT : ENOEXEC;
}

static int
end_badly(struct tar_scan *s, enum tar_note why)
{
	if (s->found)
		note(s, why);
	s->goes_on = false;
	return end(s);
}

/* Without an end mark: fine, if nothing is open. */
static int
end_of_bytes(struct tar_scan *s)
{
	if (s->data_end > 0 && reaches(s, s->data_end - 1) != 0) {
		s->pos = s->before;	/* whose name is still there */
		return end_badly(s, TAR_NOTE_CUT);
	}
	s->name.len = 0;
	return s->window_len > 0 || s->extended ?
	    end_badly(s, TAR_NOTE_CUT) : end(s);
}

/* The header at s->pos; NULL: the end, *err says which. */
static const struct tar_header *
next_header(struct tar_scan *s, int *err)
{
	const struct tar_header *h;

	for (;; s->pos += TAR_BLOCK) {
		h = s->pos == INT64_MAX ? NULL :
		    window(s, s->pos, TAR_BLOCK, err);
		if (h == NULL && (s->pos == INT64_MAX || *err == 0)) {
			*err = end_of_bytes(s);
			return NULL;
		}
		if (h == NULL)
			return NULL;
		if (!tar_header_is_zero(h))
			break;
		s->found = true;
		if (!s->ignore_zeros) {
			s->name.len = 0;
			*err = s->extended ? end_badly(s, TAR_NOTE_LONG) :
			    end(s);
			return NULL;
		}
	}
	s->name.len = 0;
	if (tar_header_sum_ok(h))
		return h;
	*err = end_badly(s, TAR_NOTE_CHECKSUM);
	return NULL;
}

/* One header: EAGAIN if it was not a member to be told. */
static int
step(struct tar_scan *s, struct tar_member *m)
{
	const struct tar_header *h;
	uint64_t size;
	bool is;
	int err;

	if ((h = next_header(s, &err)) == NULL)
		return err;
	s->found = true;
	if (size_of(s, h, &size) != 0)
		return end_badly(s, TAR_NOTE_SIZE);
	err = read_extension(s, h, size, &is);
	if (err == 0 && (is || is_skipped(s, h->typeflag))) {
		if (!is)
			forget(s);
		go_behind(s, s->pos + TAR_BLOCK, size);
		return EAGAIN;
	}
	if (err == 0)
		err = member(s, h, size, m);
	if (err == ENODATA)
		return end_badly(s, TAR_NOTE_CUT);
	if (err == EBADMSG) {
		forget(s);
		return EAGAIN;
	}
	return err;
}

int
tar_scan_next(struct tar_scan *s, struct tar_member *m)
{
	int err;

	if (s->zip != NULL)
		return zip_scan_next(s->zip, m);
	if (s->ended)
		return ENOENT;
	forget(s);
	do
		err = step(s, m);
	while (err == EAGAIN);
	return err;
}

struct tar_scan *
tar_scan_new(struct tar_source *source, bool ignore_zeros, tar_note_fn *fn,
    void *arg)
{
	struct tar_scan *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	*s = (struct tar_scan){ .source = source, .note = fn,
	    .note_arg = arg, .ignore_zeros = ignore_zeros, .goes_on = true };
	s->local.map = &s->pax_map;
	if ((s->window = malloc(WINDOW)) == NULL ||
	    set_text(&s->name, "", 0) != 0 || (tar_source_is_zip(source) &&
	    (s->zip = zip_scan_new(source, fn, arg)) == NULL)) {
		tar_scan_free(s);
		return NULL;
	}
	return s;
}

bool
tar_scan_end(const struct tar_scan *s, uint64_t *pos)
{
	*pos = s->pos;
	return s->ended && s->goes_on;
}

void
tar_scan_from(struct tar_scan *s, uint64_t pos)
{
	s->pos = pos;
	s->found = true;
}

void
tar_scan_stop_at(struct tar_scan *s, const atomic_bool *stop)
{
	s->stop = stop;
}

uint32_t
tar_scan_unit(const struct tar_scan *s)
{
	return s->zip != NULL ? 1 : TAR_BLOCK;
}

void
tar_scan_free(struct tar_scan *s)
{
	if (s == NULL)
		return;
	zip_scan_free(s->zip);
	tar_pax_fini(&s->local);
	tar_pax_fini(&s->global);
	tar_sparse_fini(&s->pax_map);
	tar_sparse_fini(&s->map);
	free(s->long_name.base);
	free(s->long_link.base);
	free(s->name.base);
	free(s->link.base);
	free(s->decoded.base);
	free(s->window);
	free(s);
}
