/*
 * jobs_limits.c - limits of associations and QOS, where
 * AccountingStorageEnforce has them (jobs_int.h).
 *
 * What is in use is counted as a job moves, of the jobs that are here alone, as
 * each native does. It is not in the ledger: after a start it follows from the
 * jobs, and it is counted anew when slurmdbd tells of other limits. From the
 * moment that a job may ask for its lock it counts as one that runs, or another
 * could pass in between.
 *
 * Whoever has priority 0 is held, and waits likewise. An origin holds a job so
 * where it may not run the job itself; any other it takes back.
 *
 * One that has to wait is denied its start for a minute, so that a long queue
 * of such jobs keeps neither FLURM nor the ledger busy. Those that may go on
 * before that, as a job has ended, FLURM is told of: as many as there is room
 * for by the limits, in the order of its own queue. That is a hint, and lost
 * if FLURM is away.
 */
#include "src/sibling/jobs_int.h"

#include <stdlib.h>

#define WOKEN_S 10		/* until one that was told is not waited for */
#define WAKE_MS 5000

/* ---- what a job asks for ---- */

extern limits_ask_t jobs_limits_ask(const jobs_t *jobs,
				    const flurm_job_spec_t *spec,
				    const job_host_t *host)
{
	const flurm_partition_t *part = nodes_part(jobs->nodes,
						   spec->partition);
	int64_t cpus = FLURM_UNSET, nodes = flurm_or(spec->num_nodes, 1);
	limits_ask_t ask = {
		.minutes = job_minutes(spec->time_limit, NO_VAL),
		.part_minutes = INFINITE,
		.part_max = INFINITE,
	};

	if (host && host->run.nodes) {
		ask.nodes = host->run.nodes;
		nodes = flurm_or(host->run.alloc_nodes, nodes);
		cpus = host->run.alloc_cpus;
	} else if (host && host->offer) {
		ask.nodes = host->offer;
		nodes = job_node_count(host->offer);
		cpus = host->offer_cpus;
	}
	if (host)
		ask.exempt = host->exempt;
	cpus = flurm_or(cpus, job_cpus(spec));
	ask.tres[LIMIT_CPU] = cpus;
	ask.tres[LIMIT_MEM] = job_memory(spec, cpus, nodes);
	ask.tres[LIMIT_NODE] = nodes;
	ask.tres[LIMIT_BILLING] = cpus;
	if (part) {
		ask.part_max = job_minutes(part->max_time, INFINITE);
		ask.part_minutes = job_minutes(part->default_time, ask.part_max);
	}
	return ask;
}

static bool _are_enforced(const jobs_t *jobs)
{
	return jobs->conf.assoc &&
	       (jobs->conf.enforce & ACCOUNTING_ENFORCE_LIMITS);
}

extern limits_bound_t jobs_limits_bound(const jobs_t *jobs, job_bound_t *bound)
{
	limits_bound_t limits = job_bound_limits(bound, jobs->usage);

	limits.safe = jobs->conf.enforce & ACCOUNTING_ENFORCE_SAFE;
	return limits;
}

extern uint32_t jobs_limits_submit(jobs_t *jobs, fed_job_t *known,
				   flurm_job_spec_t *spec, fed_err_t *err)
{
	limits_ask_t ask;
	limits_bound_t limits;
	job_bound_t *bound;
	uint32_t reason;

	if (!_are_enforced(jobs) ||
	    !(bound = job_bound_create(&jobs->holders, jobs->conf.assoc, spec)))
		return 0;
	if (known)
		jobs_limits_forget(jobs, known);
	ask = jobs_limits_ask(jobs, spec, NULL);
	limits = jobs_limits_bound(jobs, bound);
	reason = limits_submit(&limits, &ask);
	if (known)
		jobs_limits_count(jobs, known);
	job_bound_free(bound);
	if (reason) {
		fed_err_set(err, ESLURM_ACCOUNTING_POLICY,
			    "it exceeds a limit of its association or QOS: %s",
			    compat_reason_name(reason));
		return ESLURM_ACCOUNTING_POLICY;
	}
	if (!flurm_is_set(spec->time_limit) && (ask.minutes != NO_VAL))
		spec->time_limit = (ask.minutes == INFINITE) ?
			FLURM_UNLIMITED : (int64_t) ask.minutes * 60;
	return 0;
}

/* ---- counting ---- */

static void _set_running(jobs_t *jobs, const fed_job_t *job, bool running)
{
	const job_host_t *host = job->host;
	limits_ask_t ask = { 0 };

	if (!host->bound)
		return;
	if (running)
		ask = jobs_limits_ask(jobs, host->spec, host);
	if (job_bound_run(host->bound, running ? &ask : NULL,
			  job->start_time ? job->start_time : jobs->now,
			  usage_until(jobs->usage)) &&
	    !running)
		jobs->freed = true;
}

static bool _is_running(const fed_job_t *job)
{
	const job_host_t *host = job->host;

	switch (job->state) {
	case FED_JOB_LOCKING:
		return host->admitted || (job->facts & FED_JOB_F_MAY_RUN);
	case FED_JOB_GRANTED:
	case FED_JOB_RUNNING:
		return true;
	case FED_JOB_CANCELLING:
	case FED_JOB_WITHDRAWING:
		return job->facts & FED_JOB_F_MAY_RUN;
	default:
		return false;
	}
}

/* An id has one place, that of its newest epoch. */
static bool _is_submitted(const fed_job_t *job)
{
	return !job->newer && (job->state < FED_JOB_ENDED) &&
	       ((job->state < FED_JOB_WITHDRAWING) ||
		(job->facts & FED_JOB_F_MAY_RUN));
}

extern void jobs_limits_forget(jobs_t *jobs, fed_job_t *job)
{
	job_host_t *host = job->host;

	if (!host || !host->bound)
		return;
	job_bound_submit(host->bound, false);
	_set_running(jobs, job, false);
	job_bound_free(host->bound);
	host->bound = NULL;
}

extern void jobs_limits_count(jobs_t *jobs, fed_job_t *job)
{
	job_host_t *host = job->host;
	bool submitted, running;

	if (!_are_enforced(jobs) || !host || !host->spec)
		return;
	if ((job->state != FED_JOB_LOCKING) && (job->state != FED_JOB_GRANTED))
		host->admitted = false;
	submitted = _is_submitted(job);
	running = _is_running(job);
	if (!submitted && !running) {
		jobs_limits_forget(jobs, job);
		return;
	}
	if (!host->bound)
		host->bound = job_bound_create(&jobs->holders,
					       jobs->conf.assoc, host->spec);
	if (!host->bound)
		return;
	job_bound_submit(host->bound, submitted);
	_set_running(jobs, job, running);
}

static bool _is_held(const job_host_t *host)
{
	return host->spec && (host->spec->priority == 0);
}

extern void jobs_limits_replayed(jobs_t *jobs, fed_job_t *job)
{
	job_host_t *host = job->host;

	jobs_limits_count(jobs, job);
	if (!host || (!host->bound && !_is_held(host)) || !job->attempt ||
	    ((job->state != FED_JOB_QUEUED) && (job->state != FED_JOB_DENIED)))
		return;
	/* it was denied a start, perhaps for a limit */
	host->waits = WAIT_ASSOC_RESOURCE_LIMIT;
	jobs->freed = true;
}

extern void jobs_limits_offer(jobs_t *jobs, fed_job_t *job,
			      const flurm_event_t *event)
{
	job_host_t *host = jobs_host(jobs, job);

	if (!_are_enforced(jobs))
		return;
	xfree(host->offer);
	host->offer = xstrdup(event->nodes);
	host->offer_cpus = event->cpus;
}

static void _forget_bound(fed_job_t *job, void *arg)
{
	job_host_t *host = job->host;

	if (!host)
		return;
	job_bound_free(host->bound);
	host->bound = NULL;
}

static void _count_one(fed_job_t *job, void *arg)
{
	jobs_limits_count(arg, job);
}

extern void jobs_set_assoc(jobs_t *jobs)
{
	jobs_usage_assoc(jobs);
	if (!_are_enforced(jobs))
		return;
	fed_job_table_walk(jobs->table, _forget_bound, NULL);
	jobs_limits_end(jobs);
	fed_job_table_walk(jobs->table, _count_one, jobs);
	jobs->freed = true;
}

extern void jobs_limits_end(jobs_t *jobs)
{
	if (jobs->holders)
		xhash_free(jobs->holders);
}

/* ---- to let one start ---- */

static void _set_waits(jobs_t *jobs, fed_job_t *job, uint32_t reason)
{
	job_host_t *host = job->host;

	if (host->waits == reason)
		return;
	host->waits = reason;
	jobs_changed(jobs, job);
	if (reason)
		fed_verbose("cluster %s: job %u waits: %s",
			    jobs->conf.cluster->name, job->id,
			    compat_reason_name(reason));
}

/* RET 0, or what is in the way of its start */
static uint32_t _in_the_way(const jobs_t *jobs, const fed_job_t *job)
{
	const job_host_t *host = job->host;
	limits_bound_t limits;
	limits_ask_t ask;

	if (_is_held(host))
		return WAIT_HELD;
	if (!host->bound)
		return 0;
	limits = jobs_limits_bound(jobs, host->bound);
	ask = jobs_limits_ask(jobs, host->spec, host);
	return limits_start(&limits, &ask);
}

extern bool jobs_limits_let(jobs_t *jobs, fed_job_t *job)
{
	job_host_t *host = jobs_host(jobs, job);

	if (host->admitted)
		return true;
	host->woken = 0;
	_set_waits(jobs, job, _in_the_way(jobs, job));
	if (host->waits || !host->bound)
		return !host->waits;
	host->admitted = true;
	jobs_limits_count(jobs, job);
	return true;
}

/* ---- those that wait ---- */

typedef struct {
	jobs_t *jobs;
	fed_job_t **job;
	size_t count;
	size_t room;
} waiting_t;

static void _add_waiting(fed_job_t *job, void *arg)
{
	const job_host_t *host = job->host;
	waiting_t *waiting = arg;

	if (!host || !host->waits)
		return;
	/* not told yet that it has to wait: next time */
	if ((job->state == FED_JOB_LOCKING) || (job->state == FED_JOB_DENIED))
		waiting->jobs->freed = true;
	if (job->state != FED_JOB_QUEUED)
		return;
	if (waiting->count == waiting->room) {
		waiting->room = MAX(waiting->room * 2, 64);
		xrecalloc(waiting->job, waiting->room, sizeof(*waiting->job));
	}
	waiting->job[waiting->count++] = job;
}

static int64_t _priority(const jobs_t *jobs, const fed_job_t *job)
{
	const flurm_job_spec_t *spec = ((job_host_t *) job->host)->spec;

	return flurm_or(spec->priority,
			nodes_part_priority(jobs->nodes, spec->partition) -
			flurm_or(spec->nice, 0));
}

static int _by_priority(const void *a, const void *b, void *arg)
{
	const fed_job_t *left = *(fed_job_t *const *) a;
	const fed_job_t *right = *(fed_job_t *const *) b;
	int64_t first = _priority(arg, left), second = _priority(arg, right);

	if (first != second)
		return (first > second) ? -1 : 1;
	if (left->received != right->received)
		return (left->received < right->received) ? -1 : 1;
	return (left->id > right->id) - (left->id < right->id);
}

static void _wake_done(void *arg, flurm_outcome_t outcome,
		       const flurm_result_t *result)
{
}

static void _wake(jobs_t *jobs, fed_job_t *job)
{
	job_host_t *host = job->host;
	flurm_op_t op;

	host->woken = jobs->now;
	jobs_changed(jobs, job);
	flurm_op_init(&op, FLURM_OP_START);
	op.fed_job_id = job->id;
	op.epoch = job->epoch;
	op.attempt = job->attempt;
	op.grant = false;
	op.retry_after = 0;
	(void) flurm_client_op(jobs->conf.client, &op, WAKE_MS, _wake_done,
			       NULL);
}

/* As many as would fit if they started one after the other */
static void _look_at(jobs_t *jobs, waiting_t *waiting)
{
	size_t fit = 0;

	if (waiting->count)
		qsort_r(waiting->job, waiting->count, sizeof(*waiting->job),
			_by_priority, jobs);
	for (size_t i = 0; i < waiting->count; i++) {
		fed_job_t *job = waiting->job[i];
		job_host_t *host = job->host;
		uint32_t reason = _in_the_way(jobs, job);

		if (reason) {
			_set_waits(jobs, job, reason);
			continue;
		}
		if (jobs->now - host->woken > WOKEN_S)
			_wake(jobs, job);
		_set_running(jobs, job, true);
		waiting->job[fit++] = job;
	}
	for (size_t i = 0; i < fit; i++)
		_set_running(jobs, waiting->job[i], false);
}

extern void jobs_limits_tick(jobs_t *jobs)
{
	waiting_t waiting = { .jobs = jobs };
	bool again;

	if (!jobs->freed)
		return;
	jobs->freed = false;
	fed_job_table_walk(jobs->table, _add_waiting, &waiting);
	again = jobs->freed;
	_look_at(jobs, &waiting);
	jobs->freed = again;
	xfree(waiting.job);
}
