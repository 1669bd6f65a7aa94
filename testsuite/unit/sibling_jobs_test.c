/*
 * sibling_jobs_test.c - src/sibling/jobs: a job between its origin, which is
 * what is sent to it, and a FLURM with the real gate (fake_flurm.h), where
 * what matters comes late.
 *
 * Here peers_send() is the test's own: it sees what is said to the origin, and
 * answers when it wants to.
 */
#include "testsuite/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/core/job_id.h"
#include "src/sibling/jobs_int.h"
#include "src/sibling/peers.h"
#include "src/sibling/record.h"
#include "src/sibling/sib.h"
#include "testsuite/unit/client.h"
#include "testsuite/unit/fake_flurm.h"

#define ALPHA_ID 1
#define FLURM_ID 2
#define GAMMA_ID 3
#define EVERYWHERE 3
#define ONLY_FLURM 2
#define DELTA_ID 4
#define WITH_GAMMA 7
#define WITH_BOTH 15
#define JOB_ID ((ALPHA_ID << 26) | 7)
#define PATIENCE_S 20

static conf_cluster_t cluster = { .name = (char *) "flurm" };
static site_t site;
static fed_member_t members[] = {
	{ .name = (char *) "alpha", .fed_id = ALPHA_ID },
	{ .name = (char *) "flurm", .fed_id = FLURM_ID },
	{ .name = (char *) "gamma", .fed_id = GAMMA_ID },
	{ .name = (char *) "delta", .fed_id = DELTA_ID },
};
static federation_t federation = {
	.name = (char *) "fed", .member_cnt = 4, .member = members,
	.self = &members[1],
};
static char *dir;
static fed_ledger_t *ledger;
static flurm_loop_t *loop;
static flurm_client_t *client;
static session_t *sessions;
static jobs_t *jobs;
static time_t now;

/* what is said to alpha and has no answer yet */
static uint64_t said[FED_ACTIONS];
static uint64_t alpha_asked;	/* to cancel a job */

/* ... and to those who may have it, too */
typedef struct {
	uint64_t asked;		/* token of the last LOCK, not answered */
	int told[3];		/* LOCKs, UNLOCKs, all else */
} sibling_t;

enum { LOCKS, UNLOCKS, REVOKES };
static sibling_t gamma_is, delta_is;
static bool alpha_comes;	/* alpha has a connection to us */

extern bool peers_send(peers_t *peers, const char *peer, uint32_t session,
		       bool single, buf_t *buf, uint64_t token)
{
	fed_job_action_t action = ((token >> 27) & 0x1f) - 1;

	sibling_t *sibling = !strcmp(peer, "gamma") ? &gamma_is :
			     !strcmp(peer, "delta") ? &delta_is : NULL;

	if (sibling) {
		free_buf(buf);
		sibling->told[token ? LOCKS : single ? UNLOCKS : REVOKES]++;
		if (token)
			sibling->asked = token;
		return true;
	}
	assert_string_equal(peer, "alpha");
	if (action >= FED_ACTIONS) {
		alpha_asked = token;
		free_buf(buf);
		return true;
	}
	assert_int_equal(said[action], 0);
	said[action] = token;
	free_buf(buf);
	return true;
}

extern peer_flags_t peers_flags(peers_t *peers, const char *peer)
{
	return (peer_flags_t) {
		.member = true, .send = true, .recv = alpha_comes,
		.synced = true,
	};
}

extern void peers_set_synced(peers_t *peers, const char *peer, time_t listed)
{
}

static void _answer(fed_job_action_t action, uint32_t rc)
{
	uint64_t token = said[action];

	assert_int_not_equal(token, 0);
	said[action] = 0;
	jobs_answered(jobs, "alpha", token, rc);
}

static fed_job_t *_job(void)
{
	return fed_job_table_find(jobs->table, JOB_ID);
}

static bool _is(fed_job_state_t state)
{
	return _job()->state == state;
}

static void _act(void)
{
	fed_err_t err;

	jobs_flush(jobs);
	assert_int_equal(fed_ledger_commit(ledger, &err), 0);
	jobs_act(jobs);
}

/* One turn of the engine's */
static void _turn(void)
{
	fed_err_t err;

	assert_int_equal(flurm_loop_turn(loop, 10, &err), 0);
	_act();
}

/* Turn until it holds, or fail. */
#define UNTIL(what) \
	do { \
		time_t until_ = time(NULL) + PATIENCE_S; \
		while (!(what)) { \
			if (time(NULL) > until_) \
				fail_msg("in vain: %s (job is %s)", #what, \
					 fed_job_state_name(_job()->state)); \
			_turn(); \
		} \
	} while (0)

static int _no_record(uint64_t place, uint16_t type, const void *body,
		      size_t len, void *arg, fed_err_t *err)
{
	return 0;
}

static assoc_t *assoc;
static accounting_t *accounting;

static void _begin(uint16_t port)
{
	const fed_ledger_opts_t opts = { .app = "fed_flurm" };
	jobs_conf_t conf = {
		.cluster = &cluster, .sessions = &sessions, .site = &site,
	};
	char url[64];
	const flurm_client_conf_t client_conf = {
		.name = "flurm", .url = url, .retry_ms = 20,
		.retry_max_ms = 100,
	};
	fed_err_t err;

	snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
	memset(said, 0, sizeof(said));
	memset(&gamma_is, 0, sizeof(gamma_is));
	memset(&delta_is, 0, sizeof(delta_is));
	alpha_comes = true;
	dir = scratch_make();
	if (!(ledger = fed_ledger_open(dir, &opts, _no_record, NULL, &err)) ||
	    !(loop = flurm_loop_create(&err)) ||
	    !(client = flurm_client_create(loop, &client_conf, &err)))
		fail_msg("%s", err.text);
	(void) session_begin(&sessions, "alpha", 1, SLURM_PROTOCOL_VERSION);
	jobs = jobs_create(&cluster);
	jobs_set_federation(jobs, &federation);
	conf.client = client;
	conf.assoc = assoc = assoc_create();
	conf.accounting = accounting = accounting_create(
		&(accounting_conf_t) { .cluster = "flurm", .assoc = assoc });
	accounting_connect(accounting, ledger);
	jobs_connect(jobs, &conf, ledger);
	now = time(NULL);
	jobs_tick(jobs, now);
}

static int _with_flurm(void **state)
{
	_begin(fake_flurm_start());
	return 0;
}

static void _end(void)
{
	flurm_client_destroy(client);
	flurm_loop_destroy(loop);
	jobs_destroy(jobs);
	accounting_destroy(accounting);
	assoc_destroy(assoc);
	fed_ledger_close(ledger);
	session_clear(&sessions);
	scratch_remove_tree(dir);
}

static int _end_with_flurm(void **state)
{
	_end();
	fake_flurm_stop();
	return 0;
}

static void _alpha_submits_one(uint32_t job_id, uint64_t siblings,
			       uint32_t priority, int nice)
{
	job_desc_msg_t *desc = xmalloc(sizeof(*desc));
	sib_msg_t msg = {
		.sib_msg_type = SIB_SUBMIT_BATCH,
		.job_id = job_id,
		.fed_siblings = siblings,
		.data = desc,
	};

	slurm_init_job_desc_msg(desc);
	desc->script = xstrdup("#!/bin/sh\n");
	desc->user_id = desc->group_id = 1000;
	desc->priority = priority;
	desc->nice = NICE_OFFSET + nice;
	desc->comment = xstrdup("well");
	desc->env_size = 2;
	desc->environment = xcalloc(3, sizeof(char *));
	desc->environment[0] = xstrdup("A=1");
	desc->environment[1] = xstrdup("B=2");
	/* as unpacking it does */
	desc->script_hash = (slurm_hash_t) { .type = 2, .hash = { 0xab, 1 } };
	desc->env_hash = (slurm_hash_t) { .type = 2, .hash = { 0xcd, 2 } };
#if COMPAT_24_11
	msg.user_id = msg.group_id = 1000;
#endif
	jobs_take_sib(jobs, "alpha", &msg);
	/* 22.05's own forgets one */
	xfree(desc->prefer);
	slurm_free_job_desc_msg(desc);
}

static void _alpha_submits(uint64_t siblings)
{
	_alpha_submits_one(JOB_ID, siblings, NO_VAL, 0);
}

static void _to_queue(uint64_t siblings)
{
	_alpha_submits(siblings);
	UNTIL(_is(FED_JOB_QUEUED));
}

/* A job is at FLURM, which has resources for it: its lock is asked for. */
static void _to_locking(void)
{
	_to_queue(EVERYWHERE);
	fake_flurm_asks();
	UNTIL(said[FED_ACT_LOCK]);
	assert_int_equal(_job()->attempt, 1);
}

/* ... and what it is answered is under way to FLURM. */
static void _to_held(uint32_t rc)
{
	fake_flurm_hold(true);
	_to_locking();
	_answer(FED_ACT_LOCK, rc);
	UNTIL(fake_flurm_held());
}

static void _runs(void **state)
{
	_to_locking();
	_turn();
	assert_false(fake_flurm_granted());
	_answer(FED_ACT_LOCK, SLURM_SUCCESS);
	UNTIL(fake_flurm_granted());
	fake_flurm_starts();
	UNTIL(said[FED_ACT_START]);
	assert_true(_is(FED_JOB_RUNNING));
}

static void _alpha_updates(uint32_t priority, uint32_t nice)
{
	job_desc_msg_t desc;
	sib_msg_t msg = {
		.sib_msg_type = SIB_UPDATE,
		.job_id = JOB_ID,
		.data = &desc,
	};

	slurm_init_job_desc_msg(&desc);
	desc.priority = priority;
	desc.nice = nice;
	jobs_take_sib(jobs, "alpha", &msg);
}

/*
 * FLURM has resources for it, and an update comes, which FLURM takes only for
 * what waits: it goes back, is changed, and starts the next time.
 */
static void _changed_before_it_starts(void **state)
{
	_to_locking();
	_alpha_updates(NO_VAL, NICE_OFFSET + 5);
	UNTIL(fake_flurm_nice() == 5);
	assert_int_equal(fake_flurm_state(), FLURM_PENDING);
	UNTIL(said[FED_ACT_UNLOCK]);
	_answer(FED_ACT_UNLOCK, SLURM_SUCCESS);
	_answer(FED_ACT_LOCK, SLURM_ERROR);
	_answer(FED_ACT_UPDATE_RESPONSE, SLURM_SUCCESS);
	UNTIL(_is(FED_JOB_QUEUED) && !fed_job_action(_job()));
	fake_flurm_asks();
	UNTIL(said[FED_ACT_LOCK]);
	_answer(FED_ACT_LOCK, SLURM_SUCCESS);
	UNTIL(fake_flurm_granted());
}

static void _updated(void)
{
	UNTIL(said[FED_ACT_UPDATE_RESPONSE]);
	_answer(FED_ACT_UPDATE_RESPONSE, SLURM_SUCCESS);
	UNTIL(_is(FED_JOB_QUEUED) && !fed_job_action(_job()));
}

/* Its priority is 0: FLURM may ask, no lock is asked for. */
static void _held(void **state)
{
	const job_host_t *host;

	_to_queue(EVERYWHERE);
	_alpha_updates(0, NO_VAL);
	_updated();
	host = _job()->host;
	fake_flurm_asks();
	UNTIL(host->waits);
	UNTIL(_is(FED_JOB_QUEUED));
	assert_int_equal(host->waits, WAIT_HELD);
	assert_int_equal(said[FED_ACT_LOCK], 0);
	assert_int_equal(fake_flurm_state(), FLURM_PENDING);
	jobs_tick(jobs, now);
	assert_int_equal(host->woken, 0);
	/* released: FLURM is told at once that it may ask again */
	_alpha_updates(INFINITE, NO_VAL);
	assert_false(flurm_is_set(host->spec->priority));
	_updated();
	jobs_tick(jobs, now);
	assert_int_equal(host->woken, now);
	fake_flurm_asks();
	UNTIL(said[FED_ACT_LOCK]);
	assert_int_equal(host->waits, 0);
}

/*
 * The lock was given for the first attempt. When the grant arrives, the second
 * one asks, for which it was refused.
 */
static void _grant_that_is_late(void **state)
{
	_to_held(SLURM_SUCCESS);
	fake_flurm_lose();
	/* it is said again, but by then FLURM does not wait for it any more */
	UNTIL(fake_flurm_held());
	fake_flurm_gives_back();
	assert_int_equal(fake_flurm_release(), 409);
	UNTIL(said[FED_ACT_UNLOCK]);
	assert_true(_is(FED_JOB_QUEUED));
	_answer(FED_ACT_UNLOCK, SLURM_SUCCESS);

	fake_flurm_asks();
	UNTIL(said[FED_ACT_LOCK]);
	assert_int_equal(_job()->attempt, 2);
	_answer(FED_ACT_LOCK, SLURM_ERROR);
	UNTIL(fake_flurm_held());
	assert_true(_is(FED_JOB_DENIED));
	/* now the first one arrives */
	assert_int_equal(fake_flurm_late(), 409);
	assert_int_equal(fake_flurm_state(), FLURM_STARTING);
	assert_false(fake_flurm_granted());
	assert_int_equal(fake_flurm_release(), 200);
	assert_int_equal(fake_flurm_state(), FLURM_PENDING);
	fake_flurm_hold(false);

	/* the third has the lock, and starts */
	UNTIL(_is(FED_JOB_QUEUED));
	if (said[FED_ACT_UNLOCK])
		_answer(FED_ACT_UNLOCK, SLURM_ERROR);
	fake_flurm_asks();
	UNTIL(said[FED_ACT_LOCK]);
	_answer(FED_ACT_LOCK, SLURM_SUCCESS);
	UNTIL(fake_flurm_granted());
	fake_flurm_starts();
	UNTIL(_is(FED_JOB_RUNNING));
	assert_int_equal(_job()->attempt, 3);
}

/* What is answered to an attempt that is past says nothing of this one. */
static void _answer_that_is_late(void **state)
{
	int questions;

	_to_held(SLURM_SUCCESS);
	fake_flurm_gives_back();
	fake_flurm_asks();
	UNTIL(_job()->attempt == 2);
	assert_true(_is(FED_JOB_GRANTED));
	questions = fake_flurm_questions();
	fake_flurm_hold(false);
	assert_int_equal(fake_flurm_release(), 409);
	UNTIL(_job()->facts & FED_JOB_F_GRANT_ACKED);
	assert_true(fake_flurm_granted());
	assert_int_equal(fake_flurm_questions(), questions);
	assert_int_equal(((job_host_t *) _job()->host)->unsent, 0);
	assert_int_equal(said[FED_ACT_UNLOCK], 0);
}

static void _deny_that_is_late(void **state)
{
	_to_held(SLURM_ERROR);
	fake_flurm_gives_back();
	fake_flurm_asks();
	UNTIL(said[FED_ACT_LOCK]);
	assert_int_equal(_job()->attempt, 2);
	_answer(FED_ACT_LOCK, SLURM_SUCCESS);
	assert_true(_is(FED_JOB_GRANTED));
	_turn();
	fake_flurm_hold(false);
	assert_int_equal(fake_flurm_release(), 409);
	UNTIL(fake_flurm_granted());
	assert_true(_is(FED_JOB_GRANTED));
}

static bool _lost_again(void)
{
	if (fake_flurm_held())
		fake_flurm_lose();
	return false;
}

/*
 * Cancelled while FLURM cannot be told that it may start: then it is not told
 * that first.
 */
static void _cancelled_before_the_grant(void **state)
{
	sib_msg_t revoke = { .sib_msg_type = SIB_COMPLETE, .job_id = JOB_ID };

	_to_held(SLURM_SUCCESS);
	fake_flurm_lose();
	jobs_take_sib(jobs, "alpha", &revoke);
	assert_true(_is(FED_JOB_WITHDRAWING));
	_act();
	/* curl itself may have repeated it on another connection */
	UNTIL(_lost_again() || (_job()->state >= FED_JOB_ENDED));
	assert_int_equal(fake_flurm_state(), FLURM_CANCELLED);
	assert_false(fake_flurm_granted());
	assert_int_equal(fake_flurm_late(), 409);
}

/* Granted, but FLURM cannot start it: others may. */
static void _start_that_fails(void **state)
{
	_to_locking();
	_answer(FED_ACT_LOCK, SLURM_SUCCESS);
	UNTIL(fake_flurm_granted());
	fake_flurm_fails_to_start();
	UNTIL(said[FED_ACT_UNLOCK]);
	assert_true(_is(FED_JOB_QUEUED));
	assert_int_equal(said[FED_ACT_START], 0);
	/* the native that has it now is told of by its origin */
	_answer(FED_ACT_UNLOCK, SLURM_SUCCESS);
	fake_flurm_asks();
	UNTIL(said[FED_ACT_LOCK]);
	_answer(FED_ACT_LOCK, SLURM_ERROR);
	UNTIL(_is(FED_JOB_QUEUED));
	assert_false(fake_flurm_granted());
}

/* Alpha is away, for seconds. Gamma may have the job, too, if it is up. */
static void _alpha_is_down(uint64_t siblings, bool gamma, int seconds)
{
	jobs_set_slurmdbd(jobs, true);
	if (gamma)
		(void) session_begin(&sessions, "gamma", 1,
				     SLURM_PROTOCOL_VERSION);
	_to_queue(siblings);
	alpha_comes = false;
	session_end(&sessions, "alpha", 1);
	jobs_origin_lost(jobs, "alpha");
	fake_flurm_asks();
	UNTIL(_is(FED_JOB_LOCKING));
	jobs_tick(jobs, now);
	jobs_tick(jobs, now += seconds);
	_turn();
}

static void _sibling_answers(const char *name, sibling_t *sibling,
			     uint32_t rc)
{
	uint64_t token = sibling->asked;

	assert_int_not_equal(token, 0);
	sibling->asked = 0;
	jobs_answered(jobs, name, token, rc);
}

static void _gamma_answers(uint32_t rc)
{
	_sibling_answers("gamma", &gamma_is, rc);
}

static void _delta_answers(uint32_t rc)
{
	_sibling_answers("delta", &delta_is, rc);
}

static void _alpha_comes_back(void)
{
	alpha_comes = true;
	(void) session_begin(&sessions, "alpha", 2, SLURM_PROTOCOL_VERSION);
}

/* What alpha's list says */
static void _alpha_lists(fed_job_view_t view)
{
	const fed_job_event_t event = {
		.type = FED_EV_ORIGIN_VIEW, .now = now, .view = view,
	};

	jobs_event(jobs, _job(), &event);
}

/* Its siblings give the lock, and hear that FLURM has started it. */
static void _origin_down(void **state)
{
	_alpha_is_down(WITH_GAMMA, true, 9);
	assert_int_equal(gamma_is.told[LOCKS], 0);
	jobs_tick(jobs, now += 1);
	_turn();
	assert_int_equal(gamma_is.told[LOCKS], 1);
	assert_false(fake_flurm_granted());
	_gamma_answers(SLURM_SUCCESS);
	UNTIL(fake_flurm_granted());
	fake_flurm_starts();
	UNTIL(gamma_is.told[REVOKES]);
	assert_true(_is(FED_JOB_RUNNING));
	assert_int_equal(gamma_is.told[UNLOCKS], 0);

	/* alpha is back, and hears it, too */
	_alpha_comes_back();
	assert_int_equal(fed_job_sync(_job()), FED_SYNC_RUNNING);
	_alpha_lists(FED_VIEW_PENDING);
	UNTIL(said[FED_ACT_LOCK]);
	_answer(FED_ACT_LOCK, SLURM_SUCCESS);
	UNTIL(said[FED_ACT_START]);
	assert_int_equal(gamma_is.told[REVOKES], 1);
}

/* One no is enough, and what the others gave is given back. */
static void _sibling_refuses(void **state)
{
	_alpha_is_down(WITH_GAMMA, true, 10);
	_gamma_answers(SLURM_ERROR);
	UNTIL(_is(FED_JOB_QUEUED));
	assert_false(fake_flurm_granted());
	assert_int_equal(gamma_is.told[UNLOCKS], 0);
	assert_int_equal(_job()->refusals, 0);
	/* the next time it says yes */
	fake_flurm_asks();
	UNTIL(gamma_is.told[LOCKS] == 2);
	_gamma_answers(SLURM_SUCCESS);
	UNTIL(fake_flurm_granted());
	/* but it cannot be started */
	fake_flurm_fails_to_start();
	UNTIL(gamma_is.told[UNLOCKS] == 1);
	assert_true(_is(FED_JOB_QUEUED));
}

/* Gamma asks for our lock, as alpha is down for it, and may start the job. */
static void _lent(void **state)
{
	_to_queue(WITH_GAMMA);
	assert_int_equal(jobs_lock(jobs, JOB_ID, false), SLURM_SUCCESS);
	fake_flurm_asks();
	UNTIL(_job()->attempt == 1);
	UNTIL(_is(FED_JOB_QUEUED));
	assert_int_equal(said[FED_ACT_LOCK], 0);
	/* it has not told alpha of a start by now */
	jobs_tick(jobs, now += 10);
	fake_flurm_asks();
	UNTIL(said[FED_ACT_LOCK]);
	assert_int_equal(jobs_lock(jobs, JOB_ID, false),
			 (uint32_t) SLURM_ERROR);
	_answer(FED_ACT_LOCK, SLURM_ERROR);
	UNTIL(_is(FED_JOB_QUEUED));
	/* it gives it back at once */
	assert_int_equal(jobs_lock(jobs, JOB_ID, false), SLURM_SUCCESS);
	assert_int_equal(jobs_lock(jobs, JOB_ID, true), SLURM_SUCCESS);
	fake_flurm_asks();
	UNTIL(said[FED_ACT_LOCK]);
}

static void _alpha_lists_as_pending(uint64_t siblings)
{
	job_info_t info = {
		.job_id = JOB_ID,
		.job_state = JOB_PENDING,
		.priority = 1,
		.fed_siblings_viable = siblings,
	};
	job_info_msg_t list = { .record_count = 1, .job_array = &info };
	const sib_msg_t msg = { .data = &list, .start_time = now };

	jobs_take_sync(jobs, "alpha", &msg);
}

/* Alpha may have been killed, and gamma run what it gave it the lock of. */
static void _alpha_forgets(void **state)
{
	_to_queue(WITH_GAMMA);
	_alpha_lists_as_pending(WITH_GAMMA);
	fake_flurm_asks();
	UNTIL(_job()->attempt == 1);
	UNTIL(_is(FED_JOB_QUEUED));
	assert_int_equal(said[FED_ACT_LOCK], 0);
	/* it knows from gamma's JOB_SYNC by now */
	jobs_tick(jobs, now += 10);
	fake_flurm_asks();
	UNTIL(said[FED_ACT_LOCK]);
}

/* Nobody else can have had the lock. */
static void _alpha_forgets_nothing(void **state)
{
	_to_queue(EVERYWHERE);
	_alpha_lists_as_pending(EVERYWHERE);
	fake_flurm_asks();
	UNTIL(said[FED_ACT_LOCK]);
}

static void _both_are_asked(void)
{
	(void) session_begin(&sessions, "delta", 1, SLURM_PROTOCOL_VERSION);
	_alpha_is_down(WITH_BOTH, true, 10);
	assert_int_equal(gamma_is.told[LOCKS], 1);
	assert_int_equal(delta_is.told[LOCKS], 1);
}

/* All have to agree; who gave its lock in vain has it back. */
static void _siblings_differ(void **state)
{
	_both_are_asked();
	_gamma_answers(SLURM_SUCCESS);
	_turn();
	assert_true(_is(FED_JOB_LOCKING));
	_delta_answers(SLURM_ERROR);
	UNTIL(_is(FED_JOB_QUEUED) && gamma_is.told[UNLOCKS]);
	assert_int_equal(delta_is.told[UNLOCKS], 0);
	assert_false(fake_flurm_granted());
	/* the next time both agree */
	fake_flurm_asks();
	UNTIL(gamma_is.told[LOCKS] == 2);
	assert_int_equal(delta_is.told[LOCKS], 2);
	_gamma_answers(SLURM_SUCCESS);
	_delta_answers(SLURM_SUCCESS);
	UNTIL(fake_flurm_granted());
	fake_flurm_starts();
	UNTIL(gamma_is.told[REVOKES] && delta_is.told[REVOKES]);
	assert_int_equal(gamma_is.told[UNLOCKS], 1);
	assert_int_equal(delta_is.told[UNLOCKS], 0);
}

/*
 * The no comes first: who has yet to answer has its lock back at once, behind
 * the question, and its yes does not count any more.
 */
static void _a_yes_after_a_no(void **state)
{
	_both_are_asked();
	_delta_answers(SLURM_ERROR);
	UNTIL(_is(FED_JOB_QUEUED) && gamma_is.told[UNLOCKS]);
	/* nobody is asked again before the last one has answered */
	fake_flurm_asks();
	UNTIL(_is(FED_JOB_LOCKING));
	jobs_tick(jobs, now += 1);
	_turn();
	assert_int_equal(delta_is.told[LOCKS], 1);
	_gamma_answers(SLURM_SUCCESS);
	jobs_tick(jobs, now += 1);
	UNTIL(delta_is.told[LOCKS] == 2);
	assert_false(fake_flurm_granted());
	assert_int_equal(delta_is.told[UNLOCKS], 0);
}

/* Its link goes before it has answered: it may have given its lock. */
static void _sibling_lost(void **state)
{
	_alpha_is_down(WITH_GAMMA, true, 10);
	session_end(&sessions, "gamma", 1);
	jobs_origin_lost(jobs, "gamma");
	UNTIL(_is(FED_JOB_QUEUED));
	assert_false(fake_flurm_granted());
	assert_int_equal(gamma_is.told[UNLOCKS], 0);
	(void) session_begin(&sessions, "gamma", 2, SLURM_PROTOCOL_VERSION);
	jobs_tick(jobs, now += 1);
	UNTIL(gamma_is.told[UNLOCKS] == 1);
}

/* The origin is back before all have answered: it decides. */
static void _origin_comes_back(void **state)
{
	_alpha_is_down(WITH_GAMMA, true, 10);
	_alpha_comes_back();
	jobs_tick(jobs, now += 1);
	UNTIL(gamma_is.told[UNLOCKS] == 1);
	assert_int_equal(said[FED_ACT_LOCK], 0);
	_alpha_lists(FED_VIEW_PENDING);
	UNTIL(said[FED_ACT_LOCK]);
	assert_int_equal(gamma_is.told[LOCKS], 1);
	_answer(FED_ACT_LOCK, SLURM_ERROR);
	UNTIL(_is(FED_JOB_QUEUED));
	assert_false(fake_flurm_granted());
}

static void _a_late_yes(void **state)
{
	uint64_t token;

	_alpha_is_down(WITH_GAMMA, true, 10);
	token = gamma_is.asked;
	_alpha_comes_back();
	jobs_tick(jobs, now += 1);
	UNTIL(gamma_is.told[UNLOCKS] == 1);
	jobs_answered(jobs, "gamma", token, SLURM_SUCCESS);
	_turn();
	assert_true(_is(FED_JOB_LOCKING));
	assert_false(fake_flurm_granted());
}

/* Nobody is asked, as nobody is up, or as it may be us who are cut off. */
static void _nobody_to_ask(void **state)
{
	_alpha_is_down(WITH_GAMMA, false, 10);
	UNTIL(_is(FED_JOB_QUEUED));
	assert_false(fake_flurm_granted());

	(void) session_begin(&sessions, "gamma", 1, SLURM_PROTOCOL_VERSION);
	jobs_set_slurmdbd(jobs, false);
	fake_flurm_asks();
	UNTIL(_is(FED_JOB_LOCKING));
	jobs_tick(jobs, now += 100);
	_turn();
	assert_int_equal(gamma_is.told[LOCKS], 0);
	/* the origin is down only for us */
	jobs_set_slurmdbd(jobs, true);
	alpha_comes = true;
	jobs_tick(jobs, now += 100);
	_turn();
	assert_int_equal(gamma_is.told[LOCKS], 0);
	assert_true(_is(FED_JOB_LOCKING));
}

/* Nobody else may have it. */
static void _only_here(void **state)
{
	_alpha_is_down(ONLY_FLURM, true, 10);
	jobs_tick(jobs, now += 1);
	UNTIL(fake_flurm_granted());
	assert_int_equal(gamma_is.told[LOCKS], 0);
}

/* FLURM is away for longer than DeliveryTimeout. */
/* scontrol top, with what slurmctld makes of the same; test_top.py compares */
static void _top(void **state)
{
	static const struct {
		struct {
			uint32_t priority;	/* NO_VAL: nice alone */
			int nice;
		} before[3];
		int count;
		int top[4];		/* which of them */
		uint32_t priority[3];
		int nice[3];
	} cases[] = {
		/* equals go one below */
		{ { { NO_VAL, 0 }, { NO_VAL, 0 }, { NO_VAL, 0 } }, 1, { 2 },
		  { NO_VAL, NO_VAL, NO_VAL }, { 1, 1, 0 } },
		{ { { NO_VAL, 0 }, { NO_VAL, 0 }, { NO_VAL, 0 } }, 3,
		  { 2, 0, 1 }, { NO_VAL, NO_VAL, NO_VAL }, { 1, 0, 0 } },
		/* what one gains the others lose */
		{ { { NO_VAL, 0 }, { NO_VAL, 10 }, { NO_VAL, 30 } }, 1, { 2 },
		  { NO_VAL, NO_VAL, NO_VAL }, { 15, 25, 0 } },
		{ { { NO_VAL, 0 }, { NO_VAL, 10 }, { NO_VAL, 30 } }, 3,
		  { 2, 1, 2 }, { NO_VAL, NO_VAL, NO_VAL }, { 30, 10, 0 } },
		/* below 0, where a native's priorities would end */
		{ { { NO_VAL, 0 }, { NO_VAL, 1000 }, { NO_VAL, 50 } }, 1,
		  { 1 }, { NO_VAL, NO_VAL, NO_VAL }, { 500, 0, 550 } },
		{ { { NO_VAL, 0 }, { NO_VAL, 10 }, { NO_VAL, 30 } }, 1, { 0 },
		  { NO_VAL, NO_VAL, NO_VAL }, { 0, 10, 30 } },
		/* a priority stands for itself, and its nice value follows */
		{ { { 90, 0 }, { 50, 0 }, { 1, 0 } }, 1, { 1 },
		  { 50, 90, 1 }, { 40, -40, 0 } },
		{ { { 90, 0 }, { NO_VAL, 5 }, { 3, 0 } }, 1, { 1 },
		  { 43, NO_VAL, 1 }, { 47, -90, 2 } },
	};
	uint32_t ids[4];
	jobs_top_t top = { .ids = ids, .uid = 1000 };
	const job_host_t *host;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t first = JOB_ID + 10 * i;

		for (int j = 0; j < 3; j++)
			_alpha_submits_one(first + j, EVERYWHERE,
					   cases[i].before[j].priority,
					   cases[i].before[j].nice);
		for (int j = 0; j < cases[i].count; j++)
			ids[j] = first + cases[i].top[j];
		top.count = cases[i].count;
		assert_int_equal(jobs_top(jobs, &top), SLURM_SUCCESS);
		for (int j = 0; j < 3; j++) {
			host = fed_job_table_find(jobs->table,
						  first + j)->host;
			if ((host->spec->nice != cases[i].nice[j]) ||
			    (flurm_or(host->spec->priority, NO_VAL) !=
			     cases[i].priority[j]))
				fail_msg("case %zu, job %d: priority %lld, nice %lld",
					 i, j,
					 (long long) host->spec->priority,
					 (long long) host->spec->nice);
			/* the next ones are not to compete with it */
			jobs_event(jobs, fed_job_table_find(jobs->table,
							    first + j),
				   &(fed_job_event_t) {
					   .type = FED_EV_REVOKE,
					   .now = jobs->now });
		}
	}
}

static void _top_refused(void **state)
{
	uint32_t ids[2] = { JOB_ID, JOB_ID + 1 };
	jobs_top_t top = { .ids = ids, .count = 2, .uid = 1000 };

	_alpha_submits(EVERYWHERE);
	assert_int_equal(jobs_top(jobs, &top), ESLURM_INVALID_JOB_ID);
	_alpha_submits_one(JOB_ID + 1, EVERYWHERE, 0, 0);
	/* one of them is enough */
	assert_int_equal(jobs_top(jobs, &top), SLURM_SUCCESS);
	top.ids = &ids[1];
	top.count = 1;
	assert_int_equal(jobs_top(jobs, &top), ESLURM_JOB_HELD);
	top.uid = 1001;
	assert_int_equal(jobs_top(jobs, &top), ESLURM_ACCESS_DENIED);
	top.uid = 0;
	assert_int_equal(jobs_top(jobs, &top), ESLURM_JOB_HELD);
	jobs_event(jobs, fed_job_table_find(jobs->table, JOB_ID + 1),
		   &(fed_job_event_t) { .type = FED_EV_REVOKE,
					.now = jobs->now });
	assert_int_equal(jobs_top(jobs, &top), ESLURM_JOB_NOT_PENDING);
	/* one that has its resources is first */
	UNTIL(_is(FED_JOB_QUEUED));
	fake_flurm_asks();
	UNTIL(said[FED_ACT_LOCK]);
	top.ids = ids;
	assert_int_equal(jobs_top(jobs, &top), SLURM_SUCCESS);
	assert_true(_is(FED_JOB_LOCKING));
}

/* ... and one that FLURM has is changed there. */
static void _top_at_flurm(void **state)
{
	uint32_t id = JOB_ID + 1;
	jobs_top_t top = { .ids = &id, .count = 1, .uid = 1000 };

	_to_queue(EVERYWHERE);
	_alpha_submits_one(id, EVERYWHERE, NO_VAL, 40);
	assert_int_equal(jobs_top(jobs, &top), SLURM_SUCCESS);
	assert_int_equal(fake_flurm_nice(), 0);
	UNTIL(fake_flurm_nice() == 40);
	assert_int_equal(_job()->updates_owed, 0);
}

static void _undelivered(void **state)
{
	_begin(1);
	cluster.delivery_timeout = 60;
	_alpha_submits(EVERYWHERE);
	_turn();
	jobs_tick(jobs, now + 60);
	_turn();
	assert_true(_is(FED_JOB_DELIVERING));
	assert_int_equal(said[FED_ACT_SUBMIT_RESP], 0);
	jobs_tick(jobs, now + 61);
	UNTIL(said[FED_ACT_SUBMIT_RESP]);
	_answer(FED_ACT_SUBMIT_RESP, SLURM_SUCCESS);
	UNTIL(_is(FED_JOB_GONE));
	_end();
}

static void _undelivered_stays(uint64_t siblings, uint32_t timeout)
{
	_begin(1);
	cluster.delivery_timeout = timeout;
	_alpha_submits(siblings);
	_turn();
	jobs_tick(jobs, now + 100000);
	_turn();
	assert_true(_is(FED_JOB_DELIVERING));
	assert_int_equal(said[FED_ACT_SUBMIT_RESP], 0);
	_end();
}

static void _undelivered_but(void **state)
{
	/* nobody else may have it; it may wait for ever */
	_undelivered_stays(ONLY_FLURM, 60);
	_undelivered_stays(EVERYWHERE, 0);
}

static void _asked(jobs_ask_t *ask)
{
	ask->arg = ask;
}

/* OUT rcs - of a job of alpha's, and of one whose origin is not there */
static void _ask(jobs_ask_t *ask, uint32_t rcs[2])
{
	static const uint32_t ids[] = { JOB_ID, (GAMMA_ID << 26) | 7 };

	alpha_asked = 0;
	*ask = (jobs_ask_t) {
		.ids = ids, .count = 2, .signal = SIGKILL, .rcs = rcs,
		.done = _asked,
	};
	jobs_ask(jobs, ask);
	assert_int_not_equal(alpha_asked, 0);
	assert_null(ask->arg);
	assert_int_equal(rcs[1], SLURM_COMMUNICATIONS_CONNECTION_ERROR);
}

/* A client wants it cancelled while it waits: alpha is asked, and may answer */
static void _origin_asked(void **state)
{
	jobs_ask_t ask;
	uint32_t rcs[2];

	_to_queue(EVERYWHERE);
	_ask(&ask, rcs);
	jobs_answered(jobs, "alpha", alpha_asked, ESLURM_ACCESS_DENIED);
	assert_non_null(ask.arg);
	assert_int_equal(rcs[0], ESLURM_ACCESS_DENIED);

	_ask(&ask, rcs);
	jobs_origin_lost(jobs, "alpha");
	assert_non_null(ask.arg);
	assert_int_equal(rcs[0], SLURM_COMMUNICATIONS_CONNECTION_ERROR);

	_ask(&ask, rcs);
	jobs_tick(jobs, now + 4);
	assert_null(ask.arg);
	jobs_tick(jobs, now + 5);
	assert_non_null(ask.arg);
	assert_int_equal(rcs[0], SLURM_PROTOCOL_SOCKET_IMPL_TIMEOUT);
	/* a late answer is to nobody */
	jobs_answered(jobs, "alpha", alpha_asked, SLURM_SUCCESS);
	assert_true(_is(FED_JOB_QUEUED));

	_ask(&ask, rcs);
	jobs_ask_end(jobs);
	assert_non_null(ask.arg);
	assert_int_equal(rcs[0], (uint32_t) SLURM_ERROR);
}

/* ---- what slurmdbd is to know ---- */

static char *rows;	/* what is in the ledger, in order */

static int _row_record(uint64_t place, uint16_t type, const void *body,
		       size_t len, void *arg, fed_err_t *err)
{
	row_t row;

	if (type != RECORD_ROW)
		return 0;
	/* behind number and time */
	assert_int_equal(row_unpack(&row, (const char *) body + 16, len - 16,
				    err), 0);
	xstrfmtcat(rows, "%s", row_kind_name(row.kind));
	if (row.script_hash)
		xstrfmtcat(rows, " s%.6s", row.script_hash);
	if (row.env_hash)
		xstrfmtcat(rows, " e%.6s", row.env_hash);
	if (row.hash)
		xstrfmtcat(rows, " %.6s %s", row.hash, row.text);
	if (row.comment)
		xstrfmtcat(rows, " %s", row.comment);
	xstrcat(rows, ";");
	row_free(&row);
	return 0;
}

static void _rows_are(const char *expected)
{
	const fed_ledger_opts_t opts = { .app = "fed_flurm" };
	fed_err_t err;

	fed_ledger_close(ledger);
	xfree(rows);
	ledger = fed_ledger_open(dir, &opts, _row_record, NULL, &err);
	if (!ledger)
		fail_msg("%s", err.text);
	assert_string_equal(rows, expected);
	xfree(rows);
}

/*
 * AccountingStoreFlags holds as it is when the job comes, and of the comment
 * when it ends; what starts names again what was said when it came.
 */
static void _stored(void **state)
{
	site.store = COMPAT_STORE_COMMENT | COMPAT_STORE_SCRIPT | COMPAT_STORE_ENV;
	_to_locking();
	/* the texts wait already */
	_alpha_submits_one(JOB_ID + 1, EVERYWHERE, NO_VAL, 0);
	_turn();
	site.store = COMPAT_STORE_SCRIPT;
	_alpha_submits_one(JOB_ID + 2, EVERYWHERE, NO_VAL, 0);
	_turn();
	site.store = COMPAT_STORE_COMMENT;
	_answer(FED_ACT_LOCK, SLURM_SUCCESS);
	UNTIL(fake_flurm_granted());
	fake_flurm_fails_to_start();
	UNTIL(said[FED_ACT_UNLOCK]);
	fake_flurm_asks();
	_answer(FED_ACT_UNLOCK, SLURM_SUCCESS);
	UNTIL(said[FED_ACT_LOCK]);
	_answer(FED_ACT_LOCK, SLURM_SUCCESS);
	UNTIL(fake_flurm_granted());
	fake_flurm_starts();
	UNTIL(said[FED_ACT_START]);
	_rows_are("waits s2:ab01 e2:cd02;has a script 2:ab01 #!/bin/sh\n;"
		  "has an environment 2:cd02 A=1\nB=2\n;"
		  "waits s2:ab01 e2:cd02;waits s2:ab01;"
		  "starts s2:ab01 e2:cd02;");
	site.store = 0;
}

#define WITH_FLURM(test) \
	cmocka_unit_test_setup_teardown(test, _with_flurm, _end_with_flurm)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FLURM(_runs),
		WITH_FLURM(_changed_before_it_starts),
		WITH_FLURM(_held),
		WITH_FLURM(_grant_that_is_late),
		WITH_FLURM(_answer_that_is_late),
		WITH_FLURM(_deny_that_is_late),
		WITH_FLURM(_cancelled_before_the_grant),
		WITH_FLURM(_start_that_fails),
		WITH_FLURM(_origin_down),
		WITH_FLURM(_sibling_refuses),
		WITH_FLURM(_lent),
		WITH_FLURM(_alpha_forgets),
		WITH_FLURM(_alpha_forgets_nothing),
		WITH_FLURM(_siblings_differ),
		WITH_FLURM(_a_yes_after_a_no),
		WITH_FLURM(_sibling_lost),
		WITH_FLURM(_origin_comes_back),
		WITH_FLURM(_a_late_yes),
		WITH_FLURM(_nobody_to_ask),
		WITH_FLURM(_only_here),
		WITH_FLURM(_origin_asked),
		WITH_FLURM(_stored),
		WITH_FLURM(_top),
		WITH_FLURM(_top_refused),
		WITH_FLURM(_top_at_flurm),
		cmocka_unit_test(_undelivered),
		cmocka_unit_test(_undelivered_but),
	};

	return cmocka_run_group_tests(tests, client_setup, client_teardown);
}
