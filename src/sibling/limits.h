/*
 * limits.h - may a job be submitted, and may it start, within the limits of its
 * QOS and of its associations?
 *
 * The rules are those of slurmctld/acct_policy.c: a limit of the QOS takes the
 * place of the same limit of the associations, and of these the group limits
 * hold for the job's own and for all accounts above it. Pure: who is limited,
 * and what is in use, is brought along. Partitions have no QOS at FLURM.
 *
 * Not here is GRES, which is none of FLURM's TRES.
 */
#ifndef FED_SIBLING_LIMITS_H
#define FED_SIBLING_LIMITS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "src/core/bytes.h"
#include "src/sibling/compat.h"

typedef enum {
	LIMIT_CPU,
	LIMIT_MEM,		/* megabytes */
	LIMIT_NODE,
	LIMIT_BILLING,
	LIMIT_TRES
} limit_tres_t;

/* Limits of a number. An association's MAX are those of users. */
typedef enum {
	LIMIT_GRP_JOBS,
	LIMIT_GRP_SUBMIT,
	LIMIT_MAX_JOBS,
	LIMIT_MAX_SUBMIT,
	LIMIT_MAX_JOBS_ACCT,	/* of a QOS only, as below */
	LIMIT_MAX_SUBMIT_ACCT,
	LIMIT_MAX_WALL,		/* minutes */
	LIMIT_GRP_WALL,		/* minutes, that were used */
	LIMIT_COUNTS
} limit_count_t;

/* Limits of TRES, or of TRES times minutes */
typedef enum {
	LIMIT_GRP,
	LIMIT_GRP_RUN_MINS,
	LIMIT_JOB,
	LIMIT_JOB_MINS,
	LIMIT_JOB_NODE,
	LIMIT_JOB_MIN,
	LIMIT_USER,
	LIMIT_USER_RUN_MINS,
	LIMIT_ACCT,
	LIMIT_ACCT_RUN_MINS,
	LIMIT_GRP_MINS,		/* that were used */
	LIMIT_KINDS
} limit_kind_t;

/* Of one QOS or association */
typedef struct {
	uint32_t count[LIMIT_COUNTS];		/* INFINITE: none */
	uint64_t tres[LIMIT_KINDS][LIMIT_TRES];	/* INFINITE64: none */
	/* of a QOS */
	bool deny;		/* DenyOnLimit */
	bool factor_safe;	/* UsageFactorSafe */
	bool keeps;		/* NoDecay: what was used stays so */
	double usage_factor;	/* of the minutes that count as used */
	double limit_factor;	/* of TRES limits of associations; 0: none */
} limits_t;

/* RET slurmdbd's id of a TRES */
extern uint32_t limits_tres_id(limit_tres_t tres);

/* RET what slurmdbd says of it, to be xfreed; NULL: it limits nothing */
extern limits_t *limits_of_assoc(const slurmdb_assoc_rec_t *rec);

/* RET the same; never NULL, since that a job has a QOS matters too */
extern limits_t *limits_of_qos(const slurmdb_qos_rec_t *rec);

/* RET a copy, to be xfreed; NULL for NULL */
extern limits_t *limits_copy(const limits_t *limits);

/*
 * To and from the ledger, NULL too.
 * IN old - of a record that has none of what was used
 * RET of unpack: to be xfreed, or NULL
 */
extern void limits_pack(const limits_t *limits, fed_bytes_t *bytes);
extern limits_t *limits_unpack(fed_reader_t *reader, bool old);

/* What the jobs of a QOS, of an association and all below it, or of a user or
 * an account with a QOS have in use. Zeroed: nothing. */
typedef struct {
	uint32_t submitted;	/* jobs, also those that wait */
	uint32_t running;
	uint64_t tres[LIMIT_TRES];	/* a node that is shared counts once */
	uint64_t rate[LIMIT_TRES];	/* TRES times usage_factor */
	uint64_t ends[LIMIT_TRES]; /* sum of rate times the time of its end */
	uint64_t begins[LIMIT_TRES]; /* ... since when it is not charged yet */
	int64_t charged;	/* all up to then: limits_charged() */
	struct limits_node *nodes;	/* by name */
	uint32_t node_cnt;
} limits_used_t;

extern void limits_used_free(limits_used_t *used);

/* What was used, in seconds, decayed (usage.h) */
typedef struct {
	double raw;		/* of billing */
	double wall;
	double tres[LIMIT_TRES];
} usage_sum_t;

/*
 * RET seconds of a TRES that those that run have still before them, and what
 *	they are not charged for yet (grp_used_tres_run_secs)
 */
extern uint64_t limits_run_secs(const limits_used_t *used, limit_tres_t tres);

/* All that run were charged up to then. */
extern void limits_charged(limits_used_t *used, int64_t until);

/* RET how many nodes of a host list are not in use yet */
extern uint32_t limits_fresh_nodes(const limits_used_t *used,
				   const char *list);

typedef struct {
	const limits_t *limits;	/* NULL: none */
	const limits_used_t *used;
	const usage_sum_t *usage; /* NULL: nothing was used */
} limits_held_t;

/* All that limits a job. limits may be NULL where there are none. */
typedef struct {
	limits_held_t qos;
	const limits_used_t *user;	/* with this QOS */
	const limits_used_t *account;
	const limits_held_t *assoc;	/* its own, then those above it */
	uint32_t assoc_cnt;
	bool safe;		/* AccountingStorageEnforce=safe: only what
				 * cannot exceed what may be used is to start */
} limits_bound_t;

/*
 * Of what an update has set no limit of one job's, and none of what is in use,
 * holds any more (ADMIN_SET_LIMIT in slurmctld's acct_policy_limit_set_t): bits
 * of TRES, and of the time limit. GrpTRESRunMins and the like still do.
 */
#define LIMIT_EXEMPT(tres) (1 << (tres))
#define LIMIT_EXEMPT_TIME LIMIT_EXEMPT(LIMIT_TRES)

/* What a job asks for, or is about to get */
typedef struct {
	uint64_t tres[LIMIT_TRES];
	const char *nodes;	/* host list, or NULL: not known */
	uint32_t minutes;	/* its time limit; NO_VAL: it named none */
	uint32_t part_minutes;	/* what it has then, or INFINITE */
	uint32_t part_max;	/* of its partition, or INFINITE */
	uint8_t exempt;		/* LIMIT_EXEMPT bits; only to start */
} limits_ask_t;

/*
 * May the job come into the queue (acct_policy_validate())?
 * IN/OUT ask - minutes is set if the job named none and a limit says how long
 *	it may run at the most
 * RET 0, or the reason (WAIT_ASSOC_ or WAIT_QOS_) to refuse it
 */
extern uint32_t limits_submit(const limits_bound_t *bound, limits_ask_t *ask);

/*
 * May it start now (acct_policy_job_runnable_pre_select() and _post_select())?
 * RET 0, or the reason why it waits
 */
extern uint32_t limits_start(const limits_bound_t *bound,
			     const limits_ask_t *ask);

/*
 * Has what may be used been used while it runs, so that it is to be ended; with
 * AccountingStorageEnforce=safe that is not asked (acct_policy_job_time_out())?
 * IN tres - what it has
 * IN minutes - how long it runs, but for the time that it was suspended
 * RET 0, or the limit, by the reason for which one that waits would go on to
 *	wait
 */
extern uint32_t limits_run_out(const limits_bound_t *bound,
			       const uint64_t *tres, uint32_t minutes);

/* What one job has in use */
typedef struct {
	uint64_t tres[LIMIT_TRES];
	uint64_t rate[LIMIT_TRES];
	int64_t begin;		/* since when it is not charged yet */
	int64_t end;		/* when its time is up */
	char *nodes;		/* host list, or NULL */
} limits_share_t;

/*
 * What the job has in use if it starts then.
 * IN qos - limits of its QOS, or NULL
 * IN charged - all were, up to then
 * RET to be given to limits_share_free()
 */
extern limits_share_t limits_share(const limits_t *qos,
				   const limits_ask_t *ask, time_t start,
				   time_t charged);
extern void limits_share_free(limits_share_t *share);

/* It starts, or ends. Not what is counted in submitted. */
extern void limits_add(limits_used_t *used, const limits_share_t *share);
extern void limits_remove(limits_used_t *used, const limits_share_t *share);

#endif
