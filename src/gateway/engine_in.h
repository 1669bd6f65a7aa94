/*
 * engine_in.h - inside the engine: shared by engine*.c and nobody else.
 */
#ifndef FED_GATEWAY_ENGINE_IN_H
#define FED_GATEWAY_ENGINE_IN_H

#include <pthread.h>
#include <stdbool.h>

#include "src/gateway/cluster.h"
#include "src/gateway/engine.h"
#include "src/gateway/fault.h"
#include "src/gateway/gate.h"
#include "src/gateway/store.h"

/* What another thread wants done in the engine's. */
typedef struct gw_post gw_post_t;
struct gw_post {
	gw_post_t *next;
	/* frees the post */
	void (*run)(gw_engine_t *engine, gw_post_t *post);
};

/* an answer that waits for the commit */
typedef struct gw_answer gw_answer_t;
struct gw_answer {
	gw_answer_t *next;
	flurm_request_t *request;
	int64_t late_ms;	/* not before that; 0: at once (fault.h) */
	flurm_result_t result;	/* if there is no text */
	int status;
	const char *type;
	char *text;
	size_t len;
};

/* a client that listens to the events */
typedef struct gw_listener gw_listener_t;
struct gw_listener {
	gw_listener_t *next;
	gw_engine_t *engine;
	flurm_stream_t *stream;
	uint64_t next_seq;	/* that it has not got yet */
	bool paused;		/* until it has taken what it got */
	bool gone;
	unsigned int posts;	/* of its callbacks, on their way to us */
};

typedef struct {
	uint64_t ops[FLURM_OP_COUNT];
	uint64_t refused;
	uint64_t events;
	uint64_t commits;
	uint64_t passes;	/* of the scheduler */
	uint64_t started;
	uint64_t ended[FLURM_STATE_COUNT];
} gw_counters_t;

struct gw_engine {
	gw_conf_t *conf;
	const gw_backend_ops_t *ops;
	gw_backend_t *backend;
	gw_faults_t *faults;	/* NULL: nothing goes wrong on purpose */
	gw_backend_host_t host;
	gw_store_t store;
	gw_cluster_t cluster;
	fed_timers_t timers;
	flurm_server_t *server;

	pthread_t thread;
	bool running;
	int wake_fd;
	pthread_mutex_t lock;	/* of the next three */
	gw_post_t *posts;
	gw_post_t **posts_end;
	bool refuse;		/* no more posts are taken */

	bool stop;		/* atomic */
	bool more_posts;	/* than the last turn took */
	bool broken;		/* the ledger: only commits are tried */
	bool dirty;		/* the scheduler may find something to do */
	int64_t now_ms;		/* of this turn */
	int64_t backend_due_ms;
	int64_t pass_after_ms;	/* no pass before */
	gw_job_t *touched;
	gw_job_t *over_first;
	gw_job_t **over_end;
	gw_answer_t *answers;
	gw_answer_t **answers_end;
	gw_answer_t *late;	/* that are to be late */
	gw_answer_t **late_end;
	gw_listener_t *listeners;
	uint64_t heard;		/* last cursor that a client was sent */
	size_t by_state[FLURM_STATE_COUNT];
	gw_counters_t counters;
};

/*
 * Post something.
 * RET false if the engine stops: the caller keeps it
 */
extern bool gw_engine_post(gw_engine_t *engine, gw_post_t *post);

/*
 * An event happens to a job (NULL with GW_EV_SUBMITTED: a new one). Ids and
 * time are filled in. What the event owns is gone after this.
 * RET the job; NULL if it is gone
 */
extern gw_job_t *gw_engine_event(gw_engine_t *engine, gw_job_t *job,
				 gw_event_t *event);

/*
 * Put a job's spec into the numbers that scheduler and gate look at, after the
 * event that brought it.
 */
extern void gw_engine_learn(gw_engine_t *engine, gw_job_t *job,
			    const flurm_job_spec_t *spec,
			    const gw_need_t *need);

/* Queue, resources and timer of a job become what they should be. */
extern void gw_engine_settle(gw_engine_t *engine, gw_job_t *job);

/* Have a job acted on after the next commit; act on all of those. */
extern void gw_engine_touch(gw_engine_t *engine, gw_job_t *job);
extern void gw_engine_act(gw_engine_t *engine);

/* Give a job to the backend. IN again - it may have had it: a restart */
extern void gw_engine_tell_start(gw_engine_t *engine, gw_job_t *job,
				 bool again);

/* A report of the backend's. IN arg - the engine */
extern void gw_engine_report(const gw_report_t *report, void *arg);

/* Put all jobs of the store where they belong. */
extern void gw_engine_recover(gw_engine_t *engine);

extern gw_gate_times_t gw_engine_times(const gw_engine_t *engine);

/* Commit, send what waits for it, tell the backend. */
extern void gw_engine_flush(gw_engine_t *engine);

/* Answer after the commit. What is passed is taken over. */
extern void gw_engine_answer(gw_engine_t *engine, flurm_request_t *request,
			     flurm_result_t *result);
extern void gw_engine_answer_text(gw_engine_t *engine,
				  flurm_request_t *request, int status,
				  const char *type, char *text, size_t len);

/* Send the answers: all of them, but for those that are to be late. */
extern void gw_engine_send_answers(gw_engine_t *engine);
/* Send those too. */
extern void gw_engine_send_late(gw_engine_t *engine);

/* Send what is new to who listens. */
extern void gw_engine_publish(gw_engine_t *engine);
extern void gw_engine_end_streams(gw_engine_t *engine);

/* RET what GET /api/v1/cluster/stats answers */
extern json_t *gw_engine_stats(const gw_engine_t *engine);

/* Let jobs and events go that have been kept for long enough. */
extern void gw_engine_clean(gw_engine_t *engine);

#endif
