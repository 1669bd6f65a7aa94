/*
 * jobs_sync.c - JOB_SYNC, both ways (jobs_int.h).
 *
 * What a native lists is what it makes of each job; what we list decides what
 * it does with its own: a job that is missing counts as lost, so nothing is
 * listed before the ledger has been replayed.
 */
#include "src/sibling/jobs_int.h"

#include <stdlib.h>

#include "src/core/job_id.h"
#include "src/sibling/pack_info.h"

typedef struct {
	jobs_t *jobs;
	const char *peer;
	const job_info_t **listed;	/* by id */
	uint32_t count;
	time_t at;			/* by the native's clock */
} sync_t;

static int _by_id(const void *a, const void *b)
{
	const job_info_t *const *left = a, *const *right = b;

	return ((*left)->job_id > (*right)->job_id) -
	       ((*left)->job_id < (*right)->job_id);
}

static const job_info_t *_listed(const sync_t *sync, uint32_t id)
{
	const job_info_t key = { .job_id = id }, *wanted = &key, **found;

	if (!sync->count)
		return NULL;
	found = bsearch(&wanted, sync->listed, sync->count,
			sizeof(*sync->listed), _by_id);
	return found ? *found : NULL;
}

/*
 * Where the origin's own record stands (job_mgr.c, pack_job()). One that is to
 * be requeued when our run has ended is pending and not revoked any more; one
 * that is held or depends on another is pending at the origin alone.
 */
static fed_job_view_t _view(const jobs_t *jobs, const job_info_t *info)
{
	uint32_t base = info->job_state & JOB_STATE_BASE;
	uint64_t us = fed_sibling_bit(jobs_our_id(jobs));

	if (base > JOB_SUSPENDED)
		return FED_VIEW_FINISHED;
	if (base != JOB_PENDING)
		return FED_VIEW_ELSEWHERE;
	if (info->job_state & JOB_REQUEUE_FED)
		return (info->fed_siblings_active == us) ?
			FED_VIEW_REQUEUING : FED_VIEW_ELSEWHERE;
	/* revoked there as it runs elsewhere: where, its siblings tell */
	if ((info->job_state & JOB_REVOKED) && info->start_time) {
		if (info->fed_siblings_active == us)
			return FED_VIEW_HERE;
		if (info->fed_siblings_active &&
		    !(info->fed_siblings_active & us))
			return FED_VIEW_ELSEWHERE;
	}
	if (!info->priority || (info->state_reason == WAIT_DEPENDENCY) ||
	    (us && !(info->fed_siblings_viable & us)))
		return FED_VIEW_WITHDRAWN;
	return FED_VIEW_PENDING;
}

static void _sync_one(fed_job_t *job, void *arg)
{
	const sync_t *sync = arg;
	const job_host_t *host = job->host;
	const job_info_t *info;
	fed_job_event_t event = {
		.type = FED_EV_ORIGIN_VIEW,
		.now = sync->jobs->now,
		.view = FED_VIEW_ABSENT,
	};

	if (!host || xstrcmp(host->origin, sync->peer))
		return;
	if ((info = _listed(sync, job->id))) {
		event.view = _view(sync->jobs, info);
		event.restarts = info->restart_cnt;
		if (event.view == FED_VIEW_PENDING)
			jobs_lock_synced(sync->jobs, job);
	} else if (job->received >= sync->at) {
		/* younger than the list */
		event.view = FED_VIEW_UNHEARD;
	}
	jobs_event(sync->jobs, job, &event);
}

extern void jobs_take_sync(jobs_t *jobs, const char *peer,
			   const sib_msg_t *msg)
{
	const job_info_msg_t *list = msg->data;
	peer_flags_t flags = peers_flags(jobs->conf.peers, peer);
	sync_t sync = { .jobs = jobs, .peer = peer, .at = msg->start_time };

	/* a native keeps a list that it could not send, and sends it later */
	if (flags.synced && (msg->start_time < flags.listed)) {
		fed_verbose("cluster %s: %s sends a list of before the last",
			    jobs->conf.cluster->name, peer);
		return;
	}
	sync.count = list ? list->record_count : 0;
	sync.listed = xcalloc(sync.count + 1, sizeof(*sync.listed));
	for (uint32_t i = 0; i < sync.count; i++)
		sync.listed[i] = &list->job_array[i];
	if (sync.count)
		qsort(sync.listed, sync.count, sizeof(*sync.listed), _by_id);
	fed_verbose("cluster %s: %s lists %u jobs", jobs->conf.cluster->name,
		    peer, sync.count);
	fed_job_table_walk(jobs->table, _sync_one, &sync);
	xfree(sync.listed);
	peers_set_synced(jobs->conf.peers, peer, msg->start_time);
}

typedef struct {
	jobs_t *jobs;
	const fed_member_t *peer;
	uint16_t version;
	buf_t *buf;		/* NULL: only count */
	uint32_t count;
} listing_t;

static void _list_one(fed_job_t *job, void *arg)
{
	listing_t *listing = arg;
	const job_host_t *host = job->host;
	fed_job_event_t listed = {
		.type = FED_EV_LISTED,
		.now = listing->jobs->now,
	};
	fed_job_sync_t how = fed_job_sync(job);
	job_info_t info;

	/* to its origin, and to who else may run it */
	if ((how == FED_SYNC_OMIT) || job->newer ||
	    ((!host || xstrcmp(host->origin, listing->peer->name)) &&
	     !(job->viable & fed_sibling_bit(listing->peer->fed_id))))
		return;
	listing->count++;
	if (!listing->buf)
		return;
	pack_info_job_init(&info);
	info.job_id = job->id;
	info.job_state = (how == FED_SYNC_RUNNING) ? JOB_RUNNING : JOB_PENDING;
	info.submit_time = job->received;
	info.start_time = job->start_time;
	info.cluster = (char *) listing->jobs->conf.cluster->name;
	info.fed_origin_str = host ? host->origin : NULL;
	info.fed_siblings_viable = job->viable;
	(void) pack_info_job(listing->buf, &info, listing->version);
	if (host && !xstrcmp(host->origin, listing->peer->name))
		jobs_event(listing->jobs, job, &listed);
}

extern buf_t *jobs_sync_list(jobs_t *jobs, const fed_member_t *peer,
			     uint16_t version, time_t now)
{
	listing_t listing = {
		.jobs = jobs,
		.peer = peer,
		.version = version,
	};

	fed_job_table_walk(jobs->table, _list_one, &listing);
	listing.buf = pack_info_jobs(listing.count, now, version);
	listing.count = 0;
	fed_job_table_walk(jobs->table, _list_one, &listing);
	return listing.buf;
}
