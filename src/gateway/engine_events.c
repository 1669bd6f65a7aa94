/*
 * engine_events.c - the event stream, and what is kept (see engine.h).
 *
 * A listener gets every event after its cursor, in order, as soon as the
 * event is durable. One that does not keep up is paused and goes on from where
 * it was; events wait in the log for it, not in its connection.
 *
 * The server's callbacks come from its own thread and only post. A listener
 * is freed when its stream is closed and none of its posts is on its way.
 */
#include "fed_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/log.h"
#include "src/core/mem.h"
#include "src/gateway/engine_in.h"

#define PAUSE_ABOVE (1024 * 1024)	/* bytes that the peer has not taken */
#define HEARTBEAT "{\"type\":\"heartbeat\"}\n"
#define HEARTBEAT_MS 4000
#define NO_CURSOR UINT64_MAX

typedef struct {
	gw_post_t post;
	flurm_request_t *request;
	uint64_t after;
} events_post_t;

typedef struct {
	gw_post_t post;
	gw_listener_t *listener;
	bool gone;
} listener_post_t;

static void _free_if_done(gw_engine_t *engine, gw_listener_t *listener)
{
	gw_listener_t **at = &engine->listeners;

	if (!listener->gone)
		return;
	if (listener->stream) {
		flurm_stream_close(listener->stream);
		listener->stream = NULL;
	}
	if (__atomic_load_n(&listener->posts, __ATOMIC_ACQUIRE))
		return;
	while (*at && (*at != listener))
		at = &(*at)->next;
	if (*at)
		*at = listener->next;
	free(listener);
}

static void _run_listener(gw_engine_t *engine, gw_post_t *post)
{
	listener_post_t *mine = (listener_post_t *) post;
	gw_listener_t *listener = mine->listener;

	listener->paused = false;
	listener->gone |= mine->gone;
	__atomic_sub_fetch(&listener->posts, 1, __ATOMIC_ACQ_REL);
	free(mine);
	_free_if_done(engine, listener);
}

/* In the server's thread. */
static void _post_listener(gw_listener_t *listener, bool gone)
{
	listener_post_t *mine = fed_calloc(1, sizeof(*mine));

	mine->post.run = _run_listener;
	mine->listener = listener;
	mine->gone = gone;
	__atomic_add_fetch(&listener->posts, 1, __ATOMIC_ACQ_REL);
	if (gw_engine_post(listener->engine, &mine->post))
		return;
	__atomic_sub_fetch(&listener->posts, 1, __ATOMIC_ACQ_REL);
	free(mine);
}

static void _drained(void *arg)
{
	_post_listener(arg, false);
}

static void _gone(void *arg)
{
	_post_listener(arg, true);
}

static void _send(gw_engine_t *engine, gw_listener_t *listener)
{
	const gw_event_t *event;
	ssize_t waits = 0;

	while (!listener->gone && !listener->paused &&
	       (event = gw_evlog_get(&engine->store.evlog,
				     listener->next_seq))) {
		size_t len;
		char *line = gw_event_line(event, &len);

		if (!line)
			return;		/* with the next event, then */
		waits = flurm_stream_write(listener->stream, line, len);
		if ((waits >= 0) && gw_fault_duplicates(engine->faults))
			waits = flurm_stream_write(listener->stream, line, len);
		free(line);
		if (waits < 0) {
			listener->gone = true;
			return;
		}
		if (engine->heard < listener->next_seq)
			engine->heard = listener->next_seq;
		listener->next_seq++;
		listener->paused = waits > PAUSE_ABOVE;
	}
}

extern void gw_engine_publish(gw_engine_t *engine)
{
	gw_listener_t *listener, *next;

	for (listener = engine->listeners; listener; listener = next) {
		next = listener->next;
		_send(engine, listener);
		_free_if_done(engine, listener);
	}
}

extern void gw_engine_end_streams(gw_engine_t *engine)
{
	gw_listener_t *listener, *next;

	for (listener = engine->listeners; listener; listener = next) {
		next = listener->next;
		listener->gone = true;
		_free_if_done(engine, listener);
	}
}

/*
 * A client that has come back has what it said in "after", and nothing that
 * was sent later: jobs whose request to start it may have lost ask once more.
 */
static void _ask_again(gw_engine_t *engine, uint64_t after)
{
	gw_job_t *job;
	uint64_t id = 0;

	if (!engine->by_state[FLURM_STARTING])
		return;
	for (; (job = gw_jobs_after(engine->store.jobs, id));
	     id = job->job_id) {
		gw_event_t event;

		if ((job->state != FLURM_STARTING) || job->granted ||
		    (job->asked_seq > after))
			continue;
		gw_event_init(&event, GW_EV_ASKED_AGAIN);
		event.nodes = fed_strdup(job->nodes);
		event.cpus = job->alloc_count * job->entry.need.cpus;
		gw_engine_event(engine, job, &event);
	}
}

static void _listen(gw_engine_t *engine, flurm_request_t *request,
		    uint64_t after)
{
	gw_listener_t *listener = fed_calloc(1, sizeof(*listener));
	const flurm_stream_conf_t conf = {
		.type = "application/x-ndjson",
		.heartbeat = HEARTBEAT,
		.heartbeat_ms = HEARTBEAT_MS,
		.drained = _drained,
		.gone = _gone,
		.arg = listener,
	};

	listener->engine = engine;
	listener->next_seq = after + 1;
	listener->next = engine->listeners;
	engine->listeners = listener;
	listener->stream = flurm_request_stream(request, &conf);
	listener->gone = !listener->stream;
}

/* What follows its cursor is not all here: it has to list all jobs. */
static void _refuse_gone(gw_engine_t *engine, flurm_request_t *request,
			 const char *why)
{
	char *text;
	json_t *json;

	json = json_pack("{s:s, s:s, s:s}", "error", flurm_error_code(410),
			 "reason", why, "instance_id",
			 engine->store.instance_id);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (text)
		gw_engine_answer_text(engine, request, 410,
				      "application/json", text, strlen(text));
	else
		flurm_request_error(request, 500, NULL, "out of memory");
}

static void _run_events(gw_engine_t *engine, gw_post_t *post)
{
	events_post_t *mine = (events_post_t *) post;
	const gw_evlog_t *evlog = &engine->store.evlog;
	const char *instance = flurm_request_query(mine->request, "instance");
	uint64_t after = mine->after;

	if (after == NO_CURSOR)
		after = (gw_evlog_count(evlog) ? evlog->first : evlog->next) -
			1;
	if (instance && strcmp(instance, engine->store.instance_id)) {
		_refuse_gone(engine, mine->request, "the cursor is of a state "
			     "that is lost: list all jobs");
	} else if (gw_evlog_has_after(evlog, after)) {
		_refuse_gone(engine, mine->request, "the events after this "
			     "cursor are not all here: list all jobs");
	} else {
		_ask_again(engine, after);
		_listen(engine, mine->request, after);
	}
	free(mine);
}

extern void gw_engine_events(gw_engine_t *engine, flurm_request_t *request)
{
	events_post_t *mine;
	uint64_t after = NO_CURSOR;
	fed_err_t err;

	if (flurm_request_number(request, "after", 0, INT64_MAX, &after,
				 &err)) {
		flurm_request_error(request, 400, NULL, "%s", err.text);
		return;
	}
	mine = fed_calloc(1, sizeof(*mine));
	*mine = (events_post_t) {
		.post.run = _run_events,
		.request = request,
		.after = after,
	};
	if (gw_engine_post(engine, &mine->post))
		return;
	free(mine);
	flurm_request_error(request, 503, NULL, "the gateway is stopping");
}

static void _run_ack(gw_engine_t *engine, gw_post_t *post)
{
	events_post_t *mine = (events_post_t *) post;
	flurm_result_t result;
	char text[64];

	if (mine->after >= engine->store.evlog.next) {
		flurm_result_init(&result);
		flurm_result_set(&result, 400, NULL,
				 "seq: there is no such event yet");
		gw_engine_answer(engine, mine->request, &result);
	} else {
		gw_store_ack(&engine->store, mine->after);
		snprintf(text, sizeof(text), "{\"seq\":%" PRIu64 "}",
			 mine->after);
		gw_engine_answer_text(engine, mine->request, 200,
				      "application/json", fed_strdup(text),
				      strlen(text));
	}
	free(mine);
}

extern void gw_engine_ack(gw_engine_t *engine, flurm_request_t *request,
			  uint64_t seq)
{
	events_post_t *mine = fed_calloc(1, sizeof(*mine));

	*mine = (events_post_t) {
		.post.run = _run_ack,
		.request = request,
		.after = seq,
	};
	if (gw_engine_post(engine, &mine->post))
		return;
	free(mine);
	flurm_request_error(request, 503, NULL, "the gateway is stopping");
}

extern void gw_engine_clean(gw_engine_t *engine)
{
	gw_evlog_t *evlog = &engine->store.evlog;
	int64_t keep = engine->now_ms / 1000 - engine->conf->finished_keep;
	gw_event_t event;
	gw_job_t *job;

	if (gw_evlog_count(evlog) > (size_t) engine->conf->max_events)
		gw_evlog_drop(evlog, evlog->first + gw_evlog_count(evlog) -
			      engine->conf->max_events - 1);
	/* one whose end may still be asked for stays with it */
	while ((job = engine->over_first) && (job->end_time < keep) &&
	       !job->told_start && !gw_evlog_get(evlog, job->ended_seq)) {
		gw_event_init(&event, GW_EV_FORGOTTEN);
		gw_engine_event(engine, job, &event);
	}
}
