/* Archives made in memory, block by block, for the tests of tarfs. */
#ifndef TESTS_UNIT_TAR_RIG_H
#define TESTS_UNIT_TAR_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fs/tar/header.h"
#include "fs/tar/index.h"
#include "fs/tar/scan.h"

struct made {
	char	base[1 << 18];
	size_t	len;
};

static inline void
rig_sum(struct tar_header *h)
{
	unsigned sum = 0;

	memset(h->chksum, ' ', sizeof h->chksum);
	for (size_t i = 0; i < sizeof *h; i++)
		sum += ((uint8_t *)h)[i];
	snprintf(h->chksum, sizeof h->chksum, "%06o", sum);
}

static inline struct tar_header
rig_header(const char *name, char type, size_t size)
{
	struct tar_header h = { .typeflag = type };

	memcpy(h.name, name, strnlen(name, sizeof h.name));
	memcpy(h.mode, "0000644", 8);
	memcpy(h.uid, "0001750", 8);
	memcpy(h.gid, "0000062", 8);
	snprintf(h.size, sizeof h.size, "%011o", (unsigned)size);
	memcpy(h.mtime, "00000000144", 12);
	memcpy(h.magic, "ustar", 6);
	memcpy(h.version, "00", 2);
	return h;
}

static inline void
rig_bytes(struct made *m, const void *data, size_t len)
{
	CHECK(m->len + len + 1024 <= sizeof m->base);
	memcpy(m->base + m->len, data, len);
	m->len += (len + 511) / 512 * 512;
}

static inline void
rig_put(struct made *m, struct tar_header h, const void *data, size_t len)
{
	rig_sum(&h);
	rig_bytes(m, &h, sizeof h);
	rig_bytes(m, data, len);
}

/* A member of the usual kind. */
static inline void
rig_add(struct made *m, const char *name, char type, const char *data)
{
	rig_put(m, rig_header(name, type, strlen(data)), data, strlen(data));
}

static inline void
rig_link(struct made *m, const char *name, char type, const char *target)
{
	struct tar_header h = rig_header(name, type, 0);

	memcpy(h.linkname, target, strnlen(target, sizeof h.linkname));
	rig_put(m, h, "", 0);
}

/* A pax header of these records, given as "key=value" up to NULL. */
static inline void
rig_pax(struct made *m, char type, const char *const *records)
{
	char text[8192];
	size_t n = 0, len;

	for (; *records != NULL; records++) {
		len = strlen(*records) + 3;
		while (len != strlen(*records) + 2 +
		    (size_t)snprintf(NULL, 0, "%zu", len))
			len++;
		n += (size_t)snprintf(text + n, sizeof text - n, "%zu %s\n",
		    len, *records);
	}
	rig_put(m, rig_header("pax", type, n), text, n);
}
#define RIG_PAX(m, type, ...) \
	rig_pax(m, type, (const char *const[]){ __VA_ARGS__, NULL })

static inline void
rig_end(struct made *m)
{
	rig_bytes(m, (char[1024]){ 0 }, 1024);
}

static inline bool
rig_is(struct pinefs_name name, const char *text)
{
	return name.len == strlen(text) &&
	    memcmp(name.base, text, name.len) == 0;
}

/* Counts what was noted, by kind. */
static inline void
rig_note(void *arg, enum tar_note note, uint64_t off,
    const struct pinefs_name *name)
{
	(void)off, (void)name;
	((unsigned *)arg)[note]++;
}

#endif
