/*
 * job.c - a job as the gateway holds it (see job.h).
 *
 * The packed form begins with a version, as that of an event, and has every
 * field that events make. What belongs to scheduler and engine is worked out
 * again from it.
 */
#include "src/gateway/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/log.h"
#include "src/core/mem.h"
#include "src/flurm/json_text.h"

#define PACK_VERSION 3

extern gw_job_t *gw_job_create(uint32_t fed_job_id, uint64_t job_id)
{
	gw_job_t *job = fed_calloc(1, sizeof(*job));

	job->fed_job_id = fed_job_id;
	job->job_id = job_id;
	job->exit_code = job->signal = FLURM_UNSET;
	job->usage = (flurm_usage_t) { FLURM_UNSET, FLURM_UNSET, FLURM_UNSET };
	return job;
}

extern void gw_job_free(gw_job_t *job)
{
	if (!job)
		return;
	free(job->alloc);
	free(job->nodes);
	free(job->reason);
	free(job->brief);
	free(job);
}

extern void gw_job_pack(const gw_job_t *job, const char *body,
			fed_bytes_t *bytes)
{
	fed_put_u8(bytes, PACK_VERSION);
	fed_put_u32(bytes, job->fed_job_id);
	fed_put_u32(bytes, job->epoch);
	fed_put_u64(bytes, job->job_id);
	fed_put_u8(bytes, job->state);
	fed_put_u8(bytes, job->granted);
	fed_put_u8(bytes, job->cancel);
	fed_put_u8(bytes, job->requeue);
	fed_put_u8(bytes, job->requeue_hold);
	fed_put_u8(bytes, job->suspend);
	fed_put_u32(bytes, job->cancel_signal);
	fed_put_u32(bytes, job->failed_starts);
	fed_put_u32(bytes, job->restarts);
	fed_put_i64(bytes, job->submit_time);
	fed_put_i64(bytes, job->not_before_ms);
	fed_put_i64(bytes, job->asked_ms);
	fed_put_i64(bytes, job->first_asked_ms);
	fed_put_u64(bytes, job->asked_seq);
	fed_put_u64(bytes, job->ended_seq);
	fed_put_i64(bytes, job->start_time);
	fed_put_i64(bytes, job->end_time);
	fed_put_i64(bytes, job->suspended_at);
	fed_put_i64(bytes, job->suspended_for);
	fed_put_i64(bytes, job->exit_code);
	fed_put_i64(bytes, job->signal);
	fed_put_i64(bytes, job->usage.user_us);
	fed_put_i64(bytes, job->usage.system_us);
	fed_put_i64(bytes, job->usage.max_rss_kb);
	fed_put_u32(bytes, job->alloc_count);
	for (uint32_t i = 0; i < job->alloc_count; i++)
		fed_put_u32(bytes, job->alloc[i]);
	fed_put_str(bytes, job->nodes);
	fed_put_str(bytes, job->reason);
	fed_put_str(bytes, job->brief);
	fed_put_str(bytes, body);
	fed_put_u32(bytes, job->attempt);
}

static void _get_alloc(fed_reader_t *reader, gw_job_t *job)
{
	uint32_t count = fed_get_u32(reader);

	if (reader->bad || !count)
		return;
	if (fed_reader_left(reader) / sizeof(uint32_t) < count) {
		reader->bad = true;
		return;
	}
	job->alloc = fed_calloc(count, sizeof(*job->alloc));
	job->alloc_count = count;
	for (uint32_t i = 0; i < count; i++)
		job->alloc[i] = fed_get_u32(reader);
}

extern int gw_job_unpack(const void *data, size_t len, gw_job_t *job,
			 char **ret_body, fed_err_t *err)
{
	fed_reader_t reader;
	uint8_t version;
	char *body;

	fed_reader_init(&reader, data, len);
	version = fed_get_u8(&reader);
	if (!reader.bad && (version != PACK_VERSION))
		return fed_err_set(err, EPROTO, "job of version %u, this "
				   "gateway knows %d", version, PACK_VERSION);
	job->fed_job_id = fed_get_u32(&reader);
	job->epoch = fed_get_u32(&reader);
	job->job_id = fed_get_u64(&reader);
	job->state = fed_get_u8(&reader);
	job->granted = fed_get_u8(&reader);
	job->cancel = fed_get_u8(&reader);
	job->requeue = fed_get_u8(&reader);
	job->requeue_hold = fed_get_u8(&reader);
	job->suspend = fed_get_u8(&reader);
	job->cancel_signal = fed_get_u32(&reader);
	job->failed_starts = fed_get_u32(&reader);
	job->restarts = fed_get_u32(&reader);
	job->submit_time = fed_get_i64(&reader);
	job->not_before_ms = fed_get_i64(&reader);
	job->asked_ms = fed_get_i64(&reader);
	job->first_asked_ms = fed_get_i64(&reader);
	job->asked_seq = fed_get_u64(&reader);
	job->ended_seq = fed_get_u64(&reader);
	job->start_time = fed_get_i64(&reader);
	job->end_time = fed_get_i64(&reader);
	job->suspended_at = fed_get_i64(&reader);
	job->suspended_for = fed_get_i64(&reader);
	job->exit_code = fed_get_i64(&reader);
	job->signal = fed_get_i64(&reader);
	job->usage.user_us = fed_get_i64(&reader);
	job->usage.system_us = fed_get_i64(&reader);
	job->usage.max_rss_kb = fed_get_i64(&reader);
	_get_alloc(&reader, job);
	job->nodes = fed_get_str(&reader);
	job->reason = fed_get_str(&reader);
	job->brief = fed_get_str(&reader);
	body = fed_get_str(&reader);
	job->attempt = fed_get_u32(&reader);
	if (!fed_reader_done(&reader) || (job->state >= FLURM_STATE_COUNT) ||
	    !job->brief) {
		free(body);
		return fed_err_set(err, EPROTO, "job is damaged");
	}
	*ret_body = body;
	return 0;
}

extern int gw_job_spec(const gw_job_t *job, const char *body,
		       flurm_job_spec_t *ret_spec, fed_err_t *err)
{
	flurm_job_spec_init(ret_spec);
	if (!flurm_job_spec_unpack(job->brief, ret_spec, err) &&
	    (!body || !flurm_job_spec_unpack(body, ret_spec, err)))
		return 0;
	flurm_job_spec_free(ret_spec);
	return fed_err_prefix(err, "job %u: its spec", job->fed_job_id);
}

/* RET why it does not run, in Slurm's words, if nothing else is known */
static const char *_reason(const gw_job_t *job, int64_t now)
{
	if (job->reason)
		return job->reason;
	if (job->state == FLURM_HELD)
		return "JobHeldUser";
	if (job->state != FLURM_PENDING)
		return NULL;
	if (job->dependent)
		return "Dependency";
	if ((job->begin_time > now) || (job->not_before_ms > now * 1000))
		return "BeginTime";
	return "Resources";
}

/* What is not in the spec; texts stay the job's. */
static void _add_facts(const gw_job_t *job, int64_t now, flurm_job_t *facts)
{
	facts->job_id = job->job_id;
	facts->state = job->state;
	facts->attempt = job->attempt;
	facts->reason = (char *) _reason(job, now);
	facts->nodes = job->nodes;
	facts->exit_code = job->exit_code;
	facts->signal = job->signal;
	facts->usage = job->usage;
	facts->spec.fed_job_id = job->fed_job_id;
	facts->spec.epoch = job->epoch;
	facts->spec.restart_count = flurm_or(facts->spec.restart_count, 0) +
		job->restarts;
	facts->spec.submit_time = job->submit_time;
	if (job->nodes) {
		facts->alloc_nodes = job->alloc_count;
		facts->alloc_cpus = (int64_t) job->alloc_count *
			job->entry.need.cpus;
	}
	if (job->not_before_ms > job->begin_time * 1000)
		facts->eligible_time = job->not_before_ms / 1000;
	else if (job->begin_time)
		facts->eligible_time = job->begin_time;
	if (job->start_time)
		facts->start_time = job->start_time;
	if (job->end_time)
		facts->end_time = job->end_time;
	if (job->start_time)
		facts->suspended_for = job->suspended_for +
			(job->suspend ? now - job->suspended_at : 0);
}

extern char *gw_job_json(const gw_job_t *job, int64_t now, size_t *ret_len)
{
	flurm_job_t facts;
	fed_err_t err;
	json_t *json;
	char *text;

	flurm_job_init(&facts);
	if (gw_job_spec(job, NULL, &facts.spec, &err))
		fed_error("%s", err.text);
	_add_facts(job, now, &facts);
	json = flurm_job_to_json(&facts);
	text = flurm_json_write(json, ret_len);
	json_decref(json);
	flurm_job_spec_free(&facts.spec);
	return text;
}
