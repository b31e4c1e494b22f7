/*
 * What is read from the control socket and from records in the run directory:
 * no byte behind the text is touched, a list has an end, and what is written
 * of any bytes is an object that reads back as the same.
 *
 * Input: the text; it is cut at its first NUL, as the readers do.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
read_members(const char *text)
{
	static const char *const keys[] = { "dir", "client", "path",
	    "interval_ms", "mounts", "" };
	char to[64];
	const char *v;
	unsigned i, n;

	for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		v = json_find(text, keys[i]);
		if (json_get_text(v, to, sizeof to))
			assert(strlen(to) < sizeof to);
		(void)json_get_uint(v);
		(void)json_get_real(v);
		(void)json_get_bool(v);
		for (n = 0, v = json_first(v); v != NULL; v = json_next(v))
			assert(++n <= strlen(text));
	}
}

static void
write_and_read(const uint8_t *data, size_t size)
{
	struct json j = { 0 };
	char *back = malloc(3 * size + 1);
	size_t i;

	assert(back != NULL);
	json_begin(&j);
	json_bytes(&j, "k", data, size);
	json_end(&j);
	assert(!j.bad && json_is_object(j.text));
	for (i = 0; i + 1 < j.len; i++)
		assert(j.text[i] >= 0x20 && j.text[i] < 0x7f);
	assert(json_get_text(json_find(j.text, "k"), back, 3 * size + 1));
	/* ASCII comes back as it was. */
	for (i = 0; i < size && data[i] > 0 && data[i] < 0x80; i++)
		continue;
	if (i == size)
		assert(memcmp(back, data, size) == 0);
	json_free(&j);
	free(back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	(void)json_is_object(text);
	read_members(text);
	write_and_read(data, size);
	free(text);
	return 0;
}
