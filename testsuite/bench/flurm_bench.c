/*
 * flurm_bench.c - one client, in one thread, against a flurm-gateway: how many
 * submissions a second, how late events are; and, with -c, whether each job
 * was started once and ended once as it should, whatever went wrong between.
 *
 *	flurm_bench [-n JOBS] [-w WINDOW] [-b OPS] [-s BYTES] [-l] [-c] URL
 *
 *	-n  jobs to submit (10000)
 *	-w  of them waiting for an answer at any time (256)
 *	-b  most ops in a batch; 1: one request for each (256)
 *	-s  size of a script (1000)
 *	-i  first fed_job_id (67108865)
 *	-h  held jobs: nothing but the submission is measured
 *	-l  latency: one at a time, JOBS times
 *	-c  check: follow all jobs to their end
 */
#include "fed_config.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "src/core/log.h"
#include "src/core/mem.h"
#include "src/flurm/client.h"

#define PATIENCE_S 300
#define SUBMISSIONS_A_TURN 32

static struct {
	uint32_t jobs;
	uint32_t window;
	uint32_t first_id;
	unsigned int batch_ops;
	size_t script_len;
	bool held;
	bool latency;
	bool check;
} options = {
	.jobs = 10000, .window = 256, .batch_ops = 256, .script_len = 1000,
	.first_id = 67108865,
};

/* what became of a job */
typedef struct {
	bool accepted;
	bool granted;
	unsigned char started;	/* distinct events */
	unsigned char ended;
	int exit_code;
	uint64_t ended_seq;
} view_t;

static flurm_loop_t *loop;
static flurm_client_t *client;
static view_t *view;
static uint32_t submitted, answered, refused, over, granting;
static uint64_t wrong, last_seq, gaps;
static bool learned;
static char *script;

static double _now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void _die(const char *what)
{
	fprintf(stderr, "flurm_bench: %s\n", what);
	exit(1);
}

static void _wrong(uint32_t job, const char *what)
{
	if (wrong++ < 10)
		fprintf(stderr, "flurm_bench: job %u: %s\n", job, what);
}

/* Turn the loop until it holds, or die. */
#define UNTIL(condition) \
	do { \
		double end_ = _now() + PATIENCE_S; \
		while (!(condition)) { \
			flurm_loop_turn(loop, 100, NULL); \
			if (_now() > end_) \
				_die("never came true: " #condition); \
		} \
	} while (0)

/* --- what is asked --- */

static int _exit_code(uint32_t index)
{
	return index % 7;
}

static void _submit_done(void *arg, flurm_outcome_t outcome,
			 const flurm_result_t *result)
{
	view_t *job = arg;

	answered++;
	if (outcome == FLURM_ANSWERED) {
		job->accepted = true;
		return;
	}
	refused++;
	_wrong(options.first_id + (job - view), result->reason ?
	       result->reason : flurm_outcome_name(outcome));
}

static bool _submit(uint32_t index)
{
	static const char *environment[] = {
		"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/home/someone",
		"SLURM_SUBMIT_DIR=/home/someone/work", "LANG=C.UTF-8",
		"SLURM_JOB_NAME=bench", "SLURM_UMASK=0022", NULL
	};
	char plan[64];
	flurm_job_spec_t spec;
	flurm_op_t op;

	/* no two scripts are the same */
	snprintf(plan, sizeof(plan), "#FLURM sim duration=0 exit=%d\n# %u\n",
		 _exit_code(index), index);
	memcpy(script + 10, plan, strlen(plan));
	flurm_job_spec_init(&spec);
	spec.fed_job_id = options.first_id + index;
	spec.epoch = 1;
	spec.origin_cluster = "native";
	spec.name = "bench";
	spec.user = "someone";
	spec.user_id = 1000;
	spec.group_id = 1000;
	spec.account = "physics";
	spec.work_dir = "/home/someone/work";
	spec.std_out = "/home/someone/work/slurm-%j.out";
	spec.num_cpus = 1;
	spec.memory_mb = 100;
	spec.time_limit = 3600;
	spec.script = script;
	spec.environment = (char **) environment;
	spec.hold = options.held ? FLURM_YES : FLURM_NO;
	flurm_op_init(&op, FLURM_OP_SUBMIT);
	op.fed_job_id = spec.fed_job_id;
	op.epoch = 1;
	op.spec = &spec;
	return flurm_client_op(client, &op, 0, _submit_done, &view[index]);
}

/* After the plan's line, up to the length: something to carry. */
static void _make_script(void)
{
	script = fed_calloc(1, options.script_len + 100);
	memset(script, '\n', options.script_len + 90);
	memcpy(script, "#!/bin/sh\n", 10);
	for (size_t i = 80; i + 80 < options.script_len; i += 80)
		memset(script + i, '#', 79);
}

/* --- what happens --- */

static void _grant_done(void *arg, flurm_outcome_t outcome,
			const flurm_result_t *result)
{
	view_t *job = arg;

	granting--;
	if ((outcome == FLURM_ANSWERED) || (result->status == 409))
		job->granted = true;
	else
		_wrong(options.first_id + (job - view), "not granted");
}

static void _grant(view_t *job, uint32_t attempt)
{
	flurm_op_t op;

	flurm_op_init(&op, FLURM_OP_START);
	op.fed_job_id = options.first_id + (job - view);
	op.epoch = 1;
	op.attempt = attempt;
	op.grant = true;
	if (!flurm_client_op(client, &op, 0, _grant_done, job))
		_die("the client's queue is full");
	granting++;
}

static void _ended(view_t *job, const flurm_event_t *event)
{
	uint32_t index = job - view;

	job->ended++;
	over++;
	if (event->exit_code != _exit_code(index))
		_wrong(event->fed_job_id, "another exit code");
	if ((event->state == FLURM_COMPLETED) != !_exit_code(index))
		_wrong(event->fed_job_id, "another state");
}

static void _event(void *arg, const flurm_event_t *event)
{
	uint32_t index = event->fed_job_id - options.first_id;
	view_t *job = view + index;
	bool again = event->seq && (event->seq <= last_seq);

	if (event->seq > last_seq)
		last_seq = event->seq;
	/* at least once: those that are told again are known by their seq */
	if (again || (index >= options.jobs))
		return;
	if (event->type == FLURM_EV_START_REQUEST)
		_grant(job, event->attempt);
	else if (event->type == FLURM_EV_STARTED)
		job->started++;
	else if (event->type == FLURM_EV_ENDED)
		_ended(job, event);
	if ((event->seq & 1023) == 0)
		flurm_client_events_ack(client, event->seq);
}

static void _gap(void *arg, const char *instance_id)
{
	gaps++;
}

static const flurm_events_ops_t events_ops = { .event = _event, .gap = _gap };

static void _health_done(void *arg, flurm_outcome_t outcome,
			 const flurm_health_t *health, const fed_err_t *err)
{
	if (outcome != FLURM_ANSWERED)
		_die(err->text);
	learned = true;
}

/* --- runs --- */

static double _cpu_seconds(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return used.ru_utime.tv_sec + used.ru_stime.tv_sec +
		(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void _throughput(void)
{
	double began = _now(), cpu_began = _cpu_seconds(), seconds;
	flurm_client_stats_t stats;

	while (answered < options.jobs) {
		/* a few at a time: what is under way must not stand still */
		int room = SUBMISSIONS_A_TURN;

		while (room && (submitted < options.jobs) &&
		       (submitted - answered < options.window) &&
		       _submit(submitted)) {
			submitted++;
			room--;
		}
		flurm_loop_turn(loop, room ? 1000 : 0, NULL);
		if (_now() - began > PATIENCE_S)
			_die("not all are answered");
	}
	seconds = _now() - began;
	flurm_client_get_stats(client, &stats);
	printf("submissions_per_s %.0f\n", options.jobs / seconds);
	printf("cpu_us_per_submission %.1f\n",
	       1e6 * (_cpu_seconds() - cpu_began) / options.jobs);
	printf("requests %" PRIu64 " retries %" PRIu64 "\n", stats.requests,
	       stats.retries);
	if (!options.check)
		return;
	UNTIL((over == options.jobs) && !granting);
	seconds = _now() - began;
	printf("lives_per_s %.0f\n", options.jobs / seconds);
}

static int _compare(const void *a, const void *b)
{
	double left = *(const double *) a, right = *(const double *) b;

	return (left > right) - (left < right);
}

static void _print_quantiles(const char *name, double *times)
{
	qsort(times, options.jobs, sizeof(*times), _compare);
	printf("%s_ms p50 %.3f p99 %.3f max %.3f\n", name,
	       1000 * times[options.jobs / 2],
	       1000 * times[(size_t) (options.jobs * 0.99)],
	       1000 * times[options.jobs - 1]);
}

static uint64_t told;
static double told_at;

static void _told(void *arg, const flurm_event_t *event)
{
	if ((event->type != FLURM_EV_SUBMITTED) ||
	    (event->fed_job_id - options.first_id >= options.jobs))
		return;
	told++;
	told_at = _now();
}

/* One at a time: from the call to its answer, and to its event. */
static void _latency(void)
{
	static const flurm_events_ops_t ops = { .event = _told };
	double *answers = fed_calloc(options.jobs, sizeof(double));
	double *events = fed_calloc(options.jobs, sizeof(double));
	flurm_client_stats_t stats = { 0 };

	flurm_client_events_start(client, FLURM_EVENTS_OLDEST, NULL, &ops,
				  NULL);
	while (!stats.stream_up) {
		flurm_loop_turn(loop, 10, NULL);
		flurm_client_get_stats(client, &stats);
	}
	for (uint32_t i = 0; i < options.jobs; i++) {
		double began = _now();

		_submit(i);
		UNTIL(answered > i);
		answers[i] = _now() - began;
		UNTIL(told > i);
		events[i] = told_at - began;
	}
	_print_quantiles("answer", answers);
	_print_quantiles("event", events);
	free(answers);
	free(events);
}

static void _verdict(void)
{
	for (uint32_t i = 0; i < options.jobs; i++) {
		if (!view[i].accepted)
			_wrong(options.first_id + i, "not accepted");
		if (view[i].started != 1)
			_wrong(options.first_id + i, view[i].started ?
			       "started more than once" : "never started");
		if (view[i].ended != 1)
			_wrong(options.first_id + i, view[i].ended ?
			       "ended more than once" : "never ended");
	}
	printf("checked %u wrong %" PRIu64 " gaps %" PRIu64 "\n", options.jobs,
	       wrong, gaps);
}

static void _parse(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "n:w:b:s:i:hlc")) >= 0) {
		unsigned long value = optarg ? strtoul(optarg, NULL, 10) : 0;

		switch (opt) {
		case 'n':
			options.jobs = value;
			break;
		case 'w':
			options.window = value;
			break;
		case 'b':
			options.batch_ops = value;
			break;
		case 's':
			options.script_len = value;
			break;
		case 'i':
			options.first_id = value;
			break;
		case 'h':
			options.held = true;
			break;
		case 'l':
			options.latency = options.held = true;
			break;
		case 'c':
			options.check = true;
			break;
		default:
			_die("see the head of flurm_bench.c");
		}
	}
	if ((optind + 1 != argc) || !options.jobs || !options.window)
		_die("see the head of flurm_bench.c");
}

int main(int argc, char **argv)
{
	flurm_client_conf_t conf = { .name = "bench" };
	fed_err_t err;

	_parse(argc, argv);
	conf.url = argv[optind];
	conf.batch_ops = options.batch_ops;
	conf.bearer = getenv("FLURM_TOKEN");
	conf.retry_ms = 20;
	conf.retry_max_ms = 1000;
	conf.answer_ms = 3000;
	fed_log_init(NULL, FED_LOG_ERROR);
	_make_script();
	view = fed_calloc(options.jobs, sizeof(*view));
	loop = flurm_loop_create(&err);
	if (!loop || !(client = flurm_client_create(loop, &conf, &err)))
		_die(err.text);
	flurm_client_health(client, 10000, _health_done, NULL);
	UNTIL(learned);
	if (options.check)
		flurm_client_events_start(client, FLURM_EVENTS_OLDEST, NULL,
					  &events_ops, NULL);
	if (options.latency)
		_latency();
	else
		_throughput();
	if (options.check)
		_verdict();
	flurm_client_destroy(client);
	flurm_loop_destroy(loop);
	free(script);
	free(view);
	return (wrong || refused) ? 1 : 0;
}
