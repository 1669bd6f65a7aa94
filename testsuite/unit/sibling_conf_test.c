/*
 * sibling_conf_test.c - src/sibling/conf: what is read, what is refused, and
 * that a refusal names file and line.
 */
#include "testsuite/unit/slurm_unit.h"

#include <ctype.h>

#include "src/core/err.h"
#include "src/sibling/conf.h"

static char *dir;
static char path[4096], token[4096];
static site_t site;

static int _setup(void **state)
{
	log_options_t quiet = LOG_OPTS_INITIALIZER;

	/* Slurm's parser says what it does not like to the log, too */
	quiet.stderr_level = quiet.syslog_level = LOG_LEVEL_QUIET;
	log_init((char *) "unit", quiet, 0, NULL);
	dir = scratch_make();
	snprintf(path, sizeof(path), "%s/" CONF_FILE_NAME, dir);
	snprintf(token, sizeof(token), "%s/token", dir);
	scratch_write(token, "0123456789abcdef0123456789abcdef", 32);
	assert_int_equal(chmod(token, 0600), 0);
	site = slurm_unit_site(dir);
	return 0;
}

static int _teardown(void **state)
{
	scratch_remove(dir);
	return 0;
}

static conf_t *_read(const char *text, fed_err_t *err)
{
	scratch_write(path, text, strlen(text));
	return conf_read(NULL, &site, err);
}

static conf_t *_good(const char *text)
{
	fed_err_t err = { 0 };
	conf_t *conf = _read(text, &err);

	if (!conf)
		fail_msg("%s: refused: %s", text, err.text);
	return conf;
}

static void _defaults(void **state)
{
	conf_t *conf = _good("FlurmCluster=flurm Url=http://127.0.0.1:8081 Port=6827\n");
	const conf_cluster_t *cluster = conf_find(conf, "flurm");
	char want[4200];

	snprintf(want, sizeof(want), "%s/fed_flurm", dir);
	assert_string_equal(conf->ledger_dir, want);
	snprintf(want, sizeof(want), "%s/fed_flurm/status.sock", dir);
	assert_string_equal(conf->status_socket, want);
	assert_int_equal(conf->cluster_cnt, 1);
	assert_ptr_equal(cluster, &conf->cluster[0]);
	assert_string_equal(cluster->url, "http://127.0.0.1:8081");
	assert_int_equal(cluster->port, 6827);
	assert_null(cluster->address);
	assert_null(cluster->token_file);
	assert_null(cluster->ca_file);
	assert_null(cluster->cert_file);
	assert_null(cluster->key_file);
	assert_null(cluster->partitions);
	assert_false(cluster->allow_plain_http);
	assert_int_equal(cluster->delivery_timeout, 3600);
	assert_null(conf_find(conf, "other"));
	conf_free(conf);
}

static void _all_keys(void **state)
{
	char text[40000];
	conf_t *conf;
	const conf_cluster_t *one, *two;

	snprintf(text, sizeof(text),
		 "# a comment\n"
		 "\n"
		 "ledgerdir=/var/lib/fed  # and one behind\n"
		 "  StatusSocket=/run/fed.sock  \r\n"
		 "FlurmCluster=FLURM.a-b_1 Url=https://flurm.example.org/ Port=7000 Address=10.0.0.7 TokenFile=%s CAFile=%s CertFile=%s KeyFile=%s Partitions=a,b AllowPlainHttp=no DeliveryTimeout=90\n"
		 "flurmcluster=two url=http://gw:1/ port=7001 tokenfile=%s allowplainhttp=yes deliverytimeout=0",
		 token, token, token, token, token);
	conf = _good(text);
	assert_string_equal(conf->ledger_dir, "/var/lib/fed");
	assert_string_equal(conf->status_socket, "/run/fed.sock");
	assert_int_equal(conf->cluster_cnt, 2);
	/* sacctmgr folds names of clusters to lower case, and so do we */
	one = conf_find(conf, "flurm.a-b_1");
	assert_non_null(one);
	assert_string_equal(one->url, "https://flurm.example.org");
	assert_string_equal(one->address, "10.0.0.7");
	assert_string_equal(one->token_file, token);
	assert_string_equal(one->ca_file, token);
	assert_string_equal(one->cert_file, token);
	assert_string_equal(one->key_file, token);
	assert_string_equal(one->partitions, "a,b");
	assert_false(one->allow_plain_http);
	assert_int_equal(one->delivery_timeout, 90);
	two = conf_find(conf, "two");
	assert_string_equal(two->url, "http://gw:1");
	assert_true(two->allow_plain_http);
	assert_int_equal(two->delivery_timeout, 0);
	conf_free(conf);
}

static void _urls(void **state)
{
	static const char *const good[] = {
		"http://localhost", "HTTP://127.1.2.3:80", "http://[::1]:8081/",
		"https://127.0.0.1",
	};
	char text[1000];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text),
			 "FlurmCluster=flurm Port=7000 Url=%s\n", good[i]);
		conf_free(_good(text));
	}
}

/* One more bad line after a good one, and what is said of it. */
static void _refused(const char *line, const char *what)
{
	char text[9000], where[4200];
	fed_err_t err = { 0 };
	conf_t *conf;

	snprintf(text, sizeof(text),
		 "FlurmCluster=first Url=http://localhost:1 Port=7001\n"
		 "#\n"
		 "%s\n", line);
	if ((conf = _read(text, &err))) {
		conf_free(conf);
		fail_msg("taken: %s", line);
	}
	snprintf(where, sizeof(where), "%s:3: ", path);
	if (strncmp(err.text, where, strlen(where)))
		fail_msg("\"%s\" does not begin with %s", err.text, where);
	if (!strstr(err.text, what))
		fail_msg("\"%s\" is not in \"%s\"", what, err.text);
}

static void _bad_lines(void **state)
{
	static const struct {
		const char *line, *what;
	} cases[] = {
		{ "Frobnicate=yes", "unknown key" },
		{ "FlurmCluster=x Url=http://localhost Port=7000 Frob=1",
		  "unknown key" },
		{ "Port=7000", "unknown key" },
		{ "LedgerDir=/a Frob=1", "unknown key" },
		{ "this is not a line", "cannot read" },
		{ "FlurmCluster=x", "needs a Port" },
		{ "FlurmCluster=x Url=http://localhost", "needs a Port" },
		{ "FlurmCluster=x Port=0 Url=http://localhost",
		  "needs a Port" },
		{ "FlurmCluster=x Port=65536 Url=http://localhost",
		  "bad value" },
		{ "FlurmCluster=x Port=-1 Url=http://localhost",
		  "bad value" },
		{ "FlurmCluster=x Port=seven Url=http://localhost",
		  "bad value" },
		{ "FlurmCluster=x Port=6817 Url=http://localhost",
		  "slurmctld's own" },
		{ "FlurmCluster=x Port=7001 Url=http://localhost",
		  "FlurmCluster=first's already" },
		{ "FlurmCluster=first Port=7002 Url=http://localhost",
		  "there twice" },
		{ "FlurmCluster=FIRST Port=7002 Url=http://localhost",
		  "there twice" },
		{ "FlurmCluster=a/b Port=7002 Url=http://localhost",
		  "not a cluster name" },
		{ "FlurmCluster=a,b Port=7002 Url=http://localhost",
		  "not a cluster name" },
		{ "FlurmCluster=x Port=7000", "has no Url" },
		{ "FlurmCluster=x Port=7000 Url=localhost",
		  "not an https:// or http:// address" },
		{ "FlurmCluster=x Port=7000 Url=ftp://localhost",
		  "not an https:// or http:// address" },
		{ "FlurmCluster=x Port=7000 Url=http://",
		  "not an https:// or http:// address" },
		{ "FlurmCluster=x Port=7000 Url=http://:80",
		  "not an https:// or http:// address" },
		{ "FlurmCluster=x Port=7000 Url=http://[::1",
		  "not an https:// or http:// address" },
		{ "FlurmCluster=x Port=7000 Url=http://far.example.org",
		  "plain http to another host" },
		{ "FlurmCluster=x Port=7000 Url=http://localhost.example.org",
		  "plain http to another host" },
		{ "FlurmCluster=x Port=7000 Url=http://far AllowPlainHttp=yes",
		  "a TokenFile is needed" },
		{ "FlurmCluster=x Port=7000 Url=https://far",
		  "a TokenFile is needed" },
		{ "FlurmCluster=x Port=7000 Url=http://localhost CAFile=/nonexistent/ca",
		  "CAFile=/nonexistent/ca: No such file" },
		{ "FlurmCluster=x Port=7000 Url=http://localhost CertFile=/nonexistent/c",
		  "CertFile=/nonexistent/c: No such file" },
		{ "FlurmCluster=x Port=7000 Url=http://localhost KeyFile=/nonexistent/k",
		  "KeyFile=/nonexistent/k: No such file" },
		{ "FlurmCluster=x Port=7000 Url=http://localhost TokenFile=/nonexistent/t",
		  "TokenFile: " },
		{ "FlurmCluster=x Port=7000 Url=http://localhost AllowPlainHttp=maybe",
		  "bad value" },
		{ "FlurmCluster=", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		_refused(cases[i].line, cases[i].what);
}

static void _token_others_can_read(void **state)
{
	char line[9000];

	snprintf(line, sizeof(line),
		 "FlurmCluster=x Port=7000 Url=http://localhost TokenFile=%s",
		 token);
	assert_int_equal(chmod(token, 0640), 0);
	_refused(line, token);
	assert_int_equal(chmod(token, 0600), 0);
}

static void _repeated(void **state)
{
	fed_err_t err = { 0 };

	assert_null(_read("LedgerDir=/a\nLedgerDir=/b\n", &err));
	assert_non_null(strstr(err.text, ":2: LedgerDir is there twice"));
	assert_null(_read("StatusSocket=/a\n\nStatusSocket=/a\n", &err));
	assert_non_null(strstr(err.text, ":3: StatusSocket is there twice"));
}

static void _nothing_there(void **state)
{
	fed_err_t err = { 0 };

	assert_null(_read("", &err));
	assert_non_null(strstr(err.text, "no FlurmCluster line"));
	assert_null(_read("# nothing\nLedgerDir=/a\n", &err));
	assert_non_null(strstr(err.text, ":2: no FlurmCluster line"));
	assert_null(conf_read("/nonexistent/f.conf", &site, &err));
	assert_non_null(strstr(err.text, "/nonexistent/f.conf:0: No such"));
	assert_null(conf_read(dir, &site, &err));
}

static void _equality(void **state)
{
	static const char base[] =
		"FlurmCluster=x Port=7000 Url=http://localhost";
	static const char *const changes[] = {
		" Address=a", " AllowPlainHttp=yes", " Partitions=p",
		" DeliveryTimeout=9",
		" CAFile=/dev/null", " CertFile=/dev/null",
		" KeyFile=/dev/null",
	};
	conf_t *conf = _good(base), *other;
	conf_cluster_t *copy = conf_cluster_copy(&conf->cluster[0]);
	char text[4096];

	assert_true(conf_cluster_equal(&conf->cluster[0], copy));
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		snprintf(text, sizeof(text), "%s%s\n", base, changes[i]);
		other = _good(text);
		if (conf_cluster_equal(copy, &other->cluster[0]))
			fail_msg("equal in spite of%s", changes[i]);
		conf_free(other);
	}
	other = _good("FlurmCluster=x Port=7001 Url=http://localhost");
	assert_false(conf_cluster_equal(copy, &other->cluster[0]));
	conf_free(other);
	other = _good("FlurmCluster=x Port=7000 Url=https://localhost");
	assert_false(conf_cluster_equal(copy, &other->cluster[0]));
	conf_free(other);
	conf_free(conf);
	/* a copy has everything of its own */
	assert_string_equal(copy->name, "x");
	conf_cluster_free(copy);
	conf_cluster_free(NULL);
	conf_free(NULL);
}

/* The example, with every line that it offers, and files that are there */
static void _example(void **state)
{
	char text[16384] = "", line[4096], *key, *end;
	FILE *file = fopen(EXAMPLE, "re");
	conf_t *conf;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char *at = line + (line[0] == '#');

		/* prose has a space first */
		if (!isupper((unsigned char) *at) || !strchr(at, '='))
			continue;
		while ((key = strstr(at, "File=/etc/"))) {
			end = key + strcspn(key, " \n");
			strncat(text, at, key + 5 - at);
			strcat(text, token);
			at = end;
		}
		strcat(text, at);
	}
	fclose(file);
	conf = _good(text);
	assert_int_equal(conf->cluster_cnt, 2);
	conf_free(conf);
}

/* AccountingStoreFlags as slurm.conf has it now, also in a file of its own */
static void _followed(void **state)
{
	char conf[4096], included[4096];
	const char *text = "ClusterName=x\nNodeName=n[1-3] CPUs=2\n"
			   "include more.conf\nPartitionName=p Nodes=ALL\n";
	fed_err_t err = { 0 };

	snprintf(conf, sizeof(conf), "%s/slurm.conf", dir);
	snprintf(included, sizeof(included), "%s/more.conf", dir);
	scratch_write(conf, text, strlen(text));
	scratch_write(included, "#\n", 2);
	site.conf = conf;
	setenv("SLURM_CONF", conf, 1);	/* beside which an include is */
	assert_int_equal(site_follow(&site, &err), 0);
	assert_int_equal(site_stores(&site), 0);
	text = "AccountingStoreFlags=job_comment,JOB_ENV\n";
	scratch_write(included, text, strlen(text));
	assert_int_equal(site_follow(&site, &err), 0);
	assert_int_equal(site_stores(&site),
			 COMPAT_STORE_COMMENT | COMPAT_STORE_ENV);
	text = "accountingstoreflags=job_script\nNodeName\n";
	scratch_write(conf, text, strlen(text));
	assert_int_equal(site_follow(&site, &err), 0);
	assert_int_equal(site_stores(&site), COMPAT_STORE_SCRIPT);
	/* as it was, if there is none */
	unlink(conf);
	assert_int_equal(site_follow(&site, &err), -1);
	assert_non_null(strstr(err.text, "slurm.conf"));
	assert_int_equal(site_stores(&site), COMPAT_STORE_SCRIPT);
	site.conf = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_defaults),
		cmocka_unit_test(_all_keys),
		cmocka_unit_test(_urls),
		cmocka_unit_test(_bad_lines),
		cmocka_unit_test(_token_others_can_read),
		cmocka_unit_test(_repeated),
		cmocka_unit_test(_nothing_there),
		cmocka_unit_test(_equality),
		cmocka_unit_test(_example),
		cmocka_unit_test(_followed),
	};

	return cmocka_run_group_tests(tests, _setup, _teardown);
}
