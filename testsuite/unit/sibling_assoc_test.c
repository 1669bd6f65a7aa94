/*
 * sibling_assoc_test.c - src/sibling/assoc: the rules for who may run what.
 */
#include "testsuite/unit/slurm_unit.h"

#include <pwd.h>

#include "src/sibling/assoc.h"
#include "testsuite/unit/dbd_recs.h"

#define ASSOCS ACCOUNTING_ENFORCE_ASSOCS
#define QOS (ACCOUNTING_ENFORCE_ASSOCS | ACCOUNTING_ENFORCE_QOS)

static assoc_t *assoc;
static uid_t daemon_uid;	/* of the user "daemon", that every Debian has */
static compat_list_t users, assocs, qos, wckeys;

static void _user(const char *name, uint16_t level, const char *coord)
{
	slurmdb_user_rec_t *rec = dbd_recs_user(users, name);
	slurmdb_coord_rec_t *of;

	rec->admin_level = level;
	if (coord) {
		of = xmalloc(sizeof(*of));
		of->name = xstrdup(coord);
		rec->coord_accts = list_create(slurmdb_destroy_coord_rec);
		list_append(rec->coord_accts, of);
	}
}

static void _assoc(uint32_t id, const char *user, const char *account,
		   const char *partition, bool is_def, uint32_t def_qos,
		   const char *allowed)
{
	slurmdb_assoc_rec_t *rec = dbd_recs_assoc(assocs, id, account, user);

	rec->partition = xstrdup(partition);
	rec->is_def = is_def;
	if (def_qos)
		rec->def_qos_id = def_qos;
	rec->qos_list = list_create(xfree_ptr);
	slurm_addto_char_list(rec->qos_list, (char *) allowed);
}

static int _has_id(void *x, void *key)
{
	return ((slurmdb_assoc_rec_t *) x)->id == *(uint32_t *) key;
}

static void _wckey(const char *user, const char *name, bool is_def)
{
	slurmdb_wckey_rec_t *rec = xmalloc(sizeof(*rec));

	slurmdb_init_wckey_rec(rec, false);
	rec->user = xstrdup(user);
	rec->name = xstrdup(name);
	rec->is_def = is_def;
	list_append(wckeys, rec);
}

static int _setup(void **state)
{
	assoc = assoc_create();
	wckeys = list_create(slurmdb_destroy_wckey_rec);
	_wckey("root", "Ops", true);
	_wckey("daemon", "Alpha", false);
	users = list_create(slurmdb_destroy_user_rec);
	assocs = list_create(slurmdb_destroy_assoc_rec);
	qos = list_create(slurmdb_destroy_qos_rec);
	_user("root", SLURMDB_ADMIN_SUPER_USER, NULL);
	_user("daemon", SLURMDB_ADMIN_NONE, "Physics");
	_user("no-such-user-here", SLURMDB_ADMIN_OPERATOR, NULL);
	_assoc(1, NULL, "root", NULL, false, 0, "1");
	_assoc(2, "daemon", "physics", NULL, true, 0, "1,2");
	_assoc(3, "daemon", "physics", "gpu", false, 2, "1,2,3");
	_assoc(4, "daemon", "chemistry", NULL, false, 0, "3");
	_assoc(5, "root", "root", NULL, true, 0, "1");
	(void) dbd_recs_qos(qos, 1, "normal");
	(void) dbd_recs_qos(qos, 2, "high");
	(void) dbd_recs_qos(qos, 3, "low");
	return 0;
}

static int _teardown(void **state)
{
	assoc_destroy(assoc);
	FREE_NULL_LIST(users);
	FREE_NULL_LIST(assocs);
	FREE_NULL_LIST(qos);
	FREE_NULL_LIST(wckeys);
	return 0;
}

static void _load(void)
{
	assert_true(assoc_load(assoc, users, assocs, qos, wckeys));
}

static void _fits(uint16_t enforce, const char *account, const char *partition,
		  const char *name, uint32_t id, const char *ret_account,
		  const char *ret_qos)
{
	assoc_found_t found;
	fed_err_t err = { 0 };

	if (assoc_check(assoc, enforce, daemon_uid, account, partition, name,
			&found, &err))
		fail_msg("%s", err.text);
	assert_int_equal(found.id, id);
	assert_string_equal(found.account, ret_account);
	assert_string_equal(found.qos, ret_qos);
	assert_int_equal(found.qos_id, assoc_qos_id(assoc, ret_qos));
	assoc_found_free(&found);
}

static void _refused(uint16_t enforce, uid_t uid, const char *account,
		     const char *name, uint32_t code, const char *says)
{
	assoc_found_t found;
	fed_err_t err = { 0 };

	assert_int_equal(assoc_check(assoc, enforce, uid, account, NULL, name,
				     &found, &err), code);
	if (!strstr(err.text, says))
		fail_msg("\"%s\" is not in \"%s\"", says, err.text);
	assoc_found_free(&found);
}

static void _nothing_known(void **state)
{
	assoc_found_t found;

	assert_false(assoc_is_known(assoc));
	assert_int_equal(assoc_admin_level(assoc, daemon_uid),
			 SLURMDB_ADMIN_NOTSET);
	assert_false(assoc_coordinates(assoc, daemon_uid, NULL));
	/* as a slurmctld that has never heard of slurmdbd */
	assert_int_equal(assoc_check(assoc, 0, daemon_uid, "physics", NULL,
				     NULL, &found, NULL), SLURM_SUCCESS);
	assert_int_equal(found.id, 0);
	assert_string_equal(found.account, "physics");
	assoc_found_free(&found);
	_refused(ASSOCS, daemon_uid, NULL, NULL, ESLURM_INVALID_ACCOUNT,
		 "slurmdbd has not told us");
}

static void _finds(void **state)
{
	_load();
	_fits(QOS, NULL, NULL, NULL, 2, "physics", "normal");
	/* as it is written in slurmdbd, however the job writes it */
	_fits(QOS, "PHYSICS", "cpu", "High", 2, "physics", "high");
	/* the one for a partition comes first, and has its own default */
	_fits(QOS, "physics", "gpu", NULL, 3, "physics", "high");
	/* the only QOS there is */
	_fits(QOS, "chemistry", NULL, NULL, 4, "chemistry", "low");
	/* not enforced: what is not known is let be */
	_fits(0, "biology", NULL, NULL, 0, "biology", "normal");
}

static void _refuses(void **state)
{
	_load();
	_refused(ASSOCS, daemon_uid, "biology", NULL, ESLURM_INVALID_ACCOUNT,
		 "no association of user daemon with account biology");
	_refused(ASSOCS, 54321, NULL, NULL, ESLURM_INVALID_ACCOUNT,
		 "no user for uid 54321");
	_refused(QOS, daemon_uid, "physics", "low", ESLURM_INVALID_QOS,
		 "may not use QOS low");
	_refused(QOS, daemon_uid, NULL, "best", ESLURM_INVALID_QOS,
		 "there is no QOS best");
	/* only if it is enforced; and an operator may */
	_refused(ASSOCS, daemon_uid, NULL, "low", SLURM_SUCCESS, "");
	_refused(QOS, 0, NULL, "low", SLURM_SUCCESS, "");
}

static void _levels(void **state)
{
	_load();
	assert_int_equal(assoc_admin_level(assoc, 0),
			 SLURMDB_ADMIN_SUPER_USER);
	assert_int_equal(assoc_admin_level(assoc, daemon_uid),
			 SLURMDB_ADMIN_NONE);
	assert_int_equal(assoc_admin_level(assoc, 54321),
			 SLURMDB_ADMIN_NOTSET);
	/* who is not in the system's user database is nobody */
	assert_int_equal(assoc_admin_level(assoc, NO_VAL),
			 SLURMDB_ADMIN_NOTSET);
	assert_true(assoc_coordinates(assoc, daemon_uid, "physics"));
	assert_true(assoc_coordinates(assoc, daemon_uid, NULL));
	assert_false(assoc_coordinates(assoc, daemon_uid, "chemistry"));
	assert_false(assoc_coordinates(assoc, 0, NULL));
}

static void _same_is_no_news(void **state)
{
	_load();
	assert_false(assoc_load(assoc, users, assocs, qos, wckeys));
	(void) dbd_recs_qos(qos, 4, "urgent");
	_load();
}

static void _keeps(void **state)
{
	fed_bytes_t bytes = { 0 }, again = { 0 };
	assoc_t *before = assoc;

	_load();
	assoc_pack(assoc, &bytes);
	assoc = assoc_create();
	assert_int_equal(assoc_unpack(assoc, bytes.data, bytes.len, NULL), 0);
	assert_true(assoc_is_known(assoc));
	_fits(QOS, "physics", "gpu", NULL, 3, "physics", "high");
	assert_true(assoc_coordinates(assoc, daemon_uid, "physics"));
	assoc_pack(assoc, &again);
	assert_int_equal(bytes.len, again.len);
	assert_memory_equal(bytes.data, again.data, bytes.len);
	/* cut anywhere it is refused, and what was known stays */
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_equal(assoc_unpack(assoc, bytes.data, len, NULL),
				 -1);
	_fits(QOS, NULL, NULL, NULL, 2, "physics", "normal");
	fed_bytes_free(&bytes);
	fed_bytes_free(&again);
	assoc_destroy(before);
}

/* IN version - that the record says it is of; what follows is version 1 */
static void _put_version_1(fed_bytes_t *bytes, uint16_t version)
{
	fed_put_u16(bytes, version);
	fed_put_u32(bytes, 1);			/* the root's QOS */
	fed_put_u32(bytes, 1);			/* users, assocs, QOS */
	fed_put_u32(bytes, 2);
	fed_put_u32(bytes, 2);
	fed_put_str(bytes, "daemon");
	fed_put_u32(bytes, daemon_uid);
	fed_put_u16(bytes, SLURMDB_ADMIN_OPERATOR);
	fed_put_u32(bytes, 1);
	fed_put_str(bytes, "physics");		/* it coordinates */
	for (uint32_t id = 2; id <= 3; id++) {
		fed_put_u32(bytes, id);
		fed_put_str(bytes, "daemon");
		fed_put_str(bytes, "physics");
		fed_put_str(bytes, (id == 3) ? "gpu" : NULL);
		fed_put_u8(bytes, id == 2);	/* the default */
		fed_put_u32(bytes, 2);		/* its default QOS */
		fed_put_u32(bytes, 2);
		fed_put_u32(bytes, 1);
		fed_put_u32(bytes, 2);
	}
	fed_put_u32(bytes, 1);
	fed_put_str(bytes, "normal");
	fed_put_u32(bytes, 2);
	fed_put_str(bytes, "high");
}

/* It had neither limits nor wckeys. */
static void _version_1(void **state)
{
	fed_bytes_t bytes = { 0 };
	assoc_limits_t found;

	_put_version_1(&bytes, 1);
	assert_int_equal(assoc_unpack(assoc, bytes.data, bytes.len, NULL), 0);
	_fits(QOS, NULL, NULL, NULL, 2, "physics", "high");
	_fits(QOS, "physics", "gpu", "normal", 3, "physics", "normal");
	assert_int_equal(assoc_admin_level(assoc, daemon_uid),
			 SLURMDB_ADMIN_OPERATOR);
	assert_true(assoc_coordinates(assoc, daemon_uid, "physics"));
	assoc_limits(assoc, daemon_uid, NULL, NULL, NULL, &found);
	assert_int_equal(found.count, 1);
	assert_null(found.assoc[0].limits);
	assert_null(found.qos);
	assoc_limits_free(&found);
	for (size_t len = 0; len < bytes.len; len++)
		assert_int_equal(assoc_unpack(assoc, bytes.data, len, NULL),
				 -1);
	fed_bytes_free(&bytes);
	/* there is no version 0, and 2 has more */
	for (uint16_t version = 0; version <= 2; version += 2) {
		_put_version_1(&bytes, version);
		assert_int_equal(assoc_unpack(assoc, bytes.data, bytes.len,
					      NULL), -1);
		fed_bytes_free(&bytes);
	}
}

static void _has_wckey(uint16_t enforce, uid_t uid, const char *wckey,
		       const char *expected)
{
	fed_err_t err = { 0 };
	char *found = NULL;
	uint32_t rc = assoc_check_wckey(assoc, enforce, uid, wckey, &found,
					&err);

	assert_int_equal(rc, expected ? SLURM_SUCCESS : ESLURM_INVALID_WCKEY);
	if (expected)
		assert_string_equal(found, expected);
	else
		assert_non_null(strstr(err.text, "wckey"));
	xfree(found);
}

static void _wckeys(void **state)
{
	_load();
	_has_wckey(ACCOUNTING_ENFORCE_WCKEYS, daemon_uid, "alpha", "alpha");
	_has_wckey(ACCOUNTING_ENFORCE_WCKEYS, daemon_uid, "ops", NULL);
	_has_wckey(ACCOUNTING_ENFORCE_WCKEYS, daemon_uid, NULL, "*");
	_has_wckey(ACCOUNTING_ENFORCE_WCKEYS, 54321, NULL, NULL);
	_has_wckey(ACCOUNTING_ENFORCE_WCKEYS, 0, NULL, "*Ops");
	_has_wckey(0, daemon_uid, "ops", "ops");
	_has_wckey(0, daemon_uid, NULL, "*");
}

static void _set_limits(uint32_t id, uint32_t parent, uint32_t max_jobs)
{
	slurmdb_assoc_rec_t *rec = list_find_first(assocs, _has_id, &id);

	rec->parent_id = parent;
	rec->max_jobs = max_jobs;
}

/* The association, the account's and the root's */
static void _limits_of_all(void **state)
{
	assoc_limits_t found;

	_assoc(9, NULL, "physics", NULL, false, 0, "1");
	_set_limits(2, 9, INFINITE);
	_set_limits(9, 1, 7);
	_set_limits(1, 0, 8);
	_load();
	assoc_limits(assoc, daemon_uid, "Physics", NULL, NULL, &found);
	assert_int_equal(found.qos_id, 1);
	assert_non_null(found.qos);
	assert_string_equal(found.account, "physics");
	assert_int_equal(found.count, 3);
	assert_int_equal(found.assoc[0].id, 2);
	assert_null(found.assoc[0].limits);
	assert_int_equal(found.assoc[1].id, 9);
	assert_int_equal(found.assoc[1].limits->count[LIMIT_MAX_JOBS], 7);
	assert_int_equal(found.assoc[2].limits->count[LIMIT_MAX_JOBS], 8);
	assoc_limits_free(&found);
	assoc_limits(assoc, daemon_uid, "biology", NULL, NULL, &found);
	assert_int_equal(found.count, 0);
	assoc_limits_free(&found);
}

static int _setup_all(void **state)
{
	daemon_uid = getpwnam("daemon")->pw_uid;
	return slurm_unit_setup(state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, _setup, _teardown)
	const struct CMUnitTest tests[] = {
		TEST(_nothing_known),
		TEST(_finds),
		TEST(_refuses),
		TEST(_levels),
		TEST(_same_is_no_news),
		TEST(_keeps),
		TEST(_version_1),
		TEST(_wckeys),
		TEST(_limits_of_all),
	};

	return cmocka_run_group_tests(tests, _setup_all, slurm_unit_teardown);
}
