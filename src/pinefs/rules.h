/*
 * What -o, or a file of exports, says of an export, in the words of exports(5):
 *
 *	ro rw			nothing, or everything, may be changed
 *	sync async		dir: a change of a name is on the disk before
 *				its answer, or after
 *	root_squash no_root_squash all_squash
 *	anonuid=N anongid=N	who they are that are squashed
 */
#ifndef PINEFS_RULES_H
#define PINEFS_RULES_H

#include <pinefs.h>

struct rules {
	bool		 has_ro, ro, has_async, async;
	const char	*squash;		/* a word of pinefs_set, or NULL */
	bool		 has_uid, has_gid;
	uint32_t	 uid, gid;
};

/* One of them; false: it is none. */
bool	rules_word(struct rules *, const char *word);
/* More of them; 0, or an exit status after one line. */
int	rules_add(struct rules *, const char *list);
/* What they leave open is as these say. */
void	rules_inherit(struct rules *, const struct rules *);
/* To an export that there is.  0 or an errno. */
int	rules_apply(const struct rules *, struct pinefs_server *,
	    const char *path);

#endif
