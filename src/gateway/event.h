/*
 * event.h - what happened to a job: the one way in which it changes.
 *
 * An event is made from a request, a timer or a backend's report, changes the
 * job (gate.h), is written to the ledger and, if a client may know it, gets a
 * cursor and goes out on the event stream. Replaying the ledger is feeding the
 * same events to the same function.
 */
#ifndef FED_GATEWAY_EVENT_H
#define FED_GATEWAY_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/bytes.h"
#include "src/core/err.h"
#include "src/flurm/event.h"

/* The numbers are in the ledger: they stay. */
typedef enum {
	GW_EV_SUBMITTED = 1,	/* brief, body, job_id */
	GW_EV_ASKED = 2,	/* got nodes, asks the gate */
	GW_EV_ASKED_AGAIN = 3,
	GW_EV_TAKEN = 4,	/* got nodes, needs no gate: granted */
	GW_EV_GRANTED = 5,
	GW_EV_WAIT = 6,		/* gives nodes back, not before until */
	GW_EV_GAVE_BACK = 7,	/* the same, for want of an answer */
	GW_EV_STARTED = 8,	/* start_time */
	GW_EV_START_FAILED = 9,	/* reason, not before until */
	GW_EV_CANCEL = 10,	/* of one that was granted: signal */
	GW_EV_ENDED = 11,	/* state and all that is known of the run */
	GW_EV_HELD = 12,
	GW_EV_RELEASED = 13,
	GW_EV_UPDATED = 14,	/* brief, body */
	GW_EV_REQUEUE = 15,	/* it is to end and wait again: hold */
	GW_EV_REQUEUED = 16,	/* as ENDED; epoch is the one that ended */
	GW_EV_SUSPENDED = 17,
	GW_EV_RESUMED = 18,
	GW_EV_FORGOTTEN = 19,	/* over for long: not kept any more */
	GW_EV_CLUSTER = 20,	/* not about a job: capacity changed */
	GW_EV_INSTANCE = 21,	/* not about a job: text is the new id */
} gw_event_type_t;

typedef struct {
	gw_event_type_t type;
	uint64_t seq;		/* cursor; 0: no client hears of it */
	uint32_t fed_job_id;
	uint32_t epoch;
	uint64_t job_id;
	uint32_t attempt;	/* the job's, of ASKED and TAKEN the new one */
	int64_t time_ms;	/* Unix milliseconds */
	int64_t until_ms;
	flurm_state_t state;
	bool hold;
	uint32_t cpus;		/* in all */
	int64_t start_time;	/* Unix seconds; 0: did not start */
	int64_t end_time;
	int64_t suspended_for;
	int64_t exit_code;	/* FLURM_UNSET: not known */
	int64_t signal;
	flurm_usage_t usage;
	uint32_t node_count;	/* of node_list */
	uint32_t *node_list;	/* indexes; owned */
	char *nodes;		/* the same as an expression; owned */
	char *reason;		/* owned */
	char *brief;		/* the spec without script and environment,
				 * packed (job_spec.h); owned */
	char *body;		/* these two, the same; owned */
	char *detail;		/* of UPDATED what changed, packed; of CLUSTER
				 * the stats, as JSON; owned */
} gw_event_t;

/* Empty, with every number that can be unset unset. */
extern void gw_event_init(gw_event_t *event, gw_event_type_t type);
extern void gw_event_free(gw_event_t *event);

/* RET true if a client hears of events of this type */
extern bool gw_event_is_public(gw_event_type_t type);

/* as the body of a ledger record */
extern void gw_event_pack(const gw_event_t *event, fed_bytes_t *bytes);

/* RET 0, or -1 if it makes no sense; ret_event is then empty */
extern int gw_event_unpack(const void *data, size_t len, gw_event_t *ret_event,
			   fed_err_t *err);

/*
 * A public event as a line of the stream.
 * OUT ret_len - length of it
 * RET malloc'd, or NULL without memory
 */
extern char *gw_event_line(const gw_event_t *event, size_t *ret_len);

#endif
