/*
 * engine.c - the one thread that owns what the controller knows (engine.h).
 *
 * One turn: take all notes; prepare() each, which only appends to the ledger;
 * one commit for all; apply() each; wake who waits. If the commit fails (disk
 * full), what was appended is dropped, and what natives wanted us to keep is
 * refused: they send it again. What needs no ledger goes on.
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
#include "src/sibling/pack_info.h"
#include "src/sibling/record.h"
#include "src/sibling/session.h"
#include "src/sibling/sib.h"
#include "src/sibling/thread.h"

#define LEDGER_APP "fed_flurm"
#define TURN_MS 1000		/* at the most, so that links are reaped */

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
	fed_log_throttle_t complaint;
	bool ledger_failed;

	pthread_mutex_t fed_lock; /* for readers in other threads */
	federation_t *fed;
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

static int _write_snapshot(fed_ledger_t *ledger, void *arg, fed_err_t *err)
{
	engine_t *engine = arg;

	if (_append_federation(ledger, engine->fed, err))
		return -1;
	return dep_table_snapshot(engine->deps, ledger, err);
}

static int _replay(uint16_t type, const void *body, size_t len, void *arg,
		   fed_err_t *err)
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
	}
	return fed_err_set(err, EPROTO, "unknown record type %u", type);
}

/* RET true if all that was appended is durable */
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
	fed_ledger_rollback(engine->ledger);
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

/* The first message of a session, before which a native schedules nothing. */
static void _send_sync(engine_t *engine, const session_t *session)
{
	time_t now = time(NULL);
	buf_t *jobs = pack_info_jobs(0, now, session->version);

	_send(engine, session->peer,
	      sib_pack_sync(_our_id(engine), jobs, now, session->version), 0);
	free_buf(jobs);
}

/* RET false if nothing of it is ours to judge */
static bool _send_dep_answer(engine_t *engine, const char *peer,
			     const dep_t *dep)
{
	session_t *session = session_find(engine->sessions, peer);
	buf_t *answer = dep_answer(dep, _our_id(engine),
				   session ? session->version :
				   COMPAT_VERSION_OWN);

	if (!answer)
		return false;
	/* without a session it stays in the table for the next one */
	_send(engine, peer, answer, dep->job_id);
	return true;
}

static void _send_dep_again(void *arg, const char *peer, const dep_t *dep)
{
	(void) _send_dep_answer(arg, peer, dep);
}

static void _prepare_item(engine_t *engine, const char *peer,
			  const persist_in_t *item)
{
	fed_err_t err;

	if ((item->type == REQUEST_SEND_DEP) &&
	    dep_table_append(engine->ledger, peer, item->data, &err))
		fed_error("cluster %s: %s", engine->conf.cluster->name,
			  err.text);
}

/*
 * Jobs of other clusters do not run at FLURM yet: each is refused the way a
 * sibling does, so that the origin goes on without us.
 */
static void _apply_sib(engine_t *engine, const char *peer,
		       const sib_msg_t *msg)
{
	session_t *session = session_find(engine->sessions, peer);
	uint32_t id = _our_id(engine);

	fed_debug("cluster %s: %s says: %s, job %u",
		  engine->conf.cluster->name, peer,
		  sib_kind_name(msg->sib_msg_type), msg->job_id);
	switch (msg->sib_msg_type) {
	case SIB_SUBMIT_BATCH:
	case SIB_SUBMIT_INT:
		if (session)
			_send(engine, peer,
			      sib_pack_submit_resp(id, msg->job_id,
						   ESLURM_NOT_SUPPORTED,
						   session->version), 0);
		break;
	case SIB_UPDATE:
		if (session)
			_send(engine, peer,
			      sib_pack_update_resp(id, msg->job_id,
						   SLURM_SUCCESS,
						   session->version), 0);
		break;
	case SIB_SYNC:
		peers_set_synced(engine->peers, peer, true);
		break;
	default:
		/* about a job that we do not have: nothing to do or say */
		break;
	}
}

static uint32_t _apply_item(engine_t *engine, const char *peer,
			    persist_in_t *item, bool durable)
{
	const dep_t *dep;

	switch (item->type) {
	case REQUEST_PING:
		return SLURM_SUCCESS;
	case REQUEST_SIB_MSG:
		_apply_sib(engine, peer, item->data);
		return SLURM_SUCCESS;
	case REQUEST_SEND_DEP:
		if (!durable)
			return SLURM_ERROR;
		if ((dep = dep_table_set(engine->deps, peer, item->data)) &&
		    !_send_dep_answer(engine, peer, dep))
			dep_table_done(engine->deps, peer, dep->job_id);
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

static void _prepare(engine_t *engine, note_t *note)
{
	fed_err_t err;

	switch (note->kind) {
	case NOTE_FEDERATION:
		if (!federation_equal(engine->fed, note->fed) &&
		    _append_federation(engine->ledger, note->fed, &err))
			fed_error("cluster %s: %s", engine->conf.cluster->name,
				  err.text);
		break;
	case NOTE_ITEMS:
		for (int i = 0; i < note->count; i++)
			_prepare_item(engine, note->peer, &note->items[i]);
		break;
	case NOTE_ANSWERED:
		/* the only messages with a token: answers to a dependency */
		if (dep_table_append_done(engine->ledger, note->peer,
					  note->token, &err))
			fed_error("cluster %s: %s", engine->conf.cluster->name,
				  err.text);
		break;
	default:
		break;
	}
}

static void _apply_federation(engine_t *engine, federation_t *fed)
{
	federation_t *old = engine->fed;

	if (federation_equal(old, fed))
		return;
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
	federation_unref(old);
	peers_apply(engine->peers, fed);
	dep_table_keep(engine->deps, fed);
}

static void _apply_up(engine_t *engine, const note_t *note)
{
	const session_t *session;

	session = session_begin(&engine->sessions, note->peer, note->session,
				note->version);
	_send_sync(engine, session);
	dep_table_each(engine->deps, note->peer, _send_dep_again, engine);
}

static json_t *_status(engine_t *engine);

static void _apply(engine_t *engine, note_t *note, bool durable)
{
	switch (note->kind) {
	case NOTE_FEDERATION:
		_apply_federation(engine, note->fed);
		break;
	case NOTE_LINK_UP:
		_apply_up(engine, note);
		break;
	case NOTE_LINK_DOWN:
		session_end(&engine->sessions, note->peer, note->session);
		break;
	case NOTE_ANSWERED:
		if (durable)
			dep_table_done(engine->deps, note->peer, note->token);
		break;
	case NOTE_ITEMS:
		for (int i = 0; i < note->count; i++)
			note->rcs[i] = _apply_item(engine, note->peer,
						   &note->items[i], durable);
		break;
	case NOTE_STATUS:
		note->status = _status(engine);
		break;
	}
}

static void _take_notes(engine_t *engine)
{
	note_t *list = inbox_take(&engine->inbox), *note, *next;
	bool durable;

	if (!list)
		return;
	for (note = list; note; note = note->next)
		_prepare(engine, note);
	durable = _commit(engine);
	for (note = list; note; note = note->next)
		_apply(engine, note, durable);
	for (note = list; note; note = next) {
		next = note->next;
		inbox_done(&engine->inbox, note);
	}
}

static void *_run(void *arg)
{
	engine_t *engine = arg;
	fed_err_t err;

	flurm_side_start(engine->flurm);
	while (!__atomic_load_n(&engine->stop, __ATOMIC_ACQUIRE)) {
		if (flurm_loop_turn(engine->loop, TURN_MS, &err))
			fed_log_throttled(&engine->complaint, FED_LOG_ERROR,
					  "cluster %s: %s",
					  engine->conf.cluster->name, err.text);
		_take_notes(engine);
		_snapshot(engine);
		flurm_side_turn(engine->flurm);
		peers_reap(engine->peers);
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
	return json_pack("{s:o, s:o, s:o, s:o, s:I}",
			 "federation", _federation_status(engine->fed),
			 "peers", peers_status(engine->peers),
			 "ledger", _ledger_status(engine),
			 "flurm", flurm_side_status(engine->flurm),
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
					  engine->conf.resources,
					  engine->conf.arg, err);
	if (!engine->flurm)
		return -1;
	engine->peers = peers_create(cluster->name, cluster->port,
				     engine->conf.site->msg_timeout_ms,
				     &peers_ops, engine);
	/* what was last known, until slurmdbd says it anew */
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
	pthread_mutex_init(&engine->fed_lock, NULL);
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
	fed_ledger_close(engine->ledger);
	session_clear(&engine->sessions);
	dep_table_destroy(engine->deps);
	federation_unref(engine->fed);
	pthread_mutex_destroy(&engine->fed_lock);
	xfree(engine);
}

extern void engine_set_federation(engine_t *engine, federation_t *fed)
{
	note_t *note = note_new(NOTE_FEDERATION, NULL);

	note->fed = fed;
	inbox_put(&engine->inbox, note);
}

extern federation_t *engine_federation(engine_t *engine)
{
	federation_t *fed;

	pthread_mutex_lock(&engine->fed_lock);
	fed = federation_ref(engine->fed);
	pthread_mutex_unlock(&engine->fed_lock);
	return fed;
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
			    uint32_t cluster_id, bool unlock)
{
	federation_t *fed = engine_federation(engine);
	bool ours = fed->self &&
		    (fed_job_id_origin(job_id) == fed->self->fed_id);

	federation_unref(fed);
	/*
	 * With its origin down, a native locks a job at all siblings
	 * (fed_mgr.c, _job_lock_all_sibs()): granted, as we run none of them.
	 * A job of ours that we do not know is nobody's to run.
	 */
	return ours ? SLURM_ERROR : SLURM_SUCCESS;
}

extern peers_t *engine_peers(engine_t *engine)
{
	return engine->peers;
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
