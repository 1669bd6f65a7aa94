/*
 * key_file.c - reading a secret that nobody else may read (see key_file.h).
 */
#include "src/flurm/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/core/mem.h"

static int _check(int fd, const char *path, fed_err_t *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fed_err_set(err, errno, "key file %s: %s", path,
				   strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fed_err_set(err, EINVAL, "key file %s: not a regular "
				   "file", path);
	if ((st.st_uid != 0) && (st.st_uid != geteuid()))
		return fed_err_set(err, EPERM, "key file %s: owned by uid %u, "
				   "not by root or uid %u", path, st.st_uid,
				   geteuid());
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return fed_err_set(err, EPERM, "key file %s: mode %04o, must "
				   "be closed to group and others (0600)",
				   path, st.st_mode & 07777);
	return 0;
}

/* RET bytes read, at most size; -1: errno is set */
static ssize_t _read_all(int fd, uint8_t *data, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = read(fd, data + len, size - len);

		if ((got < 0) && (errno == EINTR))
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		len += got;
	}
	return len;
}

static bool _is_text_line(const uint8_t *data, size_t len)
{
	if (!len || (data[len - 1] != '\n'))
		return false;
	for (size_t i = 0; i < len - 1; i++)
		if ((data[i] < ' ') || (data[i] > '~'))
			return false;
	return true;
}

static uint8_t *_read_key(int fd, const char *path, size_t min, size_t max,
			  size_t *ret_len, fed_err_t *err)
{
	uint8_t *key = fed_calloc(1, max + 2);
	ssize_t len = _read_all(fd, key, max + 2);

	if ((len > 0) && _is_text_line(key, len))
		len--;
	if (len < 0) {
		fed_err_set(err, errno, "key file %s: %s", path,
			    strerror(errno));
	} else if (((size_t) len < min) || ((size_t) len > max)) {
		fed_err_set(err, EINVAL, "key file %s: a key has %zu to %zu "
			    "bytes, this one %s%zd", path, min, max,
			    ((size_t) len > max) ? "at least " : "", len);
	} else {
		*ret_len = len;
		return key;
	}
	explicit_bzero(key, max + 2);
	free(key);
	return NULL;
}

extern uint8_t *key_file_read(const char *path, size_t min, size_t max,
			      size_t *ret_len, fed_err_t *err)
{
	uint8_t *key = NULL;
	int fd;

	if (!path) {
		fed_err_set(err, EINVAL, "no key file");
		return NULL;
	}
	/* not blocking: a pipe put there must not stop us */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
		  O_NONBLOCK);
	if (fd < 0) {
		fed_err_set(err, errno, "key file %s: %s", path,
			    (errno == ELOOP) ? "a symbolic link" :
			    strerror(errno));
		return NULL;
	}
	if (_check(fd, path, err) == 0)
		key = _read_key(fd, path, min, max, ret_len, err);
	close(fd);
	return key;
}
