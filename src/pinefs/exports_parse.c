/* A file of exports(5).  See exports_parse.h. */
#include "pinefs/exports_parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { HOST_BITS = 128, V4_BITS = 32, SHOWN = 64, SAID_MAX = 320,
    MISTAKES_MAX = 20 };

/* Where it is in the text.  `line` is that of `pos`. */
struct parser {
	const char	*pos, *end;
	unsigned	 line;
	const struct exports_help *help;
	unsigned	 mistakes;
	bool		 no_memory;
};

/* A word of the text, decoded; "" at the end of a line. */
struct word {
	char		*text;
	size_t		 len, cap;
	bool		 is_cut;	/* no end of the quotes */
	bool		 has_nul;
};

/* ----------------------------------------------------------- mistakes -- */

/* Up to 20: what follows the first is often of it. */
__attribute__((format(printf, 3, 4)))
static void
mistake(struct parser *p, unsigned line, const char *fmt, ...)
{
	char what[SAID_MAX];
	va_list ap;

	if (p->mistakes++ >= MISTAKES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	p->help->say(p->help->arg, line, what);
}

/* A word of the file as it may stand in a line for a person. */
static const char *
shown(const char *text, char to[SHOWN])
{
	return log_escape(to, SHOWN, text, strlen(text));
}

/* -------------------------------------------------------------- words -- */

/* For one byte more, and the end. */
static bool
make_room(struct parser *p, struct word *w)
{
	size_t cap = w->cap == 0 ? 64 : 2 * w->cap;
	char *more;

	if (w->len + 1 < w->cap)
		return true;
	if ((more = realloc(w->text, cap)) == NULL) {
		p->no_memory = true;
		return false;
	}
	w->text = more;
	w->cap = cap;
	return true;
}

static void
put(struct parser *p, struct word *w, char c)
{
	if (!make_room(p, w))
		return;
	w->has_nul |= c == '\0';
	w->text[w->len++] = c;
	w->text[w->len] = '\0';
}

/* A line goes on behind "\" and a newline. */
static bool
skip_continuation(struct parser *p)
{
	size_t n = p->end - p->pos >= 2 && p->pos[1] == '\n' ? 2 :
	    p->end - p->pos >= 3 && p->pos[1] == '\r' && p->pos[2] == '\n' ?
	    3 : 0;

	if (n == 0 || *p->pos != '\\')
		return false;
	p->pos += n;
	p->line++;
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void
skip_blanks(struct parser *p)
{
	while (p->pos < p->end) {
		if (is_blank(*p->pos))
			p->pos++;
		else if (!skip_continuation(p))
			break;
	}
	if (p->pos < p->end && *p->pos == '#')
		while (p->pos < p->end && *p->pos != '\n')
			p->pos++;
}

/* "\040"; false: it is none. */
static bool
take_octal(struct parser *p, struct word *w)
{
	unsigned value = 0, i;

	if (p->end - p->pos < 4 || *p->pos != '\\')
		return false;
	for (i = 1; i <= 3; i++) {
		if (p->pos[i] < '0' || p->pos[i] > '7')
			return false;
		value = value * 8 + (unsigned)(p->pos[i] - '0');
	}
	if (value > UINT8_MAX)
		return false;
	p->pos += 4;
	put(p, w, (char)value);
	return true;
}

/* The next word of the line; false: there is none. */
static bool
next_word(struct parser *p, struct word *w)
{
	bool in_quotes = false;

	w->len = 0;
	w->is_cut = w->has_nul = false;
	if (!make_room(p, w))
		return false;
	w->text[0] = '\0';
	skip_blanks(p);
	if (p->pos == p->end || *p->pos == '\n')
		return false;
	while (p->pos < p->end && *p->pos != '\n' && !p->no_memory) {
		if (!in_quotes && is_blank(*p->pos))
			break;
		if (*p->pos == '"') {
			in_quotes = !in_quotes;
			p->pos++;
		} else if (skip_continuation(p)) {
			if (!in_quotes)
				break;
		} else if (!take_octal(p, w)) {
			put(p, w, *p->pos++);
		}
	}
	w->is_cut = in_quotes;
	return !p->no_memory;
}

static void
skip_line(struct parser *p)
{
	while (p->pos < p->end && *p->pos != '\n')
		if (!skip_continuation(p))
			p->pos++;
}

/* ------------------------------------------------------------ options -- */

/*
 * What exports(5) has and is no mistake to write here: it says what is so
 * anyhow.
 */
static const char *const idle[] = { "no_subtree_check", "secure", "wdelay",
    "no_wdelay", "hide", "sec=sys", "acl", "auth_nlm", "secure_locks" };
/* And what would not be as it says. */
static const char *const missing[] = { "subtree_check", "insecure", "nohide",
    "crossmnt", "fsid", "sec", "no_acl", "mountpoint", "mp", "pnfs", "no_pnfs",
    "refer", "replicas", "security_label", "xprtsec", "insecure_locks",
    "no_auth_nlm", "no_all_squash" };
enum { IDLE = sizeof idle / sizeof idle[0],
    MISSING = sizeof missing / sizeof missing[0] };

static bool
is_idle(const char *word)
{
	unsigned i;

	for (i = 0; i < IDLE; i++)
		if (strcmp(word, idle[i]) == 0)
			return true;
	return false;
}

static bool
is_missing(const char *word)
{
	size_t n = strcspn(word, "=");
	unsigned i;

	for (i = 0; i < MISSING; i++)
		if (strlen(missing[i]) == n &&
		    memcmp(word, missing[i], n) == 0)
			return true;
	return false;
}

/* "rw,all_squash": changes `list`. */
static void
take_options(struct parser *p, char *list, struct rules *rules)
{
	char *word = list, *end, text[SHOWN];

	for (; word != NULL; word = end) {
		if ((end = strchr(word, ',')) != NULL)
			*end++ = '\0';
		if (*word == '\0' || rules_word(rules, word) || is_idle(word))
			continue;
		if (is_missing(word))
			mistake(p, p->line, "%s: not to be had here: leave it "
			    "out, see pinefs-exports(5)", shown(word, text));
		else
			mistake(p, p->line, "'%s' is no option: say ro, rw, "
			    "sync, async, root_squash, no_root_squash, "
			    "all_squash, anonuid=N or anongid=N",
			    shown(word, text));
	}
}

/* ------------------------------------------------------------ clients -- */

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool
take_address(const char *text, uint8_t addr[16], unsigned *most)
{
	if (inet_pton(AF_INET, text, addr + 12) == 1) {
		memcpy(addr, mapped, sizeof mapped);
		*most = V4_BITS;
		return true;
	}
	*most = HOST_BITS;
	return inet_pton(AF_INET6, text, addr) == 1;
}

/* "8", or for IPv4 "255.0.0.0".  False: neither. */
static bool
take_bits(const char *text, unsigned most, unsigned *bits)
{
	uint32_t mask;
	unsigned long n;
	char *end;

	if (most == V4_BITS && strchr(text, '.') != NULL) {
		if (inet_pton(AF_INET, text, &mask) != 1)
			return false;
		mask = ntohl(mask);
		for (*bits = 0; mask & UINT32_C(1) << 31; mask <<= 1)
			++*bits;
		return mask == 0;
	}
	n = strtoul(text, &end, 10);
	*bits = (unsigned)n;
	return *text >= '0' && *text <= '9' && *end == '\0' && n <= most;
}

/* What does not count is 0, so that equal networks are equal. */
static void
clear_rest(uint8_t addr[16], unsigned bits)
{
	unsigned i;

	for (i = bits; i < HOST_BITS; i++)
		addr[i / 8] &= (uint8_t)~(0x80u >> i % 8);
}

enum address { NO_ADDRESS, ADDRESS, MISTAKEN };

/* "10.0.0.0/8" and "10.1.2.3".  What is mistaken was said. */
static enum address
take_network(struct parser *p, const char *text, struct exports_client *c)
{
	const char *slash = strchr(text, '/');
	char host[INET6_ADDRSTRLEN], said[SHOWN];
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
	unsigned most, bits;

	if (n >= sizeof host)
		return NO_ADDRESS;
	memcpy(host, text, n);
	host[n] = '\0';
	if (!take_address(host, c->addr, &most))
		return NO_ADDRESS;
	bits = most;
	if (slash != NULL && !take_bits(slash + 1, most, &bits)) {
		mistake(p, p->line, "%s: behind the slash stands a number "
		    "from 0 to %u, or a mask like 255.255.255.0",
		    shown(text, said), most);
		return MISTAKEN;
	}
	c->bits = HOST_BITS - most + bits;
	/* 0.0.0.0/0 is every IPv4 address, not everybody. */
	if (c->bits == 0) {
		mistake(p, p->line, "%s: say * for everybody",
		    shown(text, said));
		return MISTAKEN;
	}
	clear_rest(c->addr, c->bits);
	return ADDRESS;
}

static bool
is_host_name(const char *text)
{
	size_t n = strlen(text), i;

	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)text[i]) &&
		    strchr("._-", text[i]) == NULL)
			return false;
	return n > 0 && n < 256;
}

static bool
same_client(const struct exports_client *a, const struct exports_client *b)
{
	return a->bits == b->bits && memcmp(a->addr, b->addr, 16) == 0;
}

/* NULL: no memory. */
static struct exports_client *
new_client(struct exports_dir *dir)
{
	unsigned cap = dir->cap == 0 ? 8 : 2 * dir->cap;
	struct exports_client *more;

	if (dir->n == dir->cap) {
		if ((more = realloc(dir->client, cap * sizeof *more)) == NULL)
			return NULL;
		dir->client = more;
		dir->cap = cap;
	}
	return &dir->client[dir->n];
}

/* As it was written: `text`. */
static void
add_client(struct parser *p, struct exports_dir *dir,
    const struct exports_client *c, const char *text)
{
	struct exports_client *to;
	char path[SHOWN];
	unsigned i;

	for (i = 0; i < dir->n; i++) {
		if (same_client(&dir->client[i], c)) {
			mistake(p, p->line, "%s is among the clients of %s "
			    "already", text, shown(dir->path, path));
			return;
		}
	}
	if (dir->n == EXPORTS_CLIENTS) {
		mistake(p, p->line, "%s has more than %d clients: write "
		    "networks", shown(dir->path, path), EXPORTS_CLIENTS);
		return;
	}
	if ((to = new_client(dir)) == NULL ||
	    (to->text = strdup(text)) == NULL) {
		p->no_memory = true;
		return;
	}
	memcpy(to->addr, c->addr, sizeof to->addr);
	to->bits = c->bits;
	to->rules = c->rules;
	dir->n++;
}

/*
 * No mistake of who wrote the file: the others are not to wait for this one,
 * nor is what was taken from somebody to stay theirs.
 */
static void
leave_out(struct parser *p, const char *name, const char *why)
{
	char what[SAID_MAX + 256];

	snprintf(what, sizeof what, "%s cannot be found: %s: it is left out "
	    "until the file is read again", name, why);
	p->help->warn(p->help->arg, p->line, what);
}

static void
add_host(struct parser *p, struct exports_dir *dir, const char *name,
    struct exports_client *c)
{
	uint8_t addr[EXPORTS_ADDRS][16];
	const char *why = "unknown";
	unsigned i, n;

	n = p->help->resolve(p->help->arg, name, addr, EXPORTS_ADDRS, &why);
	if (n == 0)
		leave_out(p, name, why);
	for (i = 0; i < n; i++) {
		memcpy(c->addr, addr[i], 16);
		c->bits = HOST_BITS;
		add_client(p, dir, c, name);
	}
}

/* What is left of "host(options)" is a client of the directory. */
static void
take_host(struct parser *p, const char *host, struct exports_dir *dir,
    const struct rules *rules)
{
	struct exports_client c = { .rules = *rules };
	enum address a = take_network(p, host, &c);
	char text[SHOWN];

	if (a == MISTAKEN)
		return;
	if (a == ADDRESS || strcmp(host, "*") == 0) {
		add_client(p, dir, &c, host);
	} else if (host[0] == '@') {
		mistake(p, p->line, "%s: netgroups are not known here: write "
		    "hosts or networks", shown(host, text));
	} else if (strpbrk(host, "*?[") != NULL) {
		mistake(p, p->line, "%s: patterns are not known here: write "
		    "a network like 10.0.0.0/8, or * for everybody",
		    shown(host, text));
	} else if (!is_host_name(host)) {
		mistake(p, p->line, "'%s' is neither a host nor a network "
		    "like 10.0.0.0/8", shown(host, text));
	} else {
		add_host(p, dir, host, &c);
	}
}

/* "host(options)", or "-options" for all that follow on the line. */
static void
take_client(struct parser *p, struct word *w, struct exports_dir *dir,
    struct rules *line_rules)
{
	char *open = strchr(w->text, '('), text[SHOWN];
	struct rules rules = *line_rules;

	if (w->text[0] == '-') {
		take_options(p, w->text + 1, line_rules);
		return;
	}
	if (open == w->text) {
		mistake(p, p->line, "%s stands alone: join it to the client "
		    "before, or write *%s for everybody",
		    shown(w->text, text), text);
		return;
	}
	if (open != NULL) {
		if (w->text[w->len - 1] != ')') {
			mistake(p, p->line, "%s: there is no ) at its end; "
			    "options have no blanks between them",
			    shown(w->text, text));
			skip_line(p);	/* what follows is of it */
			return;
		}
		w->text[w->len - 1] = '\0';
		*open = '\0';
		take_options(p, open + 1, &rules);
	}
	take_host(p, w->text, dir, &rules);
}

/* -------------------------------------------------------------- lines -- */

/* Without slashes that say nothing.  False: it was said what is wrong. */
static bool
clean_path(struct parser *p, struct word *w)
{
	char *from = w->text, *to = w->text, text[SHOWN];
	size_t n;

	if (w->text[0] != '/') {
		mistake(p, p->line, "'%s' is no directory: a line begins with "
		    "a path like /srv/files", shown(w->text, text));
		return false;
	}
	while (*from != '\0') {
		while (*from == '/')
			from++;
		n = strcspn(from, "/");
		if ((n == 1 && from[0] == '.') ||
		    (n == 2 && from[0] == '.' && from[1] == '.') || n > 255) {
			mistake(p, p->line, n > 255 ? "%s: a name is longer "
			    "than 255 bytes" : "%s: write it without . and ..",
			    shown(w->text, text));
			return false;
		}
		if (n == 0)
			break;
		*to++ = '/';
		memmove(to, from, n);
		to += n;
		from += n;
	}
	if (to == w->text)
		*to++ = '/';
	*to = '\0';
	return true;
}

/* Does one of these lie in the other? */
static bool
is_nested(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	if (n > m)
		return is_nested(b, a);
	return n == 1 || (memcmp(a, b, n) == 0 && b[n] == '/');
}

/* The same again: more clients of it.  NULL: it was said why not. */
static struct exports_dir *
find_dir(struct parser *p, struct exports_text *t, const char *path)
{
	struct exports_dir *dir;
	char a[SHOWN], b[SHOWN];
	unsigned i;

	for (i = 0; i < t->n; i++) {
		dir = &t->dir[i];
		if (strcmp(dir->path, path) == 0)
			return dir;
		if (!is_nested(dir->path, path))
			continue;
		mistake(p, p->line, "%s and %s of line %u lie in one another: "
		    "export one of them", shown(path, a),
		    shown(dir->path, b), dir->line);
		return NULL;
	}
	if (t->n == EXPORTS_DIRS) {
		mistake(p, p->line, "more than %d directories", EXPORTS_DIRS);
		return NULL;
	}
	dir = &t->dir[t->n];
	*dir = (struct exports_dir){ .line = p->line };
	if ((dir->path = strdup(path)) == NULL) {
		p->no_memory = true;
		return NULL;
	}
	t->n++;
	return dir;
}

static bool
is_whole(struct parser *p, const struct word *w)
{
	if (w->is_cut)
		mistake(p, p->line, "a \" without another: quotes end on "
		    "their line");
	else if (w->has_nul)
		mistake(p, p->line, "a byte that is 0: no name has one");
	return !w->is_cut && !w->has_nul;
}

static void
parse_line(struct parser *p, struct word *w, struct exports_text *t)
{
	struct rules rules = { .has_ro = true, .ro = true, .squash = "root" };
	struct exports_dir *dir;
	char text[SHOWN];
	bool has_client = false;

	if (!is_whole(p, w) || !clean_path(p, w) ||
	    (dir = find_dir(p, t, w->text)) == NULL) {
		skip_line(p);
		return;
	}
	while (next_word(p, w)) {
		if (!is_whole(p, w))
			continue;
		has_client |= w->text[0] != '-';
		take_client(p, w, dir, &rules);
	}
	if (!has_client && !p->no_memory)
		mistake(p, p->line, "%s has no clients: write *(ro) behind it "
		    "for everybody", shown(dir->path, text));
}

/* ------------------------------------------------------------- the order -- */

static int
kind_of(const struct exports_client *c)
{
	return c->bits == HOST_BITS ? 0 : c->bits > 0 ? 1 : 2;
}

/* Insertion: what is equal stays as it was written. */
static void
sort_clients(struct exports_dir *dir)
{
	struct exports_client c;
	unsigned i, at;

	for (i = 1; i < dir->n; i++) {
		c = dir->client[i];
		for (at = i; at > 0 &&
		    kind_of(&dir->client[at - 1]) > kind_of(&c); at--)
			dir->client[at] = dir->client[at - 1];
		dir->client[at] = c;
	}
}

/* Networks count in the order they are written, so the smaller goes first. */
static void
check_networks(struct parser *p, const struct exports_dir *dir)
{
	const struct exports_client *a, *b;
	uint8_t addr[16];
	unsigned i, j;

	for (j = 0; j < dir->n; j++) {
		b = &dir->client[j];
		if (kind_of(b) != 1)
			continue;
		for (i = 0; i < j; i++) {
			a = &dir->client[i];
			if (kind_of(a) != 1 || a->bits >= b->bits)
				continue;
			memcpy(addr, b->addr, sizeof addr);
			clear_rest(addr, a->bits);
			if (memcmp(addr, a->addr, sizeof addr) == 0)
				mistake(p, dir->line, "%s would never count, "
				    "for %s before it has it: write it first",
				    b->text, a->text);
		}
	}
}

/* When a name is on the disk is of the directory. */
static void
check_sync(struct parser *p, struct exports_dir *dir)
{
	unsigned i;
	char text[SHOWN];

	for (i = 0; i < dir->n; i++) {
		if (dir->client[i].rules.async !=
		    dir->client[0].rules.async) {
			mistake(p, dir->line, "%s: sync and async: it can be "
			    "one of them, the same for all clients",
			    shown(dir->path, text));
			return;
		}
	}
	dir->async = dir->n > 0 && dir->client[0].rules.async;
}

/* -------------------------------------------------------------- the whole -- */

int
exports_parse(struct exports_text *t, const char *text, size_t len,
    const struct exports_help *help)
{
	struct parser p = { .pos = text, .end = text + len, .line = 1,
	    .help = help };
	struct word w = { .text = NULL };
	unsigned i;

	t->n = 0;
	while (p.pos < p.end && !p.no_memory) {
		if (next_word(&p, &w))
			parse_line(&p, &w, t);
		if (p.pos < p.end && *p.pos == '\n') {
			p.pos++;
			p.line++;
		}
	}
	free(w.text);
	for (i = 0; i < t->n; i++) {
		sort_clients(&t->dir[i]);
		check_networks(&p, &t->dir[i]);
		check_sync(&p, &t->dir[i]);
	}
	return p.no_memory ? ENOMEM : p.mistakes > 0 ? EINVAL : 0;
}

void
exports_text_fini(struct exports_text *t)
{
	struct exports_dir *dir;

	while (t->n > 0) {
		dir = &t->dir[--t->n];
		while (dir->n > 0)
			free(dir->client[--dir->n].text);
		free(dir->client);
		free(dir->path);
	}
}
