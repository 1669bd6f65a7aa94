/*
 * fake_flurm.c - a FLURM of one job (see fake_flurm.h).
 *
 * Handlers run in the server's thread, the test in another: one lock around
 * everything.
 */
#include "testsuite/unit/unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/core/mem.h"
#include "src/flurm/model.h"
#include "src/flurm/server.h"
#include "src/gateway/gate.h"
#include "testsuite/unit/fake_flurm.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static flurm_server_t *server;
static flurm_stream_t *stream;
static gw_job_t *job;
static uint64_t next_seq;
static int questions;
static int nice_is;
static bool hold;
static flurm_request_t *waiting;	/* with this: */
static flurm_op_t waiting_op, late_op;

static int64_t _now_ms(void)
{
	return (int64_t) time(NULL) * 1000;
}

/* As the gateway's engine: an event happens to the job, and is told. */
static void _happen(gw_event_t *event)
{
	char *line;
	size_t len;

	event->fed_job_id = job->fed_job_id;
	event->epoch = job->epoch;
	event->job_id = job->job_id;
	event->attempt = job->attempt + (event->type == GW_EV_ASKED);
	event->time_ms = _now_ms();
	if (gw_event_is_public(event->type))
		event->seq = next_seq++;
	gw_gate_update(job, event);
	if (event->seq && stream) {
		line = gw_event_line(event, &len);
		(void) flurm_stream_write(stream, line, len);
		free(line);
	}
	gw_event_free(event);
}

static void _happen_type(gw_event_type_t type)
{
	gw_event_t event;

	gw_event_init(&event, type);
	if (type == GW_EV_STARTED)
		event.start_time = _now_ms() / 1000;
	_happen(&event);
}

static void _locked(gw_event_type_t type)
{
	pthread_mutex_lock(&lock);
	_happen_type(type);
	pthread_mutex_unlock(&lock);
}

extern void fake_flurm_asks(void)
{
	_locked(GW_EV_ASKED);
}

extern void fake_flurm_gives_back(void)
{
	_locked(GW_EV_GAVE_BACK);
}

extern void fake_flurm_starts(void)
{
	_locked(GW_EV_STARTED);
}

extern void fake_flurm_fails_to_start(void)
{
	_locked(GW_EV_START_FAILED);
}

extern flurm_state_t fake_flurm_state(void)
{
	flurm_state_t state;

	pthread_mutex_lock(&lock);
	state = job ? job->state : FLURM_STATE_COUNT;
	pthread_mutex_unlock(&lock);
	return state;
}

extern bool fake_flurm_granted(void)
{
	bool granted;

	pthread_mutex_lock(&lock);
	granted = job && job->granted;
	pthread_mutex_unlock(&lock);
	return granted;
}

extern int fake_flurm_questions(void)
{
	int count;

	pthread_mutex_lock(&lock);
	count = questions;
	pthread_mutex_unlock(&lock);
	return count;
}

extern int fake_flurm_nice(void)
{
	int nice;

	pthread_mutex_lock(&lock);
	nice = nice_is;
	pthread_mutex_unlock(&lock);
	return nice;
}

/* --- what it is asked to do --- */

static void _submit(const flurm_op_t *op, flurm_result_t *result)
{
	if (!job) {
		job = gw_job_create(op->fed_job_id, 7);
		job->epoch = op->epoch;
		_happen_type(GW_EV_SUBMITTED);
	}
	result->status = 200;
	gw_gate_fill(job, result);
}

/* As the gateway's engine_op.c */
static void _update(const flurm_op_t *op, flurm_result_t *result)
{
	if (job->state != FLURM_PENDING) {
		flurm_result_set(result, 409, NULL, "it does not wait");
		return;
	}
	nice_is = flurm_or(op->spec->nice, nice_is);
	result->status = 200;
	gw_gate_fill(job, result);
}

static void _do(const flurm_op_t *op, flurm_result_t *result)
{
	gw_verdict_t verdict;

	flurm_result_init(result);
	if (op->kind == FLURM_OP_SUBMIT) {
		_submit(op, result);
		return;
	}
	if (!job) {
		flurm_result_set(result, 404, NULL, "no such job");
		return;
	}
	if (op->kind == FLURM_OP_UPDATE) {
		_update(op, result);
		return;
	}
	gw_gate_judge(job, op, _now_ms(), &verdict);
	if (verdict.has_event) {
		_happen(&verdict.event);
		gw_gate_fill(job, &verdict.result);
	}
	*result = verdict.result;
	flurm_result_init(&verdict.result);
	gw_verdict_free(&verdict);
}

/* RET the answer's status */
static int _answer(flurm_request_t *request, const flurm_op_t *op)
{
	flurm_result_t result;
	int status;

	_do(op, &result);
	status = result.status;
	if (request)
		flurm_request_reply_result(request, &result);
	flurm_result_free(&result);
	return status;
}

static void _take(flurm_request_t *request, flurm_op_kind_t kind)
{
	flurm_op_t op;
	fed_err_t err;

	if (flurm_request_op(request, kind, &op, &err)) {
		flurm_request_error(request, 400, NULL, "%s", err.text);
		return;
	}
	pthread_mutex_lock(&lock);
	if ((kind == FLURM_OP_START) && hold) {
		assert_null(waiting);
		waiting = request;
		waiting_op = op;
	} else {
		_answer(request, &op);
		flurm_op_free(&op);
	}
	pthread_mutex_unlock(&lock);
}

static void _post_job(flurm_request_t *request, void *arg)
{
	_take(request, FLURM_OP_SUBMIT);
}

static void _post_start(flurm_request_t *request, void *arg)
{
	_take(request, FLURM_OP_START);
}

static void _post_revoke(flurm_request_t *request, void *arg)
{
	_take(request, FLURM_OP_REVOKE);
}

static void _patch(flurm_request_t *request, void *arg)
{
	_take(request, FLURM_OP_UPDATE);
}

static void _delete(flurm_request_t *request, void *arg)
{
	_take(request, FLURM_OP_CANCEL);
}

extern void fake_flurm_hold(bool on)
{
	pthread_mutex_lock(&lock);
	hold = on;
	pthread_mutex_unlock(&lock);
}

extern int fake_flurm_held(void)
{
	int count;

	pthread_mutex_lock(&lock);
	count = waiting != NULL;
	pthread_mutex_unlock(&lock);
	return count;
}

extern int fake_flurm_release(void)
{
	int status;

	pthread_mutex_lock(&lock);
	status = _answer(waiting, &waiting_op);
	flurm_op_free(&waiting_op);
	waiting = NULL;
	pthread_mutex_unlock(&lock);
	return status;
}

extern void fake_flurm_lose(void)
{
	pthread_mutex_lock(&lock);
	late_op = waiting_op;
	flurm_request_lose(waiting);
	flurm_request_error(waiting, 503, NULL, "lost");
	waiting = NULL;
	pthread_mutex_unlock(&lock);
}

extern int fake_flurm_late(void)
{
	int status;

	pthread_mutex_lock(&lock);
	status = _answer(NULL, &late_op);
	flurm_op_free(&late_op);
	pthread_mutex_unlock(&lock);
	return status;
}

/* --- what it tells --- */

static json_t *_view(void)
{
	flurm_job_t seen;
	json_t *json;

	flurm_job_init(&seen);
	seen.spec.fed_job_id = job->fed_job_id;
	seen.spec.epoch = job->epoch;
	seen.job_id = job->job_id;
	seen.state = job->state;
	seen.attempt = job->attempt;
	json = flurm_job_to_json(&seen);
	flurm_job_free(&seen);
	return json;
}

static void _get_job(flurm_request_t *request, void *arg)
{
	pthread_mutex_lock(&lock);
	questions++;
	if (job)
		flurm_request_reply_json(request, 200, _view());
	else
		flurm_request_error(request, 404, NULL, "no such job");
	pthread_mutex_unlock(&lock);
}

static void _get_jobs(flurm_request_t *request, void *arg)
{
	json_t *jobs = json_array();

	pthread_mutex_lock(&lock);
	if (job)
		json_array_append_new(jobs, _view());
	pthread_mutex_unlock(&lock);
	flurm_request_reply_json(request, 200,
				 json_pack("{s:o, s:i, s:b}", "jobs", jobs,
					   "next", 0, "complete", 1));
}

static void _get_events(flurm_request_t *request, void *arg)
{
	static const flurm_stream_conf_t conf = {
		.type = "application/x-ndjson",
	};

	pthread_mutex_lock(&lock);
	flurm_stream_close(stream);
	stream = flurm_request_stream(request, &conf);
	pthread_mutex_unlock(&lock);
}

static void _post_ack(flurm_request_t *request, void *arg)
{
	flurm_request_reply(request, 200, "application/json", "{}", 2);
}

static const flurm_route_t routes[] = {
	FLURM_ROUTE("GET", "/api/v1/jobs", _get_jobs),
	FLURM_ROUTE("POST", "/api/v1/jobs", _post_job),
	FLURM_ROUTE("GET", "/api/v1/jobs/{id}", _get_job),
	FLURM_ROUTE("DELETE", "/api/v1/jobs/{id}", _delete),
	FLURM_ROUTE("PATCH", "/api/v1/jobs/{id}", _patch),
	FLURM_ROUTE("POST", "/api/v1/jobs/{id}/start", _post_start),
	FLURM_ROUTE("POST", "/api/v1/jobs/{id}/revoke", _post_revoke),
	FLURM_ROUTE("GET", "/api/v1/federation/events", _get_events),
	FLURM_ROUTE("POST", "/api/v1/federation/events/ack", _post_ack),
	{ .method = NULL },
};

extern uint16_t fake_flurm_start(void)
{
	const flurm_server_conf_t conf = { .name = "flurm", .routes = routes };
	fed_err_t err;

	next_seq = 1;
	questions = nice_is = 0;
	hold = false;
	if (!(server = flurm_server_start(&conf, &err)))
		fail_msg("%s", err.text);
	return flurm_server_port(server);
}

extern void fake_flurm_stop(void)
{
	if (waiting)
		(void) fake_flurm_release();
	flurm_stream_close(stream);
	stream = NULL;
	flurm_server_stop(server);
	gw_job_free(job);
	job = NULL;
}
