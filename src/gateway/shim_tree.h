/*
 * shim_tree.h - all processes of a job, seen from its shim.
 *
 * The shim is a subreaper, so whatever the script starts is its descendant,
 * however often it forks and detaches. With a cgroup the kernel does the work.
 */
#ifndef FED_GATEWAY_SHIM_TREE_H
#define FED_GATEWAY_SHIM_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Send a signal to every process of the job.
 * IN but - not to this one; 0: to all
 */
extern void gw_tree_signal(pid_t but, int sig);

/* IN cgroup - the job's, or NULL */

/* Kill all of it; to be called again until nothing is left to wait for. */
extern void gw_tree_kill(const char *cgroup);

extern void gw_tree_suspend(const char *cgroup, bool suspend);

/* RET memory in use by all of them together */
extern uint64_t gw_tree_rss_kb(void);

#endif
