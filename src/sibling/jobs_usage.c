/*
 * jobs_usage.c - what FLURM's jobs have used, where it is kept, which is with
 * PriorityType=priority/multifactor (jobs_int.h; usage.h has the rules).
 *
 * A job whose row says that it has started (JOB_ROW_STARTED) is charged up to
 * usage_until(), neither more nor less: it gets there with the row of its
 * start, if that was heard of late, goes along every PriorityCalcPeriod, and is
 * settled with the row of its end. A charge is durable with its row, or with
 * the time up to which all are charged. So no crash loses or repeats any, and it
 * does not matter when FLURM tells of a job.
 *
 * A job's association and QOS are charged even if no limit is enforced, for
 * sshare.
 */
#include "src/sibling/jobs_int.h"

#include "src/sibling/record.h"

#define RUN_OUT_S 30		/* as slurmctld: PERIODIC_TIMEOUT */

/* IN record - or NULL, as of usage_charge() */
static void _charge(jobs_t *jobs, const fed_job_t *job, int64_t from,
		    int64_t to, fed_bytes_t *record)
{
	const job_host_t *host = job->host;
	job_bound_t *bound = host->bound, *own = NULL;
	usage_payers_t payers;
	limits_ask_t has;

	if (!bound)
		bound = own = job_bound_create(&jobs->holders,
					       jobs->conf.assoc, host->spec);
	/* slurmdbd does not know whose it is */
	if (!bound)
		return;
	payers = job_bound_payers(bound);
	has = jobs_limits_ask(jobs, host->spec, host);
	/* by TRES only where limits are enforced
	 * (_handle_assoc_tres_run_secs()) */
	payers.by_tres = jobs->conf.enforce & ACCOUNTING_ENFORCE_LIMITS;
	for (limit_tres_t i = 0; i < LIMIT_TRES; i++)
		payers.tres[i] = has.tres[i];
	usage_charge(jobs->usage, &jobs->conf.usage, &payers, from, to,
		     record);
	job_bound_free(own);
}

static void _settle(jobs_t *jobs, const fed_job_t *job, int64_t from,
		    int64_t to)
{
	fed_bytes_t record = { 0 };

	if (!jobs->conf.usage.kept || (from == to))
		return;
	_charge(jobs, job, from, to, &record);
	if (record.len)
		jobs_append(jobs, RECORD_CHARGE, &record);
}

/* RET from when on it is yet to be charged, if it counts as started */
static int64_t _uncharged(const jobs_t *jobs, const fed_job_t *job)
{
	return MAX(usage_until(jobs->usage), job->start_time);
}

extern void jobs_usage_starts(jobs_t *jobs, fed_job_t *job)
{
	_settle(jobs, job, job->start_time, _uncharged(jobs, job));
}

extern void jobs_usage_ends(jobs_t *jobs, fed_job_t *job)
{
	const job_host_t *host = job->host;

	_settle(jobs, job, (host->rows & JOB_ROW_STARTED) ?
			   _uncharged(jobs, job) : job->start_time,
		job->end_time);
}

/* ---- every PriorityCalcPeriod ---- */

typedef struct {
	jobs_t *jobs;
	int64_t since;
	assoc_link_t *links;
	uint32_t count;
	bool known;
} period_t;

static bool _above(uint32_t id, uint32_t *ret_parent, void *arg)
{
	const period_t *period = arg;
	const assoc_link_t *link = assoc_link(period->links, period->count,
					      id);

	if (link)
		*ret_parent = link->parent;
	return link;
}

static usage_fate_t _fate(usage_of_t of, uint32_t id, void *arg)
{
	const period_t *period = arg;
	bool keeps = false;

	if (!period->known)
		return USAGE_DECAYS;
	if (of == USAGE_ASSOC)
		return assoc_link(period->links, period->count, id) ?
			USAGE_DECAYS : USAGE_GOES;
	if (!assoc_qos_keeps(period->jobs->conf.assoc, id, &keeps))
		return USAGE_GOES;
	return keeps ? USAGE_STAYS : USAGE_DECAYS;
}

static void _charge_one(fed_job_t *job, void *arg)
{
	const period_t *period = arg;
	const job_host_t *host = job->host;
	int64_t from, to = usage_until(period->jobs->usage);

	if (!host || !(host->rows & JOB_ROW_STARTED))
		return;
	from = MAX(period->since, job->start_time);
	if (from < to)
		_charge(period->jobs, job, from, to, NULL);
}

/* It was changed. */
static void _write(jobs_t *jobs)
{
	fed_bytes_t bytes = { 0 };

	usage_pack(jobs->usage, &bytes);
	jobs_append(jobs, RECORD_USAGE, &bytes);
	jobs->changes++;
	/* what waits for a limit may wait no longer */
	jobs->freed = true;
}

static period_t _period(jobs_t *jobs)
{
	period_t period = {
		.jobs = jobs,
		.since = usage_until(jobs->usage),
		.known = assoc_is_known(jobs->conf.assoc),
	};

	period.links = assoc_links(jobs->conf.assoc, &period.count);
	return period;
}

static void _charge_all(jobs_t *jobs)
{
	period_t period = _period(jobs);

	if (period.known)
		(void) usage_set_tree(jobs->usage, _above, &period);
	usage_decay(jobs->usage, &jobs->conf.usage, jobs->now, _fate, &period);
	fed_job_table_walk(jobs->table, _charge_one, &period);
	job_bound_charged(jobs->holders, jobs->now);
	_write(jobs);
	xfree(period.links);
}

extern void jobs_usage_assoc(jobs_t *jobs)
{
	period_t period;

	if (!jobs->conf.usage.kept)
		return;
	period = _period(jobs);
	if (usage_set_tree(jobs->usage, _above, &period))
		_write(jobs);
	xfree(period.links);
}

extern void jobs_set_usage(jobs_t *jobs, usage_of_t of, uint32_t id,
			   double raw)
{
	if (!jobs->conf.usage.kept)
		return;
	fed_info("cluster %s: what %s %u has used is reset to %.0f",
		 jobs->conf.cluster->name,
		 (of == USAGE_QOS) ? "QOS" : "association", id, raw);
	if (of == USAGE_QOS)
		usage_set_qos(jobs->usage, id, raw);
	else
		usage_forget(jobs->usage, id);
	_write(jobs);
}

/* ---- those that run and have used up what they may ---- */

static void _look_at(fed_job_t *job, void *arg)
{
	jobs_t *jobs = arg;
	const job_host_t *host = job->host;
	fed_job_event_t event = { .type = FED_EV_RUN_OUT, .now = jobs->now };
	limits_bound_t bound;
	limits_ask_t has;
	uint32_t reason;
	int64_t ran;

	if ((job->state != FED_JOB_RUNNING) || !host || !host->bound ||
	    host->run.suspended)
		return;
	bound = jobs_limits_bound(jobs, host->bound);
	has = jobs_limits_ask(jobs, host->spec, host);
	ran = jobs->now - job->start_time - host->run.suspended_for;
	reason = limits_run_out(&bound, has.tres, (ran > 0) ? ran / 60 : 0);
	if (!reason)
		return;
	fed_info("cluster %s: job %u has run until a limit: %s",
		 jobs->conf.cluster->name, job->id,
		 compat_reason_name(reason));
	jobs_event(jobs, job, &event);
}

extern void jobs_usage_tick(jobs_t *jobs)
{
	/* a clock that was set back charges nothing twice */
	if (jobs->conf.usage.kept && (jobs->now >= jobs->usage_at) &&
	    (jobs->now > usage_until(jobs->usage))) {
		jobs->usage_at = jobs->now + jobs->conf.usage.period;
		jobs->run_out_at = 0;
		_charge_all(jobs);
	}
	if ((jobs->conf.enforce & ACCOUNTING_ENFORCE_LIMITS) &&
	    (jobs->now >= jobs->run_out_at)) {
		jobs->run_out_at = jobs->now + RUN_OUT_S;
		fed_job_table_walk(jobs->table, _look_at, jobs);
	}
}
