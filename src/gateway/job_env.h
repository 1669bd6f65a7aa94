/*
 * job_env.h - the environment of a batch script.
 *
 * What was submitted, with the SLURM_* variables that slurmd would set put
 * over it: the job id is the federated one, as the user knows it.
 */
#ifndef FED_GATEWAY_JOB_ENV_H
#define FED_GATEWAY_JOB_ENV_H

#include "src/flurm/job_spec.h"
#include "src/gateway/job.h"

typedef struct {
	const char *cluster_name;
	const char *node_name;	/* where the script runs */
	const char *mark;	/* NAME=value, set too */
} gw_job_env_t;

/* RET NULL-terminated, of "NAME=value"; free with gw_job_env_free() */
extern char **gw_job_env(const gw_job_t *job, const flurm_job_spec_t *spec,
			 const gw_job_env_t *where);

extern void gw_job_env_free(char **env);

#endif
