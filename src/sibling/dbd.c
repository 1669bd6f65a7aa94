/*
 * dbd.c - what we ask of slurmdbd (see dbd.h).
 */
#include "src/sibling/dbd.h"

#include <errno.h>

#include "src/sibling/assoc_show.h"

/* Wait for a PERSIST_RC. IN refused - what in it means "no" */
static int _ask_rc(persist_t *conn, uint16_t type, void *data,
		   bool (*refused)(const persist_rc_msg_t *rc), fed_err_t *err)
{
	persist_in_t in = { 0 };
	persist_rc_msg_t *rc_msg;
	int rc = 0;

	if (persist_ask(conn, type, data, &in, err))
		return -1;
	rc_msg = in.data;
	if (in.type != PERSIST_RC)
		rc = fed_err_set(err, EPROTO, "slurmdbd answered with %u to %u",
				 in.type, type);
	else if (refused(rc_msg))
		rc = fed_err_set(err, EREMOTE, "slurmdbd refused: %s",
				 (rc_msg->comment && rc_msg->comment[0]) ?
				 rc_msg->comment :
				 slurm_strerror(rc_msg->rc));
	persist_free_data(conn, &in);
	return rc;
}

static bool _not_success(const persist_rc_msg_t *rc)
{
	return rc->rc != SLURM_SUCCESS;
}

/* as_mysql_cluster.c, as_mysql_cluster_tres(): these are news, not refusals */
static bool _tres_refused(const persist_rc_msg_t *rc)
{
	return (rc->rc != SLURM_SUCCESS) && (rc->rc != ACCOUNTING_FIRST_REG) &&
	       (rc->rc != ACCOUNTING_TRES_CHANGE_DB) &&
	       (rc->rc != ACCOUNTING_NODES_CHANGE_DB);
}

extern int dbd_commit(persist_t *conn, fed_err_t *err)
{
	dbd_fini_msg_t fini = { .close_conn = 0, .commit = 1 };

	return _ask_rc(conn, DBD_FINI, &fini, _not_success, err);
}

extern int dbd_register(persist_t *conn, uint16_t port, fed_err_t *err)
{
	dbd_register_ctld_msg_t reg = {
		.dimensions = 1,
		/* not CLUSTER_FLAG_EXT: such a cluster joins no federation */
		.flags = 0,
		.port = port,
	};

	compat_fill_register(&reg);
	if (_ask_rc(conn, DBD_REGISTER_CTLD, &reg, compat_register_refused,
		    err))
		return -1;
	return dbd_commit(conn, err);
}

/* RET the answer's list in ret->data (a dbd_list_msg_t), for the caller */
static int _ask_list(persist_t *conn, uint16_t type, void *data,
		     uint16_t answer, persist_in_t *ret, fed_err_t *err)
{
	if (persist_ask(conn, type, data, ret, err))
		return -1;
	if (ret->type == answer)
		return 0;
	if (ret->type == PERSIST_RC)
		fed_err_set(err, EREMOTE, "slurmdbd refused: %s",
			    slurm_strerror(((persist_rc_msg_t *)
					    ret->data)->rc));
	else
		fed_err_set(err, EPROTO, "slurmdbd answered with %u to %u",
			    ret->type, type);
	persist_free_data(conn, ret);
	return -1;
}

/* IN rec - what to change of the cluster; its strings stay the caller's */
static int _modify_cluster(persist_t *conn, const char *cluster,
			   slurmdb_cluster_rec_t *rec, fed_err_t *err)
{
	slurmdb_cluster_cond_t cond;
	dbd_modify_msg_t modify = { .cond = &cond, .rec = rec };
	persist_in_t in = { 0 };
	int rc;

	slurmdb_init_cluster_cond(&cond, false);
	cond.cluster_list = list_create(NULL);
	list_append(cond.cluster_list, (void *) cluster);
	rc = _ask_list(conn, DBD_MODIFY_CLUSTERS, &modify, DBD_GOT_LIST, &in,
		       err);
	FREE_NULL_LIST(cond.cluster_list);
	if (rc)
		return -1;
	persist_free_data(conn, &in);
	return dbd_commit(conn, err);
}

extern int dbd_set_address(persist_t *conn, const char *cluster,
			   const char *host, uint16_t port, fed_err_t *err)
{
	slurmdb_cluster_rec_t rec;

	slurmdb_init_cluster_rec(&rec, false);
	rec.control_host = (char *) host;
	rec.control_port = port;
	rec.rpc_version = COMPAT_VERSION_OWN;
	return _modify_cluster(conn, cluster, &rec, err);
}

/*
 * To take away a feature without a name is a change that changes nothing, also
 * of what an administrator changes meanwhile (as_mysql_cluster.c,
 * as_mysql_modify_clusters()).
 */
extern int dbd_touch_federation(persist_t *conn, const char *cluster,
				fed_err_t *err)
{
	slurmdb_cluster_rec_t rec;
	int rc;

	slurmdb_init_cluster_rec(&rec, false);
	rec.fed.feature_list = list_create(NULL);
	list_append(rec.fed.feature_list, (void *) "-");
	rc = _modify_cluster(conn, cluster, &rec, err);
	FREE_NULL_LIST(rec.fed.feature_list);
	return rc;
}

extern int dbd_set_fed_state(persist_t *conn, const char *cluster,
			     uint32_t state, fed_err_t *err)
{
	slurmdb_cluster_rec_t rec;

	slurmdb_init_cluster_rec(&rec, false);
	rec.fed.state = state;
	return _modify_cluster(conn, cluster, &rec, err);
}

extern int dbd_leave_federation(persist_t *conn, const char *cluster,
				const char *federation, fed_err_t *err)
{
	slurmdb_federation_cond_t cond = { 0 };
	slurmdb_federation_rec_t rec = { 0 };
	slurmdb_cluster_rec_t leaving;
	dbd_modify_msg_t modify = { .cond = &cond, .rec = &rec };
	persist_in_t in = { 0 };
	int rc;

	slurmdb_init_cluster_rec(&leaving, false);
	leaving.name = xstrdup_printf("-%s", cluster);
	rec.cluster_list = list_create(NULL);
	list_append(rec.cluster_list, &leaving);
	cond.federation_list = list_create(NULL);
	list_append(cond.federation_list, (void *) federation);
	rc = _ask_list(conn, DBD_MODIFY_FEDERATIONS, &modify, DBD_GOT_LIST,
		       &in, err);
	FREE_NULL_LIST(cond.federation_list);
	FREE_NULL_LIST(rec.cluster_list);
	xfree(leaving.name);
	if (rc)
		return -1;
	persist_free_data(conn, &in);
	return dbd_commit(conn, err);
}

extern int dbd_set_tres(persist_t *conn, const char *nodes, const char *tres,
			fed_err_t *err)
{
	dbd_cluster_tres_msg_t msg = {
		.cluster_nodes = (char *) nodes,
		.event_time = time(NULL),
		.tres_str = (char *) tres,
	};

	return _ask_rc(conn, DBD_CLUSTER_TRES, &msg, _tres_refused, err);
}

static int _was_submitted(void *x, void *key)
{
	const slurmdb_job_rec_t *job = x;

	return job->submit == *(const time_t *) key;
}

extern int dbd_is_suspended(persist_t *conn, const char *cluster,
			    uint32_t job_id, time_t submit, bool *ret_suspended,
			    fed_err_t *err)
{
	slurm_selected_step_t job = {
		.array_task_id = NO_VAL,
		.het_job_offset = NO_VAL,
		.step_id = {
			.job_id = job_id,
			.step_id = NO_VAL,
			.step_het_comp = NO_VAL,
		},
	};
	/* all runs of it */
	slurmdb_job_cond_t all = {
		.db_flags = SLURMDB_JOB_FLAG_NOTSET,
		.flags = JOBCOND_FLAG_DUP | JOBCOND_FLAG_NO_STEP |
			 JOBCOND_FLAG_NO_TRUNC,
	};
	dbd_cond_msg_t msg = { .cond = &all };
	const slurmdb_job_rec_t *found = NULL;
	persist_in_t in = { 0 };
	compat_list_t jobs;
	int rc;

	all.cluster_list = list_create(NULL);
	list_append(all.cluster_list, (void *) cluster);
	all.step_list = list_create(NULL);
	list_append(all.step_list, &job);
	rc = _ask_list(conn, DBD_GET_JOBS_COND, &msg, DBD_GOT_JOBS, &in, err);
	FREE_NULL_LIST(all.cluster_list);
	FREE_NULL_LIST(all.step_list);
	if (rc)
		return -1;
	jobs = ((dbd_list_msg_t *) in.data)->my_list;
	if (jobs)
		found = list_find_first(jobs, _was_submitted, &submit);
	*ret_suspended = found &&
			 ((found->state & JOB_STATE_BASE) == JOB_SUSPENDED);
	persist_free_data(conn, &in);
	return 0;
}

extern int dbd_get_down(persist_t *conn, const char *cluster,
			compat_list_t *ret_events, fed_err_t *err)
{
	slurmdb_event_cond_t open_of_nodes = {
		.cond_flags = SLURMDB_EVENT_COND_OPEN,
		.event_type = SLURMDB_EVENT_NODE,
	};
	dbd_cond_msg_t msg = { .cond = &open_of_nodes };
	persist_in_t in = { 0 };
	dbd_list_msg_t *got;
	int rc;

	open_of_nodes.cluster_list = list_create(NULL);
	list_append(open_of_nodes.cluster_list, (void *) cluster);
	rc = _ask_list(conn, DBD_GET_EVENTS, &msg, DBD_GOT_EVENTS, &in, err);
	FREE_NULL_LIST(open_of_nodes.cluster_list);
	if (rc)
		return -1;
	got = in.data;
	*ret_events = got->my_list;
	got->my_list = NULL;
	persist_free_data(conn, &in);
	return *ret_events ? 0 :
	       fed_err_set(err, EREMOTE, "slurmdbd told no list of events");
}

extern int dbd_set_node_state(persist_t *conn, dbd_node_state_msg_t *msg,
			      fed_err_t *err)
{
	return _ask_rc(conn, DBD_NODE_STATE, msg, _not_success, err);
}

extern int dbd_get_federation(persist_t *conn, const char *cluster,
			      federation_t **ret_fed, fed_err_t *err)
{
	slurmdb_federation_cond_t cond = { 0 };
	dbd_cond_msg_t msg = { .cond = &cond };
	persist_in_t in = { 0 };

	if (_ask_list(conn, DBD_GET_FEDERATIONS, &msg, DBD_GOT_FEDERATIONS,
		      &in, err))
		return -1;
	*ret_fed = federation_from_dbd(((dbd_list_msg_t *) in.data)->my_list,
				       cluster);
	persist_free_data(conn, &in);
	return 0;
}

static int _get_any(persist_t *conn, uint16_t type, void *cond,
		    uint16_t answer, compat_list_t *ret_list, fed_err_t *err)
{
	dbd_cond_msg_t msg = { .cond = cond };
	persist_in_t in = { 0 };
	dbd_list_msg_t *got;

	if (_ask_list(conn, type, &msg, answer, &in, err))
		return -1;
	got = in.data;
	*ret_list = got->my_list;
	got->my_list = NULL;
	persist_free_data(conn, &in);
	return *ret_list ? 0 :
	       fed_err_set(err, EREMOTE, "slurmdbd answered %u with no list",
			   type);
}

/*
 * None of these lists is ever empty: a slurmdbd that has lost its database
 * while it reads is known by that, and not believed.
 */
static int _get_some(persist_t *conn, uint16_t type, void *cond,
		     uint16_t answer, compat_list_t *ret_list, fed_err_t *err)
{
	if (_get_any(conn, type, cond, answer, ret_list, err))
		return -1;
	if (list_count(*ret_list))
		return 0;
	FREE_NULL_LIST(*ret_list);
	return fed_err_set(err, EREMOTE, "slurmdbd answered %u with nothing",
			   type);
}

/* There may be none; what is asked for next tells whether to believe that. */
static int _get_wckeys(persist_t *conn, compat_list_t clusters,
		       const site_t *site, compat_list_t *ret_wckeys,
		       fed_err_t *err)
{
	slurmdb_wckey_cond_t of_cluster = { .cluster_list = clusters };

	if (!site->track_wckey)
		return 0;
	return _get_any(conn, DBD_GET_WCKEYS, &of_cluster, DBD_GOT_WCKEYS,
			ret_wckeys, err);
}

extern int dbd_get_assocs(persist_t *conn, const char *cluster,
			  const site_t *site, assoc_t *assoc,
			  bool *ret_changed, fed_err_t *err)
{
	slurmdb_assoc_cond_t of_cluster = { 0 };
	slurmdb_user_cond_t all_users = { .with_coords = 1 };
	slurmdb_qos_cond_t all_qos = { 0 };
	slurmdb_tres_cond_t of_site = { 0 };
	compat_list_t users = NULL, assocs = NULL, qos = NULL, tres = NULL;
	compat_list_t wckeys = NULL;
	int rc = -1;

	of_cluster.cluster_list = list_create(NULL);
	list_append(of_cluster.cluster_list, (void *) cluster);
	of_site.type_list = list_create(xfree_ptr);
	(void) slurm_addto_char_list(of_site.type_list, site->tres);
	if (!_get_some(conn, DBD_GET_TRES, &of_site, DBD_GOT_TRES, &tres,
		       err) &&
	    !_get_some(conn, DBD_GET_USERS, &all_users, DBD_GOT_USERS, &users,
		       err) &&
	    !_get_some(conn, DBD_GET_ASSOCS, &of_cluster, DBD_GOT_ASSOCS,
		       &assocs, err) &&
	    !_get_wckeys(conn, of_cluster.cluster_list, site, &wckeys, err) &&
	    !_get_some(conn, DBD_GET_QOS, &all_qos, DBD_GOT_QOS, &qos, err)) {
		*ret_changed = assoc_load(assoc, users, assocs, qos, wckeys);
		assoc_show_load(assoc, site, tres, users, assocs, qos);
		tres = users = assocs = qos = NULL;
		rc = 0;
	}
	FREE_NULL_LIST(of_cluster.cluster_list);
	FREE_NULL_LIST(of_site.type_list);
	FREE_NULL_LIST(tres);
	FREE_NULL_LIST(users);
	FREE_NULL_LIST(assocs);
	FREE_NULL_LIST(qos);
	FREE_NULL_LIST(wckeys);
	return rc;
}

extern int dbd_has_database(persist_t *conn, fed_err_t *err)
{
	slurmdb_qos_cond_t all = { 0 };
	compat_list_t qos = NULL;
	int rc = _get_some(conn, DBD_GET_QOS, &all, DBD_GOT_QOS, &qos, err);

	FREE_NULL_LIST(qos);
	return rc;
}

extern int dbd_has_cluster(persist_t *conn, const char *cluster,
			   bool *ret_known, fed_err_t *err)
{
	slurmdb_cluster_cond_t cond;
	dbd_cond_msg_t msg = { .cond = &cond };
	persist_in_t in = { 0 };
	compat_list_t list;
	int rc;

	slurmdb_init_cluster_cond(&cond, false);
	cond.cluster_list = list_create(NULL);
	list_append(cond.cluster_list, (void *) cluster);
	rc = _ask_list(conn, DBD_GET_CLUSTERS, &msg, DBD_GOT_CLUSTERS, &in,
		       err);
	FREE_NULL_LIST(cond.cluster_list);
	if (rc)
		return -1;
	list = ((dbd_list_msg_t *) in.data)->my_list;
	*ret_known = list && list_count(list);
	persist_free_data(conn, &in);
	return 0;
}
