/*
 * jobs_rows.c - what slurmdbd is to know of a job (jobs_int.h).
 *
 * A job has one record there for each run of it, as on a native sibling: made
 * when it comes, started when it starts, ended when it ends, and ended as
 * revoked if it never ran here. The rows are looked for before each commit, by
 * what the job is and what was said of it, and become durable with what they
 * are about.
 */
#include "src/sibling/jobs_int.h"

/*
 * An epoch is a second of its own for each run of an id, and so is the time
 * that a record is known by.
 */
static row_t _row(const jobs_t *jobs, const fed_job_t *job, row_kind_t kind,
		  int64_t when)
{
	const job_host_t *host = job->host;
	row_t row = {
		.kind = kind,
		.id = job->id,
		.submit = job->epoch,
		.uid = flurm_or(host->spec->user_id, NO_VAL),
		.time = when,
		.account = xstrdup(host->spec->account),
		.partition = xstrdup(nodes_part_name(jobs->nodes,
						     host->spec->partition)),
		.by = ROW_NOBODY,
		.batch = !(jobs->conf.enforce & ACCOUNTING_ENFORCE_NO_STEPS),
	};

	return row;
}

/* What it is accounted to, whether that is enforced or not */
static void _set_assoc(const jobs_t *jobs, const flurm_job_spec_t *spec,
		       row_t *row)
{
	assoc_found_t found;

	(void) assoc_check(jobs->conf.assoc, 0, row->uid, spec->account,
			   spec->partition, spec->qos, &found, NULL);
	row->assoc_id = found.id;
	row->qos_id = found.qos_id;
	xfree(row->account);
	row->account = found.account;
	found.account = NULL;
	assoc_found_free(&found);
}

/*
 * RET "1=2,2=100,4=1,5=2", to be xfreed: cpus, memory, nodes, billing. Without
 *	memory sacct would not know what was asked for: 0 is all of a node's.
 */
static char *_tres(const flurm_job_spec_t *spec, int64_t cpus, int64_t nodes)
{
	int64_t memory = job_memory(spec, cpus, nodes);
	char *tres = NULL;

	xstrfmtcat(tres, "%d=%lld,%d=%lld,%d=%lld,%d=%lld",
		   TRES_CPU, (long long) cpus, TRES_MEM, (long long) memory,
		   TRES_NODE, (long long) nodes, TRES_BILLING,
		   (long long) cpus);
	return tres;
}

/* What the job asks for (ROW_WAITS, ROW_STARTS) */
static void _set_asks(const jobs_t *jobs, const fed_job_t *job, row_t *row)
{
	const job_host_t *host = job->host;
	const flurm_job_spec_t *spec = host->spec;

	_set_assoc(jobs, spec, row);
	row->gid = flurm_or(spec->group_id, NO_VAL);
	row->qos = xstrdup(spec->qos);
	row->name = xstrdup(spec->name);
	row->work_dir = xstrdup(spec->work_dir);
	row->submit_line = xstrdup(host->submit.submit_line);
	row->features = xstrdup(spec->features);
	row->licenses = xstrdup(spec->licenses);
	row->wckey = xstrdup(spec->wckey);
	if (!(site_stores(jobs->conf.site) & COMPAT_STORE_NO_STDIO)) {
		row->std_in = xstrdup(spec->std_in);
		row->std_out = xstrdup(spec->std_out);
		row->std_err = xstrdup(spec->std_err);
	}
	row->eligible = flurm_or(spec->begin_time, job->epoch);
	if (row->eligible < job->epoch)
		row->eligible = job->epoch;
	row->time_limit = job_minutes(spec->time_limit, NO_VAL);
	row->priority = flurm_or(spec->priority, 0);
	row->req_cpus = job_cpus(spec);
	if (flurm_is_set(spec->memory_per_cpu_mb))
		row->req_mem = spec->memory_per_cpu_mb | MEM_PER_CPU;
	else
		row->req_mem = flurm_or(spec->memory_mb, 0);
	row->tres_req = _tres(spec, row->req_cpus,
			      flurm_or(spec->num_nodes, 1));
	row->restarts = job->restarts;
	row->script_hash = xstrdup(host->script_hash);
	row->env_hash = xstrdup(host->env_hash);
}

/* Where it runs (ROW_STARTS, ROW_ENDS) */
static void _set_place(const fed_job_t *job, row_t *row)
{
	const job_host_t *host = job->host;
	const job_run_t *run = &host->run;

	row->start = job->start_time;
	row->nodes = xstrdup(run->nodes);
	row->node_cnt = flurm_or(run->alloc_nodes,
				 flurm_or(host->spec->num_nodes, 1));
	row->tres_alloc = _tres(host->spec,
				flurm_or(run->alloc_cpus, job_cpus(host->spec)),
				row->node_cnt);
}

/* As it is in the end (accounting_storage_slurmdbd.c,
 * jobacct_storage_p_job_complete()) */
static void _set_comment(const jobs_t *jobs, const fed_job_t *job, row_t *row)
{
	const job_host_t *host = job->host;

	if (site_stores(jobs->conf.site) & COMPAT_STORE_COMMENT)
		row->comment = xstrdup(host->spec->comment);
}

static void _set_end(const fed_job_t *job, row_t *row)
{
	const job_host_t *host = job->host;
	const flurm_usage_t *usage = &host->run.usage;

	row->state = (job->facts & FED_JOB_F_KILL) ? JOB_REQUEUE :
						     jobs_end_state(job->end);
	row->status = job->status;
	if (row->state == JOB_CANCELLED)
		row->by = job->uid;
	row->user_us = flurm_or(usage->user_us, -1);
	row->system_us = flurm_or(usage->system_us, -1);
	row->max_rss_kb = flurm_or(usage->max_rss_kb, -1);
}

/*
 * Append a row, if slurmdbd is to have jobs at all, and what it makes of the
 * record.
 * IN row - freed here
 */
static void _add(jobs_t *jobs, fed_job_t *job, row_t *row, uint8_t rows)
{
	job_host_t *host = job->host;

	if (!(jobs->conf.enforce & ACCOUNTING_ENFORCE_NO_JOBS))
		(void) accounting_add(jobs->conf.accounting, row, jobs->now);
	row_free(row);
	if (host->rows == rows)
		return;
	host->rows = rows;
	jobs_write_run(jobs, job);
}

/* IN hash, text - or NULL: there is nothing to say; text is xfreed */
static void _add_text(jobs_t *jobs, fed_job_t *job, row_kind_t kind,
		      const char *hash, char *text)
{
	row_t row;

	if (!hash || !text) {
		xfree(text);
		return;
	}
	row = _row(jobs, job, kind, job->received);
	row.hash = xstrdup(hash);
	row.text = text;
	_add(jobs, job, &row, ((job_host_t *) job->host)->rows);
}

/* As accounting_storage_slurmdbd.c, jobacct_storage_p_job_heavy(), has it */
static char *_env_text(char **environment)
{
	char *text = NULL, *at = NULL;

	for (char **line = environment; line && *line; line++)
		xstrfmtcatat(text, &at, "%s\n", *line);
	return text;
}

/*
 * What was submitted, after a row that has named it. Later rows need it no
 * more, and when they come the job's environment is gone.
 */
static void _add_texts(jobs_t *jobs, fed_job_t *job)
{
	const job_host_t *host = job->host;

	_add_text(jobs, job, ROW_SCRIPT, host->script_hash,
		  host->script_hash ? xstrdup(host->spec->script) : NULL);
	_add_text(jobs, job, ROW_ENV, host->env_hash,
		  host->env_hash ? _env_text(host->spec->environment) : NULL);
}

static void _waits(jobs_t *jobs, fed_job_t *job)
{
	row_t row = _row(jobs, job, ROW_WAITS, job->received);

	_set_asks(jobs, job, &row);
	_add(jobs, job, &row, JOB_ROW_OPEN);
	_add_texts(jobs, job);
}

static void _starts(jobs_t *jobs, fed_job_t *job)
{
	row_t row = _row(jobs, job, ROW_STARTS, job->start_time);

	_set_asks(jobs, job, &row);
	_set_place(job, &row);
	jobs_usage_starts(jobs, job);
	_add(jobs, job, &row, JOB_ROW_OPEN | JOB_ROW_STARTED);
}

static void _suspends(jobs_t *jobs, fed_job_t *job)
{
	const job_host_t *host = job->host;
	bool now = host->run.suspended;
	uint8_t rows = host->rows & ~JOB_ROW_SUSPENDED;
	row_t row = _row(jobs, job, now ? ROW_SUSPENDS : ROW_RESUMES,
			 host->run.suspend_time);

	_set_assoc(jobs, host->spec, &row);
	_add(jobs, job, &row, now ? rows | JOB_ROW_SUSPENDED : rows);
}

static void _ends(jobs_t *jobs, fed_job_t *job)
{
	row_t row = _row(jobs, job, ROW_ENDS, job->end_time);

	_set_assoc(jobs, ((job_host_t *) job->host)->spec, &row);
	_set_place(job, &row);
	_set_end(job, &row);
	_set_comment(jobs, job, &row);
	jobs_usage_ends(jobs, job);
	_add(jobs, job, &row, JOB_ROW_CLOSED);
}

/* It runs elsewhere, or nowhere any more: as fed_mgr.c, fed_mgr_job_revoke() */
static void _is_revoked(jobs_t *jobs, fed_job_t *job)
{
	row_t row = _row(jobs, job, ROW_ENDS, job->since);

	_set_assoc(jobs, ((job_host_t *) job->host)->spec, &row);
	_set_comment(jobs, job, &row);
	row.state = JOB_REVOKED;
	row.user_us = row.system_us = row.max_rss_kb = -1;
	_add(jobs, job, &row, JOB_ROW_CLOSED);
}

static void _acked(jobs_t *jobs, fed_job_t *job, fed_job_action_t action)
{
	jobs_said(jobs, job, action, FED_EV_SENT);
	jobs_said(jobs, job, action, FED_EV_ACKED);
}

extern void jobs_rows(jobs_t *jobs, fed_job_t *job)
{
	const job_host_t *host = jobs_host(jobs, job);
	uint32_t due = fed_job_action(job) & JOB_ROW_ACTIONS;
	bool ran = job->facts & FED_JOB_F_RAN;
	/* whose job it is, FLURM has not said yet: or it was refused */
	bool known = host->spec != NULL;

	if (known && !host->rows && !ran && (job->state < FED_JOB_ENDED))
		_waits(jobs, job);
	if (due & FED_BIT(FED_ACT_ROW_START)) {
		if (known)
			_starts(jobs, job);
		_acked(jobs, job, FED_ACT_ROW_START);
	}
	if (known && ran && (host->rows & JOB_ROW_OPEN) &&
	    (host->run.suspended != !!(host->rows & JOB_ROW_SUSPENDED)))
		_suspends(jobs, job);
	if (due & FED_BIT(FED_ACT_ROW_END)) {
		if (known)
			_ends(jobs, job);
		_acked(jobs, job, FED_ACT_ROW_END);
	} else if (known && !ran && (job->state >= FED_JOB_ENDED) &&
		   (host->rows & JOB_ROW_OPEN)) {
		_is_revoked(jobs, job);
	}
}
