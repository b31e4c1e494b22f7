/* An archive that is served.  See archive.h. */
#include "archive.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "below.h"
#include "build.h"
#include "header.h"
#include "packed.h"
#include "zip_source.h"

enum { PATIENCE = 4, MOUNT_PATIENCE = 8, IDLE = 60, RESTS = 8 };	/* s */
enum { TRIES = 16 };		/* in order of use, then in any */

/* Cheap, and true to some ms. */
static time_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec;
}

/* -------------------------------------------------------------- waiting -- */

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
	atomic_store(&ar->waits, true);
	pthread_mutex_unlock(&ar->wait_lock);
	return PINEFS_LATER;
}

/* The wait is in the call's memory: it is gone with the completion. */
static void
complete(struct tar_wait *w, int err)
{
	pinefs_complete(w->call, err);
}

void
tar_archive_try_waiting(struct tar_archive *ar, int end)
{
	struct tar_wait *list, *w;
	int err;

	pthread_mutex_lock(&ar->wait_lock);
	list = ar->waiting;
	ar->waiting = NULL;
	atomic_store(&ar->waits, false);
	pthread_mutex_unlock(&ar->wait_lock);
	while ((w = list) != NULL) {
		list = w->next;
		pthread_rwlock_rdlock(&ar->lock);
		err = w->again(ar, w);
		if (err == PINEFS_LATER && end == 0) {
			pthread_mutex_lock(&ar->wait_lock);
			w->next = ar->waiting;
			ar->waiting = w;
			atomic_store(&ar->waits, true);
			pthread_mutex_unlock(&ar->wait_lock);
		}
		pthread_rwlock_unlock(&ar->lock);
		if (err != PINEFS_LATER)
			complete(w, err);
		else if (end != 0)
			complete(w, end);
	}
}

/* Those that have waited too long, onto a list. */
static void
take_late(struct tar_archive *ar, struct tar_wait **late)
{
	struct tar_wait **p, *w;
	time_t t = now();

	pthread_mutex_lock(&ar->wait_lock);
	for (p = &ar->waiting; (w = *p) != NULL; ) {
		if (w->until > t) {
			p = &w->next;
			continue;
		}
		*p = w->next;
		w->next = *late;
		*late = w;
	}
	pthread_mutex_unlock(&ar->wait_lock);
}

/* ------------------------------------------------------------ its bytes -- */

/* What it looks like, for who thought it was an archive. */
static void
explain(struct tar_archive *ar, int err)
{
	const struct tar_codec *codec;
	struct tar_source *source;
	uint8_t head[TAR_SNIFF];
	const char *why;
	size_t got = 0;

	pthread_rwlock_rdlock(&ar->lock);
	source = ar->source == NULL ? NULL : tar_source_get(ar->source);
	codec = ar->codec;
	why = ar->why;
	pthread_rwlock_unlock(&ar->lock);
	if (err == ENOTSUP && codec != NULL)
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: compressed by %s, "
		    "which this build cannot read: it was made without the "
		    "feature %s", ar->shown, codec->name, codec->feature);
	else if (err != ENOEXEC)
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: %s", ar->shown,
		    strerror(err));
	else if (why != NULL)
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: not an archive that "
		    "is known here: %s", ar->shown, why);
	else if (source == NULL || codec == NULL)
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: not an archive that "
		    "is known here: no header of tar at its beginning",
		    ar->shown);
	else if (tar_source_read(source, 0, head,
	    sizeof head, &got) == 0 && tar_codec_of(head, got) != NULL)
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: not an archive: "
		    "inside of %s it is %s again", ar->shown, codec->name,
		    tar_codec_of(head, got)->name);
	else
		pinefs_log(PINEFS_LOG_ERROR, "tarfs: %s: not an archive that "
		    "is known here: inside of %s there is no header of tar "
		    "at its beginning", ar->shown, codec->name);
	tar_source_free(source);
}

static void
tell(void *arg, const char *text)
{
	const struct tar_archive *ar = arg;

	pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s: %s", ar->shown, text);
}

/* Of what is compressed, and not little, for who wonders what took long. */
static void
tell_decoded(const struct tar_archive *ar)
{
	struct tar_packed_counts n;

	if (ar->source == NULL || !tar_source_is_packed(ar->source))
		return;
	tar_packed_counts(ar->source, &n);
	if (n.decoded + n.again >= 1000000)
		pinefs_log(PINEFS_LOG_INFO, "tarfs: %s: %.1f MB were decoded "
		    "in order, and %.1f MB again for reads", ar->shown,
		    (double)n.decoded / 1e6, (double)n.again / 1e6);
}

/* A file of zip, if it ends as one.  Else it stays what it is. */
static int
open_zip(struct tar_archive *ar, int fd, bool begins,
    struct tar_source **source)
{
	struct zip_config config = { .blocks = ar->host->blocks,
	    .stop = &ar->host->stop, .note = tell, .arg = ar };
	struct stat st;
	const char *why;
	int err;

	if (fstat(fd, &st) == -1)
		return errno;
	config.uid = st.st_uid;
	config.gid = st.st_gid;
	err = tar_source_zip(source, *source, &config, &why);
	if (err == ENOEXEC && !begins)
		return 0;
	ar->why = why;
	return err;
}

/* What a compressed source borrows. */
struct lent {
	struct tar_extra	 saved;
	char			*store;		/* its path */
};

static void
free_lent(void *arg)
{
	struct lent *l = arg;

	tar_extra_fini(&l->saved);
	free(l->store);
	free(l);
}

/* Takes over `fd`, and *saved: what such a source has saved of this file. */
static struct tar_source *
open_packed(struct tar_archive *ar, int fd, struct tar_extra *saved)
{
	const struct tar_host *host = ar->host;
	struct lent *l = calloc(1, sizeof *l);
	struct tar_source *source;

	if (l == NULL) {
		close(fd);
		return NULL;
	}
	l->saved = *saved;
	*saved = (struct tar_extra){ 0 };
	ar->refused = false;
	l->store = tar_cache_path(host->cache, &ar->life.key, "blocks");
	source = tar_source_packed(fd, ar->codec,
	    &(struct tar_packed_config){ .blocks = host->blocks,
	    .dir = tar_cache_dir(host->cache), .store = l->store,
	    .store_max = host->config.cache_max,
	    .key = tar_cache_secret(host->cache), .memory = &ar->host->stores,
	    .saved = l->saved.base,
	    .saved_len = l->saved.len, .stop = &host->stop, .note = tell,
	    .arg = ar });
	if (source == NULL) {
		free_lent(l);
		return NULL;
	}
	ar->refused = l->saved.len > 0 && tar_source_size(source) ==
	    UINT64_MAX;
	source->gone = free_lent;
	source->gone_arg = l;
	return source;
}

/* What begins with a header of tar is one.  Takes `fd` over, and *saved. */
static int
source_of(struct tar_archive *ar, int fd, struct tar_extra *saved,
    struct tar_source **source)
{
	struct tar_header h;
	ssize_t n = pread(fd, &h, sizeof h, 0);
	size_t len = n < 0 ? 0 : (size_t)n;
	bool is_tar = len == sizeof h && tar_header_sum_ok(&h);

	ar->why = NULL;
	ar->codec = is_tar ? NULL : tar_codec_of((uint8_t *)&h, len);
	if (ar->codec != NULL && ar->codec->begin == NULL) {
		close(fd);
		return ENOTSUP;
	}
	if (ar->codec == NULL)
		*source = tar_source_file(fd, ar->life.key.size);
	else
		*source = open_packed(ar, fd, saved);
	if (*source == NULL)
		return ENOMEM;
	return is_tar || ar->codec != NULL ? 0 :
	    open_zip(ar, fd, zip_begins((uint8_t *)&h, len), source);
}

/* The source before goes with whoever still reads of it. */
static int
open_source(struct tar_archive *ar, int fd, struct tar_extra *saved)
{
	struct tar_source *source = NULL;
	int err = source_of(ar, fd, saved, &source);

	tar_extra_fini(saved);
	if (err != 0) {
		tar_source_free(source);
		return err;
	}
	tell_decoded(ar);
	tar_source_free(ar->source);
	ar->source = source;
	ar->fd = fd;
	ar->stored = ar->life.key.size;
	return 0;
}

/* ------------------------------------------------- those that are at hand -- */

static void
list(struct tar_archive *ar)
{
	struct tar_host *host = ar->host;

	ar->open_next = host->open;
	ar->open_prev = &host->open;
	if (host->open != NULL)
		host->open->open_prev = &ar->open_next;
	host->open = ar;
	host->nopen++;
}

static void
unlist(struct tar_archive *ar)
{
	*ar->open_prev = ar->open_next;
	if (ar->open_next != NULL)
		ar->open_next->open_prev = ar->open_prev;
	ar->open_prev = NULL;
	ar->host->nopen--;
}

/* With the lock for writing. */
static void
drop_index(struct tar_archive *ar)
{
	tar_index_fini(&ar->index);
	atomic_fetch_sub(&ar->host->index_bytes, ar->charged);
	ar->charged = 0;
	ar->whole = false;
	ar->missing = 0;
}

/* What was changed is of the index, and goes with it. */
static void
give_up(struct tar_archive *ar)
{
	tar_overlay_drop(ar);
	drop_index(ar);
	tell_decoded(ar);
	tar_source_free(ar->source);
	ar->source = NULL;
	ar->at_hand = false;
}

/*
 * With open_lock.  Whoever holds it, or waits for it, needs it; and what was
 * changed of it would be lost if its file went meanwhile.
 */
static bool
give_up_idle(struct tar_archive *ar)
{
	bool idle;

	if (pthread_rwlock_trywrlock(&ar->lock) != 0)
		return false;
	pthread_mutex_lock(&ar->wait_lock);
	idle = ar->waiting == NULL && !ar->building;
	pthread_mutex_unlock(&ar->wait_lock);
	idle = idle && tar_overlay_is_empty(&ar->overlay);
	if (idle) {
		tar_build_join(ar);
		give_up(ar);
		unlist(ar);
	}
	pthread_rwlock_unlock(&ar->lock);
	return idle;
}

/* The one that was not used for longest, of those not tried; NULL. */
static struct tar_archive *
oldest_of(const struct tar_host *host)
{
	struct tar_archive *ar, *oldest = NULL;

	for (ar = host->open; ar != NULL; ar = ar->open_next)
		if (!ar->tried && (oldest == NULL || atomic_load(&ar->looked)
		    <= atomic_load(&oldest->looked)))
			oldest = ar;
	return oldest;
}

/* With open_lock: an old one that nobody needs.  False: there is none. */
static bool
give_up_one(struct tar_host *host)
{
	struct tar_archive *ar;
	int i;

	for (ar = host->open; ar != NULL; ar = ar->open_next)
		ar->tried = false;
	for (i = 0; i < TRIES && (ar = oldest_of(host)) != NULL; i++) {
		if (give_up_idle(ar))
			return true;
		ar->tried = true;
	}
	for (ar = host->open; ar != NULL; ar = ar->open_next)
		if (!ar->tried && give_up_idle(ar))
			return true;
	return false;
}

/* It has come to hand, or gone. */
static void
relist(struct tar_archive *ar)
{
	struct tar_host *host = ar->host;
	bool at_hand;

	pthread_mutex_lock(&host->open_lock);
	pthread_rwlock_rdlock(&ar->lock);
	at_hand = ar->at_hand;
	pthread_rwlock_unlock(&ar->lock);
	if (at_hand && ar->open_prev == NULL) {
		while (host->nopen >= host->open_most && give_up_one(host))
			;
		list(ar);
	} else if (!at_hand && ar->open_prev != NULL) {
		unlist(ar);
	}
	pthread_mutex_unlock(&host->open_lock);
}

/* Decoders that nobody needed for some seconds go. */
static void
rest(struct tar_archive *ar)
{
	if (pthread_rwlock_tryrdlock(&ar->lock) != 0)
		return;
	if (ar->source != NULL)
		tar_source_rest(ar->source);
	pthread_rwlock_unlock(&ar->lock);
}

void
tar_archive_tick(struct tar_host *host)
{
	bool keep = host->config.keep_open, rests;
	time_t before = now() - IDLE;
	struct tar_archive *ar, *next;
	struct tar_wait *late = NULL, *w;

	pthread_mutex_lock(&host->open_lock);
	rests = ++host->ticks % RESTS == 0;
	for (ar = host->open; ar != NULL; ar = next) {
		next = ar->open_next;
		take_late(ar, &late);
		if (rests)
			rest(ar);
		if (!keep && atomic_load(&ar->looked) < before)
			give_up_idle(ar);
	}
	pthread_mutex_unlock(&host->open_lock);
	while ((w = late) != NULL) {
		late = w->next;
		complete(w, EAGAIN);
	}
}

/* ------------------------------------------------------ what there is now -- */

/* The file of that name, if it is one; -1. */
static int
open_file(const struct tar_archive *ar)
{
	struct stat st;
	int fd;

	/* The one that is open, whatever the name has become. */
	if (ar->host->config.keep_open && ar->at_hand)
		return fcntl(ar->fd, F_DUPFD_CLOEXEC, 0);
	fd = tar_open_below(ar->root, ar->rel);
	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
		errno = EINVAL;
	}
	return fd;
}

/* Is the file what it was, as far as stat says? */
static bool
is_as_it_was(const struct tar_archive *ar)
{
	struct tar_key key, was = ar->life.key;
	struct stat st;

	if (ar->host->config.keep_open) {
		if (fstat(ar->fd, &st) == -1)
			return true;
	} else if (fstatat(ar->root == -1 ? AT_FDCWD : ar->root, ar->rel, &st,
	    0) == -1) {
		return true;		/* as long as it is open */
	}
	tar_key_stat(&key, &st);
	was.head = was.tail = 0;
	return memcmp(&key, &was, sizeof key) == 0;
}

/* An index: that of the file, or one that begins now.  *task is to be done
 * for it. */
static int
begin_index(struct tar_archive *ar, enum tar_task *task,
    struct tar_extra *saved)
{
	int err;

	drop_index(ar);
	err = tar_cache_load(ar->host->cache, &ar->life.key, &ar->index,
	    saved);
	if (err == 0 && ar->index.shape != ar->host->shape) {
		/* By another build, or with other options. */
		tar_index_fini(&ar->index);
		tar_extra_fini(saved);
		err = ESTALE;
	}
	ar->whole = err == 0;
	*task = err == 0 ? TAR_CHECK : TAR_MAKE;
	return err == 0 ? 0 : tar_index_init(&ar->index);
}

static void
set_state(struct tar_archive *ar, bool whole)
{
	pthread_mutex_lock(&ar->wait_lock);
	ar->state = whole ? TAR_SERVES : TAR_STARTS;
	pthread_mutex_unlock(&ar->wait_lock);
}

/*
 * Serve what `fd`, which is taken over, has; `same`: contents that were
 * served before, maybe with more behind them.
 */
static int
adopt(struct tar_archive *ar, int fd, const struct tar_life *life, bool same)
{
	struct pinefs_ident root = { .fileid = TAR_ROOT_ID,
	    .generation = life->generation << 32 };
	/* With changes, an index that lacks something is made anew aside. */
	bool stays = same && ar->at_hand && ar->whole && (ar->missing == 0 ||
	    !tar_overlay_is_empty(&ar->overlay));
	bool grew = life->key.size > ar->life.key.size;
	struct tar_extra saved = { 0 };
	enum tar_task task = TAR_REMAKE;
	int err;

	/* First: whatever fails behind this may come right by a look that
	 * finds the same contents. */
	if (!same && (err = pinefs_set_root(ar->fs, &root)) != 0) {
		close(fd);
		return err;
	}
	ar->life = *life;
	if (!stays)
		tar_overlay_drop(ar);
	if (!stays && (err = begin_index(ar, &task, &saved)) != 0) {
		close(fd);
		return err;
	}
	if ((err = open_source(ar, fd, &saved)) != 0)
		return err;
	/* Else each read, of each process to come, decodes from the start. */
	if (task == TAR_CHECK && ar->codec != NULL && ar->refused) {
		pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s: what was kept of "
		    "it in the cache is damaged, or another's: it is made "
		    "anew", ar->shown);
		ar->checked = false;
		task = TAR_REMAKE;
	}
	if (stays && grew && ar->codec == NULL && ar->index.end != 0 &&
	    ar->missing == 0)
		task = TAR_GO_ON;
	ar->at_hand = true;
	ar->gone = false;
	if (!stays)
		set_state(ar, ar->whole);
	return task == TAR_CHECK && ar->checked ? 0 :
	    tar_build_start(ar, task);
}

/*
 * With the lock for writing, while nothing is built: what does the file have
 * now?  A read of 128 KiB, and only when something has happened.
 */
static int
refresh(struct tar_archive *ar)
{
	struct tar_life life = ar->life;
	int fd = open_file(ar), err;
	struct tar_key key;
	bool same;

	if (fd == -1) {
		err = errno;
		ar->gone = !ar->at_hand;
		return err;
	}
	if (ar->life.generation == 0) {
		same = false;
		err = tar_known_life(ar->host->known, ar->path, fd, &life);
	} else if ((err = tar_key_of(&key, fd)) == 0 &&
	    memcmp(&key, &life.key, sizeof key) == 0) {
		same = true;
		if (ar->at_hand) {
			close(fd);
			return 0;
		}
	} else if (err == 0) {
		if (!(same = tar_life_goes_on(&life, fd, &key))) {
			tar_life_begin(&life, &key);
			err = tar_mark_of(fd, key.size, &life.mark);
		}
		if (err == 0)
			tar_known_put(ar->host->known, ar->path, &life);
	}
	if (err != 0) {
		close(fd);
		/* Who knows what it is: what was changed is not lost yet. */
		if (ar->at_hand && !tar_overlay_is_empty(&ar->overlay))
			return err;
	} else {
		if (!same && ar->life.generation != 0)
			pinefs_log(PINEFS_LOG_WARNING, "tarfs: %s: is another "
			    "archive now: what was mounted is stale",
			    ar->shown);
		err = adopt(ar, fd, &life, same);
	}
	if (err != 0) {
		give_up(ar);
		ar->gone = true;
	}
	return err;
}

/* Has something become of it?  Not, if that was asked this second. */
static bool
is_news(struct tar_archive *ar, bool now_please)
{
	time_t t = now(), was = atomic_exchange(&ar->looked, t);
	bool as_it_was;

	if (was == t && !now_please)
		return false;
	pthread_rwlock_rdlock(&ar->lock);
	as_it_was = ar->building || (ar->at_hand && (is_as_it_was(ar) ||
	    (ar->rest_until > t && !now_please)));
	pthread_rwlock_unlock(&ar->lock);
	return !as_it_was;
}

static int
look(struct tar_archive *ar, bool now_please)
{
	int err = 0;

	if (!is_news(ar, now_please))
		return 0;
	pthread_rwlock_wrlock(&ar->lock);
	if (!ar->building)
		err = refresh(ar);
	pthread_rwlock_unlock(&ar->lock);
	relist(ar);
	return err;
}

bool
tar_archive_is_ready(struct tar_archive *ar)
{
	bool ready;

	if (is_news(ar, false))
		return false;
	pthread_rwlock_rdlock(&ar->lock);
	ready = ar->at_hand || ar->gone;
	pthread_rwlock_unlock(&ar->lock);
	return ready;
}

void
tar_archive_get_ready(struct tar_archive *ar)
{
	look(ar, true);
}

void
tar_archive_enter(struct tar_archive *ar)
{
	look(ar, false);
	for (;;) {
		pthread_rwlock_rdlock(&ar->lock);
		if (ar->at_hand || ar->gone)
			return;
		pthread_rwlock_unlock(&ar->lock);
		look(ar, true);
	}
}

void
tar_archive_leave(struct tar_archive *ar)
{
	pthread_rwlock_unlock(&ar->lock);
}

int
tar_archive_stale(const struct tar_archive *ar)
{
	return !ar->whole && !ar->gone ? EAGAIN :
	    ar->missing != 0 ? ar->missing : ESTALE;
}

/* ------------------------------------------------------- begin and end -- */

static int
wait_for_first(struct tar_archive *ar)
{
	struct timespec until;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += MOUNT_PATIENCE;
	pthread_mutex_lock(&ar->wait_lock);
	while (ar->state == TAR_STARTS && err == 0)
		err = pthread_cond_timedwait(&ar->begun, &ar->wait_lock,
		    &until);
	/* One that takes longer is mounted, and whoever comes has to wait. */
	err = ar->state == TAR_FAILED ? ar->err : 0;
	pthread_mutex_unlock(&ar->wait_lock);
	return err;
}

int
tar_archive_serve(struct tar_archive *ar)
{
	int err = look(ar, true);

	if (err == 0)
		err = wait_for_first(ar);
	if (err != 0)
		explain(ar, err);
	return err;
}

struct tar_archive *
tar_archive_new(const char *path, int root, const char *rel,
    struct tar_host *host)
{
	struct tar_archive *ar = calloc(1, sizeof *ar);
	pthread_condattr_t attr;

	if (ar == NULL)
		return NULL;
	pthread_rwlock_init(&ar->lock, NULL);
	pthread_mutex_init(&ar->wait_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&ar->begun, &attr);
	pthread_condattr_destroy(&attr);
	ar->host = host;
	ar->root = root;
	if ((ar->path = strdup(path)) == NULL ||
	    (ar->shown = tar_shown(path)) == NULL ||
	    tar_overlay_init(&ar->overlay, host->space) != 0 ||
	    (ar->fs = pinefs_new(host->config.readonly ? &tar_view_ro_ops :
	    &tar_view_ops, ar)) == NULL) {
		tar_archive_free(ar);
		return NULL;
	}
	ar->rel = ar->path + (rel - path);
	return ar;
}

void
tar_archive_free(struct tar_archive *ar)
{
	atomic_store(&ar->stop, true);
	tar_build_join(ar);
	pthread_mutex_lock(&ar->host->open_lock);
	if (ar->open_prev != NULL)
		unlist(ar);
	pthread_mutex_unlock(&ar->host->open_lock);
	if (ar->overlay.space != NULL)
		tar_overlay_report(ar);
	pinefs_free(ar->fs);
	tar_overlay_fini(&ar->overlay);
	drop_index(ar);
	tell_decoded(ar);
	tar_source_free(ar->source);
	pthread_rwlock_destroy(&ar->lock);
	pthread_mutex_destroy(&ar->wait_lock);
	pthread_cond_destroy(&ar->begun);
	free(ar->path);
	free(ar->shown);
	free(ar);
}
