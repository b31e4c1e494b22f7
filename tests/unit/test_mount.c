#include "proto/mount.h"

#include <stdio.h>

#include "check.h"
#include "nfs/mounts.h"
#include "nfs_rig.h"

static mountres3
mnt(const char *path)
{
	dirpath p = xdr_view(path, (uint32_t)strlen(path));
	mountres3 r = { .fhs_status = MNT3_OK };

	assert_int_equal(rig_call(100005, 3, MOUNTPROC3_MNT, &p, &r), 0);
	return r;
}

static fhstatus
mnt1(const char *path)
{
	dirpath p = xdr_view(path, (uint32_t)strlen(path));
	fhstatus r = { .status = 0 };

	assert_int_equal(rig_call(100005, 1, MOUNTPROC_MNT, &p, &r), 0);
	return r;
}

static void
umnt(const char *path)
{
	dirpath p = xdr_view(path, (uint32_t)strlen(path));

	assert_int_equal(rig_call(100005, 3, MOUNTPROC3_UMNT, &p, NULL), 0);
}

static unsigned
dumped(mountlist *list)
{
	unsigned n = 0;

	*list = NULL;
	assert_int_equal(rig_call(100005, 3, MOUNTPROC3_DUMP, NULL, list), 0);
	for (mountlist m = *list; m != NULL; m = m->ml_next)
		n++;
	return n;
}

static bool
is(struct xdr_view v, const char *s)
{
	return v.len == strlen(s) && memcmp(v.data, s, v.len) == 0;
}

static uint64_t
fileid_of(const void *fh, uint32_t len)
{
	struct pinefs_ident id;
	uint32_t export_id;

	CHECK(nfs_fh_open(&rig.nfs.keys, fh, len, &export_id, &id) == 0);
	CHECK(export_id == rig.export.id);
	return id.fileid;
}

static void
test_mnt_gives_a_handle_and_flavours(void)
{
	mountres3 r;
	fhstatus r1;

	rig_start();
	r = mnt("/");
	CHECK(r.fhs_status == MNT3_OK);
	CHECK(fileid_of(r.mountinfo.fhandle.data, r.mountinfo.fhandle.len) ==
	    TOY_FIRST_ID);
	CHECK(r.mountinfo.auth_flavors.n == 1);
	CHECK(r.mountinfo.auth_flavors.v[0] == RPC_AUTH_SYS);
	r1 = mnt1("/");
	CHECK(r1.status == 0);
	CHECK(fileid_of(r1.directory, 32) == TOY_FIRST_ID);
	rig_stop();
}

static void
test_paths_below_an_export_are_looked_up(void)
{
	struct toy_obj *a, *b;
	mountres3 r;

	rig_start();
	a = toy_add(rig.toy, &rig.toy->obj[0], "a", PINEFS_DIR, 0755, NULL);
	b = toy_add(rig.toy, a, "b", PINEFS_DIR, 0755, NULL);
	toy_add(rig.toy, a, "f", PINEFS_REG, 0644, "");
	for (int later = 0; later < 2; later++) {
		rig.toy->later = later;
		r = mnt("/a/b");
		CHECK(r.fhs_status == MNT3_OK);
		CHECK(fileid_of(r.mountinfo.fhandle.data,
		    r.mountinfo.fhandle.len) == b->fileid);
		CHECK(mnt("//a///b/").fhs_status == MNT3_OK);
		CHECK(mnt("a/b").fhs_status == MNT3_OK);
		CHECK(mnt("/a/c").fhs_status == MNT3ERR_NOENT);
		CHECK(mnt("/a/f").fhs_status == MNT3ERR_NOTDIR);
		CHECK(mnt("/a/f/x").fhs_status == MNT3ERR_NOTDIR);
		CHECK(mnt1("/a/f").status == ENOTDIR);
		CHECK(mnt1("/a/c").status == ENOENT);
	}
	rig_stop();
}

static void
test_the_only_export_is_also_slash(void)
{
	rig_start();
	rig.export.path = (char *)"/data";
	CHECK(mnt("/data").fhs_status == MNT3_OK);
	CHECK(mnt("/").fhs_status == MNT3_OK);
	CHECK(mnt("").fhs_status == MNT3_OK);
	CHECK(mnt("/other").fhs_status == MNT3ERR_NOENT);
	rig.other = rig.export;
	rig.other.path = (char *)"/more";
	rig.other.id = 99;
	rig.export.next = &rig.other;
	rig.exports.n = 2;
	CHECK(mnt("/").fhs_status == MNT3ERR_NOENT);
	CHECK(mnt("/more").fhs_status == MNT3_OK);
	rig_stop();
}

static void
test_who_is_not_admitted_hears_so(void)
{
	static const uint32_t uids[] = { 77 };
	mountlist list;

	rig_start();
	rig.export.uids = uids;
	rig.export.nuids = 1;
	CHECK(mnt("/").fhs_status == MNT3ERR_ACCES);
	CHECK(mnt1("/").status == EACCES);
	CHECK(dumped(&list) == 0);
	rig.cred.uid = 77;
	CHECK(mnt("/").fhs_status == MNT3_OK);
	rig_stop();
}

static void
test_without_memory_nothing_is_mounted(void)
{
	mountlist list;

	rig_start();
	mnt("/");
	rig.budget = 0;
	CHECK(mnt("/").fhs_status == MNT3ERR_IO);
	CHECK(mnt1("/").status == EIO);
	CHECK(dumped(&list) == 0);
	umnt("/");
	rig.budget = 256 << 10;
	CHECK(dumped(&list) == 1);
	rig_stop();
}

static void
test_dump_shows_what_is_mounted(void)
{
	mountlist list;

	rig_start();
	toy_add(rig.toy, &rig.toy->obj[0], "a", PINEFS_DIR, 0755, NULL);
	mnt("/");
	mnt("/");
	mnt("/a");
	CHECK(dumped(&list) == 2);
	CHECK(is(list->ml_hostname, "127.0.0.1") && is(list->ml_directory, "/"));
	CHECK(is(list->ml_next->ml_directory, "/a"));
	umnt("/");
	umnt("/never");
	CHECK(dumped(&list) == 1);
	CHECK(is(list->ml_directory, "/a"));
	assert_int_equal(rig_call(100005, 1, MOUNTPROC_UMNTALL, NULL, NULL),
	    0);
	CHECK(dumped(&list) == 0);
	rig_stop();
}

static void
test_the_list_is_bounded_and_forgets_the_oldest(void)
{
	struct nfs_mounts *m = calloc(1, sizeof *m);
	char path[3000];

	pthread_mutex_init(&m->lock, NULL);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(path, sizeof path, "/%u", i);
		nfs_mounts_add(m, "host", path, strlen(path));
	}
	CHECK(m->n == NFS_MOUNTS);
	CHECK(strcmp(m->list[NFS_MOUNTS - 1].path, "/999") == 0);
	memset(path, 'x', sizeof path);
	nfs_mounts_add(m, "host", path, sizeof path);
	CHECK(strlen(m->list[NFS_MOUNTS - 1].path) == NFS_MOUNT_PATH - 1);
	nfs_mounts_remove(m, "host", path, sizeof path);
	CHECK(m->n == NFS_MOUNTS - 1);
	nfs_mounts_remove_all(m, "other");
	CHECK(m->n == NFS_MOUNTS - 1);
	nfs_mounts_remove_all(m, "host");
	CHECK(m->n == 0);
	free(m);
}

static void
test_a_full_list_fits_a_datagram(void)
{
	mountlist list;
	char path[300];
	unsigned n;

	rig_start();
	for (unsigned i = 0; i < NFS_MOUNTS; i++) {
		int len = snprintf(path, sizeof path, "/%0250u", i);

		nfs_mounts_add(&rig.nfs.mounts, "host", path, (size_t)len);
		/* Cut, they would be the same: make them differ early. */
		snprintf(path, sizeof path, "/%u/%0240u", i, i);
		nfs_mounts_add(&rig.nfs.mounts, "host", path, 245);
	}
	rig.peer.udp = true;
	n = dumped(&list);
	CHECK(n > 50 && rig.reply_len <= 32768);
	rig_stop();
}

static void
test_export_lists_every_export_for_everybody(void)
{
	exports list = NULL;

	rig_start();
	rig.other = rig.export;
	rig.other.path = (char *)"/more";
	rig.export.next = &rig.other;
	rig.exports.n = 2;
	for (unsigned vers = 1; vers <= 3; vers += 2) {
		assert_int_equal(rig_call(100005, vers, MOUNTPROC3_EXPORT,
		    NULL, &list), 0);
		CHECK(is(list->ex_dir, "/") && list->ex_groups == NULL);
		CHECK(is(list->ex_next->ex_dir, "/more"));
		CHECK(list->ex_next->ex_next == NULL);
	}
	rig_stop();
}

CHECK_MAIN(
	CHECK_TEST(test_mnt_gives_a_handle_and_flavours),
	CHECK_TEST(test_paths_below_an_export_are_looked_up),
	CHECK_TEST(test_the_only_export_is_also_slash),
	CHECK_TEST(test_who_is_not_admitted_hears_so),
	CHECK_TEST(test_without_memory_nothing_is_mounted),
	CHECK_TEST(test_dump_shows_what_is_mounted),
	CHECK_TEST(test_the_list_is_bounded_and_forgets_the_oldest),
	CHECK_TEST(test_a_full_list_fits_a_datagram),
	CHECK_TEST(test_export_lists_every_export_for_everybody),
)
