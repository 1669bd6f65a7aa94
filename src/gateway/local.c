/*
 * local.c - backend local: this host as a FLURM cluster of one node.
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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/core/mem.h"
#include "src/gateway/cgroup.h"
#include "src/gateway/local.h"
#include "src/gateway/proc.h"

#define SWEEP_AGAIN_MS 500

extern void gw_local_look_at(gw_backend_t *backend, run_t *run)
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

static void _free_run(gw_backend_t *backend, run_t *run)
{
	gw_local_unwatch(backend, run);
	free(run->name);
	free(run->dir);
	free(run->mark);
	free(run->cgroup);
	free(run->failure);
	free(run);
}

static void _start(gw_backend_t *backend, gw_job_t *job,
		   const flurm_job_spec_t *spec)
{
	run_t *run = _add(backend, job);
	fed_err_t err;
	int taken;

	if ((taken = gw_local_taken(run, &err)) < 0) {
		run->failure = fed_strdup(err.text);
		gw_local_look_at(backend, run);
	} else if (taken) {
		gw_local_look_at(backend, run);
	} else {
		gw_local_begin(backend, run, spec);
	}
}

static void _recover(gw_backend_t *backend, gw_job_t *job,
		     const flurm_job_spec_t *spec)
{
	run_t *run = _add(backend, job);
	fed_err_t err;
	int taken = gw_local_taken(run, &err);

	run->told_started = job->start_time != 0;
	run->suspend = job->suspend;
	if (!taken && !job->start_time) {
		gw_local_begin(backend, run, spec);
		return;
	}
	if (taken < 0)
		fed_error("job %u: %s", job->fed_job_id, err.text);
	gw_local_look_at(backend, run);
}

static void _cancel(gw_backend_t *backend, gw_job_t *job, int sig)
{
	run_t *run = job->run;

	run->cancel = true;
	run->cancel_told = false;
	run->cancel_signal = sig;
	gw_local_look_at(backend, run);
}

static void _suspend(gw_backend_t *backend, gw_job_t *job, bool suspend)
{
	run_t *run = job->run;

	run->suspend = suspend;
	run->suspend_told = false;
	gw_local_look_at(backend, run);
}

static void _signal(gw_backend_t *backend, gw_job_t *job, int sig,
		    flurm_scope_t scope)
{
	static const gw_tell_t tells[] = {
		[FLURM_SCOPE_STEPS] = GW_TELL_SIGNAL_STEPS,
		[FLURM_SCOPE_BATCH] = GW_TELL_SIGNAL_BATCH,
		[FLURM_SCOPE_FULL] = GW_TELL_SIGNAL,
	};
	run_t *run = job->run;
	fed_err_t err;

	if (gw_jobdir_tell(run->dir, tells[scope], sig, &err) < 0)
		fed_error("job %u: %s", job->fed_job_id, err.text);
}

static void _notify(gw_backend_t *backend, gw_job_t *job, const char *text)
{
	int first = backend->now_ms / 1000 % INT_MAX;
	run_t *run = job->run;
	fed_err_t err;

	/* no two that a shim has not read yet have the same number, even if we
	 * began anew between them */
	run->notice = (run->notice < first) ? first : run->notice + 1;
	if (gw_jobdir_notify(run->dir, run->notice, text, &err) < 0)
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
	fed_timer_clear(&backend->timers, &run->timer);
	if (gw_jobdir_remove(run->dir, &err))
		fed_error("job %u: %s", job->fed_job_id, err.text);
	_free_run(backend, run);
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
			gw_local_look_at(backend, run);
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
			backend->sweep_ms = backend->now_ms + SWEEP_AGAIN_MS;
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
			gw_local_look_at(backend, events[i].data.ptr);
		else
			_read_socket(backend);
	}
}

static int64_t _work(gw_backend_t *backend, int64_t now_ms)
{
	const fed_timer_t *timer;
	run_t *run;

	backend->now_ms = now_ms;
	if (now_ms >= backend->sweep_ms)
		_sweep(backend);
	_gather(backend);
	while ((timer = fed_timers_first(&backend->timers)) &&
	       (timer->at <= now_ms)) {
		run = (run_t *) ((char *) timer - offsetof(run_t, timer));
		fed_timer_clear(&backend->timers, &run->timer);
		gw_local_look_at(backend, run);
	}
	while ((run = backend->looks)) {
		backend->looks = run->look_next;
		run->look = false;
		gw_local_look(backend, run);
	}
	timer = fed_timers_first(&backend->timers);
	return (timer && (timer->at < backend->sweep_ms)) ? timer->at :
		backend->sweep_ms;
}

static int _accept(gw_backend_t *backend, const flurm_job_spec_t *spec,
		   fed_err_t *err)
{
	const gw_conf_t *conf = backend->conf;

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
	return gw_local_check_files(backend, spec, err);
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
		_free_run(backend, run);
	}
	fed_timers_free(&backend->timers);
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

/* The script is executed where it lies, by the user it belongs to. */
static int _check_path(const gw_conf_t *conf, fed_err_t *err)
{
	struct stat st;

	if (stat(conf->state_dir, &st))
		return fed_err_set(err, errno, "state_dir %s: %s",
				   conf->state_dir, strerror(errno));
	if (!geteuid() && !(st.st_mode & S_IXOTH))
		return fed_err_set(err, EACCES, "state_dir %s: jobs' users "
				   "cannot pass through it (chmod o+x)",
				   conf->state_dir);
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
	if (_check_path(conf, err)) {
		;	/* err says why */
	} else if (mkdir(backend->jobs_dir, 0711) && (errno != EEXIST)) {
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
	.notify = _notify,
	.suspend = _suspend,
	.forget = _forget,
	.fd = _fd,
	.work = _work,
};
