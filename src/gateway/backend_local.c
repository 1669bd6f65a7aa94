/*
 * backend_local.c - this host as a FLURM cluster of one node.
 *
 * Each job has a directory (jobdir.h) below state_dir/jobs, named after its id
 * and epoch, and a shim that runs it there. The files are the truth: a shim
 * only nudges us to look at them (a datagram on a socket, or its end, seen
 * through a pidfd), so whatever is missed while we are down is found when we
 * look again. A job whose shim is gone without an outcome is lost: what is
 * left of it is killed and it is reported as node_fail.
 */
#include "fed_config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/core/mem.h"
#include "src/gateway/backend.h"
#include "src/gateway/cgroup.h"
#include "src/gateway/job_env.h"
#include "src/gateway/jobdir.h"
#include "src/gateway/pattern.h"
#include "src/gateway/proc.h"

#define CLAIM_WITHIN_MS 15000	/* a shim that has not claimed by then is dead */
#define LOOK_EVERY_MS 10000	/* in case a nudge was lost */
#define KILL_AGAIN_MS 500

typedef struct run run_t;
struct run {
	run_t *next;
	run_t *look_next;
	bool look;		/* is to be looked at */
	gw_timer_t timer;
	gw_job_t *job;
	char *name;		/* of its directory: ID.EPOCH */
	char *dir;
	char *mark;
	char *cgroup;		/* NULL: none */
	char *failure;		/* why it could not even be spawned */
	int pidfd;		/* of its shim; -1: not watched (yet) */
	int64_t spawned_ms;
	bool told_started;	/* the engine knows */
	bool done;		/* and of its end too */
	bool cancel;		/* wanted */
	bool cancel_told;
	int cancel_signal;
	bool suspend;		/* wanted */
	bool suspend_told;	/* that it is as wanted */
};

struct gw_backend {
	const gw_conf_t *conf;
	const gw_backend_host_t *host;
	gw_node_t node;
	gw_layout_t layout;
	char *jobs_dir;
	char *cgroup_base;
	char *socket_path;
	int socket;
	int epoll;
	int64_t sweep_ms;	/* when to look for what is no job's */
	run_t *runs;
	run_t *looks;
	gw_timers_t timers;
	int64_t now_ms;
};

static int64_t _wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void _look_at(gw_backend_t *backend, run_t *run)
{
	if (run->look)
		return;
	run->look = true;
	run->look_next = backend->looks;
	backend->looks = run;
}

static run_t *_find(gw_backend_t *backend, const char *name)
{
	run_t *run = backend->runs;

	while (run && strcmp(run->name, name))
		run = run->next;
	return run;
}

static run_t *_add(gw_backend_t *backend, gw_job_t *job)
{
	run_t *run = fed_calloc(1, sizeof(*run));

	run->job = job;
	run->name = fed_strdup_printf("%u.%u", job->fed_job_id, job->epoch);
	run->dir = fed_strdup_printf("%s/%s", backend->jobs_dir, run->name);
	run->mark = fed_strdup_printf("FLURM_GATEWAY_JOB=%s/%s",
				      backend->host->instance_id, run->name);
	if (backend->cgroup_base)
		run->cgroup = fed_strdup_printf(
			"%s/%.8s.%s", backend->cgroup_base,
			backend->host->instance_id, run->name);
	run->pidfd = -1;
	run->next = backend->runs;
	backend->runs = run;
	job->run = run;
	return run;
}

static void _free_run(run_t *run)
{
	if (run->pidfd >= 0)
		close(run->pidfd);
	free(run->name);
	free(run->dir);
	free(run->mark);
	free(run->cgroup);
	free(run->failure);
	free(run);
}

/* Have the end of the shim wake us. */
static void _watch(gw_backend_t *backend, run_t *run, pid_t pid)
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

static void _unwatch(run_t *run)
{
	if (run->pidfd >= 0)
		close(run->pidfd);	/* which takes it out of the epoll */
	run->pidfd = -1;
}

/* -- starting */

static char *_expand(const gw_backend_t *backend, const gw_job_t *job,
		     const flurm_job_spec_t *spec, const char *format,
		     fed_err_t *err)
{
	char uid[16], *path = NULL;
	const gw_pattern_vars_t vars = {
		.job_id = job ? job->fed_job_id : spec->fed_job_id,
		.array_job_id = flurm_or(spec->array_job_id, 0),
		.array_task_id = flurm_or(spec->array_task_id, 0),
		.user = spec->user ? spec->user : uid,
		.job_name = spec->name,
		.node = backend->node.name,
	};

	snprintf(uid, sizeof(uid), "%lld", (long long) spec->user_id);
	if (gw_pattern_expand(format, spec->work_dir, &vars, &path, err))
		return NULL;
	return path;
}

static const char *_default_output(const flurm_job_spec_t *spec)
{
	return flurm_or(spec->array_job_id, 0) ? "slurm-%A_%a.out" :
		"slurm-%j.out";
}

static bool _said(const char *text)
{
	return text && *text;
}

/* IN job - NULL before there is one */
static int _expand_files(const gw_backend_t *backend, const gw_job_t *job,
			 const flurm_job_spec_t *spec, gw_shim_spec_t *shim,
			 fed_err_t *err)
{
	shim->std_in = _expand(backend, job, spec, _said(spec->std_in) ?
			       spec->std_in : "/dev/null", err);
	if (!shim->std_in)
		return fed_err_prefix(err, "std_in");
	shim->std_out = _expand(backend, job, spec, _said(spec->std_out) ?
				spec->std_out : _default_output(spec), err);
	if (!shim->std_out)
		return fed_err_prefix(err, "std_out");
	if (_said(spec->std_err) &&
	    !(shim->std_err = _expand(backend, job, spec, spec->std_err, err)))
		return fed_err_prefix(err, "std_err");
	return 0;
}

static char **_copy_argv(char **argv)
{
	size_t count = 0;
	char **copy;

	while (argv && argv[count])
		count++;
	copy = fed_calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = fed_strdup(argv[i]);
	return copy;
}

static int _shim_spec(const gw_backend_t *backend, const run_t *run,
		      const flurm_job_spec_t *spec, gw_shim_spec_t *shim,
		      fed_err_t *err)
{
	const gw_need_t *need = &run->job->entry.need;

	*shim = (gw_shim_spec_t) {
		.mark = fed_strdup(run->mark),
		.notify = fed_strdup(backend->socket_path),
		.uid = spec->user_id,
		.gid = spec->group_id,
		.user = fed_strdup(spec->user),
		.work_dir = fed_strdup(spec->work_dir),
		.append = spec->open_mode && !strcmp(spec->open_mode,
						     "append"),
		.time_limit = need->time_limit == GW_NEVER ? 0 :
			need->time_limit,
		.kill_wait = backend->conf->kill_wait,
		.memory_kb = need->memory_mb == GW_ALL_MEMORY ? 0 :
			need->memory_mb * 1024,
		.warn_signal = flurm_or(spec->warn_signal, 0),
		.warn_time = flurm_or(spec->warn_time, 0),
		.cgroup = fed_strdup(run->cgroup),
		.argv = _copy_argv(spec->argv),
	};
	return _expand_files(backend, run->job, spec, shim, err);
}

static int _spawn(const gw_backend_t *backend, const run_t *run, pid_t *ret_pid,
		  fed_err_t *err)
{
	char *argv[] = { backend->conf->shim, run->dir, NULL };
	char *env[] = { "PATH=/usr/bin:/bin", NULL };
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
				 POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(ret_pid, backend->conf->shim, NULL, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	if (rc)
		return fed_err_set(err, rc, "%s: %s", backend->conf->shim,
				   strerror(rc));
	return 0;
}

static int _make_and_spawn(gw_backend_t *backend, run_t *run,
			   const flurm_job_spec_t *spec, fed_err_t *err)
{
	const gw_job_env_t where = {
		.cluster_name = backend->conf->cluster_name,
		.node_name = backend->node.name,
		.mark = run->mark,
	};
	gw_shim_spec_t shim;
	char **env;
	pid_t pid;
	int rc;

	if (!(rc = _shim_spec(backend, run, spec, &shim, err))) {
		env = gw_job_env(run->job, spec, &where);
		rc = gw_jobdir_create(run->dir, &shim, env, spec->script,
				      strlen(spec->script), err);
		gw_job_env_free(env);
	}
	gw_shim_spec_free(&shim);
	if (!rc)
		rc = _spawn(backend, run, &pid, err);
	if (!rc)
		_watch(backend, run, pid);
	return rc;
}

static void _begin(gw_backend_t *backend, run_t *run,
		   const flurm_job_spec_t *spec)
{
	fed_err_t err;

	run->spawned_ms = _wall_ms();
	run->suspend_told = true;
	if (_make_and_spawn(backend, run, spec, &err)) {
		run->failure = fed_strdup(err.text);
		_look_at(backend, run);
	}
	gw_timer_set(&backend->timers, &run->timer,
		     run->spawned_ms + CLAIM_WITHIN_MS);
}

/*
 * What is there of it from before? A directory that no shim has claimed is
 * claimed for nobody, so that no shim ever will.
 * RET 1 if a shim has it, 0 if it is free to be started, -1 if that cannot be
 * told
 */
static int _taken(const run_t *run, fed_err_t *err)
{
	int dirfd, rc;
	gw_proc_t proc;

	dirfd = open(run->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return errno == ENOENT ? 0 :
			fed_err_set(err, errno, "open %s: %s", run->dir,
				    strerror(errno));
	rc = gw_jobdir_claim(dirfd, NULL, err);
	if (!rc && ((rc = gw_jobdir_read_claim(dirfd, &proc, err)) > 0))
		rc = proc.pid != 0;
	else if (rc > 0)
		rc = 0;
	close(dirfd);
	return rc;
}

static void _start(gw_backend_t *backend, gw_job_t *job,
		   const flurm_job_spec_t *spec)
{
	run_t *run = _add(backend, job);
	fed_err_t err;
	int taken;

	if ((taken = _taken(run, &err)) < 0) {
		run->failure = fed_strdup(err.text);
		_look_at(backend, run);
	} else if (taken) {
		_look_at(backend, run);
	} else {
		_begin(backend, run, spec);
	}
}

static void _recover(gw_backend_t *backend, gw_job_t *job,
		     const flurm_job_spec_t *spec)
{
	run_t *run = _add(backend, job);
	fed_err_t err;
	int taken = _taken(run, &err);

	run->told_started = job->start_time != 0;
	run->suspend = job->suspend;
	if (!taken && !job->start_time) {
		_begin(backend, run, spec);
		return;
	}
	if (taken < 0)
		fed_error("job %u: %s", job->fed_job_id, err.text);
	_look_at(backend, run);
}

/* -- looking at what became of it */

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
	_unwatch(run);
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
	_unwatch(run);
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

	_unwatch(run);
	if (!_kill_leftovers(run)) {
		gw_timer_set(&backend->timers, &run->timer,
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
	bool late = backend->now_ms - run->spawned_ms >= CLAIM_WITHIN_MS;
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
		_unwatch(run);
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
	_watch(backend, run, proc.pid);
	_tell(run);
}

static void _look(gw_backend_t *backend, run_t *run)
{
	int dirfd;

	if (run->done)
		return;
	if (run->failure) {
		_report_failure(backend, run, run->failure);
		return;
	}
	gw_timer_set(&backend->timers, &run->timer,
		     backend->now_ms + LOOK_EVERY_MS);
	dirfd = open(run->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		_lost(backend, run);
		return;
	}
	_look_in(backend, run, dirfd);
	close(dirfd);
}

/* -- calls of the engine */

static void _cancel(gw_backend_t *backend, gw_job_t *job, int sig)
{
	run_t *run = job->run;

	run->cancel = true;
	run->cancel_told = false;
	run->cancel_signal = sig;
	_look_at(backend, run);
}

static void _suspend(gw_backend_t *backend, gw_job_t *job, bool suspend)
{
	run_t *run = job->run;

	run->suspend = suspend;
	run->suspend_told = false;
	_look_at(backend, run);
}

static void _signal(gw_backend_t *backend, gw_job_t *job, int sig,
		    flurm_scope_t scope)
{
	run_t *run = job->run;
	fed_err_t err;

	if (gw_jobdir_tell(run->dir, scope == FLURM_SCOPE_BATCH ?
			   GW_TELL_SIGNAL_BATCH : GW_TELL_SIGNAL, sig,
			   &err) < 0)
		fed_error("job %u: %s", job->fed_job_id, err.text);
}

static void _forget(gw_backend_t *backend, gw_job_t *job)
{
	run_t *run = job->run, **at = &backend->runs;
	fed_err_t err;

	for (; *at != run; at = &(*at)->next)
		;
	*at = run->next;
	for (at = &backend->looks; *at; at = &(*at)->look_next)
		if (*at == run) {
			*at = run->look_next;
			break;
		}
	gw_timer_clear(&backend->timers, &run->timer);
	if (gw_jobdir_remove(run->dir, &err))
		fed_error("job %u: %s", job->fed_job_id, err.text);
	_free_run(run);
	job->run = NULL;
}

static void _read_socket(gw_backend_t *backend)
{
	char name[64];
	ssize_t len;
	run_t *run;

	while ((len = recv(backend->socket, name, sizeof(name) - 1,
			   MSG_DONTWAIT)) > 0) {
		name[len] = 0;
		if ((run = _find(backend, name)))
			_look_at(backend, run);
	}
}

/*
 * A directory that is no job's: of one that was over before we could remove
 * it, or of a store that is lost. What still runs in such a one is nobody's
 * any more and may be started elsewhere: it is killed.
 * RET true if it is gone
 */
static bool _sweep_one(const char *path)
{
	gw_proc_t proc = { 0 };
	fed_err_t err;
	int dirfd;

	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd >= 0) {
		if (gw_jobdir_claim(dirfd, NULL, &err) <= 0)
			(void) gw_jobdir_read_claim(dirfd, &proc, &err);
		close(dirfd);
	}
	if (gw_proc_alive(&proc)) {
		fed_info("%s: nobody knows this job: it is killed", path);
		(void) gw_jobdir_tell(path, GW_TELL_CANCEL, SIGKILL, &err);
		return false;
	}
	if (gw_jobdir_remove(path, &err))
		fed_error("%s", err.text);
	return true;
}

static void _sweep(gw_backend_t *backend)
{
	struct dirent *dirent;
	char path[PATH_MAX];
	DIR *dir;

	backend->sweep_ms = GW_NEVER;
	if (!(dir = opendir(backend->jobs_dir)))
		return;
	while ((dirent = readdir(dir))) {
		if ((dirent->d_name[0] == '.') ||
		    _find(backend, dirent->d_name) ||
		    ((size_t) snprintf(path, sizeof(path), "%s/%s",
				       backend->jobs_dir, dirent->d_name) >=
		     sizeof(path)))
			continue;
		if (!_sweep_one(path))
			backend->sweep_ms = backend->now_ms + KILL_AGAIN_MS;
	}
	closedir(dir);
}

static void _gather(gw_backend_t *backend)
{
	struct epoll_event events[64];
	int count;

	count = epoll_wait(backend->epoll, events, 64, 0);
	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr)
			_look_at(backend, events[i].data.ptr);
		else
			_read_socket(backend);
	}
}

static int64_t _work(gw_backend_t *backend, int64_t now_ms)
{
	const gw_timer_t *timer;
	run_t *run;

	backend->now_ms = now_ms;
	if (now_ms >= backend->sweep_ms)
		_sweep(backend);
	_gather(backend);
	while ((timer = gw_timers_first(&backend->timers)) &&
	       (timer->at <= now_ms)) {
		run = (run_t *) ((char *) timer - offsetof(run_t, timer));
		gw_timer_clear(&backend->timers, &run->timer);
		_look_at(backend, run);
	}
	while ((run = backend->looks)) {
		backend->looks = run->look_next;
		run->look = false;
		_look(backend, run);
	}
	timer = gw_timers_first(&backend->timers);
	return (timer && (timer->at < backend->sweep_ms)) ? timer->at :
		backend->sweep_ms;
}

static int _accept(gw_backend_t *backend, const flurm_job_spec_t *spec,
		   fed_err_t *err)
{
	const gw_conf_t *conf = backend->conf;
	gw_shim_spec_t files = { 0 };
	int rc;

	if ((!spec->user_id || !spec->group_id) && !conf->allow_root)
		return fed_err_set(err, 0, "user_id: jobs of root are not run "
				   "here");
	if (spec->user_id && (spec->user_id < conf->min_uid))
		return fed_err_set(err, 0, "user_id: below min_uid (%lld)",
				   (long long) conf->min_uid);
	if (geteuid() && (spec->user_id != (int64_t) geteuid()))
		return fed_err_set(err, 0, "user_id: this gateway does not "
				   "run as root and runs only jobs of uid %u",
				   geteuid());
	if (!spec->work_dir || (spec->work_dir[0] != '/'))
		return fed_err_set(err, 0, "work_dir: not an absolute path");
	rc = _expand_files(backend, NULL, spec, &files, err);
	gw_shim_spec_free(&files);
	return rc;
}

static const gw_layout_t *_layout(gw_backend_t *backend)
{
	return &backend->layout;
}

static int _fd(gw_backend_t *backend)
{
	return backend->epoll;
}

static void _close(gw_backend_t *backend)
{
	run_t *run;

	while ((run = backend->runs)) {
		backend->runs = run->next;
		_free_run(run);
	}
	gw_timers_free(&backend->timers);
	if (backend->socket >= 0) {
		close(backend->socket);
		(void) unlink(backend->socket_path);
	}
	if (backend->epoll >= 0)
		close(backend->epoll);
	free(backend->node.name);
	free(backend->node.features);
	free(backend->node.os);
	free(backend->node.arch);
	free(backend->jobs_dir);
	free(backend->cgroup_base);
	free(backend->socket_path);
	free(backend);
}

static void _describe_host(gw_backend_t *backend)
{
	struct timespec up = { 0 };
	struct utsname uts;

	backend->node = (gw_node_t) {
		.name = fed_strdup(backend->conf->node_name),
		.cpus = backend->conf->cpus,
		.memory_mb = backend->conf->memory_mb,
		.features = fed_strdup(backend->conf->features),
		.up = true,
	};
	if (!uname(&uts)) {
		backend->node.os = fed_strdup_printf("%s %s", uts.sysname,
						     uts.release);
		backend->node.arch = fed_strdup(uts.machine);
	}
	if (!clock_gettime(CLOCK_BOOTTIME, &up))
		backend->node.boot_time = time(NULL) - up.tv_sec;
	backend->layout = (gw_layout_t) { &backend->node, 1 };
}

static int _open_socket(gw_backend_t *backend, fed_err_t *err)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = backend->socket_path;

	if (strlen(path) >= sizeof(addr.sun_path))
		return fed_err_set(err, ENAMETOOLONG, "state_dir: %s is too "
				   "long for a socket", path);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	(void) unlink(path);
	backend->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC |
				 SOCK_NONBLOCK, 0);
	backend->epoll = epoll_create1(EPOLL_CLOEXEC);
	if ((backend->socket < 0) || (backend->epoll < 0) ||
	    bind(backend->socket, (struct sockaddr *) &addr, sizeof(addr)) ||
	    chmod(path, 0600) ||
	    epoll_ctl(backend->epoll, EPOLL_CTL_ADD, backend->socket, &event))
		return fed_err_set(err, errno, "%s: %s", path,
				   strerror(errno));
	return 0;
}

static gw_backend_t *_open(const gw_conf_t *conf,
			   const gw_backend_host_t *host, fed_err_t *err)
{
	gw_backend_t *backend = fed_calloc(1, sizeof(*backend));

	backend->conf = conf;
	backend->host = host;
	backend->socket = backend->epoll = -1;
	backend->jobs_dir = fed_strdup_printf("%s/jobs", conf->state_dir);
	backend->socket_path = fed_strdup_printf("%s/shim.sock",
						 conf->state_dir);
	_describe_host(backend);
	if (mkdir(backend->jobs_dir, 0711) && (errno != EEXIST)) {
		fed_err_set(err, errno, "%s: %s", backend->jobs_dir,
			    strerror(errno));
	} else if (access(conf->shim, X_OK)) {
		fed_err_set(err, errno, "shim %s: %s", conf->shim,
			    strerror(errno));
	} else if (!_open_socket(backend, err) &&
		   !gw_cgroup_base(conf->cgroup, &backend->cgroup_base, err)) {
		fed_info("this host as %s: %u CPUs, %llu MB, cgroup %s",
			 backend->node.name, backend->node.cpus,
			 (unsigned long long) backend->node.memory_mb,
			 backend->cgroup_base ? backend->cgroup_base : "none");
		return backend;
	}
	_close(backend);
	return NULL;
}

const gw_backend_ops_t gw_backend_local = {
	.name = "local",
	.open = _open,
	.close = _close,
	.layout = _layout,
	.accept = _accept,
	.start = _start,
	.recover = _recover,
	.cancel = _cancel,
	.signal = _signal,
	.suspend = _suspend,
	.forget = _forget,
	.fd = _fd,
	.work = _work,
};
