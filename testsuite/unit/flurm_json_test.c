/*
 * flurm_json_test.c - JSON as text: what jansson takes, we take, and the same.
 */
#include "testsuite/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "src/flurm/json_text.h"

#define MOST FLURM_JSON_REQUEST

/* Both take it and say the same, or both refuse it. */
static void _compare(const char *text, size_t len)
{
	json_t *theirs = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	fed_err_t err = { 0 };
	char *copy = malloc(len ? len : 1);
	json_t *ours;

	/* exactly as long: a sanitizer sees a byte too far */
	memcpy(copy, text, len);
	ours = flurm_json_read(copy, len, MOST, &err);
	free(copy);
	if (!ours != !theirs)
		fail_msg("%.*s: %s", (int) len, text, err.text);
	if (ours) {
		char *written = flurm_json_write(ours, NULL);
		char *dumped = json_dumps(theirs, JSON_COMPACT |
					  JSON_REAL_PRECISION(6));

		assert_true(json_equal(ours, theirs));
		assert_string_equal(written, dumped);
		free(written);
		free(dumped);
	} else {
		assert_non_null(strstr(err.text, "JSON: byte "));
	}
	json_decref(ours);
	json_decref(theirs);
}

static const char *const texts[] = {
	/* whole */
	"{}", "[]", " { } ", "\t[\r\n]\n", "[1]", "[1,2]", "[ 1 , 2 ]",
	"{\"a\":1}", "{ \"a\" : { \"b\" : [ ] } }", "[true,false,null]",
	"[0]", "[-0]", "[-1]", "[9223372036854775807]",
	"[-9223372036854775808]", "[9223372036854775808]",
	"[-9223372036854775809]", "[99999999999999999999]", "[01]", "[-01]",
	"[-]", "[+1]", "[1.5]", "[1.]", "[.5]", "[1e3]", "[1E+3]", "[1e-3]",
	"[1e]", "[1e+]", "[1e400]", "[-1.25e2]", "[0.0]", "[0x1]", "[1 2]",
	"[\"\"]", "[\"abc\"]", "[\"a\\nb\"]",
	"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
	"[\"\\u0041\\u00e9\\u20ac\"]", "[\"\\ud83d\\ude00\"]",
	"[\"\\uD83D\\uDE00\"]", "[\"\\ud83d\"]", "[\"\\ud83dx\"]",
	"[\"\\ud83d\\u0041\"]", "[\"\\ude00\"]", "[\"\\u0000\"]", "[\"\\u12\"]",
	"[\"\\u12g4\"]", "[\"\\u001f\"]", "[\"\\x\"]", "[\"\\", "[\"\\u",
	"[\"\x01\"]", "[\"\n\"]", "[\"\x7f\"]", "[\"a", "[\"a\\\"",
	/* UTF-8, and what is not */
	"[\"\xc3\xa9\"]", "[\"\xe2\x82\xac\"]", "[\"\xf0\x9f\x98\x80\"]",
	"[\"\xf4\x8f\xbf\xbf\"]", "[\"\xf4\x90\x80\x80\"]", "[\"\xc3\"]",
	"[\"\xc3\x28\"]", "[\"\xc0\x80\"]", "[\"\xc1\xbf\"]",
	"[\"\xe0\x80\x80\"]", "[\"\xe0\xa0\x80\"]", "[\"\xed\xa0\x80\"]",
	"[\"\xed\x9f\xbf\"]", "[\"\xf0\x80\x80\x80\"]",
	"[\"\xf5\x80\x80\x80\"]",
	"[\"\xff\"]", "[\"\x80\"]", "[\"\xe2\x82\"]", "{\"\xff\":1}",
	"\xef\xbb\xbf{}",
	/* objects */
	"{\"a\":1,\"a\":2}", "{\"a\":1,\"b\":{\"a\":2}}", "{\"\":1}",
	"{\"a\\u0062\":1,\"ab\":2}", "{\"a\\u0000\":1}",
	/* cut and broken */
	"", " ", "{", "[", "}", "]", "{]", "[}", "{\"a\"", "{\"a\":",
	"{\"a\":1",
	"{\"a\":1,", "{\"a\":1,}", "[1,", "[1,]", "[,1]", "{,}", "{a:1}",
	"{1:1}", "{'a':1}", "[tru]", "[truex]", "[TRUE]", "[nul", "7", "\"a\"",
	"true", "{}{}", "[] []", "[]x", "{} //", "[1]\n[2]", "[\"a\"\"b\"]",
	"{\"a\" 1}", "{\"a\"::1}", "nul", "-", "\\",
};

static void _as_jansson(void **state)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		_compare(texts[i], strlen(texts[i]));
	_compare("[\"a\0b\"]", 7);
	_compare("[1]\0", 4);
	_compare("\0", 1);
}

/* Each of them with one byte changed, put in or taken out. */
static void _as_jansson_when_broken(void **state)
{
	static const char bytes[] = "\"\\{}[]:,0e-+.u \x01\xff\xc3t\n";

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t len = strlen(texts[i]);
		char copy[256];

		for (size_t at = 0; at <= len; at++) {
			memcpy(copy, texts[i], at);
			if (at < len) {
				memcpy(copy + at, texts[i] + at + 1,
				       len - at - 1);
				_compare(copy, len - 1);
			}
			for (const char *byte = bytes; *byte; byte++) {
				copy[at] = *byte;
				memcpy(copy + at + 1, texts[i] + at, len - at);
				_compare(copy, len + 1);
			}
		}
	}
}

static void _long_strings(void **state)
{
	enum { LEN = 300000 };
	char *text = malloc(LEN + 16);
	json_t *json, *again;
	char *written;
	size_t len;

	/* an escape late in a long run, and a long name */
	memset(text, 'x', LEN);
	memcpy(text, "{\"", 2);
	memcpy(text + 5000, "\":\"", 3);
	memcpy(text + LEN - 100, "\\n\\u00e9", 8);
	memcpy(text + LEN, "\"}", 2);
	_compare(text, LEN + 2);
	json = flurm_json_read(text, LEN + 2, MOST, NULL);
	written = flurm_json_write(json, &len);
	assert_int_equal(strlen(written), len);
	again = flurm_json_read(written, len, MOST, NULL);
	assert_true(json_equal(json, again));
	json_decref(json);
	json_decref(again);
	free(written);
	free(text);
	assert_null(flurm_json_write(NULL, NULL));
}

static void _bounds(void **state)
{
	char *text = malloc(1000000);
	fed_err_t err;
	json_t *json;

	memset(text, '[', 1000000);
	assert_null(flurm_json_read(text, 1000000, MOST, &err));
	assert_string_equal(err.text, "JSON: byte 65: nested too deep");
	memset(text + 64, ']', 64);
	json = flurm_json_read(text, 128, MOST, &err);
	assert_non_null(json);
	json_decref(json);

	text[0] = '[';
	for (int i = 0; i < 1000; i++)
		memcpy(text + 1 + 3 * i, "[],", 3);
	text[3000] = ']';
	assert_null(flurm_json_read(text, 3001, 1000, &err));
	assert_non_null(strstr(err.text, "too many objects and arrays"));
	json = flurm_json_read(text, 3001, 1001, &err);
	assert_non_null(json);
	json_decref(json);

	for (int i = 0; i < 1000; i++)
		memcpy(text + 1 + 2 * i, "1,", 2);
	text[2000] = ']';
	assert_null(flurm_json_read(text, 2001, 100, &err));
	assert_non_null(strstr(err.text, "too many values"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_as_jansson),
		cmocka_unit_test(_as_jansson_when_broken),
		cmocka_unit_test(_long_strings),
		cmocka_unit_test(_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
