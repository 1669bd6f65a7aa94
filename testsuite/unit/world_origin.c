/*
 * world_origin.c - the origin of this world's jobs (see world.h).
 *
 * Its record of a job is what matters of slurmctld's: who has the lock, who is
 * an active sibling, whether it tracks a run elsewhere, how often the job was
 * restarted. It does with messages, locks and a JOB_SYNC what fed_mgr.c does
 * (22.05.8). The native sibling is a part of it: it always hears at once. While
 * the origin is down the native goes on, with FLURM's lock instead of the
 * origin's, and tells the origin as soon as that is back. It heeds the lock
 * that it has lent itself, also then, which Slurm's does not.
 *
 * It checks what it is told: a COMPLETE that is not from who has the lock
 * would end another's run, a START would revoke everybody.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <string.h>

#include "testsuite/unit/world.h"

world_origin_t world_origin[JOBS];
world_message_t world_mail[QUEUE_MAX];
int world_mail_count;

static world_origin_t saved[JOBS];	/* what it would know after a crash */
static bool synced;			/* our list has come */
static bool native_has[JOBS];
static int native_lock[JOBS];		/* AT_: who has the native's own */
static bool native_runs[JOBS];		/* and the origin does not know */
static bool gate;			/* closed since the origin came back */

/* what really happened, by submission */
static struct {
	int starts;
	bool excused;		/* the origin forgot something about it */
} truth[JOBS][SUBMISSIONS_MAX];

static void _say(world_message_t message)
{
	/* a revoke is not kept for a sibling that is not there */
	if ((message.kind == M_REVOKE) && !world.link_up)
		return;
	MUST(world_mail_count < QUEUE_MAX);
	message.at = world.now;
	world_mail[world_mail_count++] = message;
}

static void _revoke(int job, int sibs)
{
	if (sibs & AT_FLURM)
		_say((world_message_t) { .kind = M_REVOKE, .job = job });
	if (sibs & AT_NATIVE)
		native_has[job] = false;
}

extern void world_origin_submit(int job)
{
	world_origin_t *o = &world_origin[job];

	o->state = O_PENDING;
	o->lock = 0;
	o->requeue_fed = false;
	o->updates = 0;
	o->submitted = world.now;
	o->told = INT64_MAX;
	o->active = o->only_flurm ? AT_FLURM :
				    AT_ORIGIN | AT_NATIVE | AT_FLURM;
	native_has[job] = !o->only_flurm;
	native_lock[job] = 0;
	o->submission++;
	MUST(o->submission < SUBMISSIONS_MAX);
	_say((world_message_t) { .kind = M_SUBMIT, .job = job,
				 .submission = o->submission,
				 .restarts = o->restarts });
	STORY("%d origin submits %d, run %d\n", (int) world.now, job,
	      o->restarts);
}

static void _run_again(int job)
{
	world_origin[job].restarts++;
	world_origin_submit(job);
}

extern void world_start(int job, int submission)
{
	truth[job][submission].starts++;
	if (!truth[job][submission].excused)
		MUST(truth[job][submission].starts == 1);
}

static void _finish(int job, fed_job_end_t end)
{
	STORY("%d origin has the end of %d: %s\n", (int) world.now, job,
	      fed_job_end_name(end));
	world_origin[job].state = O_DONE;
	world_origin[job].end = end;
	native_has[job] = false;
}

static bool _lock(int job, int who)
{
	world_origin_t *o = &world_origin[job];

	if ((o->lock && (o->lock != who)) || o->updates)
		return false;
	o->lock = who;
	return true;
}

/* The native's scheduler, without the origin. It is told of FLURM's at once. */
static void _native_alone(int job)
{
	if (!native_has[job] || native_runs[job] ||
	    (native_lock[job] == AT_FLURM) || !world_host_lends(job))
		return;
	STORY("%d native starts %d, alone\n", (int) world.now, job);
	world_start(job, world_origin[job].submission);
	native_runs[job] = true;
	native_lock[job] = AT_NATIVE;
	native_has[job] = false;
	if (!world_fault(4))
		world_host_revoked_by_native(job);
}

extern bool world_native_lends(int job, int submission)
{
	const world_origin_t *o = &world_origin[job];

	/* nor of a job that it has not, or does not have any more */
	if (!native_has[job] || (native_lock[job] == AT_NATIVE))
		return false;
	native_lock[job] = AT_FLURM;
	/* as in world_origin_take(): it has the next run's copy by now, of
	 * which FLURM may hear from the origin's list alone */
	if (submission < o->submission)
		truth[job][submission].excused = true;
	return true;
}

extern void world_native_has_it_back(int job)
{
	if (native_lock[job] == AT_FLURM)
		native_lock[job] = 0;
}

extern void world_native_is_revoked(int job)
{
	MUST(!native_runs[job]);
	native_has[job] = false;
}

/* what the origin's and the native's schedulers do */
extern void world_origin_schedule(int job)
{
	world_origin_t *o = &world_origin[job];

	if (world.origin_down) {
		_native_alone(job);
		return;
	}
	if ((o->state == O_RUNNING) && !world_roll(4)) {
		_finish(job, FED_END_COMPLETED);
		_revoke(job, o->active & ~AT_ORIGIN);
		return;
	}
	if ((o->state == O_TRACKING) && (o->lock == AT_NATIVE) &&
	    !world_roll(4)) {
		_finish(job, FED_END_COMPLETED);
		return;
	}
	if ((o->state != O_PENDING) || o->requeue_fed || o->held ||
	    o->only_flurm)
		return;
	if (world_roll(2)) {
		/* the gate: no scheduling before the list has come */
		if (((world.link_up || gate) && !synced) ||
		    !_lock(job, AT_ORIGIN))
			return;
		STORY("%d origin starts %d\n", (int) world.now, job);
		world_start(job, o->submission);
		_revoke(job, o->active & ~AT_ORIGIN);
		o->state = O_RUNNING;
		o->active = AT_ORIGIN;
	} else if (native_has[job] && (native_lock[job] != AT_FLURM) &&
		   _lock(job, AT_NATIVE)) {
		STORY("%d native starts %d\n", (int) world.now, job);
		world_start(job, o->submission);
		_revoke(job, o->active & AT_FLURM);
		native_has[job] = false;
		o->state = O_TRACKING;
		o->active = AT_NATIVE;
	}
}

extern void world_origin_use(int job)
{
	world_origin_t *o = &world_origin[job];
	bool here = (o->state == O_TRACKING) && (o->lock == AT_FLURM);

	switch (world_roll(8)) {
	case 0:	/* scancel */
		STORY("%d scancel %d\n", (int) world.now, job);
		if (here) {
			_say((world_message_t) { .kind = M_CANCEL,
						 .job = job });
		} else if ((o->state != O_DONE) && !o->requeue_fed) {
			if (o->state == O_PENDING)
				_revoke(job, o->active & ~AT_ORIGIN);
			_finish(job, FED_END_CANCELLED);
		}
		break;
	case 1:	/* scontrol hold */
		if ((o->state == O_PENDING) && !o->requeue_fed && !o->held) {
			STORY("%d hold %d\n", (int) world.now, job);
			o->held = true;
			_revoke(job, o->active & ~AT_ORIGIN);
		}
		break;
	case 2:	/* scontrol release */
		if (o->held && (o->state == O_PENDING))
			world_origin_submit(job);
		o->held = false;
		break;
	case 3:	/* scontrol requeue */
		if (o->requeue_fed || o->held ||
		    (o->submission > SUBMISSIONS_MAX / 2))
			break;
		STORY("%d requeue %d\n", (int) world.now, job);
		if (here) {
			o->requeue_fed = true;
			o->state = O_PENDING;
			o->restarts++;
			_say((world_message_t) { .kind = M_CANCEL, .job = job,
						 .requeue = true });
		} else if (o->state == O_DONE) {
			_run_again(job);
		}
		break;
	case 4:	/* scontrol update */
		if ((o->state != O_DONE) && (o->active & AT_FLURM)) {
			o->updates++;
			_say((world_message_t) { .kind = M_UPDATE,
						 .job = job });
		}
		break;
	default:
		break;
	}
}

/* JOB_SYNC as the origin takes it */
static void _reconcile(const world_word_t *word)
{
	for (int job = 0; job < JOBS; job++) {
		world_origin_t *o = &world_origin[job];

		if ((o->state == O_DONE) || o->requeue_fed ||
		    (o->submitted >= word->at))
			continue;
		if (word->list[job] == FED_SYNC_OMIT) {
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
			_say((world_message_t) { .kind = M_REVOKE,
						 .job = job });
		} else if (!o->lock) {
			o->active |= AT_FLURM;
			if (word->list[job] != FED_SYNC_RUNNING)
				continue;
			STORY("%d origin adopts %d\n", (int) world.now, job);
			o->lock = AT_FLURM;
			_revoke(job, o->active & AT_NATIVE);
			o->active = AT_FLURM;
			o->state = O_TRACKING;
		}
	}
	synced = true;
	gate = false;
}

/*
 * The origin is on to another run, of which we could not know when this was
 * said: the two have crossed. A native sibling's would have done harm, too.
 * RET true if so
 */
static bool _crossed(const world_word_t *word)
{
	world_origin_t *o = &world_origin[word->job];

	if ((o->lock == AT_FLURM) ||
	    ((word->submission == o->submission) && !world.forgetful))
		return false;
	MUST((word->at <= o->told) || world.forgetful);
	return true;
}

static void _complete(int job, fed_job_end_t end)
{
	world_origin_t *o = &world_origin[job];

	if (o->requeue_fed) {
		world_origin_submit(job);
		return;
	}
	if (o->state == O_DONE)
		return;
	MUST(o->state != O_RUNNING);	/* it would be killed */
	MUST(o->lock == AT_FLURM);	/* it would be another's */
	if ((end == FED_END_FAILED) && !world_roll(2) &&
	    (o->submission < SUBMISSIONS_MAX / 2)) {
		_run_again(job);	/* RequeueExit */
		return;
	}
	_finish(job, end);
}

extern bool world_origin_take(const world_word_t *word)
{
	world_origin_t *o = &world_origin[word->job];
	int job = word->job;

	STORY("%d origin takes %s for %d/%u\n", (int) world.now,
	      word->action == WORD_SYNC ? "sync" :
	      fed_job_action_name(word->action), job, word->epoch);
	switch ((int) word->action) {
	case WORD_SYNC:
		_reconcile(word);
		break;
	case FED_ACT_LOCK:
		if (!_lock(job, AT_FLURM))
			return false;
		/* asked for one run, given for the next: nobody can tell */
		if (word->submission < o->submission) {
			MUST((word->at <= o->told) || world.forgetful);
			truth[job][word->submission].excused = true;
		}
		break;
	case FED_ACT_UNLOCK:
		if (o->lock == AT_FLURM)
			o->lock = 0;
		break;
	case FED_ACT_SUBMIT_RESP:
		o->active &= ~AT_FLURM;
		break;
	case FED_ACT_START:
		if ((o->state == O_DONE) || _crossed(word))
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
		    !o->lock || o->requeue_fed || _crossed(word))
			break;
		o->restarts++;
		if (o->state == O_TRACKING)
			_say((world_message_t) { .kind = M_CANCEL, .job = job,
						 .requeue = true });
		o->state = O_PENDING;
		o->requeue_fed = true;
		break;
	case FED_ACT_COMPLETE:
		if (word->end == FED_END_COMPLETED)
			MUST(world_flurm_completed(job, word->epoch));
		if ((o->state != O_DONE) && !_crossed(word))
			_complete(job, word->end);
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

/* its queue is gone; if it is forgetful, what it had not saved, too */
extern void world_origin_crash(void)
{
	STORY("%d origin crashes\n", (int) world.now);
	world_mail_count = 0;
	for (int job = 0; world.forgetful && (job < JOBS); job++) {
		if (!memcmp(&world_origin[job], &saved[job],
			    sizeof(saved[job])))
			continue;
		for (int i = 0; i < SUBMISSIONS_MAX; i++)
			truth[job][i].excused = true;
		world_origin[job] = saved[job];
	}
	/* its siblings' connections come before it schedules (inbound.c) */
	gate = true;
	world.origin_down = !world.quiet && world_roll(2);
}

extern void world_origin_return(void)
{
	STORY("%d origin is back\n", (int) world.now);
	world.origin_down = false;
	for (int job = 0; job < JOBS; job++) {
		world_origin_t *o = &world_origin[job];

		if (!native_runs[job])
			continue;
		native_runs[job] = false;
		native_lock[job] = 0;
		if ((o->state == O_DONE) || (o->state == O_RUNNING))
			continue;
		STORY("%d native tells of %d\n", (int) world.now, job);
		o->lock = AT_NATIVE;
		o->state = O_TRACKING;
		o->active = AT_NATIVE;
	}
}

extern void world_origin_disconnected(void)
{
	synced = false;
}

extern void world_origin_say_list(void)
{
	world_message_t list = { .kind = M_LIST };

	memcpy(list.list, world_origin, sizeof(world_origin));
	_say(list);
}

extern void world_origin_tick(int job)
{
	/* updates that are not answered block the lock for a minute */
	if (!world_roll(50))
		world_origin[job].updates = 0;
	if (!world_roll(4))
		saved[job] = world_origin[job];
}

extern void world_origin_release_all(void)
{
	for (int job = 0; job < JOBS; job++) {
		world_origin_t *o = &world_origin[job];

		if (o->held && (o->state == O_PENDING))
			world_origin_submit(job);
		o->held = false;
	}
}

extern void world_origin_begin(void)
{
	memset(world_origin, 0, sizeof(world_origin));
	memset(truth, 0, sizeof(truth));
	world_mail_count = 0;
	memset(native_lock, 0, sizeof(native_lock));
	memset(native_runs, 0, sizeof(native_runs));
	gate = world.origin_down = false;
	synced = false;
	for (int job = 0; job < JOBS; job++) {
		world_origin[job].only_flurm = !world_roll(5);
		world_origin_submit(job);
		saved[job] = world_origin[job];
	}
}
