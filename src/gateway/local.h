/*
 * local.h - inside backend local: shared by local*.c and nobody else.
 */
#ifndef FED_GATEWAY_LOCAL_H
#define FED_GATEWAY_LOCAL_H

#include "src/core/timer.h"
#include "src/gateway/backend.h"
#include "src/gateway/jobdir.h"

#define GW_CLAIM_WITHIN_MS 15000	/* a shim that has not is dead */

typedef struct run run_t;
struct run {
	run_t *next;
	run_t *look_next;
	bool look;		/* is to be looked at */
	fed_timer_t timer;
	gw_job_t *job;
	char *name;		/* of its directory: ID.EPOCH */
	char *dir;
	char *mark;
	char *cgroup;		/* NULL: none */
	char *failure;		/* why it could not even be spawned */
	int pidfd;		/* of its shim; -1: not watched (yet) */
	int64_t spawned_ms;
	bool told_started;	/* the engine knows */
	bool done;		/* and of its end too */
	bool cancel;		/* wanted */
	bool cancel_told;
	int cancel_signal;
	bool suspend;		/* wanted */
	bool suspend_told;	/* that it is as wanted */
	int notice;		/* number of the last one */
};

struct gw_backend {
	const gw_conf_t *conf;
	const gw_backend_host_t *host;
	gw_node_t node;
	gw_layout_t layout;
	char *jobs_dir;
	char *cgroup_base;
	char *socket_path;
	int socket;
	int epoll;
	int64_t sweep_ms;	/* when to look for what is no job's */
	run_t *runs;
	run_t *looks;
	fed_timers_t timers;
	int64_t now_ms;
};

/* Have it looked at in this turn's work. */
extern void gw_local_look_at(gw_backend_t *backend, run_t *run);

/* Make its directory and start its shim; a failure is reported later. */
extern void gw_local_begin(gw_backend_t *backend, run_t *run,
			   const flurm_job_spec_t *spec);

/*
 * What is there of it from before? A directory that no shim has claimed is
 * claimed for nobody, so that no shim ever will.
 * RET 1 if a shim has it, 0 if it is free to be started, -1 if that cannot be
 * told
 */
extern int gw_local_taken(const run_t *run, fed_err_t *err);

/* Can its files be named at all? RET 0 or -1 */
extern int gw_local_check_files(const gw_backend_t *backend,
				const flurm_job_spec_t *spec, fed_err_t *err);

/* Have the end of its shim wake us, or no more. */
extern void gw_local_watch(gw_backend_t *backend, run_t *run, pid_t pid);
extern void gw_local_unwatch(gw_backend_t *backend, run_t *run);

/* See what has become of it and report that; tell its shim what is new. */
extern void gw_local_look(gw_backend_t *backend, run_t *run);

#endif
