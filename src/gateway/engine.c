/*
 * engine.c - the one thread that owns all jobs (see engine.h): its loop.
 *
 * A turn: posts, backend, timers, scheduler; commit; publish, answer, act.
 * Settling a job (queue, resources, timer: all in memory) happens with the
 * event; acting on it (the backend: the world) only after the commit. Both look
 * at what gw_gate_wants() says and do what is missing, so they may be called
 * at any time.
 *
 * LOCKING PROTOCOL: lock guards the list of posts and nothing else. All other
 * fields belong to the engine's thread once it runs.
 */
#include "fed_config.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/core/mem.h"
#include "src/gateway/engine_in.h"

#define POSTS_A_TURN 8192	/* bounds a commit, and how long it is awaited */
#define RETRY_COMMIT_MS 1000
#define PASS_SHARE 8		/* of the time, at most, is for the scheduler */
#define NEVER GW_NEVER

static int64_t _wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static gw_gate_times_t _times(const gw_engine_t *engine)
{
	return (gw_gate_times_t) {
		.ask_again_ms = engine->conf->gate_ask_again * 1000,
		.patience_ms = engine->conf->gate_patience * 1000,
		.retry_ms = engine->conf->gate_retry * 1000,
	};
}

extern bool gw_engine_post(gw_engine_t *engine, gw_post_t *post)
{
	bool taken, first;

	post->next = NULL;
	pthread_mutex_lock(&engine->lock);
	first = !engine->posts;
	if ((taken = !engine->refuse)) {
		*engine->posts_end = post;
		engine->posts_end = &post->next;
	}
	pthread_mutex_unlock(&engine->lock);
	if (taken && first)
		(void) eventfd_write(engine->wake_fd, 1);
	return taken;
}

static void _run_posts(gw_engine_t *engine)
{
	gw_post_t *post, *next, *rest = NULL;
	int count = 0;

	pthread_mutex_lock(&engine->lock);
	post = engine->posts;
	for (next = post; next && (count < POSTS_A_TURN); next = next->next)
		if (++count == POSTS_A_TURN) {
			rest = next->next;
			next->next = NULL;
			break;
		}
	engine->posts = rest;
	engine->more_posts = rest;
	if (!rest)
		engine->posts_end = &engine->posts;
	pthread_mutex_unlock(&engine->lock);

	for (; post; post = next) {
		next = post->next;
		post->run(engine, post);
	}
}

static void _touch(gw_engine_t *engine, gw_job_t *job)
{
	if (job->touched)
		return;
	job->touched = true;
	job->touched_next = engine->touched;
	engine->touched = job;
}

/* Take it off the list of what is to be acted on. */
static void _untouch(gw_engine_t *engine, gw_job_t *job)
{
	gw_job_t **at = &engine->touched;

	if (!job->touched)
		return;
	while (*at != job)
		at = &(*at)->touched_next;
	*at = job->touched_next;
	job->touched = false;
}

/* Queue, resources and timer become what they should be. */
static void _settle(gw_engine_t *engine, gw_job_t *job)
{
	gw_gate_times_t times = _times(engine);
	gw_wants_t wants = gw_gate_wants(job, engine->now_ms);
	gw_entry_t *entry = &job->entry;
	int64_t wake;

	/* what the backend has to let go of first is queued after that */
	if (job->told_start && !wants.run)
		wants.queued = false;
	if (((entry->state == GW_SCHED_HOLDS) && !wants.resources) ||
	    ((entry->state == GW_SCHED_QUEUED) && !wants.queued)) {
		gw_sched_drop(engine->cluster.sched, entry, engine->now_ms);
		engine->dirty = true;
	}
	if ((entry->state == GW_SCHED_OUT) && wants.queued) {
		gw_sched_queue(engine->cluster.sched, entry);
		engine->dirty = true;
	}
	wake = gw_gate_wake(job, &times, engine->now_ms);
	if (wake == NEVER)
		gw_timer_clear(&engine->timers, &job->timer);
	else
		gw_timer_set(&engine->timers, &job->timer, wake);
	if (flurm_state_is_over(job->state) && !job->is_over_listed) {
		job->is_over_listed = true;
		job->over_next = NULL;
		*engine->over_end = job;
		engine->over_end = &job->over_next;
	}
}

/* The job is about to leave the table: nothing may point to it any more. */
static void _detach(gw_engine_t *engine, gw_job_t *job)
{
	gw_job_t **at = &engine->over_first;

	gw_timer_clear(&engine->timers, &job->timer);
	gw_sched_drop(engine->cluster.sched, &job->entry, engine->now_ms);
	_untouch(engine, job);
	if (job->is_over_listed) {
		while (*at != job)
			at = &(*at)->over_next;
		*at = job->over_next;
		if (engine->over_end == &job->over_next)
			engine->over_end = at;
	}
	engine->by_state[job->state]--;
}

/* When it will give its resources back, as far as can be told. */
static void _plan_end(gw_engine_t *engine, gw_job_t *job,
		      const gw_event_t *event)
{
	int64_t limit = job->entry.need.time_limit, now = engine->now_ms / 1000;
	int64_t end = GW_NEVER;

	if (job->entry.state != GW_SCHED_HOLDS)
		return;
	if ((event->type == GW_EV_STARTED) || (event->type == GW_EV_RESUMED)) {
		if (limit < GW_NEVER - now)
			end = job->start_time + limit + job->suspended_for;
	} else if (event->type != GW_EV_SUSPENDED) {
		return;
	}
	gw_sched_set_end(engine->cluster.sched, &job->entry, end);
}

static void _count(gw_engine_t *engine, const gw_event_t *event)
{
	engine->counters.events++;
	if (event->type == GW_EV_STARTED)
		engine->counters.started++;
	if (event->type == GW_EV_ENDED)
		engine->counters.ended[event->state]++;
}

extern gw_job_t *gw_engine_event(gw_engine_t *engine, gw_job_t *job,
				 gw_event_t *event)
{
	gw_event_type_t type = event->type;
	uint32_t fed_job_id = event->fed_job_id;
	gw_event_t brief;
	fed_err_t err;

	event->time_ms = engine->now_ms;
	if (job && ((type == GW_EV_SUBMITTED) || (type == GW_EV_FORGOTTEN)))
		_detach(engine, job);
	else if (job)
		engine->by_state[job->state]--;
	if (job && (type != GW_EV_SUBMITTED)) {
		fed_job_id = event->fed_job_id = job->fed_job_id;
		event->epoch = job->epoch;
		event->job_id = job->job_id;
	}
	if (type == GW_EV_CANCEL && job)
		job->told_cancel = false;
	_count(engine, event);
	brief = (gw_event_t) { .type = type };
	if (gw_store_event(&engine->store, job, event, &err))
		fed_error("job %u: %s", fed_job_id, err.text);
	if (!fed_job_id || (type == GW_EV_FORGOTTEN))
		return NULL;
	job = gw_jobs_find(engine->store.jobs, fed_job_id);
	engine->by_state[job->state]++;
	_plan_end(engine, job, &brief);
	if ((type != GW_EV_SUBMITTED) && (type != GW_EV_UPDATED))
		_settle(engine, job);
	_touch(engine, job);
	return job;
}

extern void gw_engine_learn(gw_engine_t *engine, gw_job_t *job,
			    const flurm_job_spec_t *spec,
			    const gw_need_t *need)
{
	/* its place in the queue may be another one now */
	if (job->entry.state == GW_SCHED_QUEUED)
		gw_sched_drop(engine->cluster.sched, &job->entry,
			      engine->now_ms);
	job->entry.need = *need;
	job->entry.need.order = job->job_id;
	job->gated = flurm_flag_or(spec->start_gate, true);
	job->may_requeue = flurm_flag_or(spec->requeue, true);
	job->dependent = spec->dependency && *spec->dependency;
	job->deadline = flurm_or(spec->deadline, 0);
	job->begin_time = flurm_or(spec->begin_time, 0);
	_settle(engine, job);
}

/* The scheduler has given it nodes. */
static void _picked(gw_entry_t *entry, void *arg)
{
	gw_job_t *job = (gw_job_t *)
		((char *) entry - offsetof(gw_job_t, entry));
	gw_engine_t *engine = arg;
	gw_event_t event;

	gw_event_init(&event, job->gated ? GW_EV_ASKED : GW_EV_TAKEN);
	event.node_count = entry->need.nodes;
	event.node_list = fed_memdup(entry->nodes, entry->need.nodes *
				     sizeof(*entry->nodes));
	event.nodes = gw_cluster_hostlist(&engine->cluster, entry->nodes,
					  entry->need.nodes);
	event.cpus = entry->need.cpus * entry->need.nodes;
	gw_engine_event(engine, job, &event);
}

/*
 * A pass costs as much as there is to look at: with many jobs it is not made
 * for each that comes or goes.
 */
static void _schedule(gw_engine_t *engine)
{
	int64_t begin;

	if (!engine->dirty || (engine->now_ms < engine->pass_after_ms))
		return;
	begin = _wall_ms();
	engine->dirty = false;
	engine->counters.passes++;
	gw_sched_run(engine->cluster.sched, engine->now_ms / 1000,
		     engine->conf->backfill_depth, _picked, engine);
	engine->pass_after_ms = engine->now_ms +
		PASS_SHARE * (_wall_ms() - begin);
}

static void _run_timers(gw_engine_t *engine)
{
	gw_gate_times_t times = _times(engine);
	gw_timer_t *timer;

	while ((timer = gw_timers_first(&engine->timers)) &&
	       (timer->at <= engine->now_ms)) {
		gw_job_t *job = (gw_job_t *)
			((char *) timer - offsetof(gw_job_t, timer));
		gw_event_t event;

		gw_timer_clear(&engine->timers, timer);
		if (gw_gate_tick(job, &times, engine->now_ms, engine->heard,
				 &event)) {
			if (event.type == GW_EV_ASKED_AGAIN) {
				event.nodes = fed_strdup(job->nodes);
				event.cpus = job->alloc_count *
					job->entry.need.cpus;
			}
			gw_engine_event(engine, job, &event);
		} else {
			_settle(engine, job);
		}
	}
}

static void _failed_start(gw_engine_t *engine, gw_job_t *job,
			  const gw_report_t *report)
{
	int64_t wait_ms = engine->conf->gate_retry * 1000;
	bool hold = job->attempts + 1 >= engine->conf->start_attempts;
	gw_event_t event;

	gw_event_init(&event, GW_EV_START_FAILED);
	event.hold = hold;
	event.until_ms = engine->now_ms + (wait_ms < 1000 ? 1000 : wait_ms);
	event.reason = fed_strdup(report->reason ? report->reason :
				  "it could not be started");
	fed_info("job %u epoch %u did not start: %s%s", job->fed_job_id,
		 job->epoch, event.reason, hold ? " (it is held now)" : "");
	job = gw_engine_event(engine, job, &event);
	if (!hold)
		return;
	gw_event_init(&event, GW_EV_HELD);
	event.reason = fed_strdup_printf("held after %u failed starts: %s",
					 job->attempts, job->reason);
	gw_engine_event(engine, job, &event);
}

static void _end(gw_engine_t *engine, gw_job_t *job, const gw_report_t *report)
{
	gw_event_t event;

	gw_event_init(&event, (job->requeue && !job->cancel) ?
		      GW_EV_REQUEUED : GW_EV_ENDED);
	event.hold = job->requeue_hold;
	event.state = report->state;
	event.start_time = report->start_time;
	event.end_time = report->end_time;
	event.suspended_for = report->suspended_for;
	event.exit_code = report->exit_code;
	event.signal = report->signal;
	event.usage = report->usage;
	event.reason = fed_strdup(report->reason);
	gw_engine_event(engine, job, &event);
}

/* From the backend, in its work(). */
static void _report(const gw_report_t *report, void *arg)
{
	gw_engine_t *engine = arg;
	gw_job_t *job = report->job;
	gw_event_t event;

	if (!job->granted || flurm_state_is_over(job->state))
		return;
	if (report->kind == GW_REPORT_ENDED) {
		_end(engine, job, report);
	} else if (report->kind == GW_REPORT_STARTED) {
		if (job->start_time)
			return;
		gw_event_init(&event, GW_EV_STARTED);
		event.start_time = report->start_time;
		event.nodes = fed_strdup(job->nodes);
		event.cpus = job->alloc_count * job->entry.need.cpus;
		gw_engine_event(engine, job, &event);
	} else if (job->cancel || job->requeue) {
		gw_report_t ended = *report;

		ended.state = FLURM_CANCELLED;
		ended.start_time = ended.end_time = 0;
		_end(engine, job, &ended);
	} else {
		_failed_start(engine, job, report);
	}
}

static void _nodes_changed(void *arg)
{
	gw_engine_t *engine = arg;
	gw_event_t event;

	gw_cluster_refresh(&engine->cluster);
	engine->dirty = true;
	gw_event_init(&event, GW_EV_CLUSTER);
	gw_engine_event(engine, NULL, &event);
}

static void _tell_start(gw_engine_t *engine, gw_job_t *job, bool again)
{
	flurm_job_spec_t spec;
	fed_err_t err;

	if (gw_job_spec(job, true, &spec, &err)) {
		/* our own ledger: cannot happen, and cannot be repaired */
		fed_error("job %u: %s", job->fed_job_id, err.text);
		return;
	}
	if (again)
		engine->ops->recover(engine->backend, job, &spec);
	else
		engine->ops->start(engine->backend, job, &spec);
	flurm_job_spec_free(&spec);
	job->told_start = true;
	job->told_cancel = job->told_suspend = false;
	engine->backend_due_ms = engine->now_ms;
}

/* The world becomes what the ledger says. */
static void _act_on(gw_engine_t *engine, gw_job_t *job)
{
	gw_wants_t wants = gw_gate_wants(job, engine->now_ms);

	if (wants.run && !job->told_start)
		_tell_start(engine, job, false);
	if (wants.cancel && job->told_start && !job->told_cancel) {
		engine->ops->cancel(engine->backend, job, job->cancel ?
				    job->cancel_signal : 0);
		job->told_cancel = true;
		engine->backend_due_ms = engine->now_ms;
	}
	if (wants.run && (wants.suspend != job->told_suspend)) {
		engine->ops->suspend(engine->backend, job, wants.suspend);
		job->told_suspend = wants.suspend;
		engine->backend_due_ms = engine->now_ms;
	}
	if (!wants.run && job->told_start) {
		engine->ops->forget(engine->backend, job);
		job->told_start = false;
		_settle(engine, job);
	}
}

static void _act(gw_engine_t *engine)
{
	gw_job_t *job;

	while ((job = engine->touched)) {
		engine->touched = job->touched_next;
		job->touched = false;
		_act_on(engine, job);
	}
}

extern void gw_engine_answer(gw_engine_t *engine, flurm_request_t *request,
			     flurm_result_t *result)
{
	gw_answer_t *answer = fed_calloc(1, sizeof(*answer));

	answer->request = request;
	answer->result = *result;
	*engine->answers_end = answer;
	engine->answers_end = &answer->next;
}

extern void gw_engine_answer_text(gw_engine_t *engine,
				  flurm_request_t *request, int status,
				  const char *type, char *text, size_t len)
{
	gw_answer_t *answer = fed_calloc(1, sizeof(*answer));

	answer->request = request;
	answer->status = status;
	answer->type = type;
	answer->text = text;
	answer->len = len;
	*engine->answers_end = answer;
	engine->answers_end = &answer->next;
}

static void _send_answers(gw_engine_t *engine)
{
	gw_answer_t *answer;

	while ((answer = engine->answers)) {
		engine->answers = answer->next;
		if (answer->text) {
			flurm_request_reply(answer->request, answer->status,
					    answer->type, answer->text,
					    answer->len);
			free(answer->text);
		} else {
			flurm_request_reply_result(answer->request,
						   &answer->result);
			flurm_result_free(&answer->result);
		}
		free(answer);
	}
	engine->answers_end = &engine->answers;
}

extern void gw_engine_flush(gw_engine_t *engine)
{
	static fed_log_throttle_t throttle;
	fed_err_t err;

	if (gw_store_commit(&engine->store, &err)) {
		fed_log_throttled(&throttle, FED_LOG_ERROR, "ledger: %s; "
				  "nothing is answered until it works again",
				  err.text);
		engine->broken = true;
		return;
	}
	if (engine->broken)
		fed_info("the ledger works again");
	engine->broken = false;
	gw_engine_publish(engine);
	_send_answers(engine);
	_act(engine);
}

static void _work(gw_engine_t *engine, bool readable)
{
	if (!readable && (engine->now_ms < engine->backend_due_ms))
		return;
	engine->backend_due_ms = engine->ops->work(engine->backend,
						   engine->now_ms);
}

/* RET milliseconds until something is due, for poll() */
static int _wait_ms(gw_engine_t *engine)
{
	const gw_timer_t *timer = gw_timers_first(&engine->timers);
	int64_t due = engine->backend_due_ms, now = _wall_ms();

	if (engine->broken)
		return RETRY_COMMIT_MS;
	if (engine->more_posts || engine->touched)
		return 0;
	if (timer && (timer->at < due))
		due = timer->at;
	if (engine->dirty && (engine->pass_after_ms < due))
		due = engine->pass_after_ms;
	if (due > now + 10000)
		return 10000;	/* also the period of cleaning up */
	return due > now ? due - now : 0;
}

static void *_loop(void *arg)
{
	gw_engine_t *engine = arg;
	bool readable[2] = { false };
	eventfd_t ignored;

	while (!engine->stop) {
		struct pollfd fds[] = {
			{ .fd = engine->wake_fd, .events = POLLIN },
			{ .fd = engine->ops->fd(engine->backend),
			  .events = POLLIN },
		};

		(void) poll(fds, 2, _wait_ms(engine));
		readable[0] = fds[0].revents;
		readable[1] = fds[1].revents;
		if (readable[0])
			(void) eventfd_read(engine->wake_fd, &ignored);
		engine->now_ms = _wall_ms();
		if (!engine->broken) {
			_run_posts(engine);
			_work(engine, readable[1]);
			_run_timers(engine);
			_schedule(engine);
			gw_engine_clean(engine);
		}
		gw_engine_flush(engine);
	}
	gw_engine_end_streams(engine);
	return NULL;
}

/* What a job that was there before the restart needs of us. */
static void _recover_job(gw_engine_t *engine, gw_job_t *job)
{
	gw_need_t need = { .nodes = 1, .cpus = 1, .time_limit = GW_NEVER };
	flurm_result_t ignored;
	flurm_job_spec_t spec;
	gw_wants_t wants;
	gw_event_t event;
	fed_err_t err;

	engine->by_state[job->state]++;
	if (gw_job_spec(job, false, &spec, &err)) {
		fed_error("%s", err.text);
		return;
	}
	flurm_result_init(&ignored);
	if (gw_cluster_need(&engine->cluster, &spec, &need, &ignored))
		fed_error("job %u: %s", job->fed_job_id, ignored.reason);
	flurm_result_free(&ignored);
	gw_engine_learn(engine, job, &spec, &need);
	flurm_job_spec_free(&spec);

	wants = gw_gate_wants(job, engine->now_ms);
	if (wants.resources) {
		int64_t limit = need.time_limit, now = engine->now_ms / 1000;
		int64_t end = (limit < GW_NEVER - now) ?
			(job->start_time ? job->start_time : now) + limit :
			GW_NEVER;

		if ((job->alloc_count != need.nodes) ||
		    gw_sched_take(engine->cluster.sched, &job->entry,
				  job->alloc, end)) {
			fed_info("job %u: the nodes that it had are not there "
				 "any more", job->fed_job_id);
			if (!wants.run) {
				gw_event_init(&event, GW_EV_GAVE_BACK);
				gw_engine_event(engine, job, &event);
			}
		}
	}
	if (wants.run)
		_tell_start(engine, job, true);
	_settle(engine, job);
	_touch(engine, job);
}

static void _recover(gw_engine_t *engine)
{
	gw_job_t *job;
	uint64_t after = 0;

	for (; (job = gw_jobs_after(engine->store.jobs, after));
	     after = job->job_id)
		_recover_job(engine, job);
	engine->heard = engine->store.acked;
}

extern gw_engine_t *gw_engine_create(gw_conf_t *conf,
				     const gw_backend_ops_t *backend,
				     fed_err_t *err)
{
	gw_engine_t *engine = fed_calloc(1, sizeof(*engine));
	char *dir;
	int rc;

	engine->conf = conf;
	engine->ops = backend;
	engine->now_ms = _wall_ms();
	engine->posts_end = &engine->posts;
	engine->answers_end = &engine->answers;
	engine->over_end = &engine->over_first;
	engine->dirty = true;
	pthread_mutex_init(&engine->lock, NULL);
	if ((engine->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
		fed_err_set(err, errno, "eventfd: %s", strerror(errno));
		goto fail;
	}
	dir = fed_strdup_printf("%s/ledger", conf->state_dir);
	rc = gw_store_open(&engine->store, dir, engine->now_ms, err);
	free(dir);
	if (rc)
		goto fail;
	engine->host = (gw_backend_host_t) {
		.report = _report,
		.nodes_changed = _nodes_changed,
		.arg = engine,
		.instance_id = engine->store.instance_id,
	};
	if (!(engine->backend = backend->open(conf, &engine->host, err)))
		goto fail;
	gw_cluster_init(&engine->cluster, conf,
			backend->layout(engine->backend));
	_recover(engine);
	return engine;
fail:
	engine->conf = NULL;
	gw_engine_destroy(engine);
	return NULL;
}

extern int gw_engine_start(gw_engine_t *engine, flurm_server_t *server,
			   fed_err_t *err)
{
	int rc;

	engine->server = server;
	if ((rc = pthread_create(&engine->thread, NULL, _loop, engine)))
		return fed_err_set(err, rc, "thread: %s", strerror(rc));
	(void) pthread_setname_np(engine->thread, "engine");
	engine->running = true;
	return 0;
}

static void _run_stop(gw_engine_t *engine, gw_post_t *post)
{
	engine->stop = true;
	free(post);
}

extern void gw_engine_stop(gw_engine_t *engine)
{
	gw_post_t *post;

	if (!engine->running)
		return;
	post = fed_calloc(1, sizeof(*post));
	post->run = _run_stop;
	if (!gw_engine_post(engine, post))
		free(post);
	pthread_mutex_lock(&engine->lock);
	engine->refuse = true;
	pthread_mutex_unlock(&engine->lock);
	pthread_join(engine->thread, NULL);
	engine->running = false;
	/* more than a turn's worth was waiting: all of it is in memory yet */
	while (engine->more_posts && !engine->broken) {
		_run_posts(engine);
		gw_engine_flush(engine);
	}
	gw_engine_end_streams(engine);
}

extern void gw_engine_destroy(gw_engine_t *engine)
{
	if (!engine)
		return;
	if (engine->backend)
		engine->ops->close(engine->backend);
	if (engine->cluster.sched)
		gw_cluster_fini(&engine->cluster);
	gw_store_close(&engine->store);
	gw_timers_free(&engine->timers);
	if (engine->conf) {
		gw_conf_free(engine->conf);
		free(engine->conf);
	}
	close(engine->wake_fd);
	pthread_mutex_destroy(&engine->lock);
	free(engine);
}

typedef struct {
	gw_post_t post;
	gw_conf_t *conf;
} reload_post_t;

static void _run_reload(gw_engine_t *engine, gw_post_t *post)
{
	reload_post_t *mine = (reload_post_t *) post;
	const char *key = gw_conf_restart_key(engine->conf, mine->conf);

	if (key)
		fed_error("%s: %s and others of its kind need a restart",
			  mine->conf->path, key);
	gw_conf_take(engine->conf, mine->conf);
	gw_cluster_refresh(&engine->cluster);
	engine->dirty = true;
	fed_info("%s: read again", mine->conf->path);
	gw_conf_free(mine->conf);
	free(mine->conf);
	free(mine);
}

extern void gw_engine_reload(gw_engine_t *engine, gw_conf_t *conf)
{
	reload_post_t *mine = fed_calloc(1, sizeof(*mine));

	mine->post.run = _run_reload;
	mine->conf = conf;
	if (gw_engine_post(engine, &mine->post))
		return;
	gw_conf_free(conf);
	free(conf);
	free(mine);
}

extern const char *gw_engine_instance(const gw_engine_t *engine)
{
	return engine->store.instance_id;
}

extern const char *gw_engine_cluster_name(const gw_engine_t *engine)
{
	return engine->conf->cluster_name;
}

extern const gw_backend_ops_t *gw_engine_backend(const gw_engine_t *engine)
{
	return engine->ops;
}
