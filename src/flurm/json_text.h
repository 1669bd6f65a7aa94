/*
 * json_text.h - JSON as text, between us and peers.
 *
 * What jansson's json_loadb(JSON_REJECT_DUPLICATES) and
 * json_dumps(JSON_COMPACT) do, for two reasons of our own: a peer's text is
 * bounded in what it takes in memory and not only in its length (a list of
 * empty objects takes a hundred times its text), and scripts of kilobytes are
 * copied in runs instead of byte by byte, which was half of the gateway's time
 * for a submission.
 */
#ifndef FED_FLURM_JSON_TEXT_H
#define FED_FLURM_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

#include "src/core/err.h"

#define FLURM_JSON_DEPTH_MAX 64
#define FLURM_JSON_REQUEST 200000	/* objects and arrays */
#define FLURM_JSON_REPLY 2000000	/* all nodes of a large cluster */

/*
 * IN text - need not be terminated
 * IN most - objects and arrays in it, and ten times as many values
 * RET a new reference to an object or array, or NULL: err says what is wrong
 * at which byte
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
