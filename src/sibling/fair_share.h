/*
 * fair_share.h - what share of a cluster each association has had, beside that
 * which it should have: sshare's numbers.
 *
 * The rules are those of priority/multifactor (fair_tree.c, _calc_tree_fs();
 * priority_multifactor.c, _set_assoc_usage_efctv()). Pure.
 */
#ifndef FED_SIBLING_FAIR_SHARE_H
#define FED_SIBLING_FAIR_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* PriorityType and PriorityFlags */
typedef enum {
	FAIR_NONE,		/* priority/basic */
	FAIR_TREE,
	FAIR_CLASSIC,		/* NO_FAIR_TREE */
	FAIR_OBLIVIOUS,		/* DEPTH_OBLIVIOUS */
} fair_kind_t;

/* An association */
typedef struct {
	uint32_t id;
	int32_t parent;		/* place of the one that its share is a part
				 * of; -1: none, or it is not in the tree */
	uint32_t order;		/* of those below the same, as slurmdbd's */
	bool root;
	bool user;		/* and no account */
	bool shares_parent;	/* it has no share of its own */
	uint32_t shares_raw;
	uint32_t level_shares;	/* of all below the same */
	double shares_norm;
	long double raw;	/* what was used */
	/* what follows from it */
	long double norm;	/* of all that was */
	long double efctv;
	long double level_fs;	/* FAIR_TREE only */
	double factor;		/* the same, of users */
} fair_node_t;

/* Reckon what follows from what was used. IN/OUT nodes - count of them */
extern void fair_share(fair_kind_t kind, fair_node_t *nodes, uint32_t count);

#endif
