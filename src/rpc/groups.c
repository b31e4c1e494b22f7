/*
 * Groups of local users: on loopback nobody proves his gid and group list,
 * so they come from the user database.  Asking may block (LDAP ...), so it
 * is done on an executor, and kept for 5 minutes.
 */
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdlib.h>

#include "rpc/server.h"

enum { SLOTS = 64, KEEP_MS = 300000, PASSWD_MAX = 16384 };

struct groups {
	pthread_mutex_t	lock;
	struct slot {
		uint32_t	uid;
		uint32_t	gid, ngids;
		uint32_t	gids[RPC_MAX_GIDS];
		uint64_t	until_ms;	/* 0: empty */
	} slot[SLOTS];	/* by uid; two uids of one slot take turns */
};

struct groups *
groups_new(void)
{
	struct groups *g = calloc(1, sizeof *g);

	if (g != NULL)
		pthread_mutex_init(&g->lock, NULL);
	return g;
}

void
groups_free(struct groups *g)
{
	if (g == NULL)
		return;
	pthread_mutex_destroy(&g->lock);
	free(g);
}

int
groups_get(struct groups *g, struct rpc_cred *cred, uint64_t now_ms)
{
	struct slot *s = &g->slot[cred->uid % SLOTS];
	int err = EAGAIN;

	pthread_mutex_lock(&g->lock);
	if (s->uid == cred->uid && s->until_ms > now_ms) {
		cred->gid = s->gid;
		cred->ngids = s->ngids;
		memcpy(cred->gids, s->gids, sizeof s->gids);
		err = 0;
	}
	pthread_mutex_unlock(&g->lock);
	return err;
}

/* A uid without an entry has no groups: gid "nobody knows". */
static void
ask(struct slot *s)
{
	gid_t list[RPC_MAX_GIDS];
	struct passwd pw, *found = NULL;
	int n = RPC_MAX_GIDS, i;
	char *buf = malloc(PASSWD_MAX);

	s->gid = UINT32_MAX;
	if (buf == NULL || getpwuid_r(s->uid, &pw, buf, PASSWD_MAX, &found)
	    != 0 || found == NULL) {
		free(buf);
		return;
	}
	s->gid = pw.pw_gid;
	/* More than fit: the first ones are filled in, and serve. */
	if (getgrouplist(pw.pw_name, pw.pw_gid, list, &n) == -1)
		n = RPC_MAX_GIDS;
	for (i = 0; i < n; i++)
		s->gids[i] = list[i];
	s->ngids = (uint32_t)n;
	free(buf);
}

void
groups_fill(struct groups *g, struct rpc_cred *cred, uint64_t now_ms)
{
	struct slot s = { .uid = cred->uid, .until_ms = now_ms + KEEP_MS };

	if (groups_get(g, cred, now_ms) == 0)
		return;		/* another call of his has asked meanwhile */
	ask(&s);
	cred->gid = s.gid;
	cred->ngids = s.ngids;
	memcpy(cred->gids, s.gids, sizeof s.gids);
	pthread_mutex_lock(&g->lock);
	g->slot[s.uid % SLOTS] = s;
	pthread_mutex_unlock(&g->lock);
}
