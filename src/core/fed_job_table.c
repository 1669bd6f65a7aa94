/*
 * fed_job_table.c - all jobs of one FLURM cluster (see fed_job_table.h).
 *
 * A hash of chains, doubled when it has more ids than buckets, so that a look-
 * up costs the same with 100,000 jobs as with 1000. Local ids count up, so the
 * low bits are spread well enough after a multiplication.
 */
#include "src/core/fed_job_table.h"

#include <stdlib.h>

#include "src/core/mem.h"

#define BUCKETS_MIN 1024

struct fed_job_table {
	fed_job_t **buckets;
	size_t size;		/* a power of two */
	size_t ids;
	fed_job_trace_t trace;
	fed_job_drop_t drop;
	void *arg;
	uint64_t stamp;
	fed_job_table_stats_t stats;	/* by_state is kept up to date */
};

static fed_job_t **_bucket(const fed_job_table_t *table, uint32_t id)
{
	return &table->buckets[(id * 2654435761u >> 8) & (table->size - 1)];
}

extern fed_job_table_t *fed_job_table_create(fed_job_trace_t trace,
					     fed_job_drop_t drop, void *arg)
{
	fed_job_table_t *table = fed_calloc(1, sizeof(*table));

	table->size = BUCKETS_MIN;
	table->buckets = fed_calloc(table->size, sizeof(*table->buckets));
	table->trace = trace;
	table->drop = drop;
	table->arg = arg;
	return table;
}

static void _free_job(fed_job_table_t *table, fed_job_t *job)
{
	if (table->drop)
		table->drop(job, table->arg);
	table->stats.jobs--;
	table->stats.by_state[job->state]--;
	free(job);
}

extern void fed_job_table_destroy(fed_job_table_t *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->size; i++) {
		fed_job_t *newest = table->buckets[i];

		while (newest) {
			fed_job_t *job = newest;

			newest = newest->next;
			while (job) {
				fed_job_t *older = job->older;

				_free_job(table, job);
				job = older;
			}
		}
	}
	free(table->buckets);
	free(table);
}

static void _grow(fed_job_table_t *table)
{
	fed_job_t **old = table->buckets;
	size_t size = table->size;

	table->size *= 2;
	table->buckets = fed_calloc(table->size, sizeof(*table->buckets));
	for (size_t i = 0; i < size; i++)
		while (old[i]) {
			fed_job_t *job = old[i], **bucket;

			old[i] = job->next;
			bucket = _bucket(table, job->id);
			job->next = *bucket;
			*bucket = job;
		}
	free(old);
}

/* RET where the newest epoch of this id is linked, or would be */
static fed_job_t **_link(const fed_job_table_t *table, uint32_t id)
{
	fed_job_t **link = _bucket(table, id);

	while (*link && ((*link)->id != id))
		link = &(*link)->next;
	return link;
}

extern fed_job_t *fed_job_table_find(const fed_job_table_t *table,
				     uint32_t id)
{
	return *_link(table, id);
}

extern fed_job_t *fed_job_table_find_epoch(const fed_job_table_t *table,
					   uint32_t id, uint32_t epoch)
{
	fed_job_t *job = fed_job_table_find(table, id);

	while (job && (job->epoch != epoch))
		job = job->older;
	return job;
}

/* RET a job of which nothing is known that is the newest epoch of its id */
static fed_job_t *_add(fed_job_table_t *table, uint32_t id, uint32_t epoch)
{
	fed_job_t *job = fed_calloc(1, sizeof(*job));
	fed_job_t **link;

	if (table->ids >= table->size)
		_grow(table);
	link = _link(table, id);
	job->id = id;
	job->epoch = epoch;
	job->uid = FED_JOB_NOBODY;
	if (*link) {
		job->older = *link;
		job->next = (*link)->next;
		(*link)->next = NULL;
		(*link)->newer = job;
	} else {
		table->ids++;
	}
	*link = job;
	table->stats.jobs++;
	return job;
}

extern void fed_job_table_forget(fed_job_table_t *table, fed_job_t *job)
{
	if (job->older)
		job->older->newer = job->newer;
	if (job->newer) {
		job->newer->older = job->older;
	} else {
		fed_job_t **link = _link(table, job->id);

		if (job->older) {
			job->older->next = job->next;
			*link = job->older;
		} else {
			*link = job->next;
			table->ids--;
		}
	}
	_free_job(table, job);
}

extern void fed_job_table_forget_epoch(fed_job_table_t *table, uint32_t id,
				       uint32_t epoch)
{
	fed_job_t *job = fed_job_table_find_epoch(table, id, epoch);

	if (job)
		fed_job_table_forget(table, job);
}

static void _tell(fed_job_table_t *table, fed_job_t *job, fed_job_state_t from,
		  const fed_job_event_t *event, fed_job_verdict_t verdict)
{
	if (verdict == FED_JOB_IGNORED) {
		table->stats.ignored++;
	} else {
		table->stats.events++;
		job->changed = ++table->stamp;
	}
	if (table->trace)
		table->trace(job, from, event, verdict, table->arg);
}

extern fed_job_verdict_t fed_job_table_update(fed_job_table_t *table,
					      fed_job_t *job,
					      const fed_job_event_t *event)
{
	fed_job_state_t from = job->state;
	fed_job_verdict_t verdict = fed_job_update(job, event);

	table->stats.by_state[from]--;
	table->stats.by_state[job->state]++;
	_tell(table, job, from, event, verdict);
	return verdict;
}

extern fed_job_t *fed_job_table_submit(fed_job_table_t *table, uint32_t id,
				       const fed_job_event_t *event,
				       bool *ret_new,
				       fed_job_verdict_t *ret_verdict)
{
	fed_job_t *newest = fed_job_table_find(table, id), *job;
	fed_job_event_t superseded = {
		.type = FED_EV_SUPERSEDED,
		.now = event->now,
	};

	*ret_new = fed_job_is_new(newest, event);
	if (!*ret_new) {
		*ret_verdict = fed_job_table_update(table, newest, event);
		return newest;
	}
	job = _add(table, id, fed_job_next_epoch(newest, event->now));
	if (newest) {
		fed_job_replace(job, newest, event);
		fed_job_table_update(table, newest, &superseded);
	} else {
		fed_job_begin(job, event);
	}
	table->stats.by_state[job->state]++;
	_tell(table, job, FED_JOB_DELIVERING, event, FED_JOB_CHANGED);
	*ret_verdict = FED_JOB_CHANGED;
	return job;
}

extern fed_job_t *fed_job_table_adopt(fed_job_table_t *table, uint32_t id,
				      uint32_t epoch, int64_t now,
				      bool unsynced)
{
	fed_job_t *newest = fed_job_table_find(table, id), *job;

	if (newest && (newest->epoch >= epoch))
		return NULL;
	job = _add(table, id, epoch);
	fed_job_adopt(job, now, unsynced);
	table->stats.by_state[job->state]++;
	return job;
}

extern uint64_t fed_job_table_stamp(const fed_job_table_t *table)
{
	return table->stamp;
}

extern int fed_job_table_replay(fed_job_table_t *table, const void *body,
				size_t len, fed_err_t *err)
{
	fed_job_t read = { 0 }, *job, *newest;

	if (fed_job_unpack(&read, body, len, err) < 0)
		return -1;
	job = fed_job_table_find_epoch(table, read.id, read.epoch);
	if (!job) {
		newest = fed_job_table_find(table, read.id);
		if (newest && (newest->epoch > read.epoch))
			return fed_err_set(err, 0,
					   "epoch %u of job %u comes after epoch %u",
					   read.epoch, read.id, newest->epoch);
		job = _add(table, read.id, read.epoch);
	} else {
		table->stats.by_state[job->state]--;
	}
	read.next = job->next;
	read.older = job->older;
	read.newer = job->newer;
	read.host = job->host;
	*job = read;
	table->stats.by_state[job->state]++;
	return 0;
}

extern void fed_job_table_walk(fed_job_table_t *table,
			       void (*visit)(fed_job_t *job, void *arg),
			       void *arg)
{
	for (size_t i = 0; i < table->size; i++) {
		fed_job_t *newest = table->buckets[i];

		while (newest) {
			fed_job_t *job = newest;

			newest = newest->next;
			while (job->older)
				job = job->older;
			while (job) {
				fed_job_t *newer = job->newer;

				visit(job, arg);
				job = newer;
			}
		}
	}
}

extern void fed_job_table_stats(const fed_job_table_t *table,
				fed_job_table_stats_t *stats)
{
	*stats = table->stats;
}
