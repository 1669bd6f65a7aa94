/*
 * slurm_unit.h - for the tests of src/sibling: Slurm's libraries with a
 * slurm.conf of the test's own, and no munge.
 */
#ifndef FED_UNIT_SLURM_UNIT_H
#define FED_UNIT_SLURM_UNIT_H

#include "src/sibling/compat.h"

#include "testsuite/unit/unit.h"

#include "src/core/log.h"
#include "src/sibling/site.h"
#include "testsuite/unit/scratch.h"

/* Every layout that this build speaks, the newest first. */
static const uint16_t slurm_unit_versions[] = {
	SLURM_PROTOCOL_VERSION,
	SLURM_ONE_BACK_PROTOCOL_VERSION,
	SLURM_MIN_PROTOCOL_VERSION,
};

#define for_each_version(var) \
	for (size_t i_##var = 0, var = slurm_unit_versions[0]; \
	     (i_##var < sizeof(slurm_unit_versions) / \
			sizeof(slurm_unit_versions[0])) && \
	     (var = slurm_unit_versions[i_##var]); i_##var++)

/*
 * IN dir - a scratch directory, for slurm.conf
 * IN more - lines of slurm.conf, or ""
 */
static inline void slurm_unit_init_with(const char *dir, const char *more)
{
	log_options_t quiet = LOG_OPTS_INITIALIZER;
	char text[4096], path[4096];

	snprintf(text, sizeof(text),
		 "ClusterName=alpha\n"
		 "SlurmctldHost=localhost(127.0.0.1)\n"
		 "SlurmUser=%u\n"
		 "AuthType=auth/none\n"
		 "CredType=cred/none\n"
		 "StateSaveLocation=%s\n"
		 "NodeName=node1\n"
		 "%s", getuid(), dir, more);
	snprintf(path, sizeof(path), "%s/slurm.conf", dir);
	scratch_write(path, text, strlen(text));
	setenv("SLURM_CONF", path, 1);
	quiet.stderr_level = quiet.syslog_level = quiet.logfile_level =
		LOG_LEVEL_QUIET;
	/* to see what Slurm has to say, when a test is being written */
	if (getenv("SLURM_UNIT_LOG"))
		quiet.stderr_level = LOG_LEVEL_DEBUG3;
	log_init((char *) "unit", quiet, 0, NULL);
	slurm_init(path);
}

static inline void slurm_unit_init(const char *dir)
{
	slurm_unit_init_with(dir, "");
}

static char *slurm_unit_dir;

/* For a group of tests: slurm_unit_dir is there while they run. */
static inline int slurm_unit_setup(void **state)
{
	slurm_unit_dir = scratch_make();
	slurm_unit_init(slurm_unit_dir);
	fed_log_init(NULL, FED_LOG_ERROR);
	return 0;
}

static inline int slurm_unit_teardown(void **state)
{
	slurm_fini();
	scratch_remove_tree(slurm_unit_dir);
	return 0;
}

/* A site as slurm_unit_init()'s slurm.conf makes one; nothing is copied. */
static inline site_t slurm_unit_site(const char *dir)
{
	return (site_t) {
		.conf_dir = (char *) dir,
		.state_dir = (char *) dir,
		.dbd_host = (char *) "127.0.0.1",
		.dbd_port = 6819,
		.ctld_ports_first = 6817,
		.ctld_ports_last = 6817,
		.msg_timeout_ms = 2000,
		.slurm_uid = getuid(),
	};
}

#endif
