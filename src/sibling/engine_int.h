/*
 * engine_int.h - what engine*.c share: the engine itself.
 *
 * All but what is said to be atomic or behind a lock belongs to the engine's
 * thread, and so does every function here.
 */
#ifndef FED_SIBLING_ENGINE_INT_H
#define FED_SIBLING_ENGINE_INT_H

#include <pthread.h>

#include "src/core/ledger.h"
#include "src/core/log.h"
#include "src/flurm/loop.h"
#include "src/sibling/accounting.h"
#include "src/sibling/dep_table.h"
#include "src/sibling/engine.h"
#include "src/sibling/flurm_side.h"
#include "src/sibling/inbox.h"
#include "src/sibling/jobs.h"
#include "src/sibling/session.h"

struct engine {
	engine_conf_t conf;
	pthread_t thread;
	bool stop;		/* atomic */
	inbox_t inbox;
	fed_ledger_t *ledger;
	flurm_loop_t *loop;
	flurm_side_t *flurm;
	peers_t *peers;
	session_t *sessions;	/* of links that are up */
	dep_table_t *deps;
	jobs_t *jobs;
	accounting_t *accounting;
	time_t ticked;
	time_t drained_told;
	fed_log_throttle_t complaint;
	bool ledger_failed;

	pthread_mutex_t fed_lock; /* for readers in other threads */
	federation_t *fed;

	uint64_t moves;		/* jobs_moves() when FLURM was last asked */
	uint64_t fed_changes;	/* counted */
	bool view_asked;
	uint64_t view_changes;	/* atomic: of what the next view would show */
	int64_t acted_ms;	/* atomic: views before do not show it */
	pthread_mutex_t view_asking; /* one at a time has one made */
	pthread_mutex_t view_lock; /* of the one below, for a moment */
	view_t *view;
};

/* RET our id in the federation, 0: we are in none */
extern uint32_t engine_our_id(const engine_t *engine);

/* engine_ledger.c */

/* Open the ledger and replay it. RET 0, or -1 with err */
extern int engine_open_ledger(engine_t *engine, fed_err_t *err);

extern int engine_append_federation(fed_ledger_t *ledger,
				    const federation_t *fed, fed_err_t *err);
extern int engine_append_assoc(engine_t *engine, fed_err_t *err);

/*
 * RET true if all that was appended is durable. What is not stays appended and
 * is tried again with the next commit.
 */
extern bool engine_commit(engine_t *engine);

/* Write a snapshot if the ledger has outgrown its state. */
extern void engine_snapshot(engine_t *engine);

/* engine_take.c */

/* Let a note change what is known; its answer is put into it. */
extern void engine_note(engine_t *engine, note_t *note);

/* What a note changed is not durable: who sent it must send it again. */
extern void engine_refuse_note(note_t *note);

/* Carry out a NOTE_SUSPEND or NOTE_NOTIFY; FLURM's answer is its own. */
extern void engine_relay_note(engine_t *engine, note_t *note);

/* Carry out a NOTE_ASK; it is answered when the origins have answered. */
extern void engine_ask_note(engine_t *engine, note_t *note);

/* Say our JOB_SYNC to those natives for which it is time. */
extern void engine_send_syncs(engine_t *engine);

/* RET how long to wait for news, in milliseconds */
extern int engine_turn_ms(const engine_t *engine);

/*
 * What dep_table_send() calls.
 * RET 1 sent, 0 cannot be sent now, -1 nothing of it is ours to judge
 */
extern int engine_send_dep_answer(void *arg, const char *peer,
				  const dep_t *dep);

/* engine_ask.c */

/* RET a number that grows with all that a view shows */
extern uint64_t engine_changes(const engine_t *engine);

/* To be called when all of it is durable. */
extern void engine_make_view(engine_t *engine);

/* RET an object, a new reference */
extern json_t *engine_make_status(engine_t *engine);

#endif
