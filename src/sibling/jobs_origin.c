/*
 * jobs_origin.c - what is said to a job's origin, and its answers (jobs_int.h).
 *
 * A message carries a token of job id, action and epoch, by which its answer
 * is known; what has no answer when the link ends is not known to have
 * arrived, and the state machine says it again.
 */
#include "src/sibling/jobs_int.h"

#include <string.h>

#include "src/core/job_id.h"
#include "src/sibling/persist.h"
#include "src/sibling/sib.h"

#define EPOCH_MASK 0x07ffffffu

/* never 0: no action is */
static uint64_t _token(const fed_job_t *job, fed_job_action_t action)
{
	return ((uint64_t) job->id << 32) | ((uint64_t) (action + 1) << 27) |
	       (job->epoch & EPOCH_MASK);
}

static fed_job_t *_find(jobs_t *jobs, uint64_t token,
			fed_job_action_t *ret_action)
{
	fed_job_t *job = fed_job_table_find(jobs->table, token >> 32);

	*ret_action = ((token >> 27) & 0x1f) - 1;
	while (job && ((job->epoch & EPOCH_MASK) != (token & EPOCH_MASK)))
		job = job->older;
	return job;
}

extern uint32_t jobs_end_state(fed_job_end_t end)
{
	static const uint32_t states[FED_END_STATES] = {
		[FED_END_NONE] = JOB_FAILED,
		[FED_END_COMPLETED] = JOB_COMPLETE,
		[FED_END_FAILED] = JOB_FAILED,
		[FED_END_CANCELLED] = JOB_CANCELLED,
		[FED_END_TIMEOUT] = JOB_TIMEOUT,
		[FED_END_NODE_FAIL] = JOB_NODE_FAIL,
		[FED_END_PREEMPTED] = JOB_PREEMPTED,
		[FED_END_BOOT_FAIL] = JOB_BOOT_FAIL,
		[FED_END_DEADLINE] = JOB_DEADLINE,
		[FED_END_OUT_OF_MEMORY] = JOB_OOM,
		[FED_END_REVOKED] = JOB_CANCELLED,
	};

	return states[end];
}

static buf_t *_pack(jobs_t *jobs, const fed_job_t *job,
		    fed_job_action_t action, uint16_t version)
{
	uint32_t us = jobs_our_id(jobs);

	switch (action) {
	case FED_ACT_LOCK:
		return sib_pack_lock(us, job->id, false, version);
	case FED_ACT_UNLOCK:
		return sib_pack_lock(us, job->id, true, version);
	case FED_ACT_SUBMIT_RESP:
		return sib_pack_submit_resp(us, job->id, job->code ?
					    job->code : ESLURM_NOT_SUPPORTED,
					    version);
	case FED_ACT_START:
		return sib_pack_start(us, job->id, job->start_time, version);
	case FED_ACT_REQUEUE:
		return sib_pack_requeue(us, job->id, version);
	case FED_ACT_COMPLETE:
		return sib_pack_complete(us, job->id,
					 jobs_end_state(job->end),
					 job->status, job->start_time,
					 version);
	case FED_ACT_UPDATE_RESPONSE:
		return sib_pack_update_resp(us, job->id, SLURM_SUCCESS,
					    version);
	default:
		return NULL;
	}
}

/* Its origin was down, and its siblings gave the lock: they are told. */
static void _revoke_siblings(jobs_t *jobs, fed_job_t *job)
{
	for (session_t *session = *jobs->conf.sessions; session;
	     session = session->next) {
		const fed_member_t *member =
			federation_find(jobs->fed, session->peer);

		if (!member ||
		    (member->fed_id == fed_job_id_origin(job->id)) ||
		    !(job->viable & fed_sibling_bit(member->fed_id)))
			continue;
		(void) peers_send(jobs->conf.peers, session->peer,
				  session->number, false,
				  sib_pack_complete(jobs_our_id(jobs), job->id,
						    JOB_CANCELLED, 0,
						    job->start_time,
						    session->version), 0);
	}
	jobs_host(jobs, job)->sib_locks = 0;
	jobs_said(jobs, job, FED_ACT_REVOKE_SIBLINGS, FED_EV_SENT);
	jobs_said(jobs, job, FED_ACT_REVOKE_SIBLINGS, FED_EV_ACKED);
}

/* FLURM is INACTIVE, another may have it, it is held or a limit is reached. */
static void _hold_back(jobs_t *jobs, fed_job_t *job)
{
	const fed_job_event_t event = {
		.type = FED_EV_LOCK_REFUSED,
		.now = jobs->now,
		.held_back = true,
	};

	jobs_event(jobs, job, &event);
}

extern void jobs_tell_origin(jobs_t *jobs, fed_job_t *job,
			     fed_job_action_t action)
{
	const job_host_t *host = jobs_host(jobs, job);
	const fed_member_t *origin =
		jobs->fed ? federation_find_id(jobs->fed,
					       fed_job_id_origin(job->id)) :
			    NULL;
	const char *name = host->origin ? host->origin :
			   origin ? origin->name : NULL;
	const session_t *session;
	buf_t *buf;

	if (action == FED_ACT_REVOKE_SIBLINGS) {
		_revoke_siblings(jobs, job);
		return;
	}
	/* not if it may have started already: then the lock is owed */
	if ((action == FED_ACT_LOCK) && (job->state == FED_JOB_LOCKING) &&
	    !(job->facts & FED_JOB_F_MAY_RUN) &&
	    ((jobs->fed && !federation_starts_jobs(jobs->fed)) ||
	     jobs_lock_is_quiet(jobs, job) || !jobs_limits_let(jobs, job))) {
		_hold_back(jobs, job);
		return;
	}
	if ((action == FED_ACT_LOCK) && job->unsynced) {
		jobs_lock_ask(jobs, job, _token(job, action));
		return;
	}
	if (!name || !(session = session_find(*jobs->conf.sessions, name)) ||
	    !(buf = _pack(jobs, job, action, session->version)))
		return;
	jobs_said(jobs, job, action, FED_EV_SENT);
	if (!peers_send(jobs->conf.peers, name, session->number,
			(action == FED_ACT_LOCK) || (action == FED_ACT_UNLOCK),
			buf, _token(job, action)))
		jobs_said(jobs, job, action, FED_EV_UNSENT);
}

extern void jobs_answered(jobs_t *jobs, const char *peer, uint64_t token,
			  uint32_t rc)
{
	fed_job_event_t event = { .now = jobs->now };
	fed_job_action_t action;
	fed_job_t *job;

	if (jobs_ask_answered(jobs, peer, token, rc) ||
	    !(job = _find(jobs, token, &action)))
		return;
	if ((action == FED_ACT_LOCK) &&
	    jobs_lock_answered(jobs, job, peer, rc))
		return;
	if (action == FED_ACT_LOCK) {
		/* the origin knows no epochs: the lock is the newest one's */
		while (job->newer)
			job = job->newer;
		event.type = rc ? FED_EV_LOCK_REFUSED : FED_EV_LOCK_GRANTED;
		jobs_host(jobs, job)->retry_at = jobs->now + JOB_LOCK_RETRY_S;
		jobs_event(jobs, job, &event);
		return;
	}
	/*
	 * An unlock is refused if the lock is not ours: then it is not ours.
	 */
	jobs_said(jobs, job, action, FED_EV_ACKED);
}
