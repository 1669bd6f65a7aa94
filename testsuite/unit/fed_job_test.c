/*
 * fed_job_test.c - src/core/fed_job: lives that are known to happen, and the
 * traps in them, each told as events and what has to be done after each.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/fed_job_table.h"

#define ID 67108865
#define NOW 5000
#define REFUSED 2015

static fed_job_t job;

#define SUBMIT_RESP FED_BIT(FED_ACT_SUBMIT_RESP)
#define LOCK FED_BIT(FED_ACT_LOCK)
#define UNLOCK FED_BIT(FED_ACT_UNLOCK)
#define START FED_BIT(FED_ACT_START)
#define REQUEUE FED_BIT(FED_ACT_REQUEUE)
#define COMPLETE FED_BIT(FED_ACT_COMPLETE)
#define UPDATE_RESPONSE FED_BIT(FED_ACT_UPDATE_RESPONSE)
#define REVOKE_SIBLINGS FED_BIT(FED_ACT_REVOKE_SIBLINGS)
#define SUBMIT FED_BIT(FED_ACT_FLURM_SUBMIT)
#define UPDATE FED_BIT(FED_ACT_FLURM_UPDATE)
#define GRANT FED_BIT(FED_ACT_FLURM_GRANT)
#define DENY FED_BIT(FED_ACT_FLURM_DENY)
#define SIGNAL FED_BIT(FED_ACT_FLURM_SIGNAL)
#define REVOKE FED_BIT(FED_ACT_FLURM_REVOKE)
#define CANCEL FED_BIT(FED_ACT_FLURM_CANCEL)
#define ROW_START FED_BIT(FED_ACT_ROW_START)
#define ROW_END FED_BIT(FED_ACT_ROW_END)

static fed_job_verdict_t _hear(fed_job_event_t event)
{
	event.now = NOW;
	return fed_job_update(&job, &event);
}

#define HEAR(event, ...) \
	_hear((fed_job_event_t) { .type = FED_EV_##event, ##__VA_ARGS__ })

/* the state, and all that is due */
#define assert_job(in, due) \
	do { \
		assert_string_equal(fed_job_state_name(job.state), in); \
		assert_int_equal(fed_job_action(&job), due); \
	} while (0)

/* carry out what must be due, and get the usual answer */
static void _do(fed_job_action_t action)
{
	assert_true(fed_job_action(&job) & FED_BIT(action));
	HEAR(SENT, .action = action);
	assert_false(fed_job_action(&job) & FED_BIT(action));
	if (action == FED_ACT_LOCK)
		HEAR(LOCK_GRANTED);
	else if (action == FED_ACT_FLURM_SUBMIT)
		HEAR(ACCEPTED, .flurm_id = 12);
	else
		HEAR(ACKED, .action = action);
}

static void _submit(bool only_here, uint32_t refuse)
{
	job = (fed_job_t) { .id = ID, .epoch = 1 };
	fed_job_begin(&job, &(fed_job_event_t) {
			.type = FED_EV_SUBMIT, .now = NOW, .viable = 3,
			.only_here = only_here, .refuse = refuse });
}

static void _to_queued(void)
{
	_submit(false, 0);
	_do(FED_ACT_FLURM_SUBMIT);
}

static void _to_granted(void)
{
	_to_queued();
	HEAR(START_REQUEST, .attempt = 1);
	_do(FED_ACT_LOCK);
}

static void _to_running(void)
{
	_to_granted();
	_do(FED_ACT_FLURM_GRANT);
	HEAR(STARTED, .start_time = NOW);
	_do(FED_ACT_ROW_START);
	_do(FED_ACT_START);
}

static void _ordinary(void **state)
{
	_submit(false, 0);
	assert_job("delivering", SUBMIT);
	HEAR(SENT, .action = FED_ACT_FLURM_SUBMIT);
	assert_job("delivering", 0);
	HEAR(ACCEPTED, .flurm_id = 12);
	assert_job("queued", 0);
	assert_int_equal(fed_job_sync(&job), FED_SYNC_PENDING);
	HEAR(START_REQUEST, .attempt = 1);
	assert_job("locking", LOCK);
	_do(FED_ACT_LOCK);
	assert_job("granted", GRANT);
	assert_int_equal(fed_job_sync(&job), FED_SYNC_PENDING);
	_do(FED_ACT_FLURM_GRANT);
	assert_job("granted", 0);
	assert_int_equal(fed_job_sync(&job), FED_SYNC_RUNNING);
	HEAR(STARTED, .start_time = NOW - 1);
	assert_job("running", START | ROW_START);
	assert_int_equal(job.start_time, NOW - 1);
	_do(FED_ACT_ROW_START);
	_do(FED_ACT_START);
	assert_job("running", 0);
	HEAR(ENDED, .end = FED_END_FAILED, .status = 7 << 8,
	     .start_time = NOW - 1, .end_time = NOW + 3);
	assert_job("ended", COMPLETE | ROW_END);
	assert_int_equal(job.end, FED_END_FAILED);
	assert_int_equal(job.status, 7 << 8);
	assert_int_equal(job.end_time, NOW + 3);
	_do(FED_ACT_ROW_END);
	_do(FED_ACT_COMPLETE);
	assert_job("gone", 0);
	assert_true(fed_job_is_over(&job));
	assert_int_equal(fed_job_sync(&job), FED_SYNC_OMIT);
}

/* a fast job may have ended before its START is acknowledged: order is kept */
static void _fast(void **state)
{
	_to_granted();
	_do(FED_ACT_FLURM_GRANT);
	HEAR(STARTED, .start_time = NOW);
	HEAR(ENDED, .end = FED_END_COMPLETED, .start_time = NOW);
	assert_job("ended", START | ROW_START | ROW_END);
	HEAR(SENT, .action = FED_ACT_START);
	assert_job("ended", COMPLETE | ROW_START | ROW_END);
}

static void _refused_lock(void **state)
{
	_to_queued();
	HEAR(START_REQUEST, .attempt = 1);
	HEAR(SENT, .action = FED_ACT_LOCK);
	HEAR(LOCK_REFUSED);
	assert_job("denied", DENY);
	_do(FED_ACT_FLURM_DENY);
	assert_job("queued", 0);
	HEAR(START_REQUEST, .attempt = 2);
	assert_job("locking", LOCK);
	_do(FED_ACT_LOCK);
	assert_job("granted", GRANT);
	assert_int_equal(job.attempt, 2);

	/* so often that the origin can't know the job */
	_to_queued();
	for (int i = 1; i < FED_JOB_REFUSALS_MAX; i++) {
		HEAR(START_REQUEST, .attempt = i);
		HEAR(SENT, .action = FED_ACT_LOCK);
		HEAR(LOCK_REFUSED);
		_do(FED_ACT_FLURM_DENY);
	}
	HEAR(START_REQUEST, .attempt = 99);
	HEAR(SENT, .action = FED_ACT_LOCK);
	HEAR(LOCK_REFUSED);
	assert_job("withdrawing", REVOKE | SUBMIT_RESP);
	_do(FED_ACT_FLURM_REVOKE);
	_do(FED_ACT_SUBMIT_RESP);
	assert_job("gone", 0);
}

static void _failed_start(void **state)
{
	_to_granted();
	_do(FED_ACT_FLURM_GRANT);
	HEAR(START_FAILED, .attempt = 1);
	assert_job("queued", UNLOCK);
	/* it asks again before that went out: the lock may stay */
	HEAR(START_REQUEST, .attempt = 2);
	assert_job("locking", LOCK);
	_do(FED_ACT_LOCK);
	assert_job("granted", GRANT);
	/* FLURM gave up waiting, and asks once more */
	_do(FED_ACT_FLURM_GRANT);
	HEAR(START_REQUEST, .attempt = 3);
	assert_job("granted", GRANT);
	assert_int_equal(job.attempt, 3);
	/* an answer told of attempt 4 before the events that led there */
	_do(FED_ACT_FLURM_GRANT);
	HEAR(FLURM_VIEW, .flurm = FED_FLURM_STARTING, .attempt = 4,
	     .asked = 1);
	assert_job("granted", GRANT);
	_do(FED_ACT_FLURM_GRANT);
	assert_int_equal(HEAR(START_FAILED, .attempt = 3), FED_JOB_IGNORED);
	assert_int_equal(HEAR(START_REQUEST, .attempt = 4), FED_JOB_CHANGED);
	assert_job("granted", GRANT);
}

static void _revoked(void **state)
{
	/* never delivered: nobody has to hear of it */
	_submit(false, 0);
	HEAR(REVOKE);
	assert_job("gone", 0);

	/* on its way: what becomes of that has to be known first */
	_submit(false, 0);
	HEAR(SENT, .action = FED_ACT_FLURM_SUBMIT);
	HEAR(REVOKE);
	assert_job("withdrawing", 0);
	HEAR(ACCEPTED, .flurm_id = 12);
	assert_job("withdrawing", REVOKE);
	_do(FED_ACT_FLURM_REVOKE);
	assert_job("gone", 0);

	/* while the lock is asked for: it is given back when it comes */
	_to_queued();
	HEAR(START_REQUEST, .attempt = 1);
	HEAR(SENT, .action = FED_ACT_LOCK);
	HEAR(REVOKE);
	assert_job("withdrawing", REVOKE | UNLOCK);
	HEAR(LOCK_GRANTED);
	assert_job("withdrawing", REVOKE | UNLOCK);
	_do(FED_ACT_FLURM_REVOKE);
	assert_job("ended", UNLOCK);
	_do(FED_ACT_UNLOCK);
	assert_job("gone", 0);

	/* granted, but FLURM has not heard it */
	_to_granted();
	HEAR(REVOKE);
	assert_job("withdrawing", REVOKE | UNLOCK);

	/* it may run: it is killed, and only then is the lock given back */
	_to_granted();
	HEAR(SENT, .action = FED_ACT_FLURM_GRANT);
	HEAR(REVOKE);
	assert_job("withdrawing", CANCEL);
	_do(FED_ACT_FLURM_CANCEL);
	HEAR(ENDED, .end = FED_END_CANCELLED, .start_time = NOW);
	assert_job("ended", UNLOCK | ROW_START | ROW_END);

	/* the origin was told that it runs, and waits for its end */
	_to_running();
	HEAR(REVOKE);
	assert_job("cancelling", CANCEL);
	_do(FED_ACT_FLURM_CANCEL);
	HEAR(ENDED, .end = FED_END_CANCELLED, .status = 9, .start_time = NOW);
	assert_job("ended", COMPLETE | ROW_END);
}

static void _cancelled(void **state)
{
	_to_running();
	HEAR(CANCEL, .kill = true, .uid = 1000);
	assert_job("cancelling", CANCEL);
	HEAR(CANCEL, .kill = true, .uid = 1000);
	_do(FED_ACT_FLURM_CANCEL);
	assert_job("cancelling", 0);
	HEAR(ENDED, .end = FED_END_CANCELLED, .status = 15, .start_time = NOW);
	assert_job("ended", COMPLETE | ROW_END);
	assert_int_equal(job.uid, 1000);
	assert_int_equal(job.status, 15);

	/* it ended by itself just before */
	_to_running();
	HEAR(CANCEL, .kill = true);
	HEAR(ENDED, .end = FED_END_COMPLETED, .start_time = NOW);
	assert_int_equal(job.end, FED_END_COMPLETED);

	/* granted, but not started: the origin hears of a start and an end */
	_to_granted();
	_do(FED_ACT_FLURM_GRANT);
	HEAR(CANCEL, .kill = true);
	_do(FED_ACT_FLURM_CANCEL);
	HEAR(ENDED, .end = FED_END_CANCELLED);
	assert_job("ended", START | ROW_START | ROW_END);
	_do(FED_ACT_START);
	assert_job("ended", COMPLETE | ROW_START | ROW_END);

	/* to be requeued, but not started: meant for the run before */
	_to_queued();
	assert_int_equal(HEAR(CANCEL, .kill = true, .requeue = true),
			 FED_JOB_IGNORED);
	assert_job("queued", 0);

	/* waiting, and the origin is down: all siblings are told */
	_to_queued();
	HEAR(CANCEL, .kill = true);
	assert_job("cancelling", REVOKE);
	_do(FED_ACT_FLURM_REVOKE);
	assert_job("ended", LOCK | ROW_START | ROW_END);
	_do(FED_ACT_LOCK);
	_do(FED_ACT_START);
	assert_int_equal(job.end, FED_END_CANCELLED);
	_do(FED_ACT_COMPLETE);
}

/* FLURM's end is heard from its events, then the answer to REVOKE comes: it
 * ends nothing once more, but it is not on its way any longer */
static void _revoked_twice(void **state)
{
	_to_running();
	HEAR(ENDED, .end = FED_END_COMPLETED, .start_time = NOW);
	HEAR(SENT, .action = FED_ACT_FLURM_REVOKE);
	assert_int_equal(HEAR(ACKED, .action = FED_ACT_FLURM_REVOKE),
			 FED_JOB_NOTED);
	assert_int_equal(job.inflight, 0);
	assert_job("ended", COMPLETE | ROW_END);
	assert_int_equal(job.end, FED_END_COMPLETED);
	assert_int_equal(HEAR(ACKED, .action = FED_ACT_FLURM_REVOKE),
			 FED_JOB_IGNORED);
}

static void _signalled(void **state)
{
	_to_queued();
	assert_int_equal(HEAR(CANCEL, .signal = 10), FED_JOB_IGNORED);
	_to_running();
	HEAR(CANCEL, .signal = 10, .flags = 1);
	HEAR(CANCEL, .signal = 12);
	assert_job("running", SIGNAL);
	assert_int_equal(job.signals[0].signal, 10);
	assert_int_equal(job.signals[0].flags, 1);
	_do(FED_ACT_FLURM_SIGNAL);
	assert_job("running", SIGNAL);
	assert_int_equal(job.signals[0].signal, 12);
	_do(FED_ACT_FLURM_SIGNAL);
	assert_job("running", 0);
	for (int i = 0; i < FED_JOB_SIGNALS; i++)
		assert_int_equal(HEAR(CANCEL, .signal = 10), FED_JOB_CHANGED);
	assert_int_equal(HEAR(CANCEL, .signal = 10), FED_JOB_IGNORED);
}

static void _updated(void **state)
{
	/* not sent yet: FLURM gets it as it is by then */
	_submit(false, 0);
	HEAR(UPDATE, .viable = 2, .only_here = true);
	assert_job("delivering", SUBMIT | UPDATE_RESPONSE);
	assert_true(job.facts & FED_JOB_F_ONLY_HERE);
	_do(FED_ACT_UPDATE_RESPONSE);
	assert_job("delivering", SUBMIT);

	/* it does not start before it is as the user wants it */
	_to_granted();
	HEAR(UPDATE);
	HEAR(UPDATE);
	assert_job("granted", UPDATE | UPDATE_RESPONSE);
	HEAR(SENT, .action = FED_ACT_FLURM_UPDATE);
	HEAR(UPDATE);
	HEAR(ACKED, .action = FED_ACT_FLURM_UPDATE);
	assert_job("granted", UPDATE | UPDATE_RESPONSE);
	_do(FED_ACT_FLURM_UPDATE);
	for (int i = 0; i < 3; i++) {
		assert_job("granted", GRANT | UPDATE_RESPONSE);
		HEAR(SENT, .action = FED_ACT_UPDATE_RESPONSE);
	}
	assert_job("granted", GRANT);
	for (int i = 0; i < 3; i++)
		HEAR(ACKED, .action = FED_ACT_UPDATE_RESPONSE);
	assert_int_equal(HEAR(ACKED, .action = FED_ACT_UPDATE_RESPONSE),
			 FED_JOB_IGNORED);
	assert_int_equal(job.updates_owed, 0);

	/* where it has resources FLURM does not change it: it has to wait */
	_to_granted();
	HEAR(UPDATE);
	_do(FED_ACT_UPDATE_RESPONSE);
	HEAR(SENT, .action = FED_ACT_FLURM_UPDATE);
	assert_job("granted", 0);
	HEAR(FLURM_VIEW, .flurm = FED_FLURM_STARTING, .attempt = job.attempt,
	     .asked = job.changed);
	assert_job("denied", UNLOCK | DENY);
	_do(FED_ACT_UNLOCK);
	/* it is denied but not changed yet when it has resources again */
	HEAR(SENT, .action = FED_ACT_FLURM_DENY);
	HEAR(FLURM_VIEW, .flurm = FED_FLURM_STARTING,
	     .attempt = job.attempt + 1, .asked = job.changed);
	assert_job("denied", DENY);
	_do(FED_ACT_FLURM_DENY);
	assert_job("queued", UPDATE);
	_do(FED_ACT_FLURM_UPDATE);
	assert_job("queued", 0);

	/* a tombstone answers, too */
	_to_queued();
	HEAR(REVOKE);
	_do(FED_ACT_FLURM_REVOKE);
	HEAR(UPDATE);
	assert_job("gone", UPDATE_RESPONSE);
	assert_false(fed_job_is_over(&job));
	_do(FED_ACT_UPDATE_RESPONSE);
	assert_true(fed_job_is_over(&job));
}

static void _not_taken(void **state)
{
	/* interactive, say: others may run it */
	_submit(false, REFUSED);
	assert_job("ended", SUBMIT_RESP);
	assert_int_equal(job.code, REFUSED);
	_do(FED_ACT_SUBMIT_RESP);
	assert_job("gone", 0);

	/* there are no others: the user has to see an end */
	_submit(true, REFUSED);
	assert_job("ended", LOCK | ROW_START | ROW_END);
	_do(FED_ACT_LOCK);
	assert_job("ended", START | ROW_START | ROW_END);
	_do(FED_ACT_START);
	assert_job("ended", COMPLETE | ROW_START | ROW_END);
	assert_int_equal(job.end, FED_END_FAILED);
	assert_int_equal(job.status, 1 << 8);
	_do(FED_ACT_COMPLETE);

	/* FLURM refuses it */
	_submit(false, 0);
	HEAR(SENT, .action = FED_ACT_FLURM_SUBMIT);
	HEAR(REFUSED, .refuse = REFUSED);
	assert_job("ended", SUBMIT_RESP);

	/* its own administrator removes it from its queue */
	_to_queued();
	HEAR(ENDED, .end = FED_END_CANCELLED);
	assert_job("ended", SUBMIT_RESP);
}

static void _not_delivered(void **state)
{
	_submit(false, 0);
	HEAR(DEADLINE);
	assert_job("ended", SUBMIT_RESP);

	_submit(false, 0);
	HEAR(SENT, .action = FED_ACT_FLURM_SUBMIT);
	HEAR(UNSENT, .action = FED_ACT_FLURM_SUBMIT);
	assert_job("delivering", SUBMIT);
	HEAR(DEADLINE);
	assert_job("withdrawing", SUBMIT_RESP | REVOKE);
	HEAR(UNKNOWN);
	assert_job("ended", SUBMIT_RESP);

	/* nowhere else to go: it waits */
	_submit(true, 0);
	assert_int_equal(HEAR(DEADLINE), FED_JOB_IGNORED);
	_to_queued();
	assert_int_equal(HEAR(DEADLINE), FED_JOB_IGNORED);
}

static void _flurm_lost_it(void **state)
{
	_to_queued();
	HEAR(UNKNOWN);
	assert_job("delivering", SUBMIT);
	assert_int_equal(job.epoch, 1);

	_to_granted();
	HEAR(UNKNOWN);
	assert_job("delivering", SUBMIT | UNLOCK);

	/* it may have run: unknown is unknown */
	_to_granted();
	HEAR(SENT, .action = FED_ACT_FLURM_GRANT);
	HEAR(UNKNOWN);
	assert_job("ended", START | ROW_START | ROW_END);
	assert_int_equal(job.end, FED_END_NODE_FAIL);
	_do(FED_ACT_START);
	_do(FED_ACT_REQUEUE);
	assert_job("ended", COMPLETE | ROW_START | ROW_END);

	_to_running();
	HEAR(UNKNOWN);
	assert_job("ended", REQUEUE | ROW_END);
	assert_int_equal(job.end, FED_END_NODE_FAIL);

	/* FLURM has it in its queue again: one run an epoch is enough */
	_to_running();
	HEAR(FLURM_VIEW, .flurm = FED_FLURM_PENDING, .asked = 1);
	assert_job("cancelling", REVOKE | ROW_END);
	_do(FED_ACT_FLURM_REVOKE);
	assert_job("ended", REQUEUE | ROW_END);
	assert_int_equal(job.end, FED_END_NODE_FAIL);

	/* a node failed under it */
	_to_running();
	HEAR(ENDED, .end = FED_END_NODE_FAIL, .start_time = NOW,
	     .run_again = true);
	assert_job("ended", REQUEUE | ROW_END);
	_do(FED_ACT_REQUEUE);
	assert_job("ended", COMPLETE | ROW_END);
}

/* what is not acknowledged is said again, but only when it is known to whom */
static void _origin_lost(void **state)
{
	_to_running();
	HEAR(ENDED, .end = FED_END_COMPLETED, .start_time = NOW);
	_do(FED_ACT_ROW_END);
	HEAR(SENT, .action = FED_ACT_COMPLETE);
	HEAR(ORIGIN_LOST);
	assert_job("ended", 0);
	assert_int_equal(HEAR(ACKED, .action = FED_ACT_COMPLETE),
			 FED_JOB_IGNORED);
	assert_int_equal(fed_job_sync(&job), FED_SYNC_RUNNING);

	/* it waits for it still */
	HEAR(ORIGIN_VIEW, .view = FED_VIEW_HERE);
	assert_job("ended", COMPLETE);
	/* it forgot that it ran here */
	HEAR(ORIGIN_LOST);
	HEAR(ORIGIN_VIEW, .view = FED_VIEW_PENDING);
	assert_job("ended", LOCK);
	_do(FED_ACT_LOCK);
	_do(FED_ACT_START);
	assert_job("ended", COMPLETE);
	/* it has heard it, and runs the job again; whose is its lock? */
	HEAR(ORIGIN_LOST);
	HEAR(ORIGIN_VIEW, .view = FED_VIEW_PENDING, .restarts = 1);
	assert_job("ended", UNLOCK | SUBMIT_RESP);

	/* revoked while nobody could tell us */
	_to_queued();
	HEAR(ORIGIN_LOST);
	HEAR(ORIGIN_VIEW, .view = FED_VIEW_FINISHED);
	assert_job("withdrawing", REVOKE);
	_to_queued();
	HEAR(ORIGIN_LOST);
	HEAR(ORIGIN_VIEW, .view = FED_VIEW_ELSEWHERE);
	assert_job("withdrawing", REVOKE);
	/* a cold start */
	_to_running();
	HEAR(ORIGIN_LOST);
	HEAR(ORIGIN_VIEW, .view = FED_VIEW_ABSENT);
	assert_job("withdrawing", CANCEL);
	_do(FED_ACT_FLURM_CANCEL);
	HEAR(ENDED, .end = FED_END_CANCELLED, .start_time = NOW);
	assert_job("ended", ROW_END);

	/* no lock is asked for before the list, unless the siblings give it */
	_to_queued();
	HEAR(ORIGIN_LOST);
	HEAR(START_REQUEST, .attempt = 1);
	assert_job("locking", 0);
	HEAR(ORIGIN_DOWN);
	assert_job("locking", LOCK);
	HEAR(SENT, .action = FED_ACT_LOCK);
	HEAR(LOCK_GRANTED, .by_siblings = true);
	assert_job("granted", GRANT);
	_do(FED_ACT_FLURM_GRANT);
	HEAR(STARTED, .start_time = NOW);
	assert_job("running", REVOKE_SIBLINGS | ROW_START);
	_do(FED_ACT_REVOKE_SIBLINGS);
	_do(FED_ACT_ROW_START);
	HEAR(ORIGIN_VIEW, .view = FED_VIEW_PENDING);
	assert_job("running", LOCK);
	_do(FED_ACT_LOCK);
	assert_job("running", START);

	/* we are not in one federation any more: what runs goes on */
	_to_running();
	HEAR(ORIGIN_LOST);
	HEAR(ORIGIN_VIEW, .view = FED_VIEW_LEFT);
	assert_job("running", 0);
	HEAR(ENDED, .end = FED_END_COMPLETED, .start_time = NOW);
	assert_job("ended", ROW_END);
}

static void _started_unasked(void **state)
{
	_to_queued();
	HEAR(STARTED, .start_time = NOW);
	assert_job("running", LOCK | ROW_START);
	HEAR(SENT, .action = FED_ACT_LOCK);
	HEAR(LOCK_REFUSED);
	assert_job("withdrawing", CANCEL | SUBMIT_RESP | ROW_START);
}

/*
 * The table
 */
static int dropped, traced;

static void _trace(const fed_job_t *j, fed_job_state_t from,
		   const fed_job_event_t *event, fed_job_verdict_t verdict,
		   void *arg)
{
	assert_non_null(fed_job_event_name(event->type));
	traced++;
}

static void _drop(fed_job_t *j, void *arg)
{
	dropped++;
}

static fed_job_t *_table_submit(fed_job_table_t *table, uint32_t id,
				uint16_t restarts, bool same, bool *is_new)
{
	fed_job_verdict_t verdict;

	return fed_job_table_submit(table, id, &(fed_job_event_t) {
			.type = FED_EV_SUBMIT, .now = NOW, .viable = 3,
			.restarts = restarts, .same = same }, is_new, &verdict);
}

#define TELL(event, ...) \
	fed_job_table_update(table, j, &(fed_job_event_t) { \
		.type = FED_EV_##event, .now = NOW, ##__VA_ARGS__ })

static void _epochs(void **state)
{
	fed_job_table_t *table = fed_job_table_create(_trace, _drop, NULL);
	fed_job_table_stats_t stats;
	fed_job_t *j, *newer;
	bool is_new;

	dropped = traced = 0;
	assert_null(fed_job_table_find(table, ID));
	j = _table_submit(table, ID, 0, false, &is_new);
	assert_true(is_new);
	assert_int_equal(j->epoch, NOW);
	TELL(SENT, .action = FED_ACT_FLURM_SUBMIT);
	TELL(ACCEPTED);
	/* the same once more, as after a lost answer */
	assert_ptr_equal(_table_submit(table, ID, 0, true, &is_new), j);
	assert_false(is_new);
	/* another job description: the origin has replaced it */
	newer = _table_submit(table, ID, 0, false, &is_new);
	assert_true(is_new);
	assert_int_equal(newer->epoch, NOW + 1);
	assert_ptr_equal(fed_job_table_find(table, ID), newer);
	assert_ptr_equal(fed_job_table_find_epoch(table, ID, NOW), j);
	assert_ptr_equal(newer->older, j);
	assert_int_equal(j->state, FED_JOB_WITHDRAWING);
	/* not before the one before it has left FLURM */
	assert_int_equal(fed_job_action(newer), 0);
	assert_int_equal(fed_job_action(j), REVOKE);
	TELL(SENT, .action = FED_ACT_FLURM_REVOKE);
	TELL(ACKED, .action = FED_ACT_FLURM_REVOKE);
	assert_true(fed_job_is_over(j));
	assert_int_equal(fed_job_action(newer), SUBMIT);
	fed_job_table_stats(table, &stats);
	assert_int_equal(stats.jobs, 2);
	assert_int_equal(stats.by_state[FED_JOB_GONE], 1);
	assert_int_equal(stats.by_state[FED_JOB_DELIVERING], 1);
	fed_job_table_forget(table, j);
	assert_int_equal(dropped, 1);
	assert_null(newer->older);
	assert_int_equal(stats.events, traced);
	fed_job_table_destroy(table);
	assert_int_equal(dropped, 2);
}

/* only what counts more restarts is another run */
static void _late_repetition(void **state)
{
	fed_job_table_t *table = fed_job_table_create(NULL, NULL, NULL);
	uint32_t acts[] = { FED_ACT_FLURM_SUBMIT, FED_ACT_LOCK };
	fed_job_t *j;
	bool is_new;

	j = _table_submit(table, ID, 0, false, &is_new);
	TELL(SENT, .action = acts[0]);
	TELL(ACCEPTED);
	TELL(START_REQUEST, .attempt = 1);
	TELL(SENT, .action = acts[1]);
	TELL(LOCK_GRANTED);
	TELL(SENT, .action = FED_ACT_FLURM_GRANT);
	TELL(STARTED, .start_time = NOW);
	_table_submit(table, ID, 0, false, &is_new);
	assert_false(is_new);
	TELL(ENDED, .end = FED_END_COMPLETED, .start_time = NOW);
	_table_submit(table, ID, 0, true, &is_new);
	assert_false(is_new);
	/* the end was heard, or it would not run again */
	assert_ptr_not_equal(_table_submit(table, ID, 1, false, &is_new), j);
	assert_true(is_new);
	assert_int_equal(j->owed & FED_JOB_ORIGIN_OWED, 0);
	fed_job_table_destroy(table);
}

static void _stale_view(void **state)
{
	fed_job_table_t *table = fed_job_table_create(NULL, NULL, NULL);
	uint64_t asked;
	fed_job_t *j;
	bool is_new;

	j = _table_submit(table, ID, 0, false, &is_new);
	TELL(SENT, .action = FED_ACT_FLURM_SUBMIT);
	TELL(ACCEPTED);
	asked = fed_job_table_stamp(table);
	TELL(START_REQUEST, .attempt = 1);
	assert_int_equal(TELL(FLURM_VIEW, .flurm = FED_FLURM_PENDING,
			      .asked = asked), FED_JOB_IGNORED);
	assert_int_equal(j->state, FED_JOB_LOCKING);
	asked = fed_job_table_stamp(table);
	assert_int_equal(TELL(FLURM_VIEW, .flurm = FED_FLURM_PENDING,
			      .asked = asked), FED_JOB_CHANGED);
	assert_int_equal(j->state, FED_JOB_QUEUED);
	fed_job_table_destroy(table);
}

/* The origin waited for an end, then submitted; its list was made before. */
static void _stale_list(void **state)
{
	for (uint16_t restarts = 0; restarts <= 2; restarts++) {
		job = (fed_job_t) { .id = ID, .epoch = 2 };
		fed_job_begin(&job, &(fed_job_event_t) {
				.type = FED_EV_SUBMIT, .now = NOW,
				.restarts = 1, .unsynced = true });
		HEAR(ORIGIN_VIEW, .view = FED_VIEW_REQUEUING,
		     .restarts = restarts);
		if (restarts < 2)
			assert_job("delivering", SUBMIT);
		else
			/* but this one is about a later run */
			assert_string_equal(fed_job_state_name(job.state),
					    "ended");
	}
}

/* The lock was to be given back, and is wanted again: it is ours still. */
static void _lock_kept(void **state)
{
	_to_granted();
	_do(FED_ACT_FLURM_GRANT);
	HEAR(START_FAILED, .attempt = 1);
	assert_job("queued", UNLOCK);
	HEAR(START_REQUEST, .attempt = 2);
	assert_job("locking", LOCK);
	/* FLURM has lost it, and then nobody wants it any more */
	HEAR(UNKNOWN);
	assert_job("delivering", UNLOCK | SUBMIT);
}

/*
 * The lock was asked for one run and given for the next, of which we never
 * hear, as the origin crashed with the submission: nobody else would get it.
 */
static void _lock_of_lost_run(void **state)
{
	_to_granted();
	HEAR(ORIGIN_LOST);
	HEAR(ORIGIN_VIEW, .view = FED_VIEW_PENDING, .restarts = 1);
	assert_job("withdrawing", UNLOCK | SUBMIT_RESP | REVOKE);
	_do(FED_ACT_FLURM_REVOKE);
	_do(FED_ACT_UNLOCK);
	_do(FED_ACT_SUBMIT_RESP);
	assert_job("gone", 0);

	/* nor is it known if it was given */
	_to_queued();
	HEAR(START_REQUEST, .attempt = 1);
	HEAR(SENT, .action = FED_ACT_LOCK);
	HEAR(ORIGIN_LOST);
	HEAR(ORIGIN_VIEW, .view = FED_VIEW_PENDING, .restarts = 1);
	assert_job("withdrawing", UNLOCK | SUBMIT_RESP | REVOKE);

	/* what may run here has to be ended first */
	_to_running();
	HEAR(ORIGIN_LOST);
	HEAR(ORIGIN_VIEW, .view = FED_VIEW_PENDING, .restarts = 1);
	assert_job("withdrawing", SUBMIT_RESP | CANCEL);
	_do(FED_ACT_SUBMIT_RESP);
	_do(FED_ACT_FLURM_CANCEL);
	HEAR(ENDED, .end = FED_END_CANCELLED, .start_time = NOW);
	assert_job("ended", UNLOCK | ROW_END);

	/* one that the origin runs elsewhere is not ours to give */
	_to_granted();
	HEAR(ORIGIN_LOST);
	HEAR(ORIGIN_VIEW, .view = FED_VIEW_ELSEWHERE, .restarts = 1);
	assert_job("withdrawing", REVOKE);
}

/* Nothing is listed as running here of which the lock goes first. */
static void _listed_with_lock(void **state)
{
	job = (fed_job_t) {
		.id = ID, .epoch = 2, .state = FED_JOB_ENDED,
		.end = FED_END_FAILED,
		.facts = FED_JOB_F_RAN | FED_JOB_F_LOCK,
		.owed = START | COMPLETE | UNLOCK,
	};
	assert_int_equal(fed_job_sync(&job), FED_SYNC_PENDING);
	assert_job("ended", UNLOCK);
	job.owed &= ~UNLOCK;
	assert_int_equal(fed_job_sync(&job), FED_SYNC_RUNNING);
}

/* FLURM speaks of a job that we have forgotten, or never knew */
static void _adopted(void **state)
{
	fed_job_table_t *table = fed_job_table_create(NULL, NULL, NULL);
	fed_job_t *j = fed_job_table_adopt(table, ID, 77, NOW, false);

	assert_non_null(j);
	assert_null(fed_job_table_adopt(table, ID, 77, NOW, false));
	assert_null(fed_job_table_adopt(table, ID, 76, NOW, false));
	TELL(START_REQUEST, .attempt = 4);
	assert_int_equal(fed_job_action(j), LOCK);
	fed_job_table_destroy(table);
}

static void _count(fed_job_t *j, void *arg)
{
	++*(int *) arg;
}

static void _forget_all(fed_job_t *j, void *arg)
{
	fed_job_table_forget(arg, j);
}

static void _pack_all(fed_job_t *j, void *arg)
{
	fed_bytes_t bytes = { 0 };
	fed_err_t err;

	fed_job_pack(j, &bytes);
	if (fed_job_table_replay(arg, bytes.data, bytes.len, &err) < 0)
		fail_msg("%s", err.text);
	fed_bytes_free(&bytes);
}

static void _many(void **state)
{
	fed_job_table_t *table = fed_job_table_create(NULL, NULL, NULL);
	fed_job_table_t *again = fed_job_table_create(NULL, NULL, NULL);
	fed_job_table_stats_t stats;
	int jobs = 0;
	bool is_new;

	for (uint32_t i = 0; i < 20000; i++) {
		fed_job_t *j = _table_submit(table, ID + i, 0, false, &is_new);

		TELL(SENT, .action = FED_ACT_FLURM_SUBMIT);
		if (i % 10 == 0)
			_table_submit(table, ID + i, 0, false, &is_new);
	}
	fed_job_table_walk(table, _pack_all, again);
	fed_job_table_walk(again, _count, &jobs);
	assert_int_equal(jobs, 22000);
	for (uint32_t i = 0; i < 20000; i++) {
		assert_non_null(fed_job_table_find(again, ID + i));
		assert_int_equal(fed_job_table_find(again, ID + i)->epoch,
				 i % 10 ? NOW : NOW + 1);
	}
	fed_job_table_forget_epoch(again, ID, NOW + 1);
	assert_int_equal(fed_job_table_find(again, ID)->epoch, NOW);
	fed_job_table_forget_epoch(again, ID, NOW + 1);
	fed_job_table_walk(again, _forget_all, again);
	fed_job_table_stats(again, &stats);
	assert_int_equal(stats.jobs, 0);
	assert_null(fed_job_table_find(again, ID + 5));
	fed_job_table_destroy(table);
	fed_job_table_destroy(again);
}

static void _records(void **state)
{
	fed_bytes_t bytes = { 0 };
	fed_job_t read = { 0 };
	fed_err_t err;

	_to_running();
	HEAR(CANCEL, .signal = 10);
	job.restarts = 3;
	fed_job_pack(&job, &bytes);
	assert_int_equal(fed_job_unpack(&read, bytes.data, bytes.len, &err),
			 0);
	assert_int_equal(read.id, ID);
	assert_int_equal(read.state, FED_JOB_RUNNING);
	assert_int_equal(read.restarts, 3);
	assert_int_equal(read.flurm_id, 12);
	assert_int_equal(read.signals[0].signal, 10);
	for (size_t cut = 0; cut < bytes.len; cut++)
		assert_int_equal(fed_job_unpack(&read, bytes.data, cut, &err),
				 -1);
	bytes.data[0] = 2;
	assert_int_equal(fed_job_unpack(&read, bytes.data, bytes.len, &err),
			 -1);
	assert_non_null(strstr(err.text, "version 2"));
	bytes.data[0] = 1;
	bytes.data[10] = FED_JOB_STATES;
	assert_int_equal(fed_job_unpack(&read, bytes.data, bytes.len, &err),
			 -1);
	fed_bytes_free(&bytes);
}

static void _names(void **state)
{
	for (int i = 0; i < FED_JOB_STATES; i++)
		assert_non_null(fed_job_state_name(i));
	for (int i = 0; i < FED_EVENTS; i++)
		assert_non_null(fed_job_event_name(i));
	for (int i = 0; i < FED_ACTIONS; i++)
		assert_non_null(fed_job_action_name(i));
	for (int i = 0; i < FED_END_STATES; i++)
		assert_non_null(fed_job_end_name(i));
	assert_string_equal(fed_job_state_name(99), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_ordinary),
		cmocka_unit_test(_fast),
		cmocka_unit_test(_refused_lock),
		cmocka_unit_test(_failed_start),
		cmocka_unit_test(_revoked),
		cmocka_unit_test(_cancelled),
		cmocka_unit_test(_revoked_twice),
		cmocka_unit_test(_signalled),
		cmocka_unit_test(_updated),
		cmocka_unit_test(_not_taken),
		cmocka_unit_test(_not_delivered),
		cmocka_unit_test(_flurm_lost_it),
		cmocka_unit_test(_origin_lost),
		cmocka_unit_test(_started_unasked),
		cmocka_unit_test(_epochs),
		cmocka_unit_test(_late_repetition),
		cmocka_unit_test(_stale_view),
		cmocka_unit_test(_stale_list),
		cmocka_unit_test(_lock_kept),
		cmocka_unit_test(_lock_of_lost_run),
		cmocka_unit_test(_listed_with_lock),
		cmocka_unit_test(_adopted),
		cmocka_unit_test(_many),
		cmocka_unit_test(_records),
		cmocka_unit_test(_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
