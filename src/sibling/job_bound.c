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
	limits_t *limits;	/* or NULL */
	limits_used_t used;
} holder_t;

struct job_bound {
	holder_t *qos, *user, *account;	/* NULL: it has no QOS */
	limits_held_t *assoc;
	holder_t **above;	/* of assoc, the same places; NULL: no limits */
	uint32_t count;
	bool submitted;		/* is counted as such */
	bool running;
	limits_share_t share;	/* while it runs */
};

static void _identify(void *item, const char **key, uint32_t *key_len)
{
	holder_t *holder = item;

	*key = holder->key;
	*key_len = strlen(holder->key);
}

static void _free_holder(void *item)
{
	holder_t *holder = item;

	limits_used_free(&holder->used);
	xfree(holder->limits);
	xfree(holder->key);
	xfree(holder);
}

/* IN key - taken. IN limits - copied if it is the first time, or NULL */
static holder_t *_holder(xhash_t *holders, char *key, const limits_t *limits)
{
	holder_t *holder;

	if ((holder = xhash_get(holders, key, strlen(key)))) {
		xfree(key);
		return holder;
	}
	holder = xmalloc(sizeof(*holder));
	holder->key = key;
	holder->limits = limits_copy(limits);
	xhash_add(holders, holder);
	return holder;
}

static char *_account_key(uint32_t qos_id, const char *account)
{
	char *key = xstrdup_printf("%u account %s", qos_id, account);

	xstrtolower(key);
	return key;
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
	if (found.qos) {
		bound->qos = _holder(holders, xstrdup_printf("%u", found.qos_id),
				     found.qos);
		bound->user = _holder(holders, xstrdup_printf("%u user %u",
							   found.qos_id, uid),
				      NULL);
		bound->account = _holder(holders, _account_key(found.qos_id,
							    found.account),
					 NULL);
	}
	bound->count = found.count;
	bound->assoc = xcalloc(found.count, sizeof(*bound->assoc));
	bound->above = xcalloc(found.count, sizeof(*bound->above));
	for (uint32_t i = 0; i < found.count; i++) {
		holder_t *holder;

		if (!found.assoc[i].limits)
			continue;
		holder = _holder(holders, xstrdup_printf("assoc %u",
						      found.assoc[i].id),
				 found.assoc[i].limits);
		bound->above[i] = holder;
		bound->assoc[i].limits = holder->limits;
		bound->assoc[i].used = &holder->used;
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

extern limits_bound_t job_bound_limits(const job_bound_t *bound)
{
	limits_bound_t limits = {
		.assoc = bound->assoc,
		.assoc_cnt = bound->count,
	};

	if (bound->qos) {
		limits.qos.limits = bound->qos->limits;
		limits.qos.used = &bound->qos->used;
		limits.user = &bound->user->used;
		limits.account = &bound->account->used;
	}
	return limits;
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
		if (bound->above[i])
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
			  time_t start)
{
	if (bound->running == (ask != NULL))
		return false;
	bound->running = (ask != NULL);
	if (ask) {
		bound->share = limits_share(bound->qos ? bound->qos->limits :
							 NULL, ask, start);
		_for_each(bound, _run);
	} else {
		_for_each(bound, _end);
		limits_share_free(&bound->share);
	}
	return true;
}
