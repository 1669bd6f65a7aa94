/*
 * sibling_assoc_show_test.c - src/sibling/assoc_show: what slurmdbd says,
 * completed as a native's association manager completes it.
 */
#include "testsuite/unit/slurm_unit.h"

#include <math.h>

#include "src/sibling/assoc_show.h"
#include "testsuite/unit/dbd_recs.h"

#define PARENT SLURMDB_FS_USE_PARENT

static assoc_t *assoc;
static compat_list_t tres, users, assocs, qos;

static void _tres(uint32_t id, const char *type, const char *name)
{
	slurmdb_tres_rec_t *rec = xmalloc(sizeof(*rec));

	rec->id = id;
	rec->type = xstrdup(type);
	rec->name = xstrdup(name);
	list_append(tres, rec);
}

static slurmdb_assoc_rec_t *_assoc(uint32_t id, uint32_t parent,
				   const char *account, const char *user,
				   uint32_t shares)
{
	slurmdb_assoc_rec_t *rec = dbd_recs_assoc(assocs, id, account, user);

	rec->parent_id = parent;
	rec->shares_raw = shares;
	rec->lft = id;
	COMPAT_IF_24_11(rec->lineage = xstrdup_printf("/%u/", id), );
	return rec;
}

static int _setup(void **state)
{
	assoc = assoc_create();
	tres = list_create(slurmdb_destroy_tres_rec);
	users = list_create(slurmdb_destroy_user_rec);
	assocs = list_create(slurmdb_destroy_assoc_rec);
	qos = list_create(slurmdb_destroy_qos_rec);
	_tres(4, "node", NULL);
	_tres(1, "cpu", "");
	_tres(1001, "gres", "gpu");
	(void) dbd_recs_user(users, "root");
	(void) dbd_recs_user(users, "daemon");
	dbd_recs_qos(qos, 1, "normal")->grp_tres = xstrdup("1001=3");
	_assoc(1, 0, "root", NULL, 1);
	_assoc(2, 1, "physics", NULL, 2);
	_assoc(3, 1, "chemistry", NULL, PARENT);
	_assoc(6, 1, "root", "root", 1);
	_assoc(5, 3, "chemistry", "daemon", 2)->grp_tres =
		xstrdup("4=2,1=10");
	_assoc(4, 2, "physics", "daemon", 3)->is_def = 1;
	return 0;
}

static int _teardown(void **state)
{
	assoc_destroy(assoc);
	return 0;
}

/* RET what is shown, for assoc_show_unref() */
static assoc_show_t *_load(bool fair_share, bool fair_tree)
{
	const site_t site = {
		.fair = !fair_share ? FAIR_NONE :
			fair_tree ? FAIR_TREE : FAIR_CLASSIC,
	};

	assert_null(assoc_show_ref(assoc));
	(void) assoc_load(assoc, users, assocs, qos, NULL);
	assoc_show_load(assoc, &site, tres, users, assocs, qos);
	return assoc_show_ref(assoc);
}

static int _has_id(void *x, void *key)
{
	return ((slurmdb_assoc_rec_t *) x)->id == *(uint32_t *) key;
}

static const slurmdb_assoc_rec_t *_rec(const assoc_show_t *show, uint32_t id)
{
	return list_find_first(show->assocs, _has_id, &id);
}

static void _shares(const assoc_show_t *show, uint32_t id, uint32_t level,
		    double norm)
{
	const slurmdb_assoc_usage_t *usage = _rec(show, id)->usage;

	assert_int_equal(usage->level_shares, level);
	assert_true(fabs(usage->shares_norm - norm) < 1e-6);
}

/* Of physics' three users' shares daemon has all, and so on. */
static void _in_a_tree(void **state)
{
	assoc_show_t *show = _load(true, true);

	_shares(show, 2, 5, .4);
	_shares(show, 4, 3, 1);
	/* chemistry has no share of its own: its users are among root's */
	_shares(show, 5, 5, .4);
	_shares(show, 6, 5, .2);
	/* by id: 1, 2, 3, 4, 5, 6 */
	assert_int_equal(show->node_cnt, 6);
	assert_true(show->nodes[0].root);
	assert_int_equal(show->nodes[0].parent, -1);
	assert_int_equal(show->nodes[3].parent, 1);
	assert_int_equal(show->nodes[4].parent, 0);
	assert_true(show->nodes[2].shares_parent);
	assert_true(show->nodes[5].user);
	assert_int_equal(show->tres_at[LIMIT_CPU], 0);
	assert_int_equal(show->tres_at[LIMIT_NODE], 1);
	assert_int_equal(show->tres_at[LIMIT_MEM], -1);
	assoc_show_unref(show);
}

static void _in_the_whole(void **state)
{
	assoc_show_t *show = _load(true, false);

	_shares(show, 2, 5, .4);
	_shares(show, 4, 3, .4);
	_shares(show, 5, 5, .4);
	_shares(show, 1, NO_VAL, 1);
	assoc_show_unref(show);
}

static void _without_shares(void **state)
{
	assoc_show_t *show = _load(false, true);

	assert_int_equal(_rec(show, 4)->usage->level_shares, NO_VAL);
	assert_true(_rec(show, 4)->usage->level_fs == 0);
	assoc_show_unref(show);
}

static void _limits_and_users(void **state)
{
	assoc_show_t *show = _load(true, true);
	const slurmdb_assoc_rec_t *rec = _rec(show, 5);
	const slurmdb_user_rec_t *user;
	const slurmdb_qos_rec_t *normal = list_peek(show->qos);

	assert_int_equal(show->tres_cnt, 3);
	assert_string_equal(show->tres_names[0], "cpu");
	assert_string_equal(show->tres_names[1], "node");
	assert_string_equal(show->tres_names[2], "gres/gpu");
	assert_int_equal(rec->grp_tres_ctld[0], 10);
	assert_int_equal(rec->grp_tres_ctld[1], 2);
	assert_int_equal(rec->grp_tres_ctld[2], INFINITE64);
	assert_int_equal(normal->grp_tres_ctld[2], 3);
	assert_int_equal(rec->uid, 1);
	assert_int_equal(_rec(show, 3)->uid, NO_VAL);
	user = list_peek(show->users);
	assert_string_equal(user->name, "root");
	assert_null(user->default_acct);
	assert_string_equal(user->default_wckey, "");
	assoc_show_unref(show);
}

/* Nothing that comes from slurmdbd is too odd. */
static void _odd(void **state)
{
	assoc_show_t *show;

	list_flush(tres);
	_assoc(7, 8, "circle", NULL, PARENT);
	_assoc(8, 7, "circles", NULL, PARENT);
	_assoc(9, 7, "circles", "daemon", 1);
	_assoc(10, 10, "itself", NULL, 1);
	_assoc(11, 12, "orphan", NULL, 0);
	_assoc(13, 1, NULL, "daemon", 0);
	show = _load(true, false);
	assert_int_equal(show->tres_cnt, 0);
	assert_int_equal(list_count(show->assocs), 11);
	assert_null(_rec(show, 13));
	assoc_show_unref(show);
}

/* Who looks at the old is not disturbed by the new. */
static void _stays(void **state)
{
	assoc_show_t *old = _load(true, true);
	const site_t site = { 0 };

	tres = list_create(slurmdb_destroy_tres_rec);
	users = list_create(slurmdb_destroy_user_rec);
	assocs = list_create(slurmdb_destroy_assoc_rec);
	qos = list_create(slurmdb_destroy_qos_rec);
	assoc_show_load(assoc, &site, tres, users, assocs, qos);
	assert_int_equal(list_count(old->assocs), 6);
	assoc_show_unref(old);
	old = assoc_show_ref(assoc);
	assert_int_equal(list_count(old->assocs), 0);
	assoc_show_unref(old);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, _setup, _teardown)
	const struct CMUnitTest tests[] = {
		TEST(_in_a_tree),
		TEST(_in_the_whole),
		TEST(_without_shares),
		TEST(_limits_and_users),
		TEST(_odd),
		TEST(_stays),
	};

	return cmocka_run_group_tests(tests, slurm_unit_setup,
				      slurm_unit_teardown);
}
