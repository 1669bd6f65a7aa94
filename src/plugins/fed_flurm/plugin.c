/*
 * plugin.c - what slurmctld looks up in job_submit_fed_flurm.so.
 *
 * job_submit is the one plugin list that every supported Slurm loads in
 * slurmctld alone and that any number of plugins may share. init() must
 * succeed whatever happens, since a failing job_submit plugin is fatal to
 * slurmctld; it starts the watcher, which does all the work in its own time.
 */
#include "src/sibling/compat.h"
#include "src/plugins/fed_flurm/submit.h"
#include "src/plugins/fed_flurm/watcher.h"
#include "src/slurmctld/slurmctld.h"

extern const char plugin_name[];
extern const char plugin_type[];
extern const uint32_t plugin_version;
extern int init(void);
extern int fini(void);
extern int job_submit(job_desc_msg_t *job_desc, uint32_t submit_uid,
		      char **err_msg);
extern int job_modify(job_desc_msg_t *job_desc, job_record_t *job_ptr,
		      uint32_t submit_uid COMPAT_JOB_MODIFY_ERR);

const char plugin_name[] = "FLURM clusters as siblings in a federation";
const char plugin_type[] = "job_submit/fed_flurm";
const uint32_t plugin_version = SLURM_VERSION_NUMBER;

extern int init(void)
{
	watcher_start();
	return SLURM_SUCCESS;
}

extern int fini(void)
{
	watcher_stop();
	return SLURM_SUCCESS;
}

extern int job_submit(job_desc_msg_t *job_desc, uint32_t submit_uid,
		      char **err_msg)
{
	/* a sibling's copy: its origin has let it through */
	if (job_desc->job_id != NO_VAL)
		return SLURM_SUCCESS;
	return submit_check(job_desc, !job_desc->script, err_msg);
}

extern int job_modify(job_desc_msg_t *job_desc, job_record_t *job_ptr,
		      uint32_t submit_uid COMPAT_JOB_MODIFY_ERR)
{
	return submit_check(job_desc, !job_ptr->batch_flag, NULL);
}
