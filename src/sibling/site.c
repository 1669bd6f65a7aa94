/*
 * site.c - what we need to know of the Slurm site, copied (see site.h).
 */
#include "src/sibling/compat.h"
#include "src/sibling/site.h"

#include <string.h>

static fair_kind_t _fair_kind(const slurm_conf_t *conf)
{
	if (!xstrcmp(conf->priority_type, "priority/basic"))
		return FAIR_NONE;
	if (conf->priority_flags & PRIORITY_FLAGS_FAIR_TREE)
		return FAIR_TREE;
	return (conf->priority_flags & PRIORITY_FLAGS_DEPTH_OBLIVIOUS) ?
		FAIR_OBLIVIOUS : FAIR_CLASSIC;
}

extern site_t *site_copy(void)
{
	site_t *site = xmalloc(sizeof(*site));
	slurm_conf_t *conf = slurm_conf_lock();
	char *slash;

	site->conf_dir = xstrdup(conf->slurm_conf);
	if (site->conf_dir && (slash = strrchr(site->conf_dir, '/')))
		*slash = 0;
	site->state_dir = xstrdup(conf->state_save_location);
	site->dbd_host = xstrdup(conf->accounting_storage_host);
	if (conf->accounting_storage_backup_host &&
	    conf->accounting_storage_backup_host[0])
		site->dbd_backup_host =
			xstrdup(conf->accounting_storage_backup_host);
	site->dbd_port = conf->accounting_storage_port;
	site->ctld_ports_first = conf->slurmctld_port;
	site->ctld_ports_last = conf->slurmctld_port +
				(conf->slurmctld_port_count ?
				 conf->slurmctld_port_count - 1 : 0);
	site->msg_timeout_ms = conf->msg_timeout * 1000;
	site->enforce = conf->accounting_storage_enforce;
	site->track_wckey = conf->conf_flags & COMPAT_CONF_WCKEY;
	site->tres = xstrdup(conf->accounting_storage_tres);
	site->fair = _fair_kind(conf);
	site->usage = (usage_conf_t) {
		.kept = (site->fair != FAIR_NONE),
		.half_life = conf->priority_decay_hl,
		.period = conf->priority_calc_period,
		.reset = conf->priority_reset_period,
	};
	site->private_data = conf->private_data;
	site->min_job_age = conf->min_job_age;
	site->slurm_uid = conf->slurm_user_id;
	slurm_conf_unlock();
	return site;
}

extern void site_free(site_t *site)
{
	if (!site)
		return;
	xfree(site->conf_dir);
	xfree(site->state_dir);
	xfree(site->dbd_host);
	xfree(site->dbd_backup_host);
	xfree(site->tres);
	xfree(site);
}
