/*
 * JSON (RFC 8259) of one line: writing objects into memory that grows, and
 * reading members of an object.  What is written is ASCII: whatever a client
 * has sent, a terminal can be shown it.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -------------------------------------------------------------- writing -- */

struct json {
	char	*text;		/* NUL-terminated once there is any */
	size_t	 len, size;
	bool	 comma;		/* before what comes next */
	bool	 bad;		/* no memory: what follows is left out */
};

/* Zeroed is empty. */
void	json_free(struct json *);

/* {...} and a newline; objects inside of others have a key and no newline. */
void	json_begin(struct json *);
void	json_end(struct json *);
void	json_object(struct json *, const char *key);
void	json_object_end(struct json *);
/* [...]; a member of a list has the key NULL. */
void	json_list(struct json *, const char *key);
void	json_list_end(struct json *);

void	json_string(struct json *, const char *key, const char *value);
/* Any bytes: those that are no UTF-8 become U+FFFD. */
void	json_bytes(struct json *, const char *key, const void *, size_t len);
void	json_uint(struct json *, const char *key, uint64_t value);
void	json_real(struct json *, const char *key, double value);
/* Whatever stands in a number of printf for the point, by the locale of the
 * host program, is a point. */
void	json_point(char *number);
void	json_bool(struct json *, const char *key, bool value);
/* Lines that others have written. */
void	json_append(struct json *, const char *lines, size_t len);
/* JSON already. */
void	json_raw(struct json *, const char *key, const char *value);

/* -------------------------------------------------------------- reading -- */

/*
 * The value of a member of the object at `text`, or NULL: there is none, or
 * it is no object.  Nothing is trusted, but for the NUL at the end.
 */
const char *json_find(const char *text, const char *key);
/* A string's bytes as UTF-8, cut to `size`; false: it is no string. */
bool	json_get_text(const char *value, char *to, size_t size);
/* A number, cut to an integer that is not negative; else 0. */
uint64_t json_get_uint(const char *value);
double	json_get_real(const char *value);
bool	json_get_bool(const char *value);
/* Values of a list: the first one, the one after that; NULL: no more. */
const char *json_first(const char *list);
const char *json_next(const char *value);
/* Is it one object, and nothing behind it but space? */
bool	json_is_object(const char *text);

#endif
