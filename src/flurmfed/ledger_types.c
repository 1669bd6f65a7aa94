/*
 * ledger_types.c - what the records of our programs' ledgers mean (see
 * ledger_types.h).
 *
 * One line per type, next to the others of its program. A type without an
 * entry is shown by its number, a body without a decoder in hex, so that a
 * ledger of a newer release can be looked at too.
 */
#include "src/flurmfed/ledger_types.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/core/bytes.h"
#include "src/core/fed_job.h"
#include "src/flurmfed/job_line.h"
#include "src/sibling/record.h"

#define FED_FLURM "fed_flurm"	/* the controllers' ledgers */

static bool _print_count(const void *body, size_t len)
{
	fed_reader_t reader;
	uint64_t count;

	fed_reader_init(&reader, body, len);
	count = fed_get_u64(&reader);
	if (!fed_reader_done(&reader))
		return false;
	printf("%" PRIu64 " records", count);
	return true;
}

static bool _print_job(const void *body, size_t len)
{
	fed_job_t job = { 0 };

	if (fed_job_unpack(&job, body, len, NULL))
		return false;
	printf("job %u epoch %u: ", job.id, job.epoch);
	job_line_print(&job);
	return true;
}

static bool _print_job_id(const void *body, size_t len)
{
	fed_reader_t reader;
	uint32_t id, epoch;

	fed_reader_init(&reader, body, len);
	id = fed_get_u32(&reader);
	epoch = fed_get_u32(&reader);
	if (!fed_reader_done(&reader))
		return false;
	printf("job %" PRIu32 " epoch %" PRIu32, id, epoch);
	return true;
}

/* accounting_row.c, row_pack() */
static bool _print_row(const void *body, size_t len)
{
	static const char *const kinds[] = {
		"?", "waits", "starts", "suspends", "resumes", "ends",
		"has a script", "has an environment",
	};
	fed_reader_t reader;
	uint64_t number;
	uint32_t id;
	uint8_t kind;

	fed_reader_init(&reader, body, len);
	number = fed_get_u64(&reader);
	(void) fed_get_i64(&reader);
	(void) fed_get_u8(&reader);
	kind = fed_get_u8(&reader);
	id = fed_get_u32(&reader);
	if (reader.bad)
		return false;
	if (kind >= sizeof(kinds) / sizeof(kinds[0]))
		kind = 0;
	printf("%" PRIu64 ": job %" PRIu32 " epoch %" PRIi64 " %s", number, id,
	       fed_get_i64(&reader), kinds[kind]);
	return true;
}

static bool _print_number(const void *body, size_t len)
{
	fed_reader_t reader;
	uint64_t number;

	fed_reader_init(&reader, body, len);
	number = fed_get_u64(&reader);
	if (!fed_reader_done(&reader))
		return false;
	printf("up to %" PRIu64, number);
	return true;
}

static const struct {
	const char *app;	/* NULL: every ledger */
	uint16_t type;
	const char *name;
	bool (*print)(const void *body, size_t len);
} types[] = {
	{ NULL, 0, "snapshot-end", _print_count },
	{ FED_FLURM, RECORD_FEDERATION, "federation", NULL },
	{ FED_FLURM, RECORD_DEP, "dependency", NULL },
	{ FED_FLURM, RECORD_DEP_DONE, "dep-answered", NULL },
	{ FED_FLURM, RECORD_JOB, "job", _print_job },
	{ FED_FLURM, RECORD_JOB_HOST, "job-asks", NULL },
	{ FED_FLURM, RECORD_JOB_FORGET, "job-forgotten", _print_job_id },
	{ FED_FLURM, RECORD_CURSOR, "cursor", NULL },
	{ FED_FLURM, RECORD_JOB_RUN, "job-at-flurm", NULL },
	{ FED_FLURM, RECORD_ASSOC, "associations", NULL },
	{ FED_FLURM, RECORD_ROW, "row", _print_row },
	{ FED_FLURM, RECORD_ROW_DONE, "rows-done", _print_number },
	{ FED_FLURM, RECORD_USAGE, "usage", NULL },
	{ FED_FLURM, RECORD_CHARGE, "charge", NULL },
};

static int _find(const char *app, uint16_t type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((types[i].type == type) &&
		    (!types[i].app || !strcmp(types[i].app, app)))
			return i;
	return -1;
}

extern const char *ledger_type_name(const char *app, uint16_t type)
{
	int i = _find(app, type);

	return i < 0 ? NULL : types[i].name;
}

extern bool ledger_type_print(const char *app, uint16_t type, const void *body,
			      size_t len)
{
	int i = _find(app, type);

	return (i >= 0) && types[i].print && types[i].print(body, len);
}
