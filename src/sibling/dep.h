/*
 * dep.h - dependencies of other clusters' jobs on FLURM's.
 *
 * A native whose job depends on a job of ours, or is a singleton, sends the
 * dependency (REQUEST_SEND_DEP) and waits for REQUEST_UPDATE_ORIGIN_DEP with
 * the state of each item of it that is ours to judge; what is not ours it
 * ignores (slurmctld/job_scheduler.c, update_job_dependency_list()).
 */
#ifndef FED_SIBLING_DEP_H
#define FED_SIBLING_DEP_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/bytes.h"
#include "src/core/err.h"
#include "src/sibling/compat.h"

typedef struct {
	uint32_t job_id;	/* the job that waits, at its origin */
	uint32_t user_id;
	char *job_name;
	char *dependency;	/* as the origin wrote it, "" to forget it */
} dep_t;

/* RET a copy of what the message says, for dep_free() */
extern dep_t *dep_from_msg(const dep_msg_t *msg);
extern void dep_free(dep_t *dep);

extern void dep_pack(const dep_t *dep, fed_bytes_t *bytes);
extern dep_t *dep_unpack(const void *body, size_t len, fed_err_t *err);

/*
 * Judge a dependency as a sibling that knows no job it could wait for.
 * IN our_fed_id - FLURM's id in the federation
 * IN version - of the peer, to pack the answer with
 * RET the answer (REQUEST_UPDATE_ORIGIN_DEP) for a link, or NULL if nothing of
 *	it is ours to judge
 */
extern buf_t *dep_answer(const dep_t *dep, uint32_t our_fed_id,
			 uint16_t version);

#endif
