/*
 * engine_view.c - requests that only look (see engine.h).
 *
 * They wait for the commit like any other, so that nobody sees what a crash
 * could still undo.
 */
#include "fed_config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/cluster.h"
#include "src/gateway/engine_in.h"

#define PAGE_DEFAULT 500
#define PAGE_MAX 1000	/* other requests wait while a page is made */

typedef struct {
	gw_post_t post;
	flurm_request_t *request;
	gw_view_t view;
} view_post_t;

typedef struct {
	gw_post_t post;
	flurm_request_t *request;
	json_t *command;
} debug_post_t;

static void _refuse(gw_engine_t *engine, flurm_request_t *request, int status,
		    const char *reason)
{
	flurm_result_t result;

	flurm_result_init(&result);
	flurm_result_set(&result, status, NULL, "%s", reason);
	gw_engine_answer(engine, request, &result);
}

static void _answer_json(gw_engine_t *engine, flurm_request_t *request,
			 json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	if (text)
		gw_engine_answer_text(engine, request, 200,
				      "application/json", text, strlen(text));
	else
		_refuse(engine, request, 500, "out of memory");
}

/* "pending,running" */
static int _parse_states(const char *text, bool wanted[FLURM_STATE_COUNT],
			 fed_err_t *err)
{
	char *states, *rest, *one;
	flurm_state_t state;
	int rc = 0;

	for (int i = 0; i < FLURM_STATE_COUNT; i++)
		wanted[i] = !text || !*text;
	if (!text || !*text)
		return 0;
	rest = states = fed_strdup(text);
	while (!rc && (one = strsep(&rest, ",")))
		if (flurm_state_parse(one, &state))
			rc = fed_err_set(err, 0, "state: no \"%s\"", one);
		else
			wanted[state] = true;
	free(states);
	return rc;
}

static void _print_page(gw_engine_t *engine, FILE *out, uint64_t after,
			uint64_t limit, const bool wanted[FLURM_STATE_COUNT])
{
	uint64_t next = 0, count = 0;
	gw_job_t *job;

	fputs("{\"jobs\":[", out);
	while ((job = gw_jobs_after(engine->store.jobs, after))) {
		char *text;

		if (wanted[job->state]) {
			if (count == limit) {
				next = after;
				break;
			}
			text = gw_job_json(job, engine->now_ms / 1000, NULL);
			if (text)
				fprintf(out, "%s%s", count++ ? "," : "", text);
			free(text);
		}
		after = job->job_id;
	}
	fprintf(out, "],\"next\":%" PRIu64 ",\"complete\":true}", next);
}

static void _view_jobs(gw_engine_t *engine, flurm_request_t *request)
{
	uint64_t after = 0, limit = PAGE_DEFAULT;
	bool wanted[FLURM_STATE_COUNT];
	char *text = NULL;
	size_t len = 0;
	fed_err_t err;
	FILE *out;

	if (flurm_request_number(request, "after", 0, INT64_MAX, &after,
				 &err) ||
	    flurm_request_number(request, "limit", 1, INT64_MAX, &limit,
				 &err) ||
	    _parse_states(flurm_request_query(request, "state"), wanted,
			  &err)) {
		_refuse(engine, request, 400, err.text);
		return;
	}
	if (limit > PAGE_MAX)
		limit = PAGE_MAX;
	if (!(out = open_memstream(&text, &len))) {
		_refuse(engine, request, 500, "out of memory");
		return;
	}
	_print_page(engine, out, after, limit, wanted);
	fclose(out);
	gw_engine_answer_text(engine, request, 200, "application/json", text,
			      len);
}

/* By fed_job_id, or with ?job_id= by our own. */
static void _view_job(gw_engine_t *engine, flurm_request_t *request)
{
	uint64_t fed_job_id = 0, job_id = 0;
	gw_job_t *job;
	fed_err_t err;
	size_t len;
	char *text;

	if (flurm_request_number(request, "job_id", 1, INT64_MAX, &job_id,
				 &err) ||
	    flurm_request_number(request, "id", job_id ? 0 : 1, UINT32_MAX,
				 &fed_job_id, &err)) {
		_refuse(engine, request, 400, err.text);
		return;
	}
	job = job_id ? gw_jobs_find_id(engine->store.jobs, job_id) :
		gw_jobs_find(engine->store.jobs, fed_job_id);
	if (!job)
		_refuse(engine, request, 404, "no such job here");
	else if ((text = gw_job_json(job, engine->now_ms / 1000, &len)))
		gw_engine_answer_text(engine, request, 200,
				      "application/json", text, len);
	else
		_refuse(engine, request, 500, "out of memory");
}

extern json_t *gw_engine_stats(const gw_engine_t *engine)
{
	const gw_cluster_t *cluster = &engine->cluster;
	const size_t *by_state = engine->by_state;
	flurm_cluster_stats_t stats;
	gw_sched_stats_t sched;

	gw_sched_stats(cluster->sched, &sched);
	flurm_cluster_stats_init(&stats);
	stats.node_count = cluster->layout->count;
	stats.cpu_count = cluster->cpus;
	stats.memory_mb = cluster->memory_mb;
	stats.gpu_count = 0;
	stats.available_cpus = sched.free_cpus;
	stats.available_memory = sched.free_memory_mb;
	stats.pending_jobs = by_state[FLURM_PENDING] + by_state[FLURM_HELD] +
		by_state[FLURM_STARTING];
	stats.running_jobs = by_state[FLURM_RUNNING] +
		by_state[FLURM_SUSPENDED] + by_state[FLURM_COMPLETING];
	return flurm_cluster_stats_to_json(&stats);
}

static void _metric(FILE *out, const char *name, const char *type,
		    const char *help)
{
	fprintf(out, "# HELP flurm_gateway_%s %s\n"
		"# TYPE flurm_gateway_%s %s\n", name, help, name, type);
}

static void _print_metrics(gw_engine_t *engine, FILE *out)
{
	const gw_counters_t *counters = &engine->counters;
	fed_ledger_stats_t ledger;
	gw_sched_stats_t sched;

	gw_sched_stats(engine->cluster.sched, &sched);
	fed_ledger_stats(engine->store.ledger, &ledger);
	_metric(out, "jobs", "gauge", "Jobs held, by state.");
	for (int i = 0; i < FLURM_STATE_COUNT; i++)
		fprintf(out, "flurm_gateway_jobs{state=\"%s\"} %zu\n",
			flurm_state_name(i), engine->by_state[i]);
	_metric(out, "ops_total", "counter", "Requests that change jobs.");
	for (int i = 0; i < FLURM_OP_COUNT; i++)
		fprintf(out, "flurm_gateway_ops_total{op=\"%s\"} %" PRIu64
			"\n", flurm_op_name(i), counters->ops[i]);
	_metric(out, "refused_total", "counter", "Those of them refused.");
	fprintf(out, "flurm_gateway_refused_total %" PRIu64 "\n",
		counters->refused);
	_metric(out, "started_total", "counter", "Jobs started.");
	fprintf(out, "flurm_gateway_started_total %" PRIu64 "\n",
		counters->started);
	_metric(out, "ended_total", "counter", "Jobs ended, by state.");
	for (int i = FLURM_COMPLETED; i < FLURM_STATE_COUNT; i++)
		fprintf(out, "flurm_gateway_ended_total{state=\"%s\"} %"
			PRIu64 "\n", flurm_state_name(i), counters->ended[i]);
	_metric(out, "free_cpus", "gauge", "CPUs that no job holds.");
	fprintf(out, "flurm_gateway_free_cpus %" PRIu64 "\n",
		sched.free_cpus);
	_metric(out, "queued_jobs", "gauge", "Jobs that could start.");
	fprintf(out, "flurm_gateway_queued_jobs %zu\n", sched.queued);
	_metric(out, "scheduler_passes_total", "counter",
		"Looks at the queue.");
	fprintf(out, "flurm_gateway_scheduler_passes_total %" PRIu64 "\n",
		counters->passes);
	_metric(out, "events_kept", "gauge",
		"Events that a client may still ask for.");
	fprintf(out, "flurm_gateway_events_kept %zu\n",
		gw_evlog_count(&engine->store.evlog));
	_metric(out, "ledger_commits_total", "counter", "Groups committed.");
	fprintf(out, "flurm_gateway_ledger_commits_total %" PRIu64 "\n",
		ledger.commits);
	_metric(out, "ledger_bytes", "gauge", "Size of the ledger.");
	fprintf(out, "flurm_gateway_ledger_bytes %" PRIu64 "\n",
		ledger.base_bytes + ledger.log_bytes);
	if (engine->server)
		flurm_server_metrics(engine->server, "flurm_gateway_http",
				     out);
}

static void _view_metrics(gw_engine_t *engine, flurm_request_t *request)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out) {
		_refuse(engine, request, 500, "out of memory");
		return;
	}
	_print_metrics(engine, out);
	fclose(out);
	gw_engine_answer_text(engine, request, 200,
			      "text/plain; version=0.0.4", text, len);
}

static void _run_view(gw_engine_t *engine, gw_post_t *post)
{
	view_post_t *mine = (view_post_t *) post;
	flurm_request_t *request = mine->request;

	switch (mine->view) {
	case GW_VIEW_JOBS:
		/* the route of one job without its number */
		if (flurm_request_query(request, "job_id"))
			_view_job(engine, request);
		else
			_view_jobs(engine, request);
		break;
	case GW_VIEW_JOB:
		_view_job(engine, request);
		break;
	case GW_VIEW_STATS:
		_answer_json(engine, request, gw_engine_stats(engine));
		break;
	case GW_VIEW_PARTITIONS:
		_answer_json(engine, request,
			     gw_cluster_partitions(&engine->cluster));
		break;
	case GW_VIEW_NODES:
		_answer_json(engine, request,
			     gw_cluster_nodes(&engine->cluster));
		break;
	case GW_VIEW_METRICS:
	case GW_VIEW_COUNT:
		_view_metrics(engine, request);
		break;
	}
	free(mine);
}

extern void gw_engine_view(gw_engine_t *engine, flurm_request_t *request,
			   gw_view_t view)
{
	view_post_t *mine = fed_calloc(1, sizeof(*mine));

	*mine = (view_post_t) {
		.post.run = _run_view,
		.request = request,
		.view = view,
	};
	if (gw_engine_post(engine, &mine->post))
		return;
	free(mine);
	flurm_request_error(request, 503, NULL, "the gateway is stopping");
}

/* Answered at once: what goes wrong on purpose must not hit this. */
static void _run_debug(gw_engine_t *engine, gw_post_t *post)
{
	debug_post_t *mine = (debug_post_t *) post;
	json_t *reply = NULL;
	fed_err_t err;

	if (!engine->faults ||
	    (gw_faults_set(engine->faults, mine->command, &err) == 0))
		reply = engine->ops->debug(engine->backend, mine->command,
					   &err);
	if (reply && engine->faults)
		gw_faults_tell(engine->faults, reply);
	if (reply)
		flurm_request_reply_json(mine->request, 200, reply);
	else
		flurm_request_error(mine->request, 400, NULL, "%s", err.text);
	engine->backend_due_ms = engine->now_ms;
	json_decref(mine->command);
	free(mine);
}

extern void gw_engine_debug(gw_engine_t *engine, flurm_request_t *request,
			    json_t *command)
{
	debug_post_t *mine = fed_calloc(1, sizeof(*mine));

	*mine = (debug_post_t) {
		.post.run = _run_debug,
		.request = request,
		.command = command,
	};
	if (gw_engine_post(engine, &mine->post))
		return;
	json_decref(command);
	free(mine);
	flurm_request_error(request, 503, NULL, "the gateway is stopping");
}
