/*
 * timers.h - what is to happen when: a heap of timers that live inside what
 * they belong to. One thread.
 */
#ifndef FED_FLURM_TIMERS_H
#define FED_FLURM_TIMERS_H

#include <stddef.h>
#include <stdint.h>

/* init with TIMER(), then set and cleared at will */
typedef struct {
	int64_t due_ms;
	size_t place;		/* in the heap, from 1; 0: not set */
	void (*fire)(void *arg);
	void *arg;
} flurm_timer_t;

#define TIMER(what, whose) { .fire = what, .arg = whose }

/* zeroed to start with */
typedef struct {
	flurm_timer_t **heap;
	size_t count;
	size_t size;
} timers_t;

/* Every timer must have been cleared. */
extern void timers_free(timers_t *timers);

/* Set it, or set it anew. */
extern void timer_set(timers_t *timers, flurm_timer_t *timer, int64_t due_ms);

/* Not set is fine. */
extern void timer_clear(timers_t *timers, flurm_timer_t *timer);

/* RET when the first is due, INT64_MAX if none is set */
extern int64_t timers_next(const timers_t *timers);

/*
 * Clear and fire those that were due at the start of the call; they may set
 * and clear any.
 * RET how many were fired
 */
extern unsigned int timers_run(timers_t *timers, int64_t now_ms);

#endif
