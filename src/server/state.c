/* The state directory.  See state.h. */
#include "server/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"

enum { EXPORTS_MAX = 1 << 26 };

/* ------------------------------------------------------------ directory -- */

/* mkdir -p, mode 0700. */
static int
make_path(char *path)
{
	char *p;

	for (p = path + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) == -1 && errno != EEXIST) {
			*p = '/';
			return errno;
		}
		*p = '/';
	}
	return mkdir(path, 0700) == -1 && errno != EEXIST ? errno : 0;
}

/* Where states of this user lie, by the rules of systemd and XDG. */
char *
state_default_path(const char *instance)
{
	const char *base = getenv("STATE_DIRECTORY"), *home = getenv("HOME");
	const char *middle = "";
	char *path;

	if (base == NULL || *base != '/') {
		middle = "/pinefs";
		base = getenv("XDG_STATE_HOME");
	}
	if (base == NULL || *base != '/') {
		base = geteuid() == 0 ? "/var/lib" : home;
		if (geteuid() != 0)
			middle = "/.local/state/pinefs";
	}
	if (base == NULL ||
	    asprintf(&path, "%s%s/%s", base, middle, instance) == -1)
		return NULL;
	return path;
}

/* An instance's name becomes a file name. */
static void
clean(char *name)
{
	for (; *name != '\0'; name++)
		if (*name == '/' || *name < ' ' || *name == 0x7f)
			*name = '_';
}

static int
lock_directory(struct state *s)
{
	fds_begin();
	s->lock = fds_end(&s->fds, openat(s->dir, "lock",
	    O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	if (s->lock == -1)
		return errno;
	return flock(s->lock, LOCK_EX | LOCK_NB) == -1 ? errno : 0;
}

static int
open_directory(struct state *s)
{
	int err;

	if (s->path == NULL)
		return ENOENT;
	if ((err = make_path(s->path)) != 0)
		return err;
	fds_begin();
	s->dir = fds_end(&s->fds,
	    open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (s->dir == -1)
		return errno;
	return lock_directory(s);
}

/* -------------------------------------------------------------- identity -- */

/*
 * A thread on which a file system acts for its caller (dirfs) may come here,
 * too: what is the server's own is written as the server.
 */
struct identity {
	uid_t	uid;
	gid_t	gid;
};

static struct identity
become_server(void)
{
	struct identity was;

	was.uid = (uid_t)setfsuid(geteuid());
	was.gid = (gid_t)setfsgid(getegid());
	return was;
}

static void
become_again(const struct identity *was)
{
	setfsgid(was->gid);
	setfsuid(was->uid);
}

/* ----------------------------------------------------------------- files -- */

static int
write_as_server(int dir, const char *name, const void *data, size_t len)
{
	char temp[64];
	int fd, err = 0;

	snprintf(temp, sizeof temp, "%s.new", name);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	if (fd == -1)
		return errno;
	if (write(fd, data, len) != (ssize_t)len || fsync(fd) == -1)
		err = errno == 0 ? EIO : errno;
	close(fd);
	if (err == 0 && renameat(dir, temp, dir, name) == -1)
		err = errno;
	if (err == 0 && fsync(dir) == -1)
		err = errno;
	return err;
}

/* Written whole, or not at all: temporary file, fsync, rename. */
static int
write_file(int dir, const char *name, const void *data, size_t len)
{
	struct identity was = become_server();
	int err = write_as_server(dir, name, data, len);

	become_again(&was);
	return err;
}

/* 0; ENOENT; EPERM: others can read it; EBADMSG: not 16 bytes. */
static int
read_key(int dir, const char *name, uint8_t key[16])
{
	uint8_t buf[17];
	struct stat st;
	ssize_t n;
	int fd, err = 0;

	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return errno;
	if (fstat(fd, &st) == -1)
		err = errno;
	else if ((st.st_mode & 077) != 0 || st.st_uid != geteuid())
		err = EPERM;
	else if ((n = read(fd, buf, sizeof buf)) != 16)
		err = n == -1 ? errno : EBADMSG;
	close(fd);
	if (err == 0)
		memcpy(key, buf, 16);
	explicit_bzero(buf, sizeof buf);
	return err;
}

static int
find_keys(struct state *s)
{
	int err = read_key(s->dir, "key", s->keys.now);

	if (err == ENOENT) {
		random_fill(s->keys.now, sizeof s->keys.now);
		err = write_file(s->dir, "key", s->keys.now,
		    sizeof s->keys.now);
	}
	if (err != 0)
		return err;
	s->keys.has_before = read_key(s->dir, "key.before", s->keys.before)
	    == 0;
	return 0;
}

static const char *
reason(int err)
{
	switch (err) {
	case EWOULDBLOCK:
		return "another server uses it";
	case EPERM:
		return "its key can be read by others, or is not ours";
	case EBADMSG:
		return "its key is damaged";
	}
	return strerror(err);
}

void
state_open(struct state *s, const char *dir, const char *instance)
{
	char *name = strdup(instance);
	int err = ENOMEM;

	*s = (struct state){ .dir = -1, .lock = -1 };
	if (dir != NULL && strcmp(dir, "none") == 0) {
		free(name);
		random_fill(s->keys.now, sizeof s->keys.now);
		return;
	}
	if (name != NULL) {
		clean(name);
		s->path = dir != NULL ? strdup(dir) : state_default_path(name);
		err = open_directory(s);
		free(name);
	}
	if (err == 0)
		err = find_keys(s);
	if (err == 0)
		return;
	log_warning("state directory %s cannot be used: %s; handles will not "
	    "survive a restart (--state-dir DIR)",
	    s->path == NULL ? "(none)" : s->path, reason(err));
	state_close(s);
	*s = (struct state){ .dir = -1, .lock = -1 };
	random_fill(s->keys.now, sizeof s->keys.now);
}

void
state_close(struct state *s)
{
	if (s->lock != -1)
		fds_close(&s->fds, s->lock);
	if (s->dir != -1)
		fds_close(&s->fds, s->dir);
	fds_fini(&s->fds);
	free(s->path);
	explicit_bzero(s->keys.now, sizeof s->keys.now);
	explicit_bzero(s->keys.before, sizeof s->keys.before);
	s->dir = s->lock = -1;
	s->path = NULL;
}

char *
state_read(const struct state *s, const char *name, size_t max, size_t *len)
{
	struct stat st;
	char *text = NULL;
	int fd, err = 0;
	ssize_t n;

	*len = 0;
	errno = ENOENT;
	if (s->dir == -1)
		return NULL;
	fd = openat(s->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == -1)
		err = errno;
	else if (st.st_size < 0 || (size_t)st.st_size > max)
		err = EFBIG;
	else if ((text = calloc(1, (size_t)st.st_size + 1)) == NULL)
		err = ENOMEM;
	while (err == 0 && *len < (size_t)st.st_size) {
		n = read(fd, text + *len, (size_t)st.st_size - *len);
		if (n > 0)
			*len += (size_t)n;
		else
			err = n == -1 ? errno : EIO;
	}
	close(fd);
	if (err == 0)
		return text;
	free(text);
	errno = err;
	return NULL;
}

int
state_write(const struct state *s, const char *name, const void *data,
    size_t len)
{
	return s->dir == -1 ? 0 : write_file(s->dir, name, data, len);
}

/* ------------------------------------------------------------ export ids -- */

/* The whole file "exports", or ""; NULL: what it holds is not known. */
static char *
read_exports(const struct state *s)
{
	size_t len;
	char *text = state_read(s, "exports", EXPORTS_MAX, &len);

	if (text != NULL || errno == ENOENT)
		return text != NULL ? text : strdup("");
	log_warning("%s/exports: %s; exports may get other ids, and they are "
	    "not kept", s->path, strerror(errno));
	return NULL;
}

/* A line "ID NAME" of it. */
struct entry {
	uint32_t	 id;
	const char	*name;
	size_t		 len;
};

/* The next line from *at on that is one; false: there is none. */
static bool
next_entry(const char **at, struct entry *e)
{
	const char *line = *at, *end;
	unsigned long v;
	char *name;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		v = *line < '0' || *line > '9' ? 0 : strtoul(line, &name, 10);
		if (v == 0 || v > UINT32_MAX || *name != ' ')
			continue;
		*e = (struct entry){ (uint32_t)v, name + 1,
		    (size_t)(end - (name + 1)) };
		*at = end + 1;
		return true;
	}
	return false;
}

static bool
is_named(const struct entry *e, const char *export)
{
	return e->len == strlen(export) &&
	    memcmp(e->name, export, e->len) == 0;
}

static bool
is_taken(uint32_t id, const uint32_t *taken, unsigned n, const char *text)
{
	struct entry e;
	unsigned i;

	for (i = 0; i < n; i++)
		if (taken[i] == id)
			return true;
	while (next_entry(&text, &e))
		if (e.id == id)
			return true;
	return false;
}

/* The last line of a name counts. */
static uint32_t
recorded(const char *text, const char *export)
{
	struct entry e;
	uint32_t id = 0;

	while (next_entry(&text, &e))
		if (is_named(&e, export))
			id = e.id;
	return id;
}

/* Behind what there is: one that is cut by the end of the machine is no line,
 * and ends where the next begins. */
static int
append(const struct state *s, const char *line, size_t len)
{
	int fd = openat(s->dir, "exports", O_WRONLY | O_CREAT | O_APPEND |
	    O_NOFOLLOW | O_CLOEXEC, 0600), err = 0;

	if (fd == -1)
		return errno;
	if (write(fd, line, len) != (ssize_t)len || fsync(fd) == -1 ||
	    fsync(s->dir) == -1)
		err = errno == 0 ? EIO : errno;
	close(fd);
	return err;
}

static void
record(struct state *s, const char *text, uint32_t id, const char *name)
{
	size_t len = strlen(text);
	const char *lf = len > 0 && text[len - 1] != '\n' ? "\n" : "";
	char *line, shown[1024];
	int err, n;

	if (s->dir == -1 ||
	    (n = asprintf(&line, "%s%u %s\n", lf, id, name)) == -1)
		return;
	err = strchr(name, '\n') != NULL ? EINVAL :
	    len + (size_t)n > EXPORTS_MAX ? EFBIG :
	    append(s, line, (size_t)n);
	if (err != 0)
		log_warning("%s/exports: %s; the export %s may get another id",
		    s->path, strerror(err),
		    log_escape(shown, sizeof shown, name, strlen(name)));
	free(line);
}

uint32_t
state_export_id(struct state *s, const char *name, const uint32_t *taken,
    unsigned n)
{
	static const uint8_t fixed[16] = "export ids";
	char *text = read_exports(s);
	uint32_t id;

	if (text != NULL && (id = recorded(text, name)) != 0 &&
	    !is_taken(id, taken, n, "")) {
		free(text);
		return id;
	}
	id = (uint32_t)siphash24(fixed, name, strlen(name));
	while (id == 0 || is_taken(id, taken, n, text == NULL ? "" : text))
		id++;
	if (text != NULL)
		record(s, text, id, name);
	free(text);
	return id;
}

char *
state_export_name(const struct state *s, uint32_t id)
{
	char *text = read_exports(s), *found = NULL;
	const char *p = text == NULL ? "" : text;
	struct entry e;

	while (found == NULL && next_entry(&p, &e))
		if (e.id == id)
			found = strndup(e.name, e.len);
	free(text);
	return found;
}
