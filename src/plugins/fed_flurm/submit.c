/*
 * submit.c - jobs that only FLURM may run and that FLURM cannot run
 * (submit.h).
 */
#include "src/plugins/fed_flurm/submit.h"

#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *flurm_clusters;	/* ",name,name," */

extern void submit_set_clusters(const char *names)
{
	pthread_mutex_lock(&lock);
	xfree(flurm_clusters);
	if (names)
		flurm_clusters = xstrdup_printf(",%s,", names);
	pthread_mutex_unlock(&lock);
}

/* LOCKED. RET true if each name of the list is one of FLURM's clusters */
static bool _all_flurm(const char *list)
{
	bool any = false;

	while (*list) {
		size_t len = strcspn(list, ",");
		char *name = xstrdup_printf(",%.*s,", (int) len, list);
		bool is_flurm = xstrcasestr(flurm_clusters, name);

		xfree(name);
		if (len && !is_flurm)
			return false;
		any |= (len > 0);
		list += len + (list[len] == ',');
	}
	return any;
}

extern int submit_check(const job_desc_msg_t *desc, bool interactive,
			char **err_msg)
{
	bool only_flurm = false;

	if (!interactive || !desc->clusters || !desc->clusters[0])
		return SLURM_SUCCESS;
	pthread_mutex_lock(&lock);
	if (flurm_clusters)
		only_flurm = _all_flurm(desc->clusters);
	pthread_mutex_unlock(&lock);
	if (!only_flurm)
		return SLURM_SUCCESS;
	if (err_msg)
		*err_msg = xstrdup_printf(
			"cluster %s runs batch jobs only; submit it with sbatch or to another cluster",
			desc->clusters);
	return ESLURM_BATCH_ONLY;
}
