/*
 * registrar_say.c - what the registrar says to slurmdbd and asks it, over a
 * connection that is there (registrar_int.h).
 */
#include "src/sibling/registrar_int.h"

#include <errno.h>
#include <string.h>

#include "src/sibling/dbd.h"
#include "src/sibling/net.h"

/* changes of associations come in bursts: sacctmgr's, of a whole tree */
#define REFRESH_MS 1000

extern bool registrar_has_own_address(registrar_t *registrar)
{
	const char *address = registrar->conf.cluster->address;

	return address && xstrcmp(address, registrar->address);
}

/* RET another member that is elsewhere than we were told, or NULL */
static const fed_member_t *_moved(registrar_t *registrar,
				  const federation_t *fed)
{
	const fed_member_t *moved = NULL, *known;

	pthread_mutex_lock(&registrar->lock);
	for (int i = 0; registrar->known && (i < fed->member_cnt); i++) {
		const fed_member_t *now = &fed->member[i];

		known = federation_find(registrar->known, now->name);
		if (known && (now != fed->self) &&
		    federation_member_is_up(now) &&
		    (xstrcmp(known->host, now->host) ||
		     (known->port != now->port)))
			moved = now;
	}
	pthread_mutex_unlock(&registrar->lock);
	return moved;
}

/*
 * Learn of the federation. 22.05 pushes changes of the federation and
 * disconnects, but no registration (as_mysql_cluster.c,
 * as_mysql_modify_clusters()): of a slurmctld that comes back elsewhere, as a
 * backup does, no other member hears, unless we have them told.
 * IN announce - have the others told in any case
 */
static int _get_federation(registrar_t *registrar, bool announce,
			   fed_err_t *err)
{
	const char *cluster = registrar->conf.cluster->name;
	const fed_member_t *moved;
	federation_t *fed;
	int rc = 0;

	if (dbd_get_federation(&registrar->conn, cluster, &fed, err))
		return -1;
	if ((moved = _moved(registrar, fed)))
		fed_info("cluster %s: %s is at %s:%u now; slurmdbd is asked to tell all members",
			 cluster, moved->name, moved->host, moved->port);
	if (fed->self && (announce || moved))
		rc = dbd_touch_federation(&registrar->conn, cluster, err);
	registrar_check(registrar, fed);
	registrar->conf.federation(registrar->conf.arg, fed);
	return rc;
}

/*
 * As a native does of itself (fed_mgr.c, _job_watch_thread()). What it says
 * is of the state that slurmdbd has now: an administrator may have changed his
 * mind.
 */
static int _say_drained(registrar_t *registrar, fed_err_t *err)
{
	const char *cluster = registrar->conf.cluster->name;
	federation_t *fed;
	int rc = 0;

	if (dbd_get_federation(&registrar->conn, cluster, &fed, err))
		return -1;
	if (!federation_is_draining(fed)) {
		/* not any more */
	} else if (fed->self->state & CLUSTER_FED_STATE_REMOVE) {
		fed_info("cluster %s: no job is left: it leaves federation %s, as was asked for",
			 cluster, fed->name);
		rc = dbd_leave_federation(&registrar->conn, cluster, fed->name,
					  err);
	} else {
		fed_info("cluster %s: no job is left: it is DRAINED", cluster);
		rc = dbd_set_fed_state(&registrar->conn, cluster,
				       CLUSTER_FED_STATE_INACTIVE |
				       (fed->self->state &
					CLUSTER_FED_STATE_FLAGS), err);
	}
	federation_unref(fed);
	return rc ? fed_err_prefix(err, "tell slurmdbd that cluster %s is drained",
				   cluster) : 0;
}

static int _refresh(registrar_t *registrar, fed_err_t *err)
{
	const registrar_conf_t *conf = &registrar->conf;
	bool stale, changed = false;

	pthread_mutex_lock(&registrar->lock);
	stale = registrar->stale && (net_now_ms() >= registrar->refresh_at);
	if (stale)
		registrar->stale = false;
	pthread_mutex_unlock(&registrar->lock);
	if (!stale)
		return 0;
	registrar->refresh_at = net_now_ms() + REFRESH_MS;
	if (!dbd_get_assocs(&registrar->conn, conf->cluster->name, conf->site,
			    conf->assoc, &changed, err)) {
		memset(&registrar->refresh_complaint, 0,
		       sizeof(registrar->refresh_complaint));
		if (changed && conf->associations)
			conf->associations(conf->arg);
		return 0;
	}
	/* with what was known last it goes on, and asks again later */
	pthread_mutex_lock(&registrar->lock);
	registrar->stale = true;
	pthread_mutex_unlock(&registrar->lock);
	registrar->refresh_at = net_now_ms() + REGISTRAR_POLL_MS;
	if (err->code != EREMOTE)
		return fed_err_prefix(err, "ask for associations");
	fed_log_throttled(&registrar->refresh_complaint, FED_LOG_ERROR,
			  "cluster %s: associations are not told anew: %s",
			  conf->cluster->name, err->text);
	return 0;
}

static int _register(registrar_t *registrar, fed_err_t *err)
{
	const conf_cluster_t *cluster = registrar->conf.cluster;
	bool known = true;

	if (dbd_has_cluster(&registrar->conn, cluster->name, &known, err) ||
	    dbd_register(&registrar->conn, cluster->port, err))
		return fed_err_prefix(err, "register cluster %s",
				      cluster->name);
	if (!known)
		fed_info("cluster %s: slurmdbd did not have it and made it; \"sacctmgr add federation\" or \"modify federation\" puts it into one",
			 cluster->name);
	if (registrar_has_own_address(registrar) &&
	    dbd_set_address(&registrar->conn, cluster->name, cluster->address,
			    cluster->port, err))
		return fed_err_prefix(err, "tell slurmdbd our Address=%s",
				      cluster->address);
	pthread_mutex_lock(&registrar->lock);
	registrar->registered = true;
	registrar->rival = false;
	registrar->resized = registrar->resources != NULL;
	registrar->stale = registrar->conf.assoc != NULL;
	registrar->registrations++;
	registrar->since = time(NULL);
	registrar->error[0] = 0;
	pthread_mutex_unlock(&registrar->lock);
	registrar->retry_ms = 0;
	memset(&registrar->complaint, 0, sizeof(registrar->complaint));
	fed_info("cluster %s: registered in slurmdbd as %s:%u", cluster->name,
		 cluster->address ? cluster->address : registrar->address,
		 cluster->port);
	/* or who is sent here at once would be refused */
	if (registrar->conf.assoc && !assoc_is_known(registrar->conf.assoc) &&
	    _refresh(registrar, err))
		return -1;
	/*
	 * No push that is not needed: one that comes while slurmctld begins
	 * anew may keep it and slurmdbd waiting for each other.
	 */
	return _get_federation(registrar, !compat_registration_is_pushed(),
			       err);
}

static int _tell_resources(registrar_t *registrar, fed_err_t *err)
{
	const registrar_conf_t *conf = &registrar->conf;
	resources_t *resources;
	int rc;

	pthread_mutex_lock(&registrar->lock);
	resources = resources_ref(registrar->resources);
	registrar->resized = false;
	pthread_mutex_unlock(&registrar->lock);
	rc = resources_tell(resources, &registrar->conn, conf->cluster->name,
			    conf->site->slurm_uid, err);
	resources_unref(resources);
	registrar->untold = (rc != 0);
	if (!rc) {
		memset(&registrar->untold_complaint, 0,
		       sizeof(registrar->untold_complaint));
		return 0;
	}
	fed_err_prefix(err, "tell slurmdbd the size of cluster %s",
		       conf->cluster->name);
	if (err->code != EREMOTE)
		return -1;
	/* it has no database, or another opinion */
	fed_log_throttled(&registrar->untold_complaint, FED_LOG_ERROR, "%s",
			  err->text);
	return 0;
}

extern registrar_request_t *registrar_next_request(registrar_t *registrar)
{
	registrar_request_t *request;

	pthread_mutex_lock(&registrar->lock);
	if ((request = registrar->first) &&
	    !(registrar->first = request->next))
		registrar->last = &registrar->first;
	pthread_mutex_unlock(&registrar->lock);
	return request;
}

static void _put_back(registrar_t *registrar, registrar_request_t *request)
{
	pthread_mutex_lock(&registrar->lock);
	if (!(request->next = registrar->first))
		registrar->last = &request->next;
	registrar->first = request;
	pthread_mutex_unlock(&registrar->lock);
}

static int _ask_requests(registrar_t *registrar, fed_err_t *err)
{
	registrar_request_t *request;

	while ((request = registrar_next_request(registrar))) {
		if (request->ask(request, &registrar->conn, err)) {
			_put_back(registrar, request);
			return -1;
		}
		request->free(request);
	}
	return 0;
}

extern int registrar_serve(registrar_t *registrar, bool poll_now, fed_err_t *err)
{
	bool again, look, announce, drained, resized;

	pthread_mutex_lock(&registrar->lock);
	again = registrar->again;
	look = registrar->look || poll_now;
	announce = registrar->announce;
	drained = registrar->drained;
	registrar->again = registrar->look = registrar->announce =
		registrar->drained = false;
	pthread_mutex_unlock(&registrar->lock);
	if (again && _register(registrar, err))
		return -1;
	/* a registration makes it due again */
	pthread_mutex_lock(&registrar->lock);
	resized = registrar->resized || (poll_now && registrar->untold);
	pthread_mutex_unlock(&registrar->lock);
	if (resized && _tell_resources(registrar, err))
		return -1;
	if (drained && _say_drained(registrar, err)) {
		if (err->code != EREMOTE)
			return -1;
		fed_error("%s", err->text);
	}
	if ((look || announce) && !again &&
	    _get_federation(registrar, announce, err))
		return -1;
	if (_refresh(registrar, err))
		return -1;
	return _ask_requests(registrar, err);
}
