/*
 * ledger_test.c - src/core/ledger: what is written is read, and what is not
 * well is told from what a crash left.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <errno.h>
#include <time.h>

#include "src/core/bytes.h"
#include "src/core/crc32c.h"
#include "src/core/ledger.h"
#include "src/core/ledger_format.h"
#include "src/core/log.h"
#include "testsuite/unit/scratch.h"

/* what a test's owner keeps: the numbers that it was told, in order */
#define SEEN_MAX 128

typedef struct {
	int count;
	uint64_t seen[SEEN_MAX];
	uint64_t sum;
	uint64_t place;		/* of the last record */
} _owner_t;

static const fed_ledger_opts_t opts = { .app = "unit" };
static char *dir;
static int info_lines;

static void _count_info(fed_log_level_t level, const char *text)
{
	if (level == FED_LOG_INFO)
		info_lines++;
}

static int _setup(void **state)
{
	fed_log_init(_count_info, FED_LOG_INFO);
	dir = scratch_make();
	return 0;
}

static int _teardown(void **state)
{
	scratch_remove(dir);
	return 0;
}

static int _tell(uint64_t place, uint16_t type, const void *body, size_t len,
		 void *arg, fed_err_t *err)
{
	_owner_t *owner = arg;
	fed_reader_t reader;
	uint64_t number;

	fed_reader_init(&reader, body, len);
	number = fed_get_u64(&reader);
	if (reader.bad || (type != 1 + number % 7))
		return fed_err_set(err, EINVAL, "nobody wrote this");
	for (size_t left = fed_reader_left(&reader); left; left--)
		if (fed_get_u8(&reader) != (uint8_t) number)
			return fed_err_set(err, EINVAL, "nobody wrote this");
	if (owner->count < SEEN_MAX)
		owner->seen[owner->count] = number;
	owner->count++;
	owner->sum += number;
	owner->place = place;
	return 0;
}

static void _append(fed_ledger_t *ledger, uint64_t number, size_t filler)
{
	fed_bytes_t bytes = { 0 };

	fed_put_u64(&bytes, number);
	memset(fed_bytes_add(&bytes, filler), (uint8_t) number, filler);
	assert_int_equal(fed_ledger_append(ledger, 1 + number % 7, bytes.data,
					   bytes.len, NULL), 0);
	fed_bytes_free(&bytes);
}

static fed_ledger_t *_open(_owner_t *owner)
{
	fed_err_t err = { 0 };
	fed_ledger_t *ledger;

	memset(owner, 0, sizeof(*owner));
	ledger = fed_ledger_open(dir, &opts, _tell, owner, &err);
	if (!ledger)
		fail_msg("%s", err.text);
	return ledger;
}

static void _commit(fed_ledger_t *ledger)
{
	fed_err_t err = { 0 };

	if (fed_ledger_commit(ledger, &err) < 0)
		fail_msg("%s", err.text);
}

/* the owner's state as a snapshot: what it has seen */
static int _write_state(fed_ledger_t *ledger, void *arg, fed_err_t *err)
{
	_owner_t *owner = arg;

	for (int i = 0; i < owner->count; i++)
		_append(ledger, owner->seen[i], i % 3);
	return 0;
}

static void _path(char *path, size_t size, int generation)
{
	snprintf(path, size, "%s/ledger.%d", dir, generation);
}

static void _round_trip(void **state)
{
	fed_ledger_stats_t stats;
	fed_ledger_t *ledger;
	_owner_t owner;

	ledger = _open(&owner);
	assert_int_equal(owner.count, 0);
	_commit(ledger);
	for (int i = 0; i < 10; i++) {
		_append(ledger, i, i * 100);
		if (i % 3 == 2)
			_commit(ledger);
	}
	fed_ledger_stats(ledger, &stats);
	assert_int_equal(stats.pending, 1);
	assert_int_equal(stats.commits, 3);
	assert_int_equal(stats.records, 9);
	assert_int_equal(stats.state, FED_LEDGER_OK);
	fed_ledger_close(ledger);	/* 9 was not committed */

	ledger = _open(&owner);
	assert_int_equal(owner.count, 9);
	for (int i = 0; i < 9; i++)
		assert_int_equal(owner.seen[i], i);
	_append(ledger, 42, 0);
	fed_ledger_rollback(ledger);
	_append(ledger, 9, 5);
	_commit(ledger);
	fed_ledger_close(ledger);

	ledger = _open(&owner);
	assert_int_equal(owner.count, 10);
	assert_int_equal(owner.seen[9], 9);
	fed_ledger_close(ledger);
	assert_int_equal(info_lines, 0);
}

static void _assert_at(const fed_ledger_t *ledger, uint64_t place,
		       uint64_t number, size_t filler)
{
	fed_bytes_t body = { 0 };
	fed_reader_t reader;
	fed_err_t err;
	uint16_t type;

	if (fed_ledger_fetch(ledger, place, &type, &body, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(type, 1 + number % 7);
	assert_int_equal(body.len, 8 + filler);
	fed_reader_init(&reader, body.data, body.len);
	assert_int_equal(fed_get_u64(&reader), number);
	fed_bytes_free(&body);
}

static uint64_t places[3];

static int _write_places(fed_ledger_t *ledger, void *arg, fed_err_t *err)
{
	for (int i = 0; i < 3; i++) {
		/* what was there is there until the snapshot is */
		_assert_at(ledger, places[i], i, 1000 * i);
		places[i] = fed_ledger_next_place(ledger);
		_append(ledger, i, 1000 * i);
		/* more than it keeps in memory */
		_append(ledger, 50, 1 << 20);
	}
	return 0;
}

static void _fetches(void **state)
{
	fed_bytes_t body = { 0 };
	fed_ledger_t *ledger;
	fed_err_t err;
	_owner_t owner;
	uint16_t type;

	ledger = _open(&owner);
	for (int i = 0; i < 3; i++) {
		places[i] = fed_ledger_next_place(ledger);
		assert_true(places[i]);
		_append(ledger, i, 1000 * i);
		/* the last one waits, the others are in the file */
		_assert_at(ledger, places[i], i, 1000 * i);
		if (i < 2)
			_commit(ledger);
	}
	for (int i = 0; i < 3; i++)
		_assert_at(ledger, places[i], i, 1000 * i);
	assert_int_equal(fed_ledger_snapshot(ledger, _write_places, NULL,
					     &err), 0);
	for (int i = 0; i < 3; i++)
		_assert_at(ledger, places[i], i, 1000 * i);
	_append(ledger, 7, 70);
	_commit(ledger);
	fed_ledger_close(ledger);

	ledger = _open(&owner);
	_assert_at(ledger, owner.place, 7, 70);
	/* places where no record begins, or none is any more */
	assert_int_equal(fed_ledger_fetch(ledger, places[1] + 1, &type, &body,
					  &err), -1);
	assert_non_null(strstr(err.text, "no whole record at offset"));
	assert_int_equal(fed_ledger_fetch(ledger, owner.place + 94, &type,
					  &body, &err), -1);
	places[0] = fed_ledger_next_place(ledger);
	_append(ledger, 8, 0);
	fed_ledger_rollback(ledger);
	assert_int_equal(fed_ledger_fetch(ledger, places[0], &type, &body,
					  &err), -1);
	fed_bytes_free(&body);
	fed_ledger_close(ledger);
}

static void _limits(void **state)
{
	fed_ledger_t *ledger;
	fed_err_t err;
	_owner_t owner;
	char *big = calloc(1, FED_LEDGER_BODY_MAX + 1);

	ledger = _open(&owner);
	assert_int_equal(fed_ledger_append(ledger, 0, "x", 1, &err), -1);
	assert_int_equal(fed_ledger_append(ledger, 1, big,
					   FED_LEDGER_BODY_MAX + 1, &err), -1);
	assert_int_equal(err.code, EMSGSIZE);
	_commit(ledger);
	_append(ledger, 3, FED_LEDGER_BODY_MAX - 8);
	_commit(ledger);
	_append(ledger, 4, 0);
	_commit(ledger);
	assert_true(fed_ledger_wants_snapshot(ledger));
	fed_ledger_close(ledger);
	ledger = _open(&owner);
	assert_int_equal(owner.count, 2);
	fed_ledger_close(ledger);
	free(big);
}

static void _snapshots(void **state)
{
	fed_ledger_stats_t stats;
	fed_ledger_t *ledger;
	fed_err_t err;
	_owner_t owner;
	char path[4096];

	ledger = _open(&owner);
	for (int i = 0; i < 20; i++)
		_append(ledger, i, 50);
	_commit(ledger);
	_append(ledger, 77, 0);		/* committed by the snapshot */
	owner.count = 3;
	owner.seen[0] = 5;
	owner.seen[1] = 6;
	owner.seen[2] = 77;
	assert_int_equal(fed_ledger_snapshot(ledger, _write_state, &owner,
					     &err), 0);
	fed_ledger_stats(ledger, &stats);
	assert_int_equal(stats.generation, 2);
	assert_int_equal(stats.log_bytes, 0);
	assert_int_equal(stats.pending, 0);
	_append(ledger, 8, 1);
	_commit(ledger);
	_path(path, sizeof(path), 1);
	assert_int_equal(access(path, F_OK), -1);
	fed_ledger_close(ledger);

	ledger = _open(&owner);
	assert_int_equal(owner.count, 4);
	assert_int_equal(owner.seen[0], 5);
	assert_int_equal(owner.seen[2], 77);
	assert_int_equal(owner.seen[3], 8);
	/* an empty state is a state */
	owner.count = 0;
	assert_int_equal(fed_ledger_snapshot(ledger, _write_state, &owner,
					     &err), 0);
	fed_ledger_close(ledger);
	ledger = _open(&owner);
	assert_int_equal(owner.count, 0);
	fed_ledger_close(ledger);
}

static void _wants_snapshot(void **state)
{
	fed_ledger_t *ledger;
	_owner_t owner;
	fed_err_t err;

	ledger = _open(&owner);
	for (int i = 0; i < 40; i++) {
		assert_false(fed_ledger_wants_snapshot(ledger));
		_append(ledger, i, 100 << 10);
		_commit(ledger);
	}
	_append(ledger, 40, 200 << 10);
	_commit(ledger);
	assert_true(fed_ledger_wants_snapshot(ledger));
	assert_int_equal(fed_ledger_snapshot(ledger, _write_state, &owner,
					     &err), 0);
	assert_false(fed_ledger_wants_snapshot(ledger));
	fed_ledger_close(ledger);
}

/* a ledger with a snapshot of two records and commits of 1, 3 and 2 */
#define SMALL_COMMITS 4

static uint8_t *_make_small(char *path, size_t path_size, size_t *ret_len,
			    size_t ends[SMALL_COMMITS])
{
	fed_ledger_stats_t stats;
	fed_ledger_t *ledger;
	_owner_t owner;
	int number = 10, sizes[SMALL_COMMITS] = { 0, 1, 3, 2 };

	ledger = _open(&owner);
	owner = (_owner_t) { .count = 2, .seen = { 8, 9 } };
	assert_int_equal(fed_ledger_snapshot(ledger, _write_state, &owner,
					     NULL), 0);
	for (int i = 0; i < SMALL_COMMITS; i++) {
		for (int j = 0; j < sizes[i]; j++, number++)
			_append(ledger, number, number % 5);
		_commit(ledger);
		fed_ledger_stats(ledger, &stats);
		ends[i] = stats.base_bytes + stats.log_bytes;
	}
	fed_ledger_close(ledger);
	_path(path, path_size, 2);
	return scratch_read(path, ret_len);
}

/* records that are there when the first commits (0: the snapshot) are */
static const int small_counts[SMALL_COMMITS] = { 2, 3, 6, 8 };

static void _check_small(const _owner_t *owner, int commits)
{
	assert_int_equal(owner->count, small_counts[commits]);
	for (int i = 0; i < owner->count; i++)
		assert_int_equal(owner->seen[i], 8 + i);
}

/* cut at every byte: whole commits are there, and one can go on */
static void _cut_everywhere(void **state)
{
	size_t len, ends[SMALL_COMMITS];
	char path[4096];
	uint8_t *data = _make_small(path, sizeof(path), &len, ends);

	assert_int_equal(ends[SMALL_COMMITS - 1], len);
	for (size_t cut = 0; cut <= len; cut++) {
		fed_ledger_t *ledger;
		fed_err_t err;
		_owner_t owner = { 0 };
		int commits = SMALL_COMMITS - 1;

		scratch_write(path, data, cut);
		info_lines = 0;
		if (cut < ends[0]) {
			/* a snapshot is never torn: this was done to it */
			assert_null(fed_ledger_open(dir, &opts, _tell, &owner,
						    &err));
			assert_int_equal(owner.count, 0);
			continue;
		}
		while (ends[commits] > cut)
			commits--;
		ledger = _open(&owner);
		_check_small(&owner, commits);
		assert_int_equal(info_lines, ends[commits] != cut);
		_append(ledger, 8 + owner.count, 1);
		_commit(ledger);
		fed_ledger_close(ledger);
		info_lines = 0;
		ledger = _open(&owner);
		assert_int_equal(owner.count, small_counts[commits] + 1);
		assert_int_equal(owner.seen[owner.count - 1],
				 7 + owner.count);
		fed_ledger_close(ledger);
		assert_int_equal(info_lines, 0);
	}
	free(data);
}

/*
 * Flip every bit: what is replayed was written, in order, and less than all is
 * replayed only when the last record of the last commit was hit.
 */
static void _flip_everything(void **state)
{
	size_t len, last, ends[SMALL_COMMITS];
	char path[4096];
	uint8_t *data = _make_small(path, sizeof(path), &len, ends);

	/* 15 % 5 = 0 bytes of filler after the number */
	last = len - LEDGER_HEAD_SIZE - 8;
	for (size_t bit = 0; bit < 8 * len; bit++) {
		fed_ledger_report_t report;
		fed_ledger_t *ledger;
		fed_err_t err = { 0 };
		_owner_t owner = { 0 };
		int rc;

		data[bit / 8] ^= 1 << (bit % 8);
		scratch_write(path, data, len);
		rc = fed_ledger_read(path, NULL, NULL, &report, &err);
		info_lines = 0;
		ledger = fed_ledger_open(dir, &opts, _tell, &owner, &err);
		if (bit / 8 >= last) {
			assert_non_null(ledger);
			_check_small(&owner, SMALL_COMMITS - 2);
			assert_int_equal(info_lines, 1);
			assert_int_equal(rc, 0);
			assert_true(report.torn);
		} else {
			assert_null(ledger);
			assert_int_equal(owner.count, 0);
			assert_non_null(strstr(err.text, path));
			assert_true((rc < 0) || report.damaged);
		}
		fed_ledger_close(ledger);
		data[bit / 8] ^= 1 << (bit % 8);
	}
	free(data);
}

/* bytes that never came, in the middle of the last commit and up to its end */
static void _torn_in_the_middle(void **state)
{
	size_t len, ends[SMALL_COMMITS];
	char path[4096];
	uint8_t *data = _make_small(path, sizeof(path), &len, ends);
	fed_ledger_t *ledger;
	_owner_t owner;

	for (size_t from = ends[2]; from < len; from++) {
		uint8_t *copy = malloc(len);

		memcpy(copy, data, len);
		memset(copy + from, 0, len - from);
		scratch_write(path, copy, len);
		ledger = _open(&owner);
		_check_small(&owner, 2);
		fed_ledger_close(ledger);
		free(copy);
	}
	free(data);
}

/* a body that looks like records of this very ledger is a body */
static void _record_in_a_record(void **state)
{
	fed_ledger_stats_t stats;
	fed_ledger_t *ledger;
	fed_bytes_t fake = { 0 };
	fed_err_t err;
	_owner_t owner;
	uint8_t *data;
	char path[4096];
	size_t len;

	ledger = _open(&owner);
	_append(ledger, 1, 0);
	_commit(ledger);
	_path(path, sizeof(path), 1);
	data = scratch_read(path, &len);
	fed_put_u64(&fake, 2);
	fed_ledger_stats(ledger, &stats);
	fed_put_raw(&fake, data + stats.base_bytes, len - stats.base_bytes);
	free(data);
	assert_int_equal(fed_ledger_append(ledger, 3, fake.data, fake.len,
					   &err), 0);
	_commit(ledger);
	fed_ledger_close(ledger);
	data = scratch_read(path, &len);
	data[len - fake.len - 1] ^= 1;	/* the outer head */
	scratch_write(path, data, len);
	ledger = _open(&owner);
	assert_int_equal(owner.count, 1);
	fed_ledger_close(ledger);
	fed_bytes_free(&fake);
	free(data);
}

static void _other_ledgers(void **state)
{
	const fed_ledger_opts_t other = { .app = "other" };
	ledger_header_t header = { .salt = 1, .generation = 1, .app = "unit" };
	uint8_t data[LEDGER_HEADER_SIZE];
	fed_bytes_t body = { 0 };
	fed_ledger_t *ledger;
	fed_err_t err;
	_owner_t owner;
	char path[4096];

	ledger = _open(&owner);
	fed_ledger_close(ledger);
	assert_null(fed_ledger_open(dir, &other, _tell, &owner, &err));
	assert_non_null(strstr(err.text, "is a ledger of unit, not of other"));

	/* a newer format, with a checksum that is right */
	ledger_header_pack(&header, data);
	data[9] = LEDGER_VERSION + 1;
	fed_put_u32(&body, fed_crc32c(0, data, 60));
	memcpy(data + 60, body.data, 4);
	_path(path, sizeof(path), 1);
	scratch_write(path, data, sizeof(data));
	assert_null(fed_ledger_open(dir, &opts, _tell, &owner, &err));
	assert_non_null(strstr(err.text, "newer release"));
	fed_bytes_free(&body);

	/* not a ledger, not a file, not a directory */
	memset(data, 'x', sizeof(data));
	scratch_write(path, data, sizeof(data));
	assert_null(fed_ledger_open(dir, &opts, _tell, &owner, &err));
	assert_non_null(strstr(err.text, "this is no ledger"));
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_null(fed_ledger_open(dir, &opts, _tell, &owner, &err));
	rmdir(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_null(fed_ledger_open(dir, &opts, _tell, &owner, &err));
	unlink(path);
	assert_null(fed_ledger_open("/nonexistent/ledger", &opts, _tell,
				    &owner, &err));
	assert_non_null(strstr(err.text, "/nonexistent/ledger"));
}

static void _owner_refuses(void **state)
{
	fed_ledger_t *ledger;
	fed_err_t err;
	_owner_t owner;

	ledger = _open(&owner);
	assert_int_equal(fed_ledger_append(ledger, 6, "odd", 3, &err), 0);
	_commit(ledger);
	fed_ledger_close(ledger);
	assert_null(fed_ledger_open(dir, &opts, _tell, &owner, &err));
	assert_non_null(strstr(err.text, "ledger.1: offset "));
	assert_non_null(strstr(err.text, "record of type 6: nobody wrote"));
}

typedef struct {
	int records;
	int problems;
} _walk_t;

static void _see_record(uint64_t offset, uint16_t type, const void *body,
			size_t len, void *arg)
{
	((_walk_t *) arg)->records++;
}

static void _see_problem(uint64_t offset, const char *what, void *arg)
{
	((_walk_t *) arg)->problems++;
}

/* the reader goes on beyond damage and says where it is */
static void _reading(void **state)
{
	const fed_ledger_visitor_t visitor = {
		.record = _see_record,
		.problem = _see_problem,
	};
	size_t len, ends[SMALL_COMMITS];
	char path[4096];
	uint8_t *data = _make_small(path, sizeof(path), &len, ends);
	fed_ledger_report_t report;
	_walk_t walk = { 0 };
	fed_err_t err;

	assert_int_equal(fed_ledger_read(dir, &visitor, &walk, &report, &err),
			 0);
	assert_string_equal(report.path, path);
	assert_string_equal(report.app, "unit");
	assert_int_equal(report.generation, 2);
	assert_int_equal(report.base_records, 2);
	assert_int_equal(report.base_end, ends[0]);
	assert_int_equal(report.log_records, 6);
	assert_int_equal(report.commits, 3);
	assert_int_equal(report.good_end, len);
	assert_false(report.torn || report.damaged);
	assert_int_equal(walk.records, 9);	/* the snapshot's end too */
	assert_int_equal(walk.problems, 0);

	data[ends[1] + 6] ^= 0x80;	/* head of the second commit's first */
	data[ends[2] + LEDGER_HEAD_SIZE] ^= 1;	/* body in the third */
	scratch_write(path, data, len);
	walk = (_walk_t) { 0 };
	assert_int_equal(fed_ledger_read(path, &visitor, &walk, &report, &err),
			 0);
	assert_true(report.damaged);
	assert_int_equal(report.bad_at, ends[1]);
	assert_int_equal(report.good_end, ends[1]);
	assert_int_equal(walk.records, 7);
	assert_int_equal(walk.problems, 2);
	free(data);

	assert_int_equal(fed_ledger_read("/nonexistent", NULL, NULL, &report,
					 &err), -1);
	unlink(path);
	assert_int_equal(fed_ledger_read(dir, NULL, NULL, &report, &err), -1);
	assert_non_null(strstr(err.text, "there is no ledger here"));
}

/* what the design asks for; only printed, as times depend on the machine */
static void _hundred_thousand(void **state)
{
	struct timespec begin, end;
	fed_ledger_t *ledger;
	_owner_t owner;

	ledger = _open(&owner);
	for (int i = 0; i < 100000; i++) {
		_append(ledger, i, 250);
		if (i % 500 == 499)
			_commit(ledger);
	}
	fed_ledger_close(ledger);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	ledger = _open(&owner);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_int_equal(owner.count, 100000);
	assert_true(owner.sum == 4999950000);
	fed_ledger_close(ledger);
	print_message("replay of 100,000 records: %.3f s\n",
		      end.tv_sec - begin.tv_sec +
		      (end.tv_nsec - begin.tv_nsec) / 1e9);
}

#define LEDGER_TEST(test) \
	cmocka_unit_test_setup_teardown(test, _setup, _teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEDGER_TEST(_round_trip),
		LEDGER_TEST(_fetches),
		LEDGER_TEST(_limits),
		LEDGER_TEST(_snapshots),
		LEDGER_TEST(_wants_snapshot),
		LEDGER_TEST(_cut_everywhere),
		LEDGER_TEST(_flip_everything),
		LEDGER_TEST(_torn_in_the_middle),
		LEDGER_TEST(_record_in_a_record),
		LEDGER_TEST(_other_ledgers),
		LEDGER_TEST(_owner_refuses),
		LEDGER_TEST(_reading),
		LEDGER_TEST(_hundred_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
