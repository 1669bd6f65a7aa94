/*
 * site.c - what we need to know of the Slurm site, copied (see site.h).
 */
#include "src/sibling/compat.h"
#include "src/sibling/site.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static fair_kind_t _fair_kind(const slurm_conf_t *conf)
{
	if (!xstrcmp(conf->priority_type, "priority/basic"))
		return FAIR_NONE;
	if (conf->priority_flags & PRIORITY_FLAGS_FAIR_TREE)
		return FAIR_TREE;
	return (conf->priority_flags & PRIORITY_FLAGS_DEPTH_OBLIVIOUS) ?
		FAIR_OBLIVIOUS : FAIR_CLASSIC;
}

/* as read_config.c, _validate_and_set_defaults() */
static uint32_t _store(const s_p_hashtbl_t *table)
{
	char *flags = NULL;
	uint32_t store = 0;

	(void) s_p_get_string(&flags, "AccountingStoreFlags", table);
	if (xstrcasestr(flags, "job_comment"))
		store |= COMPAT_STORE_COMMENT;
	if (xstrcasestr(flags, "job_script"))
		store |= COMPAT_STORE_SCRIPT;
	if (xstrcasestr(flags, "job_env"))
		store |= COMPAT_STORE_ENV;
	if (xstrcasestr(flags, "no_stdio"))
		store |= COMPAT_STORE_NO_STDIO;
	xfree(flags);
	return store;
}

static int _read_store(const char *path, uint32_t *ret_store, fed_err_t *err)
{
	s_p_options_t options[] = {
		{ .key = "AccountingStoreFlags", .type = S_P_STRING },
		{ .key = NULL },
	};
	s_p_hashtbl_t *table;
	int rc = 0;

	/* Slurm's parser would wait a minute for it */
	if (access(path, R_OK))
		return fed_err_set(err, errno, "%s: %s", path,
				   strerror(errno));
	table = s_p_hashtbl_create(options);
	if (s_p_parse_file(table, NULL, (char *) path, COMPAT_PARSE_SOME, NULL))
		rc = fed_err_set(err, EINVAL, "%s: cannot be read", path);
	else
		*ret_store = _store(table);
	s_p_hashtbl_destroy(table);
	return rc;
}

extern int site_follow(site_t *site, fed_err_t *err)
{
	uint32_t store = 0;

	/*
	 * slurmctld has read slurm_conf anew; elsewhere nobody does, as Slurm's
	 * libraries hold pointers into it.
	 */
	if (running_in_slurmctld()) {
		store = slurm_conf_lock()->conf_flags & COMPAT_STORE_ALL;
		slurm_conf_unlock();
	} else if (_read_store(site->conf, &store, err)) {
		return -1;
	}
	__atomic_store_n(&site->store, store, __ATOMIC_RELAXED);
	return 0;
}

extern site_t *site_copy(void)
{
	site_t *site = xmalloc(sizeof(*site));
	slurm_conf_t *conf = slurm_conf_lock();
	char *slash;

	site->conf = xstrdup(conf->slurm_conf);
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
	site->store = conf->conf_flags & COMPAT_STORE_ALL;
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
	xfree(site->conf);
	xfree(site->conf_dir);
	xfree(site->state_dir);
	xfree(site->dbd_host);
	xfree(site->dbd_backup_host);
	xfree(site->tres);
	xfree(site);
}
