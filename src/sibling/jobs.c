/*
 * jobs.c - the sibling jobs that FLURM holds for other clusters (jobs.h).
 *
 * An event moves a job and appends its new state to the ledger; nothing is
 * said to anyone before jobs_act(), which the engine calls when what was
 * appended is durable. So after a crash the jobs name again just what nobody
 * has acknowledged.
 */
#include "src/sibling/jobs_int.h"

#include <stdlib.h>
#include <string.h>

#include "src/core/job_id.h"
#include "src/sibling/sib.h"
#include "src/sibling/spec.h"

#define TOMBSTONE_S 900		/* a late message may still come */

extern uint32_t jobs_our_id(const jobs_t *jobs)
{
	return (jobs->fed && jobs->fed->self) ? jobs->fed->self->fed_id : 0;
}

static void _trace(const fed_job_t *job, fed_job_state_t from,
		   const fed_job_event_t *event, fed_job_verdict_t verdict,
		   void *arg)
{
	jobs_t *jobs = arg;

	if (verdict != FED_JOB_IGNORED)
		jobs_count(jobs, job, from);
	fed_debug("cluster %s: job %u epoch %u: %s, on %s%s: %s",
		  jobs->conf.cluster->name, job->id, job->epoch,
		  fed_job_state_name(from), fed_job_event_name(event->type),
		  (verdict == FED_JOB_IGNORED) ? " (ignored)" : "",
		  fed_job_state_name(job->state));
}

extern void jobs_free_spec(flurm_job_spec_t **spec)
{
	if (!*spec)
		return;
	flurm_job_spec_free(*spec);
	xfree(*spec);
}

static void _drop(fed_job_t *job, void *arg)
{
	job_host_t *host = job->host, **at;
	jobs_t *jobs = arg;

	if (!host)
		return;
	for (at = &jobs->dirty; host->dirty && *at; ) {
		if (*at == host) {
			*at = host->next_dirty;
			break;
		}
		at = &(*at)->next_dirty;
	}
	jobs_free_spec(&host->spec);
	jobs_free_spec(&host->change);
	job_submit_free(&host->submit);
	xfree(host->script_hash);
	xfree(host->env_hash);
	job_run_free(&host->run);
	view_job_unref(host->view);
	jobs_limits_forget(jobs, job);
	xfree(host->offer);
	xfree(host->origin);
	xfree(host);
	job->host = NULL;
}

extern jobs_t *jobs_create(const conf_cluster_t *cluster)
{
	jobs_t *jobs = xmalloc(sizeof(*jobs));

	jobs->conf.cluster = cluster;
	jobs->now = time(NULL);
	jobs->table = fed_job_table_create(_trace, _drop, jobs);
	jobs->usage = usage_create();
	return jobs;
}

extern void jobs_destroy(jobs_t *jobs)
{
	if (!jobs)
		return;
	fed_job_table_destroy(jobs->table);
	xfree(jobs->instance);
	jobs_limits_end(jobs);
	usage_destroy(jobs->usage);
	nodes_unref(jobs->nodes);
	xfree(jobs);
}

extern job_host_t *jobs_host(jobs_t *jobs, fed_job_t *job)
{
	job_host_t *host = job->host;

	if (!host) {
		host = xmalloc(sizeof(*host));
		host->job = job;
		job_submit_free(&host->submit);
		job_run_init(&host->run);
		job->host = host;
	}
	return host;
}

extern void jobs_touch(jobs_t *jobs, fed_job_t *job)
{
	job_host_t *host = jobs_host(jobs, job);

	if (host->dirty)
		return;
	host->dirty = true;
	host->next_dirty = jobs->dirty;
	jobs->dirty = host;
}

/* ---- events ---- */

static void _free_list(char ***list)
{
	for (char **at = *list; at && *at; at++)
		free(*at);
	free(*list);
	*list = NULL;
}

/*
 * Not written: after a replay the same follows from the same state, and the
 * ledger's next snapshot is of what is left.
 */
extern void jobs_thin(fed_job_t *job)
{
	job_host_t *host = job->host;

	/* until it runs, FLURM may lose it and have to be sent it again */
	if (!host || !host->spec || (job->state < FED_JOB_RUNNING))
		return;
	host->thin = true;
	_free_list(&host->spec->environment);
	if (job->state < FED_JOB_ENDED)
		return;
	free(host->spec->script);
	host->spec->script = NULL;
}

extern fed_job_verdict_t jobs_event(jobs_t *jobs, fed_job_t *job,
				    const fed_job_event_t *event)
{
	fed_job_verdict_t verdict;

	verdict = fed_job_table_update(jobs->table, job, event);
	if (verdict == FED_JOB_IGNORED)
		return verdict;
	if (verdict == FED_JOB_CHANGED)
		jobs_write(jobs, job);
	jobs_thin(job);
	jobs_limits_count(jobs, job);
	jobs_touch(jobs, job);
	/* an epoch that waited for this one to go may have something to do */
	if (job->newer)
		jobs_touch(jobs, job->newer);
	return verdict;
}

extern void jobs_said(jobs_t *jobs, fed_job_t *job, fed_job_action_t action,
		      fed_job_event_type_t what)
{
	fed_job_event_t event = {
		.type = what,
		.now = jobs->now,
		.action = action,
	};

	jobs_event(jobs, job, &event);
}

static uint64_t _hash_spec(const flurm_job_spec_t *spec)
{
	char *text = jobs_spec_text(spec);
	uint64_t hash = 14695981039346656037u;

	/* FNV-1a: it need only tell one submission of a job from the next */
	for (const char *c = text; c && *c; c++)
		hash = (hash ^ (unsigned char) *c) * 1099511628211u;
	free(text);
	return hash;
}

/*
 * Settle what it is accounted to, where its user has not named that
 * (slurmctld/job_mgr.c, _job_create()).
 * RET 0, or the Slurm errno to refuse it with, as slurmdbd knows its user
 */
static uint32_t _settle_assoc(const jobs_t *jobs, flurm_job_spec_t *spec,
			      fed_err_t *err)
{
	assoc_found_t found;
	uint32_t rc;

	rc = assoc_check(jobs->conf.assoc, jobs->conf.enforce,
			 flurm_or(spec->user_id, NO_VAL), spec->account,
			 spec->partition, spec->qos, &found, err);
	if (!rc && !spec->account && found.account)
		spec->account = strdup(found.account);
	if (!rc && !spec->qos && found.qos)
		spec->qos = strdup(found.qos);
	assoc_found_free(&found);
	return rc;
}

/* ... and its wckey, where those are tracked */
static uint32_t _settle_wckey(const jobs_t *jobs, flurm_job_spec_t *spec,
			      fed_err_t *err)
{
	char *wckey = NULL;
	uint32_t rc;

	if (!jobs->conf.track_wckey)
		return 0;
	rc = assoc_check_wckey(jobs->conf.assoc, jobs->conf.enforce,
			       flurm_or(spec->user_id, NO_VAL), spec->wckey,
			       &wckey, err);
	if (!rc) {
		free(spec->wckey);
		spec->wckey = strdup(wckey);
	}
	xfree(wckey);
	return rc;
}

/* RET 0, or why FLURM takes no new jobs now, with err */
static uint32_t _check_state(const jobs_t *jobs, fed_err_t *err)
{
	if (!jobs->fed || !jobs->fed->self || federation_takes_jobs(jobs->fed))
		return 0;
	fed_err_set(err, ESLURM_SUBMISSIONS_DISABLED,
		    "fedstate is %s, which takes no new jobs",
		    slurmdb_cluster_fed_states_str(jobs->fed->self->state));
	return ESLURM_SUBMISSIONS_DISABLED;
}

/* As Slurm writes it down (job_mgr.c, _job_create()). RET NULL: it has none */
static char *_hash_text(const slurm_hash_t *hash)
{
	char *hex, *text;

	if (!hash->type)
		return NULL;
	hex = xstring_bytes2hex(hash->hash, sizeof(hash->hash), NULL);
	text = xstrdup_printf("%d:%s", hash->type, hex);
	xfree(hex);
	return text;
}

/*
 * By which slurmdbd is told of script and environment, if it is to have them,
 * which is settled when a job comes. Slurm reckons the hashes when it unpacks a
 * description.
 */
static void _set_hashes(const jobs_t *jobs, job_host_t *host,
			const job_desc_msg_t *desc)
{
	uint32_t store = site_stores(jobs->conf.site);

	if (store & COMPAT_STORE_SCRIPT)
		host->script_hash = _hash_text(&desc->script_hash);
	if (store & COMPAT_STORE_ENV)
		host->env_hash = _hash_text(&desc->env_hash);
}

static void _take_submit(jobs_t *jobs, const char *peer, const sib_msg_t *msg)
{
	fed_job_t *known = fed_job_table_find(jobs->table, msg->job_id), *job;
	fed_job_event_t event = {
		.type = FED_EV_SUBMIT,
		.now = jobs->now,
		.viable = msg->fed_siblings,
		.only_here = fed_sibling_only(msg->fed_siblings,
					      jobs_our_id(jobs)),
		.unsynced = !peers_flags(jobs->conf.peers, peer).synced,
	};
	const job_desc_msg_t *desc = msg->data;
	flurm_job_spec_t spec = { 0 };
	fed_job_verdict_t verdict;
	job_host_t *host;
	uint64_t hash = 0;
	fed_err_t err = { 0 };
	bool is_new;

	event.restarts = desc ? desc->restart_cnt : 0;
	event.refuse = spec_from_submit(msg, peer,
					jobs->conf.cluster->partitions, &spec,
					&err);
	if (!event.refuse) {
		hash = _hash_spec(&spec);
		host = known ? known->host : NULL;
		event.same = host && (host->hash == hash);
		/* what was taken once is not refused the next time it comes */
		if (!event.same)
			event.refuse = _check_state(jobs, &err);
		if (!event.same && !event.refuse)
			event.refuse = _settle_assoc(jobs, &spec, &err);
		if (!event.same && !event.refuse)
			event.refuse = jobs_limits_submit(jobs, known, &spec,
							  &err);
		if (!event.same && !event.refuse)
			event.refuse = _settle_wckey(jobs, &spec, &err);
		if (event.refuse)
			flurm_job_spec_free(&spec);
	}
	job = fed_job_table_submit(jobs->table, msg->job_id, &event, &is_new,
				   &verdict);
	if (is_new) {
		jobs->counts.submitted++;
		host = jobs_host(jobs, job);
		host->origin = xstrdup(peer);
		host->hash = hash;
		if (desc) {
			job_submit_set(&host->submit, msg);
			_set_hashes(jobs, host, desc);
		}
		if (!event.refuse) {
			host->spec = xmalloc(sizeof(*host->spec));
			*host->spec = spec;
			host->spec->epoch = job->epoch;
			host->requeue = flurm_flag_or(spec.requeue, true);
			/* that is for the origin to decide */
			host->spec->requeue = FLURM_NO;
		}
	} else if (!event.refuse) {
		flurm_job_spec_free(&spec);
	}
	if (is_new && event.refuse) {
		jobs_host(jobs, job)->run.reason = xstrdup(err.text);
		jobs_write_run(jobs, job);
	}
	if (event.refuse)
		fed_info("cluster %s: job %u of %s is refused: %s",
			 jobs->conf.cluster->name, msg->job_id, peer,
			 err.text);
	if (verdict == FED_JOB_CHANGED)
		jobs_write(jobs, job);
	if (is_new) {
		jobs_write_host(jobs, job);
		if (job->older) {
			jobs_write(jobs, job->older);
			jobs_limits_count(jobs, job->older);
			jobs_touch(jobs, job->older);
		}
	}
	jobs_limits_count(jobs, job);
	jobs_touch(jobs, job);
}

static fed_job_verdict_t _cancel(jobs_t *jobs, fed_job_t *job,
				 uint16_t signal, uint16_t flags, uint32_t uid)
{
	bool requeue = flags & KILL_FED_REQUEUE;
	fed_job_event_t event = {
		.type = FED_EV_CANCEL,
		.now = jobs->now,
		.uid = uid,
		.signal = signal,
		.flags = flags,
		.requeue = requeue,
		/* Slurm's own codes (slurm.h, SIG_PREEMPTED and the like) all
		 * end it */
		.kill = requeue || (signal == SIGKILL) || (signal >= 990),
	};

	return jobs_event(jobs, job, &event);
}

extern uint32_t jobs_cancel(jobs_t *jobs, uint32_t job_id, uint16_t signal,
			    uint16_t flags, uint32_t uid)
{
	fed_job_t *job = fed_job_table_find(jobs->table, job_id);

	if (!job)
		return ESLURM_INVALID_JOB_ID;
	if (job->state >= FED_JOB_ENDED)
		return ESLURM_ALREADY_DONE;
	/* to requeue is the origin's to say */
	(void) _cancel(jobs, job, signal, flags & ~KILL_FED_REQUEUE, uid);
	return SLURM_SUCCESS;
}

static void _take_cancel(jobs_t *jobs, const sib_msg_t *msg)
{
	const job_step_kill_msg_t *kill = msg->data;
	fed_job_t *job;

	if (!kill)
		return;
	/* the id is in the data, not in the message (fed_mgr.c,
	 * _persist_fed_job_cancel()) */
	if (!(job = fed_job_table_find(jobs->table, kill->step_id.job_id)))
		return;
	(void) _cancel(jobs, job, kill->signal, kill->flags, msg->req_uid);
}

extern void jobs_take_sib(jobs_t *jobs, const char *peer,
			  const sib_msg_t *msg)
{
	fed_job_event_t revoke = { .type = FED_EV_REVOKE, .now = jobs->now };
	fed_job_t *job;

	fed_debug("cluster %s: %s says: %s, job %u",
		  jobs->conf.cluster->name, peer,
		  sib_kind_name(msg->sib_msg_type), msg->job_id);
	switch (msg->sib_msg_type) {
	case SIB_SUBMIT_BATCH:
	case SIB_SUBMIT_INT:
		_take_submit(jobs, peer, msg);
		break;
	case SIB_COMPLETE:
		if ((job = fed_job_table_find(jobs->table, msg->job_id)))
			jobs_event(jobs, job, &revoke);
		break;
	case SIB_CANCEL:
		_take_cancel(jobs, msg);
		break;
	case SIB_UPDATE:
		jobs_take_update(jobs, msg);
		break;
	case SIB_SYNC:
		jobs_take_sync(jobs, peer, msg);
		break;
	default:
		/* for an origin, which FLURM is not */
		break;
	}
}

typedef struct {
	jobs_t *jobs;
	const char *peer;
} peer_walk_t;

static void _lose_one(fed_job_t *job, void *arg)
{
	const peer_walk_t *walk = arg;
	const job_host_t *host = job->host;
	fed_job_event_t event = {
		.type = FED_EV_ORIGIN_LOST,
		.now = walk->jobs->now,
	};

	if (!host)
		return;
	if (!xstrcmp(host->origin, walk->peer))
		jobs_event(walk->jobs, job, &event);
	jobs_lock_lost(walk->jobs, job, walk->peer);
}

extern void jobs_origin_lost(jobs_t *jobs, const char *peer)
{
	peer_walk_t walk = { .jobs = jobs, .peer = peer };

	fed_job_table_walk(jobs->table, _lose_one, &walk);
	jobs_ask_lost(jobs, peer);
}

/* ---- what is due ---- */

static void _act_for(jobs_t *jobs, fed_job_t *job)
{
	uint32_t due;

	jobs_flurm_withdraw(jobs, job);
	jobs_lock_act(jobs, job);
	while ((due = fed_job_action(job) & ~JOB_ROW_ACTIONS)) {
		fed_job_action_t action = __builtin_ctz(due);

		switch (action) {
		case FED_ACT_FLURM_SUBMIT:
		case FED_ACT_FLURM_UPDATE:
		case FED_ACT_FLURM_GRANT:
		case FED_ACT_FLURM_DENY:
		case FED_ACT_FLURM_SIGNAL:
		case FED_ACT_FLURM_REVOKE:
		case FED_ACT_FLURM_CANCEL:
			jobs_tell_flurm(jobs, job, action);
			break;
		default:
			jobs_tell_origin(jobs, job, action);
			break;
		}
		/* what could not be sent waits for its peer to come back */
		if (fed_job_action(job) & FED_BIT(action))
			break;
	}
}

extern void jobs_act(jobs_t *jobs)
{
	job_host_t *host, *list;

	jobs_stream_ack(jobs);
	list = jobs->dirty;
	jobs->dirty = NULL;
	while ((host = list)) {
		list = host->next_dirty;
		host->dirty = false;
		_act_for(jobs, host->job);
	}
}

static void _tick_one(fed_job_t *job, void *arg)
{
	jobs_t *jobs = arg;
	job_host_t *host = job->host;
	int64_t timeout = jobs->conf.cluster->delivery_timeout;
	fed_job_event_t event = { .now = jobs->now };

	if (fed_job_is_over(job)) {
		if (jobs->now - job->since > TOMBSTONE_S)
			jobs_forget(jobs, job);
		return;
	}
	if (host && host->unsent && (jobs->now >= host->unsent_at)) {
		for (int i = 0; i < FED_ACTIONS; i++) {
			if (host->unsent & FED_BIT(i))
				jobs_said(jobs, job, i, FED_EV_UNSENT);
		}
		host->unsent = 0;
	}
	if (host)
		jobs_lock_tick(jobs, job);
	if (job->lock_wait && host && (jobs->now >= host->retry_at)) {
		event.type = FED_EV_RETRY;
		jobs_event(jobs, job, &event);
	}
	if ((job->state == FED_JOB_DELIVERING) && timeout &&
	    (jobs->now - job->since > timeout)) {
		event.type = FED_EV_DEADLINE;
		jobs_event(jobs, job, &event);
	}
	/* what could not be said when it was due may be said by now */
	if (fed_job_action(job))
		jobs_touch(jobs, job);
}

extern void jobs_tick(jobs_t *jobs, time_t now)
{
	jobs->now = now;
	fed_job_table_walk(jobs->table, _tick_one, jobs);
	jobs_usage_tick(jobs);
	jobs_limits_tick(jobs);
	jobs_stream_tick(jobs);
	jobs_ask_tick(jobs);
}

static void _replayed_one(fed_job_t *job, void *arg)
{
	jobs_thin(job);
	jobs_lock_replayed(arg, job);
	jobs_limits_replayed(arg, job);
	jobs_touch(arg, job);
}

extern void jobs_connect(jobs_t *jobs, const jobs_conf_t *conf,
			 fed_ledger_t *ledger)
{
	jobs->conf = *conf;
	jobs->ledger = ledger;
	jobs->cursor_written = jobs->cursor;
	fed_job_table_walk(jobs->table, _replayed_one, jobs);
	jobs_stream_start(jobs);
}

static void _left_one(fed_job_t *job, void *arg)
{
	jobs_t *jobs = arg;
	const job_host_t *host = job->host;
	fed_job_event_t event = {
		.type = FED_EV_ORIGIN_VIEW,
		.view = FED_VIEW_LEFT,
		.now = jobs->now,
	};

	if (!host || !host->origin || fed_job_is_over(job))
		return;
	if (!jobs->fed->self || !federation_find(jobs->fed, host->origin))
		jobs_event(jobs, job, &event);
}

extern void jobs_set_federation(jobs_t *jobs, const federation_t *fed)
{
	bool first = !jobs->fed;

	jobs->fed = fed;
	if (!first)
		fed_job_table_walk(jobs->table, _left_one, jobs);
}

extern bool jobs_are_left(const jobs_t *jobs)
{
	fed_job_table_stats_t stats;

	fed_job_table_stats(jobs->table, &stats);
	return stats.by_state[FED_JOB_GONE] < stats.jobs;
}

extern void jobs_set_slurmdbd(jobs_t *jobs, bool registered)
{
	jobs->slurmdbd = registered;
}

extern void jobs_set_nodes(jobs_t *jobs, nodes_t *nodes)
{
	nodes_unref(jobs->nodes);
	jobs->nodes = nodes;
}

extern json_t *jobs_status(const jobs_t *jobs)
{
	fed_job_table_stats_t stats;
	json_t *states = json_object();

	fed_job_table_stats(jobs->table, &stats);
	for (int i = 0; i < FED_JOB_STATES; i++) {
		if (stats.by_state[i])
			json_object_set_new(states, fed_job_state_name(i),
					    json_integer(stats.by_state[i]));
	}
	return json_pack("{s:I, s:o, s:I, s:I, s:I}",
			 "known", (json_int_t) stats.jobs,
			 "states", states,
			 "events", (json_int_t) stats.events,
			 "ignored", (json_int_t) stats.ignored,
			 "cursor", (json_int_t) jobs->cursor);
}
