/*
 * What a zip says of itself at its end: the end record, which tells where the
 * central directory is, and that one's entries (PKWARE's APPNOTE.TXT 4.3.12
 * to 4.3.16, and Info-ZIP's extra fields).
 *
 * The directory is what counts; local headers only say where data begin.
 */
#ifndef FS_TAR_ZIP_DIR_H
#define FS_TAR_ZIP_DIR_H

#include "scan.h"
#include "source.h"

enum { ZIP_LOCAL_SIZE = 30, ZIP_ENTRY_SIZE = 46 };

enum { ZIP_STORED = 0, ZIP_DEFLATED = 8, ZIP_BZIP2 = 12, ZIP_LZMA = 14,
    ZIP_ZSTD = 93, ZIP_XZ = 95 };

enum { ZIP_FLAG_ENCRYPTED = 1, ZIP_FLAG_LZMA_EOS = 2, ZIP_FLAG_STRONG = 64,
    ZIP_FLAG_UTF8 = 2048, ZIP_FLAG_MASKED = 8192 };

static inline uint16_t
zip_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t
zip_u32(const uint8_t *p)
{
	return zip_u16(p) | (uint32_t)zip_u16(p + 2) << 16;
}

static inline uint64_t
zip_u64(const uint8_t *p)
{
	return zip_u32(p) | (uint64_t)zip_u32(p + 4) << 32;
}

/* CRC-32 as zip has it, going on from that of what came before (0). */
uint32_t zip_crc(uint32_t crc, const void *base, size_t len);

struct zip_end {
	uint64_t	base;		/* of all offsets: what stands before */
	uint64_t	directory;	/* its first byte */
	uint64_t	limit;		/* no entry reaches beyond */
};

/* Does it begin as zips do? */
bool	zip_begins(const uint8_t *base, size_t len);
/*
 * 0; ENOEXEC: no zip that can be served, *why says it (NULL: there is no sign
 * of one at all); EIO, ENOMEM.
 */
int	zip_end_find(struct tar_source *, struct zip_end *, const char **why);

/* A stretch of a file, read ahead where it is used in order. */
struct zip_window {
	struct tar_source	*file;
	uint64_t		 off;
	size_t			 have, cap;
	uint8_t			*base;
	char			*text;	/* a name that was converted */
};

void	zip_window_init(struct zip_window *, struct tar_source *);
void	zip_window_fini(struct zip_window *);
/*
 * These bytes; borrowed until the next call.  EBADMSG: so many are not there;
 * EIO, ENOMEM.
 */
int	zip_window_get(struct zip_window *, uint64_t off, size_t len,
	    const uint8_t **to);

/* An entry.  Its name is borrowed from the window. */
struct zip_entry {
	uint32_t		 len;		/* of the entry itself */
	uint64_t		 header;	/* the local one, as it stands
						   there: add the base */
	uint64_t		 packed, size;
	uint32_t		 crc, disk;
	uint16_t		 method, flags;
	uint32_t		 sum;		/* a hash of the entry */
	struct pinefs_name	 name;		/* with / between components */
	enum tar_type		 type;
	bool			 odd;		/* a type that zips cannot have */
	uint32_t		 mode;
	bool			 has_ids;
	uint32_t		 uid, gid;
	struct timespec		 mtime;
};

/* EBADMSG: there is no entry; EIO, ENOMEM. */
int	zip_entry_get(struct zip_window *, uint64_t at, uint64_t limit,
	    struct zip_entry *);

#endif
