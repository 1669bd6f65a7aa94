/*
 * pack_job.c - job records of a RESPONSE_JOB_INFO (see pack_info.h).
 *
 * What slurmctld's pack_job() sends and the client's unpack expects. There are
 * two layouts: from 20.11 to 24.05 fields were only added, 24.11 orders them
 * anew. Parts that are alike in both are functions of their own. The record
 * goes out as it is: what a client shall see as a pending, running or ended
 * job's times, nodes and counts is for the caller to put there.
 *
 * The order of the lines below is the layout. A field that this build's
 * structures lack belongs to a version that this build never meets.
 */
#include "src/sibling/pack_info.h"

#include <string.h>

extern void pack_info_job_init(job_info_t *job)
{
	memset(job, 0, sizeof(*job));
	job->array_task_id = NO_VAL;
	job->billable_tres = NO_VAL;
	job->core_spec = NO_VAL16;
	job->cores_per_socket = NO_VAL16;
	job->cpu_freq_gov = NO_VAL;
	job->cpu_freq_max = NO_VAL;
	job->cpu_freq_min = NO_VAL;
	job->cpus_per_task = 1;
	job->het_job_offset = NO_VAL;
	job->nice = NICE_OFFSET;
	job->ntasks_per_core = INFINITE16;
	job->ntasks_per_socket = INFINITE16;
	job->ntasks_per_tres = NO_VAL16;
	job->num_cpus = 1;
	job->num_nodes = 1;
	job->num_tasks = 1;
	COMPAT_IF_24_11(job->oom_kill_step = NO_VAL16, );
	job->pn_min_cpus = 1;
	job->shared = NO_VAL16;
	job->site_factor = NICE_OFFSET;
	job->sockets_per_node = NO_VAL16;
	job->start_protocol_ver = COMPAT_VERSION_OWN;
	job->threads_per_core = NO_VAL16;
	job->time_limit = NO_VAL;
}

/* The tasks that this record stands for, as a mask in hexadecimal */
static void _pack_array_tasks(const job_info_t *job, buf_t *buf)
{
	char *mask = NULL;

	if (job->array_bitmap)
		mask = bit_fmt_hexmask_trim(job->array_bitmap);
	packstr(mask, buf);
	pack32(job->array_max_tasks, buf);
	xfree(mask);
}

/* One priority for each partition that the job was submitted to */
static void _pack_priorities(const job_info_t *job, buf_t *buf)
{
	uint32_t *priorities = COMPAT_IF_24_11(job->priority_array, NULL);
	char *names = COMPAT_IF_24_11(job->priority_array_names, NULL);
	uint32_t count = 0;

	if (priorities && names) {
		count = 1;
		for (const char *c = names; *c; c++)
			count += (*c == ',');
	}
	pack32_array(count ? priorities : NULL, count, buf);
	packstr(names, buf);
}

static void _pack_allocation(const job_info_t *job, buf_t *buf,
			     uint16_t version)
{
	pack_job_resources(job->job_resrcs, buf, version);
	packstr_array(job->gres_detail_str, job->gres_detail_cnt, buf);
}

/* The node counts that the job can run with */
static void _pack_job_size(const job_info_t *job, buf_t *buf)
{
	char *sizes = COMPAT_IF_24_11(job->job_size_str, NULL);
	int32_t *inx = sizes ? bitfmt2int(sizes) : NULL;

	pack_info_inx(buf, inx);
	xfree(inx);
}

static void _pack_multi_core(const job_info_t *job, buf_t *buf,
			     uint16_t version)
{
	multi_core_data_t mc = {
		.boards_per_node = job->boards_per_node,
		.sockets_per_board = job->sockets_per_board,
		.sockets_per_node = job->sockets_per_node,
		.cores_per_socket = job->cores_per_socket,
		.threads_per_core = job->threads_per_core,
		.ntasks_per_board = job->ntasks_per_board,
		.ntasks_per_socket = job->ntasks_per_socket,
		.ntasks_per_core = job->ntasks_per_core,
	};
	bool set = mc.boards_per_node || mc.sockets_per_board ||
		mc.sockets_per_node || mc.cores_per_socket ||
		mc.threads_per_core || mc.ntasks_per_board ||
		mc.ntasks_per_socket || mc.ntasks_per_core;

	pack_multi_core_data(set ? &mc : NULL, buf, version);
}

/* What slurmctld calls the details of a pending job; sent in every state */
static void _pack_pending(const job_info_t *job, buf_t *buf, uint16_t version)
{
	pack16(job->contiguous, buf);
	pack16(job->core_spec, buf);
	pack16(job->cpus_per_task, buf);
	pack16(job->pn_min_cpus, buf);
	pack64(job->pn_min_memory, buf);
	pack32(job->pn_min_tmp_disk, buf);
	if (version >= PACK_24_11)
		pack16(COMPAT_IF_24_11(job->oom_kill_step, NO_VAL16), buf);
	packstr(job->req_nodes, buf);
	pack_info_inx(buf, job->req_node_inx);
	packstr(job->exc_nodes, buf);
	pack_info_inx(buf, job->exc_node_inx);
	packstr(job->std_err, buf);
	packstr(job->std_in, buf);
	packstr(job->std_out, buf);
	_pack_multi_core(job, buf, version);
}

static void _pack_fed(const job_info_t *job, buf_t *buf)
{
	packstr(job->fed_origin_str, buf);
	pack64(job->fed_siblings_active, buf);
	packstr(job->fed_siblings_active_str, buf);
	pack64(job->fed_siblings_viable, buf);
	packstr(job->fed_siblings_viable_str, buf);
}

static void _pack_tres_requests(const job_info_t *job, buf_t *buf)
{
	packstr(job->tres_per_job, buf);
	packstr(job->tres_per_node, buf);
	packstr(job->tres_per_socket, buf);
	packstr(job->tres_per_task, buf);
}

/* 20.11 to 24.05, the record up to its times */
static void _pack_20_11_ids(const job_info_t *job, buf_t *buf,
			    uint16_t version)
{
	pack32(job->array_job_id, buf);
	pack32(job->array_task_id, buf);
	_pack_array_tasks(job, buf);
	pack32(job->assoc_id, buf);
	if (version >= PACK_21_08)
		packnull(buf);	/* container, which comes again */
	if (version >= PACK_23_02)
		packstr(COMPAT_IF_24_11(job->container_id, NULL), buf);
	pack32(job->delay_boot, buf);
	if (version >= PACK_23_02)
		packstr(COMPAT_IF_24_11(job->failed_node, NULL), buf);
	pack32(job->job_id, buf);
	pack32(job->user_id, buf);
	pack32(job->group_id, buf);
	pack32(job->het_job_id, buf);
	packstr(job->het_job_id_set, buf);
	pack32(job->het_job_offset, buf);
	pack32(job->profile, buf);
	pack32(job->job_state, buf);
	pack16(job->batch_flag, buf);
	if (version >= PACK_23_02)
		pack32(job->state_reason, buf);
	else
		pack16(job->state_reason, buf);
	pack8(COMPAT_IF_22_05(job->power_flags, 0), buf);
	pack8(job->reboot, buf);
	pack16(job->restart_cnt, buf);
	pack16(COMPAT_IF_22_05(job->show_flags, 0), buf);
	pack_time(job->deadline, buf);
	pack32(job->alloc_sid, buf);
	pack32(job->time_limit, buf);
	pack32(job->time_min, buf);
	pack32(job->nice, buf);
}

static void _pack_20_11_times(const job_info_t *job, buf_t *buf)
{
	pack_time(job->submit_time, buf);
	pack_time(job->eligible_time, buf);
	pack_time(job->accrue_time, buf);
	pack_time(job->start_time, buf);
	pack_time(job->end_time, buf);
	pack_time(job->suspend_time, buf);
	pack_time(job->pre_sus_time, buf);
	pack_time(job->resize_time, buf);
	pack_time(job->last_sched_eval, buf);
	pack_time(job->preempt_time, buf);
}

/* 20.11 to 24.05, what slurmctld calls the default details */
static void _pack_20_11_details(const job_info_t *job, buf_t *buf,
				uint16_t version)
{
	packstr(job->features, buf);
	if (version >= PACK_22_05)
		packstr(job->prefer, buf);
	packstr(job->cluster_features, buf);
	packstr(job->work_dir, buf);
	packstr(job->dependency, buf);
	packstr(job->command, buf);
	pack32(job->num_cpus, buf);
	pack32(job->max_cpus, buf);
	pack32(job->num_nodes, buf);
	pack32(job->max_nodes, buf);
	if (version >= PACK_23_02)
		_pack_job_size(job, buf);
	pack16(job->requeue, buf);
	pack16(job->ntasks_per_node, buf);
	pack16(job->ntasks_per_tres, buf);
	pack32(job->num_tasks, buf);
	pack16(job->shared, buf);
	pack32(job->cpu_freq_min, buf);
	pack32(job->cpu_freq_max, buf);
	pack32(job->cpu_freq_gov, buf);
	packstr(job->cronspec, buf);
}

static void _pack_20_11(const job_info_t *job, buf_t *buf, uint16_t version)
{
	_pack_20_11_ids(job, buf, version);
	_pack_20_11_times(job, buf);
	pack32(job->priority, buf);
	if (version >= PACK_24_05)
		_pack_priorities(job, buf);
	packdouble(job->billable_tres, buf);
	packstr(job->cluster, buf);
	packstr(job->nodes, buf);
	packstr(job->sched_nodes, buf);
	packstr(job->partition, buf);
	packstr(job->account, buf);
	packstr(job->admin_comment, buf);
	pack32(job->site_factor, buf);
	packstr(job->network, buf);
	packstr(job->comment, buf);
	if (version >= PACK_23_02)
		packstr(COMPAT_IF_24_11(job->extra, NULL), buf);
	if (version >= PACK_21_08)
		packstr(job->container, buf);
	packstr(job->batch_features, buf);
	packstr(job->batch_host, buf);
	packstr(job->burst_buffer, buf);
	packstr(job->burst_buffer_state, buf);
	packstr(job->system_comment, buf);
	packstr(job->qos, buf);
	pack_time(job->preemptable_time, buf);
	packstr(job->licenses, buf);
	packstr(job->state_desc, buf);
	packstr(job->resv_name, buf);
	if (version >= PACK_24_05)
		packstr(COMPAT_IF_24_11(job->resv_ports, NULL), buf);
	packstr(job->mcs_label, buf);
	pack32(job->exit_code, buf);
	pack32(job->derived_ec, buf);
	packstr(job->gres_total, buf);
	_pack_allocation(job, buf, version);
	packstr(job->name, buf);
	packstr(job->user_name, buf);
	packstr(job->wckey, buf);
	pack32(job->req_switch, buf);
	pack32(job->wait4switch, buf);
	packstr(job->alloc_node, buf);
	pack_info_inx(buf, job->node_inx);
	/* the select plugin's data: cons_tres, whose part is empty */
	if (version < PACK_23_02)
		pack32(SELECT_PLUGIN_CONS_TRES, buf);
	_pack_20_11_details(job, buf, version);
	_pack_pending(job, buf, version);
	if (version >= PACK_21_08)
		pack64(job->bitflags, buf);
	else
		pack32(job->bitflags, buf);
	packstr(job->tres_alloc_str, buf);
	packstr(job->tres_req_str, buf);
	pack16(job->start_protocol_ver, buf);
	_pack_fed(job, buf);
	packstr(job->cpus_per_tres, buf);
	packstr(job->mem_per_tres, buf);
	packstr(job->tres_bind, buf);
	packstr(job->tres_freq, buf);
	_pack_tres_requests(job, buf);
	pack16(job->mail_type, buf);
	packstr(job->mail_user, buf);
	if (version >= PACK_21_08)
		packstr(job->selinux_context, buf);
}

/* 24.11, what slurmctld also writes to its state file */
static void _pack_24_11_common(const job_info_t *job, buf_t *buf)
{
	bool fed = job->fed_origin_str || job->fed_siblings_active ||
		job->fed_siblings_viable;

	packstr(job->account, buf);
	packstr(job->admin_comment, buf);
	packstr(job->alloc_node, buf);
	pack32(job->alloc_sid, buf);
	pack32(job->array_job_id, buf);
	pack32(job->array_task_id, buf);
	pack32(job->assoc_id, buf);
	packstr(job->batch_features, buf);
	pack16(job->batch_flag, buf);
	packstr(job->batch_host, buf);
	pack64(job->bitflags, buf);
	packstr(job->burst_buffer, buf);
	packstr(job->burst_buffer_state, buf);
	packdouble(job->billable_tres, buf);
	packstr(job->comment, buf);
	packstr(job->container, buf);
	packstr(COMPAT_IF_24_11(job->container_id, NULL), buf);
	packstr(job->cpus_per_tres, buf);
	pack_time(job->deadline, buf);
	pack32(job->delay_boot, buf);
	pack32(job->derived_ec, buf);
	pack32(job->exit_code, buf);
	packstr(COMPAT_IF_24_11(job->extra, NULL), buf);
	packstr(COMPAT_IF_24_11(job->failed_node, NULL), buf);
	packbool(fed, buf);
	if (fed)
		_pack_fed(job, buf);
	packstr(job->gres_total, buf);
	pack32(job->group_id, buf);
	pack32(job->het_job_id, buf);
	packstr(job->het_job_id_set, buf);
	pack32(job->het_job_offset, buf);
	pack32(job->job_id, buf);
	pack32(job->job_state, buf);
	pack_time(job->last_sched_eval, buf);
	packstr(job->licenses, buf);
	pack16(job->mail_type, buf);
	packstr(job->mail_user, buf);
	packstr(job->mcs_label, buf);
	packstr(job->mem_per_tres, buf);
	packstr(job->name, buf);
	packstr(job->network, buf);
	pack_time(job->preempt_time, buf);
	pack_time(job->pre_sus_time, buf);
	pack32(job->priority, buf);
	pack32(job->profile, buf);
	pack8(job->reboot, buf);
	pack32(job->req_switch, buf);
	pack_time(job->resize_time, buf);
	pack16(job->restart_cnt, buf);
	packstr(job->resv_name, buf);
	packstr(COMPAT_IF_24_11(job->resv_ports, NULL), buf);
	packstr(job->selinux_context, buf);
	pack32(job->site_factor, buf);
	pack16(job->start_protocol_ver, buf);
	packstr(job->state_desc, buf);
	pack32(job->state_reason, buf);
	pack_time(job->suspend_time, buf);
	packstr(job->system_comment, buf);
	pack32(job->time_min, buf);
	packstr(job->tres_bind, buf);
	packstr(job->tres_alloc_str, buf);
	packstr(job->tres_req_str, buf);
	packstr(job->tres_freq, buf);
	_pack_tres_requests(job, buf);
	pack32(job->user_id, buf);
	packstr(job->user_name, buf);
	pack32(job->wait4switch, buf);
	packstr(job->wckey, buf);
}

static void _pack_24_11_details(const job_info_t *job, buf_t *buf)
{
	packbool(true, buf);	/* there are details */
	pack_time(job->accrue_time, buf);
	pack_time(job->eligible_time, buf);
	packstr(job->cluster_features, buf);
	pack32(job->cpu_freq_gov, buf);
	pack32(job->cpu_freq_max, buf);
	pack32(job->cpu_freq_min, buf);
	packstr(job->dependency, buf);
	_pack_job_size(job, buf);
	pack32(job->nice, buf);
	pack16(job->ntasks_per_node, buf);
	pack16(job->ntasks_per_tres, buf);
	pack16(job->requeue, buf);
	pack_time(job->submit_time, buf);
	packstr(job->work_dir, buf);
	packstr(job->features, buf);
	packstr(job->prefer, buf);
	packstr(job->command, buf);
	pack32(job->num_cpus, buf);
	pack32(job->max_cpus, buf);
	pack32(job->num_nodes, buf);
	pack32(job->max_nodes, buf);
	pack32(job->num_tasks, buf);
	pack16(job->shared, buf);
	packstr(job->cronspec, buf);
}

static void _pack_24_11(const job_info_t *job, buf_t *buf, uint16_t version)
{
	_pack_24_11_common(job, buf);
	_pack_array_tasks(job, buf);
	pack32(job->time_limit, buf);
	pack_time(job->start_time, buf);
	pack_time(job->end_time, buf);
	_pack_priorities(job, buf);
	packstr(job->cluster, buf);
	packstr(job->nodes, buf);
	packstr(job->sched_nodes, buf);
	packstr(job->partition, buf);
	packstr(job->qos, buf);
	pack_time(job->preemptable_time, buf);
	_pack_allocation(job, buf, version);
	pack_info_inx(buf, job->node_inx);
	_pack_24_11_details(job, buf);
	_pack_pending(job, buf, version);
}

extern int pack_info_job(buf_t *buf, const job_info_t *job, uint16_t version)
{
	if (!pack_info_speaks(version))
		return -1;
	if (version >= PACK_24_11)
		_pack_24_11(job, buf, version);
	else
		_pack_20_11(job, buf, version);
	return 0;
}
