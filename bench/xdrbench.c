/*
 * What encoding and decoding cost: our generated code beside Sun's compiler's
 * over libtirpc, where that is installed.
 *
 *	build/bench/xdrbench
 *
 * Both sides are measured in turn, ROUNDS times; the ratio is the median of
 * the rounds' ratios, the times are the least ones.  Every decode gives its
 * memory back, and every encode and decode sets up its cursor.
 */
#include <pinefs/xdr.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/chain.h"
#include "proto/nfs3.h"
#include "proto/nfs4.h"
#include "xdrbench.h"

enum { ROUNDS = 101 };

/* ------------------------------------------------------------ our side -- */

static char handle[32] = "handle", payload[PAYLOAD];

static const fattr3 attributes = {
	.type = NF3REG, .mode = 0644, .nlink = 1, .size = 12345
};

static GETATTR3res
getattr_res(void)
{
	return (GETATTR3res){ .status = NFS3_OK,
	    .resok.obj_attributes = attributes };
}

static LOOKUP3args
lookup_args(void)
{
	return (LOOKUP3args){ .what = { .dir.data = xdr_view(handle, 32),
	    .name = xdr_view("some_file.txt", 13) } };
}

static READDIRPLUS3res
readdirplus_res(void)
{
	static entryplus3 entries[ENTRIES];
	unsigned i;

	for (i = 0; i < ENTRIES; i++)
		entries[i] = (entryplus3){
			.fileid = i, .name = xdr_view("file_name_01", 12),
			.cookie = i,
			.name_attributes = { true, { attributes } },
			.name_handle.handle_follows = true,
			.name_handle.handle.data = xdr_view(handle, 32),
			.nextentry = i + 1 < ENTRIES ? &entries[i + 1] : NULL
		};
	return (READDIRPLUS3res){ .status = NFS3_OK, .resok = {
	    .dir_attributes = { true, { attributes } },
	    .reply = { entries, true } } };
}

static WRITE3args
write_args(void)
{
	return (WRITE3args){ .file.data = xdr_view(handle, 32),
	    .count = PAYLOAD, .stable = FILE_SYNC,
	    .data = xdr_view(payload, PAYLOAD) };
}

static GETATTR3res getattr_value;
static LOOKUP3args lookup_value;
static READDIRPLUS3res readdirplus_value;
static WRITE3args write_value;

/* Bulk data goes by reference, as in the server: into a chain. */
static size_t
encode_write(uint8_t *to)
{
	static struct pinefs_chain chain;
	struct xdr_out out;
	size_t n;

	(void)to;
	xdr_out_init(&out, &chain, SPACE);
	out.borrow = true;
	(void)WRITE3args_encode(&out, &write_value);
	xdr_out_flush(&out);
	n = chain.bytes;
	chain_cut(&chain, 0, 0);
	return n;
}

/* Version 4 is encoded and decoded operation by operation (--lazy). */
static size_t
encode_compound(uint8_t *to)
{
	COMPOUND4args args = { .minorversion = 2, .argarray = { .n = 3 } };
	nfs_argop4 op;
	struct xdr_out out;

	xdr_out_init_mem(&out, to, SPACE);
	(void)COMPOUND4args_encode(&out, &args);
	op.argop = OP_SEQUENCE;
	op.opsequence = (SEQUENCE4args){ .sa_sequenceid = 77 };
	memset(op.opsequence.sa_sessionid, 5, 16);
	(void)nfs_argop4_encode(&out, &op);
	op.argop = OP_PUTFH;
	op.opputfh.object = xdr_view(handle, sizeof handle);
	(void)nfs_argop4_encode(&out, &op);
	op.argop = OP_READ;
	op.opread = (READ4args){ .stateid.seqid = 1, .offset = 4096,
	    .count = 65536 };
	(void)nfs_argop4_encode(&out, &op);
	return xdr_out_len(&out);
}

static int
decode_compound(struct xdr_in *in)
{
	static nfs_argop4 op;
	COMPOUND4args args;
	int err = COMPOUND4args_decode(in, &args);

	while (err == 0)
		err = COMPOUND4args_argarray_next(&args.argarray, &op);
	return err == ENOENT ? 0 : err;
}

static size_t
our_encode(enum message m, uint8_t *to)
{
	struct xdr_out out;

	if (m == WRITE)
		return encode_write(to);
	if (m == COMPOUND)
		return encode_compound(to);
	xdr_out_init_mem(&out, to, SPACE);
	if (m == GETATTR)
		(void)GETATTR3res_encode(&out, &getattr_value);
	else if (m == LOOKUP)
		(void)LOOKUP3args_encode(&out, &lookup_value);
	else
		(void)READDIRPLUS3res_encode(&out, &readdirplus_value);
	return xdr_out_len(&out);
}

static int
our_decode(enum message m, const uint8_t *from, size_t n)
{
	static uint8_t memory[SPACE];
	static union {
		GETATTR3res getattr;
		LOOKUP3args lookup;
		READDIRPLUS3res readdirplus;
		WRITE3args write;
	} v;
	static struct xdr_arena arena;
	struct xdr_in in;

	if (arena.first == NULL)
		xdr_arena_init(&arena, memory, sizeof memory, 0);
	xdr_arena_reset(&arena);
	xdr_in_init(&in, from, n, &arena);
	if (m == COMPOUND)
		return decode_compound(&in);
	if (m == GETATTR)
		return GETATTR3res_decode(&in, &v.getattr);
	if (m == LOOKUP)
		return LOOKUP3args_decode(&in, &v.lookup);
	if (m == READDIRPLUS)
		return READDIRPLUS3res_decode(&in, &v.readdirplus);
	return WRITE3args_decode(&in, &v.write);
}

const struct side ours = { "pinefs-rpcgen", our_encode, our_decode };

/* ----------------------------------------------------------- measuring -- */

static const char *const names[MESSAGES] = {
	"GETATTR3res", "LOOKUP3args", "READDIRPLUS3res x 100",
	"WRITE3args 64 KiB", "SEQUENCE+PUTFH+READ"
};
static const unsigned times[MESSAGES] = { 20000, 20000, 200, 20000, 20000 };
static uint8_t wire[SPACE];
static volatile size_t sink;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds of one, by doing some. */
static double
measure(const struct side *s, enum message m, bool decode, size_t n)
{
	static uint8_t to[SPACE];
	unsigned i, count = times[m];
	double start;

	/* libtirpc takes a thousand times as long to copy the payload. */
	if (s != &ours)
		count = count / 50 + 10;
	start = now();
	for (i = 0; i < count; i++)
		sink = decode ? (size_t)s->decode(m, wire, n) :
		    s->encode(m, to);
	return (now() - start) / count;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static size_t
make_wire(enum message m)
{
	struct xdr_out out;

	if (m != WRITE)
		return our_encode(m, wire);
	xdr_out_init_mem(&out, wire, SPACE);
	(void)WRITE3args_encode(&out, &write_value);
	return xdr_out_len(&out);
}

static void
row(enum message m, bool decode)
{
	double mine[ROUNDS], theirs[ROUNDS], ratio[ROUNDS];
	size_t n = make_wire(m);
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		mine[i] = measure(&ours, m, decode, n);
#ifdef HAVE_LIBTIRPC
		theirs[i] = measure(&libtirpc, m, decode, n);
#else
		theirs[i] = 0;
#endif
		ratio[i] = theirs[i] / mine[i];
	}
	qsort(mine, ROUNDS, sizeof *mine, by_size);
	qsort(theirs, ROUNDS, sizeof *theirs, by_size);
	qsort(ratio, ROUNDS, sizeof *ratio, by_size);
	printf("%-22s %6zu  %-6s %10.1f", names[m], n,
	    decode ? "decode" : "encode", mine[0]);
#ifdef HAVE_LIBTIRPC
	printf(" %10.1f %8.1f", theirs[0], ratio[ROUNDS / 2]);
#endif
	putchar('\n');
}

int
main(void)
{
	unsigned m;

	getattr_value = getattr_res();
	lookup_value = lookup_args();
	readdirplus_value = readdirplus_res();
	write_value = write_args();
	printf("%-22s %6s  %-6s %10s", "message", "bytes", "", "ours, ns");
#ifdef HAVE_LIBTIRPC
	printf(" %10s %8s", "libtirpc", "ratio");
#endif
	putchar('\n');
	for (m = 0; m < MESSAGES; m++) {
		row((enum message)m, false);
		row((enum message)m, true);
	}
	return 0;
}
