/*
 * net.h - sockets that never block longer than told and stop when told.
 *
 * Every call takes a stop descriptor (an eventfd that becomes readable when
 * the owner stops) and a time-out in milliseconds, -1 for none. Sockets are
 * non-blocking with TCP_NODELAY; TCP_QUICKACK is renewed after each read, so
 * that a native's two-write messages are not held up by a delayed ACK.
 * A frame is Slurm's: a big-endian u32 length, then that many bytes.
 */
#ifndef FED_SIBLING_NET_H
#define FED_SIBLING_NET_H

#include <stdint.h>

#include "src/core/err.h"
#include "src/sibling/compat.h"

/* Slurm's own bound on a message (slurm_protocol_socket.c, MAX_MSG_SIZE) is
 * 1 GiB; no federation message or client RPC comes near this. */
#define NET_FRAME_MAX (128 * 1024 * 1024)

#define NET_HOST_SIZE 64	/* of an address as numbers */

/* RET milliseconds of a clock that is never set */
extern int64_t net_now_ms(void);

/*
 * Connect to host:port, trying each of its addresses.
 * RET a descriptor that the caller closes, or -1 with err
 */
extern int net_connect(const char *host, uint16_t port, int stop_fd,
		       int timeout_ms, fed_err_t *err);

/*
 * Listen on all addresses, IPv6 and IPv4.
 * RET a descriptor that the caller closes, or -1 with err; err->code is
 *	EADDRINUSE if another process holds the port
 */
extern int net_listen(uint16_t port, fed_err_t *err);

/* Make an accepted descriptor as net_connect()'s are. */
extern void net_prepare(int fd);

/*
 * Read one frame.
 * IN first_ms - time-out for its first byte; IN rest_ms - for all after it
 * OUT ret_buf - the frame without its length, for free_buf(); offset 0
 * RET 1 read, 0 the peer closed before a first byte, -1 failed with err
 *	(err->code ECANCELED: stopped; ETIMEDOUT; EMSGSIZE; ...)
 */
extern int net_read_frame(int fd, int stop_fd, uint32_t max, int first_ms,
			  int rest_ms, buf_t **ret_buf, fed_err_t *err);

/*
 * Write one frame with a single call where the kernel takes it.
 * IN buf - its bytes up to the offset are the frame
 * RET 0, or -1 with err
 */
extern int net_write_frame(int fd, int stop_fd, const buf_t *buf,
			   int timeout_ms, fed_err_t *err);

/* OUT host - the address at the other end, as numbers; "" if it has none */
extern void net_peer_host(int fd, char host[NET_HOST_SIZE]);

/* RET true if both ends have the same address: they are on one machine */
extern bool net_is_local(int fd);

/*
 * Wait until fd has input (or its peer has gone).
 * RET 1 input, 0 timed out, -1 stopped or failed with err
 */
extern int net_wait_input(int fd, int stop_fd, int timeout_ms, fed_err_t *err);

#endif
