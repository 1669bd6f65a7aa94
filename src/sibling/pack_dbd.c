/*
 * pack_dbd.c - what starts, packed for slurmdbd (see pack_dbd.h).
 */
#include "src/sibling/pack_dbd.h"

#include "src/sibling/pack_info.h"

/* RET a buffer with the type of the message in it, or NULL */
static buf_t *_begin(uint16_t type, uint16_t version)
{
	buf_t *buf;

	if (version != COMPAT_VERSION_OWN)
		return NULL;
	buf = init_buf(BUF_SIZE);
	pack16(type, buf);
	return buf;
}

extern buf_t *pack_dbd_job_start(const dbd_job_start_msg_t *msg,
				 uint16_t version)
{
	bool since_24_11 = version >= PACK_24_11;
	buf_t *buf = _begin(DBD_JOB_START, version);

	if (!buf)
		return NULL;
	packstr(msg->account, buf);
	pack32(msg->alloc_nodes, buf);
	pack32(msg->array_job_id, buf);
	pack32(msg->array_max_tasks, buf);
	pack32(msg->array_task_id, buf);
	packstr(msg->array_task_str, buf);
	pack32(msg->array_task_pending, buf);
	pack32(msg->assoc_id, buf);
	packstr(msg->constraints, buf);
	packstr(msg->container, buf);
	pack32(msg->db_flags, buf);
	pack64(msg->db_index, buf);
	pack_time(msg->eligible_time, buf);
	pack32(msg->gid, buf);
	packstr(msg->gres_used, buf);
	pack32(msg->job_id, buf);
	pack32(msg->job_state, buf);
	pack32(msg->state_reason_prev, buf);
	if (since_24_11)
		packstr(COMPAT_IF_24_11(msg->licenses, NULL), buf);
	packstr(msg->mcs_label, buf);
	packstr(msg->name, buf);
	packstr(msg->nodes, buf);
	packstr(msg->node_inx, buf);
	pack32(msg->het_job_id, buf);
	pack32(msg->het_job_offset, buf);
	packstr(msg->partition, buf);
	pack32(msg->priority, buf);
	pack32(msg->qos_id, buf);
	if (since_24_11)
		packstr(COMPAT_IF_24_11(msg->qos_req, NULL), buf);
	pack32(msg->req_cpus, buf);
	pack64(msg->req_mem, buf);
	if (since_24_11)
		pack16(COMPAT_IF_24_11(msg->restart_cnt, 0), buf);
	pack32(msg->resv_id, buf);
	pack_time(msg->start_time, buf);
	if (since_24_11) {
		packstr(COMPAT_IF_24_11(msg->std_err, NULL), buf);
		packstr(COMPAT_IF_24_11(msg->std_in, NULL), buf);
		packstr(COMPAT_IF_24_11(msg->std_out, NULL), buf);
	}
	packstr(msg->submit_line, buf);
	pack_time(msg->submit_time, buf);
	pack32(msg->timelimit, buf);
	packstr(msg->tres_alloc_str, buf);
	packstr(msg->tres_req_str, buf);
	pack32(msg->uid, buf);
	packstr(msg->wckey, buf);
	packstr(msg->work_dir, buf);
	packstr(msg->env_hash, buf);
	packstr(msg->script_hash, buf);
	return buf;
}

extern buf_t *pack_dbd_step_start(const dbd_step_start_msg_t *msg,
				  uint16_t version)
{
	slurm_step_id_t step_id = msg->step_id;
	buf_t *buf = _begin(DBD_STEP_START, version);

	if (!buf)
		return NULL;
	pack32(msg->assoc_id, buf);
	pack64(msg->db_index, buf);
	packstr(msg->container, buf);
	packstr(msg->name, buf);
	packstr(msg->nodes, buf);
	packstr(msg->node_inx, buf);
	pack32(msg->node_cnt, buf);
	pack_time(msg->start_time, buf);
	pack_time(msg->job_submit_time, buf);
	pack32(msg->req_cpufreq_min, buf);
	pack32(msg->req_cpufreq_max, buf);
	pack32(msg->req_cpufreq_gov, buf);
	pack_step_id(&step_id, buf, version);
	packstr(msg->submit_line, buf);
	pack32(msg->task_dist, buf);
	pack32(msg->total_tasks, buf);
	packstr(msg->tres_alloc_str, buf);
	return buf;
}
