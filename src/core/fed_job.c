/*
 * fed_job.c - one epoch of one federated job (see fed_job.h): how it begins,
 * and the steps that events of all sources share.
 *
 * Invariants of a sibling's epoch, which the tests hold it to:
 * - FLURM is told to start it only while the origin is known to have given us
 *   its lock, and never after it may have run.
 * - START and COMPLETE are said only to an origin that is known to have us as
 *   holder of the lock: a COMPLETE from anyone else ends its job.
 * - COMPLETE is said only when it is over at FLURM, and "completed" only when
 *   FLURM said so.
 * - The lock is given back only when nothing can run here.
 * - What FLURM can't tell us of is unknown, and fails with its node.
 *
 * The number of restarts tells runs apart, for the origin's messages carry no
 * epoch: every way in which an origin runs a job again counts it up. So a
 * submission with no more restarts than that of a run that was here is a late
 * repetition of it, even if nobody remembers why it is late.
 */
#include "src/core/fed_job_step.h"

extern bool fed_job_is_new(const fed_job_t *job, const fed_job_event_t *event)
{
	if (!job || (event->restarts > job->restarts))
		return true;
	if (fed_job_is(job, FED_JOB_F_ORIGIN_FORGOT))
		/* then only a lock it does not give is in the way of a late
		 * repetition; but it may count from the beginning */
		return true;
	if (fed_job_is(job, FED_JOB_F_ORIGIN_OVER))
		return false;
	if (fed_job_is(job, FED_JOB_F_RAN | FED_JOB_F_MAY_RUN))
		return fed_job_is(job, FED_JOB_F_REVOKED);
	switch (job->state) {
	case FED_JOB_WITHDRAWING:
	case FED_JOB_ENDED:
	case FED_JOB_GONE:
		return true;
	case FED_JOB_CANCELLING:
		return false;
	default:
		return !event->same;
	}
}

extern uint32_t fed_job_next_epoch(const fed_job_t *job, int64_t now)
{
	uint32_t epoch = job ? job->epoch + 1 : 1;

	return (now > epoch) && (now < UINT32_MAX) ? (uint32_t) now : epoch;
}

extern void fed_job_begin(fed_job_t *job, const fed_job_event_t *event)
{
	job->received = event->now;
	job->since = event->now;
	job->viable = event->viable;
	job->restarts = event->restarts;
	job->unsynced = event->unsynced;
	job->fresh = event->unsynced;
	if (event->only_here)
		job->facts |= FED_JOB_F_ONLY_HERE;
	job->state = FED_JOB_DELIVERING;
	if (event->refuse)
		fed_job_not_here(job, FED_END_FAILED, event->refuse,
				 event->now);
}

extern void fed_job_adopt(fed_job_t *job, int64_t now, bool unsynced)
{
	job->received = now;
	job->since = now;
	job->state = FED_JOB_QUEUED;
	job->facts = FED_JOB_F_SENT;
	job->unsynced = unsynced;
}

/*
 * An answer to what was right in the old state says nothing in the new one; if
 * it is right again it is said again. But whether FLURM has the job at all, it
 * is still to say.
 */
extern void fed_job_to(fed_job_t *job, fed_job_state_t state, int64_t now)
{
	const uint32_t of_state = FED_BIT(FED_ACT_FLURM_GRANT) |
				  FED_BIT(FED_ACT_FLURM_DENY) |
				  FED_BIT(FED_ACT_FLURM_REVOKE) |
				  FED_BIT(FED_ACT_FLURM_CANCEL);

	if (job->state == state)
		return;
	job->state = state;
	job->since = now;
	job->inflight &= ~of_state;
	if (state < FED_JOB_RUNNING)
		job->facts &= ~FED_JOB_F_GRANT_ACKED;
	if ((state == FED_JOB_CANCELLING) || (state == FED_JOB_WITHDRAWING))
		job->facts &= ~FED_JOB_F_CANCEL_ACKED;
}

extern bool fed_job_may_have_lock(const fed_job_t *job)
{
	return fed_job_is(job, FED_JOB_F_LOCK) ||
	       fed_job_flies(job, FED_ACT_LOCK) ||
	       fed_job_owes(job, FED_ACT_UNLOCK);
}

/*
 * A submission comes when the origin has heard of our end. If we have told it
 * of a start but not of an end, both may have crossed: then it takes the new
 * run for started here.
 */
extern void fed_job_replace(fed_job_t *job, const fed_job_t *old,
			    const fed_job_event_t *event)
{
	if (fed_job_is(old, FED_JOB_F_START_TOLD) &&
	    ((old->state == FED_JOB_RUNNING) ||
	     (old->state == FED_JOB_CANCELLING) ||
	     (fed_job_owes(old, FED_ACT_COMPLETE) &&
	      !fed_job_flies(old, FED_ACT_COMPLETE))))
		job->facts |= FED_JOB_F_START_TOLD | FED_JOB_F_LOCK;
	else if (fed_job_may_have_lock(old))
		job->owed |= FED_BIT(FED_ACT_UNLOCK);
	fed_job_begin(job, event);
}

extern void fed_job_let_go(fed_job_t *job)
{
	job->owner = false;
	if (!fed_job_may_have_lock(job))
		return;
	/* an origin that believes it runs here would never let it run then */
	if (fed_job_is(job, FED_JOB_F_START_TOLD) &&
	    !fed_job_is(job, FED_JOB_F_REVOKED) &&
	    (job->state < FED_JOB_RUNNING))
		return;
	job->facts &= ~(FED_JOB_F_LOCK | FED_JOB_F_SIBLING_LOCK);
	job->owed |= FED_BIT(FED_ACT_UNLOCK);
}

extern void fed_job_deny(fed_job_t *job, int64_t now)
{
	fed_job_let_go(job);
	fed_job_to(job, FED_JOB_DENIED, now);
}

extern void fed_job_forget_origin(fed_job_t *job)
{
	job->owner = false;
	job->facts &= ~(FED_JOB_F_LOCK | FED_JOB_F_SIBLING_LOCK);
	job->owed &= ~FED_JOB_ORIGIN_OWED;
	job->inflight &= ~(FED_JOB_ORIGIN_OWED | FED_BIT(FED_ACT_LOCK));
}

extern void fed_job_settle(fed_job_t *job, int64_t now)
{
	if ((job->state == FED_JOB_ENDED) && !job->owed)
		fed_job_to(job, FED_JOB_GONE, now);
}

extern void fed_job_changed(fed_job_t *job)
{
	if (fed_job_flies(job, FED_ACT_FLURM_UPDATE))
		job->facts |= FED_JOB_F_UPDATE_AGAIN;
	/* what FLURM was not sent yet it gets as it is by then */
	if (fed_job_is(job, FED_JOB_F_SENT))
		job->owed |= FED_BIT(FED_ACT_FLURM_UPDATE);
}

extern void fed_job_over(fed_job_t *job, int64_t now)
{
	job->facts &= ~(FED_JOB_F_SENT | FED_JOB_F_MAY_RUN |
			FED_JOB_F_GRANT_ACKED | FED_JOB_F_CANCEL_ACKED |
			FED_JOB_F_UPDATE_AGAIN);
	job->owed &= ~FED_BIT(FED_ACT_FLURM_UPDATE);
	job->inflight &= ~(FED_BIT(FED_ACT_FLURM_SUBMIT) |
			   FED_BIT(FED_ACT_FLURM_UPDATE) |
			   FED_BIT(FED_ACT_FLURM_SIGNAL));
	job->signal_count = 0;
	if (fed_job_is(job, FED_JOB_F_RAN) && !job->end_time) {
		job->end_time = now;
		if (!job->end)
			job->end = FED_END_CANCELLED;
		job->owed |= FED_BIT(FED_ACT_ROW_END);
	}
	if (!fed_job_owes(job, FED_ACT_COMPLETE))
		fed_job_let_go(job);
	fed_job_to(job, FED_JOB_ENDED, now);
	fed_job_settle(job, now);
}

extern void fed_job_withdraw(fed_job_t *job, int64_t now)
{
	if (job->state >= FED_JOB_ENDED) {
		if (!fed_job_owes(job, FED_ACT_COMPLETE))
			fed_job_let_go(job);
		fed_job_settle(job, now);
		return;
	}
	if (!fed_job_is(job, FED_JOB_F_SENT)) {
		fed_job_over(job, now);
		return;
	}
	if (!fed_job_is(job, FED_JOB_F_MAY_RUN))
		fed_job_let_go(job);
	fed_job_to(job, FED_JOB_WITHDRAWING, now);
}

extern void fed_job_end_as(fed_job_t *job, fed_job_end_t end, uint32_t status,
			   int64_t start_time, int64_t end_time)
{
	if (!fed_job_is(job, FED_JOB_F_RAN)) {
		job->facts |= FED_JOB_F_RAN;
		job->start_time = start_time ? start_time : end_time;
		job->owed |= FED_BIT(FED_ACT_ROW_START);
	}
	job->end = end;
	job->status = status;
	job->end_time = end_time < job->start_time ? job->start_time : end_time;
	job->owed |= FED_BIT(FED_ACT_ROW_END);
	if (fed_job_is(job, FED_JOB_F_LEFT))
		return;
	if (!fed_job_is(job, FED_JOB_F_START_TOLD))
		job->owed |= FED_BIT(FED_ACT_START);
	job->owed |= FED_BIT(FED_ACT_COMPLETE);
}

extern void fed_job_not_here(fed_job_t *job, fed_job_end_t end, uint32_t code,
			     int64_t now)
{
	job->code = code;
	if (fed_job_is(job, FED_JOB_F_START_TOLD) &&
	    !fed_job_is(job, FED_JOB_F_ONLY_HERE))
		job->owed |= FED_BIT(FED_ACT_REQUEUE);
	if (fed_job_is(job, FED_JOB_F_ONLY_HERE | FED_JOB_F_START_TOLD))
		/* as a script that exits with 1: the user sees an end */
		fed_job_end_as(job, end, end == FED_END_FAILED ? 1 << 8 : 0,
			       now, now);
	else if (!fed_job_is(job, FED_JOB_F_LEFT))
		job->owed |= FED_BIT(FED_ACT_SUBMIT_RESP);
	fed_job_over(job, now);
}

extern void fed_job_lose_run(fed_job_t *job, bool at_flurm, int64_t now)
{
	fed_job_end_as(job, FED_END_NODE_FAIL, 0, job->start_time, now);
	if (!fed_job_is(job, FED_JOB_F_LEFT))
		job->owed |= FED_BIT(FED_ACT_REQUEUE);
	if (at_flurm) {
		job->facts |= FED_JOB_F_END_FIXED;
		fed_job_to(job, FED_JOB_CANCELLING, now);
	} else {
		fed_job_over(job, now);
	}
}

extern fed_job_verdict_t fed_job_update(fed_job_t *job,
					const fed_job_event_t *event)
{
	switch (event->type) {
	case FED_EV_SUBMIT:
	case FED_EV_REVOKE:
	case FED_EV_CANCEL:
	case FED_EV_UPDATE:
	case FED_EV_LOCK_GRANTED:
	case FED_EV_LOCK_REFUSED:
	case FED_EV_ORIGIN_LOST:
	case FED_EV_ORIGIN_DOWN:
	case FED_EV_CHANGE:
	case FED_EV_RUN_OUT:
	case FED_EV_SUPERSEDED:
		return fed_job_hear_origin(job, event);
	case FED_EV_ORIGIN_VIEW:
		return fed_job_hear_view(job, event);
	case FED_EV_ACCEPTED:
	case FED_EV_REFUSED:
	case FED_EV_START_REQUEST:
	case FED_EV_STARTED:
	case FED_EV_START_FAILED:
	case FED_EV_ENDED:
	case FED_EV_UNKNOWN:
	case FED_EV_FLURM_VIEW:
		return fed_job_hear_flurm(job, event);
	case FED_EV_SENT:
	case FED_EV_ACKED:
	case FED_EV_UNSENT:
	case FED_EV_LISTED:
	case FED_EV_DEADLINE:
	case FED_EV_RETRY:
	case FED_EV_REPLAYED:
		return fed_job_hear_carrier(job, event);
	case FED_EVENTS:
		break;
	}
	return FED_JOB_IGNORED;
}

extern bool fed_job_is_over(const fed_job_t *job)
{
	return (job->state == FED_JOB_GONE) && !job->owed &&
	       !job->updates_owed;
}

/*
 * While it may be running here it is listed as running, so that an origin that
 * lost its memory takes our word for it before it schedules anything. The same
 * goes for a run that has ended and of which the origin was not told: listed
 * as finished it would be taken for cancelled; but not while an UNLOCK goes
 * first, which would take the lock from what the origin then believes to run
 * here. All else is listed as pending, which changes nothing there.
 */
extern fed_job_sync_t fed_job_sync(const fed_job_t *job)
{
	if (fed_job_is(job, FED_JOB_F_LEFT | FED_JOB_F_SUPERSEDED))
		return FED_SYNC_OMIT;
	switch (job->state) {
	case FED_JOB_GONE:
		return FED_SYNC_OMIT;
	case FED_JOB_ENDED:
		if (!(job->owed & FED_JOB_ORIGIN_OWED))
			return FED_SYNC_OMIT;
		return fed_job_owes(job, FED_ACT_COMPLETE) &&
		       fed_job_is(job, FED_JOB_F_LOCK) &&
		       !fed_job_owes(job, FED_ACT_UNLOCK) ?
			FED_SYNC_RUNNING : FED_SYNC_PENDING;
	case FED_JOB_WITHDRAWING:
		return FED_SYNC_PENDING;
	default:
		return fed_job_is(job, FED_JOB_F_MAY_RUN) ?
			FED_SYNC_RUNNING : FED_SYNC_PENDING;
	}
}
