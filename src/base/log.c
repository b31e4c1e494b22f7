/* Lines for a person.  See log.h. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log_form.h"

enum { LINE = 1024, LIMIT_MS = 10000, LONGEST = 4 << 20 };
enum format { TEXT, JSON, JOURNAL };
enum colour { AUTO, ALWAYS, NEVER };

static atomic_int level = LOG_LEVEL_INFO, format = TEXT, colour = AUTO;
static _Atomic(const char *) journal = "/run/systemd/journal/socket";

static int
find(const char *const *names, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

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

	return find(names, 4, name);
}

static int
set(atomic_int *to, const char *const *names, const char *name)
{
	int i = find(names, 3, name);

	if (i == -1)
		return EINVAL;
	atomic_store(to, i);
	return 0;
}

int
log_set_format(const char *name)
{
	static const char *const names[] = { "text", "json", "journal" };

	return set(&format, names, name);
}

int
log_set_colour(const char *when)
{
	static const char *const names[] = { "auto", "always", "never" };

	return set(&colour, names, when);
}

bool
log_is_text(void)
{
	return atomic_load(&format) == TEXT;
}

void
log_set_journal(const char *path)
{
	atomic_store(&journal, path);
}

/* --------------------------------------------------------------- journal -- */

/*
 * A record that is larger than a datagram may be: in a file that has no name,
 * sealed, whose descriptor is sent instead.
 */
static bool
send_large(int fd, const struct sockaddr_un *sun, const char *bytes,
    size_t len)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct sockaddr_un to = *sun;
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof to,
	    .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int file = memfd_create("pinefs-log", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bool sent;

	if (file == -1)
		return false;
	*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
	    .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof file) };
	memcpy(CMSG_DATA(c), &file, sizeof file);
	sent = write(file, bytes, len) == (ssize_t)len &&
	    fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE | F_SEAL_SEAL) == 0 &&
	    sendmsg(fd, &m, MSG_NOSIGNAL) != -1;
	close(file);
	return sent;
}

static bool
send_to_journal(const char *bytes, size_t len)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	bool sent;
	int fd;

	strncpy(sun.sun_path, atomic_load(&journal), sizeof sun.sun_path - 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return false;
	sent = sendto(fd, bytes, len, MSG_NOSIGNAL,
	    (const struct sockaddr *)&sun, sizeof sun) != -1;
	if (!sent && (errno == EMSGSIZE || errno == ENOBUFS))
		sent = send_large(fd, &sun, bytes, len);
	close(fd);
	return sent;
}

/* --------------------------------------------------------------- records -- */

/* What the environment says of colours. */
static atomic_int colourful = -1;

void
log_read_environment(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	atomic_store(&colourful, (no == NULL || *no == '\0') &&
	    term != NULL && strcmp(term, "dumb") != 0);
}

static bool
is_coloured(void)
{
	if (atomic_load(&colour) != AUTO)
		return atomic_load(&colour) == ALWAYS;
	if (!isatty(STDERR_FILENO))
		return false;
	if (atomic_load(&colourful) == -1)
		log_read_environment();
	return atomic_load(&colourful) != 0;
}

static void
write_line(const char *bytes, size_t len)
{
	if (write(STDERR_FILENO, bytes, len) == -1) {
		/* Nobody listens: there is nobody to tell. */
	}
}

static void
put_record(const struct log_record *r, char *to, size_t size)
{
	int as = atomic_load(&format);
	size_t n;

	if (as == JOURNAL) {
		n = log_form_journal(to, size, r);
		if (n <= size && send_to_journal(to, n))
			return;
	}
	n = as == JSON ? log_form_json(to, size, r) :
	    log_form_text(to, size, r, is_coloured());
	if (n > size) {		/* cut, as memory is short */
		n = size;
		to[n - 1] = '\n';
	}
	write_line(to, n);
}

static void
record(enum log_level l, const char *text, size_t len, unsigned missed,
    unsigned seconds)
{
	struct log_record r = { .level = l, .text = text, .len = len,
	    .missed = missed, .seconds = seconds, .pid = (int)getpid() };
	size_t room = log_form_room(&r);
	char stack[4 * LINE], *to = stack;

	clock_gettime(CLOCK_REALTIME, &r.time);
	if (room > sizeof stack && (to = malloc(room)) == NULL) {
		to = stack;
		room = sizeof stack;
	}
	put_record(&r, to, to == stack ? sizeof stack : room);
	if (to != stack)
		free(to);
}

/* What the format says, in `stack` if it fits; else to be freed. */
static char *
expand(char stack[LINE], const char *fmt, va_list ap, size_t *len)
{
	char *text = stack;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(stack, LINE, fmt, ap);
	if (n < 0)
		n = 0;
	if (n >= LINE && n < LONGEST &&
	    (text = malloc((size_t)n + 1)) != NULL) {
		vsnprintf(text, (size_t)n + 1, fmt, again);
	} else if (n >= LINE) {
		text = stack;
		n = LINE - 1;
	}
	va_end(again);
	*len = (size_t)n;
	return text;
}

static bool
is_wanted(enum log_level l)
{
	return atomic_load_explicit(&level, memory_order_relaxed) >= (int)l;
}

void
log_va(enum log_level l, const char *fmt, va_list ap)
{
	int saved = errno;
	char stack[LINE], *text;
	size_t len;

	if (!is_wanted(l))
		return;
	text = expand(stack, fmt, ap, &len);
	record(l, text, len, 0, 0);
	if (text != stack)
		free(text);
	errno = saved;
}

#define LOG_FUNCTION(name, lev)						\
void									\
name(const char *fmt, ...)						\
{									\
	va_list ap;							\
									\
	va_start(ap, fmt);						\
	log_va(lev, fmt, ap);						\
	va_end(ap);							\
}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

/* ---------------------------------------------------------------- limits -- */

/*
 * Those that have told something.  Taken at most once in 10 s for each; who
 * finds the lock held counts instead of waiting, so that a child of fork, in
 * which it may be held for ever, does not hang.  Nothing is written under it:
 * who reads that may take any time.
 */
static struct log_limit *limits;
static atomic_flag limits_lock = ATOMIC_FLAG_INIT;

enum { LIMIT_TEXT = sizeof ((struct log_limit *)NULL)->text };

/* What is to be written once the lock is free. */
struct told {
	unsigned	missed, seconds;
	char		text[LIMIT_TEXT];
};

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000 + 1;
}

/* Another thread may have looked at the clock later, and stored that. */
static int64_t
since(uint64_t last, uint64_t now)
{
	return now < last ? 0 : (int64_t)(now - last);
}

/* What was counted; the limit begins anew. */
static void
take(struct log_limit *limit, uint64_t now, struct told *t)
{
	int64_t ms = since(atomic_load(&limit->last_ms), now);

	t->missed = atomic_exchange(&limit->missed, 0);
	t->seconds = ms < 1500 ? 1 : (unsigned)((ms + 500) / 1000);
	memcpy(t->text, limit->text, sizeof t->text);
	atomic_store(&limit->last_ms, t->missed > 0 ? now : 0);
}

static void
tell(const struct told *t)
{
	if (t->missed > 0 && is_wanted(LOG_LEVEL_WARNING))
		record(LOG_LEVEL_WARNING, t->text, strlen(t->text), t->missed,
		    t->seconds);
}

/* The first in a while: its text stands for those that will be counted. */
static void
keep(struct log_limit *limit, const char *text)
{
	snprintf(limit->text, sizeof limit->text, "%s", text);
	if (!limit->seen) {
		limit->seen = true;
		limit->next = limits;
		limits = limit;
	}
}

void
log_limited(struct log_limit *limit, const char *fmt, ...)
{
	char stack[LINE], *text;
	int saved = errno;
	uint64_t now, last;
	struct told before;
	size_t len;
	va_list ap;

	if (!is_wanted(LOG_LEVEL_WARNING))
		return;
	now = now_ms();
	last = atomic_load(&limit->last_ms);
	if ((last != 0 && since(last, now) < LIMIT_MS) ||
	    atomic_flag_test_and_set(&limits_lock)) {
		atomic_fetch_add(&limit->missed, 1);
		return;
	}
	take(limit, now, &before);
	atomic_store(&limit->last_ms, now);
	va_start(ap, fmt);
	text = expand(stack, fmt, ap, &len);
	va_end(ap);
	keep(limit, text);
	atomic_flag_clear(&limits_lock);
	tell(&before);
	record(LOG_LEVEL_WARNING, text, len, 0, 0);
	if (text != stack)
		free(text);
	errno = saved;
}

/* One that is due, if there is any. */
static bool
take_due(uint64_t now, bool all, struct told *t)
{
	struct log_limit *l;
	bool found = false;
	uint64_t last;

	if (atomic_flag_test_and_set(&limits_lock))
		return false;
	for (l = limits; l != NULL && !found; l = l->next) {
		last = atomic_load(&l->last_ms);
		found = atomic_load(&l->missed) > 0 &&
		    (all ? last < now : since(last, now) >= LIMIT_MS);
		if (found)
			take(l, now, t);
	}
	atomic_flag_clear(&limits_lock);
	return found;
}

void
log_count(bool all)
{
	/* Those that were told now are not told again. */
	uint64_t now = now_ms() + 1;
	struct told t;

	while (take_due(now, all, &t))
		tell(&t);
}

void
log_limit_end(struct log_limit *limit)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	struct log_limit **at;
	struct told t;
	int tries = 0;

	if (!limit->seen)
		return;
	/* It is held for a moment; or, in a child of fork, for ever, and then
	 * nobody looks at the list any more. */
	while (atomic_flag_test_and_set(&limits_lock)) {
		if (tries++ == 2000)
			return;
		nanosleep(&ms, NULL);
	}
	for (at = &limits; *at != NULL && *at != limit; at = &(*at)->next)
		;
	if (*at == limit)
		*at = limit->next;
	take(limit, now_ms(), &t);
	atomic_flag_clear(&limits_lock);
	tell(&t);
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
