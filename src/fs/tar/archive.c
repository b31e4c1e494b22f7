/* An archive that is served.  See archive.h. */
#include "archive.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "header.h"
#include "packed.h"
#include "zip_source.h"

enum { PATIENCE = 4 };		/* s */

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

/* A path for a log. */
static char *
shown(const char *path)
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
	struct tar_archive *ar = arg;
	char text[128];

	if (ar->noted[what]++ > 0)
		return;
	escape(text, sizeof text, name);
	pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s: offset %llu%s%s: %s",
	    ar->shown, (unsigned long long)off, name->len > 0 ? ", " : "",
	    text, tar_note_text(what));
}

static void
sum_up(const struct tar_archive *ar)
{
	unsigned i;

	for (i = 0; i < TAR_NOTES; i++)
		if (ar->noted[i] > 1)
			pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s: %llu times "
			    "in all: %s", ar->shown,
			    (unsigned long long)ar->noted[i],
			    tar_note_text((enum tar_note)i));
}

/* -------------------------------------------------------------- waiting -- */

static time_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

int
tar_archive_wait(struct tar_archive *ar, const struct tar_wait *how)
{
	struct tar_wait *w = pinefs_call_alloc(how->call, sizeof *w);

	if (w == NULL)
		return ENOMEM;
	*w = *how;
	w->until = now() + PATIENCE;
	pthread_mutex_lock(&ar->wait_lock);
	w->next = ar->waiting;
	ar->waiting = w;
	pthread_mutex_unlock(&ar->wait_lock);
	return PINEFS_LATER;
}

/* The wait is in the call's memory: it is gone with the completion. */
static void
complete(struct tar_wait *w, int err)
{
	pinefs_complete(w->call, err);
}

/* Try all that wait; `end`: what still would, hears that. */
static void
try_waiting(struct tar_archive *ar, int end)
{
	struct tar_wait *list, *w;
	int err;

	pthread_mutex_lock(&ar->wait_lock);
	list = ar->waiting;
	ar->waiting = NULL;
	pthread_mutex_unlock(&ar->wait_lock);
	while ((w = list) != NULL) {
		list = w->next;
		pthread_rwlock_rdlock(&ar->lock);
		err = w->again(ar, w);
		if (err == PINEFS_LATER && end == 0) {
			pthread_mutex_lock(&ar->wait_lock);
			w->next = ar->waiting;
			ar->waiting = w;
			pthread_mutex_unlock(&ar->wait_lock);
		}
		pthread_rwlock_unlock(&ar->lock);
		if (err != PINEFS_LATER)
			complete(w, err);
		else if (end != 0)
			complete(w, end);
	}
}

void
tar_archive_tick(struct tar_archive *ar)
{
	struct tar_wait **p, *w, *late = NULL;
	time_t t = now();

	pthread_mutex_lock(&ar->wait_lock);
	for (p = &ar->waiting; (w = *p) != NULL; ) {
		if (w->until > t) {
			p = &w->next;
			continue;
		}
		*p = w->next;
		w->next = late;
		late = w;
	}
	pthread_mutex_unlock(&ar->wait_lock);
	while ((w = late) != NULL) {
		late = w->next;
		complete(w, EAGAIN);
	}
}

/* ------------------------------------------------------------- indexing -- */

/* The mount may be answered. */
static void
begin(struct tar_archive *ar, int err)
{
	const struct tar_rec *first = tar_index_rec(&ar->index, 1);

	pthread_mutex_lock(&ar->wait_lock);
	if (ar->state == TAR_STARTS) {
		ar->generation = first != NULL ? first->sum : 1;
		ar->state = err == 0 ? TAR_SERVES : TAR_FAILED;
		ar->err = err;
		pthread_cond_signal(&ar->begun);
	}
	pthread_mutex_unlock(&ar->wait_lock);
}

/* 0: go on. */
static int
add(struct tar_archive *ar, const struct tar_member *m)
{
	enum tar_note why = TAR_NOTE_NAME;
	bool waited;
	int err;

	pthread_rwlock_wrlock(&ar->lock);
	err = tar_index_add(&ar->index, m, &why);
	pthread_rwlock_unlock(&ar->lock);
	if (err == EBADMSG) {
		note(ar, why, m->header, &m->name);
		err = 0;
	}
	begin(ar, 0);
	pthread_mutex_lock(&ar->wait_lock);
	waited = ar->waiting != NULL;
	pthread_mutex_unlock(&ar->wait_lock);
	if (waited)
		try_waiting(ar, 0);
	return atomic_load(&ar->stop) || atomic_load(&ar->host->stop) ?
	    ECANCELED : err;
}

static int
add_all(struct tar_archive *ar)
{
	struct tar_scan *scan = tar_scan_new(ar->source,
	    ar->host->config.ignore_zeros, note, ar);
	struct tar_member m;
	int err;

	if (scan == NULL)
		return ENOMEM;
	ar->index.unit = tar_scan_unit(scan);
	tar_scan_stop_at(scan, &ar->host->stop);
	do
		err = tar_scan_next(scan, &m);
	while (err == 0 && (err = add(ar, &m)) == 0);
	tar_scan_free(scan);
	return err == ENOENT ? 0 : err;
}

static void *
make_index(void *arg)
{
	struct tar_archive *ar = arg;
	int err = add_all(ar), more;
	bool broke = err != 0 && err != ECANCELED && err != ENOEXEC;

	if (broke)
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: %s: what was found "
		    "so far is served", ar->shown, strerror(err));
	pthread_rwlock_wrlock(&ar->lock);
	more = tar_index_finish(&ar->index, note, ar);
	ar->whole = true;
	ar->missing = broke || more != 0 ? EIO : 0;
	pthread_rwlock_unlock(&ar->lock);
	begin(ar, err != 0 ? err : more);
	try_waiting(ar, EIO);
	if (err == 0) {
		sum_up(ar);
		pinefs_log(PINEFS_LOG_INFO, "tarfs: %s: %u names", ar->shown,
		    tar_index_count(&ar->index) - 1);
	}
	return NULL;
}

/* ------------------------------------------------------- begin and end -- */

static int
start(struct tar_archive *ar)
{
	struct pinefs_ident root = { .fileid = TAR_ROOT_ID };
	sigset_t all, was;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	err = pthread_create(&ar->thread, NULL, make_index, ar);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	if (err != 0)
		return err;
	pthread_mutex_lock(&ar->wait_lock);
	while (ar->state == TAR_STARTS)
		pthread_cond_wait(&ar->begun, &ar->wait_lock);
	pthread_mutex_unlock(&ar->wait_lock);
	if (ar->state == TAR_FAILED) {
		pthread_join(ar->thread, NULL);
		return ar->err;
	}
	root.generation = ar->generation;
	ar->fs = pinefs_new(ar->host->config.readonly ? &tar_view_ro_ops :
	    &tar_view_ops, ar);
	if (ar->fs == NULL)
		err = errno;
	else
		err = pinefs_set_root(ar->fs, &root);
	if (err != 0) {
		atomic_store(&ar->stop, true);
		pthread_join(ar->thread, NULL);
		pinefs_free(ar->fs);
		ar->fs = NULL;
	}
	return err;
}

static void
free_memory(struct tar_archive *ar)
{
	tar_overlay_fini(&ar->overlay);
	tar_source_free(ar->source);
	tar_index_fini(&ar->index);
	pthread_rwlock_destroy(&ar->lock);
	pthread_mutex_destroy(&ar->wait_lock);
	pthread_cond_destroy(&ar->begun);
	free(ar->path);
	free(ar->shown);
	free(ar);
}

/* What it looks like, for who thought it was an archive. */
static void
explain(const struct tar_archive *ar, int err)
{
	const struct tar_codec *codec = ar->codec;
	uint8_t head[TAR_SNIFF];
	size_t got = 0;

	if (err == ENOTSUP && codec != NULL) {
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: compressed by %s, "
		    "which this build cannot read: it was made without the "
		    "feature %s", ar->shown, codec->name, codec->library);
		return;
	}
	if (err != ENOEXEC) {
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: %s", ar->shown,
		    strerror(err));
		return;
	}
	if (ar->why != NULL)
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: not an archive that "
		    "is known here: %s", ar->shown, ar->why);
	else if (codec != NULL && tar_source_read(ar->source, 0, head, sizeof head,
	    &got) == 0 && tar_codec_of(head, got) != NULL)
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: not an archive: "
		    "inside of %s it is %s again", ar->shown, codec->name,
		    tar_codec_of(head, got)->name);
	else
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: not an archive that "
		    "is known here: %s%s%sno header of tar at its beginning",
		    ar->shown, codec != NULL ? "inside of " : "",
		    codec != NULL ? codec->name : "",
		    codec != NULL ? " there is " : "");
}

static void
tell(void *arg, const char *text)
{
	const struct tar_archive *ar = arg;

	pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s: %s", ar->shown, text);
}

/* A file of zip, if it ends as one.  Else it stays what it is. */
static int
open_zip(struct tar_archive *ar, const struct stat *st, bool begins)
{
	const struct zip_config config = { .blocks = ar->host->blocks,
	    .stop = &ar->host->stop, .uid = st->st_uid, .gid = st->st_gid,
	    .note = tell, .arg = ar };
	struct tar_source *file = ar->source;
	const char *why;
	int err = tar_source_zip(&ar->source, file, &config, &why);

	if (err == ENOEXEC && !begins)
		return 0;
	ar->why = why;
	return err;
}

/* Takes `fd` over.  What begins with a header of tar is one. */
static int
open_source(struct tar_archive *ar, int fd, const struct stat *st)
{
	const struct tar_host *host = ar->host;
	struct tar_header h;
	ssize_t n = pread(fd, &h, sizeof h, 0);
	size_t len = n < 0 ? 0 : (size_t)n;
	bool is_tar = len == sizeof h && tar_header_sum_ok(&h);

	ar->codec = is_tar ? NULL : tar_codec_of((uint8_t *)&h, len);
	if (ar->codec == NULL)
		ar->source = tar_source_file(fd, ar->stored);
	else if (ar->codec->begin != NULL)
		ar->source = tar_source_packed(fd, ar->codec,
		    &(struct tar_packed_config){ .blocks = host->blocks,
		    .dir = host->dir, .stop = &host->stop, .note = tell,
		    .arg = ar });
	else {
		close(fd);
		return ENOTSUP;
	}
	if (ar->source == NULL)
		return ENOMEM;
	return is_tar || ar->codec != NULL ? 0 :
	    open_zip(ar, st, zip_begins((uint8_t *)&h, len));
}

int
tar_archive_open(struct tar_archive **to, int fd, const char *path,
    const struct tar_host *host)
{
	struct tar_archive *ar = calloc(1, sizeof *ar);
	struct stat st;
	int err;

	if (ar == NULL || fstat(fd, &st) == -1 ||
	    (ar->path = strdup(path)) == NULL ||
	    (ar->shown = shown(path)) == NULL) {
		err = ar == NULL ? ENOMEM : errno;
		if (ar != NULL)
			free(ar->path);
		free(ar);
		close(fd);
		return err;
	}
	ar->dev = st.st_dev;
	ar->ino = st.st_ino;
	ar->stored = (uint64_t)st.st_size;
	ar->host = host;
	pthread_rwlock_init(&ar->lock, NULL);
	pthread_mutex_init(&ar->wait_lock, NULL);
	pthread_cond_init(&ar->begun, NULL);
	if ((err = open_source(ar, fd, &st)) == 0 &&
	    (err = tar_overlay_init(&ar->overlay, host->space)) == 0 &&
	    (err = tar_index_init(&ar->index)) == 0)
		err = start(ar);
	if (err != 0) {
		explain(ar, err);
		free_memory(ar);
		return err;
	}
	*to = ar;
	return 0;
}

void
tar_archive_free(struct tar_archive *ar)
{
	atomic_store(&ar->stop, true);
	pthread_join(ar->thread, NULL);
	tar_overlay_report(ar);
	pinefs_free(ar->fs);
	free_memory(ar);
}
