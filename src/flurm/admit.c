/*
 * admit.c - may this request come in? What is decided when its header is
 * there, before a byte of its body is read (see serve.h). Server thread only.
 */
#include "src/flurm/serve.h"

#include <gnutls/gnutls.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DRAIN_MAX (1 << 20)	/* a refused body that is still read */

extern void admit_refuse(flurm_request_t *request, int status,
			 const char *error, const char *fmt, ...)
{
	char reason[FED_ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	request->status = status;
	request->response = request_error_response(
		error ? error : flurm_error_code(status), reason,
		&request->response_len);
}

static void _add(flurm_request_t *request, const char *name, const char *value)
{
	if (request->response)
		MHD_add_response_header(request->response, name, value);
}

typedef struct {
	unsigned int lengths;
	unsigned int encodings;
	unsigned int strange;	/* names that are not tokens (RFC 9110) */
	bool chunked;
} framing_t;

static bool _is_token(const char *name)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	const char *c;

	for (c = name; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9') && !strchr(others, *c))
			return false;
	return c != name;
}

static enum MHD_Result _count_framing(void *arg, enum MHD_ValueKind kind,
				      const char *name, const char *value)
{
	framing_t *framing = arg;

	if (!_is_token(name)) {
		/* "Content-Length : 3" is one to some and none to others */
		framing->strange++;
	} else if (!strcasecmp(name, "Content-Length")) {
		framing->lengths++;
	} else if (!strcasecmp(name, "Transfer-Encoding")) {
		framing->encodings++;
		framing->chunked = value && !strcasecmp(value, "chunked");
	}
	return MHD_YES;
}

/*
 * Where a request ends must be beyond doubt: a proxy in front of us that
 * reads it otherwise would let one client speak with another's voice.
 */
static int _check_framing(struct MHD_Connection *connection,
			  flurm_request_t *request)
{
	framing_t framing = { 0 };

	MHD_get_connection_values(connection, MHD_HEADER_KIND, _count_framing,
				  &framing);
	if (!framing.strange && (framing.lengths + framing.encodings < 2) &&
	    (!framing.encodings || framing.chunked))
		return 0;
	admit_refuse(request, 400, NULL,
		     "it is not clear where this request ends");
	_add(request, "Connection", "close");
	return -1;
}

static int _check_certificate(struct MHD_Connection *connection,
			      flurm_request_t *request)
{
	const union MHD_ConnectionInfo *info;
	unsigned int status = ~0U;

	if (!request->server->ask_cert)
		return 0;
	info = MHD_get_connection_info(connection,
				       MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (info && (gnutls_certificate_verify_peers2(info->tls_session,
						      &status) == 0) &&
	    !status)
		return 0;
	admit_refuse(request, 403, NULL, "a client certificate is required");
	return -1;
}

static int _check_token(flurm_request_t *request)
{
	const flurm_server_conf_t *conf = &request->server->conf;
	const char *value = flurm_request_header(request, "Authorization");
	const char *bearer = NULL;
	fed_err_t err;
	int status;

	if (!conf->authorize) {
		request->trusted = true;
		return 0;
	}
	if (value && !strncasecmp(value, "Bearer ", 7))
		bearer = value + 7 + strspn(value + 7, " ");
	if (!bearer && request->route->public)
		return 0;
	status = conf->authorize(bearer, conf->arg, &err);
	request->trusted = (status == 0);
	if (request->trusted || request->route->public)
		return 0;
	admit_refuse(request, status, NULL, "%s", err.text);
	if (status == 401)
		_add(request, "WWW-Authenticate", "Bearer");
	return -1;
}

extern size_t admit_max_body(const flurm_request_t *request)
{
	if (request->route && request->route->max_body)
		return request->route->max_body;
	return request->server->conf.max_body;
}

extern uint64_t admit_announced(const flurm_request_t *request)
{
	const char *value = flurm_request_header(request, "Content-Length");

	/* libmicrohttpd has refused what is not a number */
	return value ? strtoull(value, NULL, 10) : 0;
}

static int _check_size(flurm_request_t *request)
{
	if (admit_announced(request) <= admit_max_body(request))
		return 0;
	admit_refuse(request, 413, NULL, "the body is longer than %zu bytes",
		     admit_max_body(request));
	return -1;
}

static int _check_route(flurm_request_t *request, const route_match_t *match)
{
	char methods[128];

	if (match->route)
		return 0;
	if (!match->path_known) {
		admit_refuse(request, 404, "no_such_route",
			     "there is no %.200s", request->path);
		return -1;
	}
	route_methods(request->server->conf.routes, request->path, methods,
		      sizeof(methods));
	admit_refuse(request, 405, NULL, "%.20s is not one of %s",
		     request->method, methods);
	_add(request, "Allow", methods);
	return -1;
}

static bool _crowded(flurm_server_t *server)
{
	bool crowded;

	pthread_mutex_lock(&server->lock);
	crowded = (server->stats.waiting >= server->conf.max_waiting);
	pthread_mutex_unlock(&server->lock);
	return crowded;
}

static int _check_room(flurm_request_t *request)
{
	if (!_crowded(request->server))
		return 0;
	admit_refuse(request, 429, NULL, "%u requests wait already",
		     request->server->conf.max_waiting);
	_add(request, "Retry-After", "1");
	return -1;
}

extern bool admit(flurm_request_t *request, const route_match_t *match)
{
	struct MHD_Connection *connection = request->connection;

	if (_check_framing(connection, request) < 0)
		return false;
	if (_check_certificate(connection, request) < 0)
		;
	else if (_check_route(request, match) < 0)
		;
	else if (_check_token(request) < 0)
		;
	else if (_check_size(request) < 0)
		;
	else
		_check_room(request);
	return !request->status || (admit_announced(request) <= DRAIN_MAX);
}
