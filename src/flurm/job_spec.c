/*
 * job_spec.c - what a job asks for (see job_spec.h).
 */
#include "src/flurm/job_spec.h"

#include "src/core/mem.h"
#include "src/flurm/field.h"

#define FIELD_RECORD flurm_job_spec_t
#define NICE_MAX 2147483645

static const field_t fields[] = {
	FIELD_KEY32(fed_job_id, .identity = true),
	FIELD_KEY32(epoch, .identity = true),
	FIELD_NAME(origin_cluster, .identity = true),
	FIELD_RANGE(id, 0, INT64_MAX, .identity = true),

	FIELD_NAME(user, .identity = true),
	FIELD_RANGE(user_id, 0, FIELD_ID_MAX, .identity = true),
	FIELD_RANGE(group_id, 0, FIELD_ID_MAX, .identity = true),

	FIELD_NAME(account),
	FIELD_NAME(qos),
	FIELD_NAME(wckey),

	FIELD_NAME(name),
	FIELD_ANY(script, .bulk = true),
	FIELD_TEXTS(argv),
	FIELD_TEXTS(environment, .bulk = true),
	FIELD_PATH(work_dir),
	FIELD_PATH(std_in),
	FIELD_PATH(std_out),
	FIELD_PATH(std_err),
	FIELD_NAME(open_mode),

	FIELD_NAME(partition),
	FIELD_NAME(reservation),
	FIELD_ANY(features),
	FIELD_ANY(gres),
	FIELD_ANY(licenses),
	FIELD_ANY(req_nodes),
	FIELD_ANY(exc_nodes),
	FIELD_COUNT(num_nodes),
	FIELD_COUNT(max_nodes),
	FIELD_COUNT(num_tasks),
	FIELD_COUNT(ntasks_per_node),
	FIELD_COUNT(num_cpus),
	FIELD_COUNT(cpus_per_task),
	FIELD_MB(memory_mb),
	FIELD_MB(memory_per_cpu_mb),
	FIELD_MB(tmp_disk_mb),
	FIELD_BOOL(exclusive),

	FIELD_MOMENT(submit_time),
	FIELD_MOMENT(begin_time),
	FIELD_MOMENT(deadline),
	FIELD_SECONDS(time_limit),
	FIELD_SECONDS(time_min),
	FIELD_RANGE(priority, FLURM_NO_PRIORITY, FIELD_U32_MAX),
	FIELD_RANGE(nice, -NICE_MAX, NICE_MAX),
	FIELD_ANY(dependency),
	FIELD_BOOL(hold),
	FIELD_BOOL(requeue),
	FIELD_BOOL(start_gate),
	FIELD_RANGE(warn_signal, 0, 64),
	FIELD_RANGE(warn_time, 0, 65535),

	FIELD_RANGE(array_job_id, 0, FIELD_U32_MAX),
	FIELD_RANGE(array_task_id, 0, FIELD_U32_MAX),
	FIELD_RANGE(array_task_count, 0, FIELD_U32_MAX),
	FIELD_RANGE(array_task_min, 0, FIELD_U32_MAX),
	FIELD_RANGE(array_task_max, 0, FIELD_U32_MAX),
	FIELD_RANGE(array_task_step, 0, FIELD_U32_MAX),

	FIELD_RANGE(restart_count, 0, FIELD_U32_MAX),
	FIELD_ANY(comment),
};

static const field_table_t table = FIELD_TABLE("job", fields);

extern void flurm_job_spec_init(flurm_job_spec_t *spec)
{
	field_init(&table, spec);
}

extern void flurm_job_spec_free(flurm_job_spec_t *spec)
{
	field_free(&table, spec);
}

extern void flurm_job_spec_copy(flurm_job_spec_t *ret_spec,
				const flurm_job_spec_t *spec)
{
	flurm_job_spec_init(ret_spec);
	field_copy(&table, ret_spec, spec);
}

extern void flurm_job_spec_merge(flurm_job_spec_t *spec,
				 const flurm_job_spec_t *change)
{
	field_merge(&table, spec, change, true);
	if (spec->priority == FLURM_NO_PRIORITY)
		spec->priority = FLURM_UNSET;
}

extern void flurm_job_spec_join(flurm_job_spec_t *change,
				const flurm_job_spec_t *later)
{
	field_merge(&table, change, later, false);
}

extern char *flurm_job_spec_pack(const flurm_job_spec_t *spec, bool bulk)
{
	fed_bytes_t bytes = { 0 };

	field_pack(&table, spec, bulk, &bytes);
	fed_put_u8(&bytes, '\0');
	/* kept for long: no more than it needs */
	return fed_realloc(bytes.data, bytes.len);
}

extern int flurm_job_spec_unpack(const char *text, flurm_job_spec_t *spec,
				 fed_err_t *err)
{
	return field_unpack(&table, text, spec, err);
}

extern json_t *flurm_job_spec_to_json(const flurm_job_spec_t *spec)
{
	json_t *json = json_object();

	if (field_to_json(&table, spec, json) < 0)
		goto fail;
	/* an epoch of 0 is one too */
	if (spec->fed_job_id && !spec->epoch &&
	    (json_object_set_new(json, "epoch", json_integer(0)) < 0))
		goto fail;
	return json;
fail:
	json_decref(json);
	return NULL;
}

extern int flurm_job_spec_from_json(const json_t *json,
				    flurm_job_spec_t *ret_spec, fed_err_t *err)
{
	flurm_job_spec_init(ret_spec);
	if (field_from_json(&table, json, ret_spec, err) < 0) {
		flurm_job_spec_free(ret_spec);
		return -1;
	}
	return 0;
}
