/*
 * jobs_usage_test.c - src/sibling/jobs_usage: whatever FLURM tells when, and
 * wherever the controller is killed, each job is charged for what it ran.
 *
 * FLURM and the origins are silent: what they would say is an event.
 */
#include "testsuite/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "src/sibling/jobs_int.h"
#include "src/sibling/peers.h"
#include "src/sibling/record.h"
#include "src/sibling/sib.h"
#include "testsuite/unit/client.h"
#include "testsuite/unit/dbd_recs.h"
#include "testsuite/unit/scratch.h"

#define PERIOD_S 60
#define JOBS 300
#define UID 1			/* daemon's: slurmdbd knows users by name */
#define QOS 5

static conf_cluster_t cluster = { .name = (char *) "flurm" };
static site_t site;
static fed_member_t members[] = {
	{ .name = (char *) "alpha", .fed_id = 1 },
	{ .name = (char *) "flurm", .fed_id = 2 },
};
static federation_t federation = {
	.name = (char *) "fed", .member_cnt = 2, .member = members,
	.self = &members[1],
};
static char *dir;
static fed_ledger_t *ledger;
static flurm_loop_t *loop;
static flurm_client_t *client;
static session_t *sessions;
static assoc_t *assoc;
static accounting_t *accounting;
static jobs_t *jobs;
static time_t now;
static uint16_t enforce;

extern bool peers_send(peers_t *peers, const char *peer, uint32_t session,
		       bool single, buf_t *buf, uint64_t token)
{
	free_buf(buf);
	return true;
}

extern peer_flags_t peers_flags(peers_t *peers, const char *peer)
{
	return (peer_flags_t) { .member = true, .synced = true };
}

extern void peers_set_synced(peers_t *peers, const char *peer, time_t listed)
{
}

/* ---- the controller's life ---- */

static int _replay(uint64_t place, uint16_t type, const void *body,
		   size_t len, void *arg, fed_err_t *err)
{
	switch (type) {
	case RECORD_ROW:
	case RECORD_ROW_DONE:
		return accounting_replay(accounting, place, type, body, len,
					 err);
	default:
		return jobs_replay(jobs, type, body, len, err);
	}
}

static void _start(void)
{
	const fed_ledger_opts_t opts = { .app = "fed_flurm" };
	jobs_conf_t conf = {
		.cluster = &cluster, .sessions = &sessions, .assoc = assoc,
		.enforce = enforce, .site = &site,
		.usage = { .kept = true, .period = PERIOD_S },
	};
	const flurm_client_conf_t client_conf = {
		.name = "flurm", .url = "http://127.0.0.1:1",
		.retry_ms = 100000, .retry_max_ms = 100000,
	};
	fed_err_t err;

	if (!(loop = flurm_loop_create(&err)) ||
	    !(client = flurm_client_create(loop, &client_conf, &err)))
		fail_msg("%s", err.text);
	conf.client = client;
	jobs = jobs_create(&cluster);
	accounting = accounting_create(
		&(accounting_conf_t) { .cluster = "flurm", .assoc = assoc });
	if (!(ledger = fed_ledger_open(dir, &opts, _replay, NULL, &err)))
		fail_msg("%s", err.text);
	accounting_connect(accounting, ledger);
	conf.accounting = accounting;
	jobs_set_federation(jobs, &federation);
	jobs_connect(jobs, &conf, ledger);
	jobs_tick(jobs, now);
}

static void _stop(void)
{
	flurm_client_destroy(client);
	flurm_loop_destroy(loop);
	jobs_destroy(jobs);
	accounting_destroy(accounting);
	fed_ledger_close(ledger);
}

static int _write_snapshot(fed_ledger_t *to, void *arg, fed_err_t *err)
{
	if (jobs_snapshot(jobs, to, err))
		return -1;
	return accounting_snapshot(accounting, to, err);
}

static void _snapshot(void)
{
	fed_err_t err;

	if (fed_ledger_snapshot(ledger, _write_snapshot, NULL, &err))
		fail_msg("%s", err.text);
	accounting_moved(accounting);
}

/* What the engine does when a turn ends */
static void _commit(void)
{
	fed_err_t err;

	jobs_flush(jobs);
	assert_int_equal(fed_ledger_commit(ledger, &err), 0);
}

static void _add_assoc(compat_list_t list, uint32_t id, uint32_t parent,
		       const char *account, const char *user, const char *mins)
{
	slurmdb_assoc_rec_t *rec = dbd_recs_assoc(list, id, account, user);

	rec->parent_id = parent;
	rec->is_def = user ? 1 : 0;
	rec->grp_tres_mins = xstrdup(mins);
	/* what it runs with unless it says so */
	rec->def_qos_id = QOS;
}

/* IN mins - GrpTRESMins of the account; count - of root, science, daemon */
static void _load_assocs(const char *mins, int count)
{
	compat_list_t users = list_create(slurmdb_destroy_user_rec);
	compat_list_t assocs = list_create(slurmdb_destroy_assoc_rec);
	compat_list_t qos = list_create(slurmdb_destroy_qos_rec);

	(void) dbd_recs_qos(qos, QOS, "normal");
	(void) dbd_recs_user(users, "daemon");
	_add_assoc(assocs, 1, 0, "root", NULL, NULL);
	_add_assoc(assocs, 2, 1, "science", NULL, mins);
	if (count > 2)
		_add_assoc(assocs, 3, 2, "science", "daemon", NULL);
	(void) assoc_load(assoc, users, assocs, qos, NULL);
	list_destroy(users);
	list_destroy(assocs);
	list_destroy(qos);
}

static int _setup(void **state)
{
	dir = scratch_make();
	enforce = 0;
	(void) session_begin(&sessions, "alpha", 1, SLURM_PROTOCOL_VERSION);
	assoc = assoc_create();
	_load_assocs(NULL, 3);
	now = time(NULL);
	return 0;
}

static int _teardown(void **state)
{
	_stop();
	assoc_destroy(assoc);
	session_clear(&sessions);
	scratch_remove_tree(dir);
	return 0;
}

/* ---- what is told ---- */

static uint32_t _id(int number)
{
	return (1 << 26) | (number + 1);
}

static fed_job_t *_job(int number)
{
	return fed_job_table_find(jobs->table, _id(number));
}

static void _submit(int number, int cpus)
{
	job_desc_msg_t *desc = xmalloc(sizeof(*desc));
	sib_msg_t msg = {
		.sib_msg_type = SIB_SUBMIT_BATCH,
		.job_id = _id(number),
		.fed_siblings = 3,
		.data = desc,
	};

	slurm_init_job_desc_msg(desc);
	desc->script = xstrdup("#!/bin/sh\n");
	desc->user_id = desc->group_id = UID;
	desc->min_cpus = cpus;
#if COMPAT_24_11
	msg.user_id = msg.group_id = UID;
#endif
	jobs_take_sib(jobs, "alpha", &msg);
	/* 22.05's own forgets one */
	xfree(desc->prefer);
	slurm_free_job_desc_msg(desc);
}

static void _tell_start(int number, time_t start)
{
	fed_job_event_t event = {
		.type = FED_EV_STARTED, .now = now, .start_time = start,
	};

	jobs_event(jobs, _job(number), &event);
}

static void _tell_end(int number, time_t end, fed_job_end_t how)
{
	fed_job_event_t event = {
		.type = FED_EV_ENDED, .now = now,
		.start_time = _job(number)->start_time, .end_time = end,
		.end = how,
	};

	jobs_event(jobs, _job(number), &event);
}

static double _raw(uint32_t id)
{
	const usage_sum_t *sum = usage_find(jobs->usage, USAGE_ASSOC, id);

	return sum ? sum->raw : 0;
}

/* ---- tests ---- */

/* A minute of what happens in between */
static void _pass(time_t seconds)
{
	now += seconds;
	jobs_tick(jobs, now);
	_commit();
}

static void _as_it_runs(void **state)
{
	enforce = ACCOUNTING_ENFORCE_LIMITS;
	_start();
	_submit(0, 2);
	_tell_start(0, now);
	_commit();
	assert_true(_raw(3) == 0);
	_pass(PERIOD_S);
	assert_true(_raw(3) == 2 * PERIOD_S);
	assert_true(_raw(1) == 2 * PERIOD_S);
	assert_true(usage_find(jobs->usage, USAGE_ASSOC, 2)->tres[LIMIT_CPU] ==
		    2 * PERIOD_S);
	_pass(10);
	assert_true(_raw(3) == 2 * PERIOD_S);
	_tell_end(0, now, FED_END_COMPLETED);
	_commit();
	assert_true(_raw(3) == 2 * (PERIOD_S + 10));
	/* it was told late, and what counts is when it was */
	_submit(1, 1);
	_tell_start(1, now - PERIOD_S);
	_commit();
	_tell_end(1, now - 20, FED_END_COMPLETED);
	_commit();
	assert_true(_raw(3) == 2 * (PERIOD_S + 10) + 40);
}

static void _not_by_tres(void **state)
{
	_start();
	_submit(0, 2);
	_tell_start(0, now);
	_commit();
	_pass(PERIOD_S);
	assert_true(_raw(3) == 2 * PERIOD_S);
	assert_true(usage_find(jobs->usage, USAGE_ASSOC, 3)->tres[LIMIT_CPU] ==
		    0);
	assert_true(usage_find(jobs->usage, USAGE_ASSOC, 3)->wall == PERIOD_S);
}

static void _gone_are_forgotten(void **state)
{
	_start();
	_submit(0, 1);
	_tell_start(0, now);
	_tell_end(0, now + 10, FED_END_COMPLETED);
	_commit();
	assert_true(_raw(3) == 10);
	assoc_destroy(assoc);
	assoc = jobs->conf.assoc = assoc_create();
	/* slurmdbd has not said yet who there is */
	_pass(PERIOD_S);
	assert_true(_raw(3) == 10);
	/* 3 is not there any more */
	_load_assocs(NULL, 2);
	_pass(PERIOD_S);
	assert_null(usage_find(jobs->usage, USAGE_ASSOC, 3));
	assert_true(_raw(1) == 10);
}

/* Of an older release: it never was charged as it ran. */
static void _of_an_old_ledger(void **state)
{
	_start();
	_submit(0, 1);
	_tell_start(0, now);
	_commit();
	((job_host_t *) _job(0)->host)->rows = JOB_ROW_OPEN;
	_pass(PERIOD_S);
	assert_true(_raw(3) == 0);
	_tell_end(0, now + 5, FED_END_COMPLETED);
	_commit();
	assert_true(_raw(3) == PERIOD_S + 5);
}

static void _by_command(void **state)
{
	_start();
	_submit(0, 1);
	_tell_start(0, now);
	_tell_end(0, now + 10, FED_END_COMPLETED);
	_commit();
	jobs_set_usage(jobs, USAGE_ASSOC, 3, 0);
	assert_true((_raw(3) == 0) && (_raw(2) == 0) && (_raw(1) == 0));
	_submit(1, 1);
	_tell_start(1, now);
	_tell_end(1, now + 20, FED_END_COMPLETED);
	_commit();
	assert_true((_raw(3) == 20) && (_raw(2) == 20) && (_raw(1) == 20));
	/* that of an account is its users' */
	jobs_set_usage(jobs, USAGE_ASSOC, 2, 0);
	assert_true((_raw(3) == 0) && (_raw(2) == 0) && (_raw(1) == 0));
	jobs_set_usage(jobs, USAGE_ASSOC, 99, 0);
	assert_true(usage_find(jobs->usage, USAGE_QOS, QOS)->raw == 30);
	jobs_set_usage(jobs, USAGE_QOS, QOS, 7);
	_commit();
	_stop();
	_start();
	assert_true(_raw(3) == 0);
	assert_true(usage_find(jobs->usage, USAGE_QOS, QOS)->raw == 7);
}

static void _check_used(const view_used_t *used, uint32_t running,
			uint32_t submitted, double raw)
{
	assert_int_equal(used->running, running);
	assert_int_equal(used->submitted, submitted);
	assert_int_equal(used->tres[LIMIT_CPU], running * 2);
	assert_int_equal(used->run_secs[LIMIT_CPU] != 0, running != 0);
	assert_true(used->sum.raw == raw);
}

/* What is shown of it */
static void _in_a_view(void **state)
{
	const view_used_t *used;
	view_t *view;

	enforce = ACCOUNTING_ENFORCE_LIMITS;
	_start();
	_submit(0, 2);
	_submit(1, 1);
	_tell_start(0, now);
	_commit();
	_pass(PERIOD_S);
	view = view_create("flurm");
	jobs_view(jobs, view);
	for (uint32_t id = 1; id <= 3; id++)
		_check_used(view_used_find(&view->used, USAGE_ASSOC, id), 1, 2,
			    2 * PERIOD_S);
	assert_null(view_used_find(&view->used, USAGE_ASSOC, QOS));
	used = view_used_find(&view->used, USAGE_QOS, QOS);
	_check_used(used, 1, 2, 2 * PERIOD_S);
	/* and of the users and accounts with it */
	used = view_used_next(&view->used, used);
	_check_used(used, 1, 2, 0);
	assert_int_equal(used->who.uid, UID);
	used = view_used_next(&view->used, used);
	_check_used(used, 1, 2, 0);
	assert_string_equal(used->who.account, "science");
	assert_null(view_used_next(&view->used, used));
	view_unref(view);
	/* who has used it is shown when it has ended, too */
	_tell_end(0, now, FED_END_COMPLETED);
	_commit();
	view = view_create("flurm");
	jobs_view(jobs, view);
	_check_used(view_used_find(&view->used, USAGE_ASSOC, 3), 0, 1,
		    2 * PERIOD_S);
	view_unref(view);
}

static void _is_ended(void **state)
{
	enforce = ACCOUNTING_ENFORCE_LIMITS;
	_load_assocs("1=2", 3);
	_start();
	for (int i = 0; i < 2; i++) {
		_submit(i, 1);
		_tell_start(i, now);
	}
	_commit();
	_pass(PERIOD_S / 2);
	assert_int_equal(_job(0)->state, FED_JOB_RUNNING);
	/* two minutes, of both */
	_pass(PERIOD_S / 2);
	assert_int_equal(_job(0)->state, FED_JOB_CANCELLING);
	assert_int_equal(_job(1)->state, FED_JOB_CANCELLING);
	_tell_end(0, now, FED_END_CANCELLED);
	assert_int_equal(_job(0)->end, FED_END_TIMEOUT);
	/* unless it was through by then */
	_tell_end(1, now, FED_END_COMPLETED);
	assert_int_equal(_job(1)->end, FED_END_COMPLETED);
}

static void _safe_ends_nothing(void **state)
{
	enforce = ACCOUNTING_ENFORCE_LIMITS | ACCOUNTING_ENFORCE_SAFE;
	_load_assocs("1=1", 3);
	_start();
	_submit(0, 1);
	_tell_start(0, now);
	_commit();
	_pass(PERIOD_S * 2);
	assert_true(_raw(2) == PERIOD_S * 2);
	assert_int_equal(_job(0)->state, FED_JOB_RUNNING);
}

typedef struct {
	int cpus;
	time_t start, end;	/* 0: not yet */
	int began_in;		/* steps; 0: not yet */
	int told_start_in;
	int told_end_in;
} fate_t;

static fate_t fates[JOBS];
static int began, step;
static unsigned int seed = 7;

static bool _one_in(int times)
{
	return !(rand_r(&seed) % times);
}

static void _something_happens(void)
{
	for (int i = 0; i < began; i++) {
		fate_t *fate = &fates[i];

		if (!fate->told_start_in && _one_in(20)) {
			fate->told_start_in = step;
			_tell_start(i, fate->start);
		}
		if (!fate->end && _one_in(40))
			fate->end = now;
		if (fate->told_start_in && fate->end && !fate->told_end_in &&
		    _one_in(20)) {
			fate->told_end_in = step;
			_tell_end(i, fate->end, FED_END_COMPLETED);
		}
	}
	if ((began < JOBS) && _one_in(2)) {
		fates[began] = (fate_t) {
			.cpus = 1 + rand_r(&seed) % 4,
			.start = now,
			.began_in = step,
		};
		_submit(began, fates[began].cpus);
		began++;
	}
}

/* Nothing of this step is durable: it is told again some time. */
static void _undo_step(void)
{
	if (began && (fates[began - 1].began_in == step))
		began--;
	for (int i = 0; i < began; i++) {
		if (fates[i].told_start_in == step)
			fates[i].told_start_in = 0;
		if (fates[i].told_end_in == step)
			fates[i].told_end_in = 0;
	}
}

static bool _is_over(void)
{
	for (int i = 0; i < began; i++)
		if (!fates[i].told_end_in)
			return false;
	return began == JOBS;
}

/*
 * Jobs start and end, FLURM tells of it up to some minutes later, and the
 * controller is killed again and again, also before what it heard is durable.
 * No usage decays, so it can be told how much there has to be.
 */
static void _dice(void **state)
{
	double expected = 0;

	_start();
	for (step = 1; !_is_over(); step++) {
		now += rand_r(&seed) % 5;
		jobs_tick(jobs, now);
		_something_happens();
		if (_one_in(20)) {
			jobs_flush(jobs);
			_stop();
			_undo_step();
			_start();
		}
		_commit();
		if (_one_in(50))
			_snapshot();
		if (_one_in(20)) {
			_stop();
			_start();
		}
	}
	for (int i = 0; i < JOBS; i++)
		expected += fates[i].cpus * (fates[i].end - fates[i].start);
	_stop();
	_start();
	for (uint32_t id = 1; id <= 3; id++)
		if (_raw(id) != expected)
			fail_msg("%f instead of %f", _raw(id), expected);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, _setup, _teardown)
	const struct CMUnitTest tests[] = {
		TEST(_as_it_runs),
		TEST(_not_by_tres),
		TEST(_gone_are_forgotten),
		TEST(_of_an_old_ledger),
		TEST(_by_command),
		TEST(_in_a_view),
		TEST(_is_ended),
		TEST(_safe_ends_nothing),
		TEST(_dice),
	};

	return cmocka_run_group_tests(tests, client_setup, client_teardown);
}
