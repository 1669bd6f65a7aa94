/*
 * spool.c - what slurmdbd does not know yet, in order (see spool.h).
 *
 * Entries are numbered without gaps; those from done + 1 to last wait.
 */
#include "src/sibling/spool.h"

#include <errno.h>
#include <string.h>

#include "src/core/bytes.h"
#include "src/core/log.h"
#include "src/sibling/compat.h"
#include "src/sibling/record.h"

#define ROOM_MIN 64

struct spool {
	uint64_t done;
	uint64_t last;
	uint64_t *places;	/* of those that wait, from first on */
	uint64_t *moved;	/* the same in a snapshot, or NULL */
	size_t first;
	size_t room;
	fed_log_throttle_t complaint;
};

extern spool_t *spool_create(void)
{
	return xmalloc(sizeof(spool_t));
}

extern void spool_destroy(spool_t *spool)
{
	if (!spool)
		return;
	xfree(spool->places);
	xfree(spool->moved);
	xfree(spool);
}

extern uint64_t spool_last(const spool_t *spool)
{
	return spool->last;
}

extern uint64_t spool_waiting(const spool_t *spool)
{
	return spool->last - spool->done;
}

static void _push(spool_t *spool, uint64_t place)
{
	size_t count = spool_waiting(spool);

	if (spool->first + count == spool->room) {
		/* what is done with is in front: at least half is moved away */
		if (spool->first <= spool->room / 2) {
			spool->room = spool->room ? spool->room * 2 : ROOM_MIN;
			xrecalloc(spool->places, spool->room,
				  sizeof(*spool->places));
		}
		memmove(spool->places, spool->places + spool->first,
			count * sizeof(*spool->places));
		spool->first = 0;
	}
	spool->places[spool->first + count] = place;
	spool->last++;
}

static void _done(spool_t *spool, uint64_t number)
{
	if (number <= spool->done)
		return;
	if (number > spool->last)
		spool->last = number;
	spool->first += number - spool->done;
	spool->done = number;
	if (spool->done < spool->last)
		return;
	/* a long outage is over */
	xfree(spool->places);
	spool->first = spool->room = 0;
}

/* u64 number, i64 when it was added, then the entry */
static bool _open_row(fed_reader_t *reader, const void *body, size_t len,
		      uint64_t *ret_number, int64_t *ret_added)
{
	fed_reader_init(reader, body, len);
	*ret_number = fed_get_u64(reader);
	*ret_added = fed_get_i64(reader);
	return !reader->bad;
}

extern int spool_replay(spool_t *spool, uint64_t place, uint16_t type,
			const void *body, size_t len, fed_err_t *err)
{
	fed_reader_t reader;
	uint64_t number;
	int64_t added;

	if (type == RECORD_ROW) {
		if (!_open_row(&reader, body, len, &number, &added) ||
		    !number || (spool->last && (number != spool->last + 1)))
			return fed_err_set(err, EPROTO,
					   "a row for slurmdbd is cut short or missing");
		/* the first of a snapshot */
		if (!spool->last)
			spool->done = spool->last = number - 1;
		_push(spool, place);
		return 0;
	}
	fed_reader_init(&reader, body, len);
	number = fed_get_u64(&reader);
	if (!fed_reader_done(&reader))
		return fed_err_set(err, EPROTO,
				   "record of rows that are done makes no sense");
	_done(spool, number);
	return 0;
}

static int _fetch(const spool_t *spool, const fed_ledger_t *ledger, size_t i,
		  fed_bytes_t *body, fed_err_t *err)
{
	uint16_t type;

	if (fed_ledger_fetch(ledger, spool->places[spool->first + i], &type,
			     body, err))
		return -1;
	return (type == RECORD_ROW) ? 0 :
	       fed_err_set(err, EPROTO,
			   "there is a record of type %u where a row for slurmdbd should be",
			   type);
}

extern int spool_snapshot(spool_t *spool, fed_ledger_t *ledger,
			  fed_err_t *err)
{
	size_t count = spool_waiting(spool);
	fed_bytes_t body = { 0 };
	int rc = 0;

	xfree(spool->moved);
	spool->moved = xcalloc(count + 1, sizeof(*spool->moved));
	for (size_t i = 0; (i < count) && !rc; i++) {
		if ((rc = _fetch(spool, ledger, i, &body, err)))
			break;
		spool->moved[i] = fed_ledger_next_place(ledger);
		rc = fed_ledger_append(ledger, RECORD_ROW, body.data, body.len,
				       err);
	}
	fed_bytes_free(&body);
	return rc;
}

extern void spool_moved(spool_t *spool)
{
	xfree(spool->places);
	spool->places = spool->moved;
	spool->moved = NULL;
	spool->first = 0;
	spool->room = spool_waiting(spool);
}

extern int spool_add(spool_t *spool, fed_ledger_t *ledger, int64_t now,
		     const void *body, size_t len, fed_err_t *err)
{
	uint64_t place = fed_ledger_next_place(ledger);
	fed_bytes_t bytes = { 0 };
	int rc;

	fed_put_u64(&bytes, spool->last + 1);
	fed_put_i64(&bytes, now);
	fed_put_raw(&bytes, body, len);
	rc = fed_ledger_append(ledger, RECORD_ROW, bytes.data, bytes.len, err);
	fed_bytes_free(&bytes);
	if (!rc)
		_push(spool, place);
	return rc;
}

extern int spool_walk(spool_t *spool, const fed_ledger_t *ledger,
		      bool (*visit)(void *arg, uint64_t number,
				    const void *body, size_t len),
		      void *arg, fed_err_t *err)
{
	size_t count = spool_waiting(spool);
	fed_bytes_t body = { 0 };
	bool go_on = true;
	int rc = 0;

	for (size_t i = 0; (i < count) && go_on; i++) {
		fed_reader_t reader;
		uint64_t number;
		int64_t added;

		if ((rc = _fetch(spool, ledger, i, &body, err)))
			break;
		(void) _open_row(&reader, body.data, body.len, &number,
				 &added);
		go_on = visit(arg, spool->done + 1 + i, reader.at,
			      reader.end - reader.at);
	}
	fed_bytes_free(&body);
	return rc;
}

extern void spool_done(spool_t *spool, fed_ledger_t *ledger, uint64_t number)
{
	fed_bytes_t bytes = { 0 };
	fed_err_t err;

	if (number <= spool->done)
		return;
	_done(spool, number);
	fed_put_u64(&bytes, number);
	/* if that is lost, they are said once more, which changes nothing */
	if (fed_ledger_append(ledger, RECORD_ROW_DONE, bytes.data, bytes.len,
			      &err))
		fed_log_throttled(&spool->complaint, FED_LOG_ERROR, "%s",
				  err.text);
	fed_bytes_free(&bytes);
}

extern int64_t spool_oldest(const spool_t *spool, const fed_ledger_t *ledger)
{
	fed_bytes_t body = { 0 };
	fed_reader_t reader;
	uint64_t number;
	int64_t added = 0;

	if (spool_waiting(spool) && !_fetch(spool, ledger, 0, &body, NULL))
		(void) _open_row(&reader, body.data, body.len, &number,
				 &added);
	fed_bytes_free(&body);
	return added;
}
