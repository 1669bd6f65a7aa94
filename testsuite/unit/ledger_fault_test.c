/*
 * ledger_fault_test.c - src/core/ledger when the system fails it: full disk,
 * failing calls, crashes at any step, a second opener.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "src/core/bytes.h"
#include "src/core/ledger.h"
#include "src/core/log.h"
#include "testsuite/unit/scratch.h"

static const fed_ledger_opts_t opts = { .app = "unit" };
static char *dir;

static void _silence(fed_log_level_t level, const char *text)
{
}

static int _setup(void **state)
{
	fed_log_init(_silence, FED_LOG_INFO);
	dir = scratch_make();
	return 0;
}

static int _teardown(void **state)
{
	scratch_remove(dir);
	return 0;
}

/* the owner counts up: each record must be the next number */
static int _next(uint64_t place, uint16_t type, const void *body, size_t len,
		 void *arg, fed_err_t *err)
{
	uint64_t *count = arg, number;
	fed_reader_t reader;

	fed_reader_init(&reader, body, len);
	number = fed_get_u64(&reader);
	if (number != *count)
		return fed_err_set(err, EINVAL, "%d comes after %d",
				   (int) number, (int) *count);
	++*count;
	return 0;
}

static void _append(fed_ledger_t *ledger, uint64_t number, size_t filler)
{
	fed_bytes_t bytes = { 0 };

	fed_put_u64(&bytes, number);
	memset(fed_bytes_add(&bytes, filler), 'f', filler);
	assert_int_equal(fed_ledger_append(ledger, 1, bytes.data, bytes.len,
					   NULL), 0);
	fed_bytes_free(&bytes);
}

static fed_ledger_t *_open_in(const char *where, uint64_t *count)
{
	fed_err_t err = { 0 };
	fed_ledger_t *ledger;

	*count = 0;
	ledger = fed_ledger_open(where, &opts, _next, count, &err);
	if (!ledger)
		fail_msg("%s", err.text);
	return ledger;
}

static uint64_t _count_in(const char *where)
{
	uint64_t count;

	fed_ledger_close(_open_in(where, &count));
	return count;
}

static int _write_count(fed_ledger_t *ledger, void *arg, fed_err_t *err)
{
	for (uint64_t i = 0; i < *(uint64_t *) arg; i++)
		_append(ledger, i, 20);
	return 0;
}

/*
 * A file system with room for little: fill it, be refused, make room, go on;
 * what waited is written then, what was dropped is not.
 */
static void _full(const char *where, void (*make_room)(void))
{
	fed_ledger_stats_t stats;
	fed_ledger_t *ledger;
	uint64_t count, committed = 0;
	fed_err_t err;

	ledger = _open_in(where, &count);
	for (;;) {
		_append(ledger, committed, 5000);
		if (fed_ledger_commit(ledger, &err) < 0)
			break;
		committed++;
		assert_true(committed < 1000);
	}
	assert_true(committed > 2);
	assert_true((err.code == ENOSPC) || (err.code == EFBIG));
	assert_non_null(strstr(err.text, "ledger.1: "));
	fed_ledger_stats(ledger, &stats);
	assert_int_equal(stats.state, FED_LEDGER_FULL);
	assert_int_equal(stats.pending, 1);
	assert_int_equal(fed_ledger_commit(ledger, &err), -1);
	assert_int_equal(fed_ledger_snapshot(ledger, _write_count, &committed,
					     &err), -1);
	fed_ledger_rollback(ledger);
	_append(ledger, committed, 5001);
	assert_int_equal(fed_ledger_commit(ledger, &err), -1);

	make_room();
	assert_int_equal(fed_ledger_commit(ledger, &err), 0);
	committed++;
	fed_ledger_stats(ledger, &stats);
	assert_int_equal(stats.state, FED_LEDGER_OK);
	assert_int_equal(fed_ledger_snapshot(ledger, _write_count, &committed,
					     &err), 0);
	_append(ledger, committed++, 1);
	assert_int_equal(fed_ledger_commit(ledger, &err), 0);
	fed_ledger_close(ledger);
	assert_int_equal(_count_in(where), committed);
}

static void _raise_limit(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void _full_by_limit(void **state)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 32 << 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	_full(dir, _raise_limit);
}

static void _grow_disk(void)
{
	assert_int_equal(mount("tmpfs", dir, "tmpfs", MS_REMOUNT, "size=1m"),
			 0);
}

static void _full_disk(void **state)
{
	char sub[4096];

	if (mount("tmpfs", dir, "tmpfs", 0, "size=64k") < 0)
		skip();
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	_full(sub, _grow_disk);
	umount2(dir, MNT_DETACH);
}

/*
 * One call after the other fails (or is where the process dies), for as long
 * as the scene still has calls.
 */
static int calls_left;
static bool die;

static bool _fails(void)
{
	if (calls_left-- != 0)
		return false;
	if (die)
		_exit(77);
	errno = EIO;
	return true;
}

/* half of it is written: what a crash or an error may leave */
static ssize_t _bad_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	if (calls_left == 0)
		len = pwrite(fd, data, len / 2, offset);
	return _fails() ? -1 : pwrite(fd, data, len, offset);
}

static int _bad_fdatasync(int fd)
{
	return _fails() ? -1 : fdatasync(fd);
}

static int _bad_fsync(int fd)
{
	return _fails() ? -1 : fsync(fd);
}

static int _bad_ftruncate(int fd, off_t len)
{
	return _fails() ? -1 : ftruncate(fd, len);
}

static int _bad_rename(const char *from, const char *to)
{
	return _fails() ? -1 : rename(from, to);
}

static int _bad_unlink(const char *path)
{
	return _fails() ? -1 : unlink(path);
}

static const fed_ledger_opts_t bad_opts = {
	.app = "unit",
	.io = &(const fed_ledger_io_t) {
		.pwrite = _bad_pwrite,
		.fdatasync = _bad_fdatasync,
		.fsync = _bad_fsync,
		.ftruncate = _bad_ftruncate,
		.rename = _bad_rename,
		.unlink = _bad_unlink,
	},
};

/*
 * Create or open, commit three, make a snapshot, commit two, make another,
 * commit one, and again what failed, once.
 * IN acked - told what is committed, in memory that outlives us
 */
static void _scene(uint64_t *acked)
{
	static const int steps[] = { 1, 1, 1, 0, 1, 1, 0, 1 };
	uint64_t count = 0;
	fed_ledger_t *ledger;

	ledger = fed_ledger_open(dir, &bad_opts, _next, &count, NULL);
	if (!ledger)
		return;
	assert_true(count >= *acked);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (!steps[i]) {
			fed_ledger_snapshot(ledger, _write_count, &count,
					    NULL);
			continue;
		}
		_append(ledger, count, 100);
		if ((fed_ledger_commit(ledger, NULL) < 0) &&
		    (fed_ledger_commit(ledger, NULL) < 0)) {
			fed_ledger_rollback(ledger);
			continue;
		}
		*acked = ++count;
	}
	fed_ledger_close(ledger);
}

#define SCENE_CALLS 100

static void _each_call_fails(void **state)
{
	int calls;

	die = false;
	for (calls = 0; calls < SCENE_CALLS; calls++) {
		uint64_t acked = 0;

		calls_left = calls;
		_scene(&acked);
		if (calls_left >= 0)
			break;
		assert_int_equal(_count_in(dir), acked);
		/* and again one of the next run, on what this one left */
		for (int more = 0; more < 4; more++) {
			calls_left = more;
			_scene(&acked);
			assert_int_equal(_count_in(dir), acked);
		}
		scratch_clear(dir);
	}
	assert_true((calls > 10) && (calls < SCENE_CALLS));
}

/* all fail from here on: a disk that is gone, and comes back */
static int _all_fail_fdatasync(int fd)
{
	if (calls_left-- > 0)
		return fdatasync(fd);
	errno = EIO;
	return -1;
}

static int _all_fail_ftruncate(int fd, off_t len)
{
	if (calls_left > 0)
		return ftruncate(fd, len);
	errno = EIO;
	return -1;
}

/*
 * A commit that could not be synced nor cut back, then a shorter one: the rest
 * of the first must not come back to life behind it.
 */
static void _no_revenants(void **state)
{
	fed_ledger_io_t io = *bad_opts.io;
	const fed_ledger_opts_t dead_opts = { .app = "unit", .io = &io };
	fed_ledger_stats_t stats;
	fed_ledger_t *ledger;
	uint64_t count = 0;
	fed_err_t err;

	io.pwrite = pwrite;
	io.fdatasync = _all_fail_fdatasync;
	io.ftruncate = _all_fail_ftruncate;
	io.fsync = fsync;
	io.rename = rename;
	calls_left = 100;
	ledger = fed_ledger_open(dir, &dead_opts, _next, &count, &err);
	assert_non_null(ledger);
	calls_left = 0;
	_append(ledger, 0, 0);
	_append(ledger, 1, 0);
	_append(ledger, 2, 0);
	assert_int_equal(fed_ledger_commit(ledger, &err), -1);
	fed_ledger_stats(ledger, &stats);
	assert_int_equal(stats.state, FED_LEDGER_FAILED);
	fed_ledger_rollback(ledger);
	_append(ledger, 0, 0);
	assert_int_equal(fed_ledger_commit(ledger, &err), -1);
	assert_non_null(strstr(err.text, "cut back"));
	calls_left = 100;
	assert_int_equal(fed_ledger_commit(ledger, &err), 0);
	fed_ledger_close(ledger);
	assert_int_equal(_count_in(dir), 1);
}

/* the process dies in one call after the other, also while it mends */
static void _crash_anywhere(void **state)
{
	uint64_t *acked = mmap(NULL, sizeof(*acked), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int crashes = 0;

	for (int calls = 0; calls < SCENE_CALLS; calls++) {
		int status;

		*acked = 0;
		/* twice, so that the second crash hits what the first left */
		for (int run = 0; run < 2; run++) {
			uint64_t count;
			pid_t pid = fork();

			if (!pid) {
				die = true;
				calls_left = run ? calls / 2 : calls;
				_scene(acked);
				_exit(0);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_true(WIFEXITED(status));
			crashes += WEXITSTATUS(status) == 77;
			count = _count_in(dir);
			/* what was tried may be there, once */
			assert_true((count == *acked) ||
				    (count == *acked + 1));
			*acked = count;
		}
		scratch_clear(dir);
		if (!WEXITSTATUS(status))
			break;
	}
	assert_true(crashes > 20);
	munmap(acked, sizeof(*acked));
}

/* kill -9 at any moment: all that was acknowledged is there */
static void _kill_nine(void **state)
{
	uint64_t *acked = mmap(NULL, sizeof(*acked), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	srand(20240607);
	for (int round = 0; round < 100; round++) {
		uint64_t count;
		pid_t pid = fork();
		int status;

		if (!pid) {
			fed_ledger_t *ledger = _open_in(dir, &count);

			for (;;) {
				int group = 1 + count % 5;

				for (int i = 0; i < group; i++)
					_append(ledger, count + i,
						count % 3000);
				if (fed_ledger_commit(ledger, NULL) < 0)
					_exit(1);
				count += group;
				*acked = count;
				if ((count % 50 < 5) &&
				    fed_ledger_snapshot(ledger, _write_count,
							&count, NULL))
					_exit(2);
			}
		}
		usleep(rand() % 20000);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		count = _count_in(dir);
		assert_true(count >= *acked);
		assert_true(count <= *acked + 5);
		*acked = count;
	}
	assert_true(*acked > 100);
	munmap(acked, sizeof(*acked));
}

static void _second_opener(void **state)
{
	char name[64], line[512];
	fed_ledger_t *ledger;
	uint64_t count;
	fed_err_t err;
	int ready[2], status;
	pid_t pid;

	ledger = _open_in(dir, &count);
	assert_null(fed_ledger_open(dir, &opts, _next, &count, &err));
	assert_int_equal(err.code, EBUSY);
	snprintf(name, sizeof(name), "is in use by pid %d on ", (int) getpid());
	assert_non_null(strstr(err.text, name));
	fed_ledger_close(ledger);

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		fed_ledger_t *held = _open_in(dir, &count);

		if (!held || (write(ready[1], "x", 1) != 1))
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], line, 1), 1);
	assert_null(fed_ledger_open(dir, &opts, _next, &count, &err));
	snprintf(name, sizeof(name), "is in use by pid %d on ", (int) pid);
	assert_non_null(strstr(err.text, name));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* the holder is gone, and its line in the lock file says nothing */
	assert_int_equal(_count_in(dir), 0);
	close(ready[0]);
	close(ready[1]);
}

/* what a crash during a snapshot leaves is not read and goes away */
static void _leftovers(void **state)
{
	fed_ledger_t *ledger;
	uint64_t count;
	char path[4096];

	ledger = _open_in(dir, &count);
	_append(ledger, 0, 0);
	assert_int_equal(fed_ledger_commit(ledger, NULL), 0);
	count = 1;
	assert_int_equal(fed_ledger_snapshot(ledger, _write_count, &count,
					     NULL), 0);
	fed_ledger_close(ledger);
	snprintf(path, sizeof(path), "%s/ledger.1", dir);
	scratch_write(path, "older", 5);
	snprintf(path, sizeof(path), "%s/ledger.3.tmp", dir);
	scratch_write(path, "half", 4);
	snprintf(path, sizeof(path), "%s/ledger.9x", dir);
	scratch_write(path, "not ours", 8);
	assert_int_equal(_count_in(dir), 1);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/ledger.1", dir);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof(path), "%s/ledger.3.tmp", dir);
	assert_int_equal(access(path, F_OK), -1);
}

#define LEDGER_TEST(test) \
	cmocka_unit_test_setup_teardown(test, _setup, _teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEDGER_TEST(_full_by_limit),
		LEDGER_TEST(_full_disk),
		LEDGER_TEST(_each_call_fails),
		LEDGER_TEST(_no_revenants),
		LEDGER_TEST(_crash_anywhere),
		LEDGER_TEST(_kill_nine),
		LEDGER_TEST(_second_opener),
		LEDGER_TEST(_leftovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
