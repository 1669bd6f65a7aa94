/*
 * engine.h - the one thread that owns all jobs.
 *
 * Everything else posts to it. A turn takes what was posted, what the backend
 * reports and what is due, makes events of it, lets the scheduler pick, and
 * commits all of that with one sync; then, and only then, answers and events
 * go out and the backend is told what to do. So nothing is ever said or done
 * that a crash could undo. If the commit fails (a full disk) nothing goes out
 * and it is tried again until it succeeds.
 */
#ifndef FED_GATEWAY_ENGINE_H
#define FED_GATEWAY_ENGINE_H

#include "src/core/err.h"
#include "src/flurm/op.h"
#include "src/flurm/request.h"
#include "src/flurm/server.h"
#include "src/gateway/backend.h"
#include "src/gateway/conf.h"
#include "src/gateway/fault.h"

typedef struct gw_engine gw_engine_t;

/*
 * Open store and backend; recover what ran.
 * IN conf - the engine's from here on
 * RET the engine, not yet running, or NULL (conf is then the caller's)
 */
extern gw_engine_t *gw_engine_create(gw_conf_t *conf,
				     const gw_backend_ops_t *backend,
				     fed_err_t *err);

/* What goes wrong on purpose; before it runs. IN faults - stays valid */
extern void gw_engine_set_faults(gw_engine_t *engine, gw_faults_t *faults);

/* Start its thread. IN server - for its metrics */
extern int gw_engine_start(gw_engine_t *engine, flurm_server_t *server,
			   fed_err_t *err);

/*
 * Answer what was posted, refuse what comes from now on with 503, end the
 * streams, and join the thread. Jobs go on running.
 */
extern void gw_engine_stop(gw_engine_t *engine);
extern void gw_engine_destroy(gw_engine_t *engine);

/* Constant while it runs. */
extern const char *gw_engine_instance(const gw_engine_t *engine);
extern const char *gw_engine_cluster_name(const gw_engine_t *engine);
extern const gw_backend_ops_t *gw_engine_backend(const gw_engine_t *engine);

/* The following may be called from any thread; each answers its request. */

/* IN op - taken over, its content freed */
extern void gw_engine_op(gw_engine_t *engine, flurm_request_t *request,
			 flurm_op_t *op);

/*
 * One element of a batch: an op, or what was wrong with its JSON.
 */
typedef struct {
	flurm_op_t op;
	flurm_result_t result;	/* status 0: the op is to be done */
} gw_batch_item_t;

/* IN items - taken over */
extern void gw_engine_batch(gw_engine_t *engine, flurm_request_t *request,
			    gw_batch_item_t *items, size_t count);

/* Views; their parameters are in the request. */
typedef enum {
	GW_VIEW_JOBS,
	GW_VIEW_JOB,
	GW_VIEW_STATS,
	GW_VIEW_PARTITIONS,
	GW_VIEW_NODES,
	GW_VIEW_METRICS,
	GW_VIEW_COUNT,
} gw_view_t;

extern void gw_engine_view(gw_engine_t *engine, flurm_request_t *request,
			   gw_view_t view);

/* The event stream. */
extern void gw_engine_events(gw_engine_t *engine, flurm_request_t *request);

/* Events up to seq are safe with a client: they may be forgotten. */
extern void gw_engine_ack(gw_engine_t *engine, flurm_request_t *request,
			  uint64_t seq);

/* A command to the backend. IN command - the reference is taken */
extern void gw_engine_debug(gw_engine_t *engine, flurm_request_t *request,
			    json_t *command);

/* Take over what of a newer configuration can be; it is freed. */
extern void gw_engine_reload(gw_engine_t *engine, gw_conf_t *conf);

#endif
