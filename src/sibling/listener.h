/*
 * listener.h - the controller's port.
 *
 * One thread accepts and reads the first frame of each connection, within
 * bounds, so that silent and slow peers cost a descriptor for a few seconds
 * and nothing else; what by its header can be no request ends there, too. A few
 * workers check who sent it and answer, others for natives and slurmdbd than
 * for clients, by what the header says it is. A connection that turns out to be
 * a persistent one gets a thread of its own (inbound.h).
 */
#ifndef FED_SIBLING_LISTENER_H
#define FED_SIBLING_LISTENER_H

#include <stdint.h>

#include "src/core/err.h"
#include "src/sibling/compat.h"

typedef struct listener listener_t;

/*
 * A first frame that came whole and whose credential is good.
 * IN msg - msg->conn_fd is its connection; freed by the listener
 * RET true if the connection was taken over, false to have it closed
 */
typedef bool (*listener_take_t)(void *arg, slurm_msg_t *msg);

typedef struct {
	uint64_t accepted;
	uint64_t served;	/* handed to a worker's take() */
	uint64_t rejected;	/* no whole, good frame came */
	uint32_t open;		/* now, without those taken over */
} listener_status_t;

/* IN cluster - for the log; must outlive the listener */
extern listener_t *listener_create(const char *cluster, uint16_t port,
				   listener_take_t take, void *arg,
				   fed_err_t *err);

/* Close the port, and what waits to be answered. NULL is fine. */
extern void listener_stop(listener_t *listener);

/*
 * ... and wait for those who are being answered: half a second, then their
 * connections are cut. What was taken over stays open. NULL is fine.
 */
extern void listener_destroy(listener_t *listener);
extern void listener_get_status(listener_t *listener, listener_status_t *ret);

#endif
