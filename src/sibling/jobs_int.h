/*
 * jobs_int.h - what jobs*.c share.
 */
#ifndef FED_SIBLING_JOBS_INT_H
#define FED_SIBLING_JOBS_INT_H

#include "src/core/fed_job_table.h"
#include "src/core/log.h"
#include "src/sibling/compat.h"
#include "src/sibling/job_bound.h"
#include "src/sibling/job_kept.h"
#include "src/sibling/jobs.h"
#include "src/sibling/view.h"

/* What belongs to a job beside its state (fed_job_t.host) */
typedef struct job_host {
	struct job_host *next_dirty;
	fed_job_t *job;
	bool dirty;		/* in the list of those to act for */
	char *origin;		/* cluster that sent it */
	uint64_t hash;		/* of the submission, to know it again */
	flurm_job_spec_t *spec;	/* or NULL: FLURM has it from elsewhere */
	bool thin;		/* spec is for those who ask, not for FLURM: its
				 * environment is gone, its script once it ended */
	job_submit_t submit;
	char *script_hash;	/* slurmdbd knows it by; NULL: it is not told */
	char *env_hash;		/* the same */
	job_run_t run;
	uint8_t rows;		/* JOB_ROW_: what slurmdbd is told */
	flurm_job_spec_t *change; /* an update not yet with FLURM, or NULL */
	bool requeue;		/* it may be requeued if its node fails */
	int64_t retry_at;	/* a refused lock may be asked for again */
	int64_t alone_since;	/* its origin is away, or 0 */
	bool sib_asked;		/* its siblings are asked for their lock */
	uint64_t sib_locks;	/* whose lock may be ours: bits of ids */
	uint64_t sib_waits;	/* of these, who has not answered */
	int64_t quiet_until;	/* no lock is asked for before, or 0 */
	uint32_t unsent;	/* actions to be tried again, at unsent_at */
	int64_t unsent_at;
	uint64_t submit_op;	/* under way to FLURM, or 0 */
	uint64_t grant_op;	/* the last one, the same */
	uint64_t list_mark;	/* of the last list of FLURM's with it */
	bool competes;		/* while jobs_top() is at work */
	job_bound_t *bound;	/* whose limits hold for it; NULL: not counted */
	uint8_t exempt;		/* LIMIT_EXEMPT_: no limit of that holds */
	uint32_t waits;		/* WAIT_: the limit, or hold, that keeps it; or 0 */
	int64_t woken;		/* when FLURM was told that it may ask again */
	bool admitted;		/* no limit is in the way of its lock */
	char *offer;		/* nodes that FLURM would start it on, or NULL */
	int64_t offer_cpus;
	view_job_t *view;	/* as it is now, or NULL: nobody asked */
} job_host_t;

#define JOB_ROW_OPEN 1		/* there is a record, and it has not ended */
#define JOB_ROW_SUSPENDED 2	/* it is suspended */
#define JOB_ROW_CLOSED 4	/* it has ended */
#define JOB_ROW_STARTED 8	/* it has started: it is charged for what it
				 * uses (jobs_usage.c) */

typedef struct jobs_asked jobs_asked_t;

struct jobs {
	jobs_conf_t conf;
	fed_ledger_t *ledger;
	const federation_t *fed;
	fed_job_table_t *table;
	job_host_t *dirty;
	jobs_asked_t *asked;	/* of origins, by clients */
	bool slurmdbd;		/* it has us registered */
	nodes_t *nodes;		/* or NULL */
	xhash_t *holders;	/* of limits, with what is in use; or NULL */
	bool freed;		/* a limit may not be in the way any more */
	usage_t *usage;
	int64_t usage_at;	/* when all are charged again */
	int64_t run_out_at;	/* ... and looked at, whether they may go on */
	time_t now;
	/* of FLURM's events */
	uint64_t cursor;	/* up to here they are in the ledger's records */
	char *instance;		/* of FLURM's state that it is of, or NULL */
	uint64_t cursor_written;
	uint64_t cursor_acked;
	bool listing;		/* all jobs are being asked for */
	bool relist;		/* ask again when that is done */
	uint64_t list_asked;	/* stamp of the question */
	uint64_t list_mark;	/* number of the list */
	/* for those who ask */
	uint64_t changes;	/* counts all that a view would show */
	time_t changed_at;
	view_counts_t counts;
};

#define JOB_LOCK_RETRY_S 2
#define JOB_DENY_RETRY_S 2
#define JOB_LIMIT_RETRY_S 60	/* sooner if jobs_limits_tick() says so */

extern uint32_t jobs_our_id(const jobs_t *jobs);

/* Move a job and note what has to be written and done for it. */
extern fed_job_verdict_t jobs_event(jobs_t *jobs, fed_job_t *job,
				    const fed_job_event_t *event);

/* Say of an action that it is on its way, that it arrived, or that not. */
extern void jobs_said(jobs_t *jobs, fed_job_t *job, fed_job_action_t action,
		      fed_job_event_type_t what);

/* jobs_act() is to look at it */
extern void jobs_touch(jobs_t *jobs, fed_job_t *job);

/* RET the job's own, made if there is none */
extern job_host_t *jobs_host(jobs_t *jobs, fed_job_t *job);

/* jobs_ledger.c: append the job's state, or what the host keeps of it */
extern void jobs_write(jobs_t *jobs, const fed_job_t *job);
extern void jobs_write_host(jobs_t *jobs, const fed_job_t *job);
extern void jobs_write_run(jobs_t *jobs, const fed_job_t *job);
/* IN bytes - freed */
extern void jobs_append(jobs_t *jobs, uint16_t type, fed_bytes_t *bytes);

/* jobs_rows.c: append what slurmdbd is to know of it, and does not yet */
extern void jobs_rows(jobs_t *jobs, fed_job_t *job);

/* jobs_change.c: what an update says */
extern void jobs_take_update(jobs_t *jobs, const sib_msg_t *msg);

/*
 * Add to what it asks for, and to what FLURM is yet to hear, which an event
 * has to say. IN change - what it holds is taken
 */
extern void jobs_change(jobs_t *jobs, fed_job_t *job,
			flurm_job_spec_t *change);

/* Those are due, and said before anything else is. */
#define JOB_ROW_ACTIONS (FED_BIT(FED_ACT_ROW_START) | FED_BIT(FED_ACT_ROW_END))

/* Let go of what is not needed any more of its spec, by the job's state. */
extern void jobs_thin(fed_job_t *job);

/* Append that a job is forgotten, and forget it. */
extern void jobs_forget(jobs_t *jobs, fed_job_t *job);

/* jobs_view.c: what clients are shown of a job is not as it was */
extern void jobs_changed(jobs_t *jobs, const fed_job_t *job);

/* Count what an event did, for sdiag. IN from - the state before */
extern void jobs_count(jobs_t *jobs, const fed_job_t *job,
		       fed_job_state_t from);

/* RET all of a spec as text for the ledger, to be freed; NULL for NULL */
extern char *jobs_spec_text(const flurm_job_spec_t *spec);
extern void jobs_free_spec(flurm_job_spec_t **spec);

/* jobs_origin.c: carry out one action toward the origin */
extern void jobs_tell_origin(jobs_t *jobs, fed_job_t *job,
			     fed_job_action_t action);

/* jobs_lock.c: ask the siblings instead, if they may be asked now */
extern void jobs_lock_ask(jobs_t *jobs, fed_job_t *job, uint64_t token);
/* RET true if that was an answer of a sibling's, not of the origin's */
extern bool jobs_lock_answered(jobs_t *jobs, fed_job_t *job, const char *peer,
			       uint32_t rc);
/* what the peer has not answered it will not */
extern void jobs_lock_lost(jobs_t *jobs, fed_job_t *job, const char *peer);
extern void jobs_lock_replayed(jobs_t *jobs, fed_job_t *job);
/* give back what is not wanted any more */
extern void jobs_lock_act(jobs_t *jobs, fed_job_t *job);
extern void jobs_lock_tick(jobs_t *jobs, fed_job_t *job);
/* its origin has listed it as pending: maybe it does not know any more */
extern void jobs_lock_synced(jobs_t *jobs, fed_job_t *job);
/* RET true if another sibling may have the lock, or have used it */
extern bool jobs_lock_is_quiet(const jobs_t *jobs, const fed_job_t *job);

/*
 * jobs_limits.c: may this come into the queue? Sets a time limit if a limit
 * says which.
 * IN known - the job's epoch before, or NULL: its place is free
 * RET 0, or the Slurm errno to refuse it with, with err
 */
extern uint32_t jobs_limits_submit(jobs_t *jobs, fed_job_t *known,
				   flurm_job_spec_t *spec, fed_err_t *err);
/* RET true if the job, that FLURM would start, may ask for its lock */
extern bool jobs_limits_let(jobs_t *jobs, fed_job_t *job);
/* count what it has in use by its state */
extern void jobs_limits_count(jobs_t *jobs, fed_job_t *job);
/* ... and whether it waits for a limit is found out soon */
extern void jobs_limits_replayed(jobs_t *jobs, fed_job_t *job);
/* count it no more, until jobs_limits_count() */
extern void jobs_limits_forget(jobs_t *jobs, fed_job_t *job);
/* FLURM says where it would start the job */
extern void jobs_limits_offer(jobs_t *jobs, fed_job_t *job,
			      const flurm_event_t *event);
extern void jobs_limits_tick(jobs_t *jobs);
extern void jobs_limits_end(jobs_t *jobs);
/* RET what limits a job, valid until usage changes */
extern limits_bound_t jobs_limits_bound(const jobs_t *jobs, job_bound_t *bound);
/* RET what it asks for. IN host - or NULL: as it was submitted */
extern limits_ask_t jobs_limits_ask(const jobs_t *jobs,
				    const flurm_job_spec_t *spec,
				    const job_host_t *host);

/*
 * jobs_usage.c: charge the job for what it used before that was heard of, to be
 * called when the row of its start, or of its end, is written
 */
extern void jobs_usage_starts(jobs_t *jobs, fed_job_t *job);
extern void jobs_usage_ends(jobs_t *jobs, fed_job_t *job);
extern void jobs_usage_tick(jobs_t *jobs);
/* slurmdbd has told of other associations: accounts may have been moved */
extern void jobs_usage_assoc(jobs_t *jobs);

/* jobs_flurm.c: carry out one action at FLURM */
extern void jobs_tell_flurm(jobs_t *jobs, fed_job_t *job,
			    fed_job_action_t action);

/* What is still under way to FLURM and not wanted any more: give it up. */
extern void jobs_flurm_withdraw(jobs_t *jobs, fed_job_t *job);

/* jobs_stream.c: follow what FLURM says of its jobs */
extern void jobs_stream_start(jobs_t *jobs);
extern void jobs_stream_ack(jobs_t *jobs);
extern void jobs_stream_tick(jobs_t *jobs);

/*
 * FLURM has shown a job.
 * IN asked - fed_job_table_stamp() when it was asked
 */
extern void jobs_seen(jobs_t *jobs, fed_job_t *job, const flurm_job_t *seen,
		      uint64_t asked);

/* ... or has said that it does not have it */
extern void jobs_unknown(jobs_t *jobs, fed_job_t *job);

/* jobs_ask.c: RET true if that was an answer to what was asked there */
extern bool jobs_ask_answered(jobs_t *jobs, const char *peer, uint64_t token,
			      uint32_t rc);
extern void jobs_ask_lost(jobs_t *jobs, const char *peer);
extern void jobs_ask_tick(jobs_t *jobs);

/* jobs_sync.c: what a native's JOB_SYNC says */
extern void jobs_take_sync(jobs_t *jobs, const char *peer,
			   const sib_msg_t *msg);

#endif
