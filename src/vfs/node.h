/*
 * Nodes: what a file system and a protocol mean by "this object", with a
 * count of who holds it; and the table that finds them by ident.
 *
 * In door 1 a node is the object: the tree holds it by its names.  In door 2
 * it exists while somebody uses it, so a million members of an archive are
 * not a million nodes.
 *
 * Counting.  The table holds no reference.  It is looked into under a
 * shard's lock, and the last reference is dropped under the same lock, so
 * nobody can find a node that is about to go.  Lock-free look-ups with
 * quiescent-state reclamation were considered: a look-up must still count a
 * reference for the call, whose cache line moves between cores anyway, so
 * they would save the shard's lock only, which 256 shards make cheap
 * (measured: bench/vfsbench).  A loop count beyond ten would change that.
 */
#ifndef VFS_NODE_H
#define VFS_NODE_H

#include <stdatomic.h>

#include "base/spin.h"
#include "vfs/vfs.h"

struct gate;

struct pinefs_node {
	struct pinefs		*fs;
	struct pinefs_node	*hash_next;	/* in its shard, or dropped */
	uint64_t		 fileid, generation;
	void			*_Atomic data;	/* the file system's */
	struct gate		*_Atomic gate;	/* made when first needed */
	atomic_uint		 refs;
	_Atomic uint32_t	 guard;		/* see guard.h */
	struct spin		 lock;		/* door 1: see tree.h */
	_Atomic uint8_t		 type;		/* 0: not known yet */
	bool			 listed;	/* in the table */
	uint8_t			 own_len;
	const void		*own;		/* behind the node */
};

enum { NODE_SHARDS = 256, NODE_OWN_MAX = 104 };

struct node_shard {
	struct spin		 lock;
	uint32_t		 n, mask;	/* mask + 1 buckets, if any */
	struct pinefs_node	**bucket;
	char			 pad[40];	/* a cache line each */
};

struct node_table {
	struct node_shard	 shard[NODE_SHARDS];
};

/* EIO, and a line: the file system gave an ident it must not give. */
int	node_ident_check(struct pinefs *, const char *op,
	    const struct pinefs_ident *);

/* `size` bytes, zeroed, with one reference, in no table.  NULL: no memory. */
struct pinefs_node *node_new(struct pinefs *, const struct pinefs_ident *,
	    size_t size);
/* The node of the table, with a reference of the caller's; or NULL. */
struct pinefs_node *node_find(struct pinefs *, const struct pinefs_ident *);
/*
 * Put a node into the table.  If an equal one is there already, `node` is
 * put and the other returned, with a reference.  NULL: no memory, and `node`
 * is put.
 */
struct pinefs_node *node_enter(struct pinefs_node *node);
/* node_find, else node_new and node_enter. */
int	node_get_or_make(struct pinefs *, const char *op,
	    const struct pinefs_ident *, struct pinefs_node **);

/* Tell the file system, and free: there are no references any more. */
void	node_release(struct pinefs_node *);
/* Of pinefs_free: release whatever is left, counted or not. */
void	node_table_fini(struct pinefs *);

static inline void
node_get(struct pinefs_node *node)
{
	atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
}

static inline enum pinefs_type
node_type(const struct pinefs_node *node)
{
	return (enum pinefs_type)atomic_load_explicit(&node->type,
	    memory_order_relaxed);
}

/* The gate of a node; NULL without memory. */
struct gate *node_gate(struct pinefs_node *);

#endif
