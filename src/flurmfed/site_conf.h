/*
 * site_conf.h - what the configuration of this host says.
 *
 * Needs Slurm's libraries, which read slurm.conf; a flurmfed that was built
 * without them says so (no_slurm.c).
 */
#ifndef FED_FLURMFED_SITE_CONF_H
#define FED_FLURMFED_SITE_CONF_H

#include "src/core/err.h"

/*
 * IN file - fed_flurm.conf, or NULL for the one beside slurm.conf
 * RET path of the status socket, to be freed, or NULL with err
 */
extern char *site_conf_socket(const char *file, fed_err_t *err);

#endif
