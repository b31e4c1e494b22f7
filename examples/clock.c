/*
 * clock: a namespace that is computed, not stored.
 *
 *	now		the time of day, in UTC
 *	zones/UTC+3	the time three hours east of there, for -12 to +14
 *
 * This is door 2: lookup, getattr and readdir answer for objects that exist
 * nowhere; each has a number, from which its name and content follow.  What
 * changes by itself must say so: the change counter is the second, and there
 * is no PINEFS_DELEGATION.
 */
#include <pinefs.h>
#include <stdio.h>
#include <string.h>

enum { ROOT = 100, ZONES, NOW, ZONE, WEST = -12, EAST = 14, TEXT = 9 };

static int
name_of(uint64_t fileid, char name[16])
{
	if (fileid == ZONES)
		return snprintf(name, 16, "zones");
	if (fileid == NOW)
		return snprintf(name, 16, "now");
	return snprintf(name, 16, "UTC%+d", (int)(fileid - ZONE) + WEST);
}

/* The objects of a directory are numbered from `first` to `last`. */
static void
range_of(struct pinefs_node *dir, uint64_t *first, uint64_t *last)
{
	struct pinefs_ident id;

	pinefs_node_ident(dir, &id);
	*first = id.fileid == ROOT ? ZONES : ZONE;
	*last = id.fileid == ROOT ? NOW : ZONE + EAST - WEST;
}

static int
clock_lookup(struct pinefs_call *call, struct pinefs_node *dir,
    struct pinefs_name name, struct pinefs_ident *id)
{
	uint64_t first, last;
	char text[16];

	(void)call;
	for (range_of(dir, &first, &last); first <= last; first++) {
		id->fileid = first;
		if ((int)name.len == name_of(first, text) &&
		    memcmp(name.base, text, name.len) == 0)
			return 0;
	}
	return ENOENT;
}

static int
clock_getattr(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t want, struct pinefs_attr *attr)
{
	struct pinefs_ident id;

	(void)call, (void)want;
	pinefs_node_ident(node, &id);
	if (id.fileid < ROOT || id.fileid > ZONE + EAST - WEST)
		return ENOENT;
	attr->have = PINEFS_TYPE | PINEFS_CHANGE;
	attr->type = id.fileid <= ZONES ? PINEFS_DIR : PINEFS_REG;
	attr->change = 1;
	if (attr->type == PINEFS_DIR)
		return 0;
	attr->have |= PINEFS_SIZE | PINEFS_MTIME | PINEFS_CTIME;
	attr->size = TEXT;
	attr->mtime.tv_sec = attr->ctime.tv_sec = time(NULL);
	attr->change = (uint64_t)attr->mtime.tv_sec;
	return 0;
}

static int
clock_readdir(struct pinefs_call *call, struct pinefs_node *dir,
    uint64_t after, struct pinefs_emit *emit)
{
	struct pinefs_ident id = { 0 };
	struct pinefs_name name;
	uint64_t first, last;
	char text[16];

	(void)call;
	range_of(dir, &first, &last);
	if (after >= first)
		first = after + 1;	/* the number is the cookie */
	for (id.fileid = first; id.fileid <= last; id.fileid++) {
		name.len = (uint32_t)name_of(id.fileid, text);
		name.base = text;
		if (pinefs_emit(emit, name, &id, id.fileid, NULL) != 0)
			break;
	}
	return 0;
}

static int
clock_read(struct pinefs_call *call, struct pinefs_node *node,
    uint64_t off, uint32_t count, struct pinefs_out *out)
{
	struct pinefs_ident id;
	char text[16];
	unsigned t = (unsigned)(time(NULL) % 86400 + 86400);

	(void)call;
	pinefs_node_ident(node, &id);
	if (id.fileid >= ZONE)
		t += 3600 * (unsigned)((int)(id.fileid - ZONE) + WEST);
	snprintf(text, sizeof text, "%02u:%02u:%02u\n", t / 3600 % 24,
	    t / 60 % 60, t % 60);
	return pinefs_out_slice(out, text, TEXT, off, count);
}

int
main(int argc, char **argv)
{
	static const struct pinefs_ops ops = {
		.flags = PINEFS_STABLE_IDS,
		.lookup = clock_lookup, .getattr = clock_getattr,
		.readdir = clock_readdir, .read = clock_read };
	static const struct pinefs_ident root = { .fileid = ROOT };
	struct pinefs *fs = pinefs_new(&ops, NULL);

	if (fs == NULL || pinefs_set_root(fs, &root) != 0)
		return 1;
	return pinefs_main(fs, argc, argv);
}
