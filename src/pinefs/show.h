/* The lines of `pinefs stat` and `pinefs top` as tables for a person. */
#ifndef PINEFS_SHOW_H
#define PINEFS_SHOW_H

#include <stdbool.h>

enum { SHOW_KINDS = 4 };

struct show {
	bool	 screen;	/* a page of a terminal, again and again */
	char	*server;	/* the first line */
	/* Tables as they come: lines of JSON. */
	char	**rows[SHOW_KINDS];
	unsigned n[SHOW_KINDS];
	unsigned pages, most;	/* shown, and to be shown; 0: for ever */
};

/* An asking_fn; `ctx` is a struct show. */
int	show_line(void *ctx, const char *line);
void	show_fini(struct show *);

#endif
