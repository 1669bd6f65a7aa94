/*
 * gate.c - the life of a job (see gate.h).
 *
 * An event is a fact: it happens to the job whatever the job looks like, so
 * that replay and life are the same. Whether it may happen was judged before.
 */
#include "src/gateway/gate.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"

static bool _is_over(const gw_job_t *job)
{
	return flurm_state_is_over(job->state);
}

/* It has resources and waits for the answer. */
static bool _asks(const gw_job_t *job)
{
	return (job->state == FLURM_STARTING) && !job->granted;
}

/* The backend has it: nothing ends it but the backend. */
static bool _is_out(const gw_job_t *job)
{
	return job->granted && !_is_over(job);
}

static void _keep(char **text, const char *value)
{
	free(*text);
	*text = fed_strdup(value);
}

/* It waits again, from the beginning. */
static void _wait_again(gw_job_t *job, int64_t until_ms, bool hold)
{
	job->state = hold ? FLURM_HELD : FLURM_PENDING;
	job->granted = job->cancel = job->requeue = job->suspend = false;
	job->first_asked_ms = job->asked_ms = 0;
	job->start_time = 0;
	if (until_ms > job->not_before_ms)
		job->not_before_ms = until_ms;
	_keep(&job->nodes, NULL);
}

static void _submitted(gw_job_t *job, const gw_event_t *event)
{
	job->fed_job_id = event->fed_job_id;
	job->epoch = event->epoch;
	job->job_id = event->job_id;
	job->state = event->hold ? FLURM_HELD : FLURM_PENDING;
	job->submit_time = event->time_ms / 1000;
	job->exit_code = job->signal = FLURM_UNSET;
	job->usage = event->usage;
	_keep(&job->brief, event->brief);
}

static void _asked(gw_job_t *job, const gw_event_t *event)
{
	job->state = FLURM_STARTING;
	job->granted = (event->type == GW_EV_TAKEN);
	job->attempt = event->attempt;
	if (!job->first_asked_ms)
		job->first_asked_ms = event->time_ms;
	job->asked_ms = event->time_ms;
	job->asked_seq = event->seq;
	_keep(&job->reason, NULL);
	if (!event->node_count)
		return;
	_keep(&job->nodes, event->nodes);
	free(job->alloc);
	job->alloc = fed_memdup(event->node_list, event->node_count *
				sizeof(*job->alloc));
	job->alloc_count = event->node_count;
}

static void _resumed(gw_job_t *job, int64_t now)
{
	if (job->suspend)
		job->suspended_for += now - job->suspended_at;
	job->suspend = false;
}

static void _ended(gw_job_t *job, const gw_event_t *event)
{
	_resumed(job, event->time_ms / 1000);
	job->state = event->state;
	job->start_time = event->start_time;
	job->end_time = event->end_time ? event->end_time :
		event->time_ms / 1000;
	job->exit_code = event->exit_code;
	job->signal = event->signal;
	job->usage = event->usage;
	job->ended_seq = event->seq;
	_keep(&job->reason, event->reason);
	job->body_at = 0;
}

static void _requeued(gw_job_t *job, const gw_event_t *event)
{
	bool hold = event->hold;

	_wait_again(job, 0, hold);
	job->epoch = event->epoch + 1;
	job->attempt = 0;
	job->restarts++;
	job->failed_starts = 0;
	job->end_time = 0;
	job->suspended_for = 0;
	job->exit_code = job->signal = FLURM_UNSET;
	_keep(&job->reason, event->reason);
}

extern void gw_gate_update(gw_job_t *job, const gw_event_t *event)
{
	switch (event->type) {
	case GW_EV_SUBMITTED:
		_submitted(job, event);
		break;
	case GW_EV_ASKED:
	case GW_EV_ASKED_AGAIN:
	case GW_EV_TAKEN:
		_asked(job, event);
		break;
	case GW_EV_GRANTED:
		job->granted = true;
		break;
	case GW_EV_WAIT:
		_wait_again(job, 0, false);
		/* a second one may be for sooner */
		job->not_before_ms = event->until_ms;
		_keep(&job->reason, event->reason);
		break;
	case GW_EV_GAVE_BACK:
		_wait_again(job, event->until_ms, false);
		_keep(&job->reason, event->reason);
		break;
	case GW_EV_STARTED:
		job->state = (job->cancel || job->requeue) ?
			FLURM_COMPLETING : FLURM_RUNNING;
		job->start_time = event->start_time;
		job->failed_starts = 0;
		break;
	case GW_EV_START_FAILED:
		job->failed_starts++;
		_wait_again(job, event->until_ms, event->hold);
		_keep(&job->reason, event->reason);
		break;
	case GW_EV_CANCEL:
		_resumed(job, event->time_ms / 1000);
		job->cancel = true;
		job->requeue = false;
		job->cancel_signal = event->signal;
		if (job->start_time)
			job->state = FLURM_COMPLETING;
		break;
	case GW_EV_REQUEUE:
		_resumed(job, event->time_ms / 1000);
		job->requeue = true;
		job->requeue_hold = event->hold;
		if (job->start_time)
			job->state = FLURM_COMPLETING;
		break;
	case GW_EV_ENDED:
		_ended(job, event);
		break;
	case GW_EV_HELD:
		_wait_again(job, 0, true);
		_keep(&job->reason, event->reason);
		break;
	case GW_EV_RELEASED:
		job->state = FLURM_PENDING;
		job->failed_starts = 0;
		_keep(&job->reason, NULL);
		break;
	case GW_EV_UPDATED:
		_keep(&job->brief, event->brief);
		break;
	case GW_EV_REQUEUED:
		_requeued(job, event);
		break;
	case GW_EV_SUSPENDED:
		job->state = FLURM_SUSPENDED;
		job->suspend = true;
		job->suspended_at = event->time_ms / 1000;
		break;
	case GW_EV_RESUMED:
		job->state = FLURM_RUNNING;
		_resumed(job, event->time_ms / 1000);
		break;
	case GW_EV_FORGOTTEN:
	case GW_EV_CLUSTER:
	case GW_EV_INSTANCE:
		break;
	}
}

/* RET when it may be queued, Unix milliseconds */
static int64_t _eligible_ms(const gw_job_t *job)
{
	int64_t begin_ms = job->begin_time * 1000;

	return begin_ms > job->not_before_ms ? begin_ms : job->not_before_ms;
}

extern gw_wants_t gw_gate_wants(const gw_job_t *job, int64_t now_ms)
{
	bool out = _is_out(job);

	return (gw_wants_t) {
		.queued = (job->state == FLURM_PENDING) && !job->dependent &&
			(now_ms >= _eligible_ms(job)),
		.resources = out || _asks(job),
		.run = out,
		.cancel = out && (job->cancel || job->requeue),
		.suspend = out && job->suspend,
	};
}

static bool _waits(const gw_job_t *job)
{
	return !_is_over(job) && !job->granted;
}

extern bool gw_gate_tick(const gw_job_t *job, const gw_gate_times_t *times,
			 int64_t now_ms, uint64_t heard_seq,
			 gw_event_t *ret_event)
{
	if (_waits(job) && job->deadline &&
	    (now_ms >= job->deadline * 1000)) {
		gw_event_init(ret_event, GW_EV_ENDED);
		ret_event->state = FLURM_CANCELLED;
		ret_event->reason = fed_strdup("its deadline has passed");
		return true;
	}
	if (!_asks(job))
		return false;
	if (now_ms >= job->first_asked_ms + times->patience_ms) {
		gw_event_init(ret_event, GW_EV_GAVE_BACK);
		ret_event->until_ms = now_ms + times->retry_ms;
		ret_event->reason = fed_strdup("nobody answered its request "
					       "to start");
		return true;
	}
	/* who has not heard the first request need not get a second */
	if ((now_ms >= job->asked_ms + times->ask_again_ms) &&
	    (job->asked_seq <= heard_seq)) {
		gw_event_init(ret_event, GW_EV_ASKED_AGAIN);
		return true;
	}
	return false;
}

static int64_t _earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

extern int64_t gw_gate_wake(const gw_job_t *job, const gw_gate_times_t *times,
			    int64_t now_ms)
{
	int64_t wake = GW_NEVER, again;

	if (!_waits(job))
		return GW_NEVER;
	if (job->deadline)
		wake = job->deadline * 1000;
	if ((job->state == FLURM_PENDING) && (_eligible_ms(job) > now_ms))
		wake = _earlier(wake, _eligible_ms(job));
	if (_asks(job)) {
		wake = _earlier(wake, job->first_asked_ms +
				times->patience_ms);
		again = job->asked_ms + times->ask_again_ms;
		/* one that was not heard is looked at as often */
		while (again <= now_ms)
			again += times->ask_again_ms;
		wake = _earlier(wake, again);
	}
	return wake;
}
