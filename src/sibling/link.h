/*
 * link.h - our connection to one native member of the federation.
 *
 * A federation link is two one-way pipes; this is the one that we open and on
 * which we send. Its thread connects, keeps connecting with back-off, and
 * sends what the engine gives it in strict order, resending nothing by
 * itself: what was not answered when a session ended is the engine's to give
 * again in the next one, after the JOB_SYNC that has to come first.
 */
#ifndef FED_SIBLING_LINK_H
#define FED_SIBLING_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/sibling/federation.h"

typedef struct link link_t;

/* Called in the link's thread; may call link_send(), nothing else here. */
typedef struct {
	/* a try begins: what the peer has said until now was said before */
	void (*trying)(void *arg);
	/* connected: everything given for older sessions is gone */
	void (*up)(void *arg, uint32_t session, uint16_t version);
	/* the session ended; not called for one that never came up */
	void (*down)(void *arg, uint32_t session, const fed_err_t *err);
	/* the peer answered what was sent with this token */
	void (*answered)(void *arg, uint64_t token, uint32_t rc);
} link_ops_t;

typedef struct {
	const char *cluster;	/* ours */
	uint16_t port;		/* where the peer connects back to */
	int timeout_ms;		/* MessageTimeout */
	const link_ops_t *ops;
	void *arg;
} link_conf_t;

typedef enum {
	LINK_IDLE,		/* the member is not registered: wait */
	LINK_WAITING,		/* until the next try */
	LINK_CONNECTING,
	LINK_UP,
} link_state_t;

typedef struct {
	link_state_t state;
	uint16_t version;	/* of the session */
	uint32_t session;	/* sessions so far */
	uint32_t queued;	/* items not answered yet */
	uint64_t sent;		/* items answered, all sessions */
	int64_t since;		/* unix time when it came up or went down */
	char error[FED_ERR_TEXT_MAX]; /* of the last failure, or "" */
} link_status_t;

/* RET "idle", "waiting", "connecting", "up" */
extern const char *link_state_name(link_state_t state);

/*
 * Start a link.
 * IN conf - strings and arg must outlive the link
 * IN member - copied
 * RET the link, or NULL with err
 */
extern link_t *link_create(const link_conf_t *conf, const fed_member_t *member,
			   fed_err_t *err);

/* Tell it to end; returns at once. No callback begins after link_reap(). */
extern void link_stop(link_t *link);

/*
 * IN wait - false: only if its thread has ended already
 * RET true if the link is gone
 */
extern bool link_reap(link_t *link, bool wait);

/* The member moved or changed: a session to another address is given up. */
extern void link_set_member(link_t *link, const fed_member_t *member);

/*
 * The peer connected to us from there: try that address if none is known, as
 * a native does (fed_mgr.c, _open_controller_conn()).
 */
extern void link_hint(link_t *link, const char *host, uint16_t port);

/* RET true if the last session was with that host, whose name is numbers */
extern bool link_was_at(link_t *link, const char *host);

/* Give up the session, if there is one, and begin a new one. */
extern void link_reset(link_t *link);

/*
 * Queue a message. Items of one MULT message are answered in order.
 * IN session - as told by up(): dropped if it is over
 * IN single - REQUEST_SIB_JOB_LOCK and _UNLOCK, sent on their own; all else
 *	travels within a REQUEST_CTLD_MULT_MSG
 * IN buf - from persist_pack_item() with the session's version; taken over
 * IN token - for answered(); 0: nobody wants to know
 * RET false if it was dropped: the session is over or the queue is full
 */
extern bool link_send(link_t *link, uint32_t session, bool single, buf_t *buf,
		      uint64_t token);

extern void link_get_status(link_t *link, link_status_t *ret);

#endif
