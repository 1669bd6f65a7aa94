/*
 * ledger_cmd.c - flurmfed ledger dump|verify.
 *
 * Reads a ledger without its lock and changes nothing. A ledger that is in use
 * is read as it is at this moment, where the last commit may be half written:
 * that is said, and is no problem.
 */
#include "fed_config.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "src/core/ledger.h"
#include "src/flurmfed/cmd.h"
#include "src/flurmfed/ledger_types.h"

#define HEX_BYTES 48		/* of a body, unless --full */

typedef struct {
	const char *app;
	bool full;
} _dump_t;

static void _print_hex(const uint8_t *body, size_t len, bool full)
{
	size_t shown = (full || (len <= HEX_BYTES)) ? len : HEX_BYTES;

	for (size_t i = 0; i < shown; i++)
		printf("%02x", body[i]);
	if (shown < len)
		printf("... (--full for all)");
}

static void _dump_record(uint64_t offset, uint16_t type, const void *body,
			 size_t len, void *arg)
{
	const _dump_t *dump = arg;
	const char *name = ledger_type_name(dump->app, type);

	printf("%10" PRIu64 "  ", offset);
	if (name)
		printf("%-14s", name);
	else
		printf("type %-9u", type);
	printf(" %8zu  ", len);
	if (!ledger_type_print(dump->app, type, body, len))
		_print_hex(body, len, dump->full);
	putchar('\n');
}

static void _say_problem(uint64_t offset, const char *what, void *arg)
{
	printf("%10" PRIu64 "  ** %s\n", offset, what);
}

static void _print_head(const fed_ledger_report_t *report)
{
	char date[64] = "?";
	time_t created = report->created;
	struct tm tm;

	if (localtime_r(&created, &tm))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S%z", &tm);
	printf("%s: generation %" PRIu64 " of %s, begun %s, %" PRIu64 " bytes\n",
	       report->path, report->generation, report->app, date,
	       report->size);
}

/* RET exit code */
static int _print_verdict(const fed_ledger_report_t *report)
{
	if (report->base_end)
		printf("snapshot: %" PRIu64 " records; log: %" PRIu64 " records in %" PRIu64 " commits\n",
		       report->base_records, report->log_records,
		       report->commits);
	if (!report->torn && !report->damaged) {
		printf("well\n");
		return CMD_OK;
	}
	if (report->torn) {
		printf("well up to offset %" PRIu64 "; the %" PRIu64 " bytes after it are of a commit that is not finished (a crash, or it is being written) and are dropped at the next start\n",
		       report->good_end, report->size - report->good_end);
		return CMD_OK;
	}
	printf("DAMAGED at offset %" PRIu64 ": %s\n", report->bad_at,
	       report->bad_what);
	if (report->base_end)
		printf("Up to offset %" PRIu64 " all is well. What follows was committed, so to go on without it\n"
		       "may lose a job or forget that one was started. If there is no better copy: stop\n"
		       "the owner, keep a copy of the file, then: truncate -s %" PRIu64 " %s\n",
		       report->good_end, report->good_end, report->path);
	else
		printf("The snapshot itself is not whole: this file can't be mended, a copy is needed.\n");
	return CMD_PROBLEM;
}

static int _dump(const char *path, bool full)
{
	const fed_ledger_visitor_t visitor = {
		.record = _dump_record,
		.problem = _say_problem,
	};
	fed_ledger_report_t report;
	_dump_t dump = { .full = full };
	fed_err_t err;

	/* once for the owner, who decides what the records mean */
	if (fed_ledger_read(path, NULL, NULL, &report, &err) < 0)
		goto failed;
	_print_head(&report);
	dump.app = report.app;
	if (fed_ledger_read(report.path, &visitor, &dump, &report, &err) < 0)
		goto failed;
	return _print_verdict(&report);

failed:
	fprintf(stderr, "flurmfed ledger: %s\n", err.text);
	return CMD_PROBLEM;
}

static int _verify(const char *path)
{
	const fed_ledger_visitor_t visitor = { .problem = _say_problem };
	fed_ledger_report_t report;
	fed_err_t err;

	if (fed_ledger_read(path, &visitor, NULL, &report, &err) < 0) {
		fprintf(stderr, "flurmfed ledger: %s\n", err.text);
		return CMD_PROBLEM;
	}
	_print_head(&report);
	return _print_verdict(&report);
}

extern int ledger_cmd(int argc, char **argv)
{
	static const struct option options[] = {
		{ "full", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	bool full = false, dump;
	int opt;

	while ((opt = getopt_long(argc, argv, "f", options, NULL)) != -1) {
		if (opt != 'f')
			return cmd_usage("ledger", "no such option: %s",
					 argv[optind - 1]);
		full = true;
	}
	if (argc - optind != 2)
		return cmd_usage("ledger",
				 "dump or verify, and one ledger, are needed");
	dump = !strcmp(argv[optind], "dump");
	if (!dump && strcmp(argv[optind], "verify"))
		return cmd_usage("ledger", "no such thing to do: %s",
				 argv[optind]);
	if (full && !dump)
		return cmd_usage("ledger", "--full is for dump");
	return dump ? _dump(argv[optind + 1], full) : _verify(argv[optind + 1]);
}
