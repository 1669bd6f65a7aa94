/*
 * ledger.h - what must survive a crash, in the order in which it happened.
 *
 * A ledger is a directory that one process at a time has open. Its owner
 * appends records and commits them in groups: a commit is one write and one
 * sync, and is there as a whole or not at all after a crash. At open, all that
 * was committed is replayed to the owner. When the log has outgrown the state
 * it tells, the owner writes its whole state into a new generation (a
 * snapshot) and the old file goes.
 *
 * What a record means is the owner's business: a type of its own (1 to 65535)
 * and a body, usually written with bytes.h and beginning with a version. The
 * files are described in ledger_format.h. Not for more than one thread.
 */
#ifndef FED_CORE_LEDGER_H
#define FED_CORE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/core/bytes.h"
#include "src/core/err.h"

#define FED_LEDGER_APP_MAX 15			/* bytes of an owner's tag */
#define FED_LEDGER_BODY_MAX (64u << 20)		/* bytes of a record */

typedef struct fed_ledger fed_ledger_t;

/* The system calls that may fail with consequences: tests put their own. */
typedef struct {
	ssize_t (*pwrite)(int fd, const void *data, size_t len, off_t offset);
	int (*fdatasync)(int fd);
	int (*fsync)(int fd);
	int (*ftruncate)(int fd, off_t len);
	int (*rename)(const char *from, const char *to);
	int (*unlink)(const char *path);
} fed_ledger_io_t;

typedef struct {
	const char *app;		/* whose ledger: another's is refused */
	const fed_ledger_io_t *io;	/* NULL for the real ones */
} fed_ledger_opts_t;

/*
 * A committed record, in order.
 * IN place - where it is, for fed_ledger_fetch()
 * RET 0, or -1 with err filled if the record makes no sense: open then fails
 */
typedef int (*fed_ledger_replay_t)(uint64_t place, uint16_t type,
				   const void *body, size_t len, void *arg,
				   fed_err_t *err);

/*
 * Open a ledger, or begin one: dir is made (mode 0700) if only it is missing.
 * A record that a crash cut off is dropped with a line in the log. Damage in
 * what was committed, a newer format, another owner's ledger and one that is
 * in use are errors, found before anything is replayed or changed.
 * IN replay - called for each record before this returns
 * RET the ledger, close with fed_ledger_close(), or NULL
 */
extern fed_ledger_t *fed_ledger_open(const char *dir,
				     const fed_ledger_opts_t *opts,
				     fed_ledger_replay_t replay, void *arg,
				     fed_err_t *err);

/* Let go of the ledger. What was not committed is dropped. NULL is fine. */
extern void fed_ledger_close(fed_ledger_t *ledger);

/*
 * Put a record behind the others that wait for the next commit (or into the
 * snapshot, from its callback). Touches no file but in a snapshot.
 * IN type - not 0
 * RET 0, or -1 if it is too large or (snapshot) can't be written
 */
extern int fed_ledger_append(fed_ledger_t *ledger, uint16_t type,
			     const void *body, size_t len, fed_err_t *err);

/*
 * RET the place of the next record that is appended. It is not 0, and good
 * until the next snapshot, in which the owner learns the new ones.
 */
extern uint64_t fed_ledger_next_place(const fed_ledger_t *ledger);

/*
 * Read a record again, be it committed or waiting, so that not all of a state
 * has to be in memory. From a snapshot's callback: as of before the snapshot.
 * OUT ret_body - what it had is overwritten
 * RET 0, or -1 if it cannot be read or there is no record
 */
extern int fed_ledger_fetch(const fed_ledger_t *ledger, uint64_t place,
			    uint16_t *ret_type, fed_bytes_t *ret_body,
			    fed_err_t *err);

/*
 * Make all that was appended durable. On failure none of it is in the file
 * and all of it waits still: commit again, or drop it with rollback.
 * RET 0, or -1
 */
extern int fed_ledger_commit(fed_ledger_t *ledger, fed_err_t *err);

/* Drop what was appended since the last commit. */
extern void fed_ledger_rollback(fed_ledger_t *ledger);

/* RET true if the log is worth replacing by a snapshot */
extern bool fed_ledger_wants_snapshot(const fed_ledger_t *ledger);

/*
 * Commit, then begin a new generation with the owner's whole state. When it
 * fails the ledger goes on with the old generation as if nothing had been
 * tried.
 * IN write - calls fed_ledger_append() for its state; RET 0, or -1 to give up
 * RET 0, or -1
 */
extern int fed_ledger_snapshot(fed_ledger_t *ledger,
			       int (*write)(fed_ledger_t *ledger, void *arg,
					    fed_err_t *err),
			       void *arg, fed_err_t *err);

typedef enum {
	FED_LEDGER_OK,
	FED_LEDGER_FULL,	/* the last commit found no room */
	FED_LEDGER_FAILED,	/* the last commit failed otherwise */
} fed_ledger_state_t;

typedef struct {
	fed_ledger_state_t state;
	uint64_t generation;
	uint64_t base_bytes;	/* of the snapshot, header included */
	uint64_t log_bytes;	/* committed since */
	uint64_t pending;	/* records that wait for a commit */
	uint64_t records;	/* committed or replayed since open */
	uint64_t commits;	/* since open */
} fed_ledger_stats_t;

extern void fed_ledger_stats(const fed_ledger_t *ledger,
			     fed_ledger_stats_t *stats);

/*
 * Reading without opening: for inspection. Needs no lock and changes nothing,
 * so a ledger in use may seem to have a torn tail.
 */
typedef struct {
	char path[4096];
	char app[FED_LEDGER_APP_MAX + 1];
	uint64_t generation;
	int64_t created;	/* of this generation, unix time */
	uint64_t size;		/* of the file */
	uint64_t base_records;	/* in the snapshot */
	uint64_t base_end;	/* offset, 0 if the snapshot has no end */
	uint64_t log_records;	/* committed after it */
	uint64_t commits;
	uint64_t good_end;	/* offset up to which all is well */
	bool torn;		/* what follows good_end was never committed */
	bool damaged;		/* what follows good_end was: open refuses it */
	uint64_t bad_at;	/* offset of the first that is not well */
	char bad_what[128];
} fed_ledger_report_t;

typedef struct {
	/* each whole record, also beyond damage; NULL if not wanted */
	void (*record)(uint64_t offset, uint16_t type, const void *body,
		       size_t len, void *arg);
	/* what is wrong, in order with the records; NULL if not wanted */
	void (*problem)(uint64_t offset, const char *what, void *arg);
} fed_ledger_visitor_t;

/*
 * Read a ledger's newest generation, or one file of it, from end to end.
 * IN path - the directory or the file
 * IN visitor - may be NULL
 * OUT ret_report - valid if 0 is returned
 * RET 0 if it could be read (which does not say that it is well), or -1
 */
extern int fed_ledger_read(const char *path,
			   const fed_ledger_visitor_t *visitor, void *arg,
			   fed_ledger_report_t *ret_report, fed_err_t *err);

#endif
