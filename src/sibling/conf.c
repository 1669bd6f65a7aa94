/*
 * conf.c - fed_flurm.conf (see conf.h).
 *
 * Slurm's file parser tells a line number only for what it cannot read itself;
 * what we refuse needs one too. So lines are counted here and each is given to
 * Slurm's line parser.
 */
#include "src/sibling/compat.h"
#include "src/sibling/conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/flurm/token.h"

#define DELIVERY_TIMEOUT 3600
#define DELIVERY_TIMEOUT_MAX (365 * 24 * 3600)

static s_p_options_t cluster_options[] = {
	{ .key = "FlurmCluster", .type = S_P_STRING },
	{ .key = "Address", .type = S_P_STRING },
	{ .key = "AllowPlainHttp", .type = S_P_BOOLEAN },
	{ .key = "CAFile", .type = S_P_STRING },
	{ .key = "CertFile", .type = S_P_STRING },
	{ .key = "DeliveryTimeout", .type = S_P_UINT32 },
	{ .key = "KeyFile", .type = S_P_STRING },
	{ .key = "Partitions", .type = S_P_STRING },
	{ .key = "Port", .type = S_P_UINT16 },
	{ .key = "TokenFile", .type = S_P_STRING },
	{ .key = "Url", .type = S_P_STRING },
	{ .key = NULL }
};

static s_p_options_t common_options[] = {
	{ .key = "LedgerDir", .type = S_P_STRING },
	{ .key = "StatusSocket", .type = S_P_STRING },
	{ .key = NULL }
};

static void _cluster_clear(conf_cluster_t *cluster)
{
	xfree(cluster->name);
	xfree(cluster->url);
	xfree(cluster->address);
	xfree(cluster->token_file);
	xfree(cluster->ca_file);
	xfree(cluster->cert_file);
	xfree(cluster->key_file);
	xfree(cluster->partitions);
}

extern void conf_cluster_free(conf_cluster_t *cluster)
{
	if (!cluster)
		return;
	_cluster_clear(cluster);
	xfree(cluster);
}

extern conf_cluster_t *conf_cluster_copy(const conf_cluster_t *from)
{
	conf_cluster_t *to = xmalloc(sizeof(*to));

	*to = *from;
	to->name = xstrdup(from->name);
	to->url = xstrdup(from->url);
	to->address = xstrdup(from->address);
	to->token_file = xstrdup(from->token_file);
	to->ca_file = xstrdup(from->ca_file);
	to->cert_file = xstrdup(from->cert_file);
	to->key_file = xstrdup(from->key_file);
	to->partitions = xstrdup(from->partitions);
	return to;
}

extern bool conf_cluster_equal(const conf_cluster_t *a,
			       const conf_cluster_t *b)
{
	return !xstrcmp(a->name, b->name) && !xstrcmp(a->url, b->url) &&
	       !xstrcmp(a->address, b->address) && (a->port == b->port) &&
	       !xstrcmp(a->token_file, b->token_file) &&
	       !xstrcmp(a->ca_file, b->ca_file) &&
	       !xstrcmp(a->cert_file, b->cert_file) &&
	       !xstrcmp(a->key_file, b->key_file) &&
	       (a->allow_plain_http == b->allow_plain_http) &&
	       (a->delivery_timeout == b->delivery_timeout) &&
	       !xstrcmp(a->partitions, b->partitions);
}

extern void conf_free(conf_t *conf)
{
	if (!conf)
		return;
	for (int i = 0; i < conf->cluster_cnt; i++)
		_cluster_clear(&conf->cluster[i]);
	xfree(conf->cluster);
	xfree(conf->ledger_dir);
	xfree(conf->status_socket);
	xfree(conf);
}

extern const conf_cluster_t *conf_find(const conf_t *conf, const char *name)
{
	for (int i = 0; conf && (i < conf->cluster_cnt); i++) {
		if (!xstrcmp(conf->cluster[i].name, name))
			return &conf->cluster[i];
	}
	return NULL;
}

/* RET the host part of an http(s) url, for xfree(), or NULL if it is none */
static char *_url_host(const char *url, bool *ret_plain)
{
	const char *host, *end;

	if (!xstrncasecmp(url, "https://", 8)) {
		*ret_plain = false;
		host = url + 8;
	} else if (!xstrncasecmp(url, "http://", 7)) {
		*ret_plain = true;
		host = url + 7;
	} else {
		return NULL;
	}
	end = (*host == '[') ? strchr(host, ']') : host + strcspn(host, ":/");
	if (!end || (end == host))
		return NULL;
	if (*host == '[')
		host++;
	return xstrndup(host, end - host);
}

static bool _is_loopback(const char *host)
{
	return !xstrcmp(host, "localhost") || !xstrcmp(host, "::1") ||
	       !xstrncmp(host, "127.", 4);
}

static int _check_url(conf_cluster_t *cluster, fed_err_t *err)
{
	size_t len;
	bool plain, loopback;
	char *host;

	if (!cluster->url)
		return fed_err_set(err, EINVAL,
				   "FlurmCluster=%s has no Url", cluster->name);
	len = strlen(cluster->url);
	while (len && (cluster->url[len - 1] == '/'))
		cluster->url[--len] = 0;
	if (!(host = _url_host(cluster->url, &plain)))
		return fed_err_set(err, EINVAL,
				   "Url=%s is not an https:// or http:// address",
				   cluster->url);
	loopback = _is_loopback(host);
	xfree(host);
	if (plain && !loopback && !cluster->allow_plain_http)
		return fed_err_set(err, EINVAL,
				   "Url=%s is plain http to another host: use https, or say AllowPlainHttp=yes",
				   cluster->url);
	if (!loopback && !cluster->token_file)
		return fed_err_set(err, EINVAL,
				   "Url=%s is another host: a TokenFile is needed",
				   cluster->url);
	return 0;
}

static int _check_file(const char *key, const char *path, fed_err_t *err)
{
	if (path && access(path, R_OK))
		return fed_err_set(err, errno, "%s=%s: %s", key, path,
				   strerror(errno));
	return 0;
}

static int _check_cluster(conf_cluster_t *cluster, const conf_t *conf,
			  const site_t *site, fed_err_t *err)
{
	for (char *c = cluster->name; *c; c++) {
		/* as sacctmgr, which folds cluster names to lower case */
		*c = tolower((unsigned char) *c);
		if (!isalnum((unsigned char) *c) && !strchr("_-.", *c))
			return fed_err_set(err, EINVAL,
					   "FlurmCluster=%s is not a cluster name",
					   cluster->name);
	}
	if (!cluster->port)
		return fed_err_set(err, EINVAL,
				   "FlurmCluster=%s needs a Port from 1 to 65535",
				   cluster->name);
	/* Slurm's parser makes numbers of INFINITE and -1, too */
	if (cluster->delivery_timeout > DELIVERY_TIMEOUT_MAX)
		return fed_err_set(err, EINVAL,
				   "DeliveryTimeout=%u is more than a year: 0 is for ever",
				   cluster->delivery_timeout);
	if ((cluster->port >= site->ctld_ports_first) &&
	    (cluster->port <= site->ctld_ports_last))
		return fed_err_set(err, EINVAL,
				   "Port=%u is slurmctld's own (SlurmctldPort)",
				   cluster->port);
	for (int i = 0; i < conf->cluster_cnt; i++) {
		if (!xstrcmp(conf->cluster[i].name, cluster->name))
			return fed_err_set(err, EINVAL,
					   "FlurmCluster=%s is there twice",
					   cluster->name);
		if (conf->cluster[i].port == cluster->port)
			return fed_err_set(err, EINVAL,
					   "Port=%u is FlurmCluster=%s's already",
					   cluster->port,
					   conf->cluster[i].name);
	}
	if (_check_url(cluster, err) ||
	    _check_file("CAFile", cluster->ca_file, err) ||
	    _check_file("CertFile", cluster->cert_file, err) ||
	    _check_file("KeyFile", cluster->key_file, err))
		return -1;
	if (cluster->token_file) {
		flurm_token_conf_t key = { .key_file = cluster->token_file,
					   .cluster_id = cluster->name };
		flurm_token_t *token = flurm_token_create(&key, err);

		if (!token)
			return fed_err_prefix(err, "TokenFile");
		flurm_token_destroy(token);
	}
	return 0;
}

static int _read_cluster(s_p_hashtbl_t *table, conf_t *conf,
			 const site_t *site, fed_err_t *err)
{
	conf_cluster_t cluster = { .delivery_timeout = DELIVERY_TIMEOUT };

	(void) s_p_get_string(&cluster.name, "FlurmCluster", table);
	(void) s_p_get_string(&cluster.url, "Url", table);
	(void) s_p_get_string(&cluster.address, "Address", table);
	(void) s_p_get_uint16(&cluster.port, "Port", table);
	(void) s_p_get_string(&cluster.token_file, "TokenFile", table);
	(void) s_p_get_string(&cluster.ca_file, "CAFile", table);
	(void) s_p_get_string(&cluster.cert_file, "CertFile", table);
	(void) s_p_get_string(&cluster.key_file, "KeyFile", table);
	(void) s_p_get_boolean(&cluster.allow_plain_http, "AllowPlainHttp",
			       table);
	(void) s_p_get_string(&cluster.partitions, "Partitions", table);
	(void) s_p_get_uint32(&cluster.delivery_timeout, "DeliveryTimeout",
			      table);
	if (_check_cluster(&cluster, conf, site, err)) {
		_cluster_clear(&cluster);
		return -1;
	}
	xrecalloc(conf->cluster, conf->cluster_cnt + 1, sizeof(cluster));
	conf->cluster[conf->cluster_cnt++] = cluster;
	return 0;
}

static int _read_once(char **value, const char *key, s_p_hashtbl_t *table,
		      fed_err_t *err)
{
	char *found = NULL;

	if (!s_p_get_string(&found, key, table))
		return 0;
	if (*value) {
		xfree(found);
		return fed_err_set(err, EINVAL, "%s is there twice", key);
	}
	*value = found;
	return 0;
}

static int _read_line(char *line, conf_t *conf, const site_t *site,
		      fed_err_t *err)
{
	bool is_cluster = !xstrncasecmp(line, "FlurmCluster", 12);
	s_p_hashtbl_t *table;
	char *leftover = line;
	int rc = -1;

	table = s_p_hashtbl_create(is_cluster ? cluster_options :
				   common_options);
	/* Slurm's parser logs the key that it does not know by itself */
	if (!s_p_parse_line(table, line, &leftover))
		fed_err_set(err, EINVAL, "unknown key or bad value in \"%s\"",
			    leftover);
	else if (leftover[strspn(leftover, " \t")])
		fed_err_set(err, EINVAL, "cannot read \"%s\"", leftover);
	else if (is_cluster)
		rc = _read_cluster(table, conf, site, err);
	else if (!_read_once(&conf->ledger_dir, "LedgerDir", table, err))
		rc = _read_once(&conf->status_socket, "StatusSocket", table,
				err);
	s_p_hashtbl_destroy(table);
	return rc;
}

/* Cut the comment and the white space at both ends. */
static char *_trim(char *line)
{
	size_t len = strcspn(line, "#\r\n");

	line[len] = 0;
	while (len && isspace((unsigned char) line[len - 1]))
		line[--len] = 0;
	return line + strspn(line, " \t");
}

static int _read_lines(FILE *file, const char *path, conf_t *conf,
		       const site_t *site, fed_err_t *err)
{
	char *line = NULL, *text;
	size_t size = 0;
	int number = 0, rc = 0;

	while (!rc && (getline(&line, &size, file) >= 0)) {
		number++;
		text = _trim(line);
		if (*text && (rc = _read_line(text, conf, site, err)))
			fed_err_prefix(err, "%s:%d", path, number);
	}
	free(line);
	if (!rc && !conf->cluster_cnt)
		rc = fed_err_set(err, EINVAL,
				 "%s:%d: no FlurmCluster line", path, number);
	return rc;
}

extern conf_t *conf_read(const char *path, const site_t *site, fed_err_t *err)
{
	conf_t *conf = xmalloc(sizeof(*conf));
	char *beside = NULL;
	FILE *file;
	int rc = -1;

	if (!path)
		path = beside = xstrdup_printf("%s/" CONF_FILE_NAME,
					       site->conf_dir);
	if ((file = fopen(path, "re"))) {
		rc = _read_lines(file, path, conf, site, err);
		fclose(file);
	} else {
		fed_err_set(err, errno, "%s:0: %s", path, strerror(errno));
	}
	xfree(beside);
	if (rc) {
		conf_free(conf);
		return NULL;
	}
	if (!conf->ledger_dir)
		conf->ledger_dir = xstrdup_printf("%s/fed_flurm",
						  site->state_dir);
	if (!conf->status_socket)
		conf->status_socket = xstrdup_printf("%s/status.sock",
						     conf->ledger_dir);
	return conf;
}
