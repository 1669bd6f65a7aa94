/*
 * thread.h - a named thread that takes no signals.
 */
#ifndef FED_SIBLING_THREAD_H
#define FED_SIBLING_THREAD_H

#include <pthread.h>

/*
 * Start a joinable thread with all signals blocked, since the host
 * (slurmctld) waits for its signals in a thread of its own.
 * IN name - copied; the kernel keeps its first 15 characters
 * RET 0, or an errno value
 */
extern int thread_start(pthread_t *ret_id, const char *name,
			void *(*run)(void *), void *arg);

#endif
