/*
 * job.h - a job as FLURM holds it: what it asks for and how it fares.
 *
 * In JSON one flat object: the fields of the spec and those below. A server
 * leaves script and environment out of it (flurm_job_to_json does).
 */
#ifndef FED_FLURM_JOB_H
#define FED_FLURM_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/flurm/job_spec.h"
#include "src/flurm/state.h"

/* what a job used; each FLURM_UNSET where a backend cannot know */
typedef struct {
	int64_t user_us;	/* CPU time, microseconds */
	int64_t system_us;
	int64_t max_rss_kb;
} flurm_usage_t;

extern void flurm_usage_init(flurm_usage_t *usage);

/* Into and from object's "usage". RET 0 or -1 */
extern int flurm_usage_put(const flurm_usage_t *usage, json_t *object);
extern int flurm_usage_get(const json_t *object, flurm_usage_t *ret_usage,
			   fed_err_t *err);

typedef struct {
	flurm_job_spec_t spec;
	uint64_t job_id;	/* FLURM's own, with its instance_id */
	flurm_state_t state;
	uint32_t attempt;	/* to start it in this epoch, the last one;
				 * 0: it has not had resources */
	char *reason;		/* why it waits or failed, for a person */
	char *nodes;		/* allocated, as a host list expression */
	int64_t alloc_nodes;
	int64_t alloc_cpus;
	int64_t eligible_time;
	int64_t start_time;
	int64_t end_time;
	int64_t suspended_for;	/* seconds in all, up to now */
	int64_t exit_code;	/* 0..255 */
	int64_t signal;		/* that ended it; 0: none */
	flurm_usage_t usage;
} flurm_job_t;

extern void flurm_job_init(flurm_job_t *job);
extern void flurm_job_free(flurm_job_t *job);
extern void flurm_job_copy(flurm_job_t *ret_job, const flurm_job_t *job);

extern json_t *flurm_job_to_json(const flurm_job_t *job);
extern int flurm_job_from_json(const json_t *json, flurm_job_t *ret_job,
			       fed_err_t *err);

/* one page of GET /api/v1/jobs */
typedef struct {
	flurm_job_t *jobs;
	size_t count;
	uint64_t next;		/* pass it as "after"; 0: the last page */
	bool complete;		/* nothing was left out of this page */
} flurm_job_page_t;

extern void flurm_job_page_free(flurm_job_page_t *page);
extern json_t *flurm_job_page_to_json(const flurm_job_page_t *page);
extern int flurm_job_page_from_json(const json_t *json,
				    flurm_job_page_t *ret_page, fed_err_t *err);

#endif
