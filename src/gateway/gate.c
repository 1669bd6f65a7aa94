/*
 * gate.c - the life of a job (see gate.h).
 *
 * The judge has one function for each op. Each looks at where the job is, and
 * either finds that it is so already (the same answer, no event), or names the
 * event that makes it so, or refuses with 409 and the state. That is what makes
 * a request that is repeated, for whatever reason, harmless.
 */
#include "src/gateway/gate.h"

#include <signal.h>
#include <stdlib.h>
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

static void _judge_signal(const gw_job_t *job, gw_verdict_t *verdict)
{
	if ((job->state != FLURM_RUNNING) && (job->state != FLURM_SUSPENDED)) {
		_conflict(job, &verdict->result, NULL, "gets no signal");
		return;
	}
	_ok(job, verdict);
	verdict->deliver_signal = true;
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

static void _judge_start(const gw_job_t *job, const flurm_op_t *op,
			 int64_t now_ms, gw_verdict_t *verdict)
{
	if (op->grant && job->granted)
		_ok(job, verdict);
	else if (op->grant && _asks(job))
		_event(job, GW_EV_GRANTED, verdict);
	else if (op->grant)
		_conflict(job, &verdict->result, NULL, "does not ask to start");
	else if (_asks(job))
		_event(job, GW_EV_WAIT, verdict)->until_ms = now_ms +
			flurm_or(op->retry_after, 0) * 1000;
	else if ((job->state == FLURM_PENDING) || (job->state == FLURM_HELD))
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
		_judge_signal(job, ret_verdict);
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

static void _keep(char **text, const char *value)
{
	free(*text);
	*text = fed_strdup(value);
}

/* It waits again, from the beginning. */
static void _wait_again(gw_job_t *job, int64_t until_ms, bool hold)
{
	job->state = hold ? FLURM_HELD : FLURM_PENDING;
	job->granted = job->cancel = job->requeue = job->suspend = false;
	job->first_asked_ms = job->asked_ms = 0;
	job->start_time = 0;
	if (until_ms > job->not_before_ms)
		job->not_before_ms = until_ms;
	_keep(&job->nodes, NULL);
}

static void _submitted(gw_job_t *job, const gw_event_t *event)
{
	job->fed_job_id = event->fed_job_id;
	job->epoch = event->epoch;
	job->job_id = event->job_id;
	job->state = event->hold ? FLURM_HELD : FLURM_PENDING;
	job->submit_time = event->time_ms / 1000;
	job->exit_code = job->signal = FLURM_UNSET;
	job->usage = event->usage;
	_keep(&job->brief, event->brief);
	_keep(&job->body, event->body);
}

static void _asked(gw_job_t *job, const gw_event_t *event)
{
	job->state = FLURM_STARTING;
	job->granted = (event->type == GW_EV_TAKEN);
	if (!job->first_asked_ms)
		job->first_asked_ms = event->time_ms;
	job->asked_ms = event->time_ms;
	job->asked_seq = event->seq;
	_keep(&job->reason, NULL);
	if (!event->node_count)
		return;
	_keep(&job->nodes, event->nodes);
	free(job->alloc);
	job->alloc = fed_memdup(event->node_list, event->node_count *
				sizeof(*job->alloc));
	job->alloc_count = event->node_count;
}

static void _resumed(gw_job_t *job, int64_t now)
{
	if (job->suspend)
		job->suspended_for += now - job->suspended_at;
	job->suspend = false;
}

static void _ended(gw_job_t *job, const gw_event_t *event)
{
	_resumed(job, event->time_ms / 1000);
	job->state = event->state;
	job->start_time = event->start_time;
	job->end_time = event->end_time ? event->end_time :
		event->time_ms / 1000;
	job->exit_code = event->exit_code;
	job->signal = event->signal;
	job->usage = event->usage;
	job->ended_seq = event->seq;
	_keep(&job->reason, event->reason);
	_keep(&job->body, NULL);
}

static void _requeued(gw_job_t *job, const gw_event_t *event)
{
	bool hold = event->hold;

	_wait_again(job, 0, hold);
	job->epoch = event->epoch + 1;
	job->restarts++;
	job->attempts = 0;
	job->end_time = 0;
	job->suspended_for = 0;
	job->exit_code = job->signal = FLURM_UNSET;
	_keep(&job->reason, event->reason);
}

extern void gw_gate_update(gw_job_t *job, const gw_event_t *event)
{
	switch (event->type) {
	case GW_EV_SUBMITTED:
		_submitted(job, event);
		break;
	case GW_EV_ASKED:
	case GW_EV_ASKED_AGAIN:
	case GW_EV_TAKEN:
		_asked(job, event);
		break;
	case GW_EV_GRANTED:
		job->granted = true;
		break;
	case GW_EV_WAIT:
	case GW_EV_GAVE_BACK:
		_wait_again(job, event->until_ms, false);
		_keep(&job->reason, event->reason);
		break;
	case GW_EV_STARTED:
		job->state = (job->cancel || job->requeue) ?
			FLURM_COMPLETING : FLURM_RUNNING;
		job->start_time = event->start_time;
		job->attempts = 0;
		break;
	case GW_EV_START_FAILED:
		job->attempts++;
		_wait_again(job, event->until_ms, event->hold);
		_keep(&job->reason, event->reason);
		break;
	case GW_EV_CANCEL:
		_resumed(job, event->time_ms / 1000);
		job->cancel = true;
		job->requeue = false;
		job->cancel_signal = event->signal;
		if (job->start_time)
			job->state = FLURM_COMPLETING;
		break;
	case GW_EV_REQUEUE:
		_resumed(job, event->time_ms / 1000);
		job->requeue = true;
		job->requeue_hold = event->hold;
		if (job->start_time)
			job->state = FLURM_COMPLETING;
		break;
	case GW_EV_ENDED:
		_ended(job, event);
		break;
	case GW_EV_HELD:
		_wait_again(job, 0, true);
		_keep(&job->reason, event->reason);
		break;
	case GW_EV_RELEASED:
		job->state = FLURM_PENDING;
		job->attempts = 0;
		_keep(&job->reason, NULL);
		break;
	case GW_EV_UPDATED:
		_keep(&job->brief, event->brief);
		_keep(&job->body, event->body);
		break;
	case GW_EV_REQUEUED:
		_requeued(job, event);
		break;
	case GW_EV_SUSPENDED:
		job->state = FLURM_SUSPENDED;
		job->suspend = true;
		job->suspended_at = event->time_ms / 1000;
		break;
	case GW_EV_RESUMED:
		job->state = FLURM_RUNNING;
		_resumed(job, event->time_ms / 1000);
		break;
	case GW_EV_FORGOTTEN:
	case GW_EV_CLUSTER:
	case GW_EV_INSTANCE:
		break;
	}
}

/* RET when it may be queued, Unix milliseconds */
static int64_t _eligible_ms(const gw_job_t *job)
{
	int64_t begin_ms = job->begin_time * 1000;

	return begin_ms > job->not_before_ms ? begin_ms : job->not_before_ms;
}

extern gw_wants_t gw_gate_wants(const gw_job_t *job, int64_t now_ms)
{
	bool out = _is_out(job);

	return (gw_wants_t) {
		.queued = (job->state == FLURM_PENDING) && !job->dependent &&
			(now_ms >= _eligible_ms(job)),
		.resources = out || _asks(job),
		.run = out,
		.cancel = out && (job->cancel || job->requeue),
		.suspend = out && job->suspend,
	};
}

static bool _waits(const gw_job_t *job)
{
	return !_is_over(job) && !job->granted;
}

extern bool gw_gate_tick(const gw_job_t *job, const gw_gate_times_t *times,
			 int64_t now_ms, uint64_t heard_seq,
			 gw_event_t *ret_event)
{
	if (_waits(job) && job->deadline &&
	    (now_ms >= job->deadline * 1000)) {
		gw_event_init(ret_event, GW_EV_ENDED);
		ret_event->state = FLURM_CANCELLED;
		ret_event->reason = fed_strdup("its deadline has passed");
		return true;
	}
	if (!_asks(job))
		return false;
	if (now_ms >= job->first_asked_ms + times->patience_ms) {
		gw_event_init(ret_event, GW_EV_GAVE_BACK);
		ret_event->until_ms = now_ms + times->retry_ms;
		ret_event->reason = fed_strdup("nobody answered its request "
					       "to start");
		return true;
	}
	/* who has not heard the first request need not get a second */
	if ((now_ms >= job->asked_ms + times->ask_again_ms) &&
	    (job->asked_seq <= heard_seq)) {
		gw_event_init(ret_event, GW_EV_ASKED_AGAIN);
		return true;
	}
	return false;
}

static int64_t _earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

extern int64_t gw_gate_wake(const gw_job_t *job, const gw_gate_times_t *times,
			    int64_t now_ms)
{
	int64_t wake = GW_NEVER, again;

	if (!_waits(job))
		return GW_NEVER;
	if (job->deadline)
		wake = job->deadline * 1000;
	if ((job->state == FLURM_PENDING) && (_eligible_ms(job) > now_ms))
		wake = _earlier(wake, _eligible_ms(job));
	if (_asks(job)) {
		wake = _earlier(wake, job->first_asked_ms +
				times->patience_ms);
		again = job->asked_ms + times->ask_again_ms;
		/* one that was not heard is looked at as often */
		while (again <= now_ms)
			again += times->ask_again_ms;
		wake = _earlier(wake, again);
	}
	return wake;
}
