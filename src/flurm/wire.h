/*
 * wire.h - FLURM's binary federation messages, as it sends them to a peer in
 * POST /api/v1/federation/message.
 *
 * The envelope: u32 length, u16 version, u16 flags, u16 type, u32 body
 * length, three u16 zeros, body; all big-endian. Strings are u32 (length + 1),
 * bytes, NUL. Decoding checks every length before it touches what it counts.
 */
#ifndef FED_FLURM_WIRE_H
#define FED_FLURM_WIRE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/flurm/job_spec.h"

enum {
	FLURM_MSG_JOB_SUBMIT = 2070,
	FLURM_MSG_JOB_STARTED = 2071,
	FLURM_MSG_SIBLING_REVOKE = 2072,
	FLURM_MSG_JOB_COMPLETED = 2073,
	FLURM_MSG_JOB_FAILED = 2074,
};

#define FLURM_WIRE_VERSION 0x2800

typedef struct {
	uint16_t version;	/* 0x2800 or 0x2600 */
	uint16_t type;		/* FLURM_MSG_* */
	char *fed_job_id;	/* FLURM's own: "fed-1795372180804876-931243" */
	char *cluster;		/* origin of a submit, else who runs it */
	char *target;		/* submit */
	uint64_t time;		/* submit, start or end */
	uint32_t local_job_id;	/* started, completed, failed */
	int32_t exit_code;	/* completed, failed */
	char *text;		/* revoke: reason; failed: error */
	flurm_job_spec_t spec;	/* submit */
} flurm_wire_msg_t;

extern void flurm_wire_msg_init(flurm_wire_msg_t *msg);
extern void flurm_wire_msg_free(flurm_wire_msg_t *msg);

/* RET 0, or -1: err says what is wrong at which byte; ret_msg is empty */
extern int flurm_wire_decode(const void *data, size_t len,
			     flurm_wire_msg_t *ret_msg, fed_err_t *err);

/* RET malloc'd, or NULL if the type is none of the five */
extern void *flurm_wire_encode(const flurm_wire_msg_t *msg, size_t *ret_len);

/*
 * The JSON body around it: {"msg_type":N,"payload":"<base64>"}.
 * msg_type must agree with the payload.
 */
extern int flurm_wire_from_json(const json_t *json, flurm_wire_msg_t *ret_msg,
				fed_err_t *err);
extern json_t *flurm_wire_to_json(const flurm_wire_msg_t *msg);

#endif
