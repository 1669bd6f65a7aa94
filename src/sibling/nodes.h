/*
 * nodes.h - FLURM's nodes and partitions, as it last told of them.
 *
 * An immutable, counted snapshot: whoever holds one reads it without a lock.
 * A node's place in it is its index in all that clients are told.
 *
 * A FLURM that knows only its size is shown as one partition of as many nodes,
 * all alike, and marked: see nodes_from_stats().
 */
#ifndef FED_SIBLING_NODES_H
#define FED_SIBLING_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "src/flurm/cluster.h"
#include "src/sibling/compat.h"

#define NODES_MAX 65533			/* Slurm's MAX_SLURM_NODES */
#define NODES_SYNTHETIC "synthetic"	/* their feature, its node set */

typedef struct {
	flurm_node_t *node;
	size_t node_cnt;
	flurm_partition_t *part;
	size_t part_cnt;
	uint32_t *by_name;	/* indexes of nodes, sorted by name */
	bool synthetic;
	time_t changed;		/* since when it is so */
	int refs;
} nodes_t;

/*
 * IN nodes, parts - copied
 * IN old - what was known before, or NULL: if nothing is new, it is that
 * RET one more reference
 */
extern nodes_t *nodes_create(const flurm_node_t *nodes, size_t node_cnt,
			     const flurm_partition_t *parts, size_t part_cnt,
			     nodes_t *old);

/*
 * IN name - of the cluster: of its one partition too, and its nodes are
 *	NAME1 and so on, or NAME[1-N] as a host list
 */
extern nodes_t *nodes_from_stats(const char *name,
				 const flurm_cluster_stats_t *stats,
				 nodes_t *old);

extern nodes_t *nodes_ref(nodes_t *nodes);
extern void nodes_unref(nodes_t *nodes);

/*
 * IN nodes - or NULL: none are known
 * IN name - NULL: that of jobs that name none
 * RET the partition, or NULL; of nodes
 */
extern const flurm_partition_t *nodes_part(const nodes_t *nodes,
					   const char *name);

/* RET the name, or that of the partition of jobs that name none, or NULL */
extern const char *nodes_part_name(const nodes_t *nodes, const char *name);

/*
 * RET by what FLURM orders jobs of nodes_part() for which no priority was
 *	asked, less their nice value; 0: not known
 */
extern int64_t nodes_part_priority(const nodes_t *nodes, const char *name);

/* RET the index of a node, or -1 */
extern int nodes_find(const nodes_t *nodes, const char *name);

/* RET the first name of a host list, or NULL; for xfree() */
extern char *nodes_first(const char *list);

/* RET a host list of all of them, for xfree(); NULL if there is none */
extern char *nodes_list(const nodes_t *nodes);

/*
 * RET the indexes of those in a host list that are known, as pairs that end
 *	with -1; for xfree()
 */
extern int32_t *nodes_inx(const nodes_t *nodes, const char *list);

#endif
