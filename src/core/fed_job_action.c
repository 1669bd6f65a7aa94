/*
 * fed_job_action.c - what is to be said, and what became of it (see
 * fed_job.h).
 *
 * An action is due if the job's state or a debt asks for it, it is not on its
 * way already, and its time has come. That it was on its way is forgotten in a
 * crash; that it arrived is not.
 */
#include "src/core/fed_job_step.h"

/* RET true if the origin's lock is of use */
static bool _wants_lock(const fed_job_t *job)
{
	const uint32_t word = FED_BIT(FED_ACT_START) |
			      FED_BIT(FED_ACT_REQUEUE) |
			      FED_BIT(FED_ACT_COMPLETE);

	if (fed_job_is(job, FED_JOB_F_LEFT | FED_JOB_F_SUPERSEDED))
		return false;
	switch (job->state) {
	case FED_JOB_LOCKING:
	case FED_JOB_GRANTED:
		return true;
	case FED_JOB_RUNNING:
	case FED_JOB_CANCELLING:
	case FED_JOB_ENDED:
		return job->owed & word;
	default:
		return false;
	}
}

static uint32_t _to_origin(const fed_job_t *job)
{
	uint32_t due = 0;
	bool wants_lock = _wants_lock(job);

	if (job->unsynced)
		return (job->state == FED_JOB_LOCKING) && job->origin_down &&
		       !job->lock_wait ? FED_BIT(FED_ACT_LOCK) : 0;
	if (job->updates_owed > job->updates_sent)
		due |= FED_BIT(FED_ACT_UPDATE_RESPONSE);
	due |= job->owed & FED_BIT(FED_ACT_SUBMIT_RESP);
	if (fed_job_owes(job, FED_ACT_UNLOCK))
		return fed_job_is(job, FED_JOB_F_MAY_RUN) ?
			due : due | FED_BIT(FED_ACT_UNLOCK);
	/* that the origin believes it runs here does not make it so */
	if (wants_lock && (!job->owner || (job->state == FED_JOB_LOCKING)))
		return job->lock_wait ? due : due | FED_BIT(FED_ACT_LOCK);
	if (!job->owner)
		return due;
	/* each when what is to be heard before it is on its way at least */
	due |= job->owed & FED_BIT(FED_ACT_START);
	if ((job->state != FED_JOB_ENDED) || (due & ~job->inflight))
		return due;
	due |= job->owed & FED_BIT(FED_ACT_REQUEUE);
	if (due & ~job->inflight)
		return due;
	return due | (job->owed & FED_BIT(FED_ACT_COMPLETE));
}

/* RET true if FLURM still has an earlier epoch of this id */
static bool _older_at_flurm(const fed_job_t *job)
{
	for (const fed_job_t *older = job->older; older; older = older->older)
		if (older->state < FED_JOB_ENDED)
			return true;
	return false;
}

static uint32_t _to_flurm(const fed_job_t *job)
{
	bool updated = !fed_job_owes(job, FED_ACT_FLURM_UPDATE);
	uint32_t due = 0;

	/* one that is denied is not in the queue yet, to be changed there */
	if ((job->state > FED_JOB_DELIVERING) &&
	    (job->state <= FED_JOB_RUNNING) &&
	    (job->state != FED_JOB_DENIED) && !updated)
		due |= FED_BIT(FED_ACT_FLURM_UPDATE);
	switch (job->state) {
	case FED_JOB_DELIVERING:
		if (!_older_at_flurm(job))
			due |= FED_BIT(FED_ACT_FLURM_SUBMIT);
		break;
	case FED_JOB_DENIED:
		due |= FED_BIT(FED_ACT_FLURM_DENY);
		break;
	case FED_JOB_GRANTED:
		if (job->owner && updated &&
		    !fed_job_is(job, FED_JOB_F_GRANT_ACKED))
			due |= FED_BIT(FED_ACT_FLURM_GRANT);
		break;
	case FED_JOB_RUNNING:
		if (job->signal_count)
			due |= FED_BIT(FED_ACT_FLURM_SIGNAL);
		break;
	case FED_JOB_CANCELLING:
	case FED_JOB_WITHDRAWING:
		/* whether there is anything to end is not known before */
		if (fed_job_flies(job, FED_ACT_FLURM_SUBMIT))
			break;
		if (!fed_job_is(job, FED_JOB_F_MAY_RUN))
			due |= FED_BIT(FED_ACT_FLURM_REVOKE);
		else if (!fed_job_is(job, FED_JOB_F_CANCEL_ACKED))
			due |= FED_BIT(FED_ACT_FLURM_CANCEL);
		break;
	default:
		break;
	}
	return due;
}

extern uint32_t fed_job_action(const fed_job_t *job)
{
	const uint32_t any_time = FED_BIT(FED_ACT_REVOKE_SIBLINGS) |
				  FED_BIT(FED_ACT_ROW_START) |
				  FED_BIT(FED_ACT_ROW_END);

	return ((job->owed & any_time) | _to_origin(job) | _to_flurm(job)) &
	       ~job->inflight;
}

static fed_job_verdict_t _sent(fed_job_t *job, fed_job_action_t action)
{
	uint32_t facts = 0;

	switch (action) {
	case FED_ACT_UPDATE_RESPONSE:
		if (job->updates_sent < job->updates_owed)
			job->updates_sent++;
		return FED_JOB_NOTED;
	case FED_ACT_UNLOCK:
		job->owner = false;
		break;
	case FED_ACT_START:
		facts = FED_JOB_F_START_TOLD;
		break;
	case FED_ACT_FLURM_SUBMIT:
		facts = FED_JOB_F_SENT;
		break;
	case FED_ACT_FLURM_GRANT:
		facts = FED_JOB_F_MAY_RUN;
		break;
	default:
		break;
	}
	job->inflight |= FED_BIT(action);
	job->facts |= facts;
	return FED_JOB_NOTED;
}

static fed_job_verdict_t _unsent(fed_job_t *job, fed_job_action_t action)
{
	if (action == FED_ACT_UPDATE_RESPONSE)
		job->updates_sent = 0;
	if ((action == FED_ACT_LOCK) && fed_job_flies(job, action)) {
		job->facts |= FED_JOB_F_LOCK;
		job->lock_stale = false;
	}
	job->inflight &= ~FED_BIT(action);
	return FED_JOB_NOTED;
}

static void _signal_delivered(fed_job_t *job)
{
	for (int i = 1; i < job->signal_count; i++)
		job->signals[i - 1] = job->signals[i];
	if (job->signal_count)
		job->signal_count--;
}

/* It is gone from FLURM. If that was known already, the answer has come. */
static fed_job_verdict_t _revoked(fed_job_t *job, int64_t now)
{
	const fed_job_event_t ended = {
		.type = FED_EV_ENDED,
		.now = now,
		.end = FED_END_REVOKED,
	};
	fed_job_verdict_t verdict = fed_job_hear_flurm(job, &ended);

	return verdict == FED_JOB_IGNORED ? FED_JOB_NOTED : verdict;
}

static fed_job_verdict_t _acked(fed_job_t *job, const fed_job_event_t *event)
{
	fed_job_action_t action = event->action;

	if (action == FED_ACT_UPDATE_RESPONSE) {
		if (!job->updates_sent)
			return FED_JOB_IGNORED;
		job->updates_sent--;
		job->updates_owed--;
		return FED_JOB_CHANGED;
	}
	/* an answer from before the break, or to what is not of use now */
	if (!fed_job_flies(job, action))
		return FED_JOB_IGNORED;
	job->inflight &= ~FED_BIT(action);
	switch (action) {
	case FED_ACT_FLURM_UPDATE:
		if (fed_job_is(job, FED_JOB_F_UPDATE_AGAIN)) {
			job->facts &= ~FED_JOB_F_UPDATE_AGAIN;
			return FED_JOB_CHANGED;
		}
		break;
	case FED_ACT_FLURM_GRANT:
		job->facts |= FED_JOB_F_GRANT_ACKED;
		return FED_JOB_CHANGED;
	case FED_ACT_FLURM_DENY:
		fed_job_to(job, FED_JOB_QUEUED, event->now);
		return FED_JOB_CHANGED;
	case FED_ACT_FLURM_SIGNAL:
		_signal_delivered(job);
		return FED_JOB_CHANGED;
	case FED_ACT_FLURM_CANCEL:
		job->facts |= FED_JOB_F_CANCEL_ACKED;
		return FED_JOB_CHANGED;
	case FED_ACT_FLURM_REVOKE:
		return _revoked(job, event->now);
	case FED_ACT_COMPLETE:
		/* the origin is through with this run, and with the lock */
		job->owed &= ~(FED_BIT(FED_ACT_START) |
			       FED_BIT(FED_ACT_REQUEUE));
		job->facts &= ~FED_JOB_F_LOCK;
		job->owner = false;
		break;
	default:
		break;
	}
	if (!fed_job_owes(job, action))
		return FED_JOB_NOTED;
	job->owed &= ~FED_BIT(action);
	fed_job_settle(job, event->now);
	return FED_JOB_CHANGED;
}

/* Nobody took it for too long. Where it can't go elsewhere it may wait. */
static fed_job_verdict_t _deadline(fed_job_t *job, int64_t now)
{
	if ((job->state != FED_JOB_DELIVERING) ||
	    fed_job_is(job, FED_JOB_F_ONLY_HERE | FED_JOB_F_START_TOLD))
		return FED_JOB_IGNORED;
	job->owed |= FED_BIT(FED_ACT_SUBMIT_RESP);
	fed_job_withdraw(job, now);
	return FED_JOB_CHANGED;
}

/* The process was another one: what might have been said, was. */
static fed_job_verdict_t _replayed(fed_job_t *job)
{
	job->inflight = 0;
	job->updates_sent = 0;
	job->unsynced = true;
	job->fresh = false;
	job->origin_down = false;
	job->owner = false;
	job->lock_wait = false;
	job->lock_stale = false;
	job->changed = 0;
	if (job->state == FED_JOB_DELIVERING)
		job->facts |= FED_JOB_F_SENT;
	if (job->state == FED_JOB_GRANTED)
		job->facts |= FED_JOB_F_MAY_RUN;
	if (_wants_lock(job))
		job->facts |= FED_JOB_F_LOCK;
	if (fed_job_owes(job, FED_ACT_START))
		job->facts |= FED_JOB_F_START_TOLD;
	return FED_JOB_NOTED;
}

extern fed_job_verdict_t fed_job_hear_carrier(fed_job_t *job,
					      const fed_job_event_t *event)
{
	switch (event->type) {
	case FED_EV_SENT:
		return _sent(job, event->action);
	case FED_EV_UNSENT:
		return _unsent(job, event->action);
	case FED_EV_ACKED:
		return _acked(job, event);
	case FED_EV_LISTED:
		/* as good as a START: an origin that forgot us adopts it */
		if (fed_job_sync(job) == FED_SYNC_RUNNING)
			job->facts |= FED_JOB_F_START_TOLD;
		return FED_JOB_NOTED;
	case FED_EV_DEADLINE:
		return _deadline(job, event->now);
	case FED_EV_RETRY:
		job->lock_wait = false;
		return FED_JOB_NOTED;
	case FED_EV_REPLAYED:
		return _replayed(job);
	default:
		return FED_JOB_IGNORED;
	}
}
