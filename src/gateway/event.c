/*
 * event.c - what happened to a job (see event.h).
 *
 * The packed form begins with a version. The reader refuses those that it does
 * not know rather than dropping what it does not understand; no release has
 * written 1 or 2.
 */
#include "src/gateway/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"

#define PACK_VERSION 3
#define MAX_NODES 10000000

extern void gw_event_init(gw_event_t *event, gw_event_type_t type)
{
	*event = (gw_event_t) {
		.type = type,
		.state = FLURM_STATE_COUNT,
		.exit_code = FLURM_UNSET,
		.signal = FLURM_UNSET,
		.usage = { FLURM_UNSET, FLURM_UNSET, FLURM_UNSET },
	};
}

extern void gw_event_free(gw_event_t *event)
{
	free(event->node_list);
	free(event->nodes);
	free(event->reason);
	free(event->brief);
	free(event->body);
	free(event->detail);
	gw_event_init(event, event->type);
}

extern bool gw_event_is_public(gw_event_type_t type)
{
	switch (type) {
	case GW_EV_TAKEN:
	case GW_EV_GRANTED:
	case GW_EV_WAIT:
	case GW_EV_GAVE_BACK:
	case GW_EV_CANCEL:
	case GW_EV_REQUEUE:
	case GW_EV_FORGOTTEN:
		return false;
	default:
		return true;
	}
}

extern void gw_event_pack(const gw_event_t *event, fed_bytes_t *bytes)
{
	fed_put_u8(bytes, PACK_VERSION);
	fed_put_u8(bytes, event->type);
	fed_put_u64(bytes, event->seq);
	fed_put_u32(bytes, event->fed_job_id);
	fed_put_u32(bytes, event->epoch);
	fed_put_u64(bytes, event->job_id);
	fed_put_i64(bytes, event->time_ms);
	fed_put_i64(bytes, event->until_ms);
	fed_put_u8(bytes, event->state);
	fed_put_u8(bytes, event->hold);
	fed_put_u32(bytes, event->cpus);
	fed_put_i64(bytes, event->start_time);
	fed_put_i64(bytes, event->end_time);
	fed_put_i64(bytes, event->suspended_for);
	fed_put_i64(bytes, event->exit_code);
	fed_put_i64(bytes, event->signal);
	fed_put_i64(bytes, event->usage.user_us);
	fed_put_i64(bytes, event->usage.system_us);
	fed_put_i64(bytes, event->usage.max_rss_kb);
	fed_put_u32(bytes, event->node_count);
	for (uint32_t i = 0; i < event->node_count; i++)
		fed_put_u32(bytes, event->node_list[i]);
	fed_put_str(bytes, event->nodes);
	fed_put_str(bytes, event->reason);
	fed_put_str(bytes, event->brief);
	fed_put_str(bytes, event->body);
	fed_put_str(bytes, event->detail);
	fed_put_u32(bytes, event->attempt);
}

static void _get_nodes(fed_reader_t *reader, gw_event_t *event)
{
	uint32_t count = fed_get_u32(reader);

	if (reader->bad || !count)
		return;
	if ((count > MAX_NODES) || (fed_reader_left(reader) / 4 < count)) {
		reader->bad = true;
		return;
	}
	event->node_list = fed_calloc(count, sizeof(*event->node_list));
	event->node_count = count;
	for (uint32_t i = 0; i < count; i++)
		event->node_list[i] = fed_get_u32(reader);
}

extern int gw_event_unpack(const void *data, size_t len, gw_event_t *ret_event,
			   fed_err_t *err)
{
	fed_reader_t reader;
	gw_event_t event;
	uint8_t version;

	fed_reader_init(&reader, data, len);
	version = fed_get_u8(&reader);
	if (!reader.bad && (version != PACK_VERSION))
		return fed_err_set(err, EPROTO, "event of version %u, this "
				   "gateway knows %d", version, PACK_VERSION);
	gw_event_init(&event, fed_get_u8(&reader));
	event.seq = fed_get_u64(&reader);
	event.fed_job_id = fed_get_u32(&reader);
	event.epoch = fed_get_u32(&reader);
	event.job_id = fed_get_u64(&reader);
	event.time_ms = fed_get_i64(&reader);
	event.until_ms = fed_get_i64(&reader);
	event.state = fed_get_u8(&reader);
	event.hold = fed_get_u8(&reader);
	event.cpus = fed_get_u32(&reader);
	event.start_time = fed_get_i64(&reader);
	event.end_time = fed_get_i64(&reader);
	event.suspended_for = fed_get_i64(&reader);
	event.exit_code = fed_get_i64(&reader);
	event.signal = fed_get_i64(&reader);
	event.usage.user_us = fed_get_i64(&reader);
	event.usage.system_us = fed_get_i64(&reader);
	event.usage.max_rss_kb = fed_get_i64(&reader);
	_get_nodes(&reader, &event);
	event.nodes = fed_get_str(&reader);
	event.reason = fed_get_str(&reader);
	event.brief = fed_get_str(&reader);
	event.body = fed_get_str(&reader);
	event.detail = fed_get_str(&reader);
	event.attempt = fed_get_u32(&reader);
	if (!fed_reader_done(&reader) || (event.state > FLURM_STATE_COUNT) ||
	    !event.type || (event.type > GW_EV_INSTANCE)) {
		gw_event_free(&event);
		return fed_err_set(err, EPROTO, "event is damaged");
	}
	*ret_event = event;
	return 0;
}

static flurm_event_type_t _public_type(gw_event_type_t type)
{
	switch (type) {
	case GW_EV_SUBMITTED:
		return FLURM_EV_SUBMITTED;
	case GW_EV_ASKED:
	case GW_EV_ASKED_AGAIN:
		return FLURM_EV_START_REQUEST;
	case GW_EV_STARTED:
		return FLURM_EV_STARTED;
	case GW_EV_START_FAILED:
		return FLURM_EV_START_FAILED;
	case GW_EV_ENDED:
		return FLURM_EV_ENDED;
	case GW_EV_HELD:
		return FLURM_EV_HELD;
	case GW_EV_RELEASED:
		return FLURM_EV_RELEASED;
	case GW_EV_UPDATED:
		return FLURM_EV_UPDATED;
	case GW_EV_REQUEUED:
		return FLURM_EV_REQUEUED;
	case GW_EV_SUSPENDED:
		return FLURM_EV_SUSPENDED;
	case GW_EV_RESUMED:
		return FLURM_EV_RESUMED;
	case GW_EV_INSTANCE:
		return FLURM_EV_INSTANCE;
	default:
		return FLURM_EV_CLUSTER;
	}
}

/* What our own ledger says is not wrong; what cannot be read is left out. */
static void _add_detail(const gw_event_t *event, flurm_event_t *public)
{
	json_t *json;

	if (!event->detail)
		return;
	if (event->type == GW_EV_UPDATED) {
		public->changes = fed_calloc(1, sizeof(*public->changes));
		flurm_job_spec_init(public->changes);
		(void) flurm_job_spec_unpack(event->detail, public->changes,
					     NULL);
		return;
	}
	json = json_loads(event->detail, 0, NULL);
	public->stats = fed_calloc(1, sizeof(*public->stats));
	(void) flurm_cluster_stats_from_json(json, public->stats, NULL);
	json_decref(json);
}

extern char *gw_event_line(const gw_event_t *event, size_t *ret_len)
{
	flurm_event_t public;
	char *line;

	/* its texts stay ours: no flurm_event_free() */
	flurm_event_init(&public);
	public.seq = event->seq;
	public.type = _public_type(event->type);
	public.fed_job_id = event->fed_job_id;
	public.epoch = event->epoch;
	public.job_id = event->job_id;
	public.time = event->time_ms / 1000;
	public.nodes = event->nodes;
	public.state = event->state;
	public.exit_code = event->exit_code;
	public.signal = event->signal;
	public.usage = event->usage;
	if (event->type == GW_EV_INSTANCE)
		public.instance_id = event->reason;
	else
		public.reason = event->reason;
	if (event->cpus)
		public.cpus = event->cpus;
	if (event->start_time)
		public.start_time = event->start_time;
	if (event->end_time)
		public.end_time = event->end_time;
	if ((public.type == FLURM_EV_START_REQUEST) ||
	    (public.type == FLURM_EV_START_FAILED))
		public.attempt = event->attempt;
	_add_detail(event, &public);
	line = flurm_event_line(&public, ret_len);
	if (public.changes)
		flurm_job_spec_free(public.changes);
	free(public.changes);
	free(public.stats);
	return line;
}
