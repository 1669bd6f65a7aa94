/*
 * sched.h - which waiting job gets which resources, and when.
 *
 * Jobs are ordered by priority, and first come first served among equals. A
 * pass starts them in this order until one of a partition does not fit; for
 * that one it works out when and where it will, from the time limits of what
 * runs, and then lets later jobs start only if they do not delay it
 * (backfill). Nothing here knows of clocks, files or the gate: time is an
 * argument, and what "picked" means is the caller's business.
 *
 * OWNERSHIP: an entry belongs to the caller (it is part of his job) and stays
 * where it is while it is queued or holds resources. Not for two threads.
 */
#ifndef FED_GATEWAY_SCHED_H
#define FED_GATEWAY_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/core/err.h"

#define GW_NEVER INT64_MAX
#define GW_ALL_MEMORY UINT64_MAX

typedef struct {
	uint32_t cpus;
	uint64_t memory_mb;
	bool up;
} gw_sched_node_t;

typedef struct {
	bool up;
	uint32_t first_node;	/* its nodes follow each other */
	uint32_t node_count;
} gw_sched_part_t;

/* what a job asks for */
typedef struct {
	uint32_t partition;	/* index */
	uint32_t nodes;
	uint32_t cpus;		/* on each node */
	uint64_t memory_mb;	/* on each node; GW_ALL_MEMORY: all it has */
	bool exclusive;		/* whole nodes */
	int64_t time_limit;	/* seconds or GW_NEVER */
	int64_t priority;	/* higher goes first */
	uint64_t order;		/* then lower goes first; unique */
} gw_need_t;

typedef enum {
	GW_SCHED_OUT,		/* neither */
	GW_SCHED_QUEUED,
	GW_SCHED_HOLDS,		/* has resources */
} gw_sched_state_t;

typedef struct {
	gw_need_t need;		/* not to be changed unless OUT */
	gw_sched_state_t state;
	int64_t end_by;		/* when it gives them back at the latest */
	uint32_t *nodes;	/* indexes, need.nodes of them */
	uint32_t one_node;	/* what nodes points to if it is one */
} gw_entry_t;

typedef struct gw_sched gw_sched_t;

/* IN nodes, parts - copied */
extern gw_sched_t *gw_sched_create(const gw_sched_node_t *nodes,
				   size_t node_count,
				   const gw_sched_part_t *parts,
				   size_t part_count);

/* Entries that are queued or hold resources are forgotten. NULL is fine. */
extern void gw_sched_destroy(gw_sched_t *sched);

/* RET 0 if an empty cluster could run it, or -1: err says what is too much */
extern int gw_sched_possible(const gw_sched_t *sched, const gw_need_t *need,
			     fed_err_t *err);

/* Queue an entry that is OUT; free its nodes with gw_sched_drop() or so. */
extern void gw_sched_queue(gw_sched_t *sched, gw_entry_t *entry);

/* Take an entry out of the queue, or its resources back; OUT is fine. */
extern void gw_sched_drop(gw_sched_t *sched, gw_entry_t *entry, int64_t now);

/*
 * Give an entry that is OUT the very nodes it had: after a restart.
 * RET 0, or -1 if a node is not there any more
 */
extern int gw_sched_take(gw_sched_t *sched, gw_entry_t *entry,
			 const uint32_t *nodes, int64_t end_by);

/* What an entry that holds resources will need them for, told anew. */
extern void gw_sched_set_end(gw_sched_t *sched, gw_entry_t *entry,
			     int64_t end_by);

/*
 * One pass: give resources to what fits and may have them.
 * IN backfill_depth - waiting entries to look at beyond the first that does
 *	not fit; 0: none
 * IN picked - called for each that got its nodes; may not call back in here
 * RET how many were picked
 */
extern size_t gw_sched_run(gw_sched_t *sched, int64_t now,
			   size_t backfill_depth,
			   void (*picked)(gw_entry_t *entry, void *arg),
			   void *arg);

extern void gw_sched_node_up(gw_sched_t *sched, uint32_t node, bool up);
extern void gw_sched_part_up(gw_sched_t *sched, uint32_t part, bool up);

typedef struct {
	uint64_t free_cpus;
	uint64_t free_memory_mb;
	size_t queued;
	size_t holding;
} gw_sched_stats_t;

extern void gw_sched_stats(const gw_sched_t *sched, gw_sched_stats_t *stats);

/* What is free on one node. */
extern void gw_sched_node_free(const gw_sched_t *sched, uint32_t node,
			       uint32_t *ret_cpus, uint64_t *ret_memory_mb);

#endif
