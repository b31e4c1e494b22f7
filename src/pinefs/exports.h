/*
 * What the command line says is to be served: -f TYPE[:NAME], again and
 * again.  --size and -o that come after a -f are its own; before the first
 * they are for all that have none of their own.
 */
#ifndef PINEFS_EXPORTS_H
#define PINEFS_EXPORTS_H

#include <pinefs.h>

#include "fs/tarfs.h"
#include "pinefs/exports_file.h"
#include "pinefs/rules.h"
#include "server/server.h"

enum { EXPORTS_MAX_ROOTS = 64 };

struct export {
	const char	*type;		/* "py", "mem", "tar" or "dir" */
	char		*path;		/* "/" or "/NAME" */
	const char	*size_text;	/* --size, or NULL */
	uint64_t	 size;		/* bytes; mem: never 0 once finished;
					   tar: what changes may take */
	const char	*dir;		/* what dir serves */
	struct rules	 rules;		/* -o */
};

struct exports {
	struct export	 x[SERVER_MAX_EXPORTS];
	unsigned	 n;
	struct export	 all;		/* what was said before the first */
	/* tar: which archives, and how they are shown. */
	const char	*root[EXPORTS_MAX_ROOTS];
	unsigned	 nroots;
	const char	*archive;	/* what -f tar itself is; NULL: none */
	struct tarfs_config tar_config;
	struct tarfs	*tar;		/* once it is made */
	const char	*file_name;	/* --exports, or NULL */
	struct exports_file *file;	/* once it was read */
};

/* Each: 0, or an exit status after one line that says what is wrong. */
int	exports_add(struct exports *, const char *spec);
int	exports_size(struct exports *, const char *text);
int	exports_cache_max(struct exports *, const char *text);
int	exports_option(struct exports *, const char *list);
int	exports_root(struct exports *, const char *dir);
/* A word that is no option: ARCHIVE for tar, and true, or none of ours. */
bool	exports_word(struct exports *, const char *word);
/* The command line is read: what was left out takes its default. */
int	exports_finish(struct exports *);
void	exports_fini(struct exports *);

/* The only one of this type, or NULL. */
const struct export *exports_py(const struct exports *);
const struct export *exports_tar(const struct exports *);
/*
 * Is there a directory whose callers would all be who serves it, though nobody
 * said so?  Then only that user, and root, may call.
 */
bool	exports_are_private(const struct exports *);
/* Is all that is served in a file that says for each client? */
bool	exports_say_who_may(const struct exports *);
/* This one is not to be served after all. */
void	exports_drop(struct exports *, const struct export *);

/*
 * Make and export them all, without py.  What cannot be made is said in a
 * line, dropped, and harms no other.  What is in the file is not among them.  `fs`: where they go, to be freed after
 * the server.  How many there are.
 */
unsigned exports_make(struct exports *, struct pinefs_server *,
	    struct pinefs *fs[SERVER_MAX_EXPORTS]);

/* "mem:a, mem:b (ro)"; to be freed; NULL without memory. */
char	*exports_text(const struct exports *);
/*
 * The name of such a server among the instances: "mem", or of all that it
 * serves.  As exports_text.
 */
char	*exports_instance(const struct exports *);

#endif
