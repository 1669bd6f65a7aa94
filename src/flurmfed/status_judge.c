/*
 * status_judge.c - what is wrong, according to a status (see
 * status_judge.h).
 *
 * A problem names the cluster, what is wrong and, where it is not plain, what
 * to do. What an administrator has chosen (a cluster that drains) is none.
 */
#include "fed_config.h"

#include "src/flurmfed/status_judge.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PROBLEM_MAX 1024

extern const char *status_str(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

extern long long status_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void _add(json_t *problems, const char *cluster, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void _add(json_t *problems, const char *cluster, const char *fmt, ...)
{
	char text[PROBLEM_MAX];
	int len = snprintf(text, sizeof(text), "%.200s: ", cluster);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + len, sizeof(text) - len, fmt, ap);
	va_end(ap);
	json_array_append_new(problems, json_string(text));
}

/* ": why", or nothing when nobody said why */
static const char *_because(const json_t *object, char *room, size_t size)
{
	const char *error = status_str(object, "error");

	snprintf(room, size, "%s%s", error[0] ? ": " : "", error);
	return room;
}

static bool _is_false(const json_t *object, const char *key)
{
	return json_is_false(json_object_get(object, key));
}

static void _judge_slurmdbd(const char *name, const json_t *dbd,
			    json_t *problems)
{
	char why[PROBLEM_MAX];

	if (_is_false(dbd, "registered"))
		_add(problems, name, "not registered in slurmdbd%s",
		     _because(dbd, why, sizeof(why)));
	if (json_is_true(json_object_get(dbd, "rival")))
		_add(problems, name,
		     "another controller has registered it; one of the two must go (sacctmgr show cluster %s says where it is)",
		     name);
}

static void _judge_peer(const char *name, const json_t *peer,
			json_t *problems)
{
	const char *sibling = status_str(peer, "name");
	char why[PROBLEM_MAX];

	if (!strcmp(status_str(peer, "link"), "idle"))
		_add(problems, name,
		     "sibling %s is not registered in slurmdbd: does its slurmctld run?",
		     sibling);
	else if (_is_false(peer, "send"))
		_add(problems, name, "no connection to sibling %s%s", sibling,
		     _because(peer, why, sizeof(why)));
	else if (_is_false(peer, "recv"))
		_add(problems, name,
		     "sibling %s has not connected to us: can it reach our address and port?",
		     sibling);
	else if (_is_false(peer, "synced"))
		_add(problems, name,
		     "sibling %s has not told us its jobs (JOB_SYNC) yet",
		     sibling);
}

static void _judge_cluster(const json_t *cluster, json_t *problems)
{
	const char *name = status_str(cluster, "name"), *state;
	const json_t *part, *peer;
	char why[PROBLEM_MAX];
	size_t i;

	if (_is_false(cluster, "running")) {
		_add(problems, name, "its controller does not run%s",
		     _because(cluster, why, sizeof(why)));
		return;
	}
	_judge_slurmdbd(name, json_object_get(cluster, "slurmdbd"), problems);
	if (json_is_null(json_object_get(cluster, "federation")))
		_add(problems, name,
		     "in no federation: sacctmgr modify federation NAME set clusters+=%s",
		     name);
	json_array_foreach(json_object_get(cluster, "peers"), i, peer)
		_judge_peer(name, peer, problems);
	part = json_object_get(cluster, "flurm");
	if (_is_false(part, "reachable"))
		_add(problems, name, "FLURM at %s does not answer%s",
		     status_str(part, "url"),
		     _because(part, why, sizeof(why)));
	part = json_object_get(cluster, "accounting");
	if (status_int(part, "dropped"))
		_add(problems, name,
		     "slurmdbd refused %lld rows of accounting for good; the log says why",
		     (long long) status_int(part, "dropped"));
	part = json_object_get(cluster, "ledger");
	state = status_str(part, "state");
	if (state[0] && strcmp(state, "ok"))
		_add(problems, name,
		     "the ledger in %s cannot be written (%s): nothing new is taken until it can",
		     status_str(part, "dir"), state);
}

extern json_t *status_judge(const json_t *status)
{
	const json_t *clusters = json_object_get(status, "clusters"), *cluster;
	json_t *problems = json_array();
	size_t i;

	json_array_foreach(clusters, i, cluster)
		_judge_cluster(cluster, problems);
	if (!json_array_size(clusters))
		_add(problems, status_str(status, "host"),
		     "it has no FLURM cluster");
	return problems;
}
