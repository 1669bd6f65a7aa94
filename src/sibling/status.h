/*
 * status.h - the socket at which the administrator's command asks how it is.
 *
 * A local stream socket, for uid 0 and SlurmUser only: a line with a JSON
 * object ({"get":"status"}) comes in, one goes out, and it is closed.
 */
#ifndef FED_SIBLING_STATUS_H
#define FED_SIBLING_STATUS_H

#include <jansson.h>

#include "src/core/err.h"
#include "src/sibling/site.h"

typedef struct status status_t;

/*
 * IN path - of the socket; a stale one is replaced
 * IN get - called in the socket's thread; RET an object, a new reference
 * RET NULL with err, also if another process listens there
 */
extern status_t *status_create(const char *path, const site_t *site,
			       json_t *(*get)(void *arg), void *arg,
			       fed_err_t *err);

/* Close and remove the socket, if it is still ours. NULL is fine. */
extern void status_destroy(status_t *status);

#endif
