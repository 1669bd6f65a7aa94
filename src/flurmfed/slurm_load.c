/*
 * slurm_load.c - Slurm's libraries, ready to be used (see slurm_load.h).
 */
#include "src/sibling/compat.h"
#include "src/flurmfed/slurm_load.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/core/mem.h"

#define SAID_MAX 4096

static const char program[] = "flurmfed";

/* What Slurm writes to standard error goes to fd. */
static void _try(int fd)
{
	log_options_t options = LOG_OPTS_STDERR_ONLY;

	(void) dup2(fd, STDERR_FILENO);
	log_init((char *) program, options, 0, NULL);
	slurm_init(NULL);
	fflush(stderr);
	_exit(0);
}

/* Cut "flurmfed: " from the lines, the last newline, and say it in one. */
static void _tidy(char *said)
{
	const char prefix[] = "flurmfed: ";
	size_t len = strlen(prefix);
	char *at;

	while ((at = strstr(said, prefix)))
		memmove(at, at + len, strlen(at + len) + 1);
	while ((at = strchr(said, '\n'))) {
		if (at[1])
			memmove(at + 2, at + 1, strlen(at + 1) + 1);
		memcpy(at, at[1] ? "; " : "", at[1] ? 2 : 1);
	}
}

/* RET the child's wait status; OUT said - NUL terminated */
static int _listen(int fd, pid_t child, char *said, size_t size)
{
	size_t got = 0;
	ssize_t n;
	char rest[512];
	int status = 0;

	/* leave room for what _tidy() adds, and take all that comes */
	while ((n = (got < size / 2) ?
		    read(fd, said + got, size / 2 - got) :
		    read(fd, rest, sizeof(rest))) > 0) {
		if (got < size / 2)
			got += n;
	}
	said[got] = 0;
	while ((waitpid(child, &status, 0) < 0) && (errno == EINTR))
		;
	return status;
}

/* RET 0 if a child could do it, or -1 with err */
static int _rehearse(char *said, size_t size, fed_err_t *err)
{
	int fd[2], status;
	pid_t child;

	if (pipe(fd))
		return fed_err_set(err, errno, "pipe: %s", strerror(errno));
	fflush(stdout);
	if (!(child = fork())) {
		close(fd[0]);
		_try(fd[1]);
	}
	close(fd[1]);
	if (child < 0) {
		close(fd[0]);
		return fed_err_set(err, errno, "fork: %s", strerror(errno));
	}
	status = _listen(fd[0], child, said, size);
	close(fd[0]);
	_tidy(said);
	if (!status)
		return 0;
	return fed_err_set(err, EINVAL, "Slurm cannot read its configuration: %s",
			   said[0] ? said : "it ended without a word");
}

extern site_t *slurm_load(char **ret_said, fed_err_t *err)
{
	log_options_t options = LOG_OPTS_INITIALIZER;
	const char *file = getenv("SLURM_CONF");
	char said[SAID_MAX];

	*ret_said = NULL;
	/* another release has another slurm_conf: reading it would crash */
	if (slurm_api_version() != SLURM_API_VERSION) {
		fed_err_set(err, EINVAL,
			    "this flurmfed was built for Slurm %s and the Slurm libraries of this host are of another release: install the fed_flurm that was built for theirs",
			    SLURM_VERSION_STRING);
		return NULL;
	}
	/* Slurm would wait a minute for it to appear */
	if (file && access(file, R_OK)) {
		fed_err_set(err, errno, "SLURM_CONF=%s: %s", file,
			    strerror(errno));
		return NULL;
	}
	if (_rehearse(said, sizeof(said), err))
		return NULL;
	options.stderr_level = LOG_LEVEL_QUIET;
	log_init((char *) program, options, 0, NULL);
	slurm_init(NULL);
	*ret_said = fed_strdup(said);
	return site_copy();
}

extern int slurm_become_user(const site_t *site, fed_err_t *err)
{
	uid_t uid = site->slurm_uid;
	struct passwd *user = getpwuid(uid);

	if (geteuid() == uid)
		return 0;
	if (geteuid())
		return fed_err_set(err, EACCES, "uid %u is neither root nor SlurmUser (uid %u)",
				   geteuid(), uid);
	if (user && !initgroups(user->pw_name, user->pw_gid) &&
	    !setgid(user->pw_gid) && !setuid(uid))
		return 0;
	return fed_err_set(err, EPERM, "cannot become SlurmUser (uid %u): %s",
			   uid, user ? strerror(errno) : "there is no such user");
}
