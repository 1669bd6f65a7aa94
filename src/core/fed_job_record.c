/*
 * fed_job_record.c - a job as the body of a ledger record (see fed_job.h).
 *
 *	u8 version (1), u8 role (1: sibling)
 *	u32 id, u32 epoch, u8 state, u8 end
 *	u16 restarts, u16 refusals, u16 updates_owed
 *	u32 facts, u32 owed, u32 code, u32 status, u32 uid, u32 attempt
 *	u64 viable, u64 flurm_id
 *	i64 received, i64 since, i64 start_time, i64 end_time
 *	u8 number of signals, each u16 signal, u16 flags
 *
 * States, ends, facts and actions are stored by their numbers: new ones go
 * behind the others, or the version goes up.
 */
#include "src/core/fed_job.h"

#include <errno.h>

#include "src/core/job_id.h"

#define VERSION 1
#define ROLE_SIBLING 1

extern void fed_job_pack(const fed_job_t *job, fed_bytes_t *bytes)
{
	fed_put_u8(bytes, VERSION);
	fed_put_u8(bytes, ROLE_SIBLING);
	fed_put_u32(bytes, job->id);
	fed_put_u32(bytes, job->epoch);
	fed_put_u8(bytes, job->state);
	fed_put_u8(bytes, job->end);
	fed_put_u16(bytes, job->restarts);
	fed_put_u16(bytes, job->refusals);
	fed_put_u16(bytes, job->updates_owed);
	fed_put_u32(bytes, job->facts);
	fed_put_u32(bytes, job->owed);
	fed_put_u32(bytes, job->code);
	fed_put_u32(bytes, job->status);
	fed_put_u32(bytes, job->uid);
	fed_put_u32(bytes, job->attempt);
	fed_put_u64(bytes, job->viable);
	fed_put_u64(bytes, job->flurm_id);
	fed_put_i64(bytes, job->received);
	fed_put_i64(bytes, job->since);
	fed_put_i64(bytes, job->start_time);
	fed_put_i64(bytes, job->end_time);
	fed_put_u8(bytes, job->signal_count);
	for (int i = 0; i < job->signal_count; i++) {
		fed_put_u16(bytes, job->signals[i].signal);
		fed_put_u16(bytes, job->signals[i].flags);
	}
}

extern int fed_job_unpack(fed_job_t *job, const void *body, size_t len,
			  fed_err_t *err)
{
	fed_reader_t reader;
	uint8_t version, role;

	fed_reader_init(&reader, body, len);
	version = fed_get_u8(&reader);
	role = fed_get_u8(&reader);
	if (!reader.bad && ((version != VERSION) || (role != ROLE_SIBLING)))
		return fed_err_set(err, EPROTONOSUPPORT,
				   "a job of version %u, role %u, which this release does not know",
				   version, role);
	job->id = fed_get_u32(&reader);
	job->epoch = fed_get_u32(&reader);
	job->state = fed_get_u8(&reader);
	job->end = fed_get_u8(&reader);
	job->restarts = fed_get_u16(&reader);
	job->refusals = fed_get_u16(&reader);
	job->updates_owed = fed_get_u16(&reader);
	job->facts = fed_get_u32(&reader);
	job->owed = fed_get_u32(&reader);
	job->code = fed_get_u32(&reader);
	job->status = fed_get_u32(&reader);
	job->uid = fed_get_u32(&reader);
	job->attempt = fed_get_u32(&reader);
	job->viable = fed_get_u64(&reader);
	job->flurm_id = fed_get_u64(&reader);
	job->received = fed_get_i64(&reader);
	job->since = fed_get_i64(&reader);
	job->start_time = fed_get_i64(&reader);
	job->end_time = fed_get_i64(&reader);
	job->signal_count = fed_get_u8(&reader);
	if (job->signal_count > FED_JOB_SIGNALS)
		return fed_err_set(err, EILSEQ, "a job with %u signals",
				   job->signal_count);
	for (int i = 0; i < job->signal_count; i++) {
		job->signals[i].signal = fed_get_u16(&reader);
		job->signals[i].flags = fed_get_u16(&reader);
	}
	if (!fed_reader_done(&reader) || !job->id || !job->epoch ||
	    (job->state >= FED_JOB_STATES) || (job->end >= FED_END_STATES) ||
	    (job->owed >> FED_ACTIONS))
		return fed_err_set(err, EILSEQ,
				   "a record of %zu bytes that is no job", len);
	fed_job_update(job, &(fed_job_event_t) { .type = FED_EV_REPLAYED });
	return 0;
}
