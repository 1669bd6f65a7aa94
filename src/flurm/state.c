/*
 * state.c - names of a job's states (see state.h).
 */
#include "src/flurm/state.h"

#include <string.h>

static const char *const names[FLURM_STATE_COUNT] = {
	[FLURM_PENDING] = "pending",
	[FLURM_HELD] = "held",
	[FLURM_STARTING] = "starting",
	[FLURM_RUNNING] = "running",
	[FLURM_SUSPENDED] = "suspended",
	[FLURM_COMPLETING] = "completing",
	[FLURM_COMPLETED] = "completed",
	[FLURM_FAILED] = "failed",
	[FLURM_CANCELLED] = "cancelled",
	[FLURM_TIMEOUT] = "timeout",
	[FLURM_OUT_OF_MEMORY] = "out_of_memory",
	[FLURM_NODE_FAIL] = "node_fail",
	[FLURM_PREEMPTED] = "preempted",
	[FLURM_BOOT_FAIL] = "boot_fail",
	[FLURM_REVOKED] = "revoked",
};

extern const char *flurm_state_name(flurm_state_t state)
{
	if ((unsigned int) state >= FLURM_STATE_COUNT)
		return "unknown";
	return names[state];
}

extern int flurm_state_parse(const char *name, flurm_state_t *ret_state)
{
	for (int i = 0; i < FLURM_STATE_COUNT; i++) {
		if (!strcmp(name, names[i])) {
			*ret_state = i;
			return 0;
		}
	}
	return -1;
}

extern bool flurm_state_is_over(flurm_state_t state)
{
	return (state >= FLURM_COMPLETED) && (state < FLURM_STATE_COUNT);
}
