/*
 * The members of an archive, one after the other: v7, ustar, pax, GNU, star
 * and Solaris; and zip (zip_scan.h), if that is what the source is.  Cost is
 * per member, not per byte: data are skipped.
 *
 * What an archive says is never believed before it was compared with what
 * there is: no memory is taken for a size that was only claimed.
 */
#ifndef FS_TAR_SCAN_H
#define FS_TAR_SCAN_H

#include <pinefs.h>

#include <stdatomic.h>

#include "source.h"
#include "sparse.h"

enum { TAR_BLOCK = 512 };

enum tar_type { TAR_REG, TAR_HARD, TAR_LNK, TAR_CHR, TAR_BLK, TAR_DIR,
    TAR_FIFO };

struct tar_xattr {
	struct pinefs_name	name, value;
};

/* All of it is borrowed until the next tar_scan_next. */
struct tar_member {
	uint64_t		 header;	/* where its own header is */
	uint64_t		 data;		/* where its stored bytes are */
	uint64_t		 stored;	/* how many */
	uint64_t		 size;		/* of the file, holes included */
	uint32_t		 sum;		/* a hash of the header */
	enum tar_type		 type;
	struct pinefs_name	 name, link;	/* as they stand there */
	uint32_t		 mode, uid, gid, major, minor;
	struct timespec		 mtime;
	bool			 sparse;	/* `map` counts, even if empty */
	const struct tar_sparse	*map;
	const struct tar_xattr	*xattr;
	uint32_t		 nxattrs;
};

/* What is worth a line to a person. */
enum tar_note {
	TAR_NOTE_CUT,		/* the archive ends inside something */
	TAR_NOTE_CHECKSUM,	/* no header where one must be: the end */
	TAR_NOTE_SIZE,		/* a size that cannot be: the end */
	TAR_NOTE_PAX,		/* broken records, or too many bytes of them */
	TAR_NOTE_LONG,		/* a long name too long, or of nobody */
	TAR_NOTE_SPARSE,	/* a map that cannot be: member refused */
	TAR_NOTE_TYPE,		/* unknown: taken as a regular file */
	TAR_NOTE_VOLUME,	/* a part of a member of another volume */
	TAR_NOTE_OLD_NAMES,	/* a list of them */
	TAR_NOTE_NUMBER,	/* a field that is no number: taken as 0 */
	TAR_NOTE_DIRECTORY,	/* zip: of it: something that is no entry */
	TAR_NOTE_PLACE,		/* zip: over another member, or outside */
	TAR_NOTE_ENCRYPTED,	/* zip */
	TAR_NOTE_METHOD,	/* zip: of compression, that is not known */
	TAR_NOTE_LENGTHS,	/* zip: sizes that cannot be */
	TAR_NOTE_BOMB,		/* zip: more than 1000 times its size */
	TAR_NOTE_TARGET,	/* zip: of a symbolic link, unreadable */
	TAR_NOTE_NAME,		/* the index: `..`, NUL, too long or deep */
	TAR_NOTE_LINK,		/* the index: a hard link to nothing good */
	TAR_NOTE_PARENT,	/* the index: below what is no directory */
	TAR_NOTE_REPLACE,	/* the index: would replace what it cannot */
	TAR_NOTES
};
/* As a sentence: "checksum of a header is wrong: the rest is not served". */
const char *tar_note_text(enum tar_note);

typedef void tar_note_fn(void *arg, enum tar_note, uint64_t offset,
	    const struct pinefs_name *name);

struct tar_scan;

/* The source is borrowed.  `ignore_zeros`: go on behind the end mark. */
struct tar_scan *tar_scan_new(struct tar_source *, bool ignore_zeros,
	    tar_note_fn *, void *arg);
/* Once *stop is set, nothing more is read: ECANCELED.  Borrowed. */
void	tar_scan_stop_at(struct tar_scan *, const atomic_bool *stop);
void	tar_scan_free(struct tar_scan *);
/* Of what headers begin at multiples: for the index. */
uint32_t tar_scan_unit(const struct tar_scan *);
/*
 * The next member.  ENOENT: there is none any more; ENOEXEC: not an archive
 * (nothing was found, and not even an end); EIO, ENOMEM.
 */
int	tar_scan_next(struct tar_scan *, struct tar_member *);
/*
 * After ENOENT: where the header of a member that is appended would lie.
 * False: the archive does not end well, or what is in effect there (a global
 * pax header) is not known from there on.
 */
bool	tar_scan_end(const struct tar_scan *, uint64_t *pos);
/* Begin there, before the first tar_scan_next. */
void	tar_scan_from(struct tar_scan *, uint64_t pos);

#endif
