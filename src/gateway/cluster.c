/*
 * cluster.c - what this FLURM cluster consists of, and what a job asks of it
 * (see cluster.h).
 *
 * CPUs: a job asks for tasks of some CPUs, or for a number of CPUs, whichever
 * is more, spread evenly over its nodes; if it names no number of nodes, as
 * many as it takes. What the gateway cannot give (generic resources, licenses,
 * reservations) is refused at once instead of waiting for ever.
 */
#include "fed_config.h"

#include "src/gateway/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/cluster.h"
#include "src/gateway/hostlist.h"

#define MAX_COUNT 10000000	/* of nodes and CPUs: more is a mistake */

extern void gw_cluster_init(gw_cluster_t *cluster, const gw_conf_t *conf,
			    const gw_layout_t *layout)
{
	gw_sched_node_t *nodes = fed_calloc(layout->count, sizeof(*nodes));
	gw_sched_part_t *parts = fed_calloc(conf->partition_count,
					    sizeof(*parts));

	*cluster = (gw_cluster_t) { .conf = conf, .layout = layout };
	for (size_t i = 0; i < layout->count; i++) {
		nodes[i].cpus = layout->nodes[i].cpus;
		nodes[i].memory_mb = layout->nodes[i].memory_mb;
		nodes[i].up = layout->nodes[i].up;
		cluster->cpus += nodes[i].cpus;
		cluster->memory_mb += nodes[i].memory_mb;
	}
	for (size_t i = 0; i < conf->partition_count; i++) {
		parts[i].up = conf->partitions[i].up;
		parts[i].node_count = layout->count;
	}
	cluster->sched = gw_sched_create(nodes, layout->count, parts,
					 conf->partition_count);
	free(nodes);
	free(parts);
}

extern void gw_cluster_fini(gw_cluster_t *cluster)
{
	gw_sched_destroy(cluster->sched);
	*cluster = (gw_cluster_t) { 0 };
}

extern void gw_cluster_refresh(gw_cluster_t *cluster)
{
	for (size_t i = 0; i < cluster->layout->count; i++)
		gw_sched_node_up(cluster->sched, i,
				 cluster->layout->nodes[i].up);
	for (size_t i = 0; i < cluster->conf->partition_count; i++)
		gw_sched_part_up(cluster->sched, i,
				 cluster->conf->partitions[i].up);
}

/* RET index, or -1 */
static ssize_t _partition(const gw_conf_t *conf, const char *name)
{
	for (size_t i = 0; i < conf->partition_count; i++)
		if ((name && *name) ?
		    !strcmp(conf->partitions[i].name, name) :
		    conf->partitions[i].is_default)
			return i;
	return -1;
}

static int64_t _max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* RET a number that was said, or other; -1 if it is out of range */
static int64_t _count(int64_t number, int64_t other)
{
	if (!flurm_is_set(number) || !number)
		return other;
	return ((number < 0) || (number > MAX_COUNT)) ? -1 : number;
}

static uint32_t _largest_node(const gw_cluster_t *cluster)
{
	uint32_t cpus = 1;

	for (size_t i = 0; i < cluster->layout->count; i++)
		if (cluster->layout->nodes[i].cpus > cpus)
			cpus = cluster->layout->nodes[i].cpus;
	return cpus;
}

static int _need_cpus(const gw_cluster_t *cluster,
		      const flurm_job_spec_t *spec, gw_need_t *need,
		      flurm_result_t *result)
{
	int64_t per_task = _count(spec->cpus_per_task, 1);
	int64_t tasks = _count(spec->num_tasks, 1);
	int64_t cpus = _count(spec->num_cpus, 1);
	int64_t nodes = _count(spec->num_nodes, 0);

	if ((per_task < 0) || (tasks < 0) || (cpus < 0) || (nodes < 0))
		return flurm_result_set(result, 422, NULL, "num_nodes, "
					"num_tasks, cpus_per_task or num_cpus "
					"is out of range");
	if (!flurm_is_set(spec->num_tasks) &&
	    flurm_is_set(spec->ntasks_per_node) && nodes)
		tasks = _max(tasks, nodes * _count(spec->ntasks_per_node, 1));
	cpus = _max(cpus, tasks * per_task);
	if (!nodes) {
		uint32_t largest = _largest_node(cluster);

		nodes = (cpus + largest - 1) / largest;
	}
	cpus = (cpus + nodes - 1) / nodes;
	if (cpus > MAX_COUNT)
		return flurm_result_set(result, 422, NULL, "too many CPUs");
	need->nodes = nodes;
	need->cpus = cpus;
	need->exclusive = flurm_flag_or(spec->exclusive, false);
	return 0;
}

static void _need_memory(const flurm_job_spec_t *spec, gw_need_t *need)
{
	int64_t per_node = flurm_or(spec->memory_mb, -1);
	int64_t per_cpu = flurm_or(spec->memory_per_cpu_mb, 0);

	if (!per_node)
		need->memory_mb = GW_ALL_MEMORY;
	else if (per_node > 0)
		need->memory_mb = per_node;
	else if (per_cpu > 0)
		need->memory_mb = per_cpu * need->cpus;
}

extern int gw_cluster_need(const gw_cluster_t *cluster,
			   const flurm_job_spec_t *spec, gw_need_t *ret_need,
			   flurm_result_t *ret_result)
{
	const gw_conf_t *conf = cluster->conf;
	const gw_partition_conf_t *partition;
	gw_need_t need = { .time_limit = GW_NEVER };
	int64_t limit;
	ssize_t index;

	if ((index = _partition(conf, spec->partition)) < 0)
		return flurm_result_set(ret_result, 422, "unknown_partition",
					"partition: no %s here",
					spec->partition);
	partition = &conf->partitions[index];
	need.partition = index;
	if (_need_cpus(cluster, spec, &need, ret_result))
		return -1;
	_need_memory(spec, &need);
	limit = flurm_or(spec->time_limit, partition->default_time);
	if ((limit != FLURM_UNLIMITED) && (limit > 0))
		need.time_limit = limit;
	else if (partition->max_time != GW_NO_LIMIT)
		need.time_limit = partition->max_time;
	/* one that was asked for stands for itself, as in Slurm */
	need.priority = flurm_is_set(spec->priority) ? spec->priority :
		partition->priority - flurm_or(spec->nice, 0);
	*ret_need = need;
	return 0;
}

/* RET true if every name in the text is one of the node's features */
static bool _has_features(const gw_node_t *node, const char *wanted)
{
	char *features = fed_strdup(wanted), *rest = features, *one;
	bool has = true;

	while (has && (one = strsep(&rest, "&,"))) {
		size_t len = strlen(one);
		const char *at = node->features;

		has = !len;
		while (!has && at && *at) {
			size_t have = strcspn(at, ",");

			has = (have == len) && !strncmp(at, one, len);
			at += have + (at[have] == ',');
		}
	}
	free(features);
	return has;
}

/* Alternatives ("|"), of each of which all must be there ("&"). */
static bool _features_fit(const gw_cluster_t *cluster, const char *wanted)
{
	char *all = fed_strdup(wanted), *rest = all, *one;
	bool fit = false;

	/* all nodes of a backend have the same features */
	while (!fit && (one = strsep(&rest, "|")))
		fit = cluster->layout->count &&
			_has_features(&cluster->layout->nodes[0], one);
	free(all);
	return fit;
}

static bool _said(const char *text)
{
	return text && *text;
}

extern int gw_cluster_judge(const gw_cluster_t *cluster,
			    const flurm_job_spec_t *spec,
			    const gw_need_t *need, flurm_result_t *ret_result)
{
	const gw_partition_conf_t *partition =
		&cluster->conf->partitions[need->partition];
	const struct {
		const char *name;
		const char *value;
	} never[] = {
		{ "gres", spec->gres },
		{ "licenses", spec->licenses },
		{ "reservation", spec->reservation },
		{ "req_nodes", spec->req_nodes },
		{ "exc_nodes", spec->exc_nodes },
	};
	fed_err_t err;

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		const char *value = never[i].value;

		if (_said(value) &&
		    !((i == 3) && (cluster->layout->count == 1) &&
		      !strcmp(value, cluster->layout->nodes[0].name)))
			return flurm_result_set(ret_result, 422, NULL,
						"%s: %s cannot be had here",
						never[i].name, value);
	}
	if (_said(spec->features) && !_features_fit(cluster, spec->features))
		return flurm_result_set(ret_result, 422, NULL, "features: no "
					"node here has %s", spec->features);
	if (need->time_limit > partition->max_time)
		return flurm_result_set(ret_result, 422, NULL, "time_limit: "
					"more than partition %s allows",
					partition->name);
	if (gw_sched_possible(cluster->sched, need, &err))
		return flurm_result_set(ret_result, 422, "too_large",
					"partition %s: %s", partition->name,
					err.text);
	return 0;
}

typedef struct {
	const gw_layout_t *layout;
	const uint32_t *nodes;	/* NULL: all */
} names_t;

static const char *_name(size_t index, const void *arg)
{
	const names_t *names = arg;

	return names->layout->nodes[names->nodes ? names->nodes[index] :
				    index].name;
}

extern char *gw_cluster_hostlist(const gw_cluster_t *cluster,
				 const uint32_t *nodes, uint32_t count)
{
	const names_t names = { cluster->layout, nodes };

	return gw_hostlist(_name, count, &names);
}

extern json_t *gw_cluster_partitions(const gw_cluster_t *cluster)
{
	const names_t names = { cluster->layout, NULL };
	const gw_conf_t *conf = cluster->conf;
	json_t *list = json_array();
	char *nodes = gw_hostlist(_name, cluster->layout->count, &names);
	uint64_t memory_mb = 0;

	for (size_t i = 0; i < cluster->layout->count; i++)
		memory_mb = _max(memory_mb,
				 cluster->layout->nodes[i].memory_mb);
	for (size_t i = 0; i < conf->partition_count; i++) {
		const gw_partition_conf_t *partition = &conf->partitions[i];
		flurm_partition_t public;

		/* its texts stay ours: no flurm_partition_free() */
		flurm_partition_init(&public);
		public.name = partition->name;
		public.state = (char *) (partition->up ? "up" : "down");
		public.nodes = nodes;
		public.node_count = cluster->layout->count;
		public.cpus = cluster->cpus;
		public.memory_mb = memory_mb;
		public.max_time = (partition->max_time == GW_NO_LIMIT) ?
			FLURM_UNLIMITED : partition->max_time;
		public.default_time =
			(partition->default_time == GW_NO_LIMIT) ?
			FLURM_UNLIMITED : partition->default_time;
		public.priority = partition->priority;
		public.is_default = partition->is_default ? FLURM_YES :
			FLURM_NO;
		public.features = cluster->layout->count ?
			cluster->layout->nodes[0].features : NULL;
		(void) json_array_append_new(
			list, flurm_partition_to_json(&public));
	}
	free(nodes);
	return list;
}

static json_t *_node(const gw_cluster_t *cluster, size_t index,
		     char *partitions)
{
	const gw_node_t *node = &cluster->layout->nodes[index];
	uint64_t free_memory_mb;
	flurm_node_t public;
	uint32_t free_cpus;

	gw_sched_node_free(cluster->sched, index, &free_cpus,
			   &free_memory_mb);
	/* its texts stay ours: no flurm_node_free() */
	flurm_node_init(&public);
	public.name = node->name;
	public.partitions = partitions;
	public.features = node->features;
	public.os = node->os;
	public.arch = node->arch;
	public.reason = node->reason;
	public.cpus = node->cpus;
	public.memory_mb = node->memory_mb;
	public.alloc_cpus = node->cpus - free_cpus;
	public.alloc_memory_mb = node->memory_mb - free_memory_mb;
	if (node->boot_time)
		public.boot_time = node->boot_time;
	public.state = (char *) (!node->up ? "down" :
				 (free_cpus == node->cpus) ? "idle" :
				 free_cpus ? "mixed" : "allocated");
	return flurm_node_to_json(&public);
}

extern json_t *gw_cluster_nodes(const gw_cluster_t *cluster)
{
	const gw_conf_t *conf = cluster->conf;
	json_t *list = json_array();
	char *partitions = fed_strdup(conf->partitions[0].name);

	for (size_t i = 1; i < conf->partition_count; i++) {
		char *longer = fed_strdup_printf("%s,%s", partitions,
						 conf->partitions[i].name);

		free(partitions);
		partitions = longer;
	}
	for (size_t i = 0; i < cluster->layout->count; i++)
		(void) json_array_append_new(list,
					     _node(cluster, i, partitions));
	free(partitions);
	return list;
}
