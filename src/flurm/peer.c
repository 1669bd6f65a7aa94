/*
 * peer.c - TCP connections, and how long each may take (see serve.h). Server
 * thread only.
 *
 * libmicrohttpd ends a connection that is silent. One that is not silent but
 * never brings a whole request, a byte at a time, is ended here.
 */
#include "src/flurm/serve.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "src/core/log.h"
#include "src/core/mem.h"

static peer_t *_peer(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

extern void peer_due(flurm_server_t *server, struct MHD_Connection *connection,
		     unsigned int seconds)
{
	peer_t *peer = _peer(connection);

	if (peer)
		peer->due_ms = seconds ? server->now_ms + 1000LL * seconds : 0;
}

extern void peer_connection(void *arg, struct MHD_Connection *connection,
			    void **ret_peer,
			    enum MHD_ConnectionNotificationCode code)
{
	flurm_server_t *server = arg;
	peer_t *peer = *ret_peer;
	int change = 1;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(
			connection, MHD_CONNECTION_INFO_CONNECTION_FD);

		peer = fed_calloc(1, sizeof(*peer));
		peer->fd = info->connect_fd;
		peer->due_ms = server->now_ms + 1000LL * server->conf.receive_s;
		peer->next = server->peers;
		if (peer->next)
			peer->next->prev = peer;
		server->peers = peer;
		*ret_peer = peer;
	} else if (peer) {
		if (peer->next)
			peer->next->prev = peer->prev;
		if (peer->prev)
			peer->prev->next = peer->next;
		else
			server->peers = peer->next;
		free(peer);
		*ret_peer = NULL;
		change = -1;
	} else {
		return;
	}
	server->connections += change;
	pthread_mutex_lock(&server->lock);
	server->stats.connections = server->connections;
	pthread_mutex_unlock(&server->lock);
}

extern void peer_cut_slow(flurm_server_t *server)
{
	uint64_t count = 0;

	for (peer_t *peer = server->peers; peer; peer = peer->next) {
		if (peer->cut || !peer->due_ms ||
		    (peer->due_ms > server->now_ms))
			continue;
		/* libmicrohttpd sees the end and closes */
		shutdown(peer->fd, SHUT_RDWR);
		peer->cut = true;
		count++;
	}
	if (!count)
		return;
	fed_debug("%s: %llu connections brought no request in time",
		  server->conf.name, (unsigned long long) count);
	pthread_mutex_lock(&server->lock);
	server->stats.timed_out += count;
	pthread_mutex_unlock(&server->lock);
}
