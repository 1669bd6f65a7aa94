/*
 * flurm_loop_test.c - the map and the timers under src/flurm's client.
 */
#include "testsuite/unit/unit.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/flurm/loop_inside.h"
#include "src/flurm/map.h"
#include "src/flurm/timers.h"

static uint64_t seed = 88172645463325252ULL;

static uint64_t _random(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* Against an array, with keys that collide. */
static void _map(void **state)
{
	enum { KEYS = 500 };
	static char values[KEYS];
	void *model[KEYS] = { 0 };
	map_t map = { 0 };
	size_t count = 0;

	assert_null(map_get(&map, 7));
	assert_null(map_take(&map, 7));
	for (int i = 0; i < 200000; i++) {
		size_t k = _random(KEYS);
		uint64_t key = (k + 1) * ((i / 50000 % 2) ? 1 : 64);

		if (i % 50000 == 0) {
			map_free(&map);
			for (size_t j = 0; j < KEYS; j++)
				model[j] = NULL;
			count = 0;
		}
		if (_random(2)) {
			count += !model[k];
			model[k] = &values[_random(KEYS)];
			map_set(&map, key, model[k]);
		} else {
			assert_ptr_equal(map_take(&map, key), model[k]);
			count -= model[k] != NULL;
			model[k] = NULL;
		}
		assert_int_equal(map.count, count);
		assert_ptr_equal(map_get(&map, key), model[k]);
		k = _random(KEYS);
		key = (k + 1) * ((i / 50000 % 2) ? 1 : 64);
		assert_ptr_equal(map_get(&map, key), model[k]);
	}
	map_free(&map);
}

#define TIMERS 300
static fed_timers_t timers;
static flurm_timer_t some[TIMERS];
static int64_t last_due;
static int fired;

static void _fire(void *arg)
{
	flurm_timer_t *timer = arg;

	assert_true(timer->timer.at >= last_due);
	assert_int_equal(timer->timer.slot, 0);
	last_due = timer->timer.at;
	fired++;
}

static void _timers(void **state)
{
	int64_t model[TIMERS];
	int64_t now = 0;

	for (int i = 0; i < TIMERS; i++) {
		some[i] = (flurm_timer_t) TIMER(_fire, &some[i]);
		model[i] = INT64_MAX;
	}
	for (int round = 0; round < 20000; round++) {
		int i = _random(TIMERS), due = 0;
		int64_t first = INT64_MAX;

		if (_random(3)) {
			model[i] = now + _random(1000);
			timer_set(&timers, &some[i], model[i]);
		} else {
			model[i] = INT64_MAX;
			timer_clear(&timers, &some[i]);
		}
		for (int j = 0; j < TIMERS; j++)
			if (model[j] < first)
				first = model[j];
		assert_int_equal(timers_next(&timers), first);
		if (round % 50)
			continue;
		now += _random(200);
		for (int j = 0; j < TIMERS; j++) {
			if (model[j] <= now) {
				model[j] = INT64_MAX;
				due++;
			}
		}
		fired = 0;
		last_due = 0;
		assert_int_equal(timers_run(&timers, now), due);
		assert_int_equal(fired, due);
	}
	for (int i = 0; i < TIMERS; i++)
		timer_clear(&timers, &some[i]);
	assert_int_equal(timers_next(&timers), INT64_MAX);
	fed_timers_free(&timers);
}

/* One that sets itself again at once must not keep the loop for ever. */
static void _again(void *arg)
{
	timer_set(&timers, arg, 0);
	fired++;
}

static void _timers_that_set_timers(void **state)
{
	flurm_timer_t timer = TIMER(_again, &timer);

	fired = 0;
	timer_set(&timers, &timer, 0);
	assert_int_equal(timers_run(&timers, 5), 1);
	assert_int_equal(fired, 1);
	timer_clear(&timers, &timer);
	fed_timers_free(&timers);
}

static void *_wake(void *arg)
{
	usleep(50000);
	flurm_loop_wakeup(arg);
	return NULL;
}

static void _loop(void **state)
{
	flurm_loop_t *loop = flurm_loop_create(NULL);
	pthread_t thread;
	int64_t began;

	assert_non_null(loop);
	/* a wake-up before the wait counts */
	flurm_loop_wakeup(loop);
	began = flurm_loop_now(loop);
	assert_int_equal(flurm_loop_turn(loop, 60000, NULL), 0);
	assert_true(flurm_loop_now(loop) - began < 30000);
	pthread_create(&thread, NULL, _wake, loop);
	assert_int_equal(flurm_loop_turn(loop, -1, NULL), 0);
	pthread_join(thread, NULL);
	began = flurm_loop_now(loop);
	assert_int_equal(flurm_loop_turn(loop, 30, NULL), 0);
	assert_true(flurm_loop_now(loop) - began >= 29);
	flurm_loop_destroy(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_map),
		cmocka_unit_test(_timers),
		cmocka_unit_test(_timers_that_set_timers),
		cmocka_unit_test(_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
