/*
 * timers.c - what is to happen when (see timers.h): a binary heap whose
 * elements know their place.
 */
#include "src/flurm/timers.h"

#include <stdlib.h>

#include "src/core/mem.h"

#define FIRST_SIZE 64

/* heap[0] is not used: the children of i are 2i and 2i + 1 */

static void _put(timers_t *timers, size_t place, flurm_timer_t *timer)
{
	timers->heap[place] = timer;
	timer->place = place;
}

static void _up(timers_t *timers, size_t place, flurm_timer_t *timer)
{
	while ((place > 1) &&
	       (timers->heap[place / 2]->due_ms > timer->due_ms)) {
		_put(timers, place, timers->heap[place / 2]);
		place /= 2;
	}
	_put(timers, place, timer);
}

static void _down(timers_t *timers, size_t place, flurm_timer_t *timer)
{
	for (;;) {
		size_t child = 2 * place;

		if (child > timers->count)
			break;
		if ((child < timers->count) &&
		    (timers->heap[child + 1]->due_ms <
		     timers->heap[child]->due_ms))
			child++;
		if (timers->heap[child]->due_ms >= timer->due_ms)
			break;
		_put(timers, place, timers->heap[child]);
		place = child;
	}
	_put(timers, place, timer);
}

extern void timers_free(timers_t *timers)
{
	free(timers->heap);
	*timers = (timers_t) { 0 };
}

extern void timer_set(timers_t *timers, flurm_timer_t *timer, int64_t due_ms)
{
	timer_clear(timers, timer);
	if (timers->count + 1 >= timers->size) {
		timers->size = timers->size ? 2 * timers->size : FIRST_SIZE;
		timers->heap = fed_realloc(timers->heap, timers->size *
					   sizeof(*timers->heap));
	}
	timer->due_ms = due_ms;
	_up(timers, ++timers->count, timer);
}

extern void timer_clear(timers_t *timers, flurm_timer_t *timer)
{
	size_t place = timer->place;
	flurm_timer_t *last;

	if (!place)
		return;
	timer->place = 0;
	last = timers->heap[timers->count--];
	if (last == timer)
		return;
	if ((place > 1) && (timers->heap[place / 2]->due_ms > last->due_ms))
		_up(timers, place, last);
	else
		_down(timers, place, last);
}

extern int64_t timers_next(const timers_t *timers)
{
	return timers->count ? timers->heap[1]->due_ms : INT64_MAX;
}

extern unsigned int timers_run(timers_t *timers, int64_t now_ms)
{
	unsigned int fired = 0, most = timers->count;

	while (timers->count && (timers->heap[1]->due_ms <= now_ms) &&
	       (fired < most)) {
		flurm_timer_t *timer = timers->heap[1];

		timer_clear(timers, timer);
		timer->fire(timer->arg);
		fired++;
	}
	return fired;
}
