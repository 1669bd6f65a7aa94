/*
 * view_used.c - what was used and is in use, in a view (see view_used.h).
 */
#include "src/sibling/view_used.h"

#include <stdlib.h>

typedef struct {
	view_used_list_t *list;
	size_t room;
	size_t known;		/* of these, those with something in use */
} make_t;

/* By association or QOS; that itself, then its users, then its accounts */
static int _order(const void *a, const void *b)
{
	const holder_t *left = &((const view_used_t *) a)->who;
	const holder_t *right = &((const view_used_t *) b)->who;

	if (left->of != right->of)
		return (left->of > right->of) ? 1 : -1;
	if (left->id != right->id)
		return (left->id > right->id) ? 1 : -1;
	if (left->account || right->account)
		return (left->account && right->account) ?
			xstrcmp(left->account, right->account) :
			left->account ? 1 : -1;
	/* of no user in particular is NO_VAL */
	return ((left->uid + 2) > (right->uid + 2)) -
	       ((left->uid + 2) < (right->uid + 2));
}

static view_used_t *_find(const view_used_list_t *list, size_t count,
			  usage_of_t of, uint32_t id)
{
	const view_used_t key = {
		.who = { .of = of, .id = id, .uid = NO_VAL },
	};

	return count ? bsearch(&key, list->used, count, sizeof(key), _order) :
		       NULL;
}

static view_used_t *_add(make_t *make)
{
	view_used_list_t *list = make->list;

	if (list->count == make->room) {
		make->room = MAX(make->room * 2, 64);
		xrecalloc(list->used, make->room, sizeof(*list->used));
	}
	return &list->used[list->count++];
}

static void _add_holder(const holder_t *who, const limits_used_t *used,
			void *arg)
{
	make_t *make = arg;
	view_used_t *one = _add(make);

	one->who = *who;
	one->who.account = xstrdup(who->account);
	one->submitted = used->submitted;
	one->running = used->running;
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++) {
		one->tres[i] = used->tres[i];
		one->run_secs[i] = limits_run_secs(used, i);
	}
}

static void _add_sum(usage_of_t of, uint32_t id, const usage_sum_t *sum,
		     void *arg)
{
	make_t *make = arg;
	view_used_t *one = _find(make->list, make->known, of, id);

	if (!one) {
		one = _add(make);
		one->who = (holder_t) { .of = of, .id = id, .uid = NO_VAL };
	}
	one->sum = *sum;
}

static void _sort(view_used_list_t *list)
{
	if (list->count)
		qsort(list->used, list->count, sizeof(*list->used), _order);
}

extern void view_used_make(view_used_list_t *list, xhash_t *holders,
			   const usage_t *usage)
{
	make_t make = { .list = list };

	*list = (view_used_list_t) { 0 };
	job_bound_walk(holders, _add_holder, &make);
	_sort(list);
	make.known = list->count;
	if (usage)
		usage_walk(usage, _add_sum, &make);
	_sort(list);
}

extern void view_used_free(view_used_list_t *list)
{
	for (size_t i = 0; i < list->count; i++)
		xfree(list->used[i].who.account);
	xfree(list->used);
	*list = (view_used_list_t) { 0 };
}

extern const view_used_t *view_used_find(const view_used_list_t *list,
					 usage_of_t of, uint32_t id)
{
	return _find(list, list->count, of, id);
}

extern const view_used_t *view_used_next(const view_used_list_t *list,
					 const view_used_t *used)
{
	const view_used_t *next = used + 1;

	return ((next < list->used + list->count) &&
		(next->who.of == used->who.of) &&
		(next->who.id == used->who.id)) ? next : NULL;
}
