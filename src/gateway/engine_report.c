/*
 * engine_report.c - what the engine hears from the backend, and what it finds
 * of its jobs after a restart.
 */
#include "fed_config.h"

#include "src/core/log.h"
#include "src/core/mem.h"
#include "src/gateway/engine_in.h"

static void _failed_start(gw_engine_t *engine, gw_job_t *job,
			  const gw_report_t *report)
{
	int64_t wait_ms = engine->conf->gate_retry * 1000;
	bool hold = job->failed_starts + 1 >= engine->conf->start_attempts;
	gw_event_t event;

	gw_event_init(&event, GW_EV_START_FAILED);
	event.hold = hold;
	event.until_ms = engine->now_ms + (wait_ms < 1000 ? 1000 : wait_ms);
	event.reason = fed_strdup(report->reason ? report->reason :
				  "it could not be started");
	fed_info("job %u epoch %u did not start: %s%s", job->fed_job_id,
		 job->epoch, event.reason, hold ? " (it is held now)" : "");
	job = gw_engine_event(engine, job, &event);
	if (!hold)
		return;
	gw_event_init(&event, GW_EV_HELD);
	event.reason = fed_strdup_printf("held after %u failed starts: %s",
					 job->failed_starts, job->reason);
	gw_engine_event(engine, job, &event);
}

static void _end(gw_engine_t *engine, gw_job_t *job, const gw_report_t *report)
{
	gw_event_t event;

	gw_event_init(&event, (job->requeue && !job->cancel) ?
		      GW_EV_REQUEUED : GW_EV_ENDED);
	event.hold = job->requeue_hold;
	event.state = report->state;
	event.start_time = report->start_time;
	event.end_time = report->end_time;
	event.suspended_for = report->suspended_for;
	event.exit_code = report->exit_code;
	event.signal = report->signal;
	event.usage = report->usage;
	event.reason = fed_strdup(report->reason);
	gw_engine_event(engine, job, &event);
}

/* From the backend, in its work(). */
extern void gw_engine_report(const gw_report_t *report, void *arg)
{
	gw_engine_t *engine = arg;
	gw_job_t *job = report->job;
	gw_event_t event;

	if (!job->granted || flurm_state_is_over(job->state))
		return;
	if (report->kind == GW_REPORT_ENDED) {
		_end(engine, job, report);
	} else if (report->kind == GW_REPORT_STARTED) {
		if (job->start_time)
			return;
		gw_event_init(&event, GW_EV_STARTED);
		event.start_time = report->start_time;
		event.nodes = fed_strdup(job->nodes);
		event.cpus = job->alloc_count * job->entry.need.cpus;
		gw_engine_event(engine, job, &event);
	} else if (job->cancel || job->requeue) {
		gw_report_t ended = *report;

		ended.state = FLURM_CANCELLED;
		ended.start_time = ended.end_time = 0;
		_end(engine, job, &ended);
	} else {
		_failed_start(engine, job, report);
	}
}

/* What a job that was there before the restart needs of us. */
static void _recover_job(gw_engine_t *engine, gw_job_t *job)
{
	gw_need_t need = { .nodes = 1, .cpus = 1, .time_limit = GW_NEVER };
	flurm_result_t ignored;
	flurm_job_spec_t spec;
	gw_wants_t wants;
	gw_event_t event;
	fed_err_t err;

	engine->by_state[job->state]++;
	if (gw_job_spec(job, NULL, &spec, &err)) {
		fed_error("%s", err.text);
		return;
	}
	flurm_result_init(&ignored);
	if (gw_cluster_need(&engine->cluster, &spec, &need, &ignored))
		fed_error("job %u: %s", job->fed_job_id, ignored.reason);
	flurm_result_free(&ignored);
	gw_engine_learn(engine, job, &spec, &need);
	flurm_job_spec_free(&spec);

	wants = gw_gate_wants(job, engine->now_ms);
	if (wants.resources) {
		int64_t limit = need.time_limit, now = engine->now_ms / 1000;
		int64_t end = (limit < GW_NEVER - now) ?
			(job->start_time ? job->start_time : now) + limit :
			GW_NEVER;

		if ((job->alloc_count != need.nodes) ||
		    gw_sched_take(engine->cluster.sched, &job->entry,
				  job->alloc, end)) {
			fed_info("job %u: the nodes that it had are not there "
				 "any more", job->fed_job_id);
			if (!wants.run) {
				gw_event_init(&event, GW_EV_GAVE_BACK);
				gw_engine_event(engine, job, &event);
			}
		}
	}
	if (wants.run)
		gw_engine_tell_start(engine, job, true);
	gw_engine_settle(engine, job);
	gw_engine_touch(engine, job);
}

extern void gw_engine_recover(gw_engine_t *engine)
{
	gw_job_t *job;
	uint64_t after = 0;

	for (; (job = gw_jobs_after(engine->store.jobs, after));
	     after = job->job_id)
		_recover_job(engine, job);
	engine->heard = engine->store.acked;
}
