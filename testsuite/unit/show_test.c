/*
 * show_test.c - src/sibling/show_*.c, view.c, nodes.c: what clients see of
 * FLURM's jobs, nodes and partitions, and that all of it fits together.
 */
#include "testsuite/unit/slurm_unit.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/job_id.h"
#include "src/sibling/show.h"

#define ORIGIN 1
#define OURS 3

static view_job_t *_job(uint32_t local_id, fed_job_state_t job_state,
			uint32_t facts)
{
	view_job_t *job = xmalloc(sizeof(*job));

	job->refs = 1;
	job->job.id = fed_job_id_make(ORIGIN, local_id);
	job->job.state = job_state;
	job->job.facts = facts;
	job->job.received = 1000;
	flurm_job_spec_init(&job->spec);
	job_submit_free(&job->submit);
	job_run_init(&job->run);
	return job;
}

static void _states(void **state)
{
	const struct {
		fed_job_state_t job_state;
		bool ran;
		bool suspended;
		fed_job_end_t end;
		uint32_t status;
		uint32_t shown;
		uint32_t reason;
	} rows[] = {
		{ FED_JOB_DELIVERING, 0, 0, 0, 0, JOB_PENDING, WAIT_NO_REASON },
		{ FED_JOB_QUEUED, 0, 0, 0, 0, JOB_PENDING, WAIT_RESOURCES },
		{ FED_JOB_LOCKING, 0, 0, 0, 0, JOB_PENDING, WAIT_RESOURCES },
		{ FED_JOB_GRANTED, 0, 0, 0, 0, JOB_PENDING, WAIT_RESOURCES },
		{ FED_JOB_RUNNING, 1, 0, 0, 0, JOB_RUNNING, WAIT_NO_REASON },
		{ FED_JOB_RUNNING, 1, 1, 0, 0, JOB_SUSPENDED, WAIT_NO_REASON },
		{ FED_JOB_CANCELLING, 1, 0, 0, 0,
		  JOB_CANCELLED | JOB_COMPLETING, WAIT_NO_REASON },
		{ FED_JOB_WITHDRAWING, 0, 0, 0, 0,
		  JOB_CANCELLED | JOB_REVOKED, WAIT_NO_REASON },
		{ FED_JOB_GONE, 1, 0, FED_END_COMPLETED, 0, JOB_COMPLETE,
		  WAIT_NO_REASON },
		{ FED_JOB_ENDED, 1, 0, FED_END_FAILED, 0x300, JOB_FAILED,
		  FAIL_EXIT_CODE },
		{ FED_JOB_GONE, 1, 0, FED_END_TIMEOUT, 15, JOB_TIMEOUT,
		  FAIL_TIMEOUT },
		{ FED_JOB_GONE, 1, 0, FED_END_OUT_OF_MEMORY, 9, JOB_OOM,
		  FAIL_OOM },
		{ FED_JOB_GONE, 1, 0, FED_END_NODE_FAIL, 0, JOB_NODE_FAIL,
		  FAIL_DOWN_NODE },
		/* it ran elsewhere */
		{ FED_JOB_GONE, 0, 0, FED_END_NONE, 0,
		  JOB_CANCELLED | JOB_REVOKED, WAIT_NO_REASON },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		view_job_t *job = _job(1, rows[i].job_state, rows[i].ran ?
				       FED_JOB_F_RAN : 0);

		job->run.suspended = rows[i].suspended;
		job->job.end = rows[i].end;
		job->job.status = rows[i].status;
		if (show_job_state(job) != rows[i].shown)
			fail_msg("row %zu: state 0x%x", i,
				 show_job_state(job));
		if (show_job_reason(job, 2000) != rows[i].reason)
			fail_msg("row %zu: reason %u", i,
				 show_job_reason(job, 2000));
		view_job_unref(job);
	}
}

static void _reasons(void **state)
{
	view_job_t *job = _job(1, FED_JOB_QUEUED, 0);

	job->run.reason = xstrdup("Priority");
	assert_int_equal(show_job_reason(job, 0), WAIT_PRIORITY);
	xfree(job->run.reason);
	job->run.reason = xstrdup("the moon is full");
	assert_int_equal(show_job_reason(job, 0), WAIT_RESOURCES);
	job->spec.begin_time = 500;
	assert_int_equal(show_job_reason(job, 499), WAIT_TIME);
	assert_int_equal(show_job_reason(job, 500), WAIT_RESOURCES);
	job->run.held = true;
	assert_int_equal(show_job_reason(job, 500), WAIT_HELD_USER);
	job->spec.priority = 0;
	assert_int_equal(show_job_reason(job, 500), WAIT_HELD);
	view_job_unref(job);
}

/* ---- nodes ---- */

static void _add_node(flurm_node_t *node, const char *name, int64_t cpus,
		      const char *word)
{
	flurm_node_init(node);
	node->name = strdup(name);
	node->state = strdup(word);
	node->cpus = cpus;
	node->memory_mb = 1000;
}

static nodes_t *_nodes(void)
{
	flurm_partition_t part;
	flurm_node_t node[4];
	nodes_t *nodes;

	/* in no order: their order is FLURM's */
	_add_node(&node[0], "big10", 64, "idle");
	_add_node(&node[1], "small2", 4, "mixed");
	_add_node(&node[2], "big9", 64, "down");
	_add_node(&node[3], "small1", 4, "draining");
	node[1].alloc_cpus = 3;
	node[1].alloc_memory_mb = 500;
	flurm_partition_init(&part);
	part.name = strdup("small");
	part.state = strdup("up");
	part.nodes = strdup("small[1-2]");
	part.is_default = FLURM_YES;
	part.max_time = 3600;
	nodes = nodes_create(node, 4, &part, 1, NULL);
	/* the same is no change */
	assert_ptr_equal(nodes_create(node, 4, &part, 1, nodes), nodes);
	nodes_unref(nodes);
	for (int i = 0; i < 4; i++)
		flurm_node_free(&node[i]);
	flurm_partition_free(&part);
	return nodes;
}

static view_t *_view(nodes_t *nodes)
{
	view_t *view = view_create("flurm");
	slurmdb_federation_rec_t rec = { .name = (char *) "fed" };
	compat_list_t feds = list_create(NULL);
	slurmdb_cluster_rec_t clusters[2];

	rec.cluster_list = list_create(NULL);
	for (int i = 0; i < 2; i++) {
		slurmdb_init_cluster_rec(&clusters[i], false);
		clusters[i].name = (char *) (i ? "flurm" : "alpha");
		clusters[i].fed.name = (char *) "fed";
		clusters[i].fed.id = i ? OURS : ORIGIN;
		list_append(rec.cluster_list, &clusters[i]);
	}
	list_append(feds, &rec);
	view->fed = federation_from_dbd(feds, "flurm");
	assert_non_null(view->fed->self);
	view->nodes = nodes;
	list_destroy(rec.cluster_list);
	list_destroy(feds);
	return view;
}

static void _node_records(void **state)
{
	view_t *view = _view(_nodes());
	pack_node_alloc_t alloc;
	partition_info_t part;
	node_info_t node;

	show_node(view, 1, &node, &alloc);
	assert_string_equal(node.name, "small2");
	assert_int_equal(node.node_state, NODE_STATE_MIXED);
	assert_int_equal(node.cpus, 4);
	assert_int_equal(node.sockets * node.cores * node.threads, 4);
	assert_int_equal(alloc.cpus, 3);
	assert_int_equal(alloc.memory, 500);
	show_node_free(&node, &alloc);
	show_node(view, 3, &node, &alloc);
	assert_int_equal(node.node_state,
			 NODE_STATE_ALLOCATED | NODE_STATE_DRAIN);
	show_node_free(&node, &alloc);

	show_part(view, 0, &part);
	/* the indexes are those of the nodes above */
	assert_int_equal(part.node_inx[0], 1);
	assert_int_equal(part.node_inx[1], 1);
	assert_int_equal(part.node_inx[2], 3);
	assert_int_equal(part.node_inx[3], 3);
	assert_int_equal(part.node_inx[4], -1);
	assert_int_equal(part.total_nodes, 2);
	assert_int_equal(part.total_cpus, 8);
	assert_int_equal(part.max_time, 60);
	assert_int_equal(part.flags, PART_FLAG_DEFAULT);
	show_part_free(&part);
	assert_int_equal(nodes_find(view->nodes, "big9"), 2);
	assert_int_equal(nodes_find(view->nodes, "big"), -1);
	view_unref(view);
}

static void _synthetic(void **state)
{
	flurm_cluster_stats_t stats;
	pack_node_alloc_t alloc;
	partition_info_t part;
	node_info_t node;
	uint32_t cpus = 0, used = 0;
	view_t *view;
	char *list;

	flurm_cluster_stats_init(&stats);
	stats.node_count = 3;
	stats.cpu_count = 10;
	stats.memory_mb = 3000;
	stats.available_cpus = 5;
	view = _view(nodes_from_stats("flurm", &stats, NULL));
	list = nodes_list(view->nodes);
	assert_string_equal(list, "flurm[1-3]");
	xfree(list);
	for (int i = 0; i < 3; i++) {
		show_node(view, i, &node, &alloc);
		cpus += node.cpus;
		used += alloc.cpus;
		assert_string_equal(node.features, NODES_SYNTHETIC);
		assert_non_null(node.comment);
		show_node_free(&node, &alloc);
	}
	assert_int_equal(cpus, 10);
	assert_int_equal(used, 5);
	assert_int_equal(view->nodes->part_cnt, 1);
	show_part(view, 0, &part);
	assert_string_equal(part.name, "flurm");
	assert_string_equal(part.nodesets, NODES_SYNTHETIC);
	assert_int_equal(part.node_inx[0], 0);
	assert_int_equal(part.node_inx[1], 2);
	show_part_free(&part);
	view_unref(view);
}

/* ---- a job's record ---- */

static void _running(void **state)
{
	view_t *view = _view(_nodes());
	view_job_t *job = _job(5, FED_JOB_RUNNING, FED_JOB_F_RAN);
	job_info_t info;

	job->origin = xstrdup("alpha");
	job->job.viable = fed_sibling_bit(ORIGIN) | fed_sibling_bit(OURS);
	job->job.start_time = 2000;
	job->run.nodes = xstrdup("small[1-2]");
	job->run.alloc_nodes = 2;
	job->run.alloc_cpus = 8;
	job->run.suspend_time = 2050;	/* resumed then, after 20 seconds */
	job->run.suspended_for = 20;
	job->spec.time_limit = 600;
	job->spec.memory_mb = 100;
	job->spec.user_id = 77;
	view_add_job(view, job);
	view_sort(view);
	show_job(view, view_find(view, job->job.id), &info);
	assert_int_equal(info.job_id, job->job.id);
	assert_string_equal(info.cluster, "flurm");
	assert_string_equal(info.fed_origin_str, "alpha");
	assert_string_equal(info.fed_siblings_viable_str, "alpha,flurm");
	assert_string_equal(info.fed_siblings_active_str, "flurm");
	assert_string_equal(info.batch_host, "small1");
	assert_int_equal(info.node_inx[0], 1);
	assert_int_equal(info.node_inx[2], 3);
	assert_int_equal(info.num_cpus, 8);
	assert_int_equal(info.num_nodes, 2);
	assert_string_equal(info.tres_alloc_str,
			    "cpu=8,mem=200M,node=2,billing=8");
	/* no partition was asked for: the default one is it */
	assert_string_equal(info.partition, "small");
	assert_int_equal(info.end_time, 2000 + 600 + 20);
	assert_int_equal(info.pre_sus_time, 30);
	assert_int_equal(info.user_id, 77);
	show_job_free(&info);
	view_unref(view);
}

static buf_t *_pack(const view_t *view, const view_body_key_t *key, void *arg)
{
	buf_t *buf = init_buf(16);

	(*(int *) arg)++;
	pack32(key->flags, buf);
	return buf;
}

/* One who asks the same gets the same; a job lives as long as its views. */
static void _shared(void **state)
{
	view_t *view = view_create("flurm");
	view_job_t *job = _job(5, FED_JOB_QUEUED, 0);
	view_body_key_t key = { .type = 1, .version = 2, .uid = NO_VAL };
	buf_t *first;
	int packed = 0;

	view_add_job(view, view_job_ref(job));
	first = view_body(view, &key, _pack, &packed);
	assert_ptr_equal(view_body(view, &key, _pack, &packed), first);
	assert_int_equal(packed, 1);
	key.viewer = 5;
	assert_ptr_not_equal(view_body(view, &key, _pack, &packed), first);
	key.version = 3;
	view_body(view, &key, _pack, &packed);
	assert_int_equal(packed, 3);
	view_ref(view);
	view_unref(view);
	assert_ptr_equal(view_find(view, job->job.id), job);
	view_unref(view);
	assert_int_equal(job->refs, 1);
	view_job_unref(job);
}

static char *scratch;

static int _setup(void **state)
{
	scratch = scratch_make();
	slurm_unit_init(scratch);
	return 0;
}

static int _teardown(void **state)
{
	scratch_remove(scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_states),
		cmocka_unit_test(_reasons),
		cmocka_unit_test(_node_records),
		cmocka_unit_test(_synthetic),
		cmocka_unit_test(_running),
		cmocka_unit_test(_shared),
	};

	return cmocka_run_group_tests(tests, _setup, _teardown);
}
