/*
 * loop.h - one thread's loop for HTTP clients.
 *
 * The caller owns the thread and turns the loop; clients (client.h) hang off
 * it and call back only from within flurm_loop_turn(). Everything but
 * flurm_loop_wakeup() belongs to that one thread.
 *
 *	while (!done) {
 *		flurm_loop_turn(loop, ms_to_my_next_timer);
 *		take_what_other_threads_posted();
 *	}
 */
#ifndef FED_FLURM_LOOP_H
#define FED_FLURM_LOOP_H

#include <stdint.h>

#include "src/core/err.h"

typedef struct flurm_loop flurm_loop_t;

/* RET the loop, or NULL: err says why */
extern flurm_loop_t *flurm_loop_create(fed_err_t *err);

/* Every client must have been destroyed. NULL is fine. */
extern void flurm_loop_destroy(flurm_loop_t *loop);

/*
 * Wait until something happens, a client's timer is due or max_ms have passed
 * (0: do not wait; negative: no limit), and do what there is to do.
 * RET 0, or -1 if the wait itself failed: err says why
 */
extern int flurm_loop_turn(flurm_loop_t *loop, int max_ms, fed_err_t *err);

/* End the wait of a turn, now or the next one. Any thread. */
extern void flurm_loop_wakeup(flurm_loop_t *loop);

/* RET milliseconds of CLOCK_MONOTONIC, as of the start of this turn's work */
extern int64_t flurm_loop_now(const flurm_loop_t *loop);

#endif
