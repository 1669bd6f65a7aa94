/*
 * show_job.c - a job of FLURM's, as Slurm's clients know jobs (see show.h).
 */
#include "src/sibling/show.h"

#include <string.h>

#include "src/core/job_id.h"
#include "src/sibling/jobs.h"

#define NO_LIMIT_S (365 * 24 * 3600)	/* what Slurm takes for no limit */

extern bool show_job_started(const view_job_t *job)
{
	return job->job.facts & FED_JOB_F_RAN;
}

static uint32_t _end_state(const view_job_t *job)
{
	fed_job_end_t end = job->job.end;

	/* one that never ran here runs elsewhere, or its origin ended it */
	if (!show_job_started(job) || (end == FED_END_NONE) ||
	    (end == FED_END_REVOKED))
		return JOB_CANCELLED | JOB_REVOKED;
	return jobs_end_state(end);
}

extern uint32_t show_job_state(const view_job_t *job)
{
	switch (job->job.state) {
	case FED_JOB_RUNNING:
		return job->run.suspended ? JOB_SUSPENDED : JOB_RUNNING;
	case FED_JOB_CANCELLING:
	case FED_JOB_WITHDRAWING:
		if (show_job_started(job))
			return JOB_CANCELLED | JOB_COMPLETING;
		return (job->job.state == FED_JOB_CANCELLING) ?
			JOB_CANCELLED : (JOB_CANCELLED | JOB_REVOKED);
	case FED_JOB_ENDED:
	case FED_JOB_GONE:
		return _end_state(job);
	default:
		return JOB_PENDING;
	}
}

static uint32_t _end_reason(const view_job_t *job)
{
	switch (job->job.end) {
	case FED_END_FAILED:
		return job->job.status ? FAIL_EXIT_CODE : FAIL_LAUNCH;
	case FED_END_TIMEOUT:
		return FAIL_TIMEOUT;
	case FED_END_NODE_FAIL:
		return FAIL_DOWN_NODE;
	case FED_END_OUT_OF_MEMORY:
		return FAIL_OOM;
	case FED_END_BOOT_FAIL:
		return FAIL_LAUNCH;
	case FED_END_DEADLINE:
		return FAIL_DEADLINE;
	default:
		return WAIT_NO_REASON;
	}
}

extern uint32_t show_job_reason(const view_job_t *job, time_t now)
{
	uint32_t reason;

	if (show_job_started(job))
		return (job->job.state >= FED_JOB_ENDED) ? _end_reason(job) :
							   WAIT_NO_REASON;
	if (job->job.state >= FED_JOB_RUNNING)
		return WAIT_NO_REASON;
	if (!flurm_is_set(job->spec.priority) || job->spec.priority) {
		if (job->run.held)
			return WAIT_HELD_USER;
	} else {
		return WAIT_HELD;
	}
	if (flurm_or(job->spec.begin_time, 0) > now)
		return WAIT_TIME;
	if (job->waits)
		return job->waits;
	/* FLURM has Slurm's words for the common ones */
	if (job->run.reason) {
		reason = compat_reason_num(job->run.reason);
		if (reason != NO_VAL)
			return reason;
	}
	return (job->job.state == FED_JOB_DELIVERING) ? WAIT_NO_REASON :
							WAIT_RESOURCES;
}

/* RET FLURM's text if it says more than the reason does */
static char *_state_desc(const view_job_t *job)
{
	if (!job->run.reason ||
	    (compat_reason_num(job->run.reason) != NO_VAL))
		return NULL;
	return job->run.reason;
}

/* ---- how much ---- */

static uint32_t _count(int64_t number, uint32_t otherwise)
{
	return (flurm_is_set(number) && (number > 0) && (number < NO_VAL)) ?
		number : otherwise;
}

static uint32_t _tasks(const view_job_t *job)
{
	uint32_t nodes = _count(job->spec.num_nodes, 1);

	return _count(job->spec.num_tasks,
		      nodes * _count(job->spec.ntasks_per_node, 1));
}

extern uint32_t show_job_cpus(const view_job_t *job)
{
	uint32_t asked = _tasks(job) * _count(job->spec.cpus_per_task, 1);

	if (show_job_started(job) && flurm_is_set(job->run.alloc_cpus))
		return job->run.alloc_cpus;
	return MAX(asked, _count(job->spec.num_cpus, 1));
}

extern uint32_t show_job_nodes(const view_job_t *job)
{
	if (show_job_started(job) && flurm_is_set(job->run.alloc_nodes))
		return job->run.alloc_nodes;
	return _count(job->spec.num_nodes, 1);
}

static uint64_t _memory(const view_job_t *job)
{
	if (flurm_or(job->spec.memory_per_cpu_mb, 0) > 0)
		return job->spec.memory_per_cpu_mb | MEM_PER_CPU;
	return flurm_or(job->spec.memory_mb, 0);
}

extern char *show_job_tres(const view_job_t *job)
{
	uint32_t cpus = show_job_cpus(job), nodes = show_job_nodes(job);
	uint64_t memory = _memory(job);
	char *text = NULL;

	memory = (memory & MEM_PER_CPU) ? (memory & ~MEM_PER_CPU) * cpus :
					  memory * nodes;
	xstrfmtcat(text, "cpu=%u", cpus);
	if (memory && !(memory % 1024))
		xstrfmtcat(text, ",mem=%"PRIu64"G", memory / 1024);
	else if (memory)
		xstrfmtcat(text, ",mem=%"PRIu64"M", memory);
	xstrfmtcat(text, ",node=%u,billing=%u", nodes, cpus);
	return text;
}

/* ---- when ---- */

extern uint32_t show_job_limit(const view_t *view, const view_job_t *job)
{
	const flurm_partition_t *part;

	if (flurm_is_set(job->spec.time_limit))
		return job_minutes(job->spec.time_limit, INFINITE);
	if (!(part = nodes_part(view->nodes, job->spec.partition)))
		return INFINITE;
	return job_minutes(flurm_or(part->default_time, part->max_time),
			   INFINITE);
}

static void _set_times(const view_job_t *job, job_info_t *info)
{
	int64_t eligible = flurm_or(job->run.eligible_time, 0);

	/* by that slurmdbd knows it (jobs_rows.c): runaway jobs are told by it */
	info->submit_time = job->job.epoch;
	eligible = MAX(eligible, flurm_or(job->spec.begin_time, 0));
	info->eligible_time = MAX(eligible, job->job.received);
	info->accrue_time = info->eligible_time;
	info->last_sched_eval = job->job.received;
	if (!show_job_started(job)) {
		eligible = flurm_or(job->spec.begin_time, 0);
		if (eligible > time(NULL)) {
			info->start_time = eligible;
			info->end_time = eligible +
					 (time_t) info->time_limit * 60;
		} else if (job->job.state >= FED_JOB_RUNNING) {
			info->start_time = info->end_time = job->job.since;
		}
		return;
	}
	info->start_time = job->job.start_time;
	info->last_sched_eval = job->job.start_time;
	if (job->job.state >= FED_JOB_ENDED)
		info->end_time = job->job.end_time ? job->job.end_time :
						     job->job.since;
	else
		info->end_time = info->start_time +
			((info->time_limit == INFINITE) ? NO_LIMIT_S :
			 (time_t) info->time_limit * 60) +
			job->run.suspended_for;
	if (job->run.suspend_time) {
		info->suspend_time = job->run.suspend_time;
		info->pre_sus_time = job->run.suspend_time -
				     job->job.start_time -
				     job->run.suspended_for;
	}
}

/* ---- where ---- */

/* RET names of the clusters in a mask, or NULL; for xfree() */
static char *_names(const federation_t *fed, uint64_t mask)
{
	char *names = NULL;

	for (uint32_t id = 1; id <= FED_ID_MAX; id++) {
		const fed_member_t *member;

		if (!(mask & fed_sibling_bit(id)) ||
		    !(member = federation_find_id(fed, id)))
			continue;
		xstrfmtcat(names, "%s%s", names ? "," : "", member->name);
	}
	return names;
}

static void _set_fed(const view_t *view, const view_job_t *job,
		     job_info_t *info)
{
	const fed_member_t *member;

	if (job->origin)
		info->fed_origin_str = xstrdup(job->origin);
	else if ((member = federation_find_id(
			view->fed, fed_job_id_origin(job->job.id))))
		info->fed_origin_str = xstrdup(member->name);
	info->fed_siblings_viable = job->job.viable;
	info->fed_siblings_viable_str = _names(view->fed, job->job.viable);
	if (!show_job_started(job) || !view->fed->self)
		return;
	info->fed_siblings_active = fed_sibling_bit(view->fed->self->fed_id);
	info->fed_siblings_active_str = xstrdup(view->cluster);
}

static void _set_place(const view_t *view, const view_job_t *job,
		       job_info_t *info)
{
	if (!show_job_started(job) || !job->run.nodes)
		return;
	info->nodes = job->run.nodes;
	if (view->nodes)
		info->node_inx = nodes_inx(view->nodes, job->run.nodes);
	info->batch_host = nodes_first(job->run.nodes);
	info->tres_alloc_str = show_job_tres(job);
}

/* 0 is held, and no other is. */
static uint32_t _priority(const view_t *view, const view_job_t *job)
{
	int64_t priority;

	if (flurm_is_set(job->spec.priority))
		return _count(job->spec.priority, 0);
	priority = nodes_part_priority(view->nodes, job->spec.partition) -
		   flurm_or(job->spec.nice, 0);
	return _count(priority, 1);
}

/* Newer slurmctlds leave out the arguments. */
static char *_command(const view_job_t *job)
{
	char *command = xstrdup(job->submit.command);
	char *const *argv = COMPAT_IF_24_11(NULL, job->spec.argv);

	for (; command && argv && *argv; argv++)
		xstrfmtcat(command, " %s", *argv);
	return command;
}

static void _set_asked(const view_job_t *job, job_info_t *info)
{
	const flurm_job_spec_t *spec = &job->spec;

	info->name = spec->name;
	info->user_id = _count(spec->user_id, 0);
	info->group_id = _count(spec->group_id, 0);
	info->account = spec->account;
	info->qos = spec->qos;
	info->wckey = spec->wckey;
	info->comment = spec->comment;
	info->dependency = spec->dependency;
	info->features = spec->features;
	info->licenses = spec->licenses;
	info->resv_name = spec->reservation;
	info->req_nodes = spec->req_nodes;
	info->exc_nodes = spec->exc_nodes;
	info->work_dir = spec->work_dir;
	info->std_in = spec->std_in;
	info->std_out = spec->std_out;
	info->std_err = spec->std_err;
	info->command = _command(job);
	if (spec->gres)
		info->tres_per_node = xstrdup_printf("gres:%s", spec->gres);
	info->deadline = flurm_or(spec->deadline, 0);
	info->nice = NICE_OFFSET + flurm_or(spec->nice, 0);
	info->cpus_per_task = _count(spec->cpus_per_task, 1);
	info->pn_min_cpus = info->cpus_per_task;
	info->pn_min_memory = _memory(job);
	info->pn_min_tmp_disk = flurm_or(spec->tmp_disk_mb, 0);
	info->num_tasks = _tasks(job);
	/* newer clients say "-c 2" in this way too */
	if (COMPAT_IF_24_11(flurm_is_set(spec->cpus_per_task), false))
		info->tres_per_task = xstrdup_printf("cpu=%u",
						     info->cpus_per_task);
	info->ntasks_per_node = flurm_or(spec->ntasks_per_node, 0);
	info->time_min = flurm_is_set(spec->time_min) ?
		job_minutes(spec->time_min, INFINITE) : 0;
	info->requeue = job->requeue;
}

extern void show_job(const view_t *view, const view_job_t *job,
		     job_info_t *ret_info)
{
	const job_submit_t *submit = &job->submit;

	pack_info_job_init(ret_info);
	ret_info->job_id = job->job.id;
	ret_info->batch_flag = 1;
	ret_info->cluster = (char *) view->cluster;
	ret_info->job_state = show_job_state(job);
	ret_info->state_reason = show_job_reason(job, view->made);
	ret_info->state_desc = _state_desc(job);
	ret_info->restart_cnt = job->job.restarts;
	ret_info->exit_code = (job->job.state >= FED_JOB_ENDED) ?
		job->job.status : 0;
	_set_asked(job, ret_info);
	ret_info->priority = _priority(view, job);
	ret_info->partition = (char *)
		nodes_part_name(view->nodes, job->spec.partition);
	ret_info->alloc_node = submit->alloc_node;
	ret_info->alloc_sid = submit->alloc_sid;
	ret_info->cluster_features = submit->cluster_features;
	ret_info->mail_type = submit->mail_type;
	ret_info->mail_user = submit->mail_user;
	ret_info->prefer = show_job_started(job) ? NULL : submit->prefer;
	ret_info->shared = submit->shared;
	ret_info->num_cpus = show_job_cpus(job);
	ret_info->num_nodes = show_job_nodes(job);
	if (!show_job_started(job))
		ret_info->max_nodes = _count(job->spec.max_nodes, 0);
	ret_info->tres_req_str = show_job_tres(job);
	ret_info->time_limit = show_job_limit(view, job);
	_set_times(job, ret_info);
	_set_place(view, job, ret_info);
	_set_fed(view, job, ret_info);
}

extern void show_job_free(job_info_t *info)
{
	xfree(info->batch_host);
	xfree(info->command);
	xfree(info->fed_origin_str);
	xfree(info->fed_siblings_active_str);
	xfree(info->fed_siblings_viable_str);
	xfree(info->node_inx);
	xfree(info->tres_alloc_str);
	xfree(info->tres_per_node);
	xfree(info->tres_per_task);
	xfree(info->tres_req_str);
}
