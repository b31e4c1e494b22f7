/* The making of an archive's index, by a thread. */
#ifndef FS_TAR_BUILD_H
#define FS_TAR_BUILD_H

#include "archive.h"

enum tar_task {
	TAR_MAKE,	/* the index that is served, which is empty */
	TAR_REMAKE,	/* another one, aside, that then takes its place */
	TAR_GO_ON,	/* the same, from where the one served ended */
	TAR_CHECK	/* that in the file; and TAR_REMAKE if it is damaged */
};

/* With the lock for writing, and a source; nothing is being built.  errno. */
int	tar_build_start(struct tar_archive *, enum tar_task);
/* Wait for a thread that has ended, or will when `stop` is set; without the
 * lock if it may be building. */
void	tar_build_join(struct tar_archive *);

/* What a client may not choose: text for a log, to be freed. */
char	*tar_shown(const char *path);

#endif
