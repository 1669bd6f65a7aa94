/*
 * sibling_registrar_test.c - src/sibling/registrar and dbd against a fake
 * slurmdbd.
 */
#include "testsuite/unit/fake_dbd.h"

#include <errno.h>
#include <pthread.h>

#include "src/sibling/dbd.h"
#include "src/sibling/registrar.h"

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
	site = slurm_unit_site(slurm_unit_dir);
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

/* Of four nodes, the second of which is in that state */
static resources_t *_resources(const char *state, const char *reason,
			       resources_t *old, time_t now)
{
	flurm_cluster_stats_t stats;
	flurm_node_t node[4];
	char name[4][8];
	resources_t *made;
	nodes_t *nodes;

	flurm_cluster_stats_init(&stats);
	stats.cpu_count = 64;
	stats.memory_mb = 1000;
	stats.node_count = 4;
	for (int i = 0; i < 4; i++) {
		flurm_node_init(&node[i]);
		snprintf(name[i], sizeof(name[i]), "flurm%d", i + 1);
		node[i].name = name[i];
		node[i].state = (char *) ((i == 1) ? state : "idle");
		node[i].reason = (char *) ((i == 1) ? reason : NULL);
		node[i].cpus = 16;
		node[i].memory_mb = 250;
	}
	nodes = nodes_create(node, 4, NULL, 0, NULL);
	made = resources_create(nodes, &stats, old, now);
	nodes_unref(nodes);
	return made;
}

static void _tells_size(void **state)
{
	registrar_t *registrar = _create();
	resources_t *resources = _resources("idle", NULL, NULL, 50);
	char nodes[200], tres[200];

	wait_for(_is(registrar, "registered"));
	registrar_set_resources(registrar, resources);
	wait_for(fake_dbd_tres(dbd, nodes, tres) == 1);
	assert_string_equal(nodes, "flurm[1-4]");
	assert_string_equal(tres, "1=64,2=1000,4=4,5=64");
	/* and again after each registration */
	fake_hang_up(fake_dbd_peer(dbd));
	wait_for(fake_dbd_tres(dbd, nodes, tres) == 2);
	assert_string_equal(tres, "1=64,2=1000,4=4,5=64");
	_destroy(registrar);
	resources_unref(resources);
}

static bool _events(const char *expected)
{
	char said[500];

	fake_dbd_events(dbd, said, sizeof(said));
	return !strcmp(said, expected);
}

/* Who went down or came back, when, and nothing twice */
static void _tells_who_is_down(void **state)
{
	registrar_t *registrar = _create();
	resources_t *up = _resources("idle", NULL, NULL, 50);
	resources_t *down = _resources("down", "broken", up, 100);
	resources_t *same = _resources("down", "broken", down, 150);
	resources_t *drained = _resources("drain", "maintenance", down, 200);
	resources_t *back = _resources("mixed", NULL, drained, 300);
	char nodes[200], tres[200];

	wait_for(_is(registrar, "registered"));
	registrar_set_resources(registrar, up);
	wait_for(fake_dbd_tres(dbd, nodes, tres) == 1);
	assert_ptr_equal(same, down);
	registrar_set_resources(registrar, down);
	wait_for(_events("down flurm2 1=16,2=250,5=16 broken 100;"));
	/* it is asked what it knows, and knows that */
	fake_hang_up(fake_dbd_peer(dbd));
	wait_for(fake_dbd_tres(dbd, nodes, tres) == 3);
	registrar_set_resources(registrar, drained);
	wait_for(_events("down flurm2 1=16,2=250,5=16 broken 100;"
			 "down flurm2 1=16,2=250,5=16 maintenance 200;"));
	registrar_set_resources(registrar, back);
	wait_for(_events("down flurm2 1=16,2=250,5=16 broken 100;"
			 "down flurm2 1=16,2=250,5=16 maintenance 200;"
			 "up flurm2 300;"));
	_destroy(registrar);
	resources_unref(up);
	resources_unref(down);
	resources_unref(same);
	resources_unref(drained);
	resources_unref(back);
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

static int changes;	/* atomic */

static void _associations(void *arg)
{
	__atomic_add_fetch(&changes, 1, __ATOMIC_ACQ_REL);
}

static int _changes(void)
{
	return __atomic_load_n(&changes, __ATOMIC_ACQUIRE);
}

static void _tells_associations(void **state)
{
	assoc_t *assoc = assoc_create();
	registrar_conf_t conf = {
		.cluster = &cluster,
		.site = &site,
		.federation = _federation,
		.assoc = assoc,
		.associations = _associations,
	};
	assoc_found_t found;
	registrar_t *registrar;
	int asked;

	changes = 0;
	fake_dbd_assoc(dbd, "root", "physics");
	assert_non_null(registrar = registrar_create(&conf, NULL));
	wait_for(_changes() == 1);
	assert_int_equal(assoc_admin_level(assoc, 0), SLURMDB_ADMIN_OPERATOR);
	assert_int_equal(assoc_check(assoc, ACCOUNTING_ENFORCE_ASSOCS, 0, NULL,
				     NULL, NULL, &found, NULL), 0);
	assert_string_equal(found.account, "physics");
	assoc_found_free(&found);
	/* many changes make one question, and what is the same no news */
	asked = fake_dbd_assoc_asked(dbd);
	for (int i = 0; i < 20; i++)
		registrar_refresh(registrar);
	wait_for(fake_dbd_assoc_asked(dbd) > asked);
	wait_ms(100);
	assert_true(fake_dbd_assoc_asked(dbd) <= asked + 2);
	assert_int_equal(_changes(), 1);
	fake_dbd_assoc(dbd, "root", "chemistry");
	registrar_refresh(registrar);
	wait_for(_changes() == 2);
	assert_int_equal(assoc_check(assoc, ACCOUNTING_ENFORCE_ASSOCS, 0,
				     "chemistry", NULL, NULL, &found, NULL),
			 0);
	assert_int_equal(found.id, 11);
	assoc_found_free(&found);
	_destroy(registrar);
	assoc_destroy(assoc);
}

typedef struct {
	registrar_request_t base;
	int number;
	int fail;	/* so often the connection is of no use */
} asked_t;

static int order[8], order_cnt, freed;	/* under the lock */

static int _ask(registrar_request_t *request, persist_t *conn, fed_err_t *err)
{
	asked_t *asked = (asked_t *) request;
	bool known;

	if (asked->fail && asked->fail--)
		return fed_err_set(err, ECONNRESET, "broken");
	assert_int_equal(dbd_has_cluster(conn, "flurm", &known, err), 0);
	pthread_mutex_lock(&lock);
	order[order_cnt++] = asked->number;
	pthread_mutex_unlock(&lock);
	return 0;
}

static void _free(registrar_request_t *request)
{
	pthread_mutex_lock(&lock);
	freed++;
	pthread_mutex_unlock(&lock);
	free(request);
}

static void _put(registrar_t *registrar, int number, int fail)
{
	asked_t *asked = calloc(1, sizeof(*asked));

	asked->base.ask = _ask;
	asked->base.free = _free;
	asked->number = number;
	asked->fail = fail;
	registrar_put(registrar, &asked->base);
}

static bool _freed(int count)
{
	bool is;

	pthread_mutex_lock(&lock);
	is = (freed == count);
	pthread_mutex_unlock(&lock);
	return is;
}

/* Requests keep their order, over a break of the connection too. */
static void _requests(void **state)
{
	registrar_t *registrar;

	order_cnt = freed = 0;
	registrar = _create();
	_put(registrar, 1, 0);
	_put(registrar, 2, 1);
	_put(registrar, 3, 0);
	wait_for(_freed(3));
	assert_int_equal(fake_inits(fake_dbd_peer(dbd)), 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(order[i], i + 1);
	/* what is left at the end is freed, and not asked */
	fake_refuse(fake_dbd_peer(dbd), "go away");
	fake_hang_up(fake_dbd_peer(dbd));
	wait_for(!_is(registrar, "registered"));
	_put(registrar, 4, 0);
	_destroy(registrar);
	assert_true(_freed(4));
	assert_int_equal(order_cnt, 3);
}

/* What slurmdbd now has as our address is not ours. */
static void _check(registrar_t *registrar, const char *host, uint16_t port)
{
	fed_bytes_t bytes = { 0 };
	fed_member_t self = {
		.name = (char *) "flurm", .host = (char *) host, .port = port,
		.fed_id = 2, .features = (char *) "",
	};
	federation_t fed = {
		.name = (char *) "fed", .member_cnt = 1, .member = &self,
	}, *copy;

	/* one that can be kept */
	federation_pack(&fed, &bytes);
	copy = federation_unpack(bytes.data, bytes.len, "flurm", NULL);
	assert_non_null(copy);
	registrar_check(registrar, copy);
	federation_unref(copy);
	fed_bytes_free(&bytes);
}

/* It may have been told another address of ours, or moved itself. */
static void _announces(void **state)
{
	registrar_t *registrar = _create();
	/* a registration is told by slurmdbd itself, or is not */
	int touches = compat_registration_is_pushed() ? 0 : 1;

	wait_for(_is(registrar, "registered"));
	wait_for(_tellings() == 1);
	assert_int_equal(fake_dbd_touches(dbd), touches);
	registrar_announce(registrar);
	wait_for(fake_dbd_touches(dbd) == touches + 1);
	wait_for(_tellings() == 2);
	/* all is as known: nobody is bothered */
	registrar_look(registrar);
	wait_for(_tellings() == 3);
	assert_int_equal(fake_dbd_touches(dbd), touches + 1);
	/* not again within a second, whoever asks */
	registrar_look(registrar);
	wait_ms(100);
	assert_int_equal(_tellings(), 3);
	/* slurmdbd of 22.05 told nobody that it came back elsewhere */
	fake_dbd_set(dbd, "alpha", "127.0.0.9", 6817, 1);
	wait_ms(1000);
	registrar_look(registrar);
	wait_for(fake_dbd_touches(dbd) == touches + 2);
	wait_for(_tellings() == 4);
	pthread_mutex_lock(&lock);
	assert_string_equal(federation_find(told, "alpha")->host, "127.0.0.9");
	pthread_mutex_unlock(&lock);
	_destroy(registrar);
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

/* It says so itself, of the state that slurmdbd has by then. */
static void _drained(void **state)
{
	registrar_t *registrar = _create();
	const uint32_t drain = CLUSTER_FED_STATE_ACTIVE |
			       CLUSTER_FED_STATE_DRAIN;
	int asked;

	wait_for(_tellings() == 1);
	/* nobody wants it any more */
	asked = fake_dbd_fed_asked(dbd);
	registrar_drained(registrar);
	wait_for(fake_dbd_fed_asked(dbd) > asked);
	assert_int_equal(fake_dbd_state(dbd, "flurm"),
			 CLUSTER_FED_STATE_ACTIVE);
	fake_dbd_set_state(dbd, "flurm", drain);
	registrar_drained(registrar);
	wait_for(fake_dbd_state(dbd, "flurm") ==
		 (CLUSTER_FED_STATE_INACTIVE | CLUSTER_FED_STATE_DRAIN));
	fake_dbd_set_state(dbd, "flurm", drain | CLUSTER_FED_STATE_REMOVE);
	registrar_drained(registrar);
	wait_for(fake_dbd_state(dbd, "flurm") == NO_VAL);
	assert_int_equal(fake_dbd_state(dbd, "alpha"),
			 CLUSTER_FED_STATE_ACTIVE);
	_destroy(registrar);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, _setup, _teardown)
	const struct CMUnitTest tests[] = {
		TEST(_registers),
		TEST(_own_address),
		TEST(_tells_size),
		TEST(_tells_who_is_down),
		TEST(_refused),
		TEST(_connection_refused),
		TEST(_comes_and_goes),
		TEST(_backup),
		TEST(_rival),
		TEST(_tells_associations),
		TEST(_requests),
		TEST(_announces),
		TEST(_drained),
	};

	return cmocka_run_group_tests(tests, slurm_unit_setup,
				      slurm_unit_teardown);
}
