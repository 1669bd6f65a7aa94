/*
 * show.h - what FLURM has, in the words of Slurm's clients.
 *
 * From a view to Slurm's public structures, which pack_info.h packs. What a
 * native slurmctld would show is the measure.
 */
#ifndef FED_SIBLING_SHOW_H
#define FED_SIBLING_SHOW_H

#include "src/sibling/pack_info.h"
#include "src/sibling/view.h"

/*
 * Fill a record. Its strings are the view's, or its own: to be let go of with
 * show_job_free(), while the view is held.
 */
extern void show_job(const view_t *view, const view_job_t *job,
		     job_info_t *ret_info);
extern void show_job_free(job_info_t *info);

/* RET Slurm's job_states and flags */
extern uint32_t show_job_state(const view_job_t *job);

/* RET one of Slurm's job_state_reason */
extern uint32_t show_job_reason(const view_job_t *job, time_t now);

/* RET whether its script has run at FLURM; then it has nodes and a start */
extern bool show_job_started(const view_job_t *job);

/* RET CPUs and nodes: those that it has, or asks for */
extern uint32_t show_job_cpus(const view_job_t *job);
extern uint32_t show_job_nodes(const view_job_t *job);

/* RET minutes, or INFINITE, or what its partition allows */
extern uint32_t show_job_limit(const view_t *view, const view_job_t *job);

/* RET "cpu=2,mem=100M,node=1,billing=2"; for xfree() */
extern char *show_job_tres(const view_job_t *job);

/* RET Slurm's state of a node */
extern uint32_t show_node_state(const flurm_node_t *node);

/* IN i - of view->nodes; to be let go of with show_node_free() */
extern void show_node(const view_t *view, size_t i, node_info_t *ret_node,
		      pack_node_alloc_t *ret_alloc);
extern void show_node_free(node_info_t *node, pack_node_alloc_t *alloc);

/* IN i - of view->nodes; to be let go of with show_part_free() */
extern void show_part(const view_t *view, size_t i,
		      partition_info_t *ret_part);
extern void show_part_free(partition_info_t *part);

#endif
