/* What -f says.  See exports.h. */
#include "pinefs/exports.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "fs/dirfs.h"
#include "fs/memfs.h"
#include "server/cli.h"

enum { INSTANCE_MAX = 100 };

static bool
is_dir(const struct export *x)
{
	return x->type != NULL && strcmp(x->type, "dir") == 0;
}

/* ----------------------------------------------------------------- names -- */

/*
 * Whatever stands in a mount line needs no quotes there, nor in fstab(5).  A
 * slash is not among it: no export lies below another but "/".
 */
static bool
is_name(const char *name)
{
	const char *p;

	if (strlen(name) > SERVER_MAX_NAME || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return false;
	for (p = name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && (*p & 0x80) == 0 &&
		    strchr("._-+@%=,", *p) == NULL)
			return false;
	return p > name;
}

static const struct export *
find(const struct exports *xs, const char *path)
{
	unsigned i;

	for (i = 0; i < xs->n; i++)
		if (strcmp(xs->x[i].path, path) == 0)
			return &xs->x[i];
	return NULL;
}

/* The type of "TYPE[:NAME]", and its NAME, or "". */
static const char *
type_of(const char *spec, const char **name)
{
	static const char *const types[] = { "py", "mem", "tar", "dir" };
	size_t len = strcspn(spec, ":"), i;

	for (i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (strlen(types[i]) == len &&
		    memcmp(types[i], spec, len) == 0) {
			*name = spec[len] == ':' ? spec + len + 1 : "";
			return types[i];
		}
	}
	return NULL;
}

int
exports_add(struct exports *xs, const char *spec)
{
	struct export *x = &xs->x[xs->n];
	const char *name;

	if (xs->n == SERVER_MAX_EXPORTS) {
		log_error("-f %s: there can be %d exports, not more", spec,
		    SERVER_MAX_EXPORTS);
		return EXIT_USAGE;
	}
	*x = (struct export){ .type = type_of(spec, &name) };
	if (x->type == NULL) {
		log_error("-f %s: not a file system of ours; py, mem, tar or "
		    "dir",
		    spec);
		return EXIT_USAGE;
	}
	if (spec[strlen(x->type)] == ':' && !is_name(name)) {
		log_error("-f %s: a name is 1 to %d letters, digits and "
		    "._-+@%%=, as in mem:scratch", spec, SERVER_MAX_NAME);
		return EXIT_USAGE;
	}
	if (strcmp(x->type, "py") == 0 && exports_py(xs) != NULL) {
		log_error("-f %s: one py is served, the Python that runs; "
		    "start another pinefs for another", spec);
		return EXIT_USAGE;
	}
	if (strcmp(x->type, "tar") == 0 && exports_tar(xs) != NULL) {
		log_error("-f %s: one tar serves any number of archives; see "
		    "--root", spec);
		return EXIT_USAGE;
	}
	if (asprintf(&x->path, "/%s", name) == -1)
		return EXIT_OSERR;
	if (find(xs, x->path) != NULL) {
		free(x->path);
		log_error("-f %s: something is served at /%s already; try "
		    "-f %s:NAME", spec, name, x->type);
		return EXIT_USAGE;
	}
	xs->n++;
	return 0;
}

/* --------------------------------------------------------------- options -- */

static struct export *
last(struct exports *xs)
{
	return xs->n == 0 ? &xs->all : &xs->x[xs->n - 1];
}

/* "4G" in bytes; 0 when it is none. */
static uint64_t
bytes(const char *text)
{
	static const char units[] = "KMGT";
	const char *unit;
	unsigned long long n;
	char *end;
	unsigned shift = 0;

	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9')
		return 0;
	if (*end != '\0') {
		unit = strchr(units, *end);
		if (unit == NULL || end[1] != '\0')
			return 0;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	return n > UINT64_MAX >> shift ? 0 : (uint64_t)n << shift;
}

int
exports_size(struct exports *xs, const char *text)
{
	struct export *x = last(xs);

	x->size_text = text;
	x->size = bytes(text);
	if (x->size != 0)
		return 0;
	log_error("--size %s: not a number of bytes like 512M", text);
	return EXIT_USAGE;
}

int
exports_option(struct exports *xs, const char *list)
{
	return rules_add(&last(xs)->rules, list);
}

int
exports_cache_max(struct exports *xs, const char *text)
{
	xs->tar_config.cache_max = bytes(text);
	if (xs->tar_config.cache_max != 0)
		return 0;
	log_error("--cache-max %s: not a number of bytes like 8G", text);
	return EXIT_USAGE;
}

int
exports_root(struct exports *xs, const char *dir)
{
	if (xs->nroots == EXPORTS_MAX_ROOTS) {
		log_error("--root %s: at most %d of them", dir,
		    EXPORTS_MAX_ROOTS);
		return EXIT_USAGE;
	}
	xs->root[xs->nroots++] = dir;
	return 0;
}

bool
exports_word(struct exports *xs, const char *word)
{
	struct export *x = last(xs);

	if (is_dir(x) && x->dir == NULL) {
		x->dir = word;
		return true;
	}
	if (exports_tar(xs) == NULL || xs->archive != NULL)
		return false;
	xs->archive = word;
	return true;
}

/* What memory file systems without a --size have together. */
static uint64_t
half_of_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages <= 0 || size <= 0 ? (uint64_t)1 << 30 :
	    (uint64_t)pages * (uint64_t)size / 2;
}

static bool
is_memory(const struct export *x)
{
	return strcmp(x->type, "mem") == 0;
}

static const struct export *
of_type(const struct exports *xs, const char *type)
{
	unsigned i;

	for (i = 0; i < xs->n; i++)
		if (strcmp(xs->x[i].type, type) == 0)
			return &xs->x[i];
	return NULL;
}

static int
read_exports(struct exports *xs)
{
	if (exports_py(xs) != NULL || exports_tar(xs) != NULL) {
		log_error("--exports %s: not beside -f %s; start another "
		    "pinefs for it", xs->file_name, exports_py(xs) != NULL ?
		    "py" : "tar");
		return EXIT_USAGE;
	}
	return exports_file_open(&xs->file, xs->file_name);
}

int
exports_finish(struct exports *xs)
{
	const struct export *py;
	unsigned i, without = 0;
	int status;

	if (xs->n == 0 && xs->file_name == NULL &&
	    (status = exports_add(xs, "py")) != 0)
		return status;
	py = exports_py(xs);
	if (xs->file_name != NULL && (status = read_exports(xs)) != 0)
		return status;
	if (py != NULL && exports_tar(xs) != NULL) {
		log_error("-f tar: not beside -f py; start another pinefs "
		    "for it");
		return EXIT_USAGE;
	}
	if (py != NULL && of_type(xs, "dir") != NULL) {
		log_error("-f dir: not beside -f py; start another pinefs "
		    "for it");
		return EXIT_USAGE;
	}
	if (py != NULL && (py->size_text != NULL ||
	    (xs->n == 1 && xs->all.size_text != NULL))) {
		log_error("--size: -f py has no size; it is for -f mem and "
		    "-f tar");
		return EXIT_USAGE;
	}
	for (i = 0; i < xs->n; i++) {
		if (is_dir(&xs->x[i]) && xs->x[i].dir == NULL) {
			log_error("-f dir: which directory? As in -f dir "
			    "/srv/files");
			return EXIT_USAGE;
		}
		rules_inherit(&xs->x[i].rules, &xs->all.rules);
		if (xs->x[i].size == 0)
			xs->x[i].size = xs->all.size;
		if (xs->x[i].size == 0 && is_memory(&xs->x[i]))
			without++;
	}
	for (i = 0; i < xs->n; i++)
		if (xs->x[i].size == 0 && is_memory(&xs->x[i]))
			xs->x[i].size = half_of_memory() / without;
	return 0;
}

/* --------------------------------------------------------------- exports -- */

const struct export *
exports_py(const struct exports *xs)
{
	return of_type(xs, "py");
}

const struct export *
exports_tar(const struct exports *xs)
{
	return of_type(xs, "tar");
}

bool
exports_are_private(const struct exports *xs)
{
	unsigned i;

	if (xs->file_name != NULL && geteuid() != 0)
		return true;
	for (i = 0; i < xs->n && geteuid() != 0; i++)
		if (is_dir(&xs->x[i]) && xs->x[i].rules.squash == NULL)
			return true;
	return false;
}

bool
exports_say_who_may(const struct exports *xs)
{
	return xs->file_name != NULL && xs->n == 0;
}

void
exports_drop(struct exports *xs, const struct export *x)
{
	unsigned i = (unsigned)(x - xs->x);

	free(xs->x[i].path);
	xs->n--;
	memmove(&xs->x[i], &xs->x[i + 1], (xs->n - i) * sizeof xs->x[0]);
}

void
exports_fini(struct exports *xs)
{
	while (xs->n > 0)
		exports_drop(xs, &xs->x[xs->n - 1]);
	tarfs_free(xs->tar);
	xs->tar = NULL;
	exports_file_close(xs->file);
	xs->file = NULL;
}

/* --------------------------------------------------------------- archives -- */

/* Archives below these directories, by whatever path a client mounts. */
static int
make_tar(struct exports *xs, const struct export *x,
    struct pinefs_server *server)
{
	unsigned i;
	int err;

	xs->tar_config.state_dir = pinefs_state_dir(server);
	xs->tar_config.readonly = x->rules.ro;
	xs->tar_config.overlay_size = x->size;
	if ((xs->tar = tarfs_new(&xs->tar_config)) == NULL)
		return errno;
	if (xs->nroots == 0)
		xs->root[xs->nroots++] = ".";
	for (i = 0; i < xs->nroots; i++) {
		if ((err = tarfs_add_root(xs->tar, xs->root[i])) != 0) {
			log_error("--root %s: %s", xs->root[i],
			    strerror(err));
			return err;
		}
	}
	return 0;
}

static int
export_it(const struct export *x, struct pinefs_server *server,
    struct pinefs *fs)
{
	int err = pinefs_export(server, x->path, fs);

	return err != 0 ? err : rules_apply(&x->rules, server, x->path);
}

static int
make_memory(const struct export *x, struct pinefs_server *server,
    struct pinefs **fs)
{
	int err;

	errno = 0;
	if ((*fs = memfs_new(x->size, 0)) == NULL)
		return errno == 0 ? ENOMEM : errno;
	err = export_it(x, server, *fs);
	if (err != 0) {
		pinefs_free(*fs);
		*fs = NULL;
	}
	return err;
}

/* Who is not root can act as nobody else: so everybody is who serves. */
static int
make_dir(const struct export *x, struct pinefs_server *server,
    struct pinefs **fs)
{
	struct dirfs_config config = { .dir = x->dir,
	    .async = x->rules.async,
	    .state_dir = pinefs_state_dir(server) };
	const struct rules as_me = { .squash = "all", .has_uid = true,
	    .uid = geteuid(), .has_gid = true, .gid = getegid() };
	struct export own = *x;
	int err = dirfs_new(&config, fs);

	if (err != 0)
		return err;
	if (geteuid() != 0)
		rules_inherit(&own.rules, &as_me);
	err = export_it(&own, server, *fs);
	if (err != 0) {
		pinefs_free(*fs);
		*fs = NULL;
	}
	return err;
}

/* The archive itself, where one is named; it stays tarfs's. */
static int
make_archive(struct exports *xs, const struct export *x,
    struct pinefs_server *server)
{
	struct pinefs *fs = NULL;
	int err = make_tar(xs, x, server);

	if (err == 0 && xs->archive != NULL)
		err = tarfs_open(xs->tar, xs->archive, &fs);
	if (err == 0)
		err = pinefs_on_mount(server, tarfs_mount, xs->tar);
	return err != 0 || fs == NULL ? err : export_it(x, server, fs);
}

unsigned
exports_make(struct exports *xs, struct pinefs_server *server,
    struct pinefs *fs[SERVER_MAX_EXPORTS])
{
	const struct export *x;
	unsigned n = 0;
	int err;

	while (n < xs->n) {
		x = &xs->x[n];
		fs[n] = NULL;
		err = is_memory(x) ? make_memory(x, server, &fs[n]) :
		    is_dir(x) ? make_dir(x, server, &fs[n]) :
		    make_archive(xs, x, server);
		if (err == 0) {
			n++;
			continue;
		}
		log_error("%s at %s is not served: %s", x->type, x->path,
		    strerror(err));
		exports_drop(xs, x);
	}
	return n;
}

/* ------------------------------------------------------------------ text -- */

static char *
list(const struct exports *xs, const char *between, bool with_ro)
{
	const struct export *x;
	size_t len = 1;
	char *text, *p;
	unsigned i;

	for (i = 0; i < xs->n; i++)
		len += strlen(xs->x[i].type) + strlen(xs->x[i].path) +
		    strlen(between) + sizeof " (ro)";
	if ((text = p = malloc(len)) == NULL)
		return NULL;
	*p = '\0';
	for (i = 0; i < xs->n; i++) {
		x = &xs->x[i];
		p += sprintf(p, "%s%s%s%s%s", i == 0 ? "" : between, x->type,
		    x->path[1] == '\0' ? "" : ":", x->path + 1,
		    with_ro && x->rules.ro ? " (ro)" : "");
	}
	return text;
}

/* And what is in the file; frees `text`. */
static char *
with_file(const struct exports *xs, char *text, const char *between,
    const char *file)
{
	char *both = NULL;

	if (text == NULL || xs->file_name == NULL)
		return text;
	if (asprintf(&both, "%s%s%s", text, xs->n > 0 ? between : "",
	    file) == -1)
		both = NULL;
	free(text);
	return both;
}

char *
exports_text(const struct exports *xs)
{
	return with_file(xs, list(xs, ", ", true), ", ", xs->file_name);
}

char *
exports_instance(const struct exports *xs)
{
	static const uint8_t fixed[16] = "instances";
	char *name = with_file(xs, list(xs, " ", false), " ", "exports");

	/* It becomes the name of a directory. */
	if (name != NULL && strlen(name) > INSTANCE_MAX)
		sprintf(name + INSTANCE_MAX - 17, " %016llx",
		    (unsigned long long)siphash24(fixed, name, strlen(name)));
	return name;
}
