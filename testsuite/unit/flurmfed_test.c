/*
 * flurmfed_test.c - the flurmfed command, run as an administrator runs it, in
 * the directory where it was built.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "src/core/ledger.h"
#include "testsuite/unit/scratch.h"

static char *dir;
static char out[65536];		/* of the last run, both streams */

static int _setup(void **state)
{
	dir = scratch_make();
	return 0;
}

static int _teardown(void **state)
{
	scratch_remove(dir);
	return 0;
}

/* RET exit code */
static int _run(const char *args)
{
	char *line = NULL;
	FILE *pipe;
	size_t len;

	assert_true(asprintf(&line, "./flurmfed %s 2>&1", args) > 0);
	pipe = popen(line, "re");
	assert_non_null(pipe);
	len = fread(out, 1, sizeof(out) - 1, pipe);
	out[len] = 0;
	free(line);
	return WEXITSTATUS(pclose(pipe));
}

static int _run_on(const char *args, const char *path)
{
	char line[8192];

	snprintf(line, sizeof(line), "%s %s", args, path);
	return _run(line);
}

#define assert_out(part) \
	do { \
		if (!strstr(out, part)) \
			fail_msg("\"%s\" is not in: %s", part, out); \
	} while (0)

static void _usage(void **state)
{
	assert_int_equal(_run("--help"), 0);
	assert_out("ledger verify");
	assert_int_equal(_run("check --help"), 0);
	assert_out("ledger verify");
	assert_int_equal(_run("--version"), 0);
	assert_out(PACKAGE_VERSION);
	assert_int_equal(_run(""), 2);
	assert_int_equal(_run("--frobnicate"), 2);
	assert_out("no such option: --frobnicate");
	assert_int_equal(_run("frobnicate"), 2);
	assert_out("no such command: frobnicate");
	assert_int_equal(_run("ledger"), 2);
	assert_int_equal(_run("ledger dump"), 2);
	assert_int_equal(_run("ledger mend /tmp"), 2);
	assert_int_equal(_run("ledger verify --full /tmp"), 2);
	assert_int_equal(_run("ledger dump a b"), 2);
}

static int _tell(uint64_t place, uint16_t type, const void *body, size_t len,
		 void *arg, fed_err_t *err)
{
	return 0;
}

static void _ledger(void **state)
{
	const fed_ledger_opts_t opts = { .app = "unit" };
	fed_ledger_t *ledger;
	char path[4096], bytes[100];
	uint8_t *data;
	size_t len;

	assert_int_equal(_run("ledger verify /nonexistent"), 1);
	assert_out("/nonexistent: No such file");

	memset(bytes, 0xab, sizeof(bytes));
	ledger = fed_ledger_open(dir, &opts, _tell, NULL, NULL);
	assert_non_null(ledger);
	for (int i = 1; i <= 3; i++) {
		fed_ledger_append(ledger, 300 + i, bytes, 30 * i, NULL);
		assert_int_equal(fed_ledger_commit(ledger, NULL), 0);
	}
	/* in use, and looked at all the same */
	assert_int_equal(_run_on("ledger verify", dir), 0);
	assert_out("generation 1 of unit");
	assert_out("snapshot: 0 records; log: 3 records in 3 commits\nwell\n");
	fed_ledger_close(ledger);

	assert_int_equal(_run_on("ledger dump", dir), 0);
	assert_out("        64  snapshot-end          8  0 records\n");
	assert_out("        88  type 301             30  abababab");
	assert_out("abab... (--full for all)\n");
	assert_int_equal(_run_on("ledger dump --full", dir), 0);
	assert_null(strstr(out, "..."));

	snprintf(path, sizeof(path), "%s/ledger.1", dir);
	data = scratch_read(path, &len);
	scratch_write(path, data, len - 1);
	assert_int_equal(_run_on("ledger verify", path), 0);
	assert_out("       210  ** a record is cut off\n");
	assert_out("well up to offset 210; the 105 bytes after it");

	data[140] ^= 1;
	scratch_write(path, data, len);
	assert_int_equal(_run_on("ledger dump", path), 1);
	assert_out("       134  ** no record where one must be\n");
	assert_out("       210  type 303 ");
	assert_out("DAMAGED at offset 134");
	assert_out("truncate -s 134 ");

	data[70] ^= 1;
	scratch_write(path, data, len);
	assert_int_equal(_run_on("ledger verify", path), 1);
	assert_out("can't be mended");
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_usage),
		cmocka_unit_test_setup_teardown(_ledger, _setup, _teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
