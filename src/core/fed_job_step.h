/*
 * fed_job_step.h - steps that events of different sources have in common.
 *
 * Only for the files that make up fed_job_update().
 */
#ifndef FED_CORE_FED_JOB_STEP_H
#define FED_CORE_FED_JOB_STEP_H

#include "src/core/fed_job.h"

static inline bool fed_job_is(const fed_job_t *job, uint32_t fact)
{
	return job->facts & fact;
}

static inline bool fed_job_owes(const fed_job_t *job, fed_job_action_t action)
{
	return job->owed & FED_BIT(action);
}

static inline bool fed_job_flies(const fed_job_t *job, fed_job_action_t action)
{
	return job->inflight & FED_BIT(action);
}

/* RET true if FLURM has it and nothing says that it could have started */
static inline bool fed_job_waits(const fed_job_t *job)
{
	return (job->state <= FED_JOB_GRANTED) &&
	       !fed_job_is(job, FED_JOB_F_MAY_RUN);
}

/* Go to a state. */
extern void fed_job_to(fed_job_t *job, fed_job_state_t state, int64_t now);

/* RET true if the origin may have given us its lock, or will in a moment */
extern bool fed_job_may_have_lock(const fed_job_t *job);

/* Owe the origin its lock back, if it may have given it. */
extern void fed_job_let_go(fed_job_t *job);

/* It is not to start: FLURM is to queue it again. */
extern void fed_job_deny(fed_job_t *job, int64_t now);

/* Owe the origin nothing more: it would be taken for something else. */
extern void fed_job_forget_origin(fed_job_t *job);

/* Have it removed from FLURM, and then no more than what is owed already. */
extern void fed_job_withdraw(fed_job_t *job, int64_t now);

/*
 * It counts as run and has ended like this: tell the origin and accounting as
 * soon as it is over at FLURM.
 */
extern void fed_job_end_as(fed_job_t *job, fed_job_end_t end, uint32_t status,
			   int64_t start_time, int64_t end_time);

/*
 * FLURM will not run it. Others may; if there are none, it has to end here.
 * IN code - Slurm's error for the origin, not 0
 */
extern void fed_job_not_here(fed_job_t *job, fed_job_end_t end, uint32_t code,
			     int64_t now);

/*
 * Nobody can tell what became of a run that was granted: it failed with its
 * node, and the origin is asked to requeue it.
 * IN at_flurm - something of it is there, and is to be removed first
 */
extern void fed_job_lose_run(fed_job_t *job, bool at_flurm, int64_t now);

/* What it asks for is not what it was: FLURM is to hear of it. */
extern void fed_job_changed(fed_job_t *job);

/* It is over at FLURM. */
extern void fed_job_over(fed_job_t *job, int64_t now);

/* Let it be gone if nothing is left to do. */
extern void fed_job_settle(fed_job_t *job, int64_t now);

/* Events by their source; RET as fed_job_update() */
extern fed_job_verdict_t fed_job_hear_origin(fed_job_t *job,
					     const fed_job_event_t *event);
extern fed_job_verdict_t fed_job_hear_view(fed_job_t *job,
					   const fed_job_event_t *event);
extern fed_job_verdict_t fed_job_hear_flurm(fed_job_t *job,
					    const fed_job_event_t *event);
extern fed_job_verdict_t fed_job_hear_carrier(fed_job_t *job,
					      const fed_job_event_t *event);

#endif
