/*
 * jobs_change.c - what a job asks for changes (jobs_int.h).
 *
 * What it asks for now is shown and goes to FLURM if the job is delivered
 * again; what FLURM has not heard of is kept beside it.
 */
#include "src/sibling/jobs_int.h"

#include "src/core/job_id.h"
#include "src/sibling/spec.h"

extern void jobs_change(jobs_t *jobs, fed_job_t *job, flurm_job_spec_t *change)
{
	job_host_t *host = jobs_host(jobs, job);

	/* its association may be another, and so what limits it */
	jobs_limits_forget(jobs, job);
	if (host->spec) {
		host->exempt |= job_bound_exempt(host->spec, change);
		flurm_job_spec_merge(host->spec, change);
	}
	if (!host->change) {
		host->change = xmalloc(sizeof(*host->change));
		*host->change = *change;
		flurm_job_spec_init(change);
	} else {
		flurm_job_spec_join(host->change, change);
		flurm_job_spec_free(change);
	}
	jobs_limits_count(jobs, job);
	if (host->waits) {
		/* for what it asks for now, perhaps it need not */
		xfree(host->offer);
		jobs->freed = true;
	}
	jobs_write_host(jobs, job);
}

extern void jobs_take_update(jobs_t *jobs, const sib_msg_t *msg)
{
	const job_desc_msg_t *desc = msg->data;
	fed_job_t *job = fed_job_table_find(jobs->table, msg->job_id);
	fed_job_event_t event = {
		.type = FED_EV_UPDATE,
		.now = jobs->now,
	};
	flurm_job_spec_t change;

	if (!job) {
		/* an answer is owed all the same: the lock waits for it */
		job = fed_job_table_adopt(jobs->table, msg->job_id, 1,
					  jobs->now, false);
		if (!job)
			return;
	}
	if (desc) {
		event.viable = desc->fed_siblings_viable;
		event.only_here = fed_sibling_only(event.viable,
						   jobs_our_id(jobs));
	}
	if (desc && spec_from_update(desc, &change))
		jobs_change(jobs, job, &change);
	jobs_event(jobs, job, &event);
}
