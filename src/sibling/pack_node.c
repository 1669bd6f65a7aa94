/*
 * pack_node.c - node records of a RESPONSE_NODE_INFO (see pack_info.h).
 *
 * One layout, to which releases added fields and, with 24.05, took sensors
 * and power away. The order of the lines is the layout. A field that this
 * build's structures lack belongs to a version that this build never meets.
 */
#include "src/sibling/pack_info.h"

#include <string.h>

extern void pack_info_node_init(node_info_t *node)
{
	memset(node, 0, sizeof(*node));
	node->boards = 1;
	node->cores = 1;
	/* newer clients print any number, 0 of a node that said nothing */
	node->cpu_load = COMPAT_IF_24_11(0, NO_VAL);
	node->cpus = 1;
	node->cpus_efctv = 1;
	node->free_mem = NO_VAL64;
	node->next_state = NO_VAL;
	node->owner = NO_VAL;
	node->port = slurm_conf.slurmd_port;	/* not worth a word then */
	node->real_memory = 1;
	node->reason_uid = NO_VAL;
	node->sockets = 1;
	node->threads = 1;
	node->weight = 1;
}

static void _pack_hardware(const node_info_t *node, buf_t *buf,
			   uint16_t version)
{
	pack16(node->cpus, buf);
	pack16(node->boards, buf);
	pack16(node->sockets, buf);
	pack16(node->cores, buf);
	pack16(node->threads, buf);
	pack64(node->real_memory, buf);
	pack32(node->tmp_disk, buf);
	if (version >= PACK_24_05)
		packstr(COMPAT_IF_24_11(node->gpu_spec, NULL), buf);
	packstr(node->mcs_label, buf);
	pack32(node->owner, buf);
	pack16(node->core_spec_cnt, buf);
	pack32(node->cpu_bind, buf);
	pack64(node->mem_spec_limit, buf);
	packstr(node->cpu_spec_list, buf);
	if (version >= PACK_22_05)
		pack16(node->cpus_efctv, buf);
	pack32(node->cpu_load, buf);
	pack64(node->free_mem, buf);
	pack32(node->weight, buf);
	if (version >= PACK_24_05)
		pack16(COMPAT_IF_24_11(node->res_cores_per_gpu, 0), buf);
}

static void _pack_times(const node_info_t *node, buf_t *buf, uint16_t version)
{
	pack_time(node->boot_time, buf);
	if (version >= PACK_21_08)
		pack_time(node->last_busy, buf);
	pack_time(node->reason_time, buf);
	if (version >= PACK_23_02)
		pack_time(COMPAT_IF_24_11(node->resume_after, 0), buf);
	pack_time(node->slurmd_start_time, buf);
}

/* As the select plugin cons_tres does, which every client has */
static void _pack_alloc(const pack_node_alloc_t *alloc, buf_t *buf)
{
	static const pack_node_alloc_t nothing;

	if (!alloc)
		alloc = &nothing;
	pack32(SELECT_PLUGIN_CONS_TRES, buf);
	pack16(alloc->cpus, buf);
	pack64(alloc->memory, buf);
	packstr(alloc->tres, buf);
	packdouble(alloc->tres_weighted, buf);
}

static void _pack_sensors(buf_t *buf)
{
	pack64(NO_VAL64, buf);	/* Joules */
	pack32(NO_VAL, buf);	/* temperature */
	pack_time(0, buf);
	pack32(0, buf);		/* Watts */
	pack32(NO_VAL, buf);	/* power cap */
}

extern int pack_info_node(buf_t *buf, const node_info_t *node,
			  const pack_node_alloc_t *alloc, uint16_t version)
{
	if (!pack_info_speaks(version))
		return -1;
	packstr(node->name, buf);
	packstr(node->node_hostname, buf);
	packstr(node->node_addr, buf);
	packstr(node->bcast_address, buf);
	pack16(node->port, buf);
	pack32(node->next_state, buf);
	pack32(node->node_state, buf);
	packstr(node->version, buf);
	_pack_hardware(node, buf, version);
	pack32(node->reason_uid, buf);
	_pack_times(node, buf, version);
	_pack_alloc(alloc, buf);
	packstr(node->arch, buf);
	packstr(node->features, buf);
	packstr(node->features_act, buf);
	packstr(node->gres, buf);
	packstr(node->gres_drain, buf);
	packstr(node->gres_used, buf);
	packstr(node->os, buf);
	packstr(node->comment, buf);
	if (version >= PACK_21_08)
		packstr(node->extra, buf);
	if (version >= PACK_23_11) {
		packstr(COMPAT_IF_24_11(node->instance_id, NULL), buf);
		packstr(COMPAT_IF_24_11(node->instance_type, NULL), buf);
	}
	packstr(node->reason, buf);
	acct_gather_energy_pack(node->energy, buf, version);
	if (version < PACK_24_05)
		_pack_sensors(buf);
	packstr(node->tres_fmt_str, buf);
	if (version >= PACK_23_02)
		packstr(COMPAT_IF_24_11(node->resv_name, NULL), buf);
	return 0;
}
