/*
 * job_kept.h - what is kept of a job for those who ask about it.
 *
 * Queue and accounting want to know more of a job than is needed to run it:
 * what its submission said that FLURM is not told, and how it fares at FLURM.
 * Both are kept, in memory and in the ledger, until the job is forgotten.
 */
#ifndef FED_SIBLING_JOB_KEPT_H
#define FED_SIBLING_JOB_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/bytes.h"
#include "src/flurm/event.h"
#include "src/flurm/job.h"
#include "src/sibling/compat.h"

/* From the submission, as Slurm has it (job_desc_msg_t). Strings are xmalloc'd
 * or NULL. */
typedef struct {
	char *alloc_node;	/* where it was submitted */
	uint32_t alloc_sid;
	char *cluster_features;
	char *command;		/* the script's name, without arguments */
	char *mail_user;
	uint16_t mail_type;
	char *prefer;
	uint16_t shared;
	char *submit_line;	/* the command that submitted it */
} job_submit_t;

/* RET a time limit in minutes, as Slurm has it: INFINITE, or unset if it is */
extern uint32_t job_minutes(int64_t seconds, uint32_t unset);

/* RET CPUs that a spec asks for */
extern int64_t job_cpus(const flurm_job_spec_t *spec);

/* RET megabytes that it asks for, with so many; 0: it does not say */
extern int64_t job_memory(const flurm_job_spec_t *spec, int64_t cpus,
			  int64_t nodes);

/* RET how many nodes a host list has, or FLURM_UNSET */
extern int64_t job_node_count(const char *nodes);

/* IN msg - a submission with a job_desc_msg_t in it */
extern void job_submit_set(job_submit_t *submit, const sib_msg_t *msg);
extern void job_submit_copy(job_submit_t *ret_submit,
			    const job_submit_t *submit);
extern void job_submit_free(job_submit_t *submit);
extern void job_submit_pack(const job_submit_t *submit, fed_bytes_t *bytes);
extern void job_submit_unpack(job_submit_t *submit, fed_reader_t *reader);

/*
 * From FLURM. Strings are xmalloc'd or NULL, numbers FLURM_UNSET until it has
 * said them. Start, end and exit are in the job's state (core/fed_job.h).
 */
typedef struct {
	char *nodes;		/* host list expression */
	char *reason;		/* why it waits, or how it ended */
	int64_t alloc_nodes;
	int64_t alloc_cpus;
	int64_t eligible_time;
	bool held;
	bool suspended;
	int64_t suspend_time;	/* of the last suspend or resume; 0: none */
	int64_t suspended_for;	/* seconds in all, before that suspend */
	flurm_usage_t usage;
} job_run_t;

extern void job_run_init(job_run_t *run);
extern void job_run_copy(job_run_t *ret_run, const job_run_t *run);
extern void job_run_free(job_run_t *run);

/*
 * Take what an event, or an answer about the job, says.
 * RET true if anything changed
 */
extern bool job_run_event(job_run_t *run, const flurm_event_t *event);
extern bool job_run_view(job_run_t *run, const flurm_job_t *seen, int64_t now);

extern void job_run_pack(const job_run_t *run, fed_bytes_t *bytes);
extern void job_run_unpack(job_run_t *run, fed_reader_t *reader);

#endif
