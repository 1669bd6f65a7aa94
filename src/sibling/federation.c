/*
 * federation.c - the federation as slurmdbd last told us (see federation.h).
 */
#include "src/sibling/federation.h"

#include <errno.h>
#include <stdlib.h>

#include "src/core/job_id.h"

#define RECORD_VERSION 1

static int _by_name(const void *a, const void *b)
{
	const fed_member_t *left = a, *right = b;

	return xstrcmp(left->name, right->name);
}

static void _finish(federation_t *fed, const char *cluster)
{
	if (fed->member_cnt)
		qsort(fed->member, fed->member_cnt, sizeof(fed->member[0]),
		      _by_name);
	fed->self = federation_find(fed, cluster);
}

static federation_t *_new(int member_cnt)
{
	federation_t *fed = xmalloc(sizeof(*fed));

	fed->refs = 1;
	if (member_cnt)
		fed->member = xcalloc(member_cnt, sizeof(fed->member[0]));
	return fed;
}

/*
 * Records come from what a peer sent, and Slurm's unpackers take a record that
 * is marked as absent: any x below may be NULL.
 */
static int _add_member(void *x, void *arg)
{
	slurmdb_cluster_rec_t *rec = x;
	federation_t *fed = arg;
	fed_member_t *member = &fed->member[fed->member_cnt];

	if (!rec || !rec->name || (rec->fed.id < 1) || (rec->fed.id > FED_ID_MAX))
		return 0;
	fed->member_cnt++;
	member->name = xstrdup(rec->name);
	member->host = xstrdup(rec->control_host ? rec->control_host : "");
	member->port = rec->control_port;
	member->rpc_version = rec->rpc_version;
	member->fed_id = rec->fed.id;
	member->state = rec->fed.state;
	if (rec->fed.feature_list)
		member->features =
			slurm_char_list_to_xstr(rec->fed.feature_list);
	if (!member->features)
		member->features = xstrdup("");
	return 0;
}

static int _is_cluster(void *x, void *key)
{
	slurmdb_cluster_rec_t *rec = x;

	return rec && !xstrcmp(rec->name, key);
}

static int _has_cluster(void *x, void *key)
{
	slurmdb_federation_rec_t *rec = x;

	return rec && rec->cluster_list &&
	       list_find_first(rec->cluster_list, _is_cluster, key);
}

extern federation_t *federation_from_dbd(compat_list_t list,
					 const char *cluster)
{
	slurmdb_federation_rec_t *rec = NULL;
	federation_t *fed;

	if (list)
		rec = list_find_first(list, _has_cluster, (void *) cluster);
	if (!rec)
		return _new(0);
	fed = _new(list_count(rec->cluster_list));
	fed->name = xstrdup(rec->name);
	(void) list_for_each(rec->cluster_list, _add_member, fed);
	_finish(fed, cluster);
	return fed;
}

/*
 * What the packer takes for an open connection (slurmdb_pack_cluster_rec()
 * looks at fd only).
 */
static compat_persist_conn_t open_conn = { .fd = 0 };

static void _destroy_rec_member(void *x)
{
	slurmdb_cluster_rec_t *rec = x;

	/* not ours to free */
	rec->fed.send = rec->fed.recv = NULL;
	slurmdb_destroy_cluster_rec(rec);
}

extern slurmdb_federation_rec_t *federation_to_rec(
	const federation_t *fed,
	void (*up)(void *arg, const fed_member_t *member, bool *ret_send,
		   bool *ret_recv, bool *ret_synced),
	void *arg)
{
	slurmdb_federation_rec_t *rec = xmalloc(sizeof(*rec));

	rec->name = xstrdup(fed->name);
	rec->cluster_list = list_create(_destroy_rec_member);
	for (int i = 0; i < fed->member_cnt; i++) {
		const fed_member_t *member = &fed->member[i];
		slurmdb_cluster_rec_t *cluster = xmalloc(sizeof(*cluster));
		bool send = false, recv = false, synced = false;

		slurmdb_init_cluster_rec(cluster, false);
		up(arg, member, &send, &recv, &synced);
		cluster->name = xstrdup(member->name);
		cluster->control_host = xstrdup(member->host);
		cluster->control_port = member->port;
		cluster->rpc_version = member->rpc_version;
		cluster->fed.name = xstrdup(fed->name);
		cluster->fed.id = member->fed_id;
		cluster->fed.state = member->state;
		cluster->fed.feature_list = list_create(xfree_ptr);
		if (member->features[0])
			slurm_addto_char_list(cluster->fed.feature_list,
					      member->features);
		cluster->fed.send = send ? &open_conn : NULL;
		cluster->fed.recv = recv ? &open_conn : NULL;
		cluster->fed.sync_recvd = cluster->fed.sync_sent = synced;
		list_append(rec->cluster_list, cluster);
	}
	return rec;
}

extern bool federation_member_is_up(const fed_member_t *member)
{
	return member->host[0] && member->port;
}

static uint32_t _base(const federation_t *fed)
{
	return fed->self ? fed->self->state & CLUSTER_FED_STATE_BASE :
			   CLUSTER_FED_STATE_NA;
}

static bool _drains(const federation_t *fed)
{
	return fed->self && (fed->self->state & CLUSTER_FED_STATE_DRAIN);
}

extern bool federation_takes_jobs(const federation_t *fed)
{
	return (_base(fed) != CLUSTER_FED_STATE_INACTIVE) && !_drains(fed);
}

extern bool federation_starts_jobs(const federation_t *fed)
{
	/* INACTIVE with DRAIN is DRAINED */
	return (_base(fed) != CLUSTER_FED_STATE_INACTIVE) || _drains(fed);
}

extern bool federation_is_draining(const federation_t *fed)
{
	return (_base(fed) == CLUSTER_FED_STATE_ACTIVE) && _drains(fed);
}

extern const fed_member_t *federation_find(const federation_t *fed,
					   const char *name)
{
	for (int i = 0; i < fed->member_cnt; i++) {
		if (!xstrcmp(fed->member[i].name, name))
			return &fed->member[i];
	}
	return NULL;
}

extern const fed_member_t *federation_find_id(const federation_t *fed,
					      uint32_t fed_id)
{
	for (int i = 0; i < fed->member_cnt; i++) {
		if (fed->member[i].fed_id == fed_id)
			return &fed->member[i];
	}
	return NULL;
}

static bool _member_equal(const fed_member_t *a, const fed_member_t *b)
{
	return !xstrcmp(a->name, b->name) && !xstrcmp(a->host, b->host) &&
	       (a->port == b->port) && (a->rpc_version == b->rpc_version) &&
	       (a->fed_id == b->fed_id) && (a->state == b->state) &&
	       !xstrcmp(a->features, b->features);
}

extern bool federation_equal(const federation_t *a, const federation_t *b)
{
	if (xstrcmp(a->name, b->name) || (a->member_cnt != b->member_cnt))
		return false;
	for (int i = 0; i < a->member_cnt; i++) {
		if (!_member_equal(&a->member[i], &b->member[i]))
			return false;
	}
	return true;
}

extern void federation_pack(const federation_t *fed, fed_bytes_t *bytes)
{
	fed_put_u16(bytes, RECORD_VERSION);
	fed_put_str(bytes, fed->name);
	fed_put_u32(bytes, fed->member_cnt);
	for (int i = 0; i < fed->member_cnt; i++) {
		const fed_member_t *member = &fed->member[i];

		fed_put_str(bytes, member->name);
		fed_put_str(bytes, member->host);
		fed_put_u16(bytes, member->port);
		fed_put_u16(bytes, member->rpc_version);
		fed_put_u32(bytes, member->fed_id);
		fed_put_u32(bytes, member->state);
		fed_put_str(bytes, member->features);
	}
}

/* RET the string in Slurm's memory, "" if it was not there */
static char *_get_str(fed_reader_t *reader)
{
	char *text = fed_get_str(reader), *copy = xstrdup(text ? text : "");

	free(text);
	return copy;
}

extern federation_t *federation_unpack(const void *body, size_t len,
				       const char *cluster, fed_err_t *err)
{
	fed_reader_t reader;
	federation_t *fed;
	char *name;
	uint16_t version;
	uint32_t cnt;

	fed_reader_init(&reader, body, len);
	version = fed_get_u16(&reader);
	name = fed_get_str(&reader);
	cnt = fed_get_u32(&reader);
	if ((version != RECORD_VERSION) || (cnt > FED_ID_MAX)) {
		free(name);
		fed_err_set(err, EPROTO,
			    "federation record of version %u, %u members",
			    version, cnt);
		return NULL;
	}
	fed = _new(cnt);
	fed->name = xstrdup(name);
	free(name);
	for (uint32_t i = 0; i < cnt; i++) {
		fed_member_t *member = &fed->member[i];

		member->name = _get_str(&reader);
		member->host = _get_str(&reader);
		member->port = fed_get_u16(&reader);
		member->rpc_version = fed_get_u16(&reader);
		member->fed_id = fed_get_u32(&reader);
		member->state = fed_get_u32(&reader);
		member->features = _get_str(&reader);
		fed->member_cnt++;
	}
	if (!fed_reader_done(&reader)) {
		fed_err_set(err, EPROTO, "federation record is cut short");
		federation_unref(fed);
		return NULL;
	}
	_finish(fed, cluster);
	return fed;
}

extern federation_t *federation_ref(federation_t *fed)
{
	__atomic_add_fetch(&fed->refs, 1, __ATOMIC_RELAXED);
	return fed;
}

extern void federation_unref(federation_t *fed)
{
	if (!fed || __atomic_sub_fetch(&fed->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (int i = 0; i < fed->member_cnt; i++) {
		xfree(fed->member[i].name);
		xfree(fed->member[i].host);
		xfree(fed->member[i].features);
	}
	xfree(fed->member);
	xfree(fed->name);
	xfree(fed);
}
