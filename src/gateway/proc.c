/*
 * proc.c - which process is which (see proc.h).
 *
 * All of it reads /proc. A process that ends while we look is not an error,
 * it is just not in the list. The tree is built from one pass over /proc: a
 * process that forks during the pass may be missed, so whoever kills a tree
 * repeats until nothing is left.
 */
#include "src/gateway/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
	pid_t pid;
	pid_t parent;
	uint64_t rss_pages;
	bool wanted;
} entry_t;

typedef struct {
	entry_t *entries;
	size_t count;
	size_t size;
} table_t;

/* RET length, or -1; the text is terminated */
static ssize_t _read_file(const char *path, char *buf, size_t size)
{
	ssize_t len, sum = 0;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return -1;
	while ((sum < (ssize_t) size - 1) &&
	       ((len = read(fd, buf + sum, size - 1 - sum)) > 0))
		sum += len;
	close(fd);
	buf[sum] = 0;
	return sum;
}

static int _boot_id(char boot_id[GW_BOOT_ID_MAX])
{
	if (_read_file("/proc/sys/kernel/random/boot_id", boot_id,
		       GW_BOOT_ID_MAX) <= 0)
		return -1;
	boot_id[strcspn(boot_id, "\n")] = 0;
	return 0;
}

typedef struct {
	char state;
	pid_t parent;
	uint64_t start;
	uint64_t rss_pages;
} stat_t;

/*
 * /proc/PID/stat: "pid (name) state ppid ...". The name may hold anything,
 * so fields are counted from the last ')'.
 */
static int _stat(pid_t pid, stat_t *ret_stat)
{
	char path[32], buf[1024], *p, *end;
	uint64_t fields[25] = { 0 };	/* by their number in proc(5) */

	snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
	if ((_read_file(path, buf, sizeof(buf)) <= 0) ||
	    !(p = strrchr(buf, ')')) || (p[1] != ' ') || !p[2]) {
		errno = ESRCH;
		return -1;
	}
	ret_stat->state = p[2];
	p += 3;
	for (int i = 4; i <= 24; i++, p = end) {
		fields[i] = strtoull(p, &end, 10);
		if (end == p) {
			errno = ESRCH;
			return -1;
		}
	}
	ret_stat->parent = fields[4];
	ret_stat->start = fields[22];
	ret_stat->rss_pages = fields[24];
	return 0;
}

extern int gw_proc_of(pid_t pid, gw_proc_t *ret_proc)
{
	stat_t stat;

	if (_stat(pid, &stat) || _boot_id(ret_proc->boot_id))
		return -1;
	ret_proc->pid = pid;
	ret_proc->start = stat.start;
	return 0;
}

extern bool gw_proc_alive(const gw_proc_t *proc)
{
	char boot_id[GW_BOOT_ID_MAX];
	stat_t stat;

	return (proc->pid > 0) && !_boot_id(boot_id) &&
		!strcmp(boot_id, proc->boot_id) &&
		!_stat(proc->pid, &stat) && (stat.start == proc->start) &&
		(stat.state != 'Z') && (stat.state != 'X');
}

extern void gw_proc_print(const gw_proc_t *proc, char text[GW_PROC_TEXT_MAX])
{
	snprintf(text, GW_PROC_TEXT_MAX, "%d %llu %s", (int) proc->pid,
		 (unsigned long long) proc->start, proc->boot_id);
}

extern int gw_proc_parse(const char *text, gw_proc_t *ret_proc)
{
	unsigned long long start;
	const char *boot_id;
	char *end;
	long pid;

	if (!isdigit((unsigned char) *text))
		return -1;
	errno = 0;
	pid = strtol(text, &end, 10);
	if (errno || (*end != ' ') || (pid <= 0) || (pid != (pid_t) pid))
		return -1;
	start = strtoull(end + 1, &end, 10);
	if (errno || (*end != ' '))
		return -1;
	boot_id = end + 1;
	if (!*boot_id || (strlen(boot_id) >= GW_BOOT_ID_MAX))
		return -1;
	ret_proc->pid = pid;
	ret_proc->start = start;
	memcpy(ret_proc->boot_id, boot_id, strlen(boot_id) + 1);
	return 0;
}

static int _add(table_t *table, pid_t pid, const stat_t *stat)
{
	if (table->count == table->size) {
		size_t size = table->size ? 2 * table->size : 256;
		entry_t *entries = reallocarray(table->entries, size,
						sizeof(*entries));

		if (!entries)
			return -1;
		table->entries = entries;
		table->size = size;
	}
	table->entries[table->count++] = (entry_t) {
		.pid = pid,
		.parent = stat->parent,
		.rss_pages = stat->rss_pages,
	};
	return 0;
}

/* Every process that is not a zombie. */
static int _read_table(table_t *table)
{
	struct dirent *dirent;
	stat_t stat;
	DIR *dir;
	int rc = 0;

	if (!(dir = opendir("/proc")))
		return -1;
	while (!rc && (dirent = readdir(dir))) {
		pid_t pid;

		if (!isdigit((unsigned char) dirent->d_name[0]))
			continue;
		pid = strtol(dirent->d_name, NULL, 10);
		if (!_stat(pid, &stat) && (stat.state != 'Z') &&
		    (stat.state != 'X'))
			rc = _add(table, pid, &stat);
	}
	closedir(dir);
	return rc;
}

static int _by_pid(const void *a, const void *b)
{
	const entry_t *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static entry_t *_find(const table_t *table, pid_t pid)
{
	const entry_t key = { .pid = pid };

	return bsearch(&key, table->entries, table->count, sizeof(key),
		       _by_pid);
}

/* Mark what has a wanted parent until a pass finds nothing new. */
static void _mark_descendants(table_t *table, pid_t top)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < table->count; i++) {
			entry_t *entry = &table->entries[i], *parent;

			if (entry->wanted || (entry->pid == top))
				continue;
			parent = _find(table, entry->parent);
			if ((entry->parent == top) ||
			    (parent && parent->wanted))
				entry->wanted = more = true;
		}
	}
}

static int _take_wanted(const table_t *table, gw_proc_list_t *ret_list)
{
	gw_proc_list_t list = { 0 };

	if (!(list.pids = calloc(table->count + 1, sizeof(*list.pids))))
		return -1;
	for (size_t i = 0; i < table->count; i++) {
		if (!table->entries[i].wanted)
			continue;
		list.pids[list.count++] = table->entries[i].pid;
		list.rss_kb += table->entries[i].rss_pages;
	}
	list.rss_kb *= sysconf(_SC_PAGESIZE) / 1024;
	*ret_list = list;
	return 0;
}

extern void gw_proc_list_free(gw_proc_list_t *list)
{
	free(list->pids);
	*list = (gw_proc_list_t) { 0 };
}

extern int gw_proc_descendants(pid_t top, gw_proc_list_t *ret_list)
{
	table_t table = { 0 };
	int rc;

	if (!(rc = _read_table(&table))) {
		if (table.count)
			qsort(table.entries, table.count,
			      sizeof(*table.entries), _by_pid);
		_mark_descendants(&table, top);
		rc = _take_wanted(&table, ret_list);
	}
	free(table.entries);
	return rc;
}

/* RET true if one of the NUL-separated settings in the file is this one */
static bool _environ_has(pid_t pid, const char *setting)
{
	size_t want = strlen(setting) + 1, size = 0;
	char path[32], *line = NULL;
	bool found = false;
	ssize_t len;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int) pid);
	if (!(file = fopen(path, "re")))
		return false;
	while (!found && ((len = getdelim(&line, &size, 0, file)) > 0))
		found = ((size_t) len == want) && !memcmp(line, setting, want);
	free(line);
	fclose(file);
	return found;
}

extern int gw_proc_marked(const char *setting, gw_proc_list_t *ret_list)
{
	table_t table = { 0 };
	int rc;

	if (!(rc = _read_table(&table))) {
		for (size_t i = 0; i < table.count; i++)
			table.entries[i].wanted =
				_environ_has(table.entries[i].pid, setting);
		rc = _take_wanted(&table, ret_list);
	}
	free(table.entries);
	return rc;
}
