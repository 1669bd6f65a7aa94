/*
 * world.h - a small world around the real fed_job: an origin that keeps its
 * record of each job as slurmctld does, with a native sibling and users; a
 * FLURM; and a host between them that does with events and actions what an
 * engine has to. What happens next is for dice to say.
 */
#ifndef FED_UNIT_WORLD_H
#define FED_UNIT_WORLD_H

#include <stdbool.h>
#include <stdio.h>

#include "src/core/fed_job_table.h"

#define JOBS 3
#define SUBMISSIONS_MAX 64
#define QUEUE_MAX 512
#define EPOCHS_MAX 96

extern struct world {
	uint32_t seed;
	uint32_t dice;
	int64_t now;		/* steps so far */
	bool tell;		/* the story of this seed */
	bool quiet;		/* no more faults, no more users */
	bool forgetful;		/* the origin may lose what it did not save */
	bool link_up;		/* between origin and host, both ways */
	bool origin_down;	/* and its siblings know that */
} world;

/* RET 0 to sides - 1 */
extern uint32_t world_roll(uint32_t sides);

/* RET true once in so many times, as long as there are faults at all */
extern bool world_fault(uint32_t one_in);

#define STORY(...) \
	do { \
		if (world.tell) \
			printf(__VA_ARGS__); \
	} while (0)

#define MUST(truth) \
	do { \
		if (!(truth)) \
			fail_msg("seed %u, step %d: %s", world.seed, \
				 (int) world.now, #truth); \
	} while (0)

/* RET federated id of a job, 0 to JOBS - 1 */
extern uint32_t world_job_id(int job);

/* Something runs the script of a job: once for each submission. */
extern void world_start(int job, int submission);

/*
 * world_origin.c
 */
#define AT_ORIGIN 1
#define AT_NATIVE 2
#define AT_FLURM 4

typedef enum { O_PENDING, O_TRACKING, O_RUNNING, O_DONE } world_state_t;

typedef struct {
	world_state_t state;
	bool held;
	bool requeue_fed;	/* waits for an end, then submits again */
	bool only_flurm;
	int lock;		/* AT_ */
	int active;		/* AT_, bits */
	uint16_t restarts;
	int submission;		/* how many so far: what an epoch is to be */
	int updates;		/* not answered yet */
	fed_job_end_t end;
	int64_t submitted;
	int64_t told;		/* when we got this submission */
} world_origin_t;

extern world_origin_t world_origin[JOBS];

typedef enum { M_SUBMIT, M_REVOKE, M_CANCEL, M_UPDATE, M_LIST } world_kind_t;

typedef struct {
	world_kind_t kind;
	int job;
	int submission;
	uint16_t restarts;
	bool requeue;
	world_origin_t list[JOBS];
	int64_t at;
} world_message_t;

/* what the origin says and has no answer to yet, in order */
extern world_message_t world_mail[QUEUE_MAX];
extern int world_mail_count;

#define WORD_SYNC FED_ACTIONS

/* what is said to the origin */
typedef struct {
	fed_job_action_t action;	/* or WORD_SYNC */
	int job;
	uint32_t epoch;
	int submission;		/* that the epoch stood for then */
	fed_job_end_t end;
	fed_job_sync_t list[JOBS];
	int64_t at;
} world_word_t;

extern void world_origin_begin(void);
extern void world_origin_submit(int job);
extern void world_origin_schedule(int job);
extern void world_origin_use(int job);
extern void world_origin_tick(int job);
extern void world_origin_release_all(void);
extern void world_origin_say_list(void);
extern void world_origin_disconnected(void);
extern void world_origin_crash(void);
extern void world_origin_return(void);

/*
 * While the origin is down its siblings ask each other.
 * IN submission - that FLURM has
 * RET true if the native gives its lock to FLURM
 */
extern bool world_native_lends(int job, int submission);
extern void world_native_has_it_back(int job);
extern void world_native_is_revoked(int job);

/* RET answer to a lock */
extern bool world_origin_take(const world_word_t *word);

/*
 * world_flurm.c
 */
extern void world_flurm_begin(void);
extern void world_flurm_schedule(int job);
extern void world_flurm_forget(void);

/* RET the event that the answer to a request is */
extern fed_job_event_t world_flurm_take(int job, uint32_t epoch,
					uint32_t attempt,
					fed_job_action_t action);

/* RET its oldest event, and whose it is; NULL if there is none */
extern const fed_job_event_t *world_flurm_event(int *ret_job,
						uint32_t *ret_epoch);
extern void world_flurm_heard(void);
extern bool world_flurm_silent(void);

/* RET which submission an epoch stands for: nobody in this world knows that */
extern int *world_submission_of(int job, uint32_t epoch);

/* RET true if it really ran an epoch to a good end */
extern bool world_flurm_completed(int job, uint32_t epoch);

/*
 * world_host.c
 */
extern void world_host_begin(void);
extern void world_host_end(void);
extern void world_host_connect(void);
extern void world_host_disconnect(void);
extern void world_host_crash(void);
extern void world_host_forgotten(void);	/* by FLURM */
extern void world_host_receive(void);
extern void world_host_transmit(void);
extern void world_host_hear_flurm(void);
extern void world_host_late(void);
extern void world_host_tick(void);
extern void world_host_act(void);
extern bool world_host_silent(void);
extern bool world_host_lends(int job);		/* its lock, to the native */
extern void world_host_revoked_by_native(int job);
extern void world_host_each(void (*visit)(fed_job_t *j, void *arg), void *arg);

#endif
