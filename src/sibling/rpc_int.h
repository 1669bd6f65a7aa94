/*
 * rpc_int.h - the handlers of rpc.c's table, by the file they are in.
 *
 * Each answers its request on msg's connection, and once; rpc_suspend() alone
 * not always. What the sender may is for the handler to ask (rights.h), unless
 * the table says who may at all.
 */
#ifndef FED_SIBLING_RPC_INT_H
#define FED_SIBLING_RPC_INT_H

#include "src/sibling/rpc.h"
#include "src/sibling/view.h"

typedef void rpc_serve_t(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid);

/* rpc_daemon.c: what slurmdbd and those who look for us ask */
extern rpc_serve_t rpc_ping, rpc_control_status, rpc_fed_info;
extern rpc_serve_t rpc_accounting_update, rpc_register_ctld;

/* rpc_job.c: jobs */
extern rpc_serve_t rpc_jobs, rpc_user_jobs, rpc_one_job, rpc_job_states;

/* rpc_job_more.c: of one job more than its record */
extern rpc_serve_t rpc_steps, rpc_script, rpc_job_ready, rpc_priorities;

/* rpc_act.c: what is to be done with a job; rpc_submit.c: one to come */
extern rpc_serve_t rpc_kill_job, rpc_kill_step, rpc_suspend;
extern rpc_serve_t rpc_update_job, rpc_requeue, rpc_notify, rpc_top;
extern rpc_serve_t rpc_will_run;

/* rpc_kill_jobs.c: many jobs at once */
extern rpc_serve_t rpc_kill_jobs;

/* rpc_node.c: nodes and partitions */
extern rpc_serve_t rpc_nodes, rpc_one_node, rpc_partitions;

/* rpc_none.c: what FLURM has none of */
extern rpc_serve_t rpc_reservations, rpc_licenses, rpc_topology;
extern rpc_serve_t rpc_burst_buffers;

/* rpc_assoc.c: associations, users and QOS */
extern rpc_serve_t rpc_shares, rpc_assocs;

/* rpc_conf.c, rpc_stats.c: the controller */
extern rpc_serve_t rpc_config, rpc_stats;

/*
 * RET a view for view_unref(), or NULL: the request has been answered then,
 *	with an error
 */
extern view_t *rpc_view(const rpc_conf_t *conf, slurm_msg_t *msg);

/* The same, for who is to do something (engine_view_now()). */
extern view_t *rpc_view_now(const rpc_conf_t *conf, slurm_msg_t *msg);

/*
 * As slurmctld does, to a second.
 * RET true if nothing changed since: the request has been answered then
 */
extern bool rpc_no_change(slurm_msg_t *msg, time_t last_update,
			  time_t changed);

/*
 * A text from a request, which may have no end: older unpackers take bytes as
 * they come.
 * IN text - in Slurm's memory, all of one allocation
 * RET it, or NULL if it is none
 */
extern const char *rpc_text(const char *text);

/*
 * A job by number or, if there is one, by text; FLURM has no array and no
 * heterogeneous job.
 * RET its id, 0 if that is none
 */
extern uint32_t rpc_job_id(const char *given, uint32_t number);

/* An ended job is known for MinJobAge, then only its tombstone is left. */
extern bool rpc_job_is_past(const rpc_conf_t *conf, const view_t *view,
			    const view_job_t *job);

/* RET the job, or NULL: there is none of that id, or not any more */
extern const view_job_t *rpc_job_find(const rpc_conf_t *conf,
				      const view_t *view, uint32_t job_id);

/* RET whether it is ours to act on: it may be running here, or it has run */
extern bool rpc_job_is_ours(const view_job_t *job);

/* The body's first field is a count that was not known yet. */
extern void rpc_set_count(buf_t *buf, uint32_t count);

#endif
