/*
 * Connecting, and calls that wait for their reply: the portmapper, MOUNT, and
 * what prepares a workload.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/tcp.h>

#include "nfsbench.h"

struct fh root_fh, work_dir;
struct conn setup = { .fd = -1 };
uint8_t sync_buf[HDR_MAX * 2];

static uint8_t reply[1 << 20];

/* Bind to a reserved port, which many servers insist on. */
static void
bind_reserved(int fd)
{
	static uint16_t port = 1023;
	struct sockaddr_in a = { .sin_family = AF_INET };

	if (geteuid() != 0)
		return;
	for (int i = 0; i < 500; i++) {
		a.sin_port = htons(port);
		port = port <= 600 ? 1023 : port - 1;
		if (bind(fd, (struct sockaddr *)&a, sizeof a) == 0)
			return;
	}
}

int
tcp_connect(int port)
{
	struct sockaddr_in a = cf.addr;
	int one = 1, fd;

	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		die("socket: %s", strerror(errno));
	a.sin_port = htons((uint16_t)port);
	bind_reserved(fd);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == -1) {
		if (errno != EADDRNOTAVAIL && errno != EADDRINUSE)
			die("connect to %s:%d: %s", cf.host, port,
			    strerror(errno));
		/* The reserved port is in TIME_WAIT: take any. */
		close(fd);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd == -1 ||
		    connect(fd, (struct sockaddr *)&a, sizeof a) == -1)
			die("connect to %s:%d: %s", cf.host, port,
			    strerror(errno));
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

/* Record mark (set when it is sent) to verifier. */
uint8_t *
call_head(uint8_t *p, uint32_t xid, uint32_t prog, uint32_t vers,
    uint32_t proc, bool auth)
{
	uint8_t *len;

	p = p32(p, 0);
	p = p32(p, xid);
	p = p32(p, 0);
	p = p32(p, 2);
	p = p32(p, prog);
	p = p32(p, vers);
	p = p32(p, proc);
	if (!auth)
		return p64(p64(p, 0), 0);
	p = p32(p, 1);		/* AUTH_SYS */
	len = p;
	p = p32(p + 4, 1);
	p = pstr(p, "nfsbench");
	p = p32(p, cf.uid);
	p = p32(p, cf.gid);
	p = p32(p, 0);
	p32(len, (uint32_t)(p - len - 4));
	return p64(p, 0);
}

static void
read_full(int fd, void *buf, size_t n)
{
	uint8_t *p = buf;
	ssize_t r;

	while (n > 0) {
		if ((r = recv(fd, p, n, 0)) <= 0)
			die("server closed the connection during set-up");
		p += r;
		n -= (size_t)r;
	}
}

bool
sync_call(int fd, uint8_t *end, struct xd *x)
{
	static uint32_t xid = 0x5e700000;
	uint32_t n = 0, mark, len;
	ssize_t r;

	p32(sync_buf, 0x80000000u | (uint32_t)(end - sync_buf - 4));
	p32(sync_buf + 4, ++xid);
	for (uint8_t *p = sync_buf; p < end; p += r)
		if ((r = send(fd, p, (size_t)(end - p), MSG_NOSIGNAL)) <= 0)
			die("send: %s", strerror(errno));
	do {
		read_full(fd, &mark, 4);
		mark = ntohl(mark);
		len = mark & 0x7fffffffu;
		if (len > sizeof reply - n)
			die("reply too long during set-up");
		read_full(fd, reply + n, len);
		n += len;
	} while (!(mark & 0x80000000u));
	*x = (struct xd){ reply, reply + n, false };
	if (g32(x) != xid || g32(x) != 1)
		die("unexpected reply during set-up");
	if (g32(x) != 0)
		return false;
	g32(x);
	graw(x, g32(x));
	return g32(x) == 0 && !x->bad;
}

static int
pmap_getport(uint32_t prog, uint32_t vers)
{
	int fd = tcp_connect(cf.pmap_port), port;
	struct xd x;
	uint8_t *p;

	p = call_head(sync_buf, 0, PROG_PMAP, 2, 3, false);
	p = p32(p32(p32(p32(p, prog), vers), 6), 0);
	if (!sync_call(fd, p, &x))
		die("portmapper call failed");
	port = (int)g32(&x);
	close(fd);
	return port;
}

void
mount_root(void)
{
	uint32_t vers = cf.vers == 2 ? 1 : 3, status, n;
	int port = cf.mport, fd;
	const uint8_t *f;
	struct xd x;
	uint8_t *p;

	if (port == 0)
		port = pmap_getport(PROG_MOUNT, vers);
	if (port == 0)
		die("mount service is not registered");
	fd = tcp_connect(port);
	p = call_head(sync_buf, 0, PROG_MOUNT, vers, 1, true);
	p = pstr(p, cf.export);
	if (!sync_call(fd, p, &x))
		die("MNT call rejected");
	if ((status = g32(&x)) != 0)
		die("MNT %s: status %u", cf.export, status);
	n = vers == 1 ? 32 : g32(&x);
	f = graw(&x, n);
	if (f == NULL || n > sizeof root_fh.b)
		die("MNT: bad handle");
	root_fh.len = (uint8_t)n;
	memcpy(root_fh.b, f, n);
	close(fd);
}

/* Calls of NFS 2 and 3 on the set-up connection. */

static uint8_t *
sync_head(uint32_t proc)
{
	return call_head(sync_buf, 0, PROG_NFS, (uint32_t)cf.vers, proc, true);
}

static uint32_t
sync_status(uint8_t *end, uint32_t proc, struct xd *x)
{
	if (setup.fd == -1)
		setup.fd = tcp_connect(cf.port);
	if (!sync_call(setup.fd, end, x))
		die("procedure %u rejected", proc);
	return g32(x);
}

static uint32_t
sync_dirop(uint32_t proc, const struct fh *dir, const char *name, struct xd *x)
{
	return sync_status(pstr(put_fh(sync_head(proc), dir), name), proc, x);
}

/* The handle in a reply of CREATE or MKDIR; where v3 gives none, look it up. */
static void
need_fh(struct xd *x, const char *name, struct fh *out, const struct fh *dir)
{
	if (cf.vers == 2 || g32(x)) {
		if (get_fh(x, out))
			return;
	} else if (sync_dirop(3, dir, name, x) == 0 && get_fh(x, out)) {
		return;
	}
	die("%s: no handle", name);
}

void
do_mkdir(const struct fh *dir, const char *name, struct fh *out)
{
	uint32_t proc = cf.vers == 2 ? 14 : 9, status;
	struct xd x;
	uint8_t *p;

	if (cf.vers == 4) {
		v4_mkdir(dir, name, out);
		return;
	}
	p = pstr(put_fh(sync_head(proc), dir), name);
	p = cf.vers == 2 ? put_sattr2(p, 0777) : put_sattr3(p, 0777);
	if ((status = sync_status(p, proc, &x)) != 0)
		die("MKDIR %s: status %u", name, status);
	need_fh(&x, name, out, dir);
}

void
do_create(const struct fh *dir, const char *name, struct fh *out)
{
	uint32_t proc = cf.vers == 2 ? 9 : 8, status;
	struct xd x;
	uint8_t *p;

	if (cf.vers == 4) {
		v4_conn_open(&setup, dir, name, out, setup.stateid);
		return;
	}
	p = pstr(put_fh(sync_head(proc), dir), name);
	p = cf.vers == 2 ? put_sattr2(p, 0666) : put_sattr3(p32(p, 0), 0666);
	if ((status = sync_status(p, proc, &x)) != 0)
		die("CREATE %s: status %u", name, status);
	need_fh(&x, name, out, dir);
}

void
do_unlink(const struct fh *dir, const char *name, bool isdir)
{
	struct xd x;

	if (cf.vers == 4)
		v4_remove(dir, name);
	else if (cf.vers == 2)
		sync_dirop(isdir ? 15 : 10, dir, name, &x);
	else
		sync_dirop(isdir ? 13 : 12, dir, name, &x);
}

/* Read a block back and compare it (--verify after a write run). */
bool
block_is_right(const struct fh *f, uint64_t off)
{
	uint32_t left = cf.size, n;
	const uint8_t *d;
	struct xd x;
	uint8_t *p;

	while (left > 0) {
		n = left < 65536 ? left : 65536;
		p = put_fh(sync_head(6), f);
		if (cf.vers == 2)
			p = p32(p32(p32(p, (uint32_t)off), n), 0);
		else
			p = p32(p64(p, off), n);
		if (sync_status(p, 6, &x) != 0)
			return false;
		if (cf.vers == 2) {
			graw(&x, 68);
		} else {
			skip_attr3(&x);
			g64(&x);
		}
		n = g32(&x);
		d = graw(&x, n);
		if (d == NULL || n == 0 || n > left ||
		    memcmp(d, pat_at(off), n) != 0)
			return false;
		left -= n;
		off += n;
	}
	return true;
}
