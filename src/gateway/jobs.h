/*
 * jobs.h - the table of all jobs, by fed_job_id and in the order of job_id.
 */
#ifndef FED_GATEWAY_JOBS_H
#define FED_GATEWAY_JOBS_H

#include <stddef.h>
#include <stdint.h>

#include "src/gateway/job.h"

typedef struct gw_jobs gw_jobs_t;

extern gw_jobs_t *gw_jobs_create(void);
extern void gw_jobs_destroy(gw_jobs_t *jobs);	/* and every job in it */

/* RET the job or NULL */
extern gw_job_t *gw_jobs_find(const gw_jobs_t *jobs, uint32_t fed_job_id);
extern gw_job_t *gw_jobs_find_id(const gw_jobs_t *jobs, uint64_t job_id);

/*
 * Put in a job whose fed_job_id is not in the table; its job_id is higher than
 * all before it. It belongs to the table from then on.
 */
extern void gw_jobs_add(gw_jobs_t *jobs, gw_job_t *job);

/* Out of the table, and freed. */
extern void gw_jobs_remove(gw_jobs_t *jobs, gw_job_t *job);

extern size_t gw_jobs_count(const gw_jobs_t *jobs);

/* RET the job with the lowest job_id above this one, or NULL */
extern gw_job_t *gw_jobs_after(const gw_jobs_t *jobs, uint64_t job_id);

#endif
