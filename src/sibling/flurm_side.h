/*
 * flurm_side.h - what the engine knows of the FLURM side: whether it answers,
 * what it can do, how large it is.
 *
 * Belongs to the engine's thread.
 */
#ifndef FED_SIBLING_FLURM_SIDE_H
#define FED_SIBLING_FLURM_SIDE_H

#include <jansson.h>

#include "src/core/err.h"
#include "src/flurm/client.h"
#include "src/flurm/loop.h"
#include "src/flurm/token.h"
#include "src/sibling/conf.h"
#include "src/sibling/nodes.h"
#include "src/sibling/resources.h"

typedef struct flurm_side flurm_side_t;

/*
 * A client as the cluster's configuration has it.
 * IN cluster - must outlive it
 * OUT ret_token - its token, or as it was: to be destroyed after it
 * RET NULL with err
 */
extern flurm_client_t *flurm_side_connect(const conf_cluster_t *cluster,
					  flurm_loop_t *loop,
					  flurm_token_t **ret_token,
					  fed_err_t *err);

/*
 * IN cluster - must outlive it
 * IN resources - called when the cluster's size is known, and when it or
 *	whether a node is down changes
 * RET NULL with err
 */
extern flurm_side_t *flurm_side_create(
	const conf_cluster_t *cluster, flurm_loop_t *loop,
	void (*resources)(void *arg, resources_t *resources),
	void *arg, fed_err_t *err);
extern void flurm_side_destroy(flurm_side_t *side);

/* RET its client, which lives as long as it does */
extern flurm_client_t *flurm_side_client(flurm_side_t *side);

/* RET its instance_id, or NULL until it has told it */
extern const char *flurm_side_instance(const flurm_side_t *side);

/*
 * IN what - one of FLURM_CAN_
 * RET false if it has said what it can do, and that is not among it
 */
extern bool flurm_side_can(const flurm_side_t *side, uint32_t what);

/*
 * OUT ret_told - when it said so last; 0: it has not yet
 * RET its nodes and partitions, a reference for the caller; NULL: not known
 */
extern nodes_t *flurm_side_nodes(const flurm_side_t *side, time_t *ret_told);

/* RET a number that grows when flurm_side_nodes() changes */
extern uint64_t flurm_side_changes(const flurm_side_t *side);

/* Begin to ask. */
extern void flurm_side_start(flurm_side_t *side);

/* What is in use of its nodes has changed: ask, at most once a second. */
extern void flurm_side_soon(flurm_side_t *side);

/* To be called at every turn of the loop: asks when it is time to. */
extern void flurm_side_turn(flurm_side_t *side);

/* RET an object, a new reference */
extern json_t *flurm_side_status(const flurm_side_t *side);

#endif
