/*
 * fake_dbd.c - a slurmdbd with one federation (see fake_dbd.h).
 */
#include "testsuite/unit/fake_dbd.h"

#include <pthread.h>

#include "testsuite/unit/dbd_recs.h"

#define MEMBERS_MAX 10
#define ASSOCS_MAX 10

typedef struct {
	char name[64];
	char host[64];
	uint16_t port;
	uint32_t id;
	uint32_t state;
} member_t;

struct fake_dbd {
	fake_peer_t *peer;
	pthread_mutex_t lock;	/* all below */
	member_t member[MEMBERS_MAX];
	int member_cnt;
	struct {
		const char *user;
		const char *account;
	} assoc[ASSOCS_MAX];
	int assoc_cnt;
	int assoc_asked;
	char rows[1000];	/* what was said of jobs */
	char texts[1000];	/* what was said beside */
	bool suspended;		/* the job that was spoken of last */
	uint32_t bad_job, bad_rc;
	uint32_t break_job;
	int breaks;
	bool no_database;
	const char *refusal;
	int registrations;
	uint16_t registered_port;
	int tres_cnt;
	char nodes[200];
	char tres[200];
	char events[500];	/* what was said of nodes */
	char down[64];		/* a node */
	char reason[64];
	uint32_t down_state;
	char address[64];
	int touches;
	int fed_asked;
};

static slurmdb_cluster_rec_t *_cluster_rec(const member_t *member)
{
	slurmdb_cluster_rec_t *rec = xmalloc(sizeof(*rec));

	slurmdb_init_cluster_rec(rec, false);
	rec->name = xstrdup(member->name);
	rec->control_host = xstrdup(member->host);
	rec->control_port = member->port;
	rec->rpc_version = member->port ? COMPAT_VERSION_OWN : 0;
	rec->fed.name = xstrdup("fed");
	rec->fed.id = member->id;
	rec->fed.state = member->state;
	return rec;
}

/* LOCKED */
static compat_list_t _federations(const fake_dbd_t *dbd)
{
	compat_list_t list = list_create(slurmdb_destroy_federation_rec);
	slurmdb_federation_rec_t *fed;

	if (!dbd->member_cnt)
		return list;
	fed = xmalloc(sizeof(*fed));
	fed->name = xstrdup("fed");
	fed->cluster_list = list_create(slurmdb_destroy_cluster_rec);
	for (int i = 0; i < dbd->member_cnt; i++)
		list_append(fed->cluster_list, _cluster_rec(&dbd->member[i]));
	list_append(list, fed);
	return list;
}

/* LOCKED */
static compat_list_t _users(const fake_dbd_t *dbd)
{
	compat_list_t list = list_create(slurmdb_destroy_user_rec);

	for (int i = 0; i < dbd->assoc_cnt; i++)
		dbd_recs_user(list, dbd->assoc[i].user)->admin_level =
			SLURMDB_ADMIN_OPERATOR;
	return list;
}

/* LOCKED */
static compat_list_t _assocs(const fake_dbd_t *dbd)
{
	compat_list_t list = list_create(slurmdb_destroy_assoc_rec);

	for (int i = 0; i < dbd->assoc_cnt; i++)
		dbd_recs_assoc(list, 10 + i, dbd->assoc[i].account,
			       dbd->assoc[i].user)->is_def = (i == 0);
	return list;
}

static compat_list_t _tres(void)
{
	compat_list_t list = list_create(slurmdb_destroy_tres_rec);
	slurmdb_tres_rec_t *rec = xmalloc(sizeof(*rec));

	rec->id = 1;
	rec->type = xstrdup("cpu");
	list_append(list, rec);
	return list;
}

static compat_list_t _qos(void)
{
	compat_list_t list = list_create(slurmdb_destroy_qos_rec);

	(void) dbd_recs_qos(list, 1, "normal");
	return list;
}

static bool _answer_list(persist_t *conn, uint16_t type, compat_list_t list)
{
	dbd_list_msg_t answer = { .my_list = list };
	int rc = persist_send(conn, type, &answer, NULL);

	FREE_NULL_LIST(list);
	return !rc;
}

static bool _answer_rc(persist_t *conn, uint32_t rc, const char *comment)
{
	persist_rc_msg_t answer = {
		.comment = (char *) comment,
		.rc = rc,
	};

	return !persist_send(conn, PERSIST_RC, &answer, NULL);
}

/* LOCKED. RET NULL if there is none */
static member_t *_find(fake_dbd_t *dbd, const char *name)
{
	for (int i = 0; i < dbd->member_cnt; i++) {
		if (!strcmp(dbd->member[i].name, name))
			return &dbd->member[i];
	}
	return NULL;
}

/* LOCKED */
static bool _take_register(fake_dbd_t *dbd, persist_t *conn,
			   const dbd_register_ctld_msg_t *msg)
{
	char cluster[64];
	member_t *member;
	uint16_t port;
	int type;

	if (dbd->refusal)
		return _answer_rc(conn, ESLURM_ACCESS_DENIED, dbd->refusal);
	dbd->registrations++;
	dbd->registered_port = msg->port;
	fake_last_init(dbd->peer, cluster, &port, &type);
	if ((member = _find(dbd, cluster))) {
		snprintf(member->host, sizeof(member->host), "127.0.0.1");
		member->port = msg->port;
	}
	return _answer_rc(conn, SLURM_SUCCESS, NULL);
}

/* LOCKED */
static bool _take_modify(fake_dbd_t *dbd, persist_t *conn,
			 const dbd_modify_msg_t *msg)
{
	const slurmdb_cluster_rec_t *rec = msg->rec;
	compat_list_t list = list_create(xfree_ptr);

	if (rec->control_host)
		snprintf(dbd->address, sizeof(dbd->address), "%s",
			 rec->control_host);
	if (rec->fed.feature_list) {
		/* one without a name is taken away: the others stay */
		assert_int_equal(list_count(rec->fed.feature_list), 1);
		assert_string_equal(list_peek(rec->fed.feature_list), "-");
		dbd->touches++;
	}
	if (rec->fed.state != NO_VAL) {
		const slurmdb_cluster_cond_t *cond = msg->cond;

		_find(dbd, list_peek(cond->cluster_list))->state =
			rec->fed.state;
	}
	list_append(list, xstrdup("flurm"));
	return _answer_list(conn, DBD_GOT_LIST, list);
}

/* LOCKED. Members leave */
static bool _take_modify_fed(fake_dbd_t *dbd, persist_t *conn,
			     const dbd_modify_msg_t *msg)
{
	const slurmdb_federation_cond_t *cond = msg->cond;
	const slurmdb_federation_rec_t *rec = msg->rec;
	const slurmdb_cluster_rec_t *leaving = list_peek(rec->cluster_list);
	member_t *member, *last = &dbd->member[dbd->member_cnt - 1];
	compat_list_t list = list_create(xfree_ptr);

	assert_string_equal(list_peek(cond->federation_list), "fed");
	assert_int_equal(leaving->name[0], '-');
	member = _find(dbd, leaving->name + 1);
	assert_non_null(member);
	*member = *last;
	dbd->member_cnt--;
	list_append(list, xstrdup("fed"));
	return _answer_list(conn, DBD_GOT_LIST, list);
}

/* LOCKED */
static bool _take_row(fake_dbd_t *dbd, persist_t *conn, const char *what,
		      uint32_t job, bool start)
{
	uint32_t rc = (job == dbd->bad_job) ? dbd->bad_rc : SLURM_SUCCESS;
	dbd_id_rc_msg_t answer = { .job_id = job, .return_code = rc };
	size_t len = strlen(dbd->rows);

	snprintf(dbd->rows + len, sizeof(dbd->rows) - len, "%s%u ", what, job);
	if ((job == dbd->break_job) && (dbd->breaks-- > 0))
		return false;
	if (start)
		return !persist_send(conn, DBD_ID_RC, &answer, NULL);
	return _answer_rc(conn, rc, NULL);
}

/* LOCKED */
static void _note_text(fake_dbd_t *dbd, const char *what, uint32_t job,
		       const char *first, const char *second)
{
	size_t len = strlen(dbd->texts);

	if (!first && !second)
		return;
	len += snprintf(dbd->texts + len, sizeof(dbd->texts) - len, "%s", what);
	if (job)
		len += snprintf(dbd->texts + len, sizeof(dbd->texts) - len,
				"%u", job);
	snprintf(dbd->texts + len, sizeof(dbd->texts) - len, " %.20s%s%.20s;",
		 first ? first : "-", second ? " " : "", second ? second : "");
}

/* LOCKED */
static bool _take_heavy(fake_dbd_t *dbd, persist_t *conn,
			const dbd_job_heavy_msg_t *msg)
{
	_note_text(dbd, "script", 0, msg->script_hash, msg->script);
	_note_text(dbd, "env", 0, msg->env_hash, msg->env);
	return _answer_rc(conn, SLURM_SUCCESS, NULL);
}

/* LOCKED */
static bool _take_start(fake_dbd_t *dbd, persist_t *conn,
			const dbd_job_start_msg_t *msg)
{
	_note_text(dbd, "start", msg->job_id, msg->script_hash, msg->env_hash);
	return _take_row(dbd, conn, "start", msg->job_id, true);
}

/* LOCKED */
static bool _take_end(fake_dbd_t *dbd, persist_t *conn,
		      const dbd_job_comp_msg_t *msg)
{
	_note_text(dbd, "end", msg->job_id, msg->comment, NULL);
	return _take_row(dbd, conn, "end", msg->job_id, false);
}

/* LOCKED. A job of that id with two runs, the second of which may be it */
static compat_list_t _jobs(const fake_dbd_t *dbd)
{
	compat_list_t list = list_create(slurmdb_destroy_job_rec);

	for (int i = 0; i < 2; i++) {
		slurmdb_job_rec_t *job = slurmdb_create_job_rec();

		job->submit = 4 + i;
		job->state = (i && dbd->suspended) ? JOB_SUSPENDED :
						     JOB_RUNNING;
		list_append(list, job);
	}
	return list;
}

/* LOCKED */
static bool _take_suspend(fake_dbd_t *dbd, persist_t *conn,
			  const dbd_job_suspend_msg_t *msg)
{
	dbd->suspended = (msg->job_state == JOB_SUSPENDED);
	return _take_row(dbd, conn, "suspend", msg->job_id, false);
}

/* LOCKED */
static compat_list_t _open_events(const fake_dbd_t *dbd)
{
	compat_list_t list = list_create(slurmdb_destroy_event_rec);
	slurmdb_event_rec_t *event;

	if (!dbd->down[0])
		return list;
	event = xmalloc(sizeof(*event));
	event->node_name = xstrdup(dbd->down);
	event->reason = xstrdup(dbd->reason);
	event->state = dbd->down_state;
	list_append(list, event);
	return list;
}

/* LOCKED */
static bool _take_event(fake_dbd_t *dbd, persist_t *conn,
			const dbd_node_state_msg_t *msg)
{
	bool down = (msg->new_state == DBD_NODE_STATE_DOWN);
	size_t len = strlen(dbd->events);

	if (down)
		snprintf(dbd->events + len, sizeof(dbd->events) - len,
			 "down %s %s %s %ld;", msg->hostlist, msg->tres_str,
			 msg->reason, (long) msg->event_time);
	else
		snprintf(dbd->events + len, sizeof(dbd->events) - len,
			 "up %s %ld;", msg->hostlist, (long) msg->event_time);
	snprintf(dbd->down, sizeof(dbd->down), "%s",
		 down ? msg->hostlist : "");
	snprintf(dbd->reason, sizeof(dbd->reason), "%s",
		 down ? msg->reason : "");
	dbd->down_state = msg->state;
	return _answer_rc(conn, SLURM_SUCCESS, NULL);
}

/* LOCKED */
static bool _take_msg(fake_dbd_t *dbd, persist_t *conn, persist_in_t *in)
{
	const dbd_cluster_tres_msg_t *size = in->data;
	compat_list_t list;

	switch (in->type) {
	case DBD_GET_CLUSTERS:
		list = list_create(slurmdb_destroy_cluster_rec);
		for (int i = 0; i < dbd->member_cnt; i++)
			list_append(list, _cluster_rec(&dbd->member[i]));
		return _answer_list(conn, DBD_GOT_CLUSTERS, list);
	case DBD_REGISTER_CTLD:
		return _take_register(dbd, conn, in->data);
	case DBD_FINI:
		return _answer_rc(conn, SLURM_SUCCESS, NULL);
	case DBD_GET_FEDERATIONS:
		dbd->fed_asked++;
		return _answer_list(conn, DBD_GOT_FEDERATIONS,
				    _federations(dbd));
	case DBD_GET_TRES:
		return _answer_list(conn, DBD_GOT_TRES, _tres());
	case DBD_GET_USERS:
		return _answer_list(conn, DBD_GOT_USERS, _users(dbd));
	case DBD_GET_ASSOCS:
		dbd->assoc_asked++;
		return _answer_list(conn, DBD_GOT_ASSOCS, _assocs(dbd));
	case DBD_JOB_START:
		return _take_start(dbd, conn, in->data);
	case DBD_JOB_HEAVY:
		return _take_heavy(dbd, conn, in->data);
	case DBD_STEP_START:
		return _take_row(dbd, conn, "step", ((dbd_step_start_msg_t *)
					in->data)->step_id.job_id, false);
	case DBD_STEP_COMPLETE:
		return _take_row(dbd, conn, "stepend", ((dbd_step_comp_msg_t *)
					in->data)->step_id.job_id, false);
	case DBD_JOB_COMPLETE:
		return _take_end(dbd, conn, in->data);
	case DBD_JOB_SUSPEND:
		return _take_suspend(dbd, conn, in->data);
	case DBD_GET_JOBS_COND:
		return _answer_list(conn, DBD_GOT_JOBS, _jobs(dbd));
	case DBD_GET_QOS:
		if (dbd->no_database)
			return _answer_rc(conn, ESLURM_DB_CONNECTION, NULL);
		return _answer_list(conn, DBD_GOT_QOS, _qos());
	case DBD_GET_EVENTS:
		return _answer_list(conn, DBD_GOT_EVENTS, _open_events(dbd));
	case DBD_NODE_STATE:
		return _take_event(dbd, conn, in->data);
	case DBD_MODIFY_CLUSTERS:
		return _take_modify(dbd, conn, in->data);
	case DBD_MODIFY_FEDERATIONS:
		return _take_modify_fed(dbd, conn, in->data);
	case DBD_CLUSTER_TRES:
		dbd->tres_cnt++;
		snprintf(dbd->nodes, sizeof(dbd->nodes), "%s",
			 size->cluster_nodes);
		snprintf(dbd->tres, sizeof(dbd->tres), "%s", size->tres_str);
		return _answer_rc(conn, ACCOUNTING_FIRST_REG, NULL);
	}
	return _answer_rc(conn, SLURM_ERROR, "what is that?");
}

static bool _take(void *arg, persist_t *conn, persist_in_t *in)
{
	fake_dbd_t *dbd = arg;
	bool go_on;

	pthread_mutex_lock(&dbd->lock);
	go_on = _take_msg(dbd, conn, in);
	pthread_mutex_unlock(&dbd->lock);
	return go_on;
}

extern fake_dbd_t *fake_dbd_start(uint16_t port)
{
	fake_dbd_t *dbd = calloc(1, sizeof(*dbd));

	pthread_mutex_init(&dbd->lock, NULL);
	dbd->peer = fake_start(port, true, _take, dbd);
	return dbd;
}

extern uint16_t fake_dbd_stop(fake_dbd_t *dbd)
{
	uint16_t port = fake_stop(dbd->peer);

	pthread_mutex_destroy(&dbd->lock);
	free(dbd);
	return port;
}

extern fake_peer_t *fake_dbd_peer(fake_dbd_t *dbd)
{
	return dbd->peer;
}

extern void fake_dbd_set(fake_dbd_t *dbd, const char *name, const char *host,
			 uint16_t port, uint32_t id)
{
	member_t *member;
	int i = 0;

	pthread_mutex_lock(&dbd->lock);
	while ((i < dbd->member_cnt) && strcmp(dbd->member[i].name, name))
		i++;
	assert_true(i < MEMBERS_MAX);
	member = &dbd->member[i];
	if (i == dbd->member_cnt) {
		dbd->member_cnt++;
		member->state = CLUSTER_FED_STATE_ACTIVE;
	}
	snprintf(member->name, sizeof(member->name), "%s", name);
	snprintf(member->host, sizeof(member->host), "%s", host);
	member->port = port;
	member->id = id;
	pthread_mutex_unlock(&dbd->lock);
}

extern void fake_dbd_assoc(fake_dbd_t *dbd, const char *user,
			   const char *account)
{
	pthread_mutex_lock(&dbd->lock);
	assert_true(dbd->assoc_cnt < ASSOCS_MAX);
	dbd->assoc[dbd->assoc_cnt].user = user;
	dbd->assoc[dbd->assoc_cnt++].account = account;
	pthread_mutex_unlock(&dbd->lock);
}

extern int fake_dbd_assoc_asked(fake_dbd_t *dbd)
{
	int count;

	pthread_mutex_lock(&dbd->lock);
	count = dbd->assoc_asked;
	pthread_mutex_unlock(&dbd->lock);
	return count;
}
extern void fake_dbd_set_state(fake_dbd_t *dbd, const char *name,
			       uint32_t state)
{
	pthread_mutex_lock(&dbd->lock);
	_find(dbd, name)->state = state;
	pthread_mutex_unlock(&dbd->lock);
}

extern uint32_t fake_dbd_state(fake_dbd_t *dbd, const char *name)
{
	const member_t *member;
	uint32_t state;

	pthread_mutex_lock(&dbd->lock);
	member = _find(dbd, name);
	state = member ? member->state : NO_VAL;
	pthread_mutex_unlock(&dbd->lock);
	return state;
}

extern void fake_dbd_rows(fake_dbd_t *dbd, char *text, size_t size)
{
	pthread_mutex_lock(&dbd->lock);
	snprintf(text, size, "%s", dbd->rows);
	pthread_mutex_unlock(&dbd->lock);
}

extern void fake_dbd_texts(fake_dbd_t *dbd, char *text, size_t size)
{
	pthread_mutex_lock(&dbd->lock);
	snprintf(text, size, "%s", dbd->texts);
	pthread_mutex_unlock(&dbd->lock);
}

extern void fake_dbd_answer(fake_dbd_t *dbd, uint32_t job, uint32_t rc)
{
	pthread_mutex_lock(&dbd->lock);
	dbd->bad_job = job;
	dbd->bad_rc = rc;
	pthread_mutex_unlock(&dbd->lock);
}

extern void fake_dbd_break(fake_dbd_t *dbd, uint32_t job, int times)
{
	pthread_mutex_lock(&dbd->lock);
	dbd->break_job = job;
	dbd->breaks = times;
	pthread_mutex_unlock(&dbd->lock);
}

extern void fake_dbd_no_database(fake_dbd_t *dbd, bool none)
{
	pthread_mutex_lock(&dbd->lock);
	dbd->no_database = none;
	pthread_mutex_unlock(&dbd->lock);
}

extern void fake_dbd_refuse(fake_dbd_t *dbd, const char *comment)
{
	pthread_mutex_lock(&dbd->lock);
	dbd->refusal = comment;
	pthread_mutex_unlock(&dbd->lock);
}

extern int fake_dbd_registrations(fake_dbd_t *dbd, uint16_t *ret_port)
{
	int count;

	pthread_mutex_lock(&dbd->lock);
	count = dbd->registrations;
	if (ret_port)
		*ret_port = dbd->registered_port;
	pthread_mutex_unlock(&dbd->lock);
	return count;
}

extern int fake_dbd_tres(fake_dbd_t *dbd, char nodes[200], char tres[200])
{
	int count;

	pthread_mutex_lock(&dbd->lock);
	count = dbd->tres_cnt;
	memcpy(nodes, dbd->nodes, sizeof(dbd->nodes));
	memcpy(tres, dbd->tres, sizeof(dbd->tres));
	pthread_mutex_unlock(&dbd->lock);
	return count;
}

extern void fake_dbd_events(fake_dbd_t *dbd, char *text, size_t size)
{
	pthread_mutex_lock(&dbd->lock);
	snprintf(text, size, "%s", dbd->events);
	pthread_mutex_unlock(&dbd->lock);
}

extern int fake_dbd_touches(fake_dbd_t *dbd)
{
	int count;

	pthread_mutex_lock(&dbd->lock);
	count = dbd->touches;
	pthread_mutex_unlock(&dbd->lock);
	return count;
}

extern int fake_dbd_fed_asked(fake_dbd_t *dbd)
{
	int count;

	pthread_mutex_lock(&dbd->lock);
	count = dbd->fed_asked;
	pthread_mutex_unlock(&dbd->lock);
	return count;
}

extern void fake_dbd_address(fake_dbd_t *dbd, char host[64])
{
	pthread_mutex_lock(&dbd->lock);
	memcpy(host, dbd->address, sizeof(dbd->address));
	pthread_mutex_unlock(&dbd->lock);
}
