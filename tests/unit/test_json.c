#include "base/json.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static void
test_objects_are_written_in_one_line(void)
{
	struct json j = { 0 };

	json_begin(&j);
	json_string(&j, "a", "b");
	json_list(&j, "list");
	json_string(&j, NULL, "x");
	json_uint(&j, NULL, UINT64_MAX);
	json_list_end(&j);
	json_object(&j, "o");
	json_bool(&j, "yes", true);
	json_object_end(&j);
	json_real(&j, "r", 0.25);
	json_list(&j, "none");
	json_list_end(&j);
	json_end(&j);
	CHECK(!j.bad);
	assert_string_equal(j.text, "{\"a\":\"b\",\"list\":[\"x\","
	    "18446744073709551615],\"o\":{\"yes\":true},\"r\":0.25,"
	    "\"none\":[]}\n");
	CHECK(json_is_object(j.text));
	json_free(&j);
}

static void
test_no_byte_of_a_stranger_reaches_a_terminal(void)
{
	static const char bytes[] = "\"\\\x1b[2J\n\x7f\xc2\x9b\xff"
	    "\xed\xa0\x80\xf0\x9f\x98\x80\xc3\xa9\xe2\x82";
	struct json j = { 0 };
	char text[64];
	size_t i;

	json_begin(&j);
	json_bytes(&j, "k", bytes, sizeof bytes);	/* with its NUL */
	json_end(&j);
	for (i = 0; i < j.len - 1; i++)
		CHECK(j.text[i] >= 0x20 && j.text[i] < 0x7f);
	assert_string_equal(j.text, "{\"k\":\"\\\"\\\\\\u001b[2J\\u000a"
	    "\\u007f\\u009b\\ufffd\\ufffd\\ufffd\\ufffd\\ud83d\\ude00\\u00e9"
	    "\\ufffd\\ufffd\\u0000\"}\n");
	CHECK(json_get_text(json_find(j.text, "k"), text, sizeof text));
	CHECK(memcmp(text, "\"\\\x1b[2J\n\x7f\xc2\x9b", 10) == 0);
	CHECK(strstr(text, "\xf0\x9f\x98\x80\xc3\xa9") != NULL);
	json_free(&j);
}

static void
test_members_are_found_behind_others(void)
{
	static const char text[] = " { \"a\" : {\"n\":1,\"b\":[1,\"n\"]},"
	    "\"ab\":\"}\\\"n\\\":\", \"n\" : 42 , \"l\":[ 1, {\"x\":2} ,[]] }";
	const char *l;
	char to[8];

	CHECK(json_is_object(text));
	CHECK(json_get_uint(json_find(text, "n")) == 42);
	CHECK(json_get_text(json_find(text, "ab"), to, sizeof to));
	assert_string_equal(to, "}\"n\":");
	CHECK(json_get_text(json_find(text, "ab"), to, 3));	/* cut */
	assert_string_equal(to, "}\"");
	CHECK(json_find(text, "x") == NULL);
	CHECK((l = json_first(json_find(text, "l"))) != NULL);
	CHECK(json_get_uint(l) == 1);
	CHECK((l = json_next(l)) != NULL);
	CHECK(json_get_uint(json_find(l, "x")) == 2);
	CHECK((l = json_next(l)) != NULL);
	CHECK(json_first(l) == NULL);
	CHECK(json_next(l) == NULL);
}

/* Each in memory of its own size, so that a step beyond it is seen. */
static void
read_all(const char *text)
{
	char *copy = strdup(text), to[4];
	const char *v;

	CHECK(copy != NULL);
	(void)json_is_object(copy);
	if ((v = json_find(copy, "a")) != NULL) {
		(void)json_get_text(v, to, sizeof to);
		(void)json_get_uint(v);
		(void)json_get_real(v);
		(void)json_get_bool(v);
		for (v = json_first(v); v != NULL; v = json_next(v))
			continue;
	}
	free(copy);
}

static void
test_what_is_damaged_is_no_object_and_harms_nobody(void)
{
	static const char whole[] = "{\"a\":[\"\\u00e9\\ud83d\\ude00\\n\","
	    "{\"b\":-1.5e3},true],\"c\":null}";
	char text[sizeof whole], deep[3000];
	size_t i, n;

	CHECK(json_is_object(whole));
	for (n = 0; n < sizeof whole - 1; n++) {
		memcpy(text, whole, n);
		text[n] = '\0';
		CHECK(!json_is_object(text));
		read_all(text);
	}
	for (i = 0; i < sizeof whole - 1; i++) {
		memcpy(text, whole, sizeof whole);
		for (n = 1; n < 256; n++) {
			text[i] = (char)n;
			read_all(text);
		}
	}
	memset(deep, '[', sizeof deep);
	memcpy(deep, "{\"a\":", 5);
	deep[sizeof deep - 1] = '\0';
	CHECK(!json_is_object(deep));
	read_all(deep);
}

/* A program of Python may have chosen its user's. */
static void
test_numbers_have_a_point_in_every_language(void)
{
	static const char *const locales[] = { "de_DE.UTF-8", "de_DE.utf8",
	    "fr_FR.UTF-8", "de_DE", "ps_AF.UTF-8" };
	char text[4][32] = { "1234,5e-07", "0\331\25325", "-1", "1.5" };
	struct json j = { 0 };
	unsigned i;

	for (i = 0; i < 4; i++)
		json_point(text[i]);
	assert_string_equal(text[0], "1234.5e-07");
	assert_string_equal(text[1], "0.25");
	assert_string_equal(text[2], "-1");
	assert_string_equal(text[3], "1.5");
	/* And where this system has such a language. */
	for (i = 0; i < sizeof locales / sizeof locales[0]; i++)
		if (setlocale(LC_ALL, locales[i]) != NULL)
			break;
	json_begin(&j);
	json_real(&j, "r", 0.25);
	json_end(&j);
	assert_string_equal(j.text, "{\"r\":0.25}\n");
	CHECK(json_get_real(json_find(j.text, "r")) == 0.25);
	(void)setlocale(LC_ALL, "C");
	json_free(&j);
}

CHECK_MAIN(
	CHECK_TEST(test_numbers_have_a_point_in_every_language),
	CHECK_TEST(test_objects_are_written_in_one_line),
	CHECK_TEST(test_no_byte_of_a_stranger_reaches_a_terminal),
	CHECK_TEST(test_members_are_found_behind_others),
	CHECK_TEST(test_what_is_damaged_is_no_object_and_harms_nobody),
)
