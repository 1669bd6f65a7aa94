/*
 * sibling_host_test.c - src/sibling/host: a whole controller from start to
 * stop and again, between a fake slurmdbd and a fake native, and what is left
 * of it then: nothing. To be run with sanitizers, too.
 */
#include "testsuite/unit/fake_dbd.h"

#include <pthread.h>

#include "src/core/log.h"
#include "src/flurm/cluster.h"
#include "src/flurm/server.h"
#include "src/flurmfed/status_ask.h"
#include "src/sibling/host.h"
#include "src/sibling/net.h"
#include "src/sibling/sib.h"
#include "src/sibling/pack_info.h"

#define ALPHA_ID 1
#define FLURM_ID 2

static char *base;		/* slurm.conf's directory, for all tests */
static uint16_t dbd_port;	/* as slurm.conf says */
static char *dir, conf_path[4096], socket_path[4096];
static fake_dbd_t *dbd;
static fake_peer_t *alpha;
static uint16_t port;		/* flurm's */
static uint16_t url_port;	/* of FLURM itself, which mostly is not there */
static host_t *host;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int syncs;		/* JOB_SYNCs that alpha got */
static int dep_answers;		/* and answers to its dependencies */

static int _get(const int *value)
{
	int copy;

	pthread_mutex_lock(&lock);
	copy = *value;
	pthread_mutex_unlock(&lock);
	return copy;
}

/* ---- alpha, a native ---- */

static void _destroy_buf(void *x)
{
	free_buf(x);
}

static void _note_item(const persist_in_t *in)
{
	const sib_msg_t *sib = in->data;
	const dep_update_origin_msg_t *dep = in->data;

	pthread_mutex_lock(&lock);
	if ((in->type == REQUEST_SIB_MSG) && (sib->sib_msg_type == SIB_SYNC))
		syncs++;
	if (in->type == REQUEST_UPDATE_ORIGIN_DEP) {
		assert_true(list_count(dep->depend_list) > 0);
		dep_answers++;
	}
	pthread_mutex_unlock(&lock);
}

static bool _alpha_takes(void *arg, persist_t *conn, persist_in_t *in)
{
	ctld_list_msg_t *msg = in->data, answer;
	return_code_msg_t rc = { .return_code = SLURM_SUCCESS };
	persist_in_t item = { 0 };
	buf_t *buf;

	if (in->type != REQUEST_CTLD_MULT_MSG)
		return false;
	answer.my_list = list_create(_destroy_buf);
	while ((buf = list_pop(msg->my_list))) {
		assert_int_equal(persist_unpack_item(buf, conn->version,
						     &item, NULL), 0);
		_note_item(&item);
		compat_free_data(item.type, item.data);
		free_buf(buf);
		list_append(answer.my_list,
			    persist_pack_item(RESPONSE_SLURM_RC, &rc,
					      conn->version));
	}
	(void) persist_send(conn, RESPONSE_CTLD_MULT_MSG, &answer, NULL);
	FREE_NULL_LIST(answer.my_list);
	return true;
}

/* Open alpha's own connection to flurm. RET 0, or -1 with err */
static int _alpha_connects(persist_t *conn, const char *name, fed_err_t *err)
{
	*conn = (persist_t) {
		.fd = -1, .stop_fd = -1, .timeout_ms = 5000,
	};
	return persist_open(conn, "127.0.0.1", port, PERSIST_TYPE_FED, name,
			    fake_port(alpha), COMPAT_VERSION_OWN, err);
}

/* Send items on it. RET rc of the first; all must have the same */
static uint32_t _alpha_says(persist_t *conn, buf_t **items, int count)
{
	ctld_list_msg_t msg = { .my_list = list_create(_destroy_buf) };
	ctld_list_msg_t *answer;
	persist_in_t in = { 0 };
	uint32_t first = NO_VAL;
	fed_err_t err;
	buf_t *buf;

	for (int i = 0; i < count; i++)
		list_append(msg.my_list, items[i]);
	if (persist_ask(conn, REQUEST_CTLD_MULT_MSG, &msg, &in, &err))
		fail_msg("%s", err.text);
	FREE_NULL_LIST(msg.my_list);
	assert_int_equal(in.type, RESPONSE_CTLD_MULT_MSG);
	answer = in.data;
	assert_int_equal(list_count(answer->my_list), count);
	while ((buf = list_pop(answer->my_list))) {
		persist_in_t item = { 0 };
		uint32_t rc;

		assert_int_equal(persist_unpack_item(buf, conn->version,
						     &item, NULL), 0);
		assert_int_equal(item.type, RESPONSE_SLURM_RC);
		rc = ((return_code_msg_t *) item.data)->return_code;
		if (first == NO_VAL)
			first = rc;
		assert_int_equal(rc, first);
		compat_free_data(item.type, item.data);
		free_buf(buf);
	}
	persist_free_data(conn, &in);
	return first;
}

static uint32_t _alpha_syncs(persist_t *conn)
{
	buf_t *jobs = pack_info_jobs(0, 1, conn->version), *sync;

	sync = sib_pack_sync(ALPHA_ID, jobs, 2, conn->version);
	free_buf(jobs);
	return _alpha_says(conn, &sync, 1);
}

/* ---- flurm ---- */

static void _write_conf(const char *more)
{
	char text[8192];

	snprintf(text, sizeof(text),
		 "StatusSocket=%s\n"
		 "LedgerDir=%s/ledger\n"
		 "FlurmCluster=flurm Url=http://127.0.0.1:%u Port=%u\n"
		 "%s", socket_path, dir, url_port, port, more);
	scratch_write(conf_path, text, strlen(text));
}

static void _create(void)
{
	fed_err_t err;

	if (!(host = host_create(conf_path, "unit", &err)))
		fail_msg("%s", err.text);
}

/* RET a value of its status as text, to be freed; path as "peers.0.send" */
static char *_status(const char *path)
{
	json_t *status = status_ask(socket_path, NULL);
	json_t *at = json_array_get(json_object_get(status, "clusters"), 0);
	char *copy = strdup(path), *save = NULL, *text;

	for (char *key = strtok_r(copy, ".", &save); key;
	     key = strtok_r(NULL, ".", &save))
		at = json_is_array(at) ? json_array_get(at, strtoul(key, NULL,
								    10)) :
					 json_object_get(at, key);
	text = at ? json_dumps(at, JSON_ENCODE_ANY) : strdup("none");
	free(copy);
	json_decref(status);
	return text;
}

static bool _is(const char *path, const char *want)
{
	char *text = _status(path);
	bool is = !strcmp(text, want);

	free(text);
	return is;
}

static int _count_dir(const char *path)
{
	DIR *list = opendir(path);
	int count = 0;

	while (readdir(list))
		count++;
	closedir(list);
	return count;
}

static int _setup(void **state)
{
	dir = scratch_make();
	snprintf(conf_path, sizeof(conf_path), "%s/fed_flurm.conf", dir);
	snprintf(socket_path, sizeof(socket_path), "%s/status", dir);
	syncs = dep_answers = 0;
	dbd = fake_dbd_start(dbd_port);
	alpha = fake_start(0, false, _alpha_takes, NULL);
	port = free_port();
	url_port = 1;
	fake_dbd_set(dbd, "alpha", "127.0.0.1", fake_port(alpha), ALPHA_ID);
	fake_dbd_set(dbd, "flurm", "", 0, FLURM_ID);
	_write_conf("");
	return 0;
}

static int _teardown(void **state)
{
	host_destroy(host);
	host = NULL;
	fake_stop(alpha);
	fake_dbd_stop(dbd);
	scratch_remove_tree(dir);
	return 0;
}

/* Until it has a connection to alpha */
static void _start(void)
{
	_create();
	assert_true(host_start(host));
	wait_for(_is("peers.0.send", "true"));
}

/* ... and alpha one to it, as a sibling that may be sent jobs */
static void _join(persist_t *conn)
{
	fed_err_t err;

	if (_alpha_connects(conn, "alpha", &err))
		fail_msg("%s", err.text);
	assert_int_equal(_alpha_syncs(conn), SLURM_SUCCESS);
}

/* What a controller does between start and stop */
static void _one_life(int round)
{
	persist_t conn;
	fed_err_t err;
	int64_t start, begun = now_ms();

	assert_true(host_start(host));
	wait_for(_is("slurmdbd.registered", "true"));
	wait_for(_is("federation.name", "\"fed\""));
	wait_for(_is("peers.0.send", "true"));
	if (_alpha_connects(&conn, "alpha", &err))
		fail_msg("%s", err.text);
	wait_for(_is("peers.0.recv", "true"));
	assert_true(_is("peers.0.synced", "false"));
	start = now_ms();
	/*
	 * A native schedules nothing before it has our list, which answers its
	 * own, or comes without that if it takes too long.
	 */
	if (round % 2)
		assert_int_equal(_alpha_syncs(&conn), SLURM_SUCCESS);
	wait_for(_get(&syncs) == round);
	if (round % 2) {
		assert_true(now_ms() - start < 900);
	} else {
		/* a second from when the link is up, which is after that */
		assert_true(now_ms() - begun >= 1000);
		assert_true(now_ms() - start < 2000);
		assert_int_equal(_alpha_syncs(&conn), SLURM_SUCCESS);
	}
	wait_for(_is("peers.0.synced", "true"));
	host_stop(host);
	/* alpha is told by the end of its connection */
	assert_int_equal(net_wait_input(conn.fd, -1, 2000, NULL), 1);
	persist_close(&conn);
}

static void _starts_and_stops(void **state)
{
	int threads, fds, fd;
	int64_t start;

	/* the first round loads plugins of Slurm's, which stay */
	_create();
	_one_life(1);
	threads = _count_dir("/proc/self/task");
	fds = _count_dir("/proc/self/fd");
	for (int round = 2; round <= 4; round++) {
		_one_life(round);
		/* the fakes' own threads end with the fakes */
		fake_stop(alpha);
		alpha = fake_start(0, false, _alpha_takes, NULL);
		fake_dbd_set(dbd, "alpha", "127.0.0.1", fake_port(alpha),
			     ALPHA_ID);
		if ((fd = net_listen(port, NULL)) < 0)
			fail_msg("port %u is still taken", port);
		close(fd);
		assert_int_equal(access(socket_path, F_OK), -1);
	}
	/* of each round slurmdbd's fake keeps one connection and a thread */
	assert_true(_count_dir("/proc/self/task") <= threads + 3);
	assert_true(_count_dir("/proc/self/fd") <= fds + 3);
	assert_true(host_start(host));
	start = now_ms();
	host_destroy(host);
	host = NULL;
	assert_true(now_ms() - start < 2000);
}

static void _who_may_come_in(void **state)
{
	persist_t conn, again;
	fed_err_t err;

	_start();
	assert_int_equal(_alpha_connects(&conn, "stranger", &err), -1);
	assert_true(conn.refused);
	assert_non_null(strstr(err.text, "not a sibling of ours"));
	assert_int_equal(_alpha_connects(&conn, "flurm", &err), -1);
	assert_true(conn.refused);
	assert_int_equal(_alpha_connects(&conn, "alpha", &err), 0);
	/* a second one replaces the first */
	assert_int_equal(_alpha_connects(&again, "alpha", &err), 0);
	assert_int_equal(net_wait_input(conn.fd, -1, 5000, NULL), 1);
	persist_close(&conn);
	assert_int_equal(_alpha_syncs(&again), SLURM_SUCCESS);
	wait_for(_is("peers.0.recv", "true"));
	persist_close(&again);
	wait_for(_is("peers.0.recv", "false"));
}

/*
 * alpha takes our connection and does not come: it may have an old address of
 * ours, so slurmdbd is asked to tell it again, and not all the time.
 */
static void _half_open(void **state)
{
	persist_t conn;
	fed_err_t err;
	int64_t start;
	/* that it is registered slurmdbd tells by itself, or not */
	int touches = compat_registration_is_pushed() ? 0 : 1;

	_start();
	wait_for(fake_dbd_touches(dbd) == touches);
	wait_for(fake_dbd_touches(dbd) == touches + 1);
	start = now_ms();
	wait_for(fake_dbd_touches(dbd) == touches + 2);
	assert_true(now_ms() - start > 4000);
	assert_int_equal(_alpha_connects(&conn, "alpha", &err), 0);
	wait_ms(1500);
	assert_int_equal(fake_dbd_touches(dbd), touches + 2);
	persist_close(&conn);
}

/*
 * alpha's slurmctld was killed: it is let in before our link to it is there,
 * or it would schedule at once. A list that it kept is not the one that our
 * link asks for. If the link does not follow it is not let in like that again.
 */
static void _comes_back(void **state)
{
	persist_t conn;
	fed_err_t err;
	int64_t start;
	int inits;

	_start();
	fake_refuse(alpha, "not yet");
	fake_hang_up(alpha);
	wait_for(_is("peers.0.send", "false"));
	start = now_ms();
	inits = fake_inits(alpha);
	assert_int_equal(_alpha_connects(&conn, "alpha", &err), 0);
	/* a try that is under way could be the one that asks for it */
	wait_for(fake_inits(alpha) > inits);
	wait_for(_is("peers.0.link", "\"waiting\""));
	assert_int_equal(_alpha_syncs(&conn), SLURM_SUCCESS);
	assert_true(now_ms() - start < 1000);
	assert_true(_is("peers.0.send", "false"));
	fake_refuse(alpha, NULL);
	wait_for(_is("peers.0.send", "true"));
	assert_true(_is("peers.0.synced", "false"));
	assert_int_equal(_alpha_syncs(&conn), SLURM_SUCCESS);
	wait_for(_is("peers.0.synced", "true"));
	assert_int_equal(net_wait_input(conn.fd, -1, 100, NULL), 0);
	persist_close(&conn);
	wait_for(_is("peers.0.send", "false"));
	start = now_ms();
	assert_int_equal(_alpha_connects(&conn, "alpha", &err), 0);
	wait_for(_is("peers.0.send", "true"));
	assert_true(now_ms() - start < 1000);
	persist_close(&conn);
	wait_for(_is("peers.0.send", "false"));

	fake_refuse(alpha, "not yet");
	assert_int_equal(_alpha_connects(&conn, "alpha", &err), 0);
	start = now_ms();
	assert_int_equal(net_wait_input(conn.fd, -1, 10000, NULL), 1);
	assert_in_range(now_ms() - start, 3000, 7000);
	persist_close(&conn);
	assert_int_equal(_alpha_connects(&conn, "alpha", &err), -1);
	assert_non_null(strstr(err.text, "cannot connect to you"));
}

/*
 * alpha is linked both ways, but its JOB_SYNC was lost: we connect anew, since
 * that makes a native send it again, and no more once it has come.
 */
static void _list_is_lost(void **state)
{
	persist_t conn;
	fed_err_t err;
	int64_t start;

	_start();
	start = now_ms();
	assert_int_equal(_alpha_connects(&conn, "alpha", &err), 0);
	wait_for(_is("peers.0.send", "false"));
	assert_in_range(now_ms() - start, 7000, 12000);
	wait_for(_is("peers.0.send", "true"));
	assert_true(_is("peers.0.sessions", "2"));
	assert_true(_is("peers.0.synced", "false"));
	assert_int_equal(_alpha_syncs(&conn), SLURM_SUCCESS);
	wait_for(_is("peers.0.synced", "true"));
	assert_int_equal(fake_inits(alpha), 2);
	persist_close(&conn);
}

/* With FLURM in the federation a native's singleton must not wait for ever. */
static void _singleton(void **state)
{
	dep_msg_t msg = {
		.job_id = (ALPHA_ID << 26) | 5,
		.user_id = 1000,
		.job_name = (char *) "name",
		.dependency = (char *) "singleton(unfulfilled)",
	};
	persist_t conn;
	fed_err_t err;
	buf_t *item;

	_start();
	assert_int_equal(_alpha_connects(&conn, "alpha", &err), 0);
	item = persist_pack_item(REQUEST_SEND_DEP, &msg, conn.version);
	assert_int_equal(_alpha_says(&conn, &item, 1), SLURM_SUCCESS);
	wait_for(_get(&dep_answers) == 1);
	wait_for(_is("dependencies", "0"));
	/* what no sibling sends is not taken */
	item = persist_pack_item(RESPONSE_SLURM_RC,
				 &(return_code_msg_t) { 0 }, conn.version);
	assert_int_equal(_alpha_says(&conn, &item, 1),
			 (uint32_t) SLURM_ERROR);
	persist_close(&conn);
}

static void _ask(uint16_t type, void *data, slurm_msg_t *ret_answer)
{
	slurm_msg_t msg;
	fed_err_t err;
	int fd = net_connect("127.0.0.1", port, -1, 5000, &err);

	if (fd < 0)
		fail_msg("%s", err.text);
	slurm_msg_t_init(&msg);
	slurm_msg_t_init(ret_answer);
	msg.msg_type = type;
	msg.data = data;
	slurm_msg_set_r_uid(&msg, SLURM_AUTH_UID_ANY);
	assert_true(slurm_send_node_msg(fd, &msg) >= 0);
	if (slurm_receive_msg(fd, ret_answer, 5000))
		fail_msg("no answer: %s", slurm_strerror(errno));
	close(fd);
}

/* RET the return code that it is answered with */
static uint32_t _ask_rc(uint16_t type, void *data)
{
	slurm_msg_t answer;
	uint32_t rc;

	_ask(type, data, &answer);
	assert_int_equal(answer.msg_type, RESPONSE_SLURM_RC);
	rc = ((return_code_msg_t *) answer.data)->return_code;
	slurm_free_msg_members(&answer);
	return rc;
}

/* RET how many jobs squeue would show */
static uint32_t _squeue(void)
{
	job_info_request_msg_t all = { .show_flags = SHOW_ALL };
	slurm_msg_t answer;
	uint32_t count;

	_ask(REQUEST_JOB_INFO, &all, &answer);
	assert_int_equal(answer.msg_type, RESPONSE_JOB_INFO);
	count = ((job_info_msg_t *) answer.data)->record_count;
	/* which slurm_free_msg_members() takes for one job's */
	slurm_free_job_info_msg(answer.data);
	answer.data = NULL;
	slurm_free_msg_members(&answer);
	return count;
}

static buf_t *_submission(uint32_t job_id, uint16_t version)
{
	sib_msg_t msg = {
		.cluster_id = ALPHA_ID,
		.job_id = job_id,
		.sib_msg_type = SIB_SUBMIT_BATCH,
		.fed_siblings = 1 << (FLURM_ID - 1),
		.data_type = REQUEST_SUBMIT_BATCH_JOB,
		.data_version = version,
	};
	job_desc_msg_t desc;
	slurm_msg_t data;
	buf_t *buf;

	slurm_init_job_desc_msg(&desc);
	desc.script = (char *) "#!/bin/sh\n";
	desc.user_id = desc.group_id = 1000;
#if COMPAT_24_11
	msg.user_id = msg.group_id = 1000;
#endif
	slurm_msg_t_init(&data);
	data.msg_type = msg.data_type;
	data.protocol_version = version;
	data.data = &desc;
	msg.data_buffer = init_buf(BUF_SIZE);
	pack_msg(&data, msg.data_buffer);
	buf = persist_pack_item(REQUEST_SIB_MSG, &msg, version);
	free_buf(msg.data_buffer);
	return buf;
}

/*
 * What squeue has been told a moment ago is good for the next squeue, not for
 * who acts on a job that has come since.
 */
static void _acts_on_a_new_job(void **state)
{
	uint32_t id = (ALPHA_ID << 26) | 7;
	suspend_msg_t suspend = { .op = SUSPEND_JOB, .job_id = id };
	job_notify_msg_t notify = {
		.step_id = { .job_id = id, .step_id = NO_VAL,
			     .step_het_comp = NO_VAL },
		.message = (char *) "hello",
	};
	top_job_msg_t top = { 0 };
	persist_t conn;
	buf_t *item;

	_start();
	_join(&conn);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(_squeue(), i);
		suspend.job_id = notify.step_id.job_id = ++id;
		item = _submission(id, conn.version);
		assert_int_equal(_alpha_says(&conn, &item, 1), SLURM_SUCCESS);
		if (i % 2)
			assert_int_equal(_ask_rc(REQUEST_SUSPEND, &suspend),
					 ESLURM_JOB_PENDING);
		else
			assert_int_equal(_ask_rc(REQUEST_JOB_NOTIFY, &notify),
					 ESLURM_DISABLED);
	}
	/* what FLURM can do is not known: that it cannot is not said */
	top.job_id_str = xstrdup_printf("%u", id);
	assert_int_equal(_ask_rc(REQUEST_TOP_JOB, &top), SLURM_SUCCESS);
	xfree(top.job_id_str);
	persist_close(&conn);
}

/* One that ended more than MinJobAge ago is of no id that we know. */
static void _long_ended(void **state)
{
	uint32_t id = (ALPHA_ID << 26) | 7;
	top_job_msg_t top = { 0 };
	persist_t conn;
	int64_t start;
	buf_t *item;

	_start();
	_join(&conn);
	item = _submission(id, conn.version);
	assert_int_equal(_alpha_says(&conn, &item, 1), SLURM_SUCCESS);
	item = sib_pack_complete(ALPHA_ID, id, JOB_CANCELLED, 0, 0,
				 conn.version);
	assert_int_equal(_alpha_says(&conn, &item, 1), SLURM_SUCCESS);
	start = now_ms();
	top.job_id_str = xstrdup_printf("%u", id);
	assert_int_equal(_ask_rc(REQUEST_TOP_JOB, &top),
			 ESLURM_JOB_NOT_PENDING);
	wait_for(_ask_rc(REQUEST_TOP_JOB, &top) == ESLURM_INVALID_JOB_ID);
	assert_in_range(now_ms() - start, 1500, 5000);
	xfree(top.job_id_str);
	persist_close(&conn);
}

/* It can do nothing that it need not. */
static void _health(flurm_request_t *request, void *arg)
{
	flurm_health_t health;

	flurm_health_init(&health);
	health.status = strdup("ok");
	health.instance_id = strdup("unit");
	health.capabilities = FLURM_CAN_GATE;
	flurm_request_reply_json(request, 200, flurm_health_to_json(&health));
	flurm_health_free(&health);
}

static void _top_without_updates(void **state)
{
	static const flurm_route_t routes[] = {
		FLURM_ROUTE("GET", "/api/v1/health", _health, .public = true),
		{ .method = NULL },
	};
	const flurm_server_conf_t conf = { .name = "unit", .routes = routes };
	uint32_t id = (ALPHA_ID << 26) | 7;
	top_job_msg_t top = { 0 };
	flurm_server_t *flurm;
	persist_t conn;
	fed_err_t err;
	buf_t *item;

	if (!(flurm = flurm_server_start(&conf, &err)))
		fail_msg("%s", err.text);
	url_port = flurm_server_port(flurm);
	_write_conf("");
	_start();
	wait_for(_is("flurm.instance_id", "\"unit\""));
	_join(&conn);
	item = _submission(id, conn.version);
	assert_int_equal(_alpha_says(&conn, &item, 1), SLURM_SUCCESS);
	top.job_id_str = xstrdup_printf("%u", id);
	assert_int_equal(_ask_rc(REQUEST_TOP_JOB, &top), ESLURM_NOT_SUPPORTED);
	xfree(top.job_id_str);
	persist_close(&conn);
	flurm_server_stop(flurm);
}

static void _reconfigure(void **state)
{
	char line[300];
	uint16_t other;
	fed_err_t err;
	char *since;

	_start();
	other = free_port();
	since = _status("since");
	/* one more cluster, and the first is not touched */
	snprintf(line, sizeof(line),
		 "FlurmCluster=two Url=http://127.0.0.1:2 Port=%u\n", other);
	_write_conf(line);
	if (host_reconfigure(host, &err))
		fail_msg("%s", err.text);
	assert_true(host_start(host));
	wait_for(net_listen(other, NULL) < 0);
	_write_conf("");
	assert_int_equal(host_reconfigure(host, &err), 0);
	assert_true(host_start(host));
	assert_true(_is("name", "\"flurm\""));
	assert_true(_is("since", since));
	assert_true(_is("peers.0.sessions", "1"));
	free(since);
	/* a bad one changes nothing */
	_write_conf("Frobnicate=1\n");
	assert_int_equal(host_reconfigure(host, &err), -1);
	assert_non_null(strstr(err.text, "fed_flurm.conf:4: "));
	assert_true(host_start(host));
	assert_true(_is("peers.0.send", "true"));
	/* another port: the old one is let go */
	other = port;
	port = free_port();
	_write_conf("");
	assert_int_equal(host_reconfigure(host, &err), 0);
	assert_true(host_start(host));
	wait_for(_is("slurmdbd.registered", "true"));
	assert_true(net_listen(port, NULL) < 0);
	close(net_listen(other, &err));
}

static void _busy(void **state)
{
	host_t *second;
	fed_err_t err;
	int fd = net_listen(port, &err);
	char *text;

	/* the port is another's: tried again when the host says so */
	_create();
	assert_false(host_start(host));
	text = _status("error");
	assert_non_null(strstr(text, "listen on port"));
	free(text);
	assert_true(_is("running", "false"));
	close(fd);
	assert_true(host_start(host));
	assert_true(_is("running", "true"));
	/* a second host of the same cluster */
	second = host_create(conf_path, "second", &err);
	assert_non_null(second);
	assert_false(host_start(second));
	/* it is still the first that tells how it is, then as well */
	assert_true(_is("running", "true"));
	host_destroy(second);
	assert_true(_is("running", "true"));
	host_stop(host);
	second = host_create(conf_path, "second", &err);
	assert_true(host_start(second));
	host_destroy(second);
}

static void _bad_conf(void **state)
{
	fed_err_t err;

	_write_conf("FlurmCluster=flurm Url=http://127.0.0.1:1 Port=1\n");
	assert_null(host_create(conf_path, "unit", &err));
	assert_non_null(strstr(err.text, "fed_flurm.conf:4: "));
	unlink(conf_path);
	assert_null(host_create(conf_path, "unit", &err));
	/* and the one beside slurm.conf, that is not there either */
	assert_null(host_create(NULL, "unit", &err));
	assert_non_null(strstr(err.text, base));
	host_destroy(NULL);
}

/* Once: 24.11 cannot be started again in the same process. */
static int _setup_all(void **state)
{
	char more[200];

	base = scratch_make();
	dbd_port = free_port();
	snprintf(more, sizeof(more),
		 "AccountingStorageHost=127.0.0.1\n"
		 "AccountingStoragePort=%u\n"
		 "MinJobAge=2\n", dbd_port);
	slurm_unit_init_with(base, more);
	fed_log_init(NULL, FED_LOG_ERROR);
	return 0;
}

static int _teardown_all(void **state)
{
	slurm_fini();
	scratch_remove(base);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, _setup, _teardown)
	const struct CMUnitTest tests[] = {
		TEST(_starts_and_stops),
		TEST(_half_open),
		TEST(_comes_back),
		TEST(_list_is_lost),
		TEST(_who_may_come_in),
		TEST(_singleton),
		TEST(_acts_on_a_new_job),
		TEST(_long_ended),
		TEST(_top_without_updates),
		TEST(_reconfigure),
		TEST(_busy),
		TEST(_bad_conf),
	};

	return cmocka_run_group_tests(tests, _setup_all, _teardown_all);
}
