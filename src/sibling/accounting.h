/*
 * accounting.h - FLURM's jobs in slurmdbd.
 *
 * Keeps what slurmdbd is to know in a spool, hands it to whoever is connected
 * to slurmdbd a batch at a time, and lets go of it when slurmdbd has taken it.
 * What slurmdbd will not take is tried a few times, and then dropped with a
 * line in the log. That jobs wait is said some seconds later, together, unless
 * there is more to say: slurmdbd and its database have the time then that the
 * submissions took, as with a slurmctld (accounting_storage_slurmdbd.c,
 * _set_db_inx_thread()).
 *
 * Scripts and environments go the same way, but each waits only once
 * (texts.h).
 *
 * The engine's alone, but for batches, which carry all that they need to
 * another thread.
 */
#ifndef FED_SIBLING_ACCOUNTING_H
#define FED_SIBLING_ACCOUNTING_H

#include <jansson.h>
#include <time.h>

#include "src/core/ledger.h"
#include "src/sibling/accounting_row.h"
#include "src/sibling/assoc.h"
#include "src/sibling/registrar.h"

#define ACCOUNTING_REST_S 5

/* bytes of scripts and environments that wait: beyond, jobs go without */
#define ACCOUNTING_TEXTS_MAX (256ULL << 20)

typedef struct accounting accounting_t;

/* What became of a batch */
typedef struct {
	uint64_t taken;		/* rows up to this number; 0: none */
	uint64_t failed;	/* the row that was not; 0: all were */
	bool refused;		/* although slurmdbd has its database */
	char why[FED_ERR_TEXT_MAX];
} rows_result_t;

typedef struct {
	const char *cluster;
	assoc_t *assoc;
	/*
	 * Have this said to slurmdbd, once; its free() is called when that is
	 * over. RET false if nobody can: it is still the caller's
	 */
	bool (*put)(void *arg, registrar_request_t *request);
	/* a batch is over; called in the thread that had it */
	void (*over)(void *arg, const rows_result_t *result);
	void *arg;
} accounting_conf_t;

/* IN conf - copied; all that it points to must stay */
extern accounting_t *accounting_create(const accounting_conf_t *conf);

/* No batch may be out any more. */
extern void accounting_destroy(accounting_t *accounting);

/* RECORD_ROW and its like. RET 0, or -1 with err */
extern int accounting_replay(accounting_t *accounting, uint64_t place,
			     uint16_t type, const void *body, size_t len,
			     fed_err_t *err);

/* Into a snapshot; when that has succeeded, accounting_moved() is due. */
extern int accounting_snapshot(accounting_t *accounting, fed_ledger_t *ledger,
			       fed_err_t *err);

extern void accounting_moved(accounting_t *accounting);

/* All is replayed. IN ledger - to append to */
extern void accounting_connect(accounting_t *accounting, fed_ledger_t *ledger);

/* All nodes of the cluster, as slurmdbd is told. */
extern void accounting_set_nodes(accounting_t *accounting, const char *nodes);

/*
 * Append a row; a text after one that names its hash, and only if it does not
 * wait already. RET false if it can't be: it is lost, and that was logged
 */
extern bool accounting_add(accounting_t *accounting, const row_t *row,
			   time_t now);

/*
 * Hand out what is due. To be called when all that was appended is durable,
 * and at least once a second.
 */
extern void accounting_act(accounting_t *accounting, time_t now);

/* What over() said, back in the engine's thread. */
extern void accounting_over(accounting_t *accounting,
			    const rows_result_t *result, time_t now);

/* RET an object, a new reference */
extern json_t *accounting_status(const accounting_t *accounting);

#endif
