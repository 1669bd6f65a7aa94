/*
 * persist.h - Slurm's persistent connections, from either end.
 *
 * One is opened by a REQUEST_PERSIST_INIT, an ordinary authenticated message,
 * which is answered by PERSIST_RC; from then on each message is a frame of u16
 * type and body, without header or credential (common/persist_conn.c). We do
 * the framing ourselves, since Slurm's keeps a table of connections for the
 * whole process and waits without a bound; the bodies are Slurm's.
 */
#ifndef FED_SIBLING_PERSIST_H
#define FED_SIBLING_PERSIST_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/sibling/compat.h"

typedef struct {
	int fd;			/* -1: not open */
	int stop_fd;		/* readable: stop; not owned */
	uint16_t version;	/* of the bodies: the lower one of both ends */
	bool dbd;		/* bodies are slurmdbd's */
	int timeout_ms;		/* for a write, and for an answer */
	bool refused;		/* the last open was answered by a refusal */
} persist_t;

typedef struct {
	uint16_t type;
	void *data;		/* freed by persist_free_data() */
} persist_in_t;

/*
 * Connect to host:port and open a connection as cluster's controller.
 * IN/OUT conn - stop_fd, dbd and timeout_ms are set by the caller
 * IN type - PERSIST_TYPE_*
 * IN header_version - to pack the opening message with
 * IN my_port - where the peer can connect back to
 * RET 0, or -1 with err; conn->refused tells a refusal from a failure
 */
extern int persist_open(persist_t *conn, const char *host, uint16_t port,
			int type, const char *cluster, uint16_t my_port,
			uint16_t header_version, fed_err_t *err);
extern void persist_close(persist_t *conn);

/* RET 0, or -1 with err; data stays the caller's */
extern int persist_send(persist_t *conn, uint16_t type, void *data,
			fed_err_t *err);

/*
 * Read the next message.
 * IN wait_ms - for its first byte, -1: until it comes
 * RET 1 read, 0 the peer closed, -1 with err
 */
extern int persist_recv(persist_t *conn, int wait_ms, persist_in_t *ret,
			fed_err_t *err);
extern void persist_free_data(persist_t *conn, persist_in_t *in);

/* persist_send(), then persist_recv() of its answer; an end is an error. */
extern int persist_ask(persist_t *conn, uint16_t type, void *data,
		       persist_in_t *ret, fed_err_t *err);

/* The same with a message from persist_pack_item(), which stays the caller's */
extern int persist_ask_packed(persist_t *conn, buf_t *buf, persist_in_t *ret,
			      fed_err_t *err);

/*
 * Answer the REQUEST_PERSIST_INIT that opened this connection.
 * IN rc - 0 to accept; comment tells a person why not
 */
extern int persist_accept(persist_t *conn, int rc, const char *comment,
			  fed_err_t *err);

/* One message body: u16 type, then Slurm's packed body, as in MULT items. */
extern buf_t *persist_pack_item(uint16_t type, void *data, uint16_t version);
extern int persist_unpack_item(buf_t *buf, uint16_t version,
			       persist_in_t *ret, fed_err_t *err);

#endif
