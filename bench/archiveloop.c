/*
 * archiveloop FILE: libarchive's loop over the headers of an archive and
 * nothing else, which is what an index of it can be compared with.  Prints
 * how many there were.  The library is opened here, so that it need not be
 * installed to build this; status 69: it is not.
 */
#include <dlfcn.h>
#include <stdio.h>

enum { PIECE = 64 << 10, MISSING = 69 };

struct archive;
struct archive_entry;

static struct {
	struct archive	*(*open)(void);
	int		(*filters)(struct archive *);
	int		(*formats)(struct archive *);
	int		(*file)(struct archive *, const char *, size_t);
	int		(*next)(struct archive *, struct archive_entry **);
} lib;

static int
find(void *from, const char *name, void *to)
{
	void *at = dlsym(from, name);

	*(void **)to = at;
	return at == NULL;
}

int
main(int argc, char **argv)
{
	void *so = dlopen("libarchive.so.13", RTLD_NOW);
	struct archive_entry *entry;
	struct archive *a;
	unsigned long n = 0;

	if (so == NULL || find(so, "archive_read_new", &lib.open) ||
	    find(so, "archive_read_support_filter_all", &lib.filters) ||
	    find(so, "archive_read_support_format_all", &lib.formats) ||
	    find(so, "archive_read_open_filename", &lib.file) ||
	    find(so, "archive_read_next_header", &lib.next)) {
		fprintf(stderr, "archiveloop: %s\n", dlerror());
		return MISSING;
	}
	if (argc != 2)
		return 64;
	a = lib.open();
	lib.filters(a);
	lib.formats(a);
	if (lib.file(a, argv[1], PIECE) != 0) {
		fprintf(stderr, "archiveloop: %s: not an archive\n", argv[1]);
		return 1;
	}
	while (lib.next(a, &entry) == 0)
		n++;
	printf("%lu\n", n);
	return 0;
}
