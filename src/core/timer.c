/*
 * timer.c - who wants to be woken, the earliest first (see timer.h).
 */
#include "src/core/timer.h"

#include <stdlib.h>

#include "src/core/mem.h"

static void _put(fed_timers_t *timers, size_t slot, fed_timer_t *timer)
{
	timers->slots[slot] = timer;
	timer->slot = slot;
}

static void _up(fed_timers_t *timers, size_t slot, fed_timer_t *timer)
{
	while ((slot > 1) && (timers->slots[slot / 2]->at > timer->at)) {
		_put(timers, slot, timers->slots[slot / 2]);
		slot /= 2;
	}
	_put(timers, slot, timer);
}

static void _down(fed_timers_t *timers, size_t slot, fed_timer_t *timer)
{
	while (2 * slot <= timers->count) {
		size_t child = 2 * slot;

		if ((child < timers->count) &&
		    (timers->slots[child + 1]->at < timers->slots[child]->at))
			child++;
		if (timers->slots[child]->at >= timer->at)
			break;
		_put(timers, slot, timers->slots[child]);
		slot = child;
	}
	_put(timers, slot, timer);
}

extern void fed_timer_set(fed_timers_t *timers, fed_timer_t *timer, int64_t at)
{
	if (timer->slot) {
		int64_t before = timer->at;

		timer->at = at;
		if (at < before)
			_up(timers, timer->slot, timer);
		else
			_down(timers, timer->slot, timer);
		return;
	}
	if (timers->count + 2 > timers->size) {
		timers->size = 2 * timers->size + 64;
		timers->slots = fed_realloc(timers->slots, timers->size *
					    sizeof(*timers->slots));
	}
	timer->at = at;
	_up(timers, ++timers->count, timer);
}

extern void fed_timer_clear(fed_timers_t *timers, fed_timer_t *timer)
{
	size_t slot = timer->slot;
	fed_timer_t *last;

	if (!slot)
		return;
	timer->slot = 0;
	last = timers->slots[timers->count--];
	if (last == timer)
		return;
	if (last->at < timer->at)
		_up(timers, slot, last);
	else
		_down(timers, slot, last);
}

extern fed_timer_t *fed_timers_first(const fed_timers_t *timers)
{
	return timers->count ? timers->slots[1] : NULL;
}

extern void fed_timers_free(fed_timers_t *timers)
{
	free(timers->slots);
	*timers = (fed_timers_t) { 0 };
}
