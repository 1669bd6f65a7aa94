/*
 * sched.c - which waiting job gets which resources, and when (see sched.h).
 *
 * The queue is in the order in which jobs may start; what holds resources in
 * that in which it ends, which is how resources come back.
 *
 * Backfill is EASY's: the first entry of a partition that does not fit gets a
 * reservation, a copy of the free resources as they will be at the time it can
 * start, less its own. A later entry may start now if it ends before that
 * time, or if its nodes have room in the copy too. Invariant: free[] is never
 * negative, and a reservation is never delayed by what starts after it.
 */
#include "src/gateway/sched.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/gateway/order.h"

typedef struct {
	uint32_t cpus;
	uint64_t memory_mb;
} room_t;

/* for the first entry of a partition that does not fit */
typedef struct {
	const gw_need_t *need;	/* what it is for */
	int64_t at;		/* GW_NEVER: no end of anything helps */
	room_t *room;		/* of every node at that time; NULL: not yet
				 * worked out, or it does not help */
} reservation_t;

struct gw_sched {
	gw_sched_node_t *nodes;
	room_t *free;
	size_t node_count;
	gw_sched_part_t *parts;
	uint64_t *part_free_cpus;
	bool *part_blocked;	/* in the current pass */
	size_t part_count;
	gw_order_t queue;
	gw_order_t holders;
	reservation_t *reservations;	/* of the current pass */
	size_t reservation_count;
	size_t reservations_made;	/* worked out, the first so many */
	uint32_t *picked;	/* node_count of them, for a fit */
};

static int _by_priority(const gw_entry_t *a, const gw_entry_t *b)
{
	if (a->need.priority != b->need.priority)
		return a->need.priority > b->need.priority ? -1 : 1;
	return (a->need.order > b->need.order) -
		(a->need.order < b->need.order);
}

static int _by_end(const gw_entry_t *a, const gw_entry_t *b)
{
	if (a->end_by != b->end_by)
		return a->end_by < b->end_by ? -1 : 1;
	return (a->need.order > b->need.order) -
		(a->need.order < b->need.order);
}

extern gw_sched_t *gw_sched_create(const gw_sched_node_t *nodes,
				   size_t node_count,
				   const gw_sched_part_t *parts,
				   size_t part_count)
{
	gw_sched_t *sched = fed_calloc(1, sizeof(*sched));

	sched->node_count = node_count;
	sched->nodes = fed_memdup(nodes, node_count * sizeof(*nodes));
	sched->free = fed_calloc(node_count, sizeof(*sched->free));
	sched->picked = fed_calloc(node_count, sizeof(*sched->picked));
	for (size_t i = 0; i < node_count; i++)
		sched->free[i] = (room_t) {
			.cpus = nodes[i].cpus,
			.memory_mb = nodes[i].memory_mb,
		};
	sched->part_count = part_count;
	sched->parts = fed_memdup(parts, part_count * sizeof(*parts));
	sched->part_blocked = fed_calloc(part_count,
					 sizeof(*sched->part_blocked));
	sched->reservations = fed_calloc(part_count,
					 sizeof(*sched->reservations));
	sched->part_free_cpus = fed_calloc(part_count,
					   sizeof(*sched->part_free_cpus));
	for (size_t i = 0; i < part_count; i++)
		for (uint32_t n = 0; n < parts[i].node_count; n++)
			sched->part_free_cpus[i] +=
				nodes[parts[i].first_node + n].cpus;
	sched->queue.compare = _by_priority;
	sched->holders.compare = _by_end;
	return sched;
}

static void _free_nodes(gw_entry_t *entry)
{
	if (entry->nodes != &entry->one_node)
		free(entry->nodes);
	entry->nodes = NULL;
}

extern void gw_sched_destroy(gw_sched_t *sched)
{
	if (!sched)
		return;
	for (size_t i = sched->holders.begin; i < sched->holders.end; i++)
		_free_nodes(sched->holders.slots[i]);
	free(sched->nodes);
	free(sched->free);
	free(sched->picked);
	free(sched->parts);
	free(sched->part_blocked);
	free(sched->part_free_cpus);
	free(sched->reservations);
	free(sched->queue.slots);
	free(sched->holders.slots);
	free(sched);
}

/* RET what it takes of this very node */
static room_t _share(const gw_sched_t *sched, const gw_need_t *need,
		     uint32_t node)
{
	const gw_sched_node_t *whole = &sched->nodes[node];

	return (room_t) {
		.cpus = need->exclusive ? whole->cpus : need->cpus,
		.memory_mb = need->memory_mb == GW_ALL_MEMORY ?
			whole->memory_mb : need->memory_mb,
	};
}

static bool _has_room(const room_t *room, const room_t *share)
{
	return (room->cpus >= share->cpus) &&
		(room->memory_mb >= share->memory_mb);
}

static bool _node_could(const gw_sched_t *sched, const gw_need_t *need,
			uint32_t node)
{
	return (sched->nodes[node].cpus >= need->cpus) &&
		((need->memory_mb == GW_ALL_MEMORY) ||
		 (sched->nodes[node].memory_mb >= need->memory_mb));
}

extern int gw_sched_possible(const gw_sched_t *sched, const gw_need_t *need,
			     fed_err_t *err)
{
	const gw_sched_part_t *part = &sched->parts[need->partition];
	uint32_t able = 0;

	if (need->nodes > part->node_count)
		return fed_err_set(err, 0, "%u nodes asked for, %u there",
				   need->nodes, part->node_count);
	for (uint32_t i = 0; (i < part->node_count) && (able < need->nodes);
	     i++)
		able += _node_could(sched, need, part->first_node + i);
	if (able >= need->nodes)
		return 0;
	if (need->memory_mb == GW_ALL_MEMORY)
		return fed_err_set(err, 0, "no %u nodes with %u CPUs",
				   need->nodes, need->cpus);
	return fed_err_set(err, 0, "no %u nodes with %u CPUs and %llu MB",
			   need->nodes, need->cpus,
			   (unsigned long long) need->memory_mb);
}

extern void gw_sched_queue(gw_sched_t *sched, gw_entry_t *entry)
{
	entry->state = GW_SCHED_QUEUED;
	gw_order_add(&sched->queue, entry);
}

/* Take or give back (sign -1 or 1) in what the partitions have free. */
static void _count_cpus(gw_sched_t *sched, uint32_t node, uint32_t cpus,
			int sign)
{
	for (size_t i = 0; i < sched->part_count; i++) {
		const gw_sched_part_t *part = &sched->parts[i];

		if ((node < part->first_node) ||
		    (node - part->first_node >= part->node_count))
			continue;
		if (sign < 0)
			sched->part_free_cpus[i] -= cpus;
		else
			sched->part_free_cpus[i] += cpus;
	}
}

static void _hold(gw_sched_t *sched, gw_entry_t *entry, const uint32_t *nodes,
		  int64_t end_by)
{
	uint32_t count = entry->need.nodes;

	entry->nodes = &entry->one_node;
	if (count > 1)
		entry->nodes = fed_calloc(count, sizeof(*nodes));
	memcpy(entry->nodes, nodes, count * sizeof(*nodes));
	for (uint32_t i = 0; i < count; i++) {
		room_t share = _share(sched, &entry->need, nodes[i]);

		sched->free[nodes[i]].cpus -= share.cpus;
		sched->free[nodes[i]].memory_mb -= share.memory_mb;
		_count_cpus(sched, nodes[i], share.cpus, -1);
	}
	entry->end_by = end_by;
	entry->state = GW_SCHED_HOLDS;
	gw_order_add(&sched->holders, entry);
}

static void _give_back(gw_sched_t *sched, gw_entry_t *entry)
{
	gw_order_remove(&sched->holders, entry);
	for (uint32_t i = 0; i < entry->need.nodes; i++) {
		uint32_t node = entry->nodes[i];
		room_t share = _share(sched, &entry->need, node);

		sched->free[node].cpus += share.cpus;
		sched->free[node].memory_mb += share.memory_mb;
		_count_cpus(sched, node, share.cpus, 1);
	}
	_free_nodes(entry);
}

extern void gw_sched_drop(gw_sched_t *sched, gw_entry_t *entry, int64_t now)
{
	if (entry->state == GW_SCHED_QUEUED)
		gw_order_remove(&sched->queue, entry);
	else if (entry->state == GW_SCHED_HOLDS)
		_give_back(sched, entry);
	entry->state = GW_SCHED_OUT;
}

extern int gw_sched_take(gw_sched_t *sched, gw_entry_t *entry,
			 const uint32_t *nodes, int64_t end_by)
{
	for (uint32_t i = 0; i < entry->need.nodes; i++) {
		room_t share;

		if (nodes[i] >= sched->node_count)
			return -1;
		share = _share(sched, &entry->need, nodes[i]);
		if (!_has_room(&sched->free[nodes[i]], &share))
			return -1;
	}
	_hold(sched, entry, nodes, end_by);
	return 0;
}

extern void gw_sched_set_end(gw_sched_t *sched, gw_entry_t *entry,
			     int64_t end_by)
{
	gw_order_remove(&sched->holders, entry);
	entry->end_by = end_by;
	gw_order_add(&sched->holders, entry);
}

static int64_t _end_of(const gw_need_t *need, int64_t now)
{
	return (need->time_limit >= GW_NEVER - now) ? GW_NEVER :
		now + need->time_limit;
}

/*
 * Find nodes with room for it, the first ones.
 * IN with_reservations - also where it must leave room later
 * OUT sched->picked
 */
static bool _fits(gw_sched_t *sched, const gw_need_t *need, const room_t *free,
		  int64_t end, bool with_reservations)
{
	const gw_sched_part_t *part = &sched->parts[need->partition];
	uint32_t found = 0;

	for (uint32_t i = 0; (i < part->node_count) && (found < need->nodes);
	     i++) {
		uint32_t node = part->first_node + i;
		room_t share = _share(sched, need, node);
		bool ok = sched->nodes[node].up &&
			_node_could(sched, need, node) &&
			_has_room(&free[node], &share);

		for (size_t r = 0; with_reservations && ok &&
		     (r < sched->reservation_count); r++) {
			const reservation_t *later = &sched->reservations[r];

			if (later->room && (end > later->at))
				ok = _has_room(&later->room[node], &share);
		}
		if (ok)
			sched->picked[found++] = node;
	}
	return found == need->nodes;
}

/* It starts and will still be there: it takes its share of the future too. */
static void _take_from_reservations(gw_sched_t *sched, const gw_entry_t *entry)
{
	for (size_t r = 0; r < sched->reservation_count; r++) {
		reservation_t *later = &sched->reservations[r];

		if (!later->room || (entry->end_by <= later->at))
			continue;
		for (uint32_t i = 0; i < entry->need.nodes; i++) {
			uint32_t node = entry->nodes[i];
			room_t share = _share(sched, &entry->need, node);

			later->room[node].cpus -= share.cpus;
			later->room[node].memory_mb -= share.memory_mb;
		}
	}
}

static void _add_shares(gw_sched_t *sched, room_t *room,
			const gw_entry_t *entry)
{
	for (uint32_t i = 0; i < entry->need.nodes; i++) {
		uint32_t node = entry->nodes[i];
		room_t share = _share(sched, &entry->need, node);

		room[node].cpus += share.cpus;
		room[node].memory_mb += share.memory_mb;
	}
}

/*
 * When and where will this one, that does not fit now, be able to start? What
 * has no limit is taken to end after everything else.
 */
static void _reserve(gw_sched_t *sched, reservation_t *later, int64_t now)
{
	const gw_order_t *holders = &sched->holders;
	room_t *room = fed_memdup(sched->free,
				  sched->node_count * sizeof(*room));
	bool fits = false;

	for (size_t i = holders->begin; !fits && (i < holders->end); i++) {
		const gw_entry_t *holder = holders->slots[i];

		_add_shares(sched, room, holder);
		/* those that end together come back together */
		if ((i + 1 < holders->end) &&
		    (holders->slots[i + 1]->end_by == holder->end_by))
			continue;
		later->at = holder->end_by > now ? holder->end_by : now + 1;
		if (later->at == GW_NEVER)
			later->at--;
		fits = _fits(sched, later->need, room, 0, false);
	}
	if (!fits) {
		free(room);
		later->at = GW_NEVER;
		return;
	}
	for (uint32_t i = 0; i < later->need->nodes; i++) {
		room_t share = _share(sched, later->need, sched->picked[i]);

		room[sched->picked[i]].cpus -= share.cpus;
		room[sched->picked[i]].memory_mb -= share.memory_mb;
	}
	later->room = room;
}

static bool _surely_full(const gw_sched_t *sched, const gw_need_t *need)
{
	return sched->part_free_cpus[need->partition] <
		(uint64_t) need->cpus * need->nodes;
}

/*
 * Reservations cost a look at all that holds resources, so they are worked
 * out only when an entry behind the blocked ones could start now.
 */
static void _reserve_all(gw_sched_t *sched, int64_t now)
{
	while (sched->reservations_made < sched->reservation_count)
		_reserve(sched,
			 &sched->reservations[sched->reservations_made++],
			 now);
}

/* May it start now, and delay none that comes before it? */
static bool _may_start(gw_sched_t *sched, const gw_need_t *need, int64_t now,
		       int64_t end)
{
	if (!sched->parts[need->partition].up || _surely_full(sched, need) ||
	    !_fits(sched, need, sched->free, end, false))
		return false;
	if (!sched->reservation_count)
		return true;
	_reserve_all(sched, now);
	return _fits(sched, need, sched->free, end, true);
}

static void _block(gw_sched_t *sched, const gw_need_t *need)
{
	if (sched->part_blocked[need->partition] ||
	    !sched->parts[need->partition].up)
		return;
	sched->part_blocked[need->partition] = true;
	sched->reservations[sched->reservation_count++] = (reservation_t) {
		.need = need,
		.at = GW_NEVER,
	};
}

static void _forget_reservations(gw_sched_t *sched)
{
	for (size_t i = 0; i < sched->reservations_made; i++)
		free(sched->reservations[i].room);
	sched->reservation_count = sched->reservations_made = 0;
	memset(sched->part_blocked, 0,
	       sched->part_count * sizeof(*sched->part_blocked));
}

extern size_t gw_sched_run(gw_sched_t *sched, int64_t now,
			   size_t backfill_depth,
			   void (*picked)(gw_entry_t *entry, void *arg),
			   void *arg)
{
	gw_order_t *queue = &sched->queue;
	size_t looked = 0, count = 0, at = queue->begin;

	while (at < queue->end) {
		gw_entry_t *entry = queue->slots[at];
		int64_t end = _end_of(&entry->need, now);
		size_t begin = queue->begin;

		if (sched->reservation_count && (looked++ >= backfill_depth))
			break;
		if (!_may_start(sched, &entry->need, now, end)) {
			_block(sched, &entry->need);
			at++;
			continue;
		}
		gw_order_remove_at(queue, at);
		/* either those behind it moved down, or those before up */
		at += queue->begin - begin;
		_hold(sched, entry, sched->picked, end);
		_take_from_reservations(sched, entry);
		count++;
		picked(entry, arg);
	}
	_forget_reservations(sched);
	return count;
}

extern void gw_sched_node_up(gw_sched_t *sched, uint32_t node, bool up)
{
	sched->nodes[node].up = up;
}

extern void gw_sched_part_up(gw_sched_t *sched, uint32_t part, bool up)
{
	sched->parts[part].up = up;
}

extern void gw_sched_stats(const gw_sched_t *sched, gw_sched_stats_t *stats)
{
	*stats = (gw_sched_stats_t) {
		.queued = gw_order_count(&sched->queue),
		.holding = gw_order_count(&sched->holders),
	};
	for (size_t i = 0; i < sched->node_count; i++) {
		if (!sched->nodes[i].up)
			continue;
		stats->free_cpus += sched->free[i].cpus;
		stats->free_memory_mb += sched->free[i].memory_mb;
	}
}

extern void gw_sched_node_free(const gw_sched_t *sched, uint32_t node,
			       uint32_t *ret_cpus, uint64_t *ret_memory_mb)
{
	*ret_cpus = sched->free[node].cpus;
	*ret_memory_mb = sched->free[node].memory_mb;
}
