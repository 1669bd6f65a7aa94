/*
 * fed_job_name.c - states, events, actions and ends in words (see fed_job.h).
 */
#include "src/core/fed_job.h"

static const char *const states[FED_JOB_STATES] = {
	[FED_JOB_DELIVERING] = "delivering",
	[FED_JOB_QUEUED] = "queued",
	[FED_JOB_LOCKING] = "locking",
	[FED_JOB_DENIED] = "denied",
	[FED_JOB_GRANTED] = "granted",
	[FED_JOB_RUNNING] = "running",
	[FED_JOB_CANCELLING] = "cancelling",
	[FED_JOB_WITHDRAWING] = "withdrawing",
	[FED_JOB_ENDED] = "ended",
	[FED_JOB_GONE] = "gone",
};

static const char *const events[FED_EVENTS] = {
	[FED_EV_SUBMIT] = "submit",
	[FED_EV_REVOKE] = "revoke",
	[FED_EV_CANCEL] = "cancel",
	[FED_EV_UPDATE] = "update",
	[FED_EV_LOCK_GRANTED] = "lock-granted",
	[FED_EV_LOCK_REFUSED] = "lock-refused",
	[FED_EV_ORIGIN_LOST] = "origin-lost",
	[FED_EV_ORIGIN_DOWN] = "origin-down",
	[FED_EV_ORIGIN_VIEW] = "origin-view",
	[FED_EV_ACCEPTED] = "accepted",
	[FED_EV_REFUSED] = "refused",
	[FED_EV_START_REQUEST] = "start-request",
	[FED_EV_STARTED] = "started",
	[FED_EV_START_FAILED] = "start-failed",
	[FED_EV_ENDED] = "ended",
	[FED_EV_UNKNOWN] = "unknown",
	[FED_EV_FLURM_VIEW] = "flurm-view",
	[FED_EV_SENT] = "sent",
	[FED_EV_ACKED] = "acked",
	[FED_EV_UNSENT] = "unsent",
	[FED_EV_LISTED] = "listed",
	[FED_EV_DEADLINE] = "deadline",
	[FED_EV_RETRY] = "retry",
	[FED_EV_CHANGE] = "change",
	[FED_EV_RUN_OUT] = "run_out",
	[FED_EV_SUPERSEDED] = "superseded",
	[FED_EV_REPLAYED] = "replayed",
};

static const char *const actions[FED_ACTIONS] = {
	[FED_ACT_LOCK] = "lock",
	[FED_ACT_UNLOCK] = "unlock",
	[FED_ACT_SUBMIT_RESP] = "submit-resp",
	[FED_ACT_START] = "start",
	[FED_ACT_REQUEUE] = "requeue",
	[FED_ACT_COMPLETE] = "complete",
	[FED_ACT_UPDATE_RESPONSE] = "update-response",
	[FED_ACT_REVOKE_SIBLINGS] = "revoke-siblings",
	[FED_ACT_FLURM_SUBMIT] = "flurm-submit",
	[FED_ACT_FLURM_UPDATE] = "flurm-update",
	[FED_ACT_FLURM_GRANT] = "flurm-grant",
	[FED_ACT_FLURM_DENY] = "flurm-deny",
	[FED_ACT_FLURM_SIGNAL] = "flurm-signal",
	[FED_ACT_FLURM_REVOKE] = "flurm-revoke",
	[FED_ACT_FLURM_CANCEL] = "flurm-cancel",
	[FED_ACT_ROW_START] = "row-start",
	[FED_ACT_ROW_END] = "row-end",
};

static const char *const ends[FED_END_STATES] = {
	[FED_END_NONE] = "none",
	[FED_END_COMPLETED] = "completed",
	[FED_END_FAILED] = "failed",
	[FED_END_CANCELLED] = "cancelled",
	[FED_END_TIMEOUT] = "timeout",
	[FED_END_NODE_FAIL] = "node_fail",
	[FED_END_PREEMPTED] = "preempted",
	[FED_END_BOOT_FAIL] = "boot_fail",
	[FED_END_DEADLINE] = "deadline",
	[FED_END_OUT_OF_MEMORY] = "out_of_memory",
	[FED_END_REVOKED] = "revoked",
};

extern const char *fed_job_state_name(fed_job_state_t state)
{
	return state < FED_JOB_STATES ? states[state] : "?";
}

extern const char *fed_job_event_name(fed_job_event_type_t type)
{
	return type < FED_EVENTS ? events[type] : "?";
}

extern const char *fed_job_action_name(fed_job_action_t action)
{
	return action < FED_ACTIONS ? actions[action] : "?";
}

extern const char *fed_job_end_name(fed_job_end_t end)
{
	return end < FED_END_STATES ? ends[end] : "?";
}
