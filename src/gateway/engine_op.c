/*
 * engine_op.c - requests that change jobs (see engine.h).
 *
 * A submission or an update is judged here, since it brings a spec; every
 * other op is judged by gw_gate_judge(). Either way it comes to one event, or
 * none, and one answer, which goes out when the event is durable.
 */
#include "fed_config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/json_text.h"
#include "src/gateway/engine_in.h"

#define BUSY_RETRY_S 5

typedef struct {
	gw_post_t post;
	flurm_request_t *request;
	flurm_op_t op;
} op_post_t;

typedef struct {
	gw_post_t post;
	flurm_request_t *request;
	gw_batch_item_t *items;
	size_t count;
} batch_post_t;

static size_t _not_over(const gw_engine_t *engine)
{
	size_t count = 0;

	for (int state = 0; state < FLURM_COMPLETED; state++)
		count += engine->by_state[state];
	return count;
}

static int _require(const flurm_job_spec_t *spec, flurm_result_t *result)
{
	const char *missing = NULL;

	if (!spec->fed_job_id)
		missing = "fed_job_id";
	else if (!spec->script || !*spec->script)
		missing = "script";
	else if (!flurm_is_set(spec->user_id))
		missing = "user_id";
	else if (!flurm_is_set(spec->group_id))
		missing = "group_id";
	if (missing)
		return flurm_result_set(result, 400, NULL, "%s: missing",
					missing);
	return 0;
}

/* Can this spec run here? */
static int _judge_spec(gw_engine_t *engine, const flurm_job_spec_t *spec,
		       gw_need_t *ret_need, flurm_result_t *result)
{
	fed_err_t err;

	if (_require(spec, result) ||
	    gw_cluster_need(&engine->cluster, spec, ret_need, result) ||
	    gw_cluster_judge(&engine->cluster, spec, ret_need, result))
		return -1;
	if (engine->ops->accept(engine->backend, spec, &err))
		return flurm_result_set(result, 422, NULL, "%s", err.text);
	return 0;
}

/*
 * The job is there already: a repeat, a conflict, or a new epoch.
 * RET 0 if it makes way, or -1 and the answer
 */
static int _meet(gw_engine_t *engine, gw_job_t *job, uint32_t epoch,
		 flurm_result_t *result)
{
	if (epoch == job->epoch) {
		result->status = 200;
		gw_gate_fill(job, result);
		return -1;
	}
	if (epoch < job->epoch)
		return gw_gate_epoch(job, epoch, result);
	/* the backend first has to let go of the epoch before */
	if (job->told_start && flurm_state_is_over(job->state))
		gw_engine_flush(engine);
	if (job->granted && (!flurm_state_is_over(job->state) ||
			     job->told_start)) {
		flurm_result_set(result, 409, "epoch_conflict", "job %u epoch "
				 "%u is still %s", job->fed_job_id, job->epoch,
				 flurm_state_name(job->state));
		gw_gate_fill(job, result);
		return -1;
	}
	return 0;
}

/* An epoch that has not started gives way to the next: it is withdrawn. */
static void _withdraw(gw_engine_t *engine, gw_job_t *job)
{
	gw_event_t event;

	if (flurm_state_is_over(job->state))
		return;
	gw_event_init(&event, GW_EV_ENDED);
	event.state = FLURM_REVOKED;
	event.reason = fed_strdup("submitted again");
	gw_engine_event(engine, job, &event);
}

/* What the submitter left to us: whoever looks at the job sees it. */
static void _fill_in(gw_engine_t *engine, flurm_job_spec_t *spec,
		     const gw_need_t *need)
{
	if (spec->partition && *spec->partition)
		return;
	free(spec->partition);
	spec->partition = fed_strdup(
		engine->conf->partitions[need->partition].name);
}

static void _submit(gw_engine_t *engine, const flurm_op_t *op,
		    flurm_result_t *result)
{
	flurm_job_spec_t *spec = op->spec;
	gw_job_t *job = gw_jobs_find(engine->store.jobs, op->fed_job_id);
	gw_event_t event;
	gw_need_t need;

	if (job && _meet(engine, job, op->epoch, result))
		return;
	if (_judge_spec(engine, spec, &need, result))
		return;
	if (_not_over(engine) >= (size_t) engine->conf->max_jobs) {
		flurm_result_set(result, 429, NULL, "max_jobs (%lld) are here",
				 (long long) engine->conf->max_jobs);
		result->retry_after = BUSY_RETRY_S;
		return;
	}
	_fill_in(engine, spec, &need);
	gw_event_init(&event, GW_EV_SUBMITTED);
	event.brief = flurm_job_spec_pack(spec, false);
	event.body = flurm_job_spec_pack(spec, true);
	if (job)
		_withdraw(engine, job);
	event.fed_job_id = op->fed_job_id;
	event.epoch = op->epoch;
	event.job_id = engine->store.next_job_id;
	event.hold = flurm_flag_or(spec->hold, false);
	job = gw_engine_event(engine, job, &event);
	if (!job) {
		flurm_result_set(result, 413, NULL, "too large to be kept");
		return;
	}
	gw_engine_learn(engine, job, spec, &need);
	result->status = 201;
	gw_gate_fill(job, result);
}

static void _update(gw_engine_t *engine, gw_job_t *job, const flurm_op_t *op,
		    flurm_result_t *result)
{
	flurm_job_spec_t spec;
	gw_event_t event;
	gw_need_t need;
	fed_err_t err;

	if (gw_gate_epoch(job, op->epoch, result))
		return;
	if ((job->state != FLURM_PENDING) && (job->state != FLURM_HELD)) {
		flurm_result_set(result, 409, NULL, "job %u is %s: only a "
				 "waiting one can be changed", job->fed_job_id,
				 flurm_state_name(job->state));
		gw_gate_fill(job, result);
		return;
	}
	if (gw_store_spec(&engine->store, job, &spec, &err)) {
		flurm_result_set(result, 500, NULL, "%s", err.text);
		return;
	}
	gw_event_init(&event, GW_EV_UPDATED);
	flurm_job_spec_merge(&spec, op->spec);
	if (!_judge_spec(engine, &spec, &need, result)) {
		event.brief = flurm_job_spec_pack(&spec, false);
		event.body = flurm_job_spec_pack(&spec, true);
		/* whose it is, the event says itself */
		op->spec->fed_job_id = op->spec->epoch = 0;
		event.detail = flurm_job_spec_pack(op->spec, false);
		gw_engine_event(engine, job, &event);
		gw_engine_learn(engine, job, &spec, &need);
		result->status = 200;
		gw_gate_fill(job, result);
	}
	flurm_job_spec_free(&spec);
}

static void _judged(gw_engine_t *engine, gw_job_t *job, const flurm_op_t *op,
		    flurm_result_t *result)
{
	gw_verdict_t verdict;

	gw_gate_judge(job, op, engine->now_ms, &verdict);
	if (verdict.deliver && (op->kind == FLURM_OP_NOTIFY))
		engine->ops->notify(engine->backend, job, op->text);
	else if (verdict.deliver)
		engine->ops->signal(engine->backend, job,
				    flurm_or(op->signal, SIGTERM), op->scope);
	if (verdict.deliver)
		engine->backend_due_ms = engine->now_ms;
	if (verdict.has_event) {
		job = gw_engine_event(engine, job, &verdict.event);
		gw_gate_fill(job, &verdict.result);
	}
	flurm_result_free(result);
	*result = verdict.result;
	flurm_result_init(&verdict.result);
	gw_verdict_free(&verdict);
}

static void _do(gw_engine_t *engine, const flurm_op_t *op,
		flurm_result_t *result)
{
	gw_job_t *job;

	engine->counters.ops[op->kind]++;
	if (op->kind == FLURM_OP_SUBMIT)
		_submit(engine, op, result);
	else if (!(job = gw_jobs_find(engine->store.jobs, op->fed_job_id)))
		flurm_result_set(result, 404, NULL, "no job %u here",
				 op->fed_job_id);
	else if (op->kind == FLURM_OP_UPDATE)
		_update(engine, job, op, result);
	else
		_judged(engine, job, op, result);
	if (result->status >= 400)
		engine->counters.refused++;
}

static void _run_op(gw_engine_t *engine, gw_post_t *post)
{
	op_post_t *mine = (op_post_t *) post;
	flurm_result_t result;

	flurm_result_init(&result);
	_do(engine, &mine->op, &result);
	gw_engine_answer(engine, mine->request, &result);
	flurm_op_free(&mine->op);
	free(mine);
}

extern void gw_engine_op(gw_engine_t *engine, flurm_request_t *request,
			 flurm_op_t *op)
{
	op_post_t *mine = fed_calloc(1, sizeof(*mine));

	mine->post.run = _run_op;
	mine->request = request;
	mine->op = *op;
	flurm_op_init(op, op->kind);
	if (gw_engine_post(engine, &mine->post))
		return;
	flurm_op_free(&mine->op);
	free(mine);
	flurm_request_error(request, 503, NULL, "the gateway is stopping");
}

static void _free_items(gw_batch_item_t *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		flurm_op_free(&items[i].op);
		flurm_result_free(&items[i].result);
	}
	free(items);
}

static void _run_batch(gw_engine_t *engine, gw_post_t *post)
{
	batch_post_t *mine = (batch_post_t *) post;
	json_t *results = json_array(), *reply;
	size_t len;
	char *text;

	for (size_t i = 0; i < mine->count; i++) {
		gw_batch_item_t *item = &mine->items[i];

		if (!item->result.status)
			_do(engine, &item->op, &item->result);
		(void) json_array_append_new(
			results, flurm_result_to_batch(&item->result));
	}
	reply = json_pack("{s:o}", "results", results);
	text = flurm_json_write(reply, &len);
	json_decref(reply);
	gw_engine_answer_text(engine, mine->request, 200, "application/json",
			      text, len);
	_free_items(mine->items, mine->count);
	free(mine);
}

extern void gw_engine_batch(gw_engine_t *engine, flurm_request_t *request,
			    gw_batch_item_t *items, size_t count)
{
	batch_post_t *mine = fed_calloc(1, sizeof(*mine));

	*mine = (batch_post_t) {
		.post.run = _run_batch,
		.request = request,
		.items = items,
		.count = count,
	};
	if (gw_engine_post(engine, &mine->post))
		return;
	_free_items(items, count);
	free(mine);
	flurm_request_error(request, 503, NULL, "the gateway is stopping");
}
