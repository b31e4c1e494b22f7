/* Variable arrays of basic types, which no .x file gives a codec of its own. */
#include <pinefs/xdr.h>

/*
 * `size` bytes each on the wire.  LOAD gets `in`, the element's bytes p and
 * its place to, and jumps to nothing: it is an expression of value 0 or an
 * errno.
 */
#define DECODER(NAME, SIZE, LOAD)					\
int									\
NAME##_decode(struct xdr_in *in, struct NAME *a, uint32_t max,		\
    const char *where)							\
{									\
	const uint8_t *p;						\
	uint32_t i, n;							\
	int err = xdr_get_count(in, &n, max, SIZE, where);		\
									\
	if (err != 0)							\
		return err;						\
	if ((p = xdr_take(in, (size_t)n * SIZE)) == NULL)		\
		return xdr_fail(in, XDR_SHORT, where);			\
	a->n = n;							\
	a->v = xdr_alloc_array(in, n, sizeof *a->v);			\
	if (a->v == NULL && n > 0)					\
		return xdr_fail(in, XDR_OVER_BUDGET, where);		\
	for (i = 0; i < n && err == 0; i++, p += SIZE)			\
		err = LOAD;						\
	return err;							\
}

#define ENCODER(NAME, SIZE, STORE)					\
int									\
NAME##_encode(struct xdr_out *out, const struct NAME *a, uint32_t max,	\
    const char *where)							\
{									\
	uint8_t *p;							\
	uint32_t i;							\
	int err = xdr_put_count(out, a->n, max, where);			\
									\
	for (i = 0; i < a->n && err == 0; i++) {			\
		if ((p = xdr_room(out, SIZE)) == NULL)			\
			err = xdr_out_fail(out, XDR_OVER_LIMIT, where);	\
		else							\
			STORE;						\
	}								\
	return err;							\
}

DECODER(xdr_bool_array, 4, xdr_load_bool(in, p, &a->v[i], where))
DECODER(xdr_i32_array, 4, (a->v[i] = (int32_t)xdr_load_u32(p), 0))
DECODER(xdr_u32_array, 4, (a->v[i] = xdr_load_u32(p), 0))
DECODER(xdr_i64_array, 8, (a->v[i] = (int64_t)xdr_load_u64(p), 0))
DECODER(xdr_u64_array, 8, (a->v[i] = xdr_load_u64(p), 0))
DECODER(xdr_float_array, 4, (a->v[i] = xdr_load_float(p), 0))
DECODER(xdr_double_array, 8, (a->v[i] = xdr_load_double(p), 0))
DECODER(xdr_quadruple_array, 16, (memcpy(a->v[i].bytes, p, 16), 0))

ENCODER(xdr_bool_array, 4, xdr_store_u32(p, a->v[i]))
ENCODER(xdr_i32_array, 4, xdr_store_u32(p, (uint32_t)a->v[i]))
ENCODER(xdr_u32_array, 4, xdr_store_u32(p, a->v[i]))
ENCODER(xdr_i64_array, 8, xdr_store_u64(p, (uint64_t)a->v[i]))
ENCODER(xdr_u64_array, 8, xdr_store_u64(p, a->v[i]))
ENCODER(xdr_float_array, 4, xdr_store_float(p, a->v[i]))
ENCODER(xdr_double_array, 8, xdr_store_double(p, a->v[i]))
ENCODER(xdr_quadruple_array, 16, memcpy(p, a->v[i].bytes, 16))
