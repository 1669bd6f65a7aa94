/*
 * gate_judge.c - what a request does to a job (see gate.h).
 *
 * One function for each op. Each looks at where the job is, and either finds
 * that it is so already (the same answer, no event), or names the event that
 * makes it so, or refuses with 409 and the state. That is what makes a request
 * that is repeated, for whatever reason, harmless.
 */
#include "src/gateway/gate.h"

#include <signal.h>
#include <string.h>

#include "src/core/mem.h"

static bool _is_over(const gw_job_t *job)
{
	return flurm_state_is_over(job->state);
}

/* It has resources and waits for the answer. */
static bool _asks(const gw_job_t *job)
{
	return (job->state == FLURM_STARTING) && !job->granted;
}

/* The backend has it: nothing ends it but the backend. */
static bool _is_out(const gw_job_t *job)
{
	return job->granted && !_is_over(job);
}

extern void gw_gate_fill(const gw_job_t *job, flurm_result_t *result)
{
	result->fed_job_id = job->fed_job_id;
	result->epoch = job->epoch;
	result->job_id = job->job_id;
	result->state = job->state;
}

static void _ok(const gw_job_t *job, gw_verdict_t *verdict)
{
	verdict->result.status = 200;
	gw_gate_fill(job, &verdict->result);
}

static void _conflict(const gw_job_t *job, flurm_result_t *result,
		      const char *error, const char *what)
{
	flurm_result_set(result, 409, error, "job %u epoch %u is %s: %s",
			 job->fed_job_id, job->epoch,
			 flurm_state_name(job->state), what);
	gw_gate_fill(job, result);
}

static gw_event_t *_event(const gw_job_t *job, gw_event_type_t type,
			  gw_verdict_t *verdict)
{
	_ok(job, verdict);
	verdict->has_event = true;
	gw_event_init(&verdict->event, type);
	return &verdict->event;
}

static void _end_unstarted(const gw_job_t *job, flurm_state_t state,
			   const char *reason, gw_verdict_t *verdict)
{
	gw_event_t *event = _event(job, GW_EV_ENDED, verdict);

	event->state = state;
	event->reason = fed_strdup(reason);
}

static void _judge_cancel(const gw_job_t *job, const flurm_op_t *op,
			  gw_verdict_t *verdict)
{
	int64_t sig = flurm_or(op->signal, 0);

	if (_is_over(job)) {
		_ok(job, verdict);
	} else if (!job->granted) {
		_end_unstarted(job, FLURM_CANCELLED, "cancelled", verdict);
	} else if (job->cancel && ((sig == job->cancel_signal) ||
				   (sig != SIGKILL))) {
		_ok(job, verdict);
	} else {
		_event(job, GW_EV_CANCEL, verdict)->signal = sig;
	}
}

static void _judge_hold(const gw_job_t *job, gw_verdict_t *verdict)
{
	if (job->state == FLURM_HELD)
		_ok(job, verdict);
	else if ((job->state == FLURM_PENDING) || _asks(job))
		_event(job, GW_EV_HELD, verdict);
	else
		_conflict(job, &verdict->result, NULL, "cannot be held");
}

static void _judge_release(const gw_job_t *job, gw_verdict_t *verdict)
{
	if (job->state == FLURM_HELD)
		_event(job, GW_EV_RELEASED, verdict);
	else if (!_is_over(job))
		_ok(job, verdict);
	else
		_conflict(job, &verdict->result, NULL, "cannot be released");
}

static void _judge_suspend(const gw_job_t *job, gw_verdict_t *verdict)
{
	if (job->state == FLURM_SUSPENDED)
		_ok(job, verdict);
	else if (job->state == FLURM_RUNNING)
		_event(job, GW_EV_SUSPENDED, verdict);
	else
		_conflict(job, &verdict->result, NULL, "cannot be suspended");
}

static void _judge_resume(const gw_job_t *job, gw_verdict_t *verdict)
{
	if (job->state == FLURM_RUNNING)
		_ok(job, verdict);
	else if (job->state == FLURM_SUSPENDED)
		_event(job, GW_EV_RESUMED, verdict);
	else
		_conflict(job, &verdict->result, NULL, "cannot be resumed");
}

/* IN refusal - what one gets that does not run */
static void _judge_delivery(const gw_job_t *job, const char *refusal,
			    gw_verdict_t *verdict)
{
	if ((job->state != FLURM_RUNNING) && (job->state != FLURM_SUSPENDED)) {
		_conflict(job, &verdict->result, NULL, refusal);
		return;
	}
	_ok(job, verdict);
	verdict->deliver = true;
}

static void _judge_requeue(const gw_job_t *job, const flurm_op_t *op,
			   gw_verdict_t *verdict)
{
	if (!job->may_requeue) {
		_conflict(job, &verdict->result, NULL,
			  "its submitter wants no requeue");
	} else if (job->requeue) {
		_ok(job, verdict);
	} else if (job->cancel) {
		_conflict(job, &verdict->result, NULL, "is being cancelled");
	} else if (_is_out(job)) {
		_event(job, GW_EV_REQUEUE, verdict)->hold = op->hold;
	} else {
		_conflict(job, &verdict->result, NULL, _is_over(job) ?
			  "submit it again" : "has not started");
	}
}

/*
 * An answer is for one attempt. One that is late, or repeated by somebody on
 * the way, must not be taken for the answer to a later one, for which the
 * job's lock may not have been given.
 * RET 0, or -1 and the answer
 */
static int _check_attempt(const gw_job_t *job, const flurm_op_t *op,
			  flurm_result_t *result)
{
	if (op->attempt == job->attempt)
		return 0;
	_conflict(job, result, "attempt_conflict", op->attempt ?
		  "the answer is for another attempt to start it" :
		  "the answer does not say for which attempt it is");
	return -1;
}

/*
 * It waits until it may ask again. A second word can only make that sooner: an
 * answer that comes late, or twice, must not keep it waiting.
 */
static void _judge_sooner(const gw_job_t *job, int64_t until_ms,
			  gw_verdict_t *verdict)
{
	if (job->not_before_ms > until_ms)
		_event(job, GW_EV_WAIT, verdict)->until_ms = until_ms;
	else
		_ok(job, verdict);
}

static void _judge_start(const gw_job_t *job, const flurm_op_t *op,
			 int64_t now_ms, gw_verdict_t *verdict)
{
	int64_t until_ms = now_ms + flurm_or(op->retry_after, 0) * 1000;

	if (_check_attempt(job, op, &verdict->result))
		return;
	if (op->grant && job->granted)
		_ok(job, verdict);
	else if (op->grant && _asks(job))
		_event(job, GW_EV_GRANTED, verdict);
	else if (op->grant)
		_conflict(job, &verdict->result, NULL, "does not ask to start");
	else if (_asks(job))
		_event(job, GW_EV_WAIT, verdict)->until_ms = until_ms;
	else if (job->state == FLURM_PENDING)
		_judge_sooner(job, until_ms, verdict);
	else if (job->state == FLURM_HELD)
		_ok(job, verdict);
	else
		_conflict(job, &verdict->result, NULL,
			  "is past the start gate");
}

static void _judge_revoke(const gw_job_t *job, const flurm_op_t *op,
			  gw_verdict_t *verdict)
{
	if (job->state == FLURM_REVOKED)
		_ok(job, verdict);
	else if (_is_over(job) || job->granted)
		_conflict(job, &verdict->result, NULL,
			  "it is too late to withdraw it");
	else
		_end_unstarted(job, FLURM_REVOKED,
			       op->reason ? op->reason : "revoked", verdict);
}

extern int gw_gate_epoch(const gw_job_t *job, uint32_t epoch,
			 flurm_result_t *ret_result)
{
	if (epoch == job->epoch)
		return 0;
	_conflict(job, ret_result, "epoch_conflict", epoch < job->epoch ?
		  "the request is for an earlier epoch" :
		  "the request is for an epoch that is not here");
	return -1;
}

extern void gw_gate_judge(const gw_job_t *job, const flurm_op_t *op,
			  int64_t now_ms, gw_verdict_t *ret_verdict)
{
	*ret_verdict = (gw_verdict_t) { 0 };
	flurm_result_init(&ret_verdict->result);
	/* the second of two requests to requeue comes in the new epoch */
	if ((op->kind == FLURM_OP_REQUEUE) && job->restarts &&
	    (op->epoch == job->epoch - 1)) {
		_ok(job, ret_verdict);
		return;
	}
	if (gw_gate_epoch(job, op->epoch, &ret_verdict->result))
		return;
	switch (op->kind) {
	case FLURM_OP_CANCEL:
		_judge_cancel(job, op, ret_verdict);
		break;
	case FLURM_OP_HOLD:
		_judge_hold(job, ret_verdict);
		break;
	case FLURM_OP_RELEASE:
		_judge_release(job, ret_verdict);
		break;
	case FLURM_OP_SUSPEND:
		_judge_suspend(job, ret_verdict);
		break;
	case FLURM_OP_RESUME:
		_judge_resume(job, ret_verdict);
		break;
	case FLURM_OP_SIGNAL:
		_judge_delivery(job, "gets no signal", ret_verdict);
		break;
	case FLURM_OP_NOTIFY:
		_judge_delivery(job, "has no output", ret_verdict);
		break;
	case FLURM_OP_REQUEUE:
		_judge_requeue(job, op, ret_verdict);
		break;
	case FLURM_OP_START:
		_judge_start(job, op, now_ms, ret_verdict);
		break;
	case FLURM_OP_REVOKE:
		_judge_revoke(job, op, ret_verdict);
		break;
	default:
		flurm_result_set(&ret_verdict->result, 400, NULL,
				 "%s is not for a job that is there",
				 flurm_op_name(op->kind));
		break;
	}
}

extern void gw_verdict_free(gw_verdict_t *verdict)
{
	flurm_result_free(&verdict->result);
	if (verdict->has_event)
		gw_event_free(&verdict->event);
}
