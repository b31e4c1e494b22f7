/*
 * --exports FILE: directories of this host, each for the clients that the
 * file says.  It is read at the start, and again whenever somebody asks.
 */
#ifndef PINEFS_EXPORTS_FILE_H
#define PINEFS_EXPORTS_FILE_H

#include <pinefs.h>

struct exports_file;

/*
 * Read it: mistakes are said, a line each, and it is as if there were nothing
 * in it.  0, or an exit status.  `name` is borrowed.
 */
int	exports_file_open(struct exports_file **, const char *name);
/*
 * Serve what was read: 0, or an exit status if it is nothing at all.  A
 * directory that cannot be served is said, and harms no other.
 */
int	exports_file_serve(struct exports_file *, struct pinefs_server *);
/*
 * Once it serves: read it anew.  Rules hold from the next call on, and no
 * client is dropped.  A file with mistakes changes nothing.
 */
void	exports_file_reread(struct exports_file *);
/* A path that a client may mount; borrowed. */
const char *exports_file_path(const struct exports_file *);
/* After the server was freed. */
void	exports_file_close(struct exports_file *);
/* Instead, while a call may still be in a directory: they stay. */
void	exports_file_abandon(struct exports_file *);

#endif
