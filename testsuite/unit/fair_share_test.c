/*
 * fair_share_test.c - src/sibling/fair_share: what share each has had.
 *
 *	root    A   a1, a2
 *	        B   b1
 *	        r
 */
#include "testsuite/unit/unit.h"

#include <math.h>

#include "src/sibling/compat.h"
#include "src/sibling/fair_share.h"

enum { ROOT, A, B, R, A1, A2, B1, NODES };

static fair_node_t nodes[NODES];

static void _node(int place, int parent, bool user, uint32_t level,
		  double raw)
{
	nodes[place] = (fair_node_t) {
		.id = place + 1, .parent = parent, .order = place,
		.root = parent < 0, .user = user, .shares_raw = 1,
		.level_shares = level, .shares_norm = 1.0 / level, .raw = raw,
	};
}

static int _setup(void **state)
{
	_node(ROOT, -1, false, 1, 100);
	_node(A, ROOT, false, 3, 80);
	_node(B, ROOT, false, 3, 20);
	_node(R, ROOT, true, 3, 0);
	_node(A1, A, true, 2, 60);
	_node(A2, A, true, 2, 20);
	_node(B1, B, true, 1, 20);
	return 0;
}

#define assert_is(is, should) assert_true(fabsl((is) - (should)) < 1e-3)

static void _tree(void **state)
{
	fair_share(FAIR_TREE, nodes, NODES);
	assert_is(nodes[ROOT].efctv, 1);
	assert_true(nodes[ROOT].level_fs == NO_VAL);
	assert_is(nodes[A].norm, .8);
	assert_is(nodes[A1].norm, .6);
	assert_is(nodes[A1].efctv, .75);
	assert_is(nodes[A].level_fs, .416666);
	assert_is(nodes[B].level_fs, 1.666666);
	assert_true(isinf(nodes[R].level_fs));
	assert_is(nodes[R].factor, 1);
	assert_is(nodes[B1].factor, .75);
	assert_is(nodes[A2].factor, .5);
	assert_is(nodes[A1].factor, .25);
	assert_is(nodes[A].factor, 0);
}

/* Of two accounts that are tied, one's first user is with the other's last. */
static void _tied(void **state)
{
	nodes[A].raw = nodes[B].raw = 50;
	nodes[A1].raw = 30;
	fair_share(FAIR_TREE, nodes, NODES);
	assert_is(nodes[R].factor, 1);
	assert_is(nodes[A2].factor, .75);
	assert_is(nodes[A1].factor, .5);
	assert_is(nodes[B1].factor, .5);
}

static void _no_share_of_its_own(void **state)
{
	nodes[A2].shares_parent = true;
	nodes[B].shares_norm = 0;
	fair_share(FAIR_TREE, nodes, NODES);
	assert_true(isinf(nodes[A2].level_fs));
	assert_true(nodes[B].level_fs == 0);
	assert_is(nodes[B1].factor, .25);
	nodes[A].shares_parent = true;
	fair_share(FAIR_TREE, nodes, NODES);
	assert_true(nodes[A].level_fs == NO_VAL);
}

static void _nothing_was_used(void **state)
{
	for (int i = 0; i < NODES; i++)
		nodes[i].raw = 0;
	fair_share(FAIR_TREE, nodes, NODES);
	for (int i = 0; i < NODES; i++)
		assert_is(nodes[i].factor, nodes[i].user ? 1 : 0);
	assert_is(nodes[A].norm, 0);
}

static void _classic(void **state)
{
	nodes[B1].shares_parent = true;
	fair_share(FAIR_CLASSIC, nodes, NODES);
	assert_is(nodes[A].efctv, .8);
	assert_is(nodes[A1].efctv, .7);
	assert_is(nodes[A2].efctv, .5);
	assert_is(nodes[B1].efctv, .2);
	assert_is(nodes[A1].factor, 0);
	assert_true(nodes[A1].level_fs == 0);
}

static void _oblivious(void **state)
{
	nodes[A1].shares_norm = nodes[A2].shares_norm = 1.0 / 6;
	fair_share(FAIR_OBLIVIOUS, nodes, NODES);
	assert_is(nodes[A1].efctv, .6);
	assert_is(nodes[A2].efctv, .38648);
}

static void _no_root(void **state)
{
	nodes[ROOT].root = false;
	nodes[ROOT].parent = A;
	fair_share(FAIR_TREE, nodes, NODES);
	fair_share(FAIR_TREE, NULL, 0);
	assert_is(nodes[A1].factor, 0);
	/* and with priority/basic there is nothing */
	(void) _setup(NULL);
	fair_share(FAIR_NONE, nodes, NODES);
	assert_is(nodes[A1].norm, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, _setup)
	const struct CMUnitTest tests[] = {
		TEST(_tree),
		TEST(_tied),
		TEST(_no_share_of_its_own),
		TEST(_nothing_was_used),
		TEST(_classic),
		TEST(_oblivious),
		TEST(_no_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
