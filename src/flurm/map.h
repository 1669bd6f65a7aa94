/*
 * map.h - from a number that is not 0 to a pointer.
 */
#ifndef FED_FLURM_MAP_H
#define FED_FLURM_MAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
	uint64_t key;		/* 0: a free place */
	void *value;
} map_place_t;

/* zeroed to start with */
typedef struct {
	map_place_t *places;
	size_t size;		/* a power of two, or 0 */
	size_t count;
} map_t;

extern void map_free(map_t *map);

/* RET the value, NULL if there is none */
extern void *map_get(const map_t *map, uint64_t key);

/* Set or replace it. IN value - not NULL */
extern void map_set(map_t *map, uint64_t key, void *value);

/* RET the value that was there, NULL if there was none */
extern void *map_take(map_t *map, uint64_t key);

#endif
