/*
 * conf.h - gateway.conf, as gateway.conf(5) describes it.
 *
 * All keys are in one table in conf.c. A key that is not there, a value that
 * does not fit and two values that do not go together are errors with file
 * and line: a gateway that starts does what its file says.
 */
#ifndef FED_GATEWAY_CONF_H
#define FED_GATEWAY_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/core/err.h"

#define GW_NO_LIMIT INT64_MAX

/* "partition = NAME key=value ...", once for each */
typedef struct {
	char *name;
	int64_t max_time;	/* seconds or GW_NO_LIMIT */
	int64_t default_time;	/* seconds or GW_NO_LIMIT */
	int64_t priority;	/* of jobs that ask for none, nice is taken off */
	bool is_default;
	bool up;		/* down: jobs queue, none starts */
} gw_partition_conf_t;

typedef struct {
	char *path;		/* the file; NULL for defaults alone */

	char *cluster_name;
	char *backend;		/* "local", "sim" */
	char *state_dir;
	char *log_level;

	/* who is served, and how */
	char *address;		/* of "listen", numeric */
	int64_t port;		/* 0: any free one (said in the log) */
	char *token_key_file;	/* NULL only with insecure_no_token */
	bool insecure_no_token;
	bool insecure_plain_http;
	char *tls_cert_file;
	char *tls_key_file;
	char *tls_client_ca_file;
	int64_t max_body_mb;
	int64_t max_connections;
	int64_t max_jobs;	/* that are not over */

	/* the gate and what is kept */
	int64_t gate_ask_again;	/* seconds without an answer */
	int64_t gate_patience;	/* seconds until resources are given back */
	int64_t gate_retry;	/* seconds until the job then queues again */
	int64_t start_attempts;	/* failed starts until a job is held */
	int64_t finished_keep;	/* seconds that a finished job is kept */
	int64_t max_events;	/* kept for a client that is away */

	/* scheduling */
	int64_t backfill_depth;	/* waiting jobs looked at beyond the first */
	gw_partition_conf_t *partitions;
	size_t partition_count;

	/* backend local */
	char *node_name;
	int64_t cpus;
	int64_t memory_mb;
	char *features;
	int64_t kill_wait;	/* seconds from TERM to KILL */
	bool allow_root;	/* run jobs of uid 0 */
	int64_t min_uid;	/* others' jobs are refused; not root's */
	char *cgroup;		/* "auto", "off" or a directory */
	char *shim;		/* program */

	/* backend sim */
	int64_t sim_nodes;
	int64_t sim_cpus;	/* of each */
	int64_t sim_memory_mb;	/* of each */
	int64_t sim_speed;	/* virtual seconds in a real one */
	int64_t sim_duration;	/* seconds, mean, of jobs that say nothing */
	int64_t sim_failures;	/* percent of them that fail */
} gw_conf_t;

/* The defaults: what an empty file says. */
extern void gw_conf_init(gw_conf_t *conf);
extern void gw_conf_free(gw_conf_t *conf);

/*
 * Read and check a file.
 * OUT ret_conf - free with gw_conf_free(); untouched on failure
 * OUT err - file, line, key and what is wrong
 * RET 0 or -1
 */
extern int gw_conf_read(const char *path, gw_conf_t *ret_conf, fed_err_t *err);

/*
 * Take over what of a newer reading can be while we run: every key that
 * gw_conf_restart_key() does not name.
 */
extern void gw_conf_take(gw_conf_t *conf, gw_conf_t *newer);

/*
 * What of a newer reading cannot be taken over without a restart.
 * RET the first such key, or NULL if all can
 */
extern const char *gw_conf_restart_key(const gw_conf_t *now,
				       const gw_conf_t *newer);

#endif
