/*
 * client_events.c - following the event stream of one server (see client.h).
 *
 * The stream is one request whose answer never ends. A watchdog ends it when
 * nothing came for too long, heartbeats included; it is then asked for again
 * after the last event seen. The cursor that the server may forget up to is
 * only what the caller said is safe.
 */
#include "src/flurm/client_inside.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/json_text.h"

#define ACK_PATH "/api/v1/federation/events/ack"
#define ACK_EVERY_MS 1000
#define LINE_MAX_LEN (4 << 20)

struct events {
	flurm_client_t *client;
	flurm_events_ops_t ops;
	void *arg;
	uint64_t after;		/* the last one seen */
	char *instance_id;	/* NULL: any */
	transfer_t *transfer;
	bool up;
	bool told_down;		/* since the last up */
	unsigned int failures;	/* in a row */
	flurm_timer_t again;
	flurm_timer_t watchdog;

	transfer_t *ack_transfer;
	uint64_t safe;		/* the last one said to be */
	uint64_t acked;		/* the last one the server was told of */
	bool no_ack_route;
	flurm_timer_t ack;
};

static void _connect(void *arg);

/* --- up and down --- */

static void _watch(events_t *events)
{
	timer_set(events->client->timers, &events->watchdog,
		  flurm_loop_now(events->client->loop) +
		  events->client->conf.silence_ms);
}

static void _down(events_t *events, int64_t retry_after, const fed_err_t *err)
{
	flurm_client_t *client = events->client;
	bool tell = events->up || !events->told_down;

	timer_clear(client->timers, &events->watchdog);
	events->up = false;
	events->told_down = true;
	client->stats.stream_up = false;
	timer_set(client->timers, &events->again, flurm_loop_now(client->loop) +
		  client_backoff_ms(client, ++events->failures, retry_after));
	if (tell && events->ops.down)
		events->ops.down(events->arg, err);
}

static void _up(events_t *events)
{
	events->up = true;
	events->told_down = false;
	events->failures = 0;
	events->client->stats.stream_up = true;
	client_heard(events->client);
	if (events->ops.up)
		events->ops.up(events->arg);
}

static void _lost(events_t *events, const fed_err_t *err)
{
	transfer_abort(events->transfer);
	events->transfer = NULL;
	_down(events, FLURM_UNSET, err);
}

static void _silent(void *arg)
{
	events_t *events = arg;
	fed_err_t err;

	fed_err_set(&err, ETIMEDOUT, "the event stream was silent for %u ms",
		    events->client->conf.silence_ms);
	_lost(events, &err);
}

/* --- lines --- */

/*
 * One line. Its callback may stop the stream and free events.
 * RET 0, or -1: it is not an event, err says why
 */
static int _take_line(events_t *events, const char *line, size_t len,
		      fed_err_t *err)
{
	flurm_client_t *client = events->client;
	flurm_event_t event;
	json_t *json;
	int rc;

	json = flurm_json_read(line, len, FLURM_JSON_REPLY, err);
	if (!json)
		return fed_err_prefix(err, "event");
	rc = flurm_event_from_json(json, &event, err);
	json_decref(json);
	if (rc < 0)
		return -1;
	if (event.seq) {
		events->after = event.seq;
		client->stats.events++;
	}
	if ((event.type == FLURM_EV_INSTANCE) && event.instance_id) {
		free(events->instance_id);
		events->instance_id = fed_strdup(event.instance_id);
	}
	if ((event.type != FLURM_EV_HEARTBEAT) && events->ops.event)
		events->ops.event(events->arg, &event);
	flurm_event_free(&event);
	return 0;
}

static void _grown(void *arg)
{
	events_t *events = arg;
	flurm_client_t *client = events->client;
	transfer_t *transfer = events->transfer;
	fed_err_t err;

	if (transfer_status(transfer) != 200)
		return;		/* an error's body: read at its end */
	_watch(events);
	if (!events->up)
		_up(events);
	/* any callback may have stopped the stream */
	while ((client->events == events) && (events->transfer == transfer)) {
		size_t len;
		const char *data = transfer_data(transfer, &len);
		const char *end = memchr(data, '\n', len);
		size_t line = end ? (size_t) (end - data) : len;

		if (line > LINE_MAX_LEN) {
			fed_err_set(&err, EBADMSG, "event: a line of more "
				    "than %d bytes", LINE_MAX_LEN);
			_lost(events, &err);
			return;
		}
		if (!end)
			return;
		/* consuming moves no byte */
		transfer_consume(transfer, line + 1);
		if (line && (_take_line(events, data, line, &err) < 0)) {
			_lost(events, &err);
			return;
		}
	}
}

/* --- the request --- */

/* 410: what we want to go on from is gone. */
static void _gap(events_t *events, const transfer_result_t *answer)
{
	flurm_client_t *client = events->client;
	json_t *json = flurm_json_read(answer->body, answer->len,
				       FLURM_JSON_REPLY, NULL);
	const char *id = json_string_value(json_object_get(json,
							   "instance_id"));
	char *instance_id = fed_strdup(id);
	bool again = (events->after == FLURM_EVENTS_OLDEST);

	json_decref(json);
	free(events->instance_id);
	events->instance_id = instance_id;
	events->after = FLURM_EVENTS_OLDEST;
	events->safe = events->acked = 0;
	timer_clear(client->timers, &events->ack);
	timer_clear(client->timers, &events->watchdog);
	timer_set(client->timers, &events->again, !again ? 0 :
		  flurm_loop_now(client->loop) +
		  client_backoff_ms(client, ++events->failures, FLURM_UNSET));
	/* the last thing done: it may stop the stream */
	instance_id = fed_strdup(instance_id);
	if (events->ops.gap)
		events->ops.gap(events->arg, instance_id);
	free(instance_id);
}

static void _done(void *arg, const transfer_result_t *answer)
{
	events_t *events = arg;
	flurm_client_t *client = events->client;
	fed_err_t err;

	/* what came with the end has not been looked at yet */
	if (answer->status == 200)
		_grown(events);
	if ((client->events != events) || !events->transfer)
		return;
	events->transfer = NULL;
	if (answer->status == 410) {
		_gap(events, answer);
		return;
	}
	if (answer->status == 200)
		fed_err_set(&err, 0, "the event stream was ended by the "
			    "server");
	else
		client_explain(answer, &err);
	_down(events, answer->retry_after, &err);
}

static void _connect(void *arg)
{
	events_t *events = arg;
	char *cursor = (events->after == FLURM_EVENTS_OLDEST) ?
		fed_strdup("") :
		fed_strdup_printf("after=%" PRIu64, events->after);
	char *instance = events->instance_id ?
		curl_easy_escape(NULL, events->instance_id, 0) : NULL;
	char *path = fed_strdup_printf(
		"/api/v1/federation/events?%s%s%s", cursor,
		instance ? "&instance=" : "", instance ? instance : "");
	transfer_conf_t conf = {
		.method = "GET",
		.path = path,
		.grown = _grown,
		.done = _done,
		.arg = events,
	};
	fed_err_t err;

	free(cursor);
	curl_free(instance);
	events->client->stats.requests++;
	events->transfer = transfer_start(events->client->dest, &conf, &err);
	free(path);
	if (events->transfer)
		_watch(events);
	else
		_down(events, FLURM_UNSET, &err);
}

/* --- what is safe --- */

static void _ack_done(void *arg, const transfer_result_t *answer)
{
	events_t *events = arg;

	events->ack_transfer = NULL;
	/* a lost one is made good by the next */
	if ((answer->status == 404) || (answer->status == 405))
		events->no_ack_route = true;
}

static void _send_ack(void *arg)
{
	events_t *events = arg;
	flurm_client_t *client = events->client;
	transfer_conf_t conf = {
		.method = "POST",
		.path = ACK_PATH,
		.answer_ms = client->conf.answer_ms,
		.done = _ack_done,
		.arg = events,
	};

	if (events->safe <= events->acked)
		return;
	timer_set(client->timers, &events->ack, flurm_loop_now(client->loop) +
		  ACK_EVERY_MS);
	if (events->ack_transfer || !events->up)
		return;
	conf.body = fed_strdup_printf("{\"seq\":%" PRIu64 "}", events->safe);
	conf.body_len = strlen(conf.body);
	client->stats.requests++;
	events->acked = events->safe;
	events->ack_transfer = transfer_start(client->dest, &conf, NULL);
}

extern void flurm_client_events_ack(flurm_client_t *client, uint64_t seq)
{
	events_t *events = client->events;

	if (!events || events->no_ack_route || (seq <= events->safe))
		return;
	events->safe = seq;
	if (!events->ack.timer.slot)
		timer_set(client->timers, &events->ack,
			  flurm_loop_now(client->loop) + ACK_EVERY_MS);
}

/* --- from outside --- */

extern int flurm_client_events_start(flurm_client_t *client, uint64_t after,
				     const char *instance_id,
				     const flurm_events_ops_t *ops, void *arg)
{
	events_t *events;

	if (client->events || client->closing)
		return -1;
	events = fed_calloc(1, sizeof(*events));
	events->client = client;
	events->ops = *ops;
	events->arg = arg;
	events->after = after;
	events->instance_id = fed_strdup(instance_id);
	events->again = (flurm_timer_t) TIMER(_connect, events);
	events->watchdog = (flurm_timer_t) TIMER(_silent, events);
	events->ack = (flurm_timer_t) TIMER(_send_ack, events);
	client->events = events;
	timer_set(client->timers, &events->again, 0);
	return 0;
}

extern void events_free(flurm_client_t *client)
{
	events_t *events = client->events;

	if (!events)
		return;
	client->events = NULL;
	client->stats.stream_up = false;
	timer_clear(client->timers, &events->again);
	timer_clear(client->timers, &events->watchdog);
	timer_clear(client->timers, &events->ack);
	transfer_abort(events->transfer);
	transfer_abort(events->ack_transfer);
	free(events->instance_id);
	free(events);
}

extern void flurm_client_events_stop(flurm_client_t *client)
{
	events_free(client);
}
