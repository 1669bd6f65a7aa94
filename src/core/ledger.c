/*
 * ledger.c - what must survive a crash (see ledger.h).
 *
 * Invariants:
 * - Commit returns 0 only when all that was appended is on disk, and after a
 *   crash a commit is there as a whole or not at all.
 * - A generation has its name only when its snapshot is whole and on disk, and
 *   the one before goes only after that name is on disk too. Whatever point a
 *   crash hits, the highest generation tells all that was committed.
 * - The replay callback is not called before the file has been read to its end
 *   and found well: an owner never sees half of a ledger that is then refused.
 * - Open changes nothing in a ledger that it refuses.
 */
#include "src/core/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/core/ledger_dir.h"
#include "src/core/ledger_format.h"
#include "src/core/ledger_out.h"
#include "src/core/ledger_scan.h"
#include "src/core/log.h"
#include "src/core/mem.h"

/* a log below this is replayed faster than it is worth replacing */
#define LOG_MIN_BYTES (4u << 20)
#define SNAPSHOT_FLUSH_BYTES (1u << 20)

struct fed_ledger {
	char *dir;
	char app[FED_LEDGER_APP_MAX + 1];
	fed_ledger_io_t io;
	int lock_fd;
	uint64_t generation;
	uint64_t base_end;
	uint64_t snapshot_at;	/* size of the log that makes one worth it */
	ledger_out_t out;
	ledger_out_t *snapshot;	/* while the owner writes one, else NULL */
	bool name_unsure;	/* the newest generation's name may not be on
				 * disk yet */
	fed_ledger_state_t state;
	uint64_t records;
	uint64_t commits;
};

typedef struct {
	fed_ledger_replay_t call;
	void *arg;
} _replay_t;

static const fed_ledger_io_t real_io = {
	.pwrite = pwrite,
	.fdatasync = fdatasync,
	.fsync = fsync,
	.ftruncate = ftruncate,
	.rename = rename,
	.unlink = unlink,
};

static uint32_t _new_salt(void)
{
	uint32_t salt;

	if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) != sizeof(salt)) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		salt = now.tv_nsec ^ (uint32_t) now.tv_sec ^
		       (uint32_t) getpid() << 16;
	}
	return salt;
}

/*
 * Make the file of a new generation under its temporary name.
 * RET 0, or -1; out needs ledger_out_fini() in both cases
 */
static int _begin_generation(fed_ledger_t *ledger, uint64_t generation,
			     ledger_out_t *out, fed_err_t *err)
{
	ledger_header_t header = {
		.salt = _new_salt(),
		.generation = generation,
		.created = time(NULL),
	};
	uint8_t data[LEDGER_HEADER_SIZE];

	*out = (ledger_out_t) {
		.io = &ledger->io,
		.path = ledger_dir_path(ledger->dir, generation, true),
		.salt = header.salt,
		.end = LEDGER_HEADER_SIZE,
	};
	memcpy(header.app, ledger->app, sizeof(header.app));
	ledger_header_pack(&header, data);
	out->fd = open(out->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC |
				  O_NOFOLLOW, 0600);
	if (out->fd < 0)
		return fed_err_set(err, errno, "%s: create: %s", out->path,
				   strerror(errno));
	errno = ENOSPC;
	if (ledger->io.pwrite(out->fd, data, sizeof(data), 0) != sizeof(data))
		return fed_err_set(err, errno, "%s: write: %s", out->path,
				   strerror(errno));
	return 0;
}

/* Have the newest generation's name on disk, then let go of the others. */
static int _settle_name(fed_ledger_t *ledger, fed_err_t *err)
{
	if (!ledger->name_unsure)
		return 0;
	if (ledger_dir_sync(ledger->dir, &ledger->io, err) < 0)
		return -1;
	ledger->name_unsure = false;
	ledger_dir_sweep(ledger->dir, ledger->generation, &ledger->io);
	return 0;
}

static void _set_base(fed_ledger_t *ledger, uint64_t base_end)
{
	ledger->base_end = base_end;
	ledger->snapshot_at = 2 * base_end;
	if (ledger->snapshot_at < LOG_MIN_BYTES)
		ledger->snapshot_at = LOG_MIN_BYTES;
}

/*
 * End the snapshot in out, give it its name and go on with it.
 * RET 0 when out is the ledger's own now, or -1 when nothing has changed
 */
static int _finish_generation(fed_ledger_t *ledger, uint64_t generation,
			      uint64_t records, ledger_out_t *out,
			      fed_err_t *err)
{
	fed_bytes_t body = { 0 };
	char *path;
	int rc;

	fed_put_u64(&body, records);
	rc = ledger_out_put(out, LEDGER_TYPE_BASE, body.data, body.len, err);
	fed_bytes_free(&body);
	if ((rc < 0) || (ledger_out_commit(out, err) < 0))
		return -1;
	path = ledger_dir_path(ledger->dir, generation, false);
	if (ledger->io.rename(out->path, path) < 0) {
		rc = fed_err_set(err, errno, "%s: rename: %s", out->path,
				 strerror(errno));
		free(path);
		return rc;
	}
	free(out->path);
	out->path = path;
	ledger_out_fini(&ledger->out);
	ledger->out = *out;
	ledger->generation = generation;
	_set_base(ledger, out->end);
	ledger->name_unsure = true;
	return 0;
}

static int _create(fed_ledger_t *ledger, fed_err_t *err)
{
	ledger_out_t out;

	if ((_begin_generation(ledger, 1, &out, err) < 0) ||
	    (_finish_generation(ledger, 1, 0, &out, err) < 0)) {
		ledger->io.unlink(out.path);
		ledger_out_fini(&out);
		return -1;
	}
	return _settle_name(ledger, err);
}

/* Tell the owner all that was committed up to good_end. RET 0, or -1 */
static int _replay(fed_ledger_t *ledger, ledger_scan_t *scan,
		   uint64_t good_end, const _replay_t *replay, fed_err_t *err)
{
	scan->offset = LEDGER_HEADER_SIZE;
	while (scan->offset < good_end) {
		ledger_record_t record;
		ledger_scan_rc_t rc = ledger_scan_next(scan, &record, err);

		if (rc == LEDGER_UNREADABLE)
			return -1;
		if (rc != LEDGER_RECORD)
			return fed_err_set(err, EIO,
					   "%s: offset %" PRIu64 " read differently the second time",
					   scan->path, record.offset);
		if (record.head.type == LEDGER_TYPE_BASE)
			continue;
		ledger->records++;
		if (replay->call(record.offset, record.head.type, record.body,
				 record.head.len, replay->arg, err) < 0)
			return fed_err_prefix(err,
					      "%s: offset %" PRIu64 ": record of type %u",
					      scan->path, record.offset,
					      record.head.type);
	}
	return 0;
}

static int _judge(fed_ledger_t *ledger, ledger_scan_t *scan,
		  fed_ledger_report_t *report, fed_err_t *err)
{
	if (strcmp(scan->header.app, ledger->app))
		return fed_err_set(err, EINVAL,
				   "%s is a ledger of %s, not of %s",
				   scan->path, scan->header.app, ledger->app);
	if (ledger_scan_judge(scan, NULL, NULL, report, err) < 0)
		return -1;
	if (report->damaged)
		return fed_err_set(err, EILSEQ,
				   "%s is damaged at offset %" PRIu64 " of %" PRIu64 ": %s; \"flurmfed ledger verify %s\" tells what can be read",
				   scan->path, report->bad_at, report->size,
				   report->bad_what, scan->path);
	return 0;
}

/* Read the generation in ledger->out, which is open. RET 0, or -1 */
static int _load(fed_ledger_t *ledger, const _replay_t *replay, fed_err_t *err)
{
	ledger_out_t *out = &ledger->out;
	fed_ledger_report_t report;
	ledger_scan_t scan;
	int rc = -1;

	if ((ledger_scan_init(&scan, out->fd, out->path, err) < 0) ||
	    (_judge(ledger, &scan, &report, err) < 0) ||
	    (_replay(ledger, &scan, report.good_end, replay, err) < 0))
		goto fini;
	out->salt = scan.header.salt;
	out->end = report.good_end;
	_set_base(ledger, report.base_end);
	if (report.torn) {
		fed_info("ledger %s: dropped %" PRIu64 " bytes at offset %" PRIu64 " that a crash had left of a commit",
			 out->path, report.size - report.good_end,
			 report.good_end);
		/* done before the next commit if it does not work now */
		out->unclean = ledger->io.ftruncate(out->fd, out->end) < 0;
	}
	rc = 0;
fini:
	ledger_scan_fini(&scan);
	return rc;
}

static int _open(fed_ledger_t *ledger, const _replay_t *replay, fed_err_t *err)
{
	int64_t newest;

	if ((mkdir(ledger->dir, 0700) < 0) && (errno != EEXIST))
		return fed_err_set(err, errno, "ledger %s: create: %s",
				   ledger->dir, strerror(errno));
	ledger->lock_fd = ledger_dir_lock(ledger->dir, ledger->app, err);
	if (ledger->lock_fd < 0)
		return -1;
	newest = ledger_dir_newest(ledger->dir, err);
	if (newest < 0)
		return -1;
	if (!newest)
		return _create(ledger, err);
	ledger->generation = newest;
	ledger->out.path = ledger_dir_path(ledger->dir, newest, false);
	ledger->out.fd = open(ledger->out.path,
			      O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (ledger->out.fd < 0)
		return fed_err_set(err, errno, "%s: open: %s",
				   ledger->out.path, strerror(errno));
	if (_load(ledger, replay, err) < 0)
		return -1;
	/* a crash between rename and sync: the name may be only in memory */
	ledger->name_unsure = true;
	return _settle_name(ledger, err);
}

extern fed_ledger_t *fed_ledger_open(const char *dir,
				     const fed_ledger_opts_t *opts,
				     fed_ledger_replay_t replay, void *arg,
				     fed_err_t *err)
{
	fed_ledger_t *ledger = fed_calloc(1, sizeof(*ledger));
	_replay_t call = { .call = replay, .arg = arg };

	ledger->dir = fed_strdup(dir);
	ledger->io = opts->io ? *opts->io : real_io;
	ledger->lock_fd = -1;
	ledger->out = (ledger_out_t) { .io = &ledger->io, .fd = -1 };
	snprintf(ledger->app, sizeof(ledger->app), "%s", opts->app);
	if (_open(ledger, &call, err) < 0) {
		fed_ledger_close(ledger);
		return NULL;
	}
	return ledger;
}

extern void fed_ledger_close(fed_ledger_t *ledger)
{
	if (!ledger)
		return;
	ledger_out_fini(&ledger->out);
	ledger_dir_unlock(ledger->lock_fd);
	free(ledger->dir);
	free(ledger);
}

extern int fed_ledger_append(fed_ledger_t *ledger, uint16_t type,
			     const void *body, size_t len, fed_err_t *err)
{
	ledger_out_t *out = ledger->snapshot ? ledger->snapshot : &ledger->out;

	if (type == LEDGER_TYPE_BASE)
		return fed_err_set(err, EINVAL,
				   "%s: records of type 0 are the ledger's own",
				   out->path);
	if (ledger_out_put(out, type, body, len, err) < 0)
		return -1;
	if (!ledger->snapshot)
		return 0;
	ledger->records++;
	if (out->pending.len < SNAPSHOT_FLUSH_BYTES)
		return 0;
	return ledger_out_flush(out, err);
}

extern uint64_t fed_ledger_next_place(const fed_ledger_t *ledger)
{
	return ledger_out_place(ledger->snapshot ? ledger->snapshot :
						   &ledger->out);
}

extern int fed_ledger_fetch(const fed_ledger_t *ledger, uint64_t place,
			    uint16_t *ret_type, fed_bytes_t *ret_body,
			    fed_err_t *err)
{
	return ledger_out_fetch(&ledger->out, place, ret_type, ret_body, err);
}

static fed_ledger_state_t _state_of(int code)
{
	return (code == ENOSPC) || (code == EDQUOT) || (code == EFBIG) ?
		FED_LEDGER_FULL : FED_LEDGER_FAILED;
}

extern int fed_ledger_commit(fed_ledger_t *ledger, fed_err_t *err)
{
	uint64_t records = ledger->out.pending_records;
	fed_err_t why;

	if (!records)
		return 0;
	if ((_settle_name(ledger, &why) < 0) ||
	    (ledger_out_commit(&ledger->out, &why) < 0)) {
		ledger->state = _state_of(why.code);
		return fed_err_set(err, why.code, "%s", why.text);
	}
	ledger->state = FED_LEDGER_OK;
	ledger->records += records;
	ledger->commits++;
	return 0;
}

extern void fed_ledger_rollback(fed_ledger_t *ledger)
{
	ledger_out_drop(&ledger->out);
}

extern bool fed_ledger_wants_snapshot(const fed_ledger_t *ledger)
{
	return ledger->out.end - ledger->base_end > ledger->snapshot_at;
}

extern int fed_ledger_snapshot(fed_ledger_t *ledger,
			       int (*write)(fed_ledger_t *ledger, void *arg,
					    fed_err_t *err),
			       void *arg, fed_err_t *err)
{
	uint64_t generation = ledger->generation + 1, records = ledger->records;
	ledger_out_t out;
	int rc;

	if (fed_ledger_commit(ledger, err) < 0)
		return -1;
	rc = _begin_generation(ledger, generation, &out, err);
	if (!rc) {
		records = ledger->records;
		ledger->snapshot = &out;
		rc = write(ledger, arg, err);
		ledger->snapshot = NULL;
	}
	if (!rc)
		rc = _finish_generation(ledger, generation,
					ledger->records - records, &out, err);
	ledger->records = records;
	if (rc < 0) {
		ledger->io.unlink(out.path);
		ledger_out_fini(&out);
		/* not again with the next commit, but when it is worse */
		ledger->snapshot_at = ledger->out.end - ledger->base_end +
				      LOG_MIN_BYTES;
		return fed_err_prefix(err, "snapshot");
	}
	/* on failure the old generation stays beside, until a later commit */
	(void) _settle_name(ledger, NULL);
	return 0;
}

extern void fed_ledger_stats(const fed_ledger_t *ledger,
			     fed_ledger_stats_t *stats)
{
	*stats = (fed_ledger_stats_t) {
		.state = ledger->state,
		.generation = ledger->generation,
		.base_bytes = ledger->base_end,
		.log_bytes = ledger->out.end - ledger->base_end,
		.pending = ledger->out.pending_records,
		.records = ledger->records,
		.commits = ledger->commits,
	};
}
