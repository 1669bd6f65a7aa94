/*
 * job_cmd.c - flurmfed job ID: the story of one job, from the ledger.
 *
 * Each record of a job's state is a line: when it came to be so, and what was
 * then still to be said to whom. Reads the ledger without its lock. What lies
 * before the ledger's last snapshot is told by the state that it left.
 */
#include "fed_config.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/core/fed_job.h"
#include "src/core/job_id.h"
#include "src/core/ledger.h"
#include "src/core/mem.h"
#include "src/flurmfed/cmd.h"
#include "src/flurmfed/job_line.h"
#include "src/flurmfed/site_conf.h"
#include "src/flurmfed/status_ask.h"
#include "src/sibling/record.h"

typedef struct {
	uint32_t id;
	const char *cluster;
	int lines;
	fed_job_t last;		/* the record before, to tell what is new */
	char *origin;
	char *reason;
} story_t;

static void _tell_origin(story_t *story, const void *body, size_t len)
{
	fed_reader_t reader;
	char *origin;

	fed_reader_init(&reader, body, len);
	(void) fed_get_u16(&reader);
	if (fed_get_u32(&reader) != story->id)
		return;
	(void) fed_get_u32(&reader);
	origin = fed_get_str(&reader);
	if (origin && (!story->origin || strcmp(origin, story->origin)))
		printf("    submitted by %s\n", origin);
	free(story->origin);
	story->origin = origin;
}

/* jobs_ledger.c, _pack_run(): why it waits, was refused or ended */
static void _tell_reason(story_t *story, const void *body, size_t len)
{
	fed_reader_t reader;
	char *reason;

	fed_reader_init(&reader, body, len);
	(void) fed_get_u16(&reader);
	if (fed_get_u32(&reader) != story->id)
		return;
	(void) fed_get_u32(&reader);
	free(fed_get_str(&reader));
	reason = fed_get_str(&reader);
	if (reason && (!story->reason || strcmp(reason, story->reason)))
		printf("    reason: %s\n", reason);
	free(story->reason);
	story->reason = reason;
}

static void _tell_job(story_t *story, const void *body, size_t len)
{
	fed_job_t job = { 0 };
	char when[32];
	struct tm tm;
	time_t since;

	if (fed_job_unpack(&job, body, len, NULL) || (job.id != story->id))
		return;
	if (!story->lines++)
		printf("job %u (%u of cluster %u) at %s\n", job.id,
		       fed_job_id_local(job.id), fed_job_id_origin(job.id),
		       story->cluster);
	if (job.epoch != story->last.epoch)
		printf("  epoch %u\n", job.epoch);
	else if (job_line_same(&job, &story->last))
		return;
	since = job.since;
	localtime_r(&since, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	printf("    %s  ", when);
	job_line_print(&job);
	putchar('\n');
	story->last = job;
}

static void _record(uint64_t offset, uint16_t type, const void *body,
		    size_t len, void *arg)
{
	if (type == RECORD_JOB)
		_tell_job(arg, body, len);
	else if (type == RECORD_JOB_HOST)
		_tell_origin(arg, body, len);
	else if (type == RECORD_JOB_RUN)
		_tell_reason(arg, body, len);
}

/* RET lines told, or -1 */
static int _tell(const char *dir, const char *cluster, uint32_t id)
{
	const fed_ledger_visitor_t visitor = { .record = _record };
	story_t story = { .id = id, .cluster = cluster };
	fed_ledger_report_t *report = fed_calloc(1, sizeof(*report));
	fed_err_t err;
	int rc = fed_ledger_read(dir, &visitor, &story, report, &err);

	if (rc)
		fprintf(stderr, "flurmfed job: %s\n", err.text);
	free(report);
	free(story.origin);
	free(story.reason);
	return rc ? -1 : story.lines;
}

/* In the ledgers of all controllers on this host. RET lines told, or -1 */
static int _tell_all(const char *socket, uint32_t id)
{
	fed_err_t err;
	json_t *status = status_ask(socket, &err), *cluster;
	size_t i;
	int lines = 0;

	if (!status) {
		fprintf(stderr, "flurmfed job: %s\n", err.text);
		return -1;
	}
	json_array_foreach(json_object_get(status, "clusters"), i, cluster) {
		const char *dir = NULL, *name = NULL;
		int rc;

		if (json_unpack(cluster, "{s:s, s:{s:s}}", "name", &name,
				"ledger", "dir", &dir))
			continue;
		if ((rc = _tell(dir, name, id)) < 0)
			lines = -1;
		else if (lines >= 0)
			lines += rc;
	}
	json_decref(status);
	return lines;
}

static bool _parse_id(const char *text, uint32_t *ret_id)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	*ret_id = value;
	return !errno && *text && !*end && (value <= UINT32_MAX) &&
	       fed_job_id_valid(value);
}

extern int job_cmd(int argc, char **argv)
{
	static const struct option options[] = {
		{ "file", required_argument, NULL, 'f' },
		{ "ledger", required_argument, NULL, 'l' },
		{ "socket", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = NULL, *ledger = NULL, *socket = NULL;
	char *found = NULL;
	fed_err_t err;
	uint32_t id;
	int opt, lines;

	while ((opt = getopt_long(argc, argv, "f:l:s:", options, NULL)) != -1) {
		switch (opt) {
		case 'f':
			file = optarg;
			break;
		case 'l':
			ledger = optarg;
			break;
		case 's':
			socket = optarg;
			break;
		default:
			return cmd_usage("job", "no such option, or it needs a value: %s",
					 argv[optind - 1]);
		}
	}
	if (optind + 1 != argc)
		return cmd_usage("job", "give one job id");
	if (!_parse_id(argv[optind], &id))
		return cmd_usage("job", "\"%s\" is not the id of a federated job",
				 argv[optind]);
	if (ledger) {
		lines = _tell(ledger, ledger, id);
	} else {
		if (!socket && !(socket = found = site_conf_socket(file,
								   &err))) {
			fprintf(stderr, "flurmfed job: %s\n", err.text);
			return CMD_PROBLEM;
		}
		lines = _tell_all(socket, id);
		free(found);
	}
	if (lines == 0)
		printf("job %u: FLURM never had it, or it is forgotten\n", id);
	return (lines > 0) ? CMD_OK : CMD_PROBLEM;
}
