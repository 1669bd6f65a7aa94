/*
 * pack_step_test.c - src/sibling/pack_step.c: what we pack by hand is what the
 * client's own unpack of this Slurm reads, in every version that it speaks.
 */
#include "testsuite/unit/unit.h"

#include "src/sibling/pack_info.h"
#include "testsuite/unit/client.h"
#include "testsuite/unit/record.h"

#define RECORD_TYPE job_step_info_t
static const record_field_t fields[] = {
	RECORD(U32, array_job_id),
	RECORD(U32, array_task_id),
	RECORD(STR, cluster),
	RECORD_SINCE(PACK_21_08, STR, container),
	RECORD(U32, cpu_freq_gov),
	RECORD(U32, cpu_freq_max),
	RECORD(U32, cpu_freq_min),
	RECORD(STR, name),
	RECORD(STR, network),
	RECORD(STR, nodes),
	RECORD(U32, num_cpus),
	RECORD(U32, num_tasks),
	RECORD(STR, partition),
	RECORD(STR, resv_ports),
	RECORD(STR, srun_host),
	RECORD(U32, srun_pid),
	RECORD(U16, start_protocol_ver),
	RECORD_SINCE(PACK_21_08, STR, submit_line),
	RECORD(U32, task_dist),
	RECORD(U32, time_limit),
	RECORD(STR, tres_alloc_str),
	RECORD(STR, tres_bind),
	RECORD(STR, tres_freq),
	RECORD(U32, user_id),
	RECORD_IF_24_11(0, STR, container_id)
};
#undef RECORD_TYPE

static void _fill(job_step_info_t *step, uint32_t salt)
{
	memset(step, 0, sizeof(*step));
	for (size_t i = 0; i < COUNT(fields); i++)
		record_set(step, &fields[i], salt + i);
	step->step_id.job_id = 7 + salt;
	step->step_id.step_id = SLURM_BATCH_SCRIPT;
	step->step_id.step_het_comp = NO_VAL;
	step->start_time = 100 + salt;
	step->run_time = 200 + salt;
	step->state = JOB_RUNNING;
	step->node_inx = client_make_inx(2, 4, 100 + salt);
}

static void _same(const job_step_info_t *sent, const job_step_info_t *got,
		  uint16_t version)
{
	static const job_step_info_t none;

	record_compare(fields, COUNT(fields), sent, got, &none, version);
	assert_int_equal(got->step_id.job_id, sent->step_id.job_id);
	assert_int_equal(got->step_id.step_id, SLURM_BATCH_SCRIPT);
	assert_int_equal(got->step_id.step_het_comp, NO_VAL);
	assert_int_equal(got->start_time, sent->start_time);
	assert_int_equal(got->run_time, sent->run_time);
	assert_int_equal(got->state, JOB_RUNNING);
	client_same_inx(sent->node_inx, got->node_inx);
}

/* What is NULL of them here is NULL or empty to the client. */
static void _steps(void **state)
{
	job_step_info_t steps[3];
	uint16_t version = 0;

	for (int i = 0; i < 3; i++)
		_fill(&steps[i], 1000 * i);
	while (client_next_version(&version)) {
		for (uint32_t count = 0; count <= 3; count += 3) {
			buf_t *buf = pack_info_steps(1234, version);
			job_step_info_response_msg_t *msg;

			for (uint32_t i = 0; i < count; i++)
				assert_int_equal(pack_info_step(
					buf, &steps[i], version), 0);
			pack_info_steps_end(buf, count, version);
			msg = client_unpack(buf, RESPONSE_JOB_STEP_INFO,
					    version);
			assert_int_equal(msg->job_step_count, count);
			assert_int_equal(msg->last_update, 1234);
			for (uint32_t i = 0; i < count; i++) {
				_same(&steps[i], &msg->job_steps[i], version);
				/* which Slurm forgets to free */
				xfree(msg->job_steps[i].submit_line);
			}
			slurm_free_job_step_info_response_msg(msg);
			free_buf(buf);
		}
	}
	for (int i = 0; i < 3; i++) {
		xfree(steps[i].submit_line);
		slurm_free_job_step_info_members(&steps[i]);
	}
}

static void _versions(void **state)
{
	assert_null(pack_info_steps(0, COMPAT_VERSION_MIN - 1));
	assert_null(pack_info_steps(0, COMPAT_VERSION_OWN + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_steps),
		cmocka_unit_test(_versions),
	};

	return cmocka_run_group_tests(tests, client_setup, client_teardown);
}
