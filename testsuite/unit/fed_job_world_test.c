/*
 * fed_job_world_test.c - the real fed_job among models of all others.
 *
 * A small world: an origin that keeps its record of each job as slurmctld
 * does (lock, siblings, restarts, what it makes of a JOB_SYNC), a native
 * sibling, users, a FLURM, and between them a host that does with events and
 * actions what an engine has to. Connections break at any moment, with what
 * was on its way delivered or not, messages come late and twice, and host,
 * origin and FLURM crash. Then all faults end, and everybody has to agree.
 *
 * Each run is made from a seed; FED_WORLD_SEED=N tells the story of one.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/fed_job_table.h"
#include "src/core/job_id.h"

#define JOBS 3
#define STEPS 600
#define QUIET_STEPS 20000
#define RUNS_MAX 64
#define QUEUE_MAX 512
#define EPOCHS_MAX 96
#define SEEDS 1500

static uint32_t seed, dice;
static bool tell;		/* the story of this seed */
static bool quiet;		/* no more faults, no more users */
static bool forgetful;		/* the origin may lose what it did not save */
static int64_t now;

static uint32_t _roll(uint32_t sides)
{
	dice ^= dice << 13;
	dice ^= dice >> 17;
	dice ^= dice << 5;
	return dice % sides;
}

static bool _fault(uint32_t one_in)
{
	return !quiet && !_roll(one_in);
}

#define STORY(...) \
	do { \
		if (tell) \
			printf(__VA_ARGS__); \
	} while (0)

#define MUST(truth) \
	do { \
		if (!(truth)) \
			fail_msg("seed %u, step %d: %s", seed, (int) now, \
				 #truth); \
	} while (0)

/*
 * The origin
 */
#define AT_ORIGIN 1
#define AT_NATIVE 2
#define AT_FLURM 4

typedef enum { O_PENDING, O_TRACKING, O_RUNNING, O_DONE } _origin_state_t;

typedef struct {
	_origin_state_t state;
	bool held;
	bool requeue_fed;	/* waits for an end, then submits again */
	bool only_flurm;
	int lock;		/* AT_ */
	int active;		/* AT_, bits */
	uint16_t restarts;
	int submission;		/* how many so far: what an epoch is to be */
	int updates;		/* not answered yet */
	fed_job_end_t end;
	int64_t submitted;
	int64_t told;		/* when we got this submission */
} _origin_job_t;

static _origin_job_t origin[JOBS], saved[JOBS];

/* what really happened, by submission */
static struct {
	int starts;
	bool excused;		/* the origin forgot something about it */
} truth[JOBS][RUNS_MAX];

typedef enum { M_SUBMIT, M_REVOKE, M_CANCEL, M_UPDATE, M_SYNC } _kind_t;

typedef struct {
	_kind_t kind;
	int job;
	int submission;
	uint16_t restarts;
	bool requeue;
	_origin_job_t list[JOBS];	/* M_SYNC */
	int64_t at;
} _message_t;

static _message_t to_us[QUEUE_MAX];	/* that the origin has not rid of */
static int to_us_count;
static bool link_up, synced_there, native_has[JOBS];

static void _say(_message_t message)
{
	/* a revoke is not kept for a sibling that is not there */
	if ((message.kind == M_REVOKE) && !link_up)
		return;
	MUST(to_us_count < QUEUE_MAX);
	message.at = now;
	to_us[to_us_count++] = message;
}

static void _revoke(int job, int sibs)
{
	if (sibs & AT_FLURM)
		_say((_message_t) { .kind = M_REVOKE, .job = job });
	if (sibs & AT_NATIVE)
		native_has[job] = false;
}

static void _submit_siblings(int job)
{
	_origin_job_t *o = &origin[job];

	o->state = O_PENDING;
	o->lock = 0;
	o->requeue_fed = false;
	o->updates = 0;
	o->submitted = now;
	o->told = INT64_MAX;
	o->active = o->only_flurm ? AT_FLURM :
				    AT_ORIGIN | AT_NATIVE | AT_FLURM;
	native_has[job] = !o->only_flurm;
	o->submission++;
	MUST(o->submission < RUNS_MAX);
	_say((_message_t) { .kind = M_SUBMIT, .job = job,
			    .submission = o->submission,
			    .restarts = o->restarts });
	STORY("%d origin submits %d, run %d\n", (int) now, job, o->restarts);
}

static void _run_again(int job)
{
	origin[job].restarts++;
	_submit_siblings(job);
}

static void _start_somewhere(int job, int submission)
{
	truth[job][submission].starts++;
	if (!truth[job][submission].excused)
		MUST(truth[job][submission].starts == 1);
}

static void _finish(int job, fed_job_end_t end)
{
	STORY("%d origin has the end of %d: %s\n", (int) now, job,
	      fed_job_end_name(end));
	origin[job].state = O_DONE;
	origin[job].end = end;
}

static bool _lock(int job, int who)
{
	_origin_job_t *o = &origin[job];

	if ((o->lock && (o->lock != who)) || o->updates)
		return false;
	o->lock = who;
	return true;
}

/* what the origin's and the native's schedulers do */
static void _schedule(int job)
{
	_origin_job_t *o = &origin[job];

	if ((o->state == O_RUNNING) && !_roll(4)) {
		_finish(job, FED_END_COMPLETED);
		_revoke(job, o->active & ~AT_ORIGIN);
		return;
	}
	if ((o->state == O_TRACKING) && (o->lock == AT_NATIVE) && !_roll(4)) {
		_finish(job, FED_END_COMPLETED);
		return;
	}
	if ((o->state != O_PENDING) || o->requeue_fed || o->held ||
	    o->only_flurm)
		return;
	if (_roll(2)) {
		/* the gate: no scheduling before the list has come */
		if ((link_up && !synced_there) || !_lock(job, AT_ORIGIN))
			return;
		STORY("%d origin starts %d\n", (int) now, job);
		_start_somewhere(job, o->submission);
		_revoke(job, o->active & ~AT_ORIGIN);
		o->state = O_RUNNING;
		o->active = AT_ORIGIN;
	} else if (native_has[job] && _lock(job, AT_NATIVE)) {
		STORY("%d native starts %d\n", (int) now, job);
		_start_somewhere(job, o->submission);
		_revoke(job, o->active & AT_FLURM);
		o->state = O_TRACKING;
		o->active = AT_NATIVE;
	}
}

static void _use(int job)
{
	_origin_job_t *o = &origin[job];
	bool here = (o->state == O_TRACKING) && (o->lock == AT_FLURM);

	switch (_roll(8)) {
	case 0:	/* scancel */
		STORY("%d scancel %d\n", (int) now, job);
		if (here) {
			_say((_message_t) { .kind = M_CANCEL, .job = job });
		} else if ((o->state != O_DONE) && !o->requeue_fed) {
			if (o->state == O_PENDING)
				_revoke(job, o->active & ~AT_ORIGIN);
			_finish(job, FED_END_CANCELLED);
		}
		break;
	case 1:	/* scontrol hold */
		if ((o->state == O_PENDING) && !o->requeue_fed && !o->held) {
			STORY("%d hold %d\n", (int) now, job);
			o->held = true;
			_revoke(job, o->active & ~AT_ORIGIN);
		}
		break;
	case 2:	/* scontrol release */
		if (o->held && (o->state == O_PENDING))
			_submit_siblings(job);
		o->held = false;
		break;
	case 3:	/* scontrol requeue */
		if (o->requeue_fed || o->held ||
		    (o->submission > RUNS_MAX / 2))
			break;
		STORY("%d requeue %d\n", (int) now, job);
		if (here) {
			o->requeue_fed = true;
			o->state = O_PENDING;
			o->restarts++;
			_say((_message_t) { .kind = M_CANCEL, .job = job,
					    .requeue = true });
		} else if (o->state == O_DONE) {
			_run_again(job);
		}
		break;
	case 4:	/* scontrol update */
		if ((o->state != O_DONE) && (o->active & AT_FLURM)) {
			o->updates++;
			_say((_message_t) { .kind = M_UPDATE, .job = job });
		}
		break;
	default:
		break;
	}
}

/*
 * FLURM
 */
typedef enum { F_NONE, F_PENDING, F_STARTING, F_RUNNING, F_OVER } _flurm_state_t;

typedef struct {
	uint32_t epoch;
	uint32_t attempt;
	_flurm_state_t state;
	fed_job_end_t end;
	int64_t start_time;
} _flurm_job_t;

static _flurm_job_t flurm[JOBS][EPOCHS_MAX];
static fed_job_event_t flurm_events[QUEUE_MAX];
static struct { int job; uint32_t epoch; } flurm_about[QUEUE_MAX];
static int flurm_count;

/* which submission an epoch stands for: nobody in this world knows that */
static struct {
	uint32_t epoch;
	int submission;
	bool completed;		/* FLURM really ran it to its end */
} meaning[JOBS][EPOCHS_MAX];

static int _meaning_of(int job, uint32_t epoch)
{
	int slot = 0;

	while (meaning[job][slot].epoch &&
	       (meaning[job][slot].epoch != epoch))
		slot++;
	MUST(slot < EPOCHS_MAX);
	meaning[job][slot].epoch = epoch;
	return slot;
}

static int *_submission_of(int job, uint32_t epoch)
{
	return &meaning[job][_meaning_of(job, epoch)].submission;
}

static _flurm_job_t *_flurm_find(int job, uint32_t epoch)
{
	for (int i = 0; i < EPOCHS_MAX; i++)
		if ((flurm[job][i].state != F_NONE) &&
		    (flurm[job][i].epoch == epoch))
			return &flurm[job][i];
	return NULL;
}

static void _flurm_tell(int job, uint32_t epoch, fed_job_event_t event)
{
	if (flurm_count == QUEUE_MAX)
		return;
	flurm_about[flurm_count].job = job;
	flurm_about[flurm_count].epoch = epoch;
	flurm_events[flurm_count++] = event;
}

static void _flurm_end(int job, _flurm_job_t *f, fed_job_end_t end)
{
	STORY("%d flurm ends %d/%u: %s\n", (int) now, job, f->epoch,
	      fed_job_end_name(end));
	if (end == FED_END_COMPLETED)
		meaning[job][_meaning_of(job, f->epoch)].completed = true;
	f->state = F_OVER;
	f->end = end;
	_flurm_tell(job, f->epoch, (fed_job_event_t) {
			.type = FED_EV_ENDED, .end = end,
			.start_time = f->start_time,
			.status = end == FED_END_FAILED ? 256 : 0,
			.run_again = end == FED_END_NODE_FAIL });
}

static void _flurm_schedule(int job)
{
	for (int i = 0; i < EPOCHS_MAX; i++) {
		_flurm_job_t *f = &flurm[job][i];

		if ((f->state == F_PENDING) && !_roll(3)) {
			f->state = F_STARTING;
			f->attempt++;
			_flurm_tell(job, f->epoch, (fed_job_event_t) {
					.type = FED_EV_START_REQUEST,
					.attempt = f->attempt });
		} else if ((f->state == F_STARTING) && !_roll(30)) {
			if (_roll(2))
				f->state = F_PENDING;
			else
				_flurm_tell(job, f->epoch, (fed_job_event_t) {
					.type = FED_EV_START_REQUEST,
					.attempt = f->attempt });
		} else if ((f->state == F_RUNNING) && !_roll(8)) {
			_flurm_end(job, f, !_roll(4) ? FED_END_FAILED :
				   _fault(8) ? FED_END_NODE_FAIL :
				   FED_END_COMPLETED);
		}
	}
}

/*
 * The host: what an engine does
 */
static fed_job_table_t *table;
static struct { uint32_t epoch; fed_bytes_t bytes; } ledger[JOBS][EPOCHS_MAX];

typedef struct { fed_job_action_t action; int job; uint32_t epoch;
		 int submission; fed_job_end_t end; fed_job_sync_t list[JOBS];
		 int64_t at; } _outgoing_t;

static _outgoing_t outbox[QUEUE_MAX];
static int outbox_count;
static bool host_synced;
static int64_t connected;	/* since when */
#define OUT_SYNC FED_ACTIONS

static uint32_t _id(int job)
{
	return fed_job_id_make(1, job + 1);
}

static void _write(fed_job_t *j)
{
	int job = fed_job_id_local(j->id) - 1, slot = 0;

	while (ledger[job][slot].epoch != j->epoch) {
		if (!ledger[job][slot].epoch)
			ledger[job][slot].epoch = j->epoch;
		else
			slot++;
		MUST(slot < EPOCHS_MAX);
	}
	fed_bytes_clear(&ledger[job][slot].bytes);
	fed_job_pack(j, &ledger[job][slot].bytes);
}

static void _unwrite(fed_job_t *j)
{
	int job = fed_job_id_local(j->id) - 1;

	for (int slot = 0; slot < EPOCHS_MAX; slot++)
		if (ledger[job][slot].epoch == j->epoch)
			fed_bytes_clear(&ledger[job][slot].bytes);
}

static void _hear(fed_job_t *j, fed_job_event_t event)
{
	fed_job_state_t from = j->state;
	fed_job_verdict_t verdict;

	event.now = now;
	verdict = fed_job_table_update(table, j, &event);
	if (verdict == FED_JOB_CHANGED)
		_write(j);
	if ((event.type != FED_EV_SENT) || (from != j->state))
		STORY("%d   job %u/%u %s -%s%s-> %s facts %05x owed %05x%s\n",
		      (int) now, fed_job_id_local(j->id) - 1, j->epoch,
		      fed_job_state_name(from), fed_job_event_name(event.type),
		      event.type == FED_EV_ACKED ?
		      fed_job_action_name(event.action) : "",
		      fed_job_state_name(j->state), j->facts, j->owed,
		      verdict == FED_JOB_IGNORED ? " (ignored)" : "");
	/* an older epoch that is over is of no more use */
	if (fed_job_is_over(j) && j->newer) {
		_unwrite(j);
		fed_job_table_forget(table, j);
	}
}

static void _each(void (*visit)(fed_job_t *j, void *arg), void *arg)
{
	fed_job_table_walk(table, visit, arg);
}

static void _hear_lost(fed_job_t *j, void *arg)
{
	_hear(j, (fed_job_event_t) { .type = FED_EV_ORIGIN_LOST });
}

static void _break_link(void)
{
	if (!link_up)
		return;
	STORY("%d link breaks\n", (int) now);
	link_up = false;
	synced_there = false;
	outbox_count = 0;
	_each(_hear_lost, NULL);
}

/*
 * The origin sends its list as soon as we have connected. Ours answers it, so
 * that nothing is listed as running of which we can know by then that the
 * origin is through with it: it would take it for the next run.
 */
static void _make_link(void)
{
	_message_t list = { .kind = M_SYNC };

	STORY("%d link is up\n", (int) now);
	link_up = true;
	connected = now;
	memcpy(list.list, origin, sizeof(origin));
	_say(list);
}

static void _send_list(void)
{
	_outgoing_t sync = { .action = OUT_SYNC, .at = now };

	for (int job = 0; job < JOBS; job++) {
		fed_job_t *j = fed_job_table_find(table, _id(job));

		sync.list[job] = j ? fed_job_sync(j) : FED_SYNC_OMIT;
		if (j)
			_hear(j, (fed_job_event_t) { .type = FED_EV_LISTED });
	}
	MUST(!outbox_count);
	outbox[outbox_count++] = sync;
}

static void _hear_view(const _message_t *message)
{
	for (int job = 0; job < JOBS; job++) {
		const _origin_job_t *o = &message->list[job];
		fed_job_t *j = fed_job_table_find(table, _id(job));
		fed_job_event_t event = { .type = FED_EV_ORIGIN_VIEW,
					  .restarts = o->restarts };

		if (!j)
			continue;
		if (o->requeue_fed)
			event.view = FED_VIEW_REQUEUING;
		else if (o->state == O_DONE)
			event.view = FED_VIEW_FINISHED;
		else if (o->state == O_PENDING)
			event.view = o->held ? FED_VIEW_WITHDRAWN :
					       FED_VIEW_PENDING;
		else if (o->lock == AT_FLURM)
			event.view = FED_VIEW_HERE;
		else
			event.view = FED_VIEW_ELSEWHERE;
		STORY("%d view of %d: %d, run %d\n", (int) now, job,
		      event.view, o->restarts);
		while (j) {
			fed_job_t *older = j->older;

			_hear(j, event);
			j = older;
		}
	}
}


/* what the origin has to say is heard, and with luck it hears that */
static void _receive(void)
{
	_message_t message;
	fed_job_t *j;
	bool is_new;
	int at = 0;

	if (!link_up || !to_us_count)
		return;
	if (_fault(10))
		at = _roll(to_us_count);	/* overtaken after a failure */
	message = to_us[at];
	j = fed_job_table_find(table, _id(message.job));
	STORY("%d receive kind %d for %d\n", (int) now, message.kind,
	      message.job);
	switch (message.kind) {
	case M_SUBMIT: {
		fed_job_event_t event = {
			.type = FED_EV_SUBMIT, .now = now, .viable = 7,
			.only_here = origin[message.job].only_flurm,
			.same = j && (j->restarts == message.restarts),
			.unsynced = !host_synced,
			.restarts = message.restarts,
		};
		fed_job_verdict_t verdict;
		fed_job_t *newest = fed_job_table_submit(table,
				_id(message.job), &event, &is_new, &verdict);

		STORY("%d   submission %s: %d/%u\n", (int) now,
		      is_new ? "new" : "known", message.job, newest->epoch);
		if (is_new && j) {
			_write(j);
			if (fed_job_is_over(j)) {
				_unwrite(j);
				fed_job_table_forget(table, j);
			}
		}
		_write(newest);
		if (message.submission == origin[message.job].submission)
			origin[message.job].told = now;
		if (*_submission_of(message.job, newest->epoch) <
		    message.submission)
			*_submission_of(message.job, newest->epoch) =
				message.submission;
		break;
	}
	case M_REVOKE:
		if (j)
			_hear(j, (fed_job_event_t) { .type = FED_EV_REVOKE });
		break;
	case M_CANCEL:
		if (j)
			_hear(j, (fed_job_event_t) {
					.type = FED_EV_CANCEL, .kill = true,
					.requeue = message.requeue });
		break;
	case M_UPDATE:
		if (j)
			_hear(j, (fed_job_event_t) { .type = FED_EV_UPDATE });
		break;
	case M_SYNC:
		/* one of an earlier connection says nothing any more */
		if (message.at < connected)
			break;
		host_synced = true;
		_hear_view(&message);
		_send_list();
		break;
	}
	if (_fault(25)) {
		_break_link();		/* before the answer: it comes again */
		host_synced = false;
		return;
	}
	memmove(&to_us[at], &to_us[at + 1],
		(--to_us_count - at) * sizeof(to_us[0]));
}

/* JOB_SYNC as the origin takes it */
static void _reconcile(const _outgoing_t *out)
{
	for (int job = 0; job < JOBS; job++) {
		_origin_job_t *o = &origin[job];

		if ((o->state == O_DONE) || o->requeue_fed ||
		    (o->submitted >= out->at))
			continue;
		if (out->list[job] == FED_SYNC_OMIT) {
			if (!(o->active & AT_FLURM))
				continue;
			if (o->lock == AT_FLURM) {
				/* it takes it for completed: it must be */
				MUST(truth[job][o->submission].excused ||
				     (o->state == O_PENDING));
				_finish(job, FED_END_CANCELLED);
			} else {
				o->active &= ~AT_FLURM;
			}
		} else if (o->lock && (o->lock != AT_FLURM)) {
			_say((_message_t) { .kind = M_REVOKE, .job = job });
		} else if (!o->lock) {
			o->active |= AT_FLURM;
			if (out->list[job] != FED_SYNC_RUNNING)
				continue;
			STORY("%d origin adopts %d\n", (int) now, job);
			o->lock = AT_FLURM;
			_revoke(job, o->active & AT_NATIVE);
			o->active = AT_FLURM;
			o->state = O_TRACKING;
		}
	}
	synced_there = true;
}

/*
 * The origin is on to another run, of which we could not know when this was
 * said: the two have crossed. A native sibling's would have done harm, too.
 * RET true if so
 */
static bool _crossed(const _outgoing_t *out)
{
	_origin_job_t *o = &origin[out->job];

	if ((o->lock == AT_FLURM) ||
	    ((out->submission == o->submission) && !forgetful))
		return false;
	MUST((out->at <= o->told) || forgetful);
	return true;
}

static void _complete(int job, fed_job_end_t end)
{
	_origin_job_t *o = &origin[job];

	if (o->requeue_fed) {
		_submit_siblings(job);
		return;
	}
	if (o->state == O_DONE)
		return;
	MUST(o->state != O_RUNNING);	/* it would be killed */
	MUST(o->lock == AT_FLURM);	/* it would be another's */
	if ((end == FED_END_FAILED) && !_roll(2) &&
	    (o->submission < RUNS_MAX / 2)) {
		_run_again(job);	/* RequeueExit */
		return;
	}
	_finish(job, end);
}

/* The origin takes one message. RET answer to a lock */
static bool _process(const _outgoing_t *out)
{
	_origin_job_t *o = &origin[out->job];
	int job = out->job;

	STORY("%d origin takes %s for %d/%u\n", (int) now,
	      out->action == OUT_SYNC ? "sync" :
	      fed_job_action_name(out->action), job, out->epoch);
	switch ((int) out->action) {
	case OUT_SYNC:
		_reconcile(out);
		break;
	case FED_ACT_LOCK:
		return _lock(job, AT_FLURM);
	case FED_ACT_UNLOCK:
		if (o->lock == AT_FLURM)
			o->lock = 0;
		break;
	case FED_ACT_SUBMIT_RESP:
		o->active &= ~AT_FLURM;
		break;
	case FED_ACT_START:
		if ((o->state == O_DONE) || _crossed(out))
			break;
		MUST(o->lock == AT_FLURM);
		if (o->requeue_fed)
			break;
		_revoke(job, o->active & AT_NATIVE);
		o->active = AT_FLURM;
		o->state = O_TRACKING;
		break;
	case FED_ACT_REQUEUE:
		if ((o->state == O_DONE) || (o->state == O_RUNNING) ||
		    !o->lock || o->requeue_fed || _crossed(out))
			break;
		o->restarts++;
		if (o->state == O_TRACKING)
			_say((_message_t) { .kind = M_CANCEL, .job = job,
					    .requeue = true });
		o->state = O_PENDING;
		o->requeue_fed = true;
		break;
	case FED_ACT_COMPLETE:
		if (out->end == FED_END_COMPLETED)
			MUST(meaning[job][_meaning_of(job, out->epoch)]
			     .completed);
		if ((o->state != O_DONE) && !_crossed(out))
			_complete(job, out->end);
		break;
	case FED_ACT_UPDATE_RESPONSE:
		if (o->updates)
			o->updates--;
		break;
	default:
		break;
	}
	return true;
}

static void _transmit(void)
{
	_outgoing_t out;
	fed_job_t *j;
	bool granted;

	if (!link_up || !outbox_count)
		return;
	if (_fault(40)) {
		_break_link();
		host_synced = false;
		return;
	}
	out = outbox[0];
	granted = _process(&out);
	if (_fault(25)) {
		_break_link();		/* before the answer */
		host_synced = false;
		return;
	}
	memmove(outbox, outbox + 1, --outbox_count * sizeof(outbox[0]));
	if (out.action == OUT_SYNC)
		return;
	if (out.action == FED_ACT_LOCK) {
		/* a lock is the id's: the newest epoch has it */
		j = fed_job_table_find(table, _id(out.job));
		if (j)
			_hear(j, (fed_job_event_t) { .type = granted ?
					FED_EV_LOCK_GRANTED :
					FED_EV_LOCK_REFUSED });
		return;
	}
	j = fed_job_table_find_epoch(table, _id(out.job), out.epoch);
	if (j)
		_hear(j, (fed_job_event_t) { .type = FED_EV_ACKED,
					     .action = out.action });
}

static fed_job_event_t _view_of(const _flurm_job_t *f)
{
	return (fed_job_event_t) {
		.type = FED_EV_FLURM_VIEW, .asked = UINT64_MAX,
		.flurm = f->state == F_PENDING ? FED_FLURM_PENDING :
			 f->state == F_STARTING ? FED_FLURM_STARTING :
			 f->state == F_RUNNING ? FED_FLURM_RUNNING :
			 FED_FLURM_OVER,
		.end = f->end, .start_time = f->start_time,
		.attempt = f->attempt,
	};
}

/* FLURM takes a request. RET the event that its answer is */
static fed_job_event_t _flurm_process(int job, uint32_t epoch,
				      uint32_t attempt, fed_job_action_t action)
{
	fed_job_event_t acked = { .type = FED_EV_ACKED, .action = action };
	_flurm_job_t *f = _flurm_find(job, epoch);

	STORY("%d flurm takes %s for %d/%u\n", (int) now,
	      fed_job_action_name(action), job, epoch);
	if (!f && (action == FED_ACT_FLURM_SUBMIT)) {
		int slot = 0;

		for (int i = 0; i < EPOCHS_MAX; i++) {
			MUST((flurm[job][i].state == F_NONE) ||
			     (flurm[job][i].state == F_OVER) ||
			     (flurm[job][i].epoch > epoch));
			if (flurm[job][i].state != F_NONE)
				slot = i + 1;
		}
		MUST(slot < EPOCHS_MAX);
		if (epoch % 13 == 5)
			return (fed_job_event_t) { .type = FED_EV_REFUSED,
						   .refuse = 2015 };
		flurm[job][slot] = (_flurm_job_t) { .epoch = epoch,
			.state = F_PENDING };
		return (fed_job_event_t) { .type = FED_EV_ACCEPTED };
	}
	if (!f)
		return (fed_job_event_t) { .type = FED_EV_UNKNOWN };
	switch (action) {
	case FED_ACT_FLURM_SUBMIT:
		return (fed_job_event_t) { .type = FED_EV_ACCEPTED };
	case FED_ACT_FLURM_GRANT:
		if ((f->state == F_PENDING) || (f->attempt != attempt))
			return _view_of(f);
		if (f->state != F_STARTING)
			return acked;
		if (!_roll(10)) {
			f->state = F_PENDING;
			_flurm_tell(job, epoch, (fed_job_event_t) {
					.type = FED_EV_START_FAILED,
					.attempt = attempt });
			return acked;
		}
		STORY("%d flurm starts %d/%u\n", (int) now, job, epoch);
		f->state = F_RUNNING;
		f->start_time = now;
		_start_somewhere(job, *_submission_of(job, epoch));
		_flurm_tell(job, epoch, (fed_job_event_t) {
				.type = FED_EV_STARTED, .start_time = now });
		return acked;
	case FED_ACT_FLURM_DENY:
		if ((f->state != F_STARTING) || (f->attempt != attempt))
			return _view_of(f);
		f->state = F_PENDING;
		return acked;
	case FED_ACT_FLURM_REVOKE:
		if ((f->state == F_PENDING) || (f->state == F_STARTING)) {
			f->state = F_OVER;
			f->end = FED_END_REVOKED;
		}
		return f->end == FED_END_REVOKED ? acked : _view_of(f);
	case FED_ACT_FLURM_CANCEL:
		if (f->state == F_OVER)
			return _view_of(f);
		_flurm_end(job, f, FED_END_CANCELLED);
		return acked;
	default:
		return acked;
	}
}

static void _ask_flurm(fed_job_t *j, fed_job_action_t action)
{
	int job = fed_job_id_local(j->id) - 1;
	uint32_t epoch = j->epoch;
	bool lost = _fault(12), done = !lost || _roll(2);
	fed_job_event_t answer = { .type = FED_EV_UNSENT, .action = action };

	if (done) {
		fed_job_event_t event = _flurm_process(job, epoch, j->attempt,
						       action);

		if (!lost) {
			/* a conflict: what was asked did not happen */
			if (event.type != FED_EV_ACKED)
				_hear(j, answer);
			answer = event;
		}
	}
	j = fed_job_table_find_epoch(table, _id(job), epoch);
	if (j)
		_hear(j, answer);
}

static void _act(fed_job_t *j, void *arg)
{
	uint32_t due = fed_job_action(j);
	fed_job_action_t action;

	if (!due || !_roll(3))
		return;
	action = __builtin_ctz(due);
	if (_roll(2))
		action = 31 - __builtin_clz(due);
	if ((action < FED_ACT_REVOKE_SIBLINGS) && !link_up)
		return;
	if ((action >= FED_ACT_FLURM_SUBMIT) && (action <= FED_ACT_FLURM_CANCEL)) {
		_hear(j, (fed_job_event_t) { .type = FED_EV_SENT,
					     .action = action });
		_ask_flurm(j, action);
		return;
	}
	if (action < FED_ACT_REVOKE_SIBLINGS) {
		MUST(outbox_count < QUEUE_MAX);
		outbox[outbox_count++] = (_outgoing_t) {
			.action = action, .epoch = j->epoch, .end = j->end,
			.submission = *_submission_of(
				fed_job_id_local(j->id) - 1, j->epoch),
			.at = now,
			.job = fed_job_id_local(j->id) - 1 };
		_hear(j, (fed_job_event_t) { .type = FED_EV_SENT,
					     .action = action });
		return;
	}
	_hear(j, (fed_job_event_t) { .type = FED_EV_SENT, .action = action });
	_hear(j, (fed_job_event_t) { .type = FED_EV_ACKED, .action = action });
}

static void _tick(fed_job_t *j, void *arg)
{
	if (j->lock_wait && !_roll(4))
		_hear(j, (fed_job_event_t) { .type = FED_EV_RETRY });
	else if ((j->state == FED_JOB_DELIVERING) && _fault(60))
		_hear(j, (fed_job_event_t) { .type = FED_EV_DEADLINE });
}

static void _hear_flurm(void)
{
	fed_job_t *j;

	if (!flurm_count)
		return;
	j = fed_job_table_find_epoch(table, _id(flurm_about[0].job),
				     flurm_about[0].epoch);
	if (j)
		_hear(j, flurm_events[0]);
	if (_fault(20))
		return;		/* once more */
	flurm_count--;
	memmove(flurm_events, flurm_events + 1,
		flurm_count * sizeof(flurm_events[0]));
	memmove(flurm_about, flurm_about + 1,
		flurm_count * sizeof(flurm_about[0]));
}

static void _host_crash(void)
{
	fed_err_t err;

	STORY("%d host crashes\n", (int) now);
	link_up = false;
	synced_there = false;
	host_synced = false;
	outbox_count = 0;
	fed_job_table_destroy(table);
	table = fed_job_table_create(NULL, NULL, NULL);
	for (int job = 0; job < JOBS; job++)
		for (int slot = 0; slot < EPOCHS_MAX; slot++)
			if (ledger[job][slot].bytes.len)
				MUST(!fed_job_table_replay(table,
					ledger[job][slot].bytes.data,
					ledger[job][slot].bytes.len, &err));
}

/* its queue is gone; if it is forgetful, what it had not saved, too */
static void _origin_crash(void)
{
	STORY("%d origin crashes\n", (int) now);
	_break_link();
	host_synced = false;
	to_us_count = 0;
	for (int job = 0; forgetful && (job < JOBS); job++) {
		if (!memcmp(&origin[job], &saved[job], sizeof(saved[job])))
			continue;
		for (int run = 0; run < RUNS_MAX; run++)
			truth[job][run].excused = true;
		origin[job] = saved[job];
	}
}

static void _hear_unknown(fed_job_t *j, void *arg)
{
	_hear(j, (fed_job_event_t) { .type = FED_EV_UNKNOWN });
}

/* it loses all it knows, and what ran is dead */
static void _flurm_forget(void)
{
	STORY("%d flurm loses its state\n", (int) now);
	memset(flurm, 0, sizeof(flurm));
	flurm_count = 0;
	_each(_hear_unknown, NULL);
}

static void _step(void)
{
	int job = _roll(JOBS);

	now++;
	switch (_roll(10)) {
	case 0:
		if (!_roll(3))
			_schedule(job);
		break;
	case 1:
		_flurm_schedule(job);
		break;
	case 2:
	case 3:
		_receive();
		break;
	case 4:
	case 5:
		_transmit();
		break;
	case 6:
		_hear_flurm();
		break;
	case 7:
		_each(_tick, NULL);
		break;
	default:
		_each(_act, NULL);
		break;
	}
	if (!link_up && !_roll(8))
		_make_link();
	/* updates that are not answered block the lock for a minute */
	if (!_roll(50))
		origin[job].updates = 0;
	if (!_roll(4))
		saved[job] = origin[job];
	if (quiet)
		return;
	if (!_roll(12))
		_use(job);
	if (!_roll(80))
		_break_link(), host_synced = false;
	if (!_roll(80))
		_host_crash();
	if (!_roll(160))
		_origin_crash();
	if (!_roll(200))
		_flurm_forget();
}

static void _must_be_over(fed_job_t *j, void *arg)
{
	if (!fed_job_is_over(j))
		fail_msg("seed %u: job %u/%u ends as %s, facts %05x owed %05x",
			 seed, fed_job_id_local(j->id) - 1, j->epoch,
			 fed_job_state_name(j->state), j->facts, j->owed);
}

static void _count_living(fed_job_t *j, void *arg)
{
	*(int *) arg += !fed_job_is_over(j);
}

static bool _all_done(void)
{
	int living = 0;

	_each(_count_living, &living);
	if (living || to_us_count || outbox_count || flurm_count || !link_up)
		return false;
	for (int job = 0; job < JOBS; job++)
		if (origin[job].state != O_DONE)
			return false;
	return true;
}

static void _one_world(uint32_t with_seed)
{
	seed = with_seed;
	dice = seed * 2654435761u + 1;
	now = 0;
	quiet = false;
	memset(origin, 0, sizeof(origin));
	memset(truth, 0, sizeof(truth));
	memset(flurm, 0, sizeof(flurm));
	memset(meaning, 0, sizeof(meaning));
	to_us_count = outbox_count = flurm_count = 0;
	link_up = synced_there = host_synced = false;
	for (int job = 0; job < JOBS; job++)
		for (int slot = 0; slot < EPOCHS_MAX; slot++) {
			fed_bytes_clear(&ledger[job][slot].bytes);
			ledger[job][slot].epoch = 0;
		}
	table = fed_job_table_create(NULL, NULL, NULL);
	for (int job = 0; job < JOBS; job++) {
		origin[job].only_flurm = !_roll(5);
		_submit_siblings(job);
		saved[job] = origin[job];
	}
	for (int step = 0; step < STEPS; step++)
		_step();

	STORY("%d no more faults\n", (int) now);
	quiet = true;
	/* a connection that is new: all is said that was lost */
	_break_link();
	host_synced = false;
	for (int job = 0; job < JOBS; job++) {
		if (origin[job].held && (origin[job].state == O_PENDING))
			_submit_siblings(job);
		origin[job].held = false;
	}
	for (int step = 0; (step < QUIET_STEPS) &&
			   ((step < 200) || !_all_done()); step++)
		_step();
	for (int step = 0; step < 300; step++)
		_step();
	for (int job = 0; job < JOBS; job++)
		if (origin[job].state != O_DONE) {
			_origin_job_t *o = &origin[job];

			/* refused for good, or forgotten: a user has to act */
			if (((o->state == O_PENDING) && !o->requeue_fed &&
			     o->only_flurm && !(o->active & AT_FLURM)) ||
			    forgetful)
				continue;
			fail_msg("seed %u: %d is %d at the origin, lock %d active %d",
				 seed, job, o->state, o->lock, o->active);
		}
	_each(_must_be_over, NULL);
	fed_job_table_destroy(table);
}

static void _worlds(void **state)
{
	const char *only = getenv("FED_WORLD_SEED");
	const char *many = getenv("FED_WORLDS");
	uint32_t seeds = many ? strtoul(many, NULL, 10) : SEEDS;

	if (only) {
		tell = true;
		_one_world(strtoul(only, NULL, 10));
		tell = false;
		return;
	}
	for (uint32_t i = 1; i <= seeds; i++)
		_one_world(i);
}

static void _remembering(void **state)
{
	forgetful = false;
	_worlds(state);
}

/* no promise can be kept to one who forgets; but nothing worse comes of it */
static void _forgetful(void **state)
{
	forgetful = true;
	_worlds(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_remembering),
		cmocka_unit_test(_forgetful),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	for (int job = 0; job < JOBS; job++)
		for (int slot = 0; slot < EPOCHS_MAX; slot++)
			fed_bytes_free(&ledger[job][slot].bytes);
	return rc;
}
