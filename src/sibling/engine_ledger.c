/*
 * engine_ledger.c - what the engine keeps in its ledger (engine_int.h).
 */
#include "src/sibling/engine_int.h"

#include <errno.h>
#include <string.h>

#include "src/sibling/record.h"

#define LEDGER_APP "fed_flurm"

extern int engine_append_federation(fed_ledger_t *ledger,
				    const federation_t *fed, fed_err_t *err)
{
	fed_bytes_t bytes = { 0 };
	int rc;

	federation_pack(fed, &bytes);
	rc = fed_ledger_append(ledger, RECORD_FEDERATION, bytes.data,
			       bytes.len, err);
	fed_bytes_free(&bytes);
	return rc;
}

extern int engine_append_assoc(engine_t *engine, fed_err_t *err)
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

	if (engine_append_federation(ledger, engine->fed, err) ||
	    jobs_snapshot(engine->jobs, ledger, err))
		return -1;
	if (assoc_is_known(engine->conf.assoc) &&
	    engine_append_assoc(engine, err))
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
	case RECORD_USAGE:
	case RECORD_CHARGE:
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

extern bool engine_commit(engine_t *engine)
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

extern void engine_snapshot(engine_t *engine)
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

extern int engine_open_ledger(engine_t *engine, fed_err_t *err)
{
	fed_ledger_opts_t opts = { .app = LEDGER_APP };

	engine->ledger = fed_ledger_open(engine->conf.ledger_dir, &opts,
					 _replay, engine, err);
	return engine->ledger ? 0 : -1;
}
