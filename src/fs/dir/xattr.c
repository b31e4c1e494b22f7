/* Extended attributes: those of users, without the "user." the host has
 * before each (RFC 8276 2). */
#include "dir.h"

#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

enum { VALUE_MOST = 64 << 10, LIST_MOST = 64 << 10 };

static const char prefix[] = "user.";
enum { PREFIX = sizeof prefix - 1 };

struct name {
	char	text[PREFIX + 256];
};

static int
name_of(struct name *to, struct pinefs_name name)
{
	if (memchr(name.base, '\0', name.len) != NULL)
		return EINVAL;
	/* Linux lets 255 bytes be, prefix and all. */
	if (name.len > 255 - PREFIX)
		return ENAMETOOLONG;
	memcpy(to->text, prefix, PREFIX);
	memcpy(to->text + PREFIX, name.base, name.len);
	to->text[PREFIX + name.len] = '\0';
	return 0;
}

static int
begin(struct pinefs_call *call, struct pinefs_node *node,
    struct dir_object **o, int *fd)
{
	int err = dir_get(node, o);

	if (err != 0)
		return err;
	if ((*fd = dir_fd(*o, DIR_READ)) == -1)
		err = errno;
	else
		err = dir_who_become(pinefs_call_cred(call));
	if (err != 0)
		dir_put(dir_of(node), *o);
	return err;
}

int
dir_getxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_out *out)
{
	struct dir_object *o;
	struct name text;
	char *value;
	ssize_t n;
	int fd, err;

	if ((err = name_of(&text, name)) != 0)
		return err == ENAMETOOLONG ? ENODATA : err;
	if ((err = begin(call, node, &o, &fd)) != 0)
		return err;
	if ((value = malloc(VALUE_MOST)) == NULL) {
		err = ENOMEM;
	} else {
		n = fgetxattr(fd, text.text, value, VALUE_MOST);
		err = n == -1 ? errno : pinefs_out_copy(out, value,
		    (size_t)n);
		free(value);
	}
	dir_put(dir_of(node), o);
	return err == EOPNOTSUPP ? ENODATA : err;
}

int
dir_setxattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name, struct pinefs_in *in, int how)
{
	static const int flags[] = { [PINEFS_XATTR_EITHER] = 0,
	    [PINEFS_XATTR_CREATE] = XATTR_CREATE,
	    [PINEFS_XATTR_REPLACE] = XATTR_REPLACE };
	const struct iovec *iov;
	struct dir_object *o;
	struct name text;
	size_t len = 0;
	unsigned n, i;
	char *value;
	int fd, err;

	iov = pinefs_in_iov(in, &n);
	for (i = 0; i < n; i++)
		len += iov[i].iov_len;
	if (len > VALUE_MOST)
		return E2BIG;
	if ((err = name_of(&text, name)) != 0 ||
	    (err = begin(call, node, &o, &fd)) != 0)
		return err;
	if ((value = malloc(len + 1)) == NULL) {
		err = ENOMEM;
	} else {
		pinefs_in_copy(in, value);
		err = fsetxattr(fd, text.text, value, len, flags[how]) ==
		    -1 ? errno : 0;
		dir_changed(o);
		free(value);
	}
	if (err == 0)
		err = dir_sync(dir_of(node), o);
	dir_put(dir_of(node), o);
	return err;
}

int
dir_removexattr(struct pinefs_call *call, struct pinefs_node *node,
    struct pinefs_name name)
{
	struct dir_object *o;
	struct name text;
	int fd, err;

	if ((err = name_of(&text, name)) != 0)
		return err == ENAMETOOLONG ? ENODATA : err;
	if ((err = begin(call, node, &o, &fd)) != 0)
		return err;
	if (fremovexattr(fd, text.text) == -1)
		err = errno;
	dir_changed(o);
	if (err == 0)
		err = dir_sync(dir_of(node), o);
	dir_put(dir_of(node), o);
	return err;
}

struct named {
	uint64_t	 cookie;
	const char	*name;
};

static int
compare(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

/* In the order of their cookies, hashes as those of names are. */
static int
emit(char *list, size_t len, uint64_t after, struct pinefs_emit *to)
{
	struct named *names = calloc(len / (PREFIX + 1) + 1, sizeof *names);
	struct pinefs_name name;
	size_t n = 0, i;
	char *p;

	if (names == NULL)
		return ENOMEM;
	for (p = list; p < list + len; p += strlen(p) + 1) {
		if (strncmp(p, prefix, PREFIX) != 0 || p[PREFIX] == '\0')
			continue;
		names[n].name = p + PREFIX;
		names[n++].cookie = dir_cookie(p + PREFIX,
		    strlen(p + PREFIX));
	}
	if (n > 0)
		qsort(names, n, sizeof *names, compare);
	for (i = 0; i < n; i++) {
		if (names[i].cookie <= after)
			continue;
		name = (struct pinefs_name){ names[i].name,
		    (uint32_t)strlen(names[i].name) };
		if (pinefs_emit(to, name, NULL, names[i].cookie, NULL) != 0)
			break;
	}
	free(names);
	return 0;
}

int
dir_listxattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t after, struct pinefs_emit *to)
{
	struct dir_object *o;
	char *list;
	ssize_t n;
	int fd, err;

	if ((err = begin(call, node, &o, &fd)) != 0)
		return err;
	if ((list = malloc(LIST_MOST)) == NULL) {
		err = ENOMEM;
	} else {
		n = flistxattr(fd, list, LIST_MOST);
		if (n == -1)
			err = errno == EOPNOTSUPP ? 0 : errno;
		else
			err = emit(list, (size_t)n, after, to);
		free(list);
	}
	dir_put(dir_of(node), o);
	return err;
}
