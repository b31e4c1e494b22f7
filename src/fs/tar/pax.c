/* Extended headers of pax.  See pax.h. */
#include "pax.h"

#include <stdlib.h>
#include <string.h>

#include "number.h"

static const char *const keys[PAX_KEYS] = {
	[PAX_PATH] = "path", [PAX_LINKPATH] = "linkpath",
	[PAX_SIZE] = "size", [PAX_UID] = "uid", [PAX_GID] = "gid",
	[PAX_MTIME] = "mtime", [PAX_ATIME] = "atime",
	[PAX_DEVMAJOR] = "SCHILY.devmajor", [PAX_DEVMINOR] = "SCHILY.devminor",
	[PAX_SPARSE_NAME] = "GNU.sparse.name",
	[PAX_SPARSE_MAJOR] = "GNU.sparse.major",
	[PAX_SPARSE_SIZE] = "GNU.sparse.size",
	[PAX_REALSIZE] = "SCHILY.realsize",
};

/* Other names of the same. */
static const struct {
	const char		*name;
	enum tar_pax_key	 key;
} more_keys[] = {
	{ "GNU.sparse.realsize", PAX_SPARSE_SIZE },
	{ "SUN.devmajor", PAX_DEVMAJOR },
	{ "SUN.devminor", PAX_DEVMINOR },
};

void
tar_pax_clear(struct tar_pax *p)
{
	memset(p->value, 0, sizeof p->value);
	p->len = 0;
	p->nxattrs = 0;
	p->any = false;
	if (p->map != NULL)
		tar_sparse_clear(p->map);
}

void
tar_pax_fini(struct tar_pax *p)
{
	free(p->text);
	free(p->xattr);
	*p = (struct tar_pax){ 0 };
}

char *
tar_pax_room(struct tar_pax *p, size_t len)
{
	size_t cap = p->len + len;
	char *text;

	if (cap > p->cap) {
		if ((text = realloc(p->text, cap)) == NULL)
			return NULL;
		p->text = text;
		p->cap = cap;
	}
	return p->text + p->len;
}

/* -------------------------------------------------------------- records -- */

/* One record, in place. */
struct record {
	const char	*key, *value;
	size_t		 key_len, value_len, len;
};

static bool
take(const char *p, size_t left, struct record *r)
{
	const char *begin = p, *end = p + left, *eq;
	size_t len = 0;

	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (len > left)
			return false;
		len = len * 10 + (size_t)(*p - '0');
	}
	if (p == begin || p == end || *p++ != ' ' || len > left ||
	    len <= (size_t)(p - begin) || begin[len - 1] != '\n')
		return false;
	end = begin + len - 1;
	if (end < p || (eq = memchr(p, '=', (size_t)(end - p))) == NULL ||
	    eq == p)
		return false;
	*r = (struct record){ p, eq + 1, (size_t)(eq - p),
	    (size_t)(end - (eq + 1)), len };
	return true;
}

static bool
is(const struct record *r, const char *name)
{
	return strlen(name) == r->key_len &&
	    memcmp(name, r->key, r->key_len) == 0;
}

static bool
starts(const struct record *r, const char *prefix)
{
	size_t n = strlen(prefix);

	return r->key_len > n && memcmp(prefix, r->key, n) == 0;
}

static enum tar_pax_key
key_of(const struct record *r)
{
	unsigned i;

	for (i = 0; i < PAX_KEYS; i++)
		if (is(r, keys[i]))
			return (enum tar_pax_key)i;
	for (i = 0; i < sizeof more_keys / sizeof more_keys[0]; i++)
		if (is(r, more_keys[i].name))
			return more_keys[i].key;
	return PAX_KEYS;
}

static int
add_xattr(struct tar_pax *p, const struct record *r, size_t skip,
    bool encoded)
{
	uint32_t cap = p->xattrs_cap == 0 ? 8 : p->xattrs_cap * 2;
	struct tar_pax_xattr *x;

	if (p->nxattrs == p->xattrs_cap) {
		if ((x = realloc(p->xattr, cap * sizeof *x)) == NULL)
			return ENOMEM;
		p->xattr = x;
		p->xattrs_cap = cap;
	}
	p->xattr[p->nxattrs++] = (struct tar_pax_xattr){ encoded,
	    (uint32_t)(r->key + skip - p->text),
	    (uint32_t)(r->key_len - skip),
	    (uint32_t)(r->value - p->text), (uint32_t)r->value_len };
	return 0;
}

/* --------------------------------------------------- GNU's sparse maps -- */

/* 0.0: a record for each offset and for each length. */
static int
map_number(struct tar_sparse *map, const struct record *r, bool is_length)
{
	int64_t v;

	if (map->odd != is_length ||
	    !tar_decimal(r->value, r->value_len, &v)) {
		map->bad = true;
		return 0;
	}
	return tar_sparse_number(map, v);
}

/* 0.1: all in one record, with commas. */
static int
map_list(struct tar_sparse *map, const struct record *r)
{
	const char *p = r->value, *end = p + r->value_len, *comma;
	int64_t v;
	int err;

	tar_sparse_clear(map);
	while (p < end && !map->bad) {
		comma = memchr(p, ',', (size_t)(end - p));
		if (comma == NULL)
			comma = end;
		if (!tar_decimal(p, (size_t)(comma - p), &v)) {
			map->bad = true;
			return 0;
		}
		if ((err = tar_sparse_number(map, v)) != 0)
			return err;
		p = comma + (comma < end);
	}
	return 0;
}

/* ---------------------------------------------------------------- parse -- */

static int
put(struct tar_pax *p, const struct record *r)
{
	enum tar_pax_key key = key_of(r);

	if (key != PAX_KEYS) {
		p->value[key] = (struct tar_pax_value){ true,
		    (uint32_t)(r->value - p->text), (uint32_t)r->value_len };
		return 0;
	}
	if (p->map != NULL && is(r, "GNU.sparse.offset"))
		return map_number(p->map, r, false);
	if (p->map != NULL && is(r, "GNU.sparse.numbytes"))
		return map_number(p->map, r, true);
	if (p->map != NULL && is(r, "GNU.sparse.map"))
		return map_list(p->map, r);
	if (starts(r, "SCHILY.xattr."))
		return add_xattr(p, r, strlen("SCHILY.xattr."), false);
	if (starts(r, "LIBARCHIVE.xattr."))
		return add_xattr(p, r, strlen("LIBARCHIVE.xattr."), true);
	if (starts(r, "RHT.security."))
		return add_xattr(p, r, strlen("RHT."), false);
	return 0;
}

int
tar_pax_parse(struct tar_pax *p, size_t len, bool *whole)
{
	const char *at = p->text + p->len, *end = at + len;
	struct record r;
	int err = 0;

	*whole = true;
	p->any = true;
	p->len += len;
	while (at < end && err == 0) {
		if (!take(at, (size_t)(end - at), &r)) {
			/* Some pad the block with zeros. */
			*whole = *at == '\0';
			break;
		}
		err = put(p, &r);
		at += r.len;
	}
	return err;
}

bool
tar_pax_get(const struct tar_pax *local, const struct tar_pax *global,
    enum tar_pax_key key, struct pinefs_name *value)
{
	const struct tar_pax *p = local->value[key].set ? local : global;
	const struct tar_pax_value *v = &p->value[key];

	if (!v->set || v->len == 0)
		return false;
	*value = (struct pinefs_name){ p->text + v->off, v->len };
	return true;
}
