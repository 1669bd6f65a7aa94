/*
 * flurm_json_test.c - JSON as text: strict, and bounded in what it takes.
 */
#include "testsuite/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "src/flurm/json_text.h"

#define MOST FLURM_JSON_REQUEST

static json_t *_read(const char *text, size_t len, size_t most, fed_err_t *err)
{
	char *copy = malloc(len ? len : 1);
	json_t *json;

	/* exactly as long: a sanitizer sees a byte too far */
	memcpy(copy, text, len);
	json = flurm_json_read(copy, len, most, err);
	free(copy);
	return json;
}

static void _refuses(void **state)
{
	static const char *const texts[] = {
		"", " ", "{", "[1,]", "{}{}", "[]x", "7", "\"a\"", "true",
		"{\"a\":1,\"a\":2}", "{\"a\\u0062\":1,\"ab\":2}",
		"[\"\\u0000\"]", "{\"a\\u0000\":1}",
		"[9223372036854775808]", "[1e400]", "[\"a\nb\"]",
		"[\"\xff\"]", "[\"\xc0\x80\"]", "[\"\xed\xa0\x80\"]",
		"[\"\\ud83d\"]", "{\"\xff\":1}", "\xef\xbb\xbf{}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		fed_err_t err = { 0 };

		assert_null(_read(texts[i], strlen(texts[i]), MOST, &err));
		assert_int_equal(strncmp(err.text, "JSON: line ", 11), 0);
	}
	assert_null(_read("[\"a\0b\"]", 7, MOST, NULL));
}

static void _writes_what_it_read(void **state)
{
	static const char text[] =
		"{\"a\":[1,-9223372036854775808,true,null,\"\"],"
		"\"\xc3\xa9\":\"\\n\\\"\xf0\x9f\x98\x80\",\"b\":{}}";
	json_t *json = _read(text, strlen(text), MOST, NULL);
	size_t len;
	char *written = flurm_json_write(json, &len);

	assert_string_equal(written, text);
	assert_int_equal(len, strlen(text));
	free(written);
	json_decref(json);
	assert_null(flurm_json_write(NULL, NULL));
}

static void _bounds(void **state)
{
	char *text = malloc(1000000);
	fed_err_t err;
	json_t *json;

	memset(text, '[', 1000000);
	assert_null(_read(text, 100000, MOST, &err));
	assert_non_null(strstr(err.text, "depth"));

	for (int i = 0; i < 1000; i++)
		memcpy(text + 1 + 3 * i, "[],", 3);
	text[3000] = ']';
	assert_null(_read(text, 3001, 1000, &err));
	assert_string_equal(err.text, "JSON: more than 1000 objects and "
			    "arrays, or 10000 values");
	json = _read(text, 3001, 1001, &err);
	assert_non_null(json);
	json_decref(json);

	for (int i = 0; i < 1000; i++)
		memcpy(text + 1 + 2 * i, "1,", 2);
	text[2000] = ']';
	assert_null(_read(text, 2001, 99, &err));
	assert_non_null(strstr(err.text, "or 990 values"));

	/* what stands in a string is no value, whatever it looks like */
	memset(text, ',', 3000);
	memcpy(text, "[\"\\\"[{", 6);
	memcpy(text + 2998, "\"]", 2);
	json = _read(text, 3000, 1, &err);
	assert_non_null(json);
	json_decref(json);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_refuses),
		cmocka_unit_test(_writes_what_it_read),
		cmocka_unit_test(_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
