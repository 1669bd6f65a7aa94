/*
 * accounting_send.c - a row, said to slurmdbd (see accounting_send.h).
 *
 * db_index is always 0: slurmdbd then looks for the record by submit time and
 * job id, and makes it if there is none. 22.05 and 24.11 both do; releases
 * after 25.11 will want an index of ours.
 */
#include "src/sibling/accounting_send.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/sibling/compat.h"
#include "src/sibling/dbd.h"
#include "src/sibling/pack_dbd.h"

/* RET what an answer means; its data are freed */
static send_rc_t _judge(persist_t *conn, persist_in_t *in, uint16_t type,
			fed_err_t *err)
{
	const char *comment = NULL;
	uint32_t rc = SLURM_SUCCESS;
	send_rc_t ret = SEND_TAKEN;

	switch (in->type) {
	case PERSIST_RC:
		rc = ((persist_rc_msg_t *) in->data)->rc;
		comment = ((persist_rc_msg_t *) in->data)->comment;
		break;
	case DBD_ID_RC:
		rc = ((dbd_id_rc_msg_t *) in->data)->return_code;
		break;
	default:
		fed_err_set(err, EPROTO, "slurmdbd answered with %u to %u",
			    in->type, type);
		ret = SEND_BROKEN;
		break;
	}
	if (rc != SLURM_SUCCESS) {
		ret = (rc == ESLURM_DB_CONNECTION) ? SEND_LATER :
						     SEND_REFUSED;
		fed_err_set(err, EREMOTE, "slurmdbd answered %s: %s",
			    slurmdbd_msg_type_2_str(type, 1),
			    (comment && comment[0]) ? comment :
						      slurm_strerror(rc));
	}
	persist_free_data(conn, in);
	return ret;
}

/* RET as accounting_send(). IN in - an answer, freed here */
static send_rc_t _answered(persist_t *conn, persist_in_t *in, uint16_t type,
			   fed_err_t *err)
{
	send_rc_t rc = _judge(conn, in, type, err);
	fed_err_t probe = { 0 };

	if (rc != SEND_REFUSED)
		return rc;
	/*
	 * What fails when the database goes away has no code of its own. One
	 * that answers other questions is there.
	 */
	if (!dbd_has_database(conn, &probe))
		return SEND_REFUSED;
	if (probe.code == EREMOTE)
		return SEND_LATER;
	*err = probe;
	return SEND_BROKEN;
}

static send_rc_t _ask(persist_t *conn, uint16_t type, void *data,
		      fed_err_t *err)
{
	persist_in_t in = { 0 };

	if (persist_ask(conn, type, data, &in, err))
		return SEND_BROKEN;
	return _answered(conn, &in, type, err);
}

/* IN buf - freed here; NULL: it can't be said to this slurmdbd */
static send_rc_t _ask_packed(persist_t *conn, uint16_t type, buf_t *buf,
			     fed_err_t *err)
{
	persist_in_t in = { 0 };
	int rc;

	if (!buf) {
		fed_err_set(err, EPROTO,
			    "slurmdbd is of an older release than Slurm here, which must not be");
		return SEND_LATER;
	}
	rc = persist_ask_packed(conn, buf, &in, err);
	free_buf(buf);
	return rc ? SEND_BROKEN : _answered(conn, &in, type, err);
}

/*
 * Where the nodes are in the cluster's list, as "0-1,5": by that sacct -N
 * finds jobs (accounting_storage_slurmdbd.c, acct_storage_p_node_inx()).
 * RET to be xfreed, or NULL
 */
static char *_node_inx(const char *cluster_nodes, const char *nodes)
{
	compat_hostlist_t all = NULL, some = NULL;
	bitstr_t *places;
	char *inx = NULL, *host;

	if (!cluster_nodes || !nodes || !(all = hostlist_create(cluster_nodes)))
		return NULL;
	if ((some = hostlist_create(nodes)) && hostlist_count(all)) {
		places = bit_alloc(hostlist_count(all));
		while ((host = hostlist_shift(some))) {
			int place = hostlist_find(all, host);

			if (place >= 0)
				bit_set(places, place);
			free(host);
		}
		inx = bit_fmt_full(places);
		FREE_NULL_BITMAP(places);
	}
	if (some)
		hostlist_destroy(some);
	hostlist_destroy(all);
	return inx;
}

static slurm_step_id_t _batch_step(const row_t *row)
{
	slurm_step_id_t step = {
		.job_id = row->id,
		.step_id = SLURM_BATCH_SCRIPT,
		.step_het_comp = NO_VAL,
	};

	return step;
}

/*
 * Its hashes are said each time: a start without an index sets them anew
 * (as_mysql_job.c, as_mysql_job_start()).
 */
static send_rc_t _say_job(persist_t *conn, const row_t *row, uint32_t assoc_id,
			  char *node_inx, fed_err_t *err)
{
	dbd_job_start_msg_t msg = {
		.account = row->account,
		.alloc_nodes = row->node_cnt,
		.array_task_id = NO_VAL,
		.assoc_id = assoc_id,
		.constraints = row->features,
		.db_flags = SLURMDB_JOB_FLAG_NONE,
		.eligible_time = row->eligible,
		.env_hash = row->env_hash,
		.gid = row->gid,
		.het_job_offset = NO_VAL,
		.job_id = row->id,
		.job_state = (row->kind == ROW_STARTS) ? JOB_RUNNING :
							 JOB_PENDING,
		.name = row->name,
		.nodes = row->nodes,
		.node_inx = node_inx,
		.partition = row->partition,
		.priority = row->priority,
		.qos_id = row->qos_id,
		.req_cpus = row->req_cpus,
		.req_mem = row->req_mem,
		.script_hash = row->script_hash,
		.start_time = row->start,
		.submit_line = row->submit_line,
		.submit_time = row->submit,
		.timelimit = row->time_limit,
		.uid = row->uid,
		.tres_alloc_str = row->tres_alloc,
		.tres_req_str = row->tres_req,
		.wckey = row->wckey,
		.work_dir = row->work_dir,
	};

	compat_fill_job_start(&msg, row->licenses, row->qos, row->restarts,
			      row->std_in, row->std_out, row->std_err);
	return _ask_packed(conn, DBD_JOB_START,
			   pack_dbd_job_start(&msg, conn->version), err);
}

/* Steps are not billed. RET to be xfreed */
static char *_without_billing(const char *tres)
{
	char *copy = xstrdup(tres), name[16];
	char *at;

	/* which is the last of them (jobs_rows.c, _tres()) */
	snprintf(name, sizeof(name), ",%d=", TRES_BILLING);
	if (copy && (at = strstr(copy, name)))
		*at = 0;
	return copy;
}

/* The script runs on the first of the nodes. */
static send_rc_t _say_step(persist_t *conn, const row_t *row, uint32_t assoc_id,
			   const char *cluster_nodes, fed_err_t *err)
{
	compat_hostlist_t nodes = hostlist_create(row->nodes);
	char *first = nodes ? hostlist_shift(nodes) : NULL;
	char *inx = _node_inx(cluster_nodes, first);
	char *tres = _without_billing(row->tres_alloc);
	dbd_step_start_msg_t msg = {
		.assoc_id = assoc_id,
		.name = (char *) "batch",
		.nodes = first ? first : row->nodes,
		.node_inx = inx,
		.node_cnt = 1,
		.start_time = row->start,
		.job_submit_time = row->submit,
		.req_cpufreq_min = NO_VAL,
		.req_cpufreq_max = NO_VAL,
		.req_cpufreq_gov = NO_VAL,
		.step_id = _batch_step(row),
		.total_tasks = 1,
		.tres_alloc_str = tres,
	};
	send_rc_t rc = _ask_packed(conn, DBD_STEP_START,
				   pack_dbd_step_start(&msg, conn->version),
				   err);

	xfree(inx);
	xfree(tres);
	free(first);
	if (nodes)
		hostlist_destroy(nodes);
	return rc;
}

static send_rc_t _say_start(persist_t *conn, const row_t *row,
			    uint32_t assoc_id, const char *cluster_nodes,
			    fed_err_t *err)
{
	char *inx = _node_inx(cluster_nodes, row->nodes);
	send_rc_t rc = _say_job(conn, row, assoc_id, inx, err);

	xfree(inx);
	if ((rc != SEND_TAKEN) || !row->batch || (row->kind != ROW_STARTS))
		return rc;
	return _say_step(conn, row, assoc_id, cluster_nodes, err);
}

/*
 * What is said twice is reckoned twice (as_mysql_job.c, as_mysql_suspend()):
 * it is said only if slurmdbd has it otherwise. All that is before it is known
 * to be there (accounting.c), so its state tells.
 */
static send_rc_t _say_suspend(persist_t *conn, const char *cluster,
			      const row_t *row, uint32_t assoc_id,
			      fed_err_t *err)
{
	bool suspends = (row->kind == ROW_SUSPENDS), is;
	dbd_job_suspend_msg_t msg = {
		.assoc_id = assoc_id,
		.job_id = row->id,
		.job_state = suspends ? JOB_SUSPENDED : JOB_RUNNING,
		.submit_time = row->submit,
		.suspend_time = row->time,
	};

	if (dbd_is_suspended(conn, cluster, row->id, row->submit, &is, err))
		return (err->code == EREMOTE) ? SEND_LATER : SEND_BROKEN;
	return (is == suspends) ? SEND_TAKEN :
				  _ask(conn, DBD_JOB_SUSPEND, &msg, err);
}

/* What it used: of one task, that ran on the first node. */
enum { USED_CPU, USED_MEM, USED_CNT };

static send_rc_t _say_step_end(persist_t *conn, const row_t *row,
			       uint32_t assoc_id, fed_err_t *err)
{
	uint32_t ids[USED_CNT] = { TRES_CPU, TRES_MEM };
	uint64_t none[USED_CNT] = { INFINITE64, INFINITE64 };
	uint64_t used[USED_CNT] = { INFINITE64, INFINITE64 };
	uint64_t place[USED_CNT] = { INFINITE64, INFINITE64 };
	jobacctinfo_t usage = {
		.tres_count = USED_CNT,
		.tres_ids = ids,
		.tres_usage_in_max = used,
		.tres_usage_in_max_nodeid = place,
		.tres_usage_in_max_taskid = place,
		.tres_usage_in_min = used,
		.tres_usage_in_min_nodeid = place,
		.tres_usage_in_min_taskid = place,
		.tres_usage_in_tot = used,
		.tres_usage_out_max = none,
		.tres_usage_out_max_nodeid = none,
		.tres_usage_out_max_taskid = none,
		.tres_usage_out_min = none,
		.tres_usage_out_min_nodeid = none,
		.tres_usage_out_min_taskid = none,
		.tres_usage_out_tot = none,
	};
	dbd_step_comp_msg_t msg = {
		.assoc_id = assoc_id,
		.end_time = row->time,
		.exit_code = row->status,
		.jobacct = &usage,
		.job_submit_time = row->submit,
		.req_uid = ROW_NOBODY,
		.start_time = row->start,
		/* what it makes of the exit status, as of a native's */
		.state = (row->state == JOB_OOM) ? JOB_OOM : JOB_PENDING,
		.step_id = _batch_step(row),
		.total_tasks = 1,
	};

	if ((row->user_us >= 0) && (row->system_us >= 0)) {
		usage.user_cpu_sec = row->user_us / 1000000;
		usage.user_cpu_usec = row->user_us % 1000000;
		usage.sys_cpu_sec = row->system_us / 1000000;
		usage.sys_cpu_usec = row->system_us % 1000000;
		/* in milliseconds (CPU_TIME_ADJ) */
		used[USED_CPU] = (row->user_us + row->system_us) / 1000;
		place[USED_CPU] = 0;
	}
	if (row->max_rss_kb >= 0) {
		used[USED_MEM] = row->max_rss_kb * 1024;
		place[USED_MEM] = 0;
	}
	return _ask(conn, DBD_STEP_COMPLETE, &msg, err);
}

/*
 * A job that Slurm ends has no exit status of its own, its batch step has
 * (job_mgr.c, job_signal(), _job_timed_out()).
 */
static bool _ends_by_itself(const row_t *row)
{
	return (row->state == JOB_COMPLETE) || (row->state == JOB_FAILED) ||
	       (row->state == JOB_OOM);
}

static send_rc_t _say_end(persist_t *conn, const row_t *row, uint32_t assoc_id,
			  fed_err_t *err)
{
	dbd_job_comp_msg_t msg = {
		.assoc_id = assoc_id,
		.comment = row->comment,
		.derived_ec = 0,
		.end_time = row->time,
		.exit_code = _ends_by_itself(row) ? row->status : 0,
		.job_id = row->id,
		.job_state = row->state,
		.nodes = row->nodes,
		.req_uid = row->by,
		.start_time = row->start,
		.submit_time = row->submit,
		.tres_alloc_str = row->tres_alloc,
	};
	send_rc_t rc = SEND_TAKEN;

	if (row->start && row->batch)
		rc = _say_step_end(conn, row, assoc_id, err);
	return (rc == SEND_TAKEN) ? _ask(conn, DBD_JOB_COMPLETE, &msg, err) :
				    rc;
}

/*
 * slurmdbd asks for what it does not have when it hears of a hash, and only
 * then: if we, or it, had died with that question nobody would have been asked
 * again. It takes a text unasked, once it knows the hash (as_mysql_job.c,
 * as_mysql_job_heavy()).
 */
static send_rc_t _say_text(persist_t *conn, const row_t *row, fed_err_t *err)
{
	dbd_job_heavy_msg_t msg = { 0 };

	if (row->kind == ROW_SCRIPT) {
		msg.script = row->text;
		msg.script_hash = row->hash;
	} else {
		msg.env = row->text;
		msg.env_hash = row->hash;
	}
	return _ask(conn, DBD_JOB_HEAVY, &msg, err);
}

/* It may have been made, or slurmdbd been heard of, since the row was. */
static uint32_t _assoc_id(assoc_t *assoc, const row_t *row)
{
	assoc_found_t found;
	uint32_t id = row->assoc_id;

	if (id || !row->account)
		return id;
	(void) assoc_check(assoc, 0, row->uid, row->account, row->partition,
			   NULL, &found, NULL);
	id = found.id;
	assoc_found_free(&found);
	return id;
}

extern send_rc_t accounting_send(persist_t *conn, const char *cluster,
				 assoc_t *assoc, const char *cluster_nodes,
				 const row_t *row, fed_err_t *err)
{
	uint32_t assoc_id = _assoc_id(assoc, row);

	switch (row->kind) {
	case ROW_WAITS:
	case ROW_STARTS:
		return _say_start(conn, row, assoc_id, cluster_nodes, err);
	case ROW_SUSPENDS:
	case ROW_RESUMES:
		return _say_suspend(conn, cluster, row, assoc_id, err);
	case ROW_ENDS:
		return _say_end(conn, row, assoc_id, err);
	case ROW_SCRIPT:
	case ROW_ENV:
		return _say_text(conn, row, err);
	}
	return SEND_TAKEN;
}
