/*
 * engine_take.c - what the engine is told by other threads, and what follows
 * at once from it (engine_int.h).
 */
#include "src/sibling/engine_int.h"

#include <time.h>

#include "src/sibling/dep.h"
#include "src/sibling/net.h"
#include "src/sibling/sib.h"

#define LIST_WAIT_MS 1000	/* for a native's JOB_SYNC, to answer it */
#define TURN_MS 1000		/* at the most, so that time passes */
#define TURN_WAITING_MS 50	/* while a native waits for ours */

/*
 * Marks answers to a dependency among the tokens: where those of jobs have an
 * action, these have a number that no action has.
 */
#define TOKEN_DEP ((uint64_t) 0x1f << 27)

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
	peer_flags_t flags = peers_flags(engine->peers, session->peer);
	time_t at = flags.synced ? flags.listed : time(NULL);
	buf_t *jobs;

	session->listed = true;
	if (!peer)
		return;
	jobs = jobs_sync_list(engine->jobs, peer, session->version, at);
	_send(engine, session->peer,
	      sib_pack_sync(engine_our_id(engine), jobs, at,
			    session->version), 0);
	free_buf(jobs);
}

extern void engine_send_syncs(engine_t *engine)
{
	int64_t now = net_now_ms();

	for (session_t *session = engine->sessions; session;
	     session = session->next) {
		if (!session->listed &&
		    (peers_flags(engine->peers, session->peer).synced ||
		     (session->came_ms &&
		      (now - session->came_ms >= LIST_WAIT_MS))))
			_send_sync(engine, session);
	}
}

extern int engine_turn_ms(const engine_t *engine)
{
	for (session_t *session = engine->sessions; session;
	     session = session->next) {
		if (session->came_ms && !session->listed)
			return TURN_WAITING_MS;
	}
	return TURN_MS;
}

extern int engine_send_dep_answer(void *arg, const char *peer, const dep_t *dep)
{
	engine_t *engine = arg;
	session_t *session = session_find(engine->sessions, peer);
	buf_t *answer = dep_answer(dep, engine_our_id(engine),
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

static void _take_federation(engine_t *engine, federation_t *fed)
{
	federation_t *old = engine->fed;
	fed_err_t err;

	if (federation_equal(old, fed))
		return;
	if (engine_append_federation(engine->ledger, fed, &err))
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

	if (engine_append_assoc(engine, &err))
		fed_error("cluster %s: %s", engine->conf.cluster->name,
			  err.text);
	jobs_set_assoc(engine->jobs);
}

static void _take_up(engine_t *engine, const note_t *note)
{
	session_t *session = session_begin(&engine->sessions, note->peer,
					   note->session, note->version);

	if (peers_flags(engine->peers, note->peer).recv)
		session->came_ms = net_now_ms();
	dep_table_resend(engine->deps, note->peer);
}

static void _take_came(engine_t *engine, const note_t *note)
{
	session_t *session = session_find(engine->sessions, note->peer);

	if (session && !session->came_ms)
		session->came_ms = net_now_ms();
}

static void _take_answer(engine_t *engine, const note_t *note)
{
	uint32_t job_id = note->token >> 32;
	fed_err_t err;

	if ((note->token & TOKEN_DEP) != TOKEN_DEP) {
		jobs_answered(engine->jobs, note->peer, note->token,
			      note->rc);
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
	bool may = !engine->ledger_failed || engine_commit(engine);

	for (int i = 0; i < note->count; i++)
		note->rcs[i] = may ? _take_item(engine, note->peer,
						&note->items[i]) :
				     SLURM_ERROR;
}

typedef struct {
	engine_t *engine;
	note_t *note;
} note_call_t;

static void _relayed(void *arg, uint32_t rc)
{
	note_call_t *call = arg;

	call->note->rc = rc;
	inbox_done(&call->engine->inbox, call->note);
	xfree(call);
}

extern void engine_relay_note(engine_t *engine, note_t *note)
{
	note_call_t *call = xmalloc(sizeof(*call));

	call->engine = engine;
	call->note = note;
	if (note->kind == NOTE_NOTIFY)
		jobs_notify(engine->jobs, note->token, note->text, _relayed,
			    call);
	else
		jobs_suspend(engine->jobs, note->token, note->suspend,
			     _relayed, call);
}

static uint32_t _take_top(engine_t *engine, jobs_top_t *top)
{
	if (!flurm_side_can(engine->flurm, FLURM_CAN_UPDATE))
		return ESLURM_NOT_SUPPORTED;
	return jobs_top(engine->jobs, top);
}

static void _asked(jobs_ask_t *ask)
{
	note_call_t *call = ask->arg;

	inbox_done(&call->engine->inbox, call->note);
	xfree(call);
}

extern void engine_ask_note(engine_t *engine, note_t *note)
{
	note_call_t *call = xmalloc(sizeof(*call));

	call->engine = engine;
	call->note = note;
	note->ask->done = _asked;
	note->ask->arg = call;
	jobs_ask(engine->jobs, note->ask);
}

extern void engine_note(engine_t *engine, note_t *note)
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
		note->status = engine_make_status(engine);
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
	case NOTE_TOP:
		note->rc = _take_top(engine, note->top);
		break;
	case NOTE_SUSPEND:
	case NOTE_NOTIFY:
	case NOTE_ASK:
		/* nothing to be made durable: engine_relay_note(),
		 * engine_ask_note() */
		break;
	case NOTE_SCRIPT:
		note->text = xstrdup(jobs_script(engine->jobs, note->token));
		break;
	case NOTE_USAGE:
		jobs_set_usage(engine->jobs, note->of, note->token, note->raw);
		break;
	case NOTE_ROWS:
		accounting_over(engine->accounting, note->rows, time(NULL));
		break;
	}
}

extern void engine_refuse_note(note_t *note)
{
	if ((note->kind == NOTE_CANCEL) || (note->kind == NOTE_TOP))
		note->rc = SLURM_ERROR;
	for (int i = 0; i < note->count; i++)
		note->rcs[i] = SLURM_ERROR;
}
