/*
 * exchange.c - one HTTP exchange, from its header to the end of its answer:
 * libmicrohttpd's callbacks (see serve.h). Server thread only.
 *
 * libmicrohttpd calls exchange_access() first when the header is there, then
 * for each piece of the body, then with no data when it is complete, and again
 * after each resume. What was refused at the first call (admit.c) still has
 * its body read and dropped if that is small, so that the connection can be
 * used again; with a big one the connection ends.
 */
#include "src/flurm/serve.h"

#include <string.h>

#include "src/core/log.h"
#include "src/core/mem.h"

#define OVERRUN_MAX (1 << 20)	/* read beyond the limit before we hang up */
#define BODY_FIRST 4096

/* --- the answer --- */

/* Hand the answer to libmicrohttpd; the reference to response is taken. */
static enum MHD_Result _send(struct MHD_Connection *connection,
			     flurm_request_t *request, int status,
			     struct MHD_Response *response, size_t len)
{
	enum MHD_Result rc;

	if (!response)
		return MHD_NO;
	rc = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	if (rc == MHD_YES) {
		request->sent_status = status;
		request->sent_len = len;
	}
	return rc;
}

static enum MHD_Result _send_own(struct MHD_Connection *connection,
				 flurm_request_t *request)
{
	struct MHD_Response *response = request->response;

	if (request->lost)
		return MHD_NO;
	request->response = NULL;
	if (request->stream)
		stream_attach(request->stream, connection);
	return _send(connection, request, request->status, response,
		     request->response_len);
}

/* Decide on an error; it is sent when the body has gone by. */

static enum MHD_Result _begin(flurm_server_t *server,
			      struct MHD_Connection *connection,
			      const char *path, const char *method,
			      void **ret_request)
{
	route_match_t match = route_find(server->conf.routes, method, path);
	flurm_request_t *request = request_create(server, connection, &match,
						  method, path);

	*ret_request = request;
	server->exchanges++;
	if (admit(request, &match))
		return MHD_YES;
	return _send_own(connection, request);
}

/* --- the body --- */

static void _make_room(flurm_request_t *request, size_t len)
{
	size_t wanted = request->body_len + len + 1;
	size_t size = request->body_size ? request->body_size : BODY_FIRST;
	uint64_t announced;

	if (wanted <= request->body_size)
		return;
	announced = request->body_size ? 0 : admit_announced(request) + 1;
	if (announced > size)
		size = announced;
	while (size < wanted)
		size *= 2;
	request->body = fed_realloc(request->body, size);
	request->body_size = size;
}

static enum MHD_Result _receive(flurm_request_t *request, const char *data,
				size_t len)
{
	size_t max = admit_max_body(request);

	request->body_seen += len;
	if (request->body_seen > max + OVERRUN_MAX)
		return MHD_NO;
	if (request->status)
		return MHD_YES;
	if (request->body_seen > max) {
		admit_refuse(request, 413, NULL,
			     "the body is longer than %zu bytes", max);
	} else {
		_make_room(request, len);
		memcpy(request->body + request->body_len, data, len);
		request->body_len += len;
		request->body[request->body_len] = '\0';
	}
	return MHD_YES;
}

/* --- the handler --- */

static void _hold(flurm_server_t *server, flurm_request_t *request)
{
	request->prev = NULL;
	request->next = server->held;
	if (request->next)
		request->next->prev = request;
	server->held = request;
}

static void _unhold(flurm_server_t *server, flurm_request_t *request)
{
	if (request->next)
		request->next->prev = request->prev;
	if (request->prev)
		request->prev->next = request->next;
	else if (server->held == request)
		server->held = request->next;
	request->prev = request->next = NULL;
}

static enum MHD_Result _handle(flurm_server_t *server,
			       struct MHD_Connection *connection,
			       flurm_request_t *request)
{
	bool answered, stopping;

	peer_due(server, connection, 0);
	pthread_mutex_lock(&server->lock);
	request->phase = REQUEST_HANDLING;
	stopping = server->stopping;
	pthread_mutex_unlock(&server->lock);
	if (stopping && !request->status) {
		admit_refuse(request, 503, NULL, "the server stops");
		MHD_add_response_header(request->response, "Connection",
					"close");
	}
	if (request->status)	/* refused while it came */
		return _send_own(connection, request);

	request->route->handler(request, server->conf.arg);

	/* unless it is answered, it may belong to another thread by now */
	pthread_mutex_lock(&server->lock);
	answered = request->answered;
	if (!answered) {
		request->phase = REQUEST_HELD;
		server->stats.waiting++;
	}
	pthread_mutex_unlock(&server->lock);
	if (answered)
		return _send_own(connection, request);
	_hold(server, request);
	MHD_suspend_connection(connection);
	return MHD_YES;
}

/* Go on with a request that was suspended. */
static enum MHD_Result _resumed(flurm_server_t *server,
				struct MHD_Connection *connection,
				flurm_request_t *request)
{
	struct MHD_Response *response;
	size_t len = 0;
	bool cut;

	pthread_mutex_lock(&server->lock);
	cut = request->cut;
	pthread_mutex_unlock(&server->lock);
	if (!cut)
		return _send_own(connection, request);
	response = request_error_response(flurm_error_code(503),
					  "the server stops", &len);
	if (response)
		MHD_add_response_header(response, "Connection", "close");
	return _send(connection, request, 503, response, len);
}

extern enum MHD_Result exchange_access(
	void *arg, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *data,
	size_t *data_len, void **ret_request)
{
	flurm_server_t *server = arg;
	flurm_request_t *request = *ret_request;
	size_t len = *data_len;

	if (!request)
		return _begin(server, connection, path, method, ret_request);
	if (len) {
		*data_len = 0;
		return _receive(request, data, len);
	}
	if (request->phase == REQUEST_RECEIVING)
		return _handle(server, connection, request);
	return _resumed(server, connection, request);
}

/* --- the inbox, and the end --- */

static void _resume(flurm_server_t *server, flurm_request_t *request)
{
	_unhold(server, request);
	pthread_mutex_lock(&server->lock);
	server->stats.waiting--;
	pthread_mutex_unlock(&server->lock);
	MHD_resume_connection(request->connection);
}

extern void exchange_answered(flurm_server_t *server)
{
	flurm_request_t *list;

	pthread_mutex_lock(&server->lock);
	list = server->answered;
	server->answered = NULL;
	pthread_mutex_unlock(&server->lock);
	while (list) {
		flurm_request_t *request = list;

		list = request->next_answered;
		_resume(server, request);
	}
}

extern void exchange_cut_held(flurm_server_t *server)
{
	flurm_request_t *next;

	exchange_answered(server);
	for (flurm_request_t *request = server->held; request; request = next) {
		bool mine;

		next = request->next;
		/* one answered just now is in the inbox: left to that */
		pthread_mutex_lock(&server->lock);
		mine = !request->answered;
		request->cut = mine;
		pthread_mutex_unlock(&server->lock);
		if (mine)
			_resume(server, request);
	}
}

extern void exchange_completed(void *arg, struct MHD_Connection *connection,
			       void **ret_request,
			       enum MHD_RequestTerminationCode how)
{
	flurm_server_t *server = arg;
	flurm_request_t *request = *ret_request;
	int status = request ? request->sent_status : 0;
	bool orphan;

	if (!request)
		return;
	*ret_request = NULL;
	server->exchanges--;
	fed_debug("%s: %s: %s %s -> %d, %llu bytes in, %zu out, %lld ms%s",
		  server->conf.name, request->peer, request->method,
		  request->path, status,
		  (unsigned long long) request->body_seen, request->sent_len,
		  (long long) (server->now_ms - request->began_ms),
		  (how == MHD_REQUEST_TERMINATED_COMPLETED_OK) ? "" :
		  ", connection lost");
	peer_due(server, connection,
		  server->conf.idle_s + server->conf.receive_s);
	pthread_mutex_lock(&server->lock);
	if (status) {
		server->stats.requests++;
		server->stats.by_class[(status / 100) % 6]++;
	}
	server->stats.bytes_in += request->body_seen;
	server->stats.bytes_out += request->sent_len;
	orphan = request->cut && !request->answered;
	request->orphan = orphan;
	request->connection = NULL;
	pthread_mutex_unlock(&server->lock);
	if (!orphan)
		request_destroy(request);
}
