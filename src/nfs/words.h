/* Small words that versions 2 and 3 share.  Internal to src/nfs. */
#ifndef NFS_WORDS_H
#define NFS_WORDS_H

#include <stdint.h>
#include <time.h>

/* Times of the wire reach from 1970 to 2106; what lies beyond stays there. */
static inline void
nfs_clamp_time(struct timespec ts, uint32_t *seconds, uint32_t *nseconds)
{
	if (ts.tv_sec < 0) {
		*seconds = 0;
		*nseconds = 0;
	} else if (ts.tv_sec > (time_t)UINT32_MAX) {
		*seconds = UINT32_MAX;
		*nseconds = 999999999;
	} else {
		*seconds = (uint32_t)ts.tv_sec;
		*nseconds = (uint32_t)ts.tv_nsec;
	}
}

static inline uint32_t
nfs_clamp_u32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

#endif
