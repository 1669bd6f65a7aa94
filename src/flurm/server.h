/*
 * server.h - an HTTP server with a table of routes, in one thread of its own.
 *
 * THREADS: every handler and hook runs in the server's thread and must not
 * block. A handler answers at once or keeps the request and answers later
 * from any thread (request.h). flurm_server_* may be called from any thread
 * but the server's own.
 *
 * The server itself answers what needs no handler: 400 broken or ambiguous
 * HTTP, 401/403 token, 404 and 405, 413, 429 too many requests waiting, 431,
 * 503 stopping. Every error body is {"error":code,"reason":text}. A token is
 * checked before a body is read.
 */
#ifndef FED_FLURM_SERVER_H
#define FED_FLURM_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "src/core/err.h"
#include "src/flurm/request.h"

typedef struct flurm_server flurm_server_t;

typedef void (*flurm_handler_t)(flurm_request_t *request, void *arg);

typedef struct {
	const char *method;	/* "GET" */
	const char *path;	/* "/api/v1/jobs/{id}/start": {x} is one part */
	flurm_handler_t handler;
	bool public;		/* no token needed: flurm_request_trusted() */
	size_t max_body;	/* 0: the server's */
} flurm_route_t;

/* FLURM_ROUTE("GET", "/metrics", _metrics, .public = true) */
#define FLURM_ROUTE(m, p, h, ...) \
	{ .method = m, .path = p, .handler = h, __VA_ARGS__ }

/*
 * Who may?
 * IN bearer - what follows "Authorization: Bearer ", NULL if there is none
 * OUT err - the reason, told to the peer if the answer is not 0
 * RET 0, or 401 or 403
 */
typedef int (*flurm_authorize_t)(const char *bearer, void *arg, fed_err_t *err);

/* Zero means the default of every number. */
typedef struct {
	const char *name;	/* in the log, and the thread's: "gateway" */
	const char *address;	/* numeric, v4 or v6; NULL: 127.0.0.1 */
	uint16_t port;		/* 0: any free one (flurm_server_port) */
	const flurm_route_t *routes;	/* static; the last has no method */
	flurm_authorize_t authorize;	/* NULL: every route is public */
	void *arg;		/* to handlers and authorize */
	const char *tls_cert;	/* PEM files; both or none */
	const char *tls_key;
	const char *tls_client_ca;	/* clients must show a certificate */
	size_t max_body;	/* bytes; 16 MiB */
	size_t max_header;	/* bytes; 32 KiB */
	unsigned int max_connections;	/* 1024 */
	unsigned int max_connections_per_address;	/* 512 */
	unsigned int max_waiting;	/* unanswered requests; 8192 */
	unsigned int idle_s;	/* keep-alive without a request; 120 */
	unsigned int receive_s;	/* for a whole request to arrive; 30 */
} flurm_server_conf_t;

/*
 * Listen and serve.
 * IN conf - needed only during the call, but for routes and arg
 * RET the server, or NULL (err says why: the address, the file)
 */
extern flurm_server_t *flurm_server_start(const flurm_server_conf_t *conf,
					  fed_err_t *err);

/* RET the port it listens on */
extern uint16_t flurm_server_port(const flurm_server_t *server);

/*
 * Stop: no new connection, 503 to what waits, streams end, connections close,
 * the thread is joined. Requests and streams that others still hold stay
 * valid until they let go of them. NULL is fine.
 */
extern void flurm_server_stop(flurm_server_t *server);

typedef struct {
	uint64_t requests;	/* answered */
	uint64_t by_class[6];	/* of those: [4] is 4xx */
	uint64_t bytes_in;	/* of bodies */
	uint64_t bytes_out;
	uint64_t connections;	/* open now */
	uint64_t waiting;	/* unanswered now */
	uint64_t streams;	/* open now */
	uint64_t timed_out;	/* connections ended for being slow */
} flurm_server_stats_t;

extern void flurm_server_stats(flurm_server_t *server,
			       flurm_server_stats_t *ret_stats);

/* The same as Prometheus text; prefix: "flurm_gateway_http". */
extern void flurm_server_metrics(flurm_server_t *server, const char *prefix,
				 FILE *out);

#endif
