/*
 * assoc_usage.h - what associations and QOS have used and have in use, as
 * clients are shown it: in Slurm's structures, and with the fair shares that
 * follow from it.
 *
 * Joins what slurmdbd said (assoc_show.h) to what the engine counts (a view).
 */
#ifndef FED_SIBLING_ASSOC_USAGE_H
#define FED_SIBLING_ASSOC_USAGE_H

#include "src/sibling/assoc_show.h"
#include "src/sibling/view.h"

typedef struct {
	const assoc_show_t *show;
	const view_t *view;
	fair_node_t *nodes;	/* as the show's, with usage */
} assoc_usage_t;

/* IN show, view - must stay. OUT usage - for assoc_usage_free() */
extern void assoc_usage_make(assoc_usage_t *usage, const assoc_show_t *show,
			     const view_t *view);
extern void assoc_usage_free(assoc_usage_t *usage);

/* RET that of an association in the show, for slurmdb_destroy_assoc_usage() */
extern slurmdb_assoc_usage_t *assoc_usage_of_assoc(
	const assoc_usage_t *usage, const slurmdb_assoc_rec_t *rec);

/* RET that of a QOS in the show, for slurmdb_destroy_qos_usage() */
extern slurmdb_qos_usage_t *assoc_usage_of_qos(const assoc_usage_t *usage,
					       const slurmdb_qos_rec_t *rec);

#endif
