/*
 * request.h - one HTTP request to our server, until it is answered.
 *
 * A handler gets the whole request and must see to it that exactly one of
 * flurm_request_reply*(), _error() or _stream() is called for it, now or
 * later, from any thread. That call ends the request: no pointer got from it
 * is valid any more. If the peer or the server is gone by then, the answer is
 * dropped. Until then its strings stay as they are, so that any one thread at
 * a time may read them.
 */
#ifndef FED_FLURM_REQUEST_H
#define FED_FLURM_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/flurm/op.h"
#include "src/flurm/result.h"
#include "src/flurm/stream.h"

typedef struct flurm_request flurm_request_t;

extern const char *flurm_request_method(const flurm_request_t *request);
extern const char *flurm_request_path(const flurm_request_t *request);

/* RET "address:port" of the peer */
extern const char *flurm_request_peer(const flurm_request_t *request);

/*
 * RET true if the request came with a good token, or the server asks for
 * none: for public routes that tell more to the trusted
 */
extern bool flurm_request_trusted(const flurm_request_t *request);

/* RET what stands for {name} in the route, decoded; NULL if it has none */
extern const char *flurm_request_param(const flurm_request_t *request,
				       const char *name);

/* RET the value of ?name=, decoded ("" if it has none); NULL if absent */
extern const char *flurm_request_query(const flurm_request_t *request,
				       const char *name);

/* RET the value of a header; NULL if absent */
extern const char *flurm_request_header(const flurm_request_t *request,
					const char *name);

/* RET the body, terminated by a NUL that ret_len does not count */
extern const char *flurm_request_body(const flurm_request_t *request,
				      size_t *ret_len);

/*
 * A number from {name} or ?name=: decimal digits, min to max.
 * OUT ret_number - unchanged if it is absent
 * RET 0, or -1: err names it
 */
extern int flurm_request_number(const flurm_request_t *request,
				const char *name, uint64_t min, uint64_t max,
				uint64_t *ret_number, fed_err_t *err);

/*
 * The body as a JSON object.
 * RET a new reference, or NULL: err says where it is broken
 */
extern json_t *flurm_request_json(const flurm_request_t *request,
				  fed_err_t *err);

/*
 * The op that a route stands for: from {id}, the query and the body.
 * RET 0, or -1: err names the field, and ret_op is empty
 */
extern int flurm_request_op(const flurm_request_t *request,
			    flurm_op_kind_t kind, flurm_op_t *ret_op,
			    fed_err_t *err);

/*
 * Whatever it will be answered with is not to be sent: its connection ends
 * instead. For servers that misbehave on purpose, in tests.
 */
extern void flurm_request_lose(flurm_request_t *request);

/* Answer with bytes. IN type - content type, a constant; body is copied */
extern void flurm_request_reply(flurm_request_t *request, int status,
				const char *type, const void *body, size_t len);

/* Answer with JSON. IN json - the reference is taken; NULL: no memory, 500 */
extern void flurm_request_reply_json(flurm_request_t *request, int status,
				     json_t *json);

/* Answer with what an op has come to, error or not. */
extern void flurm_request_reply_result(flurm_request_t *request,
				       const flurm_result_t *result);

/*
 * Answer with an error.
 * IN error - stable code; NULL: the usual one for the status
 */
extern void flurm_request_error(flurm_request_t *request, int status,
				const char *error, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Answer with a body that goes on (stream.h).
 * IN conf - copied
 * RET the stream, which the caller closes
 */
extern flurm_stream_t *flurm_request_stream(flurm_request_t *request,
					    const flurm_stream_conf_t *conf);

#endif
