/*
 * jobs_flurm.c - what is said to FLURM about a job, and what it says
 * (jobs_int.h).
 *
 * An op that is refused because FLURM's job is somewhere else (409) or is not
 * there (404) is followed by a question; the answer is an event like any
 * other. Events of the stream are acknowledged when what they changed is
 * durable. When the stream has a gap, or FLURM is another instance, all its
 * jobs are asked for, and only a complete list says of a job that it is gone.
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

/* ---- what FLURM says when asked ---- */

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

static void _unknown(jobs_t *jobs, fed_job_t *job)
{
	fed_job_event_t event = { .type = FED_EV_UNKNOWN, .now = jobs->now };

	jobs_event(jobs, job, &event);
}

static void _asked_done(void *arg, flurm_outcome_t outcome,
			const flurm_job_t *seen, const fed_err_t *err)
{
	call_t *call = arg;
	jobs_t *jobs = call->jobs;
	fed_job_t *job = fed_job_table_find_epoch(jobs->table, call->id,
						  call->epoch);
	fed_job_event_t event;

	if (job && (outcome == FLURM_ANSWERED) &&
	    (seen->spec.epoch == call->epoch)) {
		_keep_view(jobs, job, seen);
		event = _view_event(jobs, job, seen, call->asked);
		jobs_event(jobs, job, &event);
	} else if (job && ((outcome == FLURM_ANSWERED) ||
			   ((outcome == FLURM_REFUSED) &&
			    (err->code == 404)))) {
		/* it has another epoch, or none: not this one */
		if (job->changed <= call->asked)
			_unknown(jobs, job);
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
			_unknown(jobs, job);
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
			_unknown(jobs, job);
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

/* ---- the event stream ---- */

static void _list_all(jobs_t *jobs);

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

static void _on_page(void *arg, const flurm_job_page_t *page)
{
	jobs_t *jobs = arg;
	fed_job_event_t event;

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
		_keep_view(jobs, job, seen);
		event = _view_event(jobs, job, seen, jobs->list_asked);
		jobs_event(jobs, job, &event);
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
	_unknown(jobs, job);
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

extern void jobs_flurm_start(jobs_t *jobs)
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

extern void jobs_flurm_ack(jobs_t *jobs)
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

extern void jobs_flurm_tick(jobs_t *jobs)
{
	if (jobs->relist)
		_list_all(jobs);
}
