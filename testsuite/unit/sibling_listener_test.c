/*
 * sibling_listener_test.c - src/sibling/listener: good messages served, and
 * what else may come to a port.
 */
#include "testsuite/unit/fake_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#include "src/core/log.h"
#include "src/sibling/listener.h"
#include "src/sibling/net.h"

#define MANY 300		/* more than it keeps at once */
#define BIG (64 * 1024 * 1024)

static listener_t *listener;
static uint16_t port;
static int lines;		/* atomic: of the log */
static int taken_fd;		/* atomic: of a connection taken over, or -1 */
static bool answering;		/* atomic: with BIG bytes */

static bool _take(void *arg, slurm_msg_t *msg)
{
	uid_t uid;

	/* without munge anybody can say anything about himself */
	assert_true(compat_msg_uid(msg, &uid));
	if (msg->msg_type == REQUEST_PING) {
		(void) slurm_send_rc_msg(msg, 17);
		return false;
	}
	if (msg->msg_type == REQUEST_CONTROL_STATUS) {
		/* more than the sockets hold */
		buf_t *buf = init_buf(BIG);

		set_buf_offset(buf, BIG);
		memset(get_buf_data(buf), 0, BIG);
		__atomic_store_n(&answering, true, __ATOMIC_SEQ_CST);
		(void) net_write_frame(msg->conn_fd, -1, buf, 30000, NULL);
		free_buf(buf);
		return false;
	}
	if (msg->msg_type == REQUEST_PERSIST_INIT) {
		__atomic_store_n(&taken_fd, msg->conn_fd, __ATOMIC_SEQ_CST);
		return true;
	}
	return false;
}

static int _setup(void **state)
{
	fed_err_t err;

	taken_fd = -1;
	port = free_port();
	listener = listener_create("flurm", port, _take, NULL, &err);
	if (!listener)
		fail_msg("%s", err.text);
	return 0;
}

static int _teardown(void **state)
{
	int64_t start = now_ms();

	listener_destroy(listener);
	assert_true(now_ms() - start < 2000);
	return 0;
}

static listener_status_t _status(void)
{
	listener_status_t status;

	listener_get_status(listener, &status);
	return status;
}

static int _connect(void)
{
	fed_err_t err;
	int fd = net_connect("127.0.0.1", port, -1, 5000, &err);

	if (fd < 0)
		fail_msg("%s", err.text);
	return fd;
}

/* RET what the listener's owner answers to a ping: 17 */
static int _ping(void)
{
	slurm_msg_t msg, answer;
	int fd = _connect(), rc;

	slurm_msg_t_init(&msg);
	slurm_msg_t_init(&answer);
	msg.msg_type = REQUEST_PING;
	slurm_msg_set_r_uid(&msg, SLURM_AUTH_UID_ANY);
	assert_true(slurm_send_node_msg(fd, &msg) >= 0);
	if (slurm_receive_msg(fd, &answer, 5000))
		fail_msg("no answer: %s", slurm_strerror(errno));
	assert_int_equal(answer.msg_type, RESPONSE_SLURM_RC);
	rc = ((return_code_msg_t *) answer.data)->return_code;
	slurm_free_msg_members(&answer);
	close(fd);
	return rc;
}

/* RET true if the other end closed */
static bool _is_closed(int fd, int wait)
{
	char byte;

	return (net_wait_input(fd, -1, wait, NULL) == 1) &&
	       (recv(fd, &byte, 1, MSG_DONTWAIT) <= 0);
}

static void _serves(void **state)
{
	for (int i = 0; i < 50; i++)
		assert_int_equal(_ping(), 17);
	assert_int_equal(_status().accepted, 50);
	wait_for(_status().served == 50);
	assert_int_equal(_status().rejected, 0);
	wait_for(_status().open == 0);
}

/* Who does not read his answer does not keep us from our end. */
static void _does_not_read(void **state)
{
	slurm_msg_t msg;
	int fd = _connect();
	int64_t start;

	slurm_msg_t_init(&msg);
	msg.msg_type = REQUEST_CONTROL_STATUS;
	slurm_msg_set_r_uid(&msg, SLURM_AUTH_UID_ANY);
	answering = false;
	assert_true(slurm_send_node_msg(fd, &msg) >= 0);
	wait_for(__atomic_load_n(&answering, __ATOMIC_SEQ_CST));
	start = now_ms();
	listener_stop(listener);
	assert_int_equal(net_connect("127.0.0.1", port, -1, 5000, NULL), -1);
	assert_int_equal(_status().open, 1);
	listener_destroy(listener);
	listener = NULL;
	assert_true(now_ms() - start < 2000);
	close(fd);
}

static void _takes_over(void **state)
{
	persist_init_req_msg_t init = {
		.cluster_name = (char *) "alpha",
		.persist_type = PERSIST_TYPE_FED,
		.version = COMPAT_VERSION_OWN,
	};
	slurm_msg_t msg;
	int fd = _connect(), theirs;

	slurm_msg_t_init(&msg);
	msg.msg_type = REQUEST_PERSIST_INIT;
	msg.data = &init;
	slurm_msg_set_r_uid(&msg, SLURM_AUTH_UID_ANY);
	assert_true(slurm_send_node_msg(fd, &msg) >= 0);
	wait_for((theirs = __atomic_load_n(&taken_fd, __ATOMIC_SEQ_CST)) >= 0);
	wait_for(_status().open == 0);
	/* it is its new owner's now */
	assert_int_equal(write(theirs, "x", 1), 1);
	assert_int_equal(net_wait_input(fd, -1, 5000, NULL), 1);
	close(theirs);
	close(fd);
}

static void _nonsense(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "\0\0\0\0", 4 }, { "\0\0\0\1x", 5 },
		{ "\377\377\377\377", 4 }, { "\1\0\0\1", 4 },
		{ "\0\0\0\2ab", 6 }, { "GET / HTTP/1.0\r\n\r\n", 18 },
		{ "\0\0\0\20" "0123456789abcdef", 20 },
		{ "\0\0\0\20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20 },
	};
	size_t count = sizeof(cases) / sizeof(cases[0]);

	for (size_t i = 0; i < count; i++) {
		int fd = _connect();

		assert_int_equal(write(fd, cases[i].bytes, cases[i].len),
				 cases[i].len);
		if (!_is_closed(fd, 5000))
			fail_msg("case %zu stays open", i);
		close(fd);
	}
	assert_int_equal(_status().served, 0);
	assert_int_equal(_ping(), 17);
}

/*
 * IN/OUT ping - room for one as a client sends it, length of the frame first
 * RET its length
 */
static size_t _make_ping(uint8_t *ping, size_t size)
{
	slurm_msg_t msg;
	int pair[2];
	ssize_t len;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	slurm_msg_t_init(&msg);
	msg.msg_type = REQUEST_PING;
	slurm_msg_set_r_uid(&msg, SLURM_AUTH_UID_ANY);
	assert_true(slurm_send_node_msg(pair[0], &msg) >= 0);
	len = recv(pair[1], ping, size, 0);
	assert_true(len > 20);
	close(pair[0]);
	close(pair[1]);
	return len;
}

/* A ping with one byte changed, at each place */
static void _mutated(void **state)
{
	uint8_t ping[4096];
	size_t len = _make_ping(ping, sizeof(ping));

	for (size_t i = 4; i < len; i++) {
		int fd = _connect();

		ping[i] ^= 1 << i % 8;
		assert_int_equal(write(fd, ping, len), len);
		ping[i] ^= 1 << i % 8;
		close(fd);
	}
	/* for some of them Slurm sleeps a little and looks up who it was */
	wait_for(_status().open == 0);
	assert_int_equal(_ping(), 17);
}

static void _count_line(fed_log_level_t level, const char *text)
{
	__atomic_add_fetch(&lines, 1, __ATOMIC_SEQ_CST);
}

/*
 * What by its header can be no request is not even looked at, and said once for
 * each of the three reasons.
 */
static void _headers(void **state)
{
	static const struct {
		size_t at;		/* after the length of the frame */
		uint16_t value;
	} cases[] = {
		{ 0, 0 }, { 0, 1 }, { 0, 0xffff }, { 0, COMPAT_VERSION_OWN + 1 },
		{ 4, 0 }, { 4, RESPONSE_JOB_INFO }, { 4, RESPONSE_SLURM_RC },
		{ 4, 999 }, { 4, 0xffff }, { 6, 1 }, { 6, 0xffff },
		{ 10, 1 }, { 10, 0xffff }, { 12, 1 }, { 12, 0xffff },
	};
	size_t count = sizeof(cases) / sizeof(cases[0]), len;
	uint8_t ping[4096], bad[4096];
	uint16_t value;

	len = _make_ping(ping, sizeof(ping));
	fed_log_init(_count_line, FED_LOG_INFO);
	for (size_t i = 0; i < 3 * count; i++) {
		int fd = _connect();

		memcpy(bad, ping, len);
		value = htons(cases[i % count].value);
		memcpy(bad + 4 + cases[i % count].at, &value, sizeof(value));
		assert_int_equal(write(fd, bad, len), len);
		if (!_is_closed(fd, 5000))
			fail_msg("case %zu stays open", i % count);
		close(fd);
	}
	wait_for(_status().rejected == 3 * count);
	fed_log_init(NULL, FED_LOG_ERROR);
	assert_int_equal(__atomic_load_n(&lines, __ATOMIC_SEQ_CST), 3);
	assert_int_equal(_status().served, 0);
	assert_int_equal(_ping(), 17);
}

/*
 * An answer within the header, as slurmd forwards them: Slurm unpacks it before
 * it looks at the credential, and frees what a RESPONSE_JOB_INFO of zeros lacks.
 */
static void _answer_in_header(void **state)
{
	const uint16_t head[] = {
		htons(COMPAT_VERSION_OWN), 0, htons(REQUEST_PING), 0, 0, 0,
		htons(1),		/* answers */
		0, 0,			/* its error */
		htons(RESPONSE_JOB_INFO), 0, 0, /* its type; no node's name */
	};
	uint8_t data[4 + sizeof(head) + 400] = { 0 };
	uint32_t len = htonl(sizeof(data) - 4);
	int fd = _connect();

	memcpy(data, &len, sizeof(len));
	memcpy(data + 4, head, sizeof(head));
	assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
	assert_true(_is_closed(fd, 5000));
	close(fd);
	assert_int_equal(_ping(), 17);
}

static void _cut(void **state)
{
	for (int len = 1; len <= 8; len++) {
		int fd = _connect();

		assert_int_equal(write(fd, "\0\0\1\0abcd", len), len);
		close(fd);
	}
	wait_for(_status().rejected == 8);
	assert_int_equal(_ping(), 17);
}

/* The silent ones make room for who speaks, the oldest first. */
static void _silent(void **state)
{
	int fds[MANY], closed = 0;

	for (int i = 0; i < MANY; i++)
		fds[i] = _connect();
	wait_for(_status().accepted == MANY);
	for (int i = 0; i < 10; i++)
		assert_int_equal(_ping(), 17);
	for (int i = 0; i < MANY; i++) {
		if (_is_closed(fds[i], 0))
			closed++;
	}
	assert_in_range(closed, MANY - 256, MANY - 1);
	assert_true(_is_closed(fds[0], 0));
	assert_false(_is_closed(fds[MANY - 1], 0));
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	wait_for(_status().open == 0);
}

static void _in_use(void **state)
{
	fed_err_t err;

	assert_null(listener_create("flurm", port, _take, NULL, &err));
	assert_int_equal(err.code, EADDRINUSE);
}

/* Open ones, silent or half through, do not hold up the end. */
static void _ends_at_once(void **state)
{
	int fds[20];

	for (int i = 0; i < 20; i++) {
		fds[i] = _connect();
		assert_int_equal(write(fds[i], "\0\0\1\0ab", i % 7), i % 7);
	}
	wait_for(_status().accepted == 20);
	_teardown(NULL);
	for (int i = 0; i < 20; i++) {
		assert_true(_is_closed(fds[i], 2000));
		close(fds[i]);
	}
	/* the port is free again at once */
	_setup(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, _setup, _teardown)
	const struct CMUnitTest tests[] = {
		TEST(_serves),
		TEST(_does_not_read),
		TEST(_takes_over),
		TEST(_nonsense),
		TEST(_mutated),
		TEST(_headers),
		TEST(_answer_in_header),
		TEST(_cut),
		TEST(_silent),
		TEST(_in_use),
		TEST(_ends_at_once),
	};

	return cmocka_run_group_tests(tests, slurm_unit_setup,
				      slurm_unit_teardown);
}
