/*
 * assoc.c - who may do what on a FLURM cluster: what is asked (see assoc.h).
 */
#include "src/sibling/assoc_int.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/sibling/net.h"

#define STRANGER_MS 10000	/* until one is looked for again */

/* RET a name to be xfreed, or NULL */
static char *_name_of(uid_t uid)
{
	long room = sysconf(_SC_GETPW_R_SIZE_MAX);
	struct passwd pwd, *found = NULL;
	char *buf, *name = NULL;

	room = (room > 0) ? room * 4 : 65536;
	buf = xmalloc(room);
	if (!getpwuid_r(uid, &pwd, buf, room, &found) && found)
		name = xstrdup(found->pw_name);
	xfree(buf);
	return name;
}

/* ---- looking up; the lock is held ---- */

static assoc_user_t *_user_by_uid(const assoc_known_t *known, uid_t uid)
{
	uint32_t low = 0, high = known->user_cnt;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		assoc_user_t *user = &known->users[known->by_uid[middle]];

		if (user->uid == uid)
			return (uid == ASSOC_UID_UNKNOWN) ? NULL : user;
		if (user->uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const assoc_qos_t *_qos(const assoc_known_t *known, const char *name)
{
	for (uint32_t i = 0; i < known->qos_cnt; i++)
		if (!xstrcasecmp(known->qos[i].name, name))
			return &known->qos[i];
	return NULL;
}

static const assoc_qos_t *_qos_by_id(const assoc_known_t *known, uint32_t id)
{
	for (uint32_t i = 0; i < known->qos_cnt; i++)
		if (known->qos[i].id == id)
			return &known->qos[i];
	return NULL;
}

static bool _is_stranger(const assoc_t *assoc, uid_t uid)
{
	return (assoc->stranger[uid % ASSOC_STRANGERS].uid == uid) &&
	       (net_now_ms() <
		assoc->stranger[uid % ASSOC_STRANGERS].until_ms);
}

/*
 * The user of a uid. One that was added to the system after we learned of it
 * is looked for by name, without the lock; so the caller must not hold
 * anything of what is known.
 */
static assoc_user_t *_find_user(assoc_t *assoc, uid_t uid)
{
	assoc_user_t *user = _user_by_uid(&assoc->known, uid);
	char *name;

	if (user || !assoc->known.user_cnt || _is_stranger(assoc, uid))
		return user;
	pthread_mutex_unlock(&assoc->lock);
	name = _name_of(uid);
	pthread_mutex_lock(&assoc->lock);
	if (name && (user = assoc_known_user(&assoc->known, name))) {
		user->uid = uid;
		assoc_known_sort(&assoc->known);
	} else {
		assoc->stranger[uid % ASSOC_STRANGERS].uid = uid;
		assoc->stranger[uid % ASSOC_STRANGERS].until_ms =
			net_now_ms() + STRANGER_MS;
	}
	xfree(name);
	return user;
}

/*
 * IN items - size bytes each, whose first member is their user; sorted by it
 * RET the place of a user's first
 */
static uint32_t _first_of(const char *user, const void *items, uint32_t count,
			  size_t size)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const char *const *item = (const void *)
			((const char *) items + middle * size);

		if (xstrcmp(*item, user) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* RET the association that fits best, or NULL */
static const assoc_rec_t *_rec(const assoc_known_t *known, const char *user,
			 const char *account, const char *partition)
{
	const assoc_rec_t *any = NULL;

	for (uint32_t i = _first_of(user, known->recs, known->rec_cnt,
				    sizeof(*known->recs));
	     i < known->rec_cnt; i++) {
		const assoc_rec_t *rec = &known->recs[i];

		if (xstrcmp(rec->user, user))
			break;
		if (account ? xstrcasecmp(rec->account, account) :
			      !rec->is_def)
			continue;
		if (!rec->partition)
			any = rec;
		else if (partition && !xstrcmp(rec->partition, partition))
			return rec;
	}
	return any;
}

static bool _may_use(const assoc_rec_t *rec, uint32_t qos)
{
	for (uint32_t i = 0; i < rec->qos_cnt; i++)
		if (rec->qos[i] == qos)
			return true;
	return false;
}

/* assoc_mgr.c, assoc_mgr_get_default_qos_info() */
static const assoc_qos_t *_default_qos(const assoc_known_t *known,
				       const assoc_rec_t *rec)
{
	if (rec && rec->qos_cnt && rec->def_qos)
		return _qos_by_id(known, rec->def_qos);
	if (rec && (rec->qos_cnt == 1))
		return _qos_by_id(known, rec->qos[0]);
	if (known->root_qos)
		return _qos_by_id(known, known->root_qos);
	return _qos(known, "normal");
}

/* ---- what is asked ---- */

extern slurmdb_admin_level_t assoc_admin_level(assoc_t *assoc, uid_t uid)
{
	slurmdb_admin_level_t level = SLURMDB_ADMIN_NOTSET;
	const assoc_user_t *user;

	pthread_mutex_lock(&assoc->lock);
	if ((user = _find_user(assoc, uid)))
		level = user->admin_level;
	pthread_mutex_unlock(&assoc->lock);
	return level;
}

extern char *assoc_user_name(assoc_t *assoc, uid_t uid)
{
	const assoc_user_t *user;
	char *name;

	pthread_mutex_lock(&assoc->lock);
	user = _find_user(assoc, uid);
	name = xstrdup(user ? user->name : NULL);
	pthread_mutex_unlock(&assoc->lock);
	return name;
}

extern bool assoc_coordinates(assoc_t *assoc, uid_t uid, const char *account)
{
	const assoc_user_t *user;
	bool found = false;

	pthread_mutex_lock(&assoc->lock);
	if ((user = _find_user(assoc, uid))) {
		found = !account && user->coord_cnt;
		for (uint32_t i = 0; account && (i < user->coord_cnt); i++)
			found |= !xstrcasecmp(user->coords[i], account);
	}
	pthread_mutex_unlock(&assoc->lock);
	return found;
}

extern void assoc_found_free(assoc_found_t *found)
{
	xfree(found->account);
	xfree(found->qos);
	*found = (assoc_found_t) { 0 };
}

static uint32_t _check_qos(const assoc_known_t *known, uint16_t enforce,
			   const assoc_user_t *user, const assoc_rec_t *rec,
			   const char *name, assoc_found_t *ret,
			   fed_err_t *err)
{
	const assoc_qos_t *qos = name ? _qos(known, name) :
					_default_qos(known, rec);

	ret->qos_id = qos ? qos->id : 0;
	ret->qos = xstrdup(qos ? qos->name : name);
	if (!(enforce & ACCOUNTING_ENFORCE_QOS))
		return SLURM_SUCCESS;
	if (!qos) {
		fed_err_set(err, 0, "there is no QOS %s",
			    name ? name : "for it");
		return ESLURM_INVALID_QOS;
	}
	if (rec && !_may_use(rec, qos->id) &&
	    (!user || (user->admin_level < SLURMDB_ADMIN_OPERATOR))) {
		fed_err_set(err, 0,
			    "its association (user %s, account %s) may not use QOS %s",
			    rec->user, rec->account, qos->name);
		return ESLURM_INVALID_QOS;
	}
	return SLURM_SUCCESS;
}

static uint32_t _check(assoc_t *assoc, uint16_t enforce, uid_t uid,
		       const char *account, const char *partition,
		       const char *qos, assoc_found_t *ret, fed_err_t *err)
{
	const assoc_user_t *user = _find_user(assoc, uid);
	const assoc_known_t *known = &assoc->known;
	const assoc_rec_t *rec = NULL;


	if (user)
		rec = _rec(known, user->name, account, partition);
	if (rec)
		ret->id = rec->id;
	ret->account = xstrdup(rec ? rec->account : account);
	if (!rec && (enforce & ACCOUNTING_ENFORCE_ASSOCS)) {
		if (!assoc->is_known)
			fed_err_set(err, 0,
				    "slurmdbd has not told us of any association yet, and AccountingStorageEnforce wants one");
		else if (!user)
			fed_err_set(err, 0, "slurmdbd has no user for uid %u",
				    uid);
		else
			fed_err_set(err, 0,
				    "slurmdbd has no association of user %s with %s%s on this cluster",
				    user->name,
				    account ? "account " : "a default account",
				    account ? account : "");
		return ESLURM_INVALID_ACCOUNT;
	}
	return _check_qos(known, enforce, user, rec, qos, ret, err);
}

extern uint32_t assoc_check(assoc_t *assoc, uint16_t enforce, uid_t uid,
			    const char *account, const char *partition,
			    const char *qos, assoc_found_t *ret,
			    fed_err_t *err)
{
	uint32_t rc;

	*ret = (assoc_found_t) { 0 };
	if (account && !account[0])
		account = NULL;
	if (qos && !qos[0])
		qos = NULL;
	pthread_mutex_lock(&assoc->lock);
	rc = _check(assoc, enforce, uid, account, partition, qos, ret, err);
	pthread_mutex_unlock(&assoc->lock);
	return rc;
}

/* IN name - NULL: the user's default. RET the wckey, or NULL */
static const char *_wckey(const assoc_known_t *known, const char *user,
			  const char *name)
{
	for (uint32_t i = _first_of(user, known->wckeys, known->wckey_cnt,
				    sizeof(*known->wckeys));
	     i < known->wckey_cnt; i++) {
		const assoc_wckey_t *wckey = &known->wckeys[i];

		if (xstrcmp(wckey->user, user))
			break;
		if (name ? !xstrcasecmp(wckey->name, name) : wckey->is_def)
			return wckey->name;
	}
	return NULL;
}

extern uint32_t assoc_check_wckey(assoc_t *assoc, uint16_t enforce, uid_t uid,
				  const char *wckey, char **ret_wckey,
				  fed_err_t *err)
{
	const assoc_user_t *user;
	const char *found = NULL;
	uint32_t rc = SLURM_SUCCESS;

	if (wckey && !wckey[0])
		wckey = NULL;
	pthread_mutex_lock(&assoc->lock);
	if ((user = _find_user(assoc, uid)))
		found = _wckey(&assoc->known, user->name, wckey);
	/*
	 * Slurm would refuse a user without a default, too, but each user of
	 * slurmdbd's has one, if only "".
	 */
	if ((enforce & ACCOUNTING_ENFORCE_WCKEYS) &&
	    !(wckey ? (found != NULL) : (user != NULL))) {
		fed_err_set(err, ESLURM_INVALID_WCKEY,
			    "user %s (%u) has no wckey %s on this cluster",
			    user ? user->name : "?", uid,
			    wckey ? wckey : "by default");
		rc = ESLURM_INVALID_WCKEY;
	} else if (wckey) {
		*ret_wckey = xstrdup(wckey);
	} else {
		*ret_wckey = xstrdup_printf("*%s", found ? found : "");
	}
	pthread_mutex_unlock(&assoc->lock);
	return rc;
}

static void _get_limits(const assoc_known_t *known, const assoc_rec_t *rec,
			const assoc_qos_t *qos, assoc_limits_t *ret)
{
	const assoc_acct_t *above;
	uint32_t parent = rec->parent;

	if (qos) {
		ret->qos_id = qos->id;
		ret->qos = limits_copy(qos->limits);
	}
	ret->account = xstrdup(rec->account);
	ret->assoc = xcalloc(ASSOC_DEPTH_MAX, sizeof(*ret->assoc));
	ret->assoc[0].id = rec->id;
	ret->assoc[0].limits = limits_copy(rec->limits);
	ret->count = 1;
	while ((ret->count < ASSOC_DEPTH_MAX) &&
	       (above = assoc_known_acct(known, parent))) {
		ret->assoc[ret->count].id = above->id;
		ret->assoc[ret->count++].limits = limits_copy(above->limits);
		parent = above->parent;
	}
}

extern void assoc_limits(assoc_t *assoc, uid_t uid, const char *account,
			 const char *partition, const char *qos,
			 assoc_limits_t *ret)
{
	const assoc_known_t *known = &assoc->known;
	const assoc_user_t *user;
	const assoc_rec_t *rec = NULL;

	*ret = (assoc_limits_t) { 0 };
	pthread_mutex_lock(&assoc->lock);
	if ((user = _find_user(assoc, uid)))
		rec = _rec(known, user->name, account, partition);
	if (rec)
		_get_limits(known, rec, qos ? _qos(known, qos) :
					      _default_qos(known, rec), ret);
	pthread_mutex_unlock(&assoc->lock);
}

extern void assoc_limits_free(assoc_limits_t *limits)
{
	xfree(limits->qos);
	xfree(limits->account);
	for (uint32_t i = 0; i < limits->count; i++)
		xfree(limits->assoc[i].limits);
	xfree(limits->assoc);
	*limits = (assoc_limits_t) { 0 };
}

extern uint32_t assoc_qos_id(assoc_t *assoc, const char *name)
{
	const assoc_qos_t *qos;
	uint32_t id;

	pthread_mutex_lock(&assoc->lock);
	qos = _qos(&assoc->known, name);
	id = qos ? qos->id : 0;
	pthread_mutex_unlock(&assoc->lock);
	return id;
}

extern bool assoc_qos_keeps(assoc_t *assoc, uint32_t id, bool *ret_keeps)
{
	const assoc_qos_t *qos;

	pthread_mutex_lock(&assoc->lock);
	qos = _qos_by_id(&assoc->known, id);
	if (qos)
		*ret_keeps = qos->limits && qos->limits->keeps;
	pthread_mutex_unlock(&assoc->lock);
	return qos != NULL;
}

extern char *assoc_qos_name(assoc_t *assoc, uint32_t id)
{
	const assoc_qos_t *qos;
	char *name;

	pthread_mutex_lock(&assoc->lock);
	qos = _qos_by_id(&assoc->known, id);
	name = xstrdup(qos ? qos->name : NULL);
	pthread_mutex_unlock(&assoc->lock);
	return name;
}

extern bool assoc_is_known(assoc_t *assoc)
{
	assoc_counts_t counts;

	assoc_counts(assoc, &counts);
	return counts.known;
}

extern void assoc_counts(assoc_t *assoc, assoc_counts_t *counts)
{
	pthread_mutex_lock(&assoc->lock);
	counts->known = assoc->is_known;
	counts->users = assoc->known.user_cnt;
	counts->assocs = assoc->known.rec_cnt;
	counts->qos = assoc->known.qos_cnt;
	pthread_mutex_unlock(&assoc->lock);
}

extern bool assoc_replace(assoc_t *assoc, assoc_known_t *known)
{
	fed_bytes_t before = { 0 }, after = { 0 };
	assoc_known_t old;
	bool changed;

	assoc_known_pack(known, &after);
	pthread_mutex_lock(&assoc->lock);
	assoc_known_pack(&assoc->known, &before);
	changed = !assoc->is_known || (before.len != after.len) ||
		  memcmp(before.data, after.data, after.len);
	old = assoc->known;
	assoc->known = *known;
	assoc->is_known = true;
	memset(assoc->stranger, 0, sizeof(assoc->stranger));
	pthread_mutex_unlock(&assoc->lock);
	assoc_known_free(&old);
	fed_bytes_free(&before);
	fed_bytes_free(&after);
	return changed;
}

extern assoc_t *assoc_create(void)
{
	assoc_t *assoc = xmalloc(sizeof(*assoc));

	pthread_mutex_init(&assoc->lock, NULL);
	return assoc;
}

extern void assoc_destroy(assoc_t *assoc)
{
	if (!assoc)
		return;
	assoc_known_free(&assoc->known);
	assoc_show_unref(assoc->show);
	pthread_mutex_destroy(&assoc->lock);
	xfree(assoc);
}
