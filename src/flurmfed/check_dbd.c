/*
 * check_dbd.c - flurmfed check: slurmdbd, and what it has of our clusters.
 *
 * Asks on a connection that registers nothing, in the name of the native
 * cluster of this host, as sacctmgr does.
 */
#include "src/sibling/compat.h"
#include "src/flurmfed/check.h"

#include <stdio.h>
#include <string.h>

#include "src/sibling/dbd.h"

/* RET 0 with the connection to the first slurmdbd that answers */
static int _connect(check_t *check, persist_t *conn)
{
	const char *hosts[] = { check->site->dbd_host,
				check->site->dbd_backup_host };
	fed_err_t err;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (!hosts[i] || !hosts[i][0])
			continue;
		if (!persist_open(conn, hosts[i], check->site->dbd_port,
				  PERSIST_TYPE_DBD, slurm_conf.cluster_name, 0,
				  COMPAT_VERSION_OWN, &err)) {
			check_ok(check, "slurmdbd", "%s:%u answers", hosts[i],
				 check->site->dbd_port);
			return 0;
		}
		check_wrong(check, "slurmdbd",
			    conn->refused ?
			    "the munge key of both hosts must be the same, and so must SlurmUser" :
			    "does it run, do AccountingStorageHost and AccountingStoragePort say where, is a firewall between?",
			    "%s", err.text);
	}
	return -1;
}

static bool _is_loopback(const char *host)
{
	return !strncmp(host, "127.", 4) || !strcmp(host, "::1") ||
	       !strcmp(host, "localhost");
}

/* Will the other clusters find us where slurmdbd says we are? */
static void _check_address(check_t *check, const conf_cluster_t *cluster,
			   const federation_t *fed)
{
	const char *here = cluster->address ? cluster->address :
			   check->site->dbd_host;

	if (!_is_loopback(here))
		return;
	for (int i = 0; i < fed->member_cnt; i++) {
		const fed_member_t *member = &fed->member[i];

		if ((member == fed->self) || !member->host[0] ||
		    _is_loopback(member->host))
			continue;
		check_wrong(check, cluster->name,
			    "set Address= to one of this host that all clusters and submit hosts reach",
			    "sibling %s is on another host (%s), and would look for %s at %s",
			    member->name, member->host, cluster->name, here);
		return;
	}
}

static void _say_federation(check_t *check, const conf_cluster_t *cluster,
			    const federation_t *fed)
{
	const char *state;

	if (!fed->self) {
		char mend[300];

		snprintf(mend, sizeof(mend),
			 "sacctmgr add federation NAME clusters=%s,%s or sacctmgr modify federation NAME set clusters+=%s",
			 slurm_conf.cluster_name, cluster->name,
			 cluster->name);
		check_note(check, cluster->name, mend, "in no federation yet");
		return;
	}
	state = slurmdb_cluster_fed_states_str(fed->self->state);
	if (federation_member_is_up(fed->self))
		check_ok(check, cluster->name,
			 "in federation %s with id %u, %s, registered at %s:%u",
			 fed->name, fed->self->fed_id, state, fed->self->host,
			 fed->self->port);
	else
		check_ok(check, cluster->name,
			 "in federation %s with id %u, %s, not registered now",
			 fed->name, fed->self->fed_id, state);
	if (!federation_find(fed, slurm_conf.cluster_name))
		check_note(check, cluster->name, NULL,
			   "the native cluster of this host, %s, is not in federation %s",
			   slurm_conf.cluster_name, fed->name);
	_check_address(check, cluster, fed);
}

static int _check_cluster(check_t *check, persist_t *conn,
			  const conf_cluster_t *cluster)
{
	federation_t *fed = NULL;
	bool known = false;
	fed_err_t err;

	if (dbd_has_cluster(conn, cluster->name, &known, &err) ||
	    dbd_get_federation(conn, cluster->name, &fed, &err)) {
		check_wrong(check, "slurmdbd", NULL, "%s", err.text);
		return -1;
	}
	if (known)
		_say_federation(check, cluster, fed);
	else
		check_note(check, cluster->name,
			   "it will be made when its controller registers; or: sacctmgr add cluster",
			   "slurmdbd does not have this cluster yet");
	federation_unref(fed);
	return 0;
}

extern void check_slurmdbd(check_t *check)
{
	persist_t conn = {
		.fd = -1,
		.stop_fd = -1,
		.dbd = true,
		.timeout_ms = check->site->msg_timeout_ms,
	};

	if (_connect(check, &conn))
		return;
	for (int i = 0; i < check->conf->cluster_cnt; i++) {
		if (_check_cluster(check, &conn, &check->conf->cluster[i]))
			break;
	}
	persist_close(&conn);
}
