/*
 * evlog.c - the events that clients may still ask for (see evlog.h).
 *
 * An array whose begin moves up as events are dropped; it is moved down when
 * its end has no room and half of it is free.
 */
#include "src/gateway/evlog.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"

extern void gw_evlog_init(gw_evlog_t *evlog, uint64_t next)
{
	*evlog = (gw_evlog_t) { .first = next, .next = next };
}

static void _free_event(gw_event_t *event)
{
	gw_event_free(event);
	free(event);
}

extern void gw_evlog_free(gw_evlog_t *evlog)
{
	for (size_t i = evlog->begin; i < evlog->end; i++)
		_free_event(evlog->slots[i]);
	free(evlog->slots);
	*evlog = (gw_evlog_t) { 0 };
}

extern void gw_evlog_number(gw_evlog_t *evlog, gw_event_t *event)
{
	event->seq = evlog->next++;
}

static void _make_room(gw_evlog_t *evlog)
{
	size_t count = evlog->end - evlog->begin;

	if (evlog->end < evlog->size)
		return;
	if (evlog->begin > evlog->size / 2) {
		memmove(evlog->slots, evlog->slots + evlog->begin,
			count * sizeof(*evlog->slots));
		evlog->begin = 0;
		evlog->end = count;
		return;
	}
	evlog->size = 2 * evlog->size + 256;
	evlog->slots = fed_realloc(evlog->slots, evlog->size *
				   sizeof(*evlog->slots));
}

extern void gw_evlog_add(gw_evlog_t *evlog, gw_event_t *event)
{
	gw_event_t *kept = fed_memdup(event, sizeof(*event));

	/* who reads it wants neither the spec nor the indexes */
	kept->brief = kept->body = NULL;
	kept->node_list = NULL;
	kept->node_count = 0;
	event->nodes = event->reason = event->detail = NULL;
	if (evlog->begin == evlog->end)
		evlog->first = kept->seq;
	_make_room(evlog);
	evlog->slots[evlog->end++] = kept;
	if (kept->seq >= evlog->next)
		evlog->next = kept->seq + 1;
}

extern const gw_event_t *gw_evlog_get(const gw_evlog_t *evlog, uint64_t seq)
{
	if ((seq < evlog->first) ||
	    (seq - evlog->first >= evlog->end - evlog->begin))
		return NULL;
	return evlog->slots[evlog->begin + (seq - evlog->first)];
}

extern void gw_evlog_drop(gw_evlog_t *evlog, uint64_t seq)
{
	while ((evlog->begin < evlog->end) && (evlog->first <= seq)) {
		_free_event(evlog->slots[evlog->begin++]);
		evlog->first++;
	}
}

extern int gw_evlog_has_after(const gw_evlog_t *evlog, uint64_t seq)
{
	uint64_t first = evlog->begin < evlog->end ? evlog->first :
		evlog->next;

	return ((seq + 1 >= first) && (seq < evlog->next)) ? 0 : -1;
}

extern size_t gw_evlog_count(const gw_evlog_t *evlog)
{
	return evlog->end - evlog->begin;
}
