/*
 * store.h - the gateway's ledger: what is in it, and how state comes back.
 *
 * Records: META (instance_id and counters), EVENT (gate.h's, in the order in
 * which they happened), ACK (a client's cursor); in a snapshot also JOB (whole)
 * and KEPT (an event that a client may still ask for and that is in the jobs
 * already).
 */
#ifndef FED_GATEWAY_STORE_H
#define FED_GATEWAY_STORE_H

#include <stdint.h>

#include "src/core/err.h"
#include "src/core/ledger.h"
#include "src/gateway/event.h"
#include "src/gateway/evlog.h"
#include "src/gateway/jobs.h"

#define GW_INSTANCE_MAX 40

typedef struct {
	fed_ledger_t *ledger;
	fed_bytes_t buf;
	char instance_id[GW_INSTANCE_MAX];	/* a UUID */
	uint64_t next_job_id;
	uint64_t acked;		/* a client has got all up to this cursor */
	gw_jobs_t *jobs;
	gw_evlog_t evlog;
} gw_store_t;

/*
 * Open the ledger in dir and bring back jobs and events; a new one gets a new
 * instance_id and begins with an INSTANCE event.
 * RET 0 or -1
 */
extern int gw_store_open(gw_store_t *store, const char *dir, int64_t now_ms,
			 fed_err_t *err);
extern void gw_store_close(gw_store_t *store);

/*
 * Give the event its cursor, make it happen (to job, which may be NULL), and
 * put it in the ledger and the log. What it owns is gone after this.
 */
extern int gw_store_event(gw_store_t *store, gw_job_t *job, gw_event_t *event,
			  fed_err_t *err);

/*
 * The spec of a job, with script and environment if it is not over.
 * RET 0, or -1 if the ledger cannot be read
 */
extern int gw_store_spec(gw_store_t *store, const gw_job_t *job,
			 flurm_job_spec_t *ret_spec, fed_err_t *err);

/* A client has got all events up to this cursor. Needs no commit. */
extern void gw_store_ack(gw_store_t *store, uint64_t seq);

/* Make it all durable; a snapshot is taken if it is time. */
extern int gw_store_commit(gw_store_t *store, fed_err_t *err);

#endif
