/*
 * client_query.c - questions to the server: health, stats, partitions, nodes,
 * one job, all jobs (see client.h).
 *
 * A question is asked at once, also while ops are paused: the first one that
 * is answered ends the pause. Each kind has one function that reads an answer
 * and one that tells of a failure.
 */
#include "src/flurm/client_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/json_text.h"

#define PAGE_LIMIT 1000		/* jobs in one answer */
#define PATH_LEN 96

typedef struct query query_t;

typedef struct {
	/*
	 * Tell what the answer says.
	 * RET 1: there is more to ask for, at query->path; 0: the end; -1: it
	 * cannot be read, err says why
	 */
	int (*answered)(query_t *query, const json_t *json, fed_err_t *err);
	void (*failed)(query_t *query, flurm_outcome_t outcome,
		       const fed_err_t *err);
} query_kind_t;

struct query {
	call_t call;
	flurm_client_t *client;
	const query_kind_t *kind;
	char path[PATH_LEN];
	transfer_t *transfer;
	int64_t deadline_ms;	/* of the loop's clock; 0: one try */
	unsigned int tries;
	bool over;		/* the deadline has passed, or given up */
	bool incomplete;	/* (jobs) a page was */
	uint64_t cursor;	/* (jobs) */
	fed_err_t err;		/* of the last try */
	flurm_timer_t again;
	flurm_timer_t deadline;
	union {
		flurm_health_done_t health;
		flurm_stats_done_t stats;
		flurm_partitions_done_t partitions;
		flurm_nodes_done_t nodes;
		flurm_job_done_t job;
		flurm_list_done_t jobs;
	} done;
	flurm_page_t page;	/* (jobs) */
	void *arg;
};

/* --- asking --- */

static void _finish(query_t *query)
{
	map_take(&query->client->calls, query->call.id);
	timer_clear(query->client->timers, &query->again);
	timer_clear(query->client->timers, &query->deadline);
	transfer_abort(query->transfer);
}

static void _fail(query_t *query, flurm_outcome_t outcome)
{
	_finish(query);
	query->kind->failed(query, outcome, &query->err);
	free(query);
}

static const query_kind_t health_kind;
static void _done(void *arg, const transfer_result_t *answer);

static void _ask(void *arg)
{
	query_t *query = arg;
	flurm_client_t *client = query->client;
	transfer_conf_t conf = {
		.method = "GET",
		.path = query->path,
		.answer_ms = client->conf.answer_ms,
		.done = _done,
		.arg = query,
	};

	client->stats.requests++;
	query->transfer = transfer_start(client->dest, &conf, &query->err);
	if (!query->transfer)	/* told from within the next turn */
		timer_set(client->timers, &query->deadline, 0);
}

static void _try_again(query_t *query, int64_t retry_after)
{
	flurm_client_t *client = query->client;
	int64_t at_ms = flurm_loop_now(client->loop) +
		client_backoff_ms(client, ++query->tries, retry_after);

	if (query->over || (at_ms >= query->deadline_ms)) {
		_fail(query, FLURM_NOT_DELIVERED);
		return;
	}
	client->stats.retries++;
	timer_set(client->timers, &query->again, at_ms);
}

static void _read(query_t *query, const transfer_result_t *answer)
{
	json_t *json;
	int rc;

	json = flurm_json_read(answer->body, answer->len, FLURM_JSON_REPLY,
			       &query->err);
	if (!json) {
		fed_err_prefix(&query->err, "GET %s", query->path);
		_try_again(query, FLURM_UNSET);
		return;
	}
	/* out of everything before its callback: that may do what it likes */
	map_take(&query->client->calls, query->call.id);
	rc = query->kind->answered(query, json, &query->err);
	json_decref(json);
	if (rc == 0) {
		_finish(query);
		free(query);
		return;
	}
	map_set(&query->client->calls, query->call.id, &query->call);
	if (rc > 0) {
		query->tries = 0;
		_ask(query);
	} else {
		fed_err_prefix(&query->err, "GET %s", query->path);
		_try_again(query, FLURM_UNSET);
	}
}

static void _done(void *arg, const transfer_result_t *answer)
{
	query_t *query = arg;
	flurm_client_t *client = query->client;

	query->transfer = NULL;
	if (client_judge_whole(answer) != VERDICT_DONE) {
		client_explain(answer, &query->err);
		client_failed(client, answer->retry_after, query->err.text);
		_try_again(query, answer->retry_after);
		return;
	}
	/* a health reply is for everyone: _health_answered() looks closer */
	if (query->kind != &health_kind)
		client_heard(client);
	switch (client_judge(answer->status)) {
	case VERDICT_DONE:
		_read(query, answer);
		break;
	case VERDICT_FINAL:
		client_explain(answer, &query->err);
		_fail(query, FLURM_REFUSED);
		break;
	default:
		client_explain(answer, &query->err);
		_try_again(query, answer->retry_after);
		break;
	}
}

static void _expired(void *arg)
{
	query_t *query = arg;

	if (!query->err.text[0])
		fed_err_set(&query->err, ETIMEDOUT, "GET %s: %s", query->path,
			    query->over ? "given up" : "no answer in time");
	_fail(query, FLURM_NOT_DELIVERED);
}

static void _cancel(call_t *call)
{
	query_t *query = (query_t *) call;

	query->over = true;
	timer_set(query->client->timers, &query->deadline, 0);
}

static void _destroy(call_t *call)
{
	((query_t *) call)->over = true;
	_expired(call);
}

/* RET the query, not yet asked; NULL: the client closes */
static query_t *_create(flurm_client_t *client, const query_kind_t *kind,
			unsigned int deadline_ms, void *arg)
{
	query_t *query;

	if (client->closing)
		return NULL;
	query = fed_calloc(1, sizeof(*query));
	query->call.cancel = _cancel;
	query->call.destroy = _destroy;
	query->client = client;
	query->kind = kind;
	query->arg = arg;
	query->again = (flurm_timer_t) TIMER(_ask, query);
	query->deadline = (flurm_timer_t) TIMER(_expired, query);
	if (deadline_ms) {
		query->deadline_ms = flurm_loop_now(client->loop) +
			deadline_ms;
		timer_set(client->timers, &query->deadline,
			  query->deadline_ms);
	}
	client_add_call(client, &query->call);
	return query;
}

static uint64_t _start(query_t *query, const char *path)
{
	uint64_t id = query->call.id;

	snprintf(query->path, sizeof(query->path), "%s", path);
	_ask(query);
	return id;
}

/* --- health --- */

static int _health_answered(query_t *query, const json_t *json, fed_err_t *err)
{
	flurm_health_t health;

	if (flurm_health_from_json(json, &health, err) < 0)
		return -1;
	query->client->stats.capabilities = health.capabilities;
	/* told only to those whose token it takes */
	if (health.instance_id)
		client_heard(query->client);
	query->done.health(query->arg, FLURM_ANSWERED, &health, NULL);
	flurm_health_free(&health);
	return 0;
}

static void _health_failed(query_t *query, flurm_outcome_t outcome,
			   const fed_err_t *err)
{
	query->done.health(query->arg, outcome, NULL, err);
}

static const query_kind_t health_kind = { _health_answered, _health_failed };

extern uint64_t flurm_client_health(flurm_client_t *client,
				    unsigned int deadline_ms,
				    flurm_health_done_t done, void *arg)
{
	query_t *query = _create(client, &health_kind, deadline_ms, arg);

	if (!query)
		return 0;
	query->done.health = done;
	return _start(query, "/api/v1/health");
}

/* --- stats --- */

static int _stats_answered(query_t *query, const json_t *json, fed_err_t *err)
{
	flurm_cluster_stats_t stats;

	if (flurm_cluster_stats_from_json(json, &stats, err) < 0)
		return -1;
	query->done.stats(query->arg, FLURM_ANSWERED, &stats, NULL);
	return 0;
}

static void _stats_failed(query_t *query, flurm_outcome_t outcome,
			  const fed_err_t *err)
{
	query->done.stats(query->arg, outcome, NULL, err);
}

extern uint64_t flurm_client_stats(flurm_client_t *client,
				   unsigned int deadline_ms,
				   flurm_stats_done_t done, void *arg)
{
	static const query_kind_t kind = { _stats_answered, _stats_failed };
	query_t *query = _create(client, &kind, deadline_ms, arg);

	if (!query)
		return 0;
	query->done.stats = done;
	return _start(query, "/api/v1/cluster/stats");
}

/* --- partitions and nodes --- */

/* RET the list: the answer itself, or its member of that name */
static const json_t *_list(const json_t *json, const char *name)
{
	return json_is_array(json) ? json : json_object_get(json, name);
}

static int _partitions_answered(query_t *query, const json_t *json,
				fed_err_t *err)
{
	const json_t *list = _list(json, "partitions");
	size_t count = json_array_size(list), done = 0;
	flurm_partition_t *all;

	if (!json_is_array(list))
		return fed_err_set(err, EBADMSG, "partitions: not a list");
	all = fed_calloc(count + 1, sizeof(*all));
	for (; done < count; done++)
		if (flurm_partition_from_json(json_array_get(list, done),
					      &all[done], err) < 0)
			break;
	if (done == count)
		query->done.partitions(query->arg, FLURM_ANSWERED, all, count,
				       NULL);
	for (size_t i = 0; i < done; i++)
		flurm_partition_free(&all[i]);
	free(all);
	return (done == count) ? 0 : fed_err_prefix(err, "partition %zu", done);
}

static void _partitions_failed(query_t *query, flurm_outcome_t outcome,
			       const fed_err_t *err)
{
	query->done.partitions(query->arg, outcome, NULL, 0, err);
}

extern uint64_t flurm_client_partitions(flurm_client_t *client,
					unsigned int deadline_ms,
					flurm_partitions_done_t done,
					void *arg)
{
	static const query_kind_t kind = {
		_partitions_answered, _partitions_failed
	};
	query_t *query = _create(client, &kind, deadline_ms, arg);

	if (!query)
		return 0;
	query->done.partitions = done;
	return _start(query, "/api/v1/partitions");
}

static int _nodes_answered(query_t *query, const json_t *json, fed_err_t *err)
{
	const json_t *list = _list(json, "nodes");
	size_t count = json_array_size(list), done = 0;
	flurm_node_t *all;

	if (!json_is_array(list))
		return fed_err_set(err, EBADMSG, "nodes: not a list");
	all = fed_calloc(count + 1, sizeof(*all));
	for (; done < count; done++)
		if (flurm_node_from_json(json_array_get(list, done),
					 &all[done], err) < 0)
			break;
	if (done == count)
		query->done.nodes(query->arg, FLURM_ANSWERED, all, count,
				  NULL);
	for (size_t i = 0; i < done; i++)
		flurm_node_free(&all[i]);
	free(all);
	return (done == count) ? 0 : fed_err_prefix(err, "node %zu", done);
}

static void _nodes_failed(query_t *query, flurm_outcome_t outcome,
			  const fed_err_t *err)
{
	query->done.nodes(query->arg, outcome, NULL, 0, err);
}

extern uint64_t flurm_client_nodes(flurm_client_t *client,
				   unsigned int deadline_ms,
				   flurm_nodes_done_t done, void *arg)
{
	static const query_kind_t kind = { _nodes_answered, _nodes_failed };
	query_t *query = _create(client, &kind, deadline_ms, arg);

	if (!query)
		return 0;
	query->done.nodes = done;
	return _start(query, "/api/v1/nodes");
}

/* --- one job --- */

static int _job_answered(query_t *query, const json_t *json, fed_err_t *err)
{
	flurm_job_t job;

	if (flurm_job_from_json(json, &job, err) < 0)
		return -1;
	query->done.job(query->arg, FLURM_ANSWERED, &job, NULL);
	flurm_job_free(&job);
	return 0;
}

static void _job_failed(query_t *query, flurm_outcome_t outcome,
			const fed_err_t *err)
{
	query->done.job(query->arg, outcome, NULL, err);
}

extern uint64_t flurm_client_job(flurm_client_t *client, uint32_t fed_job_id,
				 unsigned int deadline_ms,
				 flurm_job_done_t done, void *arg)
{
	static const query_kind_t kind = { _job_answered, _job_failed };
	query_t *query = _create(client, &kind, deadline_ms, arg);
	char path[PATH_LEN];

	if (!query)
		return 0;
	query->done.job = done;
	snprintf(path, sizeof(path), "/api/v1/jobs/%u", fed_job_id);
	return _start(query, path);
}

/* --- all jobs --- */

static int _jobs_answered(query_t *query, const json_t *json, fed_err_t *err)
{
	flurm_job_page_t page;
	uint64_t next;

	if (flurm_job_page_from_json(json, &page, err) < 0)
		return -1;
	next = page.next;
	if (next && (next <= query->cursor)) {
		flurm_job_page_free(&page);
		return fed_err_set(err, EBADMSG, "next: %" PRIu64 " does not "
				   "lead on from %" PRIu64, next,
				   query->cursor);
	}
	if (!page.complete)
		query->incomplete = true;
	query->page(query->arg, &page);
	flurm_job_page_free(&page);
	if (!next) {
		query->done.jobs(query->arg, !query->incomplete, NULL);
		return 0;
	}
	query->cursor = next;
	snprintf(query->path, sizeof(query->path),
		 "/api/v1/jobs?limit=%d&after=%" PRIu64, PAGE_LIMIT, next);
	return 1;
}

static void _jobs_failed(query_t *query, flurm_outcome_t outcome,
			 const fed_err_t *err)
{
	query->done.jobs(query->arg, false, err);
}

extern uint64_t flurm_client_jobs(flurm_client_t *client,
				  unsigned int deadline_ms, flurm_page_t page,
				  flurm_list_done_t done, void *arg)
{
	static const query_kind_t kind = { _jobs_answered, _jobs_failed };
	query_t *query = _create(client, &kind, deadline_ms, arg);
	char path[PATH_LEN];

	if (!query)
		return 0;
	query->page = page;
	query->done.jobs = done;
	snprintf(path, sizeof(path), "/api/v1/jobs?limit=%d", PAGE_LIMIT);
	return _start(query, path);
}
