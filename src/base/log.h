/*
 * What there is to tell a person: on fd 2 as text or JSON, or to the journal
 * of systemd, each record by one system call, never through stdio (a host
 * program may hold its locks, or fork).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG };

/* Lines above this level are dropped; LOG_LEVEL_INFO at start. */
void	log_set_level(enum log_level);
/* "error", "warning", "info", "debug"; -1: none of them. */
int	log_level_parse(const char *name);

/*
 * "text" (at start), "json", "journal", which is text where there is none;
 * "auto" (at start: colours on a terminal, but for $NO_COLOR), "always",
 * "never".  EINVAL: no such.
 */
int	log_set_format(const char *name);
int	log_set_colour(const char *when);
bool	log_is_text(void);
/*
 * Look at $NO_COLOR and $TERM now, on the thread of whoever may change the
 * environment: not when a thread of ours has to say something.  Without it,
 * that is done at the first line.
 */
void	log_read_environment(void);

void	log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_warning(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
void	log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_va(enum log_level, const char *fmt, va_list)
	    __attribute__((format(printf, 2, 0)));

/*
 * For what a client can cause, a warning: the first at once, the others in
 * 10 s are counted for each `limit` (zeroed), and told when the time is over
 * and somebody looks (log_count), as the first " ... 37 more in 10 s".
 */
struct log_limit {
	atomic_uint_fast64_t	 last_ms;
	atomic_uint		 missed;
	struct log_limit	*next;		/* of those seen */
	bool			 seen;
	char			 text[104];	/* the first, maybe cut */
};
void	log_limited(struct log_limit *limit, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* Tell what is due; `all`: whatever was counted.  Every 10 s or so. */
void	log_count(bool all);
/* The memory of the limit goes: tell what it counted, and forget it. */
void	log_limit_end(struct log_limit *);

/*
 * Text from a client as it may stand in a log: printable ASCII, everything
 * else as \xNN, cut with an ellipsis.  Returns `to`.
 */
char	*log_escape(char *to, size_t size, const void *text, size_t len);

/* For tests: where the journal listens. */
void	log_set_journal(const char *path);

#endif
