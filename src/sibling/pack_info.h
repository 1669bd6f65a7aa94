/*
 * pack_info.h - the bodies of Slurm's info messages, packed by hand.
 *
 * Slurm's libraries can unpack them but not pack them: slurmctld packs its own
 * records, under its own cluster's name. Each layout is proven by the
 * client's own unpack in the unit tests.
 */
#ifndef FED_SIBLING_PACK_INFO_H
#define FED_SIBLING_PACK_INFO_H

#include <stdint.h>
#include <time.h>

#include "src/sibling/compat.h"

/*
 * Begin the body of a RESPONSE_JOB_INFO (job_mgr.c, pack_spec_jobs()).
 * IN count - job records that the caller will append
 * RET a buffer for free_buf()
 */
extern buf_t *pack_info_jobs(uint32_t count, time_t last_update,
			     uint16_t version);

#endif
