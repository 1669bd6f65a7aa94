/*
 * rpc_job.c - what clients ask of jobs (see rpc_int.h).
 *
 * All who ask the same of the same view get the same body. What PrivateData
 * hides makes it a body of its own for each who asks.
 */
#include "src/sibling/rpc_int.h"

#include <string.h>

#include "src/sibling/rights.h"
#include "src/sibling/show.h"

typedef struct {
	const rpc_conf_t *conf;
	uid_t uid;		/* who asks */
} asker_t;

extern bool rpc_job_is_past(const rpc_conf_t *conf, const view_t *view,
			    const view_job_t *job)
{
	return (job->job.state >= FED_JOB_ENDED) &&
	       (view->made - job->job.since > conf->site->min_job_age);
}

extern const view_job_t *rpc_job_find(const rpc_conf_t *conf,
				      const view_t *view, uint32_t job_id)
{
	const view_job_t *job = view_find(view, job_id);

	return (job && !rpc_job_is_past(conf, view, job)) ? job : NULL;
}

static bool _is_shown(const asker_t *asker, const view_t *view,
		      const view_job_t *job, uint32_t flags)
{
	if (!(flags & SHOW_ALL) && (show_job_state(job) & JOB_REVOKED))
		return false;
	return !rpc_job_is_past(asker->conf, view, job) &&
	       rights_see_job(asker->conf, asker->uid, job);
}

static void _pack(const view_t *view, const view_job_t *job, buf_t *buf,
		  uint16_t version)
{
	job_info_t info;

	show_job(view, job, &info);
	(void) pack_info_job(buf, &info, version);
	show_job_free(&info);
}

static buf_t *_pack_all(const view_t *view, const view_body_key_t *key,
			void *arg)
{
	buf_t *buf = pack_info_jobs(0, view->made, key->version);
	const asker_t *asker = arg;
	uint32_t count = 0;

	for (size_t i = 0; buf && (i < view->job_cnt); i++) {
		const view_job_t *job = view->job[i];

		if (((key->uid != NO_VAL) && (job->spec.user_id != key->uid)) ||
		    !_is_shown(asker, view, job, key->flags))
			continue;
		_pack(view, job, buf, key->version);
		count++;
	}
	if (buf)
		rpc_set_count(buf, count);
	return buf;
}

/* IN owner - NO_VAL: all */
static void _serve(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid,
		   view_t *view, uint16_t show_flags, uint32_t owner)
{
	asker_t asker = { .conf = conf, .uid = uid };
	view_body_key_t key = {
		.type = RESPONSE_JOB_INFO,
		.version = msg->protocol_version,
		.flags = show_flags & SHOW_ALL,
		.uid = owner,
		.viewer = rights_see(conf, uid, PRIVATE_DATA_JOBS) ? NO_VAL :
								     uid,
	};
	buf_t *body = view_body(view, &key, _pack_all, &asker);

	if (body)
		(void) compat_reply_body(msg, RESPONSE_JOB_INFO, body);
	else
		(void) slurm_send_rc_msg(msg, SLURM_PROTOCOL_VERSION_ERROR);
}

typedef struct {
	const view_t *view;
	const asker_t *asker;
	uint16_t show_flags;
	uint16_t version;
	buf_t *buf;
	uint32_t count;
} ids_t;

static int _pack_id(void *x, void *arg)
{
	ids_t *ids = arg;
	const view_job_t *job = view_find(ids->view, *(uint32_t *) x);

	if (!job || !_is_shown(ids->asker, ids->view, job, ids->show_flags))
		return 0;
	_pack(ids->view, job, ids->buf, ids->version);
	ids->count++;
	return 0;
}

/* IN missing - what to say if there is none of them, or SLURM_SUCCESS */
static void _serve_ids(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid,
		       const view_t *view, uint16_t show_flags,
		       compat_list_t list, uint32_t missing)
{
	asker_t asker = { .conf = conf, .uid = uid };
	ids_t ids = {
		.view = view,
		.asker = &asker,
		.show_flags = show_flags,
		.version = msg->protocol_version,
	};

	ids.buf = pack_info_jobs(0, view->made, ids.version);
	if (!ids.buf) {
		(void) slurm_send_rc_msg(msg, SLURM_PROTOCOL_VERSION_ERROR);
		return;
	}
	(void) list_for_each(list, _pack_id, &ids);
	rpc_set_count(ids.buf, ids.count);
	if (ids.count || !missing)
		(void) compat_reply_body(msg, RESPONSE_JOB_INFO, ids.buf);
	else
		(void) slurm_send_rc_msg(msg, missing);
	free_buf(ids.buf);
}

extern void rpc_jobs(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const job_info_request_msg_t *request = msg->data;
	view_t *view = rpc_view(conf, msg);

	if (!view)
		return;
	if (rpc_no_change(msg, request->last_update, view->jobs_changed))
		;
	else if (request->job_ids)
		_serve_ids(conf, msg, uid, view, request->show_flags,
			   request->job_ids, SLURM_SUCCESS);
	else
		_serve(conf, msg, uid, view, request->show_flags, NO_VAL);
	view_unref(view);
}

extern void rpc_user_jobs(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const job_user_id_msg_t *request = msg->data;
	view_t *view = rpc_view(conf, msg);

	if (!view)
		return;
	_serve(conf, msg, uid, view, request->show_flags, request->user_id);
	view_unref(view);
}

extern void rpc_one_job(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	job_id_msg_t *request = msg->data;
	view_t *view = rpc_view(conf, msg);
	compat_list_t ids;

	if (!view)
		return;
	ids = list_create(NULL);
	list_append(ids, &request->job_id);
	_serve_ids(conf, msg, uid, view, request->show_flags, ids,
		   ESLURM_INVALID_JOB_ID);
	list_destroy(ids);
	view_unref(view);
}

/* squeue --only-job-state, since 24.05 */
extern void rpc_job_states(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	asker_t asker = { .conf = conf, .uid = uid };
	view_t *view = rpc_view(conf, msg);
	compat_job_state_t *states;
	uint32_t count = 0;

	if (!view)
		return;
	states = xcalloc(view->job_cnt + 1, sizeof(*states));
	for (size_t i = 0; i < view->job_cnt; i++) {
		const view_job_t *job = view->job[i];

		if (!compat_job_state_wanted(msg->data, job->job.id) ||
		    !_is_shown(&asker, view, job, SHOW_ALL))
			continue;
		compat_job_state_set(&states[count++], job->job.id,
				     show_job_state(job));
	}
	compat_reply_job_states(msg, states, count);
	xfree(states);
	view_unref(view);
}
