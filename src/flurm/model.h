/*
 * model.h - the nouns of FLURM's federation API, and the rules they share.
 *
 * Each noun is a plain C struct with its JSON form in one file pair; this
 * header brings all of them. doc/flurm-api.yaml says what each field means.
 *
 * OWNERSHIP: a struct owns every string, array and struct that it points to
 * (malloc). X_init() makes it empty, X_free() frees what it owns and makes it
 * empty again; an empty one may be freed. X_copy() copies deep.
 *
 * TEXT: a C string that may hold any bytes but NUL. In JSON it is a string,
 * or, if it is not UTF-8, {"b64":"..."}. NULL: not said.
 *
 * NUMBERS: an int64_t that was not said is FLURM_UNSET, so that an update can
 * tell "leave it" from zero. Times are Unix seconds, durations seconds,
 * memory MiB, unless a name says otherwise.
 *
 * JSON: X_to_json() returns a new reference, NULL only without memory; what is
 * not said is left out. X_from_json() is strict on types and ranges, ignores
 * fields it does not know, and on failure returns -1, names the field in err
 * and leaves ret_x empty. A field that is null counts as not said.
 */
#ifndef FED_FLURM_MODEL_H
#define FED_FLURM_MODEL_H

#include "src/flurm/cluster.h"
#include "src/flurm/event.h"
#include "src/flurm/job.h"
#include "src/flurm/job_spec.h"
#include "src/flurm/op.h"
#include "src/flurm/result.h"
#include "src/flurm/state.h"
#include "src/flurm/unset.h"

#endif
