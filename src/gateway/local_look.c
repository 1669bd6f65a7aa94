/*
 * local_look.c - backend local: what has become of a job.
 *
 * The files of its directory say so, in one order: who claimed it and whether
 * that process is there, then the outcome. A shim leaves its outcome before it
 * goes; so one that was gone before we looked for the outcome, and has left
 * none, is lost.
 */
#include "fed_config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/gateway/cgroup.h"
#include "src/gateway/local.h"
#include "src/gateway/proc.h"

#define LOOK_EVERY_MS 10000	/* in case a nudge was lost */
#define KILL_AGAIN_MS 500

/* Have the end of the shim wake us. */
extern void gw_local_watch(gw_backend_t *backend, run_t *run, pid_t pid)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = run };

	if (run->pidfd >= 0)
		return;
	run->pidfd = syscall(SYS_pidfd_open, pid, 0);
	if ((run->pidfd >= 0) &&
	    epoll_ctl(backend->epoll, EPOLL_CTL_ADD, run->pidfd, &event)) {
		close(run->pidfd);
		run->pidfd = -1;
	}
}

/*
 * To close it is not enough: a shim that is being spawned has a copy of it for
 * a moment, and as long the epoll would go on to tell of this run.
 */
extern void gw_local_unwatch(gw_backend_t *backend, run_t *run)
{
	if (run->pidfd < 0)
		return;
	(void) epoll_ctl(backend->epoll, EPOLL_CTL_DEL, run->pidfd, NULL);
	close(run->pidfd);
	run->pidfd = -1;
}

static void _report_started(gw_backend_t *backend, run_t *run,
			    int64_t start_time)
{
	const gw_report_t report = {
		.kind = GW_REPORT_STARTED,
		.job = run->job,
		.start_time = start_time,
	};

	if (run->told_started)
		return;
	run->told_started = true;
	backend->host->report(&report, backend->host->arg);
}

static void _report_failure(gw_backend_t *backend, run_t *run,
			    const char *reason)
{
	const gw_report_t report = {
		.kind = GW_REPORT_START_FAILED,
		.job = run->job,
		.reason = reason,
	};

	run->done = true;
	gw_local_unwatch(backend, run);
	backend->host->report(&report, backend->host->arg);
}

static flurm_state_t _state_of(const gw_outcome_t *outcome)
{
	int status = outcome->wait_status;

	switch (outcome->ended) {
	case GW_ENDED_TIME_LIMIT:
		return FLURM_TIMEOUT;
	case GW_ENDED_CANCELLED:
		return FLURM_CANCELLED;
	case GW_ENDED_MEMORY:
		return FLURM_OUT_OF_MEMORY;
	case GW_ENDED_SHUTDOWN:
		return FLURM_NODE_FAIL;
	default:
		return (WIFEXITED(status) && !WEXITSTATUS(status)) ?
			FLURM_COMPLETED : FLURM_FAILED;
	}
}

static void _report_outcome(gw_backend_t *backend, run_t *run,
			    const gw_outcome_t *outcome)
{
	int status = outcome->wait_status;
	const gw_report_t report = {
		.kind = GW_REPORT_ENDED,
		.job = run->job,
		.start_time = outcome->start_time,
		.end_time = outcome->end_time,
		.suspended_for = outcome->suspended_for,
		.state = _state_of(outcome),
		.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
		.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		.usage = {
			.user_us = outcome->user_us,
			.system_us = outcome->system_us,
			.max_rss_kb = outcome->max_rss_kb,
		},
		.reason = outcome->reason[0] ? outcome->reason : NULL,
	};

	if (!outcome->start_time) {
		_report_failure(backend, run, outcome->reason[0] ?
				outcome->reason : "nothing of it ran");
		return;
	}
	_report_started(backend, run, outcome->start_time);
	run->done = true;
	gw_local_unwatch(backend, run);
	backend->host->report(&report, backend->host->arg);
}

/* RET true if nothing of it is left */
static bool _kill_leftovers(const run_t *run)
{
	gw_proc_list_t list;
	size_t count;

	if (run->cgroup && !gw_cgroup_empty(run->cgroup)) {
		(void) gw_cgroup_kill(run->cgroup);
		return false;
	}
	if (gw_proc_marked(run->mark, &list))
		return true;
	count = list.count;
	for (size_t i = 0; i < list.count; i++)
		(void) kill(list.pids[i], SIGKILL);
	gw_proc_list_free(&list);
	return !count;
}

static void _lost(gw_backend_t *backend, run_t *run)
{
	const gw_report_t report = {
		.kind = GW_REPORT_ENDED,
		.job = run->job,
		.start_time = run->job->start_time ? run->job->start_time :
			backend->now_ms / 1000,
		.end_time = backend->now_ms / 1000,
		.state = FLURM_NODE_FAIL,
		.exit_code = FLURM_UNSET,
		.signal = FLURM_UNSET,
		.usage = { FLURM_UNSET, FLURM_UNSET, FLURM_UNSET },
		.reason = "its shim is gone and has left no outcome",
	};

	gw_local_unwatch(backend, run);
	if (!_kill_leftovers(run)) {
		fed_timer_set(&backend->timers, &run->timer,
			      backend->now_ms + KILL_AGAIN_MS);
		return;
	}
	if (run->cgroup)
		(void) gw_cgroup_remove(run->cgroup);
	fed_error("job %u epoch %u is lost: %s", run->job->fed_job_id,
		  run->job->epoch, report.reason);
	/* it may have started in spite of all: then that comes first */
	_report_started(backend, run, report.start_time);
	run->done = true;
	backend->host->report(&report, backend->host->arg);
}

/* Say to its shim what it has not heard yet. */
static void _tell(run_t *run)
{
	fed_err_t err;
	int rc = 1;

	if (!run->suspend_told &&
	    ((rc = gw_jobdir_tell(run->dir, run->suspend ? GW_TELL_SUSPEND :
				  GW_TELL_RESUME, 0, &err)) > 0))
		run->suspend_told = true;
	if ((rc >= 0) && run->cancel && !run->cancel_told &&
	    ((rc = gw_jobdir_tell(run->dir, GW_TELL_CANCEL,
				  run->cancel_signal, &err)) > 0))
		run->cancel_told = true;
	if (rc < 0)
		fed_error("job %u: %s", run->job->fed_job_id, err.text);
}

/* Its shim has not claimed it. Is that still to be expected? */
static void _unclaimed(gw_backend_t *backend, run_t *run, int dirfd,
		       bool shim_gone)
{
	bool late = backend->now_ms - run->spawned_ms >= GW_CLAIM_WITHIN_MS;
	fed_err_t err;

	if (!shim_gone && !late && !run->cancel)
		return;
	/* if somebody is faster, we hear of it soon */
	if (gw_jobdir_claim(dirfd, NULL, &err) > 0)
		_report_failure(backend, run, run->cancel ?
				"cancelled before it started" :
				"its shim did not start");
}

static bool _shim_is_gone(const run_t *run)
{
	struct pollfd fd = { .fd = run->pidfd, .events = POLLIN };

	return (run->pidfd >= 0) && (poll(&fd, 1, 0) > 0);
}

static void _look_in(gw_backend_t *backend, run_t *run, int dirfd)
{
	bool shim_gone = _shim_is_gone(run), alive;
	gw_outcome_t outcome;
	gw_started_t started;
	gw_proc_t proc;
	fed_err_t err;
	int claimed, rc;

	if (shim_gone)
		gw_local_unwatch(backend, run);
	if ((claimed = gw_jobdir_read_claim(dirfd, &proc, &err)) < 0)
		fed_error("job %u: %s", run->job->fed_job_id, err.text);
	if (!claimed) {
		_unclaimed(backend, run, dirfd, shim_gone);
		return;
	}
	/* in this order: what dies after this has left its outcome before */
	alive = (claimed > 0) && gw_proc_alive(&proc);
	if ((rc = gw_jobdir_read_outcome(dirfd, &outcome, &err)) > 0) {
		_report_outcome(backend, run, &outcome);
		return;
	}
	if ((claimed > 0) && !proc.pid) {
		_report_failure(backend, run, "it was not started");
		return;
	}
	if ((rc < 0) || !alive) {
		_lost(backend, run);
		return;
	}
	if (gw_jobdir_read_started(dirfd, &started, &err) > 0)
		_report_started(backend, run, started.start_time);
	gw_local_watch(backend, run, proc.pid);
	_tell(run);
}

extern void gw_local_look(gw_backend_t *backend, run_t *run)
{
	int dirfd;

	if (run->done)
		return;
	if (run->failure) {
		_report_failure(backend, run, run->failure);
		return;
	}
	fed_timer_set(&backend->timers, &run->timer,
		      backend->now_ms + LOOK_EVERY_MS);
	dirfd = open(run->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		_lost(backend, run);
		return;
	}
	_look_in(backend, run, dirfd);
	close(dirfd);
}
