/*
 * limits_test.c - src/sibling/limits: a row for each rule of
 * slurmctld/acct_policy.c.
 */
#include "testsuite/unit/slurm_unit.h"

#include <math.h>

#include "src/sibling/job_bound.h"
#include "src/sibling/limits.h"

#define NOW 1000000

typedef enum { NOBODY, QOS, ASSOC, ACCT, HOLDERS } of_t;

/* One limit */
typedef struct {
	of_t of;
	bool is_tres;
	int kind;
	limit_tres_t tres;
	uint64_t value;
} set_t;

#define NUMBER(of, kind, value) { of, false, LIMIT_##kind, 0, value }
#define AMOUNT(of, kind, tres, value) \
	{ of, true, LIMIT_##kind, LIMIT_##tres, value }

typedef struct {
	const char *name;
	set_t set[3];
	bool no_qos;
	bool deny;
	int running;	/* jobs: 2 CPUs, 100 MB, on n1, 5 minutes each */
	/* what is asked for: so many CPUs and 100 MB */
	uint64_t cpus;
	const char *nodes;
	uint32_t minutes;
	uint8_t exempt;
	uint32_t submit;	/* the reasons, and time limit that is set */
	uint32_t submit_minutes;
	uint32_t start;
} row_t;

static const row_t rows[] = {
	{ "nothing is limited", { { 0 } }, .cpus = 1000, .minutes = INFINITE },
	/* numbers of jobs */
	{ "QOS GrpJobs", { NUMBER(QOS, GRP_JOBS, 2) }, .running = 2,
	  .start = WAIT_QOS_GRP_JOB },
	{ "fewer", { NUMBER(QOS, GRP_JOBS, 3) }, .running = 2 },
	{ "none at all", { NUMBER(QOS, GRP_JOBS, 0) },
	  .start = WAIT_QOS_GRP_JOB },
	{ "QOS MaxJobsPU", { NUMBER(QOS, MAX_JOBS, 1) }, .running = 1,
	  .start = WAIT_QOS_MAX_JOB_PER_USER },
	{ "QOS MaxJobsPA", { NUMBER(QOS, MAX_JOBS_ACCT, 1) }, .running = 1,
	  .start = WAIT_QOS_MAX_JOB_PER_ACCT },
	{ "QOS GrpSubmit", { NUMBER(QOS, GRP_SUBMIT, 1) }, .running = 1,
	  .submit = WAIT_QOS_GRP_SUB_JOB },
	{ "QOS MaxSubmitPU", { NUMBER(QOS, MAX_SUBMIT, 1) }, .running = 1,
	  .submit = WAIT_QOS_MAX_SUB_JOB },
	{ "QOS MaxSubmitPA", { NUMBER(QOS, MAX_SUBMIT_ACCT, 1) }, .running = 1,
	  .submit = WAIT_QOS_MAX_SUB_JOB_PER_ACCT },
	{ "MaxJobs", { NUMBER(ASSOC, MAX_JOBS, 1) }, .running = 1,
	  .start = WAIT_ASSOC_MAX_JOBS },
	{ "MaxJobs of an account is its users' and was inherited",
	  { NUMBER(ACCT, MAX_JOBS, 1) }, .running = 1 },
	{ "GrpJobs above", { NUMBER(ACCT, GRP_JOBS, 1) }, .running = 1,
	  .start = WAIT_ASSOC_GRP_JOB },
	{ "MaxSubmit", { NUMBER(ASSOC, MAX_SUBMIT, 1) }, .running = 1,
	  .submit = WAIT_ASSOC_MAX_SUB_JOB },
	{ "GrpSubmit above", { NUMBER(ACCT, GRP_SUBMIT, 1) }, .running = 1,
	  .submit = WAIT_ASSOC_GRP_SUB_JOB },
	/* the QOS first, and in place of the association */
	{ "both", { NUMBER(QOS, GRP_JOBS, 1), NUMBER(ASSOC, GRP_JOBS, 1) },
	  .running = 1, .start = WAIT_QOS_GRP_JOB },
	{ "more than the association", { NUMBER(QOS, GRP_JOBS, 9),
	  NUMBER(ASSOC, GRP_JOBS, 1), NUMBER(ACCT, GRP_JOBS, 1) }, .running = 1 },
	{ "MaxJobsPA in place of MaxJobs", { NUMBER(QOS, MAX_JOBS_ACCT, 9),
	  NUMBER(ASSOC, MAX_JOBS, 1) }, .running = 1 },
	{ "MaxSubmitPU in place of MaxSubmit", { NUMBER(QOS, MAX_SUBMIT, 9),
	  NUMBER(ASSOC, MAX_SUBMIT, 1) }, .running = 1 },
	{ "one TRES of the QOS, another of the association",
	  { AMOUNT(QOS, GRP, MEM, 1000), AMOUNT(ASSOC, GRP, CPU, 3) },
	  .running = 1, .cpus = 2, .start = WAIT_ASSOC_GRP_CPU },
	/* TRES in use */
	{ "GrpTRES", { AMOUNT(ASSOC, GRP, CPU, 4) }, .running = 1, .cpus = 2 },
	{ "GrpTRES more", { AMOUNT(ASSOC, GRP, CPU, 4) }, .running = 1, .cpus = 3,
	  .start = WAIT_ASSOC_GRP_CPU },
	{ "GrpTRES mem", { AMOUNT(ACCT, GRP, MEM, 150) }, .running = 1,
	  .start = WAIT_ASSOC_GRP_MEM },
	{ "GrpTRES billing", { AMOUNT(ACCT, GRP, BILLING, 2) }, .running = 1,
	  .start = WAIT_ASSOC_GRP_BILLING },
	{ "another node", { AMOUNT(ASSOC, GRP, NODE, 1) }, .running = 3,
	  .nodes = "n2", .start = WAIT_ASSOC_GRP_NODE },
	{ "the same node", { AMOUNT(ASSOC, GRP, NODE, 1) }, .running = 3,
	  .nodes = "n1" },
	{ "one of both", { AMOUNT(ASSOC, GRP, NODE, 2) }, .running = 3,
	  .nodes = "n[1-2]" },
	{ "QOS GrpTRES", { AMOUNT(QOS, GRP, CPU, 3) }, .running = 1, .cpus = 2,
	  .start = WAIT_QOS_GRP_CPU },
	{ "QOS MaxTRESPU", { AMOUNT(QOS, USER, CPU, 3) }, .running = 1,
	  .cpus = 2, .start = WAIT_QOS_MAX_CPU_PER_USER },
	{ "QOS MaxTRESPA", { AMOUNT(QOS, ACCT, MEM, 150) }, .running = 1,
	  .start = WAIT_QOS_MAX_MEM_PER_ACCT },
	/* what those that run have before them */
	{ "GrpTRESRunMins", { AMOUNT(ACCT, GRP_RUN_MINS, CPU, 20) },
	  .running = 1, .cpus = 2, .minutes = 5 },
	{ "GrpTRESRunMins more", { AMOUNT(ACCT, GRP_RUN_MINS, CPU, 19) },
	  .running = 1, .cpus = 2, .minutes = 5,
	  .start = WAIT_ASSOC_GRP_CPU_RUN_MIN },
	{ "QOS GrpTRESRunMins", { AMOUNT(QOS, GRP_RUN_MINS, CPU, 19) },
	  .running = 1, .cpus = 2, .minutes = 5,
	  .start = WAIT_QOS_GRP_CPU_RUN_MIN },
	/* of one job: it waits, unless the QOS denies it */
	{ "MaxTRES", { AMOUNT(ASSOC, JOB, CPU, 3) }, .cpus = 4,
	  .start = WAIT_ASSOC_MAX_CPU_PER_JOB },
	{ "MaxTRES with DenyOnLimit", { AMOUNT(ASSOC, JOB, CPU, 3) },
	  .deny = true, .cpus = 4, .submit = WAIT_ASSOC_MAX_CPU_PER_JOB,
	  .start = WAIT_ASSOC_MAX_CPU_PER_JOB },
	{ "MaxTRES without a QOS", { AMOUNT(ASSOC, JOB, CPU, 3) },
	  .no_qos = true, .cpus = 4, .submit = WAIT_ASSOC_MAX_CPU_PER_JOB,
	  .start = WAIT_ASSOC_MAX_CPU_PER_JOB },
	{ "MaxTRESPerNode", { AMOUNT(ASSOC, JOB_NODE, CPU, 3) }, .cpus = 4,
	  .nodes = "n[1-2]" },
	{ "MaxTRESPerNode more", { AMOUNT(ASSOC, JOB_NODE, CPU, 1) }, .cpus = 4,
	  .nodes = "n[1-2]", .start = WAIT_ASSOC_MAX_CPU_PER_NODE },
	{ "MaxTRESMins", { AMOUNT(ASSOC, JOB_MINS, CPU, 19) }, .cpus = 4,
	  .minutes = 5, .start = WAIT_ASSOC_MAX_CPU_MINS_PER_JOB },
	{ "MaxTRESMins with DenyOnLimit", { AMOUNT(ASSOC, JOB_MINS, CPU, 19) },
	  .deny = true, .cpus = 4, .minutes = 5,
	  .submit = WAIT_ASSOC_MAX_CPU_MINS_PER_JOB,
	  .start = WAIT_ASSOC_MAX_CPU_MINS_PER_JOB },
	{ "QOS MaxTRES", { AMOUNT(QOS, JOB, MEM, 99) },
	  .start = WAIT_QOS_MAX_MEM_PER_JOB },
	{ "QOS MinTRES", { AMOUNT(QOS, JOB_MIN, CPU, 2) }, .cpus = 1,
	  .start = WAIT_QOS_MIN_CPU },
	{ "QOS MinTRES with DenyOnLimit", { AMOUNT(QOS, JOB_MIN, CPU, 2) },
	  .deny = true, .cpus = 1, .submit = WAIT_QOS_MIN_CPU,
	  .start = WAIT_QOS_MIN_CPU },
	{ "QOS GrpTRES with DenyOnLimit", { AMOUNT(QOS, GRP, CPU, 2) },
	  .deny = true, .cpus = 3, .submit = WAIT_QOS_GRP_CPU,
	  .start = WAIT_QOS_GRP_CPU },
	{ "GrpTRES that is in use only is no reason to refuse",
	  { AMOUNT(ACCT, GRP, CPU, 2) }, .deny = true, .running = 1, .cpus = 1,
	  .start = WAIT_ASSOC_GRP_CPU },
	/* time */
	{ "MaxWall", { NUMBER(ASSOC, MAX_WALL, 4) }, .minutes = 5,
	  .start = WAIT_ASSOC_MAX_WALL_PER_JOB },
	{ "MaxWall above is inherited", { NUMBER(ACCT, MAX_WALL, 4) },
	  .minutes = 5 },
	{ "MaxWall with DenyOnLimit", { NUMBER(ASSOC, MAX_WALL, 4) },
	  .deny = true, .minutes = 5, .submit = WAIT_ASSOC_MAX_WALL_PER_JOB,
	  .start = WAIT_ASSOC_MAX_WALL_PER_JOB },
	{ "GrpWall of one that names no limit", { NUMBER(ACCT, GRP_WALL, 7) },
	  .minutes = NO_VAL, .submit_minutes = 7 },
	{ "GrpWall with DenyOnLimit", { NUMBER(QOS, GRP_WALL, 4) },
	  .deny = true, .minutes = 5, .submit = WAIT_QOS_GRP_WALL },
	{ "GrpTRESMins with DenyOnLimit", { AMOUNT(ACCT, GRP_MINS, CPU, 9) },
	  .deny = true, .cpus = 2, .minutes = 5,
	  .submit = WAIT_ASSOC_GRP_CPU_MIN },
	{ "QOS MaxWall in place of MaxWall", { NUMBER(QOS, MAX_WALL, 6),
	  NUMBER(ASSOC, MAX_WALL, 4) }, .minutes = 5 },
	{ "MaxWall of one that names no limit", { NUMBER(ASSOC, MAX_WALL, 4) },
	  .minutes = NO_VAL, .submit_minutes = 4 },
	{ "no more than its partition", { NUMBER(QOS, MAX_WALL, 400) },
	  .minutes = NO_VAL, .submit_minutes = 60 },
	{ "what MaxTRESMins leaves", { AMOUNT(ASSOC, JOB_MINS, CPU, 20),
	  NUMBER(ASSOC, MAX_WALL, 50) }, .deny = true, .cpus = 4,
	  .minutes = NO_VAL, .submit_minutes = 5 },
	/* what an update has set */
	{ "MaxWall, exempt", { NUMBER(ASSOC, MAX_WALL, 4) }, .minutes = 5,
	  .exempt = LIMIT_EXEMPT_TIME },
	{ "QOS MaxWall, exempt", { NUMBER(QOS, MAX_WALL, 4) }, .minutes = 5,
	  .exempt = LIMIT_EXEMPT_TIME },
	{ "MaxWall, other exempt", { NUMBER(ASSOC, MAX_WALL, 4) }, .minutes = 5,
	  .exempt = (uint8_t) ~LIMIT_EXEMPT_TIME,
	  .start = WAIT_ASSOC_MAX_WALL_PER_JOB },
	{ "not into the queue", { AMOUNT(ASSOC, JOB, CPU, 3) },
	  .deny = true, .cpus = 4, .exempt = LIMIT_EXEMPT(LIMIT_CPU),
	  .submit = WAIT_ASSOC_MAX_CPU_PER_JOB },
	{ "MaxTRES, other exempt", { AMOUNT(ASSOC, JOB, CPU, 3) }, .cpus = 4,
	  .exempt = (uint8_t) ~LIMIT_EXEMPT(LIMIT_CPU),
	  .start = WAIT_ASSOC_MAX_CPU_PER_JOB },
	{ "MaxTRESPerNode, exempt", { AMOUNT(ASSOC, JOB_NODE, CPU, 1) },
	  .cpus = 4, .nodes = "n[1-2]", .exempt = LIMIT_EXEMPT(LIMIT_CPU) },
	{ "QOS MaxTRES, exempt", { AMOUNT(QOS, JOB, MEM, 99) },
	  .exempt = LIMIT_EXEMPT(LIMIT_MEM) },
	{ "QOS MinTRES, exempt", { AMOUNT(QOS, JOB_MIN, CPU, 2) }, .cpus = 1,
	  .exempt = LIMIT_EXEMPT(LIMIT_CPU) },
	{ "MaxTRESMins is of TRES", { AMOUNT(ASSOC, JOB_MINS, CPU, 19) },
	  .cpus = 4, .minutes = 5, .exempt = LIMIT_EXEMPT_TIME,
	  .start = WAIT_ASSOC_MAX_CPU_MINS_PER_JOB },
	{ "MaxTRESMins, exempt", { AMOUNT(ASSOC, JOB_MINS, CPU, 19) },
	  .cpus = 4, .minutes = 5, .exempt = LIMIT_EXEMPT(LIMIT_CPU) },
	{ "GrpTRES, exempt", { AMOUNT(ACCT, GRP, CPU, 2) }, .running = 1,
	  .cpus = 2, .exempt = LIMIT_EXEMPT(LIMIT_CPU) },
	{ "GrpTRES node, exempt", { AMOUNT(ASSOC, GRP, NODE, 1) }, .running = 3,
	  .nodes = "n2", .exempt = LIMIT_EXEMPT(LIMIT_NODE) },
	{ "QOS MaxTRESPU, exempt", { AMOUNT(QOS, USER, CPU, 3) }, .running = 1,
	  .cpus = 2, .exempt = LIMIT_EXEMPT(LIMIT_CPU) },
	{ "QOS MaxTRESPA, exempt", { AMOUNT(QOS, ACCT, MEM, 150) },
	  .running = 1, .exempt = LIMIT_EXEMPT(LIMIT_MEM) },
	{ "nobody is from GrpTRESRunMins",
	  { AMOUNT(ACCT, GRP_RUN_MINS, CPU, 19) }, .running = 1, .cpus = 2,
	  .minutes = 5, .exempt = UINT8_MAX,
	  .start = WAIT_ASSOC_GRP_CPU_RUN_MIN },
	{ "nor from numbers of jobs", { NUMBER(ASSOC, MAX_JOBS, 1) },
	  .running = 1, .exempt = UINT8_MAX, .start = WAIT_ASSOC_MAX_JOBS },
};

typedef struct {
	limits_t limits[HOLDERS];
	limits_used_t used[HOLDERS], user, account;
	limits_held_t assoc[2];
	limits_bound_t bound;
} world_t;

static void _zero_limits(limits_t *limits)
{
	for (int i = 0; i < LIMIT_COUNTS; i++)
		limits->count[i] = INFINITE;
	for (int i = 0; i < LIMIT_KINDS; i++)
		for (int j = 0; j < LIMIT_TRES; j++)
			limits->tres[i][j] = INFINITE64;
	limits->usage_factor = 1;
}

static void _set(world_t *world, const row_t *row)
{
	memset(world, 0, sizeof(*world));
	for (int i = 0; i < HOLDERS; i++)
		_zero_limits(&world->limits[i]);
	for (int i = 0; i < 3; i++) {
		const set_t *set = &row->set[i];
		limits_t *limits = &world->limits[set->of];

		if (set->is_tres)
			limits->tres[set->kind][set->tres] = set->value;
		else
			limits->count[set->kind] = set->value;
	}
	world->limits[QOS].deny = row->deny;
	world->bound.qos.limits = row->no_qos ? NULL : &world->limits[QOS];
	world->bound.qos.used = &world->used[QOS];
	world->bound.user = &world->user;
	world->bound.account = &world->account;
	for (int i = 0; i < 2; i++) {
		world->assoc[i].limits = &world->limits[ASSOC + i];
		world->assoc[i].used = &world->used[ASSOC + i];
	}
	world->bound.assoc = world->assoc;
	world->bound.assoc_cnt = 2;
}

static limits_ask_t _ask(uint64_t cpus, const char *nodes, uint32_t minutes)
{
	return (limits_ask_t) {
		.tres = {
			[LIMIT_CPU] = cpus ? cpus : 1,
			[LIMIT_MEM] = 100,
			[LIMIT_NODE] = (nodes && strchr(nodes, '[')) ? 2 : 1,
			[LIMIT_BILLING] = cpus ? cpus : 1,
		},
		.nodes = nodes,
		.minutes = minutes ? minutes : 1,
		.part_minutes = 30,
		.part_max = 60,
	};
}

static void _done(world_t *world)
{
	limits_used_free(&world->used[QOS]);
	limits_used_free(&world->used[ASSOC]);
	limits_used_free(&world->used[ACCT]);
	limits_used_free(&world->user);
	limits_used_free(&world->account);
}

static void _use(world_t *world, const limits_share_t *share, bool add)
{
	limits_used_t *all[] = { &world->used[QOS], &world->used[ASSOC],
				 &world->used[ACCT], &world->user,
				 &world->account };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		(add ? limits_add : limits_remove)(all[i], share);
		all[i]->submitted += add ? 1 : -1;
	}
}

static void _rules(void **state)
{
	const limits_ask_t one = _ask(2, "n1", 5);
	limits_share_t share = limits_share(NULL, &one, NOW, 0);
	world_t world;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const row_t *row = &rows[i];
		limits_ask_t ask = _ask(row->cpus, row->nodes, row->minutes);
		uint32_t start, submit;

		ask.exempt = row->exempt;
		_set(&world, row);
		for (int j = 0; j < row->running; j++)
			_use(&world, &share, true);
		submit = limits_submit(&world.bound, &ask);
		if (submit != row->submit)
			fail_msg("%s: submit: %s", row->name,
				 compat_reason_name(submit));
		if (row->submit_minutes &&
		    (ask.minutes != row->submit_minutes))
			fail_msg("%s: %u minutes", row->name, ask.minutes);
		start = limits_start(&world.bound, &ask);
		if (start != row->start)
			fail_msg("%s: start: %s", row->name,
				 compat_reason_name(start));
		for (int j = 0; j < row->running; j++)
			_use(&world, &share, false);
		/* nothing is left in use */
		assert_int_equal(world.used[ASSOC].running, 0);
		for (int j = 0; j < LIMIT_TRES; j++) {
			assert_int_equal(world.used[ASSOC].tres[j], 0);
			assert_int_equal(world.used[ASSOC].ends[j], 0);
		}
		assert_int_equal(world.used[ASSOC].node_cnt, 0);
		_done(&world);
	}
	limits_share_free(&share);
}

/* Of what was used: 20 CPU minutes and 10 minutes, 2 CPUs run for 5 more. Asked
 * for are 2 CPUs. */
static const struct {
	const char *name;
	set_t set[2];
	bool safe;
	double factor;		/* of the QOS; 0: 1; negative: 0 */
	uint32_t minutes;	/* that are asked for, or have been run */
	uint8_t exempt;
	uint32_t start;
	uint32_t run_out;
} spent_rows[] = {
	{ "less than it may", { AMOUNT(ASSOC, GRP_MINS, CPU, 21) },
	  .minutes = 60 },
	{ "all that it may", { AMOUNT(ASSOC, GRP_MINS, CPU, 20) },
	  .start = WAIT_ASSOC_GRP_CPU_MIN, .run_out = WAIT_ASSOC_GRP_CPU_MIN },
	{ "all that those above may: the last one is the root",
	  { AMOUNT(ACCT, GRP_MINS, CPU, 20) },
	  .start = WAIT_ASSOC_GRP_CPU_MIN },
	{ "QOS", { AMOUNT(QOS, GRP_MINS, CPU, 19) },
	  .start = WAIT_QOS_GRP_CPU_MIN, .run_out = WAIT_QOS_GRP_CPU_MIN },
	{ "QOS in place of the association", { AMOUNT(QOS, GRP_MINS, CPU, 21),
	  AMOUNT(ASSOC, GRP_MINS, CPU, 20) }, .minutes = 5 },
	{ "another TRES", { AMOUNT(ASSOC, GRP_MINS, MEM, 2000) },
	  .start = WAIT_ASSOC_GRP_MEM_MIN, .run_out = WAIT_ASSOC_GRP_MEM_MIN },
	{ "no TRES", { AMOUNT(ASSOC, GRP_MINS, CPU, 0) },
	  .start = WAIT_ASSOC_GRP_CPU_MIN, .run_out = WAIT_ASSOC_GRP_CPU_MIN },
	{ "safe", { AMOUNT(ASSOC, GRP_MINS, CPU, 40) }, .safe = true,
	  .minutes = 5 },
	{ "not safe", { AMOUNT(ASSOC, GRP_MINS, CPU, 39) }, .safe = true,
	  .minutes = 5, .start = WAIT_ASSOC_GRP_CPU_MIN },
	{ "not safe of a QOS", { AMOUNT(QOS, GRP_MINS, CPU, 39) }, .safe = true,
	  .minutes = 5, .start = WAIT_QOS_GRP_CPU_MIN },
	{ "safe as it is free", { AMOUNT(ASSOC, GRP_MINS, CPU, 10) },
	  .safe = true, .factor = -1, .minutes = 5 },
	{ "what it runs counts even so", { AMOUNT(ASSOC, GRP_MINS, CPU, 10) },
	  .factor = -1, .minutes = 5, .run_out = WAIT_ASSOC_GRP_CPU_MIN },
	/* time */
	{ "less time", { NUMBER(ASSOC, GRP_WALL, 11) }, .minutes = 60 },
	{ "all time", { NUMBER(ASSOC, GRP_WALL, 10) },
	  .start = WAIT_ASSOC_GRP_WALL, .run_out = WAIT_ASSOC_GRP_WALL },
	{ "QOS time", { NUMBER(QOS, GRP_WALL, 10) },
	  .start = WAIT_QOS_GRP_WALL, .run_out = WAIT_QOS_GRP_WALL },
	{ "safe time", { NUMBER(ASSOC, GRP_WALL, 15) }, .safe = true,
	  .minutes = 5 },
	{ "not safe time", { NUMBER(ASSOC, GRP_WALL, 14) }, .safe = true,
	  .minutes = 5, .start = WAIT_ASSOC_GRP_WALL },
	{ "no time limit of its own", { NUMBER(QOS, GRP_WALL, 30) },
	  .safe = true, .minutes = NO_VAL, .start = WAIT_QOS_GRP_WALL },
	/* what an update has set may start, and not run longer than others */
	{ "not safe, exempt", { AMOUNT(ASSOC, GRP_MINS, CPU, 39) },
	  .safe = true, .minutes = 5, .exempt = LIMIT_EXEMPT(LIMIT_CPU) },
	{ "not safe, other exempt", { AMOUNT(ASSOC, GRP_MINS, CPU, 39) },
	  .safe = true, .minutes = 5, .exempt = LIMIT_EXEMPT_TIME,
	  .start = WAIT_ASSOC_GRP_CPU_MIN },
	{ "not safe time, exempt", { NUMBER(ASSOC, GRP_WALL, 14) },
	  .safe = true, .minutes = 5, .exempt = LIMIT_EXEMPT_TIME },
	{ "all time, exempt", { NUMBER(ASSOC, GRP_WALL, 10) },
	  .exempt = LIMIT_EXEMPT_TIME, .run_out = WAIT_ASSOC_GRP_WALL },
	/* of one job: one that started before the limit was set */
	{ "MaxTRESMins", { AMOUNT(ASSOC, JOB_MINS, CPU, 11) }, .minutes = 5 },
	{ "more MaxTRESMins", { AMOUNT(ASSOC, JOB_MINS, CPU, 10) },
	  .minutes = 5, .run_out = WAIT_ASSOC_MAX_CPU_MINS_PER_JOB },
	{ "nodes count for the QOS alone", { AMOUNT(ASSOC, JOB_MINS, NODE, 1) },
	  .minutes = 1 },
	{ "nodes of the QOS", { AMOUNT(QOS, JOB_MINS, NODE, 1) }, .minutes = 1,
	  .run_out = WAIT_QOS_MAX_NODE_MINS_PER_JOB },
};

static void _spent(void **state)
{
	const usage_sum_t used = {
		.raw = 1200,
		.wall = 659,
		.tres = { [LIMIT_CPU] = 1259, [LIMIT_MEM] = 120000,
			  [LIMIT_NODE] = 600, [LIMIT_BILLING] = 1200 },
	};
	const limits_ask_t one = _ask(2, "n1", 5);
	limits_share_t share = limits_share(NULL, &one, NOW, 0);

	for (size_t i = 0; i < sizeof(spent_rows) / sizeof(spent_rows[0]);
	     i++) {
		const row_t row = { .set = { spent_rows[i].set[0],
					     spent_rows[i].set[1] } };
		limits_ask_t ask = _ask(2, "n1", spent_rows[i].minutes);
		uint32_t reason;
		world_t world;

		ask.exempt = spent_rows[i].exempt;
		_set(&world, &row);
		_use(&world, &share, true);
		world.bound.safe = spent_rows[i].safe;
		world.bound.qos.usage = &used;
		world.assoc[0].usage = world.assoc[1].usage = &used;
		if (spent_rows[i].factor)
			world.limits[QOS].usage_factor =
				fmax(spent_rows[i].factor, 0);
		reason = limits_start(&world.bound, &ask);
		if (spent_rows[i].start && (reason != spent_rows[i].start))
			fail_msg("%s: start: %s", spent_rows[i].name,
				 compat_reason_name(reason));
		if (!spent_rows[i].start && !spent_rows[i].run_out && reason)
			fail_msg("%s: start: %s", spent_rows[i].name,
				 compat_reason_name(reason));
		reason = limits_run_out(&world.bound, ask.tres,
					spent_rows[i].minutes);
		if (reason != spent_rows[i].run_out)
			fail_msg("%s: run out: %s", spent_rows[i].name,
				 compat_reason_name(reason));
		_use(&world, &share, false);
		_done(&world);
	}
	limits_share_free(&share);
}

static void _nothing_was_used(void **state)
{
	const row_t row = { .set = { AMOUNT(ASSOC, GRP_MINS, CPU, 1),
				     NUMBER(ASSOC, GRP_WALL, 1) } };
	limits_ask_t ask = _ask(2, "n1", 1);
	world_t world;

	_set(&world, &row);
	assert_int_equal(limits_start(&world.bound, &ask), 0);
	assert_int_equal(limits_run_out(&world.bound, ask.tres, 100), 0);
	/* as where nothing is kept, with priority/basic */
	world.bound.safe = true;
	assert_int_equal(limits_start(&world.bound, &ask),
			 WAIT_ASSOC_GRP_CPU_MIN);
}

static void _run_minutes_pass(void **state)
{
	const row_t row = { .set = { AMOUNT(ASSOC, GRP_RUN_MINS, CPU, 20) } };
	const limits_ask_t ask = _ask(2, "n1", 10);
	limits_share_t share = limits_share(NULL, &ask, NOW, 0), late;
	world_t world;

	_set(&world, &row);
	_use(&world, &share, true);
	assert_int_equal(limits_start(&world.bound, &ask),
			 WAIT_ASSOC_GRP_CPU_RUN_MIN);
	/* as they are charged for them */
	limits_charged(&world.used[ASSOC], NOW + 540);
	assert_int_equal(limits_start(&world.bound, &ask),
			 WAIT_ASSOC_GRP_CPU_RUN_MIN);
	limits_charged(&world.used[ASSOC], NOW + 600);
	assert_int_equal(limits_start(&world.bound, &ask), 0);
	/* it takes longer than it may */
	limits_charged(&world.used[ASSOC], NOW + 6000);
	assert_int_equal(limits_start(&world.bound, &ask), 0);
	/* another was not there when the first was charged */
	late = limits_share(NULL, &ask, NOW + 6100, NOW + 6000);
	_use(&world, &late, true);
	_use(&world, &share, false);
	assert_int_equal(limits_run_secs(&world.used[ASSOC], LIMIT_CPU), 1200);
	_use(&world, &late, false);
	assert_int_equal(limits_run_secs(&world.used[ASSOC], LIMIT_CPU), 0);
	_use(&world, &share, true);
	_use(&world, &share, false);
	_done(&world);
	limits_share_free(&share);
	limits_share_free(&late);
}

static void _factors(void **state)
{
	const row_t row = { .set = { AMOUNT(ASSOC, JOB, CPU, 2),
				     NUMBER(ASSOC, MAX_WALL, 10) } };
	limits_ask_t ask = _ask(4, NULL, 10);
	world_t world;

	_set(&world, &row);
	assert_int_equal(limits_start(&world.bound, &ask),
			 WAIT_ASSOC_MAX_CPU_PER_JOB);
	world.limits[QOS].limit_factor = 2;
	assert_int_equal(limits_start(&world.bound, &ask), 0);
	world.limits[QOS].usage_factor = 1.5;
	assert_int_equal(limits_start(&world.bound, &ask), 0);
	world.limits[QOS].factor_safe = true;
	assert_int_equal(limits_start(&world.bound, &ask),
			 WAIT_ASSOC_MAX_WALL_PER_JOB);
}

static void _as_slurmdbd_says(void **state)
{
	slurmdb_assoc_rec_t assoc;
	slurmdb_qos_rec_t qos;
	fed_bytes_t bytes = { 0 };
	fed_reader_t reader;
	limits_t *limits, *again;

	slurmdb_init_assoc_rec(&assoc, false);
	assert_null(limits_of_assoc(&assoc));
	assoc.max_jobs = 3;
	assoc.grp_tres = "1=10,2=500,1001=4";
	limits = limits_of_assoc(&assoc);
	assert_int_equal(limits->count[LIMIT_MAX_JOBS], 3);
	assert_int_equal(limits->count[LIMIT_GRP_JOBS], INFINITE);
	assert_int_equal(limits->tres[LIMIT_GRP][LIMIT_CPU], 10);
	assert_int_equal(limits->tres[LIMIT_GRP][LIMIT_MEM], 500);
	assert_true(limits->tres[LIMIT_GRP][LIMIT_NODE] == INFINITE64);
	limits_pack(limits, &bytes);
	limits_pack(NULL, &bytes);
	slurmdb_init_qos_rec(&qos, false, NO_VAL);
	qos.flags = QOS_FLAG_DENY_LIMIT | QOS_FLAG_NO_DECAY;
	qos.grp_wall = 70;
	qos.grp_tres_mins = "1=90";
	qos.max_tres_pu = "4=2";
	qos.usage_factor = 0.5;
	xfree(limits);
	limits = limits_of_qos(&qos);
	assert_true(limits->deny);
	assert_true(limits->keeps);
	assert_int_equal(limits->count[LIMIT_GRP_WALL], 70);
	assert_int_equal(limits->tres[LIMIT_GRP_MINS][LIMIT_CPU], 90);
	assert_int_equal(limits->tres[LIMIT_USER][LIMIT_NODE], 2);
	limits_pack(limits, &bytes);
	/* and as the ledger has it */
	fed_reader_init(&reader, bytes.data, bytes.len);
	again = limits_unpack(&reader, false);
	assert_int_equal(again->tres[LIMIT_GRP][LIMIT_CPU], 10);
	xfree(again);
	assert_null(limits_unpack(&reader, false));
	again = limits_unpack(&reader, false);
	assert_true(fed_reader_done(&reader));
	assert_memory_equal(again, limits, sizeof(*limits));
	xfree(again);
	xfree(limits);
	fed_bytes_free(&bytes);
}

/* Of a job of 2 CPUs on any one node, 10 MB and 5 minutes */
static void _exempts(void **state)
{
	flurm_job_spec_t spec, change;

#define EXEMPTS(field, value, bits) \
	flurm_job_spec_init(&change); \
	change.field = value; \
	assert_int_equal(job_bound_exempt(&spec, &change), bits)

	flurm_job_spec_init(&spec);
	spec.num_tasks = 2;
	spec.memory_mb = 10;
	spec.time_limit = 300;
	EXEMPTS(nice, 10, 0);
	EXEMPTS(time_limit, 240, LIMIT_EXEMPT_TIME);
	EXEMPTS(time_limit, FLURM_UNLIMITED, LIMIT_EXEMPT_TIME);
	EXEMPTS(deadline, 99, LIMIT_EXEMPT_TIME);
	EXEMPTS(num_cpus, 3, LIMIT_EXEMPT(LIMIT_CPU));
	EXEMPTS(num_nodes, 2, LIMIT_EXEMPT(LIMIT_NODE));
	EXEMPTS(memory_mb, 0, LIMIT_EXEMPT(LIMIT_MEM));
	EXEMPTS(memory_per_cpu_mb, 5, LIMIT_EXEMPT(LIMIT_MEM));
	/* as it is */
	EXEMPTS(time_limit, 300, 0);
	EXEMPTS(num_cpus, 2, 0);
	EXEMPTS(num_nodes, 1, 0);
	EXEMPTS(memory_mb, 10, 0);
	/* a maximum of which there was none */
	EXEMPTS(max_nodes, 4, 0);
	spec.max_nodes = 4;
	EXEMPTS(max_nodes, 4, 0);
	EXEMPTS(max_nodes, 3, LIMIT_EXEMPT(LIMIT_NODE));
#undef EXEMPTS
}

/* As version 2 of the record of associations has them */
static void _of_an_old_ledger(void **state)
{
	fed_bytes_t bytes = { 0 };
	fed_reader_t reader;
	limits_t *limits;

	fed_put_u8(&bytes, 1);
	for (int i = 0; i < LIMIT_GRP_WALL; i++)
		fed_put_u32(&bytes, (i == LIMIT_MAX_WALL) ? 30 : INFINITE);
	fed_put_u8(&bytes, LIMIT_ACCT_RUN_MINS * LIMIT_TRES + LIMIT_CPU + 1);
	fed_put_u64(&bytes, 77);
	fed_put_u8(&bytes, 0);
	fed_put_u8(&bytes, true);
	fed_put_u8(&bytes, false);
	for (int i = 0; i < 2; i++)
		fed_put_u64(&bytes, 0);
	fed_reader_init(&reader, bytes.data, bytes.len);
	limits = limits_unpack(&reader, true);
	assert_true(fed_reader_done(&reader));
	assert_int_equal(limits->count[LIMIT_MAX_WALL], 30);
	assert_int_equal(limits->count[LIMIT_GRP_WALL], INFINITE);
	assert_int_equal(limits->tres[LIMIT_ACCT_RUN_MINS][LIMIT_CPU], 77);
	assert_true(limits->deny && !limits->keeps);
	xfree(limits);
	fed_bytes_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_rules),
		cmocka_unit_test(_spent),
		cmocka_unit_test(_nothing_was_used),
		cmocka_unit_test(_run_minutes_pass),
		cmocka_unit_test(_factors),
		cmocka_unit_test(_as_slurmdbd_says),
		cmocka_unit_test(_of_an_old_ledger),
		cmocka_unit_test(_exempts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
