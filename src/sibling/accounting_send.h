/*
 * accounting_send.h - a row, said to slurmdbd.
 */
#ifndef FED_SIBLING_ACCOUNTING_SEND_H
#define FED_SIBLING_ACCOUNTING_SEND_H

#include "src/sibling/accounting_row.h"
#include "src/sibling/assoc.h"
#include "src/sibling/persist.h"

typedef enum {
	SEND_TAKEN,
	SEND_LATER,		/* slurmdbd has no database now */
	SEND_REFUSED,		/* it has one, and will not take it */
	SEND_BROKEN,		/* the connection is of no more use */
} send_rc_t;

/*
 * Say all of a row, on the connection that FLURM is registered on, and wait
 * for the answers. May be repeated at any time: what was said before is said
 * of the same record. Only that a job is suspended or resumed may not once
 * anything of it was said after.
 * IN assoc - where an association is looked for that the row lacks
 * IN cluster_nodes - all of the cluster, as slurmdbd was told; or NULL
 * OUT err - unless it is taken
 */
extern send_rc_t accounting_send(persist_t *conn, const char *cluster,
				 assoc_t *assoc, const char *cluster_nodes,
				 const row_t *row, fed_err_t *err);

#endif
