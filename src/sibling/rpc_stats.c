/*
 * rpc_stats.c - sdiag (see rpc_int.h).
 *
 * Jobs and requests are counted; cycles of a scheduler are not, for it is
 * FLURM's own. As slurmctld's pack_all_stat() and _pack_rpc_stats() have it.
 */
#include "src/sibling/rpc_int.h"

#include "src/sibling/pack_info.h"
#include "src/sibling/rights.h"
#include "src/sibling/rpc_count.h"
#include "src/sibling/show.h"

#define MAIN_CYCLE_FIELDS 5	/* max, last, sum, counter, depth */

static uint32_t _count_state(const view_t *view, uint32_t state)
{
	uint32_t count = 0;

	for (size_t i = 0; i < view->job_cnt; i++)
		count += (show_job_state(view->job[i]) == state);
	return count;
}

static void _pack_jobs(const view_t *view, buf_t *buf)
{
	pack32(view->counts.submitted, buf);
	pack32(view->counts.started, buf);
	pack32(view->counts.completed, buf);
	pack32(view->counts.cancelled, buf);
	pack32(view->counts.failed, buf);
	pack32(_count_state(view, JOB_PENDING), buf);
	pack32(_count_state(view, JOB_RUNNING), buf);
	pack_time(view->made, buf);
}

static void _pack_zeros(buf_t *buf, int count)
{
	while (count--)
		pack32(0, buf);
}

static void _pack_main(buf_t *buf, uint16_t version)
{
	_pack_zeros(buf, MAIN_CYCLE_FIELDS);
	if (version >= PACK_23_11)
		pack32_array(NULL, 0, buf);	/* why cycles ended */
	pack32(0, buf);				/* queue length */
}

static void _pack_backfill(buf_t *buf, uint16_t version)
{
	_pack_zeros(buf, 3);	/* jobs, jobs of last cycle, cycles */
	pack64(0, buf);		/* time of all cycles */
	_pack_zeros(buf, 5);	/* last cycle, depths, queue length, longest */
	pack_time(0, buf);	/* when */
	_pack_zeros(buf, 7);	/* sums, tables, whether it is active */
	if (version >= PACK_23_11)
		pack32_array(NULL, 0, buf);	/* why cycles ended */
}

static void _pack(const rpc_conf_t *conf, const view_t *view, buf_t *buf,
		  uint16_t version)
{
	pack32(1, buf);		/* all parts */
	pack_time(time(NULL), buf);
	pack_time(rpc_count_since(conf->count), buf);
	_pack_zeros(buf, 6);	/* threads, agents, queues, clock */
	_pack_jobs(view, buf);
	_pack_main(buf, version);
	_pack_backfill(buf, version);
	rpc_count_pack(conf->count, buf, version);
	for (int i = 0; i < 3; i++)
		pack32_array(NULL, 0, buf);	/* queued and lost requests */
	packstr_array(NULL, 0, buf);
}

extern void rpc_stats(const rpc_conf_t *conf, slurm_msg_t *msg, uid_t uid)
{
	const stats_info_request_msg_t *request = msg->data;
	view_t *view;
	buf_t *buf;

	if (request->command_id == STAT_COMMAND_RESET) {
		if (!rights_operator(conf, uid)) {
			(void) slurm_send_rc_msg(msg, ESLURM_ACCESS_DENIED);
			return;
		}
		rpc_count_reset(conf->count);
		(void) slurm_send_rc_msg(msg, SLURM_SUCCESS);
		return;
	}
	if (!(view = rpc_view(conf, msg)))
		return;
	buf = init_buf(BUF_SIZE);
	_pack(conf, view, buf, msg->protocol_version);
	(void) compat_reply_body(msg, RESPONSE_STATS_INFO, buf);
	free_buf(buf);
	view_unref(view);
}
