/*
 * jobs_top.c - have jobs go before others of their user's (jobs.h).
 *
 * slurmctld's _set_top() (slurmctld/job_mgr.c; 22.05 and 24.11 have the same)
 * trades nice values: the jobs that are named get the highest priorities of
 * all that compete, in their order, and the others, which are of the first
 * one's user, account, QOS and partition, pay for it. So the sum of the nice
 * values stays as it is, but for jobs that are equal: those are put one below.
 * All of that is done here too, with two differences. A native's priority is a
 * number above 0, and what has 1 is left alone, since 0 is held; what would
 * fall below wraps around and rises. FLURM's order knows no such end, unless a
 * priority was asked for, which stands for itself in Slurm and at FLURM. And
 * what asks to be started has its resources: it is first.
 *
 * A native does that with its own copy of a job, wherever it is from
 * (proc_req.c, _slurm_rpc_top_job()), and the origin does not hear of it.
 */
#include "src/sibling/jobs_int.h"

#include <stdlib.h>
#include <string.h>

#define NICE_MAX 2147483645	/* scontrol(1); FLURM's, too */
#define ROOM 256

/* A job that competes */
typedef struct {
	fed_job_t *job;
	const flurm_job_spec_t *spec;
	bool direct;		/* its priority was asked for */
	int64_t base;		/* ... if not: of its partition */
	int64_t priority;	/* by which FLURM orders */
	int64_t nice;
} rival_t;

typedef struct {
	jobs_t *jobs;
	const jobs_top_t *top;
	rival_t *rival;		/* those that are named first */
	int count;
	int named;
	int64_t lowest;		/* priority that one may get */
} contest_t;

static bool _is_held(const fed_job_t *job)
{
	const job_host_t *host = job->host;

	return host->run.held || (host->spec->priority == 0);
}

/* RET true if it waits for resources; one that has them is first */
static bool _is_queued(const fed_job_t *job)
{
	return (job->state == FED_JOB_DELIVERING) ||
	       (job->state == FED_JOB_QUEUED) ||
	       (job->state == FED_JOB_DENIED);
}

static void _enter(contest_t *contest, fed_job_t *job)
{
	const flurm_job_spec_t *spec = jobs_host(contest->jobs, job)->spec;
	rival_t rival = {
		.job = job,
		.spec = spec,
		.direct = flurm_is_set(spec->priority),
		.base = nodes_part_priority(contest->jobs->nodes,
					    spec->partition),
		.nice = flurm_or(spec->nice, 0),
	};

	rival.priority = rival.direct ? spec->priority :
					rival.base - rival.nice;
	/* 0 is held */
	if (rival.direct)
		contest->lowest = 1;
	if (!(contest->count % ROOM))
		xrecalloc(contest->rival, contest->count + ROOM,
			  sizeof(rival));
	contest->rival[contest->count++] = rival;
	jobs_host(contest->jobs, job)->competes = true;
}

/* RET what slurmctld would say; none in the contest: that is all of it */
static uint32_t _enter_named(contest_t *contest)
{
	const jobs_top_t *top = contest->top;
	uint32_t rc = SLURM_SUCCESS;

	for (int i = 0; i < top->count; i++) {
		fed_job_t *job = fed_job_table_find(contest->jobs->table,
						    top->ids[i]);
		const flurm_job_spec_t *spec;

		if (!job)
			return ESLURM_INVALID_JOB_ID;
		spec = jobs_host(contest->jobs, job)->spec;
		if (top->uid && (!spec || (spec->user_id != top->uid)))
			return ESLURM_ACCESS_DENIED;
		if (!spec || (job->state >= FED_JOB_RUNNING))
			rc = ESLURM_JOB_NOT_PENDING;
		else if (spec->partition && strchr(spec->partition, ','))
			return ESLURM_REQUESTED_PART_CONFIG_UNAVAILABLE;
		else if (_is_held(job))
			rc = ESLURM_JOB_HELD;
		else if (_is_queued(job) &&
			 !jobs_host(contest->jobs, job)->competes)
			_enter(contest, job);
	}
	contest->named = contest->count;
	return contest->named ? SLURM_SUCCESS : rc;
}

static void _enter_other(fed_job_t *job, void *arg)
{
	contest_t *contest = arg;
	const jobs_t *jobs = contest->jobs;
	const job_host_t *host = jobs_host(contest->jobs, job);
	const flurm_job_spec_t *spec = host->spec;
	const flurm_job_spec_t *first = contest->rival[0].spec;

	if (job->newer || !spec || host->competes || !_is_queued(job) ||
	    _is_held(job) ||
	    (spec->priority == 1) ||
	    (spec->partition && strchr(spec->partition, ',')) ||
	    (spec->user_id != first->user_id) ||
	    xstrcmp(spec->account, first->account) ||
	    xstrcmp(spec->qos, first->qos) ||
	    xstrcmp(nodes_part_name(jobs->nodes, spec->partition),
		    nodes_part_name(jobs->nodes, first->partition)))
		return;
	_enter(contest, job);
}

static int _by_arrival(const void *a, const void *b)
{
	const fed_job_t *one = ((const rival_t *) a)->job;
	const fed_job_t *two = ((const rival_t *) b)->job;

	if (one->received != two->received)
		return (one->received > two->received) ? 1 : -1;
	return (one->id > two->id) - (one->id < two->id);
}

static int _highest_first(const void *a, const void *b)
{
	int64_t one = *(const int64_t *) a, two = *(const int64_t *) b;

	return (one < two) - (one > two);
}

/* IN delta - by which its nice value is to grow */
static void _give(rival_t *rival, int64_t priority, int64_t delta)
{
	rival->priority = priority;
	rival->nice = MAX(-NICE_MAX, MIN(NICE_MAX, rival->nice + delta));
}

/* RET the nearest priority that it can get */
static int64_t _within(const contest_t *contest, const rival_t *rival,
		       int64_t priority)
{
	if (rival->direct)
		return MAX(priority, contest->lowest);
	return MAX(rival->base - NICE_MAX,
		   MIN(rival->base + NICE_MAX, priority));
}

/*
 * A third of equals gets what the first one has, and so on; that is Slurm's.
 * OUT ret_last - the priority that the last one got
 * RET by how much all of them were made less nice
 */
static int64_t _raise(contest_t *contest, int64_t *ret_last)
{
	int64_t *highest = xcalloc(contest->count, sizeof(*highest));
	int64_t last = 0, total = 0, next, delta;

	for (int i = 0; i < contest->count; i++)
		highest[i] = contest->rival[i].priority;
	qsort(highest, contest->count, sizeof(*highest), _highest_first);
	for (int i = 0; i < contest->named; i++) {
		rival_t *rival = &contest->rival[i];

		next = highest[i];
		if (i && (next == last))
			next--;
		/* there must be room for the others below */
		next = _within(contest, rival, MAX(next, contest->lowest + 1));
		last = next;
		delta = MIN(rival->nice + NICE_OFFSET, next - rival->priority);
		total += delta;
		_give(rival, next, -delta);
	}
	xfree(highest);
	*ret_last = last;
	return total;
}

static void _lower(contest_t *contest, int64_t total, int64_t last)
{
	int64_t next, delta;

	for (int i = contest->named; i < contest->count; i++) {
		rival_t *rival = &contest->rival[i];

		next = rival->priority - total / (contest->count - i);
		if (next >= last)
			next = last - 1;
		next = _within(contest, rival, next);
		delta = rival->priority - next;
		total -= delta;
		_give(rival, next, delta);
	}
}

static void _tell(jobs_t *jobs, const rival_t *rival)
{
	const flurm_job_spec_t *spec = rival->spec;
	flurm_job_spec_t change;
	fed_job_event_t event = { .type = FED_EV_CHANGE, .now = jobs->now };

	if ((rival->nice == flurm_or(spec->nice, 0)) &&
	    (!rival->direct || (rival->priority == spec->priority)))
		return;
	fed_debug("cluster %s: job %u: priority %lld, nice %lld",
		  jobs->conf.cluster->name, rival->job->id,
		  (long long) rival->priority, (long long) rival->nice);
	flurm_job_spec_init(&change);
	change.nice = rival->nice;
	if (rival->direct)
		change.priority = rival->priority;
	jobs_change(jobs, rival->job, &change);
	jobs_event(jobs, rival->job, &event);
}

extern uint32_t jobs_top(jobs_t *jobs, const jobs_top_t *top)
{
	contest_t contest = {
		.jobs = jobs,
		.top = top,
		.lowest = -2 * (int64_t) NO_VAL,
	};
	int64_t total, last;
	uint32_t rc = _enter_named(&contest);

	if (!rc && contest.named) {
		fed_job_table_walk(jobs->table, _enter_other, &contest);
		qsort(contest.rival + contest.named,
		      contest.count - contest.named, sizeof(*contest.rival),
		      _by_arrival);
		total = _raise(&contest, &last);
		_lower(&contest, total, last);
		for (int i = 0; i < contest.count; i++)
			_tell(jobs, &contest.rival[i]);
	}
	for (int i = 0; i < contest.count; i++)
		jobs_host(jobs, contest.rival[i].job)->competes = false;
	xfree(contest.rival);
	return rc;
}
