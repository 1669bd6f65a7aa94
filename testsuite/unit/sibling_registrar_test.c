/*
 * sibling_registrar_test.c - src/sibling/registrar and dbd against a fake
 * slurmdbd.
 */
#include "testsuite/unit/fake_dbd.h"

#include <pthread.h>

#include "src/core/log.h"
#include "src/sibling/registrar.h"

static char *dir;
static fake_dbd_t *dbd;
static conf_cluster_t cluster;
static site_t site;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static federation_t *told;	/* last, under the lock */
static int tellings;

static void _federation(void *arg, federation_t *fed)
{
	pthread_mutex_lock(&lock);
	federation_unref(told);
	told = fed;
	tellings++;
	pthread_mutex_unlock(&lock);
}

static int _tellings(void)
{
	int count;

	pthread_mutex_lock(&lock);
	count = tellings;
	pthread_mutex_unlock(&lock);
	return count;
}

static int _setup(void **state)
{
	dbd = fake_dbd_start(0);
	site = slurm_unit_site(dir);
	site.dbd_port = fake_port(fake_dbd_peer(dbd));
	cluster = (conf_cluster_t) {
		.name = (char *) "flurm", .port = 6827,
	};
	tellings = 0;
	fake_dbd_set(dbd, "alpha", "127.0.0.1", 6817, 1);
	fake_dbd_set(dbd, "flurm", "", 0, 2);
	return 0;
}

static int _teardown(void **state)
{
	if (dbd)
		fake_dbd_stop(dbd);
	dbd = NULL;
	federation_unref(told);
	told = NULL;
	return 0;
}

static registrar_t *_create(void)
{
	registrar_conf_t conf = {
		.cluster = &cluster,
		.site = &site,
		.federation = _federation,
	};
	fed_err_t err;
	registrar_t *registrar = registrar_create(&conf, &err);

	if (!registrar)
		fail_msg("%s", err.text);
	return registrar;
}

static void _destroy(registrar_t *registrar)
{
	int64_t start = now_ms();

	registrar_destroy(registrar);
	assert_true(now_ms() - start < 2000);
}

static bool _is(registrar_t *registrar, const char *key)
{
	json_t *status = registrar_status(registrar);
	bool is = json_is_true(json_object_get(status, key));

	json_decref(status);
	return is;
}

static bool _says(registrar_t *registrar, const char *part)
{
	json_t *status = registrar_status(registrar);
	bool has = strstr(json_string_value(json_object_get(status, "error")),
			  part) != NULL;

	json_decref(status);
	return has;
}

static void _registers(void **state)
{
	registrar_t *registrar = _create();
	char name[64];
	uint16_t port;
	int type;

	wait_for(_is(registrar, "registered"));
	fake_last_init(fake_dbd_peer(dbd), name, &port, &type);
	assert_string_equal(name, "flurm");
	assert_int_equal(type, PERSIST_TYPE_DBD);
	assert_int_equal(fake_dbd_registrations(dbd, &port), 1);
	assert_int_equal(port, 6827);
	wait_for(_tellings() == 1);
	pthread_mutex_lock(&lock);
	assert_string_equal(told->name, "fed");
	assert_int_equal(told->self->fed_id, 2);
	assert_int_equal(told->member_cnt, 2);
	pthread_mutex_unlock(&lock);
	assert_false(_is(registrar, "rival"));
	/* no address of its own is told */
	fake_dbd_address(dbd, name);
	assert_string_equal(name, "");
	/* slurmdbd has started anew and asks */
	registrar_again(registrar);
	wait_for(fake_dbd_registrations(dbd, NULL) == 2);
	assert_int_equal(fake_inits(fake_dbd_peer(dbd)), 1);
	_destroy(registrar);
}

static void _own_address(void **state)
{
	registrar_t *registrar;
	char host[64];

	cluster.address = (char *) "10.9.8.7";
	registrar = _create();
	wait_for(_is(registrar, "registered"));
	fake_dbd_address(dbd, host);
	assert_string_equal(host, "10.9.8.7");
	_destroy(registrar);
	/* given back, so that slurmdbd clears it when the connection closes */
	fake_dbd_address(dbd, host);
	assert_string_equal(host, "127.0.0.1");
}

static void _tells_size(void **state)
{
	registrar_t *registrar = _create();
	char nodes[200], tres[200];

	wait_for(_is(registrar, "registered"));
	registrar_set_resources(registrar, "flurm[1-4]", "1=64,2=1000");
	wait_for(fake_dbd_tres(dbd, nodes, tres) == 1);
	assert_string_equal(nodes, "flurm[1-4]");
	assert_string_equal(tres, "1=64,2=1000");
	/* and again after each registration */
	fake_hang_up(fake_dbd_peer(dbd));
	wait_for(fake_dbd_tres(dbd, nodes, tres) == 2);
	assert_string_equal(tres, "1=64,2=1000");
	_destroy(registrar);
}

static void _refused(void **state)
{
	registrar_t *registrar;

	fake_dbd_refuse(dbd, "Your user doesn't have privilege");
	registrar = _create();
	wait_for(_says(registrar, "Your user doesn't have privilege"));
	assert_false(_is(registrar, "registered"));
	assert_true(_says(registrar, "register cluster flurm"));
	/* not at once again */
	wait_ms(300);
	assert_int_equal(fake_inits(fake_dbd_peer(dbd)), 1);
	fake_dbd_refuse(dbd, NULL);
	wait_for(_is(registrar, "registered"));
	assert_true(_says(registrar, ""));
	_destroy(registrar);
}

static void _connection_refused(void **state)
{
	registrar_t *registrar;

	fake_refuse(fake_dbd_peer(dbd), "go away");
	registrar = _create();
	wait_for(_says(registrar, "go away"));
	_destroy(registrar);
}

/* It is not there at first, and then it restarts. */
static void _comes_and_goes(void **state)
{
	uint16_t port = fake_dbd_stop(dbd);
	registrar_t *registrar = _create();

	wait_for(_says(registrar, "Connection refused"));
	dbd = fake_dbd_start(port);
	fake_dbd_set(dbd, "flurm", "", 0, 2);
	wait_for(_is(registrar, "registered"));
	fake_dbd_stop(dbd);
	dbd = NULL;
	wait_for(!_is(registrar, "registered"));
	dbd = fake_dbd_start(port);
	wait_for(_is(registrar, "registered"));
	_destroy(registrar);
}

static void _backup(void **state)
{
	registrar_t *registrar;

	site.dbd_host = (char *) "127.0.0.2";
	site.dbd_backup_host = (char *) "127.0.0.1";
	registrar = _create();
	wait_for(_is(registrar, "registered"));
	_destroy(registrar);
	site.dbd_host = (char *) "";
	registrar = _create();
	wait_for(_says(registrar, "names no AccountingStorageHost"));
	_destroy(registrar);
}

/* What slurmdbd now has as our address is not ours. */
static void _check(registrar_t *registrar, const char *host, uint16_t port)
{
	fed_member_t self = {
		.name = (char *) "flurm", .host = (char *) host, .port = port,
	};
	federation_t fed = {
		.name = (char *) "fed", .member_cnt = 1, .member = &self,
		.self = &self, .refs = 1,
	};

	registrar_check(registrar, &fed);
}

static void _rival(void **state)
{
	registrar_t *registrar = _create();

	wait_for(_is(registrar, "registered"));
	_check(registrar, "127.0.0.1", 6827);
	assert_false(_is(registrar, "rival"));
	_check(registrar, "127.0.0.1", 6828);
	assert_true(_is(registrar, "rival"));
	_check(registrar, "127.0.0.1", 6827);
	assert_false(_is(registrar, "rival"));
	_check(registrar, "10.0.0.1", 6827);
	assert_true(_is(registrar, "rival"));
	/* it was cleared: registered anew */
	assert_int_equal(fake_dbd_registrations(dbd, NULL), 1);
	_check(registrar, "", 0);
	wait_for(fake_dbd_registrations(dbd, NULL) == 2);
	_destroy(registrar);
}

static int _setup_all(void **state)
{
	dir = scratch_make();
	slurm_unit_init(dir);
	fed_log_init(NULL, FED_LOG_ERROR);
	return 0;
}

static int _teardown_all(void **state)
{
	slurm_fini();
	scratch_remove(dir);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, _setup, _teardown)
	const struct CMUnitTest tests[] = {
		TEST(_registers),
		TEST(_own_address),
		TEST(_tells_size),
		TEST(_refused),
		TEST(_connection_refused),
		TEST(_comes_and_goes),
		TEST(_backup),
		TEST(_rival),
	};

	return cmocka_run_group_tests(tests, _setup_all, _teardown_all);
}
