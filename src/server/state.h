/*
 * What outlives a server: the key of its handles and the ids of its exports,
 * in one directory per instance, locked while it is in use.
 *
 *	key		16 bytes, mode 0600
 *	key.before	optional: handles made with it still work
 *	exports		lines "ID NAME", appended: an export keeps its id for
 *			ever; a name with a newline is not recorded
 *	archives	tarfs's (src/fs/tar/known.h)
 *
 * A directory that cannot be used is a warning and a key that ends with the
 * process, never a refusal to serve.
 */
#ifndef SERVER_STATE_H
#define SERVER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fds.h"
#include "nfs/fh.h"

struct state {
	int		 dir;		/* -1: nothing is kept */
	int		 lock;
	struct fds	 fds;		/* both */
	char		*path;
	struct nfs_keys	 keys;
};

/*
 * `dir`: the directory itself; "none": nothing is kept; or NULL: `instance` below the user's state
 * directory ($STATE_DIRECTORY, $XDG_STATE_HOME/pinefs, ~/.local/state/pinefs;
 * root: /var/lib/pinefs).
 */
void	 state_open(struct state *, const char *dir, const char *instance);
void	 state_close(struct state *);
/* Where that would be, to be freed; NULL: nowhere. */
char	*state_default_path(const char *instance);
/*
 * The id of an export: a hash of its name, or what was recorded last.  A
 * collision takes the next free id and keeps it.  `taken` of n ids are in
 * use by the other exports, maybe one that had this name before.
 */
uint32_t state_export_id(struct state *, const char *name,
	    const uint32_t *taken, unsigned n);

/* The name that was given with a recorded id, to be freed; or NULL. */
char	*state_export_name(const struct state *, uint32_t id);

/* A whole file of it, NUL-terminated, to be freed; NULL with errno; ENOENT:
 * there is none. */
char	*state_read(const struct state *, const char *name, size_t max,
	    size_t *len);
/* Written whole, or not at all; 0 where nothing is kept. */
int	 state_write(const struct state *, const char *name,
	    const void *data, size_t len);

#endif
