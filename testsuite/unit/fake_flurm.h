/*
 * fake_flurm.h - a FLURM of one job: the real server and the gateway's real
 * gate, where the test says when the job has resources, and what comes late.
 */
#ifndef FED_UNIT_FAKE_FLURM_H
#define FED_UNIT_FAKE_FLURM_H

#include <stdbool.h>
#include <stdint.h>

#include "src/gateway/job.h"

/* RET the port that it listens on */
extern uint16_t fake_flurm_start(void);
extern void fake_flurm_stop(void);

/* The job has resources, and asks: another attempt. */
extern void fake_flurm_asks(void);

/* Nobody has answered: they are given back. */
extern void fake_flurm_gives_back(void);

/* What becomes of a job that was granted */
extern void fake_flurm_starts(void);
extern void fake_flurm_fails_to_start(void);

/* RET its state, FLURM_STATE_COUNT while it is not here */
extern flurm_state_t fake_flurm_state(void);
extern bool fake_flurm_granted(void);

/* RET its nice value, as last changed */
extern int fake_flurm_nice(void);

/* RET how often somebody has asked for this one job */
extern int fake_flurm_questions(void);

/* From now on: answers to a start_request wait, neither done nor answered. */
extern void fake_flurm_hold(bool hold);

/* RET how many wait */
extern int fake_flurm_held(void);

/* The one that waits arrives, and is answered. RET the answer's status */
extern int fake_flurm_release(void);

/* Its sender loses the connection. It still is under way... */
extern void fake_flurm_lose(void);

/* ... and arrives now. RET the status that nobody hears of */
extern int fake_flurm_late(void);

#endif
