/*
 * status.c - the status socket (see status.h).
 */
#include "src/sibling/compat.h"
#include "src/sibling/status.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/sibling/net.h"
#include "src/sibling/thread.h"

#define REQUEST_MAX 4096
#define CLIENT_MS 2000

struct status {
	char *path;
	const site_t *site;
	json_t *(*get)(void *arg);
	void *arg;
	int fd;
	int stop_fd;
	ino_t inode;		/* of our own socket at that path */
	pthread_t thread;
};

static bool _may_ask(status_t *status, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) &&
	       site_is_daemon_uid(status->site, cred.uid);
}

/* RET the request, a new reference, or NULL */
static json_t *_read_request(status_t *status, int fd)
{
	char line[REQUEST_MAX];
	size_t got = 0;
	ssize_t n;

	while (got < sizeof(line)) {
		if (net_wait_input(fd, status->stop_fd, CLIENT_MS, NULL) <= 0)
			return NULL;
		n = recv(fd, line + got, sizeof(line) - got, MSG_DONTWAIT);
		if (n <= 0)
			return NULL;
		got += n;
		if (memchr(line, '\n', got))
			return json_loadb(line, got, 0, NULL);
	}
	return NULL;
}

static json_t *_answer(status_t *status, int fd)
{
	json_t *request, *answer = NULL;
	const char *what = NULL;

	if (!_may_ask(status, fd))
		return json_pack("{s:s}", "error",
				 "only root and SlurmUser may ask");
	request = _read_request(status, fd);
	if (request && !json_unpack(request, "{s:s}", "get", &what) &&
	    !strcmp(what, "status"))
		answer = status->get(status->arg);
	json_decref(request);
	if (!answer)
		answer = json_pack("{s:s}", "error",
				   "the request makes no sense");
	return answer;
}

static void _serve(status_t *status, int fd)
{
	struct timeval timeout = { .tv_sec = CLIENT_MS / 1000 };
	json_t *answer = _answer(status, fd);
	char *text = json_dumps(answer, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0, done = 0;

	(void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
			  sizeof(timeout));
	while (done < len) {
		ssize_t n = send(fd, text + done, len - done, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		done += n;
	}
	free(text);
	json_decref(answer);
}

static void *_run(void *arg)
{
	status_t *status = arg;
	int fd;

	while (net_wait_input(status->fd, status->stop_fd, -1, NULL) > 0) {
		fd = accept4(status->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		_serve(status, fd);
		close(fd);
	}
	return NULL;
}

/* Somebody listens there. What is left of one that was killed refuses. */
static bool _is_in_use(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool in_use;

	if (fd < 0)
		return false;
	in_use = !connect(fd, (const struct sockaddr *) addr, sizeof(*addr)) ||
		 (errno == EAGAIN);
	close(fd);
	return in_use;
}

static int _listen(status_t *status, fed_err_t *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat info;
	mode_t mask;
	int rc;

	if (strlen(status->path) >= sizeof(addr.sun_path))
		return fed_err_set(err, ENAMETOOLONG,
				   "%s: path is too long for a socket",
				   status->path);
	memcpy(addr.sun_path, status->path, strlen(status->path) + 1);
	status->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
			    SOCK_NONBLOCK, 0);
	if (status->fd < 0)
		return fed_err_set(err, errno, "socket: %s", strerror(errno));
	if (_is_in_use(&addr))
		return fed_err_set(err, EADDRINUSE,
				   "%s: another process listens there",
				   status->path);
	(void) unlink(status->path);
	mask = umask(0177);
	rc = bind(status->fd, (struct sockaddr *) &addr, sizeof(addr));
	(void) umask(mask);
	if (rc || chown(status->path, status->site->slurm_uid, -1) ||
	    listen(status->fd, 16) || stat(status->path, &info))
		return fed_err_set(err, errno, "%s: %s", status->path,
				   strerror(errno));
	status->inode = info.st_ino;
	return 0;
}

extern status_t *status_create(const char *path, const site_t *site,
			       json_t *(*get)(void *arg), void *arg,
			       fed_err_t *err)
{
	status_t *status = xmalloc(sizeof(*status));
	int rc;

	status->path = xstrdup(path);
	status->site = site;
	status->get = get;
	status->arg = arg;
	status->fd = -1;
	status->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = _listen(status, err);
	if (!rc && (rc = thread_start(&status->thread, "fl-status", _run,
				      status))) {
		fed_err_set(err, rc, "start a thread: %s", strerror(rc));
		status->thread = 0;
	}
	if (!rc)
		return status;
	status_destroy(status);
	return NULL;
}

/* Take it away, unless whoever comes after us has one of his own there. */
static void _unlink(status_t *status)
{
	struct stat info;

	if (!stat(status->path, &info) && (info.st_ino == status->inode))
		(void) unlink(status->path);
}

extern void status_destroy(status_t *status)
{
	uint64_t one = 1;

	if (!status)
		return;
	(void) !write(status->stop_fd, &one, sizeof(one));
	if (status->thread) {
		pthread_join(status->thread, NULL);
		_unlink(status);
	}
	if (status->fd >= 0)
		close(status->fd);
	close(status->stop_fd);
	xfree(status->path);
	xfree(status);
}
