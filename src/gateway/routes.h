/*
 * routes.h - the gateway's part of the FLURM federation API.
 *
 * A table for flurm_server_start() and the handlers behind it. They run in
 * the server's thread: they take a request apart and post it to the engine,
 * which answers it.
 */
#ifndef FED_GATEWAY_ROUTES_H
#define FED_GATEWAY_ROUTES_H

#include "src/flurm/server.h"
#include "src/flurm/token.h"
#include "src/gateway/engine.h"

/* the arg of the server */
typedef struct {
	gw_engine_t *engine;
	flurm_token_t *token;	/* NULL: none is asked for */
	gw_faults_t *faults;	/* NULL: nothing goes wrong on purpose */
	bool draining;		/* said by /health; set atomically */
} gw_site_t;

/* IN debug - with the backend's route for commands, if it has one */
extern const flurm_route_t *gw_routes(bool debug);

/* a flurm_authorize_t */
extern int gw_authorize(const char *bearer, void *arg, fed_err_t *err);

#endif
