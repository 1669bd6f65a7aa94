/*
 * cluster.c - what FLURM says of itself (see cluster.h).
 */
#include "src/flurm/cluster.h"

#include <errno.h>
#include <string.h>

#include "src/flurm/field.h"

#define FIELD_RECORD flurm_health_t
static const field_t health_fields[] = {
	FIELD_NAME(status, .required = true),
	FIELD_NAME(cluster),
	FIELD_NAME(version),
	FIELD_COUNT(api),
	FIELD_NAME(instance_id),
};
#undef FIELD_RECORD

#define FIELD_RECORD flurm_cluster_stats_t
static const field_t stats_fields[] = {
	FIELD_COUNT(node_count),
	FIELD_RANGE(cpu_count, 0, FIELD_U32_MAX),
	FIELD_MB(memory_mb),
	FIELD_COUNT(gpu_count),
	FIELD_RANGE(available_cpus, 0, FIELD_U32_MAX),
	FIELD_MB(available_memory),
	FIELD_RANGE(pending_jobs, 0, FIELD_U32_MAX),
	FIELD_RANGE(running_jobs, 0, FIELD_U32_MAX),
};
#undef FIELD_RECORD

#define FIELD_RECORD flurm_partition_t
static const field_t partition_fields[] = {
	FIELD_NAME(name, .required = true),
	FIELD_NAME(state),
	FIELD_ANY(nodes),
	FIELD_COUNT(node_count),
	FIELD_RANGE(cpus, 0, FIELD_U32_MAX),
	FIELD_MB(memory_mb),
	FIELD_COUNT(max_nodes),
	FIELD_COUNT(max_cpus_per_node),
	FIELD_SECONDS(max_time),
	FIELD_SECONDS(default_time),
	FIELD_RANGE(priority, 0, FIELD_U32_MAX),
	{ .name = "default", .type = FIELD_FLAG,
	  .offset = offsetof(flurm_partition_t, is_default) },
	FIELD_ANY(features),
	FIELD_ANY(gres),
};
#undef FIELD_RECORD

#define FIELD_RECORD flurm_node_t
static const field_t node_fields[] = {
	FIELD_NAME(name, .required = true),
	FIELD_NAME(state),
	FIELD_ANY(reason),
	FIELD_ANY(partitions),
	FIELD_ANY(features),
	FIELD_ANY(gres),
	FIELD_NAME(os),
	FIELD_NAME(arch),
	FIELD_COUNT(cpus),
	FIELD_COUNT(sockets),
	FIELD_COUNT(cores_per_socket),
	FIELD_COUNT(threads_per_core),
	FIELD_MB(memory_mb),
	FIELD_MB(tmp_disk_mb),
	FIELD_COUNT(alloc_cpus),
	FIELD_MB(alloc_memory_mb),
	FIELD_COUNT(cpu_load),
	FIELD_MB(free_memory_mb),
	FIELD_MOMENT(boot_time),
};
#undef FIELD_RECORD

static const field_table_t health_table = FIELD_TABLE("health", health_fields);
static const field_table_t stats_table = FIELD_TABLE("stats", stats_fields);
static const field_table_t partition_table =
	FIELD_TABLE("partition", partition_fields);
static const field_table_t node_table = FIELD_TABLE("node", node_fields);

static const struct {
	const char *name;
	uint32_t bit;
} capabilities[] = {
	{ "gate", FLURM_CAN_GATE },
	{ "batch", FLURM_CAN_BATCH },
	{ "events", FLURM_CAN_EVENTS },
	{ "nodes", FLURM_CAN_NODES },
	{ "update", FLURM_CAN_UPDATE },
	{ "suspend", FLURM_CAN_SUSPEND },
};
#define CAPABILITY_COUNT (sizeof(capabilities) / sizeof(capabilities[0]))

/* RET a new object of record's fields, NULL without memory */
static json_t *_to_json(const field_table_t *table, const void *record)
{
	json_t *json = json_object();

	if (field_to_json(table, record, json) < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static int _from_json(const field_table_t *table, const json_t *json,
		      void *ret_record, fed_err_t *err)
{
	field_init(table, ret_record);
	if (field_from_json(table, json, ret_record, err) < 0) {
		field_free(table, ret_record);
		return -1;
	}
	return 0;
}

extern void flurm_health_init(flurm_health_t *health)
{
	field_init(&health_table, health);
	health->capabilities = 0;
}

extern void flurm_health_free(flurm_health_t *health)
{
	field_free(&health_table, health);
	health->capabilities = 0;
}

extern json_t *flurm_health_to_json(const flurm_health_t *health)
{
	json_t *json = _to_json(&health_table, health);
	json_t *list = json_array();

	if (!json || !list)
		goto fail;
	for (size_t i = 0; i < CAPABILITY_COUNT; i++) {
		if ((health->capabilities & capabilities[i].bit) &&
		    (json_array_append_new(list, json_string(
				capabilities[i].name)) < 0))
			goto fail;
	}
	/* to whom only the status is told, none is told of */
	if (!health->capabilities) {
		json_decref(list);
		return json;
	}
	if (json_object_set_new(json, "capabilities", list) == 0)
		return json;
	list = NULL;
fail:
	json_decref(list);
	json_decref(json);
	return NULL;
}

static int _capabilities_from_json(const json_t *json, uint32_t *ret_bits,
				   fed_err_t *err)
{
	uint32_t bits = 0;

	if (json && !json_is_null(json) && !json_is_array(json))
		return fed_err_set(err, EINVAL, "capabilities: not a list");
	for (size_t i = 0; i < json_array_size(json); i++) {
		const char *name = json_string_value(json_array_get(json, i));

		if (!name)
			return fed_err_set(err, EINVAL, "capabilities: element "
					   "%zu: not a string", i);
		for (size_t j = 0; j < CAPABILITY_COUNT; j++)
			if (!strcmp(name, capabilities[j].name))
				bits |= capabilities[j].bit;
	}
	*ret_bits = bits;
	return 0;
}

extern int flurm_health_from_json(const json_t *json,
				  flurm_health_t *ret_health, fed_err_t *err)
{
	flurm_health_init(ret_health);
	if ((_from_json(&health_table, json, ret_health, err) < 0) ||
	    (_capabilities_from_json(json_object_get(json, "capabilities"),
				     &ret_health->capabilities, err) < 0)) {
		flurm_health_free(ret_health);
		return -1;
	}
	return 0;
}

extern void flurm_cluster_stats_init(flurm_cluster_stats_t *stats)
{
	field_init(&stats_table, stats);
}

extern json_t *flurm_cluster_stats_to_json(const flurm_cluster_stats_t *stats)
{
	return _to_json(&stats_table, stats);
}

extern int flurm_cluster_stats_from_json(const json_t *json,
					 flurm_cluster_stats_t *ret_stats,
					 fed_err_t *err)
{
	return _from_json(&stats_table, json, ret_stats, err);
}

extern void flurm_partition_init(flurm_partition_t *partition)
{
	field_init(&partition_table, partition);
}

extern void flurm_partition_free(flurm_partition_t *partition)
{
	field_free(&partition_table, partition);
}

extern void flurm_partition_copy(flurm_partition_t *ret_partition,
			       const flurm_partition_t *partition)
{
	flurm_partition_init(ret_partition);
	field_copy(&partition_table, ret_partition, partition);
}

extern bool flurm_partition_equal(const flurm_partition_t *a,
				const flurm_partition_t *b)
{
	return field_equal(&partition_table, a, b);
}

extern json_t *flurm_partition_to_json(const flurm_partition_t *partition)
{
	return _to_json(&partition_table, partition);
}

extern int flurm_partition_from_json(const json_t *json,
				     flurm_partition_t *ret_partition,
				     fed_err_t *err)
{
	return _from_json(&partition_table, json, ret_partition, err);
}

extern void flurm_node_init(flurm_node_t *node)
{
	field_init(&node_table, node);
}

extern void flurm_node_free(flurm_node_t *node)
{
	field_free(&node_table, node);
}

extern void flurm_node_copy(flurm_node_t *ret_node,
			       const flurm_node_t *node)
{
	flurm_node_init(ret_node);
	field_copy(&node_table, ret_node, node);
}

extern bool flurm_node_equal(const flurm_node_t *a,
				const flurm_node_t *b)
{
	return field_equal(&node_table, a, b);
}

extern json_t *flurm_node_to_json(const flurm_node_t *node)
{
	return _to_json(&node_table, node);
}

extern int flurm_node_from_json(const json_t *json, flurm_node_t *ret_node,
				fed_err_t *err)
{
	return _from_json(&node_table, json, ret_node, err);
}
