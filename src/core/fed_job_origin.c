/*
 * fed_job_origin.c - what the origin says (see fed_job.h).
 *
 * An origin drops what it has to say while its connection to us is down, and
 * repeats what it could not get rid of much later. So its messages are hints:
 * the lock decides who runs the job, and after every break its JOB_SYNC says
 * what it makes of the job (fed_job_view.c). Until that list has come, nothing
 * is said to it and it is not asked for a lock.
 */
#include "src/core/fed_job_step.h"

/*
 * The same submission once more: only who else may run it can have changed.
 * But an origin that submits has taken the lock away from whoever had it.
 */
static fed_job_verdict_t _submit_again(fed_job_t *job,
				       const fed_job_event_t *event)
{
	uint32_t facts = job->facts;

	if (job->state == FED_JOB_GONE)
		return FED_JOB_IGNORED;
	job->owner = false;
	job->lock_stale = fed_job_flies(job, FED_ACT_LOCK);
	facts &= ~FED_JOB_F_ONLY_HERE;
	if (event->only_here)
		facts |= FED_JOB_F_ONLY_HERE;
	if ((job->viable == event->viable) && (job->facts == facts))
		return FED_JOB_NOTED;
	job->viable = event->viable;
	job->facts = facts;
	return FED_JOB_CHANGED;
}

/*
 * The origin takes the job back: it or another cluster runs it, or it is
 * cancelled, held, or not for us any more. That is the end of it here, without
 * a word, unless the origin may have heard from us that it runs here: then it
 * waits for an end.
 */
static fed_job_verdict_t _revoke(fed_job_t *job, const fed_job_event_t *event)
{
	switch (job->state) {
	case FED_JOB_GONE:
	case FED_JOB_WITHDRAWING:
	case FED_JOB_CANCELLING:
		return FED_JOB_IGNORED;
	case FED_JOB_RUNNING:
		if (fed_job_is(job, FED_JOB_F_START_TOLD) && !job->unsynced) {
			fed_job_to(job, FED_JOB_CANCELLING, event->now);
			return FED_JOB_CHANGED;
		}
		break;
	case FED_JOB_ENDED:
		if (fed_job_is(job, FED_JOB_F_START_TOLD) ||
		    !(job->owed & FED_JOB_ORIGIN_OWED))
			return FED_JOB_IGNORED;
		break;
	default:
		break;
	}
	job->facts |= FED_JOB_F_REVOKED;
	job->owed &= ~(FED_JOB_ORIGIN_OWED & ~FED_BIT(FED_ACT_UNLOCK) &
		       ~FED_BIT(FED_ACT_REVOKE_SIBLINGS));
	fed_job_withdraw(job, event->now);
	return FED_JOB_CHANGED;
}

static fed_job_verdict_t _signal(fed_job_t *job, const fed_job_event_t *event)
{
	if ((job->state != FED_JOB_RUNNING) && (job->state != FED_JOB_GRANTED))
		return FED_JOB_IGNORED;
	if (job->signal_count == FED_JOB_SIGNALS)
		return FED_JOB_IGNORED;
	job->signals[job->signal_count++] = (fed_job_signal_t) {
		.signal = event->signal,
		.flags = event->flags,
	};
	return FED_JOB_CHANGED;
}

/*
 * Killed, here and now. If it is to be requeued but never was heard of as
 * started, the message is a late one and meant the run before.
 */
static fed_job_verdict_t _cancel(fed_job_t *job, const fed_job_event_t *event)
{
	if (!event->kill)
		return _signal(job, event);
	if (event->requeue &&
	    !fed_job_is(job, FED_JOB_F_MAY_RUN | FED_JOB_F_START_TOLD))
		return FED_JOB_IGNORED;
	switch (job->state) {
	case FED_JOB_WITHDRAWING:
	case FED_JOB_ENDED:
	case FED_JOB_GONE:
		return FED_JOB_IGNORED;
	case FED_JOB_CANCELLING:
		if (!event->requeue || fed_job_is(job, FED_JOB_F_KILL))
			return FED_JOB_IGNORED;
		job->facts |= FED_JOB_F_KILL;
		return FED_JOB_CHANGED;
	default:
		break;
	}
	job->uid = event->uid;
	if (event->requeue)
		job->facts |= FED_JOB_F_KILL;
	if (!fed_job_is(job, FED_JOB_F_SENT)) {
		fed_job_end_as(job, FED_END_CANCELLED, 0, event->now,
			       event->now);
		fed_job_over(job, event->now);
	} else {
		fed_job_to(job, FED_JOB_CANCELLING, event->now);
	}
	return FED_JOB_CHANGED;
}

/* Answered exactly once whatever becomes of the job: the lock waits for it. */
static fed_job_verdict_t _update(fed_job_t *job, const fed_job_event_t *event)
{
	if (job->updates_owed < UINT16_MAX)
		job->updates_owed++;
	if (job->state > FED_JOB_RUNNING)
		return FED_JOB_CHANGED;
	if (event->viable) {
		job->viable = event->viable;
		job->facts &= ~FED_JOB_F_ONLY_HERE;
		if (event->only_here)
			job->facts |= FED_JOB_F_ONLY_HERE;
	}
	fed_job_changed(job);
	return FED_JOB_CHANGED;
}

static fed_job_verdict_t _lock_granted(fed_job_t *job,
				       const fed_job_event_t *event)
{
	if (job->unsynced && !event->by_siblings)
		return FED_JOB_IGNORED;
	job->inflight &= ~FED_BIT(FED_ACT_LOCK);
	job->refusals = 0;
	job->lock_wait = false;
	if (fed_job_flies(job, FED_ACT_UNLOCK) || job->lock_stale) {
		/* it may be gone by now: it has to be asked for again */
		job->lock_stale = false;
		if (!fed_job_flies(job, FED_ACT_UNLOCK))
			job->facts |= FED_JOB_F_LOCK;
		return FED_JOB_NOTED;
	}
	switch (job->state) {
	case FED_JOB_LOCKING:
		fed_job_to(job, FED_JOB_GRANTED, event->now);
		break;
	case FED_JOB_GRANTED:
	case FED_JOB_RUNNING:
	case FED_JOB_CANCELLING:
		break;
	case FED_JOB_ENDED:
		if (fed_job_owes(job, FED_ACT_COMPLETE))
			break;
		/* fall through */
	default:
		/* too late: give it back, once */
		if (fed_job_is(job, FED_JOB_F_LEFT) ||
		    fed_job_owes(job, FED_ACT_UNLOCK))
			return FED_JOB_NOTED;
		job->facts |= FED_JOB_F_LOCK;
		if (!fed_job_is(job, FED_JOB_F_MAY_RUN))
			fed_job_let_go(job);
		return FED_JOB_CHANGED;
	}
	job->owner = true;
	job->owed &= ~FED_BIT(FED_ACT_UNLOCK);
	job->facts |= FED_JOB_F_LOCK;
	if (event->by_siblings)
		job->facts |= FED_JOB_F_SIBLING_LOCK;
	else
		job->facts &= ~FED_JOB_F_SIBLING_LOCK;
	return FED_JOB_CHANGED;
}

/* Refused so often that the origin can't know this job: leave it to it. */
static void _give_up(fed_job_t *job, int64_t now)
{
	if (job->state == FED_JOB_ENDED) {
		fed_job_forget_origin(job);
	} else {
		job->code = 0;
		job->owed &= ~FED_JOB_ORIGIN_OWED;
		job->owed |= FED_BIT(FED_ACT_SUBMIT_RESP);
	}
	fed_job_withdraw(job, now);
}

/*
 * Another cluster has the lock, perhaps only for as long as it tries to
 * allocate; or an update is not answered, and if the lock was ours before it
 * is so still; or the origin knows no such job. It does not say which.
 */
static fed_job_verdict_t _lock_refused(fed_job_t *job,
				       const fed_job_event_t *event)
{
	job->inflight &= ~FED_BIT(FED_ACT_LOCK);
	job->lock_stale = false;
	job->owner = false;
	if (!event->held_back && (job->refusals < UINT16_MAX))
		job->refusals++;
	switch (job->state) {
	case FED_JOB_LOCKING:
	case FED_JOB_GRANTED:
		if (fed_job_is(job, FED_JOB_F_MAY_RUN))
			break;
		if (!event->held_back &&
		    (job->refusals >= FED_JOB_REFUSALS_MAX))
			_give_up(job, event->now);
		else
			fed_job_deny(job, event->now);
		return FED_JOB_CHANGED;
	case FED_JOB_RUNNING:
	case FED_JOB_CANCELLING:
	case FED_JOB_ENDED:
		break;
	default:
		return FED_JOB_NOTED;
	}
	/* it may run, and had the lock before a break, or should have had */
	if ((job->state != FED_JOB_CANCELLING) &&
	    ((job->refusals >= FED_JOB_REFUSALS_MAX) ||
	     fed_job_is(job, FED_JOB_F_UNASKED)))
		_give_up(job, event->now);
	else
		job->lock_wait = true;
	return FED_JOB_CHANGED;
}

/* What was said and not answered has to be said again, when it is known what
 * the origin makes of the job. */
static fed_job_verdict_t _lost(fed_job_t *job)
{
	const uint32_t to_origin = FED_BIT(FED_ACT_LOCK) |
		FED_BIT(FED_ACT_UNLOCK) | FED_BIT(FED_ACT_SUBMIT_RESP) |
		FED_BIT(FED_ACT_START) | FED_BIT(FED_ACT_REQUEUE) |
		FED_BIT(FED_ACT_COMPLETE) | FED_BIT(FED_ACT_UPDATE_RESPONSE);

	if (fed_job_flies(job, FED_ACT_LOCK))
		job->facts |= FED_JOB_F_LOCK;
	job->inflight &= ~to_origin;
	job->updates_sent = 0;
	job->unsynced = true;
	job->fresh = false;
	job->origin_down = false;
	job->owner = false;
	job->lock_wait = false;
	job->lock_stale = false;
	return FED_JOB_NOTED;
}

/* A limit ends it here. Whether it ends of itself first, FLURM says. */
static fed_job_verdict_t _run_out(fed_job_t *job, const fed_job_event_t *event)
{
	if (job->state != FED_JOB_RUNNING)
		return FED_JOB_IGNORED;
	job->facts |= FED_JOB_F_RUN_OUT;
	fed_job_to(job, FED_JOB_CANCELLING, event->now);
	return FED_JOB_CHANGED;
}

/* There is a newer epoch: all that the origin hears is taken for that one. */
static fed_job_verdict_t _superseded(fed_job_t *job,
				     const fed_job_event_t *event)
{
	if (fed_job_is(job, FED_JOB_F_SUPERSEDED))
		return FED_JOB_IGNORED;
	fed_job_forget_origin(job);
	job->facts |= FED_JOB_F_SUPERSEDED;
	fed_job_withdraw(job, event->now);
	return FED_JOB_CHANGED;
}

extern fed_job_verdict_t fed_job_hear_origin(fed_job_t *job,
					     const fed_job_event_t *event)
{
	switch (event->type) {
	case FED_EV_SUBMIT:
		return _submit_again(job, event);
	case FED_EV_REVOKE:
		return _revoke(job, event);
	case FED_EV_CANCEL:
		return _cancel(job, event);
	case FED_EV_UPDATE:
		return _update(job, event);
	case FED_EV_LOCK_GRANTED:
		return _lock_granted(job, event);
	case FED_EV_LOCK_REFUSED:
		return _lock_refused(job, event);
	case FED_EV_ORIGIN_LOST:
		return _lost(job);
	case FED_EV_ORIGIN_DOWN:
		job->origin_down = true;
		return FED_JOB_NOTED;
	case FED_EV_CHANGE:
		if (job->state > FED_JOB_RUNNING)
			return FED_JOB_IGNORED;
		fed_job_changed(job);
		return FED_JOB_CHANGED;
	case FED_EV_RUN_OUT:
		return _run_out(job, event);
	case FED_EV_SUPERSEDED:
		return _superseded(job, event);
	default:
		return FED_JOB_IGNORED;
	}
}
