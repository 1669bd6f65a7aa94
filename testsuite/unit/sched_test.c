/*
 * sched_test.c - src/gateway/sched and src/gateway/timer.
 *
 * Small clusters by hand, then a random run that is checked against what must
 * hold for any scheduler: no node is given twice, nobody starves.
 */
#include "testsuite/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/timer.h"
#include "src/gateway/sched.h"

#define MAX_ENTRIES 4000

static gw_sched_t *sched;
static gw_entry_t entries[MAX_ENTRIES];
static size_t used;
static gw_entry_t *picked[MAX_ENTRIES];
static size_t picked_count;

static void _cluster(size_t nodes, uint32_t cpus, uint64_t memory_mb)
{
	gw_sched_node_t *node = calloc(nodes, sizeof(*node));
	gw_sched_part_t part = { .up = true, .node_count = nodes };

	for (size_t i = 0; i < nodes; i++)
		node[i] = (gw_sched_node_t) { cpus, memory_mb, true };
	gw_sched_destroy(sched);
	sched = gw_sched_create(node, nodes, &part, 1);
	memset(entries, 0, sizeof(entries));
	used = 0;
	free(node);
}

static gw_entry_t *_entry(uint32_t nodes, uint32_t cpus, int64_t limit)
{
	gw_entry_t *entry = &entries[used++];

	entry->need = (gw_need_t) {
		.nodes = nodes,
		.cpus = cpus,
		.time_limit = limit,
		.order = used,
	};
	return entry;
}

static gw_entry_t *_queued(uint32_t nodes, uint32_t cpus, int64_t limit)
{
	gw_entry_t *entry = _entry(nodes, cpus, limit);

	gw_sched_queue(sched, entry);
	return entry;
}

static void _pick(gw_entry_t *entry, void *arg)
{
	picked[picked_count++] = entry;
}

static size_t _run_depth(int64_t now, size_t depth)
{
	picked_count = 0;
	return gw_sched_run(sched, now, depth, _pick, NULL);
}

static size_t _run(int64_t now)
{
	return _run_depth(now, 100);
}

static void _first_come(void **state)
{
	gw_entry_t *a, *b, *c;

	_cluster(1, 4, 100);
	a = _queued(1, 2, 60);
	b = _queued(1, 2, 60);
	c = _queued(1, 2, 60);
	assert_int_equal(_run(0), 2);
	assert_ptr_equal(picked[0], a);
	assert_ptr_equal(picked[1], b);
	assert_int_equal(c->state, GW_SCHED_QUEUED);
	assert_int_equal(_run(1), 0);
	gw_sched_drop(sched, a, 10);
	assert_int_equal(_run(10), 1);
	assert_int_equal(c->state, GW_SCHED_HOLDS);
	assert_int_equal(c->end_by, 70);
}

static void _priority(void **state)
{
	gw_entry_t *low, *high;

	_cluster(1, 1, 100);
	low = _queued(1, 1, 60);
	high = _entry(1, 1, 60);
	high->need.priority = 5;
	gw_sched_queue(sched, high);
	assert_int_equal(_run(0), 1);
	assert_ptr_equal(picked[0], high);
	gw_sched_drop(sched, high, 1);
	assert_int_equal(_run(1), 1);
	assert_ptr_equal(picked[0], low);
}

/* 4 CPUs, 3 in use until 100; the first in the queue needs all 4 */
static void _backfill(void **state)
{
	gw_entry_t *big, *shorter, *longer;

	_cluster(1, 4, 100);
	_queued(1, 3, 100);
	assert_int_equal(_run(0), 1);
	big = _queued(1, 4, 1000);
	longer = _queued(1, 1, 101);
	shorter = _queued(1, 1, 100);
	assert_int_equal(_run_depth(0, 0), 0);
	assert_int_equal(_run_depth(0, 1), 0);
	assert_int_equal(_run(0), 1);
	assert_ptr_equal(picked[0], shorter);
	assert_int_equal(longer->state, GW_SCHED_QUEUED);
	gw_sched_drop(sched, &entries[0], 100);
	gw_sched_drop(sched, shorter, 100);
	assert_int_equal(_run(100), 1);
	assert_ptr_equal(picked[0], big);
}

/* Beside the reservation there is room for a long one. */
static void _backfill_beside(void **state)
{
	gw_entry_t *big, *longer, *second;

	_cluster(2, 4, 100);
	_queued(1, 4, 100);		/* node 0 until 100 */
	_queued(1, 1, 50);		/* node 1 until 50 */
	assert_int_equal(_run(0), 2);
	big = _queued(1, 4, 1000);	/* node 1 at 50 */
	longer = _queued(1, 3, 5000);	/* would be in its way */
	second = _queued(1, 3, 50);
	assert_int_equal(_run(0), 1);
	assert_ptr_equal(picked[0], second);
	gw_sched_drop(sched, &entries[1], 50);
	gw_sched_drop(sched, second, 50);
	assert_int_equal(_run(50), 1);
	assert_ptr_equal(picked[0], big);
	/* node 0 comes free: now nothing is in the way */
	gw_sched_drop(sched, &entries[0], 100);
	assert_int_equal(_run(100), 1);
	assert_ptr_equal(picked[0], longer);
}

/* Without limits nothing can be planned, but nobody may be passed for ever. */
static void _no_limits(void **state)
{
	gw_entry_t *both, *small;

	_cluster(2, 1, 100);
	_queued(1, 1, GW_NEVER);
	assert_int_equal(_run(0), 1);
	both = _queued(2, 1, 60);
	small = _queued(1, 1, GW_NEVER);
	assert_int_equal(_run(0), 0);
	assert_int_equal(small->state, GW_SCHED_QUEUED);
	gw_sched_drop(sched, &entries[0], 5);
	assert_int_equal(_run(5), 1);
	assert_ptr_equal(picked[0], both);
}

static void _memory(void **state)
{
	gw_entry_t *a, *b, *all;
	fed_err_t err;

	_cluster(1, 8, 1000);
	a = _entry(1, 1, 60);
	a->need.memory_mb = 600;
	gw_sched_queue(sched, a);
	b = _entry(1, 1, 60);
	b->need.memory_mb = 600;
	gw_sched_queue(sched, b);
	assert_int_equal(_run(0), 1);
	gw_sched_drop(sched, a, 1);
	assert_int_equal(_run(1), 1);
	gw_sched_drop(sched, b, 2);
	all = _entry(1, 1, 60);
	all->need.memory_mb = GW_ALL_MEMORY;
	gw_sched_queue(sched, all);
	assert_int_equal(_run(2), 1);
	_queued(1, 1, 60)->need.memory_mb = 0;
	a->need.memory_mb = 1;
	gw_sched_queue(sched, a);
	_run(3);
	assert_int_equal(a->state, GW_SCHED_QUEUED);
	b->need.memory_mb = 1001;
	assert_int_equal(gw_sched_possible(sched, &b->need, &err), -1);
	b->need.memory_mb = 1000;
	assert_int_equal(gw_sched_possible(sched, &b->need, &err), 0);
	b->need.cpus = 9;
	assert_int_equal(gw_sched_possible(sched, &b->need, &err), -1);
	b->need.cpus = 8;
	b->need.nodes = 2;
	assert_int_equal(gw_sched_possible(sched, &b->need, &err), -1);
}

static void _exclusive(void **state)
{
	gw_entry_t *alone;

	_cluster(2, 4, 100);
	alone = _entry(1, 1, 60);
	alone->need.exclusive = true;
	_queued(1, 1, 60);
	gw_sched_queue(sched, alone);
	_queued(1, 1, 60);
	assert_int_equal(_run(0), 3);
	assert_int_equal(alone->nodes[0], 0);
	assert_int_equal(picked[1]->nodes[0], 1);
	assert_int_equal(picked[2]->nodes[0], 1);
}

static void _up_and_down(void **state)
{
	gw_entry_t *a;

	_cluster(1, 4, 100);
	a = _queued(1, 1, 60);
	gw_sched_part_up(sched, 0, false);
	assert_int_equal(_run(0), 0);
	gw_sched_part_up(sched, 0, true);
	gw_sched_node_up(sched, 0, false);
	assert_int_equal(_run(0), 0);
	gw_sched_node_up(sched, 0, true);
	assert_int_equal(_run(0), 1);
	gw_sched_drop(sched, a, 1);
	assert_int_equal(gw_sched_take(sched, a, &(uint32_t) { 0 }, 99), 0);
	assert_int_equal(a->end_by, 99);
	gw_sched_drop(sched, a, 1);
	gw_sched_drop(sched, a, 1);
	assert_int_equal(gw_sched_take(sched, a, &(uint32_t) { 1 }, 99), -1);
}

static uint32_t _random(uint32_t below)
{
	static uint64_t seed = 42;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

static void _check_free(size_t nodes, uint32_t cpus)
{
	uint32_t in_use[64] = { 0 }, free_cpus;
	uint64_t free_memory;

	for (size_t i = 0; i < used; i++)
		for (uint32_t n = 0; (entries[i].state == GW_SCHED_HOLDS) &&
		     (n < entries[i].need.nodes); n++)
			in_use[entries[i].nodes[n]] += entries[i].need.cpus;
	for (size_t i = 0; i < nodes; i++) {
		gw_sched_node_free(sched, i, &free_cpus, &free_memory);
		assert_true(in_use[i] <= cpus);
		assert_int_equal(free_cpus, cpus - in_use[i]);
	}
}

/* Everything that is queued starts in the end, in a sane state all the way. */
static void _random_run(void **state)
{
	int64_t now = 0;
	size_t started = 0;
	gw_sched_stats_t stats;

	_cluster(10, 8, 1000);
	while ((used < 3000) || (started < used)) {
		for (uint32_t i = _random(4); i && (used < 3000); i--) {
			gw_entry_t *entry = _entry(1 + _random(3),
						   1 + _random(8),
						   1 + _random(100));

			entry->need.priority = _random(3);
			gw_sched_queue(sched, entry);
		}
		started += _run(now);
		_check_free(10, 8);
		now += 1 + _random(20);
		for (size_t i = 0; i < used; i++) {
			/* some end early, none late */
			if ((entries[i].state == GW_SCHED_HOLDS) &&
			    ((entries[i].end_by <= now) || !_random(20))) {
				gw_sched_drop(sched, &entries[i], now);
				entries[i].need.order = 0;
			} else if ((entries[i].state == GW_SCHED_QUEUED) &&
				   !_random(500)) {
				gw_sched_drop(sched, &entries[i], now);
				started++;
			}
		}
		assert_true(now < 1000000);
	}
	gw_sched_stats(sched, &stats);
	assert_int_equal(stats.queued, 0);
}

/* What comes later never delays the first, whatever it is. */
static void _never_delayed(void **state)
{
	for (int round = 0; round < 200; round++) {
		int64_t promised = 0;
		gw_entry_t *first;

		_cluster(4, 4, 1000);
		for (int i = 0; i < 8; i++)
			_queued(1 + _random(2), 1 + _random(4),
				1 + _random(50));
		_run(0);
		/* alone in the queue, when would it start? */
		for (size_t i = 0; i < used; i++)
			if (entries[i].state == GW_SCHED_QUEUED)
				gw_sched_drop(sched, &entries[i], 0);
		first = _queued(4, 1 + _random(4), 10);
		if (_run(0))
			continue;
		for (size_t i = 0; i + 1 < used; i++)
			if ((entries[i].state == GW_SCHED_HOLDS) &&
			    (entries[i].end_by > promised))
				promised = entries[i].end_by;
		for (int i = 0; i < 20; i++)
			_queued(1 + _random(2), 1 + _random(4),
				1 + _random(200));
		for (int64_t now = 0; now <= promised; now++) {
			for (size_t i = 0; i < used; i++)
				if ((entries[i].state == GW_SCHED_HOLDS) &&
				    (entries[i].end_by <= now))
					gw_sched_drop(sched, &entries[i], now);
			_run(now);
			if (first->state == GW_SCHED_HOLDS)
				break;
		}
		assert_int_equal(first->state, GW_SCHED_HOLDS);
	}
}

static void _timers(void **state)
{
	static fed_timer_t timer[1000];
	fed_timers_t timers = { 0 };
	fed_timer_t *first;
	int64_t last = -1;
	size_t count = 0;

	assert_null(fed_timers_first(&timers));
	for (int i = 0; i < 1000; i++)
		fed_timer_set(&timers, &timer[i], _random(500));
	for (int i = 0; i < 1000; i += 3)
		fed_timer_set(&timers, &timer[i], _random(500));
	for (int i = 0; i < 1000; i += 7)
		fed_timer_clear(&timers, &timer[i]);
	while ((first = fed_timers_first(&timers))) {
		assert_true(first->at >= last);
		last = first->at;
		fed_timer_clear(&timers, first);
		fed_timer_clear(&timers, first);
		count++;
	}
	assert_int_equal(count, 1000 - 143);
	fed_timers_free(&timers);
}

static int _end(void **state)
{
	gw_sched_destroy(sched);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_first_come),
		cmocka_unit_test(_priority),
		cmocka_unit_test(_backfill),
		cmocka_unit_test(_backfill_beside),
		cmocka_unit_test(_no_limits),
		cmocka_unit_test(_memory),
		cmocka_unit_test(_exclusive),
		cmocka_unit_test(_up_and_down),
		cmocka_unit_test(_random_run),
		cmocka_unit_test(_never_delayed),
		cmocka_unit_test(_timers),
	};

	return cmocka_run_group_tests(tests, NULL, _end);
}
