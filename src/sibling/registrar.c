/*
 * registrar.c - the connection that says we are FLURM's controller
 * (registrar.h).
 */
#include "src/sibling/registrar_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/sibling/dbd.h"
#include "src/sibling/net.h"
#include "src/sibling/thread.h"

#define RETRY_MIN_MS 2000
#define RETRY_MAX_MS 60000
#define LOOK_MIN_MS 1000	/* and at the most, whoever wants to know */
/* a reply of slurmdbd's may wait for a lock there (dbd_conn.c, dbd_conn_open) */
#define DBD_EXTRA_MS 35000
#define RESTORE_MS 500		/* a stop waits for slurmdbd no longer */

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

/* RET how long there is nothing to do, if nobody wakes us */
static int _idle_ms(registrar_t *registrar)
{
	int64_t ms = REGISTRAR_POLL_MS;

	pthread_mutex_lock(&registrar->lock);
	if (registrar->stale)
		ms = registrar->refresh_at - net_now_ms();
	pthread_mutex_unlock(&registrar->lock);
	return (ms < 1) ? 1 : (ms > REGISTRAR_POLL_MS) ? REGISTRAR_POLL_MS : ms;
}

static bool _poll_is_due(int64_t *next)
{
	int64_t ms = net_now_ms();

	if (*next && (ms < *next))
		return false;
	*next = ms + REGISTRAR_POLL_MS;
	return true;
}

/* RET false if stopped; the connection is there all the time */
static bool _stay(registrar_t *registrar, fed_err_t *err)
{
	int64_t next_poll = 0;
	bool closed;

	(void) _poll_is_due(&next_poll);
	while (1) {
		if (registrar_serve(registrar, _poll_is_due(&next_poll), err))
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
	persist_t *conn = &registrar->conn;
	persist_in_t in;

	if (!registrar_has_own_address(registrar) || !registrar->registered)
		return;
	/* stop_fd is readable by now, and this must be sent all the same */
	conn->stop_fd = -1;
	conn->timeout_ms = RESTORE_MS;
	if (!dbd_set_address(conn, registrar->conf.cluster->name,
			     registrar->address,
			     registrar->conf.cluster->port, NULL))
		return;
	/*
	 * What came may have been the answer to a question that the stop
	 * interrupted. To close with answers unread is a reset, and slurmdbd
	 * would not read what it has not read yet.
	 */
	(void) shutdown(conn->fd, SHUT_WR);
	while (persist_recv(conn, RESTORE_MS, &in, NULL) == 1)
		persist_free_data(conn, &in);
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
	while ((request = registrar_next_request(registrar)))
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
