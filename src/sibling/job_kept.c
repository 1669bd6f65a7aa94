/*
 * job_kept.c - what is kept of a job for those who ask (see job_kept.h).
 */
#include "src/sibling/job_kept.h"

#include <string.h>

#include "src/sibling/record.h"

extern uint32_t job_minutes(int64_t seconds, uint32_t unset)
{
	if (!flurm_is_set(seconds))
		return unset;
	return (seconds == FLURM_UNLIMITED) ? INFINITE : (seconds + 59) / 60;
}

extern int64_t job_cpus(const flurm_job_spec_t *spec)
{
	int64_t tasks = flurm_or(spec->num_tasks, 1);
	int64_t cpus = tasks * flurm_or(spec->cpus_per_task, 1);

	if (flurm_is_set(spec->num_cpus) && (spec->num_cpus > cpus))
		cpus = spec->num_cpus;
	return cpus;
}

extern int64_t job_memory(const flurm_job_spec_t *spec, int64_t cpus,
			  int64_t nodes)
{
	if (flurm_is_set(spec->memory_per_cpu_mb))
		return spec->memory_per_cpu_mb * cpus;
	return flurm_or(spec->memory_mb, 0) * nodes;
}

extern int64_t job_node_count(const char *nodes)
{
	compat_hostlist_t list = hostlist_create(nodes);
	int64_t count = list ? hostlist_count(list) : 0;

	if (list)
		hostlist_destroy(list);
	return count ? count : FLURM_UNSET;
}

static char *_text(const char *text)
{
	return (text && text[0]) ? xstrdup(text) : NULL;
}

/* ---- of the submission ---- */

extern void job_submit_set(job_submit_t *submit, const sib_msg_t *msg)
{
	const job_desc_msg_t *desc = msg->data;

	job_submit_free(submit);
	/* its origin takes it out of the description (fed_mgr.c) */
	submit->alloc_node = _text(msg->submit_host);
	submit->alloc_sid = (desc->alloc_sid == NO_VAL) ? 0 : desc->alloc_sid;
	submit->cluster_features = _text(desc->cluster_features);
	if (desc->argc)
		submit->command = _text(desc->argv[0]);
	submit->mail_user = _text(desc->mail_user);
	submit->mail_type = desc->mail_type;
	submit->prefer = _text(desc->prefer);
	submit->shared = desc->shared;
	submit->submit_line = _text(desc->submit_line);
}

extern void job_submit_copy(job_submit_t *ret_submit,
			    const job_submit_t *submit)
{
	*ret_submit = *submit;
	ret_submit->alloc_node = xstrdup(submit->alloc_node);
	ret_submit->cluster_features = xstrdup(submit->cluster_features);
	ret_submit->command = xstrdup(submit->command);
	ret_submit->mail_user = xstrdup(submit->mail_user);
	ret_submit->prefer = xstrdup(submit->prefer);
	ret_submit->submit_line = xstrdup(submit->submit_line);
}

extern void job_submit_free(job_submit_t *submit)
{
	xfree(submit->alloc_node);
	xfree(submit->cluster_features);
	xfree(submit->command);
	xfree(submit->mail_user);
	xfree(submit->prefer);
	xfree(submit->submit_line);
	*submit = (job_submit_t) { .shared = NO_VAL16 };
}

extern void job_submit_pack(const job_submit_t *submit, fed_bytes_t *bytes)
{
	fed_put_str(bytes, submit->alloc_node);
	fed_put_u32(bytes, submit->alloc_sid);
	fed_put_str(bytes, submit->cluster_features);
	fed_put_str(bytes, submit->mail_user);
	fed_put_u16(bytes, submit->mail_type);
	fed_put_str(bytes, submit->prefer);
	fed_put_u16(bytes, submit->shared);
	fed_put_str(bytes, submit->command);
	fed_put_str(bytes, submit->submit_line);
}

extern void job_submit_unpack(job_submit_t *submit, fed_reader_t *reader)
{
	job_submit_free(submit);
	submit->alloc_node = record_get_str(reader);
	submit->alloc_sid = fed_get_u32(reader);
	submit->cluster_features = record_get_str(reader);
	submit->mail_user = record_get_str(reader);
	submit->mail_type = fed_get_u16(reader);
	submit->prefer = record_get_str(reader);
	submit->shared = fed_get_u16(reader);
	submit->command = record_get_str(reader);
	submit->submit_line = record_get_str(reader);
}

/* ---- of FLURM ---- */

extern void job_run_init(job_run_t *run)
{
	*run = (job_run_t) {
		.alloc_nodes = FLURM_UNSET,
		.alloc_cpus = FLURM_UNSET,
		.eligible_time = FLURM_UNSET,
	};
	flurm_usage_init(&run->usage);
}

extern void job_run_copy(job_run_t *ret_run, const job_run_t *run)
{
	*ret_run = *run;
	ret_run->nodes = xstrdup(run->nodes);
	ret_run->reason = xstrdup(run->reason);
}

extern void job_run_free(job_run_t *run)
{
	xfree(run->nodes);
	xfree(run->reason);
	job_run_init(run);
}

static bool _set_text(char **text, const char *said)
{
	if (said && !said[0])
		said = NULL;
	if (!xstrcmp(*text, said))
		return false;
	xfree(*text);
	*text = xstrdup(said);
	return true;
}

static bool _set_number(int64_t *number, int64_t said)
{
	if (!flurm_is_set(said) || (*number == said))
		return false;
	*number = said;
	return true;
}

static bool _set_usage(flurm_usage_t *usage, const flurm_usage_t *said)
{
	bool changed = _set_number(&usage->user_us, said->user_us);

	changed |= _set_number(&usage->system_us, said->system_us);
	changed |= _set_number(&usage->max_rss_kb, said->max_rss_kb);
	return changed;
}

static bool _suspend(job_run_t *run, int64_t when)
{
	if (run->suspended)
		return false;
	run->suspended = true;
	run->suspend_time = when;
	return true;
}

static bool _resume(job_run_t *run, int64_t when)
{
	if (!run->suspended)
		return false;
	run->suspended = false;
	if (when > run->suspend_time)
		run->suspended_for += when - run->suspend_time;
	run->suspend_time = when;
	return true;
}

static bool _set_place(job_run_t *run, const char *nodes, int64_t node_cnt,
		       int64_t cpus)
{
	bool changed = false;

	if (nodes && nodes[0] && _set_text(&run->nodes, nodes)) {
		changed = true;
		if (!flurm_is_set(node_cnt))
			node_cnt = job_node_count(nodes);
	}
	changed |= _set_number(&run->alloc_nodes, node_cnt);
	changed |= _set_number(&run->alloc_cpus, cpus);
	return changed;
}

/* What it had does not hold for a start that did not happen. */
static bool _leave_place(job_run_t *run)
{
	bool changed = _set_text(&run->nodes, NULL);

	run->alloc_nodes = FLURM_UNSET;
	run->alloc_cpus = FLURM_UNSET;
	return changed;
}

extern bool job_run_event(job_run_t *run, const flurm_event_t *event)
{
	bool changed = false;

	switch (event->type) {
	case FLURM_EV_STARTED:
		changed = _set_place(run, event->nodes, FLURM_UNSET,
				     event->cpus);
		return _set_text(&run->reason, event->reason) || changed;
	case FLURM_EV_START_FAILED:
		changed = _leave_place(run);
		return _set_text(&run->reason, event->reason) || changed;
	case FLURM_EV_ENDED:
		changed = _resume(run, flurm_or(event->end_time, event->time));
		changed |= _set_place(run, event->nodes, FLURM_UNSET,
				      event->cpus);
		changed |= _set_usage(&run->usage, &event->usage);
		return _set_text(&run->reason, event->reason) || changed;
	case FLURM_EV_HELD:
		changed = !run->held;
		run->held = true;
		return _set_text(&run->reason, event->reason) || changed;
	case FLURM_EV_RELEASED:
		changed = run->held;
		run->held = false;
		return _set_text(&run->reason, event->reason) || changed;
	case FLURM_EV_SUSPENDED:
		return _suspend(run, event->time);
	case FLURM_EV_RESUMED:
		return _resume(run, event->time);
	default:
		return false;
	}
}

extern bool job_run_view(job_run_t *run, const flurm_job_t *seen, int64_t now)
{
	bool held = (seen->state == FLURM_HELD), changed = (run->held != held);

	run->held = held;
	if ((seen->state != FLURM_PENDING) && !held)
		changed |= _set_place(run, seen->nodes, seen->alloc_nodes,
				      seen->alloc_cpus);
	changed |= _set_number(&run->eligible_time, seen->eligible_time);
	changed |= _set_text(&run->reason, seen->reason);
	changed |= _set_usage(&run->usage, &seen->usage);
	if (!((seen->state == FLURM_SUSPENDED) ? _suspend(run, now) :
						 _resume(run, now)))
		return changed;
	/* it happened while we did not look: FLURM has kept count */
	(void) _set_number(&run->suspended_for, seen->suspended_for);
	return true;
}

extern void job_run_pack(const job_run_t *run, fed_bytes_t *bytes)
{
	fed_put_str(bytes, run->nodes);
	fed_put_str(bytes, run->reason);
	fed_put_i64(bytes, run->alloc_nodes);
	fed_put_i64(bytes, run->alloc_cpus);
	fed_put_i64(bytes, run->eligible_time);
	fed_put_u8(bytes, run->held);
	fed_put_u8(bytes, run->suspended);
	fed_put_i64(bytes, run->suspend_time);
	fed_put_i64(bytes, run->suspended_for);
	fed_put_i64(bytes, run->usage.user_us);
	fed_put_i64(bytes, run->usage.system_us);
	fed_put_i64(bytes, run->usage.max_rss_kb);
}

extern void job_run_unpack(job_run_t *run, fed_reader_t *reader)
{
	job_run_free(run);
	run->nodes = record_get_str(reader);
	run->reason = record_get_str(reader);
	run->alloc_nodes = fed_get_i64(reader);
	run->alloc_cpus = fed_get_i64(reader);
	run->eligible_time = fed_get_i64(reader);
	run->held = fed_get_u8(reader);
	run->suspended = fed_get_u8(reader);
	run->suspend_time = fed_get_i64(reader);
	run->suspended_for = fed_get_i64(reader);
	run->usage.user_us = fed_get_i64(reader);
	run->usage.system_us = fed_get_i64(reader);
	run->usage.max_rss_kb = fed_get_i64(reader);
}
