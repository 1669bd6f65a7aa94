/*
 * pack_dbd.h - what starts, packed for slurmdbd.
 *
 * Slurm's own packers of these two messages ask the accounting plugin where
 * the nodes are in the cluster (slurmdbd_pack.c, _pack_job_start_msg()). In
 * slurmctld that plugin answers for the native cluster, elsewhere there may be
 * none. What they write is written here, with the caller's node_inx.
 */
#ifndef FED_SIBLING_PACK_DBD_H
#define FED_SIBLING_PACK_DBD_H

#include "src/sibling/compat.h"

/*
 * A frame's content, from the type on, for persist_ask_packed().
 * IN version - of the connection: ours, as slurmdbd is never the older one
 * RET a buffer for free_buf(), or NULL if slurmdbd is older than we are
 */
extern buf_t *pack_dbd_job_start(const dbd_job_start_msg_t *msg,
				 uint16_t version);
extern buf_t *pack_dbd_step_start(const dbd_step_start_msg_t *msg,
				  uint16_t version);

#endif
