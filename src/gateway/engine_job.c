/*
 * engine_job.c - how jobs change in the engine, and what follows from it.
 *
 * Settling a job (queue, resources, timer: all in memory) happens with the
 * event; acting on it (the backend: the world) only after the commit. Both look
 * at what gw_gate_wants() says and do what is missing, so they may be called
 * at any time.
 */
#include "fed_config.h"

#include "src/core/log.h"
#include "src/core/mem.h"
#include "src/gateway/engine_in.h"

extern gw_gate_times_t gw_engine_times(const gw_engine_t *engine)
{
	return (gw_gate_times_t) {
		.ask_again_ms = engine->conf->gate_ask_again * 1000,
		.patience_ms = engine->conf->gate_patience * 1000,
		.retry_ms = engine->conf->gate_retry * 1000,
	};
}

extern void gw_engine_touch(gw_engine_t *engine, gw_job_t *job)
{
	if (job->touched)
		return;
	job->touched = true;
	job->touched_next = engine->touched;
	engine->touched = job;
}

/* Take it off the list of what is to be acted on. */
static void _untouch(gw_engine_t *engine, gw_job_t *job)
{
	gw_job_t **at = &engine->touched;

	if (!job->touched)
		return;
	while (*at != job)
		at = &(*at)->touched_next;
	*at = job->touched_next;
	job->touched = false;
}

/* Queue, resources and timer become what they should be. */
extern void gw_engine_settle(gw_engine_t *engine, gw_job_t *job)
{
	gw_gate_times_t times = gw_engine_times(engine);
	gw_wants_t wants = gw_gate_wants(job, engine->now_ms);
	gw_entry_t *entry = &job->entry;
	int64_t wake;

	/* what the backend has to let go of first is queued after that */
	if (job->told_start && !wants.run)
		wants.queued = false;
	if (((entry->state == GW_SCHED_HOLDS) && !wants.resources) ||
	    ((entry->state == GW_SCHED_QUEUED) && !wants.queued)) {
		gw_sched_drop(engine->cluster.sched, entry, engine->now_ms);
		engine->dirty = true;
	}
	if ((entry->state == GW_SCHED_OUT) && wants.queued) {
		gw_sched_queue(engine->cluster.sched, entry);
		engine->dirty = true;
	}
	wake = gw_gate_wake(job, &times, engine->now_ms);
	if (wake == GW_NEVER)
		fed_timer_clear(&engine->timers, &job->timer);
	else
		fed_timer_set(&engine->timers, &job->timer, wake);
	if (flurm_state_is_over(job->state) && !job->is_over_listed) {
		job->is_over_listed = true;
		job->over_next = NULL;
		*engine->over_end = job;
		engine->over_end = &job->over_next;
	}
}

/* The job is about to leave the table: nothing may point to it any more. */
static void _detach(gw_engine_t *engine, gw_job_t *job)
{
	gw_job_t **at = &engine->over_first;

	fed_timer_clear(&engine->timers, &job->timer);
	gw_sched_drop(engine->cluster.sched, &job->entry, engine->now_ms);
	_untouch(engine, job);
	if (job->is_over_listed) {
		while (*at != job)
			at = &(*at)->over_next;
		*at = job->over_next;
		if (engine->over_end == &job->over_next)
			engine->over_end = at;
	}
	engine->by_state[job->state]--;
}

/* When it will give its resources back, as far as can be told. */
static void _plan_end(gw_engine_t *engine, gw_job_t *job,
		      const gw_event_t *event)
{
	int64_t limit = job->entry.need.time_limit, now = engine->now_ms / 1000;
	int64_t end = GW_NEVER;

	if (job->entry.state != GW_SCHED_HOLDS)
		return;
	if ((event->type == GW_EV_STARTED) || (event->type == GW_EV_RESUMED)) {
		if (limit < GW_NEVER - now)
			end = job->start_time + limit + job->suspended_for;
	} else if (event->type != GW_EV_SUSPENDED) {
		return;
	}
	gw_sched_set_end(engine->cluster.sched, &job->entry, end);
}

static void _count(gw_engine_t *engine, const gw_event_t *event)
{
	engine->counters.events++;
	if (event->type == GW_EV_STARTED)
		engine->counters.started++;
	if (event->type == GW_EV_ENDED)
		engine->counters.ended[event->state]++;
}

extern gw_job_t *gw_engine_event(gw_engine_t *engine, gw_job_t *job,
				 gw_event_t *event)
{
	gw_event_type_t type = event->type;
	uint32_t fed_job_id = event->fed_job_id;
	gw_event_t brief;
	fed_err_t err;

	event->time_ms = engine->now_ms;
	if (job && ((type == GW_EV_SUBMITTED) || (type == GW_EV_FORGOTTEN)))
		_detach(engine, job);
	else if (job)
		engine->by_state[job->state]--;
	if (job && (type != GW_EV_SUBMITTED)) {
		fed_job_id = event->fed_job_id = job->fed_job_id;
		event->epoch = job->epoch;
		event->job_id = job->job_id;
		event->attempt = job->attempt + ((type == GW_EV_ASKED) ||
						 (type == GW_EV_TAKEN));
	}
	if (type == GW_EV_CANCEL && job)
		job->told_cancel = false;
	_count(engine, event);
	brief = (gw_event_t) { .type = type };
	if (gw_store_event(&engine->store, job, event, &err))
		fed_error("job %u: %s", fed_job_id, err.text);
	if (!fed_job_id || (type == GW_EV_FORGOTTEN))
		return NULL;
	job = gw_jobs_find(engine->store.jobs, fed_job_id);
	engine->by_state[job->state]++;
	_plan_end(engine, job, &brief);
	if ((type != GW_EV_SUBMITTED) && (type != GW_EV_UPDATED))
		gw_engine_settle(engine, job);
	gw_engine_touch(engine, job);
	return job;
}

extern void gw_engine_learn(gw_engine_t *engine, gw_job_t *job,
			    const flurm_job_spec_t *spec,
			    const gw_need_t *need)
{
	/* its place in the queue may be another one now */
	if (job->entry.state == GW_SCHED_QUEUED)
		gw_sched_drop(engine->cluster.sched, &job->entry,
			      engine->now_ms);
	job->entry.need = *need;
	job->entry.need.order = job->job_id;
	job->gated = flurm_flag_or(spec->start_gate, true);
	job->may_requeue = flurm_flag_or(spec->requeue, true);
	job->dependent = spec->dependency && *spec->dependency;
	job->deadline = flurm_or(spec->deadline, 0);
	job->begin_time = flurm_or(spec->begin_time, 0);
	gw_engine_settle(engine, job);
}

extern void gw_engine_tell_start(gw_engine_t *engine, gw_job_t *job, bool again)
{
	flurm_job_spec_t spec;
	gw_report_t failed = { .kind = GW_REPORT_START_FAILED, .job = job };
	fed_err_t err;

	if (gw_store_spec(&engine->store, job, &spec, &err)) {
		fed_error("%s", err.text);
		failed.reason = err.text;
		/* of one that runs, the script is not needed any more */
		if (!job->start_time) {
			gw_engine_report(&failed, engine);
			return;
		} else if (gw_job_spec(job, NULL, &spec, &err)) {
			return;
		}
	}
	if (again)
		engine->ops->recover(engine->backend, job, &spec);
	else
		engine->ops->start(engine->backend, job, &spec);
	flurm_job_spec_free(&spec);
	job->told_start = true;
	job->told_cancel = job->told_suspend = false;
	engine->backend_due_ms = engine->now_ms;
}

/* The world becomes what the ledger says. */
static void _act_on(gw_engine_t *engine, gw_job_t *job)
{
	gw_wants_t wants = gw_gate_wants(job, engine->now_ms);

	if (wants.run && !job->told_start)
		gw_engine_tell_start(engine, job, false);
	if (wants.cancel && job->told_start && !job->told_cancel) {
		engine->ops->cancel(engine->backend, job, job->cancel ?
				    job->cancel_signal : 0);
		job->told_cancel = true;
		engine->backend_due_ms = engine->now_ms;
	}
	if (wants.run && (wants.suspend != job->told_suspend)) {
		engine->ops->suspend(engine->backend, job, wants.suspend);
		job->told_suspend = wants.suspend;
		engine->backend_due_ms = engine->now_ms;
	}
	if (!wants.run && job->told_start) {
		engine->ops->forget(engine->backend, job);
		job->told_start = false;
		gw_engine_settle(engine, job);
	}
}

extern void gw_engine_act(gw_engine_t *engine)
{
	gw_job_t *job;

	while ((job = engine->touched)) {
		engine->touched = job->touched_next;
		job->touched = false;
		_act_on(engine, job);
	}
}
