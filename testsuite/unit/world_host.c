/*
 * world_host.c - what an engine does, in this world (see world.h).
 *
 * What it hears moves a job and is in the "ledger" at once; what is due is
 * said in turns of its own, so that anything can happen between. A crash
 * leaves what is in the ledger, and a broken link leaves nobody who would know
 * whether what was under way arrived.
 */
#include "fed_config.h"

#include "testsuite/unit/unit.h"

#include <string.h>

#include "src/core/job_id.h"
#include "testsuite/unit/world.h"

static fed_job_table_t *table;
static struct { uint32_t epoch; fed_bytes_t bytes; } ledger[JOBS][EPOCHS_MAX];

static world_word_t outbox[QUEUE_MAX];
static int outbox_count;
static bool synced;
static int64_t connected;	/* since when */

/* requests to FLURM that nobody waits for any more, and that still arrive */
static struct {
	int job;
	uint32_t epoch;
	uint32_t attempt;
	fed_job_action_t action;
} late[QUEUE_MAX];
static int late_count;

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

	event.now = world.now;
	verdict = fed_job_table_update(table, j, &event);
	if (verdict == FED_JOB_CHANGED)
		_write(j);
	if ((event.type != FED_EV_SENT) || (from != j->state))
		STORY("%d   job %u/%u %s -%s%s-> %s facts %05x owed %05x%s\n",
		      (int) world.now, fed_job_id_local(j->id) - 1, j->epoch,
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

extern void world_host_each(void (*visit)(fed_job_t *j, void *arg), void *arg)
{
	fed_job_table_walk(table, visit, arg);
}

static void _hear_lost(fed_job_t *j, void *arg)
{
	_hear(j, (fed_job_event_t) { .type = FED_EV_ORIGIN_LOST });
}

extern void world_host_disconnect(void)
{
	if (!world.link_up)
		return;
	STORY("%d link breaks\n", (int) world.now);
	world.link_up = false;
	world_origin_disconnected();
	synced = false;
	outbox_count = 0;
	world_host_each(_hear_lost, NULL);
}

/*
 * The origin sends its list as soon as we have connected. Ours answers it, so
 * that nothing is listed as running of which we can know by then that the
 * origin is through with it: it would take it for the next run.
 */
extern void world_host_connect(void)
{
	STORY("%d link is up\n", (int) world.now);
	world.link_up = true;
	connected = world.now;
	world_origin_say_list();
}

/* IN at - time of the list that this one answers */
static void _send_list(int64_t at)
{
	world_word_t sync = { .action = WORD_SYNC, .at = at };

	for (int job = 0; job < JOBS; job++) {
		fed_job_t *j = fed_job_table_find(table, world_job_id(job));

		sync.list[job] = j ? fed_job_sync(j) : FED_SYNC_OMIT;
		if (j)
			_hear(j, (fed_job_event_t) { .type = FED_EV_LISTED });
	}
	MUST(!outbox_count);
	outbox[outbox_count++] = sync;
}

static void _hear_view(const world_message_t *message)
{
	for (int job = 0; job < JOBS; job++) {
		const world_origin_t *o = &message->list[job];
		fed_job_t *j = fed_job_table_find(table, world_job_id(job));
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
		STORY("%d view of %d: %d, run %d\n", (int) world.now, job,
		      event.view, o->restarts);
		while (j) {
			fed_job_t *older = j->older;

			_hear(j, event);
			j = older;
		}
	}
}

static void _take_submit(const world_message_t *message)
{
	uint32_t id = world_job_id(message->job);
	fed_job_t *known = fed_job_table_find(table, id), *newest;
	world_origin_t *o = &world_origin[message->job];
	fed_job_event_t event = {
		.type = FED_EV_SUBMIT,
		.now = world.now,
		.viable = 7,
		.only_here = o->only_flurm,
		.same = known && (known->restarts == message->restarts),
		.unsynced = !synced,
		.restarts = message->restarts,
	};
	fed_job_verdict_t verdict;
	bool is_new;
	int *submission;

	newest = fed_job_table_submit(table, id, &event, &is_new, &verdict);
	STORY("%d   submission %s: %d/%u\n", (int) world.now,
	      is_new ? "new" : "known", message->job, newest->epoch);
	if (is_new && known) {
		_write(known);
		if (fed_job_is_over(known)) {
			_unwrite(known);
			fed_job_table_forget(table, known);
		}
	}
	_write(newest);
	/* for the checks only */
	if (message->submission == o->submission)
		o->told = world.now;
	submission = world_submission_of(message->job, newest->epoch);
	if (*submission < message->submission)
		*submission = message->submission;
}

/* what the origin has to say is heard, and with luck it hears that */
extern void world_host_receive(void)
{
	world_message_t message;
	fed_job_t *j;
	int at = 0;

	if (!world.link_up || !world_mail_count)
		return;
	/* some are overtaken, after a failure */
	if (world_fault(10))
		at = world_roll(world_mail_count);
	message = world_mail[at];
	j = fed_job_table_find(table, world_job_id(message.job));
	STORY("%d receive kind %d for %d\n", (int) world.now, message.kind,
	      message.job);
	switch (message.kind) {
	case M_SUBMIT:
		_take_submit(&message);
		break;
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
	case M_LIST:
		/* one of an earlier connection says nothing any more */
		if (message.at < connected)
			break;
		synced = true;
		_hear_view(&message);
		_send_list(message.at);
		break;
	}
	/* before the answer: it comes again */
	if (world_fault(25)) {
		world_host_disconnect();
		return;
	}
	memmove(&world_mail[at], &world_mail[at + 1],
		(--world_mail_count - at) * sizeof(world_mail[0]));
}

extern void world_host_transmit(void)
{
	world_word_t word;
	fed_job_t *j;
	bool granted;

	if (!world.link_up || !outbox_count)
		return;
	if (world_fault(40)) {
		world_host_disconnect();
		return;
	}
	word = outbox[0];
	granted = world_origin_take(&word);
	/* before the answer: nobody knows that it arrived */
	if (world_fault(25)) {
		world_host_disconnect();
		return;
	}
	memmove(outbox, outbox + 1, --outbox_count * sizeof(outbox[0]));
	if (word.action == WORD_SYNC)
		return;
	if (word.action == FED_ACT_LOCK) {
		/* a lock is the id's: the newest epoch has it */
		j = fed_job_table_find(table, world_job_id(word.job));
		if (j)
			_hear(j, (fed_job_event_t) { .type = granted ?
					FED_EV_LOCK_GRANTED :
					FED_EV_LOCK_REFUSED });
		return;
	}
	j = fed_job_table_find_epoch(table, world_job_id(word.job),
				     word.epoch);
	if (j)
		_hear(j, (fed_job_event_t) { .type = FED_EV_ACKED,
					     .action = word.action });
}

static void _be_late(fed_job_t *j, fed_job_action_t action)
{
	if (late_count == QUEUE_MAX)
		return;
	late[late_count].job = fed_job_id_local(j->id) - 1;
	late[late_count].epoch = j->epoch;
	late[late_count].attempt = j->attempt;
	late[late_count++].action = action;
}

extern void world_host_late(void)
{
	int at;

	if (!late_count)
		return;
	at = world_roll(late_count);
	STORY("%d a late request arrives\n", (int) world.now);
	(void) world_flurm_take(late[at].job, late[at].epoch,
				late[at].attempt, late[at].action);
	late[at] = late[--late_count];
}

static void _ask_flurm(fed_job_t *j, fed_job_action_t action)
{
	int job = fed_job_id_local(j->id) - 1;
	uint32_t epoch = j->epoch;
	bool lost = world_fault(12), done = !lost || world_roll(2);
	fed_job_event_t answer = { .type = FED_EV_UNSENT, .action = action };

	if (done) {
		fed_job_event_t event =
			world_flurm_take(job, epoch, j->attempt, action);

		if (!lost) {
			/* a conflict: what was asked did not happen */
			if (event.type != FED_EV_ACKED)
				_hear(j, answer);
			answer = event;
		}
	} else if (world_roll(2)) {
		_be_late(j, action);
	}
	j = fed_job_table_find_epoch(table, world_job_id(job), epoch);
	if (j)
		_hear(j, answer);
}

static void _tell_origin(fed_job_t *j, fed_job_action_t action)
{
	int job = fed_job_id_local(j->id) - 1;

	MUST(outbox_count < QUEUE_MAX);
	outbox[outbox_count++] = (world_word_t) {
		.action = action,
		.job = job,
		.epoch = j->epoch,
		.submission = *world_submission_of(job, j->epoch),
		.end = j->end,
		.at = world.now,
	};
}

/* The origin is down: the lock is the native's to give, if it has the job. */
static void _ask_native(fed_job_t *j)
{
	int job = fed_job_id_local(j->id) - 1;
	bool granted = world_origin[job].only_flurm ||
		       world_native_lends(job,
					  *world_submission_of(job, j->epoch));

	_hear(j, (fed_job_event_t) { .type = FED_EV_SENT,
				     .action = FED_ACT_LOCK });
	if (world_fault(10))
		_hear(j, (fed_job_event_t) { .type = FED_EV_UNSENT,
					     .action = FED_ACT_LOCK });
	else if (granted)
		_hear(j, (fed_job_event_t) { .type = FED_EV_LOCK_GRANTED,
					     .by_siblings = true });
	else
		_hear(j, (fed_job_event_t) { .type = FED_EV_LOCK_REFUSED,
					     .held_back = true });
}

static void _act(fed_job_t *j, void *arg)
{
	fed_job_event_t said = { .type = FED_EV_SENT };
	uint32_t due = fed_job_action(j);

	if (!due || !world_roll(3))
		return;
	said.action = world_roll(2) ? 31 - __builtin_clz(due) :
				      __builtin_ctz(due);
	if ((said.action == FED_ACT_LOCK) && j->unsynced) {
		/* it may be back by now: then it is asked when its list came */
		if (world.origin_down)
			_ask_native(j);
		return;
	}
	if ((said.action < FED_ACT_REVOKE_SIBLINGS) && !world.link_up)
		return;
	if (said.action < FED_ACT_REVOKE_SIBLINGS) {
		_tell_origin(j, said.action);
		_hear(j, said);
	} else if ((said.action >= FED_ACT_FLURM_SUBMIT) &&
		   (said.action <= FED_ACT_FLURM_CANCEL)) {
		_hear(j, said);
		_ask_flurm(j, said.action);
	} else {
		_hear(j, said);
		if (said.action == FED_ACT_REVOKE_SIBLINGS)
			world_native_is_revoked(fed_job_id_local(j->id) - 1);
		said.type = FED_EV_ACKED;
		_hear(j, said);
	}
}

static void _tick(fed_job_t *j, void *arg)
{
	/* what was given and not used is given back (jobs_lock_act()) */
	if (!j->newer && !(j->facts & FED_JOB_F_SIBLING_LOCK))
		world_native_has_it_back(fed_job_id_local(j->id) - 1);
	if (world.origin_down && (j->state == FED_JOB_LOCKING) &&
	    !j->origin_down && !world_roll(3))
		_hear(j, (fed_job_event_t) { .type = FED_EV_ORIGIN_DOWN });
	if (j->lock_wait && !world_roll(4))
		_hear(j, (fed_job_event_t) { .type = FED_EV_RETRY });
	else if ((j->state == FED_JOB_DELIVERING) && world_fault(60))
		_hear(j, (fed_job_event_t) { .type = FED_EV_DEADLINE });
}

extern void world_host_hear_flurm(void)
{
	const fed_job_event_t *event;
	uint32_t epoch;
	fed_job_t *j;
	int job;

	if (!(event = world_flurm_event(&job, &epoch)))
		return;
	j = fed_job_table_find_epoch(table, world_job_id(job), epoch);
	if (j)
		_hear(j, *event);
	/* some come once more */
	if (!world_fault(20))
		world_flurm_heard();
}

extern void world_host_crash(void)
{
	fed_err_t err;

	STORY("%d host crashes\n", (int) world.now);
	world.link_up = false;
	world_origin_disconnected();
	synced = false;
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

static void _hear_unknown(fed_job_t *j, void *arg)
{
	_hear(j, (fed_job_event_t) { .type = FED_EV_UNKNOWN });
}

extern void world_host_forgotten(void)
{
	/* what was under way ended with the server that it was for */
	late_count = 0;
	world_host_each(_hear_unknown, NULL);
}

extern void world_host_tick(void)
{
	world_host_each(_tick, NULL);
}

extern void world_host_act(void)
{
	world_host_each(_act, NULL);
}

/* As jobs_lock.c, jobs_lock() */
extern bool world_host_lends(int job)
{
	fed_job_t *j = fed_job_table_find(table, world_job_id(job));

	return !j || (!(j->facts & (FED_JOB_F_RAN | FED_JOB_F_MAY_RUN)) &&
		      ((j->state < FED_JOB_LOCKING) ||
		       (j->state == FED_JOB_DENIED) ||
		       (j->state > FED_JOB_CANCELLING)));
}

extern void world_host_revoked_by_native(int job)
{
	fed_job_t *j = fed_job_table_find(table, world_job_id(job));

	if (j)
		_hear(j, (fed_job_event_t) { .type = FED_EV_REVOKE });
}

extern bool world_host_silent(void)
{
	return !outbox_count && !late_count;
}

extern void world_host_begin(void)
{
	world_host_end();
	world.link_up = false;
	synced = false;
	outbox_count = 0;
	late_count = 0;
	for (int job = 0; job < JOBS; job++)
		for (int slot = 0; slot < EPOCHS_MAX; slot++) {
			fed_bytes_free(&ledger[job][slot].bytes);
			ledger[job][slot].epoch = 0;
		}
	table = fed_job_table_create(NULL, NULL, NULL);
}

extern void world_host_end(void)
{
	fed_job_table_destroy(table);
	table = NULL;
}
