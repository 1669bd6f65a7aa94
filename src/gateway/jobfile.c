/*
 * jobfile.c - the small files of a job's directory (see jobfile.h).
 */
#include "fed_config.h"

#include "src/gateway/jobfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64 * 1024 * 1024)

static int _fail(fed_err_t *err, const char *what, const char *name)
{
	return fed_err_set(err, errno, "%s %s: %s", what, name,
			   strerror(errno));
}

static void *_at(const void *object, size_t offset)
{
	return (char *) object + offset;
}

/* Write all of it and sync it. RET 0 or -1 with errno */
static int _write_fd(int fd, const char *data, size_t len, bool sync)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if ((n < 0) && (errno == EINTR))
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= n;
	}
	return sync ? fdatasync(fd) : 0;
}

extern int gw_jobfile_write(int dirfd, const char *name, const void *data,
			    size_t len, mode_t mode, bool sync, fed_err_t *err)
{
	int fd, rc;

	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
		    O_NOFOLLOW, mode);
	if (fd < 0)
		return _fail(err, "create", name);
	rc = _write_fd(fd, data, len, sync);
	if (close(fd) || rc)
		return _fail(err, "write", name);
	return 0;
}

extern int gw_jobfile_publish(int dirfd, const char *name, const void *data,
			      size_t len, fed_err_t *err)
{
	char tmp[32];

	snprintf(tmp, sizeof(tmp), "%s.new", name);
	if (gw_jobfile_write(dirfd, tmp, data, len, 0600, true, err))
		return -1;
	if (renameat(dirfd, tmp, dirfd, name) || fsync(dirfd))
		return _fail(err, "rename", name);
	return 0;
}

extern int gw_jobfile_read(int dirfd, const char *name, char **ret_data,
			   size_t *ret_len, fed_err_t *err)
{
	size_t len = 0;
	struct stat st;
	char *data;
	ssize_t n;
	int fd;

	if ((fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return errno == ENOENT ? 0 : _fail(err, "open", name);
	if (fstat(fd, &st) || (st.st_size > FILE_MAX) ||
	    !(data = malloc(st.st_size + 1))) {
		close(fd);
		return _fail(err, "read", name);
	}
	while ((len < (size_t) st.st_size) &&
	       ((n = read(fd, data + len, st.st_size - len)) > 0))
		len += n;
	close(fd);
	data[len] = 0;
	*ret_data = data;
	*ret_len = len;
	return 1;
}

extern void gw_jobfile_print(FILE *file, const gw_jobfile_field_t *fields,
			     const void *object)
{
	for (; fields->key; fields++) {
		const void *at = _at(object, fields->offset);

		if (fields->type == GW_JOBFILE_NUMBER)
			fprintf(file, "%s=%lld%c", fields->key,
				(long long) *(const int64_t *) at, 0);
		else if (*(char *const *) at)
			fprintf(file, "%s=%s%c", fields->key,
				*(char *const *) at, 0);
	}
}

extern int gw_jobfile_take(const gw_jobfile_field_t *fields, void *object,
			   const char *key, const char *value)
{
	for (; fields->key; fields++) {
		void *at = _at(object, fields->offset);

		if (strcmp(fields->key, key))
			continue;
		if (fields->type == GW_JOBFILE_NUMBER) {
			*(int64_t *) at = strtoll(value, NULL, 10);
			return 1;
		}
		free(*(char **) at);
		return (*(char **) at = strdup(value)) ? 1 : -1;
	}
	return 0;
}

extern char *gw_jobfile_next(char **cursor, const char *end, char **ret_value)
{
	char *setting = *cursor, *equals;

	while (setting < end) {
		*cursor = setting + strlen(setting) + 1;
		if ((equals = strchr(setting, '='))) {
			*equals = 0;
			*ret_value = equals + 1;
			return setting;
		}
		setting = *cursor;
	}
	return NULL;
}
