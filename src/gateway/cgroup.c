/*
 * cgroup.c - a cgroup v2 of its own for each job (see cgroup.h).
 *
 * Files below the cgroup mount are read and written whole; a missing one means
 * that the kernel or the controller is not there, which is never fatal: the
 * shim falls back to the process tree.
 */
#include "src/gateway/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int _write(const char *dir, const char *file, const char *text)
{
	char path[PATH_MAX];
	size_t len = strlen(text);
	ssize_t written;
	int fd, saved;

	if ((size_t) snprintf(path, sizeof(path), "%s/%s", dir, file) >=
	    sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) < 0)
		return -1;
	written = write(fd, text, len);
	saved = errno;
	close(fd);
	errno = saved;
	return written == (ssize_t) len ? 0 : -1;
}

static ssize_t _read(const char *dir, const char *file, char *buf, size_t size)
{
	char path[PATH_MAX];
	ssize_t len;
	int fd;

	if ((size_t) snprintf(path, sizeof(path), "%s/%s", dir, file) >=
	    sizeof(path))
		return -1;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return -1;
	len = read(fd, buf, size - 1);
	close(fd);
	buf[len > 0 ? len : 0] = 0;
	return len;
}

/* RET the mount point of the v2 hierarchy, malloc'd, or NULL */
static char *_mount_point(void)
{
	char buf[4096], *found = NULL;
	struct mntent entry;
	FILE *mounts;

	if (!(mounts = setmntent("/proc/self/mounts", "re")))
		return NULL;
	while (!found && getmntent_r(mounts, &entry, buf, sizeof(buf)))
		if (!strcmp(entry.mnt_type, "cgroup2"))
			found = strdup(entry.mnt_dir);
	endmntent(mounts);
	return found;
}

/* RET our own path in the v2 hierarchy ("/system.slice/..."), or NULL */
static char *_own_path(void)
{
	char *line = NULL, *found = NULL;
	size_t size = 0;
	FILE *file;

	if (!(file = fopen("/proc/self/cgroup", "re")))
		return NULL;
	while (!found && (getline(&line, &size, file) > 0)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "0::/", 4))
			found = strdup(line + 3);
	}
	free(line);
	fclose(file);
	return found;
}

/* A directory is fit if job groups can be made in it and entered from here. */
static bool _usable(const char *base)
{
	char probe[PATH_MAX];
	bool usable;

	if (gw_cgroup_make(base) ||
	    ((size_t) snprintf(probe, sizeof(probe), "%s/probe", base) >=
	     sizeof(probe)) || gw_cgroup_make(probe))
		return false;
	usable = !gw_cgroup_freeze(probe, false);
	rmdir(probe);
	return usable;
}

static char *_auto_base(void)
{
	char base[PATH_MAX], dir[PATH_MAX], *mount, *own, *last;
	char *found = NULL;
	bool leaf = false;

	mount = _mount_point();
	own = _own_path();
	if (own && (last = strrchr(own, '/')) && !strcmp(last, "/daemon")) {
		*last = 0;
		leaf = true;
	}
	if (mount && own &&
	    ((size_t) snprintf(dir, sizeof(dir), "%s%s", mount,
			       strcmp(own, "/") ? own : "") < sizeof(dir)) &&
	    ((size_t) snprintf(base, sizeof(base), "%s/flurm-jobs", dir) <
	     sizeof(base)) && _usable(base)) {
		if (leaf) {
			(void) _write(dir, "cgroup.subtree_control", "+memory");
			(void) _write(base, "cgroup.subtree_control",
				      "+memory");
		}
		found = strdup(base);
	}
	free(mount);
	free(own);
	return found;
}

extern int gw_cgroup_base(const char *wanted, char **ret_base, fed_err_t *err)
{
	*ret_base = NULL;
	if (!strcmp(wanted, "off"))
		return 0;
	if (!strcmp(wanted, "auto")) {
		*ret_base = _auto_base();
		return 0;
	}
	if (!_usable(wanted))
		return fed_err_set(err, errno, "cgroup %s: %s", wanted,
				   strerror(errno));
	if (!(*ret_base = strdup(wanted)))
		return fed_err_set(err, ENOMEM, "out of memory");
	return 0;
}

extern int gw_cgroup_make(const char *path)
{
	return (mkdir(path, 0755) && (errno != EEXIST)) ? -1 : 0;
}

extern bool gw_cgroup_limit_memory(const char *path, uint64_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long) bytes);
	if (_write(path, "memory.max", text))
		return false;
	/* without swap the limit would only be moved, not kept */
	(void) _write(path, "memory.swap.max", "0");
	(void) _write(path, "memory.oom.group", "1");
	return true;
}

extern int gw_cgroup_enter(const char *path, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int) pid);
	return _write(path, "cgroup.procs", text);
}

extern int gw_cgroup_kill(const char *path)
{
	return _write(path, "cgroup.kill", "1");
}

extern int gw_cgroup_freeze(const char *path, bool freeze)
{
	return _write(path, "cgroup.freeze", freeze ? "1" : "0");
}

extern bool gw_cgroup_empty(const char *path)
{
	char buf[256];

	return (_read(path, "cgroup.events", buf, sizeof(buf)) <= 0) ||
		strstr(buf, "populated 0");
}

extern uint64_t gw_cgroup_oom_kills(const char *path)
{
	char buf[512], *p;

	if ((_read(path, "memory.events", buf, sizeof(buf)) <= 0) ||
	    !(p = strstr(buf, "oom_kill ")))
		return 0;
	return strtoull(p + strlen("oom_kill "), NULL, 10);
}

extern int gw_cgroup_remove(const char *path)
{
	char child[PATH_MAX];
	struct dirent *dirent;
	DIR *dir;

	if (!rmdir(path) || (errno == ENOENT))
		return 0;
	if (!(dir = opendir(path)))
		return -1;
	while ((dirent = readdir(dir))) {
		if ((dirent->d_type == DT_DIR) && (dirent->d_name[0] != '.') &&
		    ((size_t) snprintf(child, sizeof(child), "%s/%s", path,
				       dirent->d_name) < sizeof(child)))
			(void) gw_cgroup_remove(child);
	}
	closedir(dir);
	return rmdir(path);
}
