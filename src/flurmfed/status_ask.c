/*
 * status_ask.c - ask at the status socket (see status_ask.h).
 *
 * One line with a question goes out, one object comes back until the other
 * end closes (src/sibling/status.h). Nobody is waited for longer than
 * ANSWER_SECONDS without a byte.
 */
#include "fed_config.h"

#include "src/flurmfed/status_ask.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/core/bytes.h"

#define ANSWER_SECONDS 10
#define ANSWER_MAX (64u << 20)
#define READ_STEP 65536

static const char question[] = "{\"get\":\"status\"}\n";

static int _explain(const char *path, int code, fed_err_t *err)
{
	const char *why = strerror(code);

	if ((code == ENOENT) || (code == ECONNREFUSED))
		why = "nobody is there: neither a slurmctld in control that loads the plugin nor fed_flurmd runs on this host, or its StatusSocket is another";
	else if (code == EACCES)
		why = "only root and SlurmUser may ask";
	else if ((code == EAGAIN) || (code == EWOULDBLOCK))
		why = "no answer in time";
	return fed_err_set(err, code, "%s: %s", path, why);
}

/* RET a connected descriptor, or -1 with err */
static int _connect(const char *path, fed_err_t *err)
{
	const struct timeval timeout = { .tv_sec = ANSWER_SECONDS };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return _explain(path, ENAMETOOLONG, err);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return _explain(path, errno, err);
	(void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
			  sizeof(timeout));
	(void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
			  sizeof(timeout));
	if (!connect(fd, (struct sockaddr *) &addr, sizeof(addr)))
		return fd;
	_explain(path, errno, err);
	close(fd);
	return -1;
}

/* RET 0 with all that came until the end, or -1 with err */
static int _read_all(int fd, const char *path, fed_bytes_t *bytes,
		     fed_err_t *err)
{
	ssize_t n;

	do {
		uint8_t *at = fed_bytes_add(bytes, READ_STEP);

		n = recv(fd, at, READ_STEP, 0);
		bytes->len -= READ_STEP - (n > 0 ? n : 0);
		if ((n < 0) && (errno != EINTR))
			return _explain(path, errno, err);
		if (bytes->len > ANSWER_MAX)
			return _explain(path, EMSGSIZE, err);
	} while (n);
	return 0;
}

/* RET the answer if it is one, or NULL with err */
static json_t *_parse(const char *path, const fed_bytes_t *bytes,
		      fed_err_t *err)
{
	json_error_t where;
	json_t *answer = json_loadb((const char *) bytes->data, bytes->len, 0,
				    &where);
	const char *error;

	if (!json_is_object(answer)) {
		fed_err_set(err, EPROTO, "%s: the answer makes no sense: %s",
			    path, answer ? "not an object" : where.text);
		json_decref(answer);
		return NULL;
	}
	if ((error = json_string_value(json_object_get(answer, "error")))) {
		fed_err_set(err, EPROTO, "%s: %s", path, error);
		json_decref(answer);
		return NULL;
	}
	return answer;
}

extern json_t *status_ask(const char *path, fed_err_t *err)
{
	fed_bytes_t bytes = { 0 };
	json_t *answer = NULL;
	int fd = _connect(path, err);

	if (fd < 0)
		return NULL;
	/* a refusal may come, and the end with it, before we have asked */
	if ((send(fd, question, strlen(question), MSG_NOSIGNAL) < 0) &&
	    (errno != EPIPE))
		_explain(path, errno, err);
	else if (!_read_all(fd, path, &bytes, err))
		answer = _parse(path, &bytes, err);
	fed_bytes_free(&bytes);
	close(fd);
	return answer;
}
