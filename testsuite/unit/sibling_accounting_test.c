/*
 * sibling_accounting_test.c - src/sibling/accounting against a fake slurmdbd:
 * order, what is refused, and what is said again.
 */
#include "testsuite/unit/fake_dbd.h"

#include <pthread.h>
#include <string.h>

#include "src/sibling/accounting.h"
#include "src/sibling/pack_dbd.h"

static char *ledger_dir;
static fake_dbd_t *dbd;
static conf_cluster_t cluster;
static site_t site;
static assoc_t *assoc;
static registrar_t *registrar;
static fed_ledger_t *ledger;
static accounting_t *accounting;
static time_t now;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static rows_result_t result;	/* under the lock */
static bool over;

static bool _put(void *arg, registrar_request_t *request)
{
	registrar_put(registrar, request);
	return true;
}

static void _over(void *arg, const rows_result_t *said)
{
	pthread_mutex_lock(&lock);
	result = *said;
	over = true;
	pthread_mutex_unlock(&lock);
}

static void _federation(void *arg, federation_t *fed)
{
	federation_unref(fed);
}

static int _replay(uint64_t place, uint16_t type, const void *body, size_t len,
		   void *arg, fed_err_t *err)
{
	return accounting_replay(accounting, place, type, body, len, err);
}

static void _open(void)
{
	const fed_ledger_opts_t opts = { .app = "accounting_test" };
	fed_err_t err;

	accounting = accounting_create(&(accounting_conf_t) {
			.cluster = "flurm", .assoc = assoc, .put = _put,
			.over = _over,
		});
	ledger = fed_ledger_open(ledger_dir, &opts, _replay, NULL, &err);
	if (!ledger)
		fail_msg("%s", err.text);
	accounting_connect(accounting, ledger);
}

static int _setup(void **state)
{
	registrar_conf_t conf = {
		.cluster = &cluster, .site = &site, .federation = _federation,
	};

	ledger_dir = scratch_make();
	dbd = fake_dbd_start(0);
	fake_dbd_set(dbd, "flurm", "", 0, 2);
	site = slurm_unit_site(slurm_unit_dir);
	site.dbd_port = fake_port(fake_dbd_peer(dbd));
	cluster = (conf_cluster_t) { .name = (char *) "flurm", .port = 6827 };
	assoc = assoc_create();
	over = false;
	now = 1000;
	_open();
	registrar = registrar_create(&conf, NULL);
	assert_non_null(registrar);
	return 0;
}

static int _teardown(void **state)
{
	registrar_destroy(registrar);
	accounting_destroy(accounting);
	fed_ledger_close(ledger);
	assoc_destroy(assoc);
	fake_dbd_stop(dbd);
	scratch_remove_tree(ledger_dir);
	return 0;
}

static void _add(row_kind_t kind, uint32_t id)
{
	row_t row = {
		.kind = kind, .id = id, .submit = 5, .uid = 1, .time = 6,
		.start = (kind == ROW_WAITS) ? 0 : 6, .batch = true,
		.nodes = (char *) "flurm1", .tres_alloc = (char *) "1=1,5=1",
		.state = JOB_COMPLETE, .by = ROW_NOBODY,
	};

	assert_true(accounting_add(accounting, &row, now));
}

static bool _is_over(void)
{
	bool is;

	pthread_mutex_lock(&lock);
	is = over;
	pthread_mutex_unlock(&lock);
	return is;
}

/* One turn of the engine's, later, in which a batch goes out and comes back */
static void _round(void)
{
	now += ACCOUNTING_REST_S;
	assert_int_equal(fed_ledger_commit(ledger, NULL), 0);
	accounting_act(accounting, now);
	wait_for(_is_over());
	over = false;
	accounting_over(accounting, &result, now);
	assert_int_equal(fed_ledger_commit(ledger, NULL), 0);
}

static int64_t _status(const char *key)
{
	json_t *status = accounting_status(accounting);
	int64_t value = json_integer_value(json_object_get(status, key));

	json_decref(status);
	return value;
}

static void _said(const char *expected)
{
	char said[1000];

	fake_dbd_rows(dbd, said, sizeof(said));
	assert_string_equal(said, expected);
}

/* A job that waits and names both, with its script and its environment */
static void _add_with_texts(uint32_t id, const char *script, const char *env)
{
	row_t row = {
		.kind = ROW_WAITS, .id = id, .submit = 5, .by = ROW_NOBODY,
		.script_hash = xstrdup_printf("h%s", script),
		.env_hash = xstrdup_printf("h%s", env),
	};

	assert_true(accounting_add(accounting, &row, now));
	for (row.kind = ROW_SCRIPT; row.kind <= ROW_ENV; row.kind++) {
		bool is_env = (row.kind == ROW_ENV);

		row.hash = is_env ? row.env_hash : row.script_hash;
		row.text = (char *) (is_env ? env : script);
		assert_true(accounting_add(accounting, &row, now));
	}
	xfree(row.script_hash);
	xfree(row.env_hash);
}

static void _said_texts(const char *expected)
{
	char said[1000];

	fake_dbd_texts(dbd, said, sizeof(said));
	assert_string_equal(said, expected);
}

/* After what names it, once for all that wait; and then they rest, too */
static void _texts(void **state)
{
	row_t end = {
		.kind = ROW_ENDS, .id = 1, .submit = 5, .by = ROW_NOBODY,
		.comment = (char *) "well", .state = JOB_REVOKED,
	};

	_add_with_texts(1, "s1", "e1");
	_add_with_texts(2, "s2", "e1");
	assert_int_equal(_status("waiting"), 5);
	assert_int_equal(fed_ledger_commit(ledger, NULL), 0);
	accounting_act(accounting, now);
	wait_ms(50);
	_said("");
	_round();
	_said_texts("start1 hs1 he1;script hs1 s1;env he1 e1;"
		    "start2 hs2 he1;script hs2 s2;");
	/* slurmdbd may have forgotten it since */
	_add_with_texts(3, "s1", "e1");
	assert_true(accounting_add(accounting, &end, now));
	_round();
	_said_texts("start1 hs1 he1;script hs1 s1;env he1 e1;"
		    "start2 hs2 he1;script hs2 s2;"
		    "start3 hs1 he1;script hs1 s1;env he1 e1;end1 well;");
	assert_int_equal(_status("waiting"), 0);
}

/* Which texts wait is known after a crash, and they are said. */
static void _texts_survive(void **state)
{
	_add_with_texts(1, "s1", "e1");
	assert_int_equal(fed_ledger_commit(ledger, NULL), 0);
	fed_ledger_close(ledger);
	accounting_destroy(accounting);
	_open();
	assert_int_equal(_status("waiting"), 3);
	_add_with_texts(2, "s1", "e2");
	assert_int_equal(_status("waiting"), 5);
	_round();
	_said_texts("start1 hs1 he1;script hs1 s1;env he1 e1;"
		    "start2 hs1 he2;env he2 e2;");
	assert_int_equal(_status("waiting"), 0);
}

/* A batch of large ones ends early, and the rest comes after. */
static void _large_texts(void **state)
{
	char *large = xmalloc((3 << 20) + 1);
	row_t row = {
		.kind = ROW_SCRIPT, .id = 1, .text = large,
	};

	memset(large, 'x', 3 << 20);
	for (int i = 0; i < 3; i++) {
		row.hash = xstrdup_printf("h%d", i);
		assert_true(accounting_add(accounting, &row, now));
		xfree(row.hash);
	}
	_round();
	assert_int_equal(_status("waiting"), 1);
	_round();
	assert_int_equal(_status("waiting"), 0);
	xfree(large);
}

/* A job with its batch step, then another that waits */
static void _in_order(void **state)
{
	_add(ROW_WAITS, 1);
	_add(ROW_STARTS, 1);
	_add(ROW_SUSPENDS, 1);
	_add(ROW_RESUMES, 1);
	_add(ROW_ENDS, 1);
	_add(ROW_WAITS, 2);
	/* a suspension goes alone */
	for (int i = 0; i < 4; i++) {
		assert_true(_status("waiting") > 0);
		_round();
	}
	_said("start1 start1 step1 suspend1 suspend1 stepend1 end1 start2 ");
	assert_int_equal(_status("waiting"), 0);
	/* nothing to do: nothing goes out */
	accounting_act(accounting, now);
	wait_ms(50);
	assert_false(_is_over());
}

/* As long as jobs only wait, they rest; all goes with the first that starts. */
static void _waits_rest(void **state)
{
	_add(ROW_WAITS, 1);
	now += 3;
	_add(ROW_WAITS, 2);
	assert_int_equal(fed_ledger_commit(ledger, NULL), 0);
	accounting_act(accounting, now);
	wait_ms(50);
	_said("");
	now += ACCOUNTING_REST_S - 3;
	accounting_act(accounting, now);
	wait_for(_is_over());
	_round();
	_said("start1 start2 ");

	_add(ROW_WAITS, 3);
	_add(ROW_STARTS, 1);
	assert_int_equal(fed_ledger_commit(ledger, NULL), 0);
	accounting_act(accounting, now);
	wait_for(_is_over());
	_round();
	_said("start1 start2 start3 start1 step1 ");
	assert_int_equal(_status("waiting"), 0);
}

/* What was answered and not written down is said again. */
static void _again_after_a_crash(void **state)
{
	_add(ROW_WAITS, 1);
	_add(ROW_ENDS, 1);
	assert_int_equal(fed_ledger_commit(ledger, NULL), 0);
	accounting_act(accounting, now);
	wait_for(_is_over());
	over = false;
	fed_ledger_close(ledger);
	accounting_destroy(accounting);
	_open();
	assert_int_equal(_status("waiting"), 2);
	assert_int_equal(_status("oldest"), 1000);
	_round();
	_said("start1 stepend1 end1 start1 stepend1 end1 ");
	assert_int_equal(_status("waiting"), 0);
}

/* The same of a suspension, which slurmdbd would reckon twice */
static void _suspends_once(void **state)
{
	_add(ROW_SUSPENDS, 1);
	assert_int_equal(fed_ledger_commit(ledger, NULL), 0);
	accounting_act(accounting, now);
	wait_for(_is_over());
	over = false;
	fed_ledger_close(ledger);
	accounting_destroy(accounting);
	_open();
	_round();
	_said("suspend1 ");
	_add(ROW_RESUMES, 1);
	fake_dbd_break(dbd, 1, 1);
	_round();
	_said("suspend1 suspend1 ");
	assert_int_equal(_status("waiting"), 0);
}

/* The connection breaks in the middle: nothing of it may be committed. */
static void _breaks(void **state)
{
	for (int i = 1; i <= 3; i++)
		_add(ROW_WAITS, i);
	fake_dbd_break(dbd, 2, 1);
	_round();
	_said("start1 start2 start1 start2 start3 ");
	assert_int_equal(_status("waiting"), 0);
}

static void _no_database(void **state)
{
	_add(ROW_WAITS, 1);
	fake_dbd_answer(dbd, 1, ESLURM_DB_CONNECTION);
	for (int i = 0; i < 20; i++) {
		_round();
		/* not at once */
		accounting_act(accounting, now);
		now += 60;
	}
	assert_int_equal(_status("waiting"), 1);
	assert_int_equal(_status("dropped"), 0);
	fake_dbd_answer(dbd, 0, 0);
	_round();
	assert_int_equal(_status("waiting"), 0);
}

/* An error without a code of its own, and then no database is there. */
static void _database_goes_away(void **state)
{
	_add(ROW_WAITS, 1);
	fake_dbd_answer(dbd, 1, SLURM_ERROR);
	fake_dbd_no_database(dbd, true);
	for (int i = 0; i < 10; i++) {
		_round();
		now += 60;
	}
	assert_int_equal(_status("waiting"), 1);
	fake_dbd_answer(dbd, 0, 0);
	fake_dbd_no_database(dbd, false);
	_round();
	assert_int_equal(_status("waiting"), 0);
	assert_int_equal(_status("dropped"), 0);
}

/* All was answered well, but its commit may have failed: see accounting.c. */
static void _database_goes_away_unnoticed(void **state)
{
	_add(ROW_WAITS, 1);
	_add(ROW_WAITS, 2);
	fake_dbd_no_database(dbd, true);
	_round();
	assert_int_equal(_status("waiting"), 2);
	fake_dbd_no_database(dbd, false);
	now += 60;
	_round();
	_said("start1 start2 start1 start2 ");
	assert_int_equal(_status("waiting"), 0);
}

/* No connection survives a row: those before it are said all the same. */
static void _breaks_for_good(void **state)
{
	for (int i = 1; i <= 3; i++)
		_add(ROW_WAITS, i);
	fake_dbd_break(dbd, 2, 3);
	_round();
	_said("start1 start2 start1 start2 start1 start2 start1 ");
	assert_int_equal(_status("waiting"), 2);
	now += 60;
	_round();
	assert_int_equal(_status("waiting"), 0);
	assert_int_equal(_status("dropped"), 0);
}

/* Refused for good: tried some times, dropped, and the others get by. */
static void _refused(void **state)
{
	int rounds = 0;

	for (int i = 1; i <= 4; i++)
		_add(ROW_WAITS, i);
	fake_dbd_answer(dbd, 2, SLURM_ERROR);
	while (_status("waiting")) {
		_round();
		now += 60;
		assert_true(++rounds < 10);
	}
	assert_int_equal(_status("dropped"), 1);
	assert_true(rounds > 3);
	_said("start1 start2 start2 start2 start2 start3 start4 ");
}

static void _packs(void **state)
{
	dbd_job_start_msg_t job = {
		.job_id = 7, .account = (char *) "a", .node_inx = (char *) "0-1",
		.nodes = (char *) "n[1-2]", .work_dir = (char *) "/x",
		.timelimit = 5, .submit_time = 9, .uid = 3,
		.script_hash = (char *) "2:aa", .env_hash = (char *) "2:bb",
	}, *got_job;
	dbd_step_start_msg_t step = {
		.step_id = { .job_id = 7, .step_id = SLURM_BATCH_SCRIPT,
			     .step_het_comp = NO_VAL },
		.node_inx = (char *) "0", .tres_alloc_str = (char *) "1=1",
	}, *got_step;
	persist_msg_t msg = { 0 };
	buf_t *buf;

	buf = pack_dbd_job_start(&job, COMPAT_VERSION_OWN);
	set_buf_offset(buf, 0);
	assert_int_equal(unpack_slurmdbd_msg(&msg, COMPAT_VERSION_OWN, buf),
			 SLURM_SUCCESS);
	assert_int_equal(msg.msg_type, DBD_JOB_START);
	assert_int_equal(remaining_buf(buf), size_buf(buf) -
			 get_buf_offset(buf));
	got_job = msg.data;
	assert_int_equal(got_job->job_id, 7);
	assert_int_equal(got_job->timelimit, 5);
	assert_int_equal(got_job->submit_time, 9);
	assert_int_equal(got_job->uid, 3);
	assert_string_equal(got_job->node_inx, "0-1");
	assert_string_equal(got_job->work_dir, "/x");
	assert_string_equal(got_job->script_hash, "2:aa");
	assert_string_equal(got_job->env_hash, "2:bb");
	slurmdbd_free_msg(&msg);
	free_buf(buf);

	buf = pack_dbd_step_start(&step, COMPAT_VERSION_OWN);
	set_buf_offset(buf, 0);
	assert_int_equal(unpack_slurmdbd_msg(&msg, COMPAT_VERSION_OWN, buf),
			 SLURM_SUCCESS);
	got_step = msg.data;
	assert_int_equal(got_step->step_id.step_id, SLURM_BATCH_SCRIPT);
	assert_string_equal(got_step->node_inx, "0");
	assert_string_equal(got_step->tres_alloc_str, "1=1");
	slurmdbd_free_msg(&msg);
	free_buf(buf);
	/* a slurmdbd is never older than we are */
	assert_null(pack_dbd_job_start(&job, COMPAT_VERSION_MIN));
}

/* Slurm's libraries once: 24.11's do not begin a second time. */
int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, _setup, _teardown)
	const struct CMUnitTest tests[] = {
		TEST(_in_order),
		TEST(_waits_rest),
		TEST(_texts),
		TEST(_texts_survive),
		TEST(_large_texts),
		TEST(_again_after_a_crash),
		TEST(_suspends_once),
		TEST(_breaks),
		TEST(_breaks_for_good),
		TEST(_no_database),
		TEST(_database_goes_away),
		TEST(_database_goes_away_unnoticed),
		TEST(_refused),
		TEST(_packs),
	};

	return cmocka_run_group_tests(tests, slurm_unit_setup,
				      slurm_unit_teardown);
}
