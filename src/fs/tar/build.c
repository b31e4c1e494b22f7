/* How the index of an archive comes to be.  See build.h. */
#include "build.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zip_source.h"

/* An index is worth a file if making it took 50 ms: about 1 us a member, and
 * 1 us for each 300 bytes decoded; or a second by the clock. */
enum { WORTH = 50000, DECODED = 300, LONG = 1, TELL = 5 /* s */,
    RESTS = 10, CHARGE = 1024, TAIL = 1 << 20 };

struct build {
	struct tar_archive	*ar;
	enum tar_task		 task;
	struct tar_source	*source;	/* held */
	struct tar_index	*index;		/* the archive's, or: */
	struct tar_index	 own;
	time_t			 begun, told;
	unsigned		 n;
	uint64_t		 noted[TAR_NOTES];
};

/* ---------------------------------------------------------------- notes -- */

/* Names from archives may hold anything; a log holds text. */
static void
escape(char *to, size_t size, const struct pinefs_name *name)
{
	static const char hex[] = "0123456789abcdef";
	uint32_t i;
	size_t n = 0;
	uint8_t c;

	for (i = 0; i < name->len && n + 8 < size; i++) {
		c = (uint8_t)name->base[i];
		if (c >= ' ' && c < 0x7f && c != '\\') {
			to[n++] = (char)c;
			continue;
		}
		to[n++] = '\\';
		to[n++] = 'x';
		to[n++] = hex[c >> 4];
		to[n++] = hex[c & 15];
	}
	if (i < name->len) {
		memcpy(to + n, "...", 3);
		n += 3;
	}
	to[n] = '\0';
}

char *
tar_shown(const char *path)
{
	struct pinefs_name name = { path, (uint32_t)strlen(path) };
	size_t size = 4 * (size_t)name.len + 16;
	char *text = malloc(size);

	if (text != NULL)
		escape(text, size, &name);
	return text;
}

/* The first of each kind is told, the others are counted. */
static void
note(void *arg, enum tar_note what, uint64_t off,
    const struct pinefs_name *name)
{
	struct build *b = arg;
	char text[128];

	if (b->noted[what]++ > 0)
		return;
	escape(text, sizeof text, name);
	pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s: offset %llu%s%s: %s",
	    b->ar->shown, (unsigned long long)off, name->len > 0 ? ", " : "",
	    text, tar_note_text(what));
}

static void
sum_up(const struct build *b)
{
	unsigned i;

	for (i = 0; i < TAR_NOTES; i++)
		if (b->noted[i] > 1)
			pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s: %llu times "
			    "in all: %s", b->ar->shown,
			    (unsigned long long)b->noted[i],
			    tar_note_text((enum tar_note)i));
}

static time_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Who waits for long wants to know for how long. */
static void
tell_progress(struct build *b, uint64_t at)
{
	const struct tar_archive *ar = b->ar;
	uint64_t size = tar_source_size(b->source);
	time_t t = now();

	/* Headers of zips are places in the file, not in the source. */
	if (tar_source_is_zip(b->source))
		size = ar->stored;
	if (t - b->told < TELL)
		return;
	b->told = t;
	if (size != UINT64_MAX && size > 0)
		pinefs_log(PINEFS_LOG_INFO, "tarfs: %s: %u names so far, "
		    "%u %% of it", ar->shown, tar_index_count(b->index) - 1,
		    (unsigned)((double)at / (double)size * 100));
	else
		pinefs_log(PINEFS_LOG_INFO, "tarfs: %s: %u names so far, "
		    "%llu MB decoded", ar->shown,
		    tar_index_count(b->index) - 1,
		    (unsigned long long)(at >> 20));
}

/* --------------------------------------------------------------- memory -- */

/* What indexes take up in memory is counted over all archives.  ENOSPC. */
static int
charge(struct build *b)
{
	struct tar_archive *ar = b->ar;
	uint64_t bytes = tar_index_bytes(b->index);

	atomic_fetch_add(&ar->host->index_bytes, bytes - ar->charged);
	ar->charged = bytes;
	return atomic_load(&ar->host->index_bytes) > ar->host->index_most ?
	    ENOSPC : 0;
}

/* --------------------------------------------------------------- adding -- */

static bool
is_served(const struct build *b)
{
	return b->index == &b->ar->index;
}

/* The mount may be answered. */
static void
begin(struct tar_archive *ar, int err)
{
	pthread_mutex_lock(&ar->wait_lock);
	if (ar->state == TAR_STARTS) {
		ar->state = err == 0 ? TAR_SERVES : TAR_FAILED;
		ar->err = err;
		pthread_cond_broadcast(&ar->begun);
	}
	pthread_mutex_unlock(&ar->wait_lock);
}

static void
wake(struct build *b)
{
	if (b->n == 1)
		begin(b->ar, 0);
	if (atomic_load(&b->ar->waits))
		tar_archive_try_waiting(b->ar, 0);
}

/* 0: go on. */
static int
add(struct build *b, const struct tar_member *m)
{
	struct tar_archive *ar = b->ar;
	enum tar_note why = TAR_NOTE_NAME;
	int err;

	if (is_served(b))
		pthread_rwlock_wrlock(&ar->lock);
	err = tar_index_add(b->index, m, &why);
	if (is_served(b))
		pthread_rwlock_unlock(&ar->lock);
	if (err == EBADMSG) {
		note(b, why, m->header, &m->name);
		err = 0;
	}
	if (++b->n % CHARGE == 0) {
		tell_progress(b, m->header);
		if (err == 0)
			err = charge(b);
	}
	if (is_served(b))
		wake(b);
	return atomic_load(&ar->stop) || atomic_load(&ar->host->stop) ?
	    ECANCELED : err;
}

static int
add_all(struct build *b)
{
	struct tar_scan *scan = tar_scan_new(b->source,
	    b->ar->host->config.ignore_zeros, note, b);
	struct tar_member m;
	uint64_t end;
	int err;

	if (scan == NULL)
		return ENOMEM;
	pthread_rwlock_wrlock(&b->ar->lock);
	b->index->unit = tar_scan_unit(scan);
	b->index->shape = b->ar->host->shape;
	pthread_rwlock_unlock(&b->ar->lock);
	tar_scan_stop_at(scan, &b->ar->host->stop);
	if (b->task == TAR_GO_ON)
		tar_scan_from(scan, b->index->end);
	do
		err = tar_scan_next(scan, &m);
	while (err == 0 && (err = add(b, &m)) == 0);
	b->index->end = tar_scan_end(scan, &end) ? end : 0;
	tar_scan_free(scan);
	return err == ENOENT ? 0 : err;
}

/* -------------------------------------------------------------- the end -- */

static bool
is_worth_a_file(const struct build *b)
{
	uint64_t decoded = b->ar->codec == NULL ? 0 :
	    tar_source_size(b->source);

	if (decoded == UINT64_MAX)
		decoded = 0;
	return tar_index_count(b->index) + decoded / DECODED > WORTH ||
	    now() - b->begun > LONG;
}

/* The index that is served is this one; *ix is what was served. */
static void
swap(struct tar_archive *ar, struct tar_index *ix)
{
	struct tar_index was;

	pthread_rwlock_wrlock(&ar->lock);
	was = ar->index;
	ar->index = *ix;
	pthread_rwlock_unlock(&ar->lock);
	*ix = was;
}

static int
keep(void *arg, const void *base, size_t len)
{
	struct tar_extra *x = arg;
	char *to;

	if (len == 0)
		return 0;	/* there may be no `base` */
	if ((to = realloc(x->base, x->len + len)) == NULL)
		return ENOMEM;
	memcpy(to + x->len, base, len);
	x->base = to;
	x->len += len;
	return 0;
}

/* What the source wants to keep; nothing, if it has not all been read, which
 * a few zeros behind the end mark may take. */
static void
keep_source(struct build *b, struct tar_extra *x)
{
	uint64_t end = b->index->end;
	size_t got;
	char byte;

	*x = (struct tar_extra){ 0 };
	if (tar_source_size(b->source) == UINT64_MAX && end != 0)
		tar_source_read(b->source, end + TAIL, &byte, 1, &got);
	if (tar_source_save(b->source, keep, x) == 0)
		return;
	free(x->base);
	*x = (struct tar_extra){ 0 };
}

/* Into its file, and out of memory. */
static void
save(struct build *b)
{
	struct tar_archive *ar = b->ar;
	struct tar_extra kept;
	struct tar_index ix;
	int err;

	keep_source(b, &kept);
	err = tar_cache_save(ar->host->cache, &ar->life.key, &ar->index,
	    &kept);
	free(kept.base);
	if (err != 0 || tar_cache_load(ar->host->cache, &ar->life.key, &ix,
	    &kept) != 0)
		return;
	tar_extra_fini(&kept);
	swap(ar, &ix);
	tar_index_fini(&ix);
	ar->checked = true;
	atomic_fetch_sub(&ar->host->index_bytes, ar->charged);
	ar->charged = 0;
}

/*
 * Now it is known up to where it is what it is: what may be appended takes
 * the place of the end mark.
 */
static void
mark(struct build *b)
{
	struct tar_archive *ar = b->ar;
	struct tar_mark m;
	uint64_t len = ar->life.key.size;

	if (tar_source_is_zip(b->source))
		len = zip_source_end(b->source)->directory;
	else if (ar->codec == NULL && b->index->end != 0)
		len = b->index->end;
	if (len != ar->life.mark.len && tar_mark_of(ar->fd, len, &m) == 0) {
		pthread_rwlock_wrlock(&ar->lock);
		ar->life.mark = m;
		pthread_rwlock_unlock(&ar->lock);
	}
	tar_known_put(ar->host->known, ar->path, &ar->life);
}

/* What was made aside takes the place of what was served.  With the lock for
 * writing. */
static void
take_place(struct build *b)
{
	struct tar_archive *ar = b->ar;

	/* Uppers know records by their numbers. */
	if (!tar_overlay_fits(ar, b->index))
		tar_overlay_drop(ar);
	tar_index_fini(&ar->index);
	ar->index = *b->index;
	b->index = &ar->index;
}

static void
make(struct build *b)
{
	struct tar_archive *ar = b->ar;
	int err = add_all(b), more;
	bool is_news, broke = err != 0 && err != ECANCELED && err != ENOEXEC;
	/* One that lacks nothing is better than a part of one. */
	bool keeps = broke && b->task == TAR_REMAKE;

	if (broke)
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: %s: what was found "
		    "%s is served", ar->shown, err == ENOSPC ?
		    "its index takes too much memory" : strerror(err),
		    keeps ? "before" : "so far");
	pthread_rwlock_wrlock(&ar->lock);
	more = tar_index_finish(b->index, note, b);
	if (!is_served(b) && !keeps && (err == 0 || broke))
		take_place(b);
	ar->whole = true;
	if (!keeps)
		ar->missing = broke || more != 0 ? EIO : 0;
	ar->gone = err == ENOEXEC;
	is_news = err == 0 && tar_life_whole(&ar->life);
	pthread_rwlock_unlock(&ar->lock);
	charge(b);
	begin(ar, err != 0 ? err : more);
	tar_archive_try_waiting(ar, EIO);
	if (err != 0)
		return;
	sum_up(b);
	pinefs_log(PINEFS_LOG_INFO, "tarfs: %s: %u names", ar->shown,
	    tar_index_count(b->index) - 1);
	if (is_news)
		mark(b);
	if (more == 0 && is_worth_a_file(b))
		save(b);
}

static void
remake(struct build *b)
{
	int err = b->task == TAR_GO_ON ?
	    tar_index_copy(&b->own, &b->ar->index) : tar_index_init(&b->own);

	if (err != 0)
		return;
	b->index = &b->own;
	make(b);
	if (!is_served(b)) {
		tar_index_fini(&b->own);
		b->index = &b->ar->index;
		charge(b);
	}
}

static void *
work(void *arg)
{
	struct build *b = arg;
	struct tar_archive *ar = b->ar;

	b->begun = b->told = now();
	switch (b->task) {
	case TAR_MAKE:
		b->index = &ar->index;
		make(b);
		break;
	case TAR_CHECK:
		if (tar_cache_check(ar->host->cache, &ar->life.key, &ar->stop)
		    == EBADMSG)
			remake(b);
		break;
	case TAR_REMAKE:
	case TAR_GO_ON:
		remake(b);
	}
	tar_source_free(b->source);
	pthread_rwlock_wrlock(&ar->lock);
	ar->checked = true;
	ar->rest_until = now() + RESTS * (now() - b->begun);
	ar->building = false;
	pthread_rwlock_unlock(&ar->lock);
	free(b);
	return NULL;
}

/* ------------------------------------------------------- begin and end -- */

int
tar_build_start(struct tar_archive *ar, enum tar_task task)
{
	struct build *b = calloc(1, sizeof *b);
	sigset_t all, was;
	int err;

	if (b == NULL)
		return ENOMEM;
	tar_build_join(ar);
	*b = (struct build){ .ar = ar, .task = task,
	    .source = tar_source_get(ar->source) };
	ar->building = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	err = pthread_create(&ar->thread, NULL, work, b);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	ar->has_thread = err == 0;
	if (err != 0) {
		ar->building = false;
		tar_source_free(b->source);
		free(b);
	}
	return err;
}

void
tar_build_join(struct tar_archive *ar)
{
	if (ar->has_thread)
		pthread_join(ar->thread, NULL);
	ar->has_thread = false;
}
