/*
 * Names of users and groups that a client of NFS version 4 sends, as numbers:
 * what struct nfs asks as `owner`.
 */
#ifndef SERVER_OWNERS_H
#define SERVER_OWNERS_H

#include <stdbool.h>
#include <stdint.h>

struct owners;

/*
 * Names are those of the two files, which are borrowed paths and are opened
 * when a name is first asked for.  NULL: no memory.
 */
struct owners	*owners_new(const char *passwd, const char *group);
void		 owners_free(struct owners *);	/* NULL is nothing to do */

/*
 * The id of `name@domain`, whatever the domain is, or of a bare name; `arg`
 * is the struct owners.  EINVAL: there is no such user (or group).  From any
 * thread; waits for nothing but a local file, at most once a second.
 */
int		 owners_id(void *arg, const char *name, uint32_t len,
		    bool group, uint32_t *id);

#endif
