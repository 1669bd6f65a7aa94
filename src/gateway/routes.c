/*
 * routes.c - the gateway's part of the API (see routes.h).
 *
 * What is not in the table here is another part's: /federation/message and the
 * management of a federation are the plugin's. GET /api/v1/federation answers
 * what FLURM answers when it is not in a federation of its own.
 */
#include "fed_config.h"

#include "src/gateway/routes.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/core/mem.h"
#include "src/flurm/cluster.h"

#define BATCH_MAX 10000		/* ops in one request */

static void _op(flurm_request_t *request, void *arg, flurm_op_kind_t kind)
{
	gw_site_t *site = arg;
	flurm_op_t op;
	fed_err_t err;

	if (gw_fault_refuses(site->faults, request))
		return;
	if (flurm_request_op(request, kind, &op, &err))
		flurm_request_error(request, 400, NULL, "%s", err.text);
	else
		gw_engine_op(site->engine, request, &op);
}

#define OP_HANDLER(name, kind) \
	static void name(flurm_request_t *request, void *arg) \
	{ \
		_op(request, arg, kind); \
	}

OP_HANDLER(_submit, FLURM_OP_SUBMIT)
OP_HANDLER(_cancel, FLURM_OP_CANCEL)
OP_HANDLER(_hold, FLURM_OP_HOLD)
OP_HANDLER(_release, FLURM_OP_RELEASE)
OP_HANDLER(_suspend, FLURM_OP_SUSPEND)
OP_HANDLER(_resume, FLURM_OP_RESUME)
OP_HANDLER(_signal, FLURM_OP_SIGNAL)
OP_HANDLER(_requeue, FLURM_OP_REQUEUE)
OP_HANDLER(_update, FLURM_OP_UPDATE)
OP_HANDLER(_start, FLURM_OP_START)
OP_HANDLER(_revoke, FLURM_OP_REVOKE)
OP_HANDLER(_notify, FLURM_OP_NOTIFY)

#define VIEW_HANDLER(name, view) \
	static void name(flurm_request_t *request, void *arg) \
	{ \
		gw_site_t *site = arg; \
	\
		if (!gw_fault_refuses(site->faults, request)) \
			gw_engine_view(site->engine, request, view); \
	}

VIEW_HANDLER(_jobs, GW_VIEW_JOBS)
VIEW_HANDLER(_job, GW_VIEW_JOB)
VIEW_HANDLER(_stats, GW_VIEW_STATS)
VIEW_HANDLER(_partitions, GW_VIEW_PARTITIONS)
VIEW_HANDLER(_nodes, GW_VIEW_NODES)
VIEW_HANDLER(_metrics, GW_VIEW_METRICS)

static void _events(flurm_request_t *request, void *arg)
{
	gw_site_t *site = arg;

	if (!gw_fault_refuses(site->faults, request))
		gw_engine_events(site->engine, request);
}

static void _ack(flurm_request_t *request, void *arg)
{
	json_t *json, *seq;
	fed_err_t err;

	if (!(json = flurm_request_json(request, &err))) {
		flurm_request_error(request, 400, NULL, "%s", err.text);
		return;
	}
	seq = json_object_get(json, "seq");
	if (json_is_integer(seq) && (json_integer_value(seq) >= 0))
		gw_engine_ack(((gw_site_t *) arg)->engine, request,
			      json_integer_value(seq));
	else
		flurm_request_error(request, 400, NULL, "seq: not a cursor");
	json_decref(json);
}

/* Elements that make no sense get their own error; the others are done. */
static void _batch(flurm_request_t *request, void *arg)
{
	gw_site_t *site = arg;
	json_t *json, *ops, *element;
	gw_batch_item_t *items;
	fed_err_t err;
	size_t i;

	if (gw_fault_refuses(site->faults, request))
		return;
	if (!(json = flurm_request_json(request, &err))) {
		flurm_request_error(request, 400, NULL, "%s", err.text);
		return;
	}
	ops = json_object_get(json, "ops");
	if (!json_is_array(ops)) {
		json_decref(json);
		flurm_request_error(request, 400, NULL, "ops: not an array");
		return;
	}
	if (json_array_size(ops) > BATCH_MAX) {
		json_decref(json);
		flurm_request_error(request, 413, NULL, "ops: more than %d",
				    BATCH_MAX);
		return;
	}
	items = fed_calloc(json_array_size(ops) + 1, sizeof(*items));
	json_array_foreach(ops, i, element) {
		flurm_result_init(&items[i].result);
		if (flurm_op_from_json(element, &items[i].op, &err))
			flurm_result_set(&items[i].result, 400, NULL, "%s",
					 err.text);
	}
	gw_engine_batch(site->engine, request, items, json_array_size(ops));
	json_decref(json);
}

static void _debug(flurm_request_t *request, void *arg)
{
	gw_site_t *site = arg;
	json_t *command;
	fed_err_t err;

	if (!(command = flurm_request_json(request, &err)))
		flurm_request_error(request, 400, NULL, "%s", err.text);
	else
		gw_engine_debug(site->engine, request, command);
}

static void _health(flurm_request_t *request, void *arg)
{
	gw_site_t *site = arg;
	flurm_health_t health;

	/* its texts stay ours: no flurm_health_free() */
	flurm_health_init(&health);
	health.status = __atomic_load_n(&site->draining, __ATOMIC_ACQUIRE) ?
		"draining" : "ok";
	if (flurm_request_trusted(request)) {
		health.cluster =
			(char *) gw_engine_cluster_name(site->engine);
		health.version = PACKAGE_VERSION;
		health.api = 1;
		health.instance_id =
			(char *) gw_engine_instance(site->engine);
		health.capabilities = FLURM_CAN_GATE | FLURM_CAN_BATCH |
			FLURM_CAN_EVENTS | FLURM_CAN_NODES |
			FLURM_CAN_UPDATE | FLURM_CAN_SUSPEND;
	}
	flurm_request_reply_json(request, 200, flurm_health_to_json(&health));
}

static void _federation(flurm_request_t *request, void *arg)
{
	gw_site_t *site = arg;

	flurm_request_reply_json(
		request, 200,
		json_pack("{s:s, s:s}", "status", "not_federated",
			  "local_cluster",
			  gw_engine_cluster_name(site->engine)));
}

#define ROUTE(a_method, a_path, a_handler) \
	{ .method = a_method, .path = a_path, .handler = a_handler }
#define PUBLIC(a_method, a_path, a_handler) \
	{ .method = a_method, .path = a_path, .handler = a_handler, \
	  .public = true }

#define ROUTES \
	PUBLIC("GET", "/api/v1/health", _health), \
	ROUTE("GET", "/metrics", _metrics), \
	ROUTE("GET", "/api/v1/cluster/stats", _stats), \
	ROUTE("GET", "/api/v1/partitions", _partitions), \
	ROUTE("GET", "/api/v1/nodes", _nodes), \
	ROUTE("GET", "/api/v1/jobs", _jobs), \
	ROUTE("POST", "/api/v1/jobs", _submit), \
	ROUTE("POST", "/api/v1/jobs/batch", _batch), \
	ROUTE("GET", "/api/v1/jobs/{id}", _job), \
	ROUTE("DELETE", "/api/v1/jobs/{id}", _cancel), \
	ROUTE("PATCH", "/api/v1/jobs/{id}", _update), \
	ROUTE("POST", "/api/v1/jobs/{id}/hold", _hold), \
	ROUTE("POST", "/api/v1/jobs/{id}/release", _release), \
	ROUTE("POST", "/api/v1/jobs/{id}/suspend", _suspend), \
	ROUTE("POST", "/api/v1/jobs/{id}/resume", _resume), \
	ROUTE("POST", "/api/v1/jobs/{id}/signal", _signal), \
	ROUTE("POST", "/api/v1/jobs/{id}/requeue", _requeue), \
	ROUTE("POST", "/api/v1/jobs/{id}/start", _start), \
	ROUTE("POST", "/api/v1/jobs/{id}/revoke", _revoke), \
	ROUTE("POST", "/api/v1/jobs/{id}/notify", _notify), \
	ROUTE("GET", "/api/v1/federation/events", _events), \
	ROUTE("POST", "/api/v1/federation/events/ack", _ack), \
	ROUTE("GET", "/api/v1/federation", _federation)

static const flurm_route_t routes[] = {
	ROUTES,
	{ .method = NULL },
};

static const flurm_route_t debug_routes[] = {
	ROUTES,
	ROUTE("POST", "/api/v1/debug", _debug),
	{ .method = NULL },
};

extern const flurm_route_t *gw_routes(bool debug)
{
	return debug ? debug_routes : routes;
}

extern int gw_authorize(const char *bearer, void *arg, fed_err_t *err)
{
	gw_site_t *site = arg;

	if (!bearer) {
		fed_err_set(err, 0, "no bearer token");
		return 401;
	}
	return flurm_token_verify(site->token, bearer, time(NULL), err);
}
