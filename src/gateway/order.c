/*
 * order.c - the scheduler's entries in an order that it chooses (see order.h).
 */
#include "src/gateway/order.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"

extern size_t gw_order_count(const gw_order_t *order)
{
	return order->end - order->begin;
}

/* RET the first slot whose entry is not before this one */
static size_t _find(const gw_order_t *order, const gw_entry_t *entry)
{
	size_t low = order->begin, high = order->end;

	/* most come last */
	if ((low < high) &&
	    (order->compare(order->slots[high - 1], entry) < 0))
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (order->compare(order->slots[middle], entry) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void _grow(gw_order_t *order)
{
	size_t count = gw_order_count(order), size = 2 * count + 64;
	size_t begin = (size - count) / 4;
	gw_entry_t **slots = fed_calloc(size, sizeof(*slots));

	if (count)
		memcpy(slots + begin, order->slots + order->begin,
		       count * sizeof(*slots));
	free(order->slots);
	order->slots = slots;
	order->size = size;
	order->begin = begin;
	order->end = begin + count;
}

extern void gw_order_add(gw_order_t *order, gw_entry_t *entry)
{
	size_t at;

	if (!order->begin || (order->end == order->size))
		_grow(order);
	at = _find(order, entry);
	if (at - order->begin < order->end - at) {
		memmove(order->slots + order->begin - 1,
			order->slots + order->begin,
			(at - order->begin) * sizeof(*order->slots));
		order->begin--;
		at--;
	} else {
		memmove(order->slots + at + 1, order->slots + at,
			(order->end - at) * sizeof(*order->slots));
		order->end++;
	}
	order->slots[at] = entry;
}

extern void gw_order_remove_at(gw_order_t *order, size_t at)
{
	if (at - order->begin < order->end - at) {
		memmove(order->slots + order->begin + 1,
			order->slots + order->begin,
			(at - order->begin) * sizeof(*order->slots));
		order->begin++;
	} else {
		memmove(order->slots + at, order->slots + at + 1,
			(order->end - at - 1) * sizeof(*order->slots));
		order->end--;
	}
}

extern void gw_order_remove(gw_order_t *order, const gw_entry_t *entry)
{
	gw_order_remove_at(order, _find(order, entry));
}
