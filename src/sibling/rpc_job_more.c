/*
 * rpc_job_more.c - what clients ask of one job beyond its record: its step,
 * its script, its priority (see rpc_int.h).
 */
#include "src/sibling/rpc_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/sibling/rights.h"
#include "src/sibling/show.h"

/* ---- steps: the batch step of what runs ---- */

static void _fill_step(const view_t *view, const job_info_t *job,
		       job_step_info_t *step)
{
	time_t since = MAX(job->start_time, job->suspend_time);

	memset(step, 0, sizeof(*step));
	step->array_task_id = NO_VAL;
	step->step_id.job_id = job->job_id;
	step->step_id.step_id = SLURM_BATCH_SCRIPT;
	step->step_id.step_het_comp = NO_VAL;
	step->user_id = job->user_id;
	step->num_cpus = job->num_cpus;
	step->cpu_freq_min = step->cpu_freq_max = step->cpu_freq_gov = NO_VAL;
	step->num_tasks = 1;
	step->task_dist = SLURM_DIST_UNKNOWN;
	step->time_limit = INFINITE;
	step->state = job->job_state;
	step->start_time = job->start_time;
	step->run_time = job->pre_sus_time +
		((job->job_state == JOB_SUSPENDED) ? 0 : view->made - since);
	step->cluster = job->cluster;
	step->partition = job->partition;
	step->name = (char *) "batch";
	step->nodes = job->batch_host;
	step->srun_host = job->batch_host;
	step->tres_alloc_str = job->tres_alloc_str;
	step->start_protocol_ver = job->start_protocol_ver;
	if (view->nodes)
		step->node_inx = nodes_inx(view->nodes, job->batch_host);
}

static bool _has_step(const view_job_t *job)
{
	return (job->job.state == FED_JOB_RUNNING) && show_job_started(job);
}

/* squeue and scontrol have words of their own for all of them. */
static bool _all(uint32_t id)
{
	return (id == NO_VAL) || (id == INFINITE);
}

static bool _all_jobs(const slurm_step_id_t *id)
{
	return !id->job_id || _all(id->job_id);
}

static bool _wants(const slurm_step_id_t *id, const view_job_t *job)
{
	return _all_jobs(id) ||
	       ((id->job_id == job->job.id) &&
		(_all(id->step_id) || (id->step_id == SLURM_BATCH_SCRIPT)));
}

static void _pack_step(const view_t *view, const view_job_t *job, buf_t *buf,
		       uint16_t version)
{
	job_step_info_t step;
	job_info_t info;

	show_job(view, job, &info);
	_fill_step(view, &info, &step);
	(void) pack_info_step(buf, &step, version);
	xfree(step.node_inx);
	show_job_free(&info);
}

static void _serve_steps(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid,
			 const view_t *view)
{
	const job_step_info_request_msg_t *request = msg->data;
	uint16_t version = msg->protocol_version;
	buf_t *buf = pack_info_steps(view->made, version);
	uint32_t count = 0;

	if (!buf) {
		(void) slurm_send_rc_msg(msg, SLURM_PROTOCOL_VERSION_ERROR);
		return;
	}
	for (size_t i = 0; i < view->job_cnt; i++) {
		const view_job_t *job = view->job[i];

		if (!_has_step(job) || !_wants(&request->step_id, job) ||
		    !rights_see_job(conf, uid, job))
			continue;
		_pack_step(view, job, buf, version);
		count++;
	}
	pack_info_steps_end(buf, count, version);
	(void) compat_reply_body(msg, RESPONSE_JOB_STEP_INFO, buf);
	free_buf(buf);
}

extern void rpc_steps(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const job_step_info_request_msg_t *request = msg->data;
	view_t *view = rpc_view(conf, msg);

	if (!view)
		return;
	if (!_all_jobs(&request->step_id) &&
	    !rpc_job_find(conf, view, request->step_id.job_id))
		(void) slurm_send_rc_msg(msg, ESLURM_INVALID_JOB_ID);
	else if (!rpc_no_change(msg, request->last_update,
				view->jobs_changed))
		_serve_steps(conf, msg, uid, view);
	view_unref(view);
}

/* ---- the script ---- */

extern void rpc_script(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const job_id_msg_t *request = msg->data;
	view_t *view = rpc_view(conf, msg);
	const view_job_t *job;
	char *script;
	buf_t *buf;

	if (!view)
		return;
	job = rpc_job_find(conf, view, request->job_id);
	if (!job) {
		(void) slurm_send_rc_msg(msg, ESLURM_INVALID_JOB_ID);
	} else if ((job->spec.user_id != (int64_t) uid) &&
		   !rights_operator(conf, uid)) {
		(void) slurm_send_rc_msg(msg, ESLURM_USER_ID_MISSING);
	} else if (!(script = engine_script(conf->engine, request->job_id))) {
		(void) slurm_send_rc_msg(msg, ESLURM_JOB_SCRIPT_MISSING);
	} else {
		buf = create_buf(script, strlen(script) + 1);
		(void) compat_reply(msg, RESPONSE_BATCH_SCRIPT, buf);
		free_buf(buf);
	}
	view_unref(view);
}

/* ---- whether its nodes are ready, asked for by those who wait for it ---- */

extern void rpc_job_ready(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const job_id_msg_t *request = msg->data;
	view_t *view = rpc_view(conf, msg);
	return_code_msg_t rc = {
		.return_code = READY_NODE_STATE | READY_PROLOG_STATE,
	};
	const view_job_t *job;

	if (!view)
		return;
	job = rpc_job_find(conf, view, request->job_id);
	if (!job) {
		(void) slurm_send_rc_msg(msg, ESLURM_INVALID_JOB_ID);
	} else {
		if (job->job.state == FED_JOB_RUNNING)
			rc.return_code |= READY_JOB_STATE;
		(void) compat_reply(msg, RESPONSE_JOB_READY, &rc);
	}
	view_unref(view);
}

/* ---- sprio ---- */

/*
 * As priority_multifactor.c has it: not those that are held or may not begin
 * yet (priority_p_get_priority_factors_list()).
 */
static bool _has_factors(const view_t *view, const job_info_t *info)
{
	slurm_conf_t *conf = slurm_conf_lock();
	bool always = conf->priority_flags & PRIORITY_FLAGS_ACCRUE_ALWAYS;

	slurm_conf_unlock();
	return (info->job_state == JOB_PENDING) && info->priority &&
	       (always || (info->eligible_time <= view->made));
}

/*
 * FLURM orders its queue by the priority that was asked for, which in Slurm
 * stands for itself, or else by partition and nice value.
 */
static void _add_factors(const view_t *view, const view_job_t *job,
			 const job_info_t *info, compat_list_t list)
{
	priority_factors_object_t *object = xmalloc(sizeof(*object));
	compat_factors_t *factors;

	object->job_id = info->job_id;
	object->user_id = info->user_id;
	/* the view's */
	object->partition = info->partition;
	COMPAT_IF_24_11(object->account = info->account, );
	COMPAT_IF_24_11(object->qos = info->qos, );
	if (flurm_is_set(job->spec.priority)) {
		object->direct_prio = info->priority;
	} else {
		factors = compat_factors(object);
		factors->priority_part = nodes_part_priority(
			view->nodes, job->spec.partition);
		factors->priority_site = NICE_OFFSET;
		factors->nice = info->nice;
	}
	list_append(list, object);
}

extern void rpc_priorities(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	priority_factors_response_msg_t response = { 0 };
	view_t *view = rpc_view(conf, msg);
	job_info_t info;

	if (!view)
		return;
	response.priority_factors_list = list_create(compat_free_factors);
	for (size_t i = 0; i < view->job_cnt; i++) {
		if (!rights_see_job(conf, uid, view->job[i]))
			continue;
		show_job(view, view->job[i], &info);
		if (_has_factors(view, &info))
			_add_factors(view, view->job[i], &info,
				     response.priority_factors_list);
		show_job_free(&info);
	}
	(void) compat_reply(msg, RESPONSE_PRIORITY_FACTORS, &response);
	FREE_NULL_LIST(response.priority_factors_list);
	view_unref(view);
}
