/*
 * accounting.c - FLURM's jobs in slurmdbd (see accounting.h).
 *
 * One batch is out at a time, so the order is kept. A batch that meets a break
 * of the connection is said again on the next one. Only what slurmdbd answers
 * sends it back early.
 */
#include "src/sibling/accounting.h"

#include <errno.h>
#include <string.h>

#include "src/core/log.h"
#include "src/sibling/accounting_send.h"
#include "src/sibling/dbd.h"
#include "src/sibling/spool.h"
#include "src/sibling/texts.h"

#define BATCH_ROWS 100
#define BATCH_BYTES (4 << 20)	/* then it is full: texts may be large */
#define NOBODY_S 1		/* there is no registrar, or not yet */
#define LATER_S 5		/* slurmdbd has no database */
#define REFUSED_S 2		/* twice as long each time */
#define REFUSALS_MAX 4		/* then the row is dropped */
#define BROKEN_MAX 3		/* connections for a row: that is a refusal */

struct accounting {
	accounting_conf_t conf;
	fed_ledger_t *ledger;
	spool_t *spool;
	texts_t *texts;
	char *nodes;
	bool out;		/* a batch is */
	time_t not_before;	/* another goes out */
	time_t rests;		/* until then, as all rows are of jobs that wait */
	uint64_t failed;	/* the row that was refused last */
	int refusals;		/* of it, in a row */
	bool hopeless;		/* it was dropped, and nothing taken since */
	uint64_t dropped;
	char why[FED_ERR_TEXT_MAX];	/* the last one did not go; "": it did */
	fed_log_throttle_t complaint;
	fed_log_throttle_t lost;
};

typedef struct {
	uint64_t number;
	row_t row;
} numbered_t;

typedef struct {
	registrar_request_t base;	/* first */
	accounting_conf_t conf;
	char *nodes;
	int count;
	size_t bytes;
	int end;		/* of those to say: where one is refused */
	int broke_at;
	int broken;		/* connections, with that one on its way */
	numbered_t rows[BATCH_ROWS];
	rows_result_t result;
} batch_t;

extern accounting_t *accounting_create(const accounting_conf_t *conf)
{
	accounting_t *accounting = xmalloc(sizeof(*accounting));

	accounting->conf = *conf;
	accounting->spool = spool_create();
	accounting->texts = texts_create(ACCOUNTING_TEXTS_MAX);
	return accounting;
}

extern void accounting_destroy(accounting_t *accounting)
{
	if (!accounting)
		return;
	spool_destroy(accounting->spool);
	texts_destroy(accounting->texts);
	xfree(accounting->nodes);
	xfree(accounting);
}

extern int accounting_replay(accounting_t *accounting, uint64_t place,
			     uint16_t type, const void *body, size_t len,
			     fed_err_t *err)
{
	return spool_replay(accounting->spool, place, type, body, len, err);
}

extern int accounting_snapshot(accounting_t *accounting, fed_ledger_t *ledger,
			       fed_err_t *err)
{
	return spool_snapshot(accounting->spool, ledger, err);
}

extern void accounting_moved(accounting_t *accounting)
{
	spool_moved(accounting->spool);
}

/* One that cannot be read is found out when it is to be said. */
static bool _note_text(void *arg, uint64_t number, const void *body,
		       size_t len)
{
	fed_err_t err;
	row_t row;

	if (row_unpack(&row, body, len, &err))
		return true;
	if (row_is_text(&row))
		texts_add(arg, &row, number);
	row_free(&row);
	return true;
}

extern void accounting_connect(accounting_t *accounting, fed_ledger_t *ledger)
{
	fed_err_t err;

	accounting->ledger = ledger;
	if (spool_walk(accounting->spool, ledger, _note_text, accounting->texts,
		       &err))
		fed_error("cluster %s: what slurmdbd is to know cannot be read: %s",
			  accounting->conf.cluster, err.text);
}

extern void accounting_set_nodes(accounting_t *accounting, const char *nodes)
{
	xfree(accounting->nodes);
	accounting->nodes = xstrdup(nodes);
}

static int _append(accounting_t *accounting, const row_t *row, time_t now,
		   fed_err_t *err)
{
	fed_bytes_t bytes = { 0 };
	int rc;

	if (row_is_text(row) && !texts_have_room(accounting->texts, row))
		return fed_err_set(err, ENOSPC,
				   "%llu MiB of scripts and environments wait already",
				   ACCOUNTING_TEXTS_MAX >> 20);
	row_pack(row, &bytes);
	rc = spool_add(accounting->spool, accounting->ledger, now, bytes.data,
		       bytes.len, err);
	fed_bytes_free(&bytes);
	if (!rc && row_is_text(row))
		texts_add(accounting->texts, row,
			  spool_last(accounting->spool));
	return rc;
}

/* Rows up to this one are done with. */
static void _done(accounting_t *accounting, uint64_t number)
{
	spool_done(accounting->spool, accounting->ledger, number);
	texts_done(accounting->texts, number);
}

extern bool accounting_add(accounting_t *accounting, const row_t *row,
			   time_t now)
{
	fed_err_t err;
	int rc;

	if (row_is_text(row)) {
		if (texts_has(accounting->texts, row))
			return true;
	} else if (row->kind != ROW_WAITS) {
		accounting->rests = 0;
	} else if (!spool_waiting(accounting->spool)) {
		accounting->rests = now + ACCOUNTING_REST_S;
	}
	rc = _append(accounting, row, now, &err);
	if (rc)
		fed_log_throttled(&accounting->lost, FED_LOG_ERROR,
				  "cluster %s: slurmdbd will not know that job %u %s: %s",
				  accounting->conf.cluster, row->id,
				  row_kind_name(row->kind), err.text);
	return !rc;
}

/* ---- a batch, in the thread that is connected to slurmdbd ---- */

/* RET true if it is this row that no connection survives */
static bool _is_breaking(batch_t *batch, int i)
{
	if (batch->broke_at != i)
		batch->broken = 0;
	batch->broke_at = i;
	return ++batch->broken >= BROKEN_MAX;
}

static void _end_batch(batch_t *batch, const numbered_t *failed, bool refused,
		       fed_err_t *err)
{
	batch->result.failed = failed->number;
	batch->result.refused = refused;
	fed_err_prefix(err, "job %u %s", failed->row.id,
		       row_kind_name(failed->row.kind));
	snprintf(batch->result.why, sizeof(batch->result.why), "%s",
		 err->text);
}

/*
 * All was answered well, which is not yet in the database: slurmdbd commits
 * before it answers, or with CommitDelay after, and says yes though that fails
 * (slurmdbd/proc_req.c, proc_req(); accounting_storage_mysql.c,
 * acct_storage_p_commit()). It fails when the database goes away; who is there
 * to answer after it was there for it.
 */
static int _commit_batch(batch_t *batch, persist_t *conn, fed_err_t *err)
{
	const numbered_t *last;

	if (!batch->end)
		return 0;
	last = &batch->rows[batch->end - 1];
	if (!dbd_commit(conn, err) && !dbd_has_database(conn, err))
		batch->result.taken = last->number;
	else if (err->code == EREMOTE)
		_end_batch(batch, last, false, err);
	else
		return -1;
	return 0;
}

/* On each connection from the first row on: see _commit_batch(). */
static int _ask_batch(registrar_request_t *request, persist_t *conn,
		      fed_err_t *err)
{
	batch_t *batch = (batch_t *) request;

	for (int i = 0; i < batch->end; i++) {
		const numbered_t *numbered = &batch->rows[i];
		send_rc_t rc = accounting_send(conn, batch->conf.cluster,
					       batch->conf.assoc, batch->nodes,
					       &numbered->row, err);

		if (rc == SEND_TAKEN)
			continue;
		if ((rc == SEND_BROKEN) && ((err->code == ECANCELED) ||
					    !_is_breaking(batch, i)))
			return -1;
		_end_batch(batch, numbered, rc != SEND_LATER, err);
		if (rc == SEND_LATER)
			return 0;
		/* those before it are for slurmdbd all the same */
		batch->end = i;
		if (rc == SEND_BROKEN)
			return -1;
	}
	return _commit_batch(batch, conn, err);
}

static void _discard_batch(batch_t *batch)
{
	for (int i = 0; i < batch->count; i++)
		row_free(&batch->rows[i].row);
	xfree(batch->nodes);
	xfree(batch);
}

static void _free_batch(registrar_request_t *request)
{
	batch_t *batch = (batch_t *) request;

	batch->conf.over(batch->conf.arg, &batch->result);
	_discard_batch(batch);
}

/* ---- the engine's side ---- */

/* That must not be said twice, as all else may: it goes alone. */
static bool _goes_alone(const row_t *row)
{
	return (row->kind == ROW_SUSPENDS) || (row->kind == ROW_RESUMES);
}

static bool _into_batch(void *arg, uint64_t number, const void *body,
			size_t len)
{
	batch_t *batch = arg;
	numbered_t *numbered = &batch->rows[batch->count];
	fed_err_t err;

	numbered->number = number;
	if (row_unpack(&numbered->row, body, len, &err)) {
		/* a later release's: it is not for us to throw it away */
		fed_error("cluster %s: row %llu: %s", batch->conf.cluster,
			  (unsigned long long) number, err.text);
		return false;
	}
	if (_goes_alone(&numbered->row) && batch->count) {
		row_free(&numbered->row);
		return false;
	}
	batch->count++;
	batch->bytes += len;
	return (batch->count < BATCH_ROWS) && (batch->bytes < BATCH_BYTES) &&
	       !_goes_alone(&numbered->row);
}

extern void accounting_act(accounting_t *accounting, time_t now)
{
	batch_t *batch;
	fed_err_t err;

	if (accounting->out || !spool_waiting(accounting->spool) ||
	    (now < accounting->not_before) || (now < accounting->rests))
		return;
	batch = xmalloc(sizeof(*batch));
	batch->base.ask = _ask_batch;
	batch->base.free = _free_batch;
	batch->conf = accounting->conf;
	batch->nodes = xstrdup(accounting->nodes);
	if (spool_walk(accounting->spool, accounting->ledger, _into_batch,
		       batch, &err))
		fed_log_throttled(&accounting->complaint, FED_LOG_ERROR,
				  "cluster %s: what slurmdbd is to know cannot be read: %s",
				  accounting->conf.cluster, err.text);
	batch->end = batch->count;
	if (batch->count &&
	    accounting->conf.put(accounting->conf.arg, &batch->base)) {
		accounting->out = true;
		return;
	}
	_discard_batch(batch);
	accounting->not_before = now + NOBODY_S;
}

static void _drop(accounting_t *accounting, const rows_result_t *result)
{
	accounting->hopeless = true;
	accounting->dropped++;
	fed_log_throttled(&accounting->complaint, FED_LOG_ERROR,
			  "cluster %s: accounting: a row is dropped, as slurmdbd refuses it again and again: %s",
			  accounting->conf.cluster, result->why);
	_done(accounting, result->failed);
	accounting->failed = 0;
	accounting->refusals = 0;
}

extern void accounting_over(accounting_t *accounting,
			    const rows_result_t *result, time_t now)
{
	accounting->out = false;
	snprintf(accounting->why, sizeof(accounting->why), "%s", result->why);
	if (result->taken) {
		_done(accounting, result->taken);
		accounting->hopeless = false;
		accounting->refusals = 0;
	}
	if (!result->failed) {
		memset(&accounting->complaint, 0,
		       sizeof(accounting->complaint));
		return;
	}
	if (!result->refused) {
		fed_log_throttled(&accounting->complaint, FED_LOG_INFO,
				  "cluster %s: accounting waits: %s",
				  accounting->conf.cluster, result->why);
		accounting->not_before = now + LATER_S;
		return;
	}
	if (accounting->failed != result->failed)
		accounting->refusals = 0;
	accounting->failed = result->failed;
	if (accounting->hopeless ||
	    (++accounting->refusals >= REFUSALS_MAX)) {
		_drop(accounting, result);
		return;
	}
	accounting->not_before = now + (REFUSED_S << accounting->refusals);
}

extern json_t *accounting_status(const accounting_t *accounting)
{
	return json_pack("{s:I, s:I, s:I, s:s}",
			 "waiting", (json_int_t) spool_waiting(accounting->spool),
			 "oldest", (json_int_t) spool_oldest(accounting->spool,
						   accounting->ledger),
			 "dropped", (json_int_t) accounting->dropped,
			 "error", accounting->why);
}
