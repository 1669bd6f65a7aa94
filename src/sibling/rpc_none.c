/*
 * rpc_none.c - what FLURM has none of, and its clients may ask for
 * (see rpc_int.h): empty lists, as of a cluster that has none either.
 */
#include "src/sibling/rpc_int.h"

#include "src/sibling/pack_info.h"

extern void rpc_reservations(const rpc_conf_t *conf, slurm_msg_t *msg,
			     uid_t uid)
{
	buf_t *buf = init_buf(BUF_SIZE);

	pack32(0, buf);
	pack_time(time(NULL), buf);
	(void) compat_reply_body(msg, RESPONSE_RESERVATION_INFO, buf);
	free_buf(buf);
}

extern void rpc_licenses(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	buf_t *buf = init_buf(BUF_SIZE);

	pack32(0, buf);
	pack_time(time(NULL), buf);
	(void) compat_reply_body(msg, RESPONSE_LICENSE_INFO, buf);
	free_buf(buf);
}

extern void rpc_burst_buffers(const rpc_conf_t *conf, slurm_msg_t *msg,
			      uid_t uid)
{
	buf_t *buf = init_buf(BUF_SIZE);

	pack32(0, buf);
	(void) compat_reply_body(msg, RESPONSE_BURST_BUFFER_INFO, buf);
	free_buf(buf);
}

extern void rpc_topology(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	if (compat_reply_no_topology(msg))
		(void) slurm_send_rc_msg(msg, ESLURM_NOT_SUPPORTED);
}
