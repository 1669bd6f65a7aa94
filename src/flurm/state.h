/*
 * state.h - the states of a job at FLURM.
 */
#ifndef FED_FLURM_STATE_H
#define FED_FLURM_STATE_H

#include <stdbool.h>

typedef enum {
	FLURM_PENDING,
	FLURM_HELD,
	FLURM_STARTING,		/* has its resources, waits for the gate */
	FLURM_RUNNING,
	FLURM_SUSPENDED,
	FLURM_COMPLETING,	/* its script is over, it is being cleaned up */
	FLURM_COMPLETED,	/* from here on: over */
	FLURM_FAILED,
	FLURM_CANCELLED,
	FLURM_TIMEOUT,
	FLURM_OUT_OF_MEMORY,
	FLURM_NODE_FAIL,
	FLURM_PREEMPTED,
	FLURM_BOOT_FAIL,
	FLURM_REVOKED,		/* withdrawn: another cluster runs it */
	FLURM_STATE_COUNT,
} flurm_state_t;

/* RET the name in the API ("out_of_memory"), "unknown" for anything else */
extern const char *flurm_state_name(flurm_state_t state);

/* RET 0 and the state, or -1 if there is none of this name */
extern int flurm_state_parse(const char *name, flurm_state_t *ret_state);

/* RET true if a job in this state will not change any more in its epoch */
extern bool flurm_state_is_over(flurm_state_t state);

#endif
