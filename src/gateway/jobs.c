/*
 * jobs.c - the table of all jobs (see jobs.h).
 *
 * By fed_job_id: a hash table with open addressing, whose size is a power of
 * two and which is at most half full. By job_id: an array in order, which only
 * grows at its end; a job that goes leaves a hole, and when half of it is
 * holes they are closed.
 */
#include "src/gateway/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"

#define FIRST_SIZE 256

typedef struct {
	uint64_t job_id;
	gw_job_t *job;		/* NULL: a hole */
} slot_t;

struct gw_jobs {
	gw_job_t **hash;
	size_t hash_size;
	slot_t *order;
	size_t order_used;
	size_t order_size;
	size_t count;
};

static size_t _home(const gw_jobs_t *jobs, uint32_t fed_job_id)
{
	return (fed_job_id * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
		(jobs->hash_size - 1);
}

/* RET its slot, or the empty one where it would be */
static size_t _slot(const gw_jobs_t *jobs, uint32_t fed_job_id)
{
	size_t at = _home(jobs, fed_job_id);

	while (jobs->hash[at] && (jobs->hash[at]->fed_job_id != fed_job_id))
		at = (at + 1) & (jobs->hash_size - 1);
	return at;
}

extern gw_jobs_t *gw_jobs_create(void)
{
	gw_jobs_t *jobs = fed_calloc(1, sizeof(*jobs));

	jobs->hash_size = FIRST_SIZE;
	jobs->hash = fed_calloc(jobs->hash_size, sizeof(*jobs->hash));
	return jobs;
}

extern void gw_jobs_destroy(gw_jobs_t *jobs)
{
	if (!jobs)
		return;
	for (size_t i = 0; i < jobs->order_used; i++)
		gw_job_free(jobs->order[i].job);
	free(jobs->order);
	free(jobs->hash);
	free(jobs);
}

extern gw_job_t *gw_jobs_find(const gw_jobs_t *jobs, uint32_t fed_job_id)
{
	return jobs->hash[_slot(jobs, fed_job_id)];
}

/* RET the first slot with at least this job_id */
static size_t _order_find(const gw_jobs_t *jobs, uint64_t job_id)
{
	size_t low = 0, high = jobs->order_used;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (jobs->order[middle].job_id < job_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

extern gw_job_t *gw_jobs_find_id(const gw_jobs_t *jobs, uint64_t job_id)
{
	size_t at = _order_find(jobs, job_id);

	return ((at < jobs->order_used) && (jobs->order[at].job_id == job_id)) ?
		jobs->order[at].job : NULL;
}

extern gw_job_t *gw_jobs_after(const gw_jobs_t *jobs, uint64_t job_id)
{
	if (job_id == UINT64_MAX)
		return NULL;
	for (size_t at = _order_find(jobs, job_id + 1); at < jobs->order_used;
	     at++)
		if (jobs->order[at].job)
			return jobs->order[at].job;
	return NULL;
}

static void _grow_hash(gw_jobs_t *jobs)
{
	gw_job_t **old = jobs->hash;
	size_t old_size = jobs->hash_size;

	jobs->hash_size *= 2;
	jobs->hash = fed_calloc(jobs->hash_size, sizeof(*jobs->hash));
	for (size_t i = 0; i < old_size; i++)
		if (old[i])
			jobs->hash[_slot(jobs, old[i]->fed_job_id)] = old[i];
	free(old);
}

extern void gw_jobs_add(gw_jobs_t *jobs, gw_job_t *job)
{
	if (2 * (jobs->count + 1) > jobs->hash_size)
		_grow_hash(jobs);
	jobs->hash[_slot(jobs, job->fed_job_id)] = job;
	if (jobs->order_used == jobs->order_size) {
		jobs->order_size = 2 * jobs->order_size + FIRST_SIZE;
		jobs->order = fed_realloc(jobs->order, jobs->order_size *
					  sizeof(*jobs->order));
	}
	jobs->order[jobs->order_used++] = (slot_t) { job->job_id, job };
	jobs->count++;
}

static void _close_holes(gw_jobs_t *jobs)
{
	size_t used = 0;

	for (size_t i = 0; i < jobs->order_used; i++)
		if (jobs->order[i].job)
			jobs->order[used++] = jobs->order[i];
	jobs->order_used = used;
}

/* Those that follow may have been put off by it: put them in again. */
static void _hash_remove(gw_jobs_t *jobs, size_t at)
{
	size_t mask = jobs->hash_size - 1;

	jobs->hash[at] = NULL;
	for (at = (at + 1) & mask; jobs->hash[at]; at = (at + 1) & mask) {
		gw_job_t *job = jobs->hash[at];

		jobs->hash[at] = NULL;
		jobs->hash[_slot(jobs, job->fed_job_id)] = job;
	}
}

extern void gw_jobs_remove(gw_jobs_t *jobs, gw_job_t *job)
{
	size_t at = _order_find(jobs, job->job_id);

	_hash_remove(jobs, _slot(jobs, job->fed_job_id));
	jobs->order[at].job = NULL;
	jobs->count--;
	if (2 * jobs->count + FIRST_SIZE < jobs->order_used)
		_close_holes(jobs);
	gw_job_free(job);
}

extern size_t gw_jobs_count(const gw_jobs_t *jobs)
{
	return jobs->count;
}
