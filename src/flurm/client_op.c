/*
 * client_op.c - ops of one client, in order for each job (see client.h,
 * op_queue.h).
 *
 * Each job has a queue of its own, of which only the head may be ready; the
 * heads stand in one line. An op is encoded once, when it is given: that text
 * is its body when it travels alone and its element in a batch.
 *
 * A call that was given up, or whose deadline has passed, while it was being
 * sent is told so at once, but keeps its place at the head of its job's queue
 * until the try has ended: the next op of the job must not overtake it.
 */
#include "src/flurm/op_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/json_text.h"

#define SOLO_AFTER 3		/* tries without an answer */

/* --- the line --- */

extern void op_leave_line(op_call_t *call)
{
	op_queue_t *ops = &call->client->ops;

	*(call->prev ? &call->prev->next : &ops->first) = call->next;
	*(call->next ? &call->next->prev : &ops->last) = call->prev;
	call->prev = call->next = NULL;
	ops->ready--;
}

/*
 * At the end, also when it has been sent before: one op that the server cannot
 * do must not stand in the way of all others.
 */
static void _line_up(op_call_t *call)
{
	op_queue_t *ops = &call->client->ops;

	call->phase = PHASE_READY;
	call->prev = ops->last;
	*(call->prev ? &call->prev->next : &ops->first) = call;
	ops->last = call;
	ops->ready++;
	op_queue_wake(call->client);
}

/* --- a job's queue --- */

static void _join_job(op_call_t *call)
{
	op_queue_t *ops = &call->client->ops;
	op_call_t *tail = NULL;

	if (call->fed_job_id) {
		tail = map_get(&ops->jobs, call->fed_job_id);
		map_set(&ops->jobs, call->fed_job_id, call);
	}
	if (tail) {
		tail->behind = call;
		call->before = tail;
		call->phase = PHASE_BEHIND;
	} else {
		_line_up(call);
	}
}

static void _leave_job(op_call_t *call)
{
	op_queue_t *ops = &call->client->ops;

	if (!call->fed_job_id)
		return;
	if (call->before)
		call->before->behind = call->behind;
	else if (call->behind)
		_line_up(call->behind);
	if (call->behind)
		call->behind->before = call->before;
	else if (call->before)
		map_set(&ops->jobs, call->fed_job_id, call->before);
	else
		map_take(&ops->jobs, call->fed_job_id);
	call->before = call->behind = NULL;
}

/* --- the end of a call --- */

static void _tell(op_call_t *call, flurm_outcome_t outcome,
		  const flurm_result_t *result)
{
	flurm_op_done_t done = call->done;

	call->done = NULL;
	map_take(&call->client->calls, call->call.id);
	if (done)
		done(call->arg, outcome, result);
}

static void _tell_no_answer(op_call_t *call, flurm_outcome_t outcome)
{
	flurm_result_t result;

	flurm_result_init(&result);
	result.reason = fed_strdup(call->cancelled ? "given up" :
				   call->why ? call->why : "no time left");
	_tell(call, outcome, &result);
	flurm_result_free(&result);
}

/* Take it out of everything; nobody knows it any more but the caller. */
static void _remove(op_call_t *call)
{
	if (call->phase == PHASE_READY)
		op_leave_line(call);
	if (call->phase != PHASE_SENT)
		call->client->ops.queued--;
	timer_clear(call->client->timers, &call->delay);
	timer_clear(call->client->timers, &call->deadline);
	_leave_job(call);
}

static void _free(op_call_t *call)
{
	free(call->text);
	free(call->why);
	free(call);
}

/* RET what is known of a call that has no answer */
static flurm_outcome_t _outcome(const op_call_t *call)
{
	if (call->maybe || (call->send && call->send->transfer &&
			    transfer_delivered(call->send->transfer)))
		return FLURM_UNKNOWN;
	return FLURM_NOT_DELIVERED;
}

/* Its deadline has passed, or it was given up. */
static void _expired(void *arg)
{
	op_call_t *call = arg;
	flurm_outcome_t outcome = _outcome(call);

	if (call->phase == PHASE_SENT) {
		/* the try goes on, but nobody waits for it */
		_tell_no_answer(call, outcome);
		return;
	}
	_remove(call);
	_tell_no_answer(call, outcome);
	_free(call);
}

static void _cancel(call_t *base)
{
	op_call_t *call = (op_call_t *) base;

	call->cancelled = true;
	timer_set(call->client->timers, &call->deadline, 0);
}

static void _destroy(call_t *base)
{
	op_call_t *call = (op_call_t *) base;

	call->cancelled = true;
	_expired(call);
}

/* --- after a try --- */

static void _why(op_call_t *call, const char *why)
{
	free(call->why);
	call->why = fed_strdup(why);
}

static void _delay_over(void *arg)
{
	_line_up(arg);
}

/* RET true if it may be sent again */
static bool _may_repeat(op_call_t *call, verdict_t verdict)
{
	if (!call->done)
		return false;
	return call->fed_job_id || (verdict == VERDICT_LATER);
}

extern void op_again(op_call_t *call, verdict_t verdict, int64_t retry_after,
		     bool alone, const char *why)
{
	flurm_client_t *client = call->client;

	_why(call, why);
	call->tries++;
	if (verdict == VERDICT_UNSURE) {
		call->maybe = true;
		/* is it this one that the server does not survive? */
		if (call->tries >= SOLO_AFTER)
			call->solo = true;
	}
	if (!_may_repeat(call, verdict)) {
		_remove(call);
		if (call->done)
			_tell_no_answer(call, _outcome(call));
		_free(call);
		return;
	}
	client->stats.retries++;
	client->ops.queued++;
	if (!alone) {
		_line_up(call);
		return;
	}
	call->phase = PHASE_DELAYED;
	timer_set(client->timers, &call->delay, flurm_loop_now(client->loop) +
		  client_backoff_ms(client, call->tries, retry_after));
}

extern void op_answered(op_call_t *call, const flurm_result_t *result)
{
	verdict_t verdict = client_judge(result->status);
	char why[FED_ERR_TEXT_MAX];

	if ((verdict == VERDICT_LATER) || (verdict == VERDICT_UNSURE)) {
		snprintf(why, sizeof(why), "%s %s: HTTP status %d: %s",
			 call->method, call->path, result->status,
			 result->reason ? result->reason : "");
		op_again(call, verdict, result->retry_after, true, why);
		return;
	}
	_remove(call);
	_tell(call, (verdict == VERDICT_DONE) ? FLURM_ANSWERED :
						FLURM_REFUSED, result);
	_free(call);
}

extern void op_drop(op_call_t *call)
{
	_remove(call);
	_free(call);
}

extern void op_queue_wake(flurm_client_t *client)
{
	if (client->ops.first && !client->closing)
		timer_set(client->timers, &client->ops.dispatch, 0);
}

/* --- from outside --- */

extern void op_queue_init(flurm_client_t *client)
{
	client->ops.dispatch = (flurm_timer_t) TIMER(send_dispatch, client);
	client->ops.batch_bytes = client->conf.batch_bytes;
}

extern void op_queue_free(flurm_client_t *client)
{
	timer_clear(client->timers, &client->ops.dispatch);
	send_abort_all(client);
	map_free(&client->ops.jobs);
}

extern uint64_t flurm_client_op(flurm_client_t *client, const flurm_op_t *op,
				unsigned int deadline_ms, flurm_op_done_t done,
				void *arg)
{
	op_call_t *call;
	json_t *json;
	size_t len;
	char *text;

	if (client->closing || (client->ops.queued >= client->conf.max_queued))
		return 0;
	json = flurm_op_to_json(op);
	text = flurm_json_write(json, &len);
	json_decref(json);
	if (!text)
		return 0;
	call = fed_calloc(1, sizeof(*call));
	call->call.cancel = _cancel;
	call->call.destroy = _destroy;
	call->client = client;
	call->fed_job_id = op->fed_job_id;
	call->method = flurm_op_request(op, call->path);
	call->text = text;
	call->len = len;
	call->done = done;
	call->arg = arg;
	call->delay = (flurm_timer_t) TIMER(_delay_over, call);
	call->deadline = (flurm_timer_t) TIMER(_expired, call);
	if (deadline_ms)
		timer_set(client->timers, &call->deadline,
			  flurm_loop_now(client->loop) + deadline_ms);
	client->ops.queued++;
	client_add_call(client, &call->call);
	_join_job(call);
	return call->call.id;
}
