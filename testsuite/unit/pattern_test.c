/*
 * pattern_test.c - src/gateway/pattern and src/gateway/hostlist: names.
 */
#include "testsuite/unit/unit.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "src/gateway/hostlist.h"
#include "src/gateway/pattern.h"

static const gw_pattern_vars_t vars = {
	.job_id = 67108865,
	.user = "alice",
	.job_name = "my job",
	.node = "n01",
};

static const gw_pattern_vars_t task_vars = {
	.job_id = 67108870,
	.array_job_id = 67108866,
	.array_task_id = 7,
	.user = "alice",
	.job_name = "my job",
	.node = "n01",
};

static void _expands(const gw_pattern_vars_t *with, const char *format,
		     const char *expected)
{
	char *path = NULL;

	assert_int_equal(gw_pattern_expand(format, "/home/alice", with, &path,
					   NULL), 0);
	assert_string_equal(path, expected);
	free(path);
}

static void _patterns(void **state)
{
	static const struct {
		const char *format;
		const char *expected;
	} cases[] = {
		{ "slurm-%j.out", "/home/alice/slurm-67108865.out" },
		{ "/tmp/%J", "/tmp/67108865" },
		{ "%A", "/home/alice/67108865" },
		{ "%a", "/home/alice/4294967294" },
		{ "%u/%x.%N", "/home/alice/alice/my job.n01" },
		{ "%n%t%s", "/home/alice/00batch" },
		{ "%%j", "/home/alice/%j" },
		{ "100%%", "/home/alice/100%" },
		{ "%3t", "/home/alice/000" },
		{ "%99n", "/home/alice/0000000000" },
		{ "%12j", "/home/alice/0067108865" },
		{ "%q", "/home/alice/%q" },
		{ "%5q", "/home/alice/%5q" },
		{ "end%", "/home/alice/end%" },
		{ "end%5", "/home/alice/end%5" },
		{ "../%j", "/home/alice/../67108865" },
		{ "a\\%j", "/home/alice/a%j" },
		{ "a\\\\b%j", "/home/alice/a\\b%j" },
		{ "/x\\", "/x" },
		{ "/dev/null", "/dev/null" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		_expands(&vars, cases[i].format, cases[i].expected);
}

static void _array_patterns(void **state)
{
	_expands(&task_vars, "%A_%a", "/home/alice/67108866_7");
	_expands(&task_vars, "%A_%4a.%j", "/home/alice/67108866_0007.67108870");
}

static void _work_dir_with_slash(void **state)
{
	char *path = NULL;

	assert_int_equal(gw_pattern_expand("o", "/", &vars, &path, NULL), 0);
	assert_string_equal(path, "/o");
	free(path);
}

static void _too_long(void **state)
{
	char name[PATH_MAX + 2], *path = NULL;
	fed_err_t err;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	assert_int_equal(gw_pattern_expand(name, "/", &vars, &path, &err), -1);
	assert_null(path);
	/* what is expanded counts too */
	memset(name, 'x', PATH_MAX - 5);
	memcpy(name + PATH_MAX - 5, "%j", 3);
	assert_int_equal(gw_pattern_expand(name, "/", &vars, &path, &err), -1);
}

static const char *_name(size_t index, const void *arg)
{
	return ((const char *const *) arg)[index];
}

static void _lists(const char *expected, const char *const *names)
{
	size_t count = 0;
	char *text;

	while (names[count])
		count++;
	text = gw_hostlist(_name, count, names);
	assert_string_equal(text, expected);
	free(text);
}

static void _hostlists(void **state)
{
	_lists("", (const char *const[]) { NULL });
	_lists("n1", (const char *const[]) { "n1", NULL });
	_lists("login", (const char *const[]) { "login", NULL });
	_lists("n[1-3]", (const char *const[]) { "n1", "n2", "n3", NULL });
	_lists("n[01,03-04]",
	       (const char *const[]) { "n01", "n03", "n04", NULL });
	_lists("n[8-9],n[10-11]",
	       (const char *const[]) { "n8", "n9", "n10", "n11", NULL });
	_lists("a1,b1,login,n[1-2]", (const char *const[]) {
	       "a1", "b1", "login", "n1", "n2", NULL });
	_lists("n7,n7x", (const char *const[]) { "n7", "n7x", NULL });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_patterns),
		cmocka_unit_test(_array_patterns),
		cmocka_unit_test(_work_dir_with_slash),
		cmocka_unit_test(_too_long),
		cmocka_unit_test(_hostlists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
