/*
 * ledger_scan.h - read a ledger file from end to end and judge it.
 */
#ifndef FED_CORE_LEDGER_SCAN_H
#define FED_CORE_LEDGER_SCAN_H

#include <stdint.h>

#include "src/core/err.h"
#include "src/core/ledger.h"
#include "src/core/ledger_format.h"

typedef struct {
	const char *path;
	int fd;			/* not owned */
	uint64_t size;		/* of the file, when the scan began */
	uint64_t offset;	/* of what comes next */
	ledger_header_t header;
	uint8_t *window;	/* bytes of the file */
	uint64_t window_at;	/* where they begin */
	size_t window_len;
	size_t window_size;
} ledger_scan_t;

typedef enum {
	LEDGER_RECORD,		/* a whole one */
	LEDGER_END,		/* the file ends where a record ends */
	LEDGER_CUT,		/* the file ends within a record */
	LEDGER_BAD_HEAD,	/* no record begins here */
	LEDGER_BAD_BODY,	/* the body is not what its head says */
	LEDGER_UNREADABLE,	/* the system could not read it */
} ledger_scan_rc_t;

typedef struct {
	uint64_t offset;
	ledger_head_t head;
	const uint8_t *body;	/* valid until the next call */
} ledger_record_t;

/*
 * Read the header and stand before the first record.
 * IN path - for messages, must stay
 * RET 0, or -1; ledger_scan_fini() is due in both cases
 */
extern int ledger_scan_init(ledger_scan_t *scan, int fd, const char *path,
			    fed_err_t *err);
extern void ledger_scan_fini(ledger_scan_t *scan);

/*
 * Read what comes next. After LEDGER_BAD_HEAD the scan stands at the next
 * place that has a record's head, or at the end.
 * OUT ret_record - offset is always set, body only with LEDGER_RECORD
 * OUT err - only with LEDGER_UNREADABLE
 */
extern ledger_scan_rc_t ledger_scan_next(ledger_scan_t *scan,
					 ledger_record_t *ret_record,
					 fed_err_t *err);

/*
 * Read all and tell torn tail from damage.
 * IN visitor - may be NULL
 * OUT report - all but path
 * RET 0, or -1 if it could not be read
 */
extern int ledger_scan_judge(ledger_scan_t *scan,
			     const fed_ledger_visitor_t *visitor, void *arg,
			     fed_ledger_report_t *report, fed_err_t *err);

#endif
