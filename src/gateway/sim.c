/*
 * sim.c - backend sim: a cluster of virtual nodes, on which nothing runs. For
 * tests and benchmarks.
 *
 * A job takes the time and has the end that its plan says (sim_plan.h), in
 * virtual time, which goes sim_speed times as fast as the wall's clock and can
 * be made to leap. A plan is the same after a restart, so nothing is kept but
 * what is in the gateway's ledger. The debug route takes:
 *
 *	{"advance": SECONDS}		virtual time leaps
 *	{"node": {"name": N, "up": BOOL, "reason": TEXT}}
 *	{"end": {"fed_job_id": N, "exit": N, "signal": N}}	now
 */
#include "fed_config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/core/log.h"
#include "src/core/mem.h"
#include "src/core/timer.h"
#include "src/gateway/backend.h"
#include "src/gateway/sim_plan.h"

typedef enum {
	RUN_STARTING,
	RUN_RUNNING,
	RUN_ENDED,		/* reported */
} run_phase_t;

typedef struct run run_t;
struct run {
	run_t *prev, *next;
	gw_job_t *job;
	sim_plan_t plan;
	run_phase_t phase;
	fed_timer_t timer;	/* virtual milliseconds */
	int64_t start_time;	/* Unix seconds */
	int64_t left_ms;	/* virtual, at resume or since */
	int64_t since_ms;	/* virtual: when left_ms was true */
	bool suspended;
	int64_t suspended_at;	/* Unix seconds */
	int64_t suspended_for;
	flurm_state_t state;	/* its end as it is planned */
	int exit_code;
	int signal;
	const char *reason;	/* a constant */
};

struct gw_backend {
	const gw_conf_t *conf;
	const gw_backend_host_t *host;
	gw_layout_t layout;
	fed_timers_t timers;
	run_t *runs;
	size_t run_count;
	int64_t now_ms;		/* Unix */
	int64_t base_ms;	/* Unix: virtual time began */
	int64_t leapt_ms;	/* virtual */
};

/* --- virtual time --- */

static int64_t _wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The engine may have slept since it last called work(). */
static void _look_at_clock(gw_backend_t *backend)
{
	int64_t now_ms = _wall_ms();

	if (now_ms > backend->now_ms)
		backend->now_ms = now_ms;
}

static int64_t _virtual_ms(const gw_backend_t *backend)
{
	return (backend->now_ms - backend->base_ms) *
		backend->conf->sim_speed + backend->leapt_ms;
}

/* RET the Unix time at which it is that late; not before now */
static int64_t _real_ms(const gw_backend_t *backend, int64_t virtual_ms)
{
	int64_t left_ms = virtual_ms - _virtual_ms(backend);
	int64_t speed = backend->conf->sim_speed;

	return backend->now_ms + ((left_ms > 0) ?
				  (left_ms + speed - 1) / speed : 0);
}

static void _due_in(gw_backend_t *backend, run_t *run, int64_t virtual_ms)
{
	fed_timer_set(&backend->timers, &run->timer,
		      _virtual_ms(backend) + virtual_ms);
}

/* --- how a job goes --- */

static void _plan_end(run_t *run, flurm_state_t state, int exit_code,
		      int signal, const char *reason)
{
	run->state = state;
	run->exit_code = exit_code;
	run->signal = signal;
	run->reason = reason;
}

/* What comes first: its own end, that of its time, or that of memory? */
static void _plan(run_t *run)
{
	const sim_plan_t *plan = &run->plan;
	int64_t limit = run->job->entry.need.time_limit;

	run->left_ms = plan->duration_ms;
	if (plan->signal)
		_plan_end(run, FLURM_FAILED, 0, plan->signal, NULL);
	else
		_plan_end(run, plan->exit_code ? FLURM_FAILED :
			  FLURM_COMPLETED, plan->exit_code, 0, NULL);
	if ((plan->oom_ms >= 0) && (plan->oom_ms < run->left_ms)) {
		run->left_ms = plan->oom_ms;
		_plan_end(run, FLURM_OUT_OF_MEMORY, 0, SIGKILL,
			  "out of memory");
	}
	if (limit < run->left_ms / 1000) {
		run->left_ms = limit * 1000;
		_plan_end(run, FLURM_TIMEOUT, 0, plan->ignores_term ?
			  SIGKILL : SIGTERM, "time limit");
	}
}

static void _report_started(gw_backend_t *backend, run_t *run)
{
	const gw_report_t report = {
		.kind = GW_REPORT_STARTED,
		.job = run->job,
		.start_time = run->start_time,
	};

	backend->host->report(&report, backend->host->arg);
}

static void _report_failed_start(gw_backend_t *backend, run_t *run,
				 const char *reason)
{
	const gw_report_t report = {
		.kind = GW_REPORT_START_FAILED,
		.job = run->job,
		.reason = reason,
	};

	run->phase = RUN_ENDED;
	backend->host->report(&report, backend->host->arg);
}

static void _report_end(gw_backend_t *backend, run_t *run)
{
	gw_report_t report = {
		.kind = GW_REPORT_ENDED,
		.job = run->job,
		.start_time = run->start_time,
		.end_time = backend->now_ms / 1000,
		.suspended_for = run->suspended_for,
		.state = run->state,
		.exit_code = run->exit_code,
		.signal = run->signal,
		.reason = run->reason,
	};
	const gw_need_t *need = &run->job->entry.need;

	if (run->suspended)
		report.suspended_for += report.end_time - run->suspended_at;
	report.usage.user_us = (report.end_time - report.start_time) *
		1000000 * need->cpus * need->nodes;
	report.usage.system_us = 0;
	report.usage.max_rss_kb = run->plan.max_rss_kb;
	run->phase = RUN_ENDED;
	backend->host->report(&report, backend->host->arg);
}

static void _due(gw_backend_t *backend, run_t *run)
{
	if (run->phase == RUN_RUNNING) {
		_report_end(backend, run);
		return;
	}
	if (run->phase != RUN_STARTING)
		return;
	if (run->job->cancel || run->job->requeue) {
		_report_failed_start(backend, run, "withdrawn");
	} else if (run->job->failed_starts < run->plan.start_fails) {
		_report_failed_start(backend, run, "its plan says so");
	} else {
		run->phase = RUN_RUNNING;
		run->start_time = backend->now_ms / 1000;
		run->since_ms = _virtual_ms(backend);
		_due_in(backend, run, run->left_ms);
		_report_started(backend, run);
	}
}

/* --- what the engine asks for --- */

static run_t *_add(gw_backend_t *backend, gw_job_t *job,
		   const flurm_job_spec_t *spec)
{
	const sim_lot_t lot = {
		.mean_ms = backend->conf->sim_duration * 1000,
		.failures = backend->conf->sim_failures,
	};
	run_t *run = fed_calloc(1, sizeof(*run));
	fed_err_t err;

	run->job = job;
	if (sim_plan_read(spec->script, job->fed_job_id, job->epoch, &lot,
			  &run->plan, &err) < 0)
		fed_error("job %u: %s", job->fed_job_id, err.text);
	_plan(run);
	run->next = backend->runs;
	if (run->next)
		run->next->prev = run;
	backend->runs = run;
	backend->run_count++;
	job->run = run;
	return run;
}

static void _start(gw_backend_t *backend, gw_job_t *job,
		   const flurm_job_spec_t *spec)
{
	run_t *run = _add(backend, job, spec);

	_look_at_clock(backend);
	_due_in(backend, run, run->plan.start_ms);
}

static void _recover(gw_backend_t *backend, gw_job_t *job,
		     const flurm_job_spec_t *spec)
{
	run_t *run = _add(backend, job, spec);
	int64_t ran_s;

	_look_at_clock(backend);
	if (!job->start_time) {
		_due_in(backend, run, run->plan.start_ms);
		return;
	}
	run->phase = RUN_RUNNING;
	run->start_time = job->start_time;
	run->suspended_for = job->suspended_for;
	ran_s = (job->suspend ? job->suspended_at : backend->now_ms / 1000) -
		job->start_time - job->suspended_for;
	run->left_ms -= ran_s * 1000 * backend->conf->sim_speed;
	if (run->left_ms < 0)
		run->left_ms = 0;
	run->since_ms = _virtual_ms(backend);
	if (job->suspend) {
		run->suspended = true;
		run->suspended_at = job->suspended_at;
	} else {
		_due_in(backend, run, run->left_ms);
	}
}

static void _end_in(gw_backend_t *backend, run_t *run, int64_t virtual_ms,
		    flurm_state_t state, int signal, const char *reason)
{
	_look_at_clock(backend);
	if (run->phase == RUN_RUNNING)
		_plan_end(run, state, 0, signal, reason);
	if (run->phase != RUN_ENDED)
		_due_in(backend, run, virtual_ms);
}

static void _cancel(gw_backend_t *backend, gw_job_t *job, int sig)
{
	run_t *run = job->run;
	bool kill = (sig == SIGKILL) || run->plan.ignores_term;
	int64_t wait_ms = ((sig != SIGKILL) && run->plan.ignores_term) ?
		backend->conf->kill_wait * 1000 : 0;

	_end_in(backend, run, wait_ms, FLURM_CANCELLED,
		kill ? SIGKILL : sig ? sig : SIGTERM, "cancelled");
}

static void _signal(gw_backend_t *backend, gw_job_t *job, int sig,
		    flurm_scope_t scope)
{
	run_t *run = job->run;

	switch (sig) {
	case SIGTERM:
		if (run->plan.ignores_term)
			return;
		break;
	case SIGABRT:
	case SIGHUP:
	case SIGINT:
	case SIGKILL:
	case SIGQUIT:
		break;
	default:
		return;		/* its script has a handler */
	}
	_end_in(backend, run, 0, FLURM_FAILED, sig, NULL);
}

/* It has no output. */
static void _notify(gw_backend_t *backend, gw_job_t *job, const char *text)
{
}

static void _suspend(gw_backend_t *backend, gw_job_t *job, bool suspend)
{
	run_t *run = job->run;
	int64_t now_s;

	_look_at_clock(backend);
	now_s = backend->now_ms / 1000;
	if ((run->phase != RUN_RUNNING) || (run->suspended == suspend))
		return;
	run->suspended = suspend;
	if (suspend) {
		run->left_ms -= _virtual_ms(backend) - run->since_ms;
		run->suspended_at = now_s;
		fed_timer_clear(&backend->timers, &run->timer);
	} else {
		run->suspended_for += now_s - run->suspended_at;
		run->since_ms = _virtual_ms(backend);
		_due_in(backend, run, (run->left_ms > 0) ? run->left_ms : 0);
	}
}

static void _forget(gw_backend_t *backend, gw_job_t *job)
{
	run_t *run = job->run;

	fed_timer_clear(&backend->timers, &run->timer);
	*(run->prev ? &run->prev->next : &backend->runs) = run->next;
	if (run->next)
		run->next->prev = run->prev;
	backend->run_count--;
	free(run);
	job->run = NULL;
}

static int _accept(gw_backend_t *backend, const flurm_job_spec_t *spec,
		   fed_err_t *err)
{
	const sim_lot_t lot = { 0 };
	sim_plan_t plan;

	return sim_plan_read(spec->script, 0, 0, &lot, &plan, err);
}

static int64_t _work(gw_backend_t *backend, int64_t now_ms)
{
	fed_timer_t *timer;

	if (now_ms > backend->now_ms)
		backend->now_ms = now_ms;
	while ((timer = fed_timers_first(&backend->timers)) &&
	       (timer->at <= _virtual_ms(backend))) {
		fed_timer_clear(&backend->timers, timer);
		_due(backend, (run_t *) ((char *) timer -
					 offsetof(run_t, timer)));
	}
	return timer ? _real_ms(backend, timer->at) : GW_NEVER;
}

static const gw_layout_t *_layout(gw_backend_t *backend)
{
	return &backend->layout;
}

static int _fd(gw_backend_t *backend)
{
	return -1;
}

/* --- the debug route --- */

static int _set_node(gw_backend_t *backend, const json_t *command,
		     fed_err_t *err)
{
	const char *name = json_string_value(json_object_get(command, "name"));
	const char *reason = json_string_value(json_object_get(command,
							       "reason"));
	const json_t *up = json_object_get(command, "up");
	size_t index = 0;

	while (name && (index < backend->layout.count) &&
	       strcmp(backend->layout.nodes[index].name, name))
		index++;
	if (!name || (index == backend->layout.count))
		return fed_err_set(err, EINVAL, "node: name: no such node");
	if (!json_is_boolean(up))
		return fed_err_set(err, EINVAL, "node: up: neither true nor "
				   "false");
	free(backend->layout.nodes[index].reason);
	backend->layout.nodes[index].reason = fed_strdup(reason);
	backend->layout.nodes[index].up = json_is_true(up);
	backend->host->nodes_changed(backend->host->arg);
	for (run_t *run = backend->runs; run && !json_is_true(up);
	     run = run->next)
		for (uint32_t i = 0; i < run->job->alloc_count; i++)
			if (run->job->alloc[i] == index)
				_end_in(backend, run, 0, FLURM_NODE_FAIL, 0,
					"its node went down");
	return 0;
}

static int _end_job(gw_backend_t *backend, const json_t *command,
		    fed_err_t *err)
{
	json_int_t id = json_integer_value(json_object_get(command,
							   "fed_job_id"));
	int code = json_integer_value(json_object_get(command, "exit"));
	int sig = json_integer_value(json_object_get(command, "signal"));
	run_t *run = backend->runs;

	while (run && (run->job->fed_job_id != id))
		run = run->next;
	if (!run || (run->phase != RUN_RUNNING))
		return fed_err_set(err, EINVAL, "end: fed_job_id: does not "
				   "run");
	_end_in(backend, run, 0, (code || sig) ? FLURM_FAILED :
		FLURM_COMPLETED, sig, NULL);
	run->exit_code = code;
	return 0;
}

static json_t *_debug(gw_backend_t *backend, const json_t *command,
		      fed_err_t *err)
{
	const json_t *advance = json_object_get(command, "advance");
	const json_t *node = json_object_get(command, "node");
	const json_t *end = json_object_get(command, "end");

	_look_at_clock(backend);
	if (advance && !json_is_number(advance)) {
		fed_err_set(err, EINVAL, "advance: not a number of seconds");
		return NULL;
	}
	if ((node && (_set_node(backend, node, err) < 0)) ||
	    (end && (_end_job(backend, end, err) < 0)))
		return NULL;
	backend->leapt_ms += json_number_value(advance) * 1000;
	return json_pack("{s:I, s:I, s:I}", "virtual_ms",
			 (json_int_t) _virtual_ms(backend), "running",
			 (json_int_t) backend->run_count, "speed",
			 (json_int_t) backend->conf->sim_speed);
}

/* --- its life --- */

static void _close(gw_backend_t *backend)
{
	run_t *run;

	while ((run = backend->runs)) {
		backend->runs = run->next;
		free(run);
	}
	fed_timers_free(&backend->timers);
	for (size_t i = 0; i < backend->layout.count; i++) {
		free(backend->layout.nodes[i].name);
		free(backend->layout.nodes[i].features);
		free(backend->layout.nodes[i].reason);
	}
	free(backend->layout.nodes);
	free(backend);
}

static gw_backend_t *_open(const gw_conf_t *conf,
			   const gw_backend_host_t *host, fed_err_t *err)
{
	gw_backend_t *backend = fed_calloc(1, sizeof(*backend));
	size_t count = conf->sim_nodes;

	backend->conf = conf;
	backend->host = host;
	backend->base_ms = backend->now_ms = _wall_ms();
	backend->layout.nodes = fed_calloc(count, sizeof(gw_node_t));
	backend->layout.count = count;
	for (size_t i = 0; i < count; i++)
		backend->layout.nodes[i] = (gw_node_t) {
			.name = fed_strdup_printf("sim%zu", i + 1),
			.cpus = conf->sim_cpus,
			.memory_mb = conf->sim_memory_mb,
			.features = fed_strdup(conf->features),
			.up = true,
		};
	fed_info("nothing runs here: %zu virtual nodes of %lld CPUs and %lld "
		 "MB, %lld times as fast as real ones", count,
		 (long long) conf->sim_cpus, (long long) conf->sim_memory_mb,
		 (long long) conf->sim_speed);
	return backend;
}

const gw_backend_ops_t gw_backend_sim = {
	.name = "sim",
	.open = _open,
	.close = _close,
	.layout = _layout,
	.accept = _accept,
	.start = _start,
	.recover = _recover,
	.cancel = _cancel,
	.signal = _signal,
	.notify = _notify,
	.suspend = _suspend,
	.forget = _forget,
	.fd = _fd,
	.work = _work,
	.debug = _debug,
};
