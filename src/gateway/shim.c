/*
 * shim.c - flurm-gateway-shim: one small process between gateway and job.
 *
 * The gateway starts it on a job directory (jobdir.h) and may die right after.
 * It claims the job, runs the script as the user, keeps its limits, obeys the
 * lines in its FIFO, kills what is left when the script is over, and writes the
 * outcome to disk before it exits. It is a subreaper, so nothing of the job
 * gets away from it and all resource use is counted. One thread, one loop.
 *
 * It runs as root (the job cannot kill it) and touches nothing that the user
 * named; only its child does, after it has become the user (shim_child.c).
 */
#include "fed_config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/gateway/cgroup.h"
#include "src/gateway/jobdir.h"
#include "src/gateway/shim_child.h"
#include "src/gateway/shim_tree.h"

#define START_TIMEOUT_MS (60 * 1000)	/* open()s and exec of the child */
#define MEMORY_PERIOD_MS 1000
#define KILL_PERIOD_MS 200
#define NEVER INT64_MAX

typedef struct {
	const char *dir;
	int dirfd;
	gw_shim_spec_t spec;
	char **env;
	int ctl;		/* FIFO */
	int signals;		/* signalfd */
	int report;		/* from the child until it has executed */
	pid_t script;		/* 0 when it is over */
	bool watch_memory;	/* the kernel does not */
	bool killing;		/* SIGKILL to all, until nothing is left */
	int64_t suspended_at;	/* 0: not suspended */
	int64_t suspended_ms;	/* in all, before that */

	/* CLOCK_MONOTONIC milliseconds, or NEVER */
	int64_t started_at;
	int64_t start_by;
	int64_t limit_at;	/* moves when suspended */
	int64_t warn_at;
	int64_t kill_at;
	int64_t memory_at;

	gw_outcome_t outcome;
} shim_t;

static int64_t _now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Tell the gateway to look; if it is not there it will look when it is. */
static void _notify(const shim_t *shim)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *name = strrchr(shim->dir, '/');
	int fd;

	if (!shim->spec.notify ||
	    (strlen(shim->spec.notify) >= sizeof(addr.sun_path)))
		return;
	memcpy(addr.sun_path, shim->spec.notify, strlen(shim->spec.notify) + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	name = name ? name + 1 : shim->dir;
	(void) sendto(fd, name, strlen(name), MSG_NOSIGNAL,
		      (struct sockaddr *) &addr, sizeof(addr));
	close(fd);
}

/* Nothing of the job has run, and nothing will. */
static void _not_started(shim_t *shim, const char *reason)
{
	if (shim->outcome.ended != GW_ENDED_CANCELLED)
		shim->outcome.ended = GW_ENDED_NOT_STARTED;
	snprintf(shim->outcome.reason, sizeof(shim->outcome.reason), "%s",
		 reason);
	shim->outcome.start_time = 0;
	shim->killing = true;
}

static void _begin_kill(shim_t *shim, int64_t wait_s)
{
	if (shim->suspended_at) {
		gw_tree_suspend(shim->spec.cgroup, false);
		shim->suspended_ms += _now_ms() - shim->suspended_at;
		shim->suspended_at = 0;
	}
	shim->limit_at = shim->warn_at = NEVER;
	if (wait_s <= 0) {
		shim->killing = true;
		return;
	}
	if (shim->kill_at == NEVER)
		shim->kill_at = _now_ms() + wait_s * 1000;
	gw_tree_signal(0, SIGCONT);
	gw_tree_signal(0, SIGTERM);
}

/* The first reason stays. */
static void _end(shim_t *shim, gw_ended_t ended, int64_t wait_s)
{
	if (shim->outcome.ended == GW_ENDED_ITSELF)
		shim->outcome.ended = ended;
	_begin_kill(shim, wait_s);
}

static void _suspend(shim_t *shim)
{
	if (shim->suspended_at || shim->killing || (shim->kill_at != NEVER))
		return;
	gw_tree_suspend(shim->spec.cgroup, true);
	shim->suspended_at = _now_ms();
}

static void _resume(shim_t *shim)
{
	int64_t stood;

	if (!shim->suspended_at)
		return;
	stood = _now_ms() - shim->suspended_at;
	shim->suspended_ms += stood;
	shim->suspended_at = 0;
	if (shim->limit_at != NEVER)
		shim->limit_at += stood;
	if (shim->warn_at != NEVER)
		shim->warn_at += stood;
	gw_tree_suspend(shim->spec.cgroup, false);
}

/* The user's file is for a child to open, which has become him. */
static void _say(shim_t *shim, int number)
{
	char *text;
	pid_t pid;

	/* before that it has no file yet */
	if (!shim->script || (shim->report >= 0) ||
	    !(text = gw_jobdir_take_notice(shim->dirfd, number)))
		return;
	if (!(pid = fork()))
		gw_shim_say(&shim->spec, text);
	free(text);
}

static void _obey(shim_t *shim, gw_tell_t what, int value)
{
	switch (what) {
	case GW_TELL_CANCEL:
		_end(shim, GW_ENDED_CANCELLED,
		     value == SIGKILL ? 0 : shim->spec.kill_wait);
		if (value && (value != SIGKILL) && (value != SIGTERM))
			gw_tree_signal(0, value);
		break;
	case GW_TELL_SIGNAL:
		gw_tree_signal(0, value);
		break;
	case GW_TELL_SIGNAL_BATCH:
		if (shim->script)
			(void) kill(shim->script, value);
		break;
	case GW_TELL_SIGNAL_STEPS:
		gw_tree_signal(shim->script, value);
		break;
	case GW_TELL_SUSPEND:
		_suspend(shim);
		break;
	case GW_TELL_RESUME:
		_resume(shim);
		break;
	case GW_TELL_NOTIFY:
		_say(shim, value);
		break;
	case GW_TELL_COUNT:
		break;
	}
}

static void _read_ctl(shim_t *shim)
{
	char buf[4096], *line, *end;
	gw_tell_t what;
	ssize_t len;
	int value;

	/* lines are written whole, and this is a multiple of none of them */
	while ((len = read(shim->ctl, buf, sizeof(buf) - 1)) > 0) {
		buf[len] = 0;
		for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
			*end = 0;
			if (!gw_jobdir_parse_tell(line, &what, &value))
				_obey(shim, what, value);
		}
	}
}

static void _add_usage(gw_outcome_t *outcome, const struct rusage *usage)
{
	outcome->user_us += (int64_t) usage->ru_utime.tv_sec * 1000000 +
		usage->ru_utime.tv_usec;
	outcome->system_us += (int64_t) usage->ru_stime.tv_sec * 1000000 +
		usage->ru_stime.tv_usec;
	if (usage->ru_maxrss > outcome->max_rss_kb)
		outcome->max_rss_kb = usage->ru_maxrss;
}

/* RET true if no child is left */
static bool _reap(shim_t *shim)
{
	struct rusage usage;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		_add_usage(&shim->outcome, &usage);
		if (pid != shim->script)
			continue;
		shim->script = 0;
		shim->outcome.wait_status = status;
		shim->killing = true;
	}
	return (pid < 0) && (errno == ECHILD);
}

/* What the child had to say, all of it: see shim_child.h. */
static void _read_report(shim_t *shim)
{
	gw_started_t started = { .start_time = time(NULL) };
	char text[GW_REASON_MAX + 1] = "";
	size_t sum = 0;
	ssize_t len;

	/* blocks only between the "!" and the exec */
	while ((sum < sizeof(text) - 1) &&
	       ((len = read(shim->report, text + sum,
			    sizeof(text) - 1 - sum)) > 0))
		sum += len;
	close(shim->report);
	shim->report = -1;
	shim->start_by = NEVER;
	if (strcmp(text, "!")) {
		_not_started(shim, !sum ? "ended before the script began" :
			     text + (*text == '!'));
		return;
	}
	shim->started_at = _now_ms();
	shim->outcome.start_time = started.start_time;
	if (shim->spec.time_limit && (shim->limit_at == NEVER) &&
	    (shim->kill_at == NEVER)) {
		shim->limit_at = shim->started_at +
			shim->spec.time_limit * 1000;
		if (shim->spec.warn_signal && shim->spec.warn_time)
			shim->warn_at = shim->limit_at -
				shim->spec.warn_time * 1000;
	}
	if (shim->watch_memory)
		shim->memory_at = shim->started_at;
	if (gw_proc_of(shim->script, &started.proc))
		started.proc = (gw_proc_t) { .pid = shim->script };
	(void) gw_jobdir_write_started(shim->dirfd, &started, NULL);
	_notify(shim);
}

static void _check_memory(shim_t *shim, int64_t now)
{
	shim->memory_at = now + MEMORY_PERIOD_MS;
	if (gw_tree_rss_kb() > (uint64_t) shim->spec.memory_kb)
		_end(shim, GW_ENDED_MEMORY, 0);
}

/* RET when to look again, CLOCK_MONOTONIC milliseconds */
static int64_t _check_time(shim_t *shim)
{
	int64_t now = _now_ms(), next;

	if (now >= shim->start_by) {
		_not_started(shim, "its files could not be opened in time");
		shim->start_by = NEVER;
	}
	if (!shim->suspended_at) {
		if (now >= shim->warn_at) {
			/* sbatch --signal=B: is for the script alone */
			if (shim->script)
				(void) kill(shim->script,
					    shim->spec.warn_signal);
			shim->warn_at = NEVER;
		}
		if (now >= shim->limit_at)
			_end(shim, GW_ENDED_TIME_LIMIT, shim->spec.kill_wait);
		if (now >= shim->memory_at)
			_check_memory(shim, now);
	}
	if (now >= shim->kill_at)
		shim->killing = true;
	if (shim->killing) {
		gw_tree_kill(shim->spec.cgroup);
		return now + KILL_PERIOD_MS;
	}
	next = shim->start_by < shim->kill_at ? shim->start_by : shim->kill_at;
	if (!shim->suspended_at) {
		next = shim->limit_at < next ? shim->limit_at : next;
		next = shim->warn_at < next ? shim->warn_at : next;
		next = shim->memory_at < next ? shim->memory_at : next;
	}
	return next;
}

static void _read_signals(shim_t *shim)
{
	struct signalfd_siginfo info;

	while (read(shim->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGTERM)
			_end(shim, GW_ENDED_SHUTDOWN, shim->spec.kill_wait);
}

static void _watch(shim_t *shim)
{
	while (true) {
		struct pollfd fds[] = {
			{ .fd = shim->signals, .events = POLLIN },
			{ .fd = shim->ctl, .events = POLLIN },
			{ .fd = shim->report, .events = POLLIN },
		};
		int64_t next, wait;

		/*
		 * the report before the reaping: a script that is over at
		 * once must have been seen to start
		 */
		if ((poll(fds, 3, 0) > 0) && fds[2].revents)
			_read_report(shim);
		if (_reap(shim) && (shim->report < 0))
			return;
		next = _check_time(shim);
		if (_reap(shim) && (shim->report < 0))
			return;
		wait = next == NEVER ? -1 : next - _now_ms();
		if (next != NEVER)
			wait = wait < 0 ? 0 : wait > 60000 ? 60000 : wait;
		fds[0].revents = fds[1].revents = fds[2].revents = 0;
		fds[2].fd = shim->report;
		if (poll(fds, 3, wait) <= 0)
			continue;
		if (fds[0].revents)
			_read_signals(shim);
		if (fds[1].revents)
			_read_ctl(shim);
	}
}

static int _spawn(shim_t *shim, fed_err_t *err)
{
	char script[4096];
	int fds[2];
	pid_t pid;

	if ((size_t) snprintf(script, sizeof(script), "%s/script",
			      shim->dir) >= sizeof(script))
		return fed_err_set(err, ENAMETOOLONG, "%s: name too long",
				   shim->dir);
	if (pipe2(fds, O_CLOEXEC))
		return fed_err_set(err, errno, "pipe: %s", strerror(errno));
	if ((pid = fork()) < 0)
		return fed_err_set(err, errno, "fork: %s", strerror(errno));
	if (!pid)
		gw_shim_child(&shim->spec, shim->env, script, fds[1]);
	close(fds[1]);
	shim->script = pid;
	shim->report = fds[0];
	shim->start_by = _now_ms() + START_TIMEOUT_MS;
	return 0;
}

static void _make_cgroup(shim_t *shim)
{
	gw_shim_spec_t *spec = &shim->spec;

	if (spec->cgroup && gw_cgroup_make(spec->cgroup)) {
		free(spec->cgroup);
		spec->cgroup = NULL;
	}
	shim->watch_memory = spec->memory_kb &&
		!(spec->cgroup &&
		  gw_cgroup_limit_memory(spec->cgroup,
					 (uint64_t) spec->memory_kb * 1024));
}

static int _open_signals(shim_t *shim, fed_err_t *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGCHLD, SIG_DFL);	/* an ignored one reaps by itself */
	for (int sig = 1; sig < NSIG; sig++)
		if ((sig != SIGCHLD) && (sig != SIGTERM))
			signal(sig, SIG_IGN);
	shim->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (shim->signals < 0)
		return fed_err_set(err, errno, "signalfd: %s", strerror(errno));
	return 0;
}

/* RET 1 if the job is ours to run, 0 if it is not, -1 */
static int _take_job(shim_t *shim, fed_err_t *err)
{
	gw_proc_t self;

	shim->dirfd = open(shim->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (shim->dirfd < 0)
		return fed_err_set(err, errno, "open %s: %s", shim->dir,
				   strerror(errno));
	if (gw_jobdir_read_spec(shim->dirfd, &shim->spec, &shim->env, err))
		return -1;
	if ((shim->ctl = gw_jobdir_open_ctl(shim->dirfd, err)) < 0)
		return -1;
	if (gw_proc_of(getpid(), &self))
		return fed_err_set(err, errno, "/proc: %s", strerror(errno));
	return gw_jobdir_claim(shim->dirfd, &self, err);
}

static void _finish(shim_t *shim)
{
	gw_outcome_t *outcome = &shim->outcome;

	outcome->end_time = time(NULL);
	outcome->suspended_for = shim->suspended_ms / 1000;
	if (shim->spec.cgroup) {
		if ((outcome->ended == GW_ENDED_ITSELF) &&
		    gw_cgroup_oom_kills(shim->spec.cgroup))
			outcome->ended = GW_ENDED_MEMORY;
		(void) gw_cgroup_remove(shim->spec.cgroup);
	}
	/* a full disk must not lose it: try for as long as it takes */
	while (gw_jobdir_write_outcome(shim->dirfd, outcome, NULL) &&
	       !faccessat(shim->dirfd, "claim", F_OK, 0))
		sleep(1);
	_notify(shim);
}

/* The gateway's terminal, log pipe and sockets are not ours to hold. */
static void _detach(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		(void) dup2(fd, 0);
		(void) dup2(fd, 1);
		(void) dup2(fd, 2);
	}
	(void) close_range(3, ~0u, 0);
	setsid();
	umask(077);
}

int main(int argc, char **argv)
{
	shim_t shim = {
		.ctl = -1,
		.report = -1,
		.limit_at = NEVER,
		.warn_at = NEVER,
		.kill_at = NEVER,
		.start_by = NEVER,
		.memory_at = NEVER,
	};
	fed_err_t err = { 0 };
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: %s JOB_DIRECTORY\n"
			"flurm-gateway starts this for each job.\n", argv[0]);
		return 2;
	}
	_detach();
	shim.dir = argv[1];
	if (_open_signals(&shim, &err) || prctl(PR_SET_CHILD_SUBREAPER, 1))
		return 1;
	if ((rc = _take_job(&shim, &err)) <= 0)
		return rc ? 1 : 0;
	_notify(&shim);
	_make_cgroup(&shim);
	_read_ctl(&shim);
	if (shim.outcome.ended == GW_ENDED_CANCELLED)
		_not_started(&shim, "cancelled before it started");
	else if (_spawn(&shim, &err))
		_not_started(&shim, err.text);
	_watch(&shim);
	_finish(&shim);
	return 0;
}
