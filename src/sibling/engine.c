/*
 * engine.c - the one thread that owns what the controller knows (engine.h).
 *
 * One turn: take all notes, which changes what is known and appends that to
 * the ledger; one commit for all; wake who waits; then say what is due. If the
 * commit fails (disk full), nothing is said and natives are told to send again
 * what they sent; nothing new is taken until it succeeds.
 */
#include "src/sibling/engine_int.h"

#include <string.h>
#include <time.h>

#include "src/sibling/thread.h"

#define DRAINED_S 10		/* until it is said again, if it failed */

extern uint32_t engine_our_id(const engine_t *engine)
{
	return engine->fed->self ? engine->fed->self->fed_id : 0;
}

static void _set_nodes(engine_t *engine)
{
	time_t told;
	nodes_t *nodes = flurm_side_nodes(engine->flurm, &told);

	jobs_set_nodes(engine->jobs, nodes);
}

/*
 * Let all notes change what is known. RET those that wait for the commit; who
 * asks for a lock does not, as that changes nothing in the ledger.
 */
static note_t *_take_notes(engine_t *engine, note_t *list)
{
	note_t **at = &list, *note;

	while ((note = *at)) {
		engine_note(engine, note);
		if (note->kind == NOTE_LOCK) {
			*at = note->next;
			inbox_done(&engine->inbox, note);
		} else {
			at = &note->next;
		}
	}
	return list;
}

static void _turn(engine_t *engine)
{
	note_t *list, *note, *next;
	bool durable;

	list = _take_notes(engine, inbox_take(&engine->inbox));
	if (engine->moves != jobs_moves(engine->jobs)) {
		engine->moves = jobs_moves(engine->jobs);
		flurm_side_soon(engine->flurm);
	}
	engine_send_syncs(engine);
	_set_nodes(engine);
	jobs_flush(engine->jobs);
	durable = engine_commit(engine);
	__atomic_store_n(&engine->view_changes, engine_changes(engine),
			 __ATOMIC_RELEASE);
	if (durable && engine->view_asked)
		engine_make_view(engine);
	for (note = list; note; note = next) {
		next = note->next;
		if ((note->kind == NOTE_SUSPEND) ||
		    (note->kind == NOTE_NOTIFY)) {
			engine_relay_note(engine, note);
			continue;
		}
		if (note->kind == NOTE_ASK) {
			engine_ask_note(engine, note);
			continue;
		}
		if (!durable)
			engine_refuse_note(note);
		inbox_done(&engine->inbox, note);
	}
	if (!durable)
		return;
	dep_table_send(engine->deps, engine_send_dep_answer, engine);
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

static void _tick(engine_t *engine)
{
	time_t now = time(NULL);

	if (now == engine->ticked)
		return;
	engine->ticked = now;
	jobs_saw_instance(engine->jobs, flurm_side_instance(engine->flurm));
	jobs_set_slurmdbd(engine->jobs,
			  engine->conf.registered(engine->conf.arg));
	jobs_tick(engine->jobs, now);
	peers_reap(engine->peers);
	_look_for_half_open(engine);
	peers_reset_unsynced(engine->peers);
	_look_if_drained(engine, now);
	engine_snapshot(engine);
}

static void *_run(void *arg)
{
	engine_t *engine = arg;
	fed_err_t err;

	flurm_side_start(engine->flurm);
	while (!__atomic_load_n(&engine->stop, __ATOMIC_ACQUIRE)) {
		if (flurm_loop_turn(engine->loop, engine_turn_ms(engine), &err))
			fed_log_throttled(&engine->complaint, FED_LOG_ERROR,
					  "cluster %s: %s",
					  engine->conf.cluster->name, err.text);
		_tick(engine);
		flurm_side_turn(engine->flurm);
		_turn(engine);
	}
	return NULL;
}

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

static void _resources(void *arg, resources_t *resources)
{
	engine_t *engine = arg;

	accounting_set_nodes(engine->accounting, resources->nodes);
	engine->conf.resources(engine->conf.arg, resources);
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
	const conf_cluster_t *cluster = engine->conf.cluster;

	if (engine_open_ledger(engine, err))
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
			.track_wckey = engine->conf.site->track_wckey,
			.site = engine->conf.site,
			.usage = engine->conf.site->usage,
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

extern void engine_stop(engine_t *engine)
{
	if (!engine)
		return;
	__atomic_store_n(&engine->stop, true, __ATOMIC_RELEASE);
	if (engine->thread) {
		_wakeup(engine);
		pthread_join(engine->thread, NULL);
	}
	engine->thread = 0;
	flurm_side_destroy(engine->flurm);
	engine->flurm = NULL;
	jobs_ask_end(engine->jobs);
	inbox_close(&engine->inbox);
}

extern void engine_destroy(engine_t *engine)
{
	if (!engine)
		return;
	engine_stop(engine);
	peers_destroy(engine->peers);
	inbox_fini(&engine->inbox);
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
