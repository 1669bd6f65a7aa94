/*
 * assoc_known.c - who may do what on a FLURM cluster: the block that holds it,
 * and its form in the ledger (see assoc_int.h).
 */
#include "src/sibling/assoc_int.h"

#include <errno.h>
#include <stdlib.h>

#include "src/sibling/record.h"

/* 1 had neither limits nor wckeys; 2 no limits of what was used */
#define RECORD_VERSION 3

extern void assoc_known_free(assoc_known_t *known)
{
	for (uint32_t i = 0; i < known->user_cnt; i++) {
		assoc_user_t *user = &known->users[i];

		for (uint32_t j = 0; j < user->coord_cnt; j++)
			xfree(user->coords[j]);
		xfree(user->coords);
		xfree(user->name);
	}
	for (uint32_t i = 0; i < known->rec_cnt; i++) {
		xfree(known->recs[i].user);
		xfree(known->recs[i].account);
		xfree(known->recs[i].partition);
		xfree(known->recs[i].qos);
		xfree(known->recs[i].limits);
	}
	for (uint32_t i = 0; i < known->acct_cnt; i++)
		xfree(known->accts[i].limits);
	for (uint32_t i = 0; i < known->qos_cnt; i++) {
		xfree(known->qos[i].name);
		xfree(known->qos[i].limits);
	}
	for (uint32_t i = 0; i < known->wckey_cnt; i++) {
		xfree(known->wckeys[i].user);
		xfree(known->wckeys[i].name);
	}
	xfree(known->users);
	xfree(known->by_uid);
	xfree(known->recs);
	xfree(known->accts);
	xfree(known->qos);
	xfree(known->wckeys);
	*known = (assoc_known_t) { 0 };
}

static int _by_name(const void *a, const void *b)
{
	const assoc_user_t *left = a, *right = b;

	return xstrcmp(left->name, right->name);
}

static int _by_user(const void *a, const void *b)
{
	const assoc_rec_t *left = a, *right = b;
	int rc = xstrcmp(left->user, right->user);

	/* any order that is always the same */
	return rc ? rc : (left->id > right->id) - (left->id < right->id);
}

static int _by_id(const void *a, const void *b)
{
	const assoc_qos_t *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

static int _acct_by_id(const void *a, const void *b)
{
	const assoc_acct_t *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

static int _wckey_by_user(const void *a, const void *b)
{
	const assoc_wckey_t *left = a, *right = b;
	int rc = xstrcmp(left->user, right->user);

	return rc ? rc : xstrcmp(left->name, right->name);
}

static int _by_uid(const void *a, const void *b, void *arg)
{
	const assoc_user_t *users = arg;
	uid_t left = users[*(const uint32_t *) a].uid;
	uid_t right = users[*(const uint32_t *) b].uid;

	return (left > right) - (left < right);
}

extern void assoc_known_sort(assoc_known_t *known)
{
	if (known->rec_cnt)
		qsort(known->recs, known->rec_cnt, sizeof(assoc_rec_t),
		      _by_user);
	if (known->qos_cnt)
		qsort(known->qos, known->qos_cnt, sizeof(assoc_qos_t), _by_id);
	if (known->acct_cnt)
		qsort(known->accts, known->acct_cnt, sizeof(assoc_acct_t),
		      _acct_by_id);
	if (known->wckey_cnt)
		qsort(known->wckeys, known->wckey_cnt, sizeof(assoc_wckey_t),
		      _wckey_by_user);
	if (!known->user_cnt)
		return;
	qsort(known->users, known->user_cnt, sizeof(assoc_user_t), _by_name);
	if (!known->by_uid)
		known->by_uid = xcalloc(known->user_cnt,
					sizeof(*known->by_uid));
	for (uint32_t i = 0; i < known->user_cnt; i++)
		known->by_uid[i] = i;
	qsort_r(known->by_uid, known->user_cnt, sizeof(*known->by_uid),
		_by_uid, known->users);
}

extern assoc_user_t *assoc_known_user(const assoc_known_t *known,
				      const char *name)
{
	const assoc_user_t key = { .name = (char *) name };

	return known->user_cnt ? bsearch(&key, known->users, known->user_cnt,
					 sizeof(assoc_user_t), _by_name) :
				 NULL;
}

extern const assoc_acct_t *assoc_known_acct(const assoc_known_t *known,
					    uint32_t id)
{
	const assoc_acct_t key = { .id = id };

	return known->acct_cnt ? bsearch(&key, known->accts, known->acct_cnt,
					 sizeof(assoc_acct_t), _acct_by_id) :
				 NULL;
}

/* ---- the ledger's ---- */

extern void assoc_known_pack(const assoc_known_t *known, fed_bytes_t *bytes)
{
	fed_put_u16(bytes, RECORD_VERSION);
	fed_put_u32(bytes, known->root_qos);
	fed_put_u32(bytes, known->user_cnt);
	fed_put_u32(bytes, known->rec_cnt);
	fed_put_u32(bytes, known->qos_cnt);
	for (uint32_t i = 0; i < known->user_cnt; i++) {
		const assoc_user_t *user = &known->users[i];

		fed_put_str(bytes, user->name);
		fed_put_u32(bytes, user->uid);
		fed_put_u16(bytes, user->admin_level);
		fed_put_u32(bytes, user->coord_cnt);
		for (uint32_t j = 0; j < user->coord_cnt; j++)
			fed_put_str(bytes, user->coords[j]);
	}
	for (uint32_t i = 0; i < known->rec_cnt; i++) {
		const assoc_rec_t *rec = &known->recs[i];

		fed_put_u32(bytes, rec->id);
		fed_put_str(bytes, rec->user);
		fed_put_str(bytes, rec->account);
		fed_put_str(bytes, rec->partition);
		fed_put_u8(bytes, rec->is_def);
		fed_put_u32(bytes, rec->def_qos);
		fed_put_u32(bytes, rec->qos_cnt);
		for (uint32_t j = 0; j < rec->qos_cnt; j++)
			fed_put_u32(bytes, rec->qos[j]);
		fed_put_u32(bytes, rec->parent);
		limits_pack(rec->limits, bytes);
	}
	for (uint32_t i = 0; i < known->qos_cnt; i++) {
		fed_put_u32(bytes, known->qos[i].id);
		fed_put_str(bytes, known->qos[i].name);
		limits_pack(known->qos[i].limits, bytes);
	}
	fed_put_u32(bytes, known->acct_cnt);
	for (uint32_t i = 0; i < known->acct_cnt; i++) {
		fed_put_u32(bytes, known->accts[i].id);
		fed_put_u32(bytes, known->accts[i].parent);
		limits_pack(known->accts[i].limits, bytes);
	}
	fed_put_u32(bytes, known->wckey_cnt);
	for (uint32_t i = 0; i < known->wckey_cnt; i++) {
		fed_put_str(bytes, known->wckeys[i].user);
		fed_put_str(bytes, known->wckeys[i].name);
		fed_put_u8(bytes, known->wckeys[i].is_def);
	}
}

extern void assoc_pack(assoc_t *assoc, fed_bytes_t *bytes)
{
	pthread_mutex_lock(&assoc->lock);
	assoc_known_pack(&assoc->known, bytes);
	pthread_mutex_unlock(&assoc->lock);
}

/* RET how many are to come, 0 if there can't be that many */
static uint32_t _get_count(fed_reader_t *reader)
{
	uint32_t count = fed_get_u32(reader);

	if (count <= fed_reader_left(reader))
		return count;
	reader->bad = true;
	return 0;
}

static void _unpack_more(assoc_known_t *known, uint16_t version,
			 fed_reader_t *reader)
{
	known->acct_cnt = _get_count(reader);
	known->accts = xcalloc(known->acct_cnt + 1, sizeof(assoc_acct_t));
	for (uint32_t i = 0; (i < known->acct_cnt) && !reader->bad; i++) {
		known->accts[i].id = fed_get_u32(reader);
		known->accts[i].parent = fed_get_u32(reader);
		known->accts[i].limits = limits_unpack(reader, version < 3);
	}
	known->wckey_cnt = _get_count(reader);
	known->wckeys = xcalloc(known->wckey_cnt + 1, sizeof(assoc_wckey_t));
	for (uint32_t i = 0; (i < known->wckey_cnt) && !reader->bad; i++) {
		known->wckeys[i].user = record_get_str(reader);
		known->wckeys[i].name = record_get_str(reader);
		known->wckeys[i].is_def = fed_get_u8(reader);
	}
}

static void _unpack(assoc_known_t *known, fed_reader_t *reader)
{
	uint16_t version = fed_get_u16(reader);

	if (!version || (version > RECORD_VERSION))
		reader->bad = true;
	known->root_qos = fed_get_u32(reader);
	known->user_cnt = _get_count(reader);
	known->rec_cnt = _get_count(reader);
	known->qos_cnt = _get_count(reader);
	known->users = xcalloc(known->user_cnt + 1, sizeof(assoc_user_t));
	known->recs = xcalloc(known->rec_cnt + 1, sizeof(assoc_rec_t));
	known->qos = xcalloc(known->qos_cnt + 1, sizeof(assoc_qos_t));
	for (uint32_t i = 0; (i < known->user_cnt) && !reader->bad; i++) {
		assoc_user_t *user = &known->users[i];

		user->name = record_get_str(reader);
		user->uid = fed_get_u32(reader);
		user->admin_level = fed_get_u16(reader);
		user->coord_cnt = _get_count(reader);
		user->coords = xcalloc(user->coord_cnt + 1,
				       sizeof(*user->coords));
		for (uint32_t j = 0; j < user->coord_cnt; j++)
			user->coords[j] = record_get_str(reader);
	}
	for (uint32_t i = 0; (i < known->rec_cnt) && !reader->bad; i++) {
		assoc_rec_t *rec = &known->recs[i];

		rec->id = fed_get_u32(reader);
		rec->user = record_get_str(reader);
		rec->account = record_get_str(reader);
		rec->partition = record_get_str(reader);
		rec->is_def = fed_get_u8(reader);
		rec->def_qos = fed_get_u32(reader);
		rec->qos_cnt = _get_count(reader);
		rec->qos = xcalloc(rec->qos_cnt + 1, sizeof(*rec->qos));
		for (uint32_t j = 0; j < rec->qos_cnt; j++)
			rec->qos[j] = fed_get_u32(reader);
		if (version < 2)
			continue;
		rec->parent = fed_get_u32(reader);
		rec->limits = limits_unpack(reader, version < 3);
	}
	for (uint32_t i = 0; (i < known->qos_cnt) && !reader->bad; i++) {
		known->qos[i].id = fed_get_u32(reader);
		known->qos[i].name = record_get_str(reader);
		if (version >= 2)
			known->qos[i].limits = limits_unpack(reader,
							     version < 3);
	}
	if (version >= 2)
		_unpack_more(known, version, reader);
}

extern int assoc_unpack(assoc_t *assoc, const void *body, size_t len,
			fed_err_t *err)
{
	assoc_known_t known = { 0 };
	fed_reader_t reader;

	fed_reader_init(&reader, body, len);
	_unpack(&known, &reader);
	if (!fed_reader_done(&reader)) {
		assoc_known_free(&known);
		return fed_err_set(err, EPROTO,
				   "record of associations makes no sense");
	}
	assoc_known_sort(&known);
	(void) assoc_replace(assoc, &known);
	return 0;
}
