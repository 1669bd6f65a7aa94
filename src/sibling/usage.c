/*
 * usage.c - what was used of a cluster, and decays (see usage.h).
 */
#include "src/sibling/usage.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/sibling/record.h"

#define RECORD_VERSION 2
#define DAY_S (24 * 3600)
#define DEPTH_MAX 64		/* the tree might be a circle */

typedef struct {
	usage_of_t of;
	uint32_t id;
	uint32_t parent;	/* that has its part of this; 0: none, or not
				 * known */
	usage_sum_t sum;
} entry_t;

struct usage {
	entry_t *entry;		/* by of and id */
	uint32_t count;
	uint32_t room;
	int64_t until;
	int64_t last_reset;	/* 0: not begun yet */
	bool reset_now;		/* PRIORITY_RESET_NOW is done */
};

extern usage_t *usage_create(void)
{
	return xmalloc(sizeof(usage_t));
}

extern void usage_destroy(usage_t *usage)
{
	if (!usage)
		return;
	xfree(usage->entry);
	xfree(usage);
}

extern int64_t usage_until(const usage_t *usage)
{
	return usage->until;
}

/* ---- whose it is ---- */

static int _order(const entry_t *entry, usage_of_t of, uint32_t id)
{
	if (entry->of != of)
		return (entry->of > of) ? 1 : -1;
	return (entry->id > id) - (entry->id < id);
}

/* RET the place of the first that is not before this one */
static uint32_t _place(const usage_t *usage, usage_of_t of, uint32_t id)
{
	uint32_t low = 0, high = usage->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (_order(&usage->entry[middle], of, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static entry_t *_entry(const usage_t *usage, usage_of_t of, uint32_t id)
{
	uint32_t at = _place(usage, of, id);

	return ((at < usage->count) && !_order(&usage->entry[at], of, id)) ?
		&usage->entry[at] : NULL;
}

/* RET valid until the next is got */
static entry_t *_get(usage_t *usage, usage_of_t of, uint32_t id)
{
	entry_t *entry = _entry(usage, of, id);
	uint32_t at;

	if (entry)
		return entry;
	if (usage->count == usage->room) {
		usage->room = MAX(usage->room * 2, 64);
		xrecalloc(usage->entry, usage->room, sizeof(*usage->entry));
	}
	at = _place(usage, of, id);
	entry = &usage->entry[at];
	memmove(entry + 1, entry, (usage->count++ - at) * sizeof(*entry));
	*entry = (entry_t) { .of = of, .id = id };
	return entry;
}

extern const usage_sum_t *usage_find(const usage_t *usage, usage_of_t of,
				     uint32_t id)
{
	const entry_t *entry = _entry(usage, of, id);

	return entry ? &entry->sum : NULL;
}

extern void usage_walk(const usage_t *usage,
		       void (*visit)(usage_of_t of, uint32_t id,
				     const usage_sum_t *sum, void *arg),
		       void *arg)
{
	for (uint32_t i = 0; i < usage->count; i++)
		visit(usage->entry[i].of, usage->entry[i].id,
		      &usage->entry[i].sum, arg);
}

/* ---- sums ---- */

/* IN times - of amount; what was given back may be more than is left by now */
static void _add(usage_sum_t *sum, const usage_sum_t *amount, double times)
{
	sum->raw = fmax(sum->raw + amount->raw * times, 0);
	sum->wall = fmax(sum->wall + amount->wall * times, 0);
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++)
		sum->tres[i] = fmax(sum->tres[i] + amount->tres[i] * times, 0);
}

/* Slurm's approximation of the half-life's root of one half */
static double _decayed(const usage_conf_t *conf, int64_t seconds)
{
	return conf->half_life ? pow(1 - 0.693 / conf->half_life, seconds) : 1;
}

/* IN sum - the entry's, or what it was charged */
static void _put(fed_bytes_t *bytes, const entry_t *entry,
		 const usage_sum_t *sum)
{
	fed_put_u8(bytes, entry->of);
	fed_put_u32(bytes, entry->id);
	fed_put_u32(bytes, entry->parent);
	fed_put_double(bytes, sum->raw);
	fed_put_double(bytes, sum->wall);
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++)
		fed_put_double(bytes, sum->tres[i]);
}

static void _charge(entry_t *entry, const usage_sum_t *amount,
		    fed_bytes_t *record)
{
	_add(&entry->sum, amount, 1);
	if (record)
		_put(record, entry, amount);
}

/*
 * By whom it is known to be below, if slurmdbd has it elsewhere already; for
 * there is its part of what it used.
 */
static void _charge_up(usage_t *usage, const usage_payers_t *payers,
		       const usage_sum_t *amount, fed_bytes_t *record)
{
	uint32_t id = payers->assoc_cnt ? payers->assoc[0] : 0, count = 0;

	while (id && (count < DEPTH_MAX)) {
		entry_t *entry = _get(usage, USAGE_ASSOC, id);

		if (!entry->parent && (count + 1 < payers->assoc_cnt) &&
		    (payers->assoc[count] == id))
			entry->parent = payers->assoc[count + 1];
		_charge(entry, amount, record);
		id = entry->parent;
		count++;
	}
}

extern void usage_charge(usage_t *usage, const usage_conf_t *conf,
			 const usage_payers_t *payers, int64_t from,
			 int64_t to, fed_bytes_t *record)
{
	double wall = (to - from) * payers->factor;
	double decayed = wall * _decayed(conf, llabs(to - from));
	usage_sum_t whole = {
		.raw = wall * payers->tres[LIMIT_BILLING],
		.wall = wall,
	}, amount = {
		.raw = decayed * payers->tres[LIMIT_BILLING],
		.wall = decayed,
	};

	for (limit_tres_t i = 0; payers->by_tres && (i < LIMIT_TRES); i++) {
		whole.tres[i] = wall * payers->tres[i];
		amount.tres[i] = decayed * payers->tres[i];
	}
	if (record)
		fed_put_u16(record, RECORD_VERSION);
	if (payers->qos)
		_charge(_get(usage, USAGE_QOS, payers->qos),
			payers->keeps ? &whole : &amount, record);
	_charge_up(usage, payers, &amount, record);
}

/* ---- time ---- */

static int64_t _midnight(struct tm *day)
{
	day->tm_sec = day->tm_min = day->tm_hour = 0;
	day->tm_isdst = -1;
	return mktime(day);
}

/* RET the last of the times a period apart that is not a period ago */
static int64_t _catch_up(int64_t next, int64_t period, int64_t now)
{
	if (next + period < now)
		next += (now - next - 1) / period * period;
	return next;
}

extern int64_t usage_next_reset(uint16_t reset, int64_t last, int64_t now)
{
	time_t at = last;
	struct tm day;

	localtime_r(&at, &day);
	switch (reset) {
	case PRIORITY_RESET_DAILY:
		return _catch_up(_midnight(&day) + DAY_S, DAY_S, now);
	case PRIORITY_RESET_WEEKLY:
		return _catch_up(_midnight(&day) + DAY_S * (7 - day.tm_wday),
				 DAY_S * 7, now);
	case PRIORITY_RESET_MONTHLY:
		day.tm_mon++;
		break;
	case PRIORITY_RESET_QUARTERLY:
		day.tm_mon += 3 - day.tm_mon % 3;
		break;
	case PRIORITY_RESET_YEARLY:
		day.tm_mon = 12;
		break;
	default:
		return 0;
	}
	day.tm_mday = 1;
	return _midnight(&day);
}

/* RET true if all is to be forgotten, as often as PriorityUsageResetPeriod */
static bool _is_reset(usage_t *usage, const usage_conf_t *conf, int64_t now)
{
	int64_t next;

	if (!usage->last_reset)
		usage->last_reset = now;
	if (conf->reset == PRIORITY_RESET_NOW) {
		if (usage->reset_now)
			return false;
		usage->reset_now = true;
		usage->last_reset = now;
		return true;
	}
	next = usage_next_reset(conf->reset, usage->last_reset, now);
	if (!next || (now < next))
		return false;
	usage->last_reset = next;
	return true;
}

extern void usage_decay(usage_t *usage, const usage_conf_t *conf, int64_t now,
			usage_fate_t (*fate)(usage_of_t of, uint32_t id,
					     void *arg),
			void *arg)
{
	uint32_t left = 0;
	double times = 1;

	if (usage->until)
		times = fmax(_decayed(conf, now - usage->until), DBL_MIN);
	if (_is_reset(usage, conf, now))
		usage->count = 0;
	for (uint32_t i = 0; i < usage->count; i++) {
		entry_t *entry = &usage->entry[i];

		switch (fate(entry->of, entry->id, arg)) {
		case USAGE_GOES:
			continue;
		case USAGE_DECAYS:
			_add(&entry->sum, &entry->sum, times - 1);
			break;
		case USAGE_STAYS:
			break;
		}
		usage->entry[left++] = *entry;
	}
	usage->count = left;
	usage->until = now;
}

/* ---- who is above whom ---- */

/*
 * Sum up anew, by who is above them now, what is not of those below: of users,
 * and of those that are gone.
 */
static void _sum_up(usage_t *usage, const uint32_t *parents)
{
	usage_t anew = { 0 };
	usage_sum_t *own = xcalloc(usage->count + 1, sizeof(*own));
	const entry_t *entry, *above;

	for (uint32_t i = 0; i < usage->count; i++)
		own[i] = usage->entry[i].sum;
	for (uint32_t i = 0; i < usage->count; i++) {
		entry = &usage->entry[i];
		if (entry->parent &&
		    (above = _entry(usage, USAGE_ASSOC, entry->parent)))
			_add(&own[above - usage->entry], &entry->sum, -1);
	}
	for (uint32_t i = 0; i < usage->count; i++) {
		uint32_t at = i, id;

		entry = &usage->entry[i];
		_add(&_get(&anew, entry->of, entry->id)->sum, &own[i], 1);
		for (int depth = 0; (id = parents[at]) && (depth < DEPTH_MAX);
		     depth++) {
			_add(&_get(&anew, USAGE_ASSOC, id)->sum, &own[i], 1);
			at = _entry(usage, USAGE_ASSOC, id) - usage->entry;
		}
	}
	xfree(own);
	xfree(usage->entry);
	usage->entry = anew.entry;
	usage->count = anew.count;
	usage->room = anew.room;
}

/* RET one that is above another and has no place yet, or 0 */
static uint32_t _missing(const usage_t *usage,
			 bool (*above)(uint32_t id, uint32_t *ret_parent,
				       void *arg),
			 void *arg)
{
	uint32_t parent;

	for (uint32_t i = 0; i < usage->count; i++)
		if ((usage->entry[i].of == USAGE_ASSOC) &&
		    above(usage->entry[i].id, &parent, arg) && parent &&
		    !_entry(usage, USAGE_ASSOC, parent))
			return parent;
	return 0;
}

extern bool usage_set_tree(usage_t *usage,
			   bool (*above)(uint32_t id, uint32_t *ret_parent,
					 void *arg),
			   void *arg)
{
	uint32_t *parents, parent;
	bool moved = false;

	while ((parent = _missing(usage, above, arg)))
		(void) _get(usage, USAGE_ASSOC, parent);
	parents = xcalloc(usage->count + 1, sizeof(*parents));
	for (uint32_t i = 0; i < usage->count; i++) {
		const entry_t *entry = &usage->entry[i];

		if (entry->of != USAGE_ASSOC)
			continue;
		if (above(entry->id, &parent, arg)) {
			moved |= entry->parent && (parent != entry->parent);
			parents[i] = parent;
		} else if (_entry(usage, USAGE_ASSOC, entry->parent)) {
			parents[i] = entry->parent;
		}
	}
	if (moved)
		_sum_up(usage, parents);
	/* they have kept their places */
	for (uint32_t i = 0; i < usage->count; i++)
		usage->entry[i].parent = parents[i];
	xfree(parents);
	return moved;
}

/* ---- by command ---- */

static bool _is_below(const usage_t *usage, const entry_t *entry, uint32_t id)
{
	for (int depth = 0; entry && (depth < DEPTH_MAX); depth++) {
		if (entry->parent == id)
			return true;
		entry = _entry(usage, USAGE_ASSOC, entry->parent);
	}
	return false;
}

extern void usage_forget(usage_t *usage, uint32_t id)
{
	entry_t *entry = _entry(usage, USAGE_ASSOC, id), *above = entry;
	usage_sum_t gone;

	if (!entry)
		return;
	gone = entry->sum;
	for (int depth = 0; above && (depth < DEPTH_MAX); depth++) {
		_add(&above->sum, &gone, -1);
		above = _entry(usage, USAGE_ASSOC, above->parent);
	}
	for (uint32_t i = 0; i < usage->count; i++)
		if (_is_below(usage, &usage->entry[i], id))
			usage->entry[i].sum = (usage_sum_t) { 0 };
}

extern void usage_set_qos(usage_t *usage, uint32_t id, double raw)
{
	usage_sum_t *sum = &_get(usage, USAGE_QOS, id)->sum;

	/* it comes from a client */
	if (!isfinite(raw) || (raw <= 0)) {
		*sum = (usage_sum_t) { 0 };
		return;
	}
	sum->raw = raw;
}

/* ---- the ledger's ----
 *
 * Both: u16 version. RECORD_USAGE: i64 time up to which all are charged, i64
 * time of the last reset. Both: sums, each u8 of whom, u32 id, u32 id of the
 * one above, and doubles as u64: raw, wall, TRES in the order of limit_tres_t.
 * Version 1 had the number of sums before them, and none above.
 */

extern void usage_pack(const usage_t *usage, fed_bytes_t *bytes)
{
	fed_put_u16(bytes, RECORD_VERSION);
	fed_put_i64(bytes, usage->until);
	fed_put_i64(bytes, usage->last_reset);
	for (uint32_t i = 0; i < usage->count; i++)
		_put(bytes, &usage->entry[i], &usage->entry[i].sum);
}

static void _replay_sums(usage_t *usage, fed_reader_t *reader,
			 uint16_t version)
{
	if (version == 1)
		(void) fed_get_u32(reader);
	while (fed_reader_left(reader)) {
		usage_of_t of = fed_get_u8(reader);
		uint32_t id = fed_get_u32(reader);
		uint32_t parent = (version == 1) ? 0 : fed_get_u32(reader);
		usage_sum_t amount;
		entry_t *entry;

		amount.raw = fed_get_double(reader);
		amount.wall = fed_get_double(reader);
		for (limit_tres_t j = 0; j < LIMIT_TRES; j++)
			amount.tres[j] = fed_get_double(reader);
		if (reader->bad)
			return;
		entry = _get(usage, of, id);
		entry->parent = parent;
		_add(&entry->sum, &amount, 1);
	}
}

extern int usage_replay(usage_t *usage, uint16_t type, const void *body,
			size_t len, fed_err_t *err)
{
	fed_reader_t reader;
	uint16_t version;

	fed_reader_init(&reader, body, len);
	version = fed_get_u16(&reader);
	if (!version || (version > RECORD_VERSION))
		return fed_err_set(err, EPROTO,
				   "record of usage has version %u, this release knows %u",
				   version, RECORD_VERSION);
	if (type == RECORD_USAGE) {
		usage->count = 0;
		usage->until = fed_get_i64(&reader);
		usage->last_reset = fed_get_i64(&reader);
	}
	_replay_sums(usage, &reader, version);
	return fed_reader_done(&reader) ? 0 :
	       fed_err_set(err, EPROTO, "record of usage makes no sense");
}
