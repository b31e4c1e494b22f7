/*
 * What a log record looks like: to a person, as JSON, to the journal.  Pure
 * functions, so that whatever a client made us say can be tested.
 *
 * A text is "what happened", and maybe "\ntry: what to do".  Anything else in
 * it that a terminal could take for more than text is shown as \xNN: control
 * characters, new lines, bytes that are no UTF-8.
 */
#ifndef BASE_LOG_FORM_H
#define BASE_LOG_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/log.h"

struct log_record {
	enum log_level	 level;
	const char	*text;
	size_t		 len;
	/* Like the text, and left out, in how many seconds; or 0. */
	unsigned	 missed, seconds;
	struct timespec	 time;		/* CLOCK_REALTIME */
	int		 pid;
};

/*
 * Each writes at most `size` bytes and returns how many it would need; the
 * record is whole if that is no more.  log_form_room is enough for any.
 */
size_t	log_form_text(char *to, size_t size, const struct log_record *,
	    bool colour);
size_t	log_form_json(char *to, size_t size, const struct log_record *);
size_t	log_form_journal(char *to, size_t size, const struct log_record *);
size_t	log_form_room(const struct log_record *);

#endif
