/*
 * assoc_show.h - associations, users and QOS of a FLURM cluster, as clients are
 * shown them.
 *
 * What slurmdbd said last, in Slurm's own structures, completed as a native's
 * common/assoc_mgr.c completes it. Immutable and counted: whoever holds it
 * reads it without a lock. What was used and is in use is another's
 * (assoc_usage.h): all of it is 0 here.
 */
#ifndef FED_SIBLING_ASSOC_SHOW_H
#define FED_SIBLING_ASSOC_SHOW_H

#include <stdbool.h>

#include "src/sibling/assoc.h"
#include "src/sibling/site.h"

typedef struct {
	uint32_t tres_cnt;
	char **tres_names;	/* "cpu", "gres/gpu"; by id */
	compat_list_t users;	/* of slurmdb_user_rec_t */
	compat_list_t assocs;	/* of slurmdb_assoc_rec_t, each with its usage,
				 * accounts before what is in them */
	compat_list_t qos;	/* of slurmdb_qos_rec_t, the same */
	int32_t tres_at[LIMIT_TRES]; /* which of these it is; -1: none */
	fair_kind_t fair;
	fair_node_t *nodes;	/* the associations by id, without usage */
	uint32_t node_cnt;
	int refs;
} assoc_show_t;

/*
 * Replace what is shown.
 * IN site - has it fair share, and of which kind
 * IN tres, users, assocs, qos - slurmdbd's, as assoc_load()'s; are taken, and
 *	none of them may be empty
 */
extern void assoc_show_load(assoc_t *assoc, const site_t *site,
			    compat_list_t tres, compat_list_t users,
			    compat_list_t assocs, compat_list_t qos);

/* RET what is shown now, for assoc_show_unref(); NULL: nothing was said yet */
extern assoc_show_t *assoc_show_ref(assoc_t *assoc);
extern void assoc_show_unref(assoc_show_t *show);

#endif
