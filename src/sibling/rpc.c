/*
 * rpc.c - what is asked of FLURM's controller (see rpc.h).
 */
#include "src/sibling/rpc.h"

#include <string.h>

#include "src/core/log.h"
#include "src/sibling/rpc_count.h"
#include "src/sibling/rpc_int.h"

static const struct {
	uint16_t type;
	bool daemons_only;	/* uid 0 and SlurmUser */
	rpc_serve_t *serve;
} table[] = {
	/* daemons */
	{ REQUEST_PING, false, rpc_ping },
	{ REQUEST_CONTROL_STATUS, false, rpc_control_status },
	{ REQUEST_FED_INFO, false, rpc_fed_info },
	{ ACCOUNTING_UPDATE_MSG, false, rpc_accounting_update },
	{ ACCOUNTING_REGISTER_CTLD, true, rpc_register_ctld },
	/* squeue, scontrol show job, sprio */
	{ REQUEST_JOB_INFO, false, rpc_jobs },
	{ REQUEST_JOB_USER_INFO, false, rpc_user_jobs },
	{ REQUEST_JOB_INFO_SINGLE, false, rpc_one_job },
	{ REQUEST_JOB_STATE, false, rpc_job_states },
	{ REQUEST_JOB_STEP_INFO, false, rpc_steps },
	{ REQUEST_BATCH_SCRIPT, false, rpc_script },
	{ REQUEST_JOB_READY, false, rpc_job_ready },
	{ REQUEST_PRIORITY_FACTORS, false, rpc_priorities },
	/* scancel, scontrol hold, suspend, requeue, update; sbatch -M */
	{ REQUEST_KILL_JOB, false, rpc_kill_job },
	{ REQUEST_CANCEL_JOB_STEP, false, rpc_kill_step },
	{ REQUEST_KILL_JOBS, false, rpc_kill_jobs },
	{ REQUEST_SUSPEND, false, rpc_suspend },
	{ REQUEST_UPDATE_JOB, false, rpc_update_job },
	{ REQUEST_JOB_REQUEUE, false, rpc_requeue },
	{ REQUEST_JOB_NOTIFY, false, rpc_notify },
	{ REQUEST_TOP_JOB, false, rpc_top },
	{ REQUEST_JOB_WILL_RUN, false, rpc_will_run },
	/* sinfo, scontrol show node and partition */
	{ REQUEST_NODE_INFO, false, rpc_nodes },
	{ REQUEST_NODE_INFO_SINGLE, false, rpc_one_node },
	{ REQUEST_PARTITION_INFO, false, rpc_partitions },
	{ REQUEST_RESERVATION_INFO, false, rpc_reservations },
	{ REQUEST_LICENSE_INFO, false, rpc_licenses },
	{ REQUEST_TOPO_INFO, false, rpc_topology },
	{ REQUEST_BURST_BUFFER_INFO, false, rpc_burst_buffers },
	/* sshare, scontrol show assoc_mgr */
	{ REQUEST_SHARE_INFO, false, rpc_shares },
	{ REQUEST_ASSOC_MGR_INFO, false, rpc_assocs },
	/* scontrol show config, sdiag */
	{ REQUEST_BUILD_INFO, false, rpc_config },
	{ REQUEST_STATS_INFO, false, rpc_stats },
	/* End of table */
};

static view_t *_view(slurm_msg_t *msg, view_t *view)
{
	if (!view)
		(void) slurm_send_rc_msg(msg, ESLURM_IN_STANDBY_MODE);
	return view;
}

extern view_t *rpc_view(const rpc_conf_t *conf, slurm_msg_t *msg)
{
	return _view(msg, engine_view(conf->engine));
}

extern view_t *rpc_view_now(const rpc_conf_t *conf, slurm_msg_t *msg)
{
	return _view(msg, engine_view_now(conf->engine));
}

extern bool rpc_no_change(slurm_msg_t *msg, time_t last_update, time_t changed)
{
	if (last_update <= changed)
		return false;
	(void) slurm_send_rc_msg(msg, SLURM_NO_CHANGE_IN_DATA);
	return true;
}

extern const char *rpc_text(const char *text)
{
	return (text && memchr(text, 0, xsize((void *) text))) ? text : NULL;
}

extern void rpc_set_count(buf_t *buf, uint32_t count)
{
	uint32_t end = get_buf_offset(buf);

	set_buf_offset(buf, 0);
	pack32(count, buf);
	set_buf_offset(buf, end);
}

static void _serve(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].type != msg->msg_type)
			continue;
		if (!table[i].daemons_only ||
		    site_is_daemon_uid(conf->site, uid)) {
			table[i].serve(conf, msg, uid);
			return;
		}
		fed_log_once(conf->complaints, FED_LOG_ERROR,
			     "cluster %s: %s from uid %u refused",
			     conf->cluster, rpc_num2string(msg->msg_type), uid);
		(void) slurm_send_rc_msg(msg, ESLURM_ACCESS_DENIED);
		return;
	}
	fed_debug("cluster %s: %s from uid %u is not supported",
		  conf->cluster, rpc_num2string(msg->msg_type), uid);
	(void) slurm_send_rc_msg(msg, ESLURM_NOT_SUPPORTED);
}

static uint64_t _now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

extern void rpc_serve(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	uint64_t since = _now_usec();
	uint16_t type = msg->msg_type;

	_serve(conf, msg, uid);
	rpc_count_add(conf->count, type, uid, _now_usec() - since);
}
