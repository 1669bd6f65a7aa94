/*
 * rpc_assoc.c - scontrol show assoc_mgr and sshare (see rpc_int.h).
 *
 * Who is shown what is as in common/assoc_mgr.c, assoc_mgr_info_get_pack_msg()
 * and assoc_mgr_get_shares().
 */
#include "src/sibling/rpc_int.h"

#include <string.h>

#include "src/sibling/assoc_usage.h"
#include "src/sibling/rights.h"

/* Who asks, and for what */
typedef struct {
	const rpc_conf_t *conf;
	uid_t uid;
	char *name;		/* his, if he is not shown all */
	uint16_t hidden;	/* PRIVATE_DATA_ bits that count for him */
	compat_list_t users;	/* names, or NULL: all of them */
	compat_list_t accounts;
	uint16_t version;
	buf_t *buf;
	uint32_t count;
	shares_response_msg_t *shares;
	const assoc_usage_t *usage;
} asker_t;

/* RET false if he may ask for nothing */
static bool _init_asker(asker_t *asker, const rpc_conf_t *conf, uid_t uid,
			uint16_t private_data)
{
	*asker = (asker_t) { .conf = conf, .uid = uid };
	if (rights_see(conf, uid, private_data))
		return true;
	asker->hidden = conf->site->private_data & private_data;
	asker->name = assoc_user_name(conf->assoc, uid);
	return asker->name;
}

static int _is_name(void *x, void *key)
{
	const char *name = rpc_text(x);

	return name && !xstrcasecmp(name, key);
}

/* RET whether a list of names, which may be none at all, has this one */
static bool _wanted(compat_list_t names, const char *name)
{
	return !names || !list_count(names) ||
	       list_find_first(names, _is_name, (void *) name);
}

static bool _shows_assoc(const asker_t *asker, const slurmdb_assoc_rec_t *rec)
{
	if ((rec->user && !_wanted(asker->users, rec->user)) ||
	    !_wanted(asker->accounts, rec->acct))
		return false;
	return !(asker->hidden & PRIVATE_DATA_USAGE) ||
	       (rec->user && !xstrcmp(rec->user, asker->name)) ||
	       assoc_coordinates(asker->conf->assoc, asker->uid, rec->acct);
}

/* ---- scontrol show assoc_mgr ---- */

static int _pack_assoc(void *x, void *arg)
{
	asker_t *asker = arg;
	slurmdb_assoc_rec_t rec = *(slurmdb_assoc_rec_t *) x;

	if (!_shows_assoc(asker, x))
		return 0;
	/* all else is what all are shown */
	rec.usage = assoc_usage_of_assoc(asker->usage, x);
	slurmdb_pack_assoc_rec_with_usage(&rec, asker->version, asker->buf);
	slurmdb_destroy_assoc_usage(rec.usage);
	asker->count++;
	return 0;
}

static int _pack_qos(void *x, void *arg)
{
	asker_t *asker = arg;
	slurmdb_qos_rec_t rec = *(slurmdb_qos_rec_t *) x;

	rec.usage = assoc_usage_of_qos(asker->usage, x);
	slurmdb_pack_qos_rec_with_usage(&rec, asker->version, asker->buf);
	slurmdb_destroy_qos_usage(rec.usage);
	asker->count++;
	return 0;
}

typedef struct {
	asker_t *asker;
	compat_list_t qos;
} named_t;

/* In the order and as often as they are asked for */
static int _pack_named_qos(void *x, void *arg)
{
	const named_t *named = arg;
	const char *name = rpc_text(x);
	slurmdb_qos_rec_t *qos = name ?
		list_find_first(named->qos, slurmdb_find_qos_in_list_by_name,
				(void *) name) : NULL;

	return qos ? _pack_qos(qos, named->asker) : 0;
}

static int _pack_user(void *x, void *arg)
{
	const slurmdb_user_rec_t *user = x;
	asker_t *asker = arg;

	if (((asker->hidden & PRIVATE_DATA_USERS) &&
	     xstrcasecmp(user->name, asker->name)) ||
	    !_wanted(asker->users, user->name))
		return 0;
	slurmdb_pack_user_rec(x, asker->version, asker->buf);
	asker->count++;
	return 0;
}

/* IN list - NULL: nothing of that kind is asked for */
static void _pack_list(asker_t *asker, compat_list_t list, ListForF pack,
		       void *arg)
{
	uint32_t start = get_buf_offset(asker->buf), end;

	asker->count = 0;
	pack32(0, asker->buf);
	if (list)
		(void) list_for_each(list, pack, arg);
	end = get_buf_offset(asker->buf);
	set_buf_offset(asker->buf, start);
	pack32(asker->count, asker->buf);
	set_buf_offset(asker->buf, end);
}

static void _pack_info(asker_t *asker, const assoc_show_t *show,
		       const assoc_mgr_info_request_msg_t *request)
{
	bool named_qos = request->qos_list && list_count(request->qos_list);
	named_t named = { .asker = asker, .qos = show->qos };
	uint32_t flags = request->flags;

	packstr_array(show->tres_names, show->tres_cnt, asker->buf);
	_pack_list(asker, (flags & ASSOC_MGR_INFO_FLAG_ASSOC) ? show->assocs :
								NULL,
		   _pack_assoc, asker);
	if (!(flags & ASSOC_MGR_INFO_FLAG_QOS))
		_pack_list(asker, NULL, NULL, NULL);
	else if (named_qos)
		_pack_list(asker, request->qos_list, _pack_named_qos, &named);
	else
		_pack_list(asker, show->qos, _pack_qos, asker);
	_pack_list(asker, (flags & ASSOC_MGR_INFO_FLAG_USERS) ? show->users :
								NULL,
		   _pack_user, asker);
}

extern void rpc_assocs(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const assoc_mgr_info_request_msg_t *request = msg->data;
	const assoc_show_t nothing = { 0 };
	assoc_usage_t usage;
	assoc_show_t *show;
	asker_t asker;
	view_t *view;

	if (!_init_asker(&asker, conf, uid,
			 PRIVATE_DATA_USAGE | PRIVATE_DATA_USERS)) {
		(void) slurm_send_rc_msg(msg, ESLURM_USER_ID_MISSING);
		return;
	}
	if (!(view = rpc_view(conf, msg))) {
		xfree(asker.name);
		return;
	}
	asker.users = request->user_list;
	asker.accounts = request->acct_list;
	asker.version = msg->protocol_version;
	asker.buf = init_buf(BUF_SIZE);
	show = assoc_show_ref(conf->assoc);
	assoc_usage_make(&usage, show ? show : &nothing, view);
	asker.usage = &usage;
	_pack_info(&asker, usage.show, request);
	(void) compat_reply_body(msg, RESPONSE_ASSOC_MGR_INFO, asker.buf);
	assoc_usage_free(&usage);
	assoc_show_unref(show);
	view_unref(view);
	free_buf(asker.buf);
	xfree(asker.name);
}

/* ---- sshare ---- */

static void *_copy(const void *from, size_t count, size_t size)
{
	void *copy = xcalloc(count + 1, size);

	memcpy(copy, from, count * size);
	return copy;
}

static int _add_share(void *x, void *arg)
{
	const slurmdb_assoc_rec_t *rec = x;
	slurmdb_assoc_usage_t *usage;
	asker_t *asker = arg;
	uint32_t tres = asker->shares->tres_cnt;
	assoc_shares_object_t *share;

	if (!_shows_assoc(asker, rec))
		return 0;
	usage = assoc_usage_of_assoc(asker->usage, rec);
	share = xmalloc(sizeof(*share));
	*share = (assoc_shares_object_t) {
		.assoc_id = rec->id,
		.cluster = xstrdup(rec->cluster),
		.name = xstrdup(rec->user ? rec->user : rec->acct),
		.parent = xstrdup(rec->user ? rec->acct : rec->parent_acct),
		.partition = xstrdup(rec->partition),
		.shares_norm = usage->shares_norm,
		/* the root's */
		.shares_raw = rec->parent_id ? rec->shares_raw : NO_VAL,
		.tres_run_secs = _copy(usage->grp_used_tres_run_secs, tres,
				       sizeof(uint64_t)),
		.tres_grp_mins = _copy(rec->grp_tres_mins_ctld, tres,
				       sizeof(uint64_t)),
		.usage_efctv = usage->usage_efctv,
		.usage_norm = usage->usage_norm,
		.usage_raw = usage->usage_raw,
		.usage_tres_raw = _copy(usage->usage_tres_raw, tres,
					sizeof(long double)),
		.fs_factor = usage->fs_factor,
		.level_fs = usage->level_fs,
		.user = rec->user ? 1 : 0,
	};
	slurmdb_destroy_assoc_usage(usage);
	list_append(asker->shares->assoc_shares_list, share);
	return 0;
}

extern void rpc_shares(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const shares_request_msg_t *request = msg->data;
	shares_response_msg_t response = { 0 };
	view_t *view = rpc_view(conf, msg);
	assoc_usage_t usage;
	assoc_show_t *show;
	asker_t asker;

	if (!view)
		return;
	show = assoc_show_ref(conf->assoc);
	/* who may ask for nothing is shown nothing */
	if (_init_asker(&asker, conf, uid, PRIVATE_DATA_USAGE) && show) {
		asker.users = request->user_list;
		asker.accounts = request->acct_list;
		asker.shares = &response;
		response.tres_cnt = show->tres_cnt;
		response.tres_names = show->tres_names;
		response.assoc_shares_list =
			list_create(slurm_destroy_assoc_shares_object);
		assoc_usage_make(&usage, show, view);
		asker.usage = &usage;
		(void) list_for_each(show->assocs, _add_share, &asker);
		assoc_usage_free(&usage);
	}
	(void) compat_reply(msg, RESPONSE_SHARE_INFO, &response);
	FREE_NULL_LIST(response.assoc_shares_list);
	assoc_show_unref(show);
	view_unref(view);
	xfree(asker.name);
}
