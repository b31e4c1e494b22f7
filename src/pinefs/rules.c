/* What -o says.  See rules.h. */
#include "pinefs/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "server/cli.h"

enum { WORD_MAX = 32 };

static const struct {
	const char	*word, *squash;
} squashes[] = {
	{ "root_squash", "root" }, { "no_root_squash", "none" },
	{ "all_squash", "all" }
};
enum { SQUASHES = sizeof squashes / sizeof squashes[0] };

/* "anonuid=65534": false, it is not that one, or no number. */
static bool
id_of(const char *word, const char *name, uint32_t *id)
{
	size_t n = strlen(name);
	unsigned long long value;
	char *end;

	if (strncmp(word, name, n) != 0 || word[n] != '=' ||
	    word[n + 1] < '0' || word[n + 1] > '9')
		return false;
	value = strtoull(word + n + 1, &end, 10);
	*id = (uint32_t)value;
	return *end == '\0' && value <= UINT32_MAX;
}

bool
rules_word(struct rules *r, const char *word)
{
	unsigned i;

	for (i = 0; i < SQUASHES; i++) {
		if (strcmp(word, squashes[i].word) == 0) {
			r->squash = squashes[i].squash;
			return true;
		}
	}
	if (strcmp(word, "ro") == 0 || strcmp(word, "rw") == 0) {
		r->has_ro = true;
		r->ro = word[1] == 'o';
	} else if (strcmp(word, "sync") == 0 || strcmp(word, "async") == 0) {
		r->has_async = true;
		r->async = word[0] == 'a';
	} else if (id_of(word, "anonuid", &r->uid)) {
		r->has_uid = true;
	} else if (id_of(word, "anongid", &r->gid)) {
		r->has_gid = true;
	} else {
		return false;
	}
	return true;
}

int
rules_add(struct rules *r, const char *list)
{
	const char *p = list;
	char word[WORD_MAX];
	size_t n;

	do {
		n = strcspn(p, ",");
		snprintf(word, sizeof word, "%.*s", (int)n, p);
		if (n >= sizeof word || !rules_word(r, word)) {
			log_error("-o %s: '%.*s' is none of ro, rw, sync, "
			    "async, root_squash, no_root_squash, all_squash, "
			    "anonuid=N, anongid=N", list, (int)n, p);
			return EXIT_USAGE;
		}
		p += n;
	} while (*p++ != '\0');
	return 0;
}

void
rules_inherit(struct rules *r, const struct rules *all)
{
	if (!r->has_ro)
		r->ro = all->ro;
	if (!r->has_async)
		r->async = all->async;
	if (r->squash == NULL)
		r->squash = all->squash;
	if (!r->has_uid) {
		r->has_uid = all->has_uid;
		r->uid = all->uid;
	}
	if (!r->has_gid) {
		r->has_gid = all->has_gid;
		r->gid = all->gid;
	}
}

static int
set_id(struct pinefs_server *server, const char *path, const char *name,
    uint32_t id)
{
	char text[16];

	snprintf(text, sizeof text, "%lu", (unsigned long)id);
	return pinefs_export_set(server, path, name, text);
}

int
rules_apply(const struct rules *r, struct pinefs_server *server,
    const char *path)
{
	int err = pinefs_export_set(server, path, "ro", r->ro ? "yes" : "no");

	if (err == 0 && r->squash != NULL)
		err = pinefs_export_set(server, path, "squash", r->squash);
	if (err == 0 && r->has_uid)
		err = set_id(server, path, "anonuid", r->uid);
	if (err == 0 && r->has_gid)
		err = set_id(server, path, "anongid", r->gid);
	return err;
}
