/*
 * spool.h - what slurmdbd does not know yet, in order.
 *
 * Entries lie in the ledger and are as durable as what else is committed with
 * them; there they stay until slurmdbd has taken them, however long that
 * takes. In memory is only where in the ledger each is, eight bytes. The spool
 * does not look into an entry. The engine's alone.
 */
#ifndef FED_SIBLING_SPOOL_H
#define FED_SIBLING_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/core/ledger.h"

typedef struct spool spool_t;

extern spool_t *spool_create(void);
extern void spool_destroy(spool_t *spool);

/* RECORD_ROW and RECORD_ROW_DONE. RET 0, or -1 with err */
extern int spool_replay(spool_t *spool, uint64_t place, uint16_t type,
			const void *body, size_t len, fed_err_t *err);

/*
 * Write all that waits into a snapshot, and when that has succeeded, take the
 * places that it has there.
 */
extern int spool_snapshot(spool_t *spool, fed_ledger_t *ledger,
			  fed_err_t *err);
extern void spool_moved(spool_t *spool);

/* Append an entry to the ledger. RET 0, or -1 with err: it is not there */
extern int spool_add(spool_t *spool, fed_ledger_t *ledger, int64_t now,
		     const void *body, size_t len, fed_err_t *err);

/*
 * Look at entries from the oldest on. To be called when all that was appended
 * is durable.
 * IN visit - RET false to stop
 * RET 0, or -1 with err: the ledger cannot be read
 */
extern int spool_walk(spool_t *spool, const fed_ledger_t *ledger,
		      bool (*visit)(void *arg, uint64_t number,
				    const void *body, size_t len),
		      void *arg, fed_err_t *err);

/* Entries up to this one are done with: append that. */
extern void spool_done(spool_t *spool, fed_ledger_t *ledger, uint64_t number);

/* RET the number of the last entry that was added */
extern uint64_t spool_last(const spool_t *spool);

/* RET how many wait */
extern uint64_t spool_waiting(const spool_t *spool);

/* RET when the oldest that waits was added; 0: there is none */
extern int64_t spool_oldest(const spool_t *spool, const fed_ledger_t *ledger);

#endif
