/*
 * job_line.h - a job's state in the ledger, in words.
 */
#ifndef FED_FLURMFED_JOB_LINE_H
#define FED_FLURMFED_JOB_LINE_H

#include <stdbool.h>

#include "src/core/fed_job.h"

/* Print it to standard output, without a newline. */
extern void job_line_print(const fed_job_t *job);

/* RET true if both would be printed alike */
extern bool job_line_same(const fed_job_t *a, const fed_job_t *b);

#endif
