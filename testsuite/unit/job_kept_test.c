/*
 * job_kept_test.c - what is kept of a job for those who ask, and its records.
 */
#include "testsuite/unit/slurm_unit.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/job_id.h"
#include "src/sibling/jobs_int.h"
#include "src/sibling/record.h"

#define ID ((2u << 26) | 7)
#define EPOCH 1000

static flurm_event_t _event(flurm_event_type_t type, int64_t time)
{
	flurm_event_t event;

	flurm_event_init(&event);
	event.type = type;
	event.time = time;
	return event;
}

static void _take(job_run_t *run, flurm_event_t event, bool changes)
{
	assert_int_equal(job_run_event(run, &event), changes);
}

static void _events(void **state)
{
	flurm_event_t event = _event(FLURM_EV_STARTED, 100);
	job_run_t run;

	job_run_init(&run);
	event.nodes = (char *) "n[1-3]";
	event.cpus = 12;
	_take(&run, event, true);
	_take(&run, event, false);
	assert_string_equal(run.nodes, "n[1-3]");
	assert_int_equal(run.alloc_nodes, 3);
	assert_int_equal(run.alloc_cpus, 12);

	_take(&run, _event(FLURM_EV_SUSPENDED, 110), true);
	_take(&run, _event(FLURM_EV_SUSPENDED, 115), false);
	assert_true(run.suspended);
	_take(&run, _event(FLURM_EV_RESUMED, 130), true);
	assert_false(run.suspended);
	assert_int_equal(run.suspended_for, 20);
	_take(&run, _event(FLURM_EV_SUSPENDED, 140), true);

	event = _event(FLURM_EV_ENDED, 150);
	event.end_time = 149;
	event.usage.user_us = 5;
	event.reason = (char *) "done";
	_take(&run, event, true);
	assert_false(run.suspended);
	assert_int_equal(run.suspended_for, 29);
	assert_int_equal(run.usage.user_us, 5);
	/* where it ran stays known */
	assert_string_equal(run.nodes, "n[1-3]");
	job_run_free(&run);
	assert_null(run.nodes);
}

static void _start_failed(void **state)
{
	flurm_event_t event = _event(FLURM_EV_STARTED, 100);
	job_run_t run;

	job_run_init(&run);
	event.nodes = (char *) "n1";
	_take(&run, event, true);
	_take(&run, _event(FLURM_EV_START_FAILED, 101), true);
	assert_null(run.nodes);
	assert_false(flurm_is_set(run.alloc_nodes));
	_take(&run, _event(FLURM_EV_HELD, 102), true);
	assert_true(run.held);
	_take(&run, _event(FLURM_EV_RELEASED, 103), true);
	assert_false(run.held);
	job_run_free(&run);
}

static void _view(void **state)
{
	flurm_job_t seen;
	job_run_t run;

	job_run_init(&run);
	flurm_job_init(&seen);
	seen.state = FLURM_PENDING;
	seen.reason = strdup("Resources");
	assert_true(job_run_view(&run, &seen, 10));
	assert_false(job_run_view(&run, &seen, 11));
	assert_string_equal(run.reason, "Resources");
	seen.state = FLURM_SUSPENDED;
	seen.nodes = strdup("n2");
	seen.suspended_for = 40;
	assert_true(job_run_view(&run, &seen, 12));
	assert_true(run.suspended);
	assert_int_equal(run.suspended_for, 40);
	assert_int_equal(run.alloc_nodes, 1);
	flurm_job_free(&seen);
	job_run_free(&run);
}

static jobs_t *_jobs(void)
{
	static const conf_cluster_t cluster = { .name = (char *) "flurm" };

	return jobs_create(&cluster);
}

static void _replay(jobs_t *jobs, uint16_t type, fed_bytes_t *bytes)
{
	fed_err_t err = { 0 };

	if (jobs_replay(jobs, type, bytes->data, bytes->len, &err))
		fail_msg("record %u: %s", type, err.text);
	fed_bytes_free(bytes);
}

static fed_job_t *_replay_job(jobs_t *jobs, fed_job_state_t job_state)
{
	fed_job_t job = { .id = ID, .epoch = EPOCH, .state = job_state };
	fed_bytes_t bytes = { 0 };

	fed_job_pack(&job, &bytes);
	_replay(jobs, RECORD_JOB, &bytes);
	return fed_job_table_find_epoch(jobs->table, ID, EPOCH);
}

/* A record without what job_submit_pack() and later versions add. */
static void _put_host(fed_bytes_t *bytes, uint16_t version,
		      const flurm_job_spec_t *spec)
{
	char *text = jobs_spec_text(spec);

	fed_put_u16(bytes, version);
	fed_put_u32(bytes, ID);
	fed_put_u32(bytes, EPOCH);
	fed_put_str(bytes, "alpha");
	fed_put_u64(bytes, 99);
	fed_put_u8(bytes, 1);
	fed_put_str(bytes, text);
	fed_put_str(bytes, NULL);
	fed_put_u8(bytes, 0);
	free(text);
}

/* A ledger of another release is refused, and says why. */
static void _other_versions(void **state)
{
	job_submit_t submit = { 0 };
	fed_bytes_t bytes = { 0 };
	jobs_t *jobs = _jobs();
	fed_err_t err;

	(void) _replay_job(jobs, FED_JOB_RUNNING);
	_put_host(&bytes, 99, NULL);
	job_submit_pack(&submit, &bytes);
	assert_int_equal(jobs_replay(jobs, RECORD_JOB_HOST, bytes.data,
				     bytes.len, &err), -1);
	assert_non_null(strstr(err.text, "version 99"));
	fed_bytes_free(&bytes);
	jobs_destroy(jobs);
}

static void _records(void **state)
{
	jobs_t *jobs = _jobs();
	fed_job_t *job = _replay_job(jobs, FED_JOB_QUEUED);
	job_desc_msg_t desc;
	sib_msg_t msg = { .data = &desc };
	fed_bytes_t bytes = { 0 };
	flurm_job_spec_t spec;
	job_submit_t submit = { 0 };
	job_host_t *host;
	job_run_t run;

	slurm_init_job_desc_msg(&desc);
	msg.submit_host = (char *) "login1";
	desc.alloc_sid = 33;
	desc.mail_user = (char *) "me";
	desc.argc = 1;
	desc.argv = (char *[]) { (char *) "/x/job.sh", NULL };
	job_submit_free(&submit);
	job_submit_set(&submit, &msg);
	flurm_job_spec_init(&spec);
	spec.name = (char *) "x";
	spec.script = (char *) "#!/bin/sh";
	spec.environment = (char *[]) { (char *) "A=1", (char *) "B=2", NULL };
	_put_host(&bytes, 6, &spec);
	job_submit_pack(&submit, &bytes);
	fed_put_u8(&bytes, LIMIT_EXEMPT_TIME);
	_replay(jobs, RECORD_JOB_HOST, &bytes);
	host = job->host;
	assert_int_equal(host->exempt, LIMIT_EXEMPT_TIME);
	assert_null(host->script_hash);
	_put_host(&bytes, 7, &spec);
	job_submit_pack(&submit, &bytes);
	fed_put_u8(&bytes, 0);
	fed_put_str(&bytes, "2:aa");
	fed_put_str(&bytes, NULL);
	_replay(jobs, RECORD_JOB_HOST, &bytes);
	assert_string_equal(host->script_hash, "2:aa");
	assert_null(host->env_hash);
	/* as it was written when nothing was exempt */
	_put_host(&bytes, 5, &spec);
	job_submit_pack(&submit, &bytes);
	job_submit_free(&submit);
	_replay(jobs, RECORD_JOB_HOST, &bytes);

	job_run_init(&run);
	run.nodes = xstrdup("n1");
	run.alloc_cpus = 4;
	run.suspended = true;
	run.suspend_time = 77;
	fed_put_u16(&bytes, 3);
	fed_put_u32(&bytes, ID);
	fed_put_u32(&bytes, EPOCH);
	job_run_pack(&run, &bytes);
	fed_put_u8(&bytes, 0);
	job_run_free(&run);
	_replay(jobs, RECORD_JOB_RUN, &bytes);

	assert_int_equal(host->exempt, 0);
	assert_string_equal(host->origin, "alpha");
	assert_int_equal(host->hash, 99);
	assert_string_equal(host->spec->environment[1], "B=2");
	assert_string_equal(host->submit.alloc_node, "login1");
	assert_int_equal(host->submit.alloc_sid, 33);
	assert_string_equal(host->submit.mail_user, "me");
	assert_string_equal(host->submit.command, "/x/job.sh");
	assert_string_equal(host->run.nodes, "n1");
	assert_int_equal(host->run.alloc_cpus, 4);
	assert_false(flurm_is_set(host->run.alloc_nodes));
	assert_true(host->run.suspended);
	assert_int_equal(host->run.suspend_time, 77);

	/* it must be possible to send it again for as long as it waits */
	jobs_thin(job);
	assert_false(host->thin);
	assert_non_null(host->spec->environment);
	job->state = FED_JOB_RUNNING;
	jobs_thin(job);
	assert_true(host->thin);
	assert_null(host->spec->environment);
	assert_non_null(host->spec->script);
	job->state = FED_JOB_ENDED;
	jobs_thin(job);
	assert_null(host->spec->script);
	assert_string_equal(host->spec->name, "x");
	jobs_destroy(jobs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_events),
		cmocka_unit_test(_start_failed),
		cmocka_unit_test(_view),
		cmocka_unit_test(_other_versions),
		cmocka_unit_test(_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
