/*
 * cluster.h - what FLURM says of itself: health, stats, partitions, nodes.
 */
#ifndef FED_FLURM_CLUSTER_H
#define FED_FLURM_CLUSTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/flurm/unset.h"

/* what a FLURM side can do, beside the plain routes */
enum {
	FLURM_CAN_GATE = 1 << 0,	/* asks before it starts a job */
	FLURM_CAN_BATCH = 1 << 1,	/* POST /api/v1/jobs/batch */
	FLURM_CAN_EVENTS = 1 << 2,	/* the event stream */
	FLURM_CAN_NODES = 1 << 3,	/* its lists are not always empty */
	FLURM_CAN_UPDATE = 1 << 4,
	FLURM_CAN_SUSPEND = 1 << 5,
};

/* GET /api/v1/health; without a token a server says no more than status */
typedef struct {
	char *status;		/* "ok", "draining", "starting" */
	char *cluster;
	char *version;
	int64_t api;
	char *instance_id;
	uint32_t capabilities;	/* FLURM_CAN_*; names not known are dropped */
} flurm_health_t;

/* GET /api/v1/cluster/stats, with FLURM's own names */
typedef struct {
	int64_t node_count;
	int64_t cpu_count;
	int64_t memory_mb;
	int64_t gpu_count;
	int64_t available_cpus;
	int64_t available_memory;
	int64_t pending_jobs;
	int64_t running_jobs;
} flurm_cluster_stats_t;

typedef struct {
	char *name;
	char *state;		/* "up", "down", "drain", "inactive" */
	char *nodes;		/* host list expression */
	int64_t node_count;
	int64_t cpus;
	int64_t memory_mb;	/* of the largest node */
	int64_t max_nodes;
	int64_t max_cpus_per_node;
	int64_t max_time;	/* seconds or FLURM_UNLIMITED */
	int64_t default_time;
	int64_t priority;
	flurm_flag_t is_default; /* JSON: "default" */
	char *features;
	char *gres;
} flurm_partition_t;

typedef struct {
	char *name;
	char *state;		/* "idle", "mixed", "allocated", "down", ... */
	char *reason;
	char *partitions;	/* comma separated */
	char *features;
	char *gres;
	char *os;
	char *arch;
	int64_t cpus;
	int64_t sockets;
	int64_t cores_per_socket;
	int64_t threads_per_core;
	int64_t memory_mb;
	int64_t tmp_disk_mb;
	int64_t alloc_cpus;
	int64_t alloc_memory_mb;
	int64_t cpu_load;	/* in hundredths */
	int64_t free_memory_mb;
	int64_t boot_time;
} flurm_node_t;

extern void flurm_health_init(flurm_health_t *health);
extern void flurm_health_free(flurm_health_t *health);
extern json_t *flurm_health_to_json(const flurm_health_t *health);
extern int flurm_health_from_json(const json_t *json,
				  flurm_health_t *ret_health, fed_err_t *err);

extern void flurm_cluster_stats_init(flurm_cluster_stats_t *stats);
extern json_t *flurm_cluster_stats_to_json(const flurm_cluster_stats_t *stats);
extern int flurm_cluster_stats_from_json(const json_t *json,
					 flurm_cluster_stats_t *ret_stats,
					 fed_err_t *err);

extern void flurm_partition_init(flurm_partition_t *partition);
extern void flurm_partition_free(flurm_partition_t *partition);
extern void flurm_partition_copy(flurm_partition_t *ret_partition,
			       const flurm_partition_t *partition);
extern bool flurm_partition_equal(const flurm_partition_t *a,
				const flurm_partition_t *b);
extern json_t *flurm_partition_to_json(const flurm_partition_t *partition);
extern int flurm_partition_from_json(const json_t *json,
				     flurm_partition_t *ret_partition,
				     fed_err_t *err);

extern void flurm_node_init(flurm_node_t *node);
extern void flurm_node_free(flurm_node_t *node);
extern void flurm_node_copy(flurm_node_t *ret_node,
			       const flurm_node_t *node);
extern bool flurm_node_equal(const flurm_node_t *a,
				const flurm_node_t *b);
extern json_t *flurm_node_to_json(const flurm_node_t *node);
extern int flurm_node_from_json(const json_t *json, flurm_node_t *ret_node,
				fed_err_t *err);

#endif
