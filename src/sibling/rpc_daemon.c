/*
 * rpc_daemon.c - what slurmdbd and sacctmgr say, and those who want to know
 * whether the controller is there (see rpc_int.h).
 */
#include "src/core/log.h"
#include "src/sibling/rights.h"
#include "src/sibling/rpc_int.h"

extern void rpc_ping(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	(void) slurm_send_rc_msg(msg, SLURM_SUCCESS);
}

extern void rpc_control_status(const rpc_conf_t *conf, slurm_msg_t *msg,
			       uid_t uid)
{
	control_status_msg_t status = {
		.backup_inx = 0,
		.control_time = conf->started,
	};

	(void) compat_reply(msg, RESPONSE_CONTROL_STATUS, &status);
}

static void _flags(void *arg, const fed_member_t *member, bool *ret_send,
		   bool *ret_recv, bool *ret_synced)
{
	const rpc_conf_t *conf = arg;
	peer_flags_t flags = peers_flags(engine_peers(conf->engine),
					 member->name);

	*ret_send = flags.send;
	*ret_recv = flags.recv;
	*ret_synced = flags.synced;
}

extern void rpc_fed_info(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	federation_t *fed = engine_federation(conf->engine);
	slurmdb_federation_rec_t *rec = NULL;

	/* without a federation a native answers with an empty record too */
	if (fed->self)
		rec = federation_to_rec(fed, _flags, (void *) conf);
	(void) compat_reply(msg, RESPONSE_FED_INFO, rec);
	if (rec)
		slurmdb_destroy_federation_rec(rec);
	federation_unref(fed);
}

extern void rpc_accounting_update(const rpc_conf_t *conf, slurm_msg_t *msg,
				  uid_t uid)
{
	/* sacctmgr says itself that usage is reset */
	if (!rights_admin(conf, uid)) {
		fed_log_once(conf->complaints, FED_LOG_ERROR,
			     "cluster %s: %s from uid %u refused",
			     conf->cluster, rpc_num2string(msg->msg_type), uid);
		(void) slurm_send_rc_msg(msg, ESLURM_ACCESS_DENIED);
		return;
	}
	/* slurmdbd waits with its locks held: answer first */
	(void) slurm_send_rc_msg(msg, SLURM_SUCCESS);
	conf->accounting(conf->arg, msg->data);
}

extern void rpc_register_ctld(const rpc_conf_t *conf, slurm_msg_t *msg,
			      uid_t uid)
{
	/* no answer is expected (slurmdbd.c, _send_slurmctld_register_req()) */
	conf->register_again(conf->arg);
}
