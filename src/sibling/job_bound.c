/*
 * job_bound.c - whose limits hold for a job (see job_bound.h).
 */
#include "src/sibling/job_bound.h"

#include <stdlib.h>
#include <string.h>

#include "src/sibling/job_kept.h"

/* A QOS, an association, or a user or an account with a QOS */
typedef struct {
	char *key;
	holder_t who;
	limits_t *limits;	/* or NULL */
	limits_used_t used;
} held_t;

struct job_bound {
	held_t *qos, *user, *account;	/* NULL: it has no QOS */
	limits_held_t *assoc;
	held_t **above;		/* of assoc, the same places */
	uint32_t *ids;		/* the same */
	uint32_t count;
	bool submitted;		/* is counted as such */
	bool running;
	limits_share_t share;	/* while it runs */
};

static void _identify(void *item, const char **key, uint32_t *key_len)
{
	held_t *held = item;

	*key = held->key;
	*key_len = strlen(held->key);
}

static void _free_holder(void *item)
{
	held_t *held = item;

	limits_used_free(&held->used);
	xfree(held->limits);
	xfree(held->who.account);
	xfree(held->key);
	xfree(held);
}

/*
 * IN who - copied if it is the first time
 * IN limits - the same, or NULL
 */
static held_t *_holder(xhash_t *holders, const holder_t *who,
		       const limits_t *limits)
{
	char *key = xstrdup_printf("%u %u %u %s", who->of, who->id, who->uid,
				   who->account ? who->account : "");
	held_t *held;

	xstrtolower(key);
	if ((held = xhash_get(holders, key, strlen(key)))) {
		xfree(key);
		return held;
	}
	held = xmalloc(sizeof(*held));
	held->key = key;
	held->who = *who;
	held->who.account = xstrdup(who->account);
	held->limits = limits_copy(limits);
	xhash_add(holders, held);
	return held;
}

static void _bind_qos(job_bound_t *bound, xhash_t *holders,
		      const assoc_limits_t *found, uint32_t uid)
{
	holder_t whole = {
		.of = USAGE_QOS,
		.id = found->qos_id,
		.uid = NO_VAL,
	}, user = whole, account = whole;

	user.uid = uid;
	account.account = found->account;
	bound->qos = _holder(holders, &whole, found->qos);
	bound->user = _holder(holders, &user, NULL);
	bound->account = _holder(holders, &account, NULL);
}

extern job_bound_t *job_bound_create(xhash_t **at, assoc_t *assoc,
				     const flurm_job_spec_t *spec)
{
	uint32_t uid = flurm_or(spec->user_id, NO_VAL);
	assoc_limits_t found;
	job_bound_t *bound;
	xhash_t *holders;

	assoc_limits(assoc, uid, spec->account, spec->partition,
		     spec->qos, &found);
	if (!found.count) {
		assoc_limits_free(&found);
		return NULL;
	}
	if (!*at)
		*at = xhash_init(_identify, _free_holder);
	holders = *at;
	bound = xmalloc(sizeof(*bound));
	if (found.qos)
		_bind_qos(bound, holders, &found, uid);
	bound->count = found.count;
	bound->assoc = xcalloc(found.count, sizeof(*bound->assoc));
	bound->above = xcalloc(found.count, sizeof(*bound->above));
	bound->ids = xcalloc(found.count, sizeof(*bound->ids));
	for (uint32_t i = 0; i < found.count; i++) {
		const holder_t who = {
			.of = USAGE_ASSOC,
			.id = found.assoc[i].id,
			.uid = NO_VAL,
		};
		held_t *held = _holder(holders, &who, found.assoc[i].limits);

		bound->ids[i] = who.id;
		bound->above[i] = held;
		bound->assoc[i].limits = held->limits;
		bound->assoc[i].used = &held->used;
	}
	assoc_limits_free(&found);
	return bound;
}

extern void job_bound_free(job_bound_t *bound)
{
	if (!bound)
		return;
	limits_share_free(&bound->share);
	xfree(bound->assoc);
	xfree(bound->above);
	xfree(bound->ids);
	xfree(bound);
}

static bool _differs(int64_t change, int64_t was)
{
	return flurm_is_set(change) && (change != was);
}

extern uint8_t job_bound_exempt(const flurm_job_spec_t *spec,
				const flurm_job_spec_t *change)
{
	uint8_t exempt = 0;

	if (_differs(change->time_limit, spec->time_limit) ||
	    flurm_is_set(change->deadline))
		exempt |= LIMIT_EXEMPT_TIME;
	if (_differs(change->num_cpus, job_cpus(spec)))
		exempt |= LIMIT_EXEMPT(LIMIT_CPU);
	/* a first maximum is none that was changed */
	if (_differs(change->num_nodes, flurm_or(spec->num_nodes, 1)) ||
	    _differs(change->max_nodes, flurm_or(spec->max_nodes,
						 change->max_nodes)))
		exempt |= LIMIT_EXEMPT(LIMIT_NODE);
	if (_differs(change->memory_mb, flurm_or(spec->memory_mb, 0)) ||
	    _differs(change->memory_per_cpu_mb,
		     flurm_or(spec->memory_per_cpu_mb, 0)))
		exempt |= LIMIT_EXEMPT(LIMIT_MEM);
	return exempt;
}

extern limits_bound_t job_bound_limits(job_bound_t *bound,
				       const usage_t *usage)
{
	limits_bound_t limits = {
		.assoc = bound->assoc,
		.assoc_cnt = bound->count,
	};

	for (uint32_t i = 0; i < bound->count; i++)
		bound->assoc[i].usage = usage_find(usage, USAGE_ASSOC,
						   bound->ids[i]);
	if (bound->qos) {
		limits.qos.limits = bound->qos->limits;
		limits.qos.used = &bound->qos->used;
		limits.qos.usage = usage_find(usage, USAGE_QOS,
					      bound->qos->who.id);
		limits.user = &bound->user->used;
		limits.account = &bound->account->used;
	}
	return limits;
}

extern usage_payers_t job_bound_payers(const job_bound_t *bound)
{
	usage_payers_t payers = {
		.factor = 1,
		.assoc = bound->ids,
		.assoc_cnt = bound->count,
	};

	if (bound->qos) {
		payers.qos = bound->qos->who.id;
		payers.keeps = bound->qos->limits->keeps;
		payers.factor = bound->qos->limits->usage_factor;
	}
	return payers;
}

typedef struct {
	void (*visit)(const holder_t *who, const limits_used_t *used,
		      void *arg);
	void *arg;
} walk_t;

static void _visit_one(void *item, void *arg)
{
	const held_t *held = item;
	const walk_t *walk = arg;

	walk->visit(&held->who, &held->used, walk->arg);
}

static void _charged(void *item, void *arg)
{
	limits_charged(&((held_t *) item)->used, *(const int64_t *) arg);
}

extern void job_bound_charged(xhash_t *at, int64_t until)
{
	if (at)
		xhash_walk(at, _charged, &until);
}

extern void job_bound_walk(xhash_t *at,
			   void (*visit)(const holder_t *who,
					 const limits_used_t *used, void *arg),
			   void *arg)
{
	walk_t walk = { .visit = visit, .arg = arg };

	if (at)
		xhash_walk(at, _visit_one, &walk);
}

typedef void (*visit_t)(limits_used_t *used, const job_bound_t *bound);

static void _for_each(const job_bound_t *bound, visit_t visit)
{
	if (bound->qos) {
		visit(&bound->qos->used, bound);
		visit(&bound->user->used, bound);
		visit(&bound->account->used, bound);
	}
	for (uint32_t i = 0; i < bound->count; i++)
		visit(&bound->above[i]->used, bound);
}

static void _come(limits_used_t *used, const job_bound_t *bound)
{
	used->submitted++;
}

static void _go(limits_used_t *used, const job_bound_t *bound)
{
	used->submitted--;
}

static void _run(limits_used_t *used, const job_bound_t *bound)
{
	limits_add(used, &bound->share);
}

static void _end(limits_used_t *used, const job_bound_t *bound)
{
	limits_remove(used, &bound->share);
}

extern void job_bound_submit(job_bound_t *bound, bool submitted)
{
	if (bound->submitted == submitted)
		return;
	bound->submitted = submitted;
	_for_each(bound, submitted ? _come : _go);
}

extern bool job_bound_run(job_bound_t *bound, const limits_ask_t *ask,
			  time_t start, time_t charged)
{
	if (bound->running == (ask != NULL))
		return false;
	bound->running = (ask != NULL);
	if (ask) {
		bound->share = limits_share(bound->qos ? bound->qos->limits :
							 NULL, ask, start,
					    charged);
		_for_each(bound, _run);
	} else {
		_for_each(bound, _end);
		limits_share_free(&bound->share);
	}
	return true;
}
