/*
 * Calls of NFS from an input: procedure (1 byte), length (2), arguments; and
 * so on.  They are decoded and run on a small file system as rpc would, and
 * each reply is encoded.  Handles in the arguments are replaced by good ones,
 * which no fuzzer could guess.
 */
#ifndef FUZZ_NFS_FUZZ_H
#define FUZZ_NFS_FUZZ_H

#include <assert.h>

#define assert_int_equal(a, b)		assert((a) == (b))
#define assert_int_not_equal(a, b)	assert((a) != (b))
#define TOY_BYTES	4096
#include "tests/unit/nfs_rig.h"

enum { FUZZ_CALLS = 12, FUZZ_KEEP = 240 };

/*
 * The handle of an object of the toy, chosen by the first byte of what the
 * input has there.  False: leave that.
 */
static inline bool
fuzz_handle(const uint8_t *was, uint32_t len, uint8_t fh[NFS_FH_MAX3])
{
	struct pinefs_ident id = { .generation = 7 };
	uint32_t fh_len;

	if (len == 0 || was[0] >= FUZZ_KEEP)
		return false;
	id.fileid = TOY_FIRST_ID + was[0] % rig.toy->n;
	assert(nfs_fh_make(&rig.nfs.keys, rig.export.id, &id, NFS_FH_MAX2,
	    fh, &fh_len) == 0);
	return true;
}

static inline void
fuzz_start(void)
{
	struct toy_obj *root, *dir;

	rig_start();
	root = &rig.toy->obj[0];
	dir = toy_add(rig.toy, root, "d", PINEFS_DIR, 0777, NULL);
	toy_add(rig.toy, root, "f", PINEFS_REG, 0644, "hello");
	toy_add(rig.toy, dir, "l", PINEFS_LNK, 0777, "../f");
	toy_add(rig.toy, dir, "p", PINEFS_FIFO, 0644, NULL);
}

/* One call: its arguments are what is in `in`. */
static inline void
fuzz_call(uint32_t vers, uint32_t proc, const uint8_t *bytes, size_t len,
    void (*patch)(uint32_t proc, void *args))
{
	const struct rpc_program *p = rig_program(100003, vers);
	const struct rpc_procedure *row = &p->service->procs[proc];
	_Alignas(16) uint8_t args[1024], res[1024];
	struct xdr_arena arena;
	struct xdr_in in;

	assert(row->args_size <= sizeof args && row->res_size <= sizeof res);
	memset(args, 0, sizeof args);
	memset(res, 0, sizeof res);
	xdr_arena_init(&arena, NULL, 0, 1 << 16);
	xdr_in_init(&in, bytes, len, &arena);
	if (row->decode == NULL || row->decode(&in, args) == 0) {
		patch(proc, args);
		(void)rig_call(100003, vers, proc, args, res);
		rig_end_call();
	}
	xdr_arena_reset(&arena);
}

static inline int
fuzz_calls(uint32_t vers, uint32_t nprocs, const uint8_t *data, size_t len,
    void (*patch)(uint32_t proc, void *args))
{
	if (len == 0)
		return 0;
	fuzz_start();
	rig.toy->later = data[0] & 1;
	rig.cred.uid = data[0] & 2 ? 1000 : 0;
	rig.peer.udp = data[0] & 4;
	data++, len--;
	for (int n = 0; n < FUZZ_CALLS && len >= 3; n++) {
		uint32_t proc = 1 + data[0] % (nprocs - 1);
		size_t size = (size_t)data[1] << 8 | data[2];
		uint8_t *copy;

		data += 3, len -= 3;
		if (size > len)
			size = len;
		/* Of its own, so that one byte beyond it is seen. */
		copy = malloc(size == 0 ? 1 : size);
		memcpy(copy, data, size);
		fuzz_call(vers, proc, copy, size, patch);
		free(copy);
		data += size, len -= size;
	}
	rig_stop();
	return 0;
}

#endif
