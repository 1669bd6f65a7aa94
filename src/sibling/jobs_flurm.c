/*
 * jobs_flurm.c - what is said to FLURM about a job, and what it answers
 * (jobs_int.h).
 *
 * An op that is refused because FLURM's job is somewhere else (409) or is not
 * there (404) is followed by a question; the answer is an event like any
 * other.
 */
#include "src/sibling/jobs_int.h"

#include <string.h>

#define REFUSED_RETRY_S 5	/* after an answer that says nothing of the job */

/* An op or a question under way */
typedef struct {
	jobs_t *jobs;
	uint32_t id;
	uint32_t epoch;
	fed_job_action_t action;
	uint64_t op;		/* the client's number of it */
	uint32_t attempt;	/* that a GRANT or DENY answers */
	uint64_t asked;
} call_t;

static call_t *_new_call(jobs_t *jobs, const fed_job_t *job,
			 fed_job_action_t action)
{
	call_t *call = xmalloc(sizeof(*call));

	call->jobs = jobs;
	call->id = job->id;
	call->epoch = job->epoch;
	call->action = action;
	call->attempt = job->attempt;
	call->asked = fed_job_table_stamp(jobs->table);
	return call;
}

/* ---- questions ---- */

static void _asked_done(void *arg, flurm_outcome_t outcome,
			const flurm_job_t *seen, const fed_err_t *err)
{
	call_t *call = arg;
	jobs_t *jobs = call->jobs;
	fed_job_t *job = fed_job_table_find_epoch(jobs->table, call->id,
						  call->epoch);

	if (job && (outcome == FLURM_ANSWERED) &&
	    (seen->spec.epoch == call->epoch)) {
		jobs_seen(jobs, job, seen, call->asked);
	} else if (job && ((outcome == FLURM_ANSWERED) ||
			   ((outcome == FLURM_REFUSED) &&
			    (err->code == 404)))) {
		/* it has another epoch, or none: not this one */
		if (job->changed <= call->asked)
			jobs_unknown(jobs, job);
	}
	xfree(call);
}

static void _ask(jobs_t *jobs, const fed_job_t *job)
{
	call_t *call = _new_call(jobs, job, FED_ACT_FLURM_SUBMIT);

	if (!flurm_client_job(jobs->conf.client, job->id, 10000, _asked_done,
			      call))
		xfree(call);
}

/* ---- ops and their answers ---- */

/* FLURM has heard of the change: it need not be kept any longer. */
static void _forget_change(jobs_t *jobs, fed_job_t *job)
{
	job_host_t *host = jobs_host(jobs, job);

	if (!host->change)
		return;
	jobs_free_spec(&host->change);
	jobs_write_host(jobs, job);
}

/* RET the Slurm errno nearest to why FLURM will not have a job */
static uint32_t _refusal(const flurm_result_t *result)
{
	if (strstr(result->error, "partition"))
		return ESLURM_INVALID_PARTITION_NAME;
	if (result->status == 413)
		return ESLURM_INVALID_JOB_ID;
	return ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE;
}

static void _submit_refused(jobs_t *jobs, fed_job_t *job,
			    const flurm_result_t *result)
{
	fed_job_event_t event = {
		.type = FED_EV_REFUSED,
		.now = jobs->now,
		.refuse = _refusal(result),
	};

	fed_info("cluster %s: FLURM refuses job %u: %s",
		 jobs->conf.cluster->name, job->id,
		 result->reason ? result->reason : result->error);
	jobs_event(jobs, job, &event);
}

static void _try_later(jobs_t *jobs, fed_job_t *job, fed_job_action_t action)
{
	job_host_t *host = jobs_host(jobs, job);

	host->unsent |= FED_BIT(action);
	host->unsent_at = jobs->now + REFUSED_RETRY_S;
}

static void _refused(jobs_t *jobs, fed_job_t *job, fed_job_action_t action,
		     const flurm_result_t *result)
{
	fed_verbose("cluster %s: job %u epoch %u: FLURM answers %d %s to %s: %s",
		    jobs->conf.cluster->name, job->id, job->epoch,
		    result->status, result->error, fed_job_action_name(action),
		    result->reason ? result->reason : "");
	switch (result->status) {
	case 401:
	case 403:
		/* it is about us, not about the job */
		_try_later(jobs, job, action);
		return;
	case 404:
		if (action != FED_ACT_FLURM_SUBMIT) {
			jobs_said(jobs, job, action, FED_EV_UNSENT);
			jobs_unknown(jobs, job);
			return;
		}
		break;
	case 409:
		/* one that runs will not wait again in this epoch */
		if ((action == FED_ACT_FLURM_UPDATE) &&
		    (job->facts & FED_JOB_F_RAN))
			break;
		if (action != FED_ACT_FLURM_SUBMIT) {
			/* what to do next depends on where its job is */
			_try_later(jobs, job, action);
			_ask(jobs, job);
			return;
		}
		break;
	default:
		break;
	}
	switch (action) {
	case FED_ACT_FLURM_SUBMIT:
		_submit_refused(jobs, job, result);
		break;
	case FED_ACT_FLURM_UPDATE:
	case FED_ACT_FLURM_SIGNAL:
		/* the origin has changed its job already: nobody is asked */
		if (action == FED_ACT_FLURM_UPDATE)
			_forget_change(jobs, job);
		jobs_said(jobs, job, action, FED_EV_ACKED);
		break;
	default:
		_try_later(jobs, job, action);
		break;
	}
}

static void _answered(jobs_t *jobs, fed_job_t *job, fed_job_action_t action,
		      const flurm_result_t *result)
{
	fed_job_event_t accepted = {
		.type = FED_EV_ACCEPTED,
		.now = jobs->now,
		.flurm_id = result->job_id,
	};

	switch (action) {
	case FED_ACT_FLURM_SUBMIT:
		jobs_event(jobs, job, &accepted);
		break;
	case FED_ACT_FLURM_UPDATE:
		/* unless it was changed again since */
		jobs_said(jobs, job, action, FED_EV_ACKED);
		if (!(fed_job_action(job) & FED_BIT(FED_ACT_FLURM_UPDATE)))
			_forget_change(jobs, job);
		break;
	default:
		jobs_said(jobs, job, action, FED_EV_ACKED);
		break;
	}
}

/* It is not under way any more. */
static void _landed(jobs_t *jobs, fed_job_t *job, const call_t *call)
{
	job_host_t *host = jobs_host(jobs, job);

	if (host->submit_op == call->op)
		host->submit_op = 0;
	if (host->grant_op == call->op)
		host->grant_op = 0;
}

/* RET true if it answers an attempt that is past: it says nothing of this */
static bool _is_past(const call_t *call, const fed_job_t *job)
{
	return ((call->action == FED_ACT_FLURM_GRANT) ||
		(call->action == FED_ACT_FLURM_DENY)) &&
	       (call->attempt != job->attempt);
}

static void _op_done(void *arg, flurm_outcome_t outcome,
		     const flurm_result_t *result)
{
	call_t *call = arg;
	jobs_t *jobs = call->jobs;
	fed_job_t *job = fed_job_table_find_epoch(jobs->table, call->id,
						  call->epoch);

	if (job)
		_landed(jobs, job, call);
	if (!job || _is_past(call, job)) {
		xfree(call);
		return;
	}
	switch (outcome) {
	case FLURM_ANSWERED:
		_answered(jobs, job, call->action, result);
		break;
	case FLURM_REFUSED:
		_refused(jobs, job, call->action, result);
		break;
	case FLURM_NOT_DELIVERED:
		jobs_said(jobs, job, call->action, FED_EV_UNSENT);
		if (call->action == FED_ACT_FLURM_SUBMIT)
			jobs_unknown(jobs, job);
		break;
	case FLURM_UNKNOWN:
		jobs_said(jobs, job, call->action, FED_EV_UNSENT);
		break;
	}
	xfree(call);
}

/* RET false if there is nothing to send */
static bool _fill_op(jobs_t *jobs, fed_job_t *job, fed_job_action_t action,
		     flurm_op_t *op)
{
	static const flurm_op_kind_t kinds[FED_ACTIONS] = {
		[FED_ACT_FLURM_SUBMIT] = FLURM_OP_SUBMIT,
		[FED_ACT_FLURM_UPDATE] = FLURM_OP_UPDATE,
		[FED_ACT_FLURM_GRANT] = FLURM_OP_START,
		[FED_ACT_FLURM_DENY] = FLURM_OP_START,
		[FED_ACT_FLURM_SIGNAL] = FLURM_OP_SIGNAL,
		[FED_ACT_FLURM_REVOKE] = FLURM_OP_REVOKE,
		[FED_ACT_FLURM_CANCEL] = FLURM_OP_CANCEL,
	};
	const job_host_t *host = jobs_host(jobs, job);

	flurm_op_init(op, kinds[action]);
	op->fed_job_id = job->id;
	op->epoch = job->epoch;
	switch (action) {
	case FED_ACT_FLURM_SUBMIT:
		op->spec = host->thin ? NULL : host->spec;
		return op->spec != NULL;
	case FED_ACT_FLURM_UPDATE:
		op->spec = host->change;
		return op->spec != NULL;
	case FED_ACT_FLURM_GRANT:
		op->grant = true;
		op->attempt = job->attempt;
		return true;
	case FED_ACT_FLURM_DENY:
		op->attempt = job->attempt;
		op->retry_after = host->waits ? JOB_LIMIT_RETRY_S :
						JOB_DENY_RETRY_S;
		return true;
	case FED_ACT_FLURM_SIGNAL:
		op->signal = job->signals[0].signal;
		if (job->signals[0].flags & KILL_FULL_JOB)
			op->scope = FLURM_SCOPE_FULL;
		else if (job->signals[0].flags & KILL_JOB_BATCH)
			op->scope = FLURM_SCOPE_BATCH;
		return true;
	default:
		return true;
	}
}

static void _give_up(jobs_t *jobs, uint64_t *op)
{
	if (*op)
		(void) flurm_client_cancel(jobs->conf.client, *op);
	*op = 0;
}

extern void jobs_tell_flurm(jobs_t *jobs, fed_job_t *job,
			    fed_job_action_t action)
{
	job_host_t *host = jobs_host(jobs, job);
	flurm_op_t op;
	call_t *call;
	uint64_t id;

	jobs_said(jobs, job, action, FED_EV_SENT);
	if (!_fill_op(jobs, job, action, &op)) {
		/* an update that changes nothing at FLURM */
		if (action == FED_ACT_FLURM_UPDATE) {
			jobs_said(jobs, job, action, FED_EV_ACKED);
			return;
		}
		fed_error("cluster %s: what job %u asks for is lost",
			  jobs->conf.cluster->name, job->id);
		_submit_refused(jobs, job, &(flurm_result_t) {
			.error = "lost" });
		return;
	}
	/* one of an attempt that is past */
	if (action == FED_ACT_FLURM_GRANT)
		_give_up(jobs, &host->grant_op);
	call = _new_call(jobs, job, action);
	id = flurm_client_op(jobs->conf.client, &op, 0, _op_done, call);
	if (!id) {
		xfree(call);
		_try_later(jobs, job, action);
		return;
	}
	call->op = id;
	if (action == FED_ACT_FLURM_SUBMIT)
		host->submit_op = id;
	else if (action == FED_ACT_FLURM_GRANT)
		host->grant_op = id;
}

extern void jobs_flurm_withdraw(jobs_t *jobs, fed_job_t *job)
{
	job_host_t *host = job->host;

	if (!host)
		return;
	/* it need not be delivered, or is not to be started, any more */
	if (job->state != FED_JOB_DELIVERING)
		_give_up(jobs, &host->submit_op);
	if (job->state != FED_JOB_GRANTED)
		_give_up(jobs, &host->grant_op);
}
