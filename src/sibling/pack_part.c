/*
 * pack_part.c - records of a RESPONSE_PARTITION_INFO (see pack_info.h).
 *
 * One layout, to which releases added fields; 24.05 widened the flags. The
 * order of the lines is the layout. A field that this build's structures lack
 * belongs to a version that this build never meets.
 */
#include "src/sibling/pack_info.h"

#include <string.h>

extern void pack_info_part_init(partition_info_t *part)
{
	memset(part, 0, sizeof(*part));
	part->default_time = NO_VAL;
	part->max_cpus_per_node = INFINITE;
	COMPAT_IF_24_11(part->max_cpus_per_socket = INFINITE, );
	part->max_nodes = INFINITE;
	part->max_share = 1;
	part->max_time = INFINITE;
	part->min_nodes = 1;
	part->over_time_limit = NO_VAL16;
	part->preempt_mode = NO_VAL16;
	part->priority_job_factor = 1;
	part->priority_tier = 1;
	part->resume_timeout = NO_VAL16;
	part->state_up = PARTITION_UP;
	part->suspend_time = NO_VAL;
	part->suspend_timeout = NO_VAL16;
}

static void _pack_limits(const partition_info_t *part, buf_t *buf,
			 uint16_t version)
{
	pack32(part->cpu_bind, buf);
	pack32(part->grace_time, buf);
	pack32(part->max_time, buf);
	pack32(part->default_time, buf);
	pack32(part->max_nodes, buf);
	pack32(part->min_nodes, buf);
	pack32(part->total_nodes, buf);
	pack32(part->total_cpus, buf);
	pack64(part->def_mem_per_cpu, buf);
	pack32(part->max_cpus_per_node, buf);
	if (version >= PACK_23_02)
		pack32(COMPAT_IF_24_11(part->max_cpus_per_socket, INFINITE),
		       buf);
	pack64(part->max_mem_per_cpu, buf);
}

extern int pack_info_part(buf_t *buf, const partition_info_t *part,
			  uint16_t version)
{
	if (!pack_info_speaks(version))
		return -1;
	packstr(part->name, buf);
	_pack_limits(part, buf, version);
	if (version >= PACK_24_05)
		pack32(part->flags, buf);
	else
		pack16(part->flags, buf);
	pack16(part->max_share, buf);
	pack16(part->over_time_limit, buf);
	pack16(part->preempt_mode, buf);
	pack16(part->priority_job_factor, buf);
	pack16(part->priority_tier, buf);
	pack16(part->state_up, buf);
	pack16(part->cr_type, buf);
	if (version >= PACK_21_08) {
		pack16(part->resume_timeout, buf);
		pack16(part->suspend_timeout, buf);
		pack32(part->suspend_time, buf);
	}
	packstr(part->allow_accounts, buf);
	packstr(part->allow_groups, buf);
	packstr(part->allow_alloc_nodes, buf);
	packstr(part->allow_qos, buf);
	packstr(part->qos_char, buf);
	packstr(part->alternate, buf);
	packstr(part->deny_accounts, buf);
	packstr(part->deny_qos, buf);
	packstr(part->nodes, buf);
	if (version >= PACK_22_05)
		packstr(part->nodesets, buf);
	pack_info_inx(buf, part->node_inx);
	packstr(part->billing_weights_str, buf);
	packstr(part->tres_fmt_str, buf);
	(void) slurm_pack_list(part->job_defaults_list, job_defaults_pack, buf,
			       version);
	return 0;
}
