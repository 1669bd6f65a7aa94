/*
 * ledger_fuzz.c - the reader of ledger files. Whatever is in a file, it is
 * judged without a fault, and what is called good is read the same again.
 *
 * The first byte chooses: the file as it is; behind a header that is right; or
 * records that are right but come in any order, with a byte changed.
 */
#include "fed_config.h"

#include "testsuite/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/core/ledger_format.h"
#include "src/core/ledger_scan.h"

#define SALT 0x5a17

static int fd = -1;

typedef struct {
	uint64_t records;
	uint64_t offset;	/* of the last */
	uint8_t sum;
} _seen_t;

static void _see(uint64_t offset, uint16_t type, const void *body, size_t len,
		 void *arg)
{
	_seen_t *seen = arg;
	const uint8_t *at = body;

	/* each byte can be read (ASan), and they come in order */
	for (size_t i = 0; i < len; i++)
		seen->sum += at[i];
	MUST(offset > seen->offset);
	seen->offset = offset;
	seen->records++;
}

static void _judge(const fed_bytes_t *file)
{
	const fed_ledger_visitor_t visitor = { .record = _see };
	fed_ledger_report_t report;
	ledger_record_t record;
	ledger_scan_t scan;
	_seen_t seen = { 0 };
	fed_err_t err = { 0 };
	uint64_t good = 0;

	MUST(!ftruncate(fd, 0));
	MUST(pwrite(fd, file->data, file->len, 0) == (ssize_t) file->len);
	if ((ledger_scan_init(&scan, fd, "fuzz", &err) < 0) ||
	    (ledger_scan_judge(&scan, &visitor, &seen, &report, &err) < 0)) {
		MUST(err.text[0]);
		ledger_scan_fini(&scan);
		return;
	}
	MUST(!(report.torn && report.damaged));
	MUST(report.good_end <= report.size);
	MUST(report.torn || report.damaged ||
	     (report.good_end == report.size));
	/* what open would tell its owner */
	if (!report.damaged) {
		scan.offset = LEDGER_HEADER_SIZE;
		while (scan.offset < report.good_end) {
			MUST(ledger_scan_next(&scan, &record, &err) ==
			     LEDGER_RECORD);
			good++;
		}
		MUST(scan.offset == report.good_end);
		MUST(good == report.base_records + 1 + report.log_records);
		MUST(good <= seen.records);
	}
	ledger_scan_fini(&scan);
}

static void _put_header(fed_bytes_t *file)
{
	const ledger_header_t header = {
		.salt = SALT, .generation = 1, .app = "fuzz",
	};

	ledger_header_pack(&header, fed_bytes_add(file, LEDGER_HEADER_SIZE));
}

/* commits of records that are well, from bytes that say how many and how big */
static void _put_records(fed_bytes_t *file, const uint8_t *data, size_t len)
{
	fed_bytes_t commit = { 0 };
	uint64_t records = 0;
	bool first = true, base = true;

	while (len >= 2) {
		size_t body = data[0] % 64;
		uint8_t how = data[1];

		data += 2;
		len -= 2;
		body = body < len ? body : len;
		ledger_record_put(&commit, 1 + how % 8, data, body);
		records++;
		data += body;
		len -= body;
		if (!(how & 0x40))
			continue;
		if (base) {
			uint8_t count[8] = { [7] = records };

			ledger_record_put(&commit, LEDGER_TYPE_BASE, count, 8);
			base = records > 255;
		}
		ledger_record_seal(&commit, SALT, file->len,
				   first || !(how & 0x20), !(how & 0x10));
		first = !(how & 0x10);
		fed_put_raw(file, commit.data, commit.len);
		fed_bytes_clear(&commit);
	}
	fed_bytes_free(&commit);
}

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fed_bytes_t file = { 0 };

	if (fd < 0)
		fd = memfd_create("ledger", MFD_CLOEXEC);
	MUST(fd >= 0);
	if (len < 4)
		return 0;
	switch (data[0] % 3) {
	case 0:
		fed_put_raw(&file, data + 1, len - 1);
		break;
	case 1:
		_put_header(&file);
		fed_put_raw(&file, data + 1, len - 1);
		break;
	default:
		_put_header(&file);
		_put_records(&file, data + 4, len - 4);
		if (data[1] & 1)
			file.data[(data[2] << 8 | data[3]) % file.len] ^=
				data[1];
		break;
	}
	_judge(&file);
	fed_bytes_free(&file);
	return 0;
}
