/*
 * loop_inside.h - what clients use of their loop.
 */
#ifndef FED_FLURM_LOOP_INSIDE_H
#define FED_FLURM_LOOP_INSIDE_H

#include <curl/curl.h>

#include "src/flurm/loop.h"
#include "src/flurm/timers.h"

extern fed_timers_t *loop_timers(flurm_loop_t *loop);
extern CURLM *loop_multi(flurm_loop_t *loop);

/* transfer.c: a transfer of the loop's has ended */
extern void transfer_finished(CURL *easy, CURLcode code);

#endif
