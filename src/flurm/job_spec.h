/*
 * job_spec.h - what a job asks for: the body of a submission, and with only
 * the changed fields said, of an update.
 *
 * Field names are FLURM's where FLURM has the field, else Slurm's; the JSON
 * names are the same. The rules of model.h hold.
 */
#ifndef FED_FLURM_JOB_SPEC_H
#define FED_FLURM_JOB_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/flurm/unset.h"

typedef struct {
	/* which job: both 0 in a submission that FLURM itself makes */
	uint32_t fed_job_id;	/* Slurm's federated job id */
	uint32_t epoch;		/* which submission of it */
	char *origin_cluster;
	int64_t id;		/* FLURM's own id, in a record of FLURM's */

	/* whose job; from slurmctld, never from the job's own text */
	char *user;
	int64_t user_id;
	int64_t group_id;
	char *account;
	char *qos;
	char *wckey;

	/* what to run */
	char *name;
	char *script;
	char **argv;		/* NULL-terminated; NULL: not said */
	char **environment;	/* "NAME=value", NULL-terminated */
	char *work_dir;
	char *std_in;
	char *std_out;
	char *std_err;
	char *open_mode;	/* "append" or "truncate" */

	/* where, and how much */
	char *partition;
	char *reservation;
	char *features;
	char *gres;
	char *licenses;
	char *req_nodes;
	char *exc_nodes;
	int64_t num_nodes;
	int64_t max_nodes;
	int64_t num_tasks;
	int64_t ntasks_per_node;
	int64_t num_cpus;	/* of the whole job */
	int64_t cpus_per_task;
	int64_t memory_mb;	/* per node; 0: all of it */
	int64_t memory_per_cpu_mb;
	int64_t tmp_disk_mb;	/* per node */
	flurm_flag_t exclusive;

	/* when */
	int64_t submit_time;
	int64_t begin_time;
	int64_t deadline;
	int64_t time_limit;	/* seconds or FLURM_UNLIMITED */
	int64_t time_min;
	int64_t priority;
	int64_t nice;
	char *dependency;
	flurm_flag_t hold;
	flurm_flag_t requeue;	/* may be requeued when its node fails */
	flurm_flag_t start_gate; /* ask before it starts; not said: yes */
	int64_t warn_signal;	/* to the script, warn_time before the limit */
	int64_t warn_time;

	/* one task of an array */
	int64_t array_job_id;
	int64_t array_task_id;
	int64_t array_task_count;
	int64_t array_task_min;
	int64_t array_task_max;
	int64_t array_task_step;

	int64_t restart_count;
	char *comment;
} flurm_job_spec_t;

extern void flurm_job_spec_init(flurm_job_spec_t *spec);
extern void flurm_job_spec_free(flurm_job_spec_t *spec);

extern void flurm_job_spec_copy(flurm_job_spec_t *ret_spec,
				const flurm_job_spec_t *spec);

/* A change's: none is asked for any more. */
#define FLURM_NO_PRIORITY (-1)

/*
 * Apply the fields said in change to spec; an empty string clears a text, and
 * FLURM_NO_PRIORITY the priority.
 * Identity (fed_job_id, epoch, origin_cluster, id) and owner are not changed.
 */
extern void flurm_job_spec_merge(flurm_job_spec_t *spec,
				 const flurm_job_spec_t *change);

/* Make one change of two; what they clear is still to be cleared. */
extern void flurm_job_spec_join(flurm_job_spec_t *change,
				const flurm_job_spec_t *later);

/*
 * The spec as text for the ledger of whoever holds the job, cheaper than JSON.
 * IN bulk - script and environment, or else all but them
 * RET malloc'd, without a NUL byte inside
 */
extern char *flurm_job_spec_pack(const flurm_job_spec_t *spec, bool bulk);

/* Put what such a text says into spec, which is initialized. RET 0 or -1 */
extern int flurm_job_spec_unpack(const char *text, flurm_job_spec_t *spec,
				 fed_err_t *err);

extern json_t *flurm_job_spec_to_json(const flurm_job_spec_t *spec);
extern int flurm_job_spec_from_json(const json_t *json,
				    flurm_job_spec_t *ret_spec, fed_err_t *err);

#endif
