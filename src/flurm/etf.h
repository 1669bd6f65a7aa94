/*
 * etf.h - the part of Erlang's external term format that FLURM sends: a map
 * with atoms for keys, of binaries, integers, atoms, lists and maps.
 */
#ifndef FED_FLURM_ETF_H
#define FED_FLURM_ETF_H

#include <jansson.h>
#include <stddef.h>

#include "src/core/bytes.h"
#include "src/core/err.h"

/*
 * Binaries become text (model.h), the atoms true, false, undefined and null
 * what they say in JSON, other atoms strings.
 * RET a new reference, or NULL: err says what is wrong at which byte
 */
extern json_t *etf_decode(const void *data, size_t len, fed_err_t *err);

/* A term that is a map of count pairs: begin it, then put each pair. */
extern void etf_put_map(fed_bytes_t *bytes, uint32_t count);
extern void etf_put_text(fed_bytes_t *bytes, const char *key,
			 const char *text);
extern void etf_put_number(fed_bytes_t *bytes, const char *key,
			   int64_t number);

#endif
