/*
 * jobs_test.c - src/gateway/jobs: the table of jobs, against a plain array.
 */
#include "testsuite/unit/unit.h"

#include <string.h>

#include "src/gateway/jobs.h"

#define IDS 3000

static uint32_t _random(uint32_t below)
{
	static uint64_t seed = 3;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

/* ids that fall close to each other in the table, as real ones do */
static uint32_t _fed_job_id(uint32_t index)
{
	return (1u << 26) + index * ((index % 3) ? 1 : 4096);
}

static void _check(const gw_jobs_t *jobs, gw_job_t *const *model,
		   size_t count)
{
	uint64_t after = 0;
	size_t seen = 0;
	gw_job_t *job;

	assert_int_equal(gw_jobs_count(jobs), count);
	for (uint32_t i = 0; i < IDS; i++) {
		if (!model[i])
			continue;
		assert_ptr_equal(gw_jobs_find(jobs, _fed_job_id(i)), model[i]);
		assert_ptr_equal(gw_jobs_find_id(jobs, model[i]->job_id),
				 model[i]);
	}
	for (; (job = gw_jobs_after(jobs, after)); after = job->job_id) {
		assert_true(job->job_id > after);
		seen++;
	}
	assert_int_equal(seen, count);
}

static void _random_table(void **state)
{
	gw_jobs_t *jobs = gw_jobs_create();
	gw_job_t *model[IDS] = { NULL };
	uint64_t next_id = 1;
	size_t count = 0;

	for (int step = 0; step < 60000; step++) {
		/* it fills, then empties, then fills */
		bool add = _random(100) < ((step / 20000) % 2 ? 35 : 65);
		uint32_t i = _random(IDS);

		if (add && !model[i]) {
			model[i] = gw_job_create(_fed_job_id(i), next_id);
			next_id += 1 + _random(3);
			gw_jobs_add(jobs, model[i]);
			count++;
		} else if (!add && model[i]) {
			gw_jobs_remove(jobs, model[i]);
			model[i] = NULL;
			count--;
			assert_null(gw_jobs_find(jobs, _fed_job_id(i)));
		}
		if (!(step % 1000))
			_check(jobs, model, count);
	}
	_check(jobs, model, count);
	assert_null(gw_jobs_find(jobs, 7));
	assert_null(gw_jobs_find_id(jobs, UINT64_MAX));
	assert_null(gw_jobs_after(jobs, UINT64_MAX));
	gw_jobs_destroy(jobs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_random_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
