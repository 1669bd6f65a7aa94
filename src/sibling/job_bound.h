/*
 * job_bound.h - whose limits hold for a job, and its part of what they have in
 * use.
 *
 * QOS, associations, and users and accounts with a QOS are holders: one of each
 * for all jobs that it limits, in a table of the caller's, which is let go of as
 * a whole (xhash_free()) when the limits are others.
 */
#ifndef FED_SIBLING_JOB_BOUND_H
#define FED_SIBLING_JOB_BOUND_H

#include <stdbool.h>

#include "src/flurm/job_spec.h"
#include "src/sibling/assoc.h"
#include "src/sibling/limits.h"
#include "src/sibling/usage.h"

typedef struct job_bound job_bound_t;

/* Who limits: an association, a QOS, or with a QOS one user or account */
typedef struct {
	usage_of_t of;
	uint32_t id;
	uint32_t uid;		/* of that user alone, or NO_VAL */
	char *account;		/* of that account alone, or NULL */
} holder_t;

/*
 * IN/OUT at - the table; made if it is NULL
 * RET what limits a job of that spec, counted nowhere yet; NULL: slurmdbd has
 *	no association for it
 */
extern job_bound_t *job_bound_create(xhash_t **at, assoc_t *assoc,
				     const flurm_job_spec_t *spec);

/* Counted or not: to be counted nowhere first, unless the table goes too. */
extern void job_bound_free(job_bound_t *bound);

/*
 * What an update exempts a job from. A native sibling carries out an update as
 * its origin's slurmctld, not as the user who made it there (fed_mgr.c,
 * _q_sib_job_update()), so that it is an administrator's, and exempts from the
 * limits of whatever it changes (job_mgr.c, _update_job()).
 * IN spec - what the job asked for before
 * RET LIMIT_EXEMPT bits
 */
extern uint8_t job_bound_exempt(const flurm_job_spec_t *spec,
				const flurm_job_spec_t *change);

/*
 * RET for limits_submit() and the like; valid as long as bound, and until usage
 *	changes
 */
extern limits_bound_t job_bound_limits(job_bound_t *bound,
				       const usage_t *usage);

/* RET who pays for what it uses, without its TRES; valid as long as bound */
extern usage_payers_t job_bound_payers(const job_bound_t *bound);

/* Visit each holder of the table, with what its jobs have in use. */
extern void job_bound_walk(xhash_t *at,
			   void (*visit)(const holder_t *who,
					 const limits_used_t *used, void *arg),
			   void *arg);

/* Count it among those that are here, or not any more. */
extern void job_bound_submit(job_bound_t *bound, bool submitted);

/*
 * Count it among those that run.
 * IN ask - what it has; NULL: not any more
 * IN start - since when, if it runs
 * IN charged - all that run are charged, up to then
 * RET true if that is new
 */
extern bool job_bound_run(job_bound_t *bound, const limits_ask_t *ask,
			  time_t start, time_t charged);

/* All that run were charged up to then. */
extern void job_bound_charged(xhash_t *at, int64_t until);

#endif
