/*
 * A decoder under way in a file: streams behind each other are one.  For one
 * thread at a time.
 */
#ifndef FS_TAR_RUN_H
#define FS_TAR_RUN_H

#include <stdbool.h>

#include "codec.h"

struct tar_run {
	const struct tar_codec	*codec;
	const struct tar_units	*units;		/* NULL: one behind another */
	int			 fd;
	uint64_t		 fd_off;	/* what the input ends at */
	uint8_t			*input;
	size_t			 at, have;
	void			*decoder;
	uint64_t		 out;		/* decoded before */
	bool			 between;	/* two streams */
	bool			 fresh;		/* nothing yet of this one */
	bool			 ended;
	const char		*why;		/* before its time; or NULL */
	int			 input_err;	/* of the file */
};

/* At its beginning.  ENOMEM. */
int	tar_run_init(struct tar_run *, int fd, const struct tar_codec *,
	    const struct tar_units *);
void	tar_run_fini(struct tar_run *);
/* Ended: what is of no use then is freed, and the rest stands. */
void	tar_run_rest(struct tar_run *);
/*
 * At another place, from which `in` of the file gives `out`; a stream begins
 * there, or the decoder is in that state.  ENOMEM, EBADMSG.
 */
int	tar_run_at(struct tar_run *, uint64_t out, uint64_t in,
	    const void *state, size_t len);
/* Go on by a step, of at most `room` bytes, to `to`; *got of them came.
 * Nothing after `ended`. */
void	tar_run_step(struct tar_run *, uint8_t *to, size_t room, size_t *got);
/* In the file, of what comes next. */
uint64_t tar_run_in(const struct tar_run *);

#endif
