/*
 * jobs.h - the sibling jobs that FLURM holds for other clusters.
 *
 * Joins the state machine (core/fed_job.h) to its surroundings: what natives
 * and FLURM say becomes events, what an event changes becomes ledger records,
 * and once those are durable, jobs_act() carries out what is due. All of it
 * belongs to the engine's thread.
 */
#ifndef FED_SIBLING_JOBS_H
#define FED_SIBLING_JOBS_H

#include <jansson.h>
#include <stdint.h>
#include <time.h>

#include "src/core/ledger.h"
#include "src/flurm/client.h"
#include "src/sibling/accounting.h"
#include "src/sibling/assoc.h"
#include "src/sibling/conf.h"
#include "src/sibling/federation.h"
#include "src/sibling/peers.h"
#include "src/sibling/session.h"
#include "src/sibling/site.h"
#include "src/sibling/usage.h"
#include "src/sibling/view.h"

typedef struct jobs jobs_t;

typedef struct {
	const conf_cluster_t *cluster;
	peers_t *peers;
	flurm_client_t *client;
	session_t **sessions;	/* the engine's list */
	accounting_t *accounting;
	assoc_t *assoc;
	uint16_t enforce;	/* AccountingStorageEnforce, its bits */
	bool track_wckey;	/* TrackWCKey */
	const site_t *site;	/* whose AccountingStoreFlags are followed */
	usage_conf_t usage;
} jobs_conf_t;

/* IN conf - copied; peers and client may be set later, by jobs_connect() */
extern jobs_t *jobs_create(const conf_cluster_t *cluster);
extern void jobs_destroy(jobs_t *jobs);

/* RECORD_JOB and its like. RET 0, or -1 with err */
extern int jobs_replay(jobs_t *jobs, uint16_t type, const void *body,
		       size_t len, fed_err_t *err);
extern int jobs_snapshot(jobs_t *jobs, fed_ledger_t *ledger, fed_err_t *err);

/* All is replayed: begin to talk. IN conf - copied; ledger - to append to */
extern void jobs_connect(jobs_t *jobs, const jobs_conf_t *conf,
			 fed_ledger_t *ledger);

/* IN fed - must stay until the next call */
extern void jobs_set_federation(jobs_t *jobs, const federation_t *fed);

/* slurmdbd is within reach, or not. */
extern void jobs_set_slurmdbd(jobs_t *jobs, bool registered);

/* Nodes and partitions. IN nodes - takes the reference; NULL: not known */
extern void jobs_set_nodes(jobs_t *jobs, nodes_t *nodes);

/* Associations, QOS or their limits are not as they were. */
extern void jobs_set_assoc(jobs_t *jobs);

/*
 * An administrator says what an association or a QOS has used.
 * IN raw - 0: nothing; else raw usage, of a QOS
 */
extern void jobs_set_usage(jobs_t *jobs, usage_of_t of, uint32_t id,
			   double raw);

/* What a native says; its data stay the caller's. */
extern void jobs_take_sib(jobs_t *jobs, const char *peer,
			  const sib_msg_t *msg);

/* Our link to a native ended: what it has not acknowledged is not said. */
extern void jobs_origin_lost(jobs_t *jobs, const char *peer);

/* A native answered what was sent with a token of ours. */
extern void jobs_answered(jobs_t *jobs, const char *peer, uint64_t token,
			  uint32_t rc);

/*
 * Another sibling wants to run a job whose origin is down.
 * RET SLURM_SUCCESS if it may
 */
extern uint32_t jobs_lock(jobs_t *jobs, uint32_t job_id, bool unlock);

/*
 * A client wants to signal or end a job that runs here.
 * RET a Slurm return code
 */
extern uint32_t jobs_cancel(jobs_t *jobs, uint32_t job_id, uint16_t signal,
			    uint16_t flags, uint32_t uid);

/*
 * ... or to suspend or resume it.
 * IN done - called once, later, with a Slurm return code
 */
extern void jobs_suspend(jobs_t *jobs, uint32_t job_id, bool suspend,
			 void (*done)(void *arg, uint32_t rc), void *arg);

/* ... or to tell it something. IN text - copied; done - as above */
extern void jobs_notify(jobs_t *jobs, uint32_t job_id, const char *text,
			void (*done)(void *arg, uint32_t rc), void *arg);

/* To have jobs that wait start before others of the same user */
typedef struct {
	const uint32_t *ids;	/* in the order that they are to have */
	int count;
	uint32_t uid;		/* whose they must be; 0: anybody's */
} jobs_top_t;

/*
 * Let jobs change priorities and nice values with others, so that they are the
 * first. FLURM hears of it as of an update.
 * RET a Slurm return code
 */
extern uint32_t jobs_top(jobs_t *jobs, const jobs_top_t *top);

/* To have jobs that wait cancelled by their origins */
typedef struct jobs_ask jobs_ask_t;
struct jobs_ask {
	const uint32_t *ids;
	int count;
	uint16_t signal;
	uint16_t flags;
	uint32_t uid;
	/*
	 * of each: what its origin says, or that there is no connection,
	 * SLURM_COMMUNICATIONS_CONNECTION_ERROR
	 */
	uint32_t *rcs;
	void (*done)(jobs_ask_t *ask); /* once, when there are all rcs */
	void *arg;
	int left;		/* jobs.h's own */
};

/* IN ask - stays the caller's until it is done */
extern void jobs_ask(jobs_t *jobs, jobs_ask_t *ask);

/* Nobody is heard any more: what is asked is done with SLURM_ERROR. */
extern void jobs_ask_end(jobs_t *jobs);

/* RET body of a RESPONSE_JOB_INFO with all that a peer must hear of */
extern buf_t *jobs_sync_list(jobs_t *jobs, const fed_member_t *peer,
			     uint16_t version, time_t now);

/* RET true unless all that is known of are tombstones */
extern bool jobs_are_left(const jobs_t *jobs);

/* FLURM says which state of its it serves; only the first such word counts. */
extern void jobs_saw_instance(jobs_t *jobs, const char *instance_id);

/* Append what is kept once per turn. To be called before each commit. */
extern void jobs_flush(jobs_t *jobs);

/* Carry out what is due. To be called when all that was appended is durable. */
extern void jobs_act(jobs_t *jobs);

/* Time passes. To be called about once a second. */
extern void jobs_tick(jobs_t *jobs, time_t now);

/* RET a number that grows with all that jobs_view() would show */
extern uint64_t jobs_changes(const jobs_t *jobs);

/* RET a number that grows when a job takes or leaves its nodes */
extern uint64_t jobs_moves(const jobs_t *jobs);

/* RET the job's own, until the next call of anything here; or NULL */
extern const char *jobs_script(const jobs_t *jobs, uint32_t job_id);

/* Add the jobs to a view: of each id the newest epoch. */
extern void jobs_view(jobs_t *jobs, view_t *view);

/* RET an object, a new reference */
extern json_t *jobs_status(const jobs_t *jobs);

/* RET Slurm's base job state for an end */
extern uint32_t jobs_end_state(fed_job_end_t end);

#endif
