/*
 * fault.c - what goes wrong on purpose (see fault.h).
 */
#include "fed_config.h"

#include "src/gateway/fault.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/core/mem.h"

typedef struct {
	double refuse;
	int refuse_status;
	int64_t refuse_retry_after;
	double lose;
	double duplicate;
	int64_t delay_ms;
} settings_t;

struct gw_faults {
	pthread_mutex_t lock;
	settings_t now;
	uint64_t dice;
	gw_restart_t restart;
};

extern gw_faults_t *gw_faults_create(void)
{
	gw_faults_t *faults = fed_calloc(1, sizeof(*faults));

	pthread_mutex_init(&faults->lock, NULL);
	faults->dice = 1;
	faults->now.refuse_status = 503;
	faults->now.refuse_retry_after = FLURM_UNSET;
	return faults;
}

extern void gw_faults_free(gw_faults_t *faults)
{
	if (!faults)
		return;
	pthread_mutex_destroy(&faults->lock);
	free(faults);
}

/* --- setting them --- */

static int _share(const json_t *json, const char *name, double *ret_share,
		  fed_err_t *err)
{
	double share = json_number_value(json);

	if (!json)
		return 0;
	if (!json_is_number(json) || (share < 0) || (share > 1))
		return fed_err_set(err, EINVAL, "%s: not a share from 0 to 1",
				   name);
	*ret_share = share;
	return 0;
}

static int _number(const json_t *json, const char *name, int64_t min,
		   int64_t max, int64_t *ret_number, fed_err_t *err)
{
	json_int_t number = json_integer_value(json);

	if (!json)
		return 0;
	if (!json_is_integer(json) || (number < min) || (number > max))
		return fed_err_set(err, EINVAL, "%s: not a number from %lld "
				   "to %lld", name, (long long) min,
				   (long long) max);
	*ret_number = number;
	return 0;
}

static int _refuse(const json_t *json, settings_t *settings, fed_err_t *err)
{
	int64_t status = settings->refuse_status;

	if (!json)
		return 0;
	settings->refuse = 1;
	settings->refuse_retry_after = FLURM_UNSET;
	if ((_share(json_object_get(json, "share"), "refuse: share",
		    &settings->refuse, err) < 0) ||
	    (_number(json_object_get(json, "status"), "refuse: status", 400,
		     599, &status, err) < 0) ||
	    (_number(json_object_get(json, "retry_after"),
		     "refuse: retry_after", 0, 3600,
		     &settings->refuse_retry_after, err) < 0))
		return -1;
	settings->refuse_status = status;
	return 0;
}

/* Main waits for signals: this one wakes it. */
static void _restart(gw_faults_t *faults, const json_t *json)
{
	faults->restart = json_is_true(json_object_get(json, "forget")) ?
		GW_RESTART_FORGET : GW_RESTART;
	kill(getpid(), SIGUSR1);
}

extern int gw_faults_set(gw_faults_t *faults, const json_t *command,
			 fed_err_t *err)
{
	const json_t *restart = json_object_get(command, "restart");
	settings_t wanted;
	int rc = 0;

	pthread_mutex_lock(&faults->lock);
	wanted = faults->now;
	if ((_refuse(json_object_get(command, "refuse"), &wanted, err) < 0) ||
	    (_share(json_object_get(command, "lose"), "lose", &wanted.lose,
		    err) < 0) ||
	    (_share(json_object_get(command, "duplicate"), "duplicate",
		    &wanted.duplicate, err) < 0) ||
	    (_number(json_object_get(command, "delay_ms"), "delay_ms", 0,
		     600000, &wanted.delay_ms, err) < 0) ||
	    (restart && !json_is_object(restart) &&
	     (fed_err_set(err, EINVAL, "restart: not an object") < 0)))
		rc = -1;
	else
		faults->now = wanted;
	if (!rc && restart)
		_restart(faults, restart);
	pthread_mutex_unlock(&faults->lock);
	return rc;
}

extern void gw_faults_tell(gw_faults_t *faults, json_t *object)
{
	settings_t now;

	pthread_mutex_lock(&faults->lock);
	now = faults->now;
	pthread_mutex_unlock(&faults->lock);
	json_object_set_new(object, "refuse", json_pack(
		"{s:f, s:i}", "share", now.refuse, "status",
		now.refuse_status));
	json_object_set_new(object, "lose", json_real(now.lose));
	json_object_set_new(object, "duplicate", json_real(now.duplicate));
	json_object_set_new(object, "delay_ms", json_integer(now.delay_ms));
}

/* --- suffering them --- */

/* The caller holds the lock. RET true with this probability */
static bool _lot(gw_faults_t *faults, double share)
{
	faults->dice = faults->dice * 6364136223846793005ULL +
		1442695040888963407ULL;
	return (faults->dice >> 11) / 9007199254740992.0 < share;
}

extern bool gw_fault_refuses(gw_faults_t *faults, flurm_request_t *request)
{
	flurm_result_t result;
	settings_t now;
	bool refuses;

	if (!faults)
		return false;
	pthread_mutex_lock(&faults->lock);
	now = faults->now;
	refuses = _lot(faults, now.refuse);
	pthread_mutex_unlock(&faults->lock);
	if (!refuses)
		return false;
	flurm_result_init(&result);
	flurm_result_set(&result, now.refuse_status, NULL,
			 "refused on purpose");
	result.retry_after = now.refuse_retry_after;
	flurm_request_reply_result(request, &result);
	flurm_result_free(&result);
	return true;
}

extern bool gw_fault_loses(gw_faults_t *faults)
{
	bool loses;

	if (!faults)
		return false;
	pthread_mutex_lock(&faults->lock);
	loses = _lot(faults, faults->now.lose);
	pthread_mutex_unlock(&faults->lock);
	return loses;
}

extern int64_t gw_fault_delay_ms(gw_faults_t *faults)
{
	int64_t delay_ms;

	if (!faults)
		return 0;
	pthread_mutex_lock(&faults->lock);
	delay_ms = faults->now.delay_ms;
	pthread_mutex_unlock(&faults->lock);
	return delay_ms;
}

extern bool gw_fault_duplicates(gw_faults_t *faults)
{
	bool duplicates;

	if (!faults)
		return false;
	pthread_mutex_lock(&faults->lock);
	duplicates = _lot(faults, faults->now.duplicate);
	pthread_mutex_unlock(&faults->lock);
	return duplicates;
}

extern gw_restart_t gw_fault_restart(gw_faults_t *faults)
{
	gw_restart_t restart = GW_NO_RESTART;

	if (!faults)
		return restart;
	pthread_mutex_lock(&faults->lock);
	restart = faults->restart;
	faults->restart = GW_NO_RESTART;
	pthread_mutex_unlock(&faults->lock);
	return restart;
}
