/*
 * usage_test.c - src/sibling/usage: charges, decay, resets, and the ledger's
 * records of them.
 */
#include "testsuite/unit/slurm_unit.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "src/sibling/record.h"
#include "src/sibling/usage.h"

#define T0 1000000
#define SUM_BYTES 57		/* of one sum in a record */

static const uint32_t assocs[] = { 7, 3, 1 };

static usage_payers_t _payers(void)
{
	return (usage_payers_t) {
		.qos = 5,
		.factor = 1,
		.assoc = assocs,
		.assoc_cnt = 3,
		.tres = { [LIMIT_CPU] = 2, [LIMIT_MEM] = 100, [LIMIT_NODE] = 1,
			  [LIMIT_BILLING] = 2 },
		.by_tres = true,
	};
}

static usage_fate_t _all_decay(usage_of_t of, uint32_t id, void *arg)
{
	return USAGE_DECAYS;
}

static usage_fate_t _qos_stays(usage_of_t of, uint32_t id, void *arg)
{
	return (of == USAGE_QOS) ? USAGE_STAYS : USAGE_DECAYS;
}

static usage_fate_t _seven_goes(usage_of_t of, uint32_t id, void *arg)
{
	return (id == 7) ? USAGE_GOES : USAGE_DECAYS;
}

static double _raw(const usage_t *usage, usage_of_t of, uint32_t id)
{
	const usage_sum_t *sum = usage_find(usage, of, id);

	return sum ? sum->raw : 0;
}

#define assert_near(a, b) assert_true(fabs((a) - (b)) < 0.5)

static void _charges(void **state)
{
	const usage_conf_t conf = { .kept = true };
	usage_payers_t payers = _payers();
	usage_t *usage = usage_create();
	const usage_sum_t *sum;

	usage_charge(usage, &conf, &payers, T0, T0 + 60, NULL);
	for (int i = 0; i < 3; i++)
		assert_near(_raw(usage, USAGE_ASSOC, assocs[i]), 120);
	sum = usage_find(usage, USAGE_QOS, 5);
	assert_near(sum->raw, 120);
	assert_near(sum->wall, 60);
	assert_near(sum->tres[LIMIT_CPU], 120);
	assert_near(sum->tres[LIMIT_MEM], 6000);
	assert_near(sum->tres[LIMIT_NODE], 60);
	assert_null(usage_find(usage, USAGE_QOS, 7));
	assert_null(usage_find(usage, USAGE_ASSOC, 5));
	/* another association of the same account, with a factor, no QOS */
	payers.qos = 0;
	payers.assoc = (uint32_t [3]) { 8, 3, 1 };
	payers.factor = 0.5;
	payers.by_tres = false;
	usage_charge(usage, &conf, &payers, T0, T0 + 60, NULL);
	assert_near(_raw(usage, USAGE_ASSOC, 7), 120);
	assert_near(_raw(usage, USAGE_ASSOC, 8), 60);
	assert_near(_raw(usage, USAGE_ASSOC, 3), 180);
	assert_near(usage_find(usage, USAGE_ASSOC, 8)->tres[LIMIT_CPU], 0);
	/* it had ended 20 seconds before that time */
	usage_charge(usage, &conf, &payers, T0 + 60, T0 + 40, NULL);
	assert_near(_raw(usage, USAGE_ASSOC, 8), 40);
	assert_near(_raw(usage, USAGE_ASSOC, 3), 160);
	/* no more than there is */
	usage_charge(usage, &conf, &payers, T0 + 1000, T0, NULL);
	assert_true(_raw(usage, USAGE_ASSOC, 8) == 0);
	usage_destroy(usage);
}

static void _decays(void **state)
{
	const usage_conf_t conf = { .kept = true, .half_life = 3600 };
	usage_payers_t payers = _payers();
	usage_t *usage = usage_create();
	double before;

	usage_decay(usage, &conf, T0, _all_decay, NULL);
	assert_int_equal(usage_until(usage), T0);
	payers.keeps = true;
	usage_charge(usage, &conf, &payers, T0, T0 + 600, NULL);
	/* what is charged late has decayed by then, but not of such a QOS */
	assert_true(_raw(usage, USAGE_QOS, 5) == 1200);
	before = _raw(usage, USAGE_ASSOC, 7);
	assert_near(before, 1200 * pow(1 - 0.693 / 3600, 600));
	usage_decay(usage, &conf, T0 + 3600, _qos_stays, NULL);
	assert_near(_raw(usage, USAGE_ASSOC, 7), before / 2);
	assert_near(_raw(usage, USAGE_ASSOC, 1), before / 2);
	assert_true(_raw(usage, USAGE_QOS, 5) == 1200);
	/* a QOS or an association that is not there any more */
	usage_decay(usage, &conf, T0 + 3600, _seven_goes, NULL);
	assert_null(usage_find(usage, USAGE_ASSOC, 7));
	assert_near(_raw(usage, USAGE_ASSOC, 3), before / 2);
	usage_destroy(usage);
}

/* IN arg - parents, by id; -1: it is gone */
static bool _above(uint32_t id, uint32_t *ret_parent, void *arg)
{
	const int *parents = arg;

	if (parents[id] < 0)
		return false;
	*ret_parent = parents[id];
	return true;
}

static void _charge_user(usage_t *usage, uint32_t user, uint32_t account,
			 int64_t seconds)
{
	const usage_conf_t conf = { .kept = true };
	const uint32_t chain[] = { user, account, 1 };
	usage_payers_t payers = _payers();

	payers.assoc = chain;
	payers.tres[LIMIT_BILLING] = 1;
	usage_charge(usage, &conf, &payers, T0, T0 + seconds, NULL);
}

static void _check_all(const usage_t *usage, const double *expected)
{
	for (uint32_t id = 1; id <= 7; id++)
		if (fabs(_raw(usage, USAGE_ASSOC, id) - expected[id]) > 0.5)
			fail_msg("%u has %f", id,
				 _raw(usage, USAGE_ASSOC, id));
}

/* The root is 1; 2, 3 and 7 are accounts, 4 and 5 users of 3, and 6 is of 2. */
static void _moves(void **state)
{
	int parents[] = { 0, 0, 1, 1, 3, 3, 2, 1 };
	usage_t *usage = usage_create(), *again;
	fed_bytes_t bytes = { 0 };
	fed_err_t err;

	_charge_user(usage, 4, 3, 20);
	_charge_user(usage, 5, 3, 10);
	_charge_user(usage, 6, 2, 10);
	assert_false(usage_set_tree(usage, _above, parents));
	_check_all(usage, (double []) { 0, 40, 10, 30, 20, 10, 10, 0 });
	/* 3 below 2, of which those know who pay, but not yet who is paid */
	_charge_user(usage, 5, 3, 10);
	parents[3] = 2;
	_charge_user(usage, 5, 3, 10);
	_check_all(usage, (double []) { 0, 60, 10, 50, 20, 30, 10, 0 });
	assert_true(usage_set_tree(usage, _above, parents));
	_check_all(usage, (double []) { 0, 60, 60, 50, 20, 30, 10, 0 });
	assert_near(_raw(usage, USAGE_QOS, 5), 60);
	/* it is known after a restart, too; 4 is gone, and stays with 3 */
	usage_pack(usage, &bytes);
	again = usage_create();
	assert_int_equal(usage_replay(again, RECORD_USAGE, bytes.data,
				      bytes.len, &err), 0);
	parents[4] = -1;
	parents[3] = 7;
	assert_true(usage_set_tree(again, _above, parents));
	_check_all(again, (double []) { 0, 60, 10, 50, 20, 30, 10, 50 });
	assert_false(usage_set_tree(again, _above, parents));
	/* a circle does not last for ever */
	parents[7] = 3;
	(void) usage_set_tree(again, _above, parents);
	_charge_user(again, 5, 3, 10);
	usage_destroy(again);
	usage_destroy(usage);
	fed_bytes_free(&bytes);
}

static time_t _at(int year, int month, int day, int hour)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1,
			 .tm_mday = day, .tm_hour = hour, .tm_isdst = -1 };

	return mktime(&tm);
}

static void _resets(void **state)
{
	/* 2026-11-26 is a Thursday */
	time_t last = _at(2026, 11, 26, 9);

	assert_int_equal(usage_next_reset(PRIORITY_RESET_NONE, last, last), 0);
	assert_int_equal(usage_next_reset(PRIORITY_RESET_DAILY, last, last),
			 _at(2026, 11, 27, 0));
	assert_int_equal(usage_next_reset(PRIORITY_RESET_DAILY, last,
					  _at(2026, 11, 30, 9)),
			 _at(2026, 11, 30, 0));
	assert_int_equal(usage_next_reset(PRIORITY_RESET_WEEKLY, last, last),
			 _at(2026, 11, 29, 0));
	assert_int_equal(usage_next_reset(PRIORITY_RESET_MONTHLY, last, last),
			 _at(2026, 12, 1, 0));
	assert_int_equal(usage_next_reset(PRIORITY_RESET_QUARTERLY, last, last),
			 _at(2027, 1, 1, 0));
	assert_int_equal(usage_next_reset(PRIORITY_RESET_QUARTERLY,
					  _at(2026, 4, 30, 1), last),
			 _at(2026, 7, 1, 0));
	assert_int_equal(usage_next_reset(PRIORITY_RESET_YEARLY, last, last),
			 _at(2027, 1, 1, 0));
}

static void _is_reset(void **state)
{
	usage_conf_t conf = { .kept = true, .reset = PRIORITY_RESET_DAILY };
	usage_payers_t payers = _payers();
	usage_t *usage = usage_create();
	time_t now = _at(2026, 11, 26, 9);

	usage_decay(usage, &conf, now, _qos_stays, NULL);
	usage_charge(usage, &conf, &payers, now, now + 60, NULL);
	usage_decay(usage, &conf, _at(2026, 11, 26, 23), _qos_stays, NULL);
	assert_near(_raw(usage, USAGE_ASSOC, 7), 120);
	/* a QOS with NoDecay, too */
	usage_decay(usage, &conf, _at(2026, 11, 27, 0), _qos_stays, NULL);
	assert_null(usage_find(usage, USAGE_ASSOC, 7));
	assert_null(usage_find(usage, USAGE_QOS, 5));
	usage_charge(usage, &conf, &payers, now, now + 60, NULL);
	usage_decay(usage, &conf, _at(2026, 11, 27, 1), _qos_stays, NULL);
	assert_near(_raw(usage, USAGE_ASSOC, 7), 120);
	/* once, when the controller starts */
	conf.reset = PRIORITY_RESET_NOW;
	usage_decay(usage, &conf, _at(2026, 11, 27, 2), _qos_stays, NULL);
	assert_null(usage_find(usage, USAGE_ASSOC, 7));
	usage_charge(usage, &conf, &payers, now, now + 60, NULL);
	usage_decay(usage, &conf, _at(2026, 11, 27, 3), _qos_stays, NULL);
	assert_near(_raw(usage, USAGE_ASSOC, 7), 120);
	usage_destroy(usage);
}

static void _by_command(void **state)
{
	const usage_conf_t conf = { .kept = true };
	usage_payers_t payers = _payers();
	usage_t *usage = usage_create();

	usage_charge(usage, &conf, &payers, T0, T0 + 60, NULL);
	payers.assoc = (uint32_t [4]) { 9, 4, 3, 1 };
	payers.assoc_cnt = 4;
	usage_charge(usage, &conf, &payers, T0, T0 + 30, NULL);
	/* account 4, with its user 9 */
	usage_forget(usage, 4);
	assert_true(_raw(usage, USAGE_ASSOC, 9) == 0);
	assert_true(_raw(usage, USAGE_ASSOC, 4) == 0);
	assert_near(_raw(usage, USAGE_ASSOC, 3), 120);
	assert_near(_raw(usage, USAGE_ASSOC, 1), 120);
	assert_near(_raw(usage, USAGE_ASSOC, 7), 120);
	/* one that has used nothing, and the root */
	usage_forget(usage, 6);
	assert_near(_raw(usage, USAGE_ASSOC, 1), 120);
	usage_forget(usage, 1);
	for (uint32_t id = 1; id <= 9; id++)
		assert_true(_raw(usage, USAGE_ASSOC, id) == 0);
	usage_set_qos(usage, 5, 50);
	assert_near(_raw(usage, USAGE_QOS, 5), 50);
	assert_near(usage_find(usage, USAGE_QOS, 5)->wall, 90);
	usage_set_qos(usage, 5, 0);
	assert_near(usage_find(usage, USAGE_QOS, 5)->wall, 0);
	usage_set_qos(usage, 5, NAN);
	usage_set_qos(usage, 5, -1);
	assert_near(usage_find(usage, USAGE_QOS, 5)->raw, 0);
	usage_destroy(usage);
}

static usage_t *_replayed(const fed_bytes_t *all, const fed_bytes_t *charge)
{
	usage_t *usage = usage_create();
	fed_err_t err;

	assert_int_equal(usage_replay(usage, RECORD_USAGE, all->data, all->len,
				      &err), 0);
	assert_int_equal(usage_replay(usage, RECORD_CHARGE, charge->data,
				      charge->len, &err), 0);
	return usage;
}

/* It had the number of sums before them, and not who is above whom. */
static void _of_version_1(usage_t *usage)
{
	fed_bytes_t bytes = { 0 };
	fed_err_t err;
	double raw = 30;
	uint64_t bits;

	memcpy(&bits, &raw, sizeof(bits));
	fed_put_u16(&bytes, 1);
	fed_put_i64(&bytes, T0);
	fed_put_i64(&bytes, T0);
	fed_put_u32(&bytes, 1);
	fed_put_u8(&bytes, USAGE_ASSOC);
	fed_put_u32(&bytes, 7);
	for (int i = 0; i < 2 + LIMIT_TRES; i++)
		fed_put_u64(&bytes, bits);
	assert_int_equal(usage_replay(usage, RECORD_USAGE, bytes.data,
				      bytes.len, &err), 0);
	assert_near(_raw(usage, USAGE_ASSOC, 7), 30);
	assert_null(usage_find(usage, USAGE_QOS, 5));
	fed_bytes_free(&bytes);
}

static void _in_the_ledger(void **state)
{
	const usage_conf_t conf = { .kept = true, .half_life = 600 };
	usage_payers_t payers = _payers();
	usage_t *usage = usage_create(), *again;
	fed_bytes_t all = { 0 }, charge = { 0 };
	fed_err_t err;

	usage_charge(usage, &conf, &payers, T0, T0 + 60, NULL);
	usage_decay(usage, &conf, T0 + 60, _all_decay, NULL);
	usage_pack(usage, &all);
	payers.keeps = true;
	usage_charge(usage, &conf, &payers, T0, T0 + 90, &charge);
	again = _replayed(&all, &charge);
	assert_int_equal(usage_until(again), T0 + 60);
	for (int i = 0; i < 3; i++)
		assert_memory_equal(
			usage_find(again, USAGE_ASSOC, assocs[i]),
			usage_find(usage, USAGE_ASSOC, assocs[i]),
			sizeof(usage_sum_t));
	assert_memory_equal(usage_find(again, USAGE_QOS, 5),
			    usage_find(usage, USAGE_QOS, 5),
			    sizeof(usage_sum_t));
	/* the whole takes the place of what was before */
	assert_int_equal(usage_replay(again, RECORD_USAGE, all.data, all.len,
				      &err), 0);
	assert_true(_raw(again, USAGE_QOS, 5) < _raw(usage, USAGE_QOS, 5));
	/* what is cut short, or of another release */
	for (size_t len = 0; len < charge.len; len++)
		if ((len < 2) || ((len - 2) % SUM_BYTES))
			assert_int_equal(usage_replay(again, RECORD_CHARGE,
						      charge.data, len, &err),
					 -1);
	charge.data[0]++;
	assert_int_equal(usage_replay(again, RECORD_CHARGE, charge.data,
				      charge.len, &err), -1);
	_of_version_1(again);
	usage_destroy(again);
	usage_destroy(usage);
	fed_bytes_free(&all);
	fed_bytes_free(&charge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_charges),
		cmocka_unit_test(_decays),
		cmocka_unit_test(_moves),
		cmocka_unit_test(_resets),
		cmocka_unit_test(_is_reset),
		cmocka_unit_test(_by_command),
		cmocka_unit_test(_in_the_ledger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
