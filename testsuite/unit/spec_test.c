/*
 * spec_test.c - src/sibling/spec.c: what sbatch's options are at FLURM.
 *
 * A row sets what sbatch makes of an option, and says what FLURM is asked for
 * ("" : nothing) or the error it is refused with. Every option here has its
 * line in doc/options.md.
 */
#include "testsuite/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/sibling/spec.h"
#include "testsuite/unit/client.h"

#define JOB_ID 67108865u

typedef struct {
	const char *option;
	void (*set)(job_desc_msg_t *desc);
	const char *field;	/* of the spec's JSON; NULL: none changes */
	const char *value;	/* as JSON */
	uint32_t refused;
} row_t;

/* SET(name, statement): what sbatch does to the description */
#define SET(name, statement) \
	static void _##name(job_desc_msg_t *desc) { statement; }
#define TEXT(name, field, text) SET(name, desc->field = xstrdup(text))

TEXT(account, account, "physics")
TEXT(acctg_freq, acctg_freq, "30")
TEXT(array, array_inx, "1-3")
TEXT(batch, batch_features, "big")
TEXT(bb, burst_buffer, "#BB x")
SET(begin, desc->begin_time = 4102444800)
TEXT(chdir, work_dir, "/home/ann")
TEXT(cluster_constraint, cluster_features, "fast")
TEXT(clusters, clusters, "alpha,flurm")
TEXT(comment, comment, "no comment")
TEXT(constraint, features, "ssd&fast")
TEXT(container, container, "/srv/bundle")
TEXT(context, req_context, "user_u")
SET(contiguous, desc->contiguous = 1)
SET(not_contiguous, desc->contiguous = 0)
SET(core_spec, desc->core_spec = 2)
SET(cores_per_socket, desc->cores_per_socket = 4)
SET(cpu_freq, desc->cpu_freq_max = 2000000)
TEXT(cpus_per_gpu, cpus_per_tres, "gres:gpu:2")
SET(cpus_per_task, desc->cpus_per_task = 2)
SET(cpus_per_task_24_11, desc->cpus_per_task = 2;
    desc->tres_per_task = xstrdup("cpu=2"))
SET(deadline, desc->deadline = 4102444800)
SET(delay_boot, desc->delay_boot = 60)
SET(distribution, desc->task_dist = SLURM_DIST_BLOCK)
TEXT(error, std_err, "err")
TEXT(exclude, exc_nodes, "n1")
SET(exclusive, desc->shared = JOB_SHARED_NONE)
SET(exclusive_user, desc->shared = JOB_SHARED_USER)
SET(oversubscribe, desc->shared = JOB_SHARED_OK)
TEXT(gpu_bind, tres_bind, "gres:gpu:closest")
TEXT(gpu_freq, tres_freq, "gpu:high")
TEXT(gpus, tres_per_job, "gres:gpu:2")
TEXT(gpus_per_node, tres_per_node, "gres:gpu:2")
TEXT(gpus_per_socket, tres_per_socket, "gres:gpu:2")
TEXT(gpus_per_task, tres_per_task, "gres:gpu:1")
TEXT(tres_per_task, tres_per_task, "cpu=2,gres/gpu=1")
TEXT(gres, tres_per_node, "gres/gpu:2,gres/tmp:1")
TEXT(input, std_in, "in")
TEXT(job_name, name, "hello")
TEXT(licenses, licenses, "matlab:1")
SET(mail_type, desc->mail_type = MAIL_JOB_END)
TEXT(mail_user, mail_user, "ann")
TEXT(mcs_label, mcs_label, "secret")
SET(mem, desc->pn_min_memory = 2048)
SET(mem_all, desc->pn_min_memory = 0)
SET(mem_per_cpu, desc->pn_min_memory = 512 | MEM_PER_CPU)
TEXT(mem_per_gpu, mem_per_tres, "gres:gpu:512")
TEXT(mem_bind, mem_bind, "local")
SET(mincpus, desc->pn_min_cpus = 4)
SET(mincpus_on_two, desc->pn_min_cpus = 4; desc->min_nodes = 2)
SET(mincpus_less, desc->pn_min_cpus = 4; desc->min_cpus = 8)
TEXT(network, network, "mpi")
SET(nice, desc->nice = NICE_OFFSET + 50)
SET(no_kill, desc->kill_on_node_fail = 0)
SET(no_requeue, desc->requeue = 0)
TEXT(nodelist, req_nodes, "n1")
SET(nodes, desc->min_nodes = 2)
SET(nodes_max, desc->max_nodes = 4)
SET(ntasks, desc->num_tasks = 3)
SET(min_cpus, desc->min_cpus = 6)
SET(ntasks_per_core, desc->ntasks_per_core = 1)
SET(ntasks_per_gpu, desc->ntasks_per_tres = 2)
SET(ntasks_per_node, desc->ntasks_per_node = 2)
SET(ntasks_per_socket, desc->ntasks_per_socket = 2)
SET(append, desc->open_mode = OPEN_MODE_APPEND)
SET(truncate, desc->open_mode = OPEN_MODE_TRUNCATE)
TEXT(output, std_out, "out")
SET(overcommit, desc->overcommit = 1)
TEXT(partition, partition, "short")
TEXT(partition_other, partition, "other")
TEXT(partition_one_of, partition, "other,short")
SET(priority, desc->priority = 100)
SET(profile, desc->profile = ACCT_GATHER_PROFILE_ENERGY)
TEXT(qos, qos, "high")
SET(reboot, desc->reboot = 1)
SET(requeue, desc->requeue = 1)
TEXT(reservation, reservation, "course")
SET(warn_batch, desc->warn_signal = SIGUSR1; desc->warn_time = 60;
    desc->warn_flags = KILL_JOB_BATCH)
SET(warn_steps, desc->warn_signal = SIGUSR1; desc->warn_time = 60)
SET(sockets_per_node, desc->sockets_per_node = 2)
SET(spread_job, desc->bitflags |= SPREAD_JOB)
SET(switches, desc->req_switch = 1)
SET(threads_per_core, desc->threads_per_core = 1)
SET(time, desc->time_limit = 10)
SET(time_unlimited, desc->time_limit = INFINITE)
SET(time_min, desc->time_min = 5)
SET(tmp, desc->pn_min_tmp_disk = 100)
SET(wait_all_nodes, desc->wait_all_nodes = 1)
TEXT(wckey, wckey, "key")
SET(no_script, xfree(desc->script))
TEXT(prefer, prefer, "ssd")
#if COMPAT_24_11
TEXT(container_id, container_id, "c1")
TEXT(extra, extra, "x")
#endif

#define MAPPED(option, name, field, value) \
	{ option, _##name, field, value, 0 }
#define IGNORED(option, name) { option, _##name, NULL, NULL, 0 }
#define REFUSED(option, name) \
	{ option, _##name, NULL, NULL, ESLURM_NOT_SUPPORTED }

static const row_t rows[] = {
	MAPPED("--account", account, "account", "\"physics\""),
	IGNORED("--acctg-freq", acctg_freq),
	REFUSED("--array", array),
	REFUSED("--batch", batch),
	REFUSED("--bb", bb),
	MAPPED("--begin", begin, "begin_time", "4102444800"),
	MAPPED("--chdir", chdir, "work_dir", "\"/home/ann\""),
	IGNORED("--cluster-constraint", cluster_constraint),
	IGNORED("--clusters", clusters),
	MAPPED("--comment", comment, "comment", "\"no comment\""),
	MAPPED("--constraint", constraint, "features", "\"ssd&fast\""),
	REFUSED("--container", container),
	REFUSED("--context", context),
	REFUSED("--contiguous", contiguous),
	IGNORED("--contiguous", not_contiguous),
	REFUSED("--core-spec", core_spec),
	REFUSED("--cores-per-socket", cores_per_socket),
	IGNORED("--cpu-freq", cpu_freq),
	REFUSED("--cpus-per-gpu", cpus_per_gpu),
	MAPPED("--cpus-per-task", cpus_per_task, "cpus_per_task", "2"),
	MAPPED("--cpus-per-task", cpus_per_task_24_11, "cpus_per_task", "2"),
	MAPPED("--deadline", deadline, "deadline", "4102444800"),
	IGNORED("--delay-boot", delay_boot),
	IGNORED("--distribution", distribution),
	MAPPED("--error", error, "std_err", "\"err\""),
	MAPPED("--exclude", exclude, "exc_nodes", "\"n1\""),
	MAPPED("--exclusive", exclusive, "exclusive", "true"),
	MAPPED("--exclusive", exclusive_user, "exclusive", "true"),
	MAPPED("--oversubscribe", oversubscribe, "exclusive", "false"),
	IGNORED("--gpu-bind", gpu_bind),
	IGNORED("--gpu-freq", gpu_freq),
	REFUSED("--gpus", gpus),
	MAPPED("--gpus-per-node", gpus_per_node, "gres", "\"gpu:2\""),
	REFUSED("--gpus-per-socket", gpus_per_socket),
	REFUSED("--gpus-per-task", gpus_per_task),
	REFUSED("--tres-per-task", tres_per_task),
	MAPPED("--gres", gres, "gres", "\"gpu:2,tmp:1\""),
	MAPPED("--input", input, "std_in", "\"in\""),
	MAPPED("--job-name", job_name, "name", "\"hello\""),
	MAPPED("--licenses", licenses, "licenses", "\"matlab:1\""),
	IGNORED("--mail-type", mail_type),
	IGNORED("--mail-user", mail_user),
	REFUSED("--mcs-label", mcs_label),
	MAPPED("--mem", mem, "memory_mb", "2048"),
	MAPPED("--mem", mem_all, "memory_mb", "0"),
	MAPPED("--mem-per-cpu", mem_per_cpu, "memory_per_cpu_mb", "512"),
	REFUSED("--mem-per-gpu", mem_per_gpu),
	IGNORED("--mem-bind", mem_bind),
	MAPPED("--mincpus", mincpus, "num_cpus", "4"),
	MAPPED("--mincpus", mincpus_on_two, "num_cpus", "8"),
	MAPPED("--mincpus", mincpus_less, "num_cpus", "8"),
	IGNORED("--network", network),
	MAPPED("--nice", nice, "nice", "50"),
	IGNORED("--no-kill", no_kill),
	MAPPED("--no-requeue", no_requeue, "requeue", "false"),
	MAPPED("--nodelist", nodelist, "req_nodes", "\"n1\""),
	MAPPED("--nodes", nodes, "num_nodes", "2"),
	MAPPED("--nodes", nodes_max, "max_nodes", "4"),
	MAPPED("--ntasks", ntasks, "num_tasks", "3"),
	MAPPED("--ntasks", min_cpus, "num_cpus", "6"),
	IGNORED("--ntasks-per-core", ntasks_per_core),
	REFUSED("--ntasks-per-gpu", ntasks_per_gpu),
	MAPPED("--ntasks-per-node", ntasks_per_node, "ntasks_per_node", "2"),
	IGNORED("--ntasks-per-socket", ntasks_per_socket),
	MAPPED("--open-mode", append, "open_mode", "\"append\""),
	MAPPED("--open-mode", truncate, "open_mode", "\"truncate\""),
	MAPPED("--output", output, "std_out", "\"out\""),
	IGNORED("--overcommit", overcommit),
	MAPPED("--partition", partition, "partition", "\"short\""),
	MAPPED("--partition", partition_one_of, "partition",
	       "\"other,short\""),
	{ "--partition", _partition_other, NULL, NULL,
	  ESLURM_INVALID_PARTITION_NAME },
	IGNORED("--prefer", prefer),
	MAPPED("--priority", priority, "priority", "100"),
	IGNORED("--profile", profile),
	MAPPED("--qos", qos, "qos", "\"high\""),
	REFUSED("--reboot", reboot),
	MAPPED("--requeue", requeue, "requeue", "true"),
	MAPPED("--reservation", reservation, "reservation", "\"course\""),
	MAPPED("--signal", warn_batch, "warn_time", "60"),
	IGNORED("--signal", warn_steps),
	REFUSED("--sockets-per-node", sockets_per_node),
	IGNORED("--spread-job", spread_job),
	IGNORED("--switches", switches),
	IGNORED("--threads-per-core", threads_per_core),
	MAPPED("--time", time, "time_limit", "600"),
	MAPPED("--time", time_unlimited, "time_limit", "\"unlimited\""),
	MAPPED("--time-min", time_min, "time_min", "300"),
	MAPPED("--tmp", tmp, "tmp_disk_mb", "100"),
	IGNORED("--wait-all-nodes", wait_all_nodes),
	MAPPED("--wckey", wckey, "wckey", "\"key\""),
	{ "srun", _no_script, NULL, NULL, ESLURM_BATCH_ONLY },
#if COMPAT_24_11
	REFUSED("--container-id", container_id),
	IGNORED("--extra", extra),
#endif
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static job_desc_msg_t *_new_desc(void)
{
	job_desc_msg_t *desc = xmalloc(sizeof(*desc));

	slurm_init_job_desc_msg(desc);
	desc->script = xstrdup("#!/bin/sh\n");
	desc->user_id = desc->group_id = 1000;
	return desc;
}

static uint32_t _submit(job_desc_msg_t *desc, flurm_job_spec_t *spec,
			fed_err_t *err)
{
	sib_msg_t msg = { .job_id = JOB_ID, .data = desc };

#if COMPAT_24_11
	msg.user_id = desc->user_id;
	msg.group_id = desc->group_id;
#endif
	return spec_from_submit(&msg, "alpha", "long,short", spec, err);
}

/* RET what FLURM is asked for without any option */
/* 22.05's own forgets one */
static void _free_desc(job_desc_msg_t *desc)
{
	xfree(desc->prefer);
	slurm_free_job_desc_msg(desc);
}

static json_t *_plain(void)
{
	job_desc_msg_t *desc = _new_desc();
	flurm_job_spec_t spec;
	json_t *json;

	assert_int_equal(_submit(desc, &spec, NULL), 0);
	json = flurm_job_spec_to_json(&spec);
	flurm_job_spec_free(&spec);
	_free_desc(desc);
	return json;
}

static void _one(const row_t *row, const json_t *plain)
{
	job_desc_msg_t *desc = _new_desc();
	flurm_job_spec_t spec;
	fed_err_t err = { 0 };
	json_t *json, *value;
	uint32_t rc;

	row->set(desc);
	rc = _submit(desc, &spec, &err);
	if (rc != row->refused)
		fail_msg("%s: %s (%u, not %u)", row->option, err.text, rc,
			 row->refused);
	_free_desc(desc);
	if (rc) {
		assert_true(err.text[0]);
		return;
	}
	json = flurm_job_spec_to_json(&spec);
	flurm_job_spec_free(&spec);
	if (!row->field) {
		if (!json_equal(json, plain))
			fail_msg("%s is not ignored", row->option);
	} else {
		value = json_loads(row->value, JSON_DECODE_ANY, NULL);
		if (!json_equal(json_object_get(json, row->field), value))
			fail_msg("%s: %s is not %s", row->option, row->field,
				 row->value);
		json_decref(value);
	}
	json_decref(json);
}

static void _options(void **state)
{
	json_t *plain = _plain();

	for (size_t i = 0; i < ROWS; i++)
		_one(&rows[i], plain);
	json_decref(plain);
}

static void _always(void **state)
{
	json_t *plain = _plain();

	assert_string_equal(json_string_value(json_object_get(
				    plain, "origin_cluster")), "alpha");
	assert_int_equal(json_integer_value(json_object_get(
				    plain, "fed_job_id")), JOB_ID);
	assert_int_equal(json_integer_value(json_object_get(
				    plain, "user_id")), 1000);
	assert_true(json_is_true(json_object_get(plain, "start_gate")));
	assert_string_equal(json_string_value(json_object_get(
				    plain, "script")), "#!/bin/sh\n");
	json_decref(plain);
}

/* sbatch's list begins with the script, FLURM's with its first argument */
static void _arguments(void **state)
{
	job_desc_msg_t *desc = _new_desc();
	flurm_job_spec_t spec;

	desc->argv = xcalloc(3, sizeof(char *));
	desc->argv[0] = xstrdup("/home/ann/job.sh");
	desc->argc = 1;
	assert_int_equal(_submit(desc, &spec, NULL), 0);
	assert_null(spec.argv);
	flurm_job_spec_free(&spec);
	desc->argv[1] = xstrdup("one two");
	desc->argv[2] = xstrdup("");
	desc->argc = 3;
	assert_int_equal(_submit(desc, &spec, NULL), 0);
	assert_string_equal(spec.argv[0], "one two");
	assert_string_equal(spec.argv[1], "");
	assert_null(spec.argv[2]);
	flurm_job_spec_free(&spec);
	_free_desc(desc);
}

static void _updates(void **state)
{
	job_desc_msg_t *desc = xmalloc(sizeof(*desc));
	flurm_job_spec_t change;

	slurm_init_job_desc_msg(desc);
	assert_false(spec_from_update(desc, &change));
	flurm_job_spec_free(&change);

	/* of what cannot be changed at FLURM nothing is said */
	desc->mail_user = xstrdup("ann");
	assert_false(spec_from_update(desc, &change));
	flurm_job_spec_free(&change);

	desc->time_limit = 2;
	desc->nice = NICE_OFFSET - 3;
	desc->features = xstrdup("");
	assert_true(spec_from_update(desc, &change));
	assert_int_equal(change.time_limit, 120);
	assert_int_equal(change.nice, -3);
	/* taken away, not left alone */
	assert_string_equal(change.features, "");
	assert_null(change.partition);
	assert_null(change.script);
	flurm_job_spec_free(&change);

	/* who sets a priority takes the nice value away, if he names none */
	desc->priority = 7;
	assert_true(spec_from_update(desc, &change));
	assert_int_equal(change.nice, -3);
	flurm_job_spec_free(&change);
	desc->nice = NO_VAL;
	assert_true(spec_from_update(desc, &change));
	assert_int_equal(change.priority, 7);
	assert_int_equal(change.nice, 0);
	flurm_job_spec_free(&change);
	desc->priority = 0;
	assert_true(spec_from_update(desc, &change));
	assert_false(flurm_is_set(change.nice));
	flurm_job_spec_free(&change);
	/* and so does who takes the priority away */
	desc->priority = INFINITE;
	assert_true(spec_from_update(desc, &change));
	assert_int_equal(change.priority, FLURM_NO_PRIORITY);
	assert_int_equal(change.nice, 0);
	flurm_job_spec_free(&change);
	_free_desc(desc);
}

static void _documented(void **state)
{
	FILE *file = fopen(OPTIONS_MD, "re");
	char text[65536], word[64];
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = 0;
	assert_true(feof(file));
	fclose(file);
	for (size_t i = 0; i < ROWS; i++) {
		snprintf(word, sizeof(word), "`%s`", rows[i].option);
		if (!strstr(text, word))
			fail_msg("%s is not in doc/options.md",
				 rows[i].option);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_options),
		cmocka_unit_test(_always),
		cmocka_unit_test(_arguments),
		cmocka_unit_test(_updates),
		cmocka_unit_test(_documented),
	};

	return cmocka_run_group_tests(tests, client_setup, client_teardown);
}
