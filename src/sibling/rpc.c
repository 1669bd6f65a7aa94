/*
 * rpc.c - what is asked of FLURM's controller (see rpc.h).
 */
#include "src/sibling/rpc.h"

#include "src/core/log.h"

static void _ping(const rpc_conf_t *conf, slurm_msg_t *msg)
{
	(void) slurm_send_rc_msg(msg, SLURM_SUCCESS);
}

static void _control_status(const rpc_conf_t *conf, slurm_msg_t *msg)
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

static void _fed_info(const rpc_conf_t *conf, slurm_msg_t *msg)
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

static void _accounting_update(const rpc_conf_t *conf, slurm_msg_t *msg)
{
	/* slurmdbd waits with its locks held: answer first */
	(void) slurm_send_rc_msg(msg, SLURM_SUCCESS);
	conf->accounting(conf->arg, msg->data);
}

static void _register_ctld(const rpc_conf_t *conf, slurm_msg_t *msg)
{
	/* no answer is expected (slurmdbd.c, _send_slurmctld_register_req()) */
	conf->register_again(conf->arg);
}

static const struct {
	uint16_t type;
	bool daemons_only;	/* uid 0 and SlurmUser */
	void (*serve)(const rpc_conf_t *conf, slurm_msg_t *msg);
} table[] = {
	{ REQUEST_PING, false, _ping },
	{ REQUEST_CONTROL_STATUS, false, _control_status },
	{ REQUEST_FED_INFO, false, _fed_info },
	{ ACCOUNTING_UPDATE_MSG, true, _accounting_update },
	{ ACCOUNTING_REGISTER_CTLD, true, _register_ctld },
	/* End of table */
};

extern void rpc_serve(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].type != msg->msg_type)
			continue;
		if (!table[i].daemons_only ||
		    site_is_daemon_uid(conf->site, uid)) {
			table[i].serve(conf, msg);
			return;
		}
		fed_error("cluster %s: %s from uid %u refused", conf->cluster,
			  rpc_num2string(msg->msg_type), uid);
		(void) slurm_send_rc_msg(msg, ESLURM_ACCESS_DENIED);
		return;
	}
	fed_debug("cluster %s: %s from uid %u is not supported",
		  conf->cluster, rpc_num2string(msg->msg_type), uid);
	(void) slurm_send_rc_msg(msg, ESLURM_NOT_SUPPORTED);
}
