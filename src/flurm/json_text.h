/*
 * json_text.h - JSON as text, between us and peers: jansson, with a bound on
 * what a peer's text may take in memory.
 *
 * A text that is within its limit of bytes could still fill this host: a list
 * of empty objects takes a hundred times its text.
 */
#ifndef FED_FLURM_JSON_TEXT_H
#define FED_FLURM_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

#include "src/core/err.h"

#define FLURM_JSON_REQUEST 200000	/* objects and arrays */
#define FLURM_JSON_REPLY 2000000	/* all nodes of a large cluster */

/*
 * An object or array; names twice in one object, NUL bytes in strings and what
 * is not UTF-8 are errors.
 * IN text - need not be terminated
 * IN most - objects and arrays in it, and ten times as many values
 * RET a new reference, or NULL: err says what is wrong at which line and column
 */
extern json_t *flurm_json_read(const char *text, size_t len, size_t most,
			       fed_err_t *err);

/*
 * IN json - NULL is fine
 * OUT ret_len - without the NUL behind it; NULL: not wanted
 * RET malloc'd, or NULL if json is NULL
 */
extern char *flurm_json_write(const json_t *json, size_t *ret_len);

#endif
