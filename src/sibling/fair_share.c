/*
 * fair_share.c - what share each association has had (see fair_share.h).
 *
 * Functions below are named after what they do in priority/multifactor.
 */
#include "src/sibling/fair_share.h"

#include <math.h>
#include <stdlib.h>

#include "src/sibling/compat.h"

#define NO_LEVEL ((long double) NO_VAL)

typedef struct {
	fair_kind_t kind;
	fair_node_t *nodes;
	uint32_t count;
	uint32_t *below;	/* places, by parent and order */
	uint32_t *first;	/* of each: where those below it begin in that;
				 * one more than there are nodes */
	/* of a fair tree */
	uint32_t users;
	uint32_t rank, next_rank;
} tree_t;

/* ---- who is below whom ---- */

static int _by_parent(const void *a, const void *b, void *arg)
{
	const fair_node_t *nodes = arg;
	const fair_node_t *left = &nodes[*(const uint32_t *) a];
	const fair_node_t *right = &nodes[*(const uint32_t *) b];

	if (left->parent != right->parent)
		return (left->parent > right->parent) ? 1 : -1;
	return (left->order > right->order) - (left->order < right->order);
}

static void _find_below(tree_t *tree)
{
	uint32_t at = 0;

	tree->below = xcalloc(tree->count + 1, sizeof(*tree->below));
	tree->first = xcalloc(tree->count + 2, sizeof(*tree->first));
	for (uint32_t i = 0; i < tree->count; i++)
		tree->below[i] = i;
	qsort_r(tree->below, tree->count, sizeof(*tree->below), _by_parent,
		tree->nodes);
	while ((at < tree->count) && (tree->nodes[tree->below[at]].parent < 0))
		at++;
	for (uint32_t i = 0; i <= tree->count; i++) {
		tree->first[i] = at;
		while ((at < tree->count) &&
		       (tree->nodes[tree->below[at]].parent == (int32_t) i))
			at++;
	}
}

/* ---- a fair tree ---- */

/* _calc_assoc_fs() */
static void _set_level(fair_node_t *node, const fair_node_t *parent)
{
	node->efctv = parent->raw ? node->raw / parent->raw : 0;
	if (node->shares_parent)
		node->level_fs = node->user ? INFINITY : NO_LEVEL;
	else if (!node->shares_norm)
		node->level_fs = 0;
	else
		node->level_fs = node->shares_norm / node->efctv;
}

/* _cmp_level_fs() */
static int _by_level(const void *a, const void *b, void *arg)
{
	const fair_node_t *nodes = arg;
	const fair_node_t *left = &nodes[*(const uint32_t *) a];
	const fair_node_t *right = &nodes[*(const uint32_t *) b];

	if (left->level_fs != right->level_fs)
		return (left->level_fs < right->level_fs) ? 1 : -1;
	if (left->user != right->user)
		return left->user ? -1 : 1;
	return (left->order > right->order) - (left->order < right->order);
}

/*
 * _calc_tree_fs(). That accounts that are tied are merged is never so there, as
 * _count_tied_accounts() finds none: their users follow each other, and only
 * the first of one is tied with the last of the other.
 */
static void _rank(tree_t *tree, uint32_t place, bool tied_above)
{
	uint32_t from = tree->first[place], to = tree->first[place + 1];
	long double before = NO_LEVEL;

	for (uint32_t i = from; i < to; i++)
		_set_level(&tree->nodes[tree->below[i]], &tree->nodes[place]);
	qsort_r(&tree->below[from], to - from, sizeof(*tree->below), _by_level,
		tree->nodes);
	for (uint32_t i = from; i < to; i++) {
		fair_node_t *node = &tree->nodes[tree->below[i]];
		bool tied = ((i == from) && tied_above) ||
			    (before == node->level_fs);

		if (node->user) {
			if (!tied)
				tree->rank = tree->next_rank;
			node->factor = tree->rank / (double) tree->users;
			tree->next_rank--;
		} else {
			_rank(tree, tree->below[i], tied);
		}
		before = node->level_fs;
	}
}

static void _set_tree(tree_t *tree, uint32_t root)
{
	for (uint32_t i = 0; i < tree->count; i++)
		tree->users += tree->nodes[i].user;
	tree->rank = tree->next_rank = tree->users;
	tree->nodes[root].level_fs = NO_LEVEL;
	_rank(tree, root, false);
}

/* ---- without ---- */

/* _depth_oblivious_set_usage_efctv() */
static long double _oblivious(const tree_t *tree, const fair_node_t *node)
{
	const fair_node_t *parent = &tree->nodes[node->parent];
	long double above, own, all = 0, power = 1;

	if (!node->shares_norm || !parent->shares_norm || !parent->efctv ||
	    !node->norm)
		return node->norm;
	above = parent->efctv / parent->shares_norm;
	for (uint32_t i = tree->first[node->parent];
	     i < tree->first[node->parent + 1]; i++) {
		const fair_node_t *other = &tree->nodes[tree->below[i]];

		if (!other->shares_parent)
			all += other->norm;
	}
	own = (node->norm / node->shares_norm) / (all / parent->shares_norm);
	if (logl(above) * logl(own) < 0)
		power = 1 / (1 + powl(5 * logl(above), 2));
	return above * pow(own, power) * node->shares_norm;
}

/* _set_usage_efctv() */
static long double _classic(const fair_node_t *node, const fair_node_t *parent)
{
	if (!node->level_shares)
		return parent->efctv;
	return node->norm + (parent->efctv - node->norm) *
	       (node->shares_raw / (long double) node->level_shares);
}

/* _set_assoc_usage_efctv(), of all below */
static void _set_below(tree_t *tree, uint32_t place)
{
	const fair_node_t *parent = &tree->nodes[place];

	for (uint32_t i = tree->first[place]; i < tree->first[place + 1]; i++) {
		fair_node_t *node = &tree->nodes[tree->below[i]];

		if (parent->root)
			node->efctv = node->norm;
		else if (node->shares_parent)
			node->efctv = parent->efctv;
		else if (tree->kind == FAIR_OBLIVIOUS)
			node->efctv = _oblivious(tree, node);
		else
			node->efctv = _classic(node, parent);
		_set_below(tree, tree->below[i]);
	}
}

extern void fair_share(fair_kind_t kind, fair_node_t *nodes, uint32_t count)
{
	tree_t tree = { .kind = kind, .nodes = nodes, .count = count };
	uint32_t root = 0;

	while ((root < count) && !nodes[root].root)
		root++;
	if ((kind == FAIR_NONE) || (root == count))
		return;
	for (uint32_t i = 0; i < count; i++)
		if ((i != root) && nodes[root].raw)
			nodes[i].norm = fminl(nodes[i].raw / nodes[root].raw,
					      1);
	nodes[root].efctv = 1;
	_find_below(&tree);
	if (kind == FAIR_TREE)
		_set_tree(&tree, root);
	else
		_set_below(&tree, root);
	xfree(tree.below);
	xfree(tree.first);
}
