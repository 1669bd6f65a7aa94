/*
 * session.c - links that are up, as the engine knows it (see session.h).
 */
#include "src/sibling/compat.h"
#include "src/sibling/session.h"

static void _remove(session_t **at)
{
	session_t *session = *at;

	*at = session->next;
	xfree(session->peer);
	xfree(session);
}

extern void session_end(session_t **list, const char *peer, uint32_t number)
{
	session_t **at = list;

	while (*at) {
		if (!xstrcmp((*at)->peer, peer) && ((*at)->number <= number))
			_remove(at);
		else
			at = &(*at)->next;
	}
}

extern session_t *session_begin(session_t **list, const char *peer,
				uint32_t number, uint16_t version)
{
	session_t *session = xmalloc(sizeof(*session));

	session_end(list, peer, UINT32_MAX);
	session->peer = xstrdup(peer);
	session->number = number;
	session->version = version;
	session->next = *list;
	*list = session;
	return session;
}

extern session_t *session_find(session_t *list, const char *peer)
{
	while (list && xstrcmp(list->peer, peer))
		list = list->next;
	return list;
}

extern void session_clear(session_t **list)
{
	while (*list)
		_remove(list);
}
