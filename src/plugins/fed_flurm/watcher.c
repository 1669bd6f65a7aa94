/*
 * watcher.c - starts and stops the controllers as slurmctld comes and goes.
 *
 * init() runs before slurmctld has a database connection, on a standby backup
 * too, and fini() never in practice (slurmctld/controller.c calls it only in
 * builds that look for leaks). So a thread asks again and again whether this
 * slurmctld is the one in control; on shutdown, on giving control back, and
 * in the old process of a reconfigure (24.11) everything of ours must be
 * closed at once, for the next one to take over.
 */
#include "src/plugins/fed_flurm/watcher.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/plugins/fed_flurm/submit.h"
#include "src/sibling/compat.h"
#include "src/sibling/host.h"
#include "src/sibling/net.h"
#include "src/sibling/thread.h"
#include "src/slurmctld/slurmctld.h"

/*
 * So often that ours listens before a slurmctld that starts looks for its
 * siblings (it schedules without those that do not), and is gone before one
 * that takes over does: with 24.11 that one is there 80 ms later.
 */
#define LOOK_EVERY_MS 20
#define START_EVERY_MS 1000	/* what could not be started */
#define KEEP_S 30
#define KEPT_MAX 64

static pthread_t thread;
static bool running;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static bool stop;		/* under lock */

/* the thread's own */
static host_t *host;
static bool complete;		/* all clusters of host run */
static int64_t next_start;	/* of those that do not, by net_now_ms() */
static time_t conf_time;	/* slurm_conf.last_update that host knows */
static time_t bad_time;		/* the same, of a configuration that is bad */
static int kept[KEPT_MAX];	/* registrations that outlive their host */
static int kept_cnt;
static time_t kept_until;

static void _slurm_log(fed_log_level_t level, const char *text)
{
	switch (level) {
	case FED_LOG_ERROR:
		error("fed_flurm: %s", text);
		break;
	case FED_LOG_INFO:
		info("fed_flurm: %s", text);
		break;
	case FED_LOG_VERBOSE:
		verbose("fed_flurm: %s", text);
		break;
	case FED_LOG_DEBUG:
		log_flag(FEDR, "fed_flurm: %s", text);
		break;
	}
}

/* "scontrol setdebugflags +federation" is followed while we run */
static void _follow_debug_flags(void)
{
	fed_log_init(_slurm_log,
		     (slurm_conf.debug_flags & DEBUG_FLAG_FEDR) ?
		     FED_LOG_DEBUG : FED_LOG_VERBOSE);
}

/*
 * Is this slurmctld in control, and has it started? (slurmctld/controller.c,
 * main()) It saves its state from when it knows its federation and is about
 * to serve its port. Not before: our registration is pushed to it, too, and
 * slurmdbd would wait for it while it still waits for slurmdbd or a sibling.
 */
static bool _is_active(void)
{
	return !slurmctld_config.shutdown_time &&
	       slurmctld_config.thread_id_save && acct_db_conn;
}

static void _tell_submit(void)
{
	char *names = host ? host_cluster_names(host) : NULL;

	submit_set_clusters(names);
	xfree(names);
}

static void _start(void)
{
	fed_err_t err;

	if (bad_time && (bad_time == slurm_conf.last_update))
		return;
	conf_time = slurm_conf.last_update;
	host = host_create(NULL, "slurmctld", &err);
	complete = false;
	next_start = 0;
	bad_time = host ? 0 : conf_time;
	if (!host)
		error("fed_flurm: disabled: %s", err.text);
	_tell_submit();
}

/* slurm.conf was read anew (22.05): ours too */
static void _reconfigure(void)
{
	fed_err_t err;

	conf_time = slurm_conf.last_update;
	if (host_reconfigure(host, &err)) {
		error("fed_flurm: the old configuration stays: %s", err.text);
	} else {
		complete = false;
		next_start = 0;
	}
	_tell_submit();
}

static void _close_kept(void)
{
	while (kept_cnt)
		close(kept[--kept_cnt]);
}

/*
 * Stop, but stay registered for a while. When a registration ends, slurmdbd
 * tells all clusters and waits for each, with everything locked; this
 * slurmctld, which is on its way out, may not answer any more while its
 * successor (24.11, reconfigure) waits for slurmdbd. Whoever registers next
 * takes the registration over, and the end of the process ends it.
 */
static void _leave(void)
{
	if (!host)
		return;
	_close_kept();
	kept_cnt = host_leave(host, kept, KEPT_MAX);
	kept_until = time(NULL) + KEEP_S;
	host = NULL;
}

static void _look(void)
{
	_follow_debug_flags();
	if (kept_cnt && (time(NULL) >= kept_until))
		_close_kept();
	if (!_is_active()) {
		if (host)
			info("fed_flurm: slurmctld is no longer in control: stopping");
		_leave();
		bad_time = 0;
		return;
	}
	if (!host)
		_start();
	else if (conf_time != slurm_conf.last_update)
		_reconfigure();
	if (host && !complete && (net_now_ms() >= next_start)) {
		complete = host_start(host);
		next_start = net_now_ms() + START_EVERY_MS;
	}
}

/* RET false if it is time to stop */
static bool _pause(int ms)
{
	struct timespec until;
	bool go_on;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ms * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&lock);
	if (!stop)
		(void) pthread_cond_timedwait(&wake, &lock, &until);
	go_on = !stop;
	pthread_mutex_unlock(&lock);
	return go_on;
}

static void *_run(void *arg)
{
	do {
		_look();
	} while (_pause(LOOK_EVERY_MS));
	host_destroy(host);
	host = NULL;
	_close_kept();
	return NULL;
}

extern void watcher_start(void)
{
	int rc;

	if (running)
		return;
	_follow_debug_flags();
	stop = false;
	if ((rc = thread_start(&thread, "fl-watcher", _run, NULL)))
		error("fed_flurm: disabled: start a thread: %s", strerror(rc));
	else
		running = true;
}

extern void watcher_stop(void)
{
	if (!running)
		return;
	pthread_mutex_lock(&lock);
	stop = true;
	pthread_cond_signal(&wake);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	running = false;
}
