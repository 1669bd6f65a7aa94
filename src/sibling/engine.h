/*
 * engine.h - the one thread that owns what a FLURM cluster's controller knows.
 *
 * Other threads post to it; it takes all that waits at once, makes it durable
 * with one commit, answers, then acts. It alone touches the ledger, the
 * federation, the dependencies and the FLURM side's client.
 */
#ifndef FED_SIBLING_ENGINE_H
#define FED_SIBLING_ENGINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/sibling/assoc.h"
#include "src/sibling/conf.h"
#include "src/sibling/federation.h"
#include "src/sibling/peers.h"
#include "src/sibling/persist.h"
#include "src/sibling/registrar.h"
#include "src/sibling/site.h"
#include "src/sibling/view.h"

typedef struct engine engine_t;

typedef struct {
	const conf_cluster_t *cluster;
	const site_t *site;
	const char *ledger_dir;	/* of this cluster */
	assoc_t *assoc;		/* told what the ledger knows */
	/* called in the engine's thread: FLURM's size changed, or who is down */
	void (*resources)(void *arg, resources_t *resources);
	/* a peer seems not to know where we are */
	void (*announce)(void *arg);
	/* FLURM is to drain, and no job is left */
	void (*drained)(void *arg);
	/* RET true if slurmdbd has us registered, by a connection that stands */
	bool (*registered)(void *arg);
	/* Have this said to slurmdbd. RET false if nobody can: it is still the
	 * caller's. Called in the engine's thread. */
	bool (*slurmdbd)(void *arg, registrar_request_t *request);
	void *arg;
} engine_conf_t;

/*
 * Open the ledger, replay it and start.
 * IN conf - all of it must outlive the engine
 * RET the engine, or NULL with err: nothing is left behind then
 */
extern engine_t *engine_create(const engine_conf_t *conf, fed_err_t *err);

/*
 * End its thread. Who waits for it, or for FLURM, is told that it failed, and
 * so is who asks later. NULL is fine.
 */
extern void engine_stop(engine_t *engine);

/*
 * ... and all links, and let go of the ledger. Every other thread that knows
 * the engine must have ended. NULL is fine.
 */
extern void engine_destroy(engine_t *engine);

/* All below may be called from any thread but the engine's. */

/* IN fed - takes the caller's reference */
extern void engine_set_federation(engine_t *engine, federation_t *fed);

/* What assoc knows is new: keep it. */
extern void engine_set_assoc(engine_t *engine);

/* What an association or a QOS has used is to be another: jobs_set_usage(). */
extern void engine_set_usage(engine_t *engine, usage_of_t of, uint32_t id,
			     double raw);

/* RET what is known now, with a reference for the caller */
extern federation_t *engine_federation(engine_t *engine);

/* A peer has connected to us: it waits for our JOB_SYNC now. */
extern void engine_peer_came(engine_t *engine, const char *peer);

/*
 * Take the items of one MULT message and wait until that is durable.
 * IN items - their data are the engine's from here on
 * OUT rcs - what to answer to each: SLURM_SUCCESS, or another code for "not
 *	taken, send it again"
 * RET 0, or -1: the engine stops, there is no answer
 */
extern int engine_take(engine_t *engine, const char *peer,
		       persist_in_t *items, int count, uint32_t *rcs);

/*
 * Another cluster wants to lock (or unlock) a job of ours.
 * RET a Slurm return code to answer with
 */
extern uint32_t engine_lock(engine_t *engine, uint32_t job_id,
			    bool unlock);

/* The peers, for their flags; they live as long as the engine. */
extern peers_t *engine_peers(engine_t *engine);

/*
 * What is to be told to those who ask: what was durable a quarter of a second
 * ago or later.
 * RET a reference for the caller; NULL: the engine ends
 */
extern view_t *engine_view(engine_t *engine);

/*
 * ... or, to those who act on a job of which they may just have heard: what is
 * durable now. RET as engine_view()
 */
extern view_t *engine_view_now(engine_t *engine);

/*
 * A client wants to cancel or signal a job that runs here; it may.
 * RET a Slurm return code, of what is durable
 */
extern uint32_t engine_cancel(engine_t *engine, uint32_t job_id,
			      uint16_t signal, uint16_t flags, uint32_t uid);

/*
 * ... or to have jobs that wait start before others of the same user.
 * IN ids - count of them, in this order
 * IN uid - whose they must be; 0: anybody's
 * RET as engine_cancel()
 */
extern uint32_t engine_top(engine_t *engine, const uint32_t *ids, int count,
			   uint32_t uid);

/* ... or to tell one that runs something. RET as engine_suspend() */
extern uint32_t engine_notify(engine_t *engine, uint32_t job_id,
			      const char *text);

/*
 * ... or to have jobs that wait cancelled by their origins, for which it waits
 * some seconds.
 * IN ids - count of them
 * OUT rcs - of each: a Slurm return code;
 *	SLURM_COMMUNICATIONS_CONNECTION_ERROR: the origin is not connected
 */
extern void engine_cancel_at_origin(engine_t *engine, const uint32_t *ids,
				    int count, uint16_t signal, uint16_t flags,
				    uint32_t uid, uint32_t *rcs);

/*
 * ... or to suspend or resume it. Waits for FLURM, for some seconds.
 * RET a Slurm return code, of what FLURM has done
 */
extern uint32_t engine_suspend(engine_t *engine, uint32_t job_id,
			       bool suspend);

/* RET the batch script of a job, for xfree(); NULL: it has none any more */
extern char *engine_script(engine_t *engine, uint32_t job_id);

/* RET an object, a new reference; NULL if the engine did not answer in time */
extern json_t *engine_status(engine_t *engine);

#endif
