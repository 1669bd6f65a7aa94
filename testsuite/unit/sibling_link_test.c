/*
 * sibling_link_test.c - src/sibling/link against a fake native: order, items
 * that are not taken, answers that make no sense, back-off, moving.
 */
#include "testsuite/unit/fake_peer.h"

#include <pthread.h>

#include "src/sibling/link.h"

#define ITEMS_MAX 2000

/* What the link told us, under the lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t session;	/* that is up, or 0 */
static uint16_t version;
static int ups, downs, tries;
static char reason[FED_ERR_TEXT_MAX];
static uint64_t tokens[ITEMS_MAX];
static uint32_t rcs[ITEMS_MAX];
static int token_cnt;

/* What the fake saw and shall do, under the lock */
static uint32_t seen[ITEMS_MAX];	/* job ids of the items, in order */
static int seen_cnt, mults, locks;
static uint32_t refuse_job;	/* this one is not taken, so many times */
static int refuse_times;
static enum { WELL, TOO_FEW, WRONG_TYPE, SILENT, CLOSE } manner;
static int timeout_ms;

static void _on_up(void *arg, uint32_t number, uint16_t ver)
{
	pthread_mutex_lock(&lock);
	assert_int_equal(number, ups + 1);
	session = number;
	version = ver;
	ups++;
	pthread_mutex_unlock(&lock);
}

static void _on_down(void *arg, uint32_t number, const fed_err_t *err)
{
	pthread_mutex_lock(&lock);
	session = 0;
	downs++;
	snprintf(reason, sizeof(reason), "%s", err->text);
	pthread_mutex_unlock(&lock);
}

static void _on_answered(void *arg, uint64_t token, uint32_t rc)
{
	pthread_mutex_lock(&lock);
	tokens[token_cnt] = token;
	rcs[token_cnt++] = rc;
	pthread_mutex_unlock(&lock);
}

static void _on_trying(void *arg)
{
	pthread_mutex_lock(&lock);
	tries++;
	pthread_mutex_unlock(&lock);
}

static const link_ops_t ops = {
	.trying = _on_trying,
	.up = _on_up,
	.down = _on_down,
	.answered = _on_answered,
};

/* A static int, read under the lock */
static int _get(const int *value)
{
	int copy;

	pthread_mutex_lock(&lock);
	copy = *value;
	pthread_mutex_unlock(&lock);
	return copy;
}

static uint32_t _session(void)
{
	return _get((int *) &session);
}

static void _destroy_buf(void *x)
{
	free_buf(x);
}

/* LOCKED. RET what to say to an item */
static uint32_t _take_item(buf_t *buf, uint16_t ver)
{
	persist_in_t in = { 0 };
	uint32_t job_id;

	assert_int_equal(persist_unpack_item(buf, ver, &in, NULL), 0);
	assert_int_equal(in.type, REQUEST_SIB_MSG);
	job_id = ((sib_msg_t *) in.data)->job_id;
	compat_free_data(in.type, in.data);
	seen[seen_cnt++] = job_id;
	if ((job_id == refuse_job) && refuse_times) {
		refuse_times--;
		return SLURM_ERROR;
	}
	return SLURM_SUCCESS;
}

static bool _take_mult(persist_t *conn, ctld_list_msg_t *msg)
{
	ctld_list_msg_t answer = { .my_list = list_create(_destroy_buf) };
	buf_t *buf;

	pthread_mutex_lock(&lock);
	mults++;
	while ((buf = list_pop(msg->my_list))) {
		return_code_msg_t rc = {
			.return_code = _take_item(buf, conn->version),
		};

		free_buf(buf);
		list_append(answer.my_list,
			    persist_pack_item(RESPONSE_SLURM_RC, &rc,
					      conn->version));
	}
	pthread_mutex_unlock(&lock);
	if (_get((int *) &manner) == TOO_FEW)
		free_buf(list_pop(answer.my_list));
	(void) persist_send(conn, RESPONSE_CTLD_MULT_MSG, &answer, NULL);
	FREE_NULL_LIST(answer.my_list);
	return true;
}

static bool _take(void *arg, persist_t *conn, persist_in_t *in)
{
	return_code_msg_t rc = { .return_code = 17 };

	switch (_get((int *) &manner)) {
	case SILENT:
		return true;
	case CLOSE:
		return false;
	case WRONG_TYPE:
		(void) persist_send(conn, REQUEST_PING, NULL, NULL);
		return true;
	}
	if (in->type == REQUEST_CTLD_MULT_MSG)
		return _take_mult(conn, in->data);
	assert_int_equal(in->type, REQUEST_SIB_JOB_LOCK);
	pthread_mutex_lock(&lock);
	locks++;
	seen[seen_cnt++] = ((sib_msg_t *) in->data)->job_id;
	pthread_mutex_unlock(&lock);
	(void) persist_send(conn, RESPONSE_SLURM_RC, &rc, NULL);
	return true;
}

static int _setup(void **state)
{
	pthread_mutex_lock(&lock);
	session = version = ups = downs = tries = token_cnt = 0;
	seen_cnt = mults = locks = refuse_times = 0;
	refuse_job = 0;
	manner = WELL;
	timeout_ms = 10000;	/* other tests run beside this */
	reason[0] = 0;
	pthread_mutex_unlock(&lock);
	return 0;
}

static link_t *_link_to(const char *host, uint16_t port, uint16_t rpc_version)
{
	const link_conf_t conf = {
		.cluster = "flurm",
		.port = 6827,
		.timeout_ms = timeout_ms,
		.ops = &ops,
	};
	fed_member_t member = {
		.name = (char *) "alpha",
		.host = (char *) host,
		.port = port,
		.rpc_version = rpc_version,
		.fed_id = 1,
		.features = (char *) "",
	};
	fed_err_t err;
	link_t *link = link_create(&conf, &member, &err);

	if (!link)
		fail_msg("%s", err.text);
	return link;
}

static void _end(link_t *link)
{
	int64_t start = now_ms();

	link_stop(link);
	assert_true(link_reap(link, true));
	/* whatever it was doing */
	assert_true(now_ms() - start < 2000);
}

static buf_t *_item(uint32_t job_id)
{
	sib_msg_t msg = { .job_id = job_id, .sib_msg_type = 5 };

	return persist_pack_item(REQUEST_SIB_MSG, &msg, version);
}

static buf_t *_lock_item(uint32_t job_id)
{
	sib_msg_t msg = { .job_id = job_id, .cluster_id = 3 };

	return persist_pack_item(REQUEST_SIB_JOB_LOCK, &msg, version);
}

static void _in_order(void **state)
{
	fake_peer_t *fake = fake_start(0, false, _take, NULL);
	link_t *link = _link_to("127.0.0.1", fake_port(fake),
				COMPAT_VERSION_OWN);
	link_status_t status;
	char cluster[64];
	uint16_t port;
	int type;

	wait_for(_session() == 1);
	fake_last_init(fake, cluster, &port, &type);
	assert_string_equal(cluster, "flurm");
	assert_int_equal(port, 6827);
	assert_int_equal(type, PERSIST_TYPE_FED);
	assert_int_equal(version, COMPAT_VERSION_OWN);
	for (int i = 1; i <= 1000; i++) {
		/* a lock among them does not overtake, nor is it overtaken */
		assert_true(link_send(link, 1, i == 500,
				      (i == 500) ? _lock_item(i) : _item(i),
				      i));
	}
	wait_for(_get(&token_cnt) == 1000);
	for (int i = 1; i <= 1000; i++) {
		assert_int_equal(seen[i - 1], i);
		assert_int_equal(tokens[i - 1], i);
		assert_int_equal(rcs[i - 1], (i == 500) ? 17 : 0);
	}
	assert_int_equal(_get(&locks), 1);
	/* many travel together */
	assert_in_range(_get(&mults), 4, 900);
	/* nobody wants to know of these */
	assert_true(link_send(link, 1, false, _item(1), 0));
	wait_for(_get(&seen_cnt) == 1001);
	link_get_status(link, &status);
	assert_int_equal(status.state, LINK_UP);
	assert_int_equal(status.session, 1);
	assert_string_equal(status.error, "");
	_end(link);
	assert_int_equal(_get(&downs), 1);
	assert_int_equal(_get(&token_cnt), 1000);
	fake_stop(fake);
}

/* What is not taken is sent again, before what came after it. */
static void _not_taken(void **state)
{
	fake_peer_t *fake = fake_start(0, false, _take, NULL);
	link_t *link = _link_to("127.0.0.1", fake_port(fake),
				COMPAT_VERSION_OWN);
	link_status_t status;

	wait_for(_session() == 1);
	pthread_mutex_lock(&lock);
	refuse_job = 2;
	refuse_times = 2;
	pthread_mutex_unlock(&lock);
	for (int i = 1; i <= 3; i++)
		link_send(link, 1, false, _item(i), i);
	wait_for(_get(&refuse_times) == 0);
	link_get_status(link, &status);
	assert_in_range(status.queued, 1, 2);
	/* comes after it waits: goes behind it */
	link_send(link, 1, false, _item(4), 4);
	wait_for(_get(&token_cnt) == 4);
	for (int i = seen_cnt - 1, last = 4; i >= 0; i--) {
		if (seen[i] == 2)
			break;
		assert_true(seen[i] <= (uint32_t) last--);
		assert_true(seen[i] > 2);
	}
	assert_int_equal(tokens[3], 4);
	_end(link);
	fake_stop(fake);
}

/* IN what - the manner of the fake; IN why - why the session ended */
static void _ends(int what, const char *why)
{
	fake_peer_t *fake = fake_start(0, false, _take, NULL);
	link_t *link = _link_to("127.0.0.1", fake_port(fake),
				COMPAT_VERSION_OWN);
	link_status_t status;

	wait_for(_session() == 1);
	pthread_mutex_lock(&lock);
	manner = what;
	pthread_mutex_unlock(&lock);
	for (int i = 1; i <= 2; i++)
		link_send(link, 1, false, _item(i), i);
	wait_for(_get(&downs) == 1);
	if (!strstr(reason, why))
		fail_msg("\"%s\" is not in \"%s\"", why, reason);
	link_get_status(link, &status);
	assert_int_equal(status.state, LINK_WAITING);
	assert_int_equal(status.queued, 0);
	assert_int_equal(_get(&token_cnt), 0);
	/* for a session that is over nothing is taken */
	assert_false(link_send(link, 1, false, _item(3), 3));
	pthread_mutex_lock(&lock);
	manner = WELL;
	pthread_mutex_unlock(&lock);
	wait_for(_session() == 2);
	assert_false(link_send(link, 1, false, _item(3), 3));
	assert_true(link_send(link, 2, false, _item(4), 4));
	wait_for(_get(&token_cnt) == 1);
	assert_int_equal(tokens[0], 4);
	_end(link);
	fake_stop(fake);
}

static void _too_few_answers(void **state)
{
	_ends(TOO_FEW, "answers to ");
}

static void _wrong_answer(void **state)
{
	_ends(WRONG_TYPE, "unexpected answer REQUEST_PING");
}

static void _no_answer(void **state)
{
	timeout_ms = 300;
	_ends(SILENT, "no input for too long");
}

static void _hung_up(void **state)
{
	_ends(CLOSE, "closed");
}

/* With nothing to send, its end is noticed all the same. */
static void _idle_end(void **state)
{
	fake_peer_t *fake = fake_start(0, false, _take, NULL);
	link_t *link = _link_to("127.0.0.1", fake_port(fake),
				COMPAT_VERSION_OWN);
	int64_t end;

	wait_for(_session() == 1);
	fake_hang_up(fake);
	wait_for(_get(&downs) == 1);
	end = now_ms();
	assert_non_null(strstr(reason, "closed by alpha"));
	wait_for(_session() == 2);
	/* a native forgets the old session a second late */
	assert_true(now_ms() - end >= 1000);
	_end(link);
	fake_stop(fake);
}

/* A refusal costs a native a descriptor: it is not asked often. */
static void _refused(void **state)
{
	fake_peer_t *fake = fake_start(0, false, _take, NULL);
	link_status_t status;
	link_t *link;

	fake_refuse(fake, "isn't a known sibling of ours");
	link = _link_to("127.0.0.1", fake_port(fake), COMPAT_VERSION_OWN);
	wait_for(fake_inits(fake) == 1);
	wait_ms(1000);
	assert_int_equal(fake_inits(fake), 1);
	link_get_status(link, &status);
	assert_int_equal(status.state, LINK_WAITING);
	assert_non_null(strstr(status.error, "isn't a known sibling of ours"));
	assert_int_equal(_get(&ups), 0);
	assert_int_equal(_get(&tries), 1);
	assert_false(link_was_at(link, "127.0.0.1"));
	/* unless it shows that it knows us by now */
	fake_refuse(fake, NULL);
	link_hint(link, "127.0.0.1", 0);
	wait_for(_session() == 1);
	assert_int_equal(_get(&downs), 0);
	assert_int_equal(_get(&tries), 2);
	assert_true(link_was_at(link, "127.0.0.1"));
	assert_false(link_was_at(link, "127.0.0.2"));
	_end(link);
	fake_stop(fake);
}

static void _versions(void **state)
{
	static const struct {
		uint16_t in_dbd, answered, want;	/* 0: no session */
	} cases[] = {
		{ COMPAT_VERSION_OWN, 0, COMPAT_VERSION_OWN },
		{ COMPAT_VERSION_MIN, 0, COMPAT_VERSION_MIN },
		{ COMPAT_VERSION_OWN, COMPAT_VERSION_MIN, COMPAT_VERSION_MIN },
		/* newer than we are, or not known yet */
		{ COMPAT_VERSION_OWN + 256, 0, COMPAT_VERSION_OWN },
		{ COMPAT_VERSION_OWN, COMPAT_VERSION_OWN + 256,
		  COMPAT_VERSION_OWN },
		{ 0, 0, COMPAT_VERSION_OWN },
		{ COMPAT_VERSION_MIN - 256, 0, 0 },
		{ COMPAT_VERSION_OWN, COMPAT_VERSION_MIN - 256, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_peer_t *fake = fake_start(0, false, _take, NULL);
		link_status_t status;
		link_t *link;

		_setup(NULL);
		fake_set_version(fake, cases[i].answered);
		link = _link_to("127.0.0.1", fake_port(fake),
				cases[i].in_dbd);
		if (cases[i].want) {
			wait_for(_session() == 1);
			assert_int_equal(version, cases[i].want);
		} else {
			do {
				wait_ms(1);
				link_get_status(link, &status);
			} while (!status.error[0]);
			assert_non_null(strstr(status.error, "old"));
			assert_int_equal(_get(&ups), 0);
		}
		_end(link);
		fake_stop(fake);
	}
}

static void _comes_and_moves(void **state)
{
	fake_peer_t *one = fake_start(0, false, _take, NULL);
	fake_peer_t *two = fake_start(0, false, _take, NULL);
	link_t *link = _link_to("", 0, 0);
	fed_member_t member = {
		.name = (char *) "alpha", .host = (char *) "127.0.0.1",
		.port = fake_port(one), .rpc_version = COMPAT_VERSION_OWN,
	};
	link_status_t status;

	wait_ms(50);
	link_get_status(link, &status);
	assert_int_equal(status.state, LINK_IDLE);
	link_set_member(link, &member);
	wait_for(_session() == 1);
	/* slurmdbd lost it, but it is there still */
	member.host = (char *) "";
	member.port = 0;
	link_set_member(link, &member);
	wait_ms(100);
	assert_int_equal(_session(), 1);
	/* it moved */
	member.host = (char *) "127.0.0.1";
	member.port = fake_port(two);
	link_set_member(link, &member);
	wait_for(_session() == 2);
	assert_int_equal(fake_inits(one), 1);
	assert_int_equal(fake_inits(two), 1);
	_end(link);
	fake_stop(one);
	fake_stop(two);
}

/* Nobody there: tried again, and ended at once whatever it waits for. */
static void _nobody(void **state)
{
	uint16_t port = free_port();
	link_t *link = _link_to("127.0.0.1", port, COMPAT_VERSION_OWN);
	fake_peer_t *fake;
	link_status_t status;

	do {
		wait_ms(1);
		link_get_status(link, &status);
	} while (!status.error[0]);
	assert_non_null(strstr(status.error, "Connection refused"));
	fake = fake_start(port, false, _take, NULL);
	wait_for(_session() == 1);
	fake_stop(fake);
	wait_for(_get(&downs) == 1);
	_end(link);
	/* at its very start */
	_end(_link_to("127.0.0.1", port, COMPAT_VERSION_OWN));
	_end(_link_to("", 0, 0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, _setup)
	const struct CMUnitTest tests[] = {
		TEST(_in_order),
		TEST(_not_taken),
		TEST(_too_few_answers),
		TEST(_wrong_answer),
		TEST(_no_answer),
		TEST(_hung_up),
		TEST(_idle_end),
		TEST(_refused),
		TEST(_versions),
		TEST(_comes_and_moves),
		TEST(_nobody),
	};

	return cmocka_run_group_tests(tests, slurm_unit_setup,
				      slurm_unit_teardown);
}
