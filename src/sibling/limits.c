/*
 * limits.c - may a job be submitted, and may it start (see limits.h).
 *
 * Functions below are named after what they do in slurmctld/acct_policy.c, and
 * look at limits in its order, as the first that is exceeded is the reason.
 */
#include "src/sibling/limits.h"

/* By a limit's holder, kind and TRES (_get_tres_state_reason()) */
#define ALL(of, per) \
	{ WAIT_##of##CPU##per, WAIT_##of##MEM##per, WAIT_##of##NODE##per, \
	  WAIT_##of##BILLING##per }

static const uint16_t assoc_reasons[LIMIT_KINDS][LIMIT_TRES] = {
	[LIMIT_GRP] = ALL(ASSOC_GRP_,),
	[LIMIT_GRP_RUN_MINS] = ALL(ASSOC_GRP_, _RUN_MIN),
	[LIMIT_JOB] = ALL(ASSOC_MAX_, _PER_JOB),
	[LIMIT_JOB_MINS] = ALL(ASSOC_MAX_, _MINS_PER_JOB),
	[LIMIT_JOB_NODE] = {
		WAIT_ASSOC_MAX_CPU_PER_NODE, WAIT_ASSOC_MAX_MEM_PER_NODE,
		WAIT_ASSOC_MAX_UNK_PER_NODE, WAIT_ASSOC_MAX_BILLING_PER_NODE,
	},
	[LIMIT_GRP_MINS] = ALL(ASSOC_GRP_, _MIN),
};

static const uint16_t qos_reasons[LIMIT_KINDS][LIMIT_TRES] = {
	[LIMIT_GRP] = ALL(QOS_GRP_,),
	[LIMIT_GRP_RUN_MINS] = ALL(QOS_GRP_, _RUN_MIN),
	[LIMIT_JOB] = ALL(QOS_MAX_, _PER_JOB),
	[LIMIT_JOB_MINS] = ALL(QOS_MAX_, _MINS_PER_JOB),
	[LIMIT_JOB_NODE] = {
		WAIT_QOS_MAX_CPU_PER_NODE, WAIT_QOS_MAX_MEM_PER_NODE,
		WAIT_QOS_MAX_UNK_PER_NODE, WAIT_QOS_MAX_BILLING_PER_NODE,
	},
	[LIMIT_JOB_MIN] = ALL(QOS_MIN_,),
	[LIMIT_USER] = ALL(QOS_MAX_, _PER_USER),
	[LIMIT_USER_RUN_MINS] = COMPAT_RUN_MINS_REASONS(USER),
	[LIMIT_ACCT] = ALL(QOS_MAX_, _PER_ACCT),
	[LIMIT_ACCT_RUN_MINS] = COMPAT_RUN_MINS_REASONS(ACCT),
	[LIMIT_GRP_MINS] = ALL(QOS_GRP_, _MIN),
};

/* While a job is looked at */
typedef struct {
	const limits_bound_t *bound;
	const limits_t *qos;	/* or NULL */
	uint64_t tres[LIMIT_TRES];
	const char *nodes;
	uint8_t exempt;
	bool strict;		/* what it can never have is refused */
	bool is_set;		/* its time limit was set by a limit */
	uint32_t minutes;
	uint32_t part_max;
} look_t;

/* Of minutes of what runs: none is exempt from them (acct_policy.c). */
static bool _is_of_run_mins(limit_kind_t kind)
{
	return (kind == LIMIT_GRP_RUN_MINS) ||
	       (kind == LIMIT_USER_RUN_MINS) || (kind == LIMIT_ACCT_RUN_MINS);
}

/* A limit that the QOS has is none of the associations' any more. */
static uint64_t _tres(const look_t *look, const limits_t *limits,
		      limit_kind_t kind, limit_tres_t tres)
{
	bool scaled = (kind == LIMIT_GRP) || (kind == LIMIT_JOB);
	uint64_t limit = limits->tres[kind][tres];

	if ((look->exempt & LIMIT_EXEMPT(tres)) && !_is_of_run_mins(kind))
		return INFINITE64;
	if (!look->qos || (limits == look->qos) || (limit == INFINITE64))
		return limit;
	if (look->qos->tres[kind][tres] != INFINITE64)
		return INFINITE64;
	if (scaled && (look->qos->limit_factor > 0))
		limit *= look->qos->limit_factor;
	return limit;
}

static uint32_t _count(const look_t *look, const limits_t *limits,
		       limit_count_t count)
{
	if ((look->exempt & LIMIT_EXEMPT_TIME) &&
	    ((count == LIMIT_MAX_WALL) || (count == LIMIT_GRP_WALL)))
		return INFINITE;
	if (look->qos && (limits != look->qos) &&
	    (look->qos->count[count] != INFINITE))
		return INFINITE;
	return limits->count[count];
}

static uint32_t _reason(const look_t *look, const limits_t *limits,
			limit_kind_t kind, limit_tres_t tres)
{
	return (limits == look->qos) ? qos_reasons[kind][tres] :
				       assoc_reasons[kind][tres];
}

/* _validate_tres_limits_for_qos(), _validate_tres_limits_for_assoc() */
static uint32_t _is_too_much(const look_t *look, const limits_t *limits,
			     limit_kind_t kind, const uint64_t *asked)
{
	bool per_node = (kind == LIMIT_JOB_NODE) && look->tres[LIMIT_NODE];

	for (limit_tres_t i = 0; i < LIMIT_TRES; i++) {
		uint64_t limit = _tres(look, limits, kind, i);
		uint64_t much = per_node ?
			asked[i] / look->tres[LIMIT_NODE] : asked[i];

		if (limit == INFINITE64)
			continue;
		if ((kind == LIMIT_JOB_MIN) ? (much < limit) : (much > limit))
			return _reason(look, limits, kind, i);
	}
	return 0;
}

/* _validate_tres_usage_limits(), with safe_limits and without curr_usage */
static uint32_t _is_used_up(const look_t *look, const limits_t *limits,
			    limit_kind_t kind, const uint64_t *asked,
			    const uint64_t *used)
{
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++) {
		uint64_t limit = _tres(look, limits, kind, i);

		if ((limit != INFINITE64) &&
		    ((asked[i] > limit) ||
		     (asked[i] && (used[i] > limit - asked[i]))))
			return _reason(look, limits, kind, i);
	}
	return 0;
}

/* ---- into the queue ---- */

/* _set_time_limit(), but never above what its partition allows */
static void _set_minutes(look_t *look, uint64_t limit)
{
	if (limit > look->part_max)
		limit = look->part_max;
	if (look->minutes == NO_VAL) {
		look->minutes = limit ? limit : look->part_max;
		look->is_set = true;
	} else if (look->is_set && (look->minutes > limit)) {
		look->minutes = limit;
	}
}

/* _validate_tres_time_limits() */
static uint32_t _is_too_long(look_t *look, const limits_t *limits,
			     limit_kind_t kind)
{
	for (limit_tres_t i = 0; look->strict && (i < LIMIT_TRES); i++) {
		uint64_t limit = _tres(look, limits, kind, i);

		if (!look->tres[i] || (limit == INFINITE64))
			continue;
		_set_minutes(look, limit / look->tres[i]);
		if (look->minutes > limit / look->tres[i])
			return _reason(look, limits, kind, i);
	}
	return 0;
}

static uint32_t _is_over_wall(look_t *look, const limits_t *limits,
			      limit_count_t wall, uint32_t reason)
{
	uint32_t limit = _count(look, limits, wall);

	if (limit == INFINITE)
		return 0;
	_set_minutes(look, limit);
	return (look->strict && (look->minutes > limit)) ? reason : 0;
}

static bool _is_full(const look_t *look, const limits_t *limits,
		     limit_count_t count, uint32_t used)
{
	uint32_t limit = _count(look, limits, count);

	return (limit != INFINITE) && (used >= limit);
}

/* RET true if a QOS that limits each user or account does so for all */
static bool _qos_has(const look_t *look, limit_count_t user,
		     limit_count_t account)
{
	return look->qos && ((look->qos->count[user] != INFINITE) ||
			     (look->qos->count[account] != INFINITE));
}

/* The first of these that is not 0 is the reason. */
#define ONE_OF(check) if ((reason = (check))) return reason

/* _qos_policy_validate() */
static uint32_t _submit_qos(look_t *look)
{
	const limits_bound_t *bound = look->bound;
	const limits_t *qos = look->qos;
	uint32_t reason;

	if (look->strict) {
		ONE_OF(_is_too_much(look, qos, LIMIT_ACCT, look->tres));
		ONE_OF(_is_too_much(look, qos, LIMIT_USER, look->tres));
		ONE_OF(_is_too_much(look, qos, LIMIT_GRP, look->tres));
	}
	if (_is_full(look, qos, LIMIT_GRP_SUBMIT, bound->qos.used->submitted))
		return WAIT_QOS_GRP_SUB_JOB;
	ONE_OF(_is_too_long(look, qos, LIMIT_JOB_MINS));
	ONE_OF(_is_too_long(look, qos, LIMIT_GRP_MINS));
	ONE_OF(_is_too_long(look, qos, LIMIT_GRP_RUN_MINS));
	ONE_OF(_is_too_long(look, qos, LIMIT_ACCT_RUN_MINS));
	ONE_OF(_is_too_long(look, qos, LIMIT_USER_RUN_MINS));
	ONE_OF(_is_over_wall(look, qos, LIMIT_MAX_WALL,
			     WAIT_QOS_MAX_WALL_PER_JOB));
	ONE_OF(_is_over_wall(look, qos, LIMIT_GRP_WALL, WAIT_QOS_GRP_WALL));
	if (look->strict) {
		ONE_OF(_is_too_much(look, qos, LIMIT_JOB, look->tres));
		ONE_OF(_is_too_much(look, qos, LIMIT_JOB_NODE, look->tres));
	}
	if (_is_full(look, qos, LIMIT_MAX_SUBMIT_ACCT,
		     bound->account->submitted))
		return WAIT_QOS_MAX_SUB_JOB_PER_ACCT;
	if (_is_full(look, qos, LIMIT_MAX_SUBMIT, bound->user->submitted))
		return WAIT_QOS_MAX_SUB_JOB;
	if (look->strict)
		ONE_OF(_is_too_much(look, qos, LIMIT_JOB_MIN, look->tres));
	return 0;
}

/* _acct_policy_validate(). IN own - it is the job's, none above it */
static uint32_t _submit_assoc(look_t *look, const limits_held_t *assoc,
			      bool own)
{
	const limits_t *limits = assoc->limits;
	uint32_t reason;

	if (look->strict)
		ONE_OF(_is_too_much(look, limits, LIMIT_GRP, look->tres));
	if (_is_full(look, limits, LIMIT_GRP_SUBMIT, assoc->used->submitted))
		return WAIT_ASSOC_GRP_SUB_JOB;
	ONE_OF(_is_too_long(look, limits, LIMIT_GRP_MINS));
	ONE_OF(_is_too_long(look, limits, LIMIT_GRP_RUN_MINS));
	ONE_OF(_is_over_wall(look, limits, LIMIT_GRP_WALL,
			     WAIT_ASSOC_GRP_WALL));
	if (!own)
		return 0;
	if (look->strict) {
		ONE_OF(_is_too_much(look, limits, LIMIT_JOB, look->tres));
		ONE_OF(_is_too_much(look, limits, LIMIT_JOB_NODE, look->tres));
	}
	if (!_qos_has(look, LIMIT_MAX_SUBMIT, LIMIT_MAX_SUBMIT_ACCT) &&
	    _is_full(look, limits, LIMIT_MAX_SUBMIT, assoc->used->submitted))
		return WAIT_ASSOC_MAX_SUB_JOB;
	ONE_OF(_is_too_long(look, limits, LIMIT_JOB_MINS));
	ONE_OF(_is_over_wall(look, limits, LIMIT_MAX_WALL,
			     WAIT_ASSOC_MAX_WALL_PER_JOB));
	return 0;
}

static look_t _look(const limits_bound_t *bound, const limits_ask_t *ask)
{
	look_t look = {
		.bound = bound,
		.qos = bound->qos.limits,
		.nodes = ask->nodes,
		.minutes = ask->minutes,
		.part_max = ask->part_max,
	};

	for (limit_tres_t i = 0; i < LIMIT_TRES; i++)
		look.tres[i] = ask->tres[i];
	/* without a QOS nothing says that it may wait */
	look.strict = !look.qos || look.qos->deny;
	return look;
}

extern uint32_t limits_submit(const limits_bound_t *bound, limits_ask_t *ask)
{
	look_t look = _look(bound, ask);
	uint32_t reason;

	if (look.qos)
		ONE_OF(_submit_qos(&look));
	for (uint32_t i = 0; i < bound->assoc_cnt; i++) {
		if (bound->assoc[i].limits)
			ONE_OF(_submit_assoc(&look, &bound->assoc[i], !i));
	}
	ask->minutes = look.minutes;
	return 0;
}

/* ---- out of the queue ---- */

/* Minutes, as far as the QOS has them count */
static uint32_t _minutes(const look_t *look, uint32_t minutes)
{
	const limits_t *qos = look->qos;

	if (qos && qos->factor_safe &&
	    ((minutes != INFINITE) || (qos->usage_factor < 1)))
		return minutes * qos->usage_factor;
	return minutes;
}

static bool _is_longer(const look_t *look, const limits_t *limits)
{
	uint32_t limit = _count(look, limits, LIMIT_MAX_WALL);

	/* one that named no time limit has this one */
	return (limit != INFINITE) && (look->minutes != NO_VAL) &&
	       (_minutes(look, look->minutes) > limit);
}

/* ---- what was used ---- */

/* A QOS whose factor is 0 has its jobs run for nothing. */
static bool _is_free(const look_t *look)
{
	return look->qos && !look->qos->usage_factor;
}

static uint64_t _wall_mins(const limits_held_t *held)
{
	return held->usage ? held->usage->wall / 60 : 0;
}

static uint64_t _used_mins(const limits_held_t *held, limit_tres_t tres)
{
	return held->usage ? held->usage->tres[tres] / 60 : 0;
}

/* RET true if no more may be used, or "safe" and this would be more */
static bool _is_wall_used(const look_t *look, const limits_held_t *held)
{
	uint32_t limit = _count(look, held->limits, LIMIT_GRP_WALL);
	uint32_t max = _count(look, held->limits, LIMIT_MAX_WALL);
	uint64_t used = _wall_mins(held);
	uint32_t minutes = look->minutes;

	if (limit == INFINITE)
		return false;
	if (minutes == NO_VAL)
		minutes = MIN(limit, max);
	return (used >= limit) ||
	       (look->bound->safe && (used + _minutes(look, minutes) > limit));
}

/*
 * The same of TRES (_validate_tres_usage_limits(), with curr_usage).
 * IN asked - minutes
 * IN run - minutes that those that run have before them; NULL: it runs, too
 */
static uint32_t _is_spent(const look_t *look, const limits_held_t *held,
			  const uint64_t *asked, const uint64_t *run)
{
	bool is_free = run && _is_free(look);

	for (limit_tres_t i = 0; i < LIMIT_TRES; i++) {
		uint64_t limit = _tres(look, held->limits, LIMIT_GRP_MINS, i);
		uint64_t used = is_free ? 0 : _used_mins(held, i);

		if (!asked[i] || (limit == INFINITE64))
			continue;
		if ((used >= limit) ||
		    (run && look->bound->safe &&
		     (asked[i] + (is_free ? 0 : run[i]) > limit - used)))
			return _reason(look, held->limits, LIMIT_GRP_MINS, i);
	}
	return 0;
}

/* ---- what is in use ---- */

/* _get_unique_job_node_cnt(): of nodes that are in use already none is more */
static const uint64_t *_fresh(const look_t *look, const limits_used_t *used,
			      uint64_t *asked)
{
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++)
		asked[i] = look->tres[i];
	if (look->nodes)
		asked[LIMIT_NODE] = limits_fresh_nodes(used, look->nodes);
	return asked;
}

/* What those that run have still before them, in minutes */
static const uint64_t *_run_mins(const limits_used_t *used, uint64_t *mins)
{
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++)
		mins[i] = limits_run_secs(used, i) / 60;
	return mins;
}

/* _qos_job_runnable_pre_select() */
static uint32_t _pre_qos(const look_t *look)
{
	const limits_bound_t *bound = look->bound;
	const limits_t *qos = look->qos;

	if (_is_full(look, qos, LIMIT_GRP_JOBS, bound->qos.used->running))
		return WAIT_QOS_GRP_JOB;
	if (_is_wall_used(look, &bound->qos))
		return WAIT_QOS_GRP_WALL;
	if (_is_full(look, qos, LIMIT_MAX_JOBS_ACCT, bound->account->running))
		return WAIT_QOS_MAX_JOB_PER_ACCT;
	if (_is_full(look, qos, LIMIT_MAX_JOBS, bound->user->running))
		return WAIT_QOS_MAX_JOB_PER_USER;
	return _is_longer(look, qos) ? WAIT_QOS_MAX_WALL_PER_JOB : 0;
}

/* acct_policy_job_runnable_pre_select() */
static uint32_t _pre_assoc(const look_t *look, const limits_held_t *assoc,
			   bool own)
{
	const limits_t *limits = assoc->limits;

	if (_is_full(look, limits, LIMIT_GRP_JOBS, assoc->used->running))
		return WAIT_ASSOC_GRP_JOB;
	if (_is_wall_used(look, assoc))
		return WAIT_ASSOC_GRP_WALL;
	if (!own)
		return 0;
	if (!_qos_has(look, LIMIT_MAX_JOBS, LIMIT_MAX_JOBS_ACCT) &&
	    _is_full(look, limits, LIMIT_MAX_JOBS, assoc->used->running))
		return WAIT_ASSOC_MAX_JOBS;
	return _is_longer(look, limits) ? WAIT_ASSOC_MAX_WALL_PER_JOB : 0;
}

/* _qos_job_runnable_post_select(). IN mins - TRES times minutes of the job */
static uint32_t _post_qos(const look_t *look, const uint64_t *mins)
{
	const limits_bound_t *bound = look->bound;
	const limits_t *qos = look->qos;
	uint64_t asked[LIMIT_TRES], used[LIMIT_TRES];
	uint32_t reason;

	ONE_OF(_is_spent(look, &bound->qos, mins,
			 _run_mins(bound->qos.used, used)));
	ONE_OF(_is_used_up(look, qos, LIMIT_GRP,
			   _fresh(look, bound->qos.used, asked),
			   bound->qos.used->tres));
	ONE_OF(_is_used_up(look, qos, LIMIT_GRP_RUN_MINS, mins,
			   _run_mins(bound->qos.used, used)));
	ONE_OF(_is_too_much(look, qos, LIMIT_JOB_MINS, mins));
	ONE_OF(_is_too_much(look, qos, LIMIT_JOB, look->tres));
	ONE_OF(_is_too_much(look, qos, LIMIT_JOB_NODE, look->tres));
	ONE_OF(_is_too_much(look, qos, LIMIT_JOB_MIN, look->tres));
	ONE_OF(_is_used_up(look, qos, LIMIT_ACCT,
			   _fresh(look, bound->account, asked),
			   bound->account->tres));
	ONE_OF(_is_used_up(look, qos, LIMIT_USER,
			   _fresh(look, bound->user, asked),
			   bound->user->tres));
	ONE_OF(_is_used_up(look, qos, LIMIT_ACCT_RUN_MINS, mins,
			   _run_mins(bound->account, used)));
	ONE_OF(_is_used_up(look, qos, LIMIT_USER_RUN_MINS, mins,
			   _run_mins(bound->user, used)));
	return 0;
}

/* acct_policy_job_runnable_post_select() */
static uint32_t _post_assoc(const look_t *look, const limits_held_t *assoc,
			    bool own, const uint64_t *mins)
{
	const limits_t *limits = assoc->limits;
	uint64_t asked[LIMIT_TRES], used[LIMIT_TRES];
	uint32_t reason;

	ONE_OF(_is_spent(look, assoc, mins,
			 _run_mins(assoc->used, used)));
	ONE_OF(_is_used_up(look, limits, LIMIT_GRP,
			   _fresh(look, assoc->used, asked),
			   assoc->used->tres));
	ONE_OF(_is_used_up(look, limits, LIMIT_GRP_RUN_MINS, mins,
			   _run_mins(assoc->used, used)));
	if (!own)
		return 0;
	ONE_OF(_is_too_much(look, limits, LIMIT_JOB_MINS, mins));
	ONE_OF(_is_too_much(look, limits, LIMIT_JOB, look->tres));
	ONE_OF(_is_too_much(look, limits, LIMIT_JOB_NODE, look->tres));
	return 0;
}

extern uint32_t limits_start(const limits_bound_t *bound,
			     const limits_ask_t *ask)
{
	look_t look = _look(bound, ask);
	uint64_t mins[LIMIT_TRES];
	uint32_t minutes, reason;

	look.exempt = ask->exempt;
	minutes = _minutes(&look, (ask->minutes == NO_VAL) ?
				  ask->part_minutes : ask->minutes);
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++)
		mins[i] = look.tres[i] * minutes;
	if (look.qos)
		ONE_OF(_pre_qos(&look));
	for (uint32_t i = 0; i < bound->assoc_cnt; i++) {
		if (bound->assoc[i].limits)
			ONE_OF(_pre_assoc(&look, &bound->assoc[i], !i));
	}
	if (look.qos)
		ONE_OF(_post_qos(&look, mins));
	for (uint32_t i = 0; i < bound->assoc_cnt; i++) {
		if (bound->assoc[i].limits)
			ONE_OF(_post_assoc(&look, &bound->assoc[i], !i, mins));
	}
	return 0;
}

/* ---- while it runs ---- */

/* IN mins - that it has had of each TRES so far, and one more */
static uint32_t _run_out(const look_t *look, const limits_held_t *held,
			 const uint64_t *mins)
{
	bool of_qos = (held->limits == look->qos);
	uint64_t counted[LIMIT_TRES];
	uint32_t limit = _count(look, held->limits, LIMIT_GRP_WALL), reason;

	ONE_OF(_is_spent(look, held, mins, NULL));
	if ((limit != INFINITE) && (_wall_mins(held) >= limit))
		return of_qos ? WAIT_QOS_GRP_WALL : WAIT_ASSOC_GRP_WALL;
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++)
		counted[i] = mins[i];
	if (!of_qos)
		counted[LIMIT_NODE] = 0;
	return _is_too_much(look, held->limits, LIMIT_JOB_MINS, counted);
}

extern uint32_t limits_run_out(const limits_bound_t *bound,
			       const uint64_t *tres, uint32_t minutes)
{
	look_t look = { .bound = bound, .qos = bound->qos.limits };
	uint64_t mins[LIMIT_TRES];
	uint32_t reason;

	if (bound->safe)
		return 0;
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++)
		mins[i] = tres[i] ? tres[i] * minutes + 1 : 0;
	if (look.qos)
		ONE_OF(_run_out(&look, &bound->qos, mins));
	for (uint32_t i = 0; i < bound->assoc_cnt; i++) {
		/* not for the root, which is above all */
		if (i && (i + 1 == bound->assoc_cnt))
			break;
		if (bound->assoc[i].limits)
			ONE_OF(_run_out(&look, &bound->assoc[i], mins));
	}
	return 0;
}
