/*
 * client.h - our side of the API of one FLURM cluster.
 *
 * Belongs to the thread that turns its loop (loop.h); callbacks come only
 * from within flurm_loop_turn(), exactly one for each call that returned an
 * id, and may call anything here but flurm_client_destroy().
 *
 * ORDER: ops of one job reach the server in the order they were given, each
 * answered before the next is sent; ops of different jobs in no order.
 *
 * RETRY: an op is repeated, with back-off and jitter or as Retry-After says,
 * on 429, 5xx and lost connections until its deadline, and on 401 and 403
 * too: those are between the two ends, not about the job. That is safe since
 * it is idempotent by (fed_job_id, epoch); one without a fed_job_id is
 * repeated only while it certainly was not delivered.
 *
 * BATCH: where the server can (a health reply has said so) and more than one
 * op is ready, they travel together. A caller need not care.
 */
#ifndef FED_FLURM_CLIENT_H
#define FED_FLURM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/flurm/loop.h"
#include "src/flurm/model.h"
#include "src/flurm/token.h"

typedef struct flurm_client flurm_client_t;

typedef enum {
	FLURM_ANSWERED,		/* 2xx: it holds */
	FLURM_REFUSED,		/* any other final answer: it does not hold */
	FLURM_NOT_DELIVERED,	/* certainly not received */
	FLURM_UNKNOWN,		/* perhaps received, no answer */
} flurm_outcome_t;

/* RET "answered", "refused", "not delivered", "unknown whether delivered" */
extern const char *flurm_outcome_name(flurm_outcome_t outcome);

/* Zero means the default of every number. */
typedef struct {
	const char *name;	/* the cluster, in the log */
	const char *url;	/* "https://host:port", no path */
	flurm_token_t *token;	/* NULL: none sent; must outlive the client */
	const char *bearer;	/* a fixed one instead; NULL: none */
	const char *ca_file;	/* NULL: the system's */
	const char *cert_file;	/* of our own; both or none */
	const char *key_file;
	bool no_reuse;		/* a new connection for each request */
	unsigned int max_inflight;	/* requests at once; 16 */
	unsigned int max_queued;	/* ops waiting; 65536 */
	unsigned int batch_ops;		/* per batch; 256. 1: never batch */
	size_t batch_bytes;		/* per batch; 4 MiB */
	unsigned int connect_ms;	/* 5000 */
	unsigned int answer_ms;		/* for one try; 30000 */
	unsigned int retry_ms;		/* first back-off; 200 */
	unsigned int retry_max_ms;	/* 15000 */
	unsigned int silence_ms;	/* of the event stream; 15000 */
	size_t max_reply;		/* bytes; 64 MiB */
} flurm_client_conf_t;

/* IN conf - copied. RET the client, or NULL: err names what is wrong */
extern flurm_client_t *flurm_client_create(flurm_loop_t *loop,
					   const flurm_client_conf_t *conf,
					   fed_err_t *err);

/*
 * Stop everything. Calls that are still open get their callback (not
 * delivered or unknown) before this returns. NULL is fine.
 */
extern void flurm_client_destroy(flurm_client_t *client);

/*
 * IN result - what the server said; with no answer, status is 0 and reason
 *	tells what happened. Valid only during the call
 */
typedef void (*flurm_op_done_t)(void *arg, flurm_outcome_t outcome,
				const flurm_result_t *result);

/*
 * Have an op done.
 * IN op - copied
 * IN deadline_ms - from now, for all tries; 0: try until cancelled
 * RET an id for flurm_client_cancel(), or 0: the queue is full, or no memory
 */
extern uint64_t flurm_client_op(flurm_client_t *client, const flurm_op_t *op,
				unsigned int deadline_ms, flurm_op_done_t done,
				void *arg);

/*
 * Give up on a call. Its callback comes with the next turn, with what is
 * known by then. RET false if there is no such call (any more)
 */
extern bool flurm_client_cancel(flurm_client_t *client, uint64_t id);

/*
 * The answer to a query. outcome is never FLURM_UNKNOWN; unless it is
 * FLURM_ANSWERED the data are NULL and err says why (code: HTTP status or 0).
 * Data are valid only during the call.
 */
typedef void (*flurm_health_done_t)(void *arg, flurm_outcome_t outcome,
				    const flurm_health_t *health,
				    const fed_err_t *err);
typedef void (*flurm_stats_done_t)(void *arg, flurm_outcome_t outcome,
				   const flurm_cluster_stats_t *stats,
				   const fed_err_t *err);
typedef void (*flurm_partitions_done_t)(void *arg, flurm_outcome_t outcome,
					const flurm_partition_t *partitions,
					size_t count, const fed_err_t *err);
typedef void (*flurm_nodes_done_t)(void *arg, flurm_outcome_t outcome,
				   const flurm_node_t *nodes, size_t count,
				   const fed_err_t *err);
typedef void (*flurm_job_done_t)(void *arg, flurm_outcome_t outcome,
				 const flurm_job_t *job, const fed_err_t *err);

/*
 * Queries: tried again until the deadline (0: one try). RET as
 * flurm_client_op(). A health reply also sets what the client makes use of.
 */
extern uint64_t flurm_client_health(flurm_client_t *client,
				    unsigned int deadline_ms,
				    flurm_health_done_t done, void *arg);
extern uint64_t flurm_client_stats(flurm_client_t *client,
				   unsigned int deadline_ms,
				   flurm_stats_done_t done, void *arg);
extern uint64_t flurm_client_partitions(flurm_client_t *client,
					unsigned int deadline_ms,
					flurm_partitions_done_t done,
					void *arg);
extern uint64_t flurm_client_nodes(flurm_client_t *client,
				   unsigned int deadline_ms,
				   flurm_nodes_done_t done, void *arg);
extern uint64_t flurm_client_job(flurm_client_t *client, uint32_t fed_job_id,
				 unsigned int deadline_ms,
				 flurm_job_done_t done, void *arg);

/*
 * All jobs. page() is called for each page; done() once, at the end.
 * IN complete - (done) every page came and said it was complete: only then
 *	does a job that was not listed not exist
 */
typedef void (*flurm_page_t)(void *arg, const flurm_job_page_t *page);
typedef void (*flurm_list_done_t)(void *arg, bool complete,
				  const fed_err_t *err);
extern uint64_t flurm_client_jobs(flurm_client_t *client,
				  unsigned int deadline_ms, flurm_page_t page,
				  flurm_list_done_t done, void *arg);

/* The event stream. Any of these may be NULL; up and down alternate. */
typedef struct {
	/* connected; events after the cursor will come */
	void (*up)(void *arg);
	/* lost, silent or refused; it is tried again by itself */
	void (*down)(void *arg, const fed_err_t *err);
	/* valid only during the call; heartbeats are not told */
	void (*event)(void *arg, const flurm_event_t *event);
	/*
	 * Events are missing, since the cursor is too old or the server has
	 * lost its state (instance_id is another one; NULL: not told): list
	 * all jobs. The stream goes on from the oldest event there is.
	 */
	void (*gap)(void *arg, const char *instance_id);
} flurm_events_ops_t;

/*
 * Follow the events, until flurm_client_events_stop() or the client's end. It
 * reconnects by itself and goes on where it was.
 * IN after - the cursor: seq of the last event that is safe with us
 * IN instance_id - which server state the cursor is of; NULL: any
 * RET 0 or -1: it runs already
 */
#define FLURM_EVENTS_OLDEST UINT64_MAX	/* no cursor yet */
extern int flurm_client_events_start(flurm_client_t *client, uint64_t after,
				     const char *instance_id,
				     const flurm_events_ops_t *ops, void *arg);
extern void flurm_client_events_stop(flurm_client_t *client);

/*
 * Events up to seq are safe with us: the server may forget them. Sent at most
 * once a second; a server that knows no such route is told by the cursor of
 * the next connection.
 */
extern void flurm_client_events_ack(flurm_client_t *client, uint64_t seq);

typedef struct {
	unsigned int queued;	/* calls not yet sent */
	unsigned int inflight;	/* requests under way */
	uint64_t requests;	/* tries, all kinds */
	uint64_t batches;
	uint64_t retries;
	uint64_t events;
	bool stream_up;
	uint32_t capabilities;	/* FLURM_CAN_*; 0 until a health reply */
} flurm_client_stats_t;

extern void flurm_client_get_stats(const flurm_client_t *client,
				   flurm_client_stats_t *ret_stats);

#endif
