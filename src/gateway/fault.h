/*
 * fault.h - what goes wrong on purpose: between the gateway and its client,
 * with backend sim alone.
 *
 * The debug route sets it at run time:
 *
 *	{"refuse": {"share": 0.1, "status": 503, "retry_after": 1}}
 *					requests are refused, untouched
 *	{"lose": 0.05}			answers are not sent, their
 *					connection ends instead
 *	{"delay_ms": 100}		answers come later
 *	{"duplicate": 0.2}		events are told twice
 *	{"restart": {"forget": false}}	the gateway begins anew; with forget,
 *					as one that lost its state
 *
 * A share is from 0 to 1. Requests to the debug route itself never suffer.
 * May be used by any thread.
 */
#ifndef FED_GATEWAY_FAULT_H
#define FED_GATEWAY_FAULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/flurm/request.h"

typedef struct gw_faults gw_faults_t;

extern gw_faults_t *gw_faults_create(void);
extern void gw_faults_free(gw_faults_t *faults);

/* RET 0, or -1: err names what is wrong, and nothing is changed */
extern int gw_faults_set(gw_faults_t *faults, const json_t *command,
			 fed_err_t *err);

/* Put the settings into an object. */
extern void gw_faults_tell(gw_faults_t *faults, json_t *object);

/*
 * Is this request to be refused? NULL for faults is fine, here and below.
 * RET true if it has been answered
 */
extern bool gw_fault_refuses(gw_faults_t *faults, flurm_request_t *request);

/* RET true if the next answer is to be lost */
extern bool gw_fault_loses(gw_faults_t *faults);

/* RET milliseconds that answers are late */
extern int64_t gw_fault_delay_ms(gw_faults_t *faults);

/* RET true if the next event is to be told twice */
extern bool gw_fault_duplicates(gw_faults_t *faults);

typedef enum { GW_NO_RESTART, GW_RESTART, GW_RESTART_FORGET } gw_restart_t;

/* Is the gateway to begin anew? Once for each command. */
extern gw_restart_t gw_fault_restart(gw_faults_t *faults);

#endif
