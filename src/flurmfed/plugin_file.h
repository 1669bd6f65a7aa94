/*
 * plugin_file.h - what a Slurm plugin's file says of itself, without loading
 * it: one for slurmctld can only be loaded there, as it needs symbols of
 * slurmctld's own.
 */
#ifndef FED_FLURMFED_PLUGIN_FILE_H
#define FED_FLURMFED_PLUGIN_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/err.h"

/*
 * Read the version of the Slurm that a plugin was built for.
 * OUT ret_version - its plugin_version (SLURM_VERSION_NUM())
 * RET 0, or -1 with err
 */
extern int plugin_file_version(const char *path, uint32_t *ret_version,
			       fed_err_t *err);

/*
 * Call each() for every dynamic symbol of a shared object.
 * IN defined - false: another object has to bring it along
 * RET 0, or -1 with err
 */
extern int plugin_file_symbols(const char *path,
			       void (*each)(void *arg, const char *name,
					    bool defined),
			       void *arg, fed_err_t *err);

#endif
