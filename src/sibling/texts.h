/*
 * texts.h - which scripts and environments wait in the spool.
 *
 * Many jobs may have the same, and while slurmdbd is away all of them wait:
 * each text is spooled once, and there is a bound to what all of them may take.
 * Only their hashes are kept here. The engine's alone.
 */
#ifndef FED_SIBLING_TEXTS_H
#define FED_SIBLING_TEXTS_H

#include <stdbool.h>
#include <stdint.h>

#include "src/sibling/accounting_row.h"

typedef struct texts texts_t;

/* IN max - bytes that all may have together */
extern texts_t *texts_create(uint64_t max);
extern void texts_destroy(texts_t *texts);

/* RET true if the text of such a row waits: what comes later need not bring it */
extern bool texts_has(const texts_t *texts, const row_t *row);

/* RET true if there is room for the text of such a row */
extern bool texts_have_room(const texts_t *texts, const row_t *row);

/* It waits in the spool by this number, which is higher than any before. */
extern void texts_add(texts_t *texts, const row_t *row, uint64_t number);

/* What is in the spool up to this number does not wait any more. */
extern void texts_done(texts_t *texts, uint64_t number);

#endif
