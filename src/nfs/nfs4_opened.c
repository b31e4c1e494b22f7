/*
 * Files with state, and what their file systems are told of them: open with
 * the first OPEN, close after the last, and `written` when the last open that
 * may write is gone while others read.
 *
 *	                 an OPEN's turn            vfs_open succeeded
 *	  FILE_UNTOLD ----------------> FILE_TELLING ---------------> FILE_TOLD
 *	      ^                          |   ^                          |
 *	      |          failed, closed  |   |   nobody has it open, or |
 *	      +--------------------------+   +--------------------------+
 *	                                             writes any more
 *
 * While a file system is being told, which may take its time, OPENs of the
 * file wait for their turn: so it hears of open and close in turns, however
 * clients race.  A file counts the OPENs under way (pins), and stays as long.
 */
#include "nfs/nfs4_deleg.h"

/* ----------------------------------------------------------------- table -- */

static struct nfs4_file **
bucket(struct nfs4 *n, const struct pinefs_node *node)
{
	uint64_t h = (uintptr_t)node;

	h = (h >> 4) * UINT64_C(0x9e3779b97f4a7c15);
	return &n->opens->files[(h >> 40) % NFS4_FILE_BUCKETS];
}

struct nfs4_file *
nfs4_file_find(struct nfs4 *n, const struct pinefs_node *node)
{
	struct nfs4_file *f = *bucket(n, node);

	while (f != NULL && f->node != node)
		f = f->next;
	return f;
}

struct nfs4_file *
nfs4_file_get(struct nfs4 *n, struct pinefs_node *node)
{
	struct nfs4_file *f = nfs4_file_find(n, node), **b;

	if (f != NULL || (f = pool_take(&n->opens->file)) == NULL)
		return f;
	if ((f->held = nfs4_hold(n, node)) == NULL) {
		pool_give(&n->opens->file, f);
		return NULL;
	}
	f->node = node;
	b = bucket(n, node);
	if ((f->next = *b) != NULL)
		f->next->prev = &f->next;
	f->prev = b;
	*b = f;
	return f;
}

static void
tell(struct nfs4 *n, struct nfs4_file *f, enum nfs4_tell what)
{
	f->told = FILE_TELLING;
	f->tell = (uint8_t)what;
	f->tell_next = n->to_tell;
	n->to_tell = f;
	n->chores = true;
}

void
nfs4_file_put(struct nfs4 *n, struct nfs4_file *f)
{
	if (f->nopens > 0 || f->pins > 0 || f->told == FILE_TELLING)
		return;
	if (f->told == FILE_TOLD) {
		tell(n, f, TELL_CLOSE);
		return;
	}
	if (f->delegs != NULL)
		return;
	nfs4_blocked_drop_file(n, f);
	*f->prev = f->next;
	if (f->next != NULL)
		f->next->prev = f->prev;
	nfs4_let_go(n, f->held);
	pool_give(&n->opens->file, f);
}

/* ---------------------------------------------------- the file system -- */

/* Does anybody want to hear of it? */
static bool
is_heard(const struct pinefs_node *node)
{
	const struct pinefs_ops *ops = vfs_fs_ops(pinefs_node_fs(node));

	return ops->open != NULL || ops->close != NULL ||
	    ops->written != NULL;
}

/* One more, or one less, open that may write. */
void
nfs4_file_writers(struct nfs4 *n, struct nfs4_file *f, int more)
{
	f->nwriters += (unsigned)more;
	/* With the last of all opens comes close, which says it all. */
	if (f->nwriters == 0 && more < 0 && f->nopens > 0 &&
	    f->told == FILE_TOLD &&
	    vfs_fs_ops(pinefs_node_fs(f->node))->written != NULL)
		tell(n, f, TELL_WRITTEN);
}

void
nfs4_file_tell(struct nfs4_file *f)
{
	if (f->tell == TELL_CLOSE)
		vfs_close(f->node);
	else
		vfs_written(f->node);
}

/* It is, or is not, open as its file system sees it: whose turn is it now? */
static void
settle(struct nfs4 *n, struct nfs4_file *f, bool open)
{
	struct nfs4_call *c;

	f->told = open ? FILE_TOLD : FILE_UNTOLD;
	while ((c = f->waiting) != NULL) {
		f->waiting = c->wait_next;
		c->wait_next = n->to_wake;
		n->to_wake = c;
		n->chores = true;
	}
}

void
nfs4_file_told(struct nfs4 *n, struct nfs4_file *f)
{
	settle(n, f, f->tell == TELL_WRITTEN);
	nfs4_file_put(n, f);
}

/*
 * 0: go on, and if call->tells, tell the file system; ENOMEM; PINEFS_LATER:
 * it is being told of something, and the call runs again when that is over.
 */
static int
turn(struct nfs4_call *call, struct pinefs_node *node)
{
	struct nfs4_file *f = call->opening;
	struct nfs4 *n = call->nfs4;

	if (f == NULL) {
		if ((f = nfs4_file_get(n, node)) == NULL)
			return ENOMEM;
		f->pins++;
		call->opening = f;
	}
	if (call->tells || f->told == FILE_TOLD)
		return 0;
	if (f->told == FILE_TELLING) {
		call->wait_next = f->waiting;
		f->waiting = call;
		return PINEFS_LATER;
	}
	f->told = FILE_TELLING;
	call->tells = true;
	return 0;
}

int
nfs4_file_open(struct nfs4_call *call, struct pinefs_node *node,
    uint32_t access)
{
	struct nfs4 *n = call->nfs4;
	int err;

	if (!is_heard(node))
		return 0;
	nfs4_lock(n);
	err = turn(call, node);
	nfs4_unlock(n);
	if (err != 0 || !call->tells)
		return err;
	err = vfs_open(&call->nfs.vfs, node, access);
	if (err == PINEFS_LATER)
		return err;
	nfs4_lock(n);
	settle(n, call->opening, err == 0);
	call->tells = false;
	nfs4_unlock(n);
	return err;
}

void
nfs4_open_given_up(struct nfs4_call *call)
{
	nfs4_lock(call->nfs4);
	nfs4_file_unpin(call);
	nfs4_unlock(call->nfs4);
}

void
nfs4_file_unpin(struct nfs4_call *call)
{
	struct nfs4_file *f = call->opening;
	struct nfs4_call **at;

	if (f == NULL)
		return;
	if (call->tells)	/* and will never hear what came of it */
		settle(call->nfs4, f, false);
	call->tells = false;
	for (at = &f->waiting; *at != NULL; at = &(*at)->wait_next)
		if (*at == call) {
			*at = call->wait_next;
			break;
		}
	call->opening = NULL;
	f->pins--;
	nfs4_file_put(call->nfs4, f);
}
