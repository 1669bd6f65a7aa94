/*
 * jobs_relay.c - what clients want of a running job and FLURM does: suspend or
 * resume it, or tell it something (jobs.h).
 *
 * No state of the job: FLURM does it or does not, and who asked is told. That
 * it is suspended comes with FLURM's events and answers, as all that happens
 * there (job_kept.h).
 */
#include "src/sibling/jobs_int.h"

#define WAIT_MS 5000		/* a client waits */

typedef struct {
	jobs_t *jobs;
	uint32_t id;
	uint32_t epoch;
	flurm_op_kind_t kind;
	void (*done)(void *arg, uint32_t rc);
	void *arg;
} call_t;

static uint32_t _rc(flurm_outcome_t outcome, const flurm_result_t *result)
{
	switch (outcome) {
	case FLURM_ANSWERED:
		return SLURM_SUCCESS;
	case FLURM_REFUSED:
		if (result->status == 404)
			return ESLURM_INVALID_JOB_ID;
		if (result->status == 409)
			return ESLURM_TRANSITION_STATE_NO_UPDATE;
		return ESLURM_NOT_SUPPORTED;
	case FLURM_NOT_DELIVERED:
		return SLURM_COMMUNICATIONS_CONNECTION_ERROR;
	default:
		/* it may come to pass: who looks will see */
		return SLURM_PROTOCOL_SOCKET_IMPL_TIMEOUT;
	}
}

/* Who asks next is to see it, also if its event comes later. */
static void _note(const call_t *call)
{
	jobs_t *jobs = call->jobs;
	fed_job_t *job = fed_job_table_find_epoch(jobs->table, call->id,
						  call->epoch);
	flurm_event_t event;

	if (!job || (job->state != FED_JOB_RUNNING))
		return;
	flurm_event_init(&event);
	event.type = (call->kind == FLURM_OP_SUSPEND) ? FLURM_EV_SUSPENDED :
							FLURM_EV_RESUMED;
	event.time = jobs->now;
	if (job_run_event(&jobs_host(jobs, job)->run, &event)) {
		jobs_write_run(jobs, job);
		/* slurmdbd is to know, and its event will say nothing new */
		jobs_touch(jobs, job);
	}
	flurm_event_free(&event);
}

static void _done(void *arg, flurm_outcome_t outcome,
		  const flurm_result_t *result)
{
	call_t *call = arg;

	if ((outcome == FLURM_ANSWERED) && (call->kind != FLURM_OP_NOTIFY))
		_note(call);
	call->done(call->arg, _rc(outcome, result));
	xfree(call);
}

static void _relay(jobs_t *jobs, uint32_t job_id, flurm_op_kind_t kind,
		   const char *text, void (*done)(void *arg, uint32_t rc),
		   void *arg)
{
	const fed_job_t *job = fed_job_table_find(jobs->table, job_id);
	flurm_op_t op;
	call_t *call;

	if (!job || (job->state != FED_JOB_RUNNING)) {
		done(arg, job ? ESLURM_JOB_NOT_RUNNING : ESLURM_INVALID_JOB_ID);
		return;
	}
	call = xmalloc(sizeof(*call));
	*call = (call_t) {
		.jobs = jobs,
		.id = job->id,
		.epoch = job->epoch,
		.kind = kind,
		.done = done,
		.arg = arg,
	};
	flurm_op_init(&op, kind);
	op.fed_job_id = job->id;
	op.epoch = job->epoch;
	op.text = (char *) text;
	if (flurm_client_op(jobs->conf.client, &op, WAIT_MS, _done, call))
		return;
	xfree(call);
	done(arg, SLURM_ERROR);
}

extern void jobs_suspend(jobs_t *jobs, uint32_t job_id, bool suspend,
			 void (*done)(void *arg, uint32_t rc), void *arg)
{
	_relay(jobs, job_id, suspend ? FLURM_OP_SUSPEND : FLURM_OP_RESUME,
	       NULL, done, arg);
}

extern void jobs_notify(jobs_t *jobs, uint32_t job_id, const char *text,
			void (*done)(void *arg, uint32_t rc), void *arg)
{
	_relay(jobs, job_id, FLURM_OP_NOTIFY, text, done, arg);
}
