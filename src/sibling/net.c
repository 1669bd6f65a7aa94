/*
 * net.c - sockets that never block longer than told (see net.h).
 */
#include "src/sibling/net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define LISTEN_BACKLOG 1024	/* as slurmctld's (DEFAULT_LISTEN_BACKLOG) */
/*
 * A peer whose host is gone without a word is given up after a minute, the
 * system's way: a native that reads nothing keeps its connection.
 */
#define SILENT_S 30		/* before it is asked whether it is there */
#define SILENT_EVERY_S 10
#define SILENT_TIMES 3
#define LOST_MS 60000		/* it does not acknowledge what was sent */

extern int64_t net_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void _host(int fd, int (*name)(int, struct sockaddr *, socklen_t *),
		  char host[NET_HOST_SIZE])
{
	static const char mapped[] = "::ffff:";
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);

	host[0] = 0;
	if (name(fd, (struct sockaddr *) &addr, &len) ||
	    getnameinfo((struct sockaddr *) &addr, len, host, NET_HOST_SIZE,
			NULL, 0, NI_NUMERICHOST)) {
		host[0] = 0;
		return;
	}
	/* an IPv4 address that came to a socket for both */
	if (!strncmp(host, mapped, sizeof(mapped) - 1) && strchr(host, '.'))
		memmove(host, host + sizeof(mapped) - 1,
			strlen(host) - sizeof(mapped) + 2);
}

extern void net_peer_host(int fd, char host[NET_HOST_SIZE])
{
	_host(fd, getpeername, host);
}

extern bool net_is_local(int fd)
{
	char here[NET_HOST_SIZE], there[NET_HOST_SIZE];

	_host(fd, getsockname, here);
	_host(fd, getpeername, there);
	return here[0] && !strcmp(here, there);
}

static int64_t _deadline(int timeout_ms)
{
	return (timeout_ms < 0) ? INT64_MAX : net_now_ms() + timeout_ms;
}

/* RET 1 ready, 0 deadline passed, -1 stopped or failed with err */
static int _wait(int fd, short events, int stop_fd, int64_t deadline,
		 fed_err_t *err)
{
	struct pollfd pfd[2] = {
		{ .fd = fd, .events = events },
		{ .fd = stop_fd, .events = POLLIN },
	};

	while (1) {
		int64_t left = -1;
		int rc;

		if (deadline != INT64_MAX) {
			left = deadline - net_now_ms();
			if (left < 0)
				left = 0;
			if (left > 60000)
				left = 60000;
		}
		rc = poll(pfd, (stop_fd >= 0) ? 2 : 1, left);
		if ((rc < 0) && (errno != EINTR))
			return fed_err_set(err, errno, "poll: %s",
					   strerror(errno));
		if ((rc > 0) && (stop_fd >= 0) && pfd[1].revents)
			return fed_err_set(err, ECANCELED, "stopped");
		if ((rc > 0) && pfd[0].revents)
			return 1;
		if ((deadline != INT64_MAX) && (net_now_ms() >= deadline))
			return 0;
	}
}

extern int net_wait_input(int fd, int stop_fd, int timeout_ms, fed_err_t *err)
{
	return _wait(fd, POLLIN, stop_fd, _deadline(timeout_ms), err);
}

static void _set_tcp(int fd, int option, int value)
{
	(void) setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value));
}

extern void net_prepare(int fd)
{
	int one = 1;

	fd_set_nonblocking(fd);
	fd_set_close_on_exec(fd);
	_set_tcp(fd, TCP_NODELAY, 1);
	_set_tcp(fd, TCP_QUICKACK, 1);
	(void) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	_set_tcp(fd, TCP_KEEPIDLE, SILENT_S);
	_set_tcp(fd, TCP_KEEPINTVL, SILENT_EVERY_S);
	_set_tcp(fd, TCP_KEEPCNT, SILENT_TIMES);
	_set_tcp(fd, TCP_USER_TIMEOUT, LOST_MS);
}

static int _connect_one(const struct addrinfo *ai, int stop_fd,
			int64_t deadline, fed_err_t *err)
{
	socklen_t len = sizeof(int);
	int fd, rc, so_error = 0;

	fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC,
		    ai->ai_protocol);
	if (fd < 0)
		return fed_err_set(err, errno, "socket: %s", strerror(errno));
	net_prepare(fd);
	if (!connect(fd, ai->ai_addr, ai->ai_addrlen))
		return fd;
	if (errno != EINPROGRESS) {
		fed_err_set(err, errno, "%s", strerror(errno));
		goto fail;
	}
	rc = _wait(fd, POLLOUT, stop_fd, deadline, err);
	if (rc < 0)
		goto fail;
	if (rc == 0) {
		fed_err_set(err, ETIMEDOUT, "timed out");
		goto fail;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &so_error, &len))
		so_error = errno;
	if (!so_error)
		return fd;
	fed_err_set(err, so_error, "%s", strerror(so_error));
fail:
	close(fd);
	return -1;
}

extern int net_connect(const char *host, uint16_t port, int stop_fd,
		       int timeout_ms, fed_err_t *err)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int64_t deadline = _deadline(timeout_ms);
	char service[8];
	int rc, fd = -1;

	snprintf(service, sizeof(service), "%u", port);
	if ((rc = getaddrinfo(host, service, &hints, &list)))
		return fed_err_set(err, EHOSTUNREACH, "%s: %s", host,
				   gai_strerror(rc));
	for (struct addrinfo *ai = list; ai && (fd < 0); ai = ai->ai_next) {
		fd = _connect_one(ai, stop_fd, deadline, err);
		if ((fd < 0) && err && (err->code == ECANCELED))
			break;
	}
	freeaddrinfo(list);
	if (fd < 0)
		fed_err_prefix(err, "connect %s:%u", host, port);
	return fd;
}

static int _listen_one(int family, uint16_t port, fed_err_t *err)
{
	struct sockaddr_storage addr = { .ss_family = family };
	socklen_t len;
	int fd, one = 1, zero = 0;

	if (family == AF_INET6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) &addr;

		in6->sin6_addr = in6addr_any;
		in6->sin6_port = htons(port);
		len = sizeof(*in6);
	} else {
		struct sockaddr_in *in = (struct sockaddr_in *) &addr;

		in->sin_addr.s_addr = htonl(INADDR_ANY);
		in->sin_port = htons(port);
		len = sizeof(*in);
	}
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fed_err_set(err, errno, "socket: %s", strerror(errno));
	(void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		(void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero,
				  sizeof(zero));
	if (bind(fd, (struct sockaddr *) &addr, len) ||
	    listen(fd, LISTEN_BACKLOG)) {
		fed_err_set(err, errno, "listen on port %u: %s", port,
			    strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * As slurmctld does, IPv6 only where Slurm is told to use it. On a socket for
 * both a peer of IPv4 has an address like ::ffff:127.0.0.1, which is in no
 * hosts file: Slurm's library looks up the name of each that it complains
 * about, and waits for a name server.
 */
extern int net_listen(uint16_t port, fed_err_t *err)
{
	return _listen_one(compat_ipv6_enabled() ? AF_INET6 : AF_INET, port,
			   err);
}

/* RET bytes read (len), fewer if the peer closed, -1 with err */
static ssize_t _read_all(int fd, int stop_fd, char *data, size_t len,
			 int64_t deadline, fed_err_t *err)
{
	size_t done = 0;
	int one = 1;

	while (done < len) {
		ssize_t n = recv(fd, data + done, len - done, 0);
		int rc;

		if (n > 0) {
			done += n;
			(void) setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &one,
					  sizeof(one));
			continue;
		}
		if (n == 0)
			break;
		if (errno == EINTR)
			continue;
		if ((errno != EAGAIN) && (errno != EWOULDBLOCK))
			return fed_err_set(err, errno, "recv: %s",
					   strerror(errno));
		if ((rc = _wait(fd, POLLIN, stop_fd, deadline, err)) < 0)
			return -1;
		if (rc == 0)
			return fed_err_set(err, ETIMEDOUT,
					   "no input for too long");
	}
	return done;
}

extern int net_read_frame(int fd, int stop_fd, uint32_t max, int first_ms,
			  int rest_ms, buf_t **ret_buf, fed_err_t *err)
{
	/* grown as bytes arrive: a length costs a peer nothing to claim */
	const uint32_t step = 1024 * 1024;
	int64_t deadline;
	uint32_t net_len, len, got = 0;
	char *data = NULL;
	ssize_t n;

	n = _read_all(fd, stop_fd, (char *) &net_len, 1, _deadline(first_ms),
		      err);
	if (n <= 0)
		return n;
	deadline = _deadline(rest_ms);
	n = _read_all(fd, stop_fd, (char *) &net_len + 1, 3, deadline, err);
	if (n < 0)
		return -1;
	if (n < 3)
		return fed_err_set(err, EPIPE, "cut short in a length");
	len = ntohl(net_len);
	if ((len < 2) || (len > max))
		return fed_err_set(err, EMSGSIZE, "frame of %u bytes (%u allowed)",
				   len, max);
	while (got < len) {
		uint32_t want = len - got;

		if (want > step)
			want = step;
		xrealloc_nz(data, got + want);
		n = _read_all(fd, stop_fd, data + got, want, deadline, err);
		if (n < (ssize_t) want) {
			xfree(data);
			if (n < 0)
				return -1;
			return fed_err_set(err, EPIPE,
					   "cut short after %u of %u bytes",
					   (uint32_t) (got + n), len);
		}
		got += want;
	}
	*ret_buf = create_buf(data, len);
	return 1;
}

extern int net_write_frame(int fd, int stop_fd, const buf_t *buf,
			   int timeout_ms, fed_err_t *err)
{
	uint32_t len = get_buf_offset(buf), net_len = htonl(len);
	struct iovec iov[2] = {
		{ .iov_base = &net_len, .iov_len = sizeof(net_len) },
		{ .iov_base = get_buf_data(buf), .iov_len = len },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	int64_t deadline = _deadline(timeout_ms);

	while (msg.msg_iovlen) {
		ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL);
		int rc;

		if (n < 0) {
			if (errno == EINTR)
				continue;
			if ((errno != EAGAIN) && (errno != EWOULDBLOCK))
				return fed_err_set(err, errno, "send: %s",
						   strerror(errno));
			rc = _wait(fd, POLLOUT, stop_fd, deadline, err);
			if (rc < 0)
				return -1;
			if (rc == 0)
				return fed_err_set(err, ETIMEDOUT,
						   "peer takes no data");
			continue;
		}
		while (msg.msg_iovlen && (n >= (ssize_t) msg.msg_iov->iov_len)) {
			n -= msg.msg_iov->iov_len;
			msg.msg_iov++;
			msg.msg_iovlen--;
		}
		if (msg.msg_iovlen) {
			msg.msg_iov->iov_base = (char *) msg.msg_iov->iov_base +
						n;
			msg.msg_iov->iov_len -= n;
		}
	}
	return 0;
}
