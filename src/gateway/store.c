/*
 * store.c - the gateway's ledger (see store.h).
 *
 * Replay is the same update that happened live. An event for a job that is
 * not there, or for another epoch than the job's, cannot have been written by
 * us: it is damage and the store is refused, rather than guessed at.
 */
#include "src/gateway/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "src/core/log.h"
#include "src/core/mem.h"
#include "src/gateway/gate.h"

#define META_VERSION 1
#define OPEN_TRIES 10

enum {
	RECORD_META = 1,
	RECORD_EVENT = 2,
	RECORD_ACK = 3,
	RECORD_JOB = 4,
	RECORD_KEPT = 5,
};

/* RFC 9562, version 4 */
static int _new_uuid(char text[GW_INSTANCE_MAX], fed_err_t *err)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char random[16];
	char *p = text;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return fed_err_set(err, errno, "getrandom: %s",
				   strerror(errno));
	random[6] = (random[6] & 0x0f) | 0x40;
	random[8] = (random[8] & 0x3f) | 0x80;
	for (int i = 0; i < 16; i++) {
		if ((i == 4) || (i == 6) || (i == 8) || (i == 10))
			*p++ = '-';
		*p++ = hex[random[i] >> 4];
		*p++ = hex[random[i] & 0x0f];
	}
	*p = 0;
	return 0;
}

static int _append_meta(gw_store_t *store, fed_ledger_t *ledger,
			fed_err_t *err)
{
	fed_bytes_clear(&store->buf);
	fed_put_u8(&store->buf, META_VERSION);
	fed_put_str(&store->buf, store->instance_id);
	fed_put_u64(&store->buf, store->next_job_id);
	fed_put_u64(&store->buf, store->evlog.next);
	return fed_ledger_append(ledger, RECORD_META, store->buf.data,
				 store->buf.len, err);
}

static int _replay_meta(gw_store_t *store, const void *body, size_t len,
			fed_err_t *err)
{
	fed_reader_t reader;
	char *instance_id;
	uint8_t version;

	fed_reader_init(&reader, body, len);
	version = fed_get_u8(&reader);
	instance_id = fed_get_str(&reader);
	store->next_job_id = fed_get_u64(&reader);
	gw_evlog_init(&store->evlog, fed_get_u64(&reader));
	if (!fed_reader_done(&reader) || (version != META_VERSION) ||
	    !instance_id || (strlen(instance_id) >= GW_INSTANCE_MAX)) {
		free(instance_id);
		return fed_err_set(err, EPROTO, "the record of the instance "
				   "is damaged");
	}
	memcpy(store->instance_id, instance_id, strlen(instance_id) + 1);
	free(instance_id);
	return 0;
}

/*
 * The event happens to the table.
 * IN place - of its record
 * RET 0, or -1 if that makes no sense
 */
static int _happen(gw_store_t *store, gw_job_t *job, const gw_event_t *event,
		   uint64_t place, fed_err_t *err)
{
	if ((event->type == GW_EV_CLUSTER) || (event->type == GW_EV_INSTANCE))
		return 0;
	if (event->type == GW_EV_SUBMITTED) {
		/* a job that is over makes way for its next epoch */
		if (job)
			gw_jobs_remove(store->jobs, job);
		job = gw_job_create(event->fed_job_id, event->job_id);
		gw_jobs_add(store->jobs, job);
		if (event->job_id >= store->next_job_id)
			store->next_job_id = event->job_id + 1;
	}
	if (!job || (job->epoch != event->epoch &&
		     event->type != GW_EV_SUBMITTED))
		return fed_err_set(err, EPROTO, "an event for job %u epoch "
				   "%u, which is not there", event->fed_job_id,
				   event->epoch);
	if (event->type == GW_EV_FORGOTTEN) {
		gw_jobs_remove(store->jobs, job);
		return 0;
	}
	gw_gate_update(job, event);
	if (event->body)
		job->body_at = place;
	return 0;
}

static int _replay_event(gw_store_t *store, uint64_t place, const void *body,
			 size_t len, bool kept, fed_err_t *err)
{
	gw_event_t event;
	int rc = 0;

	if (gw_event_unpack(body, len, &event, err))
		return -1;
	if (!kept)
		rc = _happen(store,
			     gw_jobs_find(store->jobs, event.fed_job_id),
			     &event, place, err);
	if (!rc && event.seq)
		gw_evlog_add(&store->evlog, &event);
	gw_event_free(&event);
	return rc;
}

static int _replay_job(gw_store_t *store, uint64_t place, const void *body,
		       size_t len, fed_err_t *err)
{
	gw_job_t *job = gw_job_create(0, 0);
	char *packed = NULL;

	if (gw_job_unpack(body, len, job, &packed, err) ||
	    gw_jobs_find(store->jobs, job->fed_job_id)) {
		free(packed);
		gw_job_free(job);
		return -1;
	}
	if (packed)
		job->body_at = place;
	free(packed);
	gw_jobs_add(store->jobs, job);
	return 0;
}

static int _replay_ack(gw_store_t *store, const void *body, size_t len,
		       fed_err_t *err)
{
	fed_reader_t reader;
	uint64_t seq;

	fed_reader_init(&reader, body, len);
	seq = fed_get_u64(&reader);
	if (!fed_reader_done(&reader))
		return fed_err_set(err, EPROTO, "a cursor is damaged");
	if (seq > store->acked)
		store->acked = seq;
	gw_evlog_drop(&store->evlog, seq);
	return 0;
}

static int _replay(uint64_t place, uint16_t type, const void *body, size_t len,
		   void *arg, fed_err_t *err)
{
	gw_store_t *store = arg;

	switch (type) {
	case RECORD_META:
		return _replay_meta(store, body, len, err);
	case RECORD_EVENT:
		return _replay_event(store, place, body, len, false, err);
	case RECORD_KEPT:
		return _replay_event(store, place, body, len, true, err);
	case RECORD_JOB:
		return _replay_job(store, place, body, len, err);
	case RECORD_ACK:
		return _replay_ack(store, body, len, err);
	default:
		return fed_err_set(err, EPROTO, "record of type %u: written by "
				   "a newer gateway?", type);
	}
}

/*
 * Cursors begin at a number that grows with time, so that a cursor of a store
 * that is lost is never taken for one of this.
 */
static int _begin(gw_store_t *store, int64_t now_ms, fed_err_t *err)
{
	gw_event_t event;

	if (_new_uuid(store->instance_id, err))
		return -1;
	store->next_job_id = 1;
	gw_evlog_init(&store->evlog, now_ms);
	if (_append_meta(store, store->ledger, err))
		return -1;
	gw_event_init(&event, GW_EV_INSTANCE);
	event.time_ms = now_ms;
	event.reason = fed_strdup(store->instance_id);
	if (gw_store_event(store, NULL, &event, err))
		return -1;
	fed_info("this is a new store: instance %s", store->instance_id);
	return fed_ledger_commit(store->ledger, err);
}

/*
 * A gateway that was killed while it started a shim leaves a child that has
 * its lock until the exec. The ledger waits a moment for that; on a busy
 * machine, where all jobs may be starting, it is worth a few of those.
 */
static fed_ledger_t *_open_ledger(gw_store_t *store, const char *dir,
				  fed_err_t *err)
{
	const fed_ledger_opts_t opts = { .app = "flurm-gateway" };
	fed_ledger_t *ledger = NULL;

	for (int tries = 0; !ledger && (tries < OPEN_TRIES); tries++) {
		ledger = fed_ledger_open(dir, &opts, _replay, store, err);
		if (!ledger && (err->code != EBUSY))
			break;
	}
	return ledger;
}

extern int gw_store_open(gw_store_t *store, const char *dir, int64_t now_ms,
			 fed_err_t *err)
{
	*store = (gw_store_t) { .jobs = gw_jobs_create() };
	store->ledger = _open_ledger(store, dir, err);
	if (!store->ledger ||
	    (!store->instance_id[0] && _begin(store, now_ms, err))) {
		gw_store_close(store);
		return -1;
	}
	return 0;
}

extern void gw_store_close(gw_store_t *store)
{
	fed_ledger_close(store->ledger);
	gw_jobs_destroy(store->jobs);
	gw_evlog_free(&store->evlog);
	fed_bytes_free(&store->buf);
	*store = (gw_store_t) { 0 };
}

extern int gw_store_event(gw_store_t *store, gw_job_t *job, gw_event_t *event,
			  fed_err_t *err)
{
	uint64_t place = fed_ledger_next_place(store->ledger);
	int rc;

	if (gw_event_is_public(event->type))
		gw_evlog_number(&store->evlog, event);
	fed_bytes_clear(&store->buf);
	gw_event_pack(event, &store->buf);
	rc = fed_ledger_append(store->ledger, RECORD_EVENT, store->buf.data,
			       store->buf.len, err);
	if (!rc)
		rc = _happen(store, job, event, place, err);
	if (!rc && event->seq)
		gw_evlog_add(&store->evlog, event);
	gw_event_free(event);
	return rc;
}

/*
 * Script and environment of a job, packed, from the record that has them.
 * OUT ret_body - malloc'd; NULL: it is over
 * RET 0 or -1
 */
static int _fetch_body(gw_store_t *store, const gw_job_t *job, char **ret_body,
		       fed_err_t *err)
{
	fed_bytes_t record = { 0 };
	gw_job_t *whole = NULL;
	gw_event_t event;
	uint16_t type;
	int rc;

	*ret_body = NULL;
	if (!job->body_at)
		return 0;
	rc = fed_ledger_fetch(store->ledger, job->body_at, &type, &record,
			      err);
	if (!rc && (type == RECORD_EVENT)) {
		rc = gw_event_unpack(record.data, record.len, &event, err);
		if (!rc) {
			*ret_body = event.body;
			event.body = NULL;
			gw_event_free(&event);
		}
	} else if (!rc) {
		whole = gw_job_create(0, 0);
		rc = gw_job_unpack(record.data, record.len, whole, ret_body,
				   err);
		gw_job_free(whole);
	}
	fed_bytes_free(&record);
	return rc ? fed_err_prefix(err, "job %u: its script", job->fed_job_id) :
		    0;
}

extern int gw_store_spec(gw_store_t *store, const gw_job_t *job,
			 flurm_job_spec_t *ret_spec, fed_err_t *err)
{
	char *body;
	int rc;

	if (_fetch_body(store, job, &body, err))
		return -1;
	rc = gw_job_spec(job, body, ret_spec, err);
	free(body);
	return rc;
}

extern void gw_store_ack(gw_store_t *store, uint64_t seq)
{
	fed_err_t err;

	if (seq <= store->acked)
		return;
	store->acked = seq;
	gw_evlog_drop(&store->evlog, seq);
	fed_bytes_clear(&store->buf);
	fed_put_u64(&store->buf, seq);
	if (fed_ledger_append(store->ledger, RECORD_ACK, store->buf.data,
			      store->buf.len, &err))
		fed_error("ledger: %s", err.text);
}

/* Into a snapshot. */
static int _append_job(gw_store_t *store, fed_ledger_t *ledger, gw_job_t *job,
		       fed_err_t *err)
{
	char *body;

	if (_fetch_body(store, job, &body, err))
		return -1;
	job->body_next = body ? fed_ledger_next_place(ledger) : 0;
	fed_bytes_clear(&store->buf);
	gw_job_pack(job, body, &store->buf);
	free(body);
	return fed_ledger_append(ledger, RECORD_JOB, store->buf.data,
				 store->buf.len, err);
}

static int _append_kept(gw_store_t *store, fed_ledger_t *ledger,
			const gw_event_t *event, fed_err_t *err)
{
	fed_bytes_clear(&store->buf);
	gw_event_pack(event, &store->buf);
	return fed_ledger_append(ledger, RECORD_KEPT, store->buf.data,
				 store->buf.len, err);
}

static int _write_snapshot(fed_ledger_t *ledger, void *arg, fed_err_t *err)
{
	gw_store_t *store = arg;
	const gw_evlog_t *evlog = &store->evlog;
	gw_job_t *job = NULL;
	uint64_t after = 0;

	if (_append_meta(store, ledger, err))
		return -1;
	for (; (job = gw_jobs_after(store->jobs, after)); after = job->job_id)
		if (_append_job(store, ledger, job, err))
			return -1;
	for (size_t i = evlog->begin; i < evlog->end; i++)
		if (_append_kept(store, ledger, evlog->slots[i], err))
			return -1;
	fed_bytes_clear(&store->buf);
	fed_put_u64(&store->buf, store->acked);
	return fed_ledger_append(ledger, RECORD_ACK, store->buf.data,
				 store->buf.len, err);
}

static void _snapshot(gw_store_t *store)
{
	gw_job_t *job = NULL;
	uint64_t after = 0;
	fed_err_t err;

	if (fed_ledger_snapshot(store->ledger, _write_snapshot, store, &err)) {
		fed_error("snapshot of the ledger: %s", err.text);
		return;
	}
	for (; (job = gw_jobs_after(store->jobs, after)); after = job->job_id)
		job->body_at = job->body_next;
}

extern int gw_store_commit(gw_store_t *store, fed_err_t *err)
{
	if (fed_ledger_commit(store->ledger, err))
		return -1;
	if (fed_ledger_wants_snapshot(store->ledger))
		_snapshot(store);
	return 0;
}
