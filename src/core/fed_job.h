/*
 * fed_job.h - one epoch of one federated job, from its submission to the last
 * word about it.
 *
 * Three views of a job have to be kept together: the origin's (a Slurm
 * controller), FLURM's, and ours. fed_job_update() takes what has been heard
 * and moves the job; fed_job_action() looks at the job and names what is yet
 * to be said, to whom. Neither does I/O, reads a clock or knows Slurm. Update
 * is the only thing that changes a job, action changes nothing and may be
 * called at any time: after a crash and a replay it names just what nobody has
 * acknowledged.
 *
 * An epoch is one submission. It has a number of its own that grows with each
 * submission of the id for as long as anybody may remember an earlier one:
 * the second of its arrival, or one more than the one before. Epochs of an id
 * that live at the same time are jobs of their own (see fed_job_table.h).
 *
 * This is the role of a sibling: the origin is another cluster.
 */
#ifndef FED_CORE_FED_JOB_H
#define FED_CORE_FED_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/bytes.h"
#include "src/core/err.h"

typedef enum {
	FED_JOB_DELIVERING,	/* FLURM has not said yet that it has it */
	FED_JOB_QUEUED,		/* FLURM has it, it waits for resources */
	FED_JOB_LOCKING,	/* it has resources, not yet the lock */
	FED_JOB_DENIED,		/* no lock: FLURM is to queue it again */
	FED_JOB_GRANTED,	/* the lock is ours: FLURM is to start it */
	FED_JOB_RUNNING,	/* FLURM has started it */
	FED_JOB_CANCELLING,	/* to be ended at FLURM; the origin will know */
	FED_JOB_WITHDRAWING,	/* to be removed from FLURM; nobody asks */
	FED_JOB_ENDED,		/* over at FLURM; somebody is to be told */
	FED_JOB_GONE,		/* nothing is left to do: a tombstone */
	FED_JOB_STATES
} fed_job_state_t;

/* How a job ended: Slurm's base states, by their names */
typedef enum {
	FED_END_NONE,
	FED_END_COMPLETED,
	FED_END_FAILED,
	FED_END_CANCELLED,
	FED_END_TIMEOUT,
	FED_END_NODE_FAIL,
	FED_END_PREEMPTED,
	FED_END_BOOT_FAIL,
	FED_END_DEADLINE,
	FED_END_OUT_OF_MEMORY,
	FED_END_REVOKED,	/* FLURM let it go before it ran */
	FED_END_STATES
} fed_job_end_t;

/*
 * What there is to do, in the order in which it must be said to one peer.
 * Whoever carries it out tells update of it with FED_EV_SENT, and of the
 * outcome with FED_EV_ACKED, FED_EV_UNSENT or the event that is the answer.
 */
typedef enum {
	/* to the origin */
	FED_ACT_LOCK,		/* answer: LOCK_GRANTED, LOCK_REFUSED */
	FED_ACT_UNLOCK,
	FED_ACT_SUBMIT_RESP,	/* with code */
	FED_ACT_START,		/* with start_time */
	FED_ACT_REQUEUE,
	FED_ACT_COMPLETE,	/* with end, status, start_time */
	FED_ACT_UPDATE_RESPONSE,	/* one of updates_owed */
	/* to the other siblings, when the origin is down */
	FED_ACT_REVOKE_SIBLINGS,
	/* to FLURM */
	FED_ACT_FLURM_SUBMIT,	/* answer: ACCEPTED, REFUSED */
	FED_ACT_FLURM_UPDATE,
	FED_ACT_FLURM_GRANT,	/* of attempt; a conflict is a FLURM_VIEW */
	FED_ACT_FLURM_DENY,	/* as GRANT */
	FED_ACT_FLURM_SIGNAL,	/* the first of signals */
	FED_ACT_FLURM_REVOKE,	/* ACKED: it is gone; conflict: FLURM_VIEW */
	FED_ACT_FLURM_CANCEL,	/* ACKED: understood; its end is ENDED */
	/* into the accounting spool: SENT and ACKED with the same commit */
	FED_ACT_ROW_START,
	FED_ACT_ROW_END,	/* with end, status; FED_JOB_F_KILL: requeued */
	FED_ACTIONS
} fed_job_action_t;

#define FED_BIT(x) ((uint32_t) 1 << (x))

typedef enum {
	/* from the origin */
	FED_EV_SUBMIT,		/* only fed_job_begin() takes this one */
	FED_EV_REVOKE,		/* COMPLETE from the origin */
	FED_EV_CANCEL,
	FED_EV_UPDATE,
	FED_EV_LOCK_GRANTED,
	FED_EV_LOCK_REFUSED,
	FED_EV_ORIGIN_LOST,	/* a connection to or from it is gone */
	FED_EV_ORIGIN_DOWN,	/* and the siblings are to lock without it */
	FED_EV_ORIGIN_VIEW,	/* what its JOB_SYNC says of this job */
	/* from FLURM */
	FED_EV_ACCEPTED,
	FED_EV_REFUSED,
	FED_EV_START_REQUEST,
	FED_EV_STARTED,
	FED_EV_START_FAILED,
	FED_EV_ENDED,
	FED_EV_UNKNOWN,		/* it does not have it (any more) */
	FED_EV_FLURM_VIEW,	/* what it says when asked */
	/* from those who carry out actions */
	FED_EV_SENT,
	FED_EV_ACKED,
	FED_EV_UNSENT,		/* there will be no answer */
	FED_EV_LISTED,		/* goes out as fed_job_sync() has it */
	/* from time */
	FED_EV_DEADLINE,	/* it has waited for delivery long enough */
	FED_EV_RETRY,		/* a refused lock may be asked for again */
	/* from ourselves */
	FED_EV_CHANGE,		/* what it asks for, as UPDATE, but here */
	FED_EV_RUN_OUT,		/* what it may use is used up: end it */
	FED_EV_SUPERSEDED,	/* there is a newer epoch of this id */
	FED_EV_REPLAYED,	/* what was in flight is not any more */
	FED_EVENTS
} fed_job_event_type_t;

/* Where the origin's own record of the job stands */
typedef enum {
	FED_VIEW_UNHEARD,	/* no list came: go on as if it agreed */
	FED_VIEW_ABSENT,	/* not in the list */
	FED_VIEW_PENDING,	/* waits, for all that the origin knows */
	FED_VIEW_WITHDRAWN,	/* so, but not for us: it is held, depends on
				 * another, or we are not among its siblings */
	FED_VIEW_HERE,		/* revoked there, as it runs here */
	FED_VIEW_REQUEUING,	/* as HERE, and it waits for our end */
	FED_VIEW_ELSEWHERE,	/* runs on another cluster */
	FED_VIEW_FINISHED,
	FED_VIEW_LEFT,		/* origin and we share no federation now */
} fed_job_view_t;

/* Where FLURM's record of the job stands */
typedef enum {
	FED_FLURM_PENDING,
	FED_FLURM_STARTING,	/* waits for its start to be granted */
	FED_FLURM_RUNNING,
	FED_FLURM_OVER,		/* with end, status and times */
} fed_flurm_view_t;

typedef struct {
	fed_job_event_type_t type;
	int64_t now;
	fed_job_action_t action;	/* SENT, ACKED, UNSENT */
	/* SUBMIT, UPDATE */
	uint64_t viable;
	bool only_here;		/* no other cluster may run it */
	/* SUBMIT */
	bool same;		/* as the submission that we have */
	bool unsynced;		/* the origin's list is yet to come */
	uint32_t refuse;	/* not 0: we can't take it, Slurm's error */
	/* SUBMIT, ORIGIN_VIEW */
	uint16_t restarts;	/* as the origin counts */
	fed_job_view_t view;		/* ORIGIN_VIEW */
	/* CANCEL */
	bool kill;		/* it is to end, not just to get a signal */
	bool requeue;		/* KILL_FED_REQUEUE */
	uint16_t signal;
	uint16_t flags;
	uint32_t uid;
	bool by_siblings;	/* LOCK_GRANTED without the origin */
	bool held_back;		/* LOCK_REFUSED: not by the origin */
	/* FLURM_VIEW, ENDED, STARTED, ACCEPTED, REFUSED */
	fed_flurm_view_t flurm;
	uint64_t asked;		/* FLURM_VIEW: changed when it was asked */
	uint64_t flurm_id;
	uint32_t attempt;	/* START_REQUEST, START_FAILED, FLURM_VIEW:
				 * which start; counts up */
	fed_job_end_t end;
	uint32_t status;	/* as wait(2) */
	int64_t start_time;
	int64_t end_time;
	bool run_again;		/* ENDED: the origin may want to requeue */
} fed_job_event_t;

#define FED_JOB_F_ONLY_HERE FED_BIT(0)	/* no other viable cluster */
#define FED_JOB_F_SENT FED_BIT(1)	/* FLURM may have it */
#define FED_JOB_F_MAY_RUN FED_BIT(2)	/* it may have been started */
#define FED_JOB_F_RAN FED_BIT(3)	/* FLURM said that it started */
#define FED_JOB_F_GRANT_ACKED FED_BIT(4)
#define FED_JOB_F_CANCEL_ACKED FED_BIT(5)
#define FED_JOB_F_LOCK FED_BIT(6)	/* the origin's lock may be ours */
#define FED_JOB_F_SIBLING_LOCK FED_BIT(7)	/* the siblings gave it */
#define FED_JOB_F_UNASKED FED_BIT(8)	/* FLURM started it on its own */
#define FED_JOB_F_REVOKED FED_BIT(9)	/* the origin took it back */
#define FED_JOB_F_SUPERSEDED FED_BIT(10)
#define FED_JOB_F_ORIGIN_OVER FED_BIT(11)	/* its record is final */
#define FED_JOB_F_KILL FED_BIT(12)	/* killed to be requeued */
#define FED_JOB_F_END_FIXED FED_BIT(13)	/* end is known before it ends */
#define FED_JOB_F_START_TOLD FED_BIT(14)	/* START may have arrived */
#define FED_JOB_F_LEFT FED_BIT(15)	/* there is no origin any more */
#define FED_JOB_F_UPDATE_AGAIN FED_BIT(16)	/* changed while on its way */
#define FED_JOB_F_ORIGIN_FORGOT FED_BIT(17)	/* its record is not there */
#define FED_JOB_F_RUN_OUT FED_BIT(18)	/* cancelled as if its time were up */

/* what is owed to the origin and to the siblings that stand in for it */
#define FED_JOB_ORIGIN_OWED \
	(FED_BIT(FED_ACT_UNLOCK) | FED_BIT(FED_ACT_SUBMIT_RESP) | \
	 FED_BIT(FED_ACT_START) | FED_BIT(FED_ACT_REQUEUE) | \
	 FED_BIT(FED_ACT_COMPLETE) | FED_BIT(FED_ACT_REVOKE_SIBLINGS))

#define FED_JOB_NOBODY UINT32_MAX	/* as Slurm's accounting has it */
#define FED_JOB_SIGNALS 4		/* that wait for delivery */
#define FED_JOB_REFUSALS_MAX 30		/* then the origin knows no such job */

typedef struct {
	uint16_t signal;
	uint16_t flags;
} fed_job_signal_t;

typedef struct fed_job {
	/* what is in the ledger */
	uint32_t id;
	uint32_t epoch;
	fed_job_state_t state;
	fed_job_end_t end;
	uint16_t restarts;
	uint16_t refusals;	/* of the lock, in a row */
	uint16_t updates_owed;	/* UPDATE_RESPONSEs */
	uint8_t signal_count;
	fed_job_signal_t signals[FED_JOB_SIGNALS];
	uint32_t facts;		/* FED_JOB_F_ */
	uint32_t owed;		/* actions, bits */
	uint32_t code;		/* SUBMIT_RESP's: Slurm's error, or 0 if it
				 * is only that we have not got it any more */
	uint32_t status;
	uint32_t uid;		/* who cancelled it, or FED_JOB_NOBODY */
	uint32_t attempt;	/* FLURM's: GRANT and DENY are for this one,
				 * or a late one would start a later attempt */
	uint64_t viable;
	uint64_t flurm_id;
	int64_t received;
	int64_t since;		/* in this state */
	int64_t start_time;
	int64_t end_time;

	/* what a crash may forget */
	uint32_t inflight;	/* actions, bits */
	uint16_t updates_sent;
	bool unsynced;		/* the origin's view is not known */
	bool fresh;		/* came when it was not known already */
	bool origin_down;
	bool owner;		/* the origin knows that we have the lock */
	bool lock_wait;		/* refused: not before RETRY */
	bool lock_stale;	/* asked for before the origin submitted anew */
	uint64_t changed;	/* stamp of the last event that mattered */

	/* the table's */
	struct fed_job *next;	/* in its bucket; only of newest epochs */
	struct fed_job *older;	/* that is not gone from FLURM yet */
	struct fed_job *newer;
	void *host;		/* the host's own: never looked at here */
} fed_job_t;

typedef enum {
	FED_JOB_CHANGED,	/* what is in the ledger changed: write it */
	FED_JOB_NOTED,		/* only what a crash may forget did */
	FED_JOB_IGNORED,	/* it made no sense here, and did nothing */
} fed_job_verdict_t;

/*
 * What a SUBMIT is to the newest epoch of its id.
 * IN job - NULL if the id is not known
 * RET true if it begins a new epoch, false if it repeats what we know
 */
extern bool fed_job_is_new(const fed_job_t *job, const fed_job_event_t *event);

/* RET the number of the epoch that a SUBMIT begins */
extern uint32_t fed_job_next_epoch(const fed_job_t *job, int64_t now);

/* Fill a zeroed job (but id and epoch, which are set) from a SUBMIT. */
extern void fed_job_begin(fed_job_t *job, const fed_job_event_t *event);

/*
 * Fill a zeroed job (but id and epoch) that FLURM speaks of and we know
 * nothing about: what it says next is taken as it is, and the origin has the
 * last word.
 * IN unsynced - the origin's list is yet to come
 */
extern void fed_job_adopt(fed_job_t *job, int64_t now, bool unsynced);

/* Move the job by what has been heard. */
extern fed_job_verdict_t fed_job_update(fed_job_t *job,
					const fed_job_event_t *event);

/* RET what is to be done now, FED_BIT() of actions */
extern uint32_t fed_job_action(const fed_job_t *job);

/* What JOB_SYNC to another cluster says of a job */
typedef enum {
	FED_SYNC_OMIT,
	FED_SYNC_PENDING,
	FED_SYNC_RUNNING,
} fed_job_sync_t;

/*
 * To be asked after the origin's own list was heard, if that comes at all: by
 * then we know what it is through with, and must not be taken for its next
 * run. Then tell the job with FED_EV_LISTED.
 * RET what to list in a JOB_SYNC
 */
extern fed_job_sync_t fed_job_sync(const fed_job_t *job);

/*
 * Fill a zeroed job (but id and epoch) that replaces another, not superseded
 * yet, from a SUBMIT: what the origin may hold for the old one, its lock for
 * instance, it holds for the new one, as it knows no epochs.
 */
extern void fed_job_replace(fed_job_t *job, const fed_job_t *old,
			    const fed_job_event_t *event);

/* RET true if nothing is left to do for it, and it may be forgotten */
extern bool fed_job_is_over(const fed_job_t *job);

/* Write the job as the body of a ledger record. */
extern void fed_job_pack(const fed_job_t *job, fed_bytes_t *bytes);

/*
 * Read such a body into a zeroed job, as it is after a crash.
 * RET 0, or -1 with err
 */
extern int fed_job_unpack(fed_job_t *job, const void *body, size_t len,
			  fed_err_t *err);

extern const char *fed_job_state_name(fed_job_state_t state);
extern const char *fed_job_event_name(fed_job_event_type_t type);
extern const char *fed_job_action_name(fed_job_action_t action);
extern const char *fed_job_end_name(fed_job_end_t end);

#endif
