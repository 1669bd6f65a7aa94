/*
 * rpc.h - what clients, slurmdbd and administrators ask FLURM's controller.
 *
 * One-shot requests, answered from a table: one small handler per request,
 * and "not supported" at once for everything else.
 */
#ifndef FED_SIBLING_RPC_H
#define FED_SIBLING_RPC_H

#include <time.h>

#include "src/core/log.h"
#include "src/sibling/compat.h"
#include "src/sibling/engine.h"
#include "src/sibling/rpc_count.h"
#include "src/sibling/site.h"

typedef struct {
	const char *cluster;	/* ours */
	const site_t *site;
	assoc_t *assoc;		/* who may do what */
	engine_t *engine;
	rpc_count_t *count;
	fed_log_texts_t *complaints;
	uint16_t port;
	time_t started;
	/* slurmdbd pushed a change; it has been answered already */
	void (*accounting)(void *arg, const accounting_update_msg_t *update);
	/* slurmdbd wants us to register again */
	void (*register_again)(void *arg);
	void *arg;
} rpc_conf_t;

/*
 * Answer a request on msg->conn_fd.
 * IN msg - its credential has been verified; stays the caller's
 * IN uid - who sent it
 */
extern void rpc_serve(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid);

#endif
