/*
 * jobs_ask.c - have origins cancel what waits here (jobs_int.h).
 *
 * A native that is told to cancel a copy of another's job ends that copy and
 * the origin's, and no other sibling hears of it. As the origin does it all of
 * them do. So it is told what an origin tells who runs its job, which any
 * slurmctld takes from any sibling (fed_mgr.c, _handle_fed_job_cancel()).
 *
 * No state of the job: what becomes of it we hear from the origin, and who
 * asked hears whether the origin has taken it. It is not said again if not.
 */
#include "src/sibling/jobs_int.h"

#include "src/core/job_id.h"
#include "src/sibling/sib.h"

#define WAIT_S 5		/* a client waits */

struct jobs_asked {
	jobs_asked_t *next;
	jobs_ask_t *ask;
	int index;		/* of the job there */
	char *peer;		/* its origin */
	time_t until;
};

/* The marker of such a question among the tokens; no action has its number. */
#define TOKEN_ASK ((uint64_t) 0x1e << 27)

static uint64_t _token(uint32_t job_id)
{
	return ((uint64_t) job_id << 32) | TOKEN_ASK;
}

static void _done(jobs_ask_t *ask)
{
	if (!--ask->left)
		ask->done(ask);
}

/* IN at - of the list; is taken out and freed */
static void _answer(jobs_asked_t **at, uint32_t rc)
{
	jobs_asked_t *asked = *at;
	jobs_ask_t *ask = asked->ask;

	*at = asked->next;
	ask->rcs[asked->index] = rc;
	xfree(asked->peer);
	xfree(asked);
	_done(ask);
}

static uint32_t _ask_one(jobs_t *jobs, jobs_ask_t *ask, int index)
{
	uint32_t id = ask->ids[index];
	const fed_member_t *origin = jobs->fed ?
		federation_find_id(jobs->fed, fed_job_id_origin(id)) : NULL;
	const session_t *session = origin ?
		session_find(*jobs->conf.sessions, origin->name) : NULL;
	jobs_asked_t *asked;

	if (!session ||
	    !peers_send(jobs->conf.peers, origin->name, session->number, false,
			sib_pack_cancel(jobs_our_id(jobs), id, ask->signal,
					ask->flags, ask->uid,
					session->version), _token(id)))
		return SLURM_COMMUNICATIONS_CONNECTION_ERROR;
	fed_verbose("cluster %s: job %u waits: %s is asked to cancel it for uid %u",
		    jobs->conf.cluster->name, id, origin->name, ask->uid);
	asked = xmalloc(sizeof(*asked));
	*asked = (jobs_asked_t) {
		.next = jobs->asked,
		.ask = ask,
		.index = index,
		.peer = xstrdup(origin->name),
		.until = jobs->now + WAIT_S,
	};
	jobs->asked = asked;
	ask->left++;
	return SLURM_SUCCESS;
}

extern void jobs_ask(jobs_t *jobs, jobs_ask_t *ask)
{
	ask->left = 1;
	for (int i = 0; i < ask->count; i++)
		ask->rcs[i] = _ask_one(jobs, ask, i);
	_done(ask);
}

extern bool jobs_ask_answered(jobs_t *jobs, const char *peer, uint64_t token,
			      uint32_t rc)
{
	jobs_asked_t **at = &jobs->asked;

	if ((token & TOKEN_ASK) != TOKEN_ASK)
		return false;
	while (*at) {
		if ((_token((*at)->ask->ids[(*at)->index]) == token) &&
		    !xstrcmp((*at)->peer, peer))
			_answer(at, rc);
		else
			at = &(*at)->next;
	}
	return true;
}

extern void jobs_ask_lost(jobs_t *jobs, const char *peer)
{
	jobs_asked_t **at = &jobs->asked;

	while (*at) {
		if (!xstrcmp((*at)->peer, peer))
			_answer(at, SLURM_COMMUNICATIONS_CONNECTION_ERROR);
		else
			at = &(*at)->next;
	}
}

extern void jobs_ask_tick(jobs_t *jobs)
{
	jobs_asked_t **at = &jobs->asked;

	while (*at) {
		if (jobs->now >= (*at)->until)
			_answer(at, SLURM_PROTOCOL_SOCKET_IMPL_TIMEOUT);
		else
			at = &(*at)->next;
	}
}

extern void jobs_ask_end(jobs_t *jobs)
{
	while (jobs && jobs->asked)
		_answer(&jobs->asked, SLURM_ERROR);
}
