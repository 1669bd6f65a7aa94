/*
 * peers.h - the native members of the federation and our links to them.
 *
 * Changed by the engine's thread alone; the flags may be read by any thread.
 */
#ifndef FED_SIBLING_PEERS_H
#define FED_SIBLING_PEERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/sibling/federation.h"

typedef struct peers peers_t;

/*
 * What the links tell, in their threads. Sessions are counted per peer, from
 * 1, and a peer keeps its name while it is a member.
 */
typedef struct {
	void (*up)(void *arg, const char *peer, uint32_t session,
		   uint16_t version);
	void (*down)(void *arg, const char *peer, uint32_t session);
	void (*answered)(void *arg, const char *peer, uint64_t token,
			 uint32_t rc);
} peers_ops_t;

typedef struct {
	bool member;		/* there is such a peer */
	bool send;		/* our link to it is up */
	bool recv;		/* it has a connection to us */
	bool synced;		/* we have its JOB_SYNC, since we connected */
	time_t listed;		/* when it made that, by its clock */
} peer_flags_t;

/* Strings and arg must outlive the peers. */
extern peers_t *peers_create(const char *cluster, uint16_t port,
			     int timeout_ms, const peers_ops_t *ops,
			     void *arg);

/* End all links. RET when no callback runs or will run any more */
extern void peers_destroy(peers_t *peers);

/*
 * Follow the members: start, move and end links.
 * IN fed - none of it is kept
 */
extern void peers_apply(peers_t *peers, const federation_t *fed);

/* Join links that have ended. Cheap; to be called now and then. */
extern void peers_reap(peers_t *peers);

/*
 * To be called about once a second. Who is named again is connected to anew.
 * OUT ret_name - a peer that takes our connection but has not come to us for
 *	some seconds; the next time it is named later, and later again. For
 *	xfree(), or NULL
 */
extern void peers_find_half_open(peers_t *peers, char **ret_name);

/*
 * To be called about once a second. A native sends its JOB_SYNC once for each
 * of our sessions and may lose it (fed_mgr.c, _agent_thread()): without it we
 * say nothing to that native. So after some seconds the session is begun anew,
 * the next time after twice as long.
 */
extern void peers_reset_unsynced(peers_t *peers);

/* Queue a message in a session (see link_send()). RET false if dropped */
extern bool peers_send(peers_t *peers, const char *peer, uint32_t session,
		       bool single, buf_t *buf, uint64_t token);

/* Any thread. */
extern peer_flags_t peers_flags(peers_t *peers, const char *peer);
extern void peers_set_synced(peers_t *peers, const char *peer, time_t listed);

/*
 * A connection from the peer came or went.
 * IN number - of the connection: the end of an older one says nothing
 */
extern void peers_inbound(peers_t *peers, const char *peer, uint64_t number,
			  bool up);

/*
 * What it says may have been lost: begin anew, so that both sides tell each
 * other all.
 */
extern void peers_reset(peers_t *peers, const char *peer);

/*
 * A peer connects from there while our link to it is not up.
 * IN local - that is where we are
 * RET true if the link may be expected to follow: nothing is between us or it
 *	was there before, and it did not let a connection wait in vain since it
 *	was up (peers_link_lags())
 */
extern bool peers_link_follows(peers_t *peers, const char *peer,
			       const char *host, bool local);
extern void peers_link_lags(peers_t *peers, const char *peer);

/* It showed itself, from there: try its link now. */
extern void peers_hint(peers_t *peers, const char *peer, const char *host,
		       uint16_t port);

/* RET array of objects, a new reference */
extern json_t *peers_status(peers_t *peers);

#endif
