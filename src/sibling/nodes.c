/*
 * nodes.c - FLURM's nodes and partitions (see nodes.h).
 */
#include "src/sibling/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"

static int _cmp_name(const void *a, const void *b, void *arg)
{
	const nodes_t *nodes = arg;

	return xstrcmp(nodes->node[*(const uint32_t *) a].name,
		       nodes->node[*(const uint32_t *) b].name);
}

static void _free(nodes_t *nodes)
{
	for (size_t i = 0; i < nodes->node_cnt; i++)
		flurm_node_free(&nodes->node[i]);
	for (size_t i = 0; i < nodes->part_cnt; i++)
		flurm_partition_free(&nodes->part[i]);
	xfree(nodes->node);
	xfree(nodes->part);
	xfree(nodes->by_name);
	xfree(nodes);
}

extern nodes_t *nodes_ref(nodes_t *nodes)
{
	if (nodes)
		__atomic_add_fetch(&nodes->refs, 1, __ATOMIC_RELAXED);
	return nodes;
}

extern void nodes_unref(nodes_t *nodes)
{
	if (nodes && !__atomic_sub_fetch(&nodes->refs, 1, __ATOMIC_ACQ_REL))
		_free(nodes);
}

/* ---- what FLURM says ---- */

static bool _equal(const nodes_t *old, const flurm_node_t *nodes,
		   size_t node_cnt, const flurm_partition_t *parts,
		   size_t part_cnt)
{
	if ((old->node_cnt != node_cnt) || (old->part_cnt != part_cnt))
		return false;
	for (size_t i = 0; i < part_cnt; i++) {
		if (!flurm_partition_equal(&old->part[i], &parts[i]))
			return false;
	}
	for (size_t i = 0; i < node_cnt; i++) {
		if (!flurm_node_equal(&old->node[i], &nodes[i]))
			return false;
	}
	return true;
}

extern nodes_t *nodes_create(const flurm_node_t *nodes, size_t node_cnt,
			     const flurm_partition_t *parts, size_t part_cnt,
			     nodes_t *old)
{
	nodes_t *made;

	node_cnt = MIN(node_cnt, NODES_MAX);
	if (old && _equal(old, nodes, node_cnt, parts, part_cnt))
		return nodes_ref(old);
	made = xmalloc(sizeof(*made));
	made->refs = 1;
	made->changed = time(NULL);
	made->node_cnt = node_cnt;
	made->node = xcalloc(node_cnt + 1, sizeof(*made->node));
	made->by_name = xcalloc(node_cnt + 1, sizeof(*made->by_name));
	for (size_t i = 0; i < node_cnt; i++) {
		flurm_node_copy(&made->node[i], &nodes[i]);
		made->by_name[i] = i;
	}
	made->part_cnt = part_cnt;
	made->part = xcalloc(part_cnt + 1, sizeof(*made->part));
	for (size_t i = 0; i < part_cnt; i++)
		flurm_partition_copy(&made->part[i], &parts[i]);
	qsort_r(made->by_name, node_cnt, sizeof(*made->by_name), _cmp_name,
		made);
	return made;
}

/* ---- what is made up for a FLURM that says no more than its size ---- */

/* Those in use come first: how they are spread is not known. */
static void _spread(flurm_node_t *node, int64_t *used_cpus, int64_t *used_mb)
{
	node->alloc_cpus = MIN(*used_cpus, node->cpus);
	node->alloc_memory_mb = MIN(*used_mb, node->memory_mb);
	*used_cpus -= node->alloc_cpus;
	*used_mb -= node->alloc_memory_mb;
	node->state = fed_strdup(!node->alloc_cpus ? "idle" :
				 (node->alloc_cpus < node->cpus) ?
				 "mixed" : "allocated");
}

extern nodes_t *nodes_from_stats(const char *name,
				 const flurm_cluster_stats_t *stats,
				 nodes_t *old)
{
	int64_t count = MIN(flurm_or(stats->node_count, 0), NODES_MAX);
	int64_t cpus = flurm_or(stats->cpu_count, 0);
	int64_t memory_mb = flurm_or(stats->memory_mb, 0);
	int64_t used_cpus = cpus - flurm_or(stats->available_cpus, cpus);
	int64_t used_mb = memory_mb -
			  flurm_or(stats->available_memory, memory_mb);
	flurm_node_t *node = xcalloc(count + 1, sizeof(*node));
	flurm_partition_t part;
	nodes_t *made;

	flurm_partition_init(&part);
	part.name = fed_strdup(name);
	part.state = fed_strdup("up");
	part.nodes = (count > 1) ?
		fed_strdup_printf("%s[1-%lld]", name, (long long) count) :
		fed_strdup_printf("%s1", name);
	part.node_count = count;
	part.cpus = cpus;
	part.is_default = FLURM_YES;
	for (int64_t i = 0; i < count; i++) {
		flurm_node_init(&node[i]);
		node[i].name = fed_strdup_printf("%s%lld", name,
						 (long long) i + 1);
		node[i].partitions = fed_strdup(name);
		node[i].features = fed_strdup(NODES_SYNTHETIC);
		/* what is left over goes to the first */
		node[i].cpus = cpus / count + (i < cpus % count);
		node[i].memory_mb = memory_mb / count;
		_spread(&node[i], &used_cpus, &used_mb);
	}
	made = nodes_create(node, count, &part, 1, old);
	/* one that is known already is read by others */
	if (made != old)
		made->synthetic = true;
	for (int64_t i = 0; i < count; i++)
		flurm_node_free(&node[i]);
	flurm_partition_free(&part);
	xfree(node);
	return made;
}

/* ---- looking ---- */

extern const flurm_partition_t *nodes_part(const nodes_t *nodes,
					   const char *name)
{
	for (size_t i = 0; nodes && (i < nodes->part_cnt); i++) {
		const flurm_partition_t *part = &nodes->part[i];

		if (name ? !xstrcmp(part->name, name) :
			   (part->is_default == FLURM_YES))
			return part;
	}
	return NULL;
}

extern const char *nodes_part_name(const nodes_t *nodes, const char *name)
{
	const flurm_partition_t *part = name ? NULL : nodes_part(nodes, NULL);

	return part ? part->name : name;
}

extern int64_t nodes_part_priority(const nodes_t *nodes, const char *name)
{
	const flurm_partition_t *part = nodes_part(nodes, name);

	return part ? flurm_or(part->priority, 0) : 0;
}

extern int nodes_find(const nodes_t *nodes, const char *name)
{
	size_t low = 0, high = nodes->node_cnt;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int cmp = xstrcmp(nodes->node[nodes->by_name[mid]].name, name);

		if (!cmp)
			return nodes->by_name[mid];
		if (cmp < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

extern char *nodes_first(const char *list)
{
	compat_hostlist_t hosts = hostlist_create(list);
	char *first = hosts ? hostlist_shift(hosts) : NULL, *copy;

	copy = xstrdup(first);
	free(first);
	if (hosts)
		hostlist_destroy(hosts);
	return copy;
}

extern char *nodes_list(const nodes_t *nodes)
{
	compat_hostlist_t list;
	char *text;

	if (!nodes->node_cnt)
		return NULL;
	list = hostlist_create(NULL);
	for (size_t i = 0; i < nodes->node_cnt; i++)
		hostlist_push_host(list, nodes->node[i].name);
	text = hostlist_ranged_string_xmalloc(list);
	hostlist_destroy(list);
	return text;
}

static int32_t *_pairs(const bool *set, size_t count)
{
	int32_t *pairs = xcalloc(count + 2, sizeof(*pairs)), *at = pairs;

	for (size_t i = 0; i < count; i++) {
		if (!set[i])
			continue;
		if (!i || !set[i - 1]) {
			*at++ = i;
			*at++ = i;
		}
		at[-1] = i;
	}
	*at = -1;
	return pairs;
}

extern int32_t *nodes_inx(const nodes_t *nodes, const char *list)
{
	compat_hostlist_t hosts = (list && list[0]) ? hostlist_create(list) :
						      NULL;
	bool *set = xcalloc(nodes->node_cnt + 1, sizeof(*set));
	int32_t *pairs;
	char *name;

	while (hosts && (name = hostlist_shift(hosts))) {
		int i = nodes_find(nodes, name);

		if (i >= 0)
			set[i] = true;
		free(name);
	}
	if (hosts)
		hostlist_destroy(hosts);
	pairs = _pairs(set, nodes->node_cnt);
	xfree(set);
	return pairs;
}
