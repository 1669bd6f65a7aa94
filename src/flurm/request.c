/*
 * request.c - one HTTP request to our server, until it is answered (see
 * request.h): what a handler sees of it. exchange.c moves it through
 * libmicrohttpd, reply.c answers it.
 *
 * What a handler may look at is copied from libmicrohttpd once, so that
 * another thread may read it while the server's goes on.
 */
#include "src/flurm/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/core/mem.h"
#include "src/flurm/json_text.h"

/* --- making one --- */

/* the first walk counts, the second copies */
typedef struct {
	pair_kind_t kind;
	size_t count;
	size_t bytes;
	pair_t *pairs;
	char *text;
} collector_t;

static const char *_keep(collector_t *to, const char *from, size_t len)
{
	char *text = to->text;

	to->bytes += len + 1;
	if (!text)
		return NULL;
	memcpy(text, from, len);
	text[len] = '\0';
	to->text += len + 1;
	return text;
}

static void _collect(collector_t *to, pair_kind_t kind, const char *name,
		     size_t name_len, const char *value, size_t value_len)
{
	const char *kept_name = _keep(to, name, name_len);
	const char *kept_value = _keep(to, value, value_len);

	if (to->pairs)
		to->pairs[to->count] = (pair_t) { kind, kept_name, kept_value };
	to->count++;
}

static enum MHD_Result _collect_value(void *arg, enum MHD_ValueKind kind,
				      const char *name, const char *value)
{
	_collect(arg, (kind == MHD_HEADER_KIND) ? PAIR_HEADER : PAIR_QUERY,
		 name, strlen(name), value ? value : "",
		 value ? strlen(value) : 0);
	return MHD_YES;
}

static void _collect_all(collector_t *to, struct MHD_Connection *connection,
			 const route_match_t *match)
{
	to->count = 0;
	for (size_t i = 0; i < match->count; i++) {
		const route_param_t *param = &match->params[i];

		_collect(to, PAIR_PARAM, param->name, param->name_len,
			 param->value, param->value_len);
	}
	MHD_get_connection_values(connection,
				  MHD_GET_ARGUMENT_KIND | MHD_HEADER_KIND,
				  _collect_value, to);
}

static void _name_peer(struct MHD_Connection *connection, char *name,
		       size_t size)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";

	if (address)
		getnameinfo(address, (address->sa_family == AF_INET6) ?
			    sizeof(struct sockaddr_in6) :
			    sizeof(struct sockaddr_in), host, sizeof(host),
			    port, sizeof(port),
			    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(name, size, "%.45s:%.5s", host, port);
}

extern flurm_request_t *request_create(flurm_server_t *server,
				       struct MHD_Connection *connection,
				       const route_match_t *match,
				       const char *method, const char *path)
{
	flurm_request_t *request = fed_calloc(1, sizeof(*request));
	collector_t all = { 0 };

	_collect_all(&all, connection, match);
	request->pairs = fed_calloc(1, all.count * sizeof(pair_t) + all.bytes);
	request->method = fed_strdup(method);
	request->path = fed_strdup(path);
	all.pairs = request->pairs;
	all.text = (char *) (request->pairs + all.count);
	_collect_all(&all, connection, match);
	request->pair_count = all.count;
	_name_peer(connection, request->peer, sizeof(request->peer));
	request->route = match->route;
	request->connection = connection;
	request->began_ms = server->now_ms;
	request->phase = REQUEST_RECEIVING;
	request->server = server;
	server_ref(server);
	return request;
}

extern void request_destroy(flurm_request_t *request)
{
	flurm_server_t *server = request->server;

	if (request->stream)
		stream_detach(request->stream);
	if (request->response)
		MHD_destroy_response(request->response);
	free(request->pairs);
	free(request->method);
	free(request->path);
	free(request->body);
	free(request);
	server_unref(server);
}

/* --- what a handler sees --- */

extern const char *flurm_request_method(const flurm_request_t *request)
{
	return request->method;
}

extern const char *flurm_request_path(const flurm_request_t *request)
{
	return request->path;
}

extern const char *flurm_request_peer(const flurm_request_t *request)
{
	return request->peer;
}

extern bool flurm_request_trusted(const flurm_request_t *request)
{
	return request->trusted;
}

static const char *_find(const flurm_request_t *request, pair_kind_t kind,
			 const char *name)
{
	for (size_t i = 0; i < request->pair_count; i++) {
		const pair_t *pair = &request->pairs[i];

		if ((pair->kind == kind) &&
		    !((kind == PAIR_HEADER) ? strcasecmp(pair->name, name) :
					      strcmp(pair->name, name)))
			return pair->value;
	}
	return NULL;
}

extern const char *flurm_request_param(const flurm_request_t *request,
				       const char *name)
{
	return _find(request, PAIR_PARAM, name);
}

extern const char *flurm_request_query(const flurm_request_t *request,
				       const char *name)
{
	return _find(request, PAIR_QUERY, name);
}

extern const char *flurm_request_header(const flurm_request_t *request,
					const char *name)
{
	return _find(request, PAIR_HEADER, name);
}

extern const char *flurm_request_body(const flurm_request_t *request,
				      size_t *ret_len)
{
	if (ret_len)
		*ret_len = request->body_len;
	return request->body ? request->body : "";
}

extern int flurm_request_number(const flurm_request_t *request,
				const char *name, uint64_t min, uint64_t max,
				uint64_t *ret_number, fed_err_t *err)
{
	const char *text = flurm_request_param(request, name);
	uint64_t number = 0;
	const char *digit;

	if (!text)
		text = flurm_request_query(request, name);
	if (!text)
		return 0;
	for (digit = text; (*digit >= '0') && (*digit <= '9'); digit++) {
		uint64_t value = *digit - '0';

		if (number > (UINT64_MAX - value) / 10)
			break;
		number = number * 10 + value;
	}
	if (!*text || *digit || (number < min) || (number > max))
		return fed_err_set(err, EINVAL, "%s: not a number from %" PRIu64
				   " to %" PRIu64, name, min, max);
	*ret_number = number;
	return 0;
}

extern json_t *flurm_request_json(const flurm_request_t *request,
				  fed_err_t *err)
{
	json_t *json = flurm_json_read(request->body ? request->body : "",
				       request->body_len, FLURM_JSON_REQUEST,
				       err);

	if (!json) {
		fed_err_prefix(err, "body");
	} else if (!json_is_object(json)) {
		fed_err_set(err, EINVAL, "body: not an object");
		json_decref(json);
		json = NULL;
	}
	return json;
}

/* A DELETE says in its query what others say in their body. */
static json_t *_json_of_query(const flurm_request_t *request, fed_err_t *err)
{
	static const char *const names[] = { "epoch", "signal" };
	json_t *json = json_object();

	for (size_t i = 0; i < 2; i++) {
		uint64_t number = UINT64_MAX;

		if (flurm_request_number(request, names[i], 0, UINT32_MAX,
					 &number, err) < 0) {
			json_decref(json);
			return NULL;
		}
		if (number != UINT64_MAX)
			json_object_set_new(json, names[i],
					    json_integer(number));
	}
	return json;
}

extern int flurm_request_op(const flurm_request_t *request,
			    flurm_op_kind_t kind, flurm_op_t *ret_op,
			    fed_err_t *err)
{
	json_t *json = NULL, *said;
	uint64_t id = 0;
	int rc = -1;

	flurm_op_init(ret_op, kind);
	if (flurm_request_number(request, "id", 1, UINT32_MAX, &id, err) < 0)
		return -1;
	json = (kind == FLURM_OP_CANCEL) ? _json_of_query(request, err) :
					   flurm_request_json(request, err);
	if (!json)
		return -1;
	said = json_object_get(json, "fed_job_id");
	if (id && said && ((uint64_t) json_integer_value(said) != id))
		fed_err_set(err, EINVAL, "fed_job_id: not the %" PRIu64
			    " of the path", id);
	else if (id && !said && (json_object_set_new(json, "fed_job_id",
						     json_integer(id)) < 0))
		fed_err_set(err, ENOMEM, "body: no memory");
	else
		rc = flurm_op_of_kind(kind, json, ret_op, err);
	json_decref(json);
	return rc;
}
