/*
 * client_inside.h - what the parts of the client share: client.c (life, and
 * when to try again), client_op.c and client_send.c (ops, see op_queue.h),
 * client_query.c (questions), client_events.c (the stream).
 */
#ifndef FED_FLURM_CLIENT_INSIDE_H
#define FED_FLURM_CLIENT_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/log.h"
#include "src/flurm/client.h"
#include "src/flurm/loop_inside.h"
#include "src/flurm/map.h"
#include "src/flurm/timers.h"
#include "src/flurm/transfer.h"

/* what flurm_client_cancel() finds by its id; first in what it is part of */
typedef struct call {
	uint64_t id;
	void (*cancel)(struct call *call);
	void (*destroy)(struct call *call);	/* with its last callback */
} call_t;

typedef struct op_call op_call_t;
typedef struct op_send op_send_t;
typedef struct events events_t;

/* ops that wait for their turn */
typedef struct {
	op_call_t *first, *last;	/* ready: the heads of jobs' queues */
	size_t ready;
	map_t jobs;		/* fed_job_id: the tail of the job's queue */
	unsigned int queued;	/* all that are not being sent */
	op_send_t *sends;	/* being sent */
	unsigned int send_count;
	flurm_timer_t dispatch;
	size_t batch_bytes;	/* shrinks if the server finds it too large */
} op_queue_t;

struct flurm_client {
	flurm_client_conf_t conf;	/* defaults filled in; strings gone */
	char *name;
	flurm_loop_t *loop;
	fed_timers_t *timers;
	dest_t *dest;
	bool closing;
	uint64_t last_id;
	map_t calls;		/* id: call_t */
	op_queue_t ops;
	events_t *events;	/* NULL: not followed */
	flurm_client_stats_t stats;

	/* the server as a whole does not do its work: nothing is sent */
	unsigned int failures;	/* in a row */
	int64_t pause_until_ms;
	uint64_t dice;
	fed_log_throttle_t complaint;
};

/* client.c */
extern void client_add_call(flurm_client_t *client, call_t *call);
/* RET ms to wait before try number tries + 1; Retry-After rules if set */
extern unsigned int client_backoff_ms(flurm_client_t *client,
				      unsigned int tries, int64_t retry_after);
/* The server does not do its work: pause. */
extern void client_failed(flurm_client_t *client, int64_t retry_after,
			  const char *why);
/* It does. */
extern void client_heard(flurm_client_t *client);

/*
 * What an answer means for what was asked.
 */
typedef enum {
	VERDICT_DONE,		/* 2xx */
	VERDICT_FINAL,		/* no, and asking again changes nothing */
	VERDICT_LATER,		/* not done: ask again */
	VERDICT_UNSURE,		/* perhaps done: ask again, or never know */
} verdict_t;
extern verdict_t client_judge(int status);

/*
 * Is it the server as a whole that did not do its work (or was not reached)?
 * RET VERDICT_DONE: no. Else what that means for what was asked
 */
extern verdict_t client_judge_whole(const transfer_result_t *result);

/* RET the error of an answer as text: its reason, or its status */
extern void client_explain(const transfer_result_t *result, fed_err_t *err);

/* client_op.c */
extern void op_queue_init(flurm_client_t *client);
extern void op_queue_free(flurm_client_t *client);
/* Send what is ready, soon. */
extern void op_queue_wake(flurm_client_t *client);

/* client_events.c */
extern void events_free(flurm_client_t *client);

#endif
