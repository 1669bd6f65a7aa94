/*
 * dbd_recs.h - what slurmdbd says of users, associations and QOS: each is put on
 * a list and returned, for what else is to be in it.
 */
#ifndef FED_UNIT_DBD_RECS_H
#define FED_UNIT_DBD_RECS_H

#include "src/sibling/compat.h"

static inline slurmdb_user_rec_t *dbd_recs_user(compat_list_t users,
						const char *name)
{
	slurmdb_user_rec_t *rec = xmalloc(sizeof(*rec));

	rec->name = xstrdup(name);
	list_append(users, rec);
	return rec;
}

/* IN user - or NULL: it is the account's */
static inline slurmdb_assoc_rec_t *dbd_recs_assoc(compat_list_t assocs,
						  uint32_t id,
						  const char *account,
						  const char *user)
{
	slurmdb_assoc_rec_t *rec = xmalloc(sizeof(*rec));

	slurmdb_init_assoc_rec(rec, false);
	rec->id = id;
	rec->acct = xstrdup(account);
	rec->user = xstrdup(user);
	list_append(assocs, rec);
	return rec;
}

static inline slurmdb_qos_rec_t *dbd_recs_qos(compat_list_t qos, uint32_t id,
					      const char *name)
{
	slurmdb_qos_rec_t *rec = xmalloc(sizeof(*rec));

	slurmdb_init_qos_rec(rec, false, NO_VAL);
	rec->id = id;
	rec->name = xstrdup(name);
	list_append(qos, rec);
	return rec;
}

#endif
