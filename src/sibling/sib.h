/*
 * sib.h - the messages that siblings send each other about jobs.
 *
 * REQUEST_SIB_MSG carries one of these kinds. The numbers are private to
 * slurmctld/fed_mgr.c (enum fed_job_update_type) and the same in every
 * release; FED_JOB_REMOVE_ACTIVE_SIB_BIT (3) and FED_SEND_JOB_SYNC (12) are
 * never on the wire.
 */
#ifndef FED_SIBLING_SIB_H
#define FED_SIBLING_SIB_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "src/sibling/compat.h"

typedef enum {
	SIB_CANCEL = 1,		/* origin -> runner: signal it; we -> origin */
	SIB_COMPLETE = 2,	/* origin -> sibling: revoked; runner ->
				 * origin: finished */
	SIB_REQUEUE = 4,	/* sibling -> origin */
	SIB_START = 5,		/* runner -> origin */
	SIB_SUBMIT_BATCH = 6,	/* origin -> sibling */
	SIB_SUBMIT_INT = 7,	/* the same, of an interactive job */
	SIB_SUBMIT_RESP = 8,	/* sibling -> origin: refused */
	SIB_SYNC = 9,		/* both: all jobs that the other may know */
	SIB_UPDATE = 10,	/* origin -> sibling */
	SIB_UPDATE_RESP = 11,	/* sibling -> origin: exactly one for each */
} sib_kind_t;

/* RET "submit", "revoke or finish" and the like; "unknown" */
extern const char *sib_kind_name(uint16_t kind);

/* RET a message for a link, of a job that was refused with a Slurm errno */
extern buf_t *sib_pack_submit_resp(uint32_t our_fed_id, uint32_t job_id,
				   uint32_t rc, uint16_t version);
extern buf_t *sib_pack_update_resp(uint32_t our_fed_id, uint32_t job_id,
				   uint32_t rc, uint16_t version);

/* Top-level messages, on their own. RET as the others */
extern buf_t *sib_pack_lock(uint32_t our_fed_id, uint32_t job_id, bool unlock,
			    uint16_t version);
extern buf_t *sib_pack_start(uint32_t our_fed_id, uint32_t job_id,
			     time_t start_time, uint16_t version);

/*
 * IN job_state - a base state, without flags: the origin would or them into
 *	its own (fed_mgr.c, fed_mgr_job_revoke())
 * IN status - as wait(2)
 */
extern buf_t *sib_pack_complete(uint32_t our_fed_id, uint32_t job_id,
				uint32_t job_state, uint32_t status,
				time_t start_time, uint16_t version);
extern buf_t *sib_pack_cancel(uint32_t our_fed_id, uint32_t job_id,
			      uint16_t signal, uint16_t flags, uint32_t uid,
			      uint16_t version);
extern buf_t *sib_pack_requeue(uint32_t our_fed_id, uint32_t job_id,
			       uint16_t version);

/*
 * IN jobs - packed body of a RESPONSE_JOB_INFO (pack_info.h), not NULL
 * IN sync_time - jobs submitted later are not expected to be in the list
 */
extern buf_t *sib_pack_sync(uint32_t our_fed_id, buf_t *jobs,
			    time_t sync_time, uint16_t version);

/*
 * Does a JOB_SYNC claim more jobs than its bytes can hold? Slurm's unpacker
 * makes room for all of them first, and frees them one by one: gigabytes, and
 * minutes (slurm_protocol_pack.c, _unpack_job_info_msg()).
 * IN buf - at the body of a REQUEST_SIB_MSG; stays there
 */
extern bool sib_claims_too_much(buf_t *buf, uint16_t version);

#endif
