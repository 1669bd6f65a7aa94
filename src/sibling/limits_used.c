/*
 * limits_used.c - what is in use of what is limited (see limits.h).
 *
 * What those that run have still before them changes for all at once, when they
 * are charged; so sums are kept from which it follows.
 */
#include "src/sibling/limits.h"

#include <stdlib.h>
#include <string.h>

#define NO_LIMIT_S (365 * 24 * 3600)	/* what Slurm takes for no limit */

struct limits_node {
	char *name;
	uint32_t jobs;
};

/* RET its place, or where it would be; OUT ret_found - is it there */
static uint32_t _place(const limits_used_t *used, const char *name,
		       bool *ret_found)
{
	uint32_t low = 0, high = used->node_cnt;

	*ret_found = false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(used->nodes[middle].name, name);

		if (!order) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void _use_node(limits_used_t *used, const char *name)
{
	bool found;
	uint32_t at = _place(used, name, &found);

	if (!found) {
		xrecalloc(used->nodes, used->node_cnt + 1,
			  sizeof(*used->nodes));
		memmove(&used->nodes[at + 1], &used->nodes[at],
			(used->node_cnt - at) * sizeof(*used->nodes));
		used->nodes[at].name = xstrdup(name);
		used->nodes[at].jobs = 0;
		used->node_cnt++;
		used->tres[LIMIT_NODE]++;
	}
	used->nodes[at].jobs++;
}

static void _leave_node(limits_used_t *used, const char *name)
{
	bool found;
	uint32_t at = _place(used, name, &found);

	if (!found || --used->nodes[at].jobs)
		return;
	xfree(used->nodes[at].name);
	used->node_cnt--;
	memmove(&used->nodes[at], &used->nodes[at + 1],
		(used->node_cnt - at) * sizeof(*used->nodes));
	used->tres[LIMIT_NODE]--;
}

static void _for_each_node(limits_used_t *used, const char *list,
			   void (*visit)(limits_used_t *used,
					 const char *name))
{
	compat_hostlist_t names = hostlist_create(list);
	char *name;

	while (names && (name = hostlist_shift(names))) {
		visit(used, name);
		free(name);
	}
	if (names)
		hostlist_destroy(names);
}

extern uint32_t limits_fresh_nodes(const limits_used_t *used, const char *list)
{
	compat_hostlist_t names = hostlist_create(list);
	uint32_t fresh = 0;
	char *name;
	bool found;

	while (names && (name = hostlist_shift(names))) {
		(void) _place(used, name, &found);
		fresh += !found;
		free(name);
	}
	if (names)
		hostlist_destroy(names);
	return fresh;
}

extern uint64_t limits_run_secs(const limits_used_t *used, limit_tres_t tres)
{
	/* the sums may have wrapped around, the difference has not */
	int64_t left = used->ends[tres] - used->begins[tres];

	return (left > 0) ? left : 0;
}

extern void limits_charged(limits_used_t *used, int64_t until)
{
	used->charged = until;
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++)
		used->begins[i] = used->rate[i] * until;
}

extern void limits_used_free(limits_used_t *used)
{
	for (uint32_t i = 0; i < used->node_cnt; i++)
		xfree(used->nodes[i].name);
	xfree(used->nodes);
	*used = (limits_used_t) { 0 };
}

extern limits_share_t limits_share(const limits_t *qos,
				   const limits_ask_t *ask, time_t start,
				   time_t charged)
{
	uint32_t minutes = (ask->minutes == NO_VAL) ? ask->part_minutes :
						      ask->minutes;
	limits_share_t share = {
		.begin = MAX(start, charged),
		.end = start + ((minutes == INFINITE) ?
				NO_LIMIT_S : (int64_t) minutes * 60),
		.nodes = xstrdup(ask->nodes),
	};

	for (limit_tres_t i = 0; i < LIMIT_TRES; i++) {
		share.tres[i] = ask->tres[i];
		share.rate[i] = qos ? ask->tres[i] * qos->usage_factor :
				      ask->tres[i];
	}
	return share;
}

extern void limits_share_free(limits_share_t *share)
{
	xfree(share->nodes);
}

extern void limits_add(limits_used_t *used, const limits_share_t *share)
{
	used->running++;
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++) {
		if ((i != LIMIT_NODE) || !share->nodes)
			used->tres[i] += share->tres[i];
		used->rate[i] += share->rate[i];
		used->ends[i] += share->rate[i] * share->end;
		used->begins[i] += share->rate[i] * share->begin;
	}
	if (share->nodes)
		_for_each_node(used, share->nodes, _use_node);
}

extern void limits_remove(limits_used_t *used, const limits_share_t *share)
{
	int64_t begin = MAX(share->begin, used->charged);

	used->running--;
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++) {
		if ((i != LIMIT_NODE) || !share->nodes)
			used->tres[i] -= share->tres[i];
		used->rate[i] -= share->rate[i];
		used->ends[i] -= share->rate[i] * share->end;
		used->begins[i] -= share->rate[i] * begin;
	}
	if (share->nodes)
		_for_each_node(used, share->nodes, _leave_node);
}
