/*
 * rpc_kill_jobs.c - scancel of many jobs at once, since 24.05 (see rpc_int.h).
 *
 * A client is not sent elsewhere with these: its jobs may have many origins,
 * and what waits there may not be meant. So what runs here is ended here, and
 * of what waits the origins are asked. What is answered follows slurmctld's
 * job_mgr_signal_jobs().
 */
#include "src/sibling/rpc_int.h"

#include <signal.h>

#include "src/core/job_id.h"
#include "src/core/log.h"
#include "src/sibling/rights.h"
#include "src/sibling/show.h"

typedef struct {
	const rpc_conf_t *conf;
	const view_t *view;
	uid_t uid;
	const void *filter;
	bool by_id;		/* jobs are named */
	uint32_t *waiting;	/* those for their origins */
	int waiting_cnt;
	compat_killed_t killed;
} bulk_t;

static bool _is_named(const bulk_t *bulk, uint32_t job_id)
{
	const char *name;

	for (uint32_t i = 0; (name = compat_kill_named(bulk->filter, i)); i++) {
		if (rpc_job_id(name, NO_VAL) == job_id)
			return true;
	}
	return false;
}

static bool _matches(const bulk_t *bulk, const view_job_t *job)
{
	job_info_t info;
	bool matches;

	show_job(bulk->view, job, &info);
	matches = compat_kill_matches(bulk->filter, &info);
	show_job_free(&info);
	return matches;
}

/* What became of it, if that is to be told */
static void _tell(bulk_t *bulk, uint32_t job_id, uint32_t rc)
{
	if (rc || (compat_kill_flags(bulk->filter) & KILL_JOBS_VERBOSE))
		compat_killed_add(&bulk->killed, job_id, rc, NULL);
}

static void _kill_here(bulk_t *bulk, uint32_t job_id)
{
	_tell(bulk, job_id,
	      engine_cancel(bulk->conf->engine, job_id,
			    compat_kill_signal(bulk->filter),
			    compat_kill_flags(bulk->filter), bulk->uid));
}

static void _kill_one(bulk_t *bulk, const view_job_t *job)
{
	uint32_t id = job->job.id;

	if (rpc_job_is_past(bulk->conf, bulk->view, job) ||
	    (bulk->by_id && !_is_named(bulk, id)))
		return;
	if (job->job.state >= FED_JOB_ENDED) {
		if (bulk->by_id)
			_tell(bulk, id, ESLURM_ALREADY_DONE);
	} else if (!_matches(bulk, job)) {
		if (bulk->by_id)
			_tell(bulk, id, ESLURM_JOB_SIGNAL_FAILED);
	} else if (!rights_job(bulk->conf, bulk->uid, job)) {
		_tell(bulk, id, ESLURM_ACCESS_DENIED);
	} else if (rpc_job_is_ours(job)) {
		_kill_here(bulk, id);
	} else if (compat_kill_signal(bulk->filter) != SIGKILL) {
		/* it has nothing that could get a signal */
		_tell(bulk, id, ESLURM_TRANSITION_STATE_NO_UPDATE);
	} else {
		bulk->waiting[bulk->waiting_cnt++] = id;
	}
}

static void _ask_origins(bulk_t *bulk)
{
	uint32_t *rcs = xcalloc(bulk->waiting_cnt + 1, sizeof(*rcs));

	if (bulk->waiting_cnt)
		engine_cancel_at_origin(bulk->conf->engine, bulk->waiting,
					bulk->waiting_cnt, SIGKILL,
					compat_kill_flags(bulk->filter),
					bulk->uid, rcs);
	for (int i = 0; i < bulk->waiting_cnt; i++) {
		/* it hears of it when it is back, as from a native */
		if (rcs[i] == SLURM_COMMUNICATIONS_CONNECTION_ERROR)
			_kill_here(bulk, bulk->waiting[i]);
		else
			_tell(bulk, bulk->waiting[i], rcs[i]);
	}
	xfree(rcs);
}

/* As job_mgr.c, _filter_jobs_ids() and _job_not_found(), in their words */
static void _tell_unknown(bulk_t *bulk)
{
	const char *name;
	uint32_t id;

	for (uint32_t i = 0; (name = compat_kill_named(bulk->filter, i)); i++) {
		id = rpc_job_id(name, NO_VAL);
		if (rpc_job_find(bulk->conf, bulk->view, id))
			continue;
		if (federation_find_id(bulk->view->fed, fed_job_id_origin(id)))
			compat_killed_add(&bulk->killed, id,
					  ESLURM_JOB_SIGNAL_FAILED,
					  "Job id not in federation: ");
		else
			_tell(bulk, id, ESLURM_JOB_NOT_FEDERATED);
	}
}

extern void rpc_kill_jobs(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	view_t *view = rpc_view_now(conf, msg);
	bulk_t bulk = {
		.conf = conf,
		.view = view,
		.uid = uid,
		.filter = msg->data,
		.by_id = compat_kill_named(msg->data, 0),
	};

	if (!view)
		return;
	if (!bulk.by_id && !compat_kill_filters(msg->data)) {
		(void) slurm_send_rc_msg(msg, ESLURM_SIGNAL_JOBS_INVALID);
		view_unref(view);
		return;
	}
	bulk.waiting = xcalloc(view->job_cnt + 1, sizeof(*bulk.waiting));
	for (size_t i = 0; i < view->job_cnt; i++)
		_kill_one(&bulk, view->job[i]);
	_ask_origins(&bulk);
	_tell_unknown(&bulk);
	compat_reply_killed(msg, &bulk.killed);
	xfree(bulk.waiting);
	view_unref(view);
}
