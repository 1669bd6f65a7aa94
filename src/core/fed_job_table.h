/*
 * fed_job_table.h - all jobs of one FLURM cluster, by federated id.
 *
 * Of each id there is one newest epoch, and behind it, linked by "older", the
 * epochs that were replaced and are not gone from FLURM yet. What the origin
 * says is about the newest, answers to a lock too; but ORIGIN_LOST and
 * ORIGIN_VIEW concern all. What FLURM says names its epoch. One thread's.
 */
#ifndef FED_CORE_FED_JOB_TABLE_H
#define FED_CORE_FED_JOB_TABLE_H

#include <stddef.h>

#include "src/core/fed_job.h"

typedef struct fed_job_table fed_job_table_t;

/*
 * Told of every event, also of those that did nothing.
 * IN from - state before; the state after is in job
 */
typedef void (*fed_job_trace_t)(const fed_job_t *job, fed_job_state_t from,
				const fed_job_event_t *event,
				fed_job_verdict_t verdict, void *arg);

/* Told before a job is freed: its host's own goes with it. */
typedef void (*fed_job_drop_t)(fed_job_t *job, void *arg);

/* IN trace, drop - may be NULL */
extern fed_job_table_t *fed_job_table_create(fed_job_trace_t trace,
					     fed_job_drop_t drop, void *arg);
extern void fed_job_table_destroy(fed_job_table_t *table);

/* RET the newest epoch of an id, or NULL */
extern fed_job_t *fed_job_table_find(const fed_job_table_t *table,
				     uint32_t id);

/* RET this very epoch, or NULL */
extern fed_job_t *fed_job_table_find_epoch(const fed_job_table_t *table,
					   uint32_t id, uint32_t epoch);

/*
 * Take a SUBMIT.
 * OUT ret_verdict - CHANGED if it began an epoch or changed the one there is;
 *	if it replaced one, that one (older) has changed too
 * RET the newest epoch; its received is event->now if it is a new one
 */
extern fed_job_t *fed_job_table_submit(fed_job_table_t *table, uint32_t id,
				       const fed_job_event_t *event,
				       bool *ret_new,
				       fed_job_verdict_t *ret_verdict);

/*
 * Add a job that FLURM speaks of and nobody else knows (fed_job_adopt). Not if
 * there is a newer epoch: then what FLURM has is to be revoked there.
 * RET the job, or NULL
 */
extern fed_job_t *fed_job_table_adopt(fed_job_table_t *table, uint32_t id,
				      uint32_t epoch, int64_t now,
				      bool unsynced);

/*
 * Move a job: fed_job_update(), traced, counted and stamped. If it has left
 * FLURM (ENDED or GONE), then job->newer, if any, may have something to do;
 * and if it is over then, it is of no more use.
 */
extern fed_job_verdict_t fed_job_table_update(fed_job_table_t *table,
					      fed_job_t *job,
					      const fed_job_event_t *event);

/* RET stamp that a question to FLURM is to carry (event->asked) */
extern uint64_t fed_job_table_stamp(const fed_job_table_t *table);

/* Add a job that was read from the ledger; replaces one of the same epoch. */
extern int fed_job_table_replay(fed_job_table_t *table, const void *body,
				size_t len, fed_err_t *err);

/*
 * Forget a job that is over; the memory goes, and with it the protection from
 * late messages. The ledger has to be told (id, epoch).
 */
extern void fed_job_table_forget(fed_job_table_t *table, fed_job_t *job);

/* Replay of that. That there is no such job is fine. */
extern void fed_job_table_forget_epoch(fed_job_table_t *table, uint32_t id,
				       uint32_t epoch);

/*
 * Call visit for each job, older epochs first. It may forget the job it is
 * called for, and none else.
 */
extern void fed_job_table_walk(fed_job_table_t *table,
			       void (*visit)(fed_job_t *job, void *arg),
			       void *arg);

typedef struct {
	size_t jobs;		/* older epochs and tombstones included */
	size_t by_state[FED_JOB_STATES];
	uint64_t events;	/* that did something */
	uint64_t ignored;	/* that made no sense where they came */
} fed_job_table_stats_t;

extern void fed_job_table_stats(const fed_job_table_t *table,
				fed_job_table_stats_t *stats);

#endif
