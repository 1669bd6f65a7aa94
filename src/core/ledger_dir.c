/*
 * ledger_dir.c - the directory of a ledger: its lock and its files (see
 * ledger_dir.h).
 *
 * The lock is a POSIX byte-range lock that belongs to the open file (an OFD
 * lock), on a file of its own that is never removed or renamed. Byte-range
 * locks are what shared file systems that controllers of an HA pair use keep
 * across nodes, while flock() is local to the node on some of them. Being
 * bound to the open file, it is not lost, as the classic fcntl() lock is, when
 * some other code in slurmctld closes a descriptor of the same file, and it
 * keeps out a second opener in the same process.
 *
 * The kernel lets go of the lock with the process, so a stale lock file means
 * nothing; the line inside is only there to say who holds it.
 */
#include "fed_config.h"

#include "src/core/ledger_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/core/mem.h"

#define LOCK_WAIT_MS 20
#define LOCK_TRIES 15

static const char file_name[] = "ledger.";
static const char tmp_suffix[] = ".tmp";

/* Say in the lock file who we are. That this may fail is no harm. */
static void _sign(int fd, const char *app)
{
	char host[256] = "unknown host", date[64] = "";
	char *line;
	struct tm tm;
	time_t now = time(NULL);

	gethostname(host, sizeof(host) - 1);
	if (localtime_r(&now, &tm))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	line = fed_strdup_printf("pid %d on %s (%s, since %s)\n",
				 (int) getpid(), host, app, date);
	if (ftruncate(fd, 0) || (pwrite(fd, line, strlen(line), 0) < 0))
		errno = 0;
	free(line);
}

static void _read_holder(int fd, char *holder, size_t size)
{
	ssize_t len = pread(fd, holder, size - 1, 0);

	holder[len > 0 ? len : 0] = 0;
	holder[strcspn(holder, "\n")] = 0;
	if (!holder[0])
		snprintf(holder, size, "a process that has not said its name");
}

/*
 * A child shares our open file, and so the lock, until it executes another
 * program: one that was just being started when its parent was killed holds
 * the lock for a moment longer. That moment is waited for.
 */
static int _lock_soon(int fd)
{
	const struct timespec pause = { .tv_nsec = LOCK_WAIT_MS * 1000000L };
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	for (int tries = LOCK_TRIES; ; tries--) {
		if (fcntl(fd, F_OFD_SETLK, &lock) >= 0)
			return 0;
		if (((errno != EAGAIN) && (errno != EACCES)) || !tries)
			return -1;
		nanosleep(&pause, NULL);
	}
}

extern int ledger_dir_lock(const char *dir, const char *app, fed_err_t *err)
{
	char *path = fed_strdup_printf("%s/lock", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		fed_err_set(err, errno, "ledger %s: open %s: %s", dir, path,
			    strerror(errno));
	} else if (_lock_soon(fd) < 0) {
		char holder[384];

		if ((errno == EAGAIN) || (errno == EACCES)) {
			_read_holder(fd, holder, sizeof(holder));
			fed_err_set(err, EBUSY, "ledger %s is in use by %s",
				    dir, holder);
		} else {
			fed_err_set(err, errno,
				    "ledger %s: lock %s: %s (a file system with locks is needed)",
				    dir, path, strerror(errno));
		}
		close(fd);
		fd = -1;
	} else {
		_sign(fd, app);
	}
	free(path);
	return fd;
}

extern void ledger_dir_unlock(int fd)
{
	if (fd >= 0)
		close(fd);
}

/*
 * OUT ret_tmp - true if the file was still being written
 * RET generation that a file name says, 0 if it says none
 */
static uint64_t _parse_name(const char *name, bool *ret_tmp)
{
	uint64_t generation = 0;

	*ret_tmp = false;
	if (strncmp(name, file_name, sizeof(file_name) - 1))
		return 0;
	name += sizeof(file_name) - 1;
	if ((*name < '1') || (*name > '9'))
		return 0;
	for (; (*name >= '0') && (*name <= '9'); name++) {
		if (generation >= INT64_MAX / 10)
			return 0;
		generation = generation * 10 + (*name - '0');
	}
	*ret_tmp = !strcmp(name, tmp_suffix);
	return (*name && !*ret_tmp) ? 0 : generation;
}

extern int64_t ledger_dir_newest(const char *dir, fed_err_t *err)
{
	DIR *list = opendir(dir);
	struct dirent *entry;
	int64_t newest = 0;

	if (!list)
		return fed_err_set(err, errno, "ledger %s: %s", dir,
				   strerror(errno));
	while ((errno = 0, entry = readdir(list))) {
		bool tmp;
		uint64_t generation = _parse_name(entry->d_name, &tmp);

		if (!tmp && ((int64_t) generation > newest))
			newest = generation;
	}
	if (errno)
		newest = fed_err_set(err, errno, "ledger %s: list: %s", dir,
				     strerror(errno));
	closedir(list);
	return newest;
}

extern char *ledger_dir_path(const char *dir, uint64_t generation, bool tmp)
{
	return fed_strdup_printf("%s/%s%" PRIu64 "%s", dir, file_name,
				 generation, tmp ? tmp_suffix : "");
}

extern void ledger_dir_sweep(const char *dir, uint64_t generation,
			     const fed_ledger_io_t *io)
{
	DIR *list = opendir(dir);
	struct dirent *entry;

	if (!list)
		return;
	while ((entry = readdir(list))) {
		bool tmp;
		uint64_t old = _parse_name(entry->d_name, &tmp);

		if (old && (tmp || (old < generation))) {
			char *path = ledger_dir_path(dir, old, tmp);

			io->unlink(path);
			free(path);
		}
	}
	closedir(list);
}

extern int ledger_dir_sync(const char *dir, const fed_ledger_io_t *io,
			   fed_err_t *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	/* EINVAL: a file system that has no such thing, and no need */
	if ((fd < 0) || ((io->fsync(fd) < 0) && (errno != EINVAL)))
		rc = fed_err_set(err, errno, "ledger %s: sync directory: %s",
				 dir, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}
