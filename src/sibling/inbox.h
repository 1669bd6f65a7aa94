/*
 * inbox.h - what other threads have for the engine.
 */
#ifndef FED_SIBLING_INBOX_H
#define FED_SIBLING_INBOX_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/sibling/accounting.h"
#include "src/sibling/federation.h"
#include "src/sibling/jobs.h"
#include "src/sibling/persist.h"

typedef enum {
	NOTE_FEDERATION,	/* fed */
	NOTE_LINK_UP,		/* peer, session, version */
	NOTE_LINK_DOWN,		/* peer, session */
	NOTE_CAME,		/* peer */
	NOTE_ANSWERED,		/* peer, token, rc */
	NOTE_ITEMS,		/* peer, items, count; waited for: rcs */
	NOTE_LOCK,		/* token: job id, unlock; waited for: rc */
	NOTE_STATUS,		/* waited for: status */
	NOTE_ASSOC,		/* slurmdbd said who may do what */
	NOTE_VIEW,		/* waited for: the engine has a new view */
	NOTE_SCRIPT,		/* token: job id; waited for: text */
	NOTE_CANCEL,		/* token: job id, kill; waited for: rc */
	NOTE_SUSPEND,		/* token: job id, suspend; waited for: rc */
	NOTE_NOTIFY,		/* token: job id, text; waited for: rc */
	NOTE_ASK,		/* ask; waited for */
	NOTE_TOP,		/* top; waited for: rc */
	NOTE_ROWS,		/* rows: what slurmdbd said to them */
	NOTE_USAGE,		/* of, token: whose, raw: usage is that now */
} note_kind_t;

typedef struct note {
	struct note *next;
	note_kind_t kind;
	char *peer;		/* owned */
	federation_t *fed;	/* a reference */
	uint32_t session;
	uint16_t version;
	uint64_t token;
	uint32_t rc;
	bool unlock;
	bool suspend;
	uint16_t signal;	/* of a cancel, with its flags and who wants it */
	uint16_t flags;
	uint32_t uid;
	persist_in_t *items;	/* the waiter's array; data are the note's */
	int count;
	uint32_t *rcs;		/* the waiter's array */
	json_t *status;		/* out */
	char *text;		/* of a script out; owned by the note */
	jobs_ask_t *ask;	/* the waiter's */
	jobs_top_t *top;	/* the waiter's */
	usage_of_t of;
	double raw;
	rows_result_t *rows;	/* owned */
	bool waited;		/* a thread waits in inbox_ask() */
	bool done;		/* under the inbox's lock */
	bool failed;		/* the engine ended first */
} note_t;

typedef struct {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	note_t *head, **tail;
	bool closed;
	void (*wakeup)(void *arg);
	void *arg;
} inbox_t;

/* IN wakeup - called, by any thread, after something was put in */
extern void inbox_init(inbox_t *inbox, void (*wakeup)(void *arg), void *arg);

/* RET a zeroed note. IN peer - copied, or NULL */
extern note_t *note_new(note_kind_t kind, const char *peer);
extern void note_free(note_t *note);

/* Put a note in. It is freed at once if the inbox is closed. */
extern void inbox_put(inbox_t *inbox, note_t *note);

/*
 * Put a note in and wait for its answer; the caller frees the note.
 * RET false if the inbox was closed first
 */
extern bool inbox_ask(inbox_t *inbox, note_t *note);

/* RET all that waits, in order */
extern note_t *inbox_take(inbox_t *inbox);

/* The engine is done with a note: wake its waiter, or free it. */
extern void inbox_done(inbox_t *inbox, note_t *note);

/* Fail all that waits and all that comes. */
extern void inbox_close(inbox_t *inbox);
extern void inbox_fini(inbox_t *inbox);

#endif
