/*
 * job_id.h - ids of jobs in a federation.
 *
 * A job id carries the federation id of the cluster where it was submitted,
 * its origin, in bits 26 to 31; the rest counts up at that origin. Fed ids are
 * given by slurmdbd, change when a cluster is removed and added again, and are
 * 0 outside of a federation: what the id says about the origin of an old job
 * need not be true of today's federation.
 */
#ifndef FED_CORE_JOB_ID_H
#define FED_CORE_JOB_ID_H

#include <stdbool.h>
#include <stdint.h>

#define FED_ID_MAX 63			/* clusters in a federation */
#define FED_LOCAL_ID_MAX 0x03ffffffu	/* Slurm's MAX_JOB_ID */

/* IN fed_id - 0 for a job outside of any federation */
static inline uint32_t fed_job_id_make(uint32_t fed_id, uint32_t local_id)
{
	return (local_id & FED_LOCAL_ID_MAX) | (fed_id << 26);
}

/* RET fed id of the origin, 0 if the job is in no federation */
static inline uint32_t fed_job_id_origin(uint32_t job_id)
{
	return job_id >> 26;
}

static inline uint32_t fed_job_id_local(uint32_t job_id)
{
	return job_id & FED_LOCAL_ID_MAX;
}

/* RET true for the id of one federated job, not 0, NO_VAL or INFINITE */
static inline bool fed_job_id_valid(uint32_t job_id)
{
	return fed_job_id_origin(job_id) && fed_job_id_local(job_id) &&
	       (job_id <= 0xfffffffdu);
}

/*
 * RET the local id after this one: Slurm's counter goes from the maximum back
 *	to the first id. The caller skips ids that are still in use.
 */
static inline uint32_t fed_job_id_next(uint32_t local_id, uint32_t first)
{
	return (local_id >= FED_LOCAL_ID_MAX) || (local_id < first) ?
		first : local_id + 1;
}

/* RET the cluster's bit in masks of viable and active siblings, 0 for none */
static inline uint64_t fed_sibling_bit(uint32_t fed_id)
{
	return (fed_id >= 1) && (fed_id <= FED_ID_MAX) ?
		(uint64_t) 1 << (fed_id - 1) : 0;
}

/* RET true if the mask names this cluster and no other */
static inline bool fed_sibling_only(uint64_t mask, uint32_t fed_id)
{
	return mask && (mask == fed_sibling_bit(fed_id));
}

#endif
