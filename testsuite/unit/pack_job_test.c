/*
 * pack_job_test.c - src/sibling/pack_job.c: what we pack by hand is what the
 * client's own unpack of this Slurm reads, in every version that it speaks.
 */
#include "testsuite/unit/unit.h"

#include "src/sibling/pack_info.h"
#include "testsuite/unit/client.h"
#include "testsuite/unit/record.h"

#define RECORD_TYPE job_info_t
static const record_field_t job_fields[] = {
	RECORD(STR, account),
	RECORD(TIME, accrue_time),
	RECORD(STR, admin_comment),
	RECORD(STR, alloc_node),
	RECORD(U32, alloc_sid),
	RECORD(U32, array_job_id),
	RECORD(U32, array_task_id),
	RECORD(U32, array_max_tasks),
	RECORD(U32, assoc_id),
	RECORD(STR, batch_features),
	RECORD(U16, batch_flag),
	RECORD(STR, batch_host),
	RECORD(U64, bitflags),
	RECORD(U16, boards_per_node),
	RECORD(STR, burst_buffer),
	RECORD(STR, burst_buffer_state),
	RECORD(STR, cluster),
	RECORD(STR, cluster_features),
	RECORD(STR, command),
	RECORD(STR, comment),
	RECORD_SINCE(PACK_21_08, STR, container),
	RECORD(U16, contiguous),
	RECORD(U16, core_spec),
	RECORD(U16, cores_per_socket),
	RECORD(DOUBLE, billable_tres),
	RECORD(U16, cpus_per_task),
	RECORD(U32, cpu_freq_min),
	RECORD(U32, cpu_freq_max),
	RECORD(U32, cpu_freq_gov),
	RECORD(TRES, cpus_per_tres),
	RECORD(STR, cronspec),
	RECORD(TIME, deadline),
	RECORD(U32, delay_boot),
	RECORD(STR, dependency),
	RECORD(U32, derived_ec),
	RECORD(TIME, eligible_time),
	RECORD(TIME, end_time),
	RECORD(STR, exc_nodes),
	RECORD(U32, exit_code),
	RECORD(STR, features),
	RECORD(STR, fed_origin_str),
	RECORD(U64, fed_siblings_active),
	RECORD(STR, fed_siblings_active_str),
	RECORD(U64, fed_siblings_viable),
	RECORD(STR, fed_siblings_viable_str),
	RECORD(STR, gres_total),
	RECORD(U32, group_id),
	RECORD(U32, het_job_id),
	RECORD(STR, het_job_id_set),
	RECORD(U32, het_job_offset),
	RECORD(U32, job_id),
	RECORD(U32, job_state),
	RECORD(TIME, last_sched_eval),
	RECORD(STR, licenses),
	RECORD(U16, mail_type),
	RECORD(STR, mail_user),
	RECORD(U32, max_cpus),
	RECORD(U32, max_nodes),
	RECORD(STR, mcs_label),
	RECORD(TRES, mem_per_tres),
	RECORD(STR, name),
	RECORD(STR, network),
	RECORD(STR, nodes),
	RECORD(U32, nice),
	RECORD(U16, ntasks_per_core),
	RECORD(U16, ntasks_per_tres),
	RECORD(U16, ntasks_per_node),
	RECORD(U16, ntasks_per_socket),
	RECORD(U16, ntasks_per_board),
	RECORD(U32, num_cpus),
	RECORD(U32, num_nodes),
	RECORD(U32, num_tasks),
	RECORD(STR, partition),
	RECORD_SINCE(PACK_22_05, STR, prefer),
	RECORD(U64, pn_min_memory),
	RECORD(U16, pn_min_cpus),
	RECORD(U32, pn_min_tmp_disk),
	RECORD(TIME, preempt_time),
	RECORD(TIME, preemptable_time),
	RECORD(TIME, pre_sus_time),
	RECORD(U32, priority),
	RECORD(U32, profile),
	RECORD(STR, qos),
	RECORD(U8, reboot),
	RECORD(STR, req_nodes),
	RECORD(U32, req_switch),
	RECORD(U16, requeue),
	RECORD(TIME, resize_time),
	RECORD(U16, restart_cnt),
	RECORD(STR, resv_name),
	RECORD(STR, sched_nodes),
	RECORD_SINCE(PACK_21_08, STR, selinux_context),
	RECORD(U16, shared),
	RECORD(U32, site_factor),
	RECORD(U16, sockets_per_board),
	RECORD(U16, sockets_per_node),
	RECORD(TIME, start_time),
	RECORD(U16, start_protocol_ver),
	RECORD(STR, state_desc),
	RECORD(STR, std_err),
	RECORD(STR, std_in),
	RECORD(STR, std_out),
	RECORD(TIME, submit_time),
	RECORD(TIME, suspend_time),
	RECORD(STR, system_comment),
	RECORD(U32, time_limit),
	RECORD(U32, time_min),
	RECORD(U16, threads_per_core),
	RECORD(STR, tres_bind),
	RECORD(STR, tres_freq),
	RECORD(TRES, tres_per_job),
	RECORD(TRES, tres_per_node),
	RECORD(TRES, tres_per_socket),
	RECORD(TRES, tres_per_task),
	RECORD(STR, tres_req_str),
	RECORD(STR, tres_alloc_str),
	RECORD(U32, user_id),
	RECORD(STR, user_name),
	RECORD(U32, wait4switch),
	RECORD(STR, wckey),
	RECORD(STR, work_dir),
	COMPAT_IF_24_11(RECORD(U32, state_reason), RECORD(U16, state_reason)),
	RECORD_IF_22_05(U8, power_flags)
	RECORD_IF_22_05(U16, show_flags)
	RECORD_IF_24_11(0, STR, container_id)
	RECORD_IF_24_11(0, STR, extra)
	RECORD_IF_24_11(0, STR, failed_node)
	RECORD_IF_24_11(PACK_24_11, U16, oom_kill_step)
	RECORD_IF_24_11(PACK_24_05, STR, resv_ports)
};
#undef RECORD_TYPE

/* A job whose every field is set, each unlike all others of its kind */
static void _fill_job(job_info_t *job, uint32_t salt)
{
	memset(job, 0, sizeof(*job));
	for (size_t i = 0; i < COUNT(job_fields); i++)
		record_set(job, &job_fields[i], salt + i);
	/* newer clients take the one out of the other */
	job->pn_min_memory = strtoul(strrchr(job->mem_per_tres, ':') + 1,
				     NULL, 10);
	job->array_bitmap = bit_alloc(20);
	bit_nset(job->array_bitmap, 3, 5);
	bit_set(job->array_bitmap, 17);
	job->node_inx = client_make_inx(1, 3, 7);
	job->req_node_inx = client_make_inx(2, 4, 100);
	job->exc_node_inx = client_make_inx(0, 0, 31);
	job->gres_detail_cnt = 2;
	job->gres_detail_str = xcalloc(2, sizeof(char *));
	job->gres_detail_str[0] = xstrdup("gpu:1(IDX:0)");
	job->gres_detail_str[1] = xstrdup_printf("gpu:%u", salt);
	COMPAT_IF_24_11(job->job_size_str = xstrdup("2-4,8"), );
	COMPAT_IF_24_11(job->priority_array = xcalloc(2, sizeof(uint32_t)), );
	COMPAT_IF_24_11(job->priority_array[1] = salt, );
	COMPAT_IF_24_11(job->priority_array_names = xstrdup("long,short"), );
}

static void _same_job(const job_info_t *sent, const job_info_t *got,
		      uint16_t version)
{
	static const job_info_t none;
	char *tasks = xstrdup_printf("3-5,17%%%u", sent->array_max_tasks);

	record_compare(job_fields, COUNT(job_fields), sent, got, &none,
		       version);
	assert_string_equal(got->array_task_str, tasks);
	xfree(tasks);
	client_same_inx(sent->node_inx, got->node_inx);
	client_same_inx(sent->req_node_inx, got->req_node_inx);
	client_same_inx(sent->exc_node_inx, got->exc_node_inx);
	assert_null(got->job_resrcs);
	assert_int_equal(got->gres_detail_cnt, 2);
	for (int i = 0; i < 2; i++)
		assert_string_equal(sent->gres_detail_str[i],
				    got->gres_detail_str[i]);
	COMPAT_IF_24_11(assert_string_equal(got->job_size_str, "2-4,8"), );
	if (version < PACK_24_05)
		return;
	COMPAT_IF_24_11(assert_string_equal(got->priority_array_names,
					    "long,short"), );
	COMPAT_IF_24_11(assert_int_equal(got->priority_array[1],
					 sent->priority_array[1]), );
}

static void _jobs(void **state)
{
	job_info_t jobs[3];
	uint16_t version = 0;

	for (int i = 0; i < 3; i++)
		_fill_job(&jobs[i], 1000 * i);
	while (client_next_version(&version)) {
		buf_t *buf = pack_info_jobs(3, 1234, version);
		job_info_msg_t *msg;

		for (int i = 0; i < 3; i++)
			assert_int_equal(pack_info_job(buf, &jobs[i], version),
					 0);
		msg = client_unpack(buf, RESPONSE_JOB_INFO, version);
		assert_int_equal(msg->record_count, 3);
		assert_int_equal(msg->last_update, 1234);
		for (int i = 0; i < 3; i++)
			_same_job(&jobs[i], &msg->job_array[i], version);
		compat_free_job_info_msg(msg);
		free_buf(buf);
	}
	for (int i = 0; i < 3; i++)
		compat_free_job_info_members(&jobs[i]);
}

/* Jobs that asked for nothing: what is NULL stays so. */
static void _plain_jobs(void **state)
{
	static const int32_t no_inx = -1;
	uint16_t version = 0;
	job_info_t job;

	pack_info_job_init(&job);
	job.pn_min_memory = 100;
	while (client_next_version(&version)) {
		buf_t *buf = pack_info_jobs(2, 0, version);
		job_info_msg_t *msg;

		for (job.job_id = 1; job.job_id <= 2; job.job_id++)
			assert_int_equal(pack_info_job(buf, &job, version), 0);
		msg = client_unpack(buf, RESPONSE_JOB_INFO, version);
		assert_int_equal(msg->record_count, 2);
		for (job.job_id = 1; job.job_id <= 2; job.job_id++) {
			job_info_t *got = &msg->job_array[job.job_id - 1];
			static const job_info_t none;

			record_compare(job_fields, COUNT(job_fields), &job,
				       got, &none, version);
			assert_null(got->array_task_str);
			assert_null(got->array_bitmap);
			client_same_inx(&no_inx, got->node_inx);
			assert_int_equal(got->gres_detail_cnt, 0);
		}
		compat_free_job_info_msg(msg);
		free_buf(buf);
	}
}

static void _no_jobs(void **state)
{
	uint16_t version = 0;

	while (client_next_version(&version)) {
		buf_t *buf = pack_info_jobs(0, 1234, version);
		job_info_msg_t *msg = client_unpack(buf, RESPONSE_JOB_INFO,
						    version);

		assert_int_equal(msg->record_count, 0);
		compat_free_job_info_msg(msg);
		free_buf(buf);
	}
}

/* A version that no layout is for */
static void _refused(uint16_t version)
{
	buf_t *buf = init_buf(16);
	job_info_t job;

	pack_info_job_init(&job);
	assert_false(pack_info_speaks(version));
	assert_null(pack_info_jobs(1, 0, version));
	assert_int_equal(pack_info_job(buf, &job, version), -1);
	assert_int_equal(get_buf_offset(buf), 0);
	free_buf(buf);
}

static void _versions(void **state)
{
	_refused(0);
	_refused(COMPAT_VERSION_MIN - 1);
	_refused(COMPAT_VERSION_OWN + 1);
	_refused(NO_VAL16);
	assert_true(pack_info_speaks(COMPAT_VERSION_MIN));
	assert_true(pack_info_speaks(COMPAT_VERSION_OWN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_jobs),
		cmocka_unit_test(_plain_jobs),
		cmocka_unit_test(_no_jobs),
		cmocka_unit_test(_versions),
	};

	return cmocka_run_group_tests(tests, client_setup, client_teardown);
}
