/*
 * sibling_net_test.c - src/sibling/net: frames whole, cut and too long,
 * time-outs, and stopping whatever waits.
 */
#include "testsuite/unit/slurm_unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include "src/sibling/net.h"

static int pair[2];		/* [0] ours, [1] the peer's */
static int stop_fd;

static int _setup(void **state)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	net_prepare(pair[0]);
	stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return 0;
}

static int _teardown(void **state)
{
	close(pair[0]);
	if (pair[1] >= 0)
		close(pair[1]);
	close(stop_fd);
	return 0;
}

static void _stop(void)
{
	uint64_t one = 1;

	assert_int_equal(write(stop_fd, &one, sizeof(one)), sizeof(one));
}

static int64_t _now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void _peer_says(const void *data, size_t len)
{
	assert_int_equal(write(pair[1], data, len), len);
}

static void _peer_ends(void)
{
	close(pair[1]);
	pair[1] = -1;
}

static int _read(uint32_t max, int first_ms, int rest_ms, buf_t **ret_buf,
		 fed_err_t *err)
{
	*ret_buf = NULL;
	memset(err, 0, sizeof(*err));
	return net_read_frame(pair[0], stop_fd, max, first_ms, rest_ms,
			      ret_buf, err);
}

static void _whole(void **state)
{
	fed_err_t err;
	buf_t *buf;

	_peer_says("\0\0\0\3abc\0\0\0\2de", 13);
	assert_int_equal(_read(100, 1000, 1000, &buf, &err), 1);
	assert_int_equal(size_buf(buf), 3);
	assert_int_equal(get_buf_offset(buf), 0);
	assert_memory_equal(get_buf_data(buf), "abc", 3);
	free_buf(buf);
	assert_int_equal(_read(100, 1000, 1000, &buf, &err), 1);
	assert_memory_equal(get_buf_data(buf), "de", 2);
	free_buf(buf);
	/* and then it ends, between frames */
	_peer_ends();
	assert_int_equal(_read(100, 1000, 1000, &buf, &err), 0);
}

/* Each length of a frame of five bytes that is not the whole */
static void _cut(void **state)
{
	static const char frame[] = "\0\0\0\5abcde";

	for (size_t len = 1; len < 9; len++) {
		fed_err_t err;
		buf_t *buf;

		_peer_says(frame, len);
		_peer_ends();
		assert_int_equal(_read(100, 1000, 1000, &buf, &err), -1);
		assert_int_equal(err.code, EPIPE);
		_teardown(NULL);
		_setup(NULL);
	}
}

static void _byte_by_byte(void **state)
{
	static const char frame[] = "\0\0\0\5abcde";
	fed_err_t err;
	buf_t *buf;

	for (size_t i = 0; i < 8; i++)
		_peer_says(frame + i, 1);
	assert_int_equal(_read(100, 50, 50, &buf, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
}

static void _lengths(void **state)
{
	static const struct {
		const char *head;
		uint32_t max;
		bool good;
	} cases[] = {
		{ "\0\0\0\0", 100, false }, { "\0\0\0\1", 100, false },
		{ "\0\0\0\2", 100, true }, { "\0\0\0\144", 100, true },
		{ "\0\0\0\145", 100, false }, { "\377\377\377\377",
		NET_FRAME_MAX, false }, { "\x08\0\0\1", NET_FRAME_MAX, false },
	};
	char body[100] = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fed_err_t err;
		buf_t *buf;
		int rc;

		_peer_says(cases[i].head, 4);
		_peer_says(body, sizeof(body));
		rc = _read(cases[i].max, 1000, 1000, &buf, &err);
		assert_int_equal(rc, cases[i].good ? 1 : -1);
		if (rc > 0)
			free_buf(buf);
		else
			assert_int_equal(err.code, EMSGSIZE);
		_teardown(NULL);
		_setup(NULL);
	}
}

/* A length costs nothing to claim: memory grows with what comes. */
static void _claims_much(void **state)
{
	fed_err_t err;
	buf_t *buf;

	_peer_says("\x07\xff\xff\xff" "abc", 7);
	assert_int_equal(_read(NET_FRAME_MAX, 1000, 50, &buf, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
}

static void _time_outs(void **state)
{
	int64_t start = _now_ms();
	fed_err_t err;
	buf_t *buf;

	/* nothing at all */
	assert_int_equal(_read(100, 50, 5000, &buf, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
	/* a beginning: from there on it is the other one that counts */
	_peer_says("\0", 1);
	assert_int_equal(_read(100, 5000, 50, &buf, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
	assert_true(_now_ms() - start < 4000);
	assert_int_equal(net_wait_input(pair[0], stop_fd, 0, &err), 0);
	_peer_says("\0", 1);
	assert_int_equal(net_wait_input(pair[0], stop_fd, -1, &err), 1);
}

static void *_stop_soon(void *arg)
{
	const struct timespec soon = { .tv_nsec = 30 * 1000000 };

	nanosleep(&soon, NULL);
	_stop();
	return NULL;
}

static void _stopped(void **state)
{
	pthread_t thread;
	fed_err_t err;
	buf_t *buf;

	pthread_create(&thread, NULL, _stop_soon, NULL);
	assert_int_equal(_read(100, -1, -1, &buf, &err), -1);
	assert_int_equal(err.code, ECANCELED);
	pthread_join(thread, NULL);
	/* it stays stopped, also for what has begun */
	_peer_says("\0\0", 2);
	assert_int_equal(_read(100, -1, -1, &buf, &err), -1);
	assert_int_equal(err.code, ECANCELED);
	assert_int_equal(net_wait_input(pair[0], stop_fd, -1, &err), -1);
	assert_int_equal(err.code, ECANCELED);
}

static void *_read_slowly(void *arg)
{
	const struct timespec step = { .tv_nsec = 1000000 };
	size_t *got = arg;
	char data[30000];
	ssize_t n;

	while ((n = read(pair[1], data, sizeof(data))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			size_t at = *got + i;

			if ((at >= 4) && (data[i] != (char) (at - 4)))
				return (void *) "wrong byte";
		}
		*got += n;
		nanosleep(&step, NULL);
	}
	return NULL;
}

/* More than a socket holds, to one who is slow to read */
static void _write_much(void **state)
{
	uint32_t len = 3000001;
	buf_t *buf = init_buf(len);
	size_t got = 0;
	pthread_t thread;
	void *wrong;
	fed_err_t err;

	for (uint32_t i = 0; i < len; i++)
		get_buf_data(buf)[i] = i;
	set_buf_offset(buf, len);
	pthread_create(&thread, NULL, _read_slowly, &got);
	assert_int_equal(net_write_frame(pair[0], stop_fd, buf, 20000, &err),
			 0);
	shutdown(pair[0], SHUT_WR);
	pthread_join(thread, &wrong);
	assert_null(wrong);
	assert_int_equal(got, len + 4);
	free_buf(buf);
}

static void _write_in_vain(void **state)
{
	buf_t *buf = init_buf(8 << 20);
	pthread_t thread;
	fed_err_t err;

	memset(get_buf_data(buf), 0, 8 << 20);
	set_buf_offset(buf, 8 << 20);
	assert_int_equal(net_write_frame(pair[0], stop_fd, buf, 50, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
	pthread_create(&thread, NULL, _stop_soon, NULL);
	assert_int_equal(net_write_frame(pair[0], stop_fd, buf, -1, &err), -1);
	assert_int_equal(err.code, ECANCELED);
	pthread_join(thread, NULL);
	_peer_ends();
	assert_int_equal(net_write_frame(pair[0], stop_fd, buf, -1, &err), -1);
	assert_int_equal(err.code, EPIPE);
	free_buf(buf);
}

static uint16_t _port_of(int fd)
{
	struct sockaddr_in6 addr;
	socklen_t len = sizeof(addr);

	assert_int_equal(getsockname(fd, (struct sockaddr *) &addr, &len), 0);
	return ntohs(addr.sin6_port);
}

static void _connect(void **state)
{
	fed_err_t err = { 0 };
	int listener = net_listen(0, &err), fd, peer, idle = 0;
	uint16_t port;
	char byte;

	assert_true(listener >= 0);
	port = _port_of(listener);
	/* by IPv4 and by name; one socket takes both families */
	for (int i = 0; i < 2; i++) {
		fd = net_connect(i ? "localhost" : "127.0.0.1", port, stop_fd,
				 2000, &err);
		assert_true(fd >= 0);
		/* not the system's two hours */
		assert_false(getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle,
					&(socklen_t) { sizeof(idle) }));
		assert_in_range(idle, 1, 60);
		assert_int_equal(net_wait_input(listener, stop_fd, 2000, &err),
				 1);
		peer = accept(listener, NULL, NULL);
		assert_true(peer >= 0);
		assert_int_equal(write(fd, "x", 1), 1);
		assert_int_equal(read(peer, &byte, 1), 1);
		close(peer);
		close(fd);
	}
	/* taken */
	assert_int_equal(net_listen(port, &err), -1);
	assert_int_equal(err.code, EADDRINUSE);
	close(listener);
	/* nobody there */
	assert_int_equal(net_connect("127.0.0.1", port, stop_fd, 2000, &err),
			 -1);
	assert_int_equal(err.code, ECONNREFUSED);
	assert_non_null(strstr(err.text, "connect 127.0.0.1:"));
	assert_int_equal(net_connect("host.invalid", port, stop_fd, 2000,
				     &err), -1);
	assert_int_equal(err.code, EHOSTUNREACH);
	assert_non_null(strstr(err.text, "host.invalid"));
}

/* One whose queue is full answers nothing: as behind a firewall that drops. */
static void _connect_in_vain(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fds[8], cnt = 0;
	int64_t start;
	pthread_t thread;
	fed_err_t err = { 0 };

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *) &addr, len), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *) &addr,
				     &len), 0);
	while ((cnt < 8) &&
	       ((fds[cnt] = net_connect("127.0.0.1", ntohs(addr.sin_port),
					stop_fd, 200, &err)) >= 0))
		cnt++;
	assert_in_range(cnt, 1, 7);
	assert_int_equal(err.code, ETIMEDOUT);
	start = _now_ms();
	pthread_create(&thread, NULL, _stop_soon, NULL);
	assert_int_equal(net_connect("127.0.0.1", ntohs(addr.sin_port),
				     stop_fd, 20000, &err), -1);
	assert_int_equal(err.code, ECANCELED);
	assert_true(_now_ms() - start < 5000);
	pthread_join(thread, NULL);
	while (cnt)
		close(fds[--cnt]);
	close(listener);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, _setup, _teardown)
	const struct CMUnitTest tests[] = {
		TEST(_whole),
		TEST(_cut),
		TEST(_byte_by_byte),
		TEST(_lengths),
		TEST(_claims_much),
		TEST(_time_outs),
		TEST(_stopped),
		TEST(_write_much),
		TEST(_write_in_vain),
		TEST(_connect),
		TEST(_connect_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
