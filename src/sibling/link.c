/*
 * link.c - our connection to one native member (see link.h).
 *
 * Rules that come from slurmctld/fed_mgr.c:
 *  - A refused PERSIST_INIT costs a native a descriptor (it forgets to close
 *    it), so refusals back off longer than failures to connect.
 *  - When a session ends the native clears both directions, a second late in
 *    its own thread (_persist_callback_fini), and would clear a new one too:
 *    there is a pause before the next try. One that connects to us meanwhile
 *    has done that, or is a new process, which must hear soon what runs here.
 *  - A MULT message is answered by one RC for each item, in order; an item
 *    with rc != 0 was not taken and is sent again, before what came after it.
 */
#include "src/sibling/link.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/sibling/net.h"
#include "src/sibling/persist.h"
#include "src/sibling/thread.h"

#define PAUSE_MS 1500		/* after a session, see above */
#define RETRY_MIN_MS 100	/* one that starts connects before it listens */
#define RETRY_FAILED_MAX_MS 8000
#define RETRY_REFUSED_MIN_MS 2000
#define RETRY_REFUSED_MAX_MS 60000
#define ITEM_RETRY_MS 1000	/* after an item that was not taken */
#define ITEMS_MAX 256		/* in one MULT message */
#define QUEUE_MAX 1000000	/* items; far beyond what jobs can need */

typedef struct item {
	struct item *next;
	bool single;
	buf_t *buf;
	uint64_t token;
} item_t;

struct link {
	link_conf_t conf;
	pthread_t thread;
	int stop_fd;		/* eventfd: stop */
	int wake_fd;		/* eventfd: look at the fields below */
	bool ended;		/* the thread is about to return */

	pthread_mutex_t lock;	/* all below */
	char *peer;		/* name, never changes */
	char *host;
	uint16_t port;
	uint16_t rpc_version;
	char *at_host;		/* where it is connected or tries to, or NULL */
	uint16_t at_port;
	bool moved;		/* the member is elsewhere: reconnect */
	bool kicked;
	bool reset;		/* the session is to end */
	item_t *head, **tail;
	link_status_t status;
	char last_host[NET_HOST_SIZE]; /* of the last session */

	/* the thread's own */
	persist_t conn;
	int retry_ms;
	fed_log_throttle_t complaint;
};

extern const char *link_state_name(link_state_t state)
{
	static const char *const names[] = {
		[LINK_IDLE] = "idle",
		[LINK_WAITING] = "waiting",
		[LINK_CONNECTING] = "connecting",
		[LINK_UP] = "up",
	};

	return names[state];
}

static void _free_item(item_t *item)
{
	free_buf(item->buf);
	xfree(item);
}

/* LOCKED. Drop all that waits. */
static void _clear_queue(link_t *link)
{
	item_t *item;

	while ((item = link->head)) {
		link->head = item->next;
		_free_item(item);
	}
	link->tail = &link->head;
	link->status.queued = 0;
}

static void _set_state(link_t *link, link_state_t state, const char *error)
{
	pthread_mutex_lock(&link->lock);
	/* tries that come and go while it is down are no news */
	if ((link->status.state == LINK_UP) != (state == LINK_UP))
		link->status.since = time(NULL);
	link->status.state = state;
	if (error)
		snprintf(link->status.error, sizeof(link->status.error), "%s",
			 error);
	pthread_mutex_unlock(&link->lock);
}

static void _wake(int fd)
{
	uint64_t one = 1;

	(void) !write(fd, &one, sizeof(one));
}

static void _unwake(int fd)
{
	uint64_t count;

	(void) !read(fd, &count, sizeof(count));
}

/*
 * Wait for a wake-up, a stop, or (conn_fd >= 0) the peer's end.
 * RET false if stopped
 */
static bool _wait(link_t *link, int conn_fd, int timeout_ms, bool *ret_conn)
{
	struct pollfd pfd[3] = {
		{ .fd = link->stop_fd, .events = POLLIN },
		{ .fd = link->wake_fd, .events = POLLIN },
		{ .fd = conn_fd, .events = POLLIN },
	};

	(void) poll(pfd, (conn_fd >= 0) ? 3 : 2, timeout_ms);
	if (pfd[0].revents)
		return false;
	if (pfd[1].revents)
		_unwake(link->wake_fd);
	if (ret_conn)
		*ret_conn = (conn_fd >= 0) && pfd[2].revents;
	return true;
}

/* Wait until there is an address to try. RET false if stopped */
static bool _wait_address(link_t *link, char **ret_host, uint16_t *ret_port,
			  uint16_t *ret_version)
{
	while (1) {
		pthread_mutex_lock(&link->lock);
		link->moved = link->kicked = false;
		xfree(link->at_host);
		if (link->host[0] && link->port) {
			*ret_host = xstrdup(link->host);
			*ret_port = link->port;
			link->at_host = xstrdup(link->host);
			link->at_port = link->port;
			*ret_version = link->rpc_version;
			pthread_mutex_unlock(&link->lock);
			return true;
		}
		pthread_mutex_unlock(&link->lock);
		_set_state(link, LINK_IDLE, NULL);
		if (!_wait(link, -1, -1, NULL))
			return false;
	}
}

/* RET true if the peer showed itself, or is in slurmdbd again */
static bool _is_kicked(link_t *link)
{
	bool kicked;

	pthread_mutex_lock(&link->lock);
	kicked = link->kicked;
	pthread_mutex_unlock(&link->lock);
	return kicked;
}

/* Wait all of the time, whatever else changes. RET false if stopped */
static bool _pause(link_t *link, int ms)
{
	int64_t until = net_now_ms() + ms, left;

	while (((left = until - net_now_ms()) > 0) && !_is_kicked(link)) {
		if (!_wait(link, -1, left, NULL))
			return false;
	}
	return true;
}

/* Wait out the back-off, unless something changes. RET false if stopped */
static bool _back_off(link_t *link)
{
	int64_t until = net_now_ms() + link->retry_ms, left;
	bool go;

	while (1) {
		pthread_mutex_lock(&link->lock);
		go = link->moved || link->kicked;
		link->kicked = false;
		pthread_mutex_unlock(&link->lock);
		if (go)
			link->retry_ms = 0;
		left = until - net_now_ms();
		if (go || (left <= 0))
			return true;
		if (!_wait(link, -1, left, NULL))
			return false;
	}
}

static void _open_failed(link_t *link, const fed_err_t *err)
{
	int min = RETRY_MIN_MS, max = RETRY_FAILED_MAX_MS;

	if (link->conn.refused) {
		min = RETRY_REFUSED_MIN_MS;
		max = RETRY_REFUSED_MAX_MS;
	}
	link->retry_ms = link->retry_ms ? link->retry_ms * 2 : min;
	if (link->retry_ms > max)
		link->retry_ms = max;
	if (link->retry_ms < min)
		link->retry_ms = min;
	_set_state(link, LINK_WAITING, err->text);
	if (err->code != ECANCELED)
		fed_log_throttled(&link->complaint, FED_LOG_INFO,
				  "cluster %s: link to %s: %s",
				  link->conf.cluster, link->peer, err->text);
}

/* RET true if a session began */
static bool _open(link_t *link, const char *host, uint16_t port,
		  uint16_t rpc_version)
{
	fed_err_t err = { 0 };

	if (!rpc_version || (rpc_version > COMPAT_VERSION_OWN))
		rpc_version = COMPAT_VERSION_OWN;
	if (rpc_version < COMPAT_VERSION_MIN) {
		link->conn.refused = true;
		fed_err_set(&err, EPROTO,
			    "its protocol 0x%x is older than any that we speak (0x%x)",
			    rpc_version, COMPAT_VERSION_MIN);
		_open_failed(link, &err);
		return false;
	}
	_set_state(link, LINK_CONNECTING, NULL);
	link->conf.ops->trying(link->conf.arg);
	if (persist_open(&link->conn, host, port, PERSIST_TYPE_FED,
			 link->conf.cluster, link->conf.port, rpc_version,
			 &err)) {
		_open_failed(link, &err);
		return false;
	}
	/*
	 * A member packs what it queues for us at the version that we have in
	 * slurmdbd, and 22.05 unpacks what it gets at its own: the lower of
	 * both is what either can read.
	 */
	if (link->conn.version > rpc_version)
		link->conn.version = rpc_version;
	link->retry_ms = 0;
	memset(&link->complaint, 0, sizeof(link->complaint));
	return true;
}

/* Answer count items from the head: done, or (rc != 0) left where it is. */
static void _answer(link_t *link, const uint32_t *rcs, int count, bool *again)
{
	item_t **at, *item;

	*again = false;
	pthread_mutex_lock(&link->lock);
	at = &link->head;
	for (int i = 0; (i < count) && (item = *at); i++) {
		if (rcs[i]) {
			*again = true;
			at = &item->next;
			continue;
		}
		if (!(*at = item->next))
			link->tail = at;
		link->status.queued--;
		link->status.sent++;
		pthread_mutex_unlock(&link->lock);
		if (item->token)
			link->conf.ops->answered(link->conf.arg, item->token,
						 0);
		_free_item(item);
		pthread_mutex_lock(&link->lock);
	}
	pthread_mutex_unlock(&link->lock);
}

static int _bad_answer(const persist_in_t *in, fed_err_t *err)
{
	return fed_err_set(err, EPROTO, "unexpected answer %s",
			   rpc_num2string(in->type));
}

/* RET rc of one item of a RESPONSE_CTLD_MULT_MSG */
static uint32_t _item_rc(link_t *link, buf_t *buf)
{
	persist_in_t in = { 0 };
	uint32_t rc = SLURM_ERROR;

	if (!persist_unpack_item(buf, link->conn.version, &in, NULL)) {
		if (in.type == RESPONSE_SLURM_RC)
			rc = ((return_code_msg_t *) in.data)->return_code;
		(void) slurm_free_msg_data(in.type, in.data);
	}
	return rc;
}

static int _take_mult_answer(link_t *link, persist_in_t *in, int count,
			     bool *again, fed_err_t *err)
{
	ctld_list_msg_t *list = in->data;
	uint32_t rcs[ITEMS_MAX];
	buf_t *buf;
	int got = 0;

	if (in->type != RESPONSE_CTLD_MULT_MSG)
		return _bad_answer(in, err);
	while (list && list->my_list && (got < count) &&
	       (buf = list_pop(list->my_list))) {
		rcs[got++] = _item_rc(link, buf);
		free_buf(buf);
	}
	if (got < count)
		return fed_err_set(err, EPROTO, "%d answers to %d items", got,
				   count);
	_answer(link, rcs, count, again);
	return 0;
}

/* Send the head of the queue as far as one MULT message can hold it. */
static int _send_mult(link_t *link, bool *again, fed_err_t *err)
{
	ctld_list_msg_t list = { .my_list = list_create(NULL) };
	persist_in_t in = { 0 };
	int count = 0, rc;

	/* the items stay in the queue; only this thread takes any off */
	pthread_mutex_lock(&link->lock);
	for (item_t *item = link->head;
	     item && !item->single && (count < ITEMS_MAX);
	     item = item->next) {
		list_append(list.my_list, item->buf);
		count++;
	}
	pthread_mutex_unlock(&link->lock);
	rc = persist_ask(&link->conn, REQUEST_CTLD_MULT_MSG, &list, &in, err);
	FREE_NULL_LIST(list.my_list);
	if (rc)
		return -1;
	rc = _take_mult_answer(link, &in, count, again, err);
	persist_free_data(&link->conn, &in);
	return rc;
}

/* A lock that is not granted is an answer too: the engine asks again. */
static int _send_single(link_t *link, fed_err_t *err)
{
	persist_in_t in = { 0 };
	uint32_t rc;
	item_t *item;

	pthread_mutex_lock(&link->lock);
	item = link->head;
	pthread_mutex_unlock(&link->lock);
	if (persist_ask_packed(&link->conn, item->buf, &in, err))
		return -1;
	if (in.type != RESPONSE_SLURM_RC) {
		_bad_answer(&in, err);
		persist_free_data(&link->conn, &in);
		return -1;
	}
	rc = ((return_code_msg_t *) in.data)->return_code;
	persist_free_data(&link->conn, &in);

	pthread_mutex_lock(&link->lock);
	if (!(link->head = item->next))
		link->tail = &link->head;
	link->status.queued--;
	link->status.sent++;
	pthread_mutex_unlock(&link->lock);
	if (item->token)
		link->conf.ops->answered(link->conf.arg, item->token, rc);
	_free_item(item);
	return 0;
}

/* RET 1 something waits, 0 nothing, -1 the session must end with err */
static int _look(link_t *link, bool *ret_single, fed_err_t *err)
{
	int rc;

	pthread_mutex_lock(&link->lock);
	if (link->moved) {
		rc = fed_err_set(err, ESTALE, "%s moved to %s:%u", link->peer,
				 link->host, link->port);
	} else if (link->reset) {
		rc = fed_err_set(err, ESTALE, "its connection to us ended");
	} else {
		rc = link->head ? 1 : 0;
		*ret_single = link->head && link->head->single;
	}
	pthread_mutex_unlock(&link->lock);
	return rc;
}

/* Send and wait until the session ends. RET false if stopped */
static bool _run_session(link_t *link, fed_err_t *err)
{
	bool single = false, again, conn_event;
	int rc;

	while ((rc = _look(link, &single, err)) >= 0) {
		if (rc == 0) {
			if (!_wait(link, link->conn.fd, -1, &conn_event))
				return false;
			if (conn_event) {
				/* it says nothing unasked: this is its end */
				fed_err_set(err, EPIPE, "closed by %s",
					    link->peer);
				return true;
			}
			continue;
		}
		again = false;
		if (single)
			rc = _send_single(link, err);
		else
			rc = _send_mult(link, &again, err);
		if (rc)
			return err->code != ECANCELED;
		if (again && !_pause(link, ITEM_RETRY_MS))
			return false;
	}
	return true;
}

static uint32_t _begin_session(link_t *link)
{
	uint32_t session;

	pthread_mutex_lock(&link->lock);
	_clear_queue(link);
	session = ++link->status.session;
	link->reset = false;
	net_peer_host(link->conn.fd, link->last_host);
	link->status.version = link->conn.version;
	link->status.state = LINK_UP;
	link->status.since = time(NULL);
	link->status.error[0] = 0;
	pthread_mutex_unlock(&link->lock);
	fed_info("cluster %s: link to %s is up (protocol 0x%x)",
		 link->conf.cluster, link->peer, link->conn.version);
	link->conf.ops->up(link->conf.arg, session, link->conn.version);
	return session;
}

static void _end_session(link_t *link, uint32_t session, const fed_err_t *err)
{
	persist_close(&link->conn);
	pthread_mutex_lock(&link->lock);
	_clear_queue(link);
	pthread_mutex_unlock(&link->lock);
	_set_state(link, LINK_WAITING, err->text);
	if (err->code != ECANCELED)
		fed_info("cluster %s: link to %s is down: %s",
			 link->conf.cluster, link->peer, err->text);
	link->conf.ops->down(link->conf.arg, session, err);
}

static void *_run(void *arg)
{
	link_t *link = arg;
	uint16_t port, version;
	uint32_t session;
	char *host = NULL;
	bool go_on = true;

	while (go_on && _wait_address(link, &host, &port, &version)) {
		fed_err_t err = { .code = ECANCELED };

		if (_open(link, host, port, version)) {
			session = _begin_session(link);
			go_on = _run_session(link, &err);
			_end_session(link, session, &err);
			if (go_on)
				go_on = _pause(link, PAUSE_MS);
		} else {
			go_on = _back_off(link);
		}
		xfree(host);
	}
	__atomic_store_n(&link->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

static void _set_address(link_t *link, const fed_member_t *member)
{
	xfree(link->host);
	link->host = xstrdup(member->host);
	link->port = member->port;
	link->rpc_version = member->rpc_version;
}

static void _free_link(link_t *link)
{
	_clear_queue(link);
	if (link->stop_fd >= 0)
		close(link->stop_fd);
	if (link->wake_fd >= 0)
		close(link->wake_fd);
	pthread_mutex_destroy(&link->lock);
	xfree(link->peer);
	xfree(link->host);
	xfree(link->at_host);
	xfree(link);
}

extern link_t *link_create(const link_conf_t *conf, const fed_member_t *member,
			   fed_err_t *err)
{
	link_t *link = xmalloc(sizeof(*link));
	char name[16];
	int rc;

	link->conf = *conf;
	link->tail = &link->head;
	link->status.since = time(NULL);
	pthread_mutex_init(&link->lock, NULL);
	link->peer = xstrdup(member->name);
	_set_address(link, member);
	link->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	link->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	link->conn.fd = -1;
	link->conn.stop_fd = link->stop_fd;
	link->conn.timeout_ms = conf->timeout_ms;
	snprintf(name, sizeof(name), "fl-%s", member->name);
	if ((link->stop_fd < 0) || (link->wake_fd < 0))
		rc = errno;
	else
		rc = thread_start(&link->thread, name, _run, link);
	if (rc) {
		fed_err_set(err, rc, "start a link to %s: %s", member->name,
			    strerror(rc));
		_free_link(link);
		return NULL;
	}
	return link;
}

extern void link_stop(link_t *link)
{
	_wake(link->stop_fd);
}

extern bool link_reap(link_t *link, bool wait)
{
	if (!wait && !__atomic_load_n(&link->ended, __ATOMIC_ACQUIRE))
		return false;
	pthread_join(link->thread, NULL);
	_free_link(link);
	return true;
}

extern void link_set_member(link_t *link, const fed_member_t *member)
{
	bool was_up;

	pthread_mutex_lock(&link->lock);
	was_up = link->host[0] && link->port;
	/*
	 * A member that is no longer registered may still be there (slurmdbd
	 * lost it): the session lives as long as its connection does.
	 */
	if (federation_member_is_up(member)) {
		link->moved = link->at_host &&
			      (xstrcmp(link->at_host, member->host) ||
			       (link->at_port != member->port));
		if (!was_up)
			link->kicked = true;
	}
	_set_address(link, member);
	pthread_mutex_unlock(&link->lock);
	_wake(link->wake_fd);
}

extern void link_hint(link_t *link, const char *host, uint16_t port)
{
	pthread_mutex_lock(&link->lock);
	if (!link->host[0] || !link->port) {
		xfree(link->host);
		link->host = xstrdup(host);
		link->port = port;
	}
	link->kicked = true;
	pthread_mutex_unlock(&link->lock);
	_wake(link->wake_fd);
}

extern bool link_was_at(link_t *link, const char *host)
{
	bool was;

	pthread_mutex_lock(&link->lock);
	was = host[0] && !xstrcmp(link->last_host, host);
	pthread_mutex_unlock(&link->lock);
	return was;
}

extern void link_reset(link_t *link)
{
	pthread_mutex_lock(&link->lock);
	link->reset = (link->status.state == LINK_UP);
	pthread_mutex_unlock(&link->lock);
	_wake(link->wake_fd);
}

extern bool link_send(link_t *link, uint32_t session, bool single, buf_t *buf,
		      uint64_t token)
{
	item_t *item = xmalloc(sizeof(*item));
	bool taken = false;

	item->single = single;
	item->buf = buf;
	item->token = token;
	pthread_mutex_lock(&link->lock);
	if ((session == link->status.session) &&
	    (link->status.state == LINK_UP) &&
	    (link->status.queued < QUEUE_MAX)) {
		*link->tail = item;
		link->tail = &item->next;
		link->status.queued++;
		taken = true;
	}
	pthread_mutex_unlock(&link->lock);
	if (taken)
		_wake(link->wake_fd);
	else
		_free_item(item);
	return taken;
}

extern void link_get_status(link_t *link, link_status_t *ret)
{
	pthread_mutex_lock(&link->lock);
	*ret = link->status;
	pthread_mutex_unlock(&link->lock);
}
