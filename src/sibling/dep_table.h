/*
 * dep_table.h - dependencies that natives asked us about and that they do not
 * have our answer to yet. They are in the ledger until then.
 */
#ifndef FED_SIBLING_DEP_TABLE_H
#define FED_SIBLING_DEP_TABLE_H

#include "src/core/ledger.h"
#include "src/sibling/dep.h"
#include "src/sibling/federation.h"

typedef struct dep_table dep_table_t;

extern dep_table_t *dep_table_create(void);
extern void dep_table_destroy(dep_table_t *table);

/* Append to the ledger what dep_table_set() or _done() will do. */
extern int dep_table_append(fed_ledger_t *ledger, const char *peer,
			    const dep_msg_t *msg, fed_err_t *err);
extern int dep_table_append_done(fed_ledger_t *ledger, const char *peer,
				 uint32_t job_id, fed_err_t *err);

/*
 * Keep what a message says; an empty dependency withdraws what was said before
 * (fed_mgr.c, _handle_recv_remote_dep()).
 */
extern void dep_table_set(dep_table_t *table, const char *peer,
			  const dep_msg_t *msg);
extern void dep_table_done(dep_table_t *table, const char *peer,
			   uint32_t job_id);

/* Forget what members ask that are no longer in the federation. */
extern void dep_table_keep(dep_table_t *table, const federation_t *fed);

/*
 * Send what was not sent yet.
 * IN send - RET 1: sent; 0: not now; -1: there is nothing to say, forget it
 */
extern void dep_table_send(dep_table_t *table,
			   int (*send)(void *arg, const char *peer,
				       const dep_t *dep),
			   void *arg);

/* What was sent to a peer and not answered has to be sent again. */
extern void dep_table_resend(dep_table_t *table, const char *peer);
extern uint32_t dep_table_count(const dep_table_t *table);

extern int dep_table_replay(dep_table_t *table, uint16_t type,
			    const void *body, size_t len, fed_err_t *err);
extern int dep_table_snapshot(const dep_table_t *table, fed_ledger_t *ledger,
			      fed_err_t *err);

#endif
