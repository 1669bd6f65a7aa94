/*
 * rpc_conf.c - scontrol show config (see rpc_int.h).
 *
 * Clients look here for how to treat the cluster: limits, flags, timeouts, the
 * priority plugin. What is of the site is the native's own. What is of the
 * native's hosts, programs and secrets is not told: FLURM has none of that.
 */
#include "src/sibling/rpc_int.h"

#include <string.h>
#include <unistd.h>

/* The site's, told as they are */
#define NUMBERS(X) \
	X(accounting_storage_enforce) \
	X(accounting_storage_port) \
	X(batch_start_timeout) \
	X(complete_wait) \
	X(conf_flags) \
	X(cpu_freq_def) \
	X(cpu_freq_govs) \
	X(def_mem_per_cpu) \
	X(eio_timeout) \
	X(enforce_part_limits) \
	X(epilog_msg_time) \
	X(first_job_id) \
	X(fs_dampening_factor) \
	X(get_env_timeout) \
	X(group_force) \
	X(group_time) \
	X(inactive_limit) \
	X(job_file_append) \
	X(job_requeue) \
	X(keepalive_time) \
	X(kill_on_bad_exit) \
	X(kill_wait) \
	X(log_fmt) \
	X(max_array_sz) \
	X(max_dbd_msgs) \
	X(max_job_cnt) \
	X(max_job_id) \
	X(max_mem_per_cpu) \
	X(max_node_cnt) \
	X(max_step_cnt) \
	X(max_tasks_per_node) \
	X(min_job_age) \
	X(msg_timeout) \
	X(over_time_limit) \
	X(preempt_exempt_time) \
	X(preempt_mode) \
	X(priority_calc_period) \
	X(priority_decay_hl) \
	X(priority_favor_small) \
	X(priority_flags) \
	X(priority_max_age) \
	X(priority_reset_period) \
	X(private_data) \
	X(prolog_epilog_timeout) \
	X(prolog_flags) \
	X(propagate_prio_process) \
	X(reconfig_flags) \
	X(resume_rate) \
	X(resume_timeout) \
	X(resv_over_run) \
	X(ret2service) \
	X(sched_log_level) \
	X(sched_time_slice) \
	X(select_type_param) \
	X(slurm_user_id) \
	X(slurmctld_debug) \
	X(slurmctld_syslog_debug) \
	X(slurmctld_timeout) \
	X(slurmd_debug) \
	X(slurmd_port) \
	X(slurmd_syslog_debug) \
	X(slurmd_timeout) \
	X(slurmd_user_id) \
	X(suspend_rate) \
	X(suspend_time) \
	X(suspend_timeout) \
	X(task_plugin_param) \
	X(tcp_timeout) \
	X(tree_width) \
	X(unkillable_timeout) \
	X(vsize_factor) \
	X(wait_time) \
	/* End of NUMBERS */

#define TEXTS(X) \
	X(accounting_storage_backup_host) \
	X(accounting_storage_host) \
	X(accounting_storage_tres) \
	X(accounting_storage_type) \
	X(acct_gather_energy_type) \
	X(acct_gather_filesystem_type) \
	X(acct_gather_interconnect_type) \
	X(acct_gather_profile_type) \
	X(authtype) \
	X(cred_type) \
	X(fed_params) \
	X(gres_plugins) \
	X(interactive_step_opts) \
	X(job_acct_gather_freq) \
	X(job_acct_gather_type) \
	X(job_comp_type) \
	X(job_container_plugin) \
	X(mcs_plugin) \
	X(mpi_default) \
	X(preempt_type) \
	X(prep_plugins) \
	X(priority_type) \
	X(proctrack_type) \
	X(propagate_rlimits) \
	X(propagate_rlimits_except) \
	X(schedtype) \
	X(select_type) \
	X(slurm_user_name) \
	X(slurmd_user_name) \
	X(switch_type) \
	X(task_plugin) \
	X(topology_plugin) \
	/* End of TEXTS */

static void _copy(slurm_conf_t *to)
{
	slurm_conf_t *from = slurm_conf_lock();

#define COPY_NUMBER(member) to->member = from->member;
#define COPY_TEXT(member) to->member = xstrdup(from->member);
	NUMBERS(COPY_NUMBER)
	TEXTS(COPY_TEXT)
	/* whose native this is matters nowhere else */
	to->debug_flags = 0;
	slurm_conf_unlock();
}

static void _free(slurm_conf_t *conf)
{
#define FREE_TEXT(member) xfree(conf->member);
	TEXTS(FREE_TEXT)
	FREE_NULL_LIST(conf->acct_gather_conf);
	xfree(conf->cluster_name);
	xfree(conf->control_addr[0]);
	xfree(conf->control_addr);
	xfree(conf->control_machine[0]);
	xfree(conf->control_machine);
	xfree(conf->srun_port_range);
	xfree(conf->version);
}

static void _set_own(const rpc_conf_t *rpc, slurm_conf_t *conf)
{
	federation_t *fed = engine_federation(rpc->engine);
	char name[HOST_NAME_MAX + 1];

	if (gethostname(name, sizeof(name)))
		name[0] = 0;
	name[sizeof(name) - 1] = 0;
	conf->conf_flags &= ~COMPAT_STORE_ALL;
	conf->conf_flags |= site_stores(rpc->site);
	conf->last_update = time(NULL);
	conf->boot_time = rpc->started;
	conf->cluster_name = xstrdup(rpc->cluster);
	conf->control_cnt = 1;
	conf->control_addr = xcalloc(2, sizeof(char *));
	conf->control_machine = xcalloc(2, sizeof(char *));
	conf->control_machine[0] = xstrdup(name);
	conf->control_addr[0] = xstrdup((fed->self && fed->self->host[0]) ?
					fed->self->host : name);
	federation_unref(fed);
	conf->slurmctld_port = rpc->port;
	conf->slurmctld_port_count = 1;
	conf->next_job_id = 1;
	/* the one factor that sprio is told, beside the nice value */
	conf->priority_weight_part = 1;
	conf->hash_val = NO_VAL;	/* of no slurm.conf */
	conf->version = xstrdup(SLURM_VERSION_STRING);
	/* both are looked into without a check */
	conf->acct_gather_conf = list_create(NULL);
	conf->srun_port_range = xcalloc(2, sizeof(uint16_t));
}

extern void rpc_config(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const last_update_msg_t *request = msg->data;
	slurm_conf_t *table;

	if (rpc_no_change(msg, request->last_update, conf->started))
		return;
	table = xmalloc(sizeof(*table));
	_copy(table);
	_set_own(conf, table);
	(void) compat_reply(msg, RESPONSE_BUILD_INFO, table);
	_free(table);
	xfree(table);
}
