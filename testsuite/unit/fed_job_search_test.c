/*
 * fed_job_search_test.c - every sequence of events that a job can meet.
 *
 * A breadth-first search over all states that fed_job_update() can reach, when
 * any event may come at any time: late, twice, or never. What a path has heard
 * is kept beside the job (the ghost), and each state is checked against it.
 * Equal states are visited once.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/crc32c.h"
#include "src/core/fed_job.h"

#define NOW 1000

/* what this path knows, apart from the job */
#define GHOST_LOCK 0x01		/* the origin's lock is ours, it says */
#define GHOST_MAY_RUN 0x02	/* FLURM may be running it */
#define GHOST_COMPLETED 0x04	/* FLURM said completed */
#define GHOST_MAY_VANISH 0x08	/* somebody knows why it is not here */
#define GHOST_OVER 0x10		/* FLURM said that it does not run it */
#define GHOST_SENT 0x20		/* FLURM may have heard of it */
#define GHOST_STALE 0x40	/* a lock that is granted is none any more */

typedef struct {
	fed_job_t job;
	uint32_t ghost;
	uint32_t updates;
	int32_t parent;		/* for the story of a failure */
	uint32_t depth;
	char how[40];
} _node_t;

/* what a search leaves out, or does as soon as it is due */
static bool with_details;	/* signals, updates, rows one by one */

static _node_t *nodes;
static uint32_t count;
static size_t room;
static uint32_t *buckets;	/* index + 1 */
static uint32_t transitions;

#define BUCKETS (1u << 23)

static void _story(int32_t at)
{
	if (at < 0)
		return;
	_story(nodes[at].parent);
	printf("  %-32s -> %-11s facts %05x owed %05x inflight %05x%s%s%s\n",
	       nodes[at].how, fed_job_state_name(nodes[at].job.state),
	       nodes[at].job.facts, nodes[at].job.owed,
	       nodes[at].job.inflight,
	       nodes[at].job.unsynced ? " unsynced" : "",
	       nodes[at].job.owner ? " owner" : "",
	       nodes[at].job.lock_wait ? " wait" : "");
}

#define CHECK(at, truth) \
	do { \
		if (!(truth)) { \
			_story(at); \
			fail_msg("%s", #truth); \
		} \
	} while (0)

/*
 * What tells one state from another: all that update or action look at, and
 * that is not the same on all paths here.
 */
typedef struct {
	uint32_t facts;
	uint32_t owed;
	uint32_t inflight;
	uint8_t state;
	uint8_t end;
	uint8_t refusals;
	uint8_t updates_owed;
	uint8_t updates_sent;
	uint8_t signals;
	uint8_t flags;
	uint8_t ghost;
} _key_t;

static _key_t _key(const _node_t *node)
{
	const fed_job_t *job = &node->job;

	return (_key_t) {
		.facts = job->facts,
		.owed = job->owed,
		.inflight = job->inflight,
		.state = job->state,
		.end = job->end,
		.refusals = job->refusals,
		.updates_owed = job->updates_owed,
		.updates_sent = job->updates_sent,
		.signals = job->signal_count,
		.flags = job->unsynced | job->fresh << 1 |
			 job->origin_down << 2 | job->owner << 3 |
			 job->lock_wait << 4 | !!job->start_time << 5 |
			 !!job->end_time << 6 | job->lock_stale << 7,
		.ghost = node->ghost,
	};
}

/* as the host does it: a row is in the spool with the commit of the event */
static void _write_rows(fed_job_t *job)
{
	uint32_t rows = FED_BIT(FED_ACT_ROW_START) | FED_BIT(FED_ACT_ROW_END);
	uint32_t due;

	while ((due = fed_job_action(job) & rows)) {
		fed_job_event_t event = {
			.type = FED_EV_SENT,
			.now = NOW,
			.action = __builtin_ctz(due),
		};

		fed_job_update(job, &event);
		event.type = FED_EV_ACKED;
		fed_job_update(job, &event);
	}
}

/* RET true if it was not known yet */
static bool _add(const _node_t *node)
{
	_key_t key = _key(node);
	uint32_t slot = fed_crc32c(0, &key, sizeof(key)) % BUCKETS;

	while (buckets[slot]) {
		_key_t other = _key(&nodes[buckets[slot] - 1]);

		if (!memcmp(&key, &other, sizeof(key)))
			return false;
		slot = (slot + 1) % BUCKETS;
	}
	assert_true(count < BUCKETS / 4 * 3);
	if (count == room) {
		room = room ? 2 * room : 1 << 16;
		nodes = realloc(nodes, room * sizeof(*nodes));
		assert_non_null(nodes);
	}
	nodes[count] = *node;
	buckets[slot] = ++count;
	return true;
}

/* what the ghost makes of an event, before the job gets it */
static uint32_t _haunt(uint32_t ghost, const fed_job_t *job,
		       const fed_job_event_t *event)
{
	switch (event->type) {
	case FED_EV_LOCK_GRANTED:
		/* if it was asked for before the origin took it away */
		return (ghost & GHOST_STALE) ? ghost & ~GHOST_STALE :
					       ghost | GHOST_LOCK;
	case FED_EV_LOCK_REFUSED:
		if ((job->refusals + 1 >= FED_JOB_REFUSALS_MAX) ||
		    (job->facts & FED_JOB_F_UNASKED))
			ghost |= GHOST_MAY_VANISH;
		return ghost & ~(GHOST_LOCK | GHOST_STALE);
	case FED_EV_SUBMIT:
		if (job->inflight & FED_BIT(FED_ACT_LOCK))
			ghost |= GHOST_STALE;
		return ghost & ~GHOST_LOCK;
	case FED_EV_ORIGIN_LOST:
	case FED_EV_REPLAYED:
		return ghost & ~(GHOST_LOCK | GHOST_STALE);
	case FED_EV_ORIGIN_VIEW:
		ghost &= ~GHOST_LOCK;
		if ((event->view == FED_VIEW_REQUEUING) ||
		    ((event->view == FED_VIEW_HERE) &&
		     (event->restarts <= job->restarts)))
			return ghost | GHOST_LOCK;
		if ((event->view != FED_VIEW_UNHEARD) &&
		    ((event->view != FED_VIEW_PENDING) ||
		     (event->restarts > job->restarts)))
			ghost |= GHOST_MAY_VANISH;
		return ghost;
	case FED_EV_REVOKE:
	case FED_EV_SUPERSEDED:
		return ghost | GHOST_MAY_VANISH;
	case FED_EV_STARTED:
		/* after its end it is an old story */
		if ((ghost & GHOST_OVER) && (job->facts & FED_JOB_F_RAN))
			return ghost;
		return (ghost | GHOST_MAY_RUN) & ~GHOST_OVER;
	case FED_EV_START_FAILED:
		return ghost & ~GHOST_MAY_RUN;
	case FED_EV_ENDED:
		if (event->end == FED_END_COMPLETED)
			ghost |= GHOST_COMPLETED;
		return (ghost & ~GHOST_MAY_RUN) | GHOST_OVER;
	case FED_EV_UNKNOWN:
	case FED_EV_REFUSED:
		return (ghost & ~GHOST_MAY_RUN) | GHOST_OVER;
	case FED_EV_FLURM_VIEW:
		if (event->flurm == FED_FLURM_RUNNING)
			return (ghost | GHOST_MAY_RUN) & ~GHOST_OVER;
		if (event->flurm != FED_FLURM_OVER)
			return ghost & ~(GHOST_MAY_RUN | GHOST_OVER);
		if (event->end == FED_END_COMPLETED)
			ghost |= GHOST_COMPLETED;
		return (ghost & ~GHOST_MAY_RUN) | GHOST_OVER;
	case FED_EV_UNSENT:
		return event->action == FED_ACT_LOCK ? ghost & ~GHOST_STALE :
						       ghost;
	case FED_EV_SENT:
		if (event->action == FED_ACT_FLURM_GRANT)
			return ghost | GHOST_MAY_RUN;
		if (event->action == FED_ACT_FLURM_SUBMIT)
			return (ghost | GHOST_SENT) & ~GHOST_OVER;
		if (event->action == FED_ACT_UNLOCK)
			return ghost & ~GHOST_LOCK;
		return ghost;
	case FED_EV_ACKED:
		if (event->action == FED_ACT_FLURM_REVOKE)
			return (ghost & ~GHOST_MAY_RUN) | GHOST_OVER;
		if (event->action == FED_ACT_COMPLETE)
			return (ghost & ~GHOST_LOCK) | GHOST_MAY_VANISH;
		if (event->action == FED_ACT_SUBMIT_RESP)
			return ghost | GHOST_MAY_VANISH;
		return ghost;
	default:
		return ghost;
	}
}

static void _check_replay(int32_t at)
{
	static fed_bytes_t before, after;
	fed_job_t copy = nodes[at].job, read = { 0 };
	fed_err_t err;

	fed_bytes_clear(&before);
	fed_bytes_clear(&after);
	fed_job_pack(&copy, &before);
	if (fed_job_unpack(&read, before.data, before.len, &err) < 0)
		fail_msg("%s", err.text);
	fed_job_update(&copy, &(fed_job_event_t) { .type = FED_EV_REPLAYED });
	fed_bytes_clear(&before);
	fed_job_pack(&copy, &before);
	fed_job_pack(&read, &after);
	CHECK(at, (before.len == after.len) &&
		  !memcmp(before.data, after.data, before.len));
	CHECK(at, fed_job_action(&copy) == fed_job_action(&read));
	CHECK(at, fed_job_sync(&copy) == fed_job_sync(&read));
}

/*
 * Let everybody do what is asked from now on: the job must come to its end.
 */
static void _check_progress(int32_t at)
{
	fed_job_t job = nodes[at].job;
	fed_job_event_t ev = { .now = NOW, .restarts = job.restarts };

	for (int step = 0; step < 200; step++) {
		uint32_t due = fed_job_action(&job) | job.inflight;

		if (fed_job_is_over(&job) && !job.inflight)
			return;
		ev.start_time = 0;
		ev.end = FED_END_NONE;
		if (job.unsynced) {
			ev.type = FED_EV_ORIGIN_VIEW;
			ev.view = job.facts & FED_JOB_F_START_TOLD ?
				FED_VIEW_HERE : FED_VIEW_PENDING;
		} else if (job.lock_wait) {
			ev.type = FED_EV_RETRY;
		} else if (due || (job.updates_sent > 0)) {
			ev.action = due ? __builtin_ctz(due) :
				FED_ACT_UPDATE_RESPONSE;
			ev.type = FED_EV_SENT;
			fed_job_update(&job, &ev);
			ev.type = FED_EV_ACKED;
			if (ev.action == FED_ACT_LOCK)
				ev.type = FED_EV_LOCK_GRANTED;
			if (ev.action == FED_ACT_FLURM_SUBMIT)
				ev.type = FED_EV_ACCEPTED;
		} else if (job.state == FED_JOB_QUEUED) {
			ev.type = FED_EV_START_REQUEST;
		} else if (job.state == FED_JOB_GRANTED) {
			ev.type = FED_EV_STARTED;
		} else if ((job.state == FED_JOB_RUNNING) ||
			   (job.state == FED_JOB_CANCELLING) ||
			   (job.state == FED_JOB_WITHDRAWING)) {
			ev.type = FED_EV_ENDED;
			ev.end = FED_END_COMPLETED;
		} else {
			break;
		}
		fed_job_update(&job, &ev);
	}
	printf("stuck in %s facts %05x owed %05x inflight %05x\n",
	       fed_job_state_name(job.state), job.facts, job.owed,
	       job.inflight);
	CHECK(at, !"it comes to its end");
}

static void _check(int32_t at)
{
	const _node_t *node = &nodes[at];
	const fed_job_t *job = &node->job;
	uint32_t due = fed_job_action(job);
	uint32_t words = FED_BIT(FED_ACT_START) | FED_BIT(FED_ACT_REQUEUE) |
			 FED_BIT(FED_ACT_COMPLETE);

	/* idempotent, and never what is on its way */
	CHECK(at, fed_job_action(job) == due);
	CHECK(at, !(due & job->inflight));
	/* at most one start */
	if (due & (FED_BIT(FED_ACT_FLURM_GRANT) |
		   FED_BIT(FED_ACT_FLURM_SUBMIT)))
		CHECK(at, !(job->facts & FED_JOB_F_RAN));
	if (due & FED_BIT(FED_ACT_FLURM_GRANT))
		CHECK(at, (node->ghost & GHOST_LOCK) &&
			  (!job->unsynced ||
			   (job->facts & FED_JOB_F_SIBLING_LOCK)));
	/* nothing is said to an origin that takes it for another's word */
	if (due & words)
		CHECK(at, (node->ghost & GHOST_LOCK) && !job->unsynced);
	if (due & FED_BIT(FED_ACT_COMPLETE)) {
		CHECK(at, job->state == FED_JOB_ENDED);
		CHECK(at, node->ghost & GHOST_OVER ||
			  !(job->facts & FED_JOB_F_SENT));
		CHECK(at, job->end != FED_END_NONE);
		CHECK(at, job->end != FED_END_REVOKED);
		CHECK(at, job->start_time > 0);
	}
	if (job->end == FED_END_COMPLETED)
		CHECK(at, node->ghost & GHOST_COMPLETED);
	/* the lock, and all else, is the newer epoch's */
	if (job->facts & FED_JOB_F_SUPERSEDED)
		CHECK(at, !(due & (FED_JOB_ORIGIN_OWED |
				   FED_BIT(FED_ACT_LOCK))));
	/* the lock is not given away under a running job */
	if (due & FED_BIT(FED_ACT_UNLOCK))
		CHECK(at, !(node->ghost & GHOST_MAY_RUN));
	/* what may be running is listed so, unless it is being ended */
	if ((node->ghost & GHOST_MAY_RUN) && (job->state <= FED_JOB_CANCELLING)
	    && !(job->facts & FED_JOB_F_LEFT))
		CHECK(at, fed_job_sync(job) == FED_SYNC_RUNNING);
	/* not lost: somebody knows why there is nothing more to do */
	if (job->state == FED_JOB_GONE)
		CHECK(at, node->ghost & GHOST_MAY_VANISH);
	CHECK(at, job->updates_owed == node->updates);
	CHECK(at, job->updates_sent <= job->updates_owed);
	CHECK(at, (job->state != FED_JOB_ENDED) || job->owed);
	_check_replay(at);
	_check_progress(at);
}

static void _try(int32_t from, const fed_job_event_t *event, const char *what)
{
	_node_t node = nodes[from];
	uint32_t ran = node.job.facts & FED_JOB_F_RAN;
	fed_job_verdict_t verdict;
	_node_t before = node;
	_key_t was, is;

	node.parent = from;
	node.depth++;
	snprintf(node.how, sizeof(node.how), "%s", what);
	node.ghost = _haunt(node.ghost, &node.job, event);
	if (event->type == FED_EV_UPDATE)
		node.updates++;
	verdict = fed_job_update(&node.job, event);
	transitions++;
	if (!with_details)
		_write_rows(&node.job);
	if ((event->type == FED_EV_ACKED) &&
	    (event->action == FED_ACT_UPDATE_RESPONSE) &&
	    (verdict == FED_JOB_CHANGED))
		node.updates--;
	if (node.job.facts & FED_JOB_F_LEFT)
		node.updates = node.job.updates_owed;

	before.ghost = node.ghost;
	was = _key(&before);
	is = _key(&node);
	if (verdict == FED_JOB_IGNORED)
		assert_memory_equal(&was, &is, sizeof(is));
	assert_true(!ran || (node.job.facts & FED_JOB_F_RAN));

	/* between the first refusal and the last there is nothing to see */
	if ((node.job.refusals > 1) &&
	    (node.job.refusals < FED_JOB_REFUSALS_MAX - 1))
		node.job.refusals = FED_JOB_REFUSALS_MAX - 1;
	if (_add(&node))
		_check(count - 1);
}

#define TRY(name, ...) \
	_try(at, &(fed_job_event_t) { .now = NOW, __VA_ARGS__ }, name)

static void _try_view(int32_t at, fed_job_view_t view, uint16_t restarts,
		      const char *name)
{
	TRY(name, .type = FED_EV_ORIGIN_VIEW, .view = view,
	    .restarts = restarts);
}

static void _expand_origin(int32_t at)
{
	TRY("revoke", .type = FED_EV_REVOKE);
	TRY("cancel", .type = FED_EV_CANCEL, .kill = true);
	TRY("cancel and requeue", .type = FED_EV_CANCEL, .kill = true,
	    .requeue = true);
	if (with_details && !nodes[at].job.signal_count)
		TRY("signal", .type = FED_EV_CANCEL, .signal = 10);
	if (with_details && !nodes[at].updates)
		TRY("update", .type = FED_EV_UPDATE);
	if (with_details &&
	    !(nodes[at].job.owed & FED_BIT(FED_ACT_FLURM_UPDATE)))
		TRY("change", .type = FED_EV_CHANGE);
	TRY("run_out", .type = FED_EV_RUN_OUT);
	TRY("submitted again", .type = FED_EV_SUBMIT,
	    .only_here = nodes[at].job.facts & FED_JOB_F_ONLY_HERE);
	if (nodes[at].job.inflight & FED_BIT(FED_ACT_LOCK)) {
		TRY("lock granted", .type = FED_EV_LOCK_GRANTED,
		    .by_siblings = nodes[at].job.unsynced);
		TRY("lock refused", .type = FED_EV_LOCK_REFUSED);
	}
	TRY("origin lost", .type = FED_EV_ORIGIN_LOST);
	TRY("superseded", .type = FED_EV_SUPERSEDED);
	if (nodes[at].job.unsynced) {
		TRY("origin down", .type = FED_EV_ORIGIN_DOWN);
		_try_view(at, FED_VIEW_UNHEARD, 0, "no view");
		_try_view(at, FED_VIEW_ABSENT, 0, "view: absent");
		_try_view(at, FED_VIEW_PENDING, 0, "view: pending");
		_try_view(at, FED_VIEW_PENDING, 1, "view: pending again");
		_try_view(at, FED_VIEW_WITHDRAWN, 0, "view: withdrawn");
		_try_view(at, FED_VIEW_HERE, 0, "view: here");
		_try_view(at, FED_VIEW_HERE, 1, "view: here, a later run");
		_try_view(at, FED_VIEW_REQUEUING, 1, "view: requeuing");
		_try_view(at, FED_VIEW_ELSEWHERE, 0, "view: elsewhere");
		_try_view(at, FED_VIEW_FINISHED, 0, "view: finished");
		_try_view(at, FED_VIEW_LEFT, 0, "view: left");
	}
}

static void _expand_flurm(int32_t at)
{
	TRY("accepted", .type = FED_EV_ACCEPTED, .flurm_id = 7);
	TRY("refused", .type = FED_EV_REFUSED, .refuse = 2015);
	TRY("start request", .type = FED_EV_START_REQUEST);
	TRY("started", .type = FED_EV_STARTED, .start_time = NOW);
	TRY("start failed", .type = FED_EV_START_FAILED);
	TRY("ended: completed", .type = FED_EV_ENDED,
	    .end = FED_END_COMPLETED, .start_time = NOW);
	TRY("ended: failed before start", .type = FED_EV_ENDED,
	    .end = FED_END_FAILED, .status = 256);
	TRY("ended: node fail", .type = FED_EV_ENDED, .start_time = NOW,
	    .end = FED_END_NODE_FAIL, .run_again = true);
	TRY("ended: revoked", .type = FED_EV_ENDED, .end = FED_END_REVOKED);
	TRY("unknown", .type = FED_EV_UNKNOWN);
	TRY("flurm: pending", .type = FED_EV_FLURM_VIEW, .asked = UINT64_MAX,
	    .flurm = FED_FLURM_PENDING);
	TRY("flurm: starting", .type = FED_EV_FLURM_VIEW, .asked = UINT64_MAX,
	    .flurm = FED_FLURM_STARTING);
	TRY("flurm: running", .type = FED_EV_FLURM_VIEW, .asked = UINT64_MAX,
	    .flurm = FED_FLURM_RUNNING, .start_time = NOW);
	TRY("flurm: failed", .type = FED_EV_FLURM_VIEW, .asked = UINT64_MAX,
	    .flurm = FED_FLURM_OVER, .end = FED_END_FAILED,
	    .start_time = NOW);
}

static void _expand_carriers(int32_t at)
{
	uint32_t due = fed_job_action(&nodes[at].job);
	uint32_t flying = nodes[at].job.inflight;
	char name[40];

	if (nodes[at].job.updates_sent)
		flying |= FED_BIT(FED_ACT_UPDATE_RESPONSE);
	for (int action = 0; action < FED_ACTIONS; action++) {
		if (due & FED_BIT(action)) {
			snprintf(name, sizeof(name), "sent %s",
				 fed_job_action_name(action));
			TRY(name, .type = FED_EV_SENT, .action = action);
		}
		if (!(flying & FED_BIT(action)))
			continue;
		snprintf(name, sizeof(name), "unsent %s",
			 fed_job_action_name(action));
		TRY(name, .type = FED_EV_UNSENT, .action = action);
		if ((action == FED_ACT_LOCK) ||
		    (action == FED_ACT_FLURM_SUBMIT))
			continue;
		snprintf(name, sizeof(name), "acked %s",
			 fed_job_action_name(action));
		TRY(name, .type = FED_EV_ACKED, .action = action);
	}
	TRY("listed", .type = FED_EV_LISTED);
	TRY("deadline", .type = FED_EV_DEADLINE);
	TRY("retry", .type = FED_EV_RETRY);
	TRY("crash and replay", .type = FED_EV_REPLAYED);
}

static void _begin(bool only_here, bool unsynced, uint32_t refuse,
		   const char *name)
{
	_node_t node = { .job = { .id = 67108865, .epoch = 1 }, .parent = -1 };

	fed_job_begin(&node.job, &(fed_job_event_t) {
			.type = FED_EV_SUBMIT,
			.now = NOW,
			.viable = only_here ? 2 : 3,
			.only_here = only_here,
			.unsynced = unsynced,
			.refuse = refuse,
		});
	snprintf(node.how, sizeof(node.how), "%s", name);
	if (!with_details)
		_write_rows(&node.job);
	assert_true(_add(&node));
	_check(count - 1);
}

static void _search(uint32_t depth_max)
{
	uint32_t at, depth = 0;

	count = transitions = 0;
	buckets = calloc(BUCKETS, sizeof(*buckets));
	assert_non_null(buckets);
	_begin(false, false, 0, "submitted");
	_begin(true, false, 0, "submitted, only here");
	_begin(false, true, 0, "submitted before the list");
	_begin(false, false, 2015, "submitted and refused");
	_begin(true, false, 2015, "submitted, only here, refused");
	for (at = 0; at < count; at++) {
		if (nodes[at].depth > depth) {
			depth = nodes[at].depth;
			if (depth == depth_max)
				break;
		}
		_expand_origin(at);
		if (nodes[at].ghost & GHOST_SENT)
			_expand_flurm(at);
		_expand_carriers(at);
	}
	print_message("%u states, %u transitions, %s %u events\n", count,
		      transitions, at < count ? "all within" : "at most",
		      depth);
	free(buckets);
	free(nodes);
	nodes = NULL;
	room = 0;
}

/* FED_SEARCH_DEPTH=19 takes five minutes and 3 GB */
static void _life(void **state)
{
	const char *depth = getenv("FED_SEARCH_DEPTH");

	with_details = false;
	_search(depth ? strtoul(depth, NULL, 10) : 10);
}

static void _details(void **state)
{
	with_details = true;
	_search(6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_life),
		cmocka_unit_test(_details),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
