/*
 * order.h - the scheduler's entries in an order that it chooses.
 *
 * An array that is always sorted and has room on both sides: most entries come
 * at its end and go at its beginning, which costs next to nothing, and one in
 * the middle moves the shorter side.
 */
#ifndef FED_GATEWAY_ORDER_H
#define FED_GATEWAY_ORDER_H

#include <stddef.h>

#include "src/gateway/sched.h"

typedef struct {
	gw_entry_t **slots;
	size_t size;
	size_t begin;		/* the first that is in use */
	size_t end;		/* behind the last */
	int (*compare)(const gw_entry_t *a, const gw_entry_t *b);
} gw_order_t;

extern size_t gw_order_count(const gw_order_t *order);

extern void gw_order_add(gw_order_t *order, gw_entry_t *entry);

/* An entry that is in it; it still compares as when it was added. */
extern void gw_order_remove(gw_order_t *order, const gw_entry_t *entry);

/* Either what is behind it moves down, or what is before it up (begin says). */
extern void gw_order_remove_at(gw_order_t *order, size_t at);

#endif
