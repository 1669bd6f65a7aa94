/*
 * ledger_dir.h - the directory of a ledger: its lock and its files.
 */
#ifndef FED_CORE_LEDGER_DIR_H
#define FED_CORE_LEDGER_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/core/ledger.h"

/*
 * Take the ledger for this process, for as long as the descriptor is open.
 * IN app - told to whoever comes second
 * RET descriptor, or -1: err names the holder if there is one
 */
extern int ledger_dir_lock(const char *dir, const char *app, fed_err_t *err);
extern void ledger_dir_unlock(int fd);

/* RET the highest generation in dir, 0 if there is none, -1 on error */
extern int64_t ledger_dir_newest(const char *dir, fed_err_t *err);

/* RET path of a generation, or of what it is written to first; to be freed */
extern char *ledger_dir_path(const char *dir, uint64_t generation, bool tmp);

/*
 * Remove what is neither this generation nor newer, and what was being
 * written. Best effort: a file that stays is never read while there is a
 * newer one.
 */
extern void ledger_dir_sweep(const char *dir, uint64_t generation,
			     const fed_ledger_io_t *io);

/* Make names durable. RET 0, or -1 */
extern int ledger_dir_sync(const char *dir, const fed_ledger_io_t *io,
			   fed_err_t *err);

#endif
