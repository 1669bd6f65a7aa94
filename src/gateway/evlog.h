/*
 * evlog.h - the events that clients may still ask for, in order.
 *
 * Each has a cursor (seq), one more than that of the event before. They are
 * kept until a client says that they are safe with it, or until there are too
 * many: then the oldest go, and whoever asks for them is told that they are
 * gone and that he has to look at all jobs.
 */
#ifndef FED_GATEWAY_EVLOG_H
#define FED_GATEWAY_EVLOG_H

#include <stddef.h>
#include <stdint.h>

#include "src/gateway/event.h"

typedef struct {
	gw_event_t **slots;
	size_t begin;
	size_t end;
	size_t size;
	uint64_t first;		/* seq of the event at begin, if there is one */
	uint64_t next;		/* seq that the next event gets */
} gw_evlog_t;

/* IN next - seq of the first event; never used again in this store */
extern void gw_evlog_init(gw_evlog_t *evlog, uint64_t next);
extern void gw_evlog_free(gw_evlog_t *evlog);

/* Give a public event its cursor. */
extern void gw_evlog_number(gw_evlog_t *evlog, gw_event_t *event);

/*
 * Keep an event that has its cursor. What it owns but brief and body goes over.
 */
extern void gw_evlog_add(gw_evlog_t *evlog, gw_event_t *event);

/* RET the event, or NULL if it is not kept or not yet */
extern const gw_event_t *gw_evlog_get(const gw_evlog_t *evlog, uint64_t seq);

/* Nobody will ask for this one or any before it. */
extern void gw_evlog_drop(gw_evlog_t *evlog, uint64_t seq);

/* RET 0, or -1 if what follows this cursor is not all here */
extern int gw_evlog_has_after(const gw_evlog_t *evlog, uint64_t seq);

extern size_t gw_evlog_count(const gw_evlog_t *evlog);

#endif
