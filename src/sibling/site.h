/*
 * site.h - what we need to know of the Slurm site, copied.
 *
 * Pointers into slurm_conf die with the next reconfigure, so the host copies
 * these values once per start and hands them down. site_follow() is for what a
 * reconfigure may change meanwhile.
 */
#ifndef FED_SIBLING_SITE_H
#define FED_SIBLING_SITE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/core/err.h"
#include "src/sibling/fair_share.h"
#include "src/sibling/usage.h"

typedef struct {
	char *conf;		/* slurm.conf */
	char *conf_dir;		/* its directory */
	char *state_dir;	/* StateSaveLocation */
	char *dbd_host;		/* AccountingStorageHost */
	char *dbd_backup_host;	/* AccountingStorageBackupHost, or NULL */
	uint16_t dbd_port;	/* AccountingStoragePort */
	uint16_t ctld_ports_first; /* SlurmctldPort, first and last: no */
	uint16_t ctld_ports_last;  /* FLURM cluster may use one of them */
	int msg_timeout_ms;	/* MessageTimeout */
	uint16_t private_data;	/* PrivateData, PRIVATE_DATA_ bits */
	uint32_t min_job_age;	/* MinJobAge, seconds */
	uid_t slurm_uid;	/* SlurmUser */
	uint16_t enforce;	/* AccountingStorageEnforce, its bits */
	bool track_wckey;	/* TrackWCKey */
	char *tres;		/* AccountingStorageTRES */
	usage_conf_t usage;
	fair_kind_t fair;
	uint32_t store;		/* AccountingStoreFlags: see site_stores() */
} site_t;

/*
 * Copy the values of slurm_conf, under its lock.
 * RET a new site, for site_free()
 */
extern site_t *site_copy(void);
extern void site_free(site_t *site);

/*
 * After a reconfigure: take over what is followed while we run, which is
 * AccountingStoreFlags. All else is as it was at the start. One thread may at
 * a time; others go on.
 * RET 0, or -1 with err: it is as it was
 */
extern int site_follow(site_t *site, fed_err_t *err);

/*
 * RET what of a job slurmdbd is to be told beside the rest, as slurm.conf has it
 *	now: COMPAT_STORE_ bits. From any thread
 */
static inline uint32_t site_stores(const site_t *site)
{
	return __atomic_load_n(&site->store, __ATOMIC_RELAXED);
}

/* RET true for uid 0 and SlurmUser, the uids that Slurm's daemons run as */
static inline bool site_is_daemon_uid(const site_t *site, uid_t uid)
{
	return (uid == 0) || (uid == site->slurm_uid);
}

#endif
