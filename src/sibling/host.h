/*
 * host.h - all controllers of this process: what the plugin and fed_flurmd
 * start, stop and reconfigure.
 *
 * Belongs to one thread of the host's.
 */
#ifndef FED_SIBLING_HOST_H
#define FED_SIBLING_HOST_H

#include <stdbool.h>

#include "src/core/err.h"

typedef struct host host_t;

/*
 * Read the configuration and prepare; nothing runs yet.
 * IN conf_path - NULL for fed_flurm.conf beside slurm.conf
 * IN name - of the hosting program, in the status
 * RET NULL with err if the configuration is bad
 */
extern host_t *host_create(const char *conf_path, const char *name,
			   fed_err_t *err);

/*
 * Start what does not run yet. A cluster whose port or ledger is still in use
 * (by the process that we replace) is tried again at the next call.
 * RET true if all of it runs
 */
extern bool host_start(host_t *host);

/*
 * Read the configuration anew and follow it: a cluster whose line did not
 * change is not touched. A bad configuration changes nothing.
 * RET 0, or -1 with err
 */
extern int host_reconfigure(host_t *host, fed_err_t *err);

/* RET the names of the configured clusters, comma separated, for xfree() */
extern char *host_cluster_names(const host_t *host);

/* Stop everything, at once. It can be started again. */
extern void host_stop(host_t *host);

/*
 * As host_destroy(), but the clusters stay registered in slurmdbd for as long
 * as the connections that are returned do.
 * OUT fds - room for max descriptors, for the caller to close
 * RET how many there are
 */
extern int host_leave(host_t *host, int *fds, int max);

/* Stop and free. NULL is fine. */
extern void host_destroy(host_t *host);

#endif
