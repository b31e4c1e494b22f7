/*
 * rawloop: the floor under an NFS server, how fast this machine can take ONC
 * RPC records off TCP sockets and put replies of the right size back.
 *
 * It looks at the record mark, the xid and the procedure number (and, in READ,
 * at offset and count) and answers with bytes that were prepared beforehand.
 * It is not an NFS server.  Measure it with `nfsbench --no-prepare`; what a
 * real server reaches is then given as a share of this.
 *
 *	rawloop [-p port] [-t threads] [-m writev|copy|sendfile] [-b] [-w]
 *
 *	-t	event loops, each with its own listening socket (SO_REUSEPORT)
 *	-m	where READ data comes from: memory by writev, memory copied
 *		into the output buffer, or a memory file by sendfile
 *	-b	no batching: one send per reply
 *	-w	hand each call to a second thread, which sends the reply
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "nfsbench/xdr.h"

#define IN_CAP (256u << 10)
#define DATA_LEN (8u << 20)
#define OUT_MAX 1024		/* replies in flight to one socket */
#define HEAD_MAX 136
#define CALL_LEAST 40u		/* the shortest call */
#define CALL_LOOK 256u		/* what is looked at of a call */
#define QUEUE 4096u

enum mode { M_WRITEV, M_COPY, M_SENDFILE };

static int port = 20490, threads = 1;
static enum mode mode = M_WRITEV;
static bool one_by_one, hand_off;
static uint8_t *data;
static int data_fd;

struct reply {
	uint8_t head[HEAD_MAX];
	uint32_t head_len, data_len, data_off;
};

struct conn {
	int fd;
	uint8_t *in;
	uint32_t in_len;
	uint64_t skip;		/* bytes of a record that are not looked at */
	struct reply out[OUT_MAX];
	uint32_t first, n, sent; /* a ring; bytes of the first that have gone */
	uint8_t *copy;
	bool want_out;
};

struct loop {
	int epoll, listener;
	pthread_t thread;
};

/* The queue of -w. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct {
		int fd;
		struct reply reply;
	} calls[QUEUE];
	unsigned first, n;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.filled = PTHREAD_COND_INITIALIZER };

static void
send_reply(int fd, struct reply *r)
{
	struct iovec v[2] = { { r->head, r->head_len },
		{ data + r->data_off, r->data_len } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = r->data_len ? 2 : 1 };
	size_t left = r->head_len + r->data_len;
	ssize_t n;

	while (left > 0) {
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
		if (n == -1 && errno == EAGAIN)
			continue;
		if (n == -1)
			return;
		left -= (size_t)n;
		for (int i = 0; i < 2; i++) {
			size_t k = (size_t)n < v[i].iov_len ? (size_t)n :
			    v[i].iov_len;

			v[i].iov_base = (uint8_t *)v[i].iov_base + k;
			v[i].iov_len -= k;
			n -= (ssize_t)k;
		}
	}
}

static void *
worker(void *arg)
{
	struct reply r;
	int fd;

	(void)arg;
	for (;;) {
		pthread_mutex_lock(&queue.lock);
		while (queue.n == 0)
			pthread_cond_wait(&queue.filled, &queue.lock);
		fd = queue.calls[queue.first].fd;
		r = queue.calls[queue.first].reply;
		queue.first = (queue.first + 1) % QUEUE;
		queue.n--;
		pthread_mutex_unlock(&queue.lock);
		send_reply(fd, &r);
	}
	return NULL;
}

/* Replies */

static uint32_t
get(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return ntohl(v);
}

static uint8_t *
put_attr(uint8_t *p)
{
	static const uint32_t attr[21] = { 2, 0755, 2, 0, 0, 0, 4096, 0, 4096,
		0, 0, 0, 1, 0, 1 };

	for (int i = 0; i < 21; i++)
		p = p32(p, attr[i]);
	return p;
}

/* Offset and count, which are behind the handle of a READ or WRITE. */
static void
get_range(const uint8_t *b, uint32_t avail, uint32_t *off, uint32_t *count)
{
	uint32_t cred = get(b + 28), handle, at;

	*off = 0;
	*count = 4096;
	if (cred > 400 || 24 + 8 + cred + 8 + 4 > avail)
		return;
	at = 24 + 8 + cred + 8;
	handle = get(b + at);
	at += 4 + ((handle + 3) & ~3u);
	if (handle > 64 || at + 12 > avail)
		return;
	*off = get(b + at + 4);
	*count = get(b + at + 8);
}

/* `b` is a call from its xid on; at least CALL_LEAST bytes of it are there. */
static void
make_reply(struct reply *r, const uint8_t *b, uint32_t avail)
{
	uint32_t off, count;
	uint8_t *p = r->head + 4;

	memcpy(p, b, 4);
	p = p32(p + 4, 1);
	p = p64(p64(p, 0), 0);	/* accepted, no verifier, success */
	r->data_len = 0;
	switch (get(b + 20)) {
	case 0:
		break;
	case 1:
		p = put_attr(p32(p, 0));
		break;
	case 6:
		get_range(b, avail, &off, &count);
		if (count > DATA_LEN / 2)
			count = DATA_LEN / 2;
		p = put_attr(p64(p, 1));
		p = p32(p32(p32(p, count), 0), count);
		r->data_len = count;
		r->data_off = off % (DATA_LEN / 2);
		break;
	case 7:			/* any size: nfsbench checks the count */
		get_range(b, avail, &off, &count);
		p = put_attr(p32(p64(p, 0), 1));
		p = p64(p32(p32(p, count), 2), 0);
		break;
	default:
		p = put_attr(p32(p32(p, 0), 1));
		break;
	}
	r->head_len = (uint32_t)(p - r->head);
	p32(r->head, 0x80000000u | (r->head_len - 4 + r->data_len));
}

/* Output */

enum { IOV = 256 };

/* What is to be sent now, as vectors; copies in mode M_COPY. */
static size_t
gather(struct conn *c, struct iovec *v, int *nv)
{
	uint32_t sent = c->sent, copied = 0, head, off, n;
	size_t total = 0;

	*nv = 0;
	for (uint32_t i = 0; i < c->n && *nv < IOV - 2; i++) {
		struct reply *r = &c->out[(c->first + i) % OUT_MAX];

		head = sent < r->head_len ? sent : r->head_len;
		off = sent - head;
		sent = 0;
		n = r->head_len - head + r->data_len - off;
		if (mode == M_COPY && r->data_len > 0) {
			uint8_t *to = c->copy + copied;

			if (copied + n > DATA_LEN)
				break;
			memcpy(to, r->head + head, r->head_len - head);
			memcpy(to + r->head_len - head,
			    data + r->data_off + off, r->data_len - off);
			v[(*nv)++] = (struct iovec){ to, n };
			copied += n;
		} else {
			if (head < r->head_len)
				v[(*nv)++] = (struct iovec){ r->head + head,
				    r->head_len - head };
			if (off < r->data_len)
				v[(*nv)++] = (struct iovec){
				    data + r->data_off + off,
				    r->data_len - off };
		}
		total += n;
		if (one_by_one)
			break;
	}
	return total;
}

static ssize_t
send_file(struct conn *c, struct reply *r)
{
	off_t off;

	if (c->sent < r->head_len)
		return send(c->fd, r->head + c->sent, r->head_len - c->sent,
		    MSG_MORE | MSG_NOSIGNAL | MSG_DONTWAIT);
	off = r->data_off + (c->sent - r->head_len);
	return sendfile(c->fd, data_fd, &off,
	    r->head_len + r->data_len - c->sent);
}

static void
unqueue(struct conn *c, size_t n)
{
	while (c->n > 0) {
		struct reply *r = &c->out[c->first];
		uint32_t rest = r->head_len + r->data_len - c->sent;

		if (n < rest) {
			c->sent += (uint32_t)n;
			return;
		}
		n -= rest;
		c->sent = 0;
		c->first = (c->first + 1) % OUT_MAX;
		c->n--;
	}
}

/* False when the socket is full. */
static bool
flush(struct conn *c)
{
	struct iovec v[IOV];
	size_t total;
	ssize_t n;
	int nv;

	while (c->n > 0) {
		if (mode == M_SENDFILE && c->out[c->first].data_len > 0) {
			n = send_file(c, &c->out[c->first]);
			total = n > 0 ? (size_t)n : 0;
		} else {
			struct msghdr m = { .msg_iov = v };

			total = gather(c, v, &nv);
			m.msg_iovlen = (size_t)nv;
			n = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		}
		if (n == -1)
			return errno != EAGAIN;
		unqueue(c, (size_t)n);
		if ((size_t)n < total)
			return false;
	}
	return true;
}

/* Input */

/* False when there is no room for its reply. */
static bool
take_call(struct conn *c, const uint8_t *b, uint32_t avail)
{
	if (!hand_off) {
		if (c->n == OUT_MAX)
			return false;
		make_reply(&c->out[(c->first + c->n++) % OUT_MAX], b, avail);
		return true;
	}
	pthread_mutex_lock(&queue.lock);
	if (queue.n < QUEUE) {
		unsigned i = (queue.first + queue.n++) % QUEUE;

		queue.calls[i].fd = c->fd;
		make_reply(&queue.calls[i].reply, b, avail);
		pthread_cond_signal(&queue.filled);
	}
	pthread_mutex_unlock(&queue.lock);
	return true;
}

/* One receive, and all the calls in it.  False when the connection is over. */
static bool
input(struct conn *c)
{
	uint32_t n, pos = 0, len, need, k;
	ssize_t r;

	r = recv(c->fd, c->in + c->in_len, IN_CAP - c->in_len, MSG_DONTWAIT);
	if (r <= 0)
		return r == -1 && errno == EAGAIN;
	n = c->in_len + (uint32_t)r;
	for (;;) {
		k = c->skip < n - pos ? (uint32_t)c->skip : n - pos;
		pos += k;
		c->skip -= k;
		if (n - pos < 4)
			break;
		len = get(c->in + pos) & 0x7fffffffu;
		need = len < CALL_LOOK ? len : CALL_LOOK;
		if (n - pos - 4 < need)
			break;
		if (len < CALL_LEAST)
			return false;
		if (!take_call(c, c->in + pos + 4, need))
			break;
		c->skip = (uint64_t)len + 4;
	}
	c->in_len = n - pos;
	if (pos > 0 && c->in_len > 0)
		memmove(c->in, c->in + pos, c->in_len);
	return true;
}

static void
conn_new(struct loop *l)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int one = 1, fd = accept4(l->listener, NULL, NULL, SOCK_NONBLOCK);
	struct conn *c;

	if (fd == -1)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if ((c = calloc(1, sizeof *c)) == NULL ||
	    (c->in = malloc(IN_CAP)) == NULL ||
	    (mode == M_COPY && (c->copy = malloc(DATA_LEN)) == NULL)) {
		perror("rawloop");
		exit(1);
	}
	c->fd = fd;
	ev.data.ptr = c;
	epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static void
conn_free(struct conn *c)
{
	close(c->fd);
	free(c->in);
	free(c->copy);
	free(c);
}

static void
conn_event(struct loop *l, struct conn *c, uint32_t events)
{
	bool alive = true, out;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		alive = input(c);
	out = !flush(c);
	if (!alive) {
		conn_free(c);
	} else if (out != c->want_out) {
		struct epoll_event ev = { EPOLLIN | (out ? EPOLLOUT : 0),
			{ .ptr = c } };

		epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &ev);
		c->want_out = out;
	}
}

static void *
loop_main(void *arg)
{
	struct epoll_event ev[256];
	struct loop *l = arg;
	int n;

	for (;;) {
		n = epoll_wait(l->epoll, ev, 256, -1);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr == NULL)
				conn_new(l);
			else
				conn_event(l, ev[i].data.ptr, ev[i].events);
		}
	}
	return NULL;
}

static void
loop_init(struct loop *l)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event ev = { .events = EPOLLIN };
	int one = 1;

	l->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(l->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(l->listener, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	if (bind(l->listener, (struct sockaddr *)&a, sizeof a) == -1 ||
	    listen(l->listener, 1024) == -1) {
		perror("rawloop: bind");
		exit(1);
	}
	l->epoll = epoll_create1(0);
	epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->listener, &ev);
}

static void
data_init(void)
{
	data_fd = memfd_create("rawloop", MFD_CLOEXEC);
	if (data_fd == -1 || ftruncate(data_fd, DATA_LEN) == -1 ||
	    (data = mmap(NULL, DATA_LEN, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_POPULATE, data_fd, 0)) == MAP_FAILED) {
		perror("rawloop: memfd");
		exit(1);
	}
	memset(data, 0x5a, DATA_LEN);
}

int
main(int argc, char **argv)
{
	struct rlimit rl;
	struct loop *l;
	pthread_t t;
	int o;

	while ((o = getopt(argc, argv, "p:t:m:bw")) != -1) {
		switch (o) {
		case 'p':
			port = atoi(optarg);
			break;
		case 't':
			threads = atoi(optarg);
			break;
		case 'm':
			mode = optarg[0] == 'c' ? M_COPY :
			    optarg[0] == 's' ? M_SENDFILE : M_WRITEV;
			break;
		case 'b':
			one_by_one = true;
			break;
		case 'w':
			hand_off = true;
			break;
		default:
			fprintf(stderr, "see the head of rawloop.c\n");
			return 2;
		}
	}
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
	data_init();
	if ((l = calloc((size_t)threads, sizeof *l)) == NULL)
		return 1;
	for (int i = 0; i < threads; i++)
		loop_init(&l[i]);
	if (hand_off)
		pthread_create(&t, NULL, worker, NULL);
	for (int i = 1; i < threads; i++)
		pthread_create(&l[i].thread, NULL, loop_main, &l[i]);
	loop_main(&l[0]);
	return 0;
}
