/*
 * stream.h - an answer that goes on until one end has had enough: the event
 * stream.
 *
 * Writing never blocks: what the peer has not taken yet waits in memory, and
 * a writer looks at flurm_stream_write()'s answer to know when to pause.
 * All calls may come from any thread; one thread at a time writes a stream.
 */
#ifndef FED_FLURM_STREAM_H
#define FED_FLURM_STREAM_H

#include <stddef.h>
#include <sys/types.h>

typedef struct flurm_stream flurm_stream_t;

typedef struct {
	const char *type;	/* content type, a constant */
	const char *heartbeat;	/* a constant, sent after heartbeat_ms of */
	unsigned int heartbeat_ms; /* silence; 0: never */
	size_t low;		/* drained() is called below this; 64 KiB */
	size_t max;		/* a peer this far behind is cut off; 16 MiB */
	/*
	 * Called in the server's thread, never at once from a call of the
	 * writer's, never after flurm_stream_close() has returned. Either may
	 * be NULL.
	 */
	void (*drained)(void *arg);	/* what waits fell below low */
	void (*gone)(void *arg);	/* the peer or the server: close it */
	void *arg;
} flurm_stream_conf_t;

/*
 * Send bytes, all or none.
 * RET bytes that wait now, these included; -1 if the peer is gone or was cut
 * off, or there is no memory: close it
 */
extern ssize_t flurm_stream_write(flurm_stream_t *stream, const void *data,
				  size_t len);

/* End it: what waits is still sent. NULL is fine. */
extern void flurm_stream_close(flurm_stream_t *stream);

#endif
