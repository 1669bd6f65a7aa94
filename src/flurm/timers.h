/*
 * timers.h - what is to happen when: timers that fire. Times are in
 * milliseconds. One thread.
 */
#ifndef FED_FLURM_TIMERS_H
#define FED_FLURM_TIMERS_H

#include <stddef.h>
#include <stdint.h>

#include "src/core/timer.h"

/* init with TIMER(), then set and cleared at will */
typedef struct {
	fed_timer_t timer;
	void (*fire)(void *arg);
	void *arg;
} flurm_timer_t;

#define TIMER(what, whose) { .fire = what, .arg = whose }

/* Set it, or set it anew. */
extern void timer_set(fed_timers_t *timers, flurm_timer_t *timer,
		      int64_t due_ms);

/* Not set is fine. */
extern void timer_clear(fed_timers_t *timers, flurm_timer_t *timer);

/* RET when the first is due, INT64_MAX if none is set */
extern int64_t timers_next(const fed_timers_t *timers);

/*
 * Clear and fire those that were due at the start of the call; they may set
 * and clear any.
 * RET how many were fired
 */
extern unsigned int timers_run(fed_timers_t *timers, int64_t now_ms);

#endif
