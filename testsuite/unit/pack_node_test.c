/*
 * pack_node_test.c - src/sibling/pack_node.c: what we pack by hand is what the
 * client's own unpack of this Slurm reads, in every version that it speaks.
 */
#include "testsuite/unit/unit.h"

#include "src/sibling/pack_info.h"
#include "testsuite/unit/client.h"
#include "testsuite/unit/record.h"

#define RECORD_TYPE node_info_t
static const record_field_t fields[] = {
	RECORD(STR, arch),
	RECORD(STR, bcast_address),
	RECORD(U16, boards),
	RECORD(TIME, boot_time),
	RECORD(U16, cores),
	RECORD(U16, core_spec_cnt),
	RECORD(U32, cpu_bind),
	RECORD(U32, cpu_load),
	RECORD(U64, free_mem),
	RECORD(U16, cpus),
	RECORD_SINCE(PACK_22_05, U16, cpus_efctv),
	RECORD(STR, cpu_spec_list),
	RECORD_SINCE(PACK_21_08, STR, extra),
	RECORD(STR, features),
	RECORD(STR, features_act),
	RECORD(STR, gres),
	RECORD(STR, gres_drain),
	RECORD(STR, gres_used),
	RECORD_SINCE(PACK_21_08, TIME, last_busy),
	RECORD(STR, mcs_label),
	RECORD(U64, mem_spec_limit),
	RECORD(STR, name),
	RECORD(U32, next_state),
	RECORD(STR, node_addr),
	RECORD(STR, node_hostname),
	RECORD(U32, node_state),
	RECORD(STR, os),
	RECORD(U32, owner),
	RECORD(U16, port),
	RECORD(U64, real_memory),
	RECORD(STR, comment),
	RECORD(STR, reason),
	RECORD(TIME, reason_time),
	RECORD(U32, reason_uid),
	RECORD(TIME, slurmd_start_time),
	RECORD(U16, sockets),
	RECORD(U16, threads),
	RECORD(U32, tmp_disk),
	RECORD(U32, weight),
	RECORD(STR, tres_fmt_str),
	RECORD(STR, version),
	RECORD_IF_24_11(PACK_23_11, STR, instance_id)
	RECORD_IF_24_11(PACK_23_11, STR, instance_type)
	RECORD_IF_24_11(PACK_24_05, U16, res_cores_per_gpu)
	RECORD_IF_24_11(PACK_24_05, STR, gpu_spec)
	RECORD_IF_24_11(0, TIME, resume_after)
	RECORD_IF_24_11(0, STR, resv_name)
};
#undef RECORD_TYPE

static void _free_members(node_info_t *node)
{
	/* these are forgotten by slurm_free_node_info_members() */
	COMPAT_IF_22_05(xfree(node->bcast_address), );
	COMPAT_IF_22_05(xfree(node->comment), );
	COMPAT_IF_22_05(xfree(node->extra), );
	slurm_free_node_info_members(node);
}

static void _free_msg(node_info_msg_t *msg)
{
	for (uint32_t i = 0; i < msg->record_count; i++)
		_free_members(&msg->node_array[i]);
	msg->record_count = 0;
	slurm_free_node_info_msg(msg);
}

/* A node whose every field is set, each unlike all others of its kind */
static void _fill(node_info_t *node, uint32_t salt)
{
	memset(node, 0, sizeof(*node));
	for (size_t i = 0; i < COUNT(fields); i++)
		record_set(node, &fields[i], salt + i);
	node->energy = acct_gather_energy_alloc(1);
	node->energy->current_watts = salt + 1;
	node->energy->consumed_energy = salt + 2;
}

static void _same_alloc(const pack_node_alloc_t *sent, const node_info_t *got)
{
	uint16_t cpus;
	uint64_t memory;
	char *tres;
	double weighted;

	slurm_get_select_nodeinfo(got->select_nodeinfo, SELECT_NODEDATA_SUBCNT,
				  NODE_STATE_ALLOCATED, &cpus);
	slurm_get_select_nodeinfo(got->select_nodeinfo,
				  SELECT_NODEDATA_MEM_ALLOC,
				  NODE_STATE_ALLOCATED, &memory);
	slurm_get_select_nodeinfo(got->select_nodeinfo,
				  SELECT_NODEDATA_TRES_ALLOC_FMT_STR,
				  NODE_STATE_ALLOCATED, &tres);
	slurm_get_select_nodeinfo(got->select_nodeinfo,
				  SELECT_NODEDATA_TRES_ALLOC_WEIGHTED,
				  NODE_STATE_ALLOCATED, &weighted);
	assert_int_equal(cpus, sent->cpus);
	assert_int_equal(memory, sent->memory);
	if (sent->tres)
		assert_string_equal(tres, sent->tres);
	else
		assert_null(tres);
	assert_true(weighted == sent->tres_weighted);
	xfree(tres);
}

/* What clients of 22.05 print as "n/s" and "n/a" */
static void _no_sensors(const node_info_t *got)
{
	COMPAT_IF_22_05(assert_true(got->ext_sensors->consumed_energy ==
				    NO_VAL64), );
	COMPAT_IF_22_05(assert_int_equal(got->ext_sensors->temperature,
					 NO_VAL), );
	COMPAT_IF_22_05(assert_int_equal(got->ext_sensors->current_watts, 0), );
	COMPAT_IF_22_05(assert_int_equal(got->power->cap_watts, NO_VAL), );
}

static void _nodes(void **state)
{
	static const node_info_t none;
	const pack_node_alloc_t alloc = {
		.cpus = 7,
		.memory = 1UL << 33,
		.tres = "cpu=7,mem=8G",
		.tres_weighted = 3.25,
	};
	node_info_t nodes[3];
	uint16_t version = 0;

	for (int i = 0; i < 3; i++)
		_fill(&nodes[i], 1000 * i);
	while (client_next_version(&version)) {
		buf_t *buf = pack_info_nodes(3, 1234, version);
		node_info_msg_t *msg;

		for (int i = 0; i < 3; i++)
			assert_int_equal(pack_info_node(buf, &nodes[i], &alloc,
							version), 0);
		msg = client_unpack(buf, RESPONSE_NODE_INFO, version);
		assert_int_equal(msg->record_count, 3);
		assert_int_equal(msg->last_update, 1234);
		for (int i = 0; i < 3; i++) {
			node_info_t *got = &msg->node_array[i];

			record_compare(fields, COUNT(fields), &nodes[i], got,
				       &none, version);
			_same_alloc(&alloc, got);
			_no_sensors(got);
			assert_int_equal(got->energy->current_watts,
					 1000 * i + 1);
			assert_int_equal(got->energy->consumed_energy,
					 1000 * i + 2);
		}
		_free_msg(msg);
		free_buf(buf);
	}
	for (int i = 0; i < 3; i++)
		_free_members(&nodes[i]);
}

static void _plain_nodes(void **state)
{
	static const pack_node_alloc_t nothing;
	static const node_info_t none;
	uint16_t version = 0;
	node_info_t node;

	pack_info_node_init(&node);
	while (client_next_version(&version)) {
		buf_t *buf = pack_info_nodes(1, 0, version);
		node_info_msg_t *msg;

		assert_int_equal(pack_info_node(buf, &node, NULL, version), 0);
		msg = client_unpack(buf, RESPONSE_NODE_INFO, version);
		assert_int_equal(msg->record_count, 1);
		record_compare(fields, COUNT(fields), &node,
			       &msg->node_array[0], &none, version);
		_same_alloc(&nothing, &msg->node_array[0]);
		_free_msg(msg);
		free_buf(buf);

		buf = pack_info_nodes(0, 0, version);
		msg = client_unpack(buf, RESPONSE_NODE_INFO, version);
		assert_int_equal(msg->record_count, 0);
		_free_msg(msg);
		free_buf(buf);
	}
}

/* A version that no layout is for */
static void _refused(uint16_t version)
{
	buf_t *buf = init_buf(16);
	node_info_t node;

	pack_info_node_init(&node);
	assert_null(pack_info_nodes(1, 0, version));
	assert_int_equal(pack_info_node(buf, &node, NULL, version), -1);
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
		cmocka_unit_test(_nodes),
		cmocka_unit_test(_plain_nodes),
		cmocka_unit_test(_versions),
	};

	return cmocka_run_group_tests(tests, client_setup, client_teardown);
}
