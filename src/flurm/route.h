/*
 * route.h - finding the route for a path.
 */
#ifndef FED_FLURM_ROUTE_H
#define FED_FLURM_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "src/flurm/server.h"

#define ROUTE_PARAMS_MAX 4

/* a {name} of a route and the part of the path that stands for it */
typedef struct {
	const char *name;	/* not terminated */
	size_t name_len;
	const char *value;	/* not terminated, never empty */
	size_t value_len;
} route_param_t;

typedef struct {
	const flurm_route_t *route;	/* NULL: none */
	bool path_known;	/* some other method has this path */
	size_t count;
	route_param_t params[ROUTE_PARAMS_MAX];	/* point into route and path */
} route_match_t;

/*
 * IN routes - ends with method NULL; the first that fits is taken
 * RET what was found
 */
extern route_match_t route_find(const flurm_route_t *routes,
				const char *method, const char *path);

/* The methods that path has, for an Allow header: "GET, POST". */
extern void route_methods(const flurm_route_t *routes, const char *path,
			  char *ret_text, size_t size);

#endif
