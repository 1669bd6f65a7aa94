/*
 * rpc_node.c - what clients ask of nodes and partitions (see rpc_int.h).
 */
#include "src/sibling/rpc_int.h"

#include "src/sibling/rights.h"
#include "src/sibling/show.h"

static void _pack_node(const view_t *view, size_t i, buf_t *buf,
		       uint16_t version)
{
	pack_node_alloc_t alloc;
	node_info_t node;

	show_node(view, i, &node, &alloc);
	(void) pack_info_node(buf, &node, &alloc, version);
	show_node_free(&node, &alloc);
}

static buf_t *_pack_nodes(const view_t *view, const view_body_key_t *key,
			  void *arg)
{
	size_t count = view->nodes ? view->nodes->node_cnt : 0;
	buf_t *buf = pack_info_nodes(count, view->made, key->version);

	for (size_t i = 0; buf && (i < count); i++)
		_pack_node(view, i, buf, key->version);
	return buf;
}

static buf_t *_pack_parts(const view_t *view, const view_body_key_t *key,
			  void *arg)
{
	size_t count = view->nodes ? view->nodes->part_cnt : 0;
	buf_t *buf = pack_info_parts(count, view->made, key->version);
	partition_info_t part;

	for (size_t i = 0; buf && (i < count); i++) {
		show_part(view, i, &part);
		(void) pack_info_part(buf, &part, key->version);
		show_part_free(&part);
	}
	return buf;
}

static void _serve(slurm_msg_t *msg, view_t *view, uint16_t type,
		   buf_t *(*pack)(const view_t *view,
				  const view_body_key_t *key, void *arg))
{
	view_body_key_t key = {
		.type = type,
		.version = msg->protocol_version,
		.uid = NO_VAL,
		.viewer = NO_VAL,
	};
	buf_t *body = view_body(view, &key, pack, NULL);

	if (body)
		(void) compat_reply_body(msg, type, body);
	else
		(void) slurm_send_rc_msg(msg, SLURM_PROTOCOL_VERSION_ERROR);
}

/* RET false if the request has been answered: they are private */
static bool _may_see(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid,
		     uint16_t what)
{
	if (rights_see(conf, uid, what))
		return true;
	(void) slurm_send_rc_msg(msg, ESLURM_ACCESS_DENIED);
	return false;
}

extern void rpc_nodes(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const node_info_request_msg_t *request = msg->data;
	view_t *view;

	if (!_may_see(conf, msg, uid, PRIVATE_DATA_NODES) ||
	    !(view = rpc_view(conf, msg)))
		return;
	if (!rpc_no_change(msg, request->last_update,
			   view->nodes ? view->nodes->changed : conf->started))
		_serve(msg, view, RESPONSE_NODE_INFO, _pack_nodes);
	view_unref(view);
}

/* A name that is not known is an empty list to slurmctld too. */
extern void rpc_one_node(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const node_info_single_msg_t *request = msg->data;
	view_t *view;
	buf_t *buf;
	const char *name = rpc_text(request->node_name);
	int i = -1;

	if (!_may_see(conf, msg, uid, PRIVATE_DATA_NODES) ||
	    !(view = rpc_view(conf, msg)))
		return;
	if (view->nodes && name)
		i = nodes_find(view->nodes, name);
	buf = pack_info_nodes(i >= 0, view->made, msg->protocol_version);
	if (!buf) {
		(void) slurm_send_rc_msg(msg, SLURM_PROTOCOL_VERSION_ERROR);
	} else {
		if (i >= 0)
			_pack_node(view, i, buf, msg->protocol_version);
		(void) compat_reply_body(msg, RESPONSE_NODE_INFO, buf);
		free_buf(buf);
	}
	view_unref(view);
}

extern void rpc_partitions(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const part_info_request_msg_t *request = msg->data;
	view_t *view;

	if (!_may_see(conf, msg, uid, PRIVATE_DATA_PARTITIONS) ||
	    !(view = rpc_view(conf, msg)))
		return;
	if (!rpc_no_change(msg, request->last_update,
			   view->nodes ? view->nodes->changed : conf->started))
		_serve(msg, view, RESPONSE_PARTITION_INFO, _pack_parts);
	view_unref(view);
}
