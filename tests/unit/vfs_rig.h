/*
 * Calls into vfs without a server: a procedure is run, run again after each
 * PINEFS_LATER, and its memory goes at the end.
 */
#ifndef TESTS_UNIT_VFS_RIG_H
#define TESTS_UNIT_VFS_RIG_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "vfs/vfs.h"

struct rig_call {
	struct pinefs_call	 call;
	struct vfs_export	*export;
	struct xdr_arena	 arena;
	pthread_mutex_t		 lock;
	pthread_cond_t		 cond;
	unsigned		 resumed, seen;	/* how often */
	unsigned		 runs;		/* of the procedure */
	_Alignas(16) char	 memory[8192];
};

static inline void
rig_resume(void *arg)
{
	struct rig_call *r = arg;

	pthread_mutex_lock(&r->lock);
	r->resumed++;
	pthread_cond_signal(&r->cond);
	pthread_mutex_unlock(&r->lock);
}

static inline void
rig_export(struct vfs_export *x, struct pinefs *fs)
{
	memset(x, 0, sizeof *x);
	x->path = (char *)(uintptr_t)"/";
	x->id = 1;
	x->fs = fs;
}

/* A call of this user, who is in one group. */
static inline struct pinefs_call *
rig_begin_as(struct rig_call *r, struct vfs_export *x, uint32_t uid,
    uint32_t gid)
{
	struct pinefs_cred cred = { .flavor = 1, .uid = uid, .gid = gid };

	memset(r, 0, offsetof(struct rig_call, memory));
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->cond, NULL);
	xdr_arena_init(&r->arena, r->memory, sizeof r->memory, 512 << 10);
	r->export = x;
	vfs_call_init(&r->call, &r->arena, &cred, true, rig_resume, r);
	if (vfs_call_enter(&r->call, x) != 0)
		abort();
	return &r->call;
}

static inline struct pinefs_call *
rig_begin(struct rig_call *r, struct vfs_export *x)
{
	return rig_begin_as(r, x, 0, 0);
}

static inline void
rig_end(struct rig_call *r)
{
	vfs_call_fini(&r->call);
	xdr_arena_reset(&r->arena);
	pthread_cond_destroy(&r->cond);
	pthread_mutex_destroy(&r->lock);
}

/* Until it was resumed once more. */
static inline void
rig_wait(struct rig_call *r)
{
	pthread_mutex_lock(&r->lock);
	while (r->resumed == r->seen)
		pthread_cond_wait(&r->cond, &r->lock);
	r->seen++;
	pthread_mutex_unlock(&r->lock);
}

typedef int rig_proc_fn(struct pinefs_call *, void *arg);

/* A procedure, from its start to its answer. */
static inline int
rig_run(struct rig_call *r, rig_proc_fn *proc, void *arg)
{
	int err;

	for (;;) {
		r->runs++;
		vfs_call_restart(&r->call);
		if ((err = vfs_call_enter(&r->call, r->export)) != 0)
			return err;
		if ((err = proc(&r->call, arg)) != PINEFS_LATER)
			return err;
		rig_wait(r);
	}
}

static inline struct pinefs_name
rig_name(const char *s)
{
	struct pinefs_name n = { s, (uint32_t)strlen(s) };

	return n;
}

/* Flatten what vfs_read gave. */
static inline size_t
rig_bytes(const struct xdr_view *v, void *to, size_t size)
{
	const struct xdr_piece *p = v->data;
	size_t n = 0;

	if (v->npieces == 0) {
		if (v->len > size)
			abort();
		memcpy(to, v->data == NULL ? "" : v->data, v->len);
		return v->len;
	}
	for (uint32_t i = 0; i < v->npieces; i++) {
		if (p[i].len > size - n)
			abort();
		if (xdr_piece_copy(&p[i], 0, (char *)to + n, p[i].len) != 0)
			abort();
		n += p[i].len;
	}
	if (n != v->len)
		abort();
	return n;
}

/* Does `fn` end the program?  Then it is a build with assertions. */
#ifndef NDEBUG
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static inline bool
rig_dies(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}
#endif

#endif
