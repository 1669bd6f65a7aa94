/*
 * flurm_side.c - what the engine knows of the FLURM side (see flurm_side.h).
 */
#include "src/sibling/compat.h"
#include "src/sibling/flurm_side.h"

#include <time.h>

#include "src/core/log.h"

#define ASK_EVERY_MS 5000
#define ASK_DEADLINE_MS 4000
#define ASK_SOON_MS 1000

struct flurm_side {
	const conf_cluster_t *cluster;
	flurm_loop_t *loop;
	void (*resources)(void *arg, resources_t *resources);
	void *arg;
	flurm_token_t *token;
	flurm_client_t *client;
	int64_t asked;		/* milliseconds of the loop's clock */
	int64_t next_ask;
	bool asking;
	bool reachable;
	bool known;		/* it has answered once, one way or the other */
	time_t since;
	char error[FED_ERR_TEXT_MAX];
	flurm_health_t health;
	flurm_cluster_stats_t stats;
	bool resized;		/* since nodes were told */
	nodes_t *nodes;		/* NULL: not told yet */
	resources_t *known_as;	/* as was told last */
	time_t nodes_told;
	uint64_t nodes_changes;
	flurm_partition_t *part; /* while nodes are being asked for */
	size_t part_cnt;
	fed_log_throttle_t complaint;
};

extern flurm_client_t *flurm_side_connect(const conf_cluster_t *cluster,
					  flurm_loop_t *loop,
					  flurm_token_t **ret_token,
					  fed_err_t *err)
{
	flurm_token_conf_t key = {
		.key_file = cluster->token_file,
		.cluster_id = cluster->name,
	};
	flurm_client_conf_t conf = {
		.name = cluster->name,
		.url = cluster->url,
		.ca_file = cluster->ca_file,
		.cert_file = cluster->cert_file,
		.key_file = cluster->key_file,
	};
	flurm_client_t *client;

	if (cluster->token_file &&
	    !(conf.token = flurm_token_create(&key, err)))
		return NULL;
	if ((client = flurm_client_create(loop, &conf, err)))
		*ret_token = conf.token;
	else
		flurm_token_destroy(conf.token);
	return client;
}

extern flurm_side_t *flurm_side_create(
	const conf_cluster_t *cluster, flurm_loop_t *loop,
	void (*resources)(void *arg, resources_t *resources),
	void *arg, fed_err_t *err)
{
	flurm_side_t *side = xmalloc(sizeof(*side));

	side->cluster = cluster;
	side->loop = loop;
	side->resources = resources;
	side->arg = arg;
	side->since = time(NULL);
	flurm_health_init(&side->health);
	flurm_cluster_stats_init(&side->stats);
	side->client = flurm_side_connect(cluster, loop, &side->token, err);
	if (side->client)
		return side;
	flurm_side_destroy(side);
	return NULL;
}

static void _forget_parts(flurm_side_t *side)
{
	for (size_t i = 0; i < side->part_cnt; i++)
		flurm_partition_free(&side->part[i]);
	xfree(side->part);
	side->part_cnt = 0;
}

extern void flurm_side_destroy(flurm_side_t *side)
{
	if (!side)
		return;
	flurm_client_destroy(side->client);
	_forget_parts(side);
	nodes_unref(side->nodes);
	resources_unref(side->known_as);
	flurm_token_destroy(side->token);
	flurm_health_free(&side->health);
	xfree(side);
}

extern flurm_client_t *flurm_side_client(flurm_side_t *side)
{
	return side->client;
}

extern const char *flurm_side_instance(const flurm_side_t *side)
{
	return side->health.instance_id;
}

static void _set_reachable(flurm_side_t *side, bool reachable,
			   const fed_err_t *err)
{
	snprintf(side->error, sizeof(side->error), "%s",
		 reachable ? "" : err->text);
	if (!reachable)
		fed_log_throttled(&side->complaint, FED_LOG_INFO,
				  "cluster %s: FLURM at %s does not answer: %s",
				  side->cluster->name, side->cluster->url,
				  err->text);
	if (side->known && (side->reachable == reachable))
		return;
	if (reachable)
		fed_info("cluster %s: FLURM at %s answers",
			 side->cluster->name, side->cluster->url);
	side->known = true;
	side->reachable = reachable;
	side->since = time(NULL);
}

static void _tell_resources(flurm_side_t *side)
{
	resources_t *now = resources_create(side->nodes, &side->stats,
					    side->known_as, time(NULL));

	if (now != side->known_as)
		side->resources(side->arg, now);
	resources_unref(side->known_as);
	side->known_as = now;
}

/* Takes the reference. */
static void _set_nodes(flurm_side_t *side, nodes_t *nodes)
{
	bool changed = (nodes != side->nodes);

	nodes_unref(side->nodes);
	side->nodes = nodes;
	side->nodes_told = time(NULL);
	if (changed)
		side->nodes_changes++;
	if (changed || side->resized)
		_tell_resources(side);
	side->resized = false;
}

static void _nodes_done(void *arg, flurm_outcome_t outcome,
			const flurm_node_t *nodes, size_t count,
			const fed_err_t *err)
{
	flurm_side_t *side = arg;

	side->asking = false;
	if (outcome == FLURM_ANSWERED)
		_set_nodes(side, nodes_create(nodes, count, side->part,
					      side->part_cnt, side->nodes));
	_forget_parts(side);
}

static void _parts_done(void *arg, flurm_outcome_t outcome,
			const flurm_partition_t *parts, size_t count,
			const fed_err_t *err)
{
	flurm_side_t *side = arg;

	side->asking = false;
	if (outcome != FLURM_ANSWERED)
		return;
	side->part = xcalloc(count + 1, sizeof(*side->part));
	for (; side->part_cnt < count; side->part_cnt++)
		flurm_partition_copy(&side->part[side->part_cnt],
				     &parts[side->part_cnt]);
	side->asking = flurm_client_nodes(side->client, ASK_DEADLINE_MS,
					  _nodes_done, side) != 0;
	if (!side->asking)
		_forget_parts(side);
}

/* Some FLURM can tell of its nodes, the others are shown by their size. */
static void _ask_nodes(flurm_side_t *side)
{
	if (!(side->health.capabilities & FLURM_CAN_NODES))
		_set_nodes(side, nodes_from_stats(side->cluster->name,
						  &side->stats, side->nodes));
	else
		side->asking = flurm_client_partitions(
			side->client, ASK_DEADLINE_MS, _parts_done, side) != 0;
}

static void _stats_done(void *arg, flurm_outcome_t outcome,
			const flurm_cluster_stats_t *stats,
			const fed_err_t *err)
{
	flurm_side_t *side = arg;

	side->asking = false;
	_set_reachable(side, outcome == FLURM_ANSWERED, err);
	if (outcome != FLURM_ANSWERED)
		return;
	if ((stats->node_count != side->stats.node_count) ||
	    (stats->cpu_count != side->stats.cpu_count) ||
	    (stats->memory_mb != side->stats.memory_mb))
		side->resized = true;
	side->stats = *stats;
	_ask_nodes(side);
}

static void _copy_health(flurm_health_t *to, const flurm_health_t *from)
{
	json_t *json = flurm_health_to_json(from);

	/* what was just written as JSON is read back without fail */
	flurm_health_free(to);
	flurm_health_init(to);
	(void) flurm_health_from_json(json, to, NULL);
	json_decref(json);
}

static void _health_done(void *arg, flurm_outcome_t outcome,
			 const flurm_health_t *health, const fed_err_t *err)
{
	flurm_side_t *side = arg;

	if (outcome == FLURM_ANSWERED) {
		_copy_health(&side->health, health);
		if (flurm_client_stats(side->client, ASK_DEADLINE_MS,
				       _stats_done, side))
			return;
	} else {
		_set_reachable(side, false, err);
	}
	side->asking = false;
}

extern bool flurm_side_can(const flurm_side_t *side, uint32_t what)
{
	return !side->health.status || (side->health.capabilities & what);
}

extern nodes_t *flurm_side_nodes(const flurm_side_t *side, time_t *ret_told)
{
	*ret_told = side->nodes_told;
	return nodes_ref(side->nodes);
}

extern uint64_t flurm_side_changes(const flurm_side_t *side)
{
	return side->nodes_changes;
}

extern void flurm_side_start(flurm_side_t *side)
{
	side->next_ask = 0;
	flurm_side_turn(side);
}

extern void flurm_side_soon(flurm_side_t *side)
{
	side->next_ask = MIN(side->next_ask, side->asked + ASK_SOON_MS);
}

extern void flurm_side_turn(flurm_side_t *side)
{
	int64_t now = flurm_loop_now(side->loop);

	if (side->asking || (now < side->next_ask))
		return;
	side->asked = now;
	side->next_ask = now + ASK_EVERY_MS;
	side->asking = flurm_client_health(side->client, ASK_DEADLINE_MS,
					   _health_done, side) != 0;
}

/* What FLURM has not said is not known, and no number. */
static json_t *_number(int64_t value)
{
	return flurm_is_set(value) ? json_integer(value) : json_null();
}

extern json_t *flurm_side_status(const flurm_side_t *side)
{
	flurm_client_stats_t client;

	flurm_client_get_stats(side->client, &client);
	return json_pack(
		"{s:s, s:b, s:I, s:s, s:s?, s:s?, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I}",
		"url", side->cluster->url,
		"reachable", side->reachable,
		"since", (json_int_t) side->since,
		"error", side->error,
		"version", side->health.version,
		"instance_id", side->health.instance_id,
		"nodes", _number(side->stats.node_count),
		"cpus", _number(side->stats.cpu_count),
		"memory_mb", _number(side->stats.memory_mb),
		"nodes_age", side->nodes_told ?
			json_integer(time(NULL) - side->nodes_told) :
			json_null(),
		"nodes_told", json_boolean(side->nodes &&
					   !side->nodes->synthetic),
		"requests", (json_int_t) client.requests,
		"retries", (json_int_t) client.retries,
		"events", (json_int_t) client.events);
}
