/*
 * jobs_lock.c - the lock of a job whose origin is down (jobs_int.h).
 *
 * Its siblings give it to each other then, as natives do (fed_mgr.c,
 * fed_mgr_job_lock() and _job_lock_all_sibs()): all viable ones that are up
 * have to say yes, and one at least, unless there is no other; those that are
 * down do not count. Only with slurmdbd within reach, or it may be us who are
 * cut off. A native asks as soon as its connection is gone; we wait for some
 * seconds, and as long as the origin's own connection to us is there.
 *
 * What is given and not used is given back. A crash forgets who gave it: then
 * all are told who may have.
 *
 * To whom we gave our own lock may start the job, and tell its origin alone,
 * which may be back by then and give us its lock before it hears that. And an
 * origin that was killed has forgotten to whom it gave its own, until that
 * sibling's JOB_SYNC tells it: it waits for that before it starts a job itself
 * (fed_mgr.c, fed_mgr_sibs_synced()), but not before it gives its lock. So we
 * ask nobody for a while.
 */
#include "src/sibling/jobs_int.h"

#include "src/core/job_id.h"
#include "src/sibling/sib.h"

#define ORIGIN_DOWN_S 10	/* away for so long, it is down */
#define QUIET_S 10	/* by then a start of another's is known */

static uint64_t _others(const jobs_t *jobs, const fed_job_t *job)
{
	return job->viable & ~fed_sibling_bit(jobs_our_id(jobs)) &
	       ~fed_sibling_bit(fed_job_id_origin(job->id));
}

static uint64_t _bit_of(const jobs_t *jobs, const char *peer)
{
	const fed_member_t *member =
		jobs->fed ? federation_find(jobs->fed, peer) : NULL;

	return member ? fed_sibling_bit(member->fed_id) : 0;
}

/* RET true if all that could be heard of its origin is that it is away */
static bool _is_alone(const jobs_t *jobs, const fed_job_t *job)
{
	const job_host_t *host = job->host;

	return job->unsynced && jobs->slurmdbd && host->origin &&
	       !session_find(*jobs->conf.sessions, host->origin) &&
	       !peers_flags(jobs->conf.peers, host->origin).recv;
}

static bool _may_ask(const jobs_t *jobs, const fed_job_t *job)
{
	return (job->state == FED_JOB_LOCKING) && job->origin_down &&
	       _is_alone(jobs, job);
}

static bool _send(jobs_t *jobs, const fed_job_t *job,
		  const session_t *session, bool unlock, uint64_t token)
{
	return peers_send(jobs->conf.peers, session->peer, session->number,
			  true, sib_pack_lock(jobs_our_id(jobs), job->id,
					      unlock, session->version),
			  token);
}

/* Who is not there is told when it is, if the lock is not wanted by then. */
static void _give_back(jobs_t *jobs, fed_job_t *job)
{
	job_host_t *host = job->host;

	for (const session_t *session = *jobs->conf.sessions; session;
	     session = session->next) {
		uint64_t bit = _bit_of(jobs, session->peer);

		if ((host->sib_locks & bit) &&
		    _send(jobs, job, session, true, 0))
			host->sib_locks &= ~bit;
	}
	/* siblings know no epochs: it would be the newest one's */
	if (job->newer)
		host->sib_locks = 0;
}

static void _refused(jobs_t *jobs, fed_job_t *job)
{
	const fed_job_event_t refused = {
		.type = FED_EV_LOCK_REFUSED,
		.now = jobs->now,
		.held_back = true,
	};

	((job_host_t *) job->host)->sib_asked = false;
	jobs_event(jobs, job, &refused);
}

static void _granted(jobs_t *jobs, fed_job_t *job)
{
	const fed_job_event_t granted = {
		.type = FED_EV_LOCK_GRANTED,
		.now = jobs->now,
		.by_siblings = true,
	};
	job_host_t *host = job->host;

	host->sib_asked = false;
	fed_info("cluster %s: job %u: %s is down, its siblings let FLURM start it",
		 jobs->conf.cluster->name, job->id, host->origin);
	jobs_event(jobs, job, &granted);
}

extern void jobs_lock_ask(jobs_t *jobs, fed_job_t *job, uint64_t token)
{
	job_host_t *host = job->host;
	uint64_t others = _others(jobs, job);
	bool told = true;

	/* an answer that is still due would be taken for this one's */
	if (host->sib_waits || !_may_ask(jobs, job))
		return;
	host->sib_asked = true;
	jobs_said(jobs, job, FED_ACT_LOCK, FED_EV_SENT);
	for (const session_t *session = *jobs->conf.sessions; session;
	     session = session->next) {
		uint64_t bit = _bit_of(jobs, session->peer) & others;

		if (!bit)
			continue;
		if (_send(jobs, job, session, false, token)) {
			host->sib_locks |= bit;
			host->sib_waits |= bit;
		} else {
			told = false;
		}
	}
	/* if nobody else may have it, nobody has to agree: jobs_lock_tick() */
	if (!told || (!host->sib_waits &&
		      !fed_sibling_only(job->viable, jobs_our_id(jobs))))
		_refused(jobs, job);
}

extern bool jobs_lock_answered(jobs_t *jobs, fed_job_t *job, const char *peer,
			       uint32_t rc)
{
	uint64_t bit = _bit_of(jobs, peer);
	job_host_t *host = jobs_host(jobs, job);

	if (bit == fed_sibling_bit(fed_job_id_origin(job->id)))
		return false;
	if (!(host->sib_waits & bit))
		return true;
	host->sib_waits &= ~bit;
	if (rc)
		host->sib_locks &= ~bit;
	jobs_touch(jobs, job);
	if (!host->sib_asked || !_may_ask(jobs, job))
		return true;
	if (rc)
		_refused(jobs, job);
	else if (!host->sib_waits)
		_granted(jobs, job);
	return true;
}

extern void jobs_lock_lost(jobs_t *jobs, fed_job_t *job, const char *peer)
{
	uint64_t bit = _bit_of(jobs, peer);
	job_host_t *host = job->host;

	if (!xstrcmp(host->origin, peer))
		host->alone_since = 0;
	if (!(host->sib_waits & bit))
		return;
	host->sib_waits &= ~bit;
	if (host->sib_asked)
		_refused(jobs, job);
}

extern void jobs_lock_replayed(jobs_t *jobs, fed_job_t *job)
{
	if (job->state == FED_JOB_LOCKING)
		jobs_host(jobs, job)->sib_locks = _others(jobs, job);
}

extern void jobs_lock_act(jobs_t *jobs, fed_job_t *job)
{
	job_host_t *host = job->host;

	if (host->sib_asked && !_may_ask(jobs, job)) {
		/* the origin is back, or the lock is not wanted any more */
		host->sib_asked = false;
		if (job->inflight & FED_BIT(FED_ACT_LOCK))
			jobs_said(jobs, job, FED_ACT_LOCK, FED_EV_UNSENT);
	}
	if (host->sib_locks && !host->sib_asked &&
	    !(job->facts & FED_JOB_F_SIBLING_LOCK))
		_give_back(jobs, job);
}

extern void jobs_lock_tick(jobs_t *jobs, fed_job_t *job)
{
	const fed_job_event_t down = {
		.type = FED_EV_ORIGIN_DOWN,
		.now = jobs->now,
	};
	job_host_t *host = job->host;

	if (host->sib_locks || host->sib_asked)
		jobs_touch(jobs, job);
	if (!_is_alone(jobs, job)) {
		host->alone_since = 0;
		return;
	}
	if (!host->alone_since)
		host->alone_since = jobs->now;
	if (host->sib_asked && !host->sib_waits && _may_ask(jobs, job))
		_granted(jobs, job);
	if ((job->state == FED_JOB_LOCKING) && !job->origin_down &&
	    (jobs->now - host->alone_since >= ORIGIN_DOWN_S))
		jobs_event(jobs, job, &down);
}

extern void jobs_lock_synced(jobs_t *jobs, fed_job_t *job)
{
	if (_others(jobs, job))
		jobs_host(jobs, job)->quiet_until = jobs->now + QUIET_S;
}

extern bool jobs_lock_is_quiet(const jobs_t *jobs, const fed_job_t *job)
{
	const job_host_t *host = job->host;

	return host && (jobs->now < host->quiet_until);
}

extern uint32_t jobs_lock(jobs_t *jobs, uint32_t job_id, bool unlock)
{
	fed_job_t *job;

	if (fed_job_id_origin(job_id) == jobs_our_id(jobs))
		return SLURM_ERROR;
	if (!(job = fed_job_table_find(jobs->table, job_id)))
		return SLURM_SUCCESS;
	if (unlock) {
		jobs_host(jobs, job)->quiet_until = 0;
		return SLURM_SUCCESS;
	}
	/*
	 * Not what we run ourselves, are about to, or have run: who asks may
	 * be the one that was cut off, not the origin.
	 */
	if (job->facts & (FED_JOB_F_RAN | FED_JOB_F_MAY_RUN))
		return SLURM_ERROR;
	switch (job->state) {
	case FED_JOB_LOCKING:
	case FED_JOB_GRANTED:
	case FED_JOB_RUNNING:
	case FED_JOB_CANCELLING:
		return SLURM_ERROR;
	default:
		jobs_host(jobs, job)->quiet_until = jobs->now + QUIET_S;
		return SLURM_SUCCESS;
	}
}
