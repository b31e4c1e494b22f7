/*
 * pinefs help mount: the line for each system, with the ports in use.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "pinefs/mount.h"

enum { USUAL_PORT = 2049 };

static void
lines_of(const char *host, unsigned port, unsigned mount_port)
{
	if (port == USUAL_PORT)
		printf("  Linux    mount -t nfs %s:/ DIR\n", host);
	else
		printf("  Linux    mount -t nfs -o vers=4.2,port=%u %s:/ DIR\n",
		    port, host);
	printf("   NFS 3   mount -t nfs -o vers=3,proto=tcp,port=%u,"
	    "mountport=%u,nolock\n           %s:/ DIR\n", port, mount_port,
	    host);
	printf("  macOS    mount_nfs -o vers=3,tcp,port=%u,mountport=%u,"
	    "locallocks\n           %s:/ DIR\n", port, mount_port, host);
	printf("  FreeBSD  mount -t nfs -o nfsv4,port=%u %s:/ DIR\n", port,
	    host);
	if (port != USUAL_PORT)
		return;
	printf("  OpenBSD  mount_nfs -T %s:/ DIR   (wants the portmapper)\n",
	    host);
	printf("  Windows  mount -o anon,nolock \\\\%s\\ Z:   (wants a "
	    "portmapper on 111)\n", host);
}

/* As it is in mount lines. */
static void
lines_of_record(const struct control_record *r)
{
	char addr[MOUNT_HOST], host[MOUNT_HOST + 2], what[128];
	unsigned port = (unsigned)json_get_uint(json_find(r->json, "port"));

	if (!json_get_text(json_find(r->json, "addr"), addr, sizeof addr) ||
	    !json_get_text(json_find(r->json, "what"), what, sizeof what))
		return;
	snprintf(host, sizeof host, strchr(addr, ':') != NULL ? "[%s]" : "%s",
	    addr);
	printf("\nServer %ld, %s:\n", (long)r->pid, what);
	lines_of(host, port, port);	/* it answers MOUNT, too */
}

void
mount_help(void)
{
	struct control_record *list = NULL;
	unsigned n = 0, i, alive = 0;

	fputs("\nSRC is mem:[NAME], tar:FILE, dir:PATH, py:SCRIPT, py:PID "
	    "(which serves already),\npy: (a prompt), nfs://HOST[:PORT]/PATH, "
	    "or a path that is judged by its content.\nA server that runs for "
	    "the same SRC is mounted as it is; none is started.\n\n"
	    "Root mounts by mount(2). Anybody else has sudo do it, or types "
	    "the line that is\nprinted. py is mounted with sync: a shell does "
	    "not say what close says, which is\nwhere a value is refused.\n\n"
	    "By hand, for a server that runs already; all but Linux is not "
	    "verified. On the\nsame machine NFS 3 wants nolock (macOS: "
	    "locallocks): locks wait for ever else.\n", stdout);
	if (control_list(&list, &n) != 0)
		n = 0;
	for (i = 0; i < n; i++) {
		if (!list[i].alive)
			continue;
		lines_of_record(&list[i]);
		alive++;
	}
	control_list_free(list, n);
	if (alive > 0)
		return;
	puts("\nNo server of yours runs; one on the usual port:");
	lines_of("127.0.0.1", USUAL_PORT, USUAL_PORT);
}
