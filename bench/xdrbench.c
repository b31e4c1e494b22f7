/*
 * What encoding and decoding cost: our generated code beside Sun's compiler's
 * over libtirpc, where that is installed.
 *
 *	build/bench/xdrbench
 *
 * Both sides are measured in turn, ROUNDS times; the ratio is the median of
 * the rounds' ratios, the times are the least ones.  Every decode gives its
 * memory back.  A cursor serves the header of a call and what follows, so
 * that setting one up has lines of its own.
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

/* Version 4 is encoded and decoded operation by operation (--lazy). */
static COMPOUND4args compound_value = {
	.minorversion = 2, .argarray = { .n = 3 }
};
static nfs_argop4 operations[3] = {
	{ .argop = OP_SEQUENCE, .opsequence = {
	    .sa_sessionid = { 5, 5, 5, 5 }, .sa_sequenceid = 77 } },
	{ .argop = OP_PUTFH, .opputfh.object = { handle, sizeof handle, 0 } },
	{ .argop = OP_READ, .opread = { .stateid.seqid = 1, .offset = 4096,
	    .count = 65536 } }
};

#define ENCODE(NAME, TYPE, VALUE)					\
static int								\
encode_##NAME(uint8_t *to, unsigned times)				\
{									\
	struct xdr_out out;						\
									\
	xdr_out_init_mem(&out, to, SPACE);				\
	while (times-- > 0) {						\
		out.pos = to;						\
		(void)TYPE##_encode(&out, &VALUE);			\
	}								\
	return out.err;							\
}

ENCODE(getattr, GETATTR3res, getattr_value)
ENCODE(lookup, LOOKUP3args, lookup_value)
ENCODE(readdirplus, READDIRPLUS3res, readdirplus_value)

/*
 * Bulk data goes by reference, as in the server: into a chain, in which the
 * record's mark has made room.
 */
static int
encode_write(uint8_t *to, unsigned times)
{
	static struct pinefs_chain chain;
	struct xdr_out out;
	int err = 0;

	(void)to;
	while (times-- > 0 && err == 0) {
		xdr_out_init(&out, &chain, SPACE);
		out.borrow = true;
		xdr_put_u32(&out, 0);
		err = WRITE3args_encode(&out, &write_value);
		xdr_out_flush(&out);
		chain_cut(&chain, 0, 0);
	}
	return err;
}

static int
encode_compound(uint8_t *to, unsigned times)
{
	struct xdr_out out;
	unsigned i;

	xdr_out_init_mem(&out, to, SPACE);
	while (times-- > 0) {
		out.pos = to;
		(void)COMPOUND4args_encode(&out, &compound_value);
		for (i = 0; i < 3; i++)
			(void)nfs_argop4_encode(&out, &operations[i]);
	}
	return out.err;
}

static struct xdr_arena arena;

#define DECODE(NAME, TYPE)						\
static int								\
decode_##NAME(const uint8_t *from, size_t n, unsigned times)		\
{									\
	static TYPE v;							\
	struct xdr_in in;						\
									\
	xdr_in_init(&in, from, n, &arena);				\
	while (times-- > 0) {						\
		in.pos = from;						\
		xdr_arena_reset(&arena);				\
		(void)TYPE##_decode(&in, &v);				\
	}								\
	return in.bad;							\
}

DECODE(getattr, GETATTR3res)
DECODE(lookup, LOOKUP3args)
DECODE(readdirplus, READDIRPLUS3res)
DECODE(write, WRITE3args)

static int
decode_compound(const uint8_t *from, size_t n, unsigned times)
{
	static nfs_argop4 op;
	COMPOUND4args args;
	struct xdr_in in;

	xdr_in_init(&in, from, n, &arena);
	while (times-- > 0) {
		in.pos = from;
		xdr_arena_reset(&arena);
		(void)COMPOUND4args_decode(&in, &args);
		while (COMPOUND4args_argarray_next(&args.argarray, &op) == 0)
			;
	}
	return in.bad;
}

static int
setup_encode(uint8_t *to, unsigned times)
{
	struct xdr_out out;

	while (times-- > 0) {
		xdr_out_init_mem(&out, to, SPACE);
		KEEP(&out);
	}
	return 0;
}

static int
setup_decode(const uint8_t *from, size_t n, unsigned times)
{
	struct xdr_in in;

	while (times-- > 0) {
		xdr_in_init(&in, from, n, &arena);
		KEEP(&in);
	}
	return 0;
}

const struct side ours = {
	{ encode_getattr, encode_lookup, encode_readdirplus, encode_write,
	    encode_compound },
	{ decode_getattr, decode_lookup, decode_readdirplus, decode_write,
	    decode_compound },
	setup_encode, setup_decode
};

/* ----------------------------------------------------------- measuring -- */

static const struct {
	const char	*name;
	unsigned	 times;
} messages[MESSAGES] = {
	{ "GETATTR3res", 20000 }, { "LOOKUP3args", 20000 },
	{ "READDIRPLUS3res x 100", 200 }, { "WRITE3args 64 KiB", 20000 },
	{ "SEQUENCE+PUTFH+READ", 20000 }
};
static uint8_t wire[SPACE];

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* One line of the table: encode or decode, by two sides. */
struct row {
	const char	*name;
	size_t		 n;		/* bytes on the wire */
	unsigned	 times;
	encode_fn	*encode[2];	/* or */
	decode_fn	*decode[2];
};

/* Nanoseconds of one, by doing some. */
static double
measure(const struct row *r, unsigned side)
{
	static uint8_t to[SPACE];
	/* libtirpc takes a thousand times as long to copy the payload. */
	unsigned count = side == 0 ? r->times : r->times / 50 + 10;
	double start = now();
	int err = r->encode[side] != NULL ? r->encode[side](to, count) :
	    r->decode[side](wire, r->n, count);

	if (err != 0) {
		fprintf(stderr, "xdrbench: %s: failed\n", r->name);
		exit(1);
	}
	return (now() - start) / count;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
show(const struct row *r)
{
	double mine[ROUNDS], theirs[ROUNDS], ratio[ROUNDS];
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		mine[i] = measure(r, 0);
#ifdef HAVE_LIBTIRPC
		theirs[i] = measure(r, 1);
#else
		theirs[i] = 0;
#endif
		ratio[i] = theirs[i] / mine[i];
	}
	qsort(mine, ROUNDS, sizeof *mine, by_size);
	qsort(theirs, ROUNDS, sizeof *theirs, by_size);
	qsort(ratio, ROUNDS, sizeof *ratio, by_size);
	printf("%-22s %6zu  %-6s %10.1f", r->name, r->n,
	    r->encode[0] == NULL ? "decode" : "encode", mine[0]);
#ifdef HAVE_LIBTIRPC
	printf(" %10.1f %8.1f", theirs[0], ratio[ROUNDS / 2]);
#endif
	putchar('\n');
}

#ifdef HAVE_LIBTIRPC
#define BOTH(field) { ours.field, libtirpc.field }
#else
#define BOTH(field) { ours.field, NULL }
#endif

static void
show_setup(void)
{
	struct row encode = { "a cursor", 0, 20000, BOTH(setup_encode),
	    { NULL } };
	struct row decode = { "a cursor", 0, 20000, { NULL },
	    BOTH(setup_decode) };

	show(&encode);
	show(&decode);
}

static size_t
make_wire(enum message m)
{
	struct xdr_out out;
	unsigned i;

	xdr_out_init_mem(&out, wire, SPACE);
	if (m == GETATTR)
		(void)GETATTR3res_encode(&out, &getattr_value);
	else if (m == LOOKUP)
		(void)LOOKUP3args_encode(&out, &lookup_value);
	else if (m == READDIRPLUS)
		(void)READDIRPLUS3res_encode(&out, &readdirplus_value);
	else if (m == WRITE)
		(void)WRITE3args_encode(&out, &write_value);
	else
		(void)COMPOUND4args_encode(&out, &compound_value);
	for (i = 0; m == COMPOUND && i < 3; i++)
		(void)nfs_argop4_encode(&out, &operations[i]);
	return xdr_out_len(&out);
}

static void
show_message(enum message m)
{
	size_t n = make_wire(m);
	struct row encode = { messages[m].name, n, messages[m].times,
	    BOTH(encode[m]), { NULL } };
	struct row decode = { messages[m].name, n, messages[m].times,
	    { NULL }, BOTH(decode[m]) };

	show(&encode);
	show(&decode);
}

int
main(void)
{
	static uint8_t memory[SPACE];
	unsigned m;

	xdr_arena_init(&arena, memory, sizeof memory, 0);
	getattr_value = getattr_res();
	lookup_value = lookup_args();
	readdirplus_value = readdirplus_res();
	write_value = write_args();
	printf("%-22s %6s  %-6s %10s", "message", "bytes", "", "ours, ns");
#ifdef HAVE_LIBTIRPC
	printf(" %10s %8s", "libtirpc", "ratio");
#endif
	putchar('\n');
	for (m = 0; m < MESSAGES; m++)
		show_message((enum message)m);
	show_setup();
	return 0;
}
