/*
 * sibling_federation_test.c - src/sibling/federation: from slurmdbd's records
 * to a snapshot, to the ledger and back, and to what Slurm's clients are told.
 */
#include "testsuite/unit/slurm_unit.h"

#include "src/sibling/federation.h"

static slurmdb_federation_rec_t *_add_fed(compat_list_t list, const char *name)
{
	slurmdb_federation_rec_t *rec = xmalloc(sizeof(*rec));

	rec->name = xstrdup(name);
	rec->cluster_list = list_create(slurmdb_destroy_cluster_rec);
	list_append(list, rec);
	return rec;
}

static slurmdb_cluster_rec_t *_add_member(slurmdb_federation_rec_t *fed,
					  const char *name, const char *host,
					  uint16_t port, uint32_t id,
					  const char *features)
{
	slurmdb_cluster_rec_t *rec = xmalloc(sizeof(*rec));

	slurmdb_init_cluster_rec(rec, false);
	rec->name = xstrdup(name);
	rec->control_host = xstrdup(host);
	rec->control_port = port;
	rec->rpc_version = SLURM_PROTOCOL_VERSION;
	rec->fed.name = xstrdup(fed->name);
	rec->fed.id = id;
	rec->fed.state = CLUSTER_FED_STATE_ACTIVE;
	if (features) {
		rec->fed.feature_list = list_create(xfree_ptr);
		slurm_addto_char_list(rec->fed.feature_list,
				      (char *) features);
	}
	list_append(fed->cluster_list, rec);
	return rec;
}

/* Two federations; the second one has flurm and two natives. */
static compat_list_t _two_federations(void)
{
	compat_list_t list = list_create(slurmdb_destroy_federation_rec);
	slurmdb_federation_rec_t *fed;

	fed = _add_fed(list, "other");
	_add_member(fed, "far", "10.0.0.9", 6817, 1, NULL);
	fed = _add_fed(list, "fed");
	_add_member(fed, "flurm", "10.0.0.7", 6827, 3, "fast,gpu");
	_add_member(fed, "beta", "10.0.0.2", 6817, 2, NULL);
	_add_member(fed, "alpha", NULL, 0, 1, NULL)->fed.state =
		CLUSTER_FED_STATE_ACTIVE | CLUSTER_FED_STATE_DRAIN;
	return list;
}

static federation_t *_snapshot(void)
{
	compat_list_t list = _two_federations();
	federation_t *fed = federation_from_dbd(list, "flurm");

	FREE_NULL_LIST(list);
	return fed;
}

static void _from_dbd(void **state)
{
	federation_t *fed = _snapshot();

	assert_string_equal(fed->name, "fed");
	assert_int_equal(fed->member_cnt, 3);
	/* by name, whatever order they came in */
	assert_string_equal(fed->member[0].name, "alpha");
	assert_string_equal(fed->member[1].name, "beta");
	assert_string_equal(fed->member[2].name, "flurm");
	assert_ptr_equal(fed->self, &fed->member[2]);
	assert_int_equal(fed->self->fed_id, 3);
	assert_string_equal(fed->self->features, "fast,gpu");
	assert_string_equal(fed->member[0].host, "");
	assert_string_equal(fed->member[0].features, "");
	assert_false(federation_member_is_up(&fed->member[0]));
	assert_true(federation_member_is_up(&fed->member[1]));
	assert_int_equal(fed->member[1].port, 6817);
	assert_int_equal(fed->member[1].rpc_version, SLURM_PROTOCOL_VERSION);
	assert_int_equal(fed->member[0].state, CLUSTER_FED_STATE_ACTIVE |
			 CLUSTER_FED_STATE_DRAIN);
	assert_ptr_equal(federation_find(fed, "beta"), &fed->member[1]);
	assert_null(federation_find(fed, "far"));
	assert_ptr_equal(federation_find_id(fed, 2), &fed->member[1]);
	assert_null(federation_find_id(fed, 9));
	federation_unref(fed);
}

static void _in_none(void **state)
{
	compat_list_t list = _two_federations(), empty = list_create(NULL);
	federation_t *fed = federation_from_dbd(list, "stranger"), *other;

	assert_null(fed->name);
	assert_null(fed->self);
	assert_int_equal(fed->member_cnt, 0);
	/* slurmdbd says "none" as an empty list and as no list */
	other = federation_from_dbd(NULL, "flurm");
	assert_true(federation_equal(fed, other));
	federation_unref(other);
	other = federation_from_dbd(empty, "flurm");
	assert_true(federation_equal(fed, other));
	federation_unref(other);
	federation_unref(fed);
	FREE_NULL_LIST(empty);
	FREE_NULL_LIST(list);
}

/* A member without a name or with an id that no member has is left out. */
static void _impossible_members(void **state)
{
	compat_list_t list = list_create(slurmdb_destroy_federation_rec);
	slurmdb_federation_rec_t *rec = _add_fed(list, "fed");
	federation_t *fed;

	_add_member(rec, "flurm", "a", 1, 63, NULL);
	_add_member(rec, "zero", "a", 1, 0, NULL);
	_add_member(rec, "many", "a", 1, 64, NULL);
	_add_member(rec, NULL, "a", 1, 5, NULL);
	fed = federation_from_dbd(list, "flurm");
	assert_int_equal(fed->member_cnt, 1);
	assert_int_equal(fed->self->fed_id, 63);
	federation_unref(fed);
	FREE_NULL_LIST(list);
}

static void _equality(void **state)
{
	federation_t *fed = _snapshot();

	for (int i = 0; i < 8; i++) {
		federation_t *other = _snapshot();
		fed_member_t *member = &other->member[1];

		assert_true(federation_equal(fed, other));
		switch (i) {
		case 0:
			xfree(other->name);
			other->name = xstrdup("fee");
			break;
		case 1:
			xfree(member->name);
			member->name = xstrdup("bete");
			break;
		case 2:
			xfree(member->host);
			member->host = xstrdup("10.0.0.3");
			break;
		case 3:
			member->port++;
			break;
		case 4:
			member->rpc_version--;
			break;
		case 5:
			member->fed_id = 9;
			break;
		case 6:
			member->state |= CLUSTER_FED_STATE_DRAIN;
			break;
		case 7:
			xfree(member->features);
			member->features = xstrdup("x");
			break;
		}
		if (federation_equal(fed, other))
			fail_msg("change %d goes unnoticed", i);
		federation_unref(other);
	}
	federation_unref(fed);
}

static void _ledger_and_back(void **state)
{
	federation_t *fed = _snapshot(), *again;
	fed_bytes_t bytes = { 0 };
	fed_err_t err;

	federation_pack(fed, &bytes);
	again = federation_unpack(bytes.data, bytes.len, "flurm", &err);
	assert_non_null(again);
	assert_true(federation_equal(fed, again));
	assert_string_equal(again->self->name, "flurm");
	federation_unref(again);

	/* cut anywhere, or with something behind it, it is refused */
	for (size_t len = 0; len < bytes.len; len++) {
		again = federation_unpack(bytes.data, len, "flurm", &err);
		if (again)
			fail_msg("%zu of %zu bytes are taken", len,
				 bytes.len);
	}
	fed_put_u8(&bytes, 0);
	assert_null(federation_unpack(bytes.data, bytes.len, "flurm", &err));
	/* of a newer release */
	bytes.data[1]++;
	assert_null(federation_unpack(bytes.data, bytes.len - 1, "flurm",
				      &err));
	assert_non_null(strstr(err.text, "version 2"));
	fed_bytes_free(&bytes);
	federation_unref(fed);

	/* in none */
	fed = federation_from_dbd(NULL, "flurm");
	federation_pack(fed, &bytes);
	again = federation_unpack(bytes.data, bytes.len, "flurm", &err);
	assert_non_null(again);
	assert_true(federation_equal(fed, again));
	federation_unref(again);
	federation_unref(fed);
	fed_bytes_free(&bytes);
}

static void _many_members(void **state)
{
	fed_bytes_t bytes = { 0 };
	fed_err_t err;

	fed_put_u16(&bytes, 1);
	fed_put_str(&bytes, "fed");
	fed_put_u32(&bytes, 0x7fffffff);
	assert_null(federation_unpack(bytes.data, bytes.len, "flurm", &err));
	fed_bytes_free(&bytes);
}

/* alpha: both; beta: send only, not synced */
static void _up(void *arg, const fed_member_t *member, bool *ret_send,
		bool *ret_recv, bool *ret_synced)
{
	(*(int *) arg)++;
	if (!strcmp(member->name, "alpha"))
		*ret_send = *ret_recv = *ret_synced = true;
	else if (!strcmp(member->name, "beta"))
		*ret_send = true;
}

static int _is_named(void *x, void *key)
{
	return !xstrcmp(((slurmdb_cluster_rec_t *) x)->name, key);
}

static slurmdb_cluster_rec_t *_member(slurmdb_federation_rec_t *rec,
				      const char *name)
{
	slurmdb_cluster_rec_t *found = list_find_first(
		rec->cluster_list, _is_named, (void *) name);

	assert_non_null(found);
	return found;
}

/* What a client unpacks of a RESPONSE_FED_INFO, in every layout */
static void _fed_info(void **state)
{
	for_each_version(version) {
		federation_t *fed = _snapshot();
		slurmdb_federation_rec_t *rec, *told = NULL;
		slurmdb_cluster_rec_t *member;
		buf_t *buf = init_buf(1024);
		int asked = 0;

		rec = federation_to_rec(fed, _up, &asked);
		assert_int_equal(asked, 3);
		slurmdb_pack_federation_rec(rec, version, buf);
		slurmdb_destroy_federation_rec(rec);
		set_buf_offset(buf, 0);
		assert_int_equal(slurmdb_unpack_federation_rec(
			(void **) &told, version, buf), SLURM_SUCCESS);
		assert_string_equal(told->name, "fed");
		assert_int_equal(list_count(told->cluster_list), 3);
		member = _member(told, "alpha");
		assert_non_null(member->fed.send);
		assert_non_null(member->fed.recv);
		assert_true(member->fed.sync_recvd);
		assert_true(member->fed.sync_sent);
		assert_int_equal(member->fed.state, CLUSTER_FED_STATE_ACTIVE |
				 CLUSTER_FED_STATE_DRAIN);
		member = _member(told, "beta");
		assert_string_equal(member->control_host, "10.0.0.2");
		assert_int_equal(member->control_port, 6817);
		assert_non_null(member->fed.send);
		assert_null(member->fed.recv);
		assert_false(member->fed.sync_recvd);
		member = _member(told, "flurm");
		assert_int_equal(member->fed.id, 3);
		assert_int_equal(list_count(member->fed.feature_list), 2);
		slurmdb_destroy_federation_rec(told);
		free_buf(buf);
		federation_unref(fed);
	}
}

static void _references(void **state)
{
	federation_t *fed = _snapshot();

	assert_ptr_equal(federation_ref(fed), fed);
	federation_unref(fed);
	assert_string_equal(fed->name, "fed");
	federation_unref(fed);
	federation_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_from_dbd),
		cmocka_unit_test(_in_none),
		cmocka_unit_test(_impossible_members),
		cmocka_unit_test(_equality),
		cmocka_unit_test(_ledger_and_back),
		cmocka_unit_test(_many_members),
		cmocka_unit_test(_fed_info),
		cmocka_unit_test(_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
