/*
 * unset.h - numbers and flags that were not said (see model.h).
 */
#ifndef FED_FLURM_UNSET_H
#define FED_FLURM_UNSET_H

#include <stdbool.h>
#include <stdint.h>

#define FLURM_UNSET INT64_MIN
#define FLURM_UNLIMITED INT64_MAX	/* "unlimited" in JSON: time_limit */

/* true, false or not said */
typedef enum {
	FLURM_MAYBE = 0,
	FLURM_NO = -1,
	FLURM_YES = 1,
} flurm_flag_t;

static inline bool flurm_is_set(int64_t number)
{
	return number != FLURM_UNSET;
}

/* RET number, or other if it was not said */
static inline int64_t flurm_or(int64_t number, int64_t other)
{
	return flurm_is_set(number) ? number : other;
}

/* RET the flag, or other if it was not said */
static inline bool flurm_flag_or(flurm_flag_t flag, bool other)
{
	return flag ? (flag == FLURM_YES) : other;
}

#endif
