/*
 * timer.h - who wants to be woken, the earliest first.
 *
 * A heap of timers that are part of what they wake: setting, moving and
 * clearing one costs log n and no memory of its own. Times are the caller's,
 * in any unit. Not for two threads.
 */
#ifndef FED_GATEWAY_TIMER_H
#define FED_GATEWAY_TIMER_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
	int64_t at;
	size_t slot;		/* 0: not set */
} gw_timer_t;

typedef struct {
	gw_timer_t **slots;	/* from 1 */
	size_t count;
	size_t size;
} gw_timers_t;

/* Set it, or move it if it is set. */
extern void gw_timer_set(gw_timers_t *timers, gw_timer_t *timer, int64_t at);

/* Clear it; one that is not set is fine. */
extern void gw_timer_clear(gw_timers_t *timers, gw_timer_t *timer);

/* RET the earliest, still set; NULL if none is set */
extern gw_timer_t *gw_timers_first(const gw_timers_t *timers);

extern void gw_timers_free(gw_timers_t *timers);

#endif
