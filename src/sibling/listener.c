/*
 * listener.c - the controller's port (see listener.h).
 */
#include "src/sibling/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/sibling/net.h"
#include "src/sibling/thread.h"

#define CONNS_MAX 256		/* without a whole frame, or not answered */
#define CLIENTS_MAX 192		/* of them, by clients: room for the others */
#define DAEMON_WORKERS 4
#define CLIENT_WORKERS 6
#define FIRST_BYTE_MS 5000
#define WHOLE_FRAME_MS 15000
#define FRAME_MAX (16 * 1024 * 1024) /* beyond any client's request */
#define READ_STEP 65536
#define LAST_ANSWERS_MS 500
#define REASONS_MAX 16		/* for which _reject() is called */

typedef struct conn {
	struct conn *next;	/* in the queue */
	int fd;
	int64_t deadline;
	uint32_t head_got;	/* bytes of the length */
	uint32_t net_len;
	uint32_t len;		/* of the frame, once head_got is 4 */
	uint32_t got;
	char *data;		/* grown as bytes arrive */
	uint32_t size;
} conn_t;

/* Whole frames, and who answers them */
typedef struct {
	listener_t *listener;
	pthread_cond_t more;
	conn_t *head, **tail;
	uint32_t queued;	/* waiting or being answered */
	conn_t *served;		/* being answered, by a worker each */
	pthread_t worker[CLIENT_WORKERS];
	int worker_cnt;
} queue_t;

struct listener {
	const char *cluster;
	listener_take_t take;
	void *arg;
	int fd;
	int stop_fd;
	pthread_t thread;

	conn_t *fresh[CONNS_MAX]; /* the accepting thread's own, by age */
	int fresh_cnt;		/* others may read it: atomic */
	struct {
		const char *why; /* the constant itself */
		fed_log_throttle_t throttle;
	} complaint[REASONS_MAX]; /* the accepting thread's own */

	pthread_mutex_t lock;	/* all below */
	pthread_cond_t answered; /* one less is served */
	queue_t daemons;	/* natives and slurmdbd, who wait with locks */
	queue_t clients;
	bool stop;
	listener_status_t status;
};

static void _free_conn(conn_t *conn)
{
	if (conn->fd >= 0)
		close(conn->fd);
	xfree(conn->data);
	xfree(conn);
}

/* Each reason is held back for itself, however strangers mix them. */
static void _reject(listener_t *listener, conn_t *conn, const char *why)
{
	int i = 0;

	while ((i < REASONS_MAX - 1) && listener->complaint[i].why &&
	       (listener->complaint[i].why != why))
		i++;
	listener->complaint[i].why = why;
	fed_log_throttled(&listener->complaint[i].throttle, FED_LOG_INFO,
			  "cluster %s: a connection to port was closed: %s",
			  listener->cluster, why);
	_free_conn(conn);
	pthread_mutex_lock(&listener->lock);
	listener->status.rejected++;
	pthread_mutex_unlock(&listener->lock);
}

static void _remove_fresh(listener_t *listener, int i)
{
	__atomic_sub_fetch(&listener->fresh_cnt, 1, __ATOMIC_RELAXED);
	memmove(&listener->fresh[i], &listener->fresh[i + 1],
		(listener->fresh_cnt - i) * sizeof(listener->fresh[0]));
}

/* RET 1 the frame is whole, 0 more is to come, -1 hopeless (why) */
static int _read_some(conn_t *conn, const char **why)
{
	ssize_t n;

	while (1) {
		if (conn->head_got < 4) {
			n = recv(conn->fd,
				 (char *) &conn->net_len + conn->head_got,
				 4 - conn->head_got, 0);
		} else {
			uint32_t want = conn->len - conn->got;

			if (want > READ_STEP)
				want = READ_STEP;
			if (conn->size < conn->got + want) {
				conn->size = conn->got + want;
				xrealloc_nz(conn->data, conn->size);
			}
			n = recv(conn->fd, conn->data + conn->got, want, 0);
		}
		if (n == 0) {
			*why = "ended before a whole message";
			return -1;
		}
		if (n < 0) {
			if (errno == EINTR)
				continue;
			if ((errno == EAGAIN) || (errno == EWOULDBLOCK))
				return 0;
			*why = "reset before a whole message";
			return -1;
		}
		if (conn->head_got < 4) {
			if (!conn->head_got)
				conn->deadline = net_now_ms() + WHOLE_FRAME_MS;
			conn->head_got += n;
			if (conn->head_got < 4)
				continue;
			conn->len = ntohl(conn->net_len);
			if ((conn->len < 2) || (conn->len > FRAME_MAX)) {
				*why = "a message of impossible length";
				return -1;
			}
			continue;
		}
		conn->got += n;
		if (conn->got == conn->len)
			return 1;
	}
}

/*
 * Why a whole frame is not even unpacked, by its header (pack_header() of
 * slurm_protocol_pack.c). Slurm's unpacker looks up the peer's name and sleeps
 * for each message that it refuses, and unpacks some before it knows who sent
 * them. Its unpackers of answers were written for clients, which trust who
 * answers them: a RESPONSE_JOB_INFO cut short makes them free what was never
 * there, and slurmctld would end with us. Answers come as such or, gathered by
 * a slurmd, within a header: neither is let through.
 * OUT ret_type - of the message if RET is NULL
 */
static const char *_header_fault(const conn_t *conn, uint16_t *ret_type)
{
	/* version, flags, type, u32 length of body, forwards, answers */
	uint16_t head[7];
	uint32_t body_len;

	if (conn->len < sizeof(head))
		return "a message without a header";
	memcpy(head, conn->data, sizeof(head));
	for (int i = 0; i < 7; i++)
		head[i] = ntohs(head[i]);
	if ((head[0] < COMPAT_VERSION_HEADER) ||
	    (head[0] > COMPAT_VERSION_OWN))
		return "a message of a version that is not spoken here";
	body_len = ((uint32_t) head[3] << 16) | head[4];
	if ((body_len > conn->len - sizeof(head)) || head[5] || head[6] ||
	    (head[1] & SLURM_NO_AUTH_CRED))
		return "a message whose header no client writes";
	if (xstrncmp(rpc_num2string(head[2]), "REQUEST_", 8) &&
	    (head[2] != ACCOUNTING_UPDATE_MSG) &&
	    (head[2] != ACCOUNTING_REGISTER_CTLD))
		return "a message that is no request";
	*ret_type = head[2];
	return NULL;
}

/* LOCKED. RET how many there are of both kinds */
static uint32_t _queued(const listener_t *listener)
{
	return listener->daemons.queued + listener->clients.queued;
}

/*
 * Daemons have workers of their own, so that no flood of clients keeps them
 * waiting: a native would schedule nothing meanwhile, slurmdbd commit nothing.
 */
static void _enqueue(listener_t *listener, conn_t *conn, uint16_t type)
{
	bool daemon = (type == REQUEST_PERSIST_INIT) ||
		      (type == ACCOUNTING_UPDATE_MSG) ||
		      (type == ACCOUNTING_REGISTER_CTLD);
	queue_t *queue = daemon ? &listener->daemons : &listener->clients;

	pthread_mutex_lock(&listener->lock);
	if (!daemon && (queue->queued >= CLIENTS_MAX)) {
		pthread_mutex_unlock(&listener->lock);
		_reject(listener, conn, "too many clients at once");
		return;
	}
	conn->next = NULL;
	*queue->tail = conn;
	queue->tail = &conn->next;
	queue->queued++;
	pthread_cond_signal(&queue->more);
	pthread_mutex_unlock(&listener->lock);
}

static void _accept_all(listener_t *listener)
{
	uint32_t queued;
	int fd;

	while ((fd = accept4(listener->fd, NULL, NULL,
			     SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		conn_t *conn = xmalloc(sizeof(*conn));

		net_prepare(fd);
		conn->fd = fd;
		conn->deadline = net_now_ms() + FIRST_BYTE_MS;
		pthread_mutex_lock(&listener->lock);
		queued = _queued(listener);
		listener->status.accepted++;
		pthread_mutex_unlock(&listener->lock);
		if ((queued >= CONNS_MAX) && !listener->fresh_cnt) {
			_reject(listener, conn, "too many at once");
			continue;
		}
		/* who has waited longest has said least: clients speak first */
		if (listener->fresh_cnt + (int) queued >= CONNS_MAX) {
			conn_t *oldest = listener->fresh[0];

			_remove_fresh(listener, 0);
			_reject(listener, oldest,
				"too many at once, and it was silent longest");
		}
		listener->fresh[listener->fresh_cnt] = conn;
		__atomic_add_fetch(&listener->fresh_cnt, 1, __ATOMIC_RELAXED);
	}
}

static void _look_at_fresh(listener_t *listener, const struct pollfd *pfd)
{
	int64_t now = net_now_ms();

	/* from the end, as entries move down */
	for (int i = listener->fresh_cnt - 1; i >= 0; i--) {
		conn_t *conn = listener->fresh[i];
		const char *why = NULL;
		uint16_t type = 0;
		int rc = 0;

		if (pfd[i].revents)
			rc = _read_some(conn, &why);
		if ((rc > 0) && (why = _header_fault(conn, &type)))
			rc = -1;
		if (!rc && (now >= conn->deadline)) {
			rc = -1;
			why = "no whole message came in time";
		}
		if (!rc)
			continue;
		_remove_fresh(listener, i);
		if (rc > 0)
			_enqueue(listener, conn, type);
		else
			_reject(listener, conn, why);
	}
}

static void *_accept_run(void *arg)
{
	listener_t *listener = arg;
	struct pollfd pfd[CONNS_MAX + 2];

	while (1) {
		int cnt = listener->fresh_cnt;

		for (int i = 0; i < cnt; i++) {
			pfd[i].fd = listener->fresh[i]->fd;
			pfd[i].events = POLLIN;
			pfd[i].revents = 0;
		}
		pfd[cnt].fd = listener->fd;
		pfd[cnt].events = POLLIN;
		pfd[cnt].revents = 0;
		pfd[cnt + 1].fd = listener->stop_fd;
		pfd[cnt + 1].events = POLLIN;
		pfd[cnt + 1].revents = 0;
		if ((poll(pfd, cnt + 2, cnt ? 500 : -1) < 0) &&
		    (errno != EINTR))
			fed_error("cluster %s: poll: %s", listener->cluster,
				  strerror(errno));
		if (pfd[cnt + 1].revents)
			break;
		_look_at_fresh(listener, pfd);
		if (pfd[cnt].revents)
			_accept_all(listener);
	}
	while (listener->fresh_cnt) {
		_free_conn(listener->fresh[listener->fresh_cnt - 1]);
		_remove_fresh(listener, listener->fresh_cnt - 1);
	}
	return NULL;
}

/* RET true if the connection was taken over */
static bool _serve(listener_t *listener, conn_t *conn)
{
	slurm_msg_t msg;
	buf_t *buf;
	bool good, taken = false;
	uid_t uid;

	slurm_msg_t_init(&msg);
	msg.conn_fd = conn->fd;
	buf = create_buf(conn->data, conn->len);
	conn->data = NULL;
	good = !slurm_unpack_received_msg(&msg, conn->fd, buf) &&
	       compat_msg_uid(&msg, &uid);
	if (good)
		taken = listener->take(listener->arg, &msg);
	pthread_mutex_lock(&listener->lock);
	if (good)
		listener->status.served++;
	else
		listener->status.rejected++;
	pthread_mutex_unlock(&listener->lock);
	free_buf(buf);
	compat_free_msg_members(&msg);
	return taken;
}

/* LOCKED */
static void _end_served(queue_t *queue, const conn_t *conn)
{
	conn_t **at = &queue->served;

	while (*at != conn)
		at = &(*at)->next;
	*at = conn->next;
	queue->queued--;
	pthread_cond_signal(&queue->listener->answered);
}

static void *_work_run(void *arg)
{
	queue_t *queue = arg;
	listener_t *listener = queue->listener;
	conn_t *conn;
	bool taken;

	while (1) {
		pthread_mutex_lock(&listener->lock);
		while (!queue->head && !listener->stop)
			pthread_cond_wait(&queue->more, &listener->lock);
		if (listener->stop) {
			pthread_mutex_unlock(&listener->lock);
			return NULL;
		}
		conn = queue->head;
		if (!(queue->head = conn->next))
			queue->tail = &queue->head;
		conn->next = queue->served;
		queue->served = conn;
		pthread_mutex_unlock(&listener->lock);
		taken = _serve(listener, conn);
		pthread_mutex_lock(&listener->lock);
		_end_served(queue, conn);
		pthread_mutex_unlock(&listener->lock);
		if (taken)
			conn->fd = -1;
		_free_conn(conn);
	}
}

static void _init_queue(listener_t *listener, queue_t *queue)
{
	queue->listener = listener;
	queue->tail = &queue->head;
	pthread_cond_init(&queue->more, NULL);
}

/* RET 0 or an errno: some may have been started all the same */
static int _start_workers(queue_t *queue, const char *name, int count)
{
	int rc;

	for (; queue->worker_cnt < count; queue->worker_cnt++) {
		if ((rc = thread_start(&queue->worker[queue->worker_cnt], name,
				       _work_run, queue)))
			return rc;
	}
	return 0;
}

static void _end_queue(queue_t *queue)
{
	conn_t *conn;

	for (int i = 0; i < queue->worker_cnt; i++)
		pthread_join(queue->worker[i], NULL);
	while ((conn = queue->head)) {
		queue->head = conn->next;
		_free_conn(conn);
	}
	pthread_cond_destroy(&queue->more);
}

extern listener_t *listener_create(const char *cluster, uint16_t port,
				   listener_take_t take, void *arg,
				   fed_err_t *err)
{
	listener_t *listener = xmalloc(sizeof(*listener));
	int rc;

	listener->cluster = cluster;
	listener->take = take;
	listener->arg = arg;
	pthread_mutex_init(&listener->lock, NULL);
	pthread_cond_init(&listener->answered, NULL);
	_init_queue(listener, &listener->daemons);
	_init_queue(listener, &listener->clients);
	listener->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if ((listener->fd = net_listen(port, err)) < 0)
		goto fail;
	if ((rc = _start_workers(&listener->daemons, "fl-daemons",
				 DAEMON_WORKERS)) ||
	    (rc = _start_workers(&listener->clients, "fl-rpc",
				 CLIENT_WORKERS)))
		goto no_thread;
	if (!(rc = thread_start(&listener->thread, "fl-listener", _accept_run,
				listener)))
		return listener;
	listener->thread = 0;
no_thread:
	fed_err_set(err, rc, "start a thread: %s", strerror(rc));
fail:
	listener_destroy(listener);
	return NULL;
}

extern void listener_stop(listener_t *listener)
{
	uint64_t one = 1;

	if (!listener || (listener->fd < 0))
		return;
	(void) !write(listener->stop_fd, &one, sizeof(one));
	pthread_mutex_lock(&listener->lock);
	listener->stop = true;
	pthread_cond_broadcast(&listener->daemons.more);
	pthread_cond_broadcast(&listener->clients.more);
	pthread_mutex_unlock(&listener->lock);
	if (listener->thread)
		pthread_join(listener->thread, NULL);
	close(listener->fd);
	listener->fd = -1;
}

/* LOCKED */
static void _cut(const queue_t *queue)
{
	for (const conn_t *conn = queue->served; conn; conn = conn->next)
		(void) shutdown(conn->fd, SHUT_RDWR);
}

/*
 * Who does not read his answer would keep us for as long as Slurm waits
 * (slurm_send_timeout()).
 */
static void _last_answers(listener_t *listener)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LAST_ANSWERS_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&listener->lock);
	while (!rc && (listener->daemons.served || listener->clients.served))
		rc = pthread_cond_timedwait(&listener->answered,
					    &listener->lock, &until);
	_cut(&listener->daemons);
	_cut(&listener->clients);
	pthread_mutex_unlock(&listener->lock);
}

extern void listener_destroy(listener_t *listener)
{
	if (!listener)
		return;
	listener_stop(listener);
	_last_answers(listener);
	_end_queue(&listener->daemons);
	_end_queue(&listener->clients);
	close(listener->stop_fd);
	pthread_cond_destroy(&listener->answered);
	pthread_mutex_destroy(&listener->lock);
	xfree(listener);
}

extern void listener_get_status(listener_t *listener, listener_status_t *ret)
{
	pthread_mutex_lock(&listener->lock);
	*ret = listener->status;
	ret->open = _queued(listener) +
		    __atomic_load_n(&listener->fresh_cnt, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&listener->lock);
}
