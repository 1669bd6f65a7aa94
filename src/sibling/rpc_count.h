/*
 * rpc_count.h - how often what was asked, by whom, and how long it took.
 */
#ifndef FED_SIBLING_RPC_COUNT_H
#define FED_SIBLING_RPC_COUNT_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "src/sibling/compat.h"

typedef struct rpc_count rpc_count_t;

extern rpc_count_t *rpc_count_create(void);
extern void rpc_count_destroy(rpc_count_t *count);

/* One more request has been answered. From any thread */
extern void rpc_count_add(rpc_count_t *count, uint16_t type, uid_t uid,
			  uint64_t usec);

extern void rpc_count_reset(rpc_count_t *count);

/* RET when it was begun, or reset last */
extern time_t rpc_count_since(rpc_count_t *count);

/*
 * Append counts by type and by user, as they are in the body of a
 * RESPONSE_STATS_INFO.
 */
extern void rpc_count_pack(rpc_count_t *count, buf_t *buf, uint16_t version);

#endif
