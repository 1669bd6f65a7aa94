/*
 * loop.c - one thread's loop for HTTP clients (see loop.h): libcurl's multi
 * handle and a heap of timers.
 */
#include "src/flurm/loop_inside.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/core/mem.h"

struct flurm_loop {
	CURLM *multi;
	fed_timers_t timers;
	int64_t now_ms;
};

static int64_t _clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global_rc;

static void _init_once(void)
{
	/* never undone: others in this process may use libcurl too */
	global_rc = curl_global_init(CURL_GLOBAL_DEFAULT);
}

extern flurm_loop_t *flurm_loop_create(fed_err_t *err)
{
	flurm_loop_t *loop;
	CURLM *multi;

	pthread_once(&once, _init_once);
	multi = global_rc ? NULL : curl_multi_init();
	if (!multi) {
		fed_err_set(err, 0, "libcurl does not start: %s",
			    curl_easy_strerror(global_rc));
		return NULL;
	}
	loop = fed_calloc(1, sizeof(*loop));
	loop->multi = multi;
	loop->now_ms = _clock_ms();
	return loop;
}

extern void flurm_loop_destroy(flurm_loop_t *loop)
{
	if (!loop)
		return;
	curl_multi_cleanup(loop->multi);
	fed_timers_free(&loop->timers);
	free(loop);
}

extern void flurm_loop_wakeup(flurm_loop_t *loop)
{
	curl_multi_wakeup(loop->multi);
}

extern int64_t flurm_loop_now(const flurm_loop_t *loop)
{
	return loop->now_ms;
}

extern fed_timers_t *loop_timers(flurm_loop_t *loop)
{
	return &loop->timers;
}

extern CURLM *loop_multi(flurm_loop_t *loop)
{
	return loop->multi;
}

/*
 * Do what there is to do without waiting.
 * RET true if there was anything
 */
static bool _work(flurm_loop_t *loop)
{
	bool worked = false;
	CURLMsg *message;
	int left;

	loop->now_ms = _clock_ms();
	curl_multi_perform(loop->multi, &left);
	while ((message = curl_multi_info_read(loop->multi, &left))) {
		CURL *easy = message->easy_handle;
		CURLcode code = message->data.result;

		if (message->msg == CURLMSG_DONE) {
			transfer_finished(easy, code);
			worked = true;
		}
	}
	if (timers_run(&loop->timers, loop->now_ms))
		worked = true;
	return worked;
}

/* RET milliseconds to wait, at most max_ms (negative: no limit) */
static int _wait_ms(const flurm_loop_t *loop, int max_ms)
{
	int64_t next_ms = timers_next(&loop->timers);
	int64_t wait_ms = INT_MAX;

	if (next_ms != INT64_MAX)
		wait_ms = (next_ms > loop->now_ms) ? next_ms - loop->now_ms : 0;
	if ((max_ms >= 0) && (wait_ms > max_ms))
		wait_ms = max_ms;
	return (wait_ms > INT_MAX) ? INT_MAX : wait_ms;
}

extern int flurm_loop_turn(flurm_loop_t *loop, int max_ms, fed_err_t *err)
{
	bool worked = _work(loop);
	CURLMcode rc;

	rc = curl_multi_poll(loop->multi, NULL, 0,
			     worked ? 0 : _wait_ms(loop, max_ms), NULL);
	_work(loop);
	if (rc)
		return fed_err_set(err, 0, "waiting for the network: %s",
				   curl_multi_strerror(rc));
	return 0;
}
