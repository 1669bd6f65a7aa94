/*
 * serve.h - what the parts of the server share: server.c (life and loop),
 * peer.c (connections), admit.c (who may), exchange.c (libmicrohttpd's
 * callbacks), request.c (what handlers see), reply.c and stream.c (answers).
 *
 * THREADS: libmicrohttpd is called only in the server's thread. It has no
 * thread of its own: we poll its epoll descriptor, so that time-outs,
 * heartbeats and answers from elsewhere need no lock inside it. Any other
 * thread puts what it has answered or written into the server's inbox and
 * wakes it.
 *
 * LOCKING PROTOCOL: stream->lock before server->lock. Neither is held while a
 * handler, a hook or libmicrohttpd runs.
 */
#ifndef FED_FLURM_SERVE_H
#define FED_FLURM_SERVE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/core/log.h"
#include "src/flurm/request.h"
#include "src/flurm/route.h"
#include "src/flurm/server.h"
#include "src/flurm/stream.h"

/* one TCP connection, from accept to close; server thread only */
typedef struct peer {
	struct peer *prev, *next;
	int fd;
	int64_t due_ms;		/* shut down if no whole request by then */
	bool cut;		/* it was */
} peer_t;

struct flurm_server {
	flurm_server_conf_t conf;	/* defaults filled in; strings ours */
	struct MHD_Daemon *daemon;
	pthread_t thread;
	int listen_fd;
	int epoll_fd;		/* libmicrohttpd's */
	int wake_fd;
	uint16_t port;
	bool ask_cert;		/* clients must show a certificate */

	/* server thread only */
	int64_t now_ms;
	peer_t *peers;
	unsigned int connections;
	int64_t accept_ms;	/* no new connection before that */
	fed_log_throttle_t accept_throttle;
	unsigned int exchanges;	/* requests that libmicrohttpd knows */
	flurm_stream_t *streams;	/* attached to a connection */
	flurm_request_t *held;		/* suspended, with someone else */

	pthread_mutex_t lock;	/* of what follows */
	unsigned int refs;	/* the owner, the thread, requests, streams */
	bool stopping;
	flurm_request_t *answered;	/* inbox: newest first */
	flurm_stream_t *written;	/* inbox: newest first */
	flurm_server_stats_t stats;
};

typedef enum {
	REQUEST_RECEIVING,	/* its body is still coming */
	REQUEST_HANDLING,	/* its handler runs */
	REQUEST_HELD,		/* suspended until it is answered */
} request_phase_t;

typedef enum { PAIR_PARAM, PAIR_QUERY, PAIR_HEADER } pair_kind_t;

typedef struct {
	pair_kind_t kind;
	const char *name;
	const char *value;
} pair_t;

#define PEER_NAME_MAX 64

struct flurm_request {
	flurm_server_t *server;
	const flurm_route_t *route;
	pair_t *pairs;		/* with their text behind them */
	size_t pair_count;
	char *method;
	char *path;
	char peer[PEER_NAME_MAX];
	bool trusted;
	char *body;
	size_t body_len;
	size_t body_size;

	/* server thread only */
	struct MHD_Connection *connection;
	flurm_request_t *prev, *next;	/* in server->held */
	int64_t began_ms;
	uint64_t body_seen;	/* bytes that came, kept or not */
	size_t sent_len;
	int sent_status;

	/* server->lock */
	request_phase_t phase;
	bool answered;		/* the server's again */
	bool cut;		/* answered by the server for the owner */
	bool orphan;		/* its connection is gone, it is the owner's */
	flurm_request_t *next_answered;

	/* the answer; the owner's until answered */
	struct MHD_Response *response;
	int status;
	size_t response_len;
	flurm_stream_t *stream;
	bool lost;		/* the answer is not to be sent */
};

struct flurm_stream {
	flurm_server_t *server;
	flurm_stream_conf_t conf;
	pthread_mutex_t calling;	/* recursive: a callback runs */
	atomic_uint refs;	/* writer, response, request, inbox */

	/* server thread only */
	struct MHD_Connection *connection;	/* NULL: not yet, or gone */
	flurm_stream_t *prev, *next;	/* in server->streams */

	pthread_mutex_t lock;	/* of what follows */
	char *buffer;
	size_t start, end, size;
	int64_t last_ms;	/* when something was sent */
	bool idle;		/* suspended until something is written */
	bool closed;		/* by the writer */
	bool gone;		/* peer or server: nothing can be sent */
	bool overflow;		/* the peer was too slow */
	bool high;		/* was above low: drained() is due */
	bool in_inbox;
	flurm_stream_t *next_written;
};

/* server.c */
extern int64_t server_clock_ms(void);
extern void server_wake(flurm_server_t *server);
extern void server_ref(flurm_server_t *server);
extern void server_unref(flurm_server_t *server);

/* peer.c */
extern void peer_connection(void *arg, struct MHD_Connection *connection,
			    void **ret_peer,
			    enum MHD_ConnectionNotificationCode code);
/* The next whole request must be there within that time; 0: no limit. */
extern void peer_due(flurm_server_t *server, struct MHD_Connection *connection,
		     unsigned int seconds);
/* Shut down connections that did not bring a whole request in time. */
extern void peer_cut_slow(flurm_server_t *server);

/* admit.c */
/*
 * Look at the header. What is refused has its error in the request then.
 * RET false: answer at once and do not read on
 */
extern bool admit(flurm_request_t *request, const route_match_t *match);
/* Decide on an error; it is sent when the body has gone by. */
extern void admit_refuse(flurm_request_t *request, int status,
			 const char *error, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
extern size_t admit_max_body(const flurm_request_t *request);
/* RET what Content-Length says, 0 if it is absent */
extern uint64_t admit_announced(const flurm_request_t *request);

/* exchange.c */
extern enum MHD_Result exchange_access(
	void *arg, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *data,
	size_t *data_len, void **ret_request);
extern void exchange_completed(void *arg, struct MHD_Connection *connection,
			       void **request,
			       enum MHD_RequestTerminationCode how);
/* Go on with the requests that others have answered. */
extern void exchange_answered(flurm_server_t *server);
/* Answer 503 to every request that is with someone else. */
extern void exchange_cut_held(flurm_server_t *server);

/* request.c */
extern flurm_request_t *request_create(flurm_server_t *server,
				       struct MHD_Connection *connection,
				       const route_match_t *match,
				       const char *method, const char *path);
extern void request_destroy(flurm_request_t *request);

/* reply.c */
/* RET an error body as a response, NULL without memory */
extern struct MHD_Response *request_error_response(const char *error,
						   const char *reason,
						   size_t *ret_len);

/* stream.c */
extern flurm_stream_t *stream_create(flurm_server_t *server,
				     const flurm_stream_conf_t *conf,
				     struct MHD_Response **ret_response);
extern void stream_attach(flurm_stream_t *stream,
			  struct MHD_Connection *connection);
extern void stream_detach(flurm_stream_t *stream);
/* Go on with the streams that have been written or closed. */
extern void stream_written(flurm_server_t *server);
/* Send the heartbeats that are due. RET ms until the next, -1: none */
extern int64_t stream_heartbeats(flurm_server_t *server);
/* End all of them: the server stops. */
extern void stream_end_all(flurm_server_t *server);

#endif
