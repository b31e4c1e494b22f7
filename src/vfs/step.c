/* Steps: see step.h for what they are and how they wait. */
#include "vfs/step.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "vfs/fs.h"

enum { STATE = 0xff, ERR_SHIFT = 8, SLOW_MS = 30000, BLOCKED_MS = 10,
    BLOCKED_AGAIN_MS = 60000 };

/* Lives on the stack of the thread that calls a cancel function. */
struct vfs_cancel {
	pthread_t	thread;
	bool		gone;		/* it completed the call */
};

void
vfs_misuse(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_error("vfs: %s", text);
#ifndef NDEBUG
	abort();
#endif
}

const char *
step_name(enum step_op op)
{
	static const char *const names[] = { "lookup", "getattr", "readdir",
	    "resolve", "parent", "read", "write", "commit", "truncate",
	    "setattr", "create", "remove", "rename", "link", "readlink",
	    "statfs", "access", "open", "close", "seek", "allocate", "clone",
	    "getxattr", "setxattr", "listxattr", "removexattr" };

	return op < STEP_OPS ? names[op] : "step";
}

void *
step_take(struct pinefs_call *call, enum step_op op, struct pinefs *fs,
    struct pinefs_node *object, size_t size)
{
	struct vfs_step *s = *call->next;

	if (s == NULL) {
		if ((s = xdr_arena_zalloc(call->arena, size)) == NULL)
			return NULL;
		s->op = (uint8_t)op;
		s->fs = fs;
		s->object = object;
		*call->next = s;
	} else if (s->op != op) {
		/* The procedure took another way than when it ran before. */
		vfs_misuse("step %s where %s is recorded", step_name(op),
		    step_name(s->op));
		return NULL;
	}
	call->next = &s->next;
	return s;
}

bool
step_begin(struct pinefs_call *call, struct vfs_step *s)
{
	unsigned state = atomic_load_explicit(&s->state,
	    memory_order_acquire) & STATE;

	if (state != STEP_NEW && state != STEP_GRANTED)
		return false;
	if (state == STEP_NEW && s->fs->ops.flags & PINEFS_SERIAL &&
	    !gate_enter(&s->fs->gate, call, s))
		return false;
	call->parked = s;
	s->began = (uint32_t)clock_coarse_ms();
	atomic_store_explicit(&s->state, STEP_RUNNING, memory_order_release);
	return true;
}

/*
 * An operation that was not said to block, and did: all clients of its event
 * loop waited.  Told once a minute for each file system.
 */
static void
check_blocked(const struct pinefs_call *call, const struct vfs_step *s)
{
	uint32_t now = (uint32_t)clock_coarse_ms(), took = now - s->began;
	uint32_t last;

	if (took <= BLOCKED_MS || (s->fs->ops.blocking >> s->op & 1) != 0)
		return;
	last = atomic_load(&s->fs->blocked);
	if ((last != 0 && now - last < BLOCKED_AGAIN_MS) ||
	    !atomic_compare_exchange_strong(&s->fs->blocked, &last, now | 1))
		return;
	log_warning("export %s: %s took %u ms, and other clients waited; "
	    "operations that may block are to be named in `blocking`",
	    call->export == NULL ? "?" : call->export->path,
	    step_name(s->op), (unsigned)took);
}

/* ------------------------------------------------------------- cancel -- */

/* From now on `cancel` is not called any more, nor running elsewhere. */
static void
cancel_forget(struct pinefs_call *call)
{
	spin_lock(&call->lock);
	call->cancel = NULL;
	call->hooked = false;
	while (call->cancelling != NULL) {
		if (pthread_equal(call->cancelling->thread, pthread_self())) {
			call->cancelling->gone = true;
			call->cancelling = NULL;
			break;
		}
		spin_unlock(&call->lock);
		sched_yield();
		spin_lock(&call->lock);
	}
	spin_unlock(&call->lock);
}

void
pinefs_call_on_cancel(struct pinefs_call *call, void (*fn)(void *),
    void *arg)
{
	bool now;

	spin_lock(&call->lock);
	if (!(now = call->cancelled)) {
		call->cancel = fn;
		call->cancel_arg = arg;
		call->hooked = true;
	}
	spin_unlock(&call->lock);
	if (now)
		fn(arg);
}

void
vfs_call_cancel(struct pinefs_call *call)
{
	struct vfs_cancel c = { .thread = pthread_self() };
	void (*fn)(void *);

	spin_lock(&call->lock);
	call->cancelled = true;
	if ((fn = call->cancel) != NULL) {
		call->cancel = NULL;
		call->cancelling = &c;
	}
	spin_unlock(&call->lock);
	if (fn == NULL)
		return;
	fn(call->cancel_arg);
	if (c.gone)
		return;		/* completed in there: the call may be gone */
	spin_lock(&call->lock);
	call->cancelling = NULL;
	spin_unlock(&call->lock);
}

/* ------------------------------------------------------------ waiting -- */

static void
wait_link(struct pinefs *fs, struct pinefs_call *call)
{
	call->started = clock_boot_ms();
	call->told = false;
	pthread_mutex_lock(&fs->wait_lock);
	call->wait_next = fs->waiting;
	call->wait_prev = &fs->waiting;
	if (fs->waiting != NULL)
		fs->waiting->wait_prev = &call->wait_next;
	fs->waiting = call;
	pthread_mutex_unlock(&fs->wait_lock);
}

static void
wait_unlink(struct pinefs *fs, struct pinefs_call *call)
{
	pthread_mutex_lock(&fs->wait_lock);
	*call->wait_prev = call->wait_next;
	if (call->wait_next != NULL)
		call->wait_next->wait_prev = call->wait_prev;
	pthread_mutex_unlock(&fs->wait_lock);
}

void
vfs_fs_check_waits(struct pinefs *fs, uint64_t now_ms)
{
	const struct vfs_step *s;
	struct pinefs_call *call;

	pthread_mutex_lock(&fs->wait_lock);
	for (call = fs->waiting; call != NULL; call = call->wait_next) {
		if (call->told || now_ms - call->started < SLOW_MS)
			continue;
		call->told = true;
		s = call->parked;
		log_warning("vfs: %s of object %#llx waits for its file "
		    "system since %llu s", step_name(s->op),
		    s->object == NULL ? 0ULL :
		    (unsigned long long)s->object->fileid,
		    (unsigned long long)(now_ms - call->started) / 1000);
	}
	pthread_mutex_unlock(&fs->wait_lock);
}

/* --------------------------------------------------------- completion -- */

static void
finish(struct vfs_step *s, int err)
{
	struct pinefs *fs = s->fs;

	s->err = err;
	atomic_store_explicit(&s->state, STEP_DONE, memory_order_release);
	if (fs->ops.flags & PINEFS_SERIAL)
		gate_leave(&fs->gate);
}

/* What it is to the next pass of the procedure; this one was told LATER. */
static void
complete(struct vfs_step *s, int err)
{
	struct pinefs *fs = s->fs;

	s->err = err;
	atomic_store_explicit(&s->state, STEP_COMPLETE, memory_order_release);
	if (fs->ops.flags & PINEFS_SERIAL)
		gate_leave(&fs->gate);
}

/* The operation returned LATER.  It may be complete already. */
static void
park(struct pinefs_call *call, struct vfs_step *s)
{
	struct pinefs *fs = s->fs;
	unsigned state = STEP_RUNNING;

	/* In the list first: who completes a parked step takes it out. */
	wait_link(fs, call);
	if (atomic_compare_exchange_strong_explicit(&s->state, &state,
	    STEP_PARKED, memory_order_acq_rel, memory_order_acquire))
		return;
	wait_unlink(fs, call);
	finish(s, (int)(state >> ERR_SHIFT));
}

void
step_end(struct pinefs_call *call, struct vfs_step *s, int err)
{
	check_blocked(call, s);
	if (err == PINEFS_LATER) {
		park(call, s);
		return;
	}
	if (call->hooked)
		cancel_forget(call);
	if (err < 0) {
		vfs_misuse("%s returned %d", step_name(s->op), err);
		err = EIO;
	}
	if (atomic_load_explicit(&s->state, memory_order_acquire) !=
	    STEP_RUNNING)
		vfs_misuse("%s completed its call, then returned %d",
		    step_name(s->op), err);
	finish(s, err);
}

void
pinefs_complete(struct pinefs_call *call, int err)
{
	struct vfs_step *s = call->parked;
	unsigned old, new;

	if (s == NULL) {
		vfs_misuse("a call was completed that waits for nothing");
		return;
	}
	if (err < 0) {
		vfs_misuse("%s was completed with %d", step_name(s->op), err);
		err = EIO;
	}
	cancel_forget(call);
	old = atomic_load_explicit(&s->state, memory_order_acquire);
	do {
		if (old != STEP_RUNNING && old != STEP_PARKED) {
			vfs_misuse("%s was completed twice",
			    step_name(s->op));
			return;
		}
		new = old == STEP_PARKED ? (unsigned)STEP_RUNNING :
		    STEP_EARLY | (unsigned)err << ERR_SHIFT;
	} while (!atomic_compare_exchange_weak_explicit(&s->state, &old, new,
	    memory_order_acq_rel, memory_order_acquire));

	if (old == STEP_RUNNING)
		return;		/* park() will see it */
	wait_unlink(s->fs, call);
	complete(s, err);
	call->resume(call->resume_arg);
}
