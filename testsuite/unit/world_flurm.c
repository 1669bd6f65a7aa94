/*
 * world_flurm.c - the FLURM of this world (see world.h).
 *
 * Holds the epochs it was sent, asks before it starts one, for one attempt
 * after the other, and tells in events what becomes of them.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <string.h>

#include "testsuite/unit/world.h"

typedef enum {
	F_NONE,
	F_PENDING,
	F_STARTING,
	F_RUNNING,
	F_OVER,
} _state_t;

typedef struct {
	uint32_t epoch;
	uint32_t attempt;
	_state_t state;
	fed_job_end_t end;
	int64_t start_time;
} _job_t;

static _job_t jobs[JOBS][EPOCHS_MAX];
static fed_job_event_t events[QUEUE_MAX];
static struct { int job; uint32_t epoch; } about[QUEUE_MAX];
static int count;

/* which submission an epoch stands for */
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

extern int *world_submission_of(int job, uint32_t epoch)
{
	return &meaning[job][_meaning_of(job, epoch)].submission;
}

static _job_t *_find(int job, uint32_t epoch)
{
	for (int i = 0; i < EPOCHS_MAX; i++)
		if ((jobs[job][i].state != F_NONE) &&
		    (jobs[job][i].epoch == epoch))
			return &jobs[job][i];
	return NULL;
}

static void _tell(int job, uint32_t epoch, fed_job_event_t event)
{
	if (count == QUEUE_MAX)
		return;
	about[count].job = job;
	about[count].epoch = epoch;
	events[count++] = event;
}

static void _end(int job, _job_t *f, fed_job_end_t end)
{
	STORY("%d flurm ends %d/%u: %s\n", (int) world.now, job, f->epoch,
	      fed_job_end_name(end));
	if (end == FED_END_COMPLETED)
		meaning[job][_meaning_of(job, f->epoch)].completed = true;
	f->state = F_OVER;
	f->end = end;
	_tell(job, f->epoch, (fed_job_event_t) {
			.type = FED_EV_ENDED, .end = end,
			.start_time = f->start_time,
			.status = end == FED_END_FAILED ? 256 : 0,
			.run_again = end == FED_END_NODE_FAIL });
}

extern void world_flurm_schedule(int job)
{
	for (int i = 0; i < EPOCHS_MAX; i++) {
		_job_t *f = &jobs[job][i];

		if ((f->state == F_PENDING) && !world_roll(3)) {
			f->state = F_STARTING;
			f->attempt++;
			_tell(job, f->epoch, (fed_job_event_t) {
					.type = FED_EV_START_REQUEST,
					.attempt = f->attempt });
		} else if ((f->state == F_STARTING) && !world_roll(30)) {
			if (world_roll(2))
				f->state = F_PENDING;
			else
				_tell(job, f->epoch, (fed_job_event_t) {
					.type = FED_EV_START_REQUEST,
					.attempt = f->attempt });
		} else if ((f->state == F_RUNNING) && !world_roll(8)) {
			_end(job, f, !world_roll(4) ? FED_END_FAILED :
				     world_fault(8) ? FED_END_NODE_FAIL :
				     FED_END_COMPLETED);
		}
	}
}

static fed_job_event_t _view_of(const _job_t *f)
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

extern fed_job_event_t world_flurm_take(int job, uint32_t epoch,
					uint32_t attempt,
					fed_job_action_t action)
{
	fed_job_event_t acked = { .type = FED_EV_ACKED, .action = action };
	_job_t *f = _find(job, epoch);

	STORY("%d flurm takes %s for %d/%u\n", (int) world.now,
	      fed_job_action_name(action), job, epoch);
	if (!f && (action == FED_ACT_FLURM_SUBMIT)) {
		int slot = 0;

		for (int i = 0; i < EPOCHS_MAX; i++) {
			_job_t *other = &jobs[job][i];

			MUST((other->state != F_RUNNING) ||
			     (other->epoch > epoch));
			/* one that came late, and gives way to its next */
			if (((other->state == F_PENDING) ||
			     (other->state == F_STARTING)) &&
			    (other->epoch < epoch))
				_end(job, other, FED_END_REVOKED);
			if (jobs[job][i].state != F_NONE)
				slot = i + 1;
		}
		MUST(slot < EPOCHS_MAX);
		if (epoch % 13 == 5)
			return (fed_job_event_t) { .type = FED_EV_REFUSED,
						   .refuse = 2015 };
		jobs[job][slot] = (_job_t) {
			.epoch = epoch,
			.state = F_PENDING,
		};
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
		if (!world_roll(10)) {
			f->state = F_PENDING;
			_tell(job, epoch, (fed_job_event_t) {
					.type = FED_EV_START_FAILED,
					.attempt = attempt });
			return acked;
		}
		STORY("%d flurm starts %d/%u\n", (int) world.now, job, epoch);
		f->state = F_RUNNING;
		f->start_time = world.now;
		world_start(job, *world_submission_of(job, epoch));
		_tell(job, epoch, (fed_job_event_t) {
				.type = FED_EV_STARTED,
				.start_time = world.now });
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
		_end(job, f, FED_END_CANCELLED);
		return acked;
	default:
		return acked;
	}
}

extern bool world_flurm_completed(int job, uint32_t epoch)
{
	return meaning[job][_meaning_of(job, epoch)].completed;
}

extern const fed_job_event_t *world_flurm_event(int *ret_job,
						uint32_t *ret_epoch)
{
	if (!count)
		return NULL;
	*ret_job = about[0].job;
	*ret_epoch = about[0].epoch;
	return &events[0];
}

extern void world_flurm_heard(void)
{
	count--;
	memmove(events, events + 1, count * sizeof(events[0]));
	memmove(about, about + 1, count * sizeof(about[0]));
}

extern bool world_flurm_silent(void)
{
	return !count;
}

/* it loses all it knows, and what ran is dead */
extern void world_flurm_forget(void)
{
	STORY("%d flurm loses its state\n", (int) world.now);
	memset(jobs, 0, sizeof(jobs));
	count = 0;
}

extern void world_flurm_begin(void)
{
	memset(jobs, 0, sizeof(jobs));
	memset(meaning, 0, sizeof(meaning));
	count = 0;
}
