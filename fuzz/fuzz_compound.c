/*
 * NFSv4's COMPOUND, decoded and run: see nfs4_fuzz.h.  Byte 0: answers come
 * later, who asks; then compounds: who (1 byte: bit 0 client, bit 1 user),
 * length (2), COMPOUND4args, as far as it can be decoded with what is known
 * put in, then as it is.
 *
 * fuzz/nfs4_seeds.py makes the seeds, too.
 */
#include "fuzz/nfs4_fuzz.h"

enum { COMPOUNDS = 12, LEAST = 12 };

/* v4.bytes from the input's operations; how many it says there are. */
static bool
take(const uint8_t *data, size_t len, uint32_t *asked)
{
	struct xdr_arena arena;
	COMPOUND4args args;
	struct xdr_out out;
	struct xdr_in in;
	const uint8_t *rest;
	unsigned i = 0;
	bool ok;

	xdr_arena_init(&arena, NULL, 0, 1 << 16);
	xdr_in_init(&in, data, len, &arena);
	ok = COMPOUND4args_decode(&in, &args) == 0;
	if (ok) {
		fuzz_introduce(args.minorversion);
		fuzz.minor = args.minorversion;
		v4.tag = xdr_view(NULL, 0);
		xdr_out_init_mem(&out, v4.bytes, sizeof v4.bytes);
		for (rest = in.pos; i < V4_OPS && COMPOUND4args_argarray_next(
		    &args.argarray, &v4.op[0]) == 0; rest = in.pos) {
			patch(&v4.op[0], i++);
			assert(nfs_argop4_encode(&out, &v4.op[0]) == 0);
		}
		v4.len = xdr_out_len(&out);
		if (v4.len + (size_t)(data + len - rest) <= sizeof v4.bytes) {
			memcpy(v4.bytes + v4.len, rest,
			    (size_t)(data + len - rest));
			v4.len += (size_t)(data + len - rest);
		}
		*asked = args.argarray.n;
	}
	xdr_arena_reset(&arena);
	return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint32_t asked;

	if (len == 0)
		return 0;
	fuzz4_start();
	rig.toy->later = data[0] & 1;
	if (data[0] & 2)
		rig.toy->write_max = 3;
	data++, len--;
	for (int n = 0; n < COMPOUNDS && len >= 3 + LEAST; n++) {
		size_t size = (size_t)data[1] << 8 | data[2];

		fuzz.is = &fuzz.client[data[0] & 1];
		rig.cred.uid = data[0] & 2 ? 1000 : 0;
		data += 3, len -= 3;
		if (size > len)
			size = len;
		if (take(data, size, &asked))
			fuzz_run(asked);
		data += size, len -= size;
	}
	fuzz4_stop();
	return 0;
}
