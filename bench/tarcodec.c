/*
 * What compressed archives cost tarfs, without a server:
 *
 *	tarcodec [-d CACHE-DIR] FILE...
 *
 * prints for each file the CPU and wall seconds of the pass that its index
 * takes, of 1000 reads of 10 KB at random, and of one pass of reads; and how
 * many bytes were decoded for them.  Compare with the decoder's own program:
 *
 *	time igzip -dc FILE >/dev/null
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "fs/tar/packed.h"

enum { READS = 1000, READ = 10000, STEP = 64 << 10, CACHE = 256 << 20 };

struct clocks {
	double	cpu, wall;
};

static struct clocks
clocks(void)
{
	struct rusage r;
	struct timespec t;

	getrusage(RUSAGE_SELF, &r);
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (struct clocks){ (double)(r.ru_utime.tv_sec +
	    r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec +
	    r.ru_stime.tv_usec) / 1e6,
	    (double)t.tv_sec + (double)t.tv_nsec / 1e9 };
}

static void
print(struct tar_source *s, const char *what, const struct clocks *from)
{
	struct clocks now = clocks();
	struct tar_packed_counts n;

	tar_packed_counts(s, &n);
	printf("  %-24s %7.2f s CPU %7.2f s wall  decoded %6.1f MB + %6.1f "
	    "MB\n", what, now.cpu - from->cpu, now.wall - from->wall,
	    (double)n.decoded / 1e6, (double)n.again / 1e6);
	fflush(stdout);
}

static void
note(void *arg, const char *text)
{
	fprintf(stderr, "%s: %s\n", (const char *)arg, text);
}

static int
sink(void *arg, const void *base, size_t len)
{
	(void)base;
	*(size_t *)arg += len;
	return 0;
}

/* All of it, by reads of STEP.  0 or errno. */
static int
read_all(struct tar_source *s, uint64_t *size)
{
	static char to[STEP];
	size_t got;
	int err;

	*size = 0;
	do {
		err = tar_source_read(s, *size, to, sizeof to, &got);
		if (err != 0)
			return err;
		*size += got;
	} while (got == sizeof to);
	return 0;
}

static int
read_some(struct tar_source *s, uint64_t size)
{
	uint64_t x = 88172645463325252u;
	char to[READ];
	size_t got;
	int i, err = 0;

	for (i = 0; i < READS && err == 0; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		err = tar_source_read(s, x % size, to, sizeof to, &got);
	}
	return err;
}

static int
measure(struct tar_source *s, struct tar_blocks *blocks)
{
	struct clocks from = clocks();
	uint64_t size;
	size_t saved = 0;
	int err;

	if ((err = read_all(s, &size)) != 0 || size == 0)
		return err;
	/* What is still on its way to the store is part of it. */
	err = tar_source_save(s, sink, &saved);
	print(s, "the pass", &from);
	tar_blocks_drop(blocks, s);
	from = clocks();
	if ((err = read_some(s, size)) != 0)
		return err;
	print(s, "1000 reads of 10 KB", &from);
	tar_blocks_drop(blocks, s);
	from = clocks();
	if ((err = read_all(s, &size)) != 0)
		return err;
	print(s, "all of it again", &from);
	return 0;
}

static int
measure_file(char *path, const char *dir)
{
	static const atomic_bool stop;
	struct tar_blocks *blocks = tar_blocks_new(CACHE);
	const struct tar_codec *codec = NULL;
	struct tar_source *s;
	uint8_t head[TAR_SNIFF];
	int err, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd != -1 && pread(fd, head, sizeof head, 0) == sizeof head)
		codec = tar_codec_of(head, sizeof head);
	if (blocks == NULL || codec == NULL || codec->begin == NULL) {
		fprintf(stderr, "%s: no codec for it\n", path);
		return 1;
	}
	printf("%s: %s by %s\n", path, codec->name, codec->feature);
	s = tar_source_packed(fd, codec, &(struct tar_packed_config){
	    .blocks = blocks, .dir = dir, .stop = &stop, .note = note,
	    .arg = path });
	err = s == NULL ? ENOMEM : measure(s, blocks);
	if (err != 0)
		fprintf(stderr, "%s: %s\n", path, strerror(err));
	tar_source_free(s);
	tar_blocks_free(blocks);
	return err != 0;
}

int
main(int argc, char **argv)
{
	const char *dir = "/tmp";
	int c, bad = 0;

	while ((c = getopt(argc, argv, "d:")) != -1) {
		if (c != 'd')
			return 64;
		dir = optarg;
	}
	for (; optind < argc; optind++)
		bad |= measure_file(argv[optind], dir);
	return bad;
}
