/*
 * pack_step.c - records of a RESPONSE_JOB_STEP_INFO (see pack_info.h).
 *
 * What slurmctld's _pack_ctld_job_step_info() sends. The order of the lines is
 * the layout; fields were added with 21.08 and 23.02, and the select plugin's
 * data left with 23.02.
 */
#include "src/sibling/pack_info.h"

#include <string.h>

extern buf_t *pack_info_steps(time_t last_update, uint16_t version)
{
	buf_t *buf;

	if (!pack_info_speaks(version))
		return NULL;
	buf = init_buf(BUF_SIZE);
	if (version >= PACK_22_05)
		pack32(0, buf);
	pack_time(last_update, buf);
	if (version < PACK_22_05)
		pack32(0, buf);
	return buf;
}

extern void pack_info_steps_end(buf_t *buf, uint32_t count, uint16_t version)
{
	uint32_t end;

	if (version >= PACK_24_05)
		pack32(NO_VAL, buf);	/* no job has its steps elsewhere */
	end = get_buf_offset(buf);
	set_buf_offset(buf, (version >= PACK_22_05) ? 0 : sizeof(uint64_t));
	pack32(count, buf);
	set_buf_offset(buf, end);
}

static void _pack_names(const job_step_info_t *step, buf_t *buf,
			uint16_t version)
{
	packstr(step->cluster, buf);
	if (version >= PACK_21_08)
		packstr(step->container, buf);
	if (version >= PACK_23_02)
		packstr(COMPAT_IF_24_11(step->container_id, NULL), buf);
	packstr(step->partition, buf);
	packstr(step->srun_host, buf);
	packstr(step->resv_ports, buf);
	packstr(step->nodes, buf);
	packstr(step->name, buf);
	packstr(step->network, buf);
}

static void _pack_tres(const job_step_info_t *step, buf_t *buf,
		       uint16_t version)
{
	packstr(step->cpus_per_tres, buf);
	packstr(step->mem_per_tres, buf);
	if (version >= PACK_21_08)
		packstr(step->submit_line, buf);
	packstr(step->tres_bind, buf);
	packstr(step->tres_freq, buf);
	packstr(step->tres_per_step, buf);
	packstr(step->tres_per_node, buf);
	packstr(step->tres_per_socket, buf);
	packstr(step->tres_per_task, buf);
}

extern int pack_info_step(buf_t *buf, const job_step_info_t *step,
			  uint16_t version)
{
	slurm_step_id_t step_id = step->step_id;

	if (!pack_info_speaks(version))
		return -1;
	pack32(step->array_job_id, buf);
	pack32(step->array_task_id, buf);
	pack_step_id(&step_id, buf, version);
	pack32(step->user_id, buf);
	pack32(step->num_cpus, buf);
	pack32(step->cpu_freq_min, buf);
	pack32(step->cpu_freq_max, buf);
	pack32(step->cpu_freq_gov, buf);
	pack32(step->num_tasks, buf);
	pack32(step->task_dist, buf);
	pack32(step->time_limit, buf);
	pack32(step->state, buf);
	pack32(step->srun_pid, buf);
	pack_time(step->start_time, buf);
	pack_time(step->run_time, buf);
	_pack_names(step, buf, version);
	pack_info_inx(buf, step->node_inx);
	if (version < PACK_23_02)
		pack32(SELECT_PLUGIN_CONS_TRES, buf);
	packstr(step->tres_alloc_str, buf);
	pack16(step->start_protocol_ver, buf);
	_pack_tres(step, buf, version);
	return 0;
}
