/*
 * assoc.h - who may do what on a FLURM cluster, as slurmdbd says.
 *
 * Users with their administrative levels and the accounts that they
 * coordinate, the associations of the cluster and all QOS: copied from
 * slurmdbd's answers, and kept for as long as there is no newer answer, also
 * over a restart (RECORD_ASSOC). Never Slurm's assoc_mgr: in slurmctld that
 * is the native cluster's, and behind its locks.
 *
 * Lookups are for any thread and wait for nobody, but for the system's user
 * database when a uid was never seen before. The rules are those of
 * common/assoc_mgr.c; names of accounts and QOS are compared without regard to
 * case, as there.
 */
#ifndef FED_SIBLING_ASSOC_H
#define FED_SIBLING_ASSOC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/core/bytes.h"
#include "src/core/err.h"
#include "src/sibling/compat.h"
#include "src/sibling/limits.h"

typedef struct assoc assoc_t;

/* RET an empty one, that knows nobody */
extern assoc_t *assoc_create(void);
extern void assoc_destroy(assoc_t *assoc);

/* RET false until slurmdbd, or a ledger, has told of it */
extern bool assoc_is_known(assoc_t *assoc);

/*
 * Replace all that is known. May take its time to find the users' uids: not
 * for the engine's thread.
 * IN users - of slurmdb_user_rec_t, with coord_accts
 * IN assocs - of slurmdb_assoc_rec_t, those of one cluster
 * IN qos - of slurmdb_qos_rec_t
 * IN wckeys - of slurmdb_wckey_rec_t, those of that cluster; NULL: they are not
 *	tracked
 * RET true if it is other than what was known
 */
extern bool assoc_load(assoc_t *assoc, compat_list_t users,
		       compat_list_t assocs, compat_list_t qos,
		       compat_list_t wckeys);

/* To and from the ledger. RET of unpack: 0, or -1 with err and nothing new */
extern void assoc_pack(assoc_t *assoc, fed_bytes_t *bytes);
extern int assoc_unpack(assoc_t *assoc, const void *body, size_t len,
			fed_err_t *err);

/* RET SLURMDB_ADMIN_NOTSET for who is not known */
extern slurmdb_admin_level_t assoc_admin_level(assoc_t *assoc, uid_t uid);

/* RET slurmdbd's name of a user, to be xfreed; NULL: it has none of that uid */
extern char *assoc_user_name(assoc_t *assoc, uid_t uid);

/*
 * IN account - NULL: any at all
 * RET true if the user coordinates that account
 */
extern bool assoc_coordinates(assoc_t *assoc, uid_t uid, const char *account);

/* An association of a user */
typedef struct {
	uint32_t id;		/* slurmdbd's; 0: there is none */
	char *account;		/* xmalloc'd, or NULL */
	uint32_t qos_id;	/* what it runs with; 0: not known */
	char *qos;		/* its name, xmalloc'd, or NULL */
} assoc_found_t;

extern void assoc_found_free(assoc_found_t *found);

/*
 * What a job of a user is accounted to, and whether it may run at all
 * (slurmctld/job_mgr.c, _job_create() and _determine_and_validate_qos()).
 * IN enforce - ACCOUNTING_ENFORCE_* bits: ASSOCS and QOS are looked at
 * IN account - NULL for the user's default
 * IN partition - or NULL; an association for all partitions fits any
 * IN qos - NULL for the default of the association
 * OUT ret - what is known, also when the job may not run; to be freed
 * RET SLURM_SUCCESS, or the Slurm errno to refuse it with, and err says why
 */
extern uint32_t assoc_check(assoc_t *assoc, uint16_t enforce, uid_t uid,
			    const char *account, const char *partition,
			    const char *qos, assoc_found_t *ret,
			    fed_err_t *err);

/*
 * The wckey that a job has (slurmctld/job_mgr.c,
 * _copy_job_desc_to_job_record()); only where wckeys are tracked.
 * IN enforce - ACCOUNTING_ENFORCE_WCKEYS is looked at
 * IN wckey - NULL: it named none
 * OUT ret_wckey - what it has, to be xfreed; the default with a "*" before it
 * RET SLURM_SUCCESS, or the Slurm errno to refuse it with, and err says why
 */
extern uint32_t assoc_check_wckey(assoc_t *assoc, uint16_t enforce, uid_t uid,
				  const char *wckey, char **ret_wckey,
				  fed_err_t *err);

/* What limits the jobs of an association with a QOS; limits may be NULL */
typedef struct {
	uint32_t qos_id;	/* 0: there is none */
	limits_t *qos;
	char *account;
	uint32_t count;		/* the association and all above it */
	struct {
		uint32_t id;
		limits_t *limits;
	} *assoc;
} assoc_limits_t;

/*
 * IN uid, account, partition, qos - as of assoc_check()
 * OUT ret - a copy, for assoc_limits_free(); without an association of count 0
 */
extern void assoc_limits(assoc_t *assoc, uid_t uid, const char *account,
			 const char *partition, const char *qos,
			 assoc_limits_t *ret);
extern void assoc_limits_free(assoc_limits_t *limits);

/* RET its id, 0 if there is none of that name */
extern uint32_t assoc_qos_id(assoc_t *assoc, const char *name);

/*
 * OUT ret_keeps - what was used with it does not decay (NoDecay)
 * RET false if there is no such QOS
 */
extern bool assoc_qos_keeps(assoc_t *assoc, uint32_t id, bool *ret_keeps);

/* An association, by its id, and the one above it */
typedef struct {
	uint32_t id;
	uint32_t parent;	/* 0: it is the root */
} assoc_link_t;

/*
 * OUT ret_count - how many
 * RET all associations, by id, to be xfreed
 */
extern assoc_link_t *assoc_links(assoc_t *assoc, uint32_t *ret_count);

/* RET the one of that id, or NULL */
extern const assoc_link_t *assoc_link(const assoc_link_t *links,
				      uint32_t count, uint32_t id);

/* RET its name, to be xfreed, or NULL */
extern char *assoc_qos_name(assoc_t *assoc, uint32_t id);

typedef struct {
	bool known;
	size_t users;
	size_t assocs;
	size_t qos;
} assoc_counts_t;

extern void assoc_counts(assoc_t *assoc, assoc_counts_t *counts);

#endif
