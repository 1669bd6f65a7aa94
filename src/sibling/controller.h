/*
 * controller.h - one FLURM cluster's controller: all that we do for it.
 */
#ifndef FED_SIBLING_CONTROLLER_H
#define FED_SIBLING_CONTROLLER_H

#include <jansson.h>

#include "src/core/err.h"
#include "src/sibling/conf.h"
#include "src/sibling/site.h"

typedef struct controller controller_t;

/*
 * Open the ledger, listen, register, link up.
 * IN conf, site - copied or outlive it: site must outlive the controller
 * RET NULL with err if the port or the ledger is in use (try again later) or
 *	another reason; nothing is left behind then
 */
extern controller_t *controller_create(const conf_cluster_t *conf,
				       const char *ledger_dir,
				       const site_t *site, fed_err_t *err);

/* Close all sockets, end all threads, sync the ledger. NULL is fine. */
extern void controller_destroy(controller_t *controller);

/*
 * As controller_destroy(), but FLURM stays registered for as long as the
 * connection that is returned does (-1: there is none).
 */
extern int controller_leave(controller_t *controller);

extern const conf_cluster_t *controller_conf(const controller_t *controller);

/* RET an object, a new reference; NULL if it is too busy to answer */
extern json_t *controller_status(controller_t *controller);

#endif
