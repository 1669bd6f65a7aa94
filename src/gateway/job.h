/*
 * job.h - a job as the gateway holds it.
 *
 * The spec is kept packed (job_spec.h); what the scheduler and the gate look at
 * is beside it in numbers. Script and environment are only in the ledger, and
 * are dropped when the job is over.
 */
#ifndef FED_GATEWAY_JOB_H
#define FED_GATEWAY_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/core/bytes.h"
#include "src/core/err.h"
#include "src/core/timer.h"
#include "src/flurm/job.h"
#include "src/gateway/sched.h"

typedef struct gw_job gw_job_t;

struct gw_job {
	/* of the scheduler and the engine; not in the ledger */
	gw_entry_t entry;
	fed_timer_t timer;
	gw_job_t *over_next;	/* jobs that are over, in this order */
	gw_job_t *touched_next;	/* jobs to act on after the commit */
	bool touched;
	bool is_over_listed;
	bool told_start;	/* what the backend has been told */
	bool told_cancel;
	bool told_suspend;
	void *run;		/* the backend's own */

	/* of its spec, for the gate */
	bool gated;		/* asks before it starts */
	bool may_requeue;	/* its submitter allows it */
	bool dependent;		/* waits for an update of its dependency */
	int64_t begin_time;	/* Unix seconds; 0: none */
	int64_t deadline;	/* Unix seconds; 0: none */

	/* from here on: what events made of it (gate.h) */
	uint32_t fed_job_id;
	uint32_t epoch;
	uint64_t job_id;
	flurm_state_t state;
	bool granted;
	bool cancel;		/* wanted, but it was granted: it will end */
	bool requeue;		/* the same, and it waits again */
	bool requeue_hold;
	bool suspend;
	int cancel_signal;	/* 0: TERM, then KILL */
	uint32_t attempt;	/* how often it has had resources, in this
				 * epoch; does not repeat */
	uint32_t failed_starts;	/* in a row */
	uint32_t restarts;	/* requeues */
	int64_t submit_time;
	int64_t not_before_ms;	/* waits until then */
	int64_t asked_ms;	/* last start_request */
	int64_t first_asked_ms;	/* first one with these nodes */
	uint64_t asked_seq;
	uint64_t ended_seq;
	int64_t start_time;	/* Unix seconds; 0: has not */
	int64_t end_time;
	int64_t suspended_at;
	int64_t suspended_for;
	int64_t exit_code;
	int64_t signal;
	flurm_usage_t usage;
	uint32_t *alloc;	/* its nodes, indexes; stays when it is over */
	uint32_t alloc_count;
	char *nodes;		/* the same as an expression */
	char *reason;
	char *brief;		/* spec but script and environment, packed */
	uint64_t body_at;	/* the record that has these; 0: it is over */
	uint64_t body_next;	/* the same in the snapshot being written */
};

/* A new job, empty but for its ids; gw_job_free() it. */
extern gw_job_t *gw_job_create(uint32_t fed_job_id, uint64_t job_id);
extern void gw_job_free(gw_job_t *job);

/*
 * The job as a ledger record, and back.
 * IN body - packed, NULL when it is over
 * OUT ret_body - the same, malloc'd
 * RET 0 or -1
 */
extern void gw_job_pack(const gw_job_t *job, const char *body,
			fed_bytes_t *bytes);
extern int gw_job_unpack(const void *data, size_t len, gw_job_t *job,
			 char **ret_body, fed_err_t *err);

/*
 * The spec, as it was submitted and updated.
 * IN body - packed; NULL: without script and environment
 * RET 0 or -1
 */
extern int gw_job_spec(const gw_job_t *job, const char *body,
		       flurm_job_spec_t *ret_spec, fed_err_t *err);

/* RET the job as a JSON object (text, malloc'd), NULL without memory */
extern char *gw_job_json(const gw_job_t *job, int64_t now, size_t *ret_len);

#endif
