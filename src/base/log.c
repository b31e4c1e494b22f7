/* Lines for a person.  See log.h. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
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

static bool
is_coloured(void)
{
	const char *no, *term;

	if (atomic_load(&colour) != AUTO)
		return atomic_load(&colour) == ALWAYS;
	if (!isatty(STDERR_FILENO))
		return false;
	no = getenv("NO_COLOR");
	term = getenv("TERM");
	return (no == NULL || *no == '\0') && term != NULL &&
	    strcmp(term, "dumb") != 0;
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
 * which it may be held for ever, does not hang.
 */
static struct log_limit *limits;
static atomic_flag limits_lock = ATOMIC_FLAG_INIT;

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000 + 1;
}

/* Tell what was counted; the limit begins anew. */
static void
tell(struct log_limit *limit, uint64_t now)
{
	uint64_t last = atomic_load(&limit->last_ms);
	unsigned missed = atomic_exchange(&limit->missed, 0);

	atomic_store(&limit->last_ms, missed > 0 ? now : 0);
	if (missed > 0 && is_wanted(LOG_LEVEL_WARNING))
		record(LOG_LEVEL_WARNING, limit->text, strlen(limit->text),
		    missed, now - last < 1500 ? 1 :
		    (unsigned)((now - last + 500) / 1000));
}

/* The first in a while: its text stands for those that will be counted. */
static void
first(struct log_limit *limit, const char *fmt, va_list ap)
{
	char stack[LINE], *text;
	size_t len;

	text = expand(stack, fmt, ap, &len);
	record(LOG_LEVEL_WARNING, text, len, 0, 0);
	snprintf(limit->text, sizeof limit->text, "%s", text);
	if (text != stack)
		free(text);
	if (!limit->seen) {
		limit->seen = true;
		limit->next = limits;
		limits = limit;
	}
}

void
log_limited(struct log_limit *limit, const char *fmt, ...)
{
	int saved = errno;
	uint64_t now, last;
	va_list ap;

	if (!is_wanted(LOG_LEVEL_WARNING))
		return;
	now = now_ms();
	last = atomic_load(&limit->last_ms);
	if ((last != 0 && now - last < LIMIT_MS) ||
	    atomic_flag_test_and_set(&limits_lock)) {
		atomic_fetch_add(&limit->missed, 1);
		return;
	}
	tell(limit, now);
	atomic_store(&limit->last_ms, now);
	va_start(ap, fmt);
	first(limit, fmt, ap);
	va_end(ap);
	atomic_flag_clear(&limits_lock);
	errno = saved;
}

void
log_count(bool all)
{
	uint64_t now = now_ms();
	struct log_limit *l;

	if (atomic_flag_test_and_set(&limits_lock))
		return;
	for (l = limits; l != NULL; l = l->next)
		if (atomic_load(&l->missed) > 0 &&
		    (all || now - atomic_load(&l->last_ms) >= LIMIT_MS))
			tell(l, now);
	atomic_flag_clear(&limits_lock);
}

void
log_limit_end(struct log_limit *limit)
{
	struct log_limit **at;
	int tries = 0;

	if (!limit->seen)
		return;
	/* It is held for a line at most; or, in a child of fork, for ever. */
	while (atomic_flag_test_and_set(&limits_lock)) {
		if (tries++ == 100000)
			return;
		sched_yield();
	}
	for (at = &limits; *at != NULL && *at != limit; at = &(*at)->next)
		;
	if (*at == limit)
		*at = limit->next;
	tell(limit, now_ms());
	atomic_flag_clear(&limits_lock);
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
