/*
 * Which contents archives had, for as long as handles of them may come: a
 * file "archives" in the server's state directory, of lines that are
 * appended; the last of a name counts.
 *
 * An archive keeps its generation while its bytes are the same as far as was
 * marked: touched, copied back, or with more behind them.  Others in its
 * place are another one.
 */
#ifndef FS_TAR_KNOWN_H
#define FS_TAR_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "index_file.h"

/* The beginning of a file, by hashes of its first and last 64 KiB. */
struct tar_mark {
	uint64_t	len, head, tail;
};

/* errno. */
int	tar_mark_of(int fd, uint64_t len, struct tar_mark *);
/* Does that file begin so? */
bool	tar_mark_holds(int fd, uint64_t size, const struct tar_mark *);

struct tar_life {
	struct tar_key	key;		/* of the file seen last */
	struct tar_mark	mark;
	uint64_t	generation;	/* of these contents; 32 bits, never 0 */
	/* Change counters, in ns: that of what is no directory; where those of
	 * directories are, once the index is whole. */
	uint64_t	epoch, dirs;
	uint64_t	whole;		/* the size when it was; 0: never */
};

struct tar_known;

/* `dir` NULL: in memory only.  NULL: no memory. */
struct tar_known *tar_known_new(const char *dir);
void	tar_known_free(struct tar_known *);
/*
 * The name to serve a file by: the one it was served by, if that still names
 * it, else `path`.  To be freed; NULL: no memory.
 */
char	*tar_known_name(struct tar_known *, const struct stat *,
	    const char *path);
/* The life of the archive of that name, now that `fd` is it: as before, or
 * another one.  errno. */
int	tar_known_life(struct tar_known *, const char *name, int fd,
	    struct tar_life *);
/* Are these the bytes of that life?  Its key, and maybe its epoch, follow. */
bool	tar_life_goes_on(struct tar_life *, int fd, const struct tar_key *);
void	tar_life_begin(struct tar_life *, const struct tar_key *);
/* Its index is whole; false: it was, and nothing has changed. */
bool	tar_life_whole(struct tar_life *);
/* Keep it. */
void	tar_known_put(struct tar_known *, const char *name,
	    const struct tar_life *);

#endif
