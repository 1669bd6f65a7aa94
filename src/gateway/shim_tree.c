/*
 * shim_tree.c - all processes of a job, seen from its shim (see shim_tree.h).
 *
 * Without a cgroup a signal goes to each descendant that a pass over /proc
 * finds. A kill stops them all first: what stands still cannot fork away
 * between the passes. A process that is killed becomes the shim's to reap, so
 * its pid is not used again before the next pass.
 */
#include "src/gateway/shim_tree.h"

#include <signal.h>
#include <unistd.h>

#include "src/gateway/cgroup.h"
#include "src/gateway/proc.h"

#define STOP_PASSES 16

/* RET how many there were */
static size_t _signal_descendants(pid_t but, int sig)
{
	gw_proc_list_t list;
	size_t count;

	if (gw_proc_descendants(getpid(), &list))
		return 0;
	for (size_t i = 0; i < list.count; i++)
		if (list.pids[i] != but)
			(void) kill(list.pids[i], sig);
	count = list.count;
	gw_proc_list_free(&list);
	return count;
}

/* Stop them until a pass finds no more than the pass before. */
static void _stop_descendants(void)
{
	size_t count = 0, before;
	int passes = 0;

	do {
		before = count;
		count = _signal_descendants(0, SIGSTOP);
	} while ((count > before) && (++passes < STOP_PASSES));
}

extern void gw_tree_signal(pid_t but, int sig)
{
	(void) _signal_descendants(but, sig);
}

extern void gw_tree_kill(const char *cgroup)
{
	if (cgroup && !gw_cgroup_kill(cgroup))
		return;
	_stop_descendants();
	(void) _signal_descendants(0, SIGKILL);
}

extern void gw_tree_suspend(const char *cgroup, bool suspend)
{
	if (cgroup && !gw_cgroup_freeze(cgroup, suspend))
		return;
	if (suspend)
		_stop_descendants();
	else
		(void) _signal_descendants(0, SIGCONT);
}

extern uint64_t gw_tree_rss_kb(void)
{
	gw_proc_list_t list;
	uint64_t rss_kb;

	if (gw_proc_descendants(getpid(), &list))
		return 0;
	rss_kb = list.rss_kb;
	gw_proc_list_free(&list);
	return rss_kb;
}
