/*
 * The tables that a process left for the next one, changed in whatever way:
 * reading then gives what it should, or fails.  The input is places in them,
 * and what is added there.
 */
#include "tar_seek.h"

enum { PLAIN = TAR_BLOCK_SIZE * 7 / 3 / 2 * 2, PACKED = PLAIN * 2,
    SPAN = TAR_BLOCK_SIZE / 3, PART = TAR_BLOCK_SIZE / 14,
    ON = TAR_BLOCK_SIZE / 2 - 99 };

static struct {
	struct tar_packed_config config;
	uint8_t		 plain[PLAIN], packed[PACKED];
	size_t		 len;
	struct seek_saved saved;
	char		 store[64];
} rig;

static const atomic_bool stop;

static void
fill(void)
{
	uint64_t x = 88172645463325252u;

	for (size_t i = 0; i < PLAIN; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		rig.plain[i] = (uint8_t)("pinefs\n"[i % 7] ^ (x % 50 == 0));
	}
}

/* Members of gzip that pack nothing (RFC 1951 section 3.2.4), for they need no
 * packer. */
static size_t
store_member(uint8_t *to, const uint8_t *from, size_t len)
{
	static const uint8_t head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
	uint32_t crc = UINT32_MAX;
	size_t n = sizeof head, i;
	unsigned bit, part;

	memcpy(to, head, n);
	for (i = 0; i < len; i += part) {
		part = len - i < 20000 ? (unsigned)(len - i) : 20000;
		to[n++] = i + part == len;
		to[n++] = (uint8_t)part;
		to[n++] = (uint8_t)(part >> 8);
		to[n++] = (uint8_t)~part;
		to[n++] = (uint8_t)(~part >> 8);
		memcpy(to + n, from + i, part);
		n += part;
	}
	for (i = 0; i < len; i++)
		for (crc ^= from[i], bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	crc = ~crc;
	for (i = 0; i < 4; i++)
		to[n++] = (uint8_t)(crc >> 8 * i);
	for (i = 0; i < 4; i++)
		to[n++] = (uint8_t)(len >> 8 * i);
	return n;
}

static void
forget(void)
{
	unlink(rig.store);
}

static void
set_up(void)
{
	static uint8_t to[SEEK_MOST + SEEK_STEP];
	struct tar_source *s;

	fill();
	rig.len = store_member(rig.packed, rig.plain, PLAIN / 2);
	rig.len += store_member(rig.packed + rig.len, rig.plain + PLAIN / 2,
	    PLAIN / 2);
	snprintf(rig.store, sizeof rig.store, "/dev/shm/pinefs-saved-%d",
	    (int)getpid());
	rig.config = (struct tar_packed_config){ .stop = &stop,
	    .note = seek_quiet, .small = 1, .span = SPAN,
	    .dir = "/dev/shm", .store = rig.store,
	    .blocks = tar_blocks_new(TAR_BLOCK_SIZE) };
	s = tar_source_packed(seek_file(rig.packed, rig.len),
	    &tar_codec_gzip, &rig.config);
	assert(s != NULL && seek_read_all(s, to) == PLAIN);
	assert(memcmp(to, rig.plain, PLAIN) == 0);
	assert(tar_source_save(s, seek_sink, &rig.saved) == 0);
	tar_source_free(s);
	atexit(forget);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seek_saved bad;
	static uint8_t part[PART];
	struct tar_packed_config config;
	struct tar_source *s;
	size_t at, got;

	if (tar_codec_gzip.begin == NULL)
		return 0;
	if (rig.len == 0)
		set_up();
	bad = rig.saved;
	for (; size >= 3; data += 3, size -= 3)
		((uint8_t *)bad.base)[(data[0] << 8 | data[1]) % bad.len] +=
		    data[2];
	config = rig.config;
	config.saved = bad.base;
	config.saved_len = bad.len - (size == 1 ? data[0] % bad.len : 0);
	s = tar_source_packed(seek_file(rig.packed, rig.len),
	    &tar_codec_gzip, &config);
	assert(s != NULL);
	for (at = 0; at < PLAIN; at += ON)
		if (tar_source_read(s, at, part, sizeof part, &got) != 0)
			break;
	tar_source_free(s);
	return 0;
}
