/*
 * accounting_row.h - one thing that slurmdbd is to know of a job.
 *
 * slurmdbd knows a run of a job by its id and its submit time, which is the
 * epoch: so what is said twice changes the same record (as_mysql_job.c,
 * as_mysql_job_start(), _get_db_index()), but for suspensions. A row says all
 * that goes into its messages, in no release's layout, and can wait for as
 * long as it has to.
 */
#ifndef FED_SIBLING_ACCOUNTING_ROW_H
#define FED_SIBLING_ACCOUNTING_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/bytes.h"
#include "src/core/err.h"
#include "src/sibling/compat.h"

/* Numbers are in ledgers: none gets a second meaning. */
typedef enum {
	ROW_WAITS = 1,		/* it was submitted */
	ROW_STARTS = 2,		/* and its batch step with it */
	ROW_SUSPENDS = 3,
	ROW_RESUMES = 4,
	ROW_ENDS = 5,		/* and its batch step, if it ran */
	ROW_SCRIPT = 6,		/* what a script of that hash is */
	ROW_ENV = 7,		/* the same of an environment */
} row_kind_t;

/* as slurmdbd has it (as_mysql_job.c, as_mysql_job_complete()) */
#define ROW_NOBODY ((uint32_t) -1)

/* Strings are xmalloc'd or NULL. Times are unix seconds, 0 for none. */
typedef struct {
	row_kind_t kind;
	uint32_t id;		/* job's, with its origin */
	int64_t submit;
	uint32_t assoc_id;	/* 0: none was known */
	uint32_t uid;
	int64_t time;		/* when it happened */

	/* ROW_WAITS, ROW_STARTS */
	uint32_t gid;
	uint32_t qos_id;
	char *account;
	char *partition;
	char *qos;		/* that the job asked for */
	char *name;
	char *work_dir;
	char *submit_line;
	char *features;
	char *licenses;
	char *wckey;
	char *std_in, *std_out, *std_err;
	int64_t eligible;
	uint32_t time_limit;	/* minutes, INFINITE, or NO_VAL */
	uint32_t priority;
	uint32_t req_cpus;
	uint64_t req_mem;	/* MiB, with MEM_PER_CPU */
	char *tres_req;
	uint16_t restarts;
	bool batch;		/* it has a batch step that is told of */
	char *script_hash;	/* NULL: slurmdbd is not to have the script */
	char *env_hash;		/* ... or the environment */

	/* ROW_STARTS, ROW_ENDS */
	int64_t start;		/* 0: it never ran */
	char *nodes;
	uint32_t node_cnt;
	char *tres_alloc;

	/* ROW_ENDS */
	uint32_t state;		/* base state, JOB_REQUEUE or JOB_REVOKED */
	uint32_t status;	/* as wait(2) */
	uint32_t by;		/* who cancelled it, or ROW_NOBODY */
	int64_t user_us;	/* what it used, microseconds; -1: not known */
	int64_t system_us;
	int64_t max_rss_kb;
	char *comment;

	/* ROW_SCRIPT, ROW_ENV */
	char *hash;
	char *text;		/* of an environment with a line a variable */
} row_t;

/* RET true if it is a text that jobs share, not about the job alone */
static inline bool row_is_text(const row_t *row)
{
	return (row->kind == ROW_SCRIPT) || (row->kind == ROW_ENV);
}

extern void row_free(row_t *row);
extern void row_pack(const row_t *row, fed_bytes_t *bytes);

/* RET 0 with a row to be freed, or -1 with err and nothing to free */
extern int row_unpack(row_t *row, const void *body, size_t len,
		      fed_err_t *err);

/* RET "waits" and the like */
extern const char *row_kind_name(row_kind_t kind);

#endif
