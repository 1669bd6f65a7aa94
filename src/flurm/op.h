/*
 * op.h - one thing to do with a job.
 *
 * The same op travels as a request of its own (POST /api/v1/jobs, DELETE
 * /api/v1/jobs/{id}, POST /api/v1/jobs/{id}/hold, ...) or as an element of
 * POST /api/v1/jobs/batch; a server need know only ops. Repeating an op with
 * the same fed_job_id and epoch gives the same answer and changes nothing.
 */
#ifndef FED_FLURM_OP_H
#define FED_FLURM_OP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/flurm/job_spec.h"

typedef enum {
	FLURM_OP_SUBMIT,	/* spec */
	FLURM_OP_CANCEL,	/* signal: TERM then KILL if not said */
	FLURM_OP_HOLD,
	FLURM_OP_RELEASE,
	FLURM_OP_SUSPEND,
	FLURM_OP_RESUME,
	FLURM_OP_SIGNAL,	/* signal, scope */
	FLURM_OP_REQUEUE,	/* hold; the job's epoch becomes epoch + 1 */
	FLURM_OP_UPDATE,	/* spec: only what changes */
	FLURM_OP_START,		/* grant, attempt, retry_after */
	FLURM_OP_REVOKE,	/* reason */
	FLURM_OP_NOTIFY,	/* text, for the user to read in its output */
	FLURM_OP_COUNT,
} flurm_op_kind_t;

/* which processes of a job get a signal: scancel's default, -b and -f */
typedef enum {
	FLURM_SCOPE_STEPS,
	FLURM_SCOPE_BATCH,
	FLURM_SCOPE_FULL,
} flurm_scope_t;

typedef struct {
	flurm_op_kind_t kind;
	uint32_t fed_job_id;
	uint32_t epoch;
	flurm_job_spec_t *spec;	/* submit, update; else NULL */
	int64_t signal;		/* signal, cancel */
	flurm_scope_t scope;
	bool grant;
	uint32_t attempt;	/* start: which it answers; 0: not said */
	bool hold;
	int64_t retry_after;	/* seconds, of a start that is not granted */
	char *reason;
	char *text;		/* notify */
} flurm_op_t;

/* RET the name in the API ("submit"), "unknown" for anything else */
extern const char *flurm_op_name(flurm_op_kind_t kind);

extern void flurm_op_init(flurm_op_t *op, flurm_op_kind_t kind);
extern void flurm_op_free(flurm_op_t *op);

extern void flurm_op_copy(flurm_op_t *ret_op, const flurm_op_t *op);

/* as an element of a batch: {"op":"cancel","fed_job_id":F,"epoch":E,...} */
extern json_t *flurm_op_to_json(const flurm_op_t *op);
extern int flurm_op_from_json(const json_t *json, flurm_op_t *ret_op,
			      fed_err_t *err);

/*
 * The same where the kind is known from elsewhere. fed_job_id and epoch must
 * be there, but for a submission that has neither.
 */
extern int flurm_op_of_kind(flurm_op_kind_t kind, const json_t *json,
			    flurm_op_t *ret_op, fed_err_t *err);

/*
 * As a request of its own: its body, but for a cancel that has none, is the
 * same JSON; "op" in it says no more than the path.
 * OUT ret_path - with its query
 * RET the method
 */
#define FLURM_OP_PATH_MAX 96
extern const char *flurm_op_request(const flurm_op_t *op,
				    char ret_path[FLURM_OP_PATH_MAX]);

#endif
