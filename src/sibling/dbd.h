/*
 * dbd.h - what we ask of slurmdbd, one function a request.
 *
 * Each sends on a persistent connection of type DBD and waits for the answer.
 * RET of each: 0, or -1 with err; err->code ECONNRESET and the like mean that
 * the connection is of no more use, EREMOTE that slurmdbd refused.
 */
#ifndef FED_SIBLING_DBD_H
#define FED_SIBLING_DBD_H

#include <stdint.h>

#include "src/core/err.h"
#include "src/sibling/assoc.h"
#include "src/sibling/federation.h"
#include "src/sibling/persist.h"
#include "src/sibling/site.h"

/*
 * Register as the controller of the connection's cluster (proc_req.c,
 * _register_ctld()) and commit, so that the others are told.
 */
extern int dbd_register(persist_t *conn, uint16_t port, fed_err_t *err);

/*
 * Commit what was said on the connection (proc_req.c, _fini_conn()). Slurm
 * says yes also if the database has just gone away: dbd_has_database() tells.
 */
extern int dbd_commit(persist_t *conn, fed_err_t *err);

/* Have slurmdbd tell others another address than the one it sees us at. */
extern int dbd_set_address(persist_t *conn, const char *cluster,
			   const char *host, uint16_t port, fed_err_t *err);

/*
 * Have slurmdbd push the federation to all of its members, by a change of the
 * cluster that changes nothing.
 */
extern int dbd_touch_federation(persist_t *conn, const char *cluster,
				fed_err_t *err);

/*
 * How the cluster stands in its federation.
 * IN state - CLUSTER_FED_STATE_* and flags
 */
extern int dbd_set_fed_state(persist_t *conn, const char *cluster,
			     uint32_t state, fed_err_t *err);

/* Take the cluster out of its federation. */
extern int dbd_leave_federation(persist_t *conn, const char *cluster,
				const char *federation, fed_err_t *err);

/* The size of the cluster, for accounting (DBD_CLUSTER_TRES). */
extern int dbd_set_tres(persist_t *conn, const char *nodes, const char *tres,
			fed_err_t *err);

/* OUT ret_suspended - whether slurmdbd has that run of a job as suspended */
extern int dbd_is_suspended(persist_t *conn, const char *cluster,
			    uint32_t job_id, time_t submit, bool *ret_suspended,
			    fed_err_t *err);

/* OUT ret_events - of nodes that slurmdbd takes for down; slurmdb_event_rec_t */
extern int dbd_get_down(persist_t *conn, const char *cluster,
			compat_list_t *ret_events, fed_err_t *err);

/* Say that a node went down, or is up again. */
extern int dbd_set_node_state(persist_t *conn, dbd_node_state_msg_t *msg,
			      fed_err_t *err);

/* OUT ret_fed - the federation of that cluster, one reference */
extern int dbd_get_federation(persist_t *conn, const char *cluster,
			      federation_t **ret_fed, fed_err_t *err);

/*
 * Who may do what on the cluster.
 * IN site - which TRES it tracks, and how shares are to be shown
 * IN assoc - told what slurmdbd says, when all of it has come
 * OUT ret_changed - it said something new
 */
extern int dbd_get_assocs(persist_t *conn, const char *cluster,
			  const site_t *site, assoc_t *assoc,
			  bool *ret_changed, fed_err_t *err);

/* RET 0 if slurmdbd has its database at hand */
extern int dbd_has_database(persist_t *conn, fed_err_t *err);

/* OUT ret_known - whether slurmdbd has a cluster of that name */
extern int dbd_has_cluster(persist_t *conn, const char *cluster,
			   bool *ret_known, fed_err_t *err);

#endif
