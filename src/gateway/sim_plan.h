/*
 * sim_plan.h - what a job of backend sim will do: said by its own script, in
 * lines like
 *
 *	#FLURM sim duration=1.5 exit=3
 *	#FLURM sim term=ignore
 *
 * or, where it says nothing, drawn by lot. The same job and epoch always draw
 * the same, so that a restart changes nothing.
 */
#ifndef FED_GATEWAY_SIM_PLAN_H
#define FED_GATEWAY_SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/err.h"

typedef struct {
	int64_t duration_ms;	/* virtual; "duration" seconds */
	int64_t start_ms;	/* from the grant to its first line: "start" */
	int64_t oom_ms;		/* its end for want of memory; -1: never */
	int64_t max_rss_kb;	/* "rss" */
	uint32_t start_fails;	/* this many starts fail before one works */
	int exit_code;		/* "exit" */
	int signal;		/* that it dies of in the end; 0: none */
	bool ignores_term;	/* "term=ignore" */
} sim_plan_t;

/* what the lot is drawn from */
typedef struct {
	int64_t mean_ms;	/* of the duration; exponential */
	int64_t failures;	/* percent that exit 1 */
} sim_lot_t;

/*
 * IN script - NULL: says nothing
 * RET 0, or -1: err names the word that is wrong
 */
extern int sim_plan_read(const char *script, uint32_t fed_job_id,
			 uint32_t epoch, const sim_lot_t *lot,
			 sim_plan_t *ret_plan, fed_err_t *err);

#endif
