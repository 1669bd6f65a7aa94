/*
 * submit.h - jobs that only FLURM may run and that FLURM cannot run.
 *
 * Such a job would wait for ever, so its user hears of it at once.
 */
#ifndef FED_PLUGIN_SUBMIT_H
#define FED_PLUGIN_SUBMIT_H

#include "src/sibling/compat.h"

/* IN names - of the FLURM clusters, comma separated; NULL: none */
extern void submit_set_clusters(const char *names);

/*
 * Called by slurmctld with locks held: looks at memory only.
 * IN interactive - the job has no batch script
 * RET SLURM_SUCCESS, or why not, with err_msg (if not NULL) for the user
 */
extern int submit_check(const job_desc_msg_t *desc, bool interactive,
			char **err_msg);

#endif
