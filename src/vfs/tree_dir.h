/*
 * The names of one directory of the tree.
 *
 *	table		open addressing, SipHash-1-3 of the name with the
 *			file system's random key: names are chosen by
 *			clients, who could flood any other hash
 *	list		entries in the order in which they came, with cookies
 *			that only grow; an entry that went leaves a hole
 *
 * A listing goes on at the first cookie greater than the one it was given,
 * found by binary search, so it never matters whether that entry is still
 * there.  When half of the list is holes it is packed; cookies stay what
 * they are, and packing pays for itself.
 *
 * Look-ups take the directory's lock as changes do.  It is held for some
 * 50 ns, and for as long as a page of a listing takes; a table that may be
 * read without it would want its arrays reclaimed by quiescent states, for
 * a gain that two loops do not show.
 */
#ifndef VFS_TREE_DIR_H
#define VFS_TREE_DIR_H

#include <pinefs.h>
#include <pthread.h>

struct tree_node;

struct tree_entry {
	struct tree_node	*node;		/* a reference */
	uint32_t		 hash;
	uint32_t		 at;		/* its place in the list */
	uint8_t			 len;
	char			 name[];
};

struct tree_slot {
	uint64_t		 cookie;	/* also of holes */
	struct tree_entry	*entry;		/* NULL: a hole */
};

struct tree_bucket {
	struct tree_entry	*entry;		/* NULL: free */
	uint32_t		 hash;		/* spares a look at the entry */
};

struct tree_dir {
	pthread_mutex_t		 lock;		/* of all below */
	struct tree_slot	*list;
	uint32_t		 n, cap;	/* slots used, there */
	uint32_t		 live;		/* slots that are no holes */
	uint32_t		 mask;		/* buckets - 1, if any */
	struct tree_bucket	*table;
	uint64_t		 cookie;	/* the last one given */
};

/* NULL without memory. */
struct tree_dir	*tree_dir_new(void);
/* Every entry must be gone. */
void	tree_dir_free(struct tree_dir *);

/* With no node, in no directory; NULL without memory. */
struct tree_entry *tree_entry_new(struct pinefs_name, uint32_t hash);

/* All below: with the directory's lock. */
struct tree_entry *tree_dir_find(const struct tree_dir *,
	    struct pinefs_name, uint32_t hash);
/* Make sure that an entry can be inserted: ENOMEM, ENOSPC. */
int	tree_dir_reserve(struct tree_dir *);
/* At the end, with a new cookie; after tree_dir_reserve it cannot fail. */
void	tree_dir_insert(struct tree_dir *, struct tree_entry *);
/* Take an entry out; it is the caller's. */
void	tree_dir_remove(struct tree_dir *, struct tree_entry *);
/* The place in the list of the first cookie greater than this one. */
uint32_t tree_dir_after(const struct tree_dir *, uint64_t cookie);

#endif
