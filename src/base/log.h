/*
 * Lines for a person, on fd 2: "pinefs: what happened", each by one write(2),
 * never through stdio (a host program may hold its locks, or fork).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG };

/* Lines above this level are dropped; LOG_LEVEL_INFO at start. */
void	log_set_level(enum log_level);
/* "error", "warning", "info", "debug"; -1: none of them. */
int	log_level_parse(const char *name);

void	log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_warning(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
void	log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * For what a client can cause: at most one line in 10 s for each `limit`
 * (static, zeroed); the next line says how many were left out.
 */
struct log_limit {
	atomic_uint_fast64_t	last_ms;
	atomic_uint		missed;
};
void	log_limited(struct log_limit *limit, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/*
 * Text from a client as it may stand in a log: printable ASCII, everything
 * else as \xNN, cut with an ellipsis.  Returns `to`.
 */
char	*log_escape(char *to, size_t size, const void *text, size_t len);

#endif
