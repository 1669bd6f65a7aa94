/*
 * slurm_load.h - Slurm's libraries, ready to be used.
 */
#ifndef FED_FLURMFED_SLURM_LOAD_H
#define FED_FLURMFED_SLURM_LOAD_H

#include "src/core/err.h"
#include "src/sibling/site.h"

/*
 * Have Slurm read its slurm.conf and load its plugins. What cannot be read
 * ends the process that reads it, so a child tries it first.
 * OUT ret_said - what Slurm complained of, to be freed; "" if nothing
 * RET the site, for site_free(), or NULL with err
 */
extern site_t *slurm_load(char **ret_said, fed_err_t *err);

/*
 * Go on as SlurmUser, who must be able to read what the controller reads.
 * RET 0, or -1 with err; EACCES: only root and SlurmUser can
 */
extern int slurm_become_user(const site_t *site, fed_err_t *err);

#endif
