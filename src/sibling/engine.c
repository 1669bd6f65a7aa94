/*
 * engine.c - the one thread that owns what the controller knows (engine.h).
 *
 * One turn: take all notes, which changes what is known and appends that to
 * the ledger; one commit for all; wake who waits; then say what is due. If the
 * commit fails (disk full), nothing is said and natives are told to send again
 * what they sent; nothing new is taken until it succeeds.
 */
#include "src/sibling/engine.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "src/core/job_id.h"
#include "src/core/ledger.h"
#include "src/core/log.h"
#include "src/flurm/loop.h"
#include "src/sibling/dep.h"
#include "src/sibling/dep_table.h"
#include "src/sibling/flurm_side.h"
#include "src/sibling/inbox.h"
#include "src/sibling/jobs.h"
#include "src/sibling/record.h"
#include "src/sibling/session.h"
#include "src/sibling/sib.h"
#include "src/sibling/thread.h"

#define LEDGER_APP "fed_flurm"
#define LIST_WAIT_MS 1000	/* for a native's JOB_SYNC, to answer it */
#define TURN_MS 1000		/* at the most, so that time passes */
#define VIEW_MS 250		/* a view is good for so long, come what may */
#define VIEW_MAX_MS 5000	/* and not for longer, as time passes in it */
#define DRAINED_S 10		/* until it is said again, if it failed */
#define TURN_WAITING_MS 50	/* while a native waits for ours */

/*
 * Marks answers to a dependency among the tokens: where those of jobs have an
 * action, these have a number that no action has.
 */
#define TOKEN_DEP ((uint64_t) 0x1f << 27)

struct engine {
	engine_conf_t conf;
	pthread_t thread;
	bool stop;		/* atomic */
	inbox_t inbox;
	fed_ledger_t *ledger;
	flurm_loop_t *loop;
	flurm_side_t *flurm;
	peers_t *peers;
	session_t *sessions;	/* of links that are up */
	dep_table_t *deps;
	jobs_t *jobs;
	accounting_t *accounting;
	time_t ticked;
	time_t drained_told;
	fed_log_throttle_t complaint;
	bool ledger_failed;

	pthread_mutex_t fed_lock; /* for readers in other threads */
	federation_t *fed;

	uint64_t moves;		/* jobs_moves() when FLURM was last asked */
	uint64_t fed_changes;	/* counted */
	bool view_asked;
	uint64_t view_changes;	/* atomic: of what the next view would show */
	int64_t acted_ms;	/* atomic: views before do not show it */
	pthread_mutex_t view_asking; /* one at a time has one made */
	pthread_mutex_t view_lock; /* of the one below, for a moment */
	view_t *view;
};

static uint32_t _our_id(const engine_t *engine)
{
	return engine->fed->self ? engine->fed->self->fed_id : 0;
}

/* ---- ledger ---- */

static int _append_federation(fed_ledger_t *ledger, const federation_t *fed,
			      fed_err_t *err)
{
	fed_bytes_t bytes = { 0 };
	int rc;

	federation_pack(fed, &bytes);
	rc = fed_ledger_append(ledger, RECORD_FEDERATION, bytes.data,
			       bytes.len, err);
	fed_bytes_free(&bytes);
	return rc;
}

static int _append_assoc(engine_t *engine, fed_err_t *err)
{
	fed_bytes_t bytes = { 0 };
	int rc;

	assoc_pack(engine->conf.assoc, &bytes);
	rc = fed_ledger_append(engine->ledger, RECORD_ASSOC, bytes.data,
			       bytes.len, err);
	fed_bytes_free(&bytes);
	return rc;
}

static int _write_snapshot(fed_ledger_t *ledger, void *arg, fed_err_t *err)
{
	engine_t *engine = arg;

	if (_append_federation(ledger, engine->fed, err) ||
	    jobs_snapshot(engine->jobs, ledger, err))
		return -1;
	if (assoc_is_known(engine->conf.assoc) && _append_assoc(engine, err))
		return -1;
	if (accounting_snapshot(engine->accounting, ledger, err))
		return -1;
	return dep_table_snapshot(engine->deps, ledger, err);
}

static int _replay(uint64_t place, uint16_t type, const void *body, size_t len,
		   void *arg, fed_err_t *err)
{
	engine_t *engine = arg;
	federation_t *fed;

	switch (type) {
	case RECORD_FEDERATION:
		fed = federation_unpack(body, len, engine->conf.cluster->name,
					err);
		if (!fed)
			return -1;
		federation_unref(engine->fed);
		engine->fed = fed;
		return 0;
	case RECORD_DEP:
	case RECORD_DEP_DONE:
		return dep_table_replay(engine->deps, type, body, len, err);
	case RECORD_JOB:
	case RECORD_JOB_HOST:
	case RECORD_JOB_RUN:
	case RECORD_JOB_FORGET:
	case RECORD_CURSOR:
		return jobs_replay(engine->jobs, type, body, len, err);
	case RECORD_ASSOC:
		return assoc_unpack(engine->conf.assoc, body, len, err);
	case RECORD_ROW:
	case RECORD_ROW_DONE:
		return accounting_replay(engine->accounting, place, type, body,
					 len, err);
	}
	return fed_err_set(err, EPROTO, "unknown record type %u", type);
}

/*
 * RET true if all that was appended is durable. What is not stays appended and
 * is tried again with the next commit.
 */
static bool _commit(engine_t *engine)
{
	fed_err_t err;

	if (!fed_ledger_commit(engine->ledger, &err)) {
		if (engine->ledger_failed)
			fed_info("cluster %s: the ledger can be written again",
				 engine->conf.cluster->name);
		engine->ledger_failed = false;
		memset(&engine->complaint, 0, sizeof(engine->complaint));
		return true;
	}
	engine->ledger_failed = true;
	fed_log_throttled(&engine->complaint, FED_LOG_ERROR,
			  "cluster %s: nothing new is taken until the ledger can be written: %s",
			  engine->conf.cluster->name, err.text);
	return false;
}

static void _snapshot(engine_t *engine)
{
	fed_err_t err;

	if (!fed_ledger_wants_snapshot(engine->ledger))
		return;
	if (fed_ledger_snapshot(engine->ledger, _write_snapshot, engine, &err))
		fed_log_throttled(&engine->complaint, FED_LOG_ERROR,
				  "cluster %s: ledger snapshot: %s",
				  engine->conf.cluster->name, err.text);
	else
		accounting_moved(engine->accounting);
}

/* ---- what natives say ---- */

static void _send(engine_t *engine, const char *peer, buf_t *buf,
		  uint64_t token)
{
	session_t *session = session_find(engine->sessions, peer);

	if (session)
		(void) peers_send(engine->peers, peer, session->number, false,
				  buf, token);
	else
		free_buf(buf);
}

static int64_t _now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000 + 1;
}

/*
 * The first message of a session, before which a native schedules nothing as
 * long as it is connected to us. It answers the native's own: so it is said in
 * it what the native makes of each job by then, or it might take one that has
 * ended for the run after it.
 *
 * The native's is the first that it says once it has connected, some
 * milliseconds later, unless it tried in vain before: then it may be on the
 * shelf for seconds (fed_mgr.c, _agent_thread(), last_defer), and we do not
 * wait for it.
 */
static void _send_sync(engine_t *engine, session_t *session)
{
	const fed_member_t *peer = federation_find(engine->fed, session->peer);
	/* of the time of the list that it answers: what the native submitted
	 * since then may be on its way, and is not missing in ours */
	time_t at = session->list_time ? session->list_time : time(NULL);
	buf_t *jobs;

	session->listed = true;
	if (!peer)
		return;
	jobs = jobs_sync_list(engine->jobs, peer, session->version, at);
	_send(engine, session->peer,
	      sib_pack_sync(_our_id(engine), jobs, at, session->version), 0);
	free_buf(jobs);
}

static void _send_syncs(engine_t *engine)
{
	int64_t now = _now_ms();

	for (session_t *session = engine->sessions; session;
	     session = session->next) {
		if (!session->listed &&
		    (peers_flags(engine->peers, session->peer).synced ||
		     (session->came_ms &&
		      (now - session->came_ms >= LIST_WAIT_MS))))
			_send_sync(engine, session);
	}
}

/* RET how long to wait for news */
static int _turn_ms(const engine_t *engine)
{
	for (session_t *session = engine->sessions; session;
	     session = session->next) {
		if (session->came_ms && !session->listed)
			return TURN_WAITING_MS;
	}
	return TURN_MS;
}

/* RET 1 sent, 0 cannot be sent now, -1 nothing of it is ours to judge */
static int _send_dep_answer(void *arg, const char *peer, const dep_t *dep)
{
	engine_t *engine = arg;
	session_t *session = session_find(engine->sessions, peer);
	buf_t *answer = dep_answer(dep, _our_id(engine),
				   session ? session->version :
				   COMPAT_VERSION_OWN);

	if (!answer)
		return -1;
	if (!session) {
		free_buf(answer);
		return 0;
	}
	_send(engine, peer, answer,
	      ((uint64_t) dep->job_id << 32) | TOKEN_DEP);
	return 1;
}

static uint32_t _take_item(engine_t *engine, const char *peer,
			   const persist_in_t *item)
{
	fed_err_t err;

	switch (item->type) {
	case REQUEST_PING:
		return SLURM_SUCCESS;
	case REQUEST_SIB_MSG:
		jobs_take_sib(engine->jobs, peer, item->data);
		return SLURM_SUCCESS;
	case REQUEST_SEND_DEP:
		if (dep_table_append(engine->ledger, peer, item->data, &err)) {
			fed_error("cluster %s: %s", engine->conf.cluster->name,
				  err.text);
			return SLURM_ERROR;
		}
		dep_table_set(engine->deps, peer, item->data);
		return SLURM_SUCCESS;
	case REQUEST_UPDATE_ORIGIN_DEP:
		/* FLURM has no job of its own that waits for another */
		return SLURM_SUCCESS;
	}
	fed_error("cluster %s: %s sent %s, which no sibling sends",
		  engine->conf.cluster->name, peer,
		  rpc_num2string(item->type));
	return SLURM_ERROR;
}

/* ---- notes ---- */

static void _take_federation(engine_t *engine, federation_t *fed)
{
	federation_t *old = engine->fed;
	fed_err_t err;

	if (federation_equal(old, fed))
		return;
	if (_append_federation(engine->ledger, fed, &err))
		fed_error("cluster %s: %s", engine->conf.cluster->name,
			  err.text);
	if (fed->self && (!old->self || xstrcmp(old->name, fed->name)))
		fed_info("cluster %s: in federation %s, with id %u",
			 engine->conf.cluster->name, fed->name,
			 fed->self->fed_id);
	else if (!fed->self && old->self)
		fed_info("cluster %s: in no federation any more",
			 engine->conf.cluster->name);
	pthread_mutex_lock(&engine->fed_lock);
	engine->fed = federation_ref(fed);
	pthread_mutex_unlock(&engine->fed_lock);
	engine->fed_changes++;
	peers_apply(engine->peers, fed);
	jobs_set_federation(engine->jobs, engine->fed);
	dep_table_keep(engine->deps, fed);
	federation_unref(old);
}

static void _take_assoc(engine_t *engine)
{
	fed_err_t err;

	if (_append_assoc(engine, &err))
		fed_error("cluster %s: %s", engine->conf.cluster->name,
			  err.text);
}

static void _take_up(engine_t *engine, const note_t *note)
{
	session_t *session = session_begin(&engine->sessions, note->peer,
					   note->session, note->version);

	if (peers_flags(engine->peers, note->peer).recv)
		session->came_ms = _now_ms();
	dep_table_resend(engine->deps, note->peer);
}

static void _take_came(engine_t *engine, const note_t *note)
{
	session_t *session = session_find(engine->sessions, note->peer);

	if (session && !session->came_ms)
		session->came_ms = _now_ms();
}

static void _take_answer(engine_t *engine, const note_t *note)
{
	uint32_t job_id = note->token >> 32;
	fed_err_t err;

	if ((note->token & TOKEN_DEP) != TOKEN_DEP) {
		jobs_answered(engine->jobs, note->token, note->rc);
		return;
	}
	if (dep_table_append_done(engine->ledger, note->peer, job_id, &err))
		fed_error("cluster %s: %s", engine->conf.cluster->name,
			  err.text);
	dep_table_done(engine->deps, note->peer, job_id);
}

static void _take_items(engine_t *engine, note_t *note)
{
	/* nothing new while what is already known cannot be written */
	bool may = !engine->ledger_failed || _commit(engine);

	for (int i = 0; i < note->count; i++)
		note->rcs[i] = may ? _take_item(engine, note->peer,
						&note->items[i]) :
				     SLURM_ERROR;
}

typedef struct {
	engine_t *engine;
	note_t *note;
} note_call_t;

static void _suspended(void *arg, uint32_t rc)
{
	note_call_t *call = arg;

	call->note->rc = rc;
	inbox_done(&call->engine->inbox, call->note);
	xfree(call);
}

/* The note is answered when FLURM has answered, which may be at once. */
static void _suspend(engine_t *engine, note_t *note)
{
	note_call_t *call = xmalloc(sizeof(*call));

	call->engine = engine;
	call->note = note;
	jobs_suspend(engine->jobs, note->token, note->suspend, _suspended,
		     call);
}

static json_t *_status(engine_t *engine);

static void _take(engine_t *engine, note_t *note)
{
	switch (note->kind) {
	case NOTE_FEDERATION:
		_take_federation(engine, note->fed);
		break;
	case NOTE_LINK_UP:
		_take_up(engine, note);
		break;
	case NOTE_LINK_DOWN:
		session_end(&engine->sessions, note->peer, note->session);
		jobs_origin_lost(engine->jobs, note->peer);
		break;
	case NOTE_CAME:
		_take_came(engine, note);
		break;
	case NOTE_ANSWERED:
		_take_answer(engine, note);
		break;
	case NOTE_ITEMS:
		_take_items(engine, note);
		break;
	case NOTE_LOCK:
		note->rc = jobs_lock(engine->jobs, note->token, note->unlock);
		break;
	case NOTE_STATUS:
		note->status = _status(engine);
		break;
	case NOTE_ASSOC:
		_take_assoc(engine);
		break;
	case NOTE_VIEW:
		engine->view_asked = true;
		break;
	case NOTE_CANCEL:
		note->rc = jobs_cancel(engine->jobs, note->token, note->signal,
				       note->flags, note->uid);
		break;
	case NOTE_SUSPEND:
		/* nothing to be made durable: _suspend() */
		break;
	case NOTE_SCRIPT:
		note->text = xstrdup(jobs_script(engine->jobs, note->token));
		break;
	case NOTE_ROWS:
		accounting_over(engine->accounting, note->rows, time(NULL));
		break;
	}
}

/* What was taken is not durable: whoever sent it must send it again. */
static void _refuse(note_t *note)
{
	if (note->kind == NOTE_CANCEL)
		note->rc = SLURM_ERROR;
	for (int i = 0; i < note->count; i++)
		note->rcs[i] = SLURM_ERROR;
}

/* ---- what others may see ---- */

/* RET a number that grows with all that a view shows */
static uint64_t _changes(const engine_t *engine)
{
	return jobs_changes(engine->jobs) + engine->fed_changes +
	       flurm_side_changes(engine->flurm);
}

/* To be called when all of it is durable. */
static void _make_view(engine_t *engine)
{
	view_t *view = view_create(engine->conf.cluster->name), *old;

	view->number = _changes(engine);
	view->fed = federation_ref(engine->fed);
	view->nodes = flurm_side_nodes(engine->flurm, &view->nodes_told);
	jobs_view(engine->jobs, view);
	pthread_mutex_lock(&engine->view_lock);
	old = engine->view;
	engine->view = view;
	pthread_mutex_unlock(&engine->view_lock);
	view_unref(old);
	engine->view_asked = false;
}

static void _turn(engine_t *engine)
{
	note_t *list = inbox_take(&engine->inbox), *note, *next;
	bool durable;

	for (note = list; note; note = note->next)
		_take(engine, note);
	if (engine->moves != jobs_moves(engine->jobs)) {
		engine->moves = jobs_moves(engine->jobs);
		flurm_side_soon(engine->flurm);
	}
	_send_syncs(engine);
	jobs_flush(engine->jobs);
	durable = _commit(engine);
	__atomic_store_n(&engine->view_changes, _changes(engine),
			 __ATOMIC_RELEASE);
	if (durable && engine->view_asked)
		_make_view(engine);
	for (note = list; note; note = next) {
		next = note->next;
		if (note->kind == NOTE_SUSPEND) {
			_suspend(engine, note);
			continue;
		}
		if (!durable)
			_refuse(note);
		inbox_done(&engine->inbox, note);
	}
	if (!durable)
		return;
	dep_table_send(engine->deps, _send_dep_answer, engine);
	jobs_act(engine->jobs);
	accounting_act(engine->accounting, time(NULL));
}

/*
 * A native that we are connected to connects to us, unless it was told another
 * address than ours, or was not there yet when slurmdbd told: a slurmctld that
 * starts has asked for the federation before it listens, and what changes in
 * between it does not hear of (fed_mgr.c, fed_mgr_update_feds()). So it is
 * told once more, which also makes it try at once.
 */
static void _look_for_half_open(engine_t *engine)
{
	char *name;

	peers_find_half_open(engine->peers, &name);
	if (!name)
		return;
	fed_info("cluster %s: %s does not connect to us; slurmdbd is asked to tell all members where we are",
		 engine->conf.cluster->name, name);
	engine->conf.announce(engine->conf.arg);
	xfree(name);
}

static void _look_if_drained(engine_t *engine, time_t now)
{
	if (!federation_is_draining(engine->fed)) {
		engine->drained_told = 0;
		return;
	}
	if (jobs_are_left(engine->jobs) ||
	    (now - engine->drained_told < DRAINED_S))
		return;
	engine->drained_told = now;
	engine->conf.drained(engine->conf.arg);
}

static void _set_partition(engine_t *engine)
{
	time_t told;
	nodes_t *nodes = flurm_side_nodes(engine->flurm, &told);

	jobs_set_partition(engine->jobs, nodes_default_part(nodes));
	nodes_unref(nodes);
}

static void _tick(engine_t *engine)
{
	time_t now = time(NULL);

	if (now == engine->ticked)
		return;
	engine->ticked = now;
	jobs_saw_instance(engine->jobs, flurm_side_instance(engine->flurm));
	_set_partition(engine);
	jobs_tick(engine->jobs, now);
	peers_reap(engine->peers);
	_look_for_half_open(engine);
	_look_if_drained(engine, now);
	_snapshot(engine);
}

static void *_run(void *arg)
{
	engine_t *engine = arg;
	fed_err_t err;

	flurm_side_start(engine->flurm);
	while (!__atomic_load_n(&engine->stop, __ATOMIC_ACQUIRE)) {
		if (flurm_loop_turn(engine->loop, _turn_ms(engine), &err))
			fed_log_throttled(&engine->complaint, FED_LOG_ERROR,
					  "cluster %s: %s",
					  engine->conf.cluster->name, err.text);
		_tick(engine);
		flurm_side_turn(engine->flurm);
		_turn(engine);
	}
	return NULL;
}

/* ---- status ---- */

static json_t *_ledger_status(engine_t *engine)
{
	static const char *const states[] = {
		[FED_LEDGER_OK] = "ok",
		[FED_LEDGER_FULL] = "full",
		[FED_LEDGER_FAILED] = "failed",
	};
	fed_ledger_stats_t stats;

	fed_ledger_stats(engine->ledger, &stats);
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}",
			 "dir", engine->conf.ledger_dir,
			 "state", states[stats.state],
			 "generation", (json_int_t) stats.generation,
			 "bytes", (json_int_t) (stats.base_bytes +
						stats.log_bytes),
			 "records", (json_int_t) stats.records,
			 "commits", (json_int_t) stats.commits);
}

static json_t *_federation_status(const federation_t *fed)
{
	if (!fed->self)
		return json_null();
	return json_pack("{s:s, s:i, s:s, s:s}",
			 "name", fed->name,
			 "id", fed->self->fed_id,
			 /* a constant, whatever its type says */
			 "state", slurmdb_cluster_fed_states_str(
				fed->self->state),
			 "features", fed->self->features);
}

static json_t *_status(engine_t *engine)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I}",
			 "federation", _federation_status(engine->fed),
			 "peers", peers_status(engine->peers),
			 "ledger", _ledger_status(engine),
			 "flurm", flurm_side_status(engine->flurm),
			 "jobs", jobs_status(engine->jobs),
			 "accounting", accounting_status(engine->accounting),
			 "dependencies",
			 (json_int_t) dep_table_count(engine->deps));
}

/* ---- the outside ---- */

static void _wakeup(void *arg)
{
	flurm_loop_wakeup(((engine_t *) arg)->loop);
}

static void _link_up(void *arg, const char *peer, uint32_t session,
		     uint16_t version)
{
	engine_t *engine = arg;
	note_t *note = note_new(NOTE_LINK_UP, peer);

	note->session = session;
	note->version = version;
	inbox_put(&engine->inbox, note);
}

static void _link_down(void *arg, const char *peer, uint32_t session)
{
	engine_t *engine = arg;
	note_t *note = note_new(NOTE_LINK_DOWN, peer);

	note->session = session;
	inbox_put(&engine->inbox, note);
}

static void _link_answered(void *arg, const char *peer, uint64_t token,
			   uint32_t rc)
{
	engine_t *engine = arg;
	note_t *note = note_new(NOTE_ANSWERED, peer);

	note->token = token;
	note->rc = rc;
	inbox_put(&engine->inbox, note);
}

static void _resources(void *arg, const char *nodes, const char *tres)
{
	engine_t *engine = arg;

	accounting_set_nodes(engine->accounting, nodes);
	engine->conf.resources(engine->conf.arg, nodes, tres);
}

static bool _put_rows(void *arg, registrar_request_t *request)
{
	engine_t *engine = arg;

	return engine->conf.slurmdbd(engine->conf.arg, request);
}

static void _rows_over(void *arg, const rows_result_t *result)
{
	engine_t *engine = arg;
	note_t *note = note_new(NOTE_ROWS, NULL);

	note->rows = xmalloc(sizeof(*note->rows));
	*note->rows = *result;
	inbox_put(&engine->inbox, note);
}

static const peers_ops_t peers_ops = {
	.up = _link_up,
	.down = _link_down,
	.answered = _link_answered,
};

static int _open(engine_t *engine, fed_err_t *err)
{
	fed_ledger_opts_t opts = { .app = LEDGER_APP };
	const conf_cluster_t *cluster = engine->conf.cluster;

	engine->ledger = fed_ledger_open(engine->conf.ledger_dir, &opts,
					 _replay, engine, err);
	if (!engine->ledger)
		return -1;
	if (!(engine->loop = flurm_loop_create(err)))
		return -1;
	engine->flurm = flurm_side_create(cluster, engine->loop,
					  _resources, engine, err);
	if (!engine->flurm)
		return -1;
	engine->peers = peers_create(cluster->name, cluster->port,
				     engine->conf.site->msg_timeout_ms,
				     &peers_ops, engine);
	accounting_connect(engine->accounting, engine->ledger);
	/* what was last known, until slurmdbd says it anew */
	jobs_set_federation(engine->jobs, engine->fed);
	jobs_connect(engine->jobs, &(jobs_conf_t) {
			.cluster = cluster,
			.peers = engine->peers,
			.client = flurm_side_client(engine->flurm),
			.sessions = &engine->sessions,
			.accounting = engine->accounting,
			.assoc = engine->conf.assoc,
			.enforce = engine->conf.site->enforce,
		     }, engine->ledger);
	peers_apply(engine->peers, engine->fed);
	return 0;
}

extern engine_t *engine_create(const engine_conf_t *conf, fed_err_t *err)
{
	engine_t *engine = xmalloc(sizeof(*engine));
	int rc;

	engine->conf = *conf;
	engine->fed = federation_from_dbd(NULL, conf->cluster->name);
	engine->deps = dep_table_create();
	engine->jobs = jobs_create(conf->cluster);
	engine->accounting = accounting_create(&(accounting_conf_t) {
			.cluster = conf->cluster->name,
			.assoc = conf->assoc,
			.put = _put_rows,
			.over = _rows_over,
			.arg = engine,
		});
	pthread_mutex_init(&engine->fed_lock, NULL);
	pthread_mutex_init(&engine->view_asking, NULL);
	pthread_mutex_init(&engine->view_lock, NULL);
	inbox_init(&engine->inbox, _wakeup, engine);
	rc = _open(engine, err);
	if (!rc && (rc = thread_start(&engine->thread, "fl-engine", _run,
				      engine)))
		fed_err_set(err, rc, "start a thread: %s", strerror(rc));
	if (rc) {
		engine->thread = 0;
		engine_destroy(engine);
		return NULL;
	}
	return engine;
}

extern void engine_destroy(engine_t *engine)
{
	if (!engine)
		return;
	__atomic_store_n(&engine->stop, true, __ATOMIC_RELEASE);
	if (engine->thread) {
		_wakeup(engine);
		pthread_join(engine->thread, NULL);
	}
	peers_destroy(engine->peers);
	inbox_close(&engine->inbox);
	inbox_fini(&engine->inbox);
	flurm_side_destroy(engine->flurm);
	flurm_loop_destroy(engine->loop);
	jobs_destroy(engine->jobs);
	accounting_destroy(engine->accounting);
	fed_ledger_close(engine->ledger);
	session_clear(&engine->sessions);
	dep_table_destroy(engine->deps);
	federation_unref(engine->fed);
	view_unref(engine->view);
	pthread_mutex_destroy(&engine->view_lock);
	pthread_mutex_destroy(&engine->view_asking);
	pthread_mutex_destroy(&engine->fed_lock);
	xfree(engine);
}

extern void engine_set_federation(engine_t *engine, federation_t *fed)
{
	note_t *note = note_new(NOTE_FEDERATION, NULL);

	note->fed = fed;
	inbox_put(&engine->inbox, note);
}

extern void engine_set_assoc(engine_t *engine)
{
	inbox_put(&engine->inbox, note_new(NOTE_ASSOC, NULL));
}

extern federation_t *engine_federation(engine_t *engine)
{
	federation_t *fed;

	pthread_mutex_lock(&engine->fed_lock);
	fed = federation_ref(engine->fed);
	pthread_mutex_unlock(&engine->fed_lock);
	return fed;
}

extern void engine_peer_came(engine_t *engine, const char *peer)
{
	inbox_put(&engine->inbox, note_new(NOTE_CAME, peer));
}

extern int engine_take(engine_t *engine, const char *peer,
		       persist_in_t *items, int count, uint32_t *rcs)
{
	note_t *note = note_new(NOTE_ITEMS, peer);
	bool answered;

	note->items = items;
	note->count = count;
	note->rcs = rcs;
	answered = inbox_ask(&engine->inbox, note);
	note_free(note);
	return answered ? 0 : -1;
}

extern uint32_t engine_lock(engine_t *engine, uint32_t job_id,
			    bool unlock)
{
	note_t *note = note_new(NOTE_LOCK, NULL);
	uint32_t rc = SLURM_ERROR;

	note->token = job_id;
	note->unlock = unlock;
	if (inbox_ask(&engine->inbox, note))
		rc = note->rc;
	note_free(note);
	return rc;
}

extern peers_t *engine_peers(engine_t *engine)
{
	return engine->peers;
}

static view_t *_view_now(engine_t *engine)
{
	view_t *view;

	pthread_mutex_lock(&engine->view_lock);
	view = view_ref(engine->view);
	pthread_mutex_unlock(&engine->view_lock);
	return view;
}

static bool _view_is_good(engine_t *engine, const view_t *view)
{
	int64_t age = view_now_ms() - view->made_ms;

	/* who has just changed something is to see it */
	return ((age < VIEW_MS) &&
		(view->made_ms > __atomic_load_n(&engine->acted_ms,
						 __ATOMIC_ACQUIRE))) ||
	       ((age < VIEW_MAX_MS) &&
		(view->number == __atomic_load_n(&engine->view_changes,
						 __ATOMIC_ACQUIRE)));
}

/*
 * Who asks while another view is being made waits for that one. One that
 * could not be made since the disk is full is the one before, if there is one.
 */
extern view_t *engine_view(engine_t *engine)
{
	view_t *view;
	note_t *note;

	pthread_mutex_lock(&engine->view_asking);
	view = _view_now(engine);
	if (!view || !_view_is_good(engine, view)) {
		view_unref(view);
		note = note_new(NOTE_VIEW, NULL);
		view = inbox_ask(&engine->inbox, note) ? _view_now(engine) :
							 NULL;
		note_free(note);
	}
	pthread_mutex_unlock(&engine->view_asking);
	return view;
}

static void _acted(engine_t *engine)
{
	__atomic_store_n(&engine->acted_ms, view_now_ms(), __ATOMIC_RELEASE);
}

extern uint32_t engine_cancel(engine_t *engine, uint32_t job_id,
			      uint16_t signal, uint16_t flags, uint32_t uid)
{
	note_t *note = note_new(NOTE_CANCEL, NULL);
	uint32_t rc = SLURM_ERROR;

	note->token = job_id;
	note->signal = signal;
	note->flags = flags;
	note->uid = uid;
	if (inbox_ask(&engine->inbox, note))
		rc = note->rc;
	note_free(note);
	_acted(engine);
	return rc;
}

extern uint32_t engine_suspend(engine_t *engine, uint32_t job_id, bool suspend)
{
	note_t *note = note_new(NOTE_SUSPEND, NULL);
	uint32_t rc = SLURM_ERROR;

	note->token = job_id;
	note->suspend = suspend;
	if (inbox_ask(&engine->inbox, note))
		rc = note->rc;
	note_free(note);
	_acted(engine);
	return rc;
}

extern char *engine_script(engine_t *engine, uint32_t job_id)
{
	note_t *note = note_new(NOTE_SCRIPT, NULL);
	char *text = NULL;

	note->token = job_id;
	if (inbox_ask(&engine->inbox, note)) {
		text = note->text;
		note->text = NULL;
	}
	note_free(note);
	return text;
}

extern json_t *engine_status(engine_t *engine)
{
	note_t *note = note_new(NOTE_STATUS, NULL);
	json_t *status = NULL;

	if (inbox_ask(&engine->inbox, note))
		status = json_incref(note->status);
	note_free(note);
	return status;
}
