/*
 * check_slurm.c - flurmfed check: slurm.conf, the plugin and who loads it.
 */
#include "src/sibling/compat.h"
#include "src/flurmfed/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/flurmfed/plugin_file.h"

#define PLUGIN "fed_flurm"
#define PLUGIN_FILE "job_submit_" PLUGIN ".so"

static void _check_state_dir(check_t *check)
{
	const char *dir = check->site->state_dir;
	struct stat st;

	if (stat(dir, &st))
		check_wrong(check, "state",
			    "make it, for SlurmUser alone (mode 0700)",
			    "StateSaveLocation=%s: %s", dir, strerror(errno));
	else if (access(dir, R_OK | W_OK | X_OK))
		check_wrong(check, "state", "give it to SlurmUser",
			    "StateSaveLocation=%s: uid %u may not write there",
			    dir, geteuid());
	else if (st.st_mode & S_IWOTH)
		check_wrong(check, "state", "chmod o-w",
			    "StateSaveLocation=%s: anybody may write there",
			    dir);
	else
		check_ok(check, "state", "StateSaveLocation=%s", dir);
}

static void _check_accounting(check_t *check)
{
	const char *type = slurm_conf.accounting_storage_type;

	if (xstrcmp(type, "accounting_storage/slurmdbd"))
		check_wrong(check, "accounting",
			    "a federation needs slurmdbd: AccountingStorageType=accounting_storage/slurmdbd",
			    "AccountingStorageType=%s", type ? type : "");
	else if (!check->site->dbd_host || !check->site->dbd_host[0])
		check_wrong(check, "accounting", "name slurmdbd's host",
			    "no AccountingStorageHost");
	else
		check_ok(check, "accounting", "slurmdbd at %s:%u%s%s",
			 check->site->dbd_host, check->site->dbd_port,
			 check->site->dbd_backup_host ? ", backup " : "",
			 check->site->dbd_backup_host ?
			 check->site->dbd_backup_host : "");
}

extern void check_slurm_conf(check_t *check)
{
	check_ok(check, "slurm.conf", "%s: cluster %s; built for Slurm %s",
		 slurm_conf.slurm_conf, slurm_conf.cluster_name,
		 SLURM_VERSION_STRING);
	if (compat_tls_enabled())
		check_wrong(check, "slurm.conf", "take TLSType out",
			    "it has a TLSType, which is not supported yet");
	_check_accounting(check);
	_check_state_dir(check);
}

/* RET true if the comma separated list has that name */
static bool _lists(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; at && *at; at += strspn(at, ", ")) {
		size_t part = strcspn(at, ", ");

		if ((part == len) && !strncmp(at, name, len))
			return true;
		at += part;
	}
	return false;
}

/* Who loads it. RET false if the file need not be there */
static bool _check_list(check_t *check)
{
	const char *list = slurm_conf.job_submit_plugins;
	bool listed = _lists(list, PLUGIN);

	if (check->daemon && listed)
		check_wrong(check, "plugin",
			    "take it out of JobSubmitPlugins, or do not run fed_flurmd",
			    "slurmctld loads " PLUGIN " too (JobSubmitPlugins=%s): who comes first has the cluster",
			    list);
	else if (!check->daemon && !listed)
		check_wrong(check, "plugin",
			    "add " PLUGIN " to JobSubmitPlugins and restart slurmctld; or run fed_flurmd (flurmfed check --daemon)",
			    "slurmctld does not load " PLUGIN " (JobSubmitPlugins=%s)",
			    list ? list : "");
	else if (!check->daemon)
		check_ok(check, "plugin", "JobSubmitPlugins=%s", list);
	return !check->daemon;
}

static void _check_version(check_t *check, const char *path)
{
	uint32_t version;
	fed_err_t err;

	if (plugin_file_version(path, &version, &err))
		check_wrong(check, "plugin", "install it anew (make install)",
			    "%s", err.text);
	else if (version != SLURM_VERSION_NUMBER)
		/* _verify_syms() of common/plugin.c compares to the micro */
		check_wrong(check, "plugin",
			    "install the fed_flurm that was built for this Slurm",
			    "%s was built for Slurm %u.%02u.%u, this is %s: slurmctld would not start",
			    path, SLURM_VERSION_MAJOR(version),
			    SLURM_VERSION_MINOR(version),
			    SLURM_VERSION_MICRO(version),
			    SLURM_VERSION_STRING);
	else
		check_ok(check, "plugin", "%s, for Slurm %s", path,
			 SLURM_VERSION_STRING);
}

extern void check_plugin(check_t *check)
{
	char *dirs = NULL, *save = NULL, *path = NULL;

	if (!_check_list(check))
		return;
	/* as common/plugin.c, plugin_load_and_link(): the first one counts */
	dirs = xstrdup(slurm_conf.plugindir);
	for (char *dir = strtok_r(dirs, ":", &save); dir;
	     dir = strtok_r(NULL, ":", &save)) {
		path = xstrdup_printf("%s/" PLUGIN_FILE, dir);
		if (!access(path, R_OK))
			break;
		xfree(path);
	}
	if (path)
		_check_version(check, path);
	else
		check_wrong(check, "plugin",
			    "install fed_flurm there (./configure --with-plugindir=DIR)",
			    "no " PLUGIN_FILE " in PluginDir=%s: slurmctld would not start",
			    slurm_conf.plugindir);
	xfree(path);
	xfree(dirs);
}
