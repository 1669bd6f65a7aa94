/*
 * ledger_out.c - the writing end of one ledger file (see ledger_out.h).
 *
 * Records are gathered in memory and get their flags and checksums only when
 * they are written, because both depend on where they go and on which is the
 * last. The file position is never used: every write says its place, so that
 * a failed one leaves nothing behind in our own state.
 *
 * A commit that fails must not leave whole records beyond the end: a shorter
 * one written over them later would make the rest look as if it had been
 * committed. So the file is cut back to its last good length at once, and if
 * that fails too, before anything else is written.
 */
#include "src/core/ledger_out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/core/ledger_format.h"

/* memory that a rare big commit needed is not kept for the common small ones */
#define KEEP_BYTES (4u << 20)

extern void ledger_out_fini(ledger_out_t *out)
{
	fed_bytes_free(&out->pending);
	free(out->path);
	out->path = NULL;
	if (out->fd >= 0)
		close(out->fd);
	out->fd = -1;
}

extern int ledger_out_put(ledger_out_t *out, uint16_t type, const void *body,
			  size_t len, fed_err_t *err)
{
	if (len > FED_LEDGER_BODY_MAX)
		return fed_err_set(err, EMSGSIZE,
				   "%s: a record of type %u has %zu bytes (at most %u)",
				   out->path, type, len, FED_LEDGER_BODY_MAX);
	ledger_record_put(&out->pending, type, body, len);
	out->pending_records++;
	return 0;
}

extern uint64_t ledger_out_place(const ledger_out_t *out)
{
	return out->end + out->pending.len;
}

/* RET 0, or -1 if these bytes cannot be read */
static int _read(const ledger_out_t *out, uint64_t place, void *data,
		 size_t len, fed_err_t *err)
{
	for (size_t done = 0; done < len;) {
		ssize_t got = pread(out->fd, (char *) data + done, len - done,
				    place + done);

		if ((got < 0) && (errno == EINTR))
			continue;
		if (got <= 0)
			return fed_err_set(err, got ? errno : EIO,
					   "%s: read at offset %" PRIu64 ": %s",
					   out->path, place,
					   got ? strerror(errno) :
					   "it was cut short");
		done += got;
	}
	return 0;
}

/* One that waits: it has no checksums yet. RET 0 or -1 */
static int _fetch_pending(const ledger_out_t *out, uint64_t place,
			  uint16_t *ret_type, fed_bytes_t *ret_body)
{
	ledger_head_t head;
	const uint8_t *at;

	if (place - out->end + LEDGER_HEAD_SIZE > out->pending.len)
		return -1;
	at = out->pending.data + (place - out->end);
	(void) ledger_head_unpack(at, out->salt, place, &head);
	if (place - out->end + LEDGER_HEAD_SIZE + head.len > out->pending.len)
		return -1;
	fed_put_raw(ret_body, at + LEDGER_HEAD_SIZE, head.len);
	*ret_type = head.type;
	return 0;
}

extern int ledger_out_fetch(const ledger_out_t *out, uint64_t place,
			    uint16_t *ret_type, fed_bytes_t *ret_body,
			    fed_err_t *err)
{
	uint8_t data[LEDGER_HEAD_SIZE];
	ledger_head_t head;

	fed_bytes_clear(ret_body);
	if (place >= out->end) {
		if (_fetch_pending(out, place, ret_type, ret_body) < 0)
			goto none;
		return 0;
	}
	if (_read(out, place, data, sizeof(data), err) < 0)
		return -1;
	if (!ledger_head_unpack(data, out->salt, place, &head))
		goto none;
	if (_read(out, place + LEDGER_HEAD_SIZE,
		  fed_bytes_add(ret_body, head.len), head.len, err) < 0)
		return -1;
	if (!ledger_body_valid(&head, ret_body->data))
		goto none;
	*ret_type = head.type;
	return 0;
none:
	return fed_err_set(err, EILSEQ, "%s: no whole record at offset %" PRIu64,
			   out->path, place);
}

extern void ledger_out_drop(ledger_out_t *out)
{
	if (out->pending.size > KEEP_BYTES)
		fed_bytes_free(&out->pending);
	fed_bytes_clear(&out->pending);
	out->pending_records = 0;
}

static int _failed(const ledger_out_t *out, const char *what, fed_err_t *err)
{
	int code = errno;

	return fed_err_set(err, code, "%s: %s at offset %" PRIu64 ": %s",
			   out->path, what, out->end, strerror(code));
}

/* Have nothing beyond the end. RET 0, or -1 with errno set */
static int _clean(ledger_out_t *out)
{
	if (out->unclean && (out->io->ftruncate(out->fd, out->end) < 0))
		return -1;
	out->unclean = false;
	return 0;
}

/* Write all that waits at the end, without moving it. RET 0, or -1 */
static int _write(ledger_out_t *out)
{
	size_t done = 0;

	while (done < out->pending.len) {
		ssize_t put = out->io->pwrite(out->fd, out->pending.data + done,
					      out->pending.len - done,
					      out->end + done);

		if ((put < 0) && (errno == EINTR))
			continue;
		if (!put)
			errno = EIO;
		if (put <= 0)
			return -1;
		done += put;
	}
	return 0;
}

static int _put_down(ledger_out_t *out, bool last, fed_err_t *err)
{
	int rc = 0;

	if (_clean(out) < 0)
		return _failed(out, "cut back", err);
	ledger_record_seal(&out->pending, out->salt, out->end, !out->in_commit,
			   last);
	out->unclean = true;
	if (_write(out) < 0)
		rc = _failed(out, "write", err);
	else if (last && (out->io->fdatasync(out->fd) < 0))
		rc = _failed(out, "sync", err);
	if (rc < 0) {
		/* said in err already, tried again before the next write */
		(void) _clean(out);
		return rc;
	}
	out->unclean = false;
	out->end += out->pending.len;
	out->in_commit = !last;
	ledger_out_drop(out);
	return 0;
}

extern int ledger_out_flush(ledger_out_t *out, fed_err_t *err)
{
	return out->pending_records ? _put_down(out, false, err) : 0;
}

extern int ledger_out_commit(ledger_out_t *out, fed_err_t *err)
{
	return out->pending_records ? _put_down(out, true, err) : 0;
}
