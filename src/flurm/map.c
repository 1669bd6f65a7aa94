/*
 * map.c - from a number to a pointer (see map.h): open addressing, at most
 * two thirds full, so that a search ends soon; what is taken out is filled up
 * from behind, so that there are no tombstones.
 */
#include "src/flurm/map.h"

#include <stdlib.h>

#include "src/core/mem.h"

#define FIRST_SIZE 64

static size_t _home(const map_t *map, uint64_t key)
{
	/* multiplied by the golden ratio, neighbours end up far apart */
	return (key * 0x9e3779b97f4a7c15ULL >> 32) & (map->size - 1);
}

static size_t _next(const map_t *map, size_t at)
{
	return (at + 1) & (map->size - 1);
}

/* RET where key is, or the free place where it belongs */
static size_t _find(const map_t *map, uint64_t key)
{
	size_t at = _home(map, key);

	while (map->places[at].key && (map->places[at].key != key))
		at = _next(map, at);
	return at;
}

static void _grow(map_t *map)
{
	map_t old = *map;

	map->size = old.size ? 2 * old.size : FIRST_SIZE;
	map->places = fed_calloc(map->size, sizeof(map_place_t));
	for (size_t i = 0; i < old.size; i++)
		if (old.places[i].key)
			map->places[_find(map, old.places[i].key)] =
				old.places[i];
	free(old.places);
}

extern void map_free(map_t *map)
{
	free(map->places);
	*map = (map_t) { 0 };
}

extern void *map_get(const map_t *map, uint64_t key)
{
	return map->count ? map->places[_find(map, key)].value : NULL;
}

extern void map_set(map_t *map, uint64_t key, void *value)
{
	size_t at;

	if (3 * (map->count + 1) > 2 * map->size)
		_grow(map);
	at = _find(map, key);
	if (!map->places[at].key)
		map->count++;
	map->places[at] = (map_place_t) { key, value };
}

extern void *map_take(map_t *map, uint64_t key)
{
	size_t hole, at;
	void *value;

	if (!map->count)
		return NULL;
	hole = _find(map, key);
	if (!map->places[hole].key)
		return NULL;
	value = map->places[hole].value;
	for (at = _next(map, hole); map->places[at].key; at = _next(map, at)) {
		size_t home = _home(map, map->places[at].key);

		/* one whose search would not pass the hole stays */
		if (((at - home) & (map->size - 1)) <
		    ((at - hole) & (map->size - 1)))
			continue;
		map->places[hole] = map->places[at];
		hole = at;
	}
	map->places[hole] = (map_place_t) { 0 };
	map->count--;
	return value;
}
