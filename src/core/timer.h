/*
 * timer.h - who wants to be woken, the earliest first.
 *
 * A heap of timers that are part of what they wake: setting, moving and
 * clearing one costs log n and no memory of its own. Times are the caller's,
 * in any unit. A zeroed fed_timers_t has none. Not for two threads.
 */
#ifndef FED_CORE_TIMER_H
#define FED_CORE_TIMER_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
	int64_t at;
	size_t slot;		/* 0: not set */
} fed_timer_t;

typedef struct {
	fed_timer_t **slots;	/* from 1 */
	size_t count;
	size_t size;
} fed_timers_t;

/* Set it, or move it if it is set. */
extern void fed_timer_set(fed_timers_t *timers, fed_timer_t *timer, int64_t at);

/* Clear it; one that is not set is fine. */
extern void fed_timer_clear(fed_timers_t *timers, fed_timer_t *timer);

/* RET the earliest, still set; NULL if none is set */
extern fed_timer_t *fed_timers_first(const fed_timers_t *timers);

/* None needs to be cleared before. */
extern void fed_timers_free(fed_timers_t *timers);

#endif
