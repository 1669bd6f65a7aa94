/*
 * gate_test.c - src/gateway/gate: the life of a job, and src/gateway/event and
 * job as records.
 *
 * A table of what each op does in each state; then random lives, in which what
 * must never happen is looked for after every step.
 */
#include "testsuite/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/gateway/evlog.h"
#include "src/gateway/gate.h"

#define NOW_MS INT64_C(1000000000)

static const gw_gate_times_t times = {
	.ask_again_ms = 30000,
	.patience_ms = 600000,
	.retry_ms = 20000,
};

static gw_job_t *job;
static uint64_t next_seq = 1;

static void _happen_full(gw_event_t *event)
{
	event->fed_job_id = job->fed_job_id;
	event->epoch = job->epoch;
	event->job_id = job->job_id;
	event->attempt = job->attempt + ((event->type == GW_EV_ASKED) ||
					 (event->type == GW_EV_TAKEN));
	if (!event->time_ms)
		event->time_ms = NOW_MS;
	if (gw_event_is_public(event->type))
		event->seq = next_seq++;
	gw_gate_update(job, event);
	gw_event_free(event);
}

static void _happen(gw_event_type_t type)
{
	gw_event_t event;

	gw_event_init(&event, type);
	if ((type == GW_EV_ASKED) || (type == GW_EV_TAKEN)) {
		event.nodes = fed_strdup("n1");
		event.node_list = fed_calloc(1, sizeof(uint32_t));
		event.node_count = 1;
	}
	if (type == GW_EV_STARTED)
		event.start_time = NOW_MS / 1000;
	if (type == GW_EV_ENDED) {
		event.state = FLURM_FAILED;
		event.exit_code = 3;
		event.start_time = job->start_time;
		event.end_time = NOW_MS / 1000 + 5;
	}
	_happen_full(&event);
}

static int _new_job(void **state)
{
	gw_event_t event;

	gw_job_free(job);
	job = gw_job_create(67108865, 7);
	job->epoch = 2;
	job->gated = job->may_requeue = true;
	gw_event_init(&event, GW_EV_SUBMITTED);
	event.brief = fed_strdup("name=1:x");
	_happen_full(&event);
	job->body_at = 1;
	return 0;
}

static int _free_job(void **state)
{
	gw_job_free(job);
	job = NULL;
	return 0;
}

/* Where a life can be; each is reached from the one before in the list. */
typedef enum { PENDING, ASKS, GRANTED, RUNS, SUSPENDED, CANCELLING, OVER,
	       HELD, REVOKED, STAGES } stage_t;

static void _bring_to(stage_t stage)
{
	_new_job(NULL);
	if (stage == HELD) {
		_happen(GW_EV_HELD);
		return;
	}
	if (stage == REVOKED) {
		gw_event_t event;

		gw_event_init(&event, GW_EV_ENDED);
		event.state = FLURM_REVOKED;
		_happen_full(&event);
		return;
	}
	if (stage >= ASKS)
		_happen(GW_EV_ASKED);
	if (stage >= GRANTED)
		_happen(GW_EV_GRANTED);
	if (stage >= RUNS)
		_happen(GW_EV_STARTED);
	if (stage == SUSPENDED)
		_happen(GW_EV_SUSPENDED);
	if (stage == CANCELLING)
		_happen(GW_EV_CANCEL);
	if (stage == OVER)
		_happen(GW_EV_ENDED);
}

#define NONE ((gw_event_type_t) 0)

static void _judge(flurm_op_kind_t kind, bool grant, uint32_t epoch,
		   gw_verdict_t *verdict)
{
	flurm_op_t op;

	flurm_op_init(&op, kind);
	op.fed_job_id = job->fed_job_id;
	op.epoch = epoch;
	op.grant = grant;
	op.attempt = job->attempt;
	op.retry_after = 5;
	gw_gate_judge(job, &op, NOW_MS, verdict);
	flurm_op_free(&op);
}

/* status and event for each op in each stage */
static const struct {
	flurm_op_kind_t kind;
	bool grant;
	struct {
		int status;
		gw_event_type_t event;
	} in[STAGES];
} table[] = {
	{ FLURM_OP_CANCEL, false, {
		[PENDING] = { 200, GW_EV_ENDED },
		[ASKS] = { 200, GW_EV_ENDED },
		[GRANTED] = { 200, GW_EV_CANCEL },
		[RUNS] = { 200, GW_EV_CANCEL },
		[SUSPENDED] = { 200, GW_EV_CANCEL },
		[CANCELLING] = { 200, NONE },
		[OVER] = { 200, NONE },
		[HELD] = { 200, GW_EV_ENDED },
		[REVOKED] = { 200, NONE } } },
	{ FLURM_OP_HOLD, false, {
		[PENDING] = { 200, GW_EV_HELD },
		[ASKS] = { 200, GW_EV_HELD },
		[GRANTED] = { 409, NONE },
		[RUNS] = { 409, NONE },
		[SUSPENDED] = { 409, NONE },
		[CANCELLING] = { 409, NONE },
		[OVER] = { 409, NONE },
		[HELD] = { 200, NONE },
		[REVOKED] = { 409, NONE } } },
	{ FLURM_OP_RELEASE, false, {
		[PENDING] = { 200, NONE },
		[ASKS] = { 200, NONE },
		[GRANTED] = { 200, NONE },
		[RUNS] = { 200, NONE },
		[SUSPENDED] = { 200, NONE },
		[CANCELLING] = { 200, NONE },
		[OVER] = { 409, NONE },
		[HELD] = { 200, GW_EV_RELEASED },
		[REVOKED] = { 409, NONE } } },
	{ FLURM_OP_SUSPEND, false, {
		[PENDING] = { 409, NONE },
		[ASKS] = { 409, NONE },
		[GRANTED] = { 409, NONE },
		[RUNS] = { 200, GW_EV_SUSPENDED },
		[SUSPENDED] = { 200, NONE },
		[CANCELLING] = { 409, NONE },
		[OVER] = { 409, NONE },
		[HELD] = { 409, NONE },
		[REVOKED] = { 409, NONE } } },
	{ FLURM_OP_RESUME, false, {
		[PENDING] = { 409, NONE },
		[ASKS] = { 409, NONE },
		[GRANTED] = { 409, NONE },
		[RUNS] = { 200, NONE },
		[SUSPENDED] = { 200, GW_EV_RESUMED },
		[CANCELLING] = { 409, NONE },
		[OVER] = { 409, NONE },
		[HELD] = { 409, NONE },
		[REVOKED] = { 409, NONE } } },
	{ FLURM_OP_REQUEUE, false, {
		[PENDING] = { 409, NONE },
		[ASKS] = { 409, NONE },
		[GRANTED] = { 200, GW_EV_REQUEUE },
		[RUNS] = { 200, GW_EV_REQUEUE },
		[SUSPENDED] = { 200, GW_EV_REQUEUE },
		[CANCELLING] = { 409, NONE },
		[OVER] = { 409, NONE },
		[HELD] = { 409, NONE },
		[REVOKED] = { 409, NONE } } },
	{ FLURM_OP_START, true, {
		[PENDING] = { 409, NONE },
		[ASKS] = { 200, GW_EV_GRANTED },
		[GRANTED] = { 200, NONE },
		[RUNS] = { 200, NONE },
		[SUSPENDED] = { 200, NONE },
		[CANCELLING] = { 200, NONE },
		[OVER] = { 200, NONE },
		[HELD] = { 409, NONE },
		[REVOKED] = { 409, NONE } } },
	{ FLURM_OP_START, false, {
		[PENDING] = { 200, NONE },
		[ASKS] = { 200, GW_EV_WAIT },
		[GRANTED] = { 409, NONE },
		[RUNS] = { 409, NONE },
		[SUSPENDED] = { 409, NONE },
		[CANCELLING] = { 409, NONE },
		[OVER] = { 409, NONE },
		[HELD] = { 200, NONE },
		[REVOKED] = { 409, NONE } } },
	{ FLURM_OP_REVOKE, false, {
		[PENDING] = { 200, GW_EV_ENDED },
		[ASKS] = { 200, GW_EV_ENDED },
		[GRANTED] = { 409, NONE },
		[RUNS] = { 409, NONE },
		[SUSPENDED] = { 409, NONE },
		[CANCELLING] = { 409, NONE },
		[OVER] = { 409, NONE },
		[HELD] = { 200, GW_EV_ENDED },
		[REVOKED] = { 200, NONE } } },
	{ FLURM_OP_SIGNAL, false, {
		[PENDING] = { 409, NONE },
		[ASKS] = { 409, NONE },
		[GRANTED] = { 409, NONE },
		[RUNS] = { 200, NONE },
		[SUSPENDED] = { 200, NONE },
		[CANCELLING] = { 409, NONE },
		[OVER] = { 409, NONE },
		[HELD] = { 409, NONE },
		[REVOKED] = { 409, NONE } } },
	{ FLURM_OP_NOTIFY, false, {
		[PENDING] = { 409, NONE },
		[ASKS] = { 409, NONE },
		[GRANTED] = { 409, NONE },
		[RUNS] = { 200, NONE },
		[SUSPENDED] = { 200, NONE },
		[CANCELLING] = { 409, NONE },
		[OVER] = { 409, NONE },
		[HELD] = { 409, NONE },
		[REVOKED] = { 409, NONE } } },
};

static void _every_op_in_every_stage(void **state)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (stage_t stage = 0; stage < STAGES; stage++) {
			gw_verdict_t verdict;
			gw_event_type_t event;

			_bring_to(stage);
			_judge(table[i].kind, table[i].grant, 2, &verdict);
			event = verdict.has_event ? verdict.event.type : NONE;
			if ((verdict.result.status !=
			     table[i].in[stage].status) ||
			    (event != table[i].in[stage].event))
				fail_msg("%s grant %d in stage %d: %d, event "
					 "%d", flurm_op_name(table[i].kind),
					 table[i].grant, stage,
					 verdict.result.status, event);
			assert_int_equal(verdict.result.fed_job_id,
					 job->fed_job_id);
			assert_int_equal(verdict.result.epoch, 2);
			/* the same again: the same answer, and no event */
			if (verdict.has_event) {
				gw_verdict_t again;

				_happen_full(&verdict.event);
				verdict.has_event = false;
				_judge(table[i].kind, table[i].grant, 2,
				       &again);
				assert_int_equal(again.result.status, 200);
				assert_false(again.has_event);
				gw_verdict_free(&again);
			}
			gw_verdict_free(&verdict);

			/* another epoch: a conflict, whatever it is */
			for (uint32_t epoch = 1; epoch <= 3; epoch += 2) {
				_bring_to(stage);
				_judge(table[i].kind, table[i].grant, epoch,
				       &verdict);
				assert_int_equal(verdict.result.status, 409);
				assert_string_equal(verdict.result.error,
						    "epoch_conflict");
				assert_false(verdict.has_event);
				gw_verdict_free(&verdict);
			}
		}
	}
}

static void _kill_after_term(void **state)
{
	gw_verdict_t verdict;
	flurm_op_t op;

	_bring_to(CANCELLING);
	flurm_op_init(&op, FLURM_OP_CANCEL);
	op.epoch = 2;
	op.signal = 9;
	gw_gate_judge(job, &op, NOW_MS, &verdict);
	assert_true(verdict.has_event);
	assert_int_equal(verdict.event.signal, 9);
	gw_verdict_free(&verdict);
}

static void _requeue(void **state)
{
	gw_verdict_t verdict;
	gw_event_t event;

	_bring_to(RUNS);
	_happen(GW_EV_REQUEUE);
	assert_int_equal(job->state, FLURM_COMPLETING);
	assert_true(gw_gate_wants(job, NOW_MS).cancel);
	gw_event_init(&event, GW_EV_REQUEUED);
	event.state = FLURM_CANCELLED;
	_happen_full(&event);
	assert_int_equal(job->epoch, 3);
	assert_int_equal(job->state, FLURM_PENDING);
	assert_false(gw_gate_wants(job, NOW_MS).run);
	assert_true(gw_gate_wants(job, NOW_MS).queued);
	assert_int_equal(job->body_at, 1);
	/* the client's repeat comes with the epoch that it knew */
	_judge(FLURM_OP_REQUEUE, false, 2, &verdict);
	assert_int_equal(verdict.result.status, 200);
	assert_int_equal(verdict.result.epoch, 3);
	gw_verdict_free(&verdict);
	_bring_to(RUNS);
	job->may_requeue = false;
	_judge(FLURM_OP_REQUEUE, false, 2, &verdict);
	assert_int_equal(verdict.result.status, 409);
	gw_verdict_free(&verdict);
}

static void _waits(void **state)
{
	gw_verdict_t verdict;

	_bring_to(ASKS);
	assert_true(gw_gate_wants(job, NOW_MS).resources);
	_judge(FLURM_OP_START, false, 2, &verdict);
	_happen_full(&verdict.event);
	verdict.has_event = false;
	gw_verdict_free(&verdict);
	assert_int_equal(job->state, FLURM_PENDING);
	assert_false(gw_gate_wants(job, NOW_MS).resources);
	assert_false(gw_gate_wants(job, NOW_MS + 4999).queued);
	assert_true(gw_gate_wants(job, NOW_MS + 5000).queued);
	assert_int_equal(gw_gate_wake(job, &times, NOW_MS), NOW_MS + 5000);
}

/* It may ask sooner than it was told, and no later. */
static void _waits_less(void **state)
{
	gw_verdict_t verdict;

	for (int i = 0; i < 3; i++) {
		flurm_op_t op;

		if (!i)
			_bring_to(ASKS);
		flurm_op_init(&op, FLURM_OP_START);
		op.epoch = 2;
		op.attempt = job->attempt;
		op.retry_after = (i == 1) ? 10 : 60;
		gw_gate_judge(job, &op, NOW_MS, &verdict);
		assert_int_equal(verdict.result.status, 200);
		assert_int_equal(verdict.has_event, i < 2);
		if (verdict.has_event) {
			_happen_full(&verdict.event);
			verdict.has_event = false;
		}
		gw_verdict_free(&verdict);
		assert_int_equal(gw_gate_wake(job, &times, NOW_MS),
				 NOW_MS + (i ? 10000 : 60000));
	}
}

/* An answer to one attempt says nothing of another, whatever it says. */
static void _attempts(void **state)
{
	_bring_to(PENDING);
	assert_int_equal(job->attempt, 0);
	for (uint32_t attempt = 1; attempt <= 3; attempt++) {
		_happen(GW_EV_ASKED);
		assert_int_equal(job->attempt, attempt);
		_happen(GW_EV_ASKED_AGAIN);
		assert_int_equal(job->attempt, attempt);
		for (uint32_t said = 0; said <= 4; said++) {
			for (int grant = 0; grant < 2; grant++) {
				gw_verdict_t verdict;
				flurm_op_t op;

				flurm_op_init(&op, FLURM_OP_START);
				op.epoch = 2;
				op.attempt = said;
				op.grant = grant;
				gw_gate_judge(job, &op, NOW_MS, &verdict);
				assert_int_equal(verdict.has_event,
						 said == attempt);
				assert_int_equal(verdict.result.status,
						 said == attempt ? 200 : 409);
				if (said != attempt)
					assert_string_equal(
						verdict.result.error,
						"attempt_conflict");
				assert_int_equal(verdict.result.state,
						 FLURM_STARTING);
				gw_verdict_free(&verdict);
			}
		}
		/* the ways back into the queue */
		if (attempt == 1)
			_happen(GW_EV_WAIT);
		else if (attempt == 2)
			_happen(GW_EV_GAVE_BACK);
		else
			_happen(GW_EV_HELD);
		assert_int_equal(job->attempt, attempt);
	}
	/* a new epoch counts anew */
	_bring_to(RUNS);
	_happen(GW_EV_REQUEUE);
	_happen(GW_EV_REQUEUED);
	assert_int_equal(job->epoch, 3);
	assert_int_equal(job->attempt, 0);
}

static bool _tick(int64_t now_ms, uint64_t heard, gw_event_type_t expected)
{
	gw_event_t event;
	bool is;

	if (!gw_gate_tick(job, &times, now_ms, heard, &event))
		return false;
	is = event.type == expected;
	gw_event_free(&event);
	return is;
}

static void _ticks(void **state)
{
	_bring_to(ASKS);
	assert_int_equal(gw_gate_wake(job, &times, NOW_MS), NOW_MS + 30000);
	assert_false(_tick(NOW_MS + 29999, job->asked_seq, 0));
	assert_true(_tick(NOW_MS + 30000, job->asked_seq,
			  GW_EV_ASKED_AGAIN));
	/* nobody has heard the first request yet */
	assert_false(_tick(NOW_MS + 30000, job->asked_seq - 1, 0));
	assert_int_equal(gw_gate_wake(job, &times, NOW_MS + 30000),
			 NOW_MS + 60000);
	assert_true(_tick(NOW_MS + 600000, 0, GW_EV_GAVE_BACK));
	/* asking again does not begin its patience anew */
	_happen(GW_EV_ASKED_AGAIN);
	assert_true(_tick(NOW_MS + 600000, 0, GW_EV_GAVE_BACK));
	assert_string_equal(job->nodes, "n1");

	job->deadline = NOW_MS / 1000 + 10;
	assert_int_equal(gw_gate_wake(job, &times, NOW_MS), NOW_MS + 10000);
	assert_true(_tick(NOW_MS + 10000, 0, GW_EV_ENDED));
	_bring_to(GRANTED);
	job->deadline = NOW_MS / 1000 + 10;
	assert_false(_tick(NOW_MS + 700000, 99, 0));
	assert_int_equal(gw_gate_wake(job, &times, NOW_MS), GW_NEVER);
}

static void _begin_time_and_dependency(void **state)
{
	_bring_to(PENDING);
	job->begin_time = NOW_MS / 1000 + 60;
	assert_false(gw_gate_wants(job, NOW_MS).queued);
	assert_int_equal(gw_gate_wake(job, &times, NOW_MS), NOW_MS + 60000);
	assert_true(gw_gate_wants(job, NOW_MS + 60000).queued);
	job->dependent = true;
	assert_false(gw_gate_wants(job, NOW_MS + 60000).queued);
}

static void _failed_start(void **state)
{
	gw_event_t event;

	_bring_to(GRANTED);
	gw_event_init(&event, GW_EV_START_FAILED);
	event.until_ms = NOW_MS + 1000;
	event.reason = fed_strdup("no disk");
	_happen_full(&event);
	assert_int_equal(job->state, FLURM_PENDING);
	assert_int_equal(job->failed_starts, 1);
	assert_false(gw_gate_wants(job, NOW_MS).run);
	/* it needs a new grant */
	_happen(GW_EV_ASKED);
	assert_int_equal(job->attempt, 2);
	assert_false(gw_gate_wants(job, NOW_MS).run);
	_happen(GW_EV_GRANTED);
	assert_true(gw_gate_wants(job, NOW_MS).run);
	_happen(GW_EV_STARTED);
	assert_int_equal(job->failed_starts, 0);
}

static void _suspended_time(void **state)
{
	gw_event_t event;

	_bring_to(SUSPENDED);
	assert_true(gw_gate_wants(job, NOW_MS).suspend);
	gw_event_init(&event, GW_EV_RESUMED);
	event.time_ms = NOW_MS + 7000;
	_happen_full(&event);
	assert_int_equal(job->suspended_for, 7);
	assert_false(gw_gate_wants(job, NOW_MS).suspend);
	/* a cancel ends it too */
	_happen(GW_EV_SUSPENDED);
	_happen(GW_EV_CANCEL);
	assert_false(gw_gate_wants(job, NOW_MS).suspend);
	assert_true(gw_gate_wants(job, NOW_MS).cancel);
}

/* A record brings back what was written, and nothing else is taken for one. */
static void _records(void **state)
{
	fed_bytes_t bytes = { 0 }, again = { 0 };
	gw_job_t *copy = gw_job_create(0, 0);
	gw_event_t event, other;
	char *body = NULL;
	fed_err_t err;

	_bring_to(SUSPENDED);
	gw_job_pack(job, "script=1:x", &bytes);
	assert_int_equal(gw_job_unpack(bytes.data, bytes.len, copy, &body,
				       &err), 0);
	assert_string_equal(body, "script=1:x");
	gw_job_pack(copy, body, &again);
	free(body);
	assert_int_equal(bytes.len, again.len);
	assert_memory_equal(bytes.data, again.data, bytes.len);
	for (size_t len = 0; len < bytes.len; len++) {
		gw_job_t *cut = gw_job_create(0, 0);

		assert_int_equal(gw_job_unpack(bytes.data, len, cut, &body,
					       &err), -1);
		gw_job_free(cut);
	}
	gw_job_free(copy);

	gw_event_init(&event, GW_EV_ENDED);
	event.seq = 99;
	event.state = FLURM_TIMEOUT;
	event.signal = 15;
	event.usage.user_us = 12345;
	event.nodes = fed_strdup("n[1-2]");
	event.node_list = fed_calloc(2, sizeof(uint32_t));
	event.node_count = 2;
	event.node_list[1] = 1;
	event.reason = fed_strdup("\xff");
	fed_bytes_clear(&bytes);
	gw_event_pack(&event, &bytes);
	assert_int_equal(gw_event_unpack(bytes.data, bytes.len, &other, &err),
			 0);
	fed_bytes_clear(&again);
	gw_event_pack(&other, &again);
	assert_int_equal(bytes.len, again.len);
	assert_memory_equal(bytes.data, again.data, bytes.len);
	gw_event_free(&other);
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_equal(gw_event_unpack(bytes.data, len, &other,
						 &err), -1);
	bytes.data[1] = 200;	/* a type that is not known */
	assert_int_equal(gw_event_unpack(bytes.data, bytes.len, &other, &err),
			 -1);
	gw_event_free(&event);
	fed_bytes_free(&bytes);
	fed_bytes_free(&again);
}

/* What another release wrote is told from what is damaged. */
static void _records_of_others(void **state)
{
	gw_job_t *copy = gw_job_create(0, 0);
	fed_bytes_t bytes = { 0 };
	char *body = NULL;
	gw_event_t event;
	fed_err_t err;

	_bring_to(ASKS);
	gw_job_pack(job, NULL, &bytes);
	bytes.data[0]++;
	assert_int_equal(gw_job_unpack(bytes.data, bytes.len, copy, &body,
				       &err), -1);
	assert_non_null(strstr(err.text, "job of version"));
	gw_job_free(copy);
	fed_bytes_clear(&bytes);

	gw_event_init(&event, GW_EV_ASKED);
	event.attempt = 5;
	gw_event_pack(&event, &bytes);
	assert_int_equal(gw_event_unpack(bytes.data, bytes.len, &event, &err),
			 0);
	assert_int_equal(event.attempt, 5);
	bytes.data[0]--;
	assert_int_equal(gw_event_unpack(bytes.data, bytes.len, &event, &err),
			 -1);
	assert_non_null(strstr(err.text, "event of version"));
	fed_bytes_free(&bytes);
}

static void _event_log(void **state)
{
	gw_evlog_t log;

	gw_evlog_init(&log, 1000);
	assert_int_equal(gw_evlog_has_after(&log, 999), 0);
	assert_int_equal(gw_evlog_has_after(&log, 998), -1);
	assert_int_equal(gw_evlog_has_after(&log, 1000), -1);
	for (int i = 0; i < 2000; i++) {
		gw_event_t event;

		gw_event_init(&event, GW_EV_HELD);
		event.reason = fed_strdup("x");
		gw_evlog_number(&log, &event);
		assert_int_equal(event.seq, 1000 + i);
		gw_evlog_add(&log, &event);
		gw_event_free(&event);
		if (i % 3)
			gw_evlog_drop(&log, 1000 + i / 2);
	}
	assert_int_equal(log.first, 2000);
	assert_null(gw_evlog_get(&log, 1999));
	assert_int_equal(gw_evlog_get(&log, 2000)->seq, 2000);
	assert_int_equal(gw_evlog_get(&log, 2999)->seq, 2999);
	assert_null(gw_evlog_get(&log, 3000));
	assert_int_equal(gw_evlog_has_after(&log, 1999), 0);
	assert_int_equal(gw_evlog_has_after(&log, 2999), 0);
	assert_int_equal(gw_evlog_has_after(&log, 3000), -1);
	gw_evlog_drop(&log, 5000);
	assert_int_equal(gw_evlog_count(&log), 0);
	assert_int_equal(gw_evlog_has_after(&log, 2999), 0);
	gw_evlog_free(&log);
}

static uint32_t _random(uint32_t below)
{
	static uint64_t seed = 7;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

/* What the engine and a backend would do, in any order. */
static void _random_step(int64_t now_ms)
{
	static const flurm_op_kind_t kinds[] = {
		FLURM_OP_CANCEL, FLURM_OP_HOLD, FLURM_OP_RELEASE,
		FLURM_OP_SUSPEND, FLURM_OP_RESUME, FLURM_OP_REQUEUE,
		FLURM_OP_START, FLURM_OP_START, FLURM_OP_START,
		FLURM_OP_REVOKE,
	};
	gw_wants_t wants = gw_gate_wants(job, now_ms);
	gw_verdict_t verdict;
	gw_event_t event;

	if (_random(3)) {
		_judge(kinds[_random(10)], _random(3), job->epoch -
		       !_random(5), &verdict);
		if (verdict.has_event)
			_happen_full(&verdict.event);
		verdict.has_event = false;
		gw_verdict_free(&verdict);
	} else if (wants.queued) {
		_happen(GW_EV_ASKED);
	} else if (wants.run && !job->start_time && _random(2)) {
		_happen(_random(4) ? GW_EV_STARTED : GW_EV_START_FAILED);
	} else if (wants.run && !_random(4)) {
		gw_event_init(&event, (job->requeue && !job->cancel) ?
			      GW_EV_REQUEUED : GW_EV_ENDED);
		event.state = FLURM_FAILED;
		_happen_full(&event);
	} else if (gw_gate_tick(job, &times, now_ms, next_seq, &event)) {
		_happen_full(&event);
	}
}

static void _random_lives(void **state)
{
	for (int life = 0; life < 20000; life++) {
		uint32_t epoch;
		bool ran = false;
		int64_t now_ms = NOW_MS;

		_bring_to(PENDING);
		epoch = job->epoch;
		for (int step = 0; step < 30; step++) {
			bool granted = job->granted, was_over =
				flurm_state_is_over(job->state);
			flurm_state_t before = job->state;
			gw_wants_t wants;

			now_ms += _random(40000);
			_random_step(now_ms);
			wants = gw_gate_wants(job, now_ms);
			if (job->epoch != epoch)
				ran = false;
			epoch = job->epoch;
			/* nothing runs without a grant, nor without nodes */
			assert_true(!wants.run || job->granted);
			assert_true(!wants.run || wants.resources);
			assert_true(!(wants.queued && wants.resources));
			/* a run that was granted is not forgotten */
			if (granted && !was_over && !wants.run)
				assert_true(
					flurm_state_is_over(job->state) ||
					(job->state == FLURM_PENDING) ||
					(job->state == FLURM_HELD));
			/* what has run in this epoch never waits again */
			ran |= (job->state == FLURM_RUNNING);
			if (ran)
				assert_true((job->state >= FLURM_RUNNING) ||
					    job->granted);
			/* over is over */
			if (was_over)
				assert_int_equal(job->state, before);
			/* nobody is woken for nothing */
			if (gw_gate_wake(job, &times, now_ms) <= now_ms) {
				gw_event_t event;

				assert_true(gw_gate_tick(job, &times, now_ms,
							 0, &event));
				gw_event_free(&event);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_every_op_in_every_stage),
		cmocka_unit_test(_kill_after_term),
		cmocka_unit_test(_requeue),
		cmocka_unit_test(_waits),
		cmocka_unit_test(_waits_less),
		cmocka_unit_test(_attempts),
		cmocka_unit_test(_ticks),
		cmocka_unit_test(_begin_time_and_dependency),
		cmocka_unit_test(_failed_start),
		cmocka_unit_test(_suspended_time),
		cmocka_unit_test(_records),
		cmocka_unit_test(_records_of_others),
		cmocka_unit_test(_event_log),
		cmocka_unit_test(_random_lives),
	};

	return cmocka_run_group_tests(tests, NULL, _free_job);
}
