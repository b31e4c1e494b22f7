/*
 * -f py: become the user's own python3, which imports the module `pinefs` and
 * serves itself (docs: PYFS, starting).
 */
#ifndef PINEFS_PY_H
#define PINEFS_PY_H

#include <stdbool.h>

#include "pinefs/exports.h"
#include "server/cli.h"

struct py_command {
	const struct cli_settings *settings;
	const struct exports	*exports;	/* py is one of them */
	const char		*module;	/* -m MOD, or NULL */
	bool			 quiet;
	bool			 no_loop;	/* no prompt: until a signal */
	int			 ready_fd;	/* -1: none */
	char			**args;		/* script and its arguments,
						   or the module's; NULL ends */
};

/* Does not return unless it fails, which was said: the exit status. */
int	py_main(const struct py_command *);

/* What there is for it, without a word; its strings are to be freed. */
struct py_found {
	char	*python;	/* NULL: there is none */
	bool	 given;		/* by $PINEFS_PYTHON */
	bool	 works;		/* it runs, and is new enough */
	char	*package;	/* directory of the module; NULL: none */
	bool	 loads;		/* the module does */
};
bool	py_look(struct py_found *);

#endif
