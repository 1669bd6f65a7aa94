/*
 * conf.h - fed_flurm.conf, beside slurm.conf.
 *
 * A line is either about all clusters (LedgerDir, StatusSocket) or is one FLURM
 * cluster (FlurmCluster=name Key=value ...). Keys and values are read by
 * Slurm's own parser; every error names file and line.
 */
#ifndef FED_SIBLING_CONF_H
#define FED_SIBLING_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "src/core/err.h"
#include "src/sibling/site.h"

#define CONF_FILE_NAME "fed_flurm.conf"

typedef struct {
	char *name;		/* as in slurmdbd, lower case */
	char *url;		/* of the FLURM side, without trailing '/' */
	char *address;		/* how others reach us; NULL: as slurmdbd
				 * sees our connection */
	uint16_t port;		/* of FLURM's controller, here */
	char *token_file;	/* key shared with the FLURM side, or NULL */
	char *ca_file;		/* for an https url, or NULL: the system's */
	char *cert_file;	/* client certificate, or NULL */
	char *key_file;		/* its key, or NULL */
	bool allow_plain_http;	/* http to another host, in so many words */
	char *partitions;	/* comma separated, or NULL: all of FLURM's */
	uint32_t delivery_timeout;	/* seconds; 0: none */
} conf_cluster_t;

typedef struct {
	char *ledger_dir;	/* one directory per cluster below it */
	char *status_socket;
	conf_cluster_t *cluster;
	int cluster_cnt;
} conf_t;

/*
 * Read and verify a configuration.
 * IN path - NULL for fed_flurm.conf beside slurm.conf
 * IN site - for defaults, and to refuse what collides with Slurm's
 * RET a configuration for conf_free(), or NULL with err ("file:line: what")
 */
extern conf_t *conf_read(const char *path, const site_t *site,
			 fed_err_t *err);
extern void conf_free(conf_t *conf);

/* RET the cluster of that name, owned by conf, or NULL */
extern const conf_cluster_t *conf_find(const conf_t *conf, const char *name);

/* RET true if both say the same, so that nothing need be restarted */
extern bool conf_cluster_equal(const conf_cluster_t *a,
			       const conf_cluster_t *b);
extern conf_cluster_t *conf_cluster_copy(const conf_cluster_t *cluster);
extern void conf_cluster_free(conf_cluster_t *cluster);

#endif
