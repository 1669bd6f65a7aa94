/*
 * job.c - a job as FLURM holds it (see job.h).
 *
 * Its JSON is one flat object, so that a page of jobs reads like squeue: the
 * spec's table and the table here write into the same one. Script and
 * environment are big, and nobody who lists jobs wants them: left out.
 */
#include "src/flurm/job.h"

#include <errno.h>
#include <stdlib.h>

#include "src/core/mem.h"
#include "src/flurm/field.h"

#define FIELD_RECORD flurm_job_t
static const field_t job_fields[] = {
	FIELD_KEY64(job_id),
	FIELD(state, FIELD_STATE, 0, 0, .required = true),
	FIELD_KEY32(attempt),
	FIELD_ANY(reason),
	FIELD_ANY(nodes),
	FIELD_COUNT(alloc_nodes),
	FIELD_COUNT(alloc_cpus),
	FIELD_MOMENT(eligible_time),
	FIELD_MOMENT(start_time),
	FIELD_MOMENT(end_time),
	FIELD_MOMENT(suspended_for),
	FIELD_RANGE(exit_code, 0, 255),
	FIELD_RANGE(signal, 0, 64),
};
#undef FIELD_RECORD

#define FIELD_RECORD flurm_usage_t
static const field_t usage_fields[] = {
	FIELD_RANGE(user_us, 0, INT64_MAX),
	FIELD_RANGE(system_us, 0, INT64_MAX),
	FIELD_RANGE(max_rss_kb, 0, INT64_MAX),
};
#undef FIELD_RECORD

static const field_table_t job_table = FIELD_TABLE("job", job_fields);
static const field_table_t usage_table = FIELD_TABLE("usage", usage_fields);

extern void flurm_usage_init(flurm_usage_t *usage)
{
	field_init(&usage_table, usage);
}

extern int flurm_usage_put(const flurm_usage_t *usage, json_t *object)
{
	json_t *json = json_object();
	int rc;

	rc = field_to_json(&usage_table, usage, json);
	if (!rc && json_object_size(json))
		rc = json_object_set(object, "usage", json);
	json_decref(json);
	return rc;
}

extern int flurm_usage_get(const json_t *object, flurm_usage_t *ret_usage,
			   fed_err_t *err)
{
	const json_t *json = json_object_get(object, "usage");

	flurm_usage_init(ret_usage);
	if (!json || json_is_null(json))
		return 0;
	if (field_from_json(&usage_table, json, ret_usage, err) == 0)
		return 0;
	flurm_usage_init(ret_usage);
	return fed_err_prefix(err, "usage");
}

extern void flurm_job_init(flurm_job_t *job)
{
	flurm_job_spec_init(&job->spec);
	field_init(&job_table, job);
	job->state = FLURM_PENDING;
	flurm_usage_init(&job->usage);
}

extern void flurm_job_free(flurm_job_t *job)
{
	flurm_job_spec_free(&job->spec);
	field_free(&job_table, job);
	flurm_job_init(job);
}

extern void flurm_job_copy(flurm_job_t *ret_job, const flurm_job_t *job)
{
	flurm_job_init(ret_job);
	flurm_job_spec_copy(&ret_job->spec, &job->spec);
	field_copy(&job_table, ret_job, job);
	ret_job->usage = job->usage;
}

extern json_t *flurm_job_to_json(const flurm_job_t *job)
{
	flurm_job_spec_t spec = job->spec;	/* shares its strings */
	json_t *json;

	spec.script = NULL;
	spec.environment = NULL;
	json = flurm_job_spec_to_json(&spec);
	if ((field_to_json(&job_table, job, json) < 0) ||
	    (flurm_usage_put(&job->usage, json) < 0)) {
		json_decref(json);
		return NULL;
	}
	return json;
}

extern int flurm_job_from_json(const json_t *json, flurm_job_t *ret_job,
			       fed_err_t *err)
{
	flurm_job_init(ret_job);
	if ((flurm_job_spec_from_json(json, &ret_job->spec, err) < 0) ||
	    (field_from_json(&job_table, json, ret_job, err) < 0) ||
	    (flurm_usage_get(json, &ret_job->usage, err) < 0)) {
		flurm_job_free(ret_job);
		return -1;
	}
	return 0;
}

extern void flurm_job_page_free(flurm_job_page_t *page)
{
	for (size_t i = 0; i < page->count; i++)
		flurm_job_free(&page->jobs[i]);
	free(page->jobs);
	*page = (flurm_job_page_t) { 0 };
}

extern json_t *flurm_job_page_to_json(const flurm_job_page_t *page)
{
	json_t *jobs = json_array();

	for (size_t i = 0; i < page->count; i++) {
		if (json_array_append_new(
			    jobs, flurm_job_to_json(&page->jobs[i])) < 0) {
			json_decref(jobs);
			return NULL;
		}
	}
	return json_pack("{s:o, s:I, s:b}", "jobs", jobs, "next",
			 (json_int_t) page->next, "complete", page->complete);
}

extern int flurm_job_page_from_json(const json_t *json,
				    flurm_job_page_t *ret_page, fed_err_t *err)
{
	const json_t *jobs = json_object_get(json, "jobs");
	const json_t *next = json_object_get(json, "next");
	const json_t *complete = json_object_get(json, "complete");
	size_t count = json_array_size(jobs);

	*ret_page = (flurm_job_page_t) { 0 };
	if (!json_is_array(jobs))
		return fed_err_set(err, EINVAL, "jobs: not a list");
	if (!json_is_boolean(complete))
		return fed_err_set(err, EINVAL,
				   "complete: neither true nor false");
	if (next && !json_is_null(next) &&
	    (!json_is_integer(next) || (json_integer_value(next) < 0)))
		return fed_err_set(err, EINVAL, "next: not a cursor");
	ret_page->jobs = fed_calloc(count ? count : 1, sizeof(flurm_job_t));
	for (; ret_page->count < count; ret_page->count++) {
		size_t i = ret_page->count;

		if (flurm_job_from_json(json_array_get(jobs, i),
					&ret_page->jobs[i], err) < 0) {
			flurm_job_page_free(ret_page);
			return fed_err_prefix(err, "jobs: element %zu", i);
		}
	}
	ret_page->next = json_integer_value(next);
	ret_page->complete = json_is_true(complete);
	return 0;
}
