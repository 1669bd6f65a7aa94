/*
 * pattern.h - Slurm's file name patterns: where a job's output goes.
 *
 * As slurmd names the files of a batch script: %j and %J job id, %A array job
 * id, %a array task id, %u user, %x job name, %N node name, %n node number,
 * %t task number, %s "batch", %% a percent sign; a number after the % pads
 * (up to 10 digits). What is not known stays as it is. A name with a backslash
 * loses its backslashes and is not expanded.
 */
#ifndef FED_GATEWAY_PATTERN_H
#define FED_GATEWAY_PATTERN_H

#include <stdint.h>

#include "src/core/err.h"

typedef struct {
	uint32_t job_id;	/* the federated one: what the user knows */
	uint32_t array_job_id;	/* 0: not of an array */
	uint32_t array_task_id;
	const char *user;
	const char *job_name;
	const char *node;	/* the first one: where the script runs */
} gw_pattern_vars_t;

/*
 * Expand a pattern into an absolute path.
 * IN format - not empty
 * IN work_dir - put before a relative name
 * OUT ret_path - malloc'd
 * RET 0, or -1 if it becomes too long for a path or without memory
 */
extern int gw_pattern_expand(const char *format, const char *work_dir,
			     const gw_pattern_vars_t *vars, char **ret_path,
			     fed_err_t *err);

#endif
