/*
 * jobs_ledger.c - what the ledger holds of jobs (jobs_int.h).
 *
 * A job's state (RECORD_JOB) is written whenever an event changes it; what it
 * asks for (RECORD_JOB_HOST) when it comes and when an update changes it; how
 * it fares at FLURM (RECORD_JOB_RUN) when FLURM says so; what jobs have used
 * (RECORD_USAGE, RECORD_CHARGE) by jobs_usage.c.
 */
#include "src/sibling/jobs_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/sibling/record.h"

/* those of earlier versions are of no release, and refused */
#define HOST_RECORD_VERSION 7
#define HOST_RECORD_HASHES 7	/* since then it has hashes */
#define HOST_RECORD_OLDEST 5	/* had not what it is exempt from */
#define RUN_RECORD_VERSION 3

extern void jobs_append(jobs_t *jobs, uint16_t type, fed_bytes_t *bytes)
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
	jobs_append(jobs, RECORD_JOB, &bytes);
}

extern char *jobs_spec_text(const flurm_job_spec_t *spec)
{
	char *brief, *bulk, *text;

	if (!spec)
		return NULL;
	brief = flurm_job_spec_pack(spec, false);
	bulk = flurm_job_spec_pack(spec, true);
	text = fed_strdup_printf("%s%s", brief, bulk);
	free(brief);
	free(bulk);
	return text;
}

static flurm_job_spec_t *_spec_from_text(const char *text, fed_err_t *err)
{
	flurm_job_spec_t *spec = xmalloc(sizeof(*spec));

	flurm_job_spec_init(spec);
	if (flurm_job_spec_unpack(text, spec, err))
		jobs_free_spec(&spec);
	return spec;
}

/* RET true if the record is of a known version and was read to its end */
static bool _is_whole(const fed_reader_t *reader, uint16_t version,
		      uint16_t oldest, uint16_t known, uint32_t id,
		      fed_err_t *err)
{
	if ((version < oldest) || (version > known))
		fed_err_set(err, EPROTO,
			    "record of job %u has version %u, this release knows %u",
			    id, version, known);
	else if (!fed_reader_done(reader))
		fed_err_set(err, EPROTO, "record of job %u makes no sense",
			    id);
	else
		return true;
	return false;
}

/*
 * u16 version, u32 job id, u32 epoch, str origin, u64 hash of the submission,
 * u8 whether it may be requeued, str spec, str change (jobs_spec_text()), u8
 * whether the spec is thin, job_submit_pack(), u8 what it is exempt from
 * (LIMIT_EXEMPT_), str hash of script, str hash of environment
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
	fed_put_u8(bytes, host->exempt);
	fed_put_str(bytes, host->script_hash);
	fed_put_str(bytes, host->env_hash);
	free(spec);
	free(change);
}

/*
 * u16 version, u32 job id, u32 epoch, job_run_pack(), u8 what slurmdbd is told
 * (JOB_ROW_)
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
	jobs_append(jobs, RECORD_JOB_HOST, &bytes);
}

extern void jobs_write_run(jobs_t *jobs, const fed_job_t *job)
{
	fed_bytes_t bytes = { 0 };

	jobs_changed(jobs, job);
	_pack_run(job, &bytes);
	jobs_append(jobs, RECORD_JOB_RUN, &bytes);
}

static int _replay_run(jobs_t *jobs, fed_reader_t *reader, fed_err_t *err)
{
	uint16_t version = fed_get_u16(reader);
	uint32_t id = fed_get_u32(reader), epoch = fed_get_u32(reader);
	fed_job_t *job = fed_job_table_find_epoch(jobs->table, id, epoch);
	uint8_t rows;
	job_run_t run;
	int rc = 0;

	job_run_init(&run);
	job_run_unpack(&run, reader);
	rows = fed_get_u8(reader);
	if (!_is_whole(reader, version, RUN_RECORD_VERSION, RUN_RECORD_VERSION,
		       id, err)) {
		rc = -1;
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
	bool thin = fed_get_u8(reader);
	job_submit_t submit = { 0 };
	char *script_hash = NULL, *env_hash = NULL;
	uint8_t exempt = 0;
	job_host_t *host;
	int rc = 0;

	job_submit_unpack(&submit, reader);
	if (version > HOST_RECORD_OLDEST)
		exempt = fed_get_u8(reader);
	if (version >= HOST_RECORD_HASHES) {
		script_hash = record_get_str(reader);
		env_hash = record_get_str(reader);
	}
	if (!_is_whole(reader, version, HOST_RECORD_OLDEST,
		       HOST_RECORD_VERSION, id, err)) {
		rc = -1;
	} else if (job) {
		host = jobs_host(jobs, job);
		xfree(host->origin);
		host->origin = xstrdup(origin);
		host->hash = hash;
		host->requeue = requeue;
		host->thin = thin;
		host->exempt = exempt;
		job_submit_free(&host->submit);
		host->submit = submit;
		submit = (job_submit_t) { 0 };
		xfree(host->script_hash);
		xfree(host->env_hash);
		host->script_hash = script_hash;
		host->env_hash = env_hash;
		script_hash = env_hash = NULL;
		jobs_free_spec(&host->spec);
		jobs_free_spec(&host->change);
		if (spec && !(host->spec = _spec_from_text(spec, err)))
			rc = -1;
		if (change && !(host->change = _spec_from_text(change, err)))
			rc = -1;
	}
	job_submit_free(&submit);
	xfree(script_hash);
	xfree(env_hash);
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
	case RECORD_USAGE:
	case RECORD_CHARGE:
		return usage_replay(jobs->usage, type, body, len, err);
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
	usage_pack(jobs->usage, &bytes);
	_snapshot_one(&snapshot, RECORD_USAGE, &bytes);
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
	jobs_append(jobs, RECORD_CURSOR, &bytes);
	jobs->cursor_written = jobs->cursor;
}

extern void jobs_forget(jobs_t *jobs, fed_job_t *job)
{
	fed_bytes_t bytes = { 0 };

	fed_put_u32(&bytes, job->id);
	fed_put_u32(&bytes, job->epoch);
	jobs_append(jobs, RECORD_JOB_FORGET, &bytes);
	jobs_changed(jobs, job);
	fed_job_table_forget(jobs->table, job);
}
