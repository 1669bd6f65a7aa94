/*
 * cgroup.h - a cgroup v2 of its own for each job, where we may make one.
 *
 * With it a job's processes are known to the kernel: none escapes a kill, and
 * a suspended job stands still at once. The memory controller is used if it
 * is there; killing and freezing need no controller.
 */
#ifndef FED_GATEWAY_CGROUP_H
#define FED_GATEWAY_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/core/err.h"

/*
 * Find where job cgroups can be made: a directory "flurm-jobs" below our own
 * cgroup, or beside it if we are in one named "daemon" (DelegateSubgroup= of
 * systemd): only then may the memory controller be passed down, since a group
 * that passes it down cannot hold processes, a restarted gateway for one.
 * IN wanted - "auto", "off", or a directory to use
 * OUT ret_base - malloc'd; NULL if there is none ("off", or "auto" without a
 *	writable cgroup v2)
 * RET 0, or -1 if a directory was named and cannot be used
 */
extern int gw_cgroup_base(const char *wanted, char **ret_base, fed_err_t *err);

/* RET 0, also if it is there already, or -1 with errno */
extern int gw_cgroup_make(const char *path);

/* RET true if the kernel will keep the group below this much */
extern bool gw_cgroup_limit_memory(const char *path, uint64_t bytes);

/* Move a process (0: the caller) into the group. RET 0 or -1 with errno */
extern int gw_cgroup_enter(const char *path, pid_t pid);

/* Kill everything in it. RET 0 or -1 with errno (ENOENT: an old kernel) */
extern int gw_cgroup_kill(const char *path);

extern int gw_cgroup_freeze(const char *path, bool freeze);

/* RET true if no process is in it, or if it is gone */
extern bool gw_cgroup_empty(const char *path);

/* RET how many processes of it the kernel killed for want of memory */
extern uint64_t gw_cgroup_oom_kills(const char *path);

/* Remove it and what the job made below it. RET 0 or -1 with errno */
extern int gw_cgroup_remove(const char *path);

#endif
