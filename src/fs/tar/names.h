/*
 * The names of a directory that are not as the archive has them.
 *
 *	table	by name: what it means now, or that it means nothing
 *	list	those that mean something, by cookie
 *
 * Cookies begin where those of the archive's names can never be, and only
 * grow: a listing goes on at the first one greater than the one it was
 * given, found by binary search, whether or not that name is still there.
 * What went leaves a hole; when half of the list is holes it is packed.
 *
 * Every change has two parts: prepare, which takes memory and changes
 * nothing that can be seen, and a part that cannot fail.
 */
#ifndef FS_TAR_NAMES_H
#define FS_TAR_NAMES_H

#include <pinefs.h>

#define TAR_COOKIE_NEW	(UINT64_C(1) << 31)

struct tar_upper;

struct tar_name {
	struct tar_name		*next;		/* of its slot */
	struct tar_upper	*upper;		/* NULL: there is no such name */
	uint64_t		 cookie;	/* with upper */
	uint32_t		 hash;
	bool			 hides;		/* a name of the archive */
	uint8_t			 len;
	char			 text[];
};

struct tar_place {
	uint64_t		 cookie;	/* also of holes */
	struct tar_name		*name;		/* NULL: a hole */
};

struct tar_names {
	struct tar_name		**slot;
	uint32_t		 nslots, n;	/* nslots: a power of two */
	uint32_t		 nlist, cap;	/* with holes */
	uint32_t		 bound;		/* without */
	struct tar_place	*list;
	uint64_t		 cookie;	/* the last one given */
};

/* Frees the names, which `each` is shown before. */
void	tar_names_fini(struct tar_names *,
	    void (*each)(void *arg, const struct tar_name *), void *arg);
/* NULL: as in the archive. */
struct tar_name *tar_names_find(const struct tar_names *, struct pinefs_name,
	    uint32_t hash);
/*
 * A name to be bound or hidden: the one that is in the table, or a new one
 * that is in none yet.  There is room for it.  NULL without memory.
 */
struct tar_name *tar_names_prepare(struct tar_names *, struct pinefs_name,
	    uint32_t hash);
/* Not, after all: a new one is freed. */
void	tar_names_cancel(struct tar_names *, struct tar_name *);
/* It means this now, whatever it meant. */
void	tar_names_bind(struct tar_names *, struct tar_name *,
	    struct tar_upper *);
/* It means nothing any more; one that hides nothing is freed: true. */
bool	tar_names_unbind(struct tar_names *, struct tar_name *);
/* A name of the archive, which was prepared, means nothing any more. */
void	tar_names_hide(struct tar_names *, struct tar_name *);
/* The first one with a greater cookie, or NULL. */
struct tar_name *tar_names_after(const struct tar_names *, uint64_t cookie);

#endif
