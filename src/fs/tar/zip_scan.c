/*
 * The directory of a zip is gone through twice: first for where each local
 * header is, and when these are in order, for the members.
 */
#include "zip_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "zip_source.h"

enum { TARGET_MAX = 4096 };	/* of a symbolic link */
#define RATIO_FROM	(UINT64_C(1) << 30)
#define RATIO_MAX	UINT64_C(1000)

struct place {
	uint64_t	header, entry;
};

struct zip_scan {
	struct tar_source	*source;	/* borrowed */
	struct zip_end		 end;
	const struct zip_config	*config;
	tar_note_fn		*note;
	void			*arg;
	struct zip_window	 window;
	struct place		*place;
	size_t			 n, cap, at;
	uint32_t		 put;		/* members with data */
	bool			 begun;
	uint64_t		 behind;	/* the last member in the file */
	char			 target[TARGET_MAX + 1];
};

static void
note(struct zip_scan *s, enum tar_note what, uint64_t off,
    const struct pinefs_name *name)
{
	static const struct pinefs_name none = { "", 0 };

	if (s->note != NULL)
		s->note(s->arg, what, off, name == NULL ? &none : name);
}

/* --------------------------------------------------------------- places -- */

static int
add_place(struct zip_scan *s, uint64_t header, uint64_t entry)
{
	size_t cap = s->cap == 0 ? 256 : s->cap * 2;
	struct place *place;

	if (s->n == s->cap) {
		place = realloc(s->place, cap * sizeof *place);
		if (place == NULL)
			return ENOMEM;
		s->place = place;
		s->cap = cap;
	}
	s->place[s->n++] = (struct place){ header, entry };
	return 0;
}

static int
by_header(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->header != y->header)
		return x->header < y->header ? -1 : 1;
	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* An end that is none: all of the directory must be entries, maybe signed. */
static void
check_rest(struct zip_scan *s, uint64_t at)
{
	const uint8_t *p;

	if (at != s->end.limit && (zip_window_get(&s->window, at, 4, &p) != 0
	    || memcmp(p, "PK\5\5", 4) != 0))
		note(s, TAR_NOTE_DIRECTORY, at, NULL);
}

static int
find_places(struct zip_scan *s)
{
	uint64_t at = s->end.directory;
	struct zip_entry e;
	bool sorted = true;
	int err = 0;

	while (err == 0 && s->n <= TAR_MEMBERS_MAX) {
		if (atomic_load(s->config->stop))
			return ECANCELED;
		err = zip_entry_get(&s->window, at, s->end.limit, &e);
		if (err != 0)
			break;
		if (e.header <= UINT64_MAX - s->end.base)
			e.header += s->end.base;
		err = add_place(s, e.header, at);
		sorted = sorted && (s->n < 2 ||
		    s->place[s->n - 2].header <= e.header);
		at += e.len;
	}
	if (err != 0 && err != EBADMSG)
		return err;
	if (err == EBADMSG)
		check_rest(s, at);
	if (!sorted)
		qsort(s->place, s->n, sizeof *s->place, by_header);
	return zip_source_room(s->source, (uint32_t)s->n);
}

/* -------------------------------------------------------------- members -- */

/* Can it be read, and if not, why?  TAR_NOTES: it can. */
static enum tar_note
obstacle(const struct zip_entry *e)
{
	const struct tar_codec *codec = zip_codec_of(e->method);

	if (e->flags & (ZIP_FLAG_ENCRYPTED | ZIP_FLAG_STRONG |
	    ZIP_FLAG_MASKED))
		return TAR_NOTE_ENCRYPTED;
	if (e->method != ZIP_STORED &&
	    (codec == NULL || codec->begin == NULL))
		return TAR_NOTE_METHOD;
	if (e->packed == 0 || (e->method == ZIP_STORED &&
	    e->packed != e->size))
		return TAR_NOTE_LENGTHS;
	if (e->size > RATIO_FROM && e->size / RATIO_MAX > e->packed)
		return TAR_NOTE_BOMB;
	return TAR_NOTES;
}

/* Where the bytes are; ZIP_NOWHERE, and a note, if they cannot be read. */
static uint64_t
put_data(struct zip_scan *s, const struct zip_entry *e, uint64_t header)
{
	enum tar_note why = obstacle(e);

	if (e->size == 0)
		return ZIP_NOWHERE;
	if (why != TAR_NOTES) {
		note(s, why, header, &e->name);
		return ZIP_NOWHERE;
	}
	return zip_source_put(s->source, s->put++, &(struct zip_member){
	    .header = header, .packed = e->packed, .size = e->size,
	    .crc = e->crc, .method = e->method, .flags = e->flags });
}

/* A link's bytes are where it leads.  EBADMSG: nowhere, and a note. */
static int
get_target(struct zip_scan *s, const struct zip_entry *e,
    struct tar_member *m)
{
	size_t got = 0;
	int err = 0;

	if (e->size > TARGET_MAX) {
		note(s, TAR_NOTE_LONG, m->header, &e->name);
		return EBADMSG;
	}
	m->data = put_data(s, e, m->header);
	if (m->data == ZIP_NOWHERE && e->size != 0)
		return EBADMSG;		/* noted */
	if (e->size != 0)
		err = tar_source_read(s->source, m->data, s->target,
		    (size_t)e->size, &got);
	if (err == ENOMEM || err == ECANCELED)
		return err;
	if (err != 0 || got != e->size ||
	    memchr(s->target, '\0', got) != NULL) {
		note(s, TAR_NOTE_TARGET, m->header, &e->name);
		return EBADMSG;
	}
	m->link = (struct pinefs_name){ s->target, (uint32_t)got };
	return 0;
}

/* EBADMSG: it is refused, and noted. */
static int
make_member(struct zip_scan *s, const struct zip_entry *e,
    struct tar_member *m)
{
	*m = (struct tar_member){ .header = e->header + s->end.base,
	    .sum = e->sum, .type = e->type, .name = e->name, .mode = e->mode,
	    .uid = e->has_ids ? e->uid : s->config->uid,
	    .gid = e->has_ids ? e->gid : s->config->gid, .mtime = e->mtime,
	    .data = ZIP_NOWHERE };
	if (e->odd)
		note(s, TAR_NOTE_TYPE, m->header, &e->name);
	if (e->type == TAR_LNK)
		return get_target(s, e, m);
	if (e->type != TAR_REG)
		return 0;
	if (e->size > INT64_MAX) {
		note(s, TAR_NOTE_LENGTHS, m->header, &e->name);
		return EBADMSG;
	}
	m->size = e->size;
	m->data = put_data(s, e, m->header);
	return 0;
}

/* May its bytes lie there?  Then what follows must lie behind them. */
static bool
has_place(struct zip_scan *s, const struct zip_entry *e, uint64_t header)
{
	uint64_t limit = s->end.directory;

	if (e->disk != 0) {
		note(s, TAR_NOTE_VOLUME, header, &e->name);
		return false;
	}
	if (header < s->behind || header >= limit ||
	    limit - header < ZIP_LOCAL_SIZE ||
	    e->packed > limit - header - ZIP_LOCAL_SIZE) {
		note(s, TAR_NOTE_PLACE, header, &e->name);
		return false;
	}
	s->behind = header + ZIP_LOCAL_SIZE + e->packed;
	return true;
}

int
zip_scan_next(struct zip_scan *s, struct tar_member *m)
{
	const struct place *p;
	struct zip_entry e;
	int err = 0;

	if (!s->begun && (err = find_places(s)) != 0)
		return err;
	s->begun = true;
	while (s->at < s->n) {
		if (atomic_load(s->config->stop))
			return ECANCELED;
		p = &s->place[s->at++];
		err = zip_entry_get(&s->window, p->entry, s->end.limit, &e);
		if (err == 0 && !has_place(s, &e, p->header))
			continue;
		if (err == 0)
			err = make_member(s, &e, m);
		if (err != EBADMSG)
			return err;
	}
	zip_source_whole(s->source);
	return ENOENT;
}

/* -------------------------------------------------------- begin and end -- */

struct zip_scan *
zip_scan_new(struct tar_source *source, tar_note_fn *fn, void *arg)
{
	struct zip_scan *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	zip_window_init(&s->window, zip_source_file(source));
	s->source = source;
	s->end = *zip_source_end(source);
	s->config = zip_source_config(source);
	s->note = fn;
	s->arg = arg;
	return s;
}

void
zip_scan_free(struct zip_scan *s)
{
	if (s == NULL)
		return;
	zip_window_fini(&s->window);
	free(s->place);
	free(s);
}

/* Where nobody asks for members, but for their bytes. */
static int
go_through(struct tar_source *source)
{
	struct zip_scan *s = zip_scan_new(source, NULL, NULL);
	struct tar_member m;
	int err = s == NULL ? ENOMEM : 0;

	while (err == 0)
		err = zip_scan_next(s, &m);
	zip_scan_free(s);
	return err == ENOENT ? 0 : err;
}

int
tar_source_zip(struct tar_source **to, struct tar_source *file,
    const struct zip_config *config, const char **why)
{
	struct zip_end end;
	int err;

	if ((err = zip_end_find(file, &end, why)) != 0)
		return err;
	if (end.limit > ZIP_FILE_MAX) {
		*why = "zips of more than a PiB are not served";
		return ENOEXEC;
	}
	*to = zip_source_new(file, &end, config, go_through);
	return *to == NULL ? ENOMEM : 0;
}
