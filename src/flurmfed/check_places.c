/*
 * check_places.c - flurmfed check: what each cluster takes on this host, its
 * port and its ledger.
 */
#include "src/sibling/compat.h"
#include "src/flurmfed/check.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/core/ledger.h"
#include "src/flurmfed/status_ask.h"
#include "src/flurmfed/status_judge.h"
#include "src/sibling/net.h"

/* RET true if the controllers that run on this host say that they have it */
static bool _is_running(const json_t *status, const conf_cluster_t *cluster)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(status, "clusters"), i, one) {
		if (!strcmp(status_str(one, "name"), cluster->name))
			return json_is_true(json_object_get(one, "running")) &&
			       (status_int(json_object_get(one, "port"),
					   "number") == cluster->port);
	}
	return false;
}

static void _check_ephemeral(check_t *check, const char *about,
			     const conf_cluster_t *cluster)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	char line[64] = "", *rest;
	unsigned long first, last;

	if (!file)
		return;
	if (!fgets(line, sizeof(line), file))
		line[0] = 0;
	fclose(file);
	first = strtoul(line, &rest, 10);
	last = strtoul(rest, NULL, 10);
	if ((cluster->port >= first) && (cluster->port <= last))
		check_note(check, about,
			   "choose one outside, or add it to net.ipv4.ip_local_reserved_ports",
			   "Port=%u is one that outgoing connections of this host may take (%lu to %lu)",
			   cluster->port, first, last);
}

static void _check_port(check_t *check, const char *about,
			const conf_cluster_t *cluster, const json_t *status)
{
	fed_err_t err;
	char mend[80];
	int fd;

	_check_ephemeral(check, about, cluster);
	if (_is_running(status, cluster)) {
		check_ok(check, about, "%s listens on port %u",
			 status_str(status, "host"), cluster->port);
		return;
	}
	if ((fd = net_listen(cluster->port, &err)) >= 0) {
		close(fd);
		check_ok(check, about, "port %u is free", cluster->port);
		return;
	}
	snprintf(mend, sizeof(mend), "who has it: ss -ltnp 'sport = :%u'",
		 cluster->port);
	check_wrong(check, about, mend, "%s", err.text);
}

static void _check_ledger(check_t *check, const char *about,
			  const conf_cluster_t *cluster)
{
	char *dir = xstrdup_printf("%s/%s", check->conf->ledger_dir,
				   cluster->name);
	fed_ledger_report_t report;
	fed_err_t err;

	if (access(dir, F_OK))
		check_ok(check, about, "its ledger %s is yet to be begun", dir);
	else if (access(dir, R_OK | W_OK | X_OK))
		check_wrong(check, about, "give it to SlurmUser",
			    "ledger %s: uid %u may not write there", dir,
			    geteuid());
	else if (fed_ledger_read(dir, NULL, NULL, &report, &err))
		check_wrong(check, about, NULL, "ledger: %s", err.text);
	else if (report.damaged)
		check_wrong(check, about,
			    "flurmfed ledger verify says more",
			    "ledger %s is damaged at offset %llu: its owner will not start",
			    report.path, (unsigned long long) report.bad_at);
	else
		check_ok(check, about, "ledger %s is well, %llu records",
			 report.path,
			 (unsigned long long) (report.base_records +
					       report.log_records));
	xfree(dir);
}

/* LedgerDir is made when it is missing, but not what is above it. */
static void _check_ledger_dir(check_t *check)
{
	const char *dir = check->conf->ledger_dir;
	char *above = xstrdup(dir), *slash = strrchr(above, '/');
	const char *look = dir;

	if (access(dir, F_OK) && slash) {
		*slash = 0;
		look = above[0] ? above : "/";
	}
	if (dir[0] != '/')
		check_wrong(check, "LedgerDir", "give its whole path",
			    "LedgerDir=%s is no absolute path", dir);
	else if (access(look, W_OK | X_OK))
		check_wrong(check, "LedgerDir", "make it, for SlurmUser alone",
			    "%s: %s", look, strerror(errno));
	else
		check_ok(check, "LedgerDir", "%s", dir);
	xfree(above);
}

extern void check_places(check_t *check)
{
	json_t *status = status_ask(check->conf->status_socket, NULL);

	_check_ledger_dir(check);
	for (int i = 0; i < check->conf->cluster_cnt; i++) {
		const conf_cluster_t *cluster = &check->conf->cluster[i];
		const char *about = cluster->name;

		_check_port(check, about, cluster, status);
		_check_ledger(check, about, cluster);
	}
	json_decref(status);
}
