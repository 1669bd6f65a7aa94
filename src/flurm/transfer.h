/*
 * transfer.h - one HTTP request and its answer, or why there is none: one try.
 *
 * A dest says where to and how; transfers to it share its connections. Both
 * belong to the loop's thread; callbacks come from within flurm_loop_turn(),
 * outside libcurl, so that they may start and abort transfers.
 */
#ifndef FED_FLURM_TRANSFER_H
#define FED_FLURM_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/flurm/client.h"
#include "src/flurm/loop.h"

typedef struct dest dest_t;
typedef struct transfer transfer_t;

/* IN conf - copied. RET NULL: err says what is wrong with it */
extern dest_t *dest_create(flurm_loop_t *loop, const flurm_client_conf_t *conf,
			   fed_err_t *err);

/* All its transfers must have ended. NULL is fine. */
extern void dest_destroy(dest_t *dest);

typedef struct {
	int status;		/* of a whole answer; 0: there was none */
	bool delivered;		/* perhaps: some of the request has left */
	int64_t retry_after;	/* seconds, FLURM_UNSET if not said */
	const char *body;	/* terminated */
	size_t len;
	const char *error;	/* with status 0: why */
} transfer_result_t;

typedef struct {
	const char *method;	/* a constant */
	const char *path;	/* with its query */
	char *body;		/* taken (malloc); NULL: none */
	size_t body_len;
	unsigned int answer_ms;	/* 0: no limit, for a stream */
	bool once;		/* must never be sent twice by itself */
	/* its header is there, or it has grown; NULL: wait for the end */
	void (*grown)(void *arg);
	/* the end; both are gone when it returns */
	void (*done)(void *arg, const transfer_result_t *result);
	void *arg;
} transfer_conf_t;

/* RET the transfer, or NULL: err says why (no token, no memory) */
extern transfer_t *transfer_start(dest_t *dest, const transfer_conf_t *conf,
				  fed_err_t *err);

/* End it without a call of done. NULL, or from within done, is fine. */
extern void transfer_abort(transfer_t *transfer);

/* RET the status as soon as the answer's header is there, else 0 */
extern int transfer_status(transfer_t *transfer);

/* RET true if some of the request may have left by now */
extern bool transfer_delivered(transfer_t *transfer);

/* RET the answer so far, less what was consumed; not terminated */
extern const char *transfer_data(const transfer_t *transfer, size_t *ret_len);

/* Forget the first len bytes of it. */
extern void transfer_consume(transfer_t *transfer, size_t len);

#endif
