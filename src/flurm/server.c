/*
 * server.c - an HTTP server with a table of routes: its life and its loop (see
 * server.h; serve.h says how its parts share the work).
 */
#include "fed_config.h"

#include "src/flurm/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/core/mem.h"
#include "src/flurm/pem.h"

#define BACKLOG 512
#define TICK_MS 1000		/* how often slow connections are looked for */
#define GRACE_MS 1000		/* for last answers to be sent at the end */
#define PAUSE_MS 100		/* in accepting, when it cannot be */
#define TLS_PRIORITIES "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"

extern int64_t server_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

extern void server_wake(flurm_server_t *server)
{
	uint64_t one = 1;

	/* cannot fail but when the count is at its maximum: then it is awake */
	if (write(server->wake_fd, &one, sizeof(one)) < 0)
		return;
}

extern void server_ref(flurm_server_t *server)
{
	pthread_mutex_lock(&server->lock);
	server->refs++;
	pthread_mutex_unlock(&server->lock);
}

static void _destroy(flurm_server_t *server)
{
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	if (server->listen_fd >= 0)
		close(server->listen_fd);
	if (server->wake_fd >= 0)
		close(server->wake_fd);
	free((char *) server->conf.name);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

extern void server_unref(flurm_server_t *server)
{
	bool last;

	pthread_mutex_lock(&server->lock);
	last = (--server->refs == 0);
	pthread_mutex_unlock(&server->lock);
	if (last)
		_destroy(server);
}

/* RET milliseconds to wait for libmicrohttpd, heartbeats and slow peers */
static int _timeout_ms(flurm_server_t *server, int64_t heartbeat_ms)
{
	MHD_UNSIGNED_LONG_LONG daemon_ms;
	int64_t ms = server->peers ? TICK_MS : -1;

	if ((MHD_get_timeout(server->daemon, &daemon_ms) == MHD_YES) &&
	    ((ms < 0) || ((int64_t) daemon_ms < ms)))
		ms = daemon_ms;
	if ((server->accept_ms > server->now_ms) &&
	    ((ms < 0) || (ms > PAUSE_MS)))
		ms = PAUSE_MS;
	if ((heartbeat_ms >= 0) && ((ms < 0) || (heartbeat_ms < ms)))
		ms = heartbeat_ms;
	return ms;
}

/* Take the connections that wait, if there is room for them. */
static void _accept(flurm_server_t *server)
{
	struct sockaddr_storage address;
	int on = 1;

	for (int i = 0; i < BACKLOG; i++) {
		socklen_t len = sizeof(address);
		int fd;

		if (server->connections >= server->conf.max_connections) {
			server->accept_ms = server->now_ms + PAUSE_MS;
			return;
		}
		fd = accept4(server->listen_fd, (struct sockaddr *) &address,
			     &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			if ((errno == EAGAIN) || (errno == EWOULDBLOCK))
				return;
			if ((errno == EINTR) || (errno == ECONNABORTED))
				continue;
			fed_log_throttled(&server->accept_throttle,
					  FED_LOG_ERROR, "%s: accept: %s",
					  server->conf.name, strerror(errno));
			server->accept_ms = server->now_ms + PAUSE_MS;
			return;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		/* closes fd if it has too many from that address */
		MHD_add_connection(server->daemon, fd,
				   (struct sockaddr *) &address, len);
	}
}

/* One round: wait, let libmicrohttpd work, take the inbox. */
static void _turn(flurm_server_t *server, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = server->epoll_fd, .events = POLLIN },
		{ .fd = server->wake_fd, .events = POLLIN },
		{ .fd = server->listen_fd, .events = POLLIN },
	};
	uint64_t count;

	/* a full house, or no descriptor left: they wait in the backlog */
	if (server->now_ms < server->accept_ms)
		fds[2].fd = -1;
	if ((poll(fds, 3, timeout_ms) < 0) && (errno != EINTR)) {
		fed_error("%s: poll: %s", server->conf.name, strerror(errno));
		poll(NULL, 0, TICK_MS);
	}
	server->now_ms = server_clock_ms();
	if (fds[1].revents && (read(server->wake_fd, &count,
				    sizeof(count)) < 0))
		fed_error("%s: eventfd: %s", server->conf.name,
			  strerror(errno));
	if (fds[2].revents)
		_accept(server);
	exchange_answered(server);
	stream_written(server);
	MHD_run(server->daemon);
}

static bool _stopping(flurm_server_t *server)
{
	bool stopping;

	pthread_mutex_lock(&server->lock);
	stopping = server->stopping;
	pthread_mutex_unlock(&server->lock);
	return stopping;
}

/* Tell everyone that it is over, and give the last words time to leave. */
static void _wind_up(flurm_server_t *server)
{
	int64_t end_ms = server_clock_ms() + GRACE_MS;

	close(server->listen_fd);
	server->listen_fd = -1;
	exchange_cut_held(server);
	stream_end_all(server);
	do {
		_turn(server, 10);
	} while (server->exchanges && (server_clock_ms() < end_ms));
	/* none may be suspended when it stops */
	exchange_answered(server);
	stream_written(server);
	MHD_stop_daemon(server->daemon);
	server->daemon = NULL;
}

static void *_thread(void *arg)
{
	flurm_server_t *server = arg;
	int64_t tick_ms = 0;

	while (!_stopping(server)) {
		int64_t heartbeat_ms;

		server->now_ms = server_clock_ms();
		heartbeat_ms = stream_heartbeats(server);
		if (server->now_ms >= tick_ms) {
			peer_cut_slow(server);
			tick_ms = server->now_ms + TICK_MS;
		}
		_turn(server, _timeout_ms(server, heartbeat_ms));
	}
	_wind_up(server);
	server_unref(server);
	return NULL;
}

/* Our thread is nobody's to interrupt: signals are the host's affair. */
static int _start_thread(flurm_server_t *server)
{
	sigset_t all, old;
	char name[16];		/* what Linux keeps of it */
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&server->thread, NULL, _thread, server);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc)
		return rc;
	snprintf(name, sizeof(name), "%s", server->conf.name);
	pthread_setname_np(server->thread, name);
	return 0;
}

static int _listen(flurm_server_t *server, fed_err_t *err)
{
	const flurm_server_conf_t *conf = &server->conf;
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	struct sockaddr_storage bound;
	socklen_t bound_len = sizeof(bound);
	struct addrinfo *info;
	char port[8];
	int rc, on = 1;

	snprintf(port, sizeof(port), "%u", conf->port);
	rc = getaddrinfo(conf->address, port, &hints, &info);
	if (rc)
		return fed_err_set(err, EINVAL, "listen address %s: %s",
				   conf->address, gai_strerror(rc));
	server->listen_fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC |
				   SOCK_NONBLOCK, 0);
	rc = -1;
	if (server->listen_fd >= 0) {
		setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on,
			   sizeof(on));
		rc = bind(server->listen_fd, info->ai_addr, info->ai_addrlen);
	}
	if (!rc)
		rc = listen(server->listen_fd, BACKLOG);
	if (!rc)
		rc = getsockname(server->listen_fd, (struct sockaddr *) &bound,
				 &bound_len);
	freeaddrinfo(info);
	if (rc)
		return fed_err_set(err, errno, "listen on %s port %u: %s",
				   conf->address, conf->port, strerror(errno));
	server->port = ntohs((bound.ss_family == AF_INET6) ?
			     ((struct sockaddr_in6 *) &bound)->sin6_port :
			     ((struct sockaddr_in *) &bound)->sin_port);
	return 0;
}

static void _mhd_log(void *arg, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
static void _mhd_log(void *arg, const char *fmt, va_list ap)
{
	flurm_server_t *server = arg;
	char text[512];
	size_t len;

	if (!fed_log_on(FED_LOG_DEBUG))
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	len = strlen(text);
	if (len && (text[len - 1] == '\n'))
		text[len - 1] = '\0';
	fed_debug("%s: libmicrohttpd: %s", server->conf.name, text);
}

/* The TLS part of the daemon's options; count tells how many there are. */
static int _tls_options(const flurm_server_conf_t *conf, pem_t *pem,
			struct MHD_OptionItem *items, fed_err_t *err)
{
	int count = 0;

	if (!conf->tls_cert && !conf->tls_key && !conf->tls_client_ca)
		goto end;
	if (!conf->tls_cert || !conf->tls_key)
		return fed_err_set(err, EINVAL,
				   "TLS needs a certificate and its key");
	if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
		return fed_err_set(err, ENOTSUP,
				   "libmicrohttpd was built without TLS");
	if (pem_read(pem, conf->tls_cert, conf->tls_key, conf->tls_client_ca,
		     err) < 0)
		return -1;
	items[count++] = (struct MHD_OptionItem) {
		MHD_OPTION_HTTPS_MEM_CERT, 0, pem->cert };
	items[count++] = (struct MHD_OptionItem) {
		MHD_OPTION_HTTPS_MEM_KEY, 0, pem->key };
	items[count++] = (struct MHD_OptionItem) {
		MHD_OPTION_HTTPS_PRIORITIES, 0, (void *) TLS_PRIORITIES };
	if (pem->ca)
		items[count++] = (struct MHD_OptionItem) {
			MHD_OPTION_HTTPS_MEM_TRUST, 0, pem->ca };
end:
	items[count] = (struct MHD_OptionItem) { MHD_OPTION_END, 0, NULL };
	return count;
}

static int _start_daemon(flurm_server_t *server, fed_err_t *err)
{
	const flurm_server_conf_t *conf = &server->conf;
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
		MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET;
	struct MHD_OptionItem tls[8];
	const union MHD_DaemonInfo *info;
	pem_t pem = { 0 };
	int count = _tls_options(conf, &pem, tls, err);

	if (count < 0) {
		/* a part of it may have been read */
		pem_free(&pem);
		return -1;
	}
	if (count)
		flags |= MHD_USE_TLS;
	server->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, exchange_access, server,
		/* first: it is used while the rest is read */
		MHD_OPTION_EXTERNAL_LOGGER, _mhd_log, server,
		MHD_OPTION_CONNECTION_LIMIT, conf->max_connections,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		conf->max_connections_per_address,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, conf->max_header,
		MHD_OPTION_CONNECTION_TIMEOUT, conf->idle_s,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_NOTIFY_COMPLETED, exchange_completed, server,
		MHD_OPTION_NOTIFY_CONNECTION, peer_connection, server,
		MHD_OPTION_ARRAY, tls,
		MHD_OPTION_END);
	pem_free(&pem);
	if (!server->daemon)
		return fed_err_set(err, 0, "%s: libmicrohttpd does not start%s",
				   conf->name, count ?
				   ": are certificate and key a pair?" : "");
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	server->epoll_fd = info->epoll_fd;
	return 0;
}

static void _defaults(flurm_server_conf_t *conf)
{
	conf->address = conf->address ? conf->address : "127.0.0.1";
	conf->max_body = conf->max_body ? conf->max_body : 16 << 20;
	conf->max_header = conf->max_header ? conf->max_header : 32 << 10;
	conf->max_connections = conf->max_connections ?
		conf->max_connections : 1024;
	conf->max_connections_per_address = conf->max_connections_per_address ?
		conf->max_connections_per_address : 512;
	conf->max_waiting = conf->max_waiting ? conf->max_waiting : 8192;
	conf->idle_s = conf->idle_s ? conf->idle_s : 120;
	conf->receive_s = conf->receive_s ? conf->receive_s : 30;
}

extern flurm_server_t *flurm_server_start(const flurm_server_conf_t *conf,
					  fed_err_t *err)
{
	flurm_server_t *server = fed_calloc(1, sizeof(*server));
	int rc;

	pthread_mutex_init(&server->lock, NULL);
	server->refs = 1;
	server->conf = *conf;
	server->listen_fd = -1;
	_defaults(&server->conf);
	server->conf.name = fed_strdup(conf->name ? conf->name : "server");
	server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->wake_fd < 0) {
		fed_err_set(err, errno, "eventfd: %s", strerror(errno));
		goto fail;
	}
	if ((_listen(server, err) < 0) || (_start_daemon(server, err) < 0))
		goto fail;
	/* what conf pointed to, but for routes and arg, was needed till here */
	server->conf.address = NULL;
	server->ask_cert = conf->tls_client_ca;
	server->conf.tls_cert = NULL;
	server->conf.tls_key = NULL;
	server->conf.tls_client_ca = NULL;
	server->refs++;		/* the thread's */
	rc = _start_thread(server);
	if (rc) {
		server->refs--;
		fed_err_set(err, rc, "%s: no thread: %s", conf->name,
			    strerror(rc));
		goto fail;
	}
	return server;
fail:
	server_unref(server);
	return NULL;
}

extern uint16_t flurm_server_port(const flurm_server_t *server)
{
	return server->port;
}

extern void flurm_server_stop(flurm_server_t *server)
{
	if (!server)
		return;
	pthread_mutex_lock(&server->lock);
	server->stopping = true;
	pthread_mutex_unlock(&server->lock);
	server_wake(server);
	pthread_join(server->thread, NULL);
	server_unref(server);
}

extern void flurm_server_stats(flurm_server_t *server,
			       flurm_server_stats_t *ret_stats)
{
	pthread_mutex_lock(&server->lock);
	*ret_stats = server->stats;
	pthread_mutex_unlock(&server->lock);
}

static void _metric(FILE *out, const char *prefix, const char *name,
		    const char *type, uint64_t value)
{
	fprintf(out, "# TYPE %s_%s %s\n%s_%s %" PRIu64 "\n", prefix, name, type,
		prefix, name, value);
}

extern void flurm_server_metrics(flurm_server_t *server, const char *prefix,
				 FILE *out)
{
	flurm_server_stats_t stats;

	flurm_server_stats(server, &stats);
	fprintf(out, "# TYPE %s_requests_total counter\n", prefix);
	for (int i = 2; i < 6; i++)
		fprintf(out, "%s_requests_total{class=\"%dxx\"} %" PRIu64 "\n",
			prefix, i, stats.by_class[i]);
	_metric(out, prefix, "received_bytes_total", "counter", stats.bytes_in);
	_metric(out, prefix, "sent_bytes_total", "counter", stats.bytes_out);
	_metric(out, prefix, "slow_connections_total", "counter",
		stats.timed_out);
	_metric(out, prefix, "connections", "gauge", stats.connections);
	_metric(out, prefix, "waiting_requests", "gauge", stats.waiting);
	_metric(out, prefix, "streams", "gauge", stats.streams);
}
