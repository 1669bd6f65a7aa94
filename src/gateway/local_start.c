/*
 * local_start.c - backend local: from a granted job to a shim that runs it.
 *
 * A job directory is made whole before the shim is started on it. Whatever
 * fails is kept as the run's failure and reported with the next work().
 */
#include "fed_config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/core/mem.h"
#include "src/gateway/job_env.h"
#include "src/gateway/local.h"
#include "src/gateway/pattern.h"

static int64_t _wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Who it is here; a number for who is not known here. */
static const char *_user_name(int64_t uid, char *buf, size_t size)
{
	struct passwd entry, *found = NULL;

	if (getpwuid_r(uid, &entry, buf, size, &found) || !found) {
		snprintf(buf, size, "%lld", (long long) uid);
		return buf;
	}
	return found->pw_name;
}

static char *_expand(const gw_backend_t *backend, const gw_job_t *job,
		     const flurm_job_spec_t *spec, const char *format,
		     fed_err_t *err)
{
	char passwd[4096], *path = NULL;
	const gw_pattern_vars_t vars = {
		.job_id = job ? job->fed_job_id : spec->fed_job_id,
		.array_job_id = flurm_or(spec->array_job_id, 0),
		.array_task_id = flurm_or(spec->array_task_id, 0),
		.user = spec->user ? spec->user :
			_user_name(spec->user_id, passwd, sizeof(passwd)),
		.job_name = spec->name,
		.node = backend->node.name,
	};

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
		gw_local_watch(backend, run, pid);
	return rc;
}

extern void gw_local_begin(gw_backend_t *backend, run_t *run,
			   const flurm_job_spec_t *spec)
{
	fed_err_t err;

	run->spawned_ms = _wall_ms();
	run->suspend_told = true;
	if (_make_and_spawn(backend, run, spec, &err)) {
		run->failure = fed_strdup(err.text);
		gw_local_look_at(backend, run);
	}
	fed_timer_set(&backend->timers, &run->timer,
		      run->spawned_ms + GW_CLAIM_WITHIN_MS);
}

extern int gw_local_taken(const run_t *run, fed_err_t *err)
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

extern int gw_local_check_files(const gw_backend_t *backend,
				const flurm_job_spec_t *spec, fed_err_t *err)
{
	gw_shim_spec_t files = { 0 };
	int rc = _expand_files(backend, NULL, spec, &files, err);

	gw_shim_spec_free(&files);
	return rc;
}
