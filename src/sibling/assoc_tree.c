/*
 * assoc_tree.c - who may do what on a FLURM cluster: which associations there
 * are, and which are above and below another (see assoc.h).
 */
#include "src/sibling/assoc_int.h"

#include <stdlib.h>

static int _by_id(const void *a, const void *b)
{
	const assoc_link_t *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

extern assoc_link_t *assoc_links(assoc_t *assoc, uint32_t *ret_count)
{
	const assoc_known_t *known = &assoc->known;
	assoc_link_t *links;
	uint32_t count = 0;

	pthread_mutex_lock(&assoc->lock);
	links = xcalloc(known->rec_cnt + known->acct_cnt + 1, sizeof(*links));
	for (uint32_t i = 0; i < known->rec_cnt; i++)
		links[count++] = (assoc_link_t) {
			.id = known->recs[i].id,
			.parent = known->recs[i].parent,
		};
	for (uint32_t i = 0; i < known->acct_cnt; i++)
		links[count++] = (assoc_link_t) {
			.id = known->accts[i].id,
			.parent = known->accts[i].parent,
		};
	pthread_mutex_unlock(&assoc->lock);
	qsort(links, count, sizeof(*links), _by_id);
	*ret_count = count;
	return links;
}

extern const assoc_link_t *assoc_link(const assoc_link_t *links,
				      uint32_t count, uint32_t id)
{
	const assoc_link_t key = { .id = id };

	return bsearch(&key, links, count, sizeof(key), _by_id);
}

/* RET the id of the one above, or 0 */
static uint32_t _parent(const assoc_known_t *known, uint32_t id)
{
	const assoc_acct_t *acct = assoc_known_acct(known, id);

	if (acct)
		return acct->parent;
	for (uint32_t i = 0; i < known->rec_cnt; i++)
		if (known->recs[i].id == id)
			return known->recs[i].parent;
	return 0;
}

static bool _is_above(const assoc_known_t *known, uint32_t above,
		      uint32_t parent)
{
	const assoc_acct_t *acct;

	for (int i = 0; (i < ASSOC_DEPTH_MAX) && (parent != above); i++) {
		if (!(acct = assoc_known_acct(known, parent)))
			return false;
		parent = acct->parent;
	}
	return parent == above;
}

extern void assoc_kin(assoc_t *assoc, uint32_t id, assoc_kin_t *ret)
{
	const assoc_known_t *known = &assoc->known;
	uint32_t parent;

	*ret = (assoc_kin_t) { 0 };
	ret->above = xcalloc(ASSOC_DEPTH_MAX, sizeof(*ret->above));
	pthread_mutex_lock(&assoc->lock);
	ret->below = xcalloc(known->rec_cnt + known->acct_cnt + 1,
			     sizeof(*ret->below));
	parent = _parent(known, id);
	while (parent && (ret->above_cnt < ASSOC_DEPTH_MAX)) {
		ret->above[ret->above_cnt++] = parent;
		parent = _parent(known, parent);
	}
	for (uint32_t i = 0; i < known->rec_cnt; i++)
		if (_is_above(known, id, known->recs[i].parent))
			ret->below[ret->below_cnt++] = known->recs[i].id;
	for (uint32_t i = 0; i < known->acct_cnt; i++)
		if (_is_above(known, id, known->accts[i].parent))
			ret->below[ret->below_cnt++] = known->accts[i].id;
	pthread_mutex_unlock(&assoc->lock);
}

extern void assoc_kin_free(assoc_kin_t *kin)
{
	xfree(kin->above);
	xfree(kin->below);
}
