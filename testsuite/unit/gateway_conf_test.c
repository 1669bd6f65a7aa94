/*
 * gateway_conf_test.c - src/gateway/conf and src/core/keyval.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <string.h>

#include "src/gateway/conf.h"
#include "src/gateway/conf_value.h"
#include "testsuite/unit/scratch.h"

static char *dir;
static char path[4096];

static int _begin(void **state)
{
	dir = scratch_make();
	snprintf(path, sizeof(path), "%s/gateway.conf", dir);
	return 0;
}

static int _end(void **state)
{
	scratch_remove(dir);
	return 0;
}

static void _write(const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

#define LEAST "token_key_file = /k\n"

/* RET the line that the error is said to be in; 0: none; -1: no error */
static int _error_line(const char *text, const char *said)
{
	gw_conf_t conf;
	fed_err_t err;
	int line = 0;

	_write(text);
	if (!gw_conf_read(path, &conf, &err)) {
		gw_conf_free(&conf);
		return -1;
	}
	assert_memory_equal(err.text, path, strlen(path));
	if (!strstr(err.text, said))
		fail_msg("\"%s\" is not in \"%s\"", said, err.text);
	if (err.text[strlen(path)] == ':')
		line = strtol(err.text + strlen(path) + 1, NULL, 10);
	return line;
}

static void _everything(void **state)
{
	gw_conf_t conf;
	fed_err_t err;

	_write("# a comment\n"
	       "\n"
	       "cluster_name=f1\t# another\n"
	       "  listen = 127.0.0.1:7000  \n"
	       "token_key_file = \"/etc/a # key\"\n"
	       "features = a,b\n"
	       "cpus=3\n"
	       "allow_root = yes\n"
	       "partition = short max_time=30 priority=5\n"
	       "partition = long default=yes max_time=7-0 state=down\n");
	if (gw_conf_read(path, &conf, &err))
		fail_msg("%s", err.text);
	assert_string_equal(conf.cluster_name, "f1");
	assert_string_equal(conf.address, "127.0.0.1");
	assert_int_equal(conf.port, 7000);
	assert_string_equal(conf.token_key_file, "/etc/a # key");
	assert_string_equal(conf.features, "a,b");
	assert_int_equal(conf.cpus, 3);
	assert_true(conf.allow_root);
	assert_int_equal(conf.partition_count, 2);
	assert_int_equal(conf.partitions[0].max_time, 1800);
	assert_int_equal(conf.partitions[0].default_time, 1800);
	assert_int_equal(conf.partitions[0].priority, 5);
	assert_true(conf.partitions[0].up);
	assert_false(conf.partitions[0].is_default);
	assert_true(conf.partitions[1].is_default);
	assert_false(conf.partitions[1].up);
	/* not said */
	assert_string_equal(conf.backend, "local");
	assert_int_equal(conf.kill_wait, 30);
	gw_conf_free(&conf);
}

static void _least(void **state)
{
	gw_conf_t conf;

	_write(LEAST);
	assert_int_equal(gw_conf_read(path, &conf, NULL), 0);
	assert_int_equal(conf.partition_count, 1);
	assert_true(conf.partitions[0].is_default);
	gw_conf_free(&conf);
}

static void _errors(void **state)
{
	static const struct {
		const char *text;
		const char *said;
		int line;
	} cases[] = {
		{ LEAST "nonsense = 1\n", "unknown key \"nonsense\"", 2 },
		{ LEAST "\n\n# x\nno equals\n", "key=value", 5 },
		{ LEAST "= 1\n", "no key", 2 },
		{ LEAST "features = \"open\n", "quotes", 2 },
		{ LEAST "features = \"a\" b\n", "quotes", 2 },
		{ LEAST "cpus = 0\n", "cpus", 2 },
		{ LEAST "cpus = 1x\n", "cpus", 2 },
		{ LEAST "cpus = -1\n", "cpus", 2 },
		{ LEAST "cpus = 99999999999999999999\n", "cpus", 2 },
		{ LEAST "cpus =\n", "cpus", 2 },
		{ LEAST "allow_root = maybe\n", "allow_root", 2 },
		{ LEAST "backend = slurm\n", "local|sim", 2 },
		{ LEAST "backend = local|sim\n", "local|sim", 2 },
		{ LEAST "cluster_name = a b\n", "cluster_name", 2 },
		{ LEAST "state_dir = var\n", "absolute", 2 },
		{ LEAST "listen = host:1\n", "listen", 2 },
		{ LEAST "listen = 127.0.0.1:65536\n", "listen", 2 },
		{ LEAST "listen = 127.0.0.1:\n", "listen", 2 },
		{ LEAST "listen = :1\n", "listen", 2 },
		{ LEAST "listen = ]:1\n", "listen", 2 },
		{ LEAST "partition =\n", "partition", 2 },
		{ LEAST "partition = a/b\n", "partition", 2 },
		{ LEAST "partition = a x=1\n", "unknown key \"x\"", 2 },
		{ LEAST "partition = a max_time=1-2-3\n", "max_time", 2 },
		{ LEAST "partition = a max_time\n", "key=value", 2 },
		{ LEAST "partition = a\npartition = a\n", "twice", 3 },
		{ LEAST "partition = a default=yes\n"
		  "partition = b default=yes\n", "default", 0 },
		{ "cpus = 1\n", "token_key_file", 0 },
		{ "insecure_no_token = yes\nlisten = 10.0.0.1:1\n",
		  "loopback", 0 },
		{ LEAST "listen = 0.0.0.0:1\n", "tls_cert_file", 0 },
		{ LEAST "listen = [::]:1\n", "tls_cert_file", 0 },
		{ LEAST "tls_cert_file = /c\n", "go together", 0 },
		{ LEAST "tls_client_ca_file = /c\n", "without", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int line = _error_line(cases[i].text, cases[i].said);

		if (line != cases[i].line)
			fail_msg("line %d: %s", line, cases[i].text);
	}
	assert_int_equal(_error_line(LEAST "listen = [::1]:1\n", ""), -1);
	assert_int_equal(_error_line(LEAST "listen = 8000\n", ""), -1);
	assert_int_equal(_error_line(LEAST "listen = 0.0.0.0:1\n"
				     "insecure_plain_http = yes\n", ""), -1);
	assert_int_equal(_error_line("insecure_no_token = yes\n", ""), -1);
}

static void _not_a_file(void **state)
{
	gw_conf_t conf;
	fed_err_t err;

	assert_int_equal(gw_conf_read("/nowhere/x.conf", &conf, &err), -1);
	assert_non_null(strstr(err.text, "/nowhere/x.conf"));
	assert_int_equal(gw_conf_read(dir, &conf, &err), -1);
}

static void _spans(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;	/* -1: not a span */
	} cases[] = {
		{ "30", 1800 }, { "1:30", 90 }, { "1:00:00", 3600 },
		{ "2-0", 172800 }, { "1-1:1", 90060 }, { "1-1:1:1", 90061 },
		{ "unlimited", GW_NO_LIMIT }, { "INFINITE", GW_NO_LIMIT },
		{ "0", 0 }, { "", -1 }, { "x", -1 }, { "1:", -1 },
		{ ":1", -1 }, { "1-", -1 }, { "-1", -1 }, { "1:2:3:4", -1 },
		{ "1-2-3", -1 }, { "1:2-3", -1 }, { "1 2", -1 },
		{ "99999999999999999999", -1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t seconds = -1;
		int rc = gw_conf_parse_span(cases[i].text, &seconds);

		if ((rc ? -1 : seconds) != cases[i].seconds)
			fail_msg("\"%s\": %lld", cases[i].text,
				 (long long) seconds);
	}
}

static void _newer(void **state)
{
	gw_conf_t now, newer;

	_write(LEAST "partition = a\nkill_wait = 1\n");
	assert_int_equal(gw_conf_read(path, &now, NULL), 0);
	_write(LEAST "partition = a state=down\nkill_wait = 2\n"
	       "log_level = debug\n");
	assert_int_equal(gw_conf_read(path, &newer, NULL), 0);
	assert_null(gw_conf_restart_key(&now, &newer));
	gw_conf_take(&now, &newer);
	gw_conf_free(&newer);
	assert_int_equal(now.kill_wait, 2);
	assert_string_equal(now.log_level, "debug");
	assert_string_equal(now.partitions[0].name, "a");
	assert_false(now.partitions[0].up);
	_write(LEAST "partition = a\ncpus = 77\n");
	assert_int_equal(gw_conf_read(path, &newer, NULL), 0);
	assert_string_equal(gw_conf_restart_key(&now, &newer), "cpus");
	gw_conf_take(&now, &newer);
	assert_int_not_equal(now.cpus, 77);
	gw_conf_free(&newer);
	_write(LEAST "partition = b\n");
	assert_int_equal(gw_conf_read(path, &newer, NULL), 0);
	assert_string_equal(gw_conf_restart_key(&now, &newer), "partition");
	gw_conf_take(&now, &newer);
	assert_string_equal(now.partitions[0].name, "a");
	gw_conf_free(&newer);
	gw_conf_free(&now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_everything),
		cmocka_unit_test(_least),
		cmocka_unit_test(_errors),
		cmocka_unit_test(_not_a_file),
		cmocka_unit_test(_spans),
		cmocka_unit_test(_newer),
	};

	return cmocka_run_group_tests(tests, _begin, _end);
}
