/*
 * gate.h - the life of a job, without a clock, a file or a process.
 *
 *	pending -> starting -> (granted) -> running -> completing -> over
 *	  ^  \        |           |            |
 *	  |   held    |           |            |
 *	  +-----------+-----------+------------+
 *	   wait, no answer   start failed   requeue
 *
 * A job that gets its resources asks the gate (starting) and holds them until
 * the answer. Before the grant nothing of it has run, and revoke, cancel and
 * hold take effect at once. After the grant only what the backend reports ends
 * it. Each time that it gets resources is another attempt, counted from 1 in
 * an epoch; a grant is for one attempt, and a job starts once for a grant.
 *
 * Three pure functions: judge says what a request does, update does it, wants
 * says what the world should look like for a job as it is. The last may be
 * asked again at any time, after a crash too, with the same answer.
 */
#ifndef FED_GATEWAY_GATE_H
#define FED_GATEWAY_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/flurm/op.h"
#include "src/flurm/result.h"
#include "src/gateway/event.h"
#include "src/gateway/job.h"

/* what a request leads to */
typedef struct {
	flurm_result_t result;	/* the answer, once the event is durable;
				 * state is told after the event */
	bool has_event;
	gw_event_t event;	/* type, state, hold, signal, reason, until */
	bool deliver;		/* no event: the backend does it */
} gw_verdict_t;

/*
 * What does an op on a job that is there do? Not for SUBMIT and UPDATE, whose
 * specs have to be judged too (the engine does).
 */
extern void gw_gate_judge(const gw_job_t *job, const flurm_op_t *op,
			  int64_t now_ms, gw_verdict_t *ret_verdict);

extern void gw_verdict_free(gw_verdict_t *verdict);

/*
 * Does this epoch fit the job? The first question to every op.
 * RET 0, or -1 and the answer in ret_result
 */
extern int gw_gate_epoch(const gw_job_t *job, uint32_t epoch,
			 flurm_result_t *ret_result);

/* Put what holds of a job into an answer: ids, epoch, state. */
extern void gw_gate_fill(const gw_job_t *job, flurm_result_t *result);

/*
 * The event happens to the job. What the event owns and the job keeps (texts,
 * nodes) is copied.
 */
extern void gw_gate_update(gw_job_t *job, const gw_event_t *event);

/* how things should be */
typedef struct {
	bool queued;		/* in the scheduler's queue */
	bool resources;		/* keeps what it holds */
	bool run;		/* the backend has it */
	bool cancel;		/* the backend is to end it */
	bool suspend;		/* the backend is to keep it still */
} gw_wants_t;

extern gw_wants_t gw_gate_wants(const gw_job_t *job, int64_t now_ms);

/* times of the gate, from the configuration */
typedef struct {
	int64_t ask_again_ms;
	int64_t patience_ms;
	int64_t retry_ms;
} gw_gate_times_t;

/*
 * What time alone makes of it: the deadline, the end of patience, one more
 * start_request.
 * IN heard_seq - the last cursor that a client has got
 * RET true if there is an event
 */
extern bool gw_gate_tick(const gw_job_t *job, const gw_gate_times_t *times,
			 int64_t now_ms, uint64_t heard_seq,
			 gw_event_t *ret_event);

/* RET when to ask gw_gate_tick() or gw_gate_wants() again, or GW_NEVER */
extern int64_t gw_gate_wake(const gw_job_t *job, const gw_gate_times_t *times,
			    int64_t now_ms);

#endif
