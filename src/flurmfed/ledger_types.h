/*
 * ledger_types.h - what the records of our programs' ledgers mean.
 */
#ifndef FED_FLURMFED_LEDGER_TYPES_H
#define FED_FLURMFED_LEDGER_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RET name of a type of record in app's ledger, NULL if it is not known */
extern const char *ledger_type_name(const char *app, uint16_t type);

/*
 * Print a body in words, on one line, without the newline.
 * RET false if nothing was printed: unknown, or not what it should be
 */
extern bool ledger_type_print(const char *app, uint16_t type, const void *body,
			      size_t len);

#endif
