/*
 * timers.c - what is to happen when (see timers.h).
 */
#include "src/flurm/timers.h"

extern void timer_set(fed_timers_t *timers, flurm_timer_t *timer,
		      int64_t due_ms)
{
	fed_timer_set(timers, &timer->timer, due_ms);
}

extern void timer_clear(fed_timers_t *timers, flurm_timer_t *timer)
{
	fed_timer_clear(timers, &timer->timer);
}

extern int64_t timers_next(const fed_timers_t *timers)
{
	const fed_timer_t *first = fed_timers_first(timers);

	return first ? first->at : INT64_MAX;
}

extern unsigned int timers_run(fed_timers_t *timers, int64_t now_ms)
{
	unsigned int fired = 0, most = timers->count;
	fed_timer_t *first;

	while ((first = fed_timers_first(timers)) && (first->at <= now_ms) &&
	       (fired < most)) {
		flurm_timer_t *timer = (flurm_timer_t *)
			((char *) first - offsetof(flurm_timer_t, timer));

		timer_clear(timers, timer);
		timer->fire(timer->arg);
		fired++;
	}
	return fired;
}
