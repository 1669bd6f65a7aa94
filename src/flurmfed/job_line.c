/*
 * job_line.c - a job's state in the ledger, in words (see job_line.h).
 */
#include "src/flurmfed/job_line.h"

#include <inttypes.h>
#include <stdio.h>

static void _print_end(const fed_job_t *job)
{
	printf(" %s", fed_job_end_name(job->end));
	if (job->status & 0x7f)
		printf(", signal %u", job->status & 0x7f);
	else
		printf(", exit code %u", (job->status >> 8) & 0xff);
}

extern void job_line_print(const fed_job_t *job)
{
	const char *before = "; still to say: ";

	printf("%s", fed_job_state_name(job->state));
	if (job->flurm_id && (job->state == FED_JOB_QUEUED))
		printf(" as FLURM's job %" PRIu64, job->flurm_id);
	if (job->end)
		_print_end(job);
	if (job->code)
		printf(", refused with %u", job->code);
	if (job->refusals)
		printf(", lock refused %u times", job->refusals);
	for (int i = 0; i < FED_ACTIONS; i++) {
		if (!(job->owed & FED_BIT(i)))
			continue;
		printf("%s%s", before, fed_job_action_name(i));
		before = ", ";
	}
}

extern bool job_line_same(const fed_job_t *a, const fed_job_t *b)
{
	return (a->state == b->state) && (a->flurm_id == b->flurm_id) &&
	       (a->end == b->end) && (a->status == b->status) &&
	       (a->code == b->code) && (a->refusals == b->refusals) &&
	       (a->owed == b->owed);
}
