/*
 * show_node.c - FLURM's nodes and partitions, as Slurm's clients know them
 * (see show.h).
 */
#include "src/sibling/show.h"

#include <string.h>

typedef struct {
	const char *word;
	uint32_t state;
} state_word_t;

/* What FLURM may call a node's state; anything else is UNKNOWN */
static const state_word_t node_words[] = {
	{ "idle", NODE_STATE_IDLE },
	{ "mixed", NODE_STATE_MIXED },
	{ "allocated", NODE_STATE_ALLOCATED },
	{ "down", NODE_STATE_DOWN },
	{ "error", NODE_STATE_ERROR },
	{ "drain", NODE_STATE_IDLE | NODE_STATE_DRAIN },
	{ "drained", NODE_STATE_IDLE | NODE_STATE_DRAIN },
	{ "draining", NODE_STATE_ALLOCATED | NODE_STATE_DRAIN },
	{ "maint", NODE_STATE_IDLE | NODE_STATE_MAINT },
	{ "reserved", NODE_STATE_IDLE | NODE_STATE_RES },
	{ "unreachable", NODE_STATE_DOWN | NODE_STATE_NO_RESPOND },
	{ NULL, NODE_STATE_UNKNOWN },
};

static const state_word_t part_words[] = {
	{ "up", PARTITION_UP },
	{ "down", PARTITION_DOWN },
	{ "drain", PARTITION_DRAIN },
	{ "inactive", PARTITION_INACTIVE },
	{ NULL, PARTITION_INACTIVE },
};

static uint32_t _state(const state_word_t *words, const char *word)
{
	while (words->word && xstrcasecmp(words->word, word))
		words++;
	return words->state;
}

static uint32_t _count(int64_t number, uint32_t otherwise)
{
	return (flurm_is_set(number) && (number > 0) && (number < NO_VAL)) ?
		number : otherwise;
}

static uint16_t _count16(int64_t number, uint16_t otherwise)
{
	return MIN(_count(number, otherwise), NO_VAL16 - 1);
}

static char *_tres(uint32_t cpus, int64_t memory_mb, uint32_t nodes)
{
	char *text = NULL;

	xstrfmtcat(text, "cpu=%u", cpus);
	if (memory_mb > 0)
		xstrfmtcat(text, ",mem=%"PRId64"M", memory_mb);
	if (nodes)
		xstrfmtcat(text, ",node=%u", nodes);
	xstrfmtcat(text, ",billing=%u", cpus);
	return text;
}

static void _set_alloc(const flurm_node_t *node, pack_node_alloc_t *alloc)
{
	int64_t memory_mb = flurm_or(node->alloc_memory_mb, 0);

	memset(alloc, 0, sizeof(*alloc));
	alloc->cpus = _count16(node->alloc_cpus, 0);
	if (!alloc->cpus)
		return;
	alloc->memory = memory_mb;
	xstrfmtcat(alloc->tres, "cpu=%u", alloc->cpus);
	if (memory_mb)
		xstrfmtcat(alloc->tres, ",mem=%"PRId64"M", memory_mb);
}

extern uint32_t show_node_state(const flurm_node_t *node)
{
	return _state(node_words, node->state);
}

extern void show_node(const view_t *view, size_t i, node_info_t *ret_node,
		      pack_node_alloc_t *ret_alloc)
{
	const flurm_node_t *node = &view->nodes->node[i];

	pack_info_node_init(ret_node);
	ret_node->name = node->name;
	ret_node->node_hostname = node->name;
	ret_node->node_addr = node->name;
	ret_node->node_state = show_node_state(node);
	ret_node->cpus = _count16(node->cpus, 1);
	ret_node->cpus_efctv = ret_node->cpus;
	ret_node->threads = _count16(node->threads_per_core, 1);
	ret_node->sockets = _count16(node->sockets, 0);
	ret_node->cores = _count16(node->cores_per_socket, 0);
	/* of what it does not say: all CPUs are alike, each its own socket */
	if (!ret_node->sockets)
		ret_node->sockets = ret_node->cores ?
			MAX(ret_node->cpus / ret_node->cores, 1) :
			ret_node->cpus;
	if (!ret_node->cores)
		ret_node->cores = MAX(ret_node->cpus / ret_node->sockets /
				      ret_node->threads, 1);
	ret_node->real_memory = flurm_or(node->memory_mb, 1);
	ret_node->tmp_disk = _count(node->tmp_disk_mb, 0);
	if (flurm_is_set(node->free_memory_mb))
		ret_node->free_mem = node->free_memory_mb;
	if (flurm_is_set(node->cpu_load))
		ret_node->cpu_load = _count(node->cpu_load, 0);
	ret_node->boot_time = flurm_or(node->boot_time, 0);
	ret_node->slurmd_start_time = ret_node->boot_time;
	ret_node->arch = node->arch;
	ret_node->os = node->os;
	ret_node->features = node->features;
	ret_node->features_act = node->features;
	ret_node->gres = node->gres;
	ret_node->reason = node->reason;
	if (node->reason)
		ret_node->reason_time = view->nodes->changed;
	ret_node->version = (char *) SLURM_VERSION_STRING;
	if (view->nodes->synthetic)
		ret_node->comment = (char *)
			"FLURM tells its size, not its nodes";
	ret_node->tres_fmt_str = _tres(ret_node->cpus,
				       flurm_or(node->memory_mb, 0), 0);
	_set_alloc(node, ret_alloc);
}

extern void show_node_free(node_info_t *node, pack_node_alloc_t *alloc)
{
	xfree(node->tres_fmt_str);
	xfree(alloc->tres);
}

/* FLURM may not say how large a partition is: its nodes do. */
static void _add_up(const nodes_t *nodes, partition_info_t *part,
		    int64_t *ret_memory_mb)
{
	uint32_t cpus = 0, count = 0;

	*ret_memory_mb = 0;
	for (const int32_t *pair = part->node_inx; pair[0] >= 0; pair += 2) {
		for (int32_t i = pair[0]; i <= pair[1]; i++) {
			cpus += _count(nodes->node[i].cpus, 1);
			*ret_memory_mb += flurm_or(nodes->node[i].memory_mb,
						   0);
			count++;
		}
	}
	part->total_cpus = _count(part->total_cpus, cpus);
	part->total_nodes = _count(part->total_nodes, count);
}

extern void show_part(const view_t *view, size_t i,
		      partition_info_t *ret_part)
{
	const flurm_partition_t *part = &view->nodes->part[i];
	int64_t memory_mb;

	pack_info_part_init(ret_part);
	ret_part->name = part->name;
	ret_part->nodes = part->nodes;
	ret_part->node_inx = nodes_inx(view->nodes, part->nodes);
	ret_part->state_up = _state(part_words, part->state);
	ret_part->total_cpus = _count(part->cpus, 0);
	ret_part->total_nodes = _count(part->node_count, 0);
	_add_up(view->nodes, ret_part, &memory_mb);
	ret_part->min_nodes = 0;
	ret_part->max_nodes = _count(part->max_nodes, INFINITE);
	ret_part->max_cpus_per_node = _count(part->max_cpus_per_node,
					     INFINITE);
	ret_part->max_time = job_minutes(part->max_time, INFINITE);
	ret_part->default_time = job_minutes(part->default_time, NO_VAL);
	/* Slurm's own default is the same as none */
	if (ret_part->default_time == ret_part->max_time)
		ret_part->default_time = NO_VAL;
	ret_part->priority_tier = _count16(part->priority, 1);
	ret_part->priority_job_factor = ret_part->priority_tier;
	if (part->is_default == FLURM_YES)
		ret_part->flags |= PART_FLAG_DEFAULT;
	if (view->nodes->synthetic)
		ret_part->nodesets = (char *) NODES_SYNTHETIC;
	ret_part->tres_fmt_str = _tres(ret_part->total_cpus, memory_mb,
				       ret_part->total_nodes);
}

extern void show_part_free(partition_info_t *part)
{
	xfree(part->node_inx);
	xfree(part->tres_fmt_str);
}
