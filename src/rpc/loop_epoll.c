/* The poller by epoll, level-triggered.  See loop.h. */
#include <sys/epoll.h>

#include "rpc/loop.h"

enum { EVENTS = 128 };

int
poller_new(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

static int
control(struct rpc_loop *loop, int op, struct rpc_source *s, unsigned events)
{
	struct epoll_event e = { .data.ptr = s };

	if (events & LOOP_IN)
		e.events |= EPOLLIN | EPOLLRDHUP;
	if (events & LOOP_OUT)
		e.events |= EPOLLOUT;
	return epoll_ctl(loop->poll_fd, op, s->fd, &e) == -1 ? errno : 0;
}

int
poller_add(struct rpc_loop *loop, struct rpc_source *s, unsigned events)
{
	return control(loop, EPOLL_CTL_ADD, s, events);
}

int
poller_set(struct rpc_loop *loop, struct rpc_source *s, unsigned events)
{
	return control(loop, EPOLL_CTL_MOD, s, events);
}

void
poller_del(struct rpc_loop *loop, struct rpc_source *s)
{
	epoll_ctl(loop->poll_fd, EPOLL_CTL_DEL, s->fd, NULL);
}

void
poller_wait(struct rpc_loop *loop, int timeout_ms)
{
	struct epoll_event e[EVENTS];
	struct rpc_source *s;
	unsigned events;
	int i, n;

	n = epoll_wait(loop->poll_fd, e, EVENTS, timeout_ms);
	for (i = 0; i < n; i++) {
		s = e[i].data.ptr;
		events = 0;
		if (e[i].events & (EPOLLIN | EPOLLRDHUP))
			events |= LOOP_IN;
		if (e[i].events & EPOLLOUT)
			events |= LOOP_OUT;
		if (e[i].events & (EPOLLERR | EPOLLHUP))
			events |= LOOP_GONE;
		s->ready(s, loop, events);
	}
}
