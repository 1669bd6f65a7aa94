/*
 * result.h - the answer to an op: what holds now, or an error.
 */
#ifndef FED_FLURM_RESULT_H
#define FED_FLURM_RESULT_H

#include <jansson.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/flurm/state.h"

#define FLURM_ERROR_CODE_MAX 32

typedef struct {
	int status;		/* HTTP status: 2xx, or one with an error */
	char error[FLURM_ERROR_CODE_MAX];	/* stable code; "": none */
	char *reason;		/* for a person; NULL: none */
	int64_t retry_after;	/* seconds, with 429 and 503 */
	uint32_t fed_job_id;
	uint32_t epoch;
	uint64_t job_id;	/* FLURM's own; 0: none */
	flurm_state_t state;	/* FLURM_STATE_COUNT: not said */
} flurm_result_t;

extern void flurm_result_init(flurm_result_t *result);
extern void flurm_result_free(flurm_result_t *result);

/*
 * Make it an error. The previous content is freed.
 * IN error - stable code; NULL: the usual one for the status
 * RET -1
 */
extern int flurm_result_set(flurm_result_t *result, int status,
			    const char *error, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* RET the stable code that goes with an HTTP status ("conflict") */
extern const char *flurm_error_code(int status);

/* as the body of a reply; its status is the reply's */
extern json_t *flurm_result_to_json(const flurm_result_t *result);
extern int flurm_result_from_json(const json_t *json, int status,
				  flurm_result_t *ret_result, fed_err_t *err);

/* as an element of a batch's "results", which has its status in it */
extern json_t *flurm_result_to_batch(const flurm_result_t *result);
extern int flurm_result_from_batch(const json_t *json,
				   flurm_result_t *ret_result, fed_err_t *err);

#endif
