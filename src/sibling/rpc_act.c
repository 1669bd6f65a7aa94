/*
 * rpc_act.c - what clients want done with a job (see rpc_int.h).
 *
 * Whose it is decides, as in slurmctld/proc_req.c: who holds a job's lock
 * cancels and suspends it, all else is its origin's, and the client is sent
 * there. A client that was sent to us because the job runs here is never sent
 * back, or it would go to and fro for ever.
 */
#include "src/sibling/rpc_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/job_id.h"
#include "src/core/log.h"
#include "src/sibling/rights.h"

extern uint32_t rpc_job_id(const char *given, uint32_t number)
{
	const char *text = rpc_text(given);
	unsigned long id;
	char *end;

	if (!given || (text && !text[0]))
		return (number == NO_VAL) ? 0 : number;
	if (!text)
		return 0;
	id = strtoul(text, &end, 10);
	return (end == text || id >= NO_VAL) ? 0 : id;
}

extern bool rpc_job_is_ours(const view_job_t *job)
{
	return job && ((job->job.facts & (FED_JOB_F_RAN | FED_JOB_F_MAY_RUN |
					  FED_JOB_F_LEFT)) ||
		       (job->job.state == FED_JOB_RUNNING));
}

/* RET true if the client has been sent to the job's origin */
static bool _send_to_origin(const view_t *view, slurm_msg_t *msg, uid_t uid,
			    uint32_t job_id)
{
	const federation_t *fed = view->fed;
	const fed_member_t *origin = federation_find_id(
		fed, fed_job_id_origin(job_id));
	slurmdb_cluster_rec_t to;

	if (!origin || (origin == fed->self) ||
	    !federation_member_is_up(origin))
		return false;
	slurmdb_init_cluster_rec(&to, false);
	to.name = origin->name;
	to.control_host = origin->host;
	to.control_port = origin->port;
	to.rpc_version = origin->rpc_version;
	to.fed.name = fed->name;
	to.fed.id = origin->fed_id;
	to.fed.state = origin->state;
	fed_verbose("cluster %s: %s of job %u by uid %u is sent to %s",
		    view->cluster, rpc_num2string(msg->msg_type), job_id, uid,
		    origin->name);
	(void) compat_reply_reroute(msg, &to);
	return true;
}

/* For what only the origin can do. */
static void _origin_only(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid,
			 uint32_t job_id)
{
	view_t *view = rpc_view_now(conf, msg);

	if (!view)
		return;
	if (!_send_to_origin(view, msg, uid, job_id))
		(void) slurm_send_rc_msg(msg, rpc_job_find(conf, view, job_id) ?
					 ESLURM_NOT_SUPPORTED :
					 ESLURM_INVALID_JOB_ID);
	view_unref(view);
}

/* ---- cancel ---- */

static uint32_t _kill(const rpc_conf_t *conf, const view_job_t *job,
		      uid_t uid, uint16_t signal, uint16_t flags)
{
	if (!rights_job(conf, uid, job)) {
		fed_log_once(conf->complaints, FED_LOG_ERROR,
			     "cluster %s: uid %u may not cancel job %u of uid %lld",
			     conf->cluster, uid, job->job.id,
			     (long long) job->spec.user_id);
		return ESLURM_ACCESS_DENIED;
	}
	if (job->job.state >= FED_JOB_ENDED)
		return ESLURM_ALREADY_DONE;
	return engine_cancel(conf->engine, job->job.id, signal, flags, uid);
}

static void _serve_kill(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid,
			uint32_t job_id, uint16_t flags)
{
	const job_step_kill_msg_t *kill = msg->data;
	view_t *view = rpc_view_now(conf, msg);
	const view_job_t *job;
	uint32_t rc;

	if (!view)
		return;
	job = rpc_job_find(conf, view, job_id);
	if (rpc_job_is_ours(job) || !_send_to_origin(view, msg, uid, job_id)) {
		rc = job ? _kill(conf, job, uid, kill->signal, flags) :
			   ESLURM_INVALID_JOB_ID;
		(void) slurm_send_rc_msg(msg, rc);
	}
	view_unref(view);
}

extern void rpc_kill_job(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const job_step_kill_msg_t *kill = msg->data;
	uint32_t job_id = rpc_job_id(kill->sjob_id, kill->step_id.job_id);

	/* which siblings a job has is its origin's to say */
	if (kill->sibling)
		_origin_only(conf, msg, uid, job_id);
	else
		_serve_kill(conf, msg, uid, job_id, kill->flags);
}

/* FLURM's jobs have one step, the batch script. */
extern void rpc_kill_step(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const job_step_kill_msg_t *kill = msg->data;

	if (kill->step_id.step_id == SLURM_BATCH_SCRIPT)
		_serve_kill(conf, msg, uid, kill->step_id.job_id,
			    kill->flags | KILL_JOB_BATCH);
	else if (kill->step_id.step_id == NO_VAL)
		_serve_kill(conf, msg, uid, kill->step_id.job_id, kill->flags);
	else
		(void) slurm_send_rc_msg(msg, ESLURM_ALREADY_DONE);
}

/* ---- suspend, resume ---- */

/* As slurmctld's job_suspend(): not the owner, who could not know when */
static uint32_t _may_suspend(const rpc_conf_t *conf, const view_job_t *job,
			     uid_t uid, bool suspend)
{
	if (!rights_operator(conf, uid) &&
	    !(COMPAT_COORDINATORS_SUSPEND &&
	      rights_coordinator(conf, uid, job)))
		return ESLURM_ACCESS_DENIED;
	if (job->job.state >= FED_JOB_ENDED)
		return ESLURM_ALREADY_DONE;
	if (job->job.state < FED_JOB_RUNNING)
		return ESLURM_JOB_PENDING;
	if (job->job.state != FED_JOB_RUNNING)
		return ESLURM_JOB_NOT_RUNNING;
	if (!suspend && !job->run.suspended)
		return ESLURM_JOB_NOT_SUSPENDED;
	return SLURM_SUCCESS;
}

extern void rpc_suspend(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const suspend_msg_t *request = msg->data;
	uint32_t job_id = rpc_job_id(request->job_id_str, request->job_id);
	bool suspend = (request->op == SUSPEND_JOB);
	view_t *view = rpc_view_now(conf, msg);
	const view_job_t *job;
	uint32_t rc;

	if (!view)
		return;
	/*
	 * Of a job that nobody has slurmctld answers nothing at all
	 * (proc_req.c, _slurm_rpc_suspend()): a native's client says so, in
	 * words of its own, and ours does as well.
	 */
	if (!(job = rpc_job_find(conf, view, job_id))) {
		(void) _send_to_origin(view, msg, uid, job_id);
	} else {
		rc = _may_suspend(conf, job, uid, suspend);
		if (!rc && (suspend != job->run.suspended))
			rc = engine_suspend(conf->engine, job_id, suspend);
		(void) slurm_send_rc_msg(msg, rc);
	}
	view_unref(view);
}

/* ---- what is the origin's ---- */

extern void rpc_update_job(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const job_desc_msg_t *request = msg->data;

	_origin_only(conf, msg, uid,
		     rpc_job_id(request->job_id_str, request->job_id));
}

extern void rpc_requeue(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const requeue_msg_t *request = msg->data;

	_origin_only(conf, msg, uid,
		     rpc_job_id(request->job_id_str, request->job_id));
}

/* ---- top ---- */

/* As slurmctld's job_set_top() */
static uint32_t _may_top(const rpc_conf_t *conf, uid_t uid)
{
	const slurm_conf_t *slurm = slurm_conf_lock();
	bool users = xstrcasestr(slurm->sched_params, "enable_user_top");

	slurm_conf_unlock();
	return (users || rights_operator(conf, uid)) ? SLURM_SUCCESS :
						       ESLURM_ACCESS_DENIED;
}

/*
 * As job_set_top() reads them: "7_*" is all of job 7, and FLURM has no array.
 * RET the number of ids, 0 if one of them is none of a job here
 */
static int _top_ids(const rpc_conf_t *conf, const view_t *view, char *text,
		    uint32_t **ret_ids)
{
	char *save = NULL, *end, *word;
	int count = 0;
	long id;

	for (word = strtok_r(text, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		id = strtol(word, &end, 10);
		if ((end[0] && xstrcmp(end, "_*")) || (id <= 0) ||
		    (id >= NO_VAL) || !rpc_job_find(conf, view, id))
			return 0;
		xrecalloc(*ret_ids, count + 1, sizeof(**ret_ids));
		(*ret_ids)[count++] = id;
	}
	return count;
}

/* A native does it with its own copy, and sends nobody to the origin. */
extern void rpc_top(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const top_job_msg_t *request = msg->data;
	uint32_t rc = _may_top(conf, uid), *ids = NULL;
	view_t *view;
	char *text;
	int count;

	if (rc) {
		(void) slurm_send_rc_msg(msg, rc);
		return;
	}
	if (!(view = rpc_view_now(conf, msg)))
		return;
	text = xstrdup(rpc_text(request->job_id_str));
	count = text ? _top_ids(conf, view, text, &ids) : 0;
	rc = count ? engine_top(conf->engine, ids, count,
				rights_operator(conf, uid) ? 0 : uid) :
		     ESLURM_INVALID_JOB_ID;
	(void) slurm_send_rc_msg(msg, rc);
	xfree(ids);
	xfree(text);
	view_unref(view);
}

/* ---- notify ---- */

/* As slurmctld's _slurm_rpc_job_notify() and srun_user_message() */
static uint32_t _may_notify(const rpc_conf_t *conf, const view_job_t *job,
			    uid_t uid)
{
	if ((job->spec.user_id != (int64_t) uid) &&
	    !site_is_daemon_uid(conf->site, uid))
		return ESLURM_USER_ID_MISSING;
	if (job->job.state < FED_JOB_RUNNING)
		return ESLURM_DISABLED;
	return (job->job.state == FED_JOB_RUNNING) ? SLURM_SUCCESS :
						     ESLURM_ALREADY_DONE;
}

extern void rpc_notify(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const job_notify_msg_t *request = msg->data;
	uint32_t job_id = request->step_id.job_id;
	const char *text = rpc_text(request->message);
	view_t *view = rpc_view_now(conf, msg);
	const view_job_t *job;
	uint32_t rc;

	if (!view)
		return;
	job = rpc_job_find(conf, view, job_id);
	if (job || !_send_to_origin(view, msg, uid, job_id)) {
		rc = job ? _may_notify(conf, job, uid) : ESLURM_INVALID_JOB_ID;
		if (!rc)
			rc = engine_notify(conf->engine, job_id,
					   text ? text : "");
		(void) slurm_send_rc_msg(msg, rc);
	}
	view_unref(view);
}
