/* What all that is driven by descriptors (pinefs/xdr_type.h) shares. */
#ifndef XDR_WALK_H
#define XDR_WALK_H

#include <pinefs/xdr_type.h>

/* All vectors are laid out alike: a pointer and a count. */
struct vector {
	uint8_t *v;
	uint32_t n;
};

static inline uint8_t *
walk_pointer(const uint8_t *value)
{
	uint8_t *to;

	memcpy(&to, value, sizeof to);
	return to;
}

static inline int32_t
walk_int(const uint8_t *value)
{
	int32_t i;

	memcpy(&i, value, sizeof i);
	return i;
}

static inline int32_t
walk_discriminant(const struct xdr_type *t, const uint8_t *value)
{
	const uint8_t *disc = value + t->fields[0].offset;

	return t->fields[0].type->kind == XDR_KIND_BOOL ? *disc :
	    walk_int(disc);
}

/* The name of an enum's value; NULL where it has none. */
static inline const char *
walk_name(const struct xdr_type *t, int32_t value)
{
	uint32_t i;

	for (i = 0; i < t->n; i++)
		if (t->names[i].value == value)
			return t->names[i].name;
	return NULL;
}

/* The arm's member; NULL where the value has none. */
static inline const struct xdr_field *
walk_arm(const struct xdr_type *t, int32_t disc)
{
	uint32_t i;

	for (i = 0; i < t->n; i++)
		if (t->arms[i].label == disc)
			return &t->arms[i].field;
	return t->otherwise;
}

#endif
