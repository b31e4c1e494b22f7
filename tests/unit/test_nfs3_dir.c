#include "nfs/nfs3_dir.h"

#include <errno.h>
#include <stdlib.h>

#include "base/chain.h"
#include "check.h"
#include "rpc/call.h"

enum { NAMES = 200 };

static _Alignas(16) uint8_t rpc_memory[sizeof(struct rpc_call) + 64];
static struct vfs_export export = { .path = (char *)"/", .id = 5 };
static struct nfs nfs = { .max_tcp = 1 << 20, .max_udp = 32768 };
static struct nfs_call call;

/* A call with memory, and without anything that the packer does not ask. */
static struct nfs_call *
fresh_call(size_t budget)
{
	struct rpc_call *rpc = (struct rpc_call *)rpc_memory;

	memset(rpc_memory, 0, sizeof rpc_memory);
	xdr_arena_init(&rpc->arena, NULL, 0, budget);
	memset(&call, 0, sizeof call);
	call.nfs = &nfs;
	call.rpc = rpc;
	call.export = &export;
	call.fh_max = NFS_FH_MAX3;
	call.max_io = nfs.max_tcp;
	return &call;
}

static void
end_call(void)
{
	xdr_arena_reset(&call.rpc->arena);
}

static const char letters[256] = "the letters of these names do not matter";
static const struct pinefs_attr attr = { .have = PINEFS_ALL,
    .type = PINEFS_REG, .mode = 0644, .nlink = 1 };
static const char own[40];

/* Names of all lengths, ids with and without own bytes, holes. */
static struct vfs_entry
entry_of(unsigned i)
{
	struct vfs_entry e = { .cookie = i + 1 };

	e.name.base = letters;
	e.name.len = 1 + (i * 37) % 255;
	e.id.fileid = 1000 + i;
	e.id.own = own;
	e.id.own_len = i % 3 == 0 ? i % 41 : 0;
	e.attr = i % 7 == 3 ? NULL : &attr;
	return e;
}

/* What the client gets, in bytes, with the attributes of the directory. */
static size_t
encoded(int (*encode)(struct xdr_out *, const void *), const void *ok)
{
	struct pinefs_chain chain;
	struct xdr_out out;
	size_t n;

	chain_init(&chain, NULL);
	xdr_out_init(&out, &chain, 1 << 20);
	CHECK(encode(&out, ok) == 0);
	n = xdr_out_len(&out);
	xdr_out_flush(&out);
	chain_fini(&chain);
	return n;
}

static int
encode_plain(struct xdr_out *out, const void *ok)
{
	return READDIR3resok_encode(out, ok);
}

static int
encode_plus(struct xdr_out *out, const void *ok)
{
	return READDIRPLUS3resok_encode(out, ok);
}

static size_t
plain_bytes(const struct nfs3_pack *p)
{
	READDIR3resok ok = { .dir_attributes.attributes_follow = true,
	    .dir_attributes.attributes.type = NF3DIR,
	    .reply.entries = p->entries };

	return encoded(encode_plain, &ok);
}

static size_t
plus_bytes(const struct nfs3_pack *p)
{
	READDIRPLUS3resok ok = { .dir_attributes.attributes_follow = true,
	    .dir_attributes.attributes.type = NF3DIR,
	    .reply.entries = p->entries_plus };

	return encoded(encode_plus, &ok);
}

static unsigned
fill(struct nfs3_pack *p, int (*add)(void *, const struct vfs_entry *),
    unsigned first)
{
	unsigned n = 0;

	while (n < NAMES) {
		struct vfs_entry e = entry_of(first + n);

		if (add(p, &e) != 0)
			break;
		n++;
	}
	return n;
}

static void
test_readdir_never_exceeds_count_and_wastes_nothing(void)
{
	struct nfs3_pack p;

	for (uint32_t count = 0; count < 3000; count += 1 + count / 40) {
		if (!nfs3_pack_init(&p, fresh_call(1 << 20), count, 0)) {
			CHECK(count < 104);
			continue;
		}
		CHECK(fill(&p, nfs3_pack_entry, count) == p.n);
		CHECK(p.err == 0);
		CHECK(plain_bytes(&p) <= count);
		if (p.full) {
			/* One more would not have fitted. */
			struct vfs_entry e = entry_of(count + p.n);

			CHECK(plain_bytes(&p) + 24 +
			    ((e.name.len + 3) & ~3u) > count);
		}
		end_call();
	}
}

static void
test_readdirplus_never_exceeds_maxcount(void)
{
	struct nfs3_pack p;

	for (uint32_t count = 104; count < 30000; count += 1 + count / 40) {
		CHECK(nfs3_pack_init(&p, fresh_call(1 << 20), count, 0));
		CHECK(fill(&p, nfs3_pack_entry_plus, count) == p.n);
		CHECK(p.err == 0);
		CHECK(plus_bytes(&p) <= count);
		CHECK(p.full || p.n == NAMES);
		end_call();
	}
}

static void
test_a_long_name_goes_without_its_attributes_rather_than_not(void)
{
	struct vfs_entry e = { .name = { letters, 255 }, .id.fileid = 7,
	    .cookie = 1, .attr = &attr };
	struct nfs3_pack p;

	e.id.own = own;
	e.id.own_len = 40;
	CHECK(nfs3_pack_init(&p, fresh_call(1 << 20), 512, 0));
	CHECK(nfs3_pack_entry_plus(&p, &e) == 0);
	CHECK(!p.entries_plus->name_attributes.attributes_follow);
	CHECK(!p.entries_plus->name_handle.handle_follows);
	CHECK(plus_bytes(&p) <= 512);
	end_call();

	/* With a short handle all of it fits, to the byte. */
	e.id.own_len = 0;
	CHECK(nfs3_pack_init(&p, fresh_call(1 << 20), 512, 0));
	CHECK(nfs3_pack_entry_plus(&p, &e) == 0);
	CHECK(p.entries_plus->name_handle.handle_follows);
	CHECK(plus_bytes(&p) == 512);
	end_call();
}

static void
test_dircount_bounds_names_but_the_first(void)
{
	struct vfs_entry e = { .name = { letters, 8 }, .id.fileid = 7,
	    .cookie = 1, .attr = &attr };
	struct nfs3_pack p;
	unsigned n;

	/* 28 bytes each. */
	for (uint32_t dircount = 1; dircount < 300; dircount++) {
		CHECK(nfs3_pack_init(&p, fresh_call(1 << 20), 60000,
		    dircount));
		for (n = 0; nfs3_pack_entry_plus(&p, &e) == 0; n++)
			;
		CHECK(n == (dircount < 28 ? 1 : dircount / 28));
		end_call();
	}
}

static void
test_an_entry_that_went_is_skipped(void)
{
	struct vfs_entry e = { .name = { letters, 8 }, .id.fileid = 7,
	    .cookie = 1, .err = ENOENT };
	struct nfs3_pack p;

	CHECK(nfs3_pack_init(&p, fresh_call(1 << 20), 4096, 0));
	CHECK(nfs3_pack_entry_plus(&p, &e) == 0);
	CHECK(p.n == 0 && p.entries_plus == NULL);
	e.err = EIO;
	CHECK(nfs3_pack_entry_plus(&p, &e) == 0);
	CHECK(p.n == 1);
	CHECK(!p.entries_plus->name_attributes.attributes_follow);
	CHECK(p.entries_plus->name_handle.handle_follows);
	end_call();
}

static void
test_fileid_0_fails_the_call(void)
{
	struct vfs_entry e = { .name = { letters, 8 }, .cookie = 1,
	    .attr = &attr };
	struct nfs3_pack p;

	CHECK(nfs3_pack_init(&p, fresh_call(1 << 20), 4096, 0));
	CHECK(nfs3_pack_entry(&p, &e) != 0);
	CHECK(p.err == EIO);
	CHECK(nfs3_pack_init(&p, &call, 4096, 0));
	CHECK(nfs3_pack_entry_plus(&p, &e) != 0);
	CHECK(p.err == EIO);
	end_call();
}

static void
test_without_memory_the_reply_ends_early_but_not_empty(void)
{
	struct nfs3_pack p;

	CHECK(nfs3_pack_init(&p, fresh_call(9000), 60000, 0));
	fill(&p, nfs3_pack_entry, 0);
	CHECK(p.n > 0 && p.err == 0);
	end_call();
	CHECK(nfs3_pack_init(&p, fresh_call(16), 60000, 0));
	fill(&p, nfs3_pack_entry, 0);
	CHECK(p.n == 0 && p.err == ENOMEM);
	end_call();
}

static void
test_a_second_run_gets_the_memory_of_the_first(void)
{
	struct nfs3_pack p;
	size_t left;

	CHECK(nfs3_pack_init(&p, fresh_call(1 << 20), 30000, 0));
	fill(&p, nfs3_pack_entry_plus, 0);
	left = call.rpc->arena.left;
	call.block = NULL;
	CHECK(nfs3_pack_init(&p, &call, 30000, 0));
	fill(&p, nfs3_pack_entry_plus, 0);
	CHECK(call.rpc->arena.left == left);
	CHECK(plus_bytes(&p) <= 30000);
	end_call();
}

CHECK_MAIN(
	CHECK_TEST(test_readdir_never_exceeds_count_and_wastes_nothing),
	CHECK_TEST(test_readdirplus_never_exceeds_maxcount),
	CHECK_TEST(test_a_long_name_goes_without_its_attributes_rather_than_not),
	CHECK_TEST(test_dircount_bounds_names_but_the_first),
	CHECK_TEST(test_an_entry_that_went_is_skipped),
	CHECK_TEST(test_fileid_0_fails_the_call),
	CHECK_TEST(test_without_memory_the_reply_ends_early_but_not_empty),
	CHECK_TEST(test_a_second_run_gets_the_memory_of_the_first),
)
