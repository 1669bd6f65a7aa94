/*
 * flurm_client_test.c - the client of src/flurm against servers that do what
 * servers do: answer, refuse, fail, fall silent, come back.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "testsuite/unit/http.h"
#include "testsuite/unit/scratch.h"

#include "src/core/log.h"
#include "src/flurm/client.h"
#include "src/flurm/server.h"

#define PATIENCE_MS 20000

/* --- the server: what it does is set by each test --- */

static flurm_server_t *server;
static uint16_t port;
static atomic_int requests;	/* with ops */
static atomic_int most_ops;	/* in one request that did not fail */
static atomic_int ops_seen;
static atomic_uint capabilities;
static atomic_int status;	/* for every op; 0: 200 */
static atomic_int http_status;	/* for every request with ops; 0: none */
static atomic_int fail_first;	/* that many get the status, then 200 */
static atomic_int retry_after;	/* 0: none */
static atomic_bool needs_token;
static atomic_int asked;	/* for a token */
static atomic_int acked;
static atomic_bool no_ack_route;

#define HISTORY 4096
static uint32_t history_job[HISTORY], history_epoch[HISTORY];
static int history;		/* read when the server is quiet */

static void _do_op(const flurm_op_t *op, flurm_result_t *result)
{
	int fail = atomic_load(&status);

	flurm_result_init(result);
	if (history < HISTORY) {
		history_job[history] = op->fed_job_id;
		history_epoch[history++] = op->epoch;
	}
	atomic_fetch_add(&ops_seen, 1);
	if (fail && (atomic_fetch_sub(&fail_first, 1) > 0)) {
		flurm_result_set(result, fail, NULL, "told to say %d", fail);
		if (atomic_load(&retry_after))
			result->retry_after = atomic_load(&retry_after);
		return;
	}
	result->status = (op->kind == FLURM_OP_SUBMIT) ? 201 : 200;
	result->fed_job_id = op->fed_job_id;
	result->epoch = op->epoch;
	result->job_id = 1000 + op->fed_job_id;
}

static bool _fails(flurm_request_t *request)
{
	int fail = atomic_load(&http_status);

	atomic_fetch_add(&requests, 1);
	if (!fail || (atomic_fetch_sub(&fail_first, 1) <= 0))
		return false;
	flurm_request_error(request, fail, NULL, "told to say %d", fail);
	return true;
}

static void _one(flurm_request_t *request, flurm_op_kind_t kind)
{
	flurm_result_t result;
	flurm_op_t op;
	fed_err_t err;

	if (_fails(request))
		return;
	if (flurm_request_op(request, kind, &op, &err) < 0) {
		flurm_request_error(request, 400, NULL, "%s", err.text);
		return;
	}
	_do_op(&op, &result);
	flurm_request_reply_result(request, &result);
	flurm_result_free(&result);
	flurm_op_free(&op);
}

static void _submit(flurm_request_t *request, void *arg)
{
	_one(request, FLURM_OP_SUBMIT);
}

static void _hold(flurm_request_t *request, void *arg)
{
	_one(request, FLURM_OP_HOLD);
}

static void _delete(flurm_request_t *request, void *arg)
{
	_one(request, FLURM_OP_CANCEL);
}

static void _batch(flurm_request_t *request, void *arg)
{
	json_t *results, *json;
	size_t count;

	if (_fails(request))
		return;
	json = flurm_request_json(request, NULL);
	count = json_array_size(json_object_get(json, "ops"));
	if ((int) count > most_ops)
		most_ops = count;
	results = json_array();
	for (size_t i = 0; i < count; i++) {
		flurm_result_t result;
		flurm_op_t op;

		assert_int_equal(flurm_op_from_json(json_array_get(
			json_object_get(json, "ops"), i), &op, NULL), 0);
		_do_op(&op, &result);
		json_array_append_new(results, flurm_result_to_batch(&result));
		flurm_result_free(&result);
		flurm_op_free(&op);
	}
	json_decref(json);
	flurm_request_reply_json(request, 200, json_pack("{s:o}", "results",
							 results));
}

static void _health(flurm_request_t *request, void *arg)
{
	flurm_health_t health;

	flurm_health_init(&health);
	health.status = strdup("ok");
	if (flurm_request_trusted(request)) {
		health.instance_id = strdup("first");
		health.capabilities = atomic_load(&capabilities);
	}
	flurm_request_reply_json(request, 200, flurm_health_to_json(&health));
	flurm_health_free(&health);
}

static void _nodes(flurm_request_t *request, void *arg)
{
	flurm_request_reply_json(request, 200, json_pack(
		"[{s:s s:i}, {s:s}]", "name", "n1", "cpus", 4, "name", "n2"));
}

static void _partitions(flurm_request_t *request, void *arg)
{
	flurm_request_reply_json(request, 200, json_pack(
		"{s:[{s:s}]}", "partitions", "name", "debug"));
}

static void _stats(flurm_request_t *request, void *arg)
{
	/* not what it should be, twice */
	if (atomic_fetch_sub(&fail_first, 1) > 0)
		flurm_request_reply(request, 200, "text/plain", "hello", 5);
	else
		flurm_request_reply_json(request, 200,
					 json_pack("{s:i}", "cpu_count", 8));
}

/* Jobs 1 to 2500; ?after= is the last one told. */
static void _jobs(flurm_request_t *request, void *arg)
{
	uint64_t after = 0, limit = 100;
	flurm_job_page_t page = { .complete = true };
	static flurm_job_t jobs[1000];

	flurm_request_number(request, "after", 0, INT64_MAX, &after, NULL);
	flurm_request_number(request, "limit", 0, 1000, &limit, NULL);
	page.jobs = jobs;
	for (; (page.count < limit) && (after < 2500); page.count++) {
		flurm_job_init(&jobs[page.count]);
		jobs[page.count].spec.fed_job_id = ++after;
	}
	page.next = (after < 2500) ? after : 0;
	if (atomic_load(&status) && (after == 2000))
		page.complete = false;
	flurm_request_reply_json(request, 200, flurm_job_page_to_json(&page));
}

static void _job(flurm_request_t *request, void *arg)
{
	flurm_request_error(request, 404, NULL, "never heard of it");
}

static int _authorize(const char *bearer, void *arg, fed_err_t *err)
{
	if (!atomic_load(&needs_token))
		return 0;
	atomic_fetch_add(&asked, 1);
	fed_err_set(err, 0, "not this one");
	return (bearer && !strcmp(bearer, "secret")) ? 0 : 401;
}

static flurm_stream_t *stream;
static atomic_int stream_opens;
static char stream_query[128];
static atomic_bool stream_gone_410;

static void _events(flurm_request_t *request, void *arg)
{
	static const flurm_stream_conf_t conf = {
		.type = "application/x-ndjson",
	};
	const char *after = flurm_request_query(request, "after");
	const char *instance = flurm_request_query(request, "instance");

	snprintf(stream_query, sizeof(stream_query), "%s/%s",
		 after ? after : "-", instance ? instance : "-");
	if (atomic_load(&stream_gone_410) && after) {
		flurm_request_reply_json(request, 410, json_pack(
			"{s:s s:s}", "error", "gone", "instance_id", "next"));
		return;
	}
	/* the client has lost the one before, if there was one */
	flurm_stream_close(stream);
	stream = flurm_request_stream(request, &conf);
	atomic_fetch_add(&stream_opens, 1);
}

static void _ack(flurm_request_t *request, void *arg)
{
	json_t *json = flurm_request_json(request, NULL);

	atomic_store(&acked, json_integer_value(json_object_get(json, "seq")));
	json_decref(json);
	if (atomic_load(&no_ack_route))
		flurm_request_error(request, 404, "no_such_route", "no");
	else
		flurm_request_reply(request, 200, "application/json", "{}", 2);
}

static const flurm_route_t routes[] = {
	FLURM_ROUTE("GET", "/api/v1/health", _health, .public = true),
	FLURM_ROUTE("GET", "/api/v1/nodes", _nodes),
	FLURM_ROUTE("GET", "/api/v1/partitions", _partitions),
	FLURM_ROUTE("GET", "/api/v1/cluster/stats", _stats),
	FLURM_ROUTE("GET", "/api/v1/jobs", _jobs),
	FLURM_ROUTE("POST", "/api/v1/jobs", _submit),
	FLURM_ROUTE("POST", "/api/v1/jobs/batch", _batch),
	FLURM_ROUTE("GET", "/api/v1/jobs/{id}", _job),
	FLURM_ROUTE("POST", "/api/v1/jobs/{id}/hold", _hold),
	FLURM_ROUTE("DELETE", "/api/v1/jobs/{id}", _delete),
	FLURM_ROUTE("GET", "/api/v1/federation/events", _events),
	FLURM_ROUTE("POST", "/api/v1/federation/events/ack", _ack),
	{ .method = NULL },
};

static void _serve(const flurm_server_conf_t *more)
{
	flurm_server_conf_t conf = more ? *more : (flurm_server_conf_t) { 0 };
	fed_err_t err;

	conf.name = "test";
	conf.port = port;
	conf.routes = routes;
	conf.authorize = _authorize;
	server = flurm_server_start(&conf, &err);
	if (!server)
		fail_msg("%s", err.text);
	port = flurm_server_port(server);
}

/* --- the client --- */

static flurm_loop_t *loop;
static flurm_client_t *client;

static flurm_client_conf_t _conf(void)
{
	static char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
	return (flurm_client_conf_t) {
		.name = "flurm", .url = url, .bearer = "secret", .retry_ms = 20,
		.retry_max_ms = 100,
	};
}

static void _use(const flurm_client_conf_t *conf)
{
	flurm_client_conf_t plain;
	fed_err_t err;

	if (!conf) {
		plain = _conf();
		conf = &plain;
	}
	client = flurm_client_create(loop, conf, &err);
	if (!client)
		fail_msg("%s", err.text);
}

static int _setup(void **state)
{
	requests = most_ops = 0;
	ops_seen = 0;
	capabilities = 0;
	status = 0;
	http_status = 0;
	fail_first = 0;
	retry_after = 0;
	acked = 0;
	stream_opens = 0;
	needs_token = false;
	no_ack_route = false;
	stream_gone_410 = false;
	history = 0;
	port = 0;
	stream = NULL;
	loop = flurm_loop_create(NULL);
	_serve(NULL);
	return 0;
}

static int _teardown(void **state)
{
	flurm_client_destroy(client);
	client = NULL;
	flurm_stream_close(stream);
	stream = NULL;
	flurm_server_stop(server);
	server = NULL;
	flurm_loop_destroy(loop);
	return 0;
}

static int64_t _now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Turn the loop until it holds. */
#define UNTIL(condition) \
	do { \
		int64_t until_ = _now() + PATIENCE_MS; \
		while (!(condition)) { \
			flurm_loop_turn(loop, 20, NULL); \
			if (_now() > until_) \
				fail_msg("never came true: %s", #condition); \
		} \
	} while (0)

static void _turn_for(int ms)
{
	for (int64_t end = _now() + ms; _now() < end;)
		flurm_loop_turn(loop, end - _now(), NULL);
}

#define ANSWERS 20000
static struct {
	int count;
	int by_outcome[4];
	flurm_outcome_t outcome;
	int status;
	char reason[512];
	uint64_t job_id;
	uint32_t order[ANSWERS];	/* epochs */
} answers;

static void _op_done(void *arg, flurm_outcome_t outcome,
		     const flurm_result_t *result)
{
	if (answers.count < ANSWERS)
		answers.order[answers.count] = result->epoch;
	answers.count++;
	answers.by_outcome[outcome]++;
	answers.outcome = outcome;
	answers.status = result->status;
	answers.job_id = result->job_id;
	snprintf(answers.reason, sizeof(answers.reason), "%s",
		 result->reason ? result->reason : "");
	if (arg)
		assert_int_equal(result->job_id, 1000 + (uintptr_t) arg);
}

static uint64_t _ask(flurm_op_kind_t kind, uint32_t job, uint32_t epoch,
		     unsigned int deadline_ms)
{
	flurm_job_spec_t spec;
	flurm_op_t op;
	uint64_t id;

	flurm_op_init(&op, kind);
	op.fed_job_id = job;
	op.epoch = epoch;
	if (kind == FLURM_OP_SUBMIT) {
		flurm_job_spec_init(&spec);
		spec.name = "test";
		spec.script = "#!/bin/sh\nhostname \xff\n";
		op.spec = &spec;
	}
	id = flurm_client_op(client, &op, deadline_ms, _op_done, NULL);
	return id;
}

static void _forget_answers(void)
{
	memset(&answers, 0, sizeof(answers));
}

static void _health_done(void *arg, flurm_outcome_t outcome,
			 const flurm_health_t *health, const fed_err_t *err)
{
	*(flurm_outcome_t *) arg = outcome;
	if (outcome != FLURM_ANSWERED)
		assert_non_null(err);
}

/* The client learns what the server can. */
static void _learn(void)
{
	flurm_outcome_t outcome = FLURM_UNKNOWN;

	assert_true(flurm_client_health(client, 0, _health_done, &outcome));
	UNTIL(outcome != FLURM_UNKNOWN);
	assert_int_equal(outcome, FLURM_ANSWERED);
}

/* --- ops --- */

static void _answers(void **state)
{
	_use(NULL);
	_forget_answers();
	assert_true(_ask(FLURM_OP_SUBMIT, 7, 0, 0) > 0);
	UNTIL(answers.count == 1);
	assert_int_equal(answers.outcome, FLURM_ANSWERED);
	assert_int_equal(answers.status, 201);
	assert_int_equal(answers.job_id, 1007);
	_ask(FLURM_OP_CANCEL, 7, 0, 0);
	UNTIL(answers.count == 2);
	assert_int_equal(answers.status, 200);
	assert_int_equal(requests, 2);
}

static void _refusals_are_final(void **state)
{
	static const int final[] = { 400, 404, 409, 413, 422 };

	_use(NULL);
	for (size_t i = 0; i < sizeof(final) / sizeof(final[0]); i++) {
		_forget_answers();
		requests = 0;
		status = final[i];
		fail_first = 1;
		_ask(FLURM_OP_HOLD, 7, 0, 0);
		UNTIL(answers.count == 1);
		assert_int_equal(answers.outcome, FLURM_REFUSED);
		assert_int_equal(answers.status, final[i]);
		assert_non_null(strstr(answers.reason, "told to say"));
		assert_int_equal(requests, 1);
	}
}

static void _failures_are_tried_again(void **state)
{
	static const int passing[] = { 401, 403, 429, 500, 502, 503, 504 };

	_use(NULL);
	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
		_forget_answers();
		requests = 0;
		status = passing[i];
		fail_first = 3;
		_ask(FLURM_OP_HOLD, 7, 0, 0);
		UNTIL(answers.count == 1);
		assert_int_equal(answers.outcome, FLURM_ANSWERED);
		assert_int_equal(requests, 4);
	}
}

static void _retry_after_is_kept(void **state)
{
	int64_t began;

	_use(NULL);
	_forget_answers();
	status = 503;
	fail_first = 1;
	retry_after = 1;
	began = _now();
	_ask(FLURM_OP_HOLD, 7, 0, 0);
	UNTIL(answers.count == 1);
	assert_true(_now() - began >= 1000);
	assert_int_equal(answers.outcome, FLURM_ANSWERED);
}

static void _deadlines(void **state)
{
	_use(NULL);
	_forget_answers();
	/*
	 * Said no for now: certainly not done. Long enough that it waits for
	 * its next try when time is up, not for an answer.
	 */
	status = 503;
	fail_first = 1 << 20;
	_ask(FLURM_OP_HOLD, 7, 0, 2000);
	UNTIL(answers.count == 1);
	assert_int_equal(answers.outcome, FLURM_NOT_DELIVERED);
	assert_non_null(strstr(answers.reason, "told to say 503"));
	assert_int_equal(answers.status, 0);

	/* failed at it: perhaps done */
	status = 500;
	_ask(FLURM_OP_HOLD, 7, 0, 300);
	UNTIL(answers.count == 2);
	assert_int_equal(answers.outcome, FLURM_UNKNOWN);

	/* nobody there */
	flurm_server_stop(server);
	server = NULL;
	_ask(FLURM_OP_HOLD, 7, 0, 300);
	UNTIL(answers.count == 3);
	assert_int_equal(answers.outcome, FLURM_NOT_DELIVERED);
	assert_non_null(strstr(answers.reason, "127.0.0.1"));

	/* there again: goes on by itself */
	status = 0;
	_ask(FLURM_OP_HOLD, 7, 0, 0);
	_turn_for(50);
	assert_int_equal(answers.count, 3);
	_serve(NULL);
	UNTIL(answers.count == 4);
	assert_int_equal(answers.outcome, FLURM_ANSWERED);
}

static void _keeps_the_order_of_a_job(void **state)
{
	enum { JOBS = 20, OPS = 50 };
	int next[JOBS + 1] = { 0 };

	for (int batch = 0; batch < 2; batch++) {
		_setup(NULL);
		capabilities = batch ? FLURM_CAN_BATCH : 0;
		/* some fail at first, each in its own way */
		status = 500;
		fail_first = 40;
		_use(NULL);
		_learn();
		_forget_answers();
		memset(next, 0, sizeof(next));
		for (int op = 0; op < OPS; op++)
			for (int job = 1; job <= JOBS; job++)
				assert_true(_ask(FLURM_OP_HOLD, job, op, 0));
		UNTIL(answers.count == JOBS * OPS);
		assert_int_equal(answers.by_outcome[FLURM_ANSWERED],
				 JOBS * OPS);
		for (int i = 0; i < history; i++) {
			uint32_t job = history_job[i];

			/* the same again, or the one after it */
			if ((int) history_epoch[i] == next[job])
				next[job]++;
			else
				assert_int_equal(history_epoch[i] + 1,
						 next[job]);
		}
		for (int job = 1; job <= JOBS; job++)
			assert_int_equal(next[job], OPS);
		/* how many requests it takes is a matter of time */
		if (batch)
			assert_true(most_ops > 1);
		else
			assert_true(requests >= JOBS * OPS);
		_teardown(NULL);
	}
}

static void _batches(void **state)
{
	flurm_client_stats_t stats;

	capabilities = FLURM_CAN_BATCH;
	_use(NULL);
	_learn();
	_forget_answers();
	for (uintptr_t i = 1; i <= 10000; i++) {
		flurm_op_t op;

		flurm_op_init(&op, FLURM_OP_HOLD);
		op.fed_job_id = i;
		assert_true(flurm_client_op(client, &op, 0, _op_done,
					    (void *) i));
	}
	UNTIL(answers.count == 10000);
	assert_int_equal(answers.by_outcome[FLURM_ANSWERED], 10000);
	assert_in_range(requests, 39, 60);
	flurm_client_get_stats(client, &stats);
	assert_int_equal(stats.queued, 0);
	assert_int_equal(stats.inflight, 0);

	/* one alone is no batch */
	requests = 0;
	_ask(FLURM_OP_HOLD, 5, 0, 0);
	UNTIL(answers.count == 10001);
	flurm_client_get_stats(client, &stats);
	assert_int_equal(stats.batches, stats.requests - 2);
}

/* A batch that fails as such. */
static void _batches_that_fail(void **state)
{
	static const int fails[] = { 400, 404, 413, 429, 500, 503 };

	for (size_t i = 0; i < sizeof(fails) / sizeof(fails[0]); i++) {
		_setup(NULL);
		capabilities = FLURM_CAN_BATCH;
		http_status = fails[i];
		fail_first = 1;
		_use(NULL);
		_learn();
		_forget_answers();
		for (int job = 1; job <= 100; job++)
			_ask(FLURM_OP_HOLD, job, 0, 0);
		UNTIL(answers.count == 100);
		assert_int_equal(answers.by_outcome[FLURM_ANSWERED], 100);
		_teardown(NULL);
	}
}

/* Elements of one batch, each with an answer of its own. */
static void _batches_that_fail_in_part(void **state)
{
	capabilities = FLURM_CAN_BATCH;
	status = 422;
	fail_first = 30;
	_use(NULL);
	_learn();
	_forget_answers();
	for (int job = 1; job <= 100; job++)
		_ask(FLURM_OP_HOLD, job, 0, 0);
	UNTIL(answers.count == 100);
	assert_int_equal(answers.by_outcome[FLURM_ANSWERED], 70);
	assert_int_equal(answers.by_outcome[FLURM_REFUSED], 30);
	status = 429;
	fail_first = 30;
	_forget_answers();
	for (int job = 1; job <= 100; job++)
		_ask(FLURM_OP_HOLD, job, 0, 0);
	UNTIL(answers.count == 100);
	assert_int_equal(answers.by_outcome[FLURM_ANSWERED], 100);
}

static void _the_queue_has_an_end(void **state)
{
	flurm_client_conf_t conf = _conf();

	conf.max_queued = 10;
	_use(&conf);
	_forget_answers();
	for (int i = 0; i < 10; i++)
		assert_true(_ask(FLURM_OP_HOLD, 1 + i % 3, i, 0) > 0);
	assert_int_equal(_ask(FLURM_OP_HOLD, 1, 10, 0), 0);
	UNTIL(answers.count == 10);
	assert_true(_ask(FLURM_OP_HOLD, 1, 11, 0) > 0);
	UNTIL(answers.count == 11);
}

static void _cancels(void **state)
{
	uint64_t ids[5];

	_use(NULL);
	_forget_answers();
	/* queued: the others of its job go on */
	for (int i = 0; i < 5; i++)
		ids[i] = _ask(FLURM_OP_HOLD, 7, i, 0);
	assert_true(flurm_client_cancel(client, ids[2]));
	assert_true(flurm_client_cancel(client, ids[4]));
	assert_int_equal(answers.count, 0);
	UNTIL(answers.count == 5);
	assert_int_equal(answers.by_outcome[FLURM_ANSWERED], 3);
	assert_int_equal(answers.by_outcome[FLURM_NOT_DELIVERED], 2);
	assert_false(flurm_client_cancel(client, ids[2]));
	assert_false(flurm_client_cancel(client, ids[0]));
	assert_false(flurm_client_cancel(client, 0));
	assert_int_equal(ops_seen, 3);
	assert_int_equal(history_epoch[2], 3);
}

/* A server that takes requests and never answers. */
static int _deaf_server(uint16_t *ret_port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *) &address, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	getsockname(fd, (struct sockaddr *) &address, &len);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void _knows_not_what_it_cannot_know(void **state)
{
	flurm_client_conf_t conf;
	uint16_t real = port, deaf;
	int fd = _deaf_server(&deaf);
	uint64_t id;

	port = deaf;
	conf = _conf();
	port = real;
	conf.answer_ms = 150;
	_use(&conf);
	_forget_answers();
	_ask(FLURM_OP_HOLD, 7, 0, 500);
	UNTIL(answers.count == 1);
	assert_int_equal(answers.outcome, FLURM_UNKNOWN);
	assert_non_null(strstr(answers.reason, "timed out"));

	/* given up while it is under way */
	id = _ask(FLURM_OP_HOLD, 8, 0, 0);
	_ask(FLURM_OP_HOLD, 8, 1, 0);
	_turn_for(250);
	assert_true(flurm_client_cancel(client, id));
	UNTIL(answers.count == 2);
	assert_int_equal(answers.outcome, FLURM_UNKNOWN);
	assert_string_equal(answers.reason, "given up");

	/* not idempotent: one try */
	_ask(FLURM_OP_SUBMIT, 0, 0, 0);
	UNTIL(answers.count == 3);
	assert_int_equal(answers.outcome, FLURM_UNKNOWN);

	/* the end of the client tells the rest */
	_turn_for(600);
	flurm_client_destroy(client);
	client = NULL;
	assert_int_equal(answers.count, 4);
	assert_int_equal(answers.outcome, FLURM_UNKNOWN);
	close(fd);
}

static void *_close_after_reply(void *arg)
{
	int fd = *(int *) arg;

	for (int i = 0; i < 5; i++) {
		char data[4096];
		int peer = accept(fd, NULL, NULL);

		if (recv(peer, data, sizeof(data), 0) > 0)
			http_say(peer, "HTTP/1.1 200 OK\r\n"
				 "Content-Length: 12\r\n\r\n{\"job_id\":7}");
		close(peer);
	}
	return NULL;
}

/* FLURM's own port closes after each answer and does not say so. */
static void _uses_each_connection_once(void **state)
{
	flurm_client_conf_t conf;
	uint16_t real = port, once;
	int fd = _deaf_server(&once);
	pthread_t thread;

	pthread_create(&thread, NULL, _close_after_reply, &fd);
	port = once;
	conf = _conf();
	port = real;
	conf.no_reuse = true;
	_use(&conf);
	_forget_answers();
	for (int i = 1; i <= 5; i++) {
		/* of FLURM's own kind: must not be sent twice */
		_ask(FLURM_OP_SUBMIT, 0, 0, 0);
		UNTIL(answers.count == i);
		assert_int_equal(answers.outcome, FLURM_ANSWERED);
		assert_int_equal(answers.job_id, 7);
	}
	pthread_join(thread, NULL);
	close(fd);
}

static void _sends_tokens(void **state)
{
	flurm_client_conf_t conf = _conf();

	needs_token = true;
	conf.bearer = "wrong";
	_use(&conf);
	_forget_answers();
	_ask(FLURM_OP_HOLD, 7, 0, 100);
	UNTIL(answers.count == 1);
	assert_int_equal(answers.outcome, FLURM_NOT_DELIVERED);
	assert_non_null(strstr(answers.reason, "not this one"));

	/* that its health is told to everyone ends no pause */
	atomic_store(&asked, 0);
	_ask(FLURM_OP_HOLD, 7, 0, 0);
	for (int i = 0; i < 40; i++) {
		_learn();
		_turn_for(10);
	}
	assert_in_range(asked - 40, 3, 20);
	_forget_answers();
	answers.count = 1;
	flurm_client_destroy(client);
	answers.count = 1;
	conf.bearer = "secret";
	_use(&conf);
	_ask(FLURM_OP_HOLD, 7, 0, 100);
	UNTIL(answers.count == 2);
	assert_int_equal(answers.outcome, FLURM_ANSWERED);
}

static void _conf_errors(void **state)
{
	static const char *const urls[] = {
		"", "http://", "ftp://host", "host:80", "http://host/path",
		"http://user@host", "http://host?x", "file:///etc/passwd",
	};
	flurm_client_conf_t conf = _conf();
	fed_err_t err;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		conf.url = urls[i];
		assert_null(flurm_client_create(loop, &conf, &err));
		assert_non_null(strstr(err.text, "must be http"));
	}
	conf = _conf();
	conf.cert_file = "x";
	assert_null(flurm_client_create(loop, &conf, &err));
}

/* --- queries --- */

static int query_count;
static flurm_outcome_t query_outcome;
static int query_code;

static void _nodes_done(void *arg, flurm_outcome_t outcome,
			const flurm_node_t *nodes, size_t count,
			const fed_err_t *err)
{
	query_count++;
	assert_int_equal(outcome, FLURM_ANSWERED);
	assert_int_equal(count, 2);
	assert_string_equal(nodes[1].name, "n2");
}

static void _partitions_done(void *arg, flurm_outcome_t outcome,
			     const flurm_partition_t *partitions, size_t count,
			     const fed_err_t *err)
{
	query_count++;
	assert_int_equal(outcome, FLURM_ANSWERED);
	assert_int_equal(count, 1);
	assert_string_equal(partitions[0].name, "debug");
}

static void _stats_done(void *arg, flurm_outcome_t outcome,
			const flurm_cluster_stats_t *stats,
			const fed_err_t *err)
{
	query_count++;
	query_outcome = outcome;
	if (outcome == FLURM_ANSWERED)
		assert_int_equal(stats->cpu_count, 8);
	else
		assert_non_null(strstr(err->text, "JSON: line 1"));
}

static void _job_done(void *arg, flurm_outcome_t outcome,
		      const flurm_job_t *job, const fed_err_t *err)
{
	query_count++;
	query_outcome = outcome;
	query_code = err ? err->code : 0;
	if (query_code == 404)
		assert_non_null(strstr(err->text, "never heard of it"));
}

static void _queries(void **state)
{
	_use(NULL);
	query_count = 0;
	flurm_client_nodes(client, 0, _nodes_done, NULL);
	flurm_client_partitions(client, 0, _partitions_done, NULL);
	UNTIL(query_count == 2);
	flurm_client_job(client, 5, 5000, _job_done, NULL);
	UNTIL(query_count == 3);
	assert_int_equal(query_outcome, FLURM_REFUSED);
	assert_int_equal(query_code, 404);
	fail_first = 2;
	flurm_client_stats(client, 5000, _stats_done, NULL);
	UNTIL(query_count == 4);
	assert_int_equal(query_outcome, FLURM_ANSWERED);
	fail_first = 1;
	flurm_client_stats(client, 0, _stats_done, NULL);
	UNTIL(query_count == 5);
	assert_int_equal(query_outcome, FLURM_NOT_DELIVERED);
	/* given up, and left over at the end */
	assert_true(flurm_client_cancel(client, flurm_client_job(
		client, 5, 5000, _job_done, NULL)));
	UNTIL(query_count == 6);
	flurm_client_job(client, 5, 5000, _job_done, NULL);
	flurm_client_destroy(client);
	client = NULL;
	assert_int_equal(query_count, 7);
	assert_int_equal(query_outcome, FLURM_NOT_DELIVERED);
}

static uint32_t listed;
static int lists;
static bool list_complete;

static void _page(void *arg, const flurm_job_page_t *page)
{
	for (size_t i = 0; i < page->count; i++)
		assert_int_equal(page->jobs[i].spec.fed_job_id, ++listed);
}

static void _list_done(void *arg, bool complete, const fed_err_t *err)
{
	lists++;
	list_complete = complete;
}

static void _lists_jobs(void **state)
{
	_use(NULL);
	lists = listed = 0;
	flurm_client_jobs(client, 5000, _page, _list_done, NULL);
	UNTIL(lists == 1);
	assert_int_equal(listed, 2500);
	assert_true(list_complete);
	/* one page that is not complete spoils all */
	status = 1;
	listed = 0;
	flurm_client_jobs(client, 5000, _page, _list_done, NULL);
	UNTIL(lists == 2);
	assert_int_equal(listed, 2500);
	assert_false(list_complete);
}

/* --- events --- */

static struct {
	int ups, downs, gaps, count;
	uint64_t last;
	char gap_instance[32];
	bool stop_at_next;
} seen;

static void _ev_up(void *arg)
{
	seen.ups++;
}

static void _ev_down(void *arg, const fed_err_t *err)
{
	assert_true(err->text[0]);
	seen.downs++;
}

static void _ev_event(void *arg, const flurm_event_t *event)
{
	seen.count++;
	seen.last = event->seq;
	if (seen.stop_at_next)
		flurm_client_events_stop(client);
}

static void _ev_gap(void *arg, const char *instance_id)
{
	seen.gaps++;
	snprintf(seen.gap_instance, sizeof(seen.gap_instance), "%s",
		 instance_id ? instance_id : "");
}

static const flurm_events_ops_t events_ops = {
	.up = _ev_up, .down = _ev_down, .event = _ev_event, .gap = _ev_gap,
};

static void _tell_text(const char *text)
{
	assert_true(flurm_stream_write(stream, text, strlen(text)) > 0);
}

static void _tell(uint64_t seq)
{
	flurm_event_t event;
	char *line;
	size_t len;

	flurm_event_init(&event);
	event.seq = seq;
	event.type = FLURM_EV_HELD;
	event.fed_job_id = 1;
	line = flurm_event_line(&event, &len);
	assert_true(flurm_stream_write(stream, line, len) > 0);
	free(line);
}

static void _follow(uint64_t after, unsigned int silence_ms)
{
	flurm_client_conf_t conf = _conf();

	conf.silence_ms = silence_ms;
	_use(&conf);
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(flurm_client_events_start(client, after, "first",
						   &events_ops, NULL), 0);
	assert_int_equal(flurm_client_events_start(client, after, "first",
						   &events_ops, NULL), -1);
}

static void _follows_events(void **state)
{
	_follow(41, 0);
	UNTIL(stream_opens == 1);
	assert_string_equal(stream_query, "41/first");
	/* up without an event */
	UNTIL(seen.ups == 1);
	for (int i = 0; i < 1000; i++)
		_tell(42 + i);
	UNTIL(seen.count == 1000);
	assert_int_equal(seen.last, 1041);

	/* a line in pieces, a heartbeat, a type nobody knows yet */
	_tell_text("{\"seq\":1042,");
	_turn_for(50);
	_tell_text("\"type\":\"held\"}\n{\"type\":"
			   "\"heartbeat\"}\n\n");
	UNTIL(seen.count == 1001);
	_tell_text("{\"seq\":1043,\"type\":\"later\"}\n");
	UNTIL(seen.count == 1002);

	/* the server ends it: again from where we were */
	flurm_stream_close(stream);
	stream = NULL;
	UNTIL(stream_opens == 2);
	assert_string_equal(stream_query, "1043/first");
	assert_int_equal(seen.downs, 1);
	UNTIL(seen.ups == 2);
	/* nonsense ends it too */
	_tell_text("{]\n");
	UNTIL(stream_opens == 3);
	assert_int_equal(seen.downs, 2);
	assert_int_equal(seen.gaps, 0);
}

static void _watches_the_stream(void **state)
{
	int64_t began;

	/* a busy machine may be late with a heartbeat, not by most of this */
	_follow(0, 1000);
	UNTIL(seen.ups == 1);
	for (began = _now(); _now() - began < 1500;) {
		_turn_for(50);
		_tell_text("{\"type\":\"heartbeat\"}\n");
	}
	assert_int_equal(stream_opens, 1);
	/* silence, and again */
	UNTIL(stream_opens == 2);
	assert_int_equal(seen.downs, 1);
	UNTIL(seen.ups == 2);
	flurm_server_stop(server);
	server = NULL;
	UNTIL(seen.downs == 2);
	_turn_for(200);
	assert_int_equal(seen.downs, 2);
	_serve(NULL);
	UNTIL(seen.ups == 3);
}

static void _tells_of_gaps(void **state)
{
	stream_gone_410 = true;
	_follow(9, 0);
	UNTIL(seen.gaps == 1);
	assert_string_equal(seen.gap_instance, "next");
	UNTIL(stream_opens == 1);
	assert_string_equal(stream_query, "-/next");
	UNTIL(seen.ups == 1);
	_tell(3);
	UNTIL(seen.count == 1);
	assert_int_equal(seen.downs, 0);
}

static void _acknowledges(void **state)
{
	_follow(0, 0);
	UNTIL(seen.ups == 1);
	flurm_client_events_ack(client, 5);
	flurm_client_events_ack(client, 7);
	flurm_client_events_ack(client, 6);
	UNTIL(acked == 7);
	flurm_client_events_ack(client, 9);
	UNTIL(acked == 9);
	/* a server that knows no such thing is not asked again */
	no_ack_route = true;
	flurm_client_events_ack(client, 10);
	UNTIL(acked == 10);
	_turn_for(50);
	flurm_client_events_ack(client, 11);
	_turn_for(1300);
	assert_int_equal(acked, 10);
}

static void _stops_in_the_middle(void **state)
{
	_follow(0, 0);
	UNTIL(seen.ups == 1);
	seen.stop_at_next = true;
	for (int i = 1; i < 10; i++)
		_tell(i);
	UNTIL(seen.count == 1);
	_turn_for(50);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.downs, 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, _setup, _teardown)
	const struct CMUnitTest tests[] = {
		TEST(_answers),
		TEST(_refusals_are_final),
		TEST(_failures_are_tried_again),
		TEST(_retry_after_is_kept),
		TEST(_deadlines),
		cmocka_unit_test(_keeps_the_order_of_a_job),
		TEST(_batches),
		cmocka_unit_test(_batches_that_fail),
		TEST(_batches_that_fail_in_part),
		TEST(_the_queue_has_an_end),
		TEST(_cancels),
		TEST(_knows_not_what_it_cannot_know),
		TEST(_uses_each_connection_once),
		TEST(_sends_tokens),
		TEST(_conf_errors),
		TEST(_queries),
		TEST(_lists_jobs),
		TEST(_follows_events),
		TEST(_watches_the_stream),
		TEST(_tells_of_gaps),
		TEST(_acknowledges),
		TEST(_stops_in_the_middle),
	};

	fed_log_init(NULL, FED_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
