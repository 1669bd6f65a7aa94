/*
 * fed_job_view.c - what the origin's JOB_SYNC says of a job (see fed_job.h).
 *
 * It comes once after every connect and ends the time in which nothing may be
 * said to the origin. It is the only way to learn of a revoke that was dropped
 * with the connection, of a message that arrived but was not acknowledged, and
 * of an origin that lost a part of its memory. If it counts more restarts than
 * this run has, it is on to another one, and whatever we might still say of
 * this run would be taken for that one.
 *
 * A job that came on this very connection before the list may be younger than
 * the list: that it is not there means nothing.
 */
#include "src/core/fed_job_step.h"

/*
 * The origin has no use for this run: it is over there, or another's.
 *
 * If it is on to a next run that waits, a lock that was asked for this one may
 * have been given for that one, and the submission, which would take it back,
 * may be lost: then nobody else would ever get it.
 */
static fed_job_verdict_t _not_wanted(fed_job_t *job,
				     const fed_job_event_t *event)
{
	bool keeps_lock = fed_job_may_have_lock(job) &&
			  ((event->view == FED_VIEW_PENDING) ||
			   (event->view == FED_VIEW_WITHDRAWN));

	if (event->view == FED_VIEW_FINISHED)
		job->facts |= FED_JOB_F_ORIGIN_OVER;
	if (event->view == FED_VIEW_ABSENT)
		job->facts |= FED_JOB_F_ORIGIN_FORGOT;
	fed_job_forget_origin(job);
	if (keeps_lock)
		job->owed |= FED_BIT(FED_ACT_UNLOCK);
	job->facts |= FED_JOB_F_REVOKED;
	fed_job_withdraw(job, event->now);
	return FED_JOB_CHANGED;
}

/* The origin waits as if nothing ran here. */
static fed_job_verdict_t _pending(fed_job_t *job, const fed_job_event_t *event)
{
	if (!fed_job_is(job, FED_JOB_F_RAN) ||
	    fed_job_is(job, FED_JOB_F_REVOKED))
		return FED_JOB_NOTED;
	/* it ran, and the origin never heard of it or has forgotten */
	switch (job->state) {
	case FED_JOB_GONE:
		job->owed |= FED_BIT(FED_ACT_COMPLETE);
		fed_job_to(job, FED_JOB_ENDED, event->now);
		break;
	case FED_JOB_ENDED:
		if (!fed_job_owes(job, FED_ACT_COMPLETE))
			return FED_JOB_NOTED;
		break;
	case FED_JOB_CANCELLING:
		if (fed_job_is(job, FED_JOB_F_END_FIXED))
			job->owed |= FED_BIT(FED_ACT_COMPLETE);
		break;
	case FED_JOB_RUNNING:
		break;
	default:
		return FED_JOB_NOTED;
	}
	job->facts &= ~FED_JOB_F_START_TOLD;
	job->owed |= FED_BIT(FED_ACT_START);
	return FED_JOB_CHANGED;
}

/* The origin waits for our word that this run has ended. */
static fed_job_verdict_t _runs_here(fed_job_t *job,
				    const fed_job_event_t *event)
{
	job->owner = true;
	job->facts |= FED_JOB_F_LOCK | FED_JOB_F_START_TOLD;
	job->owed &= ~(FED_BIT(FED_ACT_START) | FED_BIT(FED_ACT_UNLOCK));
	switch (job->state) {
	case FED_JOB_GRANTED:
	case FED_JOB_RUNNING:
	case FED_JOB_CANCELLING:
		break;
	case FED_JOB_WITHDRAWING:
		job->facts &= ~FED_JOB_F_REVOKED;
		fed_job_to(job, FED_JOB_CANCELLING, event->now);
		break;
	case FED_JOB_ENDED:
	case FED_JOB_GONE:
		job->owed &= ~FED_BIT(FED_ACT_SUBMIT_RESP);
		if (fed_job_owes(job, FED_ACT_COMPLETE))
			break;
		if (fed_job_is(job, FED_JOB_F_RAN))
			job->owed |= FED_BIT(FED_ACT_COMPLETE);
		else
			fed_job_end_as(job, FED_END_CANCELLED, 0, event->now,
				       event->now);
		fed_job_to(job, FED_JOB_ENDED, event->now);
		break;
	default:
		/* it is not so, but it will be when it starts */
		if (event->view != FED_VIEW_REQUEUING)
			break;
		job->facts |= FED_JOB_F_KILL;
		if (!fed_job_is(job, FED_JOB_F_SENT)) {
			fed_job_end_as(job, FED_END_CANCELLED, 0, event->now,
				       event->now);
			fed_job_over(job, event->now);
		} else {
			fed_job_to(job, FED_JOB_CANCELLING, event->now);
		}
		break;
	}
	return FED_JOB_CHANGED;
}

/* We share no federation any more: what runs goes on, nobody is told. */
static fed_job_verdict_t _left(fed_job_t *job, const fed_job_event_t *event)
{
	fed_job_forget_origin(job);
	job->facts &= ~FED_JOB_F_START_TOLD;
	job->facts |= FED_JOB_F_LEFT;
	job->updates_owed = 0;
	if (fed_job_waits(job) || (job->state == FED_JOB_ENDED))
		fed_job_withdraw(job, event->now);
	return FED_JOB_CHANGED;
}

/*
 * Our own list, which comes next, has it as pending for as long as it is not
 * quite gone, and the origin then counts us among those that may start it.
 * RET true if we have to tell it later that we do not
 */
static bool _leaves_mark(const fed_job_t *job, const fed_job_event_t *event)
{
	if ((event->view != FED_VIEW_UNHEARD) &&
	    (event->view != FED_VIEW_PENDING) &&
	    (event->view != FED_VIEW_WITHDRAWN))
		return false;
	if (fed_job_owes(job, FED_ACT_COMPLETE))
		return false;
	return (job->state == FED_JOB_WITHDRAWING) ||
	       ((job->state == FED_JOB_ENDED) &&
		fed_job_owes(job, FED_ACT_UNLOCK));
}

/*
 * RET true if the list is older than the submission, though it came later: it
 * counts fewer restarts, or as many and has the submission yet to come
 */
static bool _is_older(const fed_job_t *job, const fed_job_event_t *event)
{
	switch (event->view) {
	case FED_VIEW_LEFT:
		return false;
	case FED_VIEW_REQUEUING:
		return event->restarts <= job->restarts;
	default:
		return event->restarts < job->restarts;
	}
}

extern fed_job_verdict_t fed_job_hear_view(fed_job_t *job,
					   const fed_job_event_t *event)
{
	const fed_job_event_t revoked = {
		.type = FED_EV_REVOKE,
		.now = event->now,
	};
	bool fresh = job->fresh;
	fed_job_verdict_t verdict = FED_JOB_NOTED;

	job->unsynced = false;
	job->fresh = false;
	job->origin_down = false;
	job->lock_wait = false;
	job->owner = false;
	if (fed_job_is(job, FED_JOB_F_SUPERSEDED | FED_JOB_F_LEFT))
		return verdict;
	if (fresh && _is_older(job, event))
		return verdict;
	switch (event->view) {
	case FED_VIEW_UNHEARD:
		break;
	case FED_VIEW_ABSENT:
		if (fresh)
			return verdict;
		/* fall through */
	case FED_VIEW_FINISHED:
	case FED_VIEW_ELSEWHERE:
		verdict = _not_wanted(job, event);
		break;
	case FED_VIEW_WITHDRAWN:
		if (fresh)
			return verdict;
		if (!fed_job_is(job, FED_JOB_F_RAN)) {
			verdict = fed_job_hear_origin(job, &revoked);
			break;
		}
		/* fall through */
	case FED_VIEW_PENDING:
		if (event->restarts > job->restarts)
			verdict = _not_wanted(job, event);
		else
			verdict = _pending(job, event);
		break;
	case FED_VIEW_HERE:
		if (event->restarts > job->restarts)
			verdict = _not_wanted(job, event);
		else
			verdict = _runs_here(job, event);
		break;
	case FED_VIEW_REQUEUING:
		verdict = _runs_here(job, event);
		break;
	case FED_VIEW_LEFT:
		verdict = _left(job, event);
		break;
	}
	if (_leaves_mark(job, event)) {
		job->owed |= FED_BIT(FED_ACT_SUBMIT_RESP);
		verdict = FED_JOB_CHANGED;
	}
	return verdict == FED_JOB_IGNORED ? FED_JOB_NOTED : verdict;
}
