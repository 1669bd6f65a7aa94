/*
 * rights.c - who may see and do what (see rights.h).
 */
#include "src/sibling/rights.h"

static slurmdb_admin_level_t _level(const rpc_conf_t *conf, uid_t uid)
{
	if (site_is_daemon_uid(conf->site, uid))
		return SLURMDB_ADMIN_SUPER_USER;
	return assoc_admin_level(conf->assoc, uid);
}

extern bool rights_admin(const rpc_conf_t *conf, uid_t uid)
{
	return _level(conf, uid) >= SLURMDB_ADMIN_SUPER_USER;
}

extern bool rights_operator(const rpc_conf_t *conf, uid_t uid)
{
	return _level(conf, uid) >= SLURMDB_ADMIN_OPERATOR;
}

extern bool rights_job(const rpc_conf_t *conf, uid_t uid,
		       const view_job_t *job)
{
	return (job->spec.user_id == (int64_t) uid) ||
	       rights_operator(conf, uid) || rights_coordinator(conf, uid, job);
}

extern bool rights_coordinator(const rpc_conf_t *conf, uid_t uid,
			       const view_job_t *job)
{
	return job->spec.account &&
	       assoc_coordinates(conf->assoc, uid, job->spec.account);
}

extern bool rights_see(const rpc_conf_t *conf, uid_t uid, uint16_t what)
{
	return !(conf->site->private_data & what) ||
	       rights_operator(conf, uid);
}

extern bool rights_see_job(const rpc_conf_t *conf, uid_t uid,
			   const view_job_t *job)
{
	return !(conf->site->private_data & PRIVATE_DATA_JOBS) ||
	       rights_job(conf, uid, job);
}
