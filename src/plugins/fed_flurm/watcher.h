/*
 * watcher.h - starts and stops the controllers as slurmctld comes and goes.
 */
#ifndef FED_PLUGIN_WATCHER_H
#define FED_PLUGIN_WATCHER_H

/* Returns at once. A failure is logged: slurmctld goes on without us. */
extern void watcher_start(void);

/* Stop everything and wait for it: less than two seconds. */
extern void watcher_stop(void);

#endif
