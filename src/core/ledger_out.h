/*
 * ledger_out.h - the writing end of one ledger file.
 */
#ifndef FED_CORE_LEDGER_OUT_H
#define FED_CORE_LEDGER_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/bytes.h"
#include "src/core/err.h"
#include "src/core/ledger.h"

typedef struct {
	const fed_ledger_io_t *io;
	char *path;		/* owned */
	int fd;			/* owned */
	uint32_t salt;
	uint64_t end;		/* where the next record goes */
	bool in_commit;		/* a part of it is written already */
	bool unclean;		/* bytes beyond end may be in the file */
	fed_bytes_t pending;	/* records that wait to be written */
	uint64_t pending_records;
} ledger_out_t;

extern void ledger_out_fini(ledger_out_t *out);

/* Put a record behind those that wait. RET 0, or -1 if it is too large */
extern int ledger_out_put(ledger_out_t *out, uint16_t type, const void *body,
			  size_t len, fed_err_t *err);

/* RET where the next record goes */
extern uint64_t ledger_out_place(const ledger_out_t *out);

/*
 * Read a record that was written or waits.
 * OUT ret_body - what it had is overwritten
 * RET 0, or -1
 */
extern int ledger_out_fetch(const ledger_out_t *out, uint64_t place,
			    uint16_t *ret_type, fed_bytes_t *ret_body,
			    fed_err_t *err);

/* Drop those that wait. */
extern void ledger_out_drop(ledger_out_t *out);

/* Write what waits as a part of a commit that goes on. RET 0, or -1 */
extern int ledger_out_flush(ledger_out_t *out, fed_err_t *err);

/*
 * Write what waits as the end of a commit and have it on disk. On failure the
 * file ends where it did before, and what waited waits still.
 * RET 0, or -1 with the errno value in err->code
 */
extern int ledger_out_commit(ledger_out_t *out, fed_err_t *err);

#endif
