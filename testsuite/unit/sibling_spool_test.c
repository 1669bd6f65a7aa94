/*
 * sibling_spool_test.c - src/sibling/spool, accounting_row and texts: what
 * slurmdbd is to know outlives crashes and new generations of the ledger, in
 * order.
 */
#include "testsuite/unit/slurm_unit.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "src/core/log.h"
#include "src/sibling/accounting_row.h"
#include "src/sibling/record.h"
#include "src/sibling/spool.h"
#include "src/sibling/texts.h"

static char *dir, *ledger_dir;
static fed_ledger_t *ledger;
static spool_t *spool;

static int _replay(uint64_t place, uint16_t type, const void *body, size_t len,
		   void *arg, fed_err_t *err)
{
	return spool_replay(spool, place, type, body, len, err);
}

static void _open(void)
{
	const fed_ledger_opts_t opts = { .app = "spool_test" };
	fed_err_t err;

	spool = spool_create();
	ledger = fed_ledger_open(ledger_dir, &opts, _replay, NULL, &err);
	if (!ledger)
		fail_msg("%s", err.text);
}

static void _close(void)
{
	fed_ledger_close(ledger);
	spool_destroy(spool);
}

/* kill -9: what is not committed is gone */
static void _crash(void)
{
	_close();
	_open();
}

static int _setup(void **state)
{
	dir = scratch_make();
	ledger_dir = xstrdup_printf("%s/ledger", dir);
	_open();
	return 0;
}

static int _teardown(void **state)
{
	_close();
	xfree(ledger_dir);
	scratch_remove(dir);
	return 0;
}

static void _commit(void)
{
	assert_int_equal(fed_ledger_commit(ledger, NULL), 0);
}

/* Entries are their numbers, in a hundred bytes. */
static void _add(int from, int to)
{
	for (int i = from; i <= to; i++) {
		char body[100] = "";

		snprintf(body, sizeof(body), "%d", i);
		assert_int_equal(spool_add(spool, ledger, 1000 + i, body,
					   sizeof(body), NULL), 0);
	}
}

typedef struct {
	uint64_t first, last;
	int count;
	int max;
} seen_t;

static bool _see(void *arg, uint64_t number, const void *body, size_t len)
{
	seen_t *seen = arg;
	char text[100];

	snprintf(text, sizeof(text), "%llu", (unsigned long long) number);
	assert_int_equal(len, 100);
	assert_string_equal(body, text);
	if (!seen->count++)
		seen->first = number;
	else
		assert_int_equal(number, seen->last + 1);
	seen->last = number;
	return seen->count < seen->max;
}

static seen_t _walk(int max)
{
	seen_t seen = { .max = max };

	assert_int_equal(spool_walk(spool, ledger, _see, &seen, NULL), 0);
	return seen;
}

static void _in_order(void **state)
{
	seen_t seen;

	_add(1, 10);
	_commit();
	assert_int_equal(spool_waiting(spool), 10);
	assert_int_equal(spool_oldest(spool, ledger), 1001);
	seen = _walk(4);
	assert_int_equal(seen.first, 1);
	assert_int_equal(seen.last, 4);
	spool_done(spool, ledger, 4);
	/* an older answer changes nothing */
	spool_done(spool, ledger, 2);
	seen = _walk(100);
	assert_int_equal(seen.first, 5);
	assert_int_equal(seen.last, 10);
	spool_done(spool, ledger, 10);
	assert_int_equal(spool_waiting(spool), 0);
	assert_int_equal(spool_oldest(spool, ledger), 0);
	assert_int_equal(_walk(100).count, 0);
}

static void _survives(void **state)
{
	_add(1, 10);
	_commit();
	spool_done(spool, ledger, 3);
	_commit();
	/* neither of these was durable */
	_add(11, 12);
	spool_done(spool, ledger, 7);
	_crash();
	assert_int_equal(spool_waiting(spool), 7);
	assert_int_equal(_walk(100).first, 4);
	/* numbers go on where they were */
	_add(11, 12);
	_commit();
	assert_int_equal(_walk(100).last, 12);
	spool_done(spool, ledger, 12);
	_commit();
	_crash();
	assert_int_equal(spool_waiting(spool), 0);
	_add(13, 13);
	_commit();
	assert_int_equal(_walk(100).first, 13);
}

/* A long outage: all of it comes, in order, once. */
static void _many(void **state)
{
	seen_t seen;

	_add(1, 1000);
	_commit();
	_crash();
	assert_int_equal(spool_waiting(spool), 1000);
	for (uint64_t next = 1; next <= 1000; next = seen.last + 1) {
		seen = _walk(30);
		assert_true(seen.count > 0);
		assert_int_equal(seen.first, next);
			spool_done(spool, ledger, seen.last);
		_commit();
		/* at any place */
		if (next > 400 && next < 500)
			_crash();
		/* and more comes meanwhile */
		if (next == 1) {
			_add(1001, 1001);
			_commit();
		}
	}
	assert_int_equal(spool_waiting(spool), 1001 - seen.last);
}

static int _write(fed_ledger_t *to, void *arg, fed_err_t *err)
{
	return spool_snapshot(spool, to, err);
}

static void _snapshot(void)
{
	assert_int_equal(fed_ledger_snapshot(ledger, _write, NULL, NULL), 0);
	spool_moved(spool);
}

/* A new generation has just what waits. */
static void _snapshots(void **state)
{
	struct stat before, after;
	char *path = xstrdup_printf("%s/ledger.1", ledger_dir);
	seen_t seen;

	_add(1, 1000);
	_commit();
	assert_int_equal(stat(path, &before), 0);
	spool_done(spool, ledger, 300);
	_snapshot();
	xfree(path);
	path = xstrdup_printf("%s/ledger.2", ledger_dir);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size < before.st_size * 3 / 4);
	xfree(path);
	assert_int_equal(spool_waiting(spool), 700);
	_crash();
	assert_int_equal(spool_waiting(spool), 700);
	for (uint64_t next = 301; next <= 1000; next = seen.last + 1) {
		seen = _walk(90);
		assert_int_equal(seen.first, next);
		spool_done(spool, ledger, seen.last);
		_snapshot();
	}
	_crash();
	assert_int_equal(spool_waiting(spool), 0);
}

static int _no_room(fed_ledger_t *to, void *arg, fed_err_t *err)
{
	assert_int_equal(spool_snapshot(spool, to, err), 0);
	return fed_err_set(err, ENOSPC, "no room");
}

/* One that fails leaves all where it was. */
static void _failed_snapshot(void **state)
{
	_add(1, 200);
	_commit();
	assert_int_equal(fed_ledger_snapshot(ledger, _no_room, NULL, NULL), -1);
	_add(201, 300);
	_commit();
	assert_int_equal(_walk(1000).count, 300);
	_snapshot();
	_add(301, 301);
	_commit();
	assert_int_equal(_walk(1000).count, 301);
}

static void _bad_records(void **state)
{
	fed_bytes_t bytes = { 0 };
	fed_err_t err;

	assert_int_equal(spool_replay(spool, 1, RECORD_ROW, "short", 5, &err),
			 -1);
	assert_int_equal(spool_replay(spool, 1, RECORD_ROW_DONE, "x", 1, &err),
			 -1);
	_add(1, 1);
	/* one is missing */
	fed_put_u64(&bytes, 3);
	fed_put_i64(&bytes, 0);
	assert_int_equal(spool_replay(spool, 1, RECORD_ROW, bytes.data,
				      bytes.len, &err), -1);
	assert_non_null(strstr(err.text, "missing"));
	fed_bytes_free(&bytes);
}

/* ---- rows ---- */

static void _same(const row_t *row)
{
	fed_bytes_t bytes = { 0 }, again = { 0 };
	row_t copy;

	row_pack(row, &bytes);
	assert_int_equal(row_unpack(&copy, bytes.data, bytes.len, NULL), 0);
	row_pack(&copy, &again);
	assert_int_equal(bytes.len, again.len);
	assert_memory_equal(bytes.data, again.data, bytes.len);
	row_free(&copy);
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_equal(row_unpack(&copy, bytes.data, len, NULL), -1);
	fed_bytes_free(&bytes);
	fed_bytes_free(&again);
}

static void _rows(void **state)
{
	row_t row = {
		.id = 67108865, .submit = 1700000000, .assoc_id = 3,
		.uid = 1000, .time = 1700000001, .gid = 1000, .qos_id = 1,
		.account = (char *) "physics", .name = (char *) "a b",
		.tres_req = (char *) "1=2", .req_mem = 100 | MEM_PER_CPU,
		.time_limit = INFINITE, .batch = true, .start = 1700000001,
		.nodes = (char *) "n[1-3]", .node_cnt = 3, .by = ROW_NOBODY,
		.user_us = 5, .system_us = -1, .max_rss_kb = 7,
		.state = JOB_REVOKED, .script_hash = (char *) "2:aa",
		.env_hash = (char *) "2:bb", .comment = (char *) "well",
		.hash = (char *) "2:cc", .text = (char *) "A=1\nB=2\n",
	};
	fed_bytes_t bytes = { 0 };
	row_t end;

	for (row.kind = ROW_WAITS; row.kind <= ROW_ENV; row.kind++)
		_same(&row);
	row.kind = ROW_ENDS;
	row_pack(&row, &bytes);
	assert_int_equal(row_unpack(&end, bytes.data, bytes.len, NULL), 0);
	assert_int_equal(end.submit, row.submit);
	assert_int_equal(end.state, JOB_REVOKED);
	assert_int_equal(end.system_us, -1);
	assert_string_equal(end.nodes, "n[1-3]");
	assert_string_equal(end.comment, "well");
	assert_null(end.name);
	row_free(&end);
	fed_bytes_free(&bytes);
}

/* What waits in a ledger since before there were hashes and comments */
static void _older_rows(void **state)
{
	static const struct {
		row_kind_t kind;
		int more;	/* strings, at the end */
	} kinds[] = { { ROW_WAITS, 2 }, { ROW_ENDS, 1 }, { ROW_RESUMES, 0 } };
	fed_bytes_t none = { 0 };

	fed_put_str(&none, NULL);
	for (int i = 0; i < 3; i++) {
		row_t row = {
			.kind = kinds[i].kind, .id = 7, .max_rss_kb = 9,
			.batch = true,
		}, got;
		fed_bytes_t bytes = { 0 };

		row_pack(&row, &bytes);
		((uint8_t *) bytes.data)[0] = 1;
		assert_int_equal(row_unpack(&got, bytes.data, bytes.len -
					    kinds[i].more * none.len, NULL),
				 0);
		assert_int_equal(got.id, 7);
		if (row.kind == ROW_ENDS)
			assert_int_equal(got.max_rss_kb, 9);
		row_free(&got);
		fed_bytes_free(&bytes);
	}
	fed_bytes_free(&none);
}

static void _text(row_t *row, row_kind_t kind, const char *hash,
		  const char *text)
{
	*row = (row_t) {
		.kind = kind, .hash = (char *) hash, .text = (char *) text,
	};
}

/* Each once, of its kind, until it is done with; and no more than there is
 * room for */
static void _texts(void **state)
{
	texts_t *texts = texts_create(10);
	row_t script, env, large;

	_text(&script, ROW_SCRIPT, "1:a", "four");
	_text(&env, ROW_ENV, "1:a", "three");
	_text(&large, ROW_ENV, "1:b", "12345678901");
	assert_false(texts_has(texts, &script));
	assert_false(texts_have_room(texts, &large));
	texts_add(texts, &script, 5);
	assert_true(texts_has(texts, &script));
	assert_false(texts_has(texts, &env));
	assert_true(texts_have_room(texts, &env));
	texts_add(texts, &env, 7);
	assert_false(texts_have_room(texts, &script));
	/* known by its first number, and counted once */
	texts_add(texts, &script, 9);
	texts_done(texts, 4);
	assert_true(texts_has(texts, &script));
	texts_done(texts, 6);
	assert_false(texts_has(texts, &script));
	assert_true(texts_has(texts, &env));
	assert_true(texts_have_room(texts, &script));
	texts_done(texts, 100);
	assert_false(texts_has(texts, &env));
	_text(&large, ROW_ENV, "1:b", "1234567890");
	assert_true(texts_have_room(texts, &large));
	texts_destroy(texts);
}

static int _setup_all(void **state)
{
	fed_log_init(NULL, FED_LOG_ERROR);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, _setup, _teardown)
	const struct CMUnitTest tests[] = {
		TEST(_in_order),
		TEST(_survives),
		TEST(_many),
		TEST(_snapshots),
		TEST(_failed_snapshot),
		TEST(_bad_records),
		cmocka_unit_test(_rows),
		cmocka_unit_test(_older_rows),
		cmocka_unit_test(_texts),
	};

	return cmocka_run_group_tests(tests, _setup_all, NULL);
}
