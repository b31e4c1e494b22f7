/* Random bytes that nobody can guess. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/*
 * From the kernel.  Blocks at most until its pool is filled, early in boot;
 * aborts where the kernel has none: a guessable key would be worse.
 */
void		random_fill(void *to, size_t len);
uint64_t	random_u64(void);

#endif
