/*
 * ledger_read.c - read a ledger without opening it (see the end of ledger.h).
 */
#include "src/core/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/core/ledger_dir.h"
#include "src/core/ledger_scan.h"
#include "src/core/mem.h"

static int _read_file(const char *path, const fed_ledger_visitor_t *visitor,
		      void *arg, fed_ledger_report_t *ret_report,
		      fed_err_t *err)
{
	fed_ledger_report_t report;
	ledger_scan_t scan;
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fed_err_set(err, errno, "%s: %s", path, strerror(errno));
	rc = ledger_scan_init(&scan, fd, path, err);
	if (!rc)
		rc = ledger_scan_judge(&scan, visitor, arg, &report, err);
	ledger_scan_fini(&scan);
	close(fd);
	if (rc < 0)
		return -1;
	snprintf(report.path, sizeof(report.path), "%s", path);
	*ret_report = report;
	return 0;
}

extern int fed_ledger_read(const char *path,
			   const fed_ledger_visitor_t *visitor, void *arg,
			   fed_ledger_report_t *ret_report, fed_err_t *err)
{
	struct stat st;
	int64_t newest;
	char *file;
	int rc;

	if (stat(path, &st) < 0)
		return fed_err_set(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return _read_file(path, visitor, arg, ret_report, err);
	newest = ledger_dir_newest(path, err);
	if (newest < 0)
		return -1;
	if (!newest)
		return fed_err_set(err, ENOENT, "%s: there is no ledger here",
				   path);
	file = ledger_dir_path(path, newest, false);
	rc = _read_file(file, visitor, arg, ret_report, err);
	free(file);
	return rc;
}
