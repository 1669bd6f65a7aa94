/*
 * assoc_usage.c - what was used and is in use, as clients are shown it (see
 * assoc_usage.h).
 */
#include "src/sibling/assoc_usage.h"

#include <stdlib.h>

extern void assoc_usage_make(assoc_usage_t *usage, const assoc_show_t *show,
			     const view_t *view)
{
	*usage = (assoc_usage_t) { .show = show, .view = view };
	usage->nodes = xcalloc(show->node_cnt + 1, sizeof(*usage->nodes));
	for (uint32_t i = 0; i < show->node_cnt; i++) {
		const view_used_t *used = view_used_find(
			&view->used, USAGE_ASSOC, show->nodes[i].id);

		usage->nodes[i] = show->nodes[i];
		if (used)
			usage->nodes[i].raw = used->sum.raw;
	}
	fair_share(show->fair, usage->nodes, show->node_cnt);
}

extern void assoc_usage_free(assoc_usage_t *usage)
{
	xfree(usage->nodes);
}

static int _by_id(const void *a, const void *b)
{
	const fair_node_t *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

/* Put what FLURM has into arrays of all TRES. IN run_secs, raw - or NULL */
static void _set_tres(const assoc_usage_t *usage, const view_used_t *used,
		      uint64_t *tres, uint64_t *run_secs, long double *raw)
{
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++) {
		int32_t at = usage->show->tres_at[i];

		if (at < 0)
			continue;
		tres[at] = used->tres[i];
		if (run_secs)
			run_secs[at] = used->run_secs[i];
		if (raw)
			raw[at] = used->sum.tres[i];
	}
}

extern slurmdb_assoc_usage_t *assoc_usage_of_assoc(
	const assoc_usage_t *usage, const slurmdb_assoc_rec_t *rec)
{
	const view_used_t *used = view_used_find(&usage->view->used,
						 USAGE_ASSOC, rec->id);
	const fair_node_t key = { .id = rec->id };
	const fair_node_t *node = bsearch(&key, usage->nodes,
					  usage->show->node_cnt, sizeof(key),
					  _by_id);
	slurmdb_assoc_usage_t *ret =
		slurmdb_create_assoc_usage(rec->usage->tres_cnt);

	ret->level_shares = rec->usage->level_shares;
	ret->shares_norm = rec->usage->shares_norm;
	if (usage->show->fair != FAIR_NONE) {
		ret->usage_norm = node->norm;
		ret->usage_efctv = node->efctv;
		ret->level_fs = node->level_fs;
		ret->fs_factor = node->factor;
	}
	if (!used)
		return ret;
	ret->used_jobs = used->running;
	ret->used_submit_jobs = used->submitted;
	ret->usage_raw = used->sum.raw;
	ret->grp_used_wall = used->sum.wall;
	_set_tres(usage, used, ret->grp_used_tres, ret->grp_used_tres_run_secs,
		  ret->usage_tres_raw);
	return ret;
}

static void _add_limits(const assoc_usage_t *usage, const view_used_t *used,
			slurmdb_qos_usage_t *ret)
{
	slurmdb_used_limits_t *limits = xmalloc(sizeof(*limits));
	compat_list_t *list = used->who.account ? &ret->acct_limit_list :
						  &ret->user_limit_list;

	limits->acct = xstrdup(used->who.account);
	limits->uid = used->who.account ? 0 : used->who.uid;
	limits->jobs = used->running;
	limits->submit_jobs = used->submitted;
	limits->tres = xcalloc(ret->tres_cnt + 1, sizeof(*limits->tres));
	limits->COMPAT_USED_RUN = xcalloc(ret->tres_cnt + 1, sizeof(uint64_t));
	_set_tres(usage, used, limits->tres,
		  COMPAT_RUN_MINS_PER ? limits->COMPAT_USED_RUN : NULL, NULL);
	if (!*list)
		*list = list_create(slurmdb_destroy_used_limits);
	list_append(*list, limits);
}

extern slurmdb_qos_usage_t *assoc_usage_of_qos(const assoc_usage_t *usage,
					       const slurmdb_qos_rec_t *rec)
{
	const view_used_list_t *all = &usage->view->used;
	const view_used_t *used = view_used_find(all, USAGE_QOS, rec->id);
	slurmdb_qos_usage_t *ret =
		slurmdb_create_qos_usage(usage->show->tres_cnt);

	if (!used)
		return ret;
	ret->grp_used_jobs = used->running;
	ret->grp_used_submit_jobs = used->submitted;
	ret->usage_raw = used->sum.raw;
	ret->grp_used_wall = used->sum.wall;
	_set_tres(usage, used, ret->grp_used_tres, ret->grp_used_tres_run_secs,
		  ret->usage_tres_raw);
	while ((used = view_used_next(all, used)))
		_add_limits(usage, used, ret);
	return ret;
}
