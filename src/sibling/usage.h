/*
 * usage.h - what associations and QOS have used of a cluster, which decays.
 *
 * The rules are those of priority/multifactor (priority_multifactor.c,
 * _decay_thread(), _apply_new_usage()): every PriorityCalcPeriod all usage
 * decays, and the jobs that run are charged for the time since then; a job that
 * ends is charged for the rest. So usage goes with a time, up to which all jobs
 * that have started are charged. Whoever keeps jobs sees to it that each is,
 * and once (jobs_usage.c).
 *
 * Pure: reads no clock. What changes it is a record, too: charges one by one
 * (RECORD_CHARGE), all of it whenever it decays (RECORD_USAGE).
 */
#ifndef FED_SIBLING_USAGE_H
#define FED_SIBLING_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/bytes.h"
#include "src/core/err.h"
#include "src/sibling/limits.h"

typedef struct usage usage_t;

/* Of slurm.conf */
typedef struct {
	bool kept;		/* PriorityType is not priority/basic */
	uint32_t half_life;	/* PriorityDecayHalfLife, seconds; 0: none */
	uint32_t period;	/* PriorityCalcPeriod, seconds */
	uint16_t reset;		/* PriorityUsageResetPeriod, PRIORITY_RESET_ */
} usage_conf_t;

/* Of whom. Numbers are in ledgers. */
typedef enum {
	USAGE_ASSOC = 1,	/* of an account: and of all below it */
	USAGE_QOS = 2,
} usage_of_t;

/* RET with nothing used yet */
extern usage_t *usage_create(void);
extern void usage_destroy(usage_t *usage);

/* RET what was used, or NULL: nothing; valid until the next change */
extern const usage_sum_t *usage_find(const usage_t *usage, usage_of_t of,
				     uint32_t id);

/* Visit all that have used something. */
extern void usage_walk(const usage_t *usage,
		       void (*visit)(usage_of_t of, uint32_t id,
				     const usage_sum_t *sum, void *arg),
		       void *arg);

/* RET the time up to which those that have started are charged; 0: never yet */
extern int64_t usage_until(const usage_t *usage);

/* Who pays for a job, and what it has */
typedef struct {
	uint32_t qos;		/* id, or 0 */
	bool keeps;		/* the QOS has NoDecay */
	double factor;		/* its UsageFactor */
	const uint32_t *assoc;	/* ids: the job's association and all above */
	uint32_t assoc_cnt;
	uint64_t tres[LIMIT_TRES];
	bool by_tres;		/* else only raw usage and time are charged */
} usage_payers_t;

/*
 * Charge a job.
 * IN conf - only its half-life is looked at
 * IN from, to - for the time between; if from is the later one, that much is
 *	given back, which was charged before it was known when the job ended
 * IN/OUT record - what was charged is added, as a body of RECORD_CHARGE; NULL:
 *	RECORD_USAGE will say it
 */
extern void usage_charge(usage_t *usage, const usage_conf_t *conf,
			 const usage_payers_t *payers, int64_t from,
			 int64_t to, fed_bytes_t *record);

/* What becomes of the usage of somebody as time passes */
typedef enum {
	USAGE_DECAYS,
	USAGE_STAYS,		/* a QOS with NoDecay */
	USAGE_GOES,		/* there is none of that id any more; what it
				 * used stays with those above it */
} usage_fate_t;

/*
 * Let it decay up to a time, or be reset if that is due. The caller has charged
 * nobody for the time since usage_until() yet, and charges all for it now, with
 * the old usage_until() as the beginning.
 */
extern void usage_decay(usage_t *usage, const usage_conf_t *conf, int64_t now,
			usage_fate_t (*fate)(usage_of_t of, uint32_t id,
					     void *arg),
			void *arg);

/*
 * Say who is above whom: an account that was moved takes what it has used along
 * (assoc_mgr.c, assoc_mgr_update_assocs()).
 * IN above - OUT ret_parent: id of the association above that one, 0: none;
 *	RET false: there is no such association
 * RET true if anybody was moved
 */
extern bool usage_set_tree(usage_t *usage,
			   bool (*above)(uint32_t id, uint32_t *ret_parent,
					 void *arg),
			   void *arg);

/*
 * An association is to have used nothing: nor have those below it, and those
 * above that much less (assoc_mgr.c, assoc_mgr_remove_assoc_usage()).
 */
extern void usage_forget(usage_t *usage, uint32_t id);

/*
 * ... and a QOS nothing, or with another raw usage what it has
 * (assoc_mgr_update_qos_usage())
 */
extern void usage_set_qos(usage_t *usage, uint32_t id, double raw);

/* RET when usage is to be reset, if it was last reset then; 0: never */
extern int64_t usage_next_reset(uint16_t reset, int64_t last, int64_t now);

/* RECORD_USAGE, RECORD_CHARGE. RET of those: 0, or -1 with err */
extern void usage_pack(const usage_t *usage, fed_bytes_t *bytes);
extern int usage_replay(usage_t *usage, uint16_t type, const void *body,
			size_t len, fed_err_t *err);

#endif
