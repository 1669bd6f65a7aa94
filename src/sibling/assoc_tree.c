/*
 * assoc_tree.c - who may do what on a FLURM cluster: which associations there
 * are, and which is above another (see assoc.h).
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
