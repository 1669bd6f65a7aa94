/*
 * jobs_stream.c - what FLURM says of its jobs: one by one as events, and all of
 * them in lists (jobs_int.h).
 *
 * Events of the stream are acknowledged when what they changed is durable. When
 * the stream has a gap, or FLURM is another instance, all its jobs are asked
 * for, and only a complete list says of a job that it is gone.
 */
#include "src/sibling/jobs_int.h"

#include <string.h>

static fed_job_end_t _end(flurm_state_t state)
{
	switch (state) {
	case FLURM_COMPLETED:
		return FED_END_COMPLETED;
	case FLURM_CANCELLED:
		return FED_END_CANCELLED;
	case FLURM_TIMEOUT:
		return FED_END_TIMEOUT;
	case FLURM_OUT_OF_MEMORY:
		return FED_END_OUT_OF_MEMORY;
	case FLURM_NODE_FAIL:
		return FED_END_NODE_FAIL;
	case FLURM_PREEMPTED:
		return FED_END_PREEMPTED;
	case FLURM_BOOT_FAIL:
		return FED_END_BOOT_FAIL;
	case FLURM_REVOKED:
		return FED_END_REVOKED;
	default:
		return FED_END_FAILED;
	}
}

/* as wait(2): the exit code, or the signal that ended it */
static uint32_t _status(int64_t exit_code, int64_t signal)
{
	return ((flurm_or(exit_code, 0) & 0xff) << 8) |
	       (flurm_or(signal, 0) & 0x7f);
}

static bool _run_again(const fed_job_t *job, fed_job_end_t end)
{
	const job_host_t *host = job->host;

	return host && host->requeue &&
	       ((end == FED_END_NODE_FAIL) || (end == FED_END_PREEMPTED) ||
		(end == FED_END_BOOT_FAIL));
}

/* ---- a job as it is at FLURM ---- */

static fed_job_event_t _view_event(jobs_t *jobs, const fed_job_t *job,
				   const flurm_job_t *seen, uint64_t asked)
{
	fed_job_event_t event = {
		.type = FED_EV_FLURM_VIEW,
		.now = jobs->now,
		.asked = asked,
		.flurm_id = seen->job_id,
		.attempt = seen->attempt,
		.start_time = flurm_or(seen->start_time, 0),
		.end_time = flurm_or(seen->end_time, 0),
	};

	switch (seen->state) {
	case FLURM_PENDING:
	case FLURM_HELD:
		event.flurm = FED_FLURM_PENDING;
		break;
	case FLURM_STARTING:
		event.flurm = FED_FLURM_STARTING;
		break;
	case FLURM_RUNNING:
	case FLURM_SUSPENDED:
	case FLURM_COMPLETING:
		event.flurm = FED_FLURM_RUNNING;
		break;
	default:
		event.flurm = FED_FLURM_OVER;
		event.end = _end(seen->state);
		event.status = _status(seen->exit_code, seen->signal);
		event.run_again = _run_again(job, event.end);
		break;
	}
	return event;
}

/* What FLURM knows of a job, for those who ask. */
static void _keep_view(jobs_t *jobs, fed_job_t *job, const flurm_job_t *seen)
{
	job_host_t *host = jobs_host(jobs, job);

	if (!host->spec) {
		/* it came from elsewhere, or before we kept it */
		host->spec = xmalloc(sizeof(*host->spec));
		flurm_job_spec_copy(host->spec, &seen->spec);
		host->thin = true;
		jobs_write_host(jobs, job);
	}
	if (job_run_view(&host->run, seen, jobs->now)) {
		jobs_write_run(jobs, job);
		jobs_touch(jobs, job);
	}
}

extern void jobs_seen(jobs_t *jobs, fed_job_t *job, const flurm_job_t *seen,
		      uint64_t asked)
{
	fed_job_event_t event;

	_keep_view(jobs, job, seen);
	event = _view_event(jobs, job, seen, asked);
	jobs_event(jobs, job, &event);
}

extern void jobs_unknown(jobs_t *jobs, fed_job_t *job)
{
	fed_job_event_t event = { .type = FED_EV_UNKNOWN, .now = jobs->now };

	jobs_event(jobs, job, &event);
}

/* ---- lists ---- */

static void _on_page(void *arg, const flurm_job_page_t *page)
{
	jobs_t *jobs = arg;

	for (size_t i = 0; i < page->count; i++) {
		const flurm_job_t *seen = &page->jobs[i];
		fed_job_t *job;

		if (!seen->spec.fed_job_id)
			continue;
		job = fed_job_table_find_epoch(jobs->table,
					       seen->spec.fed_job_id,
					       seen->spec.epoch);
		if (!job && !flurm_state_is_over(seen->state))
			job = fed_job_table_adopt(jobs->table,
						  seen->spec.fed_job_id,
						  seen->spec.epoch, jobs->now,
						  true);
		if (!job)
			continue;
		jobs_host(jobs, job)->list_mark = jobs->list_mark;
		jobs_seen(jobs, job, seen, jobs->list_asked);
	}
}

static void _not_listed(fed_job_t *job, void *arg)
{
	jobs_t *jobs = arg;

	if ((job->state < FED_JOB_QUEUED) || (job->state >= FED_JOB_ENDED) ||
	    (job->changed > jobs->list_asked) ||
	    (jobs_host(jobs, job)->list_mark == jobs->list_mark))
		return;
	fed_info("cluster %s: FLURM does not have job %u epoch %u any more",
		 jobs->conf.cluster->name, job->id, job->epoch);
	jobs_unknown(jobs, job);
}

static void _on_list_done(void *arg, bool complete, const fed_err_t *err)
{
	jobs_t *jobs = arg;

	jobs->listing = false;
	/* a list that was cut short says nothing of what is not in it */
	if (complete)
		fed_job_table_walk(jobs->table, _not_listed, jobs);
	else
		jobs->relist = true;
}

static void _list_all(jobs_t *jobs)
{
	if (jobs->listing) {
		jobs->relist = true;
		return;
	}
	jobs->relist = false;
	jobs->list_mark++;
	jobs->list_asked = fed_job_table_stamp(jobs->table);
	jobs->listing = flurm_client_jobs(jobs->conf.client, 60000, _on_page,
					  _on_list_done, jobs) != 0;
}

/* ---- the stream of events ---- */

/* RET false if the event is none of the state machine's */
static bool _stream_event(jobs_t *jobs, const fed_job_t *job,
			  const flurm_event_t *said, fed_job_event_t *event)
{
	memset(event, 0, sizeof(*event));
	event->now = jobs->now;
	event->flurm_id = said->job_id;
	event->attempt = said->attempt;
	event->start_time = flurm_or(said->start_time, 0);
	event->end_time = flurm_or(said->end_time, 0);
	switch (said->type) {
	case FLURM_EV_SUBMITTED:
		event->type = FED_EV_ACCEPTED;
		return true;
	case FLURM_EV_REJECTED:
		event->type = FED_EV_REFUSED;
		event->refuse = ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE;
		return true;
	case FLURM_EV_START_REQUEST:
		event->type = FED_EV_START_REQUEST;
		return true;
	case FLURM_EV_STARTED:
		event->type = FED_EV_STARTED;
		return true;
	case FLURM_EV_START_FAILED:
		event->type = FED_EV_START_FAILED;
		return true;
	case FLURM_EV_ENDED:
		event->type = FED_EV_ENDED;
		event->end = _end(said->state);
		event->status = _status(said->exit_code, said->signal);
		event->run_again = job && _run_again(job, event->end);
		return true;
	default:
		return false;
	}
}

static void _on_event(void *arg, const flurm_event_t *said)
{
	jobs_t *jobs = arg;
	fed_job_event_t event;
	fed_job_t *job;

	if (said->seq > jobs->cursor)
		jobs->cursor = said->seq;
	if (said->type == FLURM_EV_INSTANCE)
		_list_all(jobs);
	if (!said->fed_job_id)
		return;
	job = fed_job_table_find_epoch(jobs->table, said->fed_job_id,
				       said->epoch);
	if (job && (said->type == FLURM_EV_START_REQUEST))
		jobs_limits_offer(jobs, job, said);
	if (job && job_run_event(&jobs_host(jobs, job)->run, said)) {
		jobs_write_run(jobs, job);
		jobs_touch(jobs, job);
	}
	if (!_stream_event(jobs, job, said, &event))
		return;
	/* a job that it has and we do not: the origin has the last word */
	if (!job && (event.type != FED_EV_ENDED))
		job = fed_job_table_adopt(jobs->table, said->fed_job_id,
					  said->epoch, jobs->now, true);
	if (job)
		jobs_event(jobs, job, &event);
}

static void _on_gap(void *arg, const char *instance_id)
{
	jobs_t *jobs = arg;

	fed_info("cluster %s: events of FLURM's are missing: asking for all of its jobs",
		 jobs->conf.cluster->name);
	jobs->cursor = 0;
	if (instance_id) {
		xfree(jobs->instance);
		jobs->instance = xstrdup(instance_id);
	}
	_list_all(jobs);
}

static const flurm_events_ops_t stream_ops = {
	.event = _on_event,
	.gap = _on_gap,
};

extern void jobs_stream_start(jobs_t *jobs)
{
	if (flurm_client_events_start(jobs->conf.client,
				      jobs->cursor ? jobs->cursor :
						     FLURM_EVENTS_OLDEST,
				      jobs->instance, &stream_ops, jobs))
		fed_error("cluster %s: FLURM's events cannot be followed",
			  jobs->conf.cluster->name);
	/* what came to pass while we were away */
	_list_all(jobs);
}

extern void jobs_stream_ack(jobs_t *jobs)
{
	if (jobs->cursor == jobs->cursor_acked)
		return;
	if (jobs->cursor)
		flurm_client_events_ack(jobs->conf.client, jobs->cursor);
	jobs->cursor_acked = jobs->cursor;
}

extern void jobs_saw_instance(jobs_t *jobs, const char *instance_id)
{
	if (!jobs->instance && instance_id) {
		jobs->instance = xstrdup(instance_id);
		jobs->cursor_written = UINT64_MAX;
	}
}

extern void jobs_stream_tick(jobs_t *jobs)
{
	if (jobs->relist)
		_list_all(jobs);
}
