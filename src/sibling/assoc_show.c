/*
 * assoc_show.c - associations, users and QOS, as clients are shown them (see
 * assoc_show.h).
 */
#include "src/sibling/assoc_show.h"

#include <stdlib.h>

#include "src/sibling/assoc_int.h"

typedef slurmdb_assoc_rec_t rec_t;

typedef struct {
	rec_t *rec;
	uint32_t order;		/* as slurmdbd said it */
	uint32_t shares;	/* of all that share what it has */
} node_t;

/* While it is being made */
typedef struct {
	assoc_t *assoc;
	const site_t *site;
	assoc_show_t *show;
	uint32_t *tres_ids;
	node_t *nodes;		/* the associations, by id */
	uint32_t node_cnt;
	slurmdb_user_rec_t **users; /* by name */
	uint32_t user_cnt;
} make_t;

/* ---- what Slurm's unpackers let through ---- */

static int _is_no_tres(void *x, void *arg)
{
	const slurmdb_tres_rec_t *tres = x;

	return !tres || !tres->type;
}

static int _is_no_user(void *x, void *arg)
{
	const slurmdb_user_rec_t *user = x;

	return !user || !user->name;
}

static int _is_no_assoc(void *x, void *arg)
{
	const rec_t *rec = x;

	return !rec || !rec->acct;
}

static int _is_no_qos(void *x, void *arg)
{
	const slurmdb_qos_rec_t *qos = x;

	return !qos || !qos->name;
}

/* ---- TRES and what is limited by them ---- */

static int _add_tres(void *x, void *arg)
{
	const slurmdb_tres_rec_t *tres = x;
	make_t *make = arg;
	assoc_show_t *show = make->show;

	for (int i = 0; i < LIMIT_TRES; i++)
		if (limits_tres_id(i) == tres->id)
			show->tres_at[i] = show->tres_cnt;
	make->tres_ids[show->tres_cnt] = tres->id;
	show->tres_names[show->tres_cnt++] =
		(tres->name && tres->name[0]) ?
		xstrdup_printf("%s/%s", tres->type, tres->name) :
		xstrdup(tres->type);
	return 0;
}

static void _load_tres(make_t *make, compat_list_t tres)
{
	int count = list_count(tres);

	for (int i = 0; i < LIMIT_TRES; i++)
		make->show->tres_at[i] = -1;
	list_sort(tres, slurmdb_sort_tres_by_id_asc);
	make->tres_ids = xcalloc(count + 1, sizeof(*make->tres_ids));
	make->show->tres_names = xcalloc(count + 1, sizeof(char *));
	(void) list_for_each(tres, _add_tres, make);
}

/* RET the limits of "1=10,4=2" in the order of the names */
static uint64_t *_limits(const make_t *make, char *text)
{
	uint64_t *limits = xcalloc(make->show->tres_cnt + 1, sizeof(*limits));

	for (uint32_t i = 0; i < make->show->tres_cnt; i++)
		limits[i] = slurmdb_find_tres_count_in_string(
			text, make->tres_ids[i]);
	return limits;
}

/* ---- associations: a tree of accounts, with users as its leaves ---- */

static int _by_id(const void *a, const void *b)
{
	const rec_t *left = ((const node_t *) a)->rec;
	const rec_t *right = ((const node_t *) b)->rec;

	return (left->id > right->id) - (left->id < right->id);
}

static node_t *_parent(const make_t *make, const node_t *node)
{
	rec_t parent = { .id = node->rec->parent_id };
	const node_t key = { .rec = &parent };

	if (!parent.id || (parent.id == node->rec->id))
		return NULL;
	return bsearch(&key, make->nodes, make->node_cnt, sizeof(key), _by_id);
}

static bool _shares_parents(const node_t *node)
{
	return node->rec->shares_raw == SLURMDB_FS_USE_PARENT;
}

/*
 * RET whose share this one's is a part of: the next above it that has one of
 *	its own, or NULL at the root
 */
static node_t *_fair_parent(const make_t *make, const node_t *node)
{
	node_t *parent = _parent(make, node);

	/* so many and no more: slurmdbd's tree might be a circle */
	for (uint32_t i = 0; parent && _shares_parents(parent) &&
	     (i < make->node_cnt); i++)
		parent = _parent(make, parent);
	return parent;
}

static int _add_assoc(void *x, void *arg)
{
	make_t *make = arg;
	rec_t *rec = x;

	make->nodes[make->node_cnt].rec = rec;
	make->nodes[make->node_cnt].order = make->node_cnt;
	make->node_cnt++;
	/* without any TRES it would be fatal() */
	rec->usage = slurmdb_create_assoc_usage(MAX(make->show->tres_cnt, 1));
	rec->uid = ASSOC_UID_UNKNOWN;
	if (rec->priority == INFINITE)
		rec->priority = 0;
	rec->grp_tres_ctld = _limits(make, rec->grp_tres);
	rec->grp_tres_mins_ctld = _limits(make, rec->grp_tres_mins);
	rec->grp_tres_run_mins_ctld = _limits(make, rec->grp_tres_run_mins);
	rec->max_tres_ctld = _limits(make, rec->max_tres_pj);
	rec->max_tres_pn_ctld = _limits(make, rec->max_tres_pn);
	rec->max_tres_mins_ctld = _limits(make, rec->max_tres_mins_pj);
	rec->max_tres_run_mins_ctld = _limits(make, rec->max_tres_run_mins);
	return 0;
}

/* All shares that this one's is among: _set_children_level_shares() */
static void _add_shares(make_t *make)
{
	node_t *parent;

	for (uint32_t i = 0; i < make->node_cnt; i++) {
		if (!_shares_parents(&make->nodes[i]) &&
		    (parent = _fair_parent(make, &make->nodes[i])))
			parent->shares += make->nodes[i].rec->shares_raw;
	}
	for (uint32_t i = 0; i < make->node_cnt; i++) {
		if ((parent = _fair_parent(make, &make->nodes[i])))
			make->nodes[i].rec->usage->level_shares =
				parent->shares;
	}
}

/* RET which share of what is above it */
static double _norm(const node_t *node)
{
	uint32_t all = node->rec->usage->level_shares;

	return all ? node->rec->shares_raw / (double) all : 0;
}

/* assoc_mgr_normalize_assoc_shares(), for either kind of fair share */
static double _normalise(const make_t *make, const node_t *node)
{
	const node_t *parent = _fair_parent(make, node);
	double norm = 1;

	if (_shares_parents(node) && parent)
		node = parent;
	if (make->site->fair == FAIR_TREE)
		return _norm(node);
	for (uint32_t i = 0; (i < make->node_cnt) &&
	     (parent = _fair_parent(make, node)); i++, node = parent)
		norm *= _norm(node);
	return norm;
}

/* For whoever knows what was used */
static void _set_node(const make_t *make, const node_t *node,
		      fair_node_t *fair)
{
	const node_t *parent = _fair_parent(make, node);
	const rec_t *rec = node->rec;

	*fair = (fair_node_t) {
		.id = rec->id,
		.parent = parent ? parent - make->nodes : -1,
		.order = node->order,
		.root = !rec->parent_id,
		.user = rec->user,
		.shares_parent = _shares_parents(node),
		.shares_raw = rec->shares_raw,
		.level_shares = rec->usage->level_shares,
		.shares_norm = rec->usage->shares_norm,
		.norm = rec->parent_id ? 0 : rec->usage->usage_norm,
	};
}

static void _load_assocs(make_t *make)
{
	compat_list_t assocs = make->show->assocs;

	make->nodes = xcalloc(list_count(assocs) + 1, sizeof(*make->nodes));
	(void) list_for_each(assocs, _add_assoc, make);
	qsort(make->nodes, make->node_cnt, sizeof(*make->nodes), _by_id);
	make->show->fair = make->site->fair;
	if (make->site->fair != FAIR_NONE) {
		_add_shares(make);
		for (uint32_t i = 0; i < make->node_cnt; i++)
			make->nodes[i].rec->usage->shares_norm =
				_normalise(make, &make->nodes[i]);
	}
	make->show->nodes = xcalloc(make->node_cnt + 1,
				    sizeof(*make->show->nodes));
	for (uint32_t i = 0; i < make->node_cnt; i++)
		_set_node(make, &make->nodes[i], &make->show->nodes[i]);
	make->show->node_cnt = make->node_cnt;
	compat_sort_assocs(assocs);
}

/* ---- QOS and users ---- */

static int _add_qos(void *x, void *arg)
{
	const make_t *make = arg;
	slurmdb_qos_rec_t *qos = x;

	if (qos->flags & QOS_FLAG_NOTSET)
		qos->flags = 0;
	qos->usage = slurmdb_create_qos_usage(make->show->tres_cnt);
	qos->grp_tres_ctld = _limits(make, qos->grp_tres);
	qos->grp_tres_mins_ctld = _limits(make, qos->grp_tres_mins);
	qos->grp_tres_run_mins_ctld = _limits(make, qos->grp_tres_run_mins);
	qos->max_tres_pa_ctld = _limits(make, qos->max_tres_pa);
	qos->max_tres_pj_ctld = _limits(make, qos->max_tres_pj);
	qos->max_tres_pn_ctld = _limits(make, qos->max_tres_pn);
	qos->max_tres_pu_ctld = _limits(make, qos->max_tres_pu);
	qos->max_tres_mins_pj_ctld = _limits(make, qos->max_tres_mins_pj);
	qos->max_tres_run_mins_pa_ctld =
		_limits(make, qos->max_tres_run_mins_pa);
	qos->max_tres_run_mins_pu_ctld =
		_limits(make, qos->max_tres_run_mins_pu);
	qos->min_tres_pj_ctld = _limits(make, qos->min_tres_pj);
	return 0;
}

static int _by_name(const void *a, const void *b)
{
	return xstrcmp((*(slurmdb_user_rec_t *const *) a)->name,
		       (*(slurmdb_user_rec_t *const *) b)->name);
}

static int _add_user(void *x, void *arg)
{
	slurmdb_user_rec_t *user = x;
	make_t *make = arg;
	const assoc_user_t *known;

	make->users[make->user_cnt++] = user;
	pthread_mutex_lock(&make->assoc->lock);
	known = assoc_known_user(&make->assoc->known, user->name);
	user->uid = known ? known->uid : ASSOC_UID_UNKNOWN;
	pthread_mutex_unlock(&make->assoc->lock);
	if (!user->default_wckey)
		user->default_wckey = xstrdup("");
	return 0;
}

/* A user's default account is that of this cluster. */
static int _join_user(void *x, void *arg)
{
	const make_t *make = arg;
	rec_t *rec = x;
	slurmdb_user_rec_t key = { .name = rec->user }, *key_at = &key, **user;

	if (!rec->user || !(user = bsearch(&key_at, make->users,
					   make->user_cnt, sizeof(key_at),
					   _by_name)))
		return 0;
	rec->uid = (*user)->uid;
	if (rec->is_def == 1) {
		xfree((*user)->default_acct);
		(*user)->default_acct = xstrdup(rec->acct);
	}
	return 0;
}

static void _load_users(make_t *make)
{
	compat_list_t users = make->show->users;

	make->users = xcalloc(list_count(users) + 1, sizeof(*make->users));
	(void) list_for_each(users, _add_user, make);
	qsort(make->users, make->user_cnt, sizeof(*make->users), _by_name);
	(void) list_for_each(make->show->assocs, _join_user, make);
}

/* ---- the whole ---- */

extern void assoc_show_load(assoc_t *assoc, const site_t *site,
			    compat_list_t tres, compat_list_t users,
			    compat_list_t assocs, compat_list_t qos)
{
	make_t make = { .assoc = assoc, .site = site };
	assoc_show_t *show = xmalloc(sizeof(*show)), *old;

	make.show = show;
	*show = (assoc_show_t) {
		.users = users,
		.assocs = assocs,
		.qos = qos,
		.refs = 1,
	};
	(void) list_delete_all(tres, _is_no_tres, NULL);
	(void) list_delete_all(users, _is_no_user, NULL);
	(void) list_delete_all(assocs, _is_no_assoc, NULL);
	(void) list_delete_all(qos, _is_no_qos, NULL);
	_load_tres(&make, tres);
	_load_assocs(&make);
	_load_users(&make);
	(void) list_for_each(qos, _add_qos, &make);
	list_destroy(tres);
	xfree(make.tres_ids);
	xfree(make.nodes);
	xfree(make.users);
	pthread_mutex_lock(&assoc->lock);
	old = assoc->show;
	assoc->show = show;
	pthread_mutex_unlock(&assoc->lock);
	assoc_show_unref(old);
}

extern assoc_show_t *assoc_show_ref(assoc_t *assoc)
{
	assoc_show_t *show;

	pthread_mutex_lock(&assoc->lock);
	if ((show = assoc->show))
		(void) __atomic_add_fetch(&show->refs, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&assoc->lock);
	return show;
}

extern void assoc_show_unref(assoc_show_t *show)
{
	if (!show || __atomic_sub_fetch(&show->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (uint32_t i = 0; i < show->tres_cnt; i++)
		xfree(show->tres_names[i]);
	xfree(show->tres_names);
	xfree(show->nodes);
	FREE_NULL_LIST(show->users);
	FREE_NULL_LIST(show->assocs);
	FREE_NULL_LIST(show->qos);
	xfree(show);
}
