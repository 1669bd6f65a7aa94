/*
 * record.h - the records in a controller's ledger: their types.
 *
 * A number is never given a second meaning. Bodies are described where they
 * are packed.
 */
#ifndef FED_SIBLING_RECORD_H
#define FED_SIBLING_RECORD_H

#include "src/core/bytes.h"

typedef enum {
	RECORD_FEDERATION = 1,	/* the last known one: federation_pack() */
	RECORD_DEP = 2,		/* peer, dep_pack(): not yet answered */
	RECORD_DEP_DONE = 3,	/* peer, u32 job id: answered or withdrawn */
	RECORD_JOB = 4,		/* fed_job_pack(): a job's state */
	RECORD_JOB_HOST = 5,	/* what it asks for (jobs_ledger.c) */
	RECORD_JOB_FORGET = 6,	/* u32 job id, u32 epoch */
	RECORD_CURSOR = 7,	/* u64: FLURM's events up to here are known;
				 * str: the instance_id that they are of */
	RECORD_JOB_RUN = 8,	/* how it fares at FLURM (job_kept.h) */
	RECORD_ASSOC = 9,	/* who may do what: assoc_pack() */
	RECORD_ROW = 10,	/* u64 number, i64 when; row_pack(): slurmdbd is
				 * to know it */
	RECORD_ROW_DONE = 11,	/* u64: rows up to this number are done with */
	RECORD_USAGE = 12,	/* all that was used: usage_pack() */
	RECORD_CHARGE = 13,	/* what was since, by one job: usage_charge() */
} record_type_t;

/* As fed_get_str(), but for xfree() */
extern char *record_get_str(fed_reader_t *reader);

#endif
