/*
 * Identity.  The threads that run operations take, one call after the other,
 * the identity of who asks: by raw system calls, since those of libc change
 * the whole process.  The kernel then checks what they do.
 */
#ifndef FS_DIR_WHO_H
#define FS_DIR_WHO_H

#include <pinefs.h>

/* Once in each thread: what is the process's own stays as it is. */
void	dir_who_begin(void);
/*
 * The thread acts as this caller from now on, if the process is root's; else
 * nothing happens.  EPERM: the kernel does not let it (an id that is none in
 * this user namespace); nothing may be done then.
 */
int	dir_who_become(const struct pinefs_cred *);
/* The thread acts as the server itself. */
void	dir_who_server(void);
/* Does acting as somebody else take root's rights away? */
bool	dir_who_is_safe(void);
/* Is identity real here, so that callers are who they are? */
bool	dir_who_is_real(void);

#endif
