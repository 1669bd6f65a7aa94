/*
 * fed_job_flurm.c - what FLURM says (see fed_job.h).
 *
 * Its events come in order, perhaps more than once, perhaps for a job that we
 * are done with. What it says when asked (FLURM_VIEW) counts only if nothing
 * was said to it and nothing heard from it since the question.
 */
#include "src/core/fed_job_step.h"

static fed_job_verdict_t _accepted(fed_job_t *job,
				   const fed_job_event_t *event)
{
	job->inflight &= ~FED_BIT(FED_ACT_FLURM_SUBMIT);
	job->flurm_id = event->flurm_id;
	if (job->state != FED_JOB_DELIVERING)
		return FED_JOB_NOTED;
	job->facts |= FED_JOB_F_SENT;
	fed_job_to(job, FED_JOB_QUEUED, event->now);
	return FED_JOB_CHANGED;
}

/* RET how it counts, if it was cancelled for us */
static fed_job_end_t _end(const fed_job_t *job, fed_job_end_t end)
{
	return ((end == FED_END_CANCELLED) &&
		fed_job_is(job, FED_JOB_F_RUN_OUT)) ? FED_END_TIMEOUT : end;
}

/* FLURM has let the job go without having run it. */
static fed_job_verdict_t _dropped(fed_job_t *job, const fed_job_event_t *event,
				  fed_job_end_t end)
{
	switch (job->state) {
	case FED_JOB_CANCELLING:
		if (!fed_job_is(job, FED_JOB_F_END_FIXED))
			fed_job_end_as(job, _end(job, FED_END_CANCELLED), 0,
				       job->start_time, event->now);
		fed_job_over(job, event->now);
		break;
	case FED_JOB_WITHDRAWING:
		fed_job_over(job, event->now);
		break;
	case FED_JOB_ENDED:
	case FED_JOB_GONE:
		return FED_JOB_IGNORED;
	case FED_JOB_RUNNING:
		/* it said before that it ran */
		fed_job_lose_run(job, false, event->now);
		break;
	default:
		fed_job_not_here(job, end, event->refuse, event->now);
		break;
	}
	return FED_JOB_CHANGED;
}

static fed_job_verdict_t _refused(fed_job_t *job, const fed_job_event_t *event)
{
	bool answer = fed_job_flies(job, FED_ACT_FLURM_SUBMIT);
	fed_job_verdict_t verdict;

	job->inflight &= ~FED_BIT(FED_ACT_FLURM_SUBMIT);
	verdict = _dropped(job, event, FED_END_FAILED);
	return (verdict == FED_JOB_IGNORED) && answer ? FED_JOB_NOTED : verdict;
}

/* What FLURM held is gone, and with it what it knows of the job. */
static fed_job_verdict_t _unknown(fed_job_t *job, const fed_job_event_t *event)
{
	switch (job->state) {
	case FED_JOB_DELIVERING:
		job->inflight &= ~FED_BIT(FED_ACT_FLURM_SUBMIT);
		job->facts &= ~FED_JOB_F_SENT;
		return FED_JOB_NOTED;
	case FED_JOB_ENDED:
	case FED_JOB_GONE:
		return FED_JOB_IGNORED;
	case FED_JOB_WITHDRAWING:
		fed_job_over(job, event->now);
		return FED_JOB_CHANGED;
	case FED_JOB_CANCELLING:
		return _dropped(job, event, FED_END_CANCELLED);
	default:
		break;
	}
	if (fed_job_is(job, FED_JOB_F_MAY_RUN)) {
		fed_job_lose_run(job, false, event->now);
		return FED_JOB_CHANGED;
	}
	/* nothing of it has run: deliver it again, in the same epoch */
	fed_job_let_go(job);
	job->facts &= ~(FED_JOB_F_SENT | FED_JOB_F_UPDATE_AGAIN);
	job->owed &= ~FED_BIT(FED_ACT_FLURM_UPDATE);
	job->inflight &= ~(FED_BIT(FED_ACT_FLURM_SUBMIT) |
			   FED_BIT(FED_ACT_FLURM_UPDATE));
	job->flurm_id = 0;
	job->attempt = 0;
	fed_job_to(job, FED_JOB_DELIVERING, event->now);
	return FED_JOB_CHANGED;
}

/*
 * It has what we took for gone. That goes first, then what is
 * owed.
 */
static fed_job_verdict_t _still_there(fed_job_t *job, int64_t now)
{
	job->facts |= FED_JOB_F_SENT;
	if (fed_job_owes(job, FED_ACT_COMPLETE)) {
		job->facts |= FED_JOB_F_END_FIXED;
		fed_job_to(job, FED_JOB_CANCELLING, now);
	} else {
		fed_job_to(job, FED_JOB_WITHDRAWING, now);
	}
	return FED_JOB_CHANGED;
}

/* The lock may be ours still, and is wanted now: do not give it back. */
static void _keep_lock(fed_job_t *job)
{
	if (!fed_job_owes(job, FED_ACT_UNLOCK) ||
	    fed_job_flies(job, FED_ACT_UNLOCK))
		return;
	job->owed &= ~FED_BIT(FED_ACT_UNLOCK);
	job->facts |= FED_JOB_F_LOCK;
}

/*
 * Each time it has resources for the job is another attempt. An answer is for
 * one attempt: if that one is past, it has no effect, and this is asked anew.
 */
static fed_job_verdict_t _start_request(fed_job_t *job,
					const fed_job_event_t *event)
{
	bool another = job->attempt != event->attempt;

	/* told already, by an answer that overtook the events */
	if (event->attempt < job->attempt)
		return FED_JOB_IGNORED;
	switch (job->state) {
	case FED_JOB_DELIVERING:
	case FED_JOB_QUEUED:
	case FED_JOB_DENIED:
		job->facts |= FED_JOB_F_SENT;
		job->attempt = event->attempt;
		_keep_lock(job);
		fed_job_to(job, FED_JOB_LOCKING, event->now);
		return FED_JOB_CHANGED;
	case FED_JOB_LOCKING:
		job->attempt = event->attempt;
		return another ? FED_JOB_CHANGED : FED_JOB_NOTED;
	case FED_JOB_GRANTED:
		/* it has not heard that it may: say it again */
		if (!another && !fed_job_is(job, FED_JOB_F_GRANT_ACKED))
			return FED_JOB_NOTED;
		job->attempt = event->attempt;
		job->facts &= ~FED_JOB_F_GRANT_ACKED;
		job->inflight &= ~FED_BIT(FED_ACT_FLURM_GRANT);
		return FED_JOB_CHANGED;
	case FED_JOB_ENDED:
	case FED_JOB_GONE:
		/* heard late, if it is known to have run and ended */
		if (fed_job_is(job, FED_JOB_F_RAN))
			return FED_JOB_IGNORED;
		return _still_there(job, event->now);
	default:
		return FED_JOB_IGNORED;
	}
}

static void _ran(fed_job_t *job, const fed_job_event_t *event)
{
	job->facts |= FED_JOB_F_SENT | FED_JOB_F_MAY_RUN;
	if (fed_job_is(job, FED_JOB_F_RAN))
		return;
	job->facts |= FED_JOB_F_RAN;
	job->start_time = event->start_time ? event->start_time : event->now;
	job->owed |= FED_BIT(FED_ACT_ROW_START);
}

static fed_job_verdict_t _started(fed_job_t *job, const fed_job_event_t *event)
{
	switch (job->state) {
	case FED_JOB_RUNNING:
		return FED_JOB_IGNORED;
	case FED_JOB_CANCELLING:
		if (fed_job_is(job, FED_JOB_F_MAY_RUN) &&
		    fed_job_is(job, FED_JOB_F_RAN))
			return FED_JOB_IGNORED;
		_ran(job, event);
		break;
	case FED_JOB_ENDED:
	case FED_JOB_GONE:
		/* heard late, if it is known to have run and ended */
		if (fed_job_is(job, FED_JOB_F_RAN))
			return FED_JOB_IGNORED;
		/* fall through */
	case FED_JOB_WITHDRAWING:
		if (fed_job_is(job, FED_JOB_F_MAY_RUN) &&
		    fed_job_is(job, FED_JOB_F_RAN))
			return FED_JOB_IGNORED;
		_ran(job, event);
		fed_job_to(job, FED_JOB_WITHDRAWING, event->now);
		return FED_JOB_CHANGED;
	default:
		if (job->state != FED_JOB_GRANTED)
			job->facts |= FED_JOB_F_UNASKED;
		_ran(job, event);
		fed_job_to(job, FED_JOB_RUNNING, event->now);
		break;
	}
	if (fed_job_is(job, FED_JOB_F_LEFT))
		return FED_JOB_CHANGED;
	if (!fed_job_is(job, FED_JOB_F_START_TOLD))
		job->owed |= FED_BIT(FED_ACT_START);
	if (fed_job_is(job, FED_JOB_F_SIBLING_LOCK))
		job->owed |= FED_BIT(FED_ACT_REVOKE_SIBLINGS);
	return FED_JOB_CHANGED;
}

/* Granted, but nothing of it ran, and FLURM has it in its queue again. */
static fed_job_verdict_t _back_in_queue(fed_job_t *job, int64_t now)
{
	job->facts &= ~FED_JOB_F_MAY_RUN;
	if (fed_job_is(job, FED_JOB_F_START_TOLD)) {
		/* the origin took it for started: it must hear that it ends */
		fed_job_lose_run(job, true, now);
		return FED_JOB_CHANGED;
	}
	if (fed_job_is(job, FED_JOB_F_LEFT)) {
		fed_job_withdraw(job, now);
		return FED_JOB_CHANGED;
	}
	fed_job_let_go(job);
	fed_job_to(job, FED_JOB_QUEUED, now);
	return FED_JOB_CHANGED;
}

static fed_job_verdict_t _start_failed(fed_job_t *job,
				       const fed_job_event_t *event)
{
	if (fed_job_is(job, FED_JOB_F_RAN) ||
	    !fed_job_is(job, FED_JOB_F_MAY_RUN) ||
	    (event->attempt < job->attempt))
		return FED_JOB_IGNORED;
	switch (job->state) {
	case FED_JOB_GRANTED:
		return _back_in_queue(job, event->now);
	case FED_JOB_CANCELLING:
	case FED_JOB_WITHDRAWING:
		job->facts &= ~FED_JOB_F_MAY_RUN;
		return FED_JOB_CHANGED;
	default:
		return FED_JOB_IGNORED;
	}
}

static fed_job_verdict_t _ended(fed_job_t *job, const fed_job_event_t *event)
{
	int64_t end_time = event->end_time ? event->end_time : event->now;
	bool told = event->start_time || (event->end == FED_END_COMPLETED);

	if (job->state >= FED_JOB_ENDED)
		return FED_JOB_IGNORED;
	/* did anything of it run? */
	if ((event->end == FED_END_REVOKED) ||
	    (!told && !fed_job_is(job, FED_JOB_F_RAN)))
		return _dropped(job, event, event->end == FED_END_REVOKED ?
				FED_END_CANCELLED : event->end);
	if (!fed_job_is(job, FED_JOB_F_RAN))
		_ran(job, event);
	if (job->state == FED_JOB_WITHDRAWING) {
		job->end = _end(job, event->end);
		job->status = event->status;
		job->end_time = end_time;
		job->owed |= FED_BIT(FED_ACT_ROW_END);
	} else if (!fed_job_is(job, FED_JOB_F_END_FIXED)) {
		fed_job_end_as(job, _end(job, event->end), event->status,
			       job->start_time, end_time);
		if (event->run_again && !fed_job_is(job, FED_JOB_F_LEFT) &&
		    (job->state != FED_JOB_CANCELLING))
			job->owed |= FED_BIT(FED_ACT_REQUEUE);
	}
	fed_job_over(job, event->now);
	return FED_JOB_CHANGED;
}

/*
 * It has resources for a job that is not to start as it is. Only one that waits
 * can be changed: back into the queue with it, and changed there.
 */
static fed_job_verdict_t _change_first(fed_job_t *job,
				       const fed_job_event_t *event)
{
	if (event->attempt < job->attempt)
		return FED_JOB_IGNORED;
	job->facts |= FED_JOB_F_SENT;
	if (job->attempt != event->attempt)
		job->inflight &= ~FED_BIT(FED_ACT_FLURM_DENY);
	job->attempt = event->attempt;
	/* it was refused, or it is repeated */
	job->inflight &= ~FED_BIT(FED_ACT_FLURM_UPDATE);
	fed_job_deny(job, event->now);
	return FED_JOB_CHANGED;
}

/* What it says when asked about a job that it has and has not run. */
static fed_job_verdict_t _view_waiting(fed_job_t *job,
				       const fed_job_event_t *event)
{
	bool starting = event->flurm == FED_FLURM_STARTING;

	if (starting && fed_job_waits(job) &&
	    fed_job_owes(job, FED_ACT_FLURM_UPDATE))
		return _change_first(job, event);
	switch (job->state) {
	case FED_JOB_DELIVERING:
	case FED_JOB_QUEUED:
		if (starting)
			return _start_request(job, event);
		return _accepted(job, event);
	case FED_JOB_LOCKING:
	case FED_JOB_DENIED:
		if (starting)
			return _start_request(job, event);
		fed_job_let_go(job);
		fed_job_to(job, FED_JOB_QUEUED, event->now);
		return FED_JOB_CHANGED;
	case FED_JOB_GRANTED:
		if (starting)
			return _start_request(job, event);
		return _back_in_queue(job, event->now);
	case FED_JOB_RUNNING:
		/* a run in this epoch is enough */
		job->facts &= ~FED_JOB_F_MAY_RUN;
		fed_job_lose_run(job, true, event->now);
		return FED_JOB_CHANGED;
	case FED_JOB_CANCELLING:
	case FED_JOB_WITHDRAWING:
		job->facts &= ~(FED_JOB_F_MAY_RUN | FED_JOB_F_CANCEL_ACKED);
		return FED_JOB_CHANGED;
	case FED_JOB_ENDED:
	case FED_JOB_GONE:
		return _still_there(job, event->now);
	default:
		return FED_JOB_IGNORED;
	}
}

static fed_job_verdict_t _view_running(fed_job_t *job,
				       const fed_job_event_t *event)
{
	switch (job->state) {
	case FED_JOB_CANCELLING:
	case FED_JOB_WITHDRAWING:
		job->facts &= ~FED_JOB_F_CANCEL_ACKED;
		_ran(job, event);
		return FED_JOB_CHANGED;
	case FED_JOB_ENDED:
	case FED_JOB_GONE:
		_ran(job, event);
		return _still_there(job, event->now);
	default:
		return _started(job, event);
	}
}

static fed_job_verdict_t _view(fed_job_t *job, const fed_job_event_t *event)
{
	if (event->asked < job->changed)
		return FED_JOB_IGNORED;
	switch (event->flurm) {
	case FED_FLURM_PENDING:
	case FED_FLURM_STARTING:
		return _view_waiting(job, event);
	case FED_FLURM_RUNNING:
		return _view_running(job, event);
	case FED_FLURM_OVER:
		return _ended(job, event);
	}
	return FED_JOB_IGNORED;
}

extern fed_job_verdict_t fed_job_hear_flurm(fed_job_t *job,
					    const fed_job_event_t *event)
{
	switch (event->type) {
	case FED_EV_ACCEPTED:
		return _accepted(job, event);
	case FED_EV_REFUSED:
		return _refused(job, event);
	case FED_EV_START_REQUEST:
		return _start_request(job, event);
	case FED_EV_STARTED:
		return _started(job, event);
	case FED_EV_START_FAILED:
		return _start_failed(job, event);
	case FED_EV_ENDED:
		return _ended(job, event);
	case FED_EV_UNKNOWN:
		return _unknown(job, event);
	case FED_EV_FLURM_VIEW:
		return _view(job, event);
	default:
		return FED_JOB_IGNORED;
	}
}
