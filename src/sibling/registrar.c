/*
 * registrar.c - the connection that says we are FLURM's controller
 * (registrar.h).
 */
#include "src/sibling/registrar.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/sibling/dbd.h"
#include "src/sibling/net.h"
#include "src/sibling/thread.h"

#define RETRY_MIN_MS 2000
#define RETRY_MAX_MS 60000
/* how often the federation is asked for, should a push have been lost */
#define POLL_MS 30000
#define LOOK_MIN_MS 1000	/* and at the most, whoever wants to know */
/* changes of associations come in bursts: sacctmgr's, of a whole tree */
#define REFRESH_MS 1000
/* a reply of slurmdbd's may wait for a lock there (dbd_conn.c, dbd_conn_open) */
#define DBD_EXTRA_MS 35000

struct registrar {
	registrar_conf_t conf;
	pthread_t thread;
	int stop_fd;
	int wake_fd;

	pthread_mutex_t lock;	/* all below */
	bool leave;		/* at the end the connection stays open */
	bool again;		/* register anew */
	bool look;		/* ask how the federation is */
	int64_t looked_ms;
	bool announce;		/* have all members told how it is */
	bool drained;		/* say so */
	federation_t *known;	/* as slurmdbd told last, or NULL */
	bool resized;		/* tell resources */
	bool stale;		/* ask for associations */
	registrar_request_t *first, **last;
	resources_t *resources;
	bool registered;
	bool rival;		/* another controller has our cluster */
	time_t since;
	uint32_t registrations;
	char address[INET6_ADDRSTRLEN]; /* that slurmdbd sees us at */
	char error[FED_ERR_TEXT_MAX];

	/* the thread's own */
	persist_t conn;
	int retry_ms;
	int64_t refresh_at;	/* not before, in milliseconds */
	fed_log_throttle_t refresh_complaint;
	fed_log_throttle_t complaint;
	fed_log_throttle_t rival_complaint;
	bool untold;		/* resources: slurmdbd did not take them */
	fed_log_throttle_t untold_complaint;
};

static void _wake(int fd)
{
	uint64_t one = 1;

	(void) !write(fd, &one, sizeof(one));
}

/* RET false if stopped; OUT ret_closed - slurmdbd hung up */
static bool _wait(registrar_t *registrar, int timeout_ms, bool *ret_closed)
{
	struct pollfd pfd[3] = {
		{ .fd = registrar->stop_fd, .events = POLLIN },
		{ .fd = registrar->wake_fd, .events = POLLIN },
		{ .fd = registrar->conn.fd, .events = POLLIN },
	};
	uint64_t count;

	(void) poll(pfd, (registrar->conn.fd >= 0) ? 3 : 2, timeout_ms);
	if (pfd[0].revents)
		return false;
	if (pfd[1].revents)
		(void) !read(registrar->wake_fd, &count, sizeof(count));
	/* it says nothing that it was not asked for */
	*ret_closed = (registrar->conn.fd >= 0) && pfd[2].revents;
	return true;
}

/* Remember from which address slurmdbd sees us come. */
static void _note_address(registrar_t *registrar)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);
	const void *in = NULL;
	char text[INET6_ADDRSTRLEN] = "";

	(void) getsockname(registrar->conn.fd, (struct sockaddr *) &addr, &len);
	if (addr.ss_family == AF_INET)
		in = &((struct sockaddr_in *) &addr)->sin_addr;
	else if (addr.ss_family == AF_INET6)
		in = &((struct sockaddr_in6 *) &addr)->sin6_addr;
	if (in)
		(void) inet_ntop(addr.ss_family, in, text, sizeof(text));
	pthread_mutex_lock(&registrar->lock);
	snprintf(registrar->address, sizeof(registrar->address), "%s", text);
	pthread_mutex_unlock(&registrar->lock);
}

/* RET true if Address says another than slurmdbd sees by itself */
static bool _has_own_address(registrar_t *registrar)
{
	const char *address = registrar->conf.cluster->address;

	return address && xstrcmp(address, registrar->address);
}

static int _connect(registrar_t *registrar, fed_err_t *err)
{
	const site_t *site = registrar->conf.site;
	const conf_cluster_t *cluster = registrar->conf.cluster;
	const char *hosts[] = { site->dbd_host, site->dbd_backup_host };

	if (!site->dbd_host || !site->dbd_host[0])
		return fed_err_set(err, EINVAL,
				   "slurm.conf names no AccountingStorageHost; a federation needs slurmdbd");
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (hosts[i] &&
		    !persist_open(&registrar->conn, hosts[i], site->dbd_port,
				  PERSIST_TYPE_DBD, cluster->name,
				  cluster->port, COMPAT_VERSION_OWN, err))
			return 0;
		if (err->code == ECANCELED)
			break;
	}
	return fed_err_prefix(err, "slurmdbd");
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
	registrar->refresh_at = net_now_ms() + POLL_MS;
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
	if (_has_own_address(registrar) &&
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

/* RET the first request, taken out, or NULL */
static registrar_request_t *_next_request(registrar_t *registrar)
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

	while ((request = _next_request(registrar))) {
		if (request->ask(request, &registrar->conn, err)) {
			_put_back(registrar, request);
			return -1;
		}
		request->free(request);
	}
	return 0;
}

/* Do what there is to do. RET 0, or -1: the connection is of no more use */
static int _serve(registrar_t *registrar, bool poll_now, fed_err_t *err)
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

/* RET how long there is nothing to do, if nobody wakes us */
static int _idle_ms(registrar_t *registrar)
{
	int64_t ms = POLL_MS;

	pthread_mutex_lock(&registrar->lock);
	if (registrar->stale)
		ms = registrar->refresh_at - net_now_ms();
	pthread_mutex_unlock(&registrar->lock);
	return (ms < 1) ? 1 : (ms > POLL_MS) ? POLL_MS : ms;
}

static bool _poll_is_due(int64_t *next)
{
	int64_t ms = net_now_ms();

	if (*next && (ms < *next))
		return false;
	*next = ms + POLL_MS;
	return true;
}

/* RET false if stopped; the connection is there all the time */
static bool _stay(registrar_t *registrar, fed_err_t *err)
{
	int64_t next_poll = 0;
	bool closed;

	(void) _poll_is_due(&next_poll);
	while (1) {
		if (_serve(registrar, _poll_is_due(&next_poll), err))
			return err->code != ECANCELED;
		if (!_wait(registrar, _idle_ms(registrar), &closed))
			return false;
		if (closed) {
			fed_err_set(err, ECONNRESET, "slurmdbd hung up");
			return true;
		}
	}
}

/* Give the address back that slurmdbd clears when the connection closes. */
static void _restore_address(registrar_t *registrar)
{
	if (!_has_own_address(registrar) || !registrar->registered)
		return;
	/* stop_fd is readable by now, and this must be sent all the same */
	registrar->conn.stop_fd = -1;
	registrar->conn.timeout_ms = 1000;
	(void) dbd_set_address(&registrar->conn, registrar->conf.cluster->name,
			       registrar->address,
			       registrar->conf.cluster->port, NULL);
}

static void _disconnected(registrar_t *registrar, const fed_err_t *err)
{
	int jitter;

	pthread_mutex_lock(&registrar->lock);
	if (registrar->registered)
		registrar->since = time(NULL);
	registrar->registered = false;
	registrar->again = true;
	snprintf(registrar->error, sizeof(registrar->error), "%s", err->text);
	pthread_mutex_unlock(&registrar->lock);
	fed_log_throttled(&registrar->complaint, FED_LOG_INFO,
			  "cluster %s: not registered: %s",
			  registrar->conf.cluster->name, err->text);
	registrar->retry_ms = registrar->retry_ms ? registrar->retry_ms * 2 :
						    RETRY_MIN_MS;
	if (registrar->retry_ms > RETRY_MAX_MS)
		registrar->retry_ms = RETRY_MAX_MS;
	jitter = random() % (registrar->retry_ms / 4);
	registrar->retry_ms -= jitter;
}

static void *_run(void *arg)
{
	registrar_t *registrar = arg;
	bool go_on = true, closed;

	while (go_on) {
		fed_err_t err = { .code = ECANCELED };

		if (!_connect(registrar, &err)) {
			_note_address(registrar);
			go_on = _stay(registrar, &err);
			if (!go_on && registrar->leave)
				break;
			if (!go_on)
				_restore_address(registrar);
			persist_close(&registrar->conn);
		}
		if (!go_on || (err.code == ECANCELED))
			break;
		_disconnected(registrar, &err);
		go_on = _wait(registrar, registrar->retry_ms, &closed);
	}
	return NULL;
}

extern registrar_t *registrar_create(const registrar_conf_t *conf,
				     fed_err_t *err)
{
	registrar_t *registrar = xmalloc(sizeof(*registrar));
	int rc;

	registrar->conf = *conf;
	registrar->again = true;
	registrar->last = &registrar->first;
	registrar->since = time(NULL);
	pthread_mutex_init(&registrar->lock, NULL);
	registrar->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	registrar->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	registrar->conn.fd = -1;
	registrar->conn.dbd = true;
	registrar->conn.stop_fd = registrar->stop_fd;
	registrar->conn.timeout_ms = conf->site->msg_timeout_ms + DBD_EXTRA_MS;
	rc = thread_start(&registrar->thread, "fl-registrar", _run, registrar);
	if (!rc)
		return registrar;
	fed_err_set(err, rc, "start a thread: %s", strerror(rc));
	registrar->thread = 0;
	registrar_destroy(registrar);
	return NULL;
}

extern void registrar_stop(registrar_t *registrar)
{
	_wake(registrar->stop_fd);
}

extern int registrar_leave(registrar_t *registrar)
{
	int fd;

	if (!registrar)
		return -1;
	/* seen by the thread after stop_fd, which it polls */
	registrar->leave = true;
	registrar_stop(registrar);
	pthread_join(registrar->thread, NULL);
	registrar->thread = 0;
	fd = registrar->conn.fd;
	registrar_destroy(registrar);
	return fd;
}

extern void registrar_destroy(registrar_t *registrar)
{
	registrar_request_t *request;

	if (!registrar)
		return;
	registrar_stop(registrar);
	if (registrar->thread)
		pthread_join(registrar->thread, NULL);
	while ((request = _next_request(registrar)))
		request->free(request);
	close(registrar->stop_fd);
	close(registrar->wake_fd);
	pthread_mutex_destroy(&registrar->lock);
	federation_unref(registrar->known);
	resources_unref(registrar->resources);
	xfree(registrar);
}

extern void registrar_again(registrar_t *registrar)
{
	pthread_mutex_lock(&registrar->lock);
	registrar->again = true;
	pthread_mutex_unlock(&registrar->lock);
	_wake(registrar->wake_fd);
}

extern void registrar_look(registrar_t *registrar)
{
	int64_t now = net_now_ms();
	bool look;

	pthread_mutex_lock(&registrar->lock);
	look = !registrar->looked_ms ||
	       (now - registrar->looked_ms >= LOOK_MIN_MS);
	if (look) {
		registrar->looked_ms = now;
		registrar->look = true;
	}
	pthread_mutex_unlock(&registrar->lock);
	if (look)
		_wake(registrar->wake_fd);
}

extern void registrar_announce(registrar_t *registrar)
{
	pthread_mutex_lock(&registrar->lock);
	registrar->announce = true;
	pthread_mutex_unlock(&registrar->lock);
	_wake(registrar->wake_fd);
}

extern void registrar_drained(registrar_t *registrar)
{
	pthread_mutex_lock(&registrar->lock);
	registrar->drained = true;
	pthread_mutex_unlock(&registrar->lock);
	_wake(registrar->wake_fd);
}

extern void registrar_refresh(registrar_t *registrar)
{
	pthread_mutex_lock(&registrar->lock);
	registrar->stale = registrar->conf.assoc != NULL;
	pthread_mutex_unlock(&registrar->lock);
	_wake(registrar->wake_fd);
}

extern void registrar_put(registrar_t *registrar, registrar_request_t *request)
{
	request->next = NULL;
	pthread_mutex_lock(&registrar->lock);
	*registrar->last = request;
	registrar->last = &request->next;
	pthread_mutex_unlock(&registrar->lock);
	_wake(registrar->wake_fd);
}

extern void registrar_check(registrar_t *registrar, federation_t *fed)
{
	const conf_cluster_t *cluster = registrar->conf.cluster;
	const fed_member_t *self = fed->self;
	bool cleared = false, rival = false;

	pthread_mutex_lock(&registrar->lock);
	federation_unref(registrar->known);
	registrar->known = federation_ref(fed);
	if (!self) {
		/* nothing to compare */
	} else if (registrar->registered && !federation_member_is_up(self)) {
		cleared = registrar->again = true;
	} else if (registrar->registered) {
		rival = (self->port != cluster->port) ||
			(xstrcmp(self->host, registrar->address) &&
			 xstrcmp(self->host, cluster->address));
		registrar->rival = rival;
	}
	pthread_mutex_unlock(&registrar->lock);
	if (cleared)
		_wake(registrar->wake_fd);
	if (rival)
		fed_log_throttled(&registrar->rival_complaint, FED_LOG_ERROR,
				  "cluster %s: another controller has registered it, at %s:%u; one of the two must go",
				  cluster->name, self->host, self->port);
}

extern void registrar_set_resources(registrar_t *registrar,
				    resources_t *resources)
{
	pthread_mutex_lock(&registrar->lock);
	resources_unref(registrar->resources);
	registrar->resources = resources_ref(resources);
	registrar->resized = true;
	pthread_mutex_unlock(&registrar->lock);
	_wake(registrar->wake_fd);
}

extern bool registrar_is_registered(registrar_t *registrar)
{
	bool registered;

	pthread_mutex_lock(&registrar->lock);
	registered = registrar->registered;
	pthread_mutex_unlock(&registrar->lock);
	return registered;
}

extern json_t *registrar_status(registrar_t *registrar)
{
	assoc_counts_t known = { 0 };
	json_t *json;

	if (registrar->conf.assoc)
		assoc_counts(registrar->conf.assoc, &known);
	pthread_mutex_lock(&registrar->lock);
	json = json_pack("{s:b, s:b, s:I, s:i, s:s, s:i, s:s?, s:s, s:I}",
			 "registered", registrar->registered,
			 "rival", registrar->rival,
			 "since", (json_int_t) registrar->since,
			 "registrations", registrar->registrations,
			 "address", registrar->conf.cluster->address ?
				    registrar->conf.cluster->address :
				    registrar->address,
			 "port", registrar->conf.cluster->port,
			 "tres", registrar->resources ? registrar->resources->tres :
						       NULL,
			 "error", registrar->error,
			 "associations", (json_int_t) known.assocs);
	pthread_mutex_unlock(&registrar->lock);
	return json;
}
