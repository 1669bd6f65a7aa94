/*
 * fake_dbd.h - a slurmdbd with one federation, that knows as much as a
 * controller asks of it.
 */
#ifndef FED_UNIT_FAKE_DBD_H
#define FED_UNIT_FAKE_DBD_H

#include "testsuite/unit/fake_peer.h"

typedef struct fake_dbd fake_dbd_t;

/* IN port - 0 for a free one */
extern fake_dbd_t *fake_dbd_start(uint16_t port);

/* RET its port, for one after it */
extern uint16_t fake_dbd_stop(fake_dbd_t *dbd);
extern fake_peer_t *fake_dbd_peer(fake_dbd_t *dbd);

/*
 * Add a member of the federation, or say where it is now.
 * IN host - "" while it is not registered
 */
extern void fake_dbd_set(fake_dbd_t *dbd, const char *name, const char *host,
			 uint16_t port, uint32_t id);

/*
 * Give a user of the system an association with an account; the first one is
 * the default. Without any slurmdbd tells of no users at all.
 */
extern void fake_dbd_assoc(fake_dbd_t *dbd, const char *user,
			   const char *account);

/* RET how often it was asked for associations */
extern int fake_dbd_assoc_asked(fake_dbd_t *dbd);

/* How a member stands in the federation; ACTIVE at first */
extern void fake_dbd_set_state(fake_dbd_t *dbd, const char *name,
			       uint32_t state);
/* RET that, NO_VAL if it is in no federation */
extern uint32_t fake_dbd_state(fake_dbd_t *dbd, const char *name);

/*
 * What was said of jobs so far, in order: "start1 step1 stepend1 end1 ", with
 * "suspend1 " for either way.
 */
extern void fake_dbd_rows(fake_dbd_t *dbd, char *text, size_t size);

/*
 * What was said of scripts and environments, in order: "script HASH TEXT;",
 * "env HASH TEXT;"; and of a start or an end that has any, "start1 HASH HASH;",
 * "end1 COMMENT;". Of each the first 20 bytes
 */
extern void fake_dbd_texts(fake_dbd_t *dbd, char *text, size_t size);

/* From now on: answer what is said of that job with rc. IN job - 0: none */
extern void fake_dbd_answer(fake_dbd_t *dbd, uint32_t job, uint32_t rc);

/* Close the connection so many times when that job is spoken of. */
extern void fake_dbd_break(fake_dbd_t *dbd, uint32_t job, int times);

/* From now on: fail whatever needs a database. */
extern void fake_dbd_no_database(fake_dbd_t *dbd, bool none);

/* From now on: refuse to register, with this comment; NULL: do it */
extern void fake_dbd_refuse(fake_dbd_t *dbd, const char *comment);

/* RET registrations so far; OUT of the last one */
extern int fake_dbd_registrations(fake_dbd_t *dbd, uint16_t *ret_port);

/* RET tellings of a cluster's size so far; OUT the last one */
extern int fake_dbd_tres(fake_dbd_t *dbd, char nodes[200], char tres[200]);

/* What was said of nodes: "down NAME TRES REASON TIME;up NAME TIME;" */
extern void fake_dbd_events(fake_dbd_t *dbd, char *text, size_t size);

/* RET how often it was asked to tell all members of the federation */
extern int fake_dbd_touches(fake_dbd_t *dbd);

/* RET how often it was asked for the federation */
extern int fake_dbd_fed_asked(fake_dbd_t *dbd);

/* RET the address that the last DBD_MODIFY_CLUSTERS set, "" for none */
extern void fake_dbd_address(fake_dbd_t *dbd, char host[64]);

#endif
