/*
 * shim_child.c - the children of the shim that become the user: his script,
 * and what writes into its output (see shim_child.h).
 *
 * Order is everything here. Root's work (cgroup, groups, uid) comes first and
 * is given up for good, which is verified, before one path that the user named
 * is opened: the kernel then judges each of them as it would for the user, and
 * a symbolic link or "../" gains nothing. A step that fails ends the child
 * with its reason in the pipe: nothing of the job has run. A "!" in the pipe
 * comes just before the exec, so that its end without one means that the child
 * was killed before.
 */
#include "fed_config.h"

#include "src/gateway/shim_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/gateway/cgroup.h"

typedef struct {
	const gw_shim_spec_t *spec;
	const char *script;
	int report_fd;
	pid_t shim;
	char *user;		/* from passwd */
	char *home;
	char *shell;
} child_t;

static void _give_up(const child_t *child, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

static void _give_up(const child_t *child, const char *fmt, ...)
{
	char text[GW_REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void) !write(child->report_fd, text, strlen(text));
	_exit(127);
}

static void _reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The uid comes from slurmctld; the name must be what it is called here. */
static void _look_up_user(child_t *child)
{
	const gw_shim_spec_t *spec = child->spec;
	struct passwd *passwd;

	errno = 0;
	if (!(passwd = getpwuid(spec->uid)))
		_give_up(child, "no user with uid %lld on this host%s%s",
			 (long long) spec->uid, errno ? ": " : "",
			 errno ? strerror(errno) : "");
	if (spec->user && strcmp(spec->user, passwd->pw_name))
		_give_up(child, "uid %lld is %s on this host, not %s",
			 (long long) spec->uid, passwd->pw_name, spec->user);
	child->user = strdup(passwd->pw_name);
	child->home = strdup(passwd->pw_dir);
	child->shell = strdup(passwd->pw_shell);
	if (!child->user || !child->home || !child->shell)
		_give_up(child, "out of memory");
}

static void _drop_privileges(child_t *child)
{
	const gw_shim_spec_t *spec = child->spec;
	uid_t uid = spec->uid;
	gid_t gid = spec->gid;

	if (geteuid()) {
		if (uid != geteuid())
			_give_up(child, "flurm-gateway does not run as root "
				 "and cannot become uid %u", uid);
		return;
	}
	if (initgroups(child->user, gid))
		_give_up(child, "initgroups %s: %s", child->user,
			 strerror(errno));
	if (setresgid(gid, gid, gid))
		_give_up(child, "setgid %u: %s", gid, strerror(errno));
	if (setresuid(uid, uid, uid))
		_give_up(child, "setuid %u: %s", uid, strerror(errno));
	if (uid && !setuid(0))
		_give_up(child, "root privileges were not given up");
}

/*
 * If the shim dies the job cannot be watched any more and is reported as lost:
 * then it must not run on. Set after setuid(), which clears it.
 */
static void _die_with_shim(const child_t *child)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != child->shim)
		_exit(127);
}

/* Soft limits and umask travel in the environment, as sbatch puts them. */
static void _apply_user_limits(void)
{
	static const struct {
		const char *name;
		int resource;
	} limits[] = {
		{ "SLURM_RLIMIT_CPU", RLIMIT_CPU },
		{ "SLURM_RLIMIT_FSIZE", RLIMIT_FSIZE },
		{ "SLURM_RLIMIT_DATA", RLIMIT_DATA },
		{ "SLURM_RLIMIT_STACK", RLIMIT_STACK },
		{ "SLURM_RLIMIT_CORE", RLIMIT_CORE },
		{ "SLURM_RLIMIT_RSS", RLIMIT_RSS },
		{ "SLURM_RLIMIT_NPROC", RLIMIT_NPROC },
		{ "SLURM_RLIMIT_NOFILE", RLIMIT_NOFILE },
		{ "SLURM_RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
		{ "SLURM_RLIMIT_AS", RLIMIT_AS },
	};
	const char *value;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit limit;
		rlim_t wanted;

		if (!(value = getenv(limits[i].name)))
			continue;
		/* sbatch --propagate marks what the user asked for so */
		value += (*value == 'U');
		wanted = strtoull(value, NULL, 10);
		if (!getrlimit(limits[i].resource, &limit)) {
			limit.rlim_cur = wanted < limit.rlim_max ? wanted :
				limit.rlim_max;
			(void) setrlimit(limits[i].resource, &limit);
		}
		unsetenv(limits[i].name);
	}
	if ((value = getenv("SLURM_UMASK"))) {
		umask(strtoul(value, NULL, 8) & 0777);
		unsetenv("SLURM_UMASK");
	} else {
		umask(022);
	}
}

static void _set_environment(const child_t *child, char **env)
{
	char pid[16];

	environ = env;
	(void) setenv("USER", child->user, 0);
	(void) setenv("LOGNAME", child->user, 0);
	(void) setenv("HOME", child->home, 0);
	(void) setenv("SHELL", *child->shell ? child->shell : "/bin/sh", 0);
	(void) setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 0);
	snprintf(pid, sizeof(pid), "%d", (int) getpid());
	(void) setenv("SLURM_TASK_PID", pid, 1);
}

static int _open_output(const child_t *child, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC |
		      (child->spec->append ? O_APPEND : O_TRUNC), 0666);

	if (fd < 0)
		_give_up(child, "open output %s: %s", path, strerror(errno));
	return fd;
}

/* stdin, stdout and stderr, with what was said before they could be */
static void _open_files(const child_t *child, const char *complaint)
{
	const gw_shim_spec_t *spec = child->spec;
	int in, out, err;

	in = open(spec->std_in, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (in < 0)
		_give_up(child, "open input %s: %s", spec->std_in,
			 strerror(errno));
	out = _open_output(child, spec->std_out);
	err = (spec->std_err && strcmp(spec->std_err, spec->std_out)) ?
		_open_output(child, spec->std_err) : out;
	if ((dup2(in, 0) < 0) || (dup2(out, 1) < 0) || (dup2(err, 2) < 0))
		_give_up(child, "dup2: %s", strerror(errno));
	if (*complaint)
		(void) !write(2, complaint, strlen(complaint));
}

/* As slurmd: a directory that is not here does not stop the job. */
static void _enter_work_dir(const child_t *child, char *complaint, size_t size)
{
	const char *dir = child->spec->work_dir;

	*complaint = 0;
	if (!chdir(dir))
		return;
	snprintf(complaint, size, "flurm-gateway: error: couldn't chdir to "
		 "`%s': %s: going to /tmp instead\n", dir, strerror(errno));
	if (chdir("/tmp"))
		_give_up(child, "chdir %s and /tmp: %s", dir, strerror(errno));
}

/* The script's arguments after "count" slots for what executes it. */
static char **_argv(const child_t *child, size_t slots)
{
	size_t count = 0;
	char **argv;

	while (child->spec->argv && child->spec->argv[count])
		count++;
	if (!(argv = calloc(slots + count + 1, sizeof(*argv))))
		_give_up(child, "out of memory");
	for (size_t i = 0; i < count; i++)
		argv[slots + i] = child->spec->argv[i];
	return argv;
}

static void _execute(const child_t *child) __attribute__((noreturn));

static void _execute(const child_t *child)
{
	char **argv = _argv(child, 1);

	argv[0] = (char *) child->script;
	(void) !write(child->report_fd, "!", 1);
	execv(child->script, argv);
	if (errno == ENOEXEC) {
		/* no #! line: as every shell does */
		argv = _argv(child, 2);
		argv[0] = "/bin/sh";
		argv[1] = (char *) child->script;
		execv("/bin/sh", argv);
	}
	_give_up(child, "execute the script: %s", strerror(errno));
}

static void _leave_protection(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void) !write(fd, "0", 1);
	close(fd);
}

/* What is the same in all of them. */
static void _become_user(child_t *child)
{
	const gw_shim_spec_t *spec = child->spec;

	setsid();
	_reset_signals();
	_leave_protection();
	if (spec->cgroup && gw_cgroup_enter(spec->cgroup, 0))
		_give_up(child, "enter cgroup %s: %s", spec->cgroup,
			 strerror(errno));
	_look_up_user(child);
	_drop_privileges(child);
	_die_with_shim(child);
}

extern void gw_shim_child(const gw_shim_spec_t *spec, char **env,
			  const char *script, int report_fd)
{
	char complaint[512];
	child_t child = {
		.spec = spec,
		.script = script,
		.report_fd = report_fd,
		.shim = getppid(),
	};

	_become_user(&child);
	_set_environment(&child, env);
	_apply_user_limits();
	_enter_work_dir(&child, complaint, sizeof(complaint));
	_open_files(&child, complaint);
	_execute(&child);
}

/*
 * The file was made when the script began. What the user has put in its place
 * is none of our business, but a FIFO must not keep us waiting.
 */
extern void gw_shim_say(const gw_shim_spec_t *spec, const char *text)
{
	child_t child = { .spec = spec, .report_fd = -1, .shim = getppid() };
	const char *path = spec->std_err ? spec->std_err : spec->std_out;
	char complaint[512];
	int fd;

	_become_user(&child);
	_enter_work_dir(&child, complaint, sizeof(complaint));
	fd = open(path, O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK |
		  O_CLOEXEC);
	if (fd >= 0)
		dprintf(fd, "flurm-gateway: %s\n", text);
	_exit(fd < 0);
}
