/*
 * spec.c - what sbatch asked for, as FLURM is asked for it (see spec.h).
 *
 * Unset values are those that slurm_init_job_desc_msg() sets.
 */
#include "src/sibling/spec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* RET a copy in the C library's memory, NULL for NULL and "" */
static char *_dup(const char *text)
{
	return (text && text[0]) ? strdup(text) : NULL;
}

/* In an update "" takes away what was asked for. */
static char *_dup_empty(const char *text)
{
	return text ? strdup(text) : NULL;
}

static char **_dup_list(char **list, uint32_t count)
{
	char **copy = calloc(count + 1, sizeof(*copy));

	for (uint32_t i = 0; copy && (i < count); i++)
		copy[i] = strdup(list[i] ? list[i] : "");
	return copy;
}

static int64_t _num32(uint32_t value)
{
	return ((value == NO_VAL) || (value == INFINITE)) ? FLURM_UNSET :
							    (int64_t) value;
}

static int64_t _num16(uint16_t value)
{
	return ((value == NO_VAL16) || (value == INFINITE16)) ?
		FLURM_UNSET : (int64_t) value;
}

/* 0 means "not said" as well */
static int64_t _positive(int64_t value)
{
	return value ? value : FLURM_UNSET;
}

/* Slurm counts in minutes. */
static int64_t _seconds(uint32_t minutes)
{
	if (minutes == NO_VAL)
		return FLURM_UNSET;
	if (minutes == INFINITE)
		return FLURM_UNLIMITED;
	return (int64_t) minutes * 60;
}

static void _set_memory(const job_desc_msg_t *desc, flurm_job_spec_t *spec)
{
	if (desc->pn_min_memory == NO_VAL64)
		return;
	if (desc->pn_min_memory & MEM_PER_CPU)
		spec->memory_per_cpu_mb = desc->pn_min_memory & ~MEM_PER_CPU;
	else
		spec->memory_mb = desc->pn_min_memory;
}

/*
 * What both a submission and an update may say.
 * IN dup - copies a text: what "" means is not the same in both
 */
static void _set_changeable(const job_desc_msg_t *desc,
			    char *(*dup)(const char *text),
			    flurm_job_spec_t *spec)
{
	spec->account = dup(desc->account);
	spec->qos = dup(desc->qos);
	spec->wckey = dup(desc->wckey);
	spec->name = dup(desc->name);
	spec->partition = dup(desc->partition);
	spec->reservation = dup(desc->reservation);
	spec->features = dup(desc->features);
	spec->licenses = dup(desc->licenses);
	spec->req_nodes = dup(desc->req_nodes);
	spec->exc_nodes = dup(desc->exc_nodes);
	spec->comment = dup(desc->comment);
	spec->std_out = dup(desc->std_out);
	spec->num_nodes = _positive(_num32(desc->min_nodes));
	spec->max_nodes = _positive(_num32(desc->max_nodes));
	spec->num_tasks = _positive(_num32(desc->num_tasks));
	spec->num_cpus = _positive(_num32(desc->min_cpus));
	spec->ntasks_per_node = _positive(_num16(desc->ntasks_per_node));
	spec->cpus_per_task = _positive(_num16(desc->cpus_per_task));
	spec->tmp_disk_mb = _positive(_num32(desc->pn_min_tmp_disk));
	_set_memory(desc, spec);
	spec->begin_time = _positive(desc->begin_time);
	spec->deadline = _positive(desc->deadline);
	spec->time_limit = _seconds(desc->time_limit);
	spec->time_min = _seconds(desc->time_min);
	spec->priority = _num32(desc->priority);
	if (desc->nice != NO_VAL)
		spec->nice = (int64_t) desc->nice - NICE_OFFSET;
	if (desc->requeue != NO_VAL16)
		spec->requeue = desc->requeue ? FLURM_YES : FLURM_NO;
	/* alone with jobs of the same user or label: alone is more than that */
	if (desc->shared != NO_VAL16)
		spec->exclusive = (desc->shared == JOB_SHARED_OK) ?
			FLURM_NO : FLURM_YES;
}

/* "gres:gpu:2,gres/tmp:1" is "gpu:2,tmp:1" at FLURM. */
static char *_gres(const char *tres)
{
	char *gres, *to;

	if (!tres || !tres[0] || !(gres = strdup(tres)))
		return NULL;
	for (to = gres; *tres; ) {
		if (!strncmp(tres, "gres:", 5) || !strncmp(tres, "gres/", 5))
			tres += 5;
		while (*tres && (*tres != ','))
			*to++ = *tres++;
		if (*tres)
			*to++ = *tres++;
	}
	*to = 0;
	return gres;
}

/* --mincpus is per node; FLURM spreads what is of the whole job evenly. */
static void _set_min_cpus(const job_desc_msg_t *desc, flurm_job_spec_t *spec)
{
	int64_t cpus = _positive(_num16(desc->pn_min_cpus));

	if (!flurm_is_set(cpus))
		return;
	if (flurm_is_set(spec->num_nodes))
		cpus *= spec->num_nodes;
	if (!flurm_is_set(spec->num_cpus) || (spec->num_cpus < cpus))
		spec->num_cpus = cpus;
}

static void _set_submitted(const job_desc_msg_t *desc, flurm_job_spec_t *spec)
{
	spec->script = strdup(desc->script);
	/* the first is the script's own name, as main() has it */
	if (desc->argc > 1)
		spec->argv = _dup_list(desc->argv + 1, desc->argc - 1);
	if (desc->env_size)
		spec->environment = _dup_list(desc->environment,
					      desc->env_size);
	spec->work_dir = _dup(desc->work_dir);
	spec->std_in = _dup(desc->std_in);
	spec->std_err = _dup(desc->std_err);
	if (desc->open_mode == OPEN_MODE_APPEND)
		spec->open_mode = strdup("append");
	else if (desc->open_mode == OPEN_MODE_TRUNCATE)
		spec->open_mode = strdup("truncate");
	spec->gres = _gres(desc->tres_per_node);
	_set_min_cpus(desc, spec);
	/*
	 * Without "B:" it is for the steps alone, of which FLURM has none; the
	 * script would die of it.
	 */
	if (desc->warn_signal && (desc->warn_flags & KILL_JOB_BATCH)) {
		spec->warn_signal = desc->warn_signal;
		spec->warn_time = desc->warn_time;
	}
	if (desc->restart_cnt)
		spec->restart_count = desc->restart_cnt;
	spec->start_gate = FLURM_YES;
}

static bool _given(const char *text)
{
	return text && text[0];
}

/*
 * Since 23.11 "-c 2" comes as "cpu=2" beside cpus_per_task too
 * (common/slurm_opt.c, _set_tres_per_task_from_sibling_opt()).
 */
static bool _more_than_cpus(const char *tres)
{
	size_t len;

	if (!_given(tres))
		return false;
	if (strncasecmp(tres, "cpu=", 4) && strncasecmp(tres, "cpu:", 4))
		return true;
	len = strspn(tres + 4, "0123456789");
	return !len || tres[4 + len];
}

/* RET the option that FLURM can't honour, or NULL */
static const char *_unsupported(const job_desc_msg_t *desc)
{
	const struct {
		bool given;
		const char *option;
	} refused[] = {
		{ _given(desc->array_inx), "--array" },
		{ _given(desc->burst_buffer), "--bb" },
		{ _given(desc->container), "--container" },
		{ _given(compat_container_id(desc)), "--container-id" },
		{ _given(desc->req_context), "--context" },
		{ _given(desc->mcs_label), "--mcs-label" },
		{ _given(desc->tres_per_job), "--gpus" },
		{ _given(desc->tres_per_socket), "--gpus-per-socket" },
		{ _more_than_cpus(desc->tres_per_task), "--tres-per-task" },
		{ (desc->ntasks_per_tres != NO_VAL16) && desc->ntasks_per_tres,
		  "--ntasks-per-gpu" },
		{ _given(desc->cpus_per_tres), "--cpus-per-gpu" },
		{ _given(desc->mem_per_tres), "--mem-per-gpu" },
		{ _given(desc->batch_features), "--batch" },
		{ desc->core_spec != NO_VAL16, "--core-spec" },
		{ (desc->reboot != NO_VAL16) && desc->reboot, "--reboot" },
		{ desc->sockets_per_node != NO_VAL16, "--sockets-per-node" },
		{ desc->cores_per_socket != NO_VAL16, "--cores-per-socket" },
		{ (desc->contiguous != NO_VAL16) && desc->contiguous,
		  "--contiguous" },
		/* End of refused */
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (refused[i].given)
			return refused[i].option;
	}
	return NULL;
}

static bool _in_list(const char *list, const char *word, size_t len)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		if ((n == len) && !strncmp(list, word, len))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

/* RET true if one of the job's partitions may be asked for */
static bool _partition_allowed(const char *wanted, const char *allowed)
{
	if (!_given(wanted) || !_given(allowed))
		return true;
	while (*wanted) {
		size_t n = strcspn(wanted, ",");

		if (_in_list(allowed, wanted, n))
			return true;
		wanted += n + (wanted[n] == ',');
	}
	return false;
}

static uint32_t _refuse(fed_err_t *err, uint32_t rc, const char *what,
			const char *why)
{
	fed_err_set(err, rc, "%s %s", what, why);
	return rc;
}

extern uint32_t spec_from_submit(const sib_msg_t *msg, const char *origin,
				 const char *partitions,
				 flurm_job_spec_t *ret_spec, fed_err_t *err)
{
	const job_desc_msg_t *desc = msg->data;
	const char *option;

	if (!desc)
		return _refuse(err, ESLURM_INVALID_JOB_ID, "the submission",
			       "says nothing of the job");
	/* not by the message's kind: a requeued srun comes as batch */
	if (!_given(desc->script))
		return _refuse(err, ESLURM_BATCH_ONLY, "an interactive job",
			       "cannot run at FLURM");
	if ((option = _unsupported(desc)))
		return _refuse(err, ESLURM_NOT_SUPPORTED, option,
			       "is not known at FLURM");
	if (!_partition_allowed(desc->partition, partitions))
		return _refuse(err, ESLURM_INVALID_PARTITION_NAME,
			       desc->partition,
			       "is not one of FLURM's Partitions");
	flurm_job_spec_init(ret_spec);
	ret_spec->fed_job_id = msg->job_id;
	ret_spec->origin_cluster = strdup(origin);
	ret_spec->user_id = compat_submit_uid(msg, desc);
	ret_spec->group_id = compat_submit_gid(msg, desc);
	_set_changeable(desc, _dup, ret_spec);
	_set_submitted(desc, ret_spec);
	return 0;
}

extern bool spec_from_update(const job_desc_msg_t *desc,
			     flurm_job_spec_t *ret_change)
{
	flurm_job_spec_t nothing;
	json_t *before, *after;
	bool changes;

	flurm_job_spec_init(ret_change);
	_set_changeable(desc, _dup_empty, ret_change);
	if (desc->priority == INFINITE)
		ret_change->priority = FLURM_NO_PRIORITY;
	/*
	 * job_mgr.c, _update_job(): a priority takes the nice value away, and
	 * so does who takes the priority away; but not a hold
	 */
	if (flurm_or(ret_change->priority, 0) &&
	    !flurm_is_set(ret_change->nice))
		ret_change->nice = 0;
	flurm_job_spec_init(&nothing);
	before = flurm_job_spec_to_json(&nothing);
	after = flurm_job_spec_to_json(ret_change);
	changes = !json_equal(before, after);
	json_decref(before);
	json_decref(after);
	flurm_job_spec_free(&nothing);
	return changes;
}
