/*
 * cluster.h - what this FLURM cluster consists of, and what a job asks of it.
 *
 * The backend's nodes and the partitions of gateway.conf, and the one place
 * where a spec is judged: can it ever run here, and what does it need?
 */
#ifndef FED_GATEWAY_CLUSTER_H
#define FED_GATEWAY_CLUSTER_H

#include <jansson.h>
#include <stdint.h>

#include "src/flurm/job_spec.h"
#include "src/flurm/result.h"
#include "src/gateway/backend.h"
#include "src/gateway/conf.h"
#include "src/gateway/sched.h"

typedef struct {
	const gw_conf_t *conf;
	const gw_layout_t *layout;
	gw_sched_t *sched;
	uint64_t cpus;		/* of all nodes */
	uint64_t memory_mb;
} gw_cluster_t;

/* All partitions have all nodes. */
extern void gw_cluster_init(gw_cluster_t *cluster, const gw_conf_t *conf,
			    const gw_layout_t *layout);
extern void gw_cluster_fini(gw_cluster_t *cluster);

/* Tell the scheduler what is up and what is not. */
extern void gw_cluster_refresh(gw_cluster_t *cluster);

/*
 * What does it need? order is left to the caller.
 * OUT ret_result - on failure: 400 or 422, with the field named
 * RET 0 or -1
 */
extern int gw_cluster_need(const gw_cluster_t *cluster,
			   const flurm_job_spec_t *spec, gw_need_t *ret_need,
			   flurm_result_t *ret_result);

/*
 * Is there anything that this cluster cannot give, be it ever so idle?
 * RET 0, or -1 and the answer
 */
extern int gw_cluster_judge(const gw_cluster_t *cluster,
			    const flurm_job_spec_t *spec,
			    const gw_need_t *need, flurm_result_t *ret_result);

/* RET names of nodes as a host list expression, malloc'd */
extern char *gw_cluster_hostlist(const gw_cluster_t *cluster,
				 const uint32_t *nodes, uint32_t count);

/* RET arrays for GET /api/v1/partitions and /nodes, stats for .../stats */
extern json_t *gw_cluster_partitions(const gw_cluster_t *cluster);
extern json_t *gw_cluster_nodes(const gw_cluster_t *cluster);

#endif
