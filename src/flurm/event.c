/*
 * event.c - something that happened at FLURM (see event.h).
 */
#include "src/flurm/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/field.h"
#include "src/flurm/json_text.h"

#define FIELD_RECORD flurm_event_t
static const field_t fields[] = {
	FIELD_KEY64(seq),
	FIELD_KEY32(fed_job_id),
	FIELD_KEY32(epoch),
	FIELD_KEY64(job_id),
	FIELD_KEY32(attempt),
	FIELD_MOMENT(time),
	FIELD_ANY(reason),
	FIELD_ANY(nodes),
	FIELD_COUNT(cpus),
	FIELD_MOMENT(start_time),
	FIELD_MOMENT(end_time),
	FIELD(state, FIELD_STATE, 0, 0),
	FIELD_RANGE(exit_code, 0, 255),
	FIELD_RANGE(signal, 0, 64),
	FIELD_NAME(instance_id),
};
static const field_table_t table = FIELD_TABLE("event", fields);

static const char *const names[FLURM_EV_COUNT] = {
	[FLURM_EV_SUBMITTED] = "submitted",
	[FLURM_EV_REJECTED] = "rejected",
	[FLURM_EV_START_REQUEST] = "start_request",
	[FLURM_EV_STARTED] = "started",
	[FLURM_EV_START_FAILED] = "start_failed",
	[FLURM_EV_ENDED] = "ended",
	[FLURM_EV_HELD] = "held",
	[FLURM_EV_RELEASED] = "released",
	[FLURM_EV_UPDATED] = "updated",
	[FLURM_EV_REQUEUED] = "requeued",
	[FLURM_EV_SUSPENDED] = "suspended",
	[FLURM_EV_RESUMED] = "resumed",
	[FLURM_EV_CLUSTER] = "cluster",
	[FLURM_EV_INSTANCE] = "instance",
	[FLURM_EV_HEARTBEAT] = "heartbeat",
};

extern const char *flurm_event_name(flurm_event_type_t type)
{
	if ((unsigned int) type >= FLURM_EV_COUNT)
		return "unknown";
	return names[type];
}

extern void flurm_event_init(flurm_event_t *event)
{
	field_init(&table, event);
	event->type = FLURM_EV_COUNT;
	event->changes = NULL;
	event->stats = NULL;
	flurm_usage_init(&event->usage);
}

extern void flurm_event_free(flurm_event_t *event)
{
	if (event->changes)
		flurm_job_spec_free(event->changes);
	free(event->changes);
	free(event->stats);
	field_free(&table, event);
	flurm_event_init(event);
}

extern json_t *flurm_event_to_json(const flurm_event_t *event)
{
	json_t *json = json_object();

	if ((field_to_json(&table, event, json) < 0) ||
	    (flurm_usage_put(&event->usage, json) < 0) ||
	    (json_object_set_new(json, "type", json_string(
			flurm_event_name(event->type))) < 0))
		goto fail;
	/* an epoch of 0 is one too */
	if (event->fed_job_id && !event->epoch &&
	    (json_object_set_new(json, "epoch", json_integer(0)) < 0))
		goto fail;
	if (event->changes &&
	    (json_object_set_new(json, "changes", flurm_job_spec_to_json(
			event->changes)) < 0))
		goto fail;
	if (event->stats &&
	    (json_object_set_new(json, "stats", flurm_cluster_stats_to_json(
			event->stats)) < 0))
		goto fail;
	return json;
fail:
	json_decref(json);
	return NULL;
}

static int _type_from_json(const json_t *json, flurm_event_type_t *ret_type,
			   fed_err_t *err)
{
	const char *name = json_string_value(json_object_get(json, "type"));

	if (!name)
		return fed_err_set(err, EINVAL, "type: not a string");
	for (int i = 0; i < FLURM_EV_COUNT; i++) {
		if (!strcmp(name, names[i])) {
			*ret_type = i;
			return 0;
		}
	}
	*ret_type = FLURM_EV_COUNT;
	return 0;
}

static int _changes_from_json(const json_t *json, flurm_event_t *event,
			      fed_err_t *err)
{
	if (!json || json_is_null(json))
		return 0;
	event->changes = fed_calloc(1, sizeof(*event->changes));
	if (flurm_job_spec_from_json(json, event->changes, err) < 0)
		return fed_err_prefix(err, "changes");
	return 0;
}

static int _stats_from_json(const json_t *json, flurm_event_t *event,
			    fed_err_t *err)
{
	if (!json || json_is_null(json))
		return 0;
	event->stats = fed_calloc(1, sizeof(*event->stats));
	if (flurm_cluster_stats_from_json(json, event->stats, err) < 0)
		return fed_err_prefix(err, "stats");
	return 0;
}

extern int flurm_event_from_json(const json_t *json, flurm_event_t *ret_event,
				 fed_err_t *err)
{
	flurm_event_init(ret_event);
	if ((field_from_json(&table, json, ret_event, err) < 0) ||
	    (_type_from_json(json, &ret_event->type, err) < 0) ||
	    (flurm_usage_get(json, &ret_event->usage, err) < 0) ||
	    (_changes_from_json(json_object_get(json, "changes"), ret_event,
				err) < 0) ||
	    (_stats_from_json(json_object_get(json, "stats"), ret_event,
			      err) < 0)) {
		flurm_event_free(ret_event);
		return -1;
	}
	return 0;
}

extern char *flurm_event_line(const flurm_event_t *event, size_t *ret_len)
{
	json_t *json = flurm_event_to_json(event);
	size_t len;
	char *line = flurm_json_write(json, &len);

	json_decref(json);
	if (!line)
		return NULL;
	line = fed_realloc(line, len + 2);
	line[len] = '\n';
	line[len + 1] = '\0';
	if (ret_len)
		*ret_len = len + 1;
	return line;
}
