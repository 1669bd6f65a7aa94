/*
 * session.h - links that are up, as the engine knows it.
 */
#ifndef FED_SIBLING_SESSION_H
#define FED_SIBLING_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct session {
	struct session *next;
	char *peer;
	uint32_t number;	/* counted by its link */
	uint16_t version;	/* to pack messages with */
	int64_t came_ms;	/* when the peer had connected to us; or 0 */
	bool listed;		/* our JOB_SYNC is said */
} session_t;

/* RET the new session, which replaces an older one of the same peer */
extern session_t *session_begin(session_t **list, const char *peer,
				uint32_t number, uint16_t version);

/* A session that was replaced since then is left alone. */
extern void session_end(session_t **list, const char *peer, uint32_t number);
extern session_t *session_find(session_t *list, const char *peer);
extern void session_clear(session_t **list);

#endif
