/*
 * Clients of NFS version 4 that hold state, on stable storage: who may
 * reclaim after a restart.  One file "clients" in the state directory, a line
 * of hexadecimal digits for each owner, written whole when asked to after a
 * change, which is rare: a client comes, a client goes.
 *
 * The list has a lock that is never held while the disk is waited for; who
 * writes has another, so that an older list never follows a newer one.
 */
#include "server/clients.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { OWNER_MAX = 1024, FILE_MAX = 16 << 20 };

struct client {
	struct client	*next;
	bool		 old;		/* of an earlier instance */
	uint32_t	 len;
	uint8_t		 owner[];
};

struct clients {
	struct state	*state;
	pthread_mutex_t	 writing;	/* before `lock` */
	pthread_mutex_t	 lock;		/* of what follows */
	struct client	*list;
	bool		 changed;	/* not on the disk yet */
};

static struct client **
find(struct clients *c, const void *owner, uint32_t len)
{
	struct client **at = &c->list;

	while (*at != NULL && ((*at)->len != len ||
	    memcmp((*at)->owner, owner, len) != 0))
		at = &(*at)->next;
	return at;
}

static int
insert(struct clients *c, const void *owner, uint32_t len, bool old)
{
	struct client *n = malloc(sizeof *n + len);

	if (n == NULL)
		return ENOMEM;
	*n = (struct client){ .next = c->list, .old = old, .len = len };
	memcpy(n->owner, owner, len);
	c->list = n;
	return 0;
}

/* ---------------------------------------------------------------- the file -- */

static int
digit(char ch)
{
	return ch >= '0' && ch <= '9' ? ch - '0' :
	    ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* One line's bytes.  A damaged line is no client; the same again, no other. */
static void
take_line(struct clients *c, const char *line, size_t n)
{
	uint8_t owner[OWNER_MAX];
	size_t i;

	if (n == 0 || n % 2 != 0 || n / 2 > sizeof owner)
		return;
	for (i = 0; i < n; i += 2) {
		if (digit(line[i]) < 0 || digit(line[i + 1]) < 0)
			return;
		owner[i / 2] = (uint8_t)(digit(line[i]) << 4 |
		    digit(line[i + 1]));
	}
	if (*find(c, owner, (uint32_t)(n / 2)) == NULL)
		insert(c, owner, (uint32_t)(n / 2), true);
}

static void
load(struct clients *c)
{
	size_t len;
	char *text = state_read(c->state, "clients", FILE_MAX, &len);
	char *line, *end;

	if (text == NULL)
		return;
	for (line = text; (end = strchr(line, '\n')) != NULL; line = end + 1)
		take_line(c, line, (size_t)(end - line));
	free(text);
}

/* The list as the file has it; NULL: no memory. */
static char *
to_text(const struct clients *c, size_t *len)
{
	const struct client *n;
	size_t size = 1, at = 0;
	uint32_t i;
	char *text;

	for (n = c->list; n != NULL; n = n->next)
		size += 2 * (size_t)n->len + 1;
	if ((text = malloc(size)) == NULL)
		return NULL;
	for (n = c->list; n != NULL; n = n->next) {
		for (i = 0; i < n->len; i++)
			at += (size_t)snprintf(text + at, size - at, "%02x",
			    n->owner[i]);
		text[at++] = '\n';
	}
	*len = at;
	return text;
}

/* ------------------------------------------------------ for src/nfs's use -- */

static int
each(void *arg, void (*fn)(void *ctx, const void *owner, uint32_t len),
    void *ctx)
{
	struct clients *c = arg;
	struct client *n;

	pthread_mutex_lock(&c->lock);
	for (n = c->list; n != NULL; n = n->next)
		if (n->old)
			fn(ctx, n->owner, n->len);
	pthread_mutex_unlock(&c->lock);
	return 0;
}

static int
add(void *arg, const void *owner, uint32_t len)
{
	static struct log_limit limit;
	struct clients *c = arg;
	struct client *n;
	int err = 0;

	pthread_mutex_lock(&c->lock);
	if ((n = *find(c, owner, len)) != NULL) {
		n->old = false;
	} else if ((err = insert(c, owner, len, false)) == 0) {
		c->changed = true;
	} else {
		log_limited(&limit, "a client could not be recorded: %s; it "
		    "cannot reclaim its state after a restart",
		    strerror(err));
	}
	pthread_mutex_unlock(&c->lock);
	return err;
}

static void
take_out(void *arg, const void *owner, uint32_t len)
{
	struct clients *c = arg;
	struct client **at, *n;

	pthread_mutex_lock(&c->lock);
	at = find(c, owner, len);
	if ((n = *at) != NULL) {
		*at = n->next;
		free(n);
		c->changed = true;
	}
	pthread_mutex_unlock(&c->lock);
}

static void
end(void *arg)
{
	struct clients *c = arg;
	struct client **at, *n;

	pthread_mutex_lock(&c->lock);
	for (at = &c->list; (n = *at) != NULL; ) {
		if (n->old) {
			*at = n->next;
			free(n);
			c->changed = true;
		} else {
			at = &n->next;
		}
	}
	pthread_mutex_unlock(&c->lock);
}

static void
set_changed(struct clients *c)
{
	pthread_mutex_lock(&c->lock);
	c->changed = true;
	pthread_mutex_unlock(&c->lock);
}

static int
sync_file(void *arg)
{
	struct clients *c = arg;
	static struct log_limit limit;
	char *text = NULL;
	size_t len = 0;
	bool changed;
	int err = 0;

	pthread_mutex_lock(&c->writing);
	pthread_mutex_lock(&c->lock);
	changed = c->changed;
	if (changed)
		text = to_text(c, &len);
	c->changed = false;
	pthread_mutex_unlock(&c->lock);
	if (changed)
		err = text == NULL ? ENOMEM :
		    state_write(c->state, "clients", text, len);
	if (err != 0) {
		set_changed(c);
		log_limited(&limit, "the clients could not be recorded: %s; "
		    "after a restart some cannot reclaim their state",
		    strerror(err));
	}
	pthread_mutex_unlock(&c->writing);
	free(text);
	return err;
}

struct clients *
clients_new(struct state *state, struct nfs4_records *records)
{
	struct clients *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->state = state;
	pthread_mutex_init(&c->writing, NULL);
	pthread_mutex_init(&c->lock, NULL);
	load(c);
	*records = (struct nfs4_records){ .each = each, .add = add,
	    .remove = take_out, .end = end, .sync = sync_file, .arg = c };
	return c;
}

void
clients_free(struct clients *c)
{
	struct client *n;

	if (c == NULL)
		return;
	while ((n = c->list) != NULL) {
		c->list = n->next;
		free(n);
	}
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->writing);
	free(c);
}
