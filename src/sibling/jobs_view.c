/*
 * jobs_view.c - jobs for those who ask (jobs_int.h).
 *
 * What a job looks like is copied when somebody asks, kept until the job
 * changes, and shared by all views until then.
 */
#include "src/sibling/jobs_int.h"

#include <stdlib.h>
#include <string.h>

extern void jobs_changed(jobs_t *jobs, const fed_job_t *job)
{
	job_host_t *host = job->host;

	jobs->changes++;
	jobs->changed_at = time(NULL);
	if (!host)
		return;
	view_job_unref(host->view);
	host->view = NULL;
}

extern void jobs_count(jobs_t *jobs, const fed_job_t *job,
		       fed_job_state_t from)
{
	view_counts_t *counts = &jobs->counts;

	if ((from != FED_JOB_RUNNING) && (job->state == FED_JOB_RUNNING))
		counts->started++;
	if ((from >= FED_JOB_ENDED) || (job->state < FED_JOB_ENDED) ||
	    !(job->facts & FED_JOB_F_RAN))
		return;
	if (job->end == FED_END_COMPLETED)
		counts->completed++;
	else if (job->end == FED_END_CANCELLED)
		counts->cancelled++;
	else if (job->end != FED_END_REVOKED)
		counts->failed++;
}

static view_job_t *_make(const fed_job_t *job, const job_host_t *host)
{
	view_job_t *view = xmalloc(sizeof(*view));
	flurm_job_spec_t spec;

	view->refs = 1;
	view->job = *job;
	view->job.next = view->job.older = view->job.newer = NULL;
	view->job.host = NULL;
	flurm_job_spec_init(&view->spec);
	if (host->spec) {
		spec = *host->spec;	/* shares its strings */
		spec.script = NULL;
		spec.environment = NULL;
		flurm_job_spec_copy(&view->spec, &spec);
	}
	job_submit_copy(&view->submit, &host->submit);
	job_run_copy(&view->run, &host->run);
	view->origin = xstrdup(host->origin);
	view->requeue = host->requeue;
	view->waits = host->woken ? 0 : host->waits;
	return view;
}

typedef struct {
	jobs_t *jobs;
	view_t *view;
} walk_t;

static void _add_one(fed_job_t *job, void *arg)
{
	const walk_t *walk = arg;
	job_host_t *host = jobs_host(walk->jobs, job);

	if (job->newer)
		return;
	if (!host->view)
		host->view = _make(job, host);
	view_add_job(walk->view, view_job_ref(host->view));
}

extern uint64_t jobs_changes(const jobs_t *jobs)
{
	return jobs->changes;
}

extern uint64_t jobs_moves(const jobs_t *jobs)
{
	const view_counts_t *counts = &jobs->counts;

	return (uint64_t) counts->started + counts->completed +
	       counts->cancelled + counts->failed;
}

extern const char *jobs_script(const jobs_t *jobs, uint32_t job_id)
{
	const fed_job_t *job = fed_job_table_find(jobs->table, job_id);
	const job_host_t *host = job ? job->host : NULL;

	return (host && host->spec) ? host->spec->script : NULL;
}

extern void jobs_view(jobs_t *jobs, view_t *view)
{
	walk_t walk = { .jobs = jobs, .view = view };

	fed_job_table_walk(jobs->table, _add_one, &walk);
	view_sort(view);
	view->jobs_changed = jobs->changed_at;
	view->counts = jobs->counts;
	view_used_make(&view->used, jobs->holders,
		       jobs->conf.usage.kept ? jobs->usage : NULL);
}
