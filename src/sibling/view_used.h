/*
 * view_used.h - what associations and QOS have used and have in use, at the
 * moment of a view (view.h).
 */
#ifndef FED_SIBLING_VIEW_USED_H
#define FED_SIBLING_VIEW_USED_H

#include <stddef.h>

#include "src/sibling/job_bound.h"

/* Of an association, a QOS, or with a QOS one user or account */
typedef struct {
	holder_t who;		/* its account is owned */
	uint32_t submitted;
	uint32_t running;
	uint64_t tres[LIMIT_TRES];
	uint64_t run_secs[LIMIT_TRES];
	usage_sum_t sum;	/* 0 of one user or account */
} view_used_t;

typedef struct {
	view_used_t *used;	/* in the order of _order() */
	size_t count;
} view_used_list_t;

/*
 * IN holders - of job_bound.h, or NULL; IN usage - or NULL
 * OUT list - for view_used_free()
 */
extern void view_used_make(view_used_list_t *list, xhash_t *holders,
			   const usage_t *usage);
extern void view_used_free(view_used_list_t *list);

/* RET that of an association or QOS, or NULL: nothing at all */
extern const view_used_t *view_used_find(const view_used_list_t *list,
					 usage_of_t of, uint32_t id);

/* RET the next one, of a user or an account with the same QOS, or NULL */
extern const view_used_t *view_used_next(const view_used_list_t *list,
					 const view_used_t *used);

#endif
