/*
 * event.h - something that happened at FLURM: one line of the event stream.
 */
#ifndef FED_FLURM_EVENT_H
#define FED_FLURM_EVENT_H

#include <jansson.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/flurm/cluster.h"
#include "src/flurm/job.h"
#include "src/flurm/state.h"

typedef enum {
	FLURM_EV_SUBMITTED,	/* accepted: job_id */
	FLURM_EV_REJECTED,	/* not accepted after all: reason */
	FLURM_EV_START_REQUEST,	/* attempt, nodes, cpus: may it start? */
	FLURM_EV_STARTED,	/* nodes, cpus, start_time */
	FLURM_EV_START_FAILED,	/* granted, but nothing of it ran: attempt,
				 * reason */
	FLURM_EV_ENDED,		/* state, exit_code, signal, times, usage */
	FLURM_EV_HELD,
	FLURM_EV_RELEASED,
	FLURM_EV_UPDATED,	/* changes */
	FLURM_EV_REQUEUED,	/* reason; epoch is the one that ended */
	FLURM_EV_SUSPENDED,
	FLURM_EV_RESUMED,
	FLURM_EV_CLUSTER,	/* stats */
	FLURM_EV_INSTANCE,	/* instance_id: what was held before is gone */
	FLURM_EV_HEARTBEAT,	/* no seq: not kept */
	FLURM_EV_COUNT,
} flurm_event_type_t;

typedef struct {
	uint64_t seq;		/* the cursor after this event */
	flurm_event_type_t type;
	uint32_t fed_job_id;	/* 0: not about a job, or not a Slurm job */
	uint32_t epoch;
	uint64_t job_id;	/* 0: none */
	uint32_t attempt;	/* as of flurm_job_t; 0: not said */
	int64_t time;
	char *reason;
	char *nodes;		/* host list expression */
	int64_t cpus;
	int64_t start_time;
	int64_t end_time;
	flurm_state_t state;	/* of an ended one; else FLURM_STATE_COUNT */
	int64_t exit_code;
	int64_t signal;
	flurm_usage_t usage;
	char *instance_id;
	flurm_job_spec_t *changes;	/* NULL: none */
	flurm_cluster_stats_t *stats;	/* NULL: none */
} flurm_event_t;

/* RET the name in the API ("start_request"), "unknown" for anything else */
extern const char *flurm_event_name(flurm_event_type_t type);

extern void flurm_event_init(flurm_event_t *event);
extern void flurm_event_free(flurm_event_t *event);

extern json_t *flurm_event_to_json(const flurm_event_t *event);

/*
 * An event of a type that is not known here is not an error: later versions
 * add some. It gets type FLURM_EV_COUNT and its seq.
 */
extern int flurm_event_from_json(const json_t *json, flurm_event_t *ret_event,
				 fed_err_t *err);

/*
 * One line of the stream, as it is sent.
 * OUT ret_len - its length, with the newline; NULL: not wanted
 * RET malloc'd and terminated, or NULL without memory
 */
extern char *flurm_event_line(const flurm_event_t *event, size_t *ret_len);

#endif
