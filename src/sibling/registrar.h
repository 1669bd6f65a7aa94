/*
 * registrar.h - the connection to slurmdbd that says we are FLURM's
 * controller.
 *
 * slurmdbd clears a cluster's address when this connection closes, so its
 * thread holds it for life and answers nobody else: slurmdbd connects to our
 * port while it handles what we say here.
 */
#ifndef FED_SIBLING_REGISTRAR_H
#define FED_SIBLING_REGISTRAR_H

#include <jansson.h>

#include "src/core/err.h"
#include "src/sibling/assoc.h"
#include "src/sibling/conf.h"
#include "src/sibling/federation.h"
#include "src/sibling/persist.h"
#include "src/sibling/resources.h"
#include "src/sibling/site.h"

typedef struct registrar registrar_t;

typedef struct {
	const conf_cluster_t *cluster;
	const site_t *site;
	/* slurmdbd said how the federation is; a reference for the callee.
	 * Called in the registrar's thread. */
	void (*federation)(void *arg, federation_t *fed);
	/* told who may do what on the cluster, or NULL for nobody */
	assoc_t *assoc;
	/* it was told something new. Called as federation() is. */
	void (*associations)(void *arg);
	void *arg;
} registrar_conf_t;

/* Its listener must be there already: slurmdbd may call back at once. */
extern registrar_t *registrar_create(const registrar_conf_t *conf,
				     fed_err_t *err);

/* Tell it to end; returns at once. */
extern void registrar_stop(registrar_t *registrar);
extern void registrar_destroy(registrar_t *registrar);

/*
 * As registrar_destroy(), but the registration stays for as long as its
 * connection does.
 * RET the connection, for the caller to close, or -1 if there is none
 */
extern int registrar_leave(registrar_t *registrar);

/* All below: any thread. */

/* slurmdbd asks for a new registration (ACCOUNTING_REGISTER_CTLD). */
extern void registrar_again(registrar_t *registrar);

/* A member may have moved: ask how the federation is, at once. */
extern void registrar_look(registrar_t *registrar);

/*
 * A member does not seem to know where we are: have slurmdbd tell all of the
 * federation's members again.
 */
extern void registrar_announce(registrar_t *registrar);

/*
 * FLURM, which is to drain, has no job left: say that it is DRAINED, or leave
 * the federation if that was asked for.
 */
extern void registrar_drained(registrar_t *registrar);

/*
 * What slurmdbd now has as FLURM's address, as told with the federation: if
 * it was cleared, register again; if it is another's, there is a second
 * controller for this cluster.
 */
extern void registrar_check(registrar_t *registrar, federation_t *fed);

/* The size of the cluster and which nodes are down, for accounting. */
extern void registrar_set_resources(registrar_t *registrar,
				    resources_t *resources);

/*
 * Who may do what may have changed: ask for it again. Changes that come close
 * together are asked for at once.
 */
extern void registrar_refresh(registrar_t *registrar);

/*
 * Something to be said to slurmdbd. Requests are carried out in the
 * registrar's thread, while we are registered, one after the other in the
 * order in which they were put.
 */
typedef struct registrar_request {
	struct registrar_request *next;		/* the registrar's */
	/*
	 * RET 0 when it is done with, whatever slurmdbd says; or -1 with err
	 *	if the connection is of no more use: asked again on the next
	 */
	int (*ask)(struct registrar_request *request, persist_t *conn,
		   fed_err_t *err);
	/* It is done, or never will be: the registrar ends. */
	void (*free)(struct registrar_request *request);
} registrar_request_t;

/* IN request - the registrar's from here on */
extern void registrar_put(registrar_t *registrar,
			  registrar_request_t *request);

/* RET true while its connection to slurmdbd stands, and we are registered */
extern bool registrar_is_registered(registrar_t *registrar);

/* RET an object, a new reference */
extern json_t *registrar_status(registrar_t *registrar);

#endif
