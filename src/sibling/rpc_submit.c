/*
 * rpc_submit.c - what clients ask of a job that is not there yet
 * (see rpc_int.h).
 *
 * When it would start is an estimate: FLURM's scheduler is not asked. A job is
 * taken to start when what is free, and what running jobs will have given back
 * by the end of their limits, is enough for it.
 */
#include "src/sibling/rpc_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/sibling/show.h"

typedef struct {
	time_t end;
	uint32_t cpus;
} use_t;

static int _cmp_end(const void *a, const void *b)
{
	const use_t *use_a = a, *use_b = b;

	return (use_a->end > use_b->end) - (use_a->end < use_b->end);
}

static uint32_t _free_cpus(const nodes_t *nodes)
{
	int64_t count = 0;

	for (size_t i = 0; i < nodes->node_cnt; i++) {
		const flurm_node_t *node = &nodes->node[i];

		if (!xstrncmp(node->state, "down", 4) ||
		    !xstrncmp(node->state, "drain", 5))
			continue;
		count += flurm_or(node->cpus, 1) -
			 flurm_or(node->alloc_cpus, 0);
	}
	return MAX(count, 0);
}

/* RET when so many CPUs are free, 0 for never */
static time_t _when(const view_t *view, uint32_t cpus)
{
	uint32_t free_cpus = _free_cpus(view->nodes), count = 0;
	time_t start = time(NULL);
	use_t *uses = xcalloc(view->job_cnt + 1, sizeof(*uses));

	for (size_t i = 0; i < view->job_cnt; i++) {
		job_info_t info;

		if (view->job[i]->job.state != FED_JOB_RUNNING)
			continue;
		show_job(view, view->job[i], &info);
		uses[count++] = (use_t) { info.end_time, info.num_cpus };
		show_job_free(&info);
	}
	qsort(uses, count, sizeof(*uses), _cmp_end);
	for (uint32_t i = 0; (i < count) && (free_cpus < cpus); i++) {
		free_cpus += uses[i].cpus;
		start = MAX(start, uses[i].end);
	}
	xfree(uses);
	return (free_cpus >= cpus) ? start : 0;
}

static uint32_t _cpus(const job_desc_msg_t *desc)
{
	uint32_t tasks = ((desc->num_tasks == NO_VAL) || !desc->num_tasks) ?
		1 : desc->num_tasks;
	uint32_t each = ((desc->cpus_per_task == NO_VAL16) ||
			 !desc->cpus_per_task) ? 1 : desc->cpus_per_task;
	uint32_t cpus = (desc->min_cpus == NO_VAL) ? 1 : desc->min_cpus;

	return MAX(cpus, tasks * each);
}

/* RET a Slurm errno if it can never start here */
static uint32_t _estimate(const view_t *view, const job_desc_msg_t *desc,
			  will_run_response_msg_t *response)
{
	const char *name = rpc_text(desc->partition);
	const flurm_partition_t *part;

	if (!desc->script)
		return ESLURM_BATCH_ONLY;
	if (!view->nodes)
		return ESLURM_NODES_BUSY;
	if (!(part = nodes_part(view->nodes, name)))
		return ESLURM_INVALID_PARTITION_NAME;
	response->proc_cnt = _cpus(desc);
	response->start_time = _when(view, response->proc_cnt);
	if (!response->start_time)
		return ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE;
	response->start_time = MAX(response->start_time, desc->begin_time);
	response->part_name = part->name;
	response->node_list = nodes_list(view->nodes);
	return SLURM_SUCCESS;
}

extern void rpc_will_run(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	will_run_response_msg_t response = { 0 };
	view_t *view = rpc_view(conf, msg);
	uint32_t rc;

	if (!view)
		return;
	/* never success as a mere return code: clients look for the record */
	if ((rc = _estimate(view, msg->data, &response)))
		(void) slurm_send_rc_msg(msg, rc);
	else
		(void) compat_reply(msg, RESPONSE_JOB_WILL_RUN, &response);
	xfree(response.node_list);
	view_unref(view);
}
