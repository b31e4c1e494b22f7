/* Options of a server by name, as pinefs_set and pinefs(1) take them. */
#include <stdlib.h>

#include "base/log.h"
#include "nfs/nfs4.h"
#include "rpc/peer.h"
#include "server/cli.h"
#include "server/server.h"

void
options_init(struct options *o)
{
	*o = (struct options){ .port = 2049, .mount_port = 5555,
	    .squash = VFS_SQUASH_ROOT, .anon_uid = 65534,
	    .anon_gid = 65534 };
}

void
options_forget_addrs(struct options *o)
{
	while (o->naddr > 0) {
		free(o->addr[--o->naddr]);
		o->addr[o->naddr] = NULL;
	}
}

void
options_fini(struct options *o)
{
	unsigned i;

	options_forget_addrs(o);
	for (i = 0; i < o->nallow; i++)
		free(o->allow[i]);
	free(o->state_dir);
	free(o->instance);
	free(o->what);
	free(o->metrics);
}

static int
number(const char *name, const char *value, unsigned long most,
    unsigned long *n)
{
	char *end;

	errno = 0;
	*n = strtoul(value, &end, 10);
	if (value[0] >= '0' && value[0] <= '9' && *end == '\0' &&
	    errno == 0 && *n <= most)
		return 0;
	log_error("--%s %s: not a number from 0 to %lu", name, value, most);
	return EINVAL;
}

static int
yes_or_no(const char *name, const char *value, bool *on)
{
	if (cli_yes_or_no(value, on))
		return 0;
	log_error("--%s %s: say yes or no", name, value);
	return EINVAL;
}

static int
text(char **to, const char *value)
{
	free(*to);
	return (*to = strdup(value)) == NULL ? ENOMEM : 0;
}

static int
add(char **list, unsigned *n, unsigned max, const char *name,
    const char *value)
{
	if (*n == max) {
		log_error("--%s: at most %u of them", name, max);
		return EINVAL;
	}
	if ((list[*n] = strdup(value)) == NULL)
		return ENOMEM;
	(*n)++;
	return 0;
}

static int
set_port(const char *name, const char *value, uint16_t *port)
{
	unsigned long n;
	int err = number(name, value, 65535, &n);

	if (err == 0)
		*port = (uint16_t)n;
	return err;
}

static int
set_addr(struct options *o, const char *value)
{
	struct sockaddr_storage ss;
	socklen_t len;

	if (peer_parse(value, 0, &ss, &len) != 0) {
		log_error("--addr %s: not an IPv4 or IPv6 address", value);
		return EINVAL;
	}
	return add(o->addr, &o->naddr, SERVER_MAX_ADDRS, "addr", value);
}

static int
set_allow(struct options *o, const char *value)
{
	if (peer_net_check(value) != 0) {
		log_error("--allow %s: not a network like 10.0.0.0/8", value);
		return EINVAL;
	}
	return add(o->allow, &o->nallow, SERVER_MAX_NETS, "allow", value);
}

static int
set_local_auth(struct options *o, const char *value)
{
	o->local_auth_none = strcmp(value, "none") == 0;
	if (o->local_auth_none || strcmp(value, "peer") == 0)
		return 0;
	log_error("--local-auth %s: say peer or none", value);
	return EINVAL;
}

static int
set_squash(enum vfs_squash *squash, const char *value)
{
	static const char *const words[] = { "none", "root", "all" };
	unsigned i;

	for (i = 0; i < 3; i++) {
		if (strcmp(value, words[i]) == 0) {
			*squash = (enum vfs_squash)i;
			return 0;
		}
	}
	log_error("--squash %s: say none, root or all", value);
	return EINVAL;
}

/* "0,1000": who may do anything at all. */
static int
set_uids(struct options *o, const char *value)
{
	const char *p = value;
	char *end;

	o->nuids = 0;
	o->limit_uids = true;
	while (*p != '\0' && o->nuids < SERVER_MAX_UIDS) {
		o->uids[o->nuids++] = (uint32_t)strtoul(p, &end, 10);
		if (end == p || (*end != ',' && *end != '\0')) {
			log_error("--uids %s: not numbers with commas", value);
			return EINVAL;
		}
		p = *end == ',' ? end + 1 : end;
	}
	return 0;
}

static int
set_id(const char *name, const char *value, uint32_t *id)
{
	unsigned long n;
	int err = number(name, value, UINT32_MAX, &n);

	if (err == 0)
		*id = (uint32_t)n;
	return err;
}

static int
set_log(const char *value)
{
	int level = log_level_parse(value);

	if (level == -1) {
		log_error("--log %s: say error, warning, info or debug",
		    value);
		return EINVAL;
	}
	log_set_level((enum log_level)level);
	return 0;
}

static int
set_log_look(const char *name, const char *value, int err, const char *words)
{
	if (err != 0)
		log_error("--%s %s: say %s", name, value, words);
	return err;
}

/* threads, at most as many as there may be loops. */
static int
set_threads(struct options *o, const char *value)
{
	unsigned long n;
	int err = number("threads", value, 64, &n);

	if (err == 0)
		o->threads = (unsigned)n;
	return err;
}

/* Seconds that a v4 client may be silent: 5 to 3600. */
static int
set_lease(struct options *o, const char *value)
{
	unsigned long n;
	int err = number("lease", value, 3600, &n);

	if (err == 0 && n < NFS4_MIN_LEASE) {
		log_error("--lease %s: at least %d seconds", value,
		    NFS4_MIN_LEASE);
		err = EINVAL;
	}
	if (err == 0)
		o->lease = (unsigned)n;
	return err;
}

/* Options that are kept by what they switch off. */
static int
yes_or_off(const char *name, const char *value, bool *off)
{
	bool on;
	int err = yes_or_no(name, value, &on);

	if (err == 0)
		*off = !on;
	return err;
}

int
options_set(struct options *o, const char *name, const char *value)
{
	if (strcmp(name, "addr") == 0)
		return set_addr(o, value);
	if (strcmp(name, "allow") == 0)
		return set_allow(o, value);
	if (strcmp(name, "port") == 0)
		return set_port(name, value, &o->port);
	if (strcmp(name, "mount-port") == 0)
		return set_port(name, value, &o->mount_port);
	if (strcmp(name, "tcp-only") == 0)
		return yes_or_no(name, value, &o->tcp_only);
	if (strcmp(name, "portmap") == 0)
		return yes_or_off(name, value, &o->no_portmap);
	if (strcmp(name, "delegations") == 0)
		return yes_or_off(name, value, &o->no_delegations);
	if (strcmp(name, "local-auth") == 0)
		return set_local_auth(o, value);
	if (strcmp(name, "threads") == 0)
		return set_threads(o, value);
	if (strcmp(name, "lease") == 0)
		return set_lease(o, value);
	if (strcmp(name, "state-dir") == 0)
		return text(&o->state_dir, value);
	if (strcmp(name, "instance") == 0)
		return text(&o->instance, value);
	if (strcmp(name, "what") == 0)
		return text(&o->what, value);
	if (strcmp(name, "metrics") == 0)
		return text(&o->metrics, value);
	if (strcmp(name, "control") == 0)
		return yes_or_no(name, value, &o->control);
	if (strcmp(name, "ro") == 0)
		return yes_or_no(name, value, &o->read_only);
	if (strcmp(name, "udp-changes-reserved") == 0)
		return yes_or_no(name, value, &o->udp_changes_reserved);
	if (strcmp(name, "systemd") == 0)
		return yes_or_no(name, value, &o->systemd);
	if (strcmp(name, "squash") == 0)
		return set_squash(&o->squash, value);
	if (strcmp(name, "anonuid") == 0)
		return set_id(name, value, &o->anon_uid);
	if (strcmp(name, "anongid") == 0)
		return set_id(name, value, &o->anon_gid);
	if (strcmp(name, "uids") == 0)
		return set_uids(o, value);
	if (strcmp(name, "log") == 0)
		return set_log(value);
	if (strcmp(name, "log-format") == 0)
		return set_log_look(name, value, log_set_format(value),
		    "text, json or journal");
	if (strcmp(name, "color") == 0)
		return set_log_look(name, value, log_set_colour(value),
		    "auto, always or never");
	log_error("no option is named '%s'", name);
	return EINVAL;
}

int
options_set_export(struct export_options *o, const char *name,
    const char *value)
{
	int err;

	if (strcmp(name, "ro") == 0) {
		err = yes_or_no(name, value, &o->read_only);
		o->has_read_only |= err == 0;
	} else if (strcmp(name, "squash") == 0) {
		err = set_squash(&o->squash, value);
		o->has_squash |= err == 0;
	} else if (strcmp(name, "anonuid") == 0) {
		err = set_id(name, value, &o->anon_uid);
		o->has_anon_uid |= err == 0;
	} else if (strcmp(name, "anongid") == 0) {
		err = set_id(name, value, &o->anon_gid);
		o->has_anon_gid |= err == 0;
	} else {
		log_error("no option of an export is named '%s'", name);
		err = EINVAL;
	}
	return err;
}

void
options_to_export(const struct export_options *o, struct vfs_export *e)
{
	if (o->has_read_only)
		e->read_only = o->read_only;
	if (o->has_squash)
		e->squash = o->squash;
	if (o->has_anon_uid)
		e->anon_uid = o->anon_uid;
	if (o->has_anon_gid)
		e->anon_gid = o->anon_gid;
}
