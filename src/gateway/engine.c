/*
 * engine.c - the one thread that owns all jobs (see engine.h): its loop.
 *
 * A turn: posts, backend, timers, scheduler; commit; publish, answer, act (see
 * engine_job.c).
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

#define POSTS_A_TURN 8192	/* bounds a commit and its wait */
#define RETRY_COMMIT_MS 1000
#define PASS_SHARE 8		/* of the time, at most, is for the scheduler */
#define NEVER GW_NEVER

static int64_t _wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
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
	gw_gate_times_t times = gw_engine_times(engine);
	fed_timer_t *timer;

	while ((timer = fed_timers_first(&engine->timers)) &&
	       (timer->at <= engine->now_ms)) {
		gw_job_t *job = (gw_job_t *)
			((char *) timer - offsetof(gw_job_t, timer));
		gw_event_t event;

		fed_timer_clear(&engine->timers, timer);
		if (gw_gate_tick(job, &times, engine->now_ms, engine->heard,
				 &event)) {
			if (event.type == GW_EV_ASKED_AGAIN) {
				event.nodes = fed_strdup(job->nodes);
				event.cpus = job->alloc_count *
					job->entry.need.cpus;
			}
			gw_engine_event(engine, job, &event);
		} else {
			gw_engine_settle(engine, job);
		}
	}
}

static void _nodes_changed(void *arg)
{
	gw_engine_t *engine = arg;
	gw_event_t event;
	json_t *stats;

	gw_cluster_refresh(&engine->cluster);
	engine->dirty = true;
	gw_event_init(&event, GW_EV_CLUSTER);
	stats = gw_engine_stats(engine);
	event.detail = json_dumps(stats, JSON_COMPACT);
	json_decref(stats);
	gw_engine_event(engine, NULL, &event);
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
	if (engine->broken) {
		fed_info("the ledger works again");
		/* the wake-ups of what was posted meanwhile are spent */
		engine->more_posts = true;
	}
	engine->broken = false;
	gw_engine_publish(engine);
	gw_engine_send_answers(engine);
	gw_engine_act(engine);
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
	const fed_timer_t *timer = fed_timers_first(&engine->timers);
	int64_t due = engine->backend_due_ms, now = _wall_ms();

	if (engine->broken)
		return RETRY_COMMIT_MS;
	if (engine->more_posts || engine->touched)
		return 0;
	if (engine->late && (engine->late->late_ms < due))
		due = engine->late->late_ms;
	if (timer && (timer->at < due))
		due = timer->at;
	if (engine->dirty && (engine->pass_after_ms < due))
		due = engine->pass_after_ms;
	if (due > now + 10000)
		return 10000;	/* also the period of cleaning up */
	return due > now ? due - now : 0;
}

/*
 * Dues are wall clock times, so that they mean the same after a restart. When
 * the clock is set back, what is due soon must not wait for it to catch up.
 */
static void _tell_time(gw_engine_t *engine)
{
	int64_t now_ms = _wall_ms();

	if (now_ms < engine->now_ms) {
		engine->pass_after_ms = 0;
		engine->backend_due_ms = 0;
	}
	engine->now_ms = now_ms;
}

static void *_loop(void *arg)
{
	gw_engine_t *engine = arg;
	bool readable[2] = { false };
	eventfd_t ignored;

	while (!__atomic_load_n(&engine->stop, __ATOMIC_ACQUIRE)) {
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
		_tell_time(engine);
		if (!engine->broken) {
			_run_posts(engine);
			_work(engine, readable[1]);
			_run_timers(engine);
			_schedule(engine);
			gw_engine_clean(engine);
		}
		gw_engine_flush(engine);
	}
	return NULL;
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
	engine->late_end = &engine->late;
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
		.report = gw_engine_report,
		.nodes_changed = _nodes_changed,
		.arg = engine,
		.instance_id = engine->store.instance_id,
	};
	if (!(engine->backend = backend->open(conf, &engine->host, err)))
		goto fail;
	gw_cluster_init(&engine->cluster, conf,
			backend->layout(engine->backend));
	gw_engine_recover(engine);
	return engine;
fail:
	engine->conf = NULL;
	gw_engine_destroy(engine);
	return NULL;
}

extern void gw_engine_set_faults(gw_engine_t *engine, gw_faults_t *faults)
{
	engine->faults = faults;
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

/* The ledger is broken: nothing of what was asked is sure to be kept. */
static void _refuse_answers(gw_engine_t *engine)
{
	gw_answer_t *answer;

	while ((answer = engine->answers)) {
		engine->answers = answer->next;
		flurm_request_error(answer->request, 503, NULL,
				    "the ledger cannot be written");
		flurm_result_free(&answer->result);
		free(answer->text);
		free(answer);
	}
	engine->answers_end = &engine->answers;
}

extern void gw_engine_stop(gw_engine_t *engine)
{
	if (!engine->running)
		return;
	pthread_mutex_lock(&engine->lock);
	engine->refuse = true;
	pthread_mutex_unlock(&engine->lock);
	__atomic_store_n(&engine->stop, true, __ATOMIC_RELEASE);
	(void) eventfd_write(engine->wake_fd, 1);
	pthread_join(engine->thread, NULL);
	engine->running = false;
	/* what came last has not been looked at */
	do {
		_run_posts(engine);
		gw_engine_flush(engine);
	} while (engine->more_posts);
	_refuse_answers(engine);
	gw_engine_end_streams(engine);
	gw_engine_send_late(engine);
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
	fed_timers_free(&engine->timers);
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
