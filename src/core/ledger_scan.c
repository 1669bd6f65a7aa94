/*
 * ledger_scan.c - read a ledger file from end to end and judge it (see
 * ledger_scan.h).
 *
 * A crash may leave the last commit in the file in part: cut off, or with
 * bytes that never came. That is a torn tail; nobody was told that it was
 * there and it is as if it had never been tried. Anything else that is not
 * well was durable once, and is damage that is refused, because going on
 * without it might start a job twice.
 *
 * So what follows the first bad place decides. The first record of another
 * commit proves that the one with the bad place was finished. So does a whole
 * last record of a commit: its writer had written all before it. If there is
 * neither, the bad place is in the last commit and its end is not there: torn.
 * (A last commit of one record that went bad later looks just the same.)
 *
 * Nothing here is quadratic: to find a record after a bad head costs 20 bytes
 * of checksum a step.
 */
#include "src/core/ledger_scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/core/mem.h"

#define WINDOW_SIZE (1u << 20)

/*
 * Have len bytes at offset, all inside of the file, in the window.
 * RET them, or NULL
 */
static const uint8_t *_need(ledger_scan_t *scan, uint64_t offset, size_t len,
			    fed_err_t *err)
{
	uint64_t keep = 0;

	if ((offset >= scan->window_at) &&
	    (offset + len <= scan->window_at + scan->window_len))
		return scan->window + (offset - scan->window_at);
	if (scan->window_size < len) {
		scan->window_size = len < WINDOW_SIZE ? WINDOW_SIZE : len;
		scan->window = fed_realloc(scan->window, scan->window_size);
	}
	if ((offset >= scan->window_at) &&
	    (offset < scan->window_at + scan->window_len)) {
		keep = scan->window_at + scan->window_len - offset;
		memmove(scan->window, scan->window + (offset - scan->window_at),
			keep);
	}
	scan->window_at = offset;
	scan->window_len = keep;
	while (scan->window_len < len) {
		ssize_t got = pread(scan->fd, scan->window + scan->window_len,
				    scan->window_size - scan->window_len,
				    offset + scan->window_len);

		if ((got < 0) && (errno == EINTR))
			continue;
		if (got <= 0) {
			fed_err_set(err, got ? errno : EIO,
				    "%s: read at offset %" PRIu64 ": %s",
				    scan->path, offset,
				    got ? strerror(errno) : "it was cut short");
			return NULL;
		}
		scan->window_len += got;
	}
	return scan->window;
}

extern int ledger_scan_init(ledger_scan_t *scan, int fd, const char *path,
			    fed_err_t *err)
{
	const uint8_t *data;
	struct stat st;

	*scan = (ledger_scan_t) { .path = path, .fd = fd };
	if (fstat(fd, &st) < 0)
		return fed_err_set(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fed_err_set(err, EINVAL, "%s: this is no file", path);
	scan->size = st.st_size;
	if (scan->size < LEDGER_HEADER_SIZE)
		return fed_err_set(err, EILSEQ,
				   "%s: too short for a ledger (%" PRIu64 " bytes)",
				   path, scan->size);
	data = _need(scan, 0, LEDGER_HEADER_SIZE, err);
	if (!data)
		return -1;
	if (ledger_header_unpack(data, &scan->header, err) < 0)
		return fed_err_prefix(err, "%s", path);
	scan->offset = LEDGER_HEADER_SIZE;
	return 0;
}

extern void ledger_scan_fini(ledger_scan_t *scan)
{
	free(scan->window);
	scan->window = NULL;
}

/* Go to the next place that has a head, or to the end. RET 0, or -1 */
static int _find_head(ledger_scan_t *scan, fed_err_t *err)
{
	ledger_head_t head;

	while (++scan->offset + LEDGER_HEAD_SIZE <= scan->size) {
		const uint8_t *data = _need(scan, scan->offset,
					    LEDGER_HEAD_SIZE, err);

		if (!data)
			return -1;
		if (ledger_head_unpack(data, scan->header.salt, scan->offset,
				       &head))
			return 0;
	}
	scan->offset = scan->size;
	return 0;
}

extern ledger_scan_rc_t ledger_scan_next(ledger_scan_t *scan,
					 ledger_record_t *ret_record,
					 fed_err_t *err)
{
	ledger_record_t *record = ret_record;
	uint64_t left = scan->size - scan->offset;
	const uint8_t *data;

	*record = (ledger_record_t) { .offset = scan->offset };
	if (!left)
		return LEDGER_END;
	if (left < LEDGER_HEAD_SIZE) {
		scan->offset = scan->size;
		return LEDGER_CUT;
	}
	data = _need(scan, scan->offset, LEDGER_HEAD_SIZE, err);
	if (!data)
		return LEDGER_UNREADABLE;
	if (!ledger_head_unpack(data, scan->header.salt, scan->offset,
				&record->head)) {
		if (_find_head(scan, err) < 0)
			return LEDGER_UNREADABLE;
		return LEDGER_BAD_HEAD;
	}
	if (record->head.len > left - LEDGER_HEAD_SIZE) {
		scan->offset = scan->size;
		return LEDGER_CUT;
	}
	data = _need(scan, scan->offset, LEDGER_HEAD_SIZE + record->head.len,
		     err);
	if (!data)
		return LEDGER_UNREADABLE;
	scan->offset += LEDGER_HEAD_SIZE + record->head.len;
	if (!ledger_body_valid(&record->head, data + LEDGER_HEAD_SIZE))
		return LEDGER_BAD_BODY;
	record->body = data + LEDGER_HEAD_SIZE;
	return LEDGER_RECORD;
}

typedef struct {
	const fed_ledger_visitor_t *visitor;
	void *arg;
	fed_ledger_report_t *report;
	bool bad;		/* something was not well */
	bool was_durable;	/* and it can't be a torn tail */
	bool in_commit;
	uint64_t records;	/* of the commit that is being read */
} _judge_t;

static void _problem(_judge_t *judge, uint64_t offset, const char *what)
{
	if (!judge->bad) {
		judge->bad = true;
		judge->report->bad_at = offset;
		snprintf(judge->report->bad_what,
			 sizeof(judge->report->bad_what), "%s", what);
	}
	if (judge->visitor && judge->visitor->problem)
		judge->visitor->problem(offset, what, judge->arg);
}

/* RET what is wrong with this record being just here, NULL if nothing is */
static const char *_misplaced(_judge_t *judge, const ledger_record_t *record)
{
	bool first = record->head.flags & LEDGER_FIRST;
	bool last = record->head.flags & LEDGER_LAST;
	fed_reader_t reader;

	if (first == judge->in_commit)
		return first ? "a commit begins before the last has ended" :
			       "a record outside of any commit";
	if (judge->report->base_end)
		return record->head.type == LEDGER_TYPE_BASE ?
			"a second end of a snapshot" : NULL;
	if (last != (record->head.type == LEDGER_TYPE_BASE))
		return "the snapshot does not end as it must";
	if (!last)
		return NULL;
	fed_reader_init(&reader, record->body, record->head.len);
	if ((fed_get_u64(&reader) != judge->records) ||
	    !fed_reader_done(&reader))
		return "the snapshot has not as many records as it says";
	return NULL;
}

static void _judge_record(_judge_t *judge, const ledger_record_t *record,
			  uint64_t end)
{
	fed_ledger_report_t *report = judge->report;
	const char *what;

	if (judge->bad) {
		/* beyond the bad place: a witness, not a part of the state */
		if (record->head.flags)
			judge->was_durable = true;
	} else if ((what = _misplaced(judge, record))) {
		_problem(judge, record->offset, what);
		judge->was_durable = true;
	} else {
		judge->in_commit = !(record->head.flags & LEDGER_LAST);
		judge->records++;
	}
	if (judge->visitor && judge->visitor->record)
		judge->visitor->record(record->offset, record->head.type,
				       record->body, record->head.len,
				       judge->arg);
	if (judge->bad || judge->in_commit)
		return;
	if (report->base_end) {
		report->log_records += judge->records;
		report->commits++;
	} else {
		report->base_records = judge->records - 1;
		report->base_end = end;
	}
	report->good_end = end;
	judge->records = 0;
}

extern int ledger_scan_judge(ledger_scan_t *scan,
			     const fed_ledger_visitor_t *visitor, void *arg,
			     fed_ledger_report_t *report, fed_err_t *err)
{
	_judge_t judge = { .visitor = visitor, .arg = arg, .report = report };
	ledger_record_t record;
	ledger_scan_rc_t rc;

	*report = (fed_ledger_report_t) {
		.generation = scan->header.generation,
		.created = scan->header.created,
		.size = scan->size,
		.good_end = LEDGER_HEADER_SIZE,
	};
	memcpy(report->app, scan->header.app, sizeof(report->app));
	while ((rc = ledger_scan_next(scan, &record, err)) != LEDGER_END) {
		switch (rc) {
		case LEDGER_RECORD:
			_judge_record(&judge, &record, scan->offset);
			break;
		case LEDGER_CUT:
			_problem(&judge, record.offset, "a record is cut off");
			break;
		case LEDGER_BAD_HEAD:
			_problem(&judge, record.offset,
				 "no record where one must be");
			break;
		case LEDGER_BAD_BODY:
			_problem(&judge, record.offset,
				 "the body of a record is damaged");
			break;
		case LEDGER_UNREADABLE:
		case LEDGER_END:
			return -1;
		}
	}
	if (judge.in_commit)
		_problem(&judge, scan->size, "the last commit has no end");
	if (!report->base_end)
		judge.was_durable = true;
	if (!report->base_end && !judge.bad)
		_problem(&judge, scan->size, "the snapshot is missing");
	report->damaged = judge.bad && judge.was_durable;
	report->torn = judge.bad && !judge.was_durable;
	return 0;
}
