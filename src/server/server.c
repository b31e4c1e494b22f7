/* What pinefs_server_new to pinefs_stop do.  See pinefs.h. */
#include "server/server.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "nfs/nfs4.h"
#include "rpc/peer.h"
#include "rpc/server.h"
#include "server/control.h"
#include "server/systemd.h"

enum { MAX_PAYLOAD = 1 << 20, WAIT_CHECK_MS = 10000, EXECUTOR_THREADS = 4 };

int
pinefs_server_new(struct pinefs_server **sp)
{
	struct pinefs_server *s = calloc(1, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	log_read_environment();
	options_init(&s->opt);
	s->state = (struct state){ .dir = -1, .lock = -1 };
	*sp = s;
	return 0;
}

int
pinefs_set(struct pinefs_server *s, const char *option, const char *value)
{
	return s->started ? EBUSY : options_set(&s->opt, option, value);
}

/* --------------------------------------------------------------- exports -- */

/* "/" or "/NAME": none lies below another but "/". */
static int
check_path(const char *path)
{
	size_t len = strlen(path);

	if (path[0] != '/' || strchr(path + 1, '/') != NULL ||
	    strcmp(path, "/.") == 0 || strcmp(path, "/..") == 0)
		return EINVAL;
	return len - 1 > SERVER_MAX_NAME ? ENAMETOOLONG : 0;
}

/* Its place in the table, or -1. */
static int
find_export(const struct pinefs_server *s, const char *path)
{
	unsigned i;

	for (i = 0; i < s->exports.n; i++)
		if (strcmp(s->export[i].path, path) == 0)
			return (int)i;
	return -1;
}

int
pinefs_export(struct pinefs_server *s, const char *path, struct pinefs *fs)
{
	unsigned n = s->nexports;
	struct vfs_export *e = &s->export[n];
	int err;

	if (s->started)
		return EBUSY;
	if (n == SERVER_MAX_EXPORTS)
		return ENOSPC;
	if ((err = check_path(path)) != 0)
		return err;
	if (find_export(s, path) != -1)
		return EEXIST;
	*e = (struct vfs_export){ .fs = fs };
	if ((e->path = strdup(path)) == NULL)
		return ENOMEM;
	/* In the order they came, which is how clients see them listed. */
	if (n == 0)
		s->exports.first = e;
	else
		s->export[n - 1].next = e;
	s->exports.n++;
	s->nexports++;
	return 0;
}

int
server_finish_export(struct pinefs_server *s, struct vfs_export *e,
    const uint32_t *taken, unsigned n)
{
	char *name;

	e->read_only = s->opt.read_only;
	e->squash = s->opt.squash;
	e->anon_uid = s->opt.anon_uid;
	e->anon_gid = s->opt.anon_gid;
	e->uids = s->opt.limit_uids ? s->opt.uids : NULL;
	e->nuids = s->opt.nuids;
	/* Another program on the same port is another export. */
	if (asprintf(&name, "%s%s", s->opt.instance == NULL ? "" :
	    s->opt.instance, e->path) == -1)
		return ENOMEM;
	e->id = state_export_id(&s->state, name, taken, n);
	free(name);
	return 0;
}

int
pinefs_export_set(struct pinefs_server *s, const char *path,
    const char *option, const char *value)
{
	int i;

	if (s->started)
		return EBUSY;
	if ((i = find_export(s, path)) == -1)
		return ENOENT;
	return options_set_export(&s->own[i], option, value);
}

/*
 * The server's options hold for every export that has none of its own; ids
 * come from the state directory.
 */
static int
finish_exports(struct pinefs_server *s)
{
	uint32_t taken[SERVER_MAX_EXPORTS];
	unsigned i;
	int err;

	for (i = 0; i < s->exports.n; i++) {
		err = server_finish_export(s, &s->export[i], taken, i);
		if (err != 0)
			return err;
		options_to_export(&s->own[i], &s->export[i]);
		taken[i] = s->export[i].id;
	}
	return more_begin(s);
}

/* -------------------------------------------------------------- executors -- */

int
server_make_executor(struct pinefs *fs, struct rpc_executor **to)
{
	static const struct pinefs_executor none = { 0 };
	const struct pinefs_ops *ops = vfs_fs_ops(fs);
	const struct pinefs_executor *x = ops->executor == NULL ? &none :
	    ops->executor;
	int err;

	if (ops->blocking == 0)
		return 0;
	err = rpc_executor_new(to, x->threads == 0 ? EXECUTOR_THREADS :
	    x->threads, x->begin, x->end, x->arg);
	if (err == 0 && x->patience != 0)
		err = rpc_executor_set_patience(*to, x->patience);
	if (err == 0)
		vfs_fs_set_executor(fs, *to);
	return err;
}

static int
make_executors(struct pinefs_server *s)
{
	unsigned i;
	int err = 0;

	for (i = 0; i < s->nexports && err == 0; i++)
		err = server_make_executor(s->export[i].fs, &s->executor[i]);
	return err;
}

static void
free_executors(struct pinefs_server *s)
{
	unsigned i;

	for (i = 0; i < s->nexports; i++) {
		if (s->executor[i] == NULL)
			continue;
		vfs_fs_set_executor(s->export[i].fs, NULL);
		rpc_executor_free(s->executor[i]);
		s->executor[i] = NULL;
	}
}

/* ---------------------------------------------------------- registration -- */

static unsigned
rows_of(const struct pinefs_server *s,
    struct register_row rows[2 * NFS_PROGRAMS])
{
	uint16_t port, second = rpc_server_second_port(s->rpc);
	const struct rpc_service *v;
	unsigned i, n = 0;

	for (i = 0; i < s->nprograms; i++) {
		v = s->program[i].service;
		port = s->program[i].mount_port && second != 0 ? second :
		    rpc_server_port(s->rpc);
		rows[n++] = (struct register_row){ v->prog, v->vers, port,
		    false };
		if (!s->opt.tcp_only && !s->program[i].no_udp)
			rows[n++] = (struct register_row){ v->prog, v->vers,
			    port, true };
	}
	return n;
}

/* The first address of a family that we listen on. */
static const char *
host_of(const struct pinefs_server *s, bool v6)
{
	unsigned i;

	for (i = 0; i < s->opt.naddr; i++)
		if ((strchr(s->opt.addr[i], ':') != NULL) == v6)
			return s->opt.addr[i];
	return s->opt.naddr > 0 ? NULL : v6 ? "::1" : "127.0.0.1";
}

static void
tell_portmapper(struct pinefs_server *s, bool on)
{
	struct register_row rows[2 * NFS_PROGRAMS];
	int err;

	if (s->opt.no_portmap || (!on && !s->registered))
		return;
	err = register_rows(rows, rows_of(s, rows), host_of(s, false),
	    host_of(s, true), on, &s->rpc->fds);
	s->registered = on && (err == 0 || err == EEXIST);
	if (!on || err == 0)
		return;
	if (err == EEXIST)
		log_warning("the portmapper knows other servers for some of "
		    "our programs: give port= and mountport= when mounting");
	else
		log_info("no portmapper: not needed, give port= and "
		    "mountport= when mounting");
}

/* ---------------------------------------------------------- start and stop -- */

static int
nfs_after(void *arg, unsigned ms, void (*fn)(void *), void *fn_arg)
{
	struct pinefs_server *s = arg;

	return rpc_server_after(s->rpc, ms, fn, fn_arg);
}

static int
nfs_connect(void *arg, const struct sockaddr_storage *to,
    struct rpc_link **link)
{
	struct pinefs_server *s = arg;

	return rpc_link_connect(s->rpc, to, link);
}

/* Calls that a file system has not completed for 30 s get one line. */
static void
check_waits(void *arg)
{
	struct pinefs_server *s = arg;
	struct vfs_export *e;

	for (e = s->exports.first; e != NULL; e = e->next)
		vfs_fs_check_waits(e->fs, clock_boot_ms());
	log_count(false);
	rpc_server_after(s->rpc, WAIT_CHECK_MS, check_waits, s);
}

static int
make_rpc(struct pinefs_server *s)
{
	struct rpc_server_config config = {
		.addrs = s->opt.naddr == 0 ? NULL :
		    (const char *const *)s->opt.addr,
		.port = s->opt.port,
		.second_port = s->opt.mount_port,
		.tcp_only = s->opt.tcp_only,
		.local_auth_none = s->opt.local_auth_none,
		.udp_changes_reserved = s->opt.udp_changes_reserved,
		.loops = s->opt.threads,
		.allow = (const char *const *)s->opt.allow,
		.max_payload = MAX_PAYLOAD,
		.sockets = s->socket,
		.nsockets = s->nsockets,
	};
	struct nfs4_records records;
	unsigned i;
	int err;

	if ((err = rpc_server_new(&s->rpc, &config)) != 0)
		return err;
	nfs_init(&s->nfs, &s->exports);
	s->nfs.keys = s->state.keys;
	s->nfs.after = nfs_after;
	s->nfs.after_arg = s;
	s->nfs.connect = nfs_connect;
	s->nfs.no_delegations = s->opt.no_delegations;
	s->nfs.owner = owners_id;
	if ((s->owners = owners_new("/etc/passwd", "/etc/group")) == NULL ||
	    (s->clients = clients_new(&s->state, &records)) == NULL ||
	    (s->nfs.nfs4 = nfs4_new(&s->nfs, &records, s->opt.lease)) == NULL)
		return ENOMEM;
	s->nfs.owner_arg = s->owners;
	s->nprograms = nfs_programs(&s->nfs, s->program);
	for (i = 0; i < s->nprograms; i++)
		if ((err = rpc_server_add(s->rpc, &s->program[i])) != 0)
			return err;
	return 0;
}

/* As if --addr had named it, once. */
static int
add_address(struct pinefs_server *s, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *sin6 = (const void *)ss;
	const struct sockaddr_in *sin = (const void *)ss;
	char text[INET6_ADDRSTRLEN];
	unsigned i;

	inet_ntop(ss->ss_family, ss->ss_family == AF_INET6 ?
	    (const void *)&sin6->sin6_addr : (const void *)&sin->sin_addr,
	    text, sizeof text);
	for (i = 0; i < s->opt.naddr; i++)
		if (strcmp(s->opt.addr[i], text) == 0)
			return 0;
	return options_set(&s->opt, "addr", text);
}

/*
 * Sockets that a service manager opened, if it did.  The addresses of all of
 * them are checked as ours are; the first is where NFS is.
 */
static int
take_sockets(struct pinefs_server *s)
{
	bool udp = false;
	unsigned i;
	int err;

	if (!s->opt.systemd)
		return 0;
	err = systemd_sockets(s->socket, SERVER_MAX_SOCKETS, &s->nsockets);
	if (err != 0 || s->nsockets == 0)
		return err;
	options_forget_addrs(&s->opt);
	for (i = 0; i < s->nsockets && err == 0; i++) {
		udp |= s->socket[i].udp;
		if (!s->socket[i].udp && !s->socket[i].second)
			err = add_address(s, &s->socket[i].addr);
	}
	for (i = 0; i < s->nsockets && err == 0; i++)
		err = add_address(s, &s->socket[i].addr);
	s->opt.tcp_only |= !udp;
	return err;
}

/* AUTH_SYS over a network lets everybody claim to be anybody. */
static int
check_addresses(const struct pinefs_server *s)
{
	struct sockaddr_storage ss;
	socklen_t len;
	unsigned i;

	for (i = 0; i < s->opt.naddr; i++) {
		if (peer_parse(s->opt.addr[i], 0, &ss, &len) == 0 &&
		    peer_is_loopback(&ss))
			continue;
		if (s->opt.nallow == 0) {
			log_error("--addr %s is not loopback: say with "
			    "--allow NET who may come", s->opt.addr[i]);
			return EPERM;
		}
		log_warning("%s: clients of the allowed networks can claim "
		    "any uid", s->opt.addr[i]);
	}
	return 0;
}

static void
take_state(struct pinefs_server *s)
{
	if (!s->has_state)
		state_open(&s->state, s->opt.state_dir,
		    s->opt.instance == NULL ? "pinefs" : s->opt.instance);
	s->has_state = true;
}

const char *
pinefs_state_dir(struct pinefs_server *s)
{
	take_state(s);
	return s->state.dir == -1 ? NULL : s->state.path;
}

static int
prepare(struct pinefs_server *s)
{
	int err;

	if (s->exports.n == 0 && s->more == NULL)
		return EINVAL;
	if ((err = take_sockets(s)) != 0 || (err = check_addresses(s)) != 0)
		return err;
	take_state(s);
	if ((err = finish_exports(s)) != 0 || (err = make_executors(s)) != 0
	    || (err = make_rpc(s)) != 0)
		log_error("cannot start: %s", strerror(err));
	return err;
}

static void
undo(struct pinefs_server *s)
{
	struct rpc_server *rpc = s->rpc;

	more_end(s);
	free_executors(s);
	s->rpc = NULL;	/* first, for the child of a fork */
	rpc_server_free(rpc);
	control_free(s);
	nfs4_free(s->nfs.nfs4);
	s->nfs.nfs4 = NULL;
	clients_free(s->clients);
	s->clients = NULL;
	owners_free(s->owners);
	s->owners = NULL;
	state_close(&s->state);
	s->has_state = false;
}

static void
tell_manager(const struct pinefs_server *s, bool on)
{
	if (!s->opt.systemd)
		return;
	/* Where a person reads, the program says it, and how to mount it. */
	if (!log_is_text())
		log_info(on ? "serving NFS on %s port %u" :
		    "no longer serving NFS on %s port %u",
		    s->opt.naddr > 0 ? s->opt.addr[0] : "127.0.0.1",
		    rpc_server_port(s->rpc));
	if (on)
		systemd_notify("READY=1\nSTATUS=Serving NFS on %s port %u",
		    s->opt.naddr > 0 ? s->opt.addr[0] : "127.0.0.1",
		    rpc_server_port(s->rpc));
	else
		systemd_notify("STOPPING=1\nSTATUS=Ending the calls in "
		    "flight");
}

int
pinefs_start(struct pinefs_server *s)
{
	int err;

	if (s->started)
		return EALREADY;
	err = prepare(s);
	if (err == 0)
		err = rpc_server_start(s->rpc);
	if (err != 0) {
		undo(s);
		return err;
	}
	s->started = true;
	rpc_server_after(s->rpc, WAIT_CHECK_MS, check_waits, s);
	nfs4_start(s->nfs.nfs4);
	tell_portmapper(s, true);
	control_start(s);
	tell_manager(s, true);
	return 0;
}

int
pinefs_poll_fd(struct pinefs_server *s)
{
	if (!s->started) {
		if (prepare(s) != 0) {
			undo(s);
			return -1;
		}
		s->started = true;
		if (rpc_server_poll_fd(s->rpc) == -1)
			return -1;
		nfs4_start(s->nfs.nfs4);
		control_start(s);
	}
	return rpc_server_poll_fd(s->rpc);
}

int
pinefs_poll(struct pinefs_server *s, int timeout_ms)
{
	return s->rpc == NULL ? EINVAL : rpc_server_poll(s->rpc, timeout_ms);
}

int
pinefs_port(const struct pinefs_server *s)
{
	return s->rpc == NULL ? 0 : rpc_server_port(s->rpc);
}

int
pinefs_stop(struct pinefs_server *s, int drain_ms)
{
	int err;

	if (!s->started)
		return s->busy ? EBUSY : 0;
	control_stop(s);
	tell_manager(s, false);
	tell_portmapper(s, false);
	nfs4_stop(s->nfs.nfs4);
	err = rpc_server_stop(s->rpc, drain_ms);
	if (err == 0) {	/* else a call may still come back to one */
		more_end(s);
		free_executors(s);
	}
	log_count(true);
	s->started = false;
	s->busy = err != 0;
	return err;
}

void
pinefs_server_free(struct pinefs_server *s)
{
	unsigned i;

	if (s == NULL)
		return;
	if (pinefs_stop(s, 0) != 0) {
		/* A file system still holds a call: better lost than torn. */
		log_warning("a call was never completed; its memory is lost");
		return;
	}
	undo(s);
	nfs_fini(&s->nfs);
	for (i = 0; i < s->nexports; i++)
		free(s->export[i].path);
	more_free(s);
	named_free(s);
	options_fini(&s->opt);
	free(s);
}

/* ------------------------------------------------------------------ more -- */

int
pinefs_after(struct pinefs_server *s, unsigned ms, void (*fn)(void *),
    void *arg)
{
	return s->rpc == NULL ? EINVAL : rpc_server_after(s->rpc, ms, fn, arg);
}

void
pinefs_fork_child(struct pinefs_server *s)
{
	if (s->rpc != NULL)
		rpc_server_fork_child(s->rpc);
	control_fork_child(s);
	fds_fork_child(&s->state.fds);	/* the parent's keep the lock */
}

void
pinefs_log(int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(level == PINEFS_LOG_ERROR ? LOG_LEVEL_ERROR :
	    level == PINEFS_LOG_WARNING ? LOG_LEVEL_WARNING :
	    level == PINEFS_LOG_INFO ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, fmt,
	    ap);
	va_end(ap);
}

int *
pinefs_trace(void)
{
	return rpc_trace_switch();
}

const char *
pinefs_version(void)
{
	return PINEFS_VERSION;
}
