/*
 * resources.c - what slurmdbd is to know of the cluster itself (see
 * resources.h).
 *
 * slurmdbd is asked which nodes it takes for down, and told the difference. So
 * nothing has to be kept of what was told: a restart of ours, another database
 * or a new size, which ends all that was down there, make no difference.
 */
#include "src/sibling/resources.h"

#include <stdlib.h>
#include <string.h>

#include "src/sibling/dbd.h"
#include "src/sibling/show.h"

/*
 * RET the state of a node that runs nothing and will not, or 0. A node that
 * drains is down when its last job has ended (node_mgr.c, make_node_idle()).
 */
static uint32_t _down_state(const flurm_node_t *node)
{
	uint32_t state = show_node_state(node);
	uint32_t base = state & NODE_STATE_BASE;

	if ((base == NODE_STATE_DOWN) || (base == NODE_STATE_ERROR))
		return state;
	if ((state & NODE_STATE_DRAIN) && (base == NODE_STATE_IDLE) &&
	    !flurm_or(node->alloc_cpus, 0))
		return state;
	return 0;
}

static char *_tres(int64_t cpus, int64_t memory_mb, int64_t nodes)
{
	char *tres = NULL;

	xstrfmtcat(tres, "%d=%lld,%d=%lld", TRES_CPU, (long long) cpus,
		   TRES_MEM, (long long) memory_mb);
	if (nodes)
		xstrfmtcat(tres, ",%d=%lld", TRES_NODE, (long long) nodes);
	xstrfmtcat(tres, ",%d=%lld", TRES_BILLING, (long long) cpus);
	return tres;
}

static void _add_down(resources_t *resources, const flurm_node_t *node,
		      const resources_down_t *known, time_t now)
{
	uint32_t state = _down_state(node);
	resources_down_t *down;

	/* up, as far as we know */
	if (!state && !known)
		return;
	down = &resources->down[resources->down_cnt++];
	down->name = xstrdup(node->name);
	down->state = state;
	down->reason = xstrdup((state && node->reason) ? node->reason : "");
	down->tres = _tres(flurm_or(node->cpus, 1),
			   flurm_or(node->memory_mb, 0), 0);
	down->since = (known && (known->state == state) &&
		       !xstrcmp(known->reason, down->reason)) ? known->since :
								now;
}

/* Both lists are sorted by name. */
static void _set_down(resources_t *resources, const nodes_t *nodes,
		      const resources_t *old, time_t now)
{
	size_t o = 0, old_cnt = old ? old->down_cnt : 0;

	resources->down = xcalloc(nodes->node_cnt + 1,
				  sizeof(*resources->down));
	for (size_t i = 0; i < nodes->node_cnt; i++) {
		const flurm_node_t *node = &nodes->node[nodes->by_name[i]];

		while ((o < old_cnt) &&
		       (xstrcmp(old->down[o].name, node->name) < 0))
			o++;
		_add_down(resources, node, ((o < old_cnt) &&
			  !xstrcmp(old->down[o].name, node->name)) ?
			  &old->down[o] : NULL, now);
	}
}

static bool _equal(const resources_t *a, const resources_t *b)
{
	if (xstrcmp(a->nodes, b->nodes) || xstrcmp(a->tres, b->tres) ||
	    (a->down_cnt != b->down_cnt))
		return false;
	for (size_t i = 0; i < a->down_cnt; i++) {
		if (xstrcmp(a->down[i].name, b->down[i].name) ||
		    (a->down[i].since != b->down[i].since) ||
		    (a->down[i].state != b->down[i].state) ||
		    xstrcmp(a->down[i].reason, b->down[i].reason))
			return false;
	}
	return true;
}

extern resources_t *resources_create(const nodes_t *nodes,
				     const flurm_cluster_stats_t *stats,
				     resources_t *old, time_t now)
{
	resources_t *made = xmalloc(sizeof(*made));

	made->refs = 1;
	made->nodes = nodes_list(nodes);
	if (!made->nodes)
		made->nodes = xstrdup("");
	made->tres = _tres(flurm_or(stats->cpu_count, 0),
			   flurm_or(stats->memory_mb, 0),
			   flurm_or(stats->node_count, 0));
	_set_down(made, nodes, old, now);
	if (!old || !_equal(made, old))
		return made;
	resources_unref(made);
	return resources_ref(old);
}

extern resources_t *resources_ref(resources_t *resources)
{
	if (resources)
		__atomic_add_fetch(&resources->refs, 1, __ATOMIC_RELAXED);
	return resources;
}

extern void resources_unref(resources_t *resources)
{
	if (!resources ||
	    __atomic_sub_fetch(&resources->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (size_t i = 0; i < resources->down_cnt; i++) {
		xfree(resources->down[i].name);
		xfree(resources->down[i].reason);
		xfree(resources->down[i].tres);
	}
	xfree(resources->down);
	xfree(resources->nodes);
	xfree(resources->tres);
	xfree(resources);
}

/* ---- telling ---- */

static int _cmp_name(const void *a, const void *b)
{
	return xstrcmp(*(char *const *) a, ((const resources_down_t *) b)->name);
}

static const resources_down_t *_find(const resources_t *resources,
				     const char *name)
{
	return bsearch(&name, resources->down, resources->down_cnt,
		       sizeof(*resources->down), _cmp_name);
}

static int _tell_up(persist_t *conn, const char *name, time_t since,
		    fed_err_t *err)
{
	dbd_node_state_msg_t msg = {
		.event_time = since,
		.hostlist = (char *) name,
		.new_state = DBD_NODE_STATE_UP,
	};

	return dbd_set_node_state(conn, &msg, err);
}

static int _tell_down(persist_t *conn, const resources_down_t *down,
		      uint32_t uid, fed_err_t *err)
{
	dbd_node_state_msg_t msg = {
		.event_time = down->since,
		.hostlist = down->name,
		.new_state = DBD_NODE_STATE_DOWN,
		.reason = down->reason,
		.reason_uid = uid,
		.state = down->state,
		.tres_str = down->tres,
	};

	return dbd_set_node_state(conn, &msg, err);
}

static int _is_event_of(void *x, void *key)
{
	const slurmdb_event_rec_t *event = x;
	const resources_down_t *down = key;

	return !xstrcmp(event->node_name, down->name) &&
	       (event->state == down->state) &&
	       !xstrcmp(event->reason, down->reason);
}

typedef struct {
	const resources_t *resources;
	persist_t *conn;
	fed_err_t *err;
	int rc;
} telling_t;

/* What slurmdbd takes for down and is not, also if it is not there any more */
static int _tell_if_up(void *x, void *arg)
{
	const slurmdb_event_rec_t *event = x;
	telling_t *telling = arg;
	const resources_down_t *known = _find(telling->resources,
					      event->node_name);

	if (!known || !known->state)
		telling->rc = _tell_up(telling->conn, event->node_name,
				       known ? known->since : time(NULL),
				       telling->err);
	return telling->rc;
}

extern int resources_tell(const resources_t *resources, persist_t *conn,
			  const char *cluster, uint32_t uid, fed_err_t *err)
{
	telling_t telling = {
		.resources = resources, .conn = conn, .err = err,
	};
	compat_list_t events = NULL;

	if (dbd_set_tres(conn, resources->nodes, resources->tres, err) ||
	    dbd_get_down(conn, cluster, &events, err))
		return -1;
	(void) list_for_each(events, _tell_if_up, &telling);
	for (size_t i = 0; !telling.rc && (i < resources->down_cnt); i++) {
		resources_down_t *down = &resources->down[i];

		if (down->state && !list_find_first(events, _is_event_of, down))
			telling.rc = _tell_down(conn, down, uid, err);
	}
	FREE_NULL_LIST(events);
	return telling.rc ? telling.rc : dbd_commit(conn, err);
}
