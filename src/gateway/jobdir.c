/*
 * jobdir.c - a started job's directory (see jobdir.h).
 *
 * A file that both sides wait for is written under another name, synced, and
 * then linked or renamed to its own; the directory is synced after, since after
 * a power cut "never claimed" must be true.
 */
#include "fed_config.h"

#include "src/gateway/jobdir.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/gateway/jobfile.h"

#define TELL_MAX 64

#define T(type, name) { #name, offsetof(type, name), GW_JOBFILE_TEXT }
#define N(type, name) { #name, offsetof(type, name), GW_JOBFILE_NUMBER }

static const gw_jobfile_field_t spec_fields[] = {
	T(gw_shim_spec_t, mark),
	T(gw_shim_spec_t, notify),
	N(gw_shim_spec_t, uid),
	N(gw_shim_spec_t, gid),
	T(gw_shim_spec_t, user),
	T(gw_shim_spec_t, work_dir),
	T(gw_shim_spec_t, std_in),
	T(gw_shim_spec_t, std_out),
	T(gw_shim_spec_t, std_err),
	N(gw_shim_spec_t, append),
	N(gw_shim_spec_t, time_limit),
	N(gw_shim_spec_t, kill_wait),
	N(gw_shim_spec_t, memory_kb),
	N(gw_shim_spec_t, warn_signal),
	N(gw_shim_spec_t, warn_time),
	T(gw_shim_spec_t, cgroup),
	{ NULL, 0, GW_JOBFILE_TEXT },
};

static const gw_jobfile_field_t outcome_fields[] = {
	N(gw_outcome_t, wait_status),
	N(gw_outcome_t, start_time),
	N(gw_outcome_t, end_time),
	N(gw_outcome_t, suspended_for),
	N(gw_outcome_t, user_us),
	N(gw_outcome_t, system_us),
	N(gw_outcome_t, max_rss_kb),
	{ NULL, 0, GW_JOBFILE_TEXT },
};

static const char *const ended_names[GW_ENDED_COUNT] = {
	[GW_ENDED_ITSELF] = "itself",
	[GW_ENDED_TIME_LIMIT] = "time_limit",
	[GW_ENDED_CANCELLED] = "cancelled",
	[GW_ENDED_MEMORY] = "memory",
	[GW_ENDED_SHUTDOWN] = "shutdown",
	[GW_ENDED_NOT_STARTED] = "not_started",
};

static const char *const tell_names[GW_TELL_COUNT] = {
	[GW_TELL_CANCEL] = "cancel",
	[GW_TELL_SIGNAL] = "signal",
	[GW_TELL_SIGNAL_BATCH] = "signal_batch",
	[GW_TELL_SIGNAL_STEPS] = "signal_steps",
	[GW_TELL_SUSPEND] = "suspend",
	[GW_TELL_RESUME] = "resume",
	[GW_TELL_NOTIFY] = "notify",
};

static int _fail(fed_err_t *err, const char *what, const char *name)
{
	return fed_err_set(err, errno, "%s %s: %s", what, name,
			   strerror(errno));
}

static void _free_list(char **list)
{
	for (char **p = list; list && *p; p++)
		free(*p);
	free(list);
}

extern void gw_shim_spec_free(gw_shim_spec_t *spec)
{
	for (const gw_jobfile_field_t *field = spec_fields; field->key;
	     field++)
		if (field->type == GW_JOBFILE_TEXT)
			free(*(char **) ((char *) spec + field->offset));
	_free_list(spec->argv);
	*spec = (gw_shim_spec_t) { 0 };
}

static int _write_spec(int dirfd, const gw_shim_spec_t *spec, fed_err_t *err)
{
	char *data = NULL;
	size_t len = 0;
	FILE *file;
	int rc;

	if (!(file = open_memstream(&data, &len)))
		return _fail(err, "write", "spec");
	gw_jobfile_print(file, spec_fields, spec);
	for (char **arg = spec->argv; arg && *arg; arg++)
		fprintf(file, "arg=%s%c", *arg, 0);
	if (fclose(file))
		rc = _fail(err, "write", "spec");
	else
		rc = gw_jobfile_write(dirfd, "spec", data, len, 0600, false,
				      err);
	free(data);
	return rc;
}

static int _write_env(int dirfd, char *const *env, fed_err_t *err)
{
	char *data = NULL;
	size_t len = 0;
	FILE *file;
	int rc;

	if (!(file = open_memstream(&data, &len)))
		return _fail(err, "write", "env");
	for (; *env; env++)
		fwrite(*env, 1, strlen(*env) + 1, file);
	if (fclose(file))
		rc = _fail(err, "write", "env");
	else
		rc = gw_jobfile_write(dirfd, "env", data, len, 0600, false,
				      err);
	free(data);
	return rc;
}

/* The script is the user's own: the kernel opens it again as him. */
static int _write_script(int dirfd, const gw_shim_spec_t *spec,
			 const char *script, size_t len, fed_err_t *err)
{
	if (gw_jobfile_write(dirfd, "script", script, len, 0500, false, err))
		return -1;
	if (!geteuid() &&
	    fchownat(dirfd, "script", spec->uid, spec->gid,
		     AT_SYMLINK_NOFOLLOW))
		return _fail(err, "chown", "script");
	return 0;
}

static int _fill(int dirfd, const gw_shim_spec_t *spec, char *const *env,
		 const char *script, size_t len, fed_err_t *err)
{
	if (_write_spec(dirfd, spec, err) || _write_env(dirfd, env, err) ||
	    _write_script(dirfd, spec, script, len, err))
		return -1;
	if (mkfifoat(dirfd, "ctl", 0600))
		return _fail(err, "mkfifo", "ctl");
	return 0;
}

extern int gw_jobdir_create(const char *dir, const gw_shim_spec_t *spec,
			    char *const *env, const char *script, size_t len,
			    fed_err_t *err)
{
	int dirfd, rc;

	if (mkdir(dir, 0711) &&
	    ((errno != EEXIST) || gw_jobdir_remove(dir, err) ||
	     mkdir(dir, 0711)))
		return _fail(err, "mkdir", dir);
	if ((dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return _fail(err, "open", dir);
	if ((rc = _fill(dirfd, spec, env, script, len, err)))
		fed_err_prefix(err, "%s", dir);
	close(dirfd);
	return rc;
}

static int _remove_one(const char *path, const struct stat *st, int type,
		       struct FTW *ftw)
{
	return (remove(path) && (errno != ENOENT)) ? -1 : 0;
}

extern int gw_jobdir_remove(const char *dir, fed_err_t *err)
{
	if (nftw(dir, _remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) &&
	    (errno != ENOENT))
		return _fail(err, "remove", dir);
	return 0;
}

static int _read_env(int dirfd, char ***ret_env, fed_err_t *err)
{
	size_t len, count = 0, used = 0;
	char *data, **env;

	if (gw_jobfile_read(dirfd, "env", &data, &len, err) <= 0)
		return -1;
	for (size_t i = 0; i < len; i++)
		count += !data[i];
	if ((env = calloc(count + 1, sizeof(*env))))
		for (char *p = data; (p < data + len) && (used < count);
		     p += strlen(p) + 1)
			if (!(env[used++] = strdup(p)))
				break;
	free(data);
	if (!env || (used && !env[used - 1])) {
		_free_list(env);
		return fed_err_set(err, ENOMEM, "out of memory");
	}
	*ret_env = env;
	return 0;
}

static int _add_arg(gw_shim_spec_t *spec, const char *value)
{
	size_t count = 0;
	char **argv;

	while (spec->argv && spec->argv[count])
		count++;
	if (!(argv = reallocarray(spec->argv, count + 2, sizeof(*argv))))
		return -1;
	spec->argv = argv;
	argv[count] = strdup(value);
	argv[count + 1] = NULL;
	return argv[count] ? 0 : -1;
}

extern int gw_jobdir_read_spec(int dirfd, gw_shim_spec_t *ret_spec,
			       char ***ret_env, fed_err_t *err)
{
	char *data, *cursor, *key, *value;
	gw_shim_spec_t spec = { 0 };
	int rc = 0, found;
	size_t len;

	if ((found = gw_jobfile_read(dirfd, "spec", &data, &len, err)) <= 0)
		return found ? -1 : fed_err_set(err, ENOENT, "no spec");
	cursor = data;
	while ((rc >= 0) &&
	       (key = gw_jobfile_next(&cursor, data + len, &value)))
		rc = strcmp(key, "arg") ?
			gw_jobfile_take(spec_fields, &spec, key, value) :
			_add_arg(&spec, value);
	free(data);
	if (rc < 0)
		fed_err_set(err, ENOMEM, "out of memory");
	else if (!spec.mark || !spec.work_dir || !spec.std_in || !spec.std_out)
		rc = fed_err_set(err, EINVAL, "spec is not complete");
	else
		rc = _read_env(dirfd, ret_env, err);
	if (rc < 0) {
		gw_shim_spec_free(&spec);
		return -1;
	}
	*ret_spec = spec;
	return 0;
}

extern int gw_jobdir_claim(int dirfd, const gw_proc_t *proc, fed_err_t *err)
{
	char text[GW_PROC_TEXT_MAX] = "nobody", tmp[32];
	int rc;

	if (proc)
		gw_proc_print(proc, text);
	snprintf(tmp, sizeof(tmp), "claim.%d", (int) getpid());
	if (gw_jobfile_write(dirfd, tmp, text, strlen(text), 0600, true, err))
		return -1;
	rc = linkat(dirfd, tmp, dirfd, "claim", 0);
	if (rc && (errno != EEXIST))
		_fail(err, "link", "claim");
	else
		rc = rc ? 0 : 1;
	(void) unlinkat(dirfd, tmp, 0);
	if ((rc == 1) && fsync(dirfd))
		return _fail(err, "sync", "claim");
	return rc;
}

extern int gw_jobdir_read_claim(int dirfd, gw_proc_t *ret_proc, fed_err_t *err)
{
	gw_proc_t proc = { 0 };
	size_t len;
	char *data;
	int rc;

	if ((rc = gw_jobfile_read(dirfd, "claim", &data, &len, err)) <= 0)
		return rc;
	if (strcmp(data, "nobody") && gw_proc_parse(data, &proc))
		rc = fed_err_set(err, EINVAL, "claim is damaged: \"%s\"",
				 data);
	free(data);
	*ret_proc = proc;
	return rc;
}

extern int gw_jobdir_write_started(int dirfd, const gw_started_t *started,
				   fed_err_t *err)
{
	char proc[GW_PROC_TEXT_MAX], text[GW_PROC_TEXT_MAX + 32];
	int len;

	gw_proc_print(&started->proc, proc);
	len = snprintf(text, sizeof(text), "%lld %s",
		       (long long) started->start_time, proc);
	/* if it is lost, so is the job, and the claim tells that */
	if (gw_jobfile_write(dirfd, "started.new", text, len, 0600, false, err))
		return -1;
	if (renameat(dirfd, "started.new", dirfd, "started"))
		return _fail(err, "rename", "started");
	return 0;
}

extern int gw_jobdir_read_started(int dirfd, gw_started_t *ret_started,
				  fed_err_t *err)
{
	gw_started_t started = { 0 };
	char *data, *end;
	size_t len;
	int rc;

	if ((rc = gw_jobfile_read(dirfd, "started", &data, &len, err)) <= 0)
		return rc;
	started.start_time = strtoll(data, &end, 10);
	if ((*end != ' ') || gw_proc_parse(end + 1, &started.proc))
		rc = fed_err_set(err, EINVAL, "started is damaged: \"%s\"",
				 data);
	free(data);
	*ret_started = started;
	return rc;
}

extern int gw_jobdir_write_outcome(int dirfd, const gw_outcome_t *outcome,
				   fed_err_t *err)
{
	char *data = NULL;
	size_t len = 0;
	FILE *file;
	int rc;

	if (!(file = open_memstream(&data, &len)))
		return _fail(err, "write", "outcome");
	fprintf(file, "ended=%s%creason=%s%c", ended_names[outcome->ended], 0,
		outcome->reason, 0);
	gw_jobfile_print(file, outcome_fields, outcome);
	if (fclose(file))
		rc = _fail(err, "write", "outcome");
	else
		rc = gw_jobfile_publish(dirfd, "outcome", data, len, err);
	free(data);
	return rc;
}

extern int gw_jobdir_read_outcome(int dirfd, gw_outcome_t *ret_outcome,
				  fed_err_t *err)
{
	gw_outcome_t outcome = { .ended = GW_ENDED_COUNT };
	char *data, *cursor, *key, *value;
	size_t len;
	int rc;

	if ((rc = gw_jobfile_read(dirfd, "outcome", &data, &len, err)) <= 0)
		return rc;
	cursor = data;
	while ((key = gw_jobfile_next(&cursor, data + len, &value))) {
		(void) gw_jobfile_take(outcome_fields, &outcome, key, value);
		if (!strcmp(key, "reason"))
			snprintf(outcome.reason, sizeof(outcome.reason), "%s",
				 value);
		for (int i = 0; !strcmp(key, "ended") && (i < GW_ENDED_COUNT);
		     i++)
			if (!strcmp(ended_names[i], value))
				outcome.ended = i;
	}
	free(data);
	if (outcome.ended == GW_ENDED_COUNT)
		return fed_err_set(err, EINVAL, "outcome is damaged");
	*ret_outcome = outcome;
	return 1;
}

extern int gw_jobdir_tell(const char *dir, gw_tell_t what, int value,
			  fed_err_t *err)
{
	char path[PATH_MAX], line[TELL_MAX];
	int fd, len, rc = 1;

	if ((size_t) snprintf(path, sizeof(path), "%s/ctl", dir) >=
	    sizeof(path))
		return fed_err_set(err, ENAMETOOLONG, "%s/ctl: name too long",
				   dir);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return ((errno == ENXIO) || (errno == ENOENT)) ? 0 :
			_fail(err, "open", path);
	len = snprintf(line, sizeof(line), "%s %d\n", tell_names[what], value);
	if (write(fd, line, len) != len)	/* less than PIPE_BUF: whole */
		rc = (errno == EPIPE) || (errno == EAGAIN) ? 0 :
			_fail(err, "write", path);
	close(fd);
	return rc;
}

extern int gw_jobdir_notify(const char *dir, int number, const char *text,
			    fed_err_t *err)
{
	char name[32];
	int dirfd, rc;

	snprintf(name, sizeof(name), "notice.%d", number);
	if ((dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return _fail(err, "open", dir);
	if (!(rc = gw_jobfile_write(dirfd, name, text, strlen(text), 0600,
				    false, err)) &&
	    ((rc = gw_jobdir_tell(dir, GW_TELL_NOTIFY, number, err)) <= 0))
		(void) unlinkat(dirfd, name, 0);
	close(dirfd);
	return rc;
}

extern char *gw_jobdir_take_notice(int dirfd, int number)
{
	char name[32], *text;
	size_t len;

	snprintf(name, sizeof(name), "notice.%d", number);
	if (gw_jobfile_read(dirfd, name, &text, &len, NULL) <= 0)
		return NULL;
	(void) unlinkat(dirfd, name, 0);
	return text;
}

extern int gw_jobdir_open_ctl(int dirfd, fed_err_t *err)
{
	/* also for writing, so that it never ends */
	int fd = openat(dirfd, "ctl", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? _fail(err, "open", "ctl") : fd;
}

extern int gw_jobdir_parse_tell(const char *line, gw_tell_t *ret_what,
				int *ret_value)
{
	const char *space = strchr(line, ' ');
	char *end;

	for (int i = 0; space && (i < GW_TELL_COUNT); i++) {
		size_t len = strlen(tell_names[i]);

		if ((len != (size_t) (space - line)) ||
		    strncmp(tell_names[i], line, len))
			continue;
		*ret_what = i;
		*ret_value = strtol(space + 1, &end, 10);
		return (*end || (end == space + 1)) ? -1 : 0;
	}
	return -1;
}
