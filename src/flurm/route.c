/*
 * route.c - finding the route for a path (see route.h).
 */
#include "src/flurm/route.h"

#include <stdio.h>
#include <string.h>

/* Does path have the form of pattern? Parts are compared one by one. */
static bool _fits(const char *pattern, const char *path, route_match_t *match)
{
	match->count = 0;
	while (*pattern == '/' && *path == '/') {
		size_t wanted = strcspn(++pattern, "/");
		size_t given = strcspn(++path, "/");

		if (*pattern != '{') {
			if ((wanted != given) || memcmp(pattern, path, given))
				return false;
		} else {
			if (!given || (match->count == ROUTE_PARAMS_MAX))
				return false;
			match->params[match->count++] = (route_param_t) {
				.name = pattern + 1, .name_len = wanted - 2,
				.value = path, .value_len = given,
			};
		}
		pattern += wanted;
		path += given;
	}
	return !*pattern && !*path;
}

extern route_match_t route_find(const flurm_route_t *routes,
				const char *method, const char *path)
{
	route_match_t match = { 0 };

	for (const flurm_route_t *route = routes; route->method; route++) {
		if (!_fits(route->path, path, &match))
			continue;
		match.path_known = true;
		if (!strcmp(route->method, method)) {
			match.route = route;
			return match;
		}
	}
	match.count = 0;
	return match;
}

extern void route_methods(const flurm_route_t *routes, const char *path,
			  char *ret_text, size_t size)
{
	size_t used = 0;

	*ret_text = '\0';
	for (const flurm_route_t *route = routes; route->method; route++) {
		route_match_t ignored;

		if (!_fits(route->path, path, &ignored) || (used >= size))
			continue;
		used += snprintf(ret_text + used, size - used, "%s%s",
				 used ? ", " : "", route->method);
	}
}
