/*
 * backend.h - what runs the jobs: the interface between engine and backend.
 *
 * The engine owns the jobs, the queue, the gate and the ledger; a backend says
 * what nodes there are, and makes granted jobs run and end. Everything here
 * happens in the engine's thread, so no call may block for long; what takes
 * time is started and reported later.
 *
 * A job is the backend's from start() or recover() until forget(). Calls for
 * a job come only in between, may be repeated, and need not have succeeded
 * when they return. In between the backend reports STARTED at most once, then
 * ENDED once; or START_FAILED once if nothing of the job has run. A report may
 * be repeated after a restart: what it says must then be the same, so whatever
 * it is made from must last until forget(), which comes when the engine has it
 * in the ledger. A backend never reports an end that it does not know: a job
 * that it cannot find again ended with state FLURM_NODE_FAIL.
 */
#ifndef FED_GATEWAY_BACKEND_H
#define FED_GATEWAY_BACKEND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/flurm/op.h"
#include "src/gateway/conf.h"
#include "src/gateway/job.h"

typedef struct gw_backend gw_backend_t;	/* each backend's own */

typedef struct {
	char *name;
	uint32_t cpus;
	uint64_t memory_mb;
	char *features;		/* comma separated; NULL: none */
	char *os;
	char *arch;
	int64_t boot_time;	/* Unix seconds; 0: not known */
	bool up;
	char *reason;		/* why it is not */
} gw_node_t;

/* Owned by the backend, of the same length as long as it is open. */
typedef struct {
	gw_node_t *nodes;
	size_t count;
} gw_layout_t;

typedef enum {
	GW_REPORT_STARTED,	/* the script's first line may have run */
	GW_REPORT_START_FAILED,	/* nothing of it has run, nor will: reason */
	GW_REPORT_ENDED,	/* nothing of it runs any more */
} gw_report_kind_t;

typedef struct {
	gw_report_kind_t kind;
	gw_job_t *job;
	int64_t start_time;	/* Unix seconds; 0: it has not started */
	int64_t end_time;
	int64_t suspended_for;
	flurm_state_t state;	/* of an end */
	int64_t exit_code;	/* FLURM_UNSET: not known */
	int64_t signal;
	flurm_usage_t usage;	/* FLURM_UNSET where it is not known */
	const char *reason;	/* NULL: none */
} gw_report_t;

/* what the engine offers to a backend */
typedef struct {
	/* Not from within a call of start() to forget(), only from work(). */
	void (*report)(const gw_report_t *report, void *arg);
	/* a node went up or down (layout says which) */
	void (*nodes_changed)(void *arg);
	void *arg;
	const char *instance_id;	/* of this store */
} gw_backend_host_t;

typedef struct {
	const char *name;

	/*
	 * IN conf - stays valid, and may change its values between calls
	 * IN host - stays valid
	 * RET the backend, or NULL: err says why
	 */
	gw_backend_t *(*open)(const gw_conf_t *conf,
			      const gw_backend_host_t *host, fed_err_t *err);

	/* Jobs that run go on running. */
	void (*close)(gw_backend_t *backend);

	const gw_layout_t *(*layout)(gw_backend_t *backend);

	/*
	 * Is there a reason of its own not to take this job? Resources and
	 * partition have been judged.
	 * RET 0, or -1: err is told to the submitter (422)
	 */
	int (*accept)(gw_backend_t *backend, const flurm_job_spec_t *spec,
		      fed_err_t *err);

	/*
	 * Run it: the grant is durable. job->alloc says where.
	 * IN spec - valid during the call
	 */
	void (*start)(gw_backend_t *backend, gw_job_t *job,
		      const flurm_job_spec_t *spec);

	/*
	 * After a restart, for each job that start() was or should have been
	 * called for: find it again, or start it if that is certain not to
	 * have happened, or report that it is lost.
	 */
	void (*recover)(gw_backend_t *backend, gw_job_t *job,
			const flurm_job_spec_t *spec);

	/*
	 * End it. IN sig - 0: TERM, then KILL after kill_wait; may come
	 * again with SIGKILL
	 */
	void (*cancel)(gw_backend_t *backend, gw_job_t *job, int sig);

	void (*signal)(gw_backend_t *backend, gw_job_t *job, int sig,
		       flurm_scope_t scope);

	/* Put a line at the end of its standard error. */
	void (*notify)(gw_backend_t *backend, gw_job_t *job, const char *text);

	void (*suspend)(gw_backend_t *backend, gw_job_t *job, bool suspend);

	/* Its end, or its failed start, is in the ledger: let go of it. */
	void (*forget)(gw_backend_t *backend, gw_job_t *job);

	/* RET a descriptor that is readable when work() is to be called; -1 */
	int (*fd)(gw_backend_t *backend);

	/*
	 * Do what is due, and report. Called when fd is readable and when the
	 * time has come.
	 * IN now_ms - Unix milliseconds
	 * RET when to call again at the latest, or GW_NEVER
	 */
	int64_t (*work)(gw_backend_t *backend, int64_t now_ms);

	/*
	 * POST /api/v1/debug, which exists only for a backend that has this.
	 * RET a new reference, or NULL: err names the field (400)
	 */
	json_t *(*debug)(gw_backend_t *backend, const json_t *command,
			 fed_err_t *err);
} gw_backend_ops_t;

extern const gw_backend_ops_t gw_backend_local;
extern const gw_backend_ops_t gw_backend_sim;

#endif
