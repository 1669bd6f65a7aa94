/*
 * spec.h - what sbatch asked for, as FLURM is asked for it.
 *
 * Every option is mapped, ignored because it does no harm, or refused with a
 * reason; doc/options.md has the table. A refusal at a sibling only means that
 * the job runs elsewhere.
 */
#ifndef FED_SIBLING_SPEC_H
#define FED_SIBLING_SPEC_H

#include "src/core/err.h"
#include "src/flurm/job_spec.h"
#include "src/sibling/compat.h"

/*
 * IN msg - a submission from an origin, with a job_desc_msg_t in it
 * IN origin - the name of the cluster that sent it
 * IN partitions - those that FLURM may be asked for, comma separated, or NULL
 * OUT ret_spec - set but for epoch if 0 is returned; for flurm_job_spec_free()
 * RET 0, or a Slurm errno with which it is refused, and err says why
 */
extern uint32_t spec_from_submit(const sib_msg_t *msg, const char *origin,
				 const char *partitions,
				 flurm_job_spec_t *ret_spec, fed_err_t *err);

/*
 * What an UPDATE changes, the fields not changed not said.
 * RET true if anything changes that FLURM knows of
 */
extern bool spec_from_update(const job_desc_msg_t *desc,
			     flurm_job_spec_t *ret_change);

#endif
