/*
 * fed_job_fuzz.c - a job's record, and whatever may happen to the job in it.
 *
 * A record that is taken is written the same again. Then the rest of the input
 * is events, in any order and number; nothing of it may do harm, whatever
 * state the record claims to be in, and an event that is ignored changes
 * nothing.
 */
#include "testsuite/fuzz/fuzz.h"

#include <string.h>

#include "src/core/fed_job.h"

#define EVENTS_MAX 64

static fed_job_event_t _event(fed_reader_t *reader)
{
	uint16_t flags;
	fed_job_event_t event = {
		.type = fed_get_u8(reader) % FED_EVENTS,
		.action = fed_get_u8(reader) % FED_ACTIONS,
	};

	flags = fed_get_u16(reader);
	event.now = 1000 + (flags & 7);
	event.only_here = flags & 0x8;
	event.same = flags & 0x10;
	event.kill = flags & 0x20;
	event.requeue = flags & 0x40;
	event.by_siblings = flags & 0x80;
	event.run_again = flags & 0x100;
	event.view = fed_get_u8(reader) % (FED_VIEW_LEFT + 1);
	event.flurm = event.view % (FED_FLURM_OVER + 1);
	event.end = 1 + flags / 0x200 % (FED_END_STATES - 1);
	event.restarts = flags >> 14;
	event.attempt = flags >> 14;
	event.signal = flags >> 8;
	event.start_time = (flags & 0x1000) ? 1000 : 0;
	event.asked = UINT64_MAX;
	event.viable = flags >> 12;
	return event;
}

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fed_job_t job = { 0 }, again = { 0 };
	fed_bytes_t once = { 0 }, twice = { 0 };
	fed_reader_t reader;
	fed_err_t err = { 0 };
	size_t record;

	if (len < 1)
		return 0;
	record = data[0] < len - 1 ? data[0] : len - 1;
	if (fed_job_unpack(&job, data + 1, record, &err) < 0) {
		MUST(err.text[0]);
		return 0;
	}
	fed_job_pack(&job, &once);
	MUST(once.len == record);
	MUST(!fed_job_unpack(&again, once.data, once.len, &err));
	fed_job_pack(&again, &twice);
	MUST((once.len == twice.len) &&
	     !memcmp(once.data, twice.data, once.len));
	MUST(fed_job_action(&job) == fed_job_action(&again));

	fed_reader_init(&reader, data + 1 + record, len - 1 - record);
	for (int i = 0; (i < EVENTS_MAX) && fed_reader_left(&reader); i++) {
		fed_job_event_t event = _event(&reader);
		fed_job_t before = job;
		fed_job_verdict_t verdict = fed_job_update(&job, &event);

		if (verdict == FED_JOB_IGNORED)
			MUST(!memcmp(&before, &job, sizeof(job)));
		MUST(job.state < FED_JOB_STATES);
		MUST(job.end < FED_END_STATES);
		MUST(job.signal_count <= FED_JOB_SIGNALS);
		MUST(!(job.owed >> FED_ACTIONS));
		MUST(!(fed_job_action(&job) >> FED_ACTIONS));
		MUST(fed_job_sync(&job) <= FED_SYNC_RUNNING);
		fed_bytes_clear(&once);
		fed_job_pack(&job, &once);
		again = (fed_job_t) { 0 };
		MUST(!fed_job_unpack(&again, once.data, once.len, &err));
	}
	fed_bytes_free(&once);
	fed_bytes_free(&twice);
	return 0;
}
