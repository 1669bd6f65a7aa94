/*
 * client_send.c - sending ops, alone or in batches, and reading the answers
 * (see op_queue.h).
 */
#include "fed_config.h"

#include "src/flurm/op_queue.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/json_text.h"

#define BATCH_PATH "/api/v1/jobs/batch"
#define BATCHES_AT_ONCE 4

/* --- the end of a request --- */

/* None of them got an answer. */
static void _none_answered(op_send_t *send, verdict_t verdict, bool alone,
			   const char *why)
{
	for (size_t i = 0; i < send->count; i++)
		op_again(send->calls[i], verdict, FLURM_UNSET, alone, why);
}

/* RET the array of results, NULL if the answer is not what it should be */
static json_t *_batch_results(const op_send_t *send, json_t *json)
{
	json_t *results = json_object_get(json, "results");

	return (json_array_size(results) == send->count) ? results : NULL;
}

static void _batch_answered(op_send_t *send, const transfer_result_t *answer)
{
	json_t *json = flurm_json_read(answer->body, answer->len,
				       FLURM_JSON_REPLY, NULL);
	json_t *results = _batch_results(send, json);

	if (!results)
		_none_answered(send, VERDICT_UNSURE, true, "the answer to a "
			       "batch is not one result for each op");
	for (size_t i = 0; results && (i < send->count); i++) {
		flurm_result_t result;
		fed_err_t err;

		if (flurm_result_from_batch(json_array_get(results, i),
					    &result, &err) < 0) {
			op_again(send->calls[i], VERDICT_UNSURE, FLURM_UNSET,
			       true, err.text);
			continue;
		}
		op_answered(send->calls[i], &result);
		flurm_result_free(&result);
	}
	json_decref(json);
}

/* The server refused the batch as such. */
static void _batch_refused(op_send_t *send, const transfer_result_t *answer)
{
	flurm_client_t *client = send->client;
	fed_err_t err;

	client_explain(answer, &err);
	if (answer->status == 413) {
		client->ops.batch_bytes /= 2;
	} else {
		fed_error("cluster %s: POST %s: %s; ops travel alone now",
			  client->name, BATCH_PATH, err.text);
		client->stats.capabilities &= ~(uint32_t) FLURM_CAN_BATCH;
	}
	_none_answered(send, VERDICT_LATER, false, err.text);
}

static void _single_answered(op_send_t *send, const transfer_result_t *answer)
{
	json_t *json = flurm_json_read(answer->body, answer->len,
				       FLURM_JSON_REPLY, NULL);
	flurm_result_t result;
	fed_err_t err;
	int rc;

	rc = flurm_result_from_json(json, answer->status, &result, &err);
	if ((rc < 0) && (client_judge(answer->status) == VERDICT_DONE)) {
		/* it did something, and we cannot read what */
		op_again(send->calls[0], VERDICT_UNSURE, FLURM_UNSET, true,
		       err.text);
	} else {
		if (rc < 0)
			flurm_result_set(&result, answer->status, NULL,
					 "HTTP status %d", answer->status);
		op_answered(send->calls[0], &result);
	}
	flurm_result_free(&result);
	json_decref(json);
}

/* The server failed on one of them, we do not know which: one by one. */
static void _batch_failed(op_send_t *send, const transfer_result_t *answer)
{
	fed_err_t err;

	client_explain(answer, &err);
	for (size_t i = 0; i < send->count; i++)
		send->calls[i]->solo = true;
	_none_answered(send, VERDICT_UNSURE, false, err.text);
}

static void _send_free(op_send_t *send)
{
	op_queue_t *ops = &send->client->ops;

	*(send->prev ? &send->prev->next : &ops->sends) = send->next;
	if (send->next)
		send->next->prev = send->prev;
	ops->send_count--;
	send->client->stats.inflight--;
	free(send->calls);
	free(send);
}

static void _send_done(void *arg, const transfer_result_t *answer)
{
	op_send_t *send = arg;
	flurm_client_t *client = send->client;
	verdict_t verdict = client_judge_whole(answer);
	fed_err_t err;

	send->transfer = NULL;
	for (size_t i = 0; i < send->count; i++)
		send->calls[i]->send = NULL;
	if (verdict != VERDICT_DONE) {
		client_explain(answer, &err);
		client_failed(client, answer->retry_after, err.text);
		_none_answered(send, verdict, false, err.text);
	} else {
		client_heard(client);
		verdict = client_judge(answer->status);
		if (!send->batch)
			_single_answered(send, answer);
		else if (verdict == VERDICT_DONE)
			_batch_answered(send, answer);
		else if (verdict == VERDICT_FINAL)
			_batch_refused(send, answer);
		else
			_batch_failed(send, answer);
	}
	_send_free(send);
	op_queue_wake(client);
}

/* --- sending --- */

/* RET how many of those that are ready fit into one request */
static size_t _choose(flurm_client_t *client)
{
	op_queue_t *ops = &client->ops;
	size_t count = 0, bytes = 0;

	if (!(client->stats.capabilities & FLURM_CAN_BATCH))
		return 1;
	for (op_call_t *call = ops->first; call; call = call->next) {
		bytes += call->len + 1;
		if (count && (call->solo || (bytes > ops->batch_bytes) ||
			      (count >= client->conf.batch_ops)))
			break;
		count++;
		if (call->solo)
			break;
	}
	return count;
}

/* RET the body of a batch, malloc'd */
static char *_batch_body(const op_send_t *send, size_t *ret_len)
{
	static const char head[] = "{\"ops\":[", tail[] = "]}";
	size_t len = sizeof(head) + sizeof(tail);
	char *body, *at;

	for (size_t i = 0; i < send->count; i++)
		len += send->calls[i]->len + 1;
	at = body = fed_realloc(NULL, len);
	at = mempcpy(at, head, sizeof(head) - 1);
	for (size_t i = 0; i < send->count; i++) {
		if (i)
			*at++ = ',';
		at = mempcpy(at, send->calls[i]->text, send->calls[i]->len);
	}
	at = mempcpy(at, tail, sizeof(tail));
	*ret_len = at - body - 1;
	return body;
}

static int _start(op_send_t *send, fed_err_t *err)
{
	const op_call_t *call = send->calls[0];
	transfer_conf_t conf = {
		.method = send->batch ? "POST" : call->method,
		.path = send->batch ? BATCH_PATH : call->path,
		.answer_ms = send->client->conf.answer_ms,
		/* libcurl itself must not repeat what is not idempotent */
		.once = !send->batch && !call->fed_job_id,
		.done = _send_done,
		.arg = send,
	};

	if (send->batch) {
		conf.body = _batch_body(send, &conf.body_len);
	} else if (strcmp(call->method, "DELETE")) {
		conf.body = fed_memdup(call->text, call->len);
		conf.body_len = call->len;
	}
	send->transfer = transfer_start(send->client->dest, &conf, err);
	return send->transfer ? 0 : -1;
}

static void _send(flurm_client_t *client, size_t count)
{
	op_send_t *send = fed_calloc(1, sizeof(*send));
	op_queue_t *ops = &client->ops;
	fed_err_t err;

	send->client = client;
	send->batch = (count > 1);
	send->calls = fed_calloc(count, sizeof(*send->calls));
	for (; send->count < count; send->count++) {
		op_call_t *call = ops->first;

		op_leave_line(call);
		call->phase = PHASE_SENT;
		call->send = send;
		ops->queued--;
		send->calls[send->count] = call;
	}
	send->next = ops->sends;
	if (send->next)
		send->next->prev = send;
	ops->sends = send;
	ops->send_count++;
	client->stats.inflight++;
	client->stats.requests++;
	client->stats.batches += send->batch;
	if (_start(send, &err) == 0)
		return;
	for (size_t i = 0; i < count; i++)
		send->calls[i]->send = NULL;
	client_failed(client, FLURM_UNSET, err.text);
	_none_answered(send, VERDICT_LATER, false, err.text);
	_send_free(send);
}

/* RET how many requests may be under way now */
static unsigned int _room(const flurm_client_t *client)
{
	unsigned int most = client->conf.max_inflight;

	if (client->failures)
		return 1;
	/* few, so that those that come meanwhile travel together */
	if ((client->stats.capabilities & FLURM_CAN_BATCH) &&
	    (client->conf.batch_ops > 1) && (most > BATCHES_AT_ONCE))
		return BATCHES_AT_ONCE;
	return most;
}

extern void send_dispatch(void *arg)
{
	flurm_client_t *client = arg;
	op_queue_t *ops = &client->ops;
	int64_t now_ms = flurm_loop_now(client->loop);

	while (ops->first && (ops->send_count < _room(client))) {
		if (client->pause_until_ms > now_ms) {
			timer_set(client->timers, &ops->dispatch,
				  client->pause_until_ms);
			return;
		}
		_send(client, _choose(client));
	}
}

extern void send_abort_all(flurm_client_t *client)
{
	while (client->ops.sends) {
		op_send_t *send = client->ops.sends;

		transfer_abort(send->transfer);
		for (size_t i = 0; i < send->count; i++)
			op_drop(send->calls[i]);
		_send_free(send);
	}
}
