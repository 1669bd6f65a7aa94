/*
 * client.c - our side of the API of one FLURM cluster (see client.h): its life,
 * and when to try again.
 *
 * Two kinds of failure are told apart. If the server as a whole does not do
 * its work (no connection, 503, 429, a token it does not like), everything
 * pauses, and one request alone finds out whether it is over; a queue of
 * thousands does not fall on a server that has just come back. If it failed
 * one op (another 5xx), that op alone waits.
 */
#include "src/flurm/client_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/json_text.h"

#define MAX_INFLIGHT 16
#define MAX_QUEUED 65536
#define BATCH_OPS 256
#define BATCH_BYTES (4 << 20)
#define ANSWER_MS 30000
#define RETRY_MS 200
#define RETRY_MAX_MS 15000
#define SILENCE_MS 15000
#define RETRY_AFTER_MAX_S 600	/* we look again whatever a server says */

extern const char *flurm_outcome_name(flurm_outcome_t outcome)
{
	switch (outcome) {
	case FLURM_ANSWERED:
		return "answered";
	case FLURM_REFUSED:
		return "refused";
	case FLURM_NOT_DELIVERED:
		return "not delivered";
	case FLURM_UNKNOWN:
		return "unknown whether delivered";
	}
	return "?";
}

static void _defaults(flurm_client_conf_t *conf)
{
	conf->max_inflight = conf->max_inflight ? conf->max_inflight :
						  MAX_INFLIGHT;
	conf->max_queued = conf->max_queued ? conf->max_queued : MAX_QUEUED;
	conf->batch_ops = conf->batch_ops ? conf->batch_ops : BATCH_OPS;
	conf->batch_bytes = conf->batch_bytes ? conf->batch_bytes :
						BATCH_BYTES;
	conf->answer_ms = conf->answer_ms ? conf->answer_ms : ANSWER_MS;
	conf->retry_ms = conf->retry_ms ? conf->retry_ms : RETRY_MS;
	conf->retry_max_ms = conf->retry_max_ms ? conf->retry_max_ms :
						  RETRY_MAX_MS;
	conf->silence_ms = conf->silence_ms ? conf->silence_ms : SILENCE_MS;
}

extern flurm_client_t *flurm_client_create(flurm_loop_t *loop,
					   const flurm_client_conf_t *conf,
					   fed_err_t *err)
{
	dest_t *dest = dest_create(loop, conf, err);
	flurm_client_t *client;

	if (!dest)
		return NULL;
	client = fed_calloc(1, sizeof(*client));
	client->dest = dest;
	client->loop = loop;
	client->timers = loop_timers(loop);
	client->name = fed_strdup(conf->name ? conf->name : conf->url);
	/* the strings are dest's now */
	client->conf = (flurm_client_conf_t) {
		.max_inflight = conf->max_inflight,
		.max_queued = conf->max_queued,
		.batch_ops = conf->batch_ops,
		.batch_bytes = conf->batch_bytes,
		.answer_ms = conf->answer_ms,
		.retry_ms = conf->retry_ms,
		.retry_max_ms = conf->retry_max_ms,
		.silence_ms = conf->silence_ms,
	};
	_defaults(&client->conf);
	client->dice = (uint64_t) flurm_loop_now(loop) ^ (uintptr_t) client;
	op_queue_init(client);
	return client;
}

extern void flurm_client_destroy(flurm_client_t *client)
{
	if (!client)
		return;
	client->closing = true;
	events_free(client);
	while (client->calls.count) {
		/* each takes itself out of the map */
		for (size_t i = 0; i < client->calls.size; i++) {
			call_t *call = client->calls.places[i].value;

			if (call) {
				call->destroy(call);
				break;
			}
		}
	}
	op_queue_free(client);
	map_free(&client->calls);
	dest_destroy(client->dest);
	free(client->name);
	free(client);
}

/* --- calls --- */

extern void client_add_call(flurm_client_t *client, call_t *call)
{
	call->id = ++client->last_id;
	map_set(&client->calls, call->id, call);
}

extern bool flurm_client_cancel(flurm_client_t *client, uint64_t id)
{
	call_t *call = id ? map_get(&client->calls, id) : NULL;

	if (!call)
		return false;
	call->cancel(call);
	return true;
}

extern void flurm_client_get_stats(const flurm_client_t *client,
				   flurm_client_stats_t *ret_stats)
{
	*ret_stats = client->stats;
	ret_stats->queued = client->ops.queued;
}

/* --- failure and recovery --- */

/* RET 0 to 1023 */
static unsigned int _throw_dice(flurm_client_t *client)
{
	client->dice = client->dice * 6364136223846793005ULL +
		1442695040888963407ULL;
	return client->dice >> 54;
}

extern unsigned int client_backoff_ms(flurm_client_t *client,
				      unsigned int tries, int64_t retry_after)
{
	uint64_t most = client->conf.retry_max_ms;
	uint64_t ms = client->conf.retry_ms;

	if (flurm_is_set(retry_after)) {
		ms = (retry_after < RETRY_AFTER_MAX_S) ? retry_after :
							 RETRY_AFTER_MAX_S;
		ms *= 1000;
	} else {
		for (; (tries > 1) && (ms < most); tries--)
			ms *= 2;
		ms = (ms < most) ? ms : most;
		/* half of it for certain, half by chance */
		return ms / 2 + ms * _throw_dice(client) / 2048;
	}
	/* never earlier than asked to */
	return ms + client->conf.retry_ms * _throw_dice(client) / 1024;
}

extern void client_failed(flurm_client_t *client, int64_t retry_after,
			  const char *why)
{
	int64_t now_ms = flurm_loop_now(client->loop);

	/* of several under way, the first one to fail is enough */
	if (client->pause_until_ms > now_ms)
		return;
	client->failures++;
	client->pause_until_ms = now_ms + client_backoff_ms(
		client, client->failures, retry_after);
	if (client->failures > 1)
		fed_log_throttled(&client->complaint, FED_LOG_INFO,
				  "cluster %s: %s", client->name, why);
	op_queue_wake(client);
}

extern void client_heard(flurm_client_t *client)
{
	if (!client->failures)
		return;
	if (client->failures > 1)
		fed_info("cluster %s: the FLURM side answers again",
			 client->name);
	client->failures = 0;
	client->pause_until_ms = 0;
	client->complaint = (fed_log_throttle_t) { 0 };
	op_queue_wake(client);
}

extern verdict_t client_judge(int status)
{
	switch (status) {
	case 401:
	case 403:
	case 408:
	case 425:
	case 429:
	case 503:
		return VERDICT_LATER;
	}
	if ((status >= 200) && (status < 300))
		return VERDICT_DONE;
	return (status >= 500) ? VERDICT_UNSURE : VERDICT_FINAL;
}

extern verdict_t client_judge_whole(const transfer_result_t *result)
{
	switch (result->status) {
	case 0:
		return result->delivered ? VERDICT_UNSURE : VERDICT_LATER;
	case 502:
	case 504:
		return VERDICT_UNSURE;
	default:
		return (client_judge(result->status) == VERDICT_LATER) ?
			VERDICT_LATER : VERDICT_DONE;
	}
}

extern void client_explain(const transfer_result_t *result, fed_err_t *err)
{
	flurm_result_t said;
	json_t *json;

	if (!result->status) {
		fed_err_set(err, 0, "%s", result->error);
		return;
	}
	flurm_result_init(&said);
	json = flurm_json_read(result->body, result->len, FLURM_JSON_REPLY,
			       NULL);
	if (json && (flurm_result_from_json(json, result->status, &said,
					    NULL) == 0) && said.reason)
		fed_err_set(err, result->status, "%s (HTTP status %d)",
			    said.reason, result->status);
	else
		fed_err_set(err, result->status, "HTTP status %d",
			    result->status);
	flurm_result_free(&said);
	json_decref(json);
}
