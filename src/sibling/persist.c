/*
 * persist.c - Slurm's persistent connections, from either end (persist.h).
 */
#include "src/sibling/persist.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "src/sibling/net.h"
#include "src/sibling/sib.h"

extern void persist_close(persist_t *conn)
{
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
}

extern buf_t *persist_pack_item(uint16_t type, void *data, uint16_t version)
{
	slurm_msg_t msg;
	buf_t *buf = init_buf(BUF_SIZE);

	slurm_msg_t_init(&msg);
	msg.msg_type = type;
	msg.data = data;
	msg.protocol_version = version;
	pack16(type, buf);
	if (pack_msg(&msg, buf)) {
		free_buf(buf);
		return NULL;
	}
	return buf;
}

extern int persist_unpack_item(buf_t *buf, uint16_t version,
			       persist_in_t *ret, fed_err_t *err)
{
	slurm_msg_t msg;

	slurm_msg_t_init(&msg);
	msg.protocol_version = version;
	safe_unpack16(&msg.msg_type, buf);
	if ((msg.msg_type == REQUEST_SIB_MSG) &&
	    sib_claims_too_much(buf, version))
		return fed_err_set(err, EBADMSG,
				   "a list of more jobs than it has room for");
	if (unpack_msg(&msg, buf))
		return fed_err_set(err, EBADMSG, "cannot unpack a %s",
				   rpc_num2string(msg.msg_type));
	ret->type = msg.msg_type;
	ret->data = msg.data;
	return 0;

unpack_error:
	return fed_err_set(err, EBADMSG, "a message without a type");
}

static buf_t *_pack(persist_t *conn, uint16_t type, void *data)
{
	persist_msg_t msg = { 0 };

	if (!conn->dbd)
		return persist_pack_item(type, data, conn->version);
	msg.msg_type = type;
	msg.data = data;
	return pack_slurmdbd_msg(&msg, conn->version);
}

extern int persist_send(persist_t *conn, uint16_t type, void *data,
			fed_err_t *err)
{
	buf_t *buf = _pack(conn, type, data);
	int rc;

	if (!buf)
		return fed_err_set(err, EPROTO, "cannot pack a %s",
				   rpc_num2string(type));
	rc = net_write_frame(conn->fd, conn->stop_fd, buf, conn->timeout_ms,
			     err);
	free_buf(buf);
	return rc;
}

static int _unpack(persist_t *conn, buf_t *buf, persist_in_t *ret,
		   fed_err_t *err)
{
	persist_msg_t msg = { 0 };

	if (!conn->dbd)
		return persist_unpack_item(buf, conn->version, ret, err);
	if (unpack_slurmdbd_msg(&msg, conn->version, buf))
		return fed_err_set(err, EBADMSG,
				   "cannot unpack slurmdbd's message %u",
				   msg.msg_type);
	ret->type = msg.msg_type;
	ret->data = msg.data;
	return 0;
}

extern int persist_recv(persist_t *conn, int wait_ms, persist_in_t *ret,
			fed_err_t *err)
{
	buf_t *buf = NULL;
	int rc;

	rc = net_read_frame(conn->fd, conn->stop_fd, NET_FRAME_MAX, wait_ms,
			    conn->timeout_ms, &buf, err);
	if (rc <= 0)
		return rc;
	rc = _unpack(conn, buf, ret, err);
	free_buf(buf);
	return rc ? -1 : 1;
}

extern void persist_free_data(persist_t *conn, persist_in_t *in)
{
	/* slurmdbd_free_msg() logs that it does not know these two */
	if (conn->dbd && (in->type == DBD_ID_RC)) {
		slurmdbd_free_id_rc_msg(in->data);
	} else if (conn->dbd && (in->type != PERSIST_RC)) {
		persist_msg_t msg = { 0 };

		msg.msg_type = in->type;
		msg.data = in->data;
		slurmdbd_free_msg(&msg);
	} else {
		compat_free_data(in->type, in->data);
	}
	in->data = NULL;
}

static int _recv_answer(persist_t *conn, persist_in_t *ret, fed_err_t *err)
{
	int rc = persist_recv(conn, conn->timeout_ms, ret, err);

	if (rc == 0)
		return fed_err_set(err, EPIPE, "closed instead of an answer");
	return (rc < 0) ? -1 : 0;
}

extern int persist_ask(persist_t *conn, uint16_t type, void *data,
		       persist_in_t *ret, fed_err_t *err)
{
	if (persist_send(conn, type, data, err))
		return -1;
	return _recv_answer(conn, ret, err);
}

extern int persist_ask_packed(persist_t *conn, buf_t *buf, persist_in_t *ret,
			      fed_err_t *err)
{
	if (net_write_frame(conn->fd, conn->stop_fd, buf, conn->timeout_ms,
			    err))
		return -1;
	return _recv_answer(conn, ret, err);
}

/* Read the PERSIST_RC that answers our PERSIST_INIT. */
static int _read_answer(persist_t *conn, fed_err_t *err)
{
	bool dbd = conn->dbd;
	persist_in_t in = { 0 };
	persist_rc_msg_t *answer;
	int rc;

	/* this one message is packed alike for slurmdbd and for slurmctld */
	conn->dbd = false;
	if (!(rc = _recv_answer(conn, &in, err))) {
		answer = in.data;
		if (in.type != PERSIST_RC) {
			rc = fed_err_set(err, EPROTO, "answered by %s",
					 rpc_num2string(in.type));
		} else if (answer->rc != SLURM_SUCCESS) {
			conn->refused = true;
			rc = fed_err_set(err, EACCES, "refused: %s (%s)",
					 answer->comment ? answer->comment : "",
					 slurm_strerror(answer->rc));
		} else if (answer->ret_info < COMPAT_VERSION_MIN) {
			rc = fed_err_set(err, EPROTO,
					 "speaks protocol 0x%x, too old",
					 answer->ret_info);
		} else {
			if (answer->ret_info < conn->version)
				conn->version = answer->ret_info;
		}
		persist_free_data(conn, &in);
	}
	conn->dbd = dbd;
	return rc;
}

extern int persist_open(persist_t *conn, const char *host, uint16_t port,
			int type, const char *cluster, uint16_t my_port,
			uint16_t header_version, fed_err_t *err)
{
	persist_init_req_msg_t init = {
		.cluster_name = (char *) cluster,
		.persist_type = type,
		.port = my_port,
		.version = COMPAT_VERSION_OWN,
	};
	slurm_msg_t msg;

	conn->refused = false;
	conn->version = COMPAT_VERSION_OWN;
	conn->fd = net_connect(host, port, conn->stop_fd, conn->timeout_ms,
			       err);
	if (conn->fd < 0)
		return -1;

	slurm_msg_t_init(&msg);
	msg.protocol_version = header_version;
	msg.msg_type = REQUEST_PERSIST_INIT;
	msg.flags |= SLURM_GLOBAL_AUTH_KEY;
	if (conn->dbd)
		msg.flags |= SLURMDBD_CONNECTION;
	slurm_msg_set_r_uid(&msg, SLURM_AUTH_UID_ANY);
	msg.data = &init;
	if (slurm_send_node_msg(conn->fd, &msg) < 0)
		fed_err_set(err, errno, "%s", slurm_strerror(errno));
	else if (!_read_answer(conn, err))
		return 0;
	fed_err_prefix(err, "open a connection to %s:%u", host, port);
	persist_close(conn);
	return -1;
}

extern int persist_accept(persist_t *conn, int rc, const char *comment,
			  fed_err_t *err)
{
	persist_rc_msg_t answer = {
		.comment = (char *) comment,
		.rc = rc,
		.ret_info = conn->version,
	};
	buf_t *buf = init_buf(256);

	pack16(PERSIST_RC, buf);
	slurm_persist_pack_rc_msg(&answer, buf, conn->version);
	rc = net_write_frame(conn->fd, conn->stop_fd, buf, conn->timeout_ms,
			     err);
	free_buf(buf);
	return rc;
}
