/*
 * controller.c - one FLURM cluster's controller (see controller.h).
 *
 * Up: ledger and engine (which links up to the federation as last known),
 * port, registration; so that whoever slurmdbd sends to us finds us. Down:
 * the port, then the engine, so that nobody waits for it any more, then
 * the rest. Nothing of it waits for a peer for longer than a second.
 */
#include "src/sibling/controller.h"

#include <string.h>
#include <time.h>

#include "src/core/log.h"
#include "src/sibling/compat.h"
#include "src/sibling/engine.h"
#include "src/sibling/inbound.h"
#include "src/sibling/listener.h"
#include "src/sibling/net.h"
#include "src/sibling/registrar.h"
#include "src/sibling/rpc.h"

struct controller {
	conf_cluster_t *conf;
	const site_t *site;
	char *ledger_dir;
	rpc_conf_t rpc;
	assoc_t *assoc;
	rpc_count_t *count;
	engine_t *engine;
	inbound_t *inbound;
	listener_t *listener;

	fed_log_texts_t complaints; /* of users who try what they may not */
	bool up;

	pthread_mutex_t lock;	/* all below */
	registrar_t *registrar;
	/* the engine may know FLURM's size before there is a registrar */
	resources_t *resources;
};

static void _set_federation(controller_t *controller, federation_t *fed)
{
	pthread_mutex_lock(&controller->lock);
	if (controller->registrar)
		registrar_check(controller->registrar, fed);
	pthread_mutex_unlock(&controller->lock);
	engine_set_federation(controller->engine, fed);
}

/* The registrar asked for it: it has looked at it already. */
static void _registrar_federation(void *arg, federation_t *fed)
{
	controller_t *controller = arg;

	engine_set_federation(controller->engine, fed);
}

static void _registrar_associations(void *arg)
{
	controller_t *controller = arg;

	engine_set_assoc(controller->engine);
}

static void _refresh(controller_t *controller)
{
	pthread_mutex_lock(&controller->lock);
	if (controller->registrar)
		registrar_refresh(controller->registrar);
	pthread_mutex_unlock(&controller->lock);
}

static int _reset_assoc(void *x, void *arg)
{
	const slurmdb_assoc_rec_t *rec = x;
	controller_t *controller = arg;

	if (rec)
		engine_set_usage(controller->engine, USAGE_ASSOC, rec->id, 0);
	return 0;
}

static int _reset_qos(void *x, void *arg)
{
	const slurmdb_qos_rec_t *rec = x;
	controller_t *controller = arg;

	if (rec)
		engine_set_usage(controller->engine, USAGE_QOS, rec->id,
				 rec->usage ? rec->usage->usage_raw : 0);
	return 0;
}

/* sacctmgr sends usage itself, slurmdbd the others. */
static int _take_update(void *x, void *arg)
{
	slurmdb_update_object_t *update = x;
	controller_t *controller = arg;

	switch (update->type) {
	case SLURMDB_UPDATE_FEDS:
		_set_federation(controller,
				federation_from_dbd(update->objects,
						    controller->conf->name));
		break;
	case SLURMDB_REMOVE_ASSOC_USAGE:
		if (update->objects)
			(void) list_for_each(update->objects, _reset_assoc,
					     controller);
		break;
	case COMPAT_QOS_USAGE:
		if (update->objects)
			(void) list_for_each(update->objects, _reset_qos,
					     controller);
		break;
	default:
		_refresh(controller);
		break;
	}
	return 0;
}

static void _accounting(void *arg, const accounting_update_msg_t *update)
{
	controller_t *controller = arg;

	if (update && update->update_list)
		(void) list_for_each(update->update_list, _take_update,
				     controller);
}

static void _register_again(void *arg)
{
	controller_t *controller = arg;

	pthread_mutex_lock(&controller->lock);
	if (controller->registrar)
		registrar_again(controller->registrar);
	pthread_mutex_unlock(&controller->lock);
}

static void _announce(void *arg)
{
	controller_t *controller = arg;

	pthread_mutex_lock(&controller->lock);
	if (controller->registrar)
		registrar_announce(controller->registrar);
	pthread_mutex_unlock(&controller->lock);
}

static void _drained(void *arg)
{
	controller_t *controller = arg;

	pthread_mutex_lock(&controller->lock);
	if (controller->registrar)
		registrar_drained(controller->registrar);
	pthread_mutex_unlock(&controller->lock);
}

static bool _registered(void *arg)
{
	controller_t *controller = arg;
	bool registered;

	pthread_mutex_lock(&controller->lock);
	registered = controller->registrar &&
		     registrar_is_registered(controller->registrar);
	pthread_mutex_unlock(&controller->lock);
	return registered;
}

static void _look(void *arg)
{
	controller_t *controller = arg;

	pthread_mutex_lock(&controller->lock);
	if (controller->registrar)
		registrar_look(controller->registrar);
	pthread_mutex_unlock(&controller->lock);
}

static void _resources(void *arg, resources_t *resources)
{
	controller_t *controller = arg;

	pthread_mutex_lock(&controller->lock);
	resources_unref(controller->resources);
	controller->resources = resources_ref(resources);
	if (controller->registrar)
		registrar_set_resources(controller->registrar, resources);
	pthread_mutex_unlock(&controller->lock);
}

static bool _slurmdbd(void *arg, registrar_request_t *request)
{
	controller_t *controller = arg;
	bool there;

	pthread_mutex_lock(&controller->lock);
	if ((there = controller->registrar != NULL))
		registrar_put(controller->registrar, request);
	pthread_mutex_unlock(&controller->lock);
	return there;
}

static bool _take_msg(void *arg, slurm_msg_t *msg)
{
	controller_t *controller = arg;
	uid_t uid;

	if (!compat_msg_uid(msg, &uid))
		return false;
	if (msg->msg_type != REQUEST_PERSIST_INIT) {
		rpc_serve(&controller->rpc, msg, uid);
		return false;
	}
	if (!site_is_daemon_uid(controller->site, uid)) {
		fed_log_once(&controller->complaints, FED_LOG_ERROR,
			     "cluster %s: uid %u wanted to open a connection between daemons",
			     controller->conf->name, uid);
		(void) slurm_send_rc_msg(msg, ESLURM_ACCESS_DENIED);
		return false;
	}
	return inbound_take(controller->inbound, msg->conn_fd, msg->data);
}

static int _start_registrar(controller_t *controller, fed_err_t *err)
{
	registrar_conf_t conf = {
		.cluster = controller->conf,
		.site = controller->site,
		.federation = _registrar_federation,
		.assoc = controller->assoc,
		.associations = _registrar_associations,
		.arg = controller,
	};
	registrar_t *registrar = registrar_create(&conf, err);

	if (!registrar)
		return -1;
	pthread_mutex_lock(&controller->lock);
	controller->registrar = registrar;
	if (controller->resources)
		registrar_set_resources(registrar, controller->resources);
	pthread_mutex_unlock(&controller->lock);
	return 0;
}

static int _start(controller_t *controller, fed_err_t *err)
{
	const conf_cluster_t *cluster = controller->conf;
	engine_conf_t engine = {
		.cluster = cluster,
		.site = controller->site,
		.ledger_dir = controller->ledger_dir,
		.assoc = controller->assoc,
		.resources = _resources,
		.slurmdbd = _slurmdbd,
		.announce = _announce,
		.drained = _drained,
		.registered = _registered,
		.arg = controller,
	};
	inbound_conf_t inbound = {
		.cluster = cluster->name,
		.timeout_ms = controller->site->msg_timeout_ms,
		.accounting = _accounting,
		.look = _look,
		.arg = controller,
	};

	if (!(controller->engine = engine_create(&engine, err)))
		return -1;
	inbound.engine = controller->engine;
	controller->inbound = inbound_create(&inbound);
	controller->rpc = (rpc_conf_t) {
		.cluster = cluster->name,
		.assoc = controller->assoc,
		.site = controller->site,
		.engine = controller->engine,
		.count = controller->count,
		.complaints = &controller->complaints,
		.port = cluster->port,
		.started = time(NULL),
		.accounting = _accounting,
		.register_again = _register_again,
		.arg = controller,
	};
	controller->listener = listener_create(cluster->name, cluster->port,
					       _take_msg, controller, err);
	if (!controller->listener)
		return -1;
	return _start_registrar(controller, err);
}

extern controller_t *controller_create(const conf_cluster_t *conf,
				       const char *ledger_dir,
				       const site_t *site, fed_err_t *err)
{
	controller_t *controller = xmalloc(sizeof(*controller));

	pthread_mutex_init(&controller->lock, NULL);
	controller->complaints = (fed_log_texts_t) FED_LOG_TEXTS_INIT;
	controller->count = rpc_count_create();
	controller->conf = conf_cluster_copy(conf);
	controller->site = site;
	controller->assoc = assoc_create();
	controller->ledger_dir = xstrdup_printf("%s/%s", ledger_dir,
						conf->name);
	if (!_start(controller, err)) {
		controller->up = true;
		fed_info("cluster %s: controller is up on port %u",
			 conf->name, conf->port);
		return controller;
	}
	fed_err_prefix(err, "cluster %s", conf->name);
	controller_destroy(controller);
	return NULL;
}

static int _end(controller_t *controller, bool leave)
{
	registrar_t *registrar;
	int64_t start = net_now_ms();
	int fd = -1;

	if (!controller)
		return -1;
	/* nobody is told "come in" while we leave */
	pthread_mutex_lock(&controller->lock);
	registrar = controller->registrar;
	controller->registrar = NULL;
	pthread_mutex_unlock(&controller->lock);
	listener_stop(controller->listener);
	engine_stop(controller->engine);
	listener_destroy(controller->listener);
	if (leave)
		fd = registrar_leave(registrar);
	else
		registrar_destroy(registrar);
	inbound_destroy(controller->inbound);
	engine_destroy(controller->engine);
	assoc_destroy(controller->assoc);
	rpc_count_destroy(controller->count);
	if (controller->up)
		fed_info("cluster %s: controller is down, after %d ms",
			 controller->conf->name, (int) (net_now_ms() - start));
	conf_cluster_free(controller->conf);
	pthread_mutex_destroy(&controller->lock);
	xfree(controller->ledger_dir);
	resources_unref(controller->resources);
	xfree(controller);
	return fd;
}

extern void controller_destroy(controller_t *controller)
{
	(void) _end(controller, false);
}

extern int controller_leave(controller_t *controller)
{
	return _end(controller, true);
}

extern const conf_cluster_t *controller_conf(const controller_t *controller)
{
	return controller->conf;
}

extern json_t *controller_status(controller_t *controller)
{
	json_t *status = engine_status(controller->engine);
	listener_status_t port;

	if (!status)
		return NULL;
	listener_get_status(controller->listener, &port);
	json_object_set_new(status, "name",
			    json_string(controller->conf->name));
	json_object_set_new(status, "since",
			    json_integer(controller->rpc.started));
	json_object_set_new(status, "slurmdbd",
			    registrar_status(controller->registrar));
	json_object_set_new(status, "port", json_pack(
		"{s:i, s:I, s:I, s:I, s:i, s:i}",
		"number", controller->conf->port,
		"accepted", (json_int_t) port.accepted,
		"served", (json_int_t) port.served,
		"rejected", (json_int_t) port.rejected,
		"open", port.open,
		"persistent", inbound_count(controller->inbound)));
	return status;
}
