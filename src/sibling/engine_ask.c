/*
 * engine_ask.c - the engine for other threads: what they tell and ask it, and
 * the views of it that they get (engine.h).
 */
#include "src/sibling/engine_int.h"

#include "src/sibling/net.h"

#define VIEW_MS 250		/* a view is good for so long, come what may */
#define VIEW_MAX_MS 5000	/* and not for longer, as time passes in it */

extern uint64_t engine_changes(const engine_t *engine)
{
	return jobs_changes(engine->jobs) + engine->fed_changes +
	       flurm_side_changes(engine->flurm);
}

extern void engine_make_view(engine_t *engine)
{
	view_t *view = view_create(engine->conf.cluster->name), *old;

	view->number = engine_changes(engine);
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

extern json_t *engine_make_status(engine_t *engine)
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

extern void engine_set_usage(engine_t *engine, usage_of_t of, uint32_t id,
			     double raw)
{
	note_t *note = note_new(NOTE_USAGE, NULL);

	note->of = of;
	note->token = id;
	note->raw = raw;
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

/* RET what the engine answers with; the note is freed */
static uint32_t _ask_rc(engine_t *engine, note_t *note)
{
	uint32_t rc = inbox_ask(&engine->inbox, note) ? note->rc : SLURM_ERROR;

	note_free(note);
	return rc;
}

extern uint32_t engine_lock(engine_t *engine, uint32_t job_id,
			    bool unlock)
{
	note_t *note = note_new(NOTE_LOCK, NULL);

	note->token = job_id;
	note->unlock = unlock;
	return _ask_rc(engine, note);
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
	int64_t age = net_now_ms() - view->made_ms;

	/* who has just changed something is to see it */
	if (view->made_ms <= __atomic_load_n(&engine->acted_ms,
					     __ATOMIC_ACQUIRE))
		return false;
	return (age < VIEW_MS) ||
	       ((age < VIEW_MAX_MS) &&
		(view->number == __atomic_load_n(&engine->view_changes,
						 __ATOMIC_ACQUIRE)));
}

/*
 * Who asks while another view is being made waits for that one. One that
 * could not be made since the disk is full is the one before, if there is one.
 */
static view_t *_view(engine_t *engine, bool now)
{
	view_t *view;
	note_t *note;

	pthread_mutex_lock(&engine->view_asking);
	view = _view_now(engine);
	if (now || !view || !_view_is_good(engine, view)) {
		view_unref(view);
		note = note_new(NOTE_VIEW, NULL);
		view = inbox_ask(&engine->inbox, note) ? _view_now(engine) :
							 NULL;
		note_free(note);
	}
	pthread_mutex_unlock(&engine->view_asking);
	return view;
}

extern view_t *engine_view(engine_t *engine)
{
	return _view(engine, false);
}

extern view_t *engine_view_now(engine_t *engine)
{
	return _view(engine, true);
}

/* As _ask_rc(), of what the next view is to show. */
static uint32_t _act(engine_t *engine, note_t *note)
{
	uint32_t rc = _ask_rc(engine, note);

	__atomic_store_n(&engine->acted_ms, net_now_ms(), __ATOMIC_RELEASE);
	return rc;
}

extern uint32_t engine_cancel(engine_t *engine, uint32_t job_id,
			      uint16_t signal, uint16_t flags, uint32_t uid)
{
	note_t *note = note_new(NOTE_CANCEL, NULL);

	note->token = job_id;
	note->signal = signal;
	note->flags = flags;
	note->uid = uid;
	return _act(engine, note);
}

extern void engine_cancel_at_origin(engine_t *engine, const uint32_t *ids,
				    int count, uint16_t signal, uint16_t flags,
				    uint32_t uid, uint32_t *rcs)
{
	note_t *note = note_new(NOTE_ASK, NULL);
	jobs_ask_t ask = {
		.ids = ids,
		.count = count,
		.signal = signal,
		.flags = flags,
		.uid = uid,
		.rcs = rcs,
	};

	for (int i = 0; i < count; i++)
		rcs[i] = SLURM_ERROR;
	note->ask = &ask;
	(void) _act(engine, note);
}

extern uint32_t engine_top(engine_t *engine, const uint32_t *ids, int count,
			   uint32_t uid)
{
	note_t *note = note_new(NOTE_TOP, NULL);
	jobs_top_t top = { .ids = ids, .count = count, .uid = uid };

	note->top = &top;
	return _act(engine, note);
}

extern uint32_t engine_suspend(engine_t *engine, uint32_t job_id, bool suspend)
{
	note_t *note = note_new(NOTE_SUSPEND, NULL);

	note->token = job_id;
	note->suspend = suspend;
	return _act(engine, note);
}

extern uint32_t engine_notify(engine_t *engine, uint32_t job_id,
			      const char *text)
{
	note_t *note = note_new(NOTE_NOTIFY, NULL);

	note->token = job_id;
	note->text = xstrdup(text);
	return _ask_rc(engine, note);
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
