/*
 * flurm_model_test.c - the model of src/flurm and its JSON.
 */
#include "testsuite/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "src/flurm/base64.h"
#include "src/flurm/model.h"

/* --- random values --- */

static uint64_t seed;

static uint64_t _random(uint64_t below)
{
	/* xorshift: the same run every time */
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* Any bytes but NUL; often UTF-8, often not. */
static char *_random_text(void)
{
	static const char *const bits[] = {
		"a", "Z9_", " ", "\n", "\"", "\\", "/", "\x01", "\x7f",
		"\xc3\xa9",
		"\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff", "\xc3",
		"\xed\xa0\x80",
		"\xc0\x80", "%", "'",
	};
	char *text = calloc(1, 128);
	size_t count = _random(12);

	for (size_t i = 0; i < count; i++)
		strcat(text, bits[_random(sizeof(bits) / sizeof(bits[0]))]);
	return text;
}

static json_t *_text_json(void)
{
	char *text = _random_text();
	char *base64 = flurm_base64_encode(text, strlen(text));
	json_t *json = json_string(text);

	if (!json)
		json = json_pack("{s:s}", "b64", base64);
	free(base64);
	free(text);
	return json;
}

static json_t *_list_json(void)
{
	json_t *list = json_array();
	size_t count = _random(4);

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, _text_json());
	return list;
}

/* --- a job, an event and an op with random fields --- */

static const char *const texts[] = {
	"origin_cluster", "user", "account", "qos", "wckey", "name", "script",
	"work_dir", "std_in", "std_out", "std_err", "open_mode", "partition",
	"reservation", "features", "gres", "licenses", "req_nodes",
	"exc_nodes", "dependency", "comment",
};
static const struct {
	const char *name;
	uint64_t below;
} numbers[] = {
	{ "fed_job_id", 4294967296 }, { "epoch", 4294967296 },
	{ "id", 1 << 30 }, { "user_id", 4294967294 }, { "group_id", 65536 },
	{ "num_nodes", 1000 }, { "max_nodes", 1000 }, { "num_tasks", 1000 },
	{ "ntasks_per_node", 64 }, { "num_cpus", 1000 },
	{ "cpus_per_task", 64 }, { "memory_mb", 1 << 20 },
	{ "memory_per_cpu_mb", 1 << 20 }, { "tmp_disk_mb", 1 << 20 },
	{ "submit_time", 4294967296 }, { "begin_time", 4294967296 },
	{ "deadline", 4294967296 }, { "time_limit", 1 << 20 },
	{ "time_min", 1 << 20 }, { "priority", 4294967296 },
	{ "nice", 10000 }, { "warn_signal", 65 }, { "warn_time", 65536 },
	{ "array_job_id", 4294967296 }, { "array_task_id", 4294967296 },
	{ "array_task_count", 1000 }, { "array_task_min", 1000 },
	{ "array_task_max", 1000 }, { "array_task_step", 1000 },
	{ "restart_count", 1000 },
};
static const char *const flags[] = {
	"exclusive", "hold", "requeue", "start_gate"
};

static json_t *_random_spec(void)
{
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (_random(2))
			json_object_set_new(json, texts[i], _text_json());
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (_random(2))
			json_object_set_new(json, numbers[i].name, json_integer(
				_random(numbers[i].below)));
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (_random(2))
			json_object_set_new(json, flags[i],
					    json_boolean(_random(2)));
	if (_random(2))
		json_object_set_new(json, "argv", _list_json());
	if (_random(2))
		json_object_set_new(json, "environment", _list_json());
	if (!_random(4))
		json_object_set_new(json, "time_limit",
				    json_string("unlimited"));
	/* 0 is how these two say that there is none, unless both are there */
	if (!json_integer_value(json_object_get(json, "fed_job_id"))) {
		json_object_del(json, "fed_job_id");
		json_object_del(json, "epoch");
	} else if (!json_object_get(json, "epoch")) {
		json_object_set_new(json, "epoch", json_integer(0));
	}
	return json;
}

static void _assert_json(json_t *got, json_t *wanted)
{
	assert_non_null(got);
	if (!json_equal(got, wanted)) {
		char *a = json_dumps(got, JSON_SORT_KEYS);
		char *b = json_dumps(wanted, JSON_SORT_KEYS);

		print_error("got    %s\nwanted %s\n", a, b);
		free(a);
		free(b);
		fail();
	}
	json_decref(got);
}

/* What is bulky apart from the rest, and both together are all of it. */
static void _assert_packed(const flurm_job_spec_t *spec, json_t *wanted)
{
	char *rest = flurm_job_spec_pack(spec, false);
	char *bulk = flurm_job_spec_pack(spec, true);
	json_t *json, *part = json_deep_copy(wanted);
	flurm_job_spec_t again;
	fed_err_t err;

	flurm_job_spec_init(&again);
	if (flurm_job_spec_unpack(rest, &again, &err) < 0)
		fail_msg("%s", err.text);
	json_object_del(part, "script");
	json_object_del(part, "environment");
	json = flurm_job_spec_to_json(&again);
	_assert_json(json, part);
	if (flurm_job_spec_unpack(bulk, &again, &err) < 0)
		fail_msg("%s", err.text);
	_assert_json(flurm_job_spec_to_json(&again), wanted);
	flurm_job_spec_free(&again);
	json_decref(part);
	free(rest);
	free(bulk);
}

static void _packed_and_damaged(void **state)
{
	static const struct {
		const char *text;
		const char *said;
	} cases[] = {
		{ "name", "job: damaged" },
		{ "name=", "job: damaged" },
		{ "name=2:x", "job: damaged" },
		{ "name=1x", "job: damaged" },
		{ "name=1:xy", "job: damaged" },
		{ "name=99999999999999999999:x", "job: damaged" },
		{ "name+1:x", "name: damaged" },
		{ "environment+1:x", "environment: damaged" },
		{ "environment=1:1", "environment: damaged" },
		{ "environment=2:-1", "environment: damaged" },
		{ "environment=10:9999999999", "environment: damaged" },
		{ "environment=1:2environment+1:x", "environment: damaged" },
		{ "environment=1:1environment+1:xenvironment+1:y",
		  "environment: damaged" },
		{ "colour=3:red", "job: no field colour: written by a newer "
		  "release?" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		flurm_job_spec_t spec;
		fed_err_t err;

		flurm_job_spec_init(&spec);
		assert_int_equal(flurm_job_spec_unpack(cases[i].text, &spec,
						       &err), -1);
		assert_string_equal(err.text, cases[i].said);
		flurm_job_spec_free(&spec);
	}
}

static void _spec_round_trip(void **state)
{
	for (seed = 1; seed < 2000; seed++) {
		uint64_t kept = seed;
		json_t *json = _random_spec();
		flurm_job_spec_t spec, copy, merged;
		fed_err_t err;

		if (flurm_job_spec_from_json(json, &spec, &err) < 0)
			fail_msg("seed %llu: %s", (unsigned long long) kept,
				 err.text);
		_assert_json(flurm_job_spec_to_json(&spec), json);
		_assert_packed(&spec, json);
		flurm_job_spec_copy(&copy, &spec);
		flurm_job_spec_free(&spec);
		_assert_json(flurm_job_spec_to_json(&copy), json);

		/* onto an empty one, a merge is all but identity and owner */
		flurm_job_spec_init(&merged);
		flurm_job_spec_merge(&merged, &copy);
		json_object_del(json, "fed_job_id");
		json_object_del(json, "epoch");
		json_object_del(json, "origin_cluster");
		json_object_del(json, "id");
		json_object_del(json, "user");
		json_object_del(json, "user_id");
		json_object_del(json, "group_id");
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
			const char *text = json_string_value(
				json_object_get(json, texts[i]));

			if (text && !*text)
				json_object_del(json, texts[i]);
		}
		_assert_json(flurm_job_spec_to_json(&merged), json);
		flurm_job_spec_free(&merged);
		flurm_job_spec_free(&copy);
		json_decref(json);
		seed = kept;
	}
}

static json_t *_event_json(int type)
{
	json_t *json = json_pack(
		"{s:i s:s s:i s:i s:i s:I s:o s:o s:i s:i s:i s:s s:i s:i s:o"
		" s:{s:i s:i s:i} s:{s:i s:i}}",
		"seq", 1 + (int) _random(1000), "type", flurm_event_name(type),
		"fed_job_id", 1 + (int) _random(1000), "epoch",
		(int) _random(3), "job_id", 1 + (int) _random(1000), "time",
		(json_int_t) _random(4294967296), "reason", _text_json(),
		"nodes", _text_json(), "cpus", (int) _random(64), "start_time",
		(int) _random(1000), "end_time", (int) _random(1000), "state",
		flurm_state_name(_random(FLURM_STATE_COUNT)), "exit_code",
		(int) _random(256), "signal", (int) _random(65), "instance_id",
		_text_json(), "usage", "user_us", (int) _random(1000),
		"system_us", (int) _random(1000), "max_rss_kb",
		(int) _random(1000), "stats", "node_count", 3, "cpu_count",
		(int) _random(1000));

	json_object_set_new(json, "changes", _random_spec());
	return json;
}

static void _event_round_trip(void **state)
{
	for (int i = 0; i < 500; i++) {
		flurm_event_t event;
		fed_err_t err;
		json_t *json, *again;
		char *line;
		size_t len;

		seed = 77 + i;
		json = _event_json(i % FLURM_EV_COUNT);
		if (flurm_event_from_json(json, &event, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(event.type, i % FLURM_EV_COUNT);
		_assert_json(flurm_event_to_json(&event), json);

		line = flurm_event_line(&event, &len);
		assert_int_equal(strlen(line), len);
		assert_ptr_equal(strchr(line, '\n'), line + len - 1);
		again = json_loads(line, 0, NULL);
		_assert_json(again, json);
		free(line);
		flurm_event_free(&event);
		json_decref(json);
	}
}

static void _job_round_trip(void **state)
{
	for (int i = 0; i < 500; i++) {
		flurm_job_page_t page;
		json_t *json, *job;
		fed_err_t err;

		seed = 991 + i;
		job = _random_spec();
		json_object_del(job, "script");
		json_object_del(job, "environment");
		json_object_set_new(job, "state", json_string(
			flurm_state_name(_random(FLURM_STATE_COUNT))));
		json_object_set_new(job, "job_id",
				    json_integer(1 + _random(100)));
		json_object_set_new(job, "reason", _text_json());
		json_object_set_new(job, "exit_code", json_integer(3));
		json_object_set_new(job, "usage",
				    json_pack("{s:i}", "user_us", 12));
		json = json_pack("{s:[o,O], s:i, s:b}", "jobs", job, job,
				 "next", (int) _random(5), "complete",
				 (int) _random(2));
		if (flurm_job_page_from_json(json, &page, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(page.count, 2);
		_assert_json(flurm_job_page_to_json(&page), json);
		flurm_job_page_free(&page);
		json_decref(json);
	}
}

static void _job_leaves_out_what_is_big(void **state)
{
	json_t *json = json_pack("{s:s s:s s:[s]}", "state", "pending",
				 "script", "#!/bin/sh", "environment", "A=1");
	flurm_job_t job, copy;

	assert_int_equal(flurm_job_from_json(json, &job, NULL), 0);
	json_object_del(json, "script");
	json_object_del(json, "environment");
	flurm_job_copy(&copy, &job);
	assert_string_equal(copy.spec.script, "#!/bin/sh");
	_assert_json(flurm_job_to_json(&job), json);
	flurm_job_free(&copy);
	flurm_job_free(&job);
	json_decref(json);
}

/* --- what is wrong is named --- */

static void _errors_name_the_field(void **state)
{
	static const struct {
		const char *json;
		const char *error;
	} cases[] = {
		{ "[]", "job: not an object" },
		{ "{\"name\":7}", "name: not a string" },
		{ "{\"name\":{\"b64\":\"!!!!\"}}", "name: b64 is not base64" },
		{ "{\"name\":{\"b64\":\"YQBi\"}}", "name: a NUL byte in it" },
		{ "{\"name\":{\"b46\":\"YQ==\"}}", "name: not a string" },
		{ "{\"num_cpus\":\"4\"}", "num_cpus: not an integer" },
		{ "{\"num_cpus\":4.0}", "num_cpus: not an integer" },
		{ "{\"num_cpus\":-1}",
		  "num_cpus: -1 is not from 0 to 16777216" },
		{ "{\"user_id\":4294967295}",
		  "user_id: 4294967295 is not from 0 to 4294967293" },
		{ "{\"fed_job_id\":4294967296}",
		  "fed_job_id: 4294967296 is not from 0 to 4294967295" },
		{ "{\"time_limit\":\"forever\"}",
		  "time_limit: not an integer or \"unlimited\"" },
		{ "{\"hold\":1}", "hold: neither true nor false" },
		{ "{\"environment\":\"A=1\"}", "environment: not a list" },
		{ "{\"environment\":[\"A=1\",2]}",
		  "element 1: environment: not a string" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *json = json_loads(cases[i].json, 0, NULL);
		flurm_job_spec_t spec;
		fed_err_t err;

		assert_int_equal(flurm_job_spec_from_json(json, &spec, &err),
				 -1);
		assert_string_equal(err.text, cases[i].error);
		flurm_job_spec_free(&spec);
		json_decref(json);
	}
}

static void _lenient_on_the_unknown(void **state)
{
	json_t *json = json_loads("{\"name\":\"x\",\"colour\":\"red\","
				  "\"partition\":null,\"epoch\":0}", 0, NULL);
	flurm_job_spec_t spec;
	flurm_event_t event;

	assert_int_equal(flurm_job_spec_from_json(json, &spec, NULL), 0);
	assert_string_equal(spec.name, "x");
	assert_null(spec.partition);
	assert_false(flurm_is_set(spec.num_cpus));
	flurm_job_spec_free(&spec);
	json_object_set_new(json, "type", json_string("invented_later"));
	json_object_set_new(json, "seq", json_integer(12));
	assert_int_equal(flurm_event_from_json(json, &event, NULL), 0);
	assert_int_equal(event.type, FLURM_EV_COUNT);
	assert_int_equal(event.seq, 12);
	flurm_event_free(&event);
	json_decref(json);
}

static void _merge_clears_and_keeps(void **state)
{
	flurm_job_spec_t spec, change;

	flurm_job_spec_init(&spec);
	flurm_job_spec_init(&change);
	spec.account = strdup("physics");
	spec.partition = strdup("debug");
	spec.nice = 5;
	spec.fed_job_id = 9;
	change.account = strdup("");
	change.nice = 0;
	change.fed_job_id = 10;
	spec.priority = 7;
	change.priority = FLURM_NO_PRIORITY;
	flurm_job_spec_merge(&spec, &change);
	assert_false(flurm_is_set(spec.priority));
	assert_null(spec.account);
	assert_string_equal(spec.partition, "debug");
	assert_int_equal(spec.nice, 0);
	assert_int_equal(spec.fed_job_id, 9);
	flurm_job_spec_free(&spec);
	flurm_job_spec_free(&change);
}

/* What one of two changes clears, and the other does not set, both do. */
static void _changes_join(void **state)
{
	flurm_job_spec_t change, later;

	flurm_job_spec_init(&change);
	flurm_job_spec_init(&later);
	change.account = strdup("physics");
	change.comment = strdup("");
	change.priority = 7;
	later.account = strdup("");
	later.priority = FLURM_NO_PRIORITY;
	later.name = strdup("x");
	flurm_job_spec_join(&change, &later);
	assert_string_equal(change.account, "");
	assert_string_equal(change.comment, "");
	assert_string_equal(change.name, "x");
	assert_int_equal(change.priority, FLURM_NO_PRIORITY);
	flurm_job_spec_free(&change);
	flurm_job_spec_free(&later);
}

/* --- ops --- */

static void _op_round_trip(void **state)
{
	static const char *const ops[] = {
		"{\"op\":\"submit\",\"fed_job_id\":7,\"epoch\":1,"
			"\"name\":\"x\",\"hold\":true}",
		"{\"op\":\"submit\",\"name\":\"of FLURM's own\"}",
		"{\"op\":\"cancel\",\"fed_job_id\":7,\"epoch\":0}",
		"{\"op\":\"cancel\",\"fed_job_id\":7,\"epoch\":0,\"signal\":2}",
		"{\"op\":\"hold\",\"fed_job_id\":7,\"epoch\":1}",
		"{\"op\":\"release\",\"fed_job_id\":7,\"epoch\":1}",
		"{\"op\":\"suspend\",\"fed_job_id\":7,\"epoch\":1}",
		"{\"op\":\"resume\",\"fed_job_id\":7,\"epoch\":1}",
		"{\"op\":\"signal\",\"fed_job_id\":7,\"epoch\":1,\"signal\":10,"
			"\"scope\":\"batch\"}",
		"{\"op\":\"requeue\",\"fed_job_id\":7,\"epoch\":1,"
			"\"hold\":true}",
		"{\"op\":\"requeue\",\"fed_job_id\":7,\"epoch\":1}",
		"{\"op\":\"update\",\"fed_job_id\":7,\"epoch\":1,\"nice\":3}",
		"{\"op\":\"start\",\"fed_job_id\":7,\"epoch\":1,"
			"\"grant\":true}",
		"{\"op\":\"start\",\"fed_job_id\":7,\"epoch\":1,"
			"\"grant\":false,\"retry_after\":5}",
		"{\"op\":\"revoke\",\"fed_job_id\":7,\"epoch\":1,"
			"\"reason\":\"runs elsewhere\"}",
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		json_t *json = json_loads(ops[i], 0, NULL);
		flurm_op_t op, copy;
		fed_err_t err;

		if (flurm_op_from_json(json, &op, &err) < 0)
			fail_msg("%s: %s", ops[i], err.text);
		flurm_op_copy(&copy, &op);
		flurm_op_free(&op);
		_assert_json(flurm_op_to_json(&copy), json);
		flurm_op_free(&copy);
		json_decref(json);
	}
}

static void _op_requests(void **state)
{
	char path[FLURM_OP_PATH_MAX];
	flurm_op_t op;

	flurm_op_init(&op, FLURM_OP_CANCEL);
	op.fed_job_id = 67108865;
	op.epoch = 2;
	assert_string_equal(flurm_op_request(&op, path), "DELETE");
	assert_string_equal(path, "/api/v1/jobs/67108865?epoch=2");
	op.signal = 15;
	assert_string_equal(flurm_op_request(&op, path), "DELETE");
	assert_string_equal(path, "/api/v1/jobs/67108865?epoch=2&signal=15");
	op.kind = FLURM_OP_SIGNAL;
	assert_string_equal(flurm_op_request(&op, path), "POST");
	assert_string_equal(path, "/api/v1/jobs/67108865/signal");
	op.kind = FLURM_OP_UPDATE;
	assert_string_equal(flurm_op_request(&op, path), "PATCH");
	assert_string_equal(path, "/api/v1/jobs/67108865");
	op.kind = FLURM_OP_SUBMIT;
	assert_string_equal(flurm_op_request(&op, path), "POST");
	assert_string_equal(path, "/api/v1/jobs");
}

static void _op_errors(void **state)
{
	static const struct {
		const char *json;
		const char *error;
	} cases[] = {
		{ "7", "op: not an object" },
		{ "{}", "op: not a string" },
		{ "{\"op\":\"explode\"}", "op: there is no \"explode\"" },
		{ "{\"op\":\"hold\"}", "fed_job_id: missing" },
		{ "{\"op\":\"hold\",\"fed_job_id\":7}", "epoch: missing" },
		{ "{\"op\":\"submit\",\"fed_job_id\":7}", "epoch: missing" },
		{ "{\"op\":\"start\",\"fed_job_id\":7,\"epoch\":1}",
		  "grant: missing" },
		{ "{\"op\":\"signal\",\"fed_job_id\":7,\"epoch\":1}",
		  "signal: missing" },
		{ "{\"op\":\"signal\",\"fed_job_id\":7,\"epoch\":1,"
		  "\"signal\":9,\"scope\":\"all\"}",
		  "scope: not one of steps, batch, full" },
		{ "{\"op\":\"notify\",\"fed_job_id\":7,\"epoch\":1}",
		  "text: missing" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *json = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
		flurm_op_t op;
		fed_err_t err;

		assert_int_equal(flurm_op_from_json(json, &op, &err), -1);
		assert_string_equal(err.text, cases[i].error);
		json_decref(json);
	}
}

static void _results(void **state)
{
	flurm_result_t result, again;
	json_t *json;

	flurm_result_init(&result);
	flurm_result_set(&result, 409, NULL, "epoch %d is over", 3);
	/* its own reason may be an argument */
	flurm_result_set(&result, 422, "no_partition", "job: %s",
			 result.reason);
	assert_string_equal(result.reason, "job: epoch 3 is over");
	json = flurm_result_to_batch(&result);
	assert_int_equal(flurm_result_from_batch(json, &again, NULL), 0);
	assert_int_equal(again.status, 422);
	assert_string_equal(again.error, "no_partition");
	assert_string_equal(again.reason, "job: epoch 3 is over");
	flurm_result_free(&again);
	flurm_result_free(&result);
	json_decref(json);

	/* FLURM's own: a sentence, and no reason */
	json = json_pack("{s:s}", "error",
			 "Federation service not available today");
	assert_int_equal(flurm_result_from_json(json, 503, &result, NULL), 0);
	assert_string_equal(result.error, "not_ready");
	assert_string_equal(result.reason,
			    "Federation service not available today");
	flurm_result_free(&result);
	json_decref(json);
}

/* --- the cluster --- */

static void _cluster(void **state)
{
	static const char health[] =
		"{\"status\":\"ok\",\"cluster\":\"flurm\",\"version\":\"1\","
		"\"api\":1,\"instance_id\":\"abc\",\"capabilities\":"
		"[\"gate\",\"batch\",\"suspend\"]}";
	static const char partition[] =
		"{\"name\":\"p\",\"max_time\":\"unlimited\",\"default\":true}";
	json_t *json = json_loads(health, 0, NULL);
	flurm_partition_t part;
	flurm_health_t facts;
	flurm_node_t node;
	fed_err_t err;

	assert_int_equal(flurm_health_from_json(json, &facts, NULL), 0);
	assert_int_equal(facts.capabilities, FLURM_CAN_GATE | FLURM_CAN_BATCH |
			 FLURM_CAN_SUSPEND);
	_assert_json(flurm_health_to_json(&facts), json);
	flurm_health_free(&facts);
	json_decref(json);

	json = json_loads(partition, 0, NULL);
	assert_int_equal(flurm_partition_from_json(json, &part, NULL), 0);
	assert_int_equal(part.max_time, FLURM_UNLIMITED);
	assert_int_equal(part.is_default, FLURM_YES);
	_assert_json(flurm_partition_to_json(&part), json);
	flurm_partition_free(&part);

	assert_int_equal(flurm_node_from_json(json, &node, NULL), 0);
	flurm_node_free(&node);
	json_object_del(json, "name");
	assert_int_equal(flurm_node_from_json(json, &node, &err), -1);
	assert_string_equal(err.text, "name: missing");
	json_decref(json);
}

static void _states(void **state)
{
	flurm_state_t parsed;

	for (int i = 0; i < FLURM_STATE_COUNT; i++) {
		assert_int_equal(flurm_state_parse(flurm_state_name(i),
						   &parsed), 0);
		assert_int_equal(parsed, i);
		assert_int_equal(flurm_state_is_over(i),
				 i >= FLURM_COMPLETED);
	}
	assert_int_equal(flurm_state_parse("asleep", &parsed), -1);
	assert_string_equal(flurm_state_name(FLURM_STATE_COUNT), "unknown");
	assert_false(flurm_state_is_over(FLURM_STATE_COUNT));
}

static void _base64(void **state)
{
	static const char *const bad[] = {
		"A", "AA", "AAA", "A===", "====", "AA=A", "AB==", "AAB=",
		"AA==AAAA", "AA A", "AA-_", "AAA\n",
	};
	static const char *const good[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfd", "//79" },
	};
	size_t len;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(flurm_base64_decode(bad[i], strlen(bad[i]), &len));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char *text = flurm_base64_encode(good[i][0],
						 strlen(good[i][0]));
		char *data = flurm_base64_decode(text, strlen(text), &len);

		assert_string_equal(text, good[i][1]);
		assert_string_equal(data, good[i][0]);
		assert_int_equal(len, strlen(good[i][0]));
		free(text);
		free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_spec_round_trip),
		cmocka_unit_test(_packed_and_damaged),
		cmocka_unit_test(_event_round_trip),
		cmocka_unit_test(_job_round_trip),
		cmocka_unit_test(_job_leaves_out_what_is_big),
		cmocka_unit_test(_errors_name_the_field),
		cmocka_unit_test(_lenient_on_the_unknown),
		cmocka_unit_test(_merge_clears_and_keeps),
		cmocka_unit_test(_changes_join),
		cmocka_unit_test(_op_round_trip),
		cmocka_unit_test(_op_requests),
		cmocka_unit_test(_op_errors),
		cmocka_unit_test(_results),
		cmocka_unit_test(_cluster),
		cmocka_unit_test(_states),
		cmocka_unit_test(_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
