/* Files of the cache, read and written whole stretches at a time. */
#ifndef FS_TAR_WHOLE_H
#define FS_TAR_WHOLE_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* All of it; EIO where the file ends before. */
static inline int
tar_whole_read(int fd, uint64_t off, void *to, size_t len)
{
	char *p = to;
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n, off += (uint64_t)n) {
		n = pread(fd, p, len, (off_t)off);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n == -1 ? errno : EIO;
	}
	return 0;
}

static inline int
tar_whole_write(int fd, uint64_t off, const void *from, size_t len)
{
	const char *p = from;
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n, off += (uint64_t)n) {
		n = pwrite(fd, p, len, (off_t)off);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n == -1 ? errno : ENOSPC;
	}
	return 0;
}

#endif
