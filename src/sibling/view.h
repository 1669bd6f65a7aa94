/*
 * view.h - what FLURM's controller tells those who ask: a picture of a moment.
 *
 * Immutable and counted. The engine's thread makes one on demand
 * (engine_view()); whoever holds it reads it without a lock and shares it
 * with all others who ask meanwhile, as they share the bodies that were packed
 * from it.
 */
#ifndef FED_SIBLING_VIEW_H
#define FED_SIBLING_VIEW_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "src/core/fed_job.h"
#include "src/sibling/federation.h"
#include "src/sibling/job_kept.h"
#include "src/sibling/nodes.h"
#include "src/sibling/view_used.h"

/* A job; kept by the engine until the job changes */
typedef struct {
	fed_job_t job;		/* its links lead nowhere */
	flurm_job_spec_t spec;	/* without script and environment */
	job_submit_t submit;
	job_run_t run;
	char *origin;
	bool requeue;
	uint32_t waits;		/* WAIT_: a limit, or held; or 0 */
	int refs;
} view_job_t;

extern view_job_t *view_job_ref(view_job_t *job);
extern void view_job_unref(view_job_t *job);

/* Jobs since the controller is up, for sdiag */
typedef struct {
	uint32_t submitted;
	uint32_t started;
	uint32_t completed;
	uint32_t cancelled;
	uint32_t failed;
} view_counts_t;

typedef struct view_body view_body_t;

typedef struct {
	const char *cluster;	/* ours; outlives all views */
	uint64_t number;	/* of the state that it shows */
	time_t made;
	int64_t made_ms;	/* of net_now_ms() */
	federation_t *fed;
	nodes_t *nodes;
	time_t nodes_told;	/* when FLURM said so, 0: it has not yet */
	view_job_t **job;	/* by id, the newest epoch of each */
	size_t job_cnt;
	time_t jobs_changed;
	view_counts_t counts;
	view_used_list_t used;

	pthread_mutex_t lock;	/* of the two below */
	view_body_t *bodies;
	int refs;
} view_t;

/* RET a view without jobs and one reference */
extern view_t *view_create(const char *cluster);

/* Before anybody sees it. IN job - takes the reference */
extern void view_add_job(view_t *view, view_job_t *job);
extern void view_sort(view_t *view);

extern view_t *view_ref(view_t *view);
extern void view_unref(view_t *view);

/* RET the job, or NULL */
extern const view_job_t *view_find(const view_t *view, uint32_t job_id);

/* What a body was packed for: all who ask for the same get the same. */
typedef struct {
	uint16_t type;		/* of the message */
	uint16_t version;
	uint32_t flags;
	uint32_t uid;		/* whose jobs; NO_VAL: all */
	uint32_t viewer;	/* for whose eyes; NO_VAL: all */
} view_body_key_t;

/*
 * RET the body for this key; made by pack() if it is not there yet, while
 *	others wait. It is the view's: valid as long as the caller's reference
 */
extern buf_t *view_body(view_t *view, const view_body_key_t *key,
			buf_t *(*pack)(const view_t *view,
				       const view_body_key_t *key, void *arg),
			void *arg);

#endif
