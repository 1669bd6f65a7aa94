/*
 * stream.c - answers that go on (see stream.h).
 *
 * A stream lives in three hands: its writer, the response that libmicrohttpd
 * reads it through, and for a moment the server's inbox. Its connection is
 * suspended whenever there is nothing to send, so that a stream at rest costs
 * nothing but its memory.
 */
#include "src/flurm/serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"

#define BLOCK (32 << 10)
#define BUFFER_FIRST 4096

static void _unref(flurm_stream_t *stream)
{
	flurm_server_t *server = stream->server;

	if (atomic_fetch_sub(&stream->refs, 1) != 1)
		return;
	pthread_mutex_destroy(&stream->lock);
	pthread_mutex_destroy(&stream->calling);
	free(stream->buffer);
	free(stream);
	server_unref(server);
}

/* Call a hook, unless the writer has closed the stream. Server thread. */
static void _call(flurm_stream_t *stream, void (*hook)(void *arg))
{
	bool closed;

	pthread_mutex_lock(&stream->calling);
	pthread_mutex_lock(&stream->lock);
	closed = stream->closed;
	pthread_mutex_unlock(&stream->lock);
	if (!closed && hook)
		hook(stream->conf.arg);
	pthread_mutex_unlock(&stream->calling);
}

/* --- libmicrohttpd's side --- */

static ssize_t _read(void *arg, uint64_t pos, char *ret_data, size_t max)
{
	flurm_stream_t *stream = arg;
	bool drained = false;
	ssize_t got = 0;
	size_t waiting;

	pthread_mutex_lock(&stream->lock);
	waiting = stream->end - stream->start;
	if (stream->overflow || (stream->gone && !waiting)) {
		got = stream->overflow ? MHD_CONTENT_READER_END_WITH_ERROR :
					 MHD_CONTENT_READER_END_OF_STREAM;
	} else if (waiting) {
		got = (waiting < max) ? waiting : max;
		memcpy(ret_data, stream->buffer + stream->start, got);
		stream->start += got;
		stream->last_ms = stream->server->now_ms;
		waiting -= got;
		drained = stream->high && (waiting < stream->conf.low);
		if (drained)
			stream->high = false;
	} else if (stream->closed) {
		got = MHD_CONTENT_READER_END_OF_STREAM;
	} else {
		stream->idle = true;
	}
	pthread_mutex_unlock(&stream->lock);
	if (!got)
		MHD_suspend_connection(stream->connection);
	if (drained)
		_call(stream, stream->conf.drained);
	return got;
}

static void _response_freed(void *arg)
{
	_unref(arg);
}

extern void stream_attach(flurm_stream_t *stream,
			  struct MHD_Connection *connection)
{
	flurm_server_t *server = stream->server;

	stream->connection = connection;
	stream->prev = NULL;
	stream->next = server->streams;
	if (stream->next)
		stream->next->prev = stream;
	server->streams = stream;
	stream->last_ms = server->now_ms;
	pthread_mutex_lock(&server->lock);
	server->stats.streams++;
	pthread_mutex_unlock(&server->lock);
}

extern void stream_detach(flurm_stream_t *stream)
{
	flurm_server_t *server = stream->server;
	bool attached = stream->connection;

	if (attached) {
		stream->connection = NULL;
		if (stream->next)
			stream->next->prev = stream->prev;
		if (stream->prev)
			stream->prev->next = stream->next;
		else
			server->streams = stream->next;
		pthread_mutex_lock(&server->lock);
		server->stats.streams--;
		pthread_mutex_unlock(&server->lock);
	}
	pthread_mutex_lock(&stream->lock);
	stream->gone = true;
	stream->idle = false;
	pthread_mutex_unlock(&stream->lock);
	/* else the writer itself lets go of a request cut long ago */
	if (attached)
		_call(stream, stream->conf.gone);
	_unref(stream);		/* the request's */
}

extern void stream_written(flurm_server_t *server)
{
	flurm_stream_t *list;

	pthread_mutex_lock(&server->lock);
	list = server->written;
	server->written = NULL;
	pthread_mutex_unlock(&server->lock);
	while (list) {
		flurm_stream_t *stream = list;

		list = stream->next_written;
		pthread_mutex_lock(&stream->lock);
		stream->in_inbox = false;
		pthread_mutex_unlock(&stream->lock);
		if (stream->connection)
			MHD_resume_connection(stream->connection);
		_unref(stream);
	}
}

/* Put bytes into the buffer. The caller holds stream->lock. */
static void _append(flurm_stream_t *stream, const void *data, size_t len)
{
	size_t waiting = stream->end - stream->start;

	if ((stream->end + len > stream->size) && (stream->start >= waiting)) {
		/* at least half of it has been sent: move the rest there */
		if (waiting)
			memcpy(stream->buffer, stream->buffer + stream->start,
			       waiting);
		stream->start = 0;
		stream->end = waiting;
	}
	if (stream->end + len > stream->size) {
		if (!stream->size)
			stream->size = BUFFER_FIRST;
		while (stream->size < stream->end + len)
			stream->size *= 2;
		stream->buffer = fed_realloc(stream->buffer, stream->size);
	}
	memcpy(stream->buffer + stream->end, data, len);
	stream->end += len;
	if (waiting + len >= stream->conf.low)
		stream->high = true;
}

extern int64_t stream_heartbeats(flurm_server_t *server)
{
	int64_t soonest_ms = -1;

	for (flurm_stream_t *stream = server->streams; stream;
	     stream = stream->next) {
		int64_t left_ms;
		bool sent = false;

		if (!stream->conf.heartbeat_ms)
			continue;
		pthread_mutex_lock(&stream->lock);
		left_ms = stream->last_ms + stream->conf.heartbeat_ms -
			server->now_ms;
		if (left_ms <= 0) {
			/* one that is not idle has not taken the last yet */
			left_ms = stream->conf.heartbeat_ms;
			sent = stream->idle;
			if (sent)
				_append(stream, stream->conf.heartbeat,
					strlen(stream->conf.heartbeat));
			stream->idle = false;
		}
		pthread_mutex_unlock(&stream->lock);
		if (sent)
			MHD_resume_connection(stream->connection);
		if ((soonest_ms < 0) || (left_ms < soonest_ms))
			soonest_ms = left_ms;
	}
	return soonest_ms;
}

extern void stream_end_all(flurm_server_t *server)
{
	for (flurm_stream_t *stream = server->streams; stream;
	     stream = stream->next) {
		bool idle;

		pthread_mutex_lock(&stream->lock);
		stream->gone = true;
		idle = stream->idle;
		stream->idle = false;
		pthread_mutex_unlock(&stream->lock);
		if (idle)
			MHD_resume_connection(stream->connection);
	}
}

/* --- the writer's side --- */

extern flurm_stream_t *stream_create(flurm_server_t *server,
				     const flurm_stream_conf_t *conf,
				     struct MHD_Response **ret_response)
{
	flurm_stream_t *stream = fed_calloc(1, sizeof(*stream));
	pthread_mutexattr_t recursive;

	*ret_response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK, _read, stream, _response_freed);
	if (*ret_response)
		MHD_add_response_header(*ret_response, "Content-Type",
					conf->type);
	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&stream->calling, &recursive);
	pthread_mutexattr_destroy(&recursive);
	pthread_mutex_init(&stream->lock, NULL);
	stream->conf = *conf;
	if (!stream->conf.low)
		stream->conf.low = 64 << 10;
	if (!stream->conf.max)
		stream->conf.max = 16 << 20;
	/* writer, request, response */
	atomic_init(&stream->refs, *ret_response ? 3 : 2);
	stream->server = server;
	server_ref(server);
	return stream;
}

/* The caller holds stream->lock. */
static void _wake(flurm_stream_t *stream)
{
	flurm_server_t *server = stream->server;

	if (!stream->idle)
		return;
	stream->idle = false;
	if (stream->in_inbox)
		return;
	stream->in_inbox = true;
	atomic_fetch_add(&stream->refs, 1);
	pthread_mutex_lock(&server->lock);
	stream->next_written = server->written;
	server->written = stream;
	if (!stream->next_written)
		server_wake(server);
	pthread_mutex_unlock(&server->lock);
}

extern ssize_t flurm_stream_write(flurm_stream_t *stream, const void *data,
				  size_t len)
{
	ssize_t waiting = -1;

	pthread_mutex_lock(&stream->lock);
	if (stream->gone || stream->overflow || stream->closed)
		goto end;
	if (stream->end - stream->start + len > stream->conf.max) {
		stream->overflow = true;
	} else {
		_append(stream, data, len);
		waiting = stream->end - stream->start;
	}
	_wake(stream);
end:
	pthread_mutex_unlock(&stream->lock);
	return waiting;
}

extern void flurm_stream_close(flurm_stream_t *stream)
{
	if (!stream)
		return;
	/* waits for a hook that runs in the server's thread just now */
	pthread_mutex_lock(&stream->calling);
	pthread_mutex_lock(&stream->lock);
	stream->closed = true;
	_wake(stream);
	pthread_mutex_unlock(&stream->lock);
	pthread_mutex_unlock(&stream->calling);
	_unref(stream);
}
