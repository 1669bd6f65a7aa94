/*
 * check_flurm.c - flurmfed check: does FLURM answer, and does it take our
 * token?
 */
#include "src/sibling/compat.h"
#include "src/flurmfed/check.h"

#include <string.h>

#include "src/sibling/flurm_side.h"

#define ASK_MS 5000

typedef struct {
	check_t *check;
	const conf_cluster_t *cluster;
	bool health;		/* it answered to that */
	bool done;
} ask_t;

static void _not_answered(ask_t *ask, const fed_err_t *err)
{
	bool denied = (err->code == 401) || (err->code == 403);

	check_wrong(ask->check, ask->cluster->name,
		    denied ?
		    "TokenFile must be the same as FLURM's, and so must the cluster's name" :
		    "does flurm-gateway (or FLURM) run there, and do CAFile and the certificate fit?",
		    "%s", err->text);
}

static void _health_done(void *arg, flurm_outcome_t outcome,
			 const flurm_health_t *health, const fed_err_t *err)
{
	ask_t *ask = arg;

	ask->done = true;
	if (outcome != FLURM_ANSWERED) {
		_not_answered(ask, err);
		return;
	}
	ask->health = true;
	check_ok(ask->check, ask->cluster->name, "%s is %s, version %s",
		 ask->cluster->url, health->status ? health->status : "there",
		 health->version ? health->version : "not told");
	if (health->cluster && strcmp(health->cluster, ask->cluster->name))
		check_note(ask->check, ask->cluster->name, NULL,
			   "FLURM calls itself %s there", health->cluster);
	if (health->status && strcmp(health->status, "ok"))
		check_note(ask->check, ask->cluster->name, NULL,
			   "FLURM takes no new jobs now: it is %s",
			   health->status);
}

/* Health is told to anybody, at least in part; this needs the token. */
static void _stats_done(void *arg, flurm_outcome_t outcome,
			const flurm_cluster_stats_t *stats,
			const fed_err_t *err)
{
	ask_t *ask = arg;

	ask->done = true;
	if (outcome != FLURM_ANSWERED)
		_not_answered(ask, err);
	else
		check_ok(ask->check, ask->cluster->name,
			 "FLURM has %lld nodes with %lld cpus; %s",
			 (long long) stats->node_count,
			 (long long) stats->cpu_count,
			 ask->cluster->token_file ? "the token is good" :
			 "no TokenFile is used");
}

/* RET false if the loop failed first */
static bool _wait(flurm_loop_t *loop, ask_t *ask)
{
	fed_err_t err;

	while (!ask->done) {
		if (flurm_loop_turn(loop, 1000, &err)) {
			check_wrong(ask->check, ask->cluster->name, NULL, "%s",
				    err.text);
			return false;
		}
	}
	ask->done = false;
	return true;
}

static void _ask(check_t *check, const conf_cluster_t *cluster,
		 flurm_loop_t *loop, flurm_client_t *client)
{
	ask_t ask = { .check = check, .cluster = cluster };

	if (!flurm_client_health(client, ASK_MS, _health_done, &ask))
		check_wrong(check, cluster->name, NULL,
			    "%s: cannot be asked now", cluster->url);
	else if (_wait(loop, &ask) && ask.health &&
		 flurm_client_stats(client, ASK_MS, _stats_done, &ask))
		(void) _wait(loop, &ask);
}

static void _check_cluster(check_t *check, const conf_cluster_t *cluster)
{
	flurm_token_t *token = NULL;
	flurm_client_t *client = NULL;
	flurm_loop_t *loop;
	fed_err_t err;

	if ((loop = flurm_loop_create(&err)) &&
	    (client = flurm_side_connect(cluster, loop, &token, &err)))
		_ask(check, cluster, loop, client);
	else
		check_wrong(check, cluster->name, NULL, "%s", err.text);
	flurm_client_destroy(client);
	flurm_token_destroy(token);
	flurm_loop_destroy(loop);
}

extern void check_flurm(check_t *check)
{
	for (int i = 0; i < check->conf->cluster_cnt; i++)
		_check_cluster(check, &check->conf->cluster[i]);
}
