/*
 * resources.h - what slurmdbd is to know of the cluster itself: its nodes, its
 * size, and which of its nodes are down.
 *
 * Immutable and counted: the engine makes one when FLURM tells something new,
 * the registrar says it.
 */
#ifndef FED_SIBLING_RESOURCES_H
#define FED_SIBLING_RESOURCES_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "src/core/err.h"
#include "src/flurm/cluster.h"
#include "src/sibling/nodes.h"
#include "src/sibling/persist.h"

typedef struct {
	char *name;
	uint32_t state;		/* Slurm's; 0: it was down and is not */
	char *reason;
	char *tres;
	time_t since;
} resources_down_t;

typedef struct {
	char *nodes;		/* a host list */
	char *tres;		/* "1=16,2=8000,4=1,5=16" */
	resources_down_t *down;	/* by name */
	size_t down_cnt;
	int refs;
} resources_t;

/*
 * IN old - what was known before, or NULL: if nothing is new, it is that
 * RET one more reference
 */
extern resources_t *resources_create(const nodes_t *nodes,
				     const flurm_cluster_stats_t *stats,
				     resources_t *old, time_t now);

extern resources_t *resources_ref(resources_t *resources);
extern void resources_unref(resources_t *resources);

/*
 * Say it to slurmdbd, as far as that does not know: its size, then which nodes
 * went down or came back (accounting_storage_slurmdbd.c,
 * clusteracct_storage_p_cluster_tres(), _node_down(), _node_up()).
 * IN uid - who is said to have taken a node down
 * RET as dbd.h's
 */
extern int resources_tell(const resources_t *resources, persist_t *conn,
			  const char *cluster, uint32_t uid, fed_err_t *err);

#endif
