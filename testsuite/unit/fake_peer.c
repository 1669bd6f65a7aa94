/*
 * fake_peer.c - a slurmctld or slurmdbd that does what the test says (see
 * fake_peer.h).
 */
#include "testsuite/unit/fake_peer.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#include "src/sibling/net.h"

#define CONNS_MAX 200

typedef struct {
	fake_peer_t *fake;
	pthread_t thread;
	persist_t persist;
} conn_t;

struct fake_peer {
	pthread_t thread;	/* accepts */
	int fd;
	uint16_t port;
	bool dbd;
	fake_take_t take;
	void *arg;
	int stop_fd;
	pthread_mutex_t lock;	/* all below */
	const char *refusal;
	uint16_t version;
	int inits;
	char last_cluster[64];
	uint16_t last_port;
	int last_type;
	conn_t conn[CONNS_MAX];
	int conn_cnt;
};

extern void wait_ms(int ms)
{
	const struct timespec time = { .tv_sec = ms / 1000,
				       .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

extern int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static uint16_t _port_of(int fd)
{
	struct sockaddr_in6 addr;
	socklen_t len = sizeof(addr);

	assert_int_equal(getsockname(fd, (struct sockaddr *) &addr, &len), 0);
	return ntohs(addr.sin6_port);
}

extern uint16_t free_port(void)
{
	int fd = net_listen(0, NULL);
	uint16_t port;

	assert_true(fd >= 0);
	port = _port_of(fd);
	close(fd);
	return port;
}

/* RET true with the PERSIST_INIT that begins a connection, in msg */
static bool _read_init(conn_t *conn, slurm_msg_t *msg)
{
	buf_t *buf = NULL;
	uint16_t type;
	bool good;

	slurm_msg_t_init(msg);
	if (net_read_frame(conn->persist.fd, conn->persist.stop_fd, 65536,
			   5000, 5000, &buf, NULL) <= 0)
		return false;
	/* to slurmdbd every message begins with its type, this one too */
	if (conn->fake->dbd)
		safe_unpack16(&type, buf);
	good = !slurm_unpack_received_msg(msg, conn->persist.fd, buf) &&
	       (msg->msg_type == REQUEST_PERSIST_INIT);
	free_buf(buf);
	if (!good)
		compat_free_msg_members(msg);
	return good;

unpack_error:
	free_buf(buf);
	return false;
}

/* LOCKED. As persist_accept(), but it may name a version that it is not */
static void _answer(conn_t *conn)
{
	uint16_t told = conn->fake->version;
	const char *refusal = conn->fake->refusal;
	persist_rc_msg_t answer = {
		.comment = (char *) refusal,
		.rc = refusal ? SLURM_ERROR : SLURM_SUCCESS,
		.ret_info = told ? told : conn->persist.version,
	};
	buf_t *buf = init_buf(256);

	pack16(PERSIST_RC, buf);
	slurm_persist_pack_rc_msg(&answer, buf, conn->persist.version);
	(void) net_write_frame(conn->persist.fd, -1, buf, 5000, NULL);
	free_buf(buf);
	if (told && (told < conn->persist.version))
		conn->persist.version = told;
}

/* RET true if the connection is good for messages */
static bool _begin(conn_t *conn)
{
	fake_peer_t *fake = conn->fake;
	persist_init_req_msg_t *init;
	slurm_msg_t msg;
	bool taken;

	if (!_read_init(conn, &msg))
		return false;
	init = msg.data;
	pthread_mutex_lock(&fake->lock);
	snprintf(fake->last_cluster, sizeof(fake->last_cluster), "%s",
		 init->cluster_name);
	fake->last_port = init->port;
	fake->last_type = init->persist_type;
	conn->persist.version = (init->version < COMPAT_VERSION_OWN) ?
				init->version : COMPAT_VERSION_OWN;
	taken = !fake->refusal;
	fake->inits++;
	_answer(conn);
	pthread_mutex_unlock(&fake->lock);
	conn->persist.dbd = fake->dbd;
	compat_free_msg_members(&msg);
	return taken;
}

static void *_run(void *arg)
{
	conn_t *conn = arg;
	fake_peer_t *fake = conn->fake;
	persist_in_t in;
	bool go_on = _begin(conn);

	while (go_on &&
	       (persist_recv(&conn->persist, -1, &in, NULL) > 0)) {
		go_on = fake->take(fake->arg, &conn->persist, &in);
		persist_free_data(&conn->persist, &in);
	}
	(void) shutdown(conn->persist.fd, SHUT_RDWR);
	return NULL;
}

static void *_accept(void *arg)
{
	fake_peer_t *fake = arg;

	while (net_wait_input(fake->fd, fake->stop_fd, -1, NULL) > 0) {
		int fd = accept4(fake->fd, NULL, NULL, SOCK_CLOEXEC);
		conn_t *conn;

		if (fd < 0)
			continue;
		net_prepare(fd);
		pthread_mutex_lock(&fake->lock);
		assert_true(fake->conn_cnt < CONNS_MAX);
		conn = &fake->conn[fake->conn_cnt++];
		conn->fake = fake;
		conn->persist = (persist_t) {
			.fd = fd,
			.stop_fd = fake->stop_fd,
			.timeout_ms = 5000,
		};
		pthread_create(&conn->thread, NULL, _run, conn);
		pthread_mutex_unlock(&fake->lock);
	}
	return NULL;
}

extern fake_peer_t *fake_start(uint16_t port, bool dbd, fake_take_t take,
			       void *arg)
{
	fake_peer_t *fake = calloc(1, sizeof(*fake));
	fed_err_t err;

	fake->fd = net_listen(port, &err);
	if (fake->fd < 0)
		fail_msg("%s", err.text);
	fake->port = _port_of(fake->fd);
	fake->dbd = dbd;
	fake->take = take;
	fake->arg = arg;
	fake->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&fake->lock, NULL);
	pthread_create(&fake->thread, NULL, _accept, fake);
	return fake;
}

extern uint16_t fake_stop(fake_peer_t *fake)
{
	uint16_t port = fake->port;
	uint64_t one = 1;

	assert_true(write(fake->stop_fd, &one, sizeof(one)) > 0);
	pthread_join(fake->thread, NULL);
	close(fake->fd);
	for (int i = 0; i < fake->conn_cnt; i++) {
		pthread_join(fake->conn[i].thread, NULL);
		close(fake->conn[i].persist.fd);
	}
	close(fake->stop_fd);
	pthread_mutex_destroy(&fake->lock);
	free(fake);
	return port;
}

extern uint16_t fake_port(const fake_peer_t *fake)
{
	return fake->port;
}

extern void fake_refuse(fake_peer_t *fake, const char *comment)
{
	pthread_mutex_lock(&fake->lock);
	fake->refusal = comment;
	pthread_mutex_unlock(&fake->lock);
}

extern void fake_set_version(fake_peer_t *fake, uint16_t version)
{
	pthread_mutex_lock(&fake->lock);
	fake->version = version;
	pthread_mutex_unlock(&fake->lock);
}

extern void fake_hang_up(fake_peer_t *fake)
{
	pthread_mutex_lock(&fake->lock);
	for (int i = 0; i < fake->conn_cnt; i++)
		(void) shutdown(fake->conn[i].persist.fd, SHUT_RDWR);
	pthread_mutex_unlock(&fake->lock);
}

extern int fake_inits(fake_peer_t *fake)
{
	int inits;

	pthread_mutex_lock(&fake->lock);
	inits = fake->inits;
	pthread_mutex_unlock(&fake->lock);
	return inits;
}

extern void fake_last_init(fake_peer_t *fake, char cluster[64],
			   uint16_t *ret_port, int *ret_type)
{
	pthread_mutex_lock(&fake->lock);
	memcpy(cluster, fake->last_cluster, sizeof(fake->last_cluster));
	*ret_port = fake->last_port;
	*ret_type = fake->last_type;
	pthread_mutex_unlock(&fake->lock);
}
