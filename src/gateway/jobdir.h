/*
 * jobdir.h - a started job's directory: all that gateway and shim share.
 *
 * The gateway makes it and starts the shim on it; from then on both may die
 * and come back (the gateway) or not (the shim), so each fact is a file that
 * appears whole or not at all:
 *
 *	spec, env, script	what to run and how, written by the gateway
 *	ctl			a FIFO: what the gateway tells the shim
 *	claim			who runs it: made once, by the shim that will,
 *				or by the gateway so that none will any more
 *	started			the user's script has been executed
 *	outcome			how it ended
 *
 * A shim runs nothing before its claim is on disk, and there is only ever one
 * claim, so a job directory runs its script at most once whatever dies when.
 */
#ifndef FED_GATEWAY_JOBDIR_H
#define FED_GATEWAY_JOBDIR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/core/err.h"
#include "src/gateway/proc.h"

#define GW_REASON_MAX FED_ERR_TEXT_MAX

typedef struct {
	char *mark;		/* NAME=value in the environment of all its
				 * processes, to find them again */
	char *notify;		/* datagram socket: told when a file appears */
	int64_t uid;
	int64_t gid;
	char *user;		/* as the submitter says; NULL: not said */
	char *work_dir;
	char *std_in;		/* absolute paths, patterns expanded */
	char *std_out;
	char *std_err;		/* NULL: with std_out */
	int64_t append;		/* do not truncate the output */
	int64_t time_limit;	/* seconds; 0: none */
	int64_t kill_wait;	/* seconds from TERM to KILL */
	int64_t memory_kb;	/* of all its processes; 0: no limit */
	int64_t warn_signal;	/* sent warn_time before the limit; 0: none */
	int64_t warn_time;
	char *cgroup;		/* its own; NULL: none */
	char **argv;		/* of the script, beside its name */
} gw_shim_spec_t;

/* why a job ended, beside what its exit status says */
typedef enum {
	GW_ENDED_ITSELF,
	GW_ENDED_TIME_LIMIT,
	GW_ENDED_CANCELLED,
	GW_ENDED_MEMORY,
	GW_ENDED_SHUTDOWN,	/* the host goes down */
	GW_ENDED_NOT_STARTED,	/* nothing of it ran: reason */
	GW_ENDED_COUNT,
} gw_ended_t;

typedef struct {
	gw_ended_t ended;
	int64_t wait_status;	/* as of waitpid() */
	int64_t start_time;	/* Unix seconds; 0 if it did not start */
	int64_t end_time;
	int64_t suspended_for;	/* seconds */
	int64_t user_us;
	int64_t system_us;
	int64_t max_rss_kb;
	char reason[GW_REASON_MAX];
} gw_outcome_t;

typedef struct {
	int64_t start_time;
	gw_proc_t proc;		/* the script's; also its session */
} gw_started_t;

extern void gw_shim_spec_free(gw_shim_spec_t *spec);

/*
 * Make the directory with all that the shim needs. What is there already of
 * it is removed first: the caller made sure that it is not in use.
 * IN script, len - any bytes
 * IN env - "NAME=value", NULL-terminated
 * RET 0 or -1
 */
extern int gw_jobdir_create(const char *dir, const gw_shim_spec_t *spec,
			    char *const *env, const char *script, size_t len,
			    fed_err_t *err);

/* RET 0, also if there is none, or -1 */
extern int gw_jobdir_remove(const char *dir, fed_err_t *err);

/* The following take an open directory. */

extern int gw_jobdir_read_spec(int dirfd, gw_shim_spec_t *ret_spec,
			       char ***ret_env, fed_err_t *err);

/*
 * Claim the job for a process, or with NULL for nobody, durably.
 * RET 1 if it is ours now, 0 if somebody claimed it before, -1
 */
extern int gw_jobdir_claim(int dirfd, const gw_proc_t *proc, fed_err_t *err);

/*
 * OUT ret_proc - pid 0: claimed for nobody
 * RET 1, 0 if nobody claimed it, -1 if that cannot be told
 */
extern int gw_jobdir_read_claim(int dirfd, gw_proc_t *ret_proc,
				fed_err_t *err);

extern int gw_jobdir_write_started(int dirfd, const gw_started_t *started,
				   fed_err_t *err);
extern int gw_jobdir_read_started(int dirfd, gw_started_t *ret_started,
				  fed_err_t *err);	/* RET 1, 0, -1 */

extern int gw_jobdir_write_outcome(int dirfd, const gw_outcome_t *outcome,
				   fed_err_t *err);
extern int gw_jobdir_read_outcome(int dirfd, gw_outcome_t *ret_outcome,
				  fed_err_t *err);	/* RET 1, 0, -1 */

/* what the gateway may tell a shim, one to a line of the FIFO */
typedef enum {
	GW_TELL_CANCEL,		/* value: signal; 0: TERM, then KILL */
	GW_TELL_SIGNAL,		/* value: signal for all its processes */
	GW_TELL_SIGNAL_BATCH,	/* the same for the script's shell alone */
	GW_TELL_SIGNAL_STEPS,	/* the same for all but that */
	GW_TELL_SUSPEND,
	GW_TELL_RESUME,
	GW_TELL_NOTIFY,		/* value: number of the notice */
	GW_TELL_COUNT,
} gw_tell_t;

/* RET 1 if the shim will read it, 0 if it does not listen (yet), -1 */
extern int gw_jobdir_tell(const char *dir, gw_tell_t what, int value,
			  fed_err_t *err);

/*
 * Leave a notice for the user and tell the shim of it.
 * IN number - of its own among those that were not taken yet
 * RET as gw_jobdir_tell()
 */
extern int gw_jobdir_notify(const char *dir, int number, const char *text,
			    fed_err_t *err);

/* RET a notice, to be freed, or NULL: there is none of that number any more */
extern char *gw_jobdir_take_notice(int dirfd, int number);

/* RET the FIFO, to be read from, or -1 */
extern int gw_jobdir_open_ctl(int dirfd, fed_err_t *err);

/* RET 0, or -1 if the line says nothing known */
extern int gw_jobdir_parse_tell(const char *line, gw_tell_t *ret_what,
				int *ret_value);

#endif
