/*
 * reply.c - answering a request, from any thread (see request.h).
 *
 * The response is made in the thread that answers; the server's thread only
 * hands it to libmicrohttpd.
 */
#include "src/flurm/serve.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/flurm/json_text.h"

#define JSON_TYPE "application/json"

/* response is taken; NULL: no memory, the connection ends */
static void _answer(flurm_request_t *request, int status,
		    struct MHD_Response *response, size_t len)
{
	flurm_server_t *server = request->server;
	bool wake = false, orphan;

	request->status = status;
	request->response = response;
	request->response_len = len;
	pthread_mutex_lock(&server->lock);
	request->answered = true;
	orphan = request->orphan;
	if ((request->phase == REQUEST_HELD) && !request->cut) {
		wake = !server->answered;
		request->next_answered = server->answered;
		server->answered = request;
	}
	if (wake)
		server_wake(server);
	pthread_mutex_unlock(&server->lock);
	if (orphan)
		request_destroy(request);
}

static struct MHD_Response *_response(const char *type, char *body, size_t len,
				      enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *response;

	response = MHD_create_response_from_buffer(len, body, mode);
	if (!response) {
		if (mode == MHD_RESPMEM_MUST_FREE)
			free(body);
		return NULL;
	}
	if (type)
		MHD_add_response_header(response, "Content-Type", type);
	return response;
}

extern void flurm_request_lose(flurm_request_t *request)
{
	request->lost = true;
}

extern void flurm_request_reply(flurm_request_t *request, int status,
				const char *type, const void *body, size_t len)
{
	_answer(request, status, _response(type, (char *) body, len,
					   MHD_RESPMEM_MUST_COPY), len);
}

/* The reference to json is taken. */
static struct MHD_Response *_json_response(json_t *json, size_t *ret_len)
{
	char *text = flurm_json_write(json, ret_len);

	json_decref(json);
	if (!text)
		return NULL;
	return _response(JSON_TYPE, text, *ret_len, MHD_RESPMEM_MUST_FREE);
}

extern struct MHD_Response *request_error_response(const char *error,
						   const char *reason,
						   size_t *ret_len)
{
	static char last_resort[] = "{\"error\":\"internal\","
		"\"reason\":\"no memory\"}";
	struct MHD_Response *response;
	flurm_result_t result;

	flurm_result_init(&result);
	flurm_result_set(&result, 500, error, "%s", reason);
	response = _json_response(flurm_result_to_json(&result), ret_len);
	flurm_result_free(&result);
	if (response)
		return response;
	*ret_len = sizeof(last_resort) - 1;
	return _response(JSON_TYPE, last_resort, *ret_len,
			 MHD_RESPMEM_PERSISTENT);
}

extern void flurm_request_reply_json(flurm_request_t *request, int status,
				     json_t *json)
{
	struct MHD_Response *response;
	size_t len = 0;

	response = json ? _json_response(json, &len) : NULL;
	if (!response) {
		status = 500;
		response = request_error_response(flurm_error_code(500),
						  "no memory", &len);
	}
	_answer(request, status, response, len);
}

extern void flurm_request_reply_result(flurm_request_t *request,
				       const flurm_result_t *result)
{
	struct MHD_Response *response;
	char seconds[24];
	size_t len = 0;

	response = _json_response(flurm_result_to_json(result), &len);
	if (response && flurm_is_set(result->retry_after)) {
		snprintf(seconds, sizeof(seconds), "%" PRId64,
			 result->retry_after);
		MHD_add_response_header(response, "Retry-After", seconds);
	}
	_answer(request, result->status, response, len);
}

extern void flurm_request_error(flurm_request_t *request, int status,
				const char *error, const char *fmt, ...)
{
	char reason[FED_ERR_TEXT_MAX];
	struct MHD_Response *response;
	size_t len = 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	response = request_error_response(
		error ? error : flurm_error_code(status), reason, &len);
	_answer(request, status, response, len);
}

extern flurm_stream_t *flurm_request_stream(flurm_request_t *request,
					    const flurm_stream_conf_t *conf)
{
	struct MHD_Response *response;
	flurm_stream_t *stream;

	stream = stream_create(request->server, conf, &response);
	request->stream = stream;
	_answer(request, 200, response, 0);
	return stream;
}
