/*
 * pack_part_test.c - src/sibling/pack_part.c: what we pack by hand is what the
 * client's own unpack of this Slurm reads, in every version that it speaks.
 */
#include "testsuite/unit/unit.h"

#include "src/sibling/pack_info.h"
#include "testsuite/unit/client.h"
#include "testsuite/unit/record.h"

#define RECORD_TYPE partition_info_t
static const record_field_t fields[] = {
	RECORD(STR, allow_alloc_nodes),
	RECORD(STR, allow_accounts),
	RECORD(STR, allow_groups),
	RECORD(STR, allow_qos),
	RECORD(STR, alternate),
	RECORD(STR, billing_weights_str),
	RECORD(U16, cr_type),
	RECORD(U32, cpu_bind),
	RECORD(U64, def_mem_per_cpu),
	RECORD(U32, default_time),
	RECORD(STR, deny_accounts),
	RECORD(STR, deny_qos),
	RECORD(U32, grace_time),
	RECORD(U32, max_cpus_per_node),
	RECORD(U64, max_mem_per_cpu),
	RECORD(U32, max_nodes),
	RECORD(U16, max_share),
	RECORD(U32, max_time),
	RECORD(U32, min_nodes),
	RECORD(STR, name),
	RECORD(STR, nodes),
	RECORD_SINCE(PACK_22_05, STR, nodesets),
	RECORD(U16, over_time_limit),
	RECORD(U16, preempt_mode),
	RECORD(U16, priority_job_factor),
	RECORD(U16, priority_tier),
	RECORD(STR, qos_char),
	RECORD_SINCE(PACK_21_08, U16, resume_timeout),
	RECORD(U16, state_up),
	RECORD_SINCE(PACK_21_08, U32, suspend_time),
	RECORD_SINCE(PACK_21_08, U16, suspend_timeout),
	RECORD(U32, total_cpus),
	RECORD(U32, total_nodes),
	RECORD(STR, tres_fmt_str),
	RECORD_IF_22_05(U16, flags)
	RECORD_IF_24_11(PACK_24_05, U32, flags)
	RECORD_IF_24_11(0, U32, max_cpus_per_socket)
};
#undef RECORD_TYPE

static void _free_members(partition_info_t *part)
{
	/* this is forgotten by slurm_free_partition_info_members() */
	COMPAT_IF_22_05(xfree(part->nodesets), );
	slurm_free_partition_info_members(part);
}

static void _free_msg(partition_info_msg_t *msg)
{
	for (uint32_t i = 0; i < msg->record_count; i++)
		_free_members(&msg->partition_array[i]);
	msg->record_count = 0;
	slurm_free_partition_info_msg(msg);
}

/* A partition whose every field is set, each unlike all others of its kind */
static void _fill(partition_info_t *part, uint32_t salt)
{
	job_defaults_t *defaults = xcalloc(1, sizeof(*defaults));

	memset(part, 0, sizeof(*part));
	for (size_t i = 0; i < COUNT(fields); i++)
		record_set(part, &fields[i], salt + i);
	part->node_inx = client_make_inx(2, 4, 100 + salt);
	defaults->type = JOB_DEF_CPU_PER_GPU;
	defaults->value = salt;
	part->job_defaults_list = list_create(xfree_ptr);
	list_append(part->job_defaults_list, defaults);
}

static void _same(const partition_info_t *sent, const partition_info_t *got,
		  uint16_t version)
{
	partition_info_t none = { 0 };
	job_defaults_t *defaults = list_peek(got->job_defaults_list);

	/* before 24.05 there were fewer flags */
	none.flags = sent->flags & 0xffff;
	record_compare(fields, COUNT(fields), sent, got, &none, version);
	client_same_inx(sent->node_inx, got->node_inx);
	assert_int_equal(list_count(got->job_defaults_list), 1);
	assert_int_equal(defaults->type, JOB_DEF_CPU_PER_GPU);
	assert_int_equal(defaults->value,
			 ((job_defaults_t *)
			  list_peek(sent->job_defaults_list))->value);
}

static void _parts(void **state)
{
	partition_info_t parts[3];
	uint16_t version = 0;

	for (int i = 0; i < 3; i++)
		_fill(&parts[i], 1000 * i);
	while (client_next_version(&version)) {
		buf_t *buf = pack_info_parts(3, 1234, version);
		partition_info_msg_t *msg;

		for (int i = 0; i < 3; i++)
			assert_int_equal(pack_info_part(buf, &parts[i],
							version), 0);
		msg = client_unpack(buf, RESPONSE_PARTITION_INFO, version);
		assert_int_equal(msg->record_count, 3);
		assert_int_equal(msg->last_update, 1234);
		for (int i = 0; i < 3; i++)
			_same(&parts[i], &msg->partition_array[i], version);
		_free_msg(msg);
		free_buf(buf);
	}
	for (int i = 0; i < 3; i++)
		_free_members(&parts[i]);
}

static void _plain_parts(void **state)
{
	static const int32_t no_inx = -1;
	static const partition_info_t none;
	uint16_t version = 0;
	partition_info_t part;

	pack_info_part_init(&part);
	/* the client makes this of none */
	part.name = "";
	while (client_next_version(&version)) {
		buf_t *buf = pack_info_parts(1, 0, version);
		partition_info_msg_t *msg;

		assert_int_equal(pack_info_part(buf, &part, version), 0);
		msg = client_unpack(buf, RESPONSE_PARTITION_INFO, version);
		assert_int_equal(msg->record_count, 1);
		record_compare(fields, COUNT(fields), &part,
			       &msg->partition_array[0], &none, version);
		client_same_inx(&no_inx, msg->partition_array[0].node_inx);
		assert_null(msg->partition_array[0].job_defaults_list);
		_free_msg(msg);
		free_buf(buf);

		buf = pack_info_parts(0, 0, version);
		msg = client_unpack(buf, RESPONSE_PARTITION_INFO, version);
		assert_int_equal(msg->record_count, 0);
		_free_msg(msg);
		free_buf(buf);
	}
}

/* A version that no layout is for */
static void _refused(uint16_t version)
{
	buf_t *buf = init_buf(16);
	partition_info_t part;

	pack_info_part_init(&part);
	assert_null(pack_info_parts(1, 0, version));
	assert_int_equal(pack_info_part(buf, &part, version), -1);
	assert_int_equal(get_buf_offset(buf), 0);
	free_buf(buf);
}

static void _versions(void **state)
{
	_refused(COMPAT_VERSION_MIN - 1);
	_refused(COMPAT_VERSION_OWN + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_parts),
		cmocka_unit_test(_plain_parts),
		cmocka_unit_test(_versions),
	};

	return cmocka_run_group_tests(tests, client_setup, client_teardown);
}
