/*
 * fed_job_world_test.c - the real fed_job among models of all others.
 *
 * Connections break at any moment, with what was on its way delivered or not,
 * messages come late and twice, requests to FLURM long after they were given
 * up, and host, origin and FLURM crash. Then all faults end, and everybody has
 * to agree (see world.h for who is there).
 *
 * Each run is made from a seed; FED_WORLD_SEED=N tells the story of one, and
 * FED_WORLDS=N tries so many.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "src/core/job_id.h"
#include "testsuite/unit/world.h"

#define STEPS 600
#define QUIET_STEPS 20000
#define SEEDS 1500

struct world world;

extern uint32_t world_roll(uint32_t sides)
{
	world.dice ^= world.dice << 13;
	world.dice ^= world.dice >> 17;
	world.dice ^= world.dice << 5;
	return world.dice % sides;
}

extern bool world_fault(uint32_t one_in)
{
	return !world.quiet && !world_roll(one_in);
}

extern uint32_t world_job_id(int job)
{
	return fed_job_id_make(1, job + 1);
}

static void _step(void)
{
	int job = world_roll(JOBS);

	world.now++;
	switch (world_roll(10)) {
	case 0:
		if (!world_roll(3))
			world_origin_schedule(job);
		break;
	case 1:
		world_flurm_schedule(job);
		break;
	case 2:
	case 3:
		world_host_receive();
		break;
	case 4:
	case 5:
		world_host_transmit();
		break;
	case 6:
		world_host_hear_flurm();
		break;
	case 7:
		world_host_tick();
		break;
	default:
		world_host_act();
		break;
	}
	if (!world_roll(16))
		world_host_late();
	if (world.origin_down && (world.quiet || !world_roll(60)))
		world_origin_return();
	if (!world.link_up && !world.origin_down && !world_roll(8))
		world_host_connect();
	world_origin_tick(job);
	if (world.quiet)
		return;
	if (!world.origin_down && !world_roll(12))
		world_origin_use(job);
	if (!world_roll(80))
		world_host_disconnect();
	if (!world_roll(80))
		world_host_crash();
	if (!world.origin_down && !world_roll(160)) {
		world_host_disconnect();
		world_origin_crash();
	}
	if (!world_roll(200)) {
		world_flurm_forget();
		world_host_forgotten();
	}
}

static void _must_be_over(fed_job_t *j, void *arg)
{
	if (!fed_job_is_over(j))
		fail_msg("seed %u: job %u/%u ends as %s, facts %05x owed %05x",
			 world.seed, fed_job_id_local(j->id) - 1, j->epoch,
			 fed_job_state_name(j->state), j->facts, j->owed);
}

static void _count_living(fed_job_t *j, void *arg)
{
	*(int *) arg += !fed_job_is_over(j);
}

static bool _all_done(void)
{
	int living = 0;

	world_host_each(_count_living, &living);
	if (living || world_mail_count || !world_host_silent() ||
	    !world_flurm_silent() || !world.link_up)
		return false;
	for (int job = 0; job < JOBS; job++)
		if (world_origin[job].state != O_DONE)
			return false;
	return true;
}

static void _one_world(uint32_t seed)
{
	world.seed = seed;
	world.dice = seed * 2654435761u + 1;
	world.now = 0;
	world.quiet = false;
	world_flurm_begin();
	world_host_begin();
	world_origin_begin();
	for (int step = 0; step < STEPS; step++)
		_step();

	STORY("%d no more faults\n", (int) world.now);
	world.quiet = true;
	/* a connection that is new: all is said that was lost */
	world_host_disconnect();
	world_origin_release_all();
	for (int step = 0; (step < QUIET_STEPS) &&
			   ((step < 200) || !_all_done()); step++)
		_step();
	for (int step = 0; step < 300; step++)
		_step();
	for (int job = 0; job < JOBS; job++) {
		const world_origin_t *o = &world_origin[job];

		if (o->state == O_DONE)
			continue;
		/* refused for good, or forgotten: a user has to act */
		if (((o->state == O_PENDING) && !o->requeue_fed &&
		     o->only_flurm && !(o->active & AT_FLURM)) ||
		    world.forgetful)
			continue;
		fail_msg("seed %u: %d is %d at the origin, lock %d active %d",
			 seed, job, o->state, o->lock, o->active);
	}
	world_host_each(_must_be_over, NULL);
	world_host_end();
}

static void _worlds(void **state)
{
	const char *only = getenv("FED_WORLD_SEED");
	const char *many = getenv("FED_WORLDS");
	uint32_t seeds = many ? strtoul(many, NULL, 10) : SEEDS;

	if (only) {
		world.tell = true;
		_one_world(strtoul(only, NULL, 10));
		world.tell = false;
		return;
	}
	for (uint32_t i = 1; i <= seeds; i++)
		_one_world(i);
}

static void _remembering(void **state)
{
	world.forgetful = false;
	_worlds(state);
}

/* no promise can be kept to one who forgets; but nothing worse comes of it */
static void _forgetful(void **state)
{
	world.forgetful = true;
	_worlds(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_remembering),
		cmocka_unit_test(_forgetful),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	world_host_begin();	/* lets go of what the last one wrote */
	world_host_end();
	return rc;
}
