/*
 * What the commands share that ask a running server: `pinefs stat`, top and
 * trace.
 */
#ifndef PINEFS_ASKING_H
#define PINEFS_ASKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one of them: an ID that names a server, and --json. */
struct asking {
	const char	*id;		/* NULL: the only one */
	bool		 json;
};

/* The operand, of which there is at most one; as asking_run. */
int	asking_id(struct asking *, int argc, char **argv, int first);

/* One line of the answer, without its newline; 0: go on; an exit status. */
enum { ASKING_ENOUGH = -1 };
typedef int asking_fn(void *ctx, const char *line);
/*
 * Ask the server, and give each line to `fn`, until fn does not return 0.  0,
 * if that was ASKING_ENOUGH, or an exit status, after a line that says what is
 * wrong: as when the server ends before.
 */
int	asking_run(const char *id, const char *request, asking_fn *fn,
	    void *ctx);
/* An asking_fn: the line as it is, on stdout. */
int	asking_print(void *ctx, const char *line);

/* A member of a line: a number; a text, escaped for a terminal. */
uint64_t asking_uint(const char *line, const char *key);
double	asking_real(const char *line, const char *key);
const char *asking_text(const char *line, const char *key, char *to,
	    size_t size);
bool	asking_has(const char *line, const char *key);
/* Is it of this "type"? */
bool	asking_is(const char *line, const char *type);

#endif
