/*
 * proc.h - which process is which, and which ones belong together.
 *
 * A pid alone names nothing: it is used again. A process is named by its pid,
 * the time it started (in clock ticks since boot) and the boot it lives in, so
 * that it is found again after a restart of the gateway and never mistaken
 * for another.
 */
#ifndef FED_GATEWAY_PROC_H
#define FED_GATEWAY_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/core/err.h"

#define GW_BOOT_ID_MAX 40
#define GW_PROC_TEXT_MAX 96

typedef struct {
	pid_t pid;
	uint64_t start;			/* clock ticks since boot */
	char boot_id[GW_BOOT_ID_MAX];	/* of the kernel, 36 characters */
} gw_proc_t;

/* RET 0, or -1 if there is no such process (errno ESRCH) or no /proc */
extern int gw_proc_of(pid_t pid, gw_proc_t *ret_proc);

/* RET true if exactly this process is there and not a zombie */
extern bool gw_proc_alive(const gw_proc_t *proc);

/* "PID START BOOT" and back. RET 0 or -1 if the text is not that */
extern void gw_proc_print(const gw_proc_t *proc, char text[GW_PROC_TEXT_MAX]);
extern int gw_proc_parse(const char *text, gw_proc_t *ret_proc);

/* Processes found together; free pids. */
typedef struct {
	pid_t *pids;
	size_t count;
	uint64_t rss_kb;	/* of all of them */
} gw_proc_list_t;

extern void gw_proc_list_free(gw_proc_list_t *list);

/*
 * All descendants of a process, itself not included, zombies not included.
 * With a subreaper at the top this is everything that it ever started.
 * RET 0 or -1 with errno
 */
extern int gw_proc_descendants(pid_t top, gw_proc_list_t *ret_list);

/*
 * All processes that carry "NAME=value" in the environment that they were
 * started with: what is left of a job whose shim is gone.
 */
extern int gw_proc_marked(const char *setting, gw_proc_list_t *ret_list);

#endif
