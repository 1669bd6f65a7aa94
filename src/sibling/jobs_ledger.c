/*
 * jobs_ledger.c - what the ledger holds of jobs (jobs_int.h).
 *
 * A job's state (RECORD_JOB) is written whenever an event changes it; what it
 * asks for (RECORD_JOB_HOST) when it comes and when an update changes it; how
 * it fares at FLURM (RECORD_JOB_RUN) when FLURM says so.
 */
#include "src/sibling/jobs_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/sibling/record.h"

#define HOST_RECORD_VERSION 4
#define RUN_RECORD_VERSION 2

static void _append(jobs_t *jobs, uint16_t type, fed_bytes_t *bytes)
{
	fed_err_t err;

	if (fed_ledger_append(jobs->ledger, type, bytes->data, bytes->len,
			      &err))
		fed_error("cluster %s: %s", jobs->conf.cluster->name,
			  err.text);
	fed_bytes_free(bytes);
}

extern void jobs_write(jobs_t *jobs, const fed_job_t *job)
{
	fed_bytes_t bytes = { 0 };

	jobs_changed(jobs, job);
	fed_job_pack(job, &bytes);
	_append(jobs, RECORD_JOB, &bytes);
}

extern char *jobs_spec_text(const flurm_job_spec_t *spec)
{
	json_t *json = spec ? flurm_job_spec_to_json(spec) : NULL;
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) :
			    NULL;

	json_decref(json);
	return text;
}

static flurm_job_spec_t *_spec_from_text(const char *text, fed_err_t *err)
{
	flurm_job_spec_t *spec = xmalloc(sizeof(*spec));
	json_t *json = json_loads(text, 0, NULL);

	if (!json || flurm_job_spec_from_json(json, spec, err)) {
		if (!json)
			fed_err_set(err, EPROTO, "a job's record is not JSON");
		xfree(spec);
	}
	json_decref(json);
	return spec;
}

/*
 * u16 version, u32 job id, u32 epoch, str origin, u64 hash of the submission,
 * u8 whether it may be requeued, str spec, str change (both JSON or NULL);
 * since version 2 u8 whether the spec is thin, and job_submit_pack(), which has
 * grown with 3 and 4. Before, there was no spec of a job that ran.
 */
static void _pack_host(const fed_job_t *job, fed_bytes_t *bytes)
{
	const job_host_t *host = job->host;
	char *spec = jobs_spec_text(host->spec);
	char *change = jobs_spec_text(host->change);

	fed_put_u16(bytes, HOST_RECORD_VERSION);
	fed_put_u32(bytes, job->id);
	fed_put_u32(bytes, job->epoch);
	fed_put_str(bytes, host->origin);
	fed_put_u64(bytes, host->hash);
	fed_put_u8(bytes, host->requeue);
	fed_put_str(bytes, spec);
	fed_put_str(bytes, change);
	fed_put_u8(bytes, host->thin);
	job_submit_pack(&host->submit, bytes);
	free(spec);
	free(change);
}

/*
 * u16 version, u32 job id, u32 epoch, job_run_pack(); since version 2 u8 what
 * slurmdbd is told (JOB_ROW_)
 */
static void _pack_run(const fed_job_t *job, fed_bytes_t *bytes)
{
	const job_host_t *host = job->host;

	fed_put_u16(bytes, RUN_RECORD_VERSION);
	fed_put_u32(bytes, job->id);
	fed_put_u32(bytes, job->epoch);
	job_run_pack(&host->run, bytes);
	fed_put_u8(bytes, host->rows);
}

extern void jobs_write_host(jobs_t *jobs, const fed_job_t *job)
{
	fed_bytes_t bytes = { 0 };

	jobs_changed(jobs, job);
	_pack_host(job, &bytes);
	_append(jobs, RECORD_JOB_HOST, &bytes);
}

extern void jobs_write_run(jobs_t *jobs, const fed_job_t *job)
{
	fed_bytes_t bytes = { 0 };

	jobs_changed(jobs, job);
	_pack_run(job, &bytes);
	_append(jobs, RECORD_JOB_RUN, &bytes);
}

static int _replay_run(jobs_t *jobs, fed_reader_t *reader, fed_err_t *err)
{
	uint16_t version = fed_get_u16(reader);
	uint32_t id = fed_get_u32(reader), epoch = fed_get_u32(reader);
	fed_job_t *job = fed_job_table_find_epoch(jobs->table, id, epoch);
	uint8_t rows = 0;
	job_run_t run;
	int rc = 0;

	job_run_init(&run);
	job_run_unpack(&run, reader);
	if (version > 1)
		rows = fed_get_u8(reader);
	if (!version || (version > RUN_RECORD_VERSION) || !fed_reader_done(reader)) {
		rc = fed_err_set(err, EPROTO,
				 "record of job %u at FLURM makes no sense",
				 id);
	} else if (job) {
		job_host_t *host = jobs_host(jobs, job);

		job_run_free(&host->run);
		host->run = run;
		host->rows = rows;
		return 0;
	}
	job_run_free(&run);
	return rc;
}

static int _replay_host(jobs_t *jobs, fed_reader_t *reader, fed_err_t *err)
{
	uint16_t version = fed_get_u16(reader);
	uint32_t id = fed_get_u32(reader), epoch = fed_get_u32(reader);
	char *origin = fed_get_str(reader);
	uint64_t hash = fed_get_u64(reader);
	bool requeue = fed_get_u8(reader);
	char *spec = fed_get_str(reader), *change = fed_get_str(reader);
	fed_job_t *job = fed_job_table_find_epoch(jobs->table, id, epoch);
	job_submit_t submit = { 0 };
	job_host_t *host;
	bool thin = false;
	int rc = 0;

	job_submit_free(&submit);
	if (version > 1) {
		thin = fed_get_u8(reader);
		job_submit_unpack(&submit, version, reader);
	}
	if (!version || (version > HOST_RECORD_VERSION) ||
	    !fed_reader_done(reader)) {
		rc = fed_err_set(err, EPROTO, "record of job %u makes no sense",
				 id);
	} else if (job) {
		host = jobs_host(jobs, job);
		xfree(host->origin);
		host->origin = xstrdup(origin);
		host->hash = hash;
		host->requeue = requeue;
		host->thin = thin;
		job_submit_free(&host->submit);
		host->submit = submit;
		submit = (job_submit_t) { 0 };
		jobs_free_spec(&host->spec);
		jobs_free_spec(&host->change);
		if (spec && !(host->spec = _spec_from_text(spec, err)))
			rc = -1;
		if (change && !(host->change = _spec_from_text(change, err)))
			rc = -1;
	}
	job_submit_free(&submit);
	free(origin);
	free(spec);
	free(change);
	return rc;
}

extern int jobs_replay(jobs_t *jobs, uint16_t type, const void *body,
		       size_t len, fed_err_t *err)
{
	fed_reader_t reader;
	uint32_t id, epoch;
	char *instance;

	fed_reader_init(&reader, body, len);
	switch (type) {
	case RECORD_JOB:
		return fed_job_table_replay(jobs->table, body, len, err);
	case RECORD_JOB_HOST:
		return _replay_host(jobs, &reader, err);
	case RECORD_JOB_RUN:
		return _replay_run(jobs, &reader, err);
	case RECORD_JOB_FORGET:
		id = fed_get_u32(&reader);
		epoch = fed_get_u32(&reader);
		fed_job_table_forget_epoch(jobs->table, id, epoch);
		break;
	case RECORD_CURSOR:
		jobs->cursor = fed_get_u64(&reader);
		instance = fed_get_str(&reader);
		xfree(jobs->instance);
		jobs->instance = xstrdup(instance);
		free(instance);
		break;
	}
	return fed_reader_done(&reader) ? 0 :
	       fed_err_set(err, EPROTO, "record of type %u is cut short", type);
}

static void _pack_cursor(const jobs_t *jobs, fed_bytes_t *bytes)
{
	fed_put_u64(bytes, jobs->cursor);
	fed_put_str(bytes, jobs->instance);
}

typedef struct {
	fed_ledger_t *ledger;
	fed_err_t *err;
	int rc;
} snapshot_t;

static void _snapshot_one(snapshot_t *snapshot, uint16_t type,
			  fed_bytes_t *bytes)
{
	if (!snapshot->rc)
		snapshot->rc = fed_ledger_append(snapshot->ledger, type,
						 bytes->data, bytes->len,
						 snapshot->err);
	fed_bytes_free(bytes);
}

static void _snapshot_job(fed_job_t *job, void *arg)
{
	fed_bytes_t bytes = { 0 };

	fed_job_pack(job, &bytes);
	_snapshot_one(arg, RECORD_JOB, &bytes);
	if (job->host) {
		_pack_host(job, &bytes);
		_snapshot_one(arg, RECORD_JOB_HOST, &bytes);
		_pack_run(job, &bytes);
		_snapshot_one(arg, RECORD_JOB_RUN, &bytes);
	}
}

extern int jobs_snapshot(jobs_t *jobs, fed_ledger_t *ledger, fed_err_t *err)
{
	snapshot_t snapshot = { .ledger = ledger, .err = err };
	fed_bytes_t bytes = { 0 };

	fed_job_table_walk(jobs->table, _snapshot_job, &snapshot);
	_pack_cursor(jobs, &bytes);
	_snapshot_one(&snapshot, RECORD_CURSOR, &bytes);
	return snapshot.rc;
}

extern void jobs_flush(jobs_t *jobs)
{
	fed_bytes_t bytes = { 0 };

	/* in the commit that makes what they are about durable */
	for (job_host_t *host = jobs->dirty; host; host = host->next_dirty)
		jobs_rows(jobs, host->job);
	if (jobs->cursor == jobs->cursor_written)
		return;
	_pack_cursor(jobs, &bytes);
	_append(jobs, RECORD_CURSOR, &bytes);
	jobs->cursor_written = jobs->cursor;
}

extern void jobs_forget(jobs_t *jobs, fed_job_t *job)
{
	fed_bytes_t bytes = { 0 };

	fed_put_u32(&bytes, job->id);
	fed_put_u32(&bytes, job->epoch);
	_append(jobs, RECORD_JOB_FORGET, &bytes);
	jobs_changed(jobs, job);
	fed_job_table_forget(jobs->table, job);
}
