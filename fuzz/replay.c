/*
 * Runs a fuzz target over files, once each, without libFuzzer: this is how
 * `make test` replays the corpora with any compiler, and how a crash is looked
 * at in a debugger.
 *
 *	fuzz_record-replay fuzz/corpus/record some-crash ...
 *
 * Each input is copied into an allocation of exactly its length, so that
 * AddressSanitizer sees the first byte read beyond it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int LLVMFuzzerInitialize(int *, char ***) __attribute__((weak));

static unsigned long replayed;
static int failed;

static void
complain(const char *path)
{
	fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
	failed = 1;
}

static void
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t len = 0;
	struct stat st;

	if (f == NULL || fstat(fileno(f), &st) == -1) {
		complain(path);
		goto out;
	}
	if ((data = malloc((size_t)st.st_size)) == NULL && st.st_size != 0) {
		complain(path);
		goto out;
	}
	len = fread(data, 1, (size_t)st.st_size, f);
	LLVMFuzzerTestOneInput(data, len);
	replayed++;
out:
	free(data);
	if (f != NULL)
		fclose(f);
}

static void
replay(const char *path)
{
	char sub[4096];
	struct dirent *d;
	struct stat st;
	DIR *dir;

	if (stat(path, &st) == -1) {
		complain(path);
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path);
		return;
	}
	if ((dir = opendir(path)) == NULL) {
		complain(path);
		return;
	}
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(sub, sizeof sub, "%s/%s", path, d->d_name);
		replay(sub);
	}
	closedir(dir);
}

int
main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize != NULL)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%lu inputs replayed\n", replayed);
	return failed;
}
