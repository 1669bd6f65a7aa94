/*
 * assoc_load.c - who may do what on a FLURM cluster: what slurmdbd says (see
 * assoc.h).
 *
 * Records come from what a peer sent, and Slurm's unpackers take a record that
 * is marked as absent: any x below may be NULL.
 */
#include "src/sibling/assoc_int.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

static uid_t _uid_of(const char *name)
{
	long room = sysconf(_SC_GETPW_R_SIZE_MAX);
	struct passwd pwd, *found = NULL;
	uid_t uid = ASSOC_UID_UNKNOWN;
	char *buf;

	room = (room > 0) ? room * 4 : 65536;
	buf = xmalloc(room);
	if (!getpwnam_r(name, &pwd, buf, room, &found) && found)
		uid = found->pw_uid;
	xfree(buf);
	return uid;
}

static int _add_coord(void *x, void *arg)
{
	const slurmdb_coord_rec_t *coord = x;
	assoc_user_t *user = arg;

	if (coord && coord->name)
		user->coords[user->coord_cnt++] = xstrdup(coord->name);
	return 0;
}

static int _add_user(void *x, void *arg)
{
	const slurmdb_user_rec_t *rec = x;
	assoc_known_t *known = arg;
	assoc_user_t *user;

	if (!rec || !rec->name)
		return 0;
	user = &known->users[known->user_cnt++];
	user->name = xstrdup(rec->name);
	user->uid = ASSOC_UID_UNKNOWN;
	user->admin_level = rec->admin_level;
	if (!rec->coord_accts)
		return 0;
	user->coords = xcalloc(list_count(rec->coord_accts) + 1,
			       sizeof(*user->coords));
	(void) list_for_each(rec->coord_accts, _add_coord, user);
	return 0;
}

static int _add_allowed(void *x, void *arg)
{
	const char *id = x;
	assoc_rec_t *rec = arg;
	char *end = NULL;
	unsigned long value = id ? strtoul(id, &end, 10) : 0;

	if (value && (value < NO_VAL) && !*end)
		rec->qos[rec->qos_cnt++] = value;
	return 0;
}

static int _add_assoc(void *x, void *arg)
{
	const slurmdb_assoc_rec_t *from = x;
	assoc_known_t *known = arg;
	uint32_t def_qos;
	assoc_rec_t *rec;

	if (!from || !from->acct)
		return 0;
	def_qos = ((from->def_qos_id >= NO_VAL) ? 0 : from->def_qos_id);
	if (!from->user) {
		if (!xstrcmp(from->acct, "root"))
			known->root_qos = def_qos;
		known->accts[known->acct_cnt++] = (assoc_acct_t) {
			.id = from->id,
			.parent = from->parent_id,
			.limits = limits_of_assoc(from),
		};
		return 0;
	}
	rec = &known->recs[known->rec_cnt++];
	rec->id = from->id;
	rec->user = xstrdup(from->user);
	rec->account = xstrdup(from->acct);
	if (from->partition && from->partition[0])
		rec->partition = xstrdup(from->partition);
	rec->is_def = (from->is_def == 1);
	rec->def_qos = def_qos;
	rec->parent = from->parent_id;
	rec->limits = limits_of_assoc(from);
	if (!from->qos_list)
		return 0;
	rec->qos = xcalloc(list_count(from->qos_list) + 1, sizeof(*rec->qos));
	(void) list_for_each(from->qos_list, _add_allowed, rec);
	return 0;
}

static int _add_qos(void *x, void *arg)
{
	const slurmdb_qos_rec_t *from = x;
	assoc_known_t *known = arg;

	if (!from || !from->name)
		return 0;
	known->qos[known->qos_cnt++] = (assoc_qos_t) {
		.id = from->id,
		.name = xstrdup(from->name),
		.limits = limits_of_qos(from),
	};
	return 0;
}

static int _add_wckey(void *x, void *arg)
{
	const slurmdb_wckey_rec_t *from = x;
	assoc_known_t *known = arg;

	if (!from || !from->name || !from->user)
		return 0;
	known->wckeys[known->wckey_cnt++] = (assoc_wckey_t) {
		.user = xstrdup(from->user),
		.name = xstrdup(from->name),
		.is_def = (from->is_def == 1),
	};
	return 0;
}

static void _find_uids(assoc_t *assoc, assoc_known_t *known)
{
	pthread_mutex_lock(&assoc->lock);
	for (uint32_t i = 0; i < known->user_cnt; i++) {
		const assoc_user_t *old = assoc_known_user(&assoc->known,
						       known->users[i].name);

		if (old)
			known->users[i].uid = old->uid;
	}
	pthread_mutex_unlock(&assoc->lock);
	for (uint32_t i = 0; i < known->user_cnt; i++)
		if (known->users[i].uid == ASSOC_UID_UNKNOWN)
			known->users[i].uid = _uid_of(known->users[i].name);
}

extern bool assoc_load(assoc_t *assoc, compat_list_t users,
		       compat_list_t assocs, compat_list_t qos,
		       compat_list_t wckeys)
{
	assoc_known_t known = {
		.users = xcalloc(list_count(users) + 1, sizeof(assoc_user_t)),
		.recs = xcalloc(list_count(assocs) + 1, sizeof(assoc_rec_t)),
		.accts = xcalloc(list_count(assocs) + 1, sizeof(assoc_acct_t)),
		.qos = xcalloc(list_count(qos) + 1, sizeof(assoc_qos_t)),
	};

	(void) list_for_each(users, _add_user, &known);
	(void) list_for_each(assocs, _add_assoc, &known);
	(void) list_for_each(qos, _add_qos, &known);
	if (wckeys) {
		known.wckeys = xcalloc(list_count(wckeys) + 1,
				       sizeof(assoc_wckey_t));
		(void) list_for_each(wckeys, _add_wckey, &known);
	}
	_find_uids(assoc, &known);
	assoc_known_sort(&known);
	return assoc_replace(assoc, &known);
}
