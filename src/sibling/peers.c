/*
 * peers.c - the native members and our links to them (see peers.h).
 *
 * LOCKING: peers->lock guards the list and each peer's flags. No link
 * function that waits is called with it held; a link's own lock is taken
 * inside it, never the other way round (callbacks run without either).
 */
#include "src/sibling/peers.h"

#include <pthread.h>
#include <time.h>

#include "src/core/log.h"
#include "src/sibling/link.h"
#include "src/sibling/net.h"

/* a native comes within a second of our link; when to say that it did not */
#define ALONE_MIN_S 3
#define ALONE_MAX_S 60
/* its JOB_SYNC comes as soon; when to begin anew if it did not */
#define UNSYNCED_MIN_S 8
#define UNSYNCED_MAX_S 300

/* What should end by itself */
typedef struct {
	time_t since;		/* 0: it is not so now */
	int after_s;		/* so long of it are too long; 0: as at first */
} overdue_t;

typedef struct peer {
	struct peer *next;
	peers_t *peers;
	char *name;
	link_t *link;
	uint64_t inbound;	/* number of its connection to us, or 0 */
	bool synced;
	time_t listed;		/* see peer_flags_t */
	bool lags;		/* the link, since it was up */
	overdue_t alone;	/* our link is up, its own is not */
	overdue_t unsynced;	/* it has both ways, we not its JOB_SYNC */
} peer_t;

struct peers {
	const char *cluster;
	uint16_t port;
	int timeout_ms;
	const peers_ops_t *ops;
	void *arg;
	pthread_mutex_t lock;
	peer_t *list;
	peer_t *leaving;	/* links told to end; engine's thread only */
};

static void _trying(void *arg)
{
	peer_t *peer = arg;

	pthread_mutex_lock(&peer->peers->lock);
	peer->synced = false;
	pthread_mutex_unlock(&peer->peers->lock);
}

static void _up(void *arg, uint32_t session, uint16_t version)
{
	peer_t *peer = arg;

	pthread_mutex_lock(&peer->peers->lock);
	peer->lags = false;
	pthread_mutex_unlock(&peer->peers->lock);
	peer->peers->ops->up(peer->peers->arg, peer->name, session, version);
}

static void _down(void *arg, uint32_t session, const fed_err_t *err)
{
	peer_t *peer = arg;

	_trying(peer);
	peer->peers->ops->down(peer->peers->arg, peer->name, session);
}

static void _answered(void *arg, uint64_t token, uint32_t rc)
{
	peer_t *peer = arg;

	peer->peers->ops->answered(peer->peers->arg, peer->name, token, rc);
}

static const link_ops_t link_ops = {
	.trying = _trying,
	.up = _up,
	.down = _down,
	.answered = _answered,
};

extern peers_t *peers_create(const char *cluster, uint16_t port,
			     int timeout_ms, const peers_ops_t *ops,
			     void *arg)
{
	peers_t *peers = xmalloc(sizeof(*peers));

	peers->cluster = cluster;
	peers->port = port;
	peers->timeout_ms = timeout_ms;
	peers->ops = ops;
	peers->arg = arg;
	pthread_mutex_init(&peers->lock, NULL);
	return peers;
}

static void _free_peer(peer_t *peer)
{
	xfree(peer->name);
	xfree(peer);
}

static void _reap(peers_t *peers, bool wait)
{
	peer_t **at = &peers->leaving, *peer;

	while ((peer = *at)) {
		if (link_reap(peer->link, wait)) {
			*at = peer->next;
			_free_peer(peer);
		} else {
			at = &peer->next;
		}
	}
}

extern void peers_reap(peers_t *peers)
{
	_reap(peers, false);
}

/* RET true if what should have ended by itself has not, later each time */
static bool _is_overdue(overdue_t *what, int min_s, int max_s, time_t now)
{
	if (!what->after_s)
		what->after_s = min_s;
	if (!what->since)
		what->since = now;
	if (now - what->since < what->after_s)
		return false;
	what->since = now;
	what->after_s = MIN(what->after_s * 2, max_s);
	return true;
}

/* LOCKED. RET true if it has been alone for so long that it is to be named */
static bool _is_alone(peer_t *peer, time_t now)
{
	link_status_t status;

	link_get_status(peer->link, &status);
	if (peer->inbound)
		peer->alone.after_s = 0;
	if (peer->inbound || (status.state != LINK_UP)) {
		peer->alone.since = 0;
		return false;
	}
	return _is_overdue(&peer->alone, ALONE_MIN_S, ALONE_MAX_S, now);
}

/* Seconds; 0 stands for "not now" */
static time_t _now(void)
{
	return net_now_ms() / 1000 + 1;
}

extern void peers_find_half_open(peers_t *peers, char **ret_name)
{
	time_t now = _now();
	bool again;

	*ret_name = NULL;
	pthread_mutex_lock(&peers->lock);
	for (peer_t *peer = peers->list; peer && !*ret_name; peer = peer->next) {
		again = peer->alone.after_s > ALONE_MIN_S;
		if (!_is_alone(peer, now))
			continue;
		*ret_name = xstrdup(peer->name);
		/*
		 * It may take a connection to who was here before us for one
		 * to us, and would not notice before it has something to say.
		 * As our link ends it lets go of both.
		 */
		if (again)
			link_reset(peer->link);
	}
	pthread_mutex_unlock(&peers->lock);
}

/* LOCKED. RET true if its JOB_SYNC will not come any more; it may be slow */
static bool _is_unsynced(peer_t *peer, time_t now)
{
	link_status_t status;

	link_get_status(peer->link, &status);
	if (peer->synced)
		peer->unsynced.after_s = 0;
	if (peer->synced || !peer->inbound || (status.state != LINK_UP)) {
		peer->unsynced.since = 0;
		return false;
	}
	return _is_overdue(&peer->unsynced, UNSYNCED_MIN_S, UNSYNCED_MAX_S,
			   now);
}

extern void peers_reset_unsynced(peers_t *peers)
{
	time_t now = _now();

	pthread_mutex_lock(&peers->lock);
	for (peer_t *peer = peers->list; peer; peer = peer->next) {
		if (!_is_unsynced(peer, now))
			continue;
		fed_info("cluster %s: %s has not sent its list of jobs; we connect anew",
			 peers->cluster, peer->name);
		link_reset(peer->link);
	}
	pthread_mutex_unlock(&peers->lock);
}

/* Take a peer out of the list and tell its link to end. */
static void _leave(peers_t *peers, peer_t **at)
{
	peer_t *peer;

	pthread_mutex_lock(&peers->lock);
	peer = *at;
	*at = peer->next;
	pthread_mutex_unlock(&peers->lock);
	link_stop(peer->link);
	peer->next = peers->leaving;
	peers->leaving = peer;
}

extern void peers_destroy(peers_t *peers)
{
	if (!peers)
		return;
	while (peers->list)
		_leave(peers, &peers->list);
	_reap(peers, true);
	pthread_mutex_destroy(&peers->lock);
	xfree(peers);
}

static peer_t *_find(peers_t *peers, const char *name)
{
	peer_t *peer = peers->list;

	while (peer && xstrcmp(peer->name, name))
		peer = peer->next;
	return peer;
}

static void _join(peers_t *peers, const fed_member_t *member)
{
	peer_t *peer = xmalloc(sizeof(*peer));
	link_conf_t conf = {
		.cluster = peers->cluster,
		.port = peers->port,
		.timeout_ms = peers->timeout_ms,
		.ops = &link_ops,
		.arg = peer,
	};
	fed_err_t err;

	peer->peers = peers;
	peer->name = xstrdup(member->name);
	/*
	 * In the list before its link runs, so that whoever hears of the link
	 * finds the peer.
	 */
	pthread_mutex_lock(&peers->lock);
	if ((peer->link = link_create(&conf, member, &err))) {
		peer->next = peers->list;
		peers->list = peer;
	}
	pthread_mutex_unlock(&peers->lock);
	if (!peer->link) {
		fed_error("cluster %s: %s", peers->cluster, err.text);
		_free_peer(peer);
	}
}

extern void peers_apply(peers_t *peers, const federation_t *fed)
{
	peer_t **at = &peers->list, *peer;

	/* a peer whose link is still ending may come back: wait for its end */
	_reap(peers, true);
	while ((peer = *at)) {
		if (!fed->self || !federation_find(fed, peer->name)) {
			fed_info("cluster %s: %s is not with us in a federation any more",
				 peers->cluster, peer->name);
			_leave(peers, at);
		} else {
			at = &peer->next;
		}
	}
	for (int i = 0; fed->self && (i < fed->member_cnt); i++) {
		const fed_member_t *member = &fed->member[i];

		if (member == fed->self)
			continue;
		if ((peer = _find(peers, member->name)))
			link_set_member(peer->link, member);
		else
			_join(peers, member);
	}
}

extern bool peers_send(peers_t *peers, const char *name, uint32_t session,
		       bool single, buf_t *buf, uint64_t token)
{
	peer_t *peer = _find(peers, name);

	if (peer)
		return link_send(peer->link, session, single, buf, token);
	free_buf(buf);
	return false;
}

extern peer_flags_t peers_flags(peers_t *peers, const char *name)
{
	peer_flags_t flags = { 0 };
	link_status_t status;
	peer_t *peer;

	pthread_mutex_lock(&peers->lock);
	if ((peer = _find(peers, name))) {
		link_get_status(peer->link, &status);
		flags.member = true;
		flags.send = (status.state == LINK_UP);
		flags.recv = (peer->inbound != 0);
		flags.synced = peer->synced;
		flags.listed = peer->listed;
	}
	pthread_mutex_unlock(&peers->lock);
	return flags;
}

extern void peers_set_synced(peers_t *peers, const char *name, time_t listed)
{
	peer_t *peer;

	pthread_mutex_lock(&peers->lock);
	if ((peer = _find(peers, name))) {
		peer->synced = true;
		peer->listed = listed;
	}
	pthread_mutex_unlock(&peers->lock);
}

extern bool peers_link_follows(peers_t *peers, const char *name,
			       const char *host, bool local)
{
	bool follows;
	peer_t *peer;

	pthread_mutex_lock(&peers->lock);
	peer = _find(peers, name);
	follows = peer && !peer->lags &&
		  (local || link_was_at(peer->link, host));
	pthread_mutex_unlock(&peers->lock);
	return follows;
}

extern void peers_link_lags(peers_t *peers, const char *name)
{
	peer_t *peer;

	pthread_mutex_lock(&peers->lock);
	if ((peer = _find(peers, name)))
		peer->lags = true;
	pthread_mutex_unlock(&peers->lock);
}

extern void peers_inbound(peers_t *peers, const char *name, uint64_t number,
			  bool up)
{
	peer_t *peer;

	pthread_mutex_lock(&peers->lock);
	if ((peer = _find(peers, name)) &&
	    (up || (peer->inbound == number)))
		peer->inbound = up ? number : 0;
	pthread_mutex_unlock(&peers->lock);
}

extern void peers_hint(peers_t *peers, const char *name, const char *host,
		       uint16_t port)
{
	peer_t *peer;

	pthread_mutex_lock(&peers->lock);
	if ((peer = _find(peers, name)))
		link_hint(peer->link, host, port);
	pthread_mutex_unlock(&peers->lock);
}

extern void peers_reset(peers_t *peers, const char *name)
{
	peer_t *peer;

	pthread_mutex_lock(&peers->lock);
	if ((peer = _find(peers, name)))
		link_reset(peer->link);
	pthread_mutex_unlock(&peers->lock);
}

extern json_t *peers_status(peers_t *peers)
{
	json_t *list = json_array();

	pthread_mutex_lock(&peers->lock);
	for (peer_t *peer = peers->list; peer; peer = peer->next) {
		link_status_t status;

		link_get_status(peer->link, &status);
		json_array_append_new(list, json_pack(
			"{s:s, s:s, s:b, s:b, s:b, s:i, s:i, s:i, s:I, s:I, s:s}",
			"name", peer->name,
			"link", link_state_name(status.state),
			"send", status.state == LINK_UP,
			"recv", peer->inbound != 0,
			"synced", peer->synced,
			"protocol", status.version,
			"sessions", status.session,
			"queued", status.queued,
			"sent", (json_int_t) status.sent,
			"since", (json_int_t) status.since,
			"error", status.error));
	}
	pthread_mutex_unlock(&peers->lock);
	return list;
}
