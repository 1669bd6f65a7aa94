/*
 * inbound.c - persistent connections that others opened to us (inbound.h).
 */
#include "src/sibling/inbound.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "src/core/job_id.h"
#include "src/core/log.h"
#include "src/sibling/net.h"
#include "src/sibling/persist.h"
#include "src/sibling/thread.h"

#define CONNS_MAX (FED_ID_MAX + 8)
#define ITEMS_MAX 100000	/* in one MULT message */
#define PACE_MS 3		/* until an answer, when messages come fast */
#define PACED_MS 20		/* that is, this soon after the last answer */
#define LINK_WAIT_MS 300	/* for our own link, before a peer is refused */
#define LINK_FOLLOWS_MS 5000	/* for it, once a peer was let in before */

typedef struct conn {
	struct conn *next;
	inbound_t *inbound;
	pthread_t thread;
	char *peer;		/* NULL: slurmdbd's */
	uint64_t number;
	persist_t persist;
	int64_t link_until;	/* when our link must be there; 0: it was */
	int64_t answered;	/* the last MULT message, net_now_ms() */
	bool ended;		/* atomic: the thread is about to return */
} conn_t;

struct inbound {
	inbound_conf_t conf;
	int stop_fd;
	fed_log_texts_t complaints;
	uint64_t number;	/* atomic: connections so far */
	pthread_mutex_t lock;	/* all below */
	conn_t *list;
};

extern inbound_t *inbound_create(const inbound_conf_t *conf)
{
	inbound_t *inbound = xmalloc(sizeof(*inbound));

	inbound->conf = *conf;
	inbound->complaints = (fed_log_texts_t) FED_LOG_TEXTS_INIT;
	inbound->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&inbound->lock, NULL);
	return inbound;
}

static void _free_conn(conn_t *conn)
{
	persist_close(&conn->persist);
	xfree(conn->peer);
	xfree(conn);
}

/* LOCKED. Join what has ended. RET how many are left */
static int _reap(inbound_t *inbound)
{
	conn_t **at = &inbound->list, *conn;
	int left = 0;

	while ((conn = *at)) {
		if (__atomic_load_n(&conn->ended, __ATOMIC_ACQUIRE)) {
			*at = conn->next;
			pthread_join(conn->thread, NULL);
			_free_conn(conn);
		} else {
			at = &conn->next;
			left++;
		}
	}
	return left;
}

extern void inbound_destroy(inbound_t *inbound)
{
	uint64_t one = 1;
	conn_t *conn;

	if (!inbound)
		return;
	(void) !write(inbound->stop_fd, &one, sizeof(one));
	while ((conn = inbound->list)) {
		inbound->list = conn->next;
		pthread_join(conn->thread, NULL);
		_free_conn(conn);
	}
	close(inbound->stop_fd);
	pthread_mutex_destroy(&inbound->lock);
	xfree(inbound);
}

extern uint32_t inbound_count(inbound_t *inbound)
{
	uint32_t count;

	pthread_mutex_lock(&inbound->lock);
	count = _reap(inbound);
	pthread_mutex_unlock(&inbound->lock);
	return count;
}

static int _answer_rc(conn_t *conn, uint32_t rc, fed_err_t *err)
{
	return_code_msg_t msg = { .return_code = rc };

	return persist_send(&conn->persist, RESPONSE_SLURM_RC, &msg, err);
}

static void _free_buf(void *x)
{
	free_buf(x);
}

static int _answer_mult(conn_t *conn, const uint32_t *rcs, int count,
			fed_err_t *err)
{
	ctld_list_msg_t msg = { .my_list = list_create(_free_buf) };
	int rc;

	for (int i = 0; i < count; i++) {
		return_code_msg_t item = { .return_code = rcs[i] };

		list_append(msg.my_list,
			    persist_pack_item(RESPONSE_SLURM_RC, &item,
					      conn->persist.version));
	}
	rc = persist_send(&conn->persist, RESPONSE_CTLD_MULT_MSG, &msg, err);
	FREE_NULL_LIST(msg.my_list);
	return rc;
}

/*
 * What comes up at a native while it waits for our answer goes into its next
 * message (fed_mgr.c, _agent_thread()). When jobs come fast, answers within the
 * millisecond make a message of each of them, and its slurmctld takes fewer
 * jobs a second (doc/performance.md).
 * IN taken - when the message came
 */
static void _pace(conn_t *conn, int64_t taken)
{
	struct timespec rest = { 0 };
	int64_t left = taken + PACE_MS - net_now_ms();

	if ((taken - conn->answered < PACED_MS) && (left > 0)) {
		rest.tv_nsec = left * 1000000;
		nanosleep(&rest, NULL);
	}
	conn->answered = net_now_ms();
}

/*
 * An item that cannot be unpacked is answered "not taken": the peer sends it
 * again, which is noisy, but to say "taken" would lose it.
 */
static int _take_mult(conn_t *conn, ctld_list_msg_t *msg, fed_err_t *err)
{
	int count = (msg && msg->my_list) ? list_count(msg->my_list) : 0;
	int64_t taken = net_now_ms();
	persist_in_t *items;
	uint32_t *rcs, *good_rcs;
	int *index, good = 0, rc = -1;
	buf_t *buf;

	if (count > ITEMS_MAX)
		return fed_err_set(err, EMSGSIZE, "%d items in one message",
				   count);
	items = xcalloc(count + 1, sizeof(*items));
	rcs = xcalloc(count + 1, sizeof(*rcs));
	good_rcs = xcalloc(count + 1, sizeof(*good_rcs));
	index = xcalloc(count + 1, sizeof(*index));
	for (int i = 0; (i < count) && (buf = list_pop(msg->my_list)); i++) {
		rcs[i] = SLURM_ERROR;
		if (!persist_unpack_item(buf, conn->persist.version,
					 &items[good], err))
			index[good++] = i;
		else
			fed_error("cluster %s: from %s: %s",
				  conn->inbound->conf.cluster, conn->peer,
				  err->text);
		free_buf(buf);
	}
	if (!engine_take(conn->inbound->conf.engine, conn->peer, items, good,
			 good_rcs)) {
		for (int i = 0; i < good; i++)
			rcs[index[i]] = good_rcs[i];
		_pace(conn, taken);
		rc = _answer_mult(conn, rcs, count, err);
	} else {
		fed_err_set(err, ECANCELED, "stopped");
	}
	xfree(items);
	xfree(rcs);
	xfree(good_rcs);
	xfree(index);
	return rc;
}

static int _take_lock(conn_t *conn, const sib_msg_t *msg, bool unlock,
		      fed_err_t *err)
{
	return _answer_rc(conn, engine_lock(conn->inbound->conf.engine,
					    msg->job_id, unlock), err);
}

static int _take_sibling_msg(conn_t *conn, persist_in_t *in, fed_err_t *err)
{
	switch (in->type) {
	case REQUEST_CTLD_MULT_MSG:
		return _take_mult(conn, in->data, err);
	case REQUEST_SIB_JOB_LOCK:
		return _take_lock(conn, in->data, false, err);
	case REQUEST_SIB_JOB_UNLOCK:
		return _take_lock(conn, in->data, true, err);
	}
	fed_log_once(&conn->inbound->complaints, FED_LOG_ERROR,
		     "cluster %s: %s sent %s, which no sibling sends",
		     conn->inbound->conf.cluster, conn->peer,
		     rpc_num2string(in->type));
	return _answer_rc(conn, SLURM_ERROR, err);
}

/* slurmdbd waits for this answer with the world locked: it comes first. */
static int _take_dbd_msg(conn_t *conn, persist_in_t *in, fed_err_t *err)
{
	if (in->type != ACCOUNTING_UPDATE_MSG)
		return _answer_rc(conn, ESLURM_NOT_SUPPORTED, err);
	if (_answer_rc(conn, SLURM_SUCCESS, err))
		return -1;
	conn->inbound->conf.accounting(conn->inbound->conf.arg, in->data);
	return 0;
}

/*
 * Until our own link is there. RET 0 there is a message to read, -1 with err
 */
static int _wait_link(conn_t *conn, fed_err_t *err)
{
	peers_t *peers = engine_peers(conn->inbound->conf.engine);
	int rc;

	while (conn->link_until) {
		int64_t left = conn->link_until - net_now_ms();

		if (peers_flags(peers, conn->peer).send) {
			conn->link_until = 0;
		} else if (left <= 0) {
			peers_link_lags(peers, conn->peer);
			return fed_err_set(err, ETIMEDOUT,
					   "we cannot connect to it");
		} else if ((rc = net_wait_input(conn->persist.fd,
						conn->persist.stop_fd, left,
						err))) {
			return (rc < 0) ? -1 : 0;
		}
	}
	return 0;
}

static void *_run(void *arg)
{
	conn_t *conn = arg;
	const inbound_conf_t *conf = &conn->inbound->conf;
	const char *from = conn->peer ? conn->peer : "slurmdbd";
	fed_err_t err = { 0 };
	persist_in_t in = { 0 };
	int rc;

	while (!(rc = _wait_link(conn, &err)) &&
	       ((rc = persist_recv(&conn->persist, -1, &in, &err)) > 0)) {
		if (!conn->peer)
			rc = _take_dbd_msg(conn, &in, &err);
		else if (peers_flags(engine_peers(conf->engine),
				     conn->peer).member)
			rc = _take_sibling_msg(conn, &in, &err);
		else
			rc = fed_err_set(&err, EPERM,
					 "not a sibling any more");
		persist_free_data(&conn->persist, &in);
		if (rc)
			break;
	}
	if (rc && (err.code != ECANCELED))
		fed_info("cluster %s: connection from %s ends: %s",
			 conf->cluster, from, err.text);
	/* a peer must not take a connection that nobody reads for a good one */
	(void) shutdown(conn->persist.fd, SHUT_RDWR);
	if (conn->peer)
		peers_inbound(engine_peers(conf->engine), conn->peer,
			      conn->number, false);
	/*
	 * While a native cannot send it drops its revokes (fed_mgr.c,
	 * _persist_fed_job_revoke()), and only its JOB_SYNC makes up for
	 * that, which it sends when we connect.
	 */
	if (conn->peer && (err.code != ECANCELED))
		peers_reset(engine_peers(conf->engine), conn->peer);
	__atomic_store_n(&conn->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

/*
 * Once a native can send to us, it schedules nothing until it has our
 * JOB_SYNC, which travels on our own link to it. So if we may not be able to
 * connect to it, we take its connection only when that link is there: a native
 * that we drop does not notice before it has something to say. It comes back
 * by itself: what makes it try again is our link.
 *
 * One that we were connected to, or that is on this machine, is let in at once,
 * and our link follows: if it was killed it has forgotten what it did last, and
 * must not start anew what runs here.
 */
static bool _has_link(inbound_t *inbound, int fd,
		      const persist_init_req_msg_t *init, bool *ret_follows)
{
	const struct timespec step = { .tv_nsec = 20 * 1000000 };
	peers_t *peers = engine_peers(inbound->conf.engine);
	const char *peer = init->cluster_name;
	char host[NET_HOST_SIZE];

	if (peers_flags(peers, peer).send)
		return true;
	net_peer_host(fd, host);
	if (host[0])
		peers_hint(peers, peer, host, init->port);
	inbound->conf.look(inbound->conf.arg);
	if ((*ret_follows = peers_link_follows(peers, peer, host,
					       net_is_local(fd))))
		return true;
	for (int ms = 0; ms < LINK_WAIT_MS; ms += 20) {
		nanosleep(&step, NULL);
		if (peers_flags(peers, peer).send)
			return true;
	}
	return false;
}

/* RET NULL if it may come in, or why not; OUT ret_follows - as our link does */
static const char *_why_not(inbound_t *inbound, int fd,
			    const persist_init_req_msg_t *init,
			    bool *ret_follows)
{
	const char *name = init->cluster_name;
	peers_t *peers = engine_peers(inbound->conf.engine);

	if (init->version < COMPAT_VERSION_MIN)
		return "your Slurm is too old for us";
	if (init->persist_type == PERSIST_TYPE_ACCT_UPDATE)
		return NULL;
	if (init->persist_type != PERSIST_TYPE_FED)
		return "only siblings and slurmdbd connect here";
	if (!name || !xstrcmp(name, inbound->conf.cluster) ||
	    !peers_flags(peers, name).member)
		return "you are not a sibling of ours";
	if (!_has_link(inbound, fd, init, ret_follows))
		return "we cannot connect to you yet";
	return NULL;
}

/*
 * LOCKED. An older connection of the same peer is dead, whether it knows or
 * not. RET false if it is this one
 */
static bool _end_older(inbound_t *inbound, const conn_t *conn)
{
	for (conn_t *other = inbound->list; other; other = other->next) {
		if (xstrcmp(other->peer, conn->peer))
			continue;
		if (other->number > conn->number)
			return false;
		(void) shutdown(other->persist.fd, SHUT_RDWR);
	}
	return true;
}

static bool _start(inbound_t *inbound, conn_t *conn)
{
	char name[16];
	int left, rc = 0;

	snprintf(name, sizeof(name), "fs-%s",
		 conn->peer ? conn->peer : "slurmdbd");
	pthread_mutex_lock(&inbound->lock);
	left = _reap(inbound);
	if (!_end_older(inbound, conn)) {
		pthread_mutex_unlock(&inbound->lock);
		return false;
	}
	if (conn->peer)
		peers_inbound(engine_peers(inbound->conf.engine), conn->peer,
			      conn->number, true);
	if ((left < CONNS_MAX) &&
	    !(rc = thread_start(&conn->thread, name, _run, conn))) {
		conn->next = inbound->list;
		inbound->list = conn;
		pthread_mutex_unlock(&inbound->lock);
		if (conn->peer)
			engine_peer_came(inbound->conf.engine, conn->peer);
		return true;
	}
	pthread_mutex_unlock(&inbound->lock);
	if (conn->peer)
		peers_inbound(engine_peers(inbound->conf.engine), conn->peer,
			      conn->number, false);
	fed_error("cluster %s: no room for a connection from %s: %s",
		  inbound->conf.cluster, conn->peer ? conn->peer : "slurmdbd",
		  rc ? strerror(rc) : "too many");
	return false;
}

extern bool inbound_take(inbound_t *inbound, int fd,
			 const persist_init_req_msg_t *init)
{
	bool follows = false;
	const char *why = _why_not(inbound, fd, init, &follows);
	conn_t *conn = xmalloc(sizeof(*conn));
	fed_err_t err;

	conn->inbound = inbound;
	conn->persist.fd = fd;
	conn->persist.stop_fd = inbound->stop_fd;
	conn->persist.timeout_ms = inbound->conf.timeout_ms;
	/* before the peer has our answer, and may open another */
	conn->number = __atomic_add_fetch(&inbound->number, 1,
					  __ATOMIC_RELAXED);
	/* never 0 in the answer: a native would pack nothing any more */
	conn->persist.version = COMPAT_VERSION_OWN;
	if ((init->version >= COMPAT_VERSION_MIN) &&
	    (init->version < COMPAT_VERSION_OWN))
		conn->persist.version = init->version;
	if (follows)
		conn->link_until = net_now_ms() + LINK_FOLLOWS_MS;
	if (why)
		fed_log_once(&inbound->complaints, FED_LOG_INFO,
			     "cluster %s: connection from cluster %s refused: %s",
			     inbound->conf.cluster,
			     init->cluster_name ? init->cluster_name : "(none)",
			     why);
	else if (init->persist_type == PERSIST_TYPE_FED)
		conn->peer = xstrdup(init->cluster_name);
	if (persist_accept(&conn->persist, why ? SLURM_ERROR : SLURM_SUCCESS,
			   why, &err) || why || !_start(inbound, conn)) {
		conn->persist.fd = -1;	/* the caller closes it */
		_free_conn(conn);
		return false;
	}
	return true;
}
