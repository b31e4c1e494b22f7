/* --exports FILE.  See exports_file.h. */
#include "pinefs/exports_file.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "fs/dirfs.h"
#include "pinefs/exports_parse.h"
#include "rpc/peer.h"
#include "server/cli.h"
#include "server/server.h"

enum { NOBODY = 65534 };

/* A directory that is open; it stays so, served or not. */
struct made {
	struct made	*next;
	struct pinefs	*fs;
	char		*path;
	bool		 is_listed;	/* in the file as it is now */
};

struct exports_file {
	const char		*name;
	struct pinefs_server	*server;
	struct exports_text	*text;		/* as it was read last */
	struct made		*first;
};

/* ------------------------------------------------------------- reading -- */

static void
say(void *arg, unsigned line, const char *what)
{
	const struct exports_file *f = arg;

	log_error("%s:%u: %s", f->name, line, what);
}

static void
warn(void *arg, unsigned line, const char *what)
{
	const struct exports_file *f = arg;

	log_warning("%s:%u: %s", f->name, line, what);
}

static unsigned
resolve(void *arg, const char *host, uint8_t (*addr)[16], unsigned max,
    const char **why)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL, *a;
	struct sockaddr_storage ss;
	unsigned n = 0;
	int err = getaddrinfo(host, NULL, &hints, &list);

	(void)arg;
	if (err != 0)
		*why = err == EAI_SYSTEM ? strerror(errno) :
		    gai_strerror(err);
	for (a = list; a != NULL && n < max; a = a->ai_next) {
		if (a->ai_family != AF_INET && a->ai_family != AF_INET6)
			continue;
		memset(&ss, 0, sizeof ss);
		memcpy(&ss, a->ai_addr, a->ai_addrlen);
		peer_addr_bytes(&ss, addr[n++]);
	}
	if (list != NULL)
		freeaddrinfo(list);
	return n;
}

/* All of the file; NULL with errno. */
static char *
read_all(const char *name, size_t *len)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	char *text = malloc(EXPORTS_FILE_MAX);
	ssize_t n = 0;

	*len = 0;
	while (fd != -1 && text != NULL && *len < EXPORTS_FILE_MAX &&
	    (n = read(fd, text + *len, EXPORTS_FILE_MAX - *len)) > 0)
		*len += (size_t)n;
	if (fd == -1 || n == -1 || *len == EXPORTS_FILE_MAX) {
		if (*len == EXPORTS_FILE_MAX)
			errno = EFBIG;
		free(text);
		text = NULL;
	}
	if (fd != -1)
		close(fd);
	return text;
}

/* What the file says now; NULL, and it was said what is wrong. */
static struct exports_text *
read_file(struct exports_file *f, int *status)
{
	struct exports_help help = { resolve, say, warn, f };
	struct exports_text *t = calloc(1, sizeof *t);
	size_t len;
	char *text = read_all(f->name, &len);
	int err = t == NULL ? ENOMEM : text == NULL ? errno :
	    exports_parse(t, text, len, &help);

	*status = text == NULL ? EXIT_NOINPUT : err == EINVAL ? EXIT_DATA :
	    EXIT_OSERR;
	/* Of mistakes there is a line each. */
	if (err != 0 && err != EINVAL)
		log_error("--exports %s: %s", f->name, strerror(err));
	if (err != 0 && t != NULL) {
		exports_text_fini(t);
		free(t);
		t = NULL;
	}
	free(text);
	return t;
}

/* --------------------------------------------------------------- rules -- */

static enum vfs_squash
squash_of(const char *word)
{
	return strcmp(word, "none") == 0 ? VFS_SQUASH_NONE :
	    strcmp(word, "all") == 0 ? VFS_SQUASH_ALL : VFS_SQUASH_ROOT;
}

/* Who is not root can act as nobody else: as with -f dir (exports.c). */
static struct vfs_rights
rights_of(const struct rules *r)
{
	bool is_root = geteuid() == 0;
	struct vfs_rights to = { .read_only = r->ro,
	    .squash = squash_of(r->squash),
	    .anon_uid = is_root ? NOBODY : geteuid(),
	    .anon_gid = is_root ? NOBODY : getegid() };

	if (r->has_uid)
		to.anon_uid = r->uid;
	if (r->has_gid)
		to.anon_gid = r->gid;
	if (!is_root) {
		to.any_uid = to.squash == VFS_SQUASH_ALL;
		to.squash = VFS_SQUASH_ALL;
	}
	return to;
}

static int
set_rules(const struct exports_file *f, const struct made *m,
    const struct exports_dir *dir)
{
	struct vfs_rule *rule = calloc(dir->n + 1, sizeof *rule);
	unsigned i;
	int err;

	if (rule == NULL)
		return ENOMEM;
	for (i = 0; i < dir->n; i++) {
		memcpy(rule[i].addr, dir->client[i].addr,
		    sizeof rule[i].addr);
		rule[i].bits = dir->client[i].bits;
		rule[i].rights = rights_of(&dir->client[i].rules);
		strncpy(rule[i].client, dir->client[i].text,
		    sizeof rule[i].client - 1);
	}
	dirfs_set_async(m->fs, dir->async);
	err = server_name(f->server, m->path, m->fs, rule, dir->n);
	free(rule);
	return err;
}

/* --------------------------------------------------------- directories -- */

static struct made *
find(const struct exports_file *f, const char *path)
{
	struct made *m = f->first;

	/* What was at the path before is another directory. */
	while (m != NULL && (strcmp(m->path, path) != 0 ||
	    !dirfs_is_at(m->fs, path)))
		m = m->next;
	return m;
}

static int
make(struct exports_file *f, const struct exports_dir *dir, struct made **to)
{
	const struct dirfs_config config = { .dir = dir->path,
	    .async = dir->async, .state_dir = pinefs_state_dir(f->server) };
	struct made *m = calloc(1, sizeof *m);
	int err = ENOMEM;

	if (m == NULL || (m->path = strdup(dir->path)) == NULL ||
	    (err = dirfs_new(&config, &m->fs)) != 0) {
		if (m != NULL)
			free(m->path);
		free(m);
		return err;
	}
	m->next = f->first;
	f->first = m;
	*to = m;
	return 0;
}

static void
refuse(const struct exports_file *f, const struct made *m)
{
	server_name(f->server, m->path, m->fs, NULL, 0);
}

static void
say_unserved(const struct exports_file *f, const struct exports_dir *dir,
    int err)
{
	log_error("%s:%u: %s is not served: %s", f->name, dir->line,
	    dir->path, strerror(err));
}

/* NULL, and it was said why. */
static struct made *
open_dir(struct exports_file *f, const struct exports_dir *dir)
{
	struct made *m = find(f, dir->path);
	int err = m != NULL ? 0 : make(f, dir, &m);

	if (err != 0)
		say_unserved(f, dir, err);
	else
		m->is_listed = true;
	return m;
}

static bool
serve_dir(const struct exports_file *f, const struct made *m,
    const struct exports_dir *dir)
{
	int err = set_rules(f, m, dir);

	if (err != 0) {
		/* What it had may be more than it is to have. */
		refuse(f, m);
		say_unserved(f, dir, err);
	}
	return err == 0;
}

/*
 * How many are served.  Those that are listed no more are refused, and first:
 * others may be in their places now.
 */
static unsigned
apply(struct exports_file *f)
{
	struct made *at[EXPORTS_DIRS], *m;
	unsigned n = 0, i;

	for (m = f->first; m != NULL; m = m->next)
		m->is_listed = false;
	for (i = 0; i < f->text->n; i++)
		at[i] = open_dir(f, &f->text->dir[i]);
	for (m = f->first; m != NULL; m = m->next)
		if (!m->is_listed)
			refuse(f, m);
	for (i = 0; i < f->text->n; i++)
		n += at[i] != NULL && serve_dir(f, at[i], &f->text->dir[i]);
	return n;
}

/* ------------------------------------------------------------ the file -- */

int
exports_file_open(struct exports_file **to, const char *name)
{
	struct exports_file *f = calloc(1, sizeof *f);
	int status = EXIT_OSERR;

	if (f == NULL)
		return EXIT_OSERR;
	f->name = name;
	if ((f->text = read_file(f, &status)) == NULL) {
		free(f);
		return status;
	}
	if (f->text->n == 0) {
		log_error("--exports %s: there is no directory in it; write "
		    "a line like: /srv/files 10.0.0.0/8(rw)", name);
		exports_file_close(f);
		return EXIT_DATA;
	}
	*to = f;
	return 0;
}

int
exports_file_serve(struct exports_file *f, struct pinefs_server *server)
{
	f->server = server;
	return apply(f) > 0 ? 0 : EXIT_OSERR;
}

void
exports_file_reread(struct exports_file *f)
{
	struct exports_text *text;
	int status;

	if ((text = read_file(f, &status)) == NULL) {
		log_error("%s: not taken; what it said before still holds",
		    f->name);
		return;
	}
	exports_text_fini(f->text);
	free(f->text);
	f->text = text;
	log_info("%s: read again: %u of %u served", f->name, apply(f),
	    text->n);
}

const char *
exports_file_path(const struct exports_file *f)
{
	static const char special[] = " \t\n\"'\\$`&;|<>()*?[#~!";
	unsigned i;

	/* For a line to be typed; the first, if all would need quotes. */
	for (i = 0; i < f->text->n; i++)
		if (strpbrk(f->text->dir[i].path, special) == NULL)
			return f->text->dir[i].path;
	return f->text->dir[0].path;
}

void
exports_file_close(struct exports_file *f)
{
	struct made *m;

	if (f == NULL)
		return;
	while ((m = f->first) != NULL) {
		f->first = m->next;
		pinefs_free(m->fs);
		free(m->path);
		free(m);
	}
	exports_file_abandon(f);
}

void
exports_file_abandon(struct exports_file *f)
{
	exports_text_fini(f->text);
	free(f->text);
	free(f);
}
