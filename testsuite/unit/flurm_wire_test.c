/*
 * flurm_wire_test.c - FLURM's binary messages: what it sent, byte for byte.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <errno.h>

#include "testsuite/unit/scratch.h"

#include "src/flurm/base64.h"
#include "src/flurm/etf.h"
#include "src/flurm/wire.h"

/* RET the JSON body of a captured request */
static json_t *_captured(const char *name)
{
	char path[512];
	uint8_t *text;
	const char *body;
	size_t len;
	json_t *json;

	snprintf(path, sizeof(path), "%s/%s", WIRE_DIR, name);
	text = scratch_read(path, &len);
	text[len] = '\0';
	body = strstr((char *) text, "\r\n\r\n") + 4;
	json = json_loads(body, 0, NULL);
	assert_non_null(json);
	free(text);
	return json;
}

static void _golden(void **state)
{
	static const struct {
		const char *file;
		uint16_t type;
		uint16_t version;
		const char *id;
		const char *target;
		const char *text;
		uint64_t time;
		const char *name;
		const char *script;
		int64_t time_limit;
	} cases[] = {
		{ "008_POST_api_v1_federation_message.raw", 2070, 0x2800,
		  "fed-1795372180804876-931243", "native", NULL, 0x6b033494,
		  "sib", "#!/bin/sh\nhostname\n", 600 },
		{ "013_POST_api_v1_federation_message.raw", 2070, 0x2800,
		  "fed-1795372205732794-663362", "native", NULL, 0x6b0334ad,
		  "sib2", "#!/bin/sh\nsleep 3; echo sib2\n", 600 },
		{ "053_POST_api_v1_federation_message.raw", 2070, 0x2800,
		  "fed-1795372504827982-204427", "tok", NULL, 0x6b0335d8,
		  "t", NULL, FLURM_UNSET },
		{ "070_POST_api_v1_federation_message.raw", 2070, 0x2600,
		  "fed-1795372787470011-750518", "native", NULL, 0x6b0336f3,
		  "s", NULL, FLURM_UNSET },
		{ "012_POST_api_v1_federation_message.raw", 2072, 0x2800,
		  "fed-1795372180804876-931243", NULL, "sibling_started", 0,
		  NULL, NULL, FLURM_UNSET },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *json = _captured(cases[i].file), *again;
		flurm_wire_msg_t msg;
		fed_err_t err;

		if (flurm_wire_from_json(json, &msg, &err) < 0)
			fail_msg("%s: %s", cases[i].file, err.text);
		assert_int_equal(msg.type, cases[i].type);
		assert_int_equal(msg.version, cases[i].version);
		assert_string_equal(msg.fed_job_id, cases[i].id);
		assert_string_equal(msg.cluster, "default");
		assert_int_equal(msg.time, cases[i].time);
		if (cases[i].target)
			assert_string_equal(msg.target, cases[i].target);
		if (cases[i].text)
			assert_string_equal(msg.text, cases[i].text);
		if (cases[i].name)
			assert_string_equal(msg.spec.name, cases[i].name);
		if (cases[i].script)
			assert_string_equal(msg.spec.script, cases[i].script);
		assert_int_equal(msg.spec.time_limit, cases[i].time_limit);

		/* and back, to the same bytes */
		again = flurm_wire_to_json(&msg);
		assert_string_equal(
			json_string_value(json_object_get(again, "payload")),
			json_string_value(json_object_get(json, "payload")));
		assert_true(json_equal(again, json));
		flurm_wire_msg_free(&msg);
		json_decref(again);
		json_decref(json);
	}
}

/* What FLURM never sent while we listened: as its sources lay it out. */
static void _all_types(void **state)
{
	static const uint8_t failed[] = {
		0, 0, 0, 0x3e, 0x28, 0, 0, 0, 0x08, 0x1a, 0, 0, 0, 0x2e,
		0, 0, 0, 0, 0, 0,
		0, 0, 0, 3, 'f', '1', 0, 0, 0, 0, 6, 'f', 'l', 'u', 'r', 'm', 0,
		0, 0, 0, 7, 0, 0, 0, 0, 0x6b, 0x03, 0x34, 0x94,
		0xff, 0xff, 0xff, 0xf7,
		0, 0, 0, 9, 'n', 'o', ' ', 's', 'p', 'a', 'c', 'e', 0,
	};
	flurm_wire_msg_t msg, again;
	fed_err_t err;
	uint8_t *data;
	size_t len;

	if (flurm_wire_decode(failed, sizeof(failed), &msg, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(msg.type, FLURM_MSG_JOB_FAILED);
	assert_string_equal(msg.fed_job_id, "f1");
	assert_string_equal(msg.cluster, "flurm");
	assert_int_equal(msg.local_job_id, 7);
	assert_int_equal(msg.time, 0x6b033494);
	assert_int_equal(msg.exit_code, -9);
	assert_string_equal(msg.text, "no space");
	data = flurm_wire_encode(&msg, &len);
	assert_int_equal(len, sizeof(failed));
	assert_memory_equal(data, failed, len);
	free(data);
	for (uint16_t type = 2071; type <= 2073; type++) {
		msg.type = type;
		data = flurm_wire_encode(&msg, &len);
		if (flurm_wire_decode(data, len, &again, &err) < 0)
			fail_msg("%u: %s", type, err.text);
		assert_string_equal(again.fed_job_id, "f1");
		if (type == FLURM_MSG_SIBLING_REVOKE)
			assert_string_equal(again.text, "no space");
		else
			assert_int_equal(again.local_job_id, 7);
		flurm_wire_msg_free(&again);
		free(data);
	}
	msg.type = 2075;
	assert_null(flurm_wire_encode(&msg, &len));
	flurm_wire_msg_free(&msg);
}

/* No prefix of a message is one, nor is one with a byte more. */
static void _cut_anywhere(void **state)
{
	json_t *json = _captured("008_POST_api_v1_federation_message.raw");
	const json_t *payload = json_object_get(json, "payload");
	flurm_wire_msg_t msg;
	fed_err_t err;
	uint8_t *data;
	size_t len;

	data = flurm_base64_decode(json_string_value(payload),
				   json_string_length(payload), &len);
	assert_int_equal(flurm_wire_decode(data, len + 1, &msg, &err), -1);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		/* exactly as long: a sanitizer sees a byte too far */
		memcpy(copy, data, cut);
		assert_int_equal(flurm_wire_decode(copy, cut, &msg, &err), -1);
		/* with the lengths made to fit, it is the body that lacks */
		if (cut >= 20) {
			copy[2] = (cut - 4) >> 8;
			copy[3] = (cut - 4) & 0xff;
			copy[12] = (cut - 20) >> 8;
			copy[13] = (cut - 20) & 0xff;
			assert_int_equal(flurm_wire_decode(copy, cut, &msg,
							   &err), -1);
		}
		free(copy);
	}
	free(data);
	json_decref(json);
}

static void _errors(void **state)
{
	static const struct {
		const char *json;
		const char *error;
	} cases[] = {
		{ "{}", "msg_type: not an integer" },
		{ "{\"msg_type\":2070}", "payload: not base64" },
		{ "{\"msg_type\":2070,\"payload\":\"??\"}",
		  "payload: not base64" },
		{ "{\"msg_type\":2070,\"payload\":\"AAAA\"}",
		  "payload: message: its header ends in the middle" },
		{ "{\"msg_type\":2070,\"payload\":"
		  "\"AAAAECgAAAAIFgAAAAAAAAAAAAA=\"}",
		  "payload: message 2070: its body is not what it should be "
		  "near byte 20" },
		{ "{\"msg_type\":2070,\"payload\":"
		  "\"AAAAECUAAAAIFgAAAAAAAAAAAAA=\"}",
		  "payload: message: version 0x2500" },
		{ "{\"msg_type\":2070,\"payload\":"
		  "\"AAAAECgAAAAIFQAAAAAAAAAAAAA=\"}",
		  "payload: message: type 2069 is none of 2070 to 2074" },
		{ "{\"msg_type\":2070,\"payload\":"
		  "\"AAAAECgAAAAIFgAAAAEAAAAAAAA=\"}",
		  "payload: message: 16 bytes and a body of 1 are said, 16 "
		  "and 0 are there" },
	};
	json_t *json;
	flurm_wire_msg_t msg;
	fed_err_t err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json = json_loads(cases[i].json, 0, NULL);
		assert_int_equal(flurm_wire_from_json(json, &msg, &err), -1);
		assert_string_equal(err.text, cases[i].error);
		json_decref(json);
	}
	json = _captured("008_POST_api_v1_federation_message.raw");
	json_object_set_new(json, "msg_type", json_integer(2071));
	assert_int_equal(flurm_wire_from_json(json, &msg, &err), -1);
	assert_string_equal(err.text,
			    "msg_type: 2071, but the payload's is 2070");
	json_decref(json);
}

static void _terms(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *json;	/* NULL: refused */
	} cases[] = {
#define TERM(text, json) { text, sizeof(text) - 1, json }
		TERM("\x83" "a\xff", "255"),
		TERM("\x83" "b\xff\xff\xff\xfe", "-2"),
		TERM("\x83" "n\x05\x00\x01\x00\x00\x00\x01", "4294967297"),
		TERM("\x83" "n\x01\x01\x07", "-7"),
		TERM("\x83" "n\x08\x00\xff\xff\xff\xff\xff\xff\xff\x7f",
		     "9223372036854775807"),
		TERM("\x83" "n\x08\x00\x00\x00\x00\x00\x00\x00\x00\x80", NULL),
		TERM("\x83" "n\x09\x00" "123456789", NULL),
		TERM("\x83" "n\xff\x00" "1", NULL),
		TERM("\x83" "m\0\0\0\x02hi", "\"hi\""),
		TERM("\x83" "m\0\0\0\x01\xff", "{\"b64\":\"/w==\"}"),
		TERM("\x83" "m\xff\xff\xff\xff\x01", NULL),
		TERM("\x83" "k\0\x02hi", "\"hi\""),
		TERM("\x83" "w\x04true", "true"),
		TERM("\x83" "d\0\x05" "false", "false"),
		TERM("\x83" "v\0\x09undefined", "null"),
		TERM("\x83" "s\x02ok", "\"ok\""),
		TERM("\x83" "j", "[]"),
		TERM("\x83" "l\0\0\0\x02" "a\x01" "a\x02" "j", "[1,2]"),
		TERM("\x83" "l\0\0\0\x01" "a\x01" "a\x02", NULL),
		TERM("\x83" "l\xff\xff\xff\xff" "a\x01", NULL),
		TERM("\x83" "t\0\0\0\x01w\x01" "aa\x05", "{\"a\":5}"),
		TERM("\x83" "t\0\0\0\x01" "a\x01" "a\x05", NULL),
		TERM("\x83" "t\0\0\0\x02w\x01" "aa\x05", NULL),
		TERM("\x83" "h\x00", NULL),
		TERM("\x82" "a\x01", NULL),
		TERM("\x83" "a\x01" "a", NULL),
		TERM("\x83", NULL),
		TERM("", NULL),
	};
	fed_bytes_t deep = { 0 };
	fed_err_t err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *json = etf_decode(cases[i].bytes, cases[i].len, &err);
		json_t *wanted;

		if (!cases[i].json) {
			if (json)
				fail_msg("case %zu was taken", i);
			continue;
		}
		if (!json)
			fail_msg("case %zu: %s", i, err.text);
		wanted = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
		assert_true(json_equal(json, wanted));
		json_decref(wanted);
		json_decref(json);
	}
	fed_put_u8(&deep, 131);
	for (int i = 0; i < 100000; i++) {
		fed_put_u8(&deep, 'l');
		fed_put_u32(&deep, 1);
	}
	assert_null(etf_decode(deep.data, deep.len, &err));
	assert_non_null(strstr(err.text, "nested too deep"));
	deep.len = 0;
	fed_put_u8(&deep, 131);
	fed_put_u8(&deep, 'l');
	fed_put_u32(&deep, 1 << 20);
	for (int i = 0; i < 1 << 20; i++)
		fed_put_u8(&deep, 'j');
	assert_null(etf_decode(deep.data, deep.len, &err));
	assert_non_null(strstr(err.text, "too many terms"));
	fed_bytes_free(&deep);
}

static void _numbers(void **state)
{
	static const int64_t numbers[] = {
		0, 255, 256, -1, 2147483647, 2147483648, -2147483648,
		-2147483649, 36028797018963967,
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		fed_bytes_t bytes = { 0 };
		fed_err_t err;
		json_t *json;

		etf_put_map(&bytes, 1);
		etf_put_number(&bytes, "n", numbers[i]);
		json = etf_decode(bytes.data, bytes.len, &err);
		if (!json)
			fail_msg("%lld: %s", (long long) numbers[i], err.text);
		assert_int_equal(json_integer_value(json_object_get(json, "n")),
				 numbers[i]);
		json_decref(json);
		fed_bytes_free(&bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_golden),
		cmocka_unit_test(_all_types),
		cmocka_unit_test(_cut_anywhere),
		cmocka_unit_test(_errors),
		cmocka_unit_test(_terms),
		cmocka_unit_test(_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
