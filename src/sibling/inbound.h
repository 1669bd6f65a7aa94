/*
 * inbound.h - persistent connections that others opened to us.
 *
 * Native members send what they have for us on theirs; slurmdbd (24.11 and
 * later) pushes changes of the accounting data on its own. Each has a thread
 * that reads, has it done and answers, and takes no lock of slurmctld's: the
 * peer waits for the answer with locks held.
 */
#ifndef FED_SIBLING_INBOUND_H
#define FED_SIBLING_INBOUND_H

#include <stdint.h>

#include "src/core/err.h"
#include "src/sibling/compat.h"
#include "src/sibling/engine.h"

typedef struct inbound inbound_t;

typedef struct {
	const char *cluster;	/* ours */
	int timeout_ms;		/* MessageTimeout */
	engine_t *engine;
	/* slurmdbd pushed this; it has been answered already */
	void (*accounting)(void *arg, const accounting_update_msg_t *update);
	/* a sibling came to which we have no link: it may have moved */
	void (*look)(void *arg);
	void *arg;
} inbound_conf_t;

extern inbound_t *inbound_create(const inbound_conf_t *conf);

/* End all connections and wait for their threads. */
extern void inbound_destroy(inbound_t *inbound);

/*
 * A REQUEST_PERSIST_INIT came from a uid that Slurm's daemons run as: accept
 * or refuse it, and say so.
 * IN fd - its connection
 * RET true if the connection was taken over
 */
extern bool inbound_take(inbound_t *inbound, int fd,
			 const persist_init_req_msg_t *init);

extern uint32_t inbound_count(inbound_t *inbound);

#endif
