/*
 * assoc_int.h - what assoc*.c share.
 *
 * What is known is one block that a newer one replaces. LOCKING: assoc->lock
 * is held to look things up in it and to replace it, never while the system's
 * user database is asked.
 */
#ifndef FED_SIBLING_ASSOC_INT_H
#define FED_SIBLING_ASSOC_INT_H

#include <pthread.h>

#include "src/sibling/assoc.h"
#include "src/sibling/assoc_show.h"

#define ASSOC_UID_UNKNOWN ((uid_t) NO_VAL)
#define ASSOC_DEPTH_MAX 64	/* slurmdbd's tree might be a circle */

typedef struct {
	char *name;
	uid_t uid;		/* ASSOC_UID_UNKNOWN: no such user here */
	uint16_t admin_level;
	uint32_t coord_cnt;
	char **coords;		/* accounts */
} assoc_user_t;

typedef struct {
	char *user;		/* first, see assoc.c, _first_of() */
	uint32_t id;
	char *account;
	char *partition;	/* NULL: for all of them */
	bool is_def;		/* the account is the user's default */
	uint32_t def_qos;	/* 0: none */
	uint32_t qos_cnt;
	uint32_t *qos;		/* ids of those that it may use */
	uint32_t parent;	/* id of the account's */
	limits_t *limits;	/* or NULL: none */
} assoc_rec_t;

/* The association of an account, that those of users are below */
typedef struct {
	uint32_t id;
	uint32_t parent;	/* 0: it is the root */
	limits_t *limits;	/* or NULL: none */
} assoc_acct_t;

typedef struct {
	uint32_t id;
	char *name;
	limits_t *limits;	/* NULL: not known, of an old ledger */
} assoc_qos_t;

typedef struct {
	char *user;		/* first, too */
	char *name;
	bool is_def;		/* the user's default */
} assoc_wckey_t;

typedef struct {
	uint32_t user_cnt, rec_cnt, acct_cnt, qos_cnt, wckey_cnt;
	assoc_user_t *users;	/* by name */
	uint32_t *by_uid;	/* their places, by uid */
	assoc_rec_t *recs;	/* of users, by user */
	assoc_acct_t *accts;	/* by id */
	assoc_qos_t *qos;
	assoc_wckey_t *wckeys;	/* by user */
	uint32_t root_qos;	/* default of the root account, or 0 */
} assoc_known_t;

#define ASSOC_STRANGERS 64

struct assoc {
	pthread_mutex_t lock;
	bool is_known;
	assoc_known_t known;
	/* uids that slurmdbd has no user for, by uid: not looked for again for
	 * a while, since each job of theirs asks */
	struct {
		uid_t uid;
		int64_t until_ms;
	} stranger[ASSOC_STRANGERS];
	assoc_show_t *show;	/* or NULL */
};

/* The lock is held, if it is what is known and not yet to be. */
extern void assoc_known_sort(assoc_known_t *known);
extern void assoc_known_free(assoc_known_t *known);
extern void assoc_known_pack(const assoc_known_t *known, fed_bytes_t *bytes);

/* RET the user of that name, or NULL */
extern assoc_user_t *assoc_known_user(const assoc_known_t *known,
				      const char *name);

/* RET the account's association of that id, or NULL */
extern const assoc_acct_t *assoc_known_acct(const assoc_known_t *known,
					    uint32_t id);

/* Replace what is known. RET true if that changes it */
extern bool assoc_replace(assoc_t *assoc, assoc_known_t *known);

#endif
