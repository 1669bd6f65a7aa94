/*
 * op_queue.h - ops that wait for their turn or are being sent: client_op.c
 * keeps them in order, client_send.c sends them and reads the answers.
 */
#ifndef FED_FLURM_OP_QUEUE_H
#define FED_FLURM_OP_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/flurm/client_inside.h"

typedef enum {
	PHASE_BEHIND,		/* another op of its job comes first */
	PHASE_READY,		/* in the line */
	PHASE_DELAYED,		/* its own back-off runs */
	PHASE_SENT,
} phase_t;

struct op_call {
	call_t call;
	flurm_client_t *client;
	uint32_t fed_job_id;	/* 0: order does not matter */
	const char *method;
	char path[FLURM_OP_PATH_MAX];
	char *text;		/* as JSON, with "op" */
	size_t len;
	flurm_op_done_t done;	/* NULL: it has been called */
	void *arg;
	phase_t phase;
	bool maybe;		/* a try before this one may have arrived */
	bool solo;		/* not in a batch */
	bool cancelled;
	unsigned int tries;
	char *why;		/* the last try failed */
	flurm_timer_t delay;
	flurm_timer_t deadline;
	op_call_t *prev, *next;		/* in the line */
	op_call_t *before, *behind;	/* in its job's queue */
	op_send_t *send;		/* while it is being sent */
};

/* one request */
struct op_send {
	flurm_client_t *client;
	op_send_t *prev, *next;
	transfer_t *transfer;
	op_call_t **calls;
	size_t count;
	bool batch;
};

/* client_op.c */
extern void op_leave_line(op_call_t *call);

/*
 * It was not done, or perhaps not. IN alone - it waits by itself; else it
 * goes back to the line, which the client has paused
 */
extern void op_again(op_call_t *call, verdict_t verdict, int64_t retry_after,
		     bool alone, const char *why);

/* What the server said to it. */
extern void op_answered(op_call_t *call, const flurm_result_t *result);

/* Take it out of everything and free it: its callback has been called. */
extern void op_drop(op_call_t *call);

/* client_send.c */
/* Send what may be sent now. IN arg - the client */
extern void send_dispatch(void *arg);

/* Abort all requests and drop their ops. */
extern void send_abort_all(flurm_client_t *client);

#endif
