/*
 * job_env.c - the environment of a batch script (see job_env.h).
 *
 * The list is that of Slurm's env_array_for_batch_job() and of what slurmstepd
 * adds, as far as it makes sense without steps. A variable of ours replaces
 * one of the same name that was submitted.
 */
#include "fed_config.h"

#include "src/gateway/job_env.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"

typedef struct {
	char **vars;
	size_t count;
	size_t size;
} env_t;

static void _set(env_t *env, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void _put(env_t *env, char *var)
{
	size_t name = strcspn(var, "=") + 1;

	for (size_t i = 0; i < env->count; i++)
		if (!strncmp(env->vars[i], var, name)) {
			free(env->vars[i]);
			env->vars[i] = var;
			return;
		}
	if (env->count + 1 >= env->size) {
		env->size = 2 * env->size + 64;
		env->vars = fed_realloc(env->vars, env->size *
					sizeof(*env->vars));
	}
	env->vars[env->count++] = var;
	env->vars[env->count] = NULL;
}

static void _set(env_t *env, const char *name, const char *fmt, ...)
{
	char *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		abort();
	va_end(ap);
	_put(env, fed_strdup_printf("%s=%s", name, value));
	free(value);
}

/* as it was said, or not at all */
static void _set_text(env_t *env, const char *name, const char *value)
{
	if (value && *value)
		_set(env, name, "%s", value);
}

static void _set_number(env_t *env, const char *name, int64_t value)
{
	if (flurm_is_set(value))
		_set(env, name, "%" PRId64, value);
}

/* "4" or "4(x3)": the same on each node */
static void _set_per_node(env_t *env, const char *name, uint32_t value,
			  uint32_t nodes)
{
	if (nodes > 1)
		_set(env, name, "%u(x%u)", value, nodes);
	else
		_set(env, name, "%u", value);
}

static void _submitted(env_t *env, const flurm_job_spec_t *spec)
{
	for (char **var = spec->environment; var && *var; var++)
		if (strchr(*var, '='))
			_put(env, fed_strdup(*var));
}

static void _who_and_what(env_t *env, const gw_job_t *job,
			  const flurm_job_spec_t *spec)
{
	_set(env, "SLURM_JOB_ID", "%u", job->fed_job_id);
	_set(env, "SLURM_JOBID", "%u", job->fed_job_id);
	_set_text(env, "SLURM_JOB_NAME", spec->name);
	_set_text(env, "SLURM_JOB_USER", spec->user);
	_set_number(env, "SLURM_JOB_UID", spec->user_id);
	_set_number(env, "SLURM_JOB_GID", spec->group_id);
	_set_text(env, "SLURM_JOB_ACCOUNT", spec->account);
	_set_text(env, "SLURM_JOB_QOS", spec->qos);
	if (job->restarts || (flurm_or(spec->restart_count, 0) > 0))
		_set(env, "SLURM_RESTART_COUNT", "%" PRId64,
		     flurm_or(spec->restart_count, 0) + job->restarts);
	if (!flurm_is_set(spec->array_task_id))
		return;
	_set_number(env, "SLURM_ARRAY_JOB_ID", spec->array_job_id);
	_set_number(env, "SLURM_ARRAY_TASK_ID", spec->array_task_id);
	_set_number(env, "SLURM_ARRAY_TASK_COUNT", spec->array_task_count);
	_set_number(env, "SLURM_ARRAY_TASK_MIN", spec->array_task_min);
	_set_number(env, "SLURM_ARRAY_TASK_MAX", spec->array_task_max);
	_set_number(env, "SLURM_ARRAY_TASK_STEP", spec->array_task_step);
}

static void _where(env_t *env, const gw_job_t *job,
		   const flurm_job_spec_t *spec, const gw_job_env_t *where)
{
	const gw_need_t *need = &job->entry.need;

	_set_text(env, "SLURM_CLUSTER_NAME", where->cluster_name);
	_set_text(env, "SLURM_JOB_PARTITION", spec->partition);
	_set_text(env, "SLURM_JOB_NODELIST", job->nodes);
	_set_text(env, "SLURM_NODELIST", job->nodes);
	_set(env, "SLURM_JOB_NUM_NODES", "%u", need->nodes);
	_set(env, "SLURM_NNODES", "%u", need->nodes);
	_set_per_node(env, "SLURM_JOB_CPUS_PER_NODE", need->cpus,
		      need->nodes);
	_set(env, "SLURM_CPUS_ON_NODE", "%u", need->cpus);
	_set_text(env, "SLURMD_NODENAME", where->node_name);
	_set_text(env, "HOSTNAME", where->node_name);
	_set_text(env, "SLURM_TOPOLOGY_ADDR", where->node_name);
	_set(env, "SLURM_TOPOLOGY_ADDR_PATTERN", "node");
	_set(env, "SLURM_NODE_ALIASES", "(null)");
	_set(env, "SLURM_NODEID", "0");
	_set(env, "SLURM_PROCID", "0");
	_set(env, "SLURM_LOCALID", "0");
	_set(env, "SLURM_GTIDS", "0");
	_set(env, "ENVIRONMENT", "BATCH");
}

static void _how_much(env_t *env, const gw_job_t *job,
		      const flurm_job_spec_t *spec)
{
	const gw_need_t *need = &job->entry.need;
	int64_t per_task = flurm_or(spec->cpus_per_task, 1);
	int64_t tasks = flurm_or(spec->num_tasks, 0);
	int64_t per_node;

	if (per_task < 1)
		per_task = 1;
	if (flurm_is_set(spec->cpus_per_task))
		_set(env, "SLURM_CPUS_PER_TASK", "%" PRId64, per_task);
	if (tasks > 0) {
		_set(env, "SLURM_NTASKS", "%" PRId64, tasks);
		_set(env, "SLURM_NPROCS", "%" PRId64, tasks);
	}
	_set_number(env, "SLURM_NTASKS_PER_NODE", spec->ntasks_per_node);
	per_node = need->cpus / per_task;
	_set_per_node(env, "SLURM_TASKS_PER_NODE", per_node ? per_node : 1,
		      need->nodes);
	if (flurm_or(spec->memory_mb, 0) > 0)
		_set_number(env, "SLURM_MEM_PER_NODE", spec->memory_mb);
	else if (flurm_or(spec->memory_per_cpu_mb, 0) > 0)
		_set_number(env, "SLURM_MEM_PER_CPU",
			    spec->memory_per_cpu_mb);
}

extern char **gw_job_env(const gw_job_t *job, const flurm_job_spec_t *spec,
			 const gw_job_env_t *where)
{
	env_t env = { 0 };

	_submitted(&env, spec);
	_set_text(&env, "SLURM_SUBMIT_DIR", spec->work_dir);
	_who_and_what(&env, job, spec);
	_where(&env, job, spec, where);
	_how_much(&env, job, spec);
	_put(&env, fed_strdup(where->mark));
	return env.vars;
}

extern void gw_job_env_free(char **env)
{
	for (char **var = env; var && *var; var++)
		free(*var);
	free(env);
}
