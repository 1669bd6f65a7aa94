/*
 * compat.h - the only file that knows one Slurm release from another.
 *
 * Everything under src/sibling and src/plugins includes this for Slurm's own
 * declarations and never compares a version itself. A layout that differs on
 * the wire is not here: Slurm's packers take the protocol version.
 */
#ifndef FED_SIBLING_COMPAT_H
#define FED_SIBLING_COMPAT_H

#include "config.h"		/* Slurm's, from its configured tree */

#include "slurm/slurm.h"
#include "slurm/slurm_errno.h"
#include "slurm/slurm_version.h"
#include "slurm/slurmdb.h"

#include "src/common/bitstring.h"
#include "src/common/fd.h"
#include "src/common/hostlist.h"
#include "src/common/list.h"
#include "src/common/log.h"
#include "src/common/pack.h"
#include "src/common/parse_config.h"
#include "src/common/read_config.h"
#include "src/common/run_in_daemon.h"
#include "src/common/slurm_protocol_api.h"
#include "src/common/slurm_protocol_defs.h"
#include "src/common/slurm_protocol_pack.h"
#include "src/common/slurmdb_defs.h"
#include "src/common/slurmdb_pack.h"
#include "src/common/slurmdbd_defs.h"
#include "src/common/slurmdbd_pack.h"
#include "src/common/xhash.h"
#include "src/common/xmalloc.h"
#include "src/common/xstring.h"

#define COMPAT_24_11 (SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(24, 11, 0))

/*
 * Does it look at MaxTRESRunMinsPerUser and PerAccount of a QOS? Older ones
 * have them and do not; nor have they reasons, by TRES, for it.
 */
#define COMPAT_RUN_MINS_PER COMPAT_24_11
#if COMPAT_24_11
#define COMPAT_USED_RUN tres_run_secs
#define COMPAT_QOS_USAGE SLURMDB_UPDATE_QOS_USAGE
#else
#define COMPAT_USED_RUN tres_run_mins
#define COMPAT_QOS_USAGE SLURMDB_REMOVE_QOS_USAGE
#endif
#if COMPAT_24_11
#define COMPAT_RUN_MINS_REASONS(who) { \
	WAIT_QOS_MAX_CPU_RUN_MINS_PER_##who, \
	WAIT_QOS_MAX_MEM_RUN_MINS_PER_##who, \
	WAIT_QOS_MAX_NODE_RUN_MINS_PER_##who, \
	WAIT_QOS_MAX_BILLING_RUN_MINS_PER_##who }
#else
#define COMPAT_RUN_MINS_REASONS(who) { 0 }
#endif

#if COMPAT_24_11
#include "src/common/msg_type.h"
#include "src/common/persist_conn.h"
#include "src/common/job_record.h"
#include "src/common/job_state_reason.h"
#include "src/interfaces/acct_gather_energy.h"
#include "src/interfaces/auth.h"
#include "src/interfaces/jobacct_gather.h"
#include "src/interfaces/select.h"
#include "src/interfaces/tls.h"
#include "src/interfaces/topology.h"

typedef persist_conn_t compat_persist_conn_t;
typedef list_t *compat_list_t;
typedef hostlist_t *compat_hostlist_t;
#define compat_tls_enabled() tls_enabled()
#define compat_ipv6_enabled() (slurm_conf.conf_flags & CONF_FLAG_IPV6_ENABLED)
#define COMPAT_CONF_WCKEY CONF_FLAG_WCKEY
#define COMPAT_STORE_COMMENT CONF_FLAG_SJC
#define COMPAT_STORE_ENV CONF_FLAG_SJE
#define COMPAT_STORE_SCRIPT CONF_FLAG_SJS
#define COMPAT_STORE_NO_STDIO CONF_FLAG_NO_STDIO
#define COMPAT_PARSE_SOME PARSE_FLAGS_IGNORE_NEW
#else
#include "src/common/select.h"
#include "src/common/slurm_acct_gather_energy.h"
#include "src/common/slurm_auth.h"
#include "src/common/slurm_jobacct_gather.h"
#include "src/common/slurm_persist_conn.h"
#include "src/slurmctld/slurmctld.h"

typedef slurm_persist_conn_t compat_persist_conn_t;
typedef List compat_list_t;
typedef hostlist_t compat_hostlist_t;
#define PERSIST_TYPE_ACCT_UPDATE 5	/* 24.11's; 22.05 never sends it */
#define compat_tls_enabled() false
#define compat_ipv6_enabled() (slurm_conf.conf_flags & CTL_CONF_IPV6_ENABLED)
#define COMPAT_CONF_WCKEY CTL_CONF_WCKEY
#define COMPAT_STORE_COMMENT CTL_CONF_SJC
#define COMPAT_STORE_ENV CTL_CONF_SJE
#define COMPAT_STORE_SCRIPT CTL_CONF_SJS
#define COMPAT_STORE_NO_STDIO 0
#define COMPAT_PARSE_SOME true	/* keys that are not asked for are no error */
#endif
#define COMPAT_STORE_ALL \
	(COMPAT_STORE_COMMENT | COMPAT_STORE_ENV | COMPAT_STORE_SCRIPT | \
	 COMPAT_STORE_NO_STDIO)

/*
 * A field of Slurm's records that only newer, or only older, releases have,
 * and what stands for it in a build that lacks it.
 */
#if COMPAT_24_11
#define COMPAT_IF_24_11(field, otherwise) field
#define COMPAT_IF_22_05(field, otherwise) otherwise
#else
#define COMPAT_IF_24_11(field, otherwise) otherwise
#define COMPAT_IF_22_05(field, otherwise) field
#endif

/* job_submit plugins: job_modify() got an error message (job_submit.h) */
#if COMPAT_24_11
#define COMPAT_JOB_MODIFY_ERR , char **err_msg
#else
#define COMPAT_JOB_MODIFY_ERR
#endif

#if !COMPAT_24_11
#define SLURM_NO_AUTH_CRED 0	/* 22.05 has no message without one */
#endif

/* RET true and the uid if the sender of msg proved who it is */
static inline bool compat_msg_uid(const slurm_msg_t *msg, uid_t *ret_uid)
{
#if COMPAT_24_11
	if (!msg->auth_ids_set)
		return false;
#else
	if (!msg->auth_uid_set)
		return false;
#endif
	*ret_uid = msg->auth_uid;
	return true;
}

/* Answer a one-shot request on the connection that it came on. */
static inline int compat_reply(slurm_msg_t *request, uint16_t type, void *data)
{
#if COMPAT_24_11
	return send_msg_response(request, type, data);
#else
	return slurm_send_msg(request, type, data);
#endif
}

/*
 * Answer with a body that was packed already.
 * IN body - all up to its offset is sent; stays the caller's
 */
static inline int compat_reply_body(slurm_msg_t *request, uint16_t type,
				    buf_t *body)
{
#if COMPAT_24_11
	return send_msg_response(request, type, body);
#else
	slurm_msg_t msg;

	slurm_msg_t_init(&msg);
	msg.address = request->address;
	msg.auth_index = request->auth_index;
	msg.conn = request->conn;
	msg.flags = request->flags;
	msg.hash_index = request->hash_index;
	msg.protocol_version = request->protocol_version;
	slurm_msg_set_r_uid(&msg, request->auth_uid);
	msg.msg_type = type;
	msg.data = get_buf_data(body);
	msg.data_size = get_buf_offset(body);
	return (slurm_send_node_msg(request->conn_fd, &msg) < 0) ? -1 : 0;
#endif
}

/*
 * Answer that there are no switches and no blocks. Since 23.11 a topology
 * plugin packs the answer, and a client takes only that of the plugin which its
 * own slurm.conf names: another one is a segmentation fault there. Who hosts
 * us need not have loaded it.
 * RET 0, or else nothing was answered
 */
static inline int compat_reply_no_topology(slurm_msg_t *request)
{
	topo_info_response_msg_t none = { 0 };
#if COMPAT_24_11
	buf_t *packed;
	int rc;

	if (topology_g_init())
		return -1;
	packed = init_buf(BUF_SIZE);
	pack32(topology_get_plugin_id(), packed);
	pack32(0, packed);	/* of them; a plugin without any reads none */
	set_buf_offset(packed, 0);
	rc = topology_g_topology_unpack(&none.topo_info, packed,
					SLURM_PROTOCOL_VERSION);
	free_buf(packed);
	if (rc)
		return -1;
	(void) compat_reply(request, RESPONSE_TOPO_INFO, &none);
	(void) topology_g_topology_free(none.topo_info);
#else
	(void) compat_reply(request, RESPONSE_TOPO_INFO, &none);
#endif
	return 0;
}

/* Send the client to another cluster. IN to - stays the caller's */
static inline int compat_reply_reroute(slurm_msg_t *request,
				       slurmdb_cluster_rec_t *to)
{
#if COMPAT_24_11
	return slurm_send_reroute_msg(request, to, NULL);
#else
	/* a client complains of one that it does not know; natives of a site
	 * have the same */
	to->plugin_id_select = select_get_plugin_id();
	return slurm_send_reroute_msg(request, to);
#endif
}

/* squeue --only-job-state is 24.05's: a build before is never asked */
#if COMPAT_24_11
typedef job_state_response_job_t compat_job_state_t;

static inline bool compat_job_state_wanted(const void *data, uint32_t job_id)
{
	const job_state_request_msg_t *request = data;

	if (!request->count)
		return true;
	for (uint32_t i = 0; i < request->count; i++) {
		if (request->job_ids[i].step_id.job_id == job_id)
			return true;
	}
	return false;
}

static inline void compat_job_state_set(compat_job_state_t *job,
					uint32_t job_id, uint32_t state)
{
	job->job_id = job_id;
	job->array_task_id = NO_VAL;
	job->state = state;
}

static inline void compat_reply_job_states(slurm_msg_t *request,
					   compat_job_state_t *jobs,
					   uint32_t count)
{
	job_state_response_msg_t response = {
		.jobs_count = count,
		.jobs = jobs,
	};

	(void) send_msg_response(request, RESPONSE_JOB_STATE, &response);
}
#else
typedef struct { uint32_t job_id; } compat_job_state_t;
#define REQUEST_JOB_STATE 2057

static inline bool compat_job_state_wanted(const void *data, uint32_t job_id)
{
	return false;
}

static inline void compat_job_state_set(compat_job_state_t *job,
					uint32_t job_id, uint32_t state)
{
}

static inline void compat_reply_job_states(slurm_msg_t *request,
					   compat_job_state_t *jobs,
					   uint32_t count)
{
	(void) slurm_send_rc_msg(request, ESLURM_NOT_SUPPORTED);
}
#endif

/* So is scancel --ctld: all that match are killed, failures are listed. */
#if COMPAT_24_11
typedef kill_jobs_resp_msg_t compat_killed_t;

static inline bool _compat_kill_matches_nodes(const kill_jobs_msg_t *kill,
					      const job_info_t *job)
{
	hostset_t *nodes;
	bool matches;

	if (!kill->nodelist)
		return true;
	if (!job->nodes || !(nodes = hostset_create(job->nodes)))
		return false;
	matches = hostset_intersects(nodes, kill->nodelist);
	hostset_destroy(nodes);
	return matches;
}

/* RET whether all that is wanted of a job, but its id, is so */
static inline bool compat_kill_matches(const void *data, const job_info_t *job)
{
	const kill_jobs_msg_t *kill = data;

	return (!kill->account || !xstrcmp(kill->account, job->account)) &&
	       (!kill->job_name || !xstrcmp(kill->job_name, job->name)) &&
	       (!kill->partition ||
		!xstrcmp(kill->partition, job->partition)) &&
	       (!kill->qos || !xstrcmp(kill->qos, job->qos)) &&
	       (!kill->reservation ||
		!xstrcmp(kill->reservation, job->resv_name)) &&
	       (!kill->wckey || !xstrcmp(kill->wckey, job->wckey)) &&
	       _compat_kill_matches_nodes(kill, job) &&
	       (!kill->user_name || (kill->user_id == job->user_id)) &&
	       (((kill->state & JOB_STATE_BASE) == JOB_END) ||
		(kill->state == (job->job_state & JOB_STATE_BASE)));
}

/* RET whether anything is wanted, beside ids (_verify_kill_jobs_msg()) */
static inline bool compat_kill_filters(const void *data)
{
	const kill_jobs_msg_t *kill = data;

	return kill->account || kill->job_name || kill->partition ||
	       kill->qos || kill->reservation || kill->wckey ||
	       kill->nodelist || kill->user_name ||
	       ((kill->state & JOB_STATE_BASE) != JOB_END);
}

static inline uint16_t compat_kill_signal(const void *data)
{
	return ((const kill_jobs_msg_t *) data)->signal;
}

/* RET the job that is named as number i, NULL after the last */
static inline const char *compat_kill_named(const void *data, uint32_t i)
{
	const kill_jobs_msg_t *kill = data;

	return (i < kill->jobs_cnt) ? kill->jobs_array[i] : NULL;
}

static inline uint16_t compat_kill_flags(const void *data)
{
	return ((const kill_jobs_msg_t *) data)->flags;
}

/* IN why - to be said before the error, or NULL */
static inline void compat_killed_add(compat_killed_t *killed, uint32_t job_id,
				     uint32_t rc, const char *why)
{
	kill_jobs_resp_job_t *job;

	xrecalloc(killed->job_responses, killed->jobs_cnt + 1,
		  sizeof(*killed->job_responses));
	job = &killed->job_responses[killed->jobs_cnt++];
	job->id = xmalloc(sizeof(*job->id));
	job->id->array_task_id = NO_VAL;
	job->id->het_job_offset = NO_VAL;
	job->id->step_id.job_id = job_id;
	job->id->step_id.step_id = NO_VAL;
	job->id->step_id.step_het_comp = NO_VAL;
	job->real_job_id = job_id;
	job->error_code = rc;
	if (rc)
		job->error_msg = xstrdup_printf("%s%s", why ? why : "",
						slurm_strerror(rc));
}

static inline void compat_reply_killed(slurm_msg_t *request,
				       compat_killed_t *killed)
{
	(void) send_msg_response(request, RESPONSE_KILL_JOBS, killed);
	for (uint32_t i = 0; i < killed->jobs_cnt; i++) {
		xfree(killed->job_responses[i].id);
		xfree(killed->job_responses[i].error_msg);
	}
	xfree(killed->job_responses);
}
#else
typedef struct { uint32_t jobs_cnt; } compat_killed_t;
#define REQUEST_KILL_JOBS 5041
#define KILL_JOBS_VERBOSE 0
#define ESLURM_JOB_SIGNAL_FAILED ESLURM_NOT_SUPPORTED
#define ESLURM_SIGNAL_JOBS_INVALID ESLURM_NOT_SUPPORTED

static inline bool compat_kill_matches(const void *data, const job_info_t *job)
{
	return false;
}

static inline bool compat_kill_filters(const void *data)
{
	return false;
}

static inline uint16_t compat_kill_signal(const void *data)
{
	return 0;
}

static inline const char *compat_kill_named(const void *data, uint32_t i)
{
	return NULL;
}

static inline uint16_t compat_kill_flags(const void *data)
{
	return 0;
}

static inline void compat_killed_add(compat_killed_t *killed, uint32_t job_id,
				     uint32_t rc, const char *why)
{
}

static inline void compat_reply_killed(slurm_msg_t *request,
				       compat_killed_t *killed)
{
	(void) slurm_send_rc_msg(request, ESLURM_NOT_SUPPORTED);
}
#endif

/* Since 23.11 a job has either factors or a priority that was set by hand. */
#if COMPAT_24_11
typedef priority_factors_t compat_factors_t;

static inline compat_factors_t *compat_factors(priority_factors_object_t *job)
{
	job->prio_factors = xmalloc(sizeof(*job->prio_factors));
	return job->prio_factors;
}

static inline void compat_free_factors(void *x)
{
	priority_factors_object_t *job = x;

	xfree(job->prio_factors);
	xfree(job);
}
#else
typedef priority_factors_object_t compat_factors_t;

static inline compat_factors_t *compat_factors(priority_factors_object_t *job)
{
	return job;
}

static inline void compat_free_factors(void *x)
{
	xfree(x);
}
#endif

/* In place: accounts before their users and accounts */
static inline void compat_sort_assocs(compat_list_t assocs)
{
#if COMPAT_24_11
	slurmdb_sort_hierarchical_assoc_list(assocs);
#else
	slurmdb_sort_hierarchical_assoc_list(assocs, true);
#endif
}

/* RET Slurm's job_state_reason of that name, NO_VAL if there is none */
static inline uint32_t compat_reason_num(const char *name)
{
#if COMPAT_24_11
	return job_state_reason_num((char *) name);
#else
	return job_reason_num((char *) name);
#endif
}

/* RET the name of a job_state_reason */
static inline const char *compat_reason_name(uint32_t reason)
{
#if COMPAT_24_11
	return job_state_reason_string(reason);
#else
	return job_reason_string(reason);
#endif
}

/*
 * Did slurmdbd refuse a DBD_REGISTER_CTLD? Since 24.11 a refusal has rc 0 and
 * only a comment (slurmdbd/proc_req.c, _register_ctld).
 */
static inline bool compat_register_refused(const persist_rc_msg_t *rc)
{
#if COMPAT_24_11
	return rc->comment && rc->comment[0];
#else
	return rc->rc != SLURM_SUCCESS;
#endif
}

/*
 * Does slurmdbd tell all members of a federation when one of them registers?
 * Since 24.11 it does (as_mysql_cluster.c, as_mysql_modify_clusters()).
 */
static inline bool compat_registration_is_pushed(void)
{
	return COMPAT_24_11;
}

/* What slurm_free_job_info_members() forgets is freed as well. */
static inline void compat_free_job_info_members(job_info_t *job)
{
#if COMPAT_24_11
	xfree(job->resv_ports);
#else
	xfree(job->admin_comment);
	xfree(job->cluster_features);
	xfree(job->cronspec);
	xfree(job->prefer);
	xfree(job->system_comment);
#endif
	slurm_free_job_info_members(job);
}

static inline void compat_free_job_info_msg(job_info_msg_t *msg)
{
	if (!msg)
		return;
	for (uint32_t i = 0; i < msg->record_count; i++)
		compat_free_job_info_members(&msg->job_array[i]);
	xfree(msg->job_array);
	xfree(msg);
}

/*
 * Free the data of a message. slurm_free_sib_msg() forgets submit_host and
 * frees a list of jobs as if it were one job: fed_mgr.c takes both out of the
 * message before it comes to that. We copy what we keep.
 */
static inline void compat_free_data(uint16_t type, void *data)
{
	sib_msg_t *sib = data;

	if (!data)
		return;
	switch (type) {
	case REQUEST_SIB_MSG:
	case REQUEST_SIB_JOB_LOCK:
	case REQUEST_SIB_JOB_UNLOCK:
		xfree(sib->submit_host);
		if (sib->data_type == RESPONSE_JOB_INFO)
			compat_free_job_info_msg(sib->data);
		else
			compat_free_data(sib->data_type, sib->data);
		sib->data = NULL;
		break;
	case REQUEST_RESOURCE_ALLOCATION:
	case REQUEST_JOB_WILL_RUN:
	case REQUEST_SUBMIT_BATCH_JOB:
	case REQUEST_UPDATE_JOB:
		/* slurm_free_job_desc_msg() forgets it */
		xfree(((job_desc_msg_t *) data)->prefer);
		break;
	}
	(void) slurm_free_msg_data(type, data);
#if !COMPAT_24_11
	/* 22.05 frees what is in these, and not them */
	if ((type == REQUEST_SEND_DEP) || (type == REQUEST_UPDATE_ORIGIN_DEP))
		xfree(data);
#endif
}

/* Free what slurm_unpack_received_msg() made; the descriptor stays open. */
static inline void compat_free_msg_members(slurm_msg_t *msg)
{
	if (msg->auth_cred)
		(void) auth_g_destroy(msg->auth_cred);
	msg->auth_cred = NULL;
	if (msg->data)
		compat_free_data(msg->msg_type, msg->data);
	msg->data = NULL;
}

/* Whose job it is: since 23.02 its origin says so beside the description */
static inline uint32_t compat_submit_uid(const sib_msg_t *msg,
					 const job_desc_msg_t *desc)
{
#if COMPAT_24_11
	return msg->user_id;
#else
	return desc->user_id;
#endif
}

static inline uint32_t compat_submit_gid(const sib_msg_t *msg,
					 const job_desc_msg_t *desc)
{
#if COMPAT_24_11
	return msg->group_id;
#else
	return desc->group_id;
#endif
}

/* --container-id is 23.02's */
static inline const char *compat_container_id(const job_desc_msg_t *desc)
{
#if COMPAT_24_11
	return desc->container_id;
#else
	return NULL;
#endif
}

/* What 22.05's clients look for in a cluster before they speak to it */
static inline void compat_fill_register(dbd_register_ctld_msg_t *reg)
{
#if !COMPAT_24_11
	reg->plugin_id_select = select_get_plugin_id();
#endif
}

/* What 24.11 keeps of a job beside what 22.05 does */
static inline void compat_fill_job_start(dbd_job_start_msg_t *msg,
					 const char *licenses, const char *qos,
					 uint16_t restarts, const char *std_in,
					 const char *std_out,
					 const char *std_err)
{
#if COMPAT_24_11
	msg->licenses = (char *) licenses;
	msg->qos_req = (char *) qos;
	msg->restart_cnt = restarts;
	msg->std_in = (char *) std_in;
	msg->std_out = (char *) std_out;
	msg->std_err = (char *) std_err;
#endif
}

/* job_mgr.c, job_suspend(): who may, beside operators */
#define COMPAT_COORDINATORS_SUSPEND COMPAT_24_11

/* REQUEST_SIB_MSG says who submitted the job, and with what version */
#if COMPAT_24_11
#define COMPAT_SIB_HAS_USER true
#define COMPAT_SIB_HAS_PROTO(version) \
	((version) >= SLURM_23_11_PROTOCOL_VERSION)
#else
#define COMPAT_SIB_HAS_USER false
#define COMPAT_SIB_HAS_PROTO(version) false
#endif

/* Slurm's newest layout of this build, and the oldest it still speaks */
#define COMPAT_VERSION_OWN ((uint16_t) SLURM_PROTOCOL_VERSION)
#define COMPAT_VERSION_MIN ((uint16_t) SLURM_MIN_PROTOCOL_VERSION)

/* the oldest whose messages have today's header (pack_header()) */
#if COMPAT_24_11
#define COMPAT_VERSION_HEADER COMPAT_VERSION_MIN
#else
#define COMPAT_VERSION_HEADER ((uint16_t) SLURM_22_05_PROTOCOL_VERSION)
#endif

#endif
