/*
 * log_test.c - src/core/log and src/core/err.
 */
#include "testsuite/unit/unit.h"

#include <string.h>

#include "src/core/err.h"
#include "src/core/log.h"

static int lines;
static char last[4096];
static fed_log_level_t last_level;

static void _record(fed_log_level_t level, const char *text)
{
	lines++;
	last_level = level;
	strncpy(last, text, sizeof(last) - 1);
}

static void _levels(void **state)
{
	lines = 0;
	fed_log_init(_record, FED_LOG_INFO);
	fed_error("job %d", 7);
	assert_int_equal(lines, 1);
	assert_string_equal(last, "job 7");
	assert_int_equal(last_level, FED_LOG_ERROR);
	fed_debug("hidden");
	fed_verbose("hidden");
	assert_int_equal(lines, 1);
	fed_log_init(_record, FED_LOG_DEBUG);
	fed_debug("shown");
	assert_int_equal(lines, 2);
}

static void _throttle(void **state)
{
	fed_log_throttle_t throttle = { 0 };

	lines = 0;
	fed_log_init(_record, FED_LOG_INFO);
	for (int i = 0; i < 100; i++)
		fed_log_throttled(&throttle, FED_LOG_ERROR, "slurmdbd is down");
	assert_int_equal(lines, 1);
	assert_int_equal(throttle.suppressed, 99);
	assert_true(fed_log_throttled(&throttle, FED_LOG_ERROR, "no cluster"));
	assert_int_equal(lines, 2);
	assert_string_equal(last, "no cluster");

	/* the same text again, after the period */
	throttle.suppressed = 3;
	throttle.said_at -= FED_LOG_REPEAT_SECONDS;
	assert_true(fed_log_throttled(&throttle, FED_LOG_ERROR, "no cluster"));
	assert_string_equal(last, "no cluster (and 3 times before)");
}

static void _once(void **state)
{
	static fed_log_texts_t texts = FED_LOG_TEXTS_INIT;

	lines = 0;
	fed_log_init(_record, FED_LOG_INFO);
	for (int i = 0; i < 100; i++)
		fed_log_once(&texts, FED_LOG_ERROR, "uid %d refused", i % 3);
	assert_int_equal(lines, 3);
	assert_string_equal(last, "uid 2 refused");
	/* there is an end to it */
	for (int i = 0; i < 1000; i++)
		fed_log_once(&texts, FED_LOG_ERROR, "uid %d refused", i);
	assert_int_equal(lines, FED_LOG_TEXTS + 1);
	assert_string_equal(last, "uid 32 refused (and more of this kind, which is not told for a while)");
	/* each again after the period */
	for (int i = 0; i < FED_LOG_TEXTS; i++)
		texts.said[i].said_at -= FED_LOG_REPEAT_SECONDS;
	assert_true(fed_log_once(&texts, FED_LOG_ERROR, "uid 7 refused"));
	assert_false(fed_log_once(&texts, FED_LOG_ERROR, "uid 7 refused"));
	assert_string_equal(last, "uid 7 refused");
}

static void _errors(void **state)
{
	fed_err_t err;
	char big[2 * FED_ERR_TEXT_MAX];

	assert_int_equal(fed_err_set(&err, 2, "open %s", "x"), -1);
	assert_int_equal(err.code, 2);
	assert_int_equal(fed_err_prefix(&err, "cluster %s", "flurm"), -1);
	assert_string_equal(err.text, "cluster flurm: open x");
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	fed_err_set(&err, 0, "%s", big);
	assert_int_equal(strlen(err.text), FED_ERR_TEXT_MAX - 1);
	assert_int_equal(fed_err_set(NULL, 0, "nobody listens"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_levels),
		cmocka_unit_test(_throttle),
		cmocka_unit_test(_once),
		cmocka_unit_test(_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
